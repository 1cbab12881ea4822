/*
 * Witnesses of what is cached, in the order in which they are to be looked at:
 * fresh, then suspect once the tables were found to disagree, and either fresh
 * again or reported. Not what they are witnesses of, nor when they disagree. Used
 * by entries.c for the TLB, and by grants.c for the caches of endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_WITNESS_H
#define SMMU3_AUDIT_WITNESS_H

#include <glib.h>
#include "../interface/counters.h"
#include "drops.h"
#include "grace.h"
#include "heard.h"

/* Of each of both lists, for a CMD_SYNC. */
enum { SMMU3_SWEPT = 8 };

typedef enum {
    SMMU3_WITNESS_NONE, SMMU3_WITNESS_FRESH, SMMU3_WITNESS_SUSPECT,
    SMMU3_WITNESS_REPORTED,
} Smmu3WitnessState;

typedef struct Smmu3Witness {
    GList link;                     /* of fresh or suspects, by state */
    Smmu3WitnessState state;
    uint64_t ns;                    /* when it was cached... */
    uint64_t heard;                 /* ...and after which invalidation */
    uint64_t heard_before;          /* after which it was so, with the same
                                       answer, the time before; else as heard */
    uint64_t at;                    /* of a suspect: where */
    uint64_t drop;                  /* that left it stale, in drops.h; 0: none */
    Smmu3Suspicion suspicion;
} Smmu3Witness;

typedef struct Smmu3Witnesses {
    const Smmu3Grace *grace;
    Smmu3Counters *counters;
    Smmu3Drops *drops;
    GQueue fresh, suspects;         /* looked at from the head, in turn */
} Smmu3Witnesses;

void smmu3_witnesses_init(Smmu3Witnesses *all, const Smmu3Grace *grace,
                          Smmu3Counters *counters, Smmu3Drops *drops);
void smmu3_witnesses_forget(Smmu3Witnesses *all);

/* Into the list of @state, at its end. */
void smmu3_witness_enter(Smmu3Witnesses *all, Smmu3Witness *w,
                         Smmu3WitnessState state);
/* It is of something else from now on, in the list that it is in. */
void smmu3_witness_renew(Smmu3Witnesses *all, Smmu3Witness *w);
/* How many CMD_SYNCs it takes to look at each of them as often as is needed. */
uint64_t smmu3_witnesses_turns(const Smmu3Witnesses *all);
/* Drop @number leaves it, and it is stale. */
void smmu3_witness_left(Smmu3Witnesses *all, Smmu3Witness *w, uint64_t number);
/*
 * A suspect that agrees again, or is gone: how long that took says what a grace
 * must be. @state: what it is from now on.
 */
void smmu3_witness_settle(Smmu3Witnesses *all, Smmu3Witness *w,
                          Smmu3WitnessState state, uint64_t ns);
/*
 * A fresh one or a suspect was looked at, at address @at. Whether it has
 * disagreed for longer than software may take.
 */
bool smmu3_witness_saw(Smmu3Witnesses *all, Smmu3Witness *w, bool disagrees,
                       uint64_t at, bool used, uint64_t ns);

/*
 * Of a report that is kept, of @block: the invalidations since it was cached, and
 * one that came too early.
 */
void smmu3_witness_explain(const Smmu3Witnesses *all, const Smmu3Witness *w,
                           const Smmu3HeardLog *log, const Smmu3Block *block,
                           Smmu3AuditReport *report);

#endif
