/*
 * A fault, and the event record that tells of it: the only place where a
 * record is put together. Pure; not the decision that there is a fault, nor
 * what becomes of the record (event.c, stall.c). Used by walk.c and by the
 * floor of traffic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_FAULT_H
#define SMMU3_FAULT_H

#include "../interface/transaction.h"

/* A fault as it was found; the fields that its type has are valid. */
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

#endif
