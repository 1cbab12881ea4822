/*
 * The SMMU against a model: software that maps and unmaps at random, by pages,
 * contiguous runs, blocks and tables, at both stages, and always invalidates what
 * it unmapped, in one of the ways there are, of leaves alone (Leaf=1) where no more
 * went. Then every translation is what the
 * model says, whatever the caches hold. The same seed each time;
 * SMMU3_MODEL_SEED changes it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5, CONTEXTS = 3, VMID = 9, STEPS = 3000, ROUNDS = 18,
       BLOCKS = 3, IPA_PAGES = 512 };
/* The same, so that to mix the two stages up is not to be unseen. */
#define VA UINT64_C(0x4000000000)
#define IPA UINT64_C(0x4000000000)
#define PA UINT64_C(0x8000000000)
/* What is in a page of memory that was a table, and to be found by nobody. */
#define NOWHERE UINT64_C(0x7000000000)

/* A page as it should be; address 0: not mapped. */
typedef struct Page {
    uint64_t out;
    bool writable;
} Page;

/* One context: three level-2 blocks' worth of pages. */
typedef struct Context {
    PageTable pt;
    uint16_t asid;
    Page *pages;
    bool is_block[BLOCKS];
} Context;

typedef struct Model {
    Rig *rig;
    GRand *rand;
    unsigned page_log2, block_pages, run_pages;
    bool nested;
    Context context[CONTEXTS];
    unsigned hot_context, hot_page;     /* where something just changed */
    bool leaf;                  /* no table went with it: Leaf may be 1 */
    PageTable s2;
    Page ipa[IPA_PAGES];        /* stage 2: pages of 4 KiB from IPA on */
    uint64_t cds;
} Model;

static uint32_t below(Model *m, uint32_t n)
{
    return g_rand_int_range(m->rand, 0, n);
}

static uint64_t page_bytes(const Model *m)
{
    return UINT64_C(1) << m->page_log2;
}

static unsigned region_pages(const Model *m)
{
    return BLOCKS * m->block_pages;
}

/* ---- Invalidation, in all its ways ------------------------------------- */

static void tlbi(Model *m, Smmu3Opcode opcode, const Context *c,
                 uint64_t addr)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, opcode);
    smmu3_set(cmd, CMD_VMID, m->nested ? VMID : 0);
    smmu3_set(cmd, CMD_ASID, c ? c->asid : 0);
    smmu3_set(cmd, CMD_LEAF, m->leaf && below(m, 4));
    smmu3_set_addr(cmd, CMD_ADDR, addr);
    rig_command(m->rig, cmd);
}

/* (NUM + 1) * 2^SCALE pages, at least @count. */
static void tlbi_range(Model *m, Smmu3Opcode opcode, const Context *c,
                       uint64_t addr, uint64_t count, unsigned page_log2)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };
    unsigned scale = 1;

    while (count > UINT64_C(32) << scale) {
        scale++;
    }
    smmu3_set(cmd, CMD_OPCODE, opcode);
    smmu3_set(cmd, CMD_VMID, m->nested ? VMID : 0);
    smmu3_set(cmd, CMD_ASID, c ? c->asid : 0);
    smmu3_set(cmd, CMD_TLBI_SCALE, scale);
    smmu3_set(cmd, CMD_TLBI_NUM,
              ((count + smmu3_mask(scale)) >> scale) - 1);
    smmu3_set(cmd, CMD_TLBI_TG, (page_log2 - 10) / 2);
    smmu3_set(cmd, CMD_LEAF, m->leaf && below(m, 4));
    smmu3_set_addr(cmd, CMD_ADDR, addr);
    rig_command(m->rig, cmd);
}

