/*
 * The ZIP engine: takes a queue's entries in order, one at a time, and for
 * each gathers input, computes, scatters output, a piece at a time. Any
 * access may stall; the job then stands until the requester wakes it, and
 * other queues go on. A job holds a fixed amount of memory, however long its
 * buffers are.
 *
 * Jobs do not migrate: one that was in work starts again from its entry. That
 * does no harm where the entry's source is still there; docs/specs/hisi-zip.rst
 * names the two cases in which it is not.
 *
 * Called by the queue manager through hisi-zip.c, and by the worker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hisi-zip.h"
#include "hisi-zip-abi.h"
#include "hisi-zip-codec.h"
#include "hisi-zip-check.h"
#include "hisi-zip-list.h"
#include "hisi-zip-stream.h"
#include "trace.h"

/* Job steps of one turn. */
enum { STEPS_AT_A_TIME = 4 };

typedef enum JobStage {
    JOB_COMPUTE,
    JOB_GATHER,
    JOB_SCATTER,
    JOB_LOAD_CONTEXT,       /* of a stateful stream, before anything else */
    JOB_SAVE_CONTEXT,       /* and at the end */
} JobStage;

typedef enum JobStep {
    JOB_GOES_ON,
    JOB_STALLED,
    JOB_DONE,
    JOB_GONE,       /* reset from within: not the engine's any more */
} JobStep;

struct HisiZipJob {
    HisiZip *zip;
    unsigned qn;
    SvaChannel ch;
    uint32_t list_pasid, read_pasid, write_pasid;
    uint32_t sqe[HISI_ZIP_SQE_WORDS];

    bool decompress;
    HisiZipCodec *codec;        /* a stateless request, or */
    HisiZipStream *stream;      /* a stateful one */
    HisiZipCursor src, dst, context;
    JobStage stage;
    uint32_t input_left;        /* bytes not yet gathered */
    uint32_t room;              /* bytes that may still be written */
    uint64_t gathered;
    uint64_t produced;
    bool output_ends;           /* what is in out[] is the last */
    bool last_block_seen;
    uint8_t status;             /* HISI_ZIP_* */
    uint8_t context_state;      /* HISI_ZIP_CTX_* */

    size_t in_pos, in_bytes;
    size_t out_pos, out_bytes;
    uint8_t in[64 * KiB];       /* or the stream's context */
    uint8_t out[64 * KiB];
};
QEMU_BUILD_BUG_ON(sizeof_field(HisiZipJob, in) <
                  HISI_ZIP_STREAM_CONTEXT_BYTES);

/* ---- Begin and end ----------------------------------------------------- */

static uint64_t address(const uint32_t *sqe, unsigned word)
{
    return sqe[word] | (uint64_t)sqe[word + 1] << 32;
}

static uint32_t reverse_bits(uint32_t value)
{
    uint32_t reversed = 0;

    for (unsigned i = 0; i < 32; i++) {
        reversed |= (value >> i & 1) << (31 - i);
    }
    return reversed;
}

static void zip_job_wake(SvaChannel *ch)
{
    HisiZipJob *job = container_of(ch, HisiZipJob, ch);

    hisi_zip_engine_kick(job->zip, job->qn);
}

/*
 * V3 has PASIDs on for a queue, V2 for all queues, by kind of access. Kernel
 * queues have none.
 */
static void zip_job_set_pasids(HisiZipJob *job)
{
    HisiQm *qm = &job->zip->qm;
    bool is_enabled;
    uint32_t pasid = hisi_qm_queue_pasid(qm, job->qn, &is_enabled);
    bool list = is_enabled, read = is_enabled, write = is_enabled;

    if (qm->version < 3) {
        list = hisi_qm_reg(qm, ZIP_SGL_RUSER) & ZIP_USER_SSV;
        read = hisi_qm_reg(qm, ZIP_DATA_RUSER) & ZIP_USER_SSV;
        write = hisi_qm_reg(qm, ZIP_DATA_WUSER) & ZIP_USER_SSV;
    }
    job->list_pasid = list ? pasid : SVA_NO_PASID;
    job->read_pasid = read ? pasid : SVA_NO_PASID;
    job->write_pasid = write ? pasid : SVA_NO_PASID;
}

