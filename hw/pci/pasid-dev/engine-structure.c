/*
 * pasid-dev's operations that follow what memory says: linked lists, and lists
 * of segments. The copying itself is engine-range.c's. Called by engine.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/rcu.h"
#include "engine-operations.h"

/* ---- What a descriptor may say ------------------------------------------ */

bool engine_legal_list(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_LEN_VALUE;
}

static bool legal_segments(uint64_t list, uint64_t count)
{
    return count <= PASID_DEV_MAX_LEN_VALUE / sizeof(PasidDevSegment) &&
           !engine_wraps(list, count * sizeof(PasidDevSegment));
}

bool engine_legal_gather(const PasidDevDescriptor *d)
{
    return engine_legal_dst(d) && legal_segments(d->src, d->arg);
}

bool engine_legal_scatter(const PasidDevDescriptor *d)
{
    return engine_legal_src(d) && legal_segments(d->dst, d->arg);
}

/* ---- Linked lists ------------------------------------------------------- */

/* Fill the window with @len bytes from @addr. */
static SvaDma read_window(EngineJob *job, SvaChannel *ch, uint64_t addr,
                          uint64_t len)
{
    return sva_dma_read(ch, addr, job->window, len, &job->window_done);
}

/* The two fields lie close: one access gets both. */
static SvaDma read_node_at_once(EngineJob *job, SvaChannel *ch,
                                uint64_t distance)
{
    const PasidDevDescriptor *d = &job->desc;
    uint64_t low = MIN(d->arg, d->arg2);
    SvaDma result = read_window(job, ch, job->node + low,
                                distance + sizeof(uint64_t));

    if (result == SVA_DMA_DONE) {
        job->next = ldq_le_p(job->window + (d->arg - low));
        job->value = ldq_le_p(job->window + (d->arg2 - low));
    }
    return result;
}

static SvaDma read_node_by_parts(EngineJob *job, SvaChannel *ch)
{
    SvaDma result;

    if (job->step == 0) {
        result = read_window(job, ch, job->node + job->desc.arg2,
                             sizeof(uint64_t));
        if (result != SVA_DMA_DONE) {
            return result;
        }
        job->value = ldq_le_p(job->window);
        job->window_done = 0;
        job->step = 1;
    }
    result = read_window(job, ch, job->node + job->desc.arg,
                         sizeof(uint64_t));
    if (result == SVA_DMA_DONE) {
        job->next = ldq_le_p(job->window);
    }
    return result;
}

EngineVerdict engine_run_list(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    const PasidDevDescriptor *d = &job->desc;
    uint64_t distance = MAX(d->arg, d->arg2) - MIN(d->arg, d->arg2);
    bool close = distance <= ENGINE_WINDOW_BYTES - sizeof(uint64_t);

    while (job->node && job->progress < d->len) {
        SvaDma result;

        if (engine_is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        result = close ? read_node_at_once(job, ch, distance)
                       : read_node_by_parts(job, ch);
        if (result != SVA_DMA_DONE) {
            return engine_give_way(job, ch, result);
        }
        job->result += job->value;
        job->progress++;
        job->node = job->next;
        job->window_done = 0;
        job->step = 0;
    }
    return engine_finish(job, PASID_DEV_DONE_OK);
}

/* ---- Lists of segments -------------------------------------------------- */

/*
 * Between the pieces that the entries at @list name and the bytes from @flat
 * on.
 */
static EngineVerdict run_segments(EngineJob *job, SvaChannel *ch,
                                  uint64_t limit, uint64_t list, uint64_t flat,
                                  bool gather)
{
    while (job->segments < job->desc.arg && job->progress < job->desc.len) {
        uint64_t addr, len, n;
        SvaDma result;

        if (engine_is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        if (job->step == 0) {
            result = read_window(job, ch,
                                 list + job->segments * sizeof(PasidDevSegment),
                                 sizeof(PasidDevSegment));
            if (result != SVA_DMA_DONE) {
                return engine_give_way(job, ch, result);
            }
            job->step = 1;
        }
        addr = ldq_le_p(job->window + offsetof(PasidDevSegment, addr));
        len = ldq_le_p(job->window + offsetof(PasidDevSegment, len));
        if (engine_wraps(addr, len)) {
            return engine_finish(job, PASID_DEV_DONE_BAD_DESC);
        }
        if (job->segment_done < len) {
            n = MIN(len - job->segment_done, job->desc.len - job->progress);
            n = engine_affordable(ch, limit, n);
            addr += job->segment_done;
            WITH_RCU_READ_LOCK_GUARD() {
                uint64_t at = flat + job->progress;

                result = gather ? engine_copy_step(ch, addr, at, &n)
                                : engine_copy_step(ch, at, addr, &n);
            }
            if (result != SVA_DMA_DONE) {
                return engine_give_way(job, ch, result);
            }
            job->segment_done += n;
            job->progress += n;
            job->result = job->progress;
        }
        if (job->segment_done >= len) {
            job->segments++;
            job->segment_done = 0;
            job->window_done = 0;
            job->step = 0;
        }
    }
    return engine_finish(job, PASID_DEV_DONE_OK);
}

EngineVerdict engine_run_gather(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_segments(job, ch, limit, job->desc.src, job->desc.dst, true);
}

EngineVerdict engine_run_scatter(EngineJob *job, SvaChannel *ch,
                                 uint64_t limit)
{
    return run_segments(job, ch, limit, job->desc.dst, job->desc.src, false);
}
