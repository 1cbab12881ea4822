/*
 * Illegal STEs and CDs as a transaction meets them: one case at least of each
 * family of rules (IHI 0070 5.2.2, 5.4.2), with the whole record. Not every
 * rule: those are held to the decoder, in test-ste.c and test-cd.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cases.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5 };
#define IN UINT64_C(0x3f5678)
#define OUT UINT64_C(0x2345678000)

typedef enum { STAGE1, STAGE2, NESTED } Base;

/* What becomes of a read of IN: it passes, or one of these. */
#define PASSES EVENT_NONE

typedef struct LegalityCase {
    const char *rule, *items;
    Base base;
    Smmu3EventType outcome;
    IdValue ids[3];
    FieldValue ste[4], cd[4];
} LegalityCase;

static const LegalityCase cases[] = {
    { "ordinary-stage-1", "", STAGE1, PASSES, .cd = { { 0 } } },
    { "ordinary-stage-2", "", STAGE2, PASSES, .cd = { { 0 } } },
    { "ordinary-nested", "", NESTED, PASSES, .cd = { { 0 } } },

    { "stage-1-without-s1p", "25", STAGE1, C_BAD_STE, { ID(s1p, 0) } },
    { "nested-without-s1p", "25", NESTED, C_BAD_STE, { ID(s1p, 0) } },
    { "stage-2-without-s2p", "25", STAGE2, C_BAD_STE, { ID(s2p, 0) } },
    { "s1cdmax-above-ssidsize", "26", STAGE1, C_BAD_STE,
      { ID(ssidsize, 10) }, { SET(STE_S1CDMAX, 11) } },
    { "s1cdmax-as-ssidsize", "26", STAGE1, PASSES, { ID(ssidsize, 10) },
      { SET(STE_S1CDMAX, 10) } },
    { "two-levels-without-cd2l", "27", STAGE1, C_BAD_STE, { ID(cd2l, 0) },
      { SET(STE_S1CDMAX, 4), SET(STE_S1FMT, STE_S1FMT_4K_L2) } },
    { "two-levels-of-one-cd-without-cd2l", "27", STAGE1, PASSES,
      { ID(cd2l, 0) },
      { SET(STE_S1CDMAX, 0), SET(STE_S1FMT, STE_S1FMT_4K_L2) } },
    { "s1fmt-3-is-linear", "28", STAGE1, PASSES, { ID(cd2l, 0) },
      { SET(STE_S1CDMAX, 4), SET(STE_S1FMT, 3) } },
    { "strw-1", "29", STAGE1, C_BAD_STE, .ste = { SET(STE_STRW, 1) } },
    { "strw-1-nested", "29", NESTED, PASSES, .ste = { SET(STE_STRW, 1) } },
    { "strw-3-without-hyp", "29", STAGE1, PASSES, { ID(hyp, 0) },
      { SET(STE_STRW, 3) } },
    { "s1stalld-without-stalls", "30", STAGE1, C_BAD_STE,
      { ID(stall_model, 1), ID(stall_max, 0) }, { SET(STE_S1STALLD, 1) } },
    { "s1stalld", "30", STAGE1, PASSES, .ste = { SET(STE_S1STALLD, 1) } },
    { "s2s-without-stalls", "31", STAGE2, C_BAD_STE,
      { ID(stall_model, 1), ID(stall_max, 0) }, { SET(STE_S2S, 1) } },
    { "eats-1-with-s2s", "32", NESTED, C_BAD_STE,
      .ste = { SET(STE_EATS, STE_EATS_FULL), SET(STE_S2S, 1) } },
    { "eats-1-with-s2s-without-stage-2", "32", STAGE1, PASSES,
      .ste = { SET(STE_EATS, STE_EATS_FULL), SET(STE_S2S, 1) } },
    { "eats-2-without-stage-2", "33", STAGE1, C_BAD_STE,
      .ste = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-2-without-stage-1", "33", STAGE2, C_BAD_STE,
      .ste = { SET(STE_EATS, STE_EATS_SPLIT) } },
    { "eats-2-without-ats", "33", STAGE1, PASSES,
      { ID(ats, 0), ID(pri, 0), ID(atsrecerr, 0) },
      { SET(STE_EATS, STE_EATS_SPLIT) } },

    { "s2tg-reserved", "34", STAGE2, C_BAD_STE, .ste = { SET(STE_S2TG, 3) } },
    { "s2tg-absent", "34", NESTED, C_BAD_STE, { ID(gran4k, 0) },
      .cd = { SET(CD_TG0, CD_TG0_64K) } },
    { "s2t0sz-too-small", "34", STAGE2, C_BAD_STE,
      .ste = { SET(STE_S2T0SZ, 15), SET(STE_S2SL0, 2) } },
    { "s2sl0-too-low", "34", STAGE2, C_BAD_STE, .ste = { SET(STE_S2SL0, 0) } },
    { "s2sl0-too-high", "34", NESTED, C_BAD_STE,
      .ste = { SET(STE_S2T0SZ, 34) } },
    { "s2ttb-beyond-s2ps", "34", STAGE2, C_BAD_STE,
      .ste = { SET(STE_S2PS, 0), SET(STE_S2TTB, UINT64_C(1) << 28) } },
    { "s2endi-unsupported", "34", STAGE2, C_BAD_STE,
      { ID(ttendian, IDR0_TTENDIAN_LE) }, { SET(STE_S2ENDI, 1) } },
    { "s2aa64-0", "34", NESTED, C_BAD_STE, .ste = { SET(STE_S2AA64, 0) } },
    { "s2t0sz-42-without-stt", "35", STAGE2, C_BAD_STE, { ID(stt, 0) },
      { SET(STE_S2T0SZ, 42), SET(STE_S2SL0, 0) } },
    { "s2t0sz-42-with-a-level-that-does-not-fit", "35", STAGE2, C_BAD_STE,
      .ste = { SET(STE_S2T0SZ, 42), SET(STE_S2SL0, 1) } },
    { "vmid-of-16-bits-at-stage-1", "36", STAGE1, C_BAD_STE,
      { ID(vmid16, 0) }, { SET(STE_S2VMID, 0x100) } },
    { "vmid-of-16-bits-at-stage-2", "36", STAGE2, C_BAD_STE,
      { ID(vmid16, 0) }, { SET(STE_S2VMID, 0x100) } },
    { "vmid-of-8-bits", "36", STAGE2, PASSES, { ID(vmid16, 0) },
      { SET(STE_S2VMID, 0xff) } },
    { "s2ha-without-httu", "37", STAGE2, C_BAD_STE, { ID(httu, 0) },
      { SET(STE_S2HA, 1) } },
    { "s2hd-without-httu", "37", NESTED, C_BAD_STE, { ID(httu, 0) },
      { SET(STE_S2HD, 1) } },
    { "stage-2-fields-of-stage-1", "38", STAGE1, PASSES,
      { ID(httu, 0), ID(ttendian, IDR0_TTENDIAN_LE) },
      { SET(STE_S2TG, 3), SET(STE_S2T0SZ, 63),
        SET(STE_S2TTB, UINT64_MAX), SET(STE_S2HD, 1) } },

    { "cd-s-with-s1stalld", "46", STAGE1, C_BAD_CD,
      .ste = { SET(STE_S1STALLD, 1) }, .cd = { SET(CD_S, 1) } },
    { "cd-s-with-s1stalld-nested", "46", NESTED, C_BAD_CD,
      .ste = { SET(STE_S1STALLD, 1) }, .cd = { SET(CD_S, 1) } },
    { "cd-a-0-with-term-model", "46", STAGE1, C_BAD_CD,
      { ID(term_model, 1) }, .cd = { SET(CD_A, 0) } },
    { "cd-a-0", "46", STAGE1, PASSES, .cd = { SET(CD_A, 0) } },
    { "t0sz-too-small", "47", STAGE1, C_BAD_CD, .cd = { SET(CD_T0SZ, 11) } },
    { "tg1-reserved", "48", STAGE1, C_BAD_CD,
      .cd = { SET(CD_TG1, 0), SET(CD_T1SZ, 25), SET(CD_EPD1, 0) } },
    { "tg1-reserved-but-off", "48", STAGE1, PASSES,
      .cd = { SET(CD_TG1, 0), SET(CD_T1SZ, 25), SET(CD_EPD1, 1) } },
    { "ttb0-beyond-ips", "49", STAGE1, C_BAD_CD,
      .cd = { SET(CD_IPS, 0), SET(CD_TTB0, UINT64_C(1) << 28) } },
    { "ha-without-httu", "50", STAGE1, C_BAD_CD, { ID(httu, 0) },
      .cd = { SET(CD_HA, 1) } },
    { "hd-without-httu", "50", NESTED, C_BAD_CD, { ID(httu, 0) },
      .cd = { SET(CD_HD, 1) } },
    { "hd-with-httu-1", "50", STAGE1, C_BAD_CD, { ID(httu, 1) },
      .cd = { SET(CD_HA, 1), SET(CD_HD, 1) } },
};

