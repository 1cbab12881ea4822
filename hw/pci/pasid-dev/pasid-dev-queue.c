/*
 * A work queue of pasid-dev: set-up, errors, which descriptors are in work and
 * whose turn it is among them. Decodes no register, knows no other queue; what
 * is done for a descriptor is pasid-dev-job.c's. Called by pasid-dev-queues.c,
 * pasid-dev-regs.c and the requester.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pasid-dev.h"
#include "trace.h"

/* ---- State -------------------------------------------------------------- */

static bool queue_takes_work(const PasidDevQueue *q)
{
    return (q->ctrl & PASID_DEV_Q_CTRL_ENABLE) && !q->error;
}

bool pasid_dev_queue_is_busy(const PasidDevQueue *q)
{
    return queue_takes_work(q) && q->head != q->tail;
}

/* Jobs that may be in work at once. */
static uint32_t queue_most_jobs(const PasidDevQueue *q)
{
    return ((q->ctrl & PASID_DEV_Q_CTRL_JOBS_MASK) >>
            PASID_DEV_Q_CTRL_JOBS_SHIFT) + 1;
}

/* Whether it may take a descriptor, if there is one. */
static bool queue_may_take(const PasidDevQueue *q)
{
    return !q->gate &&
           q->in_work < queue_most_jobs(q) &&
           !(q->ctrl & PASID_DEV_Q_CTRL_DRAIN) &&
           !(q->flags & PASID_DEV_QUEUE_F_CLOSED);
}

static bool queue_can_run(const PasidDevQueue *q)
{
    return queue_takes_work(q) &&
           (!QTAILQ_EMPTY(&q->ready) ||
            (q->taken != q->tail && queue_may_take(q)));
}

static uint32_t queue_entries(const PasidDevQueue *q)
{
    return 1u << q->size_log2;
}

static bool queue_is_stalled(const PasidDevQueue *q)
{
    for (unsigned i = 0; i < q->num_jobs; i++) {
        if (sva_channel_is_stalled(&q->jobs[i].channel)) {
            return true;
        }
    }
    return false;
}

uint32_t pasid_dev_queue_status(const PasidDevQueue *q)
{
    bool takes_work = queue_takes_work(q);
    bool drains = q->ctrl & PASID_DEV_Q_CTRL_DRAIN;

    return (takes_work ? PASID_DEV_Q_STATUS_ENABLED : 0) |
           (pasid_dev_queue_is_busy(q) ? PASID_DEV_Q_STATUS_BUSY : 0) |
           (takes_work && queue_is_stalled(q) ?
            PASID_DEV_Q_STATUS_STALLED : 0) |
           (q->error ? PASID_DEV_Q_STATUS_ERROR : 0) |
           (drains && !q->in_work ? PASID_DEV_Q_STATUS_DRAINED : 0);
}

SvaCounters pasid_dev_queue_count(const PasidDevQueue *q)
{
    SvaCounters sum = { 0 };

    for (unsigned i = 0; i < q->num_jobs; i++) {
        sum.stalls += q->jobs[i].channel.count.stalls;
        sum.aborts += q->jobs[i].channel.count.aborts;
    }
    return sum;
}

/* ---- Whose turn it is --------------------------------------------------- */

void pasid_dev_queue_schedule(PasidDevQueue *q)
{
    PasidDev *s = q->dev;

    if (!queue_can_run(q)) {
        return;
    }
    if (!q->listed) {
        q->listed = true;
        QTAILQ_INSERT_TAIL(&s->ready, q, next);
    }
    sva_worker_schedule(&s->worker);
}

/* The next turn is in the main loop, for the sake of @job. */
static void queue_go_elsewhere(PasidDevQueue *q, PasidDevJob *job)
{
    job->listed = true;
    QTAILQ_INSERT_HEAD(&q->ready, job, next);
    if (!q->listed) {
        q->listed = true;
        QTAILQ_INSERT_HEAD(&q->dev->ready, q, next);
    }
}

static void queue_unlist(PasidDevQueue *q)
{
    if (q->listed) {
        q->listed = false;
        QTAILQ_REMOVE(&q->dev->ready, q, next);
    }
}

