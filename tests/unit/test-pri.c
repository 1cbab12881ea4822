/*
 * Page requests (core/traffic/page_request.c): entries, automatic responses,
 * overflow, interrupts, CMD_PRI_RESP. Not ATS requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)
#define OVF         0x80000000u

/* Requests, all for a write; of a group's end if @last. */
static Smmu3PageRequest request(uint32_t sid, uint16_t prg_index, bool last)
{
    return (Smmu3PageRequest) {
        .sid = sid, .write = true, .read = true, .last = last,
        .prg_index = prg_index, .addr = UINT64_C(0xffff800012345678),
    };
}

static Smmu3PageRequest with_pasid(Smmu3PageRequest q, uint32_t pasid)
{
    q.ssv = true;
    q.ssid = pasid;
    return q;
}

static Smmu3PageRequest stop_marker(uint32_t sid, uint32_t pasid)
{
    return (Smmu3PageRequest) { .sid = sid, .ssv = true, .ssid = pasid,
                                .last = true };
}

static void submit(Rig *r, Smmu3PageRequest q)
{
    smmu3_page_request(r->smmu, &q);
    smmu3_service(r->smmu);
}

static uint32_t prod(Rig *r)
{
    return rig_read32(r, SMMU3_PRIQ_PROD);
}

static uint32_t active_errors(Rig *r)
{
    return rig_read32(r, SMMU3_GERROR) ^ rig_read32(r, SMMU3_GERRORN);
}

static void expect_no_response(Rig *r)
{
    g_assert_cmpuint(r->host->prg_responses->len, ==, 0);
}

/* One response lies there; look at it whole, and take it away. */
static void expect_response(Rig *r, const Smmu3PageRequest *q, bool has_pasid,
                            Smmu3PrgCode code)
{
    GArray *all = r->host->prg_responses;
    const Smmu3PrgResponse *response;

    g_assert_cmpuint(all->len, ==, 1);
    response = &g_array_index(all, Smmu3PrgResponse, 0);
    g_assert_cmphex(response->sid, ==, q->sid);
    g_assert_cmpint(response->has_ssid, ==, has_pasid);
    g_assert_cmphex(response->ssid, ==, has_pasid ? q->ssid : 0);
    g_assert_cmpuint(response->prg_index, ==, q->prg_index);
    g_assert_cmpint(response->code, ==, code);
    g_array_set_size(all, 0);
}

static Rig *started(unsigned priq_log2)
{
    Rig *r = rig_new();

    r->priq_log2 = priq_log2;
    rig_start(r);
    return r;
}

/* Fill the queue, and have software look away from the interrupts. */
static Rig *full(unsigned priq_log2)
{
    Rig *r = started(priq_log2);

    for (unsigned i = 0; i < 1u << priq_log2; i++) {
        submit(r, request(1, i, false));
    }
    g_assert_cmphex(prod(r), ==, 1u << priq_log2);
    fake_clear_records(r->host);
    return r;
}

/* ---- Entries ---------------------------------------------------------- */

typedef struct EntryCase {
    Smmu3PageRequest request;
    uint64_t word0, word1;
} EntryCase;

static const EntryCase entries[] = {
    { { .sid = 0x12345678, .read = true, .addr = 0x1fff },
      UINT64_C(0x1000000012345678), 0x1000 },
    { { .sid = 1, .write = true, .last = true, .prg_index = 511,
        .addr = UINT64_C(0xffffffffffffffff) },
      UINT64_C(0x6000000000000001), UINT64_C(0xfffffffffffff1ff) },
    { { .sid = 1, .ssv = true, .ssid = 0xabcde, .read = true, .write = true,
        .exec = true, .priv = true, .last = true, .prg_index = 5,
        .addr = 0x7000 },
      UINT64_C(0xfc0abcde00000001), 0x7005 },
    /* Without a PASID there is neither Execute nor Privileged, nor a PASID */
    { { .sid = 1, .ssid = 0xabcde, .read = true, .exec = true, .priv = true,
        .addr = 0x7000 },
      UINT64_C(0x1000000000000001), 0x7000 },
    /* A stop marker */
    { { .sid = 1, .ssv = true, .ssid = 3, .last = true, .prg_index = 0 },
      UINT64_C(0xc000000300000001), 0 },
};

