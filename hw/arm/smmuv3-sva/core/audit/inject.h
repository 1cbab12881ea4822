/*
 * Faults on request: which invalidations are to be consumed without effect.
 * Not what an invalidation does. Called by command.c; the plan is the user's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_INJECT_H
#define SMMU3_INJECT_H

#include "../interface/options.h"

typedef struct Smmu3Inject {
    Smmu3InjectPlan plan;
    uint64_t seen;                  /* commands of that kind so far */
    uint64_t random;                /* state of the generator */
} Smmu3Inject;

/*
 * From "drop:KIND:N" or "drop:KIND:P/Q:SEED", with tlbi or cfgi. NULL if @text is
 * one; else what is allowed, to be freed.
 */
char *smmu3_inject_parse(const char *text, Smmu3InjectPlan *plan);

void smmu3_inject_init(Smmu3Inject *inject, const Smmu3InjectPlan *plan);

static inline bool smmu3_injects(const Smmu3Inject *inject)
{
    return inject->plan.nth || inject->plan.of;
}

/* Whether to drop the command that comes now. Once for each, in order. */
bool smmu3_inject_drops(Smmu3Inject *inject, Smmu3InjectKind kind);

#endif
