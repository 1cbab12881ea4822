/*
 * See walk-cache.h. A second TLB, whose blocks are what one table maps: found,
 * evicted and invalidated like those of the first.
 *
 * Of each walk the last table is kept and no other. That is a table of pages, or
 * the one that a block's descriptor is in: from there one read is left. Those
 * above it would save a read or two where the last one is not cached, once for each
 * table of pages, and would cost each lookup a probe.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "walk-cache.h"
#include <glib.h>

struct Smmu3WalkCache {
    Smmu3Tlb *blocks;
};

/*
 * Which level's tables map 2^@size_log2 bytes; a size is one granule's alone. False:
 * none of @t's but the root. Then another configuration has the same tag, which is
 * software's mistake, and yet no reason to take one granule's table for another's.
 */
static bool level_of(const Smmu3Tables *t, unsigned size_log2, int8_t *level)
{
    for (*level = 3; *level > t->start_level; --*level) {
        if (smmu3_table_log2(t, *level) == size_log2) {
            return true;
        }
    }
    return false;
}

bool smmu3_walk_cache_lookup(Smmu3WalkCache *cache, const Smmu3TlbTag *tag,
                             const Smmu3Tables *t, uint64_t in,
                             Smmu3Table *table)
{
    Smmu3Leaf block;

    if (!smmu3_tlb_lookup(cache->blocks, tag, in, &block) ||
        !level_of(t, block.size_log2, &table->level)) {
        return false;
    }
    table->addr = block.base;
    table->limits = block.rights;
    return true;
}

uint64_t smmu3_walk_cache_epoch(Smmu3WalkCache *cache)
{
    return smmu3_tlb_epoch(cache->blocks);
}

/*
 * What global leaves a table has is not known, and a table above leaves is of its
 * ASID alone (DDI 0487, TLBI VAE1: global entries are those of the last level).
 */
void smmu3_walk_cache_insert(Smmu3WalkCache *cache, const Smmu3TlbTag *tag,
                             uint64_t in, const Smmu3Table *table,
                             unsigned size_log2, uint64_t epoch)
{
    smmu3_tlb_insert(cache->blocks, tag, in, &(Smmu3Leaf) {
        .base = table->addr, .size_log2 = size_log2, .rights = table->limits,
    }, epoch);
}

void smmu3_walk_cache_end(Smmu3WalkCache *cache)
{
    smmu3_tlb_invalidate_all(cache->blocks);
}

Smmu3WalkCache *smmu3_walk_cache_new(size_t capacity, Smmu3Tlb *tlb)
{
    Smmu3WalkCache *cache = g_new0(Smmu3WalkCache, 1);

    cache->blocks = smmu3_tlb_new(capacity);
    smmu3_tlb_leads(tlb, cache->blocks);
    return cache;
}

void smmu3_walk_cache_free(Smmu3WalkCache *cache)
{
    if (cache) {
        smmu3_tlb_free(cache->blocks);
        g_free(cache);
    }
}
