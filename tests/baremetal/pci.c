/*
 * See pci.h. Configuration space as in PCIe 7.5, 7.7.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pci.h"

#define COMMAND             0x04
#define COMMAND_MEMORY      0x2
#define COMMAND_MASTER      0x4
#define STATUS              0x06
#define STATUS_CAPABILITIES 0x10
#define BAR0                0x10
#define BARS                6
#define BAR_IO              0x1
#define BAR_64              0x4
#define CAPABILITIES        0x34
#define EXTENDED            0x100

#define PCIE_DEVICE_CONTROL 0x08
#define PCIE_FLR            0x8000

#define MSIX_CONTROL        0x02
#define MSIX_ENABLE         0x8000
#define MSIX_TABLE          0x04
#define MSIX_ENTRY_BYTES    16

static uint64_t next_mmio = PCI_MMIO_PA;

static uint64_t config(unsigned devfn, unsigned offset)
{
    return ECAM_PA + devfn * 4096 + offset;
}

uint32_t pci_read(unsigned devfn, unsigned offset, unsigned bytes)
{
    volatile void *at = at_pa(config(devfn, offset));

    return bytes == 1 ? *(volatile uint8_t *)at :
           bytes == 2 ? *(volatile uint16_t *)at : *(volatile uint32_t *)at;
}

void pci_write(unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    volatile void *at = at_pa(config(devfn, offset));

    dsb();
    if (bytes == 1) {
        *(volatile uint8_t *)at = value;
    } else if (bytes == 2) {
        *(volatile uint16_t *)at = value;
    } else {
        *(volatile uint32_t *)at = value;
    }
    dsb();
}

int pci_find(uint16_t vendor, uint16_t device)
{
    for (int devfn = 0; devfn < 256; devfn++) {
        if (pci_read(devfn, 0, 4) == ((uint32_t)device << 16 | vendor)) {
            return devfn;
        }
    }
    return -1;
}

unsigned pci_capability(unsigned devfn, uint8_t id)
{
    unsigned at = pci_read(devfn, CAPABILITIES, 1);

    if (!(pci_read(devfn, STATUS, 2) & STATUS_CAPABILITIES)) {
        return 0;
    }
    for (unsigned i = 0; at && i < 48; i++) {
        if (pci_read(devfn, at, 1) == id) {
            return at;
        }
        at = pci_read(devfn, at + 1, 1);
    }
    return 0;
}

unsigned pci_extended(unsigned devfn, uint16_t id)
{
    unsigned at = EXTENDED;

    for (unsigned i = 0; at && i < 960; i++) {
        uint32_t header = pci_read(devfn, at, 4);

        if ((header & 0xffff) == id) {
            return at;
        }
        at = header >> 20;
    }
    return 0;
}

static uint64_t place(uint64_t bytes)
{
    uint64_t at = (next_mmio + bytes - 1) & -bytes;

    next_mmio = at + bytes;
    return at;
}

void pci_enable(unsigned devfn)
{
    for (unsigned bar = 0; bar < BARS; bar++) {
        unsigned offset = BAR0 + bar * 4;
        uint32_t mask;
        bool wide;

        if (pci_read(devfn, COMMAND, 2) & COMMAND_MEMORY) {
            break;              /* it has its addresses */
        }
        pci_write(devfn, offset, 4, 0xffffffff);
        mask = pci_read(devfn, offset, 4);
        if (!mask || (mask & BAR_IO)) {
            continue;
        }
        wide = mask & BAR_64;
        pci_write(devfn, offset, 4, place(-(mask & ~0xfu)));
        if (wide) {
            pci_write(devfn, offset + 4, 4, 0);
            bar++;
        }
    }
    pci_write(devfn, COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
}

uint64_t pci_bar(unsigned devfn, unsigned bar)
{
    return pci_read(devfn, BAR0 + bar * 4, 4) & ~0xfu;
}

void pci_reset(unsigned devfn)
{
    unsigned cap = pci_capability(devfn, PCI_CAP_PCIE);
    uint32_t bars[BARS];

    for (unsigned bar = 0; bar < BARS; bar++) {
        bars[bar] = pci_read(devfn, BAR0 + bar * 4, 4);
    }
    pci_write(devfn, cap + PCIE_DEVICE_CONTROL, 2,
              pci_read(devfn, cap + PCIE_DEVICE_CONTROL, 2) | PCIE_FLR);
    for (unsigned bar = 0; bar < BARS; bar++) {
        pci_write(devfn, BAR0 + bar * 4, 4, bars[bar]);
    }
    pci_write(devfn, COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
}

void pci_msix(unsigned devfn, unsigned vector, uint64_t address,
              uint32_t data)
{
    unsigned cap = pci_capability(devfn, PCI_CAP_MSIX);
    uint32_t table = pci_read(devfn, cap + MSIX_TABLE, 4);
    uint64_t entry = pci_bar(devfn, table & 7) + (table & ~7u) +
                     vector * MSIX_ENTRY_BYTES;

    write32(entry, address);
    write32(entry + 4, address >> 32);
    write32(entry + 8, data);
    write32(entry + 12, 0);                 /* not masked */
    pci_write(devfn, cap + MSIX_CONTROL, 2,
              pci_read(devfn, cap + MSIX_CONTROL, 2) | MSIX_ENABLE);
}
