/*
 * The accelerator pasid-dev: registers, work queues, every operation, faults,
 * stalls, interrupts, resets, migration. On virt without IOMMU, behind QEMU's
 * own SMMUv3, and by PASID behind ours. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "standard-headers/linux/pci_regs.h"
#include "hw/pci/pasid-dev/pasid-dev-abi.h"
#include "sva-qtest.h"

#define PAGE            UINT64_C(4096)
#define NO_PASID        0
#define PASID(n)        ((n) | PASID_DEV_PASID_VALID)

/* How long anything may take: generous, the machine may be busy. */
#define WAIT_SECONDS    30

/* ---- The device and its queues ------------------------------------------- */

typedef struct Dev {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar, msix;
    unsigned pasid_cap;
    /* The process's address space: va - pa of all that is mapped */
    uint64_t offset;
    uint64_t root, cds;
} Dev;

typedef struct Queue {
    Dev *d;
    unsigned n;
    uint64_t ring, completions;     /* pa */
    unsigned size_log2;
    uint16_t tail;
} Queue;

static uint32_t admin32(Dev *d, uint32_t reg)
{
    return qtest_readl(d->t->qts, d->bar + reg);
}

static uint64_t admin64(Dev *d, uint32_t reg)
{
    return qtest_readq(d->t->qts, d->bar + reg);
}

static void admin_write32(Dev *d, uint32_t reg, uint32_t value)
{
    qtest_writel(d->t->qts, d->bar + reg, value);
}

static uint64_t portal(Queue *q, uint32_t reg)
{
    return q->d->bar + (1 + q->n) * PASID_DEV_PAGE_BYTES + reg;
}

static uint32_t q32(Queue *q, uint32_t reg)
{
    return qtest_readl(q->d->t->qts, portal(q, reg));
}

static uint64_t q64(Queue *q, uint32_t reg)
{
    return qtest_readq(q->d->t->qts, portal(q, reg));
}

static void q_write32(Queue *q, uint32_t reg, uint32_t value)
{
    qtest_writel(q->d->t->qts, portal(q, reg), value);
}

static void q_write64(Queue *q, uint32_t reg, uint64_t value)
{
    qtest_writeq(q->d->t->qts, portal(q, reg), value);
}

static void find_device(Dev *d)
{
    int devfn = sva_find(d->t, d->bus, PASID_DEV_VENDOR_ID,
                         PASID_DEV_DEVICE_ID);

    g_assert_cmpint(devfn, >=, 0);
    d->devfn = devfn;
    d->bar = sva_enable_bar(d->t, d->bus, d->devfn, PASID_DEV_BAR);
    d->msix = sva_enable_bar(d->t, d->bus, d->devfn, PASID_DEV_MSIX_BAR);
    d->pasid_cap = sva_find_ecap(d->t, d->bus, d->devfn, PCI_EXT_CAP_ID_PASID);
}

static Dev *dev_start(const char *machine, const char *args)
{
    Dev *d = g_new0(Dev, 1);

    d->t = sva_start_machine(machine, args);
    find_device(d);
    return d;
}

/* Without any IOMMU: an address is an address. */
static Dev *plain_start(void)
{
    return dev_start("virt,gic-version=3 -cpu max", "-device pasid-dev");
}

static void dev_stop(Dev *d)
{
    sva_stop(d->t);
    g_free(d);
}

static void enable_pasids(Dev *d)
{
    sva_config_write(d->t, d->bus, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE);
}

/* Memory of the process, mapped when it has an address space: pa. */
static uint64_t process_alloc(Dev *d, uint64_t bytes)
{
    uint64_t pa = sva_alloc(d->t, QEMU_ALIGN_UP(bytes, PAGE), PAGE);

    if (d->root) {
        sva_map(d->t, d->root, pa + d->offset, pa, bytes, 0);
    }
    return pa;
}

static uint64_t va(Dev *d, uint64_t pa)
{
    return pa + d->offset;
}

static void queue_program(Queue *q, uint32_t pasid)
{
    Dev *d = q->d;

    admin_write32(d, PASID_DEV_QUEUE_PASID(q->n), pasid);
    q_write64(q, PASID_DEV_Q_RING, va(d, q->ring));
    q_write64(q, PASID_DEV_Q_COMPLETIONS, va(d, q->completions));
    q_write32(q, PASID_DEV_Q_SIZE_LOG2, q->size_log2);
}

static Queue queue_make(Dev *d, unsigned n, unsigned size_log2)
{
    return (Queue) {
        .d = d,
        .n = n,
        .size_log2 = size_log2,
        .ring = process_alloc(d, sizeof(PasidDevDescriptor) << size_log2),
        .completions = process_alloc(d,
                                     sizeof(PasidDevCompletion) << size_log2),
    };
}

