/*
 * How the caches are read without a lock: sequence counts guard what takes
 * several words, and epochs say what was invalidated since. Not a cache.
 * Used by tlb.c and config-cache.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_EPOCH_H
#define SMMU3_EPOCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* When something was last invalidated, in counts of invalidations. */
typedef _Atomic uint64_t Smmu3Epoch;

/* It was invalidated after @then. Any thread. */
static inline bool smmu3_epoch_after(Smmu3Epoch *epoch, uint64_t then)
{
    return atomic_load_explicit(epoch, memory_order_acquire) > then;
}

static inline void smmu3_epoch_set(Smmu3Epoch *epoch, uint64_t now)
{
    atomic_store_explicit(epoch, now, memory_order_release);
}

/*
 * A sequence count is odd while its words are written. One writer at a time,
 * which stores them with memory_order_release; readers load them with
 * memory_order_acquire, which orders them with the count without fences.
 */
typedef _Atomic uint32_t Smmu3Seq;

/* False: a writer is at it. */
static inline bool smmu3_seq_read_begin(Smmu3Seq *seq, uint32_t *value)
{
    *value = atomic_load_explicit(seq, memory_order_acquire);
    return !(*value & 1);
}

/* True if what was read since is consistent. */
static inline bool smmu3_seq_read_end(Smmu3Seq *seq, uint32_t value)
{
    return atomic_load_explicit(seq, memory_order_relaxed) == value;
}

static inline uint32_t smmu3_seq_write_begin(Smmu3Seq *seq)
{
    uint32_t value = atomic_load_explicit(seq, memory_order_relaxed);

    atomic_store_explicit(seq, value + 1, memory_order_relaxed);
    return value;
}

static inline void smmu3_seq_write_end(Smmu3Seq *seq, uint32_t value)
{
    atomic_store_explicit(seq, value + 2, memory_order_release);
}

#endif
