/*
 * Hardware updates of access flags and dirty states (IHI 0070 3.13): what is
 * written and when, races with CPUs that write the same descriptor, and the
 * permissions that an update needs at stage 2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "two-stages.h"

/* The stage-1 leaf's attributes; HA and HD as given. */
static void setup(Setup *x, uint64_t attributes, bool ha, bool hd)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init(&x->s1, x->rig->host, 12, 48, false);
    x->leaf = pt_map(&x->s1, VA, PA, 3, attributes);
    x->cds = fake_alloc(x->rig->host, 4096, 4096);
    cd_for(x->cd, &x->s1, 1);
    smmu3_set(x->cd, CD_HA, ha);
    smmu3_set(x->cd, CD_HD, hd);
    ste_stage1(x->ste, x->cds, 0);
    apply(x);
}

/* The same under stage 2; @leaf_page: how that maps the leaf's table. */
static void setup_nested(Setup *x, uint64_t attributes, uint64_t leaf_page,
                         bool s2ha, bool s2hd)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init_stage2(&x->s2, x->rig->host, 12, 40, 1, false);
    pt_init(&x->s1, x->rig->host, 12, 48, false);
    x->s1.ipa_delta = DELTA;
    x->leaf = pt_map(&x->s1, VA, IPA, 3, attributes);
    for (int level = 0; level <= 3; level++) {
        uint64_t pa = pt_entry(&x->s1, VA, level);

        pt_map(&x->s2, pa + DELTA, pa, 3, level == 3 ? leaf_page : PT_S2_RW);
    }
    x->cds = fake_alloc(x->rig->host, 4096, 4096);
    pt_map(&x->s2, x->cds + DELTA, x->cds, 3, PT_S2_RO);
    pt_map(&x->s2, IPA, PA, 3, PT_S2_RW);
    cd_for(x->cd, &x->s1, 1);
    smmu3_set(x->cd, CD_HA, 1);
    smmu3_set(x->cd, CD_HD, 1);
    ste_nested(x->ste, x->cds + DELTA, 0, &x->s2, VMID);
    smmu3_set(x->ste, STE_S2HA, s2ha);
    smmu3_set(x->ste, STE_S2HD, s2hd);
    apply(x);
}

static void expect_pa(Setup *x, Smmu3Transaction t)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, PA + (t.addr - VA));
}

static void expect_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
    rig_expect_event(x->rig, type, x->event);
}

static uint64_t leaf(Setup *x)
{
    return pt_read(&x->s1, x->leaf);
}

#define RW_NO_AF    (PT_UNPRIV | PT_NG)
/* Writable, but clean: AP[2] with DBM */
#define CLEAN       (PT_AF | PT_UNPRIV | PT_NG | PT_RO | PT_DBM)

/* ---- Stage 1 ----------------------------------------------------------- */

static void test_af(void)
{
    uint64_t before;
    Setup x;

    setup(&x, RW_NO_AF | PT_PXN | PT_CONTIG, true, false);
    before = leaf(&x);
    expect_pa(&x, dma_read(SID, VA));
    g_assert_cmphex(leaf(&x), ==, before | PT_AF);
    g_assert_cmpuint(x.rig->host->cases, ==, 1);
    expect_pa(&x, dma_read(SID, VA + 8));
    g_assert_cmpuint(x.rig->host->cases, ==, 1);
    g_assert_cmpuint(smmu3_counters(x.rig->smmu)->httu_updates, ==, 1);
    done(&x);
}

/* A page that may not be accessed is not marked as accessed... */
static void test_af_after_permission(void)
{
    uint64_t before;
    Setup x;

    setup(&x, PT_RO, true, true);
    before = leaf(&x);
    expect_fault(&x, dma_read(SID, VA), F_PERMISSION);
    g_assert_cmphex(leaf(&x), ==, before);
    done(&x);
}

static void test_dirty(void)
{
    uint64_t before;
    Setup x;

    setup(&x, CLEAN | PT_PXN | PT_UXN | UINT64_C(5) << 55, true, true);
    before = leaf(&x);
    expect_pa(&x, dma_read(SID, VA));
    g_assert_cmphex(leaf(&x), ==, before);
    /* A clean page is not said to be writable: the write must come here. */
    g_assert_cmpint(x.result.access, ==, SMMU3_READ);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(leaf(&x), ==, before & ~PT_RO);
    g_assert_cmpint(x.result.access, ==, SMMU3_READ | SMMU3_WRITE);
    /* Dirty now, in the cache too. */
    fake_clear_records(x.rig->host);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    done(&x);
}

