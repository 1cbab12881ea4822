/*
 * Stage 2, alone and under stage 1: start levels and concatenated tables,
 * permissions, what stage 2 says of CD fetches and of stage 1's walks, and
 * what the records tell (IHI 0070 3.4, 5.2, 7.3; DDI 0487 D8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "core/tables/walk.h"
#include "two-stages.h"

/*
 * In a nested stream CDs and stage-1 tables are reached at their address plus
 * DELTA, mapped page by page at stage 2; VA is at IPA, and IPA at PA.
 */
static void map_tables_at_stage2(Setup *x, uint64_t attributes)
{
    for (int level = x->s1.start_level; level <= 3; level++) {
        uint64_t pa = pt_entry(&x->s1, VA, level);

        pt_map(&x->s2, pa + DELTA, pa, 3, attributes);
    }
    pt_map(&x->s2, x->cds + DELTA, x->cds, 3, attributes);
}

static void setup_start(Setup *x)
{
    FakeHost *host = x->rig->host;

    rig_start(x->rig);
    pt_init_stage2(&x->s2, host, 12, 40, 1, false);
    pt_init(&x->s1, host, 12, 48, false);
    x->s1.ipa_delta = DELTA;
    x->cds = fake_alloc(host, 4096, 4096);
    pt_map(&x->s1, VA, IPA, 3, PT_USER_RW);
    pt_map(&x->s2, IPA, PA, 3, PT_S2_RW);
    map_tables_at_stage2(x, PT_S2_RW);
    cd_for(x->cd, &x->s1, 1);
    ste_nested(x->ste, x->cds + DELTA, 0, &x->s2, VMID);
    apply(x);
}

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    setup_start(x);
}

static void expect_pa(Setup *x, Smmu3Transaction t, uint64_t pa)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, pa);
}

/* An abort, and a record with this cause and no Stall. */
static void expect_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type,
                         bool stage2, Smmu3Class class)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
    g_assert_cmpint(x->result.fault, ==, type);
    rig_expect_event(x->rig, type, x->event);
    rig_expect_no_event(x->rig);
    g_assert_cmpint(smmu3_get(x->event, EVENT_S2), ==, stage2);
    g_assert_cmpint(smmu3_get(x->event, EVENT_CLASS), ==, class);
    g_assert_cmphex(smmu3_get(x->event, EVENT_INPUT_ADDR), ==, t.addr);
    g_assert_false(smmu3_get(x->event, EVENT_STALL));
}

/* The same at stage 2, whose records have the IPA's page. */
static void expect_stage2_fault(Setup *x, Smmu3Transaction t,
                                Smmu3EventType type, Smmu3Class class,
                                uint64_t ipa)
{
    expect_fault(x, t, type, true, class);
    g_assert_cmphex(smmu3_get_addr(x->event, EVENT_IPA), ==,
                    ipa & ~UINT64_C(0xfff));
}

/* ---- Stage 2 alone ----------------------------------------------------- */

/* All start levels, with as many concatenated tables as they may have. */
static const struct Start {
    unsigned page_log2, in_bits;
    int level;
    bool ds;
} starts[] = {
    { 12, 31, 1, false }, { 12, 39, 1, false }, { 12, 40, 1, false },
    { 12, 43, 1, false }, { 12, 44, 0, false }, { 12, 48, 0, false },
    { 12, 34, 2, false }, { 12, 25, 3, false }, { 12, 48, 0, true },
    { 12, 49, -1, true }, { 12, 52, -1, true }, { 12, 52, 0, true },
    { 14, 29, 3, false }, { 14, 40, 2, false }, { 14, 48, 1, false },
    { 14, 48, 0, true }, { 14, 52, 0, true }, { 14, 51, 1, true },
    { 16, 33, 3, false }, { 16, 46, 2, false }, { 16, 48, 1, false },
    { 16, 52, 1, false },
};

