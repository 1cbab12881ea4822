/*
 * The command queue (core/commands/command.c): what each command does, when it is
 * illegal, errors and restart, CMD_SYNC and what it waits for, bounded work.
 * Not PRI (test-pri.c) and not what RESUME means to a stall (test-stall.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "core/signal/state.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)

typedef struct Cmd {
    uint64_t words[SMMU3_CMD_WORDS];
} Cmd;

static Cmd command(unsigned opcode)
{
    Cmd c = { { opcode } };

    return c;
}

static Cmd sync_with(unsigned cs, uint64_t msi_addr, uint32_t msi_data)
{
    Cmd c = command(CMD_SYNC);

    smmu3_set(c.words, CMD_SYNC_CS, cs);
    smmu3_set_addr(c.words, CMD_SYNC_MSIADDR, msi_addr);
    smmu3_set(c.words, CMD_SYNC_MSIDATA, msi_data);
    return c;
}

/* Write a command into slot @index of the queue, without a word to anyone. */
static void put(Rig *r, unsigned index, const Cmd *c)
{
    fake_write_words(r->host, r->cmdq + index * SMMU3_CMD_BYTES, c->words,
                     SMMU3_CMD_WORDS);
}

static void submit(Rig *r, Cmd c)
{
    rig_command(r, c.words);
}

static uint32_t prod(Rig *r)
{
    return rig_read32(r, SMMU3_CMDQ_PROD);
}

static uint32_t cons(Rig *r)
{
    return rig_read32(r, SMMU3_CMDQ_CONS) & MASK(QUEUE_INDEX);
}

static unsigned error_code(Rig *r)
{
    uint64_t reg = rig_read32(r, SMMU3_CMDQ_CONS);

    return smmu3_get(&reg, CMDQ_CONS_ERR);
}

static uint32_t active_errors(Rig *r)
{
    return rig_read32(r, SMMU3_GERROR) ^ rig_read32(r, SMMU3_GERRORN);
}

static void acknowledge(Rig *r)
{
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
}

/* All commands were consumed, none of them with an error. */
static void assert_idle(Rig *r)
{
    g_assert_cmphex(active_errors(r), ==, 0);
    g_assert_cmphex(cons(r), ==, prod(r));
}

/* The queue stands at @index with @error, and said so once. */
static void assert_failed(Rig *r, unsigned index, Smmu3CmdError error)
{
    g_assert_cmphex(cons(r), ==, index);
    g_assert_cmpuint(error_code(r), ==, error);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_CMDQ));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
}

/* A started SMMU whose queue begins at slot 0. */
static Rig *started(void (*change)(Smmu3Features *f), const Smmu3HostOps *ops)
{
    Rig *r = rig_new();

    if (change) {
        change(&r->features);
    }
    if (ops) {
        r->smmu = smmu3_new(&r->features, &r->options, ops, r->host);
        r->host->smmu = r->smmu;
    }
    rig_start(r);
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) & ~MASK(CR0_CMDQEN));
    rig_write32(r, SMMU3_CMDQ_PROD, 0);
    rig_write32(r, SMMU3_CMDQ_CONS, 0);
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) | MASK(CR0_CMDQEN));
    fake_clear_records(r->host);
    return r;
}

/* ---- Legality --------------------------------------------------------- */

static void no_s1(Smmu3Features *f)
{
    f->s1p = f->hyp = f->ssidsize = f->had = f->e0pd = 0;
}

static void no_s2(Smmu3Features *f)
{
    f->s2p = f->hyp = f->vmw = f->xnx = f->fwb = f->ptwnnc = 0;
}

static void no_hyp(Smmu3Features *f)    { f->hyp = 0; }
static void no_stall(Smmu3Features *f)  { f->stall_model = 1; f->stall_max = 0; }
static void no_ats(Smmu3Features *f)    { f->ats = f->pri = f->atsrecerr = 0; }
static void no_pri(Smmu3Features *f)    { f->pri = 0; }
static void no_ril(Smmu3Features *f)    { f->ril = 0; }
static void no_ds(Smmu3Features *f)     { f->ds = 0; }

/* Every opcode; those that are not reserved are legal with all features. */
static void test_every_opcode(void)
{
    static const uint8_t legal[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x20,
        0x21, 0x22, 0x23, 0x28, 0x2a, 0x30, 0x40, 0x41, 0x44, 0x45, 0x46,
    };

    for (unsigned opcode = 0; opcode < 256; opcode++) {
        g_autoptr(Rig) r = started(NULL, NULL);

        submit(r, command(opcode));
        if (memchr(legal, opcode, sizeof(legal))) {
            assert_idle(r);
            g_assert_cmphex(cons(r), ==, 1);
        } else {
            assert_failed(r, 0, CERROR_ILL);
        }
    }
}

typedef struct LegalityCase {
    void (*change)(Smmu3Features *f);
    uint64_t word0, word1;
    bool illegal;
} LegalityCase;

#define SSEC            (1u << 10)
#define NUM(n)          ((uint64_t)(n) << 12)
#define SCALE(n)        ((uint64_t)(n) << 20)
#define TTL(n)          ((uint64_t)(n) << 8)
#define TG(n)           ((uint64_t)(n) << 10)

static const LegalityCase legality[] = {
    /* Stages, EL2 */
    { no_s1, 0x05, 0, true }, { no_s1, 0x06, 0, true },
    { no_s1, 0x10, 0, true }, { no_s1, 0x11, 0, true },
    { no_s1, 0x12, 0, true }, { no_s1, 0x13, 0, true },
    { no_s1, 0x28, 0, false }, { no_s1, 0x2a, 0, false },
    { no_s1, 0x03, 0, false }, { no_s1, 0x30, 0, false },
    { no_s2, 0x28, 0, true }, { no_s2, 0x2a, 0, true },
    { no_s2, 0x10, 0, false }, { no_s2, 0x30, 0, false },
    { no_hyp, 0x20, 0, true }, { no_hyp, 0x21, 0, true },
    { no_hyp, 0x22, 0, true }, { no_hyp, 0x23, 0, true },
    { no_hyp, 0x10, 0, false },
    /* Endpoints, stalls */
    { no_ats, 0x40, 0, true }, { no_ats, 0x41, 0, true },
    { no_pri, 0x41, 0, true }, { no_pri, 0x40, 0, false },
    { no_stall, 0x44, 0, true }, { no_stall, 0x45, 0, true },
    /* SSec=1 on the Non-secure queue */
    { NULL, 0x01 | SSEC, 0, true }, { NULL, 0x02 | SSEC, 0, true },
    { NULL, 0x03 | SSEC, 0, true }, { NULL, 0x04 | SSEC, 0, true },
    { NULL, 0x05 | SSEC, 0, true }, { NULL, 0x06 | SSEC, 0, true },
    { NULL, 0x44 | SSEC, 0, true }, { NULL, 0x45 | SSEC, 0, true },
    /* Parameters */
    { NULL, 0x46 | 3u << 12, 0, true },             /* CS=3 */
    { NULL, 0x46 | 2u << 12, 0, false },
    { NULL, 0x41, 3u << 12, true },                 /* Resp=3 */
    { NULL, 0x41, 2u << 12, false },
    { NULL, 0x40, 53, true }, { NULL, 0x40, 63, true },     /* Size */
    { NULL, 0x40, 52, false },
    /* Ranges: one granule and no level is reserved */
    { NULL, 0x12, TG(1), true }, { NULL, 0x13, TG(2), true },
    { NULL, 0x22, TG(3), true }, { NULL, 0x23, TG(1), true },
    { NULL, 0x2a, TG(1), true },
    { NULL, 0x12 | NUM(1), TG(1), false },
    { NULL, 0x12 | SCALE(1), TG(1), false },
    { NULL, 0x12, TG(1) | TTL(3), false },
    { NULL, 0x12 | NUM(5) | SCALE(5), TTL(1), false },      /* TG=0 */
    /* Level 1 of 16 KiB tables is no block unless addresses have 52 bits */
    { NULL, 0x12, TG(2) | TTL(1), false },
    { no_ds, 0x12, TG(2) | TTL(1), true },
    { no_ds, 0x12 | NUM(1), TG(2) | TTL(1), false },
    { no_ds, 0x12, TG(1) | TTL(1), false },
    { no_ds, 0x12 | SCALE(32), TG(1), true },       /* RES0 bit */
    { NULL, 0x12 | SCALE(32), TG(1), false },
    /* Without RIL those fields are nothing */
    { no_ril, 0x12, TG(1), false }, { no_ril, 0x2a, TG(3), false },
    /* RES0 bits are not checked */
    { NULL, 0x30 | ~UINT64_C(0xff), ~UINT64_C(0), false },
    { NULL, 0x10 | SSEC, 0, false },
};

static void test_legality(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(legality); i++) {
        const LegalityCase *c = &legality[i];
        g_autoptr(Rig) r = rig_new();

        g_test_message("%u: 0x%x", i, (unsigned)c->word0);
        if (c->change) {
            c->change(&r->features);
            r->features.aidr_minor = 1;
        }
        rig_start(r);
        rig_command2(r, c->word0, c->word1);
        if (c->illegal) {
            assert_failed(r, prod(r) - 1, CERROR_ILL);
        } else {
            assert_idle(r);
        }
    }
}