static void test_entries(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_autoptr(Rig) r = started(2);

        submit(r, entries[i].request);
        g_assert_cmphex(fake_read64(r->host, r->priq), ==, entries[i].word0);
        g_assert_cmphex(fake_read64(r->host, r->priq + 8), ==,
                        entries[i].word1);
        g_assert_cmphex(fake_read64(r->host, r->priq + 16), ==, 0);
        g_assert_cmphex(prod(r), ==, 1);
        expect_no_response(r);
        g_assert_cmpuint(smmu3_counters(r->smmu)->page_requests, ==, 1);
        g_assert_cmpuint(smmu3_counters(r->smmu)->page_requests_lost, ==, 0);
    }
}

/* No STE is looked at: software answers for streams that are none (8.2). */
static void test_any_stream_is_queued(void)
{
    g_autoptr(Rig) r = started(2);

    submit(r, request(0xffffffff, 1, true));
    submit(r, with_pasid(request(7, 1, true), 3));
    g_assert_cmphex(prod(r), ==, 2);
    expect_no_response(r);
    rig_expect_no_event(r);
}

static void test_wrap(void)
{
    for (unsigned log2 = 0; log2 <= 2; log2++) {
        g_autoptr(Rig) r = started(log2);

        for (unsigned i = 0; i < 20; i++) {
            unsigned slot = i & ((1u << log2) - 1);

            submit(r, request(i, i, true));
            g_assert_cmphex(prod(r), ==, (i + 1) & ((2u << log2) - 1));
            g_assert_cmphex(fake_read64(r->host, r->priq + 16 * slot) &
                            0xffffffff, ==, i);
            rig_write32(r, SMMU3_PRIQ_CONS, prod(r));
        }
        expect_no_response(r);
    }
}

/* ---- Not enabled ------------------------------------------------------ */

static void test_disabled_queue_fails(void)
{
    const uint32_t clear[] = { MASK(CR0_PRIQEN), MASK(CR0_SMMUEN) };

    for (unsigned i = 0; i < G_N_ELEMENTS(clear); i++) {
        g_autoptr(Rig) r = started(2);
        Smmu3PageRequest q = with_pasid(request(1, 9, false), 3);
        uint32_t cr0 = rig_read32(r, SMMU3_CR0);

        rig_write32(r, SMMU3_CR0, cr0 & ~clear[i]);
        /* Every request of a group, and without PASID */
        submit(r, q);
        expect_response(r, &q, false, PRG_RESPONSE_FAILURE);
        q.last = true;
        submit(r, q);
        expect_response(r, &q, false, PRG_RESPONSE_FAILURE);
        submit(r, stop_marker(1, 3));
        expect_no_response(r);
        g_assert_cmphex(prod(r), ==, 0);
        g_assert_cmpuint(smmu3_counters(r->smmu)->page_requests_lost, ==, 3);
        g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_PRIQ], ==, 0);
        rig_write32(r, SMMU3_CR0, cr0);
        submit(r, q);
        expect_no_response(r);
        g_assert_cmphex(prod(r), ==, 1);
    }
}

static void test_without_pri(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3PageRequest q = request(1, 9, false);

    r->features.pri = 0;
    rig_start(r);
    submit(r, q);
    expect_response(r, &q, false, PRG_RESPONSE_FAILURE);
    submit(r, stop_marker(1, 3));
    expect_no_response(r);
}

/* ---- Overflow --------------------------------------------------------- */