/* HISI_ZIP_OK, or what is wrong with the entry. */
static uint8_t zip_job_check(const HisiZipJob *job)
{
    const uint32_t *sqe = job->sqe;
    uint32_t request = sqe[HISI_ZIP_SQE_REQUEST];
    uint32_t format = HISI_ZIP_REQUEST_FORMAT(request);

    if (format < HISI_ZIP_FORMAT_RAW || format > HISI_ZIP_FORMAT_GZIP) {
        return HISI_ZIP_UNSUPPORTED;
    }
    if (hisi_qm_queue_type(&job->zip->qm, job->qn) > HISI_ZIP_DECOMPRESS) {
        return HISI_ZIP_UNSUPPORTED;
    }
    if (HISI_ZIP_REQUEST_BUFFERS(request) > HISI_ZIP_BUFFERS_LIST ||
        HISI_ZIP_REQUEST_WINDOW(request) > HISI_ZIP_WINDOW_32K) {
        return HISI_ZIP_BAD_REQUEST;
    }
    return HISI_ZIP_OK;
}

static bool zip_job_is_stateful(const HisiZipJob *job)
{
    return job->sqe[HISI_ZIP_SQE_MODE] & HISI_ZIP_MODE_STATEFUL;
}

static bool zip_job_finishes(const HisiZipJob *job)
{
    return job->sqe[HISI_ZIP_SQE_MODE] & HISI_ZIP_MODE_FINISH;
}

/* The computing half; a stream that goes on comes with its context. */
static void zip_job_start_engine(HisiZipJob *job)
{
    uint32_t request = job->sqe[HISI_ZIP_SQE_REQUEST];
    unsigned format = HISI_ZIP_REQUEST_FORMAT(request);
    unsigned window = HISI_ZIP_REQUEST_WINDOW(request);
    uint32_t level = job->zip->level;

    if (!zip_job_is_stateful(job)) {
        job->codec = hisi_zip_codec_new(job->decompress, format, window, level);
    } else if (job->sqe[HISI_ZIP_SQE_MODE] & HISI_ZIP_MODE_NEW_STREAM) {
        job->stream = hisi_zip_stream_new(job->decompress, format, window,
                                          level);
    } else {
        job->stage = JOB_LOAD_CONTEXT;
        return;
    }
    if (!job->codec && !job->stream) {
        job->status = HISI_ZIP_UNSUPPORTED;
    }
}

static void zip_job_start(HisiZipJob *job)
{
    const uint32_t *sqe = job->sqe;
    uint32_t request = sqe[HISI_ZIP_SQE_REQUEST];
    bool is_list = HISI_ZIP_REQUEST_BUFFERS(request) == HISI_ZIP_BUFFERS_LIST;

    job->status = zip_job_check(job);
    if (job->status != HISI_ZIP_OK) {
        return;
    }
    job->decompress = hisi_qm_queue_type(&job->zip->qm, job->qn) ==
                      HISI_ZIP_DECOMPRESS;
    job->input_left = sqe[HISI_ZIP_SQE_INPUT_LEN];
    job->room = sqe[HISI_ZIP_SQE_OUTPUT_ROOM];
    hisi_zip_cursor_init(&job->src, is_list, address(sqe, HISI_ZIP_SQE_SRC),
                         HISI_ZIP_MODE_SRC_OFFSET(sqe[HISI_ZIP_SQE_MODE]));
    hisi_zip_cursor_init(&job->dst, is_list, address(sqe, HISI_ZIP_SQE_DST),
                         sqe[HISI_ZIP_SQE_DST_OFFSET] & 0xffffff);
    hisi_zip_cursor_init(&job->context, false,
                         address(sqe, HISI_ZIP_SQE_CTX_ADDR), 0);
    zip_job_start_engine(job);
}

