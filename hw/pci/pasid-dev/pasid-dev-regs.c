/*
 * The registers of pasid-dev, BAR0: the administration page and the queues'
 * portals. Decodes and checks accesses; what they do is pasid-dev-queue.c's and
 * pasid-dev-queues.c's. Called by vCPUs, under the big QEMU lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "pasid-dev.h"
#include "trace.h"

static bool pasid_dev_is_busy(PasidDev *s)
{
    for (unsigned i = 0; i < s->num_queues; i++) {
        if (pasid_dev_queue_is_busy(&s->queues[i])) {
            return true;
        }
    }
    return false;
}

/* The queue whose entry of the administration page @offset is in, or NULL. */
static PasidDevQueue *config_queue(PasidDev *s, hwaddr offset)
{
    hwaddr index = (offset - PASID_DEV_QUEUE_CONFIG_BASE) / 8;

    return offset >= PASID_DEV_QUEUE_CONFIG_BASE && index < s->num_queues ?
           &s->queues[index] : NULL;
}

/* What software writes is what the requester takes. */
#define CHECK_FAULT(name) \
    QEMU_BUILD_BUG_ON(PASID_DEV_MISBEHAVE_##name != 1u << SVA_FAULT_##name)
CHECK_FAULT(INV_UNANSWERED);
CHECK_FAULT(INV_NOT_DONE);
CHECK_FAULT(INV_LATE);
CHECK_FAULT(INV_REVERSED);
CHECK_FAULT(INV_TWICE);
CHECK_FAULT(ATS_DISABLED);
CHECK_FAULT(PRI_EXCESS);
CHECK_FAULT(PRI_DISABLED);
CHECK_FAULT(PASID_WIDE);
CHECK_FAULT(DMA_AFTER_RESET);
CHECK_FAULT(DMA_NO_MASTER);

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
    case PASID_DEV_JOBS:
        *value = s->num_jobs;
        return true;
    case PASID_DEV_PASID_TARGET:
        *value = s->pasid_target;
        return true;
    case PASID_DEV_PASID_COMMAND:
        *value = 0;
        return true;
    case PASID_DEV_PASID_STATUS:
        *value = s->pasid_status;
        return true;
    case PASID_DEV_MISBEHAVE:
        *value = s->requester.misbehave.faults;
        return s->misbehave;
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
    case PASID_DEV_COUNT_ATC_HITS:
        *value = count->atc_hits;
        return true;
    case PASID_DEV_COUNT_ATS_REQUESTS:
        *value = count->ats_requests;
        return true;
    case PASID_DEV_COUNT_PAGE_REQUESTS:
        *value = count->page_requests;
        return true;
    case PASID_DEV_COUNT_INVALIDATIONS:
        *value = count->invalidations;
        return true;
    default:
        return false;
    }
}

static bool queue_config_write(PasidDevQueue *q, bool is_flags, uint32_t value)
{
    if (!is_flags) {
        pasid_dev_queue_write_pasid(q, value);
    } else if (q->ctrl & PASID_DEV_Q_CTRL_ENABLE) {
        guest_error(q->dev, "queue %u is enabled, its flags stay", q->index);
    } else {
        q->flags = (q->flags & PASID_DEV_QUEUE_F_CLOSED) |
                   (q->dev->privileged ? value & PASID_DEV_QUEUE_F_PRIV : 0);
    }
    return true;
}

static bool admin_write(PasidDev *s, hwaddr reg, uint64_t value)
{
    PasidDevQueue *q = config_queue(s, reg);

    if (q) {
        return queue_config_write(q, reg % 8 != 0, value);
    }
    switch (reg) {
    case PASID_DEV_CTRL:
        if (value & PASID_DEV_CTRL_RESET) {
            pasid_dev_queues_reset(s);
        }
        return true;
    case PASID_DEV_PASID_TARGET:
        pasid_dev_write_pasid_target(s, value);
        return true;
    case PASID_DEV_PASID_COMMAND:
        pasid_dev_write_pasid_command(s, value);
        return true;
    case PASID_DEV_MISBEHAVE:
        if (s->misbehave) {
            sva_requester_set_faults(&s->requester,
                                     value & pasid_dev_fault_mask(s));
        }
        return s->misbehave;
    default:
        return false;
    }
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
        *value = pasid_dev_queue_status(q);
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
        *value = pasid_dev_queue_count(q).stalls;
        return true;
    case PASID_DEV_Q_COUNT_ABORTS:
        *value = pasid_dev_queue_count(q).aborts;
        return true;
    case PASID_DEV_Q_IN_WORK:
        *value = q->in_work;
        return true;
    default:
        return false;
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
        pasid_dev_queue_write_ctrl(q, value);
        return true;
    case PASID_DEV_Q_TAIL:
        pasid_dev_queue_write_tail(q, value);
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
               reg == PASID_DEV_MISBEHAVE ||
               (reg >= PASID_DEV_COUNT_JOBS &&
                reg <= PASID_DEV_COUNT_INVALIDATIONS);
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

    sva_worker_enter(&s->worker);
    if (wide) {
        known = reg_read(s, whole, &value);
        value = size == 8 ? value : extract64(value, (offset - whole) * 8, 32);
    } else {
        known = size == 4 && reg_read(s, offset, &value);
    }
    sva_worker_leave(&s->worker);
    if (!known) {
        guest_error(s, "read of %u bytes at 0x%" HWADDR_PRIx ", where no such "
                    "register is", size, offset);
    }
    trace_pasid_dev_read(pasid_dev_name(s), offset, size, value);
    return value;
}

static void pasid_dev_mmio_write(void *opaque, hwaddr offset, uint64_t value,
                                 unsigned size)
{
    PasidDev *s = opaque;
    hwaddr whole = QEMU_ALIGN_DOWN(offset, 8);
    uint64_t merged = value;
    bool known;

    trace_pasid_dev_write(pasid_dev_name(s), offset, size, value);
    sva_worker_enter(&s->worker);
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
    sva_worker_leave(&s->worker);
    if (!known) {
        guest_error(s, "write of %u bytes at 0x%" HWADDR_PRIx ", where no such "
                    "register can be written", size, offset);
    }
}

const MemoryRegionOps pasid_dev_mmio_ops = {
    .read = pasid_dev_mmio_read,
    .write = pasid_dev_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};
