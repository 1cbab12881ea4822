/*
 * A function's Page Request Interface, see page-request.h. PRI has no time-out:
 * whoever waits does so until software answers, gives up, or resets something.
 * Called by requester.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "standard-headers/linux/pci_regs.h"
#include "page-request.h"
#include "trace.h"

static const char *name_of(const SvaPageRequests *p)
{
    return p->pdev->qdev.id ?: p->pdev->name;
}

static const char *response_name(IOMMUPRIResponseCode code)
{
    return code == IOMMU_PRI_RESP_SUCCESS ? "success" :
           code == IOMMU_PRI_RESP_INVALID_REQUEST ? "invalid" : "failure";
}

/* ---- Registers ---------------------------------------------------------- */

static uint8_t *reg(const SvaPageRequests *p, unsigned offset)
{
    return p->pdev->config + p->cap + offset;
}

static bool is_enabled(const SvaPageRequests *p)
{
    return p->cap && (pci_get_word(reg(p, PCI_PRI_CTRL)) & PCI_PRI_CTRL_ENABLE);
}

static void set_status(SvaPageRequests *p, uint16_t bits)
{
    pci_word_test_and_set_mask(reg(p, PCI_PRI_STATUS), bits);
}

static uint32_t allocation(const SvaPageRequests *p)
{
    if (sva_misbehaves(p->misbehave, SVA_FAULT_PRI_EXCESS)) {
        return SVA_PRG_INDICES * SVA_PRG_MOST_PAGES;
    }
    return MIN(pci_get_long(reg(p, PCI_PRI_ALLOC_REQ)), SVA_PRI_CAPACITY);
}

bool sva_page_requests_usable(const SvaPageRequests *p)
{
    bool may_ask = is_enabled(p) ||
        (p->cap && sva_misbehaves(p->misbehave, SVA_FAULT_PRI_DISABLED));

    return may_ask && !p->has_failed && allocation(p);
}

/* "Stopped" tells software that it may disable what the requests are for. */
static void stop_if_over(SvaPageRequests *p)
{
    if (p->cap && !is_enabled(p) && !p->outstanding) {
        set_status(p, PCI_PRI_STATUS_STOPPED);
    }
}

/* ---- Groups ------------------------------------------------------------- */

static void waiter_answer(SvaPageWaiter *w, SvaPageAnswer answer)
{
    w->state = SVA_PAGE_IDLE;
    w->answered(w, answer);
}

/* Free @group; @answer is for who still waits for it. */
static void group_end(SvaPageRequests *p, SvaPageGroup *group,
                      SvaPageAnswer answer)
{
    SvaPageWaiter *w = group->waiter;

    p->outstanding -= group->pages;
    *group = (SvaPageGroup) { 0 };
    if (w) {
        waiter_answer(w, answer);
    }
}

static void end_queued(SvaPageRequests *p, SvaPageAnswer answer)
{
    SvaPageWaiter *w;

    while ((w = QTAILQ_FIRST(&p->queue)) != NULL) {
        QTAILQ_REMOVE(&p->queue, w, next);
        waiter_answer(w, answer);
    }
    for (unsigned i = 0; i < SVA_PAGE_PAUSES; i++) {
        while ((w = QTAILQ_FIRST(&p->paused[i])) != NULL) {
            QTAILQ_REMOVE(&p->paused[i], w, next);
            waiter_answer(w, answer);
        }
    }
}

static void end_all(SvaPageRequests *p, SvaPageAnswer answer)
{
    for (unsigned i = 0; i < SVA_PRG_INDICES; i++) {
        if (p->groups[i].pages) {
            group_end(p, &p->groups[i], answer);
        }
    }
    end_queued(p, answer);
}

