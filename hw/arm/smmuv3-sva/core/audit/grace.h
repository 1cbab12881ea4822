/*
 * When a disagreement becomes a mistake: the time that software may take, in
 * CMD_SYNCs, on the guest's clock and of its processors, and who wrote CMDQ_PROD
 * meanwhile. Not what disagrees. Called by audit.c, entries.c, witness.c, orders.c,
 * drops.c and structures.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_GRACE_H
#define SMMU3_AUDIT_GRACE_H

#include "../interface/host.h"
#include "../interface/options.h"

enum {
    SMMU3_WRITERS = 64,
    /*
     * It is seen to disagree at so many CMD_SYNCs, if it has to outlast as many:
     * or two looks that came in bad moments would do.
     */
    SMMU3_SIGHTINGS = 3,
};

typedef struct Smmu3Grace {
    Smmu3AuditOptions options;
    const Smmu3HostOps *ops;
    void *host;
    uint64_t syncs;                 /* completed so far */
    Smmu3Writer writers[SMMU3_WRITERS];     /* of CMDQ_PROD, the last ones */
    uint64_t writer_count;
} Smmu3Grace;

/* By all that the grace is measured by. */
typedef struct Smmu3Moment {
    uint64_t ns, worked, syncs;
} Smmu3Moment;

/* Something that disagrees, and was not seen to agree since. */
typedef struct Smmu3Suspicion {
    Smmu3Moment since;
    unsigned sightings;             /* since, at a CMD_SYNC each... */
    uint64_t last_syncs;            /* ...of which this was the last */
    uint64_t uses;
    uint64_t writer;                /* number of the last CMDQ_PROD before */
    Smmu3Writer before, after;      /* that one, and the next */
} Smmu3Suspicion;

uint64_t smmu3_grace_now(const Smmu3Grace *g);
/* @ns, which is now. */
Smmu3Moment smmu3_grace_moment(const Smmu3Grace *g, uint64_t ns);
/* Whether since then @syncs CMD_SYNCs came, and both clocks went on by @grace_ns. */
bool smmu3_went_by(const Smmu3Grace *g, const Smmu3Moment *since,
                   uint64_t syncs, uint64_t grace_ns, uint64_t ns);
/* CMDQ_PROD is being written. */
void smmu3_grace_note_writer(Smmu3Grace *g);

/* It was seen for the first time. */
void smmu3_suspect(const Smmu3Grace *g, Smmu3Suspicion *s, uint64_t ns);
/* Seen again. */
void smmu3_suspect_again(const Smmu3Grace *g, Smmu3Suspicion *s);
/* It outlasted what software may take. */
bool smmu3_outlasted(const Smmu3Grace *g, const Smmu3Suspicion *s,
                     uint64_t ns);
/* That, but for the CMD_SYNCs: for the want of one. */
bool smmu3_lasted(const Smmu3Grace *g, const Smmu3Suspicion *s, uint64_t ns);

/* What a report has of it. */
void smmu3_report_suspicion(const Smmu3Grace *g, const Smmu3Suspicion *s,
                            uint64_t ns, Smmu3AuditReport *report);

#endif
