/*
 * See oracle.h: asks the CPU at EL2 about EL1's translation regime and stage 2.
 * Nothing of that is this program's own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "oracle.h"

const bool oracle_nested = true;
const bool oracle_is_el2 = false;
const char oracle_path[] = "/baremetal/nested-oracle/stages-1-and-2";

extern const uint8_t guest_at_el2;      /* start.S */
const uint8_t guest_at_el2 = 1;

/* EL1's registers, by the names that EL2 has for them */
#define SCTLR_EL12      "S3_5_C1_C0_0"
#define TTBR0_EL12      "S3_5_C2_C0_0"
#define TTBR1_EL12      "S3_5_C2_C0_1"
#define TCR_EL12        "S3_5_C2_C0_2"
#define MAIR_EL12       "S3_5_C10_C2_0"

#define HCR_VM          UINT64_C(1)
#define SCTLR_RES1      UINT64_C(0x30d00800)
#define SCTLR_M         0, 0, 1
#define SCTLR_EE        0, 25, 1

/* VTCR_EL2 (DDI 0487 D24.2) */
#define VTCR_T0SZ       0, 0, 6
#define VTCR_SL0        0, 6, 2
#define VTCR_WALKS      0, 8, 6     /* IRGN0, ORGN0, SH0 */
#define VTCR_TG0        0, 14, 2
#define VTCR_PS         0, 16, 3
#define VTCR_HA         0, 21, 1
#define VTCR_HD         0, 22, 1
#define VTCR_RES1       0, 31, 1
#define VTCR_DS         0, 32, 1
#define VTCR_SL2        0, 33, 1
enum { WALKS_CACHED = 1 | 1 << 2 | 3 << 4 };

#define ask(operation, va)                                              \
    ({ asm volatile("at " operation ", %0; isb" : : "r"(va) : "memory"); \
       oracle_par(sysreg_read("par_el1")); })

/* There is no code in the other half, and nothing else. */
uint64_t oracle_own_map(void)
{
    return 0;
}

void oracle_cpu_init(void)
{
    sysreg_write(MAIR_EL12, ORACLE_MAIR);
    sysreg_write("hcr_el2", sysreg_read("hcr_el2") | HCR_VM);
    isb();
}

static uint64_t vtcr_of(const OracleStage2 *s2)
{
    static const uint8_t tg0[] = { [12] = STE_S2TG_4K, [14] = STE_S2TG_16K,
                                   [16] = STE_S2TG_64K };
    uint64_t vtcr = 0;

    smmu3_set(&vtcr, VTCR_T0SZ, s2->tsz);
    smmu3_set(&vtcr, VTCR_SL0, s2->sl0);
    smmu3_set(&vtcr, VTCR_SL2, s2->sl0 >> 2);
    smmu3_set(&vtcr, VTCR_WALKS, WALKS_CACHED);
    smmu3_set(&vtcr, VTCR_TG0, tg0[s2->page_log2]);
    smmu3_set(&vtcr, VTCR_PS, s2->ps);
    smmu3_set(&vtcr, VTCR_DS, s2->ds);
    smmu3_set(&vtcr, VTCR_HA, s2->ha);
    smmu3_set(&vtcr, VTCR_HD, s2->hd);
    smmu3_set(&vtcr, VTCR_RES1, 1);
    return vtcr;
}

/* Bits 51:48 of a table's address are where those below its alignment were. */
static uint64_t ttbr_of(uint64_t root)
{
    return (root & smmu3_mask(48)) | (root >> 48) << 2;
}

void oracle_ask_cpu(const OracleCase *c, uint64_t va,
                    OracleAnswer answers[ORACLE_ACCESSES])
{
    uint64_t sctlr = SCTLR_RES1;

    smmu3_set(&sctlr, SCTLR_M, c->stage1);
    smmu3_set(&sctlr, SCTLR_EE, c->regime.big_endian);
    sysreg_write(SCTLR_EL12, sctlr);
    sysreg_write(TCR_EL12, oracle_tcr(&c->regime));
    sysreg_write(TTBR0_EL12, ttbr_of(c->regime.half[0].root));
    sysreg_write(TTBR1_EL12, ttbr_of(c->regime.half[1].root));
    sysreg_write("vtcr_el2", vtcr_of(&c->stage2));
    sysreg_write("vttbr_el2", c->stage2.root | UINT64_C(1) << 48);
    isb();
    asm volatile("tlbi alle1; dsb nsh; isb" : : : "memory");
    answers[ORACLE_PRIV_READ] = ask("s12e1r", va);
    answers[ORACLE_PRIV_WRITE] = ask("s12e1w", va);
    answers[ORACLE_USER_READ] = ask("s12e0r", va);
    answers[ORACLE_USER_WRITE] = ask("s12e0w", va);
}
