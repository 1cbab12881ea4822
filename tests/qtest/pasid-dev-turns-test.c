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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/turns/none-within-another",
                    test_no_turn_within_a_turn);

    return g_test_run();
}
