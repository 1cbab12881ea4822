/*
 * Golden commands and page requests: literal words in the command queue, each
 * field at a value of its own, and what they do (IHI 0070 chapters 4 and 8).
 * Not the rules behind them: those are in test-command.c and its neighbours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "golden.h"

#define U(x) UINT64_C(x)
#define SSID 0xfedcbu

/* ---- Opcodes ----------------------------------------------------------- */

/* Which of the 256 there are, with all features. */
static void opcodes(void)
{
    static const uint8_t legal[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
        0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x23, 0x28, 0x2a, 0x30,
        0x40, 0x41, 0x44, 0x45, 0x46,
    };
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        uint32_t index = g->commands % 64, gerrorn = golden_r32(g, 0x064);

        if (memchr(legal, opcode, sizeof(legal))) {
            golden_accept(g, opcode, 0);
            continue;
        }
        golden_command(g, opcode, 0);
        /* CERROR_ILL, and the index of the command */
        g_assert_cmphex(golden_r32(g, 0x09c), ==, 0x01000000 | index);
        g_assert_cmphex(golden_r32(g, 0x060), ==, gerrorn ^ 1);
        /* Put a SYNC there instead, and go on */
        golden_put(g, G_CMDQ + 16 * (index % 32), 0x46);
        golden_w32(g, 0x064, gerrorn ^ 1);
        smmu3_service(g->smmu);
        g_assert_cmphex(golden_r32(g, 0x09c) & 0xfffff, ==,
                        g->commands % 64);
    }
}

/* Each of these is illegal for one field alone. */
static void illegal_fields(void)
{
    static const uint64_t cases[][2] = {
        { 0x401, 0 }, { 0x402, 0 }, { 0x403, 0 }, { 0x404, 0 }, { 0x405, 0 },
        { 0x406, 0 }, { 0x444, 0 }, { 0x445, 0 },           /* SSec */
        { 0x3046, 0 },                                      /* CS=3 */
        { 0x41, 0x3000 },                                   /* Resp=3 */
        { 0x40, 0x35 },                                     /* Size=53 */
        { 0x12, 0x400 }, { 0x13, 0x800 }, { 0x2a, 0xc00 },  /* no range */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();
        uint32_t index;

        golden_start(g);
        index = g->commands;
        golden_command(g, cases[i][0], cases[i][1]);
        g_assert_cmphex(golden_r32(g, 0x09c), ==, 0x01000000 | index);
    }
}

/* The bits beside those: SSV, CS=1, Resp=2, Size=52, NUM, SCALE, TTL. */
static void legal_fields(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    golden_accept(g, 0x803, 0);
    golden_accept(g, 0x3d346, 0);               /* reserved bits, too */
    golden_accept(g, 0x41, U(0xffffffffffffefff));
    golden_accept(g, 0x40, U(0xfffffffffffffff4));
    golden_accept(g, 0x1012, 0x400);
    golden_accept(g, 0x100013, 0x800);
    golden_accept(g, 0x2a, 0xd00);
}

/* ---- Configuration ----------------------------------------------------- */

/*
 * Stream 0x90 to 0xaf bypass; then they abort, and it takes the command until
 * each notices.
 */
