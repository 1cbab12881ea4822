/*
 * ATS between an endpoint and the SMMU in QEMU, by sva-testdev: requests,
 * invalidations, notifiers. The rules themselves are tested in tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "../unit/conformance.h"
#include "sva-testdev-rig.h"

/* ---- Requests ---------------------------------------------------------- */

static void test_capabilities(void)
{
    Rig r = rig_start();

    g_assert_cmpuint(sva_find_ecap(r.t, 0, r.devfn, PCI_EXT_CAP_ID_ATS), >, 0);
    g_assert_cmpuint(sva_find_ecap(r.t, 0, r.devfn, PCI_EXT_CAP_ID_PRI), >, 0);
    g_assert_cmpuint(sva_find_ecap(r.t, 0, r.devfn, PCI_EXT_CAP_ID_PASID), >,
                     0);
    g_assert_cmphex(dev_read(&r, SVA_TESTDEV_MAGIC), ==,
                    SVA_TESTDEV_MAGIC_VALUE);
    done(&r);
}

static void test_request_is_answered(void)
{
    Rig r = rig_start();
    uint64_t ro = sva_alloc(r.t, PAGE, PAGE), priv = sva_alloc(r.t, PAGE, PAGE);

    sva_map(r.t, r.root, VA + PAGE, ro, PAGE, SVA_MAP_RO);
    sva_map(r.t, r.root, VA + 2 * PAGE, priv, PAGE, SVA_MAP_PRIV);
    expect_grant(&r, ATS | READ | WRITE, NO_PASID, VA, r.page, PAGE, R | W);
    expect_grant(&r, ATS | READ, PASID, VA + 0x123, r.page + 0x123,
                 PAGE - 0x123, R | W);
    expect_grant(&r, ATS | READ | WRITE, PASID, VA + PAGE, ro, PAGE, R);
    expect_grant(&r, ATS | READ | SVA_TESTDEV_REQ_EXEC, PASID, VA + PAGE, ro,
                 PAGE, R | X);
    /* Privileged Mode goes with a PASID only */
    expect_grant(&r, ATS | READ | SVA_TESTDEV_REQ_PRIV, PASID, VA + 2 * PAGE,
                 priv, PAGE, R | W);
    expect_grant(&r, ATS | READ | SVA_TESTDEV_REQ_PRIV, NO_PASID,
                 VA + 2 * PAGE, 0, PAGE, 0);
    g_assert_cmpuint(sva_counter(r.t, "ats_requests"), ==, 6);
    done(&r);
}

static void test_request_of_what_is_not_mapped(void)
{
    Rig r = rig_start_with("-device sva-testdev,addr=1", 0, true);

    expect_grant(&r, ATS | READ | WRITE | MAY_STALL, PASID, FAR_VA, 0, PAGE,
                 0);
    g_assert_cmpuint(sva_counter(r.t, "stalls"), ==, 0);
    done(&r);
}

static void test_request_without_eats(void)
{
    Rig r = rig_start();

    set_eats(&r, STE_EATS_NONE);
    g_assert_cmpuint(submit(&r, ATS | READ | SVA_TESTDEV_REQ_PRIV, PASID, VA),
                     ==, SVA_TESTDEV_UR);
    expect_event(&r, F_BAD_ATS_TREQ);
    g_assert_cmphex(smmu3_get(r.event, EVENT_SSV), ==, 1);
    g_assert_cmphex(smmu3_get(r.event, EVENT_SUBSTREAMID), ==, PASID);
    g_assert_cmphex(smmu3_get(r.event, EVENT_INPUT_ADDR), ==, VA);
    g_assert_cmphex(smmu3_get(r.event, EVENT_TREQ_R), ==, 1);
    g_assert_cmphex(smmu3_get(r.event, EVENT_TREQ_W), ==, 0);
    g_assert_cmphex(smmu3_get(r.event, EVENT_TREQ_P), ==, 1);
    done(&r);
}

static void test_request_of_a_bad_stream(void)
{
    Rig r = rig_start();

    smmu3_set(r.ste, STE_V, 0);
    sva_set_ste(r.t, sid(&r), r.ste);
    g_assert_cmpuint(submit(&r, ATS | READ, PASID, VA), ==, SVA_TESTDEV_CA);
    /* not recorded: CR2.REC_CFG_ATS is 0 */
    done(&r);
}