/* ILLEGAL wins over IGNORED: the SMMU need not be enabled. */
static void test_illegal_before_ignored(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    rig_command2(r, CMD_ATC_INV, 53);
    assert_failed(r, 0, CERROR_ILL);
}

/* ---- Errors and restart ----------------------------------------------- */

/* As Linux does: overwrite the illegal command, then acknowledge. */
static void test_illegal_is_fetched_again(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Cmd bad = command(0x77), good = command(CMD_SYNC);

    put(r, 0, &good);
    put(r, 1, &bad);
    put(r, 2, &good);
    rig_write32(r, SMMU3_CMDQ_PROD, 3);
    assert_failed(r, 1, CERROR_ILL);
    g_assert_cmpuint(r->host->guest_errors, ==, 1);

    /* PROD does not restart it, and nothing is consumed meanwhile */
    rig_write32(r, SMMU3_CMDQ_PROD, 3);
    assert_failed(r, 1, CERROR_ILL);

    put(r, 1, &good);
    acknowledge(r);
    assert_idle(r);
    g_assert_cmphex(cons(r), ==, 3);

    /* The next error is another one */
    submit(r, bad);
    g_assert_cmphex(cons(r), ==, 3);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_CMDQ));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 2);
}

/* The same command again is the same error again. */
static void test_illegal_stays_illegal(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    submit(r, command(0));
    for (unsigned i = 1; i < 5; i++) {
        g_assert_cmphex(active_errors(r), ==, MASK(GERROR_CMDQ));
        g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, i);
        acknowledge(r);
    }
}

static void test_prod_may_move_back_after_error(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    submit(r, command(0));
    rig_write32(r, SMMU3_CMDQ_PROD, 0);
    acknowledge(r);
    assert_idle(r);
    g_assert_cmphex(cons(r), ==, 0);
}

static void test_queue_in_a_hole(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Cmd good = command(CMD_SYNC);

    fake_unmap(r->host, r->cmdq, 4096);
    rig_write32(r, SMMU3_CMDQ_PROD, 1);
    assert_failed(r, 0, CERROR_ABT);

    fake_map(r->host, r->cmdq, 4096);
    put(r, 0, &good);
    acknowledge(r);
    assert_idle(r);
    g_assert_cmphex(cons(r), ==, 1);
}

/* GERROR's interrupt is gated when the error happens, not later. */
static void test_error_interrupt_disabled(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    rig_write32(r, SMMU3_IRQ_CTRL, 0);
    submit(r, command(0));
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_CMDQ));
    rig_write32(r, SMMU3_IRQ_CTRL, MASK(IRQ_CTRL_GERROR));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 0);
}

/* ---- The queue -------------------------------------------------------- */

static void test_works_while_the_smmu_is_disabled(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    uint64_t flag = fake_alloc(r->host, 4096, 4096);

    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, sync_with(CMD_SYNC_CS_IRQ, flag, 0x1234));
    assert_idle(r);
    g_assert_cmphex(fake_read64(r->host, flag), ==, 0x1234);
}

static void test_disabled_queue_holds_still(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    unsigned reads;

    rig_write32(r, SMMU3_CR0, MASK(CR0_SMMUEN));
    reads = r->host->reads;
    submit(r, command(CMD_SYNC));
    submit(r, command(CMD_SYNC));
    g_assert_cmphex(cons(r), ==, 0);
    g_assert_cmpuint(r->host->reads, ==, reads);
    /* Enabling is a reason to look */
    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    assert_idle(r);
    g_assert_cmphex(cons(r), ==, 2);
}

/* Several turns of queues of many sizes, one entry included. */
static void test_wrap(void)
{
    for (unsigned log2 = 0; log2 <= 5; log2++) {
        g_autoptr(Rig) r = rig_new();

        r->cmdq_log2 = log2;
        rig_start(r);
        for (unsigned i = 0; i < 200; i++) {
            submit(r, command(i % 3 ? CMD_TLBI_NSNH_ALL : CMD_SYNC));
            assert_idle(r);
        }
    }
}

static void test_full_at_enable(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Cmd inv = command(CMD_TLBI_NSNH_ALL);
    uint64_t before = smmu3_counters(r->smmu)->commands;

    rig_write32(r, SMMU3_CR0, 0);
    for (unsigned i = 0; i < 32; i++) {
        put(r, i, &inv);
    }
    rig_write32(r, SMMU3_CMDQ_PROD, 0x27);      /* same index, other wrap */
    rig_write32(r, SMMU3_CMDQ_CONS, 0x07);
    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    assert_idle(r);
    g_assert_cmpuint(smmu3_counters(r->smmu)->commands - before, ==, 32);
    g_assert_cmphex(cons(r), ==, 0x27);
    /* Full to not full is worth waking those who wait for space */
    g_assert_cmpuint(r->host->sent_events, ==, 1);
}

/* CONSTRAINED UNPREDICTABLE: the queue holds still and says so. */
static void test_prod_and_cons_out_of_step(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    rig_write32(r, SMMU3_CMDQ_PROD, 0x21);      /* 33 of 32 entries */
    g_assert_cmphex(cons(r), ==, 0);
    g_assert_cmpuint(r->host->guest_errors, ==, 1);
    g_assert_cmphex(active_errors(r), ==, 0);
    rig_write32(r, SMMU3_CMDQ_PROD, 0x3f);
    g_assert_cmphex(cons(r), ==, 0);
    /* Back in step, it goes on */
    fake_write64(r->host, r->cmdq, CMD_SYNC);
    rig_write32(r, SMMU3_CMDQ_PROD, 1);
    assert_idle(r);
}

/* LOG2SIZE above what IDR1 has counts as IDR1's. */
static void test_size_is_capped(void)
{
    g_autoptr(Rig) r = rig_new();
    Cmd good = command(CMD_SYNC);

    r->features.cmdqs = 2;
    r->cmdq_log2 = 5;
    rig_start(r);       /* its four commands fill the queue */
    g_assert_cmphex(cons(r), ==, 4);
    put(r, 0, &good);
    rig_write32(r, SMMU3_CMDQ_PROD, 5);
    g_assert_cmphex(cons(r), ==, 5);
}

/* More commands than one call does: it stops, kicks, and goes on. */
static void test_work_is_bounded(void)
{
    g_autoptr(Rig) r = rig_new();
    Cmd inv = command(CMD_TLBI_NSNH_ALL);
    uint32_t before, total;
    unsigned calls = 0;

    r->features.cmdqs = 19;
    r->cmdq_log2 = 15;
    rig_start(r);
    for (unsigned i = 0; i < 1u << 15; i++) {
        put(r, i, &inv);
    }
    before = cons(r);
    total = 1u << 15;
    r->host->kicks = 0;
    rig_write32(r, SMMU3_CMDQ_PROD, before ^ total);
    while (cons(r) != prod(r)) {
        uint32_t at = cons(r);

        g_assert_cmpuint(r->host->kicks, ==, calls + 1);
        smmu3_service(r->smmu);
        g_assert_cmpuint((cons(r) - at) & 0xffff, <=, 4096);
        g_assert_cmpuint((cons(r) - at) & 0xffff, >, 0);
        calls++;
    }
    g_assert_cmpuint(calls, >=, 4);
    assert_idle(r);
}

/* As long as there is budget, nothing waits for a kick. */
static void test_all_in_one_call(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = rig_new();
    Cmd inv = command(CMD_TLBI_NSNH_ALL);

    ops.tlb_invalidated = NULL;
    r->smmu = r->host->smmu = smmu3_new(&r->features, NULL, &ops, r->host);
    r->cmdq_log2 = 10;
    rig_start(r);
    for (unsigned i = 0; i < 1u << 10; i++) {
        put(r, i, &inv);
    }
    rig_write32(r, SMMU3_CMDQ_PROD, cons(r) ^ (1u << 10));
    assert_idle(r);
    g_assert_cmpuint(r->host->kicks, ==, 0);
}

/* The same when each of them has a host function called. */
static void test_work_with_mail_is_bounded(void)
{
    g_autoptr(Rig) r = rig_new();
    Cmd sync = sync_with(CMD_SYNC_CS_IRQ, 0, 0);
    uint32_t before;

    r->features.cmdqs = 19;
    r->cmdq_log2 = 14;
    rig_start(r);
    for (unsigned i = 0; i < 1u << 14; i++) {
        put(r, i, &sync);
    }
    before = cons(r);
    rig_write32(r, SMMU3_CMDQ_PROD, before ^ (1u << 14));
    while (r->host->irqs[SMMU3_IRQ_CMD_SYNC] < 1u << 14) {
        unsigned irqs = r->host->irqs[SMMU3_IRQ_CMD_SYNC];

        smmu3_service(r->smmu);
        g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC] - irqs, <=, 4096);
        g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC] - irqs, >, 0);
    }
    assert_idle(r);
}

