/*
 * CMD_SYNC and memory that a device has mapped: an NVMe controller reads from
 * a disk that takes its time, into pages that software takes away meanwhile.
 * Not how a mapping is found out to be stale, in detail. The disk's time is the
 * virtual clock's, which stands still here unless it is stepped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "../unit/conformance.h"
#include "sva-qtest.h"

#define NVME_ARGS \
    "-blockdev driver=null-co,node-name=disk,size=16777216,read-zeroes=on " \
    "-device nvme,id=nvme,addr=1,serial=1,drive=disk "
/* 512 bytes a second; set while it runs, so that it goes by the test's clock. */
#define SLOW \
    "{'execute': 'block_set_io_throttle', 'arguments': {'id': 'nvme', " \
    "'bps': 512, 'bps_rd': 0, 'bps_wr': 0, 'iops': 0, 'iops_rd': 0, " \
    "'iops_wr': 0}}"
/* From the second on, a read of a page waits for more than 4 s, not for 60. */
#define SECOND          INT64_C(1000000000)
#define TOO_EARLY_NS    (4 * SECOND)
#define LATE_ENOUGH_NS  (60 * SECOND)
/* A CMD_SYNC that waits does so for as long. */
#define PATIENT         "-global smmuv3-sva.mapped-timeout-ms=600000"

#define NVME_CC         0x14
#define NVME_CSTS       0x1c
#define NVME_AQA        0x24
#define NVME_ASQ        0x28
#define NVME_ACQ        0x30
#define NVME_DOORBELLS  0x1000
enum { CREATE_SQ = 1, CREATE_CQ = 5, READ = 2 };
enum { ENTRIES = 16, SQ_BYTES = 64, CQ_BYTES = 16, PAGE = 4096 };

#define BUFFER  UINT64_C(0x100000)      /* where the device reads to */
#define OTHER   UINT64_C(0x200000)

typedef struct Nvme {
    SvaQtest *t;
    unsigned devfn;
    uint64_t bar, root;
    uint64_t sq[2], cq[2];
    unsigned tail[2];
} Nvme;

static void map_same(Nvme *n, uint64_t page)
{
    sva_map(n->t, n->root, page, page, PAGE, 0);
}

static void nvme_command(Nvme *n, unsigned q, uint32_t opcode, uint64_t prp1,
                         uint32_t dword10, uint32_t dword11, uint32_t dword12)
{
    QTestState *qts = n->t->qts;
    uint64_t at = n->sq[q] + n->tail[q] * SQ_BYTES;

    qtest_writel(qts, at, opcode | n->tail[q] << 16);
    qtest_writel(qts, at + 4, 1);
    qtest_writeq(qts, at + 24, prp1);
    qtest_writel(qts, at + 40, dword10);
    qtest_writel(qts, at + 44, dword11);
    qtest_writel(qts, at + 48, dword12);
    n->tail[q]++;
    qtest_writel(qts, n->bar + NVME_DOORBELLS + q * 8, n->tail[q]);
}

/* The last command is done, without an error. */
static bool nvme_done(Nvme *n, unsigned q)
{
    uint16_t status = qtest_readw(n->t->qts, n->cq[q] +
                                  (n->tail[q] - 1) * CQ_BYTES + 14);

    g_assert_cmphex(status & ~1, ==, 0);
    return status & 1;
}

static void nvme_finish(Nvme *n, unsigned q)
{
    for (unsigned i = 0; i < 1000 && !nvme_done(n, q); i++) {
        qtest_clock_step(n->t->qts, 1000 * 1000);
    }
    g_assert_true(nvme_done(n, q));
}

static void nvme_read(Nvme *n, uint64_t to)
{
    nvme_command(n, 1, READ, to, 0, 0, PAGE / 512 - 1);
}

