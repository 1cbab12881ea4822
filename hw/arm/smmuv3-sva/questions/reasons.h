/*
 * Why a vCPU and a device see different memory: which of the CD's fields, or
 * which few of them together. Not where they do: core/tables/ranges.h. Called by
 * compare.c, while the vCPU stands still.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_REASONS_H
#define HW_ARM_SMMUV3_SVA_REASONS_H

#include "qobject/qlist.h"
#include "../smmuv3-sva.h"
#include "vcpu.h"

/* In what a vCPU and a device may differ that is a difference. */
enum {
    SMMUV3_SVA_CARE = SMMU3_DIFFERS_MAPPED | SMMU3_DIFFERS_OUTPUT |
                      SMMU3_DIFFERS_SIZE | SMMU3_DIFFERS_RIGHTS |
                      SMMU3_DIFFERS_MEMORY
};

/*
 * As Smmu3LookUp, what a view of the device says, but that a clean page which
 * the device may make dirty is one that cannot be written yet, as the vCPU's
 * walker has it too.
 */
void smmuv3_sva_look_up_device(void *view, uint64_t in, Smmu3Piece *piece);

typedef struct Smmuv3SvaReasons Smmuv3SvaReasons;

/*
 * For accesses as @t, whose STE and CD are @view's; of the rights, those of
 * @rights matter. Appends to @registers each field of the CD with its like.
 * @ttbr0_of_cd: the vCPU's TTBR0 is made to be the CD's, and so no reason.
 */
Smmuv3SvaReasons *smmuv3_sva_reasons_new(Smmuv3SvaState *s, Smmu3Transaction t,
                                         const Smmu3View *view,
                                         const Smmuv3SvaCpu *cpu,
                                         bool ttbr0_of_cd, uint8_t rights,
                                         uint64_t max_steps, QList *registers);
/* Returns how many look-ups were made, which are @max_steps and some at most. */
uint64_t smmuv3_sva_reasons_free(Smmuv3SvaReasons *r);

/*
 * The first change, or the first few, with which @d (the device's side first) is
 * no difference; or that there is none, or that it was not looked for. As long as
 * @r lives.
 */
const char *smmuv3_sva_reason(Smmuv3SvaReasons *r, const Smmu3Difference *d);

#endif
