/*
 * hisi-zip: registers, mailbox, doorbells, rings, events, the engine, faults,
 * stalls, resets, migration. On virt without IOMMU, and by PASID behind our
 * SMMU. No guest software runs; zlib on the host judges the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "standard-headers/linux/pci_regs.h"
#include "hw/pci/pasid-dev/hisi-qm-regs.h"
#include "hw/pci/pasid-dev/hisi-zip-abi.h"
#include "sva-qtest-state.h"

#define PAGE            UINT64_C(4096)
#define PLAIN_MACHINE   "virt,gic-version=3 -cpu max"

/* How long anything may take: generous, the machine may be busy. */
#define WAIT_SECONDS    30

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

/* ---- The device and its queues -------------------------------------------- */

typedef struct Dev {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar2, bar4;
    uint64_t scratch;           /* a page for contexts */
    uint64_t eq, aeq;           /* rings */
    uint32_t eq_depth, eq_head;
    uint64_t msi;               /* a word for each vector, if enabled */
    bool is_v2;
    /* The process's address space: va - pa of all that is mapped */
    uint64_t offset, root, cds;
} Dev;

typedef struct Queue {
    Dev *d;
    unsigned n, depth;
    uint64_t sq, cq;            /* rings */
    uint32_t tail, head;
    unsigned phase;
} Queue;

static uint32_t reg(Dev *d, uint64_t offset)
{
    return qtest_readl(d->t->qts, d->bar2 + offset);
}

static void set_reg(Dev *d, uint64_t offset, uint32_t value)
{
    qtest_writel(d->t->qts, d->bar2 + offset, value);
}

static void find_device(Dev *d)
{
    int devfn = sva_find(d->t, d->bus, 0x19e5, 0xa250);

    g_assert_cmpint(devfn, >=, 0);
    d->devfn = devfn;
    d->bar2 = sva_enable_bar(d->t, d->bus, d->devfn, 2);
    if (!d->is_v2) {
        d->bar4 = sva_enable_bar(d->t, d->bus, d->devfn, 4);
    }
}

static Dev *dev_start(const char *machine, const char *args)
{
    Dev *d = g_new0(Dev, 1);

    d->t = sva_start_machine(machine, args);
    d->is_v2 = strstr(args, "version=2");
    find_device(d);
    d->scratch = sva_alloc(d->t, PAGE, PAGE);
    return d;
}

static Dev *plain_start(void)
{
    return dev_start(PLAIN_MACHINE, "-device hisi-zip");
}

static void dev_stop(Dev *d)
{
    sva_stop(d->t);
    g_free(d);
}

/* As the driver does: one store of 16 bytes, here two of 8. */
static void mailbox_start(Dev *d, unsigned cmd, bool is_read, unsigned qn,
                          uint64_t addr)
{
    uint64_t word = cmd | 1u << 13 | (unsigned)is_read << 14 |
                    (uint64_t)qn << 16 | addr << 32;

    qtest_writeq(d->t->qts, d->bar2 + QM_MAILBOX, word);
    qtest_writeq(d->t->qts, d->bar2 + QM_MAILBOX + 8, addr >> 32);
}

/* Status; the command must be done at once. */
static unsigned mailbox(Dev *d, unsigned cmd, bool is_read, unsigned qn,
                        uint64_t addr)
{
    uint32_t word;

    mailbox_start(d, cmd, is_read, qn, addr);
    word = reg(d, QM_MAILBOX);
    g_assert_false(word & R_QM_MB_BUSY_MASK);
    return FIELD_EX32(word, QM_MB, STATUS);
}

static void put_words(Dev *d, uint64_t addr, const uint32_t *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        qtest_writel(d->t->qts, addr + i * 4, words[i]);
    }
}

static void get_words(Dev *d, uint64_t addr, uint32_t *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        words[i] = qtest_readl(d->t->qts, addr + i * 4);
    }
}

static unsigned load_context(Dev *d, unsigned cmd, unsigned qn,
                             const uint32_t words[8])
{
    put_words(d, d->scratch, words, 8);
    return mailbox(d, cmd, false, qn, d->scratch);
}

static void dump_context(Dev *d, unsigned cmd, unsigned qn, uint32_t words[8])
{
    g_assert_cmpuint(mailbox(d, cmd, true, qn, d->scratch), ==, 0);
    get_words(d, d->scratch, words, 8);
}

static void write_vft(Dev *d, uint64_t entry)
{
    set_reg(d, QM_VFT_CFG_OP_WR, 0);
    set_reg(d, QM_VFT_CFG_TYPE, 0);
    set_reg(d, QM_VFT_CFG, 0);
    set_reg(d, QM_VFT_CFG_DATA_L, entry);
    set_reg(d, QM_VFT_CFG_DATA_H, entry >> 32);
    set_reg(d, QM_VFT_CFG_RDY, 0);
    set_reg(d, QM_VFT_CFG_OP_ENABLE, 1);
    g_assert_cmpuint(reg(d, QM_VFT_CFG_RDY), ==, 1);
}

static uint64_t vft_of(unsigned queues)
{
    return 1ull << 44 | (uint64_t)(queues - 1) << 45;
}

static void ring_db(Dev *d, unsigned cmd, unsigned qn, uint32_t index,
                    unsigned priority)
{
    uint64_t value = qn | cmd << 12 | (uint64_t)index << 32 |
                     (uint64_t)priority << 48;
    uint64_t at;

    if (cmd >= QM_DB_EQ) {
        at = d->bar2 + QM_DOORBELL_EQ_AEQ;
    } else if (d->is_v2) {
        at = d->bar2 + QM_DOORBELL_SQ_CQ;
    } else {
        at = d->bar4 + qn * QM_ISOLATED_DB_BYTES + QM_DOORBELL_SQ_CQ;
    }
    qtest_writeq(d->t->qts, at, value);
}

/* MSI vectors as words in memory, each written with 0x40 + its number. */
static void enable_msi(Dev *d)
{
    unsigned cap = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_MSI);

    d->msi = sva_alloc(d->t, PAGE, PAGE);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_ADDRESS_LO, 4, d->msi);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_ADDRESS_HI, 4, 0);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_DATA_64, 2, 0x40);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_FLAGS, 2,
                     PCI_MSI_FLAGS_ENABLE | 2 << 4);
}

/* The last MSI since the last look; 0: none. */
static uint32_t take_msi(Dev *d)
{
    uint32_t word = qtest_readl(d->t->qts, d->msi);

    qtest_writel(d->t->qts, d->msi, 0);
    return word;
}

static uint32_t *eq_context(uint64_t ring, uint32_t depth, uint32_t words[8])
{
    memset(words, 0, 32);
    words[1] = ring;
    words[2] = ring >> 32;
    words[6] = (depth - 1) | 1 << 16;
    return words;
}

/* Mem init, VFT, EQ, AEQ, as the driver's start does. */
static void bring_up(Dev *d, uint32_t eq_depth)
{
    uint32_t words[8];

    set_reg(d, QM_MEM_START_INIT, 1);
    g_assert_cmpuint(reg(d, QM_MEM_INIT_DONE) & 1, ==, 1);
    write_vft(d, vft_of(8));
    d->eq_depth = eq_depth;
    d->eq = sva_alloc(d->t, 4 * 4096, PAGE);
    d->aeq = sva_alloc(d->t, 4 * 4096, PAGE);
    g_assert_cmpuint(load_context(d, QM_MB_EQC, 0,
                                  eq_context(d->eq, eq_depth, words)), ==, 0);
    g_assert_cmpuint(load_context(d, QM_MB_AEQC, 0,
                                  eq_context(d->aeq, 64, words)), ==, 0);
    ring_db(d, QM_DB_AEQ, 0, 0, 0);
    ring_db(d, QM_DB_EQ, 0, 0, 0);
    set_reg(d, QM_EQ_INT_MASK, 0);
    set_reg(d, QM_AEQ_INT_MASK, 0);
}

static void sq_context(const Queue *q, unsigned direction, uint32_t pasid,
                       uint32_t words[8])
{
    memset(words, 0, 32);
    words[1] = q->sq;
    words[2] = q->sq >> 32;
    words[3] = (q->depth - 1) | 7 << 12;
    words[5] = pasid;
    words[6] = q->n | 1 << 20 | direction << 24;
}

static void cq_context(const Queue *q, uint32_t words[8])
{
    memset(words, 0, 32);
    words[1] = q->cq;
    words[2] = q->cq >> 32;
    words[3] = (q->depth - 1) | 4 << 12;
    words[6] = 3;
}

/* @pasid: word 5 of the context, with V3's enable in bit 23. */
static Queue queue_open(Dev *d, unsigned n, unsigned depth, unsigned direction,
                        uint32_t pasid)
{
    Queue q = {
        .d = d, .n = n, .depth = depth, .phase = 1,
        .sq = sva_alloc(d->t, depth * HISI_ZIP_SQE_BYTES, PAGE),
        .cq = sva_alloc(d->t, depth * HISI_ZIP_CQE_BYTES, PAGE),
    };
    uint32_t words[8];

    sq_context(&q, direction, pasid, words);
    g_assert_cmpuint(load_context(d, QM_MB_SQC, n, words), ==, 0);
    cq_context(&q, words);
    g_assert_cmpuint(load_context(d, QM_MB_CQC, n, words), ==, 0);
    return q;
}

typedef struct Request {
    uint32_t request;       /* HISI_ZIP_REQUEST() */
    uint64_t src;
    uint32_t bytes;
    uint64_t dst;
    uint32_t room;
    uint32_t mode;
    uint64_t context;
} Request;

static void fill_slot(Queue *q, Request r)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS] = { 0 };

    sqe[HISI_ZIP_SQE_INPUT_LEN] = r.bytes;
    sqe[HISI_ZIP_SQE_MODE] = r.mode | HISI_ZIP_MODE_TYPE(3);
    sqe[HISI_ZIP_SQE_REQUEST] = r.request;
    sqe[HISI_ZIP_SQE_OUTPUT_ROOM] = r.room;
    sqe[HISI_ZIP_SQE_SRC] = r.src;
    sqe[HISI_ZIP_SQE_SRC + 1] = r.src >> 32;
    sqe[HISI_ZIP_SQE_DST] = r.dst;
    sqe[HISI_ZIP_SQE_DST + 1] = r.dst >> 32;
    sqe[HISI_ZIP_SQE_CTX_ADDR] = r.context;
    sqe[HISI_ZIP_SQE_CTX_ADDR + 1] = r.context >> 32;
    sqe[HISI_ZIP_SQE_TAG3] = 0xabc00000 + q->tail;
    put_words(q->d, q->sq + q->tail * HISI_ZIP_SQE_BYTES, sqe,
              HISI_ZIP_SQE_WORDS);
    q->tail = (q->tail + 1) % q->depth;
}

