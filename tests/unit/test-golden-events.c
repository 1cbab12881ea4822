/*
 * Golden event records: each that the model can raise, all four words of it,
 * literally (IHI 0070 7.3). Not when a fault is raised: that is in
 * test-event.c, test-translate.c and others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "golden.h"

#define SSID 0xfedcbu

/*
 * The nested stream 0x5a: its CD at an IPA of entry 0x1ff, stage 1's table at
 * one of entry 0x1fe, and VA entry 5 leads to IPA entry 0x11b, not mapped.
 */
#define N_CD_IPA    UINT64_C(0x0000007fc0abc040)
#define N_CD_PA     UINT64_C(0x0000b000c0abc040)
#define N_S1_IPA    UINT64_C(0x0000007f81234000)
#define N_S1_PA     UINT64_C(0x0000b00081234000)
#define N_VA        UINT64_C(0x0000000142345678)

static void nested_world(Golden *g, uint64_t cd_entry, uint64_t table_entry)
{
    golden_ste(g, 0x5a, G_NESTED(N_CD_IPA, 0xb00d));
    golden_put4(g, N_CD_PA, G_CD_W0(0xcafe), N_S1_IPA, 0, 0xff);
    golden_put(g, G_S2 + 8 * 0x1ff, cd_entry);
    golden_put(g, G_S2 + 8 * 0x1fe, table_entry);
    golden_put(g, N_S1_PA + 8 * 5, UINT64_C(0x00000046c0000000) | G_USER_RW);
    golden_start(g);
}

#define CD_BLOCK    (UINT64_C(0x0000b000c0000000) | G_S2_RW)
#define TABLE_BLOCK (UINT64_C(0x0000b00080000000) | G_S2_RW)

/* Stream 0x33: stage 1, and SubstreamIDs of 20 bits, CDs from @cds on. */
static void substream_world(Golden *g, uint64_t cds, uint64_t w1)
{
    golden_ste(g, 0x33, UINT64_C(0xa00000000000000b) | cds, w1, 0, 0);
    golden_start(g);
}

/* ---- Configuration ----------------------------------------------------- */

static void bad_streamid(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    golden_aborts(g, golden_ssid(golden_read(0xdeadbeef, 0x1000), SSID));
    golden_event(g, UINT64_C(0xdeadbeeffedcb802), 0, 0, 0);
    golden_aborts(g, golden_read(0x00000100, 0x1000));
    golden_event(g, UINT64_C(0x0000010000000002), 0, 0, 0);
}

static void ste_fetch(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    fake_unmap(g->host, G_STRTAB + 0x1000, 0x1000);     /* 0x40 to 0x7f */
    golden_aborts(g, golden_ssid(golden_read(0x41, 0x1000), SSID));
    golden_event(g, UINT64_C(0x00000041fedcb803), 0, 0,
                 UINT64_C(0x0008765432105040));
}

static void bad_ste(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x17, 0xa, 0, 0, 0);                  /* V=0 */
    golden_start(g);
    golden_aborts(g, golden_ssid(golden_read(0x17, 0x1000), SSID));
    golden_event(g, UINT64_C(0x00000017fedcb804), 0, 0, 0);
}

/* No SubstreamID in the record, whatever came with the transaction. */
static void stream_disabled(void)
{
    g_autoptr(Golden) g = golden_new();

    substream_world(g, UINT64_C(0x8000000000000), 0xd4);    /* S1DSS=0 */
    golden_aborts(g, golden_read(0x33, 0x1000));
    golden_event(g, UINT64_C(0x0000003300000006), 0, 0, 0);
    golden_ste(g, 0x34, UINT64_C(0xa00000000000000b), 0xd6, 0, 0);
    golden_aborts(g, golden_ssid(golden_read(0x34, 0x1000), 0));
    golden_event(g, UINT64_C(0x0000003400000006), 0, 0, 0);
}

/* The SubstreamID is always there, so SSV is not. */
static void bad_substreamid(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, G_STE1(G_CD));                  /* S1CDMax=0 */
    golden_start(g);
    golden_aborts(g, golden_ssid(golden_read(0x33, 0x1000), SSID));
    golden_event(g, UINT64_C(0x00000033fedcb008), 0, 0, 0);
}

