/*
 * The auditor's eye on endpoints: what they were granted by ATS, and no ATC_INV
 * named. Not the TLB (test-audit.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/audit/grants.h"
#include "core/audit/reports.h"
#include "audit-rig.h"

enum { R = SMMU3_READ, W = SMMU3_WRITE, SSID = 3 };

static void with_ats(Setup *x)
{
    audited(x);
    write_cd(x, SSID);
    smmu3_set(x->ste, STE_S1CDMAX, 4);
    smmu3_set(x->ste, STE_EATS, STE_EATS_FULL);
    apply(x);
}

static Smmu3Transaction request(uint64_t addr, unsigned access)
{
    Smmu3Transaction t = dma_read(SID, addr);

    t.type = SMMU3_ATS_REQUEST;
    t.access = access;
    t.ssv = true;
    t.ssid = SSID;
    return t;
}

static void ask(Setup *x, uint64_t addr)
{
    g_assert_cmpint(translate(x, request(addr, R | W)), ==, SMMU3_OK);
}

/* By what it was granted for VA. */
static void use(Setup *x)
{
    Smmu3Transaction t = dma_read(SID, PA + 8);

    t.type = SMMU3_ATS_TRANSLATED;
    g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
}

typedef struct AtcInv {
    uint32_t sid, ssid;
    bool ssv, global;
    uint64_t addr;
    unsigned size;
} AtcInv;

static const AtcInv of_page = { SID, SSID, true, false, VA, 0 };

static void atc_inv(Setup *x, const AtcInv *inv)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, CMD_ATC_INV);
    smmu3_set(cmd, CMD_STREAMID, inv->sid);
    smmu3_set(cmd, CMD_SSV, inv->ssv);
    smmu3_set(cmd, CMD_SUBSTREAMID, inv->ssid);
    smmu3_set(cmd, CMD_ATC_GLOBAL, inv->global);
    smmu3_set(cmd, CMD_ATC_SIZE, inv->size);
    smmu3_set_addr(cmd, CMD_ADDR, inv->addr);
    rig_command(x->rig, cmd);
}

/* The page goes, and the TLB hears of it, and the endpoint does not. */
static void unmap(Setup *x)
{
    pt_write(&x->pt, leaf_of(x, VA), 0);
    tlbi_va(x, ASID, VA);
}

/* The grace goes by, and the endpoint asks for something else then. */
static void outlast(Setup *x)
{
    uint64_t other = VA + 0x100000;

    syncs(x, SYNCS + 1, 2 * GRACE_MS);
    pt_map(&x->pt, other, PA + 0x100000, 3, PT_USER_RW);
    ask(x, other);
    syncs(x, 1, 0);
}

/* ---- What is a mistake --------------------------------------------------- */

typedef struct MistakeCase {
    const char *name;
    uint64_t after;
    Smmu3Mistake kind;
} MistakeCase;

#define AT(pa, attributes) ((pa) | (attributes) | 3)
static const MistakeCase mistakes[] = {
    { "gone", 0, SMMU3_STALE_GONE },
    { "moved", AT(PA + PAGE, PT_USER_RW), SMMU3_STALE_MOVED },
    { "read-only", AT(PA, PT_USER_RO), SMMU3_STALE_RIGHTS },
    { "privileged", AT(PA, PT_KERNEL_RW), SMMU3_STALE_GONE },
    { "clean", AT(PA, PT_USER_RO | PT_DBM), SMMU3_STALE_CLEAN },
};

