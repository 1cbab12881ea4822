/*
 * A hisi-zip without guest software, see hisi-zip-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"

/* ---- The device and its queues ----------------------------------------- */

uint32_t reg(Dev *d, uint64_t offset)
{
    return qtest_readl(d->t->qts, d->bar2 + offset);
}

void set_reg(Dev *d, uint64_t offset, uint32_t value)
{
    qtest_writel(d->t->qts, d->bar2 + offset, value);
}

void find_device(Dev *d)
{
    int devfn = sva_find(d->t, d->bus, 0x19e5, 0xa250);

    g_assert_cmpint(devfn, >=, 0);
    d->devfn = devfn;
    d->bar2 = sva_enable_bar(d->t, d->bus, d->devfn, 2);
    if (!d->is_v2) {
        d->bar4 = sva_enable_bar(d->t, d->bus, d->devfn, 4);
    }
}

Dev *dev_start(const char *machine, const char *args)
{
    Dev *d = g_new0(Dev, 1);

    d->t = sva_start_machine(machine, args);
    d->is_v2 = strstr(args, "version=2");
    find_device(d);
    d->scratch = sva_alloc(d->t, PAGE, PAGE);
    return d;
}

Dev *behind_port_start(const char *args)
{
    Dev *d = g_new0(Dev, 1);
    g_autofree char *all = g_strdup_printf(
        "-device pcie-root-port,id=rp,addr=%x.0,chassis=1 "
        "-device hisi-zip,bus=rp %s", PORT >> 3, args);

    d->t = sva_start_machine(PLAIN_MACHINE, all);
    sva_enable_bridge(d->t, 0, PORT, 1);
    d->bus = 1;
    find_device(d);
    d->scratch = sva_alloc(d->t, PAGE, PAGE);
    d->slot_control = sva_find_cap(d->t, 0, PORT, PCI_CAP_ID_EXP) +
                      PCI_EXP_SLTCTL;
    sva_config_write(d->t, 0, PORT, d->slot_control, 2,
                     PCI_EXP_SLTCTL_PWR_IND_ON);
    return d;
}

Dev *plain_start(void)
{
    return dev_start(PLAIN_MACHINE, "-device hisi-zip");
}

void dev_stop(Dev *d)
{
    sva_stop(d->t);
    g_free(d);
}

void mailbox_start(Dev *d, unsigned cmd, bool is_read, unsigned qn,
                   uint64_t addr)
{
    uint64_t word = cmd | 1u << 13 | (unsigned)is_read << 14 |
                    (uint64_t)qn << 16 | addr << 32;

    qtest_writeq(d->t->qts, d->bar2 + QM_MAILBOX, word);
    qtest_writeq(d->t->qts, d->bar2 + QM_MAILBOX + 8, addr >> 32);
}

unsigned mailbox(Dev *d, unsigned cmd, bool is_read, unsigned qn,
                 uint64_t addr)
{
    uint32_t word;

    mailbox_start(d, cmd, is_read, qn, addr);
    word = reg(d, QM_MAILBOX);
    g_assert_false(word & R_QM_MB_BUSY_MASK);
    return FIELD_EX32(word, QM_MB, STATUS);
}

void put_words(Dev *d, uint64_t addr, const uint32_t *words, unsigned n)
{
    g_autofree uint32_t *le = g_new(uint32_t, n);

    for (unsigned i = 0; i < n; i++) {
        le[i] = cpu_to_le32(words[i]);
    }
    sva_bufwrite(d->t, addr, le, n * sizeof(*le));
}

void get_words(Dev *d, uint64_t addr, uint32_t *words, unsigned n)
{
    sva_bufread(d->t, addr, words, n * sizeof(*words));
    for (unsigned i = 0; i < n; i++) {
        words[i] = le32_to_cpu(words[i]);
    }
}

unsigned load_context(Dev *d, unsigned cmd, unsigned qn,
                      const uint32_t words[8])
{
    put_words(d, d->scratch, words, 8);
    return mailbox(d, cmd, false, qn, d->scratch);
}

