/*
 * The front: what a thread was answered is answered again, until anything that it
 * may rest on was invalidated or set (IHI 0070 4.3, 4.4, 6.3.9). Not the caches
 * behind it (test-tlb.c), nor races (test-threads.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "core/signal/state.h"
#include "one-stream.h"

/* Whether the next translation of @t, in this thread, would not ask the caches. */
static bool is_in_front(Setup *x, Smmu3Transaction t)
{
    Smmu3FrontKey key = smmu3_front_key(&x->rig->smmu->answers, &t);
    Smmu3Translation result;
    bool in_tables;

    return smmu3_front_lookup(&key, t.addr, &result, &in_tables);
}

/* A walk, the caches, and the front at last. */
static void bring_to_front(Setup *x, Smmu3Transaction t, uint64_t pa)
{
    for (unsigned i = 0; i < 3; i++) {
        expect_pa(x, t, pa);
    }
    g_assert_true(is_in_front(x, t));
}

static void test_second_use(void)
{
    Smmu3Transaction t = dma_read(SID, VA + 0x123);
    Smmu3Translation by_caches;
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    expect_pa(&x, t, PA + 0x123);
    g_assert_false(is_in_front(&x, t));
    expect_pa(&x, t, PA + 0x123);
    g_assert_true(is_in_front(&x, t));
    by_caches = x.result;
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 2);
    g_assert_cmpuint(c->tlb_hits, ==, 1);
    t.addr = VA + 0xffe;
    expect_pa(&x, t, PA + 0xffe);
    g_assert_cmpint(x.result.size_log2, ==, by_caches.size_log2);
    g_assert_cmpint(x.result.access, ==, by_caches.access);
    smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 3);
    g_assert_cmpuint(c->tlb_hits, ==, 2);
    done(&x);
}

/* A bypass is no hit of the TLB, whoever answers. */
static void test_bypass(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    ste_bypass(x.ste);
    apply(&x);
    bring_to_front(&x, dma_read(SID, 0x5000), 0x5000);
    expect_pa(&x, dma_read(SID, 0x5008), 0x5008);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 4);
    g_assert_cmpuint(c->tlb_hits, ==, 0);
    done(&x);
}

/* ---- What ends it -------------------------------------------------------- */

typedef struct Command {
    uint64_t word0, word1;
    bool ends;
} Command;

#define COMMAND_SID(n)  ((uint64_t)(n) << 32)
#define COMMAND_ASID(n) ((uint64_t)(n) << 48)
#define NUM_4_MIB       (UINT64_C(15) << 12 | UINT64_C(6) << 20)
#define TG_4_KIB        (UINT64_C(1) << 10)

/* By whatever way: what they name need not be what is in the front. */
static const Command commands[] = {
    { CMD_CFGI_STE | COMMAND_SID(SID), 1, true },
    { CMD_CFGI_STE | COMMAND_SID(SID + 1), 1, true },
    { CMD_CFGI_STE_RANGE | COMMAND_SID(SID), 2, true },
    { CMD_CFGI_STE_RANGE, 31, true },
    { CMD_CFGI_CD | COMMAND_SID(SID), 1, true },
    { CMD_CFGI_CD_ALL | COMMAND_SID(SID), 0, true },
    { CMD_TLBI_NH_ALL, 0, true },
    { CMD_TLBI_NH_ASID | COMMAND_ASID(1), 0, true },
    { CMD_TLBI_NH_VA | COMMAND_ASID(1), VA, true },
    { CMD_TLBI_NH_VA | COMMAND_ASID(1), VA | 1, true },
    { CMD_TLBI_NH_VA | COMMAND_ASID(1) | NUM_4_MIB,
      (VA & ~UINT64_C(0x3fffff)) | TG_4_KIB, true },
    { CMD_TLBI_NH_VAA, VA, true },
    { CMD_TLBI_NH_VAA | NUM_4_MIB, (VA & ~UINT64_C(0x3fffff)) | TG_4_KIB,
      true },
    { CMD_TLBI_EL2_ALL, 0, true },
    { CMD_TLBI_EL2_ASID, 0, true },
    { CMD_TLBI_EL2_VA, VA, true },
    { CMD_TLBI_EL2_VAA, VA, true },
    { CMD_TLBI_S12_VMALL, 0, true },
    { CMD_TLBI_S2_IPA, PA, true },
    { CMD_TLBI_NSNH_ALL, 0, true },
    { CMD_PREFETCH_CONFIG | COMMAND_SID(SID), 0, false },
    { CMD_SYNC, 0, false },
};

