/*
 * Stage-1 table walks by themselves: geometry of every granule and level,
 * descriptors, output sizes, permissions, access flags (IHI 0070 3.4, 7.3.22;
 * DDI 0487 D8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "core/tables/walk.h"

/* A walker over tables in fake memory. */
typedef struct Walk {
    FakeHost *host;
    PageTable pt;
    Smmu3Stage1 s1;
    Smmu3World world;
    unsigned half, oas_bits;
    Smmu3Leaf leaf;         /* of the last walk that ended well */
    Smmu3Fault fault;       /* of the last one that did not */
} Walk;

static void walk_init(Walk *x, unsigned page_log2, unsigned in_bits, bool ds)
{
    *x = (Walk) { .host = fake_host_new(), .oas_bits = 52 };
    pt_init(&x->pt, x->host, page_log2, in_bits, ds);
    x->s1.oa_bits = 52;
    x->s1.ds = ds;
    x->s1.mair = 0x00ff;
    x->s1.half[0] = (Smmu3TableBase) {
        .ttb = x->pt.root, .tsz = 64 - in_bits, .page_log2 = page_log2,
    };
}

/* Begin anew, with tables from @pa on. */
static void walk_move_tables(Walk *x, uint64_t pa)
{
    unsigned in_bits = 64 - x->s1.half[0].tsz;

    x->host->next = pa;
    pt_init(&x->pt, x->host, x->pt.page_log2, in_bits, x->s1.ds);
    x->s1.half[0].ttb = x->pt.root;
}

static void walk_done(Walk *x)
{
    fake_host_free(x->host);
}

/* EVENT_NONE and x->leaf, or the fault's type and x->fault. */
static Smmu3EventType walk(Walk *x, uint64_t va, uint8_t need)
{
    Smmu3Walker w = {
        .ops = &fake_host_ops, .host = x->host, .oas_bits = x->oas_bits,
        .update = true,
    };
    Smmu3Tables tables;

    smmu3_tables_stage1(&tables, &x->s1, x->world, x->half);
    if (smmu3_walk(&w, &tables, va, need, &x->leaf, &x->fault)) {
        return EVENT_NONE;
    }
    g_assert_false(x->fault.stage2);
    g_assert_cmpint(x->fault.class, ==,
                    x->fault.type == F_WALK_EABT ? CLASS_TT : CLASS_IN);
    return x->fault.type;
}

/* ---- Geometry ---------------------------------------------------------- */

/* Granule, size of the input, LPA2: where the walk starts, by the manual. */
static const struct Geometry {
    unsigned page_log2, in_bits;
    bool ds;
    int start_level;
} geometries[] = {
    { 12, 16, false, 3 }, { 12, 21, false, 3 }, { 12, 22, false, 2 },
    { 12, 30, false, 2 }, { 12, 31, false, 1 }, { 12, 39, false, 1 },
    { 12, 40, false, 0 }, { 12, 48, false, 0 }, { 12, 48, true, 0 },
    { 12, 49, true, -1 }, { 12, 52, true, -1 },
    { 14, 16, false, 3 }, { 14, 25, false, 3 }, { 14, 26, false, 2 },
    { 14, 36, false, 2 }, { 14, 37, false, 1 }, { 14, 47, false, 1 },
    { 14, 48, false, 0 }, { 14, 48, true, 0 }, { 14, 52, true, 0 },
    { 16, 17, false, 3 }, { 16, 29, false, 3 }, { 16, 30, false, 2 },
    { 16, 42, false, 2 }, { 16, 43, false, 1 }, { 16, 48, false, 1 },
    { 16, 52, false, 1 },
};

/* log2 of the size of a leaf, 0 where only tables may be. */
static unsigned leaf_log2(const struct Geometry *g, int level)
{
    switch (g->page_log2) {
    case 12:
        return level == 3 ? 12 : level == 2 ? 21 : level == 1 ? 30
             : level == 0 && g->ds ? 39 : 0;
    case 14:
        return level == 3 ? 14 : level == 2 ? 25 : level == 1 && g->ds ? 36
             : 0;
    default:
        return level == 3 ? 16 : level == 2 ? 29 : level == 1 ? 42 : 0;
    }
}

