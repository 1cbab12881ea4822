/*
 * See event.h. The rules of IHI 0070 7.2 for records that find no room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "event.h"
#include "../signal/signal.h"
#include "queue.h"

Smmu3EventResult smmu3_event_write(Smmu3 *s,
                                   const uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3Queue *q = &s->regs.eventq;
    uint64_t cr0 = s->regs.cr0ack;
    unsigned log2 = smmu3_queue_log2(q, s->features.eventqs);
    bool was_empty = smmu3_queue_empty(q, log2);

    if (!smmu3_get(&cr0, CR0_EVENTQEN) ||
        (smmu3_gerror_active(s) & smmu3_field_mask(GERROR_EVENTQ_ABT))) {
        return SMMU3_EVENT_NOT_WRITABLE;
    }
    if (smmu3_queue_full(q, log2)) {
        return SMMU3_EVENT_FULL;
    }
    if (!s->ops->write(s->host,
                       smmu3_queue_prod_addr(q, log2, SMMU3_EVENT_BYTES,
                                             smmu3_oas_bits(&s->features)),
                       event, SMMU3_EVENT_WORDS)) {
        smmu3_guest_error(s, "the event queue is not in memory");
        smmu3_gerror_raise(s, smmu3_field_mask(GERROR_EVENTQ_ABT));
        return SMMU3_EVENT_ABORTED;
    }
    smmu3_queue_advance_prod(q, log2);
    smmu3_count(&s->counters.events);
    smmu3_trace(s, SMMU3_TRACE_EVENT, event[0], event[1], event[2], event[3]);
    if (was_empty) {
        smmu3_interrupt(s, SMMU3_IRQ_EVENTQ);
    }
    return SMMU3_EVENT_WRITTEN;
}

void smmu3_event_record(Smmu3 *s, const uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3EventResult result = smmu3_event_write(s, event);

    if (result == SMMU3_EVENT_WRITTEN) {
        return;
    }
    /* Only a record lost for want of room is an overflow (7.4) */
    if (result == SMMU3_EVENT_FULL) {
        smmu3_queue_overflow(&s->regs.eventq);
    }
    smmu3_count(&s->counters.events_lost);
    smmu3_trace(s, SMMU3_TRACE_EVENT_LOST, event[0], event[1], event[2],
                event[3]);
}
