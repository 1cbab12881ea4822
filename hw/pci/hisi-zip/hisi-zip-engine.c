/*
 * The ZIP engine: whose turn it is. Takes each queue's entries in order, one
 * job for a queue, and gives the jobs that can go on a step after the other.
 * Not what a job does, which is hisi-zip-job.c's.
 *
 * Jobs do not migrate: one that was in work starts again from its entry. That
 * does no harm where the entry's source is still there; docs/specs/hisi-zip.rst
 * names the two cases in which it is not.
 *
 * In a thread only the steps of jobs are its own: the queue manager is the main
 * loop's, and so are the beginning and the end of a job. Called by the queue
 * manager through hisi-zip.c, and by the worker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hisi-zip.h"
#include "hisi-zip-job.h"
#include "trace.h"

/* An entry's way in or out: its own access, and what tells of its end. */
#define ENTRY_COST      (8 * SVA_ACCESS_COST)
/* To free a job: the pages of its buffers and of zlib's go back to the host. */
#define FREE_COST       (128 * 1024)
/* What the queue manager tells of completions in one go */
#define EVENTS_COST     (HISI_QM_EVENTS_AT_A_TIME * SVA_ACCESS_COST)

/* For traces */
static const char *zip_name(const HisiZip *zip)
{
    return zip->parent_obj.qdev.id ?: zip->parent_obj.name;
}

static void schedule(HisiZip *zip, unsigned qn)
{
    set_bit(qn, zip->runnable);
    sva_worker_schedule(&zip->worker);
}

static void job_wake(SvaChannel *ch)
{
    HisiZipJob *job = container_of(ch, HisiZipJob, ch);

    schedule(job->owner, job->qn);
}

/* The queue in @map that is next in turn; HISI_QM_MAX_QUEUES: none. */
static unsigned next_queue(HisiZip *zip, const unsigned long *map)
{
    unsigned qn = find_next_bit(map, HISI_QM_MAX_QUEUES, zip->next_queue);

    return qn < HISI_QM_MAX_QUEUES ? qn
                                   : find_first_bit(map, HISI_QM_MAX_QUEUES);
}

/* ---- Jobs -------------------------------------------------------------- */

/*
 * V3 has PASIDs on for a queue, V2 for all queues, by kind of access. Kernel
 * queues have none.
 */
static HisiZipPasids queue_pasids(HisiZip *zip, unsigned qn)
{
    HisiQm *qm = &zip->qm;
    bool is_enabled;
    uint32_t pasid = hisi_qm_queue_pasid(qm, qn, &is_enabled);
    bool list = is_enabled, read = is_enabled, write = is_enabled;

    if (qm->version < 3) {
        list = hisi_qm_reg(qm, ZIP_SGL_RUSER) & ZIP_USER_SSV;
        read = hisi_qm_reg(qm, ZIP_DATA_RUSER) & ZIP_USER_SSV;
        write = hisi_qm_reg(qm, ZIP_DATA_WUSER) & ZIP_USER_SSV;
    }
    return (HisiZipPasids) {
        .list = list ? pasid : SVA_NO_PASID,
        .read = read ? pasid : SVA_NO_PASID,
        .write = write ? pasid : SVA_NO_PASID,
    };
}

/*
 * Begin with the next entry of @qn. False: there is none, or as many jobs are
 * in work as there may be, and @qn waits until one of them is over.
 */
static bool begin_job(HisiZip *zip, unsigned qn)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    HisiZipJob *job;

    if (zip->jobs_in_work == HISI_ZIP_MAX_JOBS) {
        set_bit(qn, zip->waiting);
        return false;
    }
    zip->requester.cost += ENTRY_COST;
    if (!hisi_qm_peek(&zip->qm, qn, sqe)) {
        return false;
    }
    job = hisi_zip_job_new(&zip->requester, job_wake, sqe,
                           hisi_qm_queue_type(&zip->qm, qn), zip->level,
                           queue_pasids(zip, qn));
    job->owner = zip;
    job->qn = qn;
    zip->jobs[qn] = job;
    zip->jobs_in_work++;
    trace_hisi_zip_job_start(zip_name(zip), qn, job->ch.number,
                             job->pasids.list, job->pasids.read,
                             job->request.sqe[HISI_ZIP_SQE_REQUEST],
                             job->request.src, job->request.input_bytes,
                             job->request.dst, job->request.room);
    return true;
}

