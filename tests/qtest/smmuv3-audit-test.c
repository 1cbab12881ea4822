/*
 * The translation auditor as its user meets it: properties, the list of reports,
 * the machine that stops, dropped invalidations. What is a mistake and what is
 * none is tested in tests/unit/test-audit.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "sva-testdev-rig.h"

#define SMMU    " -global smmuv3-sva."
#define DEVICE  "-device sva-testdev,addr=1"
#define AUDIT   DEVICE SMMU "audit=on" SMMU "audit-syncs=2" \
                SMMU "audit-grace-ms=100"
#define STOP    DEVICE SMMU "audit=stop" SMMU "audit-syncs=2" \
                SMMU "audit-grace-ms=100"
#define MS      INT64_C(1000000)

static QList *get_reports(const Rig *r)
{
    QDict *answer = qtest_qmp(r->t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '" SVA_SMMU_PATH "', 'property': 'audit-reports'}}");
    QList *reports = qobject_to(QList, qdict_get(answer, "return"));

    g_assert_nonnull(reports);
    qobject_ref(reports);
    qobject_unref(answer);
    return reports;
}

static size_t count_reports(const Rig *r)
{
    QList *reports = get_reports(r);
    size_t count = qlist_size(reports);

    qobject_unref(reports);
    return count;
}

static void touch(const Rig *r, uint64_t va)
{
    g_assert_cmpuint(submit(r, READ, PASID, va), ==, SVA_TESTDEV_OK);
}

static void wait_grace(const Rig *r)
{
    for (unsigned i = 0; i < 2; i++) {
        qtest_clock_step(r->t->qts, 50 * MS);
        sva_sync(r->t);
    }
}

/* Used, unmapped, and the wrong ASID invalidated. */
static void forget(const Rig *r)
{
    touch(r, VA);
    sva_unmap(r->t, r->root, VA, PAGE);
    touch(r, VA);
    sva_tlbi_va(r->t, ASID + 1, VA);
    sva_sync(r->t);
}

/* ---- Reports ------------------------------------------------------------ */

static void check_descriptors(QDict *report, const Rig *r)
{
    uint64_t leaf = sva_leaf_address(r->t, r->root, VA);
    QList *cached = qdict_get_qlist(report, "cached-descriptors");
    QList *tables = qdict_get_qlist(report, "tables-descriptors");
    QDict *last;

    g_assert_cmpuint(qlist_size(cached), ==, 4);
    g_assert_cmpuint(qlist_size(tables), ==, 4);
    for (unsigned i = 0; i < 3; i++) {
        qobject_unref(qlist_pop(cached));
        qobject_unref(qlist_pop(tables));
    }
    last = qobject_to(QDict, qlist_peek(cached));
    g_assert_cmpint(qdict_get_int(last, "level"), ==, 3);
    g_assert_cmphex(qdict_get_int(last, "address"), ==, leaf);
    g_assert_cmphex(qdict_get_int(last, "descriptor") & 3, ==, 3);
    last = qobject_to(QDict, qlist_peek(tables));
    g_assert_cmphex(qdict_get_int(last, "address"), ==, leaf);
    g_assert_cmphex(qdict_get_int(last, "descriptor"), ==, 0);
}

static void check_invalidation(QDict *report)
{
    QList *heard = qdict_get_qlist(report, "invalidations");
    QDict *last = NULL;
    const QListEntry *entry;

    QLIST_FOREACH_ENTRY(heard, entry) {
        last = qobject_to(QDict, qlist_entry_obj(entry));
    }
    g_assert_nonnull(last);
    g_assert_cmpstr(qdict_get_str(last, "command"), ==, "CMD_TLBI_NH_VA");
    g_assert_cmpstr(qdict_get_str(last, "missed"), ==, "other ASID");
    g_assert_cmphex(qdict_get_int(last, "first"), ==, VA);
}