static void test_commands(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        Smmu3Transaction t = dma_write(SID, VA);
        Setup x;

        setup(&x);
        bring_to_front(&x, t, PA);
        rig_command2(x.rig, commands[i].word0, commands[i].word1);
        g_test_message("command %02x", (unsigned)commands[i].word0 & 0xff);
        g_assert_cmpint(is_in_front(&x, t), ==, !commands[i].ends);
        /* and what comes then is kept as the first was */
        bring_to_front(&x, t, PA);
        done(&x);
    }
}

/* From outside: each way in which the tables or a structure may have changed. */
static void test_changes_are_seen(void)
{
    Smmu3Transaction t = dma_write(SID, VA);
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    bring_to_front(&x, t, PA);
    pt_map(&x.pt, VA, PA + PAGE, 3, PT_USER_RW);
    rig_command2(x.rig, CMD_TLBI_NH_VA | COMMAND_ASID(1), VA);
    rig_sync(x.rig);
    bring_to_front(&x, t, PA + PAGE);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO);
    rig_command2(x.rig, CMD_TLBI_NH_ASID | COMMAND_ASID(1), 0);
    rig_sync(x.rig);
    expect_fault(&x, t, F_PERMISSION, event);
    bring_to_front(&x, dma_read(SID, VA), PA);
    smmu3_set(x.cd, CD_EPD0, 1);
    write_cd(&x, 0);
    rig_command2(x.rig, CMD_CFGI_CD | COMMAND_SID(SID), 1);
    rig_sync(x.rig);
    expect_fault(&x, dma_read(SID, VA), F_TRANSLATION, event);
    ste_abort(x.ste);
    rig_set_ste(x.rig, SID, x.ste);
    expect_silent_abort(&x, dma_read(SID, VA));
    done(&x);
}

static void test_registers(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    uint32_t cr0;
    Setup x;

    setup(&x);
    cr0 = rig_read32(x.rig, SMMU3_CR0);
    bring_to_front(&x, t, PA);
    rig_write32(x.rig, SMMU3_CR0, cr0 & ~smmu3_field_mask(CR0_SMMUEN));
    g_assert_false(is_in_front(&x, t));
    bring_to_front(&x, t, VA);          /* the global bypass */
    rig_write32(x.rig, SMMU3_GBPA, smmu3_field_mask(GBPA_UPDATE) |
                                   smmu3_field_mask(GBPA_ABORT));
    expect_silent_abort(&x, t);
    rig_write32(x.rig, SMMU3_CR0, cr0);
    bring_to_front(&x, t, PA);
    rig_write32(x.rig, SMMU3_CR0, cr0 ^ smmu3_field_mask(CR0_ATSCHK));
    g_assert_false(is_in_front(&x, t));
    bring_to_front(&x, t, PA);
    smmu3_reset(x.rig->smmu);
    g_assert_false(is_in_front(&x, t));
    done(&x);
}

/* What was asked for before an invalidation, and comes to be kept after it. */
static void test_dead_on_arrival(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    Smmu3FrontKey key;
    Setup x;

    setup(&x);
    expect_pa(&x, t, PA);
    key = smmu3_front_key(&x.rig->smmu->answers, &t);
    rig_command2(x.rig, CMD_TLBI_NSNH_ALL, 0);
    smmu3_front_keep(&key, &t, &x.result, true);
    g_assert_false(is_in_front(&x, t));
    key = smmu3_front_key(&x.rig->smmu->answers, &t);
    smmu3_front_keep(&key, &t, &x.result, true);
    g_assert_true(is_in_front(&x, t));
    done(&x);
}

