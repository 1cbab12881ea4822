/*
 * What the monitor can ask of the SMMU: its counters, and how a translation
 * comes about (QOM properties). Not their computation, which is the core's.
 * Used by smmuv3-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qapi/qapi-builtin-visit.h"
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

/* ---- Explanations ----------------------------------------------------- */

/* "0x8" or, as lspci has it, "0:1.0". */
static bool parse_sid(const char *text, uint32_t *sid)
{
    unsigned bus, slot, function;
    uint64_t number;
    char end;

    if (strchr(text, ':')) {
        if (sscanf(text, "%x:%x.%x%c", &bus, &slot, &function, &end) != 3 ||
            bus > 255 || slot > 31 || function > 7) {
            return false;
        }
        *sid = PCI_BUILD_BDF(bus, PCI_DEVFN(slot, function));
        return true;
    }
    if (qemu_strtou64(text, NULL, 0, &number) || number > UINT32_MAX) {
        return false;
    }
    *sid = number;
    return true;
}

static bool parse_access(const char *text, Smmu3Transaction *t)
{
    t->access = 0;
    for (; *text; text++) {
        switch (*text) {
        case 'r':
            t->access |= SMMU3_READ;
            break;
        case 'w':
            t->access |= SMMU3_WRITE;
            break;
        case 'x':
            t->access |= SMMU3_READ;
            t->ind = true;
            break;
        case 'p':
            t->priv = true;
            break;
        default:
            return false;
        }
    }
    return t->access;
}

static bool parse_type(const char *text, Smmu3Transaction *t)
{
    static const char *const names[] = {
        [SMMU3_UNTRANSLATED] = "untranslated", [SMMU3_ATS_REQUEST] = "ats",
        [SMMU3_ATS_TRANSLATED] = "translated",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(text, names[i])) {
            t->type = i;
            return true;
        }
    }
    return false;
}

/* What an asker wants to know. */
typedef struct Explanation {
    Smmu3Transaction t;
    char *name;             /* the property to answer in; NULL: "explain" */
} Explanation;

static void free_explanation(Explanation *e)
{
    g_free(e->name);
    g_free(e);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Explanation, free_explanation)

static bool parse_name(const char *text, Explanation *e)
{
    if (!*text || strlen(text) > 32 ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_")]) {
        return false;
    }
    g_free(e->name);
    e->name = g_strdup(text);
    return true;
}

static bool parse_explain_item(const char *item, Explanation *e)
{
    Smmu3Transaction *t = &e->t;
    const char *value = strchr(item, '=');
    size_t key_length = value ? value - item : 0;
    uint64_t number;

    if (!value++) {
        return false;
    }
    if (key_length == 3 && !memcmp(item, "sid", 3)) {
        return parse_sid(value, &t->sid);
    }
    if (key_length == 4 && !memcmp(item, "ssid", 4)) {
        t->ssv = true;
        if (qemu_strtou64(value, NULL, 0, &number) || number > 0xfffff) {
            return false;
        }
        t->ssid = number;
        return true;
    }
    if (key_length == 4 && !memcmp(item, "addr", 4)) {
        return !qemu_strtou64(value, NULL, 0, &t->addr);
    }
    if (key_length == 6 && !memcmp(item, "access", 6)) {
        return parse_access(value, t);
    }
    if (key_length == 4 && !memcmp(item, "type", 4)) {
        return parse_type(value, t);
    }
    if (key_length == 2 && !memcmp(item, "as", 2)) {
        return parse_name(value, e);
    }
    return false;
}

static Explanation *parse_explain(const char *request, Error **errp)
{
    g_autoptr(Explanation) e = g_new0(Explanation, 1);
    g_auto(GStrv) items = g_strsplit(request, ",", -1);

    e->t = (Smmu3Transaction) { .access = SMMU3_READ, .may_stall = true };
    for (char **item = items; *item; item++) {
        if (!parse_explain_item(*item, e)) {
            error_setg(errp, "cannot explain '%s'", *item);
            error_append_hint(errp, "Set it to: sid=NUMBER or BUS:SLOT.FN, and "
                              "ssid=NUMBER, addr=NUMBER, access=[r][w][x][p], "
                              "type=untranslated|ats|translated, as=NAME, with "
                              "commas between them.\n");
            return NULL;
        }
    }
    return g_steal_pointer(&e);
}

static void append_line(strList ***tail, const char *line)
{
    strList *item = g_new0(strList, 1);

    item->value = g_strdup(line);
    **tail = item;
    *tail = &item->next;
}

/* A list of lines, so that the monitor shows each on its own. */
static void visit_explanation(Smmuv3SvaState *s, const Explanation *e,
                              Visitor *v, const char *name, Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    strList *list = NULL, **tail = &list;

    if (!s->core || !e) {
        append_line(&tail, "set this property to sid=...,addr=... first");
    } else {
        smmu3_explain(s->core, &e->t, text);
        lines = g_strsplit(text->str, "\n", -1);
        for (char **line = lines; *line; line++) {
            if (**line) {
                append_line(&tail, *line);
            }
        }
    }
    visit_type_strList(v, name, &list, errp);
    qapi_free_strList(list);
}

static void get_explain(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    visit_explanation(s, s->explanation, v, name, errp);
}

/* The answer to a question with a name, in a property of its own. */
static void get_named_explain(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    visit_explanation(SMMUV3_SVA(obj), opaque, v, name, errp);
}

static void release_named_explain(Object *obj, const char *name, void *opaque)
{
    SMMUV3_SVA(obj)->named_explanations--;
    free_explanation(opaque);
}

enum { NAMED_EXPLANATIONS_MAX = 64 };

static bool add_named_explain(Smmuv3SvaState *s, Explanation *e, Error **errp)
{
    g_autofree char *name = g_strconcat("explain-", e->name, NULL);

    if (object_property_find(OBJECT(s), name)) {
        object_property_del(OBJECT(s), name);
    } else if (s->named_explanations >= NAMED_EXPLANATIONS_MAX) {
        error_setg(errp, "'as=%s' is one name too many", e->name);
        error_append_hint(errp, "There are %d; use one of them again.\n",
                          NAMED_EXPLANATIONS_MAX);
        return false;
    }
    s->named_explanations++;
    object_property_add(OBJECT(s), name, "strList", get_named_explain, NULL,
                        release_named_explain, e);
    return true;
}

static void set_explain(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    g_autofree char *request = NULL;
    g_autoptr(Explanation) e = NULL;

    if (!visit_type_str(v, name, &request, errp)) {
        return;
    }
    e = parse_explain(request, errp);
    if (!e) {
        return;
    }
    if (!e->name) {
        g_clear_pointer(&s->explanation, free_explanation);
        s->explanation = g_steal_pointer(&e);
    } else if (add_named_explain(s, e, errp)) {
        g_steal_pointer(&e);
    }
}

void smmuv3_sva_monitor_finalize(Smmuv3SvaState *s)
{
    g_clear_pointer(&s->explanation, free_explanation);
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
    object_class_property_add(oc, "explain", "str", get_explain, set_explain,
                              NULL, NULL);
    object_class_property_set_description(oc, "explain",
        "qom-set sid=...,ssid=...,addr=...,access=rwxp, then qom-get: how "
        "that access would be translated, step by step; with as=NAME the "
        "answer is in explain-NAME, which nobody else sets");
}