/* ---- Prefetch --------------------------------------------------------- */

/* Hints, about whatever streams and addresses: no events, no errors. */
static void test_prefetch_is_silent(void)
{
    static const uint64_t sids[] = { 0, 3, 0xffff, 0xffffffff };
    g_autoptr(Rig) r = started(NULL, NULL);
    g_autofree char *before = NULL, *after = NULL;
    Cmd c[8];

    for (unsigned i = 0; i < G_N_ELEMENTS(c); i++) {
        c[i] = command(i % 2 ? CMD_PREFETCH_ADDR : CMD_PREFETCH_CONFIG);
        smmu3_set(c[i].words, CMD_STREAMID, sids[i / 2]);
        smmu3_set(c[i].words, CMD_SSV, 1);
        smmu3_set(c[i].words, CMD_SUBSTREAMID, 0xfffff);
        smmu3_set(c[i].words, CMD_PREFETCH_SIZE, 31);
        smmu3_set(c[i].words, CMD_PREFETCH_STRIDE, 31);
        put(r, i, &c[i]);
    }
    before = fake_digest(r->host);
    rig_write32(r, SMMU3_CMDQ_PROD, G_N_ELEMENTS(c));
    assert_idle(r);
    after = fake_digest(r->host);
    g_assert_cmpstr(before, ==, after);
    rig_expect_no_event(r);
}

/* ---- CFGI ------------------------------------------------------------- */

typedef struct CachedConfig {
    uint32_t sid;
    bool with_cd;
    uint32_t cd_index;
} CachedConfig;

/* What is cached before each command; a case names what must have gone. */
static const CachedConfig cached_configs[] = {
    { 4, false, 0 }, { 4, true, 0 }, { 4, true, 3 },
    { 5, false, 0 }, { 5, true, 0 }, { 5, true, 3 }, { 5, true, 0xfffff },
    { 7, false, 0 }, { 8, false, 0 }, { 0xffff, true, 1 },
};

typedef struct CfgiCase {
    uint64_t word0, word1;
    const char *gone;           /* one character for each of the above:
                                   x gone, - there, ? either (allowed) */
} CfgiCase;

#define SID(n)      ((uint64_t)(n) << 32)
#define SSID(n)     ((uint64_t)(n) << 12)

static const CfgiCase cfgi_cases[] = {
    /* CFGI_STE: the STE and all its CDs; Leaf is no matter */
    { 0x03 | SID(5), 1,                     "---xxxx---" },
    { 0x03 | SID(5), 0,                     "---xxxx---" },
    { 0x03 | SID(8), 1,                     "--------x-" },
    { 0x03 | SID(6), 1,                     "----------" },
    /* CFGI_STE_RANGE: aligned blocks of 2^(Range+1) */
    { 0x04 | SID(4), 0,                     "xxxxxxx---" },
    { 0x04 | SID(5), 0,                     "xxxxxxx---" },
    { 0x04 | SID(5), 1,                     "xxxxxxxx--" },
    { 0x04 | SID(9), 2,                     "--------x-" },
    { 0x04 | SID(9), 3,                     "xxxxxxxxx-" },
    { 0x04 | SID(0), 15,                    "xxxxxxxxxx" },
    { 0x04 | SID(0x10000), 15,              "??????????" },
    { 0x04 | SID(0), 30,                    "xxxxxxxxxx" },
    { 0x04 | SID(0x80000000), 30,           "??????????" },
    /* CFGI_ALL: the StreamID is no matter */
    { 0x04, 31,                             "xxxxxxxxxx" },
    { 0x04 | SID(0x80000000), 31,           "xxxxxxxxxx" },
    /* CFGI_CD: one CD; SSV is not used, 0 is the only or default one */
    { 0x05 | SID(5) | SSID(3), 1,           "---?-x----" },
    { 0x05 | SID(5) | SSID(0), 1,           "---?x-----" },
    { 0x05 | SID(5) | SSID(0xfffff), 0,     "---?--x---" },
    { 0x05 | SID(5) | SSID(9), 1,           "---?------" },
    /* CFGI_CD_ALL: all CDs of the stream */
    { 0x06 | SID(5), 0,                     "---?xxx---" },
    { 0x06 | SID(4), 0,                     "?xx-------" },
};

static bool is_cached(Rig *r, const CachedConfig *c)
{
    Smmu3Config config;

    return smmu3_config_lookup(r->smmu->configs, c->sid, c->with_cd,
                               c->cd_index, &config);
}

static void test_cfgi(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cfgi_cases); i++) {
        const CfgiCase *c = &cfgi_cases[i];
        g_autoptr(Rig) r = started(NULL, NULL);

        for (unsigned j = 0; j < G_N_ELEMENTS(cached_configs); j++) {
            const CachedConfig *at = &cached_configs[j];
            Smmu3Config config = { .has_cd = at->with_cd };

            g_mutex_lock(&r->smmu->lock);
            smmu3_config_insert(r->smmu->configs, at->sid, at->with_cd,
                                at->cd_index, &config,
                                smmu3_config_epoch(r->smmu->configs));
            g_mutex_unlock(&r->smmu->lock);
            g_assert_true(is_cached(r, at));
        }
        rig_command2(r, c->word0, c->word1);
        assert_idle(r);
        for (unsigned j = 0; j < G_N_ELEMENTS(cached_configs); j++) {
            g_test_message("case %u, entry %u", i, j);
            if (c->gone[j] != '?') {
                g_assert_cmpint(is_cached(r, &cached_configs[j]), ==,
                                c->gone[j] == '-');
            }
        }
    }
}

/* From outside: a changed STE is seen after CFGI_STE and SYNC, if not before.
 */
static void test_cfgi_makes_changes_visible(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Smmu3Transaction t = dma_read(6, 0x5000);
    Smmu3Translation result;
    uint64_t ste[SMMU3_STE_WORDS];

    ste_bypass(ste);
    rig_set_ste(r, 6, ste);
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_OK);
    ste_abort(ste);
    fake_write_words(r->host, rig_ste_addr(r, 6), ste, SMMU3_STE_WORDS);
    rig_command2(r, CMD_CFGI_STE | SID(6), 1);
    rig_sync(r);
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_ABORT);
}

/* ---- TLBI ------------------------------------------------------------- */

#define VA0     UINT64_C(0x10000000)
#define VA1     UINT64_C(0x20000000)
#define VA2     UINT64_C(0x30000000)

typedef struct CachedLeaf {
    char name;
    Smmu3World world;
    uint16_t vmid, asid;
    uint64_t addr;
    bool global;
} CachedLeaf;

static const CachedLeaf cached_leaves[] = {
    { 'a', SMMU3_WORLD_NS_EL1, 1, 1, VA0, false },
    { 'b', SMMU3_WORLD_NS_EL1, 1, 2, VA0, false },
    { 'c', SMMU3_WORLD_NS_EL1, 1, 1, VA1, false },
    { 'g', SMMU3_WORLD_NS_EL1, 1, 1, VA2, true },
    { 'd', SMMU3_WORLD_NS_EL1, 2, 1, VA0, false },
    { 'e', SMMU3_WORLD_NS_EL2, 0, 0, VA0, false },
    { 'h', SMMU3_WORLD_NS_EL2_E2H, 0, 1, VA0, false },
    { 'i', SMMU3_WORLD_NS_EL2_E2H, 0, 2, VA0, false },
    { 'j', SMMU3_WORLD_NS_EL2_E2H, 0, 1, VA2, true },
    { 's', SMMU3_WORLD_STAGE2, 1, 0, VA0, false },
    { 't', SMMU3_WORLD_STAGE2, 1, 0, VA1, false },
    { 'u', SMMU3_WORLD_STAGE2, 2, 0, VA0, false },
};

static Smmu3TlbTag tag_of(const CachedLeaf *c)
{
    return (Smmu3TlbTag) { .world = c->world, .vmid = c->vmid,
                           .asid = c->asid };
}

static void insert_page(Rig *r, const Smmu3TlbTag *tag, uint64_t addr,
                        unsigned size_log2, bool global)
{
    Smmu3Leaf leaf = {
        .base = addr, .size_log2 = size_log2, .global = global,
        .rights = SMMU3_UNPRIV_R | SMMU3_PRIV_R,
    };

    g_mutex_lock(&r->smmu->lock);
    smmu3_tlb_insert(r->smmu->tlb, tag, addr, &leaf,
                     smmu3_tlb_epoch(r->smmu->tlb));
    g_mutex_unlock(&r->smmu->lock);
}

static bool in_tlb(Rig *r, const Smmu3TlbTag *tag, uint64_t addr)
{
    Smmu3Leaf leaf;

    return smmu3_tlb_lookup(r->smmu->tlb, tag, addr, &leaf);
}

typedef struct TlbiCase {
    uint64_t word0, word1;
    const char *gone;           /* names of cached_leaves */
    const char *may_go;         /* more than asked for is legal; NULL: none */
    bool e2h;                   /* CR2.E2H */
    uint8_t vmw;                /* CR0.VMW */
} TlbiCase;

