/*
 * pasid-dev's page requests: what it asks for, what each response does, and what
 * software can do to the interface meanwhile. Both sides are seen, the
 * function's and the SMMU's queue. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"
#include "sva-qtest-state.h"

static const PasidDevDescriptor no_op;

static void done(Dev *d)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    g_assert_false(sva_event(d->t, event));
    dev_stop(d);
}

/* A copy of @pages pages whose destination is missing, asked for by now. */
typedef struct Asking {
    Dev *d;
    Queue q;
    uint64_t src, dst;      /* pa */
    uint64_t bytes;
    unsigned index;
} Asking;

static void asking_submit(Asking *a, unsigned pages)
{
    Dev *d = a->d;

    a->bytes = pages * PAGE;
    a->src = process_alloc(d, a->bytes);
    a->dst = process_alloc(d, a->bytes);
    fill_pattern(d, a->src, a->bytes);
    ats_unmap(d, a->dst, a->bytes);
    a->index = submit(&a->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, a->src), .dst = va(d, a->dst),
        .len = a->bytes });
}

static Asking asking_on(Dev *d, unsigned n, unsigned pages)
{
    Asking a = { .d = d, .q = queue_open(d, n, 3, PASID(THE_PASID)) };

    asking_submit(&a, pages);
    return a;
}

static void expect_copied(Asking *a)
{
    assert_completion(wait_for(&a->q, a->index), PASID_DEV_DONE_OK, 0, a->bytes,
                      0);
    assert_bytes(a->d, a->dst, a->bytes, pattern_byte);
}

static void expect_refused(Asking *a, uint64_t progress)
{
    assert_completion(wait_for(&a->q, a->index), PASID_DEV_DONE_FAULT_WRITE, 0,
                      progress, va(a->d, a->dst) + progress);
}

static uint16_t expect_asked(Asking *a, unsigned page)
{
    return expect_page_request(a->d, va(a->d, a->dst) + page * PAGE, false,
                               true);
}

/* ---- Registers ---------------------------------------------------------- */

static void test_capability(void)
{
    Dev *d = process_start();
    unsigned at = pri_cap(d);

    g_assert_cmphex(at, !=, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    g_assert_cmpuint(sva_config_read(d->t, 0, d->devfn, at + PCI_PRI_MAX_REQ,
                                     4), ==, 256);
    pri_enable(d, 7);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    pri_control(d, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    /* "Reset" reads 0. */
    pri_control(d, PCI_PRI_CTRL_RESET);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, at + PCI_PRI_CTRL, 2),
                    ==, 0);
    pri_enable(d, 7);
    trigger_flr(d);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, at + PCI_PRI_CTRL, 2),
                    ==, 0);
    g_assert_cmpuint(sva_config_read(d->t, 0, d->devfn, at + PCI_PRI_ALLOC_REQ,
                                     4), ==, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    done(d);
}

/* ATS without page requests, or the other way round: a stall. */
static void test_not_used_until_enabled(void)
{
    static const struct {
        const char *properties;
        bool ats, pri;
        uint32_t allocation;
    } cases[] = {
        { "", true, false, 32 },
        { "", false, true, 32 },
        { "", true, true, 0 },
        { ",pri=off", true, false, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Dev *d = process_start_with(cases[i].properties);
        Asking a;

        ats_control(d, cases[i].ats);
        if (cases[i].pri) {
            pri_enable(d, cases[i].allocation);
        }
        a = asking_on(d, 0, 1);
        expect_stall(&a.q, va(d, a.dst), true);
        expect_no_page_request(d);
        dev_stop(d);
    }
}

/* ---- Responses ---------------------------------------------------------- */

static void test_success(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 3);

    for (unsigned page = 0; page < 3; page++) {
        uint16_t index = expect_asked(&a, page);

        g_assert_cmphex(q32(&a.q, PASID_DEV_Q_STATUS) &
                        PASID_DEV_Q_STATUS_STALLED, !=, 0);
        map(d, a.dst + page * PAGE, PAGE);
        pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    }
    expect_copied(&a);
    g_assert_cmpuint(ats_counts(d).page_requests, ==, 3);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_STALLS), ==, 3);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_RETRIES), ==, 3);
    g_assert_cmpuint(sva_counter(d->t, "page_requests"), ==, 3);
    g_assert_cmpuint(sva_counter(d->t, "prg_responses"), ==, 3);
    g_assert_cmpuint(sva_counter(d->t, "stalls"), ==, 0);
    done(d);
}

