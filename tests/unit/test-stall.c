/*
 * Stalled transactions (core/queues/stall.c): from the record to software's
 * answer, termination, other stall models, saving and loading. Not which fault
 * stalls (CD.S, STE.S2S: translate.c's), nor records that find no room
 * (test-stall-room.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "stall-rig.h"

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
    conformance_test("/smmu3/stall/without-stalls", test_without_stalls, "");
    conformance_test("/smmu3/stall/save-and-load", test_save_and_load, "");
    conformance_test("/smmu3/stall/load-refuses-the-impossible",
                     test_load_refuses, "");
    conformance_test("/smmu3/stall/load-over-stalls", test_load_over_stalls,
                     "");
    conformance_test("/smmu3/stall/stage-2", test_stage_2, "98");
    return conformance_run();
}
