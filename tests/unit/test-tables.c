/*
 * Address spaces as lists of ranges: that a list has all that translations find
 * and nothing else, that two are compared whatever shape each has, that a
 * shadow is what the SMMU would be, that nothing is changed, and that there is
 * an end to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "core/shadow.h"
#include "two-stages.h"

#define GIB UINT64_C(0x40000000)
#define MIB UINT64_C(0x100000)
enum { ALL_CARE = UINT8_MAX };

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init(&x->s1, x->rig->host, 12, 48, false);
    x->cds = fake_alloc(x->rig->host, 4096, 4096);
    cd_for(x->cd, &x->s1, 1);
    ste_stage1(x->ste, x->cds, 0);
    apply(x);
}

/* What @smmu maps, in all of its view's spans. */
static Smmu3Survey map_of(Smmu3 *smmu, unsigned max_ranges, uint64_t max_steps)
{
    Smmu3View *view = smmu3_view_new(smmu, SID, false, 0);
    Smmu3Survey survey = {
        .max_ranges = max_ranges, .max_steps = max_steps,
        .ranges = g_array_new(FALSE, FALSE, sizeof(Smmu3Piece)),
    };
    Smmu3Space space = { smmu3_view_look_up, view };

    for (unsigned i = 0; i < view->span_count; i++) {
        smmu3_survey_map(&survey, space, view->spans[i]);
    }
    smmu3_view_free(view);
    return survey;
}

static const Smmu3Piece *piece(const Smmu3Survey *survey, unsigned i)
{
    g_assert_cmpuint(i, <, survey->ranges->len);
    return &g_array_index(survey->ranges, Smmu3Piece, i);
}

static const Smmu3Piece *find(const Smmu3Survey *survey, uint64_t in)
{
    for (unsigned i = 0; i < survey->ranges->len; i++) {
        const Smmu3Piece *p = piece(survey, i);

        if (p->in.first <= in && in <= p->in.last) {
            return p;
        }
    }
    return NULL;
}

static void forget(Smmu3Survey *survey)
{
    g_array_unref(survey->ranges);
}

static void expect(const Smmu3Survey *survey, unsigned i, uint64_t in,
                   uint64_t bytes, uint64_t output, unsigned entry_log2,
                   uint8_t rights)
{
    const Smmu3Piece *p = piece(survey, i);

    g_assert_true(p->mapped);
    g_assert_cmphex(p->in.first, ==, in);
    g_assert_cmphex(p->in.last, ==, in + (bytes - 1));
    g_assert_cmphex(p->output, ==, output);
    g_assert_cmpuint(p->entry_log2, ==, entry_log2);
    g_assert_cmphex(p->rights, ==, rights);
}

enum { USER_RW = SMMU3_UNPRIV_R | SMMU3_UNPRIV_W | SMMU3_PRIV_R |
                 SMMU3_PRIV_W | SMMU3_UNPRIV_X,
       USER_RO = SMMU3_UNPRIV_R | SMMU3_PRIV_R | SMMU3_UNPRIV_X |
                 SMMU3_PRIV_X };

/* ---- Lists ------------------------------------------------------------- */

/*
 * Pages that go on in input and output are one range; where rights, output or
 * the size of the entries change another begins.
 */