static void test_start_levels(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
        const struct Start *start = &starts[i];
        uint64_t top = UINT64_C(1) << start->in_bits;
        uint64_t page = UINT64_C(1) << start->page_log2;
        Setup x = { .rig = rig_new() };

        rig_start(x.rig);
        pt_init_stage2(&x.s2, x.rig->host, start->page_log2, start->in_bits,
                       start->level, start->ds);
        pt_map(&x.s2, 0, 16 * page, 3, PT_S2_RW);
        pt_map(&x.s2, top - page, 48 * page, 3, PT_S2_RW);
        ste_stage2(x.ste, &x.s2, VMID);
        rig_set_ste(x.rig, SID, x.ste);
        expect_pa(&x, dma_read(SID, 0x123), 16 * page + 0x123);
        g_assert_cmpint(x.result.size_log2, ==, start->page_log2);
        expect_pa(&x, dma_write(SID, top - page + 0x456), 48 * page + 0x456);
        expect_stage2_fault(&x, dma_read(SID, page), F_TRANSLATION, CLASS_IN,
                            page);
        if (start->in_bits < 52) {
            expect_stage2_fault(&x, dma_read(SID, top + page), F_TRANSLATION,
                                CLASS_IN, top + page);
        }
        done(&x);
    }
}

static void test_ipa_range(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->features.oas = 4;            /* IAS is 44 bits, too */
    rig_start(x.rig);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    ste_stage2(x.ste, &x.s2, VMID);
    smmu3_set(x.ste, STE_S2R, 0);
    rig_set_ste(x.rig, SID, x.ste);
    g_assert_cmpint(translate(&x, dma_read(SID, UINT64_C(1) << 40)), ==,
                    SMMU3_ABORT);
    g_assert_cmpint(x.result.fault, ==, F_TRANSLATION);
    rig_expect_no_event(x.rig);         /* S2R */
    smmu3_set(x.ste, STE_S2R, 1);
    rig_set_ste(x.rig, SID, x.ste);
    expect_stage2_fault(&x, dma_read(SID, UINT64_C(1) << 40), F_TRANSLATION,
                        CLASS_IN, UINT64_C(1) << 40);
    /* Beyond IAS it is no stage-2 fault, and nothing suppresses it. */
    smmu3_set(x.ste, STE_S2R, 0);
    smmu3_set(x.ste, STE_S2S, 1);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, dma_read(SID, UINT64_C(1) << 44), F_ADDR_SIZE, false,
                 CLASS_IN);
    done(&x);
}

static void test_stage2_addr_size(void)
{
    Setup x;

    setup(&x);
    smmu3_set(x.ste, STE_S2PS, 2);      /* 40 bits; PA has more */
    apply(&x);
    expect_stage2_fault(&x, dma_read(SID, VA), F_ADDR_SIZE, CLASS_IN, IPA);
    done(&x);
}

/*
 * S2PS confines each access, in whatever block it is, and also once a
 * neighbour in the same contiguous block is cached.
 */
static void test_stage2_addr_size_of_access(void)
{
    uint64_t gib = UINT64_C(1) << 30;
    Setup x = { .rig = rig_new() };

    rig_start(x.rig);
    x.rig->host->next = 0x10000000;     /* S2TTB is confined, too */
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    for (unsigned i = 0; i < 16; i++) {
        pt_map(&x.s2, i * gib, i * gib, 1, PT_S2_RW | PT_CONTIG);
    }
    ste_stage2(x.ste, &x.s2, VMID);
    smmu3_set(x.ste, STE_S2PS, 0);      /* 32 bits */
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, dma_read(SID, 3 * gib + 0x123), 3 * gib + 0x123);
    g_assert_cmpint(x.result.size_log2, ==, 30);
    expect_stage2_fault(&x, dma_read(SID, 5 * gib + 0x123), F_ADDR_SIZE,
                        CLASS_IN, 5 * gib);
    expect_stage2_fault(&x, dma_read(SID, 4 * gib), F_ADDR_SIZE, CLASS_IN,
                        4 * gib);
    done(&x);
}

