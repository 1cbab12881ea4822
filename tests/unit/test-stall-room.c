/*
 * Stalled transactions whose record finds no room: a full or disabled event
 * queue, a full table of STAGs, too many that wait. Not those that are recorded
 * (test-stall.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "stall-rig.h"

/* ---- No room ---------------------------------------------------------- */

static void test_full_event_queue(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    uint16_t stags[4];

    for (unsigned i = 0; i < 4; i++) {
        stall(s, SID1, i, 0x5000 + 0x1000 * i);
    }
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD), ==, 2);
    expect_outstanding(s, 4);
    /* Each place that software frees takes the next, in order */
    for (unsigned i = 0; i < 4; i++) {
        stags[i] = expect_stall(s, SID1, 0x5000 + 0x1000 * i);
    }
    rig_expect_no_event(s->r);
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD) & 0x80000000, ==, 0);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
    for (unsigned i = 0; i < 4; i++) {
        resume_retry(s, SID1, stags[i]);
        expect_resolved(s, i, SMMU3_RESOLVE_RETRY);
    }
}

/* A stall must not overtake those that wait, nor a lost event be a stall's. */
static void test_order_when_full(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    Smmu3Transaction bad = dma_read(SID_BAD, 0);
    Smmu3Translation result;
    uint64_t event[SMMU3_EVENT_WORDS];

    stall(s, SID1, 0, 0x5000);
    smmu3_translate(s->r->smmu, &bad, &result);
    stall(s, SID1, 1, 0x6000);
    stall(s, SID1, 2, 0x7000);
    smmu3_translate(s->r->smmu, &bad, &result);         /* lost */
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD), ==, 0x80000002);
    expect_stall(s, SID1, 0x5000);
    rig_expect_event(s->r, C_BAD_STE, event);
    expect_stall(s, SID1, 0x6000);
    expect_stall(s, SID1, 0x7000);
    rig_expect_no_event(s->r);
}

static void test_disabled_event_queue(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint32_t cr0 = rig_read32(s->r, SMMU3_CR0);

    rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_EVENTQEN));
    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD), ==, 0);
    rig_write32(s->r, SMMU3_CR0, cr0);
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID1, 0x6000);
    rig_expect_no_event(s->r);
}

/* The record comes when the abort is acknowledged. */
static void test_aborted_event_queue(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);

    fake_set_readonly(s->r->host, s->r->eventq, 4096, true);
    stall(s, SID1, 1, 0x5000);
    g_assert_cmphex(rig_read32(s->r, SMMU3_GERROR), ==,
                    MASK(GERROR_EVENTQ_ABT));
    rig_write32(s->r, SMMU3_GERRORN, MASK(GERROR_EVENTQ_ABT));
    /* It was not repaired: the error comes back */
    g_assert_cmphex(rig_read32(s->r, SMMU3_GERROR), ==, 0);
    g_assert_cmpuint(s->r->host->irqs[SMMU3_IRQ_GERROR], ==, 2);
    fake_set_readonly(s->r->host, s->r->eventq, 4096, false);
    rig_write32(s->r, SMMU3_GERRORN, 0);
    expect_stall(s, SID1, 0x5000);
    rig_expect_no_event(s->r);
}

/* Never more recorded and not answered than IDR5.STALL_MAX. */
static void test_full_table(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 2);
    uint16_t stags[2];

    for (unsigned i = 0; i < 5; i++) {
        stall(s, SID1, i, 0x5000 + 0x1000 * i);
    }
    expect_outstanding(s, 5);
    stags[0] = expect_stall(s, SID1, 0x5000);
    stags[1] = expect_stall(s, SID1, 0x6000);
    rig_expect_no_event(s->r);              /* whatever room there is */
    resume_retry(s, SID1, stags[1]);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    stags[1] = expect_stall(s, SID1, 0x7000);
    rig_expect_no_event(s->r);
    resume_retry(s, SID1, stags[0]);
    resume_retry(s, SID1, stags[1]);
    expect_stall(s, SID1, 0x8000);
    expect_stall(s, SID1, 0x9000);
    expect_outstanding(s, 2);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
}

