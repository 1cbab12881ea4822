/*
 * The front: whole answers of the caches that a thread was given last, so that
 * the same question again is two comparisons. Not a TLB: nothing is invalidated
 * in it by name, for everything ends with the least invalidation. Called by
 * smmu3.c; moved on by tlb.c, config-cache.c and regs.c.
 *
 * Each thread has places of its own, and so needs neither locks nor sequence
 * counts. What they hold is good while the generation stands that was read
 * before the caches were asked:
 *
 *     T: g = generation (acquire)         A: invalidate
 *        ask the caches, keep (g, answer)    generation = new (release)
 *        ...
 *        generation (acquire) == g: answer
 *
 * Who reads the new generation sees what was invalidated, and keeps an answer
 * of afterwards. Who reads the old one keeps what A's store has ended. So the
 * word stands for the epochs that a lookup would have read in its place, and
 * what is said of these (smmuv3-sva-threads.c) holds of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_FRONT_H
#define SMMU3_FRONT_H

#include <stdatomic.h>
#include "../interface/transaction.h"

/* Values are of one count for all SMMUs: each is one SMMU's, once. */
typedef _Atomic uint64_t Smmu3Generation;

/* Something was invalidated, and can be seen to be; or for the first time. */
void smmu3_generation_move(Smmu3Generation *generation);

/* As many places as 64 MiB have pages of 4 KiB. */
enum { SMMU3_FRONT_WAYS = 2, SMMU3_FRONT_SETS_LOG2 = 13 };

/* What may stand for a transaction: all of it that decides the answer. */
typedef struct Smmu3FrontKey {
    uint64_t generation;        /* 0: never */
    uint64_t who;               /* who asks, and how */
    uint64_t page;              /* of the input address */
} Smmu3FrontKey;

typedef struct Smmu3FrontPlace {
    Smmu3FrontKey key;
    uint64_t output;
} Smmu3FrontPlace;

typedef Smmu3FrontPlace Smmu3FrontSet[SMMU3_FRONT_WAYS];

/*
 * This thread's, 512 KiB, of which the host gives what is used; NULL at first. Not in
 * the thread's own storage, for that is taken from stacks, and not only from those of
 * threads that translate.
 */
extern _Thread_local Smmu3FrontSet *smmu3_front_sets;
void smmu3_front_make(void);

/* "Word, lsb, width", see field.h. */
#define FRONT_ACCESS        0, 0, 2
#define FRONT_PRIV          0, 2, 1
#define FRONT_IND           0, 3, 1
#define FRONT_SSV           0, 4, 1
#define FRONT_SPECULATIVE   0, 5, 1
#define FRONT_TYPE          0, 6, 2
#define FRONT_SSID          0, 8, 24
#define FRONT_SID           0, 32, 32

#define FRONT_GRANTED       0, 0, 3
#define FRONT_IN_TABLES     0, 3, 1
#define FRONT_SIZE_LOG2     0, 4, 7
#define FRONT_PAGE          0, 12, 52

static inline Smmu3FrontKey smmu3_front_key(Smmu3Generation *generation,
                                            const Smmu3Transaction *t)
{
    Smmu3FrontKey key = {
        atomic_load_explicit(generation, memory_order_acquire), 0,
        t->addr >> 12,
    };

    smmu3_set(&key.who, FRONT_ACCESS, t->access);
    smmu3_set(&key.who, FRONT_PRIV, t->priv);
    smmu3_set(&key.who, FRONT_IND, t->ind);
    smmu3_set(&key.who, FRONT_SSV, t->ssv);
    smmu3_set(&key.who, FRONT_SPECULATIVE, t->speculative);
    smmu3_set(&key.who, FRONT_TYPE, t->type);
    smmu3_set(&key.who, FRONT_SSID, t->ssid);
    smmu3_set(&key.who, FRONT_SID, t->sid);
    return key;
}

/* Pages in a row are in sets in a row, which the host's processor sees coming. */
static inline Smmu3FrontPlace *smmu3_front_set(const Smmu3FrontKey *key)
{
    uint64_t first = key->who * UINT64_C(0xc2b2ae3d27d4eb4f) >>
                     (64 - SMMU3_FRONT_SETS_LOG2);
    uint64_t set = (first + key->page) & smmu3_mask(SMMU3_FRONT_SETS_LOG2);

    if (__builtin_expect(!smmu3_front_sets, 0)) {
        smmu3_front_make();
    }
    return smmu3_front_sets[set];
}

static inline bool smmu3_front_is(const Smmu3FrontPlace *place,
                                  const Smmu3FrontKey *key)
{
    return place->key.page == key->page && place->key.who == key->who &&
           place->key.generation == key->generation;
}

/* @in_tables: a stage translated it, and so it counts as a hit. */
static inline bool smmu3_front_lookup(const Smmu3FrontKey *key, uint64_t addr,
                                      Smmu3Translation *result,
                                      bool *in_tables)
{
    const Smmu3FrontPlace *place = smmu3_front_set(key);
    uint64_t output;

    if (!smmu3_front_is(place, key) && !smmu3_front_is(++place, key)) {
        return false;
    }
    output = place->output;
    *result = (Smmu3Translation) {
        .pa = smmu3_get_addr(&output, FRONT_PAGE) | (addr & smmu3_mask(12)),
        .size_log2 = smmu3_get(&output, FRONT_SIZE_LOG2),
        .access = smmu3_get(&output, FRONT_GRANTED),
    };
    *in_tables = smmu3_get(&output, FRONT_IN_TABLES);
    return true;
}

/*
 * The caches said @result, and were asked after @key was made. Of ATS requests and
 * of what is speculative nothing is kept.
 */
void smmu3_front_keep(const Smmu3FrontKey *key, const Smmu3Transaction *t,
                      const Smmu3Translation *result, bool in_tables);

#endif
