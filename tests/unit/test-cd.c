/*
 * Context descriptors: what makes one ILLEGAL (IHI 0070 5.4.2), what does not
 * although it looks so, and what the fields decode to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cases.h"
#include "conformance.h"
#include "core/tables/config.h"

typedef struct CdCase {
    const char *rule, *items;
    bool legal;
    Smmu3World world;       /* SMMU3_WORLD_NS_EL1 unless said */
    bool s1stalld;
    IdValue ids[4];
    FieldValue fields[7];
} CdCase;

#define EL2 SMMU3_WORLD_NS_EL2
#define E2H SMMU3_WORLD_NS_EL2_E2H
#define GARBAGE UINT64_MAX

/* The ordinary CD: 4 KiB, T0SZ=16, IPS=48 bits, TTB1 off. */
static const CdCase cases[] = {
    { "ordinary-is-legal", "", true },
    { "v-0-is-illegal", "45", false, .fields = { SET(CD_V, 0) } },
    { "s1stalld-excludes-s", "46", false, .s1stalld = true,
      .fields = { SET(CD_S, 1) } },
    { "s1stalld-without-s", "46", true, .s1stalld = true },
    { "s-is-legal-if-stalls-are-optional", "46", true,
      .fields = { SET(CD_S, 1) } },
    { "a-0-needs-term-model-0", "46", false, .ids = { ID(term_model, 1) },
      .fields = { SET(CD_A, 0) } },
    { "a-0-with-term-model-0", "46", true, .fields = { SET(CD_A, 0) } },
    { "s-needs-stalls", "46", false, .ids = { ID(stall_model, 1) },
      .fields = { SET(CD_S, 1) } },
    { "s-is-forced-with-forced-stalls", "46", false,
      .ids = { ID(stall_model, 2) } },
    { "s-with-forced-stalls", "46", true, .ids = { ID(stall_model, 2) },
      .fields = { SET(CD_S, 1) } },
    { "endi-needs-big-endian", "", false,
      .ids = { ID(ttendian, IDR0_TTENDIAN_LE) },
      .fields = { SET(CD_ENDI, 1) } },
    { "endi-0-needs-little-endian", "", false,
      .ids = { ID(ttendian, IDR0_TTENDIAN_BE) } },
    { "endi-is-ignored-if-both-halves-are-off", "", true,
      .ids = { ID(ttendian, IDR0_TTENDIAN_LE) },
      .fields = { SET(CD_ENDI, 1), SET(CD_EPD0, 1) } },
    { "aa64-0-needs-lpae", "", false, .fields = { SET(CD_AA64, 0) } },
    { "ha-needs-httu", "50", false, .ids = { ID(httu, 0) },
      .fields = { SET(CD_HA, 1) } },
    { "hd-needs-httu", "50", false, .ids = { ID(httu, 0) },
      .fields = { SET(CD_HD, 1) } },
    { "hd-needs-httu-2", "50", false, .ids = { ID(httu, 1) },
      .fields = { SET(CD_HA, 1), SET(CD_HD, 1) } },
    { "ha-with-httu-1", "50", true, .ids = { ID(httu, 1) },
      .fields = { SET(CD_HA, 1) } },
    { "hd-alone-is-legal-with-httu-2", "50", true,
      .fields = { SET(CD_HD, 1) } },
    { "asid-needs-asid16", "", false, .ids = { ID(asid16, 0) },
      .fields = { SET(CD_ASID, 0x100) } },
    { "asid-8-bits-without-asid16", "", true, .ids = { ID(asid16, 0) },
      .fields = { SET(CD_ASID, 0xff) } },
    { "asid-needs-asid16-with-e2h", "", false, E2H, .ids = { ID(asid16, 0) },
      .fields = { SET(CD_ASID, 0x100) } },
    { "asid-is-ignored-at-el2", "", true, EL2, .ids = { ID(asid16, 0) },
      .fields = { SET(CD_ASID, 0x100) } },

    /* TTB0's half */
    { "t0sz-40-needs-stt", "47", false, .ids = { ID(stt, 0) },
      .fields = { SET(CD_T0SZ, 40) } },
    { "t0sz-39-without-stt", "47", true, .ids = { ID(stt, 0) },
      .fields = { SET(CD_T0SZ, 39) } },
    { "t0sz-48-with-stt", "47", true, .fields = { SET(CD_T0SZ, 48) } },
    { "t0sz-not-above-48", "47", false, .fields = { SET(CD_T0SZ, 49) } },
    { "t0sz-47-with-64k", "47", true,
      .fields = { SET(CD_T0SZ, 47), SET(CD_TG0, CD_TG0_64K) } },
    { "t0sz-not-above-47-with-64k", "47", false,
      .fields = { SET(CD_T0SZ, 48), SET(CD_TG0, CD_TG0_64K) } },
    { "t0sz-not-below-16", "47", false, .fields = { SET(CD_T0SZ, 15) } },
    { "t0sz-12-with-64k", "47", true,
      .fields = { SET(CD_T0SZ, 12), SET(CD_TG0, CD_TG0_64K) } },
    { "t0sz-12-with-64k-needs-vax", "47", false,
      .ids = { ID(vax, 0), ID(ds, 0) },
      .fields = { SET(CD_T0SZ, 12), SET(CD_TG0, CD_TG0_64K) } },
    { "t0sz-12-with-ds", "47", true,
      .fields = { SET(CD_T0SZ, 12), SET(CD_DS, 1) } },
    { "t0sz-12-with-ds-needs-idr5-ds", "47", false, .ids = { ID(ds, 0) },
      .fields = { SET(CD_T0SZ, 12), SET(CD_DS, 1) } },
    { "t0sz-not-below-12-with-ds", "47", false,
      .fields = { SET(CD_T0SZ, 11), SET(CD_DS, 1) } },
    { "tg0-3-is-reserved", "48", false, .fields = { SET(CD_TG0, 3) } },
    { "tg0-needs-its-granule", "48", false, .ids = { ID(gran16k, 0) },
      .fields = { SET(CD_TG0, CD_TG0_16K) } },
    { "ttb0-not-above-ips", "49", false,
      .fields = { SET(CD_IPS, 2), SET(CD_TTB0, UINT64_C(1) << (40 - 4)) } },
    { "ttb0-up-to-ips", "49", true,
      .fields = { SET(CD_IPS, 2), SET(CD_TTB0, UINT64_C(1) << (39 - 4)) } },
    { "ips-is-capped-to-oas", "49", false, .ids = { ID(oas, 2) },
      .fields = { SET(CD_TTB0, UINT64_C(1) << (40 - 4)) } },
    { "ttb0-of-small-granules-has-48-bits", "49", false,
      .fields = { SET(CD_IPS, 6), SET(CD_TTB0, UINT64_C(1) << (48 - 4)) } },
    { "ttb0-has-52-bits-with-64k", "49", true,
      .fields = { SET(CD_IPS, 6), SET(CD_TG0, CD_TG0_64K),
                  SET(CD_TTB0, UINT64_C(1) << (48 - 4)) } },
    { "ttb0-has-52-bits-with-ds", "49", true,
      .fields = { SET(CD_IPS, 6), SET(CD_DS, 1),
                  SET(CD_TTB0, UINT64_C(1) << (48 - 4)) } },
    { "ips-6-with-4k-is-legal", "49", true, .fields = { SET(CD_IPS, 6) } },
    { "ips-6-beyond-oas-is-legal", "49", true, .ids = { ID(oas, 2) },
      .fields = { SET(CD_IPS, 6) } },
    { "epd0-leaves-its-half-unchecked", "47", true,
      .fields = { SET(CD_EPD0, 1), SET(CD_T0SZ, 0), SET(CD_TG0, 3),
                  SET(CD_TTB0, GARBAGE) } },
    { "epd0-is-ignored-at-el2", "68", false, EL2,
      .fields = { SET(CD_EPD0, 1), SET(CD_T0SZ, 0) } },
    /* What Linux leaves when a process exits: EPD0 and nothing else. */
    { "all-off-is-legal", "47", true,
      .fields = { SET(CD_EPD0, 1), SET(CD_T0SZ, 0), SET(CD_TTB0, 0),
                  SET(CD_R, 0) } },

    /* TTB1's half */
    { "tg1-0-is-reserved", "48", false,
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 16), SET(CD_TG1, 0) } },
    { "ttb1-half-is-legal", "48", true,
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 16),
                  SET(CD_TG1, CD_TG1_4K) } },
    { "tg1-needs-its-granule", "48", false, .ids = { ID(gran16k, 0) },
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 16),
                  SET(CD_TG1, CD_TG1_16K) } },
    { "t1sz-not-below-16", "47", false,
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 15),
                  SET(CD_TG1, CD_TG1_4K) } },
    { "ttb1-not-above-ips", "49", false,
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 16), SET(CD_TG1, CD_TG1_4K),
                  SET(CD_IPS, 2), SET(CD_TTB1, UINT64_C(1) << (40 - 4)) } },
    { "epd1-leaves-its-half-unchecked", "47", true,
      .fields = { SET(CD_T1SZ, 0), SET(CD_TG1, 0), SET(CD_TTB1, GARBAGE) } },
    { "ttb1-half-is-ignored-at-el2", "68", true, EL2,
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 0), SET(CD_TG1, 0),
                  SET(CD_TTB1, GARBAGE) } },
    { "ttb1-half-is-checked-with-e2h", "48", false, E2H,
      .fields = { SET(CD_EPD1, 0), SET(CD_T1SZ, 16), SET(CD_TG1, 0) } },
};

