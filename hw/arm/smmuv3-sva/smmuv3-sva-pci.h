/*
 * A PCI function behind the SMMU: what the files of the PCI side share. Not
 * for others, who use smmuv3-sva.h or hw/pci/sva-port.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_PCI_H
#define HW_ARM_SMMUV3_SVA_PCI_H

#include "hw/pci/pci_bus.h"
#include "hw/pci/sva-port.h"
#include "qemu/interval-tree.h"
#include "smmuv3-sva.h"

#define TYPE_SMMUV3_SVA_FUNCTION "smmuv3-sva-function"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaFunction, SMMUV3_SVA_FUNCTION)

/* A function's way to memory. It lives as long as the SMMU. */
struct Smmuv3SvaFunction {
    IOMMUMemoryRegion iommu;

    Smmuv3SvaState *smmu;
    PCIBus *bus;
    uint8_t devfn;
    const PCIDevice *bridge;    /* above the bus; NULL: it is a root bus... */
    uint8_t root_number;        /* ...with this number */
    AddressSpace as;

    /* smmuv3-sva-access.c's: what the device has mapped, by IOVA */
    IntervalTreeRoot mappings;
    QLIST_ENTRY(Smmuv3SvaFunction) next_mapped;     /* if there is any */

    QLIST_ENTRY(Smmuv3SvaFunction) next_listener;   /* if anyone listens */

    /* smmuv3-sva-port.c's */
    SvaPort port;
    SvaClient *client;
    QemuMutex owed_lock;        /* protects: */
    GHashTable *owed;           /* tags of invalidations without an answer */
    uint32_t owed_batch;        /* the core's number for all of them */
    uint32_t last_tag;
    /* smmuv3-sva-ats.c's: who watches, by PASID */
    GSList *iotlb_watches;
    GSList *pri_watches;
};

typedef struct Smmuv3SvaBus {
    PCIBus *bus;
    Smmuv3SvaFunction *functions[PCI_DEVFN_MAX];
} Smmuv3SvaBus;

/* Its StreamID, now: bus numbers are software's. */
uint32_t smmuv3_sva_function_sid(const Smmuv3SvaFunction *fn);

/* NULL: nothing at this StreamID has been used yet, or it was unplugged. */
Smmuv3SvaFunction *smmuv3_sva_find_function(Smmuv3SvaState *s, uint32_t sid);

static inline PCIDevice *smmuv3_sva_function_device(Smmuv3SvaFunction *fn)
{
    return fn->bus->devices[fn->devfn];
}

/* Tell the notifiers of one @kind that [@first, @last] is gone. */
void smmuv3_sva_notify_unmap(Smmuv3SvaFunction *fn, IOMMUNotifierFlag kind,
                             uint64_t first, uint64_t last);

/* smmuv3-sva-port.c: ports below the primary bus; the one of a new @fn. */
void smmuv3_sva_port_realize(Smmuv3SvaState *s);
void smmuv3_sva_port_init(Smmuv3SvaFunction *fn);

/* A PRG response as PCI's functions have it. */
IOMMUPRIResponse smmuv3_sva_pri_response(const Smmu3PrgResponse *response);

/*
 * How an ordinary read of @fn at @addr would be translated; @index is of its
 * memory region. Records nothing. False: it would be refused.
 */
bool smmuv3_sva_peek(Smmuv3SvaFunction *fn, uint64_t addr, int index,
                     Smmu3Translation *result);

/* ---- The access under way in this thread (smmuv3-sva-access.c) --------- */

/* Whether it was refused before, in the same 4 KiB as @iova. */
bool smmuv3_sva_access_was_refused(const Smmuv3SvaFunction *fn, uint64_t iova);
/* What became of its translation at @iova. */
void smmuv3_sva_access_refused(const Smmuv3SvaFunction *fn, uint64_t iova);
void smmuv3_sva_access_granted(Smmuv3SvaFunction *fn, uint64_t iova,
                               int index, uint64_t pa);

/* The function at @devfn of @bus, which need not exist. */
Smmuv3SvaFunction *smmuv3_sva_get_function(Smmuv3SvaState *s, PCIBus *bus,
                                           int devfn);

/*
 * Members of PCIIOMMUOps for devices that speak ATS and PRI through PCI's own
 * functions, from QEMU 10.1 on (smmuv3-sva-ats.c). Synchronous: no stalls.
 */
#ifdef SVA_HAVE_PCI_ATS_OPS
void smmuv3_sva_get_iotlb_info(void *opaque, uint8_t *addr_width,
                               uint32_t *min_page_size);
void smmuv3_sva_init_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                    IOMMUNotifier *n, IOMMUNotify notify,
                                    void *user_opaque);
void smmuv3_sva_register_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                        uint32_t pasid, IOMMUNotifier *n);
void smmuv3_sva_unregister_iotlb_notifier(PCIBus *bus, void *opaque,
                                          int devfn, uint32_t pasid,
                                          IOMMUNotifier *n);
ssize_t smmuv3_sva_ats_request_translation(PCIBus *bus, void *opaque,
                                           int devfn, uint32_t pasid,
                                           bool priv, bool exec, hwaddr addr,
                                           size_t length, bool no_write,
                                           IOMMUTLBEntry *result,
                                           size_t result_length,
                                           uint32_t *err_count);
void smmuv3_sva_pri_register_notifier(PCIBus *bus, void *opaque, int devfn,
                                      uint32_t pasid, IOMMUPRINotifier *n);
void smmuv3_sva_pri_unregister_notifier(PCIBus *bus, void *opaque, int devfn,
                                        uint32_t pasid);
int smmuv3_sva_pri_request_page(PCIBus *bus, void *opaque, int devfn,
                                uint32_t pasid, bool priv, bool exec,
                                hwaddr addr, bool last, uint16_t prg_index,
                                bool read, bool write);

#define SMMUV3_SVA_PCI_ATS_OPS                                              \
    .get_iotlb_info = smmuv3_sva_get_iotlb_info,                            \
    .init_iotlb_notifier = smmuv3_sva_init_iotlb_notifier,                  \
    .register_iotlb_notifier = smmuv3_sva_register_iotlb_notifier,          \
    .unregister_iotlb_notifier = smmuv3_sva_unregister_iotlb_notifier,      \
    .ats_request_translation = smmuv3_sva_ats_request_translation,          \
    .pri_register_notifier = smmuv3_sva_pri_register_notifier,              \
    .pri_unregister_notifier = smmuv3_sva_pri_unregister_notifier,          \
    .pri_request_page = smmuv3_sva_pri_request_page,

/* Tell those who watch @fn of an ATC invalidation, or of a PRG response. */
void smmuv3_sva_ats_notify(Smmuv3SvaFunction *fn,
                           const Smmu3AtcInvalidate *inv);
void smmuv3_sva_pri_notify(Smmuv3SvaFunction *fn,
                           const Smmu3PrgResponse *response);
#else
static inline void smmuv3_sva_ats_notify(Smmuv3SvaFunction *fn,
                                         const Smmu3AtcInvalidate *inv)
{
}

static inline void smmuv3_sva_pri_notify(Smmuv3SvaFunction *fn,
                                         const Smmu3PrgResponse *response)
{
}
#endif

#endif