static void test_ranges(void)
{
    Smmu3Survey survey;
    Setup x;

    setup(&x);
    pt_map_range(&x.s1, VA, PA, 4 * PAGE, PT_USER_RW);
    pt_map_range(&x.s1, VA + 4 * PAGE, PA + 4 * PAGE, PAGE, PT_USER_RO);
    pt_map_range(&x.s1, VA + 5 * PAGE, PA, PAGE, PT_USER_RO);
    pt_map(&x.s1, GIB, 5 * GIB, 1, PT_USER_RW);
    pt_map(&x.s1, 2 * GIB, 6 * GIB, 2, PT_USER_RW);
    pt_map(&x.s1, 2 * GIB + 2 * MIB, 6 * GIB + 2 * MIB, 2, PT_USER_RW);
    survey = map_of(x.rig->smmu, 100, 100000);
    g_assert_false(survey.truncated);
    g_assert_cmpuint(survey.ranges->len, ==, 5);
    expect(&survey, 0, GIB, GIB, 5 * GIB, 30, USER_RW);
    expect(&survey, 1, 2 * GIB, 4 * MIB, 6 * GIB, 21, USER_RW);
    expect(&survey, 2, VA, 4 * PAGE, PA, 12, USER_RW);
    expect(&survey, 3, VA + 4 * PAGE, PAGE, PA + 4 * PAGE, 12, USER_RO);
    expect(&survey, 4, VA + 5 * PAGE, PAGE, PA, 12, USER_RO);
    g_assert_cmphex(survey.mapped_bytes, ==, GIB + 4 * MIB + 6 * PAGE);
    /* An empty space of 48 bits is 512 looks, not 2^36. */
    g_assert_cmpuint(survey.steps, <, 5000);
    forget(&survey);
    done(&x);
}

static void test_both_halves(void)
{
    Smmu3Survey survey;
    PageTable high;
    Setup x;

    setup(&x);
    pt_init(&high, x.rig->host, 16, 42, false);
    pt_map(&x.s1, VA, PA, 3, PT_USER_RW);
    pt_map(&high, UINT64_MAX & ~UINT64_C(0xffff), 0x10000, 3, PT_USER_RO);
    cd_second_half(x.cd, &high);
    apply(&x);
    survey = map_of(x.rig->smmu, 100, 100000);
    g_assert_cmpuint(survey.ranges->len, ==, 2);
    expect(&survey, 0, VA, PAGE, PA, 12, USER_RW);
    expect(&survey, 1, UINT64_MAX & ~UINT64_C(0xffff), 0x10000, 0x10000, 16,
           USER_RO);
    forget(&survey);
    done(&x);
}

/* The smaller of both stages' entries, the lesser of both rights, the IPA. */
static void test_nested(void)
{
    Smmu3Survey survey;
    Setup x;

    setup(&x);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    pt_map(&x.s1, GIB, 2 * GIB, 2, PT_USER_RW);
    pt_map(&x.s2, x.cds, x.cds, 3, PT_S2_RW);
    for (int level = 0; level <= 2; level++) {
        uint64_t pa = pt_entry(&x.s1, GIB, level);

        pt_map(&x.s2, pa, pa, 3, PT_S2_RW);
    }
    pt_map(&x.s2, 2 * GIB, 7 * GIB, 3, PT_S2_RO);
    pt_map(&x.s2, 2 * GIB + 3 * PAGE, 8 * GIB, 3, PT_S2_RW);
    ste_nested(x.ste, x.cds, 0, &x.s2, VMID);
    apply(&x);
    survey = map_of(x.rig->smmu, 100, 100000);
    g_assert_cmpuint(survey.ranges->len, ==, 2);
    expect(&survey, 0, GIB, PAGE, 7 * GIB, 12,
           USER_RO & ~SMMU3_PRIV_X);
    g_assert_true(piece(&survey, 0)->nested);
    g_assert_cmphex(piece(&survey, 0)->ipa, ==, 2 * GIB);
    g_assert_cmphex(piece(&survey, 1)->in.first, ==, GIB + 3 * PAGE);
    g_assert_cmphex(piece(&survey, 1)->ipa, ==, 2 * GIB + 3 * PAGE);
    g_assert_cmphex(piece(&survey, 1)->output, ==, 8 * GIB);
    forget(&survey);
    /* Stage 2 alone: what comes in is the IPA. */
    ste_stage2(x.ste, &x.s2, VMID);
    apply(&x);
    survey = map_of(x.rig->smmu, 100, 100000);
    g_assert_cmphex(piece(&survey, survey.ranges->len - 2)->in.first, ==,
                    2 * GIB);
    g_assert_false(piece(&survey, survey.ranges->len - 1)->nested);
    forget(&survey);
    done(&x);
}

