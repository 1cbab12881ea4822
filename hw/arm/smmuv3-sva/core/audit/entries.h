/*
 * What the TLB has: a witness for each of its places, looked at when it is used and
 * in turn, and found again by what an invalidation names. Not what an endpoint has
 * (grants.c), nor what is kept of a report. Called by audit.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_ENTRIES_H
#define SMMU3_AUDIT_ENTRIES_H

#include "look.h"
#include "waste.h"
#include "witness.h"

typedef struct Smmu3Entries Smmu3Entries;
typedef struct Smmu3Entry Smmu3Entry;

/* A question to one stage, as it was answered by the TLB or by a walk. */
typedef struct Smmu3Asked {
    const Smmu3TlbTag *tag;
    const Smmu3Tables *tables;
    const Smmu3Tables *stage2;      /* where stage 1's tables are; or NULL */
    uint64_t addr;
    uint32_t sid, ssid;             /* ssid: if ssv */
    bool ssv;
    bool peek;                      /* no access follows */
} Smmu3Asked;
/* Who takes the reports. */
typedef struct Smmu3EntriesHost {
    void (*report)(void *opaque, const Smmu3Entry *entry,
                   Smmu3AuditReport *report);
    void *opaque;
} Smmu3EntriesHost;

/* Everything that is given must outlive it. */
Smmu3Entries *smmu3_entries_new(const Smmu3EntriesHost *host,
                                const Smmu3Grace *grace,
                                const Smmu3Features *features, Smmu3Tlb *tlb,
                                Smmu3Counters *counters, Smmu3Drops *drops,
                                Smmu3Waste *waste);
void smmu3_entries_free(Smmu3Entries *e);
void smmu3_entries_forget(Smmu3Entries *e);

/* @leaf was inserted, as @trail says; or came from the TLB. */
void smmu3_entries_walked(Smmu3Entries *e, const Smmu3Asked *asked,
                          const Smmu3Leaf *leaf, const Smmu3Trail *trail);
void smmu3_entries_used(Smmu3Entries *e, const Smmu3Asked *asked,
                        const Smmu3Leaf *leaf, uint64_t ns);
/* A CMD_TLBI, carried out or dropped. Returns what that cost, see work.h. */
unsigned smmu3_entries_invalidated(Smmu3Entries *e, const Smmu3Heard *heard,
                                   uint64_t ns);
/* How many entries it would remove, see smmu3_waste_command(); *@work: and that. */
int smmu3_entries_count_named(Smmu3Entries *e, const Smmu3Heard *heard,
                              unsigned *work);
/* A CMD_SYNC: look at some. Returns how many. */
unsigned smmu3_entries_sweep(Smmu3Entries *e, uint64_t ns);

/* Says to drops.h of which entries a drop was missed. */
void smmu3_entries_judge_left(Smmu3Entries *e, uint64_t ns);

/* Of a report that is kept: the invalidations since, and one that was early. */
void smmu3_entries_explain(const Smmu3Entries *e, const Smmu3Entry *entry,
                           Smmu3AuditReport *report);

#endif
