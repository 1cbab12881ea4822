/*
 * Where a vCPU and a device see different memory, and why: a vCPU is given
 * translation registers by a few instructions of ours, then stands still; the
 * device has the same tables by a CD that differs in one thing at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "sva-qtest.h"

enum { SID = 8 };
#define VA          UINT64_C(0x10000)
/* Not RAM, and so that IPS decides whether it is an output. */
#define FAR         UINT64_C(0x234500000000)
#define TCR_HA      (UINT64_C(1) << 39)

/* Where QEMU puts a kernel without a header. */
#define PROGRAM     (SVA_RAM + 0x80000)
#define VALUES      (PROGRAM + 0x100)
/* From VALUES on: */
enum { V_TTBR0 = 0, V_TCR = 8, V_MAIR = 16, V_SCTLR = 24, V_GO = 56,
       V_DONE = 64 };

static const uint32_t program[] = {
    0x10000800,             /* adr x0, VALUES */
    0xf9401c01,             /* ldr x1, [x0, #V_GO] */
    0xb4ffffe1,             /* cbz x1, there */
    0xf9400001,             /* ldr x1, [x0, #V_TTBR0] */
    0xd5182001,             /* msr ttbr0_el1, x1 */
    0xf9400401, 0xd5182041, /* tcr_el1 */
    0xf9400801, 0xd518a201, /* mair_el1 */
    0xd5033fdf,             /* isb */
    0xf9400c01, 0xd5181001, /* sctlr_el1 */
    0xd5033fdf,
    0xf9002001,             /* str x1, [x0, #V_DONE] */
    0x14000000,             /* b . */
};

typedef struct Rig {
    SvaQtest *t;
    char *file;             /* the program */
    uint64_t root, cds, page;
    uint64_t cd[SMMU3_CD_WORDS];
} Rig;

/* ---- Arrange ----------------------------------------------------------- */

static char *write_program(void)
{
    g_autofree char *image = g_malloc0(0x200);
    char *file = NULL;
    int fd = g_file_open_tmp("sva-compare-XXXXXX", &file, NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(program); i++) {
        stl_le_p(image + 4 * i, program[i]);
    }
    g_assert_cmpint(write(fd, image, 0x200), ==, 0x200);
    close(fd);
    return file;
}

static void set_cd(Rig *r)
{
    sva_set_cd(r->t, SID, r->cds, 0, r->cd);
}

/* The program, some pages, and a CD like TCR; the vCPU waits to be let go. */
static Rig rig_start(void)
{
    Rig r = { .file = write_program() };
    g_autofree char *args = g_strdup_printf("-accel tcg -machine verdict=off "
                                            "-kernel %s", r.file);

    r.t = sva_start(args);
    sva_smmu_enable(r.t);
    r.root = sva_table(r.t);
    r.cds = sva_alloc(r.t, 4096, 4096);
    r.page = sva_alloc(r.t, 3 * 4096, 4096);
    sva_cd_for(r.cd, r.root, 1, false);
    set_cd(&r);
    sva_ste_stage1(r.t, SID, r.cds, 0);
    sva_map(r.t, r.root, PROGRAM, PROGRAM, 4096, SVA_MAP_PRIV);
    sva_map(r.t, r.root, VA, r.page, 2 * 4096, 0);
    sva_map(r.t, r.root, VA + 0x4000, r.page + 2 * 4096, 4096, SVA_MAP_RO);
    sva_map(r.t, r.root, VA + 0x8000, FAR, 4096, 0);
    return r;
}

/* The vCPU gets its registers, and stands still with them. */
static void run(Rig *r, uint64_t more_tcr)
{
    QTestState *qts = r->t->qts;
    uint64_t tcr = 16 | UINT64_C(1) << 23 | UINT64_C(5) << 32 | more_tcr;

    qtest_writeq(qts, VALUES + V_TTBR0, r->root);
    qtest_writeq(qts, VALUES + V_TCR, tcr);
    qtest_writeq(qts, VALUES + V_MAIR, 0xff);
    qtest_writeq(qts, VALUES + V_SCTLR, 0x30d00801);
    qtest_writeq(qts, VALUES + V_GO, 1);
    WAIT_FOR(qtest_readq(qts, VALUES + V_DONE));
    qtest_qmp_assert_success(qts, "{'execute': 'stop'}");
}

static void rig_stop(Rig *r)
{
    sva_stop(r->t);
    unlink(r->file);
    g_free(r->file);
}

/* ---- Ask --------------------------------------------------------------- */

