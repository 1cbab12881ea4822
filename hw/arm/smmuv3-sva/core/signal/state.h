/*
 * The whole of one SMMU, as its parts see it. Not what they do with it. Private
 * to the core: others use smmu3.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_STATE_H
#define SMMU3_STATE_H

#include <glib.h>
#include <stdatomic.h>
#include <stddef.h>
#include "../audit/audit.h"
#include "../cache/config-cache.h"
#include "../cache/front.h"
#include "../cache/tlb.h"
#include "../interface/counters.h"
#include "../interface/options.h"
#include "../inject/inject.h"
#include "../interface/saved.h"
#include "outbox.h"

/*
 * What translations count, by place in Smmu3Counters. Each thread has a stripe of its own until it
 * ends, and counts there without a locked instruction; those for which there was
 * none share the last one. They only go up: smmu3_counters() adds what came since
 * it looked last.
 */
#define SMMU3_HOT(member)   (offsetof(Smmu3Counters, member) / sizeof(uint64_t))

enum { SMMU3_HOT_STRIPES = 16,
       SMMU3_HOT_COUNTS = SMMU3_HOT(descriptor_reads) + 1 };

typedef struct Smmu3HotCounters {
    _Atomic uint64_t counts[SMMU3_HOT_COUNTS];
    char other_cache_lines[48];
    _Atomic uint64_t seen[SMMU3_HOT_COUNTS];
    char more_cache_lines[48];
} Smmu3HotCounters;

/* What the queue's head waits for. */
typedef enum {
    SMMU3_QUEUE_RUNS,
    SMMU3_QUEUE_WAITS_ATC,          /* ATC invalidations to be answered */
    SMMU3_QUEUE_ASKS_QUIESCE,       /* ops->quiesce() is to be called */
    SMMU3_QUEUE_WAITS_QUIESCE,      /* smmu3_quiesced() */
    SMMU3_QUEUE_WAITS_SIGNALS,      /* earlier CMD_SYNCs' to be delivered */
} Smmu3QueuePhase;

typedef struct Smmu3CommandState {
    Smmu3QueuePhase phase;
    uint32_t ticket;            /* names what the phase is about: a late
                                   timer is for another */
    bool invalidated;           /* since the last CMD_SYNC */
    bool quiesced;              /* and since then all was out of use */
    bool quiesce_outstanding;   /* quiesce() returned false, no answer yet */
    uint32_t signals;           /* completion signals not yet delivered */
    uint32_t atc_batch;         /* numbers the invalidations in flight */
    uint32_t atc_pending;       /* invalidations of atc_batch not answered */
    bool atc_lost;              /* some were given up: the next SYNC fails */
    uint32_t timer_ticket;      /* what the host's timer runs for; 0: nothing */
    uint64_t stalls_before;     /* smmu3_stall_mark() when the command at CONS
                                   began to resolve stalls; 0: it did not */
    bool widened;               /* what runs now is inject='s, not software's */
    unsigned work;              /* of this smmu3_command_run() so far */
} Smmu3CommandState;

/* stall.c's own. */
typedef struct Smmu3StallTable Smmu3StallTable;

typedef struct Smmu3 {
    /* What translations read without the lock, and little writes. */
    Smmu3Features features;
    Smmu3Options options;
    const Smmu3HostOps *ops;
    void *host;
    Smmu3Audit *audit;              /* NULL: nobody watches */
    Smmu3Inject inject;
    Smmu3Tlb *tlb;
    Smmu3WalkCache *tables;
    Smmu3ConfigCache *configs;
    /* Copies of register fields */
    _Atomic bool enabled;           /* CR0ACK.SMMUEN */
    _Atomic bool atschk;            /* CR0ACK.ATSCHK */
    _Atomic uint32_t gbpa;
    Smmu3Generation answers;        /* moves with all that changes them */

    /*
     * Serialises all but translations that need no more than caches and tables;
     * taken on the top floor.
     */
    char other_cache_lines[64];
    GMutex lock;
    Smmu3Generation ended;          /* moves with each invalidation... */
    uint64_t answered_until;        /* ...and was this at the last unlock */
    Smmu3Regs regs;
    Smmu3StallTable *stalls;
    Smmu3Outbox outbox;             /* what to do without the lock */
    bool in_service;                /* smmu3_service() is running */
    /* stall_resolved() is running in this thread, NULL: in none; for: */
    GThread *resolver;
    void *resolving;
    unsigned waiting_for_it;        /* smmu3_cancel() in other threads */
    GCond resolved;
    uint32_t generation;            /* resets and loads so far: a signal that
                                       was due in an earlier one is stale */
    Smmu3CommandState command;
    Smmu3Counters counters;         /* updated atomically, relaxed */

    char more_cache_lines[64];
    Smmu3HotCounters hot[SMMU3_HOT_STRIPES];
} Smmu3;

/* log2 of the StreamIDs that the stream table covers (6.3.25). */
static inline unsigned smmu3_strtab_log2(const Smmu3 *s)
{
    uint64_t cfg = s->regs.strtab_base_cfg;

    return MIN(smmu3_get(&cfg, STRTAB_CFG_LOG2SIZE), s->features.sidsize);
}

static inline void smmu3_count_many(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline void smmu3_count(_Atomic uint64_t *counter)
{
    smmu3_count_many(counter, 1);
}

static inline void smmu3_trace(Smmu3 *s, Smmu3TraceKind kind, uint64_t a,
                               uint64_t b, uint64_t c, uint64_t d)
{
    if (s->ops->trace) {
        s->ops->trace(s->host, kind, a, b, c, d);
    }
}

static inline void smmu3_lock(Smmu3 *s)
{
    g_mutex_lock(&s->lock);
}

/*
 * All that was invalidated meanwhile moves Smmu3.answers once: it is a line that each
 * thread that translates has in its cache. It is soon enough, as nothing of a CMD_SYNC
 * can be seen before the lock is free: neither CONS, nor the host's calls.
 */
static inline void smmu3_unlock(Smmu3 *s)
{
    uint64_t ended = atomic_load_explicit(&s->ended, memory_order_relaxed);

    if (s->answered_until != ended) {
        s->answered_until = ended;
        smmu3_generation_move(&s->answers);
    }
    g_mutex_unlock(&s->lock);
}

/* Somebody hears of what walks read. Any thread. */
static inline bool smmu3_is_traced(const Smmu3 *s)
{
    return s->ops->trace &&
           (!s->ops->traces_walks || s->ops->traces_walks(s->host));
}

/*
 * Under the lock: there is work for smmu3_service(). Nothing to do while it
 * runs, for it looks again before it ends.
 */
static inline void smmu3_kick(Smmu3 *s)
{
    if (!s->in_service) {
        s->ops->kick(s->host);
    }
}

#endif
