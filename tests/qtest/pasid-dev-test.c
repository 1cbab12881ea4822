/*
 * pasid-dev as a PCI device: registers, work queues, DMA, interrupts, and every
 * operation without PASID. On virt without IOMMU and behind QEMU's own SMMUv3.
 * No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/atomic.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-rig.h"

/* ---- Registers and the function ----------------------------------------- */

static void test_identity(void)
{
    Dev *d = dev_start(PLAIN_MACHINE,
                       "-device pasid-dev,queues=5,pasid-bits=16");

    g_assert_cmphex(admin32(d, PASID_DEV_MAGIC), ==, PASID_DEV_MAGIC_VALUE);
    g_assert_cmphex(admin32(d, PASID_DEV_VERSION), ==, PASID_DEV_VERSION_VALUE);
    g_assert_cmpuint(admin32(d, PASID_DEV_QUEUES), ==, 5);
    g_assert_cmpuint(admin32(d, PASID_DEV_PASID_BITS), ==, 16);
    g_assert_cmphex(admin64(d, PASID_DEV_OPS), ==,
                    (UINT64_C(1) << PASID_DEV_OP_COUNT) - 1);
    g_assert_cmphex(admin64(d, PASID_DEV_MAX_LEN), ==, PASID_DEV_MAX_LEN_VALUE);
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, 0);
    dev_stop(d);
}

static void test_capabilities(void)
{
    Dev *d = dev_start(PLAIN_MACHINE,
                       "-device pasid-dev,queues=5,pasid-bits=16");
    unsigned express = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    unsigned msix = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_MSIX);
    uint32_t devcap2;

    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, PCI_BASE_ADDRESS_0, 4) &
                    0xf, ==, 0);    /* 32-bit, not prefetchable */
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, PCI_CLASS_DEVICE, 2), ==,
                    0x1200);

    g_assert_cmpuint(express, !=, 0);
    g_assert_cmpuint((sva_config_read(d->t, 0, d->devfn,
                                      express + PCI_EXP_FLAGS, 2) &
                      PCI_EXP_FLAGS_TYPE) >> 4, ==, PCI_EXP_TYPE_RC_END);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn,
                                    express + PCI_EXP_DEVCAP, 4) &
                    PCI_EXP_DEVCAP_FLR, !=, 0);
    devcap2 = sva_config_read(d->t, 0, d->devfn, express + PCI_EXP_DEVCAP2, 4);
    g_assert_cmphex(devcap2 & PCI_EXP_DEVCAP2_EE_PREFIX, !=, 0);

    g_assert_cmpuint(msix, !=, 0);
    g_assert_cmpuint(sva_config_read(d->t, 0, d->devfn, msix + PCI_MSIX_FLAGS,
                                     2) & PCI_MSIX_FLAGS_QSIZE, ==, 5 - 1);

    g_assert_cmpuint(d->pasid_cap, !=, 0);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn,
                                    d->pasid_cap + PCI_PASID_CAP, 2), ==,
                    16 << 8);
    /* What is not there cannot be enabled. */
    sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                     0xffff);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn,
                                    d->pasid_cap + PCI_PASID_CTRL, 2), ==,
                    PCI_PASID_CTRL_ENABLE);
    dev_stop(d);
}

static void test_halves(void)
{
    Dev *d = plain_start();
    Queue q = { .d = d, .n = 3 };

    q_write32(&q, PASID_DEV_Q_RING, 0x89abcdc0);
    q_write32(&q, PASID_DEV_Q_RING + 4, 0x01234567);
    g_assert_cmphex(q64(&q, PASID_DEV_Q_RING), ==,
                    UINT64_C(0x0123456789abcdc0));
    q_write64(&q, PASID_DEV_Q_COMPLETIONS, UINT64_C(0xfedcba9876543220));
    g_assert_cmphex(q32(&q, PASID_DEV_Q_COMPLETIONS), ==, 0x76543220);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_COMPLETIONS + 4), ==, 0xfedcba98);
    g_assert_cmphex(q64(&q, PASID_DEV_Q_RING), ==,
                    UINT64_C(0x0123456789abcdc0));
    g_assert_cmphex(admin32(d, PASID_DEV_MAX_LEN + 4), ==,
                    PASID_DEV_MAX_LEN_VALUE >> 32);
    dev_stop(d);
}

