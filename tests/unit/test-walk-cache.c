/*
 * The walk cache, seen from outside: how many descriptors a miss reads, and what
 * it finds. Of stage 1; what stage 2 adds is in test-walk-cache-stages.c. Not the
 * walk itself (test-walk.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "one-stream.h"

#define OTHER_PA UINT64_C(0x234567000000)
enum { PAGES = 64 };

static uint64_t page_va(unsigned page)
{
    return VA + page * UINT64_C(4096);
}

static uint64_t reads(Setup *x)
{
    return smmu3_counters(x->rig->smmu)->descriptor_reads;
}

/* Descriptors that were read for this translation, which is to be @pa. */
static unsigned reads_for(Setup *x, Smmu3Transaction t, uint64_t pa)
{
    uint64_t before = reads(x);

    expect_pa(x, t, pa);
    return reads(x) - before;
}

/* The same for page @page, at @base, whose translation is not cached. */
static unsigned reads_for_page(Setup *x, unsigned page, uint64_t base)
{
    return reads_for(x, dma_read(SID, page_va(page)), base + page * PAGE);
}

/* One stream with PAGES pages from VA on; the tables of page 0 are known. */
static void start(Setup *x)
{
    setup_start(x);
    pt_map_range(&x->pt, VA, PA, PAGES * PAGE, PT_USER_RW);
    g_assert_cmpuint(reads_for_page(x, 0, PA), ==, 4);
}

/* Another table of pages in place of the first, whose content stays. */
static void replace_table(Setup *x)
{
    pt_write(&x->pt, pt_entry(&x->pt, VA, 2), 0);
    pt_map_range(&x->pt, VA, OTHER_PA, PAGES * PAGE, PT_USER_RW);
}

/* ---- What a miss reads ------------------------------------------------- */

static void test_one_read_where_the_table_is_known(void)
{
    Setup x = { .rig = rig_new() };

    start(&x);
    for (unsigned page = 1; page < PAGES; page++) {
        g_assert_cmpuint(reads_for_page(&x, page, PA), ==, 1);
    }
    done(&x);
}

/* What walks end in, by granule, size of the addresses and level of the leaf. */
static const struct {
    unsigned page_log2, in_bits;
    int leaf_level;
    bool ds;
    unsigned first, second;     /* reads of a first leaf, and of its neighbour */
} shapes[] = {
    { 12, 48, 3, false, 4, 1 }, { 12, 48, 2, false, 3, 1 },
    { 12, 48, 1, false, 2, 1 }, { 12, 39, 3, false, 3, 1 },
    { 12, 30, 3, false, 2, 1 }, { 12, 52, 3, true, 5, 1 },
    { 14, 47, 3, false, 3, 1 }, { 14, 47, 2, false, 2, 1 },
    { 14, 52, 3, true, 4, 1 },
    { 16, 48, 3, false, 3, 1 }, { 16, 48, 2, false, 2, 1 },
    /* The root is not kept: nothing is left out of a walk that begins there. */
    { 12, 30, 2, false, 1, 1 }, { 16, 42, 2, false, 1, 1 },
};

static void test_granules_and_levels(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(shapes); i++) {
        Setup x;
        uint64_t bytes, pa;

        setup(&x);
        pt_init(&x.pt, x.rig->host, shapes[i].page_log2, shapes[i].in_bits,
                shapes[i].ds);
        bytes = UINT64_C(1) << pt_level_log2(&x.pt, shapes[i].leaf_level);
        pa = 8 * bytes;
        pt_map(&x.pt, 0, pa, shapes[i].leaf_level, PT_USER_RW);
        pt_map(&x.pt, bytes, pa + bytes, shapes[i].leaf_level, PT_USER_RW);
        cd_for(x.cd, &x.pt, 1);
        apply(&x);
        g_test_message("case %u", i);
        g_assert_cmpuint(reads_for(&x, dma_read(SID, 5), pa + 5), ==,
                         shapes[i].first);
        g_assert_cmpuint(reads_for(&x, dma_read(SID, bytes + 5),
                                   pa + bytes + 5), ==, shapes[i].second);
        done(&x);
    }
}

