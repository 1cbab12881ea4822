/*
 * A port for functions whose IOMMU is QEMU's own and has ATS: what PCIIOMMUOps
 * can do of include/hw/pci/sva-port.h. Not an IOMMU, and nothing of one in
 * particular. Called by sva-port.c alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_PORT_PCI_H
#define HW_PCI_SVA_PORT_PCI_H

#include "hw/pci/sva-port.h"

/*
 * @dev's port by the PCIIOMMUOps of @bus, the same one each time; NULL if they
 * have no ATS, as before QEMU 10.1. Under the big lock.
 */
#ifdef SVA_HAVE_PCI_ATS_OPS
SvaPort *sva_port_by_pci_ops(PCIDevice *dev, PCIBus *bus);
#else
static inline SvaPort *sva_port_by_pci_ops(PCIDevice *dev, PCIBus *bus)
{
    return NULL;
}
#endif

#endif
