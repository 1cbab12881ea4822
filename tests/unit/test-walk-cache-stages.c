/*
 * The walk cache where there is a stage 2: alone, and under stage 1, whose tables
 * it says the place of. Seen from outside, by how many descriptors a miss reads and
 * by what it finds. Stage 1 alone is in test-walk-cache.c. One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "core/inject/grammar.h"
#include "two-stages.h"

/* What else the pages are mapped to. */
#define OTHER_PA UINT64_C(0x234567000000)
#define OTHER_IPA UINT64_C(0x6543410000)
enum { PAGES = 32 };

static uint64_t reads(Setup *x)
{
    return smmu3_counters(x->rig->smmu)->descriptor_reads;
}

/* Descriptors that were read to translate @in, which is to be @pa. */
static unsigned reads_for(Setup *x, uint64_t in, uint64_t pa)
{
    uint64_t before = reads(x);

    g_assert_cmpint(translate(x, dma_read(SID, in)), ==, SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, pa);
    return reads(x) - before;
}

/* Another table of pages for @in, of the PAGES pages to @out; the old one stays. */
static void replace_table(PageTable *pt, uint64_t in, uint64_t out,
                          uint64_t attributes)
{
    pt_write(pt, pt_entry(pt, in, 2), 0);
    pt_map_range(pt, in, out, PAGES * PAGE, attributes);
}

static void run(Setup *x, uint64_t word0, uint64_t word1)
{
    rig_command2(x->rig, word0, word1);
    rig_sync(x->rig);
}

#define VMID_OF(n)  ((uint64_t)(n) << 32)
#define ASID(n)     ((uint64_t)(n) << 48)
#define SID0(n)     ((uint64_t)(n) << 32)
#define LEAF        UINT64_C(1)

/* ---- Stage 2 alone ----------------------------------------------------- */

/* Tables of three levels; those of page 0 are known. */
static void start_stage2(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init_stage2(&x->s2, x->rig->host, 12, 40, 1, false);
    pt_map_range(&x->s2, IPA, PA, PAGES * PAGE, PT_S2_RW);
    ste_stage2(x->ste, &x->s2, VMID);
    rig_set_ste(x->rig, SID, x->ste);
    g_assert_cmpuint(reads_for(x, IPA, PA), ==, 3);
    g_assert_cmpuint(reads_for(x, IPA + PAGE, PA + PAGE), ==, 1);
}

/* A start table of several: what is below it is known like any other. */
static void test_concatenated_tables(void)
{
    uint64_t far = UINT64_C(0xc0000000);
    Setup x = { .rig = rig_new() };

    rig_start(x.rig);
    pt_init_stage2(&x.s2, x.rig->host, 12, 34, 2, false);
    pt_map_range(&x.s2, far, PA, PAGES * PAGE, PT_S2_RW);
    pt_map_range(&x.s2, 0, OTHER_PA, PAGES * PAGE, PT_S2_RW);
    ste_stage2(x.ste, &x.s2, VMID);
    rig_set_ste(x.rig, SID, x.ste);
    g_assert_cmpuint(reads_for(&x, far, PA), ==, 2);
    g_assert_cmpuint(reads_for(&x, 0, OTHER_PA), ==, 2);
    g_assert_cmpuint(reads_for(&x, far + PAGE, PA + PAGE), ==, 1);
    g_assert_cmpuint(reads_for(&x, PAGE, OTHER_PA + PAGE), ==, 1);
    done(&x);
}

/* In words, so that a field that moves is noticed. */
static const struct {
    uint64_t word0, word1;
    bool ends;
} stage2_commands[] = {
    /* TLBI_S2_IPA: any address of the table's, of the VMID */
    { 0x2a | VMID_OF(VMID), IPA, true },
    { 0x2a | VMID_OF(VMID), IPA + 0x1ef000 - 0x10000, true },
    { 0x2a | VMID_OF(VMID), IPA + 0x200000, false },
    { 0x2a | VMID_OF(VMID), IPA | LEAF, false },
    { 0x2a | VMID_OF(VMID + 1), IPA, false },
    /* TLBI_S12_VMALL, NSNH_ALL */
    { 0x28 | VMID_OF(VMID), 0, true },
    { 0x28 | VMID_OF(VMID), LEAF, true },
    { 0x28 | VMID_OF(VMID + 1), 0, false },
    { 0x30, 0, true },
    /* What is of stage 1 alone, or of EL2 */
    { 0x10 | VMID_OF(VMID), 0, false },
    { 0x11 | VMID_OF(VMID), 0, false },
    { 0x12 | VMID_OF(VMID), IPA, false },
    { 0x13 | VMID_OF(VMID), IPA, false },
    { 0x20, 0, false },
    { 0x22, IPA, false },
    /* CFGI_STE, CFGI_ALL */
    { 0x03 | SID0(SID), LEAF, true },
    { 0x04, 31, true },
};