static void test_overflow(void)
{
    g_autoptr(Rig) r = full(1);
    Smmu3PageRequest q = request(1, 9, false);

    submit(r, q);                           /* not the last: silently lost */
    g_assert_cmphex(prod(r), ==, 2 | OVF);
    expect_no_response(r);
    q.last = true;
    submit(r, q);
    g_assert_cmphex(prod(r), ==, 2 | OVF);  /* toggled once */
    expect_response(r, &q, false, PRG_SUCCESS);

    /* Room alone does not end it, as it would with events */
    rig_write32(r, SMMU3_PRIQ_CONS, 2);
    submit(r, q);
    expect_response(r, &q, false, PRG_SUCCESS);
    g_assert_cmphex(prod(r), ==, 2 | OVF);
    rig_write32(r, SMMU3_PRIQ_CONS, 2 | OVF);
    submit(r, q);
    expect_no_response(r);
    g_assert_cmphex(prod(r), ==, 3 | OVF);
    g_assert_cmpuint(smmu3_counters(r->smmu)->page_requests_lost, ==, 3);

    /* And once more, the other way round */
    submit(r, q);
    submit(r, q);
    g_assert_cmphex(prod(r), ==, 0);
    rig_expect_no_event(r);
}

static void test_stop_marker_in_overflow(void)
{
    g_autoptr(Rig) r = rig_new();

    r->cr2 = MASK(CR2_RECINVSID) | MASK(CR2_REC_CFG_ATS);
    r->priq_log2 = 1;
    rig_start(r);
    submit(r, request(1, 0, false));
    submit(r, request(1, 0, false));

    submit(r, stop_marker(1, 3));
    g_assert_cmphex(prod(r), ==, 2 | OVF);
    submit(r, stop_marker(1, 3));
    expect_no_response(r);
    rig_expect_no_event(r);
}

/*
 * Last without Read and Write, but without PASID: an ordinary request (8),
 * which is queued as one and is answered where it cannot be.
 */
static void test_no_stop_marker_without_pasid(void)
{
    g_autoptr(Rig) r = full(1);
    g_autoptr(Rig) empty = started(2);
    Smmu3PageRequest q = { .sid = 1, .last = true, .prg_index = 4 };

    submit(r, q);
    expect_response(r, &q, false, PRG_SUCCESS);
    submit(empty, q);
    g_assert_cmphex(prod(empty), ==, 1);
    g_assert_cmphex(fake_read64(empty->host, empty->priq), ==,
                    UINT64_C(0x4000000000000001));
    expect_no_response(empty);
    rig_write32(empty, SMMU3_CR0, MASK(CR0_SMMUEN));
    submit(empty, q);
    expect_response(empty, &q, false, PRG_RESPONSE_FAILURE);
}

/* Where there are no SubstreamIDs, entries have none, nor what needs one. */
static void test_entry_without_substreams(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3PageRequest q = with_pasid(request(1, 5, true), 0xabcde);

    q.exec = q.priv = true;
    r->features.ssidsize = 0;
    rig_start(r);
    submit(r, q);
    submit(r, stop_marker(1, 3));
    g_assert_cmphex(prod(r), ==, 2);
    g_assert_cmphex(fake_read64(r->host, r->priq), ==,
                    UINT64_C(0x7000000000000001));
    g_assert_cmphex(fake_read64(r->host, r->priq + 8), ==,
                    UINT64_C(0xffff800012345005));
    g_assert_cmphex(fake_read64(r->host, r->priq + 16), ==,
                    UINT64_C(0x4000000000000001));
    expect_no_response(r);
}

typedef struct OverflowCase {
    const char *what;
    bool pps, no_substreams;
    enum { STE_IS_NONE, STE_IS_ABORT, STE_IS_BYPASS, STE_IS_ILLEGAL,
           STE_IS_BEYOND, STE_IS_HOLE } ste;
    bool ppar;
    bool rec_cfg_ats, no_recinvsid;
    /* The automatic response to a request with a PASID */
    bool has_pasid;
    Smmu3PrgCode code;
    Smmu3EventType event;
} OverflowCase;

