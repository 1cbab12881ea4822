/*
 * sva-testdev, the far end of an IOMMU for tests: sends any one request, page
 * request or answer that its registers tell it to, whatever its capabilities'
 * enable bits say, and keeps what the IOMMU sends. Reads and writes no memory.
 * Specification: docs/specs/sva-testdev.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/sva-compat.h"
#include "hw/pci/sva-port.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "standard-headers/linux/pci_regs.h"
#include "system/runstate.h"
#include "hw/pci/sva/capability.h"
#include "moving-page.h"
#include "sva-testdev-abi.h"

#define TYPE_SVA_TESTDEV "sva-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(SvaTestdev, SVA_TESTDEV)

QEMU_BUILD_BUG_ON(SVA_TESTDEV_OK != (int)SVA_OK ||
                  SVA_TESTDEV_ABORT != (int)SVA_ABORT ||
                  SVA_TESTDEV_RAZWI != (int)SVA_RAZWI ||
                  SVA_TESTDEV_STALL != (int)SVA_STALLED ||
                  SVA_TESTDEV_UR != (int)SVA_ATS_UR ||
                  SVA_TESTDEV_CA != (int)SVA_ATS_CA);

/* Extended capabilities; nobody else adds any. */
enum {
    SERIAL_OFFSET = 0x100, PASID_OFFSET = 0x110, PRI_OFFSET = 0x120,
    ATS_OFFSET = 0x130,
};

typedef struct TestdevEntry {
    uint64_t info;          /* SVA_TESTDEV_INFO_* */
    uint64_t first, last;
} TestdevEntry;

typedef struct TestdevFifo {
    TestdevEntry entries[SVA_TESTDEV_FIFO_ENTRIES];
    uint32_t head;          /* the oldest */
    uint32_t count;
    uint32_t lost;
} TestdevFifo;

struct SvaTestdev {
    PCIDevice parent_obj;

    MemoryRegion bar;
    SvaMovingPage moving;   /* BAR2 */
    SvaPort *port;          /* NULL: there is no IOMMU that speaks it */
    SvaClient client;
    IOMMUMemoryRegion *notified;    /* where the notifier is, or NULL */
    IOMMUNotifier notifier;
    VMChangeStateEntry *vm_state;

    /* Registers */
    uint64_t req_addr, req_pasid, req_flags;
    uint64_t ans_state, ans_pa, ans_len, ans_flags;
    uint64_t prg_addr, prg_pasid;
    uint64_t inv_hold;
    uint64_t watch;
    GArray *owed;           /* tags of invalidations without an answer */
    uint32_t answered;      /* the last tag that was answered */
    TestdevFifo fifos[SVA_TESTDEV_FIFOS];

    SvaRequest req;
    bool resubmit;          /* once the machine runs: after a load */
#ifdef SVA_HAVE_PCI_ATS_OPS
    IOMMUNotifier atc_watch;
    IOMMUPRINotifier pri_watch;
#endif

    /* Properties */
    bool has_ats;
    bool is_client;
    bool notify_unmap;
    bool notify_deviotlb;
};

/* ---- What comes in ------------------------------------------------------ */

static void fifo_put(TestdevFifo *fifo, const TestdevEntry *entry)
{
    unsigned slot = (fifo->head + fifo->count) % SVA_TESTDEV_FIFO_ENTRIES;

    if (fifo->count == SVA_TESTDEV_FIFO_ENTRIES) {
        fifo->lost++;
        return;
    }
    fifo->entries[slot] = *entry;
    fifo->entries[slot].info |= SVA_TESTDEV_INFO_VALID;
    fifo->count++;
}

static uint64_t fifo_take(TestdevFifo *fifo)
{
    uint64_t info;

    if (!fifo->count) {
        return 0;
    }
    info = fifo->entries[fifo->head].info;
    fifo->entries[fifo->head] = (TestdevEntry) { 0 };
    fifo->head = (fifo->head + 1) % SVA_TESTDEV_FIFO_ENTRIES;
    fifo->count--;
    return info;
}

