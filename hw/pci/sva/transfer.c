/*
 * Reads and writes of any length by a cursor, see requester.h: one span after
 * the other. No way to memory of its own. Called by the endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "requester.h"

/* Until it has @len bytes, or more. */
static void extend_to(SvaSpan *span, uint8_t access, uint64_t len)
{
    while (span->len < len && sva_channel_extend(span, access)) {
        /* by a page, mostly */
    }
}

SvaDma sva_dma_read(SvaChannel *ch, uint64_t addr, void *buf, uint64_t len,
                    uint64_t *done)
{
    while (*done < len) {
        uint64_t n = len - *done;
        const uint8_t *data;
        SvaSpan span;
        SvaDma result;

        RCU_READ_LOCK_GUARD();
        result = sva_channel_span(ch, addr + *done, n, SVA_READ, &span);
        if (result != SVA_DMA_DONE) {
            return result;
        }
        extend_to(&span, SVA_READ, n);
        result = sva_span_peek(&span, &n, ch->bounce[0], &data);
        if (result != SVA_DMA_DONE) {
            return result;
        }
        memcpy((uint8_t *)buf + *done, data, n);
        *done += n;
    }
    return SVA_DMA_DONE;
}

SvaDma sva_dma_write(SvaChannel *ch, uint64_t addr, const void *buf,
                     uint64_t len, uint64_t *done)
{
    while (*done < len) {
        uint64_t n = len - *done;
        SvaSpan span;
        SvaDma result;

        RCU_READ_LOCK_GUARD();
        result = sva_channel_span(ch, addr + *done, n, SVA_WRITE, &span);
        if (result == SVA_DMA_DONE) {
            extend_to(&span, SVA_WRITE, n);
            result = sva_span_poke(&span, (const uint8_t *)buf + *done, &n);
        }
        if (result != SVA_DMA_DONE) {
            return result;
        }
        *done += n;
    }
    return SVA_DMA_DONE;
}

bool sva_transfer_complete(const SvaTransfer *t)
{
    return t->done == t->len || t->segment == t->count;
}

SvaDma sva_transfer_run(SvaChannel *ch, SvaTransfer *t, uint64_t most)
{
    uint64_t end = t->len;

    if (most && most < t->len - t->done) {
        end = t->done + most;
    }
    while (t->done < end && t->segment < t->count) {
        const SvaSegment *seg = &t->segments[t->segment];
        uint64_t n = MIN(seg->len - t->segment_done, end - t->done);
        uint64_t addr = seg->addr + t->segment_done;
        uint64_t moved = 0;
        SvaDma result;

        result = t->write ? sva_dma_write(ch, addr, t->buf + t->done, n, &moved)
                          : sva_dma_read(ch, addr, t->buf + t->done, n, &moved);
        if (result == SVA_DMA_GONE) {
            return result;      /* @t may be gone, too */
        }
        t->done += moved;
        t->segment_done += moved;
        if (t->segment_done == seg->len) {
            t->segment++;
            t->segment_done = 0;
        }
        if (result != SVA_DMA_DONE) {
            return result;
        }
    }
    return SVA_DMA_DONE;
}