static void cfgi_ste(void)
{
    static const struct {
        uint64_t w0, w1;
        unsigned first, last;   /* the streams that notice */
    } cases[] = {
        { U(0x000000a500000003), 0x1, 0xa5, 0xa5 },
        { U(0x0000009500000004), 0xffffffe3, 0x90, 0x9f },
        { U(0x000000a600000004), 0x00, 0xa6, 0xa7 },
        { U(0x0000000000000004), 0x1f, 0x90, 0xaf },
        { U(0x8000000000000004), 0x1f, 0x90, 0xaf },
        { U(0x0000000000000004), 0x10, 0x90, 0xaf },
        { U(0x000000a500000006), 0x0, 0xa5, 0xa5 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        for (unsigned sid = 0x90; sid <= 0xaf; sid++) {
            golden_ste(g, sid, 0x9, U(0x100000000000), 0, 0);
        }
        golden_start(g);
        for (unsigned sid = 0x90; sid <= 0xaf; sid++) {
            golden_passes(g, golden_read(sid, 0x1234), 0x1234);
            golden_ste(g, sid, 0x1, 0, 0, 0);
            golden_passes(g, golden_read(sid, 0x1234), 0x1234);
        }
        golden_accept(g, cases[i].w0, cases[i].w1);
        golden_accept(g, 0x46, 0);
        for (unsigned sid = 0x90; sid <= 0xaf; sid++) {
            if (sid >= cases[i].first && sid <= cases[i].last) {
                golden_aborts(g, golden_read(sid, 0x1234));
            } else {                    /* none goes in vain, here */
                golden_passes(g, golden_read(sid, 0x1234), 0x1234);
            }
        }
        golden_no_event(g);
    }
}

/* CFGI_CD: StreamID and SubstreamID; the others: StreamID. */
static void cfgi_cd(void)
{
    static const uint64_t commands[][2] = {
        { U(0x00000033fedcb005), 0x1 }, { U(0x0000003300000006), 0 },
        /* The STE goes with all its CDs */
        { U(0x0000003300000003), 0x1 }, { U(0x0000003200000004), 0x0 },
        { U(0x0000000000000004), 0x1f },
    };
    Smmu3Transaction t = golden_ssid(golden_read(0x33, 0x40001234), SSID);

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_ste(g, 0x33, U(0xa00c00000000000b), 0xd6, 0, 0);
        golden_put4(g, U(0xc000003fb72c0), G_CD1(0xcafe));
        golden_put(g, G_S1 + 8, U(0x123440000000) | G_USER_RW);
        golden_start(g);
        golden_passes(g, t, U(0x123440001234));
        golden_put(g, U(0xc000003fb72c0), 0);
        golden_passes(g, t, U(0x123440001234));
        golden_accept(g, commands[i][0], commands[i][1]);
        golden_accept(g, 0x46, 0);
        golden_aborts(g, t);
        golden_event(g, U(0x00000033fedcb80a), 0, 0, 0);
    }
}

/* ---- TLB --------------------------------------------------------------- */

