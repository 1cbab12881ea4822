/*
 * Invalidation in the middle of things: another thread changes a structure and
 * invalidates it while a walk or a fetch is under way that has read it already, with
 * the core's lock or without; and a translation is in use while CMD_SYNC runs (IHI
 * 0070 4.4, 4.7.3). Not the epochs that bring this about: test-tlb.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"
#include <stdatomic.h>

enum { SID = 5, PAGE = 0x1000, VMID = 7, ASID = 3 };
#define VA      UINT64_C(0x20005000)
#define IPA     UINT64_C(0x3456789000)
#define IPA2    UINT64_C(0x3556789000)
#define PA      UINT64_C(0x2123456000)
#define PA2     UINT64_C(0x2223456000)
#define DELTA   UINT64_C(0x1000000000)

/* A nested stream: VA to IPA to PA; IPA2 is at PA2. */
typedef struct Setup {
    Rig *rig;
    PageTable s1, s2;
    uint64_t cds;
    uint64_t ste[SMMU3_STE_WORDS], cd[SMMU3_CD_WORDS];
    /* What happens just before memory is read at, or near, this PA */
    uint64_t moment;
    void (*change)(struct Setup *x);
    uint64_t command[SMMU3_CMD_WORDS];
    GThread *thread;            /* which does it; NULL: not yet */
    atomic_bool under_way;
} Setup;

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init_stage2(&x->s2, x->rig->host, 12, 40, 1, false);
    pt_init(&x->s1, x->rig->host, 12, 39, false);
    x->s1.ipa_delta = DELTA;
    x->cds = fake_alloc(x->rig->host, PAGE, PAGE);
    pt_map(&x->s1, VA, IPA, 3, PT_USER_RW);
    for (int level = 1; level <= 3; level++) {
        uint64_t pa = pt_entry(&x->s1, VA, level) & ~UINT64_C(0xfff);

        pt_map(&x->s2, pa + DELTA, pa, 3, PT_S2_RW);
    }
    pt_map(&x->s2, x->cds + DELTA, x->cds, 3, PT_S2_RW);
    pt_map(&x->s2, IPA, PA, 3, PT_S2_RW);
    pt_map(&x->s2, IPA2, PA2, 3, PT_S2_RW);
    cd_for(x->cd, &x->s1, ASID);
    fake_write_words(x->rig->host, x->cds, x->cd, SMMU3_CD_WORDS);
    ste_nested(x->ste, x->cds + DELTA, 0, &x->s2, VMID);
    rig_set_ste(x->rig, SID, x->ste);
    rig_invalidate_all(x->rig);
}

static void *invalidate(void *opaque)
{
    Setup *x = opaque;

    atomic_store(&x->under_way, true);
    rig_command(x->rig, x->command);
    rig_sync(x->rig);
    return NULL;
}

/* In the midst of the walk: change the tables, and have that invalidated. */
static void at_the_moment(FakeHost *host, uint64_t pa)
{
    Setup *x = host->hook_data;

    if (x->thread || pa / PAGE != x->moment / PAGE) {
        return;
    }
    x->change(x);
    x->thread = g_thread_new("software", invalidate, x);
    while (!atomic_load(&x->under_way)) {
        g_thread_yield();
    }
}

static Smmu3Outcome translate(Setup *x, Smmu3Translation *result)
{
    Smmu3Transaction t = dma_read(SID, VA);

    return smmu3_translate(x->rig->smmu, &t, result);
}

/* ---- What changes, and by when it was read ----------------------------- */

static void move_the_page(Setup *x)
{
    pt_map(&x->s1, VA, IPA2, 3, PT_USER_RW);
}

/* Stage 2 has another page where stage 1's last table was: one with IPA2. */
static void move_the_table(Setup *x)
{
    uint64_t old = pt_entry(&x->s1, VA, 3), copy;

    copy = x->cds + PAGE;
    fake_write64(x->rig->host, copy + (old & 0xfff),
                 IPA2 | PT_USER_RW | 3);
    pt_map(&x->s2, (old & ~UINT64_C(0xfff)) + DELTA, copy, 3, PT_S2_RW);
}

static void end_the_stream(Setup *x)
{
    uint64_t abort[SMMU3_STE_WORDS];

    ste_abort(abort);
    fake_write_words(x->rig->host, rig_ste_addr(x->rig, SID), abort,
                     SMMU3_STE_WORDS);
}

static void end_the_context(Setup *x)
{
    fake_write64(x->rig->host, x->cds, 0);
}

typedef enum { AT_STAGE2_OF_THE_PAGE, AT_THE_CD, AT_THE_ROOT } Moment;
/* After the invalidation: PA2, a silent abort, or an event. */
typedef enum { MOVED, ABORTS, BAD_CD } After;

typedef struct RaceCase {
    const char *name;
    void (*change)(Setup *x);
    Moment moment;
    uint64_t command[SMMU3_CMD_WORDS];
    After after;
} RaceCase;

#define VMID_   ((uint64_t)VMID << 32)
#define ASID_   ((uint64_t)ASID << 48)
#define SID_    ((uint64_t)SID << 32)

