/*
 * Commands that are wrong by themselves: of what never was, or is no command, or
 * without the CMD_SYNC that completes them. Not what they leave in a cache. Called
 * by audit.c, which is told of each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_ORDERS_H
#define SMMU3_AUDIT_ORDERS_H

#include "grace.h"

/* Page request groups that are remembered; the oldest knowledge goes at once. */
enum { SMMU3_GROUPS_MAX = 4096 };

typedef struct Smmu3Orders Smmu3Orders;

/* @stall_max: IDR5.STALL_MAX. @grace must outlive it. */
Smmu3Orders *smmu3_orders_new(const Smmu3Grace *grace, unsigned stall_max);
void smmu3_orders_free(Smmu3Orders *orders);
/*
 * Nothing is outstanding. @anew: nor was it ever, for software begins anew, too;
 * else that is not known, and no answer is wrong.
 */
void smmu3_orders_forget(Smmu3Orders *orders, bool anew);

/* ---- Stalls and page requests --------------------------------------------- */

/* What became of one, for software's answer to it. */
typedef enum {
    SMMU3_ANSWER_EARLY,     /* a part of a group came: one now is no mistake */
    SMMU3_ANSWER_DUE,       /* software was told, and is to answer once */
    SMMU3_ANSWER_LATE,      /* the SMMU has ended it: one now is no mistake */
} Smmu3AnswerState;

void smmu3_orders_stall(Smmu3Orders *orders, uint32_t sid, uint16_t stag,
                        Smmu3AnswerState state);
void smmu3_orders_group(Smmu3Orders *orders, uint32_t sid, uint16_t index,
                        Smmu3AnswerState state);

/*
 * Software answers. True: that is a mistake, and *@report is filled in but for the
 * command.
 */
bool smmu3_orders_resume(Smmu3Orders *orders, uint32_t sid, uint16_t stag,
                         Smmu3AuditReport *report);
bool smmu3_orders_respond(Smmu3Orders *orders, uint32_t sid, uint16_t index,
                          Smmu3AuditReport *report);

/* ---- The queue -------------------------------------------------------------- */

/* An invalidation was carried out; a CMD_SYNC has come. */
void smmu3_orders_invalidated(Smmu3Orders *orders, const uint64_t *cmd,
                              uint64_t ns);
void smmu3_orders_synced(Smmu3Orders *orders);
/* Some other moment: no CMD_SYNC has come for too long. Once for each. */
bool smmu3_orders_lack_sync(Smmu3Orders *orders, uint64_t ns,
                            Smmu3AuditReport *report);

/* What an illegal command may be. */
Smmu3Blame smmu3_orders_illegal(const uint64_t *cmd);

#endif
