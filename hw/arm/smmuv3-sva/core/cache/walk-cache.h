/*
 * The walk cache: the last table that walks of a piece of input addresses came to,
 * so that the next walk there reads its descriptor alone, and not three or four
 * tables for it. Not the TLB: nothing of a leaf is kept, which is read each time.
 * Called by stages.c; ended by tlb.c and config-cache.c.
 *
 * An entry is the table's address as its descriptor has it, for stage 1 over stage
 * 2 an IPA. So both stages stay apart here as they do in the TLB: what an
 * invalidation by IPA takes is how that IPA is found, and this is asked anew.
 *
 * Kept under the tags of the TLB and alive by the same rules, but that
 * invalidations of leaves alone (Leaf=1) keep it and those of configuration end all
 * of it. Threads: as for the TLB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_WALK_CACHE_H
#define SMMU3_WALK_CACHE_H

#include "tlb.h"

typedef struct Smmu3WalkCache Smmu3WalkCache;

/* @capacity as for the TLB. @tlb's invalidations are this cache's, too. */
Smmu3WalkCache *smmu3_walk_cache_new(size_t capacity, Smmu3Tlb *tlb);
/* Not before @tlb. */
void smmu3_walk_cache_free(Smmu3WalkCache *cache);

/*
 * Lock-free. A table of @t on the way to @in, below the root: *@table. A walk from
 * there that succeeds is what one from the root would be, as far as software has
 * invalidated what it changed. If it fails, the tables above may have
 * been changed in ways that need no invalidation: begin at the root.
 */
bool smmu3_walk_cache_lookup(Smmu3WalkCache *cache, const Smmu3TlbTag *tag,
                             const Smmu3Tables *t, uint64_t in,
                             Smmu3Table *table);

/* Before the walk, as smmu3_tlb_epoch(), and before its configuration is known. */
uint64_t smmu3_walk_cache_epoch(Smmu3WalkCache *cache);

/*
 * A walk to @in that began at @epoch ended in @table, not the root, which maps
 * 2^@size_log2 bytes. Under the core's lock, as the rest.
 */
void smmu3_walk_cache_insert(Smmu3WalkCache *cache, const Smmu3TlbTag *tag,
                             uint64_t in, const Smmu3Table *table,
                             unsigned size_log2, uint64_t epoch);

/* There may be other tables under every tag: other STEs or CDs. */
void smmu3_walk_cache_end(Smmu3WalkCache *cache);

#endif
