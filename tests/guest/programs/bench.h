/*
 * bench, its parts: what each of them may use of the others. Not a test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

/*
 * An order: its words behind the name, as numbers. It answers by one line, or
 * gives the program up.
 */
typedef void BenchOrder(const unsigned long *words);

uint64_t bench_now_ns(void);
/* Answer that @done of whatever was ordered took so long. */
void bench_answer(uint64_t ns, uint64_t done);

/* The shared virtual addresses of a process: bench-sva.c says what they take. */
BenchOrder bench_copy, bench_touch, bench_bind, bench_compute;

#endif
