/*
 * What the files of the engine share: how an operation ends or waits, and the
 * operations that engine.c's table lists. Private to engine*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_ENGINE_OPERATIONS_H
#define PASID_DEV_ENGINE_OPERATIONS_H

#include "engine.h"

/* ---- What a job may cost ------------------------------------------------ */

static inline bool engine_is_used_up(const SvaChannel *ch, uint64_t limit)
{
    return ch->requester->cost >= limit;
}

/* Bytes that a step may move, at most @n. */
static inline uint64_t engine_affordable(const SvaChannel *ch, uint64_t limit,
                                         uint64_t n)
{
    return engine_is_used_up(ch, limit) ? MIN(n, 1)
                                        : MIN(n, limit - ch->requester->cost);
}

static inline bool engine_wraps(uint64_t addr, uint64_t len)
{
    return len && addr + (len - 1) < addr;
}

/* ---- Verdicts ----------------------------------------------------------- */

static inline EngineVerdict engine_finish(EngineJob *job, uint32_t status)
{
    job->status = status;
    return ENGINE_DONE;
}

/* An access did not go through: what becomes of the job. */
static inline EngineVerdict engine_give_way(EngineJob *job, SvaChannel *ch,
                                            SvaDma why)
{
    switch (why) {
    case SVA_DMA_GONE:
        return ENGINE_GONE;
    case SVA_DMA_STALLED:
        return ENGINE_STALLED;
    case SVA_DMA_ELSEWHERE:
        return ENGINE_ELSEWHERE;
    case SVA_DMA_REFUSED:
    default:
        job->fault_addr = ch->refused_addr;
        return engine_finish(job, ch->refused_write ?
                             PASID_DEV_DONE_FAULT_WRITE :
                             PASID_DEV_DONE_FAULT_READ);
    }
}

/* ---- engine-range.c ----------------------------------------------------- */

bool engine_legal_src(const PasidDevDescriptor *d);
bool engine_legal_dst(const PasidDevDescriptor *d);
bool engine_legal_src_dst(const PasidDevDescriptor *d);
bool engine_legal_copy(const PasidDevDescriptor *d);
bool engine_legal_crc32c(const PasidDevDescriptor *d);

EngineVerdict engine_run_copy(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_fill(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_compare(EngineJob *job, SvaChannel *ch,
                                 uint64_t limit);
EngineVerdict engine_run_crc32c(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_sum(EngineJob *job, SvaChannel *ch, uint64_t limit);

/* At most *@n bytes; on return, as many as it copied. Under the RCU lock. */
SvaDma engine_copy_step(SvaChannel *ch, uint64_t src, uint64_t dst,
                        uint64_t *n);

/* ---- engine-structure.c ------------------------------------------------- */

bool engine_legal_list(const PasidDevDescriptor *d);
bool engine_legal_gather(const PasidDevDescriptor *d);
bool engine_legal_scatter(const PasidDevDescriptor *d);

EngineVerdict engine_run_list(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_gather(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_scatter(EngineJob *job, SvaChannel *ch,
                                 uint64_t limit);

/* ---- engine-place.c ----------------------------------------------------- */

bool engine_legal_probe(const PasidDevDescriptor *d);
bool engine_legal_probe2(const PasidDevDescriptor *d);
bool engine_legal_atomic_add(const PasidDevDescriptor *d);
bool engine_legal_atomic(const PasidDevDescriptor *d);
bool engine_legal_cas16(const PasidDevDescriptor *d);

EngineVerdict engine_run_probe(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_probe2(EngineJob *job, SvaChannel *ch, uint64_t limit);
EngineVerdict engine_run_atomic_add(EngineJob *job, SvaChannel *ch,
                                    uint64_t limit);
EngineVerdict engine_run_atomic(EngineJob *job, SvaChannel *ch, uint64_t limit);

#endif
