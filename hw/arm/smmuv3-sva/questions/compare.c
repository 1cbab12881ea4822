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
#include "../core/shadow.h"
#include "pieces.h"
#include "question.h"
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

/* ---- Fields of a CD, and their like in a vCPU -------------------------- */

typedef enum { TCR, SCTLR, MAIR, TTBR0, TTBR1, TTBR_A1, PSTATE, NOWHERE } Place;

static const struct Like {
    const char *field;          /* of the CD */
    Place place;
    const char *name;           /* of the register's field */
    unsigned lsb, width;
    bool is_reason;             /* it can make translations differ */
} likes[] = {
    { "T0SZ", TCR, "T0SZ", 0, 6, true },
    { "TG0", TCR, "TG0", 14, 2, true },
    { "EPD0", TCR, "EPD0", 7, 1, true },
    { "TBI0", TCR, "TBI0", 37, 1, true },
    { "HAD0", TCR, "HPD0", 41, 1, true },
    { "E0PD0", TCR, "E0PD0", 55, 1, true },
    { "TTB0", TTBR0, "BADDR", 0, 0, true },
    { "T1SZ", TCR, "T1SZ", 16, 6, true },
    { "TG1", TCR, "TG1", 30, 2, true },
    { "EPD1", TCR, "EPD1", 23, 1, true },
    { "TBI1", TCR, "TBI1", 38, 1, true },
    { "HAD1", TCR, "HPD1", 42, 1, true },
    { "E0PD1", TCR, "E0PD1", 56, 1, true },
    { "TTB1", TTBR1, "BADDR", 0, 0, true },
    { "IPS", TCR, "IPS", 32, 3, true },
    { "DS", TCR, "DS", 59, 1, true },
    { "HA", TCR, "HA", 39, 1, true },
    { "HD", TCR, "HD", 40, 1, true },
    { "AFFD", NOWHERE, NULL, 0, 0, true },
    { "ENDI", SCTLR, "EE", 25, 1, true },
    { "WXN", SCTLR, "WXN", 19, 1, true },
    { "PAN", PSTATE, "PAN", 0, 0, false },
    { "MAIR", MAIR, NULL, 0, 64, true },
    { "ASID", TTBR_A1, "ASID", 48, 16, false },
};

/* A TTB as a CD has it: bits 51:48 are elsewhere in a TTBR (DDI 0487 D8.2). */
static uint64_t table_of(const Smmuv3SvaCpu *cpu, unsigned half)
{
    uint64_t ttbr = cpu->ttbr[half], tcr = cpu->tcr;
    bool wide = smmu3_get(&tcr, CD_IPS) == 6 &&
                (extract64(tcr, 59, 1) ||
                 extract64(tcr, half ? 30 : 14, 2) ==
                 (half ? CD_TG1_64K : CD_TG0_64K));

    return wide ? (extract64(ttbr, 6, 42) << 6) | extract64(ttbr, 2, 4) << 48
                : extract64(ttbr, 4, 44) << 4;
}

/* TCR.A1: whose ASID is in use. */
static unsigned half_of_asid(const Smmuv3SvaCpu *cpu)
{
    return extract64(cpu->tcr, 22, 1);
}

static uint64_t value_in_cpu(const Smmuv3SvaCpu *cpu, const struct Like *like)
{
    switch (like->place) {
    case TCR:
        return extract64(cpu->tcr, like->lsb, like->width);
    case SCTLR:
        return extract64(cpu->sctlr, like->lsb, like->width);
    case MAIR:
        return cpu->mair;
    case TTBR0:
        return table_of(cpu, 0);
    case TTBR1:
        return table_of(cpu, 1);
    case TTBR_A1:
        return extract64(cpu->ttbr[half_of_asid(cpu)], like->lsb, like->width);
    case PSTATE:
        return cpu->pan;
    default:
        return 0;
    }
}

