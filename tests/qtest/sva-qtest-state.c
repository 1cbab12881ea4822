/*
 * Migration and snapshots for qtests, see sva-qtest-state.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "sva-qtest-state.h"

/* ---- Migration ---------------------------------------------------------- */

static bool migration_is(QTestState *qts, const char *wanted)
{
    QDict *info = qtest_qmp_assert_success_ref(qts,
                                               "{'execute': 'query-migrate'}");
    g_autofree char *status = g_strdup(qdict_haskey(info, "status") ?
                                       qdict_get_str(info, "status") : "none");

    qobject_unref(info);
    g_assert_cmpstr(status, !=, "failed");
    return g_str_equal(status, wanted);
}

static void wait_for_migration(QTestState *qts)
{
    gint64 end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;

    while (!migration_is(qts, "completed")) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

void sva_save_state(SvaQtest *t, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", uri);
    wait_for_migration(t->qts);
}

SvaQtest *sva_migrate(SvaQtest *from, const char *machine, const char *args)
{
    g_autofree char *dir = g_dir_make_tmp("sva-qtest-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *incoming = g_strdup_printf("%s -incoming file:%s", args,
                                                file);
    SvaQtest *to;
    QTestState *qts;

    sva_save_state(from, file);
    to = sva_start_machine(machine, incoming);
    wait_for_migration(to->qts);
    qts = to->qts;
    *to = *from;
    to->qts = qts;
    sva_stop(from);
    unlink(file);
    rmdir(dir);
    return to;
}

/* The section's name, its instance, and then: its version, big-endian. */
void sva_set_version(const char *file, const char *section, uint32_t version)
{
    g_autofree char *state = NULL;
    size_t bytes, name = strlen(section);
    char *at;

    g_assert_true(g_file_get_contents(file, &state, &bytes, NULL));
    at = memmem(state, bytes, section, name);
    g_assert_nonnull(at);
    stl_be_p(at + name + sizeof(uint32_t), version);
    g_assert_true(g_file_set_contents(file, state, bytes, NULL));
}

char *sva_refused_state(const char *machine, const char *args, const char *file)
{
    g_autofree char *line = g_strdup_printf(
        "%s -M %s -nodefaults -m 128M -display none -accel qtest -qtest stdio "
        "-qtest-log none %s -incoming file:%s", getenv("QTEST_QEMU_BINARY"),
        machine, args, file);
    g_auto(GStrv) argv = NULL;
    char *said = NULL;
    int status;

    g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL,
                               NULL, NULL, NULL, &said, &status, NULL));
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), !=, 0);
    return said;
}

/* ---- Snapshots ---------------------------------------------------------- */

/* False: it failed. */
static bool job_succeeds(QTestState *qts, const char *id)
{
    g_autofree char *status = g_strdup("");
    bool has_failed = false;

    while (!g_str_equal(status, "concluded")) {
        QDict *response = qtest_qmp(qts, "{'execute': 'query-jobs'}");
        QDict *job = NULL;
        QListEntry *entry;

        QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
            QDict *each = qobject_to(QDict, qlist_entry_obj(entry));

            if (g_str_equal(qdict_get_str(each, "id"), id)) {
                job = each;
            }
        }
        g_assert_nonnull(job);
        has_failed = qdict_haskey(job, "error");
        g_free(status);
        status = g_strdup(qdict_get_str(job, "status"));
        qobject_unref(response);
    }
    qtest_qmp_assert_success(qts, "{'execute': 'job-dismiss', 'arguments': "
                             "{'id': %s}}", id);
    return !has_failed;
}

static void wait_for_job(QTestState *qts, const char *id)
{
    g_assert_true(job_succeeds(qts, id));
}

void sva_make_disk(QTestState *qts, const char *file)
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

static bool snapshot(QTestState *qts, const char *command)
{
    qtest_qmp_assert_success(qts,
        "{'execute': %s, 'arguments': {'job-id': 'snap', 'tag': 'one', "
        "'vmstate': 'disk', 'devices': ['disk']}}", command);
    return job_succeeds(qts, "snap");
}

void sva_snapshot_save(QTestState *qts)
{
    g_assert_true(snapshot(qts, "snapshot-save"));
}

void sva_snapshot_load(QTestState *qts)
{
    g_assert_true(snapshot(qts, "snapshot-load"));
}

bool sva_snapshot_try(QTestState *qts)
{
    bool succeeds = snapshot(qts, "snapshot-load");

    qtest_qmp_assert_success(qts, "{'execute': 'cont'}");
    return succeeds;
}
