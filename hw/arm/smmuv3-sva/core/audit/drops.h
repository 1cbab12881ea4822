/*
 * What became of each invalidation that inject= dropped: whether it left anything
 * stale behind, and whether that was found. Not which are dropped, nor what is
 * found. Called by witness.c, audit.c, entries.c and grants.c.
 *
 * A stale entry counts for the first drop that left it. It goes, by a later
 * invalidation say, or it is reported; what is neither is still open, or was missed:
 * it outlasted twice what software may take, it had its turns to be looked at, its
 * context is in use, and nobody said so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_DROPS_H
#define SMMU3_AUDIT_DROPS_H

#include "../interface/audit.h"
#include "grace.h"

typedef struct Smmu3Drops Smmu3Drops;

Smmu3Drops *smmu3_drops_new(const Smmu3Grace *grace);
void smmu3_drops_free(Smmu3Drops *drops);

/* One is dropped: its number, from 1 on. */
uint64_t smmu3_drops_begin(Smmu3Drops *drops, uint64_t ns);
/* The last one left an entry that is stale... */
void smmu3_drops_left(Smmu3Drops *drops, uint64_t number);
/* ...which was reported, or is gone, or says again what the tables say. */
void smmu3_drops_found(Smmu3Drops *drops, uint64_t number);
void smmu3_drops_gone(Smmu3Drops *drops, uint64_t number);

/*
 * From when on what drop @number left, which is still there, is a mistake if it is in
 * use; UINT64_MAX: it is none yet. @turns: the CMD_SYNCs until an entry that is not
 * used was looked at as often as it takes.
 */
uint64_t smmu3_drops_mistake_since(const Smmu3Drops *drops, uint64_t number,
                                   uint64_t turns, uint64_t ns);
/* Such a one is there. It counts for the next smmu3_drops_count(). */
void smmu3_drops_missed(Smmu3Drops *drops, uint64_t number);

void smmu3_drops_count(Smmu3Drops *drops, Smmu3AuditDrops *counts);

#endif
