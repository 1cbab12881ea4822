/*
 * An SMMUv3 (Non-secure): the core's public interface. Registers, traffic,
 * page requests, state to save, counters. Used by the QEMU device, the unit
 * tests, the benchmarks, and by anyone who embeds the model.
 *
 * Threads: smmu3_translate() may be called from any thread. All the other
 * functions are called from one thread at a time (in QEMU: under the big
 * lock). No function blocks on anything but the core's own lock, which is
 * held for a bounded time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_H
#define SMMU3_H

#include <glib.h>
#include <stdatomic.h>
#include "spec/id.h"
#include "interface/host.h"
#include "interface/transaction.h"

typedef struct Smmu3 Smmu3;

/* ---- State ------------------------------------------------------------ */

/* A circular queue's registers (IHI 0070 3.5.1, 6.3.26 ff). */
typedef struct Smmu3Queue {
    uint64_t base;
    uint32_t prod;          /* as software sees it: index, wrap, OVFLG */
    uint32_t cons;          /* index, wrap, OVACKFLG or CMDQ_CONS.ERR */
} Smmu3Queue;

/* An MSI configuration triple (6.3.21). */
typedef struct Smmu3IrqConfig {
    uint64_t addr;
    uint32_t data;
    uint32_t attr;          /* *_IRQ_CFG2 */
} Smmu3IrqConfig;

/* All registers that keep a value; a device saves and loads these. */
typedef struct Smmu3Regs {
    uint32_t cr0, cr0ack, cr1, cr2;
    uint32_t gbpa;
    uint32_t irq_ctrl, irq_ctrlack;
    uint32_t gerror, gerrorn;
    uint32_t strtab_base_cfg;
    uint64_t strtab_base;
    Smmu3Queue cmdq, eventq, priq;
    Smmu3IrqConfig gerror_irq, eventq_irq, priq_irq;
    uint64_t gatos_sid, gatos_addr, gatos_par;
    uint32_t gatos_ctrl;
} Smmu3Regs;

/* A stall that awaits CMD_RESUME, as saved. */
typedef struct Smmu3SavedStall {
    uint32_t sid;
    uint16_t stag;
    uint8_t recorded;       /* its event is in the queue */
    uint64_t event[SMMU3_EVENT_WORDS];
} Smmu3SavedStall;

typedef struct Smmu3Counters {
    _Atomic uint64_t translations;      /* transactions of every type */
    _Atomic uint64_t tlb_hits;          /* answered without a table walk */
    _Atomic uint64_t tlb_misses;
    _Atomic uint64_t config_misses;     /* STEs and CDs fetched */
    _Atomic uint64_t walks;             /* stage walks begun, each stage */
    _Atomic uint64_t descriptor_reads;
    _Atomic uint64_t httu_updates;
    _Atomic uint64_t faults[256];       /* by Smmu3EventType */
    _Atomic uint64_t events;            /* records written */
    _Atomic uint64_t events_lost;       /* discarded, for any reason */
    _Atomic uint64_t stalls;            /* transactions stalled */
    _Atomic uint64_t resumes_retry, resumes_abort; /* CMD_RESUME that matched */
    _Atomic uint64_t stalls_terminated; /* by STALL_TERM or a disable */
    _Atomic uint64_t stalls_cancelled;  /* given up by the endpoint */
    _Atomic uint64_t commands;          /* consumed */
    _Atomic uint64_t command_errors;
    _Atomic uint64_t syncs;
    _Atomic uint64_t tlb_invalidations, config_invalidations;
    _Atomic uint64_t ats_requests, ats_translated, atc_invalidations;
    _Atomic uint64_t page_requests, page_requests_lost, prg_responses;
} Smmu3Counters;

/* Sizes of what the architecture leaves to the implementation. */
typedef struct Smmu3Options {
    size_t tlb_entries;             /* 0: 65536 */
    size_t config_entries;          /* STE and CD pairs; 0: 4096 */
    uint64_t atc_timeout_ns;        /* 0: 1 s (PCIe allows up to 90 s) */
} Smmu3Options;

/*
 * A new SMMU in its reset state. @features must have passed
 * smmu3_features_check(); @ops and @host must outlive it. @options may be
 * NULL. smmu3_free() resolves nothing: free the endpoints first.
 */
Smmu3 *smmu3_new(const Smmu3Features *features, const Smmu3Options *options,
                 const Smmu3HostOps *ops, void *host);
