/*
 * pasid-dev's batches, atomics, probes and lists of segments where pages are
 * missing, forbidden or changed under them. What they do where nothing of the
 * kind happens is in pasid-dev-operations.c. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"

/* A process and its queue */
static Bench bench_start(const char *properties)
{
    Bench b = { .d = process_start_with(properties) };

    b.q = queue_open(b.d, 0, 3, PASID(THE_PASID));
    return b;
}

/* A page of the process that it may only read */
static uint64_t read_only_page(Dev *d)
{
    uint64_t page = process_alloc(d, PAGE);

    unmap(d, page, PAGE);
    sva_map(d->t, d->root, va(d, page), page, PAGE, SVA_MAP_RO);
    return page;
}

/* ---- Batches ------------------------------------------------------------ */

typedef struct Batch {
    Bench b;
    uint64_t list, records;         /* pa */
    PasidDevDescriptor desc;
} Batch;

/* @count descriptors that each add 1 to a word of a page of their own */
static Batch batch_make(Bench b, unsigned count, uint64_t pages)
{
    Batch batch = {
        .b = b,
        .list = process_alloc(b.d, count * sizeof(PasidDevDescriptor)),
        .records = process_alloc(b.d, count * sizeof(PasidDevCompletion)),
    };

    for (unsigned i = 0; i < count; i++) {
        PasidDevDescriptor desc = {
            .op = PASID_DEV_OP_FETCH_ADD, .len = cpu_to_le64(8),
            .tag = cpu_to_le32(i), .arg = cpu_to_le64(1),
            .dst = cpu_to_le64(va(b.d, pages + i * PAGE)) };

        qtest_memwrite(b.d->t->qts, batch.list + i * sizeof(desc), &desc,
                       sizeof(desc));
    }
    batch.desc = (PasidDevDescriptor) {
        .op = PASID_DEV_OP_BATCH, .src = va(b.d, batch.list),
        .dst = va(b.d, batch.records), .len = count };
    return batch;
}

static PasidDevCompletion member_record(Batch *batch, unsigned i)
{
    Queue inner = {
        .d = batch->b.d, .completions = batch->records, .size_log2 = 15 };

    return record_at(&inner, i);
}

/* As many as there may be, none more than once, wherever it stalls */
static void test_batch_stalls(void)
{
    Bench b = bench_start("");
    const unsigned count = 8;
    uint64_t pages = process_alloc(b.d, count * PAGE);
    Batch batch = batch_make(b, count, pages);
    unsigned index;
    uint16_t stag;

    unmap(b.d, pages + 3 * PAGE, PAGE);
    unmap(b.d, batch.list, PAGE);
    unmap(b.d, batch.records, PAGE);
    index = submit(&b.q, batch.desc);

    stag = next_stall(b.d, va(b.d, batch.list));
    map(b.d, batch.list, PAGE);
    resume(b.d, stag, RETRY);
    stag = next_stall(b.d, va(b.d, batch.records));
    g_assert_cmpuint(word_at(b.d, pages, 0), ==, 1);
    map(b.d, batch.records, PAGE);
    resume(b.d, stag, RETRY);
    stag = next_stall(b.d, va(b.d, pages + 3 * PAGE));
    g_assert_cmpuint(member_record(&batch, 2).status, ==, PASID_DEV_DONE_OK);
    g_assert_cmpuint(member_record(&batch, 3).status, ==,
                     PASID_DEV_DONE_PENDING);
    map(b.d, pages + 3 * PAGE, PAGE);
    resume(b.d, stag, RETRY);
    assert_completion(wait_for(&b.q, index), PASID_DEV_DONE_OK, count, count,
                      0);
    for (unsigned i = 0; i < count; i++) {
        g_assert_cmpuint(word_at(b.d, pages + i * PAGE, 0), ==, 1);
        g_assert_cmpuint(member_record(&batch, i).tag, ==, i);
    }
    dev_stop(b.d);
}

