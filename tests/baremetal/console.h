/*
 * What a guest program says, on the UART, and what it is told, by
 * semihosting. Not a terminal. Called by all of tests/baremetal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_CONSOLE_H
#define BAREMETAL_CONSOLE_H

#include "arch.h"

/* The UART works from now on. */
void console_init(void);

/* printf() with %s, %c, %u, %d, %x, %lu, %ld, %lx, and 0 and a width. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The words of -semihosting-config arg=..., less the first; up to @most. */
unsigned guest_arguments(const char *words[], unsigned most);

/* The number after the word @name, if it is there. */
void guest_number(const char *name, uint64_t *value);

/* QEMU ends with this status. */
void guest_exit(int status) __attribute__((noreturn));

/* An exception that nobody expects: says what it was and ends. For start.S. */
void guest_fatal(unsigned vector, uint64_t esr, uint64_t elr, uint64_t far)
    __attribute__((noreturn));

bool same_text(const char *a, const char *b);

#endif
