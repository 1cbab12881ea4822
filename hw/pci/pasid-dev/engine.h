/*
 * The operations of pasid-dev as restartable computations: each access of each
 * of them may stall. No registers and no queues; those are pasid-dev-*.c's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_ENGINE_H
#define PASID_DEV_ENGINE_H

#include "migration/vmstate.h"
#include "pasid-dev-abi.h"
#include "hw/pci/sva/requester.h"

/* The most that LIST reads of a node by one access; a descriptor of BATCH. */
#define ENGINE_WINDOW_BYTES 64

/*
 * One descriptor in work: what it asks for, how far it is, what came of it.
 * Plain data, so that it migrates at any point.
 */
typedef struct EngineJob {
    PasidDevDescriptor desc;    /* in host byte order */

    /* The cursor; what each is for depends on the operation */
    uint64_t progress;          /* as in the completion record */
    uint64_t result;            /* of the progress made */
    uint64_t result_high;       /* CAS16: its upper half */
    uint64_t node;              /* list: the node in work */
    uint64_t value;             /* list: its value, once read */
    uint64_t next;              /* list: its next pointer, once read */
    uint64_t segments;          /* gather, scatter: finished ones */
    uint64_t segment_done;      /* ... bytes of the one in work */
    uint8_t step;               /* list: fields read; segments: entry read;
                                   batch: what is done for the descriptor */
    uint64_t window_done;       /* bytes of the window */
    uint8_t window[ENGINE_WINDOW_BYTES];

    /* The outcome */
    uint32_t status;            /* PASID_DEV_DONE_*, once it is there */
    uint64_t fault_addr;
} EngineJob;

typedef enum EngineVerdict {
    ENGINE_DONE,        /* status, result, progress and fault_addr hold */
    ENGINE_MORE,        /* the limit is reached; call again */
    ENGINE_STALLED,     /* call again when the channel wakes up */
    ENGINE_ELSEWHERE,   /* call again under the big lock */
    ENGINE_GONE,        /* the channel was cancelled: the job is no more */
} EngineVerdict;

/* Set @job up for @raw, a descriptor as it lies in memory. */
void engine_job_start(EngineJob *job, const PasidDevDescriptor *raw);

/* Work on @job, through @ch, until its requester's cost comes to @limit. */
EngineVerdict engine_job_run(EngineJob *job, SvaChannel *ch, uint64_t limit);

/* What trace lines call an operation and a status (PASID_DEV_OP_*, _DONE_*). */
const char *engine_op_name(uint8_t op);
const char *engine_status_name(uint32_t status);

/* The operations that this host can do: the value of PASID_DEV_OPS. */
uint64_t engine_operations(void);

extern const VMStateDescription vmstate_engine_job;

#endif
