/*
 * pasid-dev's queues with several jobs in work: their order, fences, fair
 * shares, drain and abort of a queue and of a PASID. What the operations do is
 * in the other tests. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "pasid-dev-ats-rig.h"

#define NOP     ((PasidDevDescriptor) { .op = PASID_DEV_OP_NOP })
#define FENCE   PASID_DEV_DESC_FENCE

/* A job that writes @value to the word at @pa */
static PasidDevDescriptor store(Dev *d, uint64_t pa, uint64_t value)
{
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, pa), .len = 8, .arg = value };
}

static bool is_done(Queue *q, unsigned index)
{
    return record_at(q, index).status != PASID_DEV_DONE_PENDING;
}

/* ---- Jobs in work ------------------------------------------------------- */

typedef struct Stuck {
    Dev *d;
    Queue q;
    uint64_t missing[5];        /* pa of pages that are not there */
    uint16_t stag[5];
} Stuck;

/* A queue with up to @jobs in work and pages to stall on. */
static Stuck stuck_start(unsigned jobs)
{
    Stuck s = { .d = process_start() };

    s.q = queue_open_jobs(s.d, 0, 3, PASID(THE_PASID), jobs);
    for (unsigned i = 0; i < ARRAY_SIZE(s.missing); i++) {
        s.missing[i] = process_alloc(s.d, PAGE);
        unmap(s.d, s.missing[i], PAGE);
    }
    return s;
}

/* A job that stalls on page @i */
static unsigned submit_stuck(Stuck *s, unsigned i)
{
    unsigned index = submit(&s->q, store(s->d, s->missing[i], i + 1));

    s->stag[i] = next_stall(s->d, va(s->d, s->missing[i]));
    return index;
}

static void let_go(Stuck *s, unsigned i)
{
    map(s->d, s->missing[i], PAGE);
    resume(s->d, s->stag[i], RETRY);
}

static void assert_stored(Stuck *s, unsigned i)
{
    g_assert_cmpuint(word_at(s->d, s->missing[i], 0), ==, i + 1);
}

static void test_stalled_holds_up_none(void)
{
    Stuck s = stuck_start(2);
    unsigned stuck = submit_stuck(&s, 0);

    for (unsigned i = 0; i < 7; i++) {
        assert_completion(run(&s.q, NOP), PASID_DEV_DONE_OK, 0, 0, 0);
        g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_HEAD), ==, stuck);
        g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_IN_WORK), ==, 1);
    }
    g_assert_false(is_done(&s.q, stuck));
    g_assert_cmphex(q32(&s.q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED | PASID_DEV_Q_STATUS_BUSY |
                    PASID_DEV_Q_STATUS_STALLED);
    /* All eight slots are in use, the first of them not done. */
    let_go(&s, 0);
    assert_completion(wait_for(&s.q, stuck), PASID_DEV_DONE_OK, 0, 8, 0);
    WAIT_FOR(q32(&s.q, PASID_DEV_Q_HEAD) == 8);
    assert_stored(&s, 0);
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_IN_WORK), ==, 0);
    g_assert_cmpuint(q64(&s.q, PASID_DEV_Q_COUNT_STALLS), ==, 1);
    assert_completion(run(&s.q, NOP), PASID_DEV_DONE_OK, 0, 0, 0);
    dev_stop(s.d);
}

/* Whoever asks for nothing gets one after the other, as ever. */
static void test_in_order_by_default(void)
{
    Stuck s = stuck_start(1);
    Queue other = queue_open(s.d, 1, 2, PASID(THE_PASID));
    unsigned stuck = submit_stuck(&s, 0), behind = submit(&s.q, NOP);

    run(&other, NOP);
    g_assert_false(is_done(&s.q, behind));
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_IN_WORK), ==, 1);
    let_go(&s, 0);
    wait_for(&s.q, behind);
    g_assert_true(is_done(&s.q, stuck));
    dev_stop(s.d);
}

