/*
 * Event records: built here and nowhere else, and written to the event queue
 * or lost by the architecture's rules. Not stalled transactions: stall.c.
 * Called by translate.c, stall.c and page_request.c, under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../signal/state.h"

/* ---- Building (IHI 0070 7.3) ------------------------------------------ */

static void put_substream(const Smmu3Transaction *t,
                          uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_set(event, EVENT_SSV, t->ssv);
    smmu3_set(event, EVENT_SUBSTREAMID, t->ssv ? t->ssid : 0);
}

/* PnU, InD and RnW; a write is never an instruction. */
static void put_access(bool priv, bool ind, bool write,
                       uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_set(event, EVENT_PNU, priv);
    smmu3_set(event, EVENT_IND, ind && !write);
    smmu3_set(event, EVENT_RNW, !write);
}

static void put_input(const Smmu3Transaction *t, const Smmu3Fault *fault,
                      uint64_t event[SMMU3_EVENT_WORDS])
{
    put_access(fault->priv, fault->ind, fault->write, event);
    smmu3_set(event, EVENT_INPUT_ADDR, t->addr);
}

/* F_BAD_ATS_TREQ: what the request asked for, one translation unit. */
static void put_ats_request(const Smmu3Transaction *t,
                            uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_set(event, EVENT_TREQ_SPAN, 1);
    smmu3_set(event, EVENT_TREQ_R, 1);
    smmu3_set(event, EVENT_TREQ_W, !!(t->access & SMMU3_WRITE));
    smmu3_set(event, EVENT_TREQ_X, t->ind);
    smmu3_set(event, EVENT_TREQ_P, t->priv);
    smmu3_set(event, EVENT_INPUT_ADDR, t->addr & ~UINT64_C(0xfff));
}

static void put_translation_fault(const Smmu3Transaction *t,
                                  const Smmu3Fault *fault,
                                  uint64_t event[SMMU3_EVENT_WORDS])
{
    put_input(t, fault, event);
    smmu3_set(event, EVENT_S2, fault->stage2);
    smmu3_set(event, EVENT_CLASS, fault->class);
    if (fault->stage2) {
        smmu3_set_addr(event, EVENT_IPA, fault->ipa);
    }
    if (fault->type == F_PERMISSION && fault->class == CLASS_TT) {
        smmu3_set(event, EVENT_TTRNW, !fault->tt_write);
    }
}

void smmu3_event_build(const Smmu3Transaction *t, const Smmu3Fault *fault,
                       uint64_t event[SMMU3_EVENT_WORDS])
{
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        event[i] = 0;
    }
    smmu3_set(event, EVENT_TYPE, fault->type);
    smmu3_set(event, EVENT_STREAMID, t->sid);
    if (fault->type != F_STREAM_DISABLED &&
        fault->type != F_TRANSL_FORBIDDEN) {
        put_substream(t, event);
    }

    switch (fault->type) {
    case F_UUT:
        /* As received, whatever the STE overrides */
        put_access(t->priv, t->ind, !!(t->access & SMMU3_WRITE), event);
        smmu3_set(event, EVENT_INPUT_ADDR, t->addr);
        break;
    case F_STE_FETCH:
    case F_CD_FETCH:
    case F_VMS_FETCH:
        smmu3_set_addr(event, EVENT_FETCH_ADDR, fault->fetch_addr);
        break;
    case F_BAD_ATS_TREQ:
        put_ats_request(t, event);
        break;
    case F_TRANSL_FORBIDDEN:
        smmu3_set(event, EVENT_RNW, !(t->access & SMMU3_WRITE));
        smmu3_set(event, EVENT_INPUT_ADDR, t->addr);
        break;
    case C_BAD_SUBSTREAMID:
        /* The SubstreamID is always valid, so there is no SSV (7.3.9) */
        smmu3_set(event, EVENT_SSV, 0);
        break;
    case F_WALK_EABT:
        put_input(t, fault, event);
        smmu3_set(event, EVENT_S2, fault->stage2);
        smmu3_set(event, EVENT_CLASS, fault->class);
        smmu3_set_addr(event, EVENT_FETCH_ADDR, fault->fetch_addr);
        break;
    case F_TRANSLATION:
    case F_ADDR_SIZE:
    case F_ACCESS:
    case F_PERMISSION:
        put_translation_fault(t, fault, event);
        break;
    case F_TLB_CONFLICT:
        put_input(t, fault, event);
        smmu3_set(event, EVENT_S2, fault->stage2);
        if (fault->stage2) {
            smmu3_set_addr(event, EVENT_IPA, fault->ipa);
        }
        break;
    default:
        break;      /* nothing beyond the stream and the substream */
    }
}

/* ---- Recording (IHI 0070 7.2) ----------------------------------------- */

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
