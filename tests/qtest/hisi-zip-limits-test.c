/*
 * How much hisi-zip has in work at once: what a queue meets that comes too
 * late, and that room which becomes free finds the next one. Not what jobs
 * compute. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-zip-rig.h"
#include "sva-qtest-state.h"

enum { JOBS = 64, QUEUES = 128, MANY = 200 };

/* ---- Jobs --------------------------------------------------------------- */

/* A job of queue @n stalls at once, at an address that tells whose it is. */
typedef struct Stuck {
    Dev *d;
    uint64_t pages;             /* pa: never mapped */
    Queue q[QUEUES];
    unsigned stag[QUEUES];
} Stuck;

static Stuck *stuck_start(void)
{
    Stuck *s = g_new0(Stuck, 1);

    s->d = sva_dev_start("-device hisi-zip,queues=128");
    write_vft(s->d, vft_of(QUEUES));
    s->pages = sva_alloc(s->d->t, QUEUES * PAGE, PAGE);
    return s;
}

static void stuck_stop(Stuck *s)
{
    dev_stop(s->d);
    g_free(s);
}

static uint64_t stuck_at(Stuck *s, unsigned n)
{
    return s->d->offset + s->pages + n * PAGE;
}

static void stuck_open(Stuck *s, unsigned n)
{
    s->q[n] = queue_open(s->d, n, 4, HISI_ZIP_COMPRESS, PASID_WORD);
}

static void stuck_submit(Stuck *s, unsigned n)
{
    uint64_t at = stuck_at(s, n);

    submit(&s->q[n], (Request) { HISI_ZIP_REQUEST(1, 0, 4), at, 64, at, 1024 });
}

/* The next stall is @n's, so that its job is in work. */
static void stuck_is_in_work(Stuck *s, unsigned n)
{
    s->stag[n] = stalled_at(s->d, stuck_at(s, n));
}

/* Whose stall is next? */
static unsigned stalls_next(Stuck *s)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    WAIT_FOR(sva_event(s->d->t, event));
    return (event[2] - stuck_at(s, 0)) / PAGE;
}

static void stuck_ends(Stuck *s, unsigned n)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];

    take(&s->q[n], sqe);
    ring_db(s->d, QM_DB_CQ, n, s->q[n].head, 1);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_READ_REFUSED);
}

/* Queues that have something to do have their turns, though nothing shows. */
static void let_pass(Dev *d)
{
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmpuint(reg(d, QM_IDLE), ==, 0);
    }
}

static void test_jobs_in_work(void)
{
    Stuck *s = stuck_start();
    Dev *d = s->d;
    uint32_t words[8];

    for (unsigned n = 0; n < JOBS + 2; n++) {
        stuck_open(s, n);
        stuck_submit(s, n);
        if (n < JOBS) {
            stuck_is_in_work(s, n);
        }
    }
    /* The last two have their turns, and no job. */
    let_pass(d);
    g_assert_cmpuint(sva_counter(d->t, "stalls"), ==, JOBS);
    resume(d, s->stag[JOBS - 1], false);
    stuck_ends(s, JOBS - 1);
    stuck_is_in_work(s, JOBS);
    g_assert_cmpuint(sva_counter(d->t, "stalls_outstanding"), ==, JOBS);
    /* One that is taken away makes room, too. */
    sq_context(&s->q[3], HISI_ZIP_COMPRESS, PASID_WORD, words);
    g_assert_cmpuint(load_context(d, QM_MB_SQC, 3, words), ==, 0);
    stuck_is_in_work(s, JOBS + 1);
    g_assert_cmpuint(sva_counter(d->t, "stalls"), ==, JOBS + 2);
    stuck_stop(s);
}

/*
 * A queue whose only job is over looks for another one. When all jobs are in
 * work it waits to look, and the next room is offered to it: it has no use for
 * it, and the one behind it has.
 *
 *     FIRST ends    LATER, which waited, begins; FIRST has no entry, and waits
 *     LAST comes    and waits behind FIRST
 *     LATER ends    FIRST is asked, then LAST
 */
