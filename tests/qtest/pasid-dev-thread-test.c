/*
 * What only a pasid-dev with an IOThread can get wrong: who waits for whom, what
 * comes when, whose thread it is. That everything else holds there, too, the
 * other tests show, which are run once more in a thread. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/crc32c.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-rig.h"

/* Once is enough: the thread is in the arguments. */
#undef g_test_add_func

#define THREAD          "-object iothread,id=io "
#define DOWNSTREAM_PORT "-device pcie-root-port,id=rp,chassis=1,addr=4 "

static Dev *thread_start(void)
{
    return dev_start("virt-sva", THREAD "-device pasid-dev,iothread=io");
}

/* ---- CMD_SYNC ----------------------------------------------------------- */

/*
 * A range of the process whose pages are all one page, and that one entry of a
 * table above makes appear and disappear.
 */
typedef struct Window {
    uint64_t va, page;
    uint64_t entry, descriptor;
} Window;

enum { WINDOW_PAGES = 128 };
#define WINDOW_VA   UINT64_C(0x200000000000)

static Window window_open(Dev *d)
{
    Window w = { .va = WINDOW_VA, .page = sva_alloc(d->t, PAGE, PAGE) };
    uint64_t leaves[WINDOW_PAGES], leaf, table = d->root;

    sva_map(d->t, d->root, w.va, w.page, PAGE, 0);
    leaf = sva_leaf_address(d->t, d->root, w.va);
    for (unsigned i = 0; i < WINDOW_PAGES; i++) {
        leaves[i] = cpu_to_le64(qtest_readq(d->t->qts, leaf));
    }
    sva_bufwrite(d->t, leaf, leaves, sizeof(leaves));
    for (int level = 0; level < 3; level++) {
        w.entry = table + (w.va >> (39 - 9 * level) & 511) * 8;
        w.descriptor = qtest_readq(d->t->qts, w.entry);
        table = w.descriptor & 0xfffffffff000;
    }
    return w;
}

static void window_appears(Dev *d, Window *w)
{
    qtest_writeq(d->t->qts, w->entry, w->descriptor);
}

static void window_disappears(Dev *d, Window *w)
{
    qtest_writeq(d->t->qts, w->entry, 0);
    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(d->t);
}

static uint8_t mark(uint64_t i)
{
    return 0xa5;
}

/* The job is over, or goes on after its stall. */
static void finish(Queue *q, unsigned index)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    while (record_at(q, index).status == PASID_DEV_DONE_PENDING) {
        if (sva_event(q->d->t, event)) {
            resume(q->d, smmu3_get(event, EVENT_STAG), RETRY);
        }
    }
    g_assert_cmpuint(record_at(q, index).status, ==, PASID_DEV_DONE_OK);
}

/*
 * The thread writes all the time to a page that software takes away: unmap,
 * invalidate, CMD_SYNC. Then the page is software's, and what it writes stays.
 */
static void test_sync(void)
{
    Dev *d = process_start_with(",iothread=io " THREAD);
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    Window w = window_open(d);

    for (unsigned i = 0; i < 2000; i++) {
        unsigned index;

        qtest_memset(d->t->qts, w.page, 0, PAGE);
        index = submit(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = w.va, .len = WINDOW_PAGES * PAGE,
            .arg = 0x0101010101010101 });
        WAIT_FOR(qtest_readb(d->t->qts, w.page + i % PAGE));
        window_disappears(d, &w);
        qtest_memset(d->t->qts, w.page, mark(0), PAGE);
        assert_bytes(d, w.page, PAGE, mark);
        assert_bytes(d, w.page, PAGE, mark);
        window_appears(d, &w);
        finish(&q, index);
    }
    dev_stop(d);
}

static uint16_t any_stall(Dev *d)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    WAIT_FOR(sva_event(d->t, event));
    g_assert_cmpuint(smmu3_get(event, EVENT_STALL), ==, 1);
    return smmu3_get(event, EVENT_STAG);
}

