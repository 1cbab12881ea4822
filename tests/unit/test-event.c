/*
 * The event queue (core/queues/event.c): the records' exact words, when they are
 * written and when lost, overflow, aborts, interrupts and their MSIs. Not
 * which fault a transaction has, and not stalls (test-stall.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "core/tables/fault.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)

/* ---- Records ---------------------------------------------------------- */

/* One transaction with every attribute, and its fault. */
#define SID_        0x12345678u
#define SSID_       0xabcdeu
#define ADDR_       UINT64_C(0xfedcba9876543210)
#define IPA_        UINT64_C(0x000fabcdef012345)
#define FETCH_      UINT64_C(0x000f123456789abf)

static const Smmu3Transaction with_all = {
    .sid = SID_, .ssid = SSID_, .ssv = true, .addr = ADDR_,
    .access = SMMU3_READ, .priv = true, .ind = true,
};

typedef struct RecordCase {
    Smmu3Fault fault;
    uint64_t expect[SMMU3_EVENT_WORDS];
} RecordCase;

/* All that a fault can carry; a record takes what its type defines. */
#define FAULT(type_, ...) \
    { .type = type_, .ipa = IPA_, .fetch_addr = FETCH_, .priv = true, \
      .ind = true, __VA_ARGS__ }
/* The first word, with SSV and SubstreamID; and without. */
#define HEAD(type_)     (UINT64_C(0x12345678abcde800) | (type_))
#define BARE(type_)     (UINT64_C(0x1234567800000000) | (type_))
/* The second word's high half: RnW, InD, PnU; S2; CLASS; TTRnW. */
#define READ_IND_PRIV   UINT64_C(0x0000000e00000000)
#define S2              UINT64_C(0x0000008000000000)
#define IN              UINT64_C(0x0000020000000000)
#define TT              UINT64_C(0x0000010000000000)
#define CD              UINT64_C(0)
#define TTRNW           UINT64_C(0x0000100000000000)
#define IPA_FIELD       UINT64_C(0x000fabcdef012000)
#define FETCH_FIELD     UINT64_C(0x000f123456789ab8)

static const RecordCase records[] = {
    { FAULT(F_UUT, .write = true),
      { HEAD(0x01), READ_IND_PRIV, ADDR_, 0 } },        /* as received */
    { FAULT(C_BAD_STREAMID), { HEAD(0x02), 0, 0, 0 } },
    { FAULT(F_STE_FETCH), { HEAD(0x03), 0, 0, FETCH_FIELD } },
    { FAULT(C_BAD_STE), { HEAD(0x04), 0, 0, 0 } },
    { FAULT(F_BAD_ATS_TREQ),
      { HEAD(0x05), UINT64_C(0xb0000001), ADDR_ & ~UINT64_C(0xfff), 0 } },
    { FAULT(F_STREAM_DISABLED), { BARE(0x06), 0, 0, 0 } },
    { FAULT(F_TRANSL_FORBIDDEN),
      { BARE(0x07), UINT64_C(0x0000000800000000), ADDR_, 0 } },
    { FAULT(C_BAD_SUBSTREAMID),
      { UINT64_C(0x12345678abcde008), 0, 0, 0 } },      /* no SSV */
    { FAULT(F_CD_FETCH), { HEAD(0x09), 0, 0, FETCH_FIELD } },
    { FAULT(C_BAD_CD), { HEAD(0x0a), 0, 0, 0 } },
    { FAULT(F_WALK_EABT, .class = CLASS_TT),
      { HEAD(0x0b), READ_IND_PRIV | TT, ADDR_, FETCH_FIELD } },
    { FAULT(F_WALK_EABT, .class = CLASS_IN, .stage2 = true),
      { HEAD(0x0b), READ_IND_PRIV | IN | S2, ADDR_, FETCH_FIELD } },
    { FAULT(F_TRANSLATION, .class = CLASS_IN),
      { HEAD(0x10), READ_IND_PRIV | IN, ADDR_, 0 } },
    { FAULT(F_TRANSLATION, .class = CLASS_CD, .stage2 = true),
      { HEAD(0x10), READ_IND_PRIV | CD | S2, ADDR_, IPA_FIELD } },
    { FAULT(F_ADDR_SIZE, .class = CLASS_IN, .stage2 = true),
      { HEAD(0x11), READ_IND_PRIV | IN | S2, ADDR_, IPA_FIELD } },
    { FAULT(F_ACCESS, .class = CLASS_TT, .stage2 = true),
      { HEAD(0x12), READ_IND_PRIV | TT | S2, ADDR_, IPA_FIELD } },
    /* TTRnW: what was refused to the walk, not to the transaction */
    { FAULT(F_PERMISSION, .class = CLASS_TT, .stage2 = true),
      { HEAD(0x13), READ_IND_PRIV | TT | S2 | TTRNW, ADDR_, IPA_FIELD } },
    { FAULT(F_PERMISSION, .class = CLASS_TT, .stage2 = true,
            .tt_write = true),
      { HEAD(0x13), READ_IND_PRIV | TT | S2, ADDR_, IPA_FIELD } },
    { FAULT(F_PERMISSION, .class = CLASS_IN),
      { HEAD(0x13), READ_IND_PRIV | IN, ADDR_, 0 } },
    { FAULT(F_TLB_CONFLICT, .stage2 = true),
      { HEAD(0x20), READ_IND_PRIV | S2, ADDR_, IPA_FIELD } },
    { FAULT(F_TLB_CONFLICT), { HEAD(0x20), READ_IND_PRIV, ADDR_, 0 } },
    { FAULT(F_CFG_CONFLICT), { HEAD(0x21), 0, 0, 0 } },
    { FAULT(F_VMS_FETCH), { HEAD(0x25), 0, 0, FETCH_FIELD } },
};

