/*
 * HiSilicon queue manager: the mailbox, by which the driver loads and dumps
 * contexts and waits for queues to drain. A command is done when the write
 * that starts it returns, but for those that wait for work to end
 * (hisi-qm-drain.c). Called by the registers (hisi-qm.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hisi-qm.h"
#include "hisi-qm-ring.h"
#include "trace.h"

static HisiQmDma read_context(HisiQm *qm, hwaddr addr, uint32_t *context,
                              unsigned bytes)
{
    uint32_t words[QM_SQC_BYTES / 4] = { 0 };
    HisiQmDma result = hisi_qm_read(qm, addr, words, bytes);

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        context[i] = le32_to_cpu(words[i]);
    }
    return result;
}

static HisiQmDma write_context(HisiQm *qm, hwaddr addr,
                               const uint32_t *context, unsigned bytes)
{
    uint32_t words[QM_SQC_BYTES / 4];

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        words[i] = cpu_to_le32(context[i]);
    }
    return hisi_qm_write(qm, addr, words, bytes);
}

/* @context as it is now, with where the queue stands. */
static void snapshot(uint32_t *now, const uint32_t *context, uint64_t head,
                     uint64_t tail)
{
    uint32_t depth = hisi_qm_depth(context);

    memcpy(now, context, QM_SQC_BYTES);
    now[QM_XQC_TAIL_WORD] = head % depth | tail % depth << 16;
    now[5] = FIELD_DP32(now[5], QM_XQC_W5, TAIL_WRAP, tail / depth & 1);
}

static void snapshot_sq(const HisiQmSq *sq, uint32_t *now)
{
    snapshot(now, sq->context, sq->completed, sq->submitted);
}

static void snapshot_cq(const HisiQmCq *cq, uint32_t *now)
{
    snapshot(now, cq->context, cq->head, cq->tail);
}

static void snapshot_eq(const HisiQmEq *eq, uint32_t *now)
{
    uint32_t depth = hisi_qm_eq_depth(eq->context);

    memcpy(now, eq->context, QM_SQC_BYTES);
    now[QM_XQC_TAIL_WORD] = eq->head % depth | eq->tail % depth << 16;
}

static HisiQmDma load_sq(HisiQm *qm, unsigned qn, hwaddr addr)
{
    HisiQmSq *sq = &qm->sq[qn];
    uint32_t context[QM_SQC_BYTES / 4];
    HisiQmDma result = read_context(qm, addr, context, QM_SQC_BYTES);

    if (result != HISI_QM_DONE) {
        return result;
    }
    if (!hisi_qm_sq_context_is_legal(qm, context)) {
        return HISI_QM_FAILED;
    }
    qm->ops->abandon(qm, qn);
    memset(sq, 0, sizeof(*sq));
    memcpy(sq->context, context, sizeof(context));
    sq->valid = !FIELD_EX32(context[6], QM_SQC_W6, DISABLED);
    return HISI_QM_DONE;
}

static HisiQmDma load_cq(HisiQm *qm, unsigned qn, hwaddr addr)
{
    HisiQmCq *cq = &qm->cq[qn];
    uint32_t context[QM_SQC_BYTES / 4];
    HisiQmDma result = read_context(qm, addr, context, QM_SQC_BYTES);
    bool event_is_posted = cq->event_is_posted;

    if (result != HISI_QM_DONE) {
        return result;
    }
    if (!hisi_qm_cq_context_is_legal(context)) {
        return HISI_QM_FAILED;
    }
    memset(cq, 0, sizeof(*cq));
    memcpy(cq->context, context, sizeof(context));
    cq->valid = true;
    cq->armed = FIELD_EX32(context[6], QM_CQC_W6, ARMED);
    cq->event_is_posted = event_is_posted;
    return HISI_QM_DONE;
}

static HisiQmDma load_eq(HisiQm *qm, HisiQmEq *eq, hwaddr addr)
{
    uint32_t context[QM_SQC_BYTES / 4];
    HisiQmDma result = read_context(qm, addr, context, QM_EQC_BYTES);

    if (result != HISI_QM_DONE) {
        return result;
    }
    memset(eq, 0, sizeof(*eq));
    memcpy(eq->context, context, sizeof(context));
    eq->valid = true;
    eq->armed = true;
    if (eq == &qm->eq) {
        for (unsigned cqn = 0; cqn < qm->queues; cqn++) {
            qm->cq[cqn].event_is_posted = false;
        }
        qm->events_wait = true;
        hisi_qm_update_events(qm);
    }
    return HISI_QM_DONE;
}

static HisiQmDma transfer_context(HisiQm *qm, unsigned cmd, bool is_read,
                                  unsigned qn, hwaddr addr)
{
    uint32_t now[QM_SQC_BYTES / 4];

    if ((cmd == QM_MB_SQC || cmd == QM_MB_CQC) &&
        (!qm->vft_is_valid || qn >= qm->vft_queues)) {
        return HISI_QM_FAILED;
    }
    switch (cmd) {
    case QM_MB_SQC:
        if (!is_read) {
            return load_sq(qm, qn, addr);
        }
        snapshot_sq(&qm->sq[qn], now);
        return write_context(qm, addr, now, QM_SQC_BYTES);
    case QM_MB_CQC:
        if (!is_read) {
            return load_cq(qm, qn, addr);
        }
        snapshot_cq(&qm->cq[qn], now);
        return write_context(qm, addr, now, QM_SQC_BYTES);
    case QM_MB_EQC:
    case QM_MB_AEQC: {
        HisiQmEq *eq = cmd == QM_MB_EQC ? &qm->eq : &qm->aeq;

        if (!is_read) {
            return load_eq(qm, eq, addr);
        }
        snapshot_eq(eq, now);
        return write_context(qm, addr, now, QM_EQC_BYTES);
    }
    default:
        g_assert_not_reached();
    }
}