static void submit(Queue *q, Request r)
{
    fill_slot(q, r);
    ring_db(q->d, QM_DB_SQ, q->n, q->tail, 0);
}

static bool is_done(Queue *q)
{
    uint32_t word = qtest_readl(q->d->t->qts, q->cq + q->head * 16 + 12);

    return (word >> 16 & 1) == q->phase;
}

/* Waits for the oldest entry; its SQE into @sqe. No doorbell. */
static void take(Queue *q, uint32_t sqe[HISI_ZIP_SQE_WORDS])
{
    uint32_t word;

    WAIT_FOR(is_done(q));
    word = qtest_readl(q->d->t->qts, q->cq + q->head * 16 + 8);
    g_assert_cmpuint(word >> 16, ==, q->n);
    get_words(q->d, q->sq + (word & 0xffff) * HISI_ZIP_SQE_BYTES, sqe,
              HISI_ZIP_SQE_WORDS);
    g_assert_cmphex(sqe[HISI_ZIP_SQE_TAG3], ==, 0xabc00000 + (word & 0xffff));
    q->head = (q->head + 1) % q->depth;
    q->phase ^= !q->head;
}

/* Status of the request; @sqe as it came back. */
static unsigned run(Queue *q, Request r, uint32_t sqe[HISI_ZIP_SQE_WORDS])
{
    submit(q, r);
    take(q, sqe);
    ring_db(q->d, QM_DB_CQ, q->n, q->head, 1);
    return HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]);
}

/* ---- zlib on the host ------------------------------------------------------- */

static uint8_t *sample(size_t bytes, unsigned seed)
{
    uint8_t *data = g_malloc(bytes + 1);
    uint32_t state = seed * 2654435761u + 1;

    for (size_t i = 0; i < bytes; i++) {
        state = state * 1103515245 + 12345;
        data[i] = state >> 20;
        if (i / 700 % 3) {
            data[i] = "shared address space "[i % 21];
        }
    }
    return data;
}

/* What the device takes: deflate with a trailer, and no header. */
static uint8_t *host_pack(unsigned format, const uint8_t *data, size_t bytes,
                          size_t *packed_bytes)
{
    static const int bits[] = { 0, -15, 15, 31 };
    static const size_t header[] = { 0, 0, 2, 10 };
    size_t room = bytes + bytes / 8 + 256;
    uint8_t *packed = g_malloc(room);
    z_stream zs = { .next_in = (Bytef *)data, .avail_in = bytes,
                    .next_out = packed, .avail_out = room };

    g_assert_cmpint(deflateInit2(&zs, 6, Z_DEFLATED, bits[format], 8,
                                 Z_DEFAULT_STRATEGY), ==, Z_OK);
    g_assert_cmpint(deflate(&zs, Z_FINISH), ==, Z_STREAM_END);
    *packed_bytes = zs.total_out - header[format];
    memmove(packed, packed + header[format], *packed_bytes);
    deflateEnd(&zs);
    return packed;
}

/* The device's output is @data and a right trailer. */
static void assert_unpacks(unsigned format, const uint8_t *packed,
                           size_t packed_bytes, const uint8_t *data,
                           size_t bytes)
{
    g_autofree uint8_t *plain = g_malloc(bytes + 1);
    z_stream zs = { .next_in = (Bytef *)packed, .avail_in = packed_bytes,
                    .next_out = plain, .avail_out = bytes + 1 };

    g_assert_cmpint(inflateInit2(&zs, -15), ==, Z_OK);
    g_assert_cmpint(inflate(&zs, Z_FINISH), ==, Z_STREAM_END);
    g_assert_cmpuint(zs.total_out, ==, bytes);
    g_assert_cmpmem(plain, bytes, data, bytes);
    packed += zs.total_in;
    packed_bytes -= zs.total_in;
    inflateEnd(&zs);
    switch (format) {
    case HISI_ZIP_FORMAT_ZLIB:
        g_assert_cmpuint(packed_bytes, ==, 4);
        g_assert_cmphex((uint32_t)ldl_be_p(packed), ==, adler32(1, data, bytes));
        break;
    case HISI_ZIP_FORMAT_GZIP:
        g_assert_cmpuint(packed_bytes, ==, 8);
        g_assert_cmphex((uint32_t)ldl_le_p(packed), ==, crc32(0, data, bytes));
        g_assert_cmphex((uint32_t)ldl_le_p(packed + 4), ==, bytes);
        break;
    default:
        g_assert_cmpuint(packed_bytes, ==, 0);
    }
}

/* ---- The function and its registers ------------------------------------------ */

static void test_function(void)
{
    Dev *d = dev_start(PLAIN_MACHINE,
                       "-device hisi-zip,queues=1024,pasid-bits=10");
    unsigned msi = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_MSI);
    unsigned exp = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    unsigned pasid = sva_find_ecap(d->t, 0, d->devfn, PCI_EXT_CAP_ID_PASID);

    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, PCI_REVISION_ID, 1), ==,
                    0x30);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, PCI_CLASS_DEVICE, 2),
                    ==, 0x1200);
    /* 4 vectors, 64-bit, maskable */
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, msi + PCI_MSI_FLAGS, 2),
                    ==, 2 << 1 | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, exp + PCI_EXP_FLAGS, 2)
                    >> 4 & 0xf, ==, PCI_EXP_TYPE_RC_END);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, exp + PCI_EXP_DEVCAP, 4)
                    & PCI_EXP_DEVCAP_FLR, !=, 0);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, pasid + PCI_PASID_CAP,
                                    2), ==, 10 << 8);
    g_assert_cmphex(reg(d, QM_V3_QUEUES), ==, 0x200400);
    g_assert_cmphex(reg(d, QM_DB_ISOLATION), ==, 1);
    g_assert_cmphex(reg(d, 0x3100), ==, 1);
    g_assert_cmphex(reg(d, 0x3144), ==, 0);
    g_assert_cmphex(reg(d, 0x3148), ==, 0x3f);
    dev_stop(d);
}

static void test_properties(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device hisi-zip,stop-queue=on,"
                       "flush=on,kernel-crypto=on");

    g_assert_cmphex(reg(d, 0x3100), ==, 0x601);
    g_assert_cmphex(reg(d, 0x3144), ==, 0x30);
    g_assert_cmphex(reg(d, QM_V3_QUEUES), ==, 64 | 64 << 11);
    dev_stop(d);
}

static void test_version_2(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device hisi-zip,version=2");

    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, PCI_REVISION_ID, 1), ==,
                    0x21);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, PCI_BASE_ADDRESS_4, 4),
                    ==, 0);
    g_assert_cmphex(reg(d, 0x3100), ==, 0);
    g_assert_cmphex(reg(d, QM_DB_ISOLATION), ==, 0);
    dev_stop(d);
}

static void test_registers(void)
{
    static const uint32_t kept[] = {
        0x34, 0x100050, 0x100074, 0x1000d8, 0x100148, 0x1040f8, 0x301004,
        0x30100c, 0x301110, 0x301128, 0x3011a8, 0x301208,
    };
    static const struct {
        uint32_t offset, value;
    } fixed[] = {
        { 0x30, 1 }, { 0x210, 0 }, { 0x3100, 1 }, { 0x3148, 0x3f },
        { 0x100008, 0 }, { 0x1000fc, 0 }, { 0x100100, 0 },
        { 0x100158, 64 | 64 << 11 }, { 0x300150, 3 }, { 0x3010ac, 0 },
        { 0x3010a0, 0 }, { 0x1040e4, 1 }, { 0x302000, 0 }, { 0x3fff00, 0 },
    };
    Dev *d = plain_start();

    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        set_reg(d, kept[i], 0xa5a50000 + i);
        g_assert_cmphex(reg(d, kept[i]), ==, 0xa5a50000 + i);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++) {
        if (fixed[i].offset != 0x210) {
            set_reg(d, fixed[i].offset, 0x5a5a5a5a);
        }
        g_assert_cmphex(reg(d, fixed[i].offset), ==, fixed[i].value);
    }
    /* Two words at once */
    g_assert_cmphex(qtest_readq(d->t->qts, d->bar2 + 0x301128), ==,
                    0xa5a50009);
    dev_stop(d);
}

/* ---- Mailbox ------------------------------------------------------------------- */

static void test_contexts(void)
{
    Dev *d = plain_start();
    uint32_t words[8], back[8];
    Queue q;

    /* Nothing without the table of functions. */
    memset(words, 0, sizeof(words));
    words[3] = 0x73ff;
    g_assert_cmpuint(load_context(d, QM_MB_SQC, 0, words), !=, 0);
    bring_up(d, 64);
    q = queue_open(d, 3, 16, HISI_ZIP_DECOMPRESS, 0x1234);
    dump_context(d, QM_MB_SQC, 3, back);
    sq_context(&q, HISI_ZIP_DECOMPRESS, 0x1234, words);
    g_assert_cmpmem(words, 32, back, 32);
    dump_context(d, QM_MB_CQC, 3, back);
    cq_context(&q, words);
    g_assert_cmpmem(words, 32, back, 32);
    memset(back, 0, sizeof(back));
    dump_context(d, QM_MB_EQC, 0, back);
    eq_context(d->eq, 64, words);
    g_assert_cmpmem(words, 28, back, 28);

    /* The function's queues */
    g_assert_cmpuint(mailbox(d, QM_MB_SQC_VFT, true, 0, 0), ==, 0);
    g_assert_cmphex(reg(d, QM_MAILBOX + 4), ==, 0);
    g_assert_cmphex(reg(d, QM_MAILBOX + 8), ==, 1 << 12 | 7 << 13);
    dev_stop(d);
}

static void test_mailbox_errors(void)
{
    Dev *d = plain_start();
    uint32_t words[8] = { 0 };

    bring_up(d, 64);
    words[3] = 0x73ff;
    g_assert_cmpuint(load_context(d, QM_MB_SQC, 8, words), !=, 0);
    g_assert_cmpuint(load_context(d, QM_MB_CQC, 0xffff, words), !=, 0);
    /* Entries of another size */
    words[3] = 0x63ff;
    g_assert_cmpuint(load_context(d, QM_MB_SQC, 0, words), !=, 0);
    g_assert_cmpuint(load_context(d, QM_MB_CQC, 0, words), !=, 0);
    /* No memory there */
    g_assert_cmpuint(mailbox(d, QM_MB_SQC, false, 0, UINT64_MAX - 4095), !=, 0);
    g_assert_cmpuint(mailbox(d, 0xff, false, 0, 0), !=, 0);
    g_assert_cmpuint(mailbox(d, QM_MB_STOP_QP, false, 64, 0), !=, 0);
    g_assert_cmpuint(mailbox(d, QM_MB_SQC_VFT, false, 0, 0), !=, 0);
    /* And it still works */
    g_assert_cmpuint(mailbox(d, QM_MB_SQC_BT, false, 0, 0), ==, 0);
    dev_stop(d);
}