static void test_stage2_access_flag(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RW & ~PT_AF);
    expect_stage2_fault(&x, dma_read(SID, VA + 0x18), F_ACCESS, CLASS_IN,
                        IPA);
    smmu3_set(x.ste, STE_S2AFFD, 1);
    apply(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    done(&x);
}

static void test_big_endian(void)
{
    Setup x = { .rig = rig_new() };

    rig_start(x.rig);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    x.s2.big_endian = true;
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RW);
    ste_stage2(x.ste, &x.s2, VMID);
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, dma_read(SID, IPA), PA);
    done(&x);
}

/* S2AP and XN, as rights of unprivileged and privileged accesses. */
static void test_stage2_rights(void)
{
    static const struct {
        uint64_t bits;
        bool xnx;
        const char *rights;
    } rows[] = {
        { 0, true, "--x--x" },
        { PT_S2_R, true, "r-xr-x" },
        { PT_S2_W, true, "-wx-wx" },
        { PT_S2_R | PT_S2_W, true, "rwxrwx" },
        { PT_S2_R | UINT64_C(1) << 53, true, "r-xr--" },
        { PT_S2_R | UINT64_C(2) << 53, true, "r--r--" },
        { PT_S2_R | UINT64_C(3) << 53, true, "r--r-x" },
        { PT_S2_R | UINT64_C(1) << 53, false, "r-xr-x" },
        { PT_S2_R | UINT64_C(2) << 53, false, "r--r--" },
        { PT_S2_R | UINT64_C(3) << 53, false, "r--r--" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(FakeHost) host = fake_host_new();
        Smmu3Walker w = {
            .ops = &fake_host_ops, .host = host, .oas_bits = 52,
        };
        Smmu3Tables tables;
        Smmu3Stage2 s2;
        Smmu3Features f;
        Smmu3Leaf leaf;
        Smmu3Fault fault;
        PageTable pt;

        pt_init_stage2(&pt, host, 12, 40, 1, false);
        pt_map(&pt, IPA, PA, 3, PT_AF | PT_S2_NORMAL | rows[i].bits);
        features_all(&f);
        f.xnx = rows[i].xnx;
        s2 = (Smmu3Stage2) {
            .ttb = pt.root, .t0sz = 24, .page_log2 = 12, .start_level = 1,
            .oa_bits = 48,
        };
        smmu3_tables_stage2(&tables, &s2, &f);
        for (unsigned bit = 0; bit < 6; bit++) {
            bool ok = smmu3_walk(&w, &tables, IPA, 1 << bit, &leaf, &fault);

            g_assert_cmpint(ok, ==, rows[i].rights[bit] != '-');
            if (!ok) {
                g_assert_cmpint(fault.type, ==, F_PERMISSION);
            }
        }
    }
}

/* ---- Nested ------------------------------------------------------------ */

static void test_nested(void)
{
    Setup x;

    setup(&x);
    expect_pa(&x, dma_write(SID, VA + 0xabc), PA + 0xabc);
    g_assert_cmpint(x.result.size_log2, ==, 12);
    g_assert_cmpint(x.result.access, ==, SMMU3_READ | SMMU3_WRITE |
                                         SMMU3_EXEC);
    done(&x);
}

/* A stream of any kind is asked for once. */
static void test_hits_need_no_memory(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    fake_clear_records(x.rig->host);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_write(SID, VA), PA);
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    ste_stage2(x.ste, &x.s2, VMID);
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, dma_read(SID, IPA), PA);
    fake_clear_records(x.rig->host);
    expect_pa(&x, dma_read(SID, IPA), PA);
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->walks, ==, 0);          /* stage 2's entry stayed */
    g_assert_cmpuint(c->tlb_hits, ==, 3);
    ste_bypass(x.ste);
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, dma_read(SID, IPA), IPA);
    fake_clear_records(x.rig->host);
    expect_pa(&x, dma_read(SID, IPA), IPA);
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->tlb_hits, ==, 3);
    done(&x);
}