/* Of stage 2, MemAttr @memattr at GIB, which stage 1 leads to as well. */
static Smmu3Piece piece_with_memattr(Setup *x, unsigned memattr, bool fwb,
                                     bool nested)
{
    Smmu3Survey survey;
    Smmu3Piece found;
    uint64_t leaf;

    pt_map(&x->s2, GIB, 7 * GIB, 3, PT_S2_RW);
    leaf = pt_entry(&x->s2, GIB, 3);
    pt_write(&x->s2, leaf, 7 * GIB | 3 | (PT_S2_RW & ~PT_S2_NORMAL) |
             (uint64_t)memattr << 2);
    if (nested) {
        ste_nested(x->ste, x->cds, 0, &x->s2, VMID);
    } else {
        ste_stage2(x->ste, &x->s2, VMID);
    }
    smmu3_set(x->ste, STE_S2FWB, fwb);
    apply(x);
    survey = map_of(x->rig->smmu, 100, 100000);
    found = *find(&survey, GIB);
    forget(&survey);
    return found;
}

/*
 * MemAttr says one thing without forced write-back, and another with it; a
 * stage 1 above has a say of its own.
 */
static void test_memory_of_stage2(void)
{
    static const struct {
        unsigned memattr;
        bool fwb;
        Smmu3Memory memory;
    } cases[] = {
        { 0, false, SMMU3_MEMORY_DEVICE },
        { 5, false, SMMU3_MEMORY_NON_CACHEABLE },
        { 6, false, SMMU3_MEMORY_NON_CACHEABLE },
        { 15, false, SMMU3_MEMORY_CACHEABLE },
        { 1, true, SMMU3_MEMORY_DEVICE },
        { 5, true, SMMU3_MEMORY_NON_CACHEABLE },
        { 6, true, SMMU3_MEMORY_CACHEABLE },
        { 7, true, SMMU3_MEMORY_AS_STAGE1 },
    };
    Setup x;

    setup(&x);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    pt_map(&x.s1, GIB, GIB, 3, PT_USER_RW);
    pt_map(&x.s2, x.cds, x.cds, 3, PT_S2_RW);
    for (int level = 0; level <= 3; level++) {
        uint64_t pa = pt_entry(&x.s1, GIB, level);

        pt_map(&x.s2, pa, pa, 3, PT_S2_RW);
    }
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        bool nested = i & 1, fwb = cases[i / 2].fwb;
        Smmu3Piece p = piece_with_memattr(&x, cases[i / 2].memattr, fwb,
                                          nested);

        g_assert_true(p.has_memattr);
        g_assert_cmphex(p.memattr, ==, cases[i / 2].memattr);
        g_assert_cmpint(smmu3_memattr_memory(p.memattr, p.fwb), ==,
                        cases[i / 2].memory);
        g_assert_true(p.has_mair == nested);
        g_assert_false(nested && smmu3_mair_memory(p.mair) !=
                                 SMMU3_MEMORY_CACHEABLE);
    }
    done(&x);
}

/* One word of stage 2 is read otherwise: what is compared says so. */
static void test_compare_memory_of_stage2(void)
{
    Smmu3Piece a = { .in = { 0, PAGE - 1 }, .mapped = true,
                     .known = UINT8_MAX, .has_mair = true, .mair = 0xff };
    Smmu3Piece b = a;

    /* As a vCPU has no stage 2. */
    b.has_memattr = true;
    b.memattr = 5;
    g_assert_cmphex(smmu3_pieces_differ(&a, &b, 0, ALL_CARE, UINT8_MAX), ==,
                    0);
    a = b;
    g_assert_cmphex(smmu3_pieces_differ(&a, &b, 0, ALL_CARE, UINT8_MAX), ==,
                    0);
    b.fwb = true;
    g_assert_cmphex(smmu3_pieces_differ(&a, &b, 0, ALL_CARE, UINT8_MAX), ==,
                    SMMU3_DIFFERS_MEMORY);
    b = a;
    b.memattr = 15;
    g_assert_cmphex(smmu3_pieces_differ(&a, &b, 0, ALL_CARE, UINT8_MAX), ==,
                    SMMU3_DIFFERS_MEMORY);
}

