/*
 * Questions to the SMMU about its translation tables, as a monitor asks them:
 * plugged, read, unplugged. How the answers come about in detail is tested in
 * tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
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

/* ---- Lists of ranges --------------------------------------------------- */

/* The answer of a question about ranges, to be unref'd. */
static QDict *answered(SvaQtest *t, const char *id)
{
    QDict *response = read_answer(t, id), *answer;
    g_autoptr(GString) text = qobject_to_json_pretty(QOBJECT(response), true);

    g_test_message("%s", text->str);
    g_assert_true(qdict_haskey(response, "return"));
    answer = qdict_get_qdict(response, "return");
    qobject_ref(answer);
    qobject_unref(response);
    return answer;
}

static unsigned range_count(QDict *answer)
{
    return qlist_size(qdict_get_qlist(answer, "ranges"));
}

static QDict *range(QDict *answer, unsigned i)
{
    const QListEntry *entry = qlist_first(qdict_get_qlist(answer, "ranges"));

    while (i--) {
        entry = qlist_next(entry);
    }
    return qobject_to(QDict, qlist_entry_obj(entry));
}

static void expect_hex(QDict *dict, const char *key, uint64_t value)
{
    g_autofree char *wanted = g_strdup_printf("0x%" PRIx64, value);

    g_assert_cmpstr(qdict_get_str(dict, key), ==, wanted);
}

static void test_map(void)
{
    Stream x = stream_start("");
    uint64_t pages = sva_alloc(x.t, 3 * 4096, 4096);
    QDict *answer;

    sva_map(x.t, x.root, VA, pages, 2 * 4096, 0);
    sva_map(x.t, x.root, VA + 0x100000, pages + 2 * 4096, 4096, SVA_MAP_RO);
    plug(x.t, "map", "m", "");
    answer = answered(x.t, "m");
    g_assert_cmpuint(range_count(answer), ==, 2);
    expect_hex(range(answer, 0), "first", VA);
    expect_hex(range(answer, 0), "last", VA + 0x1fff);
    expect_hex(range(answer, 0), "output", pages);
    g_assert_cmpint(qdict_get_int(range(answer, 0), "entry"), ==, 4096);
    g_assert_true(g_str_has_prefix(qdict_get_str(range(answer, 0), "rights"),
                                   "rw"));
    g_assert_true(g_str_has_prefix(qdict_get_str(range(answer, 1), "rights"),
                                   "r-"));
    g_assert_false(qdict_get_bool(answer, "truncated"));
    expect_hex(answer, "mapped-bytes", 3 * 4096);
    g_assert_cmpuint(sva_counter(x.t, "walks"), ==, 0);
    qobject_unref(answer);

    /* As much as is wanted, and where there is more. */
    plug(x.t, "map", "part", "'max-ranges': 1");
    answer = answered(x.t, "part");
    g_assert_true(qdict_get_bool(answer, "truncated"));
    expect_hex(answer, "from", VA + 0x100000);
    qobject_unref(answer);
    plug(x.t, "map", "rest", "'from': 1114112, 'to': 2097151");
    answer = answered(x.t, "rest");
    g_assert_cmpuint(range_count(answer), ==, 1);
    expect_hex(range(answer, 0), "first", VA + 0x100000);
    qobject_unref(answer);
    /* Of what does not exist the reason is told. */
    plug(x.t, "map", "none", "'ssid': 3");
    answer = answered(x.t, "none");
    g_assert_cmpstr(qdict_get_str(answer, "refused"), ==, "C_BAD_SUBSTREAMID");
    qobject_unref(answer);
    sva_stop(x.t);
}

static void test_what_if(void)
{
    Stream x = stream_start("");
    uint64_t page = sva_alloc(x.t, 4096, 4096);
    QDict *answer, *response;

    sva_map(x.t, x.root, VA, page, 4096, 0);
    sva_map(x.t, x.root, UINT64_C(1) << 40, page, 4096, 0);
    plug(x.t, "what-if", "small", "'changes': 'CD.T0SZ=0x19'");
    answer = answered(x.t, "small");
    g_assert_false(qdict_get_bool(answer, "identical"));
    g_assert_cmpstr(qstring_get_str(qobject_to(QString, qlist_peek(
                    qdict_get_qlist(answer, "changes")))), ==,
                    "CD.T0SZ: 0x10, then 0x19");
    /* Walks begin at level 1 then, where there is the old table of level 0 */
    g_assert_cmpuint(range_count(answer), >=, 1);
    qobject_unref(answer);

    plug(x.t, "what-if", "same", "'changes': 'CD.ASET=1+CD.ASID=7'");
    answer = answered(x.t, "same");
    g_assert_true(qdict_get_bool(answer, "identical"));
    /* What a list of ranges has no place for is said to be missing */
    g_assert_cmpuint(qlist_size(qdict_get_qlist(answer, "not-shown")), ==, 2);
    g_assert_cmpstr(qstring_get_str(qobject_to(QString, qlist_peek(
                    qdict_get_qlist(answer, "not-shown")))), ==,
                    "CD.ASET: what is cached is not looked at");
    qobject_unref(answer);

    plug(x.t, "what-if", "override", "'changes': 'STE.PRIVCFG=3'");
    answer = answered(x.t, "override");
    g_assert_cmpuint(range_count(answer), ==, 2);
    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(range(answer, 0), "now"),
                                  "rights"), ==, "rwx/rw-");
    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(range(answer, 0), "then"),
                                  "rights"), ==, "rw-/rw-");
    g_assert_true(qlist_empty(qdict_get_qlist(answer, "not-shown")));
    qobject_unref(answer);

    plug(x.t, "what-if", "illegal", "'changes': 'STE.V=0'");
    answer = answered(x.t, "illegal");
    g_assert_cmpstr(qdict_get_str(answer, "refused-then"), ==, "C_BAD_STE");
    g_assert_cmpuint(range_count(answer), ==, 2);
    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(range(answer, 0), "then"),
                                  "refused"), ==, "C_BAD_STE");
    qobject_unref(answer);

    plug(x.t, "what-if", "cannot", "'changes': 'ID.OAS=7'");
    response = read_answer(x.t, "cannot");
    g_assert_true(qdict_haskey(response, "error"));
    qobject_unref(response);