static uint64_t pasid_info(uint32_t pasid)
{
    return pasid == SVA_NO_PASID ? 0 :
           SVA_TESTDEV_INFO_HAS_PASID | (pasid & SVA_TESTDEV_INFO_PASID);
}

static void answer_invalidation(SvaTestdev *s, uint32_t tag)
{
    s->answered = tag;
    sva_port_invalidated(s->port, tag);
}

/* The answer may come from within: it is what a device does that is quick. */
static void testdev_invalidate(SvaClient *client, const SvaInvalidate *inv)
{
    SvaTestdev *s = container_of(client, SvaTestdev, client);
    TestdevEntry entry = {
        .info = pasid_info(inv->pasid) |
                (inv->global ? SVA_TESTDEV_INFO_GLOBAL : 0),
        .first = inv->addr,
        .last = inv->addr | MAKE_64BIT_MASK(0, inv->size_log2),
    };

    fifo_put(&s->fifos[SVA_TESTDEV_INVALIDATIONS], &entry);
    if (s->inv_hold) {
        if (s->owed->len < SVA_TESTDEV_OWED) {
            g_array_append_val(s->owed, inv->tag);
        }
    } else {
        answer_invalidation(s, inv->tag);
    }
}

static void testdev_page_response(SvaClient *client, uint32_t pasid,
                                  const IOMMUPRIResponse *response)
{
    /* As PCIe has them (10.4.2.2) */
    static const uint8_t codes[] = {
        [IOMMU_PRI_RESP_SUCCESS] = 0,
        [IOMMU_PRI_RESP_INVALID_REQUEST] = 1,
        [IOMMU_PRI_RESP_FAILURE] = 15,
    };
    SvaTestdev *s = container_of(client, SvaTestdev, client);
    TestdevEntry entry = {
        .info = pasid_info(pasid) |
                (uint64_t)(response->prgi & 0x1ff) <<
                SVA_TESTDEV_INFO_INDEX_SHIFT |
                (uint64_t)codes[response->response_code] <<
                SVA_TESTDEV_INFO_CODE_SHIFT,
    };

    fifo_put(&s->fifos[SVA_TESTDEV_RESPONSES], &entry);
}

static void testdev_notified(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    SvaTestdev *s = container_of(n, SvaTestdev, notifier);
    TestdevEntry kept = {
        .first = entry->iova,
        .last = entry->iova + entry->addr_mask,
        .info = s->notify_deviotlb ? SVA_TESTDEV_INFO_DEVIOTLB : 0,
    };

    fifo_put(&s->fifos[SVA_TESTDEV_NOTIFICATIONS], &kept);
}

static void answer_invalidations(SvaTestdev *s, uint64_t most, bool newest)
{
    for (; most && s->owed->len; most--) {
        unsigned i = newest ? s->owed->len - 1 : 0;
        uint32_t tag = g_array_index(s->owed, uint32_t, i);

        g_array_remove_index(s->owed, i);
        answer_invalidation(s, tag);
    }
}

static void write_answers(SvaTestdev *s, uint64_t value)
{
    if (value & SVA_TESTDEV_ANSWER_AGAIN) {
        if (s->port) {
            sva_port_invalidated(s->port, s->answered);
            sva_port_invalidated(s->port, s->answered + INT32_MAX);
        }
    } else {
        answer_invalidations(s, (uint32_t)value,
                             value & SVA_TESTDEV_ANSWER_NEWEST);
    }
}

/* ---- The request -------------------------------------------------------- */

static uint32_t port_pasid(uint64_t reg)
{
    return reg & SVA_TESTDEV_PASID_VALID ? reg & SVA_TESTDEV_INFO_PASID
                                         : SVA_NO_PASID;
}

static void request_end(SvaTestdev *s, unsigned resolution)
{
    s->ans_state &= ~SVA_TESTDEV_STATE_STALLED;
    s->ans_state |= resolution << SVA_TESTDEV_STATE_RESOLUTION_SHIFT;
}

