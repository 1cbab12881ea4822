/*
 * One transaction through the whole SMMU: streams and substreams, bypass,
 * stage 1, faults, their records and their order (IHI 0070 3.3, 5.2, 5.5,
 * 7.3). Nested translation is in test-stage2.c, ATS in test-ats.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5, PAGE = 0x1000 };
#define VA UINT64_C(0x7f0000005000)
#define PA UINT64_C(0x123456789000)

/* A rig with one stage-1 stream, SID, and one page, VA to PA. */
typedef struct Setup {
    Rig *rig;
    PageTable pt;
    uint64_t cds;               /* linear table of 16 CDs */
    uint64_t cd[SMMU3_CD_WORDS];
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Translation result;    /* of the last translate() */
} Setup;

static void write_cd(Setup *x, unsigned index)
{
    fake_write_words(x->rig->host, x->cds + index * SMMU3_CD_BYTES, x->cd,
                     SMMU3_CD_WORDS);
}

/* Both structures as they are now, and nothing cached. */
static void apply(Setup *x)
{
    write_cd(x, 0);
    rig_set_ste(x->rig, SID, x->ste);
    rig_invalidate_all(x->rig);
}

static void setup_start(Setup *x)
{
    FakeHost *host = x->rig->host;

    rig_start(x->rig);
    pt_init(&x->pt, host, 12, 48, false);
    pt_map(&x->pt, VA, PA, 3, PT_USER_RW);
    x->cds = fake_alloc(host, 16 * SMMU3_CD_BYTES, 4096);
    cd_for(x->cd, &x->pt, 1);
    ste_stage1(x->ste, x->cds, 0);
    apply(x);
}

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    setup_start(x);
}

static void done(Setup *x)
{
    rig_expect_no_event(x->rig);
    rig_free(x->rig);
}

static Smmu3Outcome translate(Setup *x, Smmu3Transaction t)
{
    return smmu3_translate(x->rig->smmu, &t, &x->result);
}

static void expect_pa(Setup *x, Smmu3Transaction t, uint64_t pa)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, pa);
    g_assert_cmpint(x->result.access & t.access, ==, t.access);
}

/* An abort with one record, in @event. */
static void expect_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type,
                         uint64_t event[SMMU3_EVENT_WORDS])
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
    g_assert_cmpint(x->result.fault, ==, type);
    rig_expect_event(x->rig, type, event);
    g_assert_cmphex(smmu3_get(event, EVENT_STREAMID), ==, t.sid);
    rig_expect_no_event(x->rig);
}

/* A translation fault of stage 1, with all that its record says. */
static void expect_stage1_fault(Setup *x, Smmu3Transaction t,
                                Smmu3EventType type)
{
    uint64_t event[SMMU3_EVENT_WORDS], expected[SMMU3_EVENT_WORDS] = { 0 };

    expect_fault(x, t, type, event);
    smmu3_set(expected, EVENT_TYPE, type);
    smmu3_set(expected, EVENT_STREAMID, t.sid);
    smmu3_set(expected, EVENT_SSV, t.ssv);
    smmu3_set(expected, EVENT_SUBSTREAMID, t.ssv ? t.ssid : 0);
    smmu3_set(expected, EVENT_PNU, t.priv);
    smmu3_set(expected, EVENT_IND, t.ind);
    smmu3_set(expected, EVENT_RNW, !(t.access & SMMU3_WRITE));
    smmu3_set(expected, EVENT_CLASS, CLASS_IN);
    smmu3_set(expected, EVENT_INPUT_ADDR, t.addr);
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        g_assert_cmphex(event[i], ==, expected[i]);
    }
}

static void expect_silent_abort(Setup *x, Smmu3Transaction t)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
    rig_expect_no_event(x->rig);
}

/* ---- SMMUEN=0 ---------------------------------------------------------- */

static void test_disabled(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t gbpa = 0;

    x.rig->features.oas = 5;
    setup_start(&x);
    rig_write32(x.rig, SMMU3_CR0, smmu3_field_mask(CR0_EVENTQEN) |
                                  smmu3_field_mask(CR0_CMDQEN));
    expect_pa(&x, dma_write(SID, VA), VA);
    g_assert_cmpint(x.result.size_log2, ==, 48);
    expect_pa(&x, dma_read(77777, 0x1234), 0x1234);
    expect_silent_abort(&x, dma_read(SID, UINT64_C(1) << 48));

    smmu3_set(&gbpa, GBPA_ABORT, 1);
    smmu3_set(&gbpa, GBPA_UPDATE, 1);
    rig_write32(x.rig, SMMU3_GBPA, gbpa);
    expect_silent_abort(&x, dma_read(SID, VA));
    done(&x);
}

