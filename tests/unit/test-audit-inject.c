/*
 * Invalidations that are dropped on request: which ones, and that the auditor finds
 * and names each that left something behind. Not what else it reports: test-audit.c.
 * One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
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

/* All that was dropped mattered and was found, but for what set the rig up. */
static void expect_all_found(Setup *x, unsigned drops)
{
    Smmu3AuditDrops counts;

    g_assert_true(smmu3_audit_drops(x->rig->smmu, &counts));
    g_assert_cmpuint(counts.dropped, ==, COUNTER(x, injected_drops));
    g_assert_cmpuint(counts.mattered, ==, drops);
    g_assert_cmpuint(counts.found, ==, drops);
    g_assert_cmpuint(counts.repaired + counts.open + counts.missed, ==, 0);
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
    expect_all_found(&x, drops);
    rig_free(x.rig);
    return drops;
}

static void test_drops_by_chance(void)
{
    expect_drops("drop:tlbi", 8, PAGES, drop_and_find);
}

static void test_drops_the_nth(void)
{
    g_assert_cmpuint(drop_and_find("drop:tlbi:10"), ==, 1);
    g_assert_cmpuint(drop_and_find("drop:tlbi:40"), ==, 1);
    g_assert_cmpuint(drop_and_find("drop:tlbi:100000"), ==, 0);
    g_assert_cmpuint(drop_and_find("drop:tlbi:10,drop:tlbi:20"), ==, 2);
}

/* ---- What became of them --------------------------------------------------- */

static Smmu3AuditDrops drops_of(Setup *x)
{
    Smmu3AuditDrops counts;

    g_assert_true(smmu3_audit_drops(x->rig->smmu, &counts));
    g_assert_cmpuint(counts.mattered, ==, counts.found + counts.repaired +
                     counts.open + counts.missed);
    return counts;
}

static void started(Setup *x, const char *inject)
{
    audited_rig(x, inject);
    setup_start(x);
    expect_pa(x, dma_read(SID, VA), PA);
}

/* The first of the test's own: the rig has others, before anything is cached. */
static unsigned after_setup(void)
{
    Setup x;
    unsigned seen;

    started(&x, "drop:tlbi:1000000");
    {
        g_autoptr(GArray) counts = smmu3_inject_counts(x.rig->smmu);

        seen = g_array_index(counts, Smmu3InjectCount, 0).seen;
    }
    done(&x);
    return seen + 1;
}

static void started_dropping_first(Setup *x)
{
    g_autofree char *inject = g_strdup_printf("drop:tlbi:%u", after_setup());

    started(x, inject);
}

/* What was dropped had nothing to remove, or what agrees: that is no matter. */
static void test_drop_of_nothing(void)
{
    Setup x;

    started_dropping_first(&x);
    tlbi_va(&x, ASID, VA + PAGE);
    g_assert_cmpuint(drops_of(&x).dropped, ==, 1);
    g_assert_cmpuint(drops_of(&x).mattered, ==, 0);
    done(&x);

    started_dropping_first(&x);
    tlbi_va(&x, ASID, VA);
    g_assert_cmpuint(drops_of(&x).dropped, ==, 1);
    g_assert_cmpuint(drops_of(&x).mattered, ==, 0);
    done(&x);
}

/* Open until the grace is over, and then found, if somebody uses the context. */
static void test_drop_is_open_then_found(void)
{
    Setup x;

    started_dropping_first(&x);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    g_assert_cmpuint(drops_of(&x).mattered, ==, 1);
    g_assert_cmpuint(drops_of(&x).open, ==, 1);
    syncs(&x, 3 * SYNCS, 3 * GRACE_MS);
    g_assert_cmpuint(drops_of(&x).open, ==, 1);     /* nobody uses it */
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(drops_of(&x).found, ==, 1);
    /* And what is reported stays so, whatever is invalidated after */
    tlbi_va(&x, ASID, VA);
    g_assert_cmpuint(drops_of(&x).found, ==, 1);
    done(&x);
}

