/*
 * pasid-dev in the address spaces of processes, behind our SMMU: every
 * operation by PASID, faults, stalls and what may happen meanwhile, a hostile
 * guest. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-rig.h"

/* ---- Operations --------------------------------------------------------- */

static void test_operation_pasid(gconstpointer data)
{
    Bench b = { .d = process_start() };
    uint64_t event[SMMU3_EVENT_WORDS];

    b.q = queue_open(b.d, 0, 3, PASID(THE_PASID));
    operation_tests[GPOINTER_TO_UINT(data)].run(&b);
    assert_nothing_left(&b);
    g_assert_false(sva_event(b.d->t, event));
    dev_stop(b.d);
}

/* Without PASID and with an SMMU of ours that is off */
static void test_operation_bypass(gconstpointer data)
{
    Bench b = { .d = dev_start("virt-sva", "-device pasid-dev") };

    b.q = queue_open(b.d, 0, 3, NO_PASID);
    operation_tests[GPOINTER_TO_UINT(data)].run(&b);
    assert_nothing_left(&b);
    dev_stop(b.d);
}

/* ---- Stalls ------------------------------------------------------------- */

/* Once the queue stalls for @addr, its page comes: @pa. */
static void page_comes(Queue *q, uint64_t addr, bool write, uint64_t pa)
{
    uint16_t stag = expect_stall(q, addr, write);

    map(q->d, pa, PAGE);
    resume(q->d, stag, RETRY);
}