/* ---- Who asks, and how ---------------------------------------------------- */

/* Each gives another answer than the first, whose place it would take. */
static void test_questions(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    PageTable other;
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO | PT_UXN);
    pt_map(&x.pt, VA + PAGE, PA + 5 * PAGE, 3, PT_KERNEL_RW);
    pt_map(&x.pt, VA + 2 * PAGE, PA + 7 * PAGE, 3, PT_USER_RW);
    pt_init(&other, x.rig->host, 12, 48, false);
    pt_map(&other, VA, PA + 9 * PAGE, 3, PT_USER_RW);
    ste_stage1(x.ste, x.cds, 2);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_CD0);
    cd_for(x.cd, &x.pt, 1);
    apply(&x);
    cd_for(x.cd, &other, 2);
    write_cd(&x, 1);
    ste_bypass(x.ste);
    rig_set_ste(x.rig, SID + 1, x.ste);
    rig_invalidate_all(x.rig);
    for (unsigned i = 0; i < 4; i++) {
        bring_to_front(&x, dma_read(SID, VA), PA);
        bring_to_front(&x, with_ssid(dma_read(SID, VA), 1), PA + 9 * PAGE);
        bring_to_front(&x, dma_read(SID + 1, 0x5000), 0x5000);
        bring_to_front(&x, dma_read(SID, VA + 2 * PAGE), PA + 7 * PAGE);
        bring_to_front(&x, with_priv(dma_write(SID, VA + PAGE)),
                       PA + 5 * PAGE);
        expect_fault(&x, dma_write(SID, VA), F_PERMISSION, event);
        expect_fault(&x, with_ind(dma_read(SID, VA)), F_PERMISSION, event);
        expect_fault(&x, dma_write(SID, VA + PAGE), F_PERMISSION, event);
        expect_fault(&x, dma_read(SID, VA | UINT64_C(1) << 60),
                     F_TRANSLATION, event);
        expect_fault(&x, with_ssid(dma_read(SID, VA), 2), C_BAD_CD, event);
        expect_fault(&x, with_ssid(dma_read(SID, VA), 0), F_STREAM_DISABLED,
                     event);
    }
    done(&x);
}

/* A speculative write is refused, and no request for a translation is kept. */
static void test_not_kept(void)
{
    Smmu3Transaction write = dma_write(SID, VA), ats = dma_read(SID, VA);
    Setup x;

    setup(&x);
    bring_to_front(&x, write, PA);
    write.speculative = true;
    expect_silent_abort(&x, write);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    ats.type = SMMU3_ATS_REQUEST;
    for (unsigned i = 0; i < 3; i++) {
        expect_pa(&x, ats, PA);
        g_assert_false(is_in_front(&x, ats));
    }
    g_assert_cmpuint(smmu3_counters(x.rig->smmu)->ats_requests, ==, 3);
    done(&x);
}

static void test_auditor(void)
{
    Setup x = { .rig = rig_new() };

    x.rig->options.audit.on = true;
    setup_start(&x);
    for (unsigned i = 0; i < 3; i++) {
        expect_pa(&x, dma_read(SID, VA), PA);
        g_assert_false(is_in_front(&x, dma_read(SID, VA)));
    }
    done(&x);
}

/* ---- Several SMMUs, and several threads ----------------------------------- */

static void test_two_smmus(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    Setup x, y;

    setup(&x);
    setup(&y);
    pt_map(&y.pt, VA, PA + PAGE, 3, PT_USER_RW);
    for (unsigned i = 0; i < 4; i++) {
        bring_to_front(&x, t, PA);
        bring_to_front(&y, t, PA + PAGE);
    }
    done(&y);
    /* One in the place of the other, as likely as not */
    for (unsigned i = 0; i < 16; i++) {
        setup(&y);
        g_assert_false(is_in_front(&y, t));
        pt_map(&y.pt, VA, PA + i * PAGE, 3, PT_USER_RW);
        bring_to_front(&y, t, PA + i * PAGE);
        done(&y);
    }
    done(&x);
}

