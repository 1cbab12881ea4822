/*
 * An endpoint's turns in the main loop, see worker.h. Knows nothing of what is
 * done in them. Called by the endpoints, the main loop and the run state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "worker.h"
#include "trace.h"

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
    trace_sva_worker_turn(pdev->qdev.id ?: pdev->name, get_clock() - began_ns,
                          took_cpu_ns, more);
    return more;
}

static void worker_unref_device(void *pdev)
{
    object_unref(pdev);
}

static void worker_run(void *opaque)
{
    SvaWorker *w = opaque;
    PCIDevice *pdev = w->pdev;
    bool more;

    if (w->is_working) {
        w->was_wanted = true;
        return;
    }
    if (!runstate_is_running()) {
        return;     /* worker_run_state() calls again */
    }
    object_ref(pdev);
    w->is_working = true;
    w->was_wanted = false;
    more = worker_turn(w);
    w->is_working = false;
    if (w->is_over) {
        /*
         * Who called us still looks at the bottom half and its guard, so both
         * go by way of the main loop.
         */
        qemu_bh_delete(w->bh);
        aio_bh_schedule_oneshot(qemu_get_aio_context(), worker_unref_device,
                                pdev);
        return;
    }
    if (more || w->was_wanted) {
        qemu_bh_schedule(w->bh);
    }
    object_unref(pdev);
}

static void worker_run_state(void *opaque, bool running, RunState state)
{
    SvaWorker *w = opaque;

    if (running) {
        qemu_bh_schedule(w->bh);
    }
}

void sva_worker_init(SvaWorker *w, PCIDevice *pdev,
                     bool (*work)(PCIDevice *pdev))
{
    *w = (SvaWorker) { .pdev = pdev, .work = work };
    w->bh = qemu_bh_new_guarded(worker_run, w,
                                &DEVICE(pdev)->mem_reentrancy_guard);
    w->run_state = qemu_add_vm_change_state_handler(worker_run_state, w);
}

void sva_worker_fini(SvaWorker *w)
{
    qemu_del_vm_change_state_handler(w->run_state);
    if (w->is_working) {
        w->is_over = true;
    } else {
        qemu_bh_delete(w->bh);
    }
}

void sva_worker_schedule(SvaWorker *w)
{
    qemu_bh_schedule(w->bh);
}