/* ---- Stream table ------------------------------------------------------ */

static void test_sid_range(void)
{
    Setup x;
    uint64_t event[SMMU3_EVENT_WORDS];

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_fault(&x, with_ssid(dma_read(256, VA), 3), C_BAD_STREAMID, event);
    g_assert_true(smmu3_get(event, EVENT_SSV));
    g_assert_cmphex(smmu3_get(event, EVENT_SUBSTREAMID), ==, 3);
    expect_fault(&x, dma_read(255, VA), C_BAD_STE, event);
    expect_fault(&x, dma_read(UINT32_MAX, VA), C_BAD_STREAMID, event);
    done(&x);
}

/* LOG2SIZE beyond SIDSIZE counts as SIDSIZE. */
static void test_sid_beyond_sidsize(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t event[SMMU3_EVENT_WORDS];

    x.rig->features.sidsize = 6;
    setup_start(&x);
    expect_fault(&x, dma_read(63, VA), C_BAD_STE, event);
    expect_fault(&x, dma_read(64, VA), C_BAD_STREAMID, event);
    done(&x);
}

static void test_recinvsid(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->cr2 = 0;
    setup_start(&x);
    expect_silent_abort(&x, dma_read(256, VA));
    g_assert_cmpint(x.result.fault, ==, C_BAD_STREAMID);
    done(&x);
}

static void test_two_levels(void)
{
    static const unsigned splits[] = { 6, 8, 10 };

    for (unsigned i = 0; i < G_N_ELEMENTS(splits); i++) {
        Setup x = { .rig = rig_new() };
        uint64_t event[SMMU3_EVENT_WORDS];
        uint32_t sid = (3u << splits[i]) + 33;

        x.rig->strtab_log2 = 14;
        x.rig->strtab_split = splits[i];
        setup_start(&x);
        rig_set_ste(x.rig, sid, x.ste);
        expect_pa(&x, dma_read(sid, VA), PA);
        expect_fault(&x, dma_read(sid + 1, VA), C_BAD_STE, event);
        done(&x);
    }
}

static void test_span(void)
{
    static const struct {
        unsigned span, sid;
        Smmu3EventType type;
    } rows[] = {
        { 0, 0, C_BAD_STREAMID },
        { 1, 0, EVENT_NONE }, { 1, 1, C_BAD_STREAMID },
        { 3, 3, EVENT_NONE }, { 3, 4, C_BAD_STREAMID },
        { 9, 255, EVENT_NONE },
        { 10, 0, C_BAD_STREAMID },      /* SPLIT + 2 */
        { 11, 0, C_BAD_STREAMID }, { 12, 0, C_BAD_STREAMID },
        { 31, 0, C_BAD_STREAMID },
    };
    Setup x = { .rig = rig_new() };
    uint64_t l1std, event[SMMU3_EVENT_WORDS];

    x.rig->strtab_log2 = 14;
    x.rig->strtab_split = 8;
    setup_start(&x);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        /* The L1STD of SID 256 ... 511 */
        uint32_t sid = 256 + rows[i].sid;

        rig_set_ste(x.rig, sid, x.ste);
        l1std = fake_read64(x.rig->host, x.rig->strtab + 8);
        smmu3_set(&l1std, L1STD_SPAN, rows[i].span);
        fake_write64(x.rig->host, x.rig->strtab + 8, l1std);
        rig_invalidate_all(x.rig);
        g_test_message("span %u, index %u", rows[i].span, rows[i].sid);
        if (rows[i].type == EVENT_NONE) {
            expect_pa(&x, dma_read(sid, VA), PA);
        } else {
            expect_fault(&x, dma_read(sid, VA), rows[i].type, event);
        }
        /* As it was, for the next row's STE */
        smmu3_set(&l1std, L1STD_SPAN, 9);
        fake_write64(x.rig->host, x.rig->strtab + 8, l1std);
    }
    done(&x);
}

/* Span=11 with SPLIT=10 is the largest there is. */
static void test_span_11(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->strtab_log2 = 14;
    x.rig->strtab_split = 10;
    setup_start(&x);
    rig_set_ste(x.rig, 2047, x.ste);
    expect_pa(&x, dma_read(2047, VA), PA);
    done(&x);
}

