/*
 * The interface types of include/hw/pci/sva-port.h and the calls through them.
 * No state and no policy: those are the IOMMU's and the endpoint's.
 * Called by endpoints (requester.c) and by the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/sva-port.h"
#include "qemu/module.h"
#include "qom/object.h"

/*
 * An interface's class takes a look-up by name, too slow for each access; all
 * ports of a machine are of one type. The big lock guards the two variables.
 */
static SvaPortClass *sva_port_class(SvaPort *port)
{
    static ObjectClass *last_type;
    static SvaPortClass *last_class;
    ObjectClass *type = object_get_class(OBJECT(port));

    if (type != last_type) {
        last_class = SVA_PORT_CLASS(type);
        last_type = type;
    }
    return last_class;
}

SvaPort *sva_port_find(PCIDevice *dev)
{
    AddressSpace *as = pci_device_iommu_address_space(dev);

    return (SvaPort *)object_dynamic_cast(OBJECT(as->root), TYPE_SVA_PORT);
}

SvaOutcome sva_port_submit(SvaPort *port, SvaRequest *req)
{
    return sva_port_class(port)->submit(port, req);
}

void sva_port_cancel(SvaPort *port, SvaRequest *req)
{
    sva_port_class(port)->cancel(port, req);
}

AddressSpace *sva_port_target(SvaPort *port)
{
    return sva_port_class(port)->target(port);
}

void sva_port_set_client(SvaPort *port, SvaClient *client)
{
    sva_port_class(port)->set_client(port, client);
}

void sva_port_invalidated(SvaPort *port)
{
    sva_port_class(port)->invalidated(port);
}

void sva_port_page_request(SvaPort *port, const SvaPageRequest *req)
{
    sva_port_class(port)->page_request(port, req);
}

static const TypeInfo sva_port_types[] = {
    {
        .name = TYPE_SVA_PORT,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(SvaPortClass),
    },
    {
        .name = TYPE_SVA_ENDPOINT,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(SvaEndpointClass),
    },
};

DEFINE_TYPES(sva_port_types)
