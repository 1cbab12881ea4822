/*
 * BATCH: a descriptor that stands for a list of others. Above the operations,
 * which it runs, and below the queues. Called by pasid-dev-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_ENGINE_BATCH_H
#define PASID_DEV_ENGINE_BATCH_H

#include "engine.h"

/*
 * As engine_job_run() for a @job that is a BATCH. @member is the descriptor of
 * it that is in work; its owner keeps it with @job.
 */
EngineVerdict engine_batch_run(EngineJob *job, EngineJob *member,
                               SvaChannel *ch, uint64_t limit);

#endif