static void test_write_back(void)
{
    Dev *d = plain_start();
    uint64_t sqcs = sva_alloc(d->t, 8 * 32, PAGE);
    uint64_t cqcs = sva_alloc(d->t, 8 * 32, PAGE);
    uint64_t buf = sva_alloc(d->t, PAGE, PAGE);
    uint32_t words[8], sqe[HISI_ZIP_SQE_WORDS];
    Queue q;

    bring_up(d, 64);
    mailbox(d, QM_MB_SQC_BT, false, 0, sqcs);
    mailbox(d, QM_MB_CQC_BT, false, 0, cqcs);
    q = queue_open(d, 2, 16, HISI_ZIP_COMPRESS, 0);
    run(&q, (Request) { HISI_ZIP_REQUEST(1, 0, 4), buf, 10, buf + 100, 100 },
        sqe);
    set_reg(d, QM_CACHE_WB_START, 1);
    g_assert_cmphex(reg(d, QM_CACHE_WB_DONE) & 1, ==, 1);
    get_words(d, sqcs + 2 * 32, words, 8);
    g_assert_cmphex(words[0], ==, 0x10001);
    g_assert_cmphex(words[1], ==, q.sq);
    get_words(d, cqcs + 2 * 32, words, 8);
    g_assert_cmphex(words[0], ==, 0x10001);
    g_assert_cmphex(words[1], ==, q.cq);
    /* A queue that was never started */
    get_words(d, sqcs + 3 * 32, words, 8);
    g_assert_cmphex(words[1], ==, 0);
    dev_stop(d);
}

/* ---- The engine ------------------------------------------------------------------ */

typedef struct Buffers {
    uint64_t src, dst;
} Buffers;

static void compress_case(Queue *q, Buffers b, unsigned format, unsigned window,
                          size_t bytes)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    g_autofree uint8_t *data = sample(bytes, bytes + window);
    g_autofree uint8_t *packed = NULL;
    uint32_t room = bytes + bytes / 8 + 256, produced;
    unsigned status;

    qtest_bufwrite(q->d->t->qts, b.src, data, bytes + !bytes);
    status = run(q, (Request) { HISI_ZIP_REQUEST(format, 0, window), b.src,
                                bytes, b.dst, room }, sqe);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    g_assert_cmphex(status, ==, produced >= bytes ? HISI_ZIP_NOT_SMALLER
                                                  : HISI_ZIP_OK);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, bytes);
    g_assert_cmpuint(produced, <=, room);
    packed = g_malloc(produced);
    qtest_bufread(q->d->t->qts, b.dst, packed, produced);
    assert_unpacks(format, packed, produced, data, bytes);
}

static void decompress_case(Queue *q, Buffers b, unsigned format, size_t bytes)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    g_autofree uint8_t *data = sample(bytes, bytes);
    g_autofree uint8_t *plain = g_malloc(bytes + 1);
    size_t packed_bytes;
    g_autofree uint8_t *packed = host_pack(format, data, bytes, &packed_bytes);

    /* Something follows: the device must stop before it. */
    qtest_bufwrite(q->d->t->qts, b.src, packed, packed_bytes);
    g_assert_cmphex(run(q, (Request) { HISI_ZIP_REQUEST(format, 0, 0), b.src,
                                       packed_bytes + 5, b.dst, bytes }, sqe),
                    ==, HISI_ZIP_OK);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, packed_bytes);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, bytes);
    g_assert_cmphex(sqe[HISI_ZIP_SQE_STATUS] & HISI_ZIP_STATUS_LAST_BLOCK, !=,
                    0);
    qtest_bufread(q->d->t->qts, b.dst, plain, bytes + !bytes);
    g_assert_cmpmem(plain, bytes, data, bytes);
}

static void test_formats(void)
{
    static const size_t bytes[] = { 0, 1, 2, 300, 65535, 65536, 65537, 400000 };
    Dev *d = plain_start();
    Buffers b = { sva_alloc(d->t, MiB, PAGE), sva_alloc(d->t, MiB, PAGE) };
    Queue comp, decomp;

    bring_up(d, 64);
    comp = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    decomp = queue_open(d, 1, 16, HISI_ZIP_DECOMPRESS, 0);
    for (unsigned format = 1; format <= 3; format++) {
        for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
            compress_case(&comp, b, format, i % 5, bytes[i]);
            /* Not aligned */
            decompress_case(&decomp, (Buffers) { b.src + 3, b.dst + 5 },
                            format, bytes[i]);
        }
    }
    dev_stop(d);
}

/* No distance of the output is longer than the window. */
static void test_window(void)
{
    static const int bits[] = { 12, 13, 14, 15, 15 };
    Dev *d = plain_start();
    enum { BYTES = 200000 };
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    g_autofree uint8_t *data = g_malloc(BYTES), *packed = g_malloc(MiB);
    g_autofree uint8_t *plain = g_malloc(BYTES);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced[5];
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    /* Noise that comes again after 5000, 10000, 20000, 30000 bytes */
    for (unsigned i = 0; i < BYTES; i++) {
        static const unsigned back[] = { 3000, 6000, 12000, 20000, 30000 };
        unsigned distance = back[i / 40000];

        data[i] = i % 40000 < distance ? (uint8_t)g_random_int()
                                       : data[i - distance];
    }
    qtest_bufwrite(d->t->qts, src, data, BYTES);
    for (unsigned window = 0; window < 5; window++) {
        z_stream zs = { 0 };

        run(&q, (Request) { HISI_ZIP_REQUEST(1, 0, window), src, BYTES, dst,
                            MiB }, sqe);
        produced[window] = sqe[HISI_ZIP_SQE_PRODUCED];
        qtest_bufread(d->t->qts, dst, packed, produced[window]);
        zs.next_in = packed;
        zs.avail_in = produced[window];
        zs.next_out = plain;
        zs.avail_out = BYTES;
        g_assert_cmpint(inflateInit2(&zs, -bits[window]), ==, Z_OK);
        g_assert_cmpint(inflate(&zs, Z_FINISH), ==, Z_STREAM_END);
        g_assert_cmpmem(plain, BYTES, data, BYTES);
        inflateEnd(&zs);
        if (window && window != HISI_ZIP_WINDOW_24K) {
            g_assert_cmpuint(produced[window], <, produced[window - 1]);
        }
    }
    dev_stop(d);
}

static void test_statuses(void)
{
    Dev *d = plain_start();
    enum { BYTES = 100000 };
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    g_autofree uint8_t *data = sample(BYTES, 1);
    size_t packed_bytes;
    g_autofree uint8_t *packed = host_pack(HISI_ZIP_FORMAT_GZIP, data, BYTES,
                                           &packed_bytes);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    Request comp, decomp, r;
    Queue qc, qd, qx;

    bring_up(d, 64);
    qc = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    qd = queue_open(d, 1, 16, HISI_ZIP_DECOMPRESS, 0);
    qx = queue_open(d, 2, 16, 2, 0);
    qtest_bufwrite(d->t->qts, src, data, BYTES);
    comp = (Request) { HISI_ZIP_REQUEST(3, 0, 4), src, BYTES, dst, MiB };

    g_assert_cmphex(run(&qc, comp, sqe), ==, HISI_ZIP_OK);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    g_assert_cmphex(sqe[HISI_ZIP_SQE_ISIZE], ==, BYTES);
    r = comp;
    r.room = produced;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_OK);
    r.room = produced - 1;
    qtest_writeb(d->t->qts, dst + produced - 1, 0x77);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_NO_ROOM);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, produced - 1);
    g_assert_cmphex(qtest_readb(d->t->qts, dst + produced - 1), ==, 0x77);
    r.room = 0;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_NO_ROOM);

    r = comp;
    r.request = HISI_ZIP_REQUEST(0x40, 0, 4);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_UNSUPPORTED);
    r.request = HISI_ZIP_REQUEST(3, 2, 4);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_BAD_REQUEST);
    r.request = HISI_ZIP_REQUEST(3, 0, 5);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_BAD_REQUEST);
    g_assert_cmphex(run(&qx, comp, sqe), ==, HISI_ZIP_UNSUPPORTED);
    r = comp;
    r.src = UINT64_C(1) << 50;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_READ_REFUSED);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, 0);
    r = comp;
    r.dst = UINT64_C(1) << 50;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_WRITE_REFUSED);

    qtest_bufwrite(d->t->qts, src, packed, packed_bytes);
    decomp = (Request) { HISI_ZIP_REQUEST(3, 0, 0), src, packed_bytes, dst,
                         MiB };
    g_assert_cmphex(run(&qd, decomp, sqe), ==, HISI_ZIP_OK);
    g_assert_cmphex(~sqe[HISI_ZIP_SQE_CHECKSUM], !=, 0);
    r = decomp;
    r.room = BYTES - 1;
    g_assert_cmphex(run(&qd, r, sqe), ==, HISI_ZIP_NO_ROOM);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, BYTES - 1);
    for (size_t cut = 1; cut <= packed_bytes; cut = cut * 2 + 5) {
        r = decomp;
        r.bytes = packed_bytes - cut;
        g_assert_cmphex(run(&qd, r, sqe), ==, HISI_ZIP_TRUNCATED);
        g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, r.bytes);
    }
    qtest_writeb(d->t->qts, src + packed_bytes - 5,
                 packed[packed_bytes - 5] ^ 1);
    g_assert_cmphex(run(&qd, decomp, sqe), ==, HISI_ZIP_BAD_CHECKSUM);
    qtest_memset(d->t->qts, src, 0xff, 100);
    g_assert_cmphex(run(&qd, decomp, sqe), ==, HISI_ZIP_BAD_DATA);
    dev_stop(d);
}

/* Writes a list of @n entries at @node; returns it. */
static uint64_t put_list(Dev *d, uint64_t node, uint64_t next,
                         const uint64_t (*entries)[2], unsigned n)
{
    qtest_writeq(d->t->qts, node + HISI_SGL_NEXT, next);
    qtest_writew(d->t->qts, node + HISI_SGL_ENTRIES_IN_CHAIN, n);
    qtest_writew(d->t->qts, node + HISI_SGL_ENTRIES_HERE, n);
    qtest_writew(d->t->qts, node + HISI_SGL_ROOM_HERE, n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t at = node + HISI_SGL_HEADER_BYTES + i * HISI_SGE_BYTES;

        qtest_writeq(d->t->qts, at + HISI_SGE_ADDR, entries[i][0]);
        qtest_writel(d->t->qts, at + HISI_SGE_LEN, entries[i][1]);
    }
    return node;
}

