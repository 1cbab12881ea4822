/*
 * hisi-zip by PASID behind the SMMU: stalls wherever one can be, their end;
 * migration and snapshots; jobs and guests that mean no good.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"
#include "sva-qtest-state.h"

/* ---- Stalls ------------------------------------------------------------ */

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
    unsigned stag;

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
    stag = stalled_at(d, j.r.dst);
    sva_map(d->t, d->root, j.r.dst, j.dst, 2 * STALL_BYTES, 0);
    resume(d, stag, true);
    stall_job_ends_well(d, &j);
    g_free(j.data);
    dev_stop(d);
}

/* A stalled list: header, entry, data; and the entry may lie on two pages. */
static void test_list_stalls(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");
    uint64_t list = sva_alloc(d->t, 2 * PAGE, PAGE) + PAGE - 64 - 16;
    uint64_t src = sva_alloc(d->t, PAGE, PAGE);
    uint64_t dst = sva_alloc(d->t, PAGE, PAGE);
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

/* ---- Migration --------------------------------------------------------- */

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
    sva_bufwrite(d->t, src, data, 8 * MiB);
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
    sva_bufread(d->t, dst, packed, produced);
    assert_unpacks(3, packed, produced, data, 8 * MiB);
    dev_stop(d);
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

/* ---- A hostile guest --------------------------------------------------- */

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
    sva_bufwrite(d->t, memory, noise, MiB);
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

    g_test_add_func("/hisi-zip/mailbox/stop-queue", test_stop_queue);
    g_test_add_func("/hisi-zip/pasid/every-page-stalls",
                    test_every_page_stalls);
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
    g_test_add_func("/hisi-zip/hostile/noise", test_noise);
    return g_test_run();
}
