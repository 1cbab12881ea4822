/*
 * What the tests of pasid-dev share; see pasid-dev-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-rig.h"

/* ---- The device --------------------------------------------------------- */

uint32_t admin32(Dev *d, uint32_t reg)
{
    return qtest_readl(d->t->qts, d->bar + reg);
}

uint64_t admin64(Dev *d, uint32_t reg)
{
    return qtest_readq(d->t->qts, d->bar + reg);
}

void admin_write32(Dev *d, uint32_t reg, uint32_t value)
{
    qtest_writel(d->t->qts, d->bar + reg, value);
}

void find_device(Dev *d)
{
    int devfn = sva_find(d->t, d->bus, PASID_DEV_VENDOR_ID,
                         PASID_DEV_DEVICE_ID);

    g_assert_cmpint(devfn, >=, 0);
    d->devfn = devfn;
    d->bar = sva_enable_bar(d->t, d->bus, d->devfn, PASID_DEV_BAR);
    d->msix = sva_enable_bar(d->t, d->bus, d->devfn, PASID_DEV_MSIX_BAR);
    d->pasid_cap = sva_find_ecap(d->t, d->bus, d->devfn, PCI_EXT_CAP_ID_PASID);
}

Dev *dev_start(const char *machine, const char *args)
{
    Dev *d = g_new0(Dev, 1);

    d->t = sva_start_machine(machine, args);
    find_device(d);
    return d;
}

Dev *plain_start(void)
{
    return dev_start(PLAIN_MACHINE, "-device pasid-dev");
}

void dev_stop(Dev *d)
{
    sva_stop(d->t);
    g_free(d);
}

void enable_pasids(Dev *d)
{
    sva_config_write(d->t, d->bus, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE);
}

void trigger_flr(Dev *d)
{
    unsigned express = sva_find_cap(d->t, d->bus, d->devfn, PCI_CAP_ID_EXP);
    uint32_t control = sva_config_read(d->t, d->bus, d->devfn,
                                       express + PCI_EXP_DEVCTL, 2);

    sva_config_write(d->t, d->bus, d->devfn, express + PCI_EXP_DEVCTL, 2,
                     control | PCI_EXP_DEVCTL_BCR_FLR);
}

