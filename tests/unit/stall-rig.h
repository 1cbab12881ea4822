/*
 * Two streams that stall on what their table does not map: submit, read the
 * record, answer it, and see what the requester is told. Not an SMMU on its
 * own: rig.h. Used by the tests of stalled transactions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_STALL_RIG_H
#define TEST_STALL_RIG_H

#include "builders.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)

enum { SID1 = 1, SID2 = 2, SID_BAD = 9 };

/* A rig with two streams that stall on what @pt does not map. */
typedef struct StallRig {
    Rig *r;
    PageTable pt;
    uint64_t cd;                /* both streams' CD */
} StallRig;

/* Cookies: anything distinct. */
extern char cookies[4096];
#define COOKIE(n)   ((void *)&cookies[n])

StallRig *stall_rig(unsigned eventq_log2, unsigned stall_max);
/* Its second half, for a StallRig whose r was made by other means. */
void start_rig(StallRig *s);
void stall_rig_free(StallRig *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StallRig, stall_rig_free)

/* The CD of both streams, with CD.S. */
void write_cd(StallRig *s, bool stall);

/* A read by a requester that can wait. */
Smmu3Outcome submit(StallRig *s, uint32_t sid, unsigned cookie, uint64_t addr,
                    Smmu3Translation *result);
/* The same; it must stall. */
void stall(StallRig *s, uint32_t sid, unsigned cookie, uint64_t addr);
/* Take a stall's record off the queue; returns its STAG. */
uint16_t expect_stall(StallRig *s, uint32_t sid, uint64_t addr);

void resume_with(StallRig *s, uint32_t sid, uint16_t stag, bool ac, bool ab);
void resume_retry(StallRig *s, uint32_t sid, uint16_t stag);
void stall_term(StallRig *s, uint32_t sid);

/* The oldest answer to a requester that was not looked at yet. */
void expect_resolved(StallRig *s, unsigned cookie, Smmu3Resolution how);
void expect_none_resolved(StallRig *s);
void expect_outstanding(StallRig *s, unsigned count);

const Smmu3Counters *counters(StallRig *s);

#endif