static void test_report(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);
    QList *reports;
    QDict *report;

    forget(&r);
    wait_grace(&r);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    qtest_clock_step(r.t->qts, MS);
    touch(&r, VA + 8);
    g_assert_cmpuint(sva_counter(r.t, "audit_reports"), ==, 1);
    reports = get_reports(&r);
    g_assert_cmpuint(qlist_size(reports), ==, 1);
    report = qobject_to(QDict, qlist_peek(reports));
    g_assert_cmpstr(qdict_get_str(report, "kind"), ==, "gone");
    g_assert_cmpint(qdict_get_int(report, "stage"), ==, 1);
    g_assert_cmphex(qdict_get_int(report, "asid"), ==, ASID);
    g_assert_cmphex(qdict_get_int(report, "sid"), ==, sid(&r));
    g_assert_cmphex(qdict_get_int(report, "ssid"), ==, PASID);
    g_assert_cmphex(qdict_get_int(report, "address"), ==, VA);
    g_assert_cmphex(qdict_get_int(report, "size"), ==, PAGE);
    g_assert_cmphex(qdict_get_int(report, "cached-output"), ==, r.page);
    g_assert_cmpint(qdict_get_int(report, "count"), ==, 1);
    g_assert_false(qdict_haskey(report, "tables-output"));
    /* No vCPU wrote CMDQ_PROD */
    g_assert_false(qdict_haskey(report, "prod-before"));
    g_assert_nonnull(strstr(qdict_get_str(report, "words"),
                            "the tables have nothing there"));
    check_descriptors(report, &r);
    check_invalidation(report);
    qobject_unref(reports);

    sva_counters_reset(r.t);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    done(&r);
}

/* Bits 3:0 of word 3 (CD.MAIR's first byte) are changed, and CFGI forgotten. */
static void test_stale_cd(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);
    uint64_t cd = r.cds + PASID * SMMU3_CD_BYTES;
    uint64_t word = qtest_readq(r.t->qts, cd + 24);
    QList *reports, *words;
    QDict *report;

    touch(&r, VA);
    qtest_writeq(r.t->qts, cd + 24, word ^ 4);
    for (unsigned i = 0; i < 4; i++) {
        touch(&r, VA);
        qtest_clock_step(r.t->qts, 50 * MS);
        sva_sync(r.t);
    }
    g_assert_cmpuint(count_reports(&r), ==, 1);
    reports = get_reports(&r);
    report = qobject_to(QDict, qlist_peek(reports));
    g_assert_cmpstr(qdict_get_str(report, "kind"), ==, "CD");
    g_assert_cmphex(qdict_get_int(report, "sid"), ==, sid(&r));
    g_assert_cmphex(qdict_get_int(report, "ssid"), ==, PASID);
    g_assert_cmphex(qdict_get_int(report, "address"), ==, cd);
    g_assert_false(qdict_haskey(report, "stage"));
    words = qdict_get_qlist(report, "memory-words");
    g_assert_cmpuint(qlist_size(words), ==, 8);
    g_assert_nonnull(strstr(qdict_get_str(report, "words"), "stale CD of sid"));
    qobject_unref(reports);
    done(&r);
}

/* Granted by ATS, unmapped, and another page of the endpoint's invalidated. */
static void test_stale_atc(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);
    QList *reports, *heard;
    QDict *report, *last;

    set_eats(&r, STE_EATS_FULL);
    sva_map(r.t, r.root, FAR_VA, r.page, PAGE, 0);
    g_assert_cmpuint(submit(&r, ATS | READ | WRITE, PASID, VA), ==,
                     SVA_TESTDEV_OK);
    sva_unmap(r.t, r.root, VA, PAGE);
    sva_tlbi_va(r.t, ASID, VA);
    atc_inv(&r, PASID, false, FAR_VA, 0);
    sva_sync(r.t);
    wait_grace(&r);
    wait_grace(&r);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    g_assert_cmpuint(submit(&r, ATS | READ, PASID, FAR_VA), ==,
                     SVA_TESTDEV_OK);
    sva_sync(r.t);
    reports = get_reports(&r);
    g_assert_cmpuint(qlist_size(reports), ==, 1);
    report = qobject_to(QDict, qlist_peek(reports));
    g_assert_cmpstr(qdict_get_str(report, "kind"), ==, "stale ATC");
    g_assert_cmpstr(qdict_get_str(report, "disagrees"), ==, "gone");
    g_assert_cmphex(qdict_get_int(report, "sid"), ==, sid(&r));
    g_assert_cmphex(qdict_get_int(report, "ssid"), ==, PASID);
    g_assert_cmphex(qdict_get_int(report, "address"), ==, VA);
    g_assert_cmphex(qdict_get_int(report, "cached-output"), ==, r.page);
    g_assert_false(qdict_haskey(report, "stage"));
    g_assert_false(qdict_haskey(report, "invalidated-early"));
    heard = qdict_get_qlist(report, "invalidations");
    g_assert_cmpuint(qlist_size(heard), ==, 1);
    last = qobject_to(QDict, qlist_peek(heard));
    g_assert_cmpstr(qdict_get_str(last, "command"), ==, "CMD_ATC_INV");
    g_assert_cmpstr(qdict_get_str(last, "missed"), ==, "other range");
    g_assert_cmphex(qdict_get_int(last, "ssid"), ==, PASID);
    qobject_unref(reports);
    done(&r);
}

