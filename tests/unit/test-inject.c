/*
 * Faults on request: the grammar, which ones go wrong, and what a command that is
 * dropped, delayed or widened does. Not whether the auditor finds it:
 * test-audit-inject.c. One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include "core/commands/command.h"
#include "core/commands/wider.h"
#include "core/inject/grammar.h"
#include "core/inject/inject.h"
#include "core/signal/state.h"
#include "core/signal/work.h"
#include "one-stream.h"

enum { ASID = 1 };

static Smmu3InjectOptions options(const char *inject)
{
    g_autofree char *wrong = NULL;
    Smmu3InjectOptions o;

    wrong = smmu3_inject_parse(inject, &o);
    g_assert_cmpstr(wrong, ==, NULL);
    return o;
}

/* ---- The grammar ---------------------------------------------------------- */

static void test_wrong_plans(void)
{
    static const char *const wrong[] = {
        "drop", "drop:tlbi", "drop:tlbi:", "drop:tlbi:0", "drop:tlbi:-1",
        "drop:tlbi:x", "drop:tlbi:1/2", "drop:tlbi:0/2:1", "drop:tlbi:3/2:1",
        "drop:tlbi:1/0:1", "drop:tlbi:1:1", "drop:tlbi:1/2:1:1",
        "drop:tlbi:1/2:", "drop:tlbi:/", "drop:tlbi:/0", "drop:tlbi:/-1",
        "drop:tlbi:1/2:18446744073709551616", "drop:tlbi:/1:1",
        "drop:tlbi:4294967296/4294967296:1", "drop:tlbi:1/2/3:1",
        "drop:nothing:1", "lose:tlbi:1", ":tlbi:1", "::", "DROP:tlbi:1",
        "delay:tlbi:1", "delay:tlbi:1:0", "delay:tlbi:1:1000001",
        "delay:tlbi:1/2:3", "delay:tlbi:1:1:1", "widen:tlbi:1:1", " drop:tlbi:1",
        "widen:resume:1", "drop:walk:1", "abort:tlbi:1", "widen:event:1",
        "spurious:tlbi:1:2:3", "spurious:event:1", "spurious:event:1:2",
        "spurious:event:1:0x30:3", "spurious:event:1:0:3",
        "spurious:event:1:none:3", "spurious:event:1:F_NOTHING:3",
        "spurious:event:1:2:0x100000000", "spurious:event:1:2:3:4",
        "spurious:event:1:256:3", "abort:walk:1:", "abort:walk:1:x",
        "abort:walk:1:0x", "abort:walk:1:1/0", "abort:walk:1:1/2/3",
        "abort:walk:1:0x10000000000000000", "abort:walk:1:1/", "abort:walk",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *after = g_strdup_printf("drop:cfgi:1,%s", wrong[i]);
        g_autofree char *named = NULL, *named_after = NULL;
        Smmu3InjectOptions o;

        named = smmu3_inject_parse(wrong[i], &o);
        g_assert_cmpstr(named, ==, wrong[i]);
        g_assert_cmpuint(o.count, ==, 0);
        named_after = smmu3_inject_parse(after, &o);
        g_assert_cmpstr(named_after, ==, wrong[i]);
        g_assert_cmpuint(o.count, ==, 0);
    }
}

static void expect_wrong(const char *text, const char *named)
{
    g_autofree char *wrong = NULL;
    Smmu3InjectOptions o;

    wrong = smmu3_inject_parse(text, &o);
    g_assert_cmpstr(wrong, ==, named);
}

static void test_commas(void)
{
    g_autoptr(GString) most = g_string_new("drop:tlbi:1");

    expect_wrong(",", "");
    expect_wrong("drop:tlbi:1,", "");
    expect_wrong("drop:tlbi:1,,drop:tlbi:2", "");
    g_assert_cmpuint(options("").count, ==, 0);
    for (unsigned i = 1; i < SMMU3_INJECT_PLANS_MAX; i++) {
        g_string_append_printf(most, ",drop:tlbi:%u", i + 1);
    }
    g_assert_cmpuint(options(most->str).count, ==, SMMU3_INJECT_PLANS_MAX);
    g_string_append(most, ",drop:cfgi:9");
    expect_wrong(most->str, "drop:cfgi:9");
}