static void request_resolved(SvaRequest *req, SvaResolution how)
{
    static const uint8_t resolutions[] = {
        [SVA_RETRY] = SVA_TESTDEV_RETRY,
        [SVA_FAIL] = SVA_TESTDEV_FAIL,
        [SVA_SKIP] = SVA_TESTDEV_SKIP,
    };

    request_end(container_of(req, SvaTestdev, req), resolutions[how]);
}

static bool is_stalled(const SvaTestdev *s)
{
    return s->ans_state & SVA_TESTDEV_STATE_STALLED;
}

/* Give it up, if the IOMMU has it (not so between a load and the start). */
static void request_drop(SvaTestdev *s)
{
    if (is_stalled(s) && !s->resubmit) {
        sva_port_cancel(s->port, &s->req);
    }
    s->resubmit = false;
}

static void request_cancel(SvaTestdev *s)
{
    if (is_stalled(s)) {
        request_drop(s);
        request_end(s, SVA_TESTDEV_CANCELLED);
    }
}

static void take_answer(SvaTestdev *s, SvaOutcome outcome)
{
    const SvaRequest *req = &s->req;

    s->ans_state = SVA_TESTDEV_STATE_VALID | outcome |
                   (outcome == SVA_STALLED ? SVA_TESTDEV_STATE_STALLED : 0);
    if (outcome != SVA_OK) {
        return;
    }
    s->ans_pa = req->pa;
    s->ans_len = req->len;
    s->ans_flags =
        (req->granted & SVA_READ ? SVA_TESTDEV_ANS_READ : 0) |
        (req->granted & SVA_WRITE ? SVA_TESTDEV_ANS_WRITE : 0) |
        (req->granted & SVA_EXEC ? SVA_TESTDEV_ANS_EXEC : 0) |
        (req->global ? SVA_TESTDEV_ANS_GLOBAL : 0);
}

static void request_to_port(SvaTestdev *s)
{
    uint64_t flags = s->req_flags;

    s->req = (SvaRequest) {
        .type = flags & SVA_TESTDEV_REQ_TYPE,
        .pasid = port_pasid(s->req_pasid),
        .addr = s->req_addr,
        .access = (flags & SVA_TESTDEV_REQ_READ ? SVA_READ : 0) |
                  (flags & SVA_TESTDEV_REQ_WRITE ? SVA_WRITE : 0),
        .privileged = flags & SVA_TESTDEV_REQ_PRIV,
        .execute = flags & SVA_TESTDEV_REQ_EXEC,
        .may_stall = flags & SVA_TESTDEV_REQ_MAY_STALL,
        .resolved = request_resolved,
    };
    take_answer(s, sva_port_submit(s->port, &s->req));
}

#ifdef SVA_HAVE_PCI_ATS_OPS
/* By QEMU's own function, which checks the enable bits and tells less. */
static void request_by_pci(SvaTestdev *s)
{
    uint64_t flags = s->req_flags;
    uint32_t pasid = port_pasid(s->req_pasid), errors = 0;
    IOMMUTLBEntry entry;
    ssize_t count;

    count = pci_ats_request_translation(
        PCI_DEVICE(s), pasid,
        flags & SVA_TESTDEV_REQ_PRIV, flags & SVA_TESTDEV_REQ_EXEC,
        s->req_addr, 1, !(flags & SVA_TESTDEV_REQ_WRITE), &entry, 1, &errors);
    if (count != 1) {
        s->ans_state = SVA_TESTDEV_STATE_REFUSED;
        return;
    }
    s->req = (SvaRequest) {
        .pa = entry.translated_addr | (s->req_addr & entry.addr_mask),
        .len = entry.addr_mask - (s->req_addr & entry.addr_mask) + 1,
        .granted = (entry.perm & IOMMU_RO ? SVA_READ : 0) |
                   (entry.perm & IOMMU_WO ? SVA_WRITE : 0),
    };
    take_answer(s, SVA_OK);
}
#else
static void request_by_pci(SvaTestdev *s)
{
    s->ans_state = SVA_TESTDEV_STATE_REFUSED;
}
#endif