static void assert_record(const Smmu3Transaction *t, const Smmu3Fault *fault,
                          const uint64_t expect[SMMU3_EVENT_WORDS])
{
    uint64_t event[SMMU3_EVENT_WORDS] = { ~0, ~0, ~0, ~0 };

    smmu3_event_build(t, fault, event);
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        g_assert_cmphex(event[i], ==, expect[i]);
    }
}

static void test_records(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(records); i++) {
        g_test_message("case %u: 0x%02x", i, records[i].fault.type);
        assert_record(&with_all, &records[i].fault, records[i].expect);
    }
}

/* Without SubstreamID the field is zero, whatever the requester left there. */
static void test_records_without_substream(void)
{
    Smmu3Transaction t = with_all;

    t.ssv = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(records); i++) {
        uint64_t expect[SMMU3_EVENT_WORDS];

        memcpy(expect, records[i].expect, sizeof(expect));
        expect[0] = BARE(records[i].fault.type);
        assert_record(&t, &records[i].fault, expect);
    }
}

/* A write: RnW and InD are 0. The override, not the input, says PnU. */
static void test_records_of_writes(void)
{
    Smmu3Transaction t = with_all;
    Smmu3Fault fault = FAULT(F_TRANSLATION, .class = CLASS_IN, .write = true);
    Smmu3Fault treq = FAULT(F_BAD_ATS_TREQ);
    Smmu3Fault forbidden = FAULT(F_TRANSL_FORBIDDEN);
    Smmu3Fault uut = FAULT(F_UUT);

    t.access = SMMU3_WRITE;
    assert_record(&t, &fault,
                  (uint64_t[]) { HEAD(0x10), IN | UINT64_C(0x200000000),
                                 ADDR_, 0 });
    fault.priv = false;
    assert_record(&t, &fault, (uint64_t[]) { HEAD(0x10), IN, ADDR_, 0 });
    assert_record(&t, &forbidden, (uint64_t[]) { BARE(0x07), 0, ADDR_, 0 });
    uut.priv = false;
    assert_record(&t, &uut, (uint64_t[]) {
        HEAD(0x01), UINT64_C(0x200000000), ADDR_, 0 });

    /* An ATS request: R always, W if not No Write; X and P as requested */
    t.access = SMMU3_READ | SMMU3_WRITE;
    t.ind = t.priv = false;
    assert_record(&t, &treq, (uint64_t[]) {
        HEAD(0x05), UINT64_C(0xc0000001), ADDR_ & ~UINT64_C(0xfff), 0 });
}

/* ---- The queue -------------------------------------------------------- */