static Queue queue_open(Dev *d, unsigned n, unsigned size_log2, uint32_t pasid)
{
    Queue q = queue_make(d, n, size_log2);

    queue_program(&q, pasid);
    q_write32(&q, PASID_DEV_Q_CTRL,
              PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    return q;
}

static void queue_reopen(Queue *q)
{
    q_write32(q, PASID_DEV_Q_CTRL, 0);
    q_write32(q, PASID_DEV_Q_CTRL,
              PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ);
    q->tail = 0;
}

static uint64_t record_address(Queue *q, unsigned index)
{
    return q->completions + (index & ((1u << q->size_log2) - 1)) *
                            sizeof(PasidDevCompletion);
}

/* Fill a slot without telling the device. */
static unsigned fill_slot(Queue *q, PasidDevDescriptor desc)
{
    unsigned index = q->tail++;
    unsigned slot = index & ((1u << q->size_log2) - 1);
    PasidDevCompletion none = { 0 };

    desc.tag = cpu_to_le32(0x1000 + index);
    desc.src = cpu_to_le64(desc.src);
    desc.dst = cpu_to_le64(desc.dst);
    desc.len = cpu_to_le64(desc.len);
    desc.arg = cpu_to_le64(desc.arg);
    desc.arg2 = cpu_to_le64(desc.arg2);
    qtest_memwrite(q->d->t->qts, record_address(q, index), &none, sizeof(none));
    qtest_memwrite(q->d->t->qts, q->ring + slot * sizeof(desc), &desc,
                   sizeof(desc));
    return index;
}

static unsigned submit(Queue *q, PasidDevDescriptor desc)
{
    unsigned index = fill_slot(q, desc);

    q_write32(q, PASID_DEV_Q_TAIL, q->tail);
    return index;
}

static PasidDevCompletion record_at(Queue *q, unsigned index)
{
    PasidDevCompletion c;

    qtest_memread(q->d->t->qts, record_address(q, index), &c, sizeof(c));
    c.status = le32_to_cpu(c.status);
    c.tag = le32_to_cpu(c.tag);
    c.result = le64_to_cpu(c.result);
    c.progress = le64_to_cpu(c.progress);
    c.fault_addr = le64_to_cpu(c.fault_addr);
    return c;
}

/* Again and again until @condition, which ends the test if it never comes. */
#define WAIT_FOR(condition)                                                 \
    do {                                                                    \
        gint64 end_ = g_get_monotonic_time() +                              \
                      WAIT_SECONDS * G_USEC_PER_SEC;                        \
        while (!(condition)) {                                              \
            if (g_get_monotonic_time() > end_) {                            \
                g_error("%s:%d: waited in vain for %s", __func__, __LINE__, \
                        #condition);                                        \
            }                                                               \
        }                                                                   \
    } while (0)

static PasidDevCompletion wait_for(Queue *q, unsigned index)
{
    WAIT_FOR(record_at(q, index).status != PASID_DEV_DONE_PENDING);
    return record_at(q, index);
}

static PasidDevCompletion run(Queue *q, PasidDevDescriptor desc)
{
    unsigned index = submit(q, desc);
    PasidDevCompletion c = wait_for(q, index);

    g_assert_cmphex(c.tag, ==, 0x1000 + index);
    return c;
}

static void assert_completion(PasidDevCompletion c, uint32_t status,
                              uint64_t result, uint64_t progress,
                              uint64_t fault_addr)
{
    g_assert_cmpuint(c.status, ==, status);
    g_assert_cmphex(c.result, ==, result);
    g_assert_cmphex(c.progress, ==, progress);
    g_assert_cmphex(c.fault_addr, ==, fault_addr);
}

/* Something that differs from place to place and from 0. */
static uint8_t pattern_byte(uint64_t i)
{
    return (i * 7 + (i >> 8) * 13 + 1) & 0xff;
}

static void fill_pattern(Dev *d, uint64_t pa, uint64_t bytes)
{
    g_autofree uint8_t *data = g_malloc(bytes);

    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = pattern_byte(i);
    }
    qtest_bufwrite(d->t->qts, pa, data, bytes);
}

static void assert_bytes(Dev *d, uint64_t pa, uint64_t bytes,
                         uint8_t (*expected)(uint64_t i))
{
    g_autofree uint8_t *data = g_malloc(bytes);

    if (!bytes) {
        return;
    }
    qtest_bufread(d->t->qts, pa, data, bytes);
    for (uint64_t i = 0; i < bytes; i++) {
        if (data[i] != expected(i)) {
            g_error("byte 0x%" PRIx64 " is 0x%x, not 0x%x", i, data[i],
                    expected(i));
        }
    }
}

static uint8_t zero_byte(uint64_t i)
{
    return 0;
}

/* ---- Registers and the function -------------------------------------------- */

static void test_identity(void)
{
    Dev *d = dev_start("virt,gic-version=3 -cpu max",
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
    Dev *d = dev_start("virt,gic-version=3 -cpu max",
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
    Dev *d = dev_start("virt,gic-version=3 -cpu max",
                       "-device pasid-dev,queues=256");
    Queue q = queue_open(d, 255, 0, NO_PASID);

    g_assert_cmpuint(run(&q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(d);
}

/* ---- Operations --------------------------------------------------------------- */

/*
 * What each operation's test gets: a queue that works, be it without IOMMU,
 * behind QEMU's SMMU, or in a process's address space.
 */
typedef struct Bench {
    Dev *d;
    Queue q;
} Bench;

static void op_nop(Bench *b)
{
    assert_completion(run(&b->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_NOP }), PASID_DEV_DONE_OK, 0, 0, 0);
}

static void op_copy(Bench *b)
{
    static const struct {
        uint64_t src, dst, len;
    } cases[] = {
        { 0, 0, 0 }, { 0, 0, 1 }, { 1, 3, 7 }, { 4095, 4095, 2 },
        { 5, 0, 4096 }, { 0, 5, 4096 }, { 4095, 1, 4097 }, { 7, 4090, 12345 },
        { 0, 0, 300000 }, { 63, 64, 65536 },
    };
    Dev *d = b->d;
    uint64_t src = process_alloc(d, 320 * 1024);
    uint64_t dst = process_alloc(d, 320 * 1024);

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t from = src + cases[i].src, to = dst + cases[i].dst;

        fill_pattern(d, from, cases[i].len ?: 1);
        qtest_memset(d->t->qts, dst, 0, 320 * 1024);
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COPY, .src = va(d, from), .dst = va(d, to),
            .len = cases[i].len }),
            PASID_DEV_DONE_OK, 0, cases[i].len, 0);
        assert_bytes(d, dst, cases[i].dst, zero_byte);
        assert_bytes(d, to, cases[i].len, pattern_byte);
        assert_bytes(d, to + cases[i].len, 64, zero_byte);
    }
}

static uint8_t fill_byte(uint64_t i)
{
    return 0x11 * (1 + i % 8);
}