/* Every word of the BAR: reads what is not there as 0, survives all writes. */
static void test_junk(void)
{
    Dev *d = plain_start();
    static const uint64_t values[] = { 0, 1, 0xffffffff, UINT64_MAX };

    for (unsigned v = 0; v < ARRAY_SIZE(values); v++) {
        for (unsigned page = 0; page < 16; page++) {
            for (unsigned reg = 0; reg < 0x480; reg += 4) {
                uint64_t at = d->bar + page * PAGE + reg;

                qtest_writel(d->t->qts, at, values[v]);
                if (reg % 8 == 0) {
                    qtest_writeq(d->t->qts, at, values[v]);
                }
            }
        }
    }
    admin_write32(d, PASID_DEV_CTRL, PASID_DEV_CTRL_RESET);
    g_assert_cmphex(admin32(d, 0x100), ==, 0);
    g_assert_cmphex(admin64(d, PASID_DEV_MAGIC), ==, 0);    /* two at once */
    /* Eight queues: there is no ninth portal. */
    g_assert_cmphex(qtest_readq(d->t->qts, d->bar + 9 * PAGE), ==, 0);
    g_assert_cmphex(admin32(d, PASID_DEV_QUEUE_PASID(8)), ==, 0);
    g_assert_cmphex(admin32(d, PASID_DEV_MAGIC), ==, PASID_DEV_MAGIC_VALUE);
    dev_stop(d);
}

static void test_set_up_stays(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 2, 4, NO_PASID);

    q_write64(&q, PASID_DEV_Q_RING, 0);
    q_write64(&q, PASID_DEV_Q_COMPLETIONS, 0);
    q_write32(&q, PASID_DEV_Q_SIZE_LOG2, 0);
    admin_write32(d, PASID_DEV_QUEUE_PASID(2), PASID(3));
    g_assert_cmphex(q64(&q, PASID_DEV_Q_RING), ==, q.ring);
    g_assert_cmphex(q64(&q, PASID_DEV_Q_COMPLETIONS), ==, q.completions);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_SIZE_LOG2), ==, 4);
    g_assert_cmphex(admin32(d, PASID_DEV_QUEUE_PASID(2)), ==, 0);
    dev_stop(d);
}

static void test_properties(void)
{
    static const struct {
        const char *property, *message;
        unsigned value;
    } cases[] = {
        { "queues", "queues=0 is not in the range of 1 to 256", 0 },
        { "queues", "queues=257 is not in the range of 1 to 256", 257 },
        { "pasid-bits", "pasid-bits=0 is not in the range of 1 to 20", 0 },
        { "pasid-bits", "pasid-bits=21 is not in the range of 1 to 20", 21 },
    };
    QTestState *qts = qtest_init("-M virt -cpu max -nodefaults "
                                 "-device pcie-root-port,id=rp,chassis=1");

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        QDict *response = qtest_qmp(qts,
            "{'execute': 'device_add', 'arguments': {'driver': 'pasid-dev', "
            "'bus': 'rp', %s: %u}}", cases[i].property, cases[i].value);

        g_assert_true(qdict_haskey(response, "error"));
        g_assert_cmpstr(qdict_get_str(qdict_get_qdict(response, "error"),
                                      "desc"), ==, cases[i].message);
        qobject_unref(response);
    }
    qtest_quit(qts);
}

