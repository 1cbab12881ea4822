/*
 * What the auditor found, for the monitor: the properties audit-reports, a list,
 * and audit-summary, what is no mistake and worth a look.
 * Not the words of the log (core/audit/reports.c), and not what is a mistake.
 * Used by smmuv3-sva-audit.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qapi/qapi-builtin-visit.h"
#include "smmuv3-sva.h"
#include "core/audit/reports.h"

/* A number that is no member of anything. */
static bool visit_number(Visitor *v, const char *name, uint64_t value,
                         Error **errp)
{
    return visit_type_uint64(v, name, &value, errp);
}

static bool visit_flag(Visitor *v, const char *name, bool value, Error **errp)
{
    return visit_type_bool(v, name, &value, errp);
}

static bool visit_word(Visitor *v, const char *name, const char *word,
                       Error **errp)
{
    g_autofree char *copy = g_strdup(word);

    return visit_type_str(v, name, &copy, errp);
}

static bool visit_rights(Visitor *v, const char *name, uint8_t rights,
                         Error **errp)
{
    g_autoptr(GString) words = g_string_new(NULL);

    smmu3_rights_words(rights, words);
    return visit_word(v, name, words->str, errp);
}

static bool visit_callers(Visitor *v, const Smmu3Writer *w, Error **errp)
{
    if (!visit_start_list(v, "callers", NULL, 0, errp)) {
        return false;
    }
    for (unsigned i = 0; i < w->callers; i++) {
        if (!visit_number(v, NULL, w->caller[i], errp)) {
            return false;
        }
    }
    visit_end_list(v, NULL);
    return true;
}

static bool visit_writer(Visitor *v, const char *name, const Smmu3Writer *w,
                         Error **errp)
{
    if (!w->known) {
        return true;
    }
    if (!visit_start_struct(v, name, NULL, 0, errp) ||
        !visit_number(v, "cpu", w->cpu, errp) ||
        !visit_number(v, "pc", w->pc, errp) ||
        !visit_number(v, "ns", w->ns, errp) ||
        !visit_callers(v, w, errp)) {
        return false;
    }
    visit_end_struct(v, NULL);
    return true;
}

/* The descriptors of a walk, from the first level on. */
static bool visit_trail(Visitor *v, const char *name, const Smmu3Trail *trail,
                        Error **errp)
{
    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return false;
    }
    for (unsigned i = 0; i < trail->count; i++) {
        const Smmu3Read *read = &trail->read[i];
        int64_t level = read->level;

        if (!visit_start_struct(v, NULL, NULL, 0, errp) ||
            !visit_type_int(v, "level", &level, errp) ||
            !visit_number(v, "address", read->pa, errp) ||
            !visit_number(v, "descriptor", read->descriptor, errp)) {
            return false;
        }
        visit_end_struct(v, NULL);
    }
    visit_end_list(v, NULL);
    return true;
}

/* A command: whose, and of which addresses. */
static bool visit_command(Visitor *v, const Smmu3Heard *h, Error **errp)
{
    bool atc = h->opcode == CMD_ATC_INV;

    return visit_word(v, "command", smmu3_command_name(h->opcode),
                      errp) &&
           (atc ? visit_number(v, "sid", h->sid, errp) &&
                  (!h->ssv || visit_number(v, "ssid", h->ssid, errp))
                : visit_number(v, "asid", h->asid, errp) &&
                  visit_number(v, "vmid", h->vmid, errp)) &&
           visit_number(v, "first", h->first, errp) &&
           visit_number(v, "last", h->last, errp) &&
           visit_number(v, "ns", h->ns, errp);
}

static bool visit_heard(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    if (!visit_start_list(v, "invalidations", NULL, 0, errp)) {
        return false;
    }
    for (unsigned i = 0; i < r->heard_count; i++) {
        const Smmu3Heard *h = &r->heard[i];

        if (!visit_start_struct(v, NULL, NULL, 0, errp) ||
            !visit_word(v, "missed", smmu3_miss_words(h->miss), errp) ||
            !visit_command(v, h, errp)) {
            return false;
        }
        visit_end_struct(v, NULL);
    }
    visit_end_list(v, NULL);
    if (!r->has_early) {
        return true;
    }
    if (!visit_start_struct(v, "invalidated-early", NULL, 0, errp) ||
        !visit_command(v, &r->early, errp)) {
        return false;
    }
    visit_end_struct(v, NULL);
    return true;
}

