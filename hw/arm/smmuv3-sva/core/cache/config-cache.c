/*
 * See config-cache.h. Built like the TLB: four ways, read under sequence
 * counts, given up by epochs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "config-cache.h"
#include <glib.h>
#include <string.h>
#include "epoch.h"

enum {
    WAYS = 4, MIN_ENTRIES = 16, STREAM_SLOTS = 4096,
    RANGE_LOG2_MAX = 5,         /* a longer range of streams is all of them */
};

/* A configuration as words that a lookup copies one by one. */
enum { CONFIG_WORDS = (sizeof(Smmu3Config) + 7) / 8 };

typedef union Image {
    Smmu3Config config;
    uint64_t words[CONFIG_WORDS];
} Image;

typedef struct Set {
    Smmu3Seq seq;
    _Atomic uint64_t key[WAYS];             /* 0: nothing */
    _Atomic uint64_t epoch[WAYS];
    _Atomic uint64_t words[WAYS][CONFIG_WORDS];
} Set;

/* "Word, lsb, width", see field.h. */
#define KEY_USED        0, 0, 1
#define KEY_WITH_CD     0, 1, 1
#define KEY_CD_INDEX    0, 2, 20
#define KEY_SID         0, 32, 32

struct Smmu3ConfigCache {
    Set *sets;
    size_t set_mask;
    unsigned rotor;                         /* the next victim's way */
    uint64_t now;
    Smmu3Generation *generation;            /* what an invalidation moves */
    Smmu3Generation nobodys;
    Smmu3WalkCache *tables;                 /* what ends with it, or NULL */
    uint64_t last_cd;                       /* the last one of a single CD */
    Smmu3Epoch all;
    Smmu3Epoch stream[STREAM_SLOTS];        /* by StreamID, folded */
};

static inline uint64_t make_key(uint32_t sid, bool with_cd, uint32_t cd_index)
{
    uint64_t key = 0;

    smmu3_set(&key, KEY_USED, 1);
    smmu3_set(&key, KEY_WITH_CD, with_cd);
    smmu3_set(&key, KEY_CD_INDEX, with_cd ? cd_index : 0);
    smmu3_set(&key, KEY_SID, sid);
    return key;
}

static inline Set *set_of(Smmu3ConfigCache *cache, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);

    return &cache->sets[(hash ^ hash >> 32) & cache->set_mask];
}

static inline bool alive(Smmu3ConfigCache *cache, uint64_t key, uint64_t epoch)
{
    uint32_t sid = smmu3_get(&key, KEY_SID);

    return !smmu3_epoch_after(&cache->all, epoch) &&
           !smmu3_epoch_after(&cache->stream[sid % STREAM_SLOTS], epoch);
}

static bool copy_out(Smmu3ConfigCache *cache, Set *set, unsigned way,
                     uint64_t key, uint32_t seq, Smmu3Config *config)
{
    SMMU3_UNSET Image image;
    uint64_t epoch = atomic_load_explicit(&set->epoch[way],
                                          memory_order_acquire);

    for (unsigned i = 0; i < CONFIG_WORDS; i++) {
        image.words[i] = atomic_load_explicit(&set->words[way][i],
                                              memory_order_acquire);
    }
    if (!smmu3_seq_read_end(&set->seq, seq) || !alive(cache, key, epoch)) {
        return false;
    }
    *config = image.config;
    return true;
}

bool smmu3_config_lookup(Smmu3ConfigCache *cache, uint32_t sid, bool with_cd,
                         uint32_t cd_index, Smmu3Config *config)
{
    uint64_t key = make_key(sid, with_cd, cd_index);
    Set *set = set_of(cache, key);
    uint32_t seq;

    if (!smmu3_seq_read_begin(&set->seq, &seq)) {
        return false;           /* being written: as good as a miss */
    }
    for (unsigned i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&set->key[i], memory_order_acquire) == key) {
            return copy_out(cache, set, i, key, seq, config);
        }
    }
    return false;
}

uint64_t smmu3_config_epoch(Smmu3ConfigCache *cache)
{
    return cache->now;
}