/* An input address that uses the top and the bottom bit of its size. */
static uint64_t some_va(unsigned in_bits)
{
    return UINT64_C(1) << (in_bits - 1) | UINT64_C(0xabc);
}

static void test_geometry(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(geometries); i++) {
        const struct Geometry *g = &geometries[i];
        uint64_t out = g->ds || g->page_log2 == 16
                       ? UINT64_C(0xe5a0000000000) : UINT64_C(0x5a0000000000);
        uint64_t va = some_va(g->in_bits);

        for (int level = g->start_level; level <= 3; level++) {
            unsigned log2 = leaf_log2(g, level);
            Walk x;

            walk_init(&x, g->page_log2, g->in_bits, g->ds);
            g_assert_cmpint(x.pt.start_level, ==, g->start_level);
            pt_map(&x.pt, va, out, level, PT_USER_RW);
            if (!log2) {
                g_assert_cmpint(walk(&x, va, SMMU3_UNPRIV_R), ==,
                                F_TRANSLATION);
            } else {
                g_assert_cmpint(walk(&x, va, SMMU3_UNPRIV_R), ==, EVENT_NONE);
                g_assert_cmpint(x.leaf.size_log2, ==, log2);
                g_assert_cmphex(x.leaf.base, ==, out & ~smmu3_mask(log2));
                /* Its neighbour is not mapped. */
                if (log2 < g->in_bits) {
                    g_assert_cmpint(walk(&x, va ^ UINT64_C(1) << log2,
                                         SMMU3_UNPRIV_R), ==, F_TRANSLATION);
                }
            }
            walk_done(&x);
        }
    }
}

/* 64 KiB blocks at level 1 came with 52-bit addresses. */
static void test_64k_level1_block(void)
{
    Walk x;

    walk_init(&x, 16, 48, false);
    pt_map(&x.pt, 0, 0, 1, PT_USER_RW);
    g_assert_cmpint(walk(&x, 0x1234, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    x.oas_bits = x.s1.oa_bits = 48;
    g_assert_cmpint(walk(&x, 0x1234, SMMU3_UNPRIV_R), ==, F_TRANSLATION);
    walk_done(&x);
}

static void test_invalid_descriptor(void)
{
    for (int level = 0; level <= 3; level++) {
        Walk x;
        uint64_t pa;

        walk_init(&x, 12, 48, false);
        pa = pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW);
        pa = level == 3 ? pa : pt_entry(&x.pt, 0x5000, level);
        g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
        pt_write(&x.pt, pa, pt_read(&x.pt, pa) & ~UINT64_C(1));
        g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_TRANSLATION);
        walk_done(&x);
    }
}

static void test_level3_block(void)
{
    Walk x;
    uint64_t pa;

    walk_init(&x, 12, 39, false);
    pa = pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    pt_write(&x.pt, pa, pt_read(&x.pt, pa) & ~UINT64_C(2));
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_TRANSLATION);
    walk_done(&x);
}

