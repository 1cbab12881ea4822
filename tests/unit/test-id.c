/*
 * The ID fields (core/spec/id.c): the table against the register layouts, every
 * rule between the fields, the profiles.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"

static const Smmu3IdField *field(const char *name)
{
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        if (!strcmp(smmu3_id_fields[i].name, name)) {
            return &smmu3_id_fields[i];
        }
    }
    g_error("no ID field %s", name);
}

static void set(Smmu3Features *f, const char *name, uint16_t value)
{
    *smmu3_feature(f, field(name)) = value;
}

static void assert_ok(const Smmu3Features *f)
{
    g_autofree char *message = smmu3_features_check(f);

    g_assert_cmpstr(message, ==, NULL);
}

/* Refused, with a message that has each of the strings. */
static void assert_refused(const Smmu3Features *f, const char *about,
                           const char *value)
{
    g_autofree char *message = smmu3_features_check(f);

    g_assert_nonnull(message);
    g_assert_nonnull(strstr(message, about));
    g_assert_nonnull(strstr(message, value));
    g_assert_null(strchr(message, '\n'));
}

static bool allowed(const Smmu3IdField *field, unsigned value)
{
    return value <= field->max &&
           (!field->allowed || (field->allowed >> value & 1));
}

/* No two fields share a bit, a member or a name; none is left out. */
static void test_table_is_complete(void)
{
    uint32_t used[8] = { 0 };
    bool member_seen[sizeof(Smmu3Features) / 2] = { false };

    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *f = &smmu3_id_fields[i];
        uint32_t bits = smmu3_mask(f->width) << f->lsb;

        g_assert_cmphex(used[f->reg / 4] & bits, ==, 0);
        used[f->reg / 4] |= bits;
        g_assert_false(member_seen[f->member / 2]);
        member_seen[f->member / 2] = true;
        g_assert_cmpuint(f->max, <=, smmu3_mask(f->width));
        g_assert_true(allowed(f, f->initial));
        g_assert_true(allowed(f, f->max));
        g_assert_cmpuint(strlen(f->description), >, 0);
        g_assert_true(field(f->name) == f);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(member_seen); i++) {
        g_assert_true(member_seen[i]);
    }
}

/* Each field alone appears in its register, and nowhere else. */
static void test_registers_show_the_fields(void)
{
    const Smmu3Features none = { 0 };

    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *field = &smmu3_id_fields[i];
        Smmu3Features f = none;

        *smmu3_feature(&f, field) = field->max;
        for (unsigned reg = SMMU3_IDR0; reg <= SMMU3_AIDR; reg += 4) {
            uint32_t expect = smmu3_features_reg(&none, reg);

            if (reg == field->reg) {
                expect |= (uint32_t)field->max << field->lsb;
            }
            g_assert_cmphex(smmu3_features_reg(&f, reg), ==, expect);
        }
    }
}