static void test_stall_retried(void)
{
    StalledCopy c = stalled_copy_start();
    Queue other = queue_open(c.d, 1, 2, PASID(THE_PASID));

    /* It holds up nobody else ... */
    g_assert_cmpuint(run(&other, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    g_assert_cmphex(q32(&c.q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED | PASID_DEV_Q_STATUS_BUSY |
                    PASID_DEV_Q_STATUS_STALLED);
    g_assert_cmphex(q32(&other, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    g_assert_cmphex(admin32(c.d, PASID_DEV_STATUS), ==, PASID_DEV_STATUS_BUSY);
    g_assert_cmpuint(record_at(&c.q, c.index).status, ==,
                     PASID_DEV_DONE_PENDING);
    /* ... and goes on at the byte where it was. */
    qtest_memset(c.d->t->qts, c.dst, 0, 2 * PAGE);
    map(c.d, c.missing, PAGE);
    resume(c.d, c.stag, RETRY);
    assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                      COPY_BYTES, 0);
    assert_bytes(c.d, c.dst, 2 * PAGE, zero_byte);
    fill_pattern(c.d, c.dst, 2 * PAGE);
    assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
    g_assert_cmpuint(admin64(c.d, PASID_DEV_COUNT_STALLS), ==, 1);
    g_assert_cmpuint(admin64(c.d, PASID_DEV_COUNT_RETRIES), ==, 1);
    g_assert_cmpuint(admin64(c.d, PASID_DEV_COUNT_ABORTS), ==, 0);
    g_assert_cmpuint(q64(&c.q, PASID_DEV_Q_COUNT_STALLS), ==, 1);
    g_assert_cmpuint(q64(&other, PASID_DEV_Q_COUNT_STALLS), ==, 0);
    dev_stop(c.d);
}

/* Resumed in vain: it stalls again, as often as it takes. */
static void test_stall_repeats(void)
{
    StalledCopy c = stalled_copy_start();

    for (unsigned i = 0; i < 5; i++) {
        resume(c.d, c.stag, RETRY);
        c.stag = expect_stall(&c.q, va(c.d, c.missing), true);
    }
    map(c.d, c.missing, PAGE);
    resume(c.d, c.stag, RETRY);
    assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                      COPY_BYTES, 0);
    assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
    g_assert_cmpuint(admin64(c.d, PASID_DEV_COUNT_STALLS), ==, 6);
    dev_stop(c.d);
}

static void test_stall_aborted(void)
{
    StalledCopy c = stalled_copy_start();

    resume(c.d, c.stag, ABORT);
    assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_FAULT_WRITE, 0,
                      2 * PAGE, va(c.d, c.missing));
    assert_bytes(c.d, c.dst, 2 * PAGE, pattern_byte);
    assert_bytes(c.d, c.missing, 2 * PAGE, zero_byte);
    g_assert_cmpuint(admin64(c.d, PASID_DEV_COUNT_ABORTS), ==, 1);
    g_assert_cmpuint(run(&c.q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(c.d);
}

/* RAZ/WI: what the page would have got is dropped, and nobody told. */
static void test_stall_ignored(void)
{
    StalledCopy c = stalled_copy_start();

    resume(c.d, c.stag, IGNORE);
    /* Where the source crosses a page, another access begins. */
    resume(c.d, expect_stall(&c.q, va(c.d, c.missing) + PAGE - 7, true),
           IGNORE);
    assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                      COPY_BYTES, 0);
    assert_bytes(c.d, c.dst, 2 * PAGE, pattern_byte);
    assert_bytes(c.d, c.missing, PAGE, zero_byte);
    g_assert_cmphex(qtest_readb(c.d->t->qts, c.dst + 3 * PAGE), ==,
                    pattern_byte(3 * PAGE));
    dev_stop(c.d);
}

/* Both sides of a copy ignored: the decisions do not undo each other. */
static void test_both_ignored(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t src = process_alloc(d, PAGE), dst = process_alloc(d, PAGE);
    unsigned index;

    unmap(d, src, PAGE);
    unmap(d, dst, PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, src), .dst = va(d, dst),
        .len = 100 });
    resume(d, expect_stall(&q, va(d, src), false), IGNORE);
    resume(d, expect_stall(&q, va(d, dst), true), IGNORE);
    /* The first decision was used up: the source is asked for once more. */
    WAIT_FOR(record_at(&q, index).status != PASID_DEV_DONE_PENDING ||
             q32(&q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    if (record_at(&q, index).status == PASID_DEV_DONE_PENDING) {
        resume(d, expect_stall(&q, va(d, src), false), IGNORE);
    }
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, 0, 100, 0);
    dev_stop(d);
}

static void test_source_stalls(void)
{
    static const uint8_t ops[] = {
        PASID_DEV_OP_COPY, PASID_DEV_OP_COMPARE, PASID_DEV_OP_CRC32C,
        PASID_DEV_OP_SUM,
    };
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t src = process_alloc(d, 4 * PAGE), dst = process_alloc(d, 4 * PAGE);
    uint64_t sum = 0;

    for (uint64_t i = 0; i < 3 * PAGE; i++) {
        sum += pattern_byte(i);
    }
    fill_pattern(d, src, 3 * PAGE);
    for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
        PasidDevCompletion c;
        unsigned index;

        unmap(d, src + PAGE, PAGE);
        index = submit(&q, (PasidDevDescriptor) {
            .op = ops[i], .src = va(d, src), .dst = va(d, dst),
            .len = 3 * PAGE });
        page_comes(&q, va(d, src + PAGE), false, src + PAGE);
        c = wait_for(&q, index);
        g_assert_cmpuint(c.status, ==, PASID_DEV_DONE_OK);
        g_assert_cmpuint(c.progress, ==, 3 * PAGE);
        if (ops[i] == PASID_DEV_OP_SUM) {
            g_assert_cmpuint(c.result, ==, sum);
        }
    }
    assert_bytes(d, dst, 3 * PAGE, pattern_byte);
    dev_stop(d);
}

/* The descriptor and the record are in process memory, and stall like it. */
static void test_ring_stalls(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    unsigned index;

    unmap(d, q.ring, PAGE);
    index = submit(&q, (PasidDevDescriptor) { 0 });
    page_comes(&q, va(d, q.ring), false, q.ring);
    g_assert_cmpuint(wait_for(&q, index).status, ==, PASID_DEV_DONE_OK);

    unmap(d, q.ring, PAGE);
    submit(&q, (PasidDevDescriptor) { 0 });
    resume(d, expect_stall(&q, va(d, q.ring) + 64, false), ABORT);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, q.ring) + 64);
    map(d, q.ring, PAGE);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_record_stalls(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t word = process_alloc(d, PAGE);
    unsigned index;

    unmap(d, q.completions, PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, word), .arg = 1 });
    page_comes(&q, va(d, q.completions), true, q.completions);
    g_assert_cmpuint(wait_for(&q, index).status, ==, PASID_DEV_DONE_OK);

    unmap(d, q.completions, PAGE);
    submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, word), .arg = 1 });
    resume(d, expect_stall(&q, va(d, q.completions) + 32, true), ABORT);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_COMPLETION,
                       va(d, q.completions) + 32);
    map(d, q.completions, PAGE);
    assert_queue_works(&q);
    /* Each job was done once, whatever became of its record. */
    g_assert_cmpuint(qtest_readq(d->t->qts, word), ==, 2);
    dev_stop(d);
}