/* Streams without a valid STE: each access is a C_BAD_STE. */
static void provoke(Rig *r, uint32_t sid)
{
    Smmu3Transaction t = dma_read(sid, 0x1000);
    Smmu3Translation result;

    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_ABORT);
    smmu3_service(r->smmu);
}

static void expect_from(Rig *r, uint32_t sid)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    rig_expect_event(r, C_BAD_STE, event);
    g_assert_cmpuint(smmu3_get(event, EVENT_STREAMID), ==, sid);
}

static uint32_t active_errors(Rig *r)
{
    return rig_read32(r, SMMU3_GERROR) ^ rig_read32(r, SMMU3_GERRORN);
}

static Rig *started(unsigned eventq_log2)
{
    Rig *r = rig_new();

    r->eventq_log2 = eventq_log2;
    rig_start(r);
    return r;
}

/* Several turns of queues of several sizes, one entry included. */
static void test_wrap(void)
{
    for (unsigned log2 = 0; log2 <= 3; log2++) {
        g_autoptr(Rig) r = started(log2);

        for (uint32_t turn = 0; turn < 5; turn++) {
            for (uint32_t i = 0; i < 1u << log2; i++) {
                provoke(r, turn * 16 + i);
            }
            for (uint32_t i = 0; i < 1u << log2; i++) {
                expect_from(r, turn * 16 + i);
            }
            rig_expect_no_event(r);
        }
        g_assert_cmpuint(smmu3_counters(r->smmu)->events, ==, 5u << log2);
        g_assert_cmpuint(smmu3_counters(r->smmu)->events_lost, ==, 0);
    }
}

/* Nothing but the entry at PROD is written, and it is little-endian. */
static void test_only_the_entry_is_written(void)
{
    g_autoptr(Rig) r = started(2);

    provoke(r, 1);
    g_assert_cmphex(fake_read64(r->host, r->eventq), ==,
                    UINT64_C(0x0000000100000004));
    for (unsigned i = 1; i < 4096 / 8; i++) {
        g_assert_cmphex(fake_read64(r->host, r->eventq + 8 * i), ==, 0);
    }
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 1);
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_CONS), ==, 0);
}

static void test_overflow(void)
{
    g_autoptr(Rig) r = started(1);
    const uint32_t ovf = 0x80000000;

    provoke(r, 1);
    provoke(r, 2);
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 2);   /* full */
    provoke(r, 3);
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 2 | ovf);
    provoke(r, 4);      /* toggles once */
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 2 | ovf);
    g_assert_cmpuint(smmu3_counters(r->smmu)->events_lost, ==, 2);

    /* Space, but no acknowledge: new records are taken all the same */
    expect_from(r, 1);
    provoke(r, 5);
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 3 | ovf);
    provoke(r, 6);      /* a second overflow has no sign of its own */
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 3 | ovf);

    /* Acknowledged, the next one toggles again */
    rig_write32(r, SMMU3_EVENTQ_CONS, 1 | ovf);
    provoke(r, 7);
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 3);
    rig_write32(r, SMMU3_EVENTQ_CONS, 1);
    expect_from(r, 2);
    expect_from(r, 5);
    rig_expect_no_event(r);
    g_assert_cmphex(active_errors(r), ==, 0);
}

static void test_disabled_is_no_overflow(void)
{
    g_autoptr(Rig) r = started(1);
    uint32_t cr0 = rig_read32(r, SMMU3_CR0);

    rig_write32(r, SMMU3_CR0, cr0 & ~MASK(CR0_EVENTQEN));
    for (uint32_t i = 0; i < 5; i++) {
        provoke(r, i);
    }
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 0);
    g_assert_cmpuint(smmu3_counters(r->smmu)->events_lost, ==, 5);
    rig_write32(r, SMMU3_CR0, cr0);
    rig_expect_no_event(r);
    provoke(r, 9);
    expect_from(r, 9);
}

/* Out of step is as good as full. */
static void test_out_of_step_is_full(void)
{
    g_autoptr(Rig) r = started(1);

    rig_write32(r, SMMU3_EVENTQ_CONS, 1);       /* three of two entries */
    provoke(r, 1);
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 0x80000000);
    g_assert_cmphex(fake_read64(r->host, r->eventq), ==, 0);
}

