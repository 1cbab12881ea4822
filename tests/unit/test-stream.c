/*
 * Which stream and which context a transaction belongs to: the stream table,
 * substreams, CD tables, bypass, and SMMUEN=0 (IHI 0070 3.3, 3.11, 5.1 to
 * 5.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "one-stream.h"

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
    uint64_t l1_bytes = MAX(8 << (cdmax - leaf_bits), 64);
    /* Aligned to its size and to no more */
    uint64_t l1 = fake_alloc(x->rig->host, 2 * l1_bytes, 2 * l1_bytes) +
                  l1_bytes;
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

/* L2Ptr has no bits below the size of its table. */
static void test_l2ptr_alignment(void)
{
    static const unsigned formats[] = { STE_S1FMT_4K_L2, STE_S1FMT_64K_L2 };
    Setup x;

    setup(&x);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        uint64_t l1, l1cd;

        put_two_level_cd(&x, formats[i], 12, 5);
        l1 = smmu3_get_addr(x.ste, STE_S1CONTEXTPTR);
        l1cd = fake_read64(x.rig->host, l1);
        l1cd |= formats[i] == STE_S1FMT_4K_L2 ? 0xffe : 0xfffe;
        fake_write64(x.rig->host, l1, l1cd);
        rig_set_ste(x.rig, SID, x.ste);
        expect_pa(&x, with_ssid(dma_read(SID, VA), 5), PA);
    }
    done(&x);
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

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) \
    conformance_test("/smmu3/stream/" name, fn, items)
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
    T("l1cd-l2ptr-alignment", test_l2ptr_alignment, "43");
    T("l1cd-l2ptr-out-of-range", test_l2ptr_out_of_range, "43");
    T("cd-fetch-abort", test_cd_fetch, "45");
    T("cd-illegal", test_bad_cd, "45 47");
    T("epd0-leaves-ttb1", test_epd0, "47");
    return conformance_run();
}