void restore_function(Dev *d)
{
    sva_config_write(d->t, d->bus, d->devfn, PCI_BASE_ADDRESS_0, 4, d->bar);
    sva_config_write(d->t, d->bus, d->devfn,
                     PCI_BASE_ADDRESS_0 + 4 * PASID_DEV_MSIX_BAR, 4, d->msix);
    sva_config_write(d->t, d->bus, d->devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

uint64_t arm_vector(Dev *d, unsigned n, bool masked)
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

/* ---- Memory ------------------------------------------------------------- */

uint64_t process_alloc(Dev *d, uint64_t bytes)
{
    uint64_t pa = sva_alloc(d->t, QEMU_ALIGN_UP(bytes, PAGE), PAGE);

    if (d->root) {
        sva_map(d->t, d->root, pa + d->offset, pa, bytes, 0);
    }
    return pa;
}

uint64_t va(Dev *d, uint64_t pa)
{
    return pa + d->offset;
}

uint8_t pattern_byte(uint64_t i)
{
    return (i * 7 + (i >> 8) * 13 + 1) & 0xff;
}

uint8_t zero_byte(uint64_t i)
{
    return 0;
}

void fill_pattern(Dev *d, uint64_t pa, uint64_t bytes)
{
    g_autofree uint8_t *data = g_malloc(bytes);

    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = pattern_byte(i);
    }
    sva_bufwrite(d->t, pa, data, bytes);
}

void assert_bytes(Dev *d, uint64_t pa, uint64_t bytes,
                  uint8_t (*expected)(uint64_t i))
{
    g_autofree uint8_t *data = g_malloc(bytes);

    if (!bytes) {
        return;
    }
    sva_bufread(d->t, pa, data, bytes);
    for (uint64_t i = 0; i < bytes; i++) {
        if (data[i] != expected(i)) {
            g_error("byte 0x%" PRIx64 " is 0x%x, not 0x%x", i, data[i],
                    expected(i));
        }
    }
}

/* ---- Queues and jobs ---------------------------------------------------- */

uint64_t portal(Queue *q, uint32_t reg)
{
    return q->d->bar + (1 + q->n) * PASID_DEV_PAGE_BYTES + reg;
}

uint32_t q32(Queue *q, uint32_t reg)
{
    return qtest_readl(q->d->t->qts, portal(q, reg));
}

uint64_t q64(Queue *q, uint32_t reg)
{
    return qtest_readq(q->d->t->qts, portal(q, reg));
}

void q_write32(Queue *q, uint32_t reg, uint32_t value)
{
    qtest_writel(q->d->t->qts, portal(q, reg), value);
}

void q_write64(Queue *q, uint32_t reg, uint64_t value)
{
    qtest_writeq(q->d->t->qts, portal(q, reg), value);
}

void queue_program(Queue *q, uint32_t pasid)
{
    Dev *d = q->d;

    admin_write32(d, PASID_DEV_QUEUE_PASID(q->n), pasid);
    q_write64(q, PASID_DEV_Q_RING, va(d, q->ring));
    q_write64(q, PASID_DEV_Q_COMPLETIONS, va(d, q->completions));
    q_write32(q, PASID_DEV_Q_SIZE_LOG2, q->size_log2);
}

Queue queue_make(Dev *d, unsigned n, unsigned size_log2)
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

Queue queue_open_jobs(Dev *d, unsigned n, unsigned size_log2, uint32_t pasid,
                      unsigned jobs)
{
    Queue q = queue_make(d, n, size_log2);

    queue_program(&q, pasid);
    q_write32(&q, PASID_DEV_Q_CTRL,
              PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ |
              PASID_DEV_Q_CTRL_JOBS(jobs));
    g_assert_cmphex(q32(&q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    return q;
}

Queue queue_open(Dev *d, unsigned n, unsigned size_log2, uint32_t pasid)
{
    return queue_open_jobs(d, n, size_log2, pasid, 1);
}

void queue_reopen(Queue *q)
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

unsigned fill_slot(Queue *q, PasidDevDescriptor desc)
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
    desc.arg3 = cpu_to_le64(desc.arg3);
    desc.arg4 = cpu_to_le64(desc.arg4);
    qtest_memwrite(q->d->t->qts, record_address(q, index), &none, sizeof(none));
    qtest_memwrite(q->d->t->qts, q->ring + slot * sizeof(desc), &desc,
                   sizeof(desc));
    return index;
}

unsigned submit(Queue *q, PasidDevDescriptor desc)
{
    unsigned index = fill_slot(q, desc);

    q_write32(q, PASID_DEV_Q_TAIL, q->tail);
    return index;
}

PasidDevCompletion record_at(Queue *q, unsigned index)
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

PasidDevCompletion wait_for(Queue *q, unsigned index)
{
    WAIT_FOR(record_at(q, index).status != PASID_DEV_DONE_PENDING);
    return record_at(q, index);
}

PasidDevCompletion run(Queue *q, PasidDevDescriptor desc)
{
    unsigned index = submit(q, desc);
    PasidDevCompletion c = wait_for(q, index);

    g_assert_cmphex(c.tag, ==, 0x1000 + index);
    return c;
}

PasidDevDescriptor endless_job(Dev *d)
{
    uint64_t node = process_alloc(d, PAGE);

    qtest_writeq(d->t->qts, node, va(d, node));
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_LIST, .src = va(d, node),
        .len = PASID_DEV_MAX_LEN_VALUE, .arg2 = 8,
    };
}

void submit_endless(Queue *q)
{
    uint64_t before = admin64(q->d, PASID_DEV_COUNT_BYTES);

    submit(q, endless_job(q->d));
    WAIT_FOR(admin64(q->d, PASID_DEV_COUNT_BYTES) >
             before + sizeof(PasidDevDescriptor));
}

void assert_completion(PasidDevCompletion c, uint32_t status,
                       uint64_t result, uint64_t progress,
                       uint64_t fault_addr)
{
    g_assert_cmpuint(c.status, ==, status);
    g_assert_cmphex(c.result, ==, result);
    g_assert_cmphex(c.progress, ==, progress);
    g_assert_cmphex(c.fault_addr, ==, fault_addr);
}

uint64_t word_at(Dev *d, uint64_t pa, int i)
{
    return qtest_readq(d->t->qts, pa + i * (int)sizeof(uint64_t));
}

void assert_queue_error(Queue *q, uint32_t error, uint64_t fault_addr)
{
    WAIT_FOR(q32(q, PASID_DEV_Q_ERROR) != PASID_DEV_Q_ERROR_NONE);
    g_assert_cmpuint(q32(q, PASID_DEV_Q_ERROR), ==, error);
    g_assert_cmphex(q32(q, PASID_DEV_Q_STATUS), ==, PASID_DEV_Q_STATUS_ERROR);
    g_assert_cmphex(q64(q, PASID_DEV_Q_FAULT_ADDR), ==, fault_addr);
    g_assert_cmphex(admin32(q->d, PASID_DEV_STATUS), ==, 0);
}

void assert_queue_works(Queue *q)
{
    queue_reopen(q);
    g_assert_cmphex(q32(q, PASID_DEV_Q_STATUS), ==, PASID_DEV_Q_STATUS_ENABLED);
    g_assert_cmpuint(q32(q, PASID_DEV_Q_ERROR), ==, PASID_DEV_Q_ERROR_NONE);
    g_assert_cmpuint(run(q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
}

/* ---- Processes ---------------------------------------------------------- */

void give_address_space(Dev *d)
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

Dev *process_start_with(const char *properties)
{
    g_autofree char *args = g_strdup_printf("-device pasid-dev%s", properties);
    Dev *d = dev_start("virt-sva", args);

    give_address_space(d);
    return d;
}

Dev *process_start(void)
{
    return process_start_with("");
}

Dev *process_start_behind_port(void)
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

void map(Dev *d, uint64_t pa, uint64_t bytes)
{
    sva_map(d->t, d->root, va(d, pa), pa, bytes, 0);
}

void unmap(Dev *d, uint64_t pa, uint64_t bytes)
{
    sva_unmap(d->t, d->root, va(d, pa), bytes);
    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(d->t);
}

/* ---- Stalls ------------------------------------------------------------- */

void resume(Dev *d, uint16_t stag, Decision decision)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

    smmu3_set(command, CMD_STREAMID, d->devfn);
    smmu3_set(command, CMD_RESUME_AC, decision == RETRY);
    smmu3_set(command, CMD_RESUME_AB, decision == ABORT);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

uint16_t expect_stall(Queue *q, uint64_t addr, bool write)
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

uint16_t next_stall(Dev *d, uint64_t addr)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    WAIT_FOR(sva_event(d->t, event));
    g_assert_cmpuint(smmu3_get(event, EVENT_STALL), ==, 1);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, addr);
    return smmu3_get(event, EVENT_STAG);
}

StalledCopy stalled_copy_start(void)
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

void retry_all(StalledCopy *c)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    resume(c->d, c->stag, RETRY);
    while (sva_event(c->d->t, event)) {
        resume(c->d, smmu3_get(event, EVENT_STAG), RETRY);
    }
}

void assert_stays_cancelled(StalledCopy *c)
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