void smmu3_free(Smmu3 *s);

/* Reset: stalled transactions abort, caches are empty, counters stay. */
void smmu3_reset(Smmu3 *s);

/* ---- Software's side -------------------------------------------------- */

/*
 * A register access at @offset in pages 0 and 1, @size 4 or 8 bytes, aligned
 * (IHI 0070 6.2). Any other is read as zero, ignored on write and reported.
 * A write also does the work of smmu3_service().
 */
uint64_t smmu3_mmio_read(Smmu3 *s, uint64_t offset, unsigned size);
void smmu3_mmio_write(Smmu3 *s, uint64_t offset, uint64_t value,
                      unsigned size);

/*
 * Do what waits: interrupts, commands, stall records that had no room,
 * answers to endpoints. Does a bounded amount of work, and kicks for the
 * rest. Calls the host.
 */
void smmu3_service(Smmu3 *s);

/*
 * Send what is decided already - interrupts, CMD_SYNC's signals, answers to
 * endpoints - and begin nothing: when the machine stops, before it is saved.
 */
void smmu3_flush(Smmu3 *s);

/* The host's delayed answers; both do the work of smmu3_service(). */
void smmu3_quiesced(Smmu3 *s);
void smmu3_atc_timeout(Smmu3 *s);

/* ---- Traffic's side --------------------------------------------------- */

/*
 * Decide on one transaction. On SMMU3_OK the answer may be used until the
 * caller leaves the section that the host's quiesce() waits for. Any thread.
 */
Smmu3Outcome smmu3_translate(Smmu3 *s, const Smmu3Transaction *t,
                             Smmu3Translation *result);

/*
 * The requester gives up a stalled transaction (reset, FLR): nothing is
 * called for @cookie any more. Software's RESUME is still accepted.
 */
void smmu3_cancel(Smmu3 *s, void *cookie);

/*
 * One ATC invalidation was carried out, or its endpoint is gone: answers each
 * atc_invalidate() once, with the @batch it came with. A late answer, after a
 * timeout or a reset, belongs to an older batch and is ignored.
 */
void smmu3_atc_invalidated(Smmu3 *s, uint32_t batch);

/* A PCIe page request or stop marker (IHI 0070 8.1). */
typedef struct Smmu3PageRequest {
    uint32_t sid;
    uint32_t ssid;          /* if ssv */
    bool ssv;
    bool priv, exec, read, write, last;
    uint16_t prg_index;     /* 0 ... 511 */
    uint64_t addr;          /* bits 11:0 ignored */
} Smmu3PageRequest;

/* Queue it or answer it automatically, through prg_response(). */
void smmu3_page_request(Smmu3 *s, const Smmu3PageRequest *request);

/* ---- Looking in ------------------------------------------------------- */

const Smmu3Features *smmu3_features(const Smmu3 *s);
/* Register values without side effects, for saving and for tests. */
const Smmu3Regs *smmu3_regs(const Smmu3 *s);
/* As of now: translations and tlb_hits are added up by this call. */
const Smmu3Counters *smmu3_counters(Smmu3 *s);
/* Zero them all. */
void smmu3_counters_reset(Smmu3 *s);
/* "F_TRANSLATION" and so on; NULL for a number that means nothing. */
const char *smmu3_event_name(unsigned type);
/* Stalls recorded or waiting, now. */
unsigned smmu3_stalls_outstanding(Smmu3 *s);

/*
 * Append a step-by-step account of how @t would be translated now, from the
 * tables in memory and not from any cache, changing nothing.
 */
void smmu3_explain(Smmu3 *s, const Smmu3Transaction *t, GString *out);

/*
 * Save and load. The stalls are saved without their cookies: after a load
 * every requester submits again what it had stalled, and software's answers
 * to the old records are accepted (an early retry, IHI 0070 3.12.2).
 * smmu3_load() leaves the caches empty, and sends the interrupts of queues
 * that are not empty and of active errors, once more or not; it returns false,
 * and the state as after reset, if the values cannot be this SMMU's.
 */
GArray *smmu3_save_stalls(Smmu3 *s);        /* of Smmu3SavedStall */
bool smmu3_load(Smmu3 *s, const Smmu3Regs *regs,
                const Smmu3SavedStall *stalls, size_t stall_count);

#endif
