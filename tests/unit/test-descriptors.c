/*
 * What a descriptor may be, as a transaction meets it: at both stages, with
 * each granule, at each level (IHI 0070 3.13, 7.3.13, 7.3.14; DDI 0487 D8.3).
 * Not permissions, nor geometry as such: test-walk.c, test-stage2.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5 };

/* A form of tables; stage 2 may start elsewhere than stage 1 has to. */
typedef struct Form {
    unsigned page_log2, in_bits;
    bool ds;
    int start1, start2;
    int highest_block;          /* the level of the largest block */
} Form;

static const Form forms[] = {
    { 12, 48, false, 0, 0, 1 },
    { 12, 43, false, 0, 1, 1 },         /* sixteen tables at stage 2 */
    { 12, 52, true, -1, -1, 0 },
    { 14, 47, false, 1, 1, 2 },
    { 14, 48, false, 0, 1, 2 },
    { 14, 52, true, 0, 0, 1 },
    { 16, 42, false, 2, 2, 2 },
    { 16, 52, false, 1, 1, 1 },
};

typedef struct Setup {
    Rig *rig;
    const Form *form;
    bool stage2;
    PageTable pt;
    uint64_t ste[SMMU3_STE_WORDS], cd[SMMU3_CD_WORDS], cds;
    Smmu3Translation result;
} Setup;

static void apply(Setup *x)
{
    fake_write_words(x->rig->host, x->cds, x->cd, SMMU3_CD_WORDS);
    rig_set_ste(x->rig, SID, x->ste);
    rig_invalidate_all(x->rig);
}

/* Tables from @memory on; one stage with an output of @ps, as IPS or S2PS. */
static void setup(Setup *x, const Form *form, bool stage2, uint64_t memory,
                  unsigned ps)
{
    *x = (Setup) { .rig = rig_new(), .form = form, .stage2 = stage2 };
    rig_start(x->rig);
    x->rig->host->next = memory;
    x->cds = fake_alloc(x->rig->host, SMMU3_CD_BYTES, 4096);
    if (stage2) {
        pt_init_stage2(&x->pt, x->rig->host, form->page_log2, form->in_bits,
                       form->start2, form->ds);
        ste_stage2(x->ste, &x->pt, 7);
        smmu3_set(x->ste, STE_S2PS, ps);
    } else {
        pt_init(&x->pt, x->rig->host, form->page_log2, form->in_bits,
                form->ds);
        g_assert_cmpint(x->pt.start_level, ==, form->start1);
        cd_for(x->cd, &x->pt, 1);
        smmu3_set(x->cd, CD_IPS, ps);
        ste_stage1(x->ste, x->cds, 0);
    }
    apply(x);
}

static void done(Setup *x)
{
    rig_expect_no_event(x->rig);
    rig_free(x->rig);
}

static uint64_t attributes(const Setup *x)
{
    return x->stage2 ? PT_S2_RW : PT_USER_RW;
}

static void expect_pa(Setup *x, uint64_t in, uint64_t pa)
{
    Smmu3Transaction t = dma_read(SID, in);

    g_assert_cmpint(smmu3_translate(x->rig->smmu, &t, &x->result), ==,
                    SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, pa);
}

/* The whole record: stage 2's has the IPA, which is the input here. */
static void expect_fault(Setup *x, uint64_t in, Smmu3EventType type)
{
    Smmu3Transaction t = dma_read(SID, in);
    uint64_t event[SMMU3_EVENT_WORDS], expected[SMMU3_EVENT_WORDS] = { 0 };

    g_assert_cmpint(smmu3_translate(x->rig->smmu, &t, &x->result), ==,
                    SMMU3_ABORT);
    smmu3_set(expected, EVENT_TYPE, type);
    smmu3_set(expected, EVENT_STREAMID, SID);
    smmu3_set(expected, EVENT_RNW, 1);
    smmu3_set(expected, EVENT_CLASS, CLASS_IN);
    smmu3_set(expected, EVENT_S2, x->stage2);
    smmu3_set(expected, EVENT_INPUT_ADDR, in);
    if (x->stage2) {
        smmu3_set_addr(expected, EVENT_IPA, in);
    }
    rig_expect_event(x->rig, type, event);
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        g_assert_cmphex(event[i], ==, expected[i]);
    }
    rig_expect_no_event(x->rig);
}

/* An input with bits at both ends, and below 2^47 so that it is no other's. */
static uint64_t some_input(const Form *form)
{
    return UINT64_C(1) << (MIN(form->in_bits, 47) - 1) | UINT64_C(0x12345678);
}

static void for_each_form(void (*test)(const Form *form, bool stage2))
{
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        for (unsigned stage = 1; stage <= 2; stage++) {
            g_test_message("%u KiB, %u bits, stage %u",
                           1u << (forms[i].page_log2 - 10), forms[i].in_bits,
                           stage);
            test(&forms[i], stage == 2);
        }
    }
}

/* ---- Valid, table, page, block ----------------------------------------- */

#define TABLES UINT64_C(0x10000000)
#define OUT UINT64_C(0x3b40000000)

