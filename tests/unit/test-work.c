/*
 * One call of the core does so much work and no more, whatever weighs: long
 * ranges, many stalls to end, many records to write. What is left is done after
 * a kick, and means the same. Not how much that is in time: tests/bench.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "stall-rig.h"

/* More stalls than one call ends, and what it ends at most. */
enum { MANY = 1000, AT_MOST = 512 };

/* An SMMU that has @count stalls of SID1, with cookies from 0 on. */
static StallRig *with_stalls(unsigned eventq_log2, unsigned stall_max,
                             unsigned count)
{
    StallRig *s = stall_rig(eventq_log2, stall_max);

    for (unsigned i = 0; i < count; i++) {
        stall(s, SID1, i, 0x5000);
    }
    return s;
}

static guint resolved(StallRig *s)
{
    return s->r->host->resolutions->len;
}

static const FakeResolution *resolution(StallRig *s, guint i)
{
    return &g_array_index(s->r->host->resolutions, FakeResolution, i);
}

/* The first @count answers, in order. */
static void expect_answers(StallRig *s, guint count, Smmu3Resolution how)
{
    g_assert_cmpuint(resolved(s), >=, count);
    for (guint i = 0; i < count; i++) {
        g_assert_true(resolution(s, i)->cookie == COOKIE(i));
        g_assert_cmpint(resolution(s, i)->how, ==, how);
    }
}

/* Service calls until @count stalls were answered; each does a part. */
static void serve(StallRig *s, guint count)
{
    while (resolved(s) < count) {
        guint before = resolved(s);

        g_assert_cmpuint(s->r->host->kicks, >, 0);
        s->r->host->kicks = 0;
        smmu3_service(s->r->smmu);
        g_assert_cmpuint(resolved(s), >, before);
        g_assert_cmpuint(resolved(s) - before, <=, AT_MOST);
    }
}

/* Put commands behind those that were consumed, and let them run once. */
static void put_commands(StallRig *s, const uint64_t (*cmds)[SMMU3_CMD_WORDS],
                         unsigned count)
{
    uint32_t prod = rig_read32(s->r, SMMU3_CMDQ_PROD);
    uint32_t mask = smmu3_mask(s->r->cmdq_log2 + 1);

    for (unsigned i = 0; i < count; i++) {
        uint32_t index = (prod + i) & (mask >> 1);

        fake_write_words(s->r->host, s->r->cmdq + index * SMMU3_CMD_BYTES,
                         cmds[i], SMMU3_CMD_WORDS);
    }
    s->r->host->kicks = 0;
    rig_write32(s->r, SMMU3_CMDQ_PROD, (prod + count) & mask);
}

static bool consumed(StallRig *s)
{
    return rig_read32(s->r, SMMU3_CMDQ_CONS) ==
           rig_read32(s->r, SMMU3_CMDQ_PROD);
}

/* Of the stream, and of those that were there when the command came. */
static void test_stall_term(void)
{
    const uint64_t cmd[1][SMMU3_CMD_WORDS] = {
        { CMD_STALL_TERM | (uint64_t)SID1 << 32 },
    };
    g_autoptr(StallRig) s = with_stalls(12, 4096, MANY);

    stall(s, SID2, MANY, 0x5000);
    put_commands(s, cmd, 1);
    g_assert_cmpuint(resolved(s), <=, AT_MOST);
    g_assert_false(consumed(s));
    stall(s, SID1, MANY + 1, 0x5000);
    serve(s, MANY);
    while (!consumed(s)) {
        smmu3_service(s->r->smmu);
    }
    g_assert_cmpuint(resolved(s), ==, MANY);
    expect_answers(s, MANY, SMMU3_RESOLVE_ABORT);
    expect_outstanding(s, 2);
    g_assert_cmpuint(counters(s)->stalls_terminated, ==, MANY);
}

/*
 * A CMD_SYNC after an invalidation is not done before all that had no record
 * are started again; those that stall once more meanwhile do not hold it up.
 */
static void test_sync(void)
{
    const uint64_t cmds[2][SMMU3_CMD_WORDS] = {
        { CMD_TLBI_NSNH_ALL }, { CMD_SYNC },
    };
    g_autoptr(StallRig) s = with_stalls(12, 1, MANY + 1);
    guint again = 0;

    put_commands(s, cmds, 2);
    g_assert_false(consumed(s));
    g_assert_cmpuint(resolved(s), <=, AT_MOST);
    while (!consumed(s)) {
        for (; again < resolved(s); again++) {
            stall(s, SID1, again + 1, 0x5000);
        }
        smmu3_service(s->r->smmu);
    }
    g_assert_cmpuint(resolved(s), ==, MANY);
    for (guint i = 0; i < MANY; i++) {
        g_assert_true(resolution(s, i)->cookie == COOKIE(i + 1));
        g_assert_cmpint(resolution(s, i)->how, ==, SMMU3_RESOLVE_RETRY);
    }
    expect_outstanding(s, 1 + again);
}