static void invalidate(Model *m, const Context *c, unsigned first,
                       unsigned count)
{
    uint64_t va = VA + first * page_bytes(m);

    switch (below(m, 8)) {
    case 0:
        tlbi(m, CMD_TLBI_NH_ASID, c, 0);
        break;
    case 1:
        tlbi(m, CMD_TLBI_NH_ALL, c, 0);
        break;
    case 2:
        tlbi(m, CMD_TLBI_NSNH_ALL, c, 0);
        break;
    case 3:
        tlbi(m, CMD_TLBI_NH_VAA, c, va);
        tlbi_range(m, CMD_TLBI_NH_VAA, c, va, count, m->page_log2);
        break;
    case 4:
        if (count <= 64) {
            for (unsigned i = 0; i < count; i++) {
                tlbi(m, CMD_TLBI_NH_VA, c, va + i * page_bytes(m));
            }
            break;
        }
        /* fall through */
    default:
        tlbi_range(m, CMD_TLBI_NH_VA, c, va, count, m->page_log2);
        break;
    }
    rig_sync(m->rig);
}

/* ---- Stage 1 ----------------------------------------------------------- */

static uint64_t attributes(bool writable)
{
    return writable ? PT_USER_RW : PT_USER_RO;
}

/* Output addresses of one context: of the run or block at @first. */
static uint64_t some_output(Model *m, unsigned count)
{
    uint64_t bytes = count * page_bytes(m);

    if (m->nested) {
        return IPA + below(m, IPA_PAGES * UINT64_C(4096) / bytes) * bytes;
    }
    return PA + below(m, 4096) * bytes;
}

static void note(Context *c, unsigned first, unsigned count, uint64_t out,
                 uint64_t bytes, bool writable)
{
    for (unsigned i = 0; i < count; i++) {
        c->pages[first + i] = (Page) { out ? out + i * bytes : 0, writable };
    }
}

static void unmap(Model *m, Context *c, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        if (c->pages[i].out) {
            int level = c->is_block[i / m->block_pages] ? 2 : 3;

            pt_write(&c->pt, pt_entry(&c->pt, VA + i * page_bytes(m), level),
                     0);
        }
    }
    note(c, first, count, 0, 0, false);
    m->leaf = true;
    invalidate(m, c, first, count);
}

/* A page of memory that was a table becomes something else's. */
static void reuse(PageTable *pt, uint64_t table)
{
    for (uint64_t at = table; at < table + (1 << pt->page_log2); at += 8) {
        pt_write(pt, at, NOWHERE | (pt->stage2 ? PT_S2_RW : PT_USER_RW) | 3);
    }
}

/* All pages of a block at once, with their table; by one entry above it. */
static void unmap_table(Model *m, Context *c, unsigned block)
{
    unsigned first = block * m->block_pages;
    uint64_t va = VA + first * page_bytes(m);
    uint64_t table = pt_entry(&c->pt, va, 3);

    pt_write(&c->pt, pt_entry(&c->pt, va, 2), 0);
    note(c, first, m->block_pages, 0, 0, false);
    m->leaf = false;
    invalidate(m, c, first, m->block_pages);
    reuse(&c->pt, table);
}

/* Pages one by one, or one run that the contiguous bit joins. */
static void map_pages(Model *m, Context *c, unsigned first, unsigned count,
                      uint64_t contig)
{
    uint64_t out = some_output(m, count);
    bool writable = below(m, 2);

    for (unsigned i = 0; i < count; i++) {
        pt_map(&c->pt, VA + (first + i) * page_bytes(m),
               out + i * page_bytes(m), 3, attributes(writable) | contig);
    }
    note(c, first, count, out, page_bytes(m), writable);
}

static void map_block(Model *m, Context *c, unsigned block)
{
    uint64_t out = m->nested ? IPA : some_output(m, m->block_pages);
    bool writable = below(m, 2);
    unsigned first = block * m->block_pages;

    pt_map(&c->pt, VA + first * page_bytes(m), out, 2, attributes(writable));
    c->is_block[block] = true;
    note(c, first, m->block_pages, out, page_bytes(m), writable);
}

/* Break before make: what was there goes first, and is invalidated. */
static void change_stage1(Model *m)
{
    unsigned n = below(m, CONTEXTS);
    Context *c = &m->context[n];
    unsigned block = below(m, BLOCKS);
    unsigned first = block * m->block_pages;
    unsigned run = below(m, m->block_pages / m->run_pages) * m->run_pages;

    m->hot_context = n;
    m->hot_page = first + run;
    if (c->is_block[block] || below(m, 8) == 0) {
        if (c->is_block[block]) {
            unmap(m, c, first, m->block_pages);
            c->is_block[block] = false;
        } else {
            unmap_table(m, c, block);
        }
        if (below(m, 2)) {
            map_block(m, c, block);
        }
        return;
    }
    unmap(m, c, first + run, m->run_pages);
    switch (below(m, 4)) {
    case 0:
        map_pages(m, c, first + run, m->run_pages, PT_CONTIG);
        break;
    case 1:
        map_pages(m, c, first + run + below(m, m->run_pages), 1, 0);
        break;
    default:
        map_pages(m, c, first + run, m->run_pages, 0);
        break;
    }
}

