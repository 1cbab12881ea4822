/*
 * The command queue (core/commands/command.c): which commands are illegal,
 * errors and restart, bounded work. Not invalidations (test-invalidation.c), CMD_SYNC
 * (test-sync.c), PRI (test-pri.c), nor what RESUME means to a stall
 * (test-stall.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command-rig.h"
#include "conformance.h"

/* ---- Legality --------------------------------------------------------- */

static void no_s1(Smmu3Features *f)
{
    f->s1p = f->hyp = f->ssidsize = f->had = f->e0pd = 0;
}

static void no_hyp(Smmu3Features *f)    { f->hyp = 0; }

static void no_stall(Smmu3Features *f)
{
    f->stall_model = 1;
    f->stall_max = 0;
}

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
        g_assert_cmpuint((cons(r) - at) & 0xffff, <=, 2048);
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
        g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC] - irqs, <=, 512);
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
    return conformance_run();
}
