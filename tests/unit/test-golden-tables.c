/*
 * Golden translation tables and GATOS: descriptors of each granule and level
 * as literal words (DDI 0487 D8.3), what each of their bits does, and what
 * GATOS_PAR says of it all (IHI 0070 9). Not the rules behind them: those are
 * in test-walk.c, test-stage2.c, test-httu.c and test-gatos.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "golden.h"

#define U(x) UINT64_C(x)

/* ---- Walks through all levels ------------------------------------------ */

typedef struct Walk {
    const char *name;
    uint64_t cd[4];
    uint64_t va, pa;
    unsigned size_log2;
    struct {
        uint64_t at, word;
    } entries[5];
} Walk;

static const Walk walks[] = {
    /* T0SZ=16: levels 0 to 3 */
    { "4k-page", { U(0x00016205c0003510), U(0x0000901234567000), 0, 0xff },
      U(0x0000a5b6c7d8e9f0), U(0x0000fb456789b9f0), 12,
      { { U(0x901234567a58), U(0x0000812345678003) },
        { U(0x8123456786d8), U(0x0000c23456789003) },
        { U(0xc234567891f0), U(0x0000a3456789a003) },
        { U(0xa3456789ac70), U(0x0000fb456789bf43) } } },
    { "4k-block-2m", { U(0x00016205c0003510), U(0x0000901234567000), 0,
      0xff }, U(0x0000a5b6c7d8e9f0), U(0x0000fb456798e9f0), 21,
      { { U(0x901234567a58), U(0x0000812345678003) },
        { U(0x8123456786d8), U(0x0000c23456789003) },
        { U(0xc234567891f0), U(0x0000fb4567800f41) } } },
    { "4k-block-1g", { U(0x00016205c0003510), U(0x0000901234567000), 0,
      0xff }, U(0x0000a5b6c7d8e9f0), U(0x0000fb4547d8e9f0), 30,
      { { U(0x901234567a58), U(0x0000812345678003) },
        { U(0x8123456786d8), U(0x0000fb4540000f41) } } },
    /* Contiguous: 16 pages, of which this is the 14th */
    { "4k-contiguous", { U(0x00016205c0003510), U(0x0000901234567000), 0,
      0xff }, U(0x0000a5b6c7d8e9f0), U(0x0000fb456789e9f0), 16,
      { { U(0x901234567a58), U(0x0000812345678003) },
        { U(0x8123456786d8), U(0x0000c23456789003) },
        { U(0xc234567891f0), U(0x0000a3456789a003) },
        { U(0xa3456789ac70), U(0x0010fb456789ef43) } } },
    /* Not contiguous, all other bits of software and hardware set: bits
       58:55, and AttrIndx, which names Normal memory everywhere */
    { "4k-bits-beside", { U(0x00016205c0003510), U(0x0000901234567000), 0,
      UINT64_MAX }, U(0x0000a5b6c7d8e9f0), U(0x0000fb456789e9f0), 12,
      { { U(0x901234567a58), U(0x0780812345678fff) },
        { U(0x8123456786d8), U(0x07ffc23456789fff) },
        { U(0xc234567891f0), U(0x0000a3456789a003) },
        { U(0xa3456789ac70), U(0x07effb456789ef7f) } } },
    /* T0SZ=16: level 0 with one bit, and 1 to 3 */
    { "16k-page", { U(0x00016205c0003590), U(0x0000901234564000), 0, 0xff },
      U(0x0000a5b6c7d8e9f0), U(0x0000fb456789e9f0), 14,
      { { U(0x901234564008), U(0x0000812345678003) },
        { U(0x8123456792d8), U(0x0000c23456788003) },
        { U(0xc23456789b18), U(0x0000a3456789c003) },
        { U(0xa3456789fb18), U(0x0000fb456789cf43) } } },
    { "16k-block-32m", { U(0x00016205c0003590), U(0x0000901234564000), 0,
      0xff }, U(0x0000a5b6c7d8e9f0), U(0x0000fb4567d8e9f0), 25,
      { { U(0x901234564008), U(0x0000812345678003) },
        { U(0x8123456792d8), U(0x0000c23456788003) },
        { U(0xc23456789b18), U(0x0000fb4566000f41) } } },
    /* 52 bits, T0SZ=12, IPS=6: OA[51:48] are bits 15:12 */
    { "64k-page", { U(0x00016206c000354c), U(0x000d901234560000), 0, 0xff },
      U(0x000ca5b6c7d8e9f0), U(0x0009fb456789e9f0), 16,
      { { U(0xd901234561948), U(0x000081234567b003) },
        { U(0xb812345676db0), U(0x0000c2345678e003) },
        { U(0xec23456783ec0), U(0x0000fb4567899f43) } } },
    { "64k-block-512m", { U(0x00016206c000354c), U(0x000d901234560000), 0,
      0xff }, U(0x000ca5b6c7d8e9f0), U(0x0006fb4567d8e9f0), 29,
      { { U(0xd901234561948), U(0x000081234567b003) },
        { U(0xb812345676db0), U(0x0000fb4560006f41) } } },
    { "64k-block-4t", { U(0x00016206c000354c), U(0x000d901234560000), 0,
      0xff }, U(0x000ca5b6c7d8e9f0), U(0x0008f9b6c7d8e9f0), 42,
      { { U(0xd901234561948), U(0x0000f80000008f41) } } },
    /* LPA2, T0SZ=12, DS: levels -1 to 3, OA[51:50] are bits 9:8 */
    { "4k-ds-page", { U(0x00016206c000350c), U(0x000d901234567000),
      U(0x0400000000000000), 0xff }, U(0x0005a5b6c7d8e9f0),
      U(0x0007fb456789b9f0), 12,
      { { U(0xd901234567028), U(0x0003812345678203) },
        { U(0xb812345678a58), U(0x0002c23456789303) },
        { U(0xec234567896d8), U(0x0001a3456789a203) },
        { U(0x9a3456789a1f0), U(0x0003b456789ab303) },
        { U(0xfb456789abc70), U(0x0003fb456789bd43) } } },
    { "4k-ds-block-512g", { U(0x00016206c000350c), U(0x000d901234567000),
      U(0x0400000000000000), 0xff }, U(0x0005a5b6c7d8e9f0),
      U(0x000afb36c7d8e9f0), 39,
      { { U(0xd901234567028), U(0x0003812345678203) },
        { U(0xb812345678a58), U(0x0002fb0000000e41) } } },
};