/* What the host is told that each command takes away. */
static const struct {
    uint64_t w0, w1;
    uint32_t cr2;
    Smmu3TlbInvalidate what;
} tlbi_cases[] = {
    { U(0x0000b00d00000010), 0, 2,
      { .by_vmid = true, .vmid = 0xb00d, .last = UINT64_MAX } },
    { U(0xcafeb00d00000011), 0, 2,
      { .by_vmid = true, .vmid = 0xb00d, .by_asid = true, .asid = 0xcafe,
        .last = UINT64_MAX } },
    /* TG=0: one address; the reserved NUM, SCALE and TTL do not count */
    { U(0xcafeb00d00513012), U(0xfedcba9876543301), 2,
      { .by_vmid = true, .vmid = 0xb00d, .by_asid = true, .asid = 0xcafe,
        .by_address = true, .addr = U(0xfedcba9876543000),
        .last = U(0xfedcba9876543fff) } },
    /* TG=1, NUM=19, SCALE=5, TTL=3, Leaf: 20 * 2^5 pages; reserved bits set */
    { U(0xcafeb00dfc5f3f12), U(0x00007f12345677ff), 2,
      { .by_vmid = true, .vmid = 0xb00d, .by_asid = true, .asid = 0xcafe,
        .by_address = true, .addr = U(0x7f1234567000),
        .last = U(0x7f12347e6fff) } },
    /* SCALE=39, which has six bits */
    { U(0x0000b00d02700013), U(0x0000000000000500), 2,
      { .by_vmid = true, .vmid = 0xb00d, .by_address = true,
        .last = U(0x7ffffffffffff) } },
    /* NUM=31, SCALE=0, TG=2 */
    { U(0x0000b00d0001f013), U(0x0000000012344800), 2,
      { .by_vmid = true, .vmid = 0xb00d, .by_address = true,
        .addr = U(0x12344000), .last = U(0x123c3fff) } },
    /* NUM=SCALE=0, TTL=2, TG=3: one granule */
    { U(0x0000b00d00000013), U(0x0000000012340e00), 2,
      { .by_vmid = true, .vmid = 0xb00d, .by_address = true,
        .addr = U(0x12340000), .last = U(0x1234ffff) } },
    { U(0x0000000000000020), 0, 2, { .last = UINT64_MAX } },
    { U(0xcafe000000000021), 0, 2,
      { .by_asid = true, .asid = 0xcafe, .last = UINT64_MAX } },
    { U(0xcafe000000000022), U(0x0000000012345000), 2,
      { .by_address = true, .addr = U(0x12345000), .last = U(0x12345fff) } },
    /* CR2.E2H=1: the same, with an ASID */
    { U(0xcafe000000000022), U(0x0000000012345000), 3,
      { .by_address = true, .by_asid = true, .asid = 0xcafe,
        .addr = U(0x12345000), .last = U(0x12345fff) } },
    { U(0x0000000000000023), U(0x0000000012345000), 3,
      { .by_address = true, .addr = U(0x12345000), .last = U(0x12345fff) } },
    { U(0x0000b00d00000028), 0, 2,
      { .by_vmid = true, .vmid = 0xb00d, .last = UINT64_MAX } },
    { U(0x0000b00d0000002a), U(0x000fedcba9876000), 2,
      { .by_vmid = true, .vmid = 0xb00d, .stage2 = true, .by_address = true,
        .addr = U(0xfedcba9876000), .last = U(0xfedcba9876fff) } },
    { U(0x0000000000000030), 0, 2, { .last = UINT64_MAX } },
};

static void tlbi_notifications(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tlbi_cases); i++) {
        const Smmu3TlbInvalidate *e = &tlbi_cases[i].what, *a;
        g_autoptr(Golden) g = golden_new();

        g->cr2 = tlbi_cases[i].cr2;
        golden_start(g);
        golden_accept(g, tlbi_cases[i].w0, tlbi_cases[i].w1);
        g_assert_cmpuint(g->host->tlb_invalidations->len, ==, 1);
        a = &g_array_index(g->host->tlb_invalidations, Smmu3TlbInvalidate, 0);
        g_assert_cmpint(a->by_asid, ==, e->by_asid);
        g_assert_cmpint(a->by_vmid, ==, e->by_vmid);
        g_assert_cmpint(a->by_address, ==, e->by_address);
        g_assert_cmpint(a->stage2, ==, e->stage2);
        g_assert_cmphex(a->asid, ==, e->asid);
        g_assert_cmphex(a->vmid, ==, e->vmid);
        g_assert_cmphex(a->addr, ==, e->addr);
        g_assert_cmphex(a->last, ==, e->last);
    }
}

/*
 * A translation is made, the tables are changed behind its back, and it stays
 * as it was until the command. Streams: 0x33 stage 1, 0x34 the EL2 world,
 * 0x35 stage 2, 0x36 nested; VMID 0xb00d, ASID 0xcafe.
 */