static void check_invalid(const Form *form, bool stage2)
{
    uint64_t in = some_input(form), page = smmu3_mask(form->page_log2);
    Setup x;

    setup(&x, form, stage2, TABLES, 5);
    pt_map(&x.pt, in, OUT, 3, attributes(&x));
    expect_pa(&x, in, OUT | (in & page));
    for (int level = x.pt.start_level; level <= 3; level++) {
        uint64_t at = pt_entry(&x.pt, in, level);
        uint64_t descriptor = pt_read(&x.pt, at);

        /* All other bits stay, or all are set but this one */
        pt_write(&x.pt, at, descriptor & ~UINT64_C(1));
        apply(&x);
        expect_fault(&x, in, F_TRANSLATION);
        pt_write(&x.pt, at, ~UINT64_C(1));
        expect_fault(&x, in, F_TRANSLATION);
        pt_write(&x.pt, at, descriptor);
    }
    expect_pa(&x, in, OUT | (in & page));
    done(&x);
}

static void test_invalid(void)
{
    for_each_form(check_invalid);
}

static void check_level3_block(const Form *form, bool stage2)
{
    uint64_t in = some_input(form), at;
    Setup x;

    setup(&x, form, stage2, TABLES, 5);
    at = pt_map(&x.pt, in, OUT, 3, attributes(&x));
    pt_write(&x.pt, at, pt_read(&x.pt, at) & ~UINT64_C(2));
    expect_fault(&x, in, F_TRANSLATION);
    done(&x);
}

static void test_level3_block(void)
{
    for_each_form(check_level3_block);
}

/* At each level above the pages: a block, or what is not one. */
static void check_blocks(const Form *form, bool stage2)
{
    uint64_t in = some_input(form);
    int start = stage2 ? form->start2 : form->start1;

    for (int level = start; level < 3; level++) {
        unsigned log2;
        Setup x;

        setup(&x, form, stage2, TABLES, 5);
        log2 = pt_level_log2(&x.pt, level);
        pt_map(&x.pt, in, 0, level, attributes(&x));
        if (level < form->highest_block) {
            expect_fault(&x, in, F_TRANSLATION);
        } else {
            expect_pa(&x, in, in & smmu3_mask(log2));
            g_assert_cmpuint(x.result.size_log2, ==, MIN(log2, 48));
        }
        done(&x);
    }
}

static void test_blocks(void)
{
    for_each_form(check_blocks);
}

/* ---- Address size ------------------------------------------------------ */

/* With 40 bits of output, a table and a page at 2^40 and above. */
static void check_addr_size(const Form *form, bool stage2)
{
    uint64_t in = some_input(form), page = smmu3_mask(form->page_log2);
    uint64_t beyond[] = { UINT64_C(1) << 40, UINT64_C(1) << 47 };
    Setup x;

    setup(&x, form, stage2, TABLES, 2);
    pt_map(&x.pt, in, OUT, 3, attributes(&x));
    expect_pa(&x, in, OUT | (in & page));
    for (int level = x.pt.start_level; level <= 3; level++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(beyond); i++) {
            uint64_t at = pt_entry(&x.pt, in, level);
            uint64_t descriptor = pt_read(&x.pt, at);

            pt_write(&x.pt, at, descriptor | beyond[i]);
            apply(&x);
            expect_fault(&x, in, F_ADDR_SIZE);
            pt_write(&x.pt, at, descriptor);
        }
    }
    done(&x);
}

static void test_addr_size(void)
{
    for_each_form(check_addr_size);
}

/*
 * Blocks and joined blocks that reach beyond the output size: what counts is
 * the output of the access, also once the block is cached.
 */
static void test_addr_size_of_large_blocks(void)
{
    static const struct {
        Form form;
        int level;
        bool contiguous;
        unsigned ps, ps_bits;
    } rows[] = {
        { { 12, 40, false, 0, 1, 1 }, 1, true, 0, 32 },  /* 16 of 1 GiB */
        { { 12, 48, true, 0, 0, 0 }, 0, false, 1, 36 },  /* 512 GiB */
        { { 14, 48, false, 0, 1, 2 }, 2, false, 0, 32 },
        { { 14, 48, true, 0, 1, 1 }, 1, false, 0, 32 },  /* 64 GiB */
        { { 16, 48, false, 1, 1, 1 }, 2, true, 0, 32 },  /* 32 of 512 MiB */
        { { 16, 48, false, 1, 1, 1 }, 1, false, 2, 40 }, /* 4 TiB */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned stage = 1; stage <= 2; stage++) {
            uint64_t limit = UINT64_C(1) << rows[i].ps_bits, step;
            Setup x;

            g_test_message("row %u, stage %u", (unsigned)i, stage);
            setup(&x, &rows[i].form, stage == 2, TABLES, rows[i].ps);
            step = UINT64_C(1) << pt_level_log2(&x.pt, rows[i].level);
            for (uint64_t at = 0; at <= limit; at += MIN(step, limit)) {
                pt_map(&x.pt, at, at, rows[i].level, attributes(&x) |
                       (rows[i].contiguous ? PT_CONTIG : 0));
            }
            for (unsigned again = 0; again < 2; again++) {
                expect_pa(&x, limit - 0x1234, limit - 0x1234);
                g_assert_cmpuint(x.result.size_log2, <=, rows[i].ps_bits);
                expect_fault(&x, limit, F_ADDR_SIZE);
                expect_fault(&x, limit + 0x5678, F_ADDR_SIZE);
            }
            done(&x);
        }
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) \
    conformance_test("/smmu3/descriptors/" name, fn, items)
    T("invalid-at-each-level", test_invalid, "54");
    T("block-at-level-3", test_level3_block, "55");
    T("blocks-where-there-are-some", test_blocks, "56");
    T("address-beyond-ips-or-s2ps", test_addr_size, "57");
    T("large-blocks-beyond-ips-or-s2ps", test_addr_size_of_large_blocks,
      "57");
#undef T
    return conformance_run();
}