/* Nothing is reached, or everything: without a table there is one range. */
static void test_without_tables(void)
{
    Smmu3Survey survey;
    Smmu3View *view;
    Setup x;

    setup(&x);
    ste_bypass(x.ste);
    apply(&x);
    survey = map_of(x.rig->smmu, 100, 1000);
    g_assert_cmpuint(survey.ranges->len, ==, 1);
    g_assert_cmphex(piece(&survey, 0)->in.last, ==, smmu3_mask(52));
    g_assert_cmphex(piece(&survey, 0)->output, ==, 0);
    forget(&survey);
    ste_abort(x.ste);
    apply(&x);
    survey = map_of(x.rig->smmu, 100, 1000);
    g_assert_cmpuint(survey.ranges->len, ==, 0);
    forget(&survey);
    view = smmu3_view_new(x.rig->smmu, 1000, false, 0);
    g_assert_true(view->refused);
    g_assert_cmpint(view->why, ==, C_BAD_STREAMID);
    smmu3_view_free(view);
    done(&x);
}

/* No event, no access flag, no counter, nothing cached. */
static void test_changes_nothing(void)
{
    g_autofree char *before = NULL, *after = NULL;
    const Smmu3Counters *c;
    Smmu3Survey survey;
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_HA, 1);
    smmu3_set(x.cd, CD_HD, 1);
    pt_map(&x.s1, VA, PA, 3, (PT_USER_RO | PT_DBM) & ~PT_AF);
    apply(&x);
    smmu3_counters_reset(x.rig->smmu);
    before = fake_digest(x.rig->host);
    survey = map_of(x.rig->smmu, 100, 100000);
    after = fake_digest(x.rig->host);
    g_assert_cmpuint(survey.ranges->len, ==, 1);
    g_assert_true(piece(&survey, 0)->clean);
    g_assert_cmpstr(before, ==, after);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->walks, ==, 0);
    g_assert_cmpuint(c->descriptor_reads, ==, 0);
    g_assert_cmpuint(c->config_misses, ==, 0);
    g_assert_cmpuint(c->translations, ==, 0);
    forget(&survey);
    done(&x);
}

/*
 * A table that refers to itself maps 2^48 bytes page by page: the list ends where
 * it may, and says where that is.
 */
static void test_bounded(void)
{
    Smmu3Survey survey;
    uint64_t table = UINT64_MAX;
    Setup x;

    setup(&x);
    table = x.s1.root;
    for (unsigned i = 0; i < 512; i++) {
        fake_write64(x.rig->host, table + 8 * i,
                     table | PT_USER_RW | 3 | (i & 1 ? PT_RO : 0));
    }
    survey = map_of(x.rig->smmu, 100, 1000000);
    g_assert_true(survey.truncated);
    g_assert_cmpuint(survey.ranges->len, ==, 100);
    g_assert_cmphex(survey.at, ==,
                    piece(&survey, 99)->in.last + 1);
    forget(&survey);
    survey = map_of(x.rig->smmu, 1000000, 1000);
    g_assert_true(survey.truncated);
    g_assert_cmpuint(survey.steps, ==, 1000);
    g_assert_cmphex(survey.at, ==, 1000 * PAGE);
    forget(&survey);
    done(&x);
}

/* ---- Against translations ---------------------------------------------- */

/* Random descriptors in tables that share frames, at all levels. */
static void fill_at_random(Setup *x, GRand *random, unsigned page_log2)
{
    unsigned entries = 1u << (page_log2 - 3);
    uint64_t tables[6];

    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        tables[i] = i ? fake_alloc(x->rig->host, 1 << page_log2,
                                   1 << page_log2) : x->s1.root;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        for (unsigned k = 0; k < 6; k++) {
            unsigned index = g_rand_int_range(random, 0, 24) % entries;
            bool to_table = g_rand_boolean(random);
            uint64_t d = to_table ? tables[g_rand_int_range(random, 1, 6)] :
                (uint64_t)g_rand_int(random) << 18 & 0xfffffffff000;

            d |= g_rand_int_range(random, 0, 4);
            d |= to_table ? 0 : PT_USER_RW;
            d |= g_rand_int_range(random, 0, 4) ? 0 : PT_CONTIG;
            fake_write64(x->rig->host, tables[i] + 8 * index, d);
        }
    }
}