#define VMID(n)     ((uint64_t)(n) << 32)
#define ASID(n)     ((uint64_t)(n) << 48)

static const TlbiCase tlbi_cases[] = {
    { 0x10 | VMID(1), 0, "abcg" },
    { 0x10 | VMID(2), 0, "d" },
    { 0x10 | VMID(3), 0, "" },
    /* by ASID: what is global stays */
    { 0x11 | VMID(1) | ASID(1), 0, "ac" },
    { 0x11 | VMID(1) | ASID(2), 0, "b" },
    { 0x11 | VMID(2) | ASID(2), 0, "" },
    /* by VA and ASID: what is global goes, too */
    { 0x12 | VMID(1) | ASID(1), VA0, "a" },
    { 0x12 | VMID(1) | ASID(2), VA0, "b" },
    { 0x12 | VMID(1) | ASID(9), VA2, "g" },
    { 0x12 | VMID(1) | ASID(1), VA0 + 0x1000, "" },
    { 0x12 | VMID(1) | ASID(1), VA0 | 1, "a" },         /* Leaf */
    /* by VA, of every ASID: here the TLB lets go of the VMID */
    { 0x13 | VMID(1), VA0, "ab", "cg" },
    { 0x13 | VMID(1), VA2, "g", "abc" },
    { 0x13 | VMID(2), VA0, "d" },
    { 0x20, 0, "ehij" },
    { 0x21 | ASID(1), 0, "h" },
    { 0x21 | ASID(2), 0, "i" },
    { 0x22 | ASID(1), VA0, "h", .e2h = true },
    { 0x22 | ASID(7), VA2, "j", .e2h = true },
    { 0x22 | ASID(1), VA0, "e", .e2h = false },
    { 0x22 | ASID(7), VA0, "e", .e2h = false },         /* ASID ignored */
    { 0x23, VA0, "hi", "ej", .e2h = true },
    { 0x23, VA2, "j", "ehi", .e2h = true },
    { 0x23, VA0, "e", "hij", .e2h = false },
    { 0x28 | VMID(1), 0, "abcgst" },
    { 0x28 | VMID(2), 0, "du" },
    { 0x2a | VMID(1), VA0, "s" },
    { 0x2a | VMID(1), VA1, "t" },
    { 0x2a | VMID(2), VA0, "u" },
    { 0x30, 0, "abcgdstu" },
    /* VMID wildcards: 1..4 low bits; other values are none */
    { 0x10 | VMID(3), 0, "d", .vmw = 1 },
    { 0x10 | VMID(3), 0, "abcgd", .vmw = 2 },
    { 0x28 | VMID(15), 0, "abcgdstu", .vmw = 4 },
    { 0x28 | VMID(16), 0, "", .vmw = 4 },
    { 0x28 | VMID(3), 0, "", .vmw = 5 },
    { 0x11 | VMID(3) | ASID(1), 0, "acd", .vmw = 2 },
    { 0x12 | VMID(3) | ASID(1), VA0, "ad", .vmw = 2 },
    { 0x13 | VMID(3), VA0, "abd", "cg", .vmw = 2 },
    { 0x2a | VMID(3), VA0, "su", .vmw = 2 },
    { 0x2a | VMID(3), VA0, "u", .vmw = 1 },
};

static void test_tlbi(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbi_cases); i++) {
        const TlbiCase *c = &tlbi_cases[i];
        g_autoptr(Rig) r = rig_new();
        uint64_t cr0;

        r->cr2 = c->e2h ? MASK(CR2_E2H) : 0;
        rig_start(r);
        cr0 = rig_read32(r, SMMU3_CR0);
        smmu3_set(&cr0, CR0_VMW, c->vmw);
        rig_write32(r, SMMU3_CR0, cr0);
        for (unsigned j = 0; j < G_N_ELEMENTS(cached_leaves); j++) {
            const CachedLeaf *leaf = &cached_leaves[j];
            Smmu3TlbTag tag = tag_of(leaf);

            insert_page(r, &tag, leaf->addr, 12, leaf->global);
        }
        fake_clear_records(r->host);
        rig_command2(r, c->word0, c->word1);
        assert_idle(r);
        for (unsigned j = 0; j < G_N_ELEMENTS(cached_leaves); j++) {
            const CachedLeaf *leaf = &cached_leaves[j];
            Smmu3TlbTag tag = tag_of(leaf);

            g_test_message("case %u, entry %c", i, leaf->name);
            if (!c->may_go || !strchr(c->may_go, leaf->name)) {
                g_assert_cmpint(in_tlb(r, &tag, leaf->addr), ==,
                                !strchr(c->gone, leaf->name));
            }
        }
        /* IOMMU notifiers hear of each */
        g_assert_cmpuint(r->host->tlb_invalidations->len, ==, 1);
    }
}

/* Without stage 2 there is one VMID. */
static void test_tlbi_without_stage_2(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3TlbTag tag = { .world = SMMU3_WORLD_NS_EL1, .asid = 3 };

    no_s2(&r->features);
    rig_start(r);
    insert_page(r, &tag, VA0, 12, false);
    rig_command2(r, CMD_TLBI_NH_ASID | VMID(5) | ASID(3), 0);
    g_assert_false(in_tlb(r, &tag, VA0));
}

typedef struct RangeCase {
    uint64_t word0, word1;
    uint64_t first, last;       /* what tlb_invalidated() hears */
    bool ril, no_ds;
} RangeCase;

static const RangeCase range_cases[] = {
    /* TG=0: one address, whatever NUM, SCALE and TTL say */
    { 0x12, VA0, VA0, VA0 + 0xfff, true },
    { 0x12 | NUM(3) | SCALE(1), VA0 | TTL(2), VA0, VA0 + 0xfff, true },
    /* (NUM + 1) * 2^SCALE granules */
    { 0x12 | NUM(3) | SCALE(1), VA0 | TG(1), VA0, VA0 + 0x7fff, true },
    { 0x12, VA0 | TG(1) | TTL(3), VA0, VA0 + 0xfff, true },
    { 0x12 | NUM(1), VA0 | TG(2), VA0, VA0 + 0x7fff, true },
    { 0x12 | NUM(31) | SCALE(0), VA0 | TG(3), VA0, VA0 + 0x1fffff, true },
    { 0x12 | NUM(0) | SCALE(10), VA0 | TG(1), VA0, VA0 + 0x3fffff, true },
    /* The address is aligned down to the granule */
    { 0x12 | NUM(1), (VA0 + 0x3000) | TG(3), VA0, VA0 + 0x1ffff, true },
    /* SCALE ends at 39, and has five bits only without DS */
    { 0x12 | NUM(31) | SCALE(39), VA0 | TG(3), VA0,
      VA0 + (UINT64_C(1) << 60) - 1, true },
    { 0x12 | NUM(0) | SCALE(63), VA0 | TG(3), VA0,
      VA0 + (UINT64_C(1) << 55) - 1, true },
    { 0x12 | NUM(0) | SCALE(40), VA0 | TG(1), VA0, VA0 + 0xfffff, true,
      .no_ds = true },
    /* No wrap-around */
    { 0x12 | NUM(1), UINT64_C(0xfffffffffffff000) | TG(1),
      UINT64_C(0xfffffffffffff000), UINT64_MAX, true },
    /* Without RIL all of that is RES0 */
    { 0x12 | NUM(3) | SCALE(1), VA0 | TG(1), VA0, VA0 + 0xfff, false },
};

static void test_tlbi_ranges(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(range_cases); i++) {
        const RangeCase *c = &range_cases[i];
        g_autoptr(Rig) r = rig_new();
        const Smmu3TlbInvalidate *inv;

        g_test_message("case %u", i);
        r->features.ds = !c->no_ds;
        if (!c->ril) {
            r->features.ril = 0;
            r->features.aidr_minor = 1;
        }
        rig_start(r);
        rig_command2(r, c->word0 | VMID(7) | ASID(9), c->word1);
        assert_idle(r);
        g_assert_cmpuint(r->host->tlb_invalidations->len, ==, 1);
        inv = &g_array_index(r->host->tlb_invalidations, Smmu3TlbInvalidate,
                             0);
        g_assert_true(inv->by_address && inv->by_asid && inv->by_vmid);
        g_assert_false(inv->stage2);
        g_assert_cmphex(inv->vmid, ==, 7);
        g_assert_cmphex(inv->asid, ==, 9);
        g_assert_cmphex(inv->addr, ==, c->first);
        g_assert_cmphex(inv->last, ==, c->last);
    }
}