/* Whose translation of the TLB, or how a grant disagrees. */
static bool visit_subject(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    if (r->atc) {
        return visit_word(v, "disagrees", smmu3_mistake_words(r->kind), errp);
    }
    return visit_number(v, "stage", r->stage2 ? 2 : 1, errp) &&
           visit_flag(v, "el2", r->el2, errp) &&
           visit_flag(v, "global", r->global, errp) &&
           (!r->has_asid || visit_number(v, "asid", r->asid, errp)) &&
           (!r->has_vmid || visit_number(v, "vmid", r->vmid, errp));
}

/* In which addresses of which stream. */
static bool visit_place(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    return visit_number(v, "sid", r->sid, errp) &&
           (!r->ssv || visit_number(v, "ssid", r->ssid, errp)) &&
           visit_number(v, "address", r->addr, errp) &&
           visit_number(v, "size", r->bytes, errp) &&
           visit_number(v, "at", r->at, errp);
}

/* The times, and what came of it: of every report. */
static bool visit_course(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    return (smmu3_report_is_command(r) ||
            visit_number(v, "cached-ns", r->cached_ns, errp)) &&
           visit_number(v, "seen-ns", r->seen_ns, errp) &&
           visit_number(v, "reported-ns", r->reported_ns, errp) &&
           visit_number(v, "syncs", r->reported_syncs - r->seen_syncs, errp) &&
           visit_number(v, "uses", r->uses, errp) &&
           visit_number(v, "count", r->count, errp) &&
           visit_writer(v, "prod-before", &r->before, errp) &&
           visit_writer(v, "prod-after", &r->after, errp);
}

static bool visit_words(Visitor *v, const char *name, const uint64_t *words,
                        unsigned count, Error **errp)
{
    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!visit_number(v, NULL, words[i], errp)) {
            return false;
        }
    }
    visit_end_list(v, NULL);
    return true;
}

/* An STE or a CD. */
static bool visit_structure(Visitor *v, const Smmu3AuditReport *r,
                            Error **errp)
{
    return visit_number(v, "sid", r->sid, errp) &&
           (!r->ssv || visit_number(v, "ssid", r->ssid, errp)) &&
           visit_number(v, "address", r->addr, errp) &&
           visit_number(v, "at", r->at, errp) &&
           visit_words(v, "cached-words", r->cached_words,
                       ARRAY_SIZE(r->cached_words), errp) &&
           visit_words(v, "memory-words", r->memory_words,
                       ARRAY_SIZE(r->memory_words), errp);
}

static bool visit_proof(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    return visit_number(v, "cached-output", r->cached_output, errp) &&
           visit_rights(v, "cached-rights", r->cached_rights, errp) &&
           (r->atc ||
            visit_trail(v, "cached-descriptors", &r->cached_trail, errp)) &&
           (r->kind == SMMU3_STALE_GONE ||
            (visit_number(v, "tables-output", r->tables_output, errp) &&
             visit_rights(v, "tables-rights", r->tables_rights, errp))) &&
           (r->kind != SMMU3_STALE_SIZE ||
            visit_number(v, "tables-size", r->tables_bytes, errp)) &&
           visit_trail(v, "tables-descriptors", &r->tables_trail, errp) &&
           visit_heard(v, r, errp);
}

/* A command that is wrong by itself. */
static bool visit_wrong_command(Visitor *v, const Smmu3AuditReport *r,
                                Error **errp)
{
    static const char *const numbers[] = {
        [SMMU3_WRONG_RESUME] = "stag", [SMMU3_WRONG_RESPONSE] = "prg-index",
        [SMMU3_WRONG_STREAM] = NULL, [SMMU3_WRONG_COMMAND] = "index",
        [SMMU3_WRONG_NO_SYNC] = NULL,
    };
    const char *number = numbers[r->kind];
    bool has_words = r->command[0] || r->kind == SMMU3_WRONG_COMMAND;
    bool has_sid = r->kind <= SMMU3_WRONG_STREAM;

    return (!has_words || visit_words(v, "command-words", r->command,
                                      ARRAY_SIZE(r->command), errp)) &&
           (!has_sid || visit_number(v, "sid", r->sid, errp)) &&
           (!number || visit_number(v, number, r->number, errp)) &&
           (r->blame == SMMU3_BLAME_NONE ||
            visit_word(v, "why", smmu3_blame_words(r->blame), errp));
}

