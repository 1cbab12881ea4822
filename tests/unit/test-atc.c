/*
 * The endpoints' address translation cache (hw/pci/sva/atc.c), alone: what it
 * finds, what an invalidation takes away, and that against a plain list.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/pci/sva/atc.h"

#define PAGE        UINT64_C(4096)
#define BLOCK_2M    UINT64_C(0x200000)
#define NONE        SVA_ATC_NO_PASID

enum { R = 1, W = 2 };

static void insert(SvaAtc *atc, uint32_t pasid, uint64_t addr,
                   unsigned size_log2)
{
    SvaAtcEntry e = {
        .addr = addr, .translated = addr + 0x40000000, .pasid = pasid,
        .size_log2 = size_log2, .rights = R,
    };

    sva_atc_insert(atc, &e);
}

static bool has(SvaAtc *atc, uint32_t pasid, uint64_t addr)
{
    return sva_atc_lookup(atc, pasid, false, addr) != NULL;
}

static void test_properties(void)
{
    g_assert_null(sva_atc_check(1, 1));
    g_assert_null(sva_atc_check(12, 3));
    g_assert_null(sva_atc_check(SVA_ATC_MOST_ENTRIES, 4));
    g_assert_nonnull(sva_atc_check(0, 1));
    g_assert_nonnull(sva_atc_check(SVA_ATC_MOST_ENTRIES + 1, 1));
    g_assert_nonnull(sva_atc_check(8, 0));
    g_assert_nonnull(sva_atc_check(8, 3));
    g_assert_nonnull(sva_atc_check(12, 1));
    g_assert_nonnull(sva_atc_check(8, 16));
}

static void test_tags(void)
{
    SvaAtc *atc = sva_atc_new(64, 4);
    SvaAtcEntry priv = {
        .addr = PAGE, .translated = 9 * PAGE, .pasid = 5, .size_log2 = 12,
        .rights = R | W, .privileged = true,
    };
    const SvaAtcEntry *e;

    insert(atc, 5, PAGE, 12);
    sva_atc_insert(atc, &priv);
    e = sva_atc_lookup(atc, 5, false, 2 * PAGE - 1);
    g_assert_nonnull(e);
    g_assert_cmphex(e->translated, ==, PAGE + 0x40000000);
    g_assert_cmpuint(e->rights, ==, R);
    e = sva_atc_lookup(atc, 5, true, PAGE);
    g_assert_nonnull(e);
    g_assert_cmphex(e->translated, ==, 9 * PAGE);
    g_assert_cmpuint(e->rights, ==, R | W);
    g_assert_false(has(atc, 6, PAGE));
    g_assert_false(has(atc, NONE, PAGE));
    g_assert_false(has(atc, 5, 0));
    g_assert_false(has(atc, 5, 2 * PAGE));
    sva_atc_free(atc);
}

/* ... also where PASIDs and privileges share the only set that there is. */
static void test_tags_in_one_set(void)
{
    SvaAtc *atc = sva_atc_new(8, 8);
    SvaAtcEntry e = { .size_log2 = 12, .rights = R };

    for (unsigned i = 0; i < 8; i++) {
        e.pasid = i / 2 == 3 ? NONE : i / 2;
        e.privileged = i % 2;
        e.translated = (1 + i) * PAGE;
        sva_atc_insert(atc, &e);
    }
    for (unsigned i = 0; i < 8; i++) {
        const SvaAtcEntry *found = sva_atc_lookup(
            atc, i / 2 == 3 ? NONE : i / 2, i % 2, 0);

        g_assert_nonnull(found);
        g_assert_cmphex(found->translated, ==, (1 + i) * PAGE);
    }
    g_assert_false(has(atc, 3, 0));
    sva_atc_free(atc);
}

/* A page within a block, then the block again: never two answers. */
static void test_sizes_replace_each_other(void)
{
    SvaAtc *atc = sva_atc_new(64, 4);

    insert(atc, 1, BLOCK_2M, 21);
    insert(atc, 1, BLOCK_2M + 5 * PAGE, 12);
    g_assert_cmpuint(sva_atc_count(atc), ==, 1);
    g_assert_false(has(atc, 1, BLOCK_2M));
    insert(atc, 1, BLOCK_2M, 21);
    g_assert_cmpuint(sva_atc_count(atc), ==, 1);
    g_assert_cmpuint(sva_atc_lookup(atc, 1, false, BLOCK_2M + 5 * PAGE)
                         ->size_log2, ==, 21);
    insert(atc, 1, 0, 30);
    g_assert_cmpuint(sva_atc_count(atc), ==, 1);
    sva_atc_free(atc);
}

