/*
 * See event.h. The rules of IHI 0070 7.2 for records that find no room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "event.h"
#include "../signal/signal.h"
#include "queue.h"

/* Whether there is room for a record. */
static Smmu3EventResult look_for_room(Smmu3 *s)
{
    const Smmu3Queue *q = &s->regs.eventq;
    uint64_t cr0 = s->regs.cr0ack;

    if (!smmu3_get(&cr0, CR0_EVENTQEN) ||
        (smmu3_gerror_active(s) & smmu3_field_mask(GERROR_EVENTQ_ABT))) {
        return SMMU3_EVENT_NOT_WRITABLE;
    }
    return smmu3_queue_full(q, smmu3_queue_log2(q, s->features.eventqs))
           ? SMMU3_EVENT_FULL : SMMU3_EVENT_WRITTEN;
}

/* There is room. */
static Smmu3EventResult write_record(Smmu3 *s,
                                     const uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3Queue *q = &s->regs.eventq;
    unsigned log2 = smmu3_queue_log2(q, s->features.eventqs);
    bool was_empty = smmu3_queue_empty(q, log2);

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

static void trace_lost(Smmu3 *s, const uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_trace(s, SMMU3_TRACE_EVENT_LOST, event[0], event[1], event[2],
                event[3]);
}

/* ---- Faults on request --------------------------------------------------- */

/* inject= has this record not written, or not now. */
static bool goes_wrong(Smmu3 *s, const uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3Injecting *injecting = smmu3_inject_next(&s->inject,
                                                  SMMU3_INJECT_EVENT);

    if (!injecting) {
        return false;
    }
    if (injecting->count.plan.action == SMMU3_INJECT_DROP) {
        smmu3_count(&s->counters.injected_drops);
        trace_lost(s, event);
    } else if (!smmu3_delay(&s->inject.delayed, SMMU3_INJECT_EVENT, event,
                            SMMU3_EVENT_WORDS,
                            injecting->count.plan.syncs)) {
        return false;
    }
    injecting->count.done++;
    return true;
}

/* What inject= has come beside a record. */
static void write_spurious(Smmu3 *s)
{
    Smmu3Injecting *injecting = smmu3_inject_next(&s->inject,
                                                  SMMU3_INJECT_BESIDE_EVENT);
    uint64_t event[SMMU3_EVENT_WORDS] = { 0 };

    if (!injecting || look_for_room(s) != SMMU3_EVENT_WRITTEN) {
        return;
    }
    smmu3_set(event, EVENT_TYPE, injecting->count.plan.event_type);
    smmu3_set(event, EVENT_STREAMID, injecting->count.plan.sid);
    injecting->count.done += write_record(s, event) == SMMU3_EVENT_WRITTEN;
}

static Smmu3EventResult write_or_inject(
    Smmu3 *s, const uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3EventResult result = SMMU3_EVENT_WRITTEN;

    if (!goes_wrong(s, event)) {
        result = write_record(s, event);
    }
    if (result == SMMU3_EVENT_WRITTEN) {
        write_spurious(s);
    }
    return result;
}

/* Where there is no room it waits for another CMD_SYNC, as a stall's would. */
void smmu3_event_late(Smmu3 *s, const Smmu3Late *late)
{
    Smmu3EventResult result = look_for_room(s);

    if (result == SMMU3_EVENT_FULL) {
        smmu3_delay_again(&s->inject.delayed, late);
    } else if (result != SMMU3_EVENT_WRITTEN ||
               write_record(s, late->words) != SMMU3_EVENT_WRITTEN) {
        smmu3_count(&s->counters.events_lost);
        trace_lost(s, late->words);
    }
}

/* ---- Records -------------------------------------------------------------- */

Smmu3EventResult smmu3_event_write(Smmu3 *s,
                                   const uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3EventResult result = look_for_room(s);

    if (result != SMMU3_EVENT_WRITTEN) {
        return result;
    }
    return smmu3_injects(&s->inject) ? write_or_inject(s, event)
                                     : write_record(s, event);
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
    trace_lost(s, event);
}
