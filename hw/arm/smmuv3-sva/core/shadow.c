/*
 * See shadow.h. It is an SMMU of its own with the same registers, which finds
 * the changed words where the structures are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "shadow.h"
#include <string.h>
#include "signal/state.h"

/* ---- Fields ------------------------------------------------------------ */

#define OF_CD(name) { #name, SMMU3_FIELD_CD, CD_##name, false }
#define OF_STE(name) { #name, SMMU3_FIELD_STE, STE_##name, false }
const Smmu3Field smmu3_shadow_fields[] = {
    OF_CD(T0SZ), OF_CD(TG0), OF_CD(EPD0), OF_CD(TBI0), OF_CD(HAD0),
    OF_CD(E0PD0), { "TTB0", SMMU3_FIELD_CD, CD_TTB0, true },
    OF_CD(T1SZ), OF_CD(TG1), OF_CD(EPD1), OF_CD(TBI1), OF_CD(HAD1),
    OF_CD(E0PD1), { "TTB1", SMMU3_FIELD_CD, CD_TTB1, true },
    OF_CD(IPS), OF_CD(DS), OF_CD(ENDI), OF_CD(AFFD), OF_CD(HA), OF_CD(HD),
    OF_CD(WXN), OF_CD(PAN), OF_CD(ASET), OF_CD(ASID), OF_CD(MAIR), OF_CD(V),
    OF_CD(AA64), OF_CD(S), OF_CD(R), OF_CD(A),
    OF_STE(V), OF_STE(CONFIG), OF_STE(STRW), OF_STE(EATS), OF_STE(S1DSS),
    OF_STE(S1STALLD), OF_STE(PRIVCFG), OF_STE(INSTCFG), OF_STE(S2T0SZ),
    OF_STE(S2SL0), OF_STE(S2SL0_2), OF_STE(S2TG), OF_STE(S2PS), OF_STE(S2AA64),
    OF_STE(S2ENDI), OF_STE(S2AFFD), OF_STE(S2HA), OF_STE(S2HD), OF_STE(S2DS),
    OF_STE(S2PTW), OF_STE(S2FWB), OF_STE(S2S), OF_STE(S2VMID),
    { "S2TTB", SMMU3_FIELD_STE, STE_S2TTB, true },
    { NULL, 0, 0, 0, 0, false },
};
#undef OF_CD
#undef OF_STE

const char *smmu3_field_unseen(const Smmu3Field *f)
{
    static const char refused[] = "what becomes of an access that is refused "
                                  "is not looked at";
    static const char cached[] = "what is cached is not looked at";
    static const char tag[] = "addresses are looked at with bits 63:56 equal";
    static const struct {
        const char *name, *why;
    } unseen[] = {
        { "TBI0", tag }, { "TBI1", tag },
        { "ASET", cached }, { "ASID", cached }, { "S2VMID", cached },
        { "S", refused }, { "R", refused }, { "A", refused },
        { "S1STALLD", refused }, { "S2S", refused },
        { "EATS", "ATS is not looked at; explain does, with kind=ats" },
    };

    for (size_t i = 0; f && i < G_N_ELEMENTS(unseen); i++) {
        if (!strcmp(f->name, unseen[i].name)) {
            return unseen[i].why;
        }
    }
    return NULL;
}

uint64_t smmu3_field_value(const Smmu3Field *f, const uint64_t *words)
{
    return f->is_address ? smmu3_get_addr(words, f->word, f->lsb, f->width)
                         : smmu3_get(words, f->word, f->lsb, f->width);
}

static bool fits(const Smmu3Field *f, uint64_t value)
{
    uint64_t mask = smmu3_mask(f->width) << (f->is_address ? f->lsb : 0);

    return !(value & ~mask);
}

static bool find_field(Smmu3FieldPlace place, const char *name,
                       uint64_t value, Smmu3Change *change)
{
    for (const Smmu3Field *f = smmu3_shadow_fields; f->name; f++) {
        if (f->place == place && !g_ascii_strcasecmp(f->name, name)) {
            *change = (Smmu3Change) { place, f, NULL, value };
            return fits(f, value);
        }
    }
    return false;
}

static bool find_id_field(const char *name, uint64_t value,
                          Smmu3Change *change)
{
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        if (!g_ascii_strcasecmp(smmu3_id_fields[i].name, name)) {
            *change = (Smmu3Change) { SMMU3_FIELD_ID, NULL,
                                      &smmu3_id_fields[i], value };
            return value <= UINT16_MAX;
        }
    }
    return false;
}

