/*
 * The IOTLB and the configuration cache: what matches, what each invalidation
 * takes and leaves, eviction, and lookups while others write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "core/cache/config-cache.h"
#include "core/cache/tlb.h"

#define EL1 SMMU3_WORLD_NS_EL1
#define EL2 SMMU3_WORLD_NS_EL2
#define E2H SMMU3_WORLD_NS_EL2_E2H
#define S2 SMMU3_WORLD_STAGE2

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Smmu3Tlb, smmu3_tlb_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Smmu3ConfigCache, smmu3_config_cache_free)

static Smmu3TlbTag el1(uint16_t vmid, uint16_t asid)
{
    return (Smmu3TlbTag) { .world = EL1, .vmid = vmid, .asid = asid };
}

static Smmu3TlbTag in_world(Smmu3World world, uint16_t vmid, uint16_t asid)
{
    return (Smmu3TlbTag) { .world = world, .vmid = vmid, .asid = asid };
}

static void insert(Smmu3Tlb *tlb, Smmu3TlbTag tag, uint64_t addr,
                   unsigned size_log2, bool global)
{
    Smmu3Leaf leaf = {
        .base = (addr & ~smmu3_mask(size_log2)) ^ UINT64_C(0x1000000000000),
        .size_log2 = size_log2,
        .rights = SMMU3_UNPRIV_R | SMMU3_PRIV_W,
        .clean = true,
        .global = global,
        .device = true,
    };

    smmu3_tlb_insert(tlb, &tag, addr, &leaf, smmu3_tlb_epoch(tlb));
}

static bool hit(Smmu3Tlb *tlb, Smmu3TlbTag tag, uint64_t addr)
{
    Smmu3Leaf leaf;

    return smmu3_tlb_lookup(tlb, &tag, addr, &leaf);
}

/* ---- What matches ------------------------------------------------------ */

static void test_returns_what_was_put(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64);
    static const unsigned sizes[] = { 12, 14, 16, 21, 25, 30, 42, 52 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Smmu3TlbTag tag = el1(3, i);
        uint64_t addr = UINT64_C(0x00ab123456789abc);
        Smmu3Leaf leaf;

        insert(tlb, tag, addr, sizes[i], i & 1);
        g_assert_true(smmu3_tlb_lookup(tlb, &tag, addr ^ 0x40, &leaf));
        g_assert_cmpint(leaf.size_log2, ==, sizes[i]);
        g_assert_cmphex(leaf.base, ==,
                        ((addr & ~smmu3_mask(sizes[i])) ^
                         UINT64_C(0x1000000000000)) & ~smmu3_mask(12));
        g_assert_cmphex(leaf.rights, ==, SMMU3_UNPRIV_R | SMMU3_PRIV_W);
        g_assert_true(leaf.clean && leaf.device);
        g_assert_cmpint(leaf.global, ==, i & 1);
        /* Its first and last byte, and not those beside it */
        g_assert_true(hit(tlb, tag, addr | smmu3_mask(sizes[i])));
        g_assert_true(hit(tlb, tag, addr & ~smmu3_mask(sizes[i])));
        g_assert_false(hit(tlb, tag, (addr & ~smmu3_mask(sizes[i])) - 1));
        g_assert_false(hit(tlb, tag, (addr | smmu3_mask(sizes[i])) + 1));
        smmu3_tlb_invalidate_all(tlb);
    }
}

static void test_tags(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(1024);
    static const Smmu3World worlds[] = { EL1, EL2, E2H, S2 };

    for (unsigned i = 0; i < G_N_ELEMENTS(worlds); i++) {
        insert(tlb, in_world(worlds[i], 1, 2), 0x5000, 12, false);
        for (unsigned j = 0; j < G_N_ELEMENTS(worlds); j++) {
            g_assert_cmpint(hit(tlb, in_world(worlds[j], 1, 2), 0x5000), ==,
                            i == j);
        }
        g_assert_false(hit(tlb, in_world(worlds[i], 2, 2), 0x5000));
        g_assert_false(hit(tlb, in_world(worlds[i], 1, 3), 0x5000));
        smmu3_tlb_invalidate_all(tlb);
    }
}

/* Global entries match every ASID, of the same ASET. */
static void test_global(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(1024);
    Smmu3TlbTag tag = el1(1, 2);

    insert(tlb, tag, 0x5000, 12, true);
    g_assert_true(hit(tlb, el1(1, 77), 0x5000));
    g_assert_false(hit(tlb, el1(2, 2), 0x5000));
    tag.aset = true;
    g_assert_false(hit(tlb, tag, 0x5000));
    insert(tlb, tag, 0x6000, 12, true);
    g_assert_true(hit(tlb, tag, 0x6000));
    g_assert_false(hit(tlb, el1(1, 2), 0x6000));
}