static void test_ste_fetch(void)
{
    Setup x;
    uint64_t event[SMMU3_EVENT_WORDS];

    setup(&x);
    fake_unmap(x.rig->host, x.rig->strtab + 64 * SMMU3_STE_BYTES, 4096);
    expect_fault(&x, with_ssid(dma_read(65, VA), 9), F_STE_FETCH, event);
    g_assert_cmphex(smmu3_get_addr(event, EVENT_FETCH_ADDR), ==,
                    x.rig->strtab + 65 * SMMU3_STE_BYTES);
    g_assert_cmphex(smmu3_get(event, EVENT_SUBSTREAMID), ==, 9);
    expect_pa(&x, dma_read(SID, VA), PA);
    done(&x);
}

static void test_l1std_fetch(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t event[SMMU3_EVENT_WORDS];

    x.rig->strtab_log2 = 16;
    x.rig->strtab_split = 6;
    setup_start(&x);
    fake_unmap(x.rig->host, x.rig->strtab + 4096, 4096);
    expect_fault(&x, dma_read(0x8000, VA), F_STE_FETCH, event);
    g_assert_cmphex(smmu3_get_addr(event, EVENT_FETCH_ADDR), ==,
                    x.rig->strtab + 4096);
    done(&x);
}

static void test_v_0(void)
{
    Setup x;
    uint64_t event[SMMU3_EVENT_WORDS];

    setup(&x);
    smmu3_set(x.ste, STE_V, 0);
    apply(&x);
    expect_fault(&x, with_ssid(dma_write(SID, VA), 4), C_BAD_STE, event);
    g_assert_cmphex(smmu3_get(event, EVENT_SUBSTREAMID), ==, 4);
    done(&x);
}

static void test_abort_stream(void)
{
    Setup x;

    setup(&x);
    for (unsigned config = 0; config < 4; config++) {
        memset(x.ste, 0xff, sizeof(x.ste));
        smmu3_set(x.ste, STE_CONFIG, config);
        apply(&x);
        expect_silent_abort(&x, dma_read(SID, VA));
        expect_silent_abort(&x, with_ssid(dma_read(SID, VA), 5));
    }
    done(&x);
}

static void test_bypass_stream(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t event[SMMU3_EVENT_WORDS];

    x.rig->features.oas = 4;            /* 44 bits */
    setup_start(&x);
    ste_bypass(x.ste);
    apply(&x);
    expect_pa(&x, dma_write(SID, UINT64_C(0xfffffffffff)),
              UINT64_C(0xfffffffffff));
    expect_fault(&x, dma_write(SID, UINT64_C(0x100000000000)), F_ADDR_SIZE,
                 event);
    g_assert_false(smmu3_get(event, EVENT_S2));
    g_assert_cmpint(smmu3_get(event, EVENT_CLASS), ==, CLASS_IN);
    g_assert_false(smmu3_get(event, EVENT_STALL));
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==,
                    UINT64_C(0x100000000000));
    expect_fault(&x, with_ssid(dma_read(SID, 0), 0), C_BAD_SUBSTREAMID,
                 event);
    done(&x);
}

/* ---- Substreams -------------------------------------------------------- */

typedef struct SsidRow {
    unsigned cdmax, s1dss;
    bool ssv;
    uint32_t ssid;
    int cd;                     /* -1: see type, -2: stage 1 is skipped */
    Smmu3EventType type;
} SsidRow;

/* Each CD n maps VA to a page of its own. */
static void make_cds(Setup *x, PageTable *tables, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pt_init(&tables[i], x->rig->host, 12, 48, false);
        pt_map(&tables[i], VA, PA + i * PAGE, 3, PT_USER_RW);
        cd_for(x->cd, &tables[i], i + 10);
        write_cd(x, i);
    }
}