static void test_translated(void)
{
    Rig r = rig_start();

    set_eats(&r, STE_EATS_NONE);
    g_assert_cmpuint(submit(&r, TRANSLATED | WRITE, NO_PASID, r.page + 8), ==,
                     SVA_TESTDEV_OK);
    g_assert_cmphex(dev_read(&r, SVA_TESTDEV_ANS_PA), ==, r.page + 8);

    set_cr0(&r, smmu3_field_mask(CR0_ATSCHK), 0);
    g_assert_cmpuint(submit(&r, TRANSLATED | WRITE, NO_PASID, r.page + 8), ==,
                     SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSL_FORBIDDEN);
    g_assert_cmphex(smmu3_get(r.event, EVENT_INPUT_ADDR), ==, r.page + 8);
    g_assert_cmphex(smmu3_get(r.event, EVENT_RNW), ==, 0);
    g_assert_cmphex(smmu3_get(r.event, EVENT_SSV), ==, 0);

    set_eats(&r, STE_EATS_FULL);
    g_assert_cmpuint(submit(&r, TRANSLATED | WRITE, NO_PASID, r.page + 8), ==,
                     SVA_TESTDEV_OK);
    g_assert_cmphex(dev_read(&r, SVA_TESTDEV_ANS_PA), ==, r.page + 8);
    done(&r);
}

static void test_disabled_smmu_refuses(void)
{
    Rig r = rig_start();

    set_cr0(&r, 0, smmu3_field_mask(CR0_SMMUEN));
    g_assert_cmpuint(submit(&r, ATS | READ, NO_PASID, VA), ==, SVA_TESTDEV_UR);
    expect_event(&r, F_BAD_ATS_TREQ);
    g_assert_cmpuint(submit(&r, TRANSLATED | READ, NO_PASID, r.page), ==,
                     SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSL_FORBIDDEN);
    done(&r);
}

/*
 * Stage 2 with blocks of 1 GiB: RAM at its own addresses, and once more from
 * 2 GiB on, where stage 1 points to.
 */
static void nest(Rig *r)
{
    uint64_t s2 = sva_table(r->t);

    for (unsigned gib = 1; gib <= 2; gib++) {
        uint64_t block = GIB;

        smmu3_set(&block, TTD_VALID, 1);
        smmu3_set(&block, TTD_S2MEMATTR, 0xf);
        smmu3_set(&block, TTD_S2AP_READ, 1);
        smmu3_set(&block, TTD_S2AP_WRITE, 1);
        smmu3_set(&block, TTD_SH, 3);
        smmu3_set(&block, TTD_AF, 1);
        qtest_writeq(r->t->qts, s2 + gib * 8, block);
    }
    smmu3_set(r->ste, STE_CONFIG, STE_CONFIG_NESTED);
    smmu3_set(r->ste, STE_S2VMID, 3);
    smmu3_set(r->ste, STE_S2T0SZ, 64 - 39);
    smmu3_set(r->ste, STE_S2SL0, 1);
    smmu3_set(r->ste, STE_S2TG, STE_S2TG_4K);
    smmu3_set(r->ste, STE_S2PS, 5);
    smmu3_set(r->ste, STE_S2AA64, 1);
    smmu3_set(r->ste, STE_S2R, 1);
    smmu3_set_addr(r->ste, STE_S2TTB, s2);
    sva_map(r->t, r->root, VA, r->page + GIB, PAGE, 0);
}

static void test_split_stages(void)
{
    Rig r = rig_start();

    set_cr0(&r, smmu3_field_mask(CR0_ATSCHK), 0);
    nest(&r);
    set_eats(&r, STE_EATS_SPLIT);
    expect_grant(&r, ATS | READ | WRITE, PASID, VA + 4, r.page + GIB + 4,
                 PAGE - 4, R | W);
    g_assert_cmpuint(submit(&r, TRANSLATED | WRITE, NO_PASID,
                            r.page + GIB + 4), ==, SVA_TESTDEV_OK);
    g_assert_cmphex(dev_read(&r, SVA_TESTDEV_ANS_PA), ==, r.page + 4);

    g_assert_cmpuint(submit(&r, TRANSLATED | READ, NO_PASID, 3 * GIB), ==,
                     SVA_TESTDEV_ABORT);
    expect_event(&r, F_TRANSLATION);
    g_assert_cmphex(smmu3_get(r.event, EVENT_S2), ==, 1);
    g_assert_cmphex(smmu3_get_addr(r.event, EVENT_IPA), ==, 3 * GIB);

    /* Full: the request gets the PA */
    set_eats(&r, STE_EATS_FULL);
    expect_grant(&r, ATS | READ | WRITE, PASID, VA + 4, r.page + 4, PAGE - 4,
                 R | W);
    done(&r);
}