/*
 * The same of what is read, for which one step takes long: a checksum over 256
 * KiB of one block. What software writes after the CMD_SYNC is in no checksum.
 */
enum { BLOCKS = 32, BLOCK_BYTES = 2 << 20 };

/* The level-2 descriptors of WINDOW_VA, each of which maps the @block. */
static void map_blocks(Dev *d, uint64_t entries, uint64_t block,
                       uint64_t attributes)
{
    uint64_t descriptors[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++) {
        descriptors[i] = cpu_to_le64(block ? block | attributes : 0);
    }
    qtest_bufwrite(d->t->qts, entries, descriptors, sizeof(descriptors));
}

static void test_sync_reads(void)
{
    enum { PAGE_ADDRESS = 0xfffff000, TYPE = 3, TYPE_BLOCK = 1, ROUNDS = 60 };
    Dev *d = process_start_with(",iothread=io " THREAD);
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    Window w = window_open(d);
    uint64_t block = sva_alloc(d->t, BLOCK_BYTES, BLOCK_BYTES);
    uint64_t leaf = qtest_readq(d->t->qts,
                                sva_leaf_address(d->t, d->root, WINDOW_VA));
    uint64_t attributes = (leaf & ~(uint64_t)(PAGE_ADDRESS | TYPE)) |
                          TYPE_BLOCK;
    g_autofree uint8_t *zeroes = g_malloc0(BLOCKS * BLOCK_BYTES);

    for (unsigned i = 0; i < ROUNDS; i++) {
        PasidDevCompletion c;
        unsigned index;

        qtest_memset(d->t->qts, block, 0, BLOCK_BYTES);
        map_blocks(d, w.entry, block, attributes);
        index = submit(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_CRC32C, .src = w.va,
            .len = BLOCKS * BLOCK_BYTES });
        WAIT_FOR(q32(&q, PASID_DEV_Q_IN_WORK));
        map_blocks(d, w.entry, 0, 0);
        sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
        sva_sync(d->t);
        qtest_memset(d->t->qts, block, mark(0), BLOCK_BYTES);
        /* Refused, it says how far it came. */
        resume(d, any_stall(d), ABORT);
        c = wait_for(&q, index);
        g_assert_cmpuint(c.status, ==, PASID_DEV_DONE_FAULT_READ);
        g_assert_cmphex(c.result, ==, crc32c(~0u, zeroes, c.progress));
    }
    dev_stop(d);
}

/* ---- Atomics ------------------------------------------------------------ */

/*
 * Two devices in threads of their own add to the same words, by batches so that
 * they do little else: none of 100,000 additions is lost, of 8 bytes and of 4. One
 * that is made of a load and a store loses some in one round of ten or less, on a
 * host that has much else to do: hence the rounds.
 */
