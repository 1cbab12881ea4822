/*
 * A PCI function's DMA port, see requester.h: finds the way to memory for each
 * access, parks the ones that stall. Knows nothing of queues and operations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "standard-headers/linux/pci_regs.h"
#include "capability.h"
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

/* ---- The function ------------------------------------------------------- */

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

SvaDma sva_channel_refuse(SvaChannel *ch, uint64_t addr, uint8_t access)
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

void sva_channel_count_bytes(SvaChannel *ch, uint64_t bytes, bool bounced)
{
    ch->count.bytes += bytes;
    ch->requester->count.bytes += bytes;
    ch->requester->cost += bounced ? bytes * SVA_REGISTER_COST : bytes;
    if (bounced) {
        ch->count.bounced += bytes;
        ch->requester->count.bounced += bytes;
    }
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
        span->len = sva_until_boundary(span->addr, span->len);
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
        return sva_channel_refuse(ch, span->addr, access);
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
        return sva_channel_refuse(ch, ch->req.addr, ch->req.access);
    }
    if (!sva_may_master(r->pdev)) {
        return sva_channel_refuse(ch, addr, access);
    }
    if (ch->pasid != SVA_NO_PASID) {
        control = sva_pasid_control(r->pdev, r->pasid_cap);
        if (!(control & PCI_PASID_CTRL_ENABLE) || !port) {
            return sva_channel_refuse(ch, addr, access);
        }
    }
    if (channel_take_skip(ch, addr, access)) {
        span->ignore = true;
        span->len = sva_until_boundary(addr, len);
        return SVA_DMA_DONE;
    }
    if (port) {
        return channel_submit(ch, port, control, span, access);
    }
    span->as = pci_get_address_space(r->pdev);
    span->pa = addr;
    return SVA_DMA_DONE;
}