static void test_least_used_goes(void)
{
    SvaAtc *atc = sva_atc_new(2, 2);

    insert(atc, 1, 0, 12);
    insert(atc, 1, PAGE, 12);
    g_assert_true(has(atc, 1, 0));
    insert(atc, 1, 2 * PAGE, 12);
    g_assert_true(has(atc, 1, 0));
    g_assert_false(has(atc, 1, PAGE));
    g_assert_true(has(atc, 1, 2 * PAGE));
    sva_atc_free(atc);
}

/* As many neighbours as there are entries, whatever the ways. */
static void test_neighbours_fill_it(void)
{
    static const unsigned ways[] = { 1, 4, 64 };

    for (unsigned w = 0; w < G_N_ELEMENTS(ways); w++) {
        SvaAtc *atc = sva_atc_new(64, ways[w]);

        for (unsigned i = 0; i < 64; i++) {
            insert(atc, 3, i * PAGE, 12);
        }
        g_assert_cmpuint(sva_atc_count(atc), ==, 64);
        insert(atc, 3, 64 * PAGE, 12);
        g_assert_cmpuint(sva_atc_count(atc), ==, 64);
        sva_atc_free(atc);
    }
}

static void fill_for_invalidation(SvaAtc *atc)
{
    for (unsigned i = 0; i < 4; i++) {
        insert(atc, 1, i * PAGE, 12);
        insert(atc, 2, i * PAGE, 12);
        insert(atc, NONE, i * PAGE, 12);
    }
    insert(atc, 1, BLOCK_2M, 21);
    insert(atc, 2, BLOCK_2M, 21);
}