static void run_walk(gconstpointer data)
{
    const Walk *w = data;
    g_autoptr(Golden) g = golden_new();
    Smmu3Transaction t = golden_read(0x33, w->va);
    Smmu3Translation result;

    golden_ste(g, 0x33, G_STE1(G_CD));
    golden_put4(g, G_CD, w->cd[0], w->cd[1], w->cd[2], w->cd[3]);
    for (unsigned i = 0; i < 5 && w->entries[i].at; i++) {
        golden_put(g, w->entries[i].at, w->entries[i].word);
    }
    golden_start(g);
    g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, w->pa);
    g_assert_cmpuint(result.size_log2, ==, w->size_log2);
    golden_no_event(g);
    /* Without bit 0 of any of them there is no translation */
    for (unsigned i = 0; i < 5 && w->entries[i].at; i++) {
        golden_put(g, w->entries[i].at, w->entries[i].word & ~U(1));
        golden_forget(g);
        golden_aborts(g, t);
        golden_event_type(g, 0x10);
        golden_put(g, w->entries[i].at, w->entries[i].word);
    }
}

/* ---- The bits of a leaf ------------------------------------------------ */

/* A descriptor of level 1, and who may: r w x, and R W X privileged. */
typedef struct Rights {
    uint64_t table;             /* before it, or 0: it is the first */
    uint64_t leaf;
    const char *may;
} Rights;

static const Rights stage1_rights[] = {
    { 0, U(0x0000000000000f01), "xRWX" },       /* AP=00 */
    { 0, U(0x0000000000000f41), "rwxRW" },      /* AP=01 */
    { 0, U(0x0000000000000f81), "xRX" },        /* AP=10 */
    { 0, U(0x0000000000000fc1), "rxRX" },       /* AP=11 */
    { 0, U(0x0020000000000f81), "xR" },         /* PXN, bit 53 */
    { 0, U(0x0040000000000f81), "RX" },         /* UXN, bit 54 */
    { 0, U(0x0060000000000fc1), "rR" },
    { 0, U(0x0008000000000fc1), "rxRX" },       /* DBM: HD=0, no matter */
    { 0, U(0x0780000000000f41), "rwxRW" },      /* bits 58:55 */
    { 0, U(0x7fe0000000000fc1), "rR" },         /* no table: 62:59 */
    { U(0x0000777700000003), U(0x0000000000000f01), "xRWX" },
    { U(0x0800777700000003), U(0x0000000000000f81), "xR" },  /* PXNTable 59 */
    { U(0x1000777700000003), U(0x0000000000000f81), "RX" },  /* UXNTable 60 */
    { U(0x2000777700000003), U(0x0000000000000f41), "xRWX" }, /* APTable[0] */
    { U(0x4000777700000003), U(0x0000000000000f41), "rxRX" }, /* APTable[1] */
    { U(0x8000777700000003), U(0x0000000000000f41), "rwxRW" }, /* NSTable */
};

