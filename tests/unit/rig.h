/*
 * An SMMU on a fake host, brought up the way a driver does it: queues, stream
 * table, enables. Not the structures' contents: those are in builders.h. Used
 * by the tests that go through the core's public interface.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include "fake-host.h"
#include "core/smmu3.h"

typedef struct Rig {
    FakeHost *host;
    Smmu3 *smmu;                /* from rig_create() on */

    /* Set before rig_create(). Initially: all features, see builders.h. */
    Smmu3Features features;
    Smmu3Options options;

    /* Set before rig_start(). */
    unsigned strtab_log2;       /* LOG2SIZE, initially 8 */
    unsigned strtab_split;      /* 0: linear (initially); else 6, 8 or 10 */
    unsigned cmdq_log2, eventq_log2, priq_log2;     /* 5, 5, 3 */
    uint32_t cr2;               /* initially RECINVSID */
    uint32_t cr0;               /* initially all enables the features have */

    /* Where things are, from rig_start() on. */
    uint64_t strtab, cmdq, eventq, priq;
} Rig;

Rig *rig_new(void);
/* Make the SMMU, in reset; r->features may not change any more. */
void rig_create(Rig *r);
/* Tables, queues, invalidations, interrupts, enables (calls rig_create()). */
void rig_start(Rig *r);
void rig_free(Rig *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rig_free)

static inline uint32_t rig_read32(Rig *r, uint64_t offset)
{
    return smmu3_mmio_read(r->smmu, offset, 4);
}

static inline void rig_write32(Rig *r, uint64_t offset, uint32_t value)
{
    smmu3_mmio_write(r->smmu, offset, value, 4);
}

static inline void rig_write64(Rig *r, uint64_t offset, uint64_t value)
{
    smmu3_mmio_write(r->smmu, offset, value, 8);
}

/* Where the STE of @sid is; makes the second level if there is none. */
uint64_t rig_ste_addr(Rig *r, uint32_t sid);
/* Write an STE, and CFGI_STE, SYNC if the SMMU runs. */
void rig_set_ste(Rig *r, uint32_t sid, const uint64_t ste[SMMU3_STE_WORDS]);

/* Submit a command; the queue is let run. */
void rig_command(Rig *r, const uint64_t cmd[SMMU3_CMD_WORDS]);
/* The same for a command of an opcode and one more field's worth of words. */
void rig_command2(Rig *r, uint64_t word0, uint64_t word1);
void rig_sync(Rig *r);
/* CMD_PRI_RESP of a group that has no PASID. */
void rig_pri_resp(Rig *r, uint32_t sid, uint16_t index, unsigned resp);
/* CFGI_ALL, TLBI_EL2_ALL (if HYP), TLBI_NSNH_ALL, SYNC. */
void rig_invalidate_all(Rig *r);

/* Take the oldest record off the event queue; false: empty. */
bool rig_event(Rig *r, uint64_t event[SMMU3_EVENT_WORDS]);
/* Take one off and compare its type; fails on an empty queue. */
void rig_expect_event(Rig *r, Smmu3EventType type,
                      uint64_t event[SMMU3_EVENT_WORDS]);
void rig_expect_no_event(Rig *r);

#endif