/*
 * "Success" without a page: it asks again, as often as it takes; but from the
 * second time on after a pause, which is doubled up to 12.8 ms.
 */
static void test_success_in_vain(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 1);
    uint16_t index = expect_asked(&a, 0);

    for (unsigned i = 0; i < 12; i++) {
        pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
        if (i > 0) {
            WAIT_FOR(ats_counts(d).page_requests == i + 2);
            qtest_clock_step(d->t->qts, (100000 << MIN(i - 1, 7)) - 1);
            expect_no_page_request(d);
            qtest_clock_step(d->t->qts, 1);
        }
        index = expect_asked(&a, 0);
    }
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);

    /* The page was there: with the next one it begins anew. */
    asking_submit(&a, 1);
    pri_respond(d, THE_PASID, expect_asked(&a, 0), CMD_PRI_RESP_SUCCESS);
    index = expect_asked(&a, 0);
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    done(d);
}

/* Who pauses is given up, or takes the other way, like who waits for room. */
static void test_pause_ends(void)
{
    Dev *d = pri_start("");
    Asking given_up = asking_on(d, 0, 1), stalled;
    unsigned asked;
    uint16_t stag;

    pri_respond(d, THE_PASID, expect_asked(&given_up, 0), CMD_PRI_RESP_SUCCESS);
    pri_respond(d, THE_PASID, expect_asked(&given_up, 0), CMD_PRI_RESP_SUCCESS);
    WAIT_FOR(ats_counts(d).page_requests == 3);
    q_write32(&given_up.q, PASID_DEV_Q_CTRL, 0);
    stalled = asking_on(d, 1, 1);
    pri_respond(d, THE_PASID, expect_asked(&stalled, 0), CMD_PRI_RESP_SUCCESS);
    pri_respond(d, THE_PASID, expect_asked(&stalled, 0), CMD_PRI_RESP_SUCCESS);
    WAIT_FOR(ats_counts(d).page_requests == 6);
    pri_control(d, 0);
    stag = expect_stall(&stalled.q, va(d, stalled.dst), true);
    asked = ats_counts(d).page_requests;
    qtest_clock_step(d->t->qts, 1000 * 1000 * 1000);
    expect_no_page_request(d);
    g_assert_cmpuint(ats_counts(d).page_requests, ==, asked);
    map(d, stalled.dst, PAGE);
    resume(d, stag, RETRY);
    expect_copied(&stalled);
    done(d);
}

static void test_invalid(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 2);
    uint16_t index = expect_asked(&a, 0);

    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    pri_respond(d, THE_PASID, expect_asked(&a, 1), CMD_PRI_RESP_INVALID);
    expect_refused(&a, PAGE);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    g_assert_cmpuint(run(&a.q, no_op).status, ==, PASID_DEV_DONE_OK);
    done(d);
}

/*
 * Failure: the interface is out of order, for all who wait; what comes
 * afterwards is ignored, and accesses stall, until it is enabled anew.
 */
static void test_failure(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 1), b;
    uint16_t index = expect_asked(&a, 0), other;

    b = asking_on(d, 1, 1);
    other = expect_asked(&b, 0);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_FAILURE);
    expect_refused(&a, 0);
    expect_refused(&b, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_RF);
    pri_respond(d, THE_PASID, other, CMD_PRI_RESP_SUCCESS);
    pri_respond(d, THE_PASID, 99, CMD_PRI_RESP_SUCCESS);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_RF);

    /* Writing the bit clears it, no more. */
    sva_config_write(d->t, 0, d->devfn, pri_cap(d) + PCI_PRI_STATUS, 2,
                     PCI_PRI_STATUS_RF);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    asking_submit(&a, 1);
    resume(d, expect_stall(&a.q, va(d, a.dst), true), ABORT);
    expect_refused(&a, 0);

    pri_control(d, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED);
    pri_enable(d, 32);
    asking_submit(&a, 1);
    index = expect_asked(&a, 0);
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    done(d);
}

