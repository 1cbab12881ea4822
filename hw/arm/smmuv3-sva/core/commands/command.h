/*
 * The command queue: fetching, legality, effects and errors (IHI 0070 chapter
 * 4, 7.1). Not CMD_SYNC, which is sync.c's, nor the caches it invalidates and
 * the endpoints it talks to. Called by service.c, smmu3.c and regs.c.
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
/*
 * Under the lock: what was put off on request is due, for the machine stops and its
 * state may be saved, which has none of it; nor is anything put off any more until
 * smmu3_command_run().
 */
void smmu3_command_hurry(Smmu3 *s);
/*
 * Under the lock: carry out what was put off and is due, until that has cost @max.
 * Whether there may be more.
 */
bool smmu3_command_run_late(Smmu3 *s, unsigned max);
/* Under the lock: reset; what was put off is forgotten; answers still to come are for nobody. */
void smmu3_command_reset(Smmu3 *s);

#endif
