/*
 * pasid-dev's ATS: what its translation cache saves, when it is used, and that an
 * invalidation is complete only once nothing of before is in use. No guest
 * software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"

static const PasidDevDescriptor no_op;

static PasidDevDescriptor copy(Dev *d, uint64_t src, uint64_t dst, uint64_t len)
{
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, src), .dst = va(d, dst),
        .len = len,
    };
}

static PasidDevDescriptor probe(uint64_t at, bool write)
{
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE, .src = at, .arg = write,
    };
}

static void done(Dev *d)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    g_assert_false(sva_event(d->t, event));
    dev_stop(d);
}

/* ---- Capabilities ------------------------------------------------------- */

static void test_capabilities(void)
{
    Dev *d = process_start();
    unsigned at = ats_cap(d);

    g_assert_cmphex(at, !=, 0);
    /* Depth 0 (32), Page Aligned Request, Global Invalidate; off */
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, at + PCI_ATS_CAP, 2), ==,
                    0x60);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, at + PCI_ATS_CTRL, 2),
                    ==, 0);
    sva_config_write(d->t, 0, d->devfn, at + PCI_ATS_CTRL, 2, 0xffff);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, at + PCI_ATS_CTRL, 2),
                    ==, 0x801f);
    trigger_flr(d);
    g_assert_cmphex(sva_config_read(d->t, 0, d->devfn, at + PCI_ATS_CTRL, 2),
                    ==, 0);
    done(d);
}

static void test_off_by_property(void)
{
    Dev *d = process_start_with(",ats=off");
    Queue q;

    g_assert_cmphex(ats_cap(d), ==, 0);
    g_assert_cmphex(pri_cap(d), ==, 0);
    g_assert_cmphex(d->pasid_cap, !=, 0);
    q = queue_open(d, 0, 2, PASID(THE_PASID));
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    g_assert_cmpuint(ats_counts(d).requests, ==, 0);
    done(d);
}

/* ---- Use ---------------------------------------------------------------- */

static void test_operation(gconstpointer data)
{
    Bench b = { .d = ats_start("") };

    b.q = queue_open(b.d, 0, 3, PASID(THE_PASID));
    operation_tests[GPOINTER_TO_UINT(data)].run(&b);
    assert_nothing_left(&b);
    g_assert_cmpuint(ats_counts(b.d).requests, >, 0);
    g_assert_cmpuint(sva_counter(b.d->t, "ats_requests"), ==,
                     ats_counts(b.d).requests);
    done(b.d);
}

static void test_not_used_until_enabled(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));

    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 0);
    g_assert_cmpuint(sva_counter(d->t, "ats_requests"), ==, 0);
    ats_control(d, true);
    run(&q, no_op);
    /* The ring's page and the records' */
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    g_assert_cmpuint(sva_counter(d->t, "ats_requests"), ==, 2);
    ats_control(d, false);
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    g_assert_cmpuint(ats_counts(d).hits, ==, 0);
    /* And it has forgotten them. */
    ats_control(d, true);
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 4);
    done(d);
}

/* What is cached is not asked for again, nor looked up by the SMMU. */
static void test_hits(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));
    uint64_t walks;

    run(&q, no_op);
    walks = sva_counter(d->t, "walks");
    for (unsigned i = 0; i < 10; i++) {
        run(&q, no_op);
    }
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    g_assert_cmpuint(ats_counts(d).hits, ==, 20);
    g_assert_cmpuint(sva_counter(d->t, "walks"), ==, walks);
    done(d);
}

/* A set of one entry: two pages in turn drive each other out. */
static void test_size_is_a_property(void)
{
    Dev *d = ats_start(",atc-entries=1,atc-ways=1");
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));

    for (unsigned i = 0; i < 5; i++) {
        run(&q, no_op);
    }
    g_assert_cmpuint(ats_counts(d).requests, ==, 10);
    g_assert_cmpuint(ats_counts(d).hits, ==, 0);
    done(d);
}

/* No Write: what was asked for to read does not serve a write. */
static void test_write_asks_anew(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));
    uint64_t ro = sva_alloc(d->t, PAGE, PAGE), rw = process_alloc(d, PAGE);
    AtsCounts before;

    sva_map(d->t, d->root, va(d, ro), ro, PAGE, SVA_MAP_RO);
    assert_completion(run(&q, probe(va(d, rw), false)), PASID_DEV_DONE_OK, rw,
                      0, 0);
    assert_completion(run(&q, probe(va(d, rw), true)), PASID_DEV_DONE_OK, rw,
                      0, 0);
    assert_completion(run(&q, probe(va(d, ro), false)), PASID_DEV_DONE_OK, ro,
                      0, 0);
    before = ats_counts(d);
    assert_completion(run(&q, probe(va(d, ro), false)), PASID_DEV_DONE_OK, ro,
                      0, 0);
    g_assert_cmpuint(ats_counts(d).requests, ==, before.requests);
    done(d);
}