/* As many as were asked for, and no more; HEAD goes over what is done. */
static void test_as_many_as_asked_for(void)
{
    static const uint16_t head_after[] = { 0, 0, 3, 4 };
    static const unsigned order[] = { 2, 1, 0, 3 };
    Stuck s = stuck_start(4);
    Queue other = queue_open(s.d, 1, 2, PASID(THE_PASID));
    unsigned behind;

    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpuint(submit_stuck(&s, i), ==, i);
    }
    behind = submit(&s.q, store(s.d, s.missing[4], 5));
    run(&other, NOP);
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_IN_WORK), ==, 4);
    for (unsigned i = 0; i < 4; i++) {
        let_go(&s, order[i]);
        wait_for(&s.q, order[i]);
        assert_stored(&s, order[i]);
        if (i == 0) {       /* there is room for the fifth */
            s.stag[4] = next_stall(s.d, va(s.d, s.missing[4]));
        }
        WAIT_FOR(q32(&s.q, PASID_DEV_Q_HEAD) == head_after[i]);
    }
    let_go(&s, 4);
    wait_for(&s.q, behind);
    assert_stored(&s, 4);
    WAIT_FOR(q32(&s.q, PASID_DEV_Q_HEAD) == 5);
    dev_stop(s.d);
}

static void test_fence(void)
{
    Stuck s = stuck_start(4);
    uint64_t word = process_alloc(s.d, PAGE);
    PasidDevDescriptor fenced = store(s.d, word, 7);
    unsigned first = submit_stuck(&s, 0), second = submit_stuck(&s, 1);
    unsigned fence, behind;

    fenced.flags = FENCE;
    fence = submit(&s.q, fenced);
    behind = submit(&s.q, store(s.d, word + 8, 8));
    WAIT_FOR(q32(&s.q, PASID_DEV_Q_IN_WORK) == 3);
    let_go(&s, 1);
    wait_for(&s.q, second);
    g_assert_false(is_done(&s.q, fence));
    g_assert_false(is_done(&s.q, behind));
    g_assert_cmpuint(word_at(s.d, word, 0), ==, 0);
    let_go(&s, 0);
    wait_for(&s.q, fence);
    g_assert_true(is_done(&s.q, first));
    wait_for(&s.q, behind);
    g_assert_cmpuint(word_at(s.d, word, 0), ==, 7);
    g_assert_cmpuint(word_at(s.d, word, 1), ==, 8);

    /* With nothing before it, it waits for nothing. */
    fenced.arg = 9;
    assert_completion(run(&s.q, fenced), PASID_DEV_DONE_OK, 0, 8, 0);
    dev_stop(s.d);
}

static void test_number_of_jobs(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev,jobs=3");
    Queue q = queue_open_jobs(d, 0, 2, NO_PASID, 3);
    uint32_t ctrl = q32(&q, PASID_DEV_Q_CTRL);

    g_assert_cmpuint(admin32(d, PASID_DEV_JOBS), ==, 3);
    /* While it is enabled, it stays. */
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_CTRL), ==,
                    ctrl & ~PASID_DEV_Q_CTRL_IRQ);
    q_write32(&q, PASID_DEV_Q_CTRL, 0);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_CTRL), ==, 0);
    for (unsigned jobs = 4; jobs <= 16; jobs++) {
        q_write32(&q, PASID_DEV_Q_CTRL,
                  PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_JOBS(jobs));
        assert_queue_error(&q, PASID_DEV_Q_ERROR_CONFIG, 0);
        q_write32(&q, PASID_DEV_Q_CTRL, 0);
    }
    assert_queue_works(&q);
    dev_stop(d);
}

