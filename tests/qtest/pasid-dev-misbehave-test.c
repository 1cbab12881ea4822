/*
 * pasid-dev's faults on purpose, and what the SMMU, QEMU or nobody does about
 * each: where a test says "nobody", that is what software has to know. Not what
 * kernels do, which the guest tests show. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"
#include "sva-qtest-state.h"

#define FAULT(name)     PASID_DEV_MISBEHAVE_##name
#define NONE            0
#define ALL             0x7ff

static const PasidDevDescriptor no_op;

static void commit(Dev *d, uint64_t faults)
{
    qtest_writeq(d->t->qts, d->bar + PASID_DEV_MISBEHAVE, faults);
    g_assert_cmphex(admin64(d, PASID_DEV_MISBEHAVE), ==, faults);
}

static void done(Dev *d)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    g_assert_false(sva_event(d->t, event));
    dev_stop(d);
}

/* The next record, whole. */
static void expect_event(Dev *d, const uint64_t expected[SMMU3_EVENT_WORDS])
{
    uint64_t event[SMMU3_EVENT_WORDS];

    WAIT_FOR(sva_event(d->t, event));
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        g_assert_cmphex(event[i], ==, expected[i]);
    }
}

/* A record of @type about the device and, if it is not 0, @pasid. */
static void event_begin(Dev *d, unsigned type, uint32_t pasid,
                        uint64_t event[SMMU3_EVENT_WORDS])
{
    memset(event, 0, SMMU3_EVENT_BYTES);
    smmu3_set(event, EVENT_TYPE, type);
    smmu3_set(event, EVENT_STREAMID, d->devfn);
    smmu3_set(event, EVENT_SSV, pasid != 0);
    smmu3_set(event, EVENT_SUBSTREAMID, pasid);
}

/*
 * The device's STE as it is, but for ATS. What the SMMU answers in software's
 * stead has the PASID, which the device asks for.
 */
static void set_stream(Dev *d, unsigned eats)
{
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, d->cds);
    smmu3_set(ste, STE_S1CDMAX, CD_LOG2);
    smmu3_set(ste, STE_EATS, eats);
    smmu3_set(ste, STE_PPAR, 1);
    sva_set_ste(d->t, d->devfn, ste);
}

/* Have the SMMU look at translated requests, which it trusts otherwise. */
static void check_translated(Dev *d)
{
    uint32_t cr0 = sva_read32(d->t, SMMU3_CR0);

    sva_write32(d->t, SMMU3_CR0, cr0 | smmu3_field_mask(CR0_ATSCHK));
}

/* ---- The register ------------------------------------------------------- */

/* It is there with the property alone; no reset, no migration clears it. */
static void test_register(void)
{
    const char *args = "-device pasid-dev,x-misbehave=inv-late+pasid-wide";
    Dev *d = dev_start("virt-sva", "-device pasid-dev");

    qtest_writeq(d->t->qts, d->bar + PASID_DEV_MISBEHAVE, UINT64_MAX);
    g_assert_cmphex(admin64(d, PASID_DEV_MISBEHAVE), ==, 0);
    dev_stop(d);

    d = dev_start("virt-sva", args);
    g_assert_cmphex(admin64(d, PASID_DEV_MISBEHAVE), ==,
                    FAULT(INV_LATE) | FAULT(PASID_WIDE));
    qtest_writeq(d->t->qts, d->bar + PASID_DEV_MISBEHAVE, UINT64_MAX);
    g_assert_cmphex(admin64(d, PASID_DEV_MISBEHAVE), ==, ALL);
    commit(d, FAULT(INV_TWICE));
    admin_write32(d, PASID_DEV_CTRL, PASID_DEV_CTRL_RESET);
    trigger_flr(d);
    restore_function(d);
    g_assert_cmphex(admin64(d, PASID_DEV_MISBEHAVE), ==, FAULT(INV_TWICE));
    d->t = sva_migrate(d->t, "virt-sva", args);
    g_assert_cmphex(admin64(d, PASID_DEV_MISBEHAVE), ==, FAULT(INV_TWICE));
    dev_stop(d);
}

/* ---- Invalidations ------------------------------------------------------ */

static bool is_consumed(Dev *d)
{
    return (sva_read32(d->t, SMMU3_CMDQ_CONS) &
            ((2u << SVA_QUEUE_LOG2) - 1)) == d->t->cmdq_prod;
}