static void test_split_stages_need_atschk(void)
{
    Rig r = rig_start();

    nest(&r);
    set_eats(&r, STE_EATS_SPLIT);
    g_assert_cmpuint(submit(&r, ATS | READ, PASID, VA), ==, SVA_TESTDEV_UR);
    expect_event(&r, F_BAD_ATS_TREQ);
    done(&r);
}

/*
 * What a monitor sees of two stages, ATS or not: a walk of either for what is new,
 * and for what stage 2 was asked. All of it is in one block of stage 2.
 */
static void test_nested_counters(void)
{
    Rig r = rig_start();

    nest(&r);
    set_eats(&r, STE_EATS_FULL);
    sva_counters_reset(r.t);
    g_assert_cmpuint(submit(&r, READ, PASID, VA), ==, SVA_TESTDEV_OK);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(sva_counter(r.t, "walks"), ==, 3);
        g_assert_cmpuint(sva_counter(r.t, "nested_walks"), ==, 1);
        g_assert_cmpuint(sva_counter(r.t, "stage2_walks"), ==, 2);
        g_assert_cmpuint(sva_counter(r.t, "stage2_lookups_cd"), ==, 1);
        g_assert_cmpuint(sva_counter(r.t, "stage2_lookups_tt"), ==, 4);
        g_assert_cmpuint(sva_counter(r.t, "stage2_lookups_in"), ==, 1);
        /* From the caches alone */
        g_assert_cmpuint(submit(&r, READ, PASID, VA), ==, SVA_TESTDEV_OK);
    }
    g_assert_cmpuint(submit(&r, ATS | READ, PASID, VA), ==, SVA_TESTDEV_OK);
    g_assert_cmpuint(sva_counter(r.t, "tlb_hits"), ==, 3);
    g_assert_cmpuint(sva_counter(r.t, "stage2_lookups_in"), ==, 1);
    sva_counters_reset(r.t);
    g_assert_cmpuint(sva_counter(r.t, "stage2_lookups_in"), ==, 0);
    done(&r);
}

/* ---- ATC invalidations -------------------------------------------------- */

static void test_invalidation_says_what(void)
{
    static const struct {
        int pasid;
        bool global;
        uint64_t addr;
        unsigned size;
        uint64_t first, last;
        uint64_t info;
    } rows[] = {
        { NO_PASID, false, 0x5000, 0, 0x5000, 0x5fff, 0 },
        { PASID, false, 0x7000, 1, 0x6000, 0x7fff,
          SVA_TESTDEV_INFO_HAS_PASID | PASID },
        { PASID, true, VA, 9, VA & ~UINT64_C(0x1fffff), VA | 0x1fffff,
          SVA_TESTDEV_INFO_HAS_PASID | PASID | SVA_TESTDEV_INFO_GLOBAL },
        { NO_PASID, false, VA, CMD_ATC_SIZE_ALL, 0, UINT64_MAX, 0 },
        { 0xfffff, false, 0, CMD_ATC_SIZE_ALL - 1, 0, INT64_MAX,
          SVA_TESTDEV_INFO_HAS_PASID | 0xfffff },
    };
    Rig r = rig_start();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        atc_inv(&r, rows[i].pasid, rows[i].global, rows[i].addr,
                rows[i].size);
        sva_sync(r.t);
        g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_INVALIDATIONS), ==, 1);
        expect_range(&r, SVA_TESTDEV_INVALIDATIONS, rows[i].first,
                     rows[i].last, rows[i].info);
    }
    done(&r);
}

static void test_sync_waits_for_the_answers(void)
{
    Rig r = rig_start();

    dev_write(&r, SVA_TESTDEV_INV_HOLD, 1);
    atc_inv(&r, NO_PASID, false, 0x1000, 0);
    atc_inv(&r, PASID, false, 0x2000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    g_assert_cmpuint(dev_read(&r, SVA_TESTDEV_INV_ANSWER), ==, 2);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, 1);
    expect_waiting(&r);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, 1);
    wait_consumed(&r);
    /* More answers than are owed mean nothing. */
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, UINT32_MAX);
    g_assert_cmpuint(dev_read(&r, SVA_TESTDEV_INV_ANSWER), ==, 0);
    g_assert_cmphex(sva_read32(r.t, SMMU3_GERROR), ==, 0);
    done(&r);
}