static void test_stage2_invalidations(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(stage2_commands); i++) {
        Setup x;

        g_test_message("case %u: 0x%" G_GINT64_MODIFIER "x 0x%"
                       G_GINT64_MODIFIER "x", i, stage2_commands[i].word0,
                       stage2_commands[i].word1);
        start_stage2(&x);
        replace_table(&x.s2, IPA, OTHER_PA, PT_S2_RW);
        run(&x, stage2_commands[i].word0, stage2_commands[i].word1);
        if (stage2_commands[i].ends) {
            g_assert_cmpuint(reads_for(&x, IPA + 9 * PAGE,
                                       OTHER_PA + 9 * PAGE), ==, 3);
        } else {
            g_assert_cmpuint(reads_for(&x, IPA + 9 * PAGE, PA + 9 * PAGE),
                             ==, 1);
        }
        done(&x);
    }
}

/* An STE with other tables, under the same VMID: CFGI_STE is enough for them. */
static void test_other_tables_of_one_vmid(void)
{
    Setup x;

    start_stage2(&x);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    pt_map_range(&x.s2, IPA, OTHER_PA, PAGES * PAGE, PT_S2_RW);
    ste_stage2(x.ste, &x.s2, VMID);
    rig_set_ste(x.rig, SID, x.ste);
    g_assert_cmpuint(reads_for(&x, IPA + 9 * PAGE, OTHER_PA + 9 * PAGE), ==,
                     3);
    done(&x);
}

/* ---- Stage 1 over stage 2 ---------------------------------------------- */

/* Where the tables of stage 1 are, by level, and the CD: one page of IPA each. */
static void map_tables(Setup *x)
{
    for (int level = x->s1.start_level; level <= 3; level++) {
        uint64_t pa = pt_entry(&x->s1, VA, level);

        pt_map(&x->s2, pa + DELTA, pa, 3, PT_S2_RW);
    }
}

/* VA is at IPA, which is at PA. */
static void prepare_nested(Setup *x)
{
    FakeHost *host;

    rig_start(x->rig);
    host = x->rig->host;
    pt_init_stage2(&x->s2, host, 12, 40, 1, false);
    pt_init(&x->s1, host, 12, 48, false);
    x->s1.ipa_delta = DELTA;
    x->cds = fake_alloc(host, 4096, 4096);
    pt_map_range(&x->s1, VA, IPA, PAGES * PAGE, PT_USER_RW);
    pt_map_range(&x->s2, IPA, PA, PAGES * PAGE, PT_S2_RW);
    pt_map_range(&x->s2, OTHER_IPA, OTHER_PA, PAGES * PAGE, PT_S2_RW);
    map_tables(x);
    pt_map(&x->s2, x->cds + DELTA, x->cds, 3, PT_S2_RW);
    cd_for(x->cd, &x->s1, 1);
    ste_nested(x->ste, x->cds + DELTA, 0, &x->s2, VMID);
    apply(x);
}

/*
 * All of stage 2 that the tables of page 0 are found by is in the TLB, and what page
 * 0 is found by is known of both stages.
 */
static void start_nested(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    prepare_nested(x);
    reads_for(x, VA, PA);
    /* One of each stage: the table's page is in the TLB */
    g_assert_cmpuint(reads_for(x, VA + PAGE, PA + PAGE), ==, 1 + 1);
}

/* Where page @page of stage 1's last table is found: PA of its descriptor. */
static uint64_t leaf_at(Setup *x, unsigned page)
{
    return pt_entry(&x->s1, VA, 3) + 8 * page;
}

/*
 * The hypervisor moves the page that has the table of pages: TLBI_S2_IPA for this
 * page, and the next walk reads it where it is now, though the table is known.
 */