/* Only TTBx[..] above the table's own size counts. */
static void test_ttb_alignment(void)
{
    Walk x;

    walk_init(&x, 12, 39, false);
    pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    x.s1.half[0].ttb |= 0xff0;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    walk_done(&x);
    /* Two descriptors: aligned to 16 bytes, to 64 with 52-bit addresses. */
    walk_init(&x, 16, 43, false);
    pt_map(&x.pt, 0x50000, 0x80000000, 3, PT_USER_RW);
    x.s1.half[0].ttb |= 0x30;
    g_assert_cmpint(walk(&x, 0x50000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    x.s1.oa_bits = 48;
    g_assert_cmpint(walk(&x, 0x50000, SMMU3_UNPRIV_R), ==, F_TRANSLATION);
    walk_done(&x);
    /* So too where descriptors can express 48 bits only (5.4, TTB0). */
    walk_init(&x, 12, 31, false);
    pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    x.s1.half[0].ttb |= 0x30;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    x.s1.oa_bits = 48;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_TRANSLATION);
    walk_done(&x);
}

/* ---- Output addresses -------------------------------------------------- */

static void test_addr_size(void)
{
    Walk x;
    uint64_t pa;

    walk_init(&x, 12, 48, false);
    x.s1.oa_bits = 40;
    pa = pt_map(&x.pt, 0x5000, UINT64_C(0xfffffff000), 3, PT_USER_RW);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmphex(x.leaf.base, ==, UINT64_C(0xfffffff000));
    pt_write(&x.pt, pa, pt_read(&x.pt, pa) ^ UINT64_C(1) << 40);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_ADDR_SIZE);
    pt_write(&x.pt, pa, pt_read(&x.pt, pa) ^ UINT64_C(1) << 40);
    for (int level = 0; level < 3; level++) {
        pt_or(&x.pt, 0x5000, level, UINT64_C(1) << 47);
        g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_ADDR_SIZE);
        pa = pt_entry(&x.pt, 0x5000, level);
        pt_write(&x.pt, pa, pt_read(&x.pt, pa) ^ UINT64_C(1) << 47);
    }
    walk_done(&x);
}

/*
 * What counts is the output of the access, not where its block or the block of
 * contiguous entries begins (DDI 0487 D8.7.1.2); and no answer reaches beyond
 * the output size.
 */
static void test_large_block_addr_size(void)
{
    static const struct {
        unsigned page_log2;
        bool ds;
        int level;
        uint64_t contiguous;
        unsigned oa_bits;
    } rows[] = {
        { 12, false, 1, PT_CONTIG, 32 },    /* 16 of 1 GiB */
        { 12, false, 1, PT_CONTIG, 33 },
        { 14, false, 2, PT_CONTIG, 29 },    /* 32 of 32 MiB: no such size of
                                               IPS, but of the walk */
        { 16, false, 2, PT_CONTIG, 32 },    /* 32 of 512 MiB */
        { 12, true, 0, 0, 36 },             /* 512 GiB */
        { 12, true, 0, PT_CONTIG, 32 },
        { 14, true, 1, 0, 32 },             /* 64 GiB */
        { 16, false, 1, 0, 40 },            /* 4 TiB */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t limit = UINT64_C(1) << rows[i].oa_bits, block, va;
        unsigned log2;
        Walk x;

        walk_init(&x, rows[i].page_log2, 48, rows[i].ds);
        walk_move_tables(&x, 0x10000000);
        x.s1.oa_bits = rows[i].oa_bits;
        log2 = pt_level_log2(&x.pt, rows[i].level);
        block = UINT64_C(1) << log2;
        /* An identity mapping of the last that can be and of what follows */
        for (va = 0; va <= limit; va += MIN(block, limit)) {
            pt_map(&x.pt, va, va, rows[i].level,
                   PT_USER_RW | rows[i].contiguous);
        }
        g_assert_cmpint(walk(&x, limit - 0x1000, SMMU3_UNPRIV_R), ==,
                        EVENT_NONE);
        g_assert_cmpint(x.leaf.size_log2, ==, MIN(log2, rows[i].oa_bits));
        g_assert_cmphex(x.leaf.base, ==, limit - MIN(block, limit));
        g_assert_cmpint(walk(&x, limit, SMMU3_UNPRIV_R), ==, F_ADDR_SIZE);
        g_assert_cmpint(walk(&x, limit + 0x5678, SMMU3_UNPRIV_R), ==,
                        F_ADDR_SIZE);
        walk_done(&x);
    }
}

