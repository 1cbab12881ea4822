/*
 * Completion records, see engine-record.h. No queue, and no descriptor. Called
 * by pasid-dev-job.c and engine-batch.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/rcu.h"
#include "engine-record.h"

PasidDevCompletion engine_record(const EngineJob *job)
{
    bool refused = job->status == PASID_DEV_DONE_FAULT_READ ||
                   job->status == PASID_DEV_DONE_FAULT_WRITE;

    return (PasidDevCompletion) {
        .status = cpu_to_le32(job->status),
        .tag = cpu_to_le32(job->desc.tag),
        .result = cpu_to_le64(job->result),
        .progress = cpu_to_le64(job->progress),
        .fault_addr = cpu_to_le64(refused ? job->fault_addr :
                                            job->result_high),
    };
}

/* Write @len bytes to the start of @span. */
static SvaDma poke_all(SvaSpan *span, const void *from, uint64_t len)
{
    uint64_t n = len;
    SvaDma result = sva_span_poke(span, from, &n);

    while (result == SVA_DMA_DONE && n < len) {
        SvaSpan rest = sva_span_after(span, n);
        uint64_t more = len - n;

        result = sva_span_poke(&rest, (const uint8_t *)from + n, &more);
        n += more;
    }
    return result;
}

/* In two pieces, where they may lead to registers; the status is the second. */
static SvaDma poke_pieces(const SvaSpan *span, const PasidDevCompletion *record)
{
    SvaSpan body = sva_span_after(span, SVA_RECORD_STATUS_BYTES);
    SvaSpan status = *span;
    SvaDma result = poke_all(&body, &record->tag,
                             sizeof(*record) - SVA_RECORD_STATUS_BYTES);

    if (result == SVA_DMA_DONE) {
        /* Who sees the status sees the rest and all that the job wrote. */
        smp_wmb();
        result = poke_all(&status, &record->status, SVA_RECORD_STATUS_BYTES);
    }
    return result;
}

/* Should an answer not cover a record, no page is that small: it is refused. */
SvaDma engine_record_write(SvaChannel *ch, uint64_t addr,
                           const PasidDevCompletion *record)
{
    SvaSpan span;
    SvaDma result;

    RCU_READ_LOCK_GUARD();
    result = sva_channel_span(ch, addr, sizeof(*record), SVA_WRITE, &span);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    if (span.len < sizeof(*record)) {
        ch->refused_addr = addr;
        ch->refused_write = true;
        return SVA_DMA_REFUSED;
    }
    return sva_span_poke_record(&span, record, sizeof(*record))
           ? SVA_DMA_DONE : poke_pieces(&span, record);
}