static void test_fetch_add(void)
{
    enum { ADDS = 1000, BATCHES = 50, WORDS = 2, ROUNDS = 40 };
    Dev *d[2] = { dev_start(PLAIN_MACHINE, "-object iothread,id=io1 "
                            "-device pasid-dev,iothread=io1,addr=3 "
                            "-object iothread,id=io2 "
                            "-device pasid-dev,iothread=io2,addr=4") };
    g_autofree PasidDevDescriptor *adds = g_new0(PasidDevDescriptor, ADDS);
    Dev second = *d[0];
    uint64_t list, words, records[2];
    Queue q[2];

    second.devfn = 4 << 3;
    second.bar = sva_enable_bar(second.t, 0, second.devfn, PASID_DEV_BAR);
    d[1] = &second;
    words = process_alloc(d[0], PAGE);
    list = process_alloc(d[0], ADDS * sizeof(*adds));
    for (unsigned i = 0; i < ADDS; i++) {
        adds[i] = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FETCH_ADD, .arg = cpu_to_le64(1),
            .dst = cpu_to_le64(words + i % WORDS * 64),
            .len = cpu_to_le64(i % WORDS ? 4 : 8) };
    }
    qtest_bufwrite(d[0]->t->qts, list, adds, ADDS * sizeof(*adds));
    for (unsigned n = 0; n < 2; n++) {
        q[n] = queue_open(d[n], 0, 6, NO_PASID);
        records[n] = process_alloc(d[0], ADDS * sizeof(PasidDevCompletion));
    }
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned n = 0; n < 2; n++) {
            for (unsigned i = 0; i < BATCHES; i++) {
                fill_slot(&q[n], (PasidDevDescriptor) {
                    .op = PASID_DEV_OP_BATCH, .src = list, .dst = records[n],
                    .len = ADDS });
            }
        }
        for (unsigned n = 0; n < 2; n++) {
            q_write32(&q[n], PASID_DEV_Q_TAIL, q[n].tail);
        }
        for (unsigned n = 0; n < 2; n++) {
            g_assert_cmpuint(wait_for(&q[n], q[n].tail - 1).status, ==,
                             PASID_DEV_DONE_OK);
        }
        for (unsigned i = 0; i < WORDS; i++) {
            g_assert_cmpuint(qtest_readq(d[0]->t->qts, words + i * 64), ==,
                             round * 2 * BATCHES * ADDS / WORDS);
        }
    }
    dev_stop(d[0]);
}

/* ---- The big lock ------------------------------------------------------- */

enum { DOORBELLS = 100 };

static unsigned ring_doorbell(Queue *q, Queue *other, uint16_t tail)
{
    return fill_slot(q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = portal(other, PASID_DEV_Q_TAIL),
        .len = 4, .arg = tail });
}

static Dev *two_start(Dev *other)
{
    Dev *d = dev_start("virt-sva", THREAD "-object iothread,id=io2 "
                       "-device pasid-dev,iothread=io,addr=4 "
                       "-device pasid-dev,iothread=io2,addr=5");

    *other = *d;
    other->devfn = 5 << 3;
    other->bar = sva_enable_bar(d->t, 0, other->devfn, PASID_DEV_BAR);
    return d;
}

/* Each job of one device is the other's doorbell: neither waits for the other. */
static void test_doorbells(void)
{
    Dev other, *d = two_start(&other);
    Queue a = queue_open(d, 0, 7, NO_PASID);
    Queue b = queue_make(d, 0, 7);

    b.d = &other;
    queue_program(&b, NO_PASID);
    q_write32(&b, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    for (unsigned i = 0; i < DOORBELLS; i++) {
        ring_doorbell(&a, &b, i + 1);
        ring_doorbell(&b, &a, MIN(i + 2, DOORBELLS));
    }
    q_write32(&a, PASID_DEV_Q_TAIL, 1);
    for (unsigned i = 0; i < DOORBELLS; i++) {
        assert_completion(wait_for(&a, i), PASID_DEV_DONE_OK, 0, 4, 0);
        assert_completion(wait_for(&b, i), PASID_DEV_DONE_OK, 0, 4, 0);
    }
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BOUNCED), ==, 4 * DOORBELLS);
    dev_stop(d);
}

