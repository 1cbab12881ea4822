/*
 * Address translation operations by registers (core/traffic/gatos.c): which requests
 * are valid, what they return, and that they leave no trace but the flags they
 * are asked to update. Not the translations as such.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)

enum { S1 = 1, S2 = 2, BOTH = 3 };

/* Streams, one of each kind. */
enum {
    SID_ABORT = 1, SID_BYPASS, SID_S1, SID_S2, SID_NESTED, SID_CDS,
    SID_ILLEGAL, SID_NO_CD, SID_HOLE_CD, SID_NESTED_NO_CD, SID_INVALID,
    SID_BYPASS_S1, SID_NESTED_BYPASS_S1,
    SID_BEYOND = 0x100,
};

/* Stage 1 maps these to IPAs, stage 2 maps the IPAs. */
#define VA_RW       UINT64_C(0x1000)        /* page */
#define VA_BLOCK    UINT64_C(0x200000)      /* 2 MiB */
#define VA_DEVICE   UINT64_C(0x3000)
#define VA_RO       UINT64_C(0x4000)
#define VA_KERNEL   UINT64_C(0x5000)
#define VA_NO_S2    UINT64_C(0x6000)        /* its IPA is not mapped */
#define VA_NO_TT    UINT64_C(0x40000000)    /* its table's IPA is not */
#define VA_CLEAN    UINT64_C(0x7000)        /* DBM, AF=0 */
#define VA_SPLIT    UINT64_C(0x400000)      /* 2 MiB, but pages at stage 2 */
#define VA_S2_DEVICE UINT64_C(0x401000)     /* one of those */
#define VA_NONE     UINT64_C(0x9000)
#define IPA_OF(va)  ((va) + 0x10000000)
#define PA_OF(ipa)  ((ipa) + 0x20000000)

typedef struct Gatos {
    Rig *r;
    PageTable stage1, stage2, own;      /* own: stage 1 alone */
    uint64_t clean;                     /* descriptor of VA_CLEAN in @own */
    uint64_t nowhere;                   /* an IPA that is not mapped */
} Gatos;

static void gatos_free(Gatos *g)
{
    rig_free(g->r);
    g_free(g);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Gatos, gatos_free)

static void map_all(PageTable *pt)
{
    pt_map(pt, VA_RW, IPA_OF(VA_RW), 3, PT_USER_RW);
    pt_map(pt, VA_BLOCK, IPA_OF(VA_BLOCK), 2, PT_USER_RW);
    pt_map(pt, VA_SPLIT, IPA_OF(VA_SPLIT), 2, PT_USER_RW);
    pt_map(pt, VA_DEVICE, IPA_OF(VA_DEVICE), 3, PT_USER_RW | PT_DEVICE);
    pt_map(pt, VA_RO, IPA_OF(VA_RO), 3, PT_USER_RO);
    pt_map(pt, VA_KERNEL, IPA_OF(VA_KERNEL), 3, PT_KERNEL_RW);
    pt_map(pt, VA_NO_S2, 0x8f000000, 3, PT_USER_RW);
}

/* A CD table of one for @pt, at IPA = PA. */
static uint64_t new_cd(Gatos *g, const PageTable *pt)
{
    uint64_t cd[SMMU3_CD_WORDS];
    uint64_t at = fake_alloc(g->r->host, 4096, 4096);

    cd_for(cd, pt, 1);
    smmu3_set(cd, CD_S, 1);                 /* which must not matter */
    smmu3_set(cd, CD_HA, 1);
    smmu3_set(cd, CD_HD, 1);
    fake_write_words(g->r->host, at, cd, SMMU3_CD_WORDS);
    return at;
}

static void set_stream(Gatos *g, uint32_t sid, uint64_t *ste)
{
    rig_set_ste(g->r, sid, ste);
}

