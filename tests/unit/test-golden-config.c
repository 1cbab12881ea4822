/*
 * Golden configuration: stream table entries and context descriptors as
 * literal words, each field at a value that shows in what becomes of a
 * transaction (IHI 0070 5.1 to 5.4). Not the rules of legality, which are in
 * test-ste.c and test-cd.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "golden.h"
#include "core/tables/config.h"
#include <stddef.h>

#define U(x) UINT64_C(x)

/* What becomes of a transaction, besides the number of its event. */
enum { PASSES = 0, SILENT = -1, RAZWI = -2 };

typedef struct Case {
    const char *name;
    uint64_t ste[4], cd[4];
    struct {
        uint64_t addr;
        char access;            /* r, w, or x: an instruction */
        bool priv;
        int ssid;               /* -1: none */
    } t;
    int outcome;
    uint64_t pa;                /* if it passes */
    const char *items;          /* of the conformance list, or NULL */
} Case;

#define STE1 { G_STE1(G_CD) }
#define R(addr)     { addr, 'r', false, -1 }
#define W(addr)     { addr, 'w', false, -1 }
#define PRIV(addr)  { addr, 'r', true, -1 }
#define FETCH(addr) { addr, 'x', false, -1 }
#define PFETCH(addr) { addr, 'x', true, -1 }
#define TO(pa)      PASSES, pa
#define SHOWS(items_) .items = items_

/* Tables below 2^32, for small IPS and S2PS; 16 bytes from an even place. */
#define S1_LOW  U(0x12345000)
#define S2_LOW  U(0x6789a000)
#define S1_B    U(0x0000913579bdf000)   /* TTB1 */
#define S_64K   U(0x000e123450000000)
#define S_16K   U(0x00009abcdef0c000)
#define S_DS    U(0x000d00000badf080)

static void put_stage1_tables(Golden *g)
{
    static const uint64_t roots[] = { G_S1, S1_B };

    for (unsigned i = 0; i < 2; i++) {
        uint64_t to = U(0x123400000000) + (U(0x1000000000) * i);

        golden_put(g, roots[i] + 8 * 1, (to + G_VA(1)) | G_USER_RW);
        golden_put(g, roots[i] + 8 * 2, (to + G_VA(2)) | G_PRIV_RW);
        golden_put(g, roots[i] + 8 * 3, (to + G_VA(3)) | G_USER_RO);
        /* AF=0; DBM=1; UXN=1 */
        golden_put(g, roots[i] + 8 * 4, (to + G_VA(4)) | 0xb41);
        golden_put(g, roots[i] + 8 * 5,
                   (to + G_VA(5)) | U(0x0008000000000fc1));
        golden_put(g, roots[i] + 8 * 6,
                   (to + G_VA(6)) | U(0x0040000000000f41));
        /* Big-endian: the word of entry 1, its bytes reversed */
        golden_put(g, roots[i] + 8 * 7, i ? U(0x410f004034120000)
                                          : U(0x410f004034120000));
        /* A table with APTable[0]=1: no unprivileged access */
        golden_put(g, roots[i] + 8 * 8, U(0x2000777700000003));
        /* One with APTable[1]=1: no writes */
        golden_put(g, roots[i] + 8 * 9, U(0x4000777700000003));
        /* Contiguous, AP=11, and no DBM */
        golden_put(g, roots[i] + 8 * 10,
                   (to + G_VA(10)) | U(0x0010000000000fc1));
        golden_put(g, roots[i] + 8 * 0x1ff, (to + G_VA(9)) | G_USER_RW);
    }
    golden_put(g, U(0x777700000000), U(0x123480000f41));
    golden_put(g, S1_LOW, U(0x080000000f41));           /* 2^43 */
    golden_put(g, S1_LOW + 8, U(0x100000000f41));       /* 2^44 */
    golden_put(g, S1_LOW + 16, U(0x0000333340000f41));  /* at ...10 */
    golden_put(g, S1_LOW + 24, U(0x0000444440000f41));
    golden_put(g, S_64K + 8 * 5, U(0x00001234a000ef41)); /* OA[51:48]=0xe */
    golden_put(g, S_16K + 8 * 5, U(0x000012340a000f41));
    golden_put(g, S_DS, U(0x0000340000000f41));         /* level 0, DS */
}

static void put_stage2_tables(Golden *g)
{
    golden_put(g, G_S2 + 8 * 1, U(0x0000b00040000000) | G_S2_RW);
    golden_put(g, G_S2 + 8 * 0x1ff, U(0x0000b00080000000) | G_S2_RW);
    golden_put(g, G_S2 + 8 * 4, U(0x0000b000c00003fd));         /* AF=0 */
    golden_put(g, G_S2 + 8 * 5, U(0x0008b0010000077d));         /* DBM */
    golden_put(g, G_S2 + 8 * 7, U(0xfd07004000b00000));         /* reversed */
    golden_put(g, G_S2 + 8 * 6, U(0x0010b0014000077d));         /* Contig */
    golden_put(g, S2_LOW, U(0x0000080000000000) | G_S2_RW);
    golden_put(g, S2_LOW + 8, U(0x0000100000000000) | G_S2_RW);
    golden_put(g, S2_LOW + 16, U(0x0000333340000000) | G_S2_RW);
    golden_put(g, S2_LOW + 24, U(0x0000444440000000) | G_S2_RW);
    golden_put(g, S2_LOW + 0x800, U(0x0000555555200000) | G_S2_RW);
    /* Level 3, and a table of level 0 */
    golden_put(g, S2_LOW + 0x28, U(0x00006666777787ff));
    golden_put(g, S2_LOW + 0x7f8, G_S2 | 3);
    golden_put(g, S_16K + 8 * 9, U(0x000012340a000000) | G_S2_RW);
    golden_put(g, S_64K + 8 * 9, U(0x000012342000e000) | G_S2_RW);
    /* LPA2: level -1, then a block of level 0; OA[51:50] in bits 9:8 */
    golden_put(g, S_DS + 8 * 0xa, U(0x00029abcdef00303));
    golden_put(g, U(0x000e9abcdef00000) + 8 * 3, U(0x00012300000007fd));
}