/* TBI: bits above 55 do not count. Bit 55 does: it selects the half. */
static void test_top_byte(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(1024);

    insert(tlb, el1(1, 2), UINT64_C(0xab00000000005000), 12, false);
    g_assert_true(hit(tlb, el1(1, 2), UINT64_C(0xcd00000000005000)));
    g_assert_false(hit(tlb, el1(1, 2), UINT64_C(0xab80000000005000)));
}

static void test_replaces_the_same_block(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64);
    Smmu3TlbTag tag = el1(1, 2);
    Smmu3Leaf leaf = { .base = 0x7000, .size_log2 = 12 };

    insert(tlb, tag, 0x5000, 12, false);
    smmu3_tlb_insert(tlb, &tag, 0x5000, &leaf, smmu3_tlb_epoch(tlb));
    g_assert_true(smmu3_tlb_lookup(tlb, &tag, 0x5000, &leaf));
    g_assert_cmphex(leaf.base, ==, 0x7000);
}

/* ---- What invalidations take and leave --------------------------------- */

/* One entry of each kind, by letters: which are there. */
static void fill(Smmu3Tlb *tlb)
{
    insert(tlb, el1(1, 2), 0x5000, 12, false);              /* a */
    insert(tlb, el1(1, 3), 0x5000, 12, false);              /* b */
    insert(tlb, el1(4, 2), 0x5000, 12, false);              /* c */
    insert(tlb, el1(1, 2), 0x6000, 12, false);              /* d */
    insert(tlb, el1(1, 2), 0x7000, 12, true);               /* e: global */
    insert(tlb, el1(1, 2), 0x200000, 21, false);            /* f: 2 MiB */
    insert(tlb, in_world(S2, 1, 0), 0x5000, 12, true);      /* g */
    insert(tlb, in_world(S2, 4, 0), 0x5000, 12, true);      /* h */
    insert(tlb, in_world(EL2, 0, 0), 0x5000, 12, true);     /* i */
    insert(tlb, in_world(E2H, 0, 2), 0x5000, 12, false);    /* j */
    insert(tlb, in_world(E2H, 0, 3), 0x5000, 12, false);    /* k */
    insert(tlb, in_world(E2H, 0, 3), 0x6000, 12, true);     /* l: global */
}

static char *present(Smmu3Tlb *tlb)
{
    const bool there[] = {
        hit(tlb, el1(1, 2), 0x5123), hit(tlb, el1(1, 3), 0x5000),
        hit(tlb, el1(4, 2), 0x5000), hit(tlb, el1(1, 2), 0x6fff),
        hit(tlb, el1(1, 9), 0x7000), hit(tlb, el1(1, 2), 0x3fffff),
        hit(tlb, in_world(S2, 1, 0), 0x5000),
        hit(tlb, in_world(S2, 4, 0), 0x5000),
        hit(tlb, in_world(EL2, 0, 0), 0x5000),
        hit(tlb, in_world(E2H, 0, 2), 0x5000),
        hit(tlb, in_world(E2H, 0, 3), 0x5000),
        hit(tlb, in_world(E2H, 0, 9), 0x6000),
    };
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(there); i++) {
        if (there[i]) {
            g_string_append_c(s, 'a' + i);
        }
    }
    return g_string_free(s, FALSE);
}

static void expect_present(Smmu3Tlb *tlb, const char *expected)
{
    g_autofree char *got = present(tlb);

    g_assert_cmpstr(got, ==, expected);
}

#define ALL "abcdefghijkl"

/* A full TLB, one invalidation, and what is left. */
#define AFTER(invalidate, left)                     \
    do {                                            \
        g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(4096); \
        Smmu3TlbTag tag;                            \
        fill(tlb);                                  \
        expect_present(tlb, ALL);                   \
        invalidate;                                 \
        expect_present(tlb, left);                  \
        fill(tlb);                                  \
        expect_present(tlb, ALL);                   \
        (void)tag;                                  \
    } while (0)

static void test_invalidate_wide(void)
{
    AFTER(smmu3_tlb_invalidate_all(tlb), "");
    AFTER(smmu3_tlb_invalidate_el2(tlb), "abcdefgh");
    AFTER(smmu3_tlb_invalidate_nsnh(tlb), "ijkl");
}

static void test_invalidate_vmid(void)
{
    AFTER(smmu3_tlb_invalidate_vmid(tlb, 1, 0, false), "cghijkl");
    AFTER(smmu3_tlb_invalidate_vmid(tlb, 1, 0, true), "chijkl");
    AFTER(smmu3_tlb_invalidate_vmid(tlb, 4, 0, true), "abdefgijkl");
    AFTER(smmu3_tlb_invalidate_vmid(tlb, 9, 0, true), ALL);
    /* CR0.VMW: VMIDs 0 ... 3, and 0 ... 15 */
    AFTER(smmu3_tlb_invalidate_vmid(tlb, 2, 3, true), "chijkl");
    AFTER(smmu3_tlb_invalidate_vmid(tlb, 15, 15, true), "ijkl");
}

