/*
 * GLib's mutexes and conditions, by POSIX ones: the thread sanitizer does not see what an
 * uninstrumented GLib does with futexes, and takes each lock for a race. Not all of them:
 * those that the core and QEMU use. Linked only into programs built for that sanitizer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>

/* Both may be static, all zero, and then nobody has called init. */
static pthread_mutex_t *posix_mutex(GMutex *mutex)
{
    void *m = __atomic_load_n(&mutex->p, __ATOMIC_ACQUIRE);

    if (!m) {
        pthread_mutex_t *mine = malloc(sizeof(*mine));

        pthread_mutex_init(mine, NULL);
        if (__atomic_compare_exchange_n(&mutex->p, &m, (void *)mine, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            return mine;
        }
        pthread_mutex_destroy(mine);
        free(mine);
    }
    return m;
}

static pthread_cond_t *posix_cond(GCond *cond)
{
    void *c = __atomic_load_n(&cond->p, __ATOMIC_ACQUIRE);

    if (!c) {
        pthread_cond_t *mine = malloc(sizeof(*mine));

        pthread_cond_init(mine, NULL);
        if (__atomic_compare_exchange_n(&cond->p, &c, (void *)mine, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            return mine;
        }
        pthread_cond_destroy(mine);
        free(mine);
    }
    return c;
}

void g_mutex_init(GMutex *mutex)
{
    mutex->p = NULL;
}

void g_mutex_clear(GMutex *mutex)
{
    if (mutex->p) {
        pthread_mutex_destroy(mutex->p);
        free(mutex->p);
        mutex->p = NULL;
    }
}

void g_mutex_lock(GMutex *mutex)
{
    pthread_mutex_lock(posix_mutex(mutex));
}

void g_mutex_unlock(GMutex *mutex)
{
    pthread_mutex_unlock(posix_mutex(mutex));
}

gboolean g_mutex_trylock(GMutex *mutex)
{
    return pthread_mutex_trylock(posix_mutex(mutex)) == 0;
}

void g_cond_init(GCond *cond)
{
    cond->p = NULL;
}

void g_cond_clear(GCond *cond)
{
    if (cond->p) {
        pthread_cond_destroy(cond->p);
        free(cond->p);
        cond->p = NULL;
    }
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    pthread_cond_wait(posix_cond(cond), posix_mutex(mutex));
}

void g_cond_signal(GCond *cond)
{
    pthread_cond_signal(posix_cond(cond));
}

void g_cond_broadcast(GCond *cond)
{
    pthread_cond_broadcast(posix_cond(cond));
}