static void ordinary_cd(uint64_t cd[SMMU3_CD_WORDS])
{
    const PageTable pt = {
        .page_log2 = 12, .in_bits = 48, .root = 0x40000000,
    };

    cd_for(cd, &pt, 5);
}

static void test_case(gconstpointer data)
{
    const CdCase *c = data;
    Smmu3Stream stream = {
        .config = STE_CONFIG_S1, .s1 = true, .world = c->world,
        .s1stalld = c->s1stalld,
    };
    uint64_t cd[SMMU3_CD_WORDS];
    Smmu3Features f;
    Smmu3Stage1 stage1;

    features_all(&f);
    ordinary_cd(cd);
    g_assert_cmpint(smmu3_cd_decode(&f, &stream, cd, &stage1), ==,
                    EVENT_NONE);
    set_ids(&f, c->ids, G_N_ELEMENTS(c->ids));
    set_fields(cd, c->fields, G_N_ELEMENTS(c->fields));
    g_assert_cmpint(smmu3_cd_decode(&f, &stream, cd, &stage1), ==,
                    c->legal ? EVENT_NONE : C_BAD_CD);
}

/* ---- What it decodes to ------------------------------------------------ */

static Smmu3Stage1 decode(Smmu3World world, const uint64_t *cd)
{
    Smmu3Stream stream = {
        .config = STE_CONFIG_S1, .s1 = true, .world = world,
    };
    Smmu3Features f;
    Smmu3Stage1 stage1;

    features_all(&f);
    g_assert_cmpint(smmu3_cd_decode(&f, &stream, cd, &stage1), ==,
                    EVENT_NONE);
    return stage1;
}