static void run_case(gconstpointer data)
{
    const Case *c = data;
    g_autoptr(Golden) g = golden_new();
    Smmu3Transaction t = golden_read(0x33, c->t.addr);
    Smmu3Translation result;
    Smmu3Outcome outcome;

    golden_ste(g, 0x33, c->ste[0], c->ste[1], c->ste[2], c->ste[3]);
    golden_put4(g, G_CD, c->cd[0], c->cd[1], c->cd[2], c->cd[3]);
    put_stage1_tables(g);
    put_stage2_tables(g);
    golden_start(g);
    t.access = c->t.access == 'w' ? SMMU3_WRITE : SMMU3_READ;
    t.ind = c->t.access == 'x';
    t.priv = c->t.priv;
    t.ssv = c->t.ssid >= 0;
    t.ssid = t.ssv ? c->t.ssid : 0;
    outcome = smmu3_translate(g->smmu, &t, &result);
    g_assert_cmpint(outcome, ==, c->outcome == PASSES ? SMMU3_OK :
                                 c->outcome == RAZWI ? SMMU3_RAZWI :
                                 SMMU3_ABORT);
    if (c->outcome == PASSES) {
        g_assert_cmphex(result.pa, ==, c->pa);
    } else if (c->outcome > 0) {
        golden_event_type(g, c->outcome);
    }
    golden_no_event(g);
}

/* ---- STE: what is common, and stage 1 ---------------------------------- */

#define CD1 { G_CD1(0xcafe) }

static const Case ste1_cases[] = {
    { "plain", STE1, CD1, R(0x40001234), TO(0x123440001234) },
    { "v-0", { G_CD | 0xa, 0xd6 }, CD1, R(0x40001234), 0x04 },
    { "config-0", { U(0xffffffffffffff01), ~0ull, ~0ull, ~0ull }, CD1,
      R(0x40001234), SILENT, SHOWS("24") },
    { "config-3", { U(0xffffffffffffff07), ~0ull, ~0ull, ~0ull }, CD1,
      R(0x40001234), SILENT, SHOWS("24") },
    { "config-4", { G_CD | 0x9, 0xd6 }, CD1, R(0x40001234), TO(0x40001234) },
    /* S1CDMax=1, two CDs from G_CD - 0x40 on; SubstreamIDs 1 and 2 */
    { "s1cdmax-1", { U(0x080000000000000b) | (G_CD - 0x40), 0xd6 }, CD1,
      { 0x40001234, 'r', false, 1 }, TO(0x123440001234) },
    { "s1cdmax-1-exceeded", { U(0x080000000000000b) | (G_CD - 0x40), 0xd6 },
      CD1, { 0x40001234, 'r', false, 2 }, 0x08 },
    { "s1cdmax-16", { U(0x800000000000000b) | U(0x8000000800000), 0xd6 },
      CD1, { 0x40001234, 'r', false, 0x10000 }, 0x08 },
    { "s1dss-0", { U(0x080000000000000b) | G_CD, 0xd4 }, CD1, R(0x40001234),
      0x06 },
    { "s1dss-1", { U(0x080000000000000b) | G_CD, 0xd5 }, CD1, R(0x40001234),
      TO(0x40001234), SHOWS("41") },
    /* CD 0 is at G_CD - 0x40, where nothing is; S1DSS=2 fetches it */
    { "s1dss-2", { U(0x080000000000000b) | G_CD, 0xd6 }, CD1, R(0x40001234),
      0x0a },
    { "s1dss-2-refuses-substream-0", { U(0x080000000000000b) | G_CD, 0xd6 },
      CD1, { 0x40001234, 'r', false, 0 }, 0x06, SHOWS("40") },
    { "s1stalld-0", { G_CD | 0xb, 0x000000d6 },
      { U(0xcafe7205c0003519), G_S1, 0, 0xff }, R(0x40001234),
      TO(0x123440001234) },
    { "s1stalld-1", { G_CD | 0xb, 0x080000d6 },
      { U(0xcafe7205c0003519), G_S1, 0, 0xff }, R(0x40001234), 0x0a,
      SHOWS("46") },
    { "s1mpam-is-no-s1stalld", { G_CD | 0xb, 0x040000d6 },
      { U(0xcafe7205c0003519), G_S1, 0, 0xff }, R(0x40001234),
      TO(0x123440001234) },
    { "eats-1-is-no-s1stalld", { G_CD | 0xb, 0x100000d6 },
      { U(0xcafe7205c0003519), G_S1, 0, 0xff }, R(0x40001234),
      TO(0x123440001234) },
    { "s1dss-3", { U(0x080000000000000b) | G_CD, 0xd7 }, CD1, R(0x40001234),
      0x06, SHOWS("39") },
    /* S1Fmt=3 is linear */
    { "s1fmt-3", { U(0x080000000000003b) | (G_CD - 0x40), 0xd6 }, CD1,
      { 0x40001234, 'r', false, 1 }, TO(0x123440001234), SHOWS("28") },
    /* S1Fmt is of no account for one CD, nor are the reserved bits */
    { "bits-beside-config", { U(0x07f000000000001b) | G_CD,
      U(0x0000101f800000d6) }, CD1, R(0x80001234), TO(0x123480001234) },
    /* STRW: 2 is NS-EL2, which has one privilege; MTCFG and MemAttr set */
    { "strw-0", { G_CD | 0xb, U(0x0000101f000000d6) }, CD1, R(0x80001234),
      0x13, SHOWS("29") },
    { "strw-1", { G_CD | 0xb, U(0x0000101f400000d6) }, CD1, R(0x80001234),
      0x04, SHOWS("29") },
    { "strw-2", { G_CD | 0xb, U(0x0000101f800000d6) }, CD1, R(0x80001234),
      TO(0x123480001234), SHOWS("29 68") },
    /* PRIVCFG and INSTCFG, the IMPLEMENTATION DEFINED bits above set */
    { "privcfg-0", { G_CD | 0xb, U(0xfff00000000000d6) }, CD1,
      R(0x80001234), 0x13 },
    { "privcfg-1", { G_CD | 0xb, U(0xfff51000000000d6) }, CD1,
      R(0x80001234), 0x13 },
    { "privcfg-2", { G_CD | 0xb, U(0xfff61000000000d6) }, CD1,
      PRIV(0x80001234), 0x13, SHOWS("67") },
    { "privcfg-3", { G_CD | 0xb, U(0xfff31000000000d6) }, CD1,
      R(0x80001234), TO(0x123480001234), SHOWS("67") },
    { "instcfg-0", { G_CD | 0xb, U(0xfff20000000000d6) }, CD1,
      FETCH(0x180001234), 0x13 },
    { "instcfg-2", { G_CD | 0xb, U(0xfff8c000000000d6) }, CD1,
      FETCH(0x180001234), TO(0x123580001234), SHOWS("67") },
    { "instcfg-3", { G_CD | 0xb, U(0x000e2000000000d6) }, CD1,
      R(0x180001234), 0x13, SHOWS("67") },
    { "instcfg-1", { G_CD | 0xb, U(0x00043000000000d6) }, CD1,
      R(0x180001234), TO(0x123580001234) },
};

