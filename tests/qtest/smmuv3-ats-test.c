/*
 * ATS, page requests, stalls and notifiers between an endpoint and the SMMU
 * in QEMU, by sva-testdev: what crosses include/hw/pci/sva-port.h, and
 * migration with all of it in flight. The rules themselves are tested in
 * tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "hw/pci/pasid-dev/sva-testdev-abi.h"
#include "../unit/conformance.h"
#include "sva-qtest.h"

#define VA      UINT64_C(0x7f0000005000)
#define FAR_VA  UINT64_C(0x7f0000105000)    /* nothing is there */
#define PAGE    UINT64_C(4096)
#define GIB     (UINT64_C(1) << 30)
enum {
    PASID = 1, NO_PASID = -1, ASID = 7, CD_LOG2 = 2,
    READ = SVA_TESTDEV_REQ_READ, WRITE = SVA_TESTDEV_REQ_WRITE,
    ATS = SVA_TESTDEV_REQ_ATS, TRANSLATED = SVA_TESTDEV_REQ_TRANSLATED,
    MAY_STALL = SVA_TESTDEV_REQ_MAY_STALL,
};

/* The endpoint, whose stream has a page at VA, with and without PASID 1. */
typedef struct Rig {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar;
    uint64_t root, cds, page;
    uint64_t ste[SMMU3_STE_WORDS];
    uint64_t event[SMMU3_EVENT_WORDS];
} Rig;

static uint32_t sid(const Rig *r)
{
    return r->bus << 8 | r->devfn;
}

static void find_device(Rig *r)
{
    int devfn = sva_find(r->t, r->bus, SVA_TESTDEV_VENDOR_ID,
                         SVA_TESTDEV_DEVICE_ID);

    g_assert_cmpint(devfn, >=, 0);
    r->devfn = devfn;
    r->bar = sva_enable_bar(r->t, r->bus, devfn, SVA_TESTDEV_BAR);
}

static void set_up_stream(Rig *r, bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS];

    r->root = sva_table(r->t);
    r->cds = sva_alloc(r->t, SMMU3_CD_BYTES << CD_LOG2, PAGE);
    r->page = sva_alloc(r->t, PAGE, PAGE);
    sva_map(r->t, r->root, VA, r->page, PAGE, 0);
    sva_cd_for(cd, r->root, ASID, stall);
    sva_set_cd(r->t, sid(r), r->cds, 0, cd);
    sva_set_cd(r->t, sid(r), r->cds, PASID, cd);
    smmu3_set(r->ste, STE_V, 1);
    smmu3_set(r->ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set_addr(r->ste, STE_S1CONTEXTPTR, r->cds);
    smmu3_set(r->ste, STE_S1CDMAX, CD_LOG2);
    smmu3_set(r->ste, STE_S1DSS, STE_S1DSS_CD0);
    smmu3_set(r->ste, STE_EATS, STE_EATS_FULL);
    sva_set_ste(r->t, sid(r), r->ste);
}

static Rig rig_start_with(const char *args, unsigned bus, bool stall)
{
    Rig r = { .t = sva_start(args), .bus = bus };

    sva_smmu_enable(r.t);
    if (bus) {
        sva_enable_bridge(r.t, 0, 2 << 3, bus);
    }
    find_device(&r);
    set_up_stream(&r, stall);
    return r;
}

static Rig rig_start(void)
{
    return rig_start_with("-device sva-testdev,addr=1", 0, false);
}

static void set_eats(Rig *r, unsigned eats)
{
    smmu3_set(r->ste, STE_EATS, eats);
    sva_set_ste(r->t, sid(r), r->ste);
}

static uint64_t dev_read(const Rig *r, unsigned reg)
{
    return qtest_readq(r->t->qts, r->bar + reg);
}

static void dev_write(const Rig *r, unsigned reg, uint64_t value)
{
    qtest_writeq(r->t->qts, r->bar + reg, value);
}

static void expect_event(Rig *r, Smmu3EventType type)
{
    g_assert_true(sva_event(r->t, r->event));
    g_assert_cmphex(smmu3_get(r->event, EVENT_TYPE), ==, type);
    g_assert_cmphex(smmu3_get(r->event, EVENT_STREAMID), ==, sid(r));
}

static void done(Rig *r)
{
    g_assert_false(sva_event(r->t, r->event));
    sva_stop(r->t);
}

