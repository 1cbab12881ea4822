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

/* A range of the map, or a gap in it. */
typedef struct MapRange {
    unsigned long generation;
    hwaddr first;
    hwaddr bytes;               /* 0: nothing is kept */
    MemoryRegion *mr;
    uint8_t *host;              /* of @first; NULL: this is no RAM */
    bool writable;
} MapRange;

enum { RANGES = 4 };

static __thread MapRange ranges[RANGES];
static __thread unsigned oldest;

static unsigned long map_generation = 1;

static void map_changes(MemoryListener *listener)
{
    qatomic_set(&map_generation, map_generation | 1);
    smp_wmb();
}

static void map_has_changed(MemoryListener *listener)
{
    qatomic_store_release(&map_generation, map_generation + 1);
}

static MemoryListener listener = {
    .name = "sva-guest-ram",
    .begin = map_changes,
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

/* The range in which @pa is, out of all, which are in order. */
typedef struct Search {
    hwaddr pa;
    hwaddr gap;                 /* the end of those before */
    MapRange found;
} Search;

static bool is_it(Int128 start, Int128 len, const MemoryRegion *mr,
                  hwaddr offset_in_region, void *opaque)
{
    MemoryRegion *region = (MemoryRegion *)mr;
    Search *s = opaque;
    hwaddr first = int128_get64(start);
    hwaddr last = first + int128_get64(int128_sub(len, int128_one()));

    if (last < s->pa) {
        s->gap = last + 1;
        return false;
    }
    if (first > s->pa) {
        s->found.first = s->gap;
        s->found.bytes = first - s->gap;
        return true;
    }
    s->found.first = first;
    s->found.bytes = last - first + 1;      /* none has 2^64 */
    if (memory_access_is_direct(region, false, MEMTXATTRS_UNSPECIFIED)) {
        s->found.mr = region;
        s->found.host = (uint8_t *)memory_region_get_ram_ptr(region) +
                        offset_in_region;
        s->found.writable = memory_access_is_direct(region, true,
                                                    MEMTXATTRS_UNSPECIFIED);
    }
    return true;
}

/* NULL while the map changes. */
static const MapRange *G_GNUC_NO_INLINE find(hwaddr pa, unsigned long generation)
{
    Search s = { .pa = pa, .found.generation = generation };
    MapRange *range = &ranges[oldest++ % RANGES];

    if (generation & 1) {
        return NULL;
    }
    flatview_for_each_range(address_space_to_flatview(&address_space_memory),
                            is_it, &s);
    if (!s.found.bytes) {       /* beyond the last one */
        s.found.first = s.gap;
        s.found.bytes = UINT64_MAX - s.gap;
    }
    *range = s.found;
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
    if (!range || !range->host || (is_write && !range->writable)) {
        return NULL;
    }
    *len = MIN(*len, range->bytes - (pa - range->first));
    *mr = range->mr;
    return range->host + (pa - range->first);
}