static void expect_like_translation(Setup *x, const Smmu3Survey *survey,
                                    uint64_t in)
{
    const Smmu3Piece *p = find(survey, in);
    Smmu3Transaction t = with_priv(dma_read(SID, in));
    Smmu3Outcome outcome;

    t.speculative = true;       /* no events, please */
    /* An entry that says it is one of contiguous ones answers for all of them */
    rig_invalidate_all(x->rig);
    outcome = smmu3_translate(x->rig->smmu, &t, &x->result);
    if (!p || !(p->rights & SMMU3_PRIV_R)) {
        g_assert_cmpint(outcome, !=, SMMU3_OK);
        return;
    }
    g_assert_cmpint(outcome, ==, SMMU3_OK);
    g_assert_cmphex(x->result.pa, ==, smmu3_piece_output(p, in));
}

/* The list and translations agree at both ends of each range, and around. */
static void test_against_translations(void)
{
    GRand *random = g_rand_new_with_seed(20);

    for (unsigned round = 0; round < 30; round++) {
        unsigned page_log2 = 12 + 2 * (round % 3);
        Smmu3Survey survey;
        Setup x;

        setup(&x);
        pt_init(&x.s1, x.rig->host, page_log2, 30 + round % 18, false);
        cd_for(x.cd, &x.s1, 1);
        apply(&x);
        fill_at_random(&x, random, page_log2);
        survey = map_of(x.rig->smmu, 100000, 1000000);
        g_assert_false(survey.truncated);
        for (unsigned i = 0; i < MIN(survey.ranges->len, 200); i++) {
            Smmu3Span in = piece(&survey, i)->in;

            expect_like_translation(&x, &survey, in.first);
            expect_like_translation(&x, &survey, in.last);
            expect_like_translation(&x, &survey, in.last + 1);
            expect_like_translation(&x, &survey, in.first - 1);
        }
        for (unsigned i = 0; i < 200; i++) {
            uint64_t in = (uint64_t)g_rand_int(random) << 32 |
                          g_rand_int(random);

            expect_like_translation(&x, &survey,
                                    in & smmu3_mask(x.s1.in_bits));
        }
        forget(&survey);
        done(&x);
    }
    g_rand_free(random);
}

/* ---- Comparisons ------------------------------------------------------- */

static Smmu3Survey compared(Smmu3 *a, Smmu3 *b, unsigned care, uint8_t rights)
{
    Smmu3View *of_a = smmu3_view_new(a, SID, false, 0);
    Smmu3View *of_b = smmu3_view_new(b, SID, false, 0);
    Smmu3Survey survey = {
        .max_ranges = 100, .max_steps = 100000,
        .ranges = g_array_new(FALSE, FALSE, sizeof(Smmu3Difference)),
    };

    smmu3_survey_compare(&survey, (Smmu3Space) { smmu3_view_look_up, of_a },
                         (Smmu3Space) { smmu3_view_look_up, of_b },
                         (Smmu3Span) { 0, UINT64_MAX }, care, rights);
    smmu3_view_free(of_a);
    smmu3_view_free(of_b);
    return survey;
}

static void expect_difference(const Smmu3Survey *survey, unsigned i,
                              uint64_t in, uint64_t bytes, unsigned how)
{
    const Smmu3Difference *d;

    g_assert_cmpuint(i, <, survey->ranges->len);
    d = &g_array_index(survey->ranges, Smmu3Difference, i);
    g_assert_cmphex(d->a.in.first, ==, in);
    g_assert_cmphex(d->a.in.last, ==, in + (bytes - 1));
    g_assert_cmphex(d->b.in.first, ==, in);
    g_assert_cmphex(d->b.in.last, ==, in + (bytes - 1));
    g_assert_cmphex(d->how, ==, how);
}