static void tlbi_effects(void)
{
    static const struct {
        uint32_t sid, cr2;
        uint64_t w0, w1;
    } cases[] = {
        { 0x33, 2, U(0x0000b00d00000010), 0 },
        { 0x33, 2, U(0xcafeb00d00000011), 0 },
        { 0x33, 2, U(0xcafeb00d00000012), 0x40001000 },
        { 0x33, 2, U(0x0000b00d00000013), 0x40001001 },
        { 0x33, 2, U(0xcafeb00d00513012), 0x3fe00700 },
        { 0x33, 2, U(0x0000b00d00000028), 0 },
        { 0x33, 2, U(0x0000000000000030), 0 },
        { 0x34, 2, U(0x0000000000000020), 0 },
        { 0x34, 2, U(0x0000000000000022), 0x40001000 },
        { 0x34, 2, U(0x0000000000000023), 0x40001000 },
        { 0x34, 3, U(0x0000000000000020), 0 },
        { 0x34, 3, U(0xcafe000000000021), 0 },
        { 0x34, 3, U(0xcafe000000000022), 0x40001000 },
        { 0x34, 3, U(0x0000000000000023), 0x40001000 },
        { 0x35, 2, U(0x0000b00d00000028), 0 },
        { 0x35, 2, U(0x0000b00d0000002a), 0x40001000 },
        { 0x35, 2, U(0x0000000000000030), 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Transaction t = golden_read(cases[i].sid, 0x40001234);
        g_autoptr(Golden) g = golden_new();

        g->cr2 = cases[i].cr2;
        golden_ste(g, 0x33, G_CD | 0xb, 0xd6, 0xb00d, 0);
        golden_ste(g, 0x34, G_CD | 0xb, 0x800000d6, 0, 0);
        golden_ste(g, 0x35, G_STE2(0xb00d));
        golden_put4(g, G_CD, G_CD1(0xcafe));
        golden_put(g, G_S1 + 8, U(0x123440000000) | G_USER_RW);
        golden_put(g, G_S2 + 8, U(0x123440000000) | G_S2_RW);
        golden_start(g);
        golden_passes(g, t, U(0x123440001234));
        golden_put(g, G_S1 + 8, U(0x567840000000) | G_USER_RW);
        golden_put(g, G_S2 + 8, U(0x567840000000) | G_S2_RW);
        golden_passes(g, t, U(0x123440001234));
        golden_accept(g, cases[i].w0, cases[i].w1);
        golden_accept(g, 0x46, 0);
        golden_passes(g, t, U(0x567840001234));
    }
}

/* CR0.VMW, bits 8:6: 4 has four low bits of the VMID ignored. */
static void vmid_wildcard(void)
{
    Smmu3Transaction t = golden_read(0x35, 0x40001234);
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x35, G_STE2(0xb00d));
    golden_put(g, G_S2 + 8, U(0x123440000000) | G_S2_RW);
    golden_start(g);
    golden_w32(g, 0x020, 0x11f);
    golden_passes(g, t, U(0x123440001234));
    golden_put(g, G_S2 + 8, U(0x567840000000) | G_S2_RW);
    golden_accept(g, U(0x0000b01d00000028), 0);
    golden_accept(g, 0x46, 0);
    golden_passes(g, t, U(0x123440001234));
    golden_accept(g, U(0x0000b00200000028), 0);
    golden_accept(g, 0x46, 0);
    golden_passes(g, t, U(0x567840001234));
}

/* ---- Endpoints --------------------------------------------------------- */

