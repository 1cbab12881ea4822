/*
 * Stalled transactions (core/queues/stall.c): from the record to software's answer,
 * with a queue or a table that is full, and with everything that can happen
 * in between. Not which fault stalls (CD.S, STE.S2S): that is translate.c's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "core/smmu3.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)

enum { SID1 = 1, SID2 = 2, SID_BAD = 9 };

/* A rig with two streams that stall on what @pt does not map. */
typedef struct StallRig {
    Rig *r;
    PageTable pt;
    uint64_t cd;                /* both streams' CD */
} StallRig;

/* Cookies: anything distinct. */
static char cookies[4096];
#define COOKIE(n)   ((void *)&cookies[n])

static void stall_rig_free(StallRig *s)
{
    rig_free(s->r);
    g_free(s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StallRig, stall_rig_free)

static void write_cd(StallRig *s, bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS];

    cd_for(cd, &s->pt, 7);
    smmu3_set(cd, CD_S, stall);
    fake_write_words(s->r->host, s->cd, cd, SMMU3_CD_WORDS);
}

static void start_rig(StallRig *s)
{
    uint64_t ste[SMMU3_STE_WORDS];

    rig_start(s->r);
    pt_init(&s->pt, s->r->host, 12, 39, false);
    s->cd = fake_alloc(s->r->host, SMMU3_CD_BYTES, 4096);
    write_cd(s, true);
    ste_stage1(ste, s->cd, 0);
    rig_set_ste(s->r, SID1, ste);
    rig_set_ste(s->r, SID2, ste);
    fake_clear_records(s->r->host);
}

static StallRig *stall_rig(unsigned eventq_log2, unsigned stall_max)
{
    StallRig *s = g_new0(StallRig, 1);

    s->r = rig_new();
    s->r->eventq_log2 = eventq_log2;
    s->r->features.stall_max = stall_max;
    start_rig(s);
    return s;
}

static Smmu3Outcome submit(StallRig *s, uint32_t sid, unsigned cookie,
                           uint64_t addr, Smmu3Translation *result)
{
    Smmu3Transaction t = dma_read(sid, addr);
    Smmu3Outcome outcome;

    t.may_stall = true;
    t.cookie = COOKIE(cookie);
    outcome = smmu3_translate(s->r->smmu, &t, result);
    smmu3_service(s->r->smmu);
    return outcome;
}

static void stall(StallRig *s, uint32_t sid, unsigned cookie, uint64_t addr)
{
    Smmu3Translation result;

    g_assert_cmpint(submit(s, sid, cookie, addr, &result), ==, SMMU3_STALLED);
    g_assert_cmphex(result.fault, ==, F_TRANSLATION);
}

/* Take a stall's record off the queue; returns its STAG. */
static uint16_t expect_stall(StallRig *s, uint32_t sid, uint64_t addr)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    rig_expect_event(s->r, F_TRANSLATION, event);
    g_assert_cmphex(event[0], ==, (uint64_t)sid << 32 | F_TRANSLATION);
    /* Stall=1, CLASS=IN, RnW=1, and the STAG */
    g_assert_cmphex(event[1] & ~UINT64_C(0xffff), ==,
                    UINT64_C(0x0000020880000000));
    g_assert_cmphex(event[2], ==, addr);
    g_assert_cmphex(event[3], ==, 0);
    return smmu3_get(event, EVENT_STAG);
}

static void resume_with(StallRig *s, uint32_t sid, uint16_t stag, bool ac,
                        bool ab)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_RESUME };

    smmu3_set(cmd, CMD_STREAMID, sid);
    smmu3_set(cmd, CMD_RESUME_STAG, stag);
    smmu3_set(cmd, CMD_RESUME_AC, ac);
    smmu3_set(cmd, CMD_RESUME_AB, ab);
    rig_command(s->r, cmd);
}

static void resume_retry(StallRig *s, uint32_t sid, uint16_t stag)
{
    resume_with(s, sid, stag, true, false);
}

static void stall_term(StallRig *s, uint32_t sid)
{
    rig_command2(s->r, CMD_STALL_TERM | (uint64_t)sid << 32, 0);
}

/* The oldest answer to a requester that was not looked at yet. */
static void expect_resolved(StallRig *s, unsigned cookie, Smmu3Resolution how)
{
    GArray *all = s->r->host->resolutions;
    FakeResolution *first = &g_array_index(all, FakeResolution, 0);

    g_assert_cmpuint(all->len, >, 0);
    g_assert_true(first->cookie == COOKIE(cookie));
    g_assert_cmpint(first->how, ==, how);
    g_array_remove_index(all, 0);
}

static void expect_none_resolved(StallRig *s)
{
    g_assert_cmpuint(s->r->host->resolutions->len, ==, 0);
}

