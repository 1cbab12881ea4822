/*
 * The IOTLB: results of single stages. A stage-1 entry maps a VA to an IPA (or
 * to a PA when there is no stage 2), a stage-2 entry an IPA to a PA; a nested
 * lookup takes one of each, so an invalidation by IPA leaves nothing stale and
 * no entry is a mixture of two sizes. Not the walk, and not configuration.
 * Called by stages.c and command.c.
 *
 * Invalidation by ASID, by VMID and of everything is one store: each entry
 * carries the epoch at which its walk began and is alive only if nothing that
 * covers it was invalidated since. Lookups take no lock and may run in any
 * thread; all other functions are called under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_TLB_H
#define SMMU3_TLB_H

#include <stddef.h>
#include "../tables/walk.h"
#include "front.h"

/* Whose translations: what a lookup must match besides the address. */
typedef struct Smmu3TlbTag {
    Smmu3World world;
    uint16_t vmid;          /* 0 where the world has none */
    uint16_t asid;          /* 0 where the world has none */
    bool aset;              /* CD.ASET: global entries match the same only */
} Smmu3TlbTag;

typedef struct Smmu3Tlb Smmu3Tlb;

/* Of an input address: those above are ignored. */
enum { SMMU3_TLB_ADDR_BITS = 56 };

/* @capacity: entries; rounded up to a power of two, at least 64. */
Smmu3Tlb *smmu3_tlb_new(size_t capacity);
void smmu3_tlb_free(Smmu3Tlb *tlb);

/* From now on each invalidation moves @generation, once it can be seen. */
void smmu3_tlb_moves(Smmu3Tlb *tlb, Smmu3Generation *generation);

/*
 * From now on each invalidation but smmu3_tlb_invalidate_leaves() is one of
 * @tables first: of what walk-cache.c keeps there, under the same tags.
 */
void smmu3_tlb_leads(Smmu3Tlb *tlb, Smmu3Tlb *tables);

/* Lock-free. @addr is the full input address. */
bool smmu3_tlb_lookup(Smmu3Tlb *tlb, const Smmu3TlbTag *tag, uint64_t addr,
                      Smmu3Leaf *leaf);

/*
 * For who keeps something beside each entry: places count from 0 to
 * smmu3_tlb_places() - 1. The place of an entry that was looked up or inserted
 * as @leaf, or SMMU3_TLB_NOWHERE. Whether the entry at @place is alive: a lookup
 * may give it, until another one is inserted there.
 */
#define SMMU3_TLB_NOWHERE   SIZE_MAX
size_t smmu3_tlb_places(const Smmu3Tlb *tlb);
size_t smmu3_tlb_place(Smmu3Tlb *tlb, const Smmu3TlbTag *tag, uint64_t addr,
                       const Smmu3Leaf *leaf);
bool smmu3_tlb_lives(Smmu3Tlb *tlb, size_t place);

/*
 * The present epoch: take it before the walk, give it to the insertion, which
 * drops what was invalidated since. Under the core's lock that cannot happen;
 * it is a second line, and tlb's tests show that it holds by itself.
 */
uint64_t smmu3_tlb_epoch(Smmu3Tlb *tlb);

/* Evicts when the place is taken, never fails. */
void smmu3_tlb_insert(Smmu3Tlb *tlb, const Smmu3TlbTag *tag, uint64_t addr,
                      const Smmu3Leaf *leaf, uint64_t epoch);

/*
 * Invalidations; each O(1) but the range, which costs a probe for each page of
 * it and page size in use, and becomes something broader when these are many:
 * all of the ASID, or the regions of address space that it touches, or all of
 * the VMID.
 */
void smmu3_tlb_invalidate_all(Smmu3Tlb *tlb);
/* NS-EL2 and NS-EL2-E2H (CMD_TLBI_EL2_ALL). */
void smmu3_tlb_invalidate_el2(Smmu3Tlb *tlb);
/* NS-EL1 and stage 2, of every VMID (CMD_TLBI_NSNH_ALL). */
void smmu3_tlb_invalidate_nsnh(Smmu3Tlb *tlb);
/*
 * By VMID, comparing only the bits that @vmid_ignore (CR0.VMW: a mask of low
 * bits) leaves: stage 1 of NS-EL1 and, if asked for, stage 2.
 */
void smmu3_tlb_invalidate_vmid(Smmu3Tlb *tlb, uint16_t vmid,
                               uint16_t vmid_ignore, bool stage2_too);
/* Non-global stage-1 entries of one ASID; tag->aset is not used. */
void smmu3_tlb_invalidate_asid(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                               uint16_t vmid_ignore);
/*
 * Entries that overlap [first, last]: of the tag's ASID and the global ones,
 * or of every ASID; for SMMU3_WORLD_STAGE2 by VMID alone. Returns what that
 * cost, in units of about 10 ns.
 */
typedef unsigned Smmu3TlbRange(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                               uint16_t vmid_ignore, bool any_asid,
                               uint64_t first, uint64_t last);
Smmu3TlbRange smmu3_tlb_invalidate_range;
/* The same where software says that no table went, but pages and blocks alone. */
Smmu3TlbRange smmu3_tlb_invalidate_leaves;

/*
 * From now on an invalidation looks up each page of a range of up to 64 MiB, of 4
 * KiB pages of one size, where otherwise something broader is cheaper from 1 MiB
 * on: so that no other entries go with it, for who looks for what was forgotten.
 */
void smmu3_tlb_be_precise(Smmu3Tlb *tlb);

#endif