/* The same memory by a block and by pages, with a hole in either. */
static void test_compare_shapes(void)
{
    Smmu3Survey survey;
    Setup a, b;

    setup(&a);
    setup(&b);
    survey = compared(a.rig->smmu, b.rig->smmu, ALL_CARE, UINT8_MAX);
    g_assert_cmpuint(survey.ranges->len, ==, 0);
    forget(&survey);

    pt_map(&a.s1, GIB, 2 * GIB, 2, PT_USER_RW);
    pt_map_range(&b.s1, GIB, 2 * GIB, 2 * MIB, PT_USER_RW);
    pt_map(&b.s1, GIB + PAGE, 0, 3, 0);
    pt_write(&b.s1, pt_entry(&b.s1, GIB + PAGE, 3), 0);
    pt_map(&b.s1, GIB + 4 * PAGE, 3 * GIB, 3, PT_USER_RW);
    pt_map(&b.s1, GIB + 5 * PAGE, 2 * GIB + 5 * PAGE, 3, PT_USER_RO);
    pt_map(&b.s1, VA, PA, 3, PT_USER_RW);
    survey = compared(a.rig->smmu, b.rig->smmu,
                      ALL_CARE & ~SMMU3_DIFFERS_SIZE, UINT8_MAX);
    g_assert_cmpuint(survey.ranges->len, ==, 4);
    expect_difference(&survey, 0, GIB + PAGE, PAGE, SMMU3_DIFFERS_MAPPED);
    expect_difference(&survey, 1, GIB + 4 * PAGE, PAGE, SMMU3_DIFFERS_OUTPUT);
    expect_difference(&survey, 2, GIB + 5 * PAGE, PAGE, SMMU3_DIFFERS_RIGHTS);
    expect_difference(&survey, 3, VA, PAGE, SMMU3_DIFFERS_MAPPED);
    forget(&survey);
    /* The other way round there are as many, and sizes differ elsewhere. */
    survey = compared(b.rig->smmu, a.rig->smmu,
                      ALL_CARE & ~SMMU3_DIFFERS_SIZE, UINT8_MAX);
    g_assert_cmpuint(survey.ranges->len, ==, 4);
    forget(&survey);
    survey = compared(a.rig->smmu, b.rig->smmu, SMMU3_DIFFERS_SIZE, UINT8_MAX);
    expect_difference(&survey, 0, GIB, PAGE, SMMU3_DIFFERS_SIZE);
    forget(&survey);
    /* Who does not care of writes does not hear of them. */
    survey = compared(a.rig->smmu, b.rig->smmu, SMMU3_DIFFERS_RIGHTS,
                      SMMU3_UNPRIV_R);
    g_assert_cmpuint(survey.ranges->len, ==, 0);
    forget(&survey);
    done(&a);
    done(&b);
}

/*
 * A list that is full says where to go on; in all its parts each byte is counted
 * once.
 */
static void test_compare_in_parts(void)
{
    Smmu3View *of_a, *of_b;
    uint64_t bytes = 0, unknown = 0, from = 0;
    unsigned parts = 0;
    Setup a, b;

    setup(&a);
    setup(&b);
    for (unsigned i = 0; i < 3; i++) {
        pt_map(&a.s1, VA + 2 * i * PAGE, PA, 3, PT_USER_RW);
        pt_map(&b.s1, VA + 2 * i * PAGE, PA + PAGE, 3, PT_USER_RW);
    }
    of_a = smmu3_view_new(a.rig->smmu, SID, false, 0);
    of_b = smmu3_view_new(b.rig->smmu, SID, false, 0);
    for (bool more = true; more; parts++) {
        Smmu3Survey survey = {
            .max_ranges = 1, .max_steps = 100000,
            .ranges = g_array_new(FALSE, FALSE, sizeof(Smmu3Difference)),
        };

        smmu3_survey_compare(&survey,
                             (Smmu3Space) { smmu3_view_look_up, of_a },
                             (Smmu3Space) { smmu3_view_look_up, of_b },
                             (Smmu3Span) { from, UINT64_MAX }, ALL_CARE,
                             UINT8_MAX);
        bytes += survey.mapped_bytes;
        unknown += survey.unknown_bytes;
        from = survey.at;
        more = survey.truncated;
        forget(&survey);
    }
    g_assert_cmpuint(parts, ==, 3);
    g_assert_cmphex(bytes, ==, 3 * PAGE);
    g_assert_cmphex(unknown, ==, 0);
    smmu3_view_free(of_a);
    smmu3_view_free(of_b);
    done(&a);
    done(&b);
}

