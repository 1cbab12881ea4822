/*
 * See sva-guest-ram.h.
 *
 * Each thread keeps the last few ranges of the map that it met, and the map's
 * generation. A memory listener has that odd while the map is changed, and even,
 * and another, once it is:
 *
 *     main loop: generation = odd        T: rcu_read_lock()
 *                set the new view           generation even, and the range's?
 *                let the old one go,          use the range
 *                  after a grace period     rcu_read_unlock()
 *                generation = next even
 *
 * The old view's memory goes when all sections are over that began before the grace
 * period. One that began later sees what was written before: the new view, and so the
 * odd generation as well. So a range is used no longer than the view that it came
 * from would be. While the map is being changed nothing is kept, for what is found may
 * be of either view.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "hw/pci/sva-guest-ram.h"

/* RAM, from the lowest address that was asked for to its end in the map. */
typedef struct MapRange {
    unsigned long generation;
    hwaddr first;
    hwaddr bytes;               /* 0: nothing is kept */
    MemoryRegion *mr;
    uint8_t *host;              /* of @first */
    bool writable;
} MapRange;

enum { RANGES = 4 };

static __thread MapRange ranges[RANGES];
static __thread unsigned oldest;

static unsigned long map_generation = 1;
/* Somebody's IOMMU is in the map: what is behind it may change without the map. */
static bool any_iommu;

static void map_changes(MemoryListener *listener)
{
    qatomic_set(&map_generation, map_generation | 1);
    smp_wmb();
}

static void map_has_changed(MemoryListener *listener)
{
    qatomic_store_release(&map_generation, map_generation + 1);
}

static void map_has(MemoryListener *listener, MemoryRegionSection *section)
{
    if (memory_region_is_iommu(section->mr)) {
        qatomic_set(&any_iommu, true);
    }
}

static MemoryListener listener = {
    .name = "sva-guest-ram",
    .begin = map_changes,
    .region_add = map_has,
    .commit = map_has_changed,
};

void sva_guest_ram_init(void)
{
    static bool done;

    assert(bql_locked());
    if (!done) {
        done = true;
        memory_listener_register(&listener, &address_space_memory);
    }
}

/* Where to keep @found: in the place of a part of it, or of the oldest. */
static MapRange *place_for(const MapRange *found)
{
    for (MapRange *range = ranges; range < ranges + RANGES; range++) {
        if (range->generation == found->generation && range->mr == found->mr &&
            range->host - range->first == found->host - found->first &&
            range->first + range->bytes == found->first + found->bytes) {
            return range;
        }
    }
    return &ranges[oldest++ % RANGES];
}

/*
 * NULL: no RAM, or not to be kept. It costs what asking QEMU for one access does,
 * however many ranges a guest gives the map by its BARs.
 */
static const MapRange *G_GNUC_NO_INLINE find(hwaddr pa, unsigned long generation)
{
    MapRange found = { .generation = generation, .first = pa,
                       .bytes = UINT64_MAX };
    MapRange *range;
    hwaddr offset;

    if (generation & 1 || qatomic_read(&any_iommu)) {
        return NULL;
    }
    found.mr = address_space_translate(&address_space_memory, pa, &offset,
                                       &found.bytes, false,
                                       MEMTXATTRS_UNSPECIFIED);
    if (!memory_access_is_direct(found.mr, false, MEMTXATTRS_UNSPECIFIED)) {
        return NULL;
    }
    found.host = (uint8_t *)memory_region_get_ram_ptr(found.mr) + offset;
    found.writable = memory_access_is_direct(found.mr, true,
                                             MEMTXATTRS_UNSPECIFIED);
    range = place_for(&found);
    *range = found;
    return range;
}

/* Not inlined: who yields in the middle of a coroutine has other ranges after. */
void *G_GNUC_NO_INLINE sva_guest_ram(hwaddr pa, bool is_write, hwaddr *len,
                                  MemoryRegion **mr)
{
    unsigned long generation = qatomic_load_acquire(&map_generation);
    const MapRange *range = ranges;

    while (range->generation != generation ||
           pa - range->first >= range->bytes) {
        if (++range == ranges + RANGES) {
            range = find(pa, generation);
            break;
        }
    }
    if (!range || (is_write && !range->writable)) {
        return NULL;
    }
    *len = MIN(*len, range->bytes - (pa - range->first));
    *mr = range->mr;
    return range->host + (pa - range->first);
}

void sva_guest_ram_written(MemoryRegion *mr, void *ram, hwaddr len)
{
    memory_region_ref(mr);
    address_space_unmap(&address_space_memory, ram, len, true, len);
}