static void make_streams(Gatos *g)
{
    FakeHost *host = g->r->host;
    uint64_t own = new_cd(g, &g->own), nested = new_cd(g, &g->stage1);
    uint64_t cds = fake_alloc(host, 4096, 4096);    /* none valid */
    uint64_t ste[SMMU3_STE_WORDS];

    ste_abort(ste);
    set_stream(g, SID_ABORT, ste);
    ste_bypass(ste);
    set_stream(g, SID_BYPASS, ste);
    ste_stage1(ste, own, 0);
    smmu3_set(ste, STE_PRIVCFG, 3);         /* which must not matter */
    smmu3_set(ste, STE_INSTCFG, 3);
    set_stream(g, SID_S1, ste);
    ste_stage1(ste, own, 0);
    smmu3_set(ste, STE_STRW, 1);
    set_stream(g, SID_ILLEGAL, ste);
    ste_stage1(ste, cds, 3);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    set_stream(g, SID_CDS, ste);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_BYPASS);
    set_stream(g, SID_BYPASS_S1, ste);
    ste_stage1(ste, cds, 0);
    set_stream(g, SID_NO_CD, ste);
    ste_stage1(ste, 0x1000, 0);
    set_stream(g, SID_HOLE_CD, ste);
    ste_stage2(ste, &g->stage2, 5);
    smmu3_set(ste, STE_S2S, 1);
    set_stream(g, SID_S2, ste);
    ste_nested(ste, nested, 0, &g->stage2, 5);
    set_stream(g, SID_NESTED, ste);
    ste_nested(ste, nested, 3, &g->stage2, 5);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_BYPASS);
    set_stream(g, SID_NESTED_BYPASS_S1, ste);
    ste_nested(ste, g->nowhere, 0, &g->stage2, 5);
    set_stream(g, SID_NESTED_NO_CD, ste);
}

static Gatos *gatos_new(void)
{
    Gatos *g = g_new0(Gatos, 1);
    FakeHost *host;
    uint64_t hidden;

    g->r = rig_new();
    host = g->r->host;
    g->r->features.atos = 1;
    rig_start(g->r);
    g->nowhere = 0x8e000000;
    pt_init(&g->own, host, 12, 39, false);
    pt_init(&g->stage1, host, 12, 39, false);
    pt_init_stage2(&g->stage2, host, 12, 40, 1, false);
    map_all(&g->own);
    map_all(&g->stage1);
    g->clean = pt_map(&g->own, VA_CLEAN, IPA_OF(VA_CLEAN), 3,
                      PT_UNPRIV | PT_NG | PT_RO | PT_DBM);
    /* A stage-1 table that stage 2 does not map */
    hidden = g->nowhere;
    pt_map(&g->stage1, VA_NO_TT, 0, 3, PT_USER_RW);
    fake_write64(host, pt_entry(&g->stage1, VA_NO_TT, 1), hidden | 3);
    /* Stage 2: the pages, and memory where tables and CDs are, as they are */
    pt_map_range(&g->stage2, IPA_OF(0), PA_OF(IPA_OF(0)), 0x8000, PT_S2_RW);
    pt_map(&g->stage2, IPA_OF(VA_BLOCK), PA_OF(IPA_OF(VA_BLOCK)), 2,
           PT_S2_RW);
    pt_map(&g->stage2, IPA_OF(VA_SPLIT), PA_OF(IPA_OF(VA_SPLIT)), 3,
           PT_S2_RW);
    pt_map(&g->stage2, IPA_OF(VA_S2_DEVICE), PA_OF(IPA_OF(VA_S2_DEVICE)), 3,
           PT_S2_RW & ~PT_S2_NORMAL);
    pt_map(&g->stage2, 0x40000000, 0x40000000, 1, PT_S2_RW);
    make_streams(g);
    fake_clear_records(host);
    return g;
}

typedef struct Ask {
    unsigned type;
    uint32_t sid;
    uint64_t addr;
    bool write, priv, ind, httu;    /* httu: HTTUI=0 */
    bool ssv;
    uint32_t ssid;
} Ask;

static uint64_t ask(Gatos *g, Ask a)
{
    uint64_t sid = 0, addr = a.addr & ~UINT64_C(0xfff);

    smmu3_set(&sid, GATOS_SID_STREAMID, a.sid);
    smmu3_set(&sid, GATOS_SID_SSID_VALID, a.ssv);
    smmu3_set(&sid, GATOS_SID_SUBSTREAMID, a.ssid);
    smmu3_set(&addr, GATOS_ADDR_TYPE, a.type);
    smmu3_set(&addr, GATOS_ADDR_RNW, !a.write);
    smmu3_set(&addr, GATOS_ADDR_PNU, a.priv);
    smmu3_set(&addr, GATOS_ADDR_IND, a.ind);
    smmu3_set(&addr, GATOS_ADDR_HTTUI, !a.httu);
    rig_write64(g->r, SMMU3_GATOS_SID, sid);
    rig_write64(g->r, SMMU3_GATOS_ADDR, addr);
    rig_write32(g->r, SMMU3_GATOS_CTRL, MASK(GATOS_CTRL_RUN));
    g_assert_cmphex(rig_read32(g->r, SMMU3_GATOS_CTRL), ==, 0);
    return smmu3_mmio_read(g->r->smmu, SMMU3_GATOS_PAR, 8);
}

