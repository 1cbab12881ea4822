/*
 * One stream with tables for one or both stages, as software would set it up:
 * its STE, its CD, and what became of the last transaction. Not what the tables
 * map: each test says that. Used by the tests of stage 2, of ATS, of HTTU and
 * of explanations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_TWO_STAGES_H
#define TEST_TWO_STAGES_H

#include "builders.h"
#include "rig.h"

enum { SID = 5, PAGE = 0x1000, VMID = 9 };
#define VA UINT64_C(0x7f0000005000)
#define IPA UINT64_C(0x6543210000)
#define PA UINT64_C(0x123456789000)
/* Between the PA and the IPA of CDs and of stage-1 tables, where they differ. */
#define DELTA UINT64_C(0x4000000000)

typedef struct Setup {
    Rig *rig;
    PageTable s1, s2;
    uint64_t cds;               /* PA of the CDs */
    uint64_t leaf;              /* PA of the stage-1 descriptor of VA */
    uint64_t cd[SMMU3_CD_WORDS];
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Translation result;    /* of the last translate() */
    uint64_t event[SMMU3_EVENT_WORDS];
} Setup;

/* Both structures as they are in @x, and nothing cached. */
void apply(Setup *x);
/* No event is left that the test did not expect. */
void done(Setup *x);

Smmu3Outcome translate(Setup *x, Smmu3Transaction t);

#endif