static const RaceCase races[] = {
    { "walk-and-tlbi-va", move_the_page, AT_STAGE2_OF_THE_PAGE,
      { CMD_TLBI_NH_VA | VMID_ | ASID_, VA }, MOVED },
    { "walk-and-tlbi-vaa", move_the_page, AT_STAGE2_OF_THE_PAGE,
      { CMD_TLBI_NH_VAA | VMID_, VA }, MOVED },
    { "walk-and-tlbi-asid", move_the_page, AT_STAGE2_OF_THE_PAGE,
      { CMD_TLBI_NH_ASID | VMID_ | ASID_, 0 }, MOVED },
    { "walk-and-tlbi-vmid", move_the_page, AT_STAGE2_OF_THE_PAGE,
      { CMD_TLBI_NH_ALL | VMID_, 0 }, MOVED },
    { "walk-and-tlbi-all", move_the_page, AT_STAGE2_OF_THE_PAGE,
      { CMD_TLBI_NSNH_ALL, 0 }, MOVED },
    { "stage-2-and-tlbi-vmall", move_the_table, AT_STAGE2_OF_THE_PAGE,
      { CMD_TLBI_S12_VMALL | VMID_, 0 }, MOVED },
    { "fetch-and-cfgi-ste", end_the_stream, AT_THE_CD,
      { CMD_CFGI_STE | SID_, 1 }, ABORTS },
    { "fetch-and-cfgi-all", end_the_stream, AT_THE_ROOT,
      { CMD_CFGI_STE_RANGE, CMD_CFGI_RANGE_ALL }, ABORTS },
    { "fetch-and-cfgi-cd", end_the_context, AT_THE_ROOT,
      { CMD_CFGI_CD | SID_, 1 }, BAD_CD },
    { "fetch-and-cfgi-cd-all", end_the_context, AT_THE_ROOT,
      { CMD_CFGI_CD_ALL | SID_, 0 }, BAD_CD },
};

static uint64_t moment_of(Setup *x, Moment moment)
{
    switch (moment) {
    case AT_STAGE2_OF_THE_PAGE:
        return pt_entry(&x->s2, IPA, 3);    /* stage 1 is read by then */
    case AT_THE_CD:
        return x->cds;
    default:
        return x->s1.root;
    }
}

static void expect_after(Setup *x, After after)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Smmu3Translation result;

    /* The CMD_SYNC is complete: from here on nobody may */
    g_assert_cmphex(rig_read32(x->rig, SMMU3_CMDQ_CONS), ==,
                    rig_read32(x->rig, SMMU3_CMDQ_PROD));
    switch (after) {
    case MOVED:
        g_assert_cmpint(translate(x, &result), ==, SMMU3_OK);
        g_assert_cmphex(result.pa, ==, PA2);
        break;
    case ABORTS:
        g_assert_cmpint(translate(x, &result), ==, SMMU3_ABORT);
        break;
    case BAD_CD:
        g_assert_cmpint(translate(x, &result), ==, SMMU3_ABORT);
        rig_expect_event(x->rig, C_BAD_CD, event);
        break;
    }
    rig_expect_no_event(x->rig);
}

static void test_race(gconstpointer data)
{
    const RaceCase *c = data;
    Smmu3Translation result;
    Setup x;

    setup(&x);
    fake_map(x.rig->host, x.cds + PAGE, PAGE);
    x.change = c->change;
    x.moment = moment_of(&x, c->moment);
    memcpy(x.command, c->command, sizeof(x.command));
    x.rig->host->hook_data = &x;
    x.rig->host->before_read = at_the_moment;
    /* It had read what was there before, and may say so */
    g_assert_cmpint(translate(&x, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, PA);
    g_assert_nonnull(x.thread);
    g_thread_join(x.thread);
    x.rig->host->before_read = NULL;
    expect_after(&x, c->after);
    rig_free(x.rig);
}

/* ---- Walks without the lock --------------------------------------------- */

/* Only the tables are to be read: what was translated before is forgotten. */
static void forget_translations(Setup *x)
{
    Smmu3Translation result;

    g_assert_cmpint(translate(x, &result), ==, SMMU3_OK);
    rig_command2(x->rig, CMD_TLBI_NSNH_ALL, 0);
    rig_sync(x->rig);
}

/* The same from begin to end: who walks has no lock that this would wait for. */
static void all_at_the_moment(FakeHost *host, uint64_t pa)
{
    Setup *x = host->hook_data;

    if (!atomic_load(&x->under_way) && pa / PAGE == x->moment / PAGE) {
        x->change(x);
        invalidate(x);
    }
}

static void test_free_race(gconstpointer data)
{
    const RaceCase *c = data;
    Smmu3Translation result;
    Setup x;

    setup(&x);
    fake_map(x.rig->host, x.cds + PAGE, PAGE);
    forget_translations(&x);
    x.change = c->change;
    /* No CD is read, for it is cached */
    x.moment = moment_of(&x, c->moment == AT_THE_CD ? AT_THE_ROOT : c->moment);
    memcpy(x.command, c->command, sizeof(x.command));
    x.rig->host->hook_data = &x;
    x.rig->host->before_read = all_at_the_moment;
    g_assert_cmpint(translate(&x, &result), ==, SMMU3_OK);
    g_assert_true(x.under_way);
    x.rig->host->before_read = NULL;
    expect_after(&x, c->after);
    rig_free(x.rig);
}

static void *translate_meanwhile(void *opaque)
{
    Setup *x = opaque;
    Smmu3Translation result;

    g_assert_cmpint(translate(x, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, PA);
    return NULL;
}

/* As a command is read, which is under the lock. */
static void at_the_command(FakeHost *host, uint64_t pa)
{
    Setup *x = host->hook_data;

    if (pa / PAGE == x->moment / PAGE && !x->thread) {
        x->thread = g_thread_new("requester", translate_meanwhile, x);
        g_thread_join(x->thread);
    }
}

/* Who holds the lock is not waited for; what was found then is not cached. */
static void test_walk_during_commands(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    forget_translations(&x);
    c = smmu3_counters(x.rig->smmu);
    x.moment = x.rig->cmdq;
    x.rig->host->hook_data = &x;
    x.rig->host->before_read = at_the_command;
    smmu3_counters_reset(x.rig->smmu);
    rig_sync(x.rig);
    g_assert_nonnull(x.thread);
    x.rig->host->before_read = NULL;
    translate_meanwhile(&x);
    smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->tlb_misses, ==, 2);
    translate_meanwhile(&x);
    smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->tlb_misses, ==, 2);
    g_assert_cmpuint(c->tlb_hits, ==, 1);
    rig_free(x.rig);
}

