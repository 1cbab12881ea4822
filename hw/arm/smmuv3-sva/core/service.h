/*
 * The work that registers, endpoints and timers leave behind: commands, records
 * without room, and what the host is told without the lock. Not the decisions:
 * those are made below, under the lock. Called by smmu3.c, and by the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_SERVICE_H
#define SMMU3_SERVICE_H

#include <stdint.h>

typedef struct Smmu3 Smmu3;

/*
 * Do what waits: interrupts, commands, stall records that had no room,
 * answers to endpoints. Does a bounded amount of work, and kicks for the
 * rest. Calls the host.
 */
void smmu3_service(Smmu3 *s);

/*
 * Send what is decided already - interrupts, CMD_SYNC's signals, answers to
 * endpoints -, carry out what inject= has put off, and begin nothing else: when the
 * machine stops, before it is saved. Until smmu3_service() nothing is put off.
 */
void smmu3_flush(Smmu3 *s);

/* The host's delayed answers; both do the work of smmu3_service(). */
void smmu3_quiesced(Smmu3 *s);
void smmu3_atc_timeout(Smmu3 *s);

/*
 * One ATC invalidation was carried out, or its endpoint is gone: answers each
 * atc_invalidate() once, with the @batch it came with. A late answer, after a
 * timeout or a reset, belongs to an older batch and is ignored.
 */
void smmu3_atc_invalidated(Smmu3 *s, uint32_t batch);

#endif