/* Of another group, or of another PASID: UPRGI, and nobody goes on. */
static void test_unexpected(void)
{
    static const struct {
        int pasid;
        int offset;
    } cases[] = {
        { THE_PASID, 1 }, { THE_PASID + 1, 0 }, { -1, 0 },
    };
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 1);
    uint16_t index = expect_asked(&a, 0);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        pri_respond(d, cases[i].pasid, index + cases[i].offset,
                    CMD_PRI_RESP_SUCCESS);
        g_assert_cmphex(pri_status(d), ==,
                        PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UPRGI);
        expect_no_page_request(d);
        sva_config_write(d->t, 0, d->devfn, pri_cap(d) + PCI_PRI_STATUS, 2,
                         PCI_PRI_STATUS_UPRGI);
        g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    }
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    /* Answered once: the second one is unexpected. */
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UPRGI);
    done(d);
}

/* A function that needs no PASID in a response takes it with or without. */
static void test_response_pasid_not_required(void)
{
    Dev *d = pri_start(",pri-response-pasid=off");
    Asking a = asking_on(d, 0, 2);
    uint16_t index = expect_asked(&a, 0);

    g_assert_cmphex(pri_status(d), ==, 0);
    map(d, a.dst, PAGE);
    pri_respond(d, -1, index, CMD_PRI_RESP_SUCCESS);
    index = expect_asked(&a, 1);
    map(d, a.dst + PAGE, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    g_assert_cmphex(pri_status(d), ==, 0);
    done(d);
}

/* ---- What is asked for -------------------------------------------------- */

static void test_rights(void)
{
    Dev *d = pri_start("");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE);
    unsigned index;
    uint16_t group;

    ats_unmap(d, page, PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page) + 0x123 });
    group = expect_page_request(d, va(d, page), true, false);
    sva_map(d->t, d->root, va(d, page), page, PAGE, SVA_MAP_RO);
    pri_respond(d, THE_PASID, group, CMD_PRI_RESP_SUCCESS);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, page + 0x123, 0,
                      0);
    /* It is there, but only to read. */
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, page) + 8, .arg = 5 });
    group = expect_page_request(d, va(d, page), true, true);
    map(d, page, PAGE);
    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    pri_respond(d, THE_PASID, group, CMD_PRI_RESP_SUCCESS);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, 0, 8, 0);
    g_assert_cmpuint(qtest_readq(d->t->qts, page + 8), ==, 5);
    done(d);
}

static void test_privileged(void)
{
    Dev *d = pri_start(",privileged=on");
    Queue q = queue_make(d, 0, 3);
    uint64_t page = sva_alloc(d->t, PAGE, PAGE);
    PageRequest r;
    unsigned index;

    sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_PRIV);
    queue_program(&q, PASID(THE_PASID));
    admin_write32(d, PASID_DEV_QUEUE_FLAGS(0), PASID_DEV_QUEUE_F_PRIV);
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page) });
    r = next_page_request(d);
    g_assert_true(r.priv);
    g_assert_true(r.ssv);
    g_assert_cmphex(r.addr, ==, va(d, page));
    sva_map(d->t, d->root, va(d, page), page, PAGE, SVA_MAP_PRIV);
    pri_respond(d, THE_PASID, r.index, CMD_PRI_RESP_SUCCESS);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, page, 0, 0);
    done(d);
}

/*
 * Execute Requested goes with what is asked, as long as software lets it; a page
 * that is not executable does not do.
 */
