/*
 * When turns in the main loop rest: a millisecond of them, then a tenth without.
 * Not the turns, nor who is woken. Used by worker.c; needs no QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_REST_H
#define HW_PCI_SVA_REST_H

#include <stdint.h>

enum { SVA_TURNS_NS = 1000000, SVA_REST_NS = 100000 };

/* Of all turns together. Times are of one clock, in ns. */
typedef struct SvaRest {
    int64_t began_ns;       /* the first turn since the last rest */
    int64_t ended_ns;       /* the last turn */
    int64_t until_ns;       /* the rest */
} SvaRest;

/* A turn is due at @now: when it may begin, which may be now. */
int64_t sva_rest_until(SvaRest *rest, int64_t now);

static inline void sva_rest_turn_ended(SvaRest *rest, int64_t now)
{
    rest->ended_ns = now;
}

#endif