static void expect_outstanding(StallRig *s, unsigned count)
{
    g_assert_cmpuint(smmu3_stalls_outstanding(s->r->smmu), ==, count);
}

static const Smmu3Counters *counters(StallRig *s)
{
    return smmu3_counters(s->r->smmu);
}

/* ---- Life cycle ------------------------------------------------------- */

static void test_retry_after_mapping(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    Smmu3Translation result;
    uint16_t stag;

    g_assert_cmpint(submit(s, SID1, 1, 0x5123, &result), ==, SMMU3_STALLED);
    stag = expect_stall(s, SID1, 0x5123);
    g_assert_cmpuint(result.stag, ==, stag);
    g_assert_cmpuint(s->r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 1);
    expect_outstanding(s, 1);
    expect_none_resolved(s);

    pt_map(&s->pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    resume_retry(s, SID1, stag);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    expect_outstanding(s, 0);
    g_assert_cmpint(submit(s, SID1, 1, 0x5123, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, 0x80000123);
    rig_expect_no_event(s->r);
    g_assert_cmpuint(counters(s)->stalls, ==, 1);
    g_assert_cmpuint(counters(s)->resumes_retry, ==, 1);
    g_assert_cmpuint(counters(s)->resumes_abort, ==, 0);
}

/* A retry that faults again is a new stall with a record of its own. */
static void test_retry_that_faults_again(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t first, second;

    stall(s, SID1, 1, 0x5000);
    first = expect_stall(s, SID1, 0x5000);
    resume_retry(s, SID1, first);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    stall(s, SID1, 1, 0x5000);
    second = expect_stall(s, SID1, 0x5000);
    g_assert_cmpuint(second, !=, first);
    /* The old STAG means nothing any more */
    resume_retry(s, SID1, first);
    expect_none_resolved(s);
    resume_retry(s, SID1, second);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
}

typedef struct ResumeCase {
    bool term_model, ac, ab;
    Smmu3Resolution expect;
} ResumeCase;

static void test_resume_actions(void)
{
    static const ResumeCase cases[] = {
        { false, true, false, SMMU3_RESOLVE_RETRY },
        { false, true, true, SMMU3_RESOLVE_RETRY },     /* Ab is ignored */
        { false, false, true, SMMU3_RESOLVE_ABORT },
        { false, false, false, SMMU3_RESOLVE_RAZWI },
        /* TERM_MODEL=1: no RAZ/WI */
        { true, true, false, SMMU3_RESOLVE_RETRY },
        { true, false, true, SMMU3_RESOLVE_ABORT },
        { true, false, false, SMMU3_RESOLVE_ABORT },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(StallRig) s = g_new0(StallRig, 1);

        s->r = rig_new();
        s->r->features.term_model = cases[i].term_model;
        start_rig(s);
        stall(s, SID1, 1, 0x5000);
        resume_with(s, SID1, expect_stall(s, SID1, 0x5000), cases[i].ac,
                    cases[i].ab);
        expect_resolved(s, 1, cases[i].expect);
        expect_none_resolved(s);
        g_assert_cmpuint(counters(s)->resumes_retry, ==, cases[i].ac);
        g_assert_cmpuint(counters(s)->resumes_abort, ==, !cases[i].ac);
    }
}

static void test_resume_of_another(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t stag;

    stall(s, SID1, 1, 0x5000);
    stag = expect_stall(s, SID1, 0x5000);
    resume_retry(s, SID2, stag);            /* right STAG, wrong stream */
    resume_retry(s, SID1, stag + 1);
    resume_retry(s, SID1, 0xffff);          /* beyond the table */
    resume_retry(s, 0xffffffff, stag);
    expect_none_resolved(s);
    expect_outstanding(s, 1);
    g_assert_cmphex(rig_read32(s->r, SMMU3_GERROR), ==, 0);
    resume_retry(s, SID1, stag);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    resume_retry(s, SID1, stag);            /* twice */
    expect_none_resolved(s);
}

/* Answers come in any order. */
static void test_resume_in_any_order(void)
{
    static const unsigned order[] = { 3, 0, 4, 1, 2 };
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t stags[5];

    for (unsigned i = 0; i < 5; i++) {
        stall(s, i % 2 ? SID1 : SID2, i, 0x5000 + 0x1000 * i);
    }
    for (unsigned i = 0; i < 5; i++) {
        stags[i] = expect_stall(s, i % 2 ? SID1 : SID2, 0x5000 + 0x1000 * i);
        for (unsigned j = 0; j < i; j++) {
            g_assert_cmpuint(stags[i], !=, stags[j]);
        }
    }
    for (unsigned i = 0; i < 5; i++) {
        unsigned which = order[i];

        resume_retry(s, which % 2 ? SID1 : SID2, stags[which]);
        expect_resolved(s, which, SMMU3_RESOLVE_RETRY);
    }
    expect_outstanding(s, 0);
}

/* Who cannot wait is terminated, with a record that says so. */
static void test_requester_that_cannot_stall(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;
    uint64_t event[SMMU3_EVENT_WORDS];

    g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==,
                    SMMU3_ABORT);
    rig_expect_event(s->r, F_TRANSLATION, event);
    g_assert_cmphex(event[1], ==, UINT64_C(0x0000020800000000));
    expect_outstanding(s, 0);
}

/* ---- Termination ------------------------------------------------------ */

static void test_stall_term(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint64_t ste[SMMU3_STE_WORDS];
    Smmu3Translation result;
    uint16_t stag;

    for (unsigned i = 0; i < 4; i++) {
        stall(s, i == 2 ? SID2 : SID1, i, 0x5000);
    }
    ste_abort(ste);
    rig_set_ste(s->r, SID1, ste);           /* with CFGI_STE and SYNC */
    expect_none_resolved(s);                /* which leave them stalled */
    stall_term(s, SID1);
    expect_resolved(s, 0, SMMU3_RESOLVE_ABORT);
    expect_resolved(s, 1, SMMU3_RESOLVE_ABORT);
    expect_resolved(s, 3, SMMU3_RESOLVE_ABORT);
    expect_none_resolved(s);
    expect_outstanding(s, 1);
    g_assert_cmpuint(counters(s)->stalls_terminated, ==, 3);
    g_assert_cmpint(submit(s, SID1, 1, 0x5000, &result), ==, SMMU3_ABORT);

    /* The other stream's goes on */
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID1, 0x5000);
    stag = expect_stall(s, SID2, 0x5000);
    resume_retry(s, SID2, stag);
    expect_resolved(s, 2, SMMU3_RESOLVE_RETRY);
    stall_term(s, SID2);
    stall_term(s, 0xffffffff);
    expect_none_resolved(s);
}

