/*
 * ATS: translation requests, what is granted and what is refused, and
 * Translated traffic (IHI 0070 3.9.1, 13.6, 13.7).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "two-stages.h"

enum { R = SMMU3_READ, W = SMMU3_WRITE, X = SMMU3_EXEC };

/* A stage-1 stream with ATS; setup_nested() puts stage 2 under it. */
static void setup_start(Setup *x, bool nested)
{
    FakeHost *host = x->rig->host;

    rig_start(x->rig);
    pt_init(&x->s1, host, 12, 48, false);
    pt_map(&x->s1, VA, nested ? IPA : PA, 3, PT_USER_RW);
    x->cds = fake_alloc(host, 4096, 4096);
    cd_for(x->cd, &x->s1, 1);
    ste_stage1(x->ste, x->cds, 4);
    if (nested) {
        pt_init_stage2(&x->s2, host, 12, 40, 1, false);
        pt_map(&x->s2, IPA, PA, 3, PT_S2_RW);
        pt_map(&x->s2, x->cds, x->cds, 3, PT_S2_RW);
        pt_map_range(&x->s2, x->s1.root & ~UINT64_C(0xfff),
                     x->s1.root & ~UINT64_C(0xfff), 16 * PAGE, PT_S2_RW);
        ste_nested(x->ste, x->cds, 4, &x->s2, VMID);
    }
    smmu3_set(x->ste, STE_EATS, STE_EATS_FULL);
    apply(x);
}

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    setup_start(x, false);
}

static void setup_nested(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    setup_start(x, true);
}

static Smmu3Transaction request(uint64_t addr, unsigned access)
{
    Smmu3Transaction t = dma_read(SID, addr);

    t.type = SMMU3_ATS_REQUEST;
    t.access = access;
    return t;
}

static Smmu3Transaction translated(uint64_t addr, unsigned access)
{
    Smmu3Transaction t = request(addr, access);

    t.type = SMMU3_ATS_TRANSLATED;
    return t;
}

/* Success with this address and these permissions; asked twice. */
static void expect_grant(Setup *x, Smmu3Transaction t, uint64_t addr,
                         unsigned access)
{
    for (unsigned again = 0; again < 2; again++) {
        g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
        g_assert_cmpint(x->result.access, ==, access);
        g_assert_false(x->result.ats_global);
        if (access) {
            g_assert_cmphex(x->result.pa, ==, addr);
        }
        rig_expect_no_event(x->rig);
    }
}

/* Success with R=W=0, of the size of the smallest granule. */
static void expect_nothing(Setup *x, Smmu3Transaction t)
{
    expect_grant(x, t, 0, 0);
    g_assert_cmpint(x->result.size_log2, ==, 12);
}

/* UR or CA, with this record, or none. */
static void expect_refusal(Setup *x, Smmu3Transaction t, Smmu3Outcome outcome,
                           Smmu3EventType recorded)
{
    g_assert_cmpint(translate(x, t), ==, outcome);
    if (recorded != EVENT_NONE) {
        rig_expect_event(x->rig, recorded, x->event);
        g_assert_cmphex(smmu3_get(x->event, EVENT_STREAMID), ==, t.sid);
    }
    rig_expect_no_event(x->rig);
}

/* ---- Requests ---------------------------------------------------------- */

static void test_request(void)
{
    Setup x;

    setup(&x);
    expect_grant(&x, request(VA + 0x1000 - 8, R), PA + 0xff8, R | W);
    expect_grant(&x, request(VA, R | W), PA, R | W);
    g_assert_cmpint(x.result.size_log2, ==, 12);
    pt_map(&x.s1, UINT64_C(0x200000), UINT64_C(0x8000000000), 2, PT_USER_RO);
    expect_grant(&x, request(UINT64_C(0x312345), R | W),
                 UINT64_C(0x8000112345), R);
    g_assert_cmpint(x.result.size_log2, ==, 21);
    done(&x);
}