/* Not the global entries, nor other ASIDs, VMIDs, worlds. */
static void test_invalidate_asid(void)
{
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_asid(tlb, &tag, 0)),
          "bceghijkl");
    AFTER((tag = el1(7, 2), smmu3_tlb_invalidate_asid(tlb, &tag, 7)),
          "beghijkl");
    AFTER((tag = el1(1, 0), smmu3_tlb_invalidate_asid(tlb, &tag, 0)), ALL);
    AFTER((tag = in_world(E2H, 0, 3),
           smmu3_tlb_invalidate_asid(tlb, &tag, 0)), "abcdefghijl");
}

static void test_invalidate_page(void)
{
    AFTER((tag = el1(1, 2),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x5fff)),
          "bcdefghijkl");
    /* Global ones go with every ASID. */
    AFTER((tag = el1(1, 9),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x7000, 0x7fff)),
          "abcdfghijkl");
    /* ... and with every ASET. */
    AFTER((tag = el1(1, 9), tag.aset = true,
           smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x7000, 0x7fff)),
          "abcdfghijkl");
    /* A block goes when a page of it does. */
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_range(tlb, &tag, 0, false,
                                                       0x2ff000, 0x2fffff)),
          "abcdeghijkl");
    AFTER((tag = in_world(S2, 1, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x5fff)),
          "abcdefhijkl");
    AFTER((tag = in_world(S2, 5, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 1, false, 0x5000, 0x5fff)),
          "abcdefgijkl");
    AFTER((tag = in_world(EL2, 0, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0x5000, 0x5fff)),
          "abcdefghjkl");
    AFTER((tag = in_world(E2H, 0, 2),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x6fff)),
          "abcdefghik");
}

static void test_invalidate_range(void)
{
    AFTER((tag = el1(1, 2),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x6fff)),
          "bcefghijkl");
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_range(tlb, &tag, 0, false,
                                                       0x6000, 0x1ffff)),
          "abcfghijkl");
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_range(tlb, &tag, 0, false,
                                                       0x1f0000, 0x200000)),
          "abcdeghijkl");
}

/*
 * More pages than are worth looking for, where there are global entries: the
 * regions of 2 MiB go, of every ASID, and no others.
 */
static void test_invalidate_regions(void)
{
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_range(tlb, &tag, 0, false,
                                                       0x6000, 0x1fffff)),
          "cfghijkl");
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_range(tlb, &tag, 0, false,
                                                       0x6000, 0x200000)),
          "cghijkl");
    AFTER((tag = el1(1, 2), smmu3_tlb_invalidate_range(tlb, &tag, 0, false,
                                                       0x200000, 0x5fffff)),
          "abcdeghijkl");
    AFTER((tag = in_world(S2, 5, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 1, false, 0, 0x3fffff)),
          "abcdefgijkl");
    AFTER((tag = in_world(EL2, 0, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0, 0x3fffff)),
          "abcdefghjkl");
}

/* A range in the upper half takes what is there, and no more. */
static void test_invalidate_upper_half(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64);
    uint64_t va = UINT64_C(0xffff000000005000);
    Smmu3TlbTag tag = el1(1, 2);

    insert(tlb, tag, va, 12, false);
    insert(tlb, tag, va + 0x1000, 12, false);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, va, va + 0xfff);
    g_assert_false(hit(tlb, tag, va));
    g_assert_true(hit(tlb, tag, va + 0x1000));
}

/* More pages than are worth looking for: the ASID, or the VMID, goes. */
static void test_invalidate_vast_range(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64);
    Smmu3TlbTag tag = el1(1, 2);

    insert(tlb, el1(1, 2), 0x5000, 12, false);
    insert(tlb, el1(1, 3), 0x5000, 12, false);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0, UINT64_MAX >> 8);
    g_assert_false(hit(tlb, el1(1, 2), 0x5000));
    g_assert_true(hit(tlb, el1(1, 3), 0x5000));
    insert(tlb, el1(1, 2), 0x7000, 12, true);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0, UINT64_MAX);
    g_assert_false(hit(tlb, el1(1, 2), 0x7000));
    insert(tlb, el1(1, 2), 0x5000, 12, false);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0x5000, 0x5fff);
    g_assert_false(hit(tlb, el1(1, 2), 0x5000));

    tag = in_world(E2H, 0, 2);
    insert(tlb, tag, 0x5000, 12, false);
    insert(tlb, in_world(E2H, 0, 3), 0x5000, 12, false);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0, UINT64_MAX >> 8);
    g_assert_false(hit(tlb, tag, 0x5000));
    g_assert_true(hit(tlb, in_world(E2H, 0, 3), 0x5000));
    insert(tlb, tag, 0x5000, 12, true);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0, UINT64_MAX >> 8);
    g_assert_false(hit(tlb, tag, 0x5000));

    tag = in_world(S2, 4, 0);
    insert(tlb, tag, 0x5000, 12, true);
    insert(tlb, in_world(S2, 5, 0), 0x5000, 12, true);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0, UINT64_MAX >> 8);
    g_assert_false(hit(tlb, tag, 0x5000));
    g_assert_true(hit(tlb, in_world(S2, 5, 0), 0x5000));
}