static void start_controller(Nvme *n)
{
    QTestState *qts = n->t->qts;

    for (unsigned q = 0; q < 2; q++) {
        n->sq[q] = sva_alloc(n->t, PAGE, PAGE);
        n->cq[q] = sva_alloc(n->t, PAGE, PAGE);
        map_same(n, n->sq[q]);
        map_same(n, n->cq[q]);
    }
    qtest_writel(qts, n->bar + NVME_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    qtest_writeq(qts, n->bar + NVME_ASQ, n->sq[0]);
    qtest_writeq(qts, n->bar + NVME_ACQ, n->cq[0]);
    qtest_writel(qts, n->bar + NVME_CC, 4 << 20 | 6 << 16 | 1);
    g_assert_cmphex(qtest_readl(qts, n->bar + NVME_CSTS), ==, 1);
    nvme_command(n, 0, CREATE_CQ, n->cq[1], (ENTRIES - 1) << 16 | 1, 1, 0);
    nvme_finish(n, 0);
    nvme_command(n, 0, CREATE_SQ, n->sq[1], (ENTRIES - 1) << 16 | 1,
                 1 << 16 | 1, 0);
    nvme_finish(n, 0);
}

/* With a read to BUFFER, which is @page, under way. */
static void nvme_start(Nvme *n, const char *args, uint64_t *page)
{
    g_autofree char *all = g_strconcat(NVME_ARGS, args, NULL);
    uint64_t cds, cd[SMMU3_CD_WORDS];

    *n = (Nvme) { .t = sva_start(all), .devfn = 1 << 3 };
    n->bar = sva_enable_bar(n->t, 0, n->devfn, 0);
    sva_smmu_enable(n->t);
    n->root = sva_table(n->t);
    cds = sva_alloc(n->t, SMMU3_CD_BYTES, SMMU3_CD_BYTES);
    sva_cd_for(cd, n->root, 1, false);
    sva_set_cd(n->t, n->devfn, cds, 0, cd);
    sva_ste_stage1(n->t, n->devfn, cds, 0);

    *page = sva_alloc(n->t, PAGE, PAGE);
    sva_map(n->t, n->root, BUFFER, *page, PAGE, 0);
    sva_map(n->t, n->root, OTHER, sva_alloc(n->t, PAGE, PAGE), PAGE, 0);
    start_controller(n);
    qtest_qmp_assert_success(n->t->qts, SLOW);
    nvme_read(n, OTHER);        /* the first takes no time */
    nvme_finish(n, 1);
    qtest_memset(n->t->qts, *page, 0xaa, PAGE);
    nvme_read(n, BUFFER);
    g_assert_false(nvme_done(n, 1));
}

static bool is_written(Nvme *n, uint64_t page)
{
    return qtest_readq(n->t->qts, page) == 0;
}

static void invalidate(Nvme *n, uint64_t va)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA, 0 };

    smmu3_set(command, CMD_ASID, 1);
    smmu3_set_addr(command, CMD_ADDR, va);
    smmu3_set(command, CMD_LEAF, 1);
    sva_command(n->t, command[0], command[1]);
}

static bool sync_is_done(Nvme *n)
{
    return (sva_read32(n->t, SMMU3_CMDQ_CONS) & 0x7f) == n->t->cmdq_prod;
}

static void expect_counters(Nvme *n, uint64_t waits, uint64_t given_up)
{
    g_assert_cmpuint(sva_counter(n->t, "mapped_waits"), ==, waits);
    g_assert_cmpuint(sva_counter(n->t, "mappings_given_up"), ==, given_up);
}

static void finish(Nvme *n)
{
    qtest_clock_step(n->t->qts, LATE_ENOUGH_NS);
    nvme_finish(n, 1);
    sva_stop(n->t);
}

/*
 * Unmap, TLBI, SYNC while the read is under way: the SYNC is consumed after
 * the device has written its last byte, not before.
 */