static const Rights stage2_rights[] = {
    { 0, U(0x000000000000073d), "xX" },         /* S2AP=00; XN=00 */
    { 0, U(0x000000000000077d), "rxRX" },
    { 0, U(0x00000000000007bd), "wxWX" },
    { 0, U(0x00000000000007fd), "rwxRWX" },
    { 0, U(0x002000000000077d), "rxR" },        /* XN=01, bits 54:53 */
    { 0, U(0x004000000000077d), "rR" },
    { 0, U(0x006000000000077d), "rRX" },
    { 0, U(0x000800000000077d), "rxRX" },       /* DBM: S2HD=0 */
    { 0, U(0x079000000000077d), "rxRX" },       /* the bits beside */
    /* There are no hierarchical rights of stage 2 */
    { U(0x7800777700000003), U(0x00000000000007fd), "rwxRWX" },
};

static void check_rights(const Rights *r, bool stage2)
{
    g_autoptr(Golden) g = golden_new();
    uint64_t root = stage2 ? G_S2 : G_S1;

    if (stage2) {
        golden_ste(g, 0x33, G_STE2(0xb00d));
    } else {
        golden_ste(g, 0x33, G_STE1(G_CD));
        golden_put4(g, G_CD, G_CD1(0xcafe));
    }
    golden_put(g, root + 8, r->table ? r->table : r->leaf);
    golden_put(g, U(0x777700000000), r->leaf);
    golden_start(g);
    for (const char *kind = "rwxRWX"; *kind; kind++) {
        Smmu3Transaction t = golden_read(0x33, 0x40001234);

        t.priv = g_ascii_isupper(*kind);
        t.access = g_ascii_tolower(*kind) == 'w' ? SMMU3_WRITE : SMMU3_READ;
        t.ind = g_ascii_tolower(*kind) == 'x';
        if (strchr(r->may, *kind)) {
            golden_passes(g, t, 0x1234);
        } else {
            golden_aborts(g, t);
            golden_event_type(g, 0x13);
        }
    }
}

static void rights_of_stage1(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(stage1_rights); i++) {
        check_rights(&stage1_rights[i], false);
    }
}

static void rights_of_stage2(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(stage2_rights); i++) {
        check_rights(&stage2_rights[i], true);
    }
}

/*
 * nG is bit 11: an entry without it outlives an invalidation by ASID, and not
 * one by address.
 */
static void not_global(void)
{
    for (unsigned ng = 0; ng < 2; ng++) {
        Smmu3Transaction t = golden_read(0x33, 0x40001234);
        g_autoptr(Golden) g = golden_new();

        golden_ste(g, 0x33, G_STE1(G_CD));
        golden_put4(g, G_CD, G_CD1(0xcafe));
        golden_put(g, G_S1 + 8, ng ? 0xf41 : 0x1741);
        golden_start(g);
        golden_passes(g, t, 0x1234);
        golden_put(g, G_S1 + 8, U(0x123440000741));
        golden_accept(g, U(0xcafe000000000011), 0);
        golden_accept(g, 0x46, 0);
        golden_passes(g, t, ng ? U(0x123440001234) : 0x1234);
        golden_accept(g, U(0x0001000000000012), 0x40001000);
        golden_accept(g, 0x46, 0);
        golden_passes(g, t, U(0x123440001234));
    }
}

/* ---- Updates by hardware (3.13) ---------------------------------------- */