/* What is understood is said again in the same words. */
static void test_words(void)
{
    static const char *const plans[] = {
        "drop:tlbi:12", "drop:cfgi:/3", "drop:atc_inv:2/5:9",
        "delay:tlbi:1:1000000", "delay:cfgi:/7:2", "delay:atc_inv:1/1:0:3",
        "widen:tlbi:18446744073709551615", "widen:cfgi:/1",
        "drop:resume:1", "delay:pri_resp:2:3", "drop:event:1/2:3",
        "delay:event:4:5", "drop:evtq:6", "delay:priq:7:8", "drop:gerror:9",
        "delay:sync:/10:11", "spurious:event:/1:F_TRANSLATION:0x8",
        "abort:walk:1/2:3", "abort:walk:4:0xffff800000000000/65536",
        "widen:atc_inv:4294967295/4294967295:18446744073709551615",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(plans); i++) {
        Smmu3InjectOptions o = options(plans[i]);
        g_autoptr(GString) words = g_string_new(NULL);

        g_assert_cmpuint(o.count, ==, 1);
        smmu3_inject_words(&o.plans[0], words);
        g_assert_cmpstr(words->str, ==, plans[i]);
    }
}

static void test_numbers(void)
{
    Smmu3InjectOptions o = options("delay:cfgi:2/5:9:4,drop:tlbi:12");

    g_assert_cmpuint(o.count, ==, 2);
    g_assert_cmpint(o.plans[0].action, ==, SMMU3_INJECT_DELAY);
    g_assert_cmpint(o.plans[0].what, ==, SMMU3_INJECT_CFGI);
    g_assert_cmpuint(o.plans[0].nth, ==, 0);
    g_assert_cmpuint(o.plans[0].hits, ==, 2);
    g_assert_cmpuint(o.plans[0].of, ==, 5);
    g_assert_cmpuint(o.plans[0].seed, ==, 9);
    g_assert_cmpuint(o.plans[0].syncs, ==, 4);
    g_assert_cmpuint(o.plans[1].nth, ==, 12);
    o = options("spurious:event:1:16:0x1f,abort:walk:2:4096");
    g_assert_cmphex(o.plans[0].event_type, ==, F_TRANSLATION);
    g_assert_cmphex(o.plans[0].sid, ==, 0x1f);
    g_assert_cmphex(o.plans[1].addr, ==, 4096);
    g_assert_cmphex(o.plans[1].bytes, ==, 4096);
    /* All that is allowed has its line */
    g_assert_nonnull(strstr(smmu3_inject_help(), "delay:WHAT:WHICH:SYNCS"));
    g_assert_nonnull(strstr(smmu3_inject_help(), "P/Q:SEED"));
}

/* ---- Which ---------------------------------------------------------------- */

/* The same seed hits the same ones, another one others. */
static void test_same_seed_same_ones(void)
{
    Smmu3InjectOptions seven = options("drop:tlbi:1/3:7");
    Smmu3InjectOptions eight = options("drop:tlbi:1/3:8");
    Smmu3Inject a, b, c;
    unsigned others = 0;

    smmu3_inject_init(&a, &seven);
    smmu3_inject_init(&b, &seven);
    smmu3_inject_init(&c, &eight);
    for (unsigned i = 0; i < 1000; i++) {
        bool hit = smmu3_inject_next(&a, SMMU3_INJECT_TLBI);

        g_assert_null(smmu3_inject_next(&a, SMMU3_INJECT_CFGI));
        g_assert_cmpint(!!smmu3_inject_next(&b, SMMU3_INJECT_TLBI), ==, hit);
        others += !!smmu3_inject_next(&c, SMMU3_INJECT_TLBI) != hit;
    }
    g_assert_cmpuint(others, >, 100);
    g_assert_cmpuint(a.plans[0].count.seen, ==, 1000);
}

