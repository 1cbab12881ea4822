/*
 * One job of the ZIP engine: gathers input, computes, scatters output, a step
 * at a time. Not whose turn it is, and no queue: those are hisi-zip-engine.c's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_JOB_H
#define HW_PCI_HISI_ZIP_JOB_H

#include "qemu/queue.h"
#include "qemu/units.h"
#include "hisi-zip-codec.h"
#include "hisi-zip-list.h"
#include "hisi-zip-request.h"
#include "hisi-zip-stream.h"

typedef enum HisiZipStage {
    HISI_ZIP_COMPUTE,
    HISI_ZIP_GATHER,
    HISI_ZIP_SCATTER,
    HISI_ZIP_LOAD_CONTEXT,      /* of a stateful stream, before anything else */
    HISI_ZIP_SETTLE,            /* and at the end: work that is begun */
    HISI_ZIP_SAVE_CONTEXT,
} HisiZipStage;

typedef enum HisiZipStep {
    HISI_ZIP_GOES_ON,
    HISI_ZIP_STALLED,       /* until the channel's wake() */
    HISI_ZIP_ELSEWHERE,     /* again, under the big lock */
    HISI_ZIP_DONE,
    HISI_ZIP_GONE,          /* reset from within: leave it alone */
} HisiZipStep;

typedef struct HisiZipPasids {
    uint32_t list, read, write;     /* or SVA_NO_PASID */
} HisiZipPasids;

typedef struct HisiZipJob {
    /* The scheduler's */
    void *owner;
    unsigned qn;
    bool is_done;               /* its entry goes back, under the big lock */
    QSLIST_ENTRY(HisiZipJob) next;

    SvaChannel ch;
    HisiZipPasids pasids;
    HisiZipRequest request;
    int level;                  /* zlib's */

    HisiZipCodec *codec;        /* a stateless request, or */
    HisiZipStream *stream;      /* a stateful one */
    HisiZipCursor src, dst, context_at;
    HisiZipStage stage;
    uint32_t input_left;        /* bytes not yet gathered */
    uint32_t room;              /* bytes that may still be written */
    uint64_t gathered;
    uint64_t produced;
    bool output_ends;           /* what is in out[] is the last */
    bool last_block_seen;
    uint8_t status;             /* HISI_ZIP_* */
    uint8_t context_state;      /* HISI_ZIP_CTX_* */
    uint8_t *context;           /* of a stateful stream, while it moves */

    size_t in_pos, in_bytes;
    size_t out_pos, out_bytes;
    uint8_t in[16 * KiB];
    uint8_t out[16 * KiB];
} HisiZipJob;

/*
 * The job of the entry @sqe (little-endian) of a queue of @type. It may be done
 * at once: an entry that is wrong.
 */
HisiZipJob *hisi_zip_job_new(SvaRequester *r, void (*wake)(SvaChannel *ch),
                             const uint32_t *sqe, unsigned type, int level,
                             HisiZipPasids pasids);
/* Abandons its access, if one is outstanding. */
void hisi_zip_job_free(HisiZipJob *job);
/* Not while the channel is stalled. What it costs is the requester's. */
HisiZipStep hisi_zip_job_step(HisiZipJob *job);
/* After HISI_ZIP_DONE: what software gets back. */
void hisi_zip_job_result(const HisiZipJob *job, uint32_t *sqe);

/* ---- Between hisi-zip-job.c and hisi-zip-context.c, which it calls ------ */

/* Bytes of input that the engine took. */
static inline uint32_t hisi_zip_job_consumed(const HisiZipJob *job)
{
    return job->gathered - (job->in_bytes - job->in_pos);
}

static inline HisiZipStep hisi_zip_job_end(HisiZipJob *job, uint8_t status)
{
    job->status = status;
    return HISI_ZIP_DONE;
}

/* What follows from a move that did not go through, or not yet. */
static inline HisiZipStep hisi_zip_move_failed(HisiZipJob *job,
                                               HisiZipMove move,
                                               uint8_t when_refused)
{
    switch (move) {
    case HISI_ZIP_MOVED:
    case HISI_ZIP_MOVE_YIELD:
        return HISI_ZIP_GOES_ON;
    case HISI_ZIP_MOVE_STALLED:
        return HISI_ZIP_STALLED;
    case HISI_ZIP_MOVE_ELSEWHERE:
        return HISI_ZIP_ELSEWHERE;
    case HISI_ZIP_MOVE_GONE:
        return HISI_ZIP_GONE;
    case HISI_ZIP_LIST_NOT_READ:
        return hisi_zip_job_end(job, HISI_ZIP_LIST_REFUSED);
    case HISI_ZIP_LIST_IS_BAD:
        return hisi_zip_job_end(job, HISI_ZIP_BAD_LIST);
    case HISI_ZIP_MOVE_REFUSED:
    default:
        return hisi_zip_job_end(job, when_refused);
    }
}

/* Steps of a stateful request's context. */
HisiZipStep hisi_zip_context_load(HisiZipJob *job);
HisiZipStep hisi_zip_context_settle(HisiZipJob *job);
HisiZipStep hisi_zip_context_save(HisiZipJob *job);

#endif