/* TLBI_NH_VAA: every ASID's, and what else is in the same 2 MiB. */
static void test_invalidate_any_asid(void)
{
    AFTER((tag = el1(1, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0x5000, 0x5fff)),
          "cfghijkl");
    AFTER((tag = el1(5, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 1, true, 0x5000, 0x5fff)),
          "abdefghijkl");
    AFTER((tag = el1(1, 0), smmu3_tlb_invalidate_range(tlb, &tag, 0, true,
                                                       0x2ff000, 0x2fffff)),
          "abcdeghijkl");
    AFTER((tag = in_world(E2H, 0, 0),
           smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0x5000, 0x5fff)),
          "abcdefghi");
    /* So many regions that all of the VMID goes */
    AFTER((tag = el1(1, 0), smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0,
                                                       UINT32_MAX)),
          "cghijkl");
}

/* Blocks of every size go when a page of them does, and not their neighbour. */
static void test_invalidate_any_asid_in_block(void)
{
    for (unsigned log2 = 12; log2 <= 43; log2++) {
        g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64);
        Smmu3TlbTag tag = el1(1, 2), any = el1(1, 0);
        uint64_t block = UINT64_C(1) << log2;
        uint64_t va = UINT64_C(0x500000000000) + block;
        uint64_t last = va + block - 0x1000;
        /* The region of its size and larger */
        uint64_t region = log2 <= 21 ? 21 : log2 <= 30 ? 30 : 39;

        insert(tlb, tag, va, log2, false);
        insert(tlb, tag, va + (UINT64_C(1) << MAX(region, log2)), log2, false);
        smmu3_tlb_invalidate_range(tlb, &any, 0, true, last, last + 0xfff);
        g_assert_false(hit(tlb, tag, va));
        g_assert_false(hit(tlb, tag, last));
        if (log2 <= 39) {
            g_assert_true(hit(tlb, tag, va + (UINT64_C(1) << region)));
        }
        insert(tlb, tag, va, log2, false);
        g_assert_true(hit(tlb, tag, va));
    }
}

/* ---- What the TLB costs ------------------------------------------------ */

/* A page of one ASID: a probe for each size that lookups look for. */
static unsigned work_of_a_page(Smmu3Tlb *tlb)
{
    Smmu3TlbTag tag = el1(1, 77);

    return smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x9000, 0x9fff);
}

/* No range costs more than the bound, whatever is cached and however long. */
static void test_work_is_bounded(void)
{
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(65536);

    for (unsigned log2 = 12; log2 <= 43; log2++) {
        insert(tlb, el1(1, 2), UINT64_C(1) << log2, log2, false);
        insert(tlb, el1(1, 2), UINT64_C(1) << log2, log2, true);
        insert(tlb, in_world(S2, 1, 0), UINT64_C(1) << log2, log2, true);
    }
    for (unsigned log2 = 0; log2 <= 52; log2++) {
        for (unsigned any = 0; any < 2; any++) {
            for (unsigned ignore = 0; ignore <= 15; ignore += 15) {
                Smmu3TlbTag tag = el1(1, 2), s2 = in_world(S2, 1, 0);
                uint64_t last = (UINT64_C(1) << log2) - 1;

                g_assert_cmpuint(
                    smmu3_tlb_invalidate_range(tlb, &tag, ignore, any, 0,
                                               last), <=, 512);
                g_assert_cmpuint(
                    smmu3_tlb_invalidate_range(tlb, &s2, ignore, false, 0,
                                               last), <=, 512);
            }
        }
    }
}