/* Of two sizes the answer has the lesser, of two rights both. */
static void test_nested_lesser(void)
{
    uint64_t block = UINT64_C(0x7e0000000000);
    Setup x;

    setup(&x);
    /* A stage-1 block of 1 GiB, of which stage 2 maps a page... */
    pt_map(&x.s1, block, IPA, 1, PT_USER_RO);
    map_tables_at_stage2(&x, PT_S2_RW);
    pt_map(&x.s2, pt_entry(&x.s1, block, 1) + DELTA,
           pt_entry(&x.s1, block, 1), 3, PT_S2_RW);
    for (unsigned again = 0; again < 2; again++) {
        expect_pa(&x, dma_read(SID, block | (IPA & 0x3fffffff) | 0xabc),
                  PA + 0xabc);
        g_assert_cmpint(x.result.size_log2, ==, 12);
        g_assert_false(x.result.access & SMMU3_WRITE);
    }
    /* ... and a stage-1 page in a stage-2 block of 2 MiB. */
    pt_map(&x.s2, UINT64_C(0x3000000000), UINT64_C(0x8000000000), 2,
           PT_S2_RW);
    pt_map(&x.s1, VA, UINT64_C(0x3000012000), 3, PT_USER_RW);
    rig_invalidate_all(x.rig);
    for (unsigned again = 0; again < 2; again++) {
        expect_pa(&x, dma_write(SID, VA + 8), UINT64_C(0x8000012008));
        g_assert_cmpint(x.result.size_log2, ==, 12);
    }
    done(&x);
}

static void test_stage1_permission_first(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.s1, VA, IPA + PAGE, 3, PT_USER_RO);   /* not at stage 2 */
    expect_fault(&x, dma_write(SID, VA), F_PERMISSION, false, CLASS_IN);
    expect_stage2_fault(&x, dma_read(SID, VA), F_TRANSLATION, CLASS_IN,
                        IPA + PAGE);
    done(&x);
}

static void test_stage2_permission(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RO);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpint(x.result.access, ==, SMMU3_READ | SMMU3_EXEC);
    expect_stage2_fault(&x, dma_write(SID, VA + 8), F_PERMISSION, CLASS_IN,
                        IPA);
    g_assert_false(smmu3_get(x.event, EVENT_RNW));
    done(&x);
}

static void test_cd_at_stage2(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.s2, x.cds + DELTA, x.cds, 3, PT_S2_RW & ~PT_S2_R);
    expect_stage2_fault(&x, with_priv(dma_write(SID, VA)), F_PERMISSION,
                        CLASS_CD, x.cds + DELTA);
    pt_write(&x.s2, pt_entry(&x.s2, x.cds + DELTA, 3), 0);
    expect_stage2_fault(&x, dma_write(SID, VA), F_TRANSLATION, CLASS_CD,
                        x.cds + DELTA);
    done(&x);
}

/* The CD's place exists at stage 2, but no memory is there. */
static void test_cd_abort(void)
{
    Setup x;
    uint64_t l1 = UINT64_C(0x77000);

    setup(&x);
    pt_map(&x.s2, l1, UINT64_C(0x666000000), 3, PT_S2_RW);
    smmu3_set_addr(x.ste, STE_S1CONTEXTPTR, l1);
    smmu3_set(x.ste, STE_S1FMT, STE_S1FMT_64K_L2);
    smmu3_set(x.ste, STE_S1CDMAX, 4);
    apply(&x);
    g_assert_cmpint(translate(&x, dma_read(SID, VA)), ==, SMMU3_ABORT);
    rig_expect_event(x.rig, F_CD_FETCH, x.event);
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_FETCH_ADDR), ==,
                    UINT64_C(0x666000000));
    done(&x);
}

