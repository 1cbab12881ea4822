/*
 * The bytes behind a span, see requester.h: looked at and written, and what is
 * known of where they are. It is known by now, requester.c found it. Called by
 * the endpoints' operations and by transfer.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/rcu.h"
#include "hw/pci/sva-guest-ram.h"
#include "requester.h"

/*
 * One translation where QEMU's own IOMMU interface is between, and none more
 * for the data.
 */
static void *G_GNUC_NO_INLINE ask_for_ram(const SvaSpan *span, bool write,
                                       uint64_t *len, MemoryRegion **mr)
{
    hwaddr here, l = *len;

    *mr = address_space_translate(span->as, span->pa, &here, &l, write,
                                  MEMTXATTRS_UNSPECIFIED);
    if (!l || !memory_access_is_direct(*mr, write, MEMTXATTRS_UNSPECIFIED)) {
        return NULL;
    }
    *len = MIN(*len, l);
    return (uint8_t *)memory_region_get_ram_ptr(*mr) + here;
}

void *sva_span_ram(const SvaSpan *span, bool write, uint64_t *len,
                   MemoryRegion **mr)
{
    void *ram = span->as == &address_space_memory ?
                sva_guest_ram(span->pa, write, len, mr) : NULL;

    return ram ?: ask_for_ram(span, write, len, mr);
}

/*
 * What is not memory is read and written under the big lock. An access that
 * takes it by itself, as QEMU's do, would do so in the middle of a turn.
 */
static bool needs_big_lock(void)
{
    return !bql_locked();
}

SvaDma sva_span_peek(SvaSpan *span, uint64_t *len, void *bounce,
                     const uint8_t **data)
{
    SvaChannel *ch = span->ch;
    uint32_t epoch = ch->epoch;
    MemoryRegion *mr;
    MemTxResult result;

    *len = MIN(*len, span->len);
    if (span->ignore) {
        *len = MIN(*len, SVA_DMA_PAGE_BYTES);
        memset(bounce, 0, *len);
        *data = bounce;
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    *data = sva_span_ram(span, false, len, &mr);
    if (*data) {
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }
    if (needs_big_lock()) {
        return sva_channel_go_elsewhere(ch);
    }

    *len = sva_until_boundary(span->addr, *len);
    sva_channel_begin_access(ch);
    result = address_space_read(span->as, span->pa, MEMTXATTRS_UNSPECIFIED,
                                bounce, *len);
    sva_channel_end_access(ch);
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

/* False: it is not memory. */
static bool poke_ram(SvaSpan *span, const uint8_t *data, uint64_t *len)
{
    MemoryRegion *mr;
    void *ram;

    RCU_READ_LOCK_GUARD();
    ram = sva_span_ram(span, true, len, &mr);
    if (ram) {
        store(ram, data, *len);
        sva_guest_ram_written(mr, ram, *len);
    }
    return ram;
}

bool sva_span_poke_record(SvaSpan *span, const void *record, uint64_t len)
{
    const uint8_t *from = record;
    uint64_t room = len;
    MemoryRegion *mr;
    uint8_t *to;

    if (span->ignore || span->len < len) {
        return false;
    }
    RCU_READ_LOCK_GUARD();
    to = sva_span_ram(span, true, &room, &mr);
    if (!to || room < len || !QEMU_PTR_IS_ALIGNED(to, SVA_RECORD_STATUS_BYTES)) {
        return false;
    }
    memcpy(to + SVA_RECORD_STATUS_BYTES, from + SVA_RECORD_STATUS_BYTES,
           len - SVA_RECORD_STATUS_BYTES);
    /* Who sees the status sees the rest and all that the job wrote. */
    smp_wmb();
    store(to, from, SVA_RECORD_STATUS_BYTES);
    sva_guest_ram_written(mr, to, len);
    sva_channel_count_bytes(span->ch, len, false);
    return true;
}

SvaDma sva_span_poke(SvaSpan *span, const uint8_t *data, uint64_t *len)
{
    SvaChannel *ch = span->ch;
    uint32_t epoch = ch->epoch;
    MemTxResult result;

    *len = MIN(*len, span->len);
    if (span->ignore || poke_ram(span, data, len)) {
        sva_channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }
    if (needs_big_lock()) {
        return sva_channel_go_elsewhere(ch);
    }

    /* An error tells where it was to the page; memory knows none. */
    *len = sva_until_boundary(span->addr, *len);
    sva_channel_begin_access(ch);
    result = address_space_write(span->as, span->pa, MEMTXATTRS_UNSPECIFIED,
                                 data, *len);
    sva_channel_end_access(ch);
    if (ch->epoch != epoch) {
        return SVA_DMA_GONE;
    }
    if (result != MEMTX_OK) {
        return sva_channel_refuse(ch, span->addr, SVA_WRITE);
    }
    sva_channel_count_bytes(ch, *len, true);
    return SVA_DMA_DONE;
}

/* ---- Where it goes ------------------------------------------------------ */

/*
 * By QEMU's own IOMMU interface, which knows no right to execute. Without the big
 * lock there is no IOMMU (sva_channel_span()), and it only looks memory up.
 */
static SvaDma ask_address_space(SvaSpan *span, uint8_t access, SvaAnswer *a)
{
    IOMMUTLBEntry entry;

    RCU_READ_LOCK_GUARD();
    entry = address_space_get_iotlb_entry(span->as, span->pa,
                                          access & SVA_WRITE,
                                          MEMTXATTRS_UNSPECIFIED);
    if (entry.perm == IOMMU_NONE || !entry.target_as) {
        return sva_channel_refuse(span->ch, span->addr, access);
    }
    a->pa = (entry.translated_addr & ~entry.addr_mask) |
            (span->pa & entry.addr_mask);
    a->size_log2 = ctz64(~entry.addr_mask);
    a->granted = entry.perm & (SVA_READ | SVA_WRITE);
    return SVA_DMA_DONE;
}

SvaDma sva_span_answer(SvaSpan *span, uint8_t access, SvaAnswer *a)
{
    *a = (SvaAnswer) { .ignored = span->ignore };
    if (span->ignore) {
        return SVA_DMA_DONE;
    }
    if (span->as == pci_get_address_space(span->ch->requester->pdev)) {
        return ask_address_space(span, access, a);
    }
    sva_channel_answer(span, a);
    return SVA_DMA_DONE;
}

SvaDma sva_span_physical(SvaSpan *span, bool write, uint64_t *pa)
{
    SvaAnswer answer;
    SvaDma result = sva_span_answer(span, write ? SVA_WRITE : SVA_READ,
                                    &answer);

    *pa = answer.pa;
    return result;
}