static void cd_fetch(void)
{
    g_autoptr(Golden) g = golden_new();

    substream_world(g, UINT64_C(0xc000000000000), 0xd6);
    golden_aborts(g, golden_ssid(golden_read(0x33, 0x1000), SSID));
    golden_event(g, UINT64_C(0x00000033fedcb809), 0, 0,
                 UINT64_C(0x000c000003fb72c0));
}

static void bad_cd(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_put4(g, UINT64_C(0xc000003fb72c0), 0x7fffffff, 0, 0, 0);
    substream_world(g, UINT64_C(0xc000000000000), 0xd6);
    golden_aborts(g, golden_ssid(golden_read(0x33, 0x1000), SSID));
    golden_event(g, UINT64_C(0x00000033fedcb80a), 0, 0, 0);
}

/* ---- ATS --------------------------------------------------------------- */

static void ats(Golden *g, Smmu3TransactionType type, unsigned access,
                bool priv, bool exec, Smmu3Outcome outcome)
{
    Smmu3Transaction t = {
        .type = type, .sid = 0x9c, .addr = UINT64_C(0xfedcba9876543abd),
        .access = access, .priv = priv, .ind = exec,
        .ssv = true, .ssid = SSID,
    };
    Smmu3Translation result;

    g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==, outcome);
}

/* Bypass, so no ATS: R is always 1, then W, X, P; Span is 1. */
static void bad_ats_treq(void)
{
    static const struct {
        unsigned access;
        bool priv, exec;
        uint64_t w1;
    } cases[] = {
        { SMMU3_READ, false, false, UINT64_C(0x0000000080000001) },
        { SMMU3_READ | SMMU3_WRITE, false, false,
          UINT64_C(0x00000000c0000001) },
        { SMMU3_READ, false, true, UINT64_C(0x00000000a0000001) },
        { SMMU3_READ, true, false, UINT64_C(0x0000000090000001) },
        { SMMU3_READ | SMMU3_WRITE, true, true,
          UINT64_C(0x00000000f0000001) },
    };
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x9c, 0x9, UINT64_C(0x0000100000000000), 0, 0);
    golden_start(g);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ats(g, SMMU3_ATS_REQUEST, cases[i].access, cases[i].priv,
            cases[i].exec, SMMU3_ATS_UR);
        golden_event(g, UINT64_C(0x0000009cfedcb805), cases[i].w1,
                     UINT64_C(0xfedcba9876543000), 0);
    }
}

static void transl_forbidden(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x9c, 0x9, UINT64_C(0x0000100000000000), 0, 0);
    golden_start(g);
    ats(g, SMMU3_ATS_TRANSLATED, SMMU3_READ, false, false, SMMU3_ABORT);
    golden_event(g, UINT64_C(0x0000009c00000007), UINT64_C(0x800000000),
                 UINT64_C(0xfedcba9876543abd), 0);
    ats(g, SMMU3_ATS_TRANSLATED, SMMU3_WRITE, false, false, SMMU3_ABORT);
    golden_event(g, UINT64_C(0x0000009c00000007), 0,
                 UINT64_C(0xfedcba9876543abd), 0);
}

/* ---- Translation: stage 1 ---------------------------------------------- */

/* RnW, InD and PnU one by one, and the whole of the input address. */
static void translation(void)
{
    static const struct {
        bool write, priv, ind;
        uint64_t w1;
    } cases[] = {
        { false, false, false, UINT64_C(0x0000020800000000) },
        { true, false, false, UINT64_C(0x0000020000000000) },
        { false, true, false, UINT64_C(0x0000020a00000000) },
        { false, false, true, UINT64_C(0x0000020c00000000) },
        { true, true, false, UINT64_C(0x0000020200000000) },
    };
    g_autoptr(Golden) g = golden_new();

    golden_put4(g, UINT64_C(0xc000003fb72c0), G_CD1(0xcafe));
    substream_world(g, UINT64_C(0xc000000000000), 0xd6);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Transaction t =
            golden_ssid(golden_read(0x33, UINT64_C(0xfedcba9876543abd)), SSID);

        t.access = cases[i].write ? SMMU3_WRITE : SMMU3_READ;
        t.priv = cases[i].priv;
        t.ind = cases[i].ind;
        golden_aborts(g, t);
        golden_event(g, UINT64_C(0x00000033fedcb810), cases[i].w1,
                     UINT64_C(0xfedcba9876543abd), 0);
    }
}