static void test_moved_page_of_a_table(void)
{
    static const bool leaf[] = { false, true };

    for (unsigned i = 0; i < G_N_ELEMENTS(leaf); i++) {
        uint64_t old, new;
        Setup x;

        start_nested(&x);
        old = leaf_at(&x, 0) & ~UINT64_C(0xfff);
        new = fake_alloc(x.rig->host, 4096, 4096);
        for (unsigned n = 0; n < 512; n++) {
            fake_write64(x.rig->host, new + 8 * n,
                         fake_read64(x.rig->host, old + 8 * n));
            /* Who still reads there finds nothing. */
            fake_write64(x.rig->host, old + 8 * n, 0);
        }
        pt_map(&x.s2, old + DELTA, new, 3, PT_S2_RW);
        run(&x, 0x2a | VMID_OF(VMID), (old + DELTA) | leaf[i]);
        run(&x, 0x10 | VMID_OF(VMID), 0);
        g_assert_cmpint(translate(&x, dma_read(SID, VA + 9 * PAGE)), ==,
                        SMMU3_OK);
        g_assert_cmphex(x.result.pa, ==, PA + 9 * PAGE);
        done(&x);
    }
}

/*
 * Without the invalidation of stage 1 as well: the table is still known, as what it
 * is, an IPA. Stage 2's part of the way to it is found anew.
 */
static void test_stage2_need_not_know_of_tables(void)
{
    uint64_t old, new;
    Setup x;

    start_nested(&x);
    old = leaf_at(&x, 0) & ~UINT64_C(0xfff);
    new = fake_alloc(x.rig->host, 4096, 4096);
    fake_write64(x.rig->host, new + (leaf_at(&x, 9) & 0xfff),
                 fake_read64(x.rig->host, leaf_at(&x, 20)));
    fake_write64(x.rig->host, leaf_at(&x, 9), 0);
    pt_map(&x.s2, old + DELTA, new, 3, PT_S2_RW);
    run(&x, 0x2a | VMID_OF(VMID), (old + DELTA) | LEAF);
    /* Of stage 1 one; of stage 2 the table's page and the output's */
    g_assert_cmpuint(reads_for(&x, VA + 9 * PAGE, PA + 20 * PAGE), ==, 3);
    done(&x);
}

/* Which of the two stages' tables a command ends, with stage 1's replaced. */
static const struct {
    uint64_t word0, word1;
    bool ends;
} nested_commands[] = {
    { 0x12 | VMID_OF(VMID) | ASID(1), VA, true },
    { 0x12 | VMID_OF(VMID) | ASID(1), VA | LEAF, false },
    { 0x12 | VMID_OF(VMID) | ASID(2), VA, false },
    { 0x12 | VMID_OF(VMID + 1) | ASID(1), VA, false },
    { 0x13 | VMID_OF(VMID), VA, true },
    { 0x13 | VMID_OF(VMID), VA | LEAF, false },
    { 0x11 | VMID_OF(VMID) | ASID(1), 0, true },
    { 0x11 | VMID_OF(VMID) | ASID(2), 0, false },
    { 0x10 | VMID_OF(VMID), 0, true },
    { 0x10 | VMID_OF(VMID + 1), 0, false },
    { 0x28 | VMID_OF(VMID), 0, true },
    { 0x28 | VMID_OF(VMID + 1), 0, false },
    { 0x30, 0, true },
    { 0x2a | VMID_OF(VMID), VA & 0xffffffffff, false },
    { 0x2a | VMID_OF(VMID), IPA, false },
    { 0x20, 0, false },
    { 0x03 | SID0(SID), LEAF, true },
    { 0x04, 31, true },
    { 0x05 | SID0(SID), LEAF, true },
    { 0x06 | SID0(SID), 0, true },
};

static void test_nested_invalidations(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(nested_commands); i++) {
        uint64_t expected = nested_commands[i].ends ? OTHER_PA : PA;
        Setup x;

        g_test_message("case %u: 0x%" G_GINT64_MODIFIER "x 0x%"
                       G_GINT64_MODIFIER "x", i, nested_commands[i].word0,
                       nested_commands[i].word1);
        start_nested(&x);
        replace_table(&x.s1, VA, OTHER_IPA, PT_USER_RW);
        map_tables(&x);
        run(&x, nested_commands[i].word0, nested_commands[i].word1);
        reads_for(&x, VA + 9 * PAGE, expected + 9 * PAGE);
        g_assert_cmpuint(reads_for(&x, VA + 10 * PAGE, expected + 10 * PAGE),
                         ==, 1 + 1);
        done(&x);
    }
}