static void test_substreams(void)
{
    static const SsidRow rows[] = {
        { 0, 2, false, 0, 0, 0 },
        { 0, 0, false, 0, 0, 0 },       /* S1DSS means nothing then */
        { 0, 0, true, 0, -1, C_BAD_SUBSTREAMID },
        { 0, 0, true, 1, -1, C_BAD_SUBSTREAMID },
        { 3, 0, true, 8, -1, C_BAD_SUBSTREAMID },
        { 3, 1, true, 8, -1, C_BAD_SUBSTREAMID },
        { 3, 2, true, 0xfffff, -1, C_BAD_SUBSTREAMID },
        { 3, 2, true, 0, -1, F_STREAM_DISABLED },
        { 3, 0, true, 0, 0, 0 },
        { 3, 1, true, 0, 0, 0 },
        { 3, 0, true, 7, 7, 0 },
        { 3, 2, true, 5, 5, 0 },
        { 3, 0, false, 0, -1, F_STREAM_DISABLED },
        { 3, 3, false, 0, -1, F_STREAM_DISABLED },
        { 3, 1, false, 0, -2, 0 },
        { 3, 2, false, 0, 0, 0 },
    };
    PageTable tables[8];
    Setup x;

    setup(&x);
    make_cds(&x, tables, 8);
    cd_for(x.cd, &tables[0], 10);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const SsidRow *row = &rows[i];
        Smmu3Transaction t = dma_read(SID, VA);
        uint64_t event[SMMU3_EVENT_WORDS];

        t.ssv = row->ssv;
        t.ssid = row->ssid;
        smmu3_set(x.ste, STE_S1CDMAX, row->cdmax);
        smmu3_set(x.ste, STE_S1DSS, row->s1dss);
        apply(&x);
        g_test_message("row %u", i);
        /* Twice: from memory, then from the caches. */
        for (unsigned again = 0; again < 2; again++) {
            if (row->cd == -2) {
                expect_pa(&x, t, VA);
            } else if (row->cd >= 0) {
                expect_pa(&x, t, PA + row->cd * PAGE);
            } else {
                expect_fault(&x, t, row->type, event);
                g_assert_cmphex(smmu3_get(event, EVENT_SUBSTREAMID), ==,
                                row->ssid);
            }
        }
    }
    done(&x);
}

/* S1DSS=2: what SSID 0 may not, no SSID may, with the same CD cached. */
static void test_ssid0_is_not_no_ssid(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    smmu3_set(x.ste, STE_S1CDMAX, 3);
    apply(&x);
    for (unsigned again = 0; again < 2; again++) {
        expect_pa(&x, dma_read(SID, VA), PA);
        expect_fault(&x, with_ssid(dma_read(SID, VA), 0), F_STREAM_DISABLED,
                     event);
    }
    done(&x);
}

static void test_no_ssids_at_all(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t event[SMMU3_EVENT_WORDS];

    x.rig->features.ssidsize = 0;
    setup_start(&x);
    smmu3_set(x.ste, STE_S1CDMAX, 9);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    apply(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_fault(&x, with_ssid(dma_read(SID, VA), 1), C_BAD_SUBSTREAMID,
                 event);
    done(&x);
}

static void test_s1dss_bypass(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t event[SMMU3_EVENT_WORDS];

    x.rig->features.oas = 4;
    setup_start(&x);
    smmu3_set(x.ste, STE_S1CDMAX, 3);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_BYPASS);
    apply(&x);
    fake_unmap(x.rig->host, x.cds, 4096);   /* nobody looks there */
    expect_pa(&x, dma_write(SID, 0x1234), 0x1234);
    expect_fault(&x, dma_read(SID, UINT64_C(1) << 44), F_ADDR_SIZE, event);
    g_assert_false(smmu3_get(event, EVENT_S2));
    g_assert_cmpint(smmu3_get(event, EVENT_CLASS), ==, CLASS_IN);
    expect_fault(&x, with_ssid(dma_read(SID, VA), 1), F_CD_FETCH, event);
    done(&x);
}

/* ---- CD tables --------------------------------------------------------- */

/* A two-level CD table in which CD @ssid is the current one. */
static void put_two_level_cd(Setup *x, unsigned fmt, unsigned cdmax,
                             uint32_t ssid)
{
    unsigned leaf_bits = fmt == STE_S1FMT_4K_L2 ? 6 : 10;
    uint64_t bytes = (uint64_t)SMMU3_CD_BYTES << leaf_bits;
    uint64_t l1 = fake_alloc(x->rig->host, 8 << (cdmax - leaf_bits),
                             MAX(8 << (cdmax - leaf_bits), 64));
    uint64_t l2 = fake_alloc(x->rig->host, bytes, bytes);
    uint64_t l1cd = l2;

    smmu3_set(&l1cd, L1CD_V, 1);
    fake_write64(x->rig->host, l1 + 8 * (ssid >> leaf_bits), l1cd);
    fake_write_words(x->rig->host,
                     l2 + (ssid & smmu3_mask(leaf_bits)) * SMMU3_CD_BYTES,
                     x->cd, SMMU3_CD_WORDS);
    ste_stage1(x->ste, l1, cdmax);
    smmu3_set(x->ste, STE_S1FMT, fmt);
    rig_set_ste(x->rig, SID, x->ste);
}

