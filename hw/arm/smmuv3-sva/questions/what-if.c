/*
 * The question what would be translated otherwise if some fields of the stream's
 * STE or CD, or of the ID registers, had other values. Not how that is found
 * out: core/shadow.h. Created with device_add, see question.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "../core/shadow.h"
#include "pieces.h"
#include "question.h"

#define TYPE_SMMUV3_SVA_WHAT_IF "smmuv3-sva-what-if"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaWhatIf, SMMUV3_SVA_WHAT_IF)

enum { MAX_CHANGES = 16 };

struct Smmuv3SvaWhatIf {
    Smmuv3SvaQuestion parent_obj;

    char *changes_text;         /* properties */
    Smmuv3SvaBounds bounds;
    Smmu3Change changes[MAX_CHANGES];   /* from realize on */
    unsigned change_count;
};

/* ---- What is to be changed --------------------------------------------- */

/* By Smmu3FieldPlace. */
static const char *const places[] = { "CD", "STE", "ID" };

/* For the text of an error, as monitors leave hints out. */
static char *list_fields(void)
{
    GString *names = g_string_new("fields are ");

    for (const Smmu3Field *f = smmu3_shadow_fields; f->name; f++) {
        g_string_append_printf(names, "%s.%s, ", places[f->place], f->name);
    }
    g_string_append(names, "and ID.NAME with NAME one of smmuv3-sva's ID "
                    "fields, such as ID.OAS (-device smmuv3-sva,help); changes "
                    "is FIELD=VALUE, several with + between them; values are "
                    "those of the field's bits, those of TTBs are addresses");
    return g_string_free(names, FALSE);
}

static bool parse_change(const char *text, Smmu3Change *change)
{
    g_auto(GStrv) sides = g_strsplit(text, "=", 2);
    uint64_t value;

    return sides[0] && sides[1] && !qemu_strtou64(sides[1], NULL, 0, &value) &&
           smmu3_change_parse(sides[0], value, change);
}

static bool what_if_check(Smmuv3SvaQuestion *q, Error **errp)
{
    Smmuv3SvaWhatIf *w = SMMUV3_SVA_WHAT_IF(q);
    g_auto(GStrv) items = g_strsplit(w->changes_text ?: "", "+", -1);
    unsigned count = g_strv_length(items);

    if (!count || count > MAX_CHANGES) {
        g_autofree char *fields = list_fields();

        error_setg(errp, "smmuv3-sva-what-if: %u changes, and there are 1 to "
                   "%d: %s", count, MAX_CHANGES, fields);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!parse_change(items[i], &w->changes[i])) {
            g_autofree char *fields = list_fields();

            error_setg(errp, "smmuv3-sva-what-if: '%s' is no FIELD=VALUE, or "
                       "no value of that field: %s", items[i], fields);
            return false;
        }
    }
    w->change_count = count;
    return smmuv3_sva_check_bounds(&w->bounds, TYPE_SMMUV3_SVA_WHAT_IF, errp);
}

/* ---- The answer -------------------------------------------------------- */

static uint64_t value_now(Smmuv3SvaState *s, const Smmu3View *view,
                          const Smmu3Change *c)
{
    Smmu3Features features = *smmu3_features(s->core);

    switch (c->place) {
    case SMMU3_FIELD_ID:
        return *smmu3_feature(&features, c->id);
    case SMMU3_FIELD_CD:
        return smmu3_field_value(c->field, view->cd);
    default:
        return smmu3_field_value(c->field, view->ste);
    }
}

/* "CD.T0SZ: 0x10, then 0x19" */
static QList *changes_of(Smmuv3SvaWhatIf *w, Smmuv3SvaState *s,
                         const Smmu3View *view)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < w->change_count; i++) {
        const Smmu3Change *c = &w->changes[i];
        g_autofree char *text = g_strdup_printf(
            "%s.%s: 0x%" PRIx64 ", then 0x%" PRIx64, places[c->place],
            c->field ? c->field->name : c->id->name, value_now(s, view, c),
            c->value);

        qlist_append_str(list, text);
    }
    return list;
}

/* "CD.ASID: what is cached is not looked at" */
static QList *not_shown_of(Smmuv3SvaWhatIf *w)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < w->change_count; i++) {
        const Smmu3Change *c = &w->changes[i];
        const char *why = smmu3_field_unseen(c->field);

        if (why) {
            g_autofree char *text = g_strdup_printf("%s.%s: %s",
                                                    places[c->place],
                                                    c->field->name, why);

            qlist_append_str(list, text);
        }
    }
    return list;
}

