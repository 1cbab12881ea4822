/*
 * When hisi-zip works: its turns in the main loop, and jobs that come back to
 * the function, by its registers, its configuration space or its slot. Not what
 * jobs compute, which is in the other tests. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/bswap.h"
#include "hw/pci/pasid-dev/pasid-dev-abi.h"
#include "hw/pci/sva-testdev/sva-testdev-abi.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"

/* ---- Jobs that write to the function itself ---------------------------- */

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
    Dev *d = behind_port_start("");
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_DECOMPRESS, 0);
    submit(&q, write_word(d, ECAM(0, PORT) + d->slot_control,
                          PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC, 2));
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    g_assert_false(is_done(&q));
    dev_stop(d);
}

/* ---- A main loop within a turn ----------------------------------------- */

/*
 * sva-testdev waits, when told so, in a main loop of its own, as a block device
 * does that is reset. A pasid-dev does there what the turn of hisi-zip must
 * survive: so that it does it then, and not before, it first copies for more
 * turns than hisi-zip needs to come to the waiting.
 */
typedef struct Others {
    uint64_t poll;          /* the register that waits, 64 bits */
    uint64_t tail;          /* pasid-dev's doorbell, 32 bits; write 2 */
} Others;

enum { COPY_BYTES = 16 * MiB, POLL_TURNS = 1000 };

/* @addr, 4 bytes, is to become @value. Both devices see physical addresses. */
static Others others_start(Dev *d, uint64_t addr, uint32_t value)
{
    PasidDevDescriptor jobs[2] = {
        {
            .op = PASID_DEV_OP_COPY,
            .src = cpu_to_le64(sva_alloc(d->t, COPY_BYTES, PAGE)),
            .dst = cpu_to_le64(sva_alloc(d->t, COPY_BYTES, PAGE)),
            .len = cpu_to_le64(COPY_BYTES),
        }, {
            .op = PASID_DEV_OP_FILL, .dst = cpu_to_le64(addr),
            .len = cpu_to_le64(4), .arg = cpu_to_le64(value),
        },
    };
    int testdev = sva_find(d->t, 0, SVA_TESTDEV_VENDOR_ID,
                           SVA_TESTDEV_DEVICE_ID);
    int pasid_dev = sva_find(d->t, 0, PASID_DEV_VENDOR_ID,
                             PASID_DEV_DEVICE_ID);
    uint64_t ring = sva_alloc(d->t, 2 * PAGE, PAGE), portal;

    g_assert_cmpint(testdev, >=, 0);
    g_assert_cmpint(pasid_dev, >=, 0);
    qtest_memwrite(d->t->qts, ring, jobs, sizeof(jobs));
    portal = sva_enable_bar(d->t, 0, pasid_dev, PASID_DEV_BAR) +
             PASID_DEV_PAGE_BYTES;
    qtest_writeq(d->t->qts, portal + PASID_DEV_Q_RING, ring);
    qtest_writeq(d->t->qts, portal + PASID_DEV_Q_COMPLETIONS, ring + PAGE);
    qtest_writel(d->t->qts, portal + PASID_DEV_Q_SIZE_LOG2, 1);
    qtest_writel(d->t->qts, portal + PASID_DEV_Q_CTRL,
                 PASID_DEV_Q_CTRL_ENABLE);
    return (Others) {
        .poll = sva_enable_bar(d->t, 0, testdev, SVA_TESTDEV_BAR) +
                SVA_TESTDEV_POLL,
        .tail = portal + PASID_DEV_Q_TAIL,
    };
}

/* Two entries for @q: start the other device, then wait as above. */
static void submit_wait(Queue *q, Others others)
{
    fill_slot(q, write_word(q->d, others.tail, 2, 4));
    fill_slot(q, write_word(q->d, others.poll, POLL_TURNS, 8));
    ring_db(q->d, QM_DB_SQ, q->n, q->tail, 0);
}

/*
 * While queue 0's job waits, the stalled job of queue 1 may go on, and resets
 * the function. It has its turn after the one that waits, which ends as if
 * nothing had been.
 */
static void test_no_turn_within_a_turn(void)
{
    Dev *d = sva_dev_start("-device hisi-zip -device pasid-dev "
                           "-device sva-testdev");
    unsigned exp = sva_find_cap(d->t, 0, d->devfn, PCI_CAP_ID_EXP);
    uint64_t config = ECAM(0, d->devfn);
    Queue waiting = queue_open(d, 0, 16, HISI_ZIP_DECOMPRESS, 0);
    Queue resetting = queue_open(d, 1, 16, HISI_ZIP_DECOMPRESS, PASID_WORD);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request r = write_word(d, config + exp + PCI_EXP_DEVCTL,
                           PCI_EXP_DEVCTL_BCR_FLR, 256);
    Others others;

    map_page(d, r.src);
    r.src += d->offset;
    r.dst += d->offset;
    sva_ste_bypass(d->t, sva_find(d->t, 0, PASID_DEV_VENDOR_ID,
                                  PASID_DEV_DEVICE_ID));
    submit(&resetting, r);
    sva_resume_prepare(d->t, d->devfn, stalled_at(d, r.dst));
    map_page(d, config);

    others = others_start(d, SVA_SMMU + SMMU3_CMDQ_PROD, d->t->cmdq_prod);
    sva_map(d->t, d->plain_root, others.tail & -PAGE, others.tail & -PAGE, PAGE,
            0);
    sva_map(d->t, d->plain_root, others.poll & -PAGE, others.poll & -PAGE, PAGE,
            0);
    submit_wait(&waiting, others);
    take(&waiting, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==, HISI_ZIP_OK);
    take(&waiting, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==, HISI_ZIP_OK);
    WAIT_FOR(sva_config_read(d->t, 0, d->devfn, PCI_COMMAND, 2) == 0);
    find_device(d);
    assert_is_reset(d);
    dev_stop(d);
}

