/*
 * Translations in threads of their own while software changes tables, streams
 * and contexts: what began after a CMD_SYNC meets nothing that was invalidated
 * before it (IHI 0070 4.7). Meant for the thread sanitizer, too. SMMU3_RACES=N has
 * the first test make N changes of eight pages each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdatomic.h>
#include "builders.h"
#include "conformance.h"
#include "core/shadow.h"
#include "rig.h"

enum { SID = 5, THREADS = 2, PAGES = 8, PAGE = 4096, GENERATIONS = 200 };
#define VA UINT64_C(0x7f0000000000)
/* Page n of generation g */
#define PA(g, n) (((uint64_t)(g) * PAGES + (n)) * PAGE)

typedef struct World {
    Rig *rig;
    PageTable pt;
    uint64_t cds;
    uint64_t cd[SMMU3_CD_WORDS], ste[SMMU3_STE_WORDS];
    _Atomic unsigned oldest;    /* generation that may still be met */
    _Atomic unsigned newest;    /* that may be met already */
    _Atomic bool stop;
    _Atomic unsigned threads;
    _Atomic uint64_t translations[THREADS];
} World;

static gpointer requester(gpointer data)
{
    World *w = data;
    unsigned me = w->threads++;
    uint64_t count = 0;

    while (!w->stop) {
        unsigned page = count * 5 % PAGES;
        Smmu3Transaction t = dma_write(SID, VA + page * PAGE);
        unsigned oldest = w->oldest, generation;
        Smmu3Translation result;

        g_assert_cmpint(smmu3_translate(w->rig->smmu, &t, &result), ==,
                        SMMU3_OK);
        generation = result.pa / PAGE / PAGES;
        g_assert_cmpuint(result.pa / PAGE % PAGES, ==, page);
        g_assert_cmpuint(generation, >=, oldest);
        g_assert_cmpuint(generation, <=, w->newest);
        count++;
        w->translations[me]++;
    }
    return NULL;
}

static void map_generation(PageTable *pt, unsigned generation)
{
    for (unsigned n = 0; n < PAGES; n++) {
        /* Half of them without AF: the SMMU writes descriptors, too. */
        pt_map(pt, VA + n * PAGE, PA(generation, n), 3,
               n % 2 ? PT_USER_RW : PT_USER_RW & ~PT_AF);
    }
}

/*
 * Each kind of change in turn, and the command that makes it known. Other tables
 * need room, so there is an end to them.
 */
static void change(World *w, unsigned generation)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    switch (generation % (generation > GENERATIONS ? 3 : 4)) {
    case 0:
        map_generation(&w->pt, generation);
        for (unsigned n = 0; n < PAGES; n++) {
            smmu3_set(cmd, CMD_OPCODE, CMD_TLBI_NH_VA);
            smmu3_set(cmd, CMD_ASID, 1);
            smmu3_set_addr(cmd, CMD_ADDR, VA + n * PAGE);
            rig_command(w->rig, cmd);
        }
        break;
    case 1:
        map_generation(&w->pt, generation);
        smmu3_set(cmd, CMD_OPCODE, CMD_TLBI_NH_ASID);
        smmu3_set(cmd, CMD_ASID, 1);
        rig_command(w->rig, cmd);
        break;
    case 2:
        map_generation(&w->pt, generation);
        rig_command2(w->rig, CMD_TLBI_NSNH_ALL, 0);
        break;
    default:
        /* Other tables, by one word of the CD */
        pt_init(&w->pt, w->rig->host, 12, 48, false);
        map_generation(&w->pt, generation);
        smmu3_set_addr(w->cd, CD_TTB0, pt_ttb(&w->pt));
        fake_write64(w->rig->host, w->cds + 8, w->cd[1]);
        smmu3_set(cmd, CMD_OPCODE, CMD_CFGI_CD);
        smmu3_set(cmd, CMD_STREAMID, SID);
        rig_command(w->rig, cmd);
        rig_command2(w->rig, CMD_TLBI_NSNH_ALL, 0);
        break;
    }
    rig_sync(w->rig);
}

/*
 * Until every page was translated as often as it takes each thread to have it by
 * a walk, from the caches and at last from the front.
 */
static void let_them_translate(World *w)
{
    for (unsigned i = 0; i < THREADS; i++) {
        uint64_t until = w->translations[i] + 4 * PAGES;

        while (w->translations[i] < until) {
            g_thread_yield();
        }
    }
}

static unsigned generations(void)
{
    const char *races = g_getenv("SMMU3_RACES");

    return races ? CLAMP(g_ascii_strtoull(races, NULL, 0), 1, UINT32_MAX / 2)
                 : GENERATIONS;
}

