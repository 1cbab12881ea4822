/*
 * An endpoint's turns in the main loop or in a thread, see worker.h. Knows
 * nothing of what is done in them. Called by the endpoints, the main loop, the
 * IOThread and the run state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "hw/pci/msix.h"
#include "qemu/atomic.h"
#include "qemu/lockable.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/qtest.h"
#include "system/runstate.h"
#include "rest.h"
#include "worker.h"
#include "trace.h"

static const char *worker_name(const SvaWorker *w)
{
    return w->pdev->qdev.id ?: w->pdev->name;
}

/*
 * Under the lock, or without a thread. Once it is over the bottom halves are the
 * threads' that free them: whoever leaves the device after that, as exit does,
 * must not touch them.
 */
static void worker_kick(SvaWorker *w)
{
    w->was_wanted = false;
    if (w->is_over) {
        return;
    }
    qemu_bh_schedule(w->ctx && !w->goes_elsewhere ? w->thread_bh : w->main_bh);
}

/* ---- Interrupts -------------------------------------------------------- */

/*
 * Under the big lock. A message may be to a register, whose handler may come
 * back here, or unplug the device: each is taken before it is sent.
 */
static void send_msix(SvaWorker *w)
{
    if (!qatomic_read(&w->any_msix) || !qatomic_xchg(&w->any_msix, false)) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(w->msix); i++) {
        unsigned long raised = qatomic_xchg(&w->msix[i], 0);

        for (; raised && !w->is_over; raised &= raised - 1) {
            msix_notify(w->pdev, i * BITS_PER_LONG + ctzl(raised));
        }
    }
}

static void send_msix_bh(void *opaque)
{
    send_msix(opaque);
}

void sva_worker_msix(SvaWorker *w, unsigned vector)
{
    if (bql_locked()) {
        send_msix(w);       /* what a turn raised before */
        msix_notify(w->pdev, vector);
        return;
    }
    /* Both are full barriers: the writes before are seen first. */
    set_bit_atomic(vector, w->msix);
    if (!qatomic_xchg(&w->any_msix, true)) {
        qemu_bh_schedule(w->msix_bh);
    }
}

void sva_worker_drop_msix(SvaWorker *w)
{
    if (qatomic_xchg(&w->any_msix, false)) {
        for (unsigned i = 0; i < ARRAY_SIZE(w->msix); i++) {
            qatomic_set(&w->msix[i], 0);
        }
    }
}

/* ---- Turns ------------------------------------------------------------- */

/* Of this thread: what it did itself, without what it waited for. */
static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NANOSECONDS_PER_SECOND + t.tv_nsec;
}

static bool worker_turn(SvaWorker *w)
{
    PCIDevice *pdev = w->pdev;
    int64_t began_ns, began_cpu_ns, took_cpu_ns;
    bool more;

    if (!trace_event_get_state_backends(TRACE_SVA_WORKER_TURN)) {
        return w->work(pdev);
    }
    began_ns = get_clock();
    began_cpu_ns = cpu_ns();
    more = w->work(pdev);
    took_cpu_ns = cpu_ns() - began_cpu_ns;
    trace_sva_worker_turn(worker_name(w), get_clock() - began_ns,
                          took_cpu_ns, more);
    return more;
}

/*
 * A main loop for which a turn is always due lets go of the big lock for no longer
 * than a system call, and has it again before a virtual CPU that waits for it is
 * awake: for a minute, once, where turns were long. So after a while all turns in
 * the main loop rest, and it sleeps. A qtest has no thread that would wait.
 * Under the big lock.
 */
static SvaRest main_turns;

static bool main_turns_rest(SvaWorker *w)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    int64_t until = qtest_enabled() ? now : sva_rest_until(&main_turns, now);

    if (until > now) {
        timer_mod_anticipate(w->rest, until);
    }
    return until > now;
}

static void main_turn_after_rest(void *opaque)
{
    SvaWorker *w = opaque;

    qemu_bh_schedule(w->main_bh);
}

/* Under the lock. If not now, then whoever is in the way calls again. */
static bool turn_may_begin(SvaWorker *w)
{
    if (w->is_over || !w->is_running) {
        return false;
    }
    if (w->is_working || qatomic_read(&w->visitors)) {
        w->was_wanted = true;
        return false;
    }
    return true;
}

/* Under the lock. */
static void turn_ends(SvaWorker *w, bool more)
{
    w->is_working = false;
    if (more || w->was_wanted || w->goes_elsewhere) {
        worker_kick(w);
    }
}

static void thread_turn(void *opaque)
{
    SvaWorker *w = opaque;

    QEMU_LOCK_GUARD(&w->lock);
    if (!turn_may_begin(w)) {
        return;
    }
    if (w->goes_elsewhere) {
        w->was_wanted = true;       /* after the main loop's turn, which is due */
        return;
    }
    w->is_working = true;
    w->was_wanted = false;
    turn_ends(w, worker_turn(w));
}

static void worker_free(void *opaque)
{
    SvaWorker *w = opaque;
    PCIDevice *pdev = w->pdev;

    qemu_mutex_destroy(&w->lock);
    object_unref(pdev);
}

static void worker_free_in_main_loop(void *opaque)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), worker_free, opaque);
}

/*
 * A bottom half that is deleted may have been taken from its list before, and be
 * about to run, or in the middle of it, and whoever called it looks at its guard
 * afterwards: the device's memory stays until its thread, and the main loop, have
 * come round.
 */