static void request_submit(SvaTestdev *s)
{
    if (is_stalled(s)) {
        qemu_log_mask(LOG_GUEST_ERROR, "sva-testdev: a request is stalled\n");
        return;
    }
    s->ans_pa = s->ans_len = s->ans_flags = 0;
    if (s->req_flags & SVA_TESTDEV_REQ_BY_PCI) {
        request_by_pci(s);
    } else if (!s->port || (s->req_flags & SVA_TESTDEV_REQ_TYPE) >
                           SVA_TESTDEV_REQ_TRANSLATED) {
        s->ans_state = SVA_TESTDEV_STATE_REFUSED;
    } else {
        request_to_port(s);
    }
}

/* ---- By QEMU's own functions -------------------------------------------- */

#ifdef SVA_HAVE_PCI_ATS_OPS
static void page_request_by_pci(SvaTestdev *s, const SvaPageRequest *req)
{
    pci_pri_request_page(PCI_DEVICE(s), port_pasid(s->prg_pasid),
                         req->privileged, req->execute, req->addr, req->last,
                         req->prg_index, req->read, req->write);
}

static void atc_watch_told(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    SvaTestdev *s = container_of(n, SvaTestdev, atc_watch);
    TestdevEntry kept = {
        .first = entry->iova,
        .last = entry->iova + entry->addr_mask,
        .info = pasid_info(entry->pasid),
    };

    fifo_put(&s->fifos[SVA_TESTDEV_INVALIDATIONS], &kept);
}

static void pri_watch_told(IOMMUPRINotifier *n, IOMMUPRIResponse *response)
{
    SvaTestdev *s = container_of(n, SvaTestdev, pri_watch);

    testdev_page_response(&s->client, port_pasid(s->watch), response);
}

/* PCI lets nobody go whose PASIDs have been disabled since. */
static void watch_end(SvaTestdev *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    uint8_t *control = pdev->config + PASID_OFFSET + PCI_PASID_CTRL;
    uint16_t before = pci_get_word(control);

    if (s->watch & SVA_TESTDEV_WATCH_ON) {
        pci_set_word(control, before | PCI_PASID_CTRL_ENABLE);
        pci_iommu_unregister_iotlb_notifier(pdev, port_pasid(s->watch),
                                            &s->atc_watch);
        pci_pri_unregister_notifier(pdev, port_pasid(s->watch));
        pci_set_word(control, before);
    }
    s->watch = 0;
}

static void watch_begin(SvaTestdev *s, uint64_t value)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    uint32_t pasid = port_pasid(value);

    if (pci_iommu_init_iotlb_notifier(pdev, &s->atc_watch, atc_watch_told,
                                      NULL) ||
        pci_iommu_register_iotlb_notifier(pdev, pasid, &s->atc_watch)) {
        return;
    }
    s->watch = value;
    s->pri_watch.notify = pri_watch_told;
    if (pci_pri_register_notifier(pdev, pasid, &s->pri_watch)) {
        watch_end(s);
    }
}
#else
static void page_request_by_pci(SvaTestdev *s, const SvaPageRequest *req)
{
}

static void watch_end(SvaTestdev *s)
{
}

static void watch_begin(SvaTestdev *s, uint64_t value)
{
}
#endif

static void watch_set(SvaTestdev *s, uint64_t value)
{
    watch_end(s);
    if (value & SVA_TESTDEV_WATCH_ON) {
        watch_begin(s, value);
    }
}

