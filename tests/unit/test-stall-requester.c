/*
 * Stalled transactions from the requester's side: it gives them up, tries again
 * from within the answer, or stalls from many threads. Not software's side
 * (test-stall.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "stall-rig.h"

/* ---- The requester gives up ------------------------------------------- */

static void test_cancel_recorded(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t stag;

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    smmu3_cancel(s->r->smmu, COOKIE(1));
    expect_outstanding(s, 2);               /* software has yet to answer */
    stag = expect_stall(s, SID1, 0x5000);
    resume_retry(s, SID1, stag);
    expect_none_resolved(s);
    expect_outstanding(s, 1);
    g_assert_cmpuint(counters(s)->stalls_cancelled, ==, 1);
    stall_term(s, SID1);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_none_resolved(s);
}

static void test_cancel_waiting(void)
{
    g_autoptr(StallRig) s = stall_rig(0, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stall(s, SID1, 3, 0x7000);
    smmu3_cancel(s->r->smmu, COOKIE(2));
    expect_outstanding(s, 2);
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID1, 0x7000);
    rig_expect_no_event(s->r);
}

/* Even when software's answer is already on its way. */
static void test_cancel_answered(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    smmu3_reset(s->r->smmu);                /* answers lie in the outbox */
    smmu3_cancel(s->r->smmu, COOKIE(1));
    smmu3_service(s->r->smmu);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_none_resolved(s);
}

static void test_cancel_unknown(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);

    smmu3_cancel(s->r->smmu, COOKIE(1));
    smmu3_cancel(s->r->smmu, NULL);
    stall(s, SID1, 1, 0x5000);
    smmu3_cancel(s->r->smmu, COOKIE(2));
    smmu3_cancel(s->r->smmu, COOKIE(1));
    smmu3_cancel(s->r->smmu, COOKIE(1));
    g_assert_cmpuint(counters(s)->stalls_cancelled, ==, 1);
}

/* The same cookie stalls again while the cancelled record is still open. */
static void test_cancel_and_stall_again(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t old, new;

    stall(s, SID1, 1, 0x5000);
    smmu3_cancel(s->r->smmu, COOKIE(1));
    stall(s, SID1, 1, 0x6000);
    old = expect_stall(s, SID1, 0x5000);
    new = expect_stall(s, SID1, 0x6000);
    resume_retry(s, SID1, old);
    expect_none_resolved(s);
    resume_retry(s, SID1, new);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
}

/* ---- Re-entrancy ------------------------------------------------------ */

static Smmu3Outcome retried[8];
static unsigned retries;

/* A requester that submits again in the callback itself. */
static void retry_at_once(void *opaque, void *cookie, Smmu3Resolution how)
{
    FakeHost *host = opaque;
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;

    if (how == SMMU3_RESOLVE_RETRY && retries < G_N_ELEMENTS(retried)) {
        t.may_stall = true;
        t.cookie = cookie;
        retried[retries++] = smmu3_translate(host->smmu, &t, &result);
    }
}

