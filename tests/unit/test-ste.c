/*
 * Stream table entries: what makes one ILLEGAL (IHI 0070 5.2.2), what does not
 * although it looks so, and what the fields decode to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cases.h"
#include "conformance.h"
#include "core/tables/config.h"

typedef enum { BYPASS, STAGE1, STAGE2, NESTED } Base;

typedef struct SteCase {
    const char *rule, *items;
    Base base;
    bool legal;
    IdValue ids[4];
    FieldValue fields[6];
} SteCase;

#define GARBAGE UINT64_MAX

static const SteCase cases[] = {
    /* The ordinary ones, from which each illegal case is one step away. */
    { "bypass-is-legal", "", BYPASS, true, .fields = { { 0 } } },
    { "stage1-is-legal", "", STAGE1, true, .fields = { { 0 } } },
    { "stage2-is-legal", "", STAGE2, true, .fields = { { 0 } } },
    { "nested-is-legal", "", NESTED, true, .fields = { { 0 } } },

    { "v-0-is-illegal", "23", STAGE1, false, .fields = { SET(STE_V, 0) } },
    { "v-0-is-illegal-even-if-aborting", "23", BYPASS, false,
      .fields = { SET(STE_V, 0), SET(STE_CONFIG, 0) } },
    { "config-0xx-ignores-all-else", "24", STAGE1, true,
      .fields = { SET(STE_CONFIG, 2), SET(STE_S1CDMAX, 31),
                  SET(STE_STRW, 1), SET(STE_EATS, 2), SET(STE_S2TG, 3),
                  SET(STE_S2TTB, GARBAGE) } },
    { "stage1-needs-s1p", "25", STAGE1, false, .ids = { ID(s1p, 0) } },
    { "nested-needs-s1p", "25", NESTED, false, .ids = { ID(s1p, 0) } },
    { "stage2-needs-s2p", "25", STAGE2, false, .ids = { ID(s2p, 0) } },
    { "nested-needs-s2p", "25", NESTED, false, .ids = { ID(s2p, 0) } },

    /* EATS */
    { "eats-split-needs-nesting-not-stage1", "33", STAGE1, false,
      .fields = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-split-needs-nesting-not-stage2", "33", STAGE2, false,
      .fields = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-split-is-legal-when-nested", "33", NESTED, true,
      .fields = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-split-excludes-s2s", "33", NESTED, false,
      .fields = { SET(STE_EATS, STE_EATS_SPLIT), SET(STE_S2S, 1) } },
    { "eats-split-excludes-ns1ats", "33", NESTED, false,
      .ids = { ID(ns1ats, 1) },
      .fields = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-full-excludes-s2s-when-nested", "32", NESTED, false,
      .fields = { SET(STE_EATS, STE_EATS_FULL), SET(STE_S2S, 1) } },
    { "eats-full-excludes-s2s-at-stage2", "32", STAGE2, false,
      .fields = { SET(STE_EATS, STE_EATS_FULL), SET(STE_S2S, 1) } },
    { "eats-full-ignores-s2s-without-stage2", "32", STAGE1, true,
      .fields = { SET(STE_EATS, STE_EATS_FULL), SET(STE_S2S, 1) } },
    { "eats-is-ignored-without-ats", "33", STAGE1, true,
      .ids = { ID(ats, 0), ID(pri, 0) },
      .fields = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-is-ignored-in-bypass", "33", BYPASS, true,
      .fields = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-3-is-legal", "33", STAGE1, true,
      .fields = { SET(STE_EATS, 3) } },

    /* STRW */
    { "strw-1-is-illegal-for-stage1", "29", STAGE1, false,
      .fields = { SET(STE_STRW, 1) } },
    { "strw-3-is-illegal-for-stage1", "29", STAGE1, false,
      .fields = { SET(STE_STRW, 3) } },
    { "strw-2-is-legal-for-stage1", "29", STAGE1, true,
      .fields = { SET(STE_STRW, 2) } },
    { "strw-is-ignored-when-nested", "29", NESTED, true,
      .fields = { SET(STE_STRW, 1) } },
    { "strw-is-ignored-in-bypass", "29", BYPASS, true,
      .fields = { SET(STE_STRW, 1) } },
    { "strw-is-ignored-without-hyp", "29", STAGE1, true,
      .ids = { ID(hyp, 0) }, .fields = { SET(STE_STRW, 1) } },

    /* Stage 1 */
    { "s1stalld-is-legal-if-stalls-are-optional", "30", STAGE1, true,
      .fields = { SET(STE_S1STALLD, 1) } },
    { "s1stalld-needs-stalls", "30", STAGE1, false,
      .ids = { ID(stall_model, 1), ID(stall_max, 0) },
      .fields = { SET(STE_S1STALLD, 1) } },
    { "s1stalld-excludes-forced-stalls", "30", STAGE1, false,
      .ids = { ID(stall_model, 2) }, .fields = { SET(STE_S1STALLD, 1) } },
    { "s1cdmax-up-to-ssidsize", "26", STAGE1, true,
      .ids = { ID(ssidsize, 10) }, .fields = { SET(STE_S1CDMAX, 10) } },
    { "s1cdmax-not-above-ssidsize", "26", STAGE1, false,
      .ids = { ID(ssidsize, 10) }, .fields = { SET(STE_S1CDMAX, 11) } },
    { "s1cdmax-is-ignored-without-ssids", "26", STAGE1, true,
      .ids = { ID(ssidsize, 0) }, .fields = { SET(STE_S1CDMAX, 11) } },
    { "s1fmt-4k-needs-cd2l", "27", STAGE1, false, .ids = { ID(cd2l, 0) },
      .fields = { SET(STE_S1FMT, 1), SET(STE_S1CDMAX, 4) } },
    { "s1fmt-64k-needs-cd2l", "27", STAGE1, false, .ids = { ID(cd2l, 0) },
      .fields = { SET(STE_S1FMT, 2), SET(STE_S1CDMAX, 4) } },
    { "s1fmt-is-ignored-for-one-cd", "27", STAGE1, true,
      .ids = { ID(cd2l, 0) },
      .fields = { SET(STE_S1FMT, 1), SET(STE_S1CDMAX, 0) } },
    { "s1fmt-3-is-legal", "28", STAGE1, true, .ids = { ID(cd2l, 0) },
      .fields = { SET(STE_S1FMT, 3), SET(STE_S1CDMAX, 4) } },
    { "s1dss-3-is-legal", "39", STAGE1, true,
      .fields = { SET(STE_S1DSS, 3), SET(STE_S1CDMAX, 4) } },
    { "s1contextptr-not-above-oas", "", STAGE1, false, .ids = { ID(oas, 4) },
      .fields = { SET(STE_S1CONTEXTPTR, UINT64_C(1) << (44 - 6)) } },
    { "s1contextptr-up-to-oas", "", STAGE1, true, .ids = { ID(oas, 4) },
      .fields = { SET(STE_S1CONTEXTPTR, UINT64_C(1) << (43 - 6)) } },
    { "s1contextptr-not-above-ias", "", NESTED, false, .ids = { ID(oas, 4) },
      .fields = { SET(STE_S1CONTEXTPTR, UINT64_C(1) << (44 - 6)) } },
    { "s1-fields-are-ignored-without-stage1", "", STAGE2, true,
      .ids = { ID(oas, 5) },
      .fields = { SET(STE_S1CDMAX, 31), SET(STE_S1FMT, 3),
                  SET(STE_S1CONTEXTPTR, GARBAGE), SET(STE_S1STALLD, 1) } },
    { "s1-fields-are-ignored-in-bypass", "", BYPASS, true,
      .ids = { ID(oas, 5) },
      .fields = { SET(STE_S1CDMAX, 31), SET(STE_S1FMT, 3),
                  SET(STE_S1CONTEXTPTR, GARBAGE), SET(STE_S1STALLD, 1) } },

    /* Stage 2 */
    { "s2s-is-legal-if-stalls-are-optional", "31", STAGE2, true,
      .fields = { SET(STE_S2S, 1) } },
    { "s2s-needs-stalls", "31", STAGE2, false,
      .ids = { ID(stall_model, 1), ID(stall_max, 0) },
      .fields = { SET(STE_S2S, 1) } },
    { "s2s-is-forced-with-forced-stalls", "31", STAGE2, false,
      .ids = { ID(stall_model, 2) }, .fields = { SET(STE_S2S, 0) } },
    { "s2aa64-0-needs-lpae", "34", STAGE2, false,
      .fields = { SET(STE_S2AA64, 0) } },
    { "s2ha-needs-httu", "37", STAGE2, false, .ids = { ID(httu, 0) },
      .fields = { SET(STE_S2HA, 1) } },
    { "s2hd-needs-httu", "37", STAGE2, false, .ids = { ID(httu, 0) },
      .fields = { SET(STE_S2HD, 1) } },
    { "s2hd-needs-httu-2", "37", NESTED, false, .ids = { ID(httu, 1) },
      .fields = { SET(STE_S2HA, 1), SET(STE_S2HD, 1) } },
    { "s2ha-is-legal-with-httu-1", "37", STAGE2, true, .ids = { ID(httu, 1) },
      .fields = { SET(STE_S2HA, 1) } },
    { "s2hd-alone-is-legal-with-httu-2", "37", STAGE2, true,
      .fields = { SET(STE_S2HD, 1) } },
    { "s2tg-3-is-reserved", "34", STAGE2, false,
      .fields = { SET(STE_S2TG, 3) } },
    { "s2tg-needs-its-granule-4k", "34", STAGE2, false,
      .ids = { ID(gran4k, 0) } },
    { "s2tg-needs-its-granule-64k", "34", STAGE2, false,
      .ids = { ID(gran64k, 0), ID(oas, 5) },
      .fields = { SET(STE_S2TG, STE_S2TG_64K) } },
    { "s2tg-64k-is-legal", "34", STAGE2, true,
      .fields = { SET(STE_S2TG, STE_S2TG_64K) } },
    { "s2ttb-not-above-s2ps", "34", STAGE2, false,
      .fields = { SET(STE_S2PS, 2),
                  SET(STE_S2TTB, UINT64_C(1) << (40 - 4)) } },
    { "s2ttb-up-to-s2ps", "34", STAGE2, true,
      .fields = { SET(STE_S2PS, 2),
                  SET(STE_S2TTB, UINT64_C(1) << (39 - 4)) } },
    { "s2ps-is-capped-to-oas", "34", STAGE2, false, .ids = { ID(oas, 2) },
      .fields = { SET(STE_S2PS, 5),
                  SET(STE_S2TTB, UINT64_C(1) << (40 - 4)) } },
    { "s2ttb-of-small-granules-has-48-bits", "34", STAGE2, false,
      .fields = { SET(STE_S2PS, 6),
                  SET(STE_S2TTB, UINT64_C(1) << (48 - 4)) } },
    { "s2ttb-has-52-bits-with-64k", "34", STAGE2, true,
      .fields = { SET(STE_S2PS, 6), SET(STE_S2TG, STE_S2TG_64K),
                  SET(STE_S2TTB, UINT64_C(1) << (48 - 4)) } },
    { "s2ttb-has-52-bits-with-s2ds", "34", STAGE2, true,
      .fields = { SET(STE_S2PS, 6), SET(STE_S2DS, 1),
                  SET(STE_S2TTB, UINT64_C(1) << (48 - 4)) } },
    { "s2ps-7-acts-as-6", "34", STAGE2, true,
      .fields = { SET(STE_S2PS, 7), SET(STE_S2DS, 1),
                  SET(STE_S2TTB, UINT64_C(1) << (51 - 4)) } },
    { "s2ps-6-is-52-bits-in-v3.1", "34", STAGE2, true,
      .ids = { ID(aidr_minor, 1) },
      .fields = { SET(STE_S2PS, 6), SET(STE_S2DS, 1),
                  SET(STE_S2TTB, UINT64_C(1) << (48 - 4)) } },
    { "s2ps-6-acts-as-5-in-v3.0", "34", STAGE2, false,
      .ids = { ID(aidr_minor, 0) },
      .fields = { SET(STE_S2PS, 6), SET(STE_S2DS, 1),
                  SET(STE_S2TTB, UINT64_C(1) << (48 - 4)) } },
    { "s2t0sz-not-below-16-for-4k", "34", STAGE2, false,
      .fields = { SET(STE_S2T0SZ, 15), SET(STE_S2SL0, 2) } },
    { "s2t0sz-16-for-4k", "34", STAGE2, true,
      .fields = { SET(STE_S2T0SZ, 16), SET(STE_S2SL0, 2) } },
    { "s2t0sz-12-with-s2ds", "34", STAGE2, true,
      .fields = { SET(STE_S2T0SZ, 12), SET(STE_S2SL0, 0),
                  SET(STE_S2SL0_2, 1), SET(STE_S2DS, 1) } },
    { "s2t0sz-not-below-12-with-s2ds", "34", STAGE2, false,
      .fields = { SET(STE_S2T0SZ, 11), SET(STE_S2SL0, 0),
                  SET(STE_S2SL0_2, 1), SET(STE_S2DS, 1) } },
    { "s2t0sz-12-with-64k", "34", STAGE2, true,
      .fields = { SET(STE_S2T0SZ, 12), SET(STE_S2SL0, 2),
                  SET(STE_S2TG, STE_S2TG_64K) } },
    { "s2t0sz-not-beyond-ias", "34", STAGE2, false, .ids = { ID(oas, 2) },
      .fields = { SET(STE_S2T0SZ, 23) } },
    { "s2t0sz-up-to-ias", "34", STAGE2, true, .ids = { ID(oas, 2) },
      .fields = { SET(STE_S2T0SZ, 24) } },
    { "s2t0sz-40-needs-stt", "35", STAGE2, false, .ids = { ID(stt, 0) },
      .fields = { SET(STE_S2T0SZ, 40), SET(STE_S2SL0, 0) } },
    { "s2t0sz-40-is-legal-with-stt", "35", STAGE2, true,
      .fields = { SET(STE_S2T0SZ, 40), SET(STE_S2SL0, 0) } },
    { "s2t0sz-48-starts-at-level-3", "35", STAGE2, true,
      .fields = { SET(STE_S2T0SZ, 48), SET(STE_S2SL0, 3) } },
    { "s2t0sz-not-above-48", "35", STAGE2, false,
      .fields = { SET(STE_S2T0SZ, 49), SET(STE_S2SL0, 3) } },
    { "s2t0sz-not-above-47-with-64k", "35", STAGE2, false,
      .fields = { SET(STE_S2T0SZ, 48), SET(STE_S2SL0, 0),
                  SET(STE_S2TG, STE_S2TG_64K) } },
    { "s2sl0-too-low-for-s2t0sz", "34", STAGE2, false,
      .fields = { SET(STE_S2SL0, 0) } },
    { "s2sl0-too-high-for-s2t0sz", "34", STAGE2, false,
      .fields = { SET(STE_S2T0SZ, 34), SET(STE_S2SL0, 1) } },
    { "s2sl0-sixteen-tables", "34", STAGE2, true,
      .fields = { SET(STE_S2T0SZ, 21), SET(STE_S2SL0, 1) } },
    { "s2sl0-not-thirty-two-tables", "34", STAGE2, false,
      .fields = { SET(STE_S2T0SZ, 20), SET(STE_S2SL0, 1) } },
    { "s2sl0-2-needs-44-bits-with-4k", "34", STAGE2, false,
      .ids = { ID(oas, 3) },
      .fields = { SET(STE_S2T0SZ, 22), SET(STE_S2SL0, 2) } },
    { "s2sl0-2-with-44-bits-and-4k", "34", STAGE2, true, .ids = { ID(oas, 4) },
      .fields = { SET(STE_S2T0SZ, 22), SET(STE_S2SL0, 2) } },
    { "s2sl0-2-needs-42-bits-with-16k", "34", STAGE2, false,
      .ids = { ID(oas, 2) },
      .fields = { SET(STE_S2T0SZ, 24), SET(STE_S2SL0, 2),
                  SET(STE_S2TG, STE_S2TG_16K) } },
    { "s2sl0-2-with-42-bits-and-16k", "34", STAGE2, true,
      .ids = { ID(oas, 3) },
      .fields = { SET(STE_S2T0SZ, 24), SET(STE_S2SL0, 2),
                  SET(STE_S2TG, STE_S2TG_16K) } },
    { "s2sl0-2-needs-44-bits-with-64k", "34", STAGE2, false,
      .ids = { ID(oas, 3) },
      .fields = { SET(STE_S2T0SZ, 22), SET(STE_S2SL0, 2),
                  SET(STE_S2TG, STE_S2TG_64K) } },
    { "s2sl0-3-needs-stt-with-4k", "34", STAGE2, false,
      .ids = { ID(stt, 0) },
      .fields = { SET(STE_S2T0SZ, 39), SET(STE_S2SL0, 3) } },
    { "s2sl0-3-is-reserved-with-64k", "34", STAGE2, false,
      .fields = { SET(STE_S2SL0, 3), SET(STE_S2TG, STE_S2TG_64K) } },
    { "s2sl0-3-needs-s2ds-with-16k", "34", STAGE2, false,
      .fields = { SET(STE_S2SL0, 3), SET(STE_S2TG, STE_S2TG_16K),
                  SET(STE_S2T0SZ, 16) } },
    { "s2sl0-3-is-legal-with-16k-and-s2ds", "34", STAGE2, true,
      .fields = { SET(STE_S2SL0, 3), SET(STE_S2TG, STE_S2TG_16K),
                  SET(STE_S2T0SZ, 16), SET(STE_S2DS, 1) } },
    { "s2sl0-3-needs-52-bits-with-16k", "34", STAGE2, false,
      .ids = { ID(oas, 5) },
      .fields = { SET(STE_S2SL0, 3), SET(STE_S2TG, STE_S2TG_16K),
                  SET(STE_S2T0SZ, 16), SET(STE_S2DS, 1) } },
    { "s2sl0-2-4-needs-52-bits-with-4k", "34", STAGE2, false,
      .ids = { ID(oas, 5) },
      .fields = { SET(STE_S2SL0_2, 1), SET(STE_S2SL0, 0),
                  SET(STE_S2T0SZ, 16), SET(STE_S2DS, 1) } },
    { "s2sl0-2-with-more-is-reserved", "34", STAGE2, false,
      .fields = { SET(STE_S2SL0, 1), SET(STE_S2SL0_2, 1), SET(STE_S2DS, 1) } },
    { "s2sl0-2-is-ignored-without-s2ds", "34", STAGE2, true,
      .fields = { SET(STE_S2SL0_2, 1) } },
    { "s2sl0-2-is-ignored-without-ds", "34", STAGE2, true,
      .ids = { ID(ds, 0) },
      .fields = { SET(STE_S2SL0_2, 1), SET(STE_S2DS, 1) } },
    { "s2endi-needs-big-endian", "34", STAGE2, false,
      .ids = { ID(ttendian, IDR0_TTENDIAN_LE) },
      .fields = { SET(STE_S2ENDI, 1) } },
    { "s2endi-0-needs-little-endian", "34", STAGE2, false,
      .ids = { ID(ttendian, IDR0_TTENDIAN_BE) } },
    { "s2endi-is-legal-with-big-endian", "34", STAGE2, true,
      .ids = { ID(ttendian, IDR0_TTENDIAN_BE) },
      .fields = { SET(STE_S2ENDI, 1) } },
    { "s2-fields-are-ignored-without-stage2", "38", STAGE1, true,
      .fields = { SET(STE_S2TG, 3), SET(STE_S2T0SZ, 63), SET(STE_S2AA64, 0),
                  SET(STE_S2TTB, GARBAGE), SET(STE_S2HD, 1),
                  SET(STE_S2ENDI, 1) },
      .ids = { ID(httu, 0), ID(ttendian, IDR0_TTENDIAN_LE) } },

    /* VMID */
    { "s2vmid-needs-vmid16-for-stage1-too", "36", STAGE1, false,
      .ids = { ID(vmid16, 0) }, .fields = { SET(STE_S2VMID, 0x100) } },
    { "s2vmid-needs-vmid16-for-stage2", "36", STAGE2, false,
      .ids = { ID(vmid16, 0) }, .fields = { SET(STE_S2VMID, 0x100) } },
    { "s2vmid-8-bits-without-vmid16", "36", STAGE2, true,
      .ids = { ID(vmid16, 0) }, .fields = { SET(STE_S2VMID, 0xff) } },
    { "s2vmid-is-ignored-in-bypass", "36", BYPASS, true,
      .ids = { ID(vmid16, 0) }, .fields = { SET(STE_S2VMID, 0x100) } },
    { "s2vmid-is-ignored-at-el2", "36", STAGE1, true,
      .ids = { ID(vmid16, 0) },
      .fields = { SET(STE_S2VMID, 0x100), SET(STE_STRW, 2) } },
    { "s2vmid-is-ignored-without-s2p", "36", STAGE1, true,
      .ids = { ID(vmid16, 0), ID(s2p, 0), ID(hyp, 0) },
      .fields = { SET(STE_S2VMID, 0x100) } },

    /* Common mistakes */
    { "reserved-overrides-are-legal", "", NESTED, true,
      .fields = { SET(STE_PRIVCFG, 1), SET(STE_INSTCFG, 1),
                  SET(STE_SHCFG, 0) } },
};