/*
 * A page that is read-only, and cached as such: the write is asked for, then made
 * untranslated.
 */
static void test_no_right_falls_back(void)
{
    Dev *d = ats_start(",can-stall=off");
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));
    uint64_t ro = sva_alloc(d->t, PAGE, PAGE);
    uint64_t event[SMMU3_EVENT_WORDS], requests;

    sva_map(d->t, d->root, va(d, ro), ro, PAGE, SVA_MAP_RO);
    run(&q, probe(va(d, ro), false));
    requests = ats_counts(d).requests;
    assert_completion(run(&q, probe(va(d, ro), true)),
                      PASID_DEV_DONE_FAULT_WRITE, 0, 0, va(d, ro));
    g_assert_cmpuint(ats_counts(d).requests, ==, requests + 1);
    g_assert_true(sva_event(d->t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_PERMISSION);
    g_assert_cmpuint(smmu3_get(event, EVENT_STALL), ==, 0);
    done(d);
}

/* Without page requests a page that is missing stalls, as without ATS. */
static void test_missing_page_stalls(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t src = process_alloc(d, PAGE), dst = process_alloc(d, PAGE);
    unsigned index;
    uint16_t stag;

    fill_pattern(d, src, PAGE);
    ats_unmap(d, dst, PAGE);
    index = submit(&q, copy(d, src, dst, PAGE));
    stag = expect_stall(&q, va(d, dst), true);
    map(d, dst, PAGE);
    resume(d, stag, RETRY);
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, 0, PAGE, 0);
    assert_bytes(d, dst, PAGE, pattern_byte);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_STALLS), ==, 1);
    done(d);
}

/* Without PASID, in CD 0 */
static void test_without_pasid(void)
{
    Dev *d = ats_start("");
    uint64_t cd[SMMU3_CD_WORDS];
    Queue q;

    sva_cd_for(cd, d->root, 1, true);
    sva_set_cd(d->t, d->devfn, d->cds, 0, cd);
    q = queue_open(d, 0, 2, NO_PASID);
    run(&q, no_op);
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    g_assert_cmpuint(ats_counts(d).hits, ==, 2);
    done(d);
}

/* EATS is 0: "Unsupported Request", and the access goes untranslated. */
static void test_unsupported_request(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t ste[SMMU3_STE_WORDS] = { 0 }, event[SMMU3_EVENT_WORDS];

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, d->cds);
    smmu3_set(ste, STE_S1CDMAX, CD_LOG2);
    sva_set_ste(d->t, d->devfn, ste);
    g_assert_cmpuint(run(&q, no_op).status, ==, PASID_DEV_DONE_OK);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(sva_event(d->t, event));
        g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_BAD_ATS_TREQ);
    }
    done(d);
}

/* The STE is invalid: "Completer Abort", and that is the end of it. */
static void test_completer_abort(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    sva_set_ste(d->t, d->devfn, ste);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(d, q.ring));
    done(d);
}

/* What the SMMU is told to check it refuses, cached or not. */
static void test_translated_is_checked(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t ste[SMMU3_STE_WORDS] = { 0 }, event[SMMU3_EVENT_WORDS];
    uint32_t cr0 = sva_read32(d->t, SMMU3_CR0);

    sva_write32(d->t, SMMU3_CR0, cr0 | smmu3_field_mask(CR0_ATSCHK));
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, d->cds);
    smmu3_set(ste, STE_S1CDMAX, CD_LOG2);
    sva_set_ste(d->t, d->devfn, ste);
    submit(&q, no_op);
    assert_queue_error(&q, PASID_DEV_Q_ERROR_RING,
                       va(d, q.ring) + sizeof(PasidDevDescriptor));
    g_assert_true(sva_event(d->t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSL_FORBIDDEN);
    done(d);
}

