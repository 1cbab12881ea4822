/*
 * See moving-page.h. The page is an IOMMU's region, for that is asked each time
 * that an address is looked up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/pci/sva-compat.h"
#include "moving-page.h"
#include "sva-testdev-abi.h"

#define TYPE_SVA_MOVING_PAGE "sva-moving-page"

enum { PAGE_BYTES = SVA_TESTDEV_MOVING_PAGE };

/* ---- The page ----------------------------------------------------------- */

static IOMMUTLBEntry page_translate(IOMMUMemoryRegion *iommu, hwaddr addr,
                                    IOMMUAccessFlags flag, int index)
{
    SvaMovingPage *m = container_of(iommu, SvaMovingPage, page);
    IOMMUTLBEntry entry = {
        .target_as = &m->as, .addr_mask = PAGE_BYTES - 1, .perm = IOMMU_RW,
    };

    if (m->left) {
        m->left--;
        entry.target_as = &address_space_memory;
        entry.translated_addr = m->ram;
    }
    return entry;
}

static uint64_t elsewhere_read(void *opaque, hwaddr offset, unsigned size)
{
    SvaMovingPage *m = opaque;

    m->strays++;
    return 0;
}

static void elsewhere_write(void *opaque, hwaddr offset, uint64_t value,
                            unsigned size)
{
    SvaMovingPage *m = opaque;

    m->strays++;
}

static const MemoryRegionOps elsewhere_ops = {
    .read = elsewhere_read,
    .write = elsewhere_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* ---- Its registers ------------------------------------------------------ */

static uint64_t registers_read(void *opaque, hwaddr offset, unsigned size)
{
    SvaMovingPage *m = opaque;

    switch (offset) {
    case SVA_TESTDEV_MOVING_RAM:
        return m->ram;
    case SVA_TESTDEV_MOVING_LEFT:
        return m->left;
    case SVA_TESTDEV_MOVING_STRAYS:
        return m->strays;
    default:
        return 0;
    }
}

static void registers_write(void *opaque, hwaddr offset, uint64_t value,
                            unsigned size)
{
    SvaMovingPage *m = opaque;

    switch (offset) {
    case SVA_TESTDEV_MOVING_RAM:
        m->ram = value & ~(uint64_t)(PAGE_BYTES - 1);
        break;
    case SVA_TESTDEV_MOVING_LEFT:
        m->left = value;
        m->strays = 0;
        break;
    default:
        break;
    }
}

static const MemoryRegionOps registers_ops = {
    .read = registers_read,
    .write = registers_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 8, .max_access_size = 8 },
    .impl = { .min_access_size = 8, .max_access_size = 8 },
};

/* ---- Life --------------------------------------------------------------- */

void sva_moving_page_init(SvaMovingPage *m, PCIDevice *pdev, int bar)
{
    Object *owner = OBJECT(pdev);

    memory_region_init(&m->bar, owner, "sva-testdev-moving", 2 * PAGE_BYTES);
    memory_region_init_io(&m->registers, owner, &registers_ops, m,
                          "sva-testdev-moving-registers", PAGE_BYTES);
    memory_region_init_iommu(&m->page, sizeof(m->page), TYPE_SVA_MOVING_PAGE,
                             owner, "sva-testdev-moving-page", PAGE_BYTES);
    memory_region_init_io(&m->elsewhere, owner, &elsewhere_ops, m,
                          "sva-testdev-moving-elsewhere", PAGE_BYTES);
    memory_region_add_subregion(&m->bar, 0, &m->registers);
    memory_region_add_subregion(&m->bar, PAGE_BYTES, MEMORY_REGION(&m->page));
    address_space_init(&m->as, &m->elsewhere, "sva-testdev-moving-elsewhere");
    pci_register_bar(pdev, bar, PCI_BASE_ADDRESS_SPACE_MEMORY, &m->bar);
}

void sva_moving_page_exit(SvaMovingPage *m)
{
    /* Each holds a reference to the device */
    memory_region_del_subregion(&m->bar, &m->registers);
    memory_region_del_subregion(&m->bar, MEMORY_REGION(&m->page));
    address_space_destroy(&m->as);
}

void sva_moving_page_reset(SvaMovingPage *m)
{
    m->ram = m->left = m->strays = 0;
}

bool sva_moving_page_is_in_use(const SvaMovingPage *m)
{
    return m->ram || m->left || m->strays;
}

const VMStateDescription vmstate_sva_moving_page = {
    .name = "sva-testdev/moving-page",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(ram, SvaMovingPage),
        VMSTATE_UINT64(left, SvaMovingPage),
        VMSTATE_UINT64(strays, SvaMovingPage),
        VMSTATE_END_OF_LIST()
    }
};

/* ---- The page's type ---------------------------------------------------- */

static void page_class_init(ObjectClass *oc, SvaClassData *data)
{
    IOMMU_MEMORY_REGION_CLASS(oc)->translate = page_translate;
}

static const TypeInfo moving_page_types[] = {
    {
        .name = TYPE_SVA_MOVING_PAGE,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = page_class_init,
    },
};

DEFINE_TYPES(moving_page_types)