static void test_longest_batch(void)
{
    Bench b = bench_start("");
    const unsigned count = PASID_DEV_MAX_BATCH;
    uint64_t pages = process_alloc(b.d, count * PAGE);
    Batch batch = batch_make(b, count, pages);

    assert_completion(run(&b.q, batch.desc), PASID_DEV_DONE_OK, count, count,
                      0);
    g_assert_cmpuint(word_at(b.d, pages + (count - 1) * PAGE, 0), ==, 1);
    g_assert_cmpuint(member_record(&batch, count - 1).tag, ==, count - 1);
    dev_stop(b.d);
}

static void test_batch_refused(void)
{
    Bench b = bench_start(",can-stall=off");
    const unsigned count = 130;     /* descriptors in three pages */
    uint64_t pages = process_alloc(b.d, count * PAGE);
    Batch batch = batch_make(b, count, pages);

    /* A job of it is refused, and has a record that says so. */
    unmap(b.d, pages + 3 * PAGE, PAGE);
    assert_completion(run(&b.q, batch.desc), PASID_DEV_DONE_SOME_FAILED,
                      count - 1, count, 0);
    assert_completion(member_record(&batch, 3), PASID_DEV_DONE_FAULT_WRITE, 0,
                      0, va(b.d, pages + 3 * PAGE));
    assert_completion(member_record(&batch, 4), PASID_DEV_DONE_OK, 0, 8, 0);
    /* A descriptor */
    unmap(b.d, batch.list + PAGE, PAGE);
    assert_completion(run(&b.q, batch.desc), PASID_DEV_DONE_FAULT_READ, 63, 64,
                      va(b.d, batch.list + PAGE));
    /* A record: its job was done. */
    unmap(b.d, batch.records, PAGE);
    assert_completion(run(&b.q, batch.desc), PASID_DEV_DONE_FAULT_WRITE, 0, 0,
                      va(b.d, batch.records));
    g_assert_cmpuint(word_at(b.d, pages, 0), ==, 3);
    g_assert_cmpuint(word_at(b.d, pages + PAGE, 0), ==, 2);
    dev_stop(b.d);
}

/* ---- Atomics ------------------------------------------------------------ */

static void test_atomic_stalls(void)
{
    Bench b = bench_start("");
    uint64_t page = process_alloc(b.d, PAGE);
    unsigned index;
    uint16_t stag;

    qtest_writeq(b.d->t->qts, page + 8, 5);
    unmap(b.d, page, PAGE);
    index = submit(&b.q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_CAS, .dst = va(b.d, page + 8), .len = 8,
        .arg = 6, .arg2 = 7 });
    stag = expect_stall(&b.q, va(b.d, page + 8), true);
    qtest_writeq(b.d->t->qts, page + 8, 6);
    map(b.d, page, PAGE);
    resume(b.d, stag, RETRY);
    assert_completion(wait_for(&b.q, index), PASID_DEV_DONE_OK, 6, 8, 0);
    g_assert_cmpuint(word_at(b.d, page, 1), ==, 7);
    dev_stop(b.d);
}

static void test_atomic_refused(void)
{
    static const uint8_t ops[] = {
        PASID_DEV_OP_FETCH_ADD, PASID_DEV_OP_SWAP, PASID_DEV_OP_CAS,
        PASID_DEV_OP_CAS16 };
    Bench b = bench_start(",can-stall=off");
    uint64_t page = read_only_page(b.d);

    map(b.d, b.d->msix, PAGE);
    for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
        PasidDevDescriptor desc = {
            .op = ops[i], .dst = va(b.d, page),
            .len = ops[i] == PASID_DEV_OP_CAS16 ? 16 : 8, .arg = 1 };

        if (!(admin64(b.d, PASID_DEV_OPS) & 1ull << ops[i])) {
            continue;
        }
        assert_completion(run(&b.q, desc), PASID_DEV_DONE_FAULT_WRITE, 0, 0,
                          va(b.d, page));
        /* Registers know no atomics. */
        desc.dst = va(b.d, SVA_SMMU);
        map(b.d, SVA_SMMU, PAGE);
        assert_completion(run(&b.q, desc), PASID_DEV_DONE_FAULT_WRITE, 0, 0,
                          va(b.d, SVA_SMMU));
    }
    g_assert_cmpuint(word_at(b.d, page, 0), ==, 0);
    dev_stop(b.d);
}