static void expect_atc_error(const Rig *r)
{
    uint64_t cons = sva_read32(r->t, SMMU3_CMDQ_CONS);

    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==, CERROR_ATC_INV_SYNC);
    g_assert_cmphex(sva_read32(r->t, SMMU3_GERROR), ==,
                    smmu3_field_mask(GERROR_CMDQ));
    g_assert_true(sva_take_irq(r->t, SVA_SMMU_INTID + SVA_IRQ_GERROR));
}

static void test_timeout_and_restart(void)
{
    Rig r = rig_start();

    sva_gic_init(r.t);
    dev_write(&r, SVA_TESTDEV_INV_HOLD, 1);
    atc_inv(&r, NO_PASID, false, 0x1000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    qtest_clock_step(r.t->qts, 900 * 1000 * 1000);
    expect_waiting(&r);
    g_assert_cmphex(sva_read32(r.t, SMMU3_GERROR), ==, 0);
    qtest_clock_step(r.t->qts, 200 * 1000 * 1000);
    expect_atc_error(&r);
    /* The queue stays where it is until the error is acknowledged. */
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    sva_write32(r.t, SMMU3_GERRORN, smmu3_field_mask(GERROR_CMDQ));
    wait_consumed(&r);

    /* An answer that comes late is not one to the next invalidation. */
    atc_inv(&r, NO_PASID, false, 0x2000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    g_assert_cmpuint(dev_read(&r, SVA_TESTDEV_INV_ANSWER), ==, 2);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, 1);
    expect_waiting(&r);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, 1);
    wait_consumed(&r);
    done(&r);
}

/* Each answer is to one invalidation: not to the oldest, and not twice. */
static void test_answers_out_of_order(void)
{
    Rig r = rig_start();

    sva_gic_init(r.t);
    dev_write(&r, SVA_TESTDEV_INV_HOLD, 1);
    atc_inv(&r, NO_PASID, false, 0x1000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    qtest_clock_step(r.t->qts, INT64_C(1100000000));
    expect_atc_error(&r);
    sva_write32(r.t, SMMU3_GERRORN, smmu3_field_mask(GERROR_CMDQ));
    wait_consumed(&r);

    /* Software has given up the first; the second's answer overtakes it. */
    atc_inv(&r, NO_PASID, false, 0x2000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    g_assert_cmpuint(dev_read(&r, SVA_TESTDEV_INV_ANSWER), ==, 2);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, SVA_TESTDEV_ANSWER_NEWEST | 1);
    wait_consumed(&r);

    atc_inv(&r, NO_PASID, false, 0x3000, 0);
    atc_inv(&r, NO_PASID, false, 0x4000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, SVA_TESTDEV_ANSWER_NEWEST | 1);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, SVA_TESTDEV_ANSWER_AGAIN);
    expect_waiting(&r);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, 1);       /* the first, still */
    expect_waiting(&r);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, 1);
    wait_consumed(&r);
    done(&r);
}

