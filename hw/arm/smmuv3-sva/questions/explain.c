/*
 * The question how one access would be translated, step by step. Not the
 * account, which is the core's (smmu3_explain()). Created with device_add, see
 * question.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "qobject/qlist.h"
#include "question.h"

#define TYPE_SMMUV3_SVA_EXPLAIN "smmuv3-sva-explain"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaExplain, SMMUV3_SVA_EXPLAIN)

struct Smmuv3SvaExplain {
    Smmuv3SvaQuestion parent_obj;

    uint64_t address;           /* properties */
    char *access, *kind;
    Smmu3Transaction t;         /* from realize on: what is asked about */
};

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

static bool parse_kind(const char *text, Smmu3Transaction *t)
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

static bool explain_check(Smmuv3SvaQuestion *q, Error **errp)
{
    Smmuv3SvaExplain *e = SMMUV3_SVA_EXPLAIN(q);

    e->t = smmuv3_sva_question_access(q);
    e->t.addr = e->address;
    if (e->access && !parse_access(e->access, &e->t)) {
        error_setg(errp, "smmuv3-sva-explain: access=%s is none: it has r, w "
                   "or both, or x for an instruction fetch; and p if it is "
                   "privileged", e->access);
        return false;
    }
    if (e->kind && !parse_kind(e->kind, &e->t)) {
        error_setg(errp, "smmuv3-sva-explain: there is no kind=%s: it is "
                   "untranslated, ats or translated", e->kind);
        return false;
    }
    return true;
}

/* A list of lines, so that the monitor shows each on its own. */
static QObject *explain_answer(Smmuv3SvaQuestion *q, Smmuv3SvaState *s,
                               Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    QList *answer = qlist_new();

    smmu3_explain(s->core, &SMMUV3_SVA_EXPLAIN(q)->t, text);
    lines = g_strsplit(text->str, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (**line) {
            qlist_append_str(answer, *line);
        }
    }
    return QOBJECT(answer);
}

static const Property explain_properties[] = {
    DEFINE_PROP_UINT64("address", Smmuv3SvaExplain, address, 0),
    DEFINE_PROP_STRING("access", Smmuv3SvaExplain, access),
    DEFINE_PROP_STRING("kind", Smmuv3SvaExplain, kind),
};

static void explain_class_init(ObjectClass *oc, SvaClassData *data)
{
    Smmuv3SvaQuestionClass *qc = SMMUV3_SVA_QUESTION_CLASS(oc);

    DEVICE_CLASS(oc)->desc = "How the SMMU would translate one access";
    qc->check = explain_check;
    qc->answer = explain_answer;
    device_class_set_props(DEVICE_CLASS(oc), explain_properties);
    object_class_property_set_description(oc, "address", "What is accessed");
    object_class_property_set_description(oc, "access",
        "How: of r, w, x (fetched) and p (privileged); r unless given");
    object_class_property_set_description(oc, "kind",
        "untranslated (unless given), ats, translated");
}

static const TypeInfo explain_types[] = {
    {
        .name = TYPE_SMMUV3_SVA_EXPLAIN,
        .parent = TYPE_SMMUV3_SVA_QUESTION,
        .instance_size = sizeof(Smmuv3SvaExplain),
        .class_init = explain_class_init,
    },
};

DEFINE_TYPES(explain_types)