/* 64 KiB descriptors hold OA[51:48] in bits 15:12, whatever the OAS. */
static void test_64k_high_bits(void)
{
    Walk x;
    uint64_t pa;

    walk_init(&x, 16, 48, false);
    pa = pt_map(&x.pt, 0x50000, UINT64_C(0x9000080000000), 3, PT_USER_RW);
    g_assert_cmphex(pt_read(&x.pt, pa) >> 12 & 0xf, ==, 9);
    g_assert_cmpint(walk(&x, 0x50000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmphex(x.leaf.base, ==, UINT64_C(0x9000080000000));
    x.s1.oa_bits = 48;
    g_assert_cmpint(walk(&x, 0x50000, SMMU3_UNPRIV_R), ==, F_ADDR_SIZE);
    walk_done(&x);
}

/* With LPA2, OA[51:50] are in bits 9:8, for tables too; without, SH is. */
static void test_lpa2_high_bits(void)
{
    Walk x;
    uint64_t pa;

    walk_init(&x, 12, 52, true);
    x.host->next = UINT64_C(0xc000000000000);     /* tables up there */
    pa = pt_map(&x.pt, 0x5000, UINT64_C(0xd000080000000), 3, PT_USER_RW);
    g_assert_cmphex(pt_read(&x.pt, pa) >> 8 & 3, ==, 3);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmphex(x.leaf.base, ==, UINT64_C(0xd000080000000));
    x.s1.oa_bits = 48;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_ADDR_SIZE);
    walk_done(&x);

    walk_init(&x, 12, 48, false);
    pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW | 3 << 8);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmphex(x.leaf.base, ==, 0x80000000);
    walk_done(&x);
}

/* ---- External aborts --------------------------------------------------- */

static void test_external_abort(void)
{
    for (int level = 0; level <= 3; level++) {
        Walk x;
        uint64_t pa;

        walk_init(&x, 12, 48, false);
        pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW);
        pa = pt_entry(&x.pt, 0x5000, level);
        fake_unmap(x.host, pa, 8);
        g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_WALK_EABT);
        g_assert_cmphex(x.fault.fetch_addr, ==, pa);
        walk_done(&x);
    }
}

/* ---- Permissions ------------------------------------------------------- */

/* Rights as letters: unprivileged, then privileged. */
static char *letters(uint8_t rights)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < 6; i++) {
        g_string_append_c(s, rights >> i & 1 ? "rwxrwx"[i] : '-');
    }
    return g_string_free(s, FALSE);
}

typedef struct Permission {
    uint64_t leaf;              /* attributes */
    uint64_t table;             /* bits of the level-1 descriptor */
    bool wxn, pan, el2, had;
    const char *rights;
} Permission;

#define PXN PT_PXN
#define UXN PT_UXN
#define USER PT_UNPRIV
#define RO PT_RO
#define TABLE_PXN PT_BITS(TTD_PXNTABLE)
#define TABLE_UXN PT_BITS(TTD_UXNTABLE)
#define TABLE_NO_USER PT_BITS(TTD_APTABLE_NO_UNPRIV)
#define TABLE_RO PT_BITS(TTD_APTABLE_NO_WRITE)

static void check_permissions(const Permission *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const Permission *row = &rows[i];
        g_autofree char *got = NULL;
        Walk x;

        walk_init(&x, 12, 39, false);
        x.s1.wxn = row->wxn;
        x.s1.pan = row->pan;
        x.s1.half[0].had = row->had;
        x.world = row->el2 ? SMMU3_WORLD_NS_EL2 : SMMU3_WORLD_NS_EL1;
        pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_AF | row->leaf);
        pt_or(&x.pt, 0x5000, 1, row->table);
        g_assert_cmpint(walk(&x, 0x5000, 0), ==, EVENT_NONE);
        got = letters(x.leaf.rights);
        g_assert_cmpstr(got, ==, row->rights);
        /* Each right that is missing faults when it is needed, no other. */
        for (unsigned bit = 0; bit < 6; bit++) {
            g_assert_cmpint(walk(&x, 0x5000, 1 << bit), ==,
                            row->rights[bit] == '-' ? F_PERMISSION
                                                    : EVENT_NONE);
        }
        walk_done(&x);
    }
}