void dump_context(Dev *d, unsigned cmd, unsigned qn, uint32_t words[8])
{
    g_assert_cmpuint(mailbox(d, cmd, true, qn, d->scratch), ==, 0);
    get_words(d, d->scratch, words, 8);
}

void write_vft(Dev *d, uint64_t entry)
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

uint64_t vft_of(unsigned queues)
{
    return 1ull << 44 | (uint64_t)(queues - 1) << 45;
}

void ring_db(Dev *d, unsigned cmd, unsigned qn, uint32_t index,
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

void enable_msi(Dev *d)
{
    unsigned cap = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_MSI);

    d->msi = sva_alloc(d->t, PAGE, PAGE);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_ADDRESS_LO, 4, d->msi);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_ADDRESS_HI, 4, 0);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_DATA_64, 2, 0x40);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_MSI_FLAGS, 2,
                     PCI_MSI_FLAGS_ENABLE | 2 << 4);
}

uint32_t take_msi(Dev *d)
{
    uint32_t word = qtest_readl(d->t->qts, d->msi);

    qtest_writel(d->t->qts, d->msi, 0);
    return word;
}

uint32_t *eq_context(uint64_t ring, uint32_t depth, uint32_t words[8])
{
    memset(words, 0, 32);
    words[1] = ring;
    words[2] = ring >> 32;
    words[6] = (depth - 1) | 1 << 16;
    return words;
}

void bring_up(Dev *d, uint32_t eq_depth)
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

void sq_context(const Queue *q, unsigned direction, uint32_t pasid,
                uint32_t words[8])
{
    memset(words, 0, 32);
    words[1] = q->sq;
    words[2] = q->sq >> 32;
    words[3] = (q->depth - 1) | 7 << 12;
    words[5] = pasid;
    words[6] = q->n | 1 << 20 | direction << 24;
}

void cq_context(const Queue *q, uint32_t words[8])
{
    memset(words, 0, 32);
    words[1] = q->cq;
    words[2] = q->cq >> 32;
    words[3] = (q->depth - 1) | 4 << 12;
    words[6] = 3;
}

Queue queue_open(Dev *d, unsigned n, unsigned depth, unsigned direction,
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

void fill_slot(Queue *q, Request r)
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

void submit(Queue *q, Request r)
{
    fill_slot(q, r);
    ring_db(q->d, QM_DB_SQ, q->n, q->tail, 0);
}

bool is_done(Queue *q)
{
    uint32_t word = qtest_readl(q->d->t->qts, q->cq + q->head * 16 + 12);

    return (word >> 16 & 1) == q->phase;
}

void take(Queue *q, uint32_t sqe[HISI_ZIP_SQE_WORDS])
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

unsigned run(Queue *q, Request r, uint32_t sqe[HISI_ZIP_SQE_WORDS])
{
    submit(q, r);
    take(q, sqe);
    ring_db(q->d, QM_DB_CQ, q->n, q->head, 1);
    return HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]);
}

Request small_request(Dev *d)
{
    uint64_t buf = sva_alloc(d->t, PAGE, PAGE);

    return (Request) { HISI_ZIP_REQUEST(1, 0, 4), buf, 64, buf + 1024, 1024 };
}