typedef struct Unread {
    unsigned steps;
    uint64_t queue[4], left[4];
} Unread;

static void note_unread(FakeHost *host, Smmu3TraceKind kind,
                        const uint64_t words[4])
{
    Unread *unread = host->hook_data;

    if (kind == SMMU3_TRACE_QUEUE_READ) {
        g_assert_cmpuint(unread->steps, <, G_N_ELEMENTS(unread->left));
        unread->queue[unread->steps] = words[0];
        unread->left[unread->steps++] = words[1];
    }
}

/* Each step of software's through a queue is traced, with what it leaves. */
static void test_reading_is_traced(void)
{
    g_autoptr(Rig) r = started(2);
    Unread unread = { 0 };

    for (uint32_t i = 0; i < 3; i++) {
        provoke(r, i);
    }
    r->host->on_trace = note_unread;
    r->host->hook_data = &unread;
    rig_write32(r, SMMU3_EVENTQ_CONS, 1);
    rig_write32(r, SMMU3_EVENTQ_CONS, 3);
    rig_write32(r, SMMU3_PRIQ_CONS, 0);
    g_assert_cmpuint(unread.steps, ==, 3);
    g_assert_cmpuint(unread.queue[0], ==, SMMU3_IRQ_EVENTQ);
    g_assert_cmpuint(unread.left[0], ==, 2);
    g_assert_cmpuint(unread.left[1], ==, 0);
    g_assert_cmpuint(unread.queue[2], ==, SMMU3_IRQ_PRIQ);
    g_assert_cmpuint(unread.left[2], ==, 0);
}

static void test_write_aborts(void)
{
    g_autoptr(Rig) r = started(2);

    provoke(r, 1);
    fake_clear_records(r->host);
    fake_set_readonly(r->host, r->eventq, 4096, true);
    provoke(r, 2);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_EVENTQ_ABT));
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 0);

    /* Until that is acknowledged nothing is written, and nothing overflows */
    fake_set_readonly(r->host, r->eventq, 4096, false);
    for (uint32_t i = 0; i < 5; i++) {
        provoke(r, 3 + i);
    }
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
    provoke(r, 8);
    expect_from(r, 1);
    expect_from(r, 8);
    rig_expect_no_event(r);
}

static void test_queue_in_a_hole(void)
{
    g_autoptr(Rig) r = started(2);

    fake_unmap(r->host, r->eventq, 4096);
    provoke(r, 2);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_EVENTQ_ABT));
    g_assert_cmphex(rig_read32(r, SMMU3_EVENTQ_PROD), ==, 0);
}

/* ---- Interrupts ------------------------------------------------------- */

static void test_interrupt_on_first(void)
{
    g_autoptr(Rig) r = started(3);
    unsigned *irqs = &r->host->irqs[SMMU3_IRQ_EVENTQ];

    provoke(r, 1);
    g_assert_cmpuint(*irqs, ==, 1);
    provoke(r, 2);
    g_assert_cmpuint(*irqs, ==, 1);         /* was not empty */
    expect_from(r, 1);
    provoke(r, 3);
    g_assert_cmpuint(*irqs, ==, 1);         /* still not */
    expect_from(r, 2);
    expect_from(r, 3);
    provoke(r, 4);
    g_assert_cmpuint(*irqs, ==, 2);
}

static void test_interrupt_enable_at_that_moment(void)
{
    g_autoptr(Rig) r = started(3);
    unsigned *irqs = &r->host->irqs[SMMU3_IRQ_EVENTQ];

    rig_write32(r, SMMU3_IRQ_CTRL, 0);
    provoke(r, 1);
    rig_write32(r, SMMU3_IRQ_CTRL, MASK(IRQ_CTRL_EVENTQ));
    g_assert_cmpuint(*irqs, ==, 0);         /* not made up for */
    provoke(r, 2);
    g_assert_cmpuint(*irqs, ==, 0);
    expect_from(r, 1);
    expect_from(r, 2);
    provoke(r, 3);
    g_assert_cmpuint(*irqs, ==, 1);
}

/* The record and PROD are there when the interrupt comes. */
static uint32_t prod_at_irq;

