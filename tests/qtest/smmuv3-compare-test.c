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
/* From VALUES on, and from VALUES + VALUES_BYTES on for the second vCPU: */
enum { V_TTBR0 = 0, V_TCR = 8, V_MAIR = 16, V_SCTLR = 24, V_GO = 56,
       V_DONE = 64, VALUES_BYTES = 128 };

static const uint32_t program[] = {
    0xd2800060, 0xf2b88000, /* mov x0, PSCI's CPU_ON */
    0xd2800021,             /* mov x1, #1: which */
    0x10000062,             /* adr x2, what follows hvc */
    0xd2800003,             /* mov x3, #0 */
    0xd4000002,             /* hvc #0; if there is no second, nothing */
    0x10000740,             /* adr x0, VALUES */
    0xd53800a5, 0x924000a5, /* mov x5, the last bit of MPIDR_EL1 */
    0x8b051c00,             /* add x0, x0, x5, lsl #7 */
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

/* The program, some pages, and a CD like TCR; the vCPUs wait to be let go. */
static Rig rig_start_with(unsigned vcpus)
{
    Rig r = { .file = write_program() };
    g_autofree char *args = g_strdup_printf("-accel tcg -machine verdict=off "
                                            "-smp %u -kernel %s", vcpus,
                                            r.file);

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

static Rig rig_start(void)
{
    return rig_start_with(1);
}

/* A vCPU gets its registers, and does nothing with them. */
static void set_registers(Rig *r, unsigned vcpu, uint64_t root,
                          uint64_t more_tcr)
{
    QTestState *qts = r->t->qts;
    uint64_t values = VALUES + vcpu * VALUES_BYTES;
    uint64_t tcr = 16 | UINT64_C(1) << 23 | UINT64_C(5) << 32 | more_tcr;

    qtest_writeq(qts, values + V_TTBR0, root);
    qtest_writeq(qts, values + V_TCR, tcr);
    qtest_writeq(qts, values + V_MAIR, 0xff);
    qtest_writeq(qts, values + V_SCTLR, 0x30d00801);
    qtest_writeq(qts, values + V_GO, 1);
    WAIT_FOR(qtest_readq(qts, values + V_DONE));
}

/* The only one does, and stands still with them. */
static void run(Rig *r, uint64_t more_tcr)
{
    set_registers(r, 0, r->root, more_tcr);
    qtest_qmp_assert_success(r->t->qts, "{'execute': 'stop'}");
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
    g_assert_true(qdict_get_bool(answer, "current"));
    g_assert_cmpstr(qdict_get_str(answer, "mapped-bytes"), ==, "0x5000");
    qobject_unref(response);
}

/* The vCPU that is compared if none is named. */
static void expect_vcpu(Rig *r, unsigned vcpu, bool current)
{
    QDict *response = ask(r, "");
    QDict *answer = qdict_get_qdict(response, "return");

    g_assert_nonnull(answer);
    g_assert_cmpint(qdict_get_int(answer, "vcpu"), ==, vcpu);
    g_assert_true(qdict_get_bool(answer, "current") == current);
    g_assert_true(qdict_get_bool(answer, "identical"));
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

/* ---- Several fields together ------------------------------------------- */

/* A page at which so many of four fields of the CD are wrong. */
typedef struct Page {
    uint64_t va;
    bool far;                   /* IPS is */
    bool other_memory;          /* MAIR is: of it this page's attributes */
    bool is_code;               /* WXN is, if it is writable */
} Page;

#define FORBIDDEN UINT64_C(0x200000)    /* above here tables forbid writes */

static const char *const mistakes[] = {
    "CD.HAD0 is 0x0, TCR_EL1.HPD0 0x1",
    "CD.IPS is 0x1, TCR_EL1.IPS 0x5",
    "CD.WXN is 0x1, SCTLR_EL1.WXN 0x0",
    "CD.MAIR is 0x44ff, MAIR_EL1 0xff",
};

static const Page pages[] = {
    { VA + 0x20000, false, true, true },
    { VA + 0x22000, true, false, true },
    { VA + 0x24000, true, true, false },
    { VA + 0x26000, true, true, true },
    { FORBIDDEN, false, true, false },
    { FORBIDDEN + 0x2000, false, false, true },
    { FORBIDDEN + 0x4000, true, false, false },
    { FORBIDDEN + 0x6000, false, true, true },
    { FORBIDDEN + 0x8000, true, true, false },
    { FORBIDDEN + 0xa000, true, false, true },
};

static void map_page(Rig *r, const Page *page)
{
    uint64_t leaf, bits = 0;

    sva_map(r->t, r->root, page->va, page->far ? FAR + page->va : r->page,
            4096, 0);
    leaf = sva_leaf_address(r->t, r->root, page->va);
    smmu3_set(&bits, TTD_ATTRINDX, page->other_memory);
    smmu3_set(&bits, TTD_UXN, !page->is_code);
    qtest_writeq(r->t->qts, leaf, qtest_readq(r->t->qts, leaf) | bits);
}

static uint64_t next_table(Rig *r, uint64_t entry)
{
    return qtest_readq(r->t->qts, entry) & UINT64_C(0xfffffffff000);
}

/* Ten groups of fields, none of which does for another one's page. */
static Rig start_with_groups(void)
{
    Rig r = rig_start();
    uint64_t table;

    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        map_page(&r, &pages[i]);
    }
    table = next_table(&r, next_table(&r, r.root)) + FORBIDDEN / 0x200000 * 8;
    qtest_writeq(r.t->qts, table, qtest_readq(r.t->qts, table) |
                                  smmu3_field_mask(TTD_APTABLE_NO_WRITE));
    smmu3_set(r.cd, CD_IPS, 1);
    smmu3_set(r.cd, CD_WXN, 1);
    smmu3_set(r.cd, CD_MAIR, 0x44ff);
    set_cd(&r);
    run(&r, UINT64_C(1) << 41);     /* HPD0 */
    return r;
}

static char *reason_of(const Page *page)
{
    bool wrong[] = { page->va >= FORBIDDEN, page->far, page->is_code,
                     page->other_memory };
    GString *words = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        if (wrong[i]) {
            g_string_append_printf(words, "%s%s", words->len ? "; and " : "",
                                   mistakes[i]);
        }
    }
    return g_string_free(words, FALSE);
}

/* The pages from @first on differ, for these reasons; NULL: whatever they are. */
static void expect_reasons(Rig *r, const char *arguments, unsigned first,
                           char *(*wanted)(unsigned i))
{
    QDict *response = ask(r, arguments);
    QList *ranges = qdict_get_qlist(qdict_get_qdict(response, "return"),
                                    "ranges");
    const QListEntry *entry;
    unsigned i = first;

    g_assert_cmpuint(qlist_size(ranges), ==, ARRAY_SIZE(pages) - first);
    QLIST_FOREACH_ENTRY(ranges, entry) {
        g_autofree char *because = wanted(i++);

        if (because) {
            g_assert_cmpstr(qdict_get_str(qobject_to(QDict,
                            qlist_entry_obj(entry)), "because"), ==, because);
        }
    }
    qobject_unref(response);
}

/* So many groups are looked for; of the rest it is not said that none does. */
static char *eight_groups(unsigned i)
{
    return i < 8 ? reason_of(&pages[i]) :
           g_strdup("several fields together; which, was not looked for after "
                    "eight such groups");
}

static void test_many_groups(void)
{
    Rig r = start_with_groups();

    expect_reasons(&r, "'from': 196608", 0, eight_groups);
    rig_stop(&r);
}

enum { FIRST_FORBIDDEN = 4 };

static char *first_but_not_last(unsigned i)
{
    return i == FIRST_FORBIDDEN ? reason_of(&pages[i]) :
           i < ARRAY_SIZE(pages) - 1 ? NULL :
           g_strdup("not looked for: it would take more than max-steps");
}

/*
 * Reasons are no more work than the survey may be, which is of eleven pages on
 * each side here.
 */
static void test_reasons_are_bounded(void)
{
    Rig r = start_with_groups();

    expect_reasons(&r, "'from': 2097152, 'to': 2142207, 'max-steps': 24",
                   FIRST_FORBIDDEN, first_but_not_last);
    rig_stop(&r);
}

/* An STE that makes all accesses privileged is a reason, too. */
static void test_overrides(void)
{
    Rig r = rig_start();
    uint64_t ste[SMMU3_STE_WORDS];

    run(&r, 0);
    for (unsigned i = 0; i < SMMU3_STE_WORDS; i++) {
        ste[i] = qtest_readq(r.t->qts, r.t->strtab + SID * SMMU3_STE_BYTES +
                                       8 * i);
    }
    smmu3_set(ste, STE_PRIVCFG, 3);
    sva_set_ste(r.t, SID, ste);
    /* Not at the read-only page, which is code for both */
    expect_reason(&r, "", 3, "rights",
                  "STE.PRIVCFG is 0x3, which a vCPU has not");
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

/*
 * The vCPU that runs the process is found; if none does, one whose tables can be
 * looked at: the first has its MMU off.
 */
static void test_which_vcpu(void)
{
    Rig r = rig_start_with(2);
    uint64_t root = r.root, other = sva_table(r.t);

    set_registers(&r, 1, root, 0);
    expect_vcpu(&r, 1, true);
    smmu3_set_addr(r.cd, CD_TTB0, other);
    set_cd(&r);
    expect_vcpu(&r, 1, false);
    expect_error(&r, "'vcpu': 0", "vCPU 0 has its MMU off");
    sva_map(r.t, other, PROGRAM, PROGRAM, 4096, SVA_MAP_PRIV);
    set_registers(&r, 0, other, 0);
    expect_vcpu(&r, 0, true);
    smmu3_set_addr(r.cd, CD_TTB0, root);
    set_cd(&r);
    expect_vcpu(&r, 1, true);
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
    TEST("which-vcpu", test_which_vcpu);
    TEST("many-groups", test_many_groups);
    TEST("reasons-are-bounded", test_reasons_are_bounded);
    TEST("overrides", test_overrides);
    TEST("cannot-be", test_cannot_be_compared);
    return g_test_run();
}