/* The same key's place, else a dead entry's, else the next in turn. */
static unsigned choose_way(Smmu3ConfigCache *cache, Set *set, uint64_t key)
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&set->key[i], memory_order_relaxed) == key) {
            return i;
        }
    }
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t other = atomic_load_explicit(&set->key[i],
                                              memory_order_relaxed);

        if (!other || !alive(cache, other,
                             atomic_load_explicit(&set->epoch[i],
                                                  memory_order_relaxed))) {
            return i;
        }
    }
    return cache->rotor++ % WAYS;
}

void smmu3_config_insert(Smmu3ConfigCache *cache, uint32_t sid, bool with_cd,
                         uint32_t cd_index, const Smmu3Config *config,
                         uint64_t epoch)
{
    uint64_t key = make_key(sid, with_cd, cd_index);
    Set *set = set_of(cache, key);
    unsigned way = choose_way(cache, set, key);
    Image image;
    uint32_t seq;

    /* A second line, as in smmu3_tlb_insert(): fetches are under the lock. */
    if (epoch < cache->last_cd || !alive(cache, key, epoch)) {
        return;
    }
    memset(&image, 0, sizeof(image));
    image.config = *config;
    seq = smmu3_seq_write_begin(&set->seq);
    atomic_store_explicit(&set->key[way], key, memory_order_release);
    atomic_store_explicit(&set->epoch[way], epoch, memory_order_release);
    for (unsigned i = 0; i < CONFIG_WORDS; i++) {
        atomic_store_explicit(&set->words[way][i], image.words[i],
                              memory_order_release);
    }
    smmu3_seq_write_end(&set->seq, seq);
}

/* First, so that who finds another configuration finds no table of the last. */
static void end_tables(Smmu3ConfigCache *cache)
{
    if (cache->tables) {
        smmu3_walk_cache_end(cache->tables);
    }
}

void smmu3_config_invalidate_all(Smmu3ConfigCache *cache)
{
    end_tables(cache);
    smmu3_epoch_set(&cache->all, ++cache->now);
    smmu3_generation_move(cache->generation);
}

void smmu3_config_invalidate_streams(Smmu3ConfigCache *cache, uint32_t sid,
                                     unsigned log2_count)
{
    uint32_t first;

    if (log2_count > RANGE_LOG2_MAX) {
        smmu3_config_invalidate_all(cache);
        return;
    }
    end_tables(cache);
    first = sid & ~(uint32_t)smmu3_mask(log2_count);
    cache->now++;
    for (uint32_t i = 0; i < UINT32_C(1) << log2_count; i++) {
        smmu3_epoch_set(&cache->stream[(first + i) % STREAM_SLOTS],
                        cache->now);
    }
    smmu3_generation_move(cache->generation);
}

void smmu3_config_invalidate_cd(Smmu3ConfigCache *cache, uint32_t sid,
                                uint32_t cd_index)
{
    uint64_t key = make_key(sid, true, cd_index);
    Set *set = set_of(cache, key);

    end_tables(cache);
    cache->last_cd = ++cache->now;
    for (unsigned i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&set->key[i], memory_order_relaxed) == key) {
            uint32_t seq = smmu3_seq_write_begin(&set->seq);

            atomic_store_explicit(&set->key[i], 0, memory_order_release);
            smmu3_seq_write_end(&set->seq, seq);
        }
    }
    smmu3_generation_move(cache->generation);
}

Smmu3ConfigCache *smmu3_config_cache_new(size_t capacity)
{
    Smmu3ConfigCache *cache = g_new0(Smmu3ConfigCache, 1);
    size_t sets = 1;

    while (sets * WAYS < MAX(capacity, MIN_ENTRIES)) {
        sets *= 2;
    }
    cache->sets = g_new0(Set, sets);
    cache->set_mask = sets - 1;
    cache->generation = &cache->nobodys;
    return cache;
}

void smmu3_config_cache_moves(Smmu3ConfigCache *cache,
                              Smmu3Generation *generation)
{
    cache->generation = generation;
}

void smmu3_config_cache_leads(Smmu3ConfigCache *cache,
                              Smmu3WalkCache *tables)
{
    cache->tables = tables;
}

void smmu3_config_cache_free(Smmu3ConfigCache *cache)
{
    if (cache) {
        g_free(cache->sets);
        g_free(cache);
    }
}