/* Sizes that nothing has any more are not looked for. */
static void test_sizes_are_forgotten(void)
{
    enum { ENTRIES = 65536 };
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(ENTRIES);
    unsigned one;

    g_assert_cmpuint(work_of_a_page(tlb), ==, 0);
    insert(tlb, el1(1, 2), 0x5000, 12, false);
    one = work_of_a_page(tlb);
    for (unsigned log2 = 13; log2 < 23; log2++) {
        insert(tlb, el1(1, 2), UINT64_C(0x1234) << log2, log2, false);
    }
    g_assert_cmpuint(work_of_a_page(tlb), ==, 11 * one);
    /* One round of insertions of an ordinary size, and they are gone. */
    for (unsigned i = 0; i < ENTRIES; i++) {
        insert(tlb, el1(1, 2), (uint64_t)i << 12, 12, false);
    }
    g_assert_cmpuint(work_of_a_page(tlb), ==, one);
    /* The last one of a size, invalidated. */
    insert(tlb, el1(1, 2), 0x40000000, 30, false);
    g_assert_cmpuint(work_of_a_page(tlb), ==, 2 * one);
    {
        Smmu3TlbTag tag = el1(1, 2);

        smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x40000000,
                                   0x40000fff);
    }
    g_assert_cmpuint(work_of_a_page(tlb), ==, one);
    smmu3_tlb_invalidate_nsnh(tlb);
    g_assert_cmpuint(work_of_a_page(tlb), ==, 0);
}

/* Dead entries are swept out, in a TLB of any size. */
static void test_dead_sizes_are_forgotten(void)
{
    enum { ENTRIES = 64 };
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(ENTRIES);
    Smmu3TlbTag tag = el1(1, 2);
    unsigned one;

    insert(tlb, el1(1, 3), 0x5000, 12, false);
    one = work_of_a_page(tlb);
    insert(tlb, tag, 0x40000000, 30, false);
    smmu3_tlb_invalidate_asid(tlb, &tag, 0);
    g_assert_cmpuint(work_of_a_page(tlb), ==, 2 * one);
    for (unsigned i = 0; i < ENTRIES; i++) {
        insert(tlb, el1(1, 3), 0x5000, 12, false);
    }
    g_assert_cmpuint(work_of_a_page(tlb), ==, one);
}

/* A walk that began before an invalidation leaves nothing behind. */
static void test_dead_on_arrival(void)
{
    Smmu3TlbTag tag = el1(1, 2), other = el1(1, 3);
    Smmu3Leaf leaf = { .base = 0x9000, .size_log2 = 12 };
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64);
    uint64_t before = smmu3_tlb_epoch(tlb);

    smmu3_tlb_invalidate_asid(tlb, &tag, 0);
    smmu3_tlb_insert(tlb, &tag, 0x5000, &leaf, before);
    g_assert_false(hit(tlb, tag, 0x5000));
    smmu3_tlb_insert(tlb, &other, 0x5000, &leaf, before);
    g_assert_true(hit(tlb, other, 0x5000));     /* not its ASID */
    before = smmu3_tlb_epoch(tlb);
    smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x5fff);
    smmu3_tlb_insert(tlb, &tag, 0x5000, &leaf, before);
    g_assert_false(hit(tlb, tag, 0x5000));
    smmu3_tlb_insert(tlb, &tag, 0x5000, &leaf, smmu3_tlb_epoch(tlb));
    g_assert_true(hit(tlb, tag, 0x5000));
}

/* ---- What follows a TLB ------------------------------------------------ */

/* One invalidation of a TLB that leads a full one, and what is left of that. */
#define LED(invalidate, left)                       \
    do {                                            \
        g_autoptr(Smmu3Tlb) tables = smmu3_tlb_new(4096); \
        g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(64); \
        Smmu3TlbTag tag = el1(1, 2);                \
        smmu3_tlb_leads(tlb, tables);               \
        fill(tables);                               \
        invalidate;                                 \
        expect_present(tables, left);               \
        (void)tag;                                  \
    } while (0)

static void test_led(void)
{
    LED(smmu3_tlb_invalidate_all(tlb), "");
    LED(smmu3_tlb_invalidate_el2(tlb), "abcdefgh");
    LED(smmu3_tlb_invalidate_nsnh(tlb), "ijkl");
    LED(smmu3_tlb_invalidate_vmid(tlb, 1, 0, false), "cghijkl");
    LED(smmu3_tlb_invalidate_vmid(tlb, 2, 3, true), "chijkl");
    LED(smmu3_tlb_invalidate_asid(tlb, &tag, 0), "bceghijkl");
    LED((tag.vmid = 7, smmu3_tlb_invalidate_asid(tlb, &tag, 7)), "beghijkl");
    LED(smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x6fff),
        "bcefghijkl");
    LED((tag.vmid = 5, smmu3_tlb_invalidate_range(tlb, &tag, 1, false, 0x5000,
                                                  0x5fff)), "abdefghijkl");
    LED(smmu3_tlb_invalidate_range(tlb, &tag, 0, true, 0x5000, 0x5fff),
        "cfghijkl");
    LED(smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0, UINT64_MAX),
        "cghijkl");
    LED((tag = in_world(S2, 1, 0),
         smmu3_tlb_invalidate_range(tlb, &tag, 0, false, 0x5000, 0x5fff)),
        "abcdefhijkl");
    /* Leaves alone, however broad that becomes in the TLB itself */
    LED(smmu3_tlb_invalidate_leaves(tlb, &tag, 0, false, 0x5000, 0x6fff), ALL);
    LED(smmu3_tlb_invalidate_leaves(tlb, &tag, 0, true, 0x5000, 0x5fff), ALL);
    LED(smmu3_tlb_invalidate_leaves(tlb, &tag, 0, false, 0, UINT64_MAX), ALL);
    LED((insert(tlb, tag, 0x5000, 12, false),
         smmu3_tlb_invalidate_leaves(tlb, &tag, 0, true, 0, UINT64_MAX)), ALL);
}

