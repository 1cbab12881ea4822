/*
 * The translation auditor: keeps a witness for each entry of the TLB and reports
 * the entries that software forgot to invalidate. Not the TLB, and nothing that
 * a guest can see. Heard by stages.c, command.c, sync.c, regs.c and smmu3.c.
 *
 * What it hears:
 *
 *   walked       an answer went into the TLB          stages.c
 *   used         the TLB answered                     stages.c
 *   fetched      an STE or a CD went into the cache   config-fetch.c
 *   structure_used  one came from there               config-fetch.c
 *   granted      an ATS request was granted rights    ats.c
 *   grant_used   a translated access came             ats.c
 *   invalidated  a TLBI was carried out, or dropped   command.c
 *   atc_invalidated  an ATC_INV was sent, or dropped  command.c
 *   atc_flushed  an endpoint emptied its cache        smmu3.c
 *   synced       a CMD_SYNC was completed             sync.c
 *   coming, commanded, illegal, no_stream, sync_begins, queue_stops
 *                commands as such                command.c, tell.c, sync.c
 *   stall, group what software is to answer           stall.c, page_request.c
 *   prod_written CMDQ_PROD was written                regs.c
 *   forget       the caches were emptied              smmu3.c
 *
 * An entry disagrees if the tables, walked now and without HTTU, give another
 * output, nothing, or fewer rights; a cleared access flag or more rights need no
 * invalidation. That alone is no mistake: software clears first and invalidates
 * after, and between the two another thread may install something new. It is one
 * once the same entry was found to disagree, and never to agree, from some moment
 * on until options.syncs CMD_SYNCs were completed, options.grace_ns went by and the
 * guest's processors were at work for as long: at several of these CMD_SYNCs and at
 * the end. An entry that is used is looked at each time. A sweep at each CMD_SYNC
 * looks at a few of the others, and reports one only if its context - world, VMID,
 * ASID - was in use after the grace: what is left of a context that is gone cannot
 * be used, and need not be removed.
 *
 * Where IDR3.BBML does not allow it, an entry whose tables have the same output in a
 * block of another size is reported at once: between a break and the invalidation
 * that it needs there is no such moment.
 *
 * Commands that are wrong by themselves are reported at once, but for the lack of a
 * CMD_SYNC: orders.h.
 *
 * STEs and CDs disagree if any of their words differs from what was fetched. They
 * are looked at when they are used, and not swept.
 *
 * What an endpoint was granted by ATS is looked at as the TLB's entries are, by
 * asking what the request would be granted now; see grants.h.
 *
 * Threads: all of it under the core's lock. With an auditor no translation is
 * answered outside of that (smmu3_translate()); without one nothing here runs.
 *
 * Cost: a walk for each use, and a read of the STE and of the CD; SWEPT walks and
 * as many lookups for each CMD_SYNC; and what a command names is looked for. Memory:
 * 632 bytes for each place of the TLB, touched when it is first used; 400 for each
 * STE and CD, of 4096; 416 for each of SMMU3_GRANTS_MAX grants; and some 250 KiB:
 * SMMU3_REPORTS_MAX reports, and the last things heard.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_H
#define SMMU3_AUDIT_H

#include <glib.h>
#include "../cache/tlb.h"
#include "../interface/audit.h"
#include "../interface/counters.h"
#include "../interface/options.h"
#include "../interface/transaction.h"
#include "entries.h"
#include "look.h"
#include "orders.h"
#include "structures.h"

typedef struct Smmu3Audit Smmu3Audit;

/*
 * What the ATS request @request would be granted now; nothing is changed. False:
 * its stream has no ATS any more.
 */
typedef bool Smmu3AuditLook(void *opaque, const Smmu3Transaction *request,
                            Smmu3Found *found);

/* Everything that is given must outlive it. */
Smmu3Audit *smmu3_audit_new(const Smmu3AuditOptions *options,
                            const Smmu3HostOps *ops, void *host,
                            const Smmu3Features *features, Smmu3Tlb *tlb,
                            Smmu3Counters *counters, Smmu3AuditLook *look,
                            void *look_opaque);