static void op_fill(Bench *b)
{
    static const uint64_t lens[] = { 0, 1, 7, 8, 9, 4096, 4097, 100001 };
    Dev *d = b->d;
    uint64_t page = process_alloc(d, 128 * 1024);
    uint64_t dst = page + 4093;

    for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
        qtest_memset(d->t->qts, page, 0, 128 * 1024);
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = va(d, dst), .len = lens[i],
            .arg = UINT64_C(0x8877665544332211) }),
            PASID_DEV_DONE_OK, 0, lens[i], 0);
        assert_bytes(d, page, 4093, zero_byte);
        assert_bytes(d, dst, lens[i], fill_byte);
        assert_bytes(d, dst + lens[i], 64, zero_byte);
    }
}

static void op_compare(Bench *b)
{
    static const uint64_t differences[] = { 0, 1, 4095, 4096, 8191, 69999 };
    Dev *d = b->d;
    uint64_t left = process_alloc(d, 80 * 1024) + 3;
    uint64_t right = process_alloc(d, 80 * 1024) + 1000;
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_COMPARE, .src = va(d, left), .dst = va(d, right),
        .len = 70000,
    };

    fill_pattern(d, left, 70000);
    fill_pattern(d, right, 70000);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 70000, 70000, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(differences); i++) {
        uint64_t at = differences[i];

        qtest_writeb(d->t->qts, right + at, pattern_byte(at) ^ 0x80);
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_MISMATCH, at, at, 0);
        qtest_writeb(d->t->qts, right + at, pattern_byte(at));
    }
    desc.len = 0;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0, 0, 0);
}

static void op_crc32c(Bench *b)
{
    static const char text[] = "123456789";
    Dev *d = b->d;
    uint64_t page = process_alloc(d, 2 * PAGE);
    uint64_t src = page + PAGE - 4;     /* across pages */
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_CRC32C, .src = va(d, src), .len = 9,
    };
    PasidDevCompletion first;

    qtest_memwrite(d->t->qts, src, text, 9);
    /* The check value of CRC-32C in every catalogue of CRCs */
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0xe3069283, 9, 0);
    /* In two pieces, the second from where the first ended */
    desc.len = 5;
    first = run(&b->q, desc);
    desc.src = va(d, src + 5);
    desc.len = 4;
    desc.arg = first.result;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0xe3069283, 4, 0);
    /* 32 zeros: RFC 3720 B.4 */
    qtest_memset(d->t->qts, page, 0, 32);
    desc = (PasidDevDescriptor) {
        .op = PASID_DEV_OP_CRC32C, .src = va(d, page), .len = 32,
    };
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0x8a9136aa, 32, 0);
}

static void op_sum(Bench *b)
{
    Dev *d = b->d;
    uint64_t src = process_alloc(d, 96 * 1024) + 17;
    uint64_t sum = 0;

    fill_pattern(d, src, 90000);
    for (uint64_t i = 0; i < 90000; i++) {
        sum += pattern_byte(i);
    }
    assert_completion(run(&b->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SUM, .src = va(d, src), .len = 90000 }),
        PASID_DEV_DONE_OK, sum, 90000, 0);
}

/*
 * Nodes here and there in @pages, with their fields at these offsets: the sum
 * of all values. Returns the first node's va.
 */
static uint64_t make_list(Dev *d, uint64_t memory, unsigned nodes,
                          uint64_t stride, uint64_t next, uint64_t value,
                          uint64_t *sum)
{
    uint64_t first = 0;

    *sum = 0;
    for (unsigned i = 0; i < nodes; i++) {
        /* Each links to the one made before it, which is elsewhere. */
        uint64_t node = memory + (i * 37 % nodes) * stride;

        qtest_writeq(d->t->qts, node + next, first);
        qtest_writeq(d->t->qts, node + value, UINT64_C(1) << (i % 50));
        *sum += UINT64_C(1) << (i % 50);
        first = va(d, node);
    }
    return first;
}

static void op_list(Bench *b)
{
    static const struct {
        uint64_t stride, next, value;
    } cases[] = {
        { 64, 0, 8 }, { 64, 8, 0 }, { 64, 56, 0 }, { 65, 0, 56 },
        { 4096, 0, 57 }, { 4096, 4000, 0 }, { 4091, 0, 8 }, { 4096, 5, 5 + 64 },
    };
    const unsigned nodes = 50;
    Dev *d = b->d;
    uint64_t memory = process_alloc(d, 52 * PAGE);

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t sum, first;
        PasidDevDescriptor desc;

        first = make_list(d, memory, nodes, cases[i].stride, cases[i].next,
                          cases[i].value, &sum);
        desc = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_LIST, .src = first, .len = 1000,
            .arg = cases[i].next, .arg2 = cases[i].value,
        };
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, sum, nodes, 0);
        desc.len = 1;
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK,
                          UINT64_C(1) << ((nodes - 1) % 50), 1, 0);
        desc.len = 0;
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0, 0, 0);
        desc.src = 0;
        desc.len = 10;
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0, 0, 0);
    }
}

/* A list that leads back to itself ends with len. */
static void op_list_cycle(Bench *b)
{
    Dev *d = b->d;
    uint64_t node = process_alloc(d, PAGE);

    qtest_writeq(d->t->qts, node, va(d, node));
    qtest_writeq(d->t->qts, node + 8, 3);
    assert_completion(run(&b->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_LIST, .src = va(d, node), .len = 10000, .arg2 = 8 }),
        PASID_DEV_DONE_OK, 30000, 10000, 0);
}

static void op_probe(Bench *b)
{
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 0x123;

    for (unsigned write = 0; write < 2; write++) {
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_PROBE, .src = va(d, pa), .arg = write }),
            PASID_DEV_DONE_OK, pa, 0, 0);
    }
    g_assert_cmphex(qtest_readq(d->t->qts, pa), ==, 0);
}