#define NORMAL      UINT64_C(0xff00000000000300)    /* write-back, ISH */
#define DEVICE      UINT64_C(0x0000000000000200)    /* nGnRnE, OSH */
#define BLOCK       UINT64_C(0x800)                 /* Size */
#define FAULT(code, reason) (1u | (reason) << 1 | (code) << 4)
#define INV_REQ     FAULT(0xff, 0)
#define INV_STAGE   FAULT(0xfe, 0)

typedef struct Case {
    Ask ask;
    uint64_t par;
} Case;

/* ---- Answers ---------------------------------------------------------- */

static const Case answers[] = {
    /* A page, a block: bit 20 says 2 MiB */
    { { S1, SID_S1, VA_RW }, IPA_OF(VA_RW) | NORMAL },
    { { S1, SID_S1, VA_BLOCK + 0x12000 },
      IPA_OF(VA_BLOCK) | 1u << 20 | BLOCK | NORMAL },
    { { S1, SID_S1, VA_DEVICE }, IPA_OF(VA_DEVICE) | DEVICE },
    { { S2, SID_S2, IPA_OF(VA_RW) }, PA_OF(IPA_OF(VA_RW)) | NORMAL },
    /* Nested: either stage, or both */
    { { S1, SID_NESTED, VA_RW }, IPA_OF(VA_RW) | NORMAL },
    { { S2, SID_NESTED, IPA_OF(VA_RW) }, PA_OF(IPA_OF(VA_RW)) | NORMAL },
    { { BOTH, SID_NESTED, VA_RW }, PA_OF(IPA_OF(VA_RW)) | NORMAL },
    { { BOTH, SID_NESTED, VA_DEVICE }, PA_OF(IPA_OF(VA_DEVICE)) | DEVICE },
    { { BOTH, SID_NESTED, VA_BLOCK },
      PA_OF(IPA_OF(VA_BLOCK)) | 1u << 20 | BLOCK | NORMAL },
    /* The lesser size, and the stricter type, of both stages */
    { { BOTH, SID_NESTED, VA_SPLIT }, PA_OF(IPA_OF(VA_SPLIT)) | NORMAL },
    { { BOTH, SID_NESTED, VA_S2_DEVICE },
      PA_OF(IPA_OF(VA_S2_DEVICE)) | DEVICE },
    { { S2, SID_NESTED, IPA_OF(VA_S2_DEVICE) },
      PA_OF(IPA_OF(VA_S2_DEVICE)) | DEVICE },
    { { S1, SID_NESTED, VA_S2_DEVICE },
      IPA_OF(VA_SPLIT) | 1u << 20 | BLOCK | NORMAL },
    /* Rights as asked for, whatever PRIVCFG and INSTCFG say */
    { { S1, SID_S1, VA_RW, .write = true }, IPA_OF(VA_RW) | NORMAL },
    { { S1, SID_S1, VA_RO, .write = true }, FAULT(F_PERMISSION, 0) },
    { { S1, SID_S1, VA_RO }, IPA_OF(VA_RO) | NORMAL },
    { { S1, SID_S1, VA_KERNEL }, FAULT(F_PERMISSION, 0) },
    { { S1, SID_S1, VA_KERNEL, .priv = true }, IPA_OF(VA_KERNEL) | NORMAL },
    { { S1, SID_S1, VA_RW, .priv = true, .ind = true },
      FAULT(F_PERMISSION, 0) },             /* writable by users */
    { { S1, SID_S1, VA_RW, .priv = true, .ind = true, .write = true },
      IPA_OF(VA_RW) | NORMAL },             /* a write is no fetch */
    /* S1DSS=1: stage 1 passes it on */
    { { S1, SID_BYPASS_S1, 0x123456000 }, UINT64_C(0x123456000) | NORMAL },
    { { BOTH, SID_NESTED_BYPASS_S1, IPA_OF(VA_RW) },
      PA_OF(IPA_OF(VA_RW)) | NORMAL },
    { { S1, SID_BYPASS_S1, UINT64_C(1) << 52 }, FAULT(F_ADDR_SIZE, 0) },
};

