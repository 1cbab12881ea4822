/*
 * Faults on request: what an SMMU is told to do wrong, and what came of it. Not
 * how it does so: that is the floor of inject. Read by whoever embeds the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_INTERFACE_INJECT_H
#define SMMU3_INTERFACE_INJECT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    SMMU3_INJECT_DROP,          /* it does nothing, and nobody is told */
    SMMU3_INJECT_DELAY,         /* it comes after so many more CMD_SYNCs */
    SMMU3_INJECT_WIDEN,         /* an invalidation removes more */
    SMMU3_INJECT_SPURIOUS,      /* another event beside one that is recorded */
    SMMU3_INJECT_ABORT,         /* a walk meets an external abort */
} Smmu3InjectAction;

typedef enum {
    /* Commands: invalidations, and answers to endpoints */
    SMMU3_INJECT_TLBI, SMMU3_INJECT_CFGI, SMMU3_INJECT_ATC_INV,
    SMMU3_INJECT_RESUME, SMMU3_INJECT_PRI_RESP,
    /* Records in the event queue; and what comes beside one */
    SMMU3_INJECT_EVENT, SMMU3_INJECT_BESIDE_EVENT,
    /* Interrupts, wired and MSI; SYNC: a CMD_SYNC's completion of any kind */
    SMMU3_INJECT_EVENTQ_IRQ, SMMU3_INJECT_PRIQ_IRQ, SMMU3_INJECT_GERROR_IRQ,
    SMMU3_INJECT_SYNC_IRQ,
    SMMU3_INJECT_WALK,
} Smmu3InjectWhat;

/* One thing that goes wrong, and how often. */
typedef struct Smmu3InjectPlan {
    Smmu3InjectAction action;
    Smmu3InjectWhat what;
    uint64_t nth;               /* this one alone, from 1 on; 0: none... */
    uint64_t every;             /* ...but each of so many; 0: none... */
    uint32_t of, hits;          /* ...but @hits of @of, by chance */
    uint64_t seed;
    uint32_t syncs;             /* of a delay */
    uint8_t event_type;         /* of a spurious event, and its stream */
    uint32_t sid;
    uint64_t addr, bytes;       /* of a walk's input; bytes 0: of all walks */
} Smmu3InjectPlan;

enum { SMMU3_INJECT_PLANS_MAX = 16, SMMU3_INJECT_SYNCS_MAX = 1000000 };

typedef struct Smmu3InjectOptions {
    Smmu3InjectPlan plans[SMMU3_INJECT_PLANS_MAX];
    unsigned count;
} Smmu3InjectOptions;

/* What a plan came to. */
typedef struct Smmu3InjectCount {
    Smmu3InjectPlan plan;
    uint64_t seen;              /* of what it is about */
    uint64_t done;              /* of these, what went wrong by it */
} Smmu3InjectCount;

#endif
