/*
 * A PCI function's DMA port, see requester.h: finds the way to memory for each
 * access, parks the ones that stall. Knows nothing of queues and operations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/rcu.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "standard-headers/linux/pci_regs.h"
#include "requester.h"
#include "trace.h"

static const char *requester_name(const SvaRequester *r)
{
    return r->pdev->qdev.id ?: r->pdev->name;
}

static const char *access_name(uint8_t access)
{
    return access == SVA_READ ? "read" :
           access == SVA_WRITE ? "write" : "read and write";
}

static const char *resolution_name(SvaResolution how)
{
    return how == SVA_RETRY ? "retry" : how == SVA_SKIP ? "ignore" : "abort";
}

/* ---- What the function may do ------------------------------------------- */

/* In a state other than D0 a function sends no request (PCIe 5.3.1.4). */
static bool is_powered(PCIDevice *pdev)
{
    return !pdev->pm_cap ||
           !(pci_get_word(pdev->config + pdev->pm_cap + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

static bool may_master(PCIDevice *pdev)
{
    return (pci_get_word(pdev->config + PCI_COMMAND) & PCI_COMMAND_MASTER) &&
           is_powered(pdev);
}

/* The PASID capability's control register; 0 without one. */
static uint16_t pasid_control(const SvaRequester *r)
{
    return r->pasid_cap ?
           pci_get_word(r->pdev->config + r->pasid_cap + PCI_PASID_CTRL) : 0;
}

/*
 * Looked up at the first access: the machine is complete by then, and what
 * address space a function has does not change afterwards.
 */
static SvaPort *requester_port(SvaRequester *r)
{
    if (!r->port_known) {
        r->port = sva_port_find(r->pdev);
        r->port_known = true;
        trace_sva_requester_port(requester_name(r), r->port != NULL);
    }
    return r->port;
}

void sva_requester_init(SvaRequester *r, PCIDevice *pdev, uint16_t pasid_cap,
                        bool may_stall)
{
    *r = (SvaRequester) {
        .pdev = pdev,
        .pasid_cap = pasid_cap,
        .may_stall = may_stall,
    };
}

/* PCIe 7.8.8 */
void sva_pasid_cap_init(PCIDevice *pdev, uint16_t offset, unsigned bits,
                        bool exec, bool priv)
{
    uint16_t features = (exec ? PCI_PASID_CAP_EXEC : 0) |
                        (priv ? PCI_PASID_CAP_PRIV : 0);

    g_assert(bits >= 1 && bits <= 20);
#ifdef SVA_HAVE_PCIE_PASID_INIT
    pcie_pasid_init(pdev, offset, bits, exec, priv);
#else
    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PASID, 1, offset,
                        PCI_EXT_CAP_PASID_SIZEOF);
    pci_set_word(pdev->config + offset + PCI_PASID_CAP, features | bits << 8);
#endif
    /* The enables of what is not there stay 0. */
    pci_set_word(pdev->wmask + offset + PCI_PASID_CTRL,
                 features | PCI_PASID_CTRL_ENABLE);
}

void sva_pasid_cap_reset(PCIDevice *pdev, uint16_t offset)
{
    pci_set_word(pdev->config + offset + PCI_PASID_CTRL, 0);
}

/* PCIe 5.10.1 and 7.5.2; QEMU keeps the state, which only D0 and D3hot are. */
bool sva_pm_cap_init(PCIDevice *pdev, Error **errp)
{
    int offset = pci_pm_init(pdev, 0, errp);

    if (offset < 0) {
        return false;
    }
    pci_set_word(pdev->config + offset + PCI_PM_PMC, 3);    /* the version */
    pci_set_word(pdev->config + offset + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(pdev->wmask + offset + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
    return true;
}

/* An integrated endpoint has no link, and its registers read 0 (PCIe 7.5.3). */
void sva_link_init(PCIDevice *pdev)
{
    static const struct {
        uint8_t first, end;
    } link[] = {
        { PCI_EXP_LNKCAP, PCI_EXP_SLTCAP },
        { PCI_EXP_LNKCAP2, PCI_EXP_SLTCAP2 },
    };

    if (pcie_cap_get_type(pdev) != PCI_EXP_TYPE_RC_END) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(link); i++) {
        unsigned at = pdev->exp.exp_cap + link[i].first;
        unsigned bytes = link[i].end - link[i].first;

        memset(pdev->config + at, 0, bytes);
        memset(pdev->wmask + at, 0, bytes);
        memset(pdev->w1cmask + at, 0, bytes);
    }
}

/* ---- Channels ----------------------------------------------------------- */

static void channel_resolved(SvaRequest *req, SvaResolution how)
{
    SvaChannel *ch = container_of(req, SvaChannel, req);
    SvaRequester *r = ch->requester;
    unsigned slot;

    trace_sva_requester_resolved(requester_name(r), req->pasid, req->addr,
                                 resolution_name(how));
    ch->stalled = false;
    switch (how) {
    case SVA_RETRY:
        ch->count.retries++;
        r->count.retries++;
        break;
    case SVA_SKIP:
        /*
         * The access is made again all the same, by a caller that does not
         * know, and then finds this. Two places, because a copy may have its
         * read and its write pending here. Losing one would only mean another
         * stall.
         */
        slot = ch->skip[0].valid ? 1 : 0;
        ch->skip[slot].valid = true;
        ch->skip[slot].addr = req->addr;
        ch->skip[slot].access = req->access;
        break;
    case SVA_FAIL:
    default:
        ch->failed = true;
        break;
    }
    ch->wake(ch);
}

void sva_channel_init(SvaChannel *ch, SvaRequester *r,
                      void (*wake)(SvaChannel *ch))
{
    memset(ch, 0, offsetof(SvaChannel, bounce));
    ch->requester = r;
    ch->pasid = SVA_NO_PASID;
    ch->wake = wake;
}

void sva_channel_cancel(SvaChannel *ch)
{
    if (ch->stalled) {
        trace_sva_requester_cancel(requester_name(ch->requester),
                                   ch->req.pasid, ch->req.addr);
        ch->stalled = false;
        sva_port_cancel(ch->requester->port, &ch->req);
    }
    ch->failed = false;
    ch->skip[0].valid = ch->skip[1].valid = false;
    ch->epoch++;
}

static SvaDma channel_refuse(SvaChannel *ch, uint64_t addr, uint8_t access)
{
    SvaRequester *r = ch->requester;

    trace_sva_requester_refused(requester_name(r), ch->pasid, addr,
                                access_name(access));
    ch->refused_addr = addr;
    ch->refused_write = access & SVA_WRITE;
    ch->count.aborts++;
    r->count.aborts++;
    return SVA_DMA_REFUSED;
}

static void channel_count_bytes(SvaChannel *ch, uint64_t bytes, bool bounced)
{
    ch->count.bytes += bytes;
    ch->requester->count.bytes += bytes;
    ch->requester->cost += bounced ? bytes * SVA_REGISTER_COST : bytes;
    if (bounced) {
        ch->count.bounced += bytes;
        ch->requester->count.bounced += bytes;
    }
}

/* Bytes from @addr on that an access may have that is not to memory. */
static uint64_t until_boundary(uint64_t addr, uint64_t len)
{
    return MIN(len, SVA_DMA_PAGE_BYTES - (addr & (SVA_DMA_PAGE_BYTES - 1)));
}

static bool channel_take_skip(SvaChannel *ch, uint64_t addr, uint8_t access)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ch->skip); i++) {
        if (ch->skip[i].valid && ch->skip[i].addr == addr &&
            ch->skip[i].access == access) {
            ch->skip[i].valid = false;
            return true;
        }
    }
    return false;
}