static QDict *ask(Rig *r, const char *arguments)
{
    g_autofree char *plug = g_strdup_printf(
        "{'execute': 'device_add', 'arguments': {'driver': "
        "'smmuv3-sva-compare', 'id': 'c', 'sid': '8'%s%s}}",
        *arguments ? ", " : "", arguments);
    g_autoptr(GString) text = NULL;
    QDict *response;

    qtest_qmp_assert_success(r->t->qts, plug, NULL);
    response = qtest_qmp(r->t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '/machine/peripheral/c', 'property': 'answer'}}");
    text = qobject_to_json_pretty(QOBJECT(response), true);
    g_test_message("%s", text->str);
    qtest_qmp_assert_success(r->t->qts,
        "{'execute': 'device_del', 'arguments': {'id': 'c'}}");
    return response;
}

static void expect_error(Rig *r, const char *arguments, const char *words)
{
    QDict *response = ask(r, arguments);

    g_assert_true(qdict_haskey(response, "error"));
    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(response, "error"),
                                          "desc"), words));
    qobject_unref(response);
}

static void expect_identical(Rig *r, const char *arguments)
{
    QDict *response = ask(r, arguments);
    QDict *answer = qdict_get_qdict(response, "return");

    g_assert_true(qdict_get_bool(answer, "identical"));
    g_assert_cmpstr(qdict_get_str(answer, "mapped-bytes"), ==, "0x5000");
    qobject_unref(response);
}

/* Each range that differs does so for this reason; there are @count. */
static void expect_reason(Rig *r, const char *arguments, unsigned count,
                          const char *how, const char *because)
{
    QDict *response = ask(r, arguments);
    QDict *answer = qdict_get_qdict(response, "return");
    QList *ranges = qdict_get_qlist(answer, "ranges");
    const QListEntry *entry;

    g_assert_false(qdict_get_bool(answer, "identical"));
    g_assert_cmpuint(qlist_size(ranges), ==, count);
    QLIST_FOREACH_ENTRY(ranges, entry) {
        QDict *range = qobject_to(QDict, qlist_entry_obj(entry));
        QList *ways = qdict_get_qlist(range, "how");

        g_assert_cmpstr(qstring_get_str(qobject_to(QString,
                        qlist_peek(ways))), ==, how);
        g_assert_cmpstr(qdict_get_str(range, "because"), ==, because);
    }
    qobject_unref(response);
}

/* ---- Tests ------------------------------------------------------------- */

static void test_identical(void)
{
    Rig r = rig_start();

    run(&r, 0);
    expect_identical(&r, "");
    expect_identical(&r, "'vcpu': 0, 'ttbr0': 'vcpu'");
    expect_identical(&r, "'privileged': true");
    expect_identical(&r, "'both-halves': true");
    rig_stop(&r);
}

/* One field of the CD is not as TCR's, or SCTLR's, or MAIR. */
static void test_each_field(void)
{
    static const struct {
        unsigned word, lsb, width;
        uint64_t value;
        unsigned ranges;
        const char *how, *because;
    } cases[] = {
        { CD_T0SZ, 40, 4, "mapped", "CD.T0SZ is 0x28, TCR_EL1.T0SZ 0x10" },
        { CD_T0SZ, 25, 4, "mapped", "CD.T0SZ is 0x19, TCR_EL1.T0SZ 0x10" },
        { CD_EPD0, 1, 4, "mapped", "CD.EPD0 is 0x1, TCR_EL1.EPD0 0x0" },
        { CD_IPS, 1, 1, "mapped", "CD.IPS is 0x1, TCR_EL1.IPS 0x5" },
        { CD_MAIR, 0x44, 4, "memory", "CD.MAIR is 0x44, MAIR_EL1 0xff" },
        { CD_WXN, 1, 2, "rights", "CD.WXN is 0x1, SCTLR_EL1.WXN 0x0" },
        { CD_E0PD0, 1, 4, "rights", "CD.E0PD0 is 0x1, TCR_EL1.E0PD0 0x0" },
    };
    Rig r = rig_start();

    run(&r, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t before[SMMU3_CD_WORDS];

        memcpy(before, r.cd, sizeof(before));
        smmu3_set(r.cd, cases[i].word, cases[i].lsb, cases[i].width,
                  cases[i].value);
        set_cd(&r);
        expect_reason(&r, "", cases[i].ranges, cases[i].how,
                      cases[i].because);
        memcpy(r.cd, before, sizeof(before));
    }
    /* Two at once, neither of which explains it alone; a third has no part. */
    smmu3_set(r.cd, CD_HAD0, 1);
    smmu3_set(r.cd, CD_MAIR, 0x44);
    smmu3_set(r.cd, CD_E0PD0, 1);
    set_cd(&r);
    expect_reason(&r, "", 4, "rights",
                  "CD.E0PD0 is 0x1, TCR_EL1.E0PD0 0x0; and "
                  "CD.MAIR is 0x44, MAIR_EL1 0xff");
    rig_stop(&r);
}

