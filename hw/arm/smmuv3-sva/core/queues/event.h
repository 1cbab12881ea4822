/*
 * The event queue: a record is written to it, or lost by the architecture's
 * rules. Not what is in a record: fault.c. Called by stall.c and by the floor
 * of traffic, under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_EVENT_H
#define SMMU3_EVENT_H

#include "../signal/state.h"

/*
 * Write a record for a transaction that was terminated (IHI 0070 7.2), or
 * discard it and account for that. Arranges for the interrupt.
 */
void smmu3_event_record(Smmu3 *s, const uint64_t event[SMMU3_EVENT_WORDS]);

/* What became of a record. */
typedef enum {
    SMMU3_EVENT_WRITTEN,
    SMMU3_EVENT_FULL,           /* no room */
    SMMU3_EVENT_NOT_WRITABLE,   /* EVENTQEN=0, or an abort not acknowledged */
    SMMU3_EVENT_ABORTED,        /* the write met an external abort: GERROR */
} Smmu3EventResult;

/* Try to write a record; on anything but WRITTEN nothing has changed but
 * GERROR. For stall.c, whose records are kept and not lost. */
Smmu3EventResult smmu3_event_write(Smmu3 *s,
                                   const uint64_t event[SMMU3_EVENT_WORDS]);

/* A record that was delayed on request comes, as far as there is room. */
void smmu3_event_late(Smmu3 *s, const Smmu3Late *late);

#endif