/* A group for @w, of as many pages as there is room for, or NULL. */
static SvaPageGroup *group_begin(SvaPageRequests *p, SvaPageWaiter *w)
{
    uint32_t most = allocation(p);
    SvaPageGroup *group;

    if (p->outstanding >= most) {
        return NULL;
    }
    for (unsigned i = 0; i < SVA_PRG_INDICES; i++) {
        w->prg_index = p->next_index;
        group = &p->groups[p->next_index];
        p->next_index = (p->next_index + 1) % SVA_PRG_INDICES;
        if (!group->pages) {
            *group = (SvaPageGroup) {
                .pasid = w->first.pasid, .waiter = w,
                .pages = MIN(w->pages, most - p->outstanding),
            };
            p->outstanding += group->pages;
            return group;
        }
    }
    return NULL;
}

/* ---- Messages ----------------------------------------------------------- */

/*
 * One message for each page. The IOMMU may answer from within, as it does when
 * it has no queue: then the group is no more, and the rest of it is not sent.
 */
static void send_group(SvaPageRequests *p, SvaPageWaiter *w, unsigned pages)
{
    SvaPageRequest message = w->first;

    message.prg_index = w->prg_index;
    for (unsigned i = 0; i < pages && w->state == SVA_PAGE_SENT; i++) {
        message.last = i == pages - 1;
        trace_sva_page_request(name_of(p), w->channel, message.prg_index,
                               message.pasid, message.addr, message.read,
                               message.write, message.last);
        sva_port_page_request(w->port, &message);
        message.addr += UINT64_C(1) << PCI_ATS_MIN_STU;
    }
}

/* Send what has been waiting for room. */
static void serve(SvaPageRequests *p)
{
    SvaPageGroup *group;
    SvaPageWaiter *w;

    if (p->is_serving) {
        return;     /* an answer from within: the loop goes on below */
    }
    p->is_serving = true;
    while (sva_page_requests_usable(p) &&
           (w = QTAILQ_FIRST(&p->queue)) != NULL &&
           (group = group_begin(p, w)) != NULL) {
        QTAILQ_REMOVE(&p->queue, w, next);
        w->state = SVA_PAGE_SENT;
        send_group(p, w, group->pages);
    }
    p->is_serving = false;
}

/* ---- Asking, and asking again ------------------------------------------- */

static void enqueue(SvaPageRequests *p, SvaPageWaiter *w)
{
    w->state = SVA_PAGE_QUEUED;
    QTAILQ_INSERT_TAIL(&p->queue, w, next);
}

/* The one that is due next, or NULL. */
static SvaPageWaiter *next_due(const SvaPageRequests *p)
{
    SvaPageWaiter *next = NULL;

    for (unsigned i = 0; i < SVA_PAGE_PAUSES; i++) {
        SvaPageWaiter *w = QTAILQ_FIRST(&p->paused[i]);

        if (w && (!next || w->due_ns < next->due_ns)) {
            next = w;
        }
    }
    return next;
}

static void set_timer(SvaPageRequests *p)
{
    const SvaPageWaiter *w = next_due(p);

    if (w) {
        timer_mod(p->timer, MAX(w->due_ns, p->not_before_ns));
    }
}

static void pause_for_a_while(SvaPageRequests *p, SvaPageWaiter *w)
{
    w->state = SVA_PAGE_PAUSED;
    w->pause = MIN(w->vain - 2, SVA_PAGE_PAUSES - 1);
    w->due_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                (SVA_PAGE_PAUSE_NS << w->pause);
    QTAILQ_INSERT_TAIL(&p->paused[w->pause], w, next);
    set_timer(p);
}

void sva_page_requests_ask_again(SvaPageRequests *p)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    unsigned count = 0;
    SvaPageWaiter *w;

    while (count < SVA_PAGE_AGAIN_AT_ONCE && (w = next_due(p)) != NULL &&
           w->due_ns <= now) {
        QTAILQ_REMOVE(&p->paused[w->pause], w, next);
        enqueue(p, w);
        count++;
    }
    p->not_before_ns = now + count * SVA_PAGE_PAUSE_NS;
    set_timer(p);
    serve(p);
}

void sva_page_requests_ask(SvaPageRequests *p, SvaPageWaiter *w)
{
    if (w->vain > 1) {
        pause_for_a_while(p, w);
        return;
    }
    enqueue(p, w);
    serve(p);
}

