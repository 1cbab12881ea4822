/*
 * pasid-dev, a synthetic accelerator that works in the address spaces of
 * processes: PCI function, registers, work queues, interrupts, migration. What
 * a job does is engine.c's, how it reaches memory requester.c's. Specification:
 * docs/specs/pasid-dev.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/queue.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/sva-port.h"
#include "hw/qdev-properties.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "standard-headers/linux/pci_regs.h"
#include "system/runstate.h"
#include "compat.h"
#include "engine.h"
#include "pasid-dev-abi.h"
#include "requester.h"
#include "trace.h"

#define TYPE_PASID_DEV "pasid-dev"
OBJECT_DECLARE_SIMPLE_TYPE(PasidDev, PASID_DEV)

/* PCIe's base class "processing accelerator" */
#define PASID_DEV_PCI_CLASS     0x1200
/* Where our capabilities are; nobody else adds any. */
#define PASID_CAP_OFFSET        0x100

/*
 * Work of one turn of the main loop, in the engine's bytes, and what one queue
 * gets of it before the next one has its turn.
 */
#define RUN_BUDGET_BYTES        (256 * KiB)
#define SLICE_BUDGET_BYTES      (64 * KiB)

/* What the queue does for the descriptor at HEAD. */
typedef enum QueuePhase {
    PHASE_FETCH,        /* reads the descriptor */
    PHASE_WORK,         /* executes it */
    PHASE_RECORD,       /* writes its record */
    PHASE_COUNT
} QueuePhase;

#define RECORD_BODY_OFFSET      sizeof(uint32_t)    /* the status is first */

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
    QEMUBH *bh;
    VMChangeStateEntry *vm_state;
    PasidDevQueue *queues;
    /* Queues with work, in the order of their turns */
    QTAILQ_HEAD(, PasidDevQueue) ready;
    uint64_t count_jobs;

    /* Properties */
    uint32_t num_queues;
    uint32_t pasid_bits;
    bool can_stall;
    bool privileged;
};

#define guest_error(s, fmt, ...) \
    qemu_log_mask(LOG_GUEST_ERROR, "%s: " fmt "\n", dev_name(s), ##__VA_ARGS__)

static const char *dev_name(PasidDev *s)
{
    return DEVICE(s)->id ?: TYPE_PASID_DEV;
}

/* ---- Queues: state ------------------------------------------------------ */

static bool queue_takes_work(const PasidDevQueue *q)
{
    return (q->ctrl & PASID_DEV_Q_CTRL_ENABLE) && !q->error;
}

static bool queue_is_busy(const PasidDevQueue *q)
{
    return queue_takes_work(q) && q->head != q->tail;
}

static bool queue_can_run(const PasidDevQueue *q)
{
    return queue_is_busy(q) && !sva_channel_is_stalled(&q->channel);
}

static uint32_t queue_entries(const PasidDevQueue *q)
{
    return 1u << q->size_log2;
}

static uint32_t queue_slot(const PasidDevQueue *q)
{
    return q->head & (queue_entries(q) - 1);
}

static uint32_t queue_status(const PasidDevQueue *q)
{
    return (queue_takes_work(q) ? PASID_DEV_Q_STATUS_ENABLED : 0) |
           (queue_is_busy(q) ? PASID_DEV_Q_STATUS_BUSY : 0) |
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
    qemu_bh_schedule(s->bh);
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
        msix_notify(PCI_DEVICE(q->dev), q->index);
    }
}

