/*
 * See oracle.h: asks the CPU about the translation regime of the code itself,
 * which runs in the half that is not tested (probe.S). At EL2 the same
 * registers and instructions name EL2's regime (DDI 0487 D1.3.6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "oracle.h"

#define TCR_EPD0        0, 7, 1

typedef struct OracleProbe {
    uint64_t tcr, ttbr0, ttbr1, va, pan, distance;
    uint64_t par[ORACLE_ACCESSES];
} OracleProbe;

void oracle_probe(OracleProbe *probe);  /* probe.S */

extern uint64_t linear_map[512];            /* start.S */
static uint64_t own_map[512] __attribute__((aligned(4096)));

uint64_t oracle_own_map(void)
{
    return pa_of(own_map);
}

/*
 * The GiB with the code, as start.S maps it, but for the bits that LPA2 makes
 * part of an address. From now on the lower half maps it too.
 */
void oracle_cpu_init(void)
{
    uint64_t tcr = sysreg_read("tcr_el1");

    oracle_kind_init();
    sysreg_write("mair_el1", ORACLE_MAIR);
    own_map[1] = linear_map[1];
    smmu3_set(&own_map[1], TTD_SH, 0);
    dsb();
    sysreg_write("ttbr0_el1", oracle_own_map());
    smmu3_set(&tcr, TCR_EPD0, 0);
    isb();
    sysreg_write("tcr_el1", tcr);
    isb();
    asm volatile("tlbi vmalle1; dsb nsh; isb" : : : "memory");
}

void oracle_ask_cpu(const OracleCase *c, uint64_t va,
                    OracleAnswer answers[ORACLE_ACCESSES])
{
    const OracleRegime *r = &c->regime;
    OracleProbe probe = {
        .tcr = oracle_tcr(r),
        .ttbr0 = r->half[0].root, .ttbr1 = r->half[1].root,
        .va = va, .pan = (uint64_t)r->pan << 22,
        /* The code runs in the half that is not tested. */
        .distance = c->tested == 1 ? LINEAR_BASE : 0,
    };

    oracle_probe(&probe);
    for (unsigned i = 0; i < ORACLE_ACCESSES; i++) {
        answers[i] = oracle_par(probe.par[i]);
    }
}
