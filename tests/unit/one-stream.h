/*
 * An SMMU with one stage-1 stream and one page mapped, and what to expect of
 * transactions on it. Used by the tests of streams, translations, the front and
 * faults on request, and by audit-rig.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_ONE_STREAM_H
#define TEST_ONE_STREAM_H

#include "builders.h"
#include "rig.h"

enum { SID = 5, PAGE = 0x1000 };
#define VA UINT64_C(0x7f0000005000)
#define PA UINT64_C(0x123456789000)

/* A rig with one stage-1 stream, SID, and one page, VA to PA. */
typedef struct Setup {
    Rig *rig;
    PageTable pt;
    uint64_t cds;               /* linear table of 16 CDs */
    uint64_t cd[SMMU3_CD_WORDS];
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Translation result;    /* of the last translate() */
} Setup;

/* Put CD @index in its place; nothing is invalidated. */
void write_cd(Setup *x, unsigned index);
/* Both structures as they are in @x, and nothing cached. */
void apply(Setup *x);

/* With x->rig made, and its features and sizes chosen, by the caller. */
void setup_start(Setup *x);
void setup(Setup *x);
/* No event is left that the test did not expect. */
void done(Setup *x);

Smmu3Outcome translate(Setup *x, Smmu3Transaction t);
/* SMMU3_OK, at @pa, with the rights that were asked for. */
void expect_pa(Setup *x, Smmu3Transaction t, uint64_t pa);
/* An abort with one record, in @event. */
void expect_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type,
                  uint64_t event[SMMU3_EVENT_WORDS]);
/* A translation fault of stage 1, with all that its record says. */
void expect_stage1_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type);
void expect_silent_abort(Setup *x, Smmu3Transaction t);

#endif
