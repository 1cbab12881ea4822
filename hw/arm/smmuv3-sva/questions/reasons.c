/*
 * See reasons.h. A field is suspected that differs from its like in the vCPU;
 * the SMMU that has the vCPU's value there instead shows whether it is guilty.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "../core/shadow.h"
#include "pieces.h"
#include "reasons.h"

/* ---- Fields of a CD, and their like in a vCPU -------------------------- */

typedef enum { TCR, SCTLR, MAIR, TTBR0, TTBR1, TTBR_A1, PSTATE, NOWHERE } Place;

static const struct Like {
    const char *field;          /* of the CD */
    Place place;
    const char *name;           /* of the register's field */
    unsigned word, lsb, width;
    bool is_reason;             /* it can make translations differ */
} likes[] = {
    { "T0SZ", TCR, "T0SZ", TCR_T0SZ_, true },
    { "TG0", TCR, "TG0", TCR_TG0_, true },
    { "EPD0", TCR, "EPD0", TCR_EPD0_, true },
    { "TBI0", TCR, "TBI0", TCR_TBI0_, true },
    { "HAD0", TCR, "HPD0", TCR_HPD0_, true },
    { "E0PD0", TCR, "E0PD0", TCR_E0PD0_, true },
    { "TTB0", TTBR0, "BADDR", 0, 0, 0, true },
    { "T1SZ", TCR, "T1SZ", TCR_T1SZ_, true },
    { "TG1", TCR, "TG1", TCR_TG1_, true },
    { "EPD1", TCR, "EPD1", TCR_EPD1_, true },
    { "TBI1", TCR, "TBI1", TCR_TBI1_, true },
    { "HAD1", TCR, "HPD1", TCR_HPD1_, true },
    { "E0PD1", TCR, "E0PD1", TCR_E0PD1_, true },
    { "TTB1", TTBR1, "BADDR", 0, 0, 0, true },
    { "IPS", TCR, "IPS", TCR_IPS_, true },
    { "DS", TCR, "DS", TCR_DS_, true },
    { "HA", TCR, "HA", TCR_HA_, true },
    { "HD", TCR, "HD", TCR_HD_, true },
    { "AFFD", NOWHERE, NULL, 0, 0, 0, true },
    { "ENDI", SCTLR, "EE", 0, 25, 1, true },
    { "WXN", SCTLR, "WXN", 0, 19, 1, true },
    { "PAN", PSTATE, "PAN", 0, 0, 0, false },
    { "MAIR", MAIR, NULL, 0, 0, 64, true },
    { "ASID", TTBR_A1, "ASID", 0, 48, 16, false },
};

/* TCR.A1: whose ASID is in use. */
static unsigned half_of_asid(const Smmuv3SvaCpu *cpu)
{
    return smmu3_get(&cpu->tcr, TCR_A1_);
}