static void test_cd_tables(void)
{
    static const struct {
        unsigned fmt, cdmax;
        uint32_t ssid, invalid_leaf, invalid_cd;
    } rows[] = {
        { STE_S1FMT_4K_L2, 10, 64, 63, 65 },
        { STE_S1FMT_4K_L2, 10, 1023, 128, 1022 },
        { STE_S1FMT_64K_L2, 12, 1023, 1024, 1022 },
        { STE_S1FMT_64K_L2, 12, 1024, 1023, 1025 },
        { STE_S1FMT_64K_L2, 20, 0xfffff, 0, 0xffffe },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t event[SMMU3_EVENT_WORDS];
        Setup x;

        setup(&x);
        put_two_level_cd(&x, rows[i].fmt, rows[i].cdmax, rows[i].ssid);
        smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_TERMINATE);
        rig_set_ste(x.rig, SID, x.ste);
        expect_pa(&x, with_ssid(dma_read(SID, VA), rows[i].ssid), PA);
        expect_fault(&x, with_ssid(dma_read(SID, VA), rows[i].invalid_leaf),
                     C_BAD_SUBSTREAMID, event);
        g_assert_cmphex(smmu3_get(event, EVENT_SUBSTREAMID), ==,
                        rows[i].invalid_leaf);
        expect_fault(&x, with_ssid(dma_read(SID, VA), rows[i].invalid_cd),
                     C_BAD_CD, event);
        done(&x);
    }
}

/* Two levels with fewer CDs than one leaf holds: L1CD 0. */
static void test_small_two_level_table(void)
{
    Setup x;
    uint64_t l1cd;

    setup(&x);
    l1cd = fake_alloc(x.rig->host, 4096, 4096);
    write_cd(&x, 0);
    fake_write_words(x.rig->host, l1cd + 3 * SMMU3_CD_BYTES, x.cd,
                     SMMU3_CD_WORDS);
    smmu3_set(&l1cd, L1CD_V, 1);
    fake_write64(x.rig->host, x.cds, l1cd);
    ste_stage1(x.ste, x.cds, 4);
    smmu3_set(x.ste, STE_S1FMT, STE_S1FMT_4K_L2);
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, with_ssid(dma_read(SID, VA), 3), PA);
    done(&x);
}

static void test_l2ptr_out_of_range(void)
{
    Setup x = { .rig = rig_new() };
    uint64_t event[SMMU3_EVENT_WORDS];

    x.rig->features.oas = 4;
    setup_start(&x);
    pt_map(&x.pt, VA, 0x80000000, 3, PT_USER_RW);
    put_two_level_cd(&x, STE_S1FMT_4K_L2, 7, 3);
    fake_write64(x.rig->host, smmu3_get_addr(x.ste, STE_S1CONTEXTPTR),
                 UINT64_C(1) << 44 | 1);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, with_ssid(dma_read(SID, VA), 3), C_BAD_SUBSTREAMID,
                 event);
    done(&x);
}

static void test_cd_fetch(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    fake_unmap(x.rig->host, x.cds, 4096);
    smmu3_set(x.ste, STE_S1CDMAX, 4);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, with_ssid(dma_read(SID, VA), 3), F_CD_FETCH, event);
    g_assert_cmphex(smmu3_get_addr(event, EVENT_FETCH_ADDR), ==,
                    x.cds + 3 * SMMU3_CD_BYTES);
    g_assert_cmphex(smmu3_get(event, EVENT_SUBSTREAMID), ==, 3);
    done(&x);
}

static void test_bad_cd(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_V, 0);
    apply(&x);
    expect_fault(&x, dma_read(SID, VA), C_BAD_CD, event);
    /* A bad TTB0 half is bad for an address of the other half, too. */
    cd_for(x.cd, &x.pt, 1);
    cd_second_half(x.cd, &x.pt);
    smmu3_set(x.cd, CD_T0SZ, 60);
    apply(&x);
    expect_fault(&x, dma_read(SID, VA | UINT64_C(0xffff800000000000)),
                 C_BAD_CD, event);
    done(&x);
}

static void test_epd0(void)
{
    Setup x;
    uint64_t high = VA | UINT64_C(0xffff000000000000);

    setup(&x);
    cd_second_half(x.cd, &x.pt);
    smmu3_set(x.cd, CD_EPD0, 1);
    smmu3_set(x.cd, CD_T0SZ, 60);
    apply(&x);
    expect_stage1_fault(&x, dma_read(SID, VA), F_TRANSLATION);
    expect_pa(&x, dma_read(SID, high), PA);
    done(&x);
}

/* ---- Stage 1 ----------------------------------------------------------- */