/* ---- STE: stage 2 ------------------------------------------------------ */

#define STE2(w2, w3) { 0xd, U(0x0000100000000000), w2, w3 }
#define NO_CD { 0, 0, 0, 0 }
#define IPA1 U(0x40001234)

static const Case ste2_cases[] = {
    { "plain", STE2(U(0x040d35590000b00d), G_S2), NO_CD, R(IPA1),
      TO(0xb00040001234) },
    /* The reserved and IMPLEMENTATION DEFINED bits beside the fields set */
    { "bits-beside", { U(0x000fffffffffffed), U(0xfff0100000000f00),
      U(0x040d3559ffff8001), G_S2 | U(0xfff0000000000007) }, NO_CD, R(IPA1),
      TO(0xb00040001234) },
    { "s2t0sz-25-inside", STE2(U(0x040d35590000b00d), G_S2), NO_CD,
      R(0x7fc0001234), TO(0xb00080001234) },
    { "s2t0sz-25-outside", STE2(U(0x040d35590000b00d), G_S2), NO_CD,
      R(0x8000001234), 0x10 },
    /* S2SL0=0, level 2: 30 bits of input */
    { "s2sl0-0", STE2(U(0x040d352200000001), S2_LOW), NO_CD, R(0x20001234),
      TO(0x555555201234) },
    /* S2SL0=2, level 0: 48 bits of input */
    { "s2sl0-2", STE2(U(0x040d359000000001), S2_LOW), NO_CD,
      R(0x7f8040001234), TO(0xb00040001234) },
    /* S2SL0=3, level 3, with small tables: 16 bits of input */
    { "s2sl0-3", STE2(U(0x040d35f000000001), S2_LOW), NO_CD, R(0x5abc),
      TO(0x666677778abc), SHOWS("35") },
    { "s2tg-1", STE2(U(0x040e755900000001), S_64K), NO_CD,
      R(U(0x9) << 29 | 0x1234), TO(0xe123420001234) },
    { "s2tg-2", STE2(U(0x040db55c00000001), S_16K), NO_CD,
      R(U(0x9) << 25 | 0x1234), TO(0x12340a001234) },
    { "s2ps-4-inside", STE2(U(0x040c355900000001), S2_LOW), NO_CD, R(0x1234),
      TO(0x080000001234) },
    { "s2ps-4-outside", STE2(U(0x040c355900000001), S2_LOW), NO_CD, R(IPA1),
      0x11 },
    { "s2ps-3-outside", STE2(U(0x040b355900000001), S2_LOW), NO_CD, R(0x1234),
      0x11 },
    { "s2aa64-0", STE2(U(0x0405355900000001), G_S2), NO_CD, R(IPA1), 0x04 },
    { "s2aa64-0-s2endi-1", STE2(U(0x0415355900000001), G_S2), NO_CD, R(IPA1),
      0x04 },
    { "s2endi-1", STE2(U(0x041d355900000001), G_S2), NO_CD,
      R(U(0x1c0001234)), TO(0xb00040001234) },
    { "s2endi-0", STE2(U(0x040d355900000001), G_S2), NO_CD,
      R(U(0x1c0001234)), 0x10 },
    { "s2affd-0", STE2(U(0x045d355900000001), G_S2), NO_CD, R(G_VA(4)), 0x10 },
    { "s2affd-0-alone", STE2(U(0x044d355900000001), G_S2), NO_CD,
      R(G_VA(4)), 0x12 },
    { "s2affd-1", STE2(U(0x042d355900000001), G_S2), NO_CD, R(G_VA(4)),
      TO(0xb000c0000000) },
    { "s2ha-1", STE2(U(0x050d355900000001), G_S2), NO_CD, R(G_VA(4)),
      TO(0xb000c0000000) },
    { "s2s-is-no-s2ha", STE2(U(0x020d355900000001), G_S2), NO_CD, R(G_VA(4)),
      0x12 },
    { "s2hd-0", STE2(U(0x050d355900000001), G_S2), NO_CD, W(G_VA(5)), 0x13 },
    { "s2hd-1", STE2(U(0x058d355900000001), G_S2), NO_CD, W(G_VA(5)),
      TO(0xb00100000000) },
    { "contiguous-is-no-dbm", STE2(U(0x058d355900000001), G_S2), NO_CD,
      W(G_VA(6)), 0x13 },
    { "s2hd-1-without-s2ha", STE2(U(0x048d355900000001), G_S2), NO_CD,
      W(G_VA(5)), 0x13 },
    { "s2r-0", STE2(U(0x000d355900000001), G_S2), NO_CD, R(G_VA(2)), SILENT },
    { "s2haft-is-no-s2r", STE2(U(0x080d355900000001), G_S2), NO_CD,
      R(G_VA(2)), SILENT },
    { "s2r-1", STE2(U(0x040d355900000001), G_S2), NO_CD, R(G_VA(2)), 0x10 },
    { "s2s-1-records", STE2(U(0x020d355900000001), G_S2), NO_CD, R(G_VA(2)),
      0x10 },
    /* A table of two entries, 16 bytes, at an odd place: 31 bits of input */
    { "s2ttb-bit-4", STE2(U(0x040d356100000001), S2_LOW | 0x10), NO_CD,
      R(IPA1), TO(0x444440001234) },
    /* S2DS=1, S2SL0_2=1: level -1 */
    { "s2ds-and-s2sl0-2", STE2(U(0x040e350c00000001), S_DS | 0xc), NO_CD,
      R(U(0xa018012345678)), TO(0xd230012345678) },
    { "s2sl0-2-without-s2ds", STE2(U(0x040d355900000001), G_S2 | 0x4), NO_CD,
      R(IPA1), TO(0xb00040001234) },
    /* Then bits 9:8 of a descriptor are address bits */
    { "s2ds-without-s2sl0-2", STE2(U(0x040d355900000001), G_S2 | 0x8), NO_CD,
      R(IPA1), 0x11 },
};