static const OverflowCase overflow_cases[] = {
    { "PPAR=1", .ste = STE_IS_BYPASS, .ppar = true, .has_pasid = true,
      .code = PRG_SUCCESS },
    { "PPAR=0", .ste = STE_IS_BYPASS, .code = PRG_SUCCESS },
    { "valid, though it aborts", .ste = STE_IS_ABORT, .code = PRG_SUCCESS },
    { "V=0", .ste = STE_IS_NONE, .code = PRG_RESPONSE_FAILURE },
    { "illegal", .ste = STE_IS_ILLEGAL, .ppar = true,
      .code = PRG_RESPONSE_FAILURE },
    { "beyond the table", .ste = STE_IS_BEYOND,
      .code = PRG_RESPONSE_FAILURE },
    { "table in a hole", .ste = STE_IS_HOLE, .code = PRG_RESPONSE_FAILURE },
    { "PPS does not look", .pps = true, .ste = STE_IS_NONE,
      .has_pasid = true, .code = PRG_SUCCESS },
    { "no PASIDs here", .no_substreams = true, .ste = STE_IS_NONE,
      .code = PRG_SUCCESS },
    /* What is recorded of it */
    { "V=0, recorded", .ste = STE_IS_NONE, .rec_cfg_ats = true,
      .code = PRG_RESPONSE_FAILURE, .event = C_BAD_STE },
    { "beyond, recorded", .ste = STE_IS_BEYOND, .rec_cfg_ats = true,
      .code = PRG_RESPONSE_FAILURE, .event = C_BAD_STREAMID },
    { "beyond, RECINVSID=0", .ste = STE_IS_BEYOND, .rec_cfg_ats = true,
      .no_recinvsid = true, .code = PRG_RESPONSE_FAILURE },
    { "hole, recorded", .ste = STE_IS_HOLE, .rec_cfg_ats = true,
      .code = PRG_RESPONSE_FAILURE, .event = F_STE_FETCH },
};

static void prepare_ste(Rig *r, const OverflowCase *c, uint32_t sid)
{
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    switch (c->ste) {
    case STE_IS_ABORT:
        ste_abort(ste);
        break;
    case STE_IS_BYPASS:
        ste_bypass(ste);
        break;
    case STE_IS_ILLEGAL:
        ste_stage1(ste, 0x1000, 31);        /* S1CDMax > SSIDSIZE */
        break;
    case STE_IS_HOLE:
        fake_unmap(r->host, r->strtab, 1 << 14);
        return;
    default:
        return;
    }
    smmu3_set(ste, STE_PPAR, c->ppar);
    rig_set_ste(r, sid, ste);
}

static void test_overflow_with_pasid(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(overflow_cases); i++) {
        const OverflowCase *c = &overflow_cases[i];
        g_autoptr(Rig) r = rig_new();
        uint32_t sid = c->ste == STE_IS_BEYOND ? 0x1000 : 7;
        Smmu3PageRequest q = with_pasid(request(sid, 9, true), 0x123);

        g_test_message("%s", c->what);
        r->priq_log2 = 0;
        r->features.pps = c->pps;
        if (c->no_substreams) {
            r->features.ssidsize = 0;
        }
        r->cr2 = (c->no_recinvsid ? 0 : MASK(CR2_RECINVSID)) |
                 (c->rec_cfg_ats ? MASK(CR2_REC_CFG_ATS) : 0);
        rig_start(r);
        submit(r, request(1, 0, false));
        prepare_ste(r, c, sid);
        fake_clear_records(r->host);

        submit(r, q);
        expect_response(r, &q, c->has_pasid, c->code);
        if (c->event) {
            uint64_t event[SMMU3_EVENT_WORDS];

            rig_expect_event(r, c->event, event);
            g_assert_cmphex(event[0], ==, (uint64_t)sid << 32 | 0x123800 |
                            c->event);
            g_assert_cmphex(event[1], ==, 0);
            g_assert_cmphex(event[2], ==, 0);
            g_assert_cmphex(event[3], ==, c->event == F_STE_FETCH
                            ? r->strtab + 7 * SMMU3_STE_BYTES : 0);
        }
        rig_expect_no_event(r);
        /* Without PASID it succeeds, whatever the STE */
        q.ssv = false;
        submit(r, q);
        expect_response(r, &q, false, PRG_SUCCESS);
        rig_expect_no_event(r);
    }
}

