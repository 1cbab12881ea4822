/*
 * See oracle.h: a regime as TCR_EL1 has it, and what PAR_EL1 says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "oracle.h"

/* TCR_EL1 (DDI 0487 D24.2): the halves have the same fields. */
#define TCR_T0SZ        0, 0, 6
#define TCR_EPD0        0, 7, 1
#define TCR_WALKS0      0, 8, 6     /* IRGN0, ORGN0, SH0 */
#define TCR_TG0         0, 14, 2
#define TCR_T1SZ        0, 16, 6
#define TCR_EPD1        0, 23, 1
#define TCR_WALKS1      0, 24, 6
#define TCR_TG1         0, 30, 2
#define TCR_IPS         0, 32, 3
#define TCR_TBI0        0, 37, 1
#define TCR_TBI1        0, 38, 1
#define TCR_HA          0, 39, 1
#define TCR_HD          0, 40, 1
#define TCR_HPD0        0, 41, 1
#define TCR_HPD1        0, 42, 1
#define TCR_E0PD0       0, 55, 1
#define TCR_E0PD1       0, 56, 1
#define TCR_DS          0, 59, 1
enum { WALKS_CACHED = 1 | 1 << 2 | 3 << 4 };

#define PAR_F           0, 0, 1
#define PAR_FST         0, 1, 6
#define PAR_PTW         0, 8, 1
#define PAR_S           0, 9, 1
#define PAR_PA          0, 12, 40
#define PAR_ATTR        0, 56, 8

uint64_t oracle_tcr(const OracleRegime *r)
{
    static const uint8_t tg0[] = { [12] = CD_TG0_4K, [14] = CD_TG0_16K,
                                   [16] = CD_TG0_64K };
    static const uint8_t tg1[] = { [12] = CD_TG1_4K, [14] = CD_TG1_16K,
                                   [16] = CD_TG1_64K };
    const OracleHalf *low = &r->half[0], *high = &r->half[1];
    uint64_t tcr = 0;

    smmu3_set(&tcr, TCR_T0SZ, low->tsz);
    smmu3_set(&tcr, TCR_T1SZ, high->tsz);
    smmu3_set(&tcr, TCR_TG0, tg0[low->page_log2]);
    smmu3_set(&tcr, TCR_TG1, tg1[high->page_log2]);
    smmu3_set(&tcr, TCR_WALKS0, WALKS_CACHED);
    smmu3_set(&tcr, TCR_WALKS1, WALKS_CACHED);
    smmu3_set(&tcr, TCR_EPD0, low->epd);
    smmu3_set(&tcr, TCR_EPD1, high->epd);
    smmu3_set(&tcr, TCR_TBI0, low->tbi);
    smmu3_set(&tcr, TCR_TBI1, high->tbi);
    smmu3_set(&tcr, TCR_HPD0, low->hpd);
    smmu3_set(&tcr, TCR_HPD1, high->hpd);
    smmu3_set(&tcr, TCR_E0PD0, low->e0pd);
    smmu3_set(&tcr, TCR_E0PD1, high->e0pd);
    smmu3_set(&tcr, TCR_IPS, r->ips);
    smmu3_set(&tcr, TCR_DS, r->ds);
    smmu3_set(&tcr, TCR_HA, r->ha);
    smmu3_set(&tcr, TCR_HD, r->hd);
    return tcr;
}

/* PAR_EL1.FST, with the level taken off, as the SMMU names faults. */
static unsigned fault_of(unsigned fst)
{
    switch (fst & ~3u) {
    case 0x00:
        return F_ADDR_SIZE;
    case 0x04:
        return F_TRANSLATION;
    case 0x08:
        return F_ACCESS;
    case 0x0c:
        return F_PERMISSION;
    }
    return fst == 0x29 ? F_ADDR_SIZE : fst == 0x2b ? F_TRANSLATION
                                                   : F_UUT;
}

OracleAnswer oracle_par(uint64_t par)
{
    OracleAnswer answer = { .raw = par };

    if (smmu3_get(&par, PAR_F)) {
        answer.fault = fault_of(smmu3_get(&par, PAR_FST));
        answer.stage2 = smmu3_get(&par, PAR_S);
        answer.on_walk = smmu3_get(&par, PAR_PTW);
    } else {
        answer.pa = smmu3_get_addr(&par, PAR_PA);
        answer.device = smmu3_get(&par, PAR_ATTR) >> 4 == 0;
    }
    return answer;
}
