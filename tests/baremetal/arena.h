/*
 * Memory for what programs and devices share: handed out in order, given back
 * all at once. Not a heap. Called by drivers and tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_ARENA_H
#define BAREMETAL_ARENA_H

#include "arch.h"

#define PAGE_BYTES UINT64_C(4096)

/* Zeroed memory, aligned to @align, a power of two. Ends the guest when there
   is none left. */
void *arena_alloc(uint64_t bytes, uint64_t align);
void *arena_page(void);

/* Give back what was allocated since the mark. */
uint64_t arena_mark(void);
void arena_release(uint64_t mark);

/* The compiler calls these. */
void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#endif