/* ---- Eviction ---------------------------------------------------------- */

/* A working set much larger than the TLB: it stays full, and correct. */
static void test_eviction(void)
{
    enum { ENTRIES = 256, PAGES = 16 * ENTRIES };
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(ENTRIES);
    unsigned hits = 0;

    for (uint64_t i = 0; i < PAGES; i++) {
        insert(tlb, el1(1, 2), i << 12, 12, false);
        g_assert_true(hit(tlb, el1(1, 2), i << 12));
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        hits += hit(tlb, el1(1, 2), i << 12);
    }
    g_assert_cmpuint(hits, <=, ENTRIES);
    g_assert_cmpuint(hits, >=, ENTRIES / 2);
}

/* A whole region as large as the TLB fits into it. */
static void test_capacity(void)
{
    enum { ENTRIES = 1024 };
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(ENTRIES);
    unsigned hits = 0;

    for (uint64_t i = 0; i < ENTRIES / 2; i++) {
        insert(tlb, el1(1, 2), UINT64_C(0x7f0000000000) + (i << 12), 12,
               false);
    }
    for (uint64_t i = 0; i < ENTRIES / 2; i++) {
        hits += hit(tlb, el1(1, 2), UINT64_C(0x7f0000000000) + (i << 12));
    }
    g_assert_cmpuint(hits, >, ENTRIES / 2 * 9 / 10);
}

/* The place of a dead entry is taken before that of one alive. */
static void test_dead_first(void)
{
    enum { ENTRIES = 64 };
    g_autoptr(Smmu3Tlb) tlb = smmu3_tlb_new(ENTRIES);
    Smmu3TlbTag dead = el1(1, 2);
    unsigned hits = 0;

    for (uint64_t i = 0; i < 64 * ENTRIES; i++) {
        insert(tlb, dead, i << 12, 12, false);
    }
    smmu3_tlb_invalidate_asid(tlb, &dead, 0);
    for (uint64_t i = 0; i < ENTRIES / 4; i++) {
        insert(tlb, el1(1, 3), i << 12, 12, false);
    }
    for (uint64_t i = 0; i < ENTRIES / 4; i++) {
        hits += hit(tlb, el1(1, 3), i << 12);
    }
    g_assert_cmpuint(hits, ==, ENTRIES / 4);
}

/* ---- Threads ----------------------------------------------------------- */

/*
 * Readers look up while one writer, as under the core's lock, inserts and
 * invalidates. Page n of generation g maps to (g << 24 | n) << 12; a reader
 * must never see a mixture, nor a generation older than the last invalidated.
 */
typedef struct Stress {
    Smmu3Tlb *tlb;
    _Atomic uint64_t oldest;            /* generation that may be seen */
    _Atomic bool stop;
    _Atomic uint64_t hits;
} Stress;

enum { STRESS_PAGES = 512 };

static gpointer stress_reader(gpointer data)
{
    Stress *s = data;
    Smmu3TlbTag tag = el1(1, 2);
    uint64_t hits = 0;

    for (uint64_t n = 0; !s->stop; n = (n * 5 + 1) % STRESS_PAGES) {
        uint64_t oldest = s->oldest, number;
        Smmu3Leaf leaf;

        if (!smmu3_tlb_lookup(s->tlb, &tag, n << 12, &leaf)) {
            continue;
        }
        number = leaf.base >> 12;
        g_assert_cmphex(number & 0xffffff, ==, n);
        g_assert_cmpuint(number >> 24, >=, oldest);
        hits++;
    }
    s->hits += hits;
    return NULL;
}