/* From the table above, which a block made known; then from its own. */
static void test_pages_beside_blocks(void)
{
    uint64_t block = VA + (2 << 20);
    Setup x;

    setup(&x);
    pt_map(&x.pt, block, OTHER_PA, 2, PT_USER_RW);
    pt_map(&x.pt, VA + PAGE, PA + PAGE, 3, PT_USER_RW);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, block),
                               (OTHER_PA & ~smmu3_mask(21)) |
                               (block & smmu3_mask(21))), ==, 3);
    g_assert_cmpuint(reads_for_page(&x, 0, PA), ==, 2);
    g_assert_cmpuint(reads_for_page(&x, 1, PA), ==, 1);
    done(&x);
}

/* Sixteen entries are one block of the TLB, and the next ones read once. */
static void test_contiguous(void)
{
    uint64_t run = 16 * PAGE, va = UINT64_C(0x7f0000200000);
    Setup x;

    setup(&x);
    pt_map_range(&x.pt, va, OTHER_PA, 2 * run, PT_USER_RW | PT_CONTIG);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, va), OTHER_PA), ==, 4);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, va + 15 * PAGE),
                               OTHER_PA + 15 * PAGE), ==, 0);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, va + run), OTHER_PA + run),
                     ==, 1);
    g_assert_cmpuint(x.result.size_log2, ==, 16);
    done(&x);
}

/* Each half of the addresses has tables of its own. */
static void test_halves(void)
{
    uint64_t upper = UINT64_C(0xffff7f0000005000);
    PageTable pt1;
    Setup x = { .rig = rig_new() };

    start(&x);
    pt_init(&pt1, x.rig->host, 12, 48, false);
    pt_map_range(&pt1, upper, OTHER_PA, 2 * PAGE, PT_USER_RW);
    cd_second_half(x.cd, &pt1);
    apply(&x);
    g_assert_cmpuint(reads_for_page(&x, 0, PA), ==, 4);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, upper), OTHER_PA), ==, 4);
    g_assert_cmpuint(reads_for_page(&x, 1, PA), ==, 1);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, upper + PAGE),
                               OTHER_PA + PAGE), ==, 1);
    done(&x);
}

/* What the tables above take away holds where they are not read. */
static void test_limits_of_tables_above(void)
{
    static const struct {
        uint64_t bit;           /* of a table descriptor: DDI 0487 D8.3 */
        int level;
        bool priv, write, ind;
    } cases[] = {
        { UINT64_C(1) << 61, 0, false, false, false },  /* APTable[0] */
        { UINT64_C(1) << 61, 2, false, true, false },
        { UINT64_C(1) << 62, 1, true, true, false },    /* APTable[1] */
        { UINT64_C(1) << 62, 2, false, true, false },
        { UINT64_C(1) << 59, 0, true, false, true },    /* PXNTable */
        { UINT64_C(1) << 60, 1, false, false, true },   /* UXNTable */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Transaction open = with_priv(dma_read(SID, VA));
        Setup x;

        setup(&x);
        pt_map_range(&x.pt, VA, PA, PAGES * PAGE,
                     PT_AF | PT_NG | (cases[i].priv ? 0 : PT_UNPRIV));
        pt_or(&x.pt, VA, cases[i].level, cases[i].bit);
        rig_invalidate_all(x.rig);
        g_assert_cmpuint(reads_for(&x, open, PA), ==, 4);
        for (unsigned page = 1; page < 3; page++) {
            Smmu3Transaction t = cases[i].write
                                 ? dma_write(SID, page_va(page))
                                 : dma_read(SID, page_va(page));

            t.priv = cases[i].priv;
            t.ind = cases[i].ind;
            g_test_message("case %u, page %u", i, page);
            expect_stage1_fault(&x, t, F_PERMISSION);
        }
        done(&x);
    }
}

/* ---- Changes that need no invalidation --------------------------------- */

/* A page that was not mapped, in a table that is known. */
static void test_new_page(void)
{
    Setup x = { .rig = rig_new() };

    start(&x);
    expect_stage1_fault(&x, dma_read(SID, page_va(PAGES)), F_TRANSLATION);
    pt_map(&x.pt, page_va(PAGES), PA + PAGES * PAGE, 3, PT_USER_RW);
    g_assert_cmpuint(reads_for_page(&x, PAGES, PA), ==, 1);
    done(&x);
}