/* ---- CD ---------------------------------------------------------------- */

#define UPPER(i) (U(0xffffff8000000000) | G_VA(i))

static const Case cd_cases[] = {
    { "plain", STE1, CD1, R(0x40001234), TO(0x123440001234) },
    { "v-0", STE1, { U(0xcafe620540003519), G_S1, 0, 0xff }, R(0x40001234),
      0x0a },
    { "t0sz-25-inside", STE1, CD1, R(0x7fc0001234), TO(0x123640001234) },
    { "t0sz-25-outside", STE1, CD1, R(0x8000001234), 0x10 },
    /* TG0=1 and 2, one block: 512 MiB by 25, 32 MiB by 28; IPS=6, TTB0 */
    { "tg0-1", STE1, { U(0xcafe6206c0003559), S_64K, 0, 0xff },
      R(U(5) << 29 | 0x1234), TO(0xe1234a0001234) },
    { "tg0-2", STE1, { U(0xcafe6205c000359c), S_16K, 0, 0xff },
      R(U(5) << 25 | 0x1234), TO(0x12340a001234) },
    /* 31 bits: two entries, at TTB0 bit 4 */
    { "ttb0-bit-4", STE1, { U(0xcafe6205c0003521), S1_LOW | 0x10, 0, 0xff },
      R(0x40001234), TO(0x444440001234) },
    { "ttb1-bit-4", STE1, { U(0xcafe6205b5a17500), 0, S1_LOW | 0x10, 0xff },
      R(U(0xffffffffc0001234)), TO(0x444440001234) },
    /* The reserved and the ignored bits beside the fields set */
    { "bits-beside", STE1, { U(0xcafee225c0003519), G_S1 |
      U(0xfff0000000000009), U(0xfbfffffffffffff9), 0xff },
      R(0x40001234), TO(0x123440001234) },
    { "epd0-1", STE1, { U(0xcafe6205c0007519), G_S1, 0, 0xff },
      R(0x40001234), 0x10, SHOWS("47") },
    { "endi-1", STE1, { U(0xcafe6205c000b519), G_S1, 0, 0xff },
      R(U(0x1c0001234)), TO(0x123440001234) },
    { "epd1-1", STE1, { U(0xcafe6205f5993519), G_S1, S1_B, 0xff },
      R(UPPER(1) | 0x1234), 0x10 },
    { "epd1-0", STE1, { U(0xcafe6205b5993519), G_S1, S1_B, 0xff },
      R(UPPER(1) | 0x1234), TO(0x124440001234) },
    { "t1sz-25-inside", STE1, { U(0xcafe6205b5993519), G_S1, S1_B, 0xff },
      R(UPPER(0x1ff) | 0x1234), TO(0x124640001234) },
    { "t1sz-25-outside", STE1, { U(0xcafe6205b5993519), G_S1, S1_B, 0xff },
      R(U(0xffffff7fc0001234)), 0x10 },
    { "tg1-3", STE1, { U(0xcafe6206b5d97519), 0, S_64K, 0xff },
      R(U(0xffffff80a0001234)), TO(0xe1234a0001234) },
    { "tg1-1", STE1, { U(0xcafe6205b55c7519), 0, S_16K, 0xff },
      R(U(0xfffffff00a001234)), TO(0x12340a001234) },
    { "ips-4-inside", STE1, { U(0xcafe6204c0003519), S1_LOW, 0, 0xff },
      R(0x1234), TO(0x080000001234) },
    { "ips-4-outside", STE1, { U(0xcafe6204c0003519), S1_LOW, 0, 0xff },
      R(0x40001234), 0x11 },
    { "ips-3-outside", STE1, { U(0xcafe6203c0003519), S1_LOW, 0, 0xff },
      R(0x1234), 0x11 },
    { "affd-is-not-of-ips", STE1, { U(0xcafe620cc0003519), S1_LOW, 0, 0xff },
      R(0x40001234), 0x11 },
    { "wxn-is-no-affd", STE1, { U(0xcafe6215c0003519), G_S1, 0, 0xff },
      R(G_VA(4)), 0x12 },
    { "affd-0", STE1, { U(0xcafe62c5c0003519), G_S1, 0, 0xff }, R(G_VA(4)),
      0x12, SHOWS("58") },
    { "affd-1", STE1, { U(0xcafe620dc0003519), G_S1, 0, 0xff }, R(G_VA(4)),
      TO(0x123500000000), SHOWS("58") },
    { "wxn-0", STE1, { U(0xcafe622dc0003519), G_S1, 0, 0xff },
      PFETCH(0x80001234), TO(0x123480001234), SHOWS("65") },
    { "wxn-1", STE1, { U(0xcafe6215c0003519), G_S1, 0, 0xff },
      PFETCH(0x80001234), 0x13, SHOWS("65") },
    { "tbi0-0", STE1, { U(0xcafe62a5b5993519), G_S1, S1_B, 0xff },
      R(U(0xa500000040001234)), 0x10, SHOWS("53") },
    { "tbi0-1", STE1, { U(0xcafe6245b5993519), G_S1, S1_B, 0xff },
      R(U(0xa500000040001234)), TO(0x123440001234), SHOWS("53") },
    { "tbi1-0", STE1, { U(0xcafe6345b5993519), G_S1, S1_B, 0xff },
      R(U(0x5affff8040001234)), 0x10, SHOWS("53") },
    { "tbi1-1", STE1, { U(0xcafe6285b5993519), G_S1, S1_B, 0xff },
      R(U(0x5affff8040001234)), TO(0x124440001234), SHOWS("53") },
    { "pan-0", STE1, { U(0xcafe6285c0003519), G_S1, 0, 0xff },
      PRIV(0x40001234), TO(0x123440001234), SHOWS("64") },
    { "pan-1", STE1, { U(0xcafe6305c0003519), G_S1, 0, 0xff },
      PRIV(0x40001234), 0x13, SHOWS("64") },
    { "pan-1-fetch", STE1, { U(0xcafe6305c0003519), G_S1, 0, 0xff },
      PFETCH(0xc0001234), TO(0x1234c0001234), SHOWS("64") },
    { "aa64-0", STE1, { U(0xcafe6405c0003519), G_S1, 0, 0xff },
      R(0x40001234), 0x0a },
    { "ha-1", STE1, { U(0xcafe6a05c0003519), G_S1, 0, 0xff }, R(G_VA(4)),
      TO(0x123500000000) },
    { "s-is-no-ha", STE1, { U(0xcafe7205c0003519), G_S1, 0, 0xff },
      R(G_VA(4)), 0x12 },
    { "hd-0", STE1, { U(0xcafe6a05c0003519), G_S1, 0, 0xff }, W(G_VA(5)),
      0x13 },
    { "hd-1", STE1, { U(0xcafe6e05c0003519), G_S1, 0, 0xff }, W(G_VA(5)),
      TO(0x123540000000) },
    { "contiguous-is-no-dbm", STE1, { U(0xcafe6e05c0003519), G_S1, 0, 0xff },
      W(G_VA(10)), 0x13 },
    { "hd-1-without-ha", STE1, { U(0xcafe6605c0003519), G_S1, 0, 0xff },
      W(G_VA(5)), 0x13 },
    { "s-1-records", STE1, { U(0xcafe5205c0003519), G_S1, 0, 0xff },
      R(G_VA(0x10)), 0x10 },
    { "r-0", STE1, { U(0xcafe4205c0003519), G_S1, 0, 0xff }, R(G_VA(0x10)),
      SILENT, SHOWS("91") },
    { "a-0-r-0", STE1, { U(0xcafe8205c0003519), G_S1, 0, 0xff },
      R(G_VA(0x10)), RAZWI, SHOWS("91") },
    { "had0-0", STE1, { U(0xcafe6205c0003519), G_S1, 0, 0xff },
      R(U(0x200001234)), 0x13, SHOWS("66") },
    { "had0-1", STE1, { U(0xcafe6205c0003519), G_S1 | 0x2, 0, 0xff },
      R(U(0x200001234)), TO(0x123480001234), SHOWS("66") },
    /* APTable[1] holds for the privileged, whom E0PD does not keep out */
    { "e0pd0-is-no-had0", STE1, { U(0xcafe6205c0003519), G_S1 | 0x4, 0,
      0xff }, { G_VA(9), 'w', true, -1 }, 0x13, SHOWS("66") },
    { "e0pd1-is-no-had1", STE1, { U(0xcafe6205b5993519), G_S1, S1_B | 0x4,
      0xff }, { UPPER(9), 'w', true, -1 }, 0x13, SHOWS("66") },
    { "ttb1-bits-beside", STE1, { U(0xcafe6205b5993519), G_S1,
      S1_B | U(0xfbf0000000000001), 0xff }, R(UPPER(1) | 0x1234),
      TO(0x124440001234) },
    { "had1-0", STE1, { U(0xcafe6205b5993519), G_S1, S1_B | 0x1, 0xff },
      R(UPPER(8) | 0x1234), 0x13, SHOWS("66") },
    { "had1-1", STE1, { U(0xcafe6205b5993519), G_S1, S1_B | 0x2, 0xff },
      R(UPPER(8) | 0x1234), TO(0x123480001234), SHOWS("66") },
    { "e0pd0-1", STE1, { U(0xcafe6205c0003519), G_S1 | 0x4, 0, 0xff },
      R(0x40001234), 0x10, SHOWS("74") },
    { "e0pd1-1", STE1, { U(0xcafe6205b5993519), G_S1, S1_B | 0x4, 0xff },
      R(UPPER(1) | 0x1234), 0x10, SHOWS("74") },
    { "haft-is-neither", STE1, { U(0xcafe6205b5993519), G_S1 | 0x8,
      S1_B | 0x8, 0xff }, R(UPPER(1) | 0x1234), TO(0x124440001234) },
    /* DS: a level 0 block, bits 9:8 of which are OA[51:50]; 43 bits */
    { "ds-1", STE1, { U(0xcafe6206c0003515), S_DS, U(0x0400000000000000),
      0xff }, R(0x1234), TO(0xc340000001234) },
    { "ds-0", STE1, { U(0xcafe6205c0003515), S1_LOW, U(0xfbfffffffffffff9),
      0xff }, R(0x1234), 0x10 },
};