/* The whole descriptor, before and after. */
static void updates(void)
{
    static const struct {
        uint64_t cd0;           /* stage 1, or 0 */
        uint64_t w2;            /* of the STE of stage 2 */
        bool write;
        uint64_t before, after;
    } cases[] = {
        /* HA; then HA and HD */
        { U(0xcafe6a05c0003519), 0, false,
          U(0x0000123440000b41), U(0x0000123440000f41) },
        { U(0xcafe6e05c0003519), 0, true,
          U(0x07e8123440000ffd), U(0x07e8123440000f7d) },
        { U(0xcafe6e05c0003519), 0, true,
          U(0x0008123440000bc1), U(0x0008123440000f41) },
        { U(0xcafe6e05c0003519), 0, false,
          U(0x0008123440000fc1), U(0x0008123440000fc1) },
        /* S2HA; then S2HA and S2HD */
        { 0, U(0x050d355900000001), false,
          U(0x00001234400003fd), U(0x00001234400007fd) },
        { 0, U(0x058d355900000001), true,
          U(0x000812344000077d), U(0x00081234400007fd) },
        { 0, U(0x058d355900000001), true,
          U(0x000812344000037d), U(0x00081234400007fd) },
        { 0, U(0x058d355900000001), false,
          U(0x000812344000077d), U(0x000812344000077d) },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t at = (cases[i].cd0 ? G_S1 : G_S2) + 8;
        g_autoptr(Golden) g = golden_new();

        if (cases[i].cd0) {
            golden_ste(g, 0x33, G_STE1(G_CD));
            golden_put4(g, G_CD, cases[i].cd0, G_S1, 0, UINT64_MAX);
        } else {
            golden_ste(g, 0x33, 0xd, 0, cases[i].w2, G_S2);
        }
        golden_put(g, at, cases[i].before);
        golden_start(g);
        golden_passes(g, cases[i].write ? golden_write(0x33, 0x40001234)
                                        : golden_read(0x33, 0x40001234),
                      U(0x123440001234));
        g_assert_cmphex(fake_read64(g->host, at), ==, cases[i].after);
    }
}

/* ---- GATOS (chapter 9) ------------------------------------------------- */

/* Ask by literal register writes; RUN is bit 0 of GATOS_CTRL. */
static uint64_t gatos(Golden *g, uint64_t sid, uint64_t addr)
{
    golden_w64(g, 0x108, sid);
    golden_w64(g, 0x110, addr);
    golden_w32(g, 0x100, 0x1);
    g_assert_cmphex(golden_r32(g, 0x100), ==, 0);
    return golden_r64(g, 0x118);
}

/*
 * Stage 1. TYPE=1 is bits 11:10, PnU bit 9, RnW bit 8, InD bit 7, HTTUI bit
 * 6. PAR: SH in 9:8, Size in 11, the address with the size in its lowest bit,
 * ATTR in 63:56.
 */
static void gatos_stage1(void)
{
    static const struct {
        uint64_t addr, par;
    } cases[] = {
        { U(0x0000000040001500), U(0xff00123460000b00) },
        { U(0x0000000080001700), U(0x00001234a0000a00) },   /* Device */
        { U(0x0000000080001500), U(0x0000000000000131) },   /* F_PERMISSION */
        { U(0x0000000040001780), U(0x0000000000000131) },   /* privileged X */
        { U(0x00000000c0001500), U(0xff001234e0000b00) },
        { U(0x00000000c0001400), U(0x0000000000000131) },   /* a write */
        { U(0x00000000c0001600), U(0x0000000000000131) },   /* privileged */
        { U(0x00000000c0001580), U(0xff001234e0000b00) },   /* X */
        { U(0xfedcba9876543500), U(0x0000000000000101) },
        { U(0x0000000040001900), U(0x0000000000000fe1) },   /* TYPE=2 */
        { U(0x0000000040001100), U(0x0000000000000ff1) },   /* TYPE=0 */
    };
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, G_STE1(G_CD));
    golden_put4(g, G_CD, G_CD_W0(0xcafe), G_S1, 0, U(0x00ffffffffffffff));
    golden_put(g, G_S1 + 8 * 1, U(0x0000123440000f41));
    golden_put(g, G_S1 + 8 * 2, U(0x0000123480000f1d)); /* AttrIndx=7, priv */
    golden_put(g, G_S1 + 8 * 3, U(0x00001234c0000fd9)); /* AttrIndx=6, RO */
    golden_start(g);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmphex(gatos(g, 0x33, cases[i].addr), ==, cases[i].par);
    }
    /* C_BAD_STREAMID, also for the highest bit of a StreamID */
    g_assert_cmphex(gatos(g, 0x100, 0x500), ==, 0x021);
    g_assert_cmphex(gatos(g, 0x80000033, 0x40001500), ==, 0x021);
    /* Bit 1 of GATOS_CTRL is not RUN */
    golden_w64(g, 0x108, 0x33);
    golden_w32(g, 0x100, 0xfffffffe);
    g_assert_cmphex(golden_r64(g, 0x118), ==, 0x021);
    golden_no_event(g);
}

