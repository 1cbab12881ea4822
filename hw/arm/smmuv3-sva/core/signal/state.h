/*
 * The whole of one SMMU, as its parts see it. Private to the core: others use
 * smmu3.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_STATE_H
#define SMMU3_STATE_H

#include <glib.h>
#include <inttypes.h>
#include <stdatomic.h>
#include "../commands/command.h"
#include "../tables/config.h"
#include "../queues/fault.h"
#include "outbox.h"
#include "../traffic/page_request.h"
#include "../queues/queue.h"
#include "../regs.h"
#include "../smmu3.h"
#include "../cache/tlb.h"

/*
 * What every translation counts, by groups of threads, so that they do not
 * wait for each other's cache lines. smmu3_counters() adds them up.
 */
enum { SMMU3_HOT_STRIPES = 16 };

typedef struct Smmu3HotCounters {
    _Atomic uint64_t translations, tlb_hits;
    char other_cache_lines[48];
} Smmu3HotCounters;

struct Smmu3 {
    Smmu3Features features;
    Smmu3Options options;
    const Smmu3HostOps *ops;
    void *host;

    /* Serialises all but a translation that hits; see translate.c. */
    GMutex lock;
    Smmu3Regs regs;

    /* Copies of register fields that translations read without the lock. */
    _Atomic bool enabled;           /* CR0ACK.SMMUEN */
    _Atomic bool atschk;            /* CR0ACK.ATSCHK */
    _Atomic uint32_t gbpa;

    Smmu3Tlb *tlb;
    Smmu3ConfigCache *configs;
    Smmu3StallTable *stalls;
    Smmu3Outbox outbox;             /* what to do without the lock */
    bool in_service;                /* smmu3_service() is running */
    uint32_t life;                  /* resets and loads so far: a signal that
                                       was due in an earlier one is stale */
    Smmu3CommandState command;
    Smmu3Counters counters;         /* updated atomically, relaxed */
    Smmu3HotCounters hot[SMMU3_HOT_STRIPES];
};

static inline void smmu3_count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void smmu3_trace(Smmu3 *s, Smmu3TraceKind kind, uint64_t a,
                               uint64_t b, uint64_t c, uint64_t d)
{
    if (s->ops->trace) {
        s->ops->trace(s->host, kind, a, b, c, d);
    }
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

/* A guest's mistake worth a line in the log. */
void smmu3_guest_error(Smmu3 *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/*
 * Activate errors that are not active yet, a mask of GERROR bits, and
 * arrange for the interrupt (IHI 0070 6.3.19). Under the lock.
 */
void smmu3_gerror_raise(Smmu3 *s, uint32_t errors);
/* The errors that are active: GERROR differs from GERRORN. */
uint32_t smmu3_gerror_active(const Smmu3 *s);

/*
 * Put an interrupt's wire and MSI in the outbox, if IRQ_CTRL lets it happen
 * now (IHI 0070 3.18). Under the lock.
 */
void smmu3_interrupt(Smmu3 *s, Smmu3Irq line);

#endif
