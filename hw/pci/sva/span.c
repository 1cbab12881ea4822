/*
 * The bytes behind a span, see requester.h: looked at, written, updated in one
 * step. Where a span goes is known by now, requester.c found it. Called by the
 * endpoints' operations and by transfer.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/rcu.h"
#include "requester.h"

SvaDma sva_span_peek(SvaSpan *span, uint64_t *len, void *bounce,
                     const uint8_t **data)
{
    SvaChannel *ch = span->ch;
    uint32_t epoch = ch->epoch;
    hwaddr here, l = *len = MIN(*len, span->len);
    MemoryRegion *mr;
    MemTxResult result;

    if (span->ignore) {
        *len = MIN(*len, SVA_DMA_PAGE_BYTES);
        memset(bounce, 0, *len);
        *data = bounce;
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    mr = address_space_translate(span->as, span->pa, &here, &l, false,
                                 MEMTXATTRS_UNSPECIFIED);
    if (l && memory_access_is_direct(mr, false, MEMTXATTRS_UNSPECIFIED)) {
        *len = MIN(*len, l);
        *data = (uint8_t *)memory_region_get_ram_ptr(mr) + here;
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    *len = sva_until_boundary(span->addr, *len);
    result = address_space_read(span->as, span->pa, MEMTXATTRS_UNSPECIFIED,
                                bounce, *len);
    if (ch->epoch != epoch) {
        return SVA_DMA_GONE;
    }
    if (result != MEMTX_OK) {
        return sva_channel_refuse(ch, span->addr, SVA_READ);
    }
    *data = bounce;
    sva_channel_count_bytes(ch, *len, true);
    return SVA_DMA_DONE;
}

/* Words that software polls change in one step. */
static void store(void *to, const uint8_t *from, uint64_t len)
{
    if (len == 4 && QEMU_PTR_IS_ALIGNED(to, 4)) {
        qatomic_set((uint32_t *)to, ldl_he_p(from));
    } else {
        memmove(to, from, len);
    }
}

/*
 * Memory at @span, to write, or NULL: a write by way of a bounce buffer, which
 * max_bounce_buffer_size would allow, loses its error. Under the big lock,
 * where nobody else maps what belongs to this function.
 */
static void *map_memory(SvaSpan *span, hwaddr *len)
{
    size_t allowed = span->as->max_bounce_buffer_size;
    void *to;

    span->as->max_bounce_buffer_size = 0;
    to = address_space_map(span->as, span->pa, len, true,
                           MEMTXATTRS_UNSPECIFIED);
    span->as->max_bounce_buffer_size = allowed;
    return to;
}

/*
 * Without a port an access may still go through QEMU's own IOMMU interface:
 * one translation for each piece, and none more for its data.
 */
static bool poke_mapped(SvaSpan *span, const uint8_t *data, uint64_t *len)
{
    hwaddr l = *len;
    void *to = map_memory(span, &l);

    if (!to) {
        return false;
    }
    *len = MIN(*len, l);
    store(to, data, *len);
    address_space_unmap(span->as, to, l, true, *len);
    return true;
}

SvaDma sva_span_poke(SvaSpan *span, const uint8_t *data, uint64_t *len)
{
    SvaChannel *ch = span->ch;
    uint32_t epoch = ch->epoch;
    MemTxResult result;
    hwaddr here, l;
    MemoryRegion *mr;
    bool direct;

    *len = MIN(*len, span->len);
    if (span->ignore) {
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }
    if (!ch->requester->port && poke_mapped(span, data, len)) {
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    /* An error tells where it was to the page; memory knows none. */
    WITH_RCU_READ_LOCK_GUARD() {
        l = *len;
        mr = address_space_translate(span->as, span->pa, &here, &l, true,
                                     MEMTXATTRS_UNSPECIFIED);
        direct = l && memory_access_is_direct(mr, true, MEMTXATTRS_UNSPECIFIED);
    }
    *len = direct ? MIN(*len, l) : sva_until_boundary(span->addr, *len);
    result = address_space_write(span->as, span->pa, MEMTXATTRS_UNSPECIFIED,
                                 data, *len);
    if (ch->epoch != epoch) {
        return SVA_DMA_GONE;
    }
    if (result != MEMTX_OK) {
        return sva_channel_refuse(ch, span->addr, SVA_WRITE);
    }
    sva_channel_count_bytes(ch, *len, !direct);
    return SVA_DMA_DONE;
}

SvaDma sva_span_fetch_add(SvaSpan *span, uint64_t value, uint64_t *old)
{
    hwaddr here, l = sizeof(uint64_t);
    MemoryRegion *mr;
    uint64_t *word, seen, was;

    if (span->ignore) {
        *old = 0;
        return SVA_DMA_DONE;
    }

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(span->as, span->pa, &here, &l, true,
                                 MEMTXATTRS_UNSPECIFIED);
    if (l < sizeof(*word) || span->len < sizeof(*word) ||
        !memory_access_is_direct(mr, true, MEMTXATTRS_UNSPECIFIED)) {
        return sva_channel_refuse(span->ch, span->addr, SVA_WRITE);
    }
    word = address_space_map(span->as, span->pa, &l, true,
                             MEMTXATTRS_UNSPECIFIED);
    if (!word || l < sizeof(*word) || !QEMU_PTR_IS_ALIGNED(word, 8)) {
        if (word) {
            address_space_unmap(span->as, word, l, true, 0);
        }
        return sva_channel_refuse(span->ch, span->addr, SVA_WRITE);
    }
    seen = qatomic_read(word);
    do {
        was = seen;
        seen = qatomic_cmpxchg(word, was,
                               cpu_to_le64(le64_to_cpu(was) + value));
    } while (seen != was);
    address_space_unmap(span->as, word, l, true, sizeof(*word));

    *old = le64_to_cpu(was);
    sva_channel_count_bytes(span->ch, 2 * sizeof(*word), false);
    return SVA_DMA_DONE;
}

SvaDma sva_span_physical(SvaSpan *span, bool write, uint64_t *pa)
{
    IOMMUTLBEntry entry;

    if (span->ignore) {
        *pa = 0;
        return SVA_DMA_DONE;
    }
    if (span->ch->requester->port) {
        *pa = span->pa;
        return SVA_DMA_DONE;
    }
    RCU_READ_LOCK_GUARD();
    entry = address_space_get_iotlb_entry(span->as, span->pa, write,
                                          MEMTXATTRS_UNSPECIFIED);
    if (entry.perm == IOMMU_NONE || !entry.target_as) {
        return sva_channel_refuse(span->ch, span->addr,
                              write ? SVA_WRITE : SVA_READ);
    }
    *pa = (entry.translated_addr & ~entry.addr_mask) |
          (span->pa & entry.addr_mask);
    return SVA_DMA_DONE;
}