/* ATC_INV before TLBI, with a request between them. */
static void test_atc_invalidated_too_early(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);
    QList *reports;
    QDict *report, *early;

    set_eats(&r, STE_EATS_FULL);
    sva_map(r.t, r.root, FAR_VA, r.page, PAGE, 0);
    submit(&r, ATS | READ | WRITE, PASID, VA);
    sva_unmap(r.t, r.root, VA, PAGE);
    atc_inv(&r, PASID, false, VA, 0);
    sva_sync(r.t);
    submit(&r, ATS | READ | WRITE, PASID, VA);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    wait_grace(&r);
    wait_grace(&r);
    submit(&r, ATS | READ, PASID, FAR_VA);
    sva_sync(r.t);
    reports = get_reports(&r);
    g_assert_cmpuint(qlist_size(reports), ==, 1);
    report = qobject_to(QDict, qlist_peek(reports));
    early = qdict_get_qdict(report, "invalidated-early");
    g_assert_nonnull(early);
    g_assert_cmpstr(qdict_get_str(early, "command"), ==, "CMD_ATC_INV");
    g_assert_cmphex(qdict_get_int(early, "first"), ==, VA);
    qobject_unref(reports);
    done(&r);
}

/*
 * 16 pages get the contiguous bit while one of them is cached, behind an SMMU whose
 * IDR3.BBML is 0.
 */
static void test_break_before_make(void)
{
    Rig r = rig_start_with(AUDIT SMMU "profile=mmu-600", 0, false);
    uint64_t first = VA & ~UINT64_C(0xffff);
    QList *reports;
    QDict *report;

    sva_map(r.t, r.root, first, r.page & ~UINT64_C(0xffff), 16 * PAGE, 0);
    touch(&r, first);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t leaf = sva_leaf_address(r.t, r.root, first + i * PAGE);

        qtest_writeq(r.t->qts, leaf, qtest_readq(r.t->qts, leaf) |
                     smmu3_field_mask(TTD_CONTIG));
    }
    touch(&r, first);
    reports = get_reports(&r);
    g_assert_cmpuint(qlist_size(reports), ==, 1);
    report = qobject_to(QDict, qlist_peek(reports));
    g_assert_cmpstr(qdict_get_str(report, "kind"), ==, "break-before-make");
    g_assert_cmphex(qdict_get_int(report, "address"), ==, first);
    g_assert_cmphex(qdict_get_int(report, "size"), ==, PAGE);
    g_assert_cmphex(qdict_get_int(report, "tables-size"), ==, 16 * PAGE);
    qobject_unref(reports);
    done(&r);
}

/* A report of a command: its kind, and what it has by name. */
static void expect_command(const Rig *r, const char *kind, const char *why,
                           const char *name, uint64_t number)
{
    QList *reports = get_reports(r);
    QDict *report = qobject_to(QDict, qlist_peek(reports));

    g_assert_cmpuint(qlist_size(reports), ==, 1);
    g_assert_cmpstr(qdict_get_str(report, "kind"), ==, kind);
    if (why) {
        g_assert_nonnull(strstr(qdict_get_str(report, "why"), why));
    } else {
        g_assert_false(qdict_haskey(report, "why"));
    }
    if (name) {
        g_assert_cmphex(qdict_get_int(report, name), ==, number);
    }
    g_assert_false(qdict_haskey(report, "address"));
    qobject_unref(reports);
    sva_counters_reset(r->t);
}