void smmu3_audit_free(Smmu3Audit *a);

/* @leaf was inserted; @trail: the descriptors that say so. */
void smmu3_audit_walked(Smmu3Audit *a, const Smmu3Asked *asked,
                        const Smmu3Leaf *leaf, const Smmu3Trail *trail);
/* @leaf came from the TLB. */
void smmu3_audit_used(Smmu3Audit *a, const Smmu3Asked *asked,
                      const Smmu3Leaf *leaf);
/* It was fetched, and goes into the configuration cache. */
void smmu3_audit_fetched(Smmu3Audit *a, const Smmu3Structure *structure);
/* One that was in that cache is used; @now: what memory has in its place. */
void smmu3_audit_structure_used(Smmu3Audit *a, const Smmu3Structure *now);

/* An ATS request was answered by rights; an access came by such an answer. */
void smmu3_audit_granted(Smmu3Audit *a, const Smmu3Transaction *request,
                         const Smmu3Translation *answer);
void smmu3_audit_grant_used(Smmu3Audit *a, uint32_t sid, uint64_t addr);

/* What became of those that were dropped. */
void smmu3_audit_count_drops(Smmu3Audit *a, Smmu3AuditDrops *counts);

/* @heard: all but ns, number and miss. Returns what that cost, see work.h. */
unsigned smmu3_audit_invalidated(Smmu3Audit *a, const Smmu3Heard *heard);
/* The same of a CMD_ATC_INV. */
unsigned smmu3_audit_atc_invalidated(Smmu3Audit *a, const Smmu3Heard *heard);
/* Its function was reset, or its ATS disabled. */
void smmu3_audit_atc_flushed(Smmu3Audit *a, uint32_t sid);

/*
 * An invalidation comes, and nothing has gone yet. @heard: as for the next two; of
 * a CMD_CFGI, first and last are StreamIDs, and ssid is if ssv. Returns what that
 * cost.
 */
unsigned smmu3_audit_coming(Smmu3Audit *a, const uint64_t *cmd,
                            const Smmu3Heard *heard);
/* An invalidation, of whatever, was carried out: it wants a CMD_SYNC... */
void smmu3_audit_commanded(Smmu3Audit *a, const uint64_t *cmd);
/* ...which has come, and may wait still. */
void smmu3_audit_sync_begins(Smmu3Audit *a);
/* By an error, or a disable: no CMD_SYNC that is in it need be executed. */
void smmu3_audit_queue_stops(Smmu3Audit *a);
/* The queue stops at @cmd, which is none; @index: in the queue. */
void smmu3_audit_illegal(Smmu3Audit *a, const uint64_t *cmd, uint32_t index);
/* The stream table has no room for its stream, @sid. */
void smmu3_audit_no_stream(Smmu3Audit *a, const uint64_t *cmd, uint32_t sid);

/* What became of the stall with a STAG, or of a page request group. */
void smmu3_audit_stall(Smmu3Audit *a, uint32_t sid, uint16_t stag,
                       Smmu3AnswerState state);
void smmu3_audit_group(Smmu3Audit *a, uint32_t sid, uint16_t index,
                       Smmu3AnswerState state);
/* CMD_RESUME, CMD_PRI_RESP: right or wrong. */
void smmu3_audit_resume(Smmu3Audit *a, uint32_t sid, uint16_t stag);
void smmu3_audit_respond(Smmu3Audit *a, uint32_t sid, uint16_t index);

/* Sweeps; returns what that cost, see work.h. */
unsigned smmu3_audit_synced(Smmu3Audit *a);
void smmu3_audit_prod_written(Smmu3Audit *a);
/* No entry is alive: @reset: for all begins anew. The reports stay. */
void smmu3_audit_forget(Smmu3Audit *a, bool reset);

/* The reports that are kept, oldest first: a copy, of Smmu3AuditReport. */
GArray *smmu3_audit_kept(const Smmu3Audit *a);
void smmu3_audit_summary(const Smmu3Audit *a, Smmu3AuditSummary *summary);
/* Drop them, and count anew, so that there is room for new ones. */
void smmu3_audit_drop_reports(Smmu3Audit *a);

#endif
