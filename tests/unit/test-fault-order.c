/*
 * The order of faults (IHI 0070 7.3.22): all that can be wrong with a nested
 * transaction is wrong at once; each step finds the first of it, with its
 * stage and class, and puts just that right. Not what the records say beyond
 * that: test-event.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5, PAGE = 0x1000 };
#define VA      UINT64_C(0x20005000)
#define IPA     UINT64_C(0x3456789000)
#define PA      UINT64_C(0x2123456000)
/* Where stage 2 has the CD and stage 1's tables: so far from their PA. */
#define DELTA   UINT64_C(0x1000000000)
/* An address bit beyond both IPS and S2PS, which are 40 bits */
#define BEYOND  (UINT64_C(1) << 44)
#define HOLE    UINT64_C(0x0f00000000)

typedef struct Setup {
    Rig *rig;
    PageTable s1, s2;
    uint64_t cds;
    uint64_t ste[SMMU3_STE_WORDS], cd[SMMU3_CD_WORDS];
} Setup;

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init_stage2(&x->s2, x->rig->host, 12, 40, 1, false);
    /* Each where stage 2 has a table of its own for it, to spoil alone */
    fake_alloc(x->rig->host, PAGE, 1 << 21);
    pt_init(&x->s1, x->rig->host, 12, 30, false);   /* levels 2 and 3 */
    x->s1.ipa_delta = DELTA;
    x->cds = fake_alloc(x->rig->host, PAGE, 1 << 21);
    fake_alloc(x->rig->host, PAGE, 1 << 21);
    pt_entry(&x->s1, VA, 3);
    cd_for(x->cd, &x->s1, 1);
    smmu3_set(x->cd, CD_IPS, 2);
    ste_nested(x->ste, x->cds + DELTA, 3, &x->s2, 7);
    smmu3_set(x->ste, STE_S2PS, 2);
}

static void forget(Setup *x)
{
    rig_invalidate_all(x->rig);
}

/* The access, a write, finds this; and nothing more is recorded. */
static void expect(Setup *x, Smmu3Transaction t, Smmu3EventType type,
                   bool stage2, Smmu3Class class)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Smmu3Translation result;

    forget(x);
    g_assert_cmpint(smmu3_translate(x->rig->smmu, &t, &result), ==,
                    SMMU3_ABORT);
    rig_expect_event(x->rig, type, event);
    rig_expect_no_event(x->rig);
    g_assert_cmpint(smmu3_get(event, EVENT_S2), ==, stage2);
    g_assert_cmpint(smmu3_get(event, EVENT_CLASS), ==, class);
    g_assert_cmpint(smmu3_get(event, EVENT_STALL), ==, 0);
}

static void expect_config(Setup *x, Smmu3Transaction t, Smmu3EventType type)
{
    expect(x, t, type, false, 0);
}

/*
 * All that stage 2 may object to at @ipa, one after the other; in the end it
 * maps @pa.
 */
static void stage2_in_order(Setup *x, uint64_t ipa, uint64_t pa,
                            Smmu3Class class)
{
    Smmu3Transaction t = dma_write(SID, VA);
    uint64_t table = pt_entry(&x->s2, ipa, 2), to_level3;

    pt_map(&x->s2, ipa, pa | BEYOND, 3, 0);         /* AF=0, no rights */
    to_level3 = pt_read(&x->s2, table);
    pt_write(&x->s2, table, HOLE | 3);
    expect(x, t, F_WALK_EABT, true, class);
    pt_write(&x->s2, table, to_level3 & ~UINT64_C(1));
    expect(x, t, F_TRANSLATION, true, class);
    pt_write(&x->s2, table, to_level3);
    expect(x, t, F_ADDR_SIZE, true, class);
    pt_map(&x->s2, ipa, pa, 3, 0);
    expect(x, t, F_ACCESS, true, class);
    pt_map(&x->s2, ipa, pa, 3, PT_AF);
    expect(x, t, F_PERMISSION, true, class);
    pt_map(&x->s2, ipa, pa, 3, PT_S2_RW);
}

