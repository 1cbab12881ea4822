/*
 * Page requests and stalls between an endpoint and the SMMU in QEMU, by
 * sva-testdev, and migration with all of it in flight. The rules themselves
 * are tested in tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "../unit/conformance.h"
#include "sva-qtest-state.h"
#include "sva-testdev-rig.h"

/* ---- Page requests ------------------------------------------------------ */

static void test_page_request(void)
{
    Rig r = rig_start();
    uint64_t entry[SMMU3_PRI_WORDS];

    sva_gic_init(r.t);
    send_page_request(&r, PASID, FAR_VA, 0x155 | SVA_TESTDEV_PRG_WRITE |
                                         SVA_TESTDEV_PRG_PRIV);
    send_page_request(&r, NO_PASID, VA, 0x155 | SVA_TESTDEV_PRG_READ |
                                        SVA_TESTDEV_PRG_LAST);
    g_assert_true(wait_irq(&r, SVA_SMMU_INTID + SVA_IRQ_PRIQ));
    g_assert_true(sva_page_request(r.t, entry));
    g_assert_cmphex(smmu3_get(entry, PRI_STREAMID), ==, sid(&r));
    g_assert_cmphex(smmu3_get(entry, PRI_SSV), ==, 1);
    g_assert_cmphex(smmu3_get(entry, PRI_SUBSTREAMID), ==, PASID);
    g_assert_cmphex(smmu3_get_addr(entry, PRI_ADDR), ==, FAR_VA);
    g_assert_cmphex(smmu3_get(entry, PRI_PRGINDEX), ==, 0x155);
    g_assert_cmphex(smmu3_get(entry, PRI_READ), ==, 0);
    g_assert_cmphex(smmu3_get(entry, PRI_WRITE), ==, 1);
    g_assert_cmphex(smmu3_get(entry, PRI_EXEC), ==, 0);
    g_assert_cmphex(smmu3_get(entry, PRI_PRIV), ==, 1);
    g_assert_cmphex(smmu3_get(entry, PRI_LAST), ==, 0);
    g_assert_true(sva_page_request(r.t, entry));
    g_assert_cmphex(smmu3_get(entry, PRI_SSV), ==, 0);
    g_assert_cmphex(smmu3_get(entry, PRI_READ), ==, 1);
    g_assert_cmphex(smmu3_get(entry, PRI_LAST), ==, 1);
    g_assert_false(sva_page_request(r.t, entry));
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_RESPONSES), ==, 0);
    done(&r);
}

static void test_page_responses(void)
{
    static const struct {
        unsigned resp, code;
    } rows[] = {
        { CMD_PRI_RESP_SUCCESS, PRG_SUCCESS },
        { CMD_PRI_RESP_INVALID, PRG_INVALID_REQUEST },
        { CMD_PRI_RESP_FAILURE, PRG_RESPONSE_FAILURE },
    };
    Rig r = rig_start();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        pri_resp(&r, PASID, 0x100 + i, rows[i].resp);
        expect_response(&r, 0x100 + i, rows[i].code, PASID);
        pri_resp(&r, NO_PASID, i, rows[i].resp);
        expect_response(&r, i, rows[i].code, NO_PASID);
    }
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_RESPONSES), ==, 0);
    done(&r);
}

static void test_page_request_without_queue(void)
{
    Rig r = rig_start();
    uint64_t entry[SMMU3_PRI_WORDS];

    set_cr0(&r, 0, smmu3_field_mask(CR0_PRIQEN));
    send_page_request(&r, PASID, VA, 3 | SVA_TESTDEV_PRG_READ |
                                     SVA_TESTDEV_PRG_LAST);
    expect_response(&r, 3, PRG_RESPONSE_FAILURE, NO_PASID);
    g_assert_false(sva_page_request(r.t, entry));
    done(&r);
}

static void test_page_request_overflow(void)
{
    Rig r = rig_start();
    uint64_t prod, entry[SMMU3_PRI_WORDS];

    smmu3_set(r.ste, STE_PPAR, 1);
    sva_set_ste(r.t, sid(&r), r.ste);
    for (unsigned i = 0; i < 1u << SVA_QUEUE_LOG2; i++) {
        send_page_request(&r, PASID, VA, i | SVA_TESTDEV_PRG_READ |
                                         SVA_TESTDEV_PRG_LAST);
    }
    prod = sva_read32(r.t, SMMU3_PRIQ_PROD);
    g_assert_cmphex(prod >> 31, ==, 0);
    send_page_request(&r, PASID, VA, 0x1f0 | SVA_TESTDEV_PRG_READ);
    send_page_request(&r, PASID, VA, 0x1f0 | SVA_TESTDEV_PRG_READ |
                                     SVA_TESTDEV_PRG_LAST);
    /* Whether the answer has a PASID: with PPAR=1 it does */
    expect_response(&r, 0x1f0, PRG_SUCCESS, PASID);
    smmu3_set(r.ste, STE_PPAR, 0);
    sva_set_ste(r.t, sid(&r), r.ste);
    send_page_request(&r, PASID, VA, 0x1f1 | SVA_TESTDEV_PRG_READ |
                                     SVA_TESTDEV_PRG_LAST);
    expect_response(&r, 0x1f1, PRG_SUCCESS, NO_PASID);
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_RESPONSES), ==, 0);
    g_assert_cmphex(sva_read32(r.t, SMMU3_PRIQ_PROD), ==,
                    prod | UINT32_C(1) << 31);
    g_assert_cmpuint(sva_counter(r.t, "page_requests_lost"), ==, 3);
    g_assert_true(sva_page_request(r.t, entry));
    g_assert_cmphex(smmu3_get(entry, PRI_PRGINDEX), ==, 0);
    done(&r);
}