/* The base's structures; stage 2 maps all the memory there is as it is. */
static void make_base(Rig *r, Base base, uint64_t ste[SMMU3_STE_WORDS],
                      uint64_t cd[SMMU3_CD_WORDS], uint64_t *cds)
{
    PageTable s1, s2;

    pt_init(&s1, r->host, 12, 39, false);
    pt_map(&s1, IN, OUT, 3, PT_USER_RW);
    *cds = fake_alloc(r->host, 16 * SMMU3_CD_BYTES, 1 << 16);
    cd_for(cd, &s1, 1);
    pt_init_stage2(&s2, r->host, 12, 40, 1, false);
    for (uint64_t gib = 0; gib < 16; gib++) {
        pt_map(&s2, gib << 30, gib << 30, 1, PT_S2_RW);
    }
    pt_map(&s2, OUT, OUT, 3, PT_S2_RW);
    switch (base) {
    case STAGE1:
        ste_stage1(ste, *cds, 0);
        break;
    case STAGE2:
        pt_init_stage2(&s2, r->host, 12, 40, 1, false);
        pt_map(&s2, IN, OUT, 3, PT_S2_RW);
        ste_stage2(ste, &s2, 7);
        break;
    case NESTED:
        ste_nested(ste, *cds, 0, &s2, 7);
        break;
    }
}

