/*
 * What an operating system does about page faults of a device: it maps the
 * page, or refuses, by what it was told is allowed. Works in the interrupt of
 * the PRI queue or the event queue. Called by the SMMU's driver; set up by
 * tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_PAGER_H
#define BAREMETAL_PAGER_H

#include "smmu.h"

enum { PAGER_GROUPS = 8, PAGER_GROUP_PAGES = 16 };

/* Page requests of one group that have come so far */
typedef struct PagerGroup {
    bool open;
    bool ssv;
    uint32_t ssid;
    unsigned index;
    unsigned count;
    uint64_t entries[PAGER_GROUP_PAGES][SMMU3_PRI_WORDS];
} PagerGroup;

typedef struct Pager {
    /* What it is told: */
    Space *spaces[1 << STREAM_CD_LOG2];     /* by PASID; 0: without */
    uint64_t first, last;                   /* what may be mapped */
    bool fails;                             /* answers nothing but failure */
    bool ignores;                           /* stalls that are refused end in
                                               RAZ/WI */
    /* What it did: */
    unsigned requests, groups, stops, denied, mapped, stalls;
    uint64_t last_request[SMMU3_PRI_WORDS];
    uint64_t last_event[SMMU3_EVENT_WORDS];
    PagerGroup open[PAGER_GROUPS];
} Pager;

/* For SmmuSetup. */
SmmuListener pager_listener(Pager *pager);

/* What the pager writes at the start of each page that it maps. */
uint64_t pager_mark(uint64_t va, uint32_t ssid);

#endif