/*
 * What a known table refuses is asked of the tables from the root, and the record
 * is of that walk: here all of them went, and only the first page was invalidated.
 */
static void test_refusals_are_of_the_root(void)
{
    uint64_t before;
    Setup x = { .rig = rig_new() };

    start(&x);
    before = reads(&x);
    expect_stage1_fault(&x, dma_read(SID, page_va(PAGES)), F_TRANSLATION);
    /* What fails without the lock is done again under it, and not counted. */
    g_assert_cmpuint(reads(&x) - before, ==, 1 + 4);
    pt_write(&x.pt, pt_entry(&x.pt, VA, 3) + PAGES * 8, 0);
    replace_table(&x);
    pt_map(&x.pt, page_va(PAGES), OTHER_PA + PAGES * PAGE, 3, PT_USER_RW);
    g_assert_cmpuint(reads_for_page(&x, PAGES, OTHER_PA), ==, 1 + 4);
    done(&x);
}

/* More rights by a table above: DDI 0487 has no TLBI for it. */
static void test_rights_that_are_given(void)
{
    uint64_t no_write = UINT64_C(1) << 62, entry;
    Setup x;

    setup(&x);
    pt_map_range(&x.pt, VA, PA, PAGES * PAGE, PT_USER_RW);
    pt_or(&x.pt, VA, 1, no_write);
    rig_invalidate_all(x.rig);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_stage1_fault(&x, dma_write(SID, page_va(1)), F_PERMISSION);
    entry = pt_entry(&x.pt, VA, 1);
    pt_write(&x.pt, entry, pt_read(&x.pt, entry) & ~no_write);
    expect_pa(&x, dma_write(SID, page_va(1)), PA + PAGE);
    done(&x);
}

/* ---- Invalidations ----------------------------------------------------- */

typedef enum { EL1, EL2, E2H } World;

static void start_in(Setup *x, World world)
{
    *x = (Setup) { .rig = rig_new() };
    if (world == E2H) {
        x->rig->cr2 |= smmu3_field_mask(CR2_E2H);
    }
    setup_start(x);
    pt_map_range(&x->pt, VA, PA, PAGES * PAGE, PT_USER_RW);
    if (world != EL1) {
        smmu3_set(x->ste, STE_STRW, 2);
        apply(x);
    }
    g_assert_cmpuint(reads_for_page(x, 0, PA), ==, 4);
}

#define VMID(n)     ((uint64_t)(n) << 32)
#define ASID(n)     ((uint64_t)(n) << 48)
#define SID0(n)     ((uint64_t)(n) << 32)
#define RANGE(scale, num) ((uint64_t)(scale) << 20 | (uint64_t)(num) << 12)
#define TG_4K       (UINT64_C(1) << 10)
#define LEAF        UINT64_C(1)
#define FAR         (VA + (UINT64_C(8) << 30))