static void run_case(gconstpointer data)
{
    const LegalityCase *c = data;
    uint64_t ste[SMMU3_STE_WORDS], cd[SMMU3_CD_WORDS], cds;
    uint64_t event[SMMU3_EVENT_WORDS];
    g_autoptr(Rig) r = rig_new();
    Smmu3Transaction t = dma_read(SID, IN);
    Smmu3Translation result;
    Smmu3Outcome outcome;

    set_ids(&r->features, c->ids, G_N_ELEMENTS(c->ids));
    rig_start(r);
    make_base(r, c->base, ste, cd, &cds);
    set_fields(ste, c->ste, G_N_ELEMENTS(c->ste));
    set_fields(cd, c->cd, G_N_ELEMENTS(c->cd));
    fake_write_words(r->host, cds, cd, SMMU3_CD_WORDS);
    rig_set_ste(r, SID, ste);
    outcome = smmu3_translate(r->smmu, &t, &result);
    if (c->outcome == PASSES) {
        g_assert_cmpint(outcome, ==, SMMU3_OK);
        g_assert_cmphex(result.pa, ==, OUT | (IN & 0xfff));
    } else {
        g_assert_cmpint(outcome, ==, SMMU3_ABORT);
        rig_expect_event(r, c->outcome, event);
        g_assert_cmphex(event[0], ==, (uint64_t)SID << 32 | c->outcome);
        g_assert_cmphex(event[1] | event[2] | event[3], ==, 0);
    }
    rig_expect_no_event(r);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/smmu3/legality/%s",
                                                cases[i].rule);

        conformance_test_data(path, &cases[i], run_case, cases[i].items);
    }
    return conformance_run();
}