/* It is in use and was not yet looked at: that is what "missed" says. */
static void test_drop_is_missed(void)
{
    Setup x;

    started_dropping_first(&x);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    syncs(&x, 3 * SYNCS, 3 * GRACE_MS);
    /* The context is used, not the entry; no CMD_SYNC comes any more */
    pt_map(&x.pt, VA + PAGE, PA, 3, PT_USER_RW);
    expect_pa(&x, dma_read(SID, VA + PAGE), PA);
    g_assert_cmpuint(drops_of(&x).missed, ==, 1);
    syncs(&x, 1, 0);
    g_assert_cmpuint(drops_of(&x).missed, ==, 0);
    g_assert_cmpuint(drops_of(&x).found, ==, 1);
    done(&x);
}

/* By the next invalidation, or because the tables say again what they said. */
static void test_drop_is_repaired(void)
{
    uint64_t was;
    Setup x;

    started_dropping_first(&x);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    tlbi_va(&x, ASID, VA);
    g_assert_cmpuint(drops_of(&x).repaired, ==, 1);
    done(&x);

    started_dropping_first(&x);
    was = fake_read64(x.rig->host, leaf_of(&x, VA));
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), was);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(drops_of(&x).repaired, ==, 1);
    done(&x);
}

/* A reset empties the caches. */
static void test_drop_is_repaired_by_reset(void)
{
    Setup x;

    started_dropping_first(&x);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    g_assert_cmpuint(drops_of(&x).open, ==, 1);
    smmu3_reset(x.rig->smmu);
    g_assert_cmpuint(drops_of(&x).repaired, ==, 1);
    rig_free(x.rig);
}

/* The half of the addresses that TTB1 is for: bits above 55 may be anything. */
static void test_drop_in_second_half(void)
{
    uint64_t high = VA | UINT64_C(0xffff) << 48;
    g_autofree char *inject = g_strdup_printf("drop:tlbi:%u", after_setup());

    for (unsigned tagged = 0; tagged < 2; tagged++) {
        Setup x;

        audited_rig(&x, inject);
        setup_start(&x);
        cd_second_half(x.cd, &x.pt);
        write_cd(&x, 0);
        expect_pa(&x, dma_read(SID, high), PA);
        pt_write(&x.pt, leaf_of(&x, VA), 0);
        tlbi_va(&x, ASID, tagged ? high ^ UINT64_C(0x3c) << 56 : high);
        g_assert_cmpuint(drops_of(&x).dropped, ==, 1);
        g_assert_cmpuint(drops_of(&x).open, ==, 1);
        for (unsigned i = 0; i < 2; i++) {
            expect_pa(&x, dma_read(SID, high), PA);
            syncs(&x, SYNCS, GRACE_MS);
        }
        expect_pa(&x, dma_read(SID, high), PA);
        g_assert_cmpuint(reports(&x), ==, 1);
        g_assert_cmphex(report_at(&x, 0)->addr, ==, high);
        g_assert_true(names_the_drop(report_at(&x, 0), high));
        g_assert_cmpuint(drops_of(&x).found, ==, 1);
        done(&x);
    }
}

/* CR0.VMW has low bits of the VMID be no matter. */
static void test_drop_with_vmid_wildcard(void)
{
    for (unsigned vmw = 0; vmw < 2; vmw++) {
        uint64_t all[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ALL };
        uint64_t page[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA };
        uint32_t cr0;
        Setup x;

        audited_rig(&x, "drop:tlbi:/1");
        setup_start(&x);
        smmu3_set(x.ste, STE_S2VMID, 5);
        apply(&x);
        cr0 = rig_read32(x.rig, SMMU3_CR0);
        rig_write32(x.rig, SMMU3_CR0, cr0 | (vmw ? 4 << 6 : 0));
        for (unsigned i = 0; i < 2; i++) {
            pt_map(&x.pt, VA + i * PAGE, PA, 3, PT_USER_RW);
            expect_pa(&x, dma_read(SID, VA + i * PAGE), PA);
            pt_write(&x.pt, leaf_of(&x, VA + i * PAGE), 0);
        }
        smmu3_set(page, CMD_VMID, 6);
        smmu3_set(page, CMD_ASID, ASID);
        smmu3_set_addr(page, CMD_ADDR, VA);
        rig_command(x.rig, page);
        g_assert_cmpuint(drops_of(&x).mattered, ==, vmw);
        smmu3_set(all, CMD_VMID, 9);
        rig_command(x.rig, all);
        g_assert_cmpuint(drops_of(&x).mattered, ==, 2 * vmw);
        done(&x);
    }
}