static void atc_inv(void)
{
    static const struct {
        uint64_t w0, w1;
        Smmu3AtcInvalidate inv;
    } cases[] = {
        { U(0xdeadbeeffedcba40), U(0xfedcba9876543005),
          { .sid = 0xdeadbeef, .has_ssid = true, .ssid = SSID,
            .global = true, .addr = U(0xfedcba9876540000),
            .size_log2 = 17 } },
        { U(0xdeadbeeffedcbd40), U(0xfedcba9876543000),
          { .sid = 0xdeadbeef, .has_ssid = true, .ssid = SSID,
            .addr = U(0xfedcba9876543000), .size_log2 = 12 } },
        { U(0xdeadbeeffedcb240), U(0xfedcba9876543f80),
          { .sid = 0xdeadbeef, .addr = U(0xfedcba9876543000),
            .size_log2 = 12 } },
        { U(0x0000000100000040), U(0x0000000000000034),
          { .sid = 1, .size_log2 = 64 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Smmu3AtcInvalidate *e = &cases[i].inv, *a;
        g_autoptr(Golden) g = golden_new();

        golden_start(g);
        golden_accept(g, cases[i].w0, cases[i].w1);
        g_assert_cmpuint(g->host->atc_invalidations->len, ==, 1);
        a = &g_array_index(g->host->atc_invalidations, Smmu3AtcInvalidate, 0);
        g_assert_cmphex(a->sid, ==, e->sid);
        g_assert_cmpint(a->has_ssid, ==, e->has_ssid);
        g_assert_cmphex(a->ssid, ==, e->ssid);
        g_assert_cmpint(a->global, ==, e->global);
        g_assert_cmphex(a->addr, ==, e->addr);
        g_assert_cmpuint(a->size_log2, ==, e->size_log2);
    }
}

/* CERROR_ATC_INV_SYNC is 3. */
static void atc_inv_lost(void)
{
    g_autoptr(Golden) g = golden_new();
    uint32_t index;

    golden_start(g);
    g->host->atc_answers_later = true;
    golden_accept(g, 0x40, 0x34);
    index = g->commands;
    golden_command(g, 0x46, 0);
    smmu3_atc_timeout(g->smmu);
    g_assert_cmphex(golden_r32(g, 0x09c), ==, 0x03000000 | index);
}

static void expect_response(Golden *g, uint32_t sid, bool has_ssid,
                            uint32_t ssid, unsigned index, unsigned code)
{
    const Smmu3PrgResponse *r;

    smmu3_service(g->smmu);
    g_assert_cmpuint(g->host->prg_responses->len, ==, 1);
    r = &g_array_index(g->host->prg_responses, Smmu3PrgResponse, 0);
    g_assert_cmphex(r->sid, ==, sid);
    g_assert_cmpint(r->has_ssid, ==, has_ssid);
    g_assert_cmphex(r->ssid, ==, ssid);
    g_assert_cmphex(r->prg_index, ==, index);
    g_assert_cmphex(r->code, ==, code);
    g_array_set_size(g->host->prg_responses, 0);
}

/* Resp is bits 77:76: 0 failure, 1 invalid, 2 success; PCIe's codes. */
static void pri_resp(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    golden_accept(g, U(0xdeadbeeffedcb841), U(0xffffffffffffcfa5));
    expect_response(g, 0xdeadbeef, true, SSID, 0x1a5, 0xf);
    golden_accept(g, U(0xdeadbeeffedcb041), U(0x00000000000011a5));
    expect_response(g, 0xdeadbeef, false, 0, 0x1a5, 0x1);
    golden_accept(g, U(0x0000000100000041), U(0x0000000000002001));
    expect_response(g, 1, false, 0, 1, 0x0);
}

/* ---- Stalls ------------------------------------------------------------ */

static uint16_t stall_one(Golden *g, uint32_t sid)
{
    Smmu3Transaction t = golden_read(sid, 0x80001234);
    Smmu3Translation result;

    t.may_stall = true;
    t.cookie = g;
    g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==, SMMU3_STALLED);
    golden_event_type(g, 0x10);
    return result.stag;
}

static void expect_resolved(Golden *g, unsigned count, Smmu3Resolution how)
{
    GArray *all = g->host->resolutions;

    g_assert_cmpuint(all->len, ==, count);
    if (count) {
        g_assert_cmpint(g_array_index(all, FakeResolution, 0).how, ==, how);
    }
    g_array_set_size(all, 0);
}

/* RESUME: Ac is bit 12, Ab bit 13, the STAG bits 79:64; STALL_TERM. */
static void resume(void)
{
    static const struct {
        uint64_t w0;
        unsigned count;
        Smmu3Resolution how;
    } cases[] = {
        { U(0x0000009cffffcb44), 1, SMMU3_RESOLVE_RAZWI },
        { U(0x0000009c00001044), 1, SMMU3_RESOLVE_RETRY },
        { U(0x0000009c00002044), 1, SMMU3_RESOLVE_ABORT },
        { U(0x0000009cffffdb44), 1, SMMU3_RESOLVE_RETRY },
        { U(0x0000009c00003044), 1, SMMU3_RESOLVE_RETRY },
        { U(0x0000009d00001044), 0, 0 },
        { U(0x0000009c00000045), 1, SMMU3_RESOLVE_ABORT },
        { U(0x0000009d00000045), 0, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_ste(g, 0x9c, G_STE1(G_CD));
        golden_put4(g, G_CD, U(0xcafe7205c0003519), G_S1, 0, 0xff);
        golden_put(g, G_S1 + 16, 0);
        golden_start(g);
        golden_accept(g, cases[i].w0, stall_one(g, 0x9c));
        expect_resolved(g, cases[i].count, cases[i].how);
    }
}

/* STAGs are given out in turn: go on until one has all the bits. */
static void resume_by_each_bit_of_the_stag(void)
{
    g_autoptr(Golden) g = golden_new();
    unsigned seen = 0;

    golden_ste(g, 0x9c, G_STE1(G_CD));
    golden_put4(g, G_CD, U(0xcafe7205c0003519), G_S1, 0, 0xff);
    golden_put(g, G_S1 + 16, 0);
    golden_start(g);
    while (seen != 0xffff) {
        uint16_t stag = stall_one(g, 0x9c);

        seen |= stag;
        golden_accept(g, U(0x0000009c00002044), stag);
        expect_resolved(g, 1, SMMU3_RESOLVE_ABORT);
    }
}

/* ---- SYNC -------------------------------------------------------------- */

/* CS in bits 13:12; MSH and MSIAttr, 27:22, are of no account. */
static void sync_signals(void)
{
    uint64_t pa = U(0x800000000abc4);
    g_autoptr(Golden) g = golden_new();
    FakeMsi *msi;

    fake_map(g->host, pa, 4);
    golden_start(g);
    golden_accept(g, U(0xe00dda7a0fc00046), pa);
    golden_accept(g, U(0xe00dda7a0fc02046), pa);
    g_assert_cmpuint(g->host->msis->len, ==, 0);
    g_assert_cmpuint(g->host->sent_events, ==, 1);
    g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 0);
    golden_accept(g, U(0xe00dda7a0fffdb46), pa | 3);
    /* An address that is none, but for the bits beside it */
    golden_accept(g, U(0xe00dda7a0fffdb46), U(0xfff0000000000003));
    g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 2);
    g_assert_cmpuint(g->host->msis->len, ==, 1);
    msi = &g_array_index(g->host->msis, FakeMsi, 0);
    g_assert_cmphex(msi->pa, ==, pa);
    g_assert_cmphex(msi->data, ==, 0xe00dda7a);
    g_assert_cmphex(fake_read64(g->host, pa & ~U(7)), ==,
                    U(0xe00dda7a00000000));
    g_assert_cmpuint(g->host->sent_events, ==, 1);
}