static void test_disable_aborts_all(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    uint32_t cr0 = rig_read32(s->r, SMMU3_CR0);
    uint16_t stag;

    /* Two recorded, one that waits for room */
    stall(s, SID1, 1, 0x5000);
    stall(s, SID2, 2, 0x6000);
    stall(s, SID1, 3, 0x7000);
    expect_outstanding(s, 3);
    rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_SMMUEN));
    expect_resolved(s, 1, SMMU3_RESOLVE_ABORT);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_resolved(s, 3, SMMU3_RESOLVE_ABORT);
    expect_outstanding(s, 0);
    g_assert_cmpuint(counters(s)->stalls_terminated, ==, 3);
    /* No record of the third will come */
    stag = expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID2, 0x6000);
    rig_expect_no_event(s->r);
    /* The STAGs are free: an answer to the old records does nothing */
    resume_retry(s, SID1, stag);
    expect_none_resolved(s);
    rig_write32(s->r, SMMU3_CR0, cr0);
    stall(s, SID1, 4, 0x5000);
    stag = expect_stall(s, SID1, 0x5000);
    resume_retry(s, SID1, stag);
    expect_resolved(s, 4, SMMU3_RESOLVE_RETRY);
}

/* All STAGs can be used again after SMMUEN went through 0. */
static void test_disable_frees_stags(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 2);
    uint32_t cr0 = rig_read32(s->r, SMMU3_CR0);

    for (unsigned turn = 0; turn < 3; turn++) {
        stall(s, SID1, 1, 0x5000);
        stall(s, SID1, 2, 0x6000);
        rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_SMMUEN));
        rig_write32(s->r, SMMU3_CR0, cr0);
        expect_stall(s, SID1, 0x5000);
        expect_stall(s, SID1, 0x6000);
    }
    rig_expect_no_event(s->r);
}

static void test_reset_aborts_all(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stall(s, SID1, 3, 0x7000);
    smmu3_reset(s->r->smmu);
    smmu3_service(s->r->smmu);
    for (unsigned i = 1; i <= 3; i++) {
        expect_resolved(s, i, SMMU3_RESOLVE_ABORT);
    }
    expect_none_resolved(s);
    expect_outstanding(s, 0);
}

/* ---- No room ---------------------------------------------------------- */

static void test_full_event_queue(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    uint16_t stags[4];

    for (unsigned i = 0; i < 4; i++) {
        stall(s, SID1, i, 0x5000 + 0x1000 * i);
    }
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD), ==, 2);
    expect_outstanding(s, 4);
    /* Each place that software frees takes the next, in order */
    for (unsigned i = 0; i < 4; i++) {
        stags[i] = expect_stall(s, SID1, 0x5000 + 0x1000 * i);
    }
    rig_expect_no_event(s->r);
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD) & 0x80000000, ==, 0);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
    for (unsigned i = 0; i < 4; i++) {
        resume_retry(s, SID1, stags[i]);
        expect_resolved(s, i, SMMU3_RESOLVE_RETRY);
    }
}

