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
#include "smmuv3-sva.h"

#define TYPE_SMMUV3_SVA_FUNCTION "smmuv3-sva-function"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaFunction, SMMUV3_SVA_FUNCTION)

/*
 * MemTxAttrs can carry a PASID of 8 bits, and on QEMU 10.1 and later that an
 * address is ATS translated. Both select an index of the memory region.
 */
enum {
    INDEX_PASID_MASK = 0xff,
    INDEX_TRANSLATED = 0x100,
    INDEX_COUNT = 0x200,
};

/* A function's way to memory. It lives as long as the SMMU. */
struct Smmuv3SvaFunction {
    IOMMUMemoryRegion iommu;

    Smmuv3SvaState *smmu;
    PCIBus *bus;
    uint8_t devfn;
    const PCIDevice *bridge;    /* above the bus; NULL: it is a root bus... */
    uint8_t root_number;        /* ...with this number */
    AddressSpace as;

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

/* smmuv3-sva-port.c: ports below the primary bus. */
void smmuv3_sva_port_realize(Smmuv3SvaState *s);

/* An ordinary access of @fn at @addr; @index is of its memory region. */
Smmu3Transaction smmuv3_sva_ordinary_access(const Smmuv3SvaFunction *fn,
                                            uint64_t addr, int index);

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

#endif
