/*
 * A vCPU's address space, as QEMU's own walker has it: for comparison with what
 * a device sees. Not the SMMU's tables, and not the vCPU's TLB. Called by
 * compare.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_VCPU_H
#define HW_ARM_SMMUV3_SVA_VCPU_H

#include "../core/tables/ranges.h"

/*
 * TCR_EL1, and TCR_EL2 with E2H (DDI 0487 D24.2), as word, bit and width. The
 * names without a line at their end are QEMU's.
 */
#define TCR_T0SZ_       0, 0, 6
#define TCR_EPD0_       0, 7, 1
#define TCR_TG0_        0, 14, 2
#define TCR_T1SZ_       0, 16, 6
#define TCR_A1_         0, 22, 1
#define TCR_EPD1_       0, 23, 1
#define TCR_TG1_        0, 30, 2
#define TCR_IPS_        0, 32, 3
#define TCR_TBI0_       0, 37, 1
#define TCR_TBI1_       0, 38, 1
#define TCR_HA_         0, 39, 1
#define TCR_HD_         0, 40, 1
#define TCR_HPD0_       0, 41, 1
#define TCR_HPD1_       0, 42, 1
#define TCR_E0PD0_      0, 55, 1
#define TCR_E0PD1_      0, 56, 1
#define TCR_DS_         0, 59, 1

/* A vCPU while it stands still; its registers as they are. */
typedef struct Smmuv3SvaCpu {
    void *env;                  /* CPUARMState */
    unsigned index;
    unsigned el;                /* whose registers translate for EL0: 1 or 2 */
    uint64_t tcr, sctlr, mair, ttbr[2];
    bool pan;                   /* PSTATE.PAN */
    unsigned pa_bits;
} Smmuv3SvaCpu;

/*
 * Call @work in the thread of the vCPU with this index, which executes nothing
 * meanwhile. Returns when it is done; the big lock is held in @work. False, with
 * @errp set: there is no such vCPU, or none whose tables can be looked at.
 */
bool smmuv3_sva_on_cpu(unsigned index,
                       void (*work)(Smmuv3SvaCpu *cpu, void *opaque),
                       void *opaque, Error **errp);
unsigned smmuv3_sva_cpu_count(void);

/*
 * In @work: let smmuv3_sva_cpu_look_up() find TTBR0 to be so, until @work
 * returns.
 */
void smmuv3_sva_cpu_set_ttbr0(Smmuv3SvaCpu *cpu, uint64_t ttbr);
/* The table of a half, as a CD has it. */
uint64_t smmuv3_sva_cpu_table(const Smmuv3SvaCpu *cpu, unsigned half);
/*
 * In @work, as Smmu3LookUp: what both privileges may do at @in. It sets no flag
 * in the tables. Of an entry whose access flag hardware would set, rights are
 * not known.
 */
void smmuv3_sva_cpu_look_up(void *cpu, uint64_t in, Smmu3Piece *piece);

#endif
