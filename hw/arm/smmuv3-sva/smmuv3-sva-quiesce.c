/*
 * Whether some thread may still be using a translation: what a CMD_SYNC has
 * to wait for. Not the waiting, which is the core's. Called by
 * smmuv3-sva-pci.c for each translation without the big lock, and by
 * smmuv3-sva.c.
 *
 * Who translates under the big lock has finished by the time that we have it.
 * Another thread, an IOThread's, uses a translation inside an RCU section; so
 * it is enough to see it outside of one. An RCU grace period would say so as
 * well, but waits for every thread, and the vCPUs stay in one section as long
 * as they run guest code: one of them that polls CMDQ_CONS would wait for
 * itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/coroutine-tls.h"
#include "qemu/rcu.h"
#include "qemu/sys_membarrier.h"
#include "system/runstate.h"
#include "smmuv3-sva.h"
#include "trace.h"

/* A thread that has translated without the big lock; until it exits. */
typedef struct ForeignThread {
    const struct rcu_reader_data *reader;
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

/*
 * The caller is inside the RCU section in which it uses the translation. That
 * section began with a full barrier, or with half of one whose other half is
 * in threads_are_outside(): so either that sees the section, or the lookup
 * that follows here sees what was invalidated.
 */
void smmuv3_sva_begin_foreign_use(void)
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

/* Each may be in a section that began later, and is then asked again. */
static bool threads_are_outside(void)
{
    ForeignThread *thread;

    QEMU_LOCK_GUARD(&lock);
    if (QLIST_EMPTY(&threads)) {
        return true;
    }
    smp_mb_global();
    QLIST_FOREACH(thread, &threads, next) {
        if (qatomic_load_acquire(&thread->reader->ctr)) {
            return false;
        }
    }
    return true;
}

/* A section lasts a microsecond, unless its thread lost the CPU. */
enum { LOOKS_AT_ONCE = 100, LOOK_AGAIN_NS = 20 * 1000 };

static bool look(void)
{
    for (unsigned i = 0; i < LOOKS_AT_ONCE; i++) {
        if (threads_are_outside()) {
            return true;
        }
        cpu_relax();
    }
    return false;
}

static void look_later(Smmuv3SvaState *s)
{
    timer_mod(s->quiesce_timer,
              qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + LOOK_AGAIN_NS);
}

void smmuv3_sva_quiesce_timer(void *opaque)
{
    Smmuv3SvaState *s = opaque;

    if (!look()) {
        look_later(s);
    } else if (runstate_is_running()) {
        smmu3_quiesced(s->core);
    } else {
        s->quiesced_while_stopped = true;
    }
}

bool smmuv3_sva_quiesce(Smmuv3SvaState *s)
{
    bool quiet = look();

    trace_smmuv3_sva_quiesce(!quiet);
    if (!quiet) {
        look_later(s);
    }
    return quiet;
}