static void page_request_send(SvaTestdev *s, uint64_t value)
{
    SvaPageRequest req = {
        .pasid = port_pasid(s->prg_pasid),
        .read = value & SVA_TESTDEV_PRG_READ,
        .write = value & SVA_TESTDEV_PRG_WRITE,
        .execute = value & SVA_TESTDEV_PRG_EXEC,
        .privileged = value & SVA_TESTDEV_PRG_PRIV,
        .last = value & SVA_TESTDEV_PRG_LAST,
        .prg_index = value & SVA_TESTDEV_PRG_INDEX,
        .addr = s->prg_addr,
    };

    if (value & SVA_TESTDEV_PRG_BY_PCI) {
        page_request_by_pci(s, &req);
    } else if (s->port) {
        sva_port_page_request(s->port, &req);
    }
}

/* ---- Waiting ------------------------------------------------------------ */

static void poll_main_loop(uint64_t turns)
{
    for (turns = MIN(turns, 1000); turns; turns--) {
        aio_poll(qemu_get_aio_context(), false);
    }
}

/* ---- Registers ---------------------------------------------------------- */

static uint64_t fifo_read(SvaTestdev *s, hwaddr offset)
{
    hwaddr from_first = offset - SVA_TESTDEV_FIFO(0);
    hwaddr stride = SVA_TESTDEV_FIFO(1) - SVA_TESTDEV_FIFO(0);
    TestdevFifo *fifo;

    if (from_first >= SVA_TESTDEV_FIFOS * stride) {
        return 0;
    }
    fifo = &s->fifos[from_first / stride];
    switch (from_first % stride) {
    case SVA_TESTDEV_FIFO_COUNT:
        return (uint64_t)fifo->lost << 32 | fifo->count;
    case SVA_TESTDEV_FIFO_FIRST:
        return fifo->entries[fifo->head].first;
    case SVA_TESTDEV_FIFO_LAST:
        return fifo->entries[fifo->head].last;
    default:
        return fifo_take(fifo);
    }
}

static uint64_t testdev_read(void *opaque, hwaddr offset, unsigned size)
{
    SvaTestdev *s = opaque;

    switch (offset) {
    case SVA_TESTDEV_MAGIC:
        return SVA_TESTDEV_MAGIC_VALUE;
    case SVA_TESTDEV_REQ_ADDR:
        return s->req_addr;
    case SVA_TESTDEV_REQ_PASID:
        return s->req_pasid;
    case SVA_TESTDEV_REQ_FLAGS:
        return s->req_flags;
    case SVA_TESTDEV_ANS_STATE:
        return s->ans_state;
    case SVA_TESTDEV_ANS_PA:
        return s->ans_pa;
    case SVA_TESTDEV_ANS_LEN:
        return s->ans_len;
    case SVA_TESTDEV_ANS_FLAGS:
        return s->ans_flags;
    case SVA_TESTDEV_PRG_ADDR:
        return s->prg_addr;
    case SVA_TESTDEV_PRG_PASID:
        return s->prg_pasid;
    case SVA_TESTDEV_INV_HOLD:
        return s->inv_hold;
    case SVA_TESTDEV_INV_ANSWER:
        return s->owed->len;
    case SVA_TESTDEV_WATCH:
        return s->watch;
    default:
        return fifo_read(s, offset);
    }
}

static void testdev_write(void *opaque, hwaddr offset, uint64_t value,
                          unsigned size)
{
    const uint64_t pasid_bits = SVA_TESTDEV_PASID_VALID |
                                SVA_TESTDEV_INFO_PASID;
    SvaTestdev *s = opaque;

    switch (offset) {
    case SVA_TESTDEV_REQ_ADDR:
        s->req_addr = value;
        break;
    case SVA_TESTDEV_REQ_PASID:
        s->req_pasid = value & pasid_bits;
        break;
    case SVA_TESTDEV_REQ_FLAGS:
        s->req_flags = value & SVA_TESTDEV_REQ_MASK;
        break;
    case SVA_TESTDEV_REQ_CTRL:
        if (value == SVA_TESTDEV_CTRL_SUBMIT) {
            request_submit(s);
        } else if (value == SVA_TESTDEV_CTRL_CANCEL) {
            request_cancel(s);
        }
        break;
    case SVA_TESTDEV_PRG_ADDR:
        s->prg_addr = value;
        break;
    case SVA_TESTDEV_PRG_PASID:
        s->prg_pasid = value & pasid_bits;
        break;
    case SVA_TESTDEV_PRG_SEND:
        page_request_send(s, value);
        break;
    case SVA_TESTDEV_INV_HOLD:
        s->inv_hold = value & 1;
        break;
    case SVA_TESTDEV_INV_ANSWER:
        write_answers(s, value);
        break;
    case SVA_TESTDEV_WATCH:
        watch_set(s, value & (pasid_bits | SVA_TESTDEV_WATCH_ON));
        break;
    case SVA_TESTDEV_POLL:
        poll_main_loop(value);
        break;
    default:
        qemu_log_mask(LOG_GUEST_ERROR, "sva-testdev: 0x%" HWADDR_PRIx
                      " cannot be written\n", offset);
        break;
    }
}

