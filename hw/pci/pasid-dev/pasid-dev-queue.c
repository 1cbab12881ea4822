/*
 * A work queue of pasid-dev and whose turn it is: set-up, errors, fetching a
 * job, its record and interrupt. Decodes no register and executes no job, that
 * is engine.c's. Called by pasid-dev*.c and by the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/msix.h"
#include "pasid-dev.h"
#include "trace.h"

/* What one queue gets of a turn before the next one has its own. */
#define SLICE_COST              (SVA_WORKER_TURN_COST / 4)

/* What the queue does for the descriptor at HEAD. */
typedef enum QueuePhase {
    PHASE_FETCH,        /* reads the descriptor */
    PHASE_WORK,         /* executes it */
    PHASE_RECORD,       /* writes its record */
    PHASE_COUNT
} QueuePhase;

#define RECORD_BODY_OFFSET      sizeof(uint32_t)    /* the status is first */

/* ---- State -------------------------------------------------------------- */

static bool queue_takes_work(const PasidDevQueue *q)
{
    return (q->ctrl & PASID_DEV_Q_CTRL_ENABLE) && !q->error;
}

bool pasid_dev_queue_is_busy(const PasidDevQueue *q)
{
    return queue_takes_work(q) && q->head != q->tail;
}

static bool queue_can_run(const PasidDevQueue *q)
{
    return pasid_dev_queue_is_busy(q) && !sva_channel_is_stalled(&q->channel);
}

static uint32_t queue_entries(const PasidDevQueue *q)
{
    return 1u << q->size_log2;
}

static uint32_t queue_slot(const PasidDevQueue *q)
{
    return q->head & (queue_entries(q) - 1);
}

uint32_t pasid_dev_queue_status(const PasidDevQueue *q)
{
    return (queue_takes_work(q) ? PASID_DEV_Q_STATUS_ENABLED : 0) |
           (pasid_dev_queue_is_busy(q) ? PASID_DEV_Q_STATUS_BUSY : 0) |
           (sva_channel_is_stalled(&q->channel) ?
            PASID_DEV_Q_STATUS_STALLED : 0) |
           (q->error ? PASID_DEV_Q_STATUS_ERROR : 0);
}

/* Give the queue its turn, once the main loop comes round. */
static void queue_schedule(PasidDevQueue *q)
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

static void queue_unlist(PasidDevQueue *q)
{
    if (q->listed) {
        q->listed = false;
        QTAILQ_REMOVE(&q->dev->ready, q, next);
    }
}

static void queue_wake(SvaChannel *ch)
{
    queue_schedule(container_of(ch, PasidDevQueue, channel));
}

/* Give up the job in work: no access is outstanding afterwards. */
static void queue_stop(PasidDevQueue *q)
{
    sva_channel_cancel(&q->channel);
    queue_unlist(q);
    q->phase = PHASE_FETCH;
    q->fetched = 0;
}

static void queue_interrupt(PasidDevQueue *q)
{
    if (q->ctrl & PASID_DEV_Q_CTRL_IRQ) {
        sva_channel_charge(&q->channel, SVA_ACCESS_COST);
        msix_notify(PCI_DEVICE(q->dev), q->index);
    }
}

static const char *queue_error_name(uint32_t error)
{
    static const char *const names[] = {
        [PASID_DEV_Q_ERROR_NONE] = "no error",
        [PASID_DEV_Q_ERROR_RING] = "descriptor refused",
        [PASID_DEV_Q_ERROR_COMPLETION] = "record refused",
        [PASID_DEV_Q_ERROR_TAIL] = "illegal TAIL",
        [PASID_DEV_Q_ERROR_CONFIG] = "illegal set-up",
    };

    return names[error];
}

static void queue_fail(PasidDevQueue *q, uint32_t error, uint64_t addr)
{
    trace_pasid_dev_queue_error(pasid_dev_name(q->dev), q->index,
                                queue_error_name(error), addr);
    queue_stop(q);
    q->error = error;
    q->fault_addr = addr;
    queue_interrupt(q);
}

static bool queue_set_up_is_legal(const PasidDevQueue *q)
{
    uint32_t pasid = q->pasid & ~PASID_DEV_PASID_VALID;

    return q->ring % sizeof(PasidDevDescriptor) == 0 &&
           q->completions % sizeof(PasidDevCompletion) == 0 &&
           q->size_log2 <= 15 &&
           (!(q->pasid & PASID_DEV_PASID_VALID) ||
            pasid < 1u << q->dev->pasid_bits);
}