/* ---- Requests that are none, and faults ------------------------------- */

static const Case refusals[] = {
    { { 0, SID_S1, VA_RW }, INV_REQ },
    { { S2, SID_S2, VA_RW, .ssv = true }, INV_REQ },
    /* The stages that are asked for are not those of the stream */
    { { S1, SID_ABORT, VA_RW }, INV_STAGE },
    { { S2, SID_ABORT, VA_RW }, INV_STAGE },
    { { S1, SID_BYPASS, VA_RW }, INV_STAGE },
    { { BOTH, SID_BYPASS, VA_RW }, INV_STAGE },
    { { S2, SID_S1, VA_RW }, INV_STAGE },
    { { BOTH, SID_S1, VA_RW }, INV_STAGE },
    { { S1, SID_S2, VA_RW }, INV_STAGE },
    { { BOTH, SID_S2, VA_RW }, INV_STAGE },
    /* before what is wrong with the SubstreamID */
    { { S1, SID_S2, VA_RW, .ssv = true }, INV_STAGE },
    /* Configuration, in the order of events */
    { { S1, SID_BEYOND, VA_RW }, FAULT(C_BAD_STREAMID, 0) },
    { { S1, SID_INVALID, VA_RW }, FAULT(C_BAD_STE, 0) },
    { { S1, SID_ILLEGAL, VA_RW }, FAULT(C_BAD_STE, 0) },
    { { S2, SID_BEYOND, IPA_OF(VA_RW) }, FAULT(C_BAD_STREAMID, 0) },
    { { S2, SID_ILLEGAL, IPA_OF(VA_RW) }, FAULT(C_BAD_STE, 0) },
    { { S1, SID_S1, VA_RW, .ssv = true }, FAULT(C_BAD_SUBSTREAMID, 0) },
    { { S1, SID_CDS, VA_RW, .ssv = true, .ssid = 8 },
      FAULT(C_BAD_SUBSTREAMID, 0) },
    { { S1, SID_CDS, VA_RW }, FAULT(F_STREAM_DISABLED, 0) },
    { { S1, SID_CDS, VA_RW, .ssv = true, .ssid = 7 }, FAULT(C_BAD_CD, 0) },
    { { S1, SID_NO_CD, VA_RW }, FAULT(C_BAD_CD, 0) },
    { { S1, SID_HOLE_CD, VA_RW }, FAULT(F_CD_FETCH, 0) },
    /* Stage 1 */
    { { S1, SID_S1, VA_NONE }, FAULT(F_TRANSLATION, 0) },
    { { S1, SID_S1, UINT64_C(1) << 40 }, FAULT(F_TRANSLATION, 0) },
    { { BOTH, SID_NESTED, VA_NONE }, FAULT(F_TRANSLATION, 0) },
    /* Stage 2: where, and with FADDR if both stages were asked for */
    { { BOTH, SID_NESTED, VA_NO_S2 },
      FAULT(F_TRANSLATION, 3) | UINT64_C(0x8f000000) },
    { { BOTH, SID_NESTED, VA_NO_TT },
      FAULT(F_TRANSLATION, 2) | UINT64_C(0x8e000000) },
    { { BOTH, SID_NESTED_NO_CD, VA_RW },
      FAULT(F_TRANSLATION, 1) | UINT64_C(0x8e000000) },
    { { S2, SID_NESTED, 0x8f000000 }, FAULT(F_TRANSLATION, 3) },
    { { S2, SID_S2, 0x8f000000 }, FAULT(F_TRANSLATION, 3) },
    { { S2, SID_S2, UINT64_C(1) << 52 }, FAULT(F_ADDR_SIZE, 0) },
    /* To who asks for stage 1 alone, stage 2 is the bus */
    { { S1, SID_NESTED, VA_NO_S2 }, UINT64_C(0x8f000000) | NORMAL },
    { { S1, SID_NESTED, VA_NO_TT }, FAULT(F_WALK_EABT, 0) },
    { { S1, SID_NESTED_NO_CD, VA_RW }, FAULT(F_CD_FETCH, 0) },
};

