/*
 * pasid-dev, a synthetic accelerator that works in the address spaces of
 * processes (docs/specs/pasid-dev.rst): the physical PCI function, its
 * capabilities and properties. Called by QEMU's object model and PCI core; for
 * the rest see pasid-dev-function.c, -regs.c, -queue.c, -migration.c and -vf.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/sva-compat.h"
#include "hw/pci/sva/capability.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev.h"

static void pasid_dev_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                                   int len)
{
    PasidDev *s = PASID_DEV(pdev);

    sva_worker_enter(&s->worker);
    pci_default_write_config(pdev, addr, val, len);
    sva_requester_config_written(&PASID_DEV(pdev)->requester);
    pcie_cap_flr_write_config(pdev, addr, val, len);
    pasid_dev_vfs_config_written(PASID_DEV(pdev), addr, len);
    sva_worker_leave(&s->worker);
}

static bool pasid_dev_check_properties(PasidDev *s, Error **errp)
{
    uint64_t faults;

    if (s->num_queues < 1 || s->num_queues > PASID_DEV_MAX_QUEUES) {
        error_setg(errp, "queues=%u is not in the range of 1 to %u",
                   s->num_queues, PASID_DEV_MAX_QUEUES);
        return false;
    }
    if (s->num_jobs < 1 || s->num_jobs > PASID_DEV_MAX_JOBS) {
        error_setg(errp, "jobs=%u is not in the range of 1 to %u",
                   s->num_jobs, PASID_DEV_MAX_JOBS);
        error_append_hint(errp, "It is how many jobs of a queue may be in work "
                          "at once.\n");
        return false;
    }
    if (s->pasid_bits < 1 || s->pasid_bits > 20) {
        error_setg(errp, "pasid-bits=%u is not in the range of 1 to 20",
                   s->pasid_bits);
        error_append_hint(errp, "PCIe's PASIDs have at most 20 bits.\n");
        return false;
    }
    if (s->misbehave && !sva_misbehave_parse(s->misbehave, &faults, errp)) {
        return false;
    }
    return sva_requester_check_options(&s->ats, errp) &&
           pasid_dev_check_vf_properties(s, errp);
}

/*
 * In extended configuration space. Not the PASID capability first, which vfio
 * hides from a virtual machine.
 */
static void pasid_dev_add_extended(PasidDev *s)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    sva_serial_cap_init(pdev, sva_ext_cap_next(pdev));
    if (s->num_vfs || sva_has_siblings(pdev)) {
        sva_acs_cap_init(pdev, sva_ext_cap_next(pdev));
    }
    s->pasid_cap = sva_ext_cap_next(pdev);
    sva_pasid_cap_init(pdev, s->pasid_cap, s->pasid_bits, s->execute,
                       s->privileged);
}

static void pasid_dev_set_faults(PasidDev *s)
{
    uint64_t faults;

    if (s->misbehave &&
        sva_misbehave_parse(s->misbehave, &faults, &error_abort)) {
        sva_requester_set_faults(&s->requester, faults);
    }
}

static bool pasid_dev_add_capabilities(PasidDev *s, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    if (pcie_endpoint_cap_init(pdev, 0) < 0) {
        error_setg(errp, "there is no room for the PCI Express capability");
        return false;
    }
    if (!sva_pm_cap_init(pdev, errp)) {
        pcie_cap_exit(pdev);
        return false;
    }
    sva_link_init(pdev);
    pcie_cap_flr_init(pdev);
    pasid_dev_add_extended(s);
    if (msix_init_exclusive_bar(pdev, s->num_queues, PASID_DEV_MSIX_BAR,
                                errp)) {
        pcie_cap_exit(pdev);
        return false;
    }
    for (unsigned i = 0; i < s->num_queues; i++) {
        msix_vector_use(pdev, i);
    }
    return true;
}

static void pasid_dev_exit(PCIDevice *pdev)
{
    PasidDev *s = PASID_DEV(pdev);

    pcie_sriov_pf_exit(pdev);
    pasid_dev_queues_exit(s);
    sva_requester_fini(&s->requester);
    msix_uninit_exclusive_bar(pdev);
    pcie_cap_exit(pdev);
}