/* @job is over, and another queue may begin one: see offer_room(). */
static void free_job(HisiZip *zip, HisiZipJob *job)
{
    hisi_zip_job_free(job);
    zip->requester.cost += FREE_COST;
    zip->jobs_in_work--;
}

/* One of the abandoned jobs; false: there is none. */
static bool free_abandoned(HisiZip *zip)
{
    HisiZipJob *job = QSLIST_FIRST(&zip->abandoned);

    if (job) {
        QSLIST_REMOVE_HEAD(&zip->abandoned, next);
        free_job(zip, job);
    }
    return job;
}

/* The job leaves the engine before software hears of it. */
static void finish_job(HisiZip *zip, unsigned qn)
{
    HisiZipJob *job = zip->jobs[qn];
    uint32_t sqe[HISI_ZIP_SQE_WORDS];

    hisi_zip_job_result(job, sqe);
    trace_hisi_zip_job_done(zip_name(zip), qn, job->status,
                            hisi_zip_job_consumed(job), job->produced,
                            job->ch.count.stalls);
    zip->jobs[qn] = NULL;
    free_job(zip, job);
    set_bit(qn, zip->runnable);     /* there may be more */
    zip->requester.cost += ENTRY_COST;
    hisi_qm_complete(&zip->qm, qn, sqe);
}

/* ---- Turns ------------------------------------------------------------- */

/* The next turn of the main loop is @qn's. Not when this is one. */
static bool goes_elsewhere(HisiZip *zip, unsigned qn)
{
    if (bql_locked()) {
        return false;
    }
    set_bit(qn, zip->elsewhere);
    sva_worker_go_elsewhere(&zip->worker);
    return true;
}

static void run_job(HisiZip *zip, unsigned qn)
{
    HisiZipJob *job = zip->jobs[qn];
    HisiZipStep step;

    /* A doorbell kicks, too: the channel has one access at a time. */
    if (sva_channel_is_stalled(&job->ch)) {
        return;
    }
    zip->in_step = job;
    step = hisi_zip_job_step(job);
    zip->in_step = NULL;
    if (!zip->jobs[qn]) {
        free_job(zip, job);     /* abandoned meanwhile */
        return;
    }
    switch (step) {
    case HISI_ZIP_GOES_ON:
        set_bit(qn, zip->runnable);
        break;
    case HISI_ZIP_DONE:
        job->is_done = true;
        if (!goes_elsewhere(zip, qn)) {
            finish_job(zip, qn);
        }
        break;
    case HISI_ZIP_ELSEWHERE:
        set_bit(qn, zip->elsewhere);    /* the requester told the worker */
        break;
    case HISI_ZIP_STALLED:
    case HISI_ZIP_GONE:
        break;
    }
}

/*
 * While there is room for a job, the next queue that waits may have a step. It
 * is asked for before each step and not once for each job that is over: who is
 * offered room may turn out to have no entry, or lose its context before its
 * step, and the room is the next one's then.
 */
static void offer_room(HisiZip *zip)
{
    unsigned qn;

    if (zip->jobs_in_work == HISI_ZIP_MAX_JOBS) {
        return;
    }
    qn = next_queue(zip, zip->waiting);
    if (qn < HISI_QM_MAX_QUEUES) {
        clear_bit(qn, zip->waiting);
        set_bit(qn, zip->runnable);
    }
}

/* The queue whose step is next; HISI_QM_MAX_QUEUES: nobody has one. */
static unsigned next_step(HisiZip *zip)
{
    offer_room(zip);
    return next_queue(zip, zip->runnable);
}

static void run_queue(HisiZip *zip, unsigned qn)
{
    if (!zip->jobs[qn] &&
        (goes_elsewhere(zip, qn) || !begin_job(zip, qn))) {
        return;
    }
    run_job(zip, qn);
}

static bool turn_is_over(HisiZip *zip, uint64_t cost_end)
{
    return zip->requester.cost >= cost_end ||
           sva_worker_must_yield(&zip->worker);
}