static void test_lists(void)
{
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    uint64_t nodes = sva_alloc(d->t, 4 * PAGE, PAGE);
    uint64_t in[][2] = { { src, 100 }, { src + 500, 0 }, { src + 1000, 1 },
                         { src + 2000, 5000 } };
    uint64_t in2[][2] = { { src + 8000, 3000 } };
    uint64_t out[][2] = { { dst, 10 }, { dst + 100, 3 }, { dst + 200, 9000 } };
    g_autofree uint8_t *data = sample(MiB, 1), *plain = g_malloc(8101);
    g_autofree uint8_t *packed = g_malloc(MiB), *joined = g_malloc(MiB);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    Request r;
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    qtest_bufwrite(d->t->qts, src, data, 20000);
    put_list(d, nodes, nodes + PAGE, in, 4);
    put_list(d, nodes + PAGE, 0, in2, 1);
    put_list(d, nodes + 2 * PAGE, 0, out, 3);
    memcpy(plain, data, 100);
    plain[100] = data[1000];
    memcpy(plain + 101, data + 2000, 5000);
    memcpy(plain + 5101, data + 8000, 3000);
    r = (Request) { HISI_ZIP_REQUEST(2, 1, 4), nodes, 8101, nodes + 2 * PAGE,
                    MiB };
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    qtest_bufread(d->t->qts, dst, packed, 10000);
    memcpy(joined, packed, 10);
    memcpy(joined + 10, packed + 100, 3);
    memcpy(joined + 13, packed + 200, produced - 13);
    assert_unpacks(2, joined, produced, plain, 8101);
    g_assert_cmphex(packed[10], ==, 0);

    /* Shorter than said; offsets count */
    r.bytes = 8102;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    r.bytes = 8101;
    r.mode = 1;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    r.bytes = 8100;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    /* A destination that ends early */
    out[2][1] = 5;
    put_list(d, nodes + 2 * PAGE, 0, out, 3);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_NO_ROOM);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, 18);
    /* Rings, of nodes without and with empty entries */
    put_list(d, nodes, nodes, in, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    in[0][1] = 0;
    put_list(d, nodes, nodes, in, 1);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    r.src = UINT64_C(1) << 50;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_LIST_REFUSED);
    dev_stop(d);
}

/* ---- Stateful streams --------------------------------------------------- */

typedef struct Pieces {
    Queue *q;
    unsigned format;
    const uint8_t *in;
    size_t in_bytes;
    unsigned most_in, most_out;     /* of a request, at least 1 */
    GRand *rand;
    uint64_t src, dst, context;     /* guest memory */
} Pieces;

/*
 * All of @p.in in requests of random sizes, each with the context of the one
 * before. Returns the output, and in *@status the last request's.
 */
static uint8_t *in_pieces(Pieces *p, bool finish, size_t *out_bytes,
                          unsigned *status)
{
    QTestState *qts = p->q->d->t->qts;
    uint8_t *out = g_malloc(16 * MiB);
    size_t at = 0;
    bool is_first = true;

    *out_bytes = 0;
    for (unsigned turn = 0;; turn++) {
        uint32_t sqe[HISI_ZIP_SQE_WORDS], produced, consumed, state;
        uint32_t bytes = g_rand_int_range(p->rand, 0, p->most_in + 1);
        uint32_t room = g_rand_int_range(p->rand, 0, p->most_out + 1);
        bool is_last;

        bytes = MIN(bytes, p->in_bytes - at);
        is_last = at + bytes == p->in_bytes;
        qtest_bufwrite(qts, p->src, p->in + at, bytes + !bytes);
        *status = run(p->q, (Request) {
            HISI_ZIP_REQUEST(p->format, 0, 4), p->src, bytes, p->dst, room,
            HISI_ZIP_MODE_STATEFUL | (is_first ? HISI_ZIP_MODE_NEW_STREAM : 0) |
            (finish && is_last ? HISI_ZIP_MODE_FINISH : 0), p->context }, sqe);
        is_first = false;
        produced = sqe[HISI_ZIP_SQE_PRODUCED];
        consumed = sqe[HISI_ZIP_SQE_CONSUMED];
        state = HISI_ZIP_CTX_STATE(sqe[HISI_ZIP_SQE_CTX0]);
        g_assert_cmpuint(produced, <=, room);
        g_assert_cmpuint(consumed, <=, bytes);
        qtest_bufread(qts, p->dst, out + *out_bytes, produced + !produced);
        *out_bytes += produced;
        g_assert_cmpuint(*out_bytes, <, 15 * MiB);
        at += consumed;
        if (*status != HISI_ZIP_OK) {
            return out;
        }
        /* What is not taken says why. */
        g_assert_true(state || consumed == bytes);
        if (at == p->in_bytes && is_last && !state) {
            return out;
        }
        g_assert_cmpuint(turn, <, 200000);
    }
}

static Pieces pieces_of(Queue *q, unsigned format, const uint8_t *in,
                        size_t in_bytes, unsigned most_in, unsigned most_out,
                        GRand *rand)
{
    Dev *d = q->d;

    return (Pieces) {
        .q = q, .format = format, .in = in, .in_bytes = in_bytes,
        .most_in = most_in, .most_out = most_out, .rand = rand,
        .src = sva_alloc(d->t, 256 * KiB, PAGE),
        .dst = sva_alloc(d->t, 256 * KiB, PAGE),
        .context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE),
    };
}

static const unsigned piece_sizes[][2] = {
    { 200000, 200000 }, { 3000, 200000 }, { 200000, 700 }, { 5000, 3000 },
};

static void test_stream_compression(void)
{
    enum { BYTES = 150000 };
    Dev *d = plain_start();
    g_autofree uint8_t *data = sample(BYTES, 7);
    GRand *rand = g_rand_new_with_seed(1);
    unsigned status;
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 64, HISI_ZIP_COMPRESS, 0);
    /* A part that does not compress */
    for (unsigned i = 50000; i < 100000; i++) {
        data[i] = g_rand_int(rand);
    }
    for (unsigned format = 1; format <= 3; format++) {
        for (unsigned i = 0; i < ARRAY_SIZE(piece_sizes); i++) {
            g_autofree uint8_t *packed = NULL;
            size_t bytes;
            Pieces p = pieces_of(&q, format, data, BYTES, piece_sizes[i][0],
                                 piece_sizes[i][1], rand);

            packed = in_pieces(&p, true, &bytes, &status);
            g_assert_cmphex(status, ==, HISI_ZIP_OK);
            assert_unpacks(format, packed, bytes, data, BYTES);
        }
    }
    g_rand_free(rand);
    dev_stop(d);
}

/* @strategy, @level: of zlib; between them all kinds of block. */
static void stream_back(Queue *q, GRand *rand, const uint8_t *data,
                        size_t bytes, int level, int strategy,
                        unsigned most_in, unsigned most_out)
{
    size_t room = bytes + bytes / 4 + 1000, out_bytes;
    g_autofree uint8_t *packed = g_malloc(room), *out = NULL;
    z_stream zs = { .next_in = (Bytef *)data, .avail_in = bytes,
                    .next_out = packed, .avail_out = room };
    unsigned status;
    Pieces p;

    g_assert_cmpint(deflateInit2(&zs, level, Z_DEFLATED, 31, 8, strategy), ==,
                    Z_OK);
    g_assert_cmpint(deflate(&zs, Z_FINISH), ==, Z_STREAM_END);
    p = pieces_of(q, HISI_ZIP_FORMAT_GZIP, packed + 10, zs.total_out - 10,
                  most_in, most_out, rand);
    deflateEnd(&zs);
    out = in_pieces(&p, false, &out_bytes, &status);
    g_assert_cmphex(status, ==, HISI_ZIP_STREAM_END);
    g_assert_cmpmem(out, out_bytes, data, bytes);
}

static void test_stream_decompression(void)
{
    enum { BYTES = 150000 };
    static const struct {
        int level, strategy;
    } kinds[] = {
        { 6, Z_DEFAULT_STRATEGY },      /* dynamic blocks */
        { 6, Z_FIXED },
        { 0, Z_DEFAULT_STRATEGY },      /* stored */
        { 9, Z_RLE }, { 6, Z_HUFFMAN_ONLY },
    };
    Dev *d = plain_start();
    g_autofree uint8_t *data = sample(BYTES, 8);
    GRand *rand = g_rand_new_with_seed(2);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 64, HISI_ZIP_DECOMPRESS, 0);
    memset(data + 60000, 0, 20000);     /* long matches */
    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (unsigned i = 0; i < ARRAY_SIZE(piece_sizes); i++) {
            stream_back(&q, rand, data, BYTES, kinds[k].level,
                        kinds[k].strategy, piece_sizes[i][0],
                        piece_sizes[i][1]);
        }
        /* A byte at a time, in and out: every place to stop at */
        stream_back(&q, rand, data, 600, kinds[k].level, kinds[k].strategy, 1,
                    3000);
        stream_back(&q, rand, data, 600, kinds[k].level, kinds[k].strategy,
                    3000, 1);
        stream_back(&q, rand, data + 79000, 2000, kinds[k].level,
                    kinds[k].strategy, 2, 5);
    }
    g_rand_free(rand);
    dev_stop(d);
}

static void test_stream_errors(void)
{
    enum { BYTES = 30000 };
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    uint64_t context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE);
    g_autofree uint8_t *data = sample(BYTES, 1), *saved = g_malloc(64 * KiB);
    GRand *rand = g_rand_new_with_seed(3);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request start, more;
    Queue q, back;

    bring_up(d, 64);
    q = queue_open(d, 0, 64, HISI_ZIP_COMPRESS, 0);
    back = queue_open(d, 1, 64, HISI_ZIP_DECOMPRESS, 0);
    qtest_bufwrite(d->t->qts, src, data, BYTES);
    start = (Request) { HISI_ZIP_REQUEST(2, 0, 4), src, BYTES, dst, MiB,
                        HISI_ZIP_MODE_STATEFUL | HISI_ZIP_MODE_NEW_STREAM,
                        context };
    more = start;
    more.mode = HISI_ZIP_MODE_STATEFUL;
    /* No context yet; nowhere to keep one */
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
    more.context = UINT64_C(1) << 50;
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_CONTEXT_REFUSED);
    more.mode |= HISI_ZIP_MODE_NEW_STREAM;
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_CONTEXT_REFUSED);
    more = start;
    more.mode = HISI_ZIP_MODE_STATEFUL;

    g_assert_cmphex(run(&q, start, sqe), ==, HISI_ZIP_OK);
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_OK);
    /* Another format, another direction */
    more.request = HISI_ZIP_REQUEST(3, 0, 4);
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
    more.request = start.request;
    g_assert_cmphex(run(&back, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
    /* A bit wrong anywhere in it */
    qtest_bufread(d->t->qts, context, saved, 64 * KiB);
    for (unsigned i = 0; i < 40; i++) {
        unsigned at = i < 20 ? i * 3
                             : (unsigned)g_rand_int_range(rand, 0, 50000);

        qtest_writeb(d->t->qts, context + at, saved[at] ^ 1 << i % 8);
        g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
        qtest_writeb(d->t->qts, context + at, saved[at]);
    }
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_OK);
    g_rand_free(rand);
    dev_stop(d);
}

