/*
 * PCI functions of the root bus: found, given addresses, enabled. No bridges.
 * Called by tests and by drivers of functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_PCI_H
#define BAREMETAL_PCI_H

#include "arch.h"

enum { PCI_CAP_PCIE = 0x10, PCI_CAP_MSIX = 0x11 };
enum { PCI_ECAP_ATS = 0x0f, PCI_ECAP_PRI = 0x13, PCI_ECAP_PASID = 0x1b };

/* devfn of the first function with these IDs, or -1. */
int pci_find(uint16_t vendor, uint16_t device);

uint32_t pci_read(unsigned devfn, unsigned offset, unsigned bytes);
void pci_write(unsigned devfn, unsigned offset, unsigned bytes,
               uint32_t value);

/* Offset of a capability, or an extended one; 0: none. */
unsigned pci_capability(unsigned devfn, uint8_t id);
unsigned pci_extended(unsigned devfn, uint16_t id);

/* Every memory BAR gets an address; memory and bus mastering are enabled. */
void pci_enable(unsigned devfn);
uint64_t pci_bar(unsigned devfn, unsigned bar);

/* Function level reset: all of it is disabled but for its addresses. */
void pci_reset(unsigned devfn);

/* MSI-X vector @vector writes @data to @address; all of them are enabled. */
void pci_msix(unsigned devfn, unsigned vector, uint64_t address,
              uint32_t data);

#endif
