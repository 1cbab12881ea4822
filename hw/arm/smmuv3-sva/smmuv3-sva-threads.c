/*
 * The threads that use translations without the big lock: IOThreads. Not when
 * to ask about them, which is smmuv3-sva-quiesce.c's. Called by that, and by
 * smmuv3-sva-pci.c for each translation.
 *
 * A thread uses a translation inside an RCU section; it is enough to see it
 * outside, or in a later one. An RCU grace period would say so as well, but
 * waits for every thread, and the vCPUs stay in one section as long as they
 * run guest code: one of them that polls CMDQ_CONS would wait for itself.
 *
 * Who asks has invalidated before. Of thread T and who asks, A:
 *
 *     T: rcu_read_lock()                  A: invalidate
 *        ctr = (some value but 0)            --- full barrier (ask)
 *        --- barrier                         r = ctr
 *        look up, use
 *        --- release
 *        ctr = 0
 *        rcu_read_unlock()
 *
 * This is store buffering: either A reads T's ctr, or T's lookup sees the
 * invalidation. T's barrier is a full one, or only the compiler's where the
 * system has membarrier(); smp_mb_global() is the other half of either. So
 *
 *   - r = 0 before T's store: T's lookup sees the invalidation.
 *   - r = 0 after it: A's acquire pairs with the release, T's use is over.
 *   - r is another value than a first look found: the section of then is over,
 *     and this one began after the barrier. Values differ when a grace period
 *     began in between.
 *   - else T may be in a section that began before, and is looked at again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/coroutine-tls.h"
#include "qemu/lockable.h"
#include "qemu/rcu.h"
#include "qemu/sys_membarrier.h"
#include "smmuv3-sva-threads.h"

/* A thread that has translated without the big lock; until it exits. */
typedef struct ForeignThread {
    const struct rcu_reader_data *reader;
    unsigned long section;      /* its ctr when the question was asked... */
    bool may_use;               /* ...and it was not seen out of that since */
    Notifier exit;
    QLIST_ENTRY(ForeignThread) next;
} ForeignThread;

/* Protects the list; held for a few instructions. */
static QemuMutex lock;
static QLIST_HEAD(, ForeignThread) threads;

QEMU_DEFINE_STATIC_CO_TLS(bool, is_listed)

static void __attribute__((constructor)) init_lock(void)
{
    qemu_mutex_init(&lock);
}

static void thread_exits(Notifier *notifier, void *data)
{
    ForeignThread *thread = container_of(notifier, ForeignThread, exit);

    WITH_QEMU_LOCK_GUARD(&lock) {
        QLIST_REMOVE(thread, next);
    }
    g_free(thread);
}

/* A thread that is not in the list yet has looked nothing up before. */
void smmuv3_sva_threads_begin_use(void)
{
    ForeignThread *thread;

    if (get_is_listed()) {
        return;
    }
    set_is_listed(true);
    thread = g_new0(ForeignThread, 1);
    thread->reader = get_ptr_rcu_reader();
    thread->exit.notify = thread_exits;
    qemu_thread_atexit_add(&thread->exit);
    WITH_QEMU_LOCK_GUARD(&lock) {
        QLIST_INSERT_HEAD(&threads, thread, next);
    }
}

void smmuv3_sva_threads_ask(void)
{
    ForeignThread *thread;

    QEMU_LOCK_GUARD(&lock);
    if (QLIST_EMPTY(&threads)) {
        return;
    }
    smp_mb_global();
    QLIST_FOREACH(thread, &threads, next) {
        thread->section = qatomic_load_acquire(&thread->reader->ctr);
        thread->may_use = thread->section;
    }
}

bool smmuv3_sva_threads_look(void)
{
    ForeignThread *thread;
    bool quiet = true;

    QEMU_LOCK_GUARD(&lock);
    QLIST_FOREACH(thread, &threads, next) {
        if (thread->may_use &&
            qatomic_load_acquire(&thread->reader->ctr) == thread->section) {
            quiet = false;
        } else {
            thread->may_use = false;
        }
    }
    return quiet;
}
