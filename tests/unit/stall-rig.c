/*
 * See stall-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stall-rig.h"

char cookies[4096];

void stall_rig_free(StallRig *s)
{
    rig_free(s->r);
    g_free(s);
}

void write_cd(StallRig *s, bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS];

    cd_for(cd, &s->pt, 7);
    smmu3_set(cd, CD_S, stall);
    fake_write_words(s->r->host, s->cd, cd, SMMU3_CD_WORDS);
}

void start_rig(StallRig *s)
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

StallRig *stall_rig(unsigned eventq_log2, unsigned stall_max)
{
    StallRig *s = g_new0(StallRig, 1);

    s->r = rig_new();
    s->r->eventq_log2 = eventq_log2;
    s->r->features.stall_max = stall_max;
    start_rig(s);
    return s;
}

Smmu3Outcome submit(StallRig *s, uint32_t sid, unsigned cookie,
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

void stall(StallRig *s, uint32_t sid, unsigned cookie, uint64_t addr)
{
    Smmu3Translation result;

    g_assert_cmpint(submit(s, sid, cookie, addr, &result), ==, SMMU3_STALLED);
    g_assert_cmphex(result.fault, ==, F_TRANSLATION);
}

uint16_t expect_stall(StallRig *s, uint32_t sid, uint64_t addr)
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

void resume_with(StallRig *s, uint32_t sid, uint16_t stag, bool ac,
                        bool ab)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_RESUME };

    smmu3_set(cmd, CMD_STREAMID, sid);
    smmu3_set(cmd, CMD_RESUME_STAG, stag);
    smmu3_set(cmd, CMD_RESUME_AC, ac);
    smmu3_set(cmd, CMD_RESUME_AB, ab);
    rig_command(s->r, cmd);
}

void resume_retry(StallRig *s, uint32_t sid, uint16_t stag)
{
    resume_with(s, sid, stag, true, false);
}

void stall_term(StallRig *s, uint32_t sid)
{
    rig_command2(s->r, CMD_STALL_TERM | (uint64_t)sid << 32, 0);
}

void expect_resolved(StallRig *s, unsigned cookie, Smmu3Resolution how)
{
    GArray *all = s->r->host->resolutions;
    FakeResolution *first = &g_array_index(all, FakeResolution, 0);

    g_assert_cmpuint(all->len, >, 0);
    g_assert_true(first->cookie == COOKIE(cookie));
    g_assert_cmpint(first->how, ==, how);
    g_array_remove_index(all, 0);
}

void expect_none_resolved(StallRig *s)
{
    g_assert_cmpuint(s->r->host->resolutions->len, ==, 0);
}

void expect_outstanding(StallRig *s, unsigned count)
{
    g_assert_cmpuint(smmu3_stalls_outstanding(s->r->smmu), ==, count);
}

const Smmu3Counters *counters(StallRig *s)
{
    return smmu3_counters(s->r->smmu);
}