/* Two at once, in one memory. */
static void test_two_devices(void)
{
    enum { BYTES = 1 << 20, JOBS = 32 };
    Dev other, *d = two_start(&other);
    Queue a = queue_open(d, 0, 5, NO_PASID);
    Queue b = queue_make(d, 0, 5);
    uint64_t src = process_alloc(d, BYTES), dst[2];

    b.d = &other;
    queue_program(&b, NO_PASID);
    q_write32(&b, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    fill_pattern(d, src, BYTES);
    for (unsigned i = 0; i < 2; i++) {
        dst[i] = process_alloc(d, BYTES);
    }
    for (unsigned i = 0; i < JOBS; i++) {
        PasidDevDescriptor copy = {
            .op = PASID_DEV_OP_COPY, .src = src, .len = BYTES,
        };

        copy.dst = dst[0];
        submit(&a, copy);
        copy.dst = dst[1];
        submit(&b, copy);
    }
    for (unsigned i = 0; i < JOBS; i++) {
        assert_completion(wait_for(&a, i), PASID_DEV_DONE_OK, 0, BYTES, 0);
        assert_completion(wait_for(&b, i), PASID_DEV_DONE_OK, 0, BYTES, 0);
    }
    assert_bytes(d, dst[0], BYTES, pattern_byte);
    assert_bytes(d, dst[1], BYTES, pattern_byte);
    dev_stop(d);
}

/*
 * A step that has to be made again in the main loop counts once: a descriptor,
 * 8 bytes read and written, a record. The no-op is the main loop's, as the first
 * job of all.
 */
static void test_counts_once(void)
{
    Dev other, *d = two_start(&other);
    Queue q = queue_open(d, 0, 2, NO_PASID);
    Queue theirs = { .d = &other, .n = 7 };
    uint64_t bytes;

    run(&q, (PasidDevDescriptor) { 0 });
    WAIT_FOR(q32(&q, PASID_DEV_Q_HEAD) == q.tail);
    bytes = admin64(d, PASID_DEV_COUNT_BYTES);
    assert_completion(run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = process_alloc(d, PAGE), .len = 8,
        .dst = portal(&theirs, PASID_DEV_Q_RING) }),
        PASID_DEV_DONE_OK, 0, 8, 0);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BYTES) - bytes, ==,
                     sizeof(PasidDevDescriptor) + 8 + 8 +
                     sizeof(PasidDevCompletion));
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BOUNCED), ==, 8);
    dev_stop(d);
}

/* Who reads that a job is done has had its interrupt. */
static void test_interrupt_order(void)
{
    Dev *d = thread_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);
    uint64_t word = arm_vector(d, 0, false);

    for (unsigned i = 0; i < 1000; i++) {
        qtest_writel(d->t->qts, word, 0);
        submit(&q, (PasidDevDescriptor) { .flags = PASID_DEV_DESC_IRQ });
        WAIT_FOR(q32(&q, PASID_DEV_Q_HEAD) == q.tail);
        g_assert_cmphex(qtest_readl(d->t->qts, word), ==, VECTOR_DATA(0));
    }
    dev_stop(d);
}

/* ---- Life --------------------------------------------------------------- */

/* A stopped machine's memory and registers stand still. */
static void test_stop(void)
{
    enum { BYTES = 1 << 20, JOBS = 500 };
    Dev *d = thread_start();
    Queue q = queue_open(d, 0, 9, NO_PASID);
    uint64_t dst = process_alloc(d, BYTES), bytes;
    g_autofree uint8_t *before = g_malloc(BYTES), *after = g_malloc(BYTES);

    for (unsigned i = 0; i < JOBS; i++) {
        fill_slot(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = dst, .len = BYTES,
            .arg = i * 0x0101010101010101 + 1 });
    }
    q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
    WAIT_FOR(qtest_readb(d->t->qts, dst));
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    bytes = admin64(d, PASID_DEV_COUNT_BYTES);
    sva_bufread(d->t, dst, before, BYTES);
    sva_bufread(d->t, dst, after, BYTES);
    g_assert_cmpmem(before, BYTES, after, BYTES);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BYTES), ==, bytes);
    g_assert_cmphex(admin32(d, PASID_DEV_STATUS), ==, PASID_DEV_STATUS_BUSY);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    assert_completion(wait_for(&q, JOBS - 1), PASID_DEV_DONE_OK, 0, BYTES, 0);
    dev_stop(d);
}