static void base_ste(Base base, uint64_t ste[SMMU3_STE_WORDS])
{
    const PageTable pt = {
        .page_log2 = 12, .in_bits = 40, .start_level = 1, .root = 0x40000000,
    };

    switch (base) {
    case BYPASS:
        ste_bypass(ste);
        break;
    case STAGE1:
        ste_stage1(ste, 0x50000000, 0);
        break;
    case STAGE2:
        ste_stage2(ste, &pt, 7);
        break;
    case NESTED:
        ste_nested(ste, 0x50000000, 0, &pt, 7);
        break;
    }
}

static void test_case(gconstpointer data)
{
    const SteCase *c = data;
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Features f;
    Smmu3Stream stream;

    features_all(&f);
    base_ste(c->base, ste);
    g_assert_cmpint(smmu3_ste_decode(&f, false, ste, &stream), ==,
                    EVENT_NONE);
    set_ids(&f, c->ids, G_N_ELEMENTS(c->ids));
    set_fields(ste, c->fields, G_N_ELEMENTS(c->fields));
    g_assert_cmpint(smmu3_ste_decode(&f, false, ste, &stream), ==,
                    c->legal ? EVENT_NONE : C_BAD_STE);
}

/* ---- What it decodes to ------------------------------------------------ */

static Smmu3Stream decode(const Smmu3Features *f, bool e2h,
                          const uint64_t *ste)
{
    Smmu3Stream stream;

    g_assert_cmpint(smmu3_ste_decode(f, e2h, ste, &stream), ==, EVENT_NONE);
    return stream;
}

