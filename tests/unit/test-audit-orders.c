/*
 * The auditor on commands that are wrong by themselves: answers to what was never
 * asked, streams that cannot be, what is no command, and no CMD_SYNC. Not what they
 * leave in a cache (test-audit.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/audit/orders.h"
#include "core/audit/reports.h"
#include "stall-rig.h"

enum { GRACE_NS = 1000000000, STALL_MAX = 8 };
#define FAR     UINT64_C(0x7f0000100000)
#define NEAR    UINT64_C(0x400000)         /* that the tables can map */

static StallRig *audited_stalls(void)
{
    StallRig *s = g_new0(StallRig, 1);

    s->r = rig_new();
    s->r->features.stall_max = STALL_MAX;
    s->r->options.audit = (Smmu3AuditOptions) {
        .on = true, .syncs = 8, .grace_ns = GRACE_NS,
    };
    start_rig(s);
    return s;
}

static unsigned reports(const StallRig *s)
{
    return s->r->host->audit_reports->len;
}

/* One more was told; of this kind, and its words have @said. */
static void expect_report(StallRig *s, Smmu3Mistake what, Smmu3Blame blame,
                          const char *said)
{
    g_autoptr(GString) words = g_string_new(NULL);
    const Smmu3AuditReport *r;

    g_assert_cmpuint(reports(s), ==, 1);
    r = &g_array_index(s->r->host->audit_reports, Smmu3AuditReport, 0);
    g_assert_cmpint(r->kind, ==, what);
    g_assert_cmpint(r->blame, ==, blame);
    smmu3_report_words(r, words);
    g_test_message("%s", words->str);
    g_assert_nonnull(strstr(words->str, said));
    g_array_set_size(s->r->host->audit_reports, 0);
}

static void command(StallRig *s, unsigned opcode, uint32_t sid)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { opcode };

    smmu3_set(cmd, CMD_STREAMID, sid);
    rig_command(s->r, cmd);
}

/* As after a migration: what was asked before is not known. */
static void load(StallRig *s)
{
    Smmu3Regs regs = *smmu3_regs(s->r->smmu);

    g_assert_true(smmu3_load(s->r->smmu, &regs, NULL, 0));
}

/* ---- CMD_RESUME ------------------------------------------------------------ */

static void test_resume(void)
{
    g_autoptr(StallRig) s = audited_stalls();
    uint16_t stag;

    resume_retry(s, SID1, 3);
    expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_NEVER,
                  "CMD_RESUME of sid 0x1 STAG 0x3: nothing was ever asked");
    resume_retry(s, SID2, STALL_MAX);
    expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_NEVER, "STAG 0x8");
    stall(s, SID1, 1, FAR);
    stag = expect_stall(s, SID1, FAR);
    resume_retry(s, SID2, stag);
    expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_OTHER_STREAM,
                  "another stream's");
    resume_retry(s, SID1, stag);
    g_assert_cmpuint(reports(s), ==, 0);
    resume_retry(s, SID1, stag);
    expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_TWICE,
                  "answered before");
}

/* The SMMU has ended it, or nobody waits any more: software cannot know. */
static void test_late_resume(void)
{
    for (unsigned how = 0; how < 4; how++) {
        g_autoptr(StallRig) s = audited_stalls();
        uint16_t stag;

        stall(s, SID1, 1, FAR);
        stag = expect_stall(s, SID1, FAR);
        switch (how) {
        case 0:
            stall_term(s, SID1);
            break;
        case 1:
            rig_write32(s->r, SMMU3_CR0, MASK(CR0_CMDQEN) | MASK(CR0_EVENTQEN));
            break;
        case 2:
            smmu3_cancel(s->r->smmu, COOKIE(1));
            break;
        default:
            load(s);
            break;
        }
        resume_retry(s, SID1, stag);
        g_assert_cmpuint(reports(s), ==, 0);
        resume_retry(s, SID1, stag);
        expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_TWICE,
                      "answered before");
    }
}

/*
 * The SMMU has ended a stall and given its STAG to another stream's, or to the same
 * one's, when the answer to the first comes; then comes the other's.
 */
static void test_late_resume_of_reused_stag(void)
{
    static const uint32_t seconds[] = { SID2, SID1 };

    for (unsigned i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_autoptr(StallRig) s = audited_stalls();
        uint16_t stag, again = UINT16_MAX;

        stall(s, SID1, 1, FAR);
        stag = expect_stall(s, SID1, FAR);
        stall_term(s, SID1);
        /* The one that is free for longest comes first */
        for (unsigned n = 0; n < STALL_MAX; n++) {
            stall(s, seconds[i], 2 + n, FAR);
            again = expect_stall(s, seconds[i], FAR);
        }
        g_assert_cmpuint(again, ==, stag);
        resume_retry(s, SID1, stag);
        resume_retry(s, seconds[i], stag);
        g_assert_cmpuint(reports(s), ==, 0);
        resume_retry(s, seconds[i], stag);
        expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_TWICE,
                      "answered before");
    }
}

