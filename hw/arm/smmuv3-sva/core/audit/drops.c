/*
 * See drops.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "drops.h"
#include <glib.h>

/* One that has left something that is still there. */
typedef struct Drop {
    uint64_t number;                /* first: the table's key */
    uint32_t open;                  /* stale entries */
    bool found, missed;
    Smmu3Moment since;
} Drop;

struct Smmu3Drops {
    const Smmu3Grace *grace;
    Smmu3AuditDrops over;           /* of which nothing is left; and dropped,
                                       which is of all */
    Smmu3Moment last;               /* when the last one was dropped */
    GHashTable *open;               /* of Drop: as many as there are entries */
};

Smmu3Drops *smmu3_drops_new(const Smmu3Grace *grace)
{
    Smmu3Drops *drops = g_new0(Smmu3Drops, 1);

    drops->grace = grace;
    drops->open = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                        g_free);
    return drops;
}

void smmu3_drops_free(Smmu3Drops *drops)
{
    g_hash_table_unref(drops->open);
    g_free(drops);
}

/* It counts once, as the best that can be said of it. */
static void add(Smmu3AuditDrops *counts, const Drop *drop)
{
    counts->mattered++;
    if (drop->found) {
        counts->found++;
    } else if (!drop->open) {
        counts->repaired++;
    } else if (drop->missed) {
        counts->missed++;
    } else {
        counts->open++;
    }
}

uint64_t smmu3_drops_begin(Smmu3Drops *drops, uint64_t ns)
{
    drops->last = smmu3_grace_moment(drops->grace, ns);
    return ++drops->over.dropped;
}

static Drop *drop_of(const Smmu3Drops *drops, uint64_t number)
{
    return g_hash_table_lookup(drops->open, &number);
}

void smmu3_drops_left(Smmu3Drops *drops, uint64_t number)
{
    Drop *drop = drop_of(drops, number);

    if (!drop) {
        drop = g_new0(Drop, 1);
        drop->number = number;
        drop->since = drops->last;
        g_hash_table_insert(drops->open, &drop->number, drop);
    }
    drop->open++;
}

static void one_less(Smmu3Drops *drops, uint64_t number, bool found)
{
    Drop *drop = drop_of(drops, number);

    drop->found |= found;
    if (--drop->open == 0) {
        add(&drops->over, drop);
        g_hash_table_remove(drops->open, &number);
    }
}

void smmu3_drops_found(Smmu3Drops *drops, uint64_t number)
{
    one_less(drops, number, true);
}

void smmu3_drops_gone(Smmu3Drops *drops, uint64_t number)
{
    one_less(drops, number, false);
}

/* Twice what software may take, and the CMD_SYNCs of so many @turns more. */
uint64_t smmu3_drops_mistake_since(const Smmu3Drops *drops, uint64_t number,
                                   uint64_t turns, uint64_t ns)
{
    const Smmu3AuditOptions *options = &drops->grace->options;
    const Drop *drop = drop_of(drops, number);

    return smmu3_went_by(drops->grace, &drop->since,
                         2 * (uint64_t)options->syncs + turns,
                         2 * options->grace_ns, ns)
           ? drop->since.ns + 2 * options->grace_ns : UINT64_MAX;
}

void smmu3_drops_missed(Smmu3Drops *drops, uint64_t number)
{
    drop_of(drops, number)->missed = true;
}

void smmu3_drops_count(Smmu3Drops *drops, Smmu3AuditDrops *counts)
{
    GHashTableIter iter;
    gpointer value;

    *counts = drops->over;
    g_hash_table_iter_init(&iter, drops->open);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Drop *drop = value;

        add(counts, drop);
        drop->missed = false;
    }
}
