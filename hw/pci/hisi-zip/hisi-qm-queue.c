/*
 * HiSilicon queue manager: doorbells, submission and completion queues, event
 * queues, interrupts. Called by the registers (hisi-qm.c) and by the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/msi.h"
#include "hisi-qm.h"
#include "hisi-qm-regs.h"
#include "trace.h"

static uint32_t depth_of(const uint32_t *context)
{
    return FIELD_EX32(context[3], QM_XQC_W3, LAST) + 1;
}

static uint64_t base_of(const uint32_t *context)
{
    return context[QM_XQC_BASE_WORD] |
           (uint64_t)context[QM_XQC_BASE_WORD + 1] << 32;
}

static uint32_t eq_depth_of(const HisiQmEq *eq)
{
    return FIELD_EX32(eq->context[6], QM_EQC_W6, LAST) + 1;
}

/* Entries carry the initial phase on the first round, its inverse next. */
static uint32_t phase_of(uint64_t index, uint32_t depth, uint32_t first)
{
    return first ^ (index / depth & 1);
}

static void bad_doorbell(unsigned qn, uint64_t value, const char *why)
{
    qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: queue %u: doorbell 0x%" PRIx64
                  " dropped: %s\n", qn, value, why);
}

bool hisi_qm_queue_is_idle(const HisiQm *qm, unsigned qn)
{
    return qm->sq[qn].submitted == qm->sq[qn].completed;
}

bool hisi_qm_is_idle(const HisiQm *qm)
{
    for (unsigned qn = 0; qn < qm->queues; qn++) {
        if (!hisi_qm_queue_is_idle(qm, qn)) {
            return false;
        }
    }
    return true;
}

unsigned hisi_qm_queue_type(const HisiQm *qm, unsigned qn)
{
    return FIELD_EX32(qm->sq[qn].context[6], QM_SQC_W6, TYPE);
}

uint32_t hisi_qm_queue_pasid(const HisiQm *qm, unsigned qn, bool *is_enabled)
{
    uint32_t word = qm->sq[qn].context[5];

    *is_enabled = FIELD_EX32(word, QM_SQC_W5, PASID_ENABLE);
    return FIELD_EX32(word, QM_XQC_W5, PASID);
}

/* ---- Events and interrupts --------------------------------------------- */

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

static void update_interrupts(HisiQm *qm)
{
    raise_interrupt(qm, &qm->eq, QM_EQ_INT_SOURCE, QM_EQ_INT_MASK,
                    QM_VECTOR_EQ);
    raise_interrupt(qm, &qm->aeq, QM_AEQ_INT_SOURCE, QM_AEQ_INT_MASK,
                    QM_VECTOR_AEQ);
}

/* False when the queue has no room; @entry lacks the phase. */
static bool post_event(HisiQm *qm, HisiQmEq *eq, uint32_t entry)
{
    uint32_t depth = eq_depth_of(eq);
    hwaddr addr = base_of(eq->context) + eq->tail % depth * 4;

    if (!eq->valid || eq->tail - eq->head >= depth - 1) {
        return false;
    }
    entry = FIELD_DP32(entry, QM_EQE, PHASE,
                       phase_of(eq->tail, depth,
                                FIELD_EX32(eq->context[6], QM_EQC_W6, PHASE)));
    if (stl_le_pci_dma(qm->pdev, addr, entry, MEMTXATTRS_UNSPECIFIED)) {
        qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: event lost: ring entry 0x%"
                      PRIx64 " cannot be written\n", addr);
    }
    eq->tail++;
    return true;
}

/*
 * One event for each time software armed the completion queue, and never two
 * in the event queue at once: Linux's handler has room for one from each.
 */
static void update_cq_event(HisiQm *qm, unsigned cqn)
{
    HisiQmCq *cq = &qm->cq[cqn];

    if (!cq->valid || !cq->armed || cq->event_is_posted ||
        cq->head == cq->tail) {
        return;
    }
    qm->eq_cqn[qm->eq.tail % HISI_QM_MAX_QUEUES] = cqn;
    if (!post_event(qm, &qm->eq, FIELD_DP32(0, QM_EQE, QUEUE, cqn))) {
        qm->eq_was_full = true;
        return;
    }
    cq->armed = false;
    cq->event_is_posted = true;
}

void hisi_qm_update_events(HisiQm *qm)
{
    if (qm->eq_was_full) {
        qm->eq_was_full = false;
        for (unsigned cqn = 0; cqn < qm->queues; cqn++) {
            update_cq_event(qm, cqn);
        }
    }
    update_interrupts(qm);
}