static void queue_fail(PasidDevQueue *q, uint32_t error, uint64_t addr)
{
    trace_pasid_dev_queue_error(dev_name(q->dev), q->index, error, addr);
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

static void queue_enable(PasidDevQueue *q)
{
    bool has_pasid = q->pasid & PASID_DEV_PASID_VALID;

    trace_pasid_dev_queue_enable(dev_name(q->dev), q->index, q->pasid, q->ring,
                                 q->completions, q->size_log2);
    q->head = 0;
    q->tail = 0;
    q->error = PASID_DEV_Q_ERROR_NONE;
    q->fault_addr = 0;
    q->channel.pasid = has_pasid ? q->pasid & ~PASID_DEV_PASID_VALID
                                 : SVA_NO_PASID;
    q->channel.privileged = q->flags & PASID_DEV_QUEUE_F_PRIV;
    if (!queue_set_up_is_legal(q)) {
        guest_error(q->dev, "queue %u: illegal set-up", q->index);
        queue_fail(q, PASID_DEV_Q_ERROR_CONFIG, 0);
    }
}

static void queue_disable(PasidDevQueue *q)
{
    trace_pasid_dev_queue_disable(dev_name(q->dev), q->index,
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

/* ---- Queues: work ------------------------------------------------------- */

/* The record's descriptor is through: the next one, please. */
static void queue_complete(PasidDevQueue *q)
{
    bool wants_irq = q->job.desc.flags & PASID_DEV_DESC_IRQ;

    trace_pasid_dev_job_done(dev_name(q->dev), q->index, q->head,
                             q->job.status, q->job.result, q->job.progress);
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
        trace_pasid_dev_job_start(dev_name(q->dev), q->index, q->head,
                                  q->job.desc.op, q->job.desc.src,
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

static SvaDma queue_work(PasidDevQueue *q, int64_t *budget)
{
    switch (engine_job_run(&q->job, &q->channel, budget)) {
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

/* One slice of work: until it is used up, or the queue has to wait. */
static void queue_run(PasidDevQueue *q, int64_t *budget)
{
    while (*budget > 0 && queue_can_run(q)) {
        SvaDma result;

        if (q->phase == PHASE_WORK) {
            result = queue_work(q, budget);
        } else {
            *budget -= sizeof(q->raw);
            result = q->phase == PHASE_FETCH ? queue_fetch(q)
                                             : queue_write_record(q);
        }
        if (result != SVA_DMA_DONE) {
            return;
        }
    }
}

static void pasid_dev_run_queues(PasidDev *s)
{
    int64_t budget = RUN_BUDGET_BYTES;
    PasidDevQueue *q;

    while (budget > 0 && (q = QTAILQ_FIRST(&s->ready)) != NULL) {
        int64_t slice = SLICE_BUDGET_BYTES;

        queue_unlist(q);
        queue_run(q, &slice);
        budget -= SLICE_BUDGET_BYTES - slice;
        queue_schedule(q);
    }
    if (!QTAILQ_EMPTY(&s->ready)) {
        qemu_bh_schedule(s->bh);
    }
}

static void pasid_dev_unref(void *opaque)
{
    object_unref(opaque);
}

static void pasid_dev_run(void *opaque)
{
    PasidDev *s = opaque;

    if (!runstate_is_running()) {
        return;     /* pasid_dev_vm_state() calls again */
    }
    /*
     * A job's write may power off the slot that the device is in. What is
     * needed until the end of this function, and by the bottom half's guard
     * after it, then still has to be there.
     */
    object_ref(s);
    pasid_dev_run_queues(s);
    if (qdev_is_realized(DEVICE(s))) {
        object_unref(s);
    } else {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), pasid_dev_unref, s);
    }
}

static void pasid_dev_schedule_all(PasidDev *s)
{
    for (unsigned i = 0; i < s->num_queues; i++) {
        queue_schedule(&s->queues[i]);
    }
}

static void pasid_dev_vm_state(void *opaque, bool running, RunState state)
{
    if (running) {
        pasid_dev_schedule_all(opaque);
    }
}

/* ---- Registers ---------------------------------------------------------- */

static bool pasid_dev_is_busy(PasidDev *s)
{
    for (unsigned i = 0; i < s->num_queues; i++) {
        if (queue_is_busy(&s->queues[i])) {
            return true;
        }
    }
    return false;
}

static void pasid_dev_reset_queues(PasidDev *s)
{
    trace_pasid_dev_reset(dev_name(s));
    for (unsigned i = 0; i < s->num_queues; i++) {
        queue_reset(&s->queues[i]);
    }
    s->requester.count = (SvaCounters) { 0 };
    s->count_jobs = 0;
}

/* The queue whose entry of the administration page @offset is in, or NULL. */
static PasidDevQueue *config_queue(PasidDev *s, hwaddr offset)
{
    hwaddr index = (offset - PASID_DEV_QUEUE_CONFIG_BASE) / 8;

    return offset >= PASID_DEV_QUEUE_CONFIG_BASE && index < s->num_queues ?
           &s->queues[index] : NULL;
}

/*
 * Registers are read and written by their own offset and whole; what is half of
 * one, or two at once, is made of that below.
 */
static bool admin_read(PasidDev *s, hwaddr reg, uint64_t *value)
{
    PasidDevQueue *q = config_queue(s, reg);
    const SvaCounters *count = &s->requester.count;

    if (q) {
        *value = reg % 8 == 0 ? q->pasid : q->flags;
        return true;
    }
    switch (reg) {
    case PASID_DEV_MAGIC:
        *value = PASID_DEV_MAGIC_VALUE;
        return true;
    case PASID_DEV_VERSION:
        *value = PASID_DEV_VERSION_VALUE;
        return true;
    case PASID_DEV_QUEUES:
        *value = s->num_queues;
        return true;
    case PASID_DEV_PASID_BITS:
        *value = s->pasid_bits;
        return true;
    case PASID_DEV_OPS:
        *value = engine_operations();
        return true;
    case PASID_DEV_MAX_LEN:
        *value = PASID_DEV_MAX_LEN_VALUE;
        return true;
    case PASID_DEV_CTRL:
        *value = 0;
        return true;
    case PASID_DEV_STATUS:
        *value = pasid_dev_is_busy(s) ? PASID_DEV_STATUS_BUSY : 0;
        return true;
    case PASID_DEV_COUNT_JOBS:
        *value = s->count_jobs;
        return true;
    case PASID_DEV_COUNT_BYTES:
        *value = count->bytes;
        return true;
    case PASID_DEV_COUNT_STALLS:
        *value = count->stalls;
        return true;
    case PASID_DEV_COUNT_RETRIES:
        *value = count->retries;
        return true;
    case PASID_DEV_COUNT_ABORTS:
        *value = count->aborts;
        return true;
    case PASID_DEV_COUNT_BOUNCED:
        *value = count->bounced;
        return true;
    default:
        return false;
    }
}

static bool queue_config_write(PasidDevQueue *q, bool is_flags, uint32_t value)
{
    if (q->ctrl & PASID_DEV_Q_CTRL_ENABLE) {
        guest_error(q->dev, "queue %u is enabled, its PASID and flags stay",
                    q->index);
    } else if (is_flags) {
        q->flags = q->dev->privileged ? value & PASID_DEV_QUEUE_F_PRIV : 0;
    } else {
        q->pasid = value & (PASID_DEV_PASID_VALID | MAKE_64BIT_MASK(0, 20));
    }
    return true;
}

static bool admin_write(PasidDev *s, hwaddr reg, uint64_t value)
{
    PasidDevQueue *q = config_queue(s, reg);

    if (q) {
        return queue_config_write(q, reg % 8 != 0, value);
    }
    if (reg == PASID_DEV_CTRL) {
        if (value & PASID_DEV_CTRL_RESET) {
            pasid_dev_reset_queues(s);
        }
        return true;
    }
    return false;
}

static bool portal_read(PasidDevQueue *q, hwaddr reg, uint64_t *value)
{
    switch (reg) {
    case PASID_DEV_Q_RING:
        *value = q->ring;
        return true;
    case PASID_DEV_Q_COMPLETIONS:
        *value = q->completions;
        return true;
    case PASID_DEV_Q_SIZE_LOG2:
        *value = q->size_log2;
        return true;
    case PASID_DEV_Q_CTRL:
        *value = q->ctrl;
        return true;
    case PASID_DEV_Q_STATUS:
        *value = queue_status(q);
        return true;
    case PASID_DEV_Q_ERROR:
        *value = q->error;
        return true;
    case PASID_DEV_Q_TAIL:
        *value = q->tail;
        return true;
    case PASID_DEV_Q_HEAD:
        *value = q->head;
        return true;
    case PASID_DEV_Q_FAULT_ADDR:
        *value = q->fault_addr;
        return true;
    case PASID_DEV_Q_COUNT_JOBS:
        *value = q->count_jobs;
        return true;
    case PASID_DEV_Q_COUNT_STALLS:
        *value = q->channel.count.stalls;
        return true;
    case PASID_DEV_Q_COUNT_ABORTS:
        *value = q->channel.count.aborts;
        return true;
    default:
        return false;
    }
}

static void queue_write_tail(PasidDevQueue *q, uint64_t value)
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

static void queue_write_ctrl(PasidDevQueue *q, uint64_t value)
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

static bool portal_write(PasidDevQueue *q, hwaddr reg, uint64_t value)
{
    switch (reg) {
    case PASID_DEV_Q_RING:
    case PASID_DEV_Q_COMPLETIONS:
    case PASID_DEV_Q_SIZE_LOG2:
        if (q->ctrl & PASID_DEV_Q_CTRL_ENABLE) {
            guest_error(q->dev, "queue %u is enabled, its set-up stays",
                        q->index);
        } else if (reg == PASID_DEV_Q_RING) {
            q->ring = value;
        } else if (reg == PASID_DEV_Q_COMPLETIONS) {
            q->completions = value;
        } else {
            q->size_log2 = value;
        }
        return true;
    case PASID_DEV_Q_CTRL:
        queue_write_ctrl(q, value);
        return true;
    case PASID_DEV_Q_TAIL:
        queue_write_tail(q, value);
        return true;
    default:
        return false;
    }
}

/* In BAR0, page 0 is for all, page 1 + n for queue n. */
static PasidDevQueue *portal_queue(PasidDev *s, hwaddr page)
{
    return page <= s->num_queues ? &s->queues[page - 1] : NULL;
}

static bool reg_read(PasidDev *s, hwaddr offset, uint64_t *value)
{
    hwaddr page = offset / PASID_DEV_PAGE_BYTES;
    hwaddr reg = offset % PASID_DEV_PAGE_BYTES;
    PasidDevQueue *q;

    if (page == 0) {
        return admin_read(s, reg, value);
    }
    q = portal_queue(s, page);
    return q && portal_read(q, reg, value);
}

static bool reg_write(PasidDev *s, hwaddr offset, uint64_t value)
{
    hwaddr page = offset / PASID_DEV_PAGE_BYTES;
    hwaddr reg = offset % PASID_DEV_PAGE_BYTES;
    PasidDevQueue *q;

    if (page == 0) {
        return admin_write(s, reg, value);
    }
    q = portal_queue(s, page);
    return q && portal_write(q, reg, value);
}

/* Whether the register at @offset, if there is one, has 64 bits. */
static bool reg_is_wide(hwaddr offset)
{
    hwaddr reg = offset % PASID_DEV_PAGE_BYTES;

    if (offset < PASID_DEV_PAGE_BYTES) {
        return reg == PASID_DEV_OPS || reg == PASID_DEV_MAX_LEN ||
               (reg >= PASID_DEV_COUNT_JOBS && reg <= PASID_DEV_COUNT_BOUNCED);
    }
    return reg == PASID_DEV_Q_RING || reg == PASID_DEV_Q_COMPLETIONS ||
           (reg >= PASID_DEV_Q_FAULT_ADDR && reg <= PASID_DEV_Q_COUNT_ABORTS);
}

static uint64_t pasid_dev_mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    PasidDev *s = opaque;
    hwaddr whole = QEMU_ALIGN_DOWN(offset, 8);
    bool wide = reg_is_wide(whole);
    uint64_t value = 0;
    bool known;

    if (wide) {
        known = reg_read(s, whole, &value);
        value = size == 8 ? value : extract64(value, (offset - whole) * 8, 32);
    } else {
        known = size == 4 && reg_read(s, offset, &value);
    }
    if (!known) {
        guest_error(s, "read of %u bytes at 0x%" HWADDR_PRIx ", where no such "
                    "register is", size, offset);
    }
    trace_pasid_dev_read(dev_name(s), offset, size, value);
    return value;
}

static void pasid_dev_mmio_write(void *opaque, hwaddr offset, uint64_t value,
                                 unsigned size)
{
    PasidDev *s = opaque;
    hwaddr whole = QEMU_ALIGN_DOWN(offset, 8);
    uint64_t merged = value;
    bool known;

    trace_pasid_dev_write(dev_name(s), offset, size, value);
    if (reg_is_wide(whole)) {
        known = true;
        if (size == 4) {
            uint64_t old = 0;

            known = reg_read(s, whole, &old);
            merged = deposit64(old, (offset - whole) * 8, 32, value);
        }
        known = known && reg_write(s, whole, merged);
    } else {
        known = size == 4 && reg_write(s, offset, value);
    }
    if (!known) {
        guest_error(s, "write of %u bytes at 0x%" HWADDR_PRIx ", where no such "
                    "register can be written", size, offset);
    }
}

static const MemoryRegionOps pasid_dev_mmio_ops = {
    .read = pasid_dev_mmio_read,
    .write = pasid_dev_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};

/* ---- The PCI function --------------------------------------------------- */

static void pasid_dev_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                                   int len)
{
    pci_default_write_config(pdev, addr, val, len);
    pcie_cap_flr_write_config(pdev, addr, val, len);
}

static void pasid_dev_reset_hold(Object *obj, ResetType type)
{
    PasidDev *s = PASID_DEV(obj);

    pasid_dev_reset_queues(s);
    sva_pasid_cap_reset(PCI_DEVICE(s), PASID_CAP_OFFSET);
}

static bool pasid_dev_check_properties(PasidDev *s, Error **errp)
{
    if (s->num_queues < 1 || s->num_queues > PASID_DEV_MAX_QUEUES) {
        error_setg(errp, "queues=%u is not in the range of 1 to %u",
                   s->num_queues, PASID_DEV_MAX_QUEUES);
        return false;
    }
    if (s->pasid_bits < 1 || s->pasid_bits > 20) {
        error_setg(errp, "pasid-bits=%u is not in the range of 1 to 20",
                   s->pasid_bits);
        error_append_hint(errp, "PCIe's PASIDs have at most 20 bits.\n");
        return false;
    }
    return true;
}

static bool pasid_dev_add_capabilities(PasidDev *s, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    if (pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "there is no room for the PCI Express capability");
        return false;
    }
    pcie_cap_flr_init(pdev);
    sva_pasid_cap_init(pdev, PASID_CAP_OFFSET, s->pasid_bits, false,
                       s->privileged);
    if (msix_init_exclusive_bar(pdev, s->num_queues, PASID_DEV_MSIX_BAR,
                                errp)) {
        pcie_cap_exit(pdev);
        return false;
    }
    for (unsigned i = 0; i < s->num_queues; i++) {
        msix_vector_use(pdev, i);
    }
    return true;
}

static void pasid_dev_realize(PCIDevice *pdev, Error **errp)
{
    PasidDev *s = PASID_DEV(pdev);
    uint64_t bar_bytes;

    if (!pasid_dev_check_properties(s, errp) ||
        !pasid_dev_add_capabilities(s, errp)) {
        return;
    }

    bar_bytes = pow2ceil((1 + s->num_queues) * PASID_DEV_PAGE_BYTES);
    memory_region_init_io(&s->bar, OBJECT(s), &pasid_dev_mmio_ops, s,
                          TYPE_PASID_DEV, bar_bytes);
    pci_register_bar(pdev, PASID_DEV_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->bar);

    sva_requester_init(&s->requester, pdev, PASID_CAP_OFFSET, s->can_stall);
    QTAILQ_INIT(&s->ready);
    s->queues = g_new0(PasidDevQueue, s->num_queues);
    for (unsigned i = 0; i < s->num_queues; i++) {
        PasidDevQueue *q = &s->queues[i];

        q->dev = s;
        q->index = i;
        sva_channel_init(&q->channel, &s->requester, queue_wake);
    }
    /* Guarded: an address in the device's own BARs is refused. */
    s->bh = qemu_bh_new_guarded(pasid_dev_run, s,
                                &DEVICE(s)->mem_reentrancy_guard);
    s->vm_state = qemu_add_vm_change_state_handler(pasid_dev_vm_state, s);
}

static void pasid_dev_exit(PCIDevice *pdev)
{
    PasidDev *s = PASID_DEV(pdev);

    pasid_dev_reset_queues(s);
    qemu_del_vm_change_state_handler(s->vm_state);
    qemu_bh_delete(s->bh);
    msix_uninit_exclusive_bar(pdev);
    pcie_cap_exit(pdev);
}

/* Not in exit, which may come out of the middle of a queue's work. */
static void pasid_dev_finalize(Object *obj)
{
    g_free(PASID_DEV(obj)->queues);
}

static bool pasid_dev_can_stall(SvaEndpoint *ep)
{
    return PASID_DEV(ep)->can_stall;
}

static unsigned pasid_dev_pasid_bits(SvaEndpoint *ep)
{
    return PASID_DEV(ep)->pasid_bits;
}

/* ---- Migration ---------------------------------------------------------- */

static int pasid_dev_queue_post_load(void *opaque, int version_id)
{
    PasidDevQueue *q = opaque;

    if (q->phase >= PHASE_COUNT ||
        (queue_takes_work(q) &&
         (!queue_set_up_is_legal(q) ||
          (uint16_t)(q->tail - q->head) > queue_entries(q)))) {
        return -EINVAL;
    }
    q->channel.pasid = q->pasid & PASID_DEV_PASID_VALID ?
                       q->pasid & ~PASID_DEV_PASID_VALID : SVA_NO_PASID;
    q->channel.privileged = q->flags & PASID_DEV_QUEUE_F_PRIV;
    return 0;
}

/*
 * A stalled access is not in the stream: the queue makes it again as soon as
 * the machine runs, as hardware may that never got an answer.
 */
static const VMStateDescription vmstate_pasid_dev_queue = {
    .name = "pasid-dev/queue",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = pasid_dev_queue_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(pasid, PasidDevQueue),
        VMSTATE_UINT32(flags, PasidDevQueue),
        VMSTATE_UINT64(ring, PasidDevQueue),
        VMSTATE_UINT64(completions, PasidDevQueue),
        VMSTATE_UINT32(size_log2, PasidDevQueue),
        VMSTATE_UINT32(ctrl, PasidDevQueue),
        VMSTATE_UINT32(error, PasidDevQueue),
        VMSTATE_UINT64(fault_addr, PasidDevQueue),
        VMSTATE_UINT16(head, PasidDevQueue),
        VMSTATE_UINT16(tail, PasidDevQueue),
        VMSTATE_UINT64(count_jobs, PasidDevQueue),
        VMSTATE_UINT64(channel.count.stalls, PasidDevQueue),
        VMSTATE_UINT64(channel.count.aborts, PasidDevQueue),
        VMSTATE_UINT8(phase, PasidDevQueue),
        VMSTATE_UINT64(fetched, PasidDevQueue),
        VMSTATE_BUFFER_UNSAFE(raw, PasidDevQueue, 0,
                              sizeof(PasidDevDescriptor)),
        VMSTATE_BUFFER_UNSAFE(record, PasidDevQueue, 0,
                              sizeof(PasidDevCompletion)),
        VMSTATE_STRUCT(job, PasidDevQueue, 1, vmstate_engine_job, EngineJob),
        VMSTATE_END_OF_LIST()
    }
};

static int pasid_dev_pre_load(void *opaque)
{
    PasidDev *s = opaque;

    /* loadvm may come while jobs are in work here. */
    pasid_dev_reset_queues(s);
    return 0;
}

static const VMStateDescription vmstate_pasid_dev = {
    .name = TYPE_PASID_DEV,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = pasid_dev_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, PasidDev),
        VMSTATE_MSIX(parent_obj, PasidDev),
        VMSTATE_UINT32_EQUAL(num_queues, PasidDev, "queues differs"),
        VMSTATE_UINT32_EQUAL(pasid_bits, PasidDev, "pasid-bits differs"),
        VMSTATE_UINT64(count_jobs, PasidDev),
        VMSTATE_UINT64(requester.count.bytes, PasidDev),
        VMSTATE_UINT64(requester.count.stalls, PasidDev),
        VMSTATE_UINT64(requester.count.retries, PasidDev),
        VMSTATE_UINT64(requester.count.aborts, PasidDev),
        VMSTATE_UINT64(requester.count.bounced, PasidDev),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(queues, PasidDev, num_queues,
                                             vmstate_pasid_dev_queue,
                                             PasidDevQueue),
        VMSTATE_END_OF_LIST()
    }
};