static void test_dirty_and_af_at_once(void)
{
    uint64_t before;
    Setup x;

    setup(&x, CLEAN & ~PT_AF, true, true);
    before = leaf(&x);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(leaf(&x), ==, (before | PT_AF) & ~PT_RO);
    g_assert_cmpuint(x.rig->host->cases, ==, 1);
    done(&x);
}

/* Whatever of HA, HD and DBM is missing, a read-only page stays so. */
static void test_no_dirty(void)
{
    static const struct {
        uint64_t attributes;
        bool ha, hd;
    } rows[] = {
        { CLEAN & ~PT_DBM, true, true },
        { CLEAN, true, false },
        { CLEAN, false, true },
        { CLEAN, false, false },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t before;
        Setup x;

        setup(&x, rows[i].attributes, rows[i].ha, rows[i].hd);
        before = leaf(&x);
        expect_fault(&x, dma_write(SID, VA), F_PERMISSION);
        g_assert_false(smmu3_get(x.event, EVENT_RNW));
        g_assert_cmphex(leaf(&x), ==, before);
        done(&x);
    }
}

/* What an APTable took away is not the descriptor's to give. */
static void test_no_dirty_under_aptable(void)
{
    uint64_t before;
    Setup x;

    setup(&x, CLEAN, true, true);
    pt_or(&x.s1, VA, 1, PT_BITS(TTD_APTABLE_NO_WRITE));
    before = leaf(&x);
    expect_fault(&x, dma_write(SID, VA), F_PERMISSION);
    g_assert_cmphex(leaf(&x), ==, before);
    done(&x);
}

/* A writable-clean page counts as writable for execution, too. */
static void test_clean_is_writable_for_wxn(void)
{
    Setup x;

    setup(&x, CLEAN, true, true);
    smmu3_set(x.cd, CD_WXN, 1);
    apply(&x);
    expect_fault(&x, with_ind(dma_read(SID, VA)), F_PERMISSION);
    smmu3_set(x.cd, CD_HD, 0);
    apply(&x);
    expect_pa(&x, with_ind(dma_read(SID, VA)));
    done(&x);
}

static void test_big_endian(void)
{
    Setup x;
    uint64_t before;

    setup(&x, CLEAN & ~PT_AF, true, true);
    pt_init(&x.s1, x.rig->host, 12, 48, false);
    x.s1.big_endian = true;
    x.leaf = pt_map(&x.s1, VA, PA, 3, CLEAN & ~PT_AF);
    cd_for(x.cd, &x.s1, 1);
    smmu3_set(x.cd, CD_HA, 1);
    smmu3_set(x.cd, CD_HD, 1);
    apply(&x);
    before = leaf(&x);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(leaf(&x), ==, (before | PT_AF) & ~PT_RO);
    done(&x);
}

static void test_update_abort(void)
{
    Setup x;

    setup(&x, RW_NO_AF, true, false);
    fake_set_readonly(x.rig->host, x.leaf, 8, true);
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT);
    g_assert_false(smmu3_get(x.event, EVENT_S2));
    g_assert_cmpint(smmu3_get(x.event, EVENT_CLASS), ==, CLASS_TT);
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_FETCH_ADDR), ==, x.leaf);
    done(&x);
}

static void test_disabled(void)
{
    char *before;
    Setup x;

    setup(&x, RW_NO_AF, true, true);
    rig_write32(x.rig, SMMU3_CR0, smmu3_field_mask(CR0_EVENTQEN));
    before = fake_digest(x.rig->host);
    g_assert_cmpint(translate(&x, dma_write(SID, VA)), ==, SMMU3_OK);
    g_assert_cmphex(x.result.pa, ==, VA);
    {
        g_autofree char *after = fake_digest(x.rig->host);

        g_assert_cmpstr(before, ==, after);
    }
    g_free(before);
    done(&x);
}

static void test_speculative(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    uint64_t before;
    Setup x;

    setup(&x, CLEAN & ~PT_AF, true, true);
    t.speculative = true;
    t.access = SMMU3_WRITE;
    before = leaf(&x);
    g_assert_cmpint(translate(&x, t), ==, SMMU3_ABORT);
    g_assert_cmphex(leaf(&x), ==, before);
    done(&x);
}

/* ---- Races ------------------------------------------------------------- */

/* What a CPU does to the leaf just before the update, and how often. */
typedef struct Race {
    uint64_t pa, desired;
    unsigned times, happened;
} Race;

static void cpu_writes(FakeHost *host, uint64_t pa)
{
    Race *race = host->hook_data;

    if (race->happened < race->times) {
        race->happened++;
        g_assert_cmphex(pa, ==, race->pa);
        fake_write64(host, pa, race->desired);
    }
}

