/*
 * The translation auditor's QEMU side: its properties, its clocks, and where a
 * report goes: a warning, a stop of the machine. Not what is a mistake, which is
 * core/audit/, nor the list for the monitor (smmuv3-sva-reports.c), nor who in the
 * guest it was (smmuv3-sva-writer.c).
 * Used by smmuv3-sva.c and smmuv3-sva-host.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/core/cpu.h"
#include "qapi/error.h"
#include "system/qtest.h"
#include "system/runstate.h"
#include "smmuv3-sva-pci.h"
#include "smmuv3-sva.h"
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
    options->inject = s->inject;
    return true;
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

    if (qtest_enabled()) {
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

bool smmuv3_sva_audit_has_function(void *host, uint32_t sid)
{
    return smmuv3_sva_find_function(host, sid);
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

void smmuv3_sva_add_audit_properties(ObjectClass *oc)
{
    object_class_property_add_str(oc, "audit", get_audit, set_audit);
    object_class_property_set_description(oc, "audit",
        "Report translations that software forgot to invalidate: off, on, or "
        "stop, which stops the machine at the first");
    smmuv3_sva_add_report_properties(oc);
}