static void set_cr0(Rig *r, uint32_t set, uint32_t clear)
{
    uint32_t cr0 = (sva_read32(r->t, SMMU3_CR0) | set) & ~clear;

    sva_write32(r->t, SMMU3_CR0, cr0);
    g_assert_cmphex(sva_read32(r->t, SMMU3_CR0ACK), ==, cr0);
}

/* ---- Requests ---------------------------------------------------------- */

static uint64_t pasid_reg(int pasid)
{
    return pasid < 0 ? 0 : SVA_TESTDEV_PASID_VALID | pasid;
}

/* Submit one request: its outcome. */
static unsigned submit(const Rig *r, uint64_t flags, int pasid, uint64_t addr)
{
    uint64_t state;

    dev_write(r, SVA_TESTDEV_REQ_ADDR, addr);
    dev_write(r, SVA_TESTDEV_REQ_PASID, pasid_reg(pasid));
    dev_write(r, SVA_TESTDEV_REQ_FLAGS, flags);
    dev_write(r, SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_SUBMIT);
    state = dev_read(r, SVA_TESTDEV_ANS_STATE);
    g_assert_cmphex(state & SVA_TESTDEV_STATE_VALID, !=, 0);
    return state & SVA_TESTDEV_STATE_OUTCOME;
}

static void expect_grant(const Rig *r, uint64_t flags, int pasid,
                         uint64_t addr, uint64_t pa, uint64_t len,
                         uint64_t granted)
{
    g_assert_cmpuint(submit(r, flags, pasid, addr), ==, SVA_TESTDEV_OK);
    g_assert_cmphex(dev_read(r, SVA_TESTDEV_ANS_FLAGS), ==, granted);
    g_assert_cmphex(dev_read(r, SVA_TESTDEV_ANS_LEN), ==, len);
    if (granted) {
        g_assert_cmphex(dev_read(r, SVA_TESTDEV_ANS_PA), ==, pa);
    }
}

enum { R = SVA_TESTDEV_ANS_READ, W = SVA_TESTDEV_ANS_WRITE,
       X = SVA_TESTDEV_ANS_EXEC };

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

/* ---- ATC invalidations -------------------------------------------------- */

/* The oldest message of a FIFO. */
typedef struct Message {
    uint64_t first, last, info;
} Message;

static unsigned fifo_count(const Rig *r, unsigned fifo)
{
    return dev_read(r, SVA_TESTDEV_FIFO(fifo) + SVA_TESTDEV_FIFO_COUNT);
}

static Message fifo_take(const Rig *r, unsigned fifo)
{
    unsigned base = SVA_TESTDEV_FIFO(fifo);
    Message m = {
        .first = dev_read(r, base + SVA_TESTDEV_FIFO_FIRST),
        .last = dev_read(r, base + SVA_TESTDEV_FIFO_LAST),
        .info = dev_read(r, base + SVA_TESTDEV_FIFO_TAKE),
    };

    g_assert_cmphex(m.info & SVA_TESTDEV_INFO_VALID, !=, 0);
    m.info &= ~SVA_TESTDEV_INFO_VALID;
    return m;
}

static void expect_range(const Rig *r, unsigned fifo, uint64_t first,
                         uint64_t last, uint64_t info)
{
    Message m = fifo_take(r, fifo);

    g_assert_cmphex(m.first, ==, first);
    g_assert_cmphex(m.last, ==, last);
    g_assert_cmphex(m.info, ==, info);
}

static void atc_inv(const Rig *r, int pasid, bool global, uint64_t addr,
                    unsigned size)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_ATC_INV, size };

    smmu3_set(command, CMD_STREAMID, sid(r));
    smmu3_set(command, CMD_SSV, pasid >= 0);
    smmu3_set(command, CMD_SUBSTREAMID, pasid >= 0 ? pasid : 0);
    smmu3_set(command, CMD_ATC_GLOBAL, global);
    smmu3_set_addr(command, CMD_ADDR, addr);
    sva_command(r->t, command[0], command[1]);
}

static bool all_consumed(const Rig *r)
{
    uint64_t cons = sva_read32(r->t, SMMU3_CMDQ_CONS);

    return (cons & ((2u << SVA_QUEUE_LOG2) - 1)) == r->t->cmdq_prod;
}

/* Long enough for the main loop to have done what it was to do. */
static void expect_waiting(const Rig *r)
{
    for (unsigned i = 0; i < 50; i++) {
        g_assert_false(all_consumed(r));
    }
}

