/*
 * The translation auditor's QEMU side: its properties, who wrote CMDQ_PROD, and
 * where a report goes: a warning, a list for the monitor, a stop of the machine.
 * Not what is a mistake, which is core/audit/. Used by smmuv3-sva.c and
 * smmuv3-sva-host.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "hw/core/cpu.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qapi/qapi-builtin-visit.h"
#include "system/runstate.h"
#include "system/tcg.h"
#include "smmuv3-sva.h"
#include "core/audit/inject.h"
#include "core/audit/reports.h"

enum { SYNCS_MAX = 1000000, GRACE_MAX_MS = 3600000 };

/* ---- Properties -------------------------------------------------------- */

static const char *const audit_modes[] = { "off", "on", "stop" };

static char *get_audit(Object *obj, Error **errp)
{
    return g_strdup(audit_modes[SMMUV3_SVA(obj)->audit]);
}

static bool may_change(Smmuv3SvaState *s, const char *name, Error **errp)
{
    if (s->core) {
        error_setg(errp, "smmuv3-sva: '%s' cannot change any more", name);
    }
    return !s->core;
}

static void set_audit(Object *obj, const char *value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    if (!may_change(s, "audit", errp)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(audit_modes); i++) {
        if (!strcmp(value, audit_modes[i])) {
            s->audit = i;
            return;
        }
    }
    error_setg(errp, "smmuv3-sva: audit=%s is none of its modes", value);
    error_append_hint(errp, "off; on: mistakes are reported; stop: the first one "
                      "stops the machine, too.\n");
}

static char *get_inject(Object *obj, Error **errp)
{
    return g_strdup(SMMUV3_SVA(obj)->inject ?: "");
}

static void set_inject(Object *obj, const char *value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    g_autofree char *allowed = NULL;
    Smmu3InjectPlan plan = { 0 };

    if (!may_change(s, "inject", errp)) {
        return;
    }
    allowed = *value ? smmu3_inject_parse(value, &plan) : NULL;
    if (allowed) {
        error_setg(errp, "smmuv3-sva: cannot do inject=%s", value);
        error_append_hint(errp, "%s.\n", allowed);
        return;
    }
    s->inject_plan = plan;
    g_free(s->inject);
    s->inject = *value ? g_strdup(value) : NULL;
}

bool smmuv3_sva_audit_options(Smmuv3SvaState *s, Smmu3Options *options,
                              Error **errp)
{
    if (s->audit_syncs > SYNCS_MAX) {
        error_setg(errp, "smmuv3-sva: audit-syncs=%u is too many",
                   s->audit_syncs);
        error_append_hint(errp, "At most %u CMD_SYNCs; %u is the default.\n",
                          SYNCS_MAX, SMMUV3_SVA_AUDIT_SYNCS);
        return false;
    }
    if (s->audit_grace_ms > GRACE_MAX_MS) {
        error_setg(errp, "smmuv3-sva: audit-grace-ms=%u is too long",
                   s->audit_grace_ms);
        error_append_hint(errp, "At most %u, which is an hour; %u is the "
                          "default.\n", GRACE_MAX_MS, SMMUV3_SVA_AUDIT_GRACE_MS);
        return false;
    }
    options->audit = (Smmu3AuditOptions) {
        .on = s->audit != SMMUV3_SVA_AUDIT_OFF, .syncs = s->audit_syncs,
        .grace_ns = s->audit_grace_ms * (uint64_t)SCALE_MS,
    };
    options->inject = s->inject_plan;
    return true;
}

void smmuv3_sva_audit_finalize(Smmuv3SvaState *s)
{
    g_free(s->inject);
}

/* ---- What the core asks and tells; any thread, under its lock ----------- */

uint64_t smmuv3_sva_audit_now(void *host)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/*
 * The CPU time of the vCPUs' threads, of which there may be one for all. Where no
 * vCPU executes anything, in a test, the clock is all there is.
 */
uint64_t smmuv3_sva_audit_worked(void *host)
{
    const QemuThread *last = NULL;
    uint64_t ns = 0;
    CPUState *cpu;

    if (!tcg_enabled()) {
        return smmuv3_sva_audit_now(host);
    }
    RCU_READ_LOCK_GUARD();
    CPU_FOREACH(cpu) {
        struct timespec time;
        clockid_t clock;

        if (cpu->thread && cpu->thread != last &&
            !pthread_getcpuclockid(cpu->thread->thread, &clock) &&
            !clock_gettime(clock, &time)) {
            ns += time.tv_sec * NANOSECONDS_PER_SECOND + time.tv_nsec;
        }
        last = cpu->thread;
    }
    return ns;
}

/*
 * The PC of the store that is being executed. In the middle of a translation
 * block a vCPU's own PC is that of an earlier instruction, and must stay so; what
 * it would be restored to is read instead: the PC, or its offset in the page.
 */
void smmuv3_sva_audit_writer(void *host, Smmu3Writer *writer)
{
    CPUState *cpu = current_cpu;
    uint64_t unwound[8];        /* of which Arm has three */
    uint64_t pc;

    if (!cpu || !cpu->cc->get_pc) {
        return;
    }
    pc = cpu->cc->get_pc(cpu);
    if (tcg_enabled() && cpu->mem_io_pc &&
        cpu_unwind_state_data(cpu, cpu->mem_io_pc, unwound)) {
        uint64_t in_page = qemu_target_page_size() - 1;

        pc = unwound[0] > in_page ? unwound[0] : (pc & ~in_page) | unwound[0];
    }
    *writer = (Smmu3Writer) { .known = true, .cpu = cpu->cpu_index, .pc = pc };
}