/* Every page of the list missing, and a node across two pages. */
static void test_list_stalls(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t memory = process_alloc(d, 4 * PAGE);
    const uint64_t nodes[] = {
        memory + 16, memory + 2 * PAGE - 24, memory + 3 * PAGE + 8 };
    unsigned index;

    for (unsigned i = 0; i < 3; i++) {
        qtest_writeq(d->t->qts, nodes[i], i < 2 ? va(d, nodes[i + 1]) : 0);
        qtest_writeq(d->t->qts, nodes[i] + 40, 100 + i);
    }
    unmap(d, memory, 4 * PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_LIST, .src = va(d, nodes[0]), .len = 10,
        .arg2 = 40 });
    resume(d, expect_stall(&q, va(d, nodes[0]), false), RETRY);
    page_comes(&q, va(d, nodes[0]), false, memory);
    page_comes(&q, va(d, nodes[1]), false, memory + PAGE);
    page_comes(&q, va(d, memory + 2 * PAGE), false, memory + 2 * PAGE);
    resume(d, expect_stall(&q, va(d, nodes[2]), false), ABORT);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_FAULT_READ, 201, 2,
                      va(d, nodes[2]));
    dev_stop(d);
}

static void test_probe_stalls(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE);
    unsigned index;

    unmap(d, page, PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = va(d, page) + 9, .arg = 1 });
    page_comes(&q, va(d, page) + 9, true, page);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, page + 9, 0, 0);
    dev_stop(d);
}

/* ---- What ends a stall -------------------------------------------------- */

static void test_disable_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    q_write32(&c.q, PASID_DEV_Q_CTRL, 0);
    g_assert_cmphex(q32(&c.q, PASID_DEV_Q_STATUS), ==, 0);
    assert_stays_cancelled(&c);
}

static void test_error_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    q_write32(&c.q, PASID_DEV_Q_TAIL, 0x7777);
    g_assert_cmphex(q32(&c.q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ERROR);
    assert_stays_cancelled(&c);
}

static void test_reset_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    admin_write32(c.d, PASID_DEV_CTRL, PASID_DEV_CTRL_RESET);
    assert_stays_cancelled(&c);
}

static void test_flr_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    trigger_flr(c.d);
    restore_function(c.d);
    assert_stays_cancelled(&c);
}

static void test_machine_reset_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    qtest_system_reset(c.d->t->qts);
    restore_function(c.d);
    g_assert_cmphex(admin32(c.d, PASID_DEV_STATUS), ==, 0);
    c.d->t->cmdq_prod = c.d->t->eventq_cons = 0;
    give_address_space(c.d);
    c.q = queue_open(c.d, 0, 2, PASID(THE_PASID));
    g_assert_cmpuint(run(&c.q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(c.d);
}

static void test_quit_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    dev_stop(c.d);
}

