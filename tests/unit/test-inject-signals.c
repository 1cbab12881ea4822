/*
 * Faults on request beside the invalidations: interrupts, event records, answers
 * to stalls and page requests, spurious events, aborted walks. Not the grammar and
 * the invalidations: test-inject.c. One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/inject/grammar.h"
#include "core/signal/state.h"
#include "stall-rig.h"

#define ADDR    UINT64_C(0x400000)      /* nothing is there */

static StallRig *started(const char *inject)
{
    StallRig *s = g_new0(StallRig, 1);
    g_autofree char *wrong = NULL;

    s->r = rig_new();
    s->r->features.stall_max = 16;
    wrong = smmu3_inject_parse(inject, &s->r->options.inject);
    g_assert_cmpstr(wrong, ==, NULL);
    start_rig(s);
    return s;
}

static Smmu3InjectCount count_of(StallRig *s, unsigned plan)
{
    g_autoptr(GArray) counts = smmu3_inject_counts(s->r->smmu);

    g_assert_cmpuint(plan, <, counts->len);
    return g_array_index(counts, Smmu3InjectCount, plan);
}

static void expect_done(StallRig *s, unsigned plan, uint64_t seen,
                        uint64_t done)
{
    Smmu3InjectCount count = count_of(s, plan);

    g_assert_cmpuint(count.seen, ==, seen);
    g_assert_cmpuint(count.done, ==, done);
}

static unsigned irqs(StallRig *s, Smmu3Irq line)
{
    return s->r->host->irqs[line];
}

static void set_msi(StallRig *s, uint64_t cfg0, uint64_t pa, uint32_t data)
{
    /* IRQ_CTRL is 0 while it is written, then as before */
    uint32_t enables = rig_read32(s->r, SMMU3_IRQ_CTRL);

    rig_write32(s->r, SMMU3_IRQ_CTRL, 0);
    rig_write64(s->r, cfg0, pa);
    rig_write32(s->r, cfg0 + 8, data);
    rig_write32(s->r, SMMU3_IRQ_CTRL, enables);
}

static void expect_msi(StallRig *s, uint64_t pa, uint32_t data)
{
    GArray *msis = s->r->host->msis;

    g_assert_cmpuint(msis->len, ==, 1);
    g_assert_cmphex(g_array_index(msis, FakeMsi, 0).pa, ==, pa);
    g_assert_cmphex(g_array_index(msis, FakeMsi, 0).data, ==, data);
    g_array_set_size(msis, 0);
}

/* CMD_SYNC with CS=@cs. */
static void sync_with(StallRig *s, unsigned cs, uint64_t msi_addr,
                      uint32_t msi_data)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_SYNC };

    smmu3_set(cmd, CMD_SYNC_CS, cs);
    smmu3_set_addr(cmd, CMD_SYNC_MSIADDR, msi_addr);
    smmu3_set(cmd, CMD_SYNC_MSIDATA, msi_data);
    rig_command(s->r, cmd);
}

static void expect_idle(StallRig *s)
{
    g_assert_cmphex(rig_read32(s->r, SMMU3_CMDQ_CONS), ==,
                    rig_read32(s->r, SMMU3_CMDQ_PROD));
}

static void page_request(StallRig *s, uint16_t index)
{
    Smmu3PageRequest request = {
        .sid = SID1, .read = true, .last = true, .prg_index = index,
        .addr = ADDR,
    };

    smmu3_page_request(s->r->smmu, &request);
    smmu3_service(s->r->smmu);
}

/* ---- Interrupts ------------------------------------------------------------ */

/* The record is there, and nobody is told. The next one's interrupt comes. */
static void test_drop_eventq_irq(void)
{
    g_autoptr(StallRig) s = started("drop:evtq:1");

    stall(s, SID1, 1, ADDR);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_EVENTQ), ==, 0);
    expect_stall(s, SID1, ADDR);
    stall(s, SID1, 2, ADDR);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_EVENTQ), ==, 1);
    expect_done(s, 0, 2, 1);
    g_assert_cmpuint(counters(s)->injected_drops, ==, 1);
}

/* Wire and MSI come together, and late. */
static void test_delay_eventq_irq(void)
{
    g_autoptr(StallRig) s = started("delay:evtq:1:2");
    uint64_t target = fake_alloc(s->r->host, 4096, 4096);

    set_msi(s, SMMU3_EVENTQ_IRQ_CFG0, target, 0xfeed);
    stall(s, SID1, 1, ADDR);
    rig_sync(s->r);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_EVENTQ), ==, 0);
    g_assert_cmpuint(s->r->host->msis->len, ==, 0);
    rig_sync(s->r);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_EVENTQ), ==, 1);
    expect_msi(s, target, 0xfeed);
}

