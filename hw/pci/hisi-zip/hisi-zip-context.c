/*
 * The context of a stateful request: read before its job begins, written when
 * it ends. What is in it is hisi-zip-stream.c's. Called by hisi-zip-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-zip-job.h"

/* As SvaRequester.cost counts: a checksum and 32 KiB of hashes. */
#define CONTEXT_COST    (256 * KiB)

/*
 * A copy of the job's own is what is looked at: the guest's changes when the
 * guest likes.
 */
static void context_begin(HisiZipJob *job)
{
    if (!job->context) {
        job->context = g_malloc(HISI_ZIP_STREAM_CONTEXT_BYTES);
        hisi_zip_cursor_init(&job->context_at, false, job->request.context, 0);
    }
}

static void context_end(HisiZipJob *job)
{
    g_free(job->context);
    job->context = NULL;
}

HisiZipStep hisi_zip_context_load(HisiZipJob *job)
{
    const HisiZipRequest *r = &job->request;
    HisiZipMove move;
    size_t moved;

    context_begin(job);
    move = hisi_zip_cursor_read(&job->context_at, &job->ch, job->pasids.list,
                                job->pasids.read, job->context,
                                HISI_ZIP_STREAM_CONTEXT_BYTES, &moved);
    if (move != HISI_ZIP_MOVED) {
        return hisi_zip_move_failed(job, move, HISI_ZIP_CONTEXT_REFUSED);
    }
    job->stream = hisi_zip_stream_load(r->decompress, r->format, r->window,
                                       job->level, job->context);
    sva_channel_charge(&job->ch, CONTEXT_COST);
    context_end(job);
    if (!job->stream) {
        return hisi_zip_job_end(job, HISI_ZIP_BAD_CONTEXT);
    }
    job->stage = HISI_ZIP_COMPUTE;
    return HISI_ZIP_GOES_ON;
}

HisiZipStep hisi_zip_context_settle(HisiZipJob *job)
{
    bool has_input = hisi_zip_job_consumed(job) < job->request.input_bytes;
    bool has_output;
    uint32_t cost = 0;

    switch (hisi_zip_stream_settle(job->stream, &cost)) {
    case HISI_ZIP_CODEC_GOES_ON:
        sva_channel_charge(&job->ch, cost);
        return HISI_ZIP_GOES_ON;
    case HISI_ZIP_CODEC_END:
        break;
    default:
        return hisi_zip_job_end(job, HISI_ZIP_BAD_CONTEXT);
    }
    context_begin(job);
    sva_channel_charge(&job->ch, cost + CONTEXT_COST);
    if (!hisi_zip_stream_save(job->stream, job->context, &has_output)) {
        return hisi_zip_job_end(job, HISI_ZIP_BAD_CONTEXT);
    }
    if (job->status == HISI_ZIP_OK && (has_output || has_input)) {
        job->context_state = job->request.decompress ? HISI_ZIP_CTX_OUT_NO_ROOM
                                                     : HISI_ZIP_CTX_NO_ROOM;
    }
    job->stage = HISI_ZIP_SAVE_CONTEXT;
    return HISI_ZIP_GOES_ON;
}

HisiZipStep hisi_zip_context_save(HisiZipJob *job)
{
    HisiZipMove move;
    size_t moved;

    move = hisi_zip_cursor_write(&job->context_at, &job->ch, job->pasids.list,
                                 job->pasids.write, job->context,
                                 HISI_ZIP_STREAM_CONTEXT_BYTES, &moved);
    if (move != HISI_ZIP_MOVED) {
        return hisi_zip_move_failed(job, move, HISI_ZIP_CONTEXT_REFUSED);
    }
    return HISI_ZIP_DONE;
}