/* ---- Stage 2 ----------------------------------------------------------- */

static void map_ipa(Model *m, unsigned page)
{
    bool writable = below(m, 4);
    uint64_t pa = PA + below(m, 65536) * UINT64_C(4096);

    pt_map(&m->s2, IPA + page * 4096, pa, 3, writable ? PT_S2_RW : PT_S2_RO);
    m->ipa[page] = (Page) { pa, writable };
}

static void invalidate_stage2(Model *m, unsigned first, unsigned count)
{
    if (below(m, 2)) {
        tlbi_range(m, CMD_TLBI_S2_IPA, NULL, IPA + first * 4096, count, 12);
        tlbi(m, CMD_TLBI_NH_ALL, NULL, 0);
    } else {
        tlbi(m, CMD_TLBI_S12_VMALL, NULL, 0);
    }
    rig_sync(m->rig);
}

/* The table of the pages moves; what they are is the same. */
static void move_table(Model *m)
{
    uint64_t table = pt_entry(&m->s2, IPA, 3);

    pt_write(&m->s2, pt_entry(&m->s2, IPA, 2), 0);
    m->leaf = false;
    invalidate_stage2(m, 0, IPA_PAGES);
    reuse(&m->s2, table);
    for (unsigned i = 0; i < IPA_PAGES; i++) {
        if (m->ipa[i].out) {
            pt_map(&m->s2, IPA + i * 4096, m->ipa[i].out, 3,
                   m->ipa[i].writable ? PT_S2_RW : PT_S2_RO);
        }
    }
}

static void change_stage2(Model *m)
{
    unsigned first = below(m, IPA_PAGES), count = 1 + below(m, 8);

    if (below(m, 8) == 0) {
        move_table(m);
        return;
    }
    count = MIN(count, IPA_PAGES - first);
    for (unsigned i = first; i < first + count; i++) {
        pt_write(&m->s2, pt_entry(&m->s2, IPA + i * 4096, 3), 0);
        m->ipa[i].out = 0;
    }
    m->leaf = true;
    invalidate_stage2(m, first, count);
    for (unsigned i = first; i < first + count; i++) {
        if (below(m, 8)) {
            map_ipa(m, i);
        }
    }
}

/* ---- What the model says ----------------------------------------------- */

/* EVENT_NONE and *@pa, or why not. */
static Smmu3EventType expected(const Model *m, const Context *c, uint64_t va,
                               bool write, uint64_t *pa)
{
    const Page *page = &c->pages[(va - VA) >> m->page_log2];
    uint64_t offset = va & (page_bytes(m) - 1), ipa;

    if (!page->out) {
        return F_TRANSLATION;
    }
    if (write && !page->writable) {
        return F_PERMISSION;
    }
    *pa = page->out + offset;
    if (!m->nested) {
        return EVENT_NONE;
    }
    ipa = *pa - IPA;
    if (ipa / 4096 >= IPA_PAGES || !m->ipa[ipa / 4096].out) {
        return F_TRANSLATION;
    }
    if (write && !m->ipa[ipa / 4096].writable) {
        return F_PERMISSION;
    }
    *pa = m->ipa[ipa / 4096].out + ipa % 4096;
    return EVENT_NONE;
}

/* A walk perhaps, then the caches, then the front: @pa, or why not. */
static void check_thrice(Model *m, const Smmu3Transaction *t,
                         Smmu3EventType type, uint64_t pa)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Smmu3Translation result;

    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(smmu3_translate(m->rig->smmu, t, &result), ==,
                        type == EVENT_NONE ? SMMU3_OK : SMMU3_ABORT);
        if (type == EVENT_NONE) {
            g_assert_cmphex(result.pa, ==, pa);
            g_assert_cmpint(result.access & t->access, ==, t->access);
        } else {
            rig_expect_event(m->rig, type, event);
        }
        rig_expect_no_event(m->rig);
    }
}

