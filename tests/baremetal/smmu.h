/*
 * A driver of the SMMU: its queues, its interrupts by wire or by message,
 * streams and contexts. Decides nothing: what to do about an event or a page
 * request is up to who asked to be told. Called by the pager and by tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_SMMU_H
#define BAREMETAL_SMMU_H

#include "core/spec/spec.h"
#include "tables.h"

/* What is told of, from an interrupt; NULL: it stays in its queue. */
typedef struct SmmuListener {
    void (*event)(void *opaque, const uint64_t event[SMMU3_EVENT_WORDS]);
    void (*page_request)(void *opaque, const uint64_t entry[SMMU3_PRI_WORDS]);
    void *opaque;
} SmmuListener;

typedef struct SmmuSetup {
    unsigned eventq_log2, priq_log2;    /* entries; 0: 64 of them */
    bool messages;      /* interrupts are MSIs, else wires */
    bool irq_by_group;  /* the PRI queue's: PRIQ_IRQ_CFG2.LO */
    bool e2h;           /* CR2.E2H, for streams of EL2 */
    SmmuListener listener;
} SmmuSetup;

/* Interrupts so far, of each kind */
typedef struct SmmuIrqs {
    unsigned events, page_requests, syncs, gerrors;
    uint32_t gerror;        /* the errors that the last one was about */
} SmmuIrqs;

/*
 * Start anew: linear stream table, all queues, interrupts. Connects the
 * interrupts' handlers; irq_init() was called. Memory from arena.h.
 */
void smmu_start(const SmmuSetup *setup);
extern volatile SmmuIrqs smmu_irqs;

uint32_t smmu_read32(uint32_t reg);
void smmu_write32(uint32_t reg, uint32_t value);
uint64_t smmu_read64(uint32_t reg);
void smmu_write64(uint32_t reg, uint64_t value);
/* Set and clear bits of CR0; waits for CR0ACK. */
void smmu_cr0(uint32_t set, uint32_t clear);

/* Put a command in the queue, and tell the SMMU. Also from interrupts. */
void smmu_command(const uint64_t command[SMMU3_CMD_WORDS]);
/* CMD_SYNC, and wait for it: by CONS, or for its interrupt. */
void smmu_sync(void);
void smmu_sync_by_interrupt(void);

/* The oldest event, for who does not listen; false: there is none. */
bool smmu_take_event(uint64_t event[SMMU3_EVENT_WORDS]);

/* ---- Streams ------------------------------------------------------------ */

enum { STREAM_CD_LOG2 = 4 };    /* PASIDs 1 ... 15; CD 0 is for none */

typedef struct Stream {
    uint32_t sid;
    uint64_t ste[SMMU3_STE_WORDS];
    uint64_t *cds;
} Stream;

/* Stage 1, full ATS; no context yet. */
void stream_start(Stream *stream, uint32_t sid);
/* Make what is in stream->ste count. */
void stream_update(Stream *stream);
/* @ssid's context is @space; faults stall, or abort. */
void stream_attach(Stream *stream, uint32_t ssid, const Space *space,
                   bool stall);

/* The same with a CD of the caller's. */
void stream_set_cd(Stream *stream, uint32_t ssid,
                   const uint64_t cd[SMMU3_CD_WORDS]);

/* ---- Answers to what the listener was told ------------------------------ */

/* @resp: CMD_PRI_RESP_SUCCESS or so. With the request's PASID, if any. */
void smmu_page_response(const uint64_t entry[SMMU3_PRI_WORDS], unsigned resp);
/* @retry, or else @abort, or else read zeros and drop writes. */
void smmu_resume(uint32_t sid, unsigned stag, bool retry, bool abort);
void smmu_stall_term(uint32_t sid);
/* Forget @va: TLB, then the endpoint's ATC. @ssid: 0: without PASID. */
void smmu_invalidate(const Stream *stream, uint32_t ssid, const Space *space,
                     uint64_t va);

#endif
