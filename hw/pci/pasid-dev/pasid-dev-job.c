/*
 * One descriptor of pasid-dev on its way: read, executed, its record written.
 * Knows nothing of other jobs and of HEAD, those are pasid-dev-queue.c's, and
 * executes nothing, that is engine.c's. Called by pasid-dev-queue.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "engine-batch.h"
#include "engine-record.h"
#include "pasid-dev.h"
#include "trace.h"

static uint32_t job_slot(const PasidDevJob *job)
{
    return job->index & ((1u << job->queue->size_log2) - 1);
}

uint64_t pasid_dev_job_descriptor(const PasidDevJob *job)
{
    return job->queue->ring + job_slot(job) * sizeof(PasidDevDescriptor);
}

uint64_t pasid_dev_job_completion(const PasidDevJob *job)
{
    return job->queue->completions + job_slot(job) * sizeof(PasidDevCompletion);
}

/* A line's names cost more than all the rest of a no-op's start. */
static void trace_take(const PasidDevJob *job)
{
    if (trace_event_get_state_backends(TRACE_PASID_DEV_JOB_TAKE)) {
        trace_pasid_dev_job_take(pasid_dev_name(job->queue->dev),
                                 job->queue->index, job->index,
                                 job->channel.number, job->channel.pasid);
    }
}

void pasid_dev_job_take(PasidDevJob *job, uint16_t index)
{
    job->phase = PASID_DEV_FETCH;
    job->index = index;
    job->fetched = 0;
    trace_take(job);
}

static void trace_start(const PasidDevJob *job)
{
    const PasidDevDescriptor *d = &job->work.desc;

    if (trace_event_get_state_backends(TRACE_PASID_DEV_JOB_START)) {
        trace_pasid_dev_job_start(pasid_dev_name(job->queue->dev),
                                  job->queue->index, job->index,
                                  engine_op_name(d->op), d->src, d->dst,
                                  d->len);
    }
}

static PasidDevVerdict job_fetch(PasidDevJob *job)
{
    SvaDma result = sva_dma_read(&job->channel, pasid_dev_job_descriptor(job),
                                 &job->raw, sizeof(job->raw), &job->fetched);

    switch (result) {
    case SVA_DMA_DONE:
        engine_job_start(&job->work, &job->raw);
        trace_start(job);
        job->phase = PASID_DEV_WORK;
        return PASID_DEV_JOB_READ;
    case SVA_DMA_STALLED:
        return PASID_DEV_JOB_WAITS;
    case SVA_DMA_ELSEWHERE:
        return PASID_DEV_JOB_ELSEWHERE;
    case SVA_DMA_REFUSED:
        return PASID_DEV_JOB_NO_RING;
    case SVA_DMA_GONE:
    default:
        return PASID_DEV_JOB_GONE;
    }
}

static PasidDevVerdict job_record(PasidDevJob *job)
{
    PasidDevCompletion record = engine_record(&job->work);
    SvaDma result = engine_record_write(&job->channel,
                                        pasid_dev_job_completion(job),
                                        &record);

    switch (result) {
    case SVA_DMA_DONE:
        return PASID_DEV_JOB_DONE;
    case SVA_DMA_STALLED:
        return PASID_DEV_JOB_WAITS;
    case SVA_DMA_ELSEWHERE:
        return PASID_DEV_JOB_ELSEWHERE;
    case SVA_DMA_REFUSED:
        return PASID_DEV_JOB_NO_RECORD;
    case SVA_DMA_GONE:
    default:
        return PASID_DEV_JOB_GONE;
    }
}

static EngineVerdict job_execute(PasidDevJob *job, uint64_t limit)
{
    return job->work.desc.op == PASID_DEV_OP_BATCH ?
           engine_batch_run(&job->work, &job->member, &job->channel, limit) :
           engine_job_run(&job->work, &job->channel, limit);
}

static PasidDevVerdict job_work(PasidDevJob *job, uint64_t limit)
{
    switch (job_execute(job, limit)) {
    case ENGINE_DONE:
        job->phase = PASID_DEV_RECORD;
        return PASID_DEV_JOB_MORE;
    case ENGINE_MORE:
        return PASID_DEV_JOB_MORE;
    case ENGINE_STALLED:
        return PASID_DEV_JOB_WAITS;
    case ENGINE_ELSEWHERE:
        return PASID_DEV_JOB_ELSEWHERE;
    case ENGINE_GONE:
    default:
        return PASID_DEV_JOB_GONE;
    }
}

PasidDevVerdict pasid_dev_job_run(PasidDevJob *job, uint64_t limit)
{
    const uint64_t *cost = &job->channel.requester->cost;
    PasidDevVerdict verdict = PASID_DEV_JOB_MORE;

    while (verdict == PASID_DEV_JOB_MORE && *cost < limit) {
        verdict = job->phase == PASID_DEV_FETCH ? job_fetch(job) :
                  job->phase == PASID_DEV_WORK ? job_work(job, limit) :
                                                 job_record(job);
    }
    return verdict;
}
