/*
 * What was delayed on request, until so many CMD_SYNCs were completed. A queue, no
 * more: who put something in carries it out. Used by command.c and signal.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_INJECT_DELAYED_H
#define SMMU3_INJECT_DELAYED_H

#include "../interface/inject.h"

/* More come in time, as without a plan: a guest's commands take no memory. */
enum { SMMU3_DELAYED_MAX = 256, SMMU3_DELAYED_WORDS = 4 };

typedef struct Smmu3Late {
    Smmu3InjectWhat what;
    uint64_t words[SMMU3_DELAYED_WORDS];    /* of a command, say */
    uint64_t due;                           /* when so many were completed */
} Smmu3Late;

typedef struct Smmu3Delayed {
    Smmu3Late late[SMMU3_DELAYED_MAX];      /* in the order they came */
    unsigned count;
    uint64_t syncs;                         /* completed so far */
    bool hurried;                           /* nothing is put off now */
} Smmu3Delayed;

/*
 * @count words of it, until @syncs more CMD_SYNCs. False: it comes in time, for there
 * is no room, or all is hurried.
 */
bool smmu3_delay(Smmu3Delayed *delayed, Smmu3InjectWhat what,
                 const uint64_t *words, unsigned count, uint32_t syncs);
/* One that was just taken cannot come now: in its place, for a CMD_SYNC more. */
void smmu3_delay_again(Smmu3Delayed *delayed, const Smmu3Late *late);

/* A CMD_SYNC was completed. */
static inline void smmu3_delayed_synced(Smmu3Delayed *delayed)
{
    delayed->syncs++;
}

/* Whether something is due; and that, the one that came first. */
bool smmu3_delayed_any_due(const Smmu3Delayed *delayed);
bool smmu3_delayed_take(Smmu3Delayed *delayed, Smmu3Late *late);

/* What is delayed of @what never comes. */
void smmu3_delayed_cancel(Smmu3Delayed *delayed, Smmu3InjectWhat what);
/* All of it is due now, and nothing is put off any more, until it goes on. */
void smmu3_delayed_hurry(Smmu3Delayed *delayed);
void smmu3_delayed_go_on(Smmu3Delayed *delayed);
/* All of it never comes. */
void smmu3_delayed_forget(Smmu3Delayed *delayed);

#endif