/* Once it is disabled it does not come, though it is enabled again before. */
static void test_delayed_irq_is_disabled(void)
{
    const struct {
        const char *inject;
        Smmu3Irq line;
        uint64_t cfg0;
        uint32_t enable;
    } rows[] = {
        { "delay:evtq:1:2", SMMU3_IRQ_EVENTQ, SMMU3_EVENTQ_IRQ_CFG0,
          MASK(IRQ_CTRL_EVENTQ) },
        { "delay:priq:1:2", SMMU3_IRQ_PRIQ, SMMU3_PRIQ_IRQ_CFG0,
          MASK(IRQ_CTRL_PRIQ) },
        { "delay:gerror:1:2", SMMU3_IRQ_GERROR, SMMU3_GERROR_IRQ_CFG0,
          MASK(IRQ_CTRL_GERROR) },
    };

    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        unsigned row = i / 2;
        bool others = i % 2;        /* only these are disabled */
        g_autoptr(StallRig) s = started(rows[row].inject);
        uint32_t enables = rig_read32(s->r, SMMU3_IRQ_CTRL);

        set_msi(s, rows[row].cfg0, fake_alloc(s->r->host, 4096, 4096), 1);
        stall(s, SID1, 1, ADDR);
        page_request(s, 1);
        rig_command2(s->r, 0xff, 0);        /* CERROR_ILL */
        rig_write32(s->r, SMMU3_CMDQ_PROD, rig_read32(s->r, SMMU3_CMDQ_CONS) &
                    smmu3_mask(s->r->cmdq_log2 + 1));
        rig_write32(s->r, SMMU3_GERRORN, MASK(GERROR_CMDQ));
        expect_done(s, 0, 1, 1);
        rig_write32(s->r, SMMU3_IRQ_CTRL,
                    others ? rows[row].enable : enables & ~rows[row].enable);
        rig_write32(s->r, SMMU3_IRQ_CTRL, enables);
        rig_sync(s->r);
        rig_sync(s->r);
        g_assert_cmpuint(irqs(s, rows[row].line), ==, others);
        g_assert_cmpuint(s->r->host->msis->len, ==, others);
    }
}

/* One that IRQ_CTRL forbids is none of those that are seen. */
static void test_disabled_irq_is_not_seen(void)
{
    g_autoptr(StallRig) s = started("drop:evtq:1");

    rig_write32(s->r, SMMU3_IRQ_CTRL, 0);
    stall(s, SID1, 1, ADDR);
    expect_done(s, 0, 0, 0);
}

static void test_drop_gerror_irq(void)
{
    g_autoptr(StallRig) s = started("drop:gerror:1,drop:evtq:/1");

    rig_command2(s->r, 0xff, 0);            /* CERROR_ILL */
    g_assert_cmphex(rig_read32(s->r, SMMU3_GERROR) & MASK(GERROR_CMDQ), ==,
                    MASK(GERROR_CMDQ));
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_GERROR), ==, 0);
    expect_done(s, 0, 1, 1);
    expect_done(s, 1, 0, 0);
}

static void test_drop_priq_irq(void)
{
    g_autoptr(StallRig) s = started("drop:priq:1");

    page_request(s, 1);
    g_assert_cmpuint(rig_read32(s->r, SMMU3_PRIQ_PROD), ==, 1);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_PRIQ), ==, 0);
    expect_done(s, 0, 1, 1);
}

/* The CMD_SYNC is consumed, and so are those after it. */
static void test_drop_sync(void)
{
    g_autoptr(StallRig) s = started("drop:sync:/2");
    uint64_t target = fake_alloc(s->r->host, 4096, 4096);

    sync_with(s, CMD_SYNC_CS_IRQ, target, 1);
    expect_msi(s, target, 1);
    sync_with(s, CMD_SYNC_CS_IRQ, target, 2);
    g_assert_cmpuint(s->r->host->msis->len, ==, 0);
    sync_with(s, CMD_SYNC_CS_IRQ, target, 3);
    expect_msi(s, target, 3);
    sync_with(s, CMD_SYNC_CS_SEV, 0, 0);
    g_assert_cmpuint(s->r->host->sent_events, ==, 0);
    expect_idle(s);
    expect_done(s, 0, 4, 2);
}

