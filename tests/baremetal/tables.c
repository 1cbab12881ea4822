/*
 * See tables.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "tables.h"
#include "core/spec/spec.h"

#define OUTPUT_MASK UINT64_C(0x0000fffffffff000)

void space_init(Space *space, uint16_t asid)
{
    space->root = arena_page();
    space->asid = asid;
}

uint64_t *space_entry(Space *space, uint64_t va)
{
    uint64_t *table = space->root;

    for (int level = 0; level < 3; level++) {
        uint64_t *entry = &table[va >> (39 - 9 * level) & 511];

        if (!smmu3_get(entry, TTD_VALID)) {
            uint64_t descriptor = pa_of(arena_page());

            smmu3_set(&descriptor, TTD_VALID, 1);
            smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
            dsb();
            *entry = descriptor;
        }
        table = at_pa(*entry & OUTPUT_MASK);
    }
    return &table[va >> 12 & 511];
}

void space_map(Space *space, uint64_t va, uint64_t pa, unsigned flags)
{
    uint64_t descriptor = pa & OUTPUT_MASK;

    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
    smmu3_set(&descriptor, TTD_AP_UNPRIV, !(flags & SPACE_PRIV));
    smmu3_set(&descriptor, TTD_AP_RO, !!(flags & SPACE_RO));
    smmu3_set(&descriptor, TTD_SH, 3);
    smmu3_set(&descriptor, TTD_AF, 1);
    smmu3_set(&descriptor, TTD_NG, 1);
    dsb();
    *space_entry(space, va) = descriptor;
    dsb();
}

void space_unmap(Space *space, uint64_t va)
{
    *space_entry(space, va) = 0;
    dsb();
}

uint64_t space_pa(Space *space, uint64_t va)
{
    uint64_t descriptor = *space_entry(space, va);

    return smmu3_get(&descriptor, TTD_VALID)
           ? (descriptor & OUTPUT_MASK) | (va & 0xfff) : 0;
}
