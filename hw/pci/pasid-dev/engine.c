/*
 * The operations of pasid-dev, docs/specs/pasid-dev.rst "Operations". Each is a
 * loop over small steps that end with one access; a step whose access stalls
 * leaves the job as it was before it. Called by pasid-dev-queue.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/crc32c.h"
#include "qemu/rcu.h"
#include "engine.h"

/* What a byte costs more than to copy it: of a CRC, and of a sum. */
enum { CRC_COST = 8, SUM_COST = 1 };

static bool is_used_up(const SvaChannel *ch, uint64_t limit)
{
    return ch->requester->cost >= limit;
}

/* Bytes that a step may move, at most @n. */
static uint64_t affordable(const SvaChannel *ch, uint64_t limit, uint64_t n)
{
    return is_used_up(ch, limit) ? MIN(n, 1)
                                 : MIN(n, limit - ch->requester->cost);
}

static bool wraps(uint64_t addr, uint64_t len)
{
    return len && addr + (len - 1) < addr;
}

/* ---- What a descriptor may say ------------------------------------------ */

static bool legal_always(const PasidDevDescriptor *d)
{
    return true;
}

static bool legal_src(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_LEN_VALUE && !wraps(d->src, d->len);
}

static bool legal_dst(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_LEN_VALUE && !wraps(d->dst, d->len);
}

static bool legal_src_dst(const PasidDevDescriptor *d)
{
    return legal_src(d) && legal_dst(d);
}

static bool legal_copy(const PasidDevDescriptor *d)
{
    bool overlap = d->src - d->dst < d->len || d->dst - d->src < d->len;

    return legal_src_dst(d) && !overlap;
}

static bool legal_crc(const PasidDevDescriptor *d)
{
    return legal_src(d) && d->arg <= UINT32_MAX;
}

static bool legal_list(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_LEN_VALUE;
}

static bool legal_probe(const PasidDevDescriptor *d)
{
    return d->len == 0 && d->arg <= 1;
}

static bool legal_segments(uint64_t list, uint64_t count)
{
    return count <= PASID_DEV_MAX_LEN_VALUE / sizeof(PasidDevSegment) &&
           !wraps(list, count * sizeof(PasidDevSegment));
}

static bool legal_gather(const PasidDevDescriptor *d)
{
    return legal_dst(d) && legal_segments(d->src, d->arg);
}

static bool legal_scatter(const PasidDevDescriptor *d)
{
    return legal_src(d) && legal_segments(d->dst, d->arg);
}

static bool legal_atomic(const PasidDevDescriptor *d)
{
    return d->dst % sizeof(uint64_t) == 0;
}

/* ---- Verdicts ----------------------------------------------------------- */

static EngineVerdict finish(EngineJob *job, uint32_t status)
{
    job->status = status;
    return ENGINE_DONE;
}

/* An access did not go through: what becomes of the job. */
static EngineVerdict give_way(EngineJob *job, SvaChannel *ch, SvaDma why)
{
    switch (why) {
    case SVA_DMA_GONE:
        return ENGINE_GONE;
    case SVA_DMA_STALLED:
        return ENGINE_STALLED;
    case SVA_DMA_REFUSED:
    default:
        job->fault_addr = ch->refused_addr;
        return finish(job, ch->refused_write ? PASID_DEV_DONE_FAULT_WRITE
                                             : PASID_DEV_DONE_FAULT_READ);
    }
}

/* ---- Operations over a range of bytes ----------------------------------- */

/*
 * One step at the job's progress: at most *@n bytes; on return as many as it
 * did. May set the status to end the job early.
 */
typedef SvaDma Step(EngineJob *job, SvaChannel *ch, uint64_t *n);

