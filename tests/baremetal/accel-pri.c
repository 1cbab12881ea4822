/*
 * pasid-dev copies to pages that are not there, by ATS and page requests: the
 * PRI queue's interrupt, this guest maps and responds, the endpoint asks again
 * and the job goes on. No access faults. A program of its own; see run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "accel-rig.h"
#include "irq.h"
#include "pci.h"

/* ---- Asked and answered ------------------------------------------------- */

static void copy_asks(bool messages)
{
    PasidDevCompletion record;

    set_up_pri((SmmuSetup) { .messages = messages }, 32);
    make_source(1);
    record = do_job(0, &copy_all);
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    CHECK_EQ(record.progress, PAGES * PAGE_BYTES);
    expect_copied(1, PAGES);
    CHECK_EQ(pager.mapped, PAGES);
    CHECK_EQ(pager.requests, PAGES);
    CHECK_EQ(pager.stalls, 0);
    CHECK_EQ(accel_read64(PASID_DEV_COUNT_PAGE_REQUESTS), pager.groups);
    CHECK_EQ(accel_read64(PASID_DEV_COUNT_ABORTS), 0);
    WAIT_FOR(queues[0].interrupts == 1);
    CHECK(smmu_irqs.page_requests >= 1);
    CHECK_EQ(smmu_irqs.events, 0);
    CHECK_EQ(accel_pri_status() & (ACCEL_PRI_RF | ACCEL_PRI_UPRGI), 0);
    /* The second time nothing is missing. */
    record = do_job(0, &copy_all);
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    CHECK_EQ(pager.requests, PAGES);
    WAIT_FOR(queues[0].interrupts == 2);
}

static void test_by_wire(void)
{
    copy_asks(false);
}

static void test_by_message(void)
{
    copy_asks(true);
}

/*
 * A page is taken away: once the invalidation is complete the device asks for
 * it anew and writes nothing to where it was.
 */
static void test_taken_away(void)
{
    uint64_t va = DST + 3 * PAGE_BYTES;
    uint64_t *before;

    set_up_pri((SmmuSetup) { 0 }, 32);
    make_source(1);
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_OK);
    before = at_pa(space_pa(&spaces[1], va));
    space_unmap(&spaces[1], va);
    smmu_invalidate(&stream, 1, &spaces[1], va);
    memset(before, 0x5a, PAGE_BYTES);
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_OK);
    expect_copied(1, PAGES);
    CHECK_EQ(pager.requests, PAGES + 1);
    CHECK(at_pa(space_pa(&spaces[1], va)) != before);
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
        CHECK_EQ(before[i], UINT64_C(0x5a5a5a5a5a5a5a5a));
    }
}

/* ---- Refused ------------------------------------------------------------ */

static void test_denied(void)
{
    PasidDevDescriptor job = copy_all;
    PasidDevCompletion record;

    set_up_pri((SmmuSetup) { 0 }, 32);
    make_source(1);
    job.dst = BEYOND - 4 * PAGE_BYTES;
    record = do_job(0, &job);
    CHECK_EQ(record.status, PASID_DEV_DONE_FAULT_WRITE);
    CHECK_EQ(record.fault_addr, BEYOND);
    CHECK_EQ(record.progress, 4 * PAGE_BYTES);
    CHECK(pager.denied >= 1);
    /* And it goes on. */
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_OK);
    expect_copied(1, PAGES);
    CHECK_EQ(accel_pri_status() & (ACCEL_PRI_RF | ACCEL_PRI_UPRGI), 0);
}

/* After a failure no page is asked for until software has begun anew. */
static void test_failure(void)
{
    set_up_pri((SmmuSetup) { 0 }, 32);
    make_source(1);
    pager.fails = true;
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_FAULT_WRITE);
    CHECK_EQ(accel_pri_status() & ACCEL_PRI_RF, ACCEL_PRI_RF);
    pager.fails = false;
    pager.requests = 0;
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_FAULT_WRITE);
    CHECK_EQ(pager.requests, 0);
    accel_pri(0);
    WAIT_FOR(accel_pri_status() & ACCEL_PRI_STOPPED);
    accel_pri(ACCEL_PRI_RESET);
    accel_pri(ACCEL_PRI_ENABLE);
    CHECK_EQ(accel_pri_status() & (ACCEL_PRI_RF | ACCEL_PRI_STOPPED), 0);
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_OK);
    expect_copied(1, PAGES);
}

