/*
 * Completion records: what is in them, and how they are written. Whose they are
 * and what comes after them is the callers': pasid-dev-job.c, engine-batch.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_ENGINE_RECORD_H
#define PASID_DEV_ENGINE_RECORD_H

#include "engine.h"

/* The record of @job, which is done, as it lies in memory. */
PasidDevCompletion engine_record(const EngineJob *job);

/*
 * Write @record to @addr, the status last. Aligned as it is, a record is one
 * access: as long as that stalls, nothing is written.
 */
SvaDma engine_record_write(SvaChannel *ch, uint64_t addr,
                           const PasidDevCompletion *record);

#endif