static void test_halves(void)
{
    static const struct {
        unsigned tg0, tg1, page_log2;
    } granules[] = {
        { CD_TG0_4K, CD_TG1_4K, 12 },
        { CD_TG0_16K, CD_TG1_16K, 14 },
        { CD_TG0_64K, CD_TG1_64K, 16 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(granules); i++) {
        uint64_t cd[SMMU3_CD_WORDS];
        Smmu3Stage1 s1;

        ordinary_cd(cd);
        smmu3_set(cd, CD_TG0, granules[i].tg0);
        smmu3_set(cd, CD_EPD1, 0);
        smmu3_set(cd, CD_TG1, granules[i].tg1);
        smmu3_set(cd, CD_T1SZ, 20 + i);
        smmu3_set_addr(cd, CD_TTB1, UINT64_C(0xabcdef000));
        smmu3_set(cd, CD_TBI1, 1);
        smmu3_set(cd, CD_HAD0, 1);
        smmu3_set(cd, CD_E0PD1, 1);
        s1 = decode(SMMU3_WORLD_NS_EL1, cd);
        g_assert_cmpint(s1.half[0].page_log2, ==, granules[i].page_log2);
        g_assert_cmpint(s1.half[1].page_log2, ==, granules[i].page_log2);
        g_assert_cmpint(s1.half[0].tsz, ==, 16);
        g_assert_cmpint(s1.half[1].tsz, ==, 20 + i);
        g_assert_cmphex(s1.half[0].ttb, ==, 0x40000000);
        g_assert_cmphex(s1.half[1].ttb, ==, UINT64_C(0xabcdef000));
        g_assert_true(!s1.half[0].epd && !s1.half[1].epd);
        g_assert_true(!s1.half[0].tbi && s1.half[1].tbi);
        g_assert_true(s1.half[0].had && !s1.half[1].had);
        g_assert_true(!s1.half[0].e0pd && s1.half[1].e0pd);
    }
}

static void test_flags(void)
{
    uint64_t cd[SMMU3_CD_WORDS];
    Smmu3Stage1 s1;

    ordinary_cd(cd);
    s1 = decode(SMMU3_WORLD_NS_EL1, cd);
    g_assert_cmpint(s1.asid, ==, 5);
    g_assert_cmpint(s1.oa_bits, ==, 48);
    g_assert_true(s1.record && s1.abort && !s1.stall);
    g_assert_false(s1.ha || s1.hd || s1.affd || s1.wxn || s1.pan || s1.aset);

    smmu3_set(cd, CD_HD, 1);
    smmu3_set(cd, CD_AFFD, 1);
    smmu3_set(cd, CD_WXN, 1);
    smmu3_set(cd, CD_PAN, 1);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_S, 1);
    smmu3_set(cd, CD_R, 0);
    smmu3_set(cd, CD_IPS, 1);
    smmu3_set(cd, CD_MAIR, 0xff44);
    s1 = decode(SMMU3_WORLD_NS_EL1, cd);
    g_assert_false(s1.hd);      /* HD without HA acts as off */
    g_assert_true(s1.affd && s1.wxn && s1.pan && s1.aset && s1.stall);
    g_assert_false(s1.record);
    g_assert_cmpint(s1.oa_bits, ==, 36);
    g_assert_cmphex(s1.mair, ==, 0xff44);
    smmu3_set(cd, CD_HA, 1);
    s1 = decode(SMMU3_WORLD_NS_EL1, cd);
    g_assert_true(s1.ha && s1.hd);
}

static void test_el2(void)
{
    uint64_t cd[SMMU3_CD_WORDS];
    Smmu3Stage1 s1;

    ordinary_cd(cd);
    smmu3_set(cd, CD_EPD0, 1);
    smmu3_set(cd, CD_PAN, 1);
    smmu3_set(cd, CD_E0PD0, 1);
    s1 = decode(SMMU3_WORLD_NS_EL2, cd);
    g_assert_false(s1.half[0].epd || s1.half[0].e0pd || s1.pan);
    g_assert_true(s1.half[1].epd);
    g_assert_cmpint(s1.asid, ==, 0);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/smmu3/cd/", cases[i].rule,
                                            NULL);

        conformance_test_data(path, &cases[i], test_case, cases[i].items);
    }
    conformance_test("/smmu3/cd/halves-have-their-own-granules", test_halves,
                     "48");
    conformance_test("/smmu3/cd/flags", test_flags, "");
    conformance_test("/smmu3/cd/el2-has-one-half-and-no-asid", test_el2,
                     "68");
    return conformance_run();
}