/* ---- Stalls ------------------------------------------------------------- */

static void test_stalls_are_resolved(void)
{
    Rig r = rig_start_with("-device sva-testdev,addr=1", 0, true);

    resume(&r, stall(&r), false, true);
    expect_resolution(&r, SVA_TESTDEV_FAIL);
    resume(&r, stall(&r), false, false);
    expect_resolution(&r, SVA_TESTDEV_SKIP);
    stall(&r);
    dev_write(&r, SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_CANCEL);
    expect_resolution(&r, SVA_TESTDEV_CANCELLED);
    /* Software answers all the same, and that is no error. */
    resume(&r, smmu3_get(r.event, EVENT_STAG), true, false);
    sva_sync(r.t);
    g_assert_cmpuint(sva_counter(r.t, "stalls_outstanding"), ==, 0);
    g_assert_cmpuint(sva_counter(r.t, "stalls_cancelled"), ==, 1);

    stall(&r);
    sva_map(r.t, r.root, FAR_VA, r.page, PAGE, 0);
    resume(&r, smmu3_get(r.event, EVENT_STAG), true, false);
    expect_resolution(&r, SVA_TESTDEV_RETRY);
    expect_grant(&r, READ | MAY_STALL, PASID, FAR_VA, r.page, PAGE, R | W | X);
    done(&r);
}

/* ---- Migration ---------------------------------------------------------- */

#define DEVICE "-device sva-testdev,addr=1"

/* Every register of the SMMU, as the two pages show them. */
static GArray *read_registers(SvaQtest *t)
{
    GArray *all = g_array_new(false, false, sizeof(uint32_t));

    for (uint32_t reg = 0; reg < 0x200; reg += 4) {
        uint32_t pages[] = { sva_read32(t, reg), sva_read32(t, 0x10000 + reg) };

        g_array_append_vals(all, pages, 2);
    }
    return all;
}

/* The stopped machine goes to another process, and is left stopped there. */
static void migrate(Rig *r)
{
    r->t = sva_migrate(r->t, "virt-sva", DEVICE " -S");
}

static void test_migration_in_flight(void)
{
    Rig r = rig_start_with(DEVICE, 0, true);
    g_autoptr(GArray) before = NULL, after = NULL;
    uint64_t entry[SMMU3_PRI_WORDS], stag;
    uint64_t done_at = sva_alloc(r.t, 8, 8);
    uint64_t sync[SMMU3_CMD_WORDS] = { CMD_SYNC, 0 };

    send_page_request(&r, PASID, FAR_VA, 0x42 | SVA_TESTDEV_PRG_READ |
                                         SVA_TESTDEV_PRG_LAST);
    pri_resp(&r, PASID, 0x41, CMD_PRI_RESP_SUCCESS);
    sva_sync(r.t);
    g_assert_cmpuint(submit(&r, READ | MAY_STALL, PASID, FAR_VA), ==,
                     SVA_TESTDEV_STALL);
    /* An error that nobody has acknowledged, in another queue's bit */
    sva_write32(r.t, SMMU3_EVENTQ_IRQ_CFG1, 0x12345678);
    dev_write(&r, SVA_TESTDEV_INV_HOLD, 1);
    atc_inv(&r, NO_PASID, false, VA, 0);
    sva_command(r.t, CMD_SYNC, 0);
    sva_command(r.t, CMD_TLBI_NSNH_ALL, 0);
    smmu3_set(sync, CMD_SYNC_CS, 1);
    smmu3_set(sync, CMD_SYNC_MSIDATA, 0x600d);
    smmu3_set_addr(sync, CMD_SYNC_MSIADDR, done_at);
    sva_command(r.t, sync[0], sync[1]);
    expect_waiting(&r);

    qtest_qmp_assert_success(r.t->qts, "{'execute': 'stop'}");
    before = read_registers(r.t);
    migrate(&r);
    after = read_registers(r.t);
    g_assert_cmpmem(after->data, after->len * 4, before->data,
                    before->len * 4);
    g_assert_cmpuint(sva_counter(r.t, "stalls_outstanding"), ==, 1);
    /* The endpoint's caches are empty there: it owes nothing. */
    g_assert_cmpuint(dev_read(&r, SVA_TESTDEV_INV_ANSWER), ==, 0);
    g_assert_cmphex(qtest_readl(r.t->qts, done_at), ==, 0);
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'cont'}");

    wait_consumed(&r);
    g_assert_cmphex(qtest_readl(r.t->qts, done_at), ==, 0x600d);
    expect_response(&r, 0x41, PRG_SUCCESS, PASID);
    g_assert_true(sva_page_request(r.t, entry));
    g_assert_cmphex(smmu3_get(entry, PRI_PRGINDEX), ==, 0x42);
    g_assert_false(sva_page_request(r.t, entry));

    /* The stall of before, and the one of the access made again */
    sva_map(r.t, r.root, FAR_VA, r.page, PAGE, 0);
    expect_event(&r, F_TRANSLATION);
    stag = smmu3_get(r.event, EVENT_STAG);
    resume(&r, stag, true, false);
    for (unsigned i = 0; i < 100 && !sva_event(r.t, r.event); i++) {
        continue;
    }
    g_assert_cmphex(smmu3_get(r.event, EVENT_STALL), ==, 1);
    g_assert_cmphex(smmu3_get(r.event, EVENT_INPUT_ADDR), ==, FAR_VA);
    resume(&r, smmu3_get(r.event, EVENT_STAG), true, false);
    expect_resolution(&r, SVA_TESTDEV_RETRY);
    sva_sync(r.t);
    g_assert_cmpuint(sva_counter(r.t, "stalls_outstanding"), ==, 0);
    expect_grant(&r, READ | MAY_STALL, PASID, FAR_VA, r.page, PAGE, R | W | X);
    done(&r);
}