static gpointer in_another_thread(gpointer data)
{
    Setup *x = data;

    g_assert_false(is_in_front(x, dma_read(SID, VA)));
    expect_pa(x, dma_read(SID, VA), PA);
    g_assert_true(is_in_front(x, dma_read(SID, VA)));
    return NULL;
}

/* More threads than there are stripes of counters, one after the other. */
static void test_threads(void)
{
    enum { THREADS = 2 * SMMU3_HOT_STRIPES };
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    bring_to_front(&x, dma_read(SID, VA), PA);
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(g_thread_new("other", in_another_thread, &x));
    }
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 3 + THREADS);
    g_assert_cmpuint(c->tlb_hits, ==, 2 + THREADS);
    /* Each gave its stripe back: nobody had to share. */
    g_assert_cmpuint(x.rig->smmu->hot[SMMU3_HOT_STRIPES - 1]
                     .counts[SMMU3_HOT(translations)], ==,
                     0);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_read(SID, VA), PA);
    smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 1);
    g_assert_cmpuint(c->tlb_hits, ==, 1);
    done(&x);
}

/* ---- Batches ------------------------------------------------------------- */

typedef struct Batch {
    Setup x;
    unsigned commands;
    bool answers[4];            /* as each command is read */
    uint64_t generations[4];
} Batch;

static void at_each_command(FakeHost *host, uint64_t pa)
{
    Batch *b = host->hook_data;

    if (pa / PAGE == b->x.rig->cmdq / PAGE &&
        b->commands < G_N_ELEMENTS(b->answers)) {
        b->generations[b->commands] = b->x.rig->smmu->answers;
        b->answers[b->commands++] = is_in_front(&b->x, dma_read(SID, VA));
    }
}

/*
 * One hold of the lock: the front answers until its end, when the generation has moved
 * once; and not once the CMD_SYNC that was in it can be seen to be complete.
 */
static void test_batch(void)
{
    const uint64_t commands[][SMMU3_CMD_WORDS] = {
        { CMD_TLBI_NSNH_ALL }, { CMD_CFGI_STE_RANGE, CMD_CFGI_RANGE_ALL },
        { CMD_TLBI_NH_ALL }, { CMD_SYNC },
    };
    Batch b = { 0 };
    uint32_t prod;

    setup(&b.x);
    bring_to_front(&b.x, dma_read(SID, VA), PA);
    prod = rig_read32(b.x.rig, SMMU3_CMDQ_PROD);
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        fake_write_words(b.x.rig->host, b.x.rig->cmdq + SMMU3_CMD_BYTES *
                         ((prod + i) & smmu3_mask(b.x.rig->cmdq_log2)),
                         commands[i], SMMU3_CMD_WORDS);
    }
    b.x.rig->host->hook_data = &b;
    b.x.rig->host->before_read = at_each_command;
    rig_write32(b.x.rig, SMMU3_CMDQ_PROD, (prod + G_N_ELEMENTS(commands)) &
                smmu3_mask(b.x.rig->cmdq_log2 + 1));
    b.x.rig->host->before_read = NULL;
    g_assert_cmpuint(b.commands, ==, G_N_ELEMENTS(commands));
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_assert_true(b.answers[i]);
        g_assert_cmpuint(b.generations[i], ==, b.generations[0]);
    }
    g_assert_cmphex(rig_read32(b.x.rig, SMMU3_CMDQ_CONS), ==,
                    rig_read32(b.x.rig, SMMU3_CMDQ_PROD));
    g_assert_false(is_in_front(&b.x, dma_read(SID, VA)));
    done(&b.x);
}

/* ---- Looking ahead ------------------------------------------------------- */

