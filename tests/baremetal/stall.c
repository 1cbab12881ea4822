/*
 * Stalls from end to end: sva-testdev accesses what is not there, the SMMU
 * records an event and interrupts, this guest maps or refuses and resumes, the
 * endpoint goes on. A program of its own; see run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "irq.h"
#include "pager.h"
#include "tap.h"
#include "testdev.h"

#define VA      UINT64_C(0x7f0000100000)    /* nothing is there, at first */
#define VA_LAST (VA + 0xfffff)              /* up to here it may be */
#define BEYOND  UINT64_C(0x7f0000200000)    /* and here it may not */
enum { PASID = 5, ASID = 7, ASID_0 = 8 };
enum { R = SVA_TESTDEV_REQ_READ, W = SVA_TESTDEV_REQ_WRITE,
       MAY_STALL = SVA_TESTDEV_REQ_MAY_STALL };

static Pager pager;
static Stream stream;
static Space space, space_0;

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
    stream_attach(&stream, 0, &space_0, true);
    stream_attach(&stream, PASID, &space, true);
}

/* The access stalls, or has been resumed before we look; how it ended. */
static unsigned stall(int pasid, uint64_t va)
{
    CHECK_EQ(testdev_submit(W | MAY_STALL, pasid, va), SVA_TESTDEV_STALL);
    return testdev_resolution();
}

static void expect_access(int pasid, uint64_t va)
{
    const uint64_t *page;

    CHECK_EQ(testdev_submit(W | MAY_STALL, pasid, va), SVA_TESTDEV_OK);
    page = at_pa(testdev_pa());
    CHECK_EQ(page[0], pager_mark(va, pasid < 0 ? 0 : pasid));
}

/* ---- Retried ------------------------------------------------------------ */

static void stall_map_resume(bool messages)
{
    set_up((SmmuSetup) { .messages = messages });
    for (unsigned i = 0; i < 20; i++) {
        uint64_t va = VA + i * PAGE_BYTES;

        CHECK_EQ(stall(PASID, va), SVA_TESTDEV_RETRY);
        expect_access(PASID, va);
    }
    CHECK_EQ(stall(NO_PASID, VA), SVA_TESTDEV_RETRY);
    expect_access(NO_PASID, VA);
    CHECK_EQ(pager.stalls, 21);
    CHECK(smmu_irqs.events >= 1);
    CHECK_EQ(smmu_irqs.gerrors, 0);
}

static void test_by_wire(void)
{
    stall_map_resume(false);
}

static void test_by_message(void)
{
    stall_map_resume(true);
}

/* The record says what was accessed, and how. */
static void test_record(void)
{
    set_up((SmmuSetup) { 0 });
    CHECK_EQ(stall(PASID, VA + 0x123), SVA_TESTDEV_RETRY);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_TYPE), F_TRANSLATION);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_STREAMID), testdev_sid());
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_SSV), 1);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_SUBSTREAMID), PASID);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_INPUT_ADDR), VA + 0x123);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_RNW), 0);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_CLASS), CLASS_IN);
}

/* Resumed although nothing was done about it: it stalls again. */
static void test_resumed_too_early(void)
{
    static uint64_t first[SMMU3_EVENT_WORDS];

    set_up((SmmuSetup) { 0 });
    irq_mask();
    CHECK_EQ(testdev_submit(R | MAY_STALL, PASID, VA), SVA_TESTDEV_STALL);
    /* The handler would take it; this once we do so ourselves. */
    WAIT_FOR(smmu_take_event(first));
    smmu_resume(testdev_sid(), smmu3_get(first, EVENT_STAG), true, false);
    CHECK_EQ(testdev_resolution(), SVA_TESTDEV_RETRY);
    irq_unmask();
    CHECK_EQ(stall(PASID, VA), SVA_TESTDEV_RETRY);
    expect_access(PASID, VA);
    CHECK_EQ(pager.stalls, 1);
}

/* ---- Refused ------------------------------------------------------------ */

static void test_denied(void)
{
    set_up((SmmuSetup) { 0 });
    CHECK_EQ(stall(PASID, BEYOND), SVA_TESTDEV_FAIL);
    CHECK_EQ(stall(PASID, VA), SVA_TESTDEV_RETRY);
    expect_access(PASID, VA);
    CHECK_EQ(pager.denied, 1);
}