static void test_reset_while_owing(void)
{
    Rig r = rig_start();
    unsigned cap = sva_find_cap(r.t, 0, r.devfn, PCI_CAP_ID_EXP);

    dev_write(&r, SVA_TESTDEV_INV_HOLD, 1);
    atc_inv(&r, NO_PASID, false, 0x1000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    sva_config_write(r.t, 0, r.devfn, cap + PCI_EXP_DEVCTL, 2,
                     PCI_EXP_DEVCTL_BCR_FLR);
    wait_consumed(&r);
    done(&r);
}

/* The endpoint goes: what it owed is done, and nobody answers any more. */
static void test_unplug_while_owing(void)
{
    Rig r = rig_start_with("-device pcie-root-port,id=rp,addr=2,chassis=1 "
                           "-device sva-testdev,bus=rp,notify-unmap=on", 1,
                           true);
    unsigned cap = sva_find_cap(r.t, 0, 2 << 3, PCI_CAP_ID_EXP);

    sva_gic_init(r.t);
    dev_write(&r, SVA_TESTDEV_INV_HOLD, 1);
    g_assert_cmpuint(submit(&r, READ | MAY_STALL, PASID, FAR_VA), ==,
                     SVA_TESTDEV_STALL);
    expect_event(&r, F_TRANSLATION);
    atc_inv(&r, NO_PASID, false, 0x1000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    sva_config_write(r.t, 0, 2 << 3, cap + PCI_EXP_SLTCTL, 2,
                     PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF);
    qtest_qmp_eventwait(r.t->qts, "DEVICE_DELETED");
    wait_consumed(&r);
    g_assert_cmpuint(sva_counter(r.t, "stalls_cancelled"), ==, 1);

    /* Who listened to it is gone; and so is who would answer. */
    sva_command(r.t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(r.t);
    atc_inv(&r, NO_PASID, false, 0x1000, 0);
    sva_command(r.t, CMD_SYNC, 0);
    expect_waiting(&r);
    qtest_clock_step(r.t->qts, INT64_C(1100000000));
    expect_atc_error(&r);
    done(&r);
}

/* ---- Notifiers ---------------------------------------------------------- */

/* Everything comes in two halves: a length of 2^64 would not be one. */
static void expect_all_notified(const Rig *r, uint64_t info)
{
    g_assert_cmpuint(fifo_count(r, SVA_TESTDEV_NOTIFICATIONS), ==, 2);
    expect_range(r, SVA_TESTDEV_NOTIFICATIONS, 0, INT64_MAX, info);
    expect_range(r, SVA_TESTDEV_NOTIFICATIONS, UINT64_C(1) << 63, UINT64_MAX,
                 info);
}

static void forget_notifications(const Rig *r)
{
    while (fifo_count(r, SVA_TESTDEV_NOTIFICATIONS)) {
        fifo_take(r, SVA_TESTDEV_NOTIFICATIONS);
    }
}

static void test_tlb_invalidations_are_notified(void)
{
    static const uint64_t of_all[] = {
        CMD_TLBI_NH_ALL, CMD_TLBI_NH_ASID, CMD_TLBI_S12_VMALL,
        CMD_TLBI_S2_IPA, CMD_TLBI_NSNH_ALL,
    };
    Rig r = rig_start_with("-device sva-testdev,addr=1,notify-unmap=on", 0,
                           false);
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA, 0 };

    forget_notifications(&r);
    smmu3_set(command, CMD_ASID, ASID);
    smmu3_set_addr(command, CMD_ADDR, VA);
    sva_command(r.t, command[0], command[1]);
    sva_sync(r.t);
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_NOTIFICATIONS), ==, 1);
    expect_range(&r, SVA_TESTDEV_NOTIFICATIONS, VA, VA + PAGE - 1, 0);

    /* 3 * 2^4 pages of 4 KiB */
    smmu3_set(command, CMD_TLBI_NUM, 2);
    smmu3_set(command, CMD_TLBI_SCALE, 4);
    smmu3_set(command, CMD_TLBI_TG, 1);
    sva_command(r.t, command[0], command[1]);
    sva_sync(r.t);
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_NOTIFICATIONS), ==, 1);
    expect_range(&r, SVA_TESTDEV_NOTIFICATIONS, VA, VA + 48 * PAGE - 1, 0);

    for (unsigned i = 0; i < G_N_ELEMENTS(of_all); i++) {
        sva_command(r.t, of_all[i], 0);
        sva_sync(r.t);
        expect_all_notified(&r, 0);
    }
    /* An ATC invalidation is not one of the TLB */
    atc_inv(&r, NO_PASID, false, VA, 0);
    sva_sync(r.t);
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_NOTIFICATIONS), ==, 0);
    done(&r);
}

/*
 * Another STE or CD may lead to other tables: who caches translations must
 * hear of it although no TLBI follows.
 */
static void test_config_invalidations_are_notified(void)
{
    static const uint64_t opcodes[] = {
        CMD_CFGI_STE, CMD_CFGI_STE_RANGE, CMD_CFGI_CD, CMD_CFGI_CD_ALL,
    };
    Rig r = rig_start_with("-device sva-testdev,addr=1,notify-unmap=on", 0,
                           false);

    forget_notifications(&r);
    for (unsigned i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        uint64_t command = opcodes[i];

        smmu3_set(&command, CMD_STREAMID, 1 << 3);
        sva_command(r.t, command, 1);
        sva_sync(r.t);
        expect_all_notified(&r, 0);
    }
    done(&r);
}

