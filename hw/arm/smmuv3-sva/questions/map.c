/*
 * The question what a stream and a context can reach: every range, with where
 * it leads and what is allowed there. Not the walks, which are the core's.
 * Created with device_add, see question.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "pieces.h"
#include "question.h"

#define TYPE_SMMUV3_SVA_MAP "smmuv3-sva-map"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaMap, SMMUV3_SVA_MAP)

struct Smmuv3SvaMap {
    Smmuv3SvaQuestion parent_obj;

    Smmuv3SvaBounds bounds;     /* properties */
};

static bool map_check(Smmuv3SvaQuestion *q, Error **errp)
{
    return smmuv3_sva_check_bounds(&SMMUV3_SVA_MAP(q)->bounds,
                                   TYPE_SMMUV3_SVA_MAP, errp);
}

static QList *ranges_of(const Smmu3Survey *survey)
{
    QList *list = qlist_new();

    for (guint i = 0; i < survey->ranges->len; i++) {
        qlist_append(list, smmuv3_sva_piece(
            &g_array_index(survey->ranges, Smmu3Piece, i), true));
    }
    return list;
}

static QObject *map_answer(Smmuv3SvaQuestion *q, Smmuv3SvaState *s,
                           Error **errp)
{
    const Smmuv3SvaBounds *bounds = &SMMUV3_SVA_MAP(q)->bounds;
    Smmu3Transaction t = smmuv3_sva_question_access(q);
    Smmu3View *view = smmu3_view_new(s->core, t.sid, t.ssv, t.ssid);
    Smmu3Survey survey = smmuv3_sva_survey(bounds, sizeof(Smmu3Piece));
    QDict *answer = qdict_new();

    for (unsigned i = 0; i < view->span_count; i++) {
        Smmu3Span span = view->spans[i];

        if (smmuv3_sva_bound(bounds, &span)) {
            smmu3_survey_map(&survey,
                             (Smmu3Space) { smmu3_view_look_up, view }, span);
        }
    }
    smmuv3_sva_put_view(answer, view);
    smmuv3_sva_put_survey(answer, &survey);
    qdict_put(answer, "ranges", ranges_of(&survey));
    g_array_unref(survey.ranges);
    smmu3_view_free(view);
    return QOBJECT(answer);
}

static const Property map_properties[] = {
    SMMUV3_SVA_BOUNDS_PROPERTIES(Smmuv3SvaMap, bounds),
};

static void map_class_init(ObjectClass *oc, SvaClassData *data)
{
    DEVICE_CLASS(oc)->desc = "What a stream and a PASID can reach";
    SMMUV3_SVA_QUESTION_CLASS(oc)->check = map_check;
    SMMUV3_SVA_QUESTION_CLASS(oc)->answer = map_answer;
    device_class_set_props(DEVICE_CLASS(oc), map_properties);
    smmuv3_sva_describe_bounds(oc);
}

static const TypeInfo map_types[] = {
    {
        .name = TYPE_SMMUV3_SVA_MAP,
        .parent = TYPE_SMMUV3_SVA_QUESTION,
        .instance_size = sizeof(Smmuv3SvaMap),
        .class_init = map_class_init,
    },
};

DEFINE_TYPES(map_types)