/* However many came since, what became of the first one counts. */
static void test_many_drops(void)
{
    enum { DROPS = 3000 };
    Smmu3AuditDrops counts;
    Setup x;

    started(&x, "drop:tlbi:/1");
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    for (unsigned i = 0; i < DROPS; i++) {
        tlbi_va(&x, ASID, VA);
    }
    counts = drops_of(&x);
    g_assert_cmpuint(counts.dropped, ==, COUNTER(&x, injected_drops));
    g_assert_cmpuint(counts.mattered, ==, 1);       /* the first one left it */
    g_assert_cmpuint(counts.open, ==, 1);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(drops_of(&x).found, ==, 1);
    g_assert_cmpuint(drops_of(&x).open, ==, 0);
    done(&x);
}

static void test_no_auditor_knows_nothing(void)
{
    Smmu3AuditDrops counts;
    Setup x;

    setup(&x);
    g_assert_false(smmu3_audit_drops(x.rig->smmu, &counts));
    done(&x);
}

/* ---- Caches of endpoints ---------------------------------------------------- */

enum { ATC_PAGES = 32, SSID = 3 };

static void ask(Setup *x, uint64_t va)
{
    Smmu3Transaction t = dma_read(SID, va);

    t.type = SMMU3_ATS_REQUEST;
    t.ssv = true;
    t.ssid = SSID;
    g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
}

static void atc_inv(Setup *x, uint64_t va)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_ATC_INV };

    smmu3_set(cmd, CMD_STREAMID, SID);
    smmu3_set(cmd, CMD_SSV, 1);
    smmu3_set(cmd, CMD_SUBSTREAMID, SSID);
    smmu3_set_addr(cmd, CMD_ADDR, va);
    rig_command(x->rig, cmd);
}

static bool names_the_atc_inv(const Smmu3AuditReport *r)
{
    for (unsigned i = 0; i < r->heard_count; i++) {
        if (r->heard[i].miss == SMMU3_MISS_DROPPED) {
            return r->atc && r->heard[i].opcode == CMD_ATC_INV &&
                   r->heard[i].first == r->addr;
        }
    }
    return false;
}

/*
 * Pages are granted and go, each in its own 2 MiB, and the TLB hears of all; of
 * which the endpoint does not hear is reported, by its name, and nobody else.
 */
static unsigned drop_atc_and_find(const char *inject)
{
    unsigned drops;
    Setup x;

    audited_rig(&x, inject);
    setup_start(&x);
    write_cd(&x, SSID);
    smmu3_set(x.ste, STE_S1CDMAX, 4);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    for (unsigned i = 0; i < ATC_PAGES; i++) {
        uint64_t va = VA + i * 0x200000ull;

        pt_map(&x.pt, va, PA, 3, PT_USER_RW);
        ask(&x, va);
        pt_write(&x.pt, leaf_of(&x, va), 0);
        tlbi_va(&x, ASID, va);
        atc_inv(&x, va);
    }
    drops = COUNTER(&x, injected_drops);
    syncs(&x, 2 * SYNCS, 2 * GRACE_MS);
    pt_map(&x.pt, VA - PAGE, PA, 3, PT_USER_RW);
    ask(&x, VA - PAGE);
    syncs(&x, SYNCS, 0);
    g_assert_cmpuint(reports(&x), ==, drops);
    for (unsigned i = 0; i < drops; i++) {
        g_assert_true(names_the_atc_inv(report_at(&x, i)));
    }
    expect_all_found(&x, drops);
    rig_free(x.rig);
    return drops;
}

