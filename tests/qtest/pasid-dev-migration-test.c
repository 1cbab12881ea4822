/*
 * pasid-dev's jobs go on in another QEMU, or go back to a snapshot, in mid-work
 * and in mid-stall. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "pasid-dev-rig.h"

/* ---- Migration ---------------------------------------------------------- */

static char *migration_status(QTestState *qts)
{
    QDict *info = qtest_qmp_assert_success_ref(qts,
                                               "{'execute': 'query-migrate'}");
    char *status = g_strdup(qdict_haskey(info, "status") ?
                            qdict_get_str(info, "status") : "none");

    qobject_unref(info);
    return status;
}

static bool migration_is(QTestState *qts, const char *wanted)
{
    g_autofree char *status = migration_status(qts);

    g_assert_cmpstr(status, !=, "failed");
    return g_str_equal(status, wanted);
}

/* The machine goes on in another process; its memory and devices with it. */
static void migrate(Dev *d, const char *machine, const char *args)
{
    g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *incoming = g_strdup_printf("%s -incoming file:%s", args,
                                                file);
    SvaQtest *from = d->t;

    qtest_qmp_assert_success(from->qts,
        "{'execute': 'migrate', 'arguments': {'uri': %s}}",
        g_strdup_printf("file:%s", file));
    WAIT_FOR(migration_is(from->qts, "completed"));

    d->t = sva_start_machine(machine, incoming);
    WAIT_FOR(migration_is(d->t->qts, "completed"));
    d->t->next = from->next;
    d->t->mmio_next = from->mmio_next;
    d->t->strtab = from->strtab;
    d->t->cmdq = from->cmdq;
    d->t->eventq = from->eventq;
    d->t->priq = from->priq;
    d->t->cmdq_prod = from->cmdq_prod;
    d->t->eventq_cons = from->eventq_cons;
    d->t->priq_cons = from->priq_cons;
    sva_stop(from);
    unlink(file);
    rmdir(dir);
}

static void test_migrate_in_work(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev");
    Queue idle = queue_open(d, 1, 2, NO_PASID);
    Queue busy = queue_open(d, 0, 2, NO_PASID);
    PasidDevDescriptor desc = endless_job(d);
    uint64_t word = arm_vector(d, 0, false);

    run(&idle, (PasidDevDescriptor) { 0 });
    /* Long enough to be in work when the machine stops, short enough to end */
    desc.len = 50 * 1000 * 1000;
    desc.flags = PASID_DEV_DESC_IRQ;
    qtest_writeq(d->t->qts, desc.src + 8, 2);
    submit(&busy, desc);
    migrate(d, PLAIN_MACHINE, "-device pasid-dev");
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

    migrate(c.d, "virt-sva", "-device pasid-dev");
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

/* ---- Snapshots ---------------------------------------------------------- */

static void wait_for_job(QTestState *qts, const char *id)
{
    const char *status = "";
    QDict *response = NULL;

    while (!g_str_equal(status, "concluded")) {
        QDict *job = NULL;
        QListEntry *entry;

        qobject_unref(response);
        response = qtest_qmp(qts, "{'execute': 'query-jobs'}");
        QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
            QDict *each = qobject_to(QDict, qlist_entry_obj(entry));

            if (g_str_equal(qdict_get_str(each, "id"), id)) {
                job = each;
            }
        }
        g_assert_nonnull(job);
        g_assert_false(qdict_haskey(job, "error"));
        status = qdict_get_str(job, "status");
    }
    qobject_unref(response);
    qtest_qmp_assert_success(qts, "{'execute': 'job-dismiss', 'arguments': "
                             "{'id': %s}}", id);
}

/* An empty disk that snapshots can be kept on: node "disk". */
static void make_disk(QTestState *qts, const char *file)
{
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-create', 'arguments': {'job-id': 'create', "
        "'options': {'driver': 'file', 'filename': %s, 'size': 0}}}", file);
    wait_for_job(qts, "create");
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-add', 'arguments': {'driver': 'file', "
        "'node-name': 'file', 'filename': %s}}", file);
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-create', 'arguments': {'job-id': 'format', "
        "'options': {'driver': 'qcow2', 'file': 'file', 'size': 1048576}}}");
    wait_for_job(qts, "format");
    qtest_qmp_assert_success(qts,
        "{'execute': 'blockdev-add', 'arguments': {'driver': 'qcow2', "
        "'node-name': 'disk', 'file': 'file'}}");
}

static void snapshot(QTestState *qts, const char *command)
{
    qtest_qmp_assert_success(qts,
        "{'execute': %s, 'arguments': {'job-id': 'snap', 'tag': 'one', "
        "'vmstate': 'disk', 'devices': ['disk']}}", command);
    wait_for_job(qts, "snap");
}

/* Back to where the job was stalled: once from its end, once from a stall. */
static void test_snapshot_stalled(void)
{
    StalledCopy c = stalled_copy_start();
    g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    QTestState *qts = c.d->t->qts;
    uint64_t event[SMMU3_EVENT_WORDS];
    SvaQtest at_save;

    make_disk(qts, file);
    snapshot(qts, "snapshot-save");
    at_save = *c.d->t;
    for (unsigned i = 0; i < 2; i++) {
        map(c.d, c.missing, PAGE);
        retry_all(&c);
        assert_completion(wait_for(&c.q, c.index), PASID_DEV_DONE_OK, 0,
                          COPY_BYTES, 0);
        assert_bytes(c.d, c.dst, COPY_BYTES, pattern_byte);
        snapshot(qts, "snapshot-load");
        *c.d->t = at_save;
        g_assert_cmpuint(record_at(&c.q, c.index).status, ==,
                         PASID_DEV_DONE_PENDING);
        assert_bytes(c.d, c.missing, PAGE, zero_byte);
        g_assert_cmphex(admin32(c.d, PASID_DEV_STATUS), ==,
                        PASID_DEV_STATUS_BUSY);
    }
    snapshot(qts, "snapshot-load");
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
    g_test_add_func("/pasid-dev/migration/snapshot-stalled",
                    test_snapshot_stalled);

    return g_test_run();
}