/* What is stale, and how one sees it. */
static bool visit_stale(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    return smmu3_report_is_structure(r)
           ? visit_structure(v, r, errp)
           : visit_subject(v, r, errp) && visit_place(v, r, errp) &&
             visit_proof(v, r, errp);
}

static bool visit_report(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    g_autoptr(GString) words = g_string_new(NULL);

    smmu3_report_words(r, words);
    if (!visit_start_struct(v, NULL, NULL, 0, errp) ||
        !visit_word(v, "words", words->str, errp) ||
        !visit_word(v, "kind", smmu3_kind_words(r), errp) ||
        !(smmu3_report_is_command(r) ? visit_wrong_command(v, r, errp)
                                     : visit_stale(v, r, errp)) ||
        !visit_course(v, r, errp)) {
        return false;
    }
    visit_end_struct(v, NULL);
    return true;
}

static void get_reports(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    g_autoptr(GArray) reports = NULL;

    if (!s->core) {
        error_setg(errp, "smmuv3-sva: not realized");
        return;
    }
    reports = smmu3_audit_reports(s->core);
    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return;
    }
    for (unsigned i = 0; i < reports->len; i++) {
        if (!visit_report(v, &g_array_index(reports, Smmu3AuditReport, i),
                          errp)) {
            return;
        }
    }
    visit_end_list(v, NULL);
}

/* ---- The summary --------------------------------------------------------- */

/* Commands that came at least once. */
static bool visit_waste(Visitor *v, const Smmu3AuditSummary *s, Error **errp)
{
    if (!visit_start_struct(v, "commands", NULL, 0, errp)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(s->commands); i++) {
        const Smmu3CommandWaste *c = &s->commands[i];

        if (!c->count) {
            continue;
        }
        if (!visit_start_struct(v, smmu3_command_name(i), NULL, 0, errp) ||
            !visit_number(v, "count", c->count, errp) ||
            !visit_number(v, "removed-nothing", c->nothing, errp) ||
            !visit_number(v, "repeated", c->repeated, errp) ||
            !visit_number(v, "broad", c->broad, errp)) {
            return false;
        }
        visit_end_struct(v, NULL);
    }
    visit_end_struct(v, NULL);
    return true;
}

static void get_summary(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    Smmu3AuditSummary summary;

    if (!s->core) {
        error_setg(errp, "smmuv3-sva: not realized");
        return;
    }
    smmu3_audit_summary_of(s->core, &summary);
    if (!visit_start_struct(v, name, NULL, 0, errp) ||
        !visit_waste(v, &summary, errp) ||
        !visit_number(v, "unknown-asids", summary.unknown_asids, errp) ||
        !visit_number(v, "unknown-vmids", summary.unknown_vmids, errp) ||
        !visit_number(v, "outputs-moved", summary.outputs_moved, errp) ||
        !visit_number(v, "without-function", summary.without_function,
                      errp)) {
        return;
    }
    visit_end_struct(v, NULL);
}

void smmuv3_sva_add_report_properties(ObjectClass *oc)
{
    object_class_property_add(oc, "audit-reports", "Smmuv3SvaAuditReports",
                              get_reports, NULL, NULL, NULL);
    object_class_property_set_description(oc, "audit-reports",
        "What the auditor found, for qom-get; counters-reset forgets it");
    object_class_property_add(oc, "audit-summary", "Smmuv3SvaAuditSummary",
                              get_summary, NULL, NULL, NULL);
    object_class_property_set_description(oc, "audit-summary",
        "Invalidations that were more than needed, for qom-get; counters-reset "
        "zeroes it");
}