static void test_execute(void)
{
    Dev *d = pri_start(",execute=on");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    PasidDevDescriptor fetch = {
        .op = PASID_DEV_OP_PROBE2,
        .arg = PASID_DEV_PROBE_READ | PASID_DEV_PROBE_EXEC };
    uint64_t page = sva_alloc(d->t, PAGE, PAGE);
    PasidDevCompletion c;
    PageRequest r;
    unsigned index;

    fetch.src = va(d, page);
    for (unsigned i = 0; i < 2; i++) {
        sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                         PCI_PASID_CTRL_ENABLE | (i ? PCI_PASID_CTRL_EXEC : 0));
        index = submit(&q, fetch);
        r = next_page_request(d);
        g_assert_cmphex(r.addr, ==, va(d, page));
        g_assert_true(r.read);
        g_assert_cmpint(r.exec, ==, i);
        sva_map(d->t, d->root, va(d, page), page, PAGE, SVA_MAP_RO);
        pri_respond(d, THE_PASID, r.index, CMD_PRI_RESP_SUCCESS);
        c = wait_for(&q, index);
        assert_completion(c, PASID_DEV_DONE_OK, page, c.progress, 0);
        g_assert_cmphex(c.progress & PASID_DEV_PROBED_ATS, !=, 0);
        g_assert_cmpint(!!(c.progress & PASID_DEV_PROBED_EXEC), ==, i);
        ats_unmap(d, page, PAGE);
    }
    /* What was cached of a read does not serve a fetch. */
    map(d, page, PAGE);
    fetch.arg = PASID_DEV_PROBE_READ;
    run(&q, fetch);
    fetch.arg |= PASID_DEV_PROBE_EXEC;
    g_assert_cmphex(run(&q, fetch).progress & PASID_DEV_PROBED_EXEC, !=, 0);
    done(d);
}

/* Without PASID: neither has the response one. */
static void test_without_pasid(void)
{
    Dev *d = pri_start("");
    uint64_t cd[SMMU3_CD_WORDS], page;
    PageRequest r;
    unsigned index;
    Queue q;

    sva_cd_for(cd, d->root, 1, true);
    sva_set_cd(d->t, d->devfn, d->cds, 0, cd);
    q = queue_open(d, 0, 3, NO_PASID);
    page = sva_alloc(d->t, PAGE, PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page) });
    r = next_page_request(d);
    g_assert_false(r.ssv);
    map(d, page, PAGE);
    pri_respond(d, -1, r.index, CMD_PRI_RESP_SUCCESS);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, page, 0, 0);
    done(d);
}

/* A sum over @pages pages that are missing: it reads on from page to page. */
static Asking summing_on(Dev *d, unsigned pages)
{
    Asking a = { .d = d, .q = queue_open(d, 0, 3, PASID(THE_PASID)) };

    a.bytes = pages * PAGE;
    a.src = process_alloc(d, a.bytes);
    qtest_memset(d->t->qts, a.src, 1, a.bytes);
    ats_unmap(d, a.src, a.bytes);
    a.index = submit(&a.q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SUM, .src = va(d, a.src), .len = a.bytes });
    return a;
}

static void expect_summed(Asking *a)
{
    assert_completion(wait_for(&a->q, a->index), PASID_DEV_DONE_OK, a->bytes,
                      a->bytes, 0);
}

/* It asks for @count pages from @first on by one group: the index. */
static uint16_t expect_group(Asking *a, unsigned first, unsigned count)
{
    Dev *d = a->d;
    PageRequest r;
    uint16_t index = 0;

    for (unsigned i = 0; i < count; i++) {
        r = next_page_request(d);
        index = i ? index : r.index;
        g_assert_cmphex(r.addr, ==, va(d, a->src) + (first + i) * PAGE);
        g_assert_cmpuint(r.index, ==, index);
        g_assert_true(r.read);
        g_assert_false(r.write);
        g_assert_cmpint(r.last, ==, i == count - 1);
    }
    expect_no_page_request(d);
    return index;
}