/* ---- Translations in use ----------------------------------------------- */

/*
 * A host whose requester uses what it was given until it leaves its section.
 * One that enters after the question was asked is no part of the answer.
 */
static unsigned in_sections;

static bool nobody_is_in_a_section(void *opaque)
{
    ((FakeHost *)opaque)->quiesces++;
    return in_sections == 0;
}

static void test_sync_waits_for_use(void)
{
    Smmu3HostOps ops = fake_host_ops;
    Setup x = { .rig = rig_new() };
    uint64_t flag, sync[SMMU3_CMD_WORDS] = { CMD_SYNC }, ste[SMMU3_STE_WORDS];
    Smmu3Translation used, result;
    uint32_t before;

    ops.quiesce = nobody_is_in_a_section;
    x.rig->smmu = x.rig->host->smmu = smmu3_new(&x.rig->features, NULL, &ops,
                                                x.rig->host);
    rig_start(x.rig);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    pt_map(&x.s2, VA, PA, 3, PT_S2_RW);
    ste_stage2(ste, &x.s2, VMID);
    rig_set_ste(x.rig, SID, ste);
    flag = fake_alloc(x.rig->host, PAGE, PAGE);

    in_sections = 1;
    g_assert_cmpint(translate(&x, &used), ==, SMMU3_OK);
    g_assert_cmphex(used.pa, ==, PA);
    pt_map(&x.s2, VA, PA2, 3, PT_S2_RW);
    rig_command2(x.rig, CMD_TLBI_S2_IPA | VMID_, VA);
    before = rig_read32(x.rig, SMMU3_CMDQ_CONS);
    smmu3_set(sync, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
    smmu3_set(sync, CMD_SYNC_MSIDATA, 0x5a5a);
    smmu3_set_addr(sync, CMD_SYNC_MSIADDR, flag);
    rig_command(x.rig, sync);
    /* Whoever asks now is told the new place; the old one is still in use */
    g_assert_cmpint(translate(&x, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, PA2);
    smmu3_service(x.rig->smmu);
    g_assert_cmphex(rig_read32(x.rig, SMMU3_CMDQ_CONS), ==, before);
    g_assert_cmphex(fake_read64(x.rig->host, flag), ==, 0);
    /* The section is left */
    in_sections = 0;
    smmu3_quiesced(x.rig->smmu);
    g_assert_cmphex(rig_read32(x.rig, SMMU3_CMDQ_CONS), ==,
                    rig_read32(x.rig, SMMU3_CMDQ_PROD));
    g_assert_cmphex(fake_read64(x.rig->host, flag), ==, 0x5a5a);
    rig_expect_no_event(x.rig);
    rig_free(x.rig);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    for (size_t i = 0; i < G_N_ELEMENTS(races); i++) {
        g_autofree char *path = g_strdup_printf("/smmu3/interleaving/%s",
                                                races[i].name);
        g_autofree char *free_path =
            g_strdup_printf("/smmu3/interleaving/free-%s", races[i].name);

        conformance_test_data(path, &races[i], test_race, "120");
        conformance_test_data(free_path, &races[i], test_free_race, "120");
    }
    conformance_test("/smmu3/interleaving/walk-during-commands",
                     test_walk_during_commands, "110");
    conformance_test("/smmu3/interleaving/sync-waits-for-use",
                     test_sync_waits_for_use, "110");
    return conformance_run();
}
