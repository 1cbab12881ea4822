/*
 * See arena.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "console.h"
#include "arena.h"

extern char __image_end[];

static uint64_t next;

uint64_t arena_mark(void)
{
    if (!next) {
        next = pa_of(__image_end);
    }
    return next;
}

void arena_release(uint64_t mark)
{
    next = mark;
}

void *arena_alloc(uint64_t bytes, uint64_t align)
{
    uint64_t pa = (arena_mark() + align - 1) & ~(align - 1);

    if (pa + bytes > RAM_PA + RAM_BYTES) {
        print("\nBail out! no memory for %lu bytes\n", bytes);
        guest_exit(1);
    }
    next = pa + bytes;
    memset(at_pa(pa), 0, bytes);
    return at_pa(pa);
}

void *arena_page(void)
{
    return arena_alloc(PAGE_BYTES, PAGE_BYTES);
}

/* -fno-tree-loop-distribute-patterns keeps these from calling themselves. */

void *memset(void *to, int byte, size_t bytes)
{
    char *p = to;
    uint64_t word = (uint8_t)byte * UINT64_C(0x0101010101010101);

    for (; bytes && (uint64_t)p % 8; bytes--) {
        *p++ = byte;
    }
    for (; bytes >= 8; bytes -= 8, p += 8) {
        *(uint64_t *)p = word;
    }
    for (; bytes; bytes--) {
        *p++ = byte;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    char *p = to;
    const char *q = from;

    while (bytes--) {
        *p++ = *q++;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *p = a, *q = b;

    for (; bytes; bytes--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}