static void stress_generation(Stress *s, uint64_t generation)
{
    Smmu3TlbTag tag = el1(1, 2);

    for (uint64_t n = 0; n < STRESS_PAGES; n++) {
        Smmu3Leaf leaf = {
            .base = (generation << 24 | n) << 12, .size_log2 = 12,
        };

        smmu3_tlb_insert(s->tlb, &tag, n << 12, &leaf,
                         smmu3_tlb_epoch(s->tlb));
    }
    switch (generation % 3) {
    case 0:
        smmu3_tlb_invalidate_asid(s->tlb, &tag, 0);
        break;
    case 1:
        smmu3_tlb_invalidate_all(s->tlb);
        break;
    default:
        smmu3_tlb_invalidate_range(s->tlb, &tag, 0, false, 0,
                                   (STRESS_PAGES << 12) - 1);
        break;
    }
    s->oldest = generation + 1;
}

static void test_threads(void)
{
    Stress s = { .tlb = smmu3_tlb_new(256) };
    GThread *readers[2];

    for (unsigned i = 0; i < G_N_ELEMENTS(readers); i++) {
        readers[i] = g_thread_new("reader", stress_reader, &s);
    }
    /* Base addresses have 52 bits: 16 for the generation. */
    for (uint64_t generation = 0; generation < 400; generation++) {
        stress_generation(&s, generation);
    }
    s.stop = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(readers); i++) {
        g_thread_join(readers[i]);
    }
    g_test_message("%" G_GUINT64_FORMAT " hits", s.hits);
    smmu3_tlb_free(s.tlb);
}

/* ---- The configuration cache ------------------------------------------- */

static Smmu3Config config_of(uint32_t n)
{
    Smmu3Config config = { 0 };

    config.stream.s1contextptr = n;
    config.stage1.mair = ~(uint64_t)n;
    config.has_cd = true;
    return config;
}

static void put(Smmu3ConfigCache *cache, uint32_t sid, bool with_cd,
                uint32_t cd)
{
    Smmu3Config config = config_of(sid * 1000 + cd);

    smmu3_config_insert(cache, sid, with_cd, cd, &config,
                        smmu3_config_epoch(cache));
}

static bool cached(Smmu3ConfigCache *cache, uint32_t sid, bool with_cd,
                   uint32_t cd)
{
    Smmu3Config config;

    if (!smmu3_config_lookup(cache, sid, with_cd, cd, &config)) {
        return false;
    }
    g_assert_cmphex(config.stream.s1contextptr, ==, sid * 1000 + cd);
    g_assert_cmphex(config.stage1.mair, ==, ~(uint64_t)(sid * 1000 + cd));
    g_assert_true(config.has_cd);
    return true;
}

static void put_some(Smmu3ConfigCache *cache)
{
    for (uint32_t sid = 0; sid < 4; sid++) {
        put(cache, sid, false, 0);
        put(cache, sid, true, 0);
        put(cache, sid, true, 1);
    }
}

static void test_config_keys(void)
{
    g_autoptr(Smmu3ConfigCache) cache = smmu3_config_cache_new(64);

    g_assert_false(cached(cache, 1, true, 0));
    put_some(cache);
    g_assert_true(cached(cache, 1, false, 0));
    g_assert_true(cached(cache, 1, true, 1));
    g_assert_false(cached(cache, 1, true, 2));
    g_assert_false(cached(cache, 5, false, 0));
}

static void test_config_invalidation(void)
{
    g_autoptr(Smmu3ConfigCache) cache = smmu3_config_cache_new(64);

    put_some(cache);
    smmu3_config_invalidate_cd(cache, 1, 1);
    g_assert_false(cached(cache, 1, true, 1));
    g_assert_true(cached(cache, 1, true, 0));
    g_assert_true(cached(cache, 1, false, 0));
    g_assert_true(cached(cache, 2, true, 1));
    smmu3_config_invalidate_streams(cache, 2, 0);
    g_assert_false(cached(cache, 2, false, 0));
    g_assert_false(cached(cache, 2, true, 0));
    g_assert_false(cached(cache, 2, true, 1));
    g_assert_true(cached(cache, 3, true, 1));
    put_some(cache);
    smmu3_config_invalidate_streams(cache, 3, 1);       /* 2 and 3 */
    g_assert_true(cached(cache, 1, true, 0));
    g_assert_false(cached(cache, 2, true, 0));
    g_assert_false(cached(cache, 3, false, 0));
    put_some(cache);
    smmu3_config_invalidate_streams(cache, 0, 31);
    g_assert_false(cached(cache, 0, true, 0));
    put_some(cache);
    smmu3_config_invalidate_all(cache);
    g_assert_false(cached(cache, 3, true, 1));
}

