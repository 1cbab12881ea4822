/*
 * One job of the ZIP engine: gathers input, computes, scatters output, a piece
 * at a time, each step bounded. Any access may stall; the job then stands until
 * the requester wakes it. A job holds a fixed amount of memory, however long
 * its buffers are. Not whose turn it is: hisi-zip-engine.c calls it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-zip-job.h"

/* What zlib's start and end cost, as SvaRequester.cost counts: its tables. */
#define START_COST      (128 * KiB)

/* ---- Begin and end ----------------------------------------------------- */

/* The computing half; a stream that goes on comes with its context. */
static void job_start_engine(HisiZipJob *job)
{
    const HisiZipRequest *r = &job->request;

    if (!r->is_stateful) {
        job->codec = hisi_zip_codec_new(r->decompress, r->format, r->window,
                                        job->level);
    } else if (r->is_new_stream) {
        job->stream = hisi_zip_stream_new(r->decompress, r->format, r->window,
                                          job->level);
    } else {
        job->stage = HISI_ZIP_LOAD_CONTEXT;
    }
    sva_channel_charge(&job->ch, START_COST);
    if (!job->codec && !job->stream && job->stage != HISI_ZIP_LOAD_CONTEXT) {
        job->status = HISI_ZIP_UNSUPPORTED;
    }
}

HisiZipJob *hisi_zip_job_new(SvaRequester *requester,
                             void (*wake)(SvaChannel *ch), const uint32_t *sqe,
                             unsigned type, int level, HisiZipPasids pasids)
{
    HisiZipJob *job = g_malloc(sizeof(*job));
    HisiZipRequest *r = &job->request;

    /* The buffers need no initial value. */
    memset(job, 0, offsetof(HisiZipJob, in));
    sva_channel_init(&job->ch, requester, wake);
    job->pasids = pasids;
    job->level = level;
    job->status = hisi_zip_request_decode(r, sqe, type);
    if (job->status == HISI_ZIP_OK) {
        job->input_left = r->input_bytes;
        job->room = r->room;
        hisi_zip_cursor_init(&job->src, r->is_list, r->src, r->src_offset);
        hisi_zip_cursor_init(&job->dst, r->is_list, r->dst, r->dst_offset);
        job_start_engine(job);
    }
    return job;
}

void hisi_zip_job_free(HisiZipJob *job)
{
    sva_channel_cancel(&job->ch);
    hisi_zip_codec_free(job->codec);
    hisi_zip_stream_free(job->stream);
    g_free(job->context);
    g_free(job);
}

void hisi_zip_job_result(const HisiZipJob *job, uint32_t *sqe)
{
    HisiZipResult result = {
        .status = job->status,
        .context_state = job->context_state,
        .last_block_seen = job->last_block_seen,
        .consumed = hisi_zip_job_consumed(job),
        .produced = job->produced,
    };

    if (job->codec) {
        result.check = hisi_zip_codec_check(job->codec);
    } else if (job->stream) {
        result.check = hisi_zip_stream_check(job->stream);
    }
    hisi_zip_request_result(&job->request, &result, sqe);
}

/* ---- Input and output -------------------------------------------------- */

static HisiZipStep job_gather(HisiZipJob *job)
{
    HisiZipMove move;
    size_t moved;

    move = hisi_zip_cursor_read(&job->src, &job->ch, job->pasids.list,
                                job->pasids.read, job->in,
                                MIN(job->input_left, sizeof(job->in)), &moved);
    if (move != HISI_ZIP_MOVED) {
        return hisi_zip_move_failed(job, move, HISI_ZIP_READ_REFUSED);
    }
    if (!moved) {
        return hisi_zip_job_end(job, HISI_ZIP_BAD_LIST);    /* too short */
    }
    job->input_left -= moved;
    job->gathered += moved;
    job->in_pos = 0;
    job->in_bytes = moved;
    job->stage = HISI_ZIP_COMPUTE;
    return HISI_ZIP_GOES_ON;
}

/*
 * All output is out, with the status that computing left. A stream is saved,
 * unless its request failed.
 */
static HisiZipStep job_output_ended(HisiZipJob *job)
{
    if (!job->stream || (job->status != HISI_ZIP_OK &&
                         job->status != HISI_ZIP_STREAM_END)) {
        return HISI_ZIP_DONE;
    }
    job->stage = HISI_ZIP_SETTLE;
    return HISI_ZIP_GOES_ON;
}