static void answer_vft(HisiQm *qm)
{
    uint64_t entry = hisi_qm_vft_entry(qm);

    hisi_qm_set_reg(qm, QM_MAILBOX + 4, entry);
    hisi_qm_set_reg(qm, QM_MAILBOX + 8, entry >> 32);
}

void hisi_qm_mailbox_start(HisiQm *qm)
{
    uint32_t word = hisi_qm_reg(qm, QM_MAILBOX);
    hwaddr addr = hisi_qm_reg(qm, QM_MAILBOX + 4) |
                  (uint64_t)hisi_qm_reg(qm, QM_MAILBOX + 8) << 32;
    unsigned cmd = FIELD_EX32(word, QM_MB, CMD);
    unsigned qn = FIELD_EX32(word, QM_MB, QUEUE);
    bool is_read = FIELD_EX32(word, QM_MB, READ);

    trace_hisi_qm_mailbox(cmd, is_read, qn, addr);
    switch (cmd) {
    case QM_MB_SQC:
    case QM_MB_CQC:
    case QM_MB_EQC:
    case QM_MB_AEQC:
        switch (transfer_context(qm, cmd, is_read, qn, addr)) {
        case HISI_QM_DONE:
            hisi_qm_mailbox_finish(qm, true);
            /* What waited for a completion queue that is now another one */
            hisi_qm_drain_check(qm);
            return;
        case HISI_QM_GONE:
            return;
        case HISI_QM_FAILED:
            break;
        }
        break;
    case QM_MB_SQC_BT:
        qm->sqc_table = addr;
        hisi_qm_mailbox_finish(qm, true);
        return;
    case QM_MB_CQC_BT:
        qm->cqc_table = addr;
        hisi_qm_mailbox_finish(qm, true);
        return;
    case QM_MB_SQC_VFT:
        if (is_read) {
            answer_vft(qm);
            hisi_qm_mailbox_finish(qm, true);
            return;
        }
        break;
    case QM_MB_STOP_QP:
        if (qn >= qm->queues) {
            break;
        }
        /* fall through */
    case QM_MB_FLUSH_QM:
        if (qm->version < 3) {
            break;
        }
        hisi_qm_drain_begin(qm, cmd);
        return;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: mailbox command %u (queue %u, "
                  "address 0x%" PRIx64 ") failed\n", cmd, qn, addr);
    hisi_qm_mailbox_finish(qm, false);
}

/* What a table's entries of queue @qn and on are; false: @qn was not started. */
typedef bool Snapshot(const HisiQm *qm, unsigned qn, uint32_t *now);

static bool snapshot_valid_sq(const HisiQm *qm, unsigned qn, uint32_t *now)
{
    if (qm->sq[qn].valid) {
        snapshot_sq(&qm->sq[qn], now);
    }
    return qm->sq[qn].valid;
}

static bool snapshot_valid_cq(const HisiQm *qm, unsigned qn, uint32_t *now)
{
    if (qm->cq[qn].valid) {
        snapshot_cq(&qm->cq[qn], now);
    }
    return qm->cq[qn].valid;
}

/* Contexts that are side by side are one access: a page of them at most. */
enum { CONTEXTS_AT_A_TIME = 4096 / QM_SQC_BYTES };

static HisiQmDma write_table(HisiQm *qm, hwaddr table,
                             Snapshot *snapshot_of)
{
    uint32_t words[CONTEXTS_AT_A_TIME][QM_SQC_BYTES / 4];
    unsigned n = 0;

    if (!table) {
        return HISI_QM_DONE;
    }
    for (unsigned qn = 0; qn <= qm->vft_queues; qn++) {
        bool valid = qn < qm->vft_queues && snapshot_of(qm, qn, words[n]);

        for (unsigned i = 0; valid && i < ARRAY_SIZE(words[n]); i++) {
            words[n][i] = cpu_to_le32(words[n][i]);
        }
        n += valid;
        if (n && (!valid || n == CONTEXTS_AT_A_TIME)) {
            unsigned first = qn + valid - n;
            HisiQmDma result = hisi_qm_write(qm, table + first * QM_SQC_BYTES,
                                             words, n * QM_SQC_BYTES);

            if (result != HISI_QM_DONE) {
                return result;
            }
            n = 0;
        }
    }
    return HISI_QM_DONE;
}

bool hisi_qm_cache_write_back(HisiQm *qm)
{
    HisiQmDma result = write_table(qm, qm->sqc_table, snapshot_valid_sq);

    if (result == HISI_QM_DONE) {
        result = write_table(qm, qm->cqc_table, snapshot_valid_cq);
    }
    if (result == HISI_QM_FAILED) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "hisi-qm: a table of contexts cannot be written\n");
    }
    return result != HISI_QM_GONE;
}
