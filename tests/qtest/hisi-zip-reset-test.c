/*
 * hisi-zip is reset by what it writes: software puts one of its rings or tables
 * over the function's own configuration space, so that a byte of what goes
 * there initiates a function level reset. Afterwards the function is as after
 * any reset, and nothing of what was under way goes on. Jobs that reset it are
 * in hisi-zip-turns-test.c. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"
#include "sva-qtest-forge.h"

/* The low byte of its number is PCI_EXP_DEVCTL_BCR_FLR's byte. */
enum { QUEUE = 0x80 };

static Dev *reset_start(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device hisi-zip,queues=256");

    bring_up(d, 64);
    write_vft(d, vft_of(256));
    return d;
}

/* Where the byte with PCI_EXP_DEVCTL_BCR_FLR is. */
static uint64_t reset_byte(Dev *d)
{
    return ECAM(0, d->devfn) + PCI_EXP_DEVCTL + 1 +
           sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
}

/* It was reset: nothing is left of what was before, seen and unseen. */
static void was_reset(Dev *d)
{
    SvaStream *s;

    WAIT_FOR(sva_config_read(d->t, 0, d->devfn, PCI_COMMAND, 2) == 0);
    find_device(d);
    assert_is_reset(d);
    s = sva_stream_take(d->t, "hisi-zip");
    g_assert_cmphex(sva_stream_get(s, "qm/tmp/qm.eq/tail"), ==, 0);
    g_assert_cmphex(sva_stream_get(s, "qm/tmp/qm.sq[128]/valid"), ==, 0);
    g_assert_cmphex(sva_stream_get(s, "qm/tmp/qm.sq[128]/dead"), ==, 0);
    g_assert_cmphex(sva_stream_get(s, "qm/tmp/qm.cq[128]/event_is_posted"), ==,
                    0);
    sva_stream_free(s);
    dev_stop(d);
}

/* A table of contexts, with the byte in the random number of queue 0 */
static void test_by_write_back(void)
{
    Dev *d = reset_start();
    Queue q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    uint32_t words[8];

    sq_context(&q, HISI_ZIP_COMPRESS, 0, words);
    words[4] = PCI_EXP_DEVCTL_BCR_FLR;
    g_assert_cmpuint(load_context(d, QM_MB_SQC, 0, words), ==, 0);
    g_assert_cmpuint(mailbox(d, QM_MB_SQC_BT, false, 0, reset_byte(d) - 17), ==,
                     0);
    set_reg(d, QM_CACHE_WB_START, 1);
    was_reset(d);
}

/* The same context, dumped there by the mailbox */
static void test_by_mailbox(void)
{
    Dev *d = reset_start();
    Queue q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    uint32_t words[8];

    sq_context(&q, HISI_ZIP_COMPRESS, 0, words);
    words[4] = PCI_EXP_DEVCTL_BCR_FLR;
    g_assert_cmpuint(load_context(d, QM_MB_SQC, 0, words), ==, 0);
    mailbox_start(d, QM_MB_SQC, true, 0, reset_byte(d) - 17);
    was_reset(d);
}

/* A completion: the queue's number is its eleventh byte. */
static void test_by_completion(void)
{
    Dev *d = reset_start();
    Queue q = queue_open(d, QUEUE, 16, HISI_ZIP_COMPRESS, 0);
    uint32_t words[8];

    q.cq = reset_byte(d) - 10;
    cq_context(&q, words);
    g_assert_cmpuint(load_context(d, QM_MB_CQC, QUEUE, words), ==, 0);
    submit(&q, small_request(d));
    was_reset(d);
}

/*
 * An event. The first of the queue goes to registers that cannot be written;
 * when software takes it, the second is due, and comes within the doorbell.
 */
static void test_by_event(void)
{
    Dev *d = reset_start();
    Queue q = queue_open(d, QUEUE, 16, HISI_ZIP_COMPRESS, 0);
    uint32_t words[8], sqe[HISI_ZIP_SQE_WORDS];

    g_assert_cmpuint(load_context(d, QM_MB_EQC, 0,
                                  eq_context(reset_byte(d) - 4, 64, words)),
                     ==, 0);
    run(&q, small_request(d), sqe);
    submit(&q, small_request(d));
    take(&q, sqe);
    ring_db(d, QM_DB_EQ, 0, 1, 0);
    was_reset(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/hisi-zip/reset/by-write-back", test_by_write_back);
    g_test_add_func("/hisi-zip/reset/by-mailbox", test_by_mailbox);
    g_test_add_func("/hisi-zip/reset/by-completion", test_by_completion);
    g_test_add_func("/hisi-zip/reset/by-event", test_by_event);
    return g_test_run();
}