static void job_list(PasidDevJob *job)
{
    if (!job->listed) {
        job->listed = true;
        QTAILQ_INSERT_TAIL(&job->queue->ready, job, next);
    }
}

static void job_unlist(PasidDevJob *job)
{
    if (job->listed) {
        job->listed = false;
        QTAILQ_REMOVE(&job->queue->ready, job, next);
    }
}

/* ---- The end of jobs ---------------------------------------------------- */

static void queue_interrupt(PasidDevQueue *q)
{
    if (q->ctrl & PASID_DEV_Q_CTRL_IRQ) {
        q->dev->requester.cost += SVA_ACCESS_COST;
        sva_worker_msix(&q->dev->worker, q->index);
    }
}

/* Its place is free for another one. */
static void job_free(PasidDevJob *job)
{
    PasidDevQueue *q = job->queue;

    job_unlist(job);
    if (job->phase != PASID_DEV_FREE) {
        job->phase = PASID_DEV_FREE;
        q->in_work--;
    }
    if (q->gate == job) {
        q->gate = NULL;
    }
}

/* Give up all jobs: no access is outstanding afterwards. */
static void queue_stop(PasidDevQueue *q)
{
    for (unsigned i = 0; i < q->num_jobs; i++) {
        sva_channel_cancel(&q->jobs[i].channel);
        job_free(&q->jobs[i]);
    }
    queue_unlist(q);
}

/*
 * The same from within a turn, which cannot wait for the IOMMU to forget an
 * access that is stalled: its place is taken until that is answered, or
 * somebody else stops the queue.
 */
static void queue_abandon(PasidDevQueue *q)
{
    for (unsigned i = 0; i < q->num_jobs; i++) {
        PasidDevJob *job = &q->jobs[i];

        if (sva_channel_is_stalled(&job->channel)) {
            job->phase = PASID_DEV_ABANDONED;
        } else {
            sva_channel_cancel(&job->channel);
            job_free(job);
        }
    }
    queue_unlist(q);
}

static const char *queue_error_name(uint32_t error)
{
    static const char *const names[] = {
        [PASID_DEV_Q_ERROR_NONE] = "no error",
        [PASID_DEV_Q_ERROR_RING] = "descriptor refused",
        [PASID_DEV_Q_ERROR_COMPLETION] = "record refused",
        [PASID_DEV_Q_ERROR_TAIL] = "illegal TAIL",
        [PASID_DEV_Q_ERROR_CONFIG] = "illegal set-up",
        [PASID_DEV_Q_ERROR_CLOSED] = "PASID drained or aborted",
    };

    return names[error];
}

/* After queue_stop() or queue_abandon() */
static void queue_set_error(PasidDevQueue *q, uint32_t error, uint64_t addr)
{
    trace_pasid_dev_queue_error(pasid_dev_name(q->dev), q->index,
                                queue_error_name(error), addr);
    q->error = error;
    q->fault_addr = addr;
    queue_interrupt(q);
}

static void queue_fail(PasidDevQueue *q, uint32_t error)
{
    queue_stop(q);
    queue_set_error(q, error, 0);
}

/* Whether somebody waits for the last of its jobs to come to its end. */
static bool queue_has_to_rest(const PasidDevQueue *q)
{
    return (q->ctrl & PASID_DEV_Q_CTRL_DRAIN) ||
           (q->flags & PASID_DEV_QUEUE_F_CLOSED);
}

/* It did. */
static void queue_rests(PasidDevQueue *q)
{
    const uint32_t drain = PASID_DEV_Q_CTRL_DRAIN | PASID_DEV_Q_CTRL_DRAIN_IRQ;

    if (q->flags & PASID_DEV_QUEUE_F_CLOSED) {
        if (queue_takes_work(q)) {
            queue_fail(q, PASID_DEV_Q_ERROR_CLOSED);
        }
        /* A turn looks whether that was the PASID's last queue. */
        sva_worker_schedule(&q->dev->worker);
    } else if (queue_takes_work(q) && (q->ctrl & drain) == drain) {
        queue_interrupt(q);
    }
}

/* ---- Set-up ------------------------------------------------------------- */