static void test_retry_in_the_callback(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(StallRig) s = g_new0(StallRig, 1);
    uint16_t stag;

    ops.stall_resolved = retry_at_once;
    retries = 0;
    s->r = rig_new();
    s->r->smmu = s->r->host->smmu = smmu3_new(&s->r->features, NULL, &ops,
                                              s->r->host);
    start_rig(s);
    stall(s, SID1, 1, 0x5000);
    for (unsigned i = 1; i <= 3; i++) {
        stag = expect_stall(s, SID1, 0x5000);
        resume_retry(s, SID1, stag);
        g_assert_cmpuint(retries, ==, i);
        g_assert_cmpint(retried[i - 1], ==, SMMU3_STALLED);
        /* Its event's interrupt was not forgotten */
        g_assert_cmpuint(s->r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 1 + i);
    }
    pt_map(&s->pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    resume_retry(s, SID1, expect_stall(s, SID1, 0x5000));
    g_assert_cmpint(retried[3], ==, SMMU3_OK);
    expect_outstanding(s, 0);
}

/*
 * Software frees a place, and before the stall that waits for it is recorded
 * another one comes: it must not overtake.
 */
static void irq_stalls_another(void *opaque, Smmu3Irq irq)
{
    Smmu3Transaction t = dma_read(SID1, 0x7000);
    Smmu3Translation result;

    (void)irq;
    t.may_stall = true;
    t.cookie = COOKIE(3);
    if (retries++ == 0) {
        g_assert_cmpint(smmu3_translate(((FakeHost *)opaque)->smmu, &t,
                                        &result), ==, SMMU3_STALLED);
    }
}

static void test_stall_while_there_is_room_again(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(StallRig) s = g_new0(StallRig, 1);
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;

    ops.irq = irq_stalls_another;
    retries = 0;
    s->r = rig_new();
    s->r->eventq_log2 = 0;
    s->r->smmu = s->r->host->smmu = smmu3_new(&s->r->features, NULL, &ops,
                                              s->r->host);
    start_rig(s);
    t.may_stall = true;
    t.cookie = COOKIE(1);
    smmu3_translate(s->r->smmu, &t, &result);   /* its interrupt is due */
    t.addr = 0x6000;
    t.cookie = COOKIE(2);
    smmu3_translate(s->r->smmu, &t, &result);
    expect_stall(s, SID1, 0x5000);              /* frees, and interrupts */
    g_assert_cmpuint(retries, >, 0);
    expect_stall(s, SID1, 0x6000);
    expect_stall(s, SID1, 0x7000);
}

/* ---- Threads ---------------------------------------------------------- */

enum { THREADS = 4, STALLS_PER_THREAD = 200 };

typedef struct Submitter {
    StallRig *s;
    unsigned number;
    unsigned stalled;
} Submitter;

static gpointer submit_many(gpointer opaque)
{
    Submitter *me = opaque;

    for (unsigned i = 0; i < STALLS_PER_THREAD; i++) {
        Smmu3Transaction t = dma_read(SID1, 0x5000 + 0x1000 * i);
        Smmu3Translation result;

        t.may_stall = true;
        t.cookie = COOKIE(me->number * STALLS_PER_THREAD + i);
        if (smmu3_translate(me->s->r->smmu, &t, &result) == SMMU3_STALLED) {
            me->stalled++;
        }
    }
    return NULL;
}

/*
 * Requesters stall in their threads, and software answers in its own, through
 * a queue and a table that are too short for all of them: each stall is
 * recorded once and answered once.
 */
static void test_threads(void)
{
    g_autoptr(StallRig) s = stall_rig(2, 8);
    Submitter submitters[THREADS];
    GThread *threads[THREADS];
    bool answered[THREADS * STALLS_PER_THREAD] = { false };
    GArray *resolutions = s->r->host->resolutions;
    uint64_t event[SMMU3_EVENT_WORDS];

    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] = (Submitter) { .s = s, .number = i };
        threads[i] = g_thread_new("submitter", submit_many, &submitters[i]);
    }
    while (resolutions->len < THREADS * STALLS_PER_THREAD) {
        smmu3_service(s->r->smmu);
        while (rig_event(s->r, event)) {
            g_assert_cmphex(smmu3_get(event, EVENT_STALL), ==, 1);
            resume_with(s, SID1, smmu3_get(event, EVENT_STAG), false, true);
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
        g_assert_cmpuint(submitters[i].stalled, ==, STALLS_PER_THREAD);
    }
    for (unsigned i = 0; i < resolutions->len; i++) {
        FakeResolution *answer = &g_array_index(resolutions, FakeResolution,
                                                i);
        ptrdiff_t cookie = (char *)answer->cookie - cookies;

        g_assert_cmpint(answer->how, ==, SMMU3_RESOLVE_ABORT);
        g_assert_false(answered[cookie]);
        answered[cookie] = true;
    }
    expect_outstanding(s, 0);
    rig_expect_no_event(s->r);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
    g_assert_cmpuint(counters(s)->resumes_abort, ==,
                     THREADS * STALLS_PER_THREAD);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/stall/cancel-recorded", test_cancel_recorded,
                     "");
    conformance_test("/smmu3/stall/cancel-waiting", test_cancel_waiting, "");
    conformance_test("/smmu3/stall/cancel-answered", test_cancel_answered,
                     "");
    conformance_test("/smmu3/stall/cancel-unknown", test_cancel_unknown, "");
    conformance_test("/smmu3/stall/cancel-and-stall-again",
                     test_cancel_and_stall_again, "");
    conformance_test("/smmu3/stall/retry-in-the-callback",
                     test_retry_in_the_callback, "");
    conformance_test("/smmu3/stall/while-there-is-room-again",
                     test_stall_while_there_is_room_again, "96");
    conformance_test("/smmu3/stall/threads", test_threads, "");
    return conformance_run();
}