static void queue_error(HisiQm *qm, unsigned qn, unsigned type)
{
    uint32_t entry = FIELD_DP32(0, QM_EQE, QUEUE, qn);

    trace_hisi_qm_queue_error(qn, type);
    post_event(qm, &qm->aeq, FIELD_DP32(entry, QM_AEQE, TYPE, type));
    update_interrupts(qm);
}

/* ---- Submission and completion ----------------------------------------- */

/*
 * A dead queue swallows its entries: Linux drains a queue by waiting for the
 * tails of both contexts to meet.
 */
static void drop_entries(HisiQm *qm, unsigned qn)
{
    HisiQmSq *sq = &qm->sq[qn];
    unsigned cqn = FIELD_EX32(sq->context[6], QM_SQC_W6, CQN);

    if (cqn < qm->queues) {
        qm->cq[cqn].tail += sq->submitted - sq->completed;
        qm->cq[cqn].head = qm->cq[cqn].tail;
    }
    sq->completed = sq->submitted;
    hisi_qm_mailbox_recheck(qm);
}

static void kill_queue(HisiQm *qm, unsigned qn, unsigned type)
{
    qm->sq[qn].dead = true;
    drop_entries(qm, qn);
    queue_error(qm, qn, type);
}

static void retire(HisiQm *qm, unsigned qn)
{
    HisiQmSq *sq = &qm->sq[qn];
    uint32_t slot = sq->completed % depth_of(sq->context);
    unsigned cqn = FIELD_EX32(sq->context[6], QM_SQC_W6, CQN);
    uint32_t cqe[QM_CQE_BYTES / 4] = { 0 };
    uint32_t depth, phase;
    hwaddr addr;
    HisiQmCq *cq;

    if (cqn >= qm->queues || !qm->cq[cqn].valid) {
        kill_queue(qm, qn, QM_AEQE_CQE_ERROR);
        return;
    }
    cq = &qm->cq[cqn];
    depth = depth_of(cq->context);
    if (cq->tail - cq->head >= depth - 1) {
        kill_queue(qm, qn, QM_AEQE_CQ_OVERFLOW);
        return;
    }
    phase = phase_of(cq->tail, depth,
                     FIELD_EX32(cq->context[6], QM_CQC_W6, PHASE));
    cqe[2] = cpu_to_le32(slot | qn << 16);
    cqe[3] = cpu_to_le32(phase << 16);
    addr = base_of(cq->context) + cq->tail % depth * QM_CQE_BYTES;
    sq->completed++;
    cq->tail++;
    /* The word with the phase last. */
    if (pci_dma_write(qm->pdev, addr, cqe, QM_CQE_BYTES - 4) ||
        pci_dma_write(qm->pdev, addr + QM_CQE_BYTES - 4, &cqe[3], 4)) {
        kill_queue(qm, qn, QM_AEQE_CQE_ERROR);
        return;
    }
    update_cq_event(qm, cqn);
    update_interrupts(qm);
    hisi_qm_mailbox_recheck(qm);
}

static hwaddr sqe_address(const HisiQm *qm, const HisiQmSq *sq)
{
    return base_of(sq->context) +
           sq->completed % depth_of(sq->context) * qm->ops->sqe_bytes;
}

bool hisi_qm_peek(HisiQm *qm, unsigned qn, void *sqe)
{
    HisiQmSq *sq = &qm->sq[qn];

    if (!sq->valid || hisi_qm_queue_is_idle(qm, qn)) {
        return false;
    }
    if (pci_dma_read(qm->pdev, sqe_address(qm, sq), sqe,
                     qm->ops->sqe_bytes)) {
        qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: queue %u: entry at 0x%"
                      PRIx64 " cannot be read\n", qn, sqe_address(qm, sq));
        kill_queue(qm, qn, QM_AEQE_CQE_ERROR);
        return false;
    }
    return true;
}

void hisi_qm_complete(HisiQm *qm, unsigned qn, const void *sqe)
{
    if (pci_dma_write(qm->pdev, sqe_address(qm, &qm->sq[qn]), sqe,
                      qm->ops->sqe_bytes)) {
        kill_queue(qm, qn, QM_AEQE_CQE_ERROR);
        return;
    }
    retire(qm, qn);
}

void hisi_qm_resume(HisiQm *qm)
{
    for (unsigned qn = 0; qn < qm->queues; qn++) {
        if (qm->sq[qn].valid && !hisi_qm_queue_is_idle(qm, qn)) {
            qm->ops->kick(qm, qn);
        }
    }
}

/* ---- Doorbells --------------------------------------------------------- */

/* How far @index, a slot, is ahead of the running index @from. */
static uint32_t slots_ahead(uint32_t index, uint64_t from, uint32_t depth)
{
    return (index + depth - from % depth) % depth;
}