/* The SMMU has no PRI queue: it answers itself, and that is a failure. */
static void test_queue_disabled(void)
{
    set_up_pri((SmmuSetup) { 0 }, 32);
    make_source(1);
    smmu_cr0(0, smmu3_field_mask(CR0_PRIQEN));
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_FAULT_WRITE);
    CHECK_EQ(accel_pri_status() & ACCEL_PRI_RF, ACCEL_PRI_RF);
    CHECK_EQ(pager.requests, 0);
}

/* ---- Without PRI -------------------------------------------------------- */

/* ATS alone: what is not there is accessed untranslated, and stalls. */
static void test_stalls_without_pri(void)
{
    set_up((SmmuSetup) { 0 }, true);
    make_source(1);
    accel_ats(true);
    CHECK_EQ(do_job(0, &copy_all).status, PASID_DEV_DONE_OK);
    expect_copied(1, PAGES);
    CHECK_EQ(pager.stalls, PAGES);
    CHECK_EQ(pager.requests, 0);
    CHECK(accel_read64(PASID_DEV_COUNT_ATC_HITS) > 0);
}

/* ---- Many --------------------------------------------------------------- */

static void submit_all(unsigned slots[QUEUES])
{
    for (unsigned pasid = 1; pasid <= QUEUES; pasid++) {
        make_source(pasid);
    }
    irq_mask();
    for (unsigned n = 0; n < QUEUES; n++) {
        slots[n] = accel_submit(&queues[n], &copy_all);
    }
}

static unsigned queue_length(void)
{
    return (smmu_read32(SMMU3_PRIQ_PROD) - smmu_read32(SMMU3_PRIQ_CONS)) &
           0xff;
}

/* Each queue asks in its own address space; all wait for one handler. */
static void test_queues(void)
{
    unsigned slots[QUEUES];

    set_up_pri((SmmuSetup) { 0 }, 32);
    submit_all(slots);
    WAIT_FOR(all_stalled());
    CHECK(queue_length() >= QUEUES);
    irq_unmask();
    expect_all_copied(slots);
    CHECK_EQ(pager.requests, QUEUES * PAGES);
    CHECK_EQ(accel_pri_status() & (ACCEL_PRI_RF | ACCEL_PRI_UPRGI), 0);
}

/* One request outstanding is all that it may have: the others wait inside. */
static void test_allocation_of_one(void)
{
    unsigned slots[QUEUES];

    set_up_pri((SmmuSetup) { 0 }, 1);
    submit_all(slots);
    WAIT_FOR(all_stalled());
    CHECK_EQ(queue_length(), 1);
    irq_unmask();
    expect_all_copied(slots);
    CHECK_EQ(pager.requests, QUEUES * PAGES);
}

/*
 * Room for two requests: those that are lost are answered by the SMMU, and so
 * are asked for again and again, until the handler has made room.
 */
static void overflow(bool messages)
{
    unsigned slots[QUEUES];

    set_up_pri((SmmuSetup) { .messages = messages, .priq_log2 = 1 }, 32);
    submit_all(slots);
    WAIT_FOR(smmu_read32(SMMU3_PRIQ_PROD) >> 31 == 1);
    CHECK_EQ(pager.requests, 0);
    irq_unmask();
    expect_all_copied(slots);
    CHECK(pager.requests >= QUEUES * PAGES);
    CHECK_EQ(accel_pri_status() & (ACCEL_PRI_RF | ACCEL_PRI_UPRGI), 0);
}

static void test_overflow_wire(void)
{
    overflow(false);
}

static void test_overflow_message(void)
{
    overflow(true);
}