void smmuv3_sva_audit_report(void *host, const Smmu3AuditReport *report)
{
    Smmuv3SvaState *s = host;
    g_autoptr(GString) words = g_string_new(NULL);

    smmu3_report_words(report, words);
    warn_report("smmuv3-sva: audit: %s", words->str);
    if (s->audit_warned++ == SMMU3_REPORTS_MAX - 1) {
        warn_report("smmuv3-sva: audit: others are counted only");
    }
    if (s->audit == SMMUV3_SVA_AUDIT_STOP && !s->audit_stopped) {
        s->audit_stopped = true;
        qemu_system_vmstop_request_prepare();
        qemu_system_vmstop_request(RUN_STATE_DEBUG);
    }
}

/* ---- Reports for the monitor ------------------------------------------- */

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

static bool visit_writer(Visitor *v, const char *name, const Smmu3Writer *w,
                         Error **errp)
{
    if (!w->known) {
        return true;
    }
    if (!visit_start_struct(v, name, NULL, 0, errp) ||
        !visit_number(v, "cpu", w->cpu, errp) ||
        !visit_number(v, "pc", w->pc, errp) ||
        !visit_number(v, "ns", w->ns, errp)) {
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

static bool visit_heard(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    if (!visit_start_list(v, "invalidations", NULL, 0, errp)) {
        return false;
    }
    for (unsigned i = 0; i < r->heard_count; i++) {
        const Smmu3Heard *h = &r->heard[i];

        if (!visit_start_struct(v, NULL, NULL, 0, errp) ||
            !visit_word(v, "command", smmuv3_sva_command_name(h->opcode),
                        errp) ||
            !visit_word(v, "missed", smmu3_miss_words(h->miss), errp) ||
            !visit_number(v, "asid", h->asid, errp) ||
            !visit_number(v, "vmid", h->vmid, errp) ||
            !visit_number(v, "first", h->first, errp) ||
            !visit_number(v, "last", h->last, errp) ||
            !visit_number(v, "ns", h->ns, errp)) {
            return false;
        }
        visit_end_struct(v, NULL);
    }
    visit_end_list(v, NULL);
    return true;
}

/* Whose translation, and of what. */
static bool visit_subject(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    return visit_word(v, "kind", smmu3_stale_words(r->stale), errp) &&
           visit_number(v, "stage", r->stage2 ? 2 : 1, errp) &&
           visit_flag(v, "el2", r->el2, errp) &&
           visit_flag(v, "global", r->global, errp) &&
           (!r->has_asid || visit_number(v, "asid", r->asid, errp)) &&
           (!r->has_vmid || visit_number(v, "vmid", r->vmid, errp)) &&
           visit_number(v, "sid", r->sid, errp) &&
           (!r->ssv || visit_number(v, "ssid", r->ssid, errp)) &&
           visit_number(v, "address", r->addr, errp) &&
           visit_number(v, "size", r->bytes, errp) &&
           visit_number(v, "at", r->at, errp);
}

/* The times, and what came of it: of every report. */
static bool visit_course(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    return visit_number(v, "cached-ns", r->cached_ns, errp) &&
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
    return visit_word(v, "kind", smmu3_stale_words(r->stale), errp) &&
           visit_number(v, "sid", r->sid, errp) &&
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
           visit_trail(v, "cached-descriptors", &r->cached_trail, errp) &&
           (r->stale == SMMU3_STALE_GONE ||
            (visit_number(v, "tables-output", r->tables_output, errp) &&
             visit_rights(v, "tables-rights", r->tables_rights, errp))) &&
           visit_trail(v, "tables-descriptors", &r->tables_trail, errp) &&
           visit_heard(v, r, errp);
}

static bool visit_report(Visitor *v, const Smmu3AuditReport *r, Error **errp)
{
    g_autoptr(GString) words = g_string_new(NULL);

    smmu3_report_words(r, words);
    if (!visit_start_struct(v, NULL, NULL, 0, errp) ||
        !visit_word(v, "words", words->str, errp) ||
        !(smmu3_report_is_structure(r)
          ? visit_structure(v, r, errp)
          : visit_subject(v, r, errp) && visit_proof(v, r, errp)) ||
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

void smmuv3_sva_add_audit_properties(ObjectClass *oc)
{
    object_class_property_add_str(oc, "audit", get_audit, set_audit);
    object_class_property_set_description(oc, "audit",
        "Report translations that software forgot to invalidate: off, on, or "
        "stop, which stops the machine at the first");
    object_class_property_add_str(oc, "inject", get_inject, set_inject);
    object_class_property_set_description(oc, "inject",
        "Drop TLB invalidations: drop:tlbi:N the N-th, drop:tlbi:P/Q:SEED "
        "about P of Q; drop:cfgi:... those of STEs and CDs");
    object_class_property_add(oc, "audit-reports", "Smmuv3SvaAuditReports",
                              get_reports, NULL, NULL, NULL);
    object_class_property_set_description(oc, "audit-reports",
        "What the auditor found, for qom-get; counters-reset forgets it");
}
