/*
 * Where guest memory is in the host: looked up once, then known until the map of
 * memory changes. Not a translation, and nothing of what is not RAM. Called by
 * endpoints for their data, and by the SMMU for its tables and queues.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_GUEST_RAM_H
#define HW_PCI_SVA_GUEST_RAM_H

#include "hw/pci/sva-compat.h"

/* Once at least before the other, under the big lock: in realize. */
void sva_guest_ram_init(void);

/*
 * The RAM at @pa of the system's memory, that may be written if @is_write. *@len:
 * bytes that are wanted; on return those that there are in one piece, > 0. Inside
 * an RCU section, and good until that ends; any thread. NULL: it is none, or such
 * as must be asked for each time (address_space_translate()).
 */
void *sva_guest_ram(hwaddr pa, bool is_write, hwaddr *len, MemoryRegion **mr);

/*
 * @len bytes at @ram, of @mr, were written: mark the pages dirty, those that hold
 * code as well. That is what unmapping does; it drops the reference that mapping
 * would have taken.
 */
void sva_guest_ram_written(MemoryRegion *mr, void *ram, hwaddr len);

#endif