/*
 * The event of a device that is still at its DMA when the CPUs have stopped:
 * its interrupt was on its way when the state was saved.
 */
static void test_migration_of_an_interrupt(void)
{
    Rig r = rig_start_with(DEVICE, 0, false);

    sva_gic_init(r.t);
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'stop'}");
    g_assert_cmpuint(submit(&r, READ, PASID, FAR_VA), ==, SVA_TESTDEV_ABORT);
    g_assert_false(wait_irq(&r, SVA_SMMU_INTID));
    migrate(&r);
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'cont'}");
    g_assert_true(wait_irq(&r, SVA_SMMU_INTID));
    expect_event(&r, F_TRANSLATION);
    done(&r);
}

/* A command queue that stands still, and output queues that overflowed. */
static void test_migration_of_errors(void)
{
    Rig r = rig_start_with(DEVICE, 0, false);
    g_autoptr(GArray) before = NULL, after = NULL;
    uint64_t prod, entry[SMMU3_PRI_WORDS];
    unsigned count = 0;

    for (unsigned i = 0; i < (1u << SVA_QUEUE_LOG2) + 2; i++) {
        submit(&r, READ, PASID, FAR_VA + i * PAGE);
        send_page_request(&r, NO_PASID, VA, 5 | SVA_TESTDEV_PRG_READ);
    }
    sva_command(r.t, 0xff, 0);
    for (unsigned i = 0;
         i < 1000 && !sva_read32(r.t, SMMU3_GERROR); i++) {
        continue;
    }
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'stop'}");
    before = read_registers(r.t);
    migrate(&r);
    after = read_registers(r.t);
    g_assert_cmpmem(after->data, after->len * 4, before->data,
                    before->len * 4);
    qtest_qmp_assert_success(r.t->qts, "{'execute': 'cont'}");

    prod = sva_read32(r.t, SMMU3_EVENTQ_PROD);
    g_assert_cmphex(prod >> 31, ==, 1);
    prod = sva_read32(r.t, SMMU3_PRIQ_PROD);
    g_assert_cmphex(prod >> 31, ==, 1);
    while (sva_page_request(r.t, entry)) {
        count++;
    }
    g_assert_cmpuint(count, ==, 1u << SVA_QUEUE_LOG2);
    /* Still overflowed: what comes now is answered, as it is not the last. */
    send_page_request(&r, NO_PASID, VA, 6 | SVA_TESTDEV_PRG_READ |
                                        SVA_TESTDEV_PRG_LAST);
    expect_response(&r, 6, PRG_SUCCESS, NO_PASID);
    g_assert_cmphex(sva_read32(r.t, SMMU3_GERROR), ==,
                    smmu3_field_mask(GERROR_CMDQ));
    qtest_writeq(r.t->qts, r.t->cmdq + ((r.t->cmdq_prod - 1) &
                 ((1u << SVA_QUEUE_LOG2) - 1)) * SMMU3_CMD_BYTES, CMD_SYNC);
    sva_write32(r.t, SMMU3_GERRORN, smmu3_field_mask(GERROR_CMDQ));
    wait_consumed(&r);
    sva_stop(r.t);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define TEST(path, fn, items) \
    conformance_test("/smmuv3-sva/" path, fn, items)
    TEST("pri/request", test_page_request, "103");
    TEST("pri/responses", test_page_responses, "104");
    TEST("pri/request-without-queue", test_page_request_without_queue, "103");
    TEST("pri/overflow", test_page_request_overflow, "103");
    TEST("stall/resolutions", test_stalls_are_resolved, "92 94");
    TEST("migration/in-flight", test_migration_in_flight, "");
    TEST("migration/interrupt", test_migration_of_an_interrupt, "");
    TEST("migration/errors", test_migration_of_errors, "");
#undef TEST
    return conformance_run();
}