static void test_sync(void)
{
    unsigned last = generations();
    World w = { .rig = rig_new() };
    GThread *threads[THREADS];
    uint64_t pool;

    rig_start(w.rig);
    pt_init(&w.pt, w.rig->host, 12, 48, false);
    map_generation(&w.pt, 0);
    w.cds = fake_alloc(w.rig->host, PAGE, PAGE);
    cd_for(w.cd, &w.pt, 1);
    smmu3_set(w.cd, CD_HA, 1);
    fake_write_words(w.rig->host, w.cds, w.cd, SMMU3_CD_WORDS);
    ste_stage1(w.ste, w.cds, 0);
    rig_set_ste(w.rig, SID, w.ste);
    /* All the pages there will be: adding any is not for threads. */
    pool = fake_alloc(w.rig->host, (GENERATIONS + 4) * PAGE, PAGE);
    w.rig->host->next = pool;

    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new("requester", requester, &w);
    }
    let_them_translate(&w);
    for (unsigned g = 1; g <= last; g++) {
        w.newest = g;
        change(&w, g);
        w.oldest = g;
        let_them_translate(&w);
    }
    w.stop = true;
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    rig_expect_no_event(w.rig);
    rig_free(w.rig);
}

/* ---- Other traffic ------------------------------------------------------ */

/*
 * The same with one kind of mapping, and each way in turn to make a change of
 * it known: unit n of generation g is at the output PA(g, n) of so many bytes.
 */
typedef struct Kind {
    const char *name;
    uint64_t unit;              /* bytes that change together */
    uint64_t attributes;        /* of stage 1 */
    bool nested;                /* stage 2 is what changes */
    bool tables;                /* not the pages in a table, but which it is */
    Smmu3TransactionType type;
    /* Submit the commands for @generation; the CMD_SYNC follows. */
    void (*invalidate)(Rig *r, unsigned generation);
} Kind;

enum { VMID = 3, ASID = 1, KIND_GENERATIONS = 60 };
#define IPA UINT64_C(0x100000000)

typedef struct KindWorld {
    World w;
    const Kind *kind;
    PageTable s2;
    uint64_t spare;             /* the table of pages that is not in use */
} KindWorld;

static void by_address(Rig *r, Smmu3Opcode opcode, uint16_t asid,
                       uint64_t addr, uint64_t pages)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { opcode };

    smmu3_set(cmd, CMD_ASID, asid);
    smmu3_set(cmd, CMD_VMID, opcode == CMD_TLBI_S2_IPA ? VMID : 0);
    smmu3_set_addr(cmd, CMD_ADDR, addr);
    if (pages > 1) {
        /* 16 << scale pages at least */
        unsigned scale = 0;

        while (UINT64_C(16) << scale < pages) {
            scale++;
        }
        smmu3_set(cmd, CMD_TLBI_TG, 1);
        smmu3_set(cmd, CMD_TLBI_NUM, 15);
        smmu3_set(cmd, CMD_TLBI_SCALE, scale);
    }
    rig_command(r, cmd);
}

static void each_unit(Rig *r, Smmu3Opcode opcode, uint16_t asid, uint64_t base,
                      uint64_t unit)
{
    for (unsigned n = 0; n < PAGES; n++) {
        by_address(r, opcode, asid, base + n * unit, 1);
    }
}

/* By probes, by ASID, by region, by VMID. */
static void invalidate_ranges(Rig *r, unsigned generation)
{
    static const struct {
        Smmu3Opcode opcode;
        uint64_t pages;
    } ways[] = {
        { CMD_TLBI_NH_VA, 16 }, { CMD_TLBI_NH_VA, 128 },
        { CMD_TLBI_NH_VA, 4096 }, { CMD_TLBI_NH_VAA, 16 },
        { CMD_TLBI_NH_VAA, 65536 }, { CMD_TLBI_NH_VAA, 1 << 24 },
    };
    unsigned way = generation % G_N_ELEMENTS(ways);

    by_address(r, ways[way].opcode,
               ways[way].opcode == CMD_TLBI_NH_VA ? ASID : 0, VA,
               ways[way].pages);
}

/* Global entries go with any ASID's. */
static void invalidate_global(Rig *r, unsigned generation)
{
    switch (generation % 4) {
    case 0:
        each_unit(r, CMD_TLBI_NH_VA, 77, VA, PAGE);
        break;
    case 1:
        by_address(r, CMD_TLBI_NH_VA, 77, VA, 4096);
        break;
    case 2:
        each_unit(r, CMD_TLBI_NH_VAA, 0, VA, PAGE);
        break;
    default:
        rig_command2(r, CMD_TLBI_NH_ALL, 0);
        break;
    }
}

