/*
 * An SMMUv3 (Non-secure): the core's public interface. Registers, traffic,
 * page requests, state to save, counters. Used by the QEMU device, the unit
 * tests, the benchmarks, and by anyone who embeds the model.
 *
 * Threads: smmu3_translate() and smmu3_translate_cached() may be called from any
 * thread. All the other functions are called from one thread at a time (in QEMU: under the big
 * lock). No function blocks on anything but the core's own lock, which is
 * held for a bounded time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_H
#define SMMU3_H

#include <glib.h>
#include "interface/audit.h"
#include "interface/counters.h"
#include "interface/host.h"
#include "interface/inject.h"
#include "interface/options.h"
#include "interface/saved.h"
#include "interface/transaction.h"
#include "service.h"
#include "spec/id.h"
#include "spec/names.h"
#include "traffic/view.h"

typedef struct Smmu3 Smmu3;

/* ---- Life cycle -------------------------------------------------------- */

/*
 * A new SMMU in its reset state. @features must have passed
 * smmu3_features_check(); @ops and @host must outlive it. @options may be
 * NULL. smmu3_free() resolves nothing: free the endpoints first.
 */
Smmu3 *smmu3_new(const Smmu3Features *features, const Smmu3Options *options,
                 const Smmu3HostOps *ops, void *host);
void smmu3_free(Smmu3 *s);

/* Reset: stalled transactions abort, caches are empty, counters stay. */
void smmu3_reset(Smmu3 *s);

/* ---- Software's side -------------------------------------------------- */

/*
 * A register access at @offset in pages 0 and 1, @size 4 or 8 bytes, aligned
 * (IHI 0070 6.2). Any other is read as zero, ignored on write and reported.
 * A write also does the work of smmu3_service().
 */
uint64_t smmu3_mmio_read(Smmu3 *s, uint64_t offset, unsigned size);
void smmu3_mmio_write(Smmu3 *s, uint64_t offset, uint64_t value,
                      unsigned size);

/* ---- Traffic's side --------------------------------------------------- */

/*
 * Decide on one transaction. On SMMU3_OK the answer may be used until the
 * caller leaves the section that the host's quiesce() waits for. Any thread.
 */
Smmu3Outcome smmu3_translate(Smmu3 *s, const Smmu3Transaction *t,
                             Smmu3Translation *result);

/*
 * The same, if the caches alone have the answer, and it is SMMU3_OK and @pa. False: they
 * do not, it is another, or an auditor wants to see each use; then nothing has happened,
 * and nothing is counted. For who looks ahead of an access that may never be made.
 * In the section of another translation.
 */
bool smmu3_translate_cached(Smmu3 *s, const Smmu3Transaction *t, uint64_t pa,
                            Smmu3Translation *result);

/*
 * The requester gives up a stalled transaction (reset, FLR): nothing is called
 * for @cookie any more, and when this returns no call is under way in another
 * thread. Software's RESUME is still accepted. Any thread, also from within
 * stall_resolved(); without a lock that this function wants.
 */
void smmu3_cancel(Smmu3 *s, void *cookie);

/* Queue it or answer it automatically, through prg_response(). */
void smmu3_page_request(Smmu3 *s, const Smmu3PageRequest *request);

/*
 * The endpoint of @sid has nothing cached any more, for a reason of its own: its
 * ATS was disabled, it was reset. For the auditor alone. Any thread.
 */
void smmu3_atc_flushed(Smmu3 *s, uint32_t sid);

/* ---- Looking in ------------------------------------------------------- */

const Smmu3Features *smmu3_features(const Smmu3 *s);
/* Register values without side effects, for saving and for tests. */
const Smmu3Regs *smmu3_regs(const Smmu3 *s);
/* A copy of them as they are at one moment, while others may write them. */
Smmu3Regs smmu3_regs_now(Smmu3 *s);
/* As of now: what each thread has counted for itself is added up by this call. */
const Smmu3Counters *smmu3_counters(Smmu3 *s);
/* Zero them all; reports of the auditor that are kept go with them. */
void smmu3_counters_reset(Smmu3 *s);
/* Stalls recorded or waiting, now. */
unsigned smmu3_stalls_outstanding(Smmu3 *s);

/*
 * What software forgot, as far as it is kept: of Smmu3AuditReport, oldest first.
 * Empty without options.audit.on.
 */
GArray *smmu3_audit_reports(Smmu3 *s);

/*
 * What became of the invalidations of translations that were dropped on request;
 * false: without options.audit.on nobody knows.
 */
bool smmu3_audit_drops(Smmu3 *s, Smmu3AuditDrops *counts);

/* What options.inject came to so far: of Smmu3InjectCount, in its order. */
GArray *smmu3_inject_counts(Smmu3 *s);

/* What was no mistake, but waste. All zero without an auditor. */
void smmu3_audit_summary_of(Smmu3 *s, Smmu3AuditSummary *summary);

/*
 * Append a step-by-step account of how @t would be translated now, from the
 * tables in memory and not from any cache, changing nothing.
 */
void smmu3_explain(Smmu3 *s, const Smmu3Transaction *t, GString *out);

/*
 * What a stream and a context can reach, looked at in the same way: a view has
 * their configuration as of its making, and looks up address after address
 * (tables/ranges.h makes lists of that). @view of the second is a Smmu3View.
 */
Smmu3View *smmu3_view_new(Smmu3 *s, uint32_t sid, bool ssv, uint32_t ssid);
void smmu3_view_look_up(void *view, uint64_t in, Smmu3Piece *piece);

/*
 * Save and load. The stalls are saved without their cookies: after a load
 * every requester submits again what it had stalled, and software's answers
 * to the old records are accepted (an early retry, IHI 0070 3.12.2).
 * smmu3_load() leaves the caches empty, and sends the interrupts of queues
 * that are not empty and of active errors, once more or not; it returns false,
 * and the state as after reset, if the values cannot be this SMMU's.
 */
GArray *smmu3_save_stalls(Smmu3 *s);        /* of Smmu3SavedStall */
bool smmu3_load(Smmu3 *s, const Smmu3Regs *regs,
                const Smmu3SavedStall *stalls, size_t stall_count);

#endif