/* In words, so that a field that moves is noticed. */
static const struct {
    World world;
    uint64_t word0, word1;
    bool ends;
} commands[] = {
    /* TLBI_NH_VA: any address of the table's, of the same ASID and VMID */
    { EL1, 0x12 | ASID(1), VA, true },
    { EL1, 0x12 | ASID(1), VA + 0x1fa000, true },
    { EL1, 0x12 | ASID(1), VA + 0x1fb000, false },
    { EL1, 0x12 | ASID(1), VA - 0x6000, false },
    { EL1, 0x12 | ASID(2), VA, false },
    { EL1, 0x12 | ASID(1) | VMID(1), VA, false },
    { EL1, 0x12 | ASID(1), VA | LEAF, false },
    { EL1, 0x12 | ASID(1), FAR, false },
    /* by range, as far as it is precise and farther */
    { EL1, 0x12 | ASID(1) | RANGE(0, 31), VA | TG_4K, true },
    { EL1, 0x12 | ASID(1) | RANGE(0, 31), VA | TG_4K | LEAF, false },
    { EL1, 0x12 | ASID(1) | RANGE(1, 31), (VA - 0x45000) | TG_4K, false },
    { EL1, 0x12 | ASID(1) | RANGE(1, 31), (VA - 0x44000) | TG_4K, true },
    { EL1, 0x12 | ASID(1) | RANGE(31, 31), TG_4K, true },
    { EL1, 0x12 | ASID(1) | RANGE(31, 31), TG_4K | LEAF, false },
    { EL1, 0x12 | ASID(2) | RANGE(31, 31), TG_4K, false },
    /* TLBI_NH_VAA */
    { EL1, 0x13, VA, true },
    { EL1, 0x13, VA + 0x1fa000, true },
    { EL1, 0x13, VA | LEAF, false },
    { EL1, 0x13 | VMID(1), VA, false },
    { EL1, 0x13 | RANGE(31, 31), TG_4K, true },
    { EL1, 0x13 | RANGE(31, 31), TG_4K | LEAF, false },
    /* TLBI_NH_ASID, NH_ALL, S12_VMALL, NSNH_ALL: Leaf is none of their fields */
    { EL1, 0x11 | ASID(1), 0, true },
    { EL1, 0x11 | ASID(1), LEAF, true },
    { EL1, 0x11 | ASID(2), 0, false },
    { EL1, 0x11 | ASID(1) | VMID(1), 0, false },
    { EL1, 0x10, LEAF, true },
    { EL1, 0x10 | VMID(1), 0, false },
    { EL1, 0x28, LEAF, true },
    { EL1, 0x28 | VMID(1), 0, false },
    { EL1, 0x30, LEAF, true },
    /* TLBI_S2_IPA, EL2_* */
    { EL1, 0x2a, VA, false },
    { EL1, 0x20, 0, false },
    { EL1, 0x21 | ASID(1), 0, false },
    { EL1, 0x22 | ASID(1), VA, false },
    { EL1, 0x23, VA, false },
    /* CFGI_STE, CFGI_STE_RANGE and CFGI_ALL, CFGI_CD, CFGI_CD_ALL: with Leaf too */
    { EL1, 0x03 | SID0(SID), 0, true },
    { EL1, 0x03 | SID0(SID), LEAF, true },
    { EL1, 0x04 | SID0(SID), 0, true },
    { EL1, 0x04, 31, true },
    { EL1, 0x05 | SID0(SID), 0, true },
    { EL1, 0x05 | SID0(SID), LEAF, true },
    { EL1, 0x06 | SID0(SID), 0, true },
    /* ATC_INV, PREFETCH_ADDR */
    { EL1, 0x40 | SID0(SID), 52, false },
    { EL1, 0x02 | SID0(SID), VA, false },
    /* NS-EL2: neither ASID nor VMID */
    { EL2, 0x20, 0, true },
    { EL2, 0x22, VA, true },
    { EL2, 0x22 | ASID(7), VA, true },
    { EL2, 0x22, VA | LEAF, false },
    { EL2, 0x23, VA, true },
    { EL2, 0x23, VA | LEAF, false },
    { EL2, 0x22, FAR, false },
    { EL2, 0x12, VA, false },
    { EL2, 0x30, 0, false },
    { EL2, 0x28, 0, false },
    { EL2, 0x05 | SID0(SID), 0, true },
    /* NS-EL2-E2H: ASIDs */
    { E2H, 0x20, 0, true },
    { E2H, 0x21 | ASID(1), 0, true },
    { E2H, 0x21 | ASID(2), 0, false },
    { E2H, 0x22 | ASID(1), VA, true },
    { E2H, 0x22 | ASID(1), VA | LEAF, false },
    { E2H, 0x22 | ASID(2), VA, false },
    { E2H, 0x23, VA, true },
    { E2H, 0x23, VA | LEAF, false },
    { E2H, 0x11 | ASID(1), 0, false },
    { E2H, 0x30, 0, false },
    { E2H, 0x05 | SID0(SID), 0, true },
};

/*
 * The table of pages is replaced, the command executed: a page that was not asked
 * for before is found in the new one, by a whole walk, or still in the old one.
 */