static void test_atc_drops(void)
{
    expect_drops("drop:atc_inv", 8, ATC_PAGES, drop_atc_and_find);
}

/* What a dropped command may have left is looked at for a price, and not all of it. */
static void test_costs_are_counted(void)
{
    enum { ENTRIES = 1500, LEAST = 64 * 64, MOST = 12000 };
    uint64_t tlbi[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ASID };
    uint64_t atc_inv[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    Setup x;

    audited_rig(&x, "drop:tlbi:/1,drop:atc_inv:/1");
    setup_start(&x);
    write_cd(&x, SSID);
    smmu3_set(x.ste, STE_S1CDMAX, 4);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    for (unsigned i = 0; i < ENTRIES; i++) {
        pt_map(&x.pt, VA + i * PAGE, PA, 3, PT_USER_RW);
        ask(&x, VA + i * PAGE);
    }
    smmu3_set(tlbi, CMD_ASID, ASID);
    smmu3_set(atc_inv, CMD_STREAMID, SID);
    smmu3_set(atc_inv, CMD_ATC_SIZE, CMD_ATC_SIZE_ALL);
    for (unsigned i = 0; i < 2; i++) {
        unsigned work = work_of(&x, i ? atc_inv : tlbi);

        g_assert_cmpuint(work, >=, LEAST);
        g_assert_cmpuint(work, <=, MOST);
    }
    done(&x);
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

/* What inject= made of a command is none of software's, and no report has it. */
static void test_widened_is_not_heard(void)
{
    const Smmu3AuditReport *r;
    Setup x;

    audited_rig(&x, "widen:tlbi:/1");
    setup_start(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID, VA + PAGE);       /* the whole ASID goes, and is back */
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID + 1, VA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    g_assert_false(r->has_early);
    g_assert_cmpuint(r->heard_count, ==, 1);
    g_assert_cmpint(r->heard[0].opcode, ==, CMD_TLBI_NH_VA);
    g_assert_cmpint(r->heard[0].miss, ==, SMMU3_MISS_ASID);
    done(&x);
}

/* By a CMD_ATC_INV all grants go that the wider one is about. */
static void test_widened_atc_takes_grants(void)
{
    Setup x;

    audited_rig(&x, "widen:atc_inv:/1");
    setup_start(&x);
    write_cd(&x, SSID);
    smmu3_set(x.ste, STE_S1CDMAX, 4);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    for (unsigned i = 0; i < 2; i++) {
        ask(&x, VA);
        atc_inv(&x, VA + PAGE);
    }
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    tlbi_va(&x, ASID, VA);
    syncs(&x, 2 * SYNCS, 2 * GRACE_MS);
    pt_map(&x.pt, VA - PAGE, PA, 3, PT_USER_RW);
    ask(&x, VA - PAGE);
    syncs(&x, SYNCS, 0);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/inject/" name, fn)
    T("drops-by-chance-are-found", test_drops_by_chance);
    T("nth-drop-is-found", test_drops_the_nth);
    T("delayed-is-named", test_delayed_is_named);
    T("widened-is-not-heard", test_widened_is_not_heard);
    T("widened-atc-inv-takes-grants", test_widened_atc_takes_grants);
    T("atc-drops-by-chance-are-found", test_atc_drops);
    T("drop-of-nothing-does-not-matter", test_drop_of_nothing);
    T("drop-is-open-then-found", test_drop_is_open_then_found);
    T("drop-is-missed", test_drop_is_missed);
    T("drop-is-repaired", test_drop_is_repaired);
    T("drop-is-repaired-by-reset", test_drop_is_repaired_by_reset);
    T("drop-in-second-half", test_drop_in_second_half);
    T("costs-are-counted", test_costs_are_counted);
    T("drop-with-vmid-wildcard", test_drop_with_vmid_wildcard);
    T("many-drops", test_many_drops);
    T("no-auditor-knows-nothing", test_no_auditor_knows_nothing);
    return g_test_run();
}