static void test_behind_root_port(void)
{
    Dev *d = process_start_behind_port();
    Queue q;

    ats_control(d, true);
    q = queue_open(d, 0, 2, PASID(THE_PASID));
    run(&q, no_op);
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    g_assert_cmpuint(ats_counts(d).hits, ==, 2);
    atc_invalidate(d, THE_PASID, false, 0, CMD_ATC_SIZE_ALL);
    sva_sync(d->t);
    g_assert_cmpuint(ats_counts(d).invalidations, ==, 1);
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 4);
    done(d);
}

/* ---- Invalidation ------------------------------------------------------- */

/*
 * TLBI alone leaves the cache as it is: the device reads the old page. After
 * ATC_INV and CMD_SYNC it reads the new one.
 */
static void test_invalidation_by_page(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));
    uint64_t page = process_alloc(d, PAGE), other = process_alloc(d, PAGE);
    uint64_t at = va(d, page);

    run(&q, probe(at, true));
    run(&q, probe(va(d, other), true));
    sva_map(d->t, d->root, at, other, PAGE, 0);
    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(d->t);
    g_assert_cmphex(run(&q, probe(at, true)).result, ==, page);

    atc_invalidate(d, THE_PASID, false, at, 0);
    sva_sync(d->t);
    g_assert_cmphex(run(&q, probe(at, true)).result, ==, other);
    g_assert_cmpuint(ats_counts(d).invalidations, ==, 1);
    /* ring, records, the two, and one again */
    g_assert_cmpuint(ats_counts(d).requests, ==, 5);
    done(d);
}

/* Of which PASID and what range: the entries of others stay. */
static void test_invalidation_by_kind(void)
{
    static const struct {
        const char *what;
        int pasid;
        bool global;
        unsigned size;
        bool hits;
    } cases[] = {
        { "everything of the PASID", THE_PASID, false, CMD_ATC_SIZE_ALL, true },
        { "everything of another", THE_PASID + 1, false, CMD_ATC_SIZE_ALL,
          false },
        { "global", THE_PASID + 1, true, CMD_ATC_SIZE_ALL, true },
        { "without PASID", -1, false, CMD_ATC_SIZE_ALL, true },
        { "one page, another", THE_PASID, false, 0, false },
    };
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 6, PASID(THE_PASID));
    uint64_t requests;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        run(&q, no_op);
        requests = ats_counts(d).requests;
        atc_invalidate(d, cases[i].pasid, cases[i].global, 0, cases[i].size);
        sva_sync(d->t);
        run(&q, no_op);
        g_test_message("%s", cases[i].what);
        g_assert_cmpuint(ats_counts(d).requests - requests, ==,
                         cases[i].hits ? 2 : 0);
    }
    done(d);
}

/* The SMMU times out on nobody who does not cache. */
static void test_invalidation_while_disabled(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    uint64_t cons;

    run(&q, no_op);
    ats_control(d, false);
    atc_invalidate(d, -1, false, 0, CMD_ATC_SIZE_ALL);
    sva_sync(d->t);
    cons = sva_read32(d->t, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==, 0);
    done(d);
}

/*
 * The device's own write makes the SMMU execute ATC_INV and CMD_SYNC. The answer
 * comes after the access, as the trace says, and so does the CMD_SYNC's end.
 */
static void test_invalidation_from_within(void)
{
    g_autofree char *file = NULL, *properties = NULL, *trace = NULL;
    uint64_t doorbell = SVA_SMMU + SMMU3_CMDQ_PROD, src;
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_ATC_INV, CMD_ATC_SIZE_ALL };
    unsigned index;
    Queue q;
    Dev *d;

    close(g_file_open_tmp("pasid-dev-ats-XXXXXX", &file, NULL));
    properties = g_strdup_printf(" -d trace:sva_atc_invalidate -D %s", file);
    d = ats_start(properties);
    q = queue_open(d, 0, 2, PASID(THE_PASID));
    src = process_alloc(d, PAGE);
    sva_map(d->t, d->root, doorbell & -PAGE, doorbell & -PAGE, PAGE, 0);
    run(&q, no_op);
    smmu3_set(command, CMD_STREAMID, d->devfn);
    sva_command_prepare(d->t, command[0], command[1]);
    sva_command_prepare(d->t, CMD_SYNC, 0);
    qtest_writel(d->t->qts, src, d->t->cmdq_prod);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, src), .dst = doorbell,
        .len = 4 });
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, 0, 4, 0);
    WAIT_FOR((sva_read32(d->t, SMMU3_CMDQ_CONS) &
              ((2u << SVA_QUEUE_LOG2) - 1)) == d->t->cmdq_prod);
    g_assert_cmpuint(ats_counts(d).invalidations, ==, 1);
    g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BOUNCED), ==, 4);
    done(d);
    g_assert_true(g_file_get_contents(file, &trace, NULL, NULL));
    g_assert_nonnull(strstr(trace, "answered later: 1"));
    unlink(file);
}