#define WHAT_IF "'driver': 'smmuv3-sva-what-if', 'sid': '8'"
    refused(x.t, WHAT_IF, "0 changes");
    refused(x.t, WHAT_IF ", 'changes': 'CD.NONE=1'", "'CD.NONE=1'");
    refused(x.t, WHAT_IF ", 'changes': 'CD.HA=2'", "'CD.HA=2'");
    /* Monitors show no hints: what there is must be in the text */
    refused(x.t, WHAT_IF, "CD.T0SZ, ");
    refused(x.t, WHAT_IF ", 'changes': 'CD.NONE=1'", "STE.S2T0SZ, ");
    sva_stop(x.t);
}

/* ---- Each its own ------------------------------------------------------ */

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
    /* With what there is, in the text: monitors show no hints */
    refused(t, EXPLAIN "'address': 1", "is no StreamID: give it as a number");
    refused(t, EXPLAIN "'sid': '0:99.0'", "sid=0:99.0 is no StreamID");
    refused(t, EXPLAIN "'sid': '8', 'ssid': 1048576",
            "is no SubstreamID: PASIDs have 20 bits");
    refused(t, EXPLAIN "'sid': '8', 'access': 'q'", "access=q is none: it has r");
    refused(t, EXPLAIN "'sid': '8', 'kind': 'odd'", "kind=odd: it is untransl");
    refused(t, EXPLAIN "'sid': '8', 'nonsense': 1", "nonsense");
#define COMPARE "'driver': 'smmuv3-sva-compare', 'sid': '8'"
    refused(t, COMPARE ", 'vcpu': 7", "no vcpu=7; there are 1");
    refused(t, COMPARE ", 'ttbr0': 'x'", "ttbr0=x: it is vcpu");
    sva_stop(t);
    t = sva_start_machine(PLAIN_MACHINE, "");
    refused(t, EXPLAIN "'sid': '8'", "can not be hotplugged");
    sva_stop(t);
}

/* Nothing to look at, or more than the machine should stand still for. */
static void test_wrong_bounds(void)
{
    static const char *const questions[] = {
        "'driver': 'smmuv3-sva-map', 'sid': '8'", COMPARE,
        WHAT_IF ", 'changes': 'CD.HA=1'",
    };
    static const struct {
        const char *bounds, *says;
    } cases[] = {
        { "'from': 8192, 'to': 4096", "from=0x2000 is behind to=0x1000" },
        { "'max-ranges': 0", "max-ranges=0: it is 1 to 16384" },
        { "'max-ranges': 16385", "max-ranges=16385: it is 1 to 16384" },
        { "'max-steps': 0", "max-steps=0: it is 1 to 4194304" },
        { "'max-steps': 4194305", "max-steps=4194305: it is 1 to 4194304" },
    };
    SvaQtest *t = sva_start("");

    for (unsigned i = 0; i < ARRAY_SIZE(questions); i++) {
        for (unsigned j = 0; j < ARRAY_SIZE(cases); j++) {
            g_autofree char *arguments = g_strdup_printf(
                "%s, %s", questions[i], cases[j].bounds);

            refused(t, arguments, cases[j].says);
        }
    }
    plug(t, "map", "most", "'from': 4096, 'to': 4096, 'max-ranges': 16384, "
                           "'max-steps': 4194304");
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
    TEST("map", test_map);
    TEST("what-if", test_what_if);
    TEST("questions/are-ones-own", test_questions_are_ones_own);
    TEST("questions/wrong", test_wrong_questions);
    TEST("questions/wrong-bounds", test_wrong_bounds);
    TEST("questions/cold-plugged", test_cold_plugged);
    return g_test_run();
}
