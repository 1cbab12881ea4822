/*
 * STEs and CDs as they were cached, against what memory has of them now. Not their
 * decoding, nor their cache: it is told when one is fetched, and when one that was
 * cached is used. Called by audit.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_STRUCTURES_H
#define SMMU3_AUDIT_STRUCTURES_H

#include "grace.h"

/* An STE or a CD, of which a transaction's configuration is made. */
typedef struct Smmu3Structure {
    bool is_cd;
    uint32_t sid, ssid;             /* ssid: of a CD, its index */
    uint64_t addr;                  /* as its table has it: a CD's may be an IPA.
                                       0, and all words: it is not there now */
    uint64_t words[8];
} Smmu3Structure;

typedef struct Smmu3Structures Smmu3Structures;

typedef enum {
    SMMU3_STRUCTURE_AGREES,     /* or is not known */
    SMMU3_STRUCTURE_SUSPECT,    /* from now on */
    SMMU3_STRUCTURE_WAITS,      /* for the grace; or was reported */
    SMMU3_STRUCTURE_STALE,      /* now: *@report */
} Smmu3StructureVerdict;

Smmu3Structures *smmu3_structures_new(void);
void smmu3_structures_free(Smmu3Structures *structures);
void smmu3_structures_forget(Smmu3Structures *structures);

void smmu3_structures_fetched(Smmu3Structures *structures,
                              const Smmu3Structure *fetched, uint64_t ns);
/*
 * STEs of streams @first to @last go, and their CDs; @cd_only: the CD @ssid of
 * @first alone. How many there were; *@work: and what that cost, see work.h.
 */
unsigned smmu3_structures_invalidated(Smmu3Structures *structures,
                                      uint32_t first, uint32_t last,
                                      bool cd_only, uint32_t ssid,
                                      unsigned *work);
/* @now: as it is in memory. */
Smmu3StructureVerdict smmu3_structures_used(Smmu3Structures *structures,
                                            const Smmu3Grace *grace,
                                            const Smmu3Structure *now,
                                            uint64_t ns,
                                            Smmu3AuditReport *report);

#endif