static const MemoryRegionOps testdev_ops = {
    .read = testdev_read,
    .write = testdev_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 8, .max_access_size = 8 },
    .impl = { .min_access_size = 8, .max_access_size = 8 },
};

/* ---- The PCI function --------------------------------------------------- */

static void testdev_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                                 int len)
{
    pci_default_write_config(pdev, addr, val, len);
    pcie_cap_flr_write_config(pdev, addr, val, len);
}

/* What it owes is answered: nothing is cached any more. */
static void testdev_quiet(SvaTestdev *s)
{
    request_cancel(s);
    answer_invalidations(s, UINT64_MAX, false);
    watch_end(s);
}

static void testdev_reset_hold(Object *obj, ResetType type)
{
    SvaTestdev *s = SVA_TESTDEV(obj);
    uint8_t *config = PCI_DEVICE(s)->config;

    testdev_quiet(s);
    s->req_addr = s->req_pasid = s->req_flags = 0;
    s->ans_state = s->ans_pa = s->ans_len = s->ans_flags = 0;
    s->prg_addr = s->prg_pasid = 0;
    s->inv_hold = 0;
    memset(s->fifos, 0, sizeof(s->fifos));
    sva_moving_page_reset(&s->moving);
    sva_pasid_cap_reset(PCI_DEVICE(s), PASID_OFFSET);
    pci_set_word(config + PRI_OFFSET + PCI_PRI_CTRL, 0);
    if (s->has_ats) {
        pci_set_word(config + ATS_OFFSET + PCI_ATS_CTRL, 0);
    }
}

/* PCIe 10.5.2; QEMU has a function for it from 10.1 on only. */
static void add_pri(PCIDevice *pdev)
{
    uint8_t *cap = pdev->config + PRI_OFFSET;

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PRI, 1, PRI_OFFSET,
                        PCI_EXT_CAP_PRI_SIZEOF);
    pci_set_word(cap + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED);
    pci_set_long(cap + PCI_PRI_MAX_REQ, 512);
    pci_set_word(pdev->wmask + PRI_OFFSET + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
    pci_set_long(pdev->wmask + PRI_OFFSET + PCI_PRI_ALLOC_REQ, UINT32_MAX);
#ifdef SVA_HAVE_PCI_ATS_OPS
    pdev->exp.pri_cap = PRI_OFFSET;
    pdev->exp.pasid_cap = PASID_OFFSET;
#endif
}

static bool add_notifier(SvaTestdev *s, Error **errp)
{
    AddressSpace *as = pci_device_iommu_address_space(PCI_DEVICE(s));
    IOMMUMemoryRegion *iommu = memory_region_get_iommu(as->root);
    int flags = (s->notify_unmap ? IOMMU_NOTIFIER_UNMAP : 0) |
                (s->notify_deviotlb ? IOMMU_NOTIFIER_DEVIOTLB_UNMAP : 0);

    if (!flags) {
        return true;
    }
    if (s->notify_unmap && s->notify_deviotlb) {
        error_setg(errp, "notify-unmap and notify-deviotlb exclude each "
                   "other");
        return false;
    }
    if (!iommu) {
        error_setg(errp, "there is no IOMMU to be notified by");
        return false;
    }
    iommu_notifier_init(&s->notifier, testdev_notified, flags, 0, HWADDR_MAX,
                        0);
    if (memory_region_register_iommu_notifier(MEMORY_REGION(iommu),
                                              &s->notifier, errp)) {
        return false;
    }
    s->notified = iommu;
    return true;
}

