/*
 * Channels, see requester.h: the way to memory of each access, and what waits on
 * it. Knows nothing of queues and operations. Called by the endpoints, by
 * transfer.c and span.c, and by the IOMMU when a wait is over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/pci/pci_device.h"
#include "standard-headers/linux/pci_regs.h"
#include "hw/pci/sva-guest-ram.h"
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

/* ---- Channels ----------------------------------------------------------- */

static void channel_resolved(SvaRequest *req, SvaResolution how)
{
    SvaChannel *ch = container_of(req, SvaChannel, req);
    SvaRequester *r = ch->requester;
    unsigned slot;

    /* The turn of a thread in which it stalled may not be over. */
    sva_worker_enter(r->worker);
    trace_sva_requester_resolved(requester_name(r), ch->number, req->pasid,
                                 req->addr, resolution_name(how));
    ch->stalled = false;
    ch->was_waiting = true;
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
    sva_worker_leave(r->worker);
}

/* Somebody has decided about the pages that it waited for. */
static void channel_page_answered(SvaPageWaiter *w, SvaPageAnswer answer)
{
    SvaChannel *ch = container_of(w, SvaChannel, page);
    SvaRequester *r = ch->requester;

    ch->stalled = false;
    ch->was_waiting = true;
    ch->page_given = answer == SVA_PAGE_SUCCESS;
    switch (answer) {
    case SVA_PAGE_SUCCESS:
        ch->count.retries++;
        r->count.retries++;
        break;
    case SVA_PAGE_INVALID:
        /* Which of them is not there? The access is for the first. */
        if (w->pages > 1) {
            ch->one_page = true;
        } else {
            ch->failed = true;
        }
        break;
    case SVA_PAGE_OFF:
        break;      /* try another way */
    case SVA_PAGE_FAILURE:
    default:
        ch->failed = true;
        break;
    }
    ch->wake(ch);
}

void sva_channel_init(SvaChannel *ch, SvaRequester *r,
                      void (*wake)(SvaChannel *ch))
{
    static uint32_t channels;

    memset(ch, 0, offsetof(SvaChannel, bounce));
    ch->requester = r;
    ch->pasid = SVA_NO_PASID;
    ch->wake = wake;
    ch->page.answered = channel_page_answered;
    ch->number = ch->page.channel = qatomic_fetch_inc(&channels);
}

void sva_channel_cancel(SvaChannel *ch)
{
    if (ch->stalled) {
        trace_sva_requester_cancel(requester_name(ch->requester),
                                   ch->number, ch->req.pasid, ch->req.addr);
        ch->stalled = false;
        if (ch->page.state != SVA_PAGE_IDLE) {
            sva_requester_enter_pages(ch->requester);
            sva_page_requests_cancel(ch->requester->pages, &ch->page);
            sva_requester_leave_pages(ch->requester);
        } else {
            g_assert(bql_locked());
            sva_port_cancel(ch->requester->port, &ch->req);
        }
    }
    ch->failed = false;
    ch->was_waiting = false;
    ch->one_page = false;
    ch->page_given = false;
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
    ch->counted += bytes;
    ch->count.bytes += bytes;
    ch->requester->count.bytes += bytes;
    ch->requester->cost += bounced ? bytes * SVA_REGISTER_COST : bytes;
    if (bounced) {
        ch->count.bounced += bytes;
        ch->requester->count.bounced += bytes;
    }
}

void sva_channel_uncount_bytes(SvaChannel *ch, uint64_t bytes)
{
    ch->counted -= bytes;
    ch->count.bytes -= bytes;
    ch->requester->count.bytes -= bytes;
    ch->requester->cost -= bytes;
}