/* ---- Shadows ----------------------------------------------------------- */

/* A shadow of @x with one field changed. */
static Smmu3Shadow *shadow_of(Setup *x, Smmu3View *view, const char *name,
                              uint64_t value)
{
    g_autofree char *why = NULL;
    Smmu3Shadow *shadow;
    Smmu3Change change;

    g_assert_true(smmu3_change_parse(name, value, &change));
    shadow = smmu3_shadow_new(x->rig->smmu, view, &change, 1, &why);
    g_assert_null(why);
    return shadow;
}

/* Each access at @va is let through if the map has the right to it. */
static void expect_as_translated(Setup *x, Smmu3View *view, uint64_t va)
{
    static const struct {
        uint8_t access;
        bool ind;
        uint8_t right;
    } accesses[] = {
        { SMMU3_READ, false, SMMU3_UNPRIV_R },
        { SMMU3_WRITE, false, SMMU3_UNPRIV_W },
        { SMMU3_READ, true, SMMU3_UNPRIV_X },
    };
    Smmu3Piece p;

    smmu3_view_look_up(view, va, &p);
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(accesses); i++) {
        bool priv = i % 2;
        uint8_t right = accesses[i / 2].right * (priv ? SMMU3_PRIV_R : 1);
        Smmu3Transaction t = {
            .sid = SID, .addr = va, .priv = priv,
            .access = accesses[i / 2].access, .ind = accesses[i / 2].ind,
        };

        if (p.rights & right) {
            g_assert_cmpint(translate(x, t), ==, SMMU3_OK);
        } else {
            g_assert_cmpint(translate(x, t), ==, SMMU3_ABORT);
            rig_expect_event(x->rig, F_PERMISSION, x->event);
        }
    }
}

/*
 * PRIVCFG and INSTCFG make another access of each: what may be done by the map
 * is what is translated, whatever comes in.
 */
static void test_overrides(void)
{
    static const uint64_t rights[] = {
        PT_USER_RW, PT_USER_RO, PT_AF, PT_AF | PT_UXN | PT_PXN,
        PT_USER_RO | PT_UXN,
    };
    Setup x;

    setup(&x);
    for (unsigned i = 0; i < G_N_ELEMENTS(rights); i++) {
        pt_map(&x.s1, VA + i * PAGE, PA + i * PAGE, 3, rights[i]);
    }
    for (unsigned n = 0; n < 16; n++) {
        Smmu3View *view;

        smmu3_set(x.ste, STE_PRIVCFG, n % 4);
        smmu3_set(x.ste, STE_INSTCFG, n / 4);
        apply(&x);
        view = smmu3_view_new(x.rig->smmu, SID, false, 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(rights); i++) {
            expect_as_translated(&x, view, VA + i * PAGE);
        }
        smmu3_view_free(view);
    }
    done(&x);
}