static void test_invalidations(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        Setup x;

        g_test_message("case %u: 0x%" G_GINT64_MODIFIER "x 0x%"
                       G_GINT64_MODIFIER "x", i, commands[i].word0,
                       commands[i].word1);
        start_in(&x, commands[i].world);
        replace_table(&x);
        rig_command2(x.rig, commands[i].word0, commands[i].word1);
        rig_sync(x.rig);
        if (commands[i].ends) {
            g_assert_cmpuint(reads_for_page(&x, 9, OTHER_PA), ==, 4);
            g_assert_cmpuint(reads_for_page(&x, 10, OTHER_PA), ==, 1);
        } else {
            g_assert_cmpuint(reads_for_page(&x, 9, PA), ==, 1);
        }
        done(&x);
    }
}

/* CR0.VMW: what matters of a VMID is its upper bits. */
static void test_vmid_wildcards(void)
{
    for (unsigned leaf = 0; leaf < 2; leaf++) {
        Setup x = { .rig = rig_new() };

        start(&x);
        /* CR0.VMW = 1: bit 0 is ignored */
        rig_write32(x.rig, SMMU3_CR0,
                    rig_read32(x.rig, SMMU3_CR0) | 1 << 6);
        replace_table(&x);
        rig_command2(x.rig, 0x12 | ASID(1) | VMID(1), VA | leaf);
        rig_sync(x.rig);
        if (leaf) {
            g_assert_cmpuint(reads_for_page(&x, 9, PA), ==, 1);
        } else {
            g_assert_cmpuint(reads_for_page(&x, 9, OTHER_PA), ==, 4);
        }
        done(&x);
    }
}

/* A CD with other tables, under the same ASID: CFGI_CD is enough for them. */
static void test_other_tables_of_one_asid(void)
{
    static const unsigned granules[] = { 12, 14, 16 };

    for (unsigned i = 0; i < G_N_ELEMENTS(granules); i++) {
        Setup x = { .rig = rig_new() };

        start(&x);
        pt_init(&x.pt, x.rig->host, granules[i], 39, false);
        pt_map_range(&x.pt, 0x40010000, OTHER_PA, 0x20000, PT_USER_RW);
        cd_for(x.cd, &x.pt, 1);
        write_cd(&x, 0);
        rig_command2(x.rig, 0x05 | SID0(SID), LEAF);
        rig_sync(x.rig);
        expect_pa(&x, dma_read(SID, 0x40010000), OTHER_PA);
        expect_pa(&x, dma_read(SID, 0x40020000), OTHER_PA + 0x10000);
        done(&x);
    }
}

/* ---- Whose ------------------------------------------------------------- */

/* A process finds nothing by the tables of another. */
static void test_asids(void)
{
    PageTable other;
    Setup x = { .rig = rig_new() };

    start(&x);
    ste_stage1(x.ste, x.cds, 4);
    apply(&x);
    pt_init(&other, x.rig->host, 12, 48, false);
    pt_map_range(&other, VA, OTHER_PA, PAGES * PAGE, PT_USER_RW);
    cd_for(x.cd, &other, 2);
    write_cd(&x, 3);
    g_assert_cmpuint(reads_for_page(&x, 1, PA), ==, 4);
    g_assert_cmpuint(reads_for(&x, with_ssid(dma_read(SID, page_va(2)), 3),
                               OTHER_PA + 2 * PAGE), ==, 4);
    g_assert_cmpuint(reads_for_page(&x, 3, PA), ==, 1);
    g_assert_cmpuint(reads_for(&x, with_ssid(dma_read(SID, page_va(4)), 3),
                               OTHER_PA + 4 * PAGE), ==, 1);
    done(&x);
}

/* A reset, after which software makes other tables. */
static void test_reset(void)
{
    Setup x = { .rig = rig_new() };

    start(&x);
    replace_table(&x);
    smmu3_reset(x.rig->smmu);
    setup_start(&x);
    g_assert_cmpuint(reads_for(&x, dma_read(SID, VA), PA), ==, 4);
    done(&x);
}

/* More tables than are kept: some are found by whole walks, all are right. */
static void test_eviction(void)
{
    enum { REGIONS = 512 };
    Setup x = { .rig = rig_new() };

    x.rig->options.tlb_entries = 64;
    setup_start(&x);
    for (uint64_t i = 0; i < REGIONS; i++) {
        pt_map(&x.pt, i << 21, OTHER_PA + (i << 13), 3, PT_USER_RW);
        pt_map(&x.pt, (i << 21) + PAGE, OTHER_PA + (i << 13) + PAGE, 3,
               PT_USER_RW);
    }
    for (uint64_t i = 0; i < 2 * REGIONS; i++) {
        uint64_t va = (i % REGIONS) << 21 | (i / REGIONS) << 12;

        expect_pa(&x, dma_read(SID, va),
                  OTHER_PA + ((i % REGIONS) << 13) + (va & PAGE));
    }
    done(&x);
}