static void test_stage1(void)
{
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA + 0x123), PA + 0x123);
    g_assert_cmpint(x.result.size_log2, ==, 12);
    g_assert_cmpint(x.result.access, ==, SMMU3_READ | SMMU3_WRITE |
                                         SMMU3_EXEC);
    expect_pa(&x, dma_write(SID, VA + 0xfff), PA + 0xfff);
    expect_stage1_fault(&x, dma_write(SID, VA + PAGE), F_TRANSLATION);
    expect_stage1_fault(&x, dma_read(SID, VA | UINT64_C(1) << 60),
                        F_TRANSLATION);
    expect_stage1_fault(&x, with_priv(dma_read(SID, VA + 2 * PAGE)),
                        F_TRANSLATION);
    expect_stage1_fault(&x, with_ind(dma_read(SID, VA + 2 * PAGE)),
                        F_TRANSLATION);
    done(&x);
}

static void test_permissions(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO | PT_UXN | PT_PXN);
    pt_map(&x.pt, VA + PAGE, PA, 3, PT_KERNEL_RW);
    for (unsigned again = 0; again < 2; again++) {
        expect_pa(&x, dma_read(SID, VA), PA);
        expect_stage1_fault(&x, dma_write(SID, VA), F_PERMISSION);
        expect_stage1_fault(&x, with_ind(dma_read(SID, VA)), F_PERMISSION);
        expect_stage1_fault(&x, dma_read(SID, VA + PAGE), F_PERMISSION);
        expect_pa(&x, with_priv(dma_write(SID, VA + PAGE)), PA);
    }
    done(&x);
}

/* An atomic needs both rights. */
static void test_atomic(void)
{
    Smmu3Transaction t = dma_write(SID, VA);
    Setup x;

    setup(&x);
    t.access |= SMMU3_READ;
    expect_pa(&x, t, PA);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO);
    rig_invalidate_all(x.rig);
    expect_stage1_fault(&x, t, F_PERMISSION);
    done(&x);
}

/*
 * More rights in the tables need no invalidation: a cached refusal is looked
 * at again.
 */
static void test_permission_upgrade(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_stage1_fault(&x, dma_write(SID, VA), F_PERMISSION);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RW);
    expect_pa(&x, dma_write(SID, VA), PA);
    done(&x);
}

static void test_overrides(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_KERNEL_RW | PT_PXN);
    smmu3_set(x.ste, STE_PRIVCFG, 2);
    apply(&x);
    expect_fault(&x, with_priv(dma_read(SID, VA)), F_PERMISSION, event);
    g_assert_false(smmu3_get(event, EVENT_PNU));
    smmu3_set(x.ste, STE_PRIVCFG, 3);
    apply(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    smmu3_set(x.ste, STE_INSTCFG, 3);
    apply(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    expect_fault(&x, dma_read(SID, VA), F_PERMISSION, event);
    g_assert_true(smmu3_get(event, EVENT_IND) && smmu3_get(event, EVENT_PNU));
    smmu3_set(x.ste, STE_INSTCFG, 2);
    apply(&x);
    expect_pa(&x, with_ind(dma_read(SID, VA)), PA);
    done(&x);
}

static void test_tbi(void)
{
    Setup x;

    setup(&x);
    expect_stage1_fault(&x, dma_read(SID, VA | UINT64_C(0xab) << 56),
                        F_TRANSLATION);
    smmu3_set(x.cd, CD_TBI0, 1);
    apply(&x);
    expect_pa(&x, dma_read(SID, VA | UINT64_C(0xab) << 56), PA);
    expect_pa(&x, dma_read(SID, VA | UINT64_C(0x1b) << 56), PA);
    /* Faults give the whole address. */
    expect_stage1_fault(&x, dma_read(SID, (VA + PAGE) | UINT64_C(3) << 56),
                        F_TRANSLATION);
    done(&x);
}

static void test_e0pd(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA + PAGE, PA, 3, PT_KERNEL_RW);
    smmu3_set(x.cd, CD_E0PD0, 1);
    apply(&x);
    expect_pa(&x, with_priv(dma_read(SID, VA + PAGE)), PA);
    expect_stage1_fault(&x, dma_read(SID, VA), F_TRANSLATION);
    done(&x);
}

static void test_el2_world(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_AF);    /* AP[1]=0: for all the same */
    smmu3_set(x.ste, STE_STRW, STE_STRW_NS_EL2);
    apply(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    expect_pa(&x, with_priv(dma_write(SID, VA)), PA);
    expect_stage1_fault(&x, dma_read(SID, VA | UINT64_C(0xffff) << 48),
                        F_TRANSLATION);
    done(&x);
}

