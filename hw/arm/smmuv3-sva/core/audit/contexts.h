/*
 * When each context - world, VMID, ASID - was last in use: what is left of one that
 * is gone cannot be used. Not what is cached of it. Called by entries.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_CONTEXTS_H
#define SMMU3_AUDIT_CONTEXTS_H

#include "../cache/tlb.h"

enum { SMMU3_CONTEXTS = 256 };      /* remembered, by a hash */

/* All zero: none was. */
typedef struct Smmu3Contexts {
    struct {
        bool used;
        Smmu3TlbTag tag;
        uint64_t ns;
    } all[SMMU3_CONTEXTS];
} Smmu3Contexts;

bool smmu3_same_context(const Smmu3TlbTag *a, const Smmu3TlbTag *b);

void smmu3_context_used(Smmu3Contexts *contexts, const Smmu3TlbTag *tag,
                        uint64_t ns);
/* Not known where another one has taken its place: then no. */
bool smmu3_context_was_used_since(const Smmu3Contexts *contexts,
                                  const Smmu3TlbTag *tag, uint64_t ns);

#endif
