/*
 * What the tests by sva-testdev share; see sva-testdev-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "sva-testdev-rig.h"

uint32_t sid(const Rig *r)
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

void rig_set_up_stream(Rig *r, bool stall)
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

Rig rig_start_with(const char *args, unsigned bus, bool stall)
{
    Rig r = { .t = sva_start(args), .bus = bus };

    sva_smmu_enable(r.t);
    if (bus) {
        sva_enable_bridge(r.t, 0, 2 << 3, bus);
    }
    find_device(&r);
    rig_set_up_stream(&r, stall);
    return r;
}

Rig rig_start(void)
{
    return rig_start_with("-device sva-testdev,addr=1", 0, false);
}

void set_eats(Rig *r, unsigned eats)
{
    smmu3_set(r->ste, STE_EATS, eats);
    sva_set_ste(r->t, sid(r), r->ste);
}

uint64_t dev_read(const Rig *r, unsigned reg)
{
    return qtest_readq(r->t->qts, r->bar + reg);
}

void dev_write(const Rig *r, unsigned reg, uint64_t value)
{
    qtest_writeq(r->t->qts, r->bar + reg, value);
}

void expect_event(Rig *r, Smmu3EventType type)
{
    g_assert_true(sva_event(r->t, r->event));
    g_assert_cmphex(smmu3_get(r->event, EVENT_TYPE), ==, type);
    g_assert_cmphex(smmu3_get(r->event, EVENT_STREAMID), ==, sid(r));
}

void done(Rig *r)
{
    g_assert_false(sva_event(r->t, r->event));
    sva_stop(r->t);
}

void set_cr0(Rig *r, uint32_t set, uint32_t clear)
{
    uint32_t cr0 = (sva_read32(r->t, SMMU3_CR0) | set) & ~clear;

    sva_write32(r->t, SMMU3_CR0, cr0);
    g_assert_cmphex(sva_read32(r->t, SMMU3_CR0ACK), ==, cr0);
}

/* ---- Requests ---------------------------------------------------------- */

uint64_t pasid_reg(int pasid)
{
    return pasid < 0 ? 0 : SVA_TESTDEV_PASID_VALID | pasid;
}

/* Submit one request: its outcome. */
unsigned submit(const Rig *r, uint64_t flags, int pasid, uint64_t addr)
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

void expect_grant(const Rig *r, uint64_t flags, int pasid,
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

/* ---- Messages ---------------------------------------------------------- */

unsigned fifo_count(const Rig *r, unsigned fifo)
{
    return dev_read(r, SVA_TESTDEV_FIFO(fifo) + SVA_TESTDEV_FIFO_COUNT);
}

Message fifo_take(const Rig *r, unsigned fifo)
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

void expect_range(const Rig *r, unsigned fifo, uint64_t first,
                  uint64_t last, uint64_t info)
{
    Message m = fifo_take(r, fifo);

    g_assert_cmphex(m.first, ==, first);
    g_assert_cmphex(m.last, ==, last);
    g_assert_cmphex(m.info, ==, info);
}

void atc_inv(const Rig *r, int pasid, bool global, uint64_t addr,
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

bool all_consumed(const Rig *r)
{
    uint64_t cons = sva_read32(r->t, SMMU3_CMDQ_CONS);

    return (cons & ((2u << SVA_QUEUE_LOG2) - 1)) == r->t->cmdq_prod;
}

/* Long enough for the main loop to have done what it was to do. */
void expect_waiting(const Rig *r)
{
    for (unsigned i = 0; i < 50; i++) {
        g_assert_false(all_consumed(r));
    }
}

void wait_consumed(const Rig *r)
{
    for (unsigned i = 0; i < 1000 && !all_consumed(r); i++) {
        continue;
    }
    g_assert_true(all_consumed(r));
}

void send_page_request(const Rig *r, int pasid, uint64_t addr,
                       uint64_t what)
{
    dev_write(r, SVA_TESTDEV_PRG_ADDR, addr);
    dev_write(r, SVA_TESTDEV_PRG_PASID, pasid_reg(pasid));
    dev_write(r, SVA_TESTDEV_PRG_SEND, what);
}

/* Answers come from the main loop. */
void expect_response(const Rig *r, unsigned index, unsigned code,
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

void pri_resp(const Rig *r, int pasid, unsigned index, unsigned resp)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE, 0 };

    smmu3_set(command, CMD_STREAMID, sid(r));
    smmu3_set(command, CMD_SSV, pasid >= 0);
    smmu3_set(command, CMD_SUBSTREAMID, pasid >= 0 ? pasid : 0);
    smmu3_set(command, CMD_PRI_PRGINDEX, index);
    smmu3_set(command, CMD_PRI_RESP, resp);
    sva_command(r->t, command[0], command[1]);
}

bool wait_irq(const Rig *r, unsigned intid)
{
    for (unsigned i = 0; i < 50; i++) {
        if (sva_take_irq(r->t, intid)) {
            return true;
        }
    }
    return false;
}

/* ---- Stalls ------------------------------------------------------------ */

void resume(const Rig *r, unsigned stag, bool retry, bool abort)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

    smmu3_set(command, CMD_STREAMID, sid(r));
    smmu3_set(command, CMD_RESUME_AC, retry);
    smmu3_set(command, CMD_RESUME_AB, abort);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    sva_command(r->t, command[0], command[1]);
}

unsigned stall(Rig *r)
{
    g_assert_cmpuint(submit(r, READ | MAY_STALL, PASID, FAR_VA), ==,
                     SVA_TESTDEV_STALL);
    expect_event(r, F_TRANSLATION);
    g_assert_cmphex(smmu3_get(r->event, EVENT_STALL), ==, 1);
    return smmu3_get(r->event, EVENT_STAG);
}

void expect_resolution(const Rig *r, unsigned wanted)
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