static void test_room_that_is_not_used(void)
{
    enum { FIRST = JOBS - 1, LAST, LATER };
    Stuck *s = stuck_start();

    for (unsigned n = 0; n <= LATER; n++) {
        stuck_open(s, n);
    }
    for (unsigned n = 0; n < JOBS; n++) {
        stuck_submit(s, n);
        stuck_is_in_work(s, n);
    }
    stuck_submit(s, LATER);
    let_pass(s->d);
    resume(s->d, s->stag[FIRST], false);
    stuck_ends(s, FIRST);
    stuck_is_in_work(s, LATER);
    stuck_submit(s, LAST);
    let_pass(s->d);
    resume(s->d, s->stag[LATER], false);
    stuck_ends(s, LATER);
    stuck_is_in_work(s, LAST);
    stuck_stop(s);
}

/*
 * Jobs that are at work, and not stalled, for as long as a test may take: 4 GiB
 * each, of lists that lead back to themselves.
 */
static void keep_busy(Dev *d, unsigned first, unsigned end)
{
    enum { BYTES = 64 * KiB };
    uint64_t src = sva_alloc(d->t, BYTES, PAGE), dst;
    uint64_t node = sva_alloc(d->t, 2 * PAGE, PAGE);
    g_autofree uint8_t *noise = sample(BYTES, 1);
    Request r = { HISI_ZIP_REQUEST(1, 1, 4), node, UINT32_MAX, node + PAGE,
                  UINT32_MAX };

    sva_bufwrite(d->t, src, noise, BYTES);
    dst = sva_alloc(d->t, BYTES, PAGE);
    put_list(d, r.src, r.src, (const uint64_t[][2]) { { src, BYTES } }, 1);
    put_list(d, r.dst, r.dst, (const uint64_t[][2]) { { dst, BYTES } }, 1);
    for (unsigned n = first; n < end; n++) {
        Queue q = queue_open(d, n, 4, HISI_ZIP_COMPRESS, 0);

        submit(&q, r);
    }
}

/* The context of queue @n again: what it has in work and in its ring is gone. */
static void stuck_reload(Stuck *s, unsigned n, uint64_t context)
{
    mailbox_start(s->d, QM_MB_SQC, false, n, context);
    s->q[n].tail = 0;
}

/*
 * A queue with a job is taken away, and so is the one that is offered the room:
 * it is the next one's. There are some turns between the offer and the turn of
 * who has it, in which many others work. Whether the second context is loaded
 * in these is chance, so it is tried again, sooner and later.
 */
static void test_room_of_a_queue_that_is_reloaded(void)
{
    enum { OFFERED, NEXT, ENDS, BUSY, STUCK = BUSY + 60, ROUNDS = 16 };
    Stuck *s = stuck_start();
    Dev *d = s->d;
    uint64_t context[ENDS + 1];

    for (unsigned n = OFFERED; n <= ENDS; n++) {
        uint32_t words[8];

        stuck_open(s, n);
        sq_context(&s->q[n], HISI_ZIP_COMPRESS, PASID_WORD, words);
        context[n] = sva_alloc(d->t, PAGE, PAGE);
        put_words(d, context[n], words, ARRAY_SIZE(words));
    }
    for (unsigned n = STUCK; n < BUSY + JOBS - 1; n++) {
        stuck_open(s, n);
        stuck_submit(s, n);
        stuck_is_in_work(s, n);
    }
    stuck_submit(s, ENDS);
    stuck_is_in_work(s, ENDS);
    keep_busy(d, BUSY, STUCK);
    for (unsigned i = 0; i < ROUNDS; i++) {
        stuck_submit(s, OFFERED);
        stuck_submit(s, NEXT);
        let_pass(d);
        stuck_reload(s, ENDS, context[ENDS]);
        for (unsigned later = 0; later < i % 3; later++) {
            reg(d, QM_MAILBOX);
        }
        stuck_reload(s, OFFERED, context[OFFERED]);
        /* It may have come to its turn, and have stalled, before it went. */
        while (stalls_next(s) != NEXT) {
        }
        /* And back to where we began. */
        stuck_submit(s, ENDS);
        let_pass(d);
        stuck_reload(s, NEXT, context[NEXT]);
        stuck_is_in_work(s, ENDS);
    }
    stuck_stop(s);
}

/* ---- Events ------------------------------------------------------------- */