static void test_walk_abort(void)
{
    uint64_t event[SMMU3_EVENT_WORDS], pa;
    Setup x;

    setup(&x);
    pa = pt_entry(&x.pt, VA, 2);
    fake_unmap(x.rig->host, pa, 8);
    expect_fault(&x, with_priv(dma_write(SID, VA)), F_WALK_EABT, event);
    g_assert_false(smmu3_get(event, EVENT_S2));
    g_assert_cmpint(smmu3_get(event, EVENT_CLASS), ==, CLASS_TT);
    g_assert_cmphex(smmu3_get_addr(event, EVENT_FETCH_ADDR), ==, pa & ~7ull);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, VA);
    g_assert_false(smmu3_get(event, EVENT_RNW));
    g_assert_true(smmu3_get(event, EVENT_PNU));
    done(&x);
}

/* ---- What becomes of faults -------------------------------------------- */

static void test_fault_model(void)
{
    static const struct {
        unsigned a, r;
        Smmu3Outcome outcome;
        bool recorded;
    } rows[] = {
        { 0, 0, SMMU3_RAZWI, false }, { 0, 1, SMMU3_RAZWI, true },
        { 1, 0, SMMU3_ABORT, false }, { 1, 1, SMMU3_ABORT, true },
    };
    Setup x;

    setup(&x);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t event[SMMU3_EVENT_WORDS];

        smmu3_set(x.cd, CD_A, rows[i].a);
        smmu3_set(x.cd, CD_R, rows[i].r);
        apply(&x);
        g_assert_cmpint(translate(&x, dma_read(SID, 0)), ==, rows[i].outcome);
        g_assert_cmpint(x.result.fault, ==, F_TRANSLATION);
        if (rows[i].recorded) {
            rig_expect_event(x.rig, F_TRANSLATION, event);
        }
        rig_expect_no_event(x.rig);
    }
    done(&x);
}

/* CD.A, R and S have no say in what is not a translation fault. */
static void test_fault_model_is_for_translation_faults(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_A, 0);
    smmu3_set(x.cd, CD_R, 0);
    apply(&x);
    fake_unmap(x.rig->host, x.pt.root, 4096);
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT, event);
    done(&x);
}

static void test_stall(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Smmu3Transaction t = dma_write(SID, VA + PAGE);
    int job;
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    smmu3_set(x.cd, CD_R, 0);
    apply(&x);
    t.may_stall = true;
    t.cookie = &job;
    g_assert_cmpint(translate(&x, t), ==, SMMU3_STALLED);
    rig_expect_event(x.rig, F_TRANSLATION, event);
    g_assert_true(smmu3_get(event, EVENT_STALL));
    g_assert_cmphex(smmu3_get(event, EVENT_STAG), ==, x.result.stag);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, t.addr);
    g_assert_cmpuint(smmu3_stalls_outstanding(x.rig->smmu), ==, 1);
    done(&x);
}

/* A requester that cannot wait is aborted instead, and that is recorded. */
static void test_stall_of_one_that_cannot_wait(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    smmu3_set(x.cd, CD_R, 0);
    apply(&x);
    expect_fault(&x, dma_read(SID, 0), F_TRANSLATION, event);
    g_assert_false(smmu3_get(event, EVENT_STALL));
    g_assert_cmpuint(smmu3_stalls_outstanding(x.rig->smmu), ==, 0);
    done(&x);
}

static void test_speculative(void)
{
    Smmu3Transaction t = dma_read(SID, VA + PAGE);
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    apply(&x);
    t.speculative = t.may_stall = true;
    expect_silent_abort(&x, t);
    t.addr = VA;
    expect_pa(&x, t, PA);
    t.access = SMMU3_WRITE;
    expect_silent_abort(&x, t);         /* a guess must not write */
    done(&x);
}

/* What is wrong first is what is told (7.3.22). */
static void test_priority(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    /* Everything is wrong at once; each step puts one thing right. */
    smmu3_set(x.ste, STE_V, 0);
    smmu3_set(x.ste, STE_S1CDMAX, 3);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    smmu3_set(x.cd, CD_V, 0);
    pt_map(&x.pt, VA, PA, 3, PT_RO);    /* no AF, no rights */
    apply(&x);
    fake_unmap(x.rig->host, x.cds, 4096);
    expect_fault(&x, dma_write(1000, VA), C_BAD_STREAMID, event);
    expect_fault(&x, with_ssid(dma_write(SID, VA), 9), C_BAD_STE, event);
    smmu3_set(x.ste, STE_V, 1);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, with_ssid(dma_write(SID, VA), 9), C_BAD_SUBSTREAMID,
                 event);
    expect_fault(&x, dma_write(SID, VA), F_STREAM_DISABLED, event);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_CD0);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, dma_write(SID, VA), F_CD_FETCH, event);
    fake_map(x.rig->host, x.cds, 4096);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), C_BAD_CD, event);
    smmu3_set(x.cd, CD_V, 1);
    smmu3_set(x.cd, CD_IPS, 1);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), F_ADDR_SIZE, event);
    smmu3_set(x.cd, CD_IPS, 5);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), F_ACCESS, event);
    smmu3_set(x.cd, CD_AFFD, 1);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), F_PERMISSION, event);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RW);
    expect_pa(&x, dma_write(SID, VA), PA);
    done(&x);
}