static void op_gather_scatter(Bench *b)
{
    static const struct {
        uint64_t addr, len;
    } pieces[] = {
        { 4000, 200 }, { 0, 1 }, { 9000, 0 }, { 12288, 8192 }, { 4200, 5 },
    };
    const uint64_t total = 200 + 1 + 8192 + 5;
    Dev *d = b->d;
    uint64_t far = process_alloc(d, 8 * PAGE);
    uint64_t flat = process_alloc(d, 4 * PAGE) + 11;
    /* The third entry lies across two pages. */
    uint64_t list = process_alloc(d, 2 * PAGE) + PAGE - 40;
    PasidDevDescriptor desc = { .arg = ARRAY_SIZE(pieces), .len = 1 << 20 };

    for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++) {
        qtest_writeq(d->t->qts, list + i * 16, va(d, far + pieces[i].addr));
        qtest_writeq(d->t->qts, list + i * 16 + 8, pieces[i].len);
    }
    fill_pattern(d, flat, total);

    desc.op = PASID_DEV_OP_SCATTER;
    desc.src = va(d, flat);
    desc.dst = va(d, list);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, total, total, 0);
    g_assert_cmphex(qtest_readb(d->t->qts, far + 4000), ==, pattern_byte(0));
    g_assert_cmphex(qtest_readb(d->t->qts, far), ==, pattern_byte(200));
    g_assert_cmphex(qtest_readb(d->t->qts, far + 12288 + 8191), ==,
                    pattern_byte(201 + 8191));

    qtest_memset(d->t->qts, flat, 0, total);
    desc.op = PASID_DEV_OP_GATHER;
    desc.src = va(d, list);
    desc.dst = va(d, flat);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, total, total, 0);
    assert_bytes(d, flat, total, pattern_byte);

    /* No more than len bytes */
    qtest_memset(d->t->qts, flat, 0, total);
    desc.len = 203;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 203, 203, 0);
    assert_bytes(d, flat, 203, pattern_byte);
    assert_bytes(d, flat + 203, 100, zero_byte);

    /* A segment that goes beyond the end of all addresses */
    desc.len = 1 << 20;
    qtest_writeq(d->t->qts, list + 16, UINT64_MAX);
    qtest_writeq(d->t->qts, list + 24, 2);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_BAD_DESC, 200, 200, 0);
}

static void op_atomic_add(Bench *b)
{
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 16;
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, pa), .arg = 5,
    };

    qtest_writeq(d->t->qts, pa, UINT64_MAX - 1);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, UINT64_MAX - 1, 8,
                      0);
    g_assert_cmphex(qtest_readq(d->t->qts, pa), ==, 3);
    g_assert_cmphex(qtest_readq(d->t->qts, pa + 8), ==, 0);
    g_assert_cmphex(qtest_readq(d->t->qts, pa - 8), ==, 0);
    desc.dst++;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_BAD_DESC, 0, 0, 0);
}

static void op_illegal(Bench *b)
{
    const uint64_t big = PASID_DEV_MAX_LEN_VALUE + 1;
    const PasidDevDescriptor cases[] = {
        { .op = PASID_DEV_OP_NOP, .flags = 2 },
        { .op = PASID_DEV_OP_NOP, .reserved = 1 },
        { .op = PASID_DEV_OP_NOP, .reserved2 = { 1, 0 } },
        { .op = PASID_DEV_OP_NOP, .reserved2 = { 0, 1 } },
        { .op = PASID_DEV_OP_COPY, .len = big, .dst = UINT64_C(1) << 40 },
        { .op = PASID_DEV_OP_COPY, .src = 0x1000, .dst = 0x1fff, .len = PAGE },
        { .op = PASID_DEV_OP_COPY, .src = 0x1fff, .dst = 0x1000, .len = PAGE },
        { .op = PASID_DEV_OP_COPY, .src = -8, .dst = 0x1000, .len = 9 },
        { .op = PASID_DEV_OP_COPY, .dst = -8, .src = 0x1000, .len = 9 },
        { .op = PASID_DEV_OP_FILL, .dst = -8, .len = 9 },
        { .op = PASID_DEV_OP_FILL, .len = UINT64_MAX },
        { .op = PASID_DEV_OP_COMPARE, .dst = -8, .len = 9 },
        { .op = PASID_DEV_OP_CRC32C, .src = -8, .len = 9 },
        { .op = PASID_DEV_OP_CRC32C, .arg = UINT64_C(1) << 32 },
        { .op = PASID_DEV_OP_SUM, .len = big },
        { .op = PASID_DEV_OP_LIST, .len = big },
        { .op = PASID_DEV_OP_PROBE, .len = 1 },
        { .op = PASID_DEV_OP_PROBE, .arg = 2 },
        { .op = PASID_DEV_OP_GATHER, .arg = UINT64_MAX, .len = 8 },
        { .op = PASID_DEV_OP_GATHER, .src = -16, .arg = 2, .len = 8 },
        { .op = PASID_DEV_OP_SCATTER, .dst = -16, .arg = 2, .len = 8 },
        { .op = PASID_DEV_OP_ATOMIC_ADD, .dst = 4 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        PasidDevCompletion c = run(&b->q, cases[i]);

        if (c.status != PASID_DEV_DONE_BAD_DESC) {
            g_error("case %u: status %u", i, c.status);
        }
        g_assert_cmphex(c.progress, ==, 0);
    }
    for (unsigned op = PASID_DEV_OP_COUNT; op < 256; op++) {
        assert_completion(run(&b->q, (PasidDevDescriptor) { .op = op }),
                          PASID_DEV_DONE_BAD_OP, 0, 0, 0);
    }
}

static const struct {
    const char *name;
    void (*run)(Bench *b);
} operation_tests[] = {
    { "nop", op_nop },
    { "copy", op_copy },
    { "fill", op_fill },
    { "compare", op_compare },
    { "crc32c", op_crc32c },
    { "sum", op_sum },
    { "list", op_list },
    { "list-cycle-ends-with-len", op_list_cycle },
    { "probe", op_probe },
    { "gather-scatter", op_gather_scatter },
    { "atomic-add", op_atomic_add },
    { "illegal-descriptors", op_illegal },
};

static void assert_nothing_left(Bench *b)
{
    g_assert_cmphex(q32(&b->q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    g_assert_cmpuint(q32(&b->q, PASID_DEV_Q_HEAD), ==, b->q.tail);
    g_assert_cmphex(admin32(b->d, PASID_DEV_STATUS), ==, 0);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_JOBS), ==, b->q.tail);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_BOUNCED), ==, 0);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_STALLS), ==, 0);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_ABORTS), ==, 0);
}

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

