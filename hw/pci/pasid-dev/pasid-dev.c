/*
 * pasid-dev, a synthetic accelerator that works in the address spaces of
 * processes (docs/specs/pasid-dev.rst): the PCI function, its capabilities,
 * properties and reset. Called by QEMU's object model and PCI core; for the
 * rest see pasid-dev-regs.c, -queue.c and -migration.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/sva-compat.h"
#include "hw/pci/sva-port.h"
#include "hw/resettable.h"
#include "hw/pci/sva/capability.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev.h"

/* PCIe's base class "processing accelerator" */
#define PASID_DEV_PCI_CLASS     0x1200
/* Where our capabilities are; nobody else adds any. */
#define PASID_CAP_OFFSET        0x100

static void pasid_dev_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                                   int len)
{
    pci_default_write_config(pdev, addr, val, len);
    sva_requester_config_written(&PASID_DEV(pdev)->requester);
    pcie_cap_flr_write_config(pdev, addr, val, len);
}

static void pasid_dev_reset_hold(Object *obj, ResetType type)
{
    PasidDev *s = PASID_DEV(obj);

    pasid_dev_queues_reset(s);
    sva_requester_reset(&s->requester);
}

static bool pasid_dev_check_properties(PasidDev *s, Error **errp)
{
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
    return sva_requester_check_options(&s->ats, errp);
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
    sva_pasid_cap_init(pdev, PASID_CAP_OFFSET, s->pasid_bits, false,
                       s->privileged);
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

static void pasid_dev_realize(PCIDevice *pdev, Error **errp)
{
    PasidDev *s = PASID_DEV(pdev);
    uint64_t bar_bytes;

    if (!pasid_dev_check_properties(s, errp) ||
        !pasid_dev_add_capabilities(s, errp)) {
        return;
    }

    bar_bytes = pow2ceil((1 + s->num_queues) * PASID_DEV_PAGE_BYTES);
    memory_region_init_io(&s->bar, OBJECT(s), &pasid_dev_mmio_ops, s,
                          TYPE_PASID_DEV, bar_bytes);
    pci_register_bar(pdev, PASID_DEV_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->bar);

    sva_requester_init(&s->requester, pdev, PASID_CAP_OFFSET, s->can_stall);
    sva_requester_add_ats(&s->requester, &s->ats);
    pasid_dev_queues_init(s);
}

static void pasid_dev_exit(PCIDevice *pdev)
{
    PasidDev *s = PASID_DEV(pdev);

    pasid_dev_queues_exit(s);
    sva_requester_fini(&s->requester);
    msix_uninit_exclusive_bar(pdev);
    pcie_cap_exit(pdev);
}

/* Not in exit, which may come out of the middle of a queue's work. */
static void pasid_dev_finalize(Object *obj)
{
    pasid_dev_queues_free(PASID_DEV(obj));
}

static bool pasid_dev_can_stall(SvaEndpoint *ep)
{
    return PASID_DEV(ep)->can_stall;
}

static unsigned pasid_dev_pasid_bits(SvaEndpoint *ep)
{
    return PASID_DEV(ep)->pasid_bits;
}

/* ---- The type ----------------------------------------------------------- */

static const Property pasid_dev_properties[] = {
    DEFINE_PROP_UINT32("queues", PasidDev, num_queues, 8),
    DEFINE_PROP_UINT32("jobs", PasidDev, num_jobs, 4),
    DEFINE_PROP_UINT32("pasid-bits", PasidDev, pasid_bits, 20),
    DEFINE_PROP_BOOL("can-stall", PasidDev, can_stall, true),
    DEFINE_PROP_BOOL("privileged", PasidDev, privileged, false),
    DEFINE_SVA_ATS_PROPERTIES(PasidDev, ats, true),
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
    sva_requester_describe_properties(oc);
}

static void pasid_dev_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);
    SvaEndpointClass *ec = SVA_ENDPOINT_CLASS(oc);

    dc->desc = "Accelerator working in processes' address spaces (SVA)";
    dc->vmsd = &vmstate_pasid_dev;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, pasid_dev_properties);
    pasid_dev_describe_properties(oc);
    rc->phases.hold = pasid_dev_reset_hold;

    pc->realize = pasid_dev_realize;
    pc->exit = pasid_dev_exit;
    pc->config_write = pasid_dev_config_write;
    pc->vendor_id = PASID_DEV_VENDOR_ID;
    pc->device_id = PASID_DEV_DEVICE_ID;
    pc->revision = PASID_DEV_VERSION_VALUE;
    pc->class_id = PASID_DEV_PCI_CLASS;

    ec->can_stall = pasid_dev_can_stall;
    ec->pasid_bits = pasid_dev_pasid_bits;
}

static const TypeInfo pasid_dev_types[] = {
    {
        .name = TYPE_PASID_DEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PasidDev),
        .instance_finalize = pasid_dev_finalize,
        .class_init = pasid_dev_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { TYPE_SVA_ENDPOINT },
            { }
        },
    },
};

DEFINE_TYPES(pasid_dev_types)
