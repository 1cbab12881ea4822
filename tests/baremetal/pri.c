/*
 * Page requests from end to end: sva-testdev asks, the SMMU queues and
 * interrupts, this guest maps or refuses, the answer comes back, and what the
 * endpoint asks again is granted. A program of its own; see run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "irq.h"
#include "arena.h"
#include "pager.h"
#include "tap.h"
#include "testdev.h"

#define VA      UINT64_C(0x7f0000100000)    /* nothing is there, at first */
#define VA_LAST (VA + 0xfffff)              /* up to here it may be */
#define BEYOND  UINT64_C(0x7f0000200000)    /* and here it may not */
enum { PASID = 3, ASID = 7, ASID_0 = 8 };
enum { R = SVA_TESTDEV_PRG_READ, W = SVA_TESTDEV_PRG_WRITE,
       LAST = SVA_TESTDEV_PRG_LAST };

static Pager pager;
static Stream stream;
static Space space, space_0;    /* of PASID, and of accesses without one */

static void set_up(SmmuSetup setup)
{
    space_init(&space, ASID);
    space_init(&space_0, ASID_0);
    pager = (Pager) {
        .spaces = { [0] = &space_0, [PASID] = &space },
        .first = VA, .last = VA_LAST,
    };
    setup.listener = pager_listener(&pager);
    testdev_start();
    smmu_start(&setup);
    stream_start(&stream, testdev_sid());
    stream_attach(&stream, 0, &space_0, false);
    stream_attach(&stream, PASID, &space, false);
}

/* The endpoint reaches the page that the pager made for @va. */
static void expect_mapped(int pasid, uint64_t va)
{
    const uint64_t *page;

    CHECK_EQ(testdev_ask(pasid, va) &
             (SVA_TESTDEV_ANS_READ | SVA_TESTDEV_ANS_WRITE),
             SVA_TESTDEV_ANS_READ | SVA_TESTDEV_ANS_WRITE);
    page = at_pa(testdev_pa());
    CHECK_EQ(page[0], pager_mark(va, pasid < 0 ? 0 : pasid));
    CHECK_EQ(testdev_submit(SVA_TESTDEV_REQ_TRANSLATED | SVA_TESTDEV_REQ_WRITE,
                            NO_PASID, testdev_pa()), SVA_TESTDEV_OK);
}

static void expect_unmapped(int pasid, uint64_t va)
{
    CHECK_EQ(testdev_ask(pasid, va), 0);
}

/* ---- Asked and answered ------------------------------------------------- */

static void request_and_retry(bool messages)
{
    set_up((SmmuSetup) { .messages = messages });
    for (unsigned i = 0; i < 20; i++) {
        uint64_t va = VA + i * PAGE_BYTES;

        expect_unmapped(PASID, va);
        testdev_page_request(PASID, va, i | R | W | LAST);
        testdev_expect_response(PASID, i, PRG_SUCCESS);
        expect_mapped(PASID, va);
    }
    CHECK_EQ(pager.requests, 20);
    CHECK_EQ(pager.mapped, 20);
    CHECK(smmu_irqs.page_requests >= 1);
    smmu_sync_by_interrupt();
    CHECK_EQ(testdev_responses(), 0);
    CHECK_EQ(smmu_irqs.gerrors, 0);
}

static void test_by_wire(void)
{
    request_and_retry(false);
}

static void test_by_message(void)
{
    request_and_retry(true);
}

static void test_without_pasid(void)
{
    set_up((SmmuSetup) { 0 });
    expect_unmapped(NO_PASID, VA);
    testdev_page_request(NO_PASID, VA, 0x1ff | R | LAST);
    testdev_expect_response(NO_PASID, 0x1ff, PRG_SUCCESS);
    expect_mapped(NO_PASID, VA);
    /* The address spaces are two. */
    expect_unmapped(PASID, VA);
}

/* What the queue says of a request is what was sent. */
static void test_flags(void)
{
    set_up((SmmuSetup) { 0 });
    testdev_page_request(PASID, VA, 0x155 | W | LAST | SVA_TESTDEV_PRG_EXEC |
                                    SVA_TESTDEV_PRG_PRIV);
    testdev_expect_response(PASID, 0x155, PRG_SUCCESS);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_STREAMID), testdev_sid());
    CHECK_EQ(smmu3_get(pager.last_request, PRI_SUBSTREAMID), PASID);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_READ), 0);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_WRITE), 1);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_EXEC), 1);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_PRIV), 1);
    CHECK_EQ(smmu3_get_addr(pager.last_request, PRI_ADDR), VA);
}