static void wait_consumed(const Rig *r)
{
    for (unsigned i = 0; i < 1000 && !all_consumed(r); i++) {
        continue;
    }
    g_assert_true(all_consumed(r));
}

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
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, UINT64_MAX);
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

/* ---- Page requests ------------------------------------------------------ */

static void send_page_request(const Rig *r, int pasid, uint64_t addr,
                              uint64_t what)
{
    dev_write(r, SVA_TESTDEV_PRG_ADDR, addr);
    dev_write(r, SVA_TESTDEV_PRG_PASID, pasid_reg(pasid));
    dev_write(r, SVA_TESTDEV_PRG_SEND, what);
}

/* Answers come from the main loop. */
static void expect_response(const Rig *r, unsigned index, unsigned code,
                            int pasid)
{
    Message m;

    for (unsigned i = 0;
         i < 1000 && !fifo_count(r, SVA_TESTDEV_RESPONSES); i++) {
        continue;
    }
    m = fifo_take(r, SVA_TESTDEV_RESPONSES);
    g_assert_cmphex(m.info, ==,
                    (pasid < 0 ? 0 : SVA_TESTDEV_INFO_HAS_PASID | pasid) |
                    (uint64_t)index << SVA_TESTDEV_INFO_INDEX_SHIFT |
                    (uint64_t)code << SVA_TESTDEV_INFO_CODE_SHIFT);
}

static void pri_resp(const Rig *r, int pasid, unsigned index, unsigned resp)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE, 0 };

    smmu3_set(command, CMD_STREAMID, sid(r));
    smmu3_set(command, CMD_SSV, pasid >= 0);
    smmu3_set(command, CMD_SUBSTREAMID, pasid >= 0 ? pasid : 0);
    smmu3_set(command, CMD_PRI_PRGINDEX, index);
    smmu3_set(command, CMD_PRI_RESP, resp);
    sva_command(r->t, command[0], command[1]);
}

static bool wait_irq(const Rig *r, unsigned intid)
{
    for (unsigned i = 0; i < 50; i++) {
        if (sva_take_irq(r->t, intid)) {
            return true;
        }
    }
    return false;
}

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

static void resume(const Rig *r, unsigned stag, bool retry, bool abort)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

    smmu3_set(command, CMD_STREAMID, sid(r));
    smmu3_set(command, CMD_RESUME_AC, retry);
    smmu3_set(command, CMD_RESUME_AB, abort);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    sva_command(r->t, command[0], command[1]);
}

static unsigned stall(Rig *r)
{
    g_assert_cmpuint(submit(r, READ | MAY_STALL, PASID, FAR_VA), ==,
                     SVA_TESTDEV_STALL);
    expect_event(r, F_TRANSLATION);
    g_assert_cmphex(smmu3_get(r->event, EVENT_STALL), ==, 1);
    return smmu3_get(r->event, EVENT_STAG);
}

static void expect_resolution(const Rig *r, unsigned wanted)
{
    uint64_t state = 0;

    for (unsigned i = 0; i < 1000; i++) {
        state = dev_read(r, SVA_TESTDEV_ANS_STATE);
        if (!(state & SVA_TESTDEV_STATE_STALLED)) {
            break;
        }
    }
    g_assert_cmpuint(state >> SVA_TESTDEV_STATE_RESOLUTION_SHIFT & 0xf, ==,
                     wanted);
}

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

/* ---- Notifiers ---------------------------------------------------------- */