/* One descriptor of stage 1, the read that it refuses, and the record. */
static void stage1_fault(uint64_t descriptor, bool write, unsigned type,
                         uint64_t w1)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0xe1, G_STE1(G_CD));
    golden_put4(g, G_CD, G_CD1(0xcafe));
    golden_put(g, G_S1 + 8 * 0x155, descriptor);
    golden_start(g);
    golden_aborts(g, write ? golden_write(0xe1, UINT64_C(0x555abcdef1))
                           : golden_read(0xe1, UINT64_C(0x555abcdef1)));
    golden_event(g, UINT64_C(0x000000e100000000) | type, w1,
                 UINT64_C(0x000000555abcdef1), 0);
}

static void addr_size(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0xe1, G_STE1(G_CD));
    /* IPS=1, 36 bits; a table at 2^36 */
    golden_put4(g, G_CD, UINT64_C(0xcafe6201c0003519), UINT64_C(0x823456000),
                0, 0xff);
    golden_put(g, UINT64_C(0x823456000) + 8 * 0x155, UINT64_C(0x1000000003));
    golden_start(g);
    golden_aborts(g, golden_read(0xe1, UINT64_C(0x555abcdef1)));
    golden_event(g, UINT64_C(0x000000e100000011), UINT64_C(0x20800000000),
                 UINT64_C(0x000000555abcdef1), 0);
}

static void addr_size_of_bypass(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x9c, 0x9, UINT64_C(0x0000100000000000), 0, 0);
    golden_start(g);
    golden_aborts(g, golden_read(0x9c, UINT64_C(0x0010000000000abc)));
    golden_event(g, UINT64_C(0x0000009c00000011), UINT64_C(0x20800000000),
                 UINT64_C(0x0010000000000abc), 0);
}

static void access_flag(void)
{
    stage1_fault(G_USER_RW & ~UINT64_C(0x400), false, 0x12,
                 UINT64_C(0x20800000000));
}

static void permission(void)
{
    stage1_fault(G_USER_RO, true, 0x13, UINT64_C(0x20000000000));
    stage1_fault(G_PRIV_RW, false, 0x13, UINT64_C(0x20800000000));
}

static void walk_eabt(void)
{
    g_autoptr(Golden) g = golden_new();
    Smmu3Transaction t = golden_read(0xe1, UINT64_C(0x555abcdef1));

    golden_ste(g, 0xe1, G_STE1(G_CD));
    golden_put4(g, G_CD, G_CD1(0xcafe));
    golden_start(g);
    t.priv = t.ind = true;
    golden_aborts(g, t);
    golden_event(g, UINT64_C(0x000000e10000000b), UINT64_C(0x10e00000000),
                 UINT64_C(0x000000555abcdef1), UINT64_C(0x0000901234567aa8));
}

/* ---- Translation: stage 2 ---------------------------------------------- */

static void stage2_of_the_input(void)
{
    g_autoptr(Golden) g = golden_new();

    nested_world(g, CD_BLOCK, TABLE_BLOCK);
    golden_aborts(g, golden_write(0x5a, N_VA));
    golden_event(g, UINT64_C(0x0000005a00000010), UINT64_C(0x28000000000),
                 N_VA, UINT64_C(0x00000046c2345000));
}

static void stage2_of_a_table(void)
{
    g_autoptr(Golden) g = golden_new();

    nested_world(g, CD_BLOCK, 0);
    golden_aborts(g, golden_write(0x5a, N_VA));
    golden_event(g, UINT64_C(0x0000005a00000010), UINT64_C(0x18000000000),
                 N_VA, UINT64_C(0x0000007f81234000));
}

static void stage2_of_a_cd(void)
{
    g_autoptr(Golden) g = golden_new();

    nested_world(g, 0, TABLE_BLOCK);
    golden_aborts(g, golden_write(0x5a, N_VA));
    golden_event(g, UINT64_C(0x0000005a00000010), UINT64_C(0x08000000000),
                 N_VA, UINT64_C(0x0000007fc0abc000));
}