static bool queue_set_up_is_legal(const PasidDevQueue *q)
{
    uint32_t pasid = q->pasid & ~PASID_DEV_PASID_VALID;

    return q->ring % sizeof(PasidDevDescriptor) == 0 &&
           q->completions % sizeof(PasidDevCompletion) == 0 &&
           q->size_log2 <= 15 &&
           queue_most_jobs(q) <= q->num_jobs &&
           (!(q->pasid & PASID_DEV_PASID_VALID) ||
            pasid < 1u << q->dev->pasid_bits);
}

/* In whose address space the queue works, and with what rights. */
static void queue_set_up_channels(PasidDevQueue *q)
{
    for (unsigned i = 0; i < q->num_jobs; i++) {
        SvaChannel *ch = &q->jobs[i].channel;

        ch->pasid = q->pasid & PASID_DEV_PASID_VALID ?
                    q->pasid & ~PASID_DEV_PASID_VALID : SVA_NO_PASID;
        ch->privileged = q->flags & PASID_DEV_QUEUE_F_PRIV;
    }
}

static void queue_enable(PasidDevQueue *q)
{
    trace_pasid_dev_queue_enable(pasid_dev_name(q->dev), q->index, q->pasid,
                                 q->ring, q->completions, q->size_log2,
                                 queue_most_jobs(q));
    q->head = 0;
    q->taken = 0;
    q->tail = 0;
    q->error = PASID_DEV_Q_ERROR_NONE;
    q->fault_addr = 0;
    queue_set_up_channels(q);
    if (q->flags & PASID_DEV_QUEUE_F_CLOSED) {
        guest_error(q->dev, "queue %u: its PASID was drained or aborted",
                    q->index);
        queue_fail(q, PASID_DEV_Q_ERROR_CLOSED);
    } else if (!queue_set_up_is_legal(q)) {
        guest_error(q->dev, "queue %u: illegal set-up", q->index);
        queue_fail(q, PASID_DEV_Q_ERROR_CONFIG);
    }
}

static void queue_disable(PasidDevQueue *q)
{
    bool is_closing = q->in_work && (q->flags & PASID_DEV_QUEUE_F_CLOSED);

    trace_pasid_dev_queue_disable(pasid_dev_name(q->dev), q->index,
                                  (uint16_t)(q->tail - q->head));
    queue_stop(q);
    if (is_closing) {
        sva_worker_schedule(&q->dev->worker);
    }
}

void pasid_dev_queue_reset(PasidDevQueue *q)
{
    queue_stop(q);
    q->pasid = 0;
    q->flags = 0;
    q->ring = 0;
    q->completions = 0;
    q->size_log2 = 0;
    q->ctrl = 0;
    q->error = PASID_DEV_Q_ERROR_NONE;
    q->fault_addr = 0;
    q->head = 0;
    q->taken = 0;
    q->tail = 0;
    q->count_jobs = 0;
    for (unsigned i = 0; i < q->num_jobs; i++) {
        q->jobs[i].channel.count = (SvaCounters) { 0 };
    }
}

/* ---- Work --------------------------------------------------------------- */

static PasidDevJob *queue_take(PasidDevQueue *q)
{
    PasidDevJob *job = q->jobs;

    while (job->phase != PASID_DEV_FREE) {
        job++;
    }
    pasid_dev_job_take(job, q->taken++);
    q->in_work++;
    q->gate = job;
    return job;
}

/* Whose turn it is: a new job's behind those that are ready. */
static PasidDevJob *queue_next_job(PasidDevQueue *q)
{
    PasidDevJob *job = QTAILQ_FIRST(&q->ready);
    PasidDevJob *taken = q->taken != q->tail && queue_may_take(q) ?
                         queue_take(q) : NULL;

    if (!job) {
        return taken;
    }
    if (taken) {
        job_list(taken);
    }
    job_unlist(job);
    return job;
}

/* The first descriptor that is not done: in work, or not taken yet. */
static uint16_t queue_first_undone(const PasidDevQueue *q)
{
    uint16_t span = q->taken - q->head;

    if (!q->in_work) {
        return q->taken;
    }
    for (unsigned i = 0; i < q->num_jobs; i++) {
        if (q->jobs[i].phase != PASID_DEV_FREE) {
            span = MIN(span, (uint16_t)(q->jobs[i].index - q->head));
        }
    }
    return q->head + span;
}

