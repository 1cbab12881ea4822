/*
 * The last invalidations, and why each did not cover a given translation. Not what
 * the TLB or an endpoint made of them. Called by entries.c, of the TLB, and by
 * grants.c, of the caches of endpoints: each has a log of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_HEARD_H
#define SMMU3_AUDIT_HEARD_H

#include "../cache/tlb.h"
#include "../interface/audit.h"
#include "../spec/field.h"

enum { SMMU3_HEARD_KEPT = 1024 };

typedef struct Smmu3HeardLog {
    Smmu3Heard kept[SMMU3_HEARD_KEPT];
    uint64_t count;                 /* of all; the next one's number less 1 */
} Smmu3HeardLog;

/* A block of a tag's input addresses; or of a stream's, in its endpoint. */
typedef struct Smmu3Block {
    bool atc;
    Smmu3TlbTag tag;                /* unless atc */
    bool global;
    uint32_t sid, ssid;             /* atc; ssid: if ssv */
    bool ssv;
    uint64_t first, last;
} Smmu3Block;

/*
 * An address as it is said and compared: the TLB goes by its low bits, of which the
 * highest says which half it is in, and software may put a tag above.
 */
static inline uint64_t smmu3_heard_address(uint64_t addr)
{
    uint64_t half = UINT64_C(1) << (SMMU3_TLB_ADDR_BITS - 1);

    return ((addr & smmu3_mask(SMMU3_TLB_ADDR_BITS)) ^ half) - half;
}

/* Numbers it. */
void smmu3_heard_add(Smmu3HeardLog *log, const Smmu3Heard *heard);

/* Why @heard left @block in the TLB. */
Smmu3Miss smmu3_heard_miss(const Smmu3Heard *heard, const Smmu3Block *block);

/*
 * Up to @max of those after number @since, in order, each with its miss: what came
 * closest is chosen first, and of the same the newest. Returns how many.
 */
unsigned smmu3_heard_since(const Smmu3HeardLog *log, uint64_t since,
                           const Smmu3Block *block, Smmu3Heard *out,
                           unsigned max);

/*
 * The last one after number @since and up to @until that did remove @block, if it
 * is still remembered, into *@out; false: none.
 */
bool smmu3_heard_covering(const Smmu3HeardLog *log, uint64_t since,
                          uint64_t until, const Smmu3Block *block,
                          Smmu3Heard *out);

#endif