/* ---- What more than one case shows ------------------------------------- */

/* S1Fmt=1: L1CD bit 0 V, bits 51:12 L2Ptr; 64 CDs each. */
static void l1cd_4k(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, U(0x380800000004205b) | U(0x80), 0xd6, 0, 0);
    golden_put(g, U(0x80000000420c0), U(0x00005a5a5a5a5ffe));   /* V=0 */
    golden_put(g, U(0x80000000420c8), U(0xfff9a5a5a5a5a001));
    golden_put4(g, U(0x9a5a5a5a5a000) + 64 * 5, G_CD1(0xcafe));
    golden_put(g, G_S1 + 8, U(0x123440000000) | G_USER_RW);
    golden_start(g);
    golden_passes(g, golden_ssid(golden_read(0x33, 0x40001234), 0x45),
                  U(0x123440001234));
    golden_aborts(g, golden_ssid(golden_read(0x33, 0x40001234), 0x05));
    golden_event(g, U(0x0000003300005008), 0, 0, 0);
    golden_aborts(g, golden_ssid(golden_read(0x33, 0x40001234), 0x80));
    golden_event(g, U(0x0000003300080008), 0, 0, 0);
}

/* S1Fmt=2: 1024 CDs each. */
static void l1cd_64k(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, U(0xa00800000000002b) | U(0x6000), 0xd6, 0, 0);
    golden_put(g, U(0x8000000006000) + 8 * 0x3fb, U(0x000e0000000f0001));
    golden_put4(g, U(0xe0000000f0000) + 64 * 0x1cb, G_CD1(0xcafe));
    golden_put(g, G_S1 + 8, U(0x123440000000) | G_USER_RW);
    golden_start(g);
    golden_passes(g, golden_ssid(golden_read(0x33, 0x40001234), 0xfedcb),
                  U(0x123440001234));
}

