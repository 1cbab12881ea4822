/*
 * BATCH, see engine-batch.h: reads a descriptor, runs it, writes its record and
 * so on. Executes nothing itself. Called by pasid-dev-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "engine-batch.h"
#include "engine-operations.h"
#include "engine-record.h"

/* EngineJob.step of a batch: what is being done for one of its descriptors */
enum {
    STEP_READ,
    STEP_RUN,
    STEP_RECORD,
};

QEMU_BUILD_BUG_ON(sizeof(PasidDevDescriptor) > ENGINE_WINDOW_BYTES);

static SvaDma read_member(EngineJob *job, EngineJob *member, SvaChannel *ch)
{
    PasidDevDescriptor raw;
    uint64_t addr = job->desc.src + job->progress * sizeof(raw);
    SvaDma result = sva_dma_read(ch, addr, job->window, sizeof(raw),
                                 &job->window_done);

    if (result == SVA_DMA_DONE) {
        memcpy(&raw, job->window, sizeof(raw));
        engine_job_start(member, &raw);
        if (member->desc.flags) {
            member->status = PASID_DEV_DONE_BAD_DESC;
        }
        job->window_done = 0;
        job->step = STEP_RUN;
    }
    return result;
}

static SvaDma record_member(EngineJob *job, EngineJob *member, SvaChannel *ch)
{
    PasidDevCompletion record = engine_record(member);
    uint64_t addr = job->desc.dst + job->progress * sizeof(record);
    SvaDma result = engine_record_write(ch, addr, &record);

    if (result == SVA_DMA_DONE) {
        job->result += member->status == PASID_DEV_DONE_OK;
        job->progress++;
        job->step = STEP_READ;
    }
    return result;
}

EngineVerdict engine_batch_run(EngineJob *job, EngineJob *member,
                               SvaChannel *ch, uint64_t limit)
{
    if (job->status != PASID_DEV_DONE_PENDING) {
        return ENGINE_DONE;
    }
    while (job->progress < job->desc.len) {
        SvaDma result = SVA_DMA_DONE;

        if (engine_is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        if (job->step == STEP_READ) {
            result = read_member(job, member, ch);
        } else if (job->step == STEP_RUN) {
            EngineVerdict verdict = engine_job_run(member, ch, limit);

            if (verdict != ENGINE_DONE) {
                return verdict;
            }
            job->step = STEP_RECORD;
        } else {
            result = record_member(job, member, ch);
        }
        if (result != SVA_DMA_DONE) {
            return engine_give_way(job, ch, result);
        }
    }
    return engine_finish(job, job->result == job->desc.len ?
                         PASID_DEV_DONE_OK : PASID_DEV_DONE_SOME_FAILED);
}
