/*
 * The configuration cache: decoded streams and contexts, by StreamID and CD
 * index. Not decoding (config.c), nor fetching. Called by config-fetch.c, and
 * by command.c for CMD_CFGI_*. Threads: as for the TLB, see tlb.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_CONFIG_CACHE_H
#define SMMU3_CONFIG_CACHE_H

#include <stddef.h>
#include "../tables/config.h"
#include "front.h"
#include "walk-cache.h"

typedef struct Smmu3ConfigCache Smmu3ConfigCache;

/* @capacity: entries; rounded up to a power of two, at least 16. */
Smmu3ConfigCache *smmu3_config_cache_new(size_t capacity);
void smmu3_config_cache_free(Smmu3ConfigCache *cache);

/* From now on each invalidation moves @generation, once it can be seen. */
void smmu3_config_cache_moves(Smmu3ConfigCache *cache,
                              Smmu3Generation *generation);

/*
 * From now on each invalidation ends all of @tables first: another STE or CD may
 * have other tables, under the VMID and ASID of the last.
 */
void smmu3_config_cache_leads(Smmu3ConfigCache *cache,
                              Smmu3WalkCache *tables);

/*
 * The legal configuration of a stream and of its context @cd_index, or of the
 * stream alone (@with_cd false). Lock-free, any thread. True if cached.
 */
bool smmu3_config_lookup(Smmu3ConfigCache *cache, uint32_t sid, bool with_cd,
                         uint32_t cd_index, Smmu3Config *config);
uint64_t smmu3_config_epoch(Smmu3ConfigCache *cache);
/* Under the core's lock. @epoch: as of before the structures were fetched. */
void smmu3_config_insert(Smmu3ConfigCache *cache, uint32_t sid, bool with_cd,
                         uint32_t cd_index, const Smmu3Config *config,
                         uint64_t epoch);

/*
 * CMD_CFGI_*, under the core's lock; each O(1), but a range of StreamIDs,
 * which costs a step for each if these are few, and else goes for all.
 */
void smmu3_config_invalidate_all(Smmu3ConfigCache *cache);
/*
 * The STE and all CDs of an aligned block of 2^@log2_count streams, @sid one of
 * them; 32: all.
 */
void smmu3_config_invalidate_streams(Smmu3ConfigCache *cache, uint32_t sid,
                                     unsigned log2_count);
/* One CD. */
void smmu3_config_invalidate_cd(Smmu3ConfigCache *cache, uint32_t sid,
                                uint32_t cd_index);

#endif