static void test_world(void)
{
    static const struct {
        Base base;
        unsigned strw, hyp, e2h;
        Smmu3World world;
        unsigned vmid;
    } rows[] = {
        { STAGE1, 0, 1, 0, SMMU3_WORLD_NS_EL1, 7 },
        { STAGE1, 2, 1, 0, SMMU3_WORLD_NS_EL2, 0 },
        { STAGE1, 2, 1, 1, SMMU3_WORLD_NS_EL2_E2H, 0 },
        { STAGE1, 2, 0, 1, SMMU3_WORLD_NS_EL1, 7 },
        { STAGE2, 2, 1, 1, SMMU3_WORLD_NS_EL1, 7 },
        { NESTED, 2, 1, 1, SMMU3_WORLD_NS_EL1, 7 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t ste[SMMU3_STE_WORDS];
        Smmu3Features f;
        Smmu3Stream stream;

        features_all(&f);
        f.hyp = rows[i].hyp;
        base_ste(rows[i].base, ste);
        smmu3_set(ste, STE_S2VMID, 7);
        smmu3_set(ste, STE_STRW, rows[i].strw);
        stream = decode(&f, rows[i].e2h, ste);
        g_assert_cmpint(stream.world, ==, rows[i].world);
        g_assert_cmpint(stream.vmid, ==, rows[i].vmid);
    }
}

static void test_stage1_fields(void)
{
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Features f;
    Smmu3Stream stream;

    features_all(&f);
    ste_stage1(ste, UINT64_C(0xabcde123000), 9);
    smmu3_set(ste, STE_S1FMT, STE_S1FMT_64K_L2);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_BYPASS);
    smmu3_set(ste, STE_S1STALLD, 1);
    smmu3_set(ste, STE_PPAR, 1);
    stream = decode(&f, false, ste);
    g_assert_cmpint(stream.config, ==, STE_CONFIG_S1);
    g_assert_true(stream.s1 && !stream.s2);
    g_assert_cmphex(stream.s1contextptr, ==, UINT64_C(0xabcde123000));
    g_assert_cmpint(stream.s1cdmax, ==, 9);
    g_assert_cmpint(stream.s1fmt, ==, STE_S1FMT_64K_L2);
    g_assert_cmpint(stream.s1dss, ==, STE_S1DSS_BYPASS);
    g_assert_true(stream.s1stalld && stream.ppar);

    smmu3_set(ste, STE_S1FMT, 3);
    smmu3_set(ste, STE_S1DSS, 3);
    stream = decode(&f, false, ste);
    g_assert_cmpint(stream.s1fmt, ==, STE_S1FMT_LINEAR);
    g_assert_cmpint(stream.s1dss, ==, STE_S1DSS_TERMINATE);

    f.ssidsize = 0;
    stream = decode(&f, false, ste);
    g_assert_cmpint(stream.s1cdmax, ==, 0);
}