/* A stall must not overtake those that wait, nor a lost event be a stall's. */
static void test_order_when_full(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    Smmu3Transaction bad = dma_read(SID_BAD, 0);
    Smmu3Translation result;
    uint64_t event[SMMU3_EVENT_WORDS];

    stall(s, SID1, 0, 0x5000);
    smmu3_translate(s->r->smmu, &bad, &result);
    stall(s, SID1, 1, 0x6000);
    stall(s, SID1, 2, 0x7000);
    smmu3_translate(s->r->smmu, &bad, &result);         /* lost */
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD), ==, 0x80000002);
    expect_stall(s, SID1, 0x5000);
    rig_expect_event(s->r, C_BAD_STE, event);
    expect_stall(s, SID1, 0x6000);
    expect_stall(s, SID1, 0x7000);
    rig_expect_no_event(s->r);
}

static void test_disabled_event_queue(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint32_t cr0 = rig_read32(s->r, SMMU3_CR0);

    rig_write32(s->r, SMMU3_CR0, cr0 & ~MASK(CR0_EVENTQEN));
    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    g_assert_cmphex(rig_read32(s->r, SMMU3_EVENTQ_PROD), ==, 0);
    rig_write32(s->r, SMMU3_CR0, cr0);
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID1, 0x6000);
    rig_expect_no_event(s->r);
}

/* The record comes when the abort is acknowledged. */
static void test_aborted_event_queue(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);

    fake_set_readonly(s->r->host, s->r->eventq, 4096, true);
    stall(s, SID1, 1, 0x5000);
    g_assert_cmphex(rig_read32(s->r, SMMU3_GERROR), ==,
                    MASK(GERROR_EVENTQ_ABT));
    rig_write32(s->r, SMMU3_GERRORN, MASK(GERROR_EVENTQ_ABT));
    /* It was not repaired: the error comes back */
    g_assert_cmphex(rig_read32(s->r, SMMU3_GERROR), ==, 0);
    g_assert_cmpuint(s->r->host->irqs[SMMU3_IRQ_GERROR], ==, 2);
    fake_set_readonly(s->r->host, s->r->eventq, 4096, false);
    rig_write32(s->r, SMMU3_GERRORN, 0);
    expect_stall(s, SID1, 0x5000);
    rig_expect_no_event(s->r);
}

/* Never more recorded and not answered than IDR5.STALL_MAX. */
static void test_full_table(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 2);
    uint16_t stags[2];

    for (unsigned i = 0; i < 5; i++) {
        stall(s, SID1, i, 0x5000 + 0x1000 * i);
    }
    expect_outstanding(s, 5);
    stags[0] = expect_stall(s, SID1, 0x5000);
    stags[1] = expect_stall(s, SID1, 0x6000);
    rig_expect_no_event(s->r);              /* whatever room there is */
    resume_retry(s, SID1, stags[1]);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
    stags[1] = expect_stall(s, SID1, 0x7000);
    rig_expect_no_event(s->r);
    resume_retry(s, SID1, stags[0]);
    resume_retry(s, SID1, stags[1]);
    expect_stall(s, SID1, 0x8000);
    expect_stall(s, SID1, 0x9000);
    expect_outstanding(s, 2);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
}

/* Also when the freed STAG was of a stall that nobody waits for. */
static void test_full_table_and_cancel(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 1);
    uint16_t stag;

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stag = expect_stall(s, SID1, 0x5000);
    smmu3_cancel(s->r->smmu, COOKIE(1));
    rig_expect_no_event(s->r);
    resume_retry(s, SID1, stag);
    expect_none_resolved(s);
    expect_stall(s, SID1, 0x6000);
}

static void test_stall_term_of_waiting(void)
{
    g_autoptr(StallRig) s = stall_rig(0, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stall(s, SID2, 3, 0x7000);
    stall_term(s, SID1);
    expect_resolved(s, 1, SMMU3_RESOLVE_ABORT);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID2, 0x7000);          /* 0x6000 is gone for good */
    rig_expect_no_event(s->r);
}

/*
 * A record must not be about configuration that a SYNC has seen off: who
 * waits to be recorded is tried again (7.2.1).
 */
