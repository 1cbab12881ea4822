/*
 * The circular queues that software and the SMMU share (IHI 0070 3.5.1):
 * index and wrap, full and empty, overflow. Not what their entries mean, nor
 * when an interrupt is due. Called by command.c, event.c and page_request.c,
 * under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_QUEUE_H
#define SMMU3_QUEUE_H

#include "../interface/saved.h"

/* log2 of the entries: QUEUE_BASE_LOG2SIZE, at most @max (IDR1.*QS). */
unsigned smmu3_queue_log2(const Smmu3Queue *q, unsigned max);

/*
 * How many entries are between CONS and PROD. More than the queue holds if
 * software set the two inconsistently.
 */
uint32_t smmu3_queue_used(const Smmu3Queue *q, unsigned log2);
bool smmu3_queue_empty(const Smmu3Queue *q, unsigned log2);
/* No place for another entry; also when PROD and CONS are inconsistent. */
bool smmu3_queue_full(const Smmu3Queue *q, unsigned log2);
/* PROD and CONS are further apart than the queue is long. */
bool smmu3_queue_inconsistent(const Smmu3Queue *q, unsigned log2);

/* Addresses of the entries at PROD and at CONS; @entry_bytes is 16 or 32. */
uint64_t smmu3_queue_prod_addr(const Smmu3Queue *q, unsigned log2,
                               unsigned entry_bytes, unsigned oas_bits);
uint64_t smmu3_queue_cons_addr(const Smmu3Queue *q, unsigned log2,
                               unsigned entry_bytes, unsigned oas_bits);

/* Step PROD or CONS over one entry; bits above QUEUE_INDEX stay. */
void smmu3_queue_advance_prod(Smmu3Queue *q, unsigned log2);
void smmu3_queue_advance_cons(Smmu3Queue *q, unsigned log2);

/* OVFLG != OVACKFLG: software has not yet seen the last overflow. */
bool smmu3_queue_overflowed(const Smmu3Queue *q);
/* Toggle OVFLG unless an overflow is pending. */
void smmu3_queue_overflow(Smmu3Queue *q);

#endif