static uint64_t value_in_cpu(const Smmuv3SvaCpu *cpu, const struct Like *like)
{
    switch (like->place) {
    case TCR:
        return smmu3_get(&cpu->tcr, like->word, like->lsb, like->width);
    case SCTLR:
        return smmu3_get(&cpu->sctlr, like->word, like->lsb, like->width);
    case MAIR:
        return cpu->mair;
    case TTBR0:
        return smmuv3_sva_cpu_table(cpu, 0);
    case TTBR1:
        return smmuv3_sva_cpu_table(cpu, 1);
    case TTBR_A1:
        return smmu3_get(&cpu->ttbr[half_of_asid(cpu)], like->word, like->lsb,
                         like->width);
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

/* ---- The device's side ------------------------------------------------- */

void smmuv3_sva_look_up_device(void *view, uint64_t in, Smmu3Piece *piece)
{
    smmu3_view_look_up(view, in, piece);
    if (piece->clean) {
        piece->rights &= ~SMMU3_ANY_W;
    }
}

/* ---- Reasons ----------------------------------------------------------- */

/* A field that differs, and the SMMU as it would be with the vCPU's value. */
typedef struct Suspect {
    Smmu3Change change;
    char *words;
    Smmu3Shadow *shadow;        /* NULL: there is no such SMMU */
    Smmu3View *view;
} Suspect;

struct Smmuv3SvaReasons {
    Smmuv3SvaState *s;
    Smmu3Transaction t;
    const Smmu3View *view;
    const Smmuv3SvaCpu *cpu;
    bool ttbr0_of_cd;
    uint8_t rights;             /* that are compared */
    GArray *suspects;           /* of Suspect: fields, then several together */
    guint fields;               /* how many are the former */
    bool has_all;
    Suspect all;                /* of them; once it was wanted */
    uint64_t steps, max_steps;  /* look-ups */
};

enum { MAX_FIELDS = 32, MAX_TOGETHER = 8 };

/* The SMMU with those of the changes that are @used; the words for them. */
static Suspect suspect_all_of(Smmuv3SvaReasons *r, const bool *used)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(Smmu3Change));
    g_autoptr(GString) words = g_string_new(NULL);
    g_autofree char *why = NULL;
    Suspect all = { 0 };

    for (guint i = 0; i < r->fields; i++) {
        Suspect *one = &g_array_index(r->suspects, Suspect, i);

        if (used[i]) {
            g_array_append_val(changes, one->change);
            g_string_append_printf(words, "%s%s", words->len ? "; and " : "",
                                   one->words);
        }
    }
    all.words = g_strdup(words->str);
    all.shadow = smmu3_shadow_new(r->s->core, r->view,
                                  (Smmu3Change *)changes->data, changes->len,
                                  &why);
    if (all.shadow) {
        all.view = smmu3_view_new(smmu3_shadow_smmu(all.shadow), r->t.sid,
                                  r->t.ssv, r->t.ssid);
    }
    return all;
}

