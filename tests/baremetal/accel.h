/*
 * pasid-dev from software's side: queues in address spaces, jobs, their
 * records and interrupts (docs/specs/pasid-dev.rst). Not a test. Called by
 * tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_ACCEL_H
#define BAREMETAL_ACCEL_H

#include "hw/pci/pasid-dev/pasid-dev-abi.h"
#include "tables.h"

/* Where a queue's ring and records are in its address space. */
#define ACCEL_RING_VA(n)    (UINT64_C(0x10000000) + (n) * UINT64_C(0x2000))
enum { ACCEL_SLOTS_LOG2 = 6 };

typedef struct AccelQueue {
    unsigned n;
    PasidDevDescriptor *ring;
    PasidDevCompletion *records;
    uint32_t tail;
    volatile unsigned interrupts;
} AccelQueue;

/* Finds, enables and resets the device; PASIDs are on. */
void accel_start(void);
unsigned accel_devfn(void);
uint32_t accel_read32(unsigned reg);
uint64_t accel_read64(unsigned reg);

/* ATS, for pages of 4 KiB and more; page requests (PCIe 10.5). */
void accel_ats(bool enable);
enum { ACCEL_PRI_ENABLE = 0x1, ACCEL_PRI_RESET = 0x2 };
void accel_pri(uint16_t control);
/* So many requests may be outstanding. */
void accel_pri_allocate(uint32_t requests);
enum {
    ACCEL_PRI_RF = 0x1, ACCEL_PRI_UPRGI = 0x2, ACCEL_PRI_STOPPED = 0x100,
    ACCEL_PRI_PASID = 0x8000,       /* a response has to name the PASID */
};
uint16_t accel_pri_status(void);

/*
 * Queue @n works in @space by @pasid. Its interrupt is a message that the
 * SMMU translates: @messages is the address space without PASID.
 */
void accel_queue_start(AccelQueue *q, unsigned n, uint32_t pasid,
                       Space *space, Space *messages);
/* The queue's registers, PASID_DEV_Q_* */
uint32_t accel_queue_read32(const AccelQueue *q, unsigned reg);

/* Give it a job, which interrupts when done; its slot. */
unsigned accel_submit(AccelQueue *q, const PasidDevDescriptor *job);
bool accel_is_done(const AccelQueue *q, unsigned slot);
/* The record of the job in that slot, once it is there. */
PasidDevCompletion accel_wait(const AccelQueue *q, unsigned slot);

#endif