static void test_sync_waits_for_what_was_taken_away(void)
{
    uint64_t page;
    Nvme n;

    nvme_start(&n, PATIENT, &page);
    sva_unmap(n.t, n.root, BUFFER, PAGE);
    invalidate(&n, BUFFER);
    sva_command(n.t, CMD_SYNC, 0);
    qtest_clock_step(n.t->qts, TOO_EARLY_NS);
    g_assert_false(sync_is_done(&n));
    g_assert_false(is_written(&n, page));
    qtest_clock_step(n.t->qts, LATE_ENOUGH_NS);
    nvme_finish(&n, 1);
    g_assert_true(is_written(&n, page));
    g_assert_true(sync_is_done(&n));
    expect_counters(&n, 1, 0);
    /* It is forgotten: nothing is left to wait for. */
    sva_command(n.t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(n.t);
    expect_counters(&n, 1, 0);
    sva_stop(n.t);
}

/* The same address is another page now. */
static void test_sync_waits_for_what_was_exchanged(void)
{
    uint64_t page;
    Nvme n;

    nvme_start(&n, PATIENT, &page);
    sva_map(n.t, n.root, BUFFER, sva_alloc(n.t, PAGE, PAGE), PAGE, 0);
    sva_command(n.t, CMD_TLBI_NSNH_ALL, 0);
    sva_command(n.t, CMD_SYNC, 0);
    g_assert_false(sync_is_done(&n));
    finish(&n);
}

/* So it is with write access that was taken away... */
static void test_sync_waits_for_what_was_write_protected(void)
{
    uint64_t page;
    Nvme n;

    nvme_start(&n, PATIENT, &page);
    sva_map(n.t, n.root, BUFFER, page, PAGE, SVA_MAP_RO);
    invalidate(&n, BUFFER);
    sva_command(n.t, CMD_SYNC, 0);
    g_assert_false(sync_is_done(&n));
    finish(&n);
}

/* ...and with a stream that now leads elsewhere: CFGI, no TLBI. */
static void test_sync_waits_for_another_configuration(void)
{
    uint64_t page, ste[SMMU3_STE_WORDS] = { 0 }, command = CMD_CFGI_STE;
    Nvme n;

    nvme_start(&n, PATIENT, &page);
    qtest_memwrite(n.t->qts, n.t->strtab + n.devfn * SMMU3_STE_BYTES, ste,
                   sizeof(ste));
    smmu3_set(&command, CMD_STREAMID, n.devfn);
    sva_command(n.t, command, 1);
    sva_command(n.t, CMD_SYNC, 0);
    g_assert_false(sync_is_done(&n));
    qtest_clock_step(n.t->qts, LATE_ENOUGH_NS);
    g_assert_true(is_written(&n, page));
    g_assert_true(sync_is_done(&n));
    sva_stop(n.t);
}

/* A mapping that the tables still allow is no reason to wait. */
static void test_sync_does_not_wait_for_what_holds(void)
{
    uint64_t page;
    Nvme n;

    nvme_start(&n, "", &page);
    sva_unmap(n.t, n.root, OTHER, PAGE);
    invalidate(&n, OTHER);
    sva_sync(n.t);
    sva_command(n.t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(n.t);
    g_assert_false(is_written(&n, page));
    expect_counters(&n, 0, 0);
    finish(&n);
}

/* It waits so long, once; then the counter says that it went on without. */
static void test_sync_gives_up(void)
{
    uint64_t page;
    Nvme n;

    nvme_start(&n, "-global smmuv3-sva.mapped-timeout-ms=1000", &page);
    sva_unmap(n.t, n.root, BUFFER, PAGE);
    invalidate(&n, BUFFER);
    sva_command(n.t, CMD_SYNC, 0);
    qtest_clock_step(n.t->qts, SECOND * 9 / 10);
    g_assert_false(sync_is_done(&n));
    expect_counters(&n, 1, 0);
    qtest_clock_step(n.t->qts, SECOND / 5);
    for (unsigned i = 0; i < 1000 && !sync_is_done(&n); i++) {
        g_usleep(1000);
    }
    g_assert_true(sync_is_done(&n));
    g_assert_false(is_written(&n, page));
    expect_counters(&n, 1, 1);
    invalidate(&n, BUFFER);
    sva_sync(n.t);
    expect_counters(&n, 1, 1);
    finish(&n);
}

static void test_sync_need_not_wait(void)
{
    uint64_t page;
    Nvme n;

    nvme_start(&n, "-global smmuv3-sva.mapped-timeout-ms=0", &page);
    sva_unmap(n.t, n.root, BUFFER, PAGE);
    invalidate(&n, BUFFER);
    sva_sync(n.t);
    g_assert_false(is_written(&n, page));
    expect_counters(&n, 0, 1);
    finish(&n);
}

/* ---- Many mappings ------------------------------------------------------ */

enum {
    READS = 8, PAGES_OF_A_READ = 512,       /* of 2^9 pages, see mdts */
    MANY = READS * PAGES_OF_A_READ,
    AT_ONCE = 512,                          /* see smmuv3-sva-access.c */
};
#define MANY_BUFFERS    UINT64_C(0x100000000)

/* To as many pages from @first on, which a list names. */
static void nvme_read_many(Nvme *n, uint64_t first)
{
    QTestState *qts = n->t->qts;
    uint64_t list = sva_alloc(n->t, PAGE, PAGE);

    map_same(n, list);
    for (unsigned i = 1; i < PAGES_OF_A_READ; i++) {
        qtest_writeq(qts, list + (i - 1) * 8, first + i * (uint64_t)PAGE);
    }
    qtest_writeq(qts, n->sq[1] + n->tail[1] * SQ_BYTES + 32, list);
    nvme_command(n, 1, READ, first, 0, 0, PAGES_OF_A_READ * PAGE / 512 - 1);
}

/* How many were given up in each piece; ends with a 0. */
static unsigned *read_pieces(const char *log)
{
    g_autofree char *text = NULL;
    GArray *pieces = g_array_new(true, true, sizeof(unsigned));

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    for (const char *line = text;
         (line = strstr(line, "smmuv3_sva_mappings_give_up ")); line++) {
        unsigned count;

        g_assert_cmpint(sscanf(line, "%*s %u at once", &count), ==, 1);
        g_array_append_val(pieces, count);
    }
    return (unsigned *)g_array_free(pieces, false);
}

/*
 * A guest that has thousands of buffers mapped and takes all of them away: the
 * SYNC goes on without them, and no piece of work is about more than a few.
 */
static void give_up_many(const char *timeout, int64_t step_ns)
{
    g_autofree char *log = g_strdup_printf("%s/sva-mapped-%d.log",
                                           g_get_tmp_dir(), getpid());
    g_autofree char *args =
        g_strdup_printf("-global nvme.mdts=9 "
                        "-global smmuv3-sva.mapped-timeout-ms=%s "
                        "-d trace:smmuv3_sva_mappings_give_up -D %s", timeout,
                        log);
    g_autofree unsigned *pieces = NULL;
    unsigned total = 0;
    uint64_t page;
    Nvme n;

    nvme_start(&n, args, &page);
    sva_unmap(n.t, n.root, BUFFER, PAGE);
    for (unsigned i = 0; i < MANY; i++) {
        sva_map(n.t, n.root, MANY_BUFFERS + i * (uint64_t)PAGE, page, PAGE, 0);
    }
    for (unsigned i = 0; i < READS; i++) {
        nvme_read_many(&n, MANY_BUFFERS +
                           i * (uint64_t)PAGES_OF_A_READ * PAGE);
    }
    sva_unmap(n.t, n.root, MANY_BUFFERS, MANY * (uint64_t)PAGE);
    sva_command(n.t, CMD_TLBI_NSNH_ALL, 0);
    sva_command(n.t, CMD_SYNC, 0);
    if (step_ns) {
        WAIT_FOR(sva_counter(n.t, "mapped_waits") == 1);
        qtest_clock_step(n.t->qts, step_ns);
    }
    WAIT_FOR(sync_is_done(&n));
    g_assert_cmpuint(sva_counter(n.t, "mappings_given_up"), ==, MANY + 1);
    sva_stop(n.t);
    pieces = read_pieces(log);
    for (unsigned i = 0; pieces[i]; i++) {
        g_assert_cmpuint(pieces[i], <=, AT_ONCE);
        total += pieces[i];
    }
    g_assert_cmpuint(total, ==, MANY + 1);
    unlink(log);
}

static void test_giving_up_is_done_in_pieces(void)
{
    give_up_many("1000", 2 * SECOND);
    give_up_many("0", 0);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define TEST(path, fn) \
    conformance_test("/smmuv3-sva/mapped/" path, fn, "110")
    TEST("sync-waits-for-what-was-taken-away",
         test_sync_waits_for_what_was_taken_away);
    TEST("sync-waits-for-what-was-exchanged",
         test_sync_waits_for_what_was_exchanged);
    TEST("sync-waits-for-what-was-write-protected",
         test_sync_waits_for_what_was_write_protected);
    TEST("sync-waits-for-another-configuration",
         test_sync_waits_for_another_configuration);
    TEST("sync-does-not-wait-for-what-holds",
         test_sync_does_not_wait_for_what_holds);
    TEST("sync-gives-up", test_sync_gives_up);
    TEST("sync-need-not-wait", test_sync_need_not_wait);
    TEST("giving-up-is-done-in-pieces", test_giving_up_is_done_in_pieces);
#undef TEST
    return conformance_run();
}