/* The bus master switch counts for what is retried, too. */
static void test_bus_master_off_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    sva_config_write(c.d->t, 0, c.d->devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    map(c.d, c.missing, PAGE);
    resume(c.d, c.stag, RETRY);
    assert_queue_error(&c.q, PASID_DEV_Q_ERROR_COMPLETION,
                       va(c.d, c.q.completions));
    assert_bytes(c.d, c.missing, PAGE, zero_byte);
    restore_function(c.d);
    assert_queue_works(&c.q);
    dev_stop(c.d);
}

/* Pulled out in mid-stall. */
static void test_unplug_stalled(void)
{
    Dev *d = process_start_behind_port();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE);
    unsigned slot = sva_find_cap(d->t, 0, 4 << 3, PCI_CAP_ID_EXP) +
                    PCI_EXP_SLTCTL;
    uint64_t event[SMMU3_EVENT_WORDS];

    unmap(d, page, PAGE);
    submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, page), .len = 8 });
    WAIT_FOR(q32(&q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    g_assert_true(sva_event(d->t, event));

    sva_config_write(d->t, 0, 4 << 3, slot, 2, PCI_EXP_SLTCTL_PWR_IND_ON);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'device_del', "
                             "'arguments': {'id': 'accel'}}");
    sva_config_write(d->t, 0, 4 << 3, slot, 2,
                     PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");

    map(d, page, PAGE);
    for (unsigned retry = 0; retry < 2; retry++) {
        uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

        smmu3_set(command, CMD_STREAMID, d->bus << 8 | d->devfn);
        smmu3_set(command, CMD_RESUME_AC, retry);
        smmu3_set(command, CMD_RESUME_STAG, smmu3_get(event, EVENT_STAG));
        sva_command(d->t, command[0], command[1]);
        sva_sync(d->t);
    }
    g_assert_cmphex(qtest_readq(d->t->qts, page), ==, 0);
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    dev_stop(d);
}

/* ---- Faults ------------------------------------------------------------- */

static void test_pasids_off(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));

    run(&q, (PasidDevDescriptor) { 0 });
    sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2, 0);
    submit(&q, (PasidDevDescriptor) { 0 });
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, q.ring) + 64);
    enable_pasids(d);
    assert_queue_works(&q);
    dev_stop(d);
}

/* can-stall=off: the fault is final, and its event says so. */
static void test_no_stall(void)
{
    Dev *d = process_start_with(",can-stall=off");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE);
    uint64_t event[SMMU3_EVENT_WORDS];

    unmap(d, page, PAGE);
    assert_completion(run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SUM, .src = va(d, page) + 100, .len = 1 }),
        PASID_DEV_DONE_FAULT_READ, 0, 0, va(d, page) + 100);
    g_assert_true(sva_event(d->t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
    g_assert_cmpuint(smmu3_get(event, EVENT_STALL), ==, 0);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_STALLS), ==, 0);
    dev_stop(d);
}

/* A read-only page can be read, and a write to it is a permission fault. */
static void test_read_only(void)
{
    Dev *d = process_start_with(",can-stall=off");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE);
    uint64_t event[SMMU3_EVENT_WORDS];

    qtest_writeb(d->t->qts, page, 7);
    unmap(d, page, PAGE);
    sva_map(d->t, d->root, va(d, page), page, PAGE, SVA_MAP_RO);
    assert_completion(run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SUM, .src = va(d, page), .len = PAGE }),
        PASID_DEV_DONE_OK, 7, PAGE, 0);
    g_assert_false(sva_event(d->t, event));
    assert_completion(run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, page), .len = 1 }),
        PASID_DEV_DONE_FAULT_WRITE, 0, 0, va(d, page));
    g_assert_true(sva_event(d->t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_PERMISSION);
    assert_completion(run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, page), .arg = 1 }),
        PASID_DEV_DONE_FAULT_WRITE, 0, 0, va(d, page));
    g_assert_cmphex(qtest_readb(d->t->qts, page), ==, 7);
    dev_stop(d);
}