/* The next entry of @qn, or NULL when there is none. */
static HisiZipJob *zip_job_new(HisiZip *zip, unsigned qn)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    HisiZipJob *job;

    if (!hisi_qm_peek(&zip->qm, qn, sqe)) {
        return NULL;
    }
    /* The buffers need no initial value. */
    job = g_malloc(sizeof(*job));
    memset(job, 0, offsetof(HisiZipJob, in));
    job->zip = zip;
    job->qn = qn;
    for (unsigned i = 0; i < HISI_ZIP_SQE_WORDS; i++) {
        job->sqe[i] = le32_to_cpu(sqe[i]);
    }
    sva_channel_init(&job->ch, &zip->requester, zip_job_wake);
    zip_job_set_pasids(job);
    zip_job_start(job);
    trace_hisi_zip_job_start(qn, job->list_pasid, job->read_pasid,
                             job->sqe[HISI_ZIP_SQE_REQUEST],
                             address(job->sqe, HISI_ZIP_SQE_SRC),
                             job->sqe[HISI_ZIP_SQE_INPUT_LEN],
                             address(job->sqe, HISI_ZIP_SQE_DST),
                             job->sqe[HISI_ZIP_SQE_OUTPUT_ROOM]);
    return job;
}

static void zip_job_free(HisiZipJob *job)
{
    sva_channel_cancel(&job->ch);
    hisi_zip_codec_free(job->codec);
    hisi_zip_stream_free(job->stream);
    g_free(job);
}

/* Bytes of input that the engine took. */
static uint32_t zip_job_consumed(const HisiZipJob *job)
{
    return job->gathered - (job->in_bytes - job->in_pos);
}

/* Fills in what the entry tells software, little-endian, into @sqe. */
static void zip_job_result(HisiZipJob *job, uint32_t *sqe)
{
    const HisiZipCheck *check = job->codec ? hisi_zip_codec_check(job->codec) :
                                job->stream ?
                                hisi_zip_stream_check(job->stream) : NULL;

    memcpy(sqe, job->sqe, HISI_ZIP_SQE_BYTES);
    if (job->status == HISI_ZIP_OK && !job->decompress && job->codec &&
        job->produced >= job->sqe[HISI_ZIP_SQE_INPUT_LEN]) {
        job->status = HISI_ZIP_NOT_SMALLER;
    }
    sqe[HISI_ZIP_SQE_CONSUMED] = zip_job_consumed(job);
    sqe[HISI_ZIP_SQE_PRODUCED] = job->produced;
    sqe[HISI_ZIP_SQE_COMP_LEN] = 0;
    sqe[HISI_ZIP_SQE_STATUS] = job->status |
        (job->last_block_seen ? HISI_ZIP_STATUS_LAST_BLOCK : 0);
    if (zip_job_is_stateful(job)) {
        sqe[HISI_ZIP_SQE_CTX0] = (sqe[HISI_ZIP_SQE_CTX0] & ~0xfu) |
                                 job->context_state;
    }
    if (check && check->format == HISI_ZIP_FORMAT_ZLIB) {
        sqe[HISI_ZIP_SQE_CHECKSUM] = check->checksum;
    } else if (check && check->format == HISI_ZIP_FORMAT_GZIP) {
        sqe[HISI_ZIP_SQE_CHECKSUM] = ~reverse_bits(check->checksum);
        sqe[HISI_ZIP_SQE_ISIZE] = check->plain_bytes;
    }
    for (unsigned i = 0; i < HISI_ZIP_SQE_WORDS; i++) {
        sqe[i] = cpu_to_le32(sqe[i]);
    }
}

/* ---- One step ---------------------------------------------------------- */

static JobStep zip_job_end(HisiZipJob *job, uint8_t status)
{
    job->status = status;
    return JOB_DONE;
}

/* What follows from a move that did not go through. */
static JobStep zip_job_moved(HisiZipJob *job, HisiZipMove move,
                             uint8_t when_refused)
{
    switch (move) {
    case HISI_ZIP_MOVED:
    case HISI_ZIP_MOVE_YIELD:
        return JOB_GOES_ON;
    case HISI_ZIP_MOVE_STALLED:
        return JOB_STALLED;
    case HISI_ZIP_MOVE_GONE:
        return JOB_GONE;
    case HISI_ZIP_LIST_NOT_READ:
        return zip_job_end(job, HISI_ZIP_LIST_REFUSED);
    case HISI_ZIP_LIST_IS_BAD:
        return zip_job_end(job, HISI_ZIP_BAD_LIST);
    case HISI_ZIP_MOVE_REFUSED:
    default:
        return zip_job_end(job, when_refused);
    }
}