/* The layout once more, as numbers: IHI 0070 6.3.1 to 6.3.8. */
static void test_layout(void)
{
    static const struct {
        const char *name;
        unsigned reg;
        uint32_t one;
    } cases[] = {
        { "s2p", 0x00, 1u << 0 }, { "s1p", 0x00, 1u << 1 },
        { "cohacc", 0x00, 1u << 4 }, { "httu", 0x00, 1u << 6 },
        { "hyp", 0x00, 1u << 9 }, { "ats", 0x00, 1u << 10 },
        { "ns1ats", 0x00, 1u << 11 }, { "asid16", 0x00, 1u << 12 },
        { "msi", 0x00, 1u << 13 }, { "sev", 0x00, 1u << 14 },
        { "atos", 0x00, 1u << 15 }, { "pri", 0x00, 1u << 16 },
        { "vmw", 0x00, 1u << 17 }, { "vmid16", 0x00, 1u << 18 },
        { "cd2l", 0x00, 1u << 19 }, { "ttendian", 0x00, 1u << 21 },
        { "atsrecerr", 0x00, 1u << 23 }, { "stall_model", 0x00, 1u << 24 },
        { "term_model", 0x00, 1u << 26 }, { "st_level", 0x00, 1u << 27 },
        { "sidsize", 0x04, 1u << 0 }, { "ssidsize", 0x04, 1u << 6 },
        { "priqs", 0x04, 1u << 11 }, { "eventqs", 0x04, 1u << 16 },
        { "cmdqs", 0x04, 1u << 21 }, { "attr_perms_ovr", 0x04, 1u << 26 },
        { "attr_types_ovr", 0x04, 1u << 27 },
        { "had", 0x0c, 1u << 2 }, { "xnx", 0x0c, 1u << 4 },
        { "pps", 0x0c, 1u << 5 }, { "fwb", 0x0c, 1u << 8 },
        { "stt", 0x0c, 1u << 9 }, { "ril", 0x0c, 1u << 10 },
        { "bbml", 0x0c, 1u << 11 }, { "e0pd", 0x0c, 1u << 13 },
        { "ptwnnc", 0x0c, 1u << 14 },
        { "oas", 0x14, 1u << 0 }, { "gran4k", 0x14, 1u << 4 },
        { "gran16k", 0x14, 1u << 5 }, { "gran64k", 0x14, 1u << 6 },
        { "ds", 0x14, 1u << 7 }, { "vax", 0x14, 1u << 10 },
        { "stall_max", 0x14, 1u << 16 },
        { "implementer", 0x18, 1u << 0 }, { "revision", 0x18, 1u << 12 },
        { "variant", 0x18, 1u << 16 }, { "productid", 0x18, 1u << 20 },
        { "aidr_minor", 0x1c, 1u << 0 },
    };
    const Smmu3Features none = { 0 };

    g_assert_cmpuint(G_N_ELEMENTS(cases), ==, smmu3_id_field_count);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Features f = none;

        set(&f, cases[i].name, 1);
        g_assert_cmphex(smmu3_features_reg(&f, cases[i].reg) ^
                        smmu3_features_reg(&none, cases[i].reg),
                        ==, cases[i].one);
    }
    /* Tables are VMSAv8-64 only: TTF=2; and that is all that is fixed */
    g_assert_cmphex(smmu3_features_reg(&none, SMMU3_IDR0), ==, 2u << 2);
    for (unsigned reg = SMMU3_IDR1; reg <= SMMU3_AIDR; reg += 4) {
        g_assert_cmphex(smmu3_features_reg(&none, reg), ==, 0);
    }
}

/* What the model does not do is not advertised, whatever is asked for. */
static void test_absent_features_are_not_advertised(void)
{
    Smmu3Features f;
    uint32_t idr0, idr1, idr3;

    memset(&f, 0xff, sizeof(f));
    idr0 = smmu3_features_reg(&f, SMMU3_IDR0);
    idr1 = smmu3_features_reg(&f, SMMU3_IDR1);
    idr3 = smmu3_features_reg(&f, SMMU3_IDR3);
    /* BTM, DORMHINT, VATOS, RME_IMPL */
    g_assert_cmphex(idr0 & (1u << 5 | 1u << 8 | 1u << 20 | 1u << 30), ==, 0);
    /* REL, QUEUES_PRESET, TABLES_PRESET, ECMDQ */
    g_assert_cmphex(idr1 & (0xfu << 28), ==, 0);
    /* PBHA, MPAM, DPT, PASIDTT and all of v3.4 */
    g_assert_cmphex(idr3 & (1u << 3 | 1u << 7 | ~0u << 15), ==, 0);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR2), ==, 0);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR4), ==, 0);
}

static void test_address_bits(void)
{
    static const unsigned bits[] = { 32, 36, 40, 42, 44, 48, 52, 52 };

    for (unsigned code = 0; code < G_N_ELEMENTS(bits); code++) {
        g_assert_cmpuint(smmu3_address_bits(code), ==, bits[code]);
    }
}

/* Every value that is not in the table is refused, by name. */
static void test_values_out_of_range(void)
{
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *field = &smmu3_id_fields[i];
        unsigned end = MIN((unsigned)field->max + 2, 0x10000);

        for (unsigned value = 0; value < end; value++) {
            Smmu3Features f;
            g_autofree char *text = NULL;

            if (allowed(field, value)) {
                continue;
            }
            smmu3_features_init(&f);
            *smmu3_feature(&f, field) = value;
            text = g_strdup_printf("%s=%u", field->name, value);
            assert_refused(&f, text, "it may be");
        }
    }
}

typedef struct Setting {
    const char *name;
    uint16_t value;
} Setting;

typedef struct RuleCase {
    const char *about;          /* what the refusal's message must name */
    const char *needs;
    Setting settings[6];        /* on top of features_all() */
} RuleCase;