typedef struct Adder {
    uint64_t *word;
    bool stop;
    uint64_t added;
} Adder;

/* A CPU of the guest that adds to the word that the device adds to. */
static gpointer add(gpointer data)
{
    Adder *adder = data;

    while (!qatomic_read(&adder->stop)) {
        qatomic_fetch_add(adder->word, 1);
        adder->added++;
    }
    return NULL;
}

#define RAM_BYTES   (128 * MiB)

/* Nothing is lost between a CPU's additions and the device's. */
static void test_atomic_with_cpu(void)
{
    g_autofree char *path = NULL, *args = NULL;
    int fd = g_file_open_tmp("sva-ram-XXXXXX", &path, NULL);
    uint64_t by_device = 0, pa, total = 0;
    Adder adder = { 0 };
    uint8_t *memory;
    GThread *thread;
    Dev *d;
    Queue q;

    g_assert_cmpint(ftruncate(fd, RAM_BYTES), ==, 0);
    memory = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(memory != MAP_FAILED);
    args = g_strdup_printf("-object memory-backend-file,id=ram,size=128M,"
                           "share=on,mem-path=%s -machine memory-backend=ram "
                           "-device pasid-dev", path);
    d = dev_start(PLAIN_MACHINE, args);
    q = queue_open(d, 0, 9, NO_PASID);
    pa = process_alloc(d, PAGE);
    adder.word = (uint64_t *)(memory + (pa - SVA_RAM));
    thread = g_thread_new("adder", add, &adder);
    for (unsigned round = 0; round < 20; round++) {
        unsigned last = 0;

        for (unsigned i = 0; i < 500; i++) {
            bool narrow = i % 2;

            /* The CPU's never reach the upper half. */
            last = fill_slot(&q, (PasidDevDescriptor) {
                .op = PASID_DEV_OP_FETCH_ADD, .len = narrow ? 4 : 8,
                .dst = narrow ? pa + 4 : pa, .arg = 1 });
            by_device += narrow ? UINT64_C(1) << 32 : 1;
        }
        q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
        wait_for(&q, last);
    }
    qatomic_set(&adder.stop, true);
    g_thread_join(thread);
    memcpy(&total, adder.word, sizeof(total));
    g_assert_cmphex(total, ==, by_device + adder.added);
    dev_stop(d);
    munmap(memory, RAM_BYTES);
    close(fd);
    unlink(path);
}

/* ---- Probes ------------------------------------------------------------- */

#define RIGHTS  (PASID_DEV_PROBED_READ | PASID_DEV_PROBED_WRITE | \
                 PASID_DEV_PROBED_EXEC)

static PasidDevCompletion probe(Bench *b, Queue *q, uint64_t addr, uint64_t arg)
{
    return run(q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE2, .src = addr, .arg = arg });
}

static void test_probe_rights(void)
{
    Bench b = bench_start(",can-stall=off");
    uint64_t page = process_alloc(b.d, PAGE), other = read_only_page(b.d);
    PasidDevCompletion c;

    c = probe(&b, &b.q, va(b.d, page) + 0x321, PASID_DEV_PROBE_READ);
    assert_completion(c, PASID_DEV_DONE_OK, page + 0x321, 12 | RIGHTS, 0);
    c = probe(&b, &b.q, va(b.d, other), PASID_DEV_PROBE_READ);
    assert_completion(c, PASID_DEV_DONE_OK, other,
                      12 | PASID_DEV_PROBED_READ | PASID_DEV_PROBED_EXEC, 0);
    c = probe(&b, &b.q, va(b.d, other), PASID_DEV_PROBE_WRITE);
    assert_completion(c, PASID_DEV_DONE_FAULT_WRITE, 0, 0, va(b.d, other));
    unmap(b.d, page, PAGE);
    c = probe(&b, &b.q, va(b.d, page), PASID_DEV_PROBE_READ);
    assert_completion(c, PASID_DEV_DONE_FAULT_READ, 0, 0, va(b.d, page));
    dev_stop(b.d);
}

