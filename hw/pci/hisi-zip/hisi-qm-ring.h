/*
 * HiSilicon queue manager: positions in rings. Indices run on without end; the
 * slot is the index modulo the depth. Used by hisi-qm-*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_QM_RING_H
#define HW_PCI_HISI_QM_RING_H

#include "hisi-qm-regs.h"

static inline uint32_t hisi_qm_depth(const uint32_t *context)
{
    return FIELD_EX32(context[3], QM_XQC_W3, LAST) + 1;
}

static inline uint64_t hisi_qm_base(const uint32_t *context)
{
    return context[QM_XQC_BASE_WORD] |
           (uint64_t)context[QM_XQC_BASE_WORD + 1] << 32;
}

static inline uint32_t hisi_qm_eq_depth(const uint32_t *context)
{
    return FIELD_EX32(context[6], QM_EQC_W6, LAST) + 1;
}

/* Entries carry the initial phase on the first round, its inverse next. */
static inline uint32_t hisi_qm_phase(uint64_t index, uint32_t depth,
                                     uint32_t first)
{
    return first ^ (index / depth & 1);
}

/* How far @index, a slot, is ahead of the running index @from. */
static inline uint32_t hisi_qm_slots_ahead(uint32_t index, uint64_t from,
                                           uint32_t depth)
{
    return (index + depth - from % depth) % depth;
}

#endif