/* The CMD_SYNC at the head waits, and goes on waiting. */
static void expect_waiting(Dev *d)
{
    for (unsigned i = 0; i < 20; i++) {
        admin32(d, PASID_DEV_STATUS);
        g_assert_false(is_consumed(d));
    }
    g_assert_cmphex(sva_read32(d->t, SMMU3_GERROR), ==,
                    sva_read32(d->t, SMMU3_GERRORN));
}

/* It fails after its time-out, not before; software lets it go on. */
static void expect_timeout(Dev *d)
{
    uint64_t cons;

    qtest_clock_step(d->t->qts, 900 * 1000 * 1000);
    expect_waiting(d);
    qtest_clock_step(d->t->qts, 200 * 1000 * 1000);
    cons = sva_read32(d->t, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==, CERROR_ATC_INV_SYNC);
    g_assert_cmphex(sva_read32(d->t, SMMU3_GERROR) ^
                    sva_read32(d->t, SMMU3_GERRORN), ==,
                    smmu3_field_mask(GERROR_CMDQ));
    sva_write32(d->t, SMMU3_GERRORN, sva_read32(d->t, SMMU3_GERROR));
    WAIT_FOR(is_consumed(d));
}

static void invalidate_all(Dev *d)
{
    atc_invalidate(d, THE_PASID, false, 0, CMD_ATC_SIZE_ALL);
}

/* The CMD_SYNC fails with CERROR_ATC_INV_SYNC; everything goes on. */
static void test_inv_unanswered(void)
{
    Dev *d = ats_start(",x-misbehave=inv-unanswered");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));

    run(&q, no_op);
    invalidate_all(d);
    sva_command(d->t, CMD_SYNC, 0);
    expect_waiting(d);
    expect_timeout(d);
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    g_assert_cmpuint(ats_counts(d).requests, ==, 4);    /* It was dropped. */

    commit(d, NONE);
    invalidate_all(d);
    sva_sync(d->t);
    done(d);
}

/* Where the device has a page that moved, after all was invalidated. */
static uint64_t probe_after_remap(Dev *d, Queue *q, uint64_t page)
{
    PasidDevDescriptor probe = {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page), .arg = 1,
    };
    uint64_t other = process_alloc(d, PAGE);

    g_assert_cmphex(run(q, probe).result, ==, page);
    sva_map(d->t, d->root, va(d, page), other, PAGE, 0);
    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    invalidate_all(d);
    sva_sync(d->t);
    return run(q, probe).result;
}

/*
 * The SMMU believes the answer: nobody stops the access to the old page, whose
 * new owner it damages. Once the STE has no ATS, and translated requests are
 * checked, F_TRANSL_FORBIDDEN does.
 */
static void test_inv_not_done(void)
{
    Dev *d = ats_start(",x-misbehave=inv-not-done");
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE), event[SMMU3_EVENT_WORDS];
    uint64_t ring = q.ring;

    g_assert_cmphex(probe_after_remap(d, &q, page), ==, page);
    g_assert_cmpuint(ats_counts(d).invalidations, ==, 1);

    check_translated(d);
    set_stream(d, STE_EATS_NONE);
    invalidate_all(d);
    sva_sync(d->t);
    ring += q.tail * sizeof(PasidDevDescriptor);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, ring));
    event_begin(d, F_TRANSL_FORBIDDEN, 0, event);
    smmu3_set(event, EVENT_RNW, 1);
    smmu3_set(event, EVENT_INPUT_ADDR, ring);
    expect_event(d, event);
    done(d);
}

/* An answer that comes after its CMD_SYNC has failed is not one to the next. */
static void test_inv_late(void)
{
    Dev *d = ats_start(",x-misbehave=inv-late");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));

    run(&q, no_op);
    invalidate_all(d);
    sva_command(d->t, CMD_SYNC, 0);
    expect_waiting(d);
    expect_timeout(d);

    commit(d, FAULT(INV_LATE) | FAULT(INV_UNANSWERED));
    invalidate_all(d);
    sva_command(d->t, CMD_SYNC, 0);
    commit(d, NONE);
    expect_waiting(d);
    expect_timeout(d);

    /* In time, it is a good one. */
    commit(d, FAULT(INV_LATE));
    invalidate_all(d);
    sva_command(d->t, CMD_SYNC, 0);
    expect_waiting(d);
    commit(d, NONE);
    WAIT_FOR(is_consumed(d));
    done(d);
}