/* Pages inside go, pages around stay, a block that overlaps goes whole. */
static void test_tlbi_range_and_tlb(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Smmu3TlbTag tag = { .world = SMMU3_WORLD_NS_EL1, .vmid = 1, .asid = 1 };

    for (unsigned page = 0; page < 12; page++) {
        insert_page(r, &tag, VA0 + page * 0x1000, 12, page == 5);
    }
    insert_page(r, &tag, VA1, 21, false);
    rig_command2(r, CMD_TLBI_NH_VA | VMID(1) | ASID(1) | NUM(3) | SCALE(1),
                 (VA0 + 0x2000) | TG(1));
    for (unsigned page = 0; page < 12; page++) {
        g_assert_cmpint(in_tlb(r, &tag, VA0 + page * 0x1000), ==,
                        page < 2 || page > 9);
    }
    g_assert_true(in_tlb(r, &tag, VA1));
    rig_command2(r, CMD_TLBI_NH_VA | VMID(1) | ASID(1), VA1 + 0x5000);
    g_assert_false(in_tlb(r, &tag, VA1));
    g_assert_false(in_tlb(r, &tag, VA1 + 0x100000));
}

/* ---- ATC_INV ---------------------------------------------------------- */

typedef struct AtcCase {
    uint64_t word0, word1;
    Smmu3AtcInvalidate expect;
} AtcCase;

#define SSV         (1u << 11)
#define GLOBAL      (1u << 9)

static const AtcCase atc_cases[] = {
    { SID(9), 0x5000, { .sid = 9, .addr = 0x5000, .size_log2 = 12 } },
    { SID(9) | SSV | SSID(0xabcde), 0x5000,
      { .sid = 9, .has_ssid = true, .ssid = 0xabcde, .addr = 0x5000,
        .size_log2 = 12 } },
    { SID(9) | SSV | SSID(3) | GLOBAL, 0x5000,
      { .sid = 9, .has_ssid = true, .ssid = 3, .global = true,
        .addr = 0x5000, .size_log2 = 12 } },
    /* Without SSV, SubstreamID and Global are ignored */
    { SID(9) | SSID(3) | GLOBAL, 0x5000,
      { .sid = 9, .addr = 0x5000, .size_log2 = 12 } },
    /* The address is aligned to the span */
    { SID(9), 0x12345000 | 4,
      { .sid = 9, .addr = 0x12340000, .size_log2 = 16 } },
    /* Everything */
    { SID(9), UINT64_C(0xfffffffffffff000) | 52,
      { .sid = 9, .addr = 0, .size_log2 = 64 } },
    { SID(9), UINT64_C(0xfffffffffffff000) | 51,
      { .sid = 9, .addr = UINT64_C(1) << 63, .size_log2 = 63 } },
};

static void assert_same_invalidation(const Smmu3AtcInvalidate *a,
                                     const Smmu3AtcInvalidate *b)
{
    g_assert_cmphex(a->sid, ==, b->sid);
    g_assert_cmphex(a->ssid, ==, b->ssid);
    g_assert_cmpint(a->has_ssid, ==, b->has_ssid);
    g_assert_cmpint(a->global, ==, b->global);
    g_assert_cmphex(a->addr, ==, b->addr);
    g_assert_cmpuint(a->size_log2, ==, b->size_log2);
}

static void test_atc_inv(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(atc_cases); i++) {
        const AtcCase *c = &atc_cases[i];
        g_autoptr(Rig) r = started(NULL, NULL);

        rig_command2(r, CMD_ATC_INV | c->word0, c->word1);
        assert_idle(r);
        g_assert_cmpuint(r->host->atc_invalidations->len, ==, 1);
        assert_same_invalidation(&g_array_index(r->host->atc_invalidations,
                                                Smmu3AtcInvalidate, 0),
                                 &c->expect);
    }
}

static void test_atc_inv_without_substreams(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3AtcInvalidate expect = { .sid = 9, .addr = 0x5000, .size_log2 = 12 };

    r->features.ssidsize = 0;
    rig_start(r);
    rig_command2(r, CMD_ATC_INV | SID(9) | SSV | SSID(3) | GLOBAL, 0x5000);
    assert_idle(r);
    assert_same_invalidation(&g_array_index(r->host->atc_invalidations,
                                            Smmu3AtcInvalidate, 0), &expect);
}

static void test_atc_inv_ignored_when_disabled(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    r->host->atc_answers_later = true;
    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    rig_command2(r, CMD_ATC_INV | SID(9), 52);
    rig_sync(r);
    assert_idle(r);
    g_assert_cmpuint(r->host->atc_invalidations->len, ==, 0);
}

/* ---- CMD_SYNC: completion --------------------------------------------- */

static uint64_t sync_flag;      /* watched by msi_sees_cons() */
static uint32_t cons_at_msi;

/* Who sees the MSI sees that the command is consumed (3.18). */
static bool msi_sees_cons(void *opaque, uint64_t pa, uint32_t data)
{
    FakeHost *host = opaque;

    cons_at_msi = smmu3_regs(host->smmu)->cmdq.cons;
    return fake_host_ops.msi(opaque, pa, data);
}

static void test_sync_msi(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;

    ops.msi = msi_sees_cons;
    r = started(NULL, &ops);
    sync_flag = fake_alloc(r->host, 4096, 4096);
    fake_write64(r->host, sync_flag, UINT64_MAX);
    submit(r, sync_with(CMD_SYNC_CS_IRQ, sync_flag, 0xcafe0001));
    assert_idle(r);
    g_assert_cmphex(cons_at_msi, ==, 1);
    /* 32 bits, no more; and the wire */
    g_assert_cmphex(fake_read64(r->host, sync_flag), ==,
                    UINT64_C(0xffffffffcafe0001));
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 1);

    /* Address 0 is no MSI */
    submit(r, sync_with(CMD_SYNC_CS_IRQ, 0, 0xcafe0002));
    assert_idle(r);
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 2);

    /* CS=0: nothing at all, whatever the address */
    submit(r, sync_with(CMD_SYNC_CS_NONE, sync_flag, 0xcafe0003));
    assert_idle(r);
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 2);
    g_assert_cmpuint(r->host->sent_events, ==, 0);
    g_assert_cmpuint(smmu3_counters(r->smmu)->syncs, ==, 1 + 3);
}

static void no_msi(Smmu3Features *f)    { f->msi = 0; }

static void test_sync_without_msi_support(void)
{
    g_autoptr(Rig) r = started(no_msi, NULL);
    uint64_t flag = fake_alloc(r->host, 4096, 4096);

    submit(r, sync_with(CMD_SYNC_CS_IRQ, flag, 1));
    assert_idle(r);
    g_assert_cmpuint(r->host->msis->len, ==, 0);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 1);
}

static void no_sev(Smmu3Features *f)    { f->sev = 0; }

static void test_sync_event(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = started(NULL, NULL);
    g_autoptr(Rig) none = started(no_sev, NULL);
    g_autoptr(Rig) deaf = NULL;

    ops.send_event = NULL;
    deaf = started(NULL, &ops);
    submit(r, sync_with(CMD_SYNC_CS_SEV, 0, 0));
    assert_idle(r);
    g_assert_cmpuint(r->host->sent_events, ==, 1);
    /* Without SEV it is as CS=0 */
    submit(none, sync_with(CMD_SYNC_CS_SEV, 0, 0));
    assert_idle(none);
    g_assert_cmpuint(none->host->sent_events, ==, 0);
    submit(deaf, sync_with(CMD_SYNC_CS_SEV, 0, 0));
    assert_idle(deaf);
}

/* An MSI that cannot be written is a GERROR; the queue goes on. */
static void test_sync_msi_aborts(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    submit(r, sync_with(CMD_SYNC_CS_IRQ, 0x10, 1));
    submit(r, command(CMD_SYNC));
    g_assert_cmphex(cons(r), ==, 2);
    g_assert_cmpuint(error_code(r), ==, CERROR_NONE);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_MSI_CMDQ_ABT));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    /* Active already: no second interrupt */
    submit(r, sync_with(CMD_SYNC_CS_IRQ, 0x10, 1));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    acknowledge(r);
    assert_idle(r);
    submit(r, sync_with(CMD_SYNC_CS_IRQ, 0x10, 1));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 2);
}

/* A CMD_SYNC waits for the signals of those before it, and their aborts. */
static uint32_t cons_at_second_msi;

static bool first_msi_is_slow(void *opaque, uint64_t pa, uint32_t data)
{
    FakeHost *host = opaque;

    (void)pa;
    if (data == 1) {
        cons_at_second_msi = 0;
        smmu3_service(host->smmu);      /* it is busy with us */
        cons_at_msi = smmu3_regs(host->smmu)->cmdq.cons;
    } else {
        cons_at_second_msi = smmu3_regs(host->smmu)->cmdq.cons;
        g_assert_cmphex(smmu3_regs(host->smmu)->gerror, ==,
                        MASK(GERROR_MSI_CMDQ_ABT));
    }
    return false;
}

static void test_sync_waits_for_earlier_signal(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;
    Cmd c[] = {
        sync_with(CMD_SYNC_CS_IRQ, 0x1000, 1), command(CMD_TLBI_NSNH_ALL),
        sync_with(CMD_SYNC_CS_IRQ, 0x1000, 2), command(CMD_SYNC),
    };

    ops.msi = first_msi_is_slow;
    r = started(NULL, &ops);
    for (unsigned i = 0; i < G_N_ELEMENTS(c); i++) {
        put(r, i, &c[i]);
    }
    rig_write32(r, SMMU3_CMDQ_PROD, G_N_ELEMENTS(c));
    g_assert_cmphex(cons_at_msi, ==, 2);            /* not over the second */
    g_assert_cmphex(cons_at_second_msi, ==, 3);
    g_assert_cmphex(cons(r), ==, 4);
}