/*
 * STRTAB_BASE_CFG: LOG2SIZE, FMT=1 and each SPLIT; L1STD: Span in bits 4:0,
 * L2Ptr in bits 51:6, the reserved bits beside them set.
 */
static void l1std(void)
{
    static const struct {
        uint32_t cfg, sid;
        uint64_t entry;         /* of the first level */
        uint64_t l1std, ste;
    } cases[] = {
        { 0x00010194, 0x8765a, U(0x21d9), U(0xfff9a5a5a5a5a027),
          U(0x9a5a5a5a5a000) + 64 * 0x1a },
        { 0x00010214, 0x8765a, U(0x876), U(0xfff9a5a5a5a58029),
          U(0x9a5a5a5a58000) + 64 * 0x5a },
        { 0x00010294, 0x8765a, U(0x21d), U(0xfff9a5a5a5a5002b),
          U(0x9a5a5a5a50000) + 64 * 0x25a },
        /* Span=1: one STE, anywhere */
        { 0x00010194, 0x87640, U(0x21d9), U(0x0009a5a5a5a5a0c1),
          U(0x9a5a5a5a5a0c0) },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_create(g);
        golden_w64(g, 0x080, U(0xc000000020000));
        golden_w32(g, 0x088, cases[i].cfg);
        golden_put(g, U(0xc000000020000) + 8 * cases[i].entry,
                   cases[i].l1std);
        golden_put4(g, cases[i].ste, 0x9, U(0x100000000000), 0, 0);
        golden_start(g);
        golden_passes(g, golden_read(cases[i].sid, 0x1234), 0x1234);
        golden_aborts(g, golden_read(0x100000, 0x1234));
        golden_event(g, U(0x0010000000000002), 0, 0, 0);
    }
}

/* Span has five bits: 12 and 17 are too much, whatever SPLIT. */
static void l1std_span(void)
{
    static const uint64_t spans[] = { 0x0, 0xc, 0x10, 0x11, 0x1f };

    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_create(g);
        golden_w64(g, 0x080, U(0xc000000020000));
        golden_w32(g, 0x088, 0x00010294);
        golden_put(g, U(0xc000000020000) + 8 * 0x21d,
                   U(0x0009a5a5a5a40000) | spans[i]);
        golden_put4(g, U(0x9a5a5a5a40000), 0x9, U(0x100000000000), 0, 0);
        golden_start(g);
        golden_aborts(g, golden_read(0x87400, 0x1234));
        golden_event(g, U(0x0008740000000002), 0, 0, 0);
    }
}

/* RECINVSID=0: whatever makes a StreamID invalid leaves no record. */
static void l1std_unrecorded(void)
{
    static const struct {
        uint32_t sid;
        uint64_t span;
    } cases[] = {
        { 0x100000, 0xb }, { 0x87400, 0x0 }, { 0x87401, 0x1 },
        { 0x87600, 0xa }, { 0x87400, 0xc }, { 0x87400, 0x1f },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Transaction t = golden_read(cases[i].sid, 0x1234);
        g_autoptr(Golden) g = golden_new();
        Smmu3Translation result;

        g->cr2 = 0;
        golden_create(g);
        golden_w64(g, 0x080, U(0xc000000020000));
        golden_w32(g, 0x088, 0x00010294);
        golden_put(g, U(0xc000000020000) + 8 * 0x21d,
                   U(0x0009a5a5a5a40000) | cases[i].span);
        golden_start(g);
        g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==,
                        SMMU3_ABORT);
        g_assert_cmphex(result.fault, ==, 0x02);
        golden_no_event(g);
    }
}

