/*
 * A port by PCIIOMMUOps, see sva-port-pci.h: ATS and page requests of QEMU 10.1
 * and later, which its intel-iommu serves. Not a translation of its own: each
 * question is passed on, and nothing is kept of the answer. Called by endpoints
 * through the port, and by the IOMMU through its notifiers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "sva-port-pci.h"

#ifdef SVA_HAVE_PCI_ATS_OPS

/*
 * What these operations lack, and what is done about it:
 *
 *   no access with a PASID  get_address_space() has none. The question of such
 *                           an access is that of a Translation Request, whose
 *                           answer is used once and not kept
 *   no stall                an access is refused where an SMMU might stall it
 *   no reason of a refusal  a Translation Request that fails is one without
 *                           rights: never Unsupported Request or Completer
 *                           Abort, which an IOMMU would answer for bad tables
 *   no tag                  an invalidation is over when the notifier returns
 *   the big lock            is taken in them, at times; so they are called with
 *                           it alone (SvaPortOps.needs_big_lock)
 */

#define TYPE_SVA_PCI_PORT "sva-pci-port"
OBJECT_DECLARE_SIMPLE_TYPE(SvaPciPort, SVA_PCI_PORT)

/* A child of the function's device, to live as long. */
struct SvaPciPort {
    Object parent_obj;

    SvaPort port;
    PCIDevice *pdev;
    PCIBus *bus;                /* @pdev's */
    const PCIIOMMUOps *ops;
    void *iommu;                /* their opaque */
    bool may_cache;             /* the IOMMU invalidates what is cached */
    SvaClient *client;
    GHashTable *watches;        /* by PASID */
};

/*
 * An IOMMU makes an address space of each PASID that it is asked about, and
 * keeps it for ever (intel-iommu's vtd_find_add_as()); each one more costs time
 * for all that there are. PASIDs are the guest's choice, so there is an end to
 * it: those that intel-iommu says it has (ECAP.PSS), and none.
 */
enum { WATCHES_MOST = 256 + 1 };

/*
 * In which intel-iommu asserts that a request without a PASID asks for no
 * translation: interrupt messages are no DMA to it.
 */
#define X86_INTERRUPTS_FIRST    UINT64_C(0xfee00000)
#define X86_INTERRUPTS_LAST     UINT64_C(0xfeefffff)

/* What an IOMMU tells of one PASID, or of accesses without one. */
typedef struct Watch {
    SvaPciPort *p;
    uint32_t pasid;
    bool has_iotlb, has_pri;    /* it is registered */
    IOMMUNotifier iotlb;
    IOMMUPRINotifier pri;
} Watch;

/* ---- What the IOMMU says ------------------------------------------------ */

static void watch_invalidate(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    Watch *watch = container_of(n, Watch, iotlb);
    SvaClient *client = watch->p->client;
    SvaInvalidate inv = {
        .pasid = watch->pasid,
        .addr = entry->iova,
        .size_log2 = ctz64(~entry->addr_mask),
    };

    client->invalidate(client, &inv);
}

static void watch_page_response(IOMMUPRINotifier *n, IOMMUPRIResponse *response)
{
    Watch *watch = container_of(n, Watch, pri);
    SvaClient *client = watch->p->client;

    client->page_response(client, watch->pasid, response);
}

static void watch_free(void *opaque)
{
    Watch *watch = opaque;
    SvaPciPort *p = watch->p;

    if (watch->has_iotlb) {
        p->ops->unregister_iotlb_notifier(p->bus, p->iommu, p->pdev->devfn,
                                          watch->pasid, &watch->iotlb);
    }
    if (watch->has_pri) {
        p->ops->pri_unregister_notifier(p->bus, p->iommu, p->pdev->devfn,
                                        watch->pasid);
    }
    g_free(watch);
}

/*
 * From here on @pasid's invalidations and page responses are heard, if there is
 * somebody to hear them. False: these are too many PASIDs.
 */
