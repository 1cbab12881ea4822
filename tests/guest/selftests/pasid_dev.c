/*
 * A driver for pasid-dev in the form that Linux's selftests of vfio have
 * (tools/testing/selftests/vfio): it copies memory and sends an MSI. Not one of
 * Linux's files, and none of theirs is changed: it adds itself to their list
 * of drivers by the linker's --wrap=vfio_pci_driver_probe. Built beside their
 * sources by tools/selftests-build.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <libvfio.h>
#include "pasid-dev-abi.h"

#define QUEUE           0       /* and, by that, MSI-X vector 0 */
#define ENTRIES_LOG2    10
#define ENTRIES         (1u << ENTRIES_LOG2)
/* For all jobs of a call: a guest may have a slow host. */
#define PATIENCE_S      60

/* What the device reads and writes for itself, at the region's begin. */
typedef struct Memory {
    PasidDevDescriptor ring[ENTRIES];
    PasidDevCompletion done[ENTRIES];
    uint16_t tail;              /* first slot not filled, free-running */
    uint16_t oldest;            /* first one not looked at */
} Memory;

static Memory *memory_of(struct vfio_pci_device *device)
{
    return device->driver.region.vaddr;
}

static volatile uint8_t *admin(struct vfio_pci_device *device)
{
    return device->bars[PASID_DEV_BAR].vaddr;
}

static volatile uint8_t *portal(struct vfio_pci_device *device)
{
    return admin(device) + (1 + QUEUE) * PASID_DEV_PAGE_BYTES;
}

static uint32_t read32(volatile uint8_t *page, unsigned reg)
{
    return *(volatile uint32_t *)(page + reg);
}

/* What was written to memory before is there before the register is. */
static void write32(volatile uint8_t *page, unsigned reg, uint32_t value)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#ifdef __aarch64__
    __asm__ volatile("dmb oshst" ::: "memory");
#endif
    *(volatile uint32_t *)(page + reg) = value;
}

static void write64(volatile uint8_t *page, unsigned reg, uint64_t value)
{
    *(volatile uint64_t *)(page + reg) = value;
}

static int probe(struct vfio_pci_device *device)
{
    return vfio_pci_device_match(device, PASID_DEV_VENDOR_ID,
                                 PASID_DEV_DEVICE_ID) ? 0 : -EINVAL;
}

static void init(struct vfio_pci_device *device)
{
    Memory *m = memory_of(device);
    volatile uint8_t *q = portal(device);

    VFIO_ASSERT_GE(device->driver.region.size, sizeof(*m));
    vfio_pci_cmd_set(device, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    VFIO_ASSERT_EQ(read32(admin(device), PASID_DEV_MAGIC),
                   PASID_DEV_MAGIC_VALUE);
    memset(m, 0, sizeof(*m));
    write32(q, PASID_DEV_Q_CTRL, 0);
    write32(admin(device), PASID_DEV_QUEUE_PASID(QUEUE), 0);
    write32(admin(device), PASID_DEV_QUEUE_FLAGS(QUEUE), 0);
    write64(q, PASID_DEV_Q_RING, to_iova(device, m->ring));
    write64(q, PASID_DEV_Q_COMPLETIONS, to_iova(device, m->done));
    write32(q, PASID_DEV_Q_SIZE_LOG2, ENTRIES_LOG2);
    vfio_pci_msix_enable(device, QUEUE, 1);
    write32(q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ);
    VFIO_ASSERT_NE(read32(q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_ENABLED,
                   0u);

    device->driver.max_memcpy_size = 1 << 20;
    device->driver.max_memcpy_count = ENTRIES;
    device->driver.msi = QUEUE;
}

static void remove_driver(struct vfio_pci_device *device)
{
    write32(portal(device), PASID_DEV_Q_CTRL, 0);
    vfio_pci_msix_disable(device);
    vfio_pci_cmd_clear(device, PCI_COMMAND_MASTER);
}

static void put(Memory *m, const PasidDevDescriptor *job)
{
    unsigned slot = m->tail % ENTRIES;

    m->ring[slot] = *job;
    m->done[slot].status = PASID_DEV_DONE_PENDING;
    m->tail++;
}

/* All jobs, in order. -EIO: one was refused; -ETIMEDOUT. */
static int wait_for_all(struct vfio_pci_device *device)
{
    Memory *m = memory_of(device);
    time_t end = time(NULL) + PATIENCE_S;
    int ret = 0;

    while (m->oldest != m->tail) {
        uint32_t status = __atomic_load_n(&m->done[m->oldest % ENTRIES].status,
                                          __ATOMIC_ACQUIRE);

        if (status == PASID_DEV_DONE_PENDING) {
            if (read32(portal(device), PASID_DEV_Q_STATUS) &
                PASID_DEV_Q_STATUS_ERROR) {
                return -EIO;
            }
            if (time(NULL) > end) {
                return -ETIMEDOUT;
            }
            continue;
        }
        if (status != PASID_DEV_DONE_OK) {
            ret = -EIO;
        }
        m->oldest++;
    }
    return ret;
}

static void memcpy_start(struct vfio_pci_device *device, iova_t src, iova_t dst,
                         u64 size, u64 count)
{
    Memory *m = memory_of(device);
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_COPY, .src = src, .dst = dst, .len = size,
    };

    for (u64 i = 0; i < count; i++) {
        put(m, &job);
    }
    write32(portal(device), PASID_DEV_Q_TAIL, m->tail);
}

static void send_msi(struct vfio_pci_device *device)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_NOP, .flags = PASID_DEV_DESC_IRQ,
    };

    put(memory_of(device), &job);
    write32(portal(device), PASID_DEV_Q_TAIL, memory_of(device)->tail);
    VFIO_ASSERT_EQ(wait_for_all(device), 0);
}

static const struct vfio_pci_driver_ops pasid_dev_ops = {
    .name = "pasid-dev",
    .probe = probe,
    .init = init,
    .remove = remove_driver,
    .memcpy_start = memcpy_start,
    .memcpy_wait = wait_for_all,
    .send_msi = send_msi,
};

void __real_vfio_pci_driver_probe(struct vfio_pci_device *device);
void __wrap_vfio_pci_driver_probe(struct vfio_pci_device *device);

/* Their list first; then we are one more. */
void __wrap_vfio_pci_driver_probe(struct vfio_pci_device *device)
{
    __real_vfio_pci_driver_probe(device);
    if (!device->driver.ops && !pasid_dev_ops.probe(device)) {
        device->driver.ops = &pasid_dev_ops;
    }
}