/* In whose address space the queue works, and with what rights. */
static void queue_set_up_channel(PasidDevQueue *q)
{
    q->channel.pasid = q->pasid & PASID_DEV_PASID_VALID ?
                       q->pasid & ~PASID_DEV_PASID_VALID : SVA_NO_PASID;
    q->channel.privileged = q->flags & PASID_DEV_QUEUE_F_PRIV;
}

static void queue_enable(PasidDevQueue *q)
{
    trace_pasid_dev_queue_enable(pasid_dev_name(q->dev), q->index, q->pasid,
                                 q->ring, q->completions, q->size_log2);
    q->head = 0;
    q->tail = 0;
    q->error = PASID_DEV_Q_ERROR_NONE;
    q->fault_addr = 0;
    queue_set_up_channel(q);
    if (!queue_set_up_is_legal(q)) {
        guest_error(q->dev, "queue %u: illegal set-up", q->index);
        queue_fail(q, PASID_DEV_Q_ERROR_CONFIG, 0);
    }
}

static void queue_disable(PasidDevQueue *q)
{
    trace_pasid_dev_queue_disable(pasid_dev_name(q->dev), q->index,
                                  (uint16_t)(q->tail - q->head));
    queue_stop(q);
}

static void queue_reset(PasidDevQueue *q)
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
    q->tail = 0;
    q->count_jobs = 0;
    q->channel.count = (SvaCounters) { 0 };
}

/* ---- Work --------------------------------------------------------------- */

/* The record's descriptor is through: the next one, please. */
static void queue_complete(PasidDevQueue *q)
{
    bool wants_irq = q->job.desc.flags & PASID_DEV_DESC_IRQ;

    trace_pasid_dev_job_done(pasid_dev_name(q->dev), q->index, q->head,
                             engine_status_name(q->job.status), q->job.result,
                             q->job.progress);
    q->phase = PHASE_FETCH;
    q->fetched = 0;
    q->head++;
    q->count_jobs++;
    q->dev->count_jobs++;
    /* The record is in memory by now: who sees the interrupt sees it. */
    if (wants_irq) {
        queue_interrupt(q);
    }
}

static void queue_make_record(PasidDevQueue *q)
{
    const EngineJob *job = &q->job;

    q->record = (PasidDevCompletion) {
        .status = cpu_to_le32(job->status),
        .tag = cpu_to_le32(job->desc.tag),
        .result = cpu_to_le64(job->result),
        .progress = cpu_to_le64(job->progress),
        .fault_addr = cpu_to_le64(job->fault_addr),
    };
}

static SvaDma queue_fetch(PasidDevQueue *q)
{
    uint64_t addr = q->ring + queue_slot(q) * sizeof(q->raw);
    SvaDma result = sva_dma_read(&q->channel, addr, &q->raw, sizeof(q->raw),
                                 &q->fetched);

    if (result == SVA_DMA_REFUSED) {
        queue_fail(q, PASID_DEV_Q_ERROR_RING, addr);
    } else if (result == SVA_DMA_DONE) {
        engine_job_start(&q->job, &q->raw);
        trace_pasid_dev_job_start(pasid_dev_name(q->dev), q->index, q->head,
                                  engine_op_name(q->job.desc.op),
                                  q->job.desc.src,
                                  q->job.desc.dst, q->job.desc.len);
        q->phase = PHASE_WORK;
    }
    return result;
}

/* Write @len bytes of the record, from @offset on, to where @span goes. */
static SvaDma queue_poke_record(PasidDevQueue *q, const SvaSpan *span,
                                uint64_t offset, uint64_t len)
{
    const uint8_t *record = (uint8_t *)&q->record;
    const uint64_t end = offset + len;

    while (offset < end) {
        SvaSpan rest = sva_span_after(span, offset);
        uint64_t n = end - offset;
        SvaDma result = sva_span_poke(&rest, record + offset, &n);

        if (result != SVA_DMA_DONE) {
            return result;
        }
        offset += n;
    }
    return SVA_DMA_DONE;
}

/*
 * Aligned as it is, a record is one access; should an answer not cover it, no
 * page is that small, and it counts as refused.
 */