uint64_t put_list(Dev *d, uint64_t node, uint64_t next,
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

void assert_is_reset(Dev *d)
{
    g_assert_cmphex(reg(d, QM_EQ_INT_MASK), ==, 1);
    g_assert_cmphex(reg(d, QM_VFT_CFG_RDY), ==, 1);
    g_assert_cmphex(reg(d, QM_CACHE_WB_DONE), ==, 0);
    g_assert_cmphex(reg(d, 0x301128), ==, 0);
    g_assert_cmphex(reg(d, 0x3148), ==, 0x3f);
    g_assert_cmpuint(mailbox(d, QM_MB_SQC_VFT, true, 0, 0), ==, 0);
    g_assert_cmphex(reg(d, QM_MAILBOX + 8), ==, 0);
}

/* ---- zlib on the host -------------------------------------------------- */

uint8_t *sample(size_t bytes, unsigned seed)
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

uint8_t *host_pack(unsigned format, const uint8_t *data, size_t bytes,
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

void assert_unpacks(unsigned format, const uint8_t *packed,
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
        g_assert_cmphex((uint32_t)ldl_be_p(packed), ==,
                        adler32(1, data, bytes));
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

Request write_word(Dev *d, uint64_t dst, uint16_t value, unsigned n)
{
    uint64_t src = sva_alloc(d->t, PAGE, PAGE);
    g_autofree uint8_t *plain = g_malloc0(n);
    g_autofree uint8_t *packed = NULL;
    size_t bytes;

    stw_le_p(plain, value);
    packed = host_pack(1, plain, n, &bytes);
    sva_bufwrite(d->t, src, packed, bytes);
    return (Request) { HISI_ZIP_REQUEST(1, 0, 0), src, bytes, dst, n };
}

/* ---- By PASID, behind the SMMU ----------------------------------------- */

Dev *sva_dev_start(const char *args)
{
    Dev *d = dev_start("virt-sva -cpu max", args);
    unsigned cap = sva_find_ecap(d->t, 0, d->devfn, PCI_EXT_CAP_ID_PASID);
    uint64_t cd[SMMU3_CD_WORDS];

    sva_smmu_enable(d->t);
    d->cds = sva_alloc(d->t, 64 << 5, PAGE);
    d->root = sva_table(d->t);
    d->offset = UINT64_C(0x7f0000000000);
    sva_ste_stage1(d->t, d->devfn, d->cds, 5);
    /* Without PASID: memory as it is; with ours: faults stall. */
    d->plain_root = sva_table(d->t);
    sva_map(d->t, d->plain_root, SVA_RAM, SVA_RAM, 128 * MiB, 0);
    sva_cd_for(cd, d->plain_root, 1, false);
    sva_set_cd(d->t, d->devfn, d->cds, 0, cd);
    sva_cd_for(cd, d->root, 2, true);
    sva_set_cd(d->t, d->devfn, d->cds, PASID, cd);
    sva_config_write(d->t, 0, d->devfn, cap + PCI_PASID_CTRL, 2, 1);
    bring_up(d, 64);
    return d;
}

unsigned stalled_at(Dev *d, uint64_t va)
{
    uint64_t event_[SMMU3_EVENT_WORDS];

    WAIT_FOR(sva_event(d->t, event_));
    g_assert_cmphex(smmu3_get(event_, EVENT_STALL), ==, 1);
    g_assert_cmphex(smmu3_get(event_, EVENT_SUBSTREAMID), ==, PASID);
    g_assert_cmphex(event_[2], ==, va);
    return smmu3_get(event_, EVENT_STAG);
}

void resume(Dev *d, unsigned stag, bool retry)
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

bool answer_stalls(Dev *d)
{
    uint64_t event_[SMMU3_EVENT_WORDS];

    while (sva_event(d->t, event_)) {
        g_assert_cmphex(smmu3_get(event_, EVENT_STALL), ==, 1);
        resume(d, smmu3_get(event_, EVENT_STAG), true);
    }
    return true;
}

void sva_invalidate_all(Dev *d)
{
    uint64_t command[2] = { 0 };

    smmu3_set(command, CMD_OPCODE, CMD_TLBI_NSNH_ALL);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

StallJob stall_job(Dev *d, unsigned n)
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
    sva_bufwrite(d->t, j.src, j.data, STALL_BYTES);
    j.r = (Request) { HISI_ZIP_REQUEST(2, 0, 4), j.src + d->offset, STALL_BYTES,
                      j.dst + d->offset, 2 * STALL_BYTES };
    return j;
}

void map_page(Dev *d, uint64_t pa)
{
    sva_map(d->t, d->root, pa + d->offset, pa, PAGE, 0);
}

void stall_job_ends_well(Dev *d, StallJob *j)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    g_autofree uint8_t *packed = g_malloc(2 * STALL_BYTES);

    take(&j->q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_NOT_SMALLER);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    sva_bufread(d->t, j->dst, packed, produced);
    assert_unpacks(2, packed, produced, j->data, STALL_BYTES);
}
