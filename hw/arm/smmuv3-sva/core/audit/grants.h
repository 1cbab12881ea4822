/*
 * What endpoints were granted by ATS, and may have in their caches: a witness for
 * each grant, until it is invalidated. Not those caches, which nobody but their
 * endpoint sees. Called by audit.c.
 *
 * Of the last SMMU3_GRANTS_MAX; the oldest one is forgotten for a new one. A grant
 * goes with a CMD_ATC_INV that covers it, when its function said that it has
 * nothing cached, or when its stream is found to have no ATS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_GRANTS_H
#define SMMU3_AUDIT_GRANTS_H

#include "../interface/transaction.h"
#include "heard.h"
#include "look.h"
#include "witness.h"

enum { SMMU3_GRANTS_MAX = 4096 };

typedef struct Smmu3Grants Smmu3Grants;
typedef struct Smmu3Grant Smmu3Grant;

/* Who knows what a request would be granted now, and takes the reports. */
typedef struct Smmu3GrantsHost {
    /* See Smmu3AuditLook. */
    bool (*look)(void *opaque, const Smmu3Transaction *request,
                 Smmu3Found *found);
    void *look_opaque;
    void (*report)(void *opaque, const Smmu3Grant *grant,
                   Smmu3AuditReport *report);
    void *report_opaque;
} Smmu3GrantsHost;

/* Everything that is given must outlive it. */
Smmu3Grants *smmu3_grants_new(const Smmu3GrantsHost *host,
                              const Smmu3Grace *grace,
                              Smmu3Counters *counters, Smmu3Drops *drops);
void smmu3_grants_free(Smmu3Grants *grants);
void smmu3_grants_forget(Smmu3Grants *grants);

/* @answer, to @request, gives rights. */
void smmu3_grants_granted(Smmu3Grants *grants, const Smmu3Transaction *request,
                          const Smmu3Translation *answer, uint64_t ns);
/* A translated access of stream @sid to @addr. */
void smmu3_grants_used(Smmu3Grants *grants, uint32_t sid, uint64_t addr,
                       uint64_t ns);
/* A CMD_ATC_INV, carried out or dropped. Returns what that cost, see work.h. */
unsigned smmu3_grants_invalidated(Smmu3Grants *grants,
                                  const Smmu3Heard *heard, uint64_t ns);
/* How many grants @heard names; SMMU3_GRANTS_MAX at most. *@work: and that. */
unsigned smmu3_grants_named(const Smmu3Grants *grants, const Smmu3Heard *heard,
                            unsigned *work);
/* The endpoint of @sid has nothing cached. */
void smmu3_grants_flushed(Smmu3Grants *grants, uint32_t sid, uint64_t ns);
/* A CMD_SYNC: look at some. Returns how many. */
unsigned smmu3_grants_sweep(Smmu3Grants *grants, uint64_t ns);

/* Says to drops.h of which grants a drop was missed. */
void smmu3_grants_judge_left(Smmu3Grants *grants, uint64_t ns);

/* Of a report that is kept: the invalidations since, and one that was early. */
void smmu3_grants_explain(const Smmu3Grants *grants, const Smmu3Grant *grant,
                          Smmu3AuditReport *report);

#endif
