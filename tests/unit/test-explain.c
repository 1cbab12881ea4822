/*
 * A translation explained: it names each structure it reads, agrees with what
 * the transaction meets, looks past the caches and changes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "two-stages.h"

static void setup(Setup *x)
{
    *x = (Setup) { .rig = rig_new() };
    rig_start(x->rig);
    pt_init(&x->s1, x->rig->host, 12, 48, false);
    pt_map(&x->s1, VA, PA, 3, PT_USER_RO & ~PT_AF);
    x->cds = fake_alloc(x->rig->host, 4096, 4096);
    cd_for(x->cd, &x->s1, 1);
    smmu3_set(x->cd, CD_HA, 1);
    ste_stage1(x->ste, x->cds, 0);
    apply(x);
}

static char *explain(Setup *x, Smmu3Transaction t)
{
    GString *text = g_string_new(NULL);

    smmu3_explain(x->rig->smmu, &t, text);
    g_test_message("%s", text->str);
    return g_string_free(text, FALSE);
}

static void expect_in(const char *text, const char *format, uint64_t value)
{
    g_autofree char *wanted = g_strdup_printf("%s0x%" G_GINT64_MODIFIER "x",
                                              format, value);

    g_assert_nonnull(strstr(text, wanted));
}

static void test_steps(void)
{
    g_autofree char *text = NULL;
    Setup x;

    setup(&x);
    text = explain(&x, dma_read(SID, VA + 0x123));
    g_assert_true(g_str_has_prefix(text, "StreamID 0x5, no SubstreamID, "));
    expect_in(text, "STE at ", rig_ste_addr(x.rig, SID));
    expect_in(text, "CD 0 at ", x.cds);
    for (int level = 0; level <= 3; level++) {
        g_autofree char *what = g_strdup_printf("level %d at ", level);

        expect_in(text, what, pt_entry(&x.s1, VA, level));
    }
    /* Whose they are, without a stage 2 nobody can tell. */
    expect_in(text, "stage 1 of ", VA + 0x123);
    expect_in(text, ", tables at ", x.s1.root);
    expect_in(text, "stage 1 gives ", PA);
    expect_in(text, "address ", PA + 0x123);
    done(&x);
}

static void test_changes_nothing(void)
{
    g_autofree char *before = NULL, *after = NULL, *text = NULL;
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    smmu3_counters_reset(x.rig->smmu);
    before = fake_digest(x.rig->host);
    text = explain(&x, dma_read(SID, VA));
    after = fake_digest(x.rig->host);
    g_assert_cmpstr(before, ==, after);         /* not even an access flag */
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->walks, ==, 0);
    g_assert_cmpuint(c->translations, ==, 0);
    g_assert_cmpuint(c->config_misses, ==, 0);
    done(&x);
}

static void test_looks_past_caches(void)
{
    g_autofree char *text = NULL;
    Smmu3Transaction t = dma_read(SID, VA);
    Smmu3Translation result;
    Setup x;

    setup(&x);
    g_assert_cmpint(smmu3_translate(x.rig->smmu, &t, &result), ==, SMMU3_OK);
    pt_map(&x.s1, VA, PA + PAGE, 3, PT_USER_RO);        /* and no TLBI */
    text = explain(&x, t);
    expect_in(text, "address ", PA + PAGE);
    g_assert_cmpint(smmu3_translate(x.rig->smmu, &t, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, PA);
    done(&x);
}

/* Each fault in its words, as in the record that a transaction gets. */
static void test_faults(void)
{
    static const struct {
        unsigned r, a, s;
        const char *words;
    } rows[] = {
        { 1, 1, 0, "F_TRANSLATION at stage 1, CLASS=IN; recorded, "
                   "abort" },
        { 0, 1, 0, "not recorded, abort" },
        { 1, 0, 0, "recorded, reads as zero" },
        { 1, 1, 1, "stalls, if the requester can wait" },
    };
    Setup x;

    setup(&x);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = NULL;

        smmu3_set(x.cd, CD_R, rows[i].r);
        smmu3_set(x.cd, CD_A, rows[i].a);
        smmu3_set(x.cd, CD_S, rows[i].s);
        apply(&x);
        text = explain(&x, dma_write(SID, 0));
        g_assert_nonnull(strstr(text, rows[i].words));
    }
    done(&x);
}

static void test_refusals(void)
{
    g_autofree char *bad_sid = NULL, *aborts = NULL, *ats = NULL;
    Smmu3Transaction t = dma_read(SID, VA);
    Setup x;

    setup(&x);
    bad_sid = explain(&x, dma_read(1000, VA));
    g_assert_nonnull(strstr(bad_sid, "C_BAD_STREAMID; recorded, abort"));
    ste_abort(x.ste);
    apply(&x);
    aborts = explain(&x, t);
    g_assert_nonnull(strstr(aborts, "(abort)"));
    g_assert_nonnull(strstr(aborts, "abort, without a record"));
    ste_stage1(x.ste, x.cds, 0);
    apply(&x);
    t.type = SMMU3_ATS_REQUEST;
    ats = explain(&x, t);
    g_assert_nonnull(strstr(ats, "F_BAD_ATS_TREQ; recorded, "
                                 "Unsupported Request"));
    done(&x);
}

static void test_nested(void)
{
    g_autofree char *text = NULL;
    Setup x;

    setup(&x);
    pt_init_stage2(&x.s2, x.rig->host, 12, 40, 1, false);
    pt_map(&x.s1, VA, IPA, 3, PT_USER_RW);
    pt_map(&x.s2, x.cds, x.cds, 3, PT_S2_RW);
    for (int level = 0; level <= 3; level++) {
        uint64_t pa = pt_entry(&x.s1, VA, level);

        pt_map(&x.s2, pa, pa, 3, PT_S2_RW);
    }
    ste_nested(x.ste, x.cds, 0, &x.s2, 1);
    apply(&x);
    text = explain(&x, dma_read(SID, VA));
    expect_in(text, "stage 2 of ", x.cds);
    expect_in(text, ", the hypervisor's tables at ", x.s2.root);
    g_assert_nonnull(strstr(text, ", VMID 1, for a CD\n"));
    g_assert_nonnull(strstr(text, ", VMID 1, for a table\n"));
    expect_in(text, "stage 1 of ", VA);
    expect_in(text, ", the guest OS's tables at IPA ", x.s1.root);
    g_assert_nonnull(strstr(text, ", ASID 1\n"));
    expect_in(text, "stage 1 gives ", IPA);
    expect_in(text, "F_TRANSLATION at stage 2, CLASS=IN, IPA ", IPA);
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn) conformance_test("/smmu3/explain/" name, fn, "")
    T("names-each-step", test_steps);
    T("changes-nothing", test_changes_nothing);
    T("looks-past-the-caches", test_looks_past_caches);
    T("faults", test_faults);
    T("refusals", test_refusals);
    T("nested", test_nested);
    return conformance_run();
}