/* ---- CMD_SYNC: waiting for translations in use ------------------------ */

static void test_sync_waits_for_quiesce(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    uint64_t flag = fake_alloc(r->host, 4096, 4096);

    r->host->quiesce_later = true;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    g_assert_cmpuint(r->host->quiesces, ==, 0);     /* only SYNC asks */
    submit(r, sync_with(CMD_SYNC_CS_IRQ, flag, 1));
    submit(r, command(CMD_TLBI_NSNH_ALL));
    g_assert_cmphex(cons(r), ==, 1);
    g_assert_cmpuint(r->host->quiesces, ==, 1);
    g_assert_cmphex(fake_read64(r->host, flag), ==, 0);
    /* Nothing moves it but the answer */
    smmu3_service(r->smmu);
    g_assert_cmphex(cons(r), ==, 1);
    g_assert_cmpuint(r->host->quiesces, ==, 1);
    smmu3_quiesced(r->smmu);
    assert_idle(r);
    g_assert_cmphex(fake_read64(r->host, flag), ==, 1);
    g_assert_cmpuint(r->host->quiesces, ==, 1);
}

static void test_sync_asks_only_after_invalidations(void)
{
    static const uint64_t invalidations[] = {
        0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22,
        0x23, 0x28, 0x2a, 0x30,
    };
    g_autoptr(Rig) r = started(NULL, NULL);
    unsigned expected = 0;

    rig_sync(r);
    g_assert_cmpuint(r->host->quiesces, ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(invalidations); i++) {
        rig_command2(r, invalidations[i], 0);
        rig_command2(r, invalidations[i], 0);
        rig_sync(r);
        g_assert_cmpuint(r->host->quiesces, ==, ++expected);
        rig_sync(r);
        g_assert_cmpuint(r->host->quiesces, ==, expected);
    }
    rig_command2(r, CMD_RESUME, 0);
    rig_command2(r, CMD_PREFETCH_CONFIG, 0);
    rig_sync(r);
    g_assert_cmpuint(r->host->quiesces, ==, expected);
}

/* Answers nobody waits for are ignored. */
static void test_unasked_quiesced(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    smmu3_quiesced(r->smmu);
    r->host->quiesce_later = true;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    smmu3_quiesced(r->smmu);
    submit(r, command(CMD_SYNC));
    g_assert_cmphex(cons(r), ==, 1);
    smmu3_quiesced(r->smmu);
    assert_idle(r);
}

/* CMDQEN goes away while CMD_SYNC waits: the old answer is not the new one. */
static void test_disable_while_waiting_for_quiesce(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    uint32_t cr0 = rig_read32(r, SMMU3_CR0);

    r->host->quiesce_later = true;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, command(CMD_SYNC));
    g_assert_cmphex(cons(r), ==, 1);
    rig_write32(r, SMMU3_CR0, cr0 & ~MASK(CR0_CMDQEN));
    g_assert_cmphex(cons(r), ==, 1);        /* the first not processed */
    rig_write32(r, SMMU3_CR0, cr0);
    g_assert_cmphex(cons(r), ==, 1);
    g_assert_cmpuint(r->host->quiesces, ==, 1);     /* one at a time */

    smmu3_quiesced(r->smmu);                /* answers the first question */
    g_assert_cmphex(cons(r), ==, 1);
    g_assert_cmpuint(r->host->quiesces, ==, 2);
    smmu3_quiesced(r->smmu);
    assert_idle(r);
}

static void test_disabled_when_the_answer_comes(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    uint32_t cr0 = rig_read32(r, SMMU3_CR0);

    r->host->quiesce_later = true;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, command(CMD_SYNC));
    rig_write32(r, SMMU3_CR0, cr0 & ~MASK(CR0_CMDQEN));
    smmu3_quiesced(r->smmu);
    g_assert_cmphex(cons(r), ==, 1);
    r->host->quiesce_later = false;
    rig_write32(r, SMMU3_CR0, cr0);
    assert_idle(r);
    g_assert_cmpuint(r->host->quiesces, ==, 2);
}

static void test_reset_while_waiting_for_quiesce(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    r->host->quiesce_later = true;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, command(CMD_SYNC));
    smmu3_reset(r->smmu);
    smmu3_service(r->smmu);
    g_assert_cmphex(cons(r), ==, 0);

    /* A new life, with a SYNC of its own; then the old answer comes */
    rig_start(r);
    g_assert_cmphex(cons(r), ==, 3);
    g_assert_cmpuint(r->host->quiesces, ==, 0);
    smmu3_quiesced(r->smmu);
    g_assert_cmphex(cons(r), ==, 3);
    g_assert_cmpuint(r->host->quiesces, ==, 1);
    smmu3_quiesced(r->smmu);
    assert_idle(r);
}

/* quiesce() may answer before it returns, in either way, and may re-enter. */
static unsigned quiesce_calls;

static bool quiesce_answers_at_once(void *opaque)
{
    FakeHost *host = opaque;

    quiesce_calls++;
    smmu3_quiesced(host->smmu);
    return false;
}

static bool quiesce_disables_the_queue(void *opaque)
{
    FakeHost *host = opaque;

    if (quiesce_calls++ == 0) {
        smmu3_mmio_write(host->smmu, SMMU3_CR0, 0, 4);
    }
    return true;
}

static void test_quiesce_re_enters(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;

    ops.quiesce = quiesce_answers_at_once;
    r = started(NULL, &ops);
    quiesce_calls = 0;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, command(CMD_SYNC));
    assert_idle(r);
    g_assert_cmpuint(quiesce_calls, ==, 1);

    rig_free(g_steal_pointer(&r));
    ops.quiesce = quiesce_disables_the_queue;
    quiesce_calls = 1;
    r = started(NULL, &ops);
    quiesce_calls = 0;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, command(CMD_SYNC));
    g_assert_cmphex(cons(r), ==, 1);
    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    assert_idle(r);
    g_assert_cmpuint(quiesce_calls, ==, 2);
}

/* ---- CMD_SYNC: waiting for ATC invalidations -------------------------- */

static uint32_t last_batch(Rig *r)
{
    GArray *all = r->host->atc_invalidations;

    return g_array_index(all, Smmu3AtcInvalidate, all->len - 1).batch;
}

/* Two invalidations and a SYNC that neither endpoint has answered yet. */
static Rig *waiting_for_atc(void)
{
    Rig *r = started(NULL, NULL);

    r->host->atc_answers_later = true;
    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    rig_command2(r, CMD_ATC_INV | SID(2), 52);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 0);     /* only SYNC waits */
    g_assert_cmphex(cons(r), ==, 2);
    rig_sync(r);
    g_assert_cmphex(cons(r), ==, 2);
    g_assert_cmpuint(r->host->atc_invalidations->len, ==, 2);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 1000000000);
    return r;
}

static void test_sync_waits_for_atc(void)
{
    g_autoptr(Rig) r = waiting_for_atc();

    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    g_assert_cmphex(cons(r), ==, 2);
    r->host->kicks = 0;
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    g_assert_cmpuint(r->host->kicks, ==, 1);
    smmu3_service(r->smmu);
    assert_idle(r);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 0);
}

/* Answered in the call itself: no timer, no kick needed. */
static void test_sync_after_answered_atc(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    rig_sync(r);
    assert_idle(r);
    g_assert_cmpuint(r->host->atc_invalidations->len, ==, 1);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 0);
}

static void test_atc_timeout(void)
{
    g_autoptr(Rig) r = waiting_for_atc();
    uint32_t old_batch = last_batch(r);

    smmu3_atc_timeout(r->smmu);
    assert_failed(r, 2, CERROR_ATC_INV_SYNC);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 0);
    /* Software acknowledges; the SYNC is tried again, and has no more to
       wait for */
    acknowledge(r);
    assert_idle(r);

    /* A late answer is not one to a new invalidation */
    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    rig_sync(r);
    smmu3_atc_invalidated(r->smmu, old_batch);
    smmu3_atc_invalidated(r->smmu, old_batch);
    smmu3_service(r->smmu);
    g_assert_cmphex(cons(r), ==, 4);
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    assert_idle(r);
}

static void test_atc_timeout_without_wait(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    smmu3_atc_timeout(r->smmu);
    rig_sync(r);
    assert_idle(r);
    r->host->atc_answers_later = true;
    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    smmu3_atc_timeout(r->smmu);
    rig_sync(r);
    g_assert_cmphex(cons(r), ==, prod(r) - 1);
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    assert_idle(r);
}

/* Each wait has its full time. */
static void test_timer_starts_again(void)
{
    g_autoptr(Rig) r = waiting_for_atc();

    r->host->atc_timer_ns = 1;
    rig_command2(r, CMD_ATC_INV | SID(3), 52);
    rig_sync(r);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 1);     /* the same wait */
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    g_assert_cmphex(cons(r), ==, 4);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 1000000000);
}