/* A group has one answer, to its last request, and all of its pages. */
static void test_group(void)
{
    set_up((SmmuSetup) { 0 });
    for (unsigned i = 0; i < 5; i++) {
        testdev_page_request(PASID, VA + i * PAGE_BYTES, 9 | R);
        /* Another group, whole, in between */
        testdev_page_request(PASID, VA + (8 + i) * PAGE_BYTES,
                             (10 + i) | R | LAST);
        testdev_expect_response(PASID, 10 + i, PRG_SUCCESS);
    }
    CHECK_EQ(testdev_responses(), 0);
    expect_unmapped(PASID, VA);
    testdev_page_request(PASID, VA + 5 * PAGE_BYTES, 9 | R | LAST);
    testdev_expect_response(PASID, 9, PRG_SUCCESS);
    for (unsigned i = 0; i < 6; i++) {
        expect_mapped(PASID, VA + i * PAGE_BYTES);
    }
    CHECK_EQ(testdev_responses(), 0);
    CHECK_EQ(pager.groups, 6);
}

/* PRIQ_IRQ_CFG2.LO: the queue interrupts at the end of a group only. */
static void interrupt_by_group(bool messages)
{
    set_up((SmmuSetup) { .messages = messages, .irq_by_group = true });
    testdev_page_request(PASID, VA, 1 | R);
    testdev_page_request(PASID, VA + PAGE_BYTES, 1 | R);
    smmu_sync_by_interrupt();
    CHECK_EQ(smmu_irqs.page_requests, 0);
    CHECK_EQ(pager.requests, 0);
    testdev_page_request(PASID, VA + 2 * PAGE_BYTES, 1 | R | LAST);
    testdev_expect_response(PASID, 1, PRG_SUCCESS);
    CHECK_EQ(smmu_irqs.page_requests, 1);
    CHECK_EQ(pager.requests, 3);
}

static void test_interrupt_by_group_wire(void)
{
    interrupt_by_group(false);
}

static void test_interrupt_by_group_message(void)
{
    interrupt_by_group(true);
}

/* ---- Refused ------------------------------------------------------------ */

static void test_denied(void)
{
    set_up((SmmuSetup) { 0 });
    testdev_page_request(PASID, BEYOND, 5 | R | LAST);
    testdev_expect_response(PASID, 5, PRG_INVALID_REQUEST);
    expect_unmapped(PASID, BEYOND);
    /* One page of a group is not allowed: nobody gets what was not asked for */
    testdev_page_request(PASID, VA, 6 | R);
    testdev_page_request(PASID, BEYOND, 6 | R | LAST);
    testdev_expect_response(PASID, 6, PRG_INVALID_REQUEST);
    expect_unmapped(PASID, BEYOND);
    /* And it goes on. */
    testdev_page_request(PASID, VA, 7 | R | LAST);
    testdev_expect_response(PASID, 7, PRG_SUCCESS);
    expect_mapped(PASID, VA);
    CHECK_EQ(pager.denied, 2);
}

static void test_failure(void)
{
    set_up((SmmuSetup) { 0 });
    pager.fails = true;
    testdev_page_request(PASID, VA, 5 | R | LAST);
    testdev_expect_response(PASID, 5, PRG_RESPONSE_FAILURE);
    expect_unmapped(PASID, VA);
}

/* A PASID that nobody has set up */
static void test_stranger(void)
{
    set_up((SmmuSetup) { 0 });
    testdev_page_request(PASID + 1, VA, 5 | R | LAST);
    testdev_expect_response(PASID + 1, 5, PRG_INVALID_REQUEST);
}

/* ---- Stop markers ------------------------------------------------------- */