static void test_atc_invalidations_are_notified(void)
{
    Rig r = rig_start_with("-device sva-testdev,addr=1,client=off,"
                           "notify-deviotlb=on", 0, false);

    atc_inv(&r, NO_PASID, false, VA + PAGE, 2);
    sva_sync(r.t);
    expect_range(&r, SVA_TESTDEV_NOTIFICATIONS, VA & ~UINT64_C(0x3fff),
                 VA | 0x3fff, SVA_TESTDEV_INFO_DEVIOTLB);
    atc_inv(&r, NO_PASID, false, 0, CMD_ATC_SIZE_ALL);
    sva_sync(r.t);
    expect_all_notified(&r, SVA_TESTDEV_INFO_DEVIOTLB);
    /* Notifiers know no PASID. */
    atc_inv(&r, PASID, false, VA, 0);
    sva_sync(r.t);
    sva_command(r.t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(r.t);
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_NOTIFICATIONS), ==, 0);
    /* And the device itself was asked nothing. */
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_INVALIDATIONS), ==, 0);
    done(&r);
}

/* ---- PCI's own functions, QEMU 10.1 and later --------------------------- */

static bool submit_by_pci(const Rig *r, uint64_t flags, int pasid,
                          uint64_t addr)
{
    dev_write(r, SVA_TESTDEV_REQ_ADDR, addr);
    dev_write(r, SVA_TESTDEV_REQ_PASID, pasid_reg(pasid));
    dev_write(r, SVA_TESTDEV_REQ_FLAGS, flags | SVA_TESTDEV_REQ_BY_PCI);
    dev_write(r, SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_SUBMIT);
    return dev_read(r, SVA_TESTDEV_ANS_STATE) & SVA_TESTDEV_STATE_VALID;
}

static void expect_by_pci(const Rig *r, uint64_t flags, int pasid,
                          uint64_t addr, uint64_t pa, uint64_t granted)
{
    g_assert_true(submit_by_pci(r, flags, pasid, addr));
    g_assert_cmphex(dev_read(r, SVA_TESTDEV_ANS_FLAGS), ==, granted);
    g_assert_cmphex(dev_read(r, SVA_TESTDEV_ANS_LEN), ==,
                    PAGE - addr % PAGE);
    if (granted) {
        g_assert_cmphex(dev_read(r, SVA_TESTDEV_ANS_PA), ==, pa);
    }
}

/* What PCI itself asks for; false, and the test is skipped: an older QEMU. */
static bool enable_by_pci(const Rig *r)
{
    unsigned ats = sva_find_ecap(r->t, 0, r->devfn, PCI_EXT_CAP_ID_ATS);
    unsigned pri = sva_find_ecap(r->t, 0, r->devfn, PCI_EXT_CAP_ID_PRI);
    unsigned pasid = sva_find_ecap(r->t, 0, r->devfn, PCI_EXT_CAP_ID_PASID);

    /* PCI refuses while ATS is not enabled. */
    g_assert_false(submit_by_pci(r, READ, NO_PASID, VA));
    sva_config_write(r->t, 0, r->devfn, pasid + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE);
    sva_config_write(r->t, 0, r->devfn, pri + PCI_PRI_CTRL, 2,
                     PCI_PRI_CTRL_ENABLE);
    sva_config_write(r->t, 0, r->devfn, ats + PCI_ATS_CTRL, 2,
                     PCI_ATS_CTRL_ENABLE);
    if (submit_by_pci(r, READ, NO_PASID, VA)) {
        return true;
    }
    g_test_skip("this QEMU has no pci_ats_request_translation()");
    return false;
}

static void test_requests_by_pci(void)
{
    Rig r = rig_start();
    uint64_t ro = sva_alloc(r.t, PAGE, PAGE);

    if (enable_by_pci(&r)) {
        sva_map(r.t, r.root, VA + PAGE, ro, PAGE, SVA_MAP_RO);
        expect_by_pci(&r, READ | WRITE, NO_PASID, VA + 8, r.page + 8, R | W);
        expect_by_pci(&r, READ | WRITE, PASID, VA + PAGE, ro, R);
        expect_by_pci(&r, READ, PASID, FAR_VA, 0, 0);
        g_assert_false(sva_event(r.t, r.event));
        set_eats(&r, STE_EATS_NONE);
        expect_by_pci(&r, READ, NO_PASID, VA, 0, 0);
        expect_event(&r, F_BAD_ATS_TREQ);
    }
    done(&r);
}