static void test_256_queues(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev,queues=256");
    Queue q = queue_open(d, 255, 0, NO_PASID);

    g_assert_cmpuint(run(&q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(d);
}

/* ---- Operations --------------------------------------------------------- */

static void test_operation_plain(gconstpointer data)
{
    Bench b = { .d = plain_start() };

    b.q = queue_open(b.d, 0, 3, NO_PASID);
    operation_tests[GPOINTER_TO_UINT(data)].run(&b);
    assert_nothing_left(&b);
    dev_stop(b.d);
}

/* QEMU's own SMMUv3, which knows no PASID and is in bypass after reset. */
static void test_operation_stock_smmu(gconstpointer data)
{
    Bench b = { .d = dev_start("virt,gic-version=3,iommu=smmuv3 -cpu max",
                               "-device pasid-dev") };

    b.q = queue_open(b.d, 0, 3, NO_PASID);
    operation_tests[GPOINTER_TO_UINT(data)].run(&b);
    assert_nothing_left(&b);
    dev_stop(b.d);
}

/* ---- Queues ------------------------------------------------------------- */

static void test_queue_wraps(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 1, 2, NO_PASID);
    uint64_t counter = process_alloc(d, PAGE);
    const unsigned rounds = 70000;      /* the 16-bit indices wrap, too */

    for (unsigned i = 0; i < 4; i++) {
        fill_slot(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_ATOMIC_ADD, .dst = counter, .arg = 1 });
    }
    q.tail = 0;
    for (unsigned i = 0; i < rounds; i += 4) {
        q.tail += 4;
        q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
        WAIT_FOR(q32(&q, PASID_DEV_Q_HEAD) == q.tail);
    }
    g_assert_cmpuint(qtest_readq(d->t->qts, counter), ==, rounds);
    g_assert_cmpuint(q64(&q, PASID_DEV_Q_COUNT_JOBS), ==, rounds);
    dev_stop(d);
}

static void test_tail_junk(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 1, 2, NO_PASID);
    static const uint32_t junk[] = { 5, 0xffff, 0x10000, 0xffffffff, 0x8000 };

    for (unsigned i = 0; i < ARRAY_SIZE(junk); i++) {
        q_write32(&q, PASID_DEV_Q_TAIL, junk[i]);
        assert_queue_error(&q, PASID_DEV_Q_ERROR_TAIL, 0);
        /* It takes nothing until it is enabled again. */
        q_write32(&q, PASID_DEV_Q_TAIL, q.tail + 1);
        g_assert_cmpuint(q32(&q, PASID_DEV_Q_TAIL), ==, q.tail);
        assert_queue_works(&q);
    }
    /* Back, in front of a job that is done */
    q_write32(&q, PASID_DEV_Q_TAIL, 0);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_TAIL, 0);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_illegal_set_up(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev,pasid-bits=8");
    Queue q = queue_make(d, 1, 2);
    static const struct {
        uint64_t ring, completions;
        uint32_t size_log2, pasid;
    } cases[] = {
        { 32, 0, 0, 0 }, { 1, 0, 0, 0 }, { 0, 16, 0, 0 }, { 0, 0, 14, 0 },
        { 0, 0, 0xfffffffd, 0 }, { 0, 0, 0, PASID(256) },
        { 0, 0, 0, PASID(0xfffff) },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        queue_program(&q, cases[i].pasid);
        q_write64(&q, PASID_DEV_Q_RING, q.ring + cases[i].ring);
        q_write64(&q, PASID_DEV_Q_COMPLETIONS,
                  q.completions + cases[i].completions);
        q_write32(&q, PASID_DEV_Q_SIZE_LOG2, 2 + cases[i].size_log2);
        q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
        assert_queue_error(&q, PASID_DEV_Q_ERROR_CONFIG, 0);
        q_write32(&q, PASID_DEV_Q_TAIL, 1);
        g_assert_cmpuint(q32(&q, PASID_DEV_Q_TAIL), ==, 0);
        q_write32(&q, PASID_DEV_Q_CTRL, 0);
        queue_program(&q, NO_PASID);
        assert_queue_works(&q);
        q_write32(&q, PASID_DEV_Q_CTRL, 0);
    }
    dev_stop(d);
}