static void pasid_dev_realize(PCIDevice *pdev, Error **errp)
{
    PasidDev *s = PASID_DEV(pdev);

    if (!pasid_dev_check_properties(s, errp) ||
        !pasid_dev_add_capabilities(s, errp)) {
        return;
    }
    pasid_dev_function_init(s, pow2ceil((1 + s->num_queues) *
                                        PASID_DEV_PAGE_BYTES));
    pasid_dev_set_faults(s);
    if (s->num_vfs) {
        pasid_dev_ari_init(pdev);
    }
    if (!pasid_dev_vfs_init(s, errp)) {
        pdev->exp.sriov_cap = 0;    /* None of its functions is left. */
        pasid_dev_exit(pdev);
    }
}

/* ---- The type ----------------------------------------------------------- */

static const Property pasid_dev_properties[] = {
    DEFINE_PROP_UINT32("queues", PasidDev, num_queues, 8),
    DEFINE_PROP_UINT32("jobs", PasidDev, num_jobs, 4),
    DEFINE_PROP_UINT32("pasid-bits", PasidDev, pasid_bits, 20),
    DEFINE_PROP_BOOL("can-stall", PasidDev, can_stall, true),
    DEFINE_PROP_BOOL("privileged", PasidDev, privileged, false),
    DEFINE_PROP_BOOL("execute", PasidDev, execute, false),
    DEFINE_SVA_ATS_PROPERTIES(PasidDev, ats, true),
    DEFINE_PROP_UINT32("vfs", PasidDev, num_vfs, 0),
    DEFINE_PROP_UINT32("vf-queues", PasidDev, vf_queues, 1),
    DEFINE_PROP_LINK("iothread", PasidDev, iothread, TYPE_IOTHREAD,
                     IOThread *),
    DEFINE_PROP_STRING("x-misbehave", PasidDev, misbehave),
};

static void pasid_dev_describe_properties(ObjectClass *oc)
{
    object_class_property_set_description(oc, "queues",
        "Work queues, each with a portal page and an MSI-X vector (1 to 256)");
    object_class_property_set_description(oc, "jobs",
        "Jobs of a queue that may be in work at once (1 to 16)");
    object_class_property_set_description(oc, "pasid-bits",
        "Width of its PASIDs (1 to 20)");
    object_class_property_set_description(oc, "can-stall",
        "Its accesses wait while software handles their page faults");
    object_class_property_set_description(oc, "privileged",
        "Queues may ask for privileged accesses (PASID Privileged Mode)");
    object_class_property_set_description(oc, "execute",
        "Probes may ask for the right to execute (PASID Execute Permission)");
    object_class_property_set_description(oc, "vfs",
        "Virtual functions that software can enable (SR-IOV, 0 to 63)");
    object_class_property_set_description(oc, "vf-queues",
        "Work queues of each virtual function (1 to 16)");
    object_class_property_set_description(oc, "x-misbehave",
        "Faults that it commits on purpose, by name, with '+' between them; "
        "none: its register alone");
    sva_requester_describe_properties(oc);
    object_class_property_set_description(oc, "iothread",
        "The iothread object in whose thread its jobs run");
}

static void pasid_dev_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    dc->desc = "Accelerator working in processes' address spaces (SVA)";
    pasid_dev_migration_init();
    dc->vmsd = &vmstate_pasid_dev;
    device_class_set_props(dc, pasid_dev_properties);
    pasid_dev_describe_properties(oc);

    pc->realize = pasid_dev_realize;
    pc->exit = pasid_dev_exit;
    pc->config_write = pasid_dev_config_write;
    pc->device_id = PASID_DEV_DEVICE_ID;
}

static const TypeInfo pasid_dev_types[] = {
    {
        .name = TYPE_PASID_DEV,
        .parent = TYPE_PASID_DEV_FUNCTION,
        .class_init = pasid_dev_class_init,
    },
};

DEFINE_TYPES(pasid_dev_types)