static bool watch_pasid(SvaPciPort *p, uint32_t pasid)
{
    int devfn = p->pdev->devfn;
    Watch *watch;

    if (g_hash_table_contains(p->watches, GUINT_TO_POINTER(pasid))) {
        return true;
    }
    if (g_hash_table_size(p->watches) >= WATCHES_MOST) {
        return false;
    }
    watch = g_new0(Watch, 1);
    *watch = (Watch) {
        .p = p, .pasid = pasid, .pri.notify = watch_page_response,
        .has_iotlb = p->client && p->may_cache,
        .has_pri = p->client && p->ops->pri_register_notifier &&
                   p->ops->pri_unregister_notifier,
    };
    g_hash_table_insert(p->watches, GUINT_TO_POINTER(pasid), watch);
    if (watch->has_iotlb) {
        p->ops->init_iotlb_notifier(p->bus, p->iommu, devfn, &watch->iotlb,
                                    watch_invalidate, watch);
        p->ops->register_iotlb_notifier(p->bus, p->iommu, devfn, pasid,
                                        &watch->iotlb);
    }
    if (watch->has_pri) {
        p->ops->pri_register_notifier(p->bus, p->iommu, devfn, pasid,
                                      &watch->pri);
    }
    return true;
}

/* ---- Requests ----------------------------------------------------------- */

/* False: there is no such translation. Otherwise the answer is in @req. */
static bool ask(SvaPciPort *p, SvaRequest *req)
{
    IOMMUTLBEntry entry = { .perm = IOMMU_NONE };
    bool no_write = !(req->access & SVA_WRITE);
    uint32_t refused = 0;

    if (!watch_pasid(p, req->pasid) ||
        p->ops->ats_request_translation(p->bus, p->iommu, p->pdev->devfn,
                                        req->pasid, req->privileged,
                                        req->execute, req->addr, 1, no_write,
                                        &entry, 1, &refused) != 1) {
        return false;
    }
    req->granted = entry.perm & IOMMU_RW;
    if (!req->granted) {
        return false;
    }
    req->target = entry.target_as;
    req->pa = entry.translated_addr | (req->addr & entry.addr_mask);
    req->len = entry.addr_mask - (req->addr & entry.addr_mask);
    req->len = MAX(req->len, req->len + 1);     /* all addresses: one less */
    req->size_log2 = ctz64(~entry.addr_mask);
    return true;
}

/* A page without rights is an answer like others. */
static SvaOutcome ats_request(SvaPciPort *p, SvaRequest *req)
{
    if (!p->may_cache ||
        (req->pasid == SVA_NO_PASID && req->addr >= X86_INTERRUPTS_FIRST &&
         req->addr <= X86_INTERRUPTS_LAST)) {
        return SVA_ATS_UR;
    }
    if (!ask(p, req)) {
        req->granted = 0;
        req->size_log2 = PCI_ATS_MIN_STU;
    }
    return SVA_OK;
}

/* It goes where the address says. */
static SvaOutcome as_it_is(SvaRequest *req, AddressSpace *as)
{
    req->target = as;
    req->pa = req->addr;
    req->len = UINT64_MAX - req->addr;
    req->len = MAX(req->len, 1);
    req->size_log2 = PCI_ATS_MIN_STU;
    req->granted = req->access;
    return SVA_OK;
}

static SvaOutcome untranslated(SvaPciPort *p, SvaRequest *req)
{
    if (req->pasid == SVA_NO_PASID) {
        return as_it_is(req, pci_get_address_space(p->pdev));
    }
    return ask(p, req) && !(req->access & ~req->granted) ? SVA_OK : SVA_ABORT;
}

static SvaOutcome port_submit(SvaPort *port, SvaRequest *req)
{
    SvaPciPort *p = container_of(port, SvaPciPort, port);

    switch (req->type) {
    case SVA_ATS_REQUEST:
        return ats_request(p, req);
    case SVA_ATS_TRANSLATED:
        return as_it_is(req, &address_space_memory);
    case SVA_UNTRANSLATED:
    default:
        return untranslated(p, req);
    }
}

/* Nothing stalls. */
static void port_cancel(SvaPort *port, SvaRequest *req)
{
}

static void port_set_client(SvaPort *port, SvaClient *client)
{
    SvaPciPort *p = container_of(port, SvaPciPort, port);

    g_hash_table_remove_all(p->watches);
    p->client = client;
}

/* Nobody waits for it. */
static void port_invalidated(SvaPort *port, uint32_t tag)
{
}

/* ---- Page requests ------------------------------------------------------ */

static bool is_stop_marker(const SvaPageRequest *req)
{
    return req->last && !req->read && !req->write;
}

/*
 * What the IOMMU would have answered for software. A full queue is no reason to
 * give up: who is told so asks again.
 */