/* The first plan that hits is taken, and none loses its place by another's. */
static void test_several_plans(void)
{
    Smmu3InjectOptions o =
        options("drop:tlbi:3,widen:tlbi:/2,drop:cfgi:1,delay:tlbi:/3:1");
    static const int which[] = { -1, -1, 1, 0, 1, -1, 1, -1, 1, 3, 1 };
    Smmu3Inject inject;

    smmu3_inject_init(&inject, &o);
    for (unsigned i = 1; i < G_N_ELEMENTS(which); i++) {
        Smmu3Injecting *hit = smmu3_inject_next(&inject, SMMU3_INJECT_TLBI);

        g_assert_true(hit == (which[i] < 0 ? NULL : &inject.plans[which[i]]));
    }
    g_assert_cmpuint(inject.plans[0].count.seen, ==, 10);
    g_assert_cmpuint(inject.plans[2].count.seen, ==, 0);
    g_assert_true(smmu3_inject_next(&inject, SMMU3_INJECT_CFGI) ==
                  &inject.plans[2]);
}

/* ---- Commands -------------------------------------------------------------- */

static void start(Setup *x, const char *inject)
{
    *x = (Setup) { .rig = rig_new() };
    x->rig->options.inject = options(inject);
    setup_start(x);
}

static Smmu3InjectCount count_of(Setup *x, unsigned plan)
{
    g_autoptr(GArray) counts = smmu3_inject_counts(x->rig->smmu);

    g_assert_cmpuint(plan, <, counts->len);
    return g_array_index(counts, Smmu3InjectCount, plan);
}

static void map_and_use(Setup *x, uint64_t va)
{
    pt_map(&x->pt, va, PA, 3, PT_USER_RW);
    expect_pa(x, dma_read(SID, va), PA);
}

static void unmap(Setup *x, uint64_t va)
{
    pt_write(&x->pt, pt_entry(&x->pt, va, 3), 0);
}

static void tlbi(Setup *x, unsigned opcode, uint64_t va)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, opcode);
    smmu3_set(cmd, CMD_ASID, ASID);
    smmu3_set_addr(cmd, CMD_ADDR, va);
    rig_command(x->rig, cmd);
}

/* What is gone from the tables is no longer cached either. */
static bool still_cached(Setup *x, uint64_t va)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    if (translate(x, dma_read(SID, va)) == SMMU3_OK) {
        return true;
    }
    rig_expect_event(x->rig, F_TRANSLATION, event);
    return false;
}

static void test_drop(void)
{
    uint64_t tlbis;
    Setup x;

    start(&x, "drop:tlbi:/1");
    tlbis = smmu3_counters(x.rig->smmu)->tlb_invalidations;
    map_and_use(&x, VA);
    unmap(&x, VA);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    rig_sync(x.rig);
    g_assert_true(still_cached(&x, VA));
    g_assert_cmpuint(tlbis, ==,
                     smmu3_counters(x.rig->smmu)->tlb_invalidations);
    g_assert_cmpuint(count_of(&x, 0).done, ==, count_of(&x, 0).seen);
    done(&x);
}

/* It comes after the second CMD_SYNC, and no sooner. */
static void test_delay(void)
{
    Setup x;

    start(&x, "delay:tlbi:/1:2");
    rig_sync(x.rig);
    rig_sync(x.rig);            /* the rig's own invalidations */
    map_and_use(&x, VA);
    unmap(&x, VA);
    map_and_use(&x, VA + PAGE);
    unmap(&x, VA + PAGE);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    g_assert_true(still_cached(&x, VA));
    rig_sync(x.rig);
    tlbi(&x, CMD_TLBI_NH_VA, VA + PAGE);
    g_assert_true(still_cached(&x, VA));
    rig_sync(x.rig);
    g_assert_false(still_cached(&x, VA));
    g_assert_true(still_cached(&x, VA + PAGE));
    rig_sync(x.rig);
    g_assert_false(still_cached(&x, VA + PAGE));
    done(&x);
}

/* What is delayed asks the next CMD_SYNC to wait for who uses it. */
static void test_delayed_is_waited_for(void)
{
    unsigned asked;
    Setup x;

    start(&x, "delay:tlbi:/1:1");
    rig_sync(x.rig);
    rig_sync(x.rig);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    asked = x.rig->host->quiesces;
    rig_sync(x.rig);
    g_assert_cmpuint(x.rig->host->quiesces, ==, asked);
    rig_sync(x.rig);
    g_assert_cmpuint(x.rig->host->quiesces, ==, asked + 1);
    done(&x);
}