/* One STE, its address with the lowest bit that there can be. */
static void strtab_of_one(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_create(g);
    golden_w64(g, 0x080, U(0x800000001c040));
    golden_w32(g, 0x088, 0);
    golden_put4(g, U(0x800000001c040), 0x9, U(0x100000000000), 0, 0);
    golden_start(g);
    golden_passes(g, golden_read(0, 0x1234), 0x1234);
}

/* S2PTW and S2FWB: stage 1's table in Device memory. */
static void s2ptw(void)
{
    static const struct {
        uint64_t w1, w2;
        uint64_t memattr;       /* of the table's block, bits 5:2 */
        unsigned event;
    } cases[] = {
        { 0, U(0x040d355900000001), 0x04, 0 },
        { 0, U(0x044d355900000001), 0x04, 0x13 },
        { 0, U(0x044d355900000001), 0x3c, 0 },
        { 0, U(0x044d355900000001), 0x28, 0 },          /* write-through */
        { 0, U(0x058d355900000001), 0x04, 0 },          /* S2HA, S2HD */
        { 0x02000000, U(0x044d355900000001), 0x18, 0 },
        { 0x02000000, U(0x044d355900000001), 0x08, 0x13 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_ste(g, 0x33, U(0x7fc0abc00f),
                   U(0x1000000000d6) | cases[i].w1, cases[i].w2, G_S2);
        golden_put4(g, U(0xb000c0abc000), G_CD_W0(1), U(0x7f81234000), 0,
                    0xff);
        golden_put(g, G_S2 + 8 * 0x1ff, U(0xb000c0000000) | G_S2_RW);
        golden_put(g, G_S2 + 8 * 0x1fe,
                   U(0xb000800007c1) | cases[i].memattr);
        golden_put(g, G_S2 + 8 * 1, U(0xc00040000000) | G_S2_RW);
        golden_put(g, U(0xb00081234000) + 8 * 3, U(0x40000000) | G_USER_RW);
        golden_start(g);
        if (cases[i].event) {
            golden_aborts(g, golden_read(0x33, U(0xc0001234)));
            golden_event_type(g, cases[i].event);
        } else {
            golden_passes(g, golden_read(0x33, U(0xc0001234)),
                          U(0xc00040001234));
        }
    }
}

/* No legal transaction tells S2FWB from its absence, so ask the decoder. */
static void s2fwb(void)
{
    static const uint64_t with[8] = { 0xd, 0x02000000,
                                      U(0x040d355900000001), G_S2 };
    static const uint64_t without[8] = { 0xd, 0x05f00000,
                                         U(0x040d355900000001), G_S2 };
    g_autoptr(Golden) g = golden_new();
    Smmu3Stream stream;

    g_assert_cmpint(smmu3_ste_decode(&g->features, false, with, &stream), ==,
                    0);
    g_assert_true(stream.stage2.fwb);
    g_assert_cmpint(smmu3_ste_decode(&g->features, false, without, &stream),
                    ==, 0);
    g_assert_false(stream.stage2.fwb);
    golden_create(g);
}

/* What a feature's absence makes of two fields, and byte order of one. */
static void by_features(void)
{
    static const struct {
        size_t feature;
        unsigned value;
        uint64_t ste[4], cd0;
        unsigned event;         /* or 0 */
    } cases[] = {
        /* VMID16=0: bits 15:8, and no more, have to be 0 */
        { offsetof(Smmu3Features, vmid16), 0,
          { G_CD | 0xb, 0xd6, 0xffff00ff }, U(0xcafe6205c0003519), 0 },
        { offsetof(Smmu3Features, vmid16), 0,
          { G_CD | 0xb, 0xd6, 0x00008000 }, U(0xcafe6205c0003519), 0x04 },
        /* CD2L=0: S1Fmt=1 or 2 with S1CDMax=1 */
        { offsetof(Smmu3Features, cd2l), 0,
          { G_CD | U(0x080000000000001b), 0xd6 }, 0, 0x04 },
        { offsetof(Smmu3Features, cd2l), 0,
          { G_CD | U(0x080000000000002b), 0xd6 }, 0, 0x04 },
        /* TTENDIAN=2: little; 3: big */
        { offsetof(Smmu3Features, ttendian), 2, { G_STE1(G_CD) },
          U(0xcafe6205c0003519), 0 },
        { offsetof(Smmu3Features, ttendian), 2, { G_STE1(G_CD) },
          U(0xcafe6205c000b519), 0x0a },
        { offsetof(Smmu3Features, ttendian), 3, { G_STE1(G_CD) },
          U(0xcafe6205c0003519), 0x0a },
        { offsetof(Smmu3Features, ttendian), 3, { G_STE1(G_CD) },
          U(0xcafe6205c000b519), 0x10 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        *(uint16_t *)((char *)&g->features + cases[i].feature) =
            cases[i].value;
        golden_ste(g, 0x33, cases[i].ste[0], cases[i].ste[1],
                   cases[i].ste[2], cases[i].ste[3]);
        golden_put4(g, G_CD, cases[i].cd0, G_S1, 0, 0xff);
        put_stage1_tables(g);
        golden_start(g);
        if (cases[i].event) {
            golden_aborts(g, golden_read(0x33, 0x40001234));
            golden_event_type(g, cases[i].event);
        } else {
            golden_passes(g, golden_read(0x33, 0x40001234),
                          U(0x123440001234));
        }
    }
}

/* CD.S and STE.S2S: the requester that can wait does. */
static void stall_bits(void)
{
    static const struct {
        uint64_t ste2, cd0;     /* word 2 of an STE of stage 2, or 0 */
        bool stalls;
    } cases[] = {
        { 0, U(0xcafe7205c0003519), true },
        { 0, U(0xcafe6205c0003519), false },
        { 0, U(0xcafeea05c0003519), false },    /* ASET, HA */
        { U(0x060d355900000001), 0, true },
        { U(0x050d355900000001), 0, false },    /* S2HA */
        { U(0x040d355900000001), 0, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();
        Smmu3Transaction t = golden_read(0x33, 0x40001234);
        Smmu3Translation result;

        if (cases[i].ste2) {
            golden_ste(g, 0x33, 0xd, 0, cases[i].ste2, G_S2);
            golden_put(g, G_S2 + 8, 0);
        } else {
            golden_ste(g, 0x33, G_STE1(G_CD));
            golden_put4(g, G_CD, cases[i].cd0, G_S1, 0, 0xff);
            golden_put(g, G_S1 + 8, 0);
        }
        golden_start(g);
        t.may_stall = true;
        t.cookie = g;
        g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==,
                        cases[i].stalls ? SMMU3_STALLED : SMMU3_ABORT);
        golden_event_type(g, 0x10);
    }
}

/*
 * CD.ASET: a global entry that one context has cached serves others of the
 * same ASET. So the tables are changed behind its back, to see who uses it.
 */
static void aset(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x31, G_STE1(G_CD));
    golden_ste(g, 0x32, G_STE1(G_CD + 0x40));
    golden_ste(g, 0x33, G_STE1(G_CD + 0x80));
    golden_put4(g, G_CD, U(0x00016205c0003519), G_S1, 0, 0xff);
    golden_put4(g, G_CD + 0x40, U(0x0003e205c0003519), G_S1, 0, 0xff);
    golden_put4(g, G_CD + 0x80, U(0x00026205c0003519), G_S1, 0, 0xff);
    golden_put(g, G_S1 + 8, U(0x123440000741));         /* nG=0 */
    golden_start(g);
    golden_passes(g, golden_read(0x31, 0x40001234), U(0x123440001234));
    golden_put(g, G_S1 + 8, U(0x567840000741));
    golden_passes(g, golden_read(0x33, 0x40001234), U(0x123440001234));
    golden_passes(g, golden_read(0x32, 0x40001234), U(0x567840001234));
}

/* EATS: 0 none, 1 whole, 2 split; STRW, ignored over stage 2, beside it. */
static void eats(void)
{
    static const struct {
        uint64_t w1;
        Smmu3Outcome request;
        uint64_t answer;        /* to the request */
        unsigned translated;    /* event, or 0 */
        uint64_t pa;            /* of translated traffic to the answer */
    } cases[] = {
        { U(0x1000400000d6), SMMU3_ATS_UR, 0, 0x07, 0 },
        { U(0x1000500000d6), SMMU3_OK, U(0xc00040001234), 0,
          U(0xc00040001234) },
        { U(0x1000600000d6), SMMU3_OK, U(0x40001234), 0, U(0xc00040001234) },
        { U(0x1000700000d6), SMMU3_ATS_UR, 0, 0x07, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();
        Smmu3Transaction t = golden_read(0x33, U(0xc0001234));
        Smmu3Translation result;

        golden_ste(g, 0x33, U(0x7fc0abc00f), cases[i].w1,
                   U(0x040d355900000001), G_S2);
        golden_put4(g, U(0xb000c0abc000), G_CD_W0(1), U(0x7f81234000), 0,
                    0xff);
        golden_put(g, G_S2 + 8 * 0x1ff, U(0xb000c0000000) | G_S2_RW);
        golden_put(g, G_S2 + 8 * 0x1fe, U(0xb00080000000) | G_S2_RW);
        golden_put(g, G_S2 + 8 * 1, U(0xc00040000000) | G_S2_RW);
        golden_put(g, U(0xb00081234000) + 8 * 3, U(0x40000000) | G_USER_RW);
        golden_start(g);
        t.type = SMMU3_ATS_REQUEST;
        g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==,
                        cases[i].request);
        if (cases[i].request == SMMU3_OK) {
            g_assert_cmphex(result.pa, ==, cases[i].answer);
            g_assert_cmpint(result.access, ==, SMMU3_READ | SMMU3_WRITE);
        } else {
            golden_event_type(g, 0x05);
        }
        t.type = SMMU3_ATS_TRANSLATED;
        t.addr = cases[i].answer;
        if (cases[i].translated) {
            golden_aborts(g, t);
            golden_event_type(g, cases[i].translated);
        } else {
            golden_passes(g, t, cases[i].pa);
        }
    }
}

static void add_cases(const char *what, const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("/smmu3/golden/%s/%s", what,
                                                cases[i].name);

        conformance_test_data(path, &cases[i], run_case,
                              cases[i].items ? cases[i].items : "");
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    add_cases("ste", ste1_cases, G_N_ELEMENTS(ste1_cases));
    add_cases("ste-stage-2", ste2_cases, G_N_ELEMENTS(ste2_cases));
    add_cases("cd", cd_cases, G_N_ELEMENTS(cd_cases));
#define T(name, fn, items) conformance_test("/smmu3/golden/" name, fn, items)
    T("l1cd/4k", l1cd_4k, "43");
    T("l1cd/64k", l1cd_64k, "44");
    T("l1std/splits", l1std, "21");
    T("l1std/span", l1std_span, "18 19");
    T("l1std/unrecorded", l1std_unrecorded, "17");
    T("l1std/linear-of-one", strtab_of_one, "");
    T("ste/s2ptw", s2ptw, "72");
    T("ste/s2fwb", s2fwb, "");
    T("ste/by-features", by_features, "27 36");
    T("ste/stall-bits", stall_bits, "");
    T("ste/eats", eats, "100 101");
    T("cd/aset", aset, "115");
#undef T
    return conformance_run();
}