/* ---- One access: where does it go? -------------------------------------- */

static SvaDma channel_submit(SvaChannel *ch, SvaPort *port, uint16_t control,
                             SvaSpan *span, uint8_t access)
{
    SvaRequester *r = ch->requester;
    SvaRequest *req = &ch->req;

    *req = (SvaRequest) {
        .type = SVA_UNTRANSLATED,
        .pasid = ch->pasid,
        .addr = span->addr,
        .access = access,
        .privileged = ch->privileged && (control & PCI_PASID_CTRL_PRIV),
        .may_stall = r->may_stall,
        .resolved = channel_resolved,
    };
    switch (sva_port_submit(port, req)) {
    case SVA_OK:
        span->as = req->target;
        span->pa = req->pa;
        span->len = MIN(span->len, req->len);
        return SVA_DMA_DONE;
    case SVA_RAZWI:
        span->ignore = true;
        span->len = until_boundary(span->addr, span->len);
        return SVA_DMA_DONE;
    case SVA_STALLED:
        trace_sva_requester_stall(requester_name(r), ch->pasid, span->addr,
                                  access_name(access));
        ch->stalled = true;
        ch->count.stalls++;
        r->count.stalls++;
        return SVA_DMA_STALLED;
    case SVA_ABORT:
    default:
        return channel_refuse(ch, span->addr, access);
    }
}