/* Contexts that pass for right and are noise: refused, or other data. */
static void test_stream_hostile(void)
{
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    uint64_t context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE);
    g_autofree uint8_t *noise = g_malloc(64 * KiB);
    GRand *rand = g_rand_new_with_seed(5);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q[2];

    bring_up(d, 64);
    q[0] = queue_open(d, 0, 64, HISI_ZIP_COMPRESS, 0);
    q[1] = queue_open(d, 1, 64, HISI_ZIP_DECOMPRESS, 0);
    for (unsigned turn = 0; turn < 600; turn++) {
        bool decompress = turn % 4 != 0;
        unsigned format = 1 + turn % 3;

        for (unsigned i = 0; i < 64 * KiB; i += 4) {
            stl_le_p(noise + i, g_rand_int(rand));
        }
        qtest_bufwrite(d->t->qts, src, noise, 4096);
        /* Fields within their limits, most of the time: see the source */
        stl_le_p(noise, 0x315a4848);
        noise[8] = decompress;
        noise[9] = format;
        noise[10] = g_rand_int_range(rand, 0, 8) == 0;
        noise[11] = g_rand_int_range(rand, 0, 4);
        noise[32] = g_rand_int_range(rand, 0, 10);
        stl_le_p(noise + 36, g_rand_int_range(rand, 0, 20490));
        stl_le_p(noise + 40, g_rand_int_range(rand, 0, 32770));
        stl_le_p(noise + 44, g_rand_int_range(rand, 0, 642));
        stl_le_p(noise + 48, g_rand_int_range(rand, 0, 130));
        stl_le_p(noise + 52, g_rand_int_range(rand, 0, 65540));
        if (turn & 1) {
            noise[128] = (noise[128] & ~6) | 2;     /* a fixed block */
        }
        stl_le_p(noise + 4, crc32(0, noise + 8, 1024 + 20480 + 32768 - 8));
        qtest_bufwrite(d->t->qts, context, noise, 64 * KiB);
        run(&q[decompress], (Request) {
            HISI_ZIP_REQUEST(format, 0, 4), src, 4096, dst,
            turn & 8 ? MiB : 100,
            HISI_ZIP_MODE_STATEFUL | (turn & 2 ? HISI_ZIP_MODE_FINISH : 0),
            context }, sqe);
    }
    g_rand_free(rand);
    dev_stop(d);
}

/* ---- Rings and events ------------------------------------------------------------ */

static Request small_request(Dev *d)
{
    uint64_t buf = sva_alloc(d->t, PAGE, PAGE);

    return (Request) { HISI_ZIP_REQUEST(1, 0, 4), buf, 64, buf + 1024, 1024 };
}

static void test_wrap(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS], words[8];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 5, 5, HISI_ZIP_COMPRESS, 0);
    for (unsigned i = 0; i < 23; i++) {
        g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    }
    dump_context(d, QM_MB_SQC, 5, words);
    g_assert_cmphex(words[0], ==, 3 | 3 << 16);
    g_assert_cmphex(words[5] >> 22 & 1, ==, 0);         /* 4 rounds */
    for (unsigned i = 0; i < 3; i++) {
        run(&q, r, sqe);
    }
    dump_context(d, QM_MB_SQC, 5, words);
    g_assert_cmphex(words[0], ==, 1 | 1 << 16);
    g_assert_cmphex(words[5] >> 22 & 1, ==, 1);
    dump_context(d, QM_MB_CQC, 5, words);
    g_assert_cmphex(words[0], ==, 1 | 1 << 16);
    g_assert_cmphex(words[5] >> 22 & 1, ==, 1);
    dev_stop(d);
}

static void test_several_at_once(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q[3];

    bring_up(d, 64);
    for (unsigned n = 0; n < 3; n++) {
        q[n] = queue_open(d, n, 64, HISI_ZIP_COMPRESS, 0);
        for (unsigned i = 0; i < 63; i++) {
            fill_slot(&q[n], r);
        }
    }
    for (unsigned n = 0; n < 3; n++) {
        ring_db(d, QM_DB_SQ, n, q[n].tail, 0);
    }
    for (unsigned i = 0; i < 63; i++) {
        for (unsigned n = 0; n < 3; n++) {
            take(&q[n], sqe);
        }
    }
    g_assert_cmphex(reg(d, QM_IDLE), ==, 1);
    dev_stop(d);
}

static uint32_t event(Dev *d, unsigned index)
{
    return qtest_readl(d->t->qts, d->eq + index * 4);
}

static void test_events(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    enable_msi(d);
    bring_up(d, 4);
    q = queue_open(d, 6, 16, HISI_ZIP_COMPRESS, 0);

    /* Armed at first: one event, one interrupt */
    submit(&q, r);
    take(&q, sqe);
    g_assert_cmphex(event(d, 0), ==, 6 | 1 << 16);
    g_assert_cmphex(take_msi(d), ==, 0x40 + QM_VECTOR_EQ);
    g_assert_cmphex(reg(d, QM_EQ_INT_SOURCE), ==, 1);
    /* Not armed: no event */
    submit(&q, r);
    take(&q, sqe);
    g_assert_cmphex(event(d, 1), ==, 0);
    ring_db(d, QM_DB_CQ, 6, q.head, 0);
    submit(&q, r);
    take(&q, sqe);
    g_assert_cmphex(event(d, 1), ==, 0);
    /* Armed with an entry there, but the first event is not consumed */
    ring_db(d, QM_DB_CQ, 6, (q.head + 15) % 16, 1);
    g_assert_cmphex(event(d, 1), ==, 0);
    g_assert_cmphex(take_msi(d), ==, 0);
    /* Consumed: the next comes, with an interrupt */
    ring_db(d, QM_DB_EQ, 0, 1, 0);
    g_assert_cmphex(event(d, 1), ==, 6 | 1 << 16);
    g_assert_cmphex(take_msi(d), ==, 0x40 + QM_VECTOR_EQ);
    ring_db(d, QM_DB_EQ, 0, 2, 0);
    g_assert_cmphex(reg(d, QM_EQ_INT_SOURCE), ==, 0);
    /* Armed with nothing there: the next entry is an event */
    ring_db(d, QM_DB_CQ, 6, q.head, 1);
    g_assert_cmphex(take_msi(d), ==, 0);
    submit(&q, r);
    take(&q, sqe);
    g_assert_cmphex(event(d, 2), ==, 6 | 1 << 16);
    g_assert_cmphex(take_msi(d), ==, 0x40);
    /* Masked: pending until unmasked; the phase turns */
    set_reg(d, QM_EQ_INT_MASK, 1);
    ring_db(d, QM_DB_EQ, 0, 3, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, 0);    /* consumes both, arms */
    g_assert_cmphex(run(&q, r, sqe), ==, 0);
    g_assert_cmphex(event(d, 3), ==, 6 | 1 << 16);
    g_assert_cmphex(take_msi(d), ==, 0);
    set_reg(d, QM_EQ_INT_MASK, 0);
    g_assert_cmphex(take_msi(d), ==, 0x40);
    ring_db(d, QM_DB_EQ, 0, 0, 0);
    run(&q, r, sqe);
    g_assert_cmphex(event(d, 0), ==, 6);
    dev_stop(d);
}

/* More queues have events than the event queue has room for: none is lost. */
static void test_event_queue_full(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS], seen = 0;
    Request r = small_request(d);

    bring_up(d, 4);
    for (unsigned n = 0; n < 8; n++) {
        Queue q = queue_open(d, n, 16, HISI_ZIP_COMPRESS, 0);

        submit(&q, r);
        take(&q, sqe);
    }
    for (unsigned i = 0; i < 8; i++) {
        uint32_t entry = event(d, i % 4);

        g_assert_cmphex(entry >> 16 & 1, ==, !(i / 4 & 1));
        seen |= 1u << (entry & 0xffff);
        ring_db(d, QM_DB_EQ, 0, (i + 1) % 4, 0);
    }
    g_assert_cmphex(seen, ==, 0xff);
    dev_stop(d);
}

/* Software that takes no completions loses the queue, and only that. */
static void test_overflow(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS], sqc[8], cqc[8];
    Request r = small_request(d);
    Queue q, other;

    enable_msi(d);
    bring_up(d, 64);
    q = queue_open(d, 1, 4, HISI_ZIP_COMPRESS, 0);
    other = queue_open(d, 2, 4, HISI_ZIP_COMPRESS, 0);
    for (unsigned i = 0; i < 3; i++) {
        submit(&q, r);
        take(&q, sqe);
    }
    take_msi(d);
    submit(&q, r);
    WAIT_FOR(qtest_readl(d->t->qts, d->aeq) ==
             (1 | 1 << 16 | QM_AEQE_CQ_OVERFLOW << 17));
    g_assert_cmphex(take_msi(d), ==, 0x40 + QM_VECTOR_AEQ);
    g_assert_cmphex(reg(d, QM_AEQ_INT_SOURCE), ==, 1);
    ring_db(d, QM_DB_AEQ, 0, 1, 0);
    g_assert_cmphex(reg(d, QM_AEQ_INT_SOURCE), ==, 0);
    /* Drained, as far as the driver can see, also of what comes later */
    submit(&q, r);
    dump_context(d, QM_MB_SQC, 1, sqc);
    dump_context(d, QM_MB_CQC, 1, cqc);
    g_assert_cmphex(sqc[0] >> 16, ==, cqc[0] >> 16);
    g_assert_cmphex(sqc[5] >> 22 & 1, ==, cqc[5] >> 22 & 1);
    g_assert_cmphex(run(&other, r, sqe), ==, HISI_ZIP_OK);
    /* Loaded again it works. */
    q = queue_open(d, 1, 4, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    dev_stop(d);
}

static void test_ring_lost(void)
{
    Dev *d = plain_start();
    uint32_t words[8];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 4, HISI_ZIP_COMPRESS, 0);
    sq_context(&q, HISI_ZIP_COMPRESS, 0, words);
    words[2] = 1 << 18;
    load_context(d, QM_MB_SQC, 1, words);
    submit(&q, r);
    WAIT_FOR(qtest_readl(d->t->qts, d->aeq) ==
             (1 | 1 << 16 | QM_AEQE_CQE_ERROR << 17));
    q = queue_open(d, 1, 4, HISI_ZIP_COMPRESS, 0);
    cq_context(&q, words);
    words[2] = 1 << 18;
    load_context(d, QM_MB_CQC, 1, words);
    submit(&q, r);
    WAIT_FOR(qtest_readl(d->t->qts, d->aeq + 4) ==
             (1 | 1 << 16 | QM_AEQE_CQE_ERROR << 17));
    g_assert_cmphex(reg(d, QM_IDLE), ==, 1);
    dev_stop(d);
}