static void irq_sees_prod(void *opaque, Smmu3Irq irq)
{
    FakeHost *host = opaque;

    if (irq == SMMU3_IRQ_EVENTQ) {
        prod_at_irq = smmu3_mmio_read(host->smmu, SMMU3_EVENTQ_PROD, 4);
    }
}

static void test_interrupt_after_prod(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = rig_new();

    ops.irq = irq_sees_prod;
    r->smmu = r->host->smmu = smmu3_new(&r->features, NULL, &ops, r->host);
    rig_start(r);
    prod_at_irq = 0;
    provoke(r, 1);
    g_assert_cmphex(prod_at_irq, ==, 1);
}

/* An MSI triple, written while its interrupt is disabled. */
static void set_msi(Rig *r, uint32_t cfg0, uint64_t addr, uint32_t data)
{
    uint32_t irqs = rig_read32(r, SMMU3_IRQ_CTRL);

    rig_write32(r, SMMU3_IRQ_CTRL, 0);
    rig_write64(r, cfg0, addr);
    rig_write32(r, cfg0 + 8, data);
    rig_write32(r, SMMU3_IRQ_CTRL, irqs);
}

static void test_msi(void)
{
    g_autoptr(Rig) r = started(3);
    uint64_t target = fake_alloc(r->host, 4096, 4096);

    set_msi(r, SMMU3_EVENTQ_IRQ_CFG0, target + 4, 0xfeed);
    provoke(r, 1);
    g_assert_cmphex(fake_read64(r->host, target), ==,
                    UINT64_C(0x0000feed00000000));
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 1);   /* and wire */
    /* Address 0: the wire alone */
    set_msi(r, SMMU3_EVENTQ_IRQ_CFG0, 0, 0xfeed);
    expect_from(r, 1);
    provoke(r, 2);
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 2);
}

static void test_msi_address_has_oas_bits(void)
{
    g_autoptr(Rig) r = rig_new();
    const FakeMsi *msi;

    r->features.oas = 4;        /* 44 bits */
    rig_start(r);
    set_msi(r, SMMU3_EVENTQ_IRQ_CFG0, UINT64_C(0x000ff00000001000), 1);
    provoke(r, 1);
    msi = &g_array_index(r->host->msis, FakeMsi, 0);
    g_assert_cmphex(msi->pa, ==, 0x1000);
}

/* The event's MSI aborts: GERROR, and its interrupt; the event is there. */
static void test_msi_aborts(void)
{
    g_autoptr(Rig) r = started(3);
    uint64_t target = fake_alloc(r->host, 4096, 4096);

    set_msi(r, SMMU3_EVENTQ_IRQ_CFG0, 0x10, 1);
    set_msi(r, SMMU3_GERROR_IRQ_CFG0, target, 2);
    provoke(r, 1);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_MSI_EVENTQ_ABT));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    g_assert_cmphex(fake_read64(r->host, target), ==, 2);
    expect_from(r, 1);
    /* Later MSIs are sent nevertheless */
    set_msi(r, SMMU3_EVENTQ_IRQ_CFG0, target + 8, 3);
    provoke(r, 2);
    g_assert_cmphex(fake_read64(r->host, target + 8), ==, 3);
}

/* The GERROR's own MSI aborts: an error that has no interrupt. */
static void test_gerror_msi_aborts(void)
{
    g_autoptr(Rig) r = started(3);

    set_msi(r, SMMU3_GERROR_IRQ_CFG0, 0x10, 1);
    fake_unmap(r->host, r->eventq, 4096);
    provoke(r, 1);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_EVENTQ_ABT) |
                    MASK(GERROR_MSI_GERROR_ABT));
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
    g_assert_cmphex(active_errors(r), ==, 0);
}

/* IRQ_CTRL off comes after the MSIs that were due (6.3.16). */
static void test_disabling_completes_msis(void)
{
    g_autoptr(Rig) r = started(3);
    Smmu3Transaction t = dma_read(1, 0);
    Smmu3Translation result;

    set_msi(r, SMMU3_EVENTQ_IRQ_CFG0, 0x10, 1);
    smmu3_translate(r->smmu, &t, &result);      /* not delivered yet */
    g_assert_cmpuint(r->host->msis->len, ==, 0);
    g_assert_cmpuint(r->host->kicks, >, 0);
    rig_write32(r, SMMU3_IRQ_CTRL, 0);
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_MSI_EVENTQ_ABT));
}

