/*
 * The PCI side of the SMMU: one IOMMU memory region for each function, where
 * ordinary devices' accesses are translated (synchronously, in any thread,
 * never stalled). Not translation itself, which is the core's, and not the way
 * of PASID-capable endpoints, which is smmuv3-sva-port.c. Called by QEMU's PCI
 * and memory code, and by smmuv3-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/pci_bus.h"
#include "smmuv3-sva-ats.h"
#include "smmuv3-sva-pci.h"
#include "smmuv3-sva-threads.h"
#include "trace.h"

/* Of void_as: no machine has RAM there. */
#define VOID_BASE   (UINT64_C(1) << 63)

/* ---- Ordinary accesses ------------------------------------------------ */

static IOMMUAccessFlags access_flags(uint8_t access)
{
    return IOMMU_ACCESS_FLAG(access & SMMU3_READ, access & SMMU3_WRITE);
}

static const char *access_name(IOMMUAccessFlags access)
{
    static const char *const names[] = {
        [IOMMU_NONE] = "none", [IOMMU_RO] = "r", [IOMMU_WO] = "w",
        [IOMMU_RW] = "rw",
    };

    return names[access & IOMMU_RW];
}

/*
 * Where an access goes that reads as zero and writes nothing. Above all RAM:
 * vhost, which asks for a translation to make the access itself, takes the
 * address for one of guest memory, and must find nothing there.
 */
static void answer_with_void(Smmuv3SvaState *s, hwaddr addr,
                             IOMMUTLBEntry *entry)
{
    entry->target_as = &s->void_as;
    entry->addr_mask = 0xfff;
    entry->iova = addr & ~entry->addr_mask;
    entry->translated_addr = entry->iova | VOID_BASE;
    entry->perm = IOMMU_RW;
}

/*
 * Any thread, inside an RCU section. QEMU's memory code cuts an access that is
 * refused into pieces of at most 8 bytes, and asks about each. They are one
 * transaction: the pieces that follow in the same 4 KiB get no record.
 */
static IOMMUTLBEntry function_translate(IOMMUMemoryRegion *iommu, hwaddr addr,
                                        IOMMUAccessFlags flag, int index)
{
    Smmuv3SvaFunction *fn = container_of(iommu, Smmuv3SvaFunction, iommu);
    Smmuv3SvaState *s = fn->smmu;
    Smmu3Transaction t = smmuv3_sva_ordinary_access(fn, addr, index);
    IOMMUTLBEntry entry = {
        .target_as = &address_space_memory,
        .iova = addr,
        .perm = IOMMU_NONE,
    };
    Smmu3Translation result;

    t.access = (flag & IOMMU_RO ? SMMU3_READ : 0) |
               (flag & IOMMU_WO ? SMMU3_WRITE : 0);
    t.continued = smmuv3_sva_access_was_refused(fn, addr);
    if (!t.access) {
        /* QEMU wants to know where, and accesses nothing */
        t.access = SMMU3_READ;
        t.speculative = true;
    }
    if (!bql_locked()) {
        smmuv3_sva_threads_begin_use();
    }
    switch (smmu3_translate(s->core, &t, &result)) {
    case SMMU3_OK:
        entry.addr_mask = smmu3_mask(result.size_log2);
        entry.iova = addr & ~entry.addr_mask;
        entry.translated_addr = result.pa & ~entry.addr_mask;
        entry.perm = access_flags(result.access);
        smmuv3_sva_access_granted(fn, addr, index, result.pa);
        break;
    case SMMU3_RAZWI:
        answer_with_void(s, addr, &entry);
        smmuv3_sva_access_refused(fn, addr);
        break;
    default:
        smmuv3_sva_access_refused(fn, addr);
        break;
    }
    trace_smmuv3_sva_pci_translate(t.sid, addr, access_name(flag),
                                   entry.translated_addr, entry.addr_mask,
                                   access_name(entry.perm));
    return entry;
}

static int function_attrs_to_index(IOMMUMemoryRegion *iommu, MemTxAttrs attrs)
{
    int index = attrs.pid;

#ifdef SVA_HAVE_ADDRESS_TYPE
    if (attrs.address_type) {
        index |= INDEX_TRANSLATED;
    }
#endif
    return index;
}

static int function_num_indexes(IOMMUMemoryRegion *iommu)
{
    return INDEX_COUNT;
}