/* ---- Aborts and interrupts -------------------------------------------- */

static void test_write_aborts(void)
{
    g_autoptr(Rig) r = started(2);
    Smmu3PageRequest q = with_pasid(request(1, 9, false), 3);

    fake_unmap(r->host, r->priq, 4096);
    submit(r, q);
    expect_response(r, &q, false, PRG_RESPONSE_FAILURE);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_PRIQ_ABT));
    g_assert_cmphex(prod(r), ==, 0);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_PRIQ], ==, 0);

    /* Until it is acknowledged, all are failed */
    fake_map(r->host, r->priq, 4096);
    submit(r, q);
    expect_response(r, &q, false, PRG_RESPONSE_FAILURE);
    submit(r, stop_marker(1, 3));
    expect_no_response(r);
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
    submit(r, q);
    expect_no_response(r);
    g_assert_cmphex(prod(r), ==, 1);
}

static void test_interrupt_on_first(void)
{
    g_autoptr(Rig) r = started(2);
    unsigned *irqs = &r->host->irqs[SMMU3_IRQ_PRIQ];

    submit(r, request(1, 0, true));
    g_assert_cmpuint(*irqs, ==, 1);
    submit(r, request(1, 0, true));
    g_assert_cmpuint(*irqs, ==, 1);
    rig_write32(r, SMMU3_PRIQ_CONS, 2);
    submit(r, request(1, 0, false));
    g_assert_cmpuint(*irqs, ==, 2);
    rig_write32(r, SMMU3_PRIQ_CONS, 3);
    rig_write32(r, SMMU3_IRQ_CTRL, 0);
    submit(r, request(1, 0, false));
    g_assert_cmpuint(*irqs, ==, 2);
}

static void set_last_only(Rig *r)
{
    uint32_t irqs = rig_read32(r, SMMU3_IRQ_CTRL);

    rig_write32(r, SMMU3_IRQ_CTRL, 0);
    rig_write32(r, SMMU3_PRIQ_IRQ_CFG2, MASK(PRIQ_IRQ_CFG2_LO));
    rig_write32(r, SMMU3_IRQ_CTRL, irqs);
}

static void test_interrupt_on_last(void)
{
    g_autoptr(Rig) r = started(1);
    unsigned *irqs = &r->host->irqs[SMMU3_IRQ_PRIQ];

    set_last_only(r);
    submit(r, request(1, 0, false));
    g_assert_cmpuint(*irqs, ==, 0);
    submit(r, request(1, 0, true));
    g_assert_cmpuint(*irqs, ==, 1);
    submit(r, request(1, 0, false));        /* lost, not the last */
    g_assert_cmpuint(*irqs, ==, 1);
    submit(r, request(1, 0, true));         /* lost for want of room */
    g_assert_cmpuint(*irqs, ==, 2);
    /* Lost for another reason: no interrupt */
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) & ~MASK(CR0_PRIQEN));
    submit(r, request(1, 0, true));
    g_assert_cmpuint(*irqs, ==, 2);
}