/* Reset forgets what was due. */
static void test_reset_forgets_interrupts(void)
{
    g_autoptr(Rig) r = started(3);
    Smmu3Transaction t = dma_read(1, 0);
    Smmu3Translation result;

    smmu3_translate(r->smmu, &t, &result);
    smmu3_reset(r->smmu);
    smmu3_service(r->smmu);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 0);
}

/* ---- CD.A and CD.R ---------------------------------------------------- */

static void test_abort_and_record_bits(void)
{
    for (unsigned bits = 0; bits < 4; bits++) {
        bool a = bits & 1, rec = bits & 2;
        g_autoptr(Rig) r = rig_new();
        uint64_t cd[SMMU3_CD_WORDS], ste[SMMU3_STE_WORDS];
        uint64_t event[SMMU3_EVENT_WORDS];
        Smmu3Transaction t = dma_write(1, 0x1000);
        Smmu3Translation result;
        PageTable pt;
        uint64_t table;

        rig_start(r);
        pt_init(&pt, r->host, 12, 39, false);
        cd_for(cd, &pt, 1);
        smmu3_set(cd, CD_A, a);
        smmu3_set(cd, CD_R, rec);
        table = fake_alloc(r->host, SMMU3_CD_BYTES, 4096);
        fake_write_words(r->host, table, cd, SMMU3_CD_WORDS);
        ste_stage1(ste, table, 0);
        rig_set_ste(r, 1, ste);

        g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==,
                        a ? SMMU3_ABORT : SMMU3_RAZWI);
        g_assert_cmphex(result.fault, ==, F_TRANSLATION);
        if (rec) {
            rig_expect_event(r, F_TRANSLATION, event);
            g_assert_cmphex(event[0], ==, UINT64_C(0x0000000100000010));
            g_assert_cmphex(event[1], ==, IN);
            g_assert_cmphex(event[2], ==, 0x1000);
            g_assert_cmphex(event[3], ==, 0);
        }
        rig_expect_no_event(r);
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/event/records", test_records, "");
    conformance_test("/smmu3/event/records-without-substream",
                     test_records_without_substream, "107");
    conformance_test("/smmu3/event/records-of-writes", test_records_of_writes,
                     "");
    conformance_test("/smmu3/event/wrap", test_wrap, "");
    conformance_test("/smmu3/event/only-the-entry-is-written",
                     test_only_the_entry_is_written, "");
    conformance_test("/smmu3/event/overflow-toggles-once", test_overflow,
                     "87");
    conformance_test("/smmu3/event/disabled-is-no-overflow",
                     test_disabled_is_no_overflow, "88");
    conformance_test("/smmu3/event/out-of-step-is-full",
                     test_out_of_step_is_full, "");
    conformance_test("/smmu3/event/reading-is-traced", test_reading_is_traced,
                     "");
    conformance_test("/smmu3/event/write-aborts", test_write_aborts, "89");
    conformance_test("/smmu3/event/queue-in-a-hole", test_queue_in_a_hole,
                     "89");
    conformance_test("/smmu3/event/interrupt-on-first",
                     test_interrupt_on_first, "90");
    conformance_test("/smmu3/event/interrupt-enable-at-that-moment",
                     test_interrupt_enable_at_that_moment, "90");
    conformance_test("/smmu3/event/interrupt-after-prod",
                     test_interrupt_after_prod, "");
    conformance_test("/smmu3/event/msi", test_msi, "");
    conformance_test("/smmu3/event/msi-address-has-oas-bits",
                     test_msi_address_has_oas_bits, "");
    conformance_test("/smmu3/event/msi-aborts", test_msi_aborts, "108");
    conformance_test("/smmu3/event/gerror-msi-aborts",
                     test_gerror_msi_aborts, "108");
    conformance_test("/smmu3/event/disabling-completes-msis",
                     test_disabling_completes_msis, "");
    conformance_test("/smmu3/event/reset-forgets-interrupts",
                     test_reset_forgets_interrupts, "");
    conformance_test("/smmu3/event/abort-and-record-bits",
                     test_abort_and_record_bits, "91");
    return conformance_run();
}