static void test_reset_while_waiting_for_atc(void)
{
    g_autoptr(Rig) r = waiting_for_atc();
    uint32_t old_batch = last_batch(r);

    smmu3_reset(r->smmu);
    smmu3_service(r->smmu);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 0);
    smmu3_atc_timeout(r->smmu);
    smmu3_atc_invalidated(r->smmu, old_batch);
    rig_start(r);
    assert_idle(r);
    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    rig_sync(r);
    smmu3_atc_invalidated(r->smmu, old_batch);
    smmu3_service(r->smmu);
    g_assert_cmphex(cons(r), ==, prod(r) - 1);
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    assert_idle(r);
}

static void test_disable_while_waiting_for_atc(void)
{
    g_autoptr(Rig) r = waiting_for_atc();
    uint32_t cr0 = rig_read32(r, SMMU3_CR0);

    rig_write32(r, SMMU3_CR0, cr0 & ~MASK(CR0_CMDQEN));
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 0);
    rig_write32(r, SMMU3_CR0, cr0);
    g_assert_cmphex(cons(r), ==, 2);        /* still not answered */
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 1000000000);
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    assert_idle(r);
}

/* An endpoint that never answers bounds what is in flight. */
static void test_atc_flow_control(void)
{
    g_autoptr(Rig) r = rig_new();
    unsigned in_flight;

    r->cmdq_log2 = 10;
    rig_start(r);
    r->host->atc_answers_later = true;
    for (unsigned i = 0; i < 600; i++) {
        rig_command2(r, CMD_ATC_INV | SID(1), 52);
    }
    in_flight = r->host->atc_invalidations->len;
    g_assert_cmpuint(in_flight, ==, 256);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 1000000000);
    /* They are given up, and the next SYNC tells */
    smmu3_atc_timeout(r->smmu);
    smmu3_atc_timeout(r->smmu);
    g_assert_cmphex(cons(r), ==, prod(r));
    g_assert_cmphex(active_errors(r), ==, 0);
    rig_sync(r);
    assert_failed(r, prod(r) - 1, CERROR_ATC_INV_SYNC);
}

/* A host without a timer waits for as long as it takes. */
static void test_no_timer(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;

    ops.atc_timer = NULL;
    ops.tlb_invalidated = NULL;
    ops.trace = NULL;
    ops.guest_error = NULL;
    r = started(NULL, &ops);
    r->host->atc_answers_later = true;
    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    rig_command2(r, CMD_TLBI_NSNH_ALL, 0);
    rig_sync(r);
    g_assert_cmphex(cons(r), ==, 2);
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    assert_idle(r);
    submit(r, command(0));
    g_assert_cmpuint(error_code(r), ==, CERROR_ILL);
}

/* Invalidations by ATS first, then translations in use, in one SYNC. */
static void test_sync_waits_for_both(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    r->host->atc_answers_later = r->host->quiesce_later = true;
    rig_command2(r, CMD_TLBI_NSNH_ALL, 0);
    rig_command2(r, CMD_ATC_INV | SID(1), 52);
    rig_sync(r);
    g_assert_cmpuint(r->host->quiesces, ==, 0);
    smmu3_atc_invalidated(r->smmu, last_batch(r));
    smmu3_service(r->smmu);
    g_assert_cmpuint(r->host->quiesces, ==, 1);
    g_assert_cmphex(cons(r), ==, 2);
    smmu3_quiesced(r->smmu);
    assert_idle(r);
}

/* ---- Host functions that come back ------------------------------------ */

/* An MSI whose target is the SMMU: software's idea of a joke. */
static bool msi_writes_registers(void *opaque, uint64_t pa, uint32_t data)
{
    FakeHost *host = opaque;

    (void)pa;
    (void)data;
    smmu3_mmio_write(host->smmu, SMMU3_CMDQ_PROD, 0x15, 4);
    smmu3_mmio_write(host->smmu, SMMU3_GERRORN, 0xffffffff, 4);
    smmu3_mmio_write(host->smmu, SMMU3_CR0, 0, 4);
    smmu3_mmio_write(host->smmu, SMMU3_CMDQ_CONS, 3, 4);
    smmu3_mmio_write(host->smmu, SMMU3_CR0, 0xffffffff, 4);
    smmu3_mmio_read(host->smmu, SMMU3_CMDQ_CONS, 4);
    return true;
}

static void test_msi_writes_registers(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;

    ops.msi = msi_writes_registers;
    r = started(NULL, &ops);
    for (unsigned i = 0; i < 32; i++) {
        Cmd c = i < 3 ? sync_with(CMD_SYNC_CS_IRQ, 0x1000, i)
                      : command(CMD_TLBI_NSNH_ALL);

        put(r, i, &c);
    }
    rig_write32(r, SMMU3_CMDQ_PROD, 1);
    /* Junk in GERRORN stopped it; and when that is undone it goes on */
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
    g_assert_cmphex(cons(r), ==, 0x15);
}

/* The queue disabled by a CMD_SYNC's own signal: that one is done. */
static bool msi_disables(void *opaque, uint64_t pa, uint32_t data)
{
    FakeHost *host = opaque;

    smmu3_mmio_write(host->smmu, SMMU3_CR0, 0, 4);
    return fake_host_ops.msi(opaque, pa, data);
}

static void test_disabled_by_its_own_signal(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;
    uint64_t flag;

    ops.msi = msi_disables;
    r = started(NULL, &ops);
    flag = fake_alloc(r->host, 4096, 4096);
    submit(r, sync_with(CMD_SYNC_CS_IRQ, flag, 1));
    g_assert_cmphex(cons(r), ==, 1);
    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    assert_idle(r);
    g_assert_cmpuint(r->host->msis->len, ==, 1);
}

static bool msi_resets(void *opaque, uint64_t pa, uint32_t data)
{
    (void)pa;
    (void)data;
    smmu3_reset(((FakeHost *)opaque)->smmu);
    return false;
}

static void test_reset_by_its_own_signal(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = NULL;

    ops.msi = msi_resets;
    r = started(NULL, &ops);
    submit(r, sync_with(CMD_SYNC_CS_IRQ, 0x1000, 1));
    g_assert_cmphex(cons(r), ==, 0);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0ACK), ==, 0);
    /* Its delivery is of another life, and so is the abort */
    g_assert_cmphex(active_errors(r), ==, 0);
    rig_start(r);
    assert_idle(r);
    rig_sync(r);
    assert_idle(r);
}

/* A command that is rewritten while it waits is taken as it then is. */
static void test_waiting_command_is_rewritten(void)
{
    static const unsigned opcodes[] = { CMD_TLBI_NSNH_ALL, CMD_CFGI_STE };

    for (unsigned i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        g_autoptr(Rig) r = started(NULL, NULL);
        Cmd inv = command(opcodes[i]);

        r->host->quiesce_later = true;
        submit(r, inv);
        submit(r, command(CMD_SYNC));
        g_assert_cmphex(cons(r), ==, 1);
        put(r, 1, &inv);
        smmu3_quiesced(r->smmu);
        assert_idle(r);
        /* The SYNC after it has to ask again */
        submit(r, command(CMD_SYNC));
        g_assert_cmphex(cons(r), ==, 2);
        g_assert_cmpuint(r->host->quiesces, ==, 2);
    }
}

/*
 * What a command sets off has software submit the next one, for ever: the work
 * is done one after the other, not one in the other, and the call ends.
 */
static unsigned depth, deepest, calls;

static void submit_another(FakeHost *host)
{
    uint32_t prod = smmu3_mmio_read(host->smmu, SMMU3_CMDQ_PROD, 4);

    calls++;
    depth++;
    deepest = MAX(deepest, depth);
    smmu3_mmio_write(host->smmu, SMMU3_CMDQ_PROD, (prod + 1) & 0x3f, 4);
    depth--;
}

static void irq_submits_another(void *opaque, Smmu3Irq irq)
{
    (void)irq;
    submit_another(opaque);
}

static void prg_response_submits_another(void *opaque,
                                         const Smmu3PrgResponse *response)
{
    (void)response;
    submit_another(opaque);
}

static void test_endless_commands(void)
{
    const Cmd endless[] = {
        sync_with(CMD_SYNC_CS_IRQ, 0, 0), command(CMD_PRI_RESPONSE),
    };
    Smmu3HostOps ops = fake_host_ops;

    ops.irq = irq_submits_another;
    ops.prg_response = prg_response_submits_another;
    for (unsigned i = 0; i < G_N_ELEMENTS(endless); i++) {
        g_autoptr(Rig) r = started(NULL, &ops);

        for (unsigned slot = 0; slot < 32; slot++) {
            put(r, slot, &endless[i]);
        }
        depth = deepest = calls = 0;
        rig_write32(r, SMMU3_CMDQ_PROD, 1);
        g_assert_cmpuint(deepest, ==, 1);
        g_assert_cmpuint(calls, >, 100);
        g_assert_cmpuint(calls, <=, 4096);
        g_assert_cmpuint(r->host->kicks, >, 0);
    }
}