static void test_msi(void)
{
    g_autoptr(Rig) r = started(2);
    uint64_t target = fake_alloc(r->host, 4096, 4096);

    rig_write32(r, SMMU3_IRQ_CTRL, MASK(IRQ_CTRL_GERROR));
    rig_write64(r, SMMU3_PRIQ_IRQ_CFG0, target);
    rig_write32(r, SMMU3_PRIQ_IRQ_CFG1, 0xbeef);
    rig_write32(r, SMMU3_IRQ_CTRL, MASK(IRQ_CTRL_GERROR) |
                MASK(IRQ_CTRL_PRIQ));
    submit(r, request(1, 0, true));
    g_assert_cmphex(fake_read64(r->host, target), ==, 0xbeef);
    rig_write32(r, SMMU3_PRIQ_CONS, 1);
    fake_unmap(r->host, target, 4096);
    submit(r, request(1, 0, true));
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_MSI_PRIQ_ABT));
    g_assert_cmphex(prod(r), ==, 2);
}

/* ---- CMD_PRI_RESP ----------------------------------------------------- */

static void respond(Rig *r, const Smmu3PageRequest *q, unsigned resp)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE };

    smmu3_set(cmd, CMD_STREAMID, q->sid);
    smmu3_set(cmd, CMD_SSV, q->ssv);
    smmu3_set(cmd, CMD_SUBSTREAMID, q->ssid);
    smmu3_set(cmd, CMD_PRI_PRGINDEX, q->prg_index);
    smmu3_set(cmd, CMD_PRI_RESP, resp);
    rig_command(r, cmd);
}

static void test_pri_resp(void)
{
    static const Smmu3PrgCode codes[] = {
        PRG_RESPONSE_FAILURE, PRG_INVALID_REQUEST, PRG_SUCCESS,
    };
    g_autoptr(Rig) r = started(2);

    for (unsigned resp = 0; resp < G_N_ELEMENTS(codes); resp++) {
        Smmu3PageRequest q = { .sid = 0xfedcba98, .ssid = 0x12345,
                               .prg_index = 0x1a5 };

        respond(r, &q, resp);
        expect_response(r, &q, false, codes[resp]);
        q.ssv = true;
        respond(r, &q, resp);
        expect_response(r, &q, true, codes[resp]);
    }
    g_assert_cmphex(active_errors(r), ==, 0);
    g_assert_cmpuint(smmu3_counters(r->smmu)->prg_responses, ==, 6);
}

static void test_pri_resp_ignored_when_disabled(void)
{
    g_autoptr(Rig) r = started(2);
    Smmu3PageRequest q = { .sid = 1 };

    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    respond(r, &q, CMD_PRI_RESP_SUCCESS);
    expect_no_response(r);
    g_assert_cmphex(active_errors(r), ==, 0);
    g_assert_cmphex(rig_read32(r, SMMU3_CMDQ_CONS), ==,
                    rig_read32(r, SMMU3_CMDQ_PROD));
}

static void test_pri_resp_without_substreams(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3PageRequest q = { .sid = 1, .ssv = true, .ssid = 3 };

    r->features.ssidsize = 0;
    rig_start(r);
    respond(r, &q, CMD_PRI_RESP_SUCCESS);
    expect_response(r, &q, false, PRG_SUCCESS);
}

/* ---- Re-entrancy ------------------------------------------------------ */

static unsigned answers;

/* An endpoint that never takes no for an answer. */
static void ask_again(void *opaque, const Smmu3PrgResponse *response)
{
    FakeHost *host = opaque;
    Smmu3PageRequest q = request(response->sid, response->prg_index, true);

    answers++;
    smmu3_page_request(host->smmu, &q);
}

static void test_endless_requests_are_bounded(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(Rig) r = rig_new();

    ops.prg_response = ask_again;
    r->smmu = r->host->smmu = smmu3_new(&r->features, NULL, &ops, r->host);
    r->cr0 = ~MASK(CR0_PRIQEN);
    rig_start(r);
    answers = 0;
    submit(r, request(1, 0, true));
    g_assert_cmpuint(answers, >, 0);
    g_assert_cmpuint(answers, <=, 4096);
    g_assert_cmpuint(r->host->kicks, >, 0);
    /* And the SMMU is not deaf to anything else */
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) | MASK(CR0_PRIQEN));
    smmu3_service(r->smmu);
    g_assert_cmphex(prod(r), ==, 1);
}