/* TTRnW: 1 for a read of the table, 0 for an update of its access flag. */
static void stage2_refuses_a_table(void)
{
    g_autoptr(Golden) g = golden_new();

    nested_world(g, CD_BLOCK, TABLE_BLOCK & ~UINT64_C(0x40));
    golden_aborts(g, golden_write(0x5a, N_VA));
    golden_event(g, UINT64_C(0x0000005a00000013),
                 UINT64_C(0x0000118000000000), N_VA,
                 UINT64_C(0x0000007f81234000));
    /* HA=1, AF=0; the table is read-only */
    golden_put(g, G_S2 + 8 * 0x1fe, TABLE_BLOCK & ~UINT64_C(0x80));
    golden_put(g, N_CD_PA, G_CD_W0(0xcafe) | UINT64_C(0x80000000000));
    golden_put(g, N_S1_PA + 8 * 5, UINT64_C(0x00000046c0000b41));
    golden_forget(g);
    golden_aborts(g, golden_read(0x5a, N_VA));
    golden_event(g, UINT64_C(0x0000005a00000013),
                 UINT64_C(0x0000018800000000), N_VA,
                 UINT64_C(0x0000007f81234000));
}

/*
 * Stage 2 alone with 52 bits: 64 KiB granule, S2T0SZ=12, S2SL0=2, S2PS=6, so
 * that IPA and FetchAddr show all their bits.
 */
static void stage2_of_52_bits(void)
{
    uint64_t ttb = UINT64_C(0xd000000002000);
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0xc3, 0xd, UINT64_C(0x0000100000000000),
               UINT64_C(0x040e758c00000000), ttb);
    golden_start(g);
    golden_aborts(g, golden_read(0xc3, UINT64_C(0x000fedcba9876543)));
    golden_event(g, UINT64_C(0x000000c30000000b),
                 UINT64_C(0x0000028800000000), UINT64_C(0x000fedcba9876543),
                 UINT64_C(0x000d000000003fd8));
    golden_put(g, ttb + 0x1fd8, 0);
    golden_forget(g);
    golden_aborts(g, golden_read(0xc3, UINT64_C(0x000fedcba9876543)));
    golden_event(g, UINT64_C(0x000000c300000010),
                 UINT64_C(0x0000028800000000), UINT64_C(0x000fedcba9876543),
                 UINT64_C(0x000fedcba9876000));
}

/* ---- Stalls ------------------------------------------------------------ */

/* Stall is bit 95 of the record, STAG bits 79:64. */
static void stalled(void)
{
    g_autoptr(Golden) g = golden_new();
    Smmu3Translation result;
    unsigned seen = 0;

    golden_ste(g, 0xe1, G_STE1(G_CD));
    golden_put4(g, G_CD, G_CD_W0(0xcafe) | UINT64_C(0x100000000000), G_S1, 0,
                0xff);                                  /* S */
    golden_put(g, G_S1 + 8 * 0x155, 0);
    golden_start(g);
    /* STAGs are given out in turn; go on until they have all their bits */
    while (seen != 0xffff) {
        Smmu3Transaction t = golden_read(0xe1, UINT64_C(0x555abcdef1));

        t.may_stall = true;
        t.cookie = g;
        g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==,
                        SMMU3_STALLED);
        golden_event(g, UINT64_C(0x000000e100000010),
                     UINT64_C(0x0000020880000000) | result.stag,
                     UINT64_C(0x000000555abcdef1), 0);
        seen |= result.stag;
        /* RESUME: Ab */
        golden_accept(g, UINT64_C(0x000000e100002044), result.stag);
        g_array_set_size(g->host->resolutions, 0);
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) \
    conformance_test("/smmu3/golden/event/" name, fn, items)
    T("c-bad-streamid", bad_streamid, "16");
    T("f-ste-fetch", ste_fetch, "22");
    T("c-bad-ste", bad_ste, "23");
    T("f-bad-ats-treq", bad_ats_treq, "");
    T("f-stream-disabled", stream_disabled, "107");
    T("f-transl-forbidden", transl_forbidden, "107");
    T("c-bad-substreamid", bad_substreamid, "39");
    T("f-cd-fetch", cd_fetch, "45");
    T("c-bad-cd", bad_cd, "45");
    T("f-translation", translation, "53");
    T("f-addr-size", addr_size, "");
    T("f-addr-size-of-bypass", addr_size_of_bypass, "75");
    T("f-access", access_flag, "58");
    T("f-permission", permission, "63");
    T("f-walk-eabt", walk_eabt, "73");
    T("stage-2-of-the-input", stage2_of_the_input, "");
    T("stage-2-of-a-table", stage2_of_a_table, "71");
    T("stage-2-of-a-cd", stage2_of_a_cd, "51");
    T("stage-2-refuses-a-table", stage2_refuses_a_table, "61");
    T("stage-2-of-52-bits", stage2_of_52_bits, "73");
    T("stalled", stalled, "92");
#undef T
    return conformance_run();
}