static void test_tables_at_stage2(void)
{
    for (int level = 0; level <= 3; level++) {
        uint64_t pa;
        Setup x;

        setup(&x);
        pa = pt_entry(&x.s1, VA, level);
        pt_write(&x.s2, pt_entry(&x.s2, pa + DELTA, 3), 0);
        expect_stage2_fault(&x, dma_write(SID, VA), F_TRANSLATION, CLASS_TT,
                            pa + DELTA);
        pt_map(&x.s2, pa + DELTA, pa, 3, PT_S2_RW & ~PT_S2_R);
        expect_stage2_fault(&x, dma_write(SID, VA), F_PERMISSION, CLASS_TT,
                            pa + DELTA);
        g_assert_true(smmu3_get(x.event, EVENT_TTRNW));
        pt_map(&x.s2, pa + DELTA, pa, 3, PT_S2_RO);
        expect_pa(&x, dma_write(SID, VA), PA);
        done(&x);
    }
}

static void test_s2ptw(void)
{
    Setup x;
    uint64_t pa;

    setup(&x);
    pa = pt_entry(&x.s1, VA, 2);
    pt_map(&x.s2, pa + DELTA, pa, 3, PT_S2_RW & ~PT_S2_NORMAL);
    expect_pa(&x, dma_read(SID, VA), PA);
    smmu3_set(x.ste, STE_S2PTW, 1);
    apply(&x);
    expect_stage2_fault(&x, dma_read(SID, VA), F_PERMISSION, CLASS_TT,
                        pa + DELTA);
    /* Once more, with the stage-2 entry cached */
    expect_stage2_fault(&x, dma_read(SID, VA), F_PERMISSION, CLASS_TT,
                        pa + DELTA);
    pt_map(&x.s2, pa + DELTA, pa, 3, PT_S2_RW);
    pt_map(&x.s2, x.cds + DELTA, x.cds, 3, PT_S2_RW & ~PT_S2_NORMAL);
    apply(&x);
    expect_stage2_fault(&x, dma_read(SID, VA), F_PERMISSION, CLASS_CD,
                        x.cds + DELTA);
    /* Data may be in Device memory. */
    pt_map(&x.s2, x.cds + DELTA, x.cds, 3, PT_S2_RW);
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RW & ~PT_S2_NORMAL);
    apply(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    done(&x);
}

/* With S2FWB, MemAttr 0b0111 is what stage 1 says: not Device. */
static void test_s2ptw_with_fwb(void)
{
    Setup x;
    uint64_t pa, attr_3 = UINT64_C(3) << 2, attr_7 = UINT64_C(7) << 2;

    setup(&x);
    pa = pt_entry(&x.s1, VA, 2);
    smmu3_set(x.ste, STE_S2PTW, 1);
    smmu3_set(x.ste, STE_S2FWB, 1);
    map_tables_at_stage2(&x, (PT_S2_RW & ~PT_S2_NORMAL) | attr_7);
    apply(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_map(&x.s2, pa + DELTA, pa, 3, (PT_S2_RW & ~PT_S2_NORMAL) | attr_3);
    apply(&x);
    expect_stage2_fault(&x, dma_read(SID, VA), F_PERMISSION, CLASS_TT,
                        pa + DELTA);
    done(&x);
}

static void test_walk_aborts(void)
{
    Setup x;
    uint64_t pa;

    /* A stage-1 table in a hole: S2=0, CLASS=TT, its PA */
    setup(&x);
    pa = pt_entry(&x.s1, VA, 1);
    fake_unmap(x.rig->host, pa, 8);
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT, false, CLASS_TT);
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_FETCH_ADDR), ==, pa);
    done(&x);
    /* A stage-2 table in a hole, met for the data */
    setup(&x);
    pt_map(&x.s2, UINT64_C(0x4321000), PA, 3, PT_S2_RW);
    pa = pt_entry(&x.s2, UINT64_C(0x4321000), 3);
    pt_map(&x.s1, VA, UINT64_C(0x4321000), 3, PT_USER_RW);
    fake_unmap(x.rig->host, pa, 8);
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT, true, CLASS_IN);
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_FETCH_ADDR), ==, pa);
    done(&x);
    /* Stage 2's start table in a hole: met for the CD already */
    setup(&x);
    fake_unmap(x.rig->host, x.s2.root, 8192);
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT, true, CLASS_CD);
    done(&x);
}