/* One that comes late holds up none of the others. */
static void test_delay_sync(void)
{
    g_autoptr(StallRig) s = started("delay:sync:1:1,delay:sync:3:1");
    uint64_t target = fake_alloc(s->r->host, 4096, 4096);

    sync_with(s, CMD_SYNC_CS_IRQ, target, 1);
    g_assert_cmpuint(s->r->host->msis->len, ==, 0);
    sync_with(s, CMD_SYNC_CS_IRQ, 0, 0);
    expect_msi(s, target, 1);
    sync_with(s, CMD_SYNC_CS_SEV, 0, 0);
    g_assert_cmpuint(s->r->host->sent_events, ==, 0);
    sync_with(s, CMD_SYNC_CS_NONE, 0, 0);
    g_assert_cmpuint(s->r->host->sent_events, ==, 1);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_CMD_SYNC), ==, 2);
    expect_idle(s);
    g_assert_cmpuint(s->r->smmu->command.signals, ==, 0);
}

/* ---- Event records ---------------------------------------------------------- */

/* Not written, no overflow, and no interrupt; the stall is there. */
static void test_drop_event(void)
{
    g_autoptr(StallRig) s = started("drop:event:1");

    stall(s, SID1, 1, ADDR);
    rig_expect_no_event(s->r);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_EVENTQ), ==, 0);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
    expect_outstanding(s, 1);
    stall(s, SID1, 2, ADDR);
    expect_stall(s, SID1, ADDR);
    expect_done(s, 0, 2, 1);
}

/* Its record comes after a younger one's; software's answer is good then. */
static void test_delay_event(void)
{
    g_autoptr(StallRig) s = started("delay:event:1:1");
    uint16_t first, second;

    stall(s, SID1, 1, ADDR);
    stall(s, SID2, 2, ADDR);
    second = expect_stall(s, SID2, ADDR);
    rig_expect_no_event(s->r);
    rig_sync(s->r);
    first = expect_stall(s, SID1, ADDR);
    g_assert_cmpuint(first, !=, second);
    resume_retry(s, SID1, first);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    resume_retry(s, SID2, second);
    expect_resolved(s, 2, SMMU3_RESOLVE_RETRY);
}

/* A record that is late and finds the queue full is not lost by that. */
static void test_delayed_event_finds_no_room(void)
{
    g_autoptr(StallRig) s = g_new0(StallRig, 1);

    s->r = rig_new();
    s->r->features.stall_max = 16;
    s->r->eventq_log2 = 1;
    g_assert_null(smmu3_inject_parse("delay:event:1:1",
                                     &s->r->options.inject));
    start_rig(s);
    stall(s, SID1, 1, ADDR);
    stall(s, SID1, 2, ADDR + 0x1000);
    stall(s, SID1, 3, ADDR + 0x2000);
    rig_sync(s->r);
    expect_stall(s, SID1, ADDR + 0x1000);
    expect_stall(s, SID1, ADDR + 0x2000);
    rig_expect_no_event(s->r);
    rig_sync(s->r);
    expect_stall(s, SID1, ADDR);
}

/* Of a stream that nobody knows; software may ignore it, but not be confused. */
static void test_spurious_event(void)
{
    g_autoptr(StallRig) s =
        started("spurious:event:/2:C_BAD_STREAMID:0x1234");
    uint64_t event[SMMU3_EVENT_WORDS];

    stall(s, SID1, 1, ADDR);
    expect_stall(s, SID1, ADDR);
    rig_expect_no_event(s->r);
    stall(s, SID1, 2, ADDR);
    expect_stall(s, SID1, ADDR);
    rig_expect_event(s->r, C_BAD_STREAMID, event);
    g_assert_cmphex(event[0], ==, UINT64_C(0x123400000002));
    g_assert_cmphex(event[1] | event[2] | event[3], ==, 0);
    rig_expect_no_event(s->r);
    expect_done(s, 0, 2, 1);
}

/* Where there is no room there is no spurious one, and no overflow by it. */
static void test_spurious_finds_no_room(void)
{
    g_autoptr(StallRig) s = g_new0(StallRig, 1);

    s->r = rig_new();
    s->r->features.stall_max = 16;
    s->r->eventq_log2 = 1;
    g_assert_null(smmu3_inject_parse("spurious:event:2:0x2:7",
                                     &s->r->options.inject));
    start_rig(s);
    stall(s, SID1, 1, ADDR);
    stall(s, SID1, 2, ADDR);
    expect_stall(s, SID1, ADDR);
    expect_stall(s, SID1, ADDR);
    rig_expect_no_event(s->r);
    expect_done(s, 0, 2, 0);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
}