static void test_bad_doorbells(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    ring_db(d, QM_DB_SQ, 3, 1, 0);          /* no such queue yet */
    ring_db(d, QM_DB_CQ, 3, 1, 1);
    q = queue_open(d, 3, 16, HISI_ZIP_COMPRESS, 0);
    ring_db(d, QM_DB_SQ, 3, 16, 0);         /* beyond the ring */
    ring_db(d, QM_DB_CQ, 3, 1, 1);          /* no entry there */
    ring_db(d, QM_DB_EQ, 0, 5, 0);
    ring_db(d, QM_DB_AEQ, 0, 5, 0);
    ring_db(d, QM_DB_SQ, 60, 1, 0);         /* beyond the function's */
    /* Event queues from a queue's own page, other commands, other places */
    qtest_writeq(d->t->qts, d->bar4 + 3 * 0x10000 + 0x1000,
                 3 | QM_DB_EQ << 12 | 1ull << 32);
    qtest_writeq(d->t->qts, d->bar4 + 3 * 0x10000 + 0x1000,
                 3 | 7 << 12 | 1ull << 32);
    qtest_writeq(d->t->qts, d->bar4 + 3 * 0x10000 + 0x1008, 3 | 1ull << 32);
    qtest_writel(d->t->qts, d->bar4 + 3 * 0x10000 + 0x1000, 3);
    /* A wrong random number */
    qtest_writeq(d->t->qts, d->bar4 + 3 * 0x10000 + 0x1000,
                 3 | 0x1234 << 16 | 1ull << 32);
    g_assert_cmphex(reg(d, QM_IDLE), ==, 1);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    /* The number in an isolated page's doorbell does not count. */
    fill_slot(&q, r);
    qtest_writeq(d->t->qts, d->bar4 + 3 * 0x10000 + 0x1000,
                 9 | (uint64_t)q.tail << 32);
    take(&q, sqe);
    dev_stop(d);
}

static void test_version_2_queue(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device hisi-zip,version=2");
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    /* The enable bit is V3's; without SSV there is no PASID. */
    q = queue_open(d, 7, 16, HISI_ZIP_COMPRESS, 1 << 23 | 5);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    /* A doorbell in two halves */
    fill_slot(&q, r);
    set_reg(d, QM_DOORBELL_SQ_CQ, 7);
    set_reg(d, QM_DOORBELL_SQ_CQ + 4, q.tail);
    take(&q, sqe);
    /* With SSV there is, and no IOMMU that knows it */
    set_reg(d, 0x301128, 0x40001071);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_READ_REFUSED);
    dev_stop(d);
}

static void test_vft_goes(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    write_vft(d, 0);
    submit(&q, r);
    g_assert_cmphex(reg(d, QM_IDLE), ==, 1);
    g_assert_false(is_done(&q));
    write_vft(d, vft_of(8));
    submit(&q, r);
    g_assert_false(is_done(&q));
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    dev_stop(d);
}

/* ---- Resets ------------------------------------------------------------------------ */

static void assert_is_reset(Dev *d)
{
    g_assert_cmphex(reg(d, QM_EQ_INT_MASK), ==, 1);
    g_assert_cmphex(reg(d, QM_VFT_CFG_RDY), ==, 1);
    g_assert_cmphex(reg(d, QM_CACHE_WB_DONE), ==, 0);
    g_assert_cmphex(reg(d, 0x301128), ==, 0);
    g_assert_cmphex(reg(d, 0x3148), ==, 0x3f);
    g_assert_cmpuint(mailbox(d, QM_MB_SQC_VFT, true, 0, 0), ==, 0);
    g_assert_cmphex(reg(d, QM_MAILBOX + 8), ==, 0);
}

static void test_flr(void)
{
    Dev *d = plain_start();
    unsigned exp = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    unsigned pasid = sva_find_ecap(d->t, 0, d->devfn, PCI_EXT_CAP_ID_PASID);
    uint64_t src = sva_alloc(d->t, 8 * MiB, PAGE);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    set_reg(d, 0x301128, 1);
    sva_config_write(d->t, 0, d->devfn, pasid + PCI_PASID_CTRL, 2, 1);
    submit(&q, (Request) { HISI_ZIP_REQUEST(1, 0, 4), src, 8 * MiB, src,
                           8 * MiB });
    sva_config_write(d->t, 0, d->devfn, exp + PCI_EXP_DEVCTL, 2,
                     PCI_EXP_DEVCTL_BCR_FLR);
    find_device(d);
    assert_is_reset(d);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, pasid + PCI_PASID_CTRL,
                                    2), ==, 0);
    dev_stop(d);
}

static void test_system_reset(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    run(&q, r, sqe);
    set_reg(d, QM_CACHE_WB_START, 1);
    qtest_system_reset(d->t->qts);
    find_device(d);
    assert_is_reset(d);
    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    dev_stop(d);
}

static void test_bus_master_off(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    sva_config_write(d->t, 0, d->devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    submit(&q, r);
    WAIT_FOR(reg(d, QM_IDLE));
    g_assert_false(is_done(&q));
    sva_config_write(d->t, 0, d->devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    dev_stop(d);
}

/* ---- By PASID, behind the SMMU -------------------------------------------------------- */

#define PASID           5
#define PASID_WORD      (PASID | 1 << 23)

static Dev *sva_dev_start(const char *args)
{
    Dev *d = dev_start("virt-sva -cpu max", args);
    unsigned cap = sva_find_ecap(d->t, 0, d->devfn, PCI_EXT_CAP_ID_PASID);
    uint64_t cd[SMMU3_CD_WORDS];
    uint64_t plain_root;

    sva_smmu_enable(d->t);
    d->cds = sva_alloc(d->t, 64 << 5, PAGE);
    d->root = sva_table(d->t);
    d->offset = UINT64_C(0x7f0000000000);
    sva_ste_stage1(d->t, d->devfn, d->cds, 5);
    /* Without PASID: memory as it is; with ours: faults stall. */
    plain_root = sva_table(d->t);
    sva_map(d->t, plain_root, SVA_RAM, SVA_RAM, 128 * MiB, 0);
    sva_cd_for(cd, plain_root, 1, false);
    sva_set_cd(d->t, d->devfn, d->cds, 0, cd);
    sva_cd_for(cd, d->root, 2, true);
    sva_set_cd(d->t, d->devfn, d->cds, PASID, cd);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_PASID_CTRL, 2, 1);
    bring_up(d, 64);
    return d;
}

/* The stall event's STAG; asserts where it was. */
static unsigned stalled_at(Dev *d, uint64_t va)
{
    uint64_t event_[SMMU3_EVENT_WORDS];

    WAIT_FOR(sva_event(d->t, event_));
    g_assert_cmphex(smmu3_get(event_, EVENT_STALL), ==, 1);
    g_assert_cmphex(smmu3_get(event_, EVENT_SUBSTREAMID), ==, PASID);
    g_assert_cmphex(event_[2], ==, va);
    return smmu3_get(event_, EVENT_STAG);
}

static void resume(Dev *d, unsigned stag, bool retry)
{
    uint64_t command[2] = { 0 };

    smmu3_set(command, CMD_OPCODE, CMD_RESUME);
    smmu3_set(command, CMD_STREAMID, d->devfn);
    smmu3_set(command, CMD_RESUME_AC, retry);
    smmu3_set(command, CMD_RESUME_AB, !retry);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

static void sva_invalidate_all(Dev *d)
{
    uint64_t command[2] = { 0 };

    smmu3_set(command, CMD_OPCODE, CMD_TLBI_NSNH_ALL);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

enum { STALL_BYTES = 5 * 4096 };

typedef struct StallJob {
    Queue q;
    uint64_t src, dst;          /* pa */
    Request r;
    uint8_t *data;
} StallJob;

/* A compression whose buffers are not mapped. */
static StallJob stall_job(Dev *d, unsigned n)
{
    StallJob j = {
        .q = queue_open(d, n, 16, HISI_ZIP_COMPRESS, PASID_WORD),
        .src = sva_alloc(d->t, STALL_BYTES, PAGE),
        .dst = sva_alloc(d->t, 2 * STALL_BYTES, PAGE),
        .data = g_malloc(STALL_BYTES),
    };

    /* Noise: as long compressed */
    for (unsigned i = 0; i < STALL_BYTES; i++) {
        j.data[i] = g_random_int();
    }
    qtest_bufwrite(d->t->qts, j.src, j.data, STALL_BYTES);
    j.r = (Request) { HISI_ZIP_REQUEST(2, 0, 4), j.src + d->offset, STALL_BYTES,
                      j.dst + d->offset, 2 * STALL_BYTES };
    return j;
}

static void map_page(Dev *d, uint64_t pa)
{
    sva_map(d->t, d->root, pa + d->offset, pa, PAGE, 0);
}

static void stall_job_ends_well(Dev *d, StallJob *j)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    g_autofree uint8_t *packed = g_malloc(2 * STALL_BYTES);

    take(&j->q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_NOT_SMALLER);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    qtest_bufread(d->t->qts, j->dst, packed, produced);
    assert_unpacks(2, packed, produced, j->data, STALL_BYTES);
}

static void test_every_page_stalls(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    StallJob j = stall_job(d, 1);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue other = queue_open(d, 2, 16, HISI_ZIP_COMPRESS, 0);
    Request r = small_request(d);

    submit(&j.q, j.r);
    for (unsigned i = 0; i < STALL_BYTES; i += PAGE) {
        unsigned stag = stalled_at(d, j.r.src + i);

        g_assert_cmphex(run(&other, r, sqe), ==, HISI_ZIP_OK);
        /* A doorbell wakes nobody. */
        ring_db(d, QM_DB_SQ, 1, j.q.tail, 0);
        map_page(d, j.src + i);
        resume(d, stag, true);
    }
    for (unsigned i = 0; i <= STALL_BYTES; i += PAGE) {
        unsigned stag = stalled_at(d, j.r.dst + i);

        map_page(d, j.dst + i);
        resume(d, stag, true);
    }
    stall_job_ends_well(d, &j);
    g_assert_cmpuint(sva_counter(d->t, "stalls"), ==, 11);
    g_assert_cmpuint(sva_counter(d->t, "stalls_outstanding"), ==, 0);
    g_free(j.data);
    dev_stop(d);
}

static void test_terminated(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    StallJob j = stall_job(d, 1);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];

    submit(&j.q, j.r);
    resume(d, stalled_at(d, j.r.src), false);
    take(&j.q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_READ_REFUSED);
    sva_map(d->t, d->root, j.r.src, j.src, STALL_BYTES, 0);
    submit(&j.q, j.r);
    resume(d, stalled_at(d, j.r.dst), false);
    take(&j.q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_WRITE_REFUSED);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, 0);
    /* And the queue goes on. */
    submit(&j.q, j.r);
    sva_map(d->t, d->root, j.r.dst, j.dst, 2 * STALL_BYTES, 0);
    resume(d, stalled_at(d, j.r.dst), true);
    stall_job_ends_well(d, &j);
    g_free(j.data);
    dev_stop(d);
}

