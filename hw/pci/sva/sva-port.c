/*
 * Which IOMMU gives ports to the functions below which bus, its own or one made of
 * PCIIOMMUOps; and the interface type of endpoints. No state of a port and no
 * policy: those are the IOMMU's and the endpoint's. Called by IOMMUs and endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/sva-port.h"
#include "qemu/module.h"
#include "sva-port-pci.h"

typedef struct PCISvaIOMMU {
    const PCISvaOps *ops;
    void *opaque;
} PCISvaIOMMU;

/* PCIBus * to PCISvaIOMMU *; PCIBus.iommu_ops would hold them */
static GHashTable *iommus;

void pci_setup_sva(PCIBus *bus, const PCISvaOps *ops, void *opaque)
{
    PCISvaIOMMU *iommu = g_new(PCISvaIOMMU, 1);

    *iommu = (PCISvaIOMMU) { .ops = ops, .opaque = opaque };
    if (!iommus) {
        iommus = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    g_hash_table_insert(iommus, bus, iommu);
}

/*
 * The way up is PCI's own to an IOMMU. A bus that is not PCI Express carries no
 * PASID, and the functions behind it share a requester ID.
 */
SvaPort *sva_port_find(PCIDevice *dev)
{
    PCIBus *own = pci_get_bus(dev), *bus = own;
    PCISvaIOMMU *iommu;

    if (pci_bus_bypass_iommu(own)) {
        return NULL;
    }
    while (pci_bus_is_express(bus) && !bus->iommu_ops && bus->parent_dev) {
        bus = pci_get_bus(bus->parent_dev);
    }
    if (!pci_bus_is_express(bus)) {
        return NULL;
    }
    iommu = iommus ? g_hash_table_lookup(iommus, bus) : NULL;
    return iommu ? iommu->ops->get_port(own, iommu->opaque, dev->devfn) :
                   sva_port_by_pci_ops(dev, bus);
}

static const TypeInfo sva_endpoint_types[] = {
    {
        .name = TYPE_SVA_ENDPOINT,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(SvaEndpointClass),
    },
};

DEFINE_TYPES(sva_endpoint_types)