static EngineVerdict run_steps(EngineJob *job, SvaChannel *ch, uint64_t limit,
                               Step *step)
{
    while (job->progress < job->desc.len) {
        uint64_t n = job->desc.len - job->progress;
        SvaDma result;

        if (is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        n = affordable(ch, limit, n);
        WITH_RCU_READ_LOCK_GUARD() {
            result = step(job, ch, &n);
        }
        if (result != SVA_DMA_DONE) {
            return give_way(job, ch, result);
        }
        job->progress += n;
        if (job->status != PASID_DEV_DONE_PENDING) {
            return ENGINE_DONE;
        }
    }
    return finish(job, PASID_DEV_DONE_OK);
}

/* From @src to @dst: both translated before either is touched. */
static SvaDma copy_step(SvaChannel *ch, uint64_t src, uint64_t dst, uint64_t *n)
{
    const uint8_t *data;
    SvaSpan from, to;
    SvaDma result;

    result = sva_channel_span(ch, src, *n, SVA_READ, &from);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    result = sva_channel_span(ch, dst, from.len, SVA_WRITE, &to);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    *n = to.len;
    result = sva_span_peek(&from, n, ch->bounce[0], &data);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    return sva_span_poke(&to, data, n);
}

static SvaDma step_copy(EngineJob *job, SvaChannel *ch, uint64_t *n)
{
    return copy_step(ch, job->desc.src + job->progress,
                     job->desc.dst + job->progress, n);
}

static SvaDma step_fill(EngineJob *job, SvaChannel *ch, uint64_t *n)
{
    uint8_t *pattern = ch->bounce[0];
    uint8_t word[sizeof(uint64_t)];
    SvaSpan to;
    SvaDma result;

    *n = MIN(*n, sizeof(ch->bounce[0]));
    result = sva_channel_span(ch, job->desc.dst + job->progress, *n, SVA_WRITE,
                              &to);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    *n = MIN(*n, to.len);
    stq_le_p(word, job->desc.arg);
    for (uint64_t i = 0; i < *n; i++) {
        pattern[i] = word[(job->progress + i) % sizeof(word)];
    }
    return sva_span_poke(&to, pattern, n);
}

/*
 * It may be guest memory, and be equal when it is looked at a second time: as
 * true an answer as the first.
 */
static uint64_t equal_bytes(const uint8_t *a, const uint8_t *b, uint64_t n)
{
    uint64_t i = 0;

    if (memcmp(a, b, n) == 0) {
        return n;
    }
    while (i < n && a[i] == b[i]) {
        i++;
    }
    return i;
}

static SvaDma step_compare(EngineJob *job, SvaChannel *ch, uint64_t *n)
{
    const uint8_t *a, *b;
    SvaSpan left, right;
    uint64_t wanted, equal;
    SvaDma result;

    result = sva_channel_span(ch, job->desc.src + job->progress, *n, SVA_READ,
                              &left);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    result = sva_channel_span(ch, job->desc.dst + job->progress, left.len,
                              SVA_READ, &right);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    wanted = right.len;
    result = sva_span_peek(&left, &wanted, ch->bounce[0], &a);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    result = sva_span_peek(&right, &wanted, ch->bounce[1], &b);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    equal = equal_bytes(a, b, wanted);
    if (equal < wanted) {
        job->status = PASID_DEV_DONE_MISMATCH;
    }
    job->result += equal;
    *n = equal;
    return SVA_DMA_DONE;
}

static SvaDma peek_source(EngineJob *job, SvaChannel *ch, uint64_t *n,
                          const uint8_t **data)
{
    SvaSpan from;
    SvaDma result = sva_channel_span(ch, job->desc.src + job->progress, *n,
                                     SVA_READ, &from);

    if (result != SVA_DMA_DONE) {
        return result;
    }
    return sva_span_peek(&from, n, ch->bounce[0], data);
}

static SvaDma step_crc32c(EngineJob *job, SvaChannel *ch, uint64_t *n)
{
    const uint8_t *data;
    SvaDma result = peek_source(job, ch, n, &data);

    if (result == SVA_DMA_DONE) {
        sva_channel_charge(ch, *n * CRC_COST);
        /* QEMU's function inverts the end, but not the beginning. */
        job->result = crc32c(~(uint32_t)job->result, data, *n);
    }
    return result;
}

/* Eight bytes at a time: pairs into 16-bit sums, these by a multiplication. */
static uint64_t sum_of_bytes(const uint8_t *data, uint64_t n)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    const uint64_t ones = UINT64_C(0x0001000100010001);
    uint64_t sum = 0;

    for (; n >= 8; n -= 8, data += 8) {
        uint64_t word = ldq_he_p(data);

        sum += (((word & even) + (word >> 8 & even)) * ones) >> 48;
    }
    while (n--) {
        sum += *data++;
    }
    return sum;
}

static SvaDma step_sum(EngineJob *job, SvaChannel *ch, uint64_t *n)
{
    const uint8_t *data;
    SvaDma result = peek_source(job, ch, n, &data);

    if (result == SVA_DMA_DONE) {
        sva_channel_charge(ch, *n * SUM_COST);
        job->result += sum_of_bytes(data, *n);
    }
    return result;
}

static EngineVerdict run_copy(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_steps(job, ch, limit, step_copy);
}

static EngineVerdict run_fill(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_steps(job, ch, limit, step_fill);
}

static EngineVerdict run_compare(EngineJob *job, SvaChannel *ch,
                                 uint64_t limit)
{
    return run_steps(job, ch, limit, step_compare);
}

static EngineVerdict run_crc32c(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    if (job->progress == 0) {
        job->result = job->desc.arg;
    }
    return run_steps(job, ch, limit, step_crc32c);
}

