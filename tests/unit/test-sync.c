/*
 * CMD_SYNC: how it signals that it is complete, what it waits for, and what may
 * happen meanwhile. Not what it does for stalls (test-stall-room.c). One of the
 * unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command-rig.h"
#include "conformance.h"

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

static void oas_32(Smmu3Features *f)    { f->oas = 0; }

/*
 * Whether there is an MSI is told by all of MSIAddress; where it goes, by the
 * bits that OAS leaves of it (4.7.3).
 */
static void test_sync_msi_address_beyond_oas(void)
{
    g_autoptr(Rig) r = started(oas_32, NULL);
    const FakeMsi *msi;

    fake_map(r->host, 0, 4096);
    submit(r, sync_with(CMD_SYNC_CS_IRQ, UINT64_C(1) << 40, 0xcafe0001));
    assert_idle(r);
    g_assert_cmpuint(r->host->msis->len, ==, 1);
    msi = &g_array_index(r->host->msis, FakeMsi, 0);
    g_assert_cmphex(msi->pa, ==, 0);
    g_assert_cmphex(msi->data, ==, 0xcafe0001);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_CMD_SYNC], ==, 1);
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

/* Who is asked has been told before what it is about. */
static void test_host_hears_before_it_is_asked(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    const Cmd c[] = {
        command(CMD_TLBI_NSNH_ALL), command(CMD_CFGI_STE),
        command(CMD_TLBI_NH_ALL), command(CMD_SYNC),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(c); i++) {
        put(r, i, &c[i]);
    }
    rig_write32(r, SMMU3_CMDQ_PROD, G_N_ELEMENTS(c));
    g_assert_cmpuint(r->host->quiesces, ==, 1);
    g_assert_cmpuint(r->host->told_when_asked, ==, 3);
    g_assert_cmpuint(r->host->config_invalidations, ==, 1);
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
    conformance_test("/smmu3/sync/msi-and-consumption", test_sync_msi,
                     "80");
    conformance_test("/smmu3/sync/msi-address-beyond-oas",
                     test_sync_msi_address_beyond_oas, "80");
    conformance_test("/smmu3/sync/without-msi-support",
                     test_sync_without_msi_support, "");
    conformance_test("/smmu3/sync/event", test_sync_event, "");
    conformance_test("/smmu3/sync/msi-aborts", test_sync_msi_aborts, "108");
    conformance_test("/smmu3/sync/waits-for-earlier-signal",
                     test_sync_waits_for_earlier_signal, "109");
    conformance_test("/smmu3/sync/waits-for-quiesce",
                     test_sync_waits_for_quiesce, "110");
    conformance_test("/smmu3/sync/host-hears-before-it-is-asked",
                     test_host_hears_before_it_is_asked, "110");
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
    conformance_test("/smmu3/sync/load-over-a-waiting-sync",
                     test_load_over_a_waiting_sync, "");
    conformance_test("/smmu3/sync/load-begins-the-sync-anew",
                     test_load_begins_the_sync_anew, "");
    return conformance_run();
}