static void configuration_in_order(Setup *x)
{
    Smmu3Transaction t = dma_write(SID, VA);

    /* What is wrong: the STE, S1DSS, SubstreamID 9, the CD's place */
    smmu3_set(x->ste, STE_V, 0);
    smmu3_set(x->ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    rig_set_ste(x->rig, SID, x->ste);
    fake_unmap(x->rig->host, x->rig->strtab, PAGE);
    expect_config(x, with_ssid(dma_write(1000, VA), 9), C_BAD_STREAMID);
    expect_config(x, with_ssid(t, 9), F_STE_FETCH);
    fake_map(x->rig->host, x->rig->strtab, PAGE);
    rig_set_ste(x->rig, SID, x->ste);
    expect_config(x, with_ssid(t, 9), C_BAD_STE);
    smmu3_set(x->ste, STE_V, 1);
    rig_set_ste(x->rig, SID, x->ste);
    expect_config(x, with_ssid(t, 9), C_BAD_SUBSTREAMID);
    expect_config(x, t, F_STREAM_DISABLED);
    smmu3_set(x->ste, STE_S1DSS, STE_S1DSS_CD0);
    rig_set_ste(x->rig, SID, x->ste);
}

static void context_in_order(Setup *x)
{
    Smmu3Transaction t = dma_write(SID, VA);

    fake_unmap(x->rig->host, x->cds, PAGE);
    stage2_in_order(x, x->cds + DELTA, x->cds, CLASS_CD);
    expect_config(x, t, F_CD_FETCH);
    fake_map(x->rig->host, x->cds, PAGE);
    expect_config(x, t, C_BAD_CD);
    fake_write_words(x->rig->host, x->cds, x->cd, SMMU3_CD_WORDS);
}

/* A table of stage 1, whose page is @pa: first its place, then its memory. */
static void table_in_order(Setup *x, uint64_t pa)
{
    Smmu3Transaction t = dma_write(SID, VA);

    pa &= ~UINT64_C(0xfff);
    fake_unmap(x->rig->host, pa, PAGE);
    stage2_in_order(x, pa + DELTA, pa, CLASS_TT);
    expect(x, t, F_WALK_EABT, false, CLASS_TT);
    fake_map(x->rig->host, pa, PAGE);
    expect(x, t, F_TRANSLATION, false, CLASS_IN);
}

static void stage1_in_order(Setup *x)
{
    Smmu3Transaction t = dma_write(SID, VA);
    uint64_t level2 = pt_entry(&x->s1, VA, 2), level3 = pt_entry(&x->s1, VA, 3);
    uint64_t to_level3 = pt_read(&x->s1, level2);

    table_in_order(x, level2);
    pt_write(&x->s1, level2, to_level3 | BEYOND);
    expect(x, t, F_ADDR_SIZE, false, CLASS_IN);
    pt_write(&x->s1, level2, to_level3);
    table_in_order(x, level3);
    pt_map(&x->s1, VA, IPA | BEYOND, 3, PT_RO);
    expect(x, t, F_ADDR_SIZE, false, CLASS_IN);
    pt_map(&x->s1, VA, IPA, 3, PT_RO);
    expect(x, t, F_ACCESS, false, CLASS_IN);
    pt_map(&x->s1, VA, IPA, 3, PT_AF | PT_RO);
    expect(x, t, F_PERMISSION, false, CLASS_IN);
    pt_map(&x->s1, VA, IPA, 3, PT_USER_RW);
}

static void test_nested(void)
{
    Smmu3Transaction t = dma_write(SID, VA + 0x18);
    Smmu3Translation result;
    Setup x;

    setup(&x);
    configuration_in_order(&x);
    context_in_order(&x);
    /* First of all, without any table: the input's own range */
    expect(&x, dma_write(SID, UINT64_C(1) << 30), F_TRANSLATION, false,
           CLASS_IN);
    stage1_in_order(&x);
    stage2_in_order(&x, IPA, PA, CLASS_IN);
    forget(&x);
    g_assert_cmpint(smmu3_translate(x.rig->smmu, &t, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, PA + 0x18);
    rig_expect_no_event(x.rig);
    rig_free(x.rig);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/fault-order/nested", test_nested, "59 73 119");
    return conformance_run();
}
