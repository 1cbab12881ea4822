/*
 * HiSilicon queue manager: its state as it migrates. A stream is an input: what
 * the rest relies on is checked here. Called by QEMU's migration code, as part
 * of the device's state (hisi-zip.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hisi-qm.h"
#include "hisi-qm-ring.h"

static bool mailbox_is_possible(HisiQm *qm)
{
    switch (qm->mb_waits_for) {
    case 0:
    case QM_MB_FLUSH_QM:
        return true;
    case QM_MB_STOP_QP:
        return FIELD_EX32(hisi_qm_reg(qm, QM_MAILBOX), QM_MB, QUEUE) <
               qm->queues;
    default:
        return false;
    }
}

static bool sq_is_possible(const HisiQm *qm, const HisiQmSq *sq)
{
    return sq->submitted - sq->completed < hisi_qm_depth(sq->context) &&
           (!sq->valid || hisi_qm_sq_context_is_legal(qm, sq->context));
}

static bool cq_is_possible(const HisiQmCq *cq)
{
    return cq->tail - cq->head < hisi_qm_depth(cq->context) &&
           (!cq->valid || hisi_qm_cq_context_is_legal(cq->context));
}

static bool eq_is_possible(const HisiQmEq *eq)
{
    return eq->tail - eq->head < hisi_qm_eq_depth(eq->context) &&
           eq->tail - eq->head <= HISI_QM_MAX_QUEUES;
}

static bool state_is_possible(HisiQm *qm)
{
    if (!mailbox_is_possible(qm) || qm->vft_queues > qm->queues ||
        qm->vft_is_valid != !!qm->vft_queues || !eq_is_possible(&qm->eq) ||
        !eq_is_possible(&qm->aeq)) {
        return false;
    }
    for (unsigned i = 0; i < HISI_QM_MAX_QUEUES; i++) {
        if (qm->eq_cqn[i] >= qm->queues || !sq_is_possible(qm, &qm->sq[i]) ||
            !cq_is_possible(&qm->cq[i])) {
            return false;
        }
    }
    return true;
}

static int hisi_qm_post_load(void *opaque, int version_id)
{
    HisiQm *qm = opaque;

    if (state_is_possible(qm)) {
        return 0;
    }
    /* A snapshot that is refused leaves a machine that can go on. */
    hisi_qm_reset(qm);
    return -EINVAL;
}

static const VMStateDescription vmstate_sq = {
    .name = "hisi-qm/sq",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(valid, HisiQmSq),
        VMSTATE_BOOL(dead, HisiQmSq),
        VMSTATE_UINT32_ARRAY(context, HisiQmSq, 8),
        VMSTATE_UINT64(submitted, HisiQmSq),
        VMSTATE_UINT64(completed, HisiQmSq),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_cq = {
    .name = "hisi-qm/cq",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(valid, HisiQmCq),
        VMSTATE_BOOL(armed, HisiQmCq),
        VMSTATE_BOOL(event_is_posted, HisiQmCq),
        VMSTATE_UINT32_ARRAY(context, HisiQmCq, 8),
        VMSTATE_UINT64(head, HisiQmCq),
        VMSTATE_UINT64(tail, HisiQmCq),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_eq = {
    .name = "hisi-qm/eq",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(valid, HisiQmEq),
        VMSTATE_BOOL(armed, HisiQmEq),
        VMSTATE_UINT32_ARRAY(context, HisiQmEq, 8),
        VMSTATE_UINT64(head, HisiQmEq),
        VMSTATE_UINT64(tail, HisiQmEq),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_hisi_qm = {
    .name = "hisi-qm",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = hisi_qm_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(queues, HisiQm, NULL),
        VMSTATE_UINT32_ARRAY(regs, HisiQm, HISI_QM_REG_WORDS),
        VMSTATE_UINT32(db_low, HisiQm),
        VMSTATE_BOOL(vft_is_valid, HisiQm),
        VMSTATE_UINT32(vft_base, HisiQm),
        VMSTATE_UINT32(vft_queues, HisiQm),
        VMSTATE_UINT64(sqc_table, HisiQm),
        VMSTATE_UINT64(cqc_table, HisiQm),
        VMSTATE_UINT32(mb_waits_for, HisiQm),
        VMSTATE_STRUCT(eq, HisiQm, 1, vmstate_eq, HisiQmEq),
        VMSTATE_STRUCT(aeq, HisiQm, 1, vmstate_eq, HisiQmEq),
        VMSTATE_BOOL(eq_was_full, HisiQm),
        VMSTATE_STRUCT_ARRAY(sq, HisiQm, HISI_QM_MAX_QUEUES, 1, vmstate_sq,
                             HisiQmSq),
        VMSTATE_STRUCT_ARRAY(cq, HisiQm, HISI_QM_MAX_QUEUES, 1, vmstate_cq,
                             HisiQmCq),
        VMSTATE_UINT16_ARRAY(eq_cqn, HisiQm, HISI_QM_MAX_QUEUES),
        VMSTATE_END_OF_LIST()
    }
};
