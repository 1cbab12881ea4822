/*
 * HiSilicon queue manager: the registers of BAR2 and BAR4, and reset. Not what
 * stands behind them, which is in hisi-qm-*.c. A register that nothing acts on
 * keeps what was written, as the driver's read-modify-writes and register dumps
 * expect; reads have no side effects. Called by guests, and by hisi-zip.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/units.h"
#include "hisi-qm.h"
#include "hisi-qm-regs.h"
#include "trace.h"

/* ---- BAR2 -------------------------------------------------------------- */

static bool reg_is_read_only(HisiQm *qm, hwaddr offset)
{
    switch (offset) {
    case QM_DB_ISOLATION:
    case QM_CACHE_WB_DONE:
    case QM_V3_CAPS ... QM_V3_CAPS_LAST:
    case QM_ABNORMAL_INT_STATUS:
    case QM_MEM_INIT_DONE:
    case QM_PEH_DFX_INFO0:
    case QM_PEH_DFX_INFO1:
    case QM_V3_QUEUES:
    case QM_IDLE:
    case QM_MASTER_TRANS_RETURN:
        return true;
    default:
        return qm->ops->reg_is_read_only(qm, offset);
    }
}

/* Every context goes, every queue's work is abandoned. */
static void clear_contexts(HisiQm *qm)
{
    hisi_qm_clear_queues(qm);
    memset(qm->cq, 0, sizeof(qm->cq));      /* no event outlives its queue */
    memset(&qm->eq, 0, sizeof(qm->eq));
    memset(&qm->aeq, 0, sizeof(qm->aeq));
    qm->events_wait = false;
}

static void write32(HisiQm *qm, hwaddr offset, uint32_t value)
{
    switch (offset) {
    case QM_AEQ_INT_SOURCE:
    case QM_EQ_INT_SOURCE:
    case QM_ABNORMAL_INT_SOURCE:
        /* Write one to clear */
        hisi_qm_set_reg(qm, offset, hisi_qm_reg(qm, offset) & ~value);
        return;
    case QM_AEQ_INT_MASK:
    case QM_EQ_INT_MASK:
        hisi_qm_set_reg(qm, offset, value);
        hisi_qm_update_events(qm);
        return;
    case QM_CACHE_WB_START:
        if (value & 1 && hisi_qm_cache_write_back(qm)) {
            hisi_qm_set_reg(qm, QM_CACHE_WB_DONE, 1);
        }
        return;
    case QM_MAILBOX ... QM_MAILBOX_LAST:
        if (qm->mb_waits_for) {
            qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: mailbox is busy\n");
            return;
        }
        hisi_qm_set_reg(qm, offset, value);
        if (offset == QM_MAILBOX_LAST) {
            hisi_qm_mailbox_start(qm);
        }
        return;
    case QM_DOORBELL_SQ_CQ:
    case QM_DOORBELL_EQ_AEQ:
        qm->db_low = value;
        return;
    case QM_DOORBELL_SQ_CQ + 4:
    case QM_DOORBELL_EQ_AEQ + 4:
        hisi_qm_doorbell(qm, -1, qm->db_low | (uint64_t)value << 32);
        return;
    case QM_MEM_START_INIT:
        if (value & 1) {
            clear_contexts(qm);
            hisi_qm_set_reg(qm, QM_MEM_INIT_DONE, 1);
        }
        return;
    case QM_VFT_CFG_OP_ENABLE:
        if (value & 1) {
            hisi_qm_vft_operation(qm);
        }
        return;
    }
    if (!reg_is_read_only(qm, offset)) {
        hisi_qm_set_reg(qm, offset, value);
    }
}

static uint32_t read32(HisiQm *qm, hwaddr offset)
{
    if (offset == QM_IDLE) {
        return hisi_qm_is_idle(qm);
    }
    return hisi_qm_reg(qm, offset);
}

