/*
 * Stalled transactions: from the fault to software's decision. Not their
 * records' layout: fault.c. Called by the floors above under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_STALL_H
#define SMMU3_STALL_H

#include "../signal/state.h"

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
/* Of those before @before, @max at most; how many: if fewer, none is left. */
unsigned smmu3_stall_terminate(Smmu3 *s, uint32_t sid, uint64_t before,
                               unsigned max);
/*
 * A CMD_SYNC after an invalidation: stalls whose record could not be written
 * are retried, because the record may be about configuration that is gone
 * (IHI 0070 4.6.3). Of those before @before, @max at most; how many.
 */
unsigned smmu3_stall_retry_unrecorded(Smmu3 *s, uint64_t before, unsigned max);
/* Every stall that is to come is after this. */
uint64_t smmu3_stall_mark(const Smmu3 *s);

/*
 * SMMUEN 1 to 0, reset: every stall aborts. They are only marked here, and no
 * answer of software's is for them any more; smmu3_stall_drain() does the rest.
 */
void smmu3_stall_terminate_all(Smmu3 *s);
/* Terminate @max of these at most; how many: if fewer, none is left. */
unsigned smmu3_stall_drain(Smmu3 *s, unsigned max);
/*
 * The event queue may have room: write what waits, in order, @max records at
 * most; how many: if fewer, no more can be written now.
 */
unsigned smmu3_stall_flush(Smmu3 *s, unsigned max);

/*
 * The requester of @cookie gives up: it is told nothing any more. Software's
 * answer to a record is still accepted.
 */
void smmu3_stall_cancel(Smmu3 *s, void *cookie);
/* How many there are, recorded or waiting. */
unsigned smmu3_stall_count(const Smmu3 *s);

/* Saving: all of them, of Smmu3SavedStall. */
GArray *smmu3_stall_save(Smmu3 *s);
/*
 * Loading: forget every stall without a word to its requester, then put back
 * what smmu3_stall_save() gave. False if that cannot be this SMMU's.
 */
void smmu3_stall_forget_all(Smmu3 *s);
bool smmu3_stall_restore(Smmu3 *s, const Smmu3SavedStall *saved);
/* After the last of them. */
void smmu3_stall_restored(Smmu3 *s);

#endif