/* The IOMMU forgot what was stalled: its requester asks again. */
static void testdev_vm_state(void *opaque, bool running, RunState state)
{
    SvaTestdev *s = opaque;

    if (running && s->resubmit) {
        s->resubmit = false;
        s->ans_state = 0;
        request_submit(s);
    }
}

static void testdev_realize(PCIDevice *pdev, Error **errp)
{
    SvaTestdev *s = SVA_TESTDEV(pdev);

    if (pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "there is no room for the PCI Express capability");
        return;
    }
    pcie_cap_flr_init(pdev);
    sva_serial_cap_init(pdev, SERIAL_OFFSET);
    sva_pasid_cap_init(pdev, PASID_OFFSET, 20, true, true);
    add_pri(pdev);
    if (s->has_ats) {
        pcie_ats_init(pdev, ATS_OFFSET, true);
    }
    if (!add_notifier(s, errp)) {
        pcie_cap_exit(pdev);
        return;
    }
    memory_region_init_io(&s->bar, OBJECT(s), &testdev_ops, s,
                          TYPE_SVA_TESTDEV, SVA_TESTDEV_BAR_BYTES);
    pci_register_bar(pdev, SVA_TESTDEV_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->bar);
    sva_moving_page_init(&s->moving, pdev, SVA_TESTDEV_MOVING_BAR);
    s->client = (SvaClient) {
        .invalidate = testdev_invalidate,
        .page_response = testdev_page_response,
    };
    s->owed = g_array_new(false, false, sizeof(uint32_t));
    s->port = sva_port_find(pdev);
    if (s->port && s->is_client) {
        sva_port_set_client(s->port, &s->client);
    }
    s->vm_state = qemu_add_vm_change_state_handler(testdev_vm_state, s);
}

static void testdev_exit(PCIDevice *pdev)
{
    SvaTestdev *s = SVA_TESTDEV(pdev);

    request_cancel(s);
    watch_end(s);
    if (s->port && s->is_client) {
        /* The port answers what is owed */
        sva_port_set_client(s->port, NULL);
    }
    g_array_free(s->owed, TRUE);
    if (s->notified) {
        memory_region_unregister_iommu_notifier(MEMORY_REGION(s->notified),
                                                &s->notifier);
    }
    qemu_del_vm_change_state_handler(s->vm_state);
    sva_moving_page_exit(&s->moving);
    pcie_cap_exit(pdev);
}

/* ---- Migration ---------------------------------------------------------- */

static int testdev_pre_load(void *opaque)
{
    SvaTestdev *s = opaque;

    /* loadvm may come while a request is stalled here. */
    testdev_quiet(s);
    sva_moving_page_reset(&s->moving);
    return 0;
}

static int testdev_post_load(void *opaque, int version_id)
{
    SvaTestdev *s = opaque;

    for (unsigned i = 0; i < SVA_TESTDEV_FIFOS; i++) {
        if (s->fifos[i].head >= SVA_TESTDEV_FIFO_ENTRIES ||
            s->fifos[i].count > SVA_TESTDEV_FIFO_ENTRIES) {
            /* A snapshot that is refused leaves a machine that can go on. */
            memset(s->fifos, 0, sizeof(s->fifos));
            return -EINVAL;
        }
    }
    s->req_flags &= SVA_TESTDEV_REQ_MASK;
    s->resubmit = is_stalled(s);
    return 0;
}

