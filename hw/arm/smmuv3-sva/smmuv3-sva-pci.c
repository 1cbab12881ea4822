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
#include "smmuv3-sva-pci.h"
#include "smmuv3-sva-threads.h"
#include "trace.h"

/*
 * MemTxAttrs can carry a PASID of 8 bits, and on QEMU 10.1 and later that an
 * address is ATS translated. Both select an index of the memory region.
 */
enum {
    INDEX_PASID_MASK = 0xff,
    INDEX_TRANSLATED = 0x100,
    INDEX_COUNT = 0x200,
};

/* Of void_as: no machine has RAM there. */
#define VOID_BASE   (UINT64_C(1) << 63)

/* ---- StreamIDs -------------------------------------------------------- */

/*
 * A function's StreamID is its requester ID. Bus numbers below a bridge are
 * software's, and may change at any time: so it is computed at each use. Those
 * of root buses are fixed, and costly to ask for.
 */
uint32_t smmuv3_sva_function_sid(const Smmuv3SvaFunction *fn)
{
    uint8_t number = fn->bridge ? fn->bridge->config[PCI_SECONDARY_BUS]
                                : fn->root_number;

    return PCI_BUILD_BDF(number, fn->devfn);
}

Smmuv3SvaFunction *smmuv3_sva_find_function(Smmuv3SvaState *s, uint32_t sid)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, s->buses);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Smmuv3SvaBus *bus = value;
        Smmuv3SvaFunction *fn = bus->functions[sid & 0xff];

        if (fn && bus->bus->devices[sid & 0xff] &&
            smmuv3_sva_function_sid(fn) == sid) {
            return fn;
        }
    }
    return NULL;
}

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

static Smmu3Transaction ordinary_access(Smmuv3SvaFunction *fn, hwaddr addr,
                                        int index)
{
    return (Smmu3Transaction) {
        .type = index & INDEX_TRANSLATED ? SMMU3_ATS_TRANSLATED
                                         : SMMU3_UNTRANSLATED,
        .sid = smmuv3_sva_function_sid(fn),
        .ssid = index & INDEX_PASID_MASK,
        .ssv = index & INDEX_PASID_MASK,
        .addr = addr,
    };
}

bool smmuv3_sva_peek(Smmuv3SvaFunction *fn, uint64_t addr, int index,
                     Smmu3Translation *result)
{
    Smmu3Transaction t = ordinary_access(fn, addr, index);

    t.access = SMMU3_READ;
    t.speculative = true;
    return smmu3_translate(fn->smmu->core, &t, result) == SMMU3_OK;
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
    Smmu3Transaction t = ordinary_access(fn, addr, index);
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

/* [@first, @last] is gone. */
static void notify_one(Smmuv3SvaFunction *fn, IOMMUNotifier *n,
                       IOMMUNotifierFlag kind, uint64_t first, uint64_t last)
{
    IOMMUTLBEvent event = {
        .type = kind,
        .entry = {
            .target_as = &address_space_memory,
            .iova = first,
            .addr_mask = last - first,
            .perm = IOMMU_NONE,
        },
    };

    trace_smmuv3_sva_pci_notify(fn->iommu.parent_obj.name, first,
                                last - first);
    memory_region_notify_iommu_one(n, &event);
}

/*
 * All 2^64 bytes are told in two halves: who makes a length of the mask, as
 * vhost does, would come to 0, and the kernel takes that for a mistake and
 * keeps everything.
 */
void smmuv3_sva_notify_unmap(Smmuv3SvaFunction *fn, IOMMUNotifierFlag kind,
                             uint64_t first, uint64_t last)
{
    IOMMUNotifier *n;

    if (!(fn->iommu.iommu_notify_flags & kind)) {
        return;
    }
    IOMMU_NOTIFIER_FOREACH(n, &fn->iommu) {
        uint64_t from = MAX(first, n->start);
        uint64_t to = MIN(last, n->end);

        if (from > to || !(n->notifier_flags & kind)) {
            continue;
        }
        if (to - from == UINT64_MAX) {
            notify_one(fn, n, kind, 0, INT64_MAX);
            from = UINT64_C(1) << 63;
        }
        notify_one(fn, n, kind, from, to);
    }
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

static Smmuv3SvaBus *find_bus(Smmuv3SvaState *s, PCIBus *pci_bus)
{
    Smmuv3SvaBus *bus = g_hash_table_lookup(s->buses, pci_bus);

    if (!bus) {
        bus = g_new0(Smmuv3SvaBus, 1);
        bus->bus = pci_bus;
        /* It is part of its bridge, which must outlive our pointer to it. */
        if (pci_bus->parent_dev) {
            object_ref(OBJECT(pci_bus->parent_dev));
        }
        g_hash_table_insert(s->buses, pci_bus, bus);
    }
    return bus;
}

Smmuv3SvaFunction *smmuv3_sva_get_function(Smmuv3SvaState *s, PCIBus *pci_bus,
                                           int devfn)
{
    Smmuv3SvaBus *bus = find_bus(s, pci_bus);
    Smmuv3SvaFunction *fn = bus->functions[devfn];
    g_autofree char *name = NULL;

    if (!fn) {
        name = g_strdup_printf("smmuv3-sva-%s-%02x.%x",
                               BUS(pci_bus)->name, PCI_SLOT(devfn),
                               PCI_FUNC(devfn));
        trace_smmuv3_sva_pci_function(name, devfn);
        fn = g_new0(Smmuv3SvaFunction, 1);
        memory_region_init_iommu(&fn->iommu, sizeof(*fn),
                                 TYPE_SMMUV3_SVA_FUNCTION, OBJECT(s), name,
                                 UINT64_MAX);
        fn->smmu = s;
        fn->bus = pci_bus;
        fn->devfn = devfn;
        fn->bridge = pci_bus_is_root(pci_bus) ? NULL : pci_bus->parent_dev;
        fn->root_number = fn->bridge ? 0 : pci_bus_num(pci_bus);
        smmuv3_sva_port_init(fn);
        address_space_init(&fn->as, MEMORY_REGION(&fn->iommu), name);
        bus->functions[devfn] = fn;
    }
    return fn;
}

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