static void test_invalidation(void)
{
    static const struct {
        uint32_t pasid;
        bool every;
        uint64_t addr;
        unsigned size_log2, dropped;
    } cases[] = {
        { 1, false, PAGE, 12, 1 },
        { 1, false, 2 * PAGE, 13, 2 },
        { 1, false, 0, 14, 4 },
        { 1, false, BLOCK_2M + 7 * PAGE, 12, 1 },
        { 1, false, 0, 22, 5 },
        { 1, false, 0, 64, 5 },
        { 2, true, PAGE, 12, 3 },
        { NONE, false, 0, 64, 4 },
        { NONE, true, 0, 64, 14 },
        { 3, false, 0, 64, 0 },
        { 1, false, BLOCK_2M * 2, 21, 0 },
        { 1, false, UINT64_C(1) << 63, 63, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        SvaAtc *atc = sva_atc_new(256, 4);

        fill_for_invalidation(atc);
        g_assert_cmpuint(sva_atc_count(atc), ==, 14);
        g_assert_cmpuint(sva_atc_invalidate(atc, cases[i].pasid,
                                            cases[i].every, cases[i].addr,
                                            cases[i].size_log2),
                         ==, cases[i].dropped);
        g_assert_cmpuint(sva_atc_count(atc), ==, 14 - cases[i].dropped);
        sva_atc_free(atc);
    }
}

/* ---- Against a list ----------------------------------------------------- */

typedef struct Model {
    SvaAtc *atc;
    GArray *entries;        /* all that were inserted and not taken away */
    GRand *rand;
} Model;

static uint64_t mask_of(unsigned size_log2)
{
    return size_log2 >= 64 ? UINT64_MAX : (UINT64_C(1) << size_log2) - 1;
}

static bool overlaps(const SvaAtcEntry *e, uint64_t addr, unsigned size_log2)
{
    uint64_t a = e->addr | mask_of(e->size_log2);
    uint64_t first = addr & ~mask_of(size_log2);

    return e->addr <= (first | mask_of(size_log2)) && first <= a;
}

static void model_drop(Model *m, uint32_t pasid, bool every, int priv,
                       uint64_t addr, unsigned size_log2)
{
    for (unsigned i = m->entries->len; i-- > 0;) {
        const SvaAtcEntry *e = &g_array_index(m->entries, SvaAtcEntry, i);

        if ((every || e->pasid == pasid) &&
            (priv < 0 || e->privileged == priv) &&
            overlaps(e, addr, size_log2)) {
            g_array_remove_index_fast(m->entries, i);
        }
    }
}

static unsigned random_size(Model *m)
{
    static const unsigned sizes[] = { 12, 12, 12, 14, 16, 21, 30 };

    return sizes[g_rand_int_range(m->rand, 0, G_N_ELEMENTS(sizes))];
}

static uint32_t random_pasid(Model *m)
{
    uint32_t n = g_rand_int_range(m->rand, 0, 4);

    return n == 3 ? NONE : n;
}

static uint64_t random_addr(Model *m)
{
    return (uint64_t)g_rand_int_range(m->rand, 0, 1 << 10) << 12 |
           (uint64_t)g_rand_int_range(m->rand, 0, 2) << 31;
}

static void model_insert(Model *m)
{
    SvaAtcEntry e = {
        .size_log2 = random_size(m), .pasid = random_pasid(m),
        .privileged = g_rand_boolean(m->rand), .rights = R,
    };

    e.addr = random_addr(m) & ~mask_of(e.size_log2);
    e.translated = (uint64_t)g_rand_int(m->rand) << 30;
    sva_atc_insert(m->atc, &e);
    model_drop(m, e.pasid, false, e.privileged, e.addr, e.size_log2);
    g_array_append_val(m->entries, e);
}

static void model_invalidate(Model *m)
{
    uint32_t pasid = random_pasid(m);
    bool every = g_rand_int_range(m->rand, 0, 4) == 0;
    unsigned size_log2 = g_rand_int_range(m->rand, 12, 65);
    uint64_t addr = random_addr(m) & ~mask_of(size_log2);

    sva_atc_invalidate(m->atc, pasid, every, addr, size_log2);
    model_drop(m, pasid, every, -1, addr, size_log2);
}

/* Whatever it finds has to be in the list; what it lost is no matter. */
static void model_lookup(Model *m)
{
    uint32_t pasid = random_pasid(m);
    bool priv = g_rand_boolean(m->rand);
    uint64_t addr = random_addr(m);
    const SvaAtcEntry *e = sva_atc_lookup(m->atc, pasid, priv, addr);
    const SvaAtcEntry *found = NULL;

    for (unsigned i = 0; i < m->entries->len && !found; i++) {
        const SvaAtcEntry *o = &g_array_index(m->entries, SvaAtcEntry, i);

        if (o->pasid == pasid && o->privileged == priv &&
            overlaps(o, addr, 12)) {
            found = o;
        }
    }
    if (e) {
        g_assert_nonnull(found);
        g_assert_cmphex(e->addr, ==, found->addr);
        g_assert_cmphex(e->translated, ==, found->translated);
        g_assert_cmpuint(e->size_log2, ==, found->size_log2);
    }
}

static void test_random(void)
{
    static const unsigned shapes[][2] = {
        { 1, 1 }, { 16, 1 }, { 16, 16 }, { 64, 4 }, { 1024, 4 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(shapes); i++) {
        Model m = {
            .atc = sva_atc_new(shapes[i][0], shapes[i][1]),
            .entries = g_array_new(false, false, sizeof(SvaAtcEntry)),
            .rand = g_rand_new_with_seed(20 + i),
        };

        for (unsigned n = 0; n < 20000; n++) {
            switch (g_rand_int_range(m.rand, 0, 8)) {
            case 0:
                model_invalidate(&m);
                break;
            case 1: case 2: case 3:
                model_insert(&m);
                break;
            default:
                model_lookup(&m);
            }
            g_assert_cmpuint(sva_atc_count(m.atc), <=, m.entries->len);
        }
        g_rand_free(m.rand);
        g_array_free(m.entries, true);
        sva_atc_free(m.atc);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/atc/properties", test_properties);
    g_test_add_func("/atc/tags", test_tags);
    g_test_add_func("/atc/tags-in-one-set", test_tags_in_one_set);
    g_test_add_func("/atc/sizes-replace-each-other",
                    test_sizes_replace_each_other);
    g_test_add_func("/atc/least-used-goes", test_least_used_goes);
    g_test_add_func("/atc/neighbours-fill-it", test_neighbours_fill_it);
    g_test_add_func("/atc/invalidation", test_invalidation);
    g_test_add_func("/atc/random", test_random);
    return g_test_run();
}