/* ---- Reset and load --------------------------------------------------- */

static void fill_caches(Rig *r, const Smmu3TlbTag *tag,
                        const CachedConfig *config)
{
    insert_page(r, tag, VA0, 12, false);
    g_mutex_lock(&r->smmu->lock);
    smmu3_config_insert(r->smmu->configs, config->sid, config->with_cd,
                        config->cd_index, &(Smmu3Config) { .has_cd = true },
                        smmu3_config_epoch(r->smmu->configs));
    g_mutex_unlock(&r->smmu->lock);
    g_assert_true(in_tlb(r, tag, VA0));
    g_assert_true(is_cached(r, config));
}

static void test_reset_and_load_empty_the_caches(void)
{
    static const Smmu3TlbTag tag = { .world = SMMU3_WORLD_NS_EL2 };
    static const CachedConfig config = { 5, true, 3 };
    g_autoptr(Rig) r = started(NULL, NULL);
    Smmu3Regs regs = *smmu3_regs(r->smmu);

    fill_caches(r, &tag, &config);
    smmu3_reset(r->smmu);
    g_assert_false(in_tlb(r, &tag, VA0));
    g_assert_false(is_cached(r, &config));
    fill_caches(r, &tag, &config);
    g_assert_true(smmu3_load(r->smmu, &regs, NULL, 0));
    g_assert_false(in_tlb(r, &tag, VA0));
    g_assert_false(is_cached(r, &config));
}

/* What waits in the SMMU that is loaded over is of another life, too. */
static void test_load_over_a_waiting_sync(void)
{
    g_autoptr(Rig) r = waiting_for_atc();
    Smmu3Regs regs = *smmu3_regs(r->smmu);

    g_assert_true(smmu3_load(r->smmu, &regs, NULL, 0));
    smmu3_service(r->smmu);
    assert_idle(r);
    g_assert_cmpuint(r->host->atc_timer_ns, ==, 0);
}

/* A SYNC that waits when the state is saved begins anew after the load. */
static void test_load_begins_the_sync_anew(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    g_autoptr(Rig) to = rig_new();
    GHashTable *pages = to->host->pages;

    r->host->quiesce_later = true;
    submit(r, command(CMD_TLBI_NSNH_ALL));
    submit(r, command(CMD_SYNC));
    g_assert_cmphex(cons(r), ==, 1);
    rig_create(to);
    to->host->pages = g_hash_table_ref(r->host->pages);
    g_hash_table_unref(pages);
    g_assert_true(smmu3_load(to->smmu, smmu3_regs(r->smmu), NULL, 0));
    g_assert_cmphex(cons(to), ==, 1);
    g_assert_cmpuint(to->host->kicks, >, 0);
    smmu3_service(to->smmu);
    assert_idle(to);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/command/every-opcode", test_every_opcode, "76");
    conformance_test("/smmu3/command/legality", test_legality, "78 79");
    conformance_test("/smmu3/command/illegal-before-ignored",
                     test_illegal_before_ignored, "");
    conformance_test("/smmu3/command/illegal-is-fetched-again",
                     test_illegal_is_fetched_again, "76");
    conformance_test("/smmu3/command/illegal-stays-illegal",
                     test_illegal_stays_illegal, "76");
    conformance_test("/smmu3/command/prod-may-move-back-after-error",
                     test_prod_may_move_back_after_error, "76");
    conformance_test("/smmu3/command/queue-in-a-hole", test_queue_in_a_hole,
                     "77");
    conformance_test("/smmu3/command/error-interrupt-disabled",
                     test_error_interrupt_disabled, "");
    conformance_test("/smmu3/command/works-while-the-smmu-is-disabled",
                     test_works_while_the_smmu_is_disabled, "81");
    conformance_test("/smmu3/command/disabled-queue-holds-still",
                     test_disabled_queue_holds_still, "");
    conformance_test("/smmu3/command/wrap", test_wrap, "");
    conformance_test("/smmu3/command/full-at-enable", test_full_at_enable,
                     "82");
    conformance_test("/smmu3/command/prod-and-cons-out-of-step",
                     test_prod_and_cons_out_of_step, "");
    conformance_test("/smmu3/command/size-is-capped", test_size_is_capped,
                     "");
    conformance_test("/smmu3/command/work-is-bounded", test_work_is_bounded,
                     "");
    conformance_test("/smmu3/command/all-in-one-call", test_all_in_one_call,
                     "");
    conformance_test("/smmu3/command/work-with-mail-is-bounded",
                     test_work_with_mail_is_bounded, "");
    conformance_test("/smmu3/command/prefetch-is-silent",
                     test_prefetch_is_silent, "");
    conformance_test("/smmu3/command/cfgi", test_cfgi, "83");
    conformance_test("/smmu3/command/cfgi-makes-changes-visible",
                     test_cfgi_makes_changes_visible, "83");
    conformance_test("/smmu3/command/tlbi", test_tlbi, "84 85 116");
    conformance_test("/smmu3/command/tlbi-without-stage-2",
                     test_tlbi_without_stage_2, "");
    conformance_test("/smmu3/command/tlbi-ranges", test_tlbi_ranges, "86");
    conformance_test("/smmu3/command/tlbi-range-and-tlb",
                     test_tlbi_range_and_tlb, "86");
    conformance_test("/smmu3/command/atc-inv", test_atc_inv, "102");
    conformance_test("/smmu3/command/atc-inv-without-substreams",
                     test_atc_inv_without_substreams, "");
    conformance_test("/smmu3/command/atc-inv-ignored-when-disabled",
                     test_atc_inv_ignored_when_disabled, "102");
    conformance_test("/smmu3/sync/msi-and-consumption", test_sync_msi,
                     "80");
    conformance_test("/smmu3/sync/without-msi-support",
                     test_sync_without_msi_support, "");
    conformance_test("/smmu3/sync/event", test_sync_event, "");
    conformance_test("/smmu3/sync/msi-aborts", test_sync_msi_aborts, "108");
    conformance_test("/smmu3/sync/waits-for-earlier-signal",
                     test_sync_waits_for_earlier_signal, "109");
    conformance_test("/smmu3/sync/waits-for-quiesce",
                     test_sync_waits_for_quiesce, "110");
    conformance_test("/smmu3/sync/asks-only-after-invalidations",
                     test_sync_asks_only_after_invalidations, "");
    conformance_test("/smmu3/sync/unasked-quiesced", test_unasked_quiesced,
                     "");
    conformance_test("/smmu3/sync/disable-while-waiting-for-quiesce",
                     test_disable_while_waiting_for_quiesce, "");
    conformance_test("/smmu3/sync/disabled-when-the-answer-comes",
                     test_disabled_when_the_answer_comes, "");
    conformance_test("/smmu3/sync/reset-while-waiting-for-quiesce",
                     test_reset_while_waiting_for_quiesce, "");
    conformance_test("/smmu3/sync/quiesce-re-enters", test_quiesce_re_enters,
                     "");
    conformance_test("/smmu3/sync/waits-for-atc", test_sync_waits_for_atc,
                     "102");
    conformance_test("/smmu3/sync/after-answered-atc",
                     test_sync_after_answered_atc, "102");
    conformance_test("/smmu3/sync/atc-timeout", test_atc_timeout, "111");
    conformance_test("/smmu3/sync/atc-timeout-without-wait",
                     test_atc_timeout_without_wait, "");
    conformance_test("/smmu3/sync/timer-starts-again",
                     test_timer_starts_again, "");
    conformance_test("/smmu3/sync/reset-while-waiting-for-atc",
                     test_reset_while_waiting_for_atc, "");
    conformance_test("/smmu3/sync/disable-while-waiting-for-atc",
                     test_disable_while_waiting_for_atc, "");
    conformance_test("/smmu3/sync/atc-flow-control", test_atc_flow_control,
                     "");
    conformance_test("/smmu3/sync/host-without-timer", test_no_timer, "");
    conformance_test("/smmu3/sync/waits-for-both", test_sync_waits_for_both,
                     "");
    conformance_test("/smmu3/sync/msi-writes-registers",
                     test_msi_writes_registers, "");
    conformance_test("/smmu3/sync/disabled-by-its-own-signal",
                     test_disabled_by_its_own_signal, "");
    conformance_test("/smmu3/sync/reset-by-its-own-signal",
                     test_reset_by_its_own_signal, "");
    conformance_test("/smmu3/sync/waiting-command-is-rewritten",
                     test_waiting_command_is_rewritten, "");
    conformance_test("/smmu3/sync/endless-commands-are-bounded",
                     test_endless_commands, "");
    conformance_test("/smmu3/command/reset-and-load-empty-the-caches",
                     test_reset_and_load_empty_the_caches, "");
    conformance_test("/smmu3/sync/load-over-a-waiting-sync",
                     test_load_over_a_waiting_sync, "");
    conformance_test("/smmu3/sync/load-begins-the-sync-anew",
                     test_load_begins_the_sync_anew, "");
    return conformance_run();
}