SvaDma sva_channel_go_elsewhere(SvaChannel *ch)
{
    ch->count.bytes -= ch->counted;
    ch->requester->count.bytes -= ch->counted;
    ch->counted = 0;
    sva_worker_go_elsewhere(ch->requester->worker);
    return SVA_DMA_ELSEWHERE;
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

/* What the PASID prefix says of the access, as far as it may (PCIe 6.20). */
static bool is_privileged(const SvaChannel *ch, uint16_t control)
{
    return ch->privileged && (control & PCI_PASID_CTRL_PRIV);
}

static bool is_execute(const SvaChannel *ch, uint16_t control, uint8_t access)
{
    return ch->execute && (control & PCI_PASID_CTRL_EXEC) &&
           access == SVA_READ;
}

/* Member by member: the answer's are not read before there is one. */
static void request_begin(SvaChannel *ch, uint16_t control, SvaAddressType type,
                          uint64_t addr, uint8_t access)
{
    SvaRequest *req = &ch->req;

    req->type = type;
    req->pasid = ch->pasid;
    req->addr = addr;
    req->access = access;
    req->privileged = is_privileged(ch, control);
    req->execute = is_execute(ch, control, access);
    req->may_stall = false;
    req->resolved = NULL;
    if (sva_misbehaves(&ch->requester->misbehave, SVA_FAULT_PASID_WIDE) &&
        ch->pasid != SVA_NO_PASID) {
        req->pasid ^= SVA_WRONG_PASID_BIT;
    }
}

/* @by: what it waits by, for traces */
static SvaDma channel_park(SvaChannel *ch, uint64_t addr, uint8_t access,
                           const char *by)
{
    SvaRequester *r = ch->requester;

    trace_sva_requester_stall(requester_name(r), ch->number,
                              pci_get_bdf(r->pdev), ch->pasid, addr,
                              access_name(access), by);
    ch->stalled = true;
    ch->count.stalls++;
    r->count.stalls++;
    return SVA_DMA_STALLED;
}

/* The IOMMU has answered the access of @span: what becomes of it. */
static SvaDma channel_take_answer(SvaChannel *ch, SvaOutcome outcome,
                                  SvaSpan *span, uint8_t access)
{
    switch (outcome) {
    case SVA_OK:
        span->as = ch->req.target;
        span->pa = ch->req.pa;
        span->len = MIN(span->len, ch->req.len);
        return SVA_DMA_DONE;
    case SVA_RAZWI:
        span->ignore = true;
        span->len = sva_until_boundary(span->addr, span->len);
        return SVA_DMA_DONE;
    case SVA_STALLED:
        return channel_park(ch, span->addr, access, "stall");
    case SVA_ABORT:
    default:
        return sva_channel_refuse(ch, span->addr, access);
    }
}

static bool must_ask_elsewhere(const SvaPort *port)
{
    return sva_port_needs_big_lock(port) && !bql_locked();
}

static SvaDma channel_untranslated(SvaChannel *ch, SvaPort *port,
                                   uint16_t control, SvaSpan *span,
                                   uint8_t access)
{
    SvaDma result;

    if (must_ask_elsewhere(port)) {
        return sva_channel_go_elsewhere(ch);
    }
    request_begin(ch, control, SVA_UNTRANSLATED, span->addr, access);
    ch->req.may_stall = ch->requester->may_stall;
    ch->req.resolved = channel_resolved;
    result = channel_take_answer(ch, sva_port_submit(port, &ch->req), span,
                                 access);
    if (result == SVA_DMA_DONE && !span->ignore) {
        span->port = port;
        span->pasid = ch->req.pasid;
    }
    return result;
}

/* ---- ... by the ATC, and by asking for its translation ------------------ */

/*
 * It goes to the IOMMU all the same, which may check it. It has no PASID: the
 * translation was made for one.
 */
static SvaDma channel_translated(SvaChannel *ch, SvaPort *port,
                                 const SvaAtcEntry *e, SvaSpan *span,
                                 uint8_t access)
{
    uint64_t offset = span->addr - e->addr;
    SvaDma result;

    span->len = MIN(span->len, (UINT64_C(1) << e->size_log2) - offset);
    ch->req = (SvaRequest) {
        .type = SVA_ATS_TRANSLATED,
        .pasid = SVA_NO_PASID,
        .addr = e->translated + offset,
        .access = access,
    };
    result = channel_take_answer(ch, sva_port_submit(port, &ch->req), span,
                                 access);
    if (result == SVA_DMA_DONE && !span->ignore) {
        span->port = port;
        span->pasid = ch->pasid;
        span->ats = true;
    }
    return result;
}

/* What the IOMMU has granted @ch, as an entry: the page itself, or its block. */
static SvaAtcEntry entry_of(const SvaChannel *ch)
{
    const SvaRequest *req = &ch->req;
    unsigned size_log2 = CLAMP(req->size_log2, SVA_ATC_MIN_SIZE_LOG2,
                               SVA_ATC_MAX_SIZE_LOG2);
    uint64_t offset = req->addr & MAKE_64BIT_MASK(0, size_log2);

    return (SvaAtcEntry) {
        .addr = req->addr - offset,
        .translated = req->pa - offset,
        .pasid = req->pasid,
        .size_log2 = size_log2,
        .rights = req->granted,
        .privileged = req->privileged,
    };
}

static uint64_t page_of(uint64_t addr)
{
    return addr & ~(uint64_t)(SVA_DMA_PAGE_BYTES - 1);
}

/* The pages of @span's bytes, as many as may be asked for at once. */
static SvaDma channel_ask_for_pages(SvaChannel *ch, SvaPort *port,
                                    const SvaSpan *span, uint8_t access)
{
    const SvaRequest *req = &ch->req;
    SvaRequester *r = ch->requester;
    uint64_t page = page_of(span->addr);
    uint64_t last = span->addr + (span->len - 1);
    uint64_t pages = 1 + (last - page) / SVA_DMA_PAGE_BYTES;

    if (last < span->addr || ch->one_page) {
        pages = 1;
    }
    ch->one_page = false;
    ch->page.vain = ch->page_given && ch->page.first.addr == page &&
                    ch->page.first.pasid == req->pasid ? ch->page.vain + 1 : 0;
    ch->page_given = false;
    ch->page.first = (SvaPageRequest) {
        .pasid = req->pasid,
        .read = access & SVA_READ,
        .write = access & SVA_WRITE,
        .execute = req->execute,
        .privileged = req->privileged,
        .addr = page,
    };
    ch->page.pages = MIN(pages, r->group_pages);
    ch->page.port = port;
    ch->count.page_requests++;
    r->count.page_requests++;
    channel_park(ch, span->addr, access, "page request");
    sva_requester_enter_pages(r);
    sva_page_requests_ask(r->pages, &ch->page);
    sva_requester_leave_pages(r);
    return SVA_DMA_STALLED;
}

static SvaDma channel_ask(SvaChannel *ch, SvaPort *port, uint16_t control,
                          SvaSpan *span, uint8_t access, uint8_t rights)
{
    SvaRequester *r = ch->requester;
    SvaAtcEntry entry;
    SvaOutcome outcome;

    if (must_ask_elsewhere(port)) {
        return sva_channel_go_elsewhere(ch);
    }
    ch->count.ats_requests++;
    r->count.ats_requests++;
    request_begin(ch, control, SVA_ATS_REQUEST, span->addr, access);
    outcome = sva_port_submit(port, &ch->req);
    trace_sva_ats_request(requester_name(r), ch->pasid, span->addr,
                          access_name(access), outcome,
                          outcome == SVA_OK ? ch->req.granted : 0,
                          outcome == SVA_OK ? ch->req.size_log2 : 0);
    switch (outcome) {
    case SVA_OK:
        break;
    case SVA_ATS_UR:
        /* The IOMMU has no ATS for it (PCIe 10.2.4.2). */
        return channel_untranslated(ch, port, control, span, access);
    default:
        return sva_channel_refuse(ch, span->addr, access);
    }
    entry = entry_of(ch);
    if (entry.rights) {
        sva_atc_insert(r->atc, &entry);
    }
    if (!(rights & ~entry.rights)) {
        ch->page_given &= page_of(span->addr) != ch->page.first.addr;
        return channel_translated(ch, port, &entry, span, access);
    }
    if (sva_page_requests_usable(r->pages)) {
        return channel_ask_for_pages(ch, port, span, access);
    }
    return channel_untranslated(ch, port, control, span, access);
}

static SvaDma channel_by_ats(SvaChannel *ch, SvaPort *port, uint16_t control,
                             SvaSpan *span, uint8_t access)
{
    SvaRequester *r = ch->requester;
    uint8_t rights = access | (is_execute(ch, control, access) ? SVA_EXEC : 0);
    const SvaAtcEntry *e = sva_atc_lookup(r->atc, ch->pasid,
                                          is_privileged(ch, control),
                                          span->addr);

    if (!e || (rights & ~e->rights)) {
        return channel_ask(ch, port, control, span, access, rights);
    }
    ch->count.atc_hits++;
    r->count.atc_hits++;
    return channel_translated(ch, port, e, span, access);
}

/* ---- What comes next to it ----------------------------------------------- */

static bool peek_untranslated(const SvaSpan *span, uint8_t access,
                              SvaRequest *next)
{
    *next = (SvaRequest) {
        .type = SVA_UNTRANSLATED,
        .pasid = span->pasid,
        .addr = span->addr + span->len,
        .access = access,
        .privileged = span->privileged,
        .execute = span->execute,
    };
    return sva_port_peek(span->port, next, span->pa + span->len);
}

static bool peek_translated(const SvaSpan *span, uint8_t access,
                            SvaRequest *next)
{
    uint8_t rights = access | (span->execute ? SVA_EXEC : 0);
    uint64_t addr = span->addr + span->len, offset;
    const SvaAtcEntry *e = sva_atc_lookup(span->ch->requester->atc, span->pasid,
                                          span->privileged, addr);

    if (!e || (rights & ~e->rights)) {
        return false;
    }
    offset = addr - e->addr;
    *next = (SvaRequest) {
        .type = SVA_ATS_TRANSLATED,
        .pasid = SVA_NO_PASID,
        .addr = e->translated + offset,
        .access = access,
    };
    if (!sva_port_peek(span->port, next, span->pa + span->len)) {
        return false;
    }
    next->len = MIN(next->len, (UINT64_C(1) << e->size_log2) - offset);
    span->ch->count.atc_hits++;
    span->ch->requester->count.atc_hits++;
    return true;
}

/* Memory, and not registers, which are looked at and written page by page. */
static bool is_ram(const SvaSpan *span, uint8_t access)
{
    uint64_t len = span->len;
    MemoryRegion *mr;

    return span->as == &address_space_memory &&
           sva_guest_ram(span->pa, access & SVA_WRITE, &len, &mr) &&
           len == span->len;
}

bool sva_channel_extend(SvaSpan *span, uint8_t access)
{
    SvaRequest next;

    if (!span->port || span->len >= SVA_JOINED_BYTES ||
        span->addr + span->len < span->addr ||
        (!span->extended && !is_ram(span, access))) {
        return false;
    }
    span->ch->requester->cost += SVA_PEEK_COST;
    if (!(span->ats ? peek_translated(span, access, &next)
                    : peek_untranslated(span, access, &next)) ||
        next.target != span->as) {
        return false;
    }
    span->len += next.len;
    span->extended = true;
    return true;
}

static bool channel_may_send(const SvaChannel *ch)
{
    const SvaRequester *r = ch->requester;

    if (sva_may_master(r->pdev)) {
        return true;
    }
    if (!sva_misbehaves(&r->misbehave, SVA_FAULT_DMA_NO_MASTER)) {
        return false;
    }
    trace_sva_misbehave(requester_name(r), "no bus master, pasid", ch->pasid);
    return true;
}

/* The first access after a wait, whatever becomes of it. */
static SvaDma channel_span_again(SvaChannel *ch, uint64_t addr, uint64_t len,
                                 uint8_t access, SvaSpan *span)
{
    SvaDma result;

    ch->was_waiting = false;
    result = sva_channel_span(ch, addr, len, access, span);
    if (result == SVA_DMA_ELSEWHERE) {
        ch->was_waiting = true;
        return result;
    }
    trace_sva_requester_retry(requester_name(ch->requester), ch->number,
                              ch->pasid, addr,
                              result == SVA_DMA_DONE ? "done" :
                              result == SVA_DMA_STALLED ? "waits again" :
                              "refused");
    return result;
}

SvaDma sva_channel_span(SvaChannel *ch, uint64_t addr, uint64_t len,
                        uint8_t access, SvaSpan *span)
{
    SvaRequester *r = ch->requester;
    uint16_t control = 0;
    SvaPort *port;

    if (unlikely(ch->was_waiting)) {
        return channel_span_again(ch, addr, len, access, span);
    }
    ch->counted = 0;
    if ((!r->port_known || r->other_iommu) && !bql_locked()) {
        return sva_channel_go_elsewhere(ch);
    }
    port = sva_requester_port(r);
    *span = (SvaSpan) { .ch = ch, .addr = addr, .len = len };
    r->cost += SVA_ACCESS_COST;

    if (ch->failed) {
        ch->failed = false;
        return sva_channel_refuse(ch, ch->req.addr, ch->req.access);
    }
    if (!channel_may_send(ch)) {
        return sva_channel_refuse(ch, addr, access);
    }
    if (ch->pasid != SVA_NO_PASID) {
        control = sva_pasid_control(r->pdev, r->pasid_cap);
        if (!(control & PCI_PASID_CTRL_ENABLE) || !port) {
            return sva_channel_refuse(ch, addr, access);
        }
    }
    if ((access & SVA_WRITE) &&
        sva_misbehaves(&r->misbehave, SVA_FAULT_DMA_AFTER_RESET)) {
        sva_misbehave_note_write(&r->misbehave, ch->pasid, addr);
    }
    if (channel_take_skip(ch, addr, access)) {
        span->ignore = true;
        span->len = sva_until_boundary(addr, len);
        return SVA_DMA_DONE;
    }
    span->privileged = is_privileged(ch, control);
    span->execute = is_execute(ch, control, access);
    if (port && (r->had_ats ||
                 (r->atc && sva_misbehaves(&r->misbehave,
                                           SVA_FAULT_ATS_DISABLED)))) {
        return channel_by_ats(ch, port, control, span, access);
    }
    if (port) {
        return channel_untranslated(ch, port, control, span, access);
    }
    span->as = pci_get_address_space(r->pdev);
    span->pa = addr;
    return SVA_DMA_DONE;
}

/* A translated request's answer says nothing of it: its entry does. */
void sva_channel_answer(const SvaSpan *span, SvaAnswer *a)
{
    const SvaChannel *ch = span->ch;
    const SvaRequester *r = ch->requester;
    uint16_t control = ch->pasid == SVA_NO_PASID ? 0 :
                       sva_pasid_control(r->pdev, r->pasid_cap);
    const SvaAtcEntry *e = NULL;

    a->pa = span->pa;
    a->privileged = is_privileged(ch, control);
    a->ats = ch->req.type == SVA_ATS_TRANSLATED;
    if (a->ats) {
        e = sva_atc_lookup(r->atc, ch->pasid, a->privileged, span->addr);
    }
    a->size_log2 = e ? e->size_log2 : ch->req.size_log2;
    a->granted = e ? e->rights : ch->req.granted;
}
