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

/* PCIe's base class "processing accelerator" */
#define PASID_DEV_PCI_CLASS     0x1200

/*
 * A function with queues: the physical one, or a virtual one of it. PasidDev is
 * the state of either; what is the physical function's alone says so.
 */
#define TYPE_PASID_DEV_FUNCTION "pasid-dev-function"
#define TYPE_PASID_DEV "pasid-dev"
#define TYPE_PASID_DEV_VF "pasid-dev-vf"
typedef struct PasidDev PasidDev;
DECLARE_INSTANCE_CHECKER(PasidDev, PASID_DEV, TYPE_PASID_DEV_FUNCTION)

typedef struct PasidDevQueue PasidDevQueue;

/* What is done for a descriptor */
typedef enum PasidDevPhase {
    PASID_DEV_FREE,         /* there is none */
    PASID_DEV_FETCH,        /* it is read */
    PASID_DEV_FENCED,       /* it waits for all before it */
    PASID_DEV_WORK,         /* it is executed */
    PASID_DEV_RECORD,       /* its record is written */
    PASID_DEV_ABANDONED,    /* given up; its access is still stalled */
    PASID_DEV_PHASES
} PasidDevPhase;

/* A place for a descriptor in work, with a way to memory of its own */
typedef struct PasidDevJob {
    PasidDevQueue *queue;
    SvaChannel channel;
    uint16_t index;         /* in the ring, as HEAD counts */
    uint8_t phase;          /* PasidDevPhase */
    bool listed;            /* in PasidDevQueue.ready */
    QTAILQ_ENTRY(PasidDevJob) next;

    uint64_t fetched;       /* bytes of the descriptor */
    PasidDevDescriptor raw;
    EngineJob work;
    EngineJob member;       /* a batch: its descriptor in work */
} PasidDevJob;

typedef enum PasidDevVerdict {
    PASID_DEV_JOB_READ,         /* its descriptor is there: fence it or go on */
    PASID_DEV_JOB_DONE,         /* its record is written */
    PASID_DEV_JOB_MORE,         /* the limit is reached; call again */
    PASID_DEV_JOB_WAITS,        /* call again when its channel wakes up */
    PASID_DEV_JOB_ELSEWHERE,    /* call again in the next turn, first of all */
    PASID_DEV_JOB_GONE,         /* the job is no more: leave it alone */
    PASID_DEV_JOB_NO_RING,      /* its descriptor was refused */
    PASID_DEV_JOB_NO_RECORD,    /* its record was refused */
} PasidDevVerdict;

struct PasidDevQueue {
    struct PasidDev *dev;
    unsigned index;

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

    /*
     * Descriptors are taken in their order: from HEAD to taken - 1 each is done
     * or in one of the places. Those that can go on are ready, in the order of
     * their turns.
     */
    uint16_t taken;
    uint32_t in_work;           /* places that are not free */
    uint32_t num_jobs;          /* places */
    PasidDevJob *jobs;
    /* The last one taken, while none is to be taken behind it, or NULL */
    PasidDevJob *gate;
    QTAILQ_HEAD(, PasidDevJob) ready;

    bool listed;                /* in PasidDev.ready */
    QTAILQ_ENTRY(PasidDevQueue) next;
};

struct PasidDev {
    PCIDevice parent_obj;

    MemoryRegion bar;
    MemoryRegion msix_bar;      /* of a virtual function */
    SvaRequester requester;
    SvaWorker worker;
    PasidDevQueue *queues;
    PasidDevQueue *loading;     /* what a stream has said so far, or NULL */
    /* Queues with work, in the order of their turns */
    QTAILQ_HEAD(, PasidDevQueue) ready;
    uint64_t count_jobs;
    uint32_t pasid_target;
    uint32_t pasid_status;
    uint16_t pasid_cap;         /* of the physical function */

    /* Properties */
    uint32_t num_queues;
    uint32_t num_jobs;
    uint32_t pasid_bits;
    bool can_stall;
    bool privileged;
    bool execute;
    SvaAtsOptions ats;
    IOThread *iothread;     /* NULL: jobs are the main loop's */
    char *misbehave;        /* NULL: and no such register */
    /* ... of the physical function */
    uint32_t num_vfs;
    uint32_t vf_queues;
};

