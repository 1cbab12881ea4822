/*
 * What core-bench.c and invalidations.c are told: the rig that is measured, and
 * where its rows go. Not a measurement. Used by these two.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_CORE_RUN_H
#define BENCH_CORE_RUN_H

#include "rows.h"
#include "traffic.h"

typedef struct Run {
    Bench *b;
    Rows *rows;
    unsigned repetitions;
} Run;

/* Add a row of run->repetitions samples. @threads as JSON has it. */
static inline void report(Run *run, const char *name, const char *threads,
                          const double *samples)
{
    g_autofree char *at = g_strdup_printf("\"cached\": %" G_GUINT64_FORMAT
        ", \"threads\": %s", run->b->unrelated, threads);

    rows_add(run->rows, name, at, "ns", samples, run->repetitions);
}

#endif