/* MAIR: which attributes are Device, which Normal. Beside AttrIndx is NS. */
static void gatos_mair(void)
{
    static const struct {
        uint64_t mair;
        unsigned index;
        bool device;
    } cases[] = {
        { U(0x0011000000000000), 7, true },
        { U(0x0011000000000000), 6, false },
        { U(0x0c11000000000000), 7, true },
        { U(0x880c0c0c0c0c0c0c), 7, false },
        { U(0x880c0c0c0c0c0c0c), 6, true },
        { U(0x000000000000000c), 0, true },
        { U(0x0000000000000011), 0, false },
        { U(0x00000000110c0c0c), 3, false },
        { U(0xffffffff0cffffff), 3, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_ste(g, 0x33, G_STE1(G_CD));
        golden_put4(g, G_CD, G_CD_W0(0xcafe), G_S1, 0, cases[i].mair);
        golden_put(g, G_S1 + 8, U(0x0000123440000f61) | cases[i].index << 2);
        golden_start(g);
        g_assert_cmphex(gatos(g, 0x33, 0x40001500), ==,
                        cases[i].device ? U(0x0000123460000a00)
                                        : U(0xff00123460000b00));
    }
}

/* GATOS_SID: StreamID, SubstreamID in 51:32, SSID_VALID in 52; 4 KiB. */
static void gatos_substream(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, U(0xa00c00000000000b), 0xd6, 0, 0);
    /* 64 KiB granule, a 64 KiB page at the top of 52 bits */
    golden_put4(g, U(0xc000003fb72c0), U(0x00016206c000354c),
                U(0x000d901234560000), 0, 0xff);
    golden_put(g, U(0xd901234561948), U(0x000081234567b003));
    golden_put(g, U(0xb812345676db0), U(0x0000c2345678e003));
    golden_put(g, U(0xec23456783ec0), U(0x0000fb4567899f43));
    golden_start(g);
    g_assert_cmphex(gatos(g, U(0x001fedcb00000033), U(0x000ca5b6c7d8e500)),
                    ==, U(0xff09fb4567898b00));
    /* No memory is where CD 0 would be: F_CD_FETCH */
    g_assert_cmphex(gatos(g, U(0x0000000000000033), U(0x000ca5b6c7d8e500)),
                    ==, U(0x091));
}

/* HTTUI, bit 6: the access flag stays. */
static void gatos_httui(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, G_STE1(G_CD));
    golden_put4(g, G_CD, U(0xcafe6a05c0003519), G_S1, 0, 0xff);
    golden_put(g, G_S1 + 8, U(0x0000123440000b41));
    golden_start(g);
    g_assert_cmphex(gatos(g, 0x33, 0x40001540), ==, U(0xff00123460000b00));
    g_assert_cmphex(fake_read64(g->host, G_S1 + 8), ==,
                    U(0x0000123440000b41));
    g_assert_cmphex(gatos(g, 0x33, 0x40001500), ==, U(0xff00123460000b00));
    g_assert_cmphex(fake_read64(g->host, G_S1 + 8), ==,
                    U(0x0000123440000f41));
    /* InD beside it does not inhibit: an unprivileged fetch */
    golden_put(g, G_S1 + 8, U(0x0000123440000b41));
    golden_forget(g);
    g_assert_cmphex(gatos(g, 0x33, 0x40001580), ==, U(0xff00123460000b00));
    g_assert_cmphex(fake_read64(g->host, G_S1 + 8), ==,
                    U(0x0000123440000f41));
}

/* The same at stage 2: access flag for a read, dirty state for a write. */
static void gatos_httui_stage2(void)
{
    g_autoptr(Golden) g = golden_new();
    uint64_t at = G_S2 + 8;

    golden_ste(g, 0x33, 0xd, 0, U(0x058d355900000001), G_S2);
    golden_put(g, at, U(0x000812344000037d));       /* DBM, AF=0 */
    golden_start(g);
    g_assert_cmphex(gatos(g, 0x33, 0x40001840), ==, U(0xff00123460000b00));
    g_assert_cmphex(fake_read64(g->host, at), ==, U(0x000812344000037d));
    g_assert_cmphex(gatos(g, 0x33, 0x40001900), ==, U(0xff00123460000b00));
    g_assert_cmphex(fake_read64(g->host, at), ==, U(0x000812344000077d));
    g_assert_cmphex(gatos(g, 0x33, 0x40001800), ==, U(0xff00123460000b00));
    g_assert_cmphex(fake_read64(g->host, at), ==, U(0x00081234400007fd));
}