/* Both ways of asking, and neither leaves an event or a stall. */
static void assert_cases(const Case *cases, unsigned count)
{
    g_autoptr(Gatos) g = gatos_new();

    for (unsigned i = 0; i < count; i++) {
        Ask a = cases[i].ask;

        g_test_message("case %u", i);
        for (unsigned times = 0; times < 4; times++) {
            a.httu = times & 1;
            g_assert_cmphex(ask(g, a), ==, cases[i].par);
        }
    }
    rig_expect_no_event(g->r);
    g_assert_cmpuint(smmu3_stalls_outstanding(g->r->smmu), ==, 0);
    g_assert_cmpuint(g->r->host->guest_errors, ==, 0);
    g_assert_cmphex(rig_read32(g->r, SMMU3_GERROR), ==, 0);
}

static void test_answers(void)
{
    assert_cases(answers, G_N_ELEMENTS(answers));
}

static void test_refusals(void)
{
    assert_cases(refusals, G_N_ELEMENTS(refusals));
}

/* A table, and a stream table, that the bus refuses. */
static void test_aborts(void)
{
    g_autoptr(Gatos) g = gatos_new();
    uint64_t table = fake_read64(g->r->host,
                                 pt_entry(&g->own, VA_RW, 2)) &
                     UINT64_C(0xfffffffff000);

    fake_unmap(g->r->host, table, 4096);
    g_assert_cmphex(ask(g, (Ask) { S1, SID_S1, VA_RW }), ==,
                    FAULT(F_WALK_EABT, 0));
    fake_unmap(g->r->host, g->r->strtab, 1 << 14);
    g_assert_cmphex(ask(g, (Ask) { S1, SID_S1, VA_RW }), ==,
                    FAULT(F_STE_FETCH, 0));
    rig_expect_no_event(g->r);
}

/* A stage-2 table that the bus refuses: REASON, but no FADDR. */
static void test_stage_2_aborts(void)
{
    g_autoptr(Gatos) g = gatos_new();
    uint64_t at = pt_entry(&g->stage2, IPA_OF(VA_RW), 2);

    fake_write64(g->r->host, at, 0x3000 | 3);       /* a hole */
    g_assert_cmphex(ask(g, (Ask) { BOTH, SID_NESTED, VA_RW }), ==,
                    FAULT(F_WALK_EABT, 3));
    g_assert_cmphex(ask(g, (Ask) { S2, SID_NESTED, IPA_OF(VA_RW) }), ==,
                    FAULT(F_WALK_EABT, 3));
    g_assert_cmphex(ask(g, (Ask) { S1, SID_NESTED, VA_RW }), ==,
                    IPA_OF(VA_RW) | NORMAL);
}

/* ---- Flags ------------------------------------------------------------ */

/* HTTUI: nothing in memory changes, and the answer is as if it had. */
static void test_updates_inhibited(void)
{
    g_autoptr(Gatos) g = gatos_new();
    g_autofree char *before = fake_digest(g->r->host), *after = NULL;

    g_assert_cmphex(ask(g, (Ask) { S1, SID_S1, VA_CLEAN }), ==,
                    IPA_OF(VA_CLEAN) | NORMAL);
    g_assert_cmphex(ask(g, (Ask) { S1, SID_S1, VA_CLEAN, .write = true }), ==,
                    IPA_OF(VA_CLEAN) | NORMAL);
    after = fake_digest(g->r->host);
    g_assert_cmpstr(before, ==, after);
}

static void test_updates(void)
{
    g_autoptr(Gatos) g = gatos_new();
    uint64_t initial = fake_read64(g->r->host, g->clean);

    ask(g, (Ask) { S1, SID_S1, VA_CLEAN, .httu = true });
    g_assert_cmphex(fake_read64(g->r->host, g->clean), ==, initial | PT_AF);
    ask(g, (Ask) { S1, SID_S1, VA_CLEAN, .write = true, .httu = true });
    g_assert_cmphex(fake_read64(g->r->host, g->clean), ==,
                    (initial | PT_AF) & ~PT_RO);
}

/* ---- Registers -------------------------------------------------------- */

static void test_needs_smmuen(void)
{
    g_autoptr(Gatos) g = gatos_new();
    uint32_t cr0 = rig_read32(g->r, SMMU3_CR0);
    uint64_t par = ask(g, (Ask) { S1, SID_S1, VA_RW });

    rig_write32(g->r, SMMU3_CR0, cr0 & ~MASK(CR0_SMMUEN));
    g_assert_cmphex(ask(g, (Ask) { S1, SID_S1, VA_RO }), ==, par);
    g_assert_cmpuint(g->r->host->guest_errors, ==, 1);
    rig_write32(g->r, SMMU3_CR0, cr0);
    g_assert_cmphex(smmu3_mmio_read(g->r->smmu, SMMU3_GATOS_PAR, 8), ==, par);
    /* A write of 0 asks for nothing */
    rig_write32(g->r, SMMU3_GATOS_CTRL, 0xfffffffe);
    g_assert_cmphex(smmu3_mmio_read(g->r->smmu, SMMU3_GATOS_PAR, 8), ==, par);
}

