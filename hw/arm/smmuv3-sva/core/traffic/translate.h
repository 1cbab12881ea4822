/*
 * One transaction, from its StreamID to a physical address or a fault. Not the
 * lock, nor the choice between caches and memory: smmu3_translate(). Called by
 * smmu3.c and explain.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_TRANSLATE_H
#define SMMU3_TRANSLATE_H

#include "pass.h"

/*
 * The whole of a transaction, of any type, by what p->mode allows. True:
 * SMMU3_OK, with *@result. False: p->fault and p->refusal say what to record
 * and what to answer.
 */
bool smmu3_pass_any(Smmu3Pass *p, Smmu3Translation *result);

/*
 * Under the lock: decide on @t with all that memory and faults need. What
 * smmu3_translate() returns.
 */
Smmu3Outcome smmu3_translate_locked(Smmu3 *s, const Smmu3Transaction *t,
                                    Smmu3Translation *result);

#endif
