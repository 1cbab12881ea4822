/*
 * The virtual functions of pasid-dev (SR-IOV): what they are made of, and what
 * their physical function has in configuration space for them. Not their
 * queues: in those a virtual function is like any other. Called by
 * pasid-dev.c, QEMU's object model and PCI core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_sriov.h"
#include "hw/pci/sva-compat.h"
#include "hw/pci/sva/capability.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev.h"

/*
 * PCIe lets software choose the page size that the BARs of neighbouring
 * functions are apart, and QEMU does not act on it. With BARs of the largest
 * one that a kernel for Arm has, each of these gives the same.
 */
#define VF_BAR_ALIGN_BYTES  (64 * 1024)
#define VF_PAGE_SIZES       (BIT(0) | BIT(1) | BIT(4))  /* 4K, 8K, 64K */

/* As far from the physical function as others have them: another slot. */
#define VF_FIRST_OFFSET     0x80
#define VF_STRIDE           1

/* ---- The physical function's part --------------------------------------- */

static uint64_t vf_bar_bytes(uint32_t vf_queues)
{
    return pow2ceil(MAX((1 + vf_queues) * PASID_DEV_PAGE_BYTES,
                        VF_BAR_ALIGN_BYTES));
}

bool pasid_dev_check_vf_properties(PasidDev *s, Error **errp)
{
    unsigned last = PCI_DEVICE(s)->devfn + VF_FIRST_OFFSET + s->num_vfs - 1;

    if (s->num_vfs > PASID_DEV_MAX_VFS) {
        error_setg(errp, "vfs=%u is not in the range of 0 to %u", s->num_vfs,
                   PASID_DEV_MAX_VFS);
        return false;
    }
    if (s->vf_queues < 1 || s->vf_queues > PASID_DEV_MAX_VF_QUEUES) {
        error_setg(errp, "vf-queues=%u is not in the range of 1 to %u",
                   s->vf_queues, PASID_DEV_MAX_VF_QUEUES);
        return false;
    }
    if (s->num_vfs && last >= PCI_DEVFN_MAX) {
        error_setg(errp, "vfs=%u is too many for a function in slot 0x%x",
                   s->num_vfs, PCI_SLOT(PCI_DEVICE(s)->devfn));
        error_append_hint(errp, "The virtual functions follow 16 slots after "
                          "their physical function, 8 in each slot.\n");
        return false;
    }
    return true;
}

/*
 * Behind a port, where one number for 256 functions takes the place of device
 * and function numbers. An integrated endpoint is below none (PCIe 6.13).
 */
void pasid_dev_ari_init(PCIDevice *pdev)
{
    if (pcie_cap_get_type(pdev) != PCI_EXP_TYPE_RC_END) {
        pcie_ari_init(pdev, sva_ext_cap_next(pdev));
    }
}

bool pasid_dev_vfs_init(PasidDev *s, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    /* The last one: QEMU's reset of it clears 4 bytes more than it has. */
    uint16_t cap = sva_ext_cap_next(pdev);
    uint8_t type = PCI_BASE_ADDRESS_SPACE_MEMORY;

    if (!s->num_vfs) {
        return true;
    }
    if (!pcie_sriov_pf_init(pdev, cap, TYPE_PASID_DEV_VF,
                            PASID_DEV_VF_DEVICE_ID, s->num_vfs, s->num_vfs,
                            VF_FIRST_OFFSET, VF_STRIDE, errp)) {
        return false;
    }
    pci_set_word(pdev->config + cap + PCI_SRIOV_SUP_PGSIZE, VF_PAGE_SIZES);
    pci_set_word(pdev->wmask + cap + PCI_SRIOV_SYS_PGSIZE, VF_PAGE_SIZES);
    pcie_sriov_pf_init_vf_bar(pdev, PASID_DEV_BAR, type,
                              vf_bar_bytes(s->vf_queues));
    pcie_sriov_pf_init_vf_bar(pdev, PASID_DEV_MSIX_BAR, type,
                              VF_BAR_ALIGN_BYTES);
    return true;
}

/*
 * Where a virtual function's BARs are is the physical function's to say, and
 * whether they are there its Memory Space Enable (PCIe 9.3.3.3.4). QEMU goes by
 * the virtual function's own, which software sees as 0: see vf_config_read().
 */
static uint16_t vf_memory_enable(PCIDevice *vf)
{
    PCIDevice *pf = pcie_sriov_get_pf(vf);
    uint16_t control = pci_get_word(pf->config + pf->exp.sriov_cap +
                                    PCI_SRIOV_CTRL);

    return control & PCI_SRIOV_CTRL_MSE ? PCI_COMMAND_MEMORY : 0;
}

static void vf_map_bars(PCIDevice *vf)
{
    uint16_t command = pci_get_word(vf->config + PCI_COMMAND);

    pci_default_write_config(vf, PCI_COMMAND, (command & ~PCI_COMMAND_MEMORY) |
                             vf_memory_enable(vf), 2);
}

void pasid_dev_vfs_config_written(PasidDev *s, uint32_t addr, int len)
{
    PCIDevice *pdev = PCI_DEVICE(s);
    uint16_t cap = pdev->exp.sriov_cap;
    bool is_sriov = cap && ranges_overlap(addr, len, cap,
                                          PCI_EXT_CAP_SRIOV_SIZEOF);

    for (unsigned i = 0; cap && i < s->num_vfs; i++) {
        PCIDevice *vf = pdev->exp.sriov_pf.vf[i];

        /* PASIDs may have been turned off. */
        sva_requester_config_written(&PASID_DEV(vf)->requester);
        if (is_sriov) {
            vf_map_bars(vf);
        }
    }
}

