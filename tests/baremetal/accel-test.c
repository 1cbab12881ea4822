/*
 * pasid-dev copies to pages that are not there, by stalls: event, interrupt,
 * this guest maps, the job goes on and interrupts in its turn. A program of its
 * own; see run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "accel.h"
#include "arena.h"
#include "irq.h"
#include "pager.h"
#include "tap.h"

#define SRC     UINT64_C(0x7e0000000000)
#define DST     UINT64_C(0x7f0000000000)    /* nothing is there, at first */
#define BEYOND  UINT64_C(0x7f0000100000)    /* nor here, and never is */
enum { QUEUES = 8, PAGES = 16 };

static Pager pager;
static Stream stream;
static Space spaces[QUEUES + 1];            /* by PASID; 0: without */
static AccelQueue queues[QUEUES];           /* queue n has PASID n + 1 */

static void set_up(SmmuSetup setup)
{
    pager = (Pager) { .first = DST, .last = BEYOND - 1 };
    setup.listener = pager_listener(&pager);
    accel_start();
    smmu_start(&setup);
    stream_start(&stream, accel_devfn());
    for (unsigned pasid = 0; pasid <= QUEUES; pasid++) {
        space_init(&spaces[pasid], pasid + 1);
        pager.spaces[pasid] = &spaces[pasid];
        stream_attach(&stream, pasid, &spaces[pasid], true);
    }
    for (unsigned n = 0; n < QUEUES; n++) {
        accel_queue_start(&queues[n], n, n + 1, &spaces[n + 1], &spaces[0]);
    }
}

static uint64_t word_of(unsigned pasid, unsigned index)
{
    return (uint64_t)pasid << 56 | (index + 1) * UINT64_C(0x9e3779b97f4a7c);
}

/* What is to be copied, in the address space of @pasid. */
static void make_source(unsigned pasid)
{
    for (unsigned page = 0; page < PAGES; page++) {
        uint64_t *words = arena_page();

        for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
            words[i] = word_of(pasid, page * PAGE_BYTES / 8 + i);
        }
        space_map(&spaces[pasid], SRC + page * PAGE_BYTES, pa_of(words), 0);
    }
}

static void expect_copied(unsigned pasid, unsigned pages)
{
    for (unsigned page = 0; page < pages; page++) {
        uint64_t pa = space_pa(&spaces[pasid], DST + page * PAGE_BYTES);
        const uint64_t *words = at_pa(pa);

        CHECK(pa);
        for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
            CHECK_EQ(words[i], word_of(pasid, page * PAGE_BYTES / 8 + i));
        }
    }
}

static const PasidDevDescriptor copy_all = {
    .op = PASID_DEV_OP_COPY, .src = SRC, .dst = DST, .len = PAGES * PAGE_BYTES,
};

/* ---- One queue ---------------------------------------------------------- */

static void copy_faults(bool messages)
{
    PasidDevCompletion record;

    set_up((SmmuSetup) { .messages = messages });
    make_source(1);
    record = accel_wait(&queues[0], accel_submit(&queues[0], &copy_all));
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    CHECK_EQ(record.progress, PAGES * PAGE_BYTES);
    expect_copied(1, PAGES);
    CHECK_EQ(pager.mapped, PAGES);
    CHECK_EQ(pager.stalls, PAGES);
    CHECK_EQ(accel_read64(PASID_DEV_COUNT_STALLS), PAGES);
    CHECK_EQ(accel_read64(PASID_DEV_COUNT_ABORTS), 0);
    WAIT_FOR(queues[0].interrupts == 1);
    /* The second time nothing is missing. */
    record = accel_wait(&queues[0], accel_submit(&queues[0], &copy_all));
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

    set_up((SmmuSetup) { 0 });
    make_source(1);
    job.dst = BEYOND - 4 * PAGE_BYTES;
    record = accel_wait(&queues[0], accel_submit(&queues[0], &job));
    CHECK_EQ(record.status, PASID_DEV_DONE_FAULT_WRITE);
    CHECK_EQ(record.fault_addr, BEYOND);
    CHECK_EQ(record.progress, 4 * PAGE_BYTES);
    CHECK_EQ(pager.denied, 1);
    CHECK_EQ(pager.mapped, 4);
    record = accel_wait(&queues[0], accel_submit(&queues[0], &copy_all));
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    expect_copied(1, PAGES);
}

/* ---- Many --------------------------------------------------------------- */

static bool all_stalled(void)
{
    for (unsigned n = 0; n < QUEUES; n++) {
        if (!(accel_queue_read32(&queues[n], PASID_DEV_Q_STATUS) &
              PASID_DEV_Q_STATUS_STALLED)) {
            return false;
        }
    }
    return true;
}

/*
 * All queues stall, each in an address space of its own, with room for two
 * events: the others' records wait until the handler has made room.
 */
static void test_queues(void)
{
    unsigned slots[QUEUES];

    set_up((SmmuSetup) { .eventq_log2 = 1 });
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
    for (unsigned n = 0; n < QUEUES; n++) {
        PasidDevCompletion record = accel_wait(&queues[n], slots[n]);

        CHECK_EQ(record.status, PASID_DEV_DONE_OK);
        expect_copied(n + 1, PAGES);
        WAIT_FOR(queues[n].interrupts == 1);
    }
    CHECK_EQ(pager.stalls, QUEUES * PAGES);
    CHECK_EQ(pager.mapped, QUEUES * PAGES);
}

static const TestCase cases[] = {
    { "/baremetal/accel/stall/copy/wire", test_by_wire },
    { "/baremetal/accel/stall/copy/message", test_by_message },
    { "/baremetal/accel/stall/denied", test_denied },
    { "/baremetal/accel/stall/queues", test_queues },
};

int main(void)
{
    irq_init();
    guest_exit(TAP_RUN(cases));
}
