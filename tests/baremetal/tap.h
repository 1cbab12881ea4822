/*
 * The test cases of a guest program: which run, what is checked, the report in
 * TAP on the console. Understands GLib's -l, -p and -s. Called by programs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_TAP_H
#define BAREMETAL_TAP_H

#include "console.h"

typedef struct TestCase {
    const char *path;
    void (*run)(void);
} TestCase;

/* Runs @cases as the command line says; the program's exit status. */
int tap_run(const TestCase *cases, unsigned count);
#define TAP_RUN(cases) tap_run(cases, sizeof(cases) / sizeof((cases)[0]))

/* Ends the case, not ok, with a diagnosis. Not in an interrupt handler. */
void tap_fail(const char *file, int line, const char *what, uint64_t left,
              uint64_t right) __attribute__((noreturn));

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            tap_fail(__FILE__, __LINE__, #condition, 0, 1);                 \
        }                                                                   \
    } while (0)

#define CHECK_EQ(left, right)                                               \
    do {                                                                    \
        uint64_t left_ = (left), right_ = (right);                          \
        if (left_ != right_) {                                              \
            tap_fail(__FILE__, __LINE__, #left " == " #right, left_,        \
                     right_);                                               \
        }                                                                   \
    } while (0)

/* Has a wait that began at @since lasted too long? See WAIT_FOR. */
bool tap_out_of_patience(uint64_t since);

/* Until @condition, which interrupts bring about; so long as it takes. */
#define WAIT_FOR(condition)                                                 \
    do {                                                                    \
        uint64_t since_ = sysreg_read("cntvct_el0");                        \
        while (!(condition)) {                                              \
            if (tap_out_of_patience(since_)) {                              \
                tap_fail(__FILE__, __LINE__, "in vain: " #condition, 0, 1); \
            }                                                               \
        }                                                                   \
    } while (0)

#endif