/* A stalled list: header, entry, data; and the entry may lie on two pages. */
static void test_list_stalls(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    uint64_t list = sva_alloc(d->t, 2 * PAGE, PAGE) + PAGE - 64 - 16;
    uint64_t src = sva_alloc(d->t, PAGE, PAGE), dst = sva_alloc(d->t, PAGE, PAGE);
    uint64_t in[][2] = { { src + d->offset + 7, 100 } };
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, PASID_WORD);
    uint64_t out[][2] = { { dst + d->offset, 1000 } };
    uint64_t out_list = sva_alloc(d->t, PAGE, PAGE);
    unsigned stag;

    put_list(d, list, 0, in, 1);
    put_list(d, out_list, 0, out, 1);
    map_page(d, out_list);
    submit(&q, (Request) { HISI_ZIP_REQUEST(1, 1, 4), list + d->offset, 100,
                           out_list + d->offset, 1000 });
    stag = stalled_at(d, list + d->offset);
    map_page(d, list & -PAGE);
    resume(d, stag, true);
    stag = stalled_at(d, (list & -PAGE) + PAGE + d->offset);
    map_page(d, (list & -PAGE) + PAGE);
    resume(d, stag, true);
    stag = stalled_at(d, in[0][0]);
    map_page(d, src);
    resume(d, stag, true);
    stag = stalled_at(d, out[0][0]);
    map_page(d, dst);
    resume(d, stag, true);
    take(&q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==, HISI_ZIP_OK);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, 100);
    dev_stop(d);
}

/* The context of a stream: each of its pages stalls, written and read. */
static void test_context_stalls(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    uint64_t context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE);
    uint64_t buf = sva_alloc(d->t, PAGE, PAGE);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, PASID_WORD);
    Request r = { HISI_ZIP_REQUEST(3, 0, 4), buf + d->offset, 1000,
                  buf + d->offset + 2000, 2000,
                  HISI_ZIP_MODE_STATEFUL | HISI_ZIP_MODE_NEW_STREAM,
                  context + d->offset };
    unsigned stag;

    map_page(d, buf);
    for (unsigned turn = 0; turn < 2; turn++) {
        submit(&q, r);
        for (unsigned i = 0; i < HISI_ZIP_STREAM_CONTEXT_BYTES; i += PAGE) {
            stag = stalled_at(d, r.context + i);
            map_page(d, context + i);
            resume(d, stag, true);
        }
        take(&q, sqe);
        g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                        HISI_ZIP_OK);
        g_assert_cmpuint(sqe[HISI_ZIP_SQE_ISIZE], ==, 1000 * (turn + 1));
        sva_unmap(d->t, d->root, r.context, HISI_ZIP_STREAM_CONTEXT_BYTES);
        sva_invalidate_all(d);
        r.mode = HISI_ZIP_MODE_STATEFUL;
    }
    submit(&q, r);
    resume(d, stalled_at(d, r.context), false);
    take(&q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_CONTEXT_REFUSED);
    dev_stop(d);
}

/* Whatever ends the queue takes the stalled access back. */
static void test_cancelled(void)
{
    static const char *const how[] = { "load", "vft", "flr", "reset" };

    for (unsigned i = 0; i < ARRAY_SIZE(how); i++) {
        Dev *d = sva_dev_start("-device hisi-zip");
        unsigned exp = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
        StallJob j = stall_job(d, 1);
        unsigned stag;

        submit(&j.q, j.r);
        stag = stalled_at(d, j.r.src);
        g_assert_cmpuint(sva_counter(d->t, "stalls_outstanding"), ==, 1);
        switch (i) {
        case 0:
            j.q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, PASID_WORD);
            break;
        case 1:
            write_vft(d, 0);
            break;
        case 2:
            sva_config_write(d->t, 0, d->devfn, exp + PCI_EXP_DEVCTL, 2,
                             PCI_EXP_DEVCTL_BCR_FLR);
            break;
        case 3:
            set_reg(d, QM_MEM_START_INIT, 1);
            break;
        }
        /* Software answers all the same. */
        resume(d, stag, true);
        g_assert_cmpuint(sva_counter(d->t, "stalls_outstanding"), ==, 0);
        g_assert_false(is_done(&j.q));
        g_free(j.data);
        dev_stop(d);
    }
}

static void test_stop_queue(void)
{
    Dev *d = sva_dev_start("-device hisi-zip,stop-queue=on,flush=on");
    StallJob j = stall_job(d, 1);
    unsigned stag;

    g_assert_cmphex(mailbox(d, QM_MB_STOP_QP, false, 1, 0), ==, 0);
    g_assert_cmphex(mailbox(d, QM_MB_FLUSH_QM, false, 0, 0), ==, 0);
    for (unsigned cmd = QM_MB_STOP_QP; cmd <= QM_MB_FLUSH_QM; cmd++) {
        uint32_t sqe[HISI_ZIP_SQE_WORDS];

        submit(&j.q, j.r);
        stag = stalled_at(d, j.r.src);
        mailbox_start(d, cmd, false, cmd == QM_MB_STOP_QP ? 1 : 0, 0);
        g_assert_true(reg(d, QM_MAILBOX) & R_QM_MB_BUSY_MASK);
        /* It takes nothing else meanwhile. */
        mailbox_start(d, QM_MB_SQC, false, 1, 0);
        g_assert_true(reg(d, QM_MAILBOX) & R_QM_MB_BUSY_MASK);
        g_assert_cmphex(reg(d, QM_MAILBOX) & 0xff, ==, cmd);
        resume(d, stag, false);
        take(&j.q, sqe);
        g_assert_false(reg(d, QM_MAILBOX) & R_QM_MB_BUSY_MASK);
        g_assert_cmphex(FIELD_EX32(reg(d, QM_MAILBOX), QM_MB, STATUS), ==, 0);
    }
    g_free(j.data);
    dev_stop(d);
}

/* PASIDs turned off, another PASID, version 2's way. */
static void test_pasid_rules(void)
{
    Dev *d = sva_dev_start("-device hisi-zip,version=2");
    unsigned cap = sva_find_ecap(d->t, 0, d->devfn, PCI_EXT_CAP_ID_PASID);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    StallJob j = stall_job(d, 1);
    Request r;

    sva_map(d->t, d->root, j.r.src, j.src, STALL_BYTES, 0);
    sva_map(d->t, d->root, j.r.dst, j.dst, 2 * STALL_BYTES, 0);
    /* Reads with PASID, writes without */
    set_reg(d, 0x301128, 0x40001071);
    set_reg(d, 0x301134, 0x40001070);
    r = j.r;
    r.dst = j.dst;
    g_assert_cmphex(run(&j.q, r, sqe), ==, HISI_ZIP_NOT_SMALLER);
    set_reg(d, 0x301134, 0x40001071);
    submit(&j.q, j.r);
    stall_job_ends_well(d, &j);
    ring_db(d, QM_DB_CQ, 1, j.q.head, 0);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_PASID_CTRL, 2, 0);
    g_assert_cmphex(run(&j.q, j.r, sqe), ==, HISI_ZIP_READ_REFUSED);
    g_free(j.data);
    dev_stop(d);
}

/* ---- Migration ------------------------------------------------------------------------ */

static void test_migrate_idle(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    enable_msi(d);
    bring_up(d, 64);
    q = queue_open(d, 1, 4, HISI_ZIP_COMPRESS, 0);
    for (unsigned i = 0; i < 6; i++) {
        run(&q, r, sqe);
    }
    set_reg(d, 0x301004, 0x1234);
    take_msi(d);
    d->t = sva_migrate(d->t, PLAIN_MACHINE, "-device hisi-zip");
    g_assert_cmphex(reg(d, 0x301004), ==, 0x1234);
    ring_db(d, QM_DB_EQ, 0, 1, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    g_assert_cmphex(take_msi(d), ==, 0x40);
    dev_stop(d);
}

static void test_migrate_in_work(void)
{
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, 8 * MiB, PAGE);
    uint64_t dst = sva_alloc(d->t, 9 * MiB, PAGE);
    g_autofree uint8_t *data = sample(8 * MiB, 3), *packed = NULL;
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 4, HISI_ZIP_COMPRESS, 0);
    qtest_bufwrite(d->t->qts, src, data, 8 * MiB);
    for (unsigned i = 0; i < 3; i++) {
        submit(&q, (Request) { HISI_ZIP_REQUEST(3, 0, 4), src, 8 * MiB, dst,
                               9 * MiB });
    }
    d->t = sva_migrate(d->t, PLAIN_MACHINE, "-device hisi-zip");
    for (unsigned i = 0; i < 3; i++) {
        take(&q, sqe);
        g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                        HISI_ZIP_OK);
    }
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    packed = g_malloc(produced);
    qtest_bufread(d->t->qts, dst, packed, produced);
    assert_unpacks(3, packed, produced, data, 8 * MiB);
    dev_stop(d);
}

/* Retries each stall that there is an event of. */
static bool answer_stalls(Dev *d)
{
    uint64_t event_[SMMU3_EVENT_WORDS];

    while (sva_event(d->t, event_)) {
        g_assert_cmphex(smmu3_get(event_, EVENT_STALL), ==, 1);
        resume(d, smmu3_get(event_, EVENT_STAG), true);
    }
    return true;
}

static void test_migrate_stalled(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    StallJob j = stall_job(d, 1);
    unsigned stag;

    submit(&j.q, j.r);
    stag = stalled_at(d, j.r.src);
    map_page(d, j.src);
    resume(d, stag, true);
    stag = stalled_at(d, j.r.src + PAGE);
    d->t = sva_migrate(d->t, "virt-sva -cpu max", "-device hisi-zip");
    sva_map(d->t, d->root, j.r.src, j.src, STALL_BYTES, 0);
    sva_map(d->t, d->root, j.r.dst, j.dst, 2 * STALL_BYTES, 0);
    /* The job starts again, and may have stalled again: answer what comes. */
    resume(d, stag, true);
    WAIT_FOR(answer_stalls(d) && is_done(&j.q));
    stall_job_ends_well(d, &j);
    g_assert_cmpuint(sva_counter(d->t, "stalls_outstanding"), ==, 0);
    g_free(j.data);
    dev_stop(d);
}