/* A record that is refused stops the queue, and what is stalled in it. */
static void test_error_with_jobs_in_work(void)
{
    Stuck s = stuck_start(4);
    unsigned stuck = submit_stuck(&s, 0);
    uint16_t stag;

    unmap(s.d, s.q.completions, PAGE);
    submit(&s.q, NOP);
    stag = next_stall(s.d, va(s.d, s.q.completions) +
                           sizeof(PasidDevCompletion));
    resume(s.d, stag, ABORT);
    assert_queue_error(&s.q, PASID_DEV_Q_ERROR_COMPLETION,
                       va(s.d, s.q.completions) + sizeof(PasidDevCompletion));
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_HEAD), ==, stuck);
    /* Its access is over when it is answered, and then it makes none. */
    map(s.d, s.q.completions, PAGE);
    let_go(&s, 0);
    WAIT_FOR(q32(&s.q, PASID_DEV_Q_IN_WORK) == 0);
    g_assert_cmpuint(word_at(s.d, s.missing[0], 0), ==, 0);
    g_assert_false(is_done(&s.q, stuck));
    assert_queue_works(&s.q);
    dev_stop(s.d);
}

static void test_disable_with_jobs_in_work(void)
{
    Stuck s = stuck_start(4);
    uint64_t event[SMMU3_EVENT_WORDS];

    for (unsigned i = 0; i < 4; i++) {
        submit_stuck(&s, i);
    }
    q_write32(&s.q, PASID_DEV_Q_CTRL, 0);
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_IN_WORK), ==, 0);
    for (unsigned i = 0; i < 4; i++) {
        let_go(&s, i);
        g_assert_cmpuint(word_at(s.d, s.missing[i], 0), ==, 0);
    }
    assert_queue_works(&s.q);
    g_assert_false(sva_event(s.d->t, event));
    dev_stop(s.d);
}

/* ---- Fair shares -------------------------------------------------------- */

static void machine_stop(Dev *d)
{
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
}

static void machine_cont(Dev *d)
{
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
}

/* A job that copies the word at @from to @to: what it was when it ran. */
static PasidDevDescriptor sample(Dev *d, uint64_t from, uint64_t to)
{
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, from), .dst = va(d, to),
        .len = 8 };
}

#define OTHERS          255
#define OTHERS_ROUNDS   6

/*
 * One queue has 64 copies of 1 MiB, all others 6 of 64 KiB each; a machine that
 * stands still lets them begin at once. Each of the others looks in its last
 * job how many of the first one's are done. A share is 256 KiB and a bit, so
 * while the others have done theirs, it has done a few.
 */
static void test_fair_among_256(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev,queues=256");
    uint64_t src = process_alloc(d, MiB), dst = process_alloc(d, MiB);
    uint64_t counter = process_alloc(d, PAGE);
    uint64_t seen = process_alloc(d, OTHERS * 8), most = 0;
    g_autofree Queue *others = g_new0(Queue, OTHERS);
    Queue huge = queue_open(d, 0, 7, NO_PASID);
    PasidDevDescriptor copy = {
        .op = PASID_DEV_OP_COPY, .src = src, .dst = dst, .len = MiB };

    machine_stop(d);
    for (unsigned i = 0; i < 64; i++) {
        fill_slot(&huge, copy);
        fill_slot(&huge, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_ATOMIC_ADD, .dst = counter, .arg = 1 });
    }
    copy.len = 64 * KiB;
    for (unsigned i = 0; i < OTHERS; i++) {
        others[i] = queue_open(d, 1 + i, 3, NO_PASID);
        for (unsigned j = 0; j < OTHERS_ROUNDS; j++) {
            fill_slot(&others[i], copy);
        }
        fill_slot(&others[i], sample(d, counter, seen + 8 * i));
        q_write32(&others[i], PASID_DEV_Q_TAIL, others[i].tail);
    }
    q_write32(&huge, PASID_DEV_Q_TAIL, huge.tail);
    machine_cont(d);
    for (unsigned i = 0; i < OTHERS; i++) {
        wait_for(&others[i], OTHERS_ROUNDS);
        most = MAX(most, word_at(d, seen, i));
    }
    g_assert_cmpuint(most, <=, 2);
    wait_for(&huge, 127);
    g_assert_cmpuint(word_at(d, counter, 0), ==, 64);
    dev_stop(d);
}