/* ---- Queues -------------------------------------------------------------------- */

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

static void assert_queue_error(Queue *q, uint32_t error, uint64_t fault_addr)
{
    WAIT_FOR(q32(q, PASID_DEV_Q_ERROR) != PASID_DEV_Q_ERROR_NONE);
    g_assert_cmpuint(q32(q, PASID_DEV_Q_ERROR), ==, error);
    g_assert_cmphex(q32(q, PASID_DEV_Q_STATUS), ==, PASID_DEV_Q_STATUS_ERROR);
    g_assert_cmphex(q64(q, PASID_DEV_Q_FAULT_ADDR), ==, fault_addr);
    g_assert_cmphex(admin32(q->d, PASID_DEV_STATUS), ==, 0);
}

static void assert_queue_works(Queue *q)
{
    queue_reopen(q);
    g_assert_cmphex(q32(q, PASID_DEV_Q_STATUS), ==, PASID_DEV_Q_STATUS_ENABLED);
    g_assert_cmpuint(q32(q, PASID_DEV_Q_ERROR), ==, PASID_DEV_Q_ERROR_NONE);
    g_assert_cmpuint(run(q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
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
    Dev *d = dev_start("virt,gic-version=3 -cpu max",
                       "-device pasid-dev,pasid-bits=8");
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
    /* The status is written last, so the rest of the record is refused. */
    assert_queue_error(&q, PASID_DEV_Q_ERROR_COMPLETION, HOLE + 4);
    g_assert_cmpuint(qtest_readq(d->t->qts, counter), ==, 1);
    g_assert_cmpuint(q32(&q, PASID_DEV_Q_HEAD), ==, 0);
    q_write32(&q, PASID_DEV_Q_CTRL, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

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

static PasidDevDescriptor endless_job(Dev *d)
{
    uint64_t node = process_alloc(d, PAGE);

    qtest_writeq(d->t->qts, node, va(d, node));
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_LIST, .src = va(d, node),
        .len = PASID_DEV_MAX_LEN_VALUE, .arg2 = 8,
    };
}

static void test_fairness(void)
{
    Dev *d = plain_start();
    Queue longer = queue_open(d, 0, 2, NO_PASID);
    Queue other = queue_open(d, 1, 2, NO_PASID);

    submit(&longer, endless_job(d));
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
    d = dev_start("virt,gic-version=3 -cpu max", args);
    d->t->next = count + PAGE;
    q = queue_open(d, 0, 2, NO_PASID);
    WAIT_FOR(qtest_readq(d->t->qts, count) > 1000);
    submit(&q, endless_job(d));
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

    submit(&q, endless_job(d));
    q_write32(&q, PASID_DEV_Q_TAIL, 0);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_TAIL, 0);
    assert_queue_works(&q);
    dev_stop(d);
}

static void test_reset_in_work(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    submit(&q, endless_job(d));
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

static void trigger_flr(Dev *d)
{
    unsigned express = sva_find_cap(d->t, d->bus, d->devfn, PCI_CAP_ID_EXP);
    uint32_t control = sva_config_read(d->t, d->bus, d->devfn,
                                       express + PCI_EXP_DEVCTL, 2);

    sva_config_write(d->t, d->bus, d->devfn, express + PCI_EXP_DEVCTL, 2,
                     control | PCI_EXP_DEVCTL_BCR_FLR);
}

/* Software's part after an FLR: BARs, bus mastering, PASIDs. */
static void restore_function(Dev *d)
{
    sva_config_write(d->t, d->bus, d->devfn, PCI_BASE_ADDRESS_0, 4, d->bar);
    sva_config_write(d->t, d->bus, d->devfn,
                     PCI_BASE_ADDRESS_0 + 4 * PASID_DEV_MSIX_BAR, 4, d->msix);
    sva_config_write(d->t, d->bus, d->devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void test_flr_in_work(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    enable_pasids(d);
    submit(&q, endless_job(d));
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

    submit(&q, endless_job(d));
    qtest_system_reset(d->t->qts);
    restore_function(d);
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==, 0);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    dev_stop(d);
}

/* A function that may not master the bus does not, not even in mid-job. */
static void test_bus_master_off(void)
{
    Dev *d = plain_start();
    Queue q = queue_open(d, 0, 2, NO_PASID);

    submit(&q, endless_job(d));
    sva_config_write(d->t, 0, d->devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    /* The job is refused a read, and then its record */
    assert_queue_error(&q, PASID_DEV_Q_ERROR_COMPLETION, q.completions + 4);
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
    Dev *d = dev_start("virt,gic-version=3 -cpu max",
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

/* ---- Interrupts ------------------------------------------------------------------ */

#define VECTOR_DATA(n)  (0xc0de0000u + (n))

/* Vector @n writes its data to the word that is returned (pa). */
static uint64_t arm_vector(Dev *d, unsigned n, bool masked)
{
    unsigned cap = sva_find_cap(d->t, d->bus, d->devfn, PCI_CAP_ID_MSIX);
    uint64_t word = process_alloc(d, PAGE) + 0x40;
    uint64_t entry = d->msix + n * PCI_MSIX_ENTRY_SIZE;

    qtest_writel(d->t->qts, entry + PCI_MSIX_ENTRY_LOWER_ADDR, word);
    qtest_writel(d->t->qts, entry + PCI_MSIX_ENTRY_UPPER_ADDR, word >> 32);
    qtest_writel(d->t->qts, entry + PCI_MSIX_ENTRY_DATA, VECTOR_DATA(n));
    qtest_writel(d->t->qts, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, masked);
    sva_config_write(d->t, d->bus, d->devfn, cap + PCI_MSIX_FLAGS, 2,
                     PCI_MSIX_FLAGS_ENABLE);
    return word;
}

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

/* ---- In the address space of a process ------------------------------------------ */

#define THE_PASID   5u
#define CD_LOG2     6
#define VA_OFFSET   UINT64_C(0x100000000000)

/*
 * A process whose memory is at VA_OFFSET from where it is physically, known to
 * the SMMU as THE_PASID; its faults stall, if the device lets them.
 */
static void give_address_space(Dev *d)
{
    uint64_t cd[SMMU3_CD_WORDS];

    sva_smmu_enable(d->t);
    d->cds = sva_alloc(d->t, SMMU3_CD_BYTES << CD_LOG2, PAGE);
    d->root = sva_table(d->t);
    d->offset = VA_OFFSET;
    sva_ste_stage1(d->t, d->devfn, d->cds, CD_LOG2);
    sva_cd_for(cd, d->root, 1, true);
    sva_set_cd(d->t, d->devfn, d->cds, THE_PASID, cd);
    enable_pasids(d);
}

static Dev *process_start_with(const char *properties)
{
    g_autofree char *args = g_strdup_printf("-device pasid-dev%s", properties);
    Dev *d = dev_start("virt-sva", args);

    give_address_space(d);
    return d;
}

static Dev *process_start(void)
{
    return process_start_with("");
}

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

/* ---- Faults and stalls ------------------------------------------------------------ */

typedef enum Decision { RETRY, ABORT, IGNORE } Decision;

static void resume(Dev *d, uint16_t stag, Decision decision)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

    smmu3_set(command, CMD_STREAMID, d->devfn);
    smmu3_set(command, CMD_RESUME_AC, decision == RETRY);
    smmu3_set(command, CMD_RESUME_AB, decision == ABORT);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

/* The queue stalls for @addr; the event says so: its STAG. */
static uint16_t expect_stall(Queue *q, uint64_t addr, bool write)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    WAIT_FOR(q32(q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    g_assert_true(sva_event(q->d->t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
    g_assert_cmpuint(smmu3_get(event, EVENT_STREAMID), ==, q->d->devfn);
    g_assert_cmpuint(smmu3_get(event, EVENT_SSV), ==, 1);
    g_assert_cmpuint(smmu3_get(event, EVENT_SUBSTREAMID), ==, THE_PASID);
    g_assert_cmpuint(smmu3_get(event, EVENT_STALL), ==, 1);
    g_assert_cmpuint(smmu3_get(event, EVENT_RNW), ==, !write);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, addr);
    g_assert_false(sva_event(q->d->t, event));
    return smmu3_get(event, EVENT_STAG);
}

static void map(Dev *d, uint64_t pa, uint64_t bytes)
{
    sva_map(d->t, d->root, va(d, pa), pa, bytes, 0);
}

/* Away from the table, and from what the SMMU remembers of it. */
static void unmap(Dev *d, uint64_t pa, uint64_t bytes)
{
    sva_unmap(d->t, d->root, va(d, pa), bytes);
    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(d->t);
}

/* A copy of 4 pages whose third page of the destination is missing. */
typedef struct StalledCopy {
    Dev *d;
    Queue q;
    uint64_t src, dst, missing;     /* pa */
    unsigned index;
    uint16_t stag;
} StalledCopy;

#define COPY_BYTES      (4 * PAGE - 10)

static StalledCopy stalled_copy_start(void)
{
    Dev *d = process_start();
    StalledCopy c = { .d = d };

    c.q = queue_open(d, 0, 2, PASID(THE_PASID));
    c.src = process_alloc(d, 5 * PAGE) + 7;
    c.dst = process_alloc(d, 4 * PAGE);
    c.missing = c.dst + 2 * PAGE;
    fill_pattern(d, c.src, COPY_BYTES);
    unmap(d, c.missing, PAGE);
    c.index = submit(&c.q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, c.src), .dst = va(d, c.dst),
        .len = COPY_BYTES });
    c.stag = expect_stall(&c.q, va(d, c.missing), true);
    return c;
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
        map(d, src + PAGE, PAGE);
        resume(d, expect_stall(&q, va(d, src + PAGE), false), RETRY);
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
    map(d, q.ring, PAGE);
    resume(d, expect_stall(&q, va(d, q.ring), false), RETRY);
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
    map(d, q.completions, PAGE);
    resume(d, expect_stall(&q, va(d, q.completions) + 4, true), RETRY);
    g_assert_cmpuint(wait_for(&q, index).status, ==, PASID_DEV_DONE_OK);

    unmap(d, q.completions, PAGE);
    submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, word), .arg = 1 });
    resume(d, expect_stall(&q, va(d, q.completions) + 32 + 4, true), ABORT);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_COMPLETION,
                       va(d, q.completions) + 32 + 4);
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
    map(d, memory, PAGE);
    resume(d, expect_stall(&q, va(d, nodes[0]), false), RETRY);
    map(d, memory + PAGE, PAGE);
    resume(d, expect_stall(&q, va(d, nodes[1]), false), RETRY);
    map(d, memory + 2 * PAGE, PAGE);
    resume(d, expect_stall(&q, va(d, memory + 2 * PAGE), false), RETRY);
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
    map(d, page, PAGE);
    resume(d, expect_stall(&q, va(d, page) + 9, true), RETRY);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, page + 9, 0, 0);
    dev_stop(d);
}

/* Nothing of a cancelled job happens after what cancelled it. */
static void assert_stays_cancelled(StalledCopy *c)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    map(c->d, c->missing, PAGE);
    resume(c->d, c->stag, RETRY);       /* too late, and harmless */
    g_assert_cmphex(admin32(c->d, PASID_DEV_STATUS), ==, 0);
    g_assert_cmpuint(record_at(&c->q, c->index).status, ==,
                     PASID_DEV_DONE_PENDING);
    assert_bytes(c->d, c->missing, PAGE, zero_byte);
    g_assert_false(sva_event(c->d->t, event));

    enable_pasids(c->d);
    q_write32(&c->q, PASID_DEV_Q_CTRL, 0);
    queue_program(&c->q, PASID(THE_PASID));
    assert_queue_works(&c->q);
    g_assert_false(sva_event(c->d->t, event));
    dev_stop(c->d);
}

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
                       va(c.d, c.q.completions) + 4);
    assert_bytes(c.d, c.missing, PAGE, zero_byte);
    restore_function(c.d);
    assert_queue_works(&c.q);
    dev_stop(c.d);
}

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

    map(d, pa + 0x3000, PAGE);
    resume(d, expect_stall(&q, base + 0x3000, true), RETRY);
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