static void watch(const Rig *r, int pasid)
{
    uint64_t value = pasid_reg(pasid) | SVA_TESTDEV_WATCH_ON;

    dev_write(r, SVA_TESTDEV_WATCH, value);
    g_assert_cmphex(dev_read(r, SVA_TESTDEV_WATCH), ==, value);
}

/* Who watches a PASID is told of it and of global ones, not of others. */
static void test_watching_by_pci(void)
{
    const uint64_t of_pasid = SVA_TESTDEV_INFO_HAS_PASID | PASID;
    Rig r = rig_start_with("-device sva-testdev,addr=1,client=off", 0, false);

    if (enable_by_pci(&r)) {
        watch(&r, PASID);
        atc_inv(&r, PASID, false, VA, 0);
        atc_inv(&r, PASID + 1, false, VA, 0);
        atc_inv(&r, PASID + 1, true, VA, 1);
        atc_inv(&r, NO_PASID, false, VA, 0);
        sva_sync(r.t);
        g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_INVALIDATIONS), ==, 2);
        expect_range(&r, SVA_TESTDEV_INVALIDATIONS, VA, VA + PAGE - 1,
                     of_pasid);
        expect_range(&r, SVA_TESTDEV_INVALIDATIONS, VA - PAGE, VA + PAGE - 1,
                     of_pasid);
        watch(&r, NO_PASID);
        atc_inv(&r, PASID, true, VA, 0);
        atc_inv(&r, NO_PASID, false, VA, 0);
        sva_sync(r.t);
        g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_INVALIDATIONS), ==, 1);
        expect_range(&r, SVA_TESTDEV_INVALIDATIONS, VA, VA + PAGE - 1, 0);
        dev_write(&r, SVA_TESTDEV_WATCH, 0);
        atc_inv(&r, NO_PASID, false, VA, 0);
        sva_sync(r.t);
        g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_INVALIDATIONS), ==, 0);
    }
    done(&r);
}

static void test_page_requests_by_pci(void)
{
    Rig r = rig_start_with("-device sva-testdev,addr=1,client=off", 0, false);
    uint64_t entry[SMMU3_PRI_WORDS];

    if (enable_by_pci(&r)) {
        watch(&r, PASID);
        send_page_request(&r, PASID, FAR_VA,
                          0x123 | SVA_TESTDEV_PRG_WRITE |
                          SVA_TESTDEV_PRG_LAST | SVA_TESTDEV_PRG_BY_PCI);
        g_assert_true(sva_page_request(r.t, entry));
        g_assert_cmphex(smmu3_get(entry, PRI_STREAMID), ==, sid(&r));
        g_assert_cmphex(smmu3_get(entry, PRI_SUBSTREAMID), ==, PASID);
        g_assert_cmphex(smmu3_get(entry, PRI_PRGINDEX), ==, 0x123);
        g_assert_cmphex(smmu3_get(entry, PRI_READ), ==, 0);
        g_assert_cmphex(smmu3_get(entry, PRI_WRITE), ==, 1);
        g_assert_cmphex(smmu3_get(entry, PRI_LAST), ==, 1);
        g_assert_cmphex(smmu3_get_addr(entry, PRI_ADDR), ==, FAR_VA);
        pri_resp(&r, PASID + 1, 0x123, CMD_PRI_RESP_SUCCESS);
        pri_resp(&r, PASID, 0x123, CMD_PRI_RESP_INVALID);
        expect_response(&r, 0x123, PRG_INVALID_REQUEST, PASID);
        /* One without PASID is for all of them. */
        pri_resp(&r, NO_PASID, 0x124, CMD_PRI_RESP_FAILURE);
        expect_response(&r, 0x124, PRG_RESPONSE_FAILURE, PASID);
        g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_RESPONSES), ==, 0);
    }
    done(&r);
}

/* ---- Robustness --------------------------------------------------------- */

