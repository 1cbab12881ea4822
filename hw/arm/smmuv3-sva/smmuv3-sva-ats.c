/*
 * ATS and PRI for devices that ask through PCI's own functions
 * (pci_ats_request_translation() and its like, QEMU 10.1 and later). They are
 * synchronous and know no stall; PASID-capable endpoints of this project use
 * hw/pci/sva-port.h instead. Called by QEMU's PCI code under the big lock, and
 * by smmuv3-sva-pci.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/pci/pci_bus.h"
#include "smmuv3-sva-ats.h"

#ifdef SVA_HAVE_PCI_ATS_OPS

/* Someone who is told about one PASID of a function, or about no PASID. */
typedef struct Watch {
    uint32_t pasid;             /* PCI_NO_PASID: about accesses without one */
    union {
        IOMMUNotifier *iotlb;
        IOMMUPRINotifier *pri;
    };
} Watch;

static Watch *add_watch(GSList **watches, uint32_t pasid)
{
    Watch *watch = g_new0(Watch, 1);

    watch->pasid = pasid;
    *watches = g_slist_prepend(*watches, watch);
    return watch;
}

/* The first watch of @pasid and, unless it is NULL, of @who. */
static void remove_watch(GSList **watches, uint32_t pasid, const void *who)
{
    for (GSList *item = *watches; item; item = item->next) {
        Watch *watch = item->data;

        if (watch->pasid == pasid && (!who || watch->iotlb == who)) {
            *watches = g_slist_delete_link(*watches, item);
            g_free(watch);
            return;
        }
    }
}

/* ---- ATS -------------------------------------------------------------- */

void smmuv3_sva_get_iotlb_info(void *opaque, uint8_t *addr_width,
                               uint32_t *min_page_size)
{
    Smmuv3SvaState *s = opaque;
    const Smmu3Features *f = smmu3_features(s->core);

    *addr_width = f->vax ? 52 : 48;
    *min_page_size = f->gran4k ? 4 * KiB : f->gran16k ? 16 * KiB : 64 * KiB;
}

void smmuv3_sva_init_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                    IOMMUNotifier *n, IOMMUNotify notify,
                                    void *user_opaque)
{
    n->opaque = user_opaque;
    iommu_notifier_init(n, notify, IOMMU_NOTIFIER_DEVIOTLB_EVENTS, 0,
                        HWADDR_MAX, 0);
}

void smmuv3_sva_register_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                        uint32_t pasid, IOMMUNotifier *n)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);

    add_watch(&fn->iotlb_watches, pasid)->iotlb = n;
}

void smmuv3_sva_unregister_iotlb_notifier(PCIBus *bus, void *opaque,
                                          int devfn, uint32_t pasid,
                                          IOMMUNotifier *n)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);

    remove_watch(&fn->iotlb_watches, pasid, n);
    if (!fn->iotlb_watches) {
        smmu3_atc_flushed(fn->smmu->core, smmuv3_sva_function_sid(fn));
    }
}

/* Global invalidations are of every PASID (PCIe 10.3.8). */
static bool concerns(const Watch *watch, const Smmu3AtcInvalidate *inv)
{
    if (!inv->has_ssid) {
        return watch->pasid == PCI_NO_PASID;
    }
    return watch->pasid == inv->ssid ||
           (inv->global && watch->pasid != PCI_NO_PASID);
}

void smmuv3_sva_ats_notify(Smmuv3SvaFunction *fn,
                           const Smmu3AtcInvalidate *inv)
{
    for (GSList *item = fn->iotlb_watches; item; item = item->next) {
        Watch *watch = item->data;
        IOMMUTLBEntry entry = {
            .target_as = &address_space_memory,
            .iova = inv->addr,
            .addr_mask = smmu3_mask(inv->size_log2),
            .perm = IOMMU_NONE,
            .pasid = watch->pasid,
        };

        if (concerns(watch, inv)) {
            watch->iotlb->notify(watch->iotlb, &entry);
        }
    }
}

/* One Translation Request. Where it fails, the answer is a page without
 * rights. */
