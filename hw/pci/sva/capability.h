/*
 * The capabilities of an endpoint's function in configuration space, and what
 * the operating system has enabled of them. Makes no access, and keeps nothing
 * beside configuration space. Used by the endpoints and by requester.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_CAPABILITY_H
#define HW_PCI_SVA_CAPABILITY_H

#include "hw/pci/pci_device.h"

/*
 * Give @pdev a PASID capability at @offset of its extended configuration space
 * (8 bytes), with @bits (1 ... 20) wide PASIDs, able to say "execute" and
 * "privileged" or not. After pcie_endpoint_cap_init(). The reset turns PASIDs
 * off, as PCIe has it for FLR and conventional reset.
 */
void sva_pasid_cap_init(PCIDevice *pdev, uint16_t offset, unsigned bits,
                        bool exec, bool priv);
void sva_pasid_cap_reset(PCIDevice *pdev, uint16_t offset);

/*
 * Give @pdev a power management capability, with D0 and D3hot, in which it makes
 * no access and keeps its state. False, with @errp set, without room for it.
 */
bool sva_pm_cap_init(PCIDevice *pdev, Error **errp);

/*
 * A serial number, to be the first extended capability: vfio hides some from a
 * virtual machine, and of a chain that begins with one of those only an entry
 * without ID is left. Not for a virtual function, which has none (PCIe 9.3.7);
 * its first is ACS.
 */
void sva_serial_cap_init(PCIDevice *pdev, uint16_t offset);

/* Access Control Services (8 bytes), for a function that is not alone. */
void sva_acs_cap_init(PCIDevice *pdev, uint16_t offset);
/* Whether it is one of several functions of a device, virtual ones aside. */
bool sva_has_siblings(const PCIDevice *pdev);

/* After pcie_endpoint_cap_init(): no link registers where there is no link. */
void sva_link_init(PCIDevice *pdev);

/*
 * Where @pdev's next extended capability goes: behind all that are there, 100h if
 * there is none. Software begins its search at 100h, so the first one is not to
 * depend on a property.
 */
uint16_t sva_ext_cap_next(PCIDevice *pdev);

/*
 * Give @pdev an ATS capability (8 bytes) at @offset. To be reset by
 * sva_requester_reset().
 */
void sva_ats_cap_init(PCIDevice *pdev, uint16_t offset);
bool sva_ats_is_enabled(PCIDevice *pdev, uint16_t offset);

/*
 * Give @pdev a Page Request capability (16 bytes) at @offset, of at most
 * @capacity requests outstanding. @response_pasid: a response to a request with
 * a PASID has to name it. What its registers do is page-request.c's.
 */
void sva_pri_cap_init(PCIDevice *pdev, uint16_t offset, uint32_t capacity,
                      bool response_pasid);

/* Whether @pdev may send requests: its Bus Master Enable, in D0. */
bool sva_may_master(PCIDevice *pdev);

/*
 * The PASID capability's control register, at @offset; 0: without one. Of a
 * virtual function: its physical function's.
 */
uint16_t sva_pasid_control(PCIDevice *pdev, uint16_t offset);

#endif
