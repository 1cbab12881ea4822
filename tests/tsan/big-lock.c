/*
 * The big lock is its thread's, whichever coroutine takes it or lets it go: to
 * the thread sanitizer QEMU's coroutines are threads, and an incoming migration
 * that lets go what the main loop took would leave it without a notion of that
 * lock from then on. Not for other locks. Linked into QEMU only when it is built
 * for that sanitizer; in the place of QEMU's two functions, see meson.build.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/coroutine.h"
#include "qemu/main-loop.h"
#include <sanitizer/tsan_interface.h>

void __real_bql_lock_impl(const char *file, int line);
void __real_bql_unlock(void);
void __wrap_bql_lock_impl(const char *file, int line);
void __wrap_bql_unlock(void);

/* What the sanitizer takes the thread for while it is in no coroutine */
static __thread void *fiber;

/*
 * Inline, both: who is left by another way than it was entered has a wrong stack.
 * Returns what to change back to, NULL if there is nothing to change.
 */
static inline __attribute__((always_inline)) void *become_thread(void)
{
    void *current = __tsan_get_current_fiber();

    if (!qemu_in_coroutine()) {
        fiber = current;
    }
    if (!fiber || current == fiber) {
        return NULL;
    }
    __tsan_switch_to_fiber(fiber, 0);
    return current;
}

static inline __attribute__((always_inline)) void become_coroutine(void *was)
{
    if (was) {
        __tsan_switch_to_fiber(was, 0);
    }
}

void __wrap_bql_lock_impl(const char *file, int line)
{
    void *was = become_thread();

    __real_bql_lock_impl(file, line);
    become_coroutine(was);
}

void __wrap_bql_unlock(void)
{
    void *was = become_thread();

    __real_bql_unlock();
    become_coroutine(was);
}
