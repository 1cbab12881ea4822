/*
 * The PCI functions behind the SMMU: one for each that was ever asked about,
 * found by bus and number or by StreamID, and who watches it. Not what they do,
 * which smmuv3-sva-pci.c, -port.c and -ats.c translate. Called by these and by
 * smmuv3-sva-access.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bus.h"
#include "smmuv3-sva-pci.h"
#include "trace.h"

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

/* ---- Finding them ----------------------------------------------------- */

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
        qemu_mutex_init(&fn->owed_lock);
        fn->owed = g_hash_table_new(NULL, NULL);
        address_space_init(&fn->as, MEMORY_REGION(&fn->iommu), name);
        bus->functions[devfn] = fn;
    }
    return fn;
}

/* ---- What they ask ---------------------------------------------------- */

Smmu3Transaction smmuv3_sva_ordinary_access(const Smmuv3SvaFunction *fn,
                                            uint64_t addr, int index)
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
    Smmu3Transaction t = smmuv3_sva_ordinary_access(fn, addr, index);

    t.access = SMMU3_READ;
    t.speculative = t.peek = true;
    return smmu3_translate(fn->smmu->core, &t, result) == SMMU3_OK;
}

/* ---- Who watches them -------------------------------------------------- */

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