void sva_page_requests_cancel(SvaPageRequests *p, SvaPageWaiter *w)
{
    if (w->state == SVA_PAGE_QUEUED) {
        QTAILQ_REMOVE(&p->queue, w, next);
    } else if (w->state == SVA_PAGE_PAUSED) {
        QTAILQ_REMOVE(&p->paused[w->pause], w, next);
    } else if (w->state == SVA_PAGE_SENT) {
        p->groups[w->prg_index].waiter = NULL;
    }
    w->state = SVA_PAGE_IDLE;
}

void sva_page_requests_stop(SvaPageRequests *p, SvaPort *port, uint32_t pasid)
{
    SvaPageRequest marker = { .pasid = pasid, .last = true };
    bool is_known = false;

    for (unsigned i = 0; i < SVA_PRG_INDICES; i++) {
        is_known |= p->groups[i].pages && p->groups[i].pasid == pasid;
    }
    if (is_known && pasid != SVA_NO_PASID && port && is_enabled(p)) {
        trace_sva_page_request_stop(name_of(p), pasid);
        sva_port_page_request(port, &marker);
    }
}

/*
 * An IOMMU that has no queue answers without a PASID (IHI 0070 8.2), so a
 * failure is believed as it is.
 */
static SvaPageGroup *group_of(SvaPageRequests *p, uint32_t pasid,
                              const IOMMUPRIResponse *response)
{
    bool names_pasid = pci_get_word(reg(p, PCI_PRI_STATUS)) &
                       PCI_PRI_STATUS_PASID;
    SvaPageGroup *group;

    if (response->prgi >= SVA_PRG_INDICES) {
        return NULL;
    }
    group = &p->groups[response->prgi];
    return group->pages &&
           (!names_pasid || group->pasid == pasid ||
            response->response_code == IOMMU_PRI_RESP_FAILURE) ? group : NULL;
}

/* PCIe 10.4.2 and 10.5.2.3. */
void sva_page_requests_respond(SvaPageRequests *p, uint32_t pasid,
                               const IOMMUPRIResponse *response)
{
    SvaPageGroup *group;

    if (!p->cap || p->has_failed) {
        return;
    }
    group = group_of(p, pasid, response);
    trace_sva_page_response(name_of(p), response->prgi, pasid,
                            response_name(response->response_code),
                            group != NULL);
    if (!group) {
        set_status(p, PCI_PRI_STATUS_UPRGI);
        return;
    }
    switch (response->response_code) {
    case IOMMU_PRI_RESP_SUCCESS:
        group_end(p, group, SVA_PAGE_SUCCESS);
        break;
    case IOMMU_PRI_RESP_INVALID_REQUEST:
        group_end(p, group, SVA_PAGE_INVALID);
        break;
    case IOMMU_PRI_RESP_FAILURE:
    default:
        p->has_failed = true;
        set_status(p, PCI_PRI_STATUS_RF);
        end_all(p, SVA_PAGE_FAILURE);
        break;
    }
    serve(p);
    stop_if_over(p);
}

/* ---- What software does to the interface -------------------------------- */

static void forget_all(SvaPageRequests *p, SvaPageAnswer answer)
{
    end_all(p, answer);
    p->next_index = 0;
    p->has_failed = false;
    stop_if_over(p);
}

void sva_page_requests_config_written(SvaPageRequests *p)
{
    bool enabled = is_enabled(p), reset;

    if (!p->cap) {
        return;
    }
    reset = pci_word_test_and_clear_mask(reg(p, PCI_PRI_CTRL),
                                         PCI_PRI_CTRL_RESET);
    if (enabled != p->was_enabled) {
        p->was_enabled = enabled;
        trace_sva_page_requests_enabled(name_of(p), enabled, allocation(p));
        if (enabled) {
            p->has_failed = false;
            pci_word_test_and_clear_mask(reg(p, PCI_PRI_STATUS),
                                         PCI_PRI_STATUS_STOPPED |
                                         PCI_PRI_STATUS_RF |
                                         PCI_PRI_STATUS_UPRGI);
        } else {
            end_queued(p, SVA_PAGE_OFF);
        }
    }
    if (reset && !enabled) {
        forget_all(p, SVA_PAGE_OFF);
    }
    serve(p);
    stop_if_over(p);
}

