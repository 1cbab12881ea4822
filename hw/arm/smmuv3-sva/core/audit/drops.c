/*
 * See drops.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "drops.h"
#include <glib.h>

typedef struct Drop {
    uint64_t number;                /* 0: none yet */
    uint32_t left, open, found;     /* stale entries */
    bool missed;
    Smmu3Suspicion since;
} Drop;

struct Smmu3Drops {
    const Smmu3Grace *grace;
    uint64_t count;
    Smmu3AuditDrops older;          /* that are not kept any more */
    Drop kept[SMMU3_DROPS_KEPT];    /* by number */
};

Smmu3Drops *smmu3_drops_new(const Smmu3Grace *grace)
{
    Smmu3Drops *drops = g_new0(Smmu3Drops, 1);

    drops->grace = grace;
    return drops;
}

void smmu3_drops_free(Smmu3Drops *drops)
{
    g_free(drops);
}

/* One counts once, as the best that can be said of it. */
static void add(Smmu3AuditDrops *counts, const Drop *drop)
{
    counts->dropped++;
    if (!drop->left) {
        return;
    }
    counts->mattered++;
    if (drop->found) {
        counts->found++;
    } else if (drop->missed) {
        counts->missed++;
    } else if (drop->open) {
        counts->open++;
    } else {
        counts->repaired++;
    }
}

uint64_t smmu3_drops_begin(Smmu3Drops *drops, uint64_t ns)
{
    Drop *drop = &drops->kept[++drops->count % SMMU3_DROPS_KEPT];

    if (drop->number) {
        add(&drops->older, drop);
    }
    *drop = (Drop) { .number = drops->count };
    smmu3_suspect(drops->grace, &drop->since, ns);
    return drops->count;
}

/* NULL: it is not kept any more. */
static Drop *drop_of(Smmu3Drops *drops, uint64_t number)
{
    Drop *drop = &drops->kept[number % SMMU3_DROPS_KEPT];

    return drop->number == number ? drop : NULL;
}

void smmu3_drops_left(Smmu3Drops *drops, uint64_t number)
{
    Drop *drop = drop_of(drops, number);

    if (drop) {
        drop->left++;
        drop->open++;
    }
}

void smmu3_drops_found(Smmu3Drops *drops, uint64_t number)
{
    Drop *drop = drop_of(drops, number);

    if (drop) {
        drop->open--;
        drop->found++;
    }
}

void smmu3_drops_gone(Smmu3Drops *drops, uint64_t number)
{
    Drop *drop = drop_of(drops, number);

    if (drop) {
        drop->open--;
    }
}

/* Twice what software may take, and the CMD_SYNCs of so many @turns more. */
static uint64_t over_since(const Smmu3Grace *grace, const Smmu3Suspicion *since,
                           uint64_t turns, uint64_t ns)
{
    Smmu3Grace twice = *grace;

    twice.options.syncs = MIN(2 * (uint64_t)twice.options.syncs + turns,
                              UINT32_MAX);
    twice.options.grace_ns *= 2;
    return smmu3_grace_is_over(&twice, since, ns)
           ? since->ns + twice.options.grace_ns : UINT64_MAX;
}

uint64_t smmu3_drops_mistake_since(const Smmu3Drops *drops, uint64_t number,
                                   uint64_t turns, uint64_t ns)
{
    const Drop *drop = &drops->kept[number % SMMU3_DROPS_KEPT];

    return drop->number == number ? over_since(drops->grace, &drop->since,
                                             turns, ns)
                                  : UINT64_MAX;
}

void smmu3_drops_missed(Smmu3Drops *drops, uint64_t number)
{
    Drop *drop = drop_of(drops, number);

    if (drop) {
        drop->missed = true;
    }
}

void smmu3_drops_count(Smmu3Drops *drops, Smmu3AuditDrops *counts)
{
    *counts = drops->older;
    for (unsigned i = 0; i < SMMU3_DROPS_KEPT; i++) {
        if (drops->kept[i].number) {
            add(counts, &drops->kept[i]);
            drops->kept[i].missed = false;
        }
    }
}
