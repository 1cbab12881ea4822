/*
 * See inject.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "inject.h"
#include <stddef.h>

void smmu3_inject_init(Smmu3Inject *inject, const Smmu3InjectOptions *options)
{
    *inject = (Smmu3Inject) { .plan_count = options->count };
    for (unsigned i = 0; i < options->count; i++) {
        inject->plans[i] = (Smmu3Injecting) {
            .count = { .plan = options->plans[i] },
            .random = options->plans[i].seed,
        };
    }
}

/* SplitMix64: every seed is a good one. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static bool hits(Smmu3Injecting *p)
{
    const Smmu3InjectPlan *plan = &p->count.plan;
    uint64_t number = ++p->count.seen;

    if (plan->nth) {
        return number == plan->nth;
    }
    if (plan->every) {
        return number % plan->every == 0;
    }
    return plan->of && next_random(&p->random) % plan->of < plan->hits;
}

static bool is_about(const Smmu3InjectPlan *plan, Smmu3InjectWhat what,
                     uint64_t addr)
{
    return plan->what == what &&
           (!plan->bytes || addr - plan->addr < plan->bytes);
}

Smmu3Injecting *smmu3_inject_next(Smmu3Inject *inject, Smmu3InjectWhat what)
{
    return smmu3_inject_next_at(inject, what, 0);
}

Smmu3Injecting *smmu3_inject_next_at(Smmu3Inject *inject, Smmu3InjectWhat what,
                                     uint64_t addr)
{
    Smmu3Injecting *first = NULL;

    for (unsigned i = 0; i < inject->plan_count; i++) {
        Smmu3Injecting *p = &inject->plans[i];

        if (is_about(&p->count.plan, what, addr) && hits(p) && !first) {
            first = p;
        }
    }
    return first;
}