static SvaDma queue_write_record(PasidDevQueue *q)
{
    uint64_t addr = q->completions + queue_slot(q) * sizeof(q->record);
    SvaSpan span;
    SvaDma result = sva_channel_span(&q->channel, addr, sizeof(q->record),
                                     SVA_WRITE, &span);

    if (result == SVA_DMA_DONE && span.len < sizeof(q->record)) {
        result = SVA_DMA_REFUSED;
    }
    if (result == SVA_DMA_DONE) {
        result = queue_poke_record(q, &span, RECORD_BODY_OFFSET,
                                   sizeof(q->record) - RECORD_BODY_OFFSET);
    }
    if (result == SVA_DMA_DONE) {
        /* Who sees the status sees the rest and all that the job wrote. */
        smp_wmb();
        result = queue_poke_record(q, &span, 0, RECORD_BODY_OFFSET);
    }
    if (result == SVA_DMA_DONE) {
        queue_complete(q);
    } else if (result == SVA_DMA_REFUSED) {
        queue_fail(q, PASID_DEV_Q_ERROR_COMPLETION, addr);
    }
    return result;
}

static SvaDma queue_work(PasidDevQueue *q, uint64_t limit)
{
    switch (engine_job_run(&q->job, &q->channel, limit)) {
    case ENGINE_DONE:
        queue_make_record(q);
        q->phase = PHASE_RECORD;
        return SVA_DMA_DONE;
    case ENGINE_MORE:
        return SVA_DMA_DONE;
    case ENGINE_STALLED:
        return SVA_DMA_STALLED;
    case ENGINE_GONE:
    default:
        return SVA_DMA_GONE;
    }
}

/* One slice of work: until it has cost enough, or the queue has to wait. */
static void queue_run(PasidDevQueue *q, uint64_t limit)
{
    while (q->dev->requester.cost < limit && queue_can_run(q)) {
        SvaDma result = q->phase == PHASE_FETCH ? queue_fetch(q) :
                        q->phase == PHASE_WORK ? queue_work(q, limit) :
                                                 queue_write_record(q);

        if (result != SVA_DMA_DONE) {
            return;
        }
    }
}

/* ---- Turns -------------------------------------------------------------- */

/* One turn of the worker; true if there is more to do. */
static bool pasid_dev_work(PCIDevice *pdev)
{
    PasidDev *s = PASID_DEV(pdev);
    const uint64_t *cost = &s->requester.cost;
    uint64_t end = *cost + SVA_WORKER_TURN_COST;
    PasidDevQueue *q;

    while (*cost < end && (q = QTAILQ_FIRST(&s->ready)) != NULL) {
        queue_unlist(q);
        queue_run(q, MIN(end, *cost + SLICE_COST));
        queue_schedule(q);
    }
    return !QTAILQ_EMPTY(&s->ready);
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
        queue_fail(q, PASID_DEV_Q_ERROR_TAIL, 0);
        return;
    }
    q->tail = value;
    queue_schedule(q);
}

void pasid_dev_queue_write_ctrl(PasidDevQueue *q, uint64_t value)
{
    bool was_enabled = q->ctrl & PASID_DEV_Q_CTRL_ENABLE;
    bool enable = value & PASID_DEV_Q_CTRL_ENABLE;

    q->ctrl = value & (PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ);
    if (enable && !was_enabled) {
        queue_enable(q);
    } else if (was_enabled && !enable) {
        queue_disable(q);
    }
}

/* ---- All queues --------------------------------------------------------- */

static void queue_init(PasidDevQueue *q, PasidDev *s, unsigned index)
{
    q->dev = s;
    q->index = index;
    sva_channel_init(&q->channel, &s->requester, queue_wake);
}

void pasid_dev_queues_init(PasidDev *s)
{
    QTAILQ_INIT(&s->ready);
    s->queues = g_new0(PasidDevQueue, s->num_queues);
    for (unsigned i = 0; i < s->num_queues; i++) {
        queue_init(&s->queues[i], s, i);
    }
    sva_worker_init(&s->worker, PCI_DEVICE(s), pasid_dev_work);
}

void pasid_dev_queues_reset(PasidDev *s)
{
    trace_pasid_dev_reset(pasid_dev_name(s));
    for (unsigned i = 0; i < s->num_queues; i++) {
        queue_reset(&s->queues[i]);
    }
    s->requester.count = (SvaCounters) { 0 };
    s->count_jobs = 0;
}

/* The queues stay, see pasid_dev_finalize(). */
void pasid_dev_queues_exit(PasidDev *s)
{
    pasid_dev_queues_reset(s);
    sva_worker_fini(&s->worker);
}

bool pasid_dev_queue_loaded(PasidDevQueue *q)
{
    if (q->phase >= PHASE_COUNT ||
        (queue_takes_work(q) &&
         (!queue_set_up_is_legal(q) ||
          (uint16_t)(q->tail - q->head) > queue_entries(q)))) {
        return false;
    }
    queue_set_up_channel(q);
    queue_schedule(q);
    return true;
}