/* PCIe lets it: the CMD_SYNC is content when the last answer has come. */
static void test_inv_reversed(void)
{
    g_autofree char *file = NULL, *properties = NULL, *trace = NULL;
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_ATC_INV, CMD_ATC_SIZE_ALL };
    const char *first, *second;
    Queue q;
    Dev *d;

    close(g_file_open_tmp("pasid-dev-misbehave-XXXXXX", &file, NULL));
    properties = g_strdup_printf(",x-misbehave=inv-reversed "
                                 "-d trace:sva_misbehave -D %s", file);
    d = ats_start(properties);
    q = queue_open(d, 0, 3, PASID(THE_PASID));
    run(&q, no_op);
    smmu3_set(command, CMD_STREAMID, d->devfn);
    sva_command_prepare(d->t, command[0], command[1]);
    sva_command_prepare(d->t, command[0], command[1]);
    sva_sync(d->t);
    g_assert_cmphex(sva_read32(d->t, SMMU3_GERROR), ==, 0);
    done(d);
    g_assert_true(g_file_get_contents(file, &trace, NULL, NULL));
    first = strstr(trace, "answer to tag 0x1");
    second = strstr(trace, "answer to tag 0x2");
    g_assert_true(first && second && second < first);
    unlink(file);
}

/* The second one is not taken for the answer to another. */
static void test_inv_twice(void)
{
    Dev *d = ats_start(",x-misbehave=inv-twice");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));

    run(&q, no_op);
    invalidate_all(d);
    sva_sync(d->t);
    invalidate_all(d);
    WAIT_FOR(is_consumed(d));
    commit(d, FAULT(INV_UNANSWERED));
    invalidate_all(d);
    sva_command(d->t, CMD_SYNC, 0);
    expect_waiting(d);
    expect_timeout(d);
    done(d);
}

/* ---- ATS ---------------------------------------------------------------- */

/*
 * A Translation Request gets "Unsupported Request" and F_BAD_ATS_TREQ; a
 * translated request F_TRANSL_FORBIDDEN, where they are checked.
 */
static void test_ats_disabled(void)
{
    Dev *d = process_start_with(",x-misbehave=ats-disabled");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    uint64_t event[SMMU3_EVENT_WORDS];

    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    set_stream(d, STE_EATS_NONE);
    check_translated(d);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING,
                       va(d, q.ring) + sizeof(PasidDevDescriptor));
    event_begin(d, F_TRANSL_FORBIDDEN, 0, event);
    smmu3_set(event, EVENT_RNW, 1);
    smmu3_set(event, EVENT_INPUT_ADDR, q.ring + sizeof(PasidDevDescriptor));
    expect_event(d, event);

    invalidate_all(d);
    sva_sync(d->t);
    queue_reopen(&q);
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    for (unsigned write = 0; write < 2; write++) {
        event_begin(d, F_BAD_ATS_TREQ, THE_PASID, event);
        smmu3_set(event, EVENT_TREQ_SPAN, 1);
        smmu3_set(event, EVENT_TREQ_R, 1);
        smmu3_set(event, EVENT_TREQ_W, write);
        smmu3_set(event, EVENT_INPUT_ADDR,
                  va(d, write ? q.completions : q.ring));
        expect_event(d, event);
    }
    done(d);
}

/* ---- Page requests ------------------------------------------------------ */

enum { ASKERS = 5, JOBS = PASID_DEV_MAX_JOBS };

typedef struct Askers {
    Queue q[ASKERS];
    unsigned index[ASKERS][JOBS];
    uint64_t pages;         /* pa, one for each job */
} Askers;

static Askers ask_for_pages(Dev *d)
{
    Askers a = { .pages = sva_alloc(d->t, ASKERS * JOBS * PAGE, PAGE) };

    for (unsigned i = 0; i < ASKERS; i++) {
        a.q[i] = queue_open_jobs(d, i, 4, PASID(THE_PASID), JOBS);
        for (unsigned k = 0; k < JOBS; k++) {
            a.index[i][k] = submit(&a.q[i], (PasidDevDescriptor) {
                .op = PASID_DEV_OP_PROBE,
                .src = va(d, a.pages + (i * JOBS + k) * PAGE) });
        }
    }
    return a;
}

