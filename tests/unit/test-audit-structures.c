/*
 * The auditor and configuration: STEs and CDs that were changed in memory and not
 * invalidated. Not translations: test-audit.c. One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/audit/reports.h"
#include "audit-rig.h"

enum { SSID = 3 };

/* One with substreams, of which SSID is used. */
static void started_with(Setup *x, const char *inject)
{
    audited_rig(x, inject);
    setup_start(x);
    ste_stage1(x->ste, x->cds, 4);
    write_cd(x, SSID);
    apply(x);
}

static void started(Setup *x)
{
    started_with(x, "");
}

static void use(Setup *x)
{
    expect_pa(x, with_ssid(dma_read(SID, VA), SSID), PA);
}

/* All the time that a mistake takes, in use. */
static void use_for_the_grace(Setup *x)
{
    for (unsigned i = 0; i < SYNCS; i++) {
        x->rig->host->now_ns += (uint64_t)GRACE_MS * MS / SYNCS + 1;
        rig_sync(x->rig);
        use(x);
    }
}

static uint64_t cd_addr(Setup *x, unsigned index)
{
    return x->cds + index * SMMU3_CD_BYTES;
}

/* A bit that changes nothing for this access, but is one of the structure's. */
static void change(Setup *x, uint64_t pa)
{
    fake_write64(x->rig->host, pa + 24, fake_read64(x->rig->host, pa + 24) ^ 4);
}

static void cfgi(Setup *x, unsigned opcode, uint32_t ssid)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, opcode);
    smmu3_set(cmd, CMD_STREAMID, SID);
    smmu3_set(cmd, CMD_SUBSTREAMID, ssid);
    smmu3_set(cmd, CMD_LEAF, 1);
    rig_command(x->rig, cmd);
}

/* ---- What is a mistake --------------------------------------------------- */

