/*
 * Faults: event records, and the transactions that stall on one. The only
 * place where an event record is put together. Not the decision that there is
 * a fault: that is translate.c's. Called by translate.c, command.c and smmu3.c,
 * under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_FAULT_H
#define SMMU3_FAULT_H

#include <stddef.h>
#include "../smmu3.h"

/* A fault as translate.c found it; the fields that its type has are valid. */
typedef struct Smmu3Fault {
    Smmu3EventType type;    /* EVENT_NONE: no fault */
    bool stage2;            /* S2 */
    Smmu3Class class;
    bool tt_write;          /* TTRnW=0: an HTTU update was refused */
    uint64_t ipa;           /* if stage2 */
    uint64_t fetch_addr;    /* F_*_FETCH, F_WALK_EABT */
    bool priv, ind, write;  /* PnU, InD and RnW after STE overrides */
} Smmu3Fault;

/* Build the record of @fault, which @t met (IHI 0070 7.3). */
void smmu3_event_build(const Smmu3Transaction *t, const Smmu3Fault *fault,
                       uint64_t event[SMMU3_EVENT_WORDS]);

/*
 * Write a record for a transaction that was terminated (IHI 0070 7.2), or
 * discard it and account for that. Arranges for the interrupt.
 */
void smmu3_event_record(Smmu3 *s, const uint64_t event[SMMU3_EVENT_WORDS]);

/* What became of a record. */
typedef enum {
    SMMU3_EVENT_WRITTEN,
    SMMU3_EVENT_FULL,           /* no room */
    SMMU3_EVENT_NOT_WRITABLE,   /* EVENTQEN=0, or an abort not acknowledged */
    SMMU3_EVENT_ABORTED,        /* the write met an external abort: GERROR */
} Smmu3EventResult;

/* Try to write a record; on anything but WRITTEN nothing has changed but
 * GERROR. For stall.c, whose records are kept and not lost. */
Smmu3EventResult smmu3_event_write(Smmu3 *s,
                                   const uint64_t event[SMMU3_EVENT_WORDS]);

/* ---- Stalled transactions: stall.c ------------------------------------ */

typedef struct Smmu3StallTable Smmu3StallTable;

/* @stall_max: IDR5.STALL_MAX; 0 if nothing can stall. */
Smmu3StallTable *smmu3_stall_table_new(size_t stall_max);
void smmu3_stall_table_free(Smmu3StallTable *table);

/*
 * Stall @t with the record @event (IHI 0070 3.12.2): gives it a STAG, writes
 * the record now or, when the queue or the table has no room, once it has.
 * Returns the STAG in *@stag if there is one already. False: too many wait
 * for a record; the caller terminates the transaction instead, with a record
 * that has Stall=0.
 */
bool smmu3_stall(Smmu3 *s, const Smmu3Transaction *t,
                 const uint64_t event[SMMU3_EVENT_WORDS], uint16_t *stag);

/*
 * CMD_RESUME and CMD_STALL_TERM (IHI 0070 4.6). A pair of StreamID and STAG
 * that nothing waits with is ignored.
 */
void smmu3_stall_resume(Smmu3 *s, uint32_t sid, uint16_t stag,
                        Smmu3Resolution how);
void smmu3_stall_terminate(Smmu3 *s, uint32_t sid);
/* SMMUEN 1 to 0, reset: every stall aborts, the STAGs are free. */
void smmu3_stall_terminate_all(Smmu3 *s);
/*
 * A CMD_SYNC after an invalidation: stalls whose record could not be written
 * are retried, because the record may be about configuration that is gone
 * (IHI 0070 4.6.3).
 */
void smmu3_stall_retry_unrecorded(Smmu3 *s);
/* The event queue may have room: write what waits, in order. */
void smmu3_stall_flush(Smmu3 *s);

/*
 * Loading: forget every stall without a word to its requester, then put back
 * what smmu3_save_stalls() gave. False if that cannot be this SMMU's.
 */
void smmu3_stall_forget_all(Smmu3 *s);
bool smmu3_stall_restore(Smmu3 *s, const Smmu3SavedStall *saved);

#endif
