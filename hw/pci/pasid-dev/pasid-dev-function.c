/*
 * What the physical and the virtual functions of pasid-dev have in common as
 * PCI functions: IDs, BAR0, requester, queues, reset, and what firmware is told
 * of them. Neither of the two. Called by pasid-dev.c, pasid-dev-vf.c, QEMU's
 * object model and the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/pci/sva-compat.h"
#include "hw/pci/sva-port.h"
#include "hw/resettable.h"
#include "pasid-dev.h"

void pasid_dev_function_init(PasidDev *s, uint64_t bar_bytes)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    memory_region_init_io(&s->bar, OBJECT(s), &pasid_dev_mmio_ops, s,
                          object_get_typename(OBJECT(s)), bar_bytes);
    pci_register_bar(pdev, PASID_DEV_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->bar);

    sva_requester_init(&s->requester, pdev, s->pasid_cap, s->can_stall);
    sva_requester_add_ats(&s->requester, &s->ats);
    pasid_dev_queues_init(s);
}

/* Not in exit, which may come out of the middle of a queue's work. */
static void pasid_dev_finalize(Object *obj)
{
    pasid_dev_queues_fini(PASID_DEV(obj));
}

static bool pasid_dev_can_stall(SvaEndpoint *ep)
{
    return PASID_DEV(ep)->can_stall;
}

static unsigned pasid_dev_pasid_bits(SvaEndpoint *ep)
{
    return PASID_DEV(ep)->pasid_bits;
}

static void pasid_dev_reset_hold(Object *obj, ResetType type)
{
    PasidDev *s = PASID_DEV(obj);

    sva_worker_enter(&s->worker);
    pasid_dev_queues_reset(s);
    sva_requester_reset(&s->requester);
    sva_worker_leave(&s->worker);
}

/* What both kinds inherit. */
static void pasid_dev_function_class_init(ObjectClass *oc, SvaClassData *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);
    SvaEndpointClass *ec = SVA_ENDPOINT_CLASS(oc);

    set_bit(DEVICE_CATEGORY_MISC, DEVICE_CLASS(oc)->categories);
    rc->phases.hold = pasid_dev_reset_hold;
    pc->vendor_id = PASID_DEV_VENDOR_ID;
    pc->revision = PASID_DEV_VERSION_VALUE;
    pc->class_id = PASID_DEV_PCI_CLASS;
    ec->can_stall = pasid_dev_can_stall;
    ec->pasid_bits = pasid_dev_pasid_bits;
}

static const TypeInfo function_types[] = {
    {
        .name = TYPE_PASID_DEV_FUNCTION,
        .parent = TYPE_PCI_DEVICE,
        .abstract = true,
        .instance_size = sizeof(PasidDev),
        .instance_finalize = pasid_dev_finalize,
        .class_init = pasid_dev_function_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { TYPE_SVA_ENDPOINT },
            { }
        },
    },
};

DEFINE_TYPES(function_types)