/* What the caches do not know is not looked up, and nobody hears of it. */
static void test_cached(void)
{
    const Smmu3Transaction t = dma_read(SID, VA), other = dma_read(SID, VA + PAGE);
    const Smmu3Counters *c;
    Smmu3Translation result;
    Setup x;

    setup(&x);
    g_assert_false(smmu3_translate_cached(x.rig->smmu, &t, PA, &result));
    expect_pa(&x, t, PA);
    smmu3_counters_reset(x.rig->smmu);
    x.rig->host->reads = 0;
    g_assert_false(smmu3_translate_cached(x.rig->smmu, &t, PA + PAGE, &result));
    g_assert_false(is_in_front(&x, t));
    g_assert_true(smmu3_translate_cached(x.rig->smmu, &t, PA, &result));
    g_assert_cmphex(result.pa, ==, PA);
    g_assert_true(is_in_front(&x, t));
    g_assert_false(smmu3_translate_cached(x.rig->smmu, &t, PA + PAGE, &result));
    g_assert_true(smmu3_translate_cached(x.rig->smmu, &t, PA, &result));
    g_assert_cmphex(result.pa, ==, PA);
    g_assert_false(smmu3_translate_cached(x.rig->smmu, &other, PA + PAGE,
                                          &result));
    rig_command2(x.rig, CMD_TLBI_NSNH_ALL, 0);
    x.rig->host->reads = 0;
    g_assert_false(smmu3_translate_cached(x.rig->smmu, &t, PA, &result));
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 2);
    g_assert_cmpuint(c->tlb_hits, ==, 2);
    g_assert_cmpuint(c->walks, ==, 0);
    rig_expect_no_event(x.rig);
    done(&x);
}

typedef struct Crowd {
    Smmu3 *smmu;
    _Atomic unsigned ready;
    GMutex gate;
} Crowd;

static gpointer in_a_crowd(gpointer data)
{
    Crowd *crowd = data;
    Smmu3Transaction t = dma_read(SID, VA);
    Smmu3Translation result;

    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpint(smmu3_translate(crowd->smmu, &t, &result), ==,
                        SMMU3_OK);
    }
    crowd->ready++;
    g_mutex_lock(&crowd->gate);     /* lives until all have translated */
    g_mutex_unlock(&crowd->gate);
    return NULL;
}

/* ... and all at once: some share a stripe, and nothing is lost. */
static void test_crowd(void)
{
    enum { THREADS = 2 * SMMU3_HOT_STRIPES };
    GThread *threads[THREADS];
    const Smmu3Counters *c;
    Crowd crowd;
    Setup x;

    setup(&x);
    bring_to_front(&x, dma_read(SID, VA), PA);
    crowd.smmu = x.rig->smmu;
    crowd.ready = 0;
    g_mutex_init(&crowd.gate);
    g_mutex_lock(&crowd.gate);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new("one of many", in_a_crowd, &crowd);
    }
    while (crowd.ready < THREADS) {
        g_usleep(1000);
    }
    c = smmu3_counters(x.rig->smmu);
    g_mutex_unlock(&crowd.gate);
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    g_assert_cmpuint(c->translations, ==, 3 + 100 * THREADS);
    g_assert_cmpuint(x.rig->smmu->hot[SMMU3_HOT_STRIPES - 1]
                     .counts[SMMU3_HOT(translations)], >=,
                     100 * (THREADS - SMMU3_HOT_STRIPES));
    g_mutex_clear(&crowd.gate);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/front/second-use", test_second_use, "");
    conformance_test("/smmu3/front/bypass-is-no-hit", test_bypass, "");
    conformance_test("/smmu3/front/commands", test_commands, "");
    conformance_test("/smmu3/front/changes-are-seen", test_changes_are_seen,
                     "");
    conformance_test("/smmu3/front/registers", test_registers, "");
    conformance_test("/smmu3/front/dead-on-arrival", test_dead_on_arrival,
                     "");
    conformance_test("/smmu3/front/questions-are-told-apart", test_questions,
                     "");
    conformance_test("/smmu3/front/not-kept", test_not_kept, "");
    conformance_test("/smmu3/front/not-with-an-auditor", test_auditor, "");
    conformance_test("/smmu3/front/two-smmus", test_two_smmus, "");
    conformance_test("/smmu3/front/threads", test_threads, "");
    conformance_test("/smmu3/front/batch", test_batch, "");
    conformance_test("/smmu3/front/looking-ahead", test_cached, "");
    conformance_test("/smmu3/front/crowd", test_crowd, "");
    return conformance_run();
}