static void test_stage2_fields(void)
{
    const PageTable pt = {
        .page_log2 = 16, .in_bits = 44, .start_level = 1,
        .root = UINT64_C(0x8000040000),
    };
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Features f;
    Smmu3Stage2 s2;

    features_all(&f);
    ste_stage2(ste, &pt, 7);
    smmu3_set(ste, STE_S2PS, 4);
    smmu3_set(ste, STE_S2HA, 1);
    smmu3_set(ste, STE_S2HD, 1);
    smmu3_set(ste, STE_S2PTW, 1);
    smmu3_set(ste, STE_S2S, 1);
    smmu3_set(ste, STE_S2FWB, 1);
    s2 = decode(&f, false, ste).stage2;
    g_assert_cmphex(s2.ttb, ==, pt.root);
    g_assert_cmpint(s2.t0sz, ==, 20);
    g_assert_cmpint(s2.page_log2, ==, 16);
    g_assert_cmpint(s2.start_level, ==, 1);
    g_assert_cmpint(s2.oa_bits, ==, 44);
    g_assert_true(s2.ha && s2.hd && s2.protect_walks && s2.fwb);
    g_assert_true(s2.stall && s2.record);
    g_assert_false(s2.affd || s2.ds || s2.big_endian);

    smmu3_set(ste, STE_S2HA, 0);
    s2 = decode(&f, false, ste).stage2;
    g_assert_false(s2.ha || s2.hd);
}