static void test_probe_privileged(void)
{
    Bench b = bench_start(",can-stall=off,privileged=on");
    uint64_t page = process_alloc(b.d, PAGE);
    Queue kernel = queue_make(b.d, 1, 2);

    unmap(b.d, page, PAGE);
    sva_map(b.d->t, b.d->root, va(b.d, page), page, PAGE, SVA_MAP_PRIV);
    admin_write32(b.d, PASID_DEV_QUEUE_FLAGS(1), PASID_DEV_QUEUE_F_PRIV);
    sva_config_write(b.d->t, 0, b.d->devfn, b.d->pasid_cap + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_PRIV);
    queue_program(&kernel, PASID(THE_PASID));
    q_write32(&kernel, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    g_assert_cmphex(probe(&b, &kernel, va(b.d, page), 1).progress &
                    PASID_DEV_PROBED_PRIV, !=, 0);
    g_assert_cmpuint(probe(&b, &b.q, va(b.d, page), 1).status, ==,
                     PASID_DEV_DONE_FAULT_READ);
    dev_stop(b.d);
}

/* A page that was not there; one that the IOMMU is told to ignore */
static void test_probe_stalls(void)
{
    Bench b = bench_start("");
    uint64_t page = process_alloc(b.d, PAGE);
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_PROBE2, .src = va(b.d, page), .arg = 1 };
    unsigned index;
    uint16_t stag;

    unmap(b.d, page, PAGE);
    index = submit(&b.q, desc);
    stag = expect_stall(&b.q, va(b.d, page), false);
    resume(b.d, stag, IGNORE);
    assert_completion(wait_for(&b.q, index), PASID_DEV_DONE_OK, 0,
                      PASID_DEV_PROBED_NOWHERE, 0);
    index = submit(&b.q, desc);
    stag = expect_stall(&b.q, va(b.d, page), false);
    map(b.d, page, PAGE);
    resume(b.d, stag, RETRY);
    assert_completion(wait_for(&b.q, index), PASID_DEV_DONE_OK, page,
                      12 | RIGHTS, 0);
    dev_stop(b.d);
}

/* Where the SMMU does not translate, its answer is for all there is. */
static void test_probe_bypass(void)
{
    Dev *d = dev_start("virt-sva", "-device pasid-dev");
    Queue q = queue_open(d, 0, 2, NO_PASID);
    uint64_t page = process_alloc(d, PAGE);
    PasidDevCompletion c = run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE2, .src = page, .arg = 3 });

    g_assert_cmphex(c.result, ==, page);
    g_assert_cmphex(c.progress & RIGHTS, ==, RIGHTS);
    g_assert_cmpuint(c.progress & PASID_DEV_PROBED_SIZE_MASK, >=, 32);
    dev_stop(d);
}

/* It says when a Translation Completion told it, and what that said. */
static void test_probe_by_ats(void)
{
    Bench b = { .d = ats_start("") };
    uint64_t page = process_alloc(b.d, PAGE), other = read_only_page(b.d);
    const uint64_t asked = PASID_DEV_PROBED_READ | PASID_DEV_PROBED_WRITE |
                           PASID_DEV_PROBED_ATS | PASID_DEV_PROBED_SIZE_MASK;
    PasidDevCompletion c;

    b.q = queue_open(b.d, 0, 3, PASID(THE_PASID));
    for (unsigned i = 0; i < 2; i++) {      /* by asking, and by its cache */
        c = probe(&b, &b.q, va(b.d, page) + 5, PASID_DEV_PROBE_WRITE);
        g_assert_cmpuint(c.status, ==, PASID_DEV_DONE_OK);
        g_assert_cmphex(c.result, ==, page + 5);
        g_assert_cmphex(c.progress & asked, ==,
                        12 | (asked & ~PASID_DEV_PROBED_SIZE_MASK));
        c = probe(&b, &b.q, va(b.d, other), PASID_DEV_PROBE_READ);
        g_assert_cmphex(c.result, ==, other);
        g_assert_cmphex(c.progress & asked, ==,
                        12 | PASID_DEV_PROBED_READ | PASID_DEV_PROBED_ATS);
    }
    ats_control(b.d, false);
    c = probe(&b, &b.q, va(b.d, page), PASID_DEV_PROBE_READ);
    g_assert_cmphex(c.progress & PASID_DEV_PROBED_ATS, ==, 0);
    dev_stop(b.d);
}

