/*
 * The rows that a benchmark in C writes, as tests/bench/rows.py describes them,
 * and its options. Not a measurement, and it knows of no figure what it means.
 * Used by host-bench.c, core-bench.c, hostile-bench.c and growth-bench.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <glib.h>

enum { ROWS_SAMPLES_MAX = 1000 };

typedef struct Rows {
    gboolean quick;
    int repetitions;            /* at most ROWS_SAMPLES_MAX; 0: as it likes */
    char *output;
    GString *json;
} Rows;

/*
 * Parse --quick, --repetitions and --output. Says what is wrong and ends the
 * program if it has to.
 */
void rows_begin(Rows *rows, const char *what, int *argc, char ***argv);

/*
 * Add a row of so many samples. @at is "", or names with values as JSON has
 * them: "\"threads\": 2".
 */
void rows_add(Rows *rows, const char *name, const char *at, const char *unit,
              const double *samples, unsigned count);

/* Write the file; the program's exit status. */
int rows_end(Rows *rows);

#endif