static void test_overrides(void)
{
    static const Smmu3Override meaning[] = {
        SMMU3_OVERRIDE_NONE, SMMU3_OVERRIDE_NONE, SMMU3_OVERRIDE_CLEAR,
        SMMU3_OVERRIDE_SET,
    };

    for (unsigned i = 0; i < 4; i++) {
        uint64_t ste[SMMU3_STE_WORDS];
        Smmu3Features f;
        Smmu3Stream stream;

        features_all(&f);
        ste_stage1(ste, 0x50000000, 0);
        smmu3_set(ste, STE_PRIVCFG, i);
        smmu3_set(ste, STE_INSTCFG, 3 - i);
        stream = decode(&f, false, ste);
        g_assert_cmpint(stream.priv, ==, meaning[i]);
        g_assert_cmpint(stream.inst, ==, meaning[3 - i]);
        f.attr_perms_ovr = 0;
        stream = decode(&f, false, ste);
        g_assert_cmpint(stream.priv, ==, SMMU3_OVERRIDE_NONE);
        g_assert_cmpint(stream.inst, ==, SMMU3_OVERRIDE_NONE);
    }
}

static void test_eats(void)
{
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Features f;

    features_all(&f);
    ste_stage1(ste, 0x50000000, 0);
    smmu3_set(ste, STE_EATS, STE_EATS_FULL);
    g_assert_cmpint(decode(&f, false, ste).eats, ==, STE_EATS_FULL);
    smmu3_set(ste, STE_EATS, 3);
    g_assert_cmpint(decode(&f, false, ste).eats, ==, STE_EATS_NONE);
    smmu3_set(ste, STE_EATS, STE_EATS_FULL);
    f.ats = f.pri = 0;
    g_assert_cmpint(decode(&f, false, ste).eats, ==, STE_EATS_NONE);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/smmu3/ste/", cases[i].rule,
                                            NULL);

        conformance_test_data(path, &cases[i], test_case, cases[i].items);
    }
    conformance_test("/smmu3/ste/world-follows-strw-and-e2h", test_world,
                     "29");
    conformance_test("/smmu3/ste/stage1-fields", test_stage1_fields, "28");
    conformance_test("/smmu3/ste/stage2-fields", test_stage2_fields, "");
    conformance_test("/smmu3/ste/overrides", test_overrides, "");
    conformance_test("/smmu3/ste/eats-3-acts-as-none", test_eats, "33");
    return conformance_run();
}
