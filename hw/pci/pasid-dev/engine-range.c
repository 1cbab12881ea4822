/*
 * pasid-dev's operations over ranges of bytes: copy, fill, compare, CRC, sum.
 * No lists of any kind, those are engine-structure.c's. Called by engine.c;
 * engine-structure.c copies with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/crc32c.h"
#include "qemu/rcu.h"
#include "engine-operations.h"

/* What a byte costs more than to copy it: of a CRC, and of a sum. */
enum { CRC_COST = 8, SUM_COST = 1 };

/* ---- What a descriptor may say ------------------------------------------ */

bool engine_legal_src(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_LEN_VALUE &&
           !engine_wraps(d->src, d->len);
}

bool engine_legal_dst(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_LEN_VALUE &&
           !engine_wraps(d->dst, d->len);
}

bool engine_legal_src_dst(const PasidDevDescriptor *d)
{
    return engine_legal_src(d) && engine_legal_dst(d);
}

bool engine_legal_copy(const PasidDevDescriptor *d)
{
    bool overlap = d->src - d->dst < d->len || d->dst - d->src < d->len;

    return engine_legal_src_dst(d) && !overlap;
}

bool engine_legal_crc32c(const PasidDevDescriptor *d)
{
    return engine_legal_src(d) && d->arg <= UINT32_MAX;
}

/* ---- Steps -------------------------------------------------------------- */

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

        if (engine_is_used_up(ch, limit)) {
            return ENGINE_MORE;
        }
        n = engine_affordable(ch, limit, n);
        WITH_RCU_READ_LOCK_GUARD() {
            result = step(job, ch, &n);
        }
        if (result != SVA_DMA_DONE) {
            return engine_give_way(job, ch, result);
        }
        job->progress += n;
        if (job->status != PASID_DEV_DONE_PENDING) {
            return ENGINE_DONE;
        }
    }
    return engine_finish(job, PASID_DEV_DONE_OK);
}

/*
 * Both ends of a copy of @n bytes, further for as long as each goes on side by side in
 * memory. Alternately: the one that ends first says how far the other is needed.
 */
static void extend_both(SvaSpan *from, SvaSpan *to, uint64_t n)
{
    for (;;) {
        bool write = to->len < from->len;
        SvaSpan *shorter = write ? to : from;

        if (shorter->len >= n ||
            !sva_channel_extend(shorter, write ? SVA_WRITE : SVA_READ)) {
            return;
        }
    }
}

/* From @src to @dst: both translated before either is touched. */
SvaDma engine_copy_step(SvaChannel *ch, uint64_t src, uint64_t dst,
                        uint64_t *n)
{
    const uint8_t *data;
    SvaSpan from, to;
    SvaDma result;
    uint64_t read;

    result = sva_channel_span(ch, src, *n, SVA_READ, &from);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    result = sva_channel_span(ch, dst, *n, SVA_WRITE, &to);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    extend_both(&from, &to, *n);
    *n = MIN(*n, MIN(from.len, to.len));
    result = sva_span_peek(&from, n, ch->bounce[0], &data);
    if (result != SVA_DMA_DONE) {
        return result;
    }
    read = *n;
    result = sva_span_poke(&to, data, n);
    if (result == SVA_DMA_DONE) {
        sva_channel_uncount_bytes(ch, read - *n);
    }
    return result;
}

static SvaDma step_copy(EngineJob *job, SvaChannel *ch, uint64_t *n)
{
    return engine_copy_step(ch, job->desc.src + job->progress,
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

EngineVerdict engine_run_copy(EngineJob *job, SvaChannel *ch,
                              uint64_t limit)
{
    return run_steps(job, ch, limit, step_copy);
}

EngineVerdict engine_run_fill(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_steps(job, ch, limit, step_fill);
}

EngineVerdict engine_run_compare(EngineJob *job, SvaChannel *ch,
                                 uint64_t limit)
{
    return run_steps(job, ch, limit, step_compare);
}

EngineVerdict engine_run_crc32c(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    if (job->progress == 0) {
        job->result = job->desc.arg;
    }
    return run_steps(job, ch, limit, step_crc32c);
}

EngineVerdict engine_run_sum(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return run_steps(job, ch, limit, step_sum);
}