/*
 * Software forgot STE.PPAR: the SMMU's own answers do not name the PASID, and
 * the function, whose responses have to, does not know them (UPRGI). Who asked
 * waits until the interface is reset, and no longer.
 */
static void test_answers_without_pasid(void)
{
    unsigned slots[QUEUES], refused = 0;

    set_up_pri((SmmuSetup) { .priq_log2 = 1 }, 32);
    CHECK(accel_pri_status() & ACCEL_PRI_PASID);
    smmu3_set(stream.ste, STE_PPAR, 0);
    stream_update(&stream);
    submit_all(slots);
    WAIT_FOR(accel_pri_status() & ACCEL_PRI_UPRGI);
    WAIT_FOR(all_stalled());
    irq_unmask();
    accel_pri(0);
    accel_pri(ACCEL_PRI_RESET);
    for (unsigned n = 0; n < QUEUES; n++) {
        PasidDevCompletion record = accel_wait(&queues[n], slots[n]);

        refused += record.status == PASID_DEV_DONE_FAULT_WRITE;
    }
    CHECK(refused >= 1);
    smmu3_set(stream.ste, STE_PPAR, 1);
    stream_update(&stream);
    accel_pri(ACCEL_PRI_ENABLE);
    for (unsigned n = 0; n < QUEUES; n++) {
        CHECK_EQ(do_job(n, &copy_all).status, PASID_DEV_DONE_OK);
        expect_copied(n + 1, PAGES);
    }
}

/* ---- Abandoned ---------------------------------------------------------- */

/*
 * A queue's PASID is aborted while its request is in the SMMU's queue: a stop
 * marker follows the request, and the answer to that does no harm.
 */
static void test_stop_marker(void)
{
    uint64_t admin;

    set_up_pri((SmmuSetup) { 0 }, 32);
    admin = pci_bar(accel_devfn(), PASID_DEV_BAR);
    make_source(1);
    irq_mask();
    accel_submit(&queues[0], &copy_all);
    WAIT_FOR(accel_queue_read32(&queues[0], PASID_DEV_Q_STATUS) &
             PASID_DEV_Q_STATUS_STALLED);
    write32(admin + PASID_DEV_PASID_TARGET, PASID_DEV_PASID_VALID | 1);
    write32(admin + PASID_DEV_PASID_COMMAND, PASID_DEV_PASID_COMMAND_ABORT);
    WAIT_FOR(accel_read32(PASID_DEV_PASID_STATUS) ==
             PASID_DEV_PASID_STATUS_DONE);
    irq_unmask();
    WAIT_FOR(pager.stops == 1);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_SUBSTREAMID), 1);
    smmu_sync_by_interrupt();
    CHECK_EQ(accel_pri_status() & (ACCEL_PRI_RF | ACCEL_PRI_UPRGI), 0);
    /* The other address spaces work. */
    make_source(2);
    CHECK_EQ(do_job(1, &copy_all).status, PASID_DEV_DONE_OK);
    expect_copied(2, PAGES);
}

static const TestCase cases[] = {
    { "/baremetal/accel-pri/copy/wire", test_by_wire },
    { "/baremetal/accel-pri/copy/message", test_by_message },
    { "/baremetal/accel-pri/taken-away", test_taken_away },
    { "/baremetal/accel-pri/denied", test_denied },
    { "/baremetal/accel-pri/failure", test_failure },
    { "/baremetal/accel-pri/queue-disabled", test_queue_disabled },
    { "/baremetal/accel-pri/stalls-without-pri", test_stalls_without_pri },
    { "/baremetal/accel-pri/queues", test_queues },
    { "/baremetal/accel-pri/allocation-of-one", test_allocation_of_one },
    { "/baremetal/accel-pri/overflow/wire", test_overflow_wire },
    { "/baremetal/accel-pri/overflow/message", test_overflow_message },
    { "/baremetal/accel-pri/answers-without-pasid",
      test_answers_without_pasid },
    { "/baremetal/accel-pri/stop-marker", test_stop_marker },
};

int main(void)
{
    irq_init();
    guest_exit(TAP_RUN(cases));
}
