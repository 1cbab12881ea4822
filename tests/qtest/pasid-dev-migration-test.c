/*
 * pasid-dev's jobs go on in another QEMU, or go back to a snapshot, in mid-work
 * and in mid-stall. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pasid-dev-rig.h"
#include "sva-qtest-state.h"

/* ---- Migration ---------------------------------------------------------- */

static void test_migrate_in_work(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev");
    Queue idle = queue_open(d, 1, 2, NO_PASID);
    Queue busy = queue_open(d, 0, 2, NO_PASID);
    PasidDevDescriptor desc = endless_job(d);
    uint64_t word = arm_vector(d, 0, false);

    run(&idle, (PasidDevDescriptor) { 0 });
    /* Long enough to be in work when the machine stops, short enough to end */
    desc.len = 20 * 1000 * 1000 / sva_slowness();
    desc.flags = PASID_DEV_DESC_IRQ;
    qtest_writeq(d->t->qts, desc.src + 8, 2);
    submit(&busy, desc);
    d->t = sva_migrate(d->t, PLAIN_MACHINE, "-device pasid-dev");
    g_assert_cmphex(q64(&busy, PASID_DEV_Q_RING), ==, busy.ring);
    assert_completion(wait_for(&busy, 0), PASID_DEV_DONE_OK, 2 * desc.len,
                      desc.len, 0);
    WAIT_FOR(qtest_readl(d->t->qts, word) == VECTOR_DATA(0));
    g_assert_cmpuint(run(&idle, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    g_assert_cmpuint(q64(&idle, PASID_DEV_Q_COUNT_JOBS), ==, 2);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_JOBS), ==, 3);
    dev_stop(d);
}

/*
 * The stalled access is made anew on the other side. The stall that the guest
 * knows of may be there or not: it answers whatever it is told.
 */
static void test_migrate_stalled(void)
{
    StalledCopy c = stalled_copy_start();

    c.d->t = sva_migrate(c.d->t, "virt-sva", "-device pasid-dev");
    g_assert_cmphex(q32(&c.q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_BUSY, !=,
                    0);
    map(c.d, c.missing, PAGE);
    retry_all(&c);
    assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                      COPY_BYTES, 0);
    assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
    g_assert_cmpuint(run(&c.q, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    dev_stop(c.d);
}

/*
 * Until then the PASID capability was the first of the extended ones, and what
 * the guest knows would be elsewhere: refused, and it is said why.
 */
static void test_older_layout(void)
{
    static const struct {
        const char *device;
        uint32_t last;
    } rows[] = { { "pasid-dev", 4 }, { "hisi-zip", 1 } };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
        g_autofree char *file = g_strdup_printf("%s/state", dir);
        g_autofree char *args = g_strdup_printf("-device %s,addr=4",
                                                rows[i].device);
        g_autofree char *section = g_strdup_printf("0000:00:04.0/%s",
                                                   rows[i].device);
        g_autofree char *too_old = g_strdup_printf("version_id %u is too old",
                                                   rows[i].last);
        g_autofree char *said = NULL;
        SvaQtest *t = sva_start(args);

        sva_save_state(t, file);
        sva_stop(t);
        sva_set_version(file, section, rows[i].last);
        said = sva_refused_state("virt-sva", args, file);
        g_assert_nonnull(strstr(said, rows[i].device));
        g_assert_nonnull(strstr(said, too_old));
        unlink(file);
        rmdir(dir);
    }
}

/* ---- Snapshots ---------------------------------------------------------- */

/* Back to where the job was stalled: once from its end, once from a stall. */
static void test_snapshot_stalled(void)
{
    StalledCopy c = stalled_copy_start();
    g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    QTestState *qts = c.d->t->qts;
    uint64_t event[SMMU3_EVENT_WORDS];
    SvaQtest at_save;

    sva_make_disk(qts, file);
    sva_snapshot_save(qts);
    at_save = *c.d->t;
    for (unsigned i = 0; i < 2; i++) {
        map(c.d, c.missing, PAGE);
        retry_all(&c);
        assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                          COPY_BYTES, 0);
        assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
        sva_snapshot_load(qts);
        *c.d->t = at_save;
        g_assert_cmpuint(record_at(&c.q, c.index).status, ==,
                         PASID_DEV_DONE_PENDING);
        assert_bytes(c.d, c.missing, PAGE, zero_byte);
        g_assert_cmphex(admin32(c.d, PASID_DEV_STATUS), ==,
                        PASID_DEV_STATUS_BUSY);
    }
    sva_snapshot_load(qts);
    *c.d->t = at_save;
    WAIT_FOR(q32(&c.q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    while (sva_event(c.d->t, event)) {
        c.stag = smmu3_get(event, EVENT_STAG);
    }
    trigger_flr(c.d);
    restore_function(c.d);
    assert_stays_cancelled(&c);
    unlink(file);
    rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/migration/in-work", test_migrate_in_work);
    g_test_add_func("/pasid-dev/migration/stalled", test_migrate_stalled);
    g_test_add_func("/pasid-dev/migration/older-layout", test_older_layout);
    g_test_add_func("/pasid-dev/migration/snapshot-stalled",
                    test_snapshot_stalled);

    return g_test_run();
}