/* Where -M virt has nothing at all */
#define HOLE    UINT64_C(0x1000000000000)

static void test_ring_refused(void)
{
    Dev *d = plain_start();
    Queue q = queue_make(d, 1, 2);

    queue_program(&q, NO_PASID);
    q_write64(&q, PASID_DEV_Q_RING, HOLE);
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    q_write32(&q, PASID_DEV_Q_TAIL, 1);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, HOLE);
    g_assert_cmpuint(q64(&q, PASID_DEV_Q_COUNT_ABORTS), ==, 1);
    q_write32(&q, PASID_DEV_Q_CTRL, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_record_refused(void)
{
    Dev *d = plain_start();
    Queue q = queue_make(d, 1, 2);
    uint64_t counter = process_alloc(d, PAGE);

    queue_program(&q, NO_PASID);
    q_write64(&q, PASID_DEV_Q_COMPLETIONS, HOLE);
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    fill_slot(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = counter, .arg = 1 });
    fill_slot(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = counter, .arg = 1 });
    q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_COMPLETION, HOLE);
    g_assert_cmpuint(qtest_readq(d->t->qts, counter), ==, 1);
    g_assert_cmpuint(q32(&q, PASID_DEV_Q_HEAD), ==, 0);
    q_write32(&q, PASID_DEV_Q_CTRL, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_fairness(void)
{
    Dev *d = plain_start();
    Queue longer = queue_open(d, 0, 2, NO_PASID);
    Queue other = queue_open(d, 1, 2, NO_PASID);

    submit_endless(&longer);
    for (unsigned i = 0; i < 8; i++) {
        g_assert_cmpuint(run(&other, (PasidDevDescriptor) { 0 }).status, ==,
                         PASID_DEV_DONE_OK);
        g_assert_cmphex(q32(&longer, PASID_DEV_Q_STATUS), ==,
                        PASID_DEV_Q_STATUS_ENABLED | PASID_DEV_Q_STATUS_BUSY);
    }
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, PASID_DEV_STATUS_BUSY);
    assert_queue_works(&longer);    /* the job is abandoned at once */
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, 0);
    dev_stop(d);
}

/*
 * A CPU that does nothing but read a register needs QEMU's big lock each time;
 * a job without end leaves it to others often enough.
 */
static void test_cpu_gets_in(void)
{
    static const uint32_t program[] = {
        0xd2a12000,     /* mov x0, #0x09000000      the UART */
        0xd2a82001,     /* mov x1, #0x41000000      the count */
        0xd2800002,     /* mov x2, #0 */
        0xb9401803,     /* 1: ldr w3, [x0, #0x18] */
        0x91000442,     /* add x2, x2, #1 */
        0xf9000022,     /* str x2, [x1] */
        0x17fffffd,     /* b 1b */
    };
    const uint64_t count = 0x41000000;
    g_autofree char *file = NULL;
    g_autofree char *args = NULL;
    int fd = g_file_open_tmp("pasid-dev-test-XXXXXX", &file, NULL);
    uint64_t start;
    Dev *d;
    Queue q;

    g_assert_cmpint(write(fd, program, sizeof(program)), ==, sizeof(program));
    close(fd);
    args = g_strdup_printf("-device pasid-dev -accel tcg -kernel %s", file);
    d = dev_start(PLAIN_MACHINE, args);
    d->t->next = count + PAGE;
    q = queue_open(d, 0, 2, NO_PASID);
    WAIT_FOR(qtest_readq(d->t->qts, count) > 1000);
    submit_endless(&q);
    start = qtest_readq(d->t->qts, count);
    WAIT_FOR(qtest_readq(d->t->qts, count) > start + 1000);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_BUSY, !=,
                    0);
    dev_stop(d);
    unlink(file);
}

