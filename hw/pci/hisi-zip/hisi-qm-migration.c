/*
 * HiSilicon queue manager: its state as it migrates. A stream is an input: what
 * the rest relies on is checked here. Not the engine's jobs, which do not
 * migrate. Called by QEMU's migration code, as part of the device's state
 * (hisi-zip.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"
#include "hisi-qm.h"
#include "hisi-qm-ring.h"

/*
 * A stream comes into one of these, and from there into the device once it is
 * whole and was found possible: one that breaks off or is refused changes
 * nothing. QEMU fills in the parent.
 */
typedef struct HisiQmInStream {
    HisiQm *parent;
    HisiQm qm;
} HisiQmInStream;

static void copy_state(HisiQm *to, const HisiQm *from)
{
    size_t first = offsetof(HisiQm, regs);

    memcpy((uint8_t *)to + first, (const uint8_t *)from + first,
           sizeof(*to) - first);
}

/* ---- What is possible: each gives the reason why not, or NULL ----------- */

static const char *mailbox_error(HisiQm *qm)
{
    switch (qm->mb_waits_for) {
    case 0:
    case QM_MB_FLUSH_QM:
        return NULL;
    case QM_MB_STOP_QP:
        return FIELD_EX32(hisi_qm_reg(qm, QM_MAILBOX), QM_MB, QUEUE) <
               qm->queues ? NULL : "the mailbox waits for no queue";
    default:
        return "the mailbox waits in a command that does not wait";
    }
}

static const char *vft_error(const HisiQm *qm)
{
    return qm->vft_queues > qm->queues ? "more queues given than there are" :
           qm->vft_is_valid != !!qm->vft_queues ? "queues given without a table"
           : NULL;
}

static const char *eq_error(const HisiQmEq *eq)
{
    return eq->tail - eq->head >= hisi_qm_eq_depth(eq->context) ?
           "more events than the ring has room for" :
           eq->tail - eq->head > HISI_QM_MAX_QUEUES ?
           "more events than there can be queues" : NULL;
}

static const char *sq_error(const HisiQm *qm, const HisiQmSq *sq)
{
    uint64_t entries = sq->submitted - sq->completed;

    return entries >= hisi_qm_depth(sq->context) ?
           "more entries than the ring has room for" :
           entries && !sq->valid ? "entries without a context" :
           entries && sq->dead ? "entries in a queue that drops them" :
           sq->valid && !hisi_qm_sq_context_is_legal(qm, sq->context) ?
           "an illegal context" : NULL;
}

static const char *cq_error(const HisiQmCq *cq)
{
    return cq->tail - cq->head >= hisi_qm_depth(cq->context) ?
           "more completions than the ring has room for" :
           cq->valid && !hisi_qm_cq_context_is_legal(cq->context) ?
           "an illegal context" : NULL;
}

static bool is_possible(const char *what, unsigned index, const char *error)
{
    if (error) {
        error_report("hisi-zip: the stream is refused: %s %u: %s", what, index,
                     error);
    }
    return !error;
}

static bool queue_is_possible(const HisiQm *qm, unsigned i)
{
    bool is_there = i < qm->queues;

    if (!is_there && (qm->sq[i].valid || qm->cq[i].valid)) {
        return is_possible("queue", i, "there is none");
    }
    return is_possible("event", i, qm->eq_cqn[i] < qm->queues ? NULL :
                       "of a queue that is not there") &&
           is_possible("submission queue", i, sq_error(qm, &qm->sq[i])) &&
           is_possible("completion queue", i, cq_error(&qm->cq[i]));
}

static bool state_is_possible(HisiQm *qm)
{
    if (!is_possible("function", 0, mailbox_error(qm)) ||
        !is_possible("function", 0, vft_error(qm)) ||
        !is_possible("event queue", 0, eq_error(&qm->eq)) ||
        !is_possible("event queue", 1, eq_error(&qm->aeq))) {
        return false;
    }
    for (unsigned i = 0; i < HISI_QM_MAX_QUEUES; i++) {
        if (!queue_is_possible(qm, i)) {
            return false;
        }
    }
    return true;
}

/* ---- The stream --------------------------------------------------------- */

static int in_stream_pre_save(void *opaque)
{
    HisiQmInStream *s = opaque;

    s->qm.queues = s->parent->queues;
    copy_state(&s->qm, s->parent);
    return 0;
}

/* What the stream's state is judged by. */
static int in_stream_pre_load(void *opaque)
{
    HisiQmInStream *s = opaque;

    s->qm.ops = s->parent->ops;
    s->qm.version = s->parent->version;
    s->qm.queues = s->parent->queues;
    s->qm.pasid_bits = s->parent->pasid_bits;
    return 0;
}

static int in_stream_post_load(void *opaque, int version_id)
{
    HisiQmInStream *s = opaque;

    if (!state_is_possible(&s->qm)) {
        return -EINVAL;
    }
    copy_state(s->parent, &s->qm);
    return 0;
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

/* Without a version, which is its parent's: vmstate_info_tmp wants it so. */
static const VMStateDescription vmstate_in_stream = {
    .name = "hisi-qm/state",
    .pre_save = in_stream_pre_save,
    .pre_load = in_stream_pre_load,
    .post_load = in_stream_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(qm.queues, HisiQmInStream, "queues differs"),
        VMSTATE_UINT32_ARRAY(qm.regs, HisiQmInStream, HISI_QM_REG_WORDS),
        VMSTATE_UINT32(qm.db_low, HisiQmInStream),
        VMSTATE_BOOL(qm.vft_is_valid, HisiQmInStream),
        VMSTATE_UINT32(qm.vft_base, HisiQmInStream),
        VMSTATE_UINT32(qm.vft_queues, HisiQmInStream),
        VMSTATE_UINT64(qm.sqc_table, HisiQmInStream),
        VMSTATE_UINT64(qm.cqc_table, HisiQmInStream),
        VMSTATE_UINT32(qm.mb_waits_for, HisiQmInStream),
        VMSTATE_STRUCT(qm.eq, HisiQmInStream, 0, vmstate_eq, HisiQmEq),
        VMSTATE_STRUCT(qm.aeq, HisiQmInStream, 0, vmstate_eq, HisiQmEq),
        VMSTATE_BOOL(qm.events_wait, HisiQmInStream),
        VMSTATE_STRUCT_ARRAY(qm.sq, HisiQmInStream, HISI_QM_MAX_QUEUES, 0,
                             vmstate_sq, HisiQmSq),
        VMSTATE_STRUCT_ARRAY(qm.cq, HisiQmInStream, HISI_QM_MAX_QUEUES, 0,
                             vmstate_cq, HisiQmCq),
        VMSTATE_UINT16_ARRAY(qm.eq_cqn, HisiQmInStream, HISI_QM_MAX_QUEUES),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_hisi_qm = {
    .name = "hisi-qm",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_WITH_TMP(HisiQm, HisiQmInStream, vmstate_in_stream),
        VMSTATE_END_OF_LIST()
    }
};