/*
 * Events that wait for a turn. That they do has migrated: the first turn, which
 * comes when the machine begins to run, looks for them.
 */
static void post_events(HisiZip *zip)
{
    if (!hisi_qm_has_events_to_post(&zip->qm)) {
        return;
    }
    if (bql_locked()) {
        zip->requester.cost += EVENTS_COST;
        hisi_qm_update_events(&zip->qm);
    } else {
        sva_worker_go_elsewhere(&zip->worker);
    }
}

/*
 * The turn in the main loop of an engine that has a thread: what had to come
 * here. A job that begins is the thread's.
 */
static bool run_elsewhere(HisiZip *zip, uint64_t cost_end)
{
    unsigned qn;

    while ((qn = next_queue(zip, zip->elsewhere)) < HISI_QM_MAX_QUEUES) {
        HisiZipJob *job = zip->jobs[qn];

        if (turn_is_over(zip, cost_end)) {
            sva_worker_go_elsewhere(&zip->worker);
            break;
        }
        clear_bit(qn, zip->elsewhere);
        zip->next_queue = (qn + 1) % HISI_QM_MAX_QUEUES;
        if (job && !job->is_done) {
            run_job(zip, qn);
            continue;
        }
        if (job) {
            finish_job(zip, qn);
        }
        clear_bit(qn, zip->runnable);
        if (!zip->jobs[qn] && begin_job(zip, qn)) {
            set_bit(qn, zip->runnable);
        }
    }
    return next_step(zip) < HISI_QM_MAX_QUEUES;
}

/* One turn: steps of one queue after the other, until they have cost enough. */
static bool run_queues(PCIDevice *pdev)
{
    HisiZip *zip = HISI_ZIP(pdev);
    uint64_t cost_end = zip->requester.cost + SVA_WORKER_TURN_COST;
    unsigned qn;

    post_events(zip);
    if (zip->iothread && bql_locked()) {
        return run_elsewhere(zip, cost_end);
    }
    while (free_abandoned(zip)) {
        if (turn_is_over(zip, cost_end)) {
            return true;
        }
    }
    while ((qn = next_step(zip)) < HISI_QM_MAX_QUEUES) {
        if (turn_is_over(zip, cost_end)) {
            return true;
        }
        clear_bit(qn, zip->runnable);
        zip->next_queue = (qn + 1) % HISI_QM_MAX_QUEUES;
        run_queue(zip, qn);
    }
    return hisi_qm_has_events_to_post(&zip->qm);
}

/* ---- What the queue manager asks for ----------------------------------- */

void hisi_zip_engine_kick(HisiZip *zip, unsigned qn)
{
    schedule(zip, qn);
}

void hisi_zip_engine_abandon(HisiZip *zip, unsigned qn)
{
    HisiZipJob *job = zip->jobs[qn];
    bool was_due = test_and_clear_bit(qn, zip->runnable);

    clear_bit(qn, zip->waiting);
    clear_bit(qn, zip->elsewhere);
    if (was_due || job) {
        sva_worker_schedule(&zip->worker);  /* it may have been offered room */
    }
    if (!job) {
        return;
    }
    trace_hisi_zip_job_abandoned(zip_name(zip), qn);
    zip->jobs[qn] = NULL;
    sva_channel_cancel(&job->ch);
    /*
     * In its step, it wrote to what resets the device, and the write goes on.
     * Freeing many takes longer than a register write may: a turn does it.
     */
    if (job != zip->in_step) {
        QSLIST_INSERT_HEAD(&zip->abandoned, job, next);
    }
}

void hisi_zip_engine_init(HisiZip *zip)
{
    sva_worker_init(&zip->worker, PCI_DEVICE(zip), zip->iothread, run_queues);
    zip->requester.worker = &zip->worker;
    zip->qm.worker = &zip->worker;
}

void hisi_zip_engine_fini(HisiZip *zip)
{
    sva_worker_enter(&zip->worker);
    for (unsigned qn = 0; qn < HISI_QM_MAX_QUEUES; qn++) {
        hisi_zip_engine_abandon(zip, qn);
    }
    while (free_abandoned(zip)) {
        /* all of them */
    }
    sva_worker_fini(&zip->worker);
    sva_worker_leave(&zip->worker);
}
