/*
 * pasid-dev's operations on one place: probes and atomics, each of which is one
 * access. How memory is changed in one step is the requester's. Called by
 * engine.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "engine-operations.h"

/* ---- Probes ------------------------------------------------------------- */

bool engine_legal_probe(const PasidDevDescriptor *d)
{
    return d->len == 0 && d->arg <= 1;
}

EngineVerdict engine_run_probe(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    bool write = job->desc.arg;
    SvaSpan span;
    SvaDma result;

    RCU_READ_LOCK_GUARD();
    result = sva_channel_span(ch, job->desc.src, 1,
                              write ? SVA_WRITE : SVA_READ, &span);
    if (result == SVA_DMA_DONE) {
        result = sva_span_physical(&span, write, &job->result);
    }
    return result == SVA_DMA_DONE ? engine_finish(job, PASID_DEV_DONE_OK)
                                  : engine_give_way(job, ch, result);
}

bool engine_legal_probe2(const PasidDevDescriptor *d)
{
    const uint64_t both = PASID_DEV_PROBE_READ | PASID_DEV_PROBE_WRITE;

    return d->len == 0 &&
           ((d->arg && !(d->arg & ~both)) ||
            d->arg == (PASID_DEV_PROBE_READ | PASID_DEV_PROBE_EXEC));
}

static uint64_t probed(const SvaAnswer *a)
{
    return (a->size_log2 & PASID_DEV_PROBED_SIZE_MASK) |
           (a->granted & SVA_READ ? PASID_DEV_PROBED_READ : 0) |
           (a->granted & SVA_WRITE ? PASID_DEV_PROBED_WRITE : 0) |
           (a->granted & SVA_EXEC ? PASID_DEV_PROBED_EXEC : 0) |
           (a->privileged ? PASID_DEV_PROBED_PRIV : 0) |
           (a->ats ? PASID_DEV_PROBED_ATS : 0) |
           (a->ignored ? PASID_DEV_PROBED_NOWHERE : 0);
}

EngineVerdict engine_run_probe2(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    bool write = job->desc.arg & PASID_DEV_PROBE_WRITE;
    uint8_t access = (job->desc.arg & PASID_DEV_PROBE_READ ? SVA_READ : 0) |
                     (write ? SVA_WRITE : 0);
    SvaAnswer answer;
    SvaSpan span;
    SvaDma result;

    RCU_READ_LOCK_GUARD();
    ch->execute = job->desc.arg & PASID_DEV_PROBE_EXEC;
    result = sva_channel_span(ch, job->desc.src, 1, access, &span);
    ch->execute = false;
    if (result == SVA_DMA_DONE) {
        result = sva_span_answer(&span, access, &answer);
    }
    if (result != SVA_DMA_DONE) {
        return engine_give_way(job, ch, result);
    }
    job->result = answer.pa;
    job->progress = probed(&answer);
    return engine_finish(job, PASID_DEV_DONE_OK);
}

/* ---- Atomics ------------------------------------------------------------ */

bool engine_legal_atomic_add(const PasidDevDescriptor *d)
{
    return d->dst % sizeof(uint64_t) == 0;
}

bool engine_legal_atomic(const PasidDevDescriptor *d)
{
    bool narrow = d->len == sizeof(uint32_t);

    return (narrow || d->len == sizeof(uint64_t)) && d->dst % d->len == 0 &&
           (!narrow || d->arg <= UINT32_MAX) &&
           (!narrow || d->op != PASID_DEV_OP_CAS || d->arg2 <= UINT32_MAX);
}

bool engine_legal_cas16(const PasidDevDescriptor *d)
{
    return d->len == 16 && d->dst % 16 == 0;
}

static SvaAtomic atomic_of(const PasidDevDescriptor *d)
{
    switch (d->op) {
    case PASID_DEV_OP_SWAP:
        return (SvaAtomic) {
            .kind = SVA_ATOMIC_SWAP, .bytes = d->len, .operand = { d->arg } };
    case PASID_DEV_OP_CAS:
        return (SvaAtomic) {
            .kind = SVA_ATOMIC_CAS, .bytes = d->len,
            .compare = { d->arg }, .operand = { d->arg2 } };
    case PASID_DEV_OP_CAS16:
        return (SvaAtomic) {
            .kind = SVA_ATOMIC_CAS, .bytes = d->len,
            .compare = { d->arg, d->arg2 }, .operand = { d->arg3, d->arg4 } };
    default:
        return (SvaAtomic) {
            .kind = SVA_ATOMIC_ADD, .bytes = d->len, .operand = { d->arg } };
    }
}

static SvaDma run_atomic(EngineJob *job, SvaChannel *ch, SvaAtomic *a)
{
    SvaSpan span;
    SvaDma result;

    RCU_READ_LOCK_GUARD();
    result = sva_channel_span(ch, job->desc.dst, a->bytes,
                              SVA_READ | SVA_WRITE, &span);
    if (result == SVA_DMA_DONE) {
        result = sva_span_atomic(&span, a);
    }
    return result;
}

EngineVerdict engine_run_atomic(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    SvaAtomic a = atomic_of(&job->desc);
    SvaDma result = run_atomic(job, ch, &a);

    if (result != SVA_DMA_DONE) {
        return engine_give_way(job, ch, result);
    }
    job->result = a.old[0];
    job->result_high = a.old[1];
    if (a.kind == SVA_ATOMIC_CAS &&
        (a.old[0] != a.compare[0] || a.old[1] != a.compare[1])) {
        return engine_finish(job, PASID_DEV_DONE_MISMATCH);
    }
    job->progress = a.bytes;
    return engine_finish(job, PASID_DEV_DONE_OK);
}

EngineVerdict engine_run_atomic_add(EngineJob *job, SvaChannel *ch,
                                    uint64_t limit)
{
    SvaAtomic a = {
        .kind = SVA_ATOMIC_ADD, .bytes = sizeof(uint64_t),
        .operand = { job->desc.arg } };
    SvaDma result = run_atomic(job, ch, &a);

    if (result != SVA_DMA_DONE) {
        return engine_give_way(job, ch, result);
    }
    job->result = a.old[0];
    job->progress = a.bytes;
    return engine_finish(job, PASID_DEV_DONE_OK);
}