static void test_mistake(gconstpointer data)
{
    const MistakeCase *c = data;
    const Smmu3AuditReport *r;
    g_autoptr(GString) words = g_string_new(NULL);
    Setup x;

    with_ats(&x);
    smmu3_set(x.cd, CD_HA, 1);
    smmu3_set(x.cd, CD_HD, 1);
    write_cd(&x, SSID);
    apply(&x);
    pt_write(&x.pt, leaf_of(&x, VA), AT(PA, PT_USER_RW | PT_DBM));
    ask(&x, VA);
    pt_write(&x.pt, leaf_of(&x, VA), c->after);
    tlbi_va(&x, ASID, VA);
    syncs(&x, SYNCS, GRACE_MS - 1);
    use(&x);
    g_assert_cmpuint(reports(&x), ==, 0);
    outlast(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    g_assert_true(r->atc);
    g_assert_cmpint(r->kind, ==, c->kind);
    g_assert_cmphex(r->sid, ==, SID);
    g_assert_true(r->ssv);
    g_assert_cmphex(r->ssid, ==, SSID);
    g_assert_cmphex(r->addr, ==, VA);
    g_assert_cmphex(r->bytes, ==, PAGE);
    g_assert_cmphex(r->cached_output, ==, PA);
    g_assert_cmpuint(r->cached_rights & (R | W), ==, R | W);
    g_assert_cmpuint(r->tables_trail.count, ==, 4);
    g_assert_cmphex(r->tables_trail.read[3].descriptor, ==, c->after);
    g_assert_cmpuint(r->uses, ==, 1);
    g_assert_cmpuint(r->heard_count, ==, 0);
    g_assert_false(r->has_early);
    smmu3_report_words(r, words);
    g_assert_nonnull(strstr(words->str, "stale ATC (sid 0x5 ssid 0x3): 0x"
                            "7f0000005000 was granted as 0x123456789000 rw"));
    /* Once for a grant */
    outlast(&x);
    ask(&x, VA + 0x100000);
    g_assert_cmpuint(COUNTER(&x, audit_reports), ==, 1);
    done(&x);
}

/* A translated access is a use, without another request. */
static void test_used(void)
{
    Setup x;

    with_ats(&x);
    ask(&x, VA);
    unmap(&x);
    syncs(&x, SYNCS + 1, 2 * GRACE_MS);
    g_assert_cmpuint(reports(&x), ==, 0);
    use(&x);
    g_assert_cmpuint(reports(&x), ==, 1);
    done(&x);
}

/* ---- What is none -------------------------------------------------------- */

static const AtcInv covering[] = {
    { SID, SSID, true, false, VA, 0 },
    { SID, SSID, true, false, VA & ~UINT64_C(0xffff), 4 },
    { SID, SSID, true, false, 0, 52 },
    { SID, 0, false, false, VA, 0 },        /* every PASID's */
    { SID, 0, false, false, 0, 52 },
    { SID, SSID + 1, true, true, VA, 0 },   /* global: every PASID's */
};

static void test_invalidated_in_time(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(covering); i++) {
        Setup x;

        with_ats(&x);
        ask(&x, VA);
        unmap(&x);
        syncs(&x, SYNCS - 1, 5 * GRACE_MS);
        g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
        atc_inv(&x, &covering[i]);
        smmu3_atc_invalidated(x.rig->smmu, 0);
        outlast(&x);
        use(&x);
        g_assert_cmpuint(reports(&x), ==, 0);
        done(&x);
    }
}

typedef struct MissCase {
    AtcInv inv;
    Smmu3Miss miss;
} MissCase;

static const MissCase misses[] = {
    { { SID + 1, SSID, true, false, VA, 0 }, SMMU3_MISS_STREAM },
    { { SID, SSID + 1, true, false, VA, 0 }, SMMU3_MISS_SUBSTREAM },
    { { SID, SSID, true, false, VA + PAGE, 0 }, SMMU3_MISS_RANGE },
    { { SID, SSID, true, false, VA - PAGE, 0 }, SMMU3_MISS_RANGE },
};

static void test_misses(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(misses); i++) {
        const Smmu3AuditReport *r;
        Setup x;

        with_ats(&x);
        ask(&x, VA);
        unmap(&x);
        atc_inv(&x, &misses[i].inv);
        outlast(&x);
        g_assert_cmpuint(reports(&x), ==, 1);
        r = report_at(&x, 0);
        g_assert_cmpuint(r->heard_count, ==, 1);
        g_assert_cmpint(r->heard[0].miss, ==, misses[i].miss);
        g_assert_cmpint(r->heard[0].opcode, ==, CMD_ATC_INV);
        done(&x);
    }
}

