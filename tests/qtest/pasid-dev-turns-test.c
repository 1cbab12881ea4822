/*
 * When pasid-dev works: its turns in the main loop, and what a job may do that
 * comes back to the device. What jobs do is in the other tests. No guest
 * software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/sva-testdev/sva-testdev-abi.h"
#include "pasid-dev-rig.h"

/* sva-testdev's BAR, mapped for the process. */
static uint64_t find_testdev(Dev *d)
{
    int devfn = sva_find(d->t, 0, SVA_TESTDEV_VENDOR_ID, SVA_TESTDEV_DEVICE_ID);
    uint64_t bar;

    g_assert_cmpint(devfn, >=, 0);
    bar = sva_enable_bar(d->t, 0, devfn, SVA_TESTDEV_BAR);
    map(d, bar, PAGE);
    return bar;
}

/*
 * Queue 0 lets the stalled job of queue 1 go on, by the SMMU's doorbell, and
 * then writes to a register whose handler waits in a main loop of its own, in
 * which queue 1's turn would come. That job copies the status of the job that
 * waits: 1, it was done before; 0, a turn began within a turn.
 */
static void test_no_turn_within_a_turn(void)
{
    Dev *d = process_start_with(" -device sva-testdev");
    Queue q0 = queue_open(d, 0, 2, PASID(THE_PASID));
    Queue q1 = queue_open(d, 1, 2, PASID(THE_PASID));
    uint64_t bar = find_testdev(d), dst = process_alloc(d, PAGE);
    unsigned doorbell, wait, copy;
    uint16_t stag;

    map(d, SVA_SMMU, PAGE);
    unmap(d, dst, PAGE);
    copy = submit(&q1, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY,
        .src = va(d, q0.completions + sizeof(PasidDevCompletion)),
        .dst = va(d, dst), .len = 4 });
    stag = expect_stall(&q1, va(d, dst), true);
    map(d, dst, PAGE);
    sva_resume_prepare(d->t, d->devfn, stag);

    doorbell = fill_slot(&q0, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, SVA_SMMU + SMMU3_CMDQ_PROD),
        .len = 4, .arg = d->t->cmdq_prod });
    wait = submit(&q0, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, bar + SVA_TESTDEV_POLL),
        .len = 8, .arg = 10 });
    assert_completion(wait_for(&q0, doorbell), PASID_DEV_DONE_OK, 0, 4, 0);
    assert_completion(wait_for(&q0, wait), PASID_DEV_DONE_OK, 0, 8, 0);
    assert_completion(wait_for(&q1, copy), PASID_DEV_DONE_OK, 0, 4, 0);
    g_assert_cmpuint(qtest_readl(d->t->qts, dst), ==, PASID_DEV_DONE_OK);
    dev_stop(d);
}

/* How many jobs were over in the longest turn, by QEMU's own trace. */
static unsigned most_jobs_in_a_turn(const char *log)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned jobs = 0, most = 0, turns = 0;

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "pasid_dev_job_done ")) {
            jobs++;
        } else if (g_str_has_prefix(*line, "sva_worker_turn ")) {
            most = MAX(most, jobs);
            jobs = 0;
            turns++;
        }
    }
    g_assert_cmpuint(turns, >, 0);
    g_assert_cmpuint(jobs, ==, 0);
    return most;
}

/*
 * A job that moves next to nothing is work all the same: its descriptor and
 * its record are two accesses, each with a translation.
 */
static void test_no_ops_are_work(void)
{
    g_autofree char *log = g_strdup_printf("%s/pasid-dev-turns-%d.log",
                                           g_get_tmp_dir(), getpid());
    g_autofree char *args =
        g_strdup_printf("-device pasid-dev -d trace:sva_worker_turn,"
                        "trace:pasid_dev_job_done -D %s", log);
    Dev *d = dev_start(PLAIN_MACHINE, args);
    Queue q;
    unsigned last = 0, most;

    q = queue_open(d, 0, 12, 0);
    for (unsigned i = 0; i < 4095; i++) {
        last = fill_slot(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_NOP });
    }
    q_write32(&q, PASID_DEV_Q_TAIL, q.tail);
    assert_completion(wait_for(&q, last), PASID_DEV_DONE_OK, 0, 0, 0);
    dev_stop(d);
    most = most_jobs_in_a_turn(log);
    g_assert_cmpuint(most, >, 0);
    g_assert_cmpuint(most, <=, 1024);
    unlink(log);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/turns/none-within-another",
                    test_no_turn_within_a_turn);
    g_test_add_func("/pasid-dev/turns/no-ops-are-work", test_no_ops_are_work);

    return g_test_run();
}
