/*
 * See delayed.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "delayed.h"
#include <string.h>

bool smmu3_delay(Smmu3Delayed *delayed, Smmu3InjectWhat what,
                 const uint64_t *words, unsigned count, uint32_t syncs)
{
    Smmu3Late *late;

    if (delayed->count == SMMU3_DELAYED_MAX || delayed->hurried) {
        return false;
    }
    late = &delayed->late[delayed->count++];
    *late = (Smmu3Late) { .what = what, .due = delayed->syncs + syncs };
    memcpy(late->words, words, count * sizeof(*words));
    return true;
}

void smmu3_delay_again(Smmu3Delayed *delayed, const Smmu3Late *late)
{
    delayed->late[delayed->count] = *late;
    delayed->late[delayed->count++].due = delayed->syncs + 1;
}

/* The first that is due; count: none. */
static unsigned first_due(const Smmu3Delayed *delayed)
{
    unsigned i = 0;

    while (i < delayed->count && delayed->late[i].due > delayed->syncs) {
        i++;
    }
    return i;
}

bool smmu3_delayed_any_due(const Smmu3Delayed *delayed)
{
    return first_due(delayed) < delayed->count;
}

bool smmu3_delayed_take(Smmu3Delayed *delayed, Smmu3Late *late)
{
    unsigned i = first_due(delayed);

    if (i == delayed->count) {
        return false;
    }
    *late = delayed->late[i];
    delayed->count--;
    memmove(&delayed->late[i], &delayed->late[i + 1],
            (delayed->count - i) * sizeof(*late));
    return true;
}

void smmu3_delayed_cancel(Smmu3Delayed *delayed, Smmu3InjectWhat what)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < delayed->count; i++) {
        if (delayed->late[i].what != what) {
            delayed->late[kept++] = delayed->late[i];
        }
    }
    delayed->count = kept;
}

void smmu3_delayed_hurry(Smmu3Delayed *delayed)
{
    for (unsigned i = 0; i < delayed->count; i++) {
        delayed->late[i].due = delayed->syncs;
    }
    delayed->hurried = true;
}

void smmu3_delayed_go_on(Smmu3Delayed *delayed)
{
    delayed->hurried = false;
}

void smmu3_delayed_forget(Smmu3Delayed *delayed)
{
    delayed->count = 0;
}