/* A key has one entry: the newer. */
static void test_config_replacement(void)
{
    g_autoptr(Smmu3ConfigCache) cache = smmu3_config_cache_new(16);
    Smmu3Config other = config_of(77), config;

    for (unsigned i = 0; i < 8; i++) {
        put(cache, 1, true, 0);
        smmu3_config_insert(cache, 1, true, 0, &other,
                            smmu3_config_epoch(cache));
        g_assert_true(smmu3_config_lookup(cache, 1, true, 0, &config));
        g_assert_cmphex(config.stream.s1contextptr, ==, 77);
    }
    smmu3_config_invalidate_cd(cache, 1, 0);
    g_assert_false(smmu3_config_lookup(cache, 1, true, 0, &config));
}

static void test_config_dead_on_arrival(void)
{
    g_autoptr(Smmu3ConfigCache) cache = smmu3_config_cache_new(64);
    Smmu3Config config = config_of(1000);
    uint64_t before = smmu3_config_epoch(cache);

    smmu3_config_invalidate_streams(cache, 1, 0);
    smmu3_config_insert(cache, 1, true, 0, &config, before);
    g_assert_false(cached(cache, 1, true, 0));
    before = smmu3_config_epoch(cache);
    smmu3_config_invalidate_cd(cache, 1, 0);
    smmu3_config_insert(cache, 1, true, 0, &config, before);
    g_assert_false(cached(cache, 1, true, 0));
    smmu3_config_insert(cache, 1, true, 0, &config,
                        smmu3_config_epoch(cache));
    g_assert_true(cached(cache, 1, true, 0));
}

static void test_config_eviction(void)
{
    g_autoptr(Smmu3ConfigCache) cache = smmu3_config_cache_new(16);

    for (uint32_t sid = 0; sid < 1000; sid++) {
        put(cache, sid, true, 7);
        g_assert_true(cached(cache, sid, true, 7));
    }
}

typedef struct ConfigStress {
    Smmu3ConfigCache *cache;
    _Atomic bool stop;
} ConfigStress;

static gpointer config_reader(gpointer data)
{
    ConfigStress *s = data;

    for (uint32_t n = 0; !s->stop; n = (n + 1) % 32) {
        cached(s->cache, n, true, n % 3);
    }
    return NULL;
}

static void test_config_threads(void)
{
    ConfigStress s = { .cache = smmu3_config_cache_new(16) };
    GThread *reader = g_thread_new("reader", config_reader, &s);

    for (uint32_t i = 0; i < 20000; i++) {
        put(s.cache, i % 32, true, i % 32 % 3);
        if (i % 7 == 0) {
            smmu3_config_invalidate_streams(s.cache, i % 32, 0);
        }
    }
    s.stop = true;
    g_thread_join(reader);
    smmu3_config_cache_free(s.cache);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) conformance_test("/smmu3/tlb/" name, fn, items)
    T("returns-what-was-put", test_returns_what_was_put, "");
    T("matches-world-vmid-asid", test_tags, "");
    T("global-matches-every-asid-of-one-aset", test_global, "84 115");
    T("ignores-the-top-byte", test_top_byte, "");
    T("replaces-the-same-block", test_replaces_the_same_block, "");
    T("invalidate-all-el2-nsnh", test_invalidate_wide, "");
    T("invalidate-by-vmid", test_invalidate_vmid, "85");
    T("invalidate-by-asid-leaves-global", test_invalidate_asid, "84");
    T("invalidate-by-page-takes-global", test_invalidate_page, "84 85");
    T("invalidate-by-range", test_invalidate_range, "86");
    T("invalidate-in-the-upper-half", test_invalidate_upper_half, "");
    T("invalidate-by-vast-range", test_invalidate_vast_range, "");
    T("invalidate-by-region", test_invalidate_regions, "");
    T("invalidate-any-asid", test_invalidate_any_asid, "");
    T("invalidate-any-asid-in-block", test_invalidate_any_asid_in_block, "");
    T("range-costs-no-more-than-its-bound", test_work_is_bounded, "");
    T("sizes-are-forgotten", test_sizes_are_forgotten, "");
    T("dead-sizes-are-forgotten", test_dead_sizes_are_forgotten, "");
    T("led", test_led, "");
    T("dead-on-arrival", test_dead_on_arrival, "120");
    T("evicts-when-full", test_eviction, "");
    T("holds-its-capacity", test_capacity, "");
    T("dead-entries-go-first", test_dead_first, "");
    T("threads", test_threads, "");
#undef T
#define T(name, fn, items) conformance_test("/smmu3/config/" name, fn, items)
    T("keys", test_config_keys, "");
    T("invalidation", test_config_invalidation, "83");
    T("one-entry-for-a-key", test_config_replacement, "");
    T("dead-on-arrival", test_config_dead_on_arrival, "120");
    T("evicts-when-full", test_config_eviction, "");
    T("threads", test_config_threads, "");
    return conformance_run();
}