/* ---- The context of a stateful stream ---------------------------------- */

static JobStep zip_job_load_context(HisiZipJob *job)
{
    uint32_t request = job->sqe[HISI_ZIP_SQE_REQUEST];
    size_t moved;
    HisiZipMove move;

    move = hisi_zip_cursor_read(&job->context, &job->ch, job->list_pasid,
                                job->read_pasid, job->in,
                                HISI_ZIP_STREAM_CONTEXT_BYTES, &moved);
    if (move != HISI_ZIP_MOVED) {
        return zip_job_moved(job, move, HISI_ZIP_CONTEXT_REFUSED);
    }
    job->stream = hisi_zip_stream_load(job->decompress,
                                       HISI_ZIP_REQUEST_FORMAT(request),
                                       HISI_ZIP_REQUEST_WINDOW(request),
                                       job->zip->level, job->in);
    if (!job->stream) {
        return zip_job_end(job, HISI_ZIP_BAD_CONTEXT);
    }
    job->stage = JOB_COMPUTE;
    return JOB_GOES_ON;
}

/* All output is out. With the status that compute left; a stream is saved. */
static JobStep zip_job_output_ended(HisiZipJob *job)
{
    bool has_output, has_input;

    if (!job->stream || (job->status != HISI_ZIP_OK &&
                         job->status != HISI_ZIP_STREAM_END)) {
        return JOB_DONE;
    }
    has_input = zip_job_consumed(job) < job->sqe[HISI_ZIP_SQE_INPUT_LEN];
    /* The input buffer is free for it: what is left in it is not taken. */
    job->gathered = zip_job_consumed(job);
    job->in_pos = job->in_bytes = 0;
    if (!hisi_zip_stream_save(job->stream, job->in, &has_output)) {
        return zip_job_end(job, HISI_ZIP_BAD_CONTEXT);
    }
    if (job->status == HISI_ZIP_OK && (has_output || has_input)) {
        job->context_state = job->decompress ? HISI_ZIP_CTX_OUT_NO_ROOM
                                             : HISI_ZIP_CTX_NO_ROOM;
    }
    hisi_zip_cursor_init(&job->context, false,
                         address(job->sqe, HISI_ZIP_SQE_CTX_ADDR), 0);
    job->stage = JOB_SAVE_CONTEXT;
    return JOB_GOES_ON;
}

static JobStep zip_job_save_context(HisiZipJob *job)
{
    size_t moved;
    HisiZipMove move;

    move = hisi_zip_cursor_write(&job->context, &job->ch, job->list_pasid,
                                 job->write_pasid, job->in,
                                 HISI_ZIP_STREAM_CONTEXT_BYTES, &moved);
    if (move != HISI_ZIP_MOVED) {
        return zip_job_moved(job, move, HISI_ZIP_CONTEXT_REFUSED);
    }
    return JOB_DONE;
}

/* ---- Input, output, and what is between -------------------------------- */

static JobStep zip_job_gather(HisiZipJob *job)
{
    size_t moved;
    HisiZipMove move;

    move = hisi_zip_cursor_read(&job->src, &job->ch, job->list_pasid,
                                job->read_pasid, job->in,
                                MIN(job->input_left, sizeof(job->in)), &moved);
    if (move != HISI_ZIP_MOVED) {
        return zip_job_moved(job, move, HISI_ZIP_READ_REFUSED);
    }
    if (!moved) {
        return zip_job_end(job, HISI_ZIP_BAD_LIST);     /* shorter than said */
    }
    job->input_left -= moved;
    job->gathered += moved;
    job->in_pos = 0;
    job->in_bytes = moved;
    job->stage = JOB_COMPUTE;
    return JOB_GOES_ON;
}

