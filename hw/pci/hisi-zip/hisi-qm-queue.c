/*
 * HiSilicon queue manager: submission and completion queues, and doorbells. Not
 * the events that completions cause (hisi-qm-events.c). Called by the registers
 * (hisi-qm.c) and by the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hisi-qm.h"
#include "hisi-qm-ring.h"
#include "trace.h"

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

void hisi_qm_clear_queues(HisiQm *qm)
{
    for (unsigned qn = 0; qn < qm->queues; qn++) {
        /* Its event, if it is still in the event queue, outlives it. */
        bool event_is_posted = qm->cq[qn].event_is_posted;

        qm->ops->abandon(qm, qn);
        qm->sq[qn] = (HisiQmSq) { 0 };
        qm->cq[qn] = (HisiQmCq) { .event_is_posted = event_is_posted };
    }
    hisi_qm_drain_check(qm);
}

/*
 * The capability limits the PASIDs that the function may send. V2 has one in
 * each context, and whether it counts is decided later.
 */
bool hisi_qm_sq_context_is_legal(const HisiQm *qm, const uint32_t *context)
{
    bool has_pasid = qm->version < 3 ||
                     FIELD_EX32(context[5], QM_SQC_W5, PASID_ENABLE);

    return 1u << FIELD_EX32(context[3], QM_XQC_W3, ENTRY_LOG2) ==
           qm->ops->sqe_bytes &&
           (!has_pasid ||
            !(FIELD_EX32(context[5], QM_XQC_W5, PASID) >> qm->pasid_bits));
}

bool hisi_qm_cq_context_is_legal(const uint32_t *context)
{
    return 1u << FIELD_EX32(context[3], QM_XQC_W3, ENTRY_LOG2) == QM_CQE_BYTES;
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
    hisi_qm_drain_check(qm);
}

static void kill_queue(HisiQm *qm, unsigned qn, unsigned type)
{
    qm->sq[qn].dead = true;
    drop_entries(qm, qn);
    hisi_qm_queue_error(qm, qn, type);
}

/* A ring cannot be read or written; the queue is no more if that is why. */
static void ring_failed(HisiQm *qm, unsigned qn, HisiQmDma result)
{
    if (result == HISI_QM_FAILED) {
        kill_queue(qm, qn, QM_AEQE_CQE_ERROR);
    }
}

static void retire(HisiQm *qm, unsigned qn)
{
    HisiQmSq *sq = &qm->sq[qn];
    uint32_t slot = sq->completed % hisi_qm_depth(sq->context);
    unsigned cqn = FIELD_EX32(sq->context[6], QM_SQC_W6, CQN);
    uint32_t cqe[QM_CQE_BYTES / 4] = { 0 };
    uint32_t depth, phase;
    HisiQmDma result;
    hwaddr addr;
    HisiQmCq *cq;

    if (cqn >= qm->queues || !qm->cq[cqn].valid) {
        kill_queue(qm, qn, QM_AEQE_CQE_ERROR);
        return;
    }
    cq = &qm->cq[cqn];
    depth = hisi_qm_depth(cq->context);
    if (cq->tail - cq->head >= depth - 1) {
        kill_queue(qm, qn, QM_AEQE_CQ_OVERFLOW);
        return;
    }
    phase = hisi_qm_phase(cq->tail, depth,
                     FIELD_EX32(cq->context[6], QM_CQC_W6, PHASE));
    cqe[2] = cpu_to_le32(slot | qn << 16);
    cqe[3] = cpu_to_le32(phase << 16);
    addr = hisi_qm_base(cq->context) + cq->tail % depth * QM_CQE_BYTES;
    sq->completed++;
    cq->tail++;
    /* The word with the phase last. */
    result = hisi_qm_write(qm, addr, cqe, QM_CQE_BYTES - 4);
    if (result == HISI_QM_DONE) {
        result = hisi_qm_write(qm, addr + QM_CQE_BYTES - 4, &cqe[3], 4);
    }
    if (result != HISI_QM_DONE) {
        ring_failed(qm, qn, result);
        return;
    }
    hisi_qm_update_cq_event(qm, cqn);
    hisi_qm_update_interrupts(qm);
    hisi_qm_drain_check(qm);
}