static const RuleCase refused[] = {
    { "s1p=0", "s2p=0", { { "s1p", 0 }, { "s2p", 0 } } },
    { "hyp=1", "s2p=1", { { "s2p", 0 } } },
    { "hyp=1", "s1p=1", { { "s1p", 0 } } },
    { "ns1ats=1", "ats=1", { { "ns1ats", 1 }, { "ats", 0 }, { "pri", 0 },
                             { "atsrecerr", 0 } } },
    { "ns1ats=1", "s2p=1", { { "ns1ats", 1 }, { "s2p", 0 }, { "hyp", 0 },
                             { "aidr_minor", 0 } } },
    { "pri=1", "ats=1", { { "ats", 0 }, { "atsrecerr", 0 } } },
    { "atsrecerr=1", "ats=1", { { "ats", 0 }, { "pri", 0 } } },
    { "atsrecerr=1", "aidr_minor=3", { { "aidr_minor", 2 } } },
    { "vmw=1", "s2p=1", { { "s2p", 0 }, { "hyp", 0 } } },
    { "sidsize=7", "st_level=1", { { "sidsize", 7 }, { "st_level", 0 } } },
    { "had=1", "s1p=1", { { "s1p", 0 }, { "hyp", 0 } } },
    { "ptwnnc=1", "s2p=1", { { "s2p", 0 }, { "hyp", 0 }, { "vmw", 0 } } },
    { "pps=1", "pri=1", { { "pps", 1 }, { "pri", 0 } } },
    { "pps=1", "ssidsize", { { "pps", 1 }, { "ssidsize", 0 } } },
    { "gran4k=0", "gran64k=0", { { "gran4k", 0 }, { "gran16k", 0 },
                                 { "gran64k", 0 } } },
    { "oas=6", "gran64k=1", { { "gran64k", 0 }, { "ds", 0 } } },
    { "oas=6", "aidr_minor", { { "aidr_minor", 0 }, { "atsrecerr", 0 } } },
    { "vax=1", "gran64k=1", { { "gran64k", 0 }, { "ds", 0 }, { "oas", 5 } } },
    { "vax=1", "aidr_minor", { { "aidr_minor", 0 }, { "atsrecerr", 0 },
                               { "oas", 5 }, { "ds", 0 } } },
    { "ds=1", "vax=1", { { "vax", 0 } } },
    { "ds=1", "gran4k=1", { { "gran4k", 0 }, { "gran16k", 0 } } },
    { "stall_max=16", "stall_model", { { "stall_model", 1 } } },
    { "stall_model=0", "stall_max=1", { { "stall_max", 0 } } },
    { "stall_model=2", "stall_max=1", { { "stall_model", 2 },
                                        { "stall_max", 0 } } },
    /* What a version makes mandatory */
    { "SMMUv3.3", "had", { { "had", 0 } } },
    { "SMMUv3.3", "xnx", { { "xnx", 0 } } },
    { "SMMUv3.3", "hyp", { { "hyp", 0 } } },
    { "SMMUv3.3", "ril", { { "ril", 0 } } },
    { "SMMUv3.3", "fwb", { { "fwb", 0 } } },
    { "SMMUv3.3", "bbml", { { "bbml", 0 } } },
    { "SMMUv3.3", "e0pd", { { "e0pd", 0 } } },
    { "SMMUv3.3", "ptwnnc", { { "ptwnnc", 0 } } },
    { "SMMUv3.2", "ril", { { "ril", 0 }, { "aidr_minor", 2 },
                           { "atsrecerr", 0 } } },
    { "SMMUv3.1", "had", { { "had", 0 }, { "aidr_minor", 1 },
                           { "atsrecerr", 0 } } },
};

static void apply(Smmu3Features *f, const RuleCase *c)
{
    features_all(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(c->settings); i++) {
        if (c->settings[i].name) {
            set(f, c->settings[i].name, c->settings[i].value);
        }
    }
}

static void test_rules_refuse(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        Smmu3Features f;

        apply(&f, &refused[i]);
        assert_refused(&f, refused[i].about, refused[i].needs);
    }
}

/* The other side of the rules: what looks close, and is legal. */
static const RuleCase accepted[] = {
    { .settings = { { "s1p", 0 }, { "hyp", 0 }, { "had", 0 } } },
    { .settings = { { "s2p", 0 }, { "hyp", 0 }, { "vmw", 0 },
                    { "ptwnnc", 0 }, { "xnx", 0 } } },
    { .settings = { { "sidsize", 6 }, { "st_level", 0 } } },
    { .settings = { { "sidsize", 32 } } },
    { .settings = { { "stall_model", 1 }, { "stall_max", 0 } } },
    { .settings = { { "stall_model", 2 }, { "stall_max", 65535 } } },
    { .settings = { { "gran64k", 0 } } },       /* 52 bits by DS */
    { .settings = { { "ds", 0 }, { "gran4k", 0 }, { "gran16k", 0 } } },
    { .settings = { { "e0pd", 0 }, { "ptwnnc", 0 }, { "atsrecerr", 0 },
                    { "aidr_minor", 2 } } },
    { .settings = { { "ril", 0 }, { "fwb", 0 }, { "bbml", 0 }, { "hyp", 0 },
                    { "atsrecerr", 0 }, { "aidr_minor", 1 } } },
    { .settings = { { "ats", 0 }, { "pri", 0 }, { "atsrecerr", 0 } } },
    { .settings = { { "ns1ats", 1 }, { "pps", 1 } } },
    { .settings = { { "ttendian", 3 }, { "httu", 0 }, { "term_model", 1 } } },
    { .settings = { { "cmdqs", 0 }, { "eventqs", 0 }, { "priqs", 0 } } },
};

