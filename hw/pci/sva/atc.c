/*
 * An address translation cache, see atc.h. C11 and GLib: it is tested without
 * QEMU (tests/unit/test-atc.c). Called by requester.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "atc.h"

typedef struct Slot {
    SvaAtcEntry entry;
    uint64_t used;          /* when it last was; 0: it is free */
} Slot;

struct SvaAtc {
    unsigned sets;          /* a power of two */
    unsigned ways;
    uint64_t clock;         /* one tick for each use */
    /* Entries of each size, so that only those in use are looked for */
    unsigned count[SVA_ATC_MAX_SIZE_LOG2 + 1];
    Slot slots[];
};

static uint64_t size_mask(unsigned size_log2)
{
    return size_log2 >= 64 ? UINT64_MAX : (UINT64_C(1) << size_log2) - 1;
}

/* ---- Life --------------------------------------------------------------- */

const char *sva_atc_check(unsigned entries, unsigned ways)
{
    if (entries < 1 || entries > SVA_ATC_MOST_ENTRIES) {
        return "it has 1 to 8192 entries";
    }
    if (ways < 1 || entries % ways) {
        return "its entries are not a multiple of its ways";
    }
    if ((entries / ways) & (entries / ways - 1)) {
        return "its sets, entries divided by ways, are no power of two";
    }
    return NULL;
}

SvaAtc *sva_atc_new(unsigned entries, unsigned ways)
{
    SvaAtc *atc;

    g_assert(!sva_atc_check(entries, ways));
    atc = g_malloc0(sizeof(*atc) + entries * sizeof(Slot));
    atc->sets = entries / ways;
    atc->ways = ways;
    return atc;
}

void sva_atc_free(SvaAtc *atc)
{
    g_free(atc);
}

unsigned sva_atc_count(const SvaAtc *atc)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(atc->count); i++) {
        sum += atc->count[i];
    }
    return sum;
}

/* ---- Where an entry is -------------------------------------------------- */

/*
 * Neighbours are in sets beside each other, and different PASIDs, which like to
 * have the same addresses, in different ones.
 */
static Slot *set_of(SvaAtc *atc, uint32_t pasid, uint64_t addr,
                    unsigned size_log2)
{
    uint64_t index = (addr >> size_log2) + (uint64_t)pasid * 37 + size_log2;

    return &atc->slots[(index & (atc->sets - 1)) * atc->ways];
}

static void drop(SvaAtc *atc, Slot *slot)
{
    slot->used = 0;
    atc->count[slot->entry.size_log2]--;
}

static Slot *find(SvaAtc *atc, uint32_t pasid, bool privileged, uint64_t addr)
{
    for (unsigned size_log2 = SVA_ATC_MIN_SIZE_LOG2;
         size_log2 <= SVA_ATC_MAX_SIZE_LOG2; size_log2++) {
        uint64_t base = addr & ~size_mask(size_log2);
        Slot *set;

        if (!atc->count[size_log2]) {
            continue;
        }
        set = set_of(atc, pasid, base, size_log2);
        for (unsigned i = 0; i < atc->ways; i++) {
            const SvaAtcEntry *e = &set[i].entry;

            if (set[i].used && e->addr == base && e->pasid == pasid &&
                e->privileged == privileged && e->size_log2 == size_log2) {
                return &set[i];
            }
        }
    }
    return NULL;
}

const SvaAtcEntry *sva_atc_lookup(SvaAtc *atc, uint32_t pasid, bool privileged,
                                  uint64_t addr)
{
    Slot *slot = find(atc, pasid, privileged, addr);

    if (!slot) {
        return NULL;
    }
    slot->used = ++atc->clock;
    return &slot->entry;
}

/* ---- What comes and goes ------------------------------------------------ */

typedef enum Privilege { UNPRIVILEGED, PRIVILEGED, EITHER } Privilege;

typedef struct Range {
    uint32_t pasid;
    bool every_pasid;
    Privilege privilege;
    uint64_t addr;
    unsigned size_log2;
} Range;

static bool is_hit(const SvaAtcEntry *e, const Range *r)
{
    uint64_t mask = size_mask(MAX(e->size_log2, r->size_log2));

    return (r->every_pasid || e->pasid == r->pasid) &&
           (r->privilege == EITHER || r->privilege == e->privileged) &&
           ((e->addr ^ r->addr) & ~mask) == 0;
}

static unsigned drop_hits(SvaAtc *atc, Slot *slots, unsigned count,
                          const Range *r)
{
    unsigned dropped = 0;

    for (unsigned i = 0; i < count; i++) {
        if (slots[i].used && is_hit(&slots[i].entry, r)) {
            drop(atc, &slots[i]);
            dropped++;
        }
    }
    return dropped;
}

/* Entries of one size are in as many sets as @r has blocks of it, or less. */
static unsigned drop_by_set(SvaAtc *atc, const Range *r, unsigned size_log2)
{
    uint64_t first = r->addr & ~size_mask(r->size_log2);
    uint64_t blocks = r->size_log2 <= size_log2 ?
                      1 : UINT64_C(1) << (r->size_log2 - size_log2);
    unsigned dropped = 0;

    for (uint64_t i = 0; i < blocks; i++) {
        dropped += drop_hits(atc, set_of(atc, r->pasid, first, size_log2),
                             atc->ways, r);
        first += UINT64_C(1) << size_log2;
    }
    return dropped;
}

static unsigned drop_range(SvaAtc *atc, const Range *r)
{
    unsigned dropped = 0;

    for (unsigned i = SVA_ATC_MIN_SIZE_LOG2; i <= SVA_ATC_MAX_SIZE_LOG2; i++) {
        if (!atc->count[i]) {
            continue;
        }
        if (r->every_pasid ||
            r->size_log2 > i + g_bit_storage(atc->sets) - 1) {
            return dropped + drop_hits(atc, atc->slots, atc->sets * atc->ways,
                                       r);
        }
        dropped += drop_by_set(atc, r, i);
    }
    return dropped;
}

unsigned sva_atc_invalidate(SvaAtc *atc, uint32_t pasid, bool every_pasid,
                            uint64_t addr, unsigned size_log2)
{
    const Range r = {
        .pasid = pasid, .every_pasid = every_pasid, .privilege = EITHER,
        .addr = addr, .size_log2 = size_log2,
    };

    return drop_range(atc, &r);
}

void sva_atc_insert(SvaAtc *atc, const SvaAtcEntry *entry)
{
    const Range r = {
        .pasid = entry->pasid,
        .privilege = entry->privileged ? PRIVILEGED : UNPRIVILEGED,
        .addr = entry->addr, .size_log2 = entry->size_log2,
    };
    Slot *set = set_of(atc, entry->pasid, entry->addr, entry->size_log2);
    Slot *victim = &set[0];

    g_assert(entry->size_log2 >= SVA_ATC_MIN_SIZE_LOG2 &&
             entry->size_log2 <= SVA_ATC_MAX_SIZE_LOG2);
    drop_range(atc, &r);
    for (unsigned i = 1; i < atc->ways; i++) {
        if (set[i].used < victim->used) {
            victim = &set[i];
        }
    }
    if (victim->used) {
        drop(atc, victim);
    }
    victim->entry = *entry;
    victim->used = ++atc->clock;
    atc->count[entry->size_log2]++;
}