/* ---- What flushes it ---------------------------------------------------- */

static void test_pasid_enable_flushes(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));

    run(&q, no_op);
    sva_config_write(d->t, 0, d->devfn, d->pasid_cap + PCI_PASID_CTRL, 2, 0);
    enable_pasids(d);
    run(&q, no_op);
    g_assert_cmpuint(ats_counts(d).requests, ==, 4);
    done(d);
}

static void test_flr_flushes(void)
{
    Dev *d = ats_start("");
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));

    run(&q, no_op);
    trigger_flr(d);
    restore_function(d);
    enable_pasids(d);
    ats_control(d, true);
    queue_program(&q, PASID(THE_PASID));
    assert_queue_works(&q);
    g_assert_cmpuint(ats_counts(d).requests, ==, 2);
    g_assert_cmpuint(ats_counts(d).hits, ==, 0);
    done(d);
}

/*
 * What the function forgot when its ATS was disabled, and enabled again, needs no
 * invalidation, and the SMMU's auditor knows; of what it has it asks for one.
 */
static void test_auditor_hears_of_a_flush(void)
{
    for (unsigned flush = 0; flush < 2; flush++) {
        Dev *d = ats_start(" -global smmuv3-sva.audit=on"
                           " -global smmuv3-sva.audit-syncs=2"
                           " -global smmuv3-sva.audit-grace-ms=100");
        Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
        uint64_t page = process_alloc(d, PAGE);
        uint64_t other = process_alloc(d, PAGE);

        run(&q, probe(va(d, page), true));
        unmap(d, page, PAGE);
        if (flush) {
            ats_control(d, false);
            ats_control(d, true);
        }
        for (unsigned i = 0; i < 4; i++) {
            qtest_clock_step(d->t->qts, 50 * 1000 * 1000);
            sva_sync(d->t);
        }
        g_assert_cmpuint(sva_counter(d->t, "audit_reports"), ==, 0);
        run(&q, probe(va(d, other), true));
        sva_sync(d->t);
        g_assert_cmpuint(sva_counter(d->t, "audit_reports"), ==, !flush);
        done(d);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pasid-dev/ats/capabilities", test_capabilities);
    qtest_add_func("/pasid-dev/ats/off-by-property", test_off_by_property);
    qtest_add_func("/pasid-dev/ats/not-used-until-enabled",
                   test_not_used_until_enabled);
    qtest_add_func("/pasid-dev/ats/hits", test_hits);
    qtest_add_func("/pasid-dev/ats/size-is-a-property",
                   test_size_is_a_property);
    qtest_add_func("/pasid-dev/ats/write-asks-anew", test_write_asks_anew);
    qtest_add_func("/pasid-dev/ats/no-right-falls-back",
                   test_no_right_falls_back);
    qtest_add_func("/pasid-dev/ats/missing-page-stalls",
                   test_missing_page_stalls);
    qtest_add_func("/pasid-dev/ats/without-pasid", test_without_pasid);
    qtest_add_func("/pasid-dev/ats/unsupported-request",
                   test_unsupported_request);
    qtest_add_func("/pasid-dev/ats/completer-abort", test_completer_abort);
    qtest_add_func("/pasid-dev/ats/translated-is-checked",
                   test_translated_is_checked);
    qtest_add_func("/pasid-dev/ats/behind-root-port", test_behind_root_port);
    qtest_add_func("/pasid-dev/ats/invalidation/by-page",
                   test_invalidation_by_page);
    qtest_add_func("/pasid-dev/ats/invalidation/by-kind",
                   test_invalidation_by_kind);
    qtest_add_func("/pasid-dev/ats/invalidation/while-disabled",
                   test_invalidation_while_disabled);
    qtest_add_func("/pasid-dev/ats/invalidation/auditor-hears-of-a-flush",
                   test_auditor_hears_of_a_flush);
    qtest_add_func("/pasid-dev/ats/invalidation/from-within",
                   test_invalidation_from_within);
    qtest_add_func("/pasid-dev/ats/flush/pasid-enable",
                   test_pasid_enable_flushes);
    qtest_add_func("/pasid-dev/ats/flush/flr", test_flr_flushes);
    add_operations("ats", test_operation);
    return g_test_run();
}