static void test_tail_junk_in_work(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    submit_endless(&q);
    q_write32(&q, PASID_DEV_Q_TAIL, 0);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_TAIL, 0);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_reset_in_work(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    submit_endless(&q);
    admin_write32(d, PASID_DEV_CTRL, PASID_DEV_CTRL_RESET);
    g_assert_cmphex(admin32(d, PASID_DEV_CTRL), ==, 0);
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, 0);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==, 0);
    g_assert_cmphex(q64(&q, PASID_DEV_Q_RING), ==, 0);
    g_assert_cmphex(admin64(d, PASID_DEV_COUNT_BYTES), ==, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_flr_in_work(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    enable_pasids(d);
    submit_endless(&q);
    trigger_flr(d);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn,
                                    d->pasid_cap + PCI_PASID_CTRL, 2), ==, 0);
    restore_function(d);
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, 0);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==, 0);
    g_assert_cmphex(q64(&q, PASID_DEV_Q_COUNT_JOBS), ==, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_machine_reset_in_work(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    submit_endless(&q);
    qtest_system_reset(d->t->qts);
    restore_function(d);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

/* ---- DMA ---------------------------------------------------------------- */

/* A hole in memory ends the job where it starts. */
static void test_hole_in_memory(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 1, 2, NO_PASID);
    uint64_t end = SVA_RAM + 128 * MiB;
    uint64_t src = process_alloc(d, 8 * PAGE);
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_COPY, .src = src, .dst = end - 3 * PAGE - 5,
        .len = 5 * PAGE,
    };

    fill_pattern(d, src, 8 * PAGE);
    assert_completion(run(&q, desc), PASID_DEV_DONE_FAULT_WRITE, 0,
                      3 * PAGE + 5, end);
    assert_bytes(d, desc.dst, 3 * PAGE + 5, pattern_byte);
    desc.op = PASID_DEV_OP_SUM;
    desc.src = end - 1;
    desc.len = 2;
    assert_completion(run(&q, desc), PASID_DEV_DONE_FAULT_READ,
                      pattern_byte(3 * PAGE + 4), 1, end);
    desc = (PasidDevDescriptor) { .op = PASID_DEV_OP_ATOMIC_ADD, .dst = end };
    assert_completion(run(&q, desc), PASID_DEV_DONE_FAULT_WRITE, 0, 0, end);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_ABORTS), ==, 3);
    dev_stop(d);
}

static void test_pasid_needs_port(void)
{
    Dev *d = plain_start();
    Queue q = queue_make(d, 1, 2);

    enable_pasids(d);
    queue_program(&q, PASID(1));
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    q_write32(&q, PASID_DEV_Q_TAIL, 1);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, q.ring);
    dev_stop(d);
}

/* A function that may not master the bus does not, not even in mid-job. */
static void test_bus_master_off(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    submit_endless(&q);
    sva_config_write(d->t, 0, d->devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    /* The job is refused a read, and then its record */
    assert_queue_error(&q, PASID_DEV_Q_ERROR_COMPLETION, q.completions);
    queue_reopen(&q);
    submit(&q, (PasidDevDescriptor) { 0 });
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, q.ring);
    restore_function(d);
    assert_queue_works(&q);
    dev_stop(d);
}

/* What the device's own registers get from itself is refused. */
static void test_dma_to_own_bar(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);
    uint64_t tail = portal(&q, PASID_DEV_Q_TAIL);
    uint64_t src = process_alloc(d, PAGE);
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_COPY, .src = src, .dst = tail, .len = 4,
    };

    qtest_writel(d->t->qts, src, 0xffff);
    assert_completion(run(&q, desc), PASID_DEV_DONE_FAULT_WRITE, 0, 0, tail);
    desc.src = d->bar;
    desc.dst = src;
    assert_completion(run(&q, desc), PASID_DEV_DONE_FAULT_READ, 0, 0, d->bar);
    desc.src = src;
    desc.dst = d->msix;
    assert_completion(run(&q, desc), PASID_DEV_DONE_FAULT_WRITE, 0, 0, d->msix);
    dev_stop(d);
}

