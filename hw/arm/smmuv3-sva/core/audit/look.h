/*
 * What the tables say now, and how that differs from what is cached. Not when a
 * difference is a mistake (grace.c). Called by entries.c and grants.c, and by ats.c,
 * which looks for the latter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_LOOK_H
#define SMMU3_AUDIT_LOOK_H

#include "../interface/audit.h"
#include "../tables/walk.h"

/* Where to look, and how memory is reached. */
typedef struct Smmu3Look {
    const Smmu3HostOps *ops;
    void *host;
    unsigned oas_bits;
    const Smmu3Tables *tables;
    const Smmu3Tables *stage2;      /* where stage 1's tables are; or NULL */
} Smmu3Look;

/* What was found; of a place without a translation the leaf is all 0. */
typedef struct Smmu3Found {
    bool any;
    Smmu3Leaf leaf;
    Smmu3Trail trail;
} Smmu3Found;

/*
 * Walk for @addr. Changes nothing; an access flag that is clear counts as set, for
 * to clear it needs no invalidation. 5 reads at most; over stage 2, 30.
 */
void smmu3_look(const Smmu3Look *look, uint64_t addr, Smmu3Found *found);

/*
 * Where to look in the block of @addr at @turn: any of its pages may have changed, so
 * at another one each time; in a page at @addr.
 */
uint64_t smmu3_look_address(uint64_t addr, unsigned size_log2, uint64_t turn);

/* Whether @cached is stale at @addr, by what was @found there; *@how. */
bool smmu3_is_stale(const Smmu3Leaf *cached, const Smmu3Found *found,
                    uint64_t addr, Smmu3Mistake *how);

/*
 * Whether the block that is @cached was made one of another size, or its contiguous
 * bit changed, while it was valid (DDI 0487 D8.16): the same output at @addr, in a
 * block of another size, where @bbml, IDR3.BBML, wants a break before.
 */
bool smmu3_is_unbroken(const Smmu3Leaf *cached, const Smmu3Trail *trail,
                       const Smmu3Found *found, uint64_t addr, unsigned bbml);

/* A walker told of a descriptor: into the trail of a walk from @start_level. */
void smmu3_trail_saw(Smmu3Trail *trail, int start_level, int level, uint64_t pa,
                     uint64_t descriptor, bool updated);

#endif