static char *name_in_cpu(const Smmuv3SvaCpu *cpu, const struct Like *like)
{
    static const char *const registers[] = {
        "TCR", "SCTLR", "MAIR", "TTBR0", "TTBR1",
    };
    Place place = like->place != TTBR_A1 ? like->place :
                  half_of_asid(cpu) ? TTBR1 : TTBR0;

    if (place == NOWHERE) {
        return g_strdup("none");
    }
    if (place == PSTATE) {
        return g_strdup("PSTATE.PAN");
    }
    return g_strdup_printf("%s_EL%u%s%s", registers[place], cpu->el,
                           like->name ? "." : "", like->name ?: "");
}

/* ---- Reasons ----------------------------------------------------------- */

/* A field that differs, and the SMMU as it would be with the vCPU's value. */
typedef struct Suspect {
    Smmu3Change change;
    char *words;
    Smmu3Shadow *shadow;        /* NULL: there is no such SMMU */
    Smmu3View *view;
} Suspect;

typedef struct Inquiry {
    Smmuv3SvaCompare *c;
    Smmuv3SvaState *s;
    Smmu3Transaction t;
    Smmu3View *view;
    Smmuv3SvaCpu *cpu;
    bool ttbr0_of_cd;
    uint8_t rights;             /* that are compared */
    GArray *suspects;           /* of Suspect: fields, then several together */
    guint fields;               /* how many are the former */
    QDict *answer;
} Inquiry;

enum { MAX_FIELDS = 32, MAX_TOGETHER = 8 };

enum { CARE = SMMU3_DIFFERS_MAPPED | SMMU3_DIFFERS_OUTPUT |
              SMMU3_DIFFERS_SIZE | SMMU3_DIFFERS_RIGHTS |
              SMMU3_DIFFERS_MEMORY };

/*
 * A clean page that the device may make dirty is one that cannot be written yet,
 * as the vCPU's walker has it too.
 */
static void look_up_device(void *view, uint64_t in, Smmu3Piece *piece)
{
    smmu3_view_look_up(view, in, piece);
    if (piece->clean) {
        piece->rights &= ~SMMU3_ANY_W;
    }
}

/* The SMMU with those of the changes that are @used; the words for them. */
static Suspect suspect_all_of(Inquiry *q, const bool *used)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Smmu3Change));
    g_autoptr(GString) words = g_string_new(NULL);
    g_autofree char *why = NULL;
    Suspect all = { 0 };

    for (guint i = 0; i < q->fields; i++) {
        Suspect *one = &g_array_index(q->suspects, Suspect, i);

        if (used[i]) {
            g_array_append_val(changes, one->change);
            g_string_append_printf(words, "%s%s", words->len ? "; and " : "",
                                   one->words);
        }
    }
    all.words = g_strdup(words->str);
    all.shadow = smmu3_shadow_new(q->s->core, q->view,
                                  (Smmu3Change *)changes->data, changes->len,
                                  &why);
    if (all.shadow) {
        all.view = smmu3_view_new(smmu3_shadow_smmu(all.shadow), q->t.sid,
                                  q->t.ssv, q->t.ssid);
    }
    return all;
}

/* One field more that differs; takes @words. */
static void add_suspect(Inquiry *q, Smmu3Change change, char *words)
{
    Suspect one = { .change = change, .words = words }, alone;
    bool used[MAX_FIELDS] = { };

    if (q->fields == MAX_FIELDS) {
        g_free(words);
        return;
    }
    used[q->fields] = true;
    g_array_append_val(q->suspects, one);
    q->fields++;
    alone = suspect_all_of(q, used);
    g_free(alone.words);
    alone.change = change;
    alone.words = words;
    g_array_index(q->suspects, Suspect, q->fields - 1) = alone;
}

static void clear_suspect(gpointer data)
{
    Suspect *suspect = data;

    g_free(suspect->words);
    if (suspect->shadow) {
        smmu3_view_free(suspect->view);
        smmu3_shadow_free(suspect->shadow);
    }
}