/*
 * Stage 2's table of pages is replaced, by which both the output and stage 1's
 * tables are found.
 */
static void test_replaced_table_of_stage2(void)
{
    for (unsigned leaf = 0; leaf < 2; leaf++) {
        uint64_t expected = leaf ? PA : OTHER_PA;
        Setup x;

        start_nested(&x);
        replace_table(&x.s2, IPA, OTHER_PA, PT_S2_RW);
        run(&x, 0x2a | VMID_OF(VMID), IPA | leaf);
        reads_for(&x, VA + 9 * PAGE, expected + 9 * PAGE);
        g_assert_cmpuint(reads_for(&x, VA + 10 * PAGE, expected + 10 * PAGE),
                         ==, 1 + 1);
        done(&x);
    }
}

/* The guest may no longer read its table's page: the fault is of stage 2, CLASS=TT. */
static void test_table_that_stage2_takes_away(void)
{
    uint64_t page;
    Setup x;

    start_nested(&x);
    page = leaf_at(&x, 0) & ~UINT64_C(0xfff);
    pt_write(&x.s2, pt_entry(&x.s2, page + DELTA, 3), 0);
    run(&x, 0x2a | VMID_OF(VMID), (page + DELTA) | LEAF);
    g_assert_cmpint(translate(&x, dma_read(SID, VA + 9 * PAGE)), ==,
                    SMMU3_ABORT);
    rig_expect_event(x.rig, F_TRANSLATION, x.event);
    g_assert_true(smmu3_get(x.event, EVENT_S2));
    g_assert_cmpint(smmu3_get(x.event, EVENT_CLASS), ==, CLASS_TT);
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_IPA), ==, page + DELTA);
    pt_map(&x.s2, page + DELTA, page, 3, PT_S2_RW);
    reads_for(&x, VA + 9 * PAGE, PA + 9 * PAGE);
    done(&x);
}

/*
 * inject= has the second walk for the table's page abort: that is the transaction's
 * end, though a walk from the root might look for the page once more.
 */
static void test_aborted_walk(void)
{
    g_autofree char *plan = NULL, *wrong = NULL;
    uint64_t page;
    Setup x = { .rig = rig_new() };

    prepare_nested(&x);
    page = leaf_at(&x, 0) & ~UINT64_C(0xfff);
    rig_free(x.rig);
    x.rig = rig_new();
    plan = g_strdup_printf("abort:walk:2:0x%" G_GINT64_MODIFIER "x",
                           page + DELTA);
    wrong = smmu3_inject_parse(plan, &x.rig->options.inject);
    g_assert_cmpstr(wrong, ==, NULL);
    prepare_nested(&x);
    reads_for(&x, VA, PA);
    run(&x, 0x2a | VMID_OF(VMID), (page + DELTA) | LEAF);
    g_assert_cmpint(translate(&x, dma_read(SID, VA + 9 * PAGE)), ==,
                    SMMU3_ABORT);
    rig_expect_event(x.rig, F_WALK_EABT, x.event);
    reads_for(&x, VA + 9 * PAGE, PA + 9 * PAGE);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/walk-cache-stages/concatenated-tables",
                     test_concatenated_tables, "");
    conformance_test("/smmu3/walk-cache-stages/stage2-invalidations",
                     test_stage2_invalidations, "");
    conformance_test("/smmu3/walk-cache-stages/other-tables-of-one-vmid",
                     test_other_tables_of_one_vmid, "");
    conformance_test("/smmu3/walk-cache-stages/moved-page-of-a-table",
                     test_moved_page_of_a_table, "");
    conformance_test("/smmu3/walk-cache-stages/stage2-need-not-know-of-tables",
                     test_stage2_need_not_know_of_tables, "");
    conformance_test("/smmu3/walk-cache-stages/nested-invalidations",
                     test_nested_invalidations, "");
    conformance_test("/smmu3/walk-cache-stages/replaced-table-of-stage2",
                     test_replaced_table_of_stage2, "");
    conformance_test("/smmu3/walk-cache-stages/table-that-stage2-takes-away",
                     test_table_that_stage2_takes_away, "");
    conformance_test("/smmu3/walk-cache-stages/aborted-walk",
                     test_aborted_walk, "");
    return conformance_run();
}
