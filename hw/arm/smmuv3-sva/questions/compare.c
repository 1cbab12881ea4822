/*
 * The question where a process and its device see different memory: a vCPU's
 * tables, walked by QEMU's own walker, against those of a stream and a PASID,
 * walked by ours. Created with device_add, see question.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "pieces.h"
#include "question.h"
#include "reasons.h"
#include "vcpu.h"

#define TYPE_SMMUV3_SVA_COMPARE "smmuv3-sva-compare"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaCompare, SMMUV3_SVA_COMPARE)

/* The vCPU is to be found, by its TTBR0. */
#define ANY_VCPU (-1)

struct Smmuv3SvaCompare {
    Smmuv3SvaQuestion parent_obj;

    int32_t vcpu;               /* properties */
    char *ttbr0;                /* "vcpu", "cd"; NULL: what fits */
    bool privileged;
    bool both_halves;
    Smmuv3SvaBounds bounds;
};

typedef struct Inquiry {
    Smmuv3SvaCompare *c;
    Smmuv3SvaState *s;
    Smmu3Transaction t;
    Smmu3View *view;
    Smmuv3SvaCpu *cpu;
    bool ttbr0_of_cd;
    uint8_t rights;             /* that are compared */
    QDict *answer;
} Inquiry;

/* ---- The answer -------------------------------------------------------- */

static QList *differences_of(Smmuv3SvaReasons *reasons,
                             const Smmu3Survey *survey)
{
    QList *list = qlist_new();

    for (guint i = 0; i < survey->ranges->len; i++) {
        const Smmu3Difference *d = &g_array_index(survey->ranges,
                                                  Smmu3Difference, i);
        QDict *dict = smmuv3_sva_difference(d, "device", "vcpu");

        qdict_put_str(dict, "because", smmuv3_sva_reason(reasons, d));
        qlist_append(list, dict);
    }
    return list;
}

static void compare_half(Inquiry *q, Smmu3Survey *survey, bool high)
{
    bool off = high ? smmu3_get(q->view->cd, CD_EPD1)
                    : smmu3_get(q->view->cd, CD_EPD0);
    Smmu3Span span = smmu3_span_around(high ? UINT64_MAX : 0, 63);

    if (high && off && !q->c->both_halves) {
        qdict_put_str(q->answer, "not-compared",
                      "addresses of TTB1: CD.EPD1 is 1, and so the device "
                      "translates none (both-halves=on compares them)");
        return;
    }
    if (smmuv3_sva_bound(&q->c->bounds, &span)) {
        smmu3_survey_compare(survey, (Smmu3Space) { smmuv3_sva_look_up_device,
                                            q->view },
                             (Smmu3Space) { smmuv3_sva_cpu_look_up, q->cpu },
                             span, SMMUV3_SVA_CARE, q->rights);
    }
}

static void compare_with(Smmuv3SvaCpu *cpu, void *opaque)
{
    Inquiry *q = opaque;
    Smmu3Survey survey = smmuv3_sva_survey(&q->c->bounds,
                                           sizeof(Smmu3Difference));
    uint64_t cd_ttb0 = smmu3_get_addr(q->view->cd, CD_TTB0);
    QList *registers = qlist_new();
    Smmuv3SvaReasons *reasons;

    q->cpu = cpu;
    if (q->ttbr0_of_cd) {
        smmuv3_sva_cpu_set_ttbr0(cpu, (cd_ttb0 & smmu3_mask(48)) |
                                      extract64(cd_ttb0, 48, 4) << 2);
    }
    compare_half(q, &survey, false);
    compare_half(q, &survey, true);
    qdict_put_int(q->answer, "vcpu", cpu->index);
    qdict_put_int(q->answer, "el", cpu->el);
    qdict_put_str(q->answer, "ttbr0", q->ttbr0_of_cd ? "cd" : "vcpu");
    qdict_put_bool(q->answer, "current",
                   smmuv3_sva_cpu_table(cpu, 0) == cd_ttb0);
    reasons = smmuv3_sva_reasons_new(q->s, q->t, q->view, cpu, q->ttbr0_of_cd,
                                     q->rights, survey.max_steps, registers);
    qdict_put(q->answer, "registers", registers);
    qdict_put(q->answer, "ranges", differences_of(reasons, &survey));
    survey.steps += smmuv3_sva_reasons_free(reasons);
    qdict_put_bool(q->answer, "identical", !survey.ranges->len &&
                                           !survey.truncated);
    smmuv3_sva_put_survey(q->answer, &survey);
    smmuv3_sva_put_hex(q->answer, "rights-not-compared-bytes",
                       survey.unknown_bytes);
    g_array_unref(survey.ranges);
}

/* ---- Which vCPU, with which TTBR0 -------------------------------------- */

typedef struct Search {
    uint64_t ttb0;
    bool found;
} Search;

static void look_at_ttbr0(Smmuv3SvaCpu *cpu, void *opaque)
{
    Search *search = opaque;

    search->found = smmuv3_sva_cpu_table(cpu, 0) == search->ttb0;
}

/*
 * One that runs the process now; or the first whose tables can be looked at,
 * which has what the kernel gives them all; or 0, of which it is told why not.
 */
