/*
 * What only a hisi-zip with an IOThread can get wrong. That everything else holds
 * there, too, the other tests show, which are run once more in a thread. No guest
 * software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"

/* Once is enough: the thread is in the arguments. */
#undef g_test_add_func

#define THREAD  "-object iothread,id=io "

enum { BYTES = 1 * MiB, ROOM = 2 * MiB, JOBS = 4 };

/* Two devices, two threads: each compresses the same, into memory of its own. */
static void test_two_engines(void)
{
    Dev *d = dev_start("virt-sva", THREAD "-object iothread,id=io2 "
                       "-device hisi-zip,iothread=io,level=9,addr=4 "
                       "-device hisi-zip,iothread=io2,level=9,addr=5");
    uint64_t src = sva_alloc(d->t, BYTES, PAGE), dst[2][JOBS];
    g_autofree uint8_t *data = sample(BYTES, 7), *packed = g_malloc(ROOM);
    Dev devices[2] = { *d, *d };
    Queue q[2];

    devices[1].devfn = 5 << 3;
    devices[1].bar2 = sva_enable_bar(d->t, 0, 5 << 3, 2);
    devices[1].bar4 = sva_enable_bar(d->t, 0, 5 << 3, 4);
    sva_bufwrite(d->t, src, data, BYTES);
    for (unsigned i = 0; i < 2; i++) {
        bring_up(&devices[i], 64);
        q[i] = queue_open(&devices[i], 1, 16, HISI_ZIP_COMPRESS, 0);
        for (unsigned n = 0; n < JOBS; n++) {
            dst[i][n] = sva_alloc(d->t, ROOM, PAGE);
            fill_slot(&q[i], (Request) {
                HISI_ZIP_REQUEST(HISI_ZIP_FORMAT_GZIP, 0, 4), src, BYTES,
                dst[i][n], ROOM });
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        ring_db(&devices[i], QM_DB_SQ, 1, q[i].tail, 0);
    }
    for (unsigned n = 0; n < JOBS; n++) {
        for (unsigned i = 0; i < 2; i++) {
            uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;

            take(&q[i], sqe);
            g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                            HISI_ZIP_OK);
            produced = sqe[HISI_ZIP_SQE_PRODUCED];
            sva_bufread(d->t, dst[i][n], packed, produced);
            assert_unpacks(HISI_ZIP_FORMAT_GZIP, packed, produced, data, BYTES);
        }
    }
    dev_stop(d);
}

/* A stopped machine's memory stands still, in the middle of its jobs. */
static void test_stop(void)
{
    enum { LONG = 2 * MiB };
    Dev *d = dev_start("virt-sva", THREAD "-device hisi-zip,iothread=io");
    uint64_t src = sva_alloc(d->t, LONG, PAGE);
    uint64_t dst = sva_alloc(d->t, 2 * LONG, PAGE);
    g_autofree uint8_t *data = sample(LONG, 3);
    g_autofree uint8_t *before = g_malloc(LONG), *after = g_malloc(LONG);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    sva_bufwrite(d->t, src, data, LONG);
    for (unsigned i = 0; i < 8; i++) {
        fill_slot(&q, (Request) { HISI_ZIP_REQUEST(HISI_ZIP_FORMAT_GZIP, 0, 4),
                                  src, LONG, dst, 2 * LONG });
    }
    ring_db(d, QM_DB_SQ, 1, q.tail, 0);
    WAIT_FOR(qtest_readq(d->t->qts, dst + 64));
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    sva_bufread(d->t, dst, before, LONG);
    sva_bufread(d->t, dst, after, LONG);
    g_assert_cmpmem(before, LONG, after, LONG);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    for (unsigned i = 0; i < 8; i++) {
        take(&q, sqe);
        g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                        HISI_ZIP_OK);
    }
    dev_stop(d);
}

/* Pulled out while the thread works. */
static void test_unplug(void)
{
    Dev *d = behind_port_start(THREAD "-global hisi-zip.iothread=io");
    uint64_t src = sva_alloc(d->t, 8 * MiB, PAGE);
    uint64_t dst = sva_alloc(d->t, 16 * MiB, PAGE);
    g_autofree uint8_t *data = sample(8 * MiB, 3);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    sva_bufwrite(d->t, src, data, 8 * MiB);
    for (unsigned i = 0; i < 8; i++) {
        fill_slot(&q, (Request) { HISI_ZIP_REQUEST(HISI_ZIP_FORMAT_GZIP, 0, 4),
                                  src, 8 * MiB, dst, 16 * MiB });
    }
    ring_db(d, QM_DB_SQ, 1, q.tail, 0);
    WAIT_FOR(qtest_readq(d->t->qts, dst + 64));
    sva_config_write(d->t, 0, PORT, d->slot_control, 2,
                     PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/hisi-zip/thread/" path, fn)
    TEST("two-engines", test_two_engines);
    TEST("stop", test_stop);
    TEST("unplug", test_unplug);
#undef TEST
    return g_test_run();
}