/* ---- Answers ---------------------------------------------------------------- */

static void test_drop_resume(void)
{
    g_autoptr(StallRig) s = started("drop:resume:1");
    uint16_t stag;

    stall(s, SID1, 1, ADDR);
    stag = expect_stall(s, SID1, ADDR);
    resume_retry(s, SID1, stag);
    expect_none_resolved(s);
    expect_outstanding(s, 1);
    resume_retry(s, SID1, stag);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    expect_done(s, 0, 2, 1);
}

static void test_delay_resume(void)
{
    g_autoptr(StallRig) s = started("delay:resume:/1:2");
    uint16_t stag;

    stall(s, SID1, 1, ADDR);
    stag = expect_stall(s, SID1, ADDR);
    resume_with(s, SID1, stag, false, true);
    rig_sync(s->r);
    expect_none_resolved(s);
    rig_sync(s->r);
    expect_resolved(s, 1, SMMU3_RESOLVE_ABORT);
}

static void test_drop_pri_resp(void)
{
    g_autoptr(StallRig) s = started("drop:pri_resp:2");
    GArray *responses = s->r->host->prg_responses;

    for (unsigned i = 1; i <= 3; i++) {
        page_request(s, i);
        rig_pri_resp(s->r, SID1, i, CMD_PRI_RESP_SUCCESS);
    }
    g_assert_cmpuint(responses->len, ==, 2);
    g_assert_cmpuint(g_array_index(responses, Smmu3PrgResponse, 0).prg_index,
                     ==, 1);
    g_assert_cmpuint(g_array_index(responses, Smmu3PrgResponse, 1).prg_index,
                     ==, 3);
    /* One that is illegal stays so */
    rig_pri_resp(s->r, SID1, 4, 3);
    g_assert_cmpuint(counters(s)->command_errors, ==, 1);
    expect_done(s, 0, 3, 1);
}

/* ---- Walks ------------------------------------------------------------------- */

static Smmu3Outcome read_at(StallRig *s, uint64_t addr)
{
    Smmu3Translation result;

    return submit(s, SID1, 1, addr, &result);
}

/* F_WALK_EABT as of a table that is in no memory; not what is cached. */
static void test_abort_walk(void)
{
    g_autoptr(StallRig) s = started("abort:walk:1:0x400000");
    uint64_t event[SMMU3_EVENT_WORDS], root;

    pt_map(&s->pt, ADDR, 0x1000, 3, PT_USER_RW);
    pt_map(&s->pt, ADDR + 0x1000, 0x1000, 3, PT_USER_RW);
    g_assert_cmpint(read_at(s, ADDR + 0x1000), ==, SMMU3_OK);
    g_assert_cmpint(read_at(s, ADDR), ==, SMMU3_ABORT);
    rig_expect_event(s->r, F_WALK_EABT, event);
    g_assert_cmphex(event[2], ==, ADDR);
    g_assert_cmpuint(smmu3_get(event, EVENT_CLASS), ==, CLASS_TT);
    root = smmu3_get_addr(event, EVENT_FETCH_ADDR);
    g_assert_cmphex(root & ~UINT64_C(0xfff), ==, s->pt.root);
    g_assert_cmpint(read_at(s, ADDR), ==, SMMU3_OK);
    g_assert_cmpint(read_at(s, ADDR), ==, SMMU3_OK);    /* no walk */
    expect_done(s, 0, 2, 1);
}

static void test_abort_range(void)
{
    g_autoptr(StallRig) s = started("abort:walk:/1:0x401000/8192");
    uint64_t event[SMMU3_EVENT_WORDS];

    for (unsigned i = 0; i < 4; i++) {
        bool aborts = i == 1 || i == 2;

        pt_map(&s->pt, ADDR + i * 0x1000, 0x1000, 3, PT_USER_RW);
        g_assert_cmpint(read_at(s, ADDR + i * 0x1000), ==,
                        aborts ? SMMU3_ABORT : SMMU3_OK);
        if (aborts) {
            rig_expect_event(s->r, F_WALK_EABT, event);
        }
    }
    expect_done(s, 0, 2, 2);
}

/* What is speculative is seen by nobody, and is none. */
static void test_abort_not_speculative(void)
{
    g_autoptr(StallRig) s = started("abort:walk:1");
    Smmu3Transaction t = dma_read(SID1, ADDR);
    Smmu3Translation result;

    pt_map(&s->pt, ADDR, 0x1000, 3, PT_USER_RW);
    pt_map(&s->pt, ADDR + 0x1000, 0x1000, 3, PT_USER_RW);
    t.speculative = true;
    g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==, SMMU3_OK);
    expect_done(s, 0, 0, 0);
    g_assert_cmpint(read_at(s, ADDR + 0x1000), ==, SMMU3_ABORT);
    expect_done(s, 0, 1, 1);
}