/* ---- Caches ------------------------------------------------------------ */

static void test_ste_change(void)
{
    uint64_t abort[SMMU3_STE_WORDS];
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    ste_abort(abort);
    rig_set_ste(x.rig, SID, abort);     /* with CFGI_STE and SYNC */
    expect_silent_abort(&x, dma_read(SID, VA));
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, dma_read(SID, VA), PA);
    done(&x);
}

static void test_hits_need_no_memory(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    c = smmu3_counters(x.rig->smmu);
    expect_pa(&x, dma_read(SID, VA), PA);
    fake_clear_records(x.rig->host);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_write(SID, VA), PA);
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 1);
    g_assert_cmpuint(c->tlb_hits, ==, 1);
    g_assert_cmpuint(c->tlb_misses, ==, 0);
    done(&x);
}

static void test_walk_is_counted(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_read(SID, VA), PA);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->tlb_misses, ==, 1);
    g_assert_cmpuint(c->walks, ==, 1);
    g_assert_cmpuint(c->descriptor_reads, ==, 4);
    g_assert_cmpuint(translate(&x, dma_read(SID, 0)), ==, SMMU3_ABORT);
    g_assert_cmpuint(c->faults[F_TRANSLATION], ==, 1);
    rig_expect_event(x.rig, F_TRANSLATION, (uint64_t[4]) { 0 });
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) \
    conformance_test("/smmu3/translate/" name, fn, items)
    T("disabled-bypasses-or-aborts-by-gbpa", test_disabled, "9 10");
    T("streamid-out-of-range", test_sid_range, "16 23");
    T("streamid-beyond-sidsize", test_sid_beyond_sidsize, "16");
    T("streamid-out-of-range-unrecorded", test_recinvsid, "17");
    T("two-level-stream-table", test_two_levels, "18 21");
    T("l1std-span", test_span, "18 19 20 21");
    T("l1std-span-11", test_span_11, "21");
    T("ste-fetch-abort", test_ste_fetch, "22");
    T("l1std-fetch-abort", test_l1std_fetch, "22");
    T("ste-v-0", test_v_0, "23");
    T("config-0xx-aborts-silently", test_abort_stream, "24");
    T("config-bypass", test_bypass_stream, "75 39");
    T("substream-table", test_substreams, "39 40");
    T("ssid-0-is-not-no-ssid", test_ssid0_is_not_no_ssid, "40");
    T("no-substreams-at-all", test_no_ssids_at_all, "39");
    T("s1dss-bypass", test_s1dss_bypass, "41 42");
    T("two-level-cd-table", test_cd_tables, "43 44 45");
    T("two-level-cd-table-of-one-leaf", test_small_two_level_table, "43");
    T("l1cd-l2ptr-out-of-range", test_l2ptr_out_of_range, "43");
    T("cd-fetch-abort", test_cd_fetch, "45");
    T("cd-illegal", test_bad_cd, "45 47");
    T("epd0-leaves-ttb1", test_epd0, "47");
    T("stage-1", test_stage1, "53");
    T("permissions", test_permissions, "60 63");
    T("atomic-needs-read-and-write", test_atomic, "");
    T("more-rights-need-no-invalidation", test_permission_upgrade, "");
    T("privcfg-and-instcfg", test_overrides, "67");
    T("top-byte-ignore", test_tbi, "53");
    T("e0pd", test_e0pd, "74");
    T("el2-world", test_el2_world, "68");
    T("walk-abort", test_walk_abort, "73");
    T("cd-a-and-r", test_fault_model, "91");
    T("cd-a-and-r-only-for-translation-faults",
      test_fault_model_is_for_translation_faults, "91");
    T("cd-s-stalls", test_stall, "92");
    T("cd-s-without-waiting-terminates", test_stall_of_one_that_cannot_wait,
      "");
    T("speculative-is-silent", test_speculative, "");
    T("order-of-faults", test_priority, "59");
    T("ste-change-after-cfgi", test_ste_change, "83");
    T("hits-need-no-memory", test_hits_need_no_memory, "");
    T("walks-are-counted", test_walk_is_counted, "");
    return conformance_run();
}
