/*
 * sva-testdev from software's side: requests, page requests and the answers to
 * them (docs/specs/sva-testdev.rst). Checks as it goes, so a test reads as what
 * is sent and what comes back. Called by tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_TESTDEV_H
#define BAREMETAL_TESTDEV_H

#include "arch.h"
#include "hw/pci/sva-testdev/sva-testdev-abi.h"

enum { NO_PASID = -1 };

/* Finds and resets the device; its registers. */
void testdev_start(void);
uint32_t testdev_sid(void);
uint64_t testdev_read(unsigned reg);
void testdev_write(unsigned reg, uint64_t value);

/* Submit one request; @flags: SVA_TESTDEV_REQ_*. Its outcome. */
unsigned testdev_submit(uint64_t flags, int pasid, uint64_t addr);
/* What an ATS request grants: SVA_TESTDEV_ANS_*. It must succeed. */
uint64_t testdev_ask(int pasid, uint64_t addr);
/* Where the last answer points. */
uint64_t testdev_pa(void);
/* SVA_TESTDEV_RETRY ..., once the stalled request is not stalled any more */
unsigned testdev_resolution(void);

/* @what: the PRG index and SVA_TESTDEV_PRG_* */
void testdev_page_request(int pasid, uint64_t addr, uint64_t what);
/* Await a response; it is this one. @code: PRG_SUCCESS ... */
void testdev_expect_response(int pasid, unsigned index, unsigned code);
unsigned testdev_responses(void);

#endif