static HisiZipStep job_scatter(HisiZipJob *job)
{
    size_t want = MIN(job->out_bytes - job->out_pos, job->room);
    size_t moved = 0;

    if (want) {
        HisiZipMove move;

        move = hisi_zip_cursor_write(&job->dst, &job->ch, job->pasids.list,
                                     job->pasids.write,
                                     job->out + job->out_pos, want, &moved);
        if (move != HISI_ZIP_MOVED) {
            return hisi_zip_move_failed(job, move, HISI_ZIP_WRITE_REFUSED);
        }
    }
    job->produced += moved;
    job->room -= moved;
    job->out_pos += moved;
    if (job->out_pos < job->out_bytes) {
        return hisi_zip_job_end(job, HISI_ZIP_NO_ROOM);
    }
    job->out_pos = job->out_bytes = 0;
    if (job->output_ends) {
        return job_output_ended(job);
    }
    job->stage = HISI_ZIP_COMPUTE;
    return HISI_ZIP_GOES_ON;
}

/* ---- What is between --------------------------------------------------- */

/* Nothing more will be computed; MORE and GOES_ON are the caller's. */
static void job_computing_ended(HisiZipJob *job, HisiZipCodecResult result)
{
    job->output_ends = true;
    switch (result) {
    case HISI_ZIP_CODEC_END:
        job->last_block_seen = job->request.decompress;
        if (job->stream && job->request.decompress) {
            job->status = HISI_ZIP_STREAM_END;
        }
        break;
    case HISI_ZIP_CODEC_BAD_CHECK:
        job->last_block_seen = true;
        job->status = HISI_ZIP_BAD_CHECKSUM;
        break;
    case HISI_ZIP_CODEC_BAD_DATA:
        job->status = HISI_ZIP_BAD_DATA;
        break;
    default:
        break;
    }
}

/*
 * Output collects until there is no room for more of it. A stream's never
 * exceeds the room that the request gives.
 */
static HisiZipStep job_compute(HisiZipJob *job)
{
    size_t room = sizeof(job->out) - job->out_bytes;
    HisiZipCodecIo io = {
        .in = job->in + job->in_pos,
        .in_bytes = job->in_bytes - job->in_pos,
        .in_is_last = !job->input_left,
        .out = job->out + job->out_bytes,
        .out_bytes = job->stream ? MIN(room, job->room - job->out_bytes)
                                 : room,
    };
    HisiZipCodecResult result;
    bool progress;

    if (!room) {
        job->stage = HISI_ZIP_SCATTER;
        return HISI_ZIP_GOES_ON;
    }
    result = job->stream ? hisi_zip_stream_run(job->stream, &io,
                                               job->request.finishes)
                         : hisi_zip_codec_run(job->codec, &io);
    sva_channel_charge(&job->ch, io.cost);
    progress = io.in_bytes < job->in_bytes - job->in_pos ||
               io.out > job->out + job->out_bytes;
    job->in_pos = job->in_bytes - io.in_bytes;
    job->out_bytes = io.out - job->out;
    if (result == HISI_ZIP_CODEC_GOES_ON) {
        return HISI_ZIP_GOES_ON;
    } else if (result != HISI_ZIP_CODEC_MORE) {
        job_computing_ended(job, result);
    } else if (job->stream) {
        /* All input taken, or no room: that is all for this request. */
        job->output_ends = !progress && (io.in_bytes || !job->input_left);
    } else if (job->request.decompress && !io.in_bytes && io.out_bytes &&
               !job->input_left) {
        /* Neither input to take nor output to give: it ends too early. */
        job->output_ends = true;
        job->status = HISI_ZIP_TRUNCATED;
    }
    if (job->output_ends || job->out_bytes == sizeof(job->out) ||
        (job->stream && job->out_bytes && !progress)) {
        job->stage = HISI_ZIP_SCATTER;
    }
    return HISI_ZIP_GOES_ON;
}

HisiZipStep hisi_zip_job_step(HisiZipJob *job)
{
    if (job->status != HISI_ZIP_OK && !job->codec && !job->stream) {
        return HISI_ZIP_DONE;
    }
    if (job->stage == HISI_ZIP_COMPUTE && job->in_pos == job->in_bytes &&
        job->input_left) {
        job->stage = HISI_ZIP_GATHER;
    }
    switch (job->stage) {
    case HISI_ZIP_LOAD_CONTEXT:
        return hisi_zip_context_load(job);
    case HISI_ZIP_GATHER:
        return job_gather(job);
    case HISI_ZIP_SCATTER:
        return job_scatter(job);
    case HISI_ZIP_SETTLE:
        return hisi_zip_context_settle(job);
    case HISI_ZIP_SAVE_CONTEXT:
        return hisi_zip_context_save(job);
    case HISI_ZIP_COMPUTE:
    default:
        return job_compute(job);
    }
}