/*
 * DMA to the device's own configuration space: an FLR out of the middle of a
 * job, which is then no more.
 */
static void test_dma_triggers_flr(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);
    unsigned express = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    uint64_t src = process_alloc(d, PAGE);

    qtest_writew(d->t->qts, src, PCI_EXP_DEVCTL_BCR_FLR);
    submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = src, .len = 2,
        .dst = UINT64_C(0x4010000000) + (d->devfn << 12) + express +
               PCI_EXP_DEVCTL });
    WAIT_FOR(sva_config_read(d->t, 0, d->devfn, PCI_COMMAND, 2) == 0);
    restore_function(d);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==, 0);
    g_assert_cmpuint(record_at(&q, 0).status, ==, PASID_DEV_DONE_PENDING);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

/* To another device's registers it may: here, this one's sibling. */
static void test_dma_to_registers(void)
{
    Dev *d = dev_start(PLAIN_MACHINE,
                       "-device pasid-dev -device pasid-dev,addr=5");
    Dev other = *d;
    Queue q, theirs = { .d = &other, .n = 7 };
    uint64_t src = process_alloc(d, PAGE);

    other.devfn = 5 << 3;
    other.bar = sva_enable_bar(d->t, 0, other.devfn, PASID_DEV_BAR);
    q = queue_open(d, 0, 2, NO_PASID);
    qtest_writeq(d->t->qts, src, 0x1234567890abcd40);
    assert_completion(run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = src, .len = 8,
        .dst = portal(&theirs, PASID_DEV_Q_RING) }),
        PASID_DEV_DONE_OK, 0, 8, 0);
    g_assert_cmphex(q64(&theirs, PASID_DEV_Q_RING), ==, 0x1234567890abcd40);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BOUNCED), ==, 8);
    dev_stop(d);
}

/* ---- Interrupts --------------------------------------------------------- */

static void test_irq(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 3, 2, NO_PASID);
    uint64_t word = arm_vector(d, 3, false);
    PasidDevDescriptor desc = { .op = PASID_DEV_OP_NOP };

    run(&q, desc);
    g_assert_cmphex(qtest_readl(d->t->qts, word), ==, 0);
    desc.flags = PASID_DEV_DESC_IRQ;
    run(&q, desc);
    WAIT_FOR(qtest_readl(d->t->qts, word) == VECTOR_DATA(3));
    /* An illegal descriptor that asks for it interrupts, too */
    qtest_writel(d->t->qts, word, 0);
    desc.op = 255;
    run(&q, desc);
    WAIT_FOR(qtest_readl(d->t->qts, word) == VECTOR_DATA(3));
    /* Not when the queue's interrupt is off */
    qtest_writel(d->t->qts, word, 0);
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    run(&q, desc);
    WAIT_FOR(q32(&q, PASID_DEV_Q_HEAD) == q.tail);
    g_assert_cmphex(qtest_readl(d->t->qts, word), ==, 0);
    dev_stop(d);
}

static void test_irq_on_error(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 7, 2, NO_PASID);
    uint64_t word = arm_vector(d, 7, false);

    q_write32(&q, PASID_DEV_Q_TAIL, 0xffff);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_TAIL, 0);
    g_assert_cmphex(qtest_readl(d->t->qts, word), ==, VECTOR_DATA(7));
    dev_stop(d);
}

static void test_irq_masked(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);
    uint64_t word = arm_vector(d, 0, true);

    run(&q, (PasidDevDescriptor) { .flags = PASID_DEV_DESC_IRQ });
    WAIT_FOR(q32(&q, PASID_DEV_Q_HEAD) == q.tail);
    g_assert_cmphex(qtest_readl(d->t->qts, word), ==, 0);
    qtest_writel(d->t->qts, d->msix + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    g_assert_cmphex(qtest_readl(d->t->qts, word), ==, VECTOR_DATA(0));
    dev_stop(d);
}

