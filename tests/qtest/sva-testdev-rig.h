/*
 * What the tests by sva-testdev share: the device behind the SMMU of virt-sva,
 * with a stream set up; its registers as functions. Not tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SVA_TESTDEV_RIG_H
#define SVA_TESTDEV_RIG_H

#include "hw/pci/sva-testdev/sva-testdev-abi.h"
#include "sva-qtest.h"

#define VA      UINT64_C(0x7f0000005000)
#define FAR_VA  UINT64_C(0x7f0000105000)    /* nothing is there */
#define PAGE    UINT64_C(4096)
#define GIB     (UINT64_C(1) << 30)
enum {
    PASID = 1, NO_PASID = -1, ASID = 7, CD_LOG2 = 2,
    READ = SVA_TESTDEV_REQ_READ, WRITE = SVA_TESTDEV_REQ_WRITE,
    ATS = SVA_TESTDEV_REQ_ATS, TRANSLATED = SVA_TESTDEV_REQ_TRANSLATED,
    MAY_STALL = SVA_TESTDEV_REQ_MAY_STALL,
};

enum { R = SVA_TESTDEV_ANS_READ, W = SVA_TESTDEV_ANS_WRITE,
       X = SVA_TESTDEV_ANS_EXEC };

/* The endpoint, whose stream has a page at VA, with and without PASID 1. */
typedef struct Rig {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar;
    uint64_t root, cds, page;
    uint64_t ste[SMMU3_STE_WORDS];
    uint64_t event[SMMU3_EVENT_WORDS];
} Rig;

/* The oldest message of a FIFO. */
typedef struct Message {
    uint64_t first, last, info;
} Message;

/* Its StreamID, as long as its bus keeps its number. */
uint32_t sid(const Rig *r);

/*
 * @args has the device, at @bus: 0, or below the root port at slot 2. @stall:
 * its faults stall.
 */
Rig rig_start_with(const char *args, unsigned bus, bool stall);
Rig rig_start(void);
/* The same for who has started a machine; r->bus and r->devfn are set. */
void rig_set_up_stream(Rig *r, bool stall);
void set_eats(Rig *r, unsigned eats);

/* BAR0 */
uint64_t dev_read(const Rig *r, unsigned reg);
void dev_write(const Rig *r, unsigned reg, uint64_t value);

/* The next record is of this type and stream; it is left in r->event. */
void expect_event(Rig *r, Smmu3EventType type);

/* Ends it; no event has been left. */
void done(Rig *r);
void set_cr0(Rig *r, uint32_t set, uint32_t clear);

/* A PASID, or NO_PASID, as registers have it. */
uint64_t pasid_reg(int pasid);

/* Submit one request: SVA_TESTDEV_OK and so on. */
unsigned submit(const Rig *r, uint64_t flags, int pasid, uint64_t addr);

/* The answer is OK, with all of this; @pa counts if anything is granted. */
void expect_grant(const Rig *r, uint64_t flags, int pasid,
                  uint64_t addr, uint64_t pa, uint64_t len,
                  uint64_t granted);

/* Messages that the device has got; @fifo: SVA_TESTDEV_RESPONSES ... */
unsigned fifo_count(const Rig *r, unsigned fifo);
Message fifo_take(const Rig *r, unsigned fifo);
void expect_range(const Rig *r, unsigned fifo, uint64_t first,
                  uint64_t last, uint64_t info);

/* CMD_ATC_INV of 2^@size pages; CMD_ATC_SIZE_ALL. */
void atc_inv(const Rig *r, int pasid, bool global, uint64_t addr,
             unsigned size);

/* Is the command queue empty? */
bool all_consumed(const Rig *r);

/* It is not, and stays so for as long as the main loop may take. */
void expect_waiting(const Rig *r);
void wait_consumed(const Rig *r);

/* @what: PRG index and SVA_TESTDEV_PRG_* */
void send_page_request(const Rig *r, int pasid, uint64_t addr,
                       uint64_t what);

/* The next page response, awaited. */
void expect_response(const Rig *r, unsigned index, unsigned code,
                     int pasid);

/* CMD_PRI_RESP; @resp is CMD_PRI_RESP_SUCCESS or so. */
void pri_resp(const Rig *r, int pasid, unsigned index, unsigned resp);

/* Whether this interrupt comes; takes it. */
bool wait_irq(const Rig *r, unsigned intid);
void resume(const Rig *r, unsigned stag, bool retry, bool abort);

/* Read where nothing is: the STAG. */
unsigned stall(Rig *r);

/* SVA_TESTDEV_RETRY ... */
void expect_resolution(const Rig *r, unsigned wanted);

#endif