/* Behind a root port at slot 4, where its requester ID is another one. */
static Dev *process_start_behind_port(void)
{
    Dev *d = g_new0(Dev, 1);
    uint64_t cd[SMMU3_CD_WORDS];

    d->t = sva_start("-device pcie-root-port,id=rp,chassis=1,addr=4 "
                     "-device pasid-dev,bus=rp,id=accel");
    sva_enable_bridge(d->t, 0, 4 << 3, 1);
    d->bus = 1;
    find_device(d);
    sva_smmu_enable(d->t);
    d->cds = sva_alloc(d->t, SMMU3_CD_BYTES << CD_LOG2, PAGE);
    d->root = sva_table(d->t);
    d->offset = VA_OFFSET;
    sva_ste_stage1(d->t, d->bus << 8 | d->devfn, d->cds, CD_LOG2);
    sva_cd_for(cd, d->root, 1, true);
    sva_set_cd(d->t, d->bus << 8 | d->devfn, d->cds, THE_PASID, cd);
    enable_pasids(d);
    return d;
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

/* Answer every stall, known or new. */
static void retry_all(StalledCopy *c)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    resume(c->d, c->stag, RETRY);
    while (sva_event(c->d->t, event)) {
        resume(c->d, smmu3_get(event, EVENT_STAG), RETRY);
    }
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

/* ---- Migration -------------------------------------------------------------------- */

static char *migration_status(QTestState *qts)
{
    QDict *info = qtest_qmp_assert_success_ref(qts,
                                               "{'execute': 'query-migrate'}");
    char *status = g_strdup(qdict_haskey(info, "status") ?
                            qdict_get_str(info, "status") : "none");

    qobject_unref(info);
    return status;
}

static bool migration_is(QTestState *qts, const char *wanted)
{
    g_autofree char *status = migration_status(qts);

    g_assert_cmpstr(status, !=, "failed");
    return g_str_equal(status, wanted);
}

/* The machine goes on in another process; its memory and devices with it. */
static void migrate(Dev *d, const char *machine, const char *args)
{
    g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *incoming = g_strdup_printf("%s -incoming file:%s", args,
                                                file);
    SvaQtest *from = d->t;

    qtest_qmp_assert_success(from->qts,
        "{'execute': 'migrate', 'arguments': {'uri': %s}}",
        g_strdup_printf("file:%s", file));
    WAIT_FOR(migration_is(from->qts, "completed"));

    d->t = sva_start_machine(machine, incoming);
    WAIT_FOR(migration_is(d->t->qts, "completed"));
    d->t->next = from->next;
    d->t->mmio_next = from->mmio_next;
    d->t->strtab = from->strtab;
    d->t->cmdq = from->cmdq;
    d->t->eventq = from->eventq;
    d->t->priq = from->priq;
    d->t->cmdq_prod = from->cmdq_prod;
    d->t->eventq_cons = from->eventq_cons;
    d->t->priq_cons = from->priq_cons;
    sva_stop(from);
    unlink(file);
    rmdir(dir);
}

#define PLAIN_MACHINE   "virt,gic-version=3 -cpu max"

static void test_migrate_in_work(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev");
    Queue idle = queue_open(d, 1, 2, NO_PASID);
    Queue busy = queue_open(d, 0, 2, NO_PASID);
    PasidDevDescriptor desc = endless_job(d);
    uint64_t word = arm_vector(d, 0, false);

    run(&idle, (PasidDevDescriptor) { 0 });
    /* Long enough to be in work when the machine stops, short enough to end */
    desc.len = 50 * 1000 * 1000;
    desc.flags = PASID_DEV_DESC_IRQ;
    qtest_writeq(d->t->qts, desc.src + 8, 2);
    submit(&busy, desc);
    migrate(d, PLAIN_MACHINE, "-device pasid-dev");
    g_assert_cmphex(q64(&busy, PASID_DEV_Q_RING), ==, busy.ring);
    assert_completion(wait_for(&busy, 0), PASID_DEV_DONE_OK, 2 * desc.len,
                      desc.len, 0);
    WAIT_FOR(qtest_readl(d->t->qts, word) == VECTOR_DATA(0));
    g_assert_cmpuint(run(&idle, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    g_assert_cmpuint(q64(&idle, PASID_DEV_Q_COUNT_JOBS), ==, 2);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_JOBS), ==, 3);
    dev_stop(d);
}

/*
 * The stalled access is made anew on the other side. The stall that the guest
 * knows of may be there or not: it answers whatever it is told.
 */
static void test_migrate_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    migrate(c.d, "virt-sva", "-device pasid-dev");
    g_assert_cmphex(q32(&c.q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_BUSY, !=,
                    0);
    map(c.d, c.missing, PAGE);
    retry_all(&c);
    assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                      COPY_BYTES, 0);
    assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
    g_assert_cmpuint(run(&c.q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(c.d);
}

/* ---- Snapshots ------------------------------------------------------------------- */

static void wait_for_job(QTestState *qts, const char *id)
{
    const char *status = "";
    QDict *response = NULL;

    while (!g_str_equal(status, "concluded")) {
        QDict *job = NULL;
        QListEntry *entry;

        qobject_unref(response);
        response = qtest_qmp(qts, "{'execute': 'query-jobs'}");
        QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
            QDict *each = qobject_to(QDict, qlist_entry_obj(entry));

            if (g_str_equal(qdict_get_str(each, "id"), id)) {
                job = each;
            }
        }
        g_assert_nonnull(job);
        g_assert_false(qdict_haskey(job, "error"));
        status = qdict_get_str(job, "status");
    }
    qobject_unref(response);
    qtest_qmp_assert_success(qts, "{'execute': 'job-dismiss', 'arguments': "
                             "{'id': %s}}", id);
}

/* An empty disk that snapshots can be kept on: node "disk". */
static void make_disk(QTestState *qts, const char *file)
{
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-create', 'arguments': {'job-id': 'create', "
        "'options': {'driver': 'file', 'filename': %s, 'size': 0}}}", file);
    wait_for_job(qts, "create");
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-add', 'arguments': {'driver': 'file', "
        "'node-name': 'file', 'filename': %s}}", file);
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-create', 'arguments': {'job-id': 'format', "
        "'options': {'driver': 'qcow2', 'file': 'file', 'size': 1048576}}}");
    wait_for_job(qts, "format");
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-add', 'arguments': {'driver': 'qcow2', "
        "'node-name': 'disk', 'file': 'file'}}");
}