/* ---- The type ----------------------------------------------------------- */

static const Property pasid_dev_properties[] = {
    DEFINE_PROP_UINT32("queues", PasidDev, num_queues, 8),
    DEFINE_PROP_UINT32("pasid-bits", PasidDev, pasid_bits, 20),
    DEFINE_PROP_BOOL("can-stall", PasidDev, can_stall, true),
    DEFINE_PROP_BOOL("privileged", PasidDev, privileged, false),
};

static void pasid_dev_describe_properties(ObjectClass *oc)
{
    object_class_property_set_description(oc, "queues",
        "Work queues, each with a portal page and an MSI-X vector (1 to 256)");
    object_class_property_set_description(oc, "pasid-bits",
        "Width of its PASIDs (1 to 20)");
    object_class_property_set_description(oc, "can-stall",
        "Its accesses wait while software handles their page faults");
    object_class_property_set_description(oc, "privileged",
        "Queues may ask for privileged accesses (PASID Privileged Mode)");
}

static void pasid_dev_class_init(ObjectClass *oc, PasidDevClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);
    SvaEndpointClass *ec = SVA_ENDPOINT_CLASS(oc);

    dc->desc = "Accelerator working in processes' address spaces (SVA)";
    dc->vmsd = &vmstate_pasid_dev;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, pasid_dev_properties);
    pasid_dev_describe_properties(oc);
    rc->phases.hold = pasid_dev_reset_hold;

    pc->realize = pasid_dev_realize;
    pc->exit = pasid_dev_exit;
    pc->config_write = pasid_dev_config_write;
    pc->vendor_id = PASID_DEV_VENDOR_ID;
    pc->device_id = PASID_DEV_DEVICE_ID;
    pc->revision = PASID_DEV_VERSION_VALUE;
    pc->class_id = PASID_DEV_PCI_CLASS;

    ec->can_stall = pasid_dev_can_stall;
    ec->pasid_bits = pasid_dev_pasid_bits;
}

static const TypeInfo pasid_dev_types[] = {
    {
        .name = TYPE_PASID_DEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PasidDev),
        .instance_finalize = pasid_dev_finalize,
        .class_init = pasid_dev_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { TYPE_SVA_ENDPOINT },
            { }
        },
    },
};

DEFINE_TYPES(pasid_dev_types)
