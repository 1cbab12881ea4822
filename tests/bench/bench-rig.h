/*
 * An SMMU with flat memory under it, for benchmarks: two address spaces by
 * PASID, one whose faults stall, one stream with stage 2 alone, one with as many
 * PASIDs as one likes, all of the same tables. As cheap as
 * memory can be, so that the figures are the core's own; in QEMU a descriptor
 * read costs about 15 ns more. Not a measurement. Used by core-bench.c,
 * growth-bench.c and hostile-bench.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include <glib.h>
#include "core/smmu3.h"

typedef struct Memory {
    uint64_t *words;
    uint64_t bytes;
    uint64_t next;              /* where bench_alloc() goes on */
    Smmu3 *smmu;
    uint64_t resolved, responses;       /* what endpoints were told */
} Memory;

enum {
    SID = 1,
    S2_SID = 2,                 /* stage 2 alone */
    S2_VMID = 1,
    CONTEXTS_SID = 3,           /* b->contexts PASIDs, from 1 on */
    PAGE_LOG2 = 12,
    LEVEL_BITS = 9,
    MEASURED_PAGES = 4096,      /* of PASID 1: what is looked at */
    HIT_PAGES = 256,            /* of these: the working set of the hits */
    RANGE_PAGES = 32,
};
/* The regions share no table but the root; nothing is mapped in the last. */
#define MEASURED_VA UINT64_C(0x000100000000)
#define UNRELATED_VA UINT64_C(0x001000000000)
#define UNMAPPED_VA UINT64_C(0x700000000000)
enum { MEASURED_SSID = 1, UNRELATED_SSID = 2, STALLING_SSID = 3 };

typedef struct Bench {
    Memory memory;
    Smmu3 *smmu;
    /* Set before bench_bring_up(); 0: 2048 entries, none, none, as is needed. */
    unsigned cmdq_log2, eventq_log2, contexts;
    uint64_t tlb_entries;
    uint64_t cmdq, eventq, root;
    uint32_t prod;
    uint64_t unrelated;         /* pages of PASID 2 */
} Bench;

extern const Smmu3HostOps bench_host_ops;

uint64_t bench_now_ns(void);
uint64_t bench_alloc(Memory *m, uint64_t bytes, uint64_t align);
/* Map one page of an identity mapping; four levels from 48-bit addresses. */
void bench_map_page(Bench *b, uint64_t root, uint64_t va);

void bench_bring_up(Bench *b, uint64_t unrelated);
void bench_tear_down(Bench *b);

/* Commands go behind one another; the queue runs when it is told to. */
void bench_put_command(Bench *b, const uint64_t cmd[SMMU3_CMD_WORDS]);
void bench_put_opcode(Bench *b, Smmu3Opcode opcode);
/* Let the command queue run from CONS to PROD. */
void bench_run_queue(Bench *b);

#endif
