/*
 * hisi-zip's queue manager: registers, mailbox, doorbells, rings, events,
 * resets. On virt without IOMMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"

/* ---- The function and its registers ------------------------------------ */

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

/* ---- Mailbox ----------------------------------------------------------- */

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

/* No PASID leaves the function that its capability has no room for. */
static void test_pasid_width(void)
{
    static const struct {
        const char *args;
        uint32_t word;          /* PASID, enable */
        bool loads;
    } cases[] = {
        { "-device hisi-zip,pasid-bits=10", 1023 | 1 << 23, true },
        { "-device hisi-zip,pasid-bits=10", 1024 | 1 << 23, false },
        { "-device hisi-zip,pasid-bits=10", 0xffff, true },
        { "-device hisi-zip", 0xffff | 1 << 23, true },
        { "-device hisi-zip,version=2,pasid-bits=1", 1, true },
        { "-device hisi-zip,version=2,pasid-bits=1", 2, false },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        Dev *d = dev_start(PLAIN_MACHINE, cases[i].args);
        Queue q = { .d = d, .depth = 16 };
        uint32_t words[8];

        bring_up(d, 64);
        sq_context(&q, HISI_ZIP_COMPRESS, cases[i].word, words);
        g_assert_cmpint(load_context(d, QM_MB_SQC, 0, words) == 0, ==,
                        cases[i].loads);
        dev_stop(d);
    }
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

/* Tables longer than one access, with holes: each context is in its place. */
static void test_write_back_of_many(void)
{
    enum { QUEUES = 300 };
    Dev *d = dev_start(PLAIN_MACHINE, "-device hisi-zip,queues=300");
    uint64_t sqcs = sva_alloc(d->t, QUEUES * 32, PAGE);
    uint32_t words[8];

    bring_up(d, 64);
    write_vft(d, vft_of(QUEUES));
    mailbox(d, QM_MB_SQC_BT, false, 0, sqcs);
    for (unsigned qn = 0; qn < QUEUES; qn++) {
        Queue q = { .d = d, .n = qn, .depth = 16, .sq = qn * PAGE };

        if (qn % 50 != 7) {
            sq_context(&q, HISI_ZIP_COMPRESS, 0, words);
            g_assert_cmpuint(load_context(d, QM_MB_SQC, qn, words), ==, 0);
        }
    }
    set_reg(d, QM_CACHE_WB_START, 1);
    for (unsigned qn = 0; qn < QUEUES; qn++) {
        get_words(d, sqcs + qn * 32, words, 8);
        g_assert_cmphex(words[1], ==, qn % 50 != 7 ? qn * PAGE : 0);
        g_assert_cmphex(words[3], ==, qn % 50 != 7 ? 15 | 7 << 12 : 0);
    }
    dev_stop(d);
}

/* ---- Rings and events -------------------------------------------------- */

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

/* ---- Resets ------------------------------------------------------------ */

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

/*
 * In D3hot the registers are out of reach, and memory from the function: work that
 * is due then finds its ring gone.
 */
static void test_power_states(void)
{
    Dev *d = plain_start();
    unsigned pm = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_PM);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = small_request(d);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    submit(&q, r);
    sva_config_write(d->t, 0, d->devfn, pm + PCI_PM_CTRL, 2, 3);
    g_assert_cmphex(reg(d, QM_V3_QUEUES), !=, 64 | 64 << 11);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    sva_config_write(d->t, 0, d->devfn, pm + PCI_PM_CTRL, 2, 0);
    WAIT_FOR(reg(d, QM_IDLE));
    g_assert_false(is_done(&q));
    /* ... and the queue whose ring was out of reach is at an end. */
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
    g_test_add_func("/hisi-zip/mailbox/pasid-width", test_pasid_width);
    g_test_add_func("/hisi-zip/mailbox/write-back", test_write_back);
    g_test_add_func("/hisi-zip/mailbox/write-back-of-many",
                    test_write_back_of_many);
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
    /* In D3hot nothing shows whether a thread has had its turn. */
    if (!sva_is_in_thread()) {
        g_test_add_func("/hisi-zip/reset/power-states", test_power_states);
    }
    return g_test_run();
}
