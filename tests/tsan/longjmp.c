/*
 * The fortified longjmp() is unknown to the thread sanitizer, which would take
 * every function that a virtual CPU leaves by it for one that is still running.
 * No check is made here. Linked into QEMU only when it is built for that
 * sanitizer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 0

#include <setjmp.h>

void __longjmp_chk(sigjmp_buf env, int value) __attribute__((noreturn));

void __longjmp_chk(sigjmp_buf env, int value)
{
    siglongjmp(env, value);
}