static bool request_one(Smmuv3SvaFunction *fn, Smmu3Transaction *t,
                        IOMMUTLBEntry *entry)
{
    Smmu3Translation result;
    bool ok = smmu3_translate(fn->smmu->core, t, &result) == SMMU3_OK;

    *entry = (IOMMUTLBEntry) {
        .target_as = &address_space_memory,
        .addr_mask = smmu3_mask(ok ? result.size_log2 : 12),
        .perm = IOMMU_NONE,
        .pasid = t->ssv ? t->ssid : PCI_NO_PASID,
    };
    entry->iova = t->addr & ~entry->addr_mask;
    if (ok) {
        entry->translated_addr = result.pa & ~entry->addr_mask;
        entry->perm = IOMMU_ACCESS_FLAG(result.access & SMMU3_READ,
                                        result.access & SMMU3_WRITE);
    }
    return entry->perm != IOMMU_NONE;
}

ssize_t smmuv3_sva_ats_request_translation(PCIBus *bus, void *opaque,
                                           int devfn, uint32_t pasid,
                                           bool priv, bool exec, hwaddr addr,
                                           size_t length, bool no_write,
                                           IOMMUTLBEntry *result,
                                           size_t result_length,
                                           uint32_t *err_count)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);
    Smmu3Transaction t = {
        .type = SMMU3_ATS_REQUEST,
        .sid = smmuv3_sva_function_sid(fn),
        .ssid = pasid & 0xfffff,
        .ssv = pasid != PCI_NO_PASID,
        .addr = addr,
        .access = SMMU3_READ | (no_write ? 0 : SMMU3_WRITE),
        .priv = priv,
        .ind = exec,
    };
    hwaddr last = addr + length - 1;
    size_t count = 0;

    *err_count = 0;
    if (!length || last < addr) {
        return 0;
    }
    while (count < result_length) {
        IOMMUTLBEntry *entry = &result[count++];

        if (!request_one(fn, &t, entry)) {
            (*err_count)++;
        }
        if (last - entry->iova <= entry->addr_mask) {
            return count;
        }
        t.addr = entry->iova + entry->addr_mask + 1;
    }
    return -ENOMEM;
}

/* ---- PRI -------------------------------------------------------------- */

void smmuv3_sva_pri_register_notifier(PCIBus *bus, void *opaque, int devfn,
                                      uint32_t pasid, IOMMUPRINotifier *n)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);

    remove_watch(&fn->pri_watches, pasid, NULL);
    add_watch(&fn->pri_watches, pasid)->pri = n;
}

void smmuv3_sva_pri_unregister_notifier(PCIBus *bus, void *opaque, int devfn,
                                        uint32_t pasid)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);

    remove_watch(&fn->pri_watches, pasid, NULL);
}

int smmuv3_sva_pri_request_page(PCIBus *bus, void *opaque, int devfn,
                                uint32_t pasid, bool priv, bool exec,
                                hwaddr addr, bool last, uint16_t prg_index,
                                bool read, bool write)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);
    Smmu3PageRequest request = {
        .sid = smmuv3_sva_function_sid(fn),
        .ssid = pasid & 0xfffff,
        .ssv = pasid != PCI_NO_PASID,
        .priv = priv,
        .exec = exec,
        .read = read,
        .write = write,
        .last = last,
        .prg_index = prg_index & PCI_PRI_PRGI_MASK,
        .addr = addr,
    };

    if (!smmu3_features(fn->smmu->core)->pri) {
        return -ENODEV;
    }
    smmu3_page_request(fn->smmu->core, &request);
    return 0;
}

/* A response without a PASID answers requests of any (PCIe 10.4.2.2). */
void smmuv3_sva_pri_notify(Smmuv3SvaFunction *fn,
                           const Smmu3PrgResponse *response,
                           const IOMMUPRIResponse *message)
{
    for (GSList *item = fn->pri_watches; item; item = item->next) {
        Watch *watch = item->data;

        if (!response->has_ssid || watch->pasid == response->ssid) {
            watch->pri->notify(watch->pri, message);
        }
    }
}

#endif
