/*
 * What becomes of a command that is run, and of one that is more than work for
 * once. Not what commands do. Used by command.c and sync.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_VERDICT_H
#define SMMU3_VERDICT_H

#include "../queues/stall.h"
#include "../signal/state.h"
#include "../signal/work.h"

typedef enum {
    SMMU3_CMD_CONSUMED,
    SMMU3_CMD_WAITS,            /* the phase says for what */
    SMMU3_CMD_UNFINISHED,       /* to be run again: it is more than work for
                                   once */
    SMMU3_CMD_ILLEGAL,          /* CERROR_ILL */
    SMMU3_CMD_ATC_FAILED,       /* CERROR_ATC_INV_SYNC */
} Smmu3Verdict;

/*
 * Stalls may be many, so a command resolves some at a time; of those that were
 * there when it began, or it might never end.
 */
static inline uint64_t smmu3_command_stalls_before(Smmu3 *s)
{
    if (!s->command.stalls_before) {
        s->command.stalls_before = smmu3_stall_mark(s);
    }
    return s->command.stalls_before;
}

/* It has resolved so many at once. Whether that was all of them. */
static inline bool smmu3_command_stalls_done(Smmu3 *s, unsigned resolved)
{
    s->command.work += resolved * SMMU3_WORK_STALL;
    return resolved < SMMU3_STALLS_AT_ONCE;
}

#endif