void sva_page_requests_reset(SvaPageRequests *p)
{
    if (!p->cap) {
        return;
    }
    pci_set_word(reg(p, PCI_PRI_CTRL), 0);
    pci_set_long(reg(p, PCI_PRI_ALLOC_REQ), 0);
    pci_word_test_and_clear_mask(reg(p, PCI_PRI_STATUS),
                                 PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
    p->was_enabled = false;
    forget_all(p, SVA_PAGE_OFF);
}

void sva_page_requests_init(SvaPageRequests *p, PCIDevice *pdev, uint16_t cap,
                            const SvaMisbehave *misbehave)
{
    *p = (SvaPageRequests) {
        .pdev = pdev, .cap = cap, .misbehave = misbehave,
    };
    QTAILQ_INIT(&p->queue);
    for (unsigned i = 0; i < SVA_PAGE_PAUSES; i++) {
        QTAILQ_INIT(&p->paused[i]);
    }
}

/* ---- Migration ---------------------------------------------------------- */

/*
 * A stream comes into one of these, and from there to the device once it was
 * found possible. QEMU fills in the parent.
 */
typedef struct InStream {
    SvaPageRequests *parent;
    bool has_failed;
    uint16_t next_index;
    SvaPageGroup groups[SVA_PRG_INDICES];
} InStream;

static int in_stream_pre_save(void *opaque)
{
    InStream *in = opaque;

    in->has_failed = in->parent->has_failed;
    in->next_index = in->parent->next_index;
    memcpy(in->groups, in->parent->groups, sizeof(in->groups));
    return 0;
}

static bool in_stream_is_possible(const InStream *in)
{
    for (unsigned i = 0; i < SVA_PRG_INDICES; i++) {
        if (in->groups[i].pages > SVA_PRG_MOST_PAGES) {
            return false;
        }
    }
    return in->next_index < SVA_PRG_INDICES;
}

/*
 * A response may still come for what was asked before; its index is not to be
 * given away until then. Who waited, or paused, asks again by itself.
 */
static int in_stream_post_load(void *opaque, int version_id)
{
    InStream *in = opaque;
    SvaPageRequests *p = in->parent;

    if (!in_stream_is_possible(in)) {
        return -EINVAL;
    }
    p->has_failed = in->has_failed;
    p->next_index = in->next_index;
    p->outstanding = 0;
    for (unsigned i = 0; i < SVA_PRG_INDICES; i++) {
        p->groups[i] = (SvaPageGroup) {
            .pasid = in->groups[i].pasid, .pages = in->groups[i].pages,
        };
        p->outstanding += p->groups[i].pages;
    }
    p->was_enabled = is_enabled(p);
    return 0;
}

static const VMStateDescription vmstate_sva_page_group = {
    .name = "sva-page-group",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(pasid, SvaPageGroup),
        VMSTATE_UINT8(pages, SvaPageGroup),
        VMSTATE_END_OF_LIST()
    }
};

/* Without a version, which is its parent's: vmstate_info_tmp wants it so. */
static const VMStateDescription vmstate_in_stream = {
    .name = "sva-page-requests/state",
    .pre_save = in_stream_pre_save,
    .post_load = in_stream_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(has_failed, InStream),
        VMSTATE_UINT16(next_index, InStream),
        VMSTATE_STRUCT_ARRAY(groups, InStream, SVA_PRG_INDICES, 0,
                             vmstate_sva_page_group, SvaPageGroup),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_sva_page_requests = {
    .name = "sva-page-requests",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_WITH_TMP(SvaPageRequests, InStream, vmstate_in_stream),
        VMSTATE_END_OF_LIST()
    }
};