/* ---- Lists of segments -------------------------------------------------- */

/*
 * While a copy to one segment is stalled, its entry and the next one change:
 * the one counts as it was read, the other one was not read yet.
 */
static void test_list_changes(void)
{
    Bench b = bench_start("");
    Dev *d = b.d;
    uint64_t src = process_alloc(d, PAGE), far = process_alloc(d, 4 * PAGE);
    uint64_t list = process_alloc(d, PAGE);
    unsigned index;
    uint16_t stag;

    fill_pattern(d, src, PAGE);
    for (unsigned i = 0; i < 2; i++) {
        qtest_writeq(d->t->qts, list + i * 16, va(d, far + i * PAGE));
        qtest_writeq(d->t->qts, list + i * 16 + 8, 100);
    }
    unmap(d, far, PAGE);
    index = submit(&b.q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SCATTER, .src = va(d, src), .dst = va(d, list),
        .arg = 2, .len = PAGE });
    stag = expect_stall(&b.q, va(d, far), true);
    for (unsigned i = 0; i < 2; i++) {
        qtest_writeq(d->t->qts, list + i * 16, va(d, far + (2 + i) * PAGE));
        qtest_writeq(d->t->qts, list + i * 16 + 8, 50);
    }
    map(d, far, PAGE);
    resume(d, stag, RETRY);
    assert_completion(wait_for(&b.q, index), PASID_DEV_DONE_OK, 150, 150, 0);
    assert_bytes(d, far, 100, pattern_byte);
    assert_bytes(d, far + 100, 3 * PAGE - 100, zero_byte);
    g_assert_cmphex(qtest_readb(d->t->qts, far + 3 * PAGE), ==,
                    pattern_byte(100));
    assert_bytes(d, far + 3 * PAGE + 50, 50, zero_byte);
    dev_stop(d);
}

/* A million entries of nothing are an ordinary job, and others have turns. */
static void test_empty_segments(void)
{
    Bench b = bench_start("");
    const uint64_t entries = 64 * KiB;
    uint64_t list = process_alloc(b.d, entries * sizeof(PasidDevSegment));
    uint64_t src = process_alloc(b.d, PAGE);
    Queue other = queue_open(b.d, 1, 2, PASID(THE_PASID));
    unsigned index = submit(&b.q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SCATTER, .src = va(b.d, src), .dst = va(b.d, list),
        .arg = entries, .len = PAGE });

    g_assert_cmpuint(run(&other, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    assert_completion(wait_for(&b.q, index), PASID_DEV_DONE_OK, 0, 0, 0);
    dev_stop(b.d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/batch/stalls", test_batch_stalls);
    g_test_add_func("/pasid-dev/batch/longest", test_longest_batch);
    g_test_add_func("/pasid-dev/batch/refused", test_batch_refused);
    g_test_add_func("/pasid-dev/atomic/stalls", test_atomic_stalls);
    g_test_add_func("/pasid-dev/atomic/refused", test_atomic_refused);
    g_test_add_func("/pasid-dev/atomic/with-cpu", test_atomic_with_cpu);
    g_test_add_func("/pasid-dev/probe/rights", test_probe_rights);
    g_test_add_func("/pasid-dev/probe/privileged", test_probe_privileged);
    g_test_add_func("/pasid-dev/probe/stalls", test_probe_stalls);
    g_test_add_func("/pasid-dev/probe/bypass", test_probe_bypass);
    g_test_add_func("/pasid-dev/probe/by-ats", test_probe_by_ats);
    g_test_add_func("/pasid-dev/segments/list-changes", test_list_changes);
    g_test_add_func("/pasid-dev/segments/empty-ones", test_empty_segments);

    return g_test_run();
}