static void test_stage2_skips_stage1(void)
{
    Setup x;

    setup(&x);
    smmu3_set(x.ste, STE_S1CDMAX, 4);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_BYPASS);
    apply(&x);
    expect_pa(&x, dma_read(SID, IPA + 5), PA + 5);
    expect_stage2_fault(&x, dma_read(SID, VA & 0xffffffff), F_TRANSLATION,
                        CLASS_IN, VA & 0xffffffff);
    done(&x);
}

static void test_stage2_stall(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    int job;
    Setup x;

    setup(&x);
    smmu3_set(x.ste, STE_S2S, 1);
    apply(&x);
    pt_write(&x.s2, pt_entry(&x.s2, IPA, 3), 0);
    t.may_stall = true;
    t.cookie = &job;
    g_assert_cmpint(translate(&x, t), ==, SMMU3_STALLED);
    rig_expect_event(x.rig, F_TRANSLATION, x.event);
    g_assert_true(smmu3_get(x.event, EVENT_STALL));
    g_assert_true(smmu3_get(x.event, EVENT_S2));
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_IPA), ==, IPA);
    g_assert_cmphex(smmu3_get(x.event, EVENT_STAG), ==, x.result.stag);
    done(&x);
}

/* Each stage's own controls: CD.R=0 does not hide a stage-2 fault. */
static void test_stages_control_their_own_faults(void)
{
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_R, 0);
    smmu3_set(x.cd, CD_A, 0);
    apply(&x);
    pt_write(&x.s2, pt_entry(&x.s2, IPA, 3), 0);
    expect_stage2_fault(&x, dma_read(SID, VA), F_TRANSLATION, CLASS_IN, IPA);
    g_assert_cmpint(translate(&x, dma_read(SID, 0)), ==, SMMU3_RAZWI);
    smmu3_set(x.cd, CD_R, 1);
    smmu3_set(x.ste, STE_S2R, 0);
    apply(&x);
    g_assert_cmpint(translate(&x, dma_read(SID, VA)), ==, SMMU3_ABORT);
    done(&x);
}

static void tlbi(Setup *x, Smmu3Opcode opcode, uint64_t addr)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, opcode);
    smmu3_set(cmd, CMD_VMID, VMID);
    smmu3_set_addr(cmd, CMD_ADDR, addr);
    rig_command(x->rig, cmd);
    rig_sync(x->rig);
}

/* Software changes stage 2, says so by IPA, and the old PA is gone. */
static void test_invalidate_by_ipa(void)
{
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_map(&x.s2, IPA, PA + PAGE, 3, PT_S2_RW);
    expect_pa(&x, dma_read(SID, VA), PA);       /* cached: no TLBI yet */
    tlbi(&x, CMD_TLBI_S2_IPA, IPA);
    tlbi(&x, CMD_TLBI_NH_ALL, 0);
    expect_pa(&x, dma_read(SID, VA), PA + PAGE);
    done(&x);
}

static void test_invalidate_vmall(void)
{
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_map(&x.s1, VA, IPA + PAGE, 3, PT_USER_RW);
    pt_map(&x.s2, IPA + PAGE, PA + 7 * PAGE, 3, PT_S2_RW);
    tlbi(&x, CMD_TLBI_S12_VMALL, 0);
    expect_pa(&x, dma_read(SID, VA), PA + 7 * PAGE);
    done(&x);
}

/* ---- What is counted --------------------------------------------------- */

typedef struct Counts {
    uint64_t walks, nested, stage2, in, tt, cd;
} Counts;

static void expect_counts(Setup *x, Counts expected)
{
    const Smmu3Counters *c = smmu3_counters(x->rig->smmu);

    g_assert_cmpuint(c->walks, ==, expected.walks);
    g_assert_cmpuint(c->nested_walks, ==, expected.nested);
    g_assert_cmpuint(c->stage2_walks, ==, expected.stage2);
    g_assert_cmpuint(c->stage2_lookups_in, ==, expected.in);
    g_assert_cmpuint(c->stage2_lookups_tt, ==, expected.tt);
    g_assert_cmpuint(c->stage2_lookups_cd, ==, expected.cd);
    smmu3_counters_reset(x->rig->smmu);
}