/* Nobody can use what is left of a PASID that nobody uses. */
static void test_context_is_gone(void)
{
    Setup x;

    with_ats(&x);
    ask(&x, VA);
    unmap(&x);
    syncs(&x, 100, 100 * GRACE_MS);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

static void test_function_was_reset(void)
{
    for (unsigned own = 0; own < 2; own++) {
        Setup x;

        with_ats(&x);
        ask(&x, VA);
        unmap(&x);
        smmu3_atc_flushed(x.rig->smmu, own ? SID : SID + 1);
        outlast(&x);
        g_assert_cmpuint(reports(&x), ==, own ? 0 : 1);
        done(&x);
    }
}

static void test_stream_has_no_ats(void)
{
    Setup x;

    with_ats(&x);
    ask(&x, VA);
    unmap(&x);
    smmu3_set(x.ste, STE_EATS, STE_EATS_NONE);
    apply(&x);
    syncs(&x, SYNCS + 1, 2 * GRACE_MS);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    outlast(&x);
    use(&x);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* To clear an access flag needs no invalidation; nor do more rights. */
static void test_harmless(void)
{
    static const uint64_t after[] = {
        AT(PA, PT_USER_RW) & ~PT_AF, AT(PA, PT_USER_RW),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(after); i++) {
        Setup x;

        with_ats(&x);
        pt_write(&x.pt, leaf_of(&x, VA), AT(PA, i ? PT_USER_RO : PT_USER_RW));
        ask(&x, VA);
        pt_write(&x.pt, leaf_of(&x, VA), after[i]);
        outlast(&x);
        use(&x);
        g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
        done(&x);
    }
}

/* ---- Order ---------------------------------------------------------------- */

/*
 * ATC_INV first, and TLBI after: in between the endpoint asks again, and the TLB
 * answers as before.
 */
static void test_atc_inv_before_tlbi(void)
{
    const Smmu3AuditReport *r;
    g_autoptr(GString) words = g_string_new(NULL);
    Setup x;

    with_ats(&x);
    ask(&x, VA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    atc_inv(&x, &of_page);
    ask(&x, VA);
    tlbi_va(&x, ASID, VA);
    outlast(&x);
    /* Of the TLB's own entry there is none: that was invalidated */
    g_assert_cmpuint(reports(&x), ==, 1);
    r = report_at(&x, 0);
    g_assert_true(r->atc && r->has_early);
    g_assert_cmpint(r->early.opcode, ==, CMD_ATC_INV);
    g_assert_cmphex(r->early.first, ==, VA);
    smmu3_report_words(r, words);
    g_assert_nonnull(strstr(words->str, "; invalidated too early, "));
    done(&x);
}

/* ---- Bounds ---------------------------------------------------------------- */

/* More than there is room for: the oldest are not known any more. */
static void test_grants_are_bounded(void)
{
    enum { MORE = 10 };
    Setup x;

    with_ats(&x);
    for (unsigned i = 0; i < SMMU3_GRANTS_MAX + MORE; i++) {
        pt_map(&x.pt, VA + i * PAGE, PA, 3, PT_USER_RW);
        ask(&x, VA + i * PAGE);
    }
    for (unsigned i = 0; i < 2 * MORE; i++) {
        pt_write(&x.pt, leaf_of(&x, VA + i * PAGE), 0);
    }
    rig_command2(x.rig, CMD_TLBI_NSNH_ALL, 0);
    syncs(&x, SMMU3_GRANTS_MAX / 4, 2 * GRACE_MS);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, MORE);
    outlast(&x);
    g_assert_cmpuint(COUNTER(&x, audit_reports), >, 0);
    g_assert_cmpuint(reports(&x), ==, 1);
    done(&x);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/audit/atc/" name, fn)
    for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autofree char *path = g_strconcat("/smmu3/audit/atc/mistake/",
                                            mistakes[i].name, NULL);

        g_test_add_data_func(path, &mistakes[i], test_mistake);
    }
    T("used-by-a-translated-access", test_used);
    T("invalidated-in-time", test_invalidated_in_time);
    T("misses", test_misses);
    T("left-of-a-context-that-is-gone", test_context_is_gone);
    T("function-was-reset", test_function_was_reset);
    T("stream-has-no-ats", test_stream_has_no_ats);
    T("harmless", test_harmless);
    T("atc-inv-before-tlbi", test_atc_inv_before_tlbi);
    T("grants-are-bounded", test_grants_are_bounded);
    return g_test_run();
}
