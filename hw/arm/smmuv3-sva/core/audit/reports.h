/*
 * The reports that are kept: a bounded number, each kind of mistake once for a
 * context and 2 MiB of its addresses. Not how they come about (audit.c). Called by
 * audit.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_AUDIT_REPORTS_H
#define SMMU3_AUDIT_REPORTS_H

#include <glib.h>
#include "../interface/audit.h"

typedef struct Smmu3Reports {
    Smmu3AuditReport kept[SMMU3_REPORTS_MAX];
    unsigned count;
} Smmu3Reports;

/* Of an STE or a CD, and not of a translation. */
static inline bool smmu3_report_is_structure(const Smmu3AuditReport *report)
{
    return report->kind == SMMU3_STALE_STE || report->kind == SMMU3_STALE_CD;
}

/* Of a command, by itself. */
static inline bool smmu3_report_is_command(const Smmu3AuditReport *report)
{
    return report->kind >= SMMU3_WRONG_RESUME;
}

/* No grace: it was wrong in the moment that it was seen. */
static inline bool smmu3_report_is_at_once(const Smmu3AuditReport *report)
{
    return report->kind >= SMMU3_STALE_SIZE &&
           report->kind != SMMU3_WRONG_NO_SYNC;
}

/*
 * With report->count 1. A copy if it is kept; NULL if one like it is, which counts
 * it, or there is no room for another.
 */
Smmu3AuditReport *smmu3_reports_add(Smmu3Reports *reports,
                                    const Smmu3AuditReport *report);

/* "rw-/rwx": of unprivileged accesses, then of privileged ones. */
void smmu3_rights_words(uint8_t rights, GString *out);
const char *smmu3_mistake_words(Smmu3Mistake kind);
/* The kind of mistake. */
const char *smmu3_kind_words(const Smmu3AuditReport *report);
/* Of a command, or "". */
const char *smmu3_blame_words(Smmu3Blame blame);
const char *smmu3_miss_words(Smmu3Miss miss);

/* One line, without newline. */
void smmu3_report_words(const Smmu3AuditReport *report, GString *out);

#endif
