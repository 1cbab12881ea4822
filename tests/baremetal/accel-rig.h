/*
 * Copies of pasid-dev between an address space's source, which is there, and
 * its destination, which a pager has to bring: what the tests of stalls and
 * those of page requests share. Not tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_ACCEL_RIG_H
#define BAREMETAL_ACCEL_RIG_H

#include "accel.h"
#include "arena.h"
#include "pager.h"
#include "tap.h"

#define SRC     UINT64_C(0x7e0000000000)
#define DST     UINT64_C(0x7f0000000000)    /* nothing is there, at first */
#define BEYOND  UINT64_C(0x7f0000100000)    /* nor here, and never is */
enum { QUEUES = 8, PAGES = 16 };

extern Pager pager;
extern Stream stream;
extern Space spaces[QUEUES + 1];            /* by PASID; 0: without */
extern AccelQueue queues[QUEUES];           /* queue n has PASID n + 1 */

/* All of it anew. @stall: faults of accesses stall, else they are final. */
void set_up(SmmuSetup setup, bool stall);
/* The same with ATS and @allocation page requests; nothing stalls. */
void set_up_pri(SmmuSetup setup, uint32_t allocation);

/* PAGES pages at SRC, different for each PASID; and what a copy is to be. */
void make_source(unsigned pasid);
uint64_t source_word(unsigned pasid, unsigned index);
void expect_copied(unsigned pasid, unsigned pages);

/* The job that copies all of it to DST; its record on that queue. */
extern const PasidDevDescriptor copy_all;
PasidDevCompletion do_job(unsigned queue, const PasidDevDescriptor *job);

/* Every queue has a job that waits. */
bool all_stalled(void);
/* All queues were given copy_all: it is done, and right, with interrupts. */
void expect_all_copied(const unsigned slots[QUEUES]);

#endif