static void test_ap(void)
{
    static const Permission rows[] = {
        { 0, .rights = "--xrwx" },
        { USER, .rights = "rwxrw-" },   /* PXN by being writable */
        { RO, .rights = "--xr-x" },
        { RO | USER, .rights = "r-xr-x" },
        { UXN, .rights = "---rwx" },
        { PXN, .rights = "--xrw-" },
        { RO | USER | PXN | UXN, .rights = "r--r--" },
        { RO | UXN, .rights = "---r-x" },
    };

    check_permissions(rows, G_N_ELEMENTS(rows));
}

static void test_wxn(void)
{
    static const Permission rows[] = {
        { 0, .wxn = true, .rights = "--xrw-" },
        { USER, .wxn = true, .rights = "rw-rw-" },
        { RO, .wxn = true, .rights = "--xr-x" },
        { RO | USER, .wxn = true, .rights = "r-xr-x" },
    };

    check_permissions(rows, G_N_ELEMENTS(rows));
}

static void test_pan(void)
{
    static const Permission rows[] = {
        { 0, .pan = true, .rights = "--xrwx" },
        { USER, .pan = true, .rights = "rwx---" },
        { RO | USER, .pan = true, .rights = "r-x--x" },
        /* An APTable that takes user access away takes PAN away, too. */
        { USER, TABLE_NO_USER, .pan = true, .rights = "--xrwx" },
    };

    check_permissions(rows, G_N_ELEMENTS(rows));
}

static void test_hierarchy(void)
{
    static const Permission rows[] = {
        { USER, TABLE_RO, .rights = "r-xr-x" },
        { USER, TABLE_NO_USER, .rights = "--xrwx" },
        { USER, TABLE_RO | TABLE_NO_USER, .rights = "--xr-x" },
        { RO | USER, TABLE_PXN, .rights = "r-xr--" },
        { RO | USER, TABLE_UXN, .rights = "r--r-x" },
        { USER, TABLE_RO | TABLE_NO_USER | TABLE_PXN | TABLE_UXN,
          .had = true, .rights = "rwxrw-" },
    };

    check_permissions(rows, G_N_ELEMENTS(rows));
}

static void test_el2(void)
{
    static const Permission rows[] = {
        { 0, .el2 = true, .rights = "rwxrwx" },
        { USER, .el2 = true, .rights = "rwxrwx" },
        { RO, .el2 = true, .rights = "r-xr-x" },
        { UXN, .el2 = true, .rights = "rw-rw-" },
        { PXN, .el2 = true, .rights = "rwxrwx" },
        { 0, .el2 = true, .wxn = true, .rights = "rw-rw-" },
        { 0, TABLE_NO_USER | TABLE_PXN, .el2 = true, .rights = "rwxrwx" },
        { 0, TABLE_RO | TABLE_UXN, .el2 = true, .rights = "r--r--" },
    };

    check_permissions(rows, G_N_ELEMENTS(rows));
}

static void test_rights_needed(void)
{
    g_assert_cmphex(smmu3_rights_needed(SMMU3_READ, false, false), ==,
                    SMMU3_UNPRIV_R);
    g_assert_cmphex(smmu3_rights_needed(SMMU3_WRITE, false, false), ==,
                    SMMU3_UNPRIV_W);
    g_assert_cmphex(smmu3_rights_needed(SMMU3_READ, true, true), ==,
                    SMMU3_PRIV_X);
    g_assert_cmphex(smmu3_rights_needed(SMMU3_READ | SMMU3_WRITE, true,
                                        false), ==,
                    SMMU3_PRIV_R | SMMU3_PRIV_W);
}

/* ---- Access flag without hardware update ------------------------------- */

static void test_access_flag(void)
{
    Walk x;

    walk_init(&x, 12, 39, false);
    pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_UNPRIV);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_ACCESS);
    x.s1.affd = true;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmpuint(x.host->cases, ==, 0);
    walk_done(&x);
}