static uint64_t bar2_read(void *opaque, hwaddr offset, unsigned size)
{
    HisiQm *qm = opaque;
    uint64_t value;

    sva_worker_enter(qm->worker);
    value = read32(qm, offset);
    if (size == 8) {
        value |= (uint64_t)read32(qm, offset + 4) << 32;
    }
    sva_worker_leave(qm->worker);
    trace_hisi_qm_read(offset, size, value);
    return value;
}

/*
 * The driver writes the mailbox with one store of 16 bytes, which comes here
 * as two of 8, the lower first.
 */
static void bar2_write(void *opaque, hwaddr offset, uint64_t value,
                       unsigned size)
{
    HisiQm *qm = opaque;

    trace_hisi_qm_write(offset, size, value);
    sva_worker_enter(qm->worker);
    write32(qm, offset, value);
    if (size == 8) {
        write32(qm, offset + 4, value >> 32);
    }
    sva_worker_leave(qm->worker);
}

static const MemoryRegionOps bar2_ops = {
    .read = bar2_read,
    .write = bar2_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};

/* ---- BAR4: a 64 KiB page of doorbells for each queue ------------------- */

static uint64_t bar4_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void bar4_write(void *opaque, hwaddr offset, uint64_t value,
                       unsigned size)
{
    HisiQm *qm = opaque;
    unsigned qn = offset / QM_ISOLATED_DB_BYTES;

    if (offset % QM_ISOLATED_DB_BYTES == QM_DOORBELL_SQ_CQ && size == 8 &&
        qn < qm->queues) {
        sva_worker_enter(qm->worker);
        hisi_qm_doorbell(qm, qn, value);
        sva_worker_leave(qm->worker);
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "hisi-qm: write of %u bytes at BAR4 "
                      "0x%" PRIx64 " ignored\n", size, offset);
    }
}

static const MemoryRegionOps bar4_ops = {
    .read = bar4_read,
    .write = bar4_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};

/* ---- Life -------------------------------------------------------------- */

void hisi_qm_realize(HisiQm *qm, PCIDevice *pdev, const HisiQmOps *ops)
{
    qm->pdev = pdev;
    qm->ops = ops;
    memory_region_init_io(&qm->bar2, OBJECT(pdev), &bar2_ops, qm,
                          "hisi-qm-registers", HISI_QM_BAR2_BYTES);
    pci_register_bar(pdev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64, &qm->bar2);
    if (qm->version >= 3) {
        memory_region_init_io(&qm->bar4, OBJECT(pdev), &bar4_ops, qm,
                              "hisi-qm-doorbells",
                              pow2ceil(qm->queues) * QM_ISOLATED_DB_BYTES);
        pci_register_bar(pdev, 4, PCI_BASE_ADDRESS_SPACE_MEMORY |
                         PCI_BASE_ADDRESS_MEM_TYPE_64, &qm->bar4);
    }
}

void hisi_qm_exit(HisiQm *qm)
{
    qm->resets++;
}

void hisi_qm_reset(HisiQm *qm)
{
    qm->resets++;
    qm->mb_waits_for = 0;
    qm->vft_is_valid = false;
    qm->vft_queues = 0;
    qm->vft_base = 0;
    qm->sqc_table = 0;
    qm->cqc_table = 0;
    qm->db_low = 0;
    clear_contexts(qm);
    memset(qm->eq_cqn, 0, sizeof(qm->eq_cqn));

    memset(qm->regs, 0, sizeof(qm->regs));
    hisi_qm_set_reg(qm, QM_AEQ_INT_MASK, 1);
    hisi_qm_set_reg(qm, QM_EQ_INT_MASK, 1);
    hisi_qm_set_reg(qm, QM_VFT_CFG_RDY, 1);
    hisi_qm_set_reg(qm, QM_MASTER_TRANS_RETURN, 3);
    if (qm->version >= 3) {
        hisi_qm_set_reg(qm, QM_DB_ISOLATION, 1);
        hisi_qm_set_reg(qm, QM_V3_QUEUES, qm->queues | qm->queues << 11);
    }
}