/* Whether the device would see what the vCPU sees, where @d is. */
static bool explains(Inquiry *q, const Suspect *suspect,
                     const Smmu3Difference *d)
{
    Smmu3Piece then;

    if (!suspect->shadow) {
        return false;
    }
    look_up_device(suspect->view, d->a.in.first, &then);
    return !smmu3_pieces_differ(&then, &d->b, d->a.in.first, CARE, q->rights);
}

/*
 * Several differences may hide one another: as few of them as explain @d, left
 * among the suspects for the next. False: not even all do.
 */
static bool suspect_together(Inquiry *q, const Smmu3Difference *d)
{
    bool used[MAX_FIELDS];
    Suspect all;

    memset(used, true, sizeof(used));
    all = suspect_all_of(q, used);
    if (!explains(q, &all, d)) {
        clear_suspect(&all);
        return false;
    }
    for (guint i = 0; i < q->fields; i++) {
        Suspect fewer;

        used[i] = false;
        fewer = suspect_all_of(q, used);
        used[i] = !explains(q, &fewer, d);
        clear_suspect(used[i] ? &fewer : &all);
        all = used[i] ? all : fewer;
    }
    g_array_append_val(q->suspects, all);
    return true;
}

/* The first change, or the first few, with which there is no difference. */
static const char *reason(Inquiry *q, const Smmu3Difference *d)
{
    for (guint i = 0; i < q->suspects->len; i++) {
        Suspect *suspect = &g_array_index(q->suspects, Suspect, i);

        if (explains(q, suspect, d)) {
            return suspect->words;
        }
    }
    if (q->fields < 2 || q->suspects->len >= q->fields + MAX_TOGETHER ||
        !suspect_together(q, d)) {
        return "no register: other tables, or they changed meanwhile";
    }
    return g_array_index(q->suspects, Suspect, q->suspects->len - 1).words;
}

/* ---- The answer -------------------------------------------------------- */

static void add_register(Inquiry *q, QList *list, const struct Like *like)
{
    g_autofree char *field = g_strdup_printf("CD.%s", like->field);
    g_autofree char *name = name_in_cpu(q->cpu, like);
    uint64_t theirs = value_in_cpu(q->cpu, like), ours;
    QDict *dict = qdict_new();
    Smmu3Change change;

    smmu3_change_parse(field, theirs, &change);
    ours = smmu3_field_value(change.field, q->view->cd);
    qdict_put_str(dict, "field", field);
    smmuv3_sva_put_hex(dict, "value", ours);
    qdict_put_str(dict, "register", name);
    smmuv3_sva_put_hex(dict, "vcpu", theirs);
    qdict_put_bool(dict, "differs", ours != theirs);
    qlist_append(list, dict);
    if (ours != theirs && like->is_reason &&
        !(q->ttbr0_of_cd && !strcmp(like->field, "TTB0"))) {
        add_suspect(q, change,
                    g_strdup_printf("%s is 0x%" PRIx64 ", %s 0x%" PRIx64,
                                    field, ours, name, theirs));
    }
}

/* The physical address size is not a CD's. */
static void add_oas(Inquiry *q)
{
    unsigned oas_bits = smmu3_oas_bits(smmu3_features(q->s->core));
    Smmu3Change change;

    for (unsigned code = 0; code <= 6; code++) {
        if (smmu3_address_bits(code) == q->cpu->pa_bits &&
            q->cpu->pa_bits != oas_bits &&
            smmu3_change_parse("ID.OAS", code, &change)) {
            add_suspect(q, change,
                        g_strdup_printf("the SMMU has addresses of %u bits, "
                                        "the vCPU of %u", oas_bits,
                                        q->cpu->pa_bits));
        }
    }
}

static QList *registers_of(Inquiry *q)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < ARRAY_SIZE(likes); i++) {
        add_register(q, list, &likes[i]);
    }
    add_oas(q);
    return list;
}