/* Without an address: walks for any. An explanation is none of them. */
static void test_abort_any(void)
{
    g_autoptr(StallRig) s = started("abort:walk:2");
    g_autoptr(GString) words = g_string_new(NULL);
    Smmu3Transaction t = dma_read(SID1, ADDR);
    uint64_t event[SMMU3_EVENT_WORDS];

    pt_map(&s->pt, ADDR, 0x1000, 3, PT_USER_RW);
    pt_map(&s->pt, ADDR + 0x1000, 0x1000, 3, PT_USER_RW);
    g_assert_cmpint(read_at(s, ADDR), ==, SMMU3_OK);
    smmu3_explain(s->r->smmu, &t, words);
    g_assert_cmpint(read_at(s, ADDR + 0x1000), ==, SMMU3_ABORT);
    rig_expect_event(s->r, F_WALK_EABT, event);
    expect_done(s, 0, 2, 1);
}

/* ---- Stops -------------------------------------------------------------------- */

/* Interrupts and records come at a stop, too, before the state is saved. */
static void test_stop(void)
{
    g_autoptr(StallRig) s = started("delay:event:1:9,delay:evtq:1:9");

    stall(s, SID1, 1, ADDR);
    rig_expect_no_event(s->r);
    smmu3_flush(s->r->smmu);
    expect_stall(s, SID1, ADDR);
    g_assert_cmpuint(irqs(s, SMMU3_IRQ_EVENTQ), ==, 1);
}

/* Nor is anything put off that comes after, until the machine goes on. */
static void test_stopped(void)
{
    g_autoptr(StallRig) s = started("delay:event:/1:9");
    Smmu3Transaction t = dma_read(SID1, ADDR);
    Smmu3Translation result;

    smmu3_flush(s->r->smmu);
    t.may_stall = true;
    t.cookie = COOKIE(1);
    g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==,
                    SMMU3_STALLED);
    expect_stall(s, SID1, ADDR);
    smmu3_service(s->r->smmu);
    stall(s, SID1, 2, ADDR);
    rig_expect_no_event(s->r);
}

/* A record for which there is no room waits for it, as it must. */
static void test_stop_without_room(void)
{
    g_autoptr(StallRig) s = g_new0(StallRig, 1);

    s->r = rig_new();
    s->r->features.stall_max = 16;
    s->r->eventq_log2 = 1;
    g_assert_null(smmu3_inject_parse("delay:event:1:9",
                                     &s->r->options.inject));
    start_rig(s);
    stall(s, SID1, 1, ADDR);
    stall(s, SID1, 2, ADDR + 0x1000);
    stall(s, SID1, 3, ADDR + 0x2000);
    smmu3_flush(s->r->smmu);
    expect_stall(s, SID1, ADDR + 0x1000);
    expect_stall(s, SID1, ADDR + 0x2000);
    rig_expect_no_event(s->r);
    rig_sync(s->r);
    expect_stall(s, SID1, ADDR);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/inject/" name, fn)
    T("drop-eventq-irq", test_drop_eventq_irq);
    T("delay-eventq-irq", test_delay_eventq_irq);
    T("delayed-irq-is-disabled", test_delayed_irq_is_disabled);
    T("disabled-irq-is-not-seen", test_disabled_irq_is_not_seen);
    T("drop-gerror-irq", test_drop_gerror_irq);
    T("drop-priq-irq", test_drop_priq_irq);
    T("drop-sync", test_drop_sync);
    T("delay-sync", test_delay_sync);
    T("drop-event", test_drop_event);
    T("delay-event", test_delay_event);
    T("delayed-event-finds-no-room", test_delayed_event_finds_no_room);
    T("spurious-event", test_spurious_event);
    T("spurious-finds-no-room", test_spurious_finds_no_room);
    T("drop-resume", test_drop_resume);
    T("delay-resume", test_delay_resume);
    T("drop-pri-resp", test_drop_pri_resp);
    T("abort-walk", test_abort_walk);
    T("abort-range", test_abort_range);
    T("abort-no-speculative-walk", test_abort_not_speculative);
    T("abort-any", test_abort_any);
    T("stop", test_stop);
    T("stopped", test_stopped);
    T("stop-without-room", test_stop_without_room);
#undef T
    return g_test_run();
}
