/*
 * Whether every thread has been seen out of the RCU section in which it uses a
 * translation (smmuv3-sva-threads.c), alone: no machine, real threads that do
 * one step at a time. Not a qtest in the narrow sense, but it needs QEMU's RCU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"
#include "hw/arm/smmuv3-sva/smmuv3-sva-threads.h"

/* Many IOThreads; what one does must not depend on how many there are. */
enum { MANY = 32 };

typedef enum { ENTER, USE, LEAVE, EXIT } Step;

typedef struct Worker {
    QemuThread thread;
    QemuSemaphore go, done;
    Step step;
} Worker;

static void *work(void *opaque)
{
    Worker *w = opaque;
    bool more = true;

    rcu_register_thread();
    while (more) {
        qemu_sem_wait(&w->go);
        switch (w->step) {
        case ENTER:
            rcu_read_lock();
            break;
        case USE:
            smmuv3_sva_threads_begin_use();
            break;
        case LEAVE:
            rcu_read_unlock();
            break;
        case EXIT:
            more = false;
            break;
        }
        qemu_sem_post(&w->done);
    }
    rcu_unregister_thread();
    return NULL;
}

static void take(Worker *w, Step step)
{
    w->step = step;
    qemu_sem_post(&w->go);
    qemu_sem_wait(&w->done);
}

static void start(Worker *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        qemu_sem_init(&w[i].go, 0);
        qemu_sem_init(&w[i].done, 0);
        qemu_thread_create(&w[i].thread, "worker", work, &w[i],
                           QEMU_THREAD_JOINABLE);
        take(&w[i], ENTER);
        take(&w[i], USE);
    }
}

/* Each is outside of its section. */
static void stop(Worker *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        take(&w[i], EXIT);
        qemu_thread_join(&w[i].thread);
        qemu_sem_destroy(&w[i].go);
        qemu_sem_destroy(&w[i].done);
    }
}

static void test_nobody_is_quiet(void)
{
    smmuv3_sva_threads_ask();
    g_assert_true(smmuv3_sva_threads_look());
}

static void test_a_section_is_waited_for(void)
{
    Worker w;

    start(&w, 1);
    smmuv3_sva_threads_ask();
    g_assert_false(smmuv3_sva_threads_look());
    g_assert_false(smmuv3_sva_threads_look());
    take(&w, LEAVE);
    g_assert_true(smmuv3_sva_threads_look());
    /* It may begin another one; the next question is about that. */
    take(&w, ENTER);
    g_assert_true(smmuv3_sva_threads_look());
    smmuv3_sva_threads_ask();
    g_assert_false(smmuv3_sva_threads_look());
    take(&w, LEAVE);
    g_assert_true(smmuv3_sva_threads_look());
    stop(&w, 1);
}

/*
 * At every look all threads but one are inside, a different one each time: so
 * it is enough to have seen each once.
 */
static void test_each_is_seen_once(void)
{
    Worker w[MANY];

    start(w, MANY);
    smmuv3_sva_threads_ask();
    for (unsigned i = 0; i < MANY; i++) {
        g_assert_false(smmuv3_sva_threads_look());
        take(&w[i], LEAVE);
        g_assert_true(smmuv3_sva_threads_look() == (i == MANY - 1));
        take(&w[i], ENTER);
    }
    g_assert_true(smmuv3_sva_threads_look());
    for (unsigned i = 0; i < MANY; i++) {
        take(&w[i], LEAVE);
    }
    stop(w, MANY);
}

static void *begin_grace_period(void *opaque)
{
    rcu_register_thread();
    synchronize_rcu();
    rcu_unregister_thread();
    return NULL;
}

/* A thread that is never met outside is known by its next section, too. */
static void test_a_later_section_is_another(void)
{
    unsigned long before = qatomic_read(&rcu_gp_ctr);
    QemuThread grace;
    Worker w;

    start(&w, 1);
    smmuv3_sva_threads_ask();
    qemu_thread_create(&grace, "grace", begin_grace_period, NULL,
                       QEMU_THREAD_JOINABLE);
    while (qatomic_read(&rcu_gp_ctr) == before) {
        g_usleep(100);
    }
    g_assert_false(smmuv3_sva_threads_look());
    take(&w, LEAVE);
    take(&w, ENTER);
    g_assert_true(smmuv3_sva_threads_look());
    take(&w, LEAVE);
    qemu_thread_join(&grace);
    stop(&w, 1);
}

static void test_a_thread_that_exits_is_forgotten(void)
{
    Worker w;

    start(&w, 1);
    smmuv3_sva_threads_ask();
    g_assert_false(smmuv3_sva_threads_look());
    take(&w, LEAVE);
    stop(&w, 1);
    g_assert_true(smmuv3_sva_threads_look());
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/smmuv3-sva/threads/" path, fn)
    TEST("nobody-is-quiet", test_nobody_is_quiet);
    TEST("a-section-is-waited-for", test_a_section_is_waited_for);
    TEST("each-is-seen-once", test_each_is_seen_once);
    TEST("a-later-section-is-another", test_a_later_section_is_another);
    TEST("a-thread-that-exits-is-forgotten",
         test_a_thread_that_exits_is_forgotten);
#undef TEST
    return g_test_run();
}