static void test_sync_retries_unrecorded(void)
{
    g_autoptr(StallRig) s = stall_rig(0, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    rig_sync(s->r);                         /* nothing was invalidated */
    expect_none_resolved(s);
    write_cd(s, false);
    rig_command2(s->r, CMD_CFGI_CD | (uint64_t)SID1 << 32, 1);
    expect_none_resolved(s);
    rig_sync(s->r);
    expect_resolved(s, 2, SMMU3_RESOLVE_RETRY);
    expect_none_resolved(s);                /* the recorded one stays */
    expect_outstanding(s, 1);
    expect_stall(s, SID1, 0x5000);
    rig_expect_no_event(s->r);
}

/* Too many wait: the last one is terminated, with a record if there is room. */
static void test_too_many_waiting(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 1);
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;
    g_autofree char *names = g_malloc(65538);
    uint64_t event[SMMU3_EVENT_WORDS];

    t.may_stall = true;
    for (unsigned i = 0; i < 65537; i++) {
        t.cookie = &names[i];
        g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==,
                        SMMU3_STALLED);
    }
    t.cookie = &names[65537];
    g_assert_cmpint(smmu3_translate(s->r->smmu, &t, &result), ==,
                    SMMU3_ABORT);
    expect_outstanding(s, 65537);
    expect_stall(s, SID1, 0x5000);
    rig_expect_event(s->r, F_TRANSLATION, event);
    g_assert_cmphex(smmu3_get(event, EVENT_STALL), ==, 0);
    /* Answers to all of them are delivered, a bounded number at a time */
    stall_term(s, SID1);
    expect_outstanding(s, 0);
    while (s->r->host->resolutions->len < 65537) {
        guint before = s->r->host->resolutions->len;

        smmu3_service(s->r->smmu);
        g_assert_cmpuint(s->r->host->resolutions->len, >, before);
        g_assert_cmpuint(s->r->host->resolutions->len - before, <=, 4096);
    }
}

/* ---- The requester gives up ------------------------------------------- */

static void test_cancel_recorded(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t stag;

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    smmu3_cancel(s->r->smmu, COOKIE(1));
    expect_outstanding(s, 2);               /* software has yet to answer */
    stag = expect_stall(s, SID1, 0x5000);
    resume_retry(s, SID1, stag);
    expect_none_resolved(s);
    expect_outstanding(s, 1);
    g_assert_cmpuint(counters(s)->stalls_cancelled, ==, 1);
    stall_term(s, SID1);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_none_resolved(s);
}

static void test_cancel_waiting(void)
{
    g_autoptr(StallRig) s = stall_rig(0, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stall(s, SID1, 3, 0x7000);
    smmu3_cancel(s->r->smmu, COOKIE(2));
    expect_outstanding(s, 2);
    expect_stall(s, SID1, 0x5000);
    expect_stall(s, SID1, 0x7000);
    rig_expect_no_event(s->r);
}

/* Even when software's answer is already on its way. */
static void test_cancel_answered(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    smmu3_reset(s->r->smmu);                /* answers lie in the outbox */
    smmu3_cancel(s->r->smmu, COOKIE(1));
    smmu3_service(s->r->smmu);
    expect_resolved(s, 2, SMMU3_RESOLVE_ABORT);
    expect_none_resolved(s);
}

static void test_cancel_unknown(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);

    smmu3_cancel(s->r->smmu, COOKIE(1));
    smmu3_cancel(s->r->smmu, NULL);
    stall(s, SID1, 1, 0x5000);
    smmu3_cancel(s->r->smmu, COOKIE(2));
    smmu3_cancel(s->r->smmu, COOKIE(1));
    smmu3_cancel(s->r->smmu, COOKIE(1));
    g_assert_cmpuint(counters(s)->stalls_cancelled, ==, 1);
}

/* The same cookie stalls again while the cancelled record is still open. */
static void test_cancel_and_stall_again(void)
{
    g_autoptr(StallRig) s = stall_rig(5, 16);
    uint16_t old, new;

    stall(s, SID1, 1, 0x5000);
    smmu3_cancel(s->r->smmu, COOKIE(1));
    stall(s, SID1, 1, 0x6000);
    old = expect_stall(s, SID1, 0x5000);
    new = expect_stall(s, SID1, 0x6000);
    resume_retry(s, SID1, old);
    expect_none_resolved(s);
    resume_retry(s, SID1, new);
    expect_resolved(s, 1, SMMU3_RESOLVE_RETRY);
}

/* ---- Re-entrancy ------------------------------------------------------ */

static Smmu3Outcome retried[8];
static unsigned retries;

/* A requester that submits again in the callback itself. */
static void retry_at_once(void *opaque, void *cookie, Smmu3Resolution how)
{
    FakeHost *host = opaque;
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;

    if (how == SMMU3_RESOLVE_RETRY && retries < G_N_ELEMENTS(retried)) {
        t.may_stall = true;
        t.cookie = cookie;
        retried[retries++] = smmu3_translate(host->smmu, &t, &result);
    }
}

