/*
 * See look.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "look.h"
#include "../spec/field.h"
#include "../spec/spec.h"

void smmu3_trail_saw(Smmu3Trail *trail, int start_level, int level, uint64_t pa,
                     uint64_t descriptor, bool updated)
{
    if (level == start_level && !updated) {
        trail->count = 0;
    }
    /* An update is of the descriptor that was read last */
    if (updated && trail->count) {
        trail->count--;
    }
    if (trail->count < SMMU3_TRAIL_MAX) {
        trail->read[trail->count++] = (Smmu3Read) { pa, descriptor, level };
    }
}

/* What a walk's callbacks have: where the descriptors go. */
typedef struct Walk {
    const Smmu3Look *look;
    Smmu3Trail *trail;
} Walk;

static void saw(void *opaque, bool stage2, int level, uint64_t pa,
                uint64_t descriptor, bool updated)
{
    const Walk *walk = opaque;

    (void)stage2;
    smmu3_trail_saw(walk->trail, walk->look->tables->start_level, level, pa,
                    descriptor, updated);
}

static Smmu3Walker walker(const Smmu3Look *look)
{
    return (Smmu3Walker) {
        .ops = look->ops, .host = look->host, .oas_bits = look->oas_bits,
    };
}

/* Stage 1's descriptors are at IPAs. */
static bool locate(void *opaque, uint64_t ipa, bool write, uint64_t *pa,
                   Smmu3Fault *fault)
{
    const Walk *walk = opaque;
    Smmu3Walker w = walker(walk->look);
    Smmu3Tables tables = *walk->look->stage2;
    Smmu3Leaf leaf;

    (void)write;
    tables.affd = true;
    if (!smmu3_walk(&w, &tables, ipa, 0, &leaf, fault)) {
        return false;
    }
    *pa = smmu3_leaf_output(&leaf, ipa);
    return true;
}

void smmu3_look(const Smmu3Look *look, uint64_t addr, Smmu3Found *found)
{
    Walk walk = { look, &found->trail };
    Smmu3Walker w = walker(look);
    Smmu3Tables tables = *look->tables;
    Smmu3Fault fault;

    w.locate = look->stage2 ? locate : NULL;
    w.saw = saw;
    w.opaque = &walk;
    tables.affd = true;
    found->trail.count = 0;
    found->any = smmu3_walk(&w, &tables, addr, 0, &found->leaf, &fault);
    if (!found->any) {
        found->leaf = (Smmu3Leaf) { 0 };
    }
}

/*
 * Rights that were taken away. A page that becomes writable may lose the right to
 * be executed by that alone (DDI 0487 D8.4): it is no less of a grant.
 */
static uint8_t lost(uint8_t cached, uint8_t now)
{
    uint8_t gone = cached & ~now;

    return now & ~cached & SMMU3_ANY_W ? gone & ~SMMU3_ANY_X : gone;
}

uint64_t smmu3_look_address(uint64_t addr, unsigned size_log2, uint64_t turn)
{
    uint64_t pages = smmu3_mask(size_log2) & ~smmu3_mask(12);

    return size_log2 > 12
           ? (addr & ~smmu3_mask(size_log2)) |
             (turn * UINT64_C(0x9e3779b97f4a7c15) & pages)
           : addr;
}

bool smmu3_is_stale(const Smmu3Leaf *cached, const Smmu3Found *found,
                    uint64_t addr, Smmu3Mistake *how)
{
    const Smmu3Leaf *now = &found->leaf;

    if (!found->any) {
        *how = SMMU3_STALE_GONE;
    } else if (smmu3_leaf_output(cached, addr) !=
               smmu3_leaf_output(now, addr)) {
        *how = SMMU3_STALE_MOVED;
    } else if (lost(cached->rights, now->rights)) {
        *how = SMMU3_STALE_RIGHTS;
    } else if ((cached->rights & SMMU3_ANY_W) && !cached->clean && now->clean) {
        *how = SMMU3_STALE_CLEAN;
    } else {
        return false;
    }
    return true;
}

/* nT: the block may be there beside what replaces it, or is replaced by it. */
static bool is_nt(const Smmu3Trail *trail)
{
    return trail->count &&
           smmu3_get(&trail->read[trail->count - 1].descriptor, TTD_NT);
}

/*
 * With another output, too, it is not known whether there was a break: Linux zaps,
 * installs a new page, and invalidates then.
 */
bool smmu3_is_unbroken(const Smmu3Leaf *cached, const Smmu3Trail *trail,
                       const Smmu3Found *found, uint64_t addr, unsigned bbml)
{
    return found->any && found->leaf.size_log2 != cached->size_log2 &&
           smmu3_leaf_output(cached, addr) ==
               smmu3_leaf_output(&found->leaf, addr) &&
           (bbml == 0 ||
            (bbml == 1 && !is_nt(trail) && !is_nt(&found->trail)));
}