/* The slot is switched off while the function's job waits. */
static void test_unplugged_within_a_turn(void)
{
    Dev *d = behind_port_start("-device pasid-dev -device sva-testdev");
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_DECOMPRESS, 0);
    submit_wait(&q, others_start(d, ECAM(0, PORT) + d->slot_control,
                                 PCI_EXP_SLTCTL_PWR_IND_OFF |
                                 PCI_EXP_SLTCTL_PCC));
    qtest_qmp_eventwait(d->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(d->t, 1, d->devfn, PCI_VENDOR_ID, 2), ==,
                    0xffff);
    dev_stop(d);
}

/* ---- Other devices' registers ------------------------------------------- */

/* The two words that a compression of 8 bytes has found. */
static void unpack_words(Dev *d, Request r, const uint32_t *sqe,
                         uint32_t words[2])
{
    uint8_t packed[64];
    z_stream zs = { .next_in = packed, .next_out = (Bytef *)words,
                    .avail_in = sqe[HISI_ZIP_SQE_PRODUCED], .avail_out = 8 };

    g_assert_cmpuint(zs.avail_in, <=, sizeof(packed));
    sva_bufread(d->t, r.dst, packed, zs.avail_in);
    g_assert_cmpint(inflateInit2(&zs, -15), ==, Z_OK);
    inflate(&zs, Z_SYNC_FLUSH);
    g_assert_cmpuint(zs.avail_out, ==, 0);
    inflateEnd(&zs);
}

/*
 * A page of registers costs more than a step may: a job that writes one lets
 * others have their steps before it is through. It gathers, computes, and writes
 * in its third step; the other queue's second job, whose turn is before its own,
 * then reads the first and the last register.
 */
static void test_registers_take_several_steps(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device hisi-zip -device hisi-zip");
    uint64_t page = sva_enable_bar(d->t, 0, d->devfn + 8, 2) + 0x300000;
    Request read = small_request(d), write = small_request(d);
    g_autofree uint8_t *data = g_malloc(PAGE), *packed = NULL;
    uint32_t sqe[HISI_ZIP_SQE_WORDS], words[2];
    Queue reads, writes;
    size_t bytes;

    memset(data, 0x5a, PAGE);
    packed = host_pack(1, data, PAGE, &bytes);
    sva_bufwrite(d->t, write.src, packed, bytes);
    write.bytes = bytes;
    write.dst = page;
    write.room = PAGE;
    read.request = HISI_ZIP_REQUEST(1, 1, 4);
    read.src = put_list(d, read.src, 0, (const uint64_t[][2]) {
                            { page, 4 }, { page + PAGE - 4, 4 } }, 2);
    read.bytes = 8;
    put_list(d, read.dst + 256, 0,
             (const uint64_t[][2]) { { read.dst, 64 } }, 1);
    read.dst += 256;
    read.room = 64;
    bring_up(d, 64);
    reads = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    writes = queue_open(d, 1, 16, HISI_ZIP_DECOMPRESS, 0);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'stop'}");
    fill_slot(&reads, read);
    submit(&reads, read);
    submit(&writes, write);
    qtest_qmp_assert_success(d->t->qts, "{'execute': 'cont'}");
    take(&writes, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==, HISI_ZIP_OK);
    g_assert_cmphex(qtest_readl(d->t->qts, page + PAGE - 4), ==, 0x5a5a5a5a);
    take(&reads, sqe);
    take(&reads, sqe);
    read.dst -= 256;
    unpack_words(d, read, sqe, words);
    g_assert_cmphex(words[0], ==, 0x5a5a5a5a);
    g_assert_cmphex(words[1], ==, 0);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/hisi-zip/turns/job-resets-itself",
                    test_job_resets_itself);
    g_test_add_func("/hisi-zip/turns/job-writes-registers",
                    test_job_writes_registers);
    g_test_add_func("/hisi-zip/turns/job-unplugs-itself",
                    test_job_unplugs_itself);
    g_test_add_func("/hisi-zip/turns/unplugged-within-one",
                    test_unplugged_within_a_turn);
    /*
     * Whose step comes when is not as certain in a thread: what resumes the stalled
     * job there may come before the wait, and the reset before both completions.
     */
    if (!sva_is_in_thread()) {
        g_test_add_func("/hisi-zip/turns/none-within-another",
                        test_no_turn_within_a_turn);
        g_test_add_func("/hisi-zip/turns/registers-take-several-steps",
                        test_registers_take_several_steps);
    }
    return g_test_run();
}