SvaDma sva_channel_span(SvaChannel *ch, uint64_t addr, uint64_t len,
                        uint8_t access, SvaSpan *span)
{
    SvaRequester *r = ch->requester;
    SvaPort *port = requester_port(r);
    uint16_t control = 0;

    *span = (SvaSpan) { .ch = ch, .addr = addr, .len = len };
    r->cost += SVA_ACCESS_COST;

    if (ch->failed) {
        ch->failed = false;
        return channel_refuse(ch, ch->req.addr, ch->req.access);
    }
    if (!may_master(r->pdev)) {
        return channel_refuse(ch, addr, access);
    }
    if (ch->pasid != SVA_NO_PASID) {
        control = pasid_control(r);
        if (!(control & PCI_PASID_CTRL_ENABLE) || !port) {
            return channel_refuse(ch, addr, access);
        }
    }
    if (channel_take_skip(ch, addr, access)) {
        span->ignore = true;
        span->len = until_boundary(addr, len);
        return SVA_DMA_DONE;
    }
    if (port) {
        return channel_submit(ch, port, control, span, access);
    }
    span->as = pci_get_address_space(r->pdev);
    span->pa = addr;
    return SVA_DMA_DONE;
}

/* ---- Its data ----------------------------------------------------------- */

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
        channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    mr = address_space_translate(span->as, span->pa, &here, &l, false,
                                 MEMTXATTRS_UNSPECIFIED);
    if (l && memory_access_is_direct(mr, false, MEMTXATTRS_UNSPECIFIED)) {
        *len = MIN(*len, l);
        *data = (uint8_t *)memory_region_get_ram_ptr(mr) + here;
        channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    *len = until_boundary(span->addr, *len);
    result = address_space_read(span->as, span->pa, MEMTXATTRS_UNSPECIFIED,
                                bounce, *len);
    if (ch->epoch != epoch) {
        return SVA_DMA_GONE;
    }
    if (result != MEMTX_OK) {
        return channel_refuse(ch, span->addr, SVA_READ);
    }
    *data = bounce;
    channel_count_bytes(ch, *len, true);
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
        channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }
    if (!ch->requester->port && poke_mapped(span, data, len)) {
        channel_count_bytes(ch, *len, false);
        return SVA_DMA_DONE;
    }

    /* An error tells where it was to the page; memory knows none. */
    WITH_RCU_READ_LOCK_GUARD() {
        l = *len;
        mr = address_space_translate(span->as, span->pa, &here, &l, true,
                                     MEMTXATTRS_UNSPECIFIED);
        direct = l && memory_access_is_direct(mr, true, MEMTXATTRS_UNSPECIFIED);
    }
    *len = direct ? MIN(*len, l) : until_boundary(span->addr, *len);
    result = address_space_write(span->as, span->pa, MEMTXATTRS_UNSPECIFIED,
                                 data, *len);
    if (ch->epoch != epoch) {
        return SVA_DMA_GONE;
    }
    if (result != MEMTX_OK) {
        return channel_refuse(ch, span->addr, SVA_WRITE);
    }
    channel_count_bytes(ch, *len, !direct);
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
        return channel_refuse(span->ch, span->addr, SVA_WRITE);
    }
    word = address_space_map(span->as, span->pa, &l, true,
                             MEMTXATTRS_UNSPECIFIED);
    if (!word || l < sizeof(*word) || !QEMU_PTR_IS_ALIGNED(word, 8)) {
        if (word) {
            address_space_unmap(span->as, word, l, true, 0);
        }
        return channel_refuse(span->ch, span->addr, SVA_WRITE);
    }
    seen = qatomic_read(word);
    do {
        was = seen;
        seen = qatomic_cmpxchg(word, was,
                               cpu_to_le64(le64_to_cpu(was) + value));
    } while (seen != was);
    address_space_unmap(span->as, word, l, true, sizeof(*word));

    *old = le64_to_cpu(was);
    channel_count_bytes(span->ch, 2 * sizeof(*word), false);
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
        return channel_refuse(span->ch, span->addr,
                              write ? SVA_WRITE : SVA_READ);
    }
    *pa = (entry.translated_addr & ~entry.addr_mask) |
          (span->pa & entry.addr_mask);
    return SVA_DMA_DONE;
}

/* ---- Transfers ---------------------------------------------------------- */

SvaDma sva_dma_read(SvaChannel *ch, uint64_t addr, void *buf, uint64_t len,
                    uint64_t *done)
{
    while (*done < len) {
        uint64_t n = len - *done;
        const uint8_t *data;
        SvaSpan span;
        SvaDma result = sva_channel_span(ch, addr + *done, n, SVA_READ, &span);

        if (result != SVA_DMA_DONE) {
            return result;
        }
        RCU_READ_LOCK_GUARD();
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
        SvaDma result = sva_channel_span(ch, addr + *done, n, SVA_WRITE, &span);

        if (result == SVA_DMA_DONE) {
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
