/*
 * pasid-dev copies to pages that are not there, by stalls: event, interrupt,
 * this guest maps, the job goes on and interrupts in its turn. A program of its
 * own; see run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "accel-rig.h"
#include "irq.h"
#include "pci.h"

/* ---- One queue ---------------------------------------------------------- */

static void copy_faults(bool messages)
{
    PasidDevCompletion record;

    set_up((SmmuSetup) { .messages = messages }, true);
    make_source(1);
    record = do_job(0, &copy_all);
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    CHECK_EQ(record.progress, PAGES * PAGE_BYTES);
    expect_copied(1, PAGES);
    CHECK_EQ(pager.mapped, PAGES);
    CHECK_EQ(pager.stalls, PAGES);
    CHECK_EQ(accel_read64(PASID_DEV_COUNT_STALLS), PAGES);
    CHECK_EQ(accel_read64(PASID_DEV_COUNT_ABORTS), 0);
    WAIT_FOR(queues[0].interrupts == 1);
    /* The second time nothing is missing. */
    record = do_job(0, &copy_all);
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    CHECK_EQ(pager.stalls, PAGES);
    WAIT_FOR(queues[0].interrupts == 2);
}

static void test_by_wire(void)
{
    copy_faults(false);
}

static void test_by_message(void)
{
    copy_faults(true);
}

/* The pages before the one that is refused are written, and it goes on. */
static void test_denied(void)
{
    PasidDevDescriptor job = copy_all;
    PasidDevCompletion record;

    set_up((SmmuSetup) { 0 }, true);
    make_source(1);
    job.dst = BEYOND - 4 * PAGE_BYTES;
    record = do_job(0, &job);
    CHECK_EQ(record.status, PASID_DEV_DONE_FAULT_WRITE);
    CHECK_EQ(record.fault_addr, BEYOND);
    CHECK_EQ(record.progress, 4 * PAGE_BYTES);
    CHECK_EQ(pager.denied, 1);
    CHECK_EQ(pager.mapped, 4);
    record = do_job(0, &copy_all);
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    expect_copied(1, PAGES);
}

/* ---- Many --------------------------------------------------------------- */

/*
 * All queues stall, each in an address space of its own, with room for two
 * events: the others' records wait until the handler has made room.
 */
static void test_queues(void)
{
    unsigned slots[QUEUES];

    set_up((SmmuSetup) { .eventq_log2 = 1 }, true);
    for (unsigned pasid = 1; pasid <= QUEUES; pasid++) {
        make_source(pasid);
    }
    irq_mask();
    for (unsigned n = 0; n < QUEUES; n++) {
        slots[n] = accel_submit(&queues[n], &copy_all);
    }
    WAIT_FOR(all_stalled());
    CHECK_EQ(pager.stalls, 0);
    irq_unmask();
    expect_all_copied(slots);
    CHECK_EQ(pager.stalls, QUEUES * PAGES);
}

/* ---- Without a fault ---------------------------------------------------- */

#define MESSAGE UINT64_C(0x7c0000000000)

/*
 * Who reads of a register that a job is done has its interrupt behind him. It is
 * a word in memory here: the CPU looks in the next moment, before any other
 * thread could have made good what the read left undone.
 */
static void test_interrupt_order(void)
{
    const PasidDevDescriptor no_op = { .op = PASID_DEV_OP_NOP };
    volatile uint32_t *word = arena_page();
    AccelQueue *q = &queues[0];

    set_up((SmmuSetup) { 0 }, true);
    space_map(&spaces[0], MESSAGE, pa_of((void *)word), 0);
    pci_msix(accel_devfn(), q->n, MESSAGE, 1);
    for (unsigned i = 0; i < 3000; i++) {
        *word = 0;
        dsb();
        accel_submit(q, &no_op);
        WAIT_FOR(accel_queue_read32(q, PASID_DEV_Q_HEAD) == (q->tail & 0xffff));
        CHECK_EQ(*word, 1);
    }
}

static const TestCase cases[] = {
    { "/baremetal/accel-stall/copy/wire", test_by_wire },
    { "/baremetal/accel-stall/copy/message", test_by_message },
    { "/baremetal/accel-stall/denied", test_denied },
    { "/baremetal/accel-stall/queues", test_queues },
    { "/baremetal/accel-stall/interrupt-order", test_interrupt_order },
};

int main(void)
{
    irq_init();
    guest_exit(TAP_RUN(cases));
}
