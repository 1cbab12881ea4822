/*
 * Faults on request as their user meets them: inject=, several plans of it, what
 * it says of a wrong one, what came of each, and what a stop of the machine does.
 * What each fault does is tested in tests/unit/test-inject.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "sva-testdev-rig.h"

#define DEVICE  "-device sva-testdev,addr=1"
#define INJECT  DEVICE " -global smmuv3-sva.inject="

typedef struct Count {
    char *plan;
    uint64_t seen, done;
} Count;

/* What the plan with this number came to. */
static Count count_of(const Rig *r, unsigned number)
{
    QDict *answer = qtest_qmp(r->t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '" SVA_SMMU_PATH "', 'property': 'inject-counts'}}");
    QList *plans = qdict_get_qlist(answer, "return");
    const QListEntry *entry;
    Count count = { NULL };

    QLIST_FOREACH_ENTRY(plans, entry) {
        QDict *plan = qobject_to(QDict, qlist_entry_obj(entry));

        if (!number--) {
            count = (Count) {
                .plan = g_strdup(qdict_get_str(plan, "plan")),
                .seen = qdict_get_int(plan, "seen"),
                .done = qdict_get_int(plan, "done"),
            };
        }
    }
    g_assert_nonnull(count.plan);
    qobject_unref(answer);
    return count;
}

static void expect_count(const Rig *r, unsigned number, const char *plan,
                         uint64_t seen, uint64_t done)
{
    Count count = count_of(r, number);

    g_assert_cmpstr(count.plan, ==, plan);
    g_assert_cmpuint(count.seen, ==, seen);
    g_assert_cmpuint(count.done, ==, done);
    g_free(count.plan);
}

static uint64_t seen(const Rig *r, unsigned number)
{
    Count count = count_of(r, number);

    g_free(count.plan);
    return count.seen;
}

static unsigned read_page(const Rig *r)
{
    return submit(r, READ, PASID, VA);
}

/* Cached, and taken away from the tables. */
static void use_and_unmap(const Rig *r)
{
    g_assert_cmpuint(read_page(r), ==, SVA_TESTDEV_OK);
    sva_unmap(r->t, r->root, VA, PAGE);
}

/* ---- Plans ----------------------------------------------------------------- */

/* Two plans, by the short form of -global; each with its own account. */
static void test_several_plans(void)
{
    Rig r = rig_start_with(INJECT "drop:tlbi:/1,delay:atc_inv:1/2:7:3", 0,
                           false);
    uint64_t before = seen(&r, 0);

    use_and_unmap(&r);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_OK);
    expect_count(&r, 0, "drop:tlbi:/1", before + 1, before + 1);
    expect_count(&r, 1, "delay:atc_inv:1/2:7:3", 0, 0);
    done(&r);
}

static void test_none_by_default(void)
{
    Rig r = rig_start_with(DEVICE, 0, false);
    QDict *answer = qtest_qmp(r.t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '" SVA_SMMU_PATH "', 'property': 'inject-counts'}}");

    g_assert_true(qlist_empty(qdict_get_qlist(answer, "return")));
    qobject_unref(answer);
    use_and_unmap(&r);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSLATION);
    done(&r);
}

/* ---- What was found --------------------------------------------------------- */

static void expect_drops(const Rig *r, uint64_t mattered, uint64_t open,
                         uint64_t found)
{
    QDict *answer = qtest_qmp(r->t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '" SVA_SMMU_PATH "', 'property': 'inject-drops'}}");
    QDict *drops = qdict_get_qdict(answer, "return");

    g_assert_cmpint(qdict_get_int(drops, "dropped"), ==,
                    sva_counter(r->t, "injected_drops"));
    g_assert_cmpint(qdict_get_int(drops, "mattered"), ==, mattered);
    g_assert_cmpint(qdict_get_int(drops, "open"), ==, open);
    g_assert_cmpint(qdict_get_int(drops, "found"), ==, found);
    g_assert_cmpint(qdict_get_int(drops, "repaired"), ==, 0);
    g_assert_cmpint(qdict_get_int(drops, "missed"), ==, 0);
    qobject_unref(answer);
}

static void test_drops_found(void)
{
    Rig r = rig_start_with(INJECT "drop:tlbi:/1 -global smmuv3-sva.audit=on "
                           "-global smmuv3-sva.audit-syncs=2 "
                           "-global smmuv3-sva.audit-grace-ms=100", 0, false);

    expect_drops(&r, 0, 0, 0);
    use_and_unmap(&r);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    expect_drops(&r, 1, 1, 0);
    for (unsigned i = 0; i < 4; i++) {
        qtest_clock_step(r.t->qts, 50 * INT64_C(1000000));
        sva_sync(r.t);
    }
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_OK);
    expect_drops(&r, 1, 0, 1);
    done(&r);
}

/* ---- Delays ---------------------------------------------------------------- */

static void test_delay(void)
{
    Rig r = rig_start_with(INJECT "delay:tlbi:/1:2", 0, false);

    sva_sync(r.t);
    sva_sync(r.t);
    use_and_unmap(&r);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_OK);
    sva_sync(r.t);
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSLATION);
    done(&r);
}

/* Nothing is put off beyond a stop, after which the machine may be elsewhere. */
static void test_stop_ends_delays(void)
{
    Rig r = rig_start_with(INJECT "delay:tlbi:/1:1000", 0, false);

    use_and_unmap(&r);
    sva_tlbi_va(r.t, ASID, VA);
    sva_sync(r.t);
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_OK);
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'stop'}");
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'cont'}");
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSLATION);
    done(&r);
}

/* ---- Interrupts, events, answers, walks ------------------------------------- */

static bool has_irq(const Rig *r)
{
    return sva_take_irq(r->t, SVA_SMMU_INTID);
}