/* ---- CMD_PRI_RESP ----------------------------------------------------------- */

static void ask(StallRig *s, uint32_t sid, uint16_t index, bool last)
{
    Smmu3PageRequest q = { .sid = sid, .read = true, .last = last,
                           .prg_index = index, .addr = FAR };

    smmu3_page_request(s->r->smmu, &q);
    smmu3_service(s->r->smmu);
}

static void respond(StallRig *s, uint32_t sid, uint16_t index)
{
    rig_pri_resp(s->r, sid, index, CMD_PRI_RESP_SUCCESS);
}

static void test_response(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    respond(s, SID1, 5);
    expect_report(s, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_NEVER,
                  "CMD_PRI_RESP of sid 0x1 PRG index 0x5: nothing was ever");
    ask(s, SID1, 6, false);
    ask(s, SID1, 6, true);
    respond(s, SID1, 6);
    g_assert_cmpuint(reports(s), ==, 0);
    respond(s, SID1, 6);
    expect_report(s, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_TWICE,
                  "answered before");
    /* The index is used again */
    ask(s, SID1, 6, true);
    respond(s, SID1, 6);
    g_assert_cmpuint(reports(s), ==, 0);
}

/* A function that was reset begins at the first index: answers are on their way. */
static void test_response_after_function_reset(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    ask(s, SID1, 0, true);
    ask(s, SID1, 1, false);
    smmu3_atc_flushed(s->r->smmu, SID1);
    ask(s, SID1, 0, false);
    ask(s, SID1, 0, true);
    for (unsigned i = 0; i < 2; i++) {
        respond(s, SID1, 0);
        g_assert_cmpuint(reports(s), ==, 0);
    }
    respond(s, SID1, 0);
    expect_report(s, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_TWICE, "index 0x0");
}

/* To a part of a group, and again once all of it is there. */
static void test_early_response(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    ask(s, SID1, 0, false);
    respond(s, SID1, 0);
    ask(s, SID1, 0, true);
    respond(s, SID1, 0);
    g_assert_cmpuint(reports(s), ==, 0);
    respond(s, SID1, 0);
    expect_report(s, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_TWICE, "index 0x0");
}

/* A group that the SMMU answered for want of room may be answered once more. */
static void test_response_after_overflow(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    for (unsigned i = 0; i < 20; i++) {
        ask(s, SID1, i, true);
    }
    for (unsigned i = 0; i < 20; i++) {
        respond(s, SID1, i);
    }
    g_assert_cmpuint(reports(s), ==, 0);
}

static void test_response_after_load(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    load(s);
    respond(s, SID1, 5);
    resume_retry(s, SID1, 5);
    g_assert_cmpuint(reports(s), ==, 0);
}

/* After a reset all begins anew. */
static void test_response_after_reset(void)
{
    g_autoptr(StallRig) s = audited_stalls();
    Smmu3Regs regs = *smmu3_regs(s->r->smmu);

    load(s);
    smmu3_reset(s->r->smmu);
    rig_write64(s->r, SMMU3_STRTAB_BASE, regs.strtab_base);
    rig_write32(s->r, SMMU3_STRTAB_BASE_CFG, regs.strtab_base_cfg);
    rig_write64(s->r, SMMU3_CMDQ_BASE, regs.cmdq.base);
    rig_write32(s->r, SMMU3_CR0, MASK(CR0_CMDQEN) | MASK(CR0_SMMUEN));
    resume_retry(s, SID1, 5);
    expect_report(s, SMMU3_WRONG_RESUME, SMMU3_BLAME_NEVER, "STAG 0x5");
    respond(s, SID1, 5);
    expect_report(s, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_NEVER, "index 0x5");
}

/*
 * There is a bounded memory, which one more index fills, and the same ones again do
 * not. What is not remembered is not wrong.
 */
static void test_groups_are_bounded(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    for (unsigned i = 0; i < SMMU3_GROUPS_MAX; i++) {
        ask(s, i, 1, true);
    }
    ask(s, SID1, 1, true);
    respond(s, SMMU3_GROUPS_MAX, 1);
    expect_report(s, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_NEVER, "index 0x1");
    ask(s, SMMU3_GROUPS_MAX, 1, true);
    for (unsigned i = 0; i < SMMU3_GROUPS_MAX + 10; i++) {
        respond(s, i, 1);
    }
    g_assert_cmpuint(reports(s), ==, 0);
}

/* ---- Streams ----------------------------------------------------------------- */

static void test_streams(void)
{
    static const unsigned opcodes[] = {
        CMD_CFGI_STE, CMD_CFGI_CD, CMD_CFGI_CD_ALL, CMD_ATC_INV,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        g_autoptr(StallRig) s = audited_stalls();

        command(s, opcodes[i], 255);
        g_assert_cmpuint(reports(s), ==, 0);
        command(s, opcodes[i], 256);
        expect_report(s, SMMU3_WRONG_STREAM, SMMU3_BLAME_NONE,
                      "of sid 0x100, which is beyond the stream table");
    }
}

