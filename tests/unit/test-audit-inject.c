/*
 * Invalidations that are dropped on request: which ones, and that the auditor finds
 * and names each that left something behind. Not what else it reports: test-audit.c.
 * One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include "audit-rig.h"

enum { PAGES = 64 };

/* ---- Invalidations that are dropped on request ---------------------------- */

/* The report of the entry at @va, or NULL. */
static const Smmu3AuditReport *report_of(Setup *x, uint64_t va)
{
    for (unsigned i = 0; i < reports(x); i++) {
        if (report_at(x, i)->addr == va) {
            return report_at(x, i);
        }
    }
    return NULL;
}

static bool names_the_drop(const Smmu3AuditReport *r, uint64_t va)
{
    for (unsigned i = 0; i < r->heard_count; i++) {
        const Smmu3Heard *h = &r->heard[i];

        if (h->miss == SMMU3_MISS_DROPPED) {
            return h->dropped && h->opcode == CMD_TLBI_NH_VA &&
                   h->asid == ASID && h->first == va;
        }
    }
    return false;
}

/*
 * PAGES pages are used and unmapped correctly, each in its own 2 MiB; then the
 * device touches all of them again. Whose invalidation was dropped is reported,
 * by its name, and nobody else.
 */
static void unmap_pages(Setup *x, bool *dropped)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t va = VA + i * 0x200000ull;
        uint64_t drops = COUNTER(x, injected_drops);

        pt_map(&x->pt, va, PA, 3, PT_USER_RW);
        expect_pa(x, dma_read(SID, va), PA);
        pt_write(&x->pt, leaf_of(x, va), 0);
        tlbi_va(x, ASID, va);
        syncs(x, 1, 1);
        dropped[i] = COUNTER(x, injected_drops) != drops;
    }
}

static void touch_all(Setup *x, const bool *dropped)
{
    for (unsigned i = 0; i < PAGES; i++) {
        g_assert_cmpint(translate(x, dma_read(SID, VA + i * 0x200000ull)), ==,
                        dropped[i] ? SMMU3_OK : SMMU3_ABORT);
    }
}

static unsigned drop_and_find(const char *inject)
{
    bool dropped[PAGES];
    unsigned drops = 0;
    Setup x;

    audited_rig(&x, inject);
    setup_start(&x);
    unmap_pages(&x, dropped);
    touch_all(&x, dropped);
    syncs(&x, SYNCS, GRACE_MS);
    touch_all(&x, dropped);
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t va = VA + i * 0x200000ull;
        const Smmu3AuditReport *r = report_of(&x, va);

        g_assert_cmpint(r != NULL, ==, dropped[i]);
        g_assert_true(!r || names_the_drop(r, va));
        drops += dropped[i];
    }
    g_assert_cmpuint(reports(&x), ==, drops);
    rig_free(x.rig);
    return drops;
}

static void test_drops_by_chance(void)
{
    unsigned drops = 0;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        g_autofree char *inject =
            g_strdup_printf("drop:tlbi:1/8:%" PRIu64, seed);

        drops += drop_and_find(inject);
    }
    /* 1 of 8, give or take 5 standard deviations */
    g_assert_cmpuint(drops, >, 100 * PAGES / 8 - 133);
    g_assert_cmpuint(drops, <, 100 * PAGES / 8 + 133);
}

static void test_drops_the_nth(void)
{
    g_assert_cmpuint(drop_and_find("drop:tlbi:10"), ==, 1);
    g_assert_cmpuint(drop_and_find("drop:tlbi:40"), ==, 1);
    g_assert_cmpuint(drop_and_find("drop:tlbi:100000"), ==, 0);
    g_assert_cmpuint(drop_and_find("drop:tlbi:10,drop:tlbi:20"), ==, 2);
}

/* A report says of an invalidation that is still to come that it is. */
static void test_delayed_is_named(void)
{
    const Smmu3AuditReport *r;
    bool named = false;
    Setup x;

    audited_rig(&x, "delay:tlbi:/1:100000");
    setup_start(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    for (unsigned i = 0; i < r->heard_count; i++) {
        named |= r->heard[i].miss == SMMU3_MISS_DELAYED &&
                 r->heard[i].first == VA;
    }
    g_assert_true(named);
    done(&x);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/inject/" name, fn)
    T("drops-by-chance-are-found", test_drops_by_chance);
    T("nth-drop-is-found", test_drops_the_nth);
    T("delayed-is-named", test_delayed_is_named);
    return g_test_run();
}