static void test_wrong_answers(void)
{
    Rig r = rig_start_with(AUDIT, 0, true);
    unsigned stag = stall(&r);

    resume(&r, stag, false, true);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    resume(&r, stag, false, true);
    expect_command(&r, "RESUME", "it was answered before", "stag", stag);
    pri_resp(&r, PASID, 7, CMD_PRI_RESP_SUCCESS);
    expect_command(&r, "page response", "nothing was ever asked", "prg-index",
                   7);
    expect_resolution(&r, SVA_TESTDEV_FAIL);
    done(&r);
}

static void test_wrong_commands(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_CFGI_STE };

    smmu3_set(cmd, CMD_STREAMID, 0x1000000);
    sva_command(r.t, cmd[0], cmd[1]);
    expect_command(&r, "no such stream", NULL, "sid", 0x1000000);
    qtest_clock_step(r.t->qts, 101 * MS);
    sva_command(r.t, CMD_TLBI_NSNH_ALL, 0);
    expect_command(&r, "no SYNC", NULL, NULL, 0);
    sva_sync(r.t);
    sva_command(r.t, 0, 0);
    expect_command(&r, "illegal command", "all zero", NULL, 0);
    done(&r);
}

/* The same, and the right ASID is invalidated a little later. */
static void test_no_report_for_correct_software(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);

    forget(&r);
    qtest_clock_step(r.t->qts, 1000 * MS);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    wait_grace(&r);
    sva_map(r.t, r.root, VA, r.page + PAGE, PAGE, 0);
    touch(&r, VA);
    wait_grace(&r);
    touch(&r, VA);
    g_assert_cmpuint(sva_counter(r.t, "audit_suspicions"), ==, 1);
    g_assert_cmpuint(sva_counter(r.t, "audit_reports"), ==, 0);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    done(&r);
}

/* Twice the same page, a whole ASID for one, and an ASID that nothing has. */
static void test_summary(void)
{
    Rig r = rig_start_with(AUDIT, 0, false);
    uint64_t all[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ASID };
    QDict *answer, *summary, *of;

    sva_counters_reset(r.t);
    touch(&r, VA);
    sva_tlbi_va(r.t, ASID, VA);
    sva_tlbi_va(r.t, ASID, VA);
    sva_tlbi_va(r.t, ASID + 1, VA);
    touch(&r, VA);
    smmu3_set(all, CMD_ASID, ASID);
    sva_command(r.t, all[0], all[1]);
    sva_command(r.t, CMD_CFGI_STE | UINT64_C(0xf8) << 32, 0);
    sva_sync(r.t);
    answer = qtest_qmp(r.t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '" SVA_SMMU_PATH "', 'property': 'audit-summary'}}");
    summary = qdict_get_qdict(answer, "return");
    of = qdict_get_qdict(qdict_get_qdict(summary, "commands"),
                         "CMD_TLBI_NH_VA");
    g_assert_cmpint(qdict_get_int(of, "count"), ==, 3);
    g_assert_cmpint(qdict_get_int(of, "removed-nothing"), ==, 2);
    g_assert_cmpint(qdict_get_int(of, "repeated"), ==, 1);
    of = qdict_get_qdict(qdict_get_qdict(summary, "commands"),
                         "CMD_TLBI_NH_ASID");
    g_assert_cmpint(qdict_get_int(of, "broad"), ==, 1);
    g_assert_cmpint(qdict_get_int(summary, "unknown-asids"), ==, 1);
    g_assert_cmpint(qdict_get_int(summary, "outputs-moved"), ==, 0);
    g_assert_cmpint(qdict_get_int(summary, "without-function"), ==, 1);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    qobject_unref(answer);
    done(&r);
}

static void test_off_by_default(void)
{
    Rig r = rig_start();

    forget(&r);
    qtest_clock_step(r.t->qts, 10000 * MS);
    for (unsigned i = 0; i < 10; i++) {
        sva_sync(r.t);
        touch(&r, VA);
    }
    g_assert_cmpuint(sva_counter(r.t, "audit_looks"), ==, 0);
    g_assert_cmpuint(count_reports(&r), ==, 0);
    done(&r);
}

/* ---- The machine stops --------------------------------------------------- */

static void expect_status(const Rig *r, const char *status)
{
    QDict *answer = qtest_qmp(r->t->qts, "{'execute': 'query-status'}");

    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(answer, "return"), "status"),
                    ==, status);
    qobject_unref(answer);
}