static hwaddr sqe_address(const HisiQm *qm, const HisiQmSq *sq)
{
    return hisi_qm_base(sq->context) +
           sq->completed % hisi_qm_depth(sq->context) * qm->ops->sqe_bytes;
}

bool hisi_qm_peek(HisiQm *qm, unsigned qn, void *sqe)
{
    HisiQmSq *sq = &qm->sq[qn];
    HisiQmDma result;

    if (!sq->valid || hisi_qm_queue_is_idle(qm, qn)) {
        return false;
    }
    result = hisi_qm_read(qm, sqe_address(qm, sq), sqe, qm->ops->sqe_bytes);
    if (result == HISI_QM_FAILED) {
        qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: queue %u: entry at 0x%"
                      PRIx64 " cannot be read\n", qn, sqe_address(qm, sq));
    }
    ring_failed(qm, qn, result);
    return result == HISI_QM_DONE;
}

void hisi_qm_complete(HisiQm *qm, unsigned qn, const void *sqe)
{
    HisiQmDma result = hisi_qm_write(qm, sqe_address(qm, &qm->sq[qn]), sqe,
                                     qm->ops->sqe_bytes);

    if (result != HISI_QM_DONE) {
        ring_failed(qm, qn, result);
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

static void sq_doorbell(HisiQm *qm, unsigned qn, uint64_t value)
{
    HisiQmSq *sq = &qm->sq[qn];
    uint32_t index = QM_DB_INDEX(value);
    uint32_t depth = hisi_qm_depth(sq->context);
    uint32_t added;

    if (!sq->valid) {
        hisi_qm_bad_doorbell(qn, value, "no submission queue");
        return;
    }
    if (FIELD_EX32(value, QM_DB, RAND) !=
        FIELD_EX32(sq->context[4], QM_XQC_W4, RAND)) {
        hisi_qm_bad_doorbell(qn, value, "wrong random number");
        return;
    }
    if (index >= depth) {
        hisi_qm_bad_doorbell(qn, value, "index beyond the ring");
        return;
    }
    added = hisi_qm_slots_ahead(index, sq->submitted, depth);
    if (sq->submitted - sq->completed + added > depth - 1) {
        hisi_qm_bad_doorbell(qn, value, "overtakes the head");
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
    uint32_t depth = hisi_qm_depth(cq->context);
    uint32_t taken;

    if (!cq->valid) {
        hisi_qm_bad_doorbell(qn, value, "no completion queue");
        return;
    }
    if (FIELD_EX32(value, QM_DB, RAND) !=
        FIELD_EX32(cq->context[4], QM_XQC_W4, RAND)) {
        hisi_qm_bad_doorbell(qn, value, "wrong random number");
        return;
    }
    taken = hisi_qm_slots_ahead(index, cq->head, depth);
    if (index >= depth || taken > cq->tail - cq->head) {
        hisi_qm_bad_doorbell(qn, value, "overtakes the tail");
        return;
    }
    cq->head += taken;
    cq->armed = QM_DB_PRIORITY(value) & 1;
    hisi_qm_update_cq_event(qm, qn);
    hisi_qm_update_interrupts(qm);
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
            hisi_qm_bad_doorbell(qn, value, "not for a queue's owner");
        } else if (cmd == QM_DB_EQ) {
            hisi_qm_eq_doorbell(qm, value);
        } else {
            hisi_qm_aeq_doorbell(qm, value);
        }
        return;
    }
    if (!qm->vft_is_valid || qn >= qm->vft_queues) {
        hisi_qm_bad_doorbell(qn, value, "no such queue");
        return;
    }
    if (cmd == QM_DB_SQ) {
        sq_doorbell(qm, qn, value);
    } else if (cmd == QM_DB_CQ) {
        cq_doorbell(qm, qn, value);
    } else {
        hisi_qm_bad_doorbell(qn, value, "unknown command");
    }
}