/* Several pages by one group, whose last message says so. */
static void test_group(void)
{
    Dev *d = pri_start(",pri-group-pages=4");
    Asking a = summing_on(d, 6);
    uint16_t index = expect_group(&a, 0, 4);

    map(d, a.src, 4 * PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    index = expect_group(&a, 4, 2);
    map(d, a.src + 4 * PAGE, 2 * PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_summed(&a);
    g_assert_cmpuint(ats_counts(d).page_requests, ==, 2);
    g_assert_cmpuint(sva_counter(d->t, "page_requests"), ==, 6);
    done(d);
}

/*
 * A group is denied as a whole. Then it asks for the first page alone, for it
 * wants to know how far it comes.
 */
static void test_group_denied(void)
{
    Dev *d = pri_start(",pri-group-pages=4");
    Asking a = summing_on(d, 4);
    uint16_t index;

    pri_respond(d, THE_PASID, expect_group(&a, 0, 4), CMD_PRI_RESP_INVALID);
    index = expect_group(&a, 0, 1);
    map(d, a.src, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    pri_respond(d, THE_PASID, expect_group(&a, 1, 3), CMD_PRI_RESP_INVALID);
    pri_respond(d, THE_PASID, expect_group(&a, 1, 1), CMD_PRI_RESP_INVALID);
    assert_completion(wait_for(&a.q, a.index), PASID_DEV_DONE_FAULT_READ, PAGE,
                      PAGE, va(d, a.src) + PAGE);
    done(d);
}

/* ---- The allocation ----------------------------------------------------- */

/* One at a time; who has to wait for room has it in order. */
static void test_allocation(void)
{
    Dev *d = ats_start("");
    Asking a[4];

    pri_enable(d, 1);
    for (unsigned i = 0; i < 4; i++) {
        a[i] = asking_on(d, i, 1);
        WAIT_FOR(q32(&a[i].q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    }
    for (unsigned i = 0; i < 4; i++) {
        uint16_t index = expect_asked(&a[i], 0);

        expect_no_page_request(d);
        map(d, a[i].dst, PAGE);
        pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
        expect_copied(&a[i]);
    }
    done(d);
}

/* A group takes what room there is, and the rest later. */
static void test_group_fits_allocation(void)
{
    Dev *d = ats_start(",pri-group-pages=16");
    uint16_t index;
    Asking a;

    pri_enable(d, 3);
    a = summing_on(d, 4);
    index = expect_group(&a, 0, 3);
    map(d, a.src, 3 * PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    index = expect_group(&a, 3, 1);
    map(d, a.src + 3 * PAGE, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_summed(&a);
    done(d);
}

/* A queue that is stopped leaves its group to be answered, and its room taken. */
static void test_abandoned_group(void)
{
    Dev *d = ats_start("");
    Asking a, b;
    uint16_t index;

    pri_enable(d, 1);
    a = asking_on(d, 0, 1);
    index = expect_asked(&a, 0);
    q_write32(&a.q, PASID_DEV_Q_CTRL, 0);
    b = asking_on(d, 1, 1);
    expect_no_page_request(d);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    assert_bytes(d, a.dst, PAGE, zero_byte);
    index = expect_asked(&b, 0);
    map(d, b.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&b);
    g_assert_cmpuint(record_at(&a.q, a.index).status, ==,
                     PASID_DEV_DONE_PENDING);
    done(d);
}

/* Who waits for room and is stopped is not asked for at all. */
static void test_abandoned_in_the_queue(void)
{
    Dev *d = ats_start("");
    Asking a, b;
    uint16_t index;

    pri_enable(d, 1);
    a = asking_on(d, 0, 1);
    index = expect_asked(&a, 0);
    b = asking_on(d, 1, 1);
    WAIT_FOR(q32(&b.q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    q_write32(&b.q, PASID_DEV_Q_CTRL, 0);
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    expect_no_page_request(d);
    done(d);
}

/* ---- Software's hand on the interface ------------------------------------ */

/*
 * Disabled with a request outstanding: it stops when that is answered. Who waits
 * for room goes another way at once.
 */
static void test_disabled_with_requests(void)
{
    Dev *d = ats_start("");
    Asking a, b;
    uint16_t index;

    pri_enable(d, 1);
    a = asking_on(d, 0, 1);
    index = expect_asked(&a, 0);
    b = asking_on(d, 1, 1);
    WAIT_FOR(q32(&b.q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    pri_control(d, 0);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    resume(d, expect_stall(&b.q, va(d, b.dst), true), ABORT);
    expect_refused(&b, 0);
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED);
    done(d);
}

/* Reset forgets what is outstanding; what waited for it goes another way. */
static void test_reset(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 1);
    uint16_t index = expect_asked(&a, 0);

    /* Not while it is enabled */
    pri_control(d, PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
    expect_no_page_request(d);
    pri_control(d, PCI_PRI_CTRL_RESET);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED);
    resume(d, expect_stall(&a.q, va(d, a.dst), true), ABORT);
    expect_refused(&a, 0);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_UPRGI);
    done(d);
}

static void test_flr(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 1);
    uint16_t index = expect_asked(&a, 0);

    trigger_flr(d);
    restore_function(d);
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, 0);
    pri_respond(d, THE_PASID, index, CMD_PRI_RESP_SUCCESS);
    g_assert_cmpuint(record_at(&a.q, a.index).status, ==,
                     PASID_DEV_DONE_PENDING);
    enable_pasids(d);
    ats_control(d, true);
    pri_enable(d, 32);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    queue_program(&a.q, PASID(THE_PASID));
    assert_queue_works(&a.q);
    done(d);
}

/* ---- Where the SMMU answers by itself ------------------------------------ */

/* No queue: Response Failure, without a PASID. Never a hang. */
static void test_no_queue(void)
{
    Dev *d = pri_start("");
    uint32_t cr0 = sva_read32(d->t, SMMU3_CR0);
    Asking a;

    sva_write32(d->t, SMMU3_CR0, cr0 & ~smmu3_field_mask(CR0_PRIQEN));
    a = asking_on(d, 0, 1);
    expect_refused(&a, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_RF);
    done(d);
}

/* So with a group, each of whose messages is answered. */
static void test_no_queue_group(void)
{
    Dev *d = pri_start(",pri-group-pages=8");
    uint32_t cr0 = sva_read32(d->t, SMMU3_CR0);
    Asking a;

    sva_write32(d->t, SMMU3_CR0, cr0 & ~smmu3_field_mask(CR0_PRIQEN));
    a = summing_on(d, 8);
    assert_completion(wait_for(&a.q, a.index), PASID_DEV_DONE_FAULT_READ, 0, 0,
                      va(d, a.src));
    g_assert_cmpuint(sva_counter(d->t, "prg_responses"), ==, 8);
    g_assert_cmpuint(ats_counts(d).page_requests, ==, 1);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_RF);
    done(d);
}

/* The SMMU answers with the PASID, which the function asks for. */
static void set_ppar(Dev *d)
{
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, d->cds);
    smmu3_set(ste, STE_S1CDMAX, CD_LOG2);
    smmu3_set(ste, STE_EATS, STE_EATS_FULL);
    smmu3_set(ste, STE_PPAR, 1);
    sva_set_ste(d->t, d->devfn, ste);
}

/*
 * A full queue: "Success" by itself, so that the function asks again until there
 * is room. The requests of others are not lost. However long software leaves the
 * queue full, and however many wait, they are not more than 10,000 a second.
 */
static void test_overflow(void)
{
    enum { ENTRIES = 1 << SVA_QUEUE_LOG2, MORE = 100, MS = 300 };
    Dev *d = ats_start(",queues=170");
    uint64_t lost, at_first;
    Asking a[ENTRIES + MORE];

    set_ppar(d);
    pri_enable(d, 256);
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        a[i] = asking_on(d, i, 1);
        WAIT_FOR(sva_counter(d->t, "page_requests") > i);
    }
    /* At once and once more, then they pause. */
    WAIT_FOR(ats_counts(d).page_requests == ENTRIES + 3 * MORE);
    at_first = sva_counter(d->t, "page_requests_lost");
    g_assert_cmpuint(at_first, ==, 2 * MORE);
    for (unsigned i = 0; i < MS; i++) {
        qtest_clock_step(d->t->qts, 1000 * 1000);
        lost = sva_counter(d->t, "page_requests_lost") - at_first;
        g_assert_cmpuint(lost, <=, 16 + 10 * (i + 1));
        /* Those that were sent again have found that out. */
        WAIT_FOR(ats_counts(d).page_requests == ENTRIES + 3 * MORE + lost);
    }
    g_assert_cmpuint(lost, >=, MORE);

    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        map(d, a[i].dst, PAGE);
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        PageRequest r = next_page_request(d);

        pri_respond(d, THE_PASID, r.index, CMD_PRI_RESP_SUCCESS);
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        expect_copied(&a[i]);
    }
    /* Those that were told "success" find their pages when they ask again. */
    for (unsigned i = ENTRIES; i < G_N_ELEMENTS(a); i++) {
        WAIT_FOR((qtest_clock_step(d->t->qts, 1000 * 1000),
                  record_at(&a[i].q, a[i].index).status !=
                  PASID_DEV_DONE_PENDING));
        expect_copied(&a[i]);
    }
    done(d);
}

/* ---- Migration ---------------------------------------------------------- */

/*
 * The page is asked for anew on the other side; the response to what was asked
 * before is expected there, and is nobody's.
 */
static void test_migration(void)
{
    Dev *d = pri_start("");
    Asking a = asking_on(d, 0, 1);
    uint16_t before = expect_asked(&a, 0), after;

    d->t = sva_migrate(d->t, "virt-sva", "-device pasid-dev");
    after = expect_asked(&a, 0);
    g_assert_cmpuint(after, !=, before);
    pri_respond(d, THE_PASID, before, CMD_PRI_RESP_INVALID);
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    expect_no_page_request(d);
    map(d, a.dst, PAGE);
    pri_respond(d, THE_PASID, after, CMD_PRI_RESP_SUCCESS);
    expect_copied(&a);
    done(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pasid-dev/pri/capability", test_capability);
    qtest_add_func("/pasid-dev/pri/not-used-until-enabled",
                   test_not_used_until_enabled);
    qtest_add_func("/pasid-dev/pri/response/success", test_success);
    qtest_add_func("/pasid-dev/pri/response/success-in-vain",
                   test_success_in_vain);
    qtest_add_func("/pasid-dev/pri/response/pause-ends", test_pause_ends);
    qtest_add_func("/pasid-dev/pri/response/invalid", test_invalid);
    qtest_add_func("/pasid-dev/pri/response/failure", test_failure);
    qtest_add_func("/pasid-dev/pri/response/unexpected", test_unexpected);
    qtest_add_func("/pasid-dev/pri/response/pasid-not-required",
                   test_response_pasid_not_required);
    qtest_add_func("/pasid-dev/pri/request/rights", test_rights);
    qtest_add_func("/pasid-dev/pri/request/privileged", test_privileged);
    qtest_add_func("/pasid-dev/pri/request/execute", test_execute);
    qtest_add_func("/pasid-dev/pri/request/without-pasid",
                   test_without_pasid);
    qtest_add_func("/pasid-dev/pri/request/group", test_group);
    qtest_add_func("/pasid-dev/pri/request/group-denied", test_group_denied);
    qtest_add_func("/pasid-dev/pri/allocation/in-order", test_allocation);
    qtest_add_func("/pasid-dev/pri/allocation/group",
                   test_group_fits_allocation);
    qtest_add_func("/pasid-dev/pri/abandoned/outstanding",
                   test_abandoned_group);
    qtest_add_func("/pasid-dev/pri/abandoned/waiting-for-room",
                   test_abandoned_in_the_queue);
    qtest_add_func("/pasid-dev/pri/stopped/disabled",
                   test_disabled_with_requests);
    qtest_add_func("/pasid-dev/pri/stopped/reset", test_reset);
    qtest_add_func("/pasid-dev/pri/stopped/flr", test_flr);
    qtest_add_func("/pasid-dev/pri/smmu/no-queue", test_no_queue);
    qtest_add_func("/pasid-dev/pri/smmu/no-queue-group", test_no_queue_group);
    qtest_add_func("/pasid-dev/pri/smmu/overflow", test_overflow);
    qtest_add_func("/pasid-dev/pri/migration", test_migration);
    return g_test_run();
}
