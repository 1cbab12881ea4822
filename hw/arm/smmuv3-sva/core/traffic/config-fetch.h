/*
 * Finding configuration: the configuration cache, or the stream table and the
 * CD tables in memory. Not what the structures say: config.c. Steps of a pass,
 * called by translate.c, ats.c and gatos.c; and by page_request.c for an STE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_CONFIG_FETCH_H
#define SMMU3_CONFIG_FETCH_H

#include "pass.h"

/*
 * Each step returns false with p->fault set. In a FULL or DRY pass under the
 * core's lock.
 */

/* Stream table lookup (IHI 0070 3.3.1): p->config.stream. */
bool smmu3_pass_find_stream(Smmu3Pass *p);
/* CD lookup (5.3): p->config.stage1. */
bool smmu3_pass_find_context(Smmu3Pass *p);

/*
 * The STE of @sid, from the cache or from memory, under the lock. EVENT_NONE,
 * C_BAD_STREAMID, C_BAD_STE, or F_STE_FETCH with *@fetch_addr.
 */
Smmu3EventType smmu3_stream_find(Smmu3 *s, uint32_t sid, Smmu3Stream *stream,
                                 uint64_t *fetch_addr);

#endif