bool pasid_dev_vfs_are_possible(PCIDevice *pdev)
{
    uint8_t *cap = pdev->config + pdev->exp.sriov_cap;
    uint16_t control, wanted;

    if (!pdev->exp.sriov_cap) {
        return true;
    }
    control = pci_get_word(cap + PCI_SRIOV_CTRL);
    wanted = pci_get_word(cap + PCI_SRIOV_NUM_VF);
    if (!(control & PCI_SRIOV_CTRL_VFE) ||
        wanted <= pci_get_word(cap + PCI_SRIOV_TOTAL_VF)) {
        return true;
    }
    error_report("%s: the stream is refused: it enables %u virtual functions "
                 "of %u", pasid_dev_name(PASID_DEV(pdev)), wanted,
                 pci_get_word(cap + PCI_SRIOV_TOTAL_VF));
    pci_set_word(cap + PCI_SRIOV_CTRL, control & ~PCI_SRIOV_CTRL_VFE);
    pci_set_word(cap + PCI_SRIOV_NUM_VF, 0);
    return false;
}

/* ---- A virtual function ------------------------------------------------- */

static uint32_t vf_config_read(PCIDevice *pdev, uint32_t addr, int len)
{
    uint32_t value = pci_default_read_config(pdev, addr, len);

    if (range_covers_byte(addr, len, PCI_COMMAND)) {
        value &= ~(PCI_COMMAND_MEMORY << (8 * (PCI_COMMAND - addr)));
    }
    return value;
}

static void vf_config_write(PCIDevice *pdev, uint32_t addr, uint32_t value,
                            int len)
{
    if (range_covers_byte(addr, len, PCI_COMMAND)) {
        unsigned shift = 8 * (PCI_COMMAND - addr);

        value &= ~(PCI_COMMAND_MEMORY << shift);
        value |= vf_memory_enable(pdev) << shift;
    }
    pci_default_write_config(pdev, addr, value, len);
    sva_requester_config_written(&PASID_DEV(pdev)->requester);
    pcie_cap_flr_write_config(pdev, addr, value, len);
    vf_map_bars(pdev);      /* An FLR leaves them where they are. */
}

static void vf_name(PCIDevice *pdev)
{
    PasidDev *pf = PASID_DEV(pcie_sriov_get_pf(pdev));
    g_autofree char *name = g_strdup_printf("%s.vf%u", pasid_dev_name(pf),
                                            pcie_sriov_vf_number(pdev));

    pstrcpy(pdev->name, sizeof(pdev->name), name);
}

static bool vf_add_capabilities(PasidDev *s, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    if (pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "there is no room for the PCI Express capability");
        return false;
    }
    sva_link_init(pdev);
    pcie_cap_flr_init(pdev);
    sva_acs_cap_init(pdev, sva_ext_cap_next(pdev));
    pasid_dev_ari_init(pdev);

    memory_region_init(&s->msix_bar, OBJECT(s), TYPE_PASID_DEV_VF "-msix",
                       VF_BAR_ALIGN_BYTES);
    if (msix_init(pdev, s->num_queues, &s->msix_bar, PASID_DEV_MSIX_BAR, 0,
                  &s->msix_bar, PASID_DEV_MSIX_BAR, VF_BAR_ALIGN_BYTES / 2, 0,
                  errp)) {
        pcie_cap_exit(pdev);
        return false;
    }
    for (unsigned i = 0; i < s->num_queues; i++) {
        msix_vector_use(pdev, i);
    }
    pci_register_bar(pdev, PASID_DEV_MSIX_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->msix_bar);
    return true;
}

static void vf_realize(PCIDevice *pdev, Error **errp)
{
    PasidDev *s = PASID_DEV(pdev);
    PasidDev *pf = PASID_DEV(pcie_sriov_get_pf(pdev));

    s->num_queues = pf->vf_queues;
    s->num_jobs = pf->num_jobs;
    s->pasid_bits = pf->pasid_bits;
    s->can_stall = pf->can_stall;
    s->privileged = pf->privileged;
    s->pasid_cap = pf->pasid_cap;
    s->ats = pf->ats;
    s->ats.pri = ON_OFF_AUTO_OFF;       /* The physical function's counts. */
    s->misbehave = pf->misbehave;       /* ... and its string. */
    vf_name(pdev);
    if (!vf_add_capabilities(s, errp)) {
        return;
    }
    pasid_dev_function_init(s, vf_bar_bytes(s->num_queues));
    sva_requester_share_pages(&s->requester, &pf->requester);
}

static void vf_exit(PCIDevice *pdev)
{
    PasidDev *s = PASID_DEV(pdev);

    pasid_dev_queues_exit(s);
    sva_requester_fini(&s->requester);
    msix_uninit(pdev, &s->msix_bar, &s->msix_bar);
    pcie_cap_exit(pdev);
}

static void vf_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    dc->desc = "Virtual function of pasid-dev";
    dc->user_creatable = false;

    pc->realize = vf_realize;
    pc->exit = vf_exit;
    pc->config_read = vf_config_read;
    pc->config_write = vf_config_write;
    pc->device_id = PASID_DEV_VF_DEVICE_ID;
}

static const TypeInfo vf_types[] = {
    {
        .name = TYPE_PASID_DEV_VF,
        .parent = TYPE_PASID_DEV_FUNCTION,
        .class_init = vf_class_init,
    },
};

DEFINE_TYPES(vf_types)