/* One field more that differs; takes @words. */
static void add_suspect(Smmuv3SvaReasons *r, Smmu3Change change, char *words)
{
    Suspect one = { .change = change, .words = words }, alone;
    bool used[MAX_FIELDS] = { };

    if (r->fields == MAX_FIELDS) {
        g_free(words);
        return;
    }
    used[r->fields] = true;
    g_array_append_val(r->suspects, one);
    r->fields++;
    alone = suspect_all_of(r, used);
    g_free(alone.words);
    alone.change = change;
    alone.words = words;
    g_array_index(r->suspects, Suspect, r->fields - 1) = alone;
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
static bool explains(Smmuv3SvaReasons *r, const Suspect *suspect,
                     const Smmu3Difference *d)
{
    Smmu3Piece then;

    if (!suspect->shadow) {
        return false;
    }
    r->steps++;
    smmuv3_sva_look_up_device(suspect->view, d->a.in.first, &then);
    return !smmu3_pieces_differ(&then, &d->b, d->a.in.first, SMMUV3_SVA_CARE,
                                r->rights);
}

/* Whether all the changes together explain @d. */
static bool all_explain(Smmuv3SvaReasons *r, const Smmu3Difference *d)
{
    bool used[MAX_FIELDS];

    if (!r->has_all) {
        memset(used, true, sizeof(used));
        r->all = suspect_all_of(r, used);
        r->has_all = true;
    }
    return explains(r, &r->all, d);
}

/*
 * Several differences may hide one another: as few of them as explain @d, as
 * all do; left among the suspects for the next. Returns the words.
 */
static const char *suspect_together(Smmuv3SvaReasons *r,
                                    const Smmu3Difference *d)
{
    bool used[MAX_FIELDS];
    Suspect few;

    memset(used, true, sizeof(used));
    for (guint i = 0; i < r->fields; i++) {
        used[i] = false;
        few = suspect_all_of(r, used);
        used[i] = !explains(r, &few, d);
        clear_suspect(&few);
    }
    few = suspect_all_of(r, used);
    g_array_append_val(r->suspects, few);
    return few.words;
}

const char *smmuv3_sva_reason(Smmuv3SvaReasons *r, const Smmu3Difference *d)
{
    if (r->steps >= r->max_steps) {
        return "not looked for: it would take more than max-steps";
    }
    for (guint i = 0; i < r->suspects->len; i++) {
        Suspect *suspect = &g_array_index(r->suspects, Suspect, i);

        if (explains(r, suspect, d)) {
            return suspect->words;
        }
    }
    if (r->fields < 2 || !all_explain(r, d)) {
        return "no register: other tables, or they changed meanwhile";
    }
    if (r->suspects->len >= r->fields + MAX_TOGETHER) {
        return "several fields together; which, was not looked for after "
               "eight such groups";
    }
    return suspect_together(r, d);
}

/* ---- Which fields ------------------------------------------------------ */

static void add_register(Smmuv3SvaReasons *r, QList *list,
                         const struct Like *like)
{
    g_autofree char *field = g_strdup_printf("CD.%s", like->field);
    g_autofree char *name = name_in_cpu(r->cpu, like);
    uint64_t theirs = value_in_cpu(r->cpu, like), ours;
    QDict *dict = qdict_new();
    Smmu3Change change;

    smmu3_change_parse(field, theirs, &change);
    ours = smmu3_field_value(change.field, r->view->cd);
    qdict_put_str(dict, "field", field);
    smmuv3_sva_put_hex(dict, "value", ours);
    qdict_put_str(dict, "register", name);
    smmuv3_sva_put_hex(dict, "vcpu", theirs);
    qdict_put_bool(dict, "differs", ours != theirs);
    qlist_append(list, dict);
    if (ours != theirs && like->is_reason &&
        !(r->ttbr0_of_cd && !strcmp(like->field, "TTB0"))) {
        add_suspect(r, change,
                    g_strdup_printf("%s is 0x%" PRIx64 ", %s 0x%" PRIx64,
                                    field, ours, name, theirs));
    }
}

/* The physical address size is not a CD's. */
static void add_oas(Smmuv3SvaReasons *r)
{
    unsigned oas_bits = smmu3_oas_bits(smmu3_features(r->s->core));
    Smmu3Change change;

    for (unsigned code = 0; code <= 6; code++) {
        if (smmu3_address_bits(code) == r->cpu->pa_bits &&
            r->cpu->pa_bits != oas_bits &&
            smmu3_change_parse("ID.OAS", code, &change)) {
            add_suspect(r, change,
                        g_strdup_printf("the SMMU has addresses of %u bits, "
                                        "the vCPU of %u", oas_bits,
                                        r->cpu->pa_bits));
        }
    }
}

/* STE.PRIVCFG and INSTCFG make other accesses of a device's, and of no vCPU's. */
static void add_overrides(Smmuv3SvaReasons *r)
{
    static const char *const fields[] = { "STE.PRIVCFG", "STE.INSTCFG" };
    Smmu3Change change;

    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        uint64_t value;

        if (!r->view->has_ste || !smmu3_change_parse(fields[i], 0, &change)) {
            continue;
        }
        value = smmu3_field_value(change.field, r->view->ste);
        if (value) {
            add_suspect(r, change,
                        g_strdup_printf("%s is 0x%" PRIx64 ", which a vCPU "
                                        "has not", fields[i], value));
        }
    }
}

/* ---- Its life ---------------------------------------------------------- */

Smmuv3SvaReasons *smmuv3_sva_reasons_new(Smmuv3SvaState *s, Smmu3Transaction t,
                                         const Smmu3View *view,
                                         const Smmuv3SvaCpu *cpu,
                                         bool ttbr0_of_cd, uint8_t rights,
                                         uint64_t max_steps, QList *registers)
{
    Smmuv3SvaReasons *r = g_new0(Smmuv3SvaReasons, 1);

    *r = (Smmuv3SvaReasons) {
        .s = s, .t = t, .view = view, .cpu = cpu, .ttbr0_of_cd = ttbr0_of_cd,
        .rights = rights, .max_steps = max_steps,
        .suspects = g_array_new(FALSE, FALSE, sizeof(Suspect)),
    };
    g_array_set_clear_func(r->suspects, clear_suspect);
    for (unsigned i = 0; i < ARRAY_SIZE(likes); i++) {
        add_register(r, registers, &likes[i]);
    }
    add_oas(r);
    add_overrides(r);
    return r;
}

uint64_t smmuv3_sva_reasons_free(Smmuv3SvaReasons *r)
{
    uint64_t steps = r->steps;

    g_array_unref(r->suspects);
    clear_suspect(&r->all);
    g_free(r);
    return steps;
}
