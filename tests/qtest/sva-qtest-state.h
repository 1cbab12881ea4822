/*
 * For tests of migration and snapshots: the whole machine to another QEMU, or
 * back to what it was. Used by the tests of each endpoint.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SVA_QTEST_STATE_H
#define SVA_QTEST_STATE_H

#include "sva-qtest.h"

/*
 * The machine goes on in another process, started with the same arguments; its
 * memory and devices with it. @from is gone.
 */
SvaQtest *sva_migrate(SvaQtest *from, const char *machine, const char *args);

/* The machine's state in @file; it stands still afterwards. */
void sva_save_state(SvaQtest *t, const char *file);
/* As if it had been saved with another version of @section ("PATH/NAME"). */
void sva_set_version(const char *file, const char *section, uint32_t version);
/* A machine that does not take the state: what it says. To be freed. */
char *sva_refused_state(const char *machine, const char *args, const char *file);

/* An empty disk that snapshots can be kept on, in @file: node "disk". */
void sva_make_disk(QTestState *qts, const char *file);
/* The one snapshot on it. After a load, SvaQtest must be as it was, too. */
void sva_snapshot_save(QTestState *qts);
void sva_snapshot_load(QTestState *qts);
/* Whether QEMU takes it; the machine runs on, whatever it made of it. */
bool sva_snapshot_try(QTestState *qts);

#endif
