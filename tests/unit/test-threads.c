/*
 * Translations in threads of their own while software changes tables, streams
 * and contexts: what began after a CMD_SYNC meets nothing that was invalidated
 * before it (IHI 0070 4.7). Meant for the thread sanitizer, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdatomic.h>
#include "builders.h"
#include "conformance.h"
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
    _Atomic uint64_t translations;
} World;

static gpointer requester(gpointer data)
{
    World *w = data;
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
        w->translations++;
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

/* Each kind of change in turn, and the command that makes it known. */
static void change(World *w, unsigned generation)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    switch (generation % 4) {
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

/* Until every page was translated, so that all of them are cached. */
static void let_them_translate(World *w)
{
    uint64_t until = w->translations + 2 * THREADS * PAGES;

    while (w->translations < until) {
        g_thread_yield();
    }
}

static void test_sync(void)
{
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
    for (unsigned g = 1; g <= GENERATIONS; g++) {
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

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/threads/sync-leaves-nothing-invalidated",
                     test_sync, "83");
    return conformance_run();
}