static void test_access_before_permission(void)
{
    Walk x;

    walk_init(&x, 12, 39, false);
    pt_map(&x.pt, 0x5000, 0x80000000, 3, 0);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_ACCESS);
    x.s1.affd = true;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_PERMISSION);
    walk_done(&x);
}

static void test_addr_size_before_access(void)
{
    Walk x;

    walk_init(&x, 12, 39, false);
    x.s1.oa_bits = 32;
    pt_map(&x.pt, 0x5000, UINT64_C(0x100000000), 3, 0);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, F_ADDR_SIZE);
    walk_done(&x);
}

/* ---- Byte order, attributes, contiguous blocks ------------------------- */

static void test_big_endian(void)
{
    Walk x;

    walk_init(&x, 12, 48, false);
    x.pt.big_endian = true;
    pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), !=, EVENT_NONE);
    x.s1.big_endian = true;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmphex(x.leaf.base, ==, 0x80000000);
    walk_done(&x);
}

static void test_attributes(void)
{
    Walk x;

    walk_init(&x, 12, 48, false);
    pt_map(&x.pt, 0x5000, 0x80000000, 3, PT_AF | PT_NG);
    pt_map(&x.pt, 0x6000, 0x80000000, 3, PT_AF | PT_DEVICE);
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_PRIV_R), ==, EVENT_NONE);
    g_assert_false(x.leaf.global || x.leaf.device);
    g_assert_cmpint(walk(&x, 0x6000, SMMU3_PRIV_R), ==, EVENT_NONE);
    g_assert_true(x.leaf.global && x.leaf.device);
    x.world = SMMU3_WORLD_NS_EL2;
    g_assert_cmpint(walk(&x, 0x5000, SMMU3_PRIV_R), ==, EVENT_NONE);
    g_assert_true(x.leaf.global);       /* nG means nothing there */
    walk_done(&x);
}