/* ---- Leaves stay exact ------------------------------------------------- */

/* AF and the dirty state are set in each page's own descriptor. */
static void test_updates(void)
{
    uint64_t entry;
    Setup x = { .rig = rig_new() };

    start(&x);
    smmu3_set(x.cd, CD_HA, 1);
    smmu3_set(x.cd, CD_HD, 1);
    pt_map_range(&x.pt, VA, PA, PAGES * PAGE,
                 (PT_USER_RO & ~PT_AF) | PT_DBM);
    apply(&x);
    g_assert_cmpuint(reads_for_page(&x, 0, PA), ==, 4);
    entry = pt_entry(&x.pt, VA, 3);
    for (unsigned page = 1; page < 4; page++) {
        uint64_t va = page_va(page);

        g_assert_cmpuint(reads_for_page(&x, page, PA), ==, 1);
        g_assert_cmphex(pt_read(&x.pt, entry + 8 * page) & (PT_AF | PT_RO),
                        ==, PT_AF | PT_RO);
        g_assert_cmpuint(reads_for(&x, dma_write(SID, va), PA + page * PAGE),
                         ==, 1);
        g_assert_cmphex(pt_read(&x.pt, entry + 8 * page) & (PT_AF | PT_RO),
                        ==, PT_AF);
    }
    done(&x);
}

/* ---- When walks are whole ---------------------------------------------- */

static void ignore_trace(FakeHost *host, Smmu3TraceKind kind,
                         const uint64_t words[4])
{
    (void)host, (void)kind, (void)words;
}

/* Who wants to see descriptors sees all of them. */
static void test_whole_with_traces(void)
{
    Setup x = { .rig = rig_new() };

    start(&x);
    x.rig->host->on_trace = ignore_trace;
    g_assert_cmpuint(reads_for_page(&x, 1, PA), ==, 4);
    done(&x);
}

static void test_whole_with_audit(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->options.audit.on = true;
    start(&x);
    g_assert_cmpuint(reads_for_page(&x, 1, PA), ==, 4);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/walk-cache/one-read-where-the-table-is-known",
                     test_one_read_where_the_table_is_known, "");
    conformance_test("/smmu3/walk-cache/granules-and-levels",
                     test_granules_and_levels, "");
    conformance_test("/smmu3/walk-cache/pages-beside-blocks",
                     test_pages_beside_blocks, "");
    conformance_test("/smmu3/walk-cache/contiguous", test_contiguous, "");
    conformance_test("/smmu3/walk-cache/halves", test_halves, "");
    conformance_test("/smmu3/walk-cache/limits-of-tables-above",
                     test_limits_of_tables_above, "");
    conformance_test("/smmu3/walk-cache/new-page", test_new_page, "");
    conformance_test("/smmu3/walk-cache/refusals-are-of-the-root",
                     test_refusals_are_of_the_root, "");
    conformance_test("/smmu3/walk-cache/rights-that-are-given",
                     test_rights_that_are_given, "");
    conformance_test("/smmu3/walk-cache/invalidations", test_invalidations,
                     "85 86");
    conformance_test("/smmu3/walk-cache/vmid-wildcards", test_vmid_wildcards,
                     "");
    conformance_test("/smmu3/walk-cache/other-tables-of-one-asid",
                     test_other_tables_of_one_asid, "");
    conformance_test("/smmu3/walk-cache/asids", test_asids, "");
    conformance_test("/smmu3/walk-cache/reset", test_reset, "");
    conformance_test("/smmu3/walk-cache/eviction", test_eviction, "");
    conformance_test("/smmu3/walk-cache/updates", test_updates, "");
    conformance_test("/smmu3/walk-cache/whole-with-traces",
                     test_whole_with_traces, "");
    conformance_test("/smmu3/walk-cache/whole-with-audit",
                     test_whole_with_audit, "");
    return conformance_run();
}
