/*
 * See page_request.h. Requests that cannot be queued are answered here, in
 * software's stead (IHI 0070 8.1 to 8.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "page_request.h"
#include "../queues/event.h"
#include "../queues/queue.h"
#include "../signal/signal.h"
#include "config-fetch.h"

void smmu3_prg_respond(Smmu3 *s, const Smmu3PrgResponse *response)
{
    Smmu3Mail mail = { .kind = SMMU3_MAIL_PRG_RESPONSE, .prg = *response };

    smmu3_count(&s->counters.prg_responses);
    smmu3_trace(s, SMMU3_TRACE_PRG_RESPONSE, response->sid,
                response->prg_index, response->code, 0);
    smmu3_post(s, &mail);
}

/*
 * A PASID whose group is done with, rather than a request (8). Without a PASID
 * the same bits are an ordinary request that asks for nothing.
 */
static bool is_stop_marker(const Smmu3PageRequest *request)
{
    return request->ssv && request->last && !request->read && !request->write;
}

static void build_entry(const Smmu3Features *f,
                        const Smmu3PageRequest *request,
                        uint64_t entry[SMMU3_PRI_WORDS])
{
    /* Where there are no SubstreamIDs, SSV is 0 (8) */
    bool ssv = request->ssv && f->ssidsize;

    entry[0] = entry[1] = 0;
    smmu3_set(entry, PRI_STREAMID, request->sid);
    smmu3_set(entry, PRI_READ, request->read);
    smmu3_set(entry, PRI_WRITE, request->write);
    smmu3_set(entry, PRI_LAST, request->last);
    smmu3_set(entry, PRI_SSV, ssv);
    if (ssv) {
        /* Without it there are no such flags either */
        smmu3_set(entry, PRI_SUBSTREAMID, request->ssid);
        smmu3_set(entry, PRI_EXEC, request->exec);
        smmu3_set(entry, PRI_PRIV, request->priv);
    }
    smmu3_set(entry, PRI_PRGINDEX, request->prg_index);
    smmu3_set_addr(entry, PRI_ADDR, request->addr);
}

static void tell_audit(Smmu3 *s, const Smmu3PageRequest *request,
                       Smmu3AnswerState state)
{
    if (s->audit) {
        smmu3_audit_group(s->audit, request->sid, request->prg_index, state);
    }
}

/* Answer in software's stead; a stop marker has no answer. */
static void respond(Smmu3 *s, const Smmu3PageRequest *request,
                    Smmu3PrgCode code, bool with_pasid)
{
    Smmu3PrgResponse response = {
        .sid = request->sid,
        .has_ssid = with_pasid && request->ssv,
        .ssid = with_pasid && request->ssv ? request->ssid : 0,
        .prg_index = request->prg_index,
        .code = code,
    };

    if (!is_stop_marker(request)) {
        tell_audit(s, request, SMMU3_ANSWER_LATE);
        smmu3_prg_respond(s, &response);
    }
}

/* Record why an STE could not be used for an automatic response. */
static void record_ste_error(Smmu3 *s, const Smmu3PageRequest *request,
                             Smmu3EventType error, uint64_t fetch_addr)
{
    uint64_t cr2 = s->regs.cr2;
    Smmu3Transaction t = { .sid = request->sid, .ssid = request->ssid,
                           .ssv = request->ssv };
    Smmu3Fault fault = { .type = error, .fetch_addr = fetch_addr };
    uint64_t event[SMMU3_EVENT_WORDS];

    smmu3_count(&s->counters.faults[error]);
    if (!smmu3_get(&cr2, CR2_REC_CFG_ATS) ||
        (error == C_BAD_STREAMID && !smmu3_get(&cr2, CR2_RECINVSID))) {
        return;
    }
    smmu3_event_build(&t, &fault, event);
    smmu3_event_record(s, event);
}

/* 8.3: the last request of a group was lost because the queue was full. */
static void respond_to_overflow(Smmu3 *s, const Smmu3PageRequest *request)
{
    Smmu3Stream stream;
    uint64_t fetch_addr = 0;
    Smmu3EventType error;

    if (!request->ssv || s->features.ssidsize == 0) {
        respond(s, request, PRG_SUCCESS, false);
        return;
    }
    if (s->features.pps) {
        respond(s, request, PRG_SUCCESS, true);
        return;
    }
    error = smmu3_stream_find(s, request->sid, &stream, &fetch_addr);
    if (error != EVENT_NONE) {
        record_ste_error(s, request, error, fetch_addr);
        respond(s, request, PRG_RESPONSE_FAILURE, false);
        return;
    }
    respond(s, request, PRG_SUCCESS, stream.ppar);
}

/* 8.2: PRIQ_IRQ_CFG2.LO chooses between the queue and the group. */
static void interrupt(Smmu3 *s, bool became_non_empty, bool last)
{
    uint64_t cfg2 = s->regs.priq_irq.attr;

    if (smmu3_get(&cfg2, PRIQ_IRQ_CFG2_LO) ? last : became_non_empty) {
        smmu3_interrupt(s, SMMU3_IRQ_PRIQ);
    }
}

/* Whether the request is in the queue now. */
static bool enqueue(Smmu3 *s, const Smmu3PageRequest *request,
                    const uint64_t entry[SMMU3_PRI_WORDS])
{
    Smmu3Queue *q = &s->regs.priq;
    uint64_t cr0 = s->regs.cr0ack;
    unsigned log2 = smmu3_queue_log2(q, s->features.priqs);
    bool was_empty = smmu3_queue_empty(q, log2);

    if (!smmu3_get(&cr0, CR0_PRIQEN) || !smmu3_get(&cr0, CR0_SMMUEN) ||
        (smmu3_gerror_active(s) & smmu3_field_mask(GERROR_PRIQ_ABT))) {
        respond(s, request, PRG_RESPONSE_FAILURE, false);
        return false;
    }
    if (smmu3_queue_overflowed(q) || smmu3_queue_full(q, log2)) {
        smmu3_queue_overflow(q);
        if (request->last && !is_stop_marker(request)) {
            respond_to_overflow(s, request);
        }
        interrupt(s, false, request->last);
        return false;
    }
    if (!s->ops->write(s->host,
                       smmu3_queue_prod_addr(q, log2, SMMU3_PRI_BYTES,
                                             smmu3_oas_bits(&s->features)),
                       entry, SMMU3_PRI_WORDS)) {
        smmu3_guest_error(s, "the PRI queue is not in memory");
        smmu3_gerror_raise(s, smmu3_field_mask(GERROR_PRIQ_ABT));
        respond(s, request, PRG_RESPONSE_FAILURE, false);
        return false;
    }
    smmu3_queue_advance_prod(q, log2);
    if (!is_stop_marker(request)) {
        tell_audit(s, request, request->last ? SMMU3_ANSWER_DUE
                                             : SMMU3_ANSWER_EARLY);
    }
    interrupt(s, was_empty, request->last);
    return true;
}

void smmu3_page_request_locked(Smmu3 *s,
                               const Smmu3PageRequest *request)
{
    uint64_t entry[SMMU3_PRI_WORDS];
    bool queued;

    build_entry(&s->features, request, entry);
    smmu3_count(&s->counters.page_requests);
    if (s->features.pri) {
        queued = enqueue(s, request, entry);
    } else {
        respond(s, request, PRG_RESPONSE_FAILURE, false);
        queued = false;
    }
    if (!queued) {
        smmu3_count(&s->counters.page_requests_lost);
    }
    smmu3_trace(s, SMMU3_TRACE_PAGE_REQUEST, entry[0], entry[1], queued, 0);
}