bool smmu3_change_parse(const char *name, uint64_t value, Smmu3Change *change)
{
    if (!g_ascii_strncasecmp(name, "CD.", 3)) {
        return find_field(SMMU3_FIELD_CD, name + 3, value, change);
    }
    if (!g_ascii_strncasecmp(name, "STE.", 4)) {
        return find_field(SMMU3_FIELD_STE, name + 4, value, change);
    }
    return !g_ascii_strncasecmp(name, "ID.", 3) &&
           find_id_field(name + 3, value, change);
}

/* ---- Its memory -------------------------------------------------------- */

struct Smmu3Shadow {
    Smmu3 *original, *smmu;
    Smmu3View view;             /* with the changed words */
};

/* Of @count words read at @pa, those that a structure at @at has. */
static void overlay(uint64_t pa, uint64_t *words, unsigned count, uint64_t at,
                    const uint64_t *changed, unsigned changed_count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset = pa + 8 * i - at;

        if (offset < 8 * changed_count) {
            words[i] = changed[offset / 8];
        }
    }
}

static bool shadow_read(void *host, uint64_t pa, uint64_t *words,
                        unsigned count)
{
    Smmu3Shadow *shadow = host;
    const Smmu3View *view = &shadow->view;

    if (!shadow->original->ops->read(shadow->original->host, pa, words,
                                     count)) {
        return false;
    }
    if (view->has_ste) {
        overlay(pa, words, count, view->ste_at, view->ste, SMMU3_STE_WORDS);
    }
    if (view->has_cd) {
        overlay(pa, words, count, view->cd_at, view->cd, SMMU3_CD_WORDS);
    }
    return true;
}

static bool shadow_write(void *host, uint64_t pa, const uint64_t *words,
                         unsigned count)
{
    (void)host, (void)pa, (void)words, (void)count;
    return false;
}

static Smmu3Cas shadow_cas(void *host, uint64_t pa, uint64_t *expected,
                           uint64_t desired)
{
    (void)host, (void)pa, (void)expected, (void)desired;
    return SMMU3_CAS_ABORT;
}

static void shadow_kick(void *host)
{
    (void)host;
}

/* What a look needs; nobody calls smmu3_service(), which wants the rest. */
static const Smmu3HostOps shadow_ops = {
    .read = shadow_read, .write = shadow_write, .cas = shadow_cas,
    .kick = shadow_kick,
};

/* ---- Its life ---------------------------------------------------------- */

static char *apply(Smmu3Shadow *shadow, Smmu3Features *f,
                   const Smmu3Change *changes, unsigned count)
{
    Smmu3View *view = &shadow->view;
    uint64_t chosen = 0;

    for (unsigned i = 0; i < count; i++) {
        const Smmu3Change *c = &changes[i];
        const Smmu3Field *field = c->field;
        uint64_t *words = c->place == SMMU3_FIELD_CD ? view->cd : view->ste;

        if (c->place == SMMU3_FIELD_ID) {
            *smmu3_feature(f, c->id) = c->value;
            chosen |= UINT64_C(1) << (c->id - smmu3_id_fields);
            continue;
        }
        if (c->place == SMMU3_FIELD_CD ? !view->has_cd : !view->has_ste) {
            return g_strdup(c->place == SMMU3_FIELD_CD ? "there is no CD"
                                                       : "there is no STE");
        }
        if (field->is_address) {
            smmu3_set_addr(words, field->word, field->lsb, field->width,
                           c->value);
        } else {
            smmu3_set(words, field->word, field->lsb, field->width, c->value);
        }
    }
    if (!chosen) {
        return NULL;
    }
    smmu3_features_settle(f, chosen);
    return smmu3_features_check(f);
}

Smmu3Shadow *smmu3_shadow_new(Smmu3 *s, const Smmu3View *view,
                              const Smmu3Change *changes, unsigned count,
                              char **why)
{
    Smmu3Shadow *shadow = g_new0(Smmu3Shadow, 1);
    Smmu3Options options = { .tlb_entries = 1, .config_entries = 1 };
    Smmu3Features features = s->features;
    Smmu3Regs regs = smmu3_regs_now(s);

    shadow->original = s;
    shadow->view = *view;
    *why = apply(shadow, &features, changes, count);
    if (*why) {
        g_free(shadow);
        return NULL;
    }
    shadow->smmu = smmu3_new(&features, &options, &shadow_ops, shadow);
    if (!smmu3_load(shadow->smmu, &regs, NULL, 0)) {
        *why = g_strdup("its registers could not hold what they do");
        smmu3_shadow_free(shadow);
        return NULL;
    }
    return shadow;
}

void smmu3_shadow_free(Smmu3Shadow *shadow)
{
    smmu3_free(shadow->smmu);
    g_free(shadow);
}

Smmu3 *smmu3_shadow_smmu(Smmu3Shadow *shadow)
{
    return shadow->smmu;
}