/* Privileged pages: only with the property, the control bit and the flag. */
static void test_privileged(void)
{
    Dev *d = process_start_with(",can-stall=off,privileged=on");
    Queue user = queue_open(d, 0, 2, PASID(THE_PASID));
    Queue kernel = queue_make(d, 1, 2);
    uint64_t page = process_alloc(d, PAGE);
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_SUM, .src = va(d, page), .len = 8,
    };

    unmap(d, page, PAGE);
    sva_map(d->t, d->root, va(d, page), page, PAGE, SVA_MAP_PRIV);
    admin_write32(d, PASID_DEV_QUEUE_FLAGS(1), PASID_DEV_QUEUE_F_PRIV);
    g_assert_cmphex(admin32(d, PASID_DEV_QUEUE_FLAGS(1)), ==,
                    PASID_DEV_QUEUE_F_PRIV);
    queue_program(&kernel, PASID(THE_PASID));
    q_write32(&kernel, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    g_assert_cmpuint(run(&kernel, desc).status, ==, PASID_DEV_DONE_FAULT_READ);
    sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_PRIV);
    g_assert_cmpuint(run(&kernel, desc).status, ==, PASID_DEV_DONE_OK);
    g_assert_cmpuint(run(&user, desc).status, ==, PASID_DEV_DONE_FAULT_READ);
    dev_stop(d);
}

/* ---- Processes ---------------------------------------------------------- */

/* Two processes, one address, different memory. */
static void test_two_pasids(void)
{
    Dev *d = process_start();
    Queue one = queue_open(d, 0, 2, PASID(THE_PASID)), two;
    uint64_t page1 = process_alloc(d, PAGE), page2;
    uint64_t shared_va = va(d, page1);
    uint64_t cd[SMMU3_CD_WORDS];

    d->root = sva_table(d->t);
    sva_cd_for(cd, d->root, 2, true);
    sva_set_cd(d->t, d->devfn, d->cds, THE_PASID + 1, cd);
    two = queue_open(d, 1, 2, PASID(THE_PASID + 1));
    page2 = sva_alloc(d->t, PAGE, PAGE);
    sva_map(d->t, d->root, shared_va, page2, PAGE, 0);

    run(&one, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = shared_va, .len = PAGE, .arg = 1 });
    run(&two, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = shared_va, .len = PAGE, .arg = 2 });
    g_assert_cmphex(qtest_readq(d->t->qts, page1), ==, 1);
    g_assert_cmphex(qtest_readq(d->t->qts, page2), ==, 2);
    dev_stop(d);
}