/*
 * An answer that is due, and an interrupt, are sent when the machine stops; no
 * command is begun then.
 */
static void test_flush(void)
{
    g_autoptr(Rig) r = started(4);
    Smmu3PageRequest q = request(1, 7, true);
    unsigned commands = smmu3_counters(r->smmu)->commands;

    smmu3_page_request(r->smmu, &q);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_PRIQ], ==, 0);
    smmu3_flush(r->smmu);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_PRIQ], ==, 1);
    g_assert_cmpuint(smmu3_counters(r->smmu)->commands, ==, commands);
    g_assert_cmpuint(r->host->kicks, >, 0);
    smmu3_service(r->smmu);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_PRIQ], ==, 1);
}

/* An interrupt that was on its way when the state was saved comes after. */
static void test_load_interrupts_again(void)
{
    g_autoptr(Rig) r = started(4);
    g_autoptr(Rig) to = rig_new();
    Smmu3PageRequest q = request(1, 7, true);

    rig_create(to);
    g_assert_true(smmu3_load(to->smmu, smmu3_regs(r->smmu), NULL, 0));
    smmu3_service(to->smmu);
    for (unsigned i = 0; i < SMMU3_IRQ_COUNT; i++) {
        g_assert_cmpuint(to->host->irqs[i], ==, 0);
    }
    smmu3_page_request(r->smmu, &q);
    g_assert_true(smmu3_load(to->smmu, smmu3_regs(r->smmu), NULL, 0));
    smmu3_service(to->smmu);
    g_assert_cmpuint(to->host->irqs[SMMU3_IRQ_PRIQ], ==, 1);
    g_assert_cmpuint(to->host->irqs[SMMU3_IRQ_EVENTQ], ==, 0);
    g_assert_cmpuint(to->host->irqs[SMMU3_IRQ_GERROR], ==, 0);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/pri/entries", test_entries, "103");
    conformance_test("/smmu3/pri/any-stream-is-queued",
                     test_any_stream_is_queued, "103");
    conformance_test("/smmu3/pri/wrap", test_wrap, "");
    conformance_test("/smmu3/pri/disabled-queue-fails",
                     test_disabled_queue_fails, "103");
    conformance_test("/smmu3/pri/without-pri", test_without_pri, "");
    conformance_test("/smmu3/pri/overflow", test_overflow, "103");
    conformance_test("/smmu3/pri/stop-marker-in-overflow",
                     test_stop_marker_in_overflow, "106");
    conformance_test("/smmu3/pri/entry-without-substreams",
                     test_entry_without_substreams, "");
    conformance_test("/smmu3/pri/no-stop-marker-without-pasid",
                     test_no_stop_marker_without_pasid, "");
    conformance_test("/smmu3/pri/overflow-with-pasid",
                     test_overflow_with_pasid, "103 105");
    conformance_test("/smmu3/pri/write-aborts", test_write_aborts, "118");
    conformance_test("/smmu3/pri/interrupt-on-first",
                     test_interrupt_on_first, "103");
    conformance_test("/smmu3/pri/interrupt-on-last", test_interrupt_on_last,
                     "117");
    conformance_test("/smmu3/pri/msi", test_msi, "");
    conformance_test("/smmu3/pri/pri-resp", test_pri_resp, "104");
    conformance_test("/smmu3/pri/pri-resp-ignored-when-disabled",
                     test_pri_resp_ignored_when_disabled, "104");
    conformance_test("/smmu3/pri/pri-resp-without-substreams",
                     test_pri_resp_without_substreams, "");
    conformance_test("/smmu3/pri/endless-requests-are-bounded",
                     test_endless_requests_are_bounded, "");
    conformance_test("/smmu3/pri/flush-sends-what-is-due", test_flush, "");
    conformance_test("/smmu3/pri/load-interrupts-again",
                     test_load_interrupts_again, "");
    return conformance_run();
}