static void test_stages_that_are_not_there(void)
{
    for (unsigned missing = 1; missing <= 2; missing++) {
        g_autoptr(Gatos) g = g_new0(Gatos, 1);

        g->r = rig_new();
        g->r->features.atos = 1;
        g->r->features.hyp = 0;
        g->r->features.aidr_minor = 1;
        if (missing == 1) {
            g->r->features.s1p = 0;
        } else {
            g->r->features.s2p = 0;
        }
        rig_start(g->r);
        g_assert_cmphex(ask(g, (Ask) { S1, 1, 0 }), ==,
                        missing == 1 ? INV_REQ : FAULT(C_BAD_STE, 0));
        g_assert_cmphex(ask(g, (Ask) { S2, 1, 0 }), ==,
                        missing == 2 ? INV_REQ : FAULT(C_BAD_STE, 0));
        g_assert_cmphex(ask(g, (Ask) { BOTH, 1, 0 }), ==, INV_REQ);
    }
}

static void test_register_bits(void)
{
    g_autoptr(Rig) r = rig_new();
    g_autoptr(Rig) none = rig_new();

    r->features.atos = 1;
    r->features.sidsize = 10;
    r->features.ssidsize = 5;
    rig_create(r);
    rig_write64(r, SMMU3_GATOS_SID, UINT64_MAX);
    g_assert_cmphex(smmu3_mmio_read(r->smmu, SMMU3_GATOS_SID, 8), ==,
                    UINT64_C(0x0010001f000003ff));
    rig_write64(r, SMMU3_GATOS_ADDR, UINT64_MAX);
    g_assert_cmphex(smmu3_mmio_read(r->smmu, SMMU3_GATOS_ADDR, 8), ==,
                    UINT64_C(0xffffffffffffffc0));
    rig_write64(r, SMMU3_GATOS_PAR, UINT64_MAX);
    g_assert_cmphex(smmu3_mmio_read(r->smmu, SMMU3_GATOS_PAR, 8), ==, 0);

    none->features.atos = 1;
    none->features.ssidsize = 0;
    rig_create(none);
    rig_write64(none, SMMU3_GATOS_SID, UINT64_MAX);
    g_assert_cmphex(smmu3_mmio_read(none->smmu, SMMU3_GATOS_SID, 8), ==,
                    0xffff);
}

static void test_save_and_load(void)
{
    g_autoptr(Gatos) g = gatos_new();
    g_autoptr(Rig) to = rig_new();
    g_autoptr(Rig) without = rig_new();
    uint64_t par = ask(g, (Ask) { S1, SID_S1, VA_RW });
    Smmu3Regs regs = *smmu3_regs(g->r->smmu);

    to->features.atos = 1;
    rig_create(to);
    g_assert_true(smmu3_load(to->smmu, &regs, NULL, 0));
    g_assert_cmphex(smmu3_mmio_read(to->smmu, SMMU3_GATOS_PAR, 8), ==, par);
    rig_create(without);
    g_assert_false(smmu3_load(without->smmu, &regs, NULL, 0));
    regs.gatos_ctrl = 1;
    g_assert_false(smmu3_load(to->smmu, &regs, NULL, 0));
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/gatos/answers", test_answers, "121");
    conformance_test("/smmu3/gatos/refusals", test_refusals, "122 124");
    conformance_test("/smmu3/gatos/aborts", test_aborts, "122");
    conformance_test("/smmu3/gatos/stage-2-aborts", test_stage_2_aborts, "122");
    conformance_test("/smmu3/gatos/updates-inhibited",
                     test_updates_inhibited, "123");
    conformance_test("/smmu3/gatos/updates", test_updates, "123");
    conformance_test("/smmu3/gatos/needs-smmuen", test_needs_smmuen, "124");
    conformance_test("/smmu3/gatos/stages-that-are-not-there",
                     test_stages_that_are_not_there, "124");
    conformance_test("/smmu3/gatos/register-bits", test_register_bits, "");
    conformance_test("/smmu3/gatos/save-and-load", test_save_and_load, "");
    return conformance_run();
}