static void check_translation(Model *m)
{
    bool hot = below(m, 4);
    unsigned n = hot ? m->hot_context : below(m, CONTEXTS);
    unsigned page = hot ? m->hot_page + below(m, 4)
                        : below(m, region_pages(m));
    const Context *c = &m->context[n];
    uint64_t va = VA + page * page_bytes(m) +
                  below(m, hot ? 4096 : page_bytes(m));
    bool write = below(m, 2);
    Smmu3Transaction t = with_ssid(write ? dma_write(SID, va)
                                         : dma_read(SID, va), n);
    uint64_t pa = 0;
    Smmu3EventType type = expected(m, c, va, write, &pa);

    check_thrice(m, &t, type, pa);
}

/* ---- Rounds ------------------------------------------------------------ */

static void start_contexts(Model *m)
{
    uint64_t cd[SMMU3_CD_WORDS];

    m->cds = fake_alloc(m->rig->host, 4096, 4096);
    for (unsigned i = 0; i < CONTEXTS; i++) {
        Context *c = &m->context[i];

        pt_init(&c->pt, m->rig->host, m->page_log2, 48, false);
        c->asid = 7 + i;
        c->pages = g_new0(Page, region_pages(m));
        cd_for(cd, &c->pt, c->asid);
        fake_write_words(m->rig->host, m->cds + i * SMMU3_CD_BYTES, cd,
                         SMMU3_CD_WORDS);
    }
}

static void start_stream(Model *m)
{
    uint64_t ste[SMMU3_STE_WORDS];

    ste_stage1(ste, m->cds, 2);
    if (m->nested) {
        /* CDs and stage-1 tables are at the same address at both stages. */
        pt_init_stage2(&m->s2, m->rig->host, 12, 40, 1, false);
        pt_map(&m->s2, 0x40000000, 0x40000000, 1, PT_S2_RW);
        ste_nested(ste, m->cds, 2, &m->s2, VMID);
        for (unsigned i = 0; i < IPA_PAGES; i++) {
            map_ipa(m, i);
        }
    }
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    rig_set_ste(m->rig, SID, ste);
}

static void run_round(guint32 seed)
{
    static const struct {
        unsigned page_log2, block_pages, run_pages;
    } granules[] = { { 12, 512, 16 }, { 14, 2048, 128 }, { 16, 8192, 32 } };
    static const size_t capacities[] = { 64, 1024, 0 };
    Model m = {
        .rig = rig_new(), .rand = g_rand_new_with_seed(seed),
        .page_log2 = granules[seed % 3].page_log2,
        .block_pages = granules[seed % 3].block_pages,
        .run_pages = granules[seed % 3].run_pages,
        .nested = seed / 3 % 2,
    };

    m.rig->options.tlb_entries = capacities[seed / 6 % 3];
    rig_start(m.rig);
    start_contexts(&m);
    start_stream(&m);
    for (unsigned i = 0; i < STEPS; i++) {
        switch (below(&m, 16)) {
        case 0:
            change_stage1(&m);
            break;
        case 1:
            if (m.nested) {
                change_stage2(&m);
                break;
            }
            /* fall through */
        default:
            check_translation(&m);
            break;
        }
    }
    g_assert_cmpuint(smmu3_counters(m.rig->smmu)->tlb_hits, >, STEPS / 50);
    for (unsigned i = 0; i < CONTEXTS; i++) {
        g_free(m.context[i].pages);
    }
    g_rand_free(m.rand);
    rig_free(m.rig);
}

static void test_model(void)
{
    const char *seed = g_getenv("SMMU3_MODEL_SEED");
    guint32 first = seed ? g_ascii_strtoull(seed, NULL, 0) : 0;

    for (guint32 i = 0; i < ROUNDS; i++) {
        g_test_message("seed %u", first + i);
        run_round(first + i);
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/model/map-unmap-invalidate-translate",
                     test_model, "85 86");
    return conformance_run();
}