static void test_rules_accept(void)
{
    Smmu3Features f;

    features_all(&f);
    assert_ok(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(accepted); i++) {
        apply(&f, &accepted[i]);
        assert_ok(&f);
    }
}

/* ---- Settling --------------------------------------------------------- */

/* Choose these values, and let the others follow. */
static void settle(Smmu3Features *f, const Setting *settings, unsigned count)
{
    uint64_t chosen = 0;

    smmu3_features_init(f);
    for (unsigned i = 0; i < count; i++) {
        if (settings[i].name) {
            set(f, settings[i].name, settings[i].value);
            chosen |= UINT64_C(1) << (field(settings[i].name) -
                                      smmu3_id_fields);
        }
    }
    smmu3_features_settle(f, chosen);
}

typedef struct SettleCase {
    Setting chosen[4];
    Setting follow[8];          /* what the others then are */
} SettleCase;

static const SettleCase settled[] = {
    { { { "s2p", 0 } }, { { "hyp", 0 }, { "vmw", 0 }, { "ptwnnc", 0 },
                          { "aidr_minor", 3 }, { "had", 1 } } },
    { { { "s1p", 0 } }, { { "hyp", 0 }, { "had", 0 }, { "vmw", 1 } } },
    { { { "ats", 0 } }, { { "pri", 0 }, { "atsrecerr", 0 } } },
    { { { "stall_model", 1 } }, { { "stall_max", 0 } } },
    { { { "ril", 0 } }, { { "aidr_minor", 1 }, { "atsrecerr", 0 } } },
    { { { "e0pd", 0 } }, { { "aidr_minor", 2 }, { "atsrecerr", 0 } } },
    { { { "had", 0 } }, { { "aidr_minor", 0 }, { "atsrecerr", 0 } } },
    { { { "aidr_minor", 1 } }, { { "atsrecerr", 0 }, { "ril", 1 } } },
    { { { "oas", 6 } }, { { "aidr_minor", 3 }, { "vax", 0 } } },
};

static void test_settle(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(settled); i++) {
        Smmu3Features f;

        settle(&f, settled[i].chosen, G_N_ELEMENTS(settled[i].chosen));
        assert_ok(&f);
        for (unsigned j = 0; j < G_N_ELEMENTS(settled[i].follow); j++) {
            const Setting *expect = &settled[i].follow[j];

            if (expect->name) {
                g_test_message("case %u: %s", i, expect->name);
                g_assert_cmpuint(*smmu3_feature(&f, field(expect->name)), ==,
                                 expect->value);
            }
        }
    }
}

/* What was chosen stays, and is refused if it does not fit. */
static void test_settle_leaves_what_was_chosen(void)
{
    static const Setting both[] = { { "ats", 0 }, { "pri", 1 } };
    static const Setting version[] = { { "ril", 0 }, { "aidr_minor", 3 } };
    Smmu3Features f, defaults;

    settle(&f, both, G_N_ELEMENTS(both));
    assert_refused(&f, "pri=1", "ats=1");
    settle(&f, version, G_N_ELEMENTS(version));
    assert_refused(&f, "SMMUv3.3", "ril");
    /* And the default has nothing to settle */
    smmu3_features_init(&defaults);
    settle(&f, NULL, 0);
    g_assert_cmpint(memcmp(&f, &defaults, sizeof(f)), ==, 0);
}

static void test_profiles(void)
{
    for (size_t i = 0; i < smmu3_profile_count; i++) {
        Smmu3Features f;

        memset(&f, 0xff, sizeof(f));
        smmu3_profiles[i].apply(&f);
        assert_ok(&f);
        g_assert_cmpuint(strlen(smmu3_profiles[i].description), >, 0);
    }
    g_assert_cmpstr(smmu3_profiles[0].name, ==, "linux-sva");
}