static unsigned find_vcpu(const Smmu3View *view)
{
    Search search = { .ttb0 = smmu3_get_addr(view->cd, CD_TTB0) };
    int other = -1;

    for (unsigned i = 0; i < smmuv3_sva_cpu_count(); i++) {
        if (!smmuv3_sva_on_cpu(i, look_at_ttbr0, &search, NULL)) {
            continue;
        }
        if (search.found) {
            return i;
        }
        other = other < 0 ? i : other;
    }
    return MAX(other, 0);
}

/* Between finding a vCPU and comparing with it, it may go on to another. */
static unsigned choose_vcpu(Inquiry *q)
{
    q->ttbr0_of_cd = q->c->ttbr0 ? !strcmp(q->c->ttbr0, "cd")
                                 : q->c->vcpu == ANY_VCPU;
    return q->c->vcpu == ANY_VCPU ? find_vcpu(q->view) : q->c->vcpu;
}

static QObject *compare_answer(Smmuv3SvaQuestion *question,
                               Smmuv3SvaState *s, Error **errp)
{
    Smmuv3SvaCompare *c = SMMUV3_SVA_COMPARE(question);
    Inquiry q = {
        .c = c, .s = s, .t = smmuv3_sva_question_access(question),
        .rights = c->privileged ? UINT8_MAX :
                  SMMU3_UNPRIV_R | SMMU3_UNPRIV_W | SMMU3_UNPRIV_X,
        .answer = qdict_new(),
    };
    bool ok = true;

    q.view = smmu3_view_new(s->core, q.t.sid, q.t.ssv, q.t.ssid);
    smmuv3_sva_put_view(q.answer, q.view);
    if (!q.view->has_cd) {
        error_setg(errp, "smmuv3-sva-compare: no CD is there to compare with, "
                   "but %s", q.view->refused ?
                   smmu3_event_name(q.view->why) ?: "an abort" : "a bypass");
        ok = false;
    } else {
        ok = smmuv3_sva_on_cpu(choose_vcpu(&q), compare_with, &q, errp);
    }
    smmu3_view_free(q.view);
    if (!ok) {
        qobject_unref(q.answer);
        return NULL;
    }
    return QOBJECT(q.answer);
}

/* ---- Type -------------------------------------------------------------- */

static bool compare_check(Smmuv3SvaQuestion *q, Error **errp)
{
    Smmuv3SvaCompare *c = SMMUV3_SVA_COMPARE(q);

    if (c->ttbr0 && strcmp(c->ttbr0, "vcpu") && strcmp(c->ttbr0, "cd")) {
        error_setg(errp, "smmuv3-sva-compare: ttbr0=%s: it is vcpu (as it is "
                   "now) or cd (as if the process were running)", c->ttbr0);
        return false;
    }
    if (c->vcpu < ANY_VCPU || c->vcpu >= (int)smmuv3_sva_cpu_count()) {
        error_setg(errp, "smmuv3-sva-compare: there is no vcpu=%d; there are "
                   "%u, from 0 on, and without it one that runs the process "
                   "is looked for", c->vcpu, smmuv3_sva_cpu_count());
        return false;
    }
    return smmuv3_sva_check_bounds(&c->bounds, TYPE_SMMUV3_SVA_COMPARE, errp);
}

static const Property compare_properties[] = {
    DEFINE_PROP_INT32("vcpu", Smmuv3SvaCompare, vcpu, ANY_VCPU),
    DEFINE_PROP_STRING("ttbr0", Smmuv3SvaCompare, ttbr0),
    DEFINE_PROP_BOOL("privileged", Smmuv3SvaCompare, privileged, false),
    DEFINE_PROP_BOOL("both-halves", Smmuv3SvaCompare, both_halves, false),
    SMMUV3_SVA_BOUNDS_PROPERTIES(Smmuv3SvaCompare, bounds),
};

static void compare_class_init(ObjectClass *oc, SvaClassData *data)
{
    Smmuv3SvaQuestionClass *qc = SMMUV3_SVA_QUESTION_CLASS(oc);

    DEVICE_CLASS(oc)->desc = "Where a process and its device see different "
                             "memory";
    qc->check = compare_check;
    qc->answer = compare_answer;
    device_class_set_props(DEVICE_CLASS(oc), compare_properties);
    object_class_property_set_description(oc, "vcpu",
        "Whose tables; without it, a vCPU's that runs the process, or if none "
        "does, those that it would have");
    object_class_property_set_description(oc, "ttbr0",
        "vcpu: TTBR0 as it is; cd: as if the process were running");
    object_class_property_set_description(oc, "privileged",
        "Compare the rights of privileged accesses, too");
    object_class_property_set_description(oc, "both-halves",
        "Compare addresses of TTB1 even if the CD has none");
    smmuv3_sva_describe_bounds(oc);
}

static const TypeInfo compare_types[] = {
    {
        .name = TYPE_SMMUV3_SVA_COMPARE,
        .parent = TYPE_SMMUV3_SVA_QUESTION,
        .instance_size = sizeof(Smmuv3SvaCompare),
        .class_init = compare_class_init,
    },
};

DEFINE_TYPES(compare_types)
