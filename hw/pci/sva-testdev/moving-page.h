/*
 * A page of bus addresses that stops being RAM at a moment that a test chooses,
 * as when software moves a BAR that is RAM and another comes in its place. Not
 * a way to memory: what is behind it is guest RAM, and then registers that
 * count who comes. Used by sva-testdev.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SVA_TESTDEV_MOVING_PAGE_H
#define SVA_TESTDEV_MOVING_PAGE_H

#include "hw/pci/pci_device.h"
#include "migration/vmstate.h"

typedef struct SvaMovingPage {
    MemoryRegion bar;           /* its registers, and the page */
    MemoryRegion registers;
    IOMMUMemoryRegion page;
    MemoryRegion elsewhere;     /* where it leads once it has moved */
    AddressSpace as;            /* of that */

    uint64_t ram;               /* where it leads before */
    uint64_t left;              /* translations until it moves */
    uint64_t strays;            /* accesses that came after that */
} SvaMovingPage;

/* With a BAR of @pdev's, number @bar. */
void sva_moving_page_init(SvaMovingPage *m, PCIDevice *pdev, int bar);
void sva_moving_page_exit(SvaMovingPage *m);
void sva_moving_page_reset(SvaMovingPage *m);

/* Whether there is anything to migrate; and that. */
bool sva_moving_page_is_in_use(const SvaMovingPage *m);
extern const VMStateDescription vmstate_sva_moving_page;

#endif