static void snapshot(QTestState *qts, const char *command)
{
    qtest_qmp_assert_success(qts,
        "{'execute': %s, 'arguments': {'job-id': 'snap', 'tag': 'one', "
        "'vmstate': 'disk', 'devices': ['disk']}}", command);
    wait_for_job(qts, "snap");
}

/* Back to where the job was stalled: once from its end, once from a stall. */
static void test_snapshot_stalled(void)
{
    StalledCopy c = stalled_copy_start();
    g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    QTestState *qts = c.d->t->qts;
    uint64_t event[SMMU3_EVENT_WORDS];
    SvaQtest at_save;

    make_disk(qts, file);
    snapshot(qts, "snapshot-save");
    at_save = *c.d->t;
    for (unsigned i = 0; i < 2; i++) {
        map(c.d, c.missing, PAGE);
        retry_all(&c);
        assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                          COPY_BYTES, 0);
        assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
        snapshot(qts, "snapshot-load");
        *c.d->t = at_save;
        g_assert_cmpuint(record_at(&c.q, c.index).status, ==,
                         PASID_DEV_DONE_PENDING);
        assert_bytes(c.d, c.missing, PAGE, zero_byte);
        g_assert_cmphex(admin32(c.d, PASID_DEV_STATUS), ==,
                        PASID_DEV_STATUS_BUSY);
    }
    snapshot(qts, "snapshot-load");
    *c.d->t = at_save;
    WAIT_FOR(q32(&c.q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    while (sva_event(c.d->t, event)) {
        c.stag = smmu3_get(event, EVENT_STAG);
    }
    trigger_flr(c.d);
    restore_function(c.d);
    assert_stays_cancelled(&c);
    unlink(file);
    rmdir(dir);
}

/* ---- A hostile guest ----------------------------------------------------------------- */

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
        .flags = g_test_rand_bit(),
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
            resume(d, smmu3_get(event, EVENT_STAG), g_test_rand_int_range(0, 3));
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
                                              : g_test_rand_int());
    q_write64(&q, PASID_DEV_Q_RING,
              va(d, memory) + g_test_rand_int_range(0, 16) * PAGE);
    q_write64(&q, PASID_DEV_Q_COMPLETIONS,
              va(d, memory) + g_test_rand_int_range(0, 16 * 128) * 32);
    q_write32(&q, PASID_DEV_Q_SIZE_LOG2, g_test_rand_int_range(0, 7));
    q_write32(&q, PASID_DEV_Q_CTRL,
              g_test_rand_int_range(0, 8) ? 3 : g_test_rand_int());
}