/* What software did wrong with the PasidDev @s, for -d guest_errors. */
#define guest_error(s, fmt, ...) \
    qemu_log_mask(LOG_GUEST_ERROR, "%s: " fmt "\n", pasid_dev_name(s), \
                  ##__VA_ARGS__)

/* What log and trace lines call the device. */
static inline const char *pasid_dev_name(PasidDev *s)
{
    return DEVICE(s)->id ?: PCI_DEVICE(s)->name;
}

/* The faults that it can commit: page requests are the physical function's. */
static inline uint64_t pasid_dev_fault_mask(const PasidDev *s)
{
    return s->requester.pages == &s->requester.pri ? SVA_FAULT_MASK :
           SVA_FAULT_MASK & ~(PASID_DEV_MISBEHAVE_PRI_EXCESS |
                              PASID_DEV_MISBEHAVE_PRI_DISABLED);
}

/*
 * pasid-dev-function.c: what all functions have in common, from realize: BAR0
 * of @bar_bytes and the queues, once num_queues and the capabilities are there.
 * They are undone by pasid_dev_queues_exit().
 */
void pasid_dev_function_init(PasidDev *s, uint64_t bar_bytes);

/*
 * pasid-dev-vf.c: what the physical function has for its virtual ones.
 * ..._vfs_init() is the last step of realize, undone by pcie_sriov_pf_exit();
 * ..._vfs_config_written() follows each write to the physical function's
 * configuration space.
 */
void pasid_dev_ari_init(PCIDevice *pdev);
bool pasid_dev_check_vf_properties(PasidDev *s, Error **errp);
bool pasid_dev_vfs_init(PasidDev *s, Error **errp);
void pasid_dev_vfs_config_written(PasidDev *s, uint32_t addr, int len);
/*
 * Migration, before QEMU looks at it: whether the configuration space of @pdev,
 * a physical function or a virtual one, enables no more than there are. If not,
 * it enables none.
 */
bool pasid_dev_vfs_are_possible(PCIDevice *pdev);

/* Everything runs in a turn of the worker, or with it entered. */

/* ---- pasid-dev-job.c: one descriptor, from the ring to its record ------- */

/* Begin with the descriptor at @index of the queue's ring. */
void pasid_dev_job_take(PasidDevJob *job, uint16_t index);
/* Go on with @job until the requester's cost comes to @limit. */
PasidDevVerdict pasid_dev_job_run(PasidDevJob *job, uint64_t limit);
/* Where its descriptor and its record are. */
uint64_t pasid_dev_job_descriptor(const PasidDevJob *job);
uint64_t pasid_dev_job_completion(const PasidDevJob *job);

/* ---- pasid-dev-queue.c: one queue --------------------------------------- */

void pasid_dev_queue_init(PasidDevQueue *q, PasidDev *s, unsigned index);
/* After exit: what a turn that is still on the stack may look at. */
void pasid_dev_queue_free(PasidDevQueue *q);
/* Give up its jobs, forget its set-up. */
void pasid_dev_queue_reset(PasidDevQueue *q);

/* Whether @q has jobs that it has not given up. */
bool pasid_dev_queue_is_busy(const PasidDevQueue *q);
/* The value of PASID_DEV_Q_STATUS. */
uint32_t pasid_dev_queue_status(const PasidDevQueue *q);
/* What its jobs' channels have counted. */
SvaCounters pasid_dev_queue_count(const PasidDevQueue *q);
/* Any @value that the guest writes to PASID_DEV_Q_CTRL, PASID_DEV_Q_TAIL. */
void pasid_dev_queue_write_ctrl(PasidDevQueue *q, uint64_t value);
void pasid_dev_queue_write_tail(PasidDevQueue *q, uint64_t value);
/* ... to PASID_DEV_QUEUE_PASID */
void pasid_dev_queue_write_pasid(PasidDevQueue *q, uint32_t value);

/* Start no job more, until its PASID is written; give up those in work? */
void pasid_dev_queue_close(PasidDevQueue *q, bool give_up);

/* Its turn: until the requester's cost comes to @limit. */
void pasid_dev_queue_run(PasidDevQueue *q, uint64_t limit);
/* It may have something to do: have its turn come. */
void pasid_dev_queue_schedule(PasidDevQueue *q);

/*
 * Migration: @q, which is not the device's, was filled from a stream; false if
 * no queue can be like that. ... one that can is @from: be as it was.
 */
bool pasid_dev_queue_is_possible(PasidDevQueue *q);
void pasid_dev_queue_take_over(PasidDevQueue *q, const PasidDevQueue *from);

/* ---- pasid-dev-queues.c: all of them ------------------------------------ */

/*
 * The first from realize, once the requester is there, the second from exit,
 * the third from finalize: exit may come out of the middle of a job.
 */
void pasid_dev_queues_init(PasidDev *s);
void pasid_dev_queues_exit(PasidDev *s);
void pasid_dev_queues_fini(PasidDev *s);
/* As many as @s has, of the same kind; free all @count of them, *@q is NULL. */
PasidDevQueue *pasid_dev_queues_new(PasidDev *s);
void pasid_dev_queues_free(PasidDevQueue **q, unsigned count);
/* Give up all jobs, forget all set-ups, clear the counters of the device. */
void pasid_dev_queues_reset(PasidDev *s);
/* Any @value that the guest writes to PASID_TARGET, PASID_COMMAND. */
void pasid_dev_write_pasid_target(PasidDev *s, uint32_t value);
void pasid_dev_write_pasid_command(PasidDev *s, uint32_t value);
/* Migration: whether PASID_TARGET and PASID_STATUS can be like that. */
bool pasid_dev_pasid_command_is_possible(uint32_t target, uint32_t status);
/* After everything was taken over: go on. */
void pasid_dev_queues_loaded(PasidDev *s);

/* pasid-dev-regs.c: BAR0; the opaque pointer is the PasidDev. */
extern const MemoryRegionOps pasid_dev_mmio_ops;

/* pasid-dev-migration.c; the function before anything is realized */
void pasid_dev_migration_init(void);
extern const VMStateDescription vmstate_pasid_dev;

#endif