/* ---- Power, and a link that is not there -------------------------------- */

/* In D3hot the registers are out of reach and no access is made. */
static void test_power_states(void)
{
    Dev *d = plain_start();
    unsigned pm = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_PM);
    uint64_t copy = process_alloc(d, PAGE);
    Queue q = queue_open(d, 0, 2, NO_PASID);
    unsigned index;

    g_assert_cmpuint(pm, !=, 0);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, pm + PCI_PM_PMC, 2), ==,
                    3);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, pm + PCI_PM_CTRL, 2),
                    ==, PCI_PM_CTRL_NO_SOFT_RESET);
    assert_queue_works(&q);

    /* Work that is due when the function falls asleep finds no memory. */
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = copy, .len = 8, .arg = -1 });
    sva_config_write(d->t, 0, d->devfn, pm + PCI_PM_CTRL, 2, 3);
    g_assert_cmphex(admin32(d, PASID_DEV_MAGIC), !=, PASID_DEV_MAGIC_VALUE);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    sva_config_write(d->t, 0, d->devfn, pm + PCI_PM_CTRL, 2, 0);
    g_assert_cmphex(admin32(d, PASID_DEV_MAGIC), ==, PASID_DEV_MAGIC_VALUE);
    WAIT_FOR(q32(&q, PASID_DEV_Q_ERROR));
    g_assert_cmpuint(q32(&q, PASID_DEV_Q_ERROR), ==, PASID_DEV_Q_ERROR_RING);
    g_assert_cmpuint(record_at(&q, index).status, ==, PASID_DEV_DONE_PENDING);
    assert_bytes(d, copy, 8, zero_byte);
    queue_reopen(&q);
    assert_queue_works(&q);
    dev_stop(d);
}

/* An integrated endpoint's link registers are 0, and stay so. */
static void test_no_link(void)
{
    Dev *d = plain_start();
    unsigned cap = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    static const uint8_t registers[] = { PCI_EXP_LNKCAP, PCI_EXP_LNKCTL,
                                         PCI_EXP_LNKCAP2, PCI_EXP_LNKCTL2 };

    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        sva_config_write(d->t, 0, d->devfn, cap + registers[i], 4, UINT32_MAX);
        g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, cap + registers[i],
                                        4), ==, 0);
    }
    dev_stop(d);
}

/* ---- Memory that changes meanwhile --------------------------------------- */

typedef struct Toggler {
    uint8_t *byte;
    bool stop;
} Toggler;

/* A CPU of the guest that writes while the device reads. */
static gpointer toggle(gpointer data)
{
    Toggler *toggler = data;

    while (!qatomic_read(&toggler->stop)) {
        qatomic_set(toggler->byte, !qatomic_read(toggler->byte));
    }
    return NULL;
}

/*
 * Two ranges of zeros, followed by more of them; a byte near the end of one
 * changes all the time. The answer is either that they are equal or that they
 * differ there, and never more than was asked for.
 */