/* Everything comes in two halves: a length of 2^64 would not be one. */
static void expect_all_notified(const Rig *r, uint64_t info)
{
    g_assert_cmpuint(fifo_count(r, SVA_TESTDEV_NOTIFICATIONS), ==, 2);
    expect_range(r, SVA_TESTDEV_NOTIFICATIONS, 0, INT64_MAX, info);
    expect_range(r, SVA_TESTDEV_NOTIFICATIONS, UINT64_C(1) << 63, UINT64_MAX,
                 info);
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

/* ---- Migration ---------------------------------------------------------- */

#define DEVICE "-device sva-testdev,addr=1"

static bool migration_completed(QTestState *qts)
{
    QDict *info = qtest_qmp_assert_success_ref(qts,
                                               "{'execute': 'query-migrate'}");
    const char *status = qdict_get_try_str(info, "status");
    bool completed = !g_strcmp0(status, "completed");

    g_assert_cmpstr(status, !=, "failed");
    qobject_unref(info);
    return completed;
}

static void wait_migration(QTestState *qts)
{
    for (unsigned i = 0; i < 6000 && !migration_completed(qts); i++) {
        g_usleep(10 * 1000);
    }
    g_assert_true(migration_completed(qts));
}

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
    g_autofree char *dir = g_dir_make_tmp("smmuv3-ats-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *args = g_strdup_printf(DEVICE " -S -incoming %s", uri);
    SvaQtest *from = r->t;
    QTestState *qts;

    qtest_qmp_assert_success(from->qts,
        "{'execute': 'migrate', 'arguments': {'uri': %s}}", uri);
    wait_migration(from->qts);
    r->t = sva_start(args);
    wait_migration(r->t->qts);
    qts = r->t->qts;
    *r->t = *from;
    r->t->qts = qts;
    sva_stop(from);
    unlink(file);
    rmdir(dir);
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

static void test_requests_by_pci(void)
{
    Rig r = rig_start();
    unsigned ats = sva_find_ecap(r.t, 0, r.devfn, PCI_EXT_CAP_ID_ATS);
    unsigned pasid = sva_find_ecap(r.t, 0, r.devfn, PCI_EXT_CAP_ID_PASID);
    uint64_t ro = sva_alloc(r.t, PAGE, PAGE);

    /* PCI refuses while ATS is not enabled. */
    g_assert_false(submit_by_pci(&r, READ, NO_PASID, VA));
    sva_config_write(r.t, 0, r.devfn, pasid + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE);
    sva_config_write(r.t, 0, r.devfn, ats + PCI_ATS_CTRL, 2,
                     PCI_ATS_CTRL_ENABLE);
    if (!submit_by_pci(&r, READ, NO_PASID, VA)) {
        g_test_skip("this QEMU has no pci_ats_request_translation()");
        sva_stop(r.t);
        return;
    }
    sva_map(r.t, r.root, VA + PAGE, ro, PAGE, SVA_MAP_RO);
    expect_by_pci(&r, READ | WRITE, NO_PASID, VA + 8, r.page + 8, R | W);
    expect_by_pci(&r, READ | WRITE, PASID, VA + PAGE, ro, R);
    expect_by_pci(&r, READ, PASID, FAR_VA, 0, 0);
    g_assert_false(sva_event(r.t, r.event));
    set_eats(&r, STE_EATS_NONE);
    expect_by_pci(&r, READ, NO_PASID, VA, 0, 0);
    expect_event(&r, F_BAD_ATS_TREQ);
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
    dev_write(&r, SVA_TESTDEV_INV_ANSWER, UINT64_MAX);
    dev_write(&r, SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_CANCEL);
    dev_write(&r, SVA_TESTDEV_INV_HOLD, 0);
    sva_sync(r.t);
    expect_grant(&r, ATS | READ, NO_PASID, VA, r.page, PAGE, R | W);
    sva_stop(r.t);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define TEST(path, fn, items) \
    conformance_test("/smmuv3-sva/" path, fn, items)
    TEST("testdev/capabilities", test_capabilities, "");
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
    TEST("ats/requests-by-pci", test_requests_by_pci, "");
    TEST("atc/invalidation-says-what", test_invalidation_says_what, "102");
    TEST("atc/sync-waits-for-the-answers", test_sync_waits_for_the_answers,
         "102");
    TEST("atc/timeout-and-restart", test_timeout_and_restart, "111");
    TEST("atc/reset-while-owing", test_reset_while_owing, "");
    TEST("atc/unplug-while-owing", test_unplug_while_owing, "111");
    TEST("pri/request", test_page_request, "103");
    TEST("pri/responses", test_page_responses, "104");
    TEST("pri/request-without-queue", test_page_request_without_queue, "103");
    TEST("pri/overflow", test_page_request_overflow, "103");
    TEST("stall/resolutions", test_stalls_are_resolved, "92 94");
    TEST("notify/tlb-invalidations", test_tlb_invalidations_are_notified, "");
    TEST("notify/atc-invalidations", test_atc_invalidations_are_notified, "");
    TEST("migration/in-flight", test_migration_in_flight, "");
    TEST("migration/interrupt", test_migration_of_an_interrupt, "");
    TEST("migration/errors", test_migration_of_errors, "");
#undef TEST
    return conformance_run();
}