static QList *differences_of(const Smmu3Survey *survey)
{
    QList *list = qlist_new();

    for (guint i = 0; i < survey->ranges->len; i++) {
        qlist_append(list, smmuv3_sva_difference(
            &g_array_index(survey->ranges, Smmu3Difference, i), "now",
            "then"));
    }
    return list;
}

/* Compare what is, by @view, with what would be, by @shadow. */
static QObject *compare(Smmuv3SvaWhatIf *w, Smmuv3SvaState *s, Smmu3View *view,
                        Smmu3Shadow *shadow)
{
    Smmu3Transaction t = smmuv3_sva_question_access(SMMUV3_SVA_QUESTION(w));
    Smmu3View *then = smmu3_view_new(smmu3_shadow_smmu(shadow), t.sid, t.ssv,
                                     t.ssid);
    Smmu3Survey survey = smmuv3_sva_survey(&w->bounds,
                                           sizeof(Smmu3Difference));
    Smmu3Span all = { w->bounds.from, w->bounds.to };
    QDict *answer = qdict_new();

    smmu3_survey_compare(&survey, (Smmu3Space) { smmu3_view_look_up, view },
                         (Smmu3Space) { smmu3_view_look_up, then }, all,
                         UINT_MAX, UINT8_MAX);
    qdict_put(answer, "changes", changes_of(w, s, view));
    qdict_put(answer, "not-shown", not_shown_of(w));
    qdict_put_bool(answer, "identical", !survey.ranges->len &&
                                        !survey.truncated &&
                                        view->refused == then->refused);
    if (view->refused) {
        qdict_put_str(answer, "refused-now",
                      smmu3_event_name(view->why) ?: "abort");
    }
    if (then->refused) {
        qdict_put_str(answer, "refused-then",
                      smmu3_event_name(then->why) ?: "abort");
    }
    smmuv3_sva_put_survey(answer, &survey);
    qdict_put(answer, "ranges", differences_of(&survey));
    g_array_unref(survey.ranges);
    smmu3_view_free(then);
    return QOBJECT(answer);
}

static QObject *what_if_answer(Smmuv3SvaQuestion *q, Smmuv3SvaState *s,
                               Error **errp)
{
    Smmuv3SvaWhatIf *w = SMMUV3_SVA_WHAT_IF(q);
    Smmu3Transaction t = smmuv3_sva_question_access(q);
    Smmu3View *view = smmu3_view_new(s->core, t.sid, t.ssv, t.ssid);
    g_autofree char *why = NULL;
    Smmu3Shadow *shadow = smmu3_shadow_new(s->core, view, w->changes,
                                           w->change_count, &why);
    QObject *answer = NULL;

    if (shadow) {
        answer = compare(w, s, view, shadow);
        smmu3_shadow_free(shadow);
    } else {
        error_setg(errp, "smmuv3-sva-what-if: no SMMU can be so: %s", why);
    }
    smmu3_view_free(view);
    return answer;
}

static const Property what_if_properties[] = {
    DEFINE_PROP_STRING("changes", Smmuv3SvaWhatIf, changes_text),
    SMMUV3_SVA_BOUNDS_PROPERTIES(Smmuv3SvaWhatIf, bounds),
};

static void what_if_class_init(ObjectClass *oc, SvaClassData *data)
{
    Smmuv3SvaQuestionClass *qc = SMMUV3_SVA_QUESTION_CLASS(oc);

    DEVICE_CLASS(oc)->desc = "What the SMMU would translate otherwise";
    qc->check = what_if_check;
    qc->answer = what_if_answer;
    device_class_set_props(DEVICE_CLASS(oc), what_if_properties);
    object_class_property_set_description(oc, "changes",
        "What would be: CD.T0SZ=25, or several with + between them; fields of "
        "CD., STE. and ID.");
    smmuv3_sva_describe_bounds(oc);
}

static const TypeInfo what_if_types[] = {
    {
        .name = TYPE_SMMUV3_SVA_WHAT_IF,
        .parent = TYPE_SMMUV3_SVA_QUESTION,
        .instance_size = sizeof(Smmuv3SvaWhatIf),
        .class_init = what_if_class_init,
    },
};

DEFINE_TYPES(what_if_types)