/* Linux arm_smmu_device_hw_probe() and arm_smmu_sva_supported(). */
static void test_default_suits_linux(void)
{
    Smmu3Features f;
    uint32_t idr0, idr1, idr3, idr5;

    smmu3_features_init(&f);
    idr0 = smmu3_features_reg(&f, SMMU3_IDR0);
    idr1 = smmu3_features_reg(&f, SMMU3_IDR1);
    idr3 = smmu3_features_reg(&f, SMMU3_IDR3);
    idr5 = smmu3_features_reg(&f, SMMU3_IDR5);
    g_assert_cmphex(idr0 & 3, ==, 3);                   /* both stages */
    g_assert_cmphex(idr0 >> 2 & 3, ==, 2);              /* AArch64 tables */
    g_assert_cmphex(idr0 >> 4 & 1, ==, 1);              /* coherent */
    g_assert_cmphex(idr0 >> 6 & 3, <=, 2);              /* 3 is HAFT */
    g_assert_cmphex(idr0 >> 12 & 1, ==, 1);             /* ASIDs like CPUs */
    g_assert_cmphex(idr0 >> 21 & 1, ==, 0);             /* 0 or 2 */
    g_assert_cmphex(idr0 >> 24 & 3, ==, 0);             /* stalls */
    g_assert_cmphex(idr0 >> 27 & 3, ==, 1);
    g_assert_cmpuint(idr1 & 0x3f, ==, 16);
    g_assert_cmpuint(idr1 >> 6 & 0x1f, >=, 1);          /* SubstreamIDs */
    g_assert_cmpuint(idr1 >> 21 & 0x1f, >=, 7);         /* 64 and more */
    g_assert_cmphex(idr1 >> 28 & 7, ==, 0);             /* no presets */
    g_assert_cmphex(idr3 >> 11 & 3, ==, 2);             /* BBML2 */
    g_assert_cmphex(idr5 >> 4 & 1, ==, 1);              /* 4 KiB pages */
    g_assert_cmpuint(idr5 >> 16, >, 0);
    /* No erratum of another implementer's product */
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IIDR) & 0xfff, !=, 0x43b);
}

static void take_profile(const char *name, Smmu3Features *f)
{
    for (size_t i = 0; i < smmu3_profile_count; i++) {
        if (!strcmp(smmu3_profiles[i].name, name)) {
            smmu3_profiles[i].apply(f);
            return;
        }
    }
    g_assert_not_reached();
}

/* Trusted Firmware-A's parameters for the Base FVP, but for IDR0.BTM. */
static void test_fvp_registers(void)
{
    Smmu3Features f;

    take_profile("fvp-aem", &f);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR0), ==,
                    0x0046123b & ~(1u << 5));
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR1), ==, 0x00600002);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR3), ==, 0x1714);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR5), ==, 0xffff0475);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_AIDR), ==, 2);
}

/*
 * The MMU-600 of Intel's Agilex 5, as published, but for what the profile's
 * description names: IDR0.TTF (2, not 3) and BTM, IDR3.PBHA.
 */
static void test_mmu_600_registers(void)
{
    Smmu3Features f;

    take_profile("mmu-600", &f);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR0), ==,
                    0x080f7e3f & ~(1u << 2 | 1u << 5));
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR1), ==, 0x0e739d18);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR3), ==,
                    0x0000003c & ~(1u << 3));
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR5), ==, 0x00400075);
    g_assert_cmphex(smmu3_features_reg(&f, SMMU3_AIDR), ==, 1);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/id/table-is-complete", test_table_is_complete,
                     "");
    conformance_test("/smmu3/id/registers-show-the-fields",
                     test_registers_show_the_fields, "");
    conformance_test("/smmu3/id/layout", test_layout, "");
    conformance_test("/smmu3/id/absent-features-are-not-advertised",
                     test_absent_features_are_not_advertised, "");
    conformance_test("/smmu3/id/address-bits", test_address_bits, "");
    conformance_test("/smmu3/id/values-out-of-range-are-refused",
                     test_values_out_of_range, "");
    conformance_test("/smmu3/id/rules-refuse", test_rules_refuse, "");
    conformance_test("/smmu3/id/rules-accept", test_rules_accept, "");
    conformance_test("/smmu3/id/settle-makes-the-others-follow", test_settle,
                     "");
    conformance_test("/smmu3/id/settle-leaves-what-was-chosen",
                     test_settle_leaves_what_was_chosen, "");
    conformance_test("/smmu3/id/profiles-are-consistent", test_profiles, "");
    conformance_test("/smmu3/id/default-suits-linux",
                     test_default_suits_linux, "");
    conformance_test("/smmu3/id/fvp-aem-has-the-documented-registers",
                     test_fvp_registers, "");
    conformance_test("/smmu3/id/mmu-600-has-the-published-registers",
                     test_mmu_600_registers, "");
    return conformance_run();
}