/* The same in one queue: a short job behind a long one is done before it. */
static void test_fair_in_a_queue(void)
{
    Dev *d = plain_start();
    uint64_t src = process_alloc(d, 16 * MiB), dst = process_alloc(d, 16 * MiB);
    uint64_t seen = process_alloc(d, PAGE);
    Queue q = queue_open_jobs(d, 0, 4, NO_PASID, 2);
    unsigned huge, last;

    machine_stop(d);
    huge = fill_slot(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = src, .dst = dst, .len = 16 * MiB });
    for (unsigned i = 0; i < 10; i++) {
        fill_slot(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COPY, .src = src, .dst = src + 8 * MiB,
            .len = 64 * KiB });
    }
    /* The record of the long one */
    last = fill_slot(&q, sample(d, q.completions + huge *
                                sizeof(PasidDevCompletion), seen + 8));
    qtest_writeq(d->t->qts, seen + 8, UINT64_MAX);
    q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
    machine_cont(d);
    wait_for(&q, last);
    g_assert_cmphex(word_at(d, seen, 1), ==, PASID_DEV_DONE_PENDING);
    assert_completion(wait_for(&q, huge), PASID_DEV_DONE_OK, 0, 16 * MiB, 0);
    dev_stop(d);
}

/* ---- Drain and abort ---------------------------------------------------- */

static void set_drain(Queue *q, bool drain)
{
    uint32_t ctrl = q32(q, PASID_DEV_Q_CTRL);
    uint32_t bits = PASID_DEV_Q_CTRL_DRAIN | PASID_DEV_Q_CTRL_DRAIN_IRQ;

    q_write32(q, PASID_DEV_Q_CTRL, drain ? ctrl | bits : ctrl & ~bits);
}

static bool is_drained(Queue *q)
{
    return q32(q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_DRAINED;
}

static void test_drain(void)
{
    Stuck s = stuck_start(4);
    unsigned first = submit_stuck(&s, 0), second = submit_stuck(&s, 1), third;

    set_drain(&s.q, true);
    third = submit(&s.q, NOP);
    g_assert_false(is_drained(&s.q));
    let_go(&s, 1);
    wait_for(&s.q, second);
    g_assert_false(is_drained(&s.q));
    let_go(&s, 0);
    WAIT_FOR(is_drained(&s.q));
    g_assert_true(is_done(&s.q, first));
    g_assert_false(is_done(&s.q, third));
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_HEAD), ==, third);
    set_drain(&s.q, false);
    wait_for(&s.q, third);
    g_assert_false(is_drained(&s.q));
    dev_stop(s.d);
}

/* The vector says so, of a queue with nothing in work at once. */
static void test_drain_interrupt(void)
{
    Dev *d = plain_start();
    uint64_t word = arm_vector(d, 0, false);
    Queue q = queue_open(d, 0, 2, NO_PASID);
    PasidDevDescriptor desc = endless_job(d);

    desc.len = 5 * 1000 * 1000;     /* it is in work for a while */
    submit(&q, desc);
    WAIT_FOR(q32(&q, PASID_DEV_Q_IN_WORK) == 1);
    set_drain(&q, true);
    submit(&q, NOP);
    WAIT_FOR(qtest_readl(d->t->qts, word) == VECTOR_DATA(0));
    g_assert_true(is_drained(&q));
    g_assert_true(is_done(&q, 0));
    g_assert_false(is_done(&q, 1));
    set_drain(&q, false);
    wait_for(&q, 1);
    qtest_writel(d->t->qts, word, 0);
    set_drain(&q, true);
    WAIT_FOR(qtest_readl(d->t->qts, word) == VECTOR_DATA(0));
    dev_stop(d);
}

static void command(Dev *d, uint32_t pasid, uint32_t what)
{
    admin_write32(d, PASID_DEV_PASID_TARGET, pasid);
    admin_write32(d, PASID_DEV_PASID_COMMAND, what);
}

static uint32_t pasid_status(Dev *d)
{
    return admin32(d, PASID_DEV_PASID_STATUS);
}

