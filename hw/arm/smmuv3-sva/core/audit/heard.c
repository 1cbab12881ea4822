/*
 * See heard.h. The rules of IHI 0070 4.4 by opcode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "heard.h"
#include <glib.h>

void smmu3_heard_add(Smmu3HeardLog *log, const Smmu3Heard *heard)
{
    Smmu3Heard *at = &log->kept[log->count % SMMU3_HEARD_KEPT];

    *at = *heard;
    at->number = ++log->count;
}

enum { EL1 = 1 << SMMU3_WORLD_NS_EL1, EL2 = 1 << SMMU3_WORLD_NS_EL2,
       E2H = 1 << SMMU3_WORLD_NS_EL2_E2H, S2 = 1 << SMMU3_WORLD_STAGE2 };

/* What a command is limited to. */
typedef struct Scope {
    uint8_t worlds;
    bool vmid, asid, range;
} Scope;

/*
 * Commands by address at EL2 are about the world that CR2.E2H says; here they
 * count for both, for software has but one of them.
 */
static const Scope scopes[256] = {
    [CMD_TLBI_NH_ALL] =     { EL1, .vmid = true },
    [CMD_TLBI_NH_ASID] =    { EL1, .vmid = true, .asid = true },
    [CMD_TLBI_NH_VA] =      { EL1, .vmid = true, .asid = true, .range = true },
    [CMD_TLBI_NH_VAA] =     { EL1, .vmid = true, .range = true },
    [CMD_TLBI_EL2_ALL] =    { EL2 | E2H },
    [CMD_TLBI_EL2_ASID] =   { E2H, .asid = true },
    [CMD_TLBI_EL2_VA] =     { EL2 | E2H, .asid = true, .range = true },
    [CMD_TLBI_EL2_VAA] =    { EL2 | E2H, .range = true },
    [CMD_TLBI_S12_VMALL] =  { EL1 | S2, .vmid = true },
    [CMD_TLBI_S2_IPA] =     { S2, .vmid = true, .range = true },
    [CMD_TLBI_NSNH_ALL] =   { EL1 | S2 },
};

/* Of one that covers it. */
static Smmu3Miss not_carried_out(const Smmu3Heard *heard)
{
    return heard->dropped ? SMMU3_MISS_DROPPED :
           heard->delayed ? SMMU3_MISS_DELAYED : SMMU3_MISS_NONE;
}

/*
 * IHI 0070 4.5.1, PCIe 10.3.8: without a PASID, all that the function has in the
 * range goes; so it does, here, of a global one, which may cover less.
 */
static Smmu3Miss atc_miss(const Smmu3Heard *heard, const Smmu3Block *block)
{
    if (heard->sid != block->sid) {
        return SMMU3_MISS_STREAM;
    }
    if (heard->ssv && !heard->global &&
        !(block->ssv && block->ssid == heard->ssid)) {
        return SMMU3_MISS_SUBSTREAM;
    }
    if (heard->last < block->first || heard->first > block->last) {
        return SMMU3_MISS_RANGE;
    }
    return not_carried_out(heard);
}

static Smmu3Miss tlb_miss(const Smmu3Heard *heard, const Smmu3Block *block)
{
    const Scope *scope = &scopes[heard->opcode];
    const Smmu3TlbTag *tag = &block->tag;

    if (!(scope->worlds >> tag->world & 1)) {
        return SMMU3_MISS_WORLD;
    }
    if (scope->vmid && (heard->vmid ^ tag->vmid) & ~heard->vmid_ignore) {
        return SMMU3_MISS_VMID;
    }
    if (scope->range &&
        (heard->last < block->first || heard->first > block->last)) {
        return SMMU3_MISS_RANGE;
    }
    if (scope->asid && smmu3_world_has_asids(tag->world)) {
        if (block->global && !scope->range) {
            return SMMU3_MISS_GLOBAL;
        }
        if (!block->global && heard->asid != tag->asid) {
            return SMMU3_MISS_ASID;
        }
    }
    return not_carried_out(heard);
}

Smmu3Miss smmu3_heard_miss(const Smmu3Heard *heard, const Smmu3Block *block)
{
    return block->atc ? atc_miss(heard, block) : tlb_miss(heard, block);
}

/*
 * 2: of the same pages, or dropped; 1: other pages of the same context, or the same
 * ones of another regime; 0: something else.
 */
static unsigned closeness(const Smmu3Heard *heard, const Smmu3Block *block)
{
    const Scope *scope = &scopes[heard->opcode];
    bool overlaps = (scope->range || block->atc) &&
                    heard->last >= block->first && heard->first <= block->last;

    switch (heard->miss) {
    case SMMU3_MISS_RANGE:
        return block->atc || !scope->asid || heard->asid == block->tag.asid;
    case SMMU3_MISS_WORLD:
        return overlaps;
    case SMMU3_MISS_VMID:
    case SMMU3_MISS_ASID:
    case SMMU3_MISS_STREAM:
    case SMMU3_MISS_SUBSTREAM:
        return overlaps ? 2 : 0;
    default:
        return 2;
    }
}

/* Those before are forgotten. */
static uint64_t oldest(const Smmu3HeardLog *log)
{
    return log->count > SMMU3_HEARD_KEPT ? log->count - SMMU3_HEARD_KEPT : 0;
}

unsigned smmu3_heard_since(const Smmu3HeardLog *log, uint64_t since,
                           const Smmu3Block *block, Smmu3Heard *out,
                           unsigned max)
{
    bool taken[SMMU3_HEARD_KEPT] = { false };
    unsigned count = 0, done = 0;

    since = MAX(since, oldest(log));
    for (int close = 2; close >= 0; close--) {
        for (uint64_t n = log->count; n > since && count < max; n--) {
            unsigned slot = (n - 1) % SMMU3_HEARD_KEPT;
            Smmu3Heard heard = log->kept[slot];

            heard.miss = smmu3_heard_miss(&heard, block);
            if (!taken[slot] && closeness(&heard, block) == (unsigned)close) {
                taken[slot] = true;
                count++;
            }
        }
    }
    for (uint64_t n = since + 1; n <= log->count; n++) {
        unsigned slot = (n - 1) % SMMU3_HEARD_KEPT;

        if (taken[slot]) {
            out[done] = log->kept[slot];
            out[done].miss = smmu3_heard_miss(&out[done], block);
            done++;
        }
    }
    return done;
}

bool smmu3_heard_covering(const Smmu3HeardLog *log, uint64_t since,
                          uint64_t until, const Smmu3Block *block,
                          Smmu3Heard *out)
{
    for (uint64_t n = until; n > MAX(since, oldest(log)); n--) {
        *out = log->kept[(n - 1) % SMMU3_HEARD_KEPT];
        out->miss = smmu3_heard_miss(out, block);
        if (out->miss == SMMU3_MISS_NONE) {
            return true;
        }
    }
    return false;
}