/* What hierarchical bits take away, who does not disable them loses. */
static void test_table_attributes(void)
{
    Rig r = rig_start();
    uint64_t l0 = qtest_readq(r.t->qts, r.root);

    qtest_writeq(r.t->qts, r.root, l0 | smmu3_field_mask(TTD_APTABLE_NO_WRITE));
    run(&r, UINT64_C(1) << 41);     /* HPD0 */
    /* The program's page is not EL0's, the read-only page is what it is */
    expect_reason(&r, "", 2, "rights", "CD.HAD0 is 0x0, TCR_EL1.HPD0 0x1");
    rig_stop(&r);
}

/* Access flags: who sets them by himself does not fault. No look sets any. */
static void test_access_flag(void)
{
    Rig r = rig_start();
    uint64_t leaf = sva_leaf_address(r.t, r.root, VA + 0x4000);
    uint64_t old = qtest_readq(r.t->qts, leaf) &
                   ~smmu3_field_mask(TTD_AF);
    QDict *response;

    qtest_writeq(r.t->qts, leaf, old);
    run(&r, TCR_HA);
    expect_reason(&r, "", 1, "mapped", "CD.HA is 0x0, TCR_EL1.HA 0x1");
    g_assert_cmphex(qtest_readq(r.t->qts, leaf), ==, old);
    smmu3_set(r.cd, CD_HA, 1);
    set_cd(&r);
    response = ask(&r, "");
    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(response, "return"),
                                  "rights-not-compared-bytes"), ==, "0x1000");
    qobject_unref(response);
    expect_identical(&r, "");
    g_assert_cmphex(qtest_readq(r.t->qts, leaf), ==, old);
    rig_stop(&r);
}

/* Another process's tables are named as such, and compared if that is wanted. */
static void test_other_tables(void)
{
    Rig r = rig_start();
    uint64_t other = sva_table(r.t);
    g_autofree char *because = g_strdup_printf(
        "CD.TTB0 is 0x%" PRIx64 ", TTBR0_EL1.BADDR 0x%" PRIx64, other, r.root);
    QDict *response;

    sva_map(r.t, other, VA, r.page, 4096, 0);
    smmu3_set_addr(r.cd, CD_TTB0, other);
    set_cd(&r);
    run(&r, 0);
    expect_reason(&r, "'vcpu': 0, 'ttbr0': 'vcpu'", 4, "mapped", because);
    response = ask(&r, "'vcpu': 0, 'ttbr0': 'cd'");
    g_assert_true(qdict_get_bool(qdict_get_qdict(response, "return"),
                                 "identical"));
    g_assert_false(qdict_get_bool(qdict_get_qdict(response, "return"),
                                  "current"));
    qobject_unref(response);
    /* Not even the vCPU's register is another one afterwards. */
    expect_reason(&r, "'vcpu': 0, 'ttbr0': 'vcpu'", 4, "mapped", because);
    rig_stop(&r);
}

static void test_cannot_be_compared(void)
{
    Rig r = rig_start();
    SvaQtest *t;

    expect_error(&r, "", "has its MMU off");
    run(&r, 0);
    expect_error(&r, "'ssid': 3", "C_BAD_SUBSTREAMID");
    sva_ste_bypass(r.t, SID);
    expect_error(&r, "", "no CD");
    rig_stop(&r);
    t = sva_start("");
    r = (Rig) { .t = t };
    sva_smmu_enable(t);
    r.root = sva_table(t);
    r.cds = sva_alloc(t, 4096, 4096);
    sva_cd_for(r.cd, r.root, 1, false);
    set_cd(&r);
    sva_ste_stage1(t, SID, r.cds, 0);
    expect_error(&r, "", "without TCG");
    sva_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn) qtest_add_func("smmuv3-tables/compare/" name, fn)
    TEST("identical", test_identical);
    TEST("each-field", test_each_field);
    TEST("table-attributes", test_table_attributes);
    TEST("access-flag", test_access_flag);
    TEST("other-tables", test_other_tables);
    TEST("cannot-be", test_cannot_be_compared);
    return g_test_run();
}