/* The PASID's queues take nothing until somebody gives it to them again. */
static void assert_closed(Queue *q)
{
    uint32_t config = PASID_DEV_QUEUE_FLAGS(q->n);

    g_assert_cmphex(admin32(q->d, config), ==, PASID_DEV_QUEUE_F_CLOSED);
    q_write32(q, PASID_DEV_Q_CTRL, 0);
    q_write32(q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    g_assert_cmpuint(q32(q, PASID_DEV_Q_ERROR), ==, PASID_DEV_Q_ERROR_CLOSED);
    g_assert_cmphex(q32(q, PASID_DEV_Q_STATUS), ==, PASID_DEV_Q_STATUS_ERROR);
    /* Only the owner of the device opens it, whatever CTRL says. */
    admin_write32(q->d, config, 0);
    g_assert_cmphex(admin32(q->d, config), ==, PASID_DEV_QUEUE_F_CLOSED);
    admin_write32(q->d, PASID_DEV_QUEUE_PASID(q->n), PASID(THE_PASID));
    g_assert_cmphex(admin32(q->d, config), ==, 0);
    assert_queue_works(q);
}

static void test_pasid_drain(void)
{
    Stuck s = stuck_start(4);
    Queue idle = queue_open(s.d, 1, 2, PASID(THE_PASID));
    Queue other = queue_open(s.d, 2, 2, PASID(THE_PASID + 1));
    Queue disabled = queue_make(s.d, 3, 2);
    unsigned stuck = submit_stuck(&s, 0), done = submit(&s.q, NOP), behind;

    queue_program(&disabled, PASID(THE_PASID));
    wait_for(&s.q, done);
    g_assert_cmpuint(pasid_status(s.d), ==, PASID_DEV_PASID_STATUS_IDLE);
    command(s.d, PASID(THE_PASID), PASID_DEV_PASID_COMMAND_DRAIN);
    g_assert_cmpuint(pasid_status(s.d), ==, PASID_DEV_PASID_STATUS_BUSY);
    g_assert_cmpuint(q32(&idle, PASID_DEV_Q_ERROR), ==,
                     PASID_DEV_Q_ERROR_CLOSED);
    behind = submit(&s.q, NOP);
    /* While it is busy, another drain is not taken, nor another PASID. */
    command(s.d, PASID(THE_PASID + 1), PASID_DEV_PASID_COMMAND_DRAIN);
    g_assert_cmphex(admin32(s.d, PASID_DEV_PASID_TARGET), ==, PASID(THE_PASID));
    g_assert_cmpuint(pasid_status(s.d), ==, PASID_DEV_PASID_STATUS_BUSY);
    /* And a queue that drains does not get another one. */
    admin_write32(s.d, PASID_DEV_QUEUE_PASID(0), PASID(THE_PASID + 1));
    g_assert_cmphex(admin32(s.d, PASID_DEV_QUEUE_PASID(0)), ==,
                    PASID(THE_PASID));

    let_go(&s, 0);
    WAIT_FOR(pasid_status(s.d) == PASID_DEV_PASID_STATUS_DONE);
    assert_completion(record_at(&s.q, stuck), PASID_DEV_DONE_OK, 0, 8, 0);
    g_assert_false(is_done(&s.q, behind));
    g_assert_cmpuint(q32(&s.q, PASID_DEV_Q_HEAD), ==, behind);
    g_assert_cmphex(q32(&other, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    assert_closed(&s.q);
    assert_closed(&idle);
    assert_closed(&disabled);
    dev_stop(s.d);
}

static void test_pasid_abort(void)
{
    Stuck s = stuck_start(4);
    Queue busy = queue_open(s.d, 1, 2, PASID(THE_PASID));
    uint64_t event[SMMU3_EVENT_WORDS];
    uint64_t jobs;

    submit_stuck(&s, 0);
    submit_stuck(&s, 1);
    submit_endless(&busy);
    command(s.d, PASID(THE_PASID), PASID_DEV_PASID_COMMAND_ABORT);
    g_assert_cmpuint(pasid_status(s.d), ==, PASID_DEV_PASID_STATUS_DONE);
    g_assert_cmphex(admin32(s.d, PASID_DEV_STATUS), ==, 0);
    jobs = admin64(s.d, PASID_DEV_COUNT_BYTES);
    let_go(&s, 0);
    let_go(&s, 1);
    g_assert_cmpuint(word_at(s.d, s.missing[0], 0), ==, 0);
    g_assert_cmpuint(word_at(s.d, s.missing[1], 0), ==, 0);
    g_assert_cmpuint(admin64(s.d, PASID_DEV_COUNT_BYTES), ==, jobs);
    g_assert_false(sva_event(s.d->t, event));
    assert_closed(&s.q);
    assert_closed(&busy);
    dev_stop(s.d);
}

/* A drain that does not come to its end becomes an abort. */
static void test_pasid_drain_then_abort(void)
{
    Stuck s = stuck_start(1);

    submit_stuck(&s, 0);
    command(s.d, PASID(THE_PASID), PASID_DEV_PASID_COMMAND_DRAIN);
    g_assert_cmpuint(pasid_status(s.d), ==, PASID_DEV_PASID_STATUS_BUSY);
    admin_write32(s.d, PASID_DEV_PASID_COMMAND, PASID_DEV_PASID_COMMAND_ABORT);
    g_assert_cmpuint(pasid_status(s.d), ==, PASID_DEV_PASID_STATUS_DONE);
    let_go(&s, 0);
    g_assert_cmpuint(word_at(s.d, s.missing[0], 0), ==, 0);
    assert_closed(&s.q);

    /* So does one whose queue its user disables. */
    unmap(s.d, s.missing[0], PAGE);
    submit_stuck(&s, 0);
    command(s.d, PASID(THE_PASID), PASID_DEV_PASID_COMMAND_DRAIN);
    q_write32(&s.q, PASID_DEV_Q_CTRL, 0);
    WAIT_FOR(pasid_status(s.d) == PASID_DEV_PASID_STATUS_DONE);
    let_go(&s, 0);
    assert_closed(&s.q);
    dev_stop(s.d);
}

static bool has_come(Dev *d, uint64_t word)
{
    bool has = qtest_readl(d->t->qts, word) == VECTOR_DATA(0);

    qtest_writel(d->t->qts, word, 0);
    return has;
}

/* Who asks for it is told the end, once, by vector 0; who does not is not. */
static void test_pasid_interrupt(void)
{
    const uint32_t drain = PASID_DEV_PASID_COMMAND_DRAIN;
    const uint32_t irq = PASID_DEV_PASID_COMMAND_IRQ;
    const uint32_t busy = PASID_DEV_PASID_STATUS_BUSY;
    Dev *d = plain_start();
    Queue q = queue_make(d, 1, 2);
    uint64_t word = arm_vector(d, 0, false);

    for (unsigned i = 0; i < 2; i++) {
        bool asks = i == 0;
        PasidDevDescriptor endless = endless_job(d);

        queue_program(&q, NO_PASID);
        queue_reopen(&q);
        submit(&q, endless);
        WAIT_FOR(q32(&q, PASID_DEV_Q_IN_WORK));
        command(d, NO_PASID, drain | (asks ? irq : 0));
        g_assert_cmphex(pasid_status(d), ==,
                        busy | (asks ? PASID_DEV_PASID_STATUS_IRQ : 0));
        g_assert_false(has_come(d, word));
        qtest_writeq(d->t->qts, endless.src, 0);    /* the list's end */
        WAIT_FOR(pasid_status(d) == PASID_DEV_PASID_STATUS_DONE);
        g_assert_cmpint(has_come(d, word), ==, asks);
        q_write32(&q, PASID_DEV_Q_CTRL, 0);
    }
    command(d, NO_PASID, PASID_DEV_PASID_COMMAND_ABORT | irq);
    g_assert_cmphex(pasid_status(d), ==, PASID_DEV_PASID_STATUS_DONE);
    g_assert_true(has_come(d, word));
    /* The same bit with what is no command */
    admin_write32(d, PASID_DEV_PASID_COMMAND, irq);
    g_assert_cmphex(pasid_status(d), ==, PASID_DEV_PASID_STATUS_DONE);
    g_assert_false(has_come(d, word));
    dev_stop(d);
}

/* The IOMMU is told that what it has of the PASID's page requests is void. */
static void test_stop_marker(void)
{
    Dev *d = pri_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE);
    PageRequest marker;

    ats_unmap(d, page, PAGE);
    submit(&q, store(d, page, 1));
    expect_page_request(d, va(d, page), false, true);
    command(d, PASID(THE_PASID), PASID_DEV_PASID_COMMAND_ABORT);
    g_assert_cmpuint(pasid_status(d), ==, PASID_DEV_PASID_STATUS_DONE);
    marker = next_page_request(d);
    g_assert_true(marker.ssv && marker.last && !marker.read && !marker.write);
    g_assert_cmpuint(marker.pasid, ==, THE_PASID);
    expect_no_page_request(d);
    assert_closed(&q);
    dev_stop(d);
}

/* Without VALID the command is for those that work without PASID. */
static void test_drain_without_pasid(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);
    Queue with = queue_open(d, 1, 2, PASID(0));

    submit_endless(&q);
    command(d, NO_PASID, PASID_DEV_PASID_COMMAND_DRAIN);
    g_assert_cmpuint(pasid_status(d), ==, PASID_DEV_PASID_STATUS_BUSY);
    admin_write32(d, PASID_DEV_PASID_COMMAND, PASID_DEV_PASID_COMMAND_ABORT);
    g_assert_cmpuint(pasid_status(d), ==, PASID_DEV_PASID_STATUS_DONE);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_CLOSED, 0);
    g_assert_cmphex(q32(&with, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    admin_write32(d, PASID_DEV_PASID_COMMAND, 77);
    g_assert_cmpuint(pasid_status(d), ==, PASID_DEV_PASID_STATUS_DONE);
    admin_write32(d, PASID_DEV_CTRL, PASID_DEV_CTRL_RESET);
    g_assert_cmpuint(pasid_status(d), ==, PASID_DEV_PASID_STATUS_IDLE);
    g_assert_cmphex(admin32(d, PASID_DEV_QUEUE_FLAGS(0)), ==, 0);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/queue/jobs/stalled-holds-up-none",
                    test_stalled_holds_up_none);
    g_test_add_func("/pasid-dev/queue/jobs/in-order-by-default",
                    test_in_order_by_default);
    g_test_add_func("/pasid-dev/queue/jobs/as-many-as-asked-for",
                    test_as_many_as_asked_for);
    g_test_add_func("/pasid-dev/queue/jobs/fence", test_fence);
    g_test_add_func("/pasid-dev/queue/jobs/number", test_number_of_jobs);
    g_test_add_func("/pasid-dev/queue/jobs/error-ends-all",
                    test_error_with_jobs_in_work);
    g_test_add_func("/pasid-dev/queue/jobs/disable-ends-all",
                    test_disable_with_jobs_in_work);
    g_test_add_func("/pasid-dev/queue/fair/among-256", test_fair_among_256);
    g_test_add_func("/pasid-dev/queue/fair/in-a-queue", test_fair_in_a_queue);
    g_test_add_func("/pasid-dev/queue/drain/queue", test_drain);
    g_test_add_func("/pasid-dev/queue/drain/interrupt", test_drain_interrupt);
    g_test_add_func("/pasid-dev/queue/drain/pasid", test_pasid_drain);
    g_test_add_func("/pasid-dev/queue/drain/pasid-abort", test_pasid_abort);
    g_test_add_func("/pasid-dev/queue/drain/then-abort",
                    test_pasid_drain_then_abort);
    g_test_add_func("/pasid-dev/queue/drain/pasid-interrupt",
                    test_pasid_interrupt);
    g_test_add_func("/pasid-dev/queue/drain/stop-marker", test_stop_marker);
    g_test_add_func("/pasid-dev/queue/drain/without-pasid",
                    test_drain_without_pasid);

    return g_test_run();
}