static void test_any_register_write(void)
{
    Rig r = rig_start_with("-device sva-testdev,addr=1,notify-unmap=on", 0,
                           true);
    uint64_t entry[SMMU3_PRI_WORDS];

    for (unsigned i = 0; i < 3000; i++) {
        unsigned reg = g_test_rand_int_range(0, 0x180 / 8) * 8;
        uint64_t value = (uint64_t)(uint32_t)g_test_rand_int() << 32 |
                         (uint32_t)g_test_rand_int();

        value >>= g_test_rand_int_range(0, 64);
        switch (i % 8) {
        case 0:
            dev_read(&r, reg);
            break;
        case 1:
            atc_inv(&r, value & 1 ? PASID : NO_PASID, value & 2, value,
                    g_test_rand_int_range(0, CMD_ATC_SIZE_ALL + 1));
            break;
        case 2:
            sva_command(r.t, CMD_TLBI_NSNH_ALL, 0);
            wait_consumed(&r);
            break;
        default:
            dev_write(&r, reg, value);
            break;
        }
        while (sva_page_request(r.t, entry) || sva_event(r.t, r.event)) {
            continue;
        }
    }
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, UINT32_MAX);
    dev_write(&r, SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_CANCEL);
    dev_write(&r, SVA_TESTDEV_INV_HOLD, 0);
    sva_sync(r.t);
    expect_grant(&r, ATS | READ, NO_PASID, VA, r.page, PAGE, R | W);
    sva_stop(r.t);
}

/* Nobody to ask: the device says so, and nothing else happens. */
static void test_without_iommu(void)
{
    Rig r = { .t = sva_start_machine("virt", "-device sva-testdev,addr=1") };

    r.devfn = 1 << 3;
    r.bar = sva_enable_bar(r.t, 0, r.devfn, SVA_TESTDEV_BAR);
    dev_write(&r, SVA_TESTDEV_REQ_FLAGS, READ);
    dev_write(&r, SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_SUBMIT);
    g_assert_cmphex(dev_read(&r, SVA_TESTDEV_ANS_STATE), ==,
                    SVA_TESTDEV_STATE_REFUSED);
    send_page_request(&r, NO_PASID, VA, SVA_TESTDEV_PRG_READ);
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, UINT32_MAX);
    dev_write(&r, SVA_TESTDEV_WATCH, SVA_TESTDEV_WATCH_ON);
    g_assert_cmphex(dev_read(&r, SVA_TESTDEV_WATCH), ==, 0);
    sva_stop(r.t);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define TEST(path, fn, items) \
    conformance_test("/smmuv3-sva/" path, fn, items)
    TEST("testdev/capabilities", test_capabilities, "");
    TEST("testdev/without-iommu", test_without_iommu, "");
    TEST("testdev/any-register-write", test_any_register_write, "");
    TEST("ats/request-is-answered", test_request_is_answered, "99");
    TEST("ats/request-of-what-is-not-mapped",
         test_request_of_what_is_not_mapped, "99");
    TEST("ats/request-without-eats", test_request_without_eats, "99");
    TEST("ats/request-of-a-bad-stream", test_request_of_a_bad_stream, "99");
    TEST("ats/translated", test_translated, "100");
    TEST("ats/disabled-smmu-refuses", test_disabled_smmu_refuses, "99 100");
    TEST("ats/split-stages", test_split_stages, "101");
    TEST("ats/split-stages-need-atschk", test_split_stages_need_atschk, "101");
    TEST("ats/nested-counters", test_nested_counters, "");
    TEST("by-pci/requests", test_requests_by_pci, "");
    TEST("by-pci/watching", test_watching_by_pci, "");
    TEST("by-pci/page-requests", test_page_requests_by_pci, "");
    TEST("atc/invalidation-says-what", test_invalidation_says_what, "102");
    TEST("atc/sync-waits-for-the-answers", test_sync_waits_for_the_answers,
         "102");
    TEST("atc/timeout-and-restart", test_timeout_and_restart, "111");
    TEST("atc/answers-out-of-order", test_answers_out_of_order, "");
    TEST("atc/reset-while-owing", test_reset_while_owing, "");
    TEST("atc/unplug-while-owing", test_unplug_while_owing, "111");
    TEST("notify/tlb-invalidations", test_tlb_invalidations_are_notified, "");
    TEST("notify/config-invalidations",
         test_config_invalidations_are_notified, "");
    TEST("notify/atc-invalidations", test_atc_invalidations_are_notified, "");
#undef TEST
    return conformance_run();
}
