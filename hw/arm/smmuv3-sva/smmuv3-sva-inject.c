/*
 * Faults on request, QEMU's side: the property that says which, and the one that
 * says what came of them. Not the faults, which are core/inject/ and whoever asks
 * there. Used by smmuv3-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qapi/qapi-builtin-visit.h"
#include "smmuv3-sva.h"
#include "core/inject/grammar.h"

static char *get_inject(Object *obj, Error **errp)
{
    const Smmu3InjectOptions *inject = &SMMUV3_SVA(obj)->inject;
    GString *words = g_string_new(NULL);

    for (unsigned i = 0; i < inject->count; i++) {
        if (i) {
            g_string_append_c(words, ',');
        }
        smmu3_inject_words(&inject->plans[i], words);
    }
    return g_string_free(words, FALSE);
}

static void set_inject(Object *obj, const char *value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    g_autofree char *wrong = NULL;
    Smmu3InjectOptions inject;

    if (s->core) {
        error_setg(errp, "smmuv3-sva: 'inject' cannot change any more");
        return;
    }
    wrong = smmu3_inject_parse(value, &inject);
    if (wrong) {
        error_setg(errp, "smmuv3-sva: cannot do '%s' of inject=%s", wrong,
                   value);
        error_append_hint(errp, "%s", smmu3_inject_help());
        return;
    }
    s->inject = inject;
}

static bool visit_count(Visitor *v, const Smmu3InjectCount *count,
                        Error **errp)
{
    g_autoptr(GString) words = g_string_new(NULL);
    uint64_t seen = count->seen, done = count->done;

    smmu3_inject_words(&count->plan, words);
    if (!visit_start_struct(v, NULL, NULL, 0, errp) ||
        !visit_type_str(v, "plan", &words->str, errp) ||
        !visit_type_uint64(v, "seen", &seen, errp) ||
        !visit_type_uint64(v, "done", &done, errp)) {
        return false;
    }
    visit_end_struct(v, NULL);
    return true;
}

static void get_counts(Object *obj, Visitor *v, const char *name,
                       void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    g_autoptr(GArray) counts = NULL;

    if (!s->core) {
        error_setg(errp, "smmuv3-sva: not realized");
        return;
    }
    counts = smmu3_inject_counts(s->core);
    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return;
    }
    for (unsigned i = 0; i < counts->len; i++) {
        if (!visit_count(v, &g_array_index(counts, Smmu3InjectCount, i),
                         errp)) {
            return;
        }
    }
    visit_end_list(v, NULL);
}

static void get_drops(Object *obj, Visitor *v, const char *name,
                      void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    Smmu3AuditDrops drops;

    if (!s->core) {
        error_setg(errp, "smmuv3-sva: not realized");
        return;
    }
    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    /* Without an auditor it is empty */
    if (smmu3_audit_drops(s->core, &drops) &&
        (!visit_type_uint64(v, "dropped", &drops.dropped, errp) ||
         !visit_type_uint64(v, "mattered", &drops.mattered, errp) ||
         !visit_type_uint64(v, "found", &drops.found, errp) ||
         !visit_type_uint64(v, "repaired", &drops.repaired, errp) ||
         !visit_type_uint64(v, "open", &drops.open, errp) ||
         !visit_type_uint64(v, "missed", &drops.missed, errp))) {
        return;
    }
    visit_end_struct(v, NULL);
}

void smmuv3_sva_add_inject_properties(ObjectClass *oc)
{
    g_autofree char *description =
        g_strdup_printf("Faults on request. %s", smmu3_inject_help());

    object_class_property_add_str(oc, "inject", get_inject, set_inject);
    object_class_property_set_description(oc, "inject", description);
    object_class_property_add(oc, "inject-counts", "Smmuv3SvaInjectCounts",
                              get_counts, NULL, NULL, NULL);
    object_class_property_set_description(oc, "inject-counts",
        "What inject= came to so far, plan by plan, for qom-get");
    object_class_property_add(oc, "inject-drops", "Smmuv3SvaInjectDrops",
                              get_drops, NULL, NULL, NULL);
    object_class_property_set_description(oc, "inject-drops",
        "What became of the translations' invalidations that inject= dropped, "
        "for qom-get; with audit=on");
}
