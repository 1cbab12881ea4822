/*
 * An address space that devices work in: stage-1 tables for 48-bit addresses
 * and 4 KiB pages. Not the CPU's own tables, which are start.S's; not what the
 * SMMU caches of these. Called by the pager and by tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_TABLES_H
#define BAREMETAL_TABLES_H

#include "arch.h"

typedef struct Space {
    uint64_t *root;
    uint16_t asid;
} Space;

enum { SPACE_RO = 1, SPACE_PRIV = 2 };

void space_init(Space *space, uint16_t asid);
/* The level-3 descriptor of @va; makes the tables above it. */
uint64_t *space_entry(Space *space, uint64_t va);
/* Map the page around @va to the one around @pa; nothing is invalidated. */
void space_map(Space *space, uint64_t va, uint64_t pa, unsigned flags);
void space_unmap(Space *space, uint64_t va);
/* Where @va is mapped to; 0: it is not. */
uint64_t space_pa(Space *space, uint64_t va);

#endif