static uint64_t function_min_page_size(IOMMUMemoryRegion *iommu)
{
    return 4096;
}

static uint64_t void_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void void_write(void *opaque, hwaddr addr, uint64_t value,
                       unsigned size)
{
}

static const MemoryRegionOps void_ops = {
    .read = void_read,
    .write = void_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* ---- Notifiers: vhost and its like, which cache translations ----------- */

static int function_notify_flag_changed(IOMMUMemoryRegion *iommu,
                                        IOMMUNotifierFlag old_flags,
                                        IOMMUNotifierFlag new_flags,
                                        Error **errp)
{
    Smmuv3SvaFunction *fn = container_of(iommu, Smmuv3SvaFunction, iommu);

    if (new_flags & IOMMU_NOTIFIER_MAP) {
        PCIDevice *dev = smmuv3_sva_function_device(fn);

        error_setg(errp, "smmuv3-sva cannot tell device %02x.%x (%s) about "
                   "new mappings", PCI_SLOT(fn->devfn), PCI_FUNC(fn->devfn),
                   dev ? dev->name : "none");
        error_append_hint(errp, "Devices that shadow the guest's tables, such "
                          "as vfio-pci, do not work behind this SMMU.\n");
        return -EINVAL;
    }
    if (!old_flags && new_flags) {
        QLIST_INSERT_HEAD(&fn->smmu->listeners, fn, next_listener);
    } else if (old_flags && !new_flags) {
        QLIST_REMOVE(fn, next_listener);
    }
    return 0;
}

static void all_unmapped(Smmuv3SvaState *s, uint64_t first, uint64_t last)
{
    Smmuv3SvaFunction *fn;

    smmuv3_sva_invalidated(s, first, last);
    QLIST_FOREACH(fn, &s->listeners, next_listener) {
        smmuv3_sva_notify_unmap(fn, IOMMU_NOTIFIER_UNMAP, first, last);
    }
}

/*
 * Who listens to UNMAP may keep any translation of its function. Which ASID a
 * function uses is not looked up: invalidating too much is allowed. An IPA
 * says nothing about the addresses that go through it, so all of them go.
 */
void smmuv3_sva_pci_tlb_invalidated(Smmuv3SvaState *s,
                                    const Smmu3TlbInvalidate *inv)
{
    bool all = !inv->by_address || inv->stage2;

    all_unmapped(s, all ? 0 : inv->addr, all ? UINT64_MAX : inv->last);
}

/* Another STE or CD may lead to other tables. */
void smmuv3_sva_pci_config_invalidated(Smmuv3SvaState *s)
{
    all_unmapped(s, 0, UINT64_MAX);
}

/* ---- PCI's questions -------------------------------------------------- */

static AddressSpace *get_address_space(PCIBus *bus, void *opaque, int devfn)
{
    return &smmuv3_sva_get_function(opaque, bus, devfn)->as;
}

static const PCIIOMMUOps pci_iommu_ops = {
    .get_address_space = get_address_space,
#ifdef SVA_HAVE_PCI_ATS_OPS
    SMMUV3_SVA_PCI_ATS_OPS
#endif
};

void smmuv3_sva_pci_realize(Smmuv3SvaState *s)
{
    s->buses = g_hash_table_new(NULL, NULL);
    memory_region_init_io(&s->void_region, OBJECT(s), &void_ops, NULL,
                          "smmuv3-sva-void", UINT64_MAX);
    address_space_init(&s->void_as, &s->void_region, "smmuv3-sva-void");
    pci_setup_iommu(s->primary_bus, &pci_iommu_ops, s);
    smmuv3_sva_port_realize(s);
}

/* ---- Type ------------------------------------------------------------- */

static void function_class_init(ObjectClass *oc, SvaClassData *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(oc);

    imrc->translate = function_translate;
    imrc->attrs_to_index = function_attrs_to_index;
    imrc->num_indexes = function_num_indexes;
    imrc->get_min_page_size = function_min_page_size;
    imrc->notify_flag_changed = function_notify_flag_changed;
}

static const TypeInfo smmuv3_sva_pci_types[] = {
    {
        .name = TYPE_SMMUV3_SVA_FUNCTION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .instance_size = sizeof(Smmuv3SvaFunction),
        .class_init = function_class_init,
    },
};

DEFINE_TYPES(smmuv3_sva_pci_types)
