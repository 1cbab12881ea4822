/*
 * What an invalidation costs, of every command that is one. Not a benchmark of its
 * own: a part of core-bench.c, which calls it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_INVALIDATIONS_H
#define BENCH_INVALIDATIONS_H

#include "rows.h"
#include "traffic.h"

/* What is measured, and where its rows go */
typedef struct Run {
    Bench *b;
    Rows *rows;
    unsigned repetitions;
} Run;

/* Add a row of run->repetitions samples. @threads as JSON has it. */
void report(Run *run, const char *name, const char *threads,
            const double *samples);

/* Last of all: some of them take the unrelated entries with them. */
void measure_invalidations(Run *run);

#endif