static void test_eats_0(void)
{
    Setup x;

    setup(&x);
    smmu3_set(x.ste, STE_EATS, STE_EATS_NONE);
    apply(&x);
    expect_refusal(&x, request(VA, R), SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    g_assert_cmphex(smmu3_get(x.event, EVENT_INPUT_ADDR) & ~0xfffull, ==, VA);
    smmu3_set(x.ste, STE_EATS, 3);
    apply(&x);
    expect_refusal(&x, request(VA, R), SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    ste_bypass(x.ste);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    expect_refusal(&x, request(VA, R), SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    ste_abort(x.ste);
    apply(&x);
    expect_refusal(&x, request(VA, R), SMMU3_ATS_UR, EVENT_NONE);
    done(&x);
}

static void test_disabled(void)
{
    Setup x;

    setup(&x);
    rig_write32(x.rig, SMMU3_CR0, smmu3_field_mask(CR0_EVENTQEN));
    expect_refusal(&x, request(VA, R), SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    expect_refusal(&x, translated(PA, R), SMMU3_ABORT, F_TRANSL_FORBIDDEN);
    done(&x);
}

/* Wrong configuration: CA, and a record only if CR2.REC_CFG_ATS. */
static void check_configuration_errors(bool record)
{
    Setup x = { .rig = rig_new() };
    Smmu3Transaction t = request(VA, R);

    x.rig->cr2 |= record ? smmu3_field_mask(CR2_REC_CFG_ATS) : 0;
    setup_start(&x, false);
#define RECORDED(type) (record ? (type) : EVENT_NONE)
    t.sid = 256;
    expect_refusal(&x, t, SMMU3_ATS_CA, RECORDED(C_BAD_STREAMID));
    t.sid = 7;
    expect_refusal(&x, t, SMMU3_ATS_CA, RECORDED(C_BAD_STE));
    t.sid = SID;
    expect_refusal(&x, with_ssid(t, 16), SMMU3_ATS_CA,
                   RECORDED(C_BAD_SUBSTREAMID));
    expect_refusal(&x, with_ssid(t, 0), SMMU3_ATS_CA,
                   RECORDED(F_STREAM_DISABLED));
    expect_refusal(&x, with_ssid(t, 1), SMMU3_ATS_CA, RECORDED(C_BAD_CD));
    fake_unmap(x.rig->host, x.s1.root, 4096);
    expect_refusal(&x, t, SMMU3_ATS_CA, RECORDED(F_WALK_EABT));
    fake_unmap(x.rig->host, x.cds, 4096);
    expect_refusal(&x, with_ssid(t, 2), SMMU3_ATS_CA, RECORDED(F_CD_FETCH));
    done(&x);
}

static void test_configuration_errors(void)
{
    check_configuration_errors(false);
}

static void test_configuration_errors_recorded(void)
{
    check_configuration_errors(true);
}

/* Faults of translation are "no": never a record, never a stall. */
static void test_translation_faults(void)
{
    Smmu3Transaction t = request(VA, R | W);
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    smmu3_set(x.cd, CD_IPS, 4);                 /* PA has more bits */
    apply(&x);
    t.may_stall = true;
    expect_nothing(&x, t);
    g_assert_cmpint(x.result.fault, ==, F_ADDR_SIZE);
    t.addr = VA + PAGE;
    expect_nothing(&x, t);
    t.addr = UINT64_C(1) << 60;
    expect_nothing(&x, t);
    pt_map(&x.s1, VA + PAGE, 0x80000000, 3, PT_USER_RW & ~PT_AF);
    t.addr = VA + PAGE;
    expect_nothing(&x, t);
    g_assert_cmpint(x.result.fault, ==, F_ACCESS);
    g_assert_cmpuint(smmu3_stalls_outstanding(x.rig->smmu), ==, 0);
    done(&x);
}

/* ---- Permissions ------------------------------------------------------- */

static void test_permissions(void)
{
    static const struct {
        uint64_t attributes;
        unsigned access;                /* asked for */
        bool ssv, priv, ind;
        unsigned granted;
    } rows[] = {
        { PT_USER_RW | PT_UXN, R, false, false, false, R | W },
        { PT_USER_RO | PT_UXN, R | W, false, false, false, R },
        { PT_KERNEL_RW | PT_UXN, R | W, false, false, false, 0 },
        { PT_KERNEL_RW | PT_UXN, R | W, true, false, false, 0 },
        { PT_KERNEL_RW | PT_UXN, R | W, true, true, false, R | W },
        /* Without a PASID there is neither Priv nor Exe. */
        { PT_KERNEL_RW | PT_UXN, R | W, false, true, false, 0 },
        { PT_USER_RO, R, false, false, true, R },
        { PT_USER_RO, R, true, false, true, R | X },
        { PT_USER_RO, R, true, false, false, R },
        { PT_USER_RO | PT_UXN, R, true, false, true, R },
        { PT_USER_RO | PT_PXN, R, true, true, true, R },
        /* Execute-only is no access at all. */
        { PT_KERNEL_RW, R, true, false, true, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Smmu3Transaction t = request(VA, rows[i].access);
        Setup x;

        setup(&x);
        pt_map(&x.s1, VA, PA, 3, rows[i].attributes);
        smmu3_set(x.ste, STE_S1DSS, rows[i].ssv ? STE_S1DSS_TERMINATE
                                                : STE_S1DSS_CD0);
        apply(&x);
        t.ssv = rows[i].ssv;
        t.priv = rows[i].priv;
        t.ind = rows[i].ind;
        g_test_message("row %u", i);
        expect_grant(&x, t, PA, rows[i].granted);
        if (rows[i].granted) {
            g_assert_cmpint(x.result.ats_priv, ==,
                            rows[i].ssv && rows[i].priv);
        }
        done(&x);
    }
}

static void test_overrides(void)
{
    Smmu3Transaction t = with_ssid(request(VA, R | W), 0);
    Setup x;

    setup(&x);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    pt_map(&x.s1, VA, PA, 3, PT_KERNEL_RW | PT_PXN);
    smmu3_set(x.ste, STE_PRIVCFG, 3);
    apply(&x);
    expect_grant(&x, t, PA, R | W);
    g_assert_false(x.result.ats_priv);          /* as requested */
    /* INSTCFG=Data: whoever may read may execute... */
    smmu3_set(x.ste, STE_INSTCFG, 2);
    apply(&x);
    expect_grant(&x, with_ind(t), PA, R | W | X);
    /* ... =Instruction: who may not execute may not read. */
    smmu3_set(x.ste, STE_INSTCFG, 3);
    apply(&x);
    expect_grant(&x, t, PA, W);
    done(&x);
}

/* ---- Hardware updates -------------------------------------------------- */

#define CLEAN (PT_AF | PT_UNPRIV | PT_NG | PT_RO | PT_DBM)

static uint64_t map_with_httu(Setup *x, uint64_t attributes, bool hd)
{
    uint64_t desc = pt_map(&x->s1, VA, PA, 3, attributes);

    smmu3_set(x->cd, CD_HA, 1);
    smmu3_set(x->cd, CD_HD, hd);
    apply(x);
    return desc;
}

static void test_dirty(void)
{
    uint64_t desc;
    Setup x;

    setup(&x);
    desc = map_with_httu(&x, CLEAN & ~PT_AF, true);
    expect_grant(&x, request(VA, R), PA, R);    /* No Write: not dirtied */
    g_assert_cmphex(pt_read(&x.s1, desc) & (PT_AF | PT_RO), ==,
                    PT_AF | PT_RO);
    expect_grant(&x, request(VA, R | W), PA, R | W);
    g_assert_cmphex(pt_read(&x.s1, desc) & PT_RO, ==, 0);
    expect_grant(&x, request(VA, R), PA, R | W);
    done(&x);
}

static void test_no_dirty_without_hd(void)
{
    uint64_t desc;
    Setup x;

    setup(&x);
    desc = map_with_httu(&x, CLEAN, false);
    expect_grant(&x, request(VA, R | W), PA, R);
    g_assert_cmphex(pt_read(&x.s1, desc) & PT_RO, ==, PT_RO);
    done(&x);
}

/* Write permission that stage 2 withholds dirties nothing at stage 1. */
static void test_no_dirty_if_stage2_refuses(void)
{
    uint64_t desc;
    Setup x;

    setup_nested(&x);
    desc = map_with_httu(&x, CLEAN, true);
    pt_map(&x.s1, VA, IPA, 3, CLEAN);
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RO);
    apply(&x);
    expect_grant(&x, request(VA, R | W), PA, R);
    g_assert_cmphex(pt_read(&x.s1, desc) & PT_RO, ==, PT_RO);
    done(&x);
}

/* A dirty state of stage 2 alone counts as well. */
static void test_dirty_at_stage2(void)
{
    uint64_t desc;
    Setup x;

    setup_nested(&x);
    smmu3_set(x.ste, STE_S2HA, 1);
    smmu3_set(x.ste, STE_S2HD, 1);
    desc = pt_map(&x.s2, IPA, PA, 3, PT_S2_RO | PT_DBM);
    apply(&x);
    expect_grant(&x, request(VA, R), PA, R);
    g_assert_cmphex(pt_read(&x.s2, desc) & PT_S2_W, ==, 0);
    expect_grant(&x, request(VA, R | W), PA, R | W);
    g_assert_cmphex(pt_read(&x.s2, desc) & PT_S2_W, ==, PT_S2_W);
    done(&x);
}

/* ---- Both stages ------------------------------------------------------- */

static void test_nested(void)
{
    Setup x;

    setup_nested(&x);
    expect_grant(&x, request(VA + 4, R | W), PA + 4, R | W);
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RO);
    apply(&x);
    expect_grant(&x, request(VA, R | W), PA, R);
    /* A block of 2 MiB, of which stage 2 maps a page. */
    pt_map(&x.s1, UINT64_C(0x200000), IPA, 2, PT_USER_RW);
    expect_grant(&x, request(UINT64_C(0x200000) | (IPA & 0x1fffff), R), PA,
                 R);
    g_assert_cmpint(x.result.size_log2, ==, 12);
    /* What stage 1 does not grant, stage 2 is not asked for. */
    pt_map(&x.s1, VA, IPA + PAGE, 3, PT_KERNEL_RW | PT_UXN);
    apply(&x);
    g_assert_cmpint(translate(&x, request(VA, R)), ==, SMMU3_OK);
    g_assert_cmpint(x.result.access, ==, 0);
    g_assert_cmpint(x.result.fault, ==, EVENT_NONE);
    /* Stage 2 refuses stage 1's tables. */
    pt_map(&x.s2, x.s1.root, x.s1.root, 3, PT_S2_RW & ~PT_S2_R);
    apply(&x);
    expect_nothing(&x, request(VA, R));
    done(&x);
}

static void test_split_stages(void)
{
    uint64_t low;
    Setup x;

    setup_nested(&x);
    smmu3_set(x.ste, STE_EATS, STE_EATS_SPLIT);
    apply(&x);
    expect_grant(&x, translated(IPA + 4, W), PA + 4, R | W);
    pt_map(&x.s2, IPA, PA, 3, PT_S2_RO);
    apply(&x);
    expect_grant(&x, request(VA + 4, R | W), IPA + 4, R);
    /* Its Translated traffic carries the IPA. */
    expect_grant(&x, translated(IPA + 4, R), PA + 4, R);
    g_assert_cmpint(translate(&x, translated(IPA + 4, W)), ==, SMMU3_ABORT);
    rig_expect_event(x.rig, F_PERMISSION, x.event);
    g_assert_true(smmu3_get(x.event, EVENT_S2));
    g_assert_cmphex(smmu3_get_addr(x.event, EVENT_IPA), ==, IPA);
    low = IPA + 2 * PAGE;
    g_assert_cmpint(translate(&x, translated(low, R)), ==, SMMU3_ABORT);
    rig_expect_event(x.rig, F_TRANSLATION, x.event);
    smmu3_set(x.ste, STE_S2R, 0);
    apply(&x);
    expect_refusal(&x, translated(low, R), SMMU3_ABORT, EVENT_NONE);
    done(&x);
}

/*
 * PRIVCFG and INSTCFG hold for Translated traffic before stage 2 is asked; of
 * what arrives, neither Privileged Mode nor Execute nor the PASID counts
 * (3.9.1.3, 13.7).
 */
static void test_split_stages_overrides(void)
{
    static const struct {
        unsigned privcfg, instcfg;
        uint64_t xn;                /* S2XN[1:0] of a page without S2R */
        bool priv, ind;             /* in the record of a refusal */
        bool read;                  /* whether reads pass */
    } rows[] = {
        { 0, 0, 0, false, false, false },
        { 3, 0, 0, true, false, false },
        { 0, 2, 0, false, false, false },
        { 0, 3, 0, false, true, true },
        { 0, 3, 2, false, true, false },
        /* XNX: execution by the unprivileged alone, by the privileged alone */
        { 0, 3, 1, false, true, true },
        { 3, 3, 1, true, true, false },
        { 3, 3, 3, true, true, true },
        { 2, 3, 3, false, true, false },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Smmu3Transaction t = with_ssid(translated(IPA, R), 3);
        Setup x;

        setup_nested(&x);
        pt_map(&x.s2, IPA, PA, 3, (PT_S2_RW & ~PT_S2_R) | rows[i].xn << 53);
        smmu3_set(x.ste, STE_EATS, STE_EATS_SPLIT);
        smmu3_set(x.ste, STE_PRIVCFG, rows[i].privcfg);
        smmu3_set(x.ste, STE_INSTCFG, rows[i].instcfg);
        apply(&x);
        t.priv = !rows[i].priv;
        t.ind = !rows[i].ind;
        if (rows[i].read) {
            g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
            g_assert_true(x.result.access & R);
            g_assert_cmphex(x.result.pa, ==, PA);
        } else {
            g_assert_cmpint(translate(&x, t), ==, SMMU3_ABORT);
            g_assert_false(x.result.access & R);
            rig_expect_event(x.rig, F_PERMISSION, x.event);
            g_assert_cmpint(smmu3_get(x.event, EVENT_PNU), ==, rows[i].priv);
            g_assert_cmpint(smmu3_get(x.event, EVENT_IND), ==, rows[i].ind);
            g_assert_cmpint(smmu3_get(x.event, EVENT_SSV), ==, 0);
            g_assert_cmpint(smmu3_get(x.event, EVENT_SUBSTREAMID), ==, 0);
        }
        /* A write is data, whatever INSTCFG says. */
        t.access = W;
        g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
        done(&x);
    }
}

static void test_split_stages_need_atschk(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->cr0 = ~smmu3_field_mask(CR0_ATSCHK);
    setup_start(&x, true);
    smmu3_set(x.ste, STE_EATS, STE_EATS_SPLIT);
    apply(&x);
    expect_refusal(&x, request(VA, R), SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    done(&x);
}

static void test_split_stages_beyond_ias(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->features.oas = 5;
    setup_start(&x, true);
    smmu3_set(x.ste, STE_EATS, STE_EATS_SPLIT);
    smmu3_set(x.ste, STE_S2R, 0);
    apply(&x);
    expect_refusal(&x, translated(UINT64_C(1) << 48, R), SMMU3_ABORT,
                   F_ADDR_SIZE);
    g_assert_false(smmu3_get(x.event, EVENT_S2));
    done(&x);
}

static void test_stage1_skipped(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->features.oas = 5;
    setup_start(&x, false);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_BYPASS);
    apply(&x);
    expect_grant(&x, request(0x1234, R), 0x1234, R | W);
    g_assert_cmpint(x.result.size_log2, ==, 48);
    expect_nothing(&x, request(UINT64_C(1) << 48, R));
    done(&x);

    setup_nested(&x);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_BYPASS);
    apply(&x);
    expect_grant(&x, request(IPA + 4, R | W), PA + 4, R | W);
    smmu3_set(x.ste, STE_EATS, STE_EATS_SPLIT);
    apply(&x);
    expect_grant(&x, request(IPA + 4, R | W), IPA + 4, R | W);
    expect_nothing(&x, request(IPA + PAGE, R));
    done(&x);
}

/* ---- Translated traffic ------------------------------------------------ */

static void test_translated_unchecked(void)
{
    Setup x = { .rig = rig_new() };
    Smmu3Transaction t = translated(PA, R | W);

    x.rig->features.oas = 5;
    x.rig->cr0 = ~smmu3_field_mask(CR0_ATSCHK);
    setup_start(&x, false);
    expect_grant(&x, t, PA, R | W);
    t.sid = 200;                        /* its STE has V=0 */
    expect_grant(&x, t, PA, R | W);
    t.addr = UINT64_C(1) << 48;
    expect_refusal(&x, t, SMMU3_ABORT, EVENT_NONE);
    done(&x);
}

static void test_translated_checked(void)
{
    Smmu3Transaction t = translated(PA, R | W);
    Setup x;

    setup(&x);
    expect_grant(&x, t, PA, R | W);
    t.sid = 200;
    expect_refusal(&x, t, SMMU3_ABORT, EVENT_NONE);
    t.sid = 256;
    expect_refusal(&x, t, SMMU3_ABORT, EVENT_NONE);
    t.sid = SID;
    smmu3_set(x.ste, STE_EATS, STE_EATS_NONE);
    apply(&x);
    expect_refusal(&x, t, SMMU3_ABORT, F_TRANSL_FORBIDDEN);
    g_assert_cmphex(smmu3_get(x.event, EVENT_INPUT_ADDR), ==, PA);
    ste_bypass(x.ste);
    apply(&x);
    expect_refusal(&x, t, SMMU3_ABORT, F_TRANSL_FORBIDDEN);
    ste_abort(x.ste);
    apply(&x);
    expect_refusal(&x, t, SMMU3_ABORT, EVENT_NONE);
    done(&x);
}

/* With REC_CFG_ATS; RECINVSID has no say here. */
static void test_translated_errors_recorded(void)
{
    Smmu3Transaction t = translated(PA, R);
    Setup x = { .rig = rig_new() };

    x.rig->cr2 = smmu3_field_mask(CR2_REC_CFG_ATS);
    setup_start(&x, false);
    t.sid = 256;
    expect_refusal(&x, t, SMMU3_ABORT, C_BAD_STREAMID);
    t.sid = 200;
    expect_refusal(&x, t, SMMU3_ABORT, C_BAD_STE);
    done(&x);
}

static void test_counters(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    smmu3_counters_reset(x.rig->smmu);
    translate(&x, request(VA, R));
    translate(&x, request(VA + PAGE, R));
    translate(&x, translated(PA, R));
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->ats_requests, ==, 2);
    g_assert_cmpuint(c->ats_translated, ==, 1);
    g_assert_cmpuint(c->faults[F_TRANSLATION], ==, 1);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define TEST(name, fn, items) conformance_test("/smmu3/ats/" name, fn, items)
    TEST("request", test_request, "99");
    TEST("eats-0-is-unsupported", test_eats_0, "99");
    TEST("disabled-is-unsupported", test_disabled, "100");
    TEST("configuration-errors-abort", test_configuration_errors, "99");
    TEST("configuration-errors-recorded",
         test_configuration_errors_recorded, "99");
    TEST("translation-faults-grant-nothing", test_translation_faults, "99");
    TEST("permissions", test_permissions, "99");
    TEST("privcfg-and-instcfg", test_overrides, "");
    TEST("dirty-state-only-for-writers", test_dirty, "99");
    TEST("no-dirty-state-without-hd", test_no_dirty_without_hd, "99");
    TEST("no-dirty-state-if-stage-2-refuses",
         test_no_dirty_if_stage2_refuses, "99");
    TEST("dirty-state-of-stage-2", test_dirty_at_stage2, "99");
    TEST("nested", test_nested, "99");
    TEST("split-stages", test_split_stages, "101");
    TEST("split-stages-overrides", test_split_stages_overrides, "101");
    TEST("split-stages-need-atschk", test_split_stages_need_atschk, "101");
    TEST("split-stages-beyond-ias", test_split_stages_beyond_ias, "101");
    TEST("stage-1-skipped", test_stage1_skipped, "");
    TEST("translated-unchecked", test_translated_unchecked, "100");
    TEST("translated-checked", test_translated_checked, "100");
    TEST("translated-errors-recorded", test_translated_errors_recorded, "");
    TEST("counters", test_counters, "");
    return conformance_run();
}