/* The worked example of docs/specs/pasid-dev.rst, number by number. */
static void test_example(void)
{
    static const uint8_t descriptor[64] = {
        0x01, 0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00,
        0xf0, 0x1f, 0x00, 0x00, 0x00, 0x7f, 0x00, 0x00,
        0x00, 0x30, 0x00, 0x00, 0x00, 0x7f, 0x00, 0x00,
        0x64, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    static const uint8_t done[32] = {
        0x01, 0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x64, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    static const uint8_t refused[32] = {
        0x03, 0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x20, 0x00, 0x00, 0x00, 0x7f, 0x00, 0x00,
    };
    const uint64_t base = UINT64_C(0x7f0000000000);
    Dev *d = process_start();
    QTestState *qts = d->t->qts;
    uint64_t pa = sva_alloc(d->t, 18 * PAGE, PAGE);
    Queue q = { .d = d };
    uint8_t record[32];

    d->offset = base - pa;
    sva_map(d->t, d->root, base, pa, 3 * PAGE, 0);
    sva_map(d->t, d->root, base + 0x10000, pa + 0x10000, 2 * PAGE, 0);
    fill_pattern(d, pa + 0x1ff0, 100);

    qtest_writel(qts, d->bar + 0x400, 0x80000005);
    qtest_writeq(qts, d->bar + 0x1000, UINT64_C(0x00007f0000010000));
    qtest_writeq(qts, d->bar + 0x1008, UINT64_C(0x00007f0000011000));
    qtest_writel(qts, d->bar + 0x1010, 2);
    qtest_writel(qts, d->bar + 0x1014, 1);
    g_assert_cmphex(qtest_readl(qts, d->bar + 0x1018), ==, 1);
    qtest_memwrite(qts, pa + 0x10000, descriptor, sizeof(descriptor));
    qtest_writel(qts, d->bar + 0x1020, 1);

    page_comes(&q, base + 0x3000, true, pa + 0x3000);
    WAIT_FOR(qtest_readl(qts, pa + 0x11000) != 0);
    qtest_memread(qts, pa + 0x11000, record, sizeof(record));
    g_assert_cmpmem(record, sizeof(record), done, sizeof(done));
    assert_bytes(d, pa + 0x3000, 100, pattern_byte);

    /* The same in slot 1, where the process has no right to the source. */
    unmap(d, pa + 0x2000, PAGE);
    qtest_memwrite(qts, pa + 0x10040, descriptor, sizeof(descriptor));
    qtest_writel(qts, d->bar + 0x1020, 2);
    resume(d, expect_stall(&q, base + 0x2000, false), ABORT);
    WAIT_FOR(qtest_readl(qts, pa + 0x11020) != 0);
    qtest_memread(qts, pa + 0x11020, record, sizeof(record));
    g_assert_cmpmem(record, sizeof(record), refused, sizeof(refused));

    qtest_writel(qts, d->bar + 0x1014, 0);
    g_assert_cmphex(qtest_readl(qts, d->bar + 0x1018), ==, 0);
    dev_stop(d);
}

static void test_behind_root_port(void)
{
    Dev *d = process_start_behind_port();
    unsigned express = sva_find_cap(d->t, 1, d->devfn, PCI_CAP_ID_EXP);
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));

    g_assert_cmpuint((sva_config_read(d->t, 1, d->devfn,
                                      express + PCI_EXP_FLAGS, 2) &
                      PCI_EXP_FLAGS_TYPE) >> 4, ==, PCI_EXP_TYPE_ENDPOINT);
    g_assert_cmpuint(run(&q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(d);
}

/* A job that powers off the slot that the device is in: it is gone. */
static void test_dma_unplugs(void)
{
    Dev *d = process_start_behind_port();
    unsigned slot = sva_find_cap(d->t, 0, 4 << 3, PCI_CAP_ID_EXP) +
                    PCI_EXP_SLTCTL;
    uint64_t src;
    Queue q;

    d->offset = 0;      /* without PASID, by CD 0, one to one */
    q = queue_make(d, 0, 2);
    src = process_alloc(d, PAGE);
    sva_ste_bypass(d->t, d->bus << 8 | d->devfn);
    queue_program(&q, NO_PASID);
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    sva_config_write(d->t, 0, 4 << 3, slot, 2, PCI_EXP_SLTCTL_PWR_IND_ON);
    qtest_writew(d->t->qts, src,
                 PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    fill_slot(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = src, .len = 2,
        .dst = UINT64_C(0x4010000000) + (4 << 15) + slot });
    fill_slot(&q, (PasidDevDescriptor) { 0 });
    q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    g_assert_cmpuint(record_at(&q, 0).status, ==, PASID_DEV_DONE_PENDING);
    g_assert_cmpuint(record_at(&q, 1).status, ==, PASID_DEV_DONE_PENDING);
    dev_stop(d);
}

/* ---- A hostile guest ---------------------------------------------------- */

/*
 * Addresses that mean something: in a process of 16 pages, half of which come
 * and go, its neighbourhood, the device's own registers, anything.
 */
static uint64_t random_address(Dev *d, uint64_t memory)
{
    static const uint64_t odd[] = { 0, UINT64_MAX, 1ull << 48, 0x8000000 };

    switch (g_test_rand_int_range(0, 8)) {
    case 0:
        return odd[g_test_rand_int_range(0, ARRAY_SIZE(odd))];
    case 1:
        return d->bar + g_test_rand_int_range(0, 0x3000);
    default:
        return va(d, memory) + g_test_rand_int_range(0, 18 * PAGE);
    }
}

static void random_descriptor(Dev *d, uint64_t memory, uint64_t at)
{
    PasidDevDescriptor desc = {
        .op = g_test_rand_int_range(0, PASID_DEV_OP_COUNT + 1),
        .flags = g_test_rand_int_range(0, 4),
        .src = cpu_to_le64(random_address(d, memory)),
        .dst = cpu_to_le64(random_address(d, memory)),
        .len = cpu_to_le64(g_test_rand_int_range(0, 3 * PAGE)),
    };

    switch (g_test_rand_int_range(0, 3)) {
    case 0:
        desc.arg = cpu_to_le64(g_test_rand_int_range(0, 100));
        desc.arg2 = cpu_to_le64(g_test_rand_int_range(0, 100));
        break;
    case 1:
        desc.len = cpu_to_le64(PASID_DEV_MAX_LEN_VALUE);
        break;
    }
    if (g_test_rand_int_range(0, 20) == 0) {
        for (unsigned i = 0; i < sizeof(desc); i++) {
            ((uint8_t *)&desc)[i] = g_test_rand_int();
        }
    }
    qtest_memwrite(d->t->qts, at, &desc, sizeof(desc));
}

static void random_page(Dev *d, uint64_t memory)
{
    uint64_t page = memory + g_test_rand_int_range(0, 16) * PAGE;

    if (g_test_rand_bit()) {
        unmap(d, page, PAGE);
    } else {
        map(d, page, PAGE);
    }
}

/* Whoever waits is told something, right or wrong. */
static void random_resume(Dev *d)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    while (sva_event(d->t, event)) {
        if (smmu3_get(event, EVENT_STALL) && g_test_rand_int_range(0, 4)) {
            resume(d, smmu3_get(event, EVENT_STAG),
                   g_test_rand_int_range(0, 3));
        }
    }
    if (g_test_rand_int_range(0, 4) == 0) {
        resume(d, g_test_rand_int(), g_test_rand_int_range(0, 3));
    }
}

static void random_queue_set_up(Dev *d, unsigned n, uint64_t memory)
{
    Queue q = { .d = d, .n = n };

    q_write32(&q, PASID_DEV_Q_CTRL, 0);
    admin_write32(d, PASID_DEV_QUEUE_PASID(n),
                  g_test_rand_int_range(0, 8) ? PASID(THE_PASID)
                                              : (uint32_t)g_test_rand_int());
    q_write64(&q, PASID_DEV_Q_RING,
              va(d, memory) + g_test_rand_int_range(0, 16) * PAGE);
    q_write64(&q, PASID_DEV_Q_COMPLETIONS,
              va(d, memory) + g_test_rand_int_range(0, 16 * 128) * 32);
    q_write32(&q, PASID_DEV_Q_SIZE_LOG2, g_test_rand_int_range(0, 7));
    q_write32(&q, PASID_DEV_Q_CTRL, g_test_rand_int_range(0, 8) ?
              3 | PASID_DEV_Q_CTRL_JOBS(g_test_rand_int_range(1, 5)) :
              (uint32_t)g_test_rand_int());
}

static void random_control(Dev *d)
{
    switch (g_test_rand_int_range(0, 8)) {
    case 0:
        trigger_flr(d);
        break;
    case 1:
        admin_write32(d, PASID_DEV_CTRL, PASID_DEV_CTRL_RESET);
        break;
    case 2:
        sva_config_write(d->t, 0, d->devfn, PCI_COMMAND, 2,
                         PCI_COMMAND_MEMORY);
        break;
    case 3:
        sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                         0);
        break;
    case 4:
        qtest_writel(d->t->qts,
                     d->bar + g_test_rand_int_range(0, 9 * PAGE / 4) * 4,
                     g_test_rand_int());
        break;
    default:
        admin_write32(d, PASID_DEV_PASID_TARGET, PASID(THE_PASID));
        admin_write32(d, PASID_DEV_PASID_COMMAND, g_test_rand_int_range(1, 3));
        break;
    }
    restore_function(d);
    enable_pasids(d);
}