static void set_race(Setup *x, Race *race)
{
    x->rig->host->before_cas = cpu_writes;
    x->rig->host->hook_data = race;
}

/* The CPU changes software bits: both changes are there afterwards. */
static void test_race_with_bits(void)
{
    Race race = { .times = 1 };
    uint64_t before;
    Setup x;

    setup(&x, CLEAN & ~PT_AF, true, true);
    before = leaf(&x);
    race.pa = x.leaf;
    race.desired = before | UINT64_C(1) << 55;
    set_race(&x, &race);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(leaf(&x), ==,
                    (before | UINT64_C(1) << 55 | PT_AF) & ~PT_RO);
    g_assert_cmpuint(race.happened, ==, 1);
    done(&x);
}

/* The CPU unmaps the page: that is what the access meets. */
static void test_race_with_unmap(void)
{
    Race race = { .times = 1, .desired = 0 };
    Setup x;

    setup(&x, CLEAN, true, true);
    race.pa = x.leaf;
    set_race(&x, &race);
    expect_fault(&x, dma_write(SID, VA), F_TRANSLATION);
    g_assert_cmphex(leaf(&x), ==, 0);
    done(&x);
}

/* The CPU takes the right to write: the page stays clean. */
static void test_race_with_protect(void)
{
    Race race = { .times = 1 };
    Setup x;

    setup(&x, CLEAN, true, true);
    race.pa = x.leaf;
    race.desired = leaf(&x) & ~PT_DBM;
    set_race(&x, &race);
    expect_fault(&x, dma_write(SID, VA), F_PERMISSION);
    g_assert_cmphex(leaf(&x), ==, race.desired);
    done(&x);
}

/* The CPU moves the page: the write goes to the new one. */
static void test_race_with_move(void)
{
    Race race = { .times = 1 };
    Setup x;

    setup(&x, CLEAN, true, true);
    race.pa = x.leaf;
    race.desired = leaf(&x) + 16 * PAGE;
    set_race(&x, &race);
    g_assert_cmpint(translate(&x, dma_write(SID, VA)), ==, SMMU3_OK);
    g_assert_cmphex(x.result.pa, ==, PA + 16 * PAGE);
    done(&x);
}

static void cpu_never_stops(FakeHost *host, uint64_t pa)
{
    fake_write64(host, pa, fake_read64(host, pa) ^ UINT64_C(1) << 55);
}

/* A CPU that always wins ends in a fault, not in a hang. */
static void test_race_is_bounded(void)
{
    Setup x;

    setup(&x, RW_NO_AF, true, false);
    x.rig->host->before_cas = cpu_never_stops;
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT);
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_FETCH_ADDR), ==, x.leaf);
    g_assert_cmpuint(x.rig->host->cases, <=, 1000);
    x.rig->host->before_cas = NULL;
    expect_pa(&x, dma_read(SID, VA));
    done(&x);
}

/* ---- Stage 2 ----------------------------------------------------------- */

static void test_stage2_af_and_dirty(void)
{
    uint64_t desc;
    Setup x;

    setup_nested(&x, PT_USER_RW, PT_S2_RW, true, true);
    desc = pt_map(&x.s2, IPA, PA, 3,
                  PT_S2_R | PT_S2_NORMAL | PT_DBM | UINT64_C(1) << 54);
    expect_pa(&x, dma_read(SID, VA));
    g_assert_cmphex(pt_read(&x.s2, desc) & (PT_AF | PT_S2_W), ==, PT_AF);
    g_assert_cmpint(x.result.access, ==, SMMU3_READ);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(pt_read(&x.s2, desc) & (PT_AF | PT_S2_W | PT_DBM |
                                            UINT64_C(1) << 54), ==,
                    PT_AF | PT_S2_W | PT_DBM | UINT64_C(1) << 54);
    done(&x);
}