static const VMStateDescription vmstate_testdev_entry = {
    .name = "sva-testdev/entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(info, TestdevEntry),
        VMSTATE_UINT64(first, TestdevEntry),
        VMSTATE_UINT64(last, TestdevEntry),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_testdev_fifo = {
    .name = "sva-testdev/fifo",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(entries, TestdevFifo, SVA_TESTDEV_FIFO_ENTRIES, 1,
                             vmstate_testdev_entry, TestdevEntry),
        VMSTATE_UINT32(head, TestdevFifo),
        VMSTATE_UINT32(count, TestdevFifo),
        VMSTATE_UINT32(lost, TestdevFifo),
        VMSTATE_END_OF_LIST()
    }
};

static bool moving_page_needed(void *opaque)
{
    SvaTestdev *s = opaque;

    return sva_moving_page_is_in_use(&s->moving);
}

static const VMStateDescription vmstate_testdev_moving = {
    .name = "sva-testdev/moving",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = moving_page_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(moving, SvaTestdev, 1, vmstate_sva_moving_page,
                       SvaMovingPage),
        VMSTATE_END_OF_LIST()
    }
};

/*
 * What it owed is not here: the other IOMMU has asked for nothing. Nor is whom
 * it listens to by PCI's functions: a test says so again. Version 1 had no serial
 * number.
 */
static const VMStateDescription vmstate_testdev = {
    .name = TYPE_SVA_TESTDEV,
    .version_id = 2,
    .minimum_version_id = 2,
    .pre_load = testdev_pre_load,
    .post_load = testdev_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, SvaTestdev),
        VMSTATE_UINT64(req_addr, SvaTestdev),
        VMSTATE_UINT64(req_pasid, SvaTestdev),
        VMSTATE_UINT64(req_flags, SvaTestdev),
        VMSTATE_UINT64(ans_state, SvaTestdev),
        VMSTATE_UINT64(ans_pa, SvaTestdev),
        VMSTATE_UINT64(ans_len, SvaTestdev),
        VMSTATE_UINT64(ans_flags, SvaTestdev),
        VMSTATE_UINT64(prg_addr, SvaTestdev),
        VMSTATE_UINT64(prg_pasid, SvaTestdev),
        VMSTATE_UINT64(inv_hold, SvaTestdev),
        VMSTATE_STRUCT_ARRAY(fifos, SvaTestdev, SVA_TESTDEV_FIFOS, 1,
                             vmstate_testdev_fifo, TestdevFifo),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_testdev_moving,
        NULL
    }
};

/* ---- The type ----------------------------------------------------------- */

static const Property testdev_properties[] = {
    DEFINE_PROP_BOOL("ats", SvaTestdev, has_ats, true),
    DEFINE_PROP_BOOL("client", SvaTestdev, is_client, true),
    DEFINE_PROP_BOOL("notify-unmap", SvaTestdev, notify_unmap, false),
    DEFINE_PROP_BOOL("notify-deviotlb", SvaTestdev, notify_deviotlb, false),
};

static void testdev_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "For tests of IOMMUs only: sends any request it is told to";
    dc->vmsd = &vmstate_testdev;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, testdev_properties);
    object_class_property_set_description(oc, "ats",
        "Has an ATS capability");
    object_class_property_set_description(oc, "client",
        "Gets and answers ATC invalidations and page responses itself");
    object_class_property_set_description(oc, "notify-unmap",
        "Listens to what goes from the IOMMU's TLB");
    object_class_property_set_description(oc, "notify-deviotlb",
        "Listens to what goes from devices' caches (with client=off)");
    rc->phases.hold = testdev_reset_hold;

    pc->realize = testdev_realize;
    pc->exit = testdev_exit;
    pc->config_write = testdev_config_write;
    pc->vendor_id = SVA_TESTDEV_VENDOR_ID;
    pc->device_id = SVA_TESTDEV_DEVICE_ID;
    pc->class_id = PCI_CLASS_OTHERS;
}

static const TypeInfo testdev_types[] = {
    {
        .name = TYPE_SVA_TESTDEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(SvaTestdev),
        .class_init = testdev_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { }
        },
    },
};

DEFINE_TYPES(testdev_types)