static void test_ignored(void)
{
    set_up((SmmuSetup) { 0 });
    pager.ignores = true;
    CHECK_EQ(stall(PASID, BEYOND), SVA_TESTDEV_SKIP);
    CHECK_EQ(pager.denied, 1);
}

/* A permission fault stalls too, and mapping does not help. */
static void test_read_only(void)
{
    set_up((SmmuSetup) { 0 });
    space_map(&space, VA, pa_of(arena_page()), SPACE_RO);
    CHECK_EQ(testdev_submit(R | MAY_STALL, PASID, VA), SVA_TESTDEV_OK);
    CHECK_EQ(stall(PASID, VA), SVA_TESTDEV_FAIL);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_TYPE), F_PERMISSION);
}

/* All of a stream's stalls at once, while their events wait unread. */
static void test_terminated(void)
{
    set_up((SmmuSetup) { 0 });
    irq_mask();
    CHECK_EQ(testdev_submit(W | MAY_STALL, PASID, VA), SVA_TESTDEV_STALL);
    stream.ste[0] = 0;          /* so that no more come */
    stream_update(&stream);
    smmu_stall_term(testdev_sid());
    smmu_sync();
    CHECK_EQ(testdev_resolution(), SVA_TESTDEV_FAIL);
    irq_unmask();
    /* The pager answers the event all the same; nobody waits for that. */
    WAIT_FOR(pager.stalls == 1);
    smmu_sync();
    CHECK_EQ(smmu_irqs.gerrors, 0);
}

/* Given up by the endpoint; the answer comes later and does no harm. */
static void test_cancelled(void)
{
    set_up((SmmuSetup) { 0 });
    irq_mask();
    CHECK_EQ(testdev_submit(W | MAY_STALL, PASID, VA), SVA_TESTDEV_STALL);
    testdev_write(SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_CANCEL);
    CHECK_EQ(testdev_resolution(), SVA_TESTDEV_CANCELLED);
    irq_unmask();
    WAIT_FOR(pager.stalls == 1);
    smmu_sync();
    expect_access(PASID, VA);
}

/* Who cannot wait is refused, and the record says that nobody waits. */
static void test_cannot_stall(void)
{
    set_up((SmmuSetup) { 0 });
    CHECK_EQ(testdev_submit(W, PASID, VA), SVA_TESTDEV_ABORT);
    WAIT_FOR(smmu3_get(pager.last_event, EVENT_TYPE) == F_TRANSLATION);
    CHECK_EQ(smmu3_get(pager.last_event, EVENT_STALL), 0);
    CHECK_EQ(pager.stalls, 0);
}

/* ---- No room for the record --------------------------------------------- */

/*
 * The event queue is full of what is not taken: a stall's record waits, and is
 * written once there is room.
 */
static void test_event_queue_full(void)
{
    set_up((SmmuSetup) { .eventq_log2 = 1 });
    irq_mask();
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(testdev_submit(R, PASID, BEYOND), SVA_TESTDEV_ABORT);
    }
    CHECK_EQ(testdev_submit(W | MAY_STALL, PASID, VA), SVA_TESTDEV_STALL);
    irq_unmask();
    CHECK_EQ(testdev_resolution(), SVA_TESTDEV_RETRY);
    expect_access(PASID, VA);
    CHECK_EQ(pager.stalls, 1);
}

static const TestCase cases[] = {
    { "/baremetal/stall/map-and-resume/wire", test_by_wire },
    { "/baremetal/stall/map-and-resume/message", test_by_message },
    { "/baremetal/stall/record", test_record },
    { "/baremetal/stall/resumed-too-early", test_resumed_too_early },
    { "/baremetal/stall/denied", test_denied },
    { "/baremetal/stall/ignored", test_ignored },
    { "/baremetal/stall/read-only", test_read_only },
    { "/baremetal/stall/terminated", test_terminated },
    { "/baremetal/stall/cancelled", test_cancelled },
    { "/baremetal/stall/cannot-stall", test_cannot_stall },
    { "/baremetal/stall/event-queue-full", test_event_queue_full },
};

int main(void)
{
    irq_init();
    guest_exit(TAP_RUN(cases));
}