static void test_contiguous(void)
{
    static const struct {
        unsigned page_log2;
        int level;
        bool ds;
        unsigned joined_log2;
    } rows[] = {
        { 12, 3, false, 16 }, { 12, 2, false, 25 }, { 12, 1, false, 34 },
        { 14, 3, false, 21 }, { 14, 2, false, 30 }, { 14, 1, true, 36 },
        { 16, 3, false, 21 }, { 16, 2, false, 34 }, { 16, 1, false, 42 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned joined = rows[i].joined_log2;
        uint64_t block = UINT64_C(1) << joined;
        Walk x;
        unsigned own;

        walk_init(&x, rows[i].page_log2, 48, rows[i].ds);
        own = pt_level_log2(&x.pt, rows[i].level);
        /* The second entry of a block, as if the others were there too. */
        pt_map(&x.pt, block + (UINT64_C(1) << own) % block,
               3 * block + (UINT64_C(1) << own) % block, rows[i].level,
               PT_USER_RW | PT_CONTIG);
        g_assert_cmpint(walk(&x, block + (UINT64_C(1) << own) % block + 5,
                             SMMU3_UNPRIV_R), ==, EVENT_NONE);
        g_assert_cmpint(x.leaf.size_log2, ==, joined);
        g_assert_cmphex(x.leaf.base, ==, 3 * block);
        /* Where entries have dirty states, each stands for itself. */
        x.s1.ha = x.s1.hd = true;
        g_assert_cmpint(walk(&x, block + (UINT64_C(1) << own) % block,
                             SMMU3_UNPRIV_R), ==, EVENT_NONE);
        g_assert_cmpint(x.leaf.size_log2, ==, own);
        walk_done(&x);
    }
}

/* 512 GiB blocks have no contiguous bit (DDI 0487 D8.6). */
static void test_contiguous_level0(void)
{
    uint64_t block = UINT64_C(1) << 39;
    Walk x;

    walk_init(&x, 12, 48, true);
    pt_map(&x.pt, block, block, 0, PT_USER_RW | PT_CONTIG);
    g_assert_cmpint(walk(&x, block + 5, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmpint(x.leaf.size_log2, ==, 39);
    g_assert_cmphex(x.leaf.base, ==, block);
    walk_done(&x);
}

/* A contiguous bit whose addresses do not fit is not believed. */
static void test_contiguous_misplaced(void)
{
    Walk x;

    walk_init(&x, 12, 48, false);
    pt_map(&x.pt, 0x10000, 0x80003000, 3, PT_USER_RW | PT_CONTIG);
    g_assert_cmpint(walk(&x, 0x10000, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmpint(x.leaf.size_log2, ==, 12);
    g_assert_cmphex(x.leaf.base, ==, 0x80003000);
    walk_done(&x);
}

/* ---- Which half -------------------------------------------------------- */

#define HIGH(n) (UINT64_MAX << (n))     /* all bits from n up */

static void test_select(void)
{
    static const struct {
        unsigned tsz0, tsz1;
        bool tbi, el2;
        uint64_t va;
        int half;                       /* -1: F_TRANSLATION */
    } rows[] = {
        { 16, 16, false, false, 0, 0 },
        { 16, 16, false, false, UINT64_C(0xffffffffffff), 0 },
        { 16, 16, false, false, UINT64_C(1) << 48, -1 },
        { 16, 16, false, false, UINT64_C(1) << 54, -1 },
        { 16, 16, false, false, UINT64_C(1) << 63, -1 },
        { 16, 16, false, false, HIGH(48), 1 },
        { 16, 16, false, false, UINT64_MAX, 1 },
        { 16, 16, false, false, HIGH(49), -1 },
        { 16, 16, false, false, ~(UINT64_C(1) << 63), -1 },
        { 16, 25, false, false, HIGH(39), 1 },
        { 16, 25, false, false, HIGH(40), -1 },
        { 25, 16, false, false, UINT64_C(1) << 39, -1 },
        { 12, 12, false, false, ~HIGH(52), 0 },
        { 12, 12, false, false, HIGH(52), 1 },
        { 12, 12, false, false, UINT64_C(1) << 52, -1 },
        /* TBI: only bits 55 ... N count */
        { 16, 16, true, false, UINT64_C(0xab00000000001000), 0 },
        { 16, 16, true, false, UINT64_C(0x00ffff0000001000), 1 },
        { 16, 16, true, false, UINT64_C(0xab01000000001000), -1 },
        { 16, 16, true, false, UINT64_C(0xabfeff0000001000), -1 },
        /* NS-EL2 has one half, and bits above it are zero */
        { 16, 16, false, true, 0x1000, 0 },
        { 16, 16, false, true, HIGH(48), -1 },
        { 16, 16, true, true, UINT64_C(0xab00000000001000), 0 },
        { 16, 16, true, true, UINT64_C(0x0080000000001000), -1 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Smmu3Stage1 s1 = { 0 };
        unsigned half = 7;
        bool ok;

        s1.half[0].tsz = rows[i].tsz0;
        s1.half[1].tsz = rows[i].tsz1;
        s1.half[0].tbi = s1.half[1].tbi = rows[i].tbi;
        ok = smmu3_stage1_select(&s1, rows[i].el2 ? SMMU3_WORLD_NS_EL2
                                                  : SMMU3_WORLD_NS_EL1,
                                 rows[i].va, false, &half);
        g_test_message("row %u", i);
        g_assert_cmpint(ok, ==, rows[i].half >= 0);
        if (ok) {
            g_assert_cmpint(half, ==, rows[i].half);
        }
    }
}

static void test_disabled_half(void)
{
    Smmu3Stage1 s1 = { .half = { { .tsz = 16 }, { .tsz = 16 } } };
    uint64_t low = 0x1000, high = HIGH(48) | 0x1000;
    unsigned half;

    s1.half[0].epd = true;
    g_assert_false(smmu3_stage1_select(&s1, SMMU3_WORLD_NS_EL1, low, true,
                                       &half));
    g_assert_true(smmu3_stage1_select(&s1, SMMU3_WORLD_NS_EL1, high, true,
                                      &half));
    s1.half[0].epd = false;
    s1.half[1].e0pd = true;
    g_assert_true(smmu3_stage1_select(&s1, SMMU3_WORLD_NS_EL1, low, false,
                                      &half));
    g_assert_false(smmu3_stage1_select(&s1, SMMU3_WORLD_NS_EL1, high, false,
                                       &half));
    g_assert_true(smmu3_stage1_select(&s1, SMMU3_WORLD_NS_EL1, high, true,
                                      &half));
}

/* The upper half's tables are walked with the address bits below N. */
static void test_upper_half(void)
{
    Walk x;
    uint64_t va = HIGH(39) | 0x5000;

    walk_init(&x, 12, 39, false);
    x.s1.half[1] = x.s1.half[0];
    x.s1.half[0].ttb = 0xdead0000;
    x.half = 1;
    pt_map(&x.pt, va, 0x80000000, 3, PT_USER_RW);
    g_assert_cmpint(walk(&x, va, SMMU3_UNPRIV_R), ==, EVENT_NONE);
    g_assert_cmphex(x.leaf.base, ==, 0x80000000);
    walk_done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/walk/geometry-of-all-granules", test_geometry,
                     "56");
    conformance_test("/smmu3/walk/64k-level-1-block-needs-52-bits",
                     test_64k_level1_block, "");
    conformance_test("/smmu3/walk/invalid-descriptor-at-each-level",
                     test_invalid_descriptor, "54");
    conformance_test("/smmu3/walk/level-3-block-is-invalid",
                     test_level3_block, "55");
    conformance_test("/smmu3/walk/ttb-is-aligned-to-its-table",
                     test_ttb_alignment, "");
    conformance_test("/smmu3/walk/address-beyond-ips", test_addr_size, "57");
    conformance_test("/smmu3/walk/output-of-the-access-beyond-ips",
                     test_large_block_addr_size, "57");
    conformance_test("/smmu3/walk/64k-addresses-of-52-bits",
                     test_64k_high_bits, "57");
    conformance_test("/smmu3/walk/lpa2-addresses-of-52-bits",
                     test_lpa2_high_bits, "57");
    conformance_test("/smmu3/walk/external-abort-at-each-level",
                     test_external_abort, "73");
    conformance_test("/smmu3/walk/ap-pxn-uxn", test_ap, "63 64");
    conformance_test("/smmu3/walk/wxn", test_wxn, "65");
    conformance_test("/smmu3/walk/pan", test_pan, "64");
    conformance_test("/smmu3/walk/hierarchical-permissions", test_hierarchy,
                     "66");
    conformance_test("/smmu3/walk/el2-has-one-privilege", test_el2, "68");
    conformance_test("/smmu3/walk/rights-that-an-access-needs",
                     test_rights_needed, "");
    conformance_test("/smmu3/walk/access-flag-and-affd", test_access_flag,
                     "58");
    conformance_test("/smmu3/walk/access-before-permission",
                     test_access_before_permission, "59");
    conformance_test("/smmu3/walk/address-size-before-access",
                     test_addr_size_before_access, "57");
    conformance_test("/smmu3/walk/big-endian-tables", test_big_endian, "");
    conformance_test("/smmu3/walk/global-and-device", test_attributes, "");
    conformance_test("/smmu3/walk/contiguous-blocks", test_contiguous, "");
    conformance_test("/smmu3/walk/no-contiguous-bit-in-512-gib-blocks",
                     test_contiguous_level0, "");
    conformance_test("/smmu3/walk/contiguous-bit-misplaced",
                     test_contiguous_misplaced, "");
    conformance_test("/smmu3/walk/half-by-sign-extension-and-tbi",
                     test_select, "53 68");
    conformance_test("/smmu3/walk/epd-and-e0pd-disable-a-half",
                     test_disabled_half, "47 74");
    conformance_test("/smmu3/walk/upper-half", test_upper_half, "47");
    return conformance_run();
}