static void worker_delete(SvaWorker *w)
{
    object_ref(w->pdev);
    timer_free(w->rest);
    qemu_bh_delete(w->main_bh);
    if (!w->ctx) {
        worker_free_in_main_loop(w);
        return;
    }
    qemu_bh_delete(w->msix_bh);
    qemu_bh_delete(w->thread_bh);
    aio_bh_schedule_oneshot(w->ctx, worker_free_in_main_loop, w);
}

/* With a thread this is a turn that went elsewhere. */
static void main_turn(void *opaque)
{
    SvaWorker *w = opaque;
    PCIDevice *pdev = w->pdev;
    bool more, is_over;

    if (main_turns_rest(w)) {
        return;
    }
    WITH_QEMU_LOCK_GUARD(&w->lock) {
        if ((w->ctx && !w->goes_elsewhere) || !turn_may_begin(w)) {
            return;
        }
        w->is_working = true;
        w->was_wanted = w->was_wanted && w->ctx;    /* the thread was */
        w->goes_elsewhere = false;
    }
    object_ref(pdev);
    more = worker_turn(w);
    sva_rest_turn_ended(&main_turns, qemu_clock_get_ns(QEMU_CLOCK_REALTIME));
    WITH_QEMU_LOCK_GUARD(&w->lock) {
        turn_ends(w, more);
        is_over = w->is_over;
    }
    if (is_over) {
        worker_delete(w);
    }
    object_unref(pdev);
}

void sva_worker_schedule(SvaWorker *w)
{
    /* Who is inside lets the thread go on when he leaves. */
    if (w->ctx && bql_locked() && qatomic_read(&w->visitors)) {
        WITH_QEMU_LOCK_GUARD(&w->lock) {
            w->was_wanted = true;
        }
        return;
    }
    qemu_bh_schedule(w->ctx ? w->thread_bh : w->main_bh);
}

void sva_worker_go_elsewhere(SvaWorker *w)
{
    trace_sva_worker_elsewhere(worker_name(w));
    if (bql_locked()) {
        QEMU_LOCK_GUARD(&w->lock);

        w->goes_elsewhere = true;
    } else {
        w->goes_elsewhere = true;   /* it is ours: a turn of the thread */
    }
}

bool sva_worker_must_yield(const SvaWorker *w)
{
    return w->ctx && !bql_locked() &&
           (w->goes_elsewhere || qatomic_read(&w->visitors));
}

/* ---- Who else wants the device ----------------------------------------- */

/*
 * The count goes up first: a thread that has just let go of the lock would
 * otherwise have it again before us, turn after turn.
 */
void sva_worker_enter(SvaWorker *w)
{
    if (!w || !w->ctx) {
        return;
    }
    g_assert(bql_locked());
    send_msix(w);
    qatomic_inc(&w->visitors);
    qemu_mutex_lock(&w->lock);
    qemu_mutex_unlock(&w->lock);
}

void sva_worker_leave(SvaWorker *w)
{
    if (!w || !w->ctx) {
        return;
    }
    WITH_QEMU_LOCK_GUARD(&w->lock) {
        if (!qatomic_dec_fetch(&w->visitors) && w->was_wanted) {
            worker_kick(w);
        }
    }
    /* What the guest is about to read of the device comes after these. */
    send_msix(w);
}

/* ---- Life -------------------------------------------------------------- */

static void worker_run_state(void *opaque, bool running, RunState state)
{
    SvaWorker *w = opaque;

    sva_worker_enter(w);
    WITH_QEMU_LOCK_GUARD(&w->lock) {
        w->is_running = running;
        if (running) {
            worker_kick(w);
        }
    }
    sva_worker_leave(w);
}

void sva_worker_init(SvaWorker *w, PCIDevice *pdev, IOThread *iothread,
                     bool (*work)(PCIDevice *pdev))
{
    MemReentrancyGuard *guard = &DEVICE(pdev)->mem_reentrancy_guard;

    *w = (SvaWorker) {
        .pdev = pdev,
        .work = work,
        .is_running = runstate_is_running(),
    };
    qemu_mutex_init(&w->lock);
    w->main_bh = qemu_bh_new_guarded(main_turn, w, guard);
    w->rest = timer_new_ns(QEMU_CLOCK_REALTIME, main_turn_after_rest, w);
    if (iothread) {
        /* Not guarded: it would refuse the virtual CPUs' accesses meanwhile. */
        w->ctx = iothread_get_aio_context(iothread);
        w->thread_bh = aio_bh_new(w->ctx, thread_turn, w);
        w->msix_bh = qemu_bh_new_guarded(send_msix_bh, w, guard);
    }
    w->run_state = qemu_add_vm_change_state_handler(worker_run_state, w);
}

void sva_worker_fini(SvaWorker *w)
{
    bool is_working;

    qemu_del_vm_change_state_handler(w->run_state);
    sva_worker_enter(w);
    sva_worker_drop_msix(w);
    WITH_QEMU_LOCK_GUARD(&w->lock) {
        w->is_over = true;
        is_working = w->is_working;     /* in the main loop, below us */
    }
    sva_worker_leave(w);
    if (is_working) {
        return;             /* main_turn() does the rest */
    }
    if (w->ctx) {
        worker_delete(w);
    } else {
        timer_free(w->rest);
        qemu_bh_delete(w->main_bh);
        qemu_mutex_destroy(&w->lock);
    }
}
