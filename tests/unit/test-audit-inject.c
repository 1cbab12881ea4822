/*
 * Invalidations that are dropped on request: which ones, and that the auditor finds
 * and names each that left something behind. Not what else it reports: test-audit.c.
 * One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/audit/inject.h"
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

static unsigned drop_and_find(const Smmu3InjectPlan *plan)
{
    bool dropped[PAGES];
    unsigned drops = 0;
    Setup x;

    audited_rig(&x, plan);
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
        drops += drop_and_find(&(Smmu3InjectPlan) { .drop = 1, .of = 8,
                                                    .seed = seed });
    }
    /* 1 of 8, give or take 5 standard deviations */
    g_assert_cmpuint(drops, >, 100 * PAGES / 8 - 133);
    g_assert_cmpuint(drops, <, 100 * PAGES / 8 + 133);
}

static void test_drops_the_nth(void)
{
    for (uint64_t nth = 10; nth <= 40; nth += 10) {
        g_assert_cmpuint(drop_and_find(&(Smmu3InjectPlan) { .nth = nth }), ==,
                         1);
    }
    g_assert_cmpuint(drop_and_find(&(Smmu3InjectPlan) { .nth = 100000 }), ==,
                     0);
}

/* The same seed drops the same ones, another one others. */
static void test_same_seed_same_drops(void)
{
    Smmu3InjectPlan plan = { .drop = 1, .of = 3, .seed = 7 };
    Smmu3Inject a, b, c;
    unsigned others = 0;

    smmu3_inject_init(&a, &plan);
    smmu3_inject_init(&b, &plan);
    plan.seed = 8;
    smmu3_inject_init(&c, &plan);
    for (unsigned i = 0; i < 1000; i++) {
        bool drops = smmu3_inject_drops(&a, SMMU3_INJECT_TLBI);

        g_assert_false(smmu3_inject_drops(&a, SMMU3_INJECT_CFGI));
        g_assert_cmpint(smmu3_inject_drops(&b, SMMU3_INJECT_TLBI), ==, drops);
        others += smmu3_inject_drops(&c, SMMU3_INJECT_TLBI) != drops;
    }
    g_assert_cmpuint(others, >, 100);
}

static void test_inject_grammar(void)
{
    static const char *const wrong[] = {
        "", "drop", "drop:tlbi", "drop:tlbi:", "drop:tlbi:0", "drop:tlbi:-1",
        "drop:tlbi:x", "drop:tlbi:1/2", "drop:tlbi:0/2:1", "drop:tlbi:3/2:1",
        "drop:tlbi:1/0:1", "drop:tlbi:1:1", "drop:tlbi:1/2:1:1", "drop:tlbi:1/2:",
        "drop:sync:1", "delay:tlbi:1", "drop:cfgi:0", "drop:tlbi:1/2:18446744073709551616",
    };
    Smmu3InjectPlan plan;

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *allowed = smmu3_inject_parse(wrong[i], &plan);

        g_test_message("%s", wrong[i]);
        g_assert_nonnull(allowed);
        g_assert_nonnull(strstr(allowed, "drop:tlbi:N"));
        g_assert_true(!plan.nth && !plan.of);
    }
    g_assert_null(smmu3_inject_parse("drop:tlbi:12", &plan));
    g_assert_cmpuint(plan.nth, ==, 12);
    g_assert_null(smmu3_inject_parse("drop:tlbi:2/5:9", &plan));
    g_assert_cmpuint(plan.nth, ==, 0);
    g_assert_cmpuint(plan.drop, ==, 2);
    g_assert_cmpuint(plan.of, ==, 5);
    g_assert_cmpuint(plan.seed, ==, 9);
    g_assert_cmpint(plan.kind, ==, SMMU3_INJECT_TLBI);
    g_assert_null(smmu3_inject_parse("drop:cfgi:1/2:3", &plan));
    g_assert_cmpint(plan.kind, ==, SMMU3_INJECT_CFGI);
    g_assert_cmpuint(plan.of, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/inject/" name, fn)
    T("drops-by-chance-are-found", test_drops_by_chance);
    T("nth-drop-is-found", test_drops_the_nth);
    T("same-seed-same-drops", test_same_seed_same_drops);
    T("grammar", test_inject_grammar);
    return g_test_run();
}