/* ---- Page requests (8.1) ----------------------------------------------- */

static void page_requests(void)
{
    static const struct {
        Smmu3PageRequest request;
        uint64_t w0, w1;
    } cases[] = {
        { { .sid = 0xdeadbeef, .ssv = true, .ssid = SSID, .prg_index = 0x1a5,
            .addr = U(0xfedcba9876543abc) },
          U(0x800fedcbdeadbeef), U(0xfedcba98765431a5) },
        { { .sid = 1, .ssv = true, .priv = true },
          U(0x8400000000000001), 0 },
        { { .sid = 1, .ssv = true, .exec = true },
          U(0x8800000000000001), 0 },
        { { .sid = 1, .read = true }, U(0x1000000000000001), 0 },
        { { .sid = 1, .write = true }, U(0x2000000000000001), 0 },
        { { .sid = 1, .last = true, .prg_index = 1 },
          U(0x4000000000000001), 0x1 },
        { { .sid = 1, .ssv = true, .ssid = 1, .priv = true, .exec = true,
            .read = true, .write = true, .last = true, .prg_index = 0x100 },
          U(0xfc00000100000001), 0x100 },
    };
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        smmu3_page_request(g->smmu, &cases[i].request);
        g_assert_cmphex(golden_r32(g, 0x100c8), ==, i + 1);
        g_assert_cmphex(fake_read64(g->host, G_PRIQ + 16 * i), ==,
                        cases[i].w0);
        g_assert_cmphex(fake_read64(g->host, G_PRIQ + 16 * i + 8), ==,
                        cases[i].w1);
    }
}