/* A page of 4 KiB in TTB1's half, so that all bits of the address count. */
static void gatos_page(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, G_STE1(G_CD));
    golden_put4(g, G_CD, U(0x00016205b5b07500), 0, U(0x0000913579bdf080),
                0xff);
    golden_put(g, U(0x913579bdf080) + 8 * 5, U(0x0000fb456789bf43));
    golden_start(g);
    g_assert_cmphex(gatos(g, 0x33, U(0xffffffffffff5500)), ==,
                    U(0xff00fb456789b300));
}

/* Nested. PAR of a fault: REASON in 2:1, FAULTCODE in 11:4, FADDR above. */
static void gatos_nested(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x33, G_NESTED(U(0x7fc0abc000), 1));
    golden_put4(g, U(0xb000c0abc000), G_CD_W0(1), U(0x7f81234000), 0, 0xff);
    golden_put(g, G_S2 + 8 * 0x1ff, U(0xb000c0000000) | G_S2_RW);
    golden_put(g, G_S2 + 8 * 0x1fe, U(0xb00080000000) | G_S2_RW);
    golden_put(g, G_S2 + 8 * 1, U(0xc00040000000) | G_S2_RW);
    golden_put(g, U(0xb00081234000) + 8 * 3, U(0x40000000) | G_USER_RW);
    golden_put(g, U(0xb00081234000) + 8 * 4, U(0x80000000) | G_USER_RW);
    golden_start(g);
    /* TYPE=3, 1 and 2 of the same */
    g_assert_cmphex(gatos(g, 0x33, 0xc0001d00), ==, U(0xff00c00060000b00));
    g_assert_cmphex(gatos(g, 0x33, 0xc0001500), ==, U(0xff00000060000b00));
    g_assert_cmphex(gatos(g, 0x33, 0x40001900), ==, U(0xff00c00060000b00));
    /* Stage 2 lacks the output, REASON=3, with the IPA for TYPE=3 */
    g_assert_cmphex(gatos(g, 0x33, U(0x10000ad00)), ==, U(0x000000008000a107));
    g_assert_cmphex(gatos(g, 0x33, 0x80001900), ==, U(0x107));
    /* a table, REASON=2, at the descriptor's page; the CD, REASON=1 */
    golden_put(g, G_S2 + 8 * 0x1fe, 0);
    golden_forget(g);
    g_assert_cmphex(gatos(g, 0x33, 0xc0001d00), ==, U(0x0000007f81234105));
    g_assert_cmphex(gatos(g, 0x33, 0xc0001500), ==, U(0x0b1));
    golden_put(g, G_S2 + 8 * 0x1ff, 0);
    golden_forget(g);
    g_assert_cmphex(gatos(g, 0x33, 0xc0001d00), ==, U(0x0000007fc0abc103));
    g_assert_cmphex(gatos(g, 0x33, 0xc0001500), ==, U(0x091));
    golden_no_event(g);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    for (size_t i = 0; i < G_N_ELEMENTS(walks); i++) {
        g_autofree char *path = g_strdup_printf("/smmu3/golden/walk/%s",
                                                walks[i].name);

        conformance_test_data(path, &walks[i], run_walk, "54");
    }
#define T(name, fn, items) conformance_test("/smmu3/golden/" name, fn, items)
    T("descriptor/rights-of-stage-1", rights_of_stage1, "66");
    T("descriptor/rights-of-stage-2", rights_of_stage2, "");
    T("descriptor/not-global", not_global, "84");
    T("descriptor/updates", updates, "58 60");
    T("gatos/stage-1", gatos_stage1, "121 122");
    T("gatos/mair", gatos_mair, "121");
    T("gatos/substream", gatos_substream, "121");
    T("gatos/httui", gatos_httui, "123");
    T("gatos/httui-at-stage-2", gatos_httui_stage2, "123");
    T("gatos/page", gatos_page, "121");
    T("gatos/nested", gatos_nested, "121 122");
#undef T
    return conformance_run();
}