static bool has_overflowed(Dev *d)
{
    return (sva_read32(d->t, SMMU3_PRIQ_PROD) ^
            sva_read32(d->t, SMMU3_PRIQ_CONS)) >> 31;
}

/*
 * The queue has been made for the allocation. What it has no room for is
 * answered by the SMMU with "success", so that the device asks again; software
 * sees an overflow, and no request is forgotten.
 */
static void test_pri_excess(void)
{
    Dev *d = ats_start(",jobs=16,x-misbehave=none");
    uint64_t entry[SMMU3_PRI_WORDS];
    unsigned queued = 0;
    Askers a;

    set_stream(d, STE_EATS_FULL);
    pri_enable(d, 1);
    a = ask_for_pages(d);
    for (unsigned i = 0; i < ASKERS; i++) {
        WAIT_FOR(q32(&a.q[i], PASID_DEV_Q_IN_WORK) == JOBS);
    }
    WAIT_FOR(sva_counter(d->t, "page_requests") == 1);
    commit(d, FAULT(PRI_EXCESS));
    pri_enable(d, 1);       /* So that it looks. */
    WAIT_FOR(has_overflowed(d));
    g_assert_cmpuint(sva_counter(d->t, "page_requests_lost"), >, 0);

    map(d, a.pages, ASKERS * JOBS * PAGE);
    while (sva_page_request(d->t, entry)) {
        queued++;
        pri_respond(d, THE_PASID, smmu3_get(entry, PRI_PRGINDEX),
                    CMD_PRI_RESP_SUCCESS);
    }
    g_assert_cmpuint(queued, ==, 1u << SVA_QUEUE_LOG2);
    for (unsigned i = 0; i < ASKERS; i++) {
        for (unsigned k = 0; k < JOBS; k++) {
            /* Who was told "success" in vain pauses. */
            WAIT_FOR((qtest_clock_step(d->t->qts, 1000 * 1000),
                      record_at(&a.q[i], a.index[i][k]).status !=
                      PASID_DEV_DONE_PENDING));
            g_assert_cmpuint(wait_for(&a.q[i], a.index[i][k]).status, ==,
                             PASID_DEV_DONE_OK);
        }
    }
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_PASID);
    done(d);
}

/*
 * The SMMU does not know what is enabled in a function: software gets the
 * request, Stopped or not. Once it has disabled the queue, the SMMU answers
 * "failure", and the function asks no more.
 */
static void test_pri_disabled(void)
{
    Dev *d = pri_start(",x-misbehave=pri-disabled");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    uint64_t page = sva_alloc(d->t, 2 * PAGE, PAGE);
    uint64_t entry[SMMU3_PRI_WORDS], expected[SMMU3_PRI_WORDS] = { 0 };
    uint32_t cr0 = sva_read32(d->t, SMMU3_CR0);
    unsigned index;

    pri_control(d, 0);
    g_assert_cmphex(pri_status(d), ==,
                    PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page) });
    WAIT_FOR(sva_page_request(d->t, entry));
    smmu3_set(expected, PRI_STREAMID, d->devfn);
    smmu3_set(expected, PRI_SSV, 1);
    smmu3_set(expected, PRI_SUBSTREAMID, THE_PASID);
    smmu3_set(expected, PRI_READ, 1);
    smmu3_set(expected, PRI_LAST, 1);
    smmu3_set_addr(expected, PRI_ADDR, va(d, page));
    for (unsigned i = 0; i < SMMU3_PRI_WORDS; i++) {
        g_assert_cmphex(entry[i], ==, expected[i]);
    }
    map(d, page, PAGE);
    pri_respond(d, THE_PASID, 0, CMD_PRI_RESP_SUCCESS);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, page, 0, 0);

    sva_write32(d->t, SMMU3_CR0, cr0 & ~smmu3_field_mask(CR0_PRIQEN));
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page + PAGE) });
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_FAULT_READ, 0, 0,
                      va(d, page + PAGE));
    g_assert_cmphex(pri_status(d), ==, PCI_PRI_STATUS_STOPPED |
                    PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_RF);
    done(d);
}