static QList *differences_of(Inquiry *q, const Smmu3Survey *survey)
{
    QList *list = qlist_new();

    for (guint i = 0; i < survey->ranges->len; i++) {
        const Smmu3Difference *d = &g_array_index(survey->ranges,
                                                  Smmu3Difference, i);
        QDict *dict = smmuv3_sva_difference(d, "device", "vcpu");

        qdict_put_str(dict, "because", reason(q, d));
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
        smmu3_survey_compare(survey, (Smmu3Space) { look_up_device, q->view },
                             (Smmu3Space) { smmuv3_sva_cpu_look_up, q->cpu },
                             span, CARE, q->rights);
    }
}

static void compare_with(Smmuv3SvaCpu *cpu, void *opaque)
{
    Inquiry *q = opaque;
    Smmu3Survey survey = smmuv3_sva_survey(&q->c->bounds,
                                           sizeof(Smmu3Difference));
    uint64_t cd_ttb0 = smmu3_get_addr(q->view->cd, CD_TTB0);

    q->cpu = cpu;
    q->suspects = g_array_new(FALSE, FALSE, sizeof(Suspect));
    g_array_set_clear_func(q->suspects, clear_suspect);
    if (q->ttbr0_of_cd) {
        smmuv3_sva_cpu_set_ttbr0(cpu, (cd_ttb0 & smmu3_mask(48)) |
                                      extract64(cd_ttb0, 48, 4) << 2);
    }
    compare_half(q, &survey, false);
    compare_half(q, &survey, true);
    qdict_put_int(q->answer, "vcpu", cpu->index);
    qdict_put_int(q->answer, "el", cpu->el);
    qdict_put_str(q->answer, "ttbr0", q->ttbr0_of_cd ? "cd" : "vcpu");
    qdict_put_bool(q->answer, "current", table_of(cpu, 0) == cd_ttb0);
    qdict_put(q->answer, "registers", registers_of(q));
    qdict_put(q->answer, "ranges", differences_of(q, &survey));
    qdict_put_bool(q->answer, "identical", !survey.ranges->len &&
                                           !survey.truncated);
    smmuv3_sva_put_survey(q->answer, &survey);
    smmuv3_sva_put_hex(q->answer, "rights-not-compared-bytes",
                       survey.unknown_bytes);
    g_array_unref(survey.ranges);
    g_array_unref(q->suspects);
}

/* ---- Which vCPU, with which TTBR0 -------------------------------------- */

typedef struct Search {
    uint64_t ttb0;
    bool found;
} Search;

static void look_at_ttbr0(Smmuv3SvaCpu *cpu, void *opaque)
{
    Search *search = opaque;

    search->found = table_of(cpu, 0) == search->ttb0;
}

/* One that runs the process now, or -1. */
static int find_vcpu(const Smmu3View *view)
{
    Search search = { .ttb0 = smmu3_get_addr(view->cd, CD_TTB0) };

    for (unsigned i = 0; i < smmuv3_sva_cpu_count(); i++) {
        if (smmuv3_sva_on_cpu(i, look_at_ttbr0, &search, NULL) &&
            search.found) {
            return i;
        }
    }
    return -1;
}

/* Between finding a vCPU and comparing with it, it may go on to another. */
static unsigned choose_vcpu(Inquiry *q)
{
    int found = q->c->vcpu == ANY_VCPU ? find_vcpu(q->view) : -1;

    q->ttbr0_of_cd = q->c->ttbr0 ? !strcmp(q->c->ttbr0, "cd")
                                 : q->c->vcpu == ANY_VCPU;
    return q->c->vcpu != ANY_VCPU ? q->c->vcpu : MAX(found, 0);
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
        error_setg(errp, "smmuv3-sva-compare: ttbr0=%s", c->ttbr0);
        error_append_hint(errp, "It is vcpu (as it is now) or cd (as if the "
                          "process were running).\n");
        return false;
    }
    if (c->vcpu < ANY_VCPU || c->vcpu >= (int)smmuv3_sva_cpu_count()) {
        error_setg(errp, "smmuv3-sva-compare: there is no vcpu=%d", c->vcpu);
        error_append_hint(errp, "There are %u, from 0 on; without it, one "
                          "that runs the process is looked for.\n",
                          smmuv3_sva_cpu_count());
        return false;
    }
    return true;
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
