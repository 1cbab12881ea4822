/*
 * The command queue: fetching, legality, effects, errors and CMD_SYNC (IHI
 * 0070 chapter 4, 7.1). Not the caches it invalidates, nor the endpoints it
 * talks to. Called by smmu3.c, outbox.c and regs.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_COMMAND_H
#define SMMU3_COMMAND_H

#include "../smmu3.h"

/* What the queue's head waits for. */
typedef enum {
    SMMU3_QUEUE_RUNS,
    SMMU3_QUEUE_WAITS_ATC,          /* ATC invalidations to be answered */
    SMMU3_QUEUE_ASKS_QUIESCE,       /* ops->quiesce() is to be called */
    SMMU3_QUEUE_WAITS_QUIESCE,      /* smmu3_quiesced() */
    SMMU3_QUEUE_WAITS_SIGNALS,      /* earlier CMD_SYNCs' to be delivered */
} Smmu3QueuePhase;

typedef struct Smmu3CommandState {
    Smmu3QueuePhase phase;
    uint32_t ticket;            /* names what the phase is about: a late
                                   timer is for another */
    bool invalidated;           /* since the last CMD_SYNC */
    bool quiesced;              /* and since then all was out of use */
    bool quiesce_outstanding;   /* quiesce() returned false, no answer yet */
    uint32_t signals;           /* completion signals not yet delivered */
    uint32_t atc_batch;         /* numbers the invalidations in flight */
    uint32_t atc_pending;       /* invalidations of atc_batch not answered */
    bool atc_lost;              /* some were given up: the next CMD_SYNC fails */
    uint32_t timer_ticket;      /* what the host's timer runs for; 0: nothing */
} Smmu3CommandState;

/*
 * Under the lock: consume up to @max commands, until the queue is empty, has
 * to wait, or fails. Returns how many were consumed.
 */
unsigned smmu3_command_run(Smmu3 *s, unsigned max);

/* Under the lock: whether smmu3_command_run() would do anything. */
bool smmu3_command_runnable(const Smmu3 *s);

/*
 * Under the lock: CMDQEN 1 to 0. The command at CONS begins anew when the
 * queue is enabled again.
 */
void smmu3_command_stop(Smmu3 *s);
/* Under the lock: reset; answers still to come are for nobody. */
void smmu3_command_reset(Smmu3 *s);

/*
 * Without the lock: call ops->quiesce() if the queue's head needs it, or the
 * ATC timer's setting. True if something was called.
 */
bool smmu3_command_ask_host(Smmu3 *s);

/*
 * Without the lock: a CMD_SYNC's signal was delivered, and if its MSI was
 * aborted, GERROR has it. @life: what it was put into the outbox with.
 */
void smmu3_command_signalled(Smmu3 *s, uint32_t life);

#endif