/* Also when the freed STAG was of a stall that nobody waits for. */
static void test_full_table_and_cancel(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 1);
    uint16_t stag;

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stag = expect_stall(s, SID1, 0x5000);
    smmu3_cancel(s->r->smmu, COOKIE(1));
    rig_expect_no_event(s->r);
    resume_retry(s, SID1, stag);
    expect_none_resolved(s);
    expect_stall(s, SID1, 0x6000);
}

static void test_stall_term_of_waiting(void)
{
    g_autoptr(StallRig) s = stall_rig(0, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stall(s, SID2, 3, 0x7000);
    stall_term(s, SID1);
    expect_resolved(s, 1, SMMU3_RESOLVE_ABORT);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID2, 0x7000);          /* 0x6000 is gone for good */
    rig_expect_no_event(s->r);
}

/*
 * A record must not be about configuration that a SYNC has seen off: who
 * waits to be recorded is tried again (7.2.1).
 */
static void test_sync_retries_unrecorded(void)
{
    g_autoptr(StallRig) s = stall_rig(0, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    rig_sync(s->r);                         /* nothing was invalidated */
    expect_none_resolved(s);
    write_cd(s, false);
    rig_command2(s->r, CMD_CFGI_CD | (uint64_t)SID1 << 32, 1);
    expect_none_resolved(s);
    rig_sync(s->r);
    expect_resolved(s, 2, SMMU3_RESOLVE_RETRY);
    expect_none_resolved(s);                /* the recorded one stays */
    expect_outstanding(s, 1);
    expect_stall(s, SID1, 0x5000);
    rig_expect_no_event(s->r);
}

/* Too many wait: the last one is terminated, with a record if there is room. */
static void test_too_many_waiting(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 1);
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;
    g_autofree char *names = g_malloc(65538);
    uint64_t event[SMMU3_EVENT_WORDS];

    t.may_stall = true;
    for (unsigned i = 0; i < 65537; i++) {
        t.cookie = &names[i];
        g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==,
                        SMMU3_STALLED);
    }
    t.cookie = &names[65537];
    g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==,
                    SMMU3_ABORT);
    expect_outstanding(s, 65537);
    expect_stall(s, SID1, 0x5000);
    rig_expect_event(s->r, F_TRANSLATION, event);
    g_assert_cmphex(smmu3_get(event, EVENT_STALL), ==, 0);
    /* Answers to all of them are delivered, a bounded number at a time */
    stall_term(s, SID1);
    while (s->r->host->resolutions->len < 65537) {
        guint before = s->r->host->resolutions->len;

        smmu3_service(s->r->smmu);
        g_assert_cmpuint(s->r->host->resolutions->len, >, before);
        g_assert_cmpuint(s->r->host->resolutions->len - before, <=, 512);
    }
    expect_outstanding(s, 0);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/stall/full-event-queue", test_full_event_queue,
                     "96");
    conformance_test("/smmu3/stall/order-when-full", test_order_when_full,
                     "96");
    conformance_test("/smmu3/stall/disabled-event-queue",
                     test_disabled_event_queue, "");
    conformance_test("/smmu3/stall/aborted-event-queue",
                     test_aborted_event_queue, "");
    conformance_test("/smmu3/stall/full-table", test_full_table, "");
    conformance_test("/smmu3/stall/full-table-and-cancel",
                     test_full_table_and_cancel, "");
    conformance_test("/smmu3/stall/stall-term-of-waiting",
                     test_stall_term_of_waiting, "97");
    conformance_test("/smmu3/stall/sync-retries-unrecorded",
                     test_sync_retries_unrecorded, "112");
    conformance_test("/smmu3/stall/too-many-waiting", test_too_many_waiting,
                     "");
    return conformance_run();
}