/* The job at the gate may have waited for those before it. */
static void queue_open_gate(PasidDevQueue *q)
{
    PasidDevJob *job = q->gate;

    if (job && job->phase == PASID_DEV_FENCED && job->index == q->head) {
        job->phase = PASID_DEV_WORK;
        q->gate = NULL;
        job_list(job);
    }
}

/* The descriptor of @job is known: whether it may begin at once. */
static bool queue_lets_begin(PasidDevQueue *q, PasidDevJob *job)
{
    if ((job->work.desc.flags & PASID_DEV_DESC_FENCE) &&
        job->index != q->head) {
        job->phase = PASID_DEV_FENCED;
        return false;
    }
    q->gate = NULL;
    return true;
}

static void trace_done(const PasidDevQueue *q, const PasidDevJob *job)
{
    const EngineJob *work = &job->work;

    if (trace_event_get_state_backends(TRACE_PASID_DEV_JOB_DONE)) {
        trace_pasid_dev_job_done(pasid_dev_name(q->dev), q->index, job->index,
                                 engine_status_name(work->status),
                                 work->result, work->progress);
    }
}

static void queue_complete(PasidDevQueue *q, PasidDevJob *job)
{
    trace_done(q, job);
    job_free(job);
    q->head = queue_first_undone(q);
    q->count_jobs++;
    q->dev->count_jobs++;
    /* The record is in memory by now: who sees the interrupt sees it. */
    if (job->work.desc.flags & PASID_DEV_DESC_IRQ) {
        queue_interrupt(q);
    }
    queue_open_gate(q);
    if (!q->in_work && queue_has_to_rest(q)) {
        queue_rests(q);
    }
}

static void queue_refused(PasidDevQueue *q, uint32_t error, uint64_t addr)
{
    queue_abandon(q);
    queue_set_error(q, error, addr);
}

static void queue_run_job(PasidDevQueue *q, PasidDevJob *job, uint64_t limit)
{
    PasidDevVerdict verdict;

    do {
        verdict = pasid_dev_job_run(job, limit);
    } while (verdict == PASID_DEV_JOB_READ && queue_lets_begin(q, job));

    switch (verdict) {
    case PASID_DEV_JOB_DONE:
        queue_complete(q, job);
        break;
    case PASID_DEV_JOB_MORE:
        job_list(job);
        break;
    case PASID_DEV_JOB_NO_RING:
        queue_refused(q, PASID_DEV_Q_ERROR_RING,
                      pasid_dev_job_descriptor(job));
        break;
    case PASID_DEV_JOB_NO_RECORD:
        queue_refused(q, PASID_DEV_Q_ERROR_COMPLETION,
                      pasid_dev_job_completion(job));
        break;
    case PASID_DEV_JOB_ELSEWHERE:
        queue_go_elsewhere(q, job);
        break;
    case PASID_DEV_JOB_READ:
    case PASID_DEV_JOB_WAITS:
    case PASID_DEV_JOB_GONE:
        break;
    }
}

void pasid_dev_queue_run(PasidDevQueue *q, uint64_t limit)
{
    queue_unlist(q);
    while (q->dev->requester.cost < limit && queue_takes_work(q) &&
           !sva_worker_must_yield(&q->dev->worker)) {
        PasidDevJob *job = queue_next_job(q);

        if (!job) {
            break;
        }
        queue_run_job(q, job, limit);
    }
    pasid_dev_queue_schedule(q);
}

static void job_wake(SvaChannel *ch)
{
    PasidDevJob *job = container_of(ch, PasidDevJob, channel);
    PasidDevQueue *q = job->queue;

    if (job->phase == PASID_DEV_ABANDONED) {
        sva_channel_cancel(ch);
        job_free(job);
        if (!q->in_work) {
            queue_rests(q);
        }
        return;
    }
    job_list(job);
    pasid_dev_queue_schedule(q);
}

/* ---- What the registers ask for ----------------------------------------- */