/* Ten thousand things in any order; in the end the device works. */
static void test_random(void)
{
    Dev *d = process_start();
    uint64_t memory = process_alloc(d, 16 * PAGE);
    Queue q;

    arm_vector(d, 0, false);
    for (unsigned i = 0; i < 10000; i++) {
        unsigned n = g_test_rand_int_range(0, 8);
        Queue any = { .d = d, .n = n };

        switch (g_test_rand_int_range(0, 16)) {
        case 0:
            random_queue_set_up(d, n, memory);
            break;
        case 1:
            if (g_test_rand_int_range(0, 8) == 0) {
                random_control(d);
            }
            break;
        case 2:
        case 3:
            random_page(d, memory);
            break;
        case 4:
        case 5:
            random_resume(d);
            break;
        case 6:
            q_write32(&any, PASID_DEV_Q_TAIL, g_test_rand_int_range(0, 200));
            break;
        case 7:
        case 8:
        case 9:
            q_write32(&any, PASID_DEV_Q_TAIL, q32(&any, PASID_DEV_Q_TAIL) + 1);
            break;
        default:
            random_descriptor(d, memory, memory +
                              g_test_rand_int_range(0, 16 * 64) * 64);
        }
    }

    trigger_flr(d);
    restore_function(d);
    enable_pasids(d);
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, 0);
    random_resume(d);
    q = queue_open(d, 0, 2, PASID(THE_PASID));
    g_assert_cmpuint(run(&q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    add_operations("bypass", test_operation_bypass);
    add_operations("pasid", test_operation_pasid);
    g_test_add_func("/pasid-dev/dma/unplugs-itself", test_dma_unplugs);
    g_test_add_func("/pasid-dev/stall/retried", test_stall_retried);
    g_test_add_func("/pasid-dev/stall/repeats", test_stall_repeats);
    g_test_add_func("/pasid-dev/stall/aborted", test_stall_aborted);
    g_test_add_func("/pasid-dev/stall/ignored", test_stall_ignored);
    g_test_add_func("/pasid-dev/stall/both-sides-ignored", test_both_ignored);
    g_test_add_func("/pasid-dev/stall/source", test_source_stalls);
    g_test_add_func("/pasid-dev/stall/ring", test_ring_stalls);
    g_test_add_func("/pasid-dev/stall/record", test_record_stalls);
    g_test_add_func("/pasid-dev/stall/list", test_list_stalls);
    g_test_add_func("/pasid-dev/stall/probe", test_probe_stalls);
    g_test_add_func("/pasid-dev/stall/disable", test_disable_stalled);
    g_test_add_func("/pasid-dev/stall/queue-error", test_error_stalled);
    g_test_add_func("/pasid-dev/stall/reset", test_reset_stalled);
    g_test_add_func("/pasid-dev/stall/flr", test_flr_stalled);
    g_test_add_func("/pasid-dev/stall/machine-reset",
                    test_machine_reset_stalled);
    g_test_add_func("/pasid-dev/stall/quit", test_quit_stalled);
    g_test_add_func("/pasid-dev/stall/unplug", test_unplug_stalled);
    g_test_add_func("/pasid-dev/stall/bus-master-off",
                    test_bus_master_off_stalled);
    g_test_add_func("/pasid-dev/fault/can-stall-off", test_no_stall);
    g_test_add_func("/pasid-dev/fault/pasids-off", test_pasids_off);
    g_test_add_func("/pasid-dev/fault/read-only-page", test_read_only);
    g_test_add_func("/pasid-dev/fault/privileged-page", test_privileged);
    g_test_add_func("/pasid-dev/process/example", test_example);
    g_test_add_func("/pasid-dev/process/two-with-one-address",
                    test_two_pasids);
    g_test_add_func("/pasid-dev/process/behind-a-root-port",
                    test_behind_root_port);
    g_test_add_func("/pasid-dev/hostile/random", test_random);

    return g_test_run();
}