static void test_stop(void)
{
    Rig r = rig_start_with(STOP, 0, false);

    forget(&r);
    wait_grace(&r);
    qtest_clock_step(r.t->qts, MS);
    expect_status(&r, "running");
    touch(&r, VA);
    qtest_qmp_eventwait(r.t->qts, "STOP");
    expect_status(&r, "debug");
    g_assert_cmpuint(count_reports(&r), ==, 1);

    /* Once: it goes on with the next one */
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'cont'}");
    expect_status(&r, "running");
    sva_map(r.t, r.root, FAR_VA, r.page, PAGE, 0);
    touch(&r, FAR_VA);
    sva_unmap(r.t, r.root, FAR_VA, PAGE);
    touch(&r, FAR_VA);
    wait_grace(&r);
    touch(&r, FAR_VA);
    g_assert_cmpuint(sva_counter(r.t, "audit_reports"), ==, 2);
    expect_status(&r, "running");
    done(&r);
}

/* ---- Dropped invalidations ------------------------------------------------ */

/* The machine's own set-up invalidates; the first of ours is dropped. */
static void test_drop(void)
{
    uint64_t before;
    Rig r = rig_start_with(AUDIT SMMU "inject=drop:tlbi:1/1:1", 0, false);
    QList *reports, *heard;
    QDict *report;
    const QListEntry *entry;
    bool named = false;

    before = sva_counter(r.t, "injected_drops");
    touch(&r, VA);
    sva_unmap(r.t, r.root, VA, PAGE);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    g_assert_cmpuint(sva_counter(r.t, "injected_drops"), ==, before + 1);
    touch(&r, VA);
    wait_grace(&r);
    touch(&r, VA);
    reports = get_reports(&r);
    g_assert_cmpuint(qlist_size(reports), ==, 1);
    report = qobject_to(QDict, qlist_peek(reports));
    heard = qdict_get_qlist(report, "invalidations");
    QLIST_FOREACH_ENTRY(heard, entry) {
        QDict *h = qobject_to(QDict, qlist_entry_obj(entry));

        named |= !strcmp(qdict_get_str(h, "missed"), "dropped") &&
                 (uint64_t)qdict_get_int(h, "first") == VA;
    }
    g_assert_true(named);
    qobject_unref(reports);
    done(&r);
}

/* ---- Properties ----------------------------------------------------------- */

typedef struct WrongCase {
    const char *name, *value;
    const char *said;           /* part of what QEMU says */
} WrongCase;

static const WrongCase wrong[] = {
    { "audit", "maybe", "off; on: mistakes are reported; stop: " },
    { "audit", "ON", "off; on: " },
    { "audit-syncs", "1000001", "At most 1000000 CMD_SYNCs" },
    { "audit-grace-ms", "3600001", "At most 3600000" },
};

static void test_wrong_values(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        const WrongCase *c = &wrong[i];
        g_autofree char *global = g_strdup_printf("smmuv3-sva.%s=%s", c->name,
                                                  c->value);
        const char *argv[] = {
            g_getenv("QTEST_QEMU_BINARY"), "-M", "virt-sva", "-display",
            "none", "-S", "-global", global, NULL,
        };
        g_autofree char *said = NULL;
        g_autofree char *named = g_strdup_printf("%s=%s", c->name, c->value);
        int status;

        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                                   G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                                   NULL, &said, &status, NULL));
        g_test_message("%s: %s", global, said);
        g_assert_cmpint(status, !=, 0);
        g_assert_nonnull(strstr(said, named));
        g_assert_nonnull(strstr(said, c->said));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/smmuv3-sva/audit/" path, fn)
    TEST("report", test_report);
    TEST("stale-cd", test_stale_cd);
    TEST("stale-atc", test_stale_atc);
    TEST("atc-invalidated-too-early", test_atc_invalidated_too_early);
    TEST("break-before-make", test_break_before_make);
    TEST("wrong-answers", test_wrong_answers);
    TEST("wrong-commands", test_wrong_commands);
    TEST("no-report-for-correct-software",
         test_no_report_for_correct_software);
    TEST("summary", test_summary);
    TEST("off-by-default", test_off_by_default);
    TEST("stop", test_stop);
    TEST("drop", test_drop);
    TEST("wrong-values-say-what-is-allowed", test_wrong_values);
#undef TEST
    return g_test_run();
}
