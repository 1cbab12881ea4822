/*
 * Translations by one thread or two, for benchmarks of the core: what they visit,
 * in which order, and what one of them takes. Not a measurement. Used by
 * core-bench.c, invalidations.c and growth-bench.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "bench-rig.h"

typedef struct Traffic {
    Smmu3 *smmu;
    uint64_t va;
    uint32_t sid;               /* 0: SID */
    uint32_t ssid;              /* 0: without */
    uint64_t first;             /* page of the region at va */
    uint64_t pages;             /* from there on: a power of two */
    uint64_t count;             /* translations to do */
    bool scattered;             /* visit pages out of order */
    _Atomic unsigned *waiting;  /* threads that have not come yet; or NULL */
    uint64_t start_ns, end_ns;
} Traffic;

/* The page that comes i-th. */
static inline uint64_t traffic_page(const Traffic *job, uint64_t i)
{
    return (job->scattered ? i * UINT64_C(0x9e3779b97f4a7c15) >> 20 : i) &
           (job->pages - 1);
}

/* Each must succeed, and give the address that went in. */
void translate_all(const Traffic *job);

/* Run one job or two at once; the mean of what a translation cost each, in ns. */
double run_traffic(Traffic *jobs, unsigned count);

/* Translate each page once. */
void touch(Bench *b, uint64_t va, uint32_t ssid, uint64_t pages);

/* The regions of bench-rig.h */
void fill_measured(Bench *b);
void fill_unrelated(Bench *b);
void fill_stage2(Bench *b);

/* A counter of the core's as of now: threads' own counts are added when asked. */
#define COUNTED(b, member) \
    atomic_load_explicit(&smmu3_counters((b)->smmu)->member, \
                         memory_order_relaxed)

#endif