static void test_stop_marker(void)
{
    set_up((SmmuSetup) { 0 });
    testdev_page_request(PASID, VA, 4 | R | LAST);
    testdev_expect_response(PASID, 4, PRG_SUCCESS);
    testdev_page_request(PASID, 0, LAST);
    WAIT_FOR(pager.stops == 1);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_SUBSTREAMID), PASID);
    CHECK_EQ(smmu3_get(pager.last_request, PRI_SSV), 1);
    smmu_sync_by_interrupt();
    CHECK_EQ(testdev_responses(), 0);
    /* Without a PASID it is no such thing, but a request for nothing. */
    testdev_page_request(NO_PASID, VA, 6 | LAST);
    testdev_expect_response(NO_PASID, 6, PRG_SUCCESS);
    CHECK_EQ(pager.stops, 1);
}

/* ---- Overflow ----------------------------------------------------------- */

/*
 * A queue of four while nobody takes: what does not fit is answered by the
 * SMMU, if it is the last of its group, so that the endpoint asks again. Once
 * the queue is emptied and the overflow acknowledged, it all comes through.
 */
static void overflow(bool messages)
{
    set_up((SmmuSetup) { .messages = messages, .priq_log2 = 2 });
    irq_mask();
    for (unsigned i = 0; i < 7; i++) {
        testdev_page_request(PASID, VA + i * PAGE_BYTES, i | R | LAST);
    }
    testdev_page_request(PASID, VA, 0x100 | R);     /* lost, and no answer */
    testdev_page_request(PASID, 0, LAST);           /* so is a stop marker */
    CHECK_EQ(smmu_read32(SMMU3_PRIQ_PROD) >> 31, 1);
    /* STE.PPAR is 0: the SMMU's own answers have no PASID. */
    for (unsigned i = 4; i < 7; i++) {
        testdev_expect_response(NO_PASID, i, PRG_SUCCESS);
    }
    CHECK_EQ(testdev_responses(), 0);
    CHECK_EQ(pager.requests, 0);

    irq_unmask();
    for (unsigned i = 0; i < 4; i++) {
        testdev_expect_response(PASID, i, PRG_SUCCESS);
        expect_mapped(PASID, VA + i * PAGE_BYTES);
    }
    WAIT_FOR(smmu_read32(SMMU3_PRIQ_CONS) >> 31 == 1);
    for (unsigned i = 4; i < 7; i++) {
        expect_unmapped(PASID, VA + i * PAGE_BYTES);
        testdev_page_request(PASID, VA + i * PAGE_BYTES, i | R | LAST);
        testdev_expect_response(PASID, i, PRG_SUCCESS);
        expect_mapped(PASID, VA + i * PAGE_BYTES);
    }
    CHECK_EQ(pager.requests, 7);
    CHECK_EQ(pager.stops, 0);
    CHECK_EQ(testdev_responses(), 0);
}

static void test_overflow_wire(void)
{
    overflow(false);
}

static void test_overflow_message(void)
{
    overflow(true);
}

/* STE.PPAR: the SMMU's own answer has the request's PASID. */
static void test_overflow_answer_has_pasid(void)
{
    set_up((SmmuSetup) { .priq_log2 = 1 });
    smmu3_set(stream.ste, STE_PPAR, 1);
    stream_update(&stream);
    irq_mask();
    for (unsigned i = 0; i < 3; i++) {
        testdev_page_request(PASID, VA, i | R | LAST);
    }
    testdev_expect_response(PASID, 2, PRG_SUCCESS);
    testdev_page_request(NO_PASID, VA, 3 | R | LAST);
    testdev_expect_response(NO_PASID, 3, PRG_SUCCESS);
    irq_unmask();
    testdev_expect_response(PASID, 0, PRG_SUCCESS);
    testdev_expect_response(PASID, 1, PRG_SUCCESS);
}

/* ---- A queue that is not there ------------------------------------------ */

static void test_queue_disabled(void)
{
    uint32_t priqen = smmu3_field_mask(CR0_PRIQEN);

    set_up((SmmuSetup) { 0 });
    smmu_cr0(0, priqen);
    testdev_page_request(PASID, VA, 3 | R | LAST);
    testdev_expect_response(NO_PASID, 3, PRG_RESPONSE_FAILURE);
    CHECK_EQ(pager.requests, 0);
    smmu_cr0(priqen, 0);
    testdev_page_request(PASID, VA, 3 | R | LAST);
    testdev_expect_response(PASID, 3, PRG_SUCCESS);
    expect_mapped(PASID, VA);
}