void pasid_dev_queue_write_tail(PasidDevQueue *q, uint64_t value)
{
    uint16_t waiting = q->tail - q->head;
    uint16_t wanted = (uint16_t)value - q->head;

    if (!queue_takes_work(q)) {
        guest_error(q->dev, "queue %u takes no work, TAIL stays", q->index);
        return;
    }
    if (value > UINT16_MAX || wanted > queue_entries(q) || wanted < waiting) {
        guest_error(q->dev, "queue %u: TAIL 0x%" PRIx64 " with HEAD 0x%x and "
                    "TAIL 0x%x", q->index, value, q->head, q->tail);
        queue_fail(q, PASID_DEV_Q_ERROR_TAIL);
        return;
    }
    q->tail = value;
    pasid_dev_queue_schedule(q);
}

void pasid_dev_queue_write_ctrl(PasidDevQueue *q, uint64_t value)
{
    const uint32_t any_time = PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ |
                              PASID_DEV_Q_CTRL_DRAIN |
                              PASID_DEV_Q_CTRL_DRAIN_IRQ;
    uint32_t old = q->ctrl;
    bool was_enabled = old & PASID_DEV_Q_CTRL_ENABLE;
    bool enable = value & PASID_DEV_Q_CTRL_ENABLE;

    q->ctrl = (value & any_time) | ((was_enabled && enable ? old : value) &
                                    PASID_DEV_Q_CTRL_JOBS_MASK);
    if (enable && !was_enabled) {
        queue_enable(q);
    } else if (was_enabled && !enable) {
        queue_disable(q);
        return;
    }
    if (!(old & PASID_DEV_Q_CTRL_DRAIN) && !q->in_work) {
        queue_rests(q);
    }
    pasid_dev_queue_schedule(q);
}

void pasid_dev_queue_write_pasid(PasidDevQueue *q, uint32_t value)
{
    bool is_closed = (q->flags & PASID_DEV_QUEUE_F_CLOSED) && !q->in_work;

    if ((q->ctrl & PASID_DEV_Q_CTRL_ENABLE) && !is_closed) {
        guest_error(q->dev, "queue %u is enabled, its PASID stays", q->index);
        return;
    }
    q->pasid = value & (PASID_DEV_PASID_VALID | MAKE_64BIT_MASK(0, 20));
    q->flags &= ~PASID_DEV_QUEUE_F_CLOSED;
}

/* One that is closed and has nothing in work is in error, and takes none. */
void pasid_dev_queue_close(PasidDevQueue *q, bool give_up)
{
    bool takes_work = queue_takes_work(q);

    q->flags |= PASID_DEV_QUEUE_F_CLOSED;
    if (!takes_work) {
        queue_stop(q);
    } else if (give_up || !q->in_work) {
        queue_fail(q, PASID_DEV_Q_ERROR_CLOSED);
    }
}

/* ---- Its life ----------------------------------------------------------- */

void pasid_dev_queue_init(PasidDevQueue *q, PasidDev *s, unsigned index)
{
    q->dev = s;
    q->index = index;
    q->num_jobs = s->num_jobs;
    q->jobs = g_new0(PasidDevJob, q->num_jobs);
    QTAILQ_INIT(&q->ready);
    for (unsigned i = 0; i < q->num_jobs; i++) {
        q->jobs[i].queue = q;
        sva_channel_init(&q->jobs[i].channel, &s->requester, job_wake);
    }
}

void pasid_dev_queue_free(PasidDevQueue *q)
{
    g_free(q->jobs);
}

/* Whether the jobs are what queue_take() can have made of HEAD and TAIL. */
static bool queue_jobs_are_legal(const PasidDevQueue *q)
{
    uint16_t taken = q->taken - q->head, first = taken;

    for (unsigned i = 0; i < q->num_jobs; i++) {
        const PasidDevJob *job = &q->jobs[i];
        uint16_t at = job->index - q->head;

        if (job->phase == PASID_DEV_FREE) {
            continue;
        }
        if (at >= taken || job->fetched > sizeof(job->raw) ||
            (job->phase == PASID_DEV_RECORD &&
             job->work.status == PASID_DEV_DONE_PENDING) ||
            ((job->phase == PASID_DEV_FETCH ||
              job->phase == PASID_DEV_FENCED) && at != taken - 1)) {
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            if (q->jobs[j].phase != PASID_DEV_FREE &&
                q->jobs[j].index == job->index) {
                return false;
            }
        }
        first = MIN(first, at);
    }
    return first == 0 && q->in_work <= queue_most_jobs(q);
}