/* The record is there without a word; the next interrupt comes with a later one. */
static void test_drop_event_irq(void)
{
    Rig r = rig_start_with(INJECT "drop:evtq:1", 0, true);
    unsigned first;

    sva_gic_init(r.t);
    first = stall(&r);
    g_assert_false(has_irq(&r));
    resume(&r, first, false, true);
    expect_resolution(&r, SVA_TESTDEV_FAIL);
    stall(&r);
    g_assert_true(has_irq(&r));
    expect_count(&r, 0, "drop:evtq:1", 2, 1);
    done(&r);
}

static void test_delay_event_irq(void)
{
    Rig r = rig_start_with(INJECT "delay:evtq:1:1", 0, true);

    sva_gic_init(r.t);
    stall(&r);
    g_assert_false(has_irq(&r));
    sva_sync(r.t);
    g_assert_true(has_irq(&r));
    done(&r);
}

static void test_lost_and_spurious_event(void)
{
    Rig r = rig_start_with(
        INJECT "drop:event:1,spurious:event:1:C_BAD_STREAMID:0x77", 0, false);

    g_assert_cmpuint(submit(&r, READ, PASID, FAR_VA), ==, SVA_TESTDEV_ABORT);
    g_assert_true(sva_event(r.t, r.event));
    g_assert_cmphex(smmu3_get(r.event, EVENT_TYPE), ==, C_BAD_STREAMID);
    g_assert_cmphex(smmu3_get(r.event, EVENT_STREAMID), ==, 0x77);
    g_assert_cmpuint(submit(&r, READ, PASID, FAR_VA), ==, SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSLATION);
    g_assert_cmpuint(sva_counter(r.t, "injected_drops"), ==, 1);
    done(&r);
}

static void test_drop_resume(void)
{
    Rig r = rig_start_with(INJECT "drop:resume:1", 0, true);
    unsigned stag = stall(&r);

    resume(&r, stag, false, true);
    sva_sync(r.t);
    g_assert_true(dev_read(&r, SVA_TESTDEV_ANS_STATE) &
                  SVA_TESTDEV_STATE_STALLED);
    resume(&r, stag, false, true);
    expect_resolution(&r, SVA_TESTDEV_FAIL);
    done(&r);
}

static void test_abort_walk(void)
{
    Rig r = rig_start_with(INJECT "abort:walk:1:0x7f0000005000", 0, false);

    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_ABORT);
    expect_event(&r, F_WALK_EABT);
    g_assert_cmpuint(read_page(&r), ==, SVA_TESTDEV_OK);
    expect_count(&r, 0, "abort:walk:1:0x7f0000005000/4096", 2, 1);
    done(&r);
}

/* A CMD_SYNC is done, and its MSI never comes. */
static void test_drop_sync(void)
{
    Rig r = rig_start_with(INJECT "drop:sync:2", 0, false);
    uint64_t target = sva_alloc(r.t, 8, 8);
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_SYNC };

    smmu3_set(cmd, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
    smmu3_set_addr(cmd, CMD_SYNC_MSIADDR, target);
    for (unsigned i = 1; i <= 3; i++) {
        smmu3_set(cmd, CMD_SYNC_MSIDATA, i);
        sva_command(r.t, cmd[0], cmd[1]);
        wait_consumed(&r);
        g_assert_cmpuint(qtest_readl(r.t->qts, target), ==, i == 2 ? 1 : i);
    }
    done(&r);
}

/* ---- What is wrong --------------------------------------------------------- */

typedef struct WrongCase {
    const char *inject;
    const char *named;          /* the plan that is wrong */
} WrongCase;

static const WrongCase wrong[] = {
    { "drop:nothing:1", "drop:nothing:1" },
    { "drop:tlbi:0", "drop:tlbi:0" },
    { "drop:tlbi:1,delay:tlbi:1", "delay:tlbi:1" },
    { "drop:tlbi:1,", "" },
    { "spurious:event:1:F_NOTHING:8", "spurious:event:1:F_NOTHING:8" },
    { "abort:walk:1:here", "abort:walk:1:here" },
};

static void test_wrong_plans(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        const WrongCase *c = &wrong[i];
        g_autofree char *global = g_strdup_printf("smmuv3-sva.inject=%s",
                                                  c->inject);
        g_autofree char *named =
            g_strdup_printf("smmuv3-sva: cannot do '%s' of inject=%s",
                            c->named, c->inject);
        const char *argv[] = {
            g_getenv("QTEST_QEMU_BINARY"), "-M", "virt-sva", "-display",
            "none", "-S", "-global", global, NULL,
        };
        g_autofree char *said = NULL;
        int status;

        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                                   G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                                   NULL, &said, &status, NULL));
        g_test_message("%s: %s", global, said);
        g_assert_cmpint(status, !=, 0);
        g_assert_nonnull(strstr(said, named));
        g_assert_nonnull(strstr(said, "drop:WHAT:WHICH "));
        g_assert_nonnull(strstr(said, "P/Q:SEED  about P of Q"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/smmuv3-sva/inject/" path, fn)
    TEST("several-plans", test_several_plans);
    TEST("none-by-default", test_none_by_default);
    TEST("drops-found", test_drops_found);
    TEST("delay", test_delay);
    TEST("stop-ends-delays", test_stop_ends_delays);
    TEST("drop-event-irq", test_drop_event_irq);
    TEST("delay-event-irq", test_delay_event_irq);
    TEST("lost-and-spurious-event", test_lost_and_spurious_event);
    TEST("drop-resume", test_drop_resume);
    TEST("abort-walk", test_abort_walk);
    TEST("drop-sync", test_drop_sync);
    TEST("wrong-plans-say-what-is-allowed", test_wrong_plans);
#undef TEST
    return g_test_run();
}
