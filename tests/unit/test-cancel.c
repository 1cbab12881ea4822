/*
 * An endpoint that gives up a stalled transaction in another thread than the one
 * that answers it (smmu3_cancel()). Meant for the thread sanitizer, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdatomic.h>
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5, PAGE = 4096 };
#define VA UINT64_C(0x7f0000000000)

/* A stream whose accesses stall, for nothing is mapped. */
static Rig *rig_with_a_hole(void (*on_resolved)(FakeHost *host, void *cookie))
{
    Rig *rig = rig_new();
    uint64_t cd[SMMU3_CD_WORDS], ste[SMMU3_STE_WORDS], cds;
    PageTable pt;

    rig_start(rig);
    rig->host->on_resolved = on_resolved;
    pt_init(&pt, rig->host, 12, 48, false);
    cds = fake_alloc(rig->host, PAGE, PAGE);
    cd_for(cd, &pt, 1);
    smmu3_set(cd, CD_S, 1);
    fake_write_words(rig->host, cds, cd, SMMU3_CD_WORDS);
    ste_stage1(ste, cds, 0);
    rig_set_ste(rig, SID, ste);
    return rig;
}

/* An access for @cookie stalls: its STAG. */
static uint16_t stall(Rig *rig, void *cookie)
{
    Smmu3Transaction t = dma_write(SID, VA);
    uint64_t event[SMMU3_EVENT_WORDS];
    Smmu3Translation result;

    t.may_stall = true;
    t.cookie = cookie;
    g_assert_cmpint(smmu3_translate(rig->smmu, &t, &result), ==,
                    SMMU3_STALLED);
    smmu3_service(rig->smmu);
    rig_expect_event(rig, F_TRANSLATION, event);
    return smmu3_get(event, EVENT_STAG);
}

static void resume(Rig *rig, uint16_t stag)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

    smmu3_set(cmd, CMD_STREAMID, SID);
    smmu3_set(cmd, CMD_RESUME_AC, 1);
    smmu3_set(cmd, CMD_RESUME_STAG, stag);
    rig_command(rig, cmd);
}

/* What is stalled; its owner frees it as soon as smmu3_cancel() returns. */
typedef struct Request {
    _Atomic bool being_told;    /* the answer is under way */
    _Atomic bool is_given_up;   /* smmu3_cancel() has returned */
    unsigned answers;
} Request;

static void answer_slowly(FakeHost *host, void *cookie)
{
    Request *request = cookie;

    (void)host;
    request->being_told = true;
    /* Plenty of chances for the other thread to return too early. */
    for (unsigned i = 0; i < 2000 && !request->is_given_up; i++) {
        g_thread_yield();
    }
    g_assert_false(request->is_given_up);
    request->answers++;
}

typedef struct Owner {
    Rig *rig;
    Request *request;
} Owner;

static gpointer give_up(gpointer data)
{
    Owner *owner = data;

    while (!owner->request->being_told) {
        g_thread_yield();
    }
    smmu3_cancel(owner->rig->smmu, owner->request);
    owner->request->is_given_up = true;
    g_assert_cmpuint(owner->request->answers, ==, 1);
    g_free(owner->request);
    return NULL;
}

/*
 * Software resumes what another thread gives up at that moment: the one does not
 * come back before the answer is through, and so may free what it was for.
 */
static void test_cancel(void)
{
    g_autoptr(Rig) rig = rig_with_a_hole(answer_slowly);

    for (unsigned i = 0; i < 50; i++) {
        Owner owner = { rig, g_new0(Request, 1) };
        uint16_t stag = stall(rig, owner.request);
        GThread *thread = g_thread_new("owner", give_up, &owner);

        resume(rig, stag);
        g_thread_join(thread);
    }
}

/* From within the answer itself nothing is waited for. */
static void cancel_oneself(FakeHost *host, void *cookie)
{
    smmu3_cancel(host->hook_data, cookie);
}

static void test_cancel_within(void)
{
    g_autoptr(Rig) rig = rig_with_a_hole(cancel_oneself);
    Request request = { 0 };

    rig->host->hook_data = rig->smmu;
    resume(rig, stall(rig, &request));
    rig_sync(rig);
    g_assert_cmpuint(rig->host->resolutions->len, ==, 1);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/cancel/waits-for-the-answer-under-way",
                     test_cancel, "");
    conformance_test("/smmu3/cancel/from-within-the-answer",
                     test_cancel_within, "");
    return conformance_run();
}