static JobStep zip_job_scatter(HisiZipJob *job)
{
    size_t want = MIN(job->out_bytes - job->out_pos, job->room);
    size_t moved = 0;

    if (want) {
        HisiZipMove move;

        move = hisi_zip_cursor_write(&job->dst, &job->ch, job->list_pasid,
                                     job->write_pasid, job->out + job->out_pos,
                                     want, &moved);
        if (move != HISI_ZIP_MOVED) {
            return zip_job_moved(job, move, HISI_ZIP_WRITE_REFUSED);
        }
    }
    job->produced += moved;
    job->room -= moved;
    job->out_pos += moved;
    if (job->out_pos < job->out_bytes) {
        return zip_job_end(job, HISI_ZIP_NO_ROOM);
    }
    if (job->output_ends) {
        return zip_job_output_ended(job);
    }
    job->stage = JOB_COMPUTE;
    return JOB_GOES_ON;
}

static JobStep zip_job_compute(HisiZipJob *job)
{
    HisiZipCodecIo io = {
        .in = job->in + job->in_pos,
        .in_bytes = job->in_bytes - job->in_pos,
        .in_is_last = !job->input_left,
        .out = job->out,
        .out_bytes = sizeof(job->out),
    };
    HisiZipCodecResult result = hisi_zip_codec_run(job->codec, &io);

    job->in_pos = job->in_bytes - io.in_bytes;
    job->out_pos = 0;
    job->out_bytes = io.out - job->out;
    switch (result) {
    case HISI_ZIP_CODEC_END:
        job->output_ends = true;
        job->last_block_seen = job->decompress;
        break;
    case HISI_ZIP_CODEC_BAD_CHECK:
        job->output_ends = true;
        job->last_block_seen = true;
        job->status = HISI_ZIP_BAD_CHECKSUM;
        break;
    case HISI_ZIP_CODEC_BAD_DATA:
        job->output_ends = true;
        job->status = HISI_ZIP_BAD_DATA;
        break;
    case HISI_ZIP_CODEC_MORE:
    default:
        /* Neither input to take nor output to give: it ends too early. */
        if (job->decompress && !io.in_bytes && io.out_bytes &&
            !job->input_left) {
            job->output_ends = true;
            job->status = HISI_ZIP_TRUNCATED;
        }
        break;
    }
    if (job->out_bytes || job->output_ends) {
        job->stage = JOB_SCATTER;
    } else {
        job->stage = JOB_GATHER;
    }
    return JOB_GOES_ON;
}

/* As zip_job_compute(), but output never exceeds the room. */
static JobStep zip_job_compute_stream(HisiZipJob *job)
{
    HisiZipCodecIo io = {
        .in = job->in + job->in_pos,
        .in_bytes = job->in_bytes - job->in_pos,
        .in_is_last = !job->input_left,
        .out = job->out,
        .out_bytes = MIN(sizeof(job->out), job->room),
    };
    HisiZipCodecResult result;
    bool progress;

    result = hisi_zip_stream_run(job->stream, &io, zip_job_finishes(job));
    progress = io.in_bytes < job->in_bytes - job->in_pos || io.out > job->out;
    job->in_pos = job->in_bytes - io.in_bytes;
    job->out_pos = 0;
    job->out_bytes = io.out - job->out;
    switch (result) {
    case HISI_ZIP_CODEC_END:
        job->output_ends = true;
        job->last_block_seen = job->decompress;
        job->status = job->decompress ? HISI_ZIP_STREAM_END : HISI_ZIP_OK;
        break;
    case HISI_ZIP_CODEC_BAD_CHECK:
        job->output_ends = true;
        job->last_block_seen = true;
        job->status = HISI_ZIP_BAD_CHECKSUM;
        break;
    case HISI_ZIP_CODEC_BAD_DATA:
        job->output_ends = true;
        job->status = HISI_ZIP_BAD_DATA;
        break;
    case HISI_ZIP_CODEC_MORE:
    default:
        /* All input taken, or no room: that is all for this request. */
        job->output_ends = !progress && (io.in_bytes || !job->input_left);
        break;
    }
    if (job->out_bytes) {
        job->stage = JOB_SCATTER;
    } else if (job->output_ends) {
        return zip_job_output_ended(job);
    }
    return JOB_GOES_ON;
}

