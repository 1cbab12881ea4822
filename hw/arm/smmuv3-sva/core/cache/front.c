/*
 * See front.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "front.h"
#include <glib.h>

_Thread_local Smmu3FrontSet *smmu3_front_sets;

/* Who translates after this, in another destructor, makes new ones. */
static void give_back(gpointer memory)
{
    smmu3_front_sets = NULL;
    g_free(memory);
}

/* Each set in a cache line of its own. */
enum { SET_BYTES = 64 };
G_STATIC_ASSERT(sizeof(Smmu3FrontSet) == SET_BYTES);

void smmu3_front_make(void)
{
    static GPrivate until_thread_ends = G_PRIVATE_INIT(give_back);

    char *memory = g_malloc0((SET_BYTES << SMMU3_FRONT_SETS_LOG2) + SET_BYTES);

    smmu3_front_sets = (Smmu3FrontSet *)(memory + SET_BYTES -
                                         (uintptr_t)memory % SET_BYTES);
    g_private_set(&until_thread_ends, memory);
}

void smmu3_generation_move(Smmu3Generation *generation)
{
    static _Atomic uint64_t last;       /* 0 is nobody's */

    atomic_store_explicit(generation, atomic_fetch_add(&last, 1) + 1,
                          memory_order_release);
}

void smmu3_front_keep(const Smmu3FrontKey *key, const Smmu3Transaction *t,
                      const Smmu3Translation *result, bool in_tables)
{
    Smmu3FrontPlace *set = smmu3_front_set(key);
    uint64_t output = result->pa & ~smmu3_mask(12);

    if (t->type == SMMU3_ATS_REQUEST || t->speculative) {
        return;
    }
    smmu3_set(&output, FRONT_GRANTED, result->access);
    smmu3_set(&output, FRONT_IN_TABLES, in_tables);
    smmu3_set(&output, FRONT_SIZE_LOG2, result->size_log2);
    /* The older of the two goes. */
    set[1] = set[0];
    set[0] = (Smmu3FrontPlace) { *key, output };
}