/* Pulled out while the thread works. */
static void test_unplug(void)
{
    Dev *d = g_new0(Dev, 1);
    unsigned slot;
    Queue q;

    d->t = sva_start(THREAD DOWNSTREAM_PORT
                     "-device pasid-dev,bus=rp,id=accel,iothread=io");
    sva_enable_bridge(d->t, 0, 4 << 3, 1);
    d->bus = 1;
    find_device(d);
    q = queue_open(d, 0, 2, NO_PASID);
    submit_endless(&q);
    slot = sva_find_cap(d->t, 0, 4 << 3, PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
    sva_config_write(d->t, 0, 4 << 3, slot, 2, PCI_EXP_SLTCTL_PWR_IND_ON);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'device_del', "
                             "'arguments': {'id': 'accel'}}");
    sva_config_write(d->t, 0, 4 << 3, slot, 2,
                     PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    /* The thread is nobody's now. */
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'object-del', "
                             "'arguments': {'id': 'io'}}");
    dev_stop(d);
}

/* The device has its thread as long as it lives. */
static void test_object_del(void)
{
    Dev *d = thread_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    qtest_qmp_assert_success(d->t->qts, "{'execute': 'object-del', "
                             "'arguments': {'id': 'io'}}");
    assert_queue_works(&q);
    dev_stop(d);
}

static void assert_refused(Dev *d, const char *iothread, const char *why)
{
    QDict *response = qtest_qmp(d->t->qts,
        "{'execute': 'device_add', 'arguments': {'driver': 'pasid-dev', "
        "'bus': 'rp', 'iothread': %s}}", iothread);
    const char *said = qdict_get_str(qdict_get_qdict(response, "error"),
                                     "desc");

    if (!strstr(said, why)) {
        g_error("\"%s\" has no \"%s\"", said, why);
    }
    qobject_unref(response);
}

static void test_bad_names(void)
{
    Dev *d = dev_start("virt-sva", "-device pasid-dev " DOWNSTREAM_PORT);

    assert_refused(d, "nobody", "'nobody' not found");
    assert_refused(d, "rp", "expected: iothread");
    dev_stop(d);
}

/* ---- QEMU's own IOMMU -------------------------------------------------- */

/*
 * It records what it refuses and raises its interrupt, in whatever thread it is
 * asked; the interrupt controller wants the big lock for that.
 */
static void test_stock_smmu(void)
{
    static const PasidDevDescriptor jobs[] = {
        { 0 }, { .op = PASID_DEV_OP_PROBE },
    };
    Dev *d = dev_start("virt,gic-version=3,iommu=smmuv3 -cpu max",
                       THREAD "-device pasid-dev,iothread=io");
    uint64_t ste[SMMU3_STE_WORDS] = { 0 }, event[SMMU3_EVENT_WORDS];
    Queue q;

    sva_gic_init(d->t);
    sva_smmu_enable(d->t);
    sva_ste_bypass(d->t, d->devfn);
    q = queue_open(d, 0, 2, NO_PASID);
    for (unsigned i = 0; i < ARRAY_SIZE(jobs); i++) {
        g_assert_cmpuint(run(&q, jobs[i]).status, ==, PASID_DEV_DONE_OK);
    }
    queue_reopen(&q);
    sva_set_ste(d->t, d->devfn, ste);
    for (unsigned i = 0; i < 100; i++) {
        submit(&q, (PasidDevDescriptor) { 0 });
        assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, q.ring);
        g_assert_true(sva_take_irq(d->t, SVA_SMMU_INTID));
        g_assert_true(sva_event(d->t, event));
        while (sva_event(d->t, event)) {
            /* QEMU has more than one for an access. */
        }
        queue_reopen(&q);
    }
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/pasid-dev/thread/" path, fn)
    TEST("sync", test_sync);
    TEST("sync-reads", test_sync_reads);
    TEST("fetch-add", test_fetch_add);
    TEST("doorbells", test_doorbells);
    TEST("two-devices", test_two_devices);
    TEST("counts-once", test_counts_once);
    TEST("interrupt-order", test_interrupt_order);
    TEST("stop", test_stop);
    TEST("unplug", test_unplug);
    TEST("object-del", test_object_del);
    TEST("bad-names", test_bad_names);
    TEST("stock-smmu", test_stock_smmu);
#undef TEST
    return g_test_run();
}
