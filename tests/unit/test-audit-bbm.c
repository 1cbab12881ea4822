/*
 * The auditor on break-before-make: tables that change a block's size while it is
 * cached. Not what becomes of another output (test-audit.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/audit/reports.h"
#include "audit-rig.h"

#define BLOCK_VA    (VA & ~smmu3_mask(21))
#define BLOCK_PA    (PA & ~smmu3_mask(21))

static void audited_with_bbml(Setup *x, unsigned bbml)
{
    audited_rig(x, "");
    x->rig->features.bbml = bbml;
    /* It is mandatory from there on */
    x->rig->features.aidr_minor = bbml ? x->rig->features.aidr_minor : 1;
    setup_start(x);
}

/* No block any more: whatever is done here, nothing is invalidated. */
static void map_pages(Setup *x, uint64_t bits)
{
    pt_write(&x->pt, pt_entry(&x->pt, BLOCK_VA, 2), 0);
    for (unsigned i = 0; i < 512; i++) {
        pt_map(&x->pt, BLOCK_VA + i * PAGE, BLOCK_PA + i * PAGE, 3,
               PT_USER_RW | bits);
    }
}

static void expect_unbroken(Setup *x, bool reported, uint64_t bytes,
                            uint64_t tables_bytes)
{
    g_autoptr(GString) words = g_string_new(NULL);
    const Smmu3AuditReport *r;

    g_assert_cmpuint(reports(x), ==, reported);
    if (reported) {
        r = report_at(x, 0);
        g_assert_cmpint(r->kind, ==, SMMU3_STALE_SIZE);
        g_assert_cmphex(r->bytes, ==, bytes);
        g_assert_cmphex(r->tables_bytes, ==, tables_bytes);
        g_assert_cmphex(r->cached_output, ==, r->tables_output);
        smmu3_report_words(r, words);
        g_assert_nonnull(strstr(words->str, "no break before make"));
        g_assert_null(strstr(words->str, "not invalidated for"));
    }
    g_assert_cmpuint(COUNTER(x, audit_suspicions), ==, 0);
}

/* A block becomes pages, with the same outputs. */
static void test_split_without_break(void)
{
    for (unsigned bbml = 0; bbml <= 2; bbml++) {
        Setup x;

        audited_with_bbml(&x, bbml);
        pt_write(&x.pt, pt_entry(&x.pt, BLOCK_VA, 2),
                 BLOCK_PA | PT_USER_RW | 1);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        map_pages(&x, 0);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        /* Once for an entry */
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        expect_unbroken(&x, bbml < 2, 512 * PAGE, PAGE);
        g_assert_cmpuint(COUNTER(&x, audit_reports), ==, bbml < 2);
        done(&x);
    }
}

/* Level 1 allows it of a block that has nT. */
static void test_split_of_nt_block(void)
{
    for (unsigned bbml = 0; bbml <= 1; bbml++) {
        Setup x;

        audited_with_bbml(&x, bbml);
        pt_write(&x.pt, pt_entry(&x.pt, BLOCK_VA, 2),
                 BLOCK_PA | PT_USER_RW | smmu3_field_mask(TTD_NT) | 1);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        map_pages(&x, 0);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        expect_unbroken(&x, !bbml, 512 * PAGE, PAGE);
        done(&x);
    }
}

/* Pages become a block: a walk for another page of it meets one that is cached. */
static void test_join_without_break(void)
{
    for (unsigned invalidated = 0; invalidated < 2; invalidated++) {
        Setup x;

        audited_with_bbml(&x, 0);
        map_pages(&x, 0);
        expect_pa(&x, dma_read(SID, BLOCK_VA + 7 * PAGE), BLOCK_PA + 7 * PAGE);
        if (invalidated) {
            pt_write(&x.pt, pt_entry(&x.pt, BLOCK_VA, 2), 0);
            tlbi_va(&x, ASID, BLOCK_VA + 7 * PAGE);
        }
        pt_write(&x.pt, pt_entry(&x.pt, BLOCK_VA, 2),
                 BLOCK_PA | PT_USER_RW | 1);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        expect_unbroken(&x, !invalidated, PAGE, 512 * PAGE);
        done(&x);
    }
}

/* 16 entries get the contiguous bit; found by the sweep. */
static void test_contiguous_without_break(void)
{
    Setup x;

    audited_with_bbml(&x, 0);
    map_pages(&x, 0);
    expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
    map_pages(&x, smmu3_field_mask(TTD_CONTIG));
    rig_sync(x.rig);
    expect_unbroken(&x, true, PAGE, 16 * PAGE);
    done(&x);
}

/* Another size and another output: it may have been broken, and waits. */
static void test_moved_block_waits(void)
{
    Setup x;

    audited_with_bbml(&x, 0);
    pt_write(&x.pt, pt_entry(&x.pt, BLOCK_VA, 2), BLOCK_PA | PT_USER_RW | 1);
    expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
    map_pages(&x, 0);
    pt_map(&x.pt, BLOCK_VA, BLOCK_PA + PAGE, 3, PT_USER_RW);
    expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* The invalidation that it needs came before it; or long before. */
static void test_split_after_invalidation(void)
{
    for (unsigned early = 0; early < 2; early++) {
        Setup x;

        audited_with_bbml(&x, 0);
        pt_write(&x.pt, pt_entry(&x.pt, BLOCK_VA, 2),
                 BLOCK_PA | PT_USER_RW | 1);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        tlbi_va(&x, ASID, BLOCK_VA);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        syncs(&x, 1, early ? 1 : 3 * GRACE_MS);
        map_pages(&x, 0);
        expect_pa(&x, dma_read(SID, BLOCK_VA), BLOCK_PA);
        expect_unbroken(&x, true, 512 * PAGE, PAGE);
        g_assert_cmpint(report_at(&x, 0)->has_early, ==, early);
        done(&x);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/audit/bbm/" name, fn)
    T("split", test_split_without_break);
    T("split-of-nt-block", test_split_of_nt_block);
    T("split-after-invalidation", test_split_after_invalidation);
    T("join", test_join_without_break);
    T("contiguous", test_contiguous_without_break);
    T("moved-block-waits", test_moved_block_waits);
    return g_test_run();
}