/* Whatever of HA, HD and DBM is missing, a read-only page stays so. */
static void test_no_dirty_at_stage2(void)
{
    static const struct {
        uint64_t attributes;
        bool ha, hd;
    } rows[] = {
        { PT_S2_RO, true, true },
        { PT_S2_RO | PT_DBM, true, false },
        { PT_S2_RO | PT_DBM, false, true },
        { PT_S2_RO | PT_DBM, false, false },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t desc;
        Setup x;

        setup_nested(&x, PT_USER_RW, PT_S2_RW, rows[i].ha, rows[i].hd);
        desc = pt_map(&x.s2, IPA, PA, 3, rows[i].attributes);
        expect_pa(&x, dma_read(SID, VA));
        expect_fault(&x, dma_write(SID, VA), F_PERMISSION);
        g_assert_true(smmu3_get(x.event, EVENT_S2));
        g_assert_cmphex(pt_read(&x.s2, desc) & PT_S2_W, ==, 0);
        done(&x);
    }
    /* What is writable is not clean, DBM or not. */
    {
        Setup x;

        setup_nested(&x, PT_USER_RW, PT_S2_RW, true, true);
        pt_map(&x.s2, IPA, PA, 3, PT_S2_RW | PT_DBM);
        expect_pa(&x, dma_read(SID, VA));
        g_assert_true(x.result.access & SMMU3_WRITE);
        done(&x);
    }
}

/* Fetching a CD or a table is a read: AF at stage 2, never dirty. */
static void test_stage2_of_structures(void)
{
    uint64_t clean = PT_S2_R | PT_S2_NORMAL | PT_DBM, cd_desc, table_desc;
    Setup x;

    setup_nested(&x, PT_USER_RW, PT_S2_RW, true, true);
    cd_desc = pt_map(&x.s2, x.cds + DELTA, x.cds, 3, clean);
    table_desc = pt_map(&x.s2, pt_entry(&x.s1, VA, 2) + DELTA,
                        pt_entry(&x.s1, VA, 2), 3, clean);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(pt_read(&x.s2, cd_desc) & (PT_AF | PT_S2_W), ==, PT_AF);
    g_assert_cmphex(pt_read(&x.s2, table_desc) & (PT_AF | PT_S2_W), ==,
                    PT_AF);
    done(&x);
}

static void test_update_needs_stage2_write(void)
{
    uint64_t before;
    Setup x;

    setup_nested(&x, RW_NO_AF, PT_S2_RO, false, false);
    before = leaf(&x);
    expect_fault(&x, dma_read(SID, VA), F_PERMISSION);
    g_assert_true(smmu3_get(x.event, EVENT_S2));
    g_assert_cmpint(smmu3_get(x.event, EVENT_CLASS), ==, CLASS_TT);
    g_assert_false(smmu3_get(x.event, EVENT_TTRNW));
    g_assert_true(smmu3_get(x.event, EVENT_RNW));
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_IPA), ==,
                    (x.leaf + DELTA) & ~UINT64_C(0xfff));
    g_assert_cmphex(leaf(&x), ==, before);
    done(&x);
}

/* The table's page is itself made dirty at stage 2. */
static void test_update_makes_table_dirty(void)
{
    uint64_t desc;
    Setup x;

    setup_nested(&x, CLEAN, PT_S2_RO | PT_DBM, true, true);
    expect_pa(&x, dma_write(SID, VA));
    g_assert_cmphex(leaf(&x) & PT_RO, ==, 0);
    desc = pt_entry(&x.s2, x.leaf + DELTA, 3);
    g_assert_cmphex(pt_read(&x.s2, desc) & PT_S2_W, ==, PT_S2_W);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) conformance_test("/smmu3/httu/" name, fn, items)
    T("access-flag", test_af, "58");
    T("no-access-flag-without-permission", test_af_after_permission, "");
    T("dirty-state", test_dirty, "60");
    T("dirty-state-and-access-flag-at-once", test_dirty_and_af_at_once,
      "60");
    T("no-dirty-state-without-dbm-ha-hd", test_no_dirty, "60");
    T("no-dirty-state-under-aptable", test_no_dirty_under_aptable, "66");
    T("writable-clean-counts-for-wxn", test_clean_is_writable_for_wxn, "65");
    T("big-endian-tables", test_big_endian, "");
    T("update-abort", test_update_abort, "");
    T("none-while-disabled", test_disabled, "");
    T("none-by-speculative-writes", test_speculative, "114");
    T("race-with-software-bits", test_race_with_bits, "62");
    T("race-with-unmapping", test_race_with_unmap, "62");
    T("race-with-write-protection", test_race_with_protect, "62");
    T("race-with-moving", test_race_with_move, "62");
    T("race-is-bounded", test_race_is_bounded, "");
    T("stage-2-access-flag-and-dirty-state", test_stage2_af_and_dirty, "");
    T("no-dirty-state-at-stage-2-without-dbm-ha-hd",
      test_no_dirty_at_stage2, "");
    T("stage-2-of-cds-and-tables", test_stage2_of_structures, "");
    T("update-needs-stage-2-write", test_update_needs_stage2_write, "61");
    T("update-makes-table-dirty-at-stage-2", test_update_makes_table_dirty,
      "61");
    return conformance_run();
}