/*
 * A CD, four tables and the output, each in a page of its own at stage 2; then
 * from the caches, which counts nothing; then again for want of one of them.
 */
static void test_counters(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    Setup x;

    setup(&x);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, t, PA);
    expect_counts(&x, (Counts) { .walks = 7, .nested = 1, .stage2 = 6,
                                 .in = 1, .tt = 4, .cd = 1 });
    expect_pa(&x, t, PA);
    expect_counts(&x, (Counts) { 0 });
    rig_command2(x.rig, CMD_TLBI_NH_ALL | (uint64_t)VMID << 32, 0);
    rig_sync(x.rig);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, t, PA);
    expect_counts(&x, (Counts) { .walks = 1, .nested = 1, .in = 1, .tt = 4 });
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RW & ~PT_AF);
    rig_invalidate_all(x.rig);
    smmu3_counters_reset(x.rig->smmu);
    expect_stage2_fault(&x, t, F_ACCESS, CLASS_IN, IPA);
    expect_counts(&x, (Counts) { .walks = 7, .nested = 1, .stage2 = 6,
                                 .in = 1, .tt = 4, .cd = 1 });
    done(&x);
}

/* Without stage 1 there is one lookup, without stage 2 none. */
static void test_counters_of_one_stage(void)
{
    Setup x;

    setup(&x);
    ste_stage2(x.ste, &x.s2, VMID);
    apply(&x);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_read(SID, IPA), PA);
    expect_counts(&x, (Counts) { .walks = 1, .stage2 = 1, .in = 1 });
    x.s1.ipa_delta = 0;
    pt_init(&x.s1, x.rig->host, 12, 48, false);
    pt_map(&x.s1, VA, PA, 3, PT_USER_RW);
    cd_for(x.cd, &x.s1, 1);
    ste_stage1(x.ste, x.cds, 0);
    apply(&x);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_counts(&x, (Counts) { .walks = 1 });
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) conformance_test("/smmu3/stage2/" name, fn, items)
    T("start-levels-and-concatenation", test_start_levels, "69 70");
    T("ipa-range", test_ipa_range, "69");
    T("address-beyond-s2ps", test_stage2_addr_size, "57");
    T("output-of-the-access-beyond-s2ps", test_stage2_addr_size_of_access,
      "57");
    T("access-flag", test_stage2_access_flag, "58");
    T("big-endian-tables", test_big_endian, "");
    T("s2ap-and-xn", test_stage2_rights, "");
    T("nested", test_nested, "");
    T("hits-need-no-memory", test_hits_need_no_memory, "");
    T("nested-lesser-of-both", test_nested_lesser, "");
    T("stage-1-permission-comes-first", test_stage1_permission_first, "");
    T("permission", test_stage2_permission, "");
    T("cd-refused", test_cd_at_stage2, "51");
    T("cd-abort", test_cd_abort, "52");
    T("stage-1-table-refused", test_tables_at_stage2, "71");
    T("s2ptw", test_s2ptw, "72");
    T("s2ptw-with-fwb", test_s2ptw_with_fwb, "72");
    T("walk-aborts", test_walk_aborts, "73");
    T("s1dss-bypass-leaves-stage-2", test_stage2_skips_stage1, "41");
    T("s2s-stalls", test_stage2_stall, "98");
    T("each-stage-controls-its-own-faults",
      test_stages_control_their_own_faults, "91");
    T("invalidation-by-ipa", test_invalidate_by_ipa, "85");
    T("invalidation-by-vmid", test_invalidate_vmall, "85");
    T("counters", test_counters, "");
    T("counters-of-one-stage", test_counters_of_one_stage, "");
    return conformance_run();
}