static void sq_doorbell(HisiQm *qm, unsigned qn, uint64_t value)
{
    HisiQmSq *sq = &qm->sq[qn];
    uint32_t index = QM_DB_INDEX(value);
    uint32_t depth = depth_of(sq->context);
    uint32_t added;

    if (!sq->valid) {
        bad_doorbell(qn, value, "no submission queue");
        return;
    }
    if (FIELD_EX32(value, QM_DB, RAND) !=
        FIELD_EX32(sq->context[4], QM_XQC_W4, RAND)) {
        bad_doorbell(qn, value, "wrong random number");
        return;
    }
    if (index >= depth) {
        bad_doorbell(qn, value, "index beyond the ring");
        return;
    }
    added = slots_ahead(index, sq->submitted, depth);
    if (sq->submitted - sq->completed + added > depth - 1) {
        bad_doorbell(qn, value, "overtakes the head");
        return;
    }
    sq->submitted += added;
    if (sq->dead) {
        drop_entries(qm, qn);
    } else if (added) {
        qm->ops->kick(qm, qn);
    }
}

static void cq_doorbell(HisiQm *qm, unsigned qn, uint64_t value)
{
    HisiQmCq *cq = &qm->cq[qn];
    uint32_t index = QM_DB_INDEX(value);
    uint32_t depth = depth_of(cq->context);
    uint32_t taken;

    if (!cq->valid) {
        bad_doorbell(qn, value, "no completion queue");
        return;
    }
    if (FIELD_EX32(value, QM_DB, RAND) !=
        FIELD_EX32(cq->context[4], QM_XQC_W4, RAND)) {
        bad_doorbell(qn, value, "wrong random number");
        return;
    }
    taken = slots_ahead(index, cq->head, depth);
    if (index >= depth || taken > cq->tail - cq->head) {
        bad_doorbell(qn, value, "overtakes the tail");
        return;
    }
    cq->head += taken;
    cq->armed = QM_DB_PRIORITY(value) & 1;
    update_cq_event(qm, qn);
    update_interrupts(qm);
}

/* False when @value makes no sense. */
static bool take_events(HisiQmEq *eq, uint64_t value)
{
    uint32_t index = QM_DB_INDEX(value);
    uint32_t depth = eq_depth_of(eq);
    uint32_t taken = slots_ahead(index, eq->head, depth);

    if (!eq->valid || index >= depth || taken > eq->tail - eq->head) {
        return false;
    }
    eq->head += taken;
    eq->armed = true;
    return true;
}

static void eq_doorbell(HisiQm *qm, uint64_t value)
{
    uint64_t head = qm->eq.head;

    if (!take_events(&qm->eq, value)) {
        bad_doorbell(0, value, "event queue head");
        return;
    }
    hisi_qm_set_reg(qm, QM_EQ_INT_SOURCE, 0);
    for (; head != qm->eq.head; head++) {
        unsigned cqn = qm->eq_cqn[head % HISI_QM_MAX_QUEUES];

        qm->cq[cqn].event_is_posted = false;
        update_cq_event(qm, cqn);
    }
    hisi_qm_update_events(qm);
}

static void aeq_doorbell(HisiQm *qm, uint64_t value)
{
    if (!take_events(&qm->aeq, value)) {
        bad_doorbell(0, value, "asynchronous event queue head");
        return;
    }
    hisi_qm_set_reg(qm, QM_AEQ_INT_SOURCE, 0);
    update_interrupts(qm);
}

void hisi_qm_doorbell(HisiQm *qm, int page_qn, uint64_t value)
{
    unsigned cmd = FIELD_EX32(value, QM_DB, CMD);
    unsigned qn = page_qn >= 0 ? (unsigned)page_qn
                               : FIELD_EX32(value, QM_DB, QUEUE);

    trace_hisi_qm_doorbell(qn, cmd, QM_DB_INDEX(value),
                           QM_DB_PRIORITY(value));
    if (cmd == QM_DB_EQ || cmd == QM_DB_AEQ) {
        /* These are the driver's, and not in a queue's page. */
        if (page_qn >= 0) {
            bad_doorbell(qn, value, "not for a queue's owner");
        } else if (cmd == QM_DB_EQ) {
            eq_doorbell(qm, value);
        } else {
            aeq_doorbell(qm, value);
        }
        return;
    }
    if (!qm->vft_is_valid || qn >= qm->vft_queues) {
        bad_doorbell(qn, value, "no such queue");
        return;
    }
    if (cmd == QM_DB_SQ) {
        sq_doorbell(qm, qn, value);
    } else if (cmd == QM_DB_CQ) {
        cq_doorbell(qm, qn, value);
    } else {
        bad_doorbell(qn, value, "unknown command");
    }
}