static bool event_is_there(Dev *d, unsigned slot)
{
    return FIELD_EX32(qtest_readl(d->t->qts, d->eq + 4 * slot), QM_EQE, PHASE);
}

/*
 * A queue is taken away and given back while its event waits to be taken. The
 * next one comes when that is taken: never two of one queue at once.
 */
static void test_event_outlives_its_queue(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 5, 16, HISI_ZIP_COMPRESS, 0);
    run(&q, small_request(d), sqe);
    g_assert_true(event_is_there(d, 0));
    write_vft(d, 0);
    write_vft(d, vft_of(8));
    q = queue_open(d, 5, 16, HISI_ZIP_COMPRESS, 0);
    submit(&q, small_request(d));
    take(&q, sqe);
    g_assert_false(event_is_there(d, 1));
    ring_db(d, QM_DB_EQ, 0, 1, 0);
    g_assert_true(event_is_there(d, 1));
    /* All contexts cleared: no event is left, and none that is awaited. */
    set_reg(d, QM_MEM_START_INIT, 1);
    bring_up(d, 64);
    q = queue_open(d, 5, 16, HISI_ZIP_COMPRESS, 0);
    submit(&q, small_request(d));
    take(&q, sqe);
    g_assert_true(event_is_there(d, 0));
    dev_stop(d);
}

/* Which queue each of the first @n events is of; none twice, none more. */
static void assert_events(Dev *d, unsigned n)
{
    g_autofree bool *seen = g_new0(bool, MANY);

    for (unsigned i = 0; i < n; i++) {
        uint32_t entry = qtest_readl(d->t->qts, d->eq + 4 * i);
        unsigned cqn = FIELD_EX32(entry, QM_EQE, QUEUE);

        g_assert_true(FIELD_EX32(entry, QM_EQE, PHASE));
        g_assert_cmpuint(cqn, <, MANY);
        g_assert_false(seen[cqn]);
        seen[cqn] = true;
    }
    g_assert_false(event_is_there(d, n));
}

/*
 * What one register write makes due is posted in turns, for each event is an
 * access to memory: a machine that stands still has the first of them only, and
 * another that goes on in its place has the others.
 */
static void test_events_in_turns(void)
{
    static const char device[] = "-device hisi-zip,queues=256";
    enum { AT_A_TIME = 64 };
    Dev *d = dev_start(PLAIN_MACHINE, device);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], words[8];
    Queue q[MANY];

    bring_up(d, 1);
    write_vft(d, vft_of(MANY));
    for (unsigned n = 0; n < MANY; n++) {
        q[n] = queue_open(d, n, 16, HISI_ZIP_COMPRESS, 0);
        submit(&q[n], small_request(d));
        take(&q[n], sqe);
    }
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    g_assert_cmpuint(load_context(d, QM_MB_EQC, 0,
                                  eq_context(d->eq, 1024, words)), ==, 0);
    assert_events(d, AT_A_TIME);
    d->t = sva_migrate(d->t, PLAIN_MACHINE, device);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    WAIT_FOR(event_is_there(d, MANY - 1));
    assert_events(d, MANY);

    /* All are due again, when theirs are taken. */
    for (unsigned n = 0; n < MANY; n++) {
        ring_db(d, QM_DB_CQ, n, q[n].head, 1);
        submit(&q[n], small_request(d));
        take(&q[n], sqe);
    }
    g_assert_false(event_is_there(d, MANY));
    d->eq += 4 * MANY;
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    ring_db(d, QM_DB_EQ, 0, MANY, 0);
    assert_events(d, 2 * AT_A_TIME);    /* of those taken, and of all */
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    WAIT_FOR(event_is_there(d, MANY - 1));
    assert_events(d, MANY);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/hisi-zip/limits/jobs-in-work", test_jobs_in_work);
    g_test_add_func("/hisi-zip/limits/room-that-is-not-used",
                    test_room_that_is_not_used);
    g_test_add_func("/hisi-zip/limits/room-of-a-queue-that-is-reloaded",
                    test_room_of_a_queue_that_is_reloaded);
    g_test_add_func("/hisi-zip/limits/event-outlives-its-queue",
                    test_event_outlives_its_queue);
    g_test_add_func("/hisi-zip/limits/events-in-turns", test_events_in_turns);
    return g_test_run();
}