/* Everything, and ranges, need not stop where the table does. */
static void test_all_streams(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    rig_command2(s->r, CMD_CFGI_STE_RANGE, 31);
    rig_sync(s->r);
    g_assert_cmpuint(reports(s), ==, 0);
}

/* ---- The queue ---------------------------------------------------------------- */

static void test_illegal(void)
{
    static const struct {
        uint64_t words;
        Smmu3Blame blame;
        const char *said;
    } rows[] = {
        { 0, SMMU3_BLAME_UNWRITTEN, ": all zero, as memory that was not" },
        { UINT64_C(0x6b6b6b6b6b6b6b6b), SMMU3_BLAME_POISON, ": as memory that "
          "was freed" },
        { UINT64_C(0xa5a5a5a5a5a5a5a5), SMMU3_BLAME_POISON, ": as memory" },
        { UINT64_C(0xaaaaaaaaaaaaaaaa), SMMU3_BLAME_POISON, ": as memory" },
        { UINT64_C(0x7f), SMMU3_BLAME_NONE, "0x000000000000007f" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(StallRig) s = audited_stalls();
        uint64_t cmd[SMMU3_CMD_WORDS] = { rows[i].words, rows[i].words };

        if (rows[i].blame == SMMU3_BLAME_POISON) {
            /* As a list's end has it */
            cmd[1] ^= UINT64_C(0xce) << 56;
        }
        rig_command(s->r, cmd);
        expect_report(s, SMMU3_WRONG_COMMAND, rows[i].blame, rows[i].said);
    }
}

static void test_no_sync(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    rig_sync(s->r);
    command(s, CMD_CFGI_STE, SID1);
    s->r->host->now_ns += GRACE_NS - 1;
    command(s, CMD_TLBI_NSNH_ALL, 0);
    g_assert_cmpuint(reports(s), ==, 0);
    s->r->host->now_ns += 1;
    command(s, CMD_TLBI_NSNH_ALL, 0);
    expect_report(s, SMMU3_WRONG_NO_SYNC, SMMU3_BLAME_NONE,
                  "CMD_CFGI_STE without a CMD_SYNC after it for 1000 ms");
    /* Once; and a CMD_SYNC is the end of it */
    s->r->host->now_ns += 10 * (uint64_t)GRACE_NS;
    command(s, CMD_TLBI_NSNH_ALL, 0);
    rig_sync(s->r);
    s->r->host->now_ns += 10 * (uint64_t)GRACE_NS;
    rig_sync(s->r);
    g_assert_cmpuint(reports(s), ==, 0);
}

/* A CMD_SYNC that waits for an endpoint is one. */
static void test_sync_that_waits(void)
{
    g_autoptr(StallRig) s = audited_stalls();

    command(s, CMD_ATC_INV, SID1);
    rig_sync(s->r);
    s->r->host->now_ns += 10 * (uint64_t)GRACE_NS;
    command(s, CMD_TLBI_NSNH_ALL, 0);
    g_assert_cmpuint(reports(s), ==, 0);
}

/*
 * Who disables the queue, as a kernel that was started by kexec does, or finds it in
 * no memory, begins anew; traffic goes on meanwhile.
 */
static void test_no_sync_ends_with_queue(void)
{
    for (unsigned abort = 0; abort < 2; abort++) {
        g_autoptr(StallRig) s = audited_stalls();
        Smmu3Translation result;

        pt_map(&s->pt, NEAR, 0x1000, 3, PT_USER_RW);
        command(s, CMD_CFGI_STE, SID1);
        if (abort) {
            fake_unmap(s->r->host, s->r->cmdq, 4096);
            rig_write32(s->r, SMMU3_CMDQ_PROD,
                        rig_read32(s->r, SMMU3_CMDQ_PROD) + 1);
        } else {
            rig_write32(s->r, SMMU3_CR0, MASK(CR0_SMMUEN));
        }
        s->r->host->now_ns += 10 * (uint64_t)GRACE_NS;
        g_assert_cmpint(submit(s, SID1, 1, NEAR, &result), ==, SMMU3_OK);
        g_assert_cmpuint(reports(s), ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/audit/orders/" name, fn)
    T("resume", test_resume);
    T("late-resume", test_late_resume);
    T("late-resume-of-reused-stag", test_late_resume_of_reused_stag);
    T("response", test_response);
    T("response-after-function-reset", test_response_after_function_reset);
    T("early-response", test_early_response);
    T("response-after-overflow", test_response_after_overflow);
    T("response-after-load", test_response_after_load);
    T("response-after-reset", test_response_after_reset);
    T("groups-are-bounded", test_groups_are_bounded);
    T("streams", test_streams);
    T("all-streams", test_all_streams);
    T("illegal", test_illegal);
    T("no-sync", test_no_sync);
    T("sync-that-waits", test_sync_that_waits);
    T("no-sync-ends-with-queue", test_no_sync_ends_with_queue);
    return g_test_run();
}
