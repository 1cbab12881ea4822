/*
 * HiSilicon queue manager: its own accesses to memory, by StreamID alone. Not
 * the engine's, which have PASIDs and stall. Called by all of hisi-qm-*.c that
 * have rings, contexts or tables there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/sva/capability.h"
#include "hisi-qm.h"

/*
 * Where they go is the guest's choice, and may be what resets the function: its
 * own configuration space, or a register whose handler lets others do it.
 */
static HisiQmDma outcome(const HisiQm *qm, uint32_t resets, MemTxResult result)
{
    if (qm->resets != resets) {
        return HISI_QM_GONE;
    }
    return result == MEMTX_OK ? HISI_QM_DONE : HISI_QM_FAILED;
}

HisiQmDma hisi_qm_read(HisiQm *qm, hwaddr addr, void *buf, size_t bytes)
{
    uint32_t resets = qm->resets;

    /* QEMU looks at Bus Master Enable, and not at the power state. */
    if (!sva_may_master(qm->pdev)) {
        return HISI_QM_FAILED;
    }
    return outcome(qm, resets, pci_dma_read(qm->pdev, addr, buf, bytes));
}

HisiQmDma hisi_qm_write(HisiQm *qm, hwaddr addr, const void *buf, size_t bytes)
{
    uint32_t resets = qm->resets;

    if (!sva_may_master(qm->pdev)) {
        return HISI_QM_FAILED;
    }
    return outcome(qm, resets, pci_dma_write(qm->pdev, addr, buf, bytes));
}