/* The queue's memory refuses: GERROR, failure, and the way back (8.2). */
static void queue_abort(bool messages)
{
    uint32_t priqen = smmu3_field_mask(CR0_PRIQEN);
    uint64_t good, bad;

    set_up((SmmuSetup) { .messages = messages });
    smmu_cr0(0, priqen);
    good = bad = smmu_read64(SMMU3_PRIQ_BASE);
    smmu3_set_addr(&bad, QUEUE_BASE_ADDR, NOWHERE_PA);
    smmu_write64(SMMU3_PRIQ_BASE, bad);
    smmu_cr0(priqen, 0);
    irq_mask();
    testdev_page_request(PASID, VA, 3 | R | LAST);
    testdev_expect_response(NO_PASID, 3, PRG_RESPONSE_FAILURE);
    /* Not acknowledged yet: the next one is not even tried. */
    testdev_page_request(PASID, VA, 4 | R | LAST);
    testdev_expect_response(NO_PASID, 4, PRG_RESPONSE_FAILURE);
    irq_unmask();
    WAIT_FOR(smmu_irqs.gerrors == 1);
    CHECK_EQ(smmu_irqs.gerror, smmu3_field_mask(GERROR_PRIQ_ABT));

    smmu_cr0(0, priqen);
    smmu_write64(SMMU3_PRIQ_BASE, good);
    smmu_write32(SMMU3_PRIQ_PROD, 0);
    smmu_write32(SMMU3_PRIQ_CONS, 0);
    smmu_cr0(priqen, 0);
    testdev_page_request(PASID, VA, 5 | R | LAST);
    testdev_expect_response(PASID, 5, PRG_SUCCESS);
    expect_mapped(PASID, VA);
    CHECK_EQ(pager.requests, 1);
}

static void test_queue_abort_wire(void)
{
    queue_abort(false);
}

static void test_queue_abort_message(void)
{
    queue_abort(true);
}

/* ---- Taken back --------------------------------------------------------- */

/* Unmapped, invalidated, and asked for again: another page is there. */
static void test_unmap_and_ask_again(void)
{
    uint64_t before;

    set_up((SmmuSetup) { 0 });
    testdev_page_request(PASID, VA, 1 | R | LAST);
    testdev_expect_response(PASID, 1, PRG_SUCCESS);
    expect_mapped(PASID, VA);
    before = testdev_pa();
    space_unmap(&space, VA);
    smmu_invalidate(&stream, PASID, &space, VA);
    CHECK_EQ(testdev_read(SVA_TESTDEV_FIFO(SVA_TESTDEV_INVALIDATIONS) +
                          SVA_TESTDEV_FIFO_COUNT), 1);
    expect_unmapped(PASID, VA);
    testdev_page_request(PASID, VA, 1 | R | LAST);
    testdev_expect_response(PASID, 1, PRG_SUCCESS);
    expect_mapped(PASID, VA);
    CHECK(testdev_pa() != before);
}

static const TestCase cases[] = {
    { "/baremetal/pri/request-map-respond-retry/wire", test_by_wire },
    { "/baremetal/pri/request-map-respond-retry/message", test_by_message },
    { "/baremetal/pri/without-pasid", test_without_pasid },
    { "/baremetal/pri/flags", test_flags },
    { "/baremetal/pri/group", test_group },
    { "/baremetal/pri/interrupt-by-group/wire", test_interrupt_by_group_wire },
    { "/baremetal/pri/interrupt-by-group/message",
      test_interrupt_by_group_message },
    { "/baremetal/pri/denied", test_denied },
    { "/baremetal/pri/failure", test_failure },
    { "/baremetal/pri/stranger", test_stranger },
    { "/baremetal/pri/stop-marker", test_stop_marker },
    { "/baremetal/pri/overflow/wire", test_overflow_wire },
    { "/baremetal/pri/overflow/message", test_overflow_message },
    { "/baremetal/pri/overflow/answer-has-pasid",
      test_overflow_answer_has_pasid },
    { "/baremetal/pri/queue-disabled", test_queue_disabled },
    { "/baremetal/pri/queue-abort/wire", test_queue_abort_wire },
    { "/baremetal/pri/queue-abort/message", test_queue_abort_message },
    { "/baremetal/pri/unmap-and-ask-again", test_unmap_and_ask_again },
};

int main(void)
{
    irq_init();
    guest_exit(TAP_RUN(cases));
}