static void test_shadow(void)
{
    g_autofree char *before = NULL, *after = NULL;
    Smmu3Survey survey;
    Smmu3Shadow *shadow;
    Smmu3View *view, *then;
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_HA, 1);
    pt_map(&x.s1, GIB, GIB, 3, PT_USER_RO | PT_DBM);
    pt_map(&x.s1, VA, PA, 3, PT_USER_RW & ~PT_AF);
    apply(&x);
    before = fake_digest(x.rig->host);
    view = smmu3_view_new(x.rig->smmu, SID, false, 0);

    shadow = shadow_of(&x, view, "cd.ha", 0);
    survey = compared(x.rig->smmu, smmu3_shadow_smmu(shadow), ALL_CARE,
                      UINT8_MAX);
    g_assert_cmpuint(survey.ranges->len, ==, 1);
    expect_difference(&survey, 0, VA, PAGE, SMMU3_DIFFERS_MAPPED);
    g_assert_cmpint(g_array_index(survey.ranges, Smmu3Difference, 0).b.fault,
                    ==, F_ACCESS);
    forget(&survey);
    smmu3_shadow_free(shadow);

    shadow = shadow_of(&x, view, "CD.HD", 1);
    survey = compared(x.rig->smmu, smmu3_shadow_smmu(shadow), ALL_CARE,
                      UINT8_MAX);
    g_assert_cmpuint(survey.ranges->len, ==, 1);
    expect_difference(&survey, 0, GIB, PAGE,
                      SMMU3_DIFFERS_RIGHTS | SMMU3_DIFFERS_CLEAN);
    forget(&survey);
    smmu3_shadow_free(shadow);

    shadow = shadow_of(&x, view, "ID.OAS", 2);
    survey = compared(x.rig->smmu, smmu3_shadow_smmu(shadow), ALL_CARE,
                      UINT8_MAX);
    expect_difference(&survey, 0, VA, PAGE, SMMU3_DIFFERS_MAPPED);
    forget(&survey);
    smmu3_shadow_free(shadow);

    /* A CD that is ILLEGAL then refuses everything. */
    shadow = shadow_of(&x, view, "CD.T0SZ", 5);
    then = smmu3_view_new(smmu3_shadow_smmu(shadow), SID, false, 0);
    g_assert_true(then->refused);
    g_assert_cmpint(then->why, ==, C_BAD_CD);
    smmu3_view_free(then);
    smmu3_shadow_free(shadow);

    smmu3_view_free(view);
    after = fake_digest(x.rig->host);
    g_assert_cmpstr(before, ==, after);
    done(&x);
}

static void test_changes_that_cannot_be(void)
{
    g_autofree char *why = NULL, *also = NULL;
    Smmu3Change change;
    Smmu3View *view;
    Setup x;

    g_assert_false(smmu3_change_parse("CD.NONSENSE", 0, &change));
    g_assert_false(smmu3_change_parse("T0SZ", 0, &change));
    g_assert_false(smmu3_change_parse("CD.T0SZ", 64, &change));
    g_assert_false(smmu3_change_parse("CD.TTB0", 0x1008, &change));
    g_assert_true(smmu3_change_parse("STE.S2TTB", 0x1010, &change));
    g_assert_true(smmu3_change_parse("ID.oas", 9, &change));
    setup(&x);
    view = smmu3_view_new(x.rig->smmu, SID, false, 0);
    g_assert_null(smmu3_shadow_new(x.rig->smmu, view, &change, 1, &why));
    g_assert_nonnull(why);
    smmu3_view_free(view);
    ste_abort(x.ste);
    apply(&x);
    view = smmu3_view_new(x.rig->smmu, SID, false, 0);
    g_assert_true(smmu3_change_parse("CD.HA", 1, &change));
    g_assert_null(smmu3_shadow_new(x.rig->smmu, view, &change, 1, &also));
    g_assert_cmpstr(also, ==, "there is no CD");
    smmu3_view_free(view);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn) conformance_test("/smmu3/tables/" name, fn, "")
    T("ranges", test_ranges);
    T("both-halves", test_both_halves);
    T("nested", test_nested);
    T("nested/memory", test_memory_of_stage2);
    T("without-tables", test_without_tables);
    T("changes-nothing", test_changes_nothing);
    T("bounded", test_bounded);
    T("against-translations", test_against_translations);
    T("compare/shapes", test_compare_shapes);
    T("compare/memory-of-stage2", test_compare_memory_of_stage2);
    T("compare/in-parts", test_compare_in_parts);
    T("overrides", test_overrides);
    T("shadow", test_shadow);
    T("shadow/cannot-be", test_changes_that_cannot_be);
    return conformance_run();
}