/* ---- PASIDs ------------------------------------------------------------- */

/* There is no such context descriptor: C_BAD_SUBSTREAMID. */
static void test_pasid_wide(void)
{
    Dev *d = process_start_with(",x-misbehave=pasid-wide");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    uint64_t event[SMMU3_EVENT_WORDS];

    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, q.ring));
    event_begin(d, C_BAD_SUBSTREAMID, THE_PASID | 0x80000, event);
    smmu3_set(event, EVENT_SSV, 0);
    expect_event(d, event);

    /* A Translation Request gets "Completer Abort", and no record. */
    ats_control(d, true);
    queue_reopen(&q);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, q.ring));
    g_assert_cmpuint(ats_counts(d).requests, ==, 1);
    done(d);
}

/* ---- DMA ---------------------------------------------------------------- */

/*
 * An SMMU with a valid STE lets it through: software has to block the stream
 * before it resets a function that it does not trust. Then it is C_BAD_STE, and
 * memory is as it was.
 */
static void test_dma_after_reset(void)
{
    const uint64_t nothing[SMMU3_STE_WORDS] = { 0 };
    Dev *d = process_start_with(",x-misbehave=dma-after-reset");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    uint64_t event[SMMU3_EVENT_WORDS];

    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    trigger_flr(d);
    g_assert_cmphex(record_at(&q, 0).status, ==, 0x5afabad0);

    restore_function(d);
    enable_pasids(d);
    queue_program(&q, PASID(THE_PASID));
    queue_reopen(&q);
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    sva_set_ste(d->t, d->devfn, nothing);
    trigger_flr(d);
    g_assert_cmphex(record_at(&q, 0).status, ==, PASID_DEV_DONE_OK);
    event_begin(d, C_BAD_STE, THE_PASID, event);
    expect_event(d, event);
    done(d);
}

static void master(Dev *d, bool on)
{
    sva_config_write(d->t, d->bus, d->devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0));
}

/*
 * Bus Master Enable is the function's own to obey: an SMMU sees none of it, and
 * stops the access only if its STE does.
 */
static void test_dma_no_master(void)
{
    Dev *d = process_start_with(",x-misbehave=none");
    Queue q = queue_open(d, 0, 3, PASID(THE_PASID));
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    master(d, false);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, q.ring));

    commit(d, FAULT(DMA_NO_MASTER));
    queue_reopen(&q);
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_ABORT);
    sva_set_ste(d->t, d->devfn, ste);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING,
                       va(d, q.ring) + sizeof(PasidDevDescriptor));
    done(d);
}

/* QEMU's bus-master address space is empty then, without any IOMMU. */
static void test_dma_no_master_plain(void)
{
    g_autofree char *file = NULL, *args = NULL, *trace = NULL;
    Queue q;
    Dev *d;

    close(g_file_open_tmp("pasid-dev-misbehave-XXXXXX", &file, NULL));
    args = g_strdup_printf("-device pasid-dev,x-misbehave=dma-no-master "
                           "-d trace:sva_misbehave -D %s", file);
    d = dev_start(PLAIN_MACHINE, args);
    q = queue_open(d, 0, 3, NO_PASID);
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    master(d, false);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING,
                       va(d, q.ring) + sizeof(PasidDevDescriptor));
    dev_stop(d);
    g_assert_true(g_file_get_contents(file, &trace, NULL, NULL));
    g_assert_nonnull(strstr(trace, "no bus master"));
    unlink(file);
}

#define TEST(name, function) \
    qtest_add_func("/pasid-dev/misbehave/" name, function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("register", test_register);
    TEST("inv-unanswered", test_inv_unanswered);
    TEST("inv-not-done", test_inv_not_done);
    TEST("inv-late", test_inv_late);
    TEST("inv-reversed", test_inv_reversed);
    TEST("inv-twice", test_inv_twice);
    TEST("ats-disabled", test_ats_disabled);
    TEST("pri-excess", test_pri_excess);
    TEST("pri-disabled", test_pri_disabled);
    TEST("pasid-wide", test_pasid_wide);
    TEST("dma-after-reset", test_dma_after_reset);
    TEST("dma-no-master", test_dma_no_master);
    TEST("dma-no-master/no-iommu", test_dma_no_master_plain);
    return g_test_run();
}
