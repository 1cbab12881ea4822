/*
 * Invalidations that cost more than they do: counted by command, for a summary.
 * Not mistakes: each of them is legal. Called by audit.c and entries.c, which
 * know what is cached.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_WASTE_H
#define SMMU3_AUDIT_WASTE_H

#include "../interface/audit.h"
#include "../cache/tlb.h"

/* Fewer entries are no reason to invalidate more than a range. */
enum { SMMU3_WASTE_FEW = 16 };

typedef struct Smmu3Waste Smmu3Waste;

Smmu3Waste *smmu3_waste_new(void);
void smmu3_waste_free(Smmu3Waste *waste);

/* Something was cached; of the TLB, by @tag, else NULL. */
void smmu3_waste_cached(Smmu3Waste *waste, const Smmu3TlbTag *tag);
/* Another output was seen where there had been no invalidation yet. */
void smmu3_waste_moved(Smmu3Waste *waste);
/* A command of a stream that no function has. */
void smmu3_waste_no_function(Smmu3Waste *waste);

/*
 * An invalidation comes, by which @removes entries go: a number up to
 * SMMU3_WASTE_FEW, which stands for more, or negative: not known.
 */
void smmu3_waste_command(Smmu3Waste *waste, const uint64_t *cmd,
                         const Smmu3Heard *heard, int removes);

/* So far; and to count anew. */
void smmu3_waste_summary(const Smmu3Waste *waste, Smmu3AuditSummary *summary);
void smmu3_waste_reset(Smmu3Waste *waste);

#endif
