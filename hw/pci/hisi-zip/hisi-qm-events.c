/*
 * HiSilicon queue manager: the event queue, the asynchronous event queue, and
 * their interrupts. Not the queues whose events they are. Called by those
 * (hisi-qm-queue.c), the mailbox and the registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/msi.h"
#include "hisi-qm.h"
#include "hisi-qm-ring.h"
#include "trace.h"

static void raise_interrupt(HisiQm *qm, HisiQmEq *eq, hwaddr source,
                            hwaddr mask, unsigned vector)
{
    if (!eq->valid || !eq->armed || eq->head == eq->tail ||
        hisi_qm_reg(qm, mask) & 1) {
        return;
    }
    eq->armed = false;
    hisi_qm_set_reg(qm, source, 1);
    /* Software chooses how many vectors there are; beyond them is nothing. */
    if (msi_enabled(qm->pdev) &&
        vector < msi_nr_vectors_allocated(qm->pdev)) {
        msi_notify(qm->pdev, vector);
    }
}

void hisi_qm_update_interrupts(HisiQm *qm)
{
    raise_interrupt(qm, &qm->eq, QM_EQ_INT_SOURCE, QM_EQ_INT_MASK,
                    QM_VECTOR_EQ);
    raise_interrupt(qm, &qm->aeq, QM_AEQ_INT_SOURCE, QM_AEQ_INT_MASK,
                    QM_VECTOR_AEQ);
}

static bool has_room(const HisiQmEq *eq)
{
    uint64_t events = eq->tail - eq->head;

    /* eq_cqn[] has room for one of each queue */
    return eq->valid && events < hisi_qm_eq_depth(eq->context) - 1 &&
           events < HISI_QM_MAX_QUEUES;
}

/*
 * There is room; @entry lacks the phase. All is as it is to be before it is
 * written, for that may reset the function.
 */
static void post_event(HisiQm *qm, HisiQmEq *eq, uint32_t entry)
{
    uint32_t depth = hisi_qm_eq_depth(eq->context);
    hwaddr addr = hisi_qm_base(eq->context) + eq->tail % depth * 4;

    entry = FIELD_DP32(entry, QM_EQE, PHASE,
                       hisi_qm_phase(eq->tail, depth,
                                FIELD_EX32(eq->context[6], QM_EQC_W6, PHASE)));
    eq->tail++;
    entry = cpu_to_le32(entry);
    if (hisi_qm_write(qm, addr, &entry, sizeof(entry)) == HISI_QM_FAILED) {
        qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: event lost: ring entry 0x%"
                      PRIx64 " cannot be written\n", addr);
    }
}

/*
 * One event for each time software armed the completion queue, and never two
 * in the event queue at once: Linux's handler has room for one from each.
 */
static bool event_is_due(const HisiQmCq *cq)
{
    return cq->valid && cq->armed && !cq->event_is_posted &&
           cq->head != cq->tail;
}

void hisi_qm_update_cq_event(HisiQm *qm, unsigned cqn)
{
    HisiQmCq *cq = &qm->cq[cqn];

    if (!event_is_due(cq)) {
        return;
    }
    if (!has_room(&qm->eq)) {
        qm->events_wait = true;
        return;
    }
    qm->eq_cqn[qm->eq.tail % HISI_QM_MAX_QUEUES] = cqn;
    cq->armed = false;
    cq->event_is_posted = true;
    post_event(qm, &qm->eq, FIELD_DP32(0, QM_EQE, QUEUE, cqn));
}

/* Whether any wait afterwards is known only when all queues were looked at. */
static void post_waiting_events(HisiQm *qm)
{
    unsigned left = HISI_QM_EVENTS_AT_A_TIME;
    uint32_t resets = qm->resets;

    qm->events_wait = false;
    for (unsigned n = 0; n < qm->queues; n++) {
        unsigned cqn = qm->next_event % qm->queues;

        if (event_is_due(&qm->cq[cqn])) {
            if (!left--) {
                qm->events_wait = true;
                return;
            }
            hisi_qm_update_cq_event(qm, cqn);
            if (qm->resets != resets) {
                return;
            }
        }
        qm->next_event = cqn + 1;
    }
}

bool hisi_qm_has_events_to_post(const HisiQm *qm)
{
    return qm->events_wait && has_room(&qm->eq);
}

void hisi_qm_update_events(HisiQm *qm)
{
    if (qm->events_wait) {
        post_waiting_events(qm);
    }
    if (hisi_qm_has_events_to_post(qm)) {
        qm->ops->call_for_events(qm);
    }
    hisi_qm_update_interrupts(qm);
}

void hisi_qm_queue_error(HisiQm *qm, unsigned qn, unsigned type)
{
    uint32_t entry = FIELD_DP32(0, QM_EQE, QUEUE, qn);

    trace_hisi_qm_queue_error(qn, type);
    if (has_room(&qm->aeq)) {
        post_event(qm, &qm->aeq, FIELD_DP32(entry, QM_AEQE, TYPE, type));
    }
    hisi_qm_update_interrupts(qm);
}

void hisi_qm_bad_doorbell(unsigned qn, uint64_t value, const char *why)
{
    qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: queue %u: doorbell 0x%" PRIx64
                  " dropped: %s\n", qn, value, why);
}

/* False when @value makes no sense. */
static bool take_events(HisiQmEq *eq, uint64_t value)
{
    uint32_t index = QM_DB_INDEX(value);
    uint32_t depth = hisi_qm_eq_depth(eq->context);
    uint32_t taken = hisi_qm_slots_ahead(index, eq->head, depth);

    if (!eq->valid || index >= depth || taken > eq->tail - eq->head) {
        return false;
    }
    eq->head += taken;
    eq->armed = true;
    return true;
}

void hisi_qm_eq_doorbell(HisiQm *qm, uint64_t value)
{
    uint64_t head = qm->eq.head, end;
    unsigned left = HISI_QM_EVENTS_AT_A_TIME;

    if (!take_events(&qm->eq, value)) {
        hisi_qm_bad_doorbell(0, value, "event queue head");
        return;
    }
    end = qm->eq.head;      /* the first event may reset the function */
    hisi_qm_set_reg(qm, QM_EQ_INT_SOURCE, 0);
    for (; head != end; head++) {
        unsigned cqn = qm->eq_cqn[head % HISI_QM_MAX_QUEUES];

        qm->cq[cqn].event_is_posted = false;
        if (!event_is_due(&qm->cq[cqn])) {
            continue;
        }
        if (left) {
            left--;
            hisi_qm_update_cq_event(qm, cqn);
        } else {
            qm->events_wait = true;
        }
    }
    hisi_qm_update_events(qm);
}

void hisi_qm_aeq_doorbell(HisiQm *qm, uint64_t value)
{
    if (!take_events(&qm->aeq, value)) {
        hisi_qm_bad_doorbell(0, value, "asynchronous event queue head");
        return;
    }
    hisi_qm_set_reg(qm, QM_AEQ_INT_SOURCE, 0);
    hisi_qm_update_interrupts(qm);
}
