/*
 * See contexts.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "contexts.h"

bool smmu3_same_context(const Smmu3TlbTag *a, const Smmu3TlbTag *b)
{
    return a->world == b->world && a->vmid == b->vmid && a->asid == b->asid;
}

static unsigned place_of(const Smmu3TlbTag *tag)
{
    uint32_t hash = (tag->asid | (uint32_t)tag->vmid << 16) * 0x9e3779b1u;

    return ((hash >> 20) + tag->world) % SMMU3_CONTEXTS;
}

void smmu3_context_used(Smmu3Contexts *contexts, const Smmu3TlbTag *tag,
                        uint64_t ns)
{
    unsigned place = place_of(tag);

    contexts->all[place].used = true;
    contexts->all[place].tag = *tag;
    contexts->all[place].ns = ns;
}

bool smmu3_context_was_used_since(const Smmu3Contexts *contexts,
                                  const Smmu3TlbTag *tag, uint64_t ns)
{
    unsigned place = place_of(tag);

    return contexts->all[place].used && contexts->all[place].ns >= ns &&
           smmu3_same_context(&contexts->all[place].tag, tag);
}
