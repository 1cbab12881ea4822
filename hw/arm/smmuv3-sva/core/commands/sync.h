/*
 * CMD_SYNC, and what the head of the command queue waits for: its questions to
 * the host, and the answers (IHI 0070 4.7). Not the queue, nor the other
 * commands. Called by command.c and service.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_SYNC_H
#define SMMU3_SYNC_H

#include "verdict.h"

/* Under the lock: run the CMD_SYNC at CONS. */
Smmu3Verdict smmu3_sync_run(Smmu3 *s, const uint64_t *cmd);

/* Under the lock: the command at CONS waits for what @phase says. */
void smmu3_sync_wait(Smmu3 *s, Smmu3QueuePhase phase);
/* Under the lock: whether it waits for nothing more. */
bool smmu3_sync_may_go_on(const Smmu3 *s);

/* What the queue's head wants of the host. */
typedef struct Smmu3SyncQuestions {
    bool quiesce;           /* call ops->quiesce() */
    bool set_timer;         /* call ops->atc_timer() with timer_ns */
    uint64_t timer_ns;
} Smmu3SyncQuestions;

/*
 * Under the lock: what to ask the host now, once the lock is dropped. Each
 * question is given out once. False: nothing.
 */
bool smmu3_sync_questions(Smmu3 *s, Smmu3SyncQuestions *ask);

/*
 * Under the lock, the answers: quiesce() came true; an ATC invalidation of
 * @batch was carried out; the ATC timer ran out; a CMD_SYNC's signal was
 * delivered, @generation being what it was put into the outbox with, and if
 * its MSI was aborted GERROR has it.
 */
void smmu3_sync_quiesced(Smmu3 *s);
void smmu3_sync_atc_answered(Smmu3 *s, uint32_t batch);
void smmu3_sync_atc_timeout(Smmu3 *s);
void smmu3_sync_signalled(Smmu3 *s, uint32_t generation);

#endif