static void test_stale(gconstpointer data)
{
    bool is_cd = GPOINTER_TO_INT(data);
    g_autoptr(GString) words = g_string_new(NULL);
    const Smmu3AuditReport *r;
    uint64_t pa;
    Setup x;

    started(&x);
    pa = is_cd ? cd_addr(&x, SSID) : rig_ste_addr(x.rig, SID);
    use(&x);
    use(&x);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
    change(&x, pa);
    use(&x);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    g_assert_cmpuint(reports(&x), ==, 0);
    use_for_the_grace(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    use_for_the_grace(&x);
    g_assert_cmpuint(COUNTER(&x, audit_reports), ==, 1);

    r = report_at(&x, 0);
    g_assert_cmpint(r->kind, ==, is_cd ? SMMU3_STALE_CD : SMMU3_STALE_STE);
    g_assert_cmphex(r->sid, ==, SID);
    g_assert_cmpint(r->ssv, ==, is_cd);
    g_assert_cmphex(r->ssid, ==, is_cd ? SSID : 0);
    g_assert_cmphex(r->addr, ==, pa);
    g_assert_cmphex(r->at, ==, pa);
    for (unsigned i = 0; i < 8; i++) {
        g_assert_cmphex(r->memory_words[i], ==,
                        fake_read64(x.rig->host, pa + 8 * i));
        g_assert_cmphex(r->cached_words[i] ^ r->memory_words[i], ==,
                        i == 3 ? 4 : 0);
    }
    smmu3_report_words(r, words);
    g_assert_nonnull(strstr(words->str, is_cd ? "stale CD of sid 0x5 ssid 0x3"
                                              : "stale STE of sid 0x5"));
    g_assert_nonnull(strstr(words->str, "word 3 is cached as"));
    done(&x);
}

/* Who only wants to know uses nothing. */
static void test_peek_is_no_use(void)
{
    Smmu3Transaction t = with_ssid(dma_read(SID, VA), SSID);
    Setup x;

    started(&x);
    use(&x);
    change(&x, cd_addr(&x, SSID));
    t.speculative = t.peek = true;
    for (unsigned i = 0; i < 2 * SYNCS; i++) {
        g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
        syncs(&x, 1, GRACE_MS);
    }
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* The STE says that its CDs are elsewhere: each CD is, too. */
static void test_table_moved(void)
{
    uint64_t ste[SMMU3_STE_WORDS], elsewhere;
    Setup x;

    started(&x);
    use(&x);
    elsewhere = fake_alloc(x.rig->host, 4096, 4096);
    ste_stage1(ste, elsewhere, 4);
    fake_write_words(x.rig->host, rig_ste_addr(x.rig, SID), ste,
                     SMMU3_STE_WORDS);
    use_for_the_grace(&x);
    use_for_the_grace(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    done(&x);
}

static void set_l1cd(Setup *x, uint64_t l1, uint64_t l2)
{
    uint64_t l1cd = 0;

    smmu3_set(&l1cd, L1CD_V, 1);
    smmu3_set_addr(&l1cd, L1CD_L2PTR, l2);
    fake_write64(x->rig->host, l1, l1cd);
}

/* A level-2 table is replaced by its copy: the same words, at another address. */
static void test_second_level_replaced(void)
{
    g_autoptr(GString) words = g_string_new(NULL);
    const Smmu3AuditReport *r;
    uint64_t l1, copy;
    Setup x;

    started(&x);
    l1 = fake_alloc(x.rig->host, 4096, 4096);
    copy = fake_alloc(x.rig->host, 4096, 4096);
    fake_write_words(x.rig->host, copy + SSID * SMMU3_CD_BYTES, x.cd,
                     SMMU3_CD_WORDS);
    set_l1cd(&x, l1, x.cds);
    ste_stage1(x.ste, l1, 8);
    smmu3_set(x.ste, STE_S1FMT, STE_S1FMT_4K_L2);
    apply(&x);
    use(&x);
    set_l1cd(&x, l1, copy);
    use_for_the_grace(&x);
    use_for_the_grace(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    g_assert_cmphex(r->addr, ==, cd_addr(&x, SSID));
    g_assert_cmphex(r->at, ==, copy + SSID * SMMU3_CD_BYTES);
    smmu3_report_words(r, words);
    g_assert_nonnull(strstr(words->str, "was fetched from"));
    done(&x);
}

/* What was there is not in memory any more. */
static void test_gone(void)
{
    const Smmu3AuditReport *r;
    Setup x;

    started(&x);
    use(&x);
    fake_unmap(x.rig->host, x.cds, 4096);
    use_for_the_grace(&x);
    use_for_the_grace(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    g_assert_cmpint(r->kind, ==, SMMU3_STALE_CD);
    g_assert_cmphex(r->at, ==, 0);
    done(&x);
}

/* ---- What is none -------------------------------------------------------- */

/* Changed, and invalidated before the grace is over. */
static void test_invalidated_in_time(gconstpointer data)
{
    bool is_cd = GPOINTER_TO_INT(data);
    Setup x;

    started(&x);
    use(&x);
    for (unsigned i = 0; i < 4; i++) {
        change(&x, is_cd ? cd_addr(&x, SSID) : rig_ste_addr(x.rig, SID));
        use(&x);
        for (unsigned k = 0; k < SYNCS - 1; k++) {
            x.rig->host->now_ns += (uint64_t)GRACE_MS * MS;
            rig_sync(x.rig);
            use(&x);
        }
        cfgi(&x, is_cd ? CMD_CFGI_CD : CMD_CFGI_STE, SSID);
        rig_sync(x.rig);
        use(&x);
    }
    use_for_the_grace(&x);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 4);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* Changed back before the grace is over, again and again. */
static void test_agrees_again(void)
{
    uint64_t pa;
    Setup x;

    started(&x);
    pa = rig_ste_addr(x.rig, SID);
    use(&x);
    for (unsigned i = 0; i < 3 * SYNCS; i++) {
        change(&x, pa);
        use(&x);
        rig_sync(x.rig);
        x.rig->host->now_ns += (uint64_t)GRACE_MS * MS;
        use(&x);
        change(&x, pa);
        use(&x);
    }
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* Another SubstreamID's CD may be what it likes. */
static void test_others_cd(void)
{
    Setup x;

    started(&x);
    use(&x);
    change(&x, cd_addr(&x, SSID + 1));
    use_for_the_grace(&x);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
    done(&x);
}

/* A VM's: the STE is the host's, its CDs and tables are at IPAs. */
static void test_nested(void)
{
    const uint64_t delta = UINT64_C(0x4000000000);
    const Smmu3AuditReport *r;
    PageTable s2;
    Setup x;

    started(&x);
    pt_init_stage2(&s2, x.rig->host, 12, 48, 0, false);
    for (int level = x.pt.start_level; level <= 3; level++) {
        uint64_t pa = pt_entry(&x.pt, VA, level);

        pt_map(&s2, pa, pa, 3, PT_S2_RW);
    }
    pt_map(&s2, x.cds + delta, x.cds, 3, PT_S2_RW);
    pt_map(&s2, PA, PA, 3, PT_S2_RW);
    ste_nested(x.ste, x.cds + delta, 4, &s2, 9);
    apply(&x);
    use(&x);
    use_for_the_grace(&x);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
    change(&x, cd_addr(&x, SSID));
    use_for_the_grace(&x);
    use_for_the_grace(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    g_assert_cmpint(r->kind, ==, SMMU3_STALE_CD);
    g_assert_cmphex(r->addr, ==, cd_addr(&x, SSID) + delta);
    done(&x);
}

/* More structures than are remembered: nothing is said of those forgotten. */
static void test_many(void)
{
    enum { STREAMS = 256, SSIDS_LOG2 = 5, SSIDS = 1 << SSIDS_LOG2 };
    Setup x;

    started(&x);
    x.cds = fake_alloc(x.rig->host, SSIDS * SMMU3_CD_BYTES, 4096);
    ste_stage1(x.ste, x.cds, SSIDS_LOG2);
    for (unsigned ssid = 0; ssid < SSIDS; ssid++) {
        write_cd(&x, ssid);
    }
    for (unsigned sid = 0; sid < STREAMS; sid++) {
        rig_set_ste(x.rig, sid, x.ste);
    }
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned sid = 0; sid < STREAMS; sid++) {
            for (unsigned ssid = 1; ssid < SSIDS; ssid++) {
                expect_pa(&x, with_ssid(dma_read(sid, VA), ssid), PA);
            }
        }
        rig_sync(x.rig);
        x.rig->host->now_ns += (uint64_t)GRACE_MS * MS;
    }
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
    done(&x);
}

/* ---- Invalidations that are dropped on request ---------------------------- */

enum { SSIDS = 16 };

static void use_ssid(Setup *x, uint32_t ssid)
{
    expect_pa(x, with_ssid(dma_read(SID, VA), ssid), PA);
}

/*
 * Each CD is used, changed and invalidated; then all are used for the grace. Whose
 * invalidation was dropped is reported, and nobody else. Returns how many.
 */
static unsigned drop_and_find(const char *inject)
{
    bool dropped[SSIDS] = { false };
    unsigned drops = 0;
    Setup x;

    started_with(&x, inject);
    for (uint32_t ssid = 1; ssid < SSIDS; ssid++) {
        uint64_t before = COUNTER(&x, injected_drops);

        write_cd(&x, ssid);
        use_ssid(&x, ssid);
        change(&x, cd_addr(&x, ssid));
        cfgi(&x, CMD_CFGI_CD, ssid);
        dropped[ssid] = COUNTER(&x, injected_drops) != before;
    }
    for (unsigned i = 0; i <= SYNCS; i++) {
        x.rig->host->now_ns += (uint64_t)GRACE_MS * MS / SYNCS + 1;
        rig_sync(x.rig);
        for (uint32_t ssid = 1; ssid < SSIDS; ssid++) {
            use_ssid(&x, ssid);
        }
    }
    for (unsigned i = 0; i < reports(&x); i++) {
        const Smmu3AuditReport *r = report_at(&x, i);

        g_assert_cmpint(r->kind, ==, SMMU3_STALE_CD);
        g_assert_true(dropped[r->ssid]);
        dropped[r->ssid] = false;
        drops++;
    }
    for (uint32_t ssid = 1; ssid < SSIDS; ssid++) {
        g_assert_false(dropped[ssid]);
    }
    rig_free(x.rig);
    return drops;
}

static void test_drops(void)
{
    expect_drops("drop:cfgi", 4, SSIDS - 1, drop_and_find);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/audit/" name, fn)
#define BOTH(name, fn) \
    g_test_add_data_func("/smmu3/audit/ste/" name, GINT_TO_POINTER(0), fn); \
    g_test_add_data_func("/smmu3/audit/cd/" name, GINT_TO_POINTER(1), fn)
    BOTH("stale", test_stale);
    BOTH("invalidated-in-time", test_invalidated_in_time);
    T("structures/peek-is-no-use", test_peek_is_no_use);
    T("ste/table-moved", test_table_moved);
    T("ste/agrees-again", test_agrees_again);
    T("cd/gone", test_gone);
    T("cd/second-level-replaced", test_second_level_replaced);
    T("cd/of-another-substream", test_others_cd);
    T("cd/nested", test_nested);
    T("structures/many", test_many);
    T("cd/drops-are-found", test_drops);
    return g_test_run();
}
