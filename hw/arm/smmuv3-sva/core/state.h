/*
 * The whole of one SMMU, as its parts see it. Private to the core: others use
 * smmu3.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_STATE_H
#define SMMU3_STATE_H

#include <glib.h>
#include <stdatomic.h>
#include "config.h"
#include "fault.h"
#include "outbox.h"
#include "page_request.h"
#include "queue.h"
#include "smmu3.h"
#include "tlb.h"

struct Smmu3 {
    Smmu3Features features;
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
    Smmu3Counters counters;         /* updated atomically, relaxed */
    /* The state of CMD_SYNC and ATC invalidations: command.c */
    bool sync_waits_quiesce, quiesced;
    bool invalidated_since_sync;
    uint32_t atc_pending;           /* ATC invalidations not yet answered */
    bool atc_timed_out;
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

/* A guest's mistake worth a line in the log. */
void smmu3_guest_error(Smmu3 *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Activate one GERROR bit, if it is not active (IHI 0070 6.3.18). */
void smmu3_gerror_raise(Smmu3 *s, uint32_t bit);

#endif