/* More than there is room for come in time. */
static void test_delays_are_bounded(void)
{
    Setup x;

    start(&x, "delay:tlbi:/1:3");
    for (unsigned i = 0; i < 3; i++) {
        rig_sync(x.rig);
    }
    map_and_use(&x, VA);
    unmap(&x, VA);
    for (unsigned i = 0; i < SMMU3_DELAYED_MAX; i++) {
        tlbi(&x, CMD_TLBI_NH_VA, VA + PAGE);
    }
    g_assert_true(still_cached(&x, VA));
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    g_assert_false(still_cached(&x, VA));
    g_assert_cmpuint(count_of(&x, 0).done, ==, count_of(&x, 0).seen - 1);
    for (unsigned i = 0; i < 3; i++) {
        rig_sync(x.rig);
    }
    g_assert_cmpuint(x.rig->smmu->inject.delayed.count, ==, 0);
    done(&x);
}

/* A reset forgets what was put off, for all caches are empty. */
static void test_delayed_at_reset(void)
{
    Setup x;

    start(&x, "delay:tlbi:/1:1");
    rig_sync(x.rig);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    g_assert_cmpuint(x.rig->smmu->inject.delayed.count, ==, 1);
    smmu3_reset(x.rig->smmu);
    g_assert_cmpuint(x.rig->smmu->inject.delayed.count, ==, 0);
    rig_free(x.rig);
}

/* When the machine stops, all that was put off comes: what is saved has none. */
static void test_delayed_at_stop(void)
{
    Setup x;

    start(&x, "delay:tlbi:/1:1000");
    map_and_use(&x, VA);
    unmap(&x, VA);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    g_assert_true(still_cached(&x, VA));
    smmu3_flush(x.rig->smmu);
    g_assert_false(still_cached(&x, VA));
    done(&x);
}

/* What is loaded again goes wrong again in the same ways. */
static void test_plans_begin_with_load(void)
{
    Smmu3Regs regs;
    Setup x;

    start(&x, "drop:tlbi:2");
    while (count_of(&x, 0).seen < 2) {
        tlbi(&x, CMD_TLBI_NH_VA, VA);
    }
    regs = *smmu3_regs(x.rig->smmu);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(smmu3_load(x.rig->smmu, &regs, NULL, 0));
        g_assert_cmpuint(count_of(&x, 0).seen, ==, 0);
        tlbi(&x, CMD_TLBI_NH_VA, VA);
        g_assert_cmpuint(count_of(&x, 0).done, ==, 0);
        tlbi(&x, CMD_TLBI_NH_VA, VA);
        g_assert_cmpuint(count_of(&x, 0).done, ==, 1);
        regs = *smmu3_regs(x.rig->smmu);
    }
    done(&x);
}

/* CFGI as TLBI: the old CD is used until it comes. */
static void test_delayed_cfgi(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_CFGI_CD };
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    start(&x, "delay:cfgi:/1:1");
    rig_sync(x.rig);
    expect_pa(&x, dma_read(SID, VA), PA);
    fake_write64(x.rig->host, x.cds, 0);
    smmu3_set(cmd, CMD_STREAMID, SID);
    rig_command(x.rig, cmd);
    expect_pa(&x, dma_read(SID, VA), PA);
    rig_sync(x.rig);
    expect_fault(&x, dma_read(SID, VA), C_BAD_CD, event);
    done(&x);
}

static void test_drop_atc_inv(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    Setup x;

    start(&x, "drop:atc_inv:2");
    smmu3_set(cmd, CMD_STREAMID, SID);
    for (unsigned i = 0; i < 3; i++) {
        rig_command(x.rig, cmd);
    }
    rig_sync(x.rig);
    g_assert_cmpuint(x.rig->host->atc_invalidations->len, ==, 2);
    g_assert_cmpuint(count_of(&x, 0).seen, ==, 3);
    g_assert_cmpuint(count_of(&x, 0).done, ==, 1);
    /* One that is illegal stays so */
    smmu3_set(cmd, CMD_ATC_SIZE, CMD_ATC_SIZE_ALL + 1);
    rig_command(x.rig, cmd);
    g_assert_cmpuint(smmu3_counters(x.rig->smmu)->command_errors, ==, 1);
    g_assert_cmpuint(count_of(&x, 0).seen, ==, 3);
    rig_free(x.rig);
}

