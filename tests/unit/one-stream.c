/*
 * See one-stream.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "one-stream.h"

void write_cd(Setup *x, unsigned index)
{
    fake_write_words(x->rig->host, x->cds + index * SMMU3_CD_BYTES, x->cd,
                     SMMU3_CD_WORDS);
}

void apply(Setup *x)
{
    write_cd(x, 0);
    rig_set_ste(x->rig, SID, x->ste);
    rig_invalidate_all(x->rig);
}

void setup_start(Setup *x)
{
    FakeHost *host = x->rig->host;

    rig_start(x->rig);
    pt_init(&x->pt, host, 12, 48, false);
    pt_map(&x->pt, VA, PA, 3, PT_USER_RW);
    x->cds = fake_alloc(host, 16 * SMMU3_CD_BYTES, 4096);
    cd_for(x->cd, &x->pt, 1);
    ste_stage1(x->ste, x->cds, 0);
    apply(x);
}

void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    setup_start(x);
}

void done(Setup *x)
{
    rig_expect_no_event(x->rig);
    rig_free(x->rig);
}

Smmu3Outcome translate(Setup *x, Smmu3Transaction t)
{
    return smmu3_translate(x->rig->smmu, &t, &x->result);
}

void expect_pa(Setup *x, Smmu3Transaction t, uint64_t pa)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, pa);
    g_assert_cmpint(x->result.access & t.access, ==, t.access);
}

void expect_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type,
                  uint64_t event[SMMU3_EVENT_WORDS])
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
    g_assert_cmpint(x->result.fault, ==, type);
    rig_expect_event(x->rig, type, event);
    g_assert_cmphex(smmu3_get(event, EVENT_STREAMID), ==, t.sid);
    rig_expect_no_event(x->rig);
}

void expect_stage1_fault(Setup *x, Smmu3Transaction t, Smmu3EventType type)
{
    uint64_t event[SMMU3_EVENT_WORDS], expected[SMMU3_EVENT_WORDS] = { 0 };

    expect_fault(x, t, type, event);
    smmu3_set(expected, EVENT_TYPE, type);
    smmu3_set(expected, EVENT_STREAMID, t.sid);
    smmu3_set(expected, EVENT_SSV, t.ssv);
    smmu3_set(expected, EVENT_SUBSTREAMID, t.ssv ? t.ssid : 0);
    smmu3_set(expected, EVENT_PNU, t.priv);
    smmu3_set(expected, EVENT_IND, t.ind);
    smmu3_set(expected, EVENT_RNW, !(t.access & SMMU3_WRITE));
    smmu3_set(expected, EVENT_CLASS, CLASS_IN);
    smmu3_set(expected, EVENT_INPUT_ADDR, t.addr);
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        g_assert_cmphex(event[i], ==, expected[i]);
    }
}

void expect_silent_abort(Setup *x, Smmu3Transaction t)
{
    g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
    rig_expect_no_event(x->rig);
}
