/*
 * See accel.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "accel.h"
#include "arena.h"
#include "irq.h"
#include "pci.h"
#include "tap.h"

#define PASID_CONTROL   0x06    /* PCIe 7.8.8.3 */
#define PASID_ENABLE    0x1
#define ATS_CONTROL     0x06    /* PCIe 10.5.1.3 */
#define ATS_ENABLE      0x8000
#define PRI_CONTROL     0x04    /* PCIe 10.5.2 */
#define PRI_STATUS      0x06
#define PRI_ALLOCATION  0x0c
#define SLOTS           (1u << ACCEL_SLOTS_LOG2)

static int devfn = -1;
static uint64_t registers;

static void queue_interrupt(void *opaque)
{
    AccelQueue *q = opaque;

    q->interrupts++;
}

void accel_start(void)
{
    devfn = pci_find(PASID_DEV_VENDOR_ID, PASID_DEV_DEVICE_ID);
    CHECK(devfn >= 0);
    pci_enable(devfn);
    pci_reset(devfn);
    registers = pci_bar(devfn, PASID_DEV_BAR);
    CHECK_EQ(accel_read32(PASID_DEV_MAGIC), PASID_DEV_MAGIC_VALUE);
    pci_write(devfn, pci_extended(devfn, PCI_ECAP_PASID) + PASID_CONTROL, 2,
              PASID_ENABLE);
}

unsigned accel_devfn(void)
{
    return devfn;
}

uint32_t accel_read32(unsigned reg)
{
    return read32(registers + reg);
}

uint64_t accel_read64(unsigned reg)
{
    return read64(registers + reg);
}

void accel_ats(bool enable)
{
    pci_write(devfn, pci_extended(devfn, PCI_ECAP_ATS) + ATS_CONTROL, 2,
              enable ? ATS_ENABLE : 0);
}

static unsigned pri_register(unsigned offset)
{
    return pci_extended(devfn, PCI_ECAP_PRI) + offset;
}

void accel_pri(uint16_t control)
{
    pci_write(devfn, pri_register(PRI_CONTROL), 2, control);
}

void accel_pri_allocate(uint32_t requests)
{
    pci_write(devfn, pri_register(PRI_ALLOCATION), 4, requests);
}

uint16_t accel_pri_status(void)
{
    return pci_read(devfn, pri_register(PRI_STATUS), 2);
}

static uint64_t portal(const AccelQueue *q, unsigned reg)
{
    return registers + (q->n + 1) * PASID_DEV_PAGE_BYTES + reg;
}

uint32_t accel_queue_read32(const AccelQueue *q, unsigned reg)
{
    return read32(portal(q, reg));
}

void accel_queue_start(AccelQueue *q, unsigned n, uint32_t pasid,
                       Space *space, Space *messages)
{
    uint64_t va = ACCEL_RING_VA(n);

    *q = (AccelQueue) {
        .n = n, .ring = arena_page(), .records = arena_page(),
    };
    space_map(space, va, pa_of(q->ring), 0);
    space_map(space, va + PAGE_BYTES, pa_of(q->records), 0);
    space_map(messages, irq_doorbell(), irq_doorbell(), 0);
    irq_connect_msi(devfn, n, queue_interrupt, q);
    pci_msix(devfn, n, irq_doorbell(), n);
    write32(registers + PASID_DEV_QUEUE_PASID(n),
            PASID_DEV_PASID_VALID | pasid);
    write64(portal(q, PASID_DEV_Q_RING), va);
    write64(portal(q, PASID_DEV_Q_COMPLETIONS), va + PAGE_BYTES);
    write32(portal(q, PASID_DEV_Q_SIZE_LOG2), ACCEL_SLOTS_LOG2);
    write32(portal(q, PASID_DEV_Q_CTRL),
            PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ);
    CHECK(accel_queue_read32(q, PASID_DEV_Q_STATUS) &
          PASID_DEV_Q_STATUS_ENABLED);
}

unsigned accel_submit(AccelQueue *q, const PasidDevDescriptor *job)
{
    unsigned slot = q->tail % SLOTS;

    q->ring[slot] = *job;
    q->ring[slot].flags |= PASID_DEV_DESC_IRQ;
    q->records[slot] = (PasidDevCompletion) { .status = 0 };
    q->tail++;
    write32(portal(q, PASID_DEV_Q_TAIL), q->tail & 0xffff);
    return slot;
}

bool accel_is_done(const AccelQueue *q, unsigned slot)
{
    volatile PasidDevCompletion *record = &q->records[slot];

    return record->status != PASID_DEV_DONE_PENDING;
}

PasidDevCompletion accel_wait(const AccelQueue *q, unsigned slot)
{
    WAIT_FOR(accel_is_done(q, slot));
    dsb();
    return *(volatile PasidDevCompletion *)&q->records[slot];
}
