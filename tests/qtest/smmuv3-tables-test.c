/*
 * Questions to the SMMU about its translation tables, as a monitor asks them:
 * plugged, read, unplugged. How the answers come about in detail is tested in
 * tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "sva-qtest.h"

enum { SID = 8 };
#define VA UINT64_C(0x10000)

/* A stream with stage 1 whose accesses without PASID use CD 0. */
typedef struct Stream {
    SvaQtest *t;
    uint64_t root, cds;
    uint64_t cd[SMMU3_CD_WORDS];
} Stream;

static Stream stream_start(const char *args)
{
    Stream x = { .t = sva_start(args) };

    sva_smmu_enable(x.t);
    x.root = sva_table(x.t);
    x.cds = sva_alloc(x.t, 4096, 4096);
    sva_cd_for(x.cd, x.root, 1, false);
    sva_set_cd(x.t, SID, x.cds, 0, x.cd);
    sva_ste_stage1(x.t, SID, x.cds, 0);
    return x;
}

/* ---- Asking ------------------------------------------------------------ */

/* device_add, as it should work; @arguments: JSON members, see ask(). */
static void plug(SvaQtest *t, const char *driver, const char *id,
                 const char *arguments)
{
    g_autofree char *command = g_strdup_printf(
        "{'execute': 'device_add', 'arguments': {'driver': 'smmuv3-sva-%s', "
        "'id': '%s', 'sid': '0:1.0'%s%s}}", driver, id,
        *arguments ? ", " : "", arguments);

    qtest_qmp_assert_success(t->qts, command, NULL);
}

static void unplug(SvaQtest *t, const char *id)
{
    qtest_qmp_assert_success(t->qts,
        "{'execute': 'device_del', 'arguments': {'id': %s}}", id);
}

/* To be unref'd: the response to a qom-get of the answer. */
static QDict *read_answer(SvaQtest *t, const char *id)
{
    g_autofree char *path = g_strconcat("/machine/peripheral/", id, NULL);

    return qtest_qmp(t->qts, "{'execute': 'qom-get', 'arguments': "
                     "{'path': %s, 'property': 'answer'}}", path);
}

/* The lines of an explanation. */
static char *explained(SvaQtest *t, const char *id)
{
    GString *text = g_string_new(NULL);
    QDict *response = read_answer(t, id);
    const QListEntry *entry;

    g_assert_true(qdict_haskey(response, "return"));
    QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
        g_string_append(text, qstring_get_str(qobject_to(QString,
                                              qlist_entry_obj(entry))));
        g_string_append_c(text, '\n');
    }
    qobject_unref(response);
    g_test_message("%s", text->str);
    return g_string_free(text, FALSE);
}

/* A question that cannot be asked: what the monitor says of it. */
static void refused(SvaQtest *t, const char *arguments, const char *word)
{
    g_autofree char *command = g_strdup_printf(
        "{'execute': 'device_add', 'arguments': {'id': 'no', %s}}", arguments);
    QDict *response = qtest_qmp(t->qts, command, NULL);
    const char *said;

    g_assert_true(qdict_haskey(response, "error"));
    said = qdict_get_str(qdict_get_qdict(response, "error"), "desc");
    g_test_message("%s", said);
    g_assert_nonnull(strstr(said, word));
    qobject_unref(response);
}

/* ---- Explain ----------------------------------------------------------- */

static void test_explain_names_the_steps(void)
{
    Stream x = stream_start("");
    uint64_t page = sva_alloc(x.t, 4096, 4096);
    g_autofree char *pa = g_strdup_printf("0x%" PRIx64, page + 0x123);
    g_autofree char *text = NULL;

    sva_map(x.t, x.root, VA, page, 4096, 0);
    plug(x.t, "explain", "q", "'address': 65827, 'access': 'w'");
    text = explained(x.t, "q");
    g_assert_nonnull(strstr(text, "STE"));
    g_assert_nonnull(strstr(text, "CD"));
    g_assert_nonnull(strstr(text, "write of 0x10123"));
    g_assert_nonnull(strstr(text, pa));
    g_assert_cmpuint(sva_counter(x.t, "events"), ==, 0);
    sva_stop(x.t);
}

/* Each time that it is read, the answer is of that moment. */
static void test_explain_is_of_now(void)
{
    Stream x = stream_start("");
    g_autofree char *before = NULL, *after = NULL;

    plug(x.t, "explain", "q", "'address': 65536");
    before = explained(x.t, "q");
    g_assert_nonnull(strstr(before, "F_TRANSLATION"));
    sva_map(x.t, x.root, VA, sva_alloc(x.t, 4096, 4096), 4096, 0);
    after = explained(x.t, "q");
    g_assert_null(strstr(after, "F_TRANSLATION"));
    sva_stop(x.t);
}

/*
 * Two clients have their questions open at once, and each reads the answer to
 * its own; then one goes, and its name is free. More of them than anybody needs
 * come and go.
 */
static void test_questions_are_ones_own(void)
{
    Stream x = stream_start("");
    g_autofree char *one = NULL, *two = NULL, *again = NULL;
    QDict *gone;

    plug(x.t, "explain", "one", "'address': 4096");
    plug(x.t, "explain", "two", "'address': 8192");
    one = explained(x.t, "one");
    two = explained(x.t, "two");
    g_assert_nonnull(strstr(one, "read of 0x1000\n"));
    g_assert_nonnull(strstr(two, "read of 0x2000\n"));
    unplug(x.t, "one");
    gone = read_answer(x.t, "one");
    g_assert_true(qdict_haskey(gone, "error"));
    qobject_unref(gone);
    plug(x.t, "explain", "one", "'address': 12288, 'ssid': 5");
    again = explained(x.t, "one");
    g_assert_nonnull(strstr(again, "SubstreamID 0x5, untranslated unprivileged "
                                   "read of 0x3000\n"));
    for (unsigned i = 0; i < 300; i++) {
        plug(x.t, "explain", "many", "");
        unplug(x.t, "many");
    }
    sva_stop(x.t);
}

static void test_wrong_questions(void)
{
    SvaQtest *t = sva_start("");

#define EXPLAIN "'driver': 'smmuv3-sva-explain', "
    refused(t, EXPLAIN "'address': 1", "is no StreamID");
    refused(t, EXPLAIN "'sid': '0:99.0'", "sid=0:99.0 is no StreamID");
    refused(t, EXPLAIN "'sid': '8', 'ssid': 1048576", "is no SubstreamID");
    refused(t, EXPLAIN "'sid': '8', 'access': 'q'", "access=q");
    refused(t, EXPLAIN "'sid': '8', 'kind': 'odd'", "kind=odd");
    refused(t, EXPLAIN "'sid': '8', 'nonsense': 1", "nonsense");
    sva_stop(t);
    t = sva_start_machine(PLAIN_MACHINE, "");
    refused(t, EXPLAIN "'sid': '8'", "");
    sva_stop(t);
}

/* One that is there from the start asks like any other. */
static void test_cold_plugged(void)
{
    SvaQtest *t = sva_start("-device smmuv3-sva-explain,id=q,sid=0x20");
    g_autofree char *text = explained(t, "q");

    g_assert_nonnull(strstr(text, "StreamID 0x20"));
    sva_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn) qtest_add_func("smmuv3-tables/" name, fn)
    TEST("explain/names-the-steps", test_explain_names_the_steps);
    TEST("explain/is-of-now", test_explain_is_of_now);
    TEST("questions/are-ones-own", test_questions_are_ones_own);
    TEST("questions/wrong", test_wrong_questions);
    TEST("questions/cold-plugged", test_cold_plugged);
    return g_test_run();
}