static IOMMUPRIResponseCode answer_for(int error)
{
    return error == -ENOSPC ? IOMMU_PRI_RESP_SUCCESS :
                              IOMMU_PRI_RESP_INVALID_REQUEST;
}

static void send_page_request(SvaPciPort *p, const SvaPageRequest *req)
{
    int error = -ENODEV;

    if (p->ops->pri_request_page && watch_pasid(p, req->pasid)) {
        error = p->ops->pri_request_page(p->bus, p->iommu, p->pdev->devfn,
                                         req->pasid, req->privileged,
                                         req->execute, req->addr, req->last,
                                         req->prg_index, req->read,
                                         req->write);
    }
    if (error && req->last && !is_stop_marker(req)) {
        IOMMUPRIResponse response = {
            .response_code = answer_for(error),
            .prgi = req->prg_index,
        };

        p->client->page_response(p->client, req->pasid, &response);
    }
}

typedef struct LateRequest {
    SvaPciPort *p;
    SvaPageRequest req;
} LateRequest;

static void send_late(void *opaque)
{
    g_autofree LateRequest *late = opaque;

    if (late->p->client) {
        send_page_request(late->p, &late->req);
    }
    object_unref(late->p->pdev);
}

/*
 * Who asks for a page has asked for its translation under the big lock in the
 * same step. A stop marker may come from a thread.
 */
static void port_page_request(SvaPort *port, const SvaPageRequest *req)
{
    SvaPciPort *p = container_of(port, SvaPciPort, port);
    LateRequest *late;

    if (bql_locked()) {
        send_page_request(p, req);
        return;
    }
    late = g_new(LateRequest, 1);
    *late = (LateRequest) { .p = p, .req = *req };
    object_ref(p->pdev);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), send_late, late);
}

/* ---- The port ----------------------------------------------------------- */

static const SvaPortOps sva_pci_port_ops = {
    .needs_big_lock = true,
    .submit = port_submit,
    .cancel = port_cancel,
    .set_client = port_set_client,
    .invalidated = port_invalidated,
    .page_request = port_page_request,
};

/*
 * An x86 IOMMU ends QEMU when somebody caches who is not to, without
 * device-iotlb=on or with snoop-control=on: whether he may cannot be asked.
 */
static bool iommu_lets_cache(void)
{
    Object *iommu = object_resolve_path_type("", "x86-iommu", NULL);

    if (!iommu) {
        return true;
    }
    return object_property_get_bool(iommu, "device-iotlb", NULL) &&
           !object_property_get_bool(iommu, "snoop-control", NULL);
}

SvaPort *sva_port_by_pci_ops(PCIDevice *dev, PCIBus *bus)
{
    const PCIIOMMUOps *ops = bus->iommu_ops;
    Object *child = object_resolve_path_component(OBJECT(dev), "sva-port");
    SvaPciPort *p;

    if (child) {
        return &SVA_PCI_PORT(child)->port;
    }
    if (!ops || !ops->ats_request_translation) {
        return NULL;
    }
    p = SVA_PCI_PORT(object_new(TYPE_SVA_PCI_PORT));
    object_property_add_child(OBJECT(dev), "sva-port", OBJECT(p));
    object_unref(p);
    p->pdev = dev;
    p->bus = pci_get_bus(dev);
    p->ops = ops;
    p->iommu = bus->iommu_opaque;
    p->may_cache = iommu_lets_cache() && ops->init_iotlb_notifier &&
                   ops->register_iotlb_notifier &&
                   ops->unregister_iotlb_notifier;
    return &p->port;
}

static void sva_pci_port_instance_init(Object *obj)
{
    SvaPciPort *p = SVA_PCI_PORT(obj);

    p->port.ops = &sva_pci_port_ops;
    p->watches = g_hash_table_new_full(NULL, NULL, NULL, watch_free);
}

/* The client has gone before, and took what it watched with it. */
static void sva_pci_port_finalize(Object *obj)
{
    SvaPciPort *p = SVA_PCI_PORT(obj);

    g_hash_table_destroy(p->watches);
}

static const TypeInfo sva_pci_port_types[] = {
    {
        .name = TYPE_SVA_PCI_PORT,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(SvaPciPort),
        .instance_init = sva_pci_port_instance_init,
        .instance_finalize = sva_pci_port_finalize,
    },
};

DEFINE_TYPES(sva_pci_port_types)

#endif