static void queue_count_jobs(PasidDevQueue *q)
{
    q->in_work = 0;
    q->gate = NULL;
    for (unsigned i = 0; i < q->num_jobs; i++) {
        PasidDevJob *job = &q->jobs[i];

        if (job->phase == PASID_DEV_ABANDONED || !queue_takes_work(q)) {
            job->phase = PASID_DEV_FREE;
        }
        q->in_work += job->phase != PASID_DEV_FREE;
        if (job->phase == PASID_DEV_FETCH || job->phase == PASID_DEV_FENCED) {
            q->gate = job;
        }
    }
}

/* In the order of the ring, whatever it was before */
static void queue_list_jobs(PasidDevQueue *q)
{
    for (uint16_t at = q->head; at != q->taken; at++) {
        for (unsigned i = 0; i < q->num_jobs; i++) {
            PasidDevJob *job = &q->jobs[i];

            if (job->phase != PASID_DEV_FREE && job->index == at &&
                job->phase != PASID_DEV_FENCED) {
                job_list(job);
            }
        }
    }
    queue_open_gate(q);
}

bool pasid_dev_queue_is_possible(PasidDevQueue *q)
{
    const uint32_t ctrl = PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ |
                          PASID_DEV_Q_CTRL_DRAIN | PASID_DEV_Q_CTRL_DRAIN_IRQ |
                          PASID_DEV_Q_CTRL_JOBS_MASK;
    const uint32_t flags = PASID_DEV_QUEUE_F_CLOSED |
                           (q->dev->privileged ? PASID_DEV_QUEUE_F_PRIV : 0);
    uint16_t waiting = q->tail - q->head, taken = q->taken - q->head;

    for (unsigned i = 0; i < q->num_jobs; i++) {
        if (q->jobs[i].phase >= PASID_DEV_PHASES) {
            return false;
        }
    }
    if ((q->ctrl & ~ctrl) || (q->flags & ~flags) ||
        (q->pasid & ~(PASID_DEV_PASID_VALID | MAKE_64BIT_MASK(0, 20))) ||
        q->error > PASID_DEV_Q_ERROR_CLOSED) {
        return false;
    }
    queue_count_jobs(q);
    return !queue_takes_work(q) ||
           (queue_set_up_is_legal(q) && waiting <= queue_entries(q) &&
            taken <= waiting && queue_jobs_are_legal(q) &&
            (!(q->flags & PASID_DEV_QUEUE_F_CLOSED) || q->in_work));
}

static void job_take_over(PasidDevJob *job, const PasidDevJob *from)
{
    job->channel.count.stalls = from->channel.count.stalls;
    job->channel.count.aborts = from->channel.count.aborts;
    job->index = from->index;
    job->phase = from->phase;
    job->fetched = from->fetched;
    job->raw = from->raw;
    job->work = from->work;
    job->member = from->member;
}

/* It is as after a reset: nothing is listed, no access is outstanding. */
void pasid_dev_queue_take_over(PasidDevQueue *q, const PasidDevQueue *from)
{
    q->pasid = from->pasid;
    q->flags = from->flags;
    q->ring = from->ring;
    q->completions = from->completions;
    q->size_log2 = from->size_log2;
    q->ctrl = from->ctrl;
    q->error = from->error;
    q->fault_addr = from->fault_addr;
    q->head = from->head;
    q->tail = from->tail;
    q->count_jobs = from->count_jobs;
    q->taken = from->taken;
    for (unsigned i = 0; i < q->num_jobs; i++) {
        job_take_over(&q->jobs[i], &from->jobs[i]);
    }
    queue_count_jobs(q);
    queue_set_up_channels(q);
    if (queue_takes_work(q)) {
        queue_list_jobs(q);
    }
}