/* A page of each block takes all of it. */
static void invalidate_blocks(Rig *r, unsigned generation)
{
    uint64_t inside = (generation % 16) * PAGE;

    if (generation % 2) {
        each_unit(r, CMD_TLBI_NH_VA, ASID, VA + inside, 16 * PAGE);
    } else {
        each_unit(r, CMD_TLBI_NH_VAA, 0, VA + inside, 16 * PAGE);
    }
}

static void invalidate_stage2(Rig *r, unsigned generation)
{
    switch (generation % 4) {
    case 0:
        each_unit(r, CMD_TLBI_S2_IPA, 0, IPA, PAGE);
        break;
    case 1:
        by_address(r, CMD_TLBI_S2_IPA, 0, IPA, 16);
        break;
    case 2:
        by_address(r, CMD_TLBI_S2_IPA, 0, IPA, 65536);
        break;
    default:
        rig_command2(r, CMD_TLBI_S12_VMALL | (uint64_t)VMID << 32, 0);
        break;
    }
}

/* CR0.ATSCHK changes under way; with EATS=1 that is no matter for answers. */
static void invalidate_with_atschk(Rig *r, unsigned generation)
{
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) ^
                              smmu3_field_mask(CR0_ATSCHK));
    invalidate_ranges(r, generation);
}

static const Kind kinds[] = {
    { "ranges", PAGE, PT_USER_RW, .invalidate = invalidate_ranges },
    { "global", PAGE, PT_USER_RW & ~PT_NG, .invalidate = invalidate_global },
    { "contiguous", 16 * PAGE, PT_USER_RW | PT_CONTIG,
      .invalidate = invalidate_blocks },
    { "nested", PAGE, PT_USER_RW, .nested = true,
      .invalidate = invalidate_stage2 },
    { "tables", PAGE, PT_USER_RW, .tables = true,
      .invalidate = invalidate_ranges },
    { "tables-of-stage2", PAGE, PT_USER_RW, .nested = true, .tables = true,
      .invalidate = invalidate_stage2 },
    { "ats-request", PAGE, PT_USER_RW, .type = SMMU3_ATS_REQUEST,
      .invalidate = invalidate_with_atschk },
    { "ats-request-nested", PAGE, PT_USER_RW, .nested = true,
      .type = SMMU3_ATS_REQUEST, .invalidate = invalidate_stage2 },
    { "ats-translated", PAGE, PT_USER_RW, .nested = true,
      .type = SMMU3_ATS_TRANSLATED, .invalidate = invalidate_stage2 },
};

static gpointer kind_requester(gpointer data)
{
    KindWorld *k = data;
    World *w = &k->w;
    unsigned me = w->threads++;
    uint64_t unit = k->kind->unit, count = 0;
    uint64_t base = k->kind->type == SMMU3_ATS_TRANSLATED ? IPA : VA;

    while (!w->stop) {
        unsigned n = count * 5 % PAGES;
        uint64_t within = count % 16 * (unit / 16);
        Smmu3Transaction t = dma_read(SID, base + n * unit + within);
        unsigned oldest = w->oldest, generation;
        Smmu3Translation result;

        t.type = k->kind->type;
        g_assert_cmpint(smmu3_translate(w->rig->smmu, &t, &result), ==,
                        SMMU3_OK);
        g_assert_true(result.access & SMMU3_READ);
        generation = result.pa / unit / PAGES;
        g_assert_cmpuint(result.pa / unit % PAGES, ==, n);
        g_assert_cmpuint(generation, >=, oldest);
        g_assert_cmpuint(generation, <=, w->newest);
        count++;
        w->translations[me]++;
    }
    return NULL;
}

/*
 * One table of pages takes the place of the other, whose next content is that of a
 * later generation: who reads it then, though it was given up, is found out.
 */
static void replace_table(KindWorld *k, unsigned generation)
{
    PageTable *pt = k->kind->nested ? &k->s2 : &k->w.pt;
    uint64_t in = k->kind->nested ? IPA : VA;
    uint64_t above = pt_entry(pt, in, 2), old = pt_read(pt, above);
    uint64_t first = k->spare + (in >> 12) % 512 * 8;

    for (unsigned n = 0; n < PAGES; n++) {
        pt_write(pt, first + n * 8, (generation * PAGES + n) * PAGE |
                 (k->kind->nested ? PT_S2_RW : k->kind->attributes) | 3);
    }
    pt_write(pt, above, k->spare | 3);
    k->spare = old & ~UINT64_C(0xfff);
}

static void map_kind(KindWorld *k, unsigned generation)
{
    uint64_t unit = k->kind->unit;

    if (k->kind->tables && generation) {
        replace_table(k, generation);
        return;
    }
    for (uint64_t at = 0; at < PAGES * unit; at += PAGE) {
        uint64_t pa = generation * PAGES * unit + at;

        if (k->kind->nested) {
            pt_map(&k->s2, IPA + at, pa, 3, PT_S2_RW);
        } else {
            pt_map(&k->w.pt, VA + at, pa, 3, k->kind->attributes);
        }
    }
}