static void test_retry_in_the_callback(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(StallRig) s = g_new0(StallRig, 1);
    uint16_t stag;

    ops.stall_resolved = retry_at_once;
    retries = 0;
    s->r = rig_new();
    s->r->smmu = s->r->host->smmu = smmu3_new(&s->r->features, NULL, &ops,
                                              s->r->host);
    start_rig(s);
    stall(s, SID1, 1, 0x5000);
    for (unsigned i = 1; i <= 3; i++) {
        stag = expect_stall(s, SID1, 0x5000);
        resume_retry(s, SID1, stag);
        g_assert_cmpuint(retries, ==, i);
        g_assert_cmpint(retried[i - 1], ==, SMMU3_STALLED);
        /* Its event's interrupt was not forgotten */
        g_assert_cmpuint(s->r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 1 + i);
    }
    pt_map(&s->pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    resume_retry(s, SID1, expect_stall(s, SID1, 0x5000));
    g_assert_cmpint(retried[3], ==, SMMU3_OK);
    expect_outstanding(s, 0);
}

/*
 * Software frees a place, and before the stall that waits for it is recorded
 * another one comes: it must not overtake.
 */
static void irq_stalls_another(void *opaque, Smmu3Irq irq)
{
    Smmu3Transaction t = dma_read(SID1, 0x7000);
    Smmu3Translation result;

    (void)irq;
    t.may_stall = true;
    t.cookie = COOKIE(3);
    if (retries++ == 0) {
        g_assert_cmpint(smmu3_translate(((FakeHost *)opaque)->smmu, &t,
                                        &result), ==, SMMU3_STALLED);
    }
}

static void test_stall_while_there_is_room_again(void)
{
    Smmu3HostOps ops = fake_host_ops;
    g_autoptr(StallRig) s = g_new0(StallRig, 1);
    Smmu3Transaction t = dma_read(SID1, 0x5000);
    Smmu3Translation result;

    ops.irq = irq_stalls_another;
    retries = 0;
    s->r = rig_new();
    s->r->eventq_log2 = 0;
    s->r->smmu = s->r->host->smmu = smmu3_new(&s->r->features, NULL, &ops,
                                              s->r->host);
    start_rig(s);
    t.may_stall = true;
    t.cookie = COOKIE(1);
    smmu3_translate(s->r->smmu, &t, &result);   /* its interrupt is due */
    t.addr = 0x6000;
    t.cookie = COOKIE(2);
    smmu3_translate(s->r->smmu, &t, &result);
    expect_stall(s, SID1, 0x5000);              /* frees, and interrupts */
    g_assert_cmpuint(retries, >, 0);
    expect_stall(s, SID1, 0x6000);
    expect_stall(s, SID1, 0x7000);
}

/* ---- Threads ---------------------------------------------------------- */

enum { THREADS = 4, STALLS_PER_THREAD = 200 };

typedef struct Submitter {
    StallRig *s;
    unsigned number;
    unsigned stalled;
} Submitter;

static gpointer submit_many(gpointer opaque)
{
    Submitter *me = opaque;

    for (unsigned i = 0; i < STALLS_PER_THREAD; i++) {
        Smmu3Transaction t = dma_read(SID1, 0x5000 + 0x1000 * i);
        Smmu3Translation result;

        t.may_stall = true;
        t.cookie = COOKIE(me->number * STALLS_PER_THREAD + i);
        if (smmu3_translate(me->s->r->smmu, &t, &result) == SMMU3_STALLED) {
            me->stalled++;
        }
    }
    return NULL;
}

/*
 * Requesters stall in their threads, and software answers in its own, through
 * a queue and a table that are too short for all of them: each stall is
 * recorded once and answered once.
 */
static void test_threads(void)
{
    g_autoptr(StallRig) s = stall_rig(2, 8);
    Submitter submitters[THREADS];
    GThread *threads[THREADS];
    bool answered[THREADS * STALLS_PER_THREAD] = { false };
    GArray *resolutions = s->r->host->resolutions;
    uint64_t event[SMMU3_EVENT_WORDS];

    for (unsigned i = 0; i < THREADS; i++) {
        submitters[i] = (Submitter) { .s = s, .number = i };
        threads[i] = g_thread_new("submitter", submit_many, &submitters[i]);
    }
    while (resolutions->len < THREADS * STALLS_PER_THREAD) {
        smmu3_service(s->r->smmu);
        while (rig_event(s->r, event)) {
            g_assert_cmphex(smmu3_get(event, EVENT_STALL), ==, 1);
            resume_with(s, SID1, smmu3_get(event, EVENT_STAG), false, true);
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
        g_assert_cmpuint(submitters[i].stalled, ==, STALLS_PER_THREAD);
    }
    for (unsigned i = 0; i < resolutions->len; i++) {
        FakeResolution *answer = &g_array_index(resolutions, FakeResolution,
                                                i);
        ptrdiff_t cookie = (char *)answer->cookie - cookies;

        g_assert_cmpint(answer->how, ==, SMMU3_RESOLVE_ABORT);
        g_assert_false(answered[cookie]);
        answered[cookie] = true;
    }
    expect_outstanding(s, 0);
    rig_expect_no_event(s->r);
    g_assert_cmpuint(counters(s)->events_lost, ==, 0);
    g_assert_cmpuint(counters(s)->resumes_abort, ==,
                     THREADS * STALLS_PER_THREAD);
}

/* ---- Other stall models ----------------------------------------------- */

static void test_without_stalls(void)
{
    g_autoptr(Rig) r = rig_new();

    r->features.stall_model = 1;
    r->features.stall_max = 0;
    rig_start(r);
    smmu3_cancel(r->smmu, NULL);
    g_assert_cmpuint(smmu3_stalls_outstanding(r->smmu), ==, 0);
    smmu3_reset(r->smmu);
}

/* ---- Saving and loading ----------------------------------------------- */

/* A second SMMU with the first one's memory. */
static StallRig *twin(StallRig *s)
{
    StallRig *to = g_new0(StallRig, 1);

    to->r = rig_new();
    to->r->features = s->r->features;
    to->r->eventq_log2 = s->r->eventq_log2;
    to->r->eventq = s->r->eventq;
    to->r->cmdq = s->r->cmdq;
    to->pt = s->pt;
    rig_create(to->r);
    g_hash_table_unref(to->r->host->pages);
    to->r->host->pages = g_hash_table_ref(s->r->host->pages);
    return to;
}

static void test_save_and_load(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    g_autoptr(StallRig) to = twin(s);
    g_autoptr(GArray) saved = NULL;
    const Smmu3SavedStall *stalls;
    uint16_t stag;

    stall(s, SID1, 1, 0x5000);
    stall(s, SID2, 2, 0x6000);
    stall(s, SID1, 3, 0x7000);              /* not recorded */
    saved = smmu3_save_stalls(s->r->smmu);
    g_assert_cmpuint(saved->len, ==, 3);
    stalls = (const Smmu3SavedStall *)saved->data;
    g_assert_cmpuint(stalls[0].sid, ==, SID1);
    g_assert_true(stalls[0].recorded && stalls[1].recorded);
    g_assert_false(stalls[2].recorded);
    g_assert_cmphex(stalls[1].event[2], ==, 0x6000);

    g_assert_true(smmu3_load(to->r->smmu, smmu3_regs(s->r->smmu), stalls,
                             saved->len));
    expect_outstanding(to, 2);
    /* The requesters submit again; software answers the old records */
    pt_map(&to->pt, 0x5000, 0x80000000, 3, PT_USER_RW);
    stag = expect_stall(to, SID1, 0x5000);
    g_assert_cmpuint(stag, ==, stalls[0].stag);
    resume_retry(to, SID1, stag);
    expect_none_resolved(to);
    expect_outstanding(to, 1);
    /* A new stall has a STAG of its own */
    stall(to, SID1, 3, 0x7000);
    expect_stall(to, SID2, 0x6000);
    g_assert_cmpuint(expect_stall(to, SID1, 0x7000), !=, stalls[1].stag);
}

static void test_load_refuses(void)
{
    static const Smmu3SavedStall bad[][2] = {
        { { .sid = 1, .stag = 16, .recorded = 1 },
          { .sid = 1, .stag = 0, .recorded = 1 } },
        { { .sid = 1, .stag = 3, .recorded = 1 },
          { .sid = 2, .stag = 3, .recorded = 1 } },
        { { .sid = 1, .stag = 3, .recorded = 1 },
          { .sid = 1, .stag = 0xffff, .recorded = 1 } },
    };
    g_autoptr(StallRig) s = stall_rig(5, 16);
    g_autoptr(StallRig) to = twin(s);
    Smmu3Regs initial = *smmu3_regs(to->r->smmu);

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(smmu3_load(to->r->smmu, smmu3_regs(s->r->smmu),
                                  bad[i], 2));
        expect_outstanding(to, 0);
        g_assert_cmpint(memcmp(&initial, smmu3_regs(to->r->smmu),
                               sizeof(initial)), ==, 0);
    }
}

/* Loading over a running one: nobody is told, for everybody is replaced. */
static void test_load_over_stalls(void)
{
    g_autoptr(StallRig) s = stall_rig(1, 16);
    Smmu3Regs regs = *smmu3_regs(s->r->smmu);

    stall(s, SID1, 1, 0x5000);
    stall(s, SID1, 2, 0x6000);
    stall(s, SID1, 3, 0x7000);
    g_assert_true(smmu3_load(s->r->smmu, &regs, NULL, 0));
    smmu3_service(s->r->smmu);
    expect_none_resolved(s);
    expect_outstanding(s, 0);
    stall(s, SID1, 1, 0x5000);
    smmu3_reset(s->r->smmu);                /* an answer lies in the outbox */
    g_assert_true(smmu3_load(s->r->smmu, &regs, NULL, 0));
    smmu3_service(s->r->smmu);
    expect_none_resolved(s);
    stall(s, SID1, 1, 0x5000);
    expect_stall(s, SID1, 0x5000);
}

/* ---- Stage 2 ---------------------------------------------------------- */

static void test_stage_2(void)
{
    g_autoptr(Rig) r = rig_new();
    uint64_t ste[SMMU3_STE_WORDS], event[SMMU3_EVENT_WORDS];
    Smmu3Transaction t = dma_write(SID1, 0x5678);
    Smmu3Translation result;
    PageTable pt;

    rig_start(r);
    pt_init_stage2(&pt, r->host, 12, 40, 1, false);
    ste_stage2(ste, &pt, 3);
    smmu3_set(ste, STE_S2S, 1);
    smmu3_set(ste, STE_S2R, 0);             /* always recorded */
    rig_set_ste(r, SID1, ste);
    t.may_stall = true;
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_STALLED);
    rig_expect_event(r, F_TRANSLATION, event);
    g_assert_cmphex(event[1] & ~UINT64_C(0xffff), ==,
                    UINT64_C(0x0000028080000000));      /* S2, IN, Stall */
    g_assert_cmphex(event[2], ==, 0x5678);
    g_assert_cmphex(event[3], ==, 0x5000);
    rig_command2(r, CMD_RESUME | (uint64_t)SID1 << 32,
                 smmu3_get(event, EVENT_STAG));
    g_assert_cmpint(g_array_index(r->host->resolutions, FakeResolution,
                                  0).how, ==, SMMU3_RESOLVE_RAZWI);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/stall/retry-after-mapping",
                     test_retry_after_mapping, "92");
    conformance_test("/smmu3/stall/retry-that-faults-again",
                     test_retry_that_faults_again, "92");
    conformance_test("/smmu3/stall/resume-actions", test_resume_actions,
                     "94");
    conformance_test("/smmu3/stall/resume-of-another",
                     test_resume_of_another, "93");
    conformance_test("/smmu3/stall/resume-in-any-order",
                     test_resume_in_any_order, "92");
    conformance_test("/smmu3/stall/requester-that-cannot-stall",
                     test_requester_that_cannot_stall, "113");
    conformance_test("/smmu3/stall/stall-term", test_stall_term, "97");
    conformance_test("/smmu3/stall/disable-aborts-all",
                     test_disable_aborts_all, "95");
    conformance_test("/smmu3/stall/disable-frees-stags",
                     test_disable_frees_stags, "95");
    conformance_test("/smmu3/stall/reset-aborts-all", test_reset_aborts_all,
                     "");
    conformance_test("/smmu3/stall/full-event-queue", test_full_event_queue,
                     "96");
    conformance_test("/smmu3/stall/order-when-full", test_order_when_full,
                     "96");
    conformance_test("/smmu3/stall/disabled-event-queue",
                     test_disabled_event_queue, "");
    conformance_test("/smmu3/stall/aborted-event-queue",
                     test_aborted_event_queue, "");
    conformance_test("/smmu3/stall/full-table", test_full_table, "");
    conformance_test("/smmu3/stall/full-table-and-cancel",
                     test_full_table_and_cancel, "");
    conformance_test("/smmu3/stall/stall-term-of-waiting",
                     test_stall_term_of_waiting, "97");
    conformance_test("/smmu3/stall/sync-retries-unrecorded",
                     test_sync_retries_unrecorded, "112");
    conformance_test("/smmu3/stall/too-many-waiting", test_too_many_waiting,
                     "");
    conformance_test("/smmu3/stall/cancel-recorded", test_cancel_recorded,
                     "");
    conformance_test("/smmu3/stall/cancel-waiting", test_cancel_waiting, "");
    conformance_test("/smmu3/stall/cancel-answered", test_cancel_answered,
                     "");
    conformance_test("/smmu3/stall/cancel-unknown", test_cancel_unknown, "");
    conformance_test("/smmu3/stall/cancel-and-stall-again",
                     test_cancel_and_stall_again, "");
    conformance_test("/smmu3/stall/retry-in-the-callback",
                     test_retry_in_the_callback, "");
    conformance_test("/smmu3/stall/while-there-is-room-again",
                     test_stall_while_there_is_room_again, "96");
    conformance_test("/smmu3/stall/threads", test_threads, "");
    conformance_test("/smmu3/stall/without-stalls", test_without_stalls, "");
    conformance_test("/smmu3/stall/save-and-load", test_save_and_load, "");
    conformance_test("/smmu3/stall/load-refuses-the-impossible",
                     test_load_refuses, "");
    conformance_test("/smmu3/stall/load-over-stalls", test_load_over_stalls,
                     "");
    conformance_test("/smmu3/stall/stage-2", test_stage_2, "98");
    return conformance_run();
}
