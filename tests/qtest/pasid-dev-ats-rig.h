/*
 * What the tests of pasid-dev's ATS and page requests share: the function with
 * both enabled, as an operating system does it, and the SMMU's commands for
 * them. Not tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_ATS_RIG_H
#define PASID_DEV_ATS_RIG_H

#include "pasid-dev-rig.h"

/* ---- Configuration space ------------------------------------------------ */

unsigned ats_cap(Dev *d);
unsigned pri_cap(Dev *d);
uint32_t pri_status(Dev *d);
void ats_control(Dev *d, bool enable);

/* Enable page requests, so many of them at once. */
void pri_enable(Dev *d, uint32_t allocation);
void pri_control(Dev *d, uint32_t bits);

/* A process (process_start_with()) whose function has ATS enabled; and PRI. */
Dev *ats_start(const char *properties);
Dev *pri_start(const char *properties);

/* ---- Commands ----------------------------------------------------------- */

/* CMD_ATC_INV of @pasid (-1: of all, and none) without a CMD_SYNC. */
void atc_invalidate(Dev *d, int pasid, bool global, uint64_t addr,
                    unsigned size);

/*
 * As an operating system unmaps: the table, the TLB, the ATC; each CMD_SYNC is
 * waited for.
 */
void ats_unmap(Dev *d, uint64_t pa, uint64_t bytes);

/* CMD_PRI_RESP; @pasid: -1 for none. @response: CMD_PRI_RESP_*. */
void pri_respond(Dev *d, int pasid, uint16_t index, unsigned response);

typedef struct PageRequest {
    uint32_t pasid;
    bool ssv, read, write, exec, priv, last;
    uint16_t index;
    uint64_t addr;
} PageRequest;

/* The oldest entry of the PRI queue; there is one, soon. */
PageRequest next_page_request(Dev *d);
void expect_no_page_request(Dev *d);

/* It asks for the page at @addr of THE_PASID, alone in its group: the index. */
uint16_t expect_page_request(Dev *d, uint64_t addr, bool read, bool write);

/* ---- Counters ----------------------------------------------------------- */

typedef struct AtsCounts {
    uint64_t hits, requests, page_requests, invalidations;
} AtsCounts;

AtsCounts ats_counts(Dev *d);

#endif
