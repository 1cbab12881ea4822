/*
 * HiSilicon queue manager: the virtual function table, by which the driver
 * gives a function its queues. Function 0 is the only one. Not the queues
 * themselves. Called by the registers (hisi-qm.c) and the mailbox.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hisi-qm.h"
#include "hisi-qm-regs.h"

/* The entry of the submission queues' table. */
uint64_t hisi_qm_vft_entry(const HisiQm *qm)
{
    if (!qm->vft_is_valid) {
        return 0;
    }
    return (uint64_t)qm->vft_base << QM_VFT_SQC_BASE_SHIFT | QM_VFT_SQC_VALID |
           (uint64_t)(qm->vft_queues - 1) << QM_VFT_SQC_LAST_SHIFT;
}

static void write_vft(HisiQm *qm, uint64_t entry)
{
    uint32_t queues = extract64(entry, QM_VFT_SQC_LAST_SHIFT,
                                QM_VFT_SQC_LAST_BITS) + 1;

    if (!(entry & QM_VFT_SQC_VALID)) {
        qm->vft_is_valid = false;
        qm->vft_queues = 0;
        /* Event queues outlive it: the driver may still read them. */
        hisi_qm_clear_queues(qm);
        return;
    }
    if (queues > qm->queues) {
        qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: %u queues wanted, there are "
                      "%u\n", queues, qm->queues);
        queues = qm->queues;
    }
    qm->vft_is_valid = true;
    qm->vft_base = extract64(entry, QM_VFT_SQC_BASE_SHIFT, 16);
    qm->vft_queues = queues;
}

/* Function 0 only. Only the submission queues' table decides anything. */
void hisi_qm_vft_operation(HisiQm *qm)
{
    if (hisi_qm_reg(qm, QM_VFT_CFG) == 0 &&
        hisi_qm_reg(qm, QM_VFT_CFG_TYPE) == 0) {
        if (hisi_qm_reg(qm, QM_VFT_CFG_OP_WR) & 1) {
            uint64_t entry = hisi_qm_vft_entry(qm);

            hisi_qm_set_reg(qm, QM_VFT_CFG_DATA_L, entry);
            hisi_qm_set_reg(qm, QM_VFT_CFG_DATA_H, entry >> 32);
        } else {
            write_vft(qm, hisi_qm_reg(qm, QM_VFT_CFG_DATA_L) |
                      (uint64_t)hisi_qm_reg(qm, QM_VFT_CFG_DATA_H) << 32);
        }
    }
    hisi_qm_set_reg(qm, QM_VFT_CFG_RDY, 1);
}