/*
 * SMMUEN=0 ends them all, though not at once; what stalls after the SMMU was
 * enabled again is not among them, and is answered for itself.
 */
static void test_disable(void)
{
    g_autoptr(StallRig) s = with_stalls(12, 4096, MANY);
    uint32_t cr0 = rig_read32(s->r, SMMU3_CR0);
    uint16_t stag = 0;

    s->r->host->kicks = 0;
    rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_SMMUEN));
    g_assert_cmphex(rig_read32(s->r, SMMU3_CR0ACK), ==,
                    cr0 & ~MASK(CR0_SMMUEN));
    g_assert_cmpuint(resolved(s), <=, AT_MOST);
    rig_write32(s->r, SMMU3_CR0, cr0);
    stall(s, SID1, MANY, 0x7000);
    serve(s, MANY);
    expect_answers(s, MANY, SMMU3_RESOLVE_ABORT);
    expect_outstanding(s, 1);
    for (unsigned i = 0; i < MANY; i++) {
        expect_stall(s, SID1, 0x5000);
    }
    stag = expect_stall(s, SID1, 0x7000);
    /* Records of those that ended name nothing any more. */
    resume_retry(s, SID1, stag ? stag - 1 : 1);
    g_assert_cmpuint(resolved(s), ==, MANY);
    resume_retry(s, SID1, stag);
    g_assert_cmpuint(resolved(s), ==, MANY + 1);
    g_assert_true(resolution(s, MANY)->cookie == COOKIE(MANY));
    expect_outstanding(s, 0);
}

/* A CMD_RESUME right behind a disable is for nobody, or it was done before. */
static void test_resume_after_disable(void)
{
    g_autoptr(StallRig) s = with_stalls(12, 4096, MANY);
    uint32_t cr0 = rig_read32(s->r, SMMU3_CR0);
    uint64_t cmd[1][SMMU3_CMD_WORDS] = {
        { CMD_RESUME | (uint64_t)SID1 << 32, MANY - 1 },
    };

    smmu3_set(cmd[0], CMD_RESUME_AC, 1);
    rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_SMMUEN));
    put_commands(s, cmd, 1);
    serve(s, MANY);
    expect_answers(s, MANY, SMMU3_RESOLVE_ABORT);
    smmu3_service(s->r->smmu);
    g_assert_true(consumed(s));
    g_assert_cmpuint(counters(s)->resumes_retry, ==, 0);
}

/* Who gives up between the disable and the answer is told nothing. */
static void test_cancel_after_disable(void)
{
    g_autoptr(StallRig) s = with_stalls(12, 4096, MANY);
    guint told;

    rig_write32(s->r, SMMU3_CR0, 0);
    told = resolved(s);
    g_assert_cmpuint(told, <, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        smmu3_cancel(s->r->smmu, COOKIE(i));
    }
    for (unsigned i = 0; i < MANY; i++) {
        smmu3_service(s->r->smmu);
    }
    g_assert_cmpuint(resolved(s), ==, told);
    expect_outstanding(s, 0);
}

/* What was ended is not saved, and is told when the machine stops. */
static void test_flush_after_disable(void)
{
    g_autoptr(StallRig) s = with_stalls(12, 4096, MANY);
    g_autoptr(GArray) saved = NULL;

    rig_write32(s->r, SMMU3_CR0, 0);
    g_assert_cmpuint(resolved(s), <, MANY);
    saved = smmu3_save_stalls(s->r->smmu);
    g_assert_cmpuint(saved->len, ==, 0);
    smmu3_flush(s->r->smmu);
    expect_answers(s, MANY, SMMU3_RESOLVE_ABORT);
}

/* Room for many records at once: they come in order, a part at a time. */
static void test_records(void)
{
    g_autoptr(StallRig) s = g_new0(StallRig, 1);
    uint32_t cr0;

    s->r = rig_new();
    s->r->eventq_log2 = s->r->features.eventqs = 12;
    s->r->features.stall_max = 4096;
    start_rig(s);
    cr0 = rig_read32(s->r, SMMU3_CR0);
    rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_EVENTQEN));
    for (unsigned i = 0; i < 4 * MANY; i++) {
        stall(s, SID1, i, (uint64_t)i << 12);
    }
    s->r->host->kicks = 0;
    rig_write32(s->r, SMMU3_CR0, cr0);
    g_assert_cmpuint(rig_read32(s->r, SMMU3_EVENTQ_PROD), <=, 2 * MANY);
    while (rig_read32(s->r, SMMU3_EVENTQ_PROD) < 4 * MANY) {
        uint32_t before = rig_read32(s->r, SMMU3_EVENTQ_PROD);

        g_assert_cmpuint(s->r->host->kicks, >, 0);
        smmu3_service(s->r->smmu);
        g_assert_cmpuint(rig_read32(s->r, SMMU3_EVENTQ_PROD), >, before);
    }
    for (unsigned i = 0; i < 4 * MANY; i++) {
        expect_stall(s, SID1, (uint64_t)i << 12);
    }
}

