/*
 * Faults on request: which of what comes is to go wrong. Not what goes wrong by
 * it, which is done by who asks here: command.c and whoever else knows of one of
 * Smmu3InjectWhat. Under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_INJECT_H
#define SMMU3_INJECT_H

#include "../interface/inject.h"
#include "delayed.h"

/* A plan at work. */
typedef struct Smmu3Injecting {
    Smmu3InjectCount count;
    uint64_t random;                /* state of its generator */
} Smmu3Injecting;

typedef struct Smmu3Inject {
    Smmu3Injecting plans[SMMU3_INJECT_PLANS_MAX];
    unsigned plan_count;
    Smmu3Delayed delayed;
} Smmu3Inject;

void smmu3_inject_init(Smmu3Inject *inject, const Smmu3InjectOptions *options);

/* Whether there is any plan: the one question on the way of who has none. */
static inline bool smmu3_injects(const Smmu3Inject *inject)
{
    return inject->plan_count;
}

/*
 * One of @what comes: the plan that makes it go wrong, or NULL. Once for each, in
 * order. Of several plans that hit it is the first; each goes on in its own
 * sequence. What was done by it is the caller's to count, in done.
 */
Smmu3Injecting *smmu3_inject_next(Smmu3Inject *inject, Smmu3InjectWhat what);
/* The same of something at an address, by the plans that are about it. */
Smmu3Injecting *smmu3_inject_next_at(Smmu3Inject *inject, Smmu3InjectWhat what,
                                     uint64_t addr);

#endif
