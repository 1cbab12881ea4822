/*
 * All of pasid-dev's queues together: their turns, the drain and abort of a
 * PASID, reset. Not what one queue does, that is pasid-dev-queue.c's. Called by
 * pasid-dev.c, -regs.c, -migration.c and by the worker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pasid-dev.h"
#include "trace.h"

/* What one queue gets of a turn before the next one has its own. */
#define SLICE_COST              (SVA_WORKER_TURN_COST / 4)

/* ---- Drain and abort of a PASID ----------------------------------------- */

/* Whether @q was told to work with the PASID that the command is about. */
static bool is_targeted(const PasidDev *s, const PasidDevQueue *q)
{
    return s->pasid_target & PASID_DEV_PASID_VALID ?
           q->pasid == s->pasid_target : !(q->pasid & PASID_DEV_PASID_VALID);
}

static bool pasid_is_busy(const PasidDev *s)
{
    return s->pasid_status & PASID_DEV_PASID_STATUS_BUSY;
}

/* Once no access with the PASID is outstanding and none can come any more */
static void pasid_look_for_end(PasidDev *s)
{
    bool interrupts = s->pasid_status & PASID_DEV_PASID_STATUS_IRQ;
    uint32_t target = s->pasid_target;

    for (unsigned i = 0; i < s->num_queues; i++) {
        const PasidDevQueue *q = &s->queues[i];

        if ((q->flags & PASID_DEV_QUEUE_F_CLOSED) && is_targeted(s, q) &&
            q->in_work) {
            return;
        }
    }
    s->pasid_status = PASID_DEV_PASID_STATUS_DONE;
    trace_pasid_dev_pasid_done(pasid_dev_name(s), target);
    sva_requester_stop_pasid(&s->requester,
                                target & PASID_DEV_PASID_VALID ?
                                target & ~PASID_DEV_PASID_VALID :
                                SVA_NO_PASID);
    if (interrupts) {
        sva_worker_msix(&s->worker, 0);
    }
}

void pasid_dev_write_pasid_target(PasidDev *s, uint32_t value)
{
    if (pasid_is_busy(s)) {
        guest_error(s, "a PASID is being drained, PASID_TARGET stays");
        return;
    }
    s->pasid_target = value & (PASID_DEV_PASID_VALID | MAKE_64BIT_MASK(0, 20));
}

void pasid_dev_write_pasid_command(PasidDev *s, uint32_t value)
{
    uint32_t what = value & ~PASID_DEV_PASID_COMMAND_IRQ;
    bool give_up = what == PASID_DEV_PASID_COMMAND_ABORT;

    if (!give_up &&
        (pasid_is_busy(s) || what != PASID_DEV_PASID_COMMAND_DRAIN)) {
        guest_error(s, "PASID_COMMAND 0x%x with PASID_STATUS %u", value,
                    s->pasid_status);
        return;
    }
    trace_pasid_dev_pasid_command(pasid_dev_name(s), s->pasid_target,
                                  give_up ? "abort" : "drain");
    s->pasid_status = PASID_DEV_PASID_STATUS_BUSY |
                      (value & PASID_DEV_PASID_COMMAND_IRQ ?
                       PASID_DEV_PASID_STATUS_IRQ : 0);
    for (unsigned i = 0; i < s->num_queues; i++) {
        if (is_targeted(s, &s->queues[i])) {
            pasid_dev_queue_close(&s->queues[i], give_up);
        }
    }
    pasid_look_for_end(s);
}

/* ---- Turns -------------------------------------------------------------- */

/* One turn of the worker; true if there is more to do. */
static bool pasid_dev_work(PCIDevice *pdev)
{
    /* Not PASID_DEV(), which takes a while to say yes. */
    PasidDev *s = container_of(pdev, PasidDev, parent_obj);
    const uint64_t *cost = &s->requester.cost;
    uint64_t end = *cost + SVA_WORKER_TURN_COST;
    PasidDevQueue *q;

    while (*cost < end && !sva_worker_must_yield(&s->worker) &&
           (q = QTAILQ_FIRST(&s->ready)) != NULL) {
        pasid_dev_queue_run(q, MIN(end, *cost + SLICE_COST));
    }
    if (pasid_is_busy(s)) {
        pasid_look_for_end(s);
    }
    return !QTAILQ_EMPTY(&s->ready);
}

/* ---- Their life --------------------------------------------------------- */

PasidDevQueue *pasid_dev_queues_new(PasidDev *s)
{
    PasidDevQueue *q = g_new0(PasidDevQueue, s->num_queues);

    for (unsigned i = 0; i < s->num_queues; i++) {
        pasid_dev_queue_init(&q[i], s, i);
    }
    return q;
}

void pasid_dev_queues_free(PasidDevQueue **q, unsigned count)
{
    for (unsigned i = 0; *q && i < count; i++) {
        pasid_dev_queue_free(&(*q)[i]);
    }
    g_clear_pointer(q, g_free);
}

void pasid_dev_queues_init(PasidDev *s)
{
    QTAILQ_INIT(&s->ready);
    s->queues = pasid_dev_queues_new(s);
    sva_worker_init(&s->worker, PCI_DEVICE(s), s->iothread, pasid_dev_work);
    s->requester.worker = &s->worker;
}

void pasid_dev_queues_reset(PasidDev *s)
{
    trace_pasid_dev_reset(pasid_dev_name(s));
    for (unsigned i = 0; i < s->num_queues; i++) {
        pasid_dev_queue_reset(&s->queues[i]);
    }
    sva_worker_drop_msix(&s->worker);
    s->requester.count = (SvaCounters) { 0 };
    s->count_jobs = 0;
    s->pasid_target = 0;
    s->pasid_status = PASID_DEV_PASID_STATUS_IDLE;
}

void pasid_dev_queues_exit(PasidDev *s)
{
    sva_worker_enter(&s->worker);
    pasid_dev_queues_reset(s);
    sva_worker_fini(&s->worker);
    sva_worker_leave(&s->worker);
}

void pasid_dev_queues_fini(PasidDev *s)
{
    pasid_dev_queues_free(&s->queues, s->num_queues);
    pasid_dev_queues_free(&s->loading, s->num_queues);
}

bool pasid_dev_pasid_command_is_possible(uint32_t target, uint32_t status)
{
    return !(target & ~(PASID_DEV_PASID_VALID | MAKE_64BIT_MASK(0, 20))) &&
           (status <= PASID_DEV_PASID_STATUS_DONE ||
            status == (PASID_DEV_PASID_STATUS_BUSY |
                       PASID_DEV_PASID_STATUS_IRQ));
}

void pasid_dev_queues_loaded(PasidDev *s)
{
    for (unsigned i = 0; i < s->num_queues; i++) {
        pasid_dev_queue_schedule(&s->queues[i]);
    }
    if (pasid_is_busy(s)) {
        sva_worker_schedule(&s->worker);
    }
}