static void test_compare_while_memory_changes(void)
{
    const uint64_t ram = SVA_RAM, bytes = 64 * KiB, at = bytes - 3;
    g_autofree char *path = NULL, *args = NULL;
    int fd = g_file_open_tmp("sva-ram-XXXXXX", &path, NULL);
    Toggler toggler = { 0 };
    uint64_t src, dst;
    uint8_t *memory;
    GThread *thread;
    Dev *d;
    Queue q;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, 128 * MiB), ==, 0);
    memory = mmap(NULL, 128 * MiB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(memory != MAP_FAILED);
    args = g_strdup_printf("-object memory-backend-file,id=ram,size=128M,"
                           "share=on,mem-path=%s -machine memory-backend=ram "
                           "-device pasid-dev", path);
    d = dev_start(PLAIN_MACHINE, args);
    q = queue_open(d, 0, 3, NO_PASID);
    src = process_alloc(d, 2 * bytes);
    dst = process_alloc(d, 2 * bytes);
    toggler.byte = memory + (dst - ram) + at;
    thread = g_thread_new("toggler", toggle, &toggler);
    for (unsigned i = 0; i < 1000; i++) {
        PasidDevCompletion c = run(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COMPARE, .src = src, .dst = dst,
            .len = bytes });

        if (c.status == PASID_DEV_DONE_MISMATCH) {
            assert_completion(c, PASID_DEV_DONE_MISMATCH, at, at, 0);
        } else {
            assert_completion(c, PASID_DEV_DONE_OK, bytes, bytes, 0);
        }
    }
    qatomic_set(&toggler.stop, true);
    g_thread_join(thread);
    dev_stop(d);
    munmap(memory, 128 * MiB);
    close(fd);
    unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/registers/identity", test_identity);
    g_test_add_func("/pasid-dev/registers/wide-ones-by-halves", test_halves);
    g_test_add_func("/pasid-dev/registers/junk-is-survived", test_junk);
    g_test_add_func("/pasid-dev/registers/set-up-stays-while-enabled",
                    test_set_up_stays);
    g_test_add_func("/pasid-dev/function/capabilities", test_capabilities);
    g_test_add_func("/pasid-dev/function/properties-in-range",
                    test_properties);
    g_test_add_func("/pasid-dev/function/256-queues", test_256_queues);
    add_operations("no-iommu", test_operation_plain);
    add_operations("stock-smmu", test_operation_stock_smmu);
    g_test_add_func("/pasid-dev/queue/wraps", test_queue_wraps);
    g_test_add_func("/pasid-dev/queue/tail-junk", test_tail_junk);
    g_test_add_func("/pasid-dev/queue/tail-junk-in-work",
                    test_tail_junk_in_work);
    g_test_add_func("/pasid-dev/queue/illegal-set-up", test_illegal_set_up);
    g_test_add_func("/pasid-dev/queue/ring-refused", test_ring_refused);
    g_test_add_func("/pasid-dev/queue/record-refused", test_record_refused);
    g_test_add_func("/pasid-dev/queue/long-jobs-hold-up-nobody",
                    test_fairness);
    g_test_add_func("/pasid-dev/queue/long-jobs-let-cpus-in",
                    test_cpu_gets_in);
    g_test_add_func("/pasid-dev/queue/reset-in-work", test_reset_in_work);
    g_test_add_func("/pasid-dev/queue/flr-in-work", test_flr_in_work);
    g_test_add_func("/pasid-dev/queue/machine-reset-in-work",
                    test_machine_reset_in_work);
    g_test_add_func("/pasid-dev/dma/hole-in-memory", test_hole_in_memory);
    g_test_add_func("/pasid-dev/dma/pasid-needs-a-port",
                    test_pasid_needs_port);
    g_test_add_func("/pasid-dev/dma/bus-master-off", test_bus_master_off);
    g_test_add_func("/pasid-dev/dma/own-registers-are-refused",
                    test_dma_to_own_bar);
    g_test_add_func("/pasid-dev/dma/triggers-its-own-flr",
                    test_dma_triggers_flr);
    g_test_add_func("/pasid-dev/dma/to-anothers-registers",
                    test_dma_to_registers);
    g_test_add_func("/pasid-dev/irq/on-completion", test_irq);
    g_test_add_func("/pasid-dev/irq/on-error", test_irq_on_error);
    g_test_add_func("/pasid-dev/irq/masked-stays-pending", test_irq_masked);
    /* In D3hot nothing shows whether a thread has had its turn. */
    if (!sva_is_in_thread()) {
        g_test_add_func("/pasid-dev/function/power-states", test_power_states);
    }
    g_test_add_func("/pasid-dev/function/no-link-registers", test_no_link);
    g_test_add_func("/pasid-dev/compare/memory-that-changes",
                    test_compare_while_memory_changes);

    return g_test_run();
}