/* Stage 1 stays, and stage 2 changes; stage 1's tables are mapped there. */
static void make_nested(KindWorld *k)
{
    FakeHost *host = k->w.rig->host;
    uint64_t tables = host->next;

    pt_init(&k->w.pt, host, 12, 48, false);
    for (unsigned n = 0; n < PAGES; n++) {
        pt_map(&k->w.pt, VA + n * PAGE, IPA + n * PAGE, 3,
               k->kind->attributes);
    }
    k->w.cds = fake_alloc(host, PAGE, PAGE);
    pt_init_stage2(&k->s2, host, 12, 40, 1, false);
    pt_map_range(&k->s2, tables & ~UINT64_C(0xfff), tables & ~UINT64_C(0xfff),
                 16 * PAGE, PT_S2_RW);
    ste_nested(k->w.ste, k->w.cds, 0, &k->s2, VMID);
}

static void make_stage1(KindWorld *k)
{
    pt_init(&k->w.pt, k->w.rig->host, 12, 48, false);
    k->w.cds = fake_alloc(k->w.rig->host, PAGE, PAGE);
    ste_stage1(k->w.ste, k->w.cds, 0);
}

static void test_kind(const void *data)
{
    KindWorld k = { .w.rig = rig_new(), .kind = data };
    World *w = &k.w;
    GThread *threads[THREADS];

    rig_start(w->rig);
    if (k.kind->nested) {
        make_nested(&k);
    } else {
        make_stage1(&k);
    }
    map_kind(&k, 0);
    k.spare = fake_alloc(w->rig->host, PAGE, PAGE);
    cd_for(w->cd, &w->pt, ASID);
    fake_write_words(w->rig->host, w->cds, w->cd, SMMU3_CD_WORDS);
    smmu3_set(w->ste, STE_EATS, k.kind->type == SMMU3_ATS_TRANSLATED
                                ? STE_EATS_SPLIT : STE_EATS_FULL);
    rig_set_ste(w->rig, SID, w->ste);

    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new("requester", kind_requester, &k);
    }
    let_them_translate(w);
    for (unsigned g = 1; g <= KIND_GENERATIONS; g++) {
        w->newest = g;
        map_kind(&k, g);
        k.kind->invalidate(w->rig, g);
        rig_sync(w->rig);
        w->oldest = g;
        let_them_translate(w);
    }
    w->stop = true;
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
    rig_expect_no_event(w->rig);
    rig_free(w->rig);
}

/* ---- Questions --------------------------------------------------------- */

static gpointer unmapped_requester(gpointer data)
{
    World *w = data;

    for (unsigned i = 0; i < GENERATIONS; i++) {
        Smmu3Transaction t = dma_read(SID, VA);
        Smmu3Translation result;

        g_assert_cmpint(smmu3_translate(w->rig->smmu, &t, &result), ==,
                        SMMU3_ABORT);
    }
    w->stop = true;
    return NULL;
}

/*
 * A shadow has the registers of one moment, while a thread's events move those
 * of the queue. What is torn the thread sanitizer says.
 */
static void test_shadow(void)
{
    World w = { .rig = rig_new() };
    g_autofree char *why = NULL;
    Smmu3View *view;
    GThread *thread;

    rig_start(w.rig);
    w.cds = fake_alloc(w.rig->host, PAGE, PAGE);
    pt_init(&w.pt, w.rig->host, 12, 48, false);
    cd_for(w.cd, &w.pt, ASID);
    fake_write_words(w.rig->host, w.cds, w.cd, SMMU3_CD_WORDS);
    ste_stage1(w.ste, w.cds, 0);
    rig_set_ste(w.rig, SID, w.ste);
    view = smmu3_view_new(w.rig->smmu, SID, false, 0);
    thread = g_thread_new("requester", unmapped_requester, &w);
    while (!w.stop) {
        uint64_t event[SMMU3_EVENT_WORDS];
        Smmu3Shadow *shadow = smmu3_shadow_new(w.rig->smmu, view, NULL, 0,
                                               &why);

        g_assert_nonnull(shadow);
        smmu3_shadow_free(shadow);
        while (rig_event(w.rig, event)) {
            g_assert_cmpuint(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
        }
    }
    g_thread_join(thread);
    smmu3_view_free(view);
    rig_free(w.rig);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/threads/sync-leaves-nothing-invalidated",
                     test_sync, "83");
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path = g_strdup_printf("/smmu3/threads/%s",
                                                kinds[i].name);

        conformance_test_data(path, &kinds[i], test_kind, "83");
    }
    conformance_test("/smmu3/threads/shadow-is-of-one-moment", test_shadow, "");
    return conformance_run();
}
