/*
 * The command queue: fetching, legality, effects, errors and CMD_SYNC (IHI
 * 0070 chapter 4, 7.1). Not the caches it invalidates, nor the endpoints it
 * talks to. Called by service.c, smmu3.c and regs.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_COMMAND_H
#define SMMU3_COMMAND_H

#include "../signal/state.h"

/*
 * Under the lock: run commands until they have cost @max units of work (see
 * work.h), the queue is empty, has to wait, or fails. Returns what they cost.
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

/* What the queue's head wants of the host. */
typedef struct Smmu3CommandQuestions {
    bool quiesce;           /* call ops->quiesce() */
    bool set_timer;         /* call ops->atc_timer() with timer_ns */
    uint64_t timer_ns;
} Smmu3CommandQuestions;

/*
 * Under the lock: what to ask the host now, once the lock is dropped. Each
 * question is given out once. False: nothing.
 */
bool smmu3_command_questions(Smmu3 *s, Smmu3CommandQuestions *ask);

/*
 * Under the lock, the answers: quiesce() came true; an ATC invalidation of
 * @batch was carried out; the ATC timer ran out; a CMD_SYNC's signal was
 * delivered, @generation being what it was put into the outbox with, and if
 * its MSI was aborted GERROR has it.
 */
void smmu3_command_quiesced(Smmu3 *s);
void smmu3_command_atc_answered(Smmu3 *s, uint32_t batch);
void smmu3_command_atc_timeout(Smmu3 *s);
void smmu3_command_signalled(Smmu3 *s, uint32_t generation);

#endif