static EngineVerdict run_sum(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_steps(job, ch, limit, step_sum);
}

/* ---- Operations over structures ----------------------------------------- */

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

static EngineVerdict run_list(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    const PasidDevDescriptor *d = &job->desc;
    uint64_t distance = MAX(d->arg, d->arg2) - MIN(d->arg, d->arg2);
    bool close = distance <= ENGINE_WINDOW_BYTES - sizeof(uint64_t);

    while (job->node && job->progress < d->len) {
        SvaDma result;

        if (is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        result = close ? read_node_at_once(job, ch, distance)
                       : read_node_by_parts(job, ch);
        if (result != SVA_DMA_DONE) {
            return give_way(job, ch, result);
        }
        job->result += job->value;
        job->progress++;
        job->node = job->next;
        job->window_done = 0;
        job->step = 0;
    }
    return finish(job, PASID_DEV_DONE_OK);
}

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

        if (is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        if (job->step == 0) {
            result = read_window(job, ch,
                                 list + job->segments * sizeof(PasidDevSegment),
                                 sizeof(PasidDevSegment));
            if (result != SVA_DMA_DONE) {
                return give_way(job, ch, result);
            }
            job->step = 1;
        }
        addr = ldq_le_p(job->window + offsetof(PasidDevSegment, addr));
        len = ldq_le_p(job->window + offsetof(PasidDevSegment, len));
        if (wraps(addr, len)) {
            return finish(job, PASID_DEV_DONE_BAD_DESC);
        }
        if (job->segment_done < len) {
            n = MIN(len - job->segment_done, job->desc.len - job->progress);
            n = affordable(ch, limit, n);
            addr += job->segment_done;
            WITH_RCU_READ_LOCK_GUARD() {
                uint64_t at = flat + job->progress;

                result = gather ? copy_step(ch, addr, at, &n)
                                : copy_step(ch, at, addr, &n);
            }
            if (result != SVA_DMA_DONE) {
                return give_way(job, ch, result);
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
    return finish(job, PASID_DEV_DONE_OK);
}

static EngineVerdict run_gather(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_segments(job, ch, limit, job->desc.src, job->desc.dst, true);
}

static EngineVerdict run_scatter(EngineJob *job, SvaChannel *ch,
                                 uint64_t limit)
{
    return run_segments(job, ch, limit, job->desc.dst, job->desc.src, false);
}

/* ---- Operations on one place -------------------------------------------- */

static EngineVerdict run_nop(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return finish(job, PASID_DEV_DONE_OK);
}

static EngineVerdict run_probe(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    bool write = job->desc.arg;
    SvaSpan span;
    SvaDma result;

    result = sva_channel_span(ch, job->desc.src, 1,
                              write ? SVA_WRITE : SVA_READ, &span);
    if (result == SVA_DMA_DONE) {
        result = sva_span_physical(&span, write, &job->result);
    }
    return result == SVA_DMA_DONE ? finish(job, PASID_DEV_DONE_OK)
                                  : give_way(job, ch, result);
}

static EngineVerdict run_atomic_add(EngineJob *job, SvaChannel *ch,
                                    uint64_t limit)
{
    SvaSpan span;
    SvaDma result;

    result = sva_channel_span(ch, job->desc.dst, sizeof(uint64_t),
                              SVA_READ | SVA_WRITE, &span);
    if (result == SVA_DMA_DONE) {
        result = sva_span_fetch_add(&span, job->desc.arg, &job->result);
    }
    if (result != SVA_DMA_DONE) {
        return give_way(job, ch, result);
    }
    job->progress = sizeof(uint64_t);
    return finish(job, PASID_DEV_DONE_OK);
}

/* ---- The table ---------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*legal)(const PasidDevDescriptor *d);
    EngineVerdict (*run)(EngineJob *job, SvaChannel *ch, uint64_t limit);
} operations[PASID_DEV_OP_COUNT] = {
    [PASID_DEV_OP_NOP]          = { "no-op", legal_always, run_nop },
    [PASID_DEV_OP_COPY]         = { "copy", legal_copy, run_copy },
    [PASID_DEV_OP_FILL]         = { "fill", legal_dst, run_fill },
    [PASID_DEV_OP_COMPARE]      = { "compare", legal_src_dst, run_compare },
    [PASID_DEV_OP_CRC32C]       = { "CRC-32C", legal_crc, run_crc32c },
    [PASID_DEV_OP_SUM]          = { "sum", legal_src, run_sum },
    [PASID_DEV_OP_LIST]         = { "list", legal_list, run_list },
    [PASID_DEV_OP_PROBE]        = { "probe", legal_probe, run_probe },
    [PASID_DEV_OP_GATHER]       = { "gather", legal_gather, run_gather },
    [PASID_DEV_OP_ATOMIC_ADD]   = { "atomic add", legal_atomic, run_atomic_add },
    [PASID_DEV_OP_SCATTER]      = { "scatter", legal_scatter, run_scatter },
};

const char *engine_op_name(uint8_t op)
{
    return op < ARRAY_SIZE(operations) ? operations[op].name : "unknown";
}

const char *engine_status_name(uint32_t status)
{
    static const char *const names[] = {
        [PASID_DEV_DONE_PENDING] = "pending",
        [PASID_DEV_DONE_OK] = "ok",
        [PASID_DEV_DONE_MISMATCH] = "mismatch",
        [PASID_DEV_DONE_FAULT_READ] = "read refused",
        [PASID_DEV_DONE_FAULT_WRITE] = "write refused",
        [PASID_DEV_DONE_BAD_OP] = "unknown operation",
        [PASID_DEV_DONE_BAD_DESC] = "illegal descriptor",
    };

    return status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

uint64_t engine_operations(void)
{
    return (UINT64_C(1) << ARRAY_SIZE(operations)) - 1;
}

static void descriptor_to_host(PasidDevDescriptor *d)
{
    le16_to_cpus(&d->reserved);
    le32_to_cpus(&d->tag);
    le64_to_cpus(&d->src);
    le64_to_cpus(&d->dst);
    le64_to_cpus(&d->len);
    le64_to_cpus(&d->arg);
    le64_to_cpus(&d->arg2);
    le64_to_cpus(&d->reserved2[0]);
    le64_to_cpus(&d->reserved2[1]);
}

static uint32_t descriptor_check(const PasidDevDescriptor *d)
{
    if (d->op >= ARRAY_SIZE(operations)) {
        return PASID_DEV_DONE_BAD_OP;
    }
    if ((d->flags & ~PASID_DEV_DESC_IRQ) || d->reserved || d->reserved2[0] ||
        d->reserved2[1] || !operations[d->op].legal(d)) {
        return PASID_DEV_DONE_BAD_DESC;
    }
    return PASID_DEV_DONE_PENDING;
}

void engine_job_start(EngineJob *job, const PasidDevDescriptor *raw)
{
    *job = (EngineJob) { .desc = *raw };
    descriptor_to_host(&job->desc);
    job->node = job->desc.src;
    job->status = descriptor_check(&job->desc);
}

EngineVerdict engine_job_run(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    if (job->status != PASID_DEV_DONE_PENDING) {
        return ENGINE_DONE;
    }
    return operations[job->desc.op].run(job, ch, limit);
}

/* ---- Migration ---------------------------------------------------------- */

static int engine_job_post_load(void *opaque, int version_id)
{
    EngineJob *job = opaque;

    /* The rest of the code relies on it; a stream may say anything. */
    if (job->window_done > sizeof(job->window) ||
        (job->status == PASID_DEV_DONE_PENDING &&
         (descriptor_check(&job->desc) != PASID_DEV_DONE_PENDING ||
          (job->desc.len && job->progress > job->desc.len)))) {
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription vmstate_engine_job = {
    .name = "pasid-dev/job",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = engine_job_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(desc.op, EngineJob),
        VMSTATE_UINT8(desc.flags, EngineJob),
        VMSTATE_UINT16(desc.reserved, EngineJob),
        VMSTATE_UINT32(desc.tag, EngineJob),
        VMSTATE_UINT64(desc.src, EngineJob),
        VMSTATE_UINT64(desc.dst, EngineJob),
        VMSTATE_UINT64(desc.len, EngineJob),
        VMSTATE_UINT64(desc.arg, EngineJob),
        VMSTATE_UINT64(desc.arg2, EngineJob),
        VMSTATE_UINT64_ARRAY(desc.reserved2, EngineJob, 2),
        VMSTATE_UINT64(progress, EngineJob),
        VMSTATE_UINT64(result, EngineJob),
        VMSTATE_UINT64(node, EngineJob),
        VMSTATE_UINT64(value, EngineJob),
        VMSTATE_UINT64(next, EngineJob),
        VMSTATE_UINT64(segments, EngineJob),
        VMSTATE_UINT64(segment_done, EngineJob),
        VMSTATE_UINT8(step, EngineJob),
        VMSTATE_UINT64(window_done, EngineJob),
        VMSTATE_UINT8_ARRAY(window, EngineJob, ENGINE_WINDOW_BYTES),
        VMSTATE_UINT32(status, EngineJob),
        VMSTATE_UINT64(fault_addr, EngineJob),
        VMSTATE_END_OF_LIST()
    }
};
