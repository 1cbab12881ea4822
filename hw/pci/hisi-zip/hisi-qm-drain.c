/*
 * HiSilicon queue manager: the end of a mailbox command, and those that wait
 * until queues are idle. Not which commands there are. Called by the mailbox,
 * and by whatever makes a queue idle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-qm.h"
#include "hisi-qm-regs.h"
#include "trace.h"

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

void hisi_qm_mailbox_finish(HisiQm *qm, bool ok)
{
    uint32_t word = hisi_qm_reg(qm, QM_MAILBOX);

    word = FIELD_DP32(word, QM_MB, BUSY, 0);
    word = FIELD_DP32(word, QM_MB, STATUS, ok ? 0 : QM_MB_STATUS_FAILED);
    hisi_qm_set_reg(qm, QM_MAILBOX, word);
    trace_hisi_qm_mailbox_done(word);
}

void hisi_qm_drain_check(HisiQm *qm)
{
    uint32_t word = hisi_qm_reg(qm, QM_MAILBOX);
    bool is_idle;

    if (!qm->mb_waits_for) {
        return;
    }
    is_idle = qm->mb_waits_for == QM_MB_FLUSH_QM
              ? hisi_qm_is_idle(qm)
              : hisi_qm_queue_is_idle(qm, FIELD_EX32(word, QM_MB, QUEUE));
    if (is_idle) {
        qm->mb_waits_for = 0;
        hisi_qm_mailbox_finish(qm, true);
    }
}

void hisi_qm_drain_begin(HisiQm *qm, unsigned cmd)
{
    uint32_t word = hisi_qm_reg(qm, QM_MAILBOX);

    qm->mb_waits_for = cmd;
    hisi_qm_set_reg(qm, QM_MAILBOX, FIELD_DP32(word, QM_MB, BUSY, 1));
    hisi_qm_drain_check(qm);
}