static void test_delayed_atc_inv(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    GArray *sent;
    Setup x;

    start(&x, "delay:atc_inv:1:1");
    sent = x.rig->host->atc_invalidations;
    smmu3_set(cmd, CMD_STREAMID, SID);
    rig_command(x.rig, cmd);
    g_assert_cmpuint(sent->len, ==, 0);
    rig_sync(x.rig);
    g_assert_cmpuint(sent->len, ==, 1);
    done(&x);
}

/* All that may be in flight are, and one more comes when the machine stops. */
static void test_delayed_atc_inv_at_stop(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    GArray *sent;
    Setup x;

    start(&x, "delay:atc_inv:1:1000");
    sent = x.rig->host->atc_invalidations;
    x.rig->host->atc_answers_later = true;
    smmu3_set(cmd, CMD_STREAMID, SID);
    for (unsigned i = 0; i < 1 + 256; i++) {
        rig_command(x.rig, cmd);
    }
    g_assert_cmpuint(sent->len, ==, 256);
    smmu3_flush(x.rig->smmu);
    g_assert_cmpuint(sent->len, ==, 1 + 256);
    rig_free(x.rig);
}

/* Many invalidations are more than one hold of the lock may do. */
static void test_stop_is_in_parts(void)
{
    Smmu3 *s;
    Setup x;

    start(&x, "delay:tlbi:/1:1000");
    s = x.rig->smmu;
    for (unsigned i = 0; i < SMMU3_DELAYED_MAX; i++) {
        tlbi(&x, CMD_TLBI_NH_VA, VA + i * PAGE);
    }
    g_mutex_lock(&s->lock);
    smmu3_command_hurry(s);
    g_assert_true(smmu3_command_run_late(s, SMMU3_WORK_AT_ONCE));
    g_assert_cmpuint(s->inject.delayed.count, >, 0);
    g_assert_cmpuint(s->command.work, <, 2 * SMMU3_WORK_AT_ONCE);
    g_mutex_unlock(&s->lock);
    smmu3_flush(s);
    g_assert_cmpuint(s->inject.delayed.count, ==, 0);
    rig_free(x.rig);
}

/* ---- Wider invalidations --------------------------------------------------- */

/* By address: the whole ASID goes, and the address even if it is global. */
static void test_widen_tlbi(void)
{
    Setup x;

    start(&x, "widen:tlbi:/1");
    map_and_use(&x, VA);
    map_and_use(&x, VA + PAGE);
    unmap(&x, VA);
    unmap(&x, VA + PAGE);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    g_assert_false(still_cached(&x, VA));
    g_assert_false(still_cached(&x, VA + PAGE));

    pt_map(&x.pt, VA, PA, 3, PT_USER_RW & ~smmu3_field_mask(TTD_NG));
    expect_pa(&x, dma_read(SID, VA), PA);
    unmap(&x, VA);
    tlbi(&x, CMD_TLBI_NH_VA, VA);
    g_assert_false(still_cached(&x, VA));
    done(&x);
}

typedef struct WiderCase {
    unsigned opcode;
    uint64_t word1;
    unsigned wider;             /* 0: there is none */
    uint64_t wider_word1;
} WiderCase;

