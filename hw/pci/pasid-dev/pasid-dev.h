/*
 * pasid-dev: what its files share. Private to pasid-dev*.c. The registers'
 * offsets and what lies in memory are pasid-dev-abi.h's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PASID_DEV_H
#define HW_PCI_PASID_DEV_H

#include "qemu/log.h"
#include "qemu/queue.h"
#include "hw/pci/pci_device.h"
#include "qom/object.h"
#include "engine.h"
#include "pasid-dev-abi.h"
#include "hw/pci/sva/requester.h"
#include "hw/pci/sva/worker.h"

#define TYPE_PASID_DEV "pasid-dev"
OBJECT_DECLARE_SIMPLE_TYPE(PasidDev, PASID_DEV)

typedef struct PasidDevQueue {
    struct PasidDev *dev;
    unsigned index;
    SvaChannel channel;

    /* Administration page */
    uint32_t pasid;
    uint32_t flags;
    /* Portal */
    uint64_t ring;
    uint64_t completions;
    uint32_t size_log2;
    uint32_t ctrl;
    uint32_t error;
    uint64_t fault_addr;
    uint16_t head;
    uint16_t tail;
    uint64_t count_jobs;

    /* The job at HEAD */
    uint8_t phase;
    uint64_t fetched;       /* bytes of the descriptor */
    PasidDevDescriptor raw;
    PasidDevCompletion record;
    EngineJob job;

    bool listed;            /* in PasidDev.ready */
    QTAILQ_ENTRY(PasidDevQueue) next;
} PasidDevQueue;

struct PasidDev {
    PCIDevice parent_obj;

    MemoryRegion bar;
    SvaRequester requester;
    SvaWorker worker;
    PasidDevQueue *queues;
    /* Queues with work, in the order of their turns */
    QTAILQ_HEAD(, PasidDevQueue) ready;
    uint64_t count_jobs;

    /* Properties */
    uint32_t num_queues;
    uint32_t pasid_bits;
    bool can_stall;
    bool privileged;
    SvaAtsOptions ats;
};

/* What software did wrong with the PasidDev @s, for -d guest_errors. */
#define guest_error(s, fmt, ...) \
    qemu_log_mask(LOG_GUEST_ERROR, "%s: " fmt "\n", pasid_dev_name(s), \
                  ##__VA_ARGS__)

/* What log and trace lines call the device. */
static inline const char *pasid_dev_name(PasidDev *s)
{
    return DEVICE(s)->id ?: TYPE_PASID_DEV;
}

/* pasid-dev-queue.c. Everything runs under the big QEMU lock. */

/* The first from realize, once the requester is there, the second from exit. */
void pasid_dev_queues_init(PasidDev *s);
void pasid_dev_queues_exit(PasidDev *s);
/* Give up all jobs, forget all set-ups, clear the counters of the device. */
void pasid_dev_queues_reset(PasidDev *s);

/* Whether @q has jobs that it has not given up. */
bool pasid_dev_queue_is_busy(const PasidDevQueue *q);
/* The value of PASID_DEV_Q_STATUS. */
uint32_t pasid_dev_queue_status(const PasidDevQueue *q);
/* Any @value that the guest writes to PASID_DEV_Q_CTRL, PASID_DEV_Q_TAIL. */
void pasid_dev_queue_write_ctrl(PasidDevQueue *q, uint64_t value);
void pasid_dev_queue_write_tail(PasidDevQueue *q, uint64_t value);

/* After @q was loaded; false if no queue can be like that. */
bool pasid_dev_queue_loaded(PasidDevQueue *q);

/* pasid-dev-regs.c: BAR0; the opaque pointer is the PasidDev. */
extern const MemoryRegionOps pasid_dev_mmio_ops;

/* pasid-dev-migration.c */
extern const VMStateDescription vmstate_pasid_dev;

#endif
