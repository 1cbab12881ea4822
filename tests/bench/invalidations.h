/*
 * What an invalidation costs, of every command that is one. Not a benchmark of its
 * own: a part of core-bench.c, which calls it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BENCH_INVALIDATIONS_H
#define BENCH_INVALIDATIONS_H

#include "core-run.h"

/* Last of all: some of them take the unrelated entries with them. */
void measure_invalidations(Run *run);

#endif