/* At most 64 KiB in, computed, and out. */
static JobStep zip_job_step(HisiZipJob *job)
{
    if (job->status != HISI_ZIP_OK && !job->codec && !job->stream) {
        return JOB_DONE;
    }
    if (job->stage == JOB_COMPUTE && job->in_pos == job->in_bytes &&
        job->input_left) {
        job->stage = JOB_GATHER;
    }
    switch (job->stage) {
    case JOB_LOAD_CONTEXT:
        return zip_job_load_context(job);
    case JOB_GATHER:
        return zip_job_gather(job);
    case JOB_SCATTER:
        return zip_job_scatter(job);
    case JOB_SAVE_CONTEXT:
        return zip_job_save_context(job);
    case JOB_COMPUTE:
    default:
        return job->stream ? zip_job_compute_stream(job)
                           : zip_job_compute(job);
    }
}

/* ---- All queues -------------------------------------------------------- */

/* The job leaves the engine before software hears of it. */
static void finish_job(HisiZip *zip, unsigned qn)
{
    HisiZipJob *job = zip->jobs[qn];
    uint32_t sqe[HISI_ZIP_SQE_WORDS];

    zip_job_result(job, sqe);
    trace_hisi_zip_job_done(qn, job->status, sqe[HISI_ZIP_SQE_CONSUMED],
                            job->produced, job->ch.count.stalls);
    zip->jobs[qn] = NULL;
    zip_job_free(job);
    set_bit(qn, zip->runnable);     /* there may be more */
    hisi_qm_complete(&zip->qm, qn, sqe);
}

static void run_queue(HisiZip *zip, unsigned qn)
{
    HisiZipJob *job = zip->jobs[qn];
    JobStep step;

    if (!job) {
        job = zip->jobs[qn] = zip_job_new(zip, qn);
    }
    /* A doorbell kicks, too: the channel has one access at a time. */
    if (!job || sva_channel_is_stalled(&job->ch)) {
        return;
    }
    zip->in_step = job;
    step = zip_job_step(job);
    zip->in_step = NULL;
    if (!zip->jobs[qn]) {
        zip_job_free(job);      /* abandoned meanwhile */
        return;
    }
    switch (step) {
    case JOB_GOES_ON:
        set_bit(qn, zip->runnable);
        break;
    case JOB_DONE:
        finish_job(zip, qn);
        break;
    case JOB_STALLED:
    case JOB_GONE:
        break;
    }
}

/* One turn: a bounded number of steps, of one queue after the other. */
static bool run_queues(PCIDevice *pdev)
{
    HisiZip *zip = HISI_ZIP(pdev);

    for (unsigned i = 0; i < STEPS_AT_A_TIME; i++) {
        unsigned qn = find_next_bit(zip->runnable, HISI_QM_MAX_QUEUES,
                                    zip->next_queue);

        if (qn == HISI_QM_MAX_QUEUES) {
            qn = find_first_bit(zip->runnable, HISI_QM_MAX_QUEUES);
        }
        if (qn == HISI_QM_MAX_QUEUES) {
            return false;
        }
        clear_bit(qn, zip->runnable);
        zip->next_queue = (qn + 1) % HISI_QM_MAX_QUEUES;
        run_queue(zip, qn);
    }
    return !bitmap_empty(zip->runnable, HISI_QM_MAX_QUEUES);
}

void hisi_zip_engine_kick(HisiZip *zip, unsigned qn)
{
    set_bit(qn, zip->runnable);
    sva_worker_schedule(&zip->worker);
}

void hisi_zip_engine_abandon(HisiZip *zip, unsigned qn)
{
    HisiZipJob *job = zip->jobs[qn];

    clear_bit(qn, zip->runnable);
    zip->jobs[qn] = NULL;
    if (job && job == zip->in_step) {
        /* It wrote to what resets the device, and the write goes on. */
        sva_channel_cancel(&job->ch);
    } else if (job) {
        zip_job_free(job);
    }
}

void hisi_zip_engine_init(HisiZip *zip)
{
    sva_worker_init(&zip->worker, PCI_DEVICE(zip), run_queues);
}

void hisi_zip_engine_fini(HisiZip *zip)
{
    for (unsigned qn = 0; qn < HISI_QM_MAX_QUEUES; qn++) {
        hisi_zip_engine_abandon(zip, qn);
    }
    sva_worker_fini(&zip->worker);
}
