/*
 * What the monitor can read of the SMMU: its counters (QOM properties). Not
 * how they come about, which is the core's, nor questions with an answer of
 * their own: questions/question.h. Used by smmuv3-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "smmuv3-sva.h"

/* ---- Counters --------------------------------------------------------- */

#define COUNTER(name) { #name, offsetof(Smmu3Counters, name) }
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
    COUNTER(translations), COUNTER(tlb_hits), COUNTER(tlb_misses),
    COUNTER(config_misses), COUNTER(walks), COUNTER(nested_walks),
    COUNTER(stage2_walks), COUNTER(stage2_lookups_in),
    COUNTER(stage2_lookups_tt), COUNTER(stage2_lookups_cd),
    COUNTER(descriptor_reads), COUNTER(httu_updates), COUNTER(events),
    COUNTER(events_lost), COUNTER(stalls), COUNTER(resumes_retry),
    COUNTER(resumes_abort), COUNTER(stalls_terminated),
    COUNTER(stalls_cancelled), COUNTER(commands), COUNTER(command_errors),
    COUNTER(syncs), COUNTER(tlb_invalidations), COUNTER(config_invalidations),
    COUNTER(ats_requests), COUNTER(ats_translated), COUNTER(atc_invalidations),
    COUNTER(page_requests), COUNTER(page_requests_lost),
    COUNTER(prg_responses), COUNTER(audit_looks), COUNTER(audit_suspicions),
    COUNTER(audit_reports), COUNTER(audit_settled_ns_max),
    COUNTER(injected_drops),
};
#undef COUNTER

static bool visit_counter(Visitor *v, const char *name,
                          const _Atomic uint64_t *counter, Error **errp)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

    return visit_type_uint64(v, name, &value, errp);
}

/* Faults by event, those that were met at least once. */
static bool visit_faults(Visitor *v, const Smmu3Counters *c, Error **errp)
{
    if (!visit_start_struct(v, "faults", NULL, 0, errp)) {
        return false;
    }
    for (unsigned type = 0; type < ARRAY_SIZE(c->faults); type++) {
        const char *name = smmu3_event_name(type);

        if (name && atomic_load_explicit(&c->faults[type],
                                         memory_order_relaxed) &&
            !visit_counter(v, name, &c->faults[type], errp)) {
            return false;
        }
    }
    visit_end_struct(v, NULL);
    return true;
}

static void get_counters(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    const Smmu3Counters *c;
    uint64_t outstanding;

    if (!s->core) {
        error_setg(errp, "smmuv3-sva: not realized");
        return;
    }
    c = smmu3_counters(s->core);
    outstanding = smmu3_stalls_outstanding(s->core);
    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        const void *counter = (const char *)c + counters[i].offset;

        if (!visit_counter(v, counters[i].name, counter, errp)) {
            return;
        }
    }
    if (!visit_type_uint64(v, "stalls_outstanding", &outstanding, errp) ||
        !visit_type_uint64(v, "mapped_waits", &s->quiesce.mapped_waits,
                           errp) ||
        !visit_type_uint64(v, "mappings_given_up",
                           &s->quiesce.mappings_given_up, errp) ||
        !visit_faults(v, c, errp)) {
        return;
    }
    visit_end_struct(v, NULL);
}

static bool get_counters_reset(Object *obj, Error **errp)
{
    return false;
}

static void set_counters_reset(Object *obj, bool value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    if (value && s->core) {
        smmu3_counters_reset(s->core);
        s->quiesce.mapped_waits = s->quiesce.mappings_given_up = 0;
    }
}

void smmuv3_sva_add_monitor_properties(ObjectClass *oc)
{
    object_class_property_add(oc, "counters", "Smmuv3SvaCounters",
                              get_counters, NULL, NULL, NULL);
    object_class_property_set_description(oc, "counters",
        "What the SMMU did so far, for qom-get");
    object_class_property_add_bool(oc, "counters-reset", get_counters_reset,
                                   set_counters_reset);
    object_class_property_set_description(oc, "counters-reset",
        "Setting it to true zeroes the counters");
}