/* STAGs that were loaded are taken; all the others are free. */
static void test_stags_after_load(void)
{
    g_autoptr(StallRig) s = with_stalls(5, 4, 3);
    g_autoptr(StallRig) to = stall_rig(5, 4);
    g_autoptr(GArray) saved = NULL;
    Smmu3Regs regs;

    resume_retry(s, SID1, 1);
    saved = smmu3_save_stalls(s->r->smmu);
    g_assert_cmpuint(saved->len, ==, 2);
    regs = *smmu3_regs(to->r->smmu);
    g_assert_true(smmu3_load(to->r->smmu, &regs,
                             (const Smmu3SavedStall *)saved->data,
                             saved->len));
    stall(to, SID1, 7, 0x7000);
    stall(to, SID1, 8, 0x8000);
    stall(to, SID1, 9, 0x9000);
    g_assert_cmpuint(expect_stall(to, SID1, 0x7000), ==, 1);
    g_assert_cmpuint(expect_stall(to, SID1, 0x8000), ==, 3);
    rig_expect_no_event(to->r);         /* none is free */
    resume_retry(to, SID1, 2);
    g_assert_cmpuint(expect_stall(to, SID1, 0x9000), ==, 2);
    resume_retry(to, SID1, 0);
    resume_retry(to, SID1, 1);
    stall(to, SID1, 10, 0xa000);
    g_assert_cmpuint(expect_stall(to, SID1, 0xa000), ==, 0);
}

/* How many of these commands one register write runs. */
static uint32_t run_once(const uint64_t cmd[SMMU3_CMD_WORDS])
{
    enum { LOG2 = 13 };
    g_autoptr(StallRig) s = g_new0(StallRig, 1);
    uint32_t before;

    s->r = rig_new();
    s->r->cmdq_log2 = LOG2;
    s->r->features.cmdqs = LOG2;
    start_rig(s);
    pt_map_range(&s->pt, 0, 0, 0x10000, PT_USER_RW);
    g_assert_cmpint(smmu3_translate(s->r->smmu, &(Smmu3Transaction) {
        .sid = SID1, .access = SMMU3_READ, .addr = 0x5000,
    }, &(Smmu3Translation) { 0 }), ==, SMMU3_OK);
    before = rig_read32(s->r, SMMU3_CMDQ_PROD);
    for (uint32_t i = 0; i < 1u << LOG2; i++) {
        fake_write_words(s->r->host, s->r->cmdq + i * SMMU3_CMD_BYTES, cmd,
                         SMMU3_CMD_WORDS);
    }
    rig_write32(s->r, SMMU3_CMDQ_PROD, before ^ 1u << LOG2);
    return (rig_read32(s->r, SMMU3_CMDQ_CONS) - before) & smmu3_mask(LOG2 + 1);
}

/* A range of 200 pages weighs as much as several commands without one. */
static void test_ranges(void)
{
    uint64_t light[SMMU3_CMD_WORDS] = { CMD_CFGI_STE };
    uint64_t heavy[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA };
    uint32_t few, many;

    smmu3_set(heavy, CMD_ASID, 7);
    smmu3_set(heavy, CMD_TLBI_TG, 1);
    smmu3_set(heavy, CMD_TLBI_NUM, 24);
    smmu3_set(heavy, CMD_TLBI_SCALE, 3);
    smmu3_set_addr(heavy, CMD_ADDR, 0x100000);
    few = run_once(heavy);
    many = run_once(light);
    g_assert_cmpuint(few, >, 0);
    g_assert_cmpuint(many, >=, 4 * few);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) conformance_test("/smmu3/work/" name, fn, items)
    T("stall-term-of-many", test_stall_term, "97");
    T("sync-retries-many", test_sync, "");
    T("disable-ends-many", test_disable, "95");
    T("resume-after-disable", test_resume_after_disable, "");
    T("cancel-after-disable", test_cancel_after_disable, "");
    T("flush-after-disable", test_flush_after_disable, "");
    T("many-records", test_records, "");
    T("stags-after-load", test_stags_after_load, "");
    T("ranges-weigh-more", test_ranges, "");
    return conformance_run();
}