/*
 * The ninth request finds no room: OVFLG, bit 31, and an answer, with its
 * PASID if STE.PPAR, bit 18 of word 1, says so.
 */
static void overflow_and_ppar(void)
{
    static const struct {
        uint64_t w1;
        bool with_pasid;
    } cases[] = {
        { U(0x00001000000b0000), false },
        { U(0x0000100000040000), true },
    };
    static const Smmu3PageRequest request = {
        .sid = 0x9c, .ssv = true, .ssid = SSID, .read = true, .last = true,
        .prg_index = 0x155,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_ste(g, 0x9c, 0x9, cases[i].w1, 0, 0);
        golden_start(g);
        for (unsigned n = 0; n < 8; n++) {
            smmu3_page_request(g->smmu, &request);
        }
        g_assert_cmphex(golden_r32(g, 0x100c8), ==, 0x00000008);
        smmu3_page_request(g->smmu, &request);
        g_assert_cmphex(golden_r32(g, 0x100c8), ==, 0x80000008);
        expect_response(g, 0x9c, cases[i].with_pasid,
                        cases[i].with_pasid ? SSID : 0, 0x155, 0);
    }
}

/* PRIQ_IRQ_CFG2.LO is bit 31: the interrupt comes with the last of a group. */
static void last_only(void)
{
    Smmu3PageRequest request = { .sid = 1, .read = true };

    for (unsigned lo = 0; lo < 2; lo++) {
        g_autoptr(Golden) g = golden_new();

        golden_create(g);
        golden_w32(g, 0x050, 0);
        golden_w32(g, 0x0dc, lo ? 0x80000000 : 0x3f);
        golden_w32(g, 0x050, 0x7);
        golden_start(g);
        request.last = false;
        smmu3_page_request(g->smmu, &request);
        smmu3_service(g->smmu);
        g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_PRIQ], ==, !lo);
        request.last = true;
        smmu3_page_request(g->smmu, &request);
        smmu3_service(g->smmu);
        g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_PRIQ], ==, 1);
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) conformance_test("/smmu3/golden/" name, fn, items)
    T("command/opcodes", opcodes, "76");
    T("command/illegal-fields", illegal_fields, "79");
    T("command/legal-fields", legal_fields, "");
    T("command/cfgi-ste", cfgi_ste, "83");
    T("command/cfgi-cd", cfgi_cd, "83");
    T("command/tlbi-notifications", tlbi_notifications, "86");
    T("command/tlbi-effects", tlbi_effects, "");
    T("command/vmid-wildcard", vmid_wildcard, "116");
    T("command/atc-inv", atc_inv, "102");
    T("command/atc-inv-lost", atc_inv_lost, "111");
    T("command/pri-resp", pri_resp, "104");
    T("command/resume-and-stall-term", resume, "93 94");
    T("command/resume-by-each-bit-of-the-stag",
      resume_by_each_bit_of_the_stag, "93");
    T("command/sync", sync_signals, "80");
    T("page-request/entries", page_requests, "103");
    T("page-request/overflow-and-ppar", overflow_and_ppar, "103");
    T("page-request/last-only", last_only, "117");
#undef T
    return conformance_run();
}
