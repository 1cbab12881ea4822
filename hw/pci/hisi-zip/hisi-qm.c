/*
 * HiSilicon queue manager: the registers of BAR2 and BAR4, reset, migration.
 * A register that nothing acts on keeps what was written, as the driver's
 * read-modify-writes and register dumps expect; reads have no side effects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/units.h"
#include "migration/vmstate.h"
#include "hisi-qm.h"
#include "hisi-qm-regs.h"
#include "trace.h"

/* ---- The register file ------------------------------------------------- */

static const struct {
    uint32_t offset, bytes;
} windows[] = {
    { 0x000000, 0x4000 },   /* function */
    { 0x100000, 0x1000 },   /* queue manager */
    { 0x104000, 0x1000 },   /* its counters */
    { 0x300000, 0xd000 },   /* engine: bus, ZIP, its cores */
};

/* NULL outside of the windows. */
static uint32_t *reg_at(HisiQm *qm, hwaddr offset)
{
    unsigned first = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(windows); i++) {
        if (offset >= windows[i].offset &&
            offset - windows[i].offset < windows[i].bytes) {
            return &qm->regs[first + (offset - windows[i].offset) / 4];
        }
        first += windows[i].bytes / 4;
    }
    return NULL;
}

uint32_t hisi_qm_reg(HisiQm *qm, hwaddr offset)
{
    uint32_t *reg = reg_at(qm, offset);

    return reg ? *reg : 0;
}

void hisi_qm_set_reg(HisiQm *qm, hwaddr offset, uint32_t value)
{
    uint32_t *reg = reg_at(qm, offset);

    if (reg) {
        *reg = value;
    }
}

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

/* ---- Which queues the function has ------------------------------------- */

void hisi_qm_clear_contexts(HisiQm *qm)
{
    for (unsigned qn = 0; qn < qm->queues; qn++) {
        qm->ops->abandon(qm, qn);
    }
    memset(qm->sq, 0, sizeof(qm->sq));
    memset(qm->cq, 0, sizeof(qm->cq));
    memset(&qm->eq, 0, sizeof(qm->eq));
    memset(&qm->aeq, 0, sizeof(qm->aeq));
    qm->eq_was_full = false;
    hisi_qm_mailbox_recheck(qm);
}

static void write_vft(HisiQm *qm, uint64_t entry)
{
    uint32_t queues = extract64(entry, QM_VFT_SQC_LAST_SHIFT,
                                QM_VFT_SQC_LAST_BITS) + 1;

    if (!(entry & QM_VFT_SQC_VALID)) {
        /* Event queues outlive it: the driver may still read them. */
        for (unsigned qn = 0; qn < qm->queues; qn++) {
            qm->ops->abandon(qm, qn);
        }
        memset(qm->sq, 0, sizeof(qm->sq));
        memset(qm->cq, 0, sizeof(qm->cq));
        qm->vft_is_valid = false;
        qm->vft_queues = 0;
        hisi_qm_mailbox_recheck(qm);
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
static void vft_operation(HisiQm *qm)
{
    uint64_t entry;

    if (hisi_qm_reg(qm, QM_VFT_CFG) == 0 &&
        hisi_qm_reg(qm, QM_VFT_CFG_TYPE) == 0) {
        if (hisi_qm_reg(qm, QM_VFT_CFG_OP_WR) & 1) {
            entry = !qm->vft_is_valid ? 0 :
                    (uint64_t)qm->vft_base << QM_VFT_SQC_BASE_SHIFT |
                    QM_VFT_SQC_VALID |
                    (uint64_t)(qm->vft_queues - 1) << QM_VFT_SQC_LAST_SHIFT;
            hisi_qm_set_reg(qm, QM_VFT_CFG_DATA_L, entry);
            hisi_qm_set_reg(qm, QM_VFT_CFG_DATA_H, entry >> 32);
        } else {
            write_vft(qm, hisi_qm_reg(qm, QM_VFT_CFG_DATA_L) |
                      (uint64_t)hisi_qm_reg(qm, QM_VFT_CFG_DATA_H) << 32);
        }
    }
    hisi_qm_set_reg(qm, QM_VFT_CFG_RDY, 1);
}

/* ---- BAR2 -------------------------------------------------------------- */

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
        if (value & 1) {
            hisi_qm_cache_write_back(qm);
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
            hisi_qm_clear_contexts(qm);
            hisi_qm_set_reg(qm, QM_MEM_INIT_DONE, 1);
        }
        return;
    case QM_VFT_CFG_OP_ENABLE:
        if (value & 1) {
            vft_operation(qm);
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
    uint64_t value = read32(qm, offset);

    if (size == 8) {
        value |= (uint64_t)read32(qm, offset + 4) << 32;
    }
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
    write32(qm, offset, value);
    if (size == 8) {
        write32(qm, offset + 4, value >> 32);
    }
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
        hisi_qm_doorbell(qm, qn, value);
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

void hisi_qm_reset(HisiQm *qm)
{
    qm->mb_waits_for = 0;
    qm->vft_is_valid = false;
    qm->vft_queues = 0;
    qm->vft_base = 0;
    qm->sqc_table = 0;
    qm->cqc_table = 0;
    qm->db_low = 0;
    hisi_qm_clear_contexts(qm);
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

static int hisi_qm_post_load(void *opaque, int version_id)
{
    HisiQm *qm = opaque;

    switch (qm->mb_waits_for) {
    case 0:
    case QM_MB_FLUSH_QM:
        break;
    case QM_MB_STOP_QP:
        if (FIELD_EX32(hisi_qm_reg(qm, QM_MAILBOX), QM_MB, QUEUE) <
            qm->queues) {
            break;
        }
        /* fall through */
    default:
        return -EINVAL;
    }
    if (qm->vft_queues > qm->queues || qm->vft_is_valid != !!qm->vft_queues) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < HISI_QM_MAX_QUEUES; i++) {
        if (qm->eq_cqn[i] >= HISI_QM_MAX_QUEUES ||
            qm->sq[i].completed > qm->sq[i].submitted ||
            qm->cq[i].head > qm->cq[i].tail) {
            return -EINVAL;
        }
    }
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