static void test_wider_commands(void)
{
    static const WiderCase cases[] = {
        { CMD_TLBI_NH_VA, 0x1001, CMD_TLBI_NH_ASID, 0x1001 },
        { CMD_TLBI_NH_VAA, 0, CMD_TLBI_NH_ALL, 0 },
        { CMD_TLBI_NH_ASID, 0, CMD_TLBI_NH_ALL, 0 },
        { CMD_TLBI_NH_ALL, 0, CMD_TLBI_NSNH_ALL, 0 },
        { CMD_TLBI_S2_IPA, 0, CMD_TLBI_S12_VMALL, 0 },
        { CMD_TLBI_S12_VMALL, 0, CMD_TLBI_NSNH_ALL, 0 },
        { CMD_TLBI_NSNH_ALL, 0, 0, 0 },
        { CMD_TLBI_EL2_VA, 0, CMD_TLBI_EL2_ALL, 0 },
        { CMD_TLBI_EL2_VAA, 0, CMD_TLBI_EL2_ALL, 0 },
        { CMD_TLBI_EL2_ASID, 0, CMD_TLBI_EL2_ALL, 0 },
        { CMD_TLBI_EL2_ALL, 0, 0, 0 },
        { CMD_CFGI_CD, 1, CMD_CFGI_CD_ALL, 1 },
        { CMD_CFGI_CD_ALL, 0, CMD_CFGI_STE_RANGE, 31 },
        { CMD_CFGI_STE, 1, CMD_CFGI_STE_RANGE, 31 },
        { CMD_CFGI_STE_RANGE, 3, CMD_CFGI_STE_RANGE, 31 },
        { CMD_CFGI_STE_RANGE, 31, 0, 0 },
        { CMD_ATC_INV, 0x5003, CMD_ATC_INV, 0x5000 | CMD_ATC_SIZE_ALL },
        { CMD_ATC_INV, CMD_ATC_SIZE_ALL, 0, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const WiderCase *c = &cases[i];
        uint64_t cmd[SMMU3_CMD_WORDS] = { UINT64_C(0x1234567800000000),
                                          c->word1 };
        uint64_t wider[SMMU3_CMD_WORDS], expected;

        smmu3_set(cmd, CMD_OPCODE, c->opcode);
        g_test_message("0x%02x", c->opcode);
        g_assert_cmpint(smmu3_command_wider(cmd, wider), ==, c->wider != 0);
        if (c->wider) {
            expected = (cmd[0] & ~UINT64_C(0xff)) | c->wider;
            g_assert_cmphex(wider[0], ==, expected);
            g_assert_cmphex(wider[1], ==, c->wider_word1);
        }
    }
}

/* One that is as wide as can be does what it says, and is not counted. */
static void test_widest(void)
{
    Setup x;

    start(&x, "widen:tlbi:/1");
    map_and_use(&x, VA);
    unmap(&x, VA);
    tlbi(&x, CMD_TLBI_NSNH_ALL, 0);
    g_assert_false(still_cached(&x, VA));
    g_assert_cmpuint(count_of(&x, 0).seen, >, 0);
    g_assert_cmpuint(count_of(&x, 0).done, ==, 0);
    done(&x);
}

static void test_widen_atc_inv(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    const Smmu3AtcInvalidate *inv;
    Setup x;

    start(&x, "widen:atc_inv:/1");
    smmu3_set(cmd, CMD_STREAMID, SID);
    smmu3_set(cmd, CMD_SSV, 1);
    smmu3_set(cmd, CMD_SUBSTREAMID, 3);
    smmu3_set_addr(cmd, CMD_ADDR, VA);
    rig_command(x.rig, cmd);
    rig_sync(x.rig);
    g_assert_cmpuint(x.rig->host->atc_invalidations->len, ==, 1);
    inv = &g_array_index(x.rig->host->atc_invalidations, Smmu3AtcInvalidate,
                         0);
    g_assert_cmpuint(inv->sid, ==, SID);
    g_assert_cmpuint(inv->ssid, ==, 3);
    g_assert_cmphex(inv->addr, ==, 0);
    g_assert_cmpuint(inv->size_log2, ==, 64);
    done(&x);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/inject/" name, fn)
    T("wrong-plans-are-named", test_wrong_plans);
    T("commas", test_commas);
    T("words", test_words);
    T("numbers", test_numbers);
    T("same-seed-same-ones", test_same_seed_same_ones);
    T("several-plans", test_several_plans);
    T("drop", test_drop);
    T("delay", test_delay);
    T("delayed-is-waited-for", test_delayed_is_waited_for);
    T("delays-are-bounded", test_delays_are_bounded);
    T("delayed-at-reset", test_delayed_at_reset);
    T("delayed-at-stop", test_delayed_at_stop);
    T("delayed-cfgi", test_delayed_cfgi);
    T("drop-atc-inv", test_drop_atc_inv);
    T("plans-begin-with-load", test_plans_begin_with_load);
    T("delayed-atc-inv", test_delayed_atc_inv);
    T("delayed-atc-inv-at-stop", test_delayed_atc_inv_at_stop);
    T("stop-is-in-parts", test_stop_is_in_parts);
    T("widen-tlbi", test_widen_tlbi);
    T("wider-commands", test_wider_commands);
    T("widest", test_widest);
    T("widen-atc-inv", test_widen_atc_inv);
#undef T
    return g_test_run();
}