/* Back to where the job was stalled: once from its end, once from a stall. */
static void test_snapshot_stalled(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    g_autofree char *dir = g_dir_make_tmp("hisi-zip-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    StallJob j = stall_job(d, 1), at_save;
    unsigned stag;
    SvaQtest t_at_save;

    sva_make_disk(d->t->qts, file);
    submit(&j.q, j.r);
    stag = stalled_at(d, j.r.src);
    sva_snapshot_save(d->t->qts);
    t_at_save = *d->t;
    at_save = j;
    for (unsigned i = 0; i < 3; i++) {
        if (i != 1) {
            sva_map(d->t, d->root, j.r.src, j.src, STALL_BYTES, 0);
            sva_map(d->t, d->root, j.r.dst, j.dst, 2 * STALL_BYTES, 0);
            resume(d, stag, true);
            WAIT_FOR(answer_stalls(d) && is_done(&j.q));
            stall_job_ends_well(d, &j);
            g_assert_cmpuint(sva_counter(d->t, "stalls_outstanding"), ==, 0);
        }
        sva_snapshot_load(d->t->qts);
        *d->t = t_at_save;
        j = at_save;
        g_assert_false(is_done(&j.q));
    }
    unlink(file);
    rmdir(dir);
    g_free(j.data);
    dev_stop(d);
}

/* ---- Jobs that write to the function itself -------------------------------- */

#define ECAM(bus, devfn) \
    (UINT64_C(0x4010000000) + ((uint64_t)(bus) << 20 | (devfn) << 12))

/*
 * A decompression whose output is @value at @dst, and zeroes, @n bytes in
 * all: they are still being written when the first have their effect.
 */
static Request write_word(Dev *d, uint64_t dst, uint16_t value, unsigned n)
{
    uint64_t src = sva_alloc(d->t, PAGE, PAGE);
    g_autofree uint8_t *plain = g_malloc0(n);
    g_autofree uint8_t *packed = NULL;
    size_t bytes;

    stw_le_p(plain, value);
    packed = host_pack(1, plain, n, &bytes);
    qtest_bufwrite(d->t->qts, src, packed, bytes);
    return (Request) { HISI_ZIP_REQUEST(1, 0, 0), src, bytes, dst, n };
}

static void test_job_resets_itself(void)
{
    Dev *d = plain_start();
    unsigned exp = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q, other;
    Request r;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_DECOMPRESS, 0);
    other = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    r = write_word(d, ECAM(0, d->devfn) + exp + PCI_EXP_DEVCTL,
                   PCI_EXP_DEVCTL_BCR_FLR, 256);
    fill_slot(&q, r);
    fill_slot(&q, r);
    ring_db(d, QM_DB_SQ, 0, q.tail, 0);
    submit(&other, small_request(d));
    WAIT_FOR(sva_config_read(d->t, 0, d->devfn, PCI_COMMAND, 2) == 0);
    g_assert_false(is_done(&q));
    find_device(d);
    assert_is_reset(d);
    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, small_request(d), sqe), ==, HISI_ZIP_OK);
    dev_stop(d);
}

/* Its own registers do not take the function's accesses. */
static void test_job_writes_registers(void)
{
    Dev *d = plain_start();
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_DECOMPRESS, 0);
    g_assert_cmphex(run(&q, write_word(d, d->bar2 + QM_MEM_START_INIT, 1, 2),
                        sqe),
                    ==, HISI_ZIP_WRITE_REFUSED);
    g_assert_cmphex(run(&q, write_word(d, d->bar2 + 0x301128, 1, 2), sqe), ==,
                    HISI_ZIP_WRITE_REFUSED);
    g_assert_cmphex(reg(d, 0x301128), ==, 0);
    dev_stop(d);
}

static void test_job_unplugs_itself(void)
{
    Dev *d = g_new0(Dev, 1);
    unsigned slot, port = 4 << 3;
    Queue q;

    d->t = sva_start_machine(PLAIN_MACHINE,
                             "-device pcie-root-port,id=rp,addr=4.0,chassis=1 "
                             "-device hisi-zip,bus=rp");
    sva_enable_bridge(d->t, 0, port, 1);
    d->bus = 1;
    find_device(d);
    d->scratch = sva_alloc(d->t, PAGE, PAGE);
    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_DECOMPRESS, 0);
    slot = sva_find_cap(d->t, 0, port, PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
    sva_config_write(d->t, 0, port, slot, 2, PCI_EXP_SLTCTL_PWR_IND_ON);
    submit(&q, write_word(d, ECAM(0, port) + slot,
                          PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC, 2));
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    g_assert_false(is_done(&q));
    dev_stop(d);
}

/* ---- A hostile guest -------------------------------------------------------------------- */

static uint64_t random64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* Registers, doorbells, contexts and entries at random: nothing breaks. */
static void test_noise(void)
{
    static const uint32_t places[] = {
        0, 4, 8, 0xc, 0x200, 0x204, 0x300, 0x304, 0x308, 0x30c, 0x1000, 0x1004,
        0x2000, 0x2004, 0x100040, 0x100054, 0x100058, 0x10005c, 0x100060,
        0x100064, 0x100068, 0x10006c, 0x301128, 0x301134, 0x30111c,
    };
    Dev *d = plain_start();
    uint64_t memory = sva_alloc(d->t, MiB, PAGE);
    g_autofree uint8_t *noise = g_malloc(MiB);
    GRand *rand = g_rand_new_with_seed(4);
    Request r;
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q;

    for (unsigned i = 0; i < MiB; i++) {
        noise[i] = g_rand_int(rand);
    }
    qtest_bufwrite(d->t->qts, memory, noise, MiB);
    bring_up(d, 64);
    for (unsigned i = 0; i < 8; i++) {
        queue_open(d, i, 2 + i * 3, i & 1, i & 2 ? PASID_WORD : 0);
    }
    for (unsigned turn = 0; turn < 4000; turn++) {
        uint64_t value = random64(rand);
        unsigned kind = g_rand_int_range(rand, 0, 8);

        switch (kind) {
        case 0:
        case 1:
            set_reg(d, places[g_rand_int_range(rand, 0, ARRAY_SIZE(places))],
                    kind ? value : value & 7);
            break;
        case 2:
            qtest_writeq(d->t->qts, d->bar2 +
                         (g_rand_int_range(rand, 0, 4 * MiB) & ~7), value);
            break;
        case 3:
            ring_db(d, g_rand_int_range(rand, 0, 4),
                    g_rand_int_range(rand, 0, 8),
                    g_rand_int_range(rand, 0, 20), value & 1);
            break;
        case 4:
            write_vft(d, vft_of(8));
            break;
        case 5:
        case 6: {
            unsigned n = g_rand_int_range(rand, 0, 8);
            uint32_t words[8];

            for (unsigned i = 0; i < 8; i++) {
                words[i] = random64(rand);
            }
            words[1] = memory + (value & 0xffff0);
            words[2] = 0;
            words[3] = (words[3] & 0xfff) | (kind == 5 ? 7 : 4) << 12;
            words[4] = 0;
            words[5] &= ~(1 << 23) | words[5] << 1;
            if (words[6] & 1) {
                words[6] = n;
            }
            load_context(d, kind == 5 ? QM_MB_SQC : QM_MB_CQC, n, words);
            break;
        }
        case 7: {
            uint32_t words[8];

            load_context(d, value & 1 ? QM_MB_EQC : QM_MB_AEQC, 0,
                         eq_context(memory, value >> 8 & 0xffff, words));
            break;
        }
        }
    }
    g_rand_free(rand);
    /* It is all there after a reset. */
    qtest_system_reset(d->t->qts);
    find_device(d);
    bring_up(d, 64);
    r = small_request(d);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/hisi-zip/function", test_function);
    g_test_add_func("/hisi-zip/properties", test_properties);
    g_test_add_func("/hisi-zip/version-2", test_version_2);
    g_test_add_func("/hisi-zip/registers", test_registers);
    g_test_add_func("/hisi-zip/mailbox/contexts", test_contexts);
    g_test_add_func("/hisi-zip/mailbox/errors", test_mailbox_errors);
    g_test_add_func("/hisi-zip/mailbox/write-back", test_write_back);
    g_test_add_func("/hisi-zip/mailbox/stop-queue", test_stop_queue);
    g_test_add_func("/hisi-zip/engine/formats", test_formats);
    g_test_add_func("/hisi-zip/engine/window", test_window);
    g_test_add_func("/hisi-zip/engine/statuses", test_statuses);
    g_test_add_func("/hisi-zip/engine/lists", test_lists);
    g_test_add_func("/hisi-zip/stream/compression", test_stream_compression);
    g_test_add_func("/hisi-zip/stream/decompression",
                    test_stream_decompression);
    g_test_add_func("/hisi-zip/stream/errors", test_stream_errors);
    g_test_add_func("/hisi-zip/stream/hostile", test_stream_hostile);
    g_test_add_func("/hisi-zip/queue/wrap", test_wrap);
    g_test_add_func("/hisi-zip/queue/several-at-once", test_several_at_once);
    g_test_add_func("/hisi-zip/queue/overflow", test_overflow);
    g_test_add_func("/hisi-zip/queue/ring-lost", test_ring_lost);
    g_test_add_func("/hisi-zip/queue/bad-doorbells", test_bad_doorbells);
    g_test_add_func("/hisi-zip/queue/version-2", test_version_2_queue);
    g_test_add_func("/hisi-zip/queue/vft-goes", test_vft_goes);
    g_test_add_func("/hisi-zip/events/armed", test_events);
    g_test_add_func("/hisi-zip/events/full", test_event_queue_full);
    g_test_add_func("/hisi-zip/reset/flr", test_flr);
    g_test_add_func("/hisi-zip/reset/system", test_system_reset);
    g_test_add_func("/hisi-zip/reset/bus-master-off", test_bus_master_off);
    g_test_add_func("/hisi-zip/pasid/every-page-stalls", test_every_page_stalls);
    g_test_add_func("/hisi-zip/pasid/terminated", test_terminated);
    g_test_add_func("/hisi-zip/pasid/list-stalls", test_list_stalls);
    g_test_add_func("/hisi-zip/pasid/context-stalls", test_context_stalls);
    g_test_add_func("/hisi-zip/pasid/cancelled", test_cancelled);
    g_test_add_func("/hisi-zip/pasid/rules", test_pasid_rules);
    g_test_add_func("/hisi-zip/migrate/idle", test_migrate_idle);
    g_test_add_func("/hisi-zip/migrate/in-work", test_migrate_in_work);
    g_test_add_func("/hisi-zip/migrate/stalled", test_migrate_stalled);
    g_test_add_func("/hisi-zip/migrate/snapshot-stalled",
                    test_snapshot_stalled);
    g_test_add_func("/hisi-zip/hostile/job-resets-itself",
                    test_job_resets_itself);
    g_test_add_func("/hisi-zip/hostile/job-writes-registers",
                    test_job_writes_registers);
    g_test_add_func("/hisi-zip/hostile/job-unplugs-itself",
                    test_job_unplugs_itself);
    g_test_add_func("/hisi-zip/hostile/noise", test_noise);
    return g_test_run();
}