static void random_control(Dev *d)
{
    switch (g_test_rand_int_range(0, 5)) {
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

/* ---- The list ----------------------------------------------------------------------- */

static void add_operations(const char *where, GTestDataFunc test)
{
    for (unsigned i = 0; i < ARRAY_SIZE(operation_tests); i++) {
        g_autofree char *path = g_strdup_printf("/pasid-dev/%s/%s", where,
                                                operation_tests[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test);
    }
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
    add_operations("bypass", test_operation_bypass);
    add_operations("pasid", test_operation_pasid);

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
    g_test_add_func("/pasid-dev/dma/unplugs-itself", test_dma_unplugs);
    g_test_add_func("/pasid-dev/dma/to-anothers-registers",
                    test_dma_to_registers);

    g_test_add_func("/pasid-dev/irq/on-completion", test_irq);
    g_test_add_func("/pasid-dev/irq/on-error", test_irq_on_error);
    g_test_add_func("/pasid-dev/irq/masked-stays-pending", test_irq_masked);

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

    g_test_add_func("/pasid-dev/migration/in-work", test_migrate_in_work);
    g_test_add_func("/pasid-dev/migration/stalled", test_migrate_stalled);
    g_test_add_func("/pasid-dev/migration/snapshot-stalled",
                    test_snapshot_stalled);

    return g_test_run();
}
