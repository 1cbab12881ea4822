/*
 * See oracle.h: the regime as a CD, and what GATOS, ordinary accesses and ATS
 * requests of sva-testdev come to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "oracle.h"
#include "smmu.h"
#include "tap.h"
#include "testdev.h"

enum { PASID = 1 };     /* without one no access is privileged */

static int pasid_of(const OracleCase *c)
{
    return c->stage1 ? PASID : NO_PASID;
}

static Stream stream;

void oracle_smmu_init(void)
{
    testdev_start();
    smmu_start(&(SmmuSetup) { .e2h = oracle_is_el2 });
    irq_mask();         /* events are taken one by one */
    stream_start(&stream, testdev_sid());
    smmu3_set(stream.ste, STE_STRW,
              oracle_is_el2 ? STE_STRW_NS_EL2 : STE_STRW_NS_EL1);
    stream_update(&stream);
}

static void make_cd(const OracleRegime *r, uint64_t cd[SMMU3_CD_WORDS])
{
    static const uint8_t tg0[] = { [12] = CD_TG0_4K, [14] = CD_TG0_16K,
                                   [16] = CD_TG0_64K };
    static const uint8_t tg1[] = { [12] = CD_TG1_4K, [14] = CD_TG1_16K,
                                   [16] = CD_TG1_64K };
    const OracleHalf *low = &r->half[0], *high = &r->half[1];

    smmu3_set(cd, CD_V, 1);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_T0SZ, low->tsz);
    smmu3_set(cd, CD_T1SZ, high->tsz);
    smmu3_set(cd, CD_TG0, tg0[low->page_log2]);
    smmu3_set(cd, CD_TG1, tg1[high->page_log2]);
    smmu3_set(cd, CD_EPD0, low->epd);
    smmu3_set(cd, CD_EPD1, high->epd);
    smmu3_set(cd, CD_TBI0, low->tbi);
    smmu3_set(cd, CD_TBI1, high->tbi);
    smmu3_set(cd, CD_HAD0, low->hpd);
    smmu3_set(cd, CD_HAD1, high->hpd);
    smmu3_set(cd, CD_E0PD0, low->e0pd);
    smmu3_set(cd, CD_E0PD1, high->e0pd);
    smmu3_set_addr(cd, CD_TTB0, low->root);
    smmu3_set_addr(cd, CD_TTB1, high->root);
    smmu3_set(cd, CD_IPS, r->ips);
    smmu3_set(cd, CD_DS, r->ds);
    smmu3_set(cd, CD_PAN, r->pan);
    smmu3_set(cd, CD_HA, r->ha);
    smmu3_set(cd, CD_HD, r->hd);
    smmu3_set(cd, CD_ENDI, r->big_endian);
    smmu3_set(cd, CD_MAIR, ORACLE_MAIR);
}

static void set_stage2(const OracleCase *c)
{
    const OracleStage2 *s2 = &c->stage2;
    static const uint8_t s2tg[] = { [12] = STE_S2TG_4K, [14] = STE_S2TG_16K,
                                    [16] = STE_S2TG_64K };
    uint64_t *ste = stream.ste;

    smmu3_set(ste, STE_CONFIG, c->stage1 ? STE_CONFIG_NESTED : STE_CONFIG_S2);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, s2->cd_ipa);
    smmu3_set(ste, STE_S2VMID, 1);
    smmu3_set(ste, STE_S2T0SZ, s2->tsz);
    smmu3_set(ste, STE_S2SL0, s2->sl0);
    smmu3_set(ste, STE_S2SL0_2, s2->sl0 >> 2);
    smmu3_set(ste, STE_S2TG, s2tg[s2->page_log2]);
    smmu3_set(ste, STE_S2PS, s2->ps);
    smmu3_set(ste, STE_S2AA64, 1);
    smmu3_set(ste, STE_S2R, 1);
    smmu3_set(ste, STE_S2DS, s2->ds);
    smmu3_set(ste, STE_S2HA, s2->ha);
    smmu3_set(ste, STE_S2HD, s2->hd);
    smmu3_set_addr(ste, STE_S2TTB, s2->root);
    stream_update(&stream);
}

uint64_t oracle_cds(void)
{
    return pa_of(stream.cds);
}

void oracle_set_smmu(const OracleCase *c)
{
    const uint64_t tlbi[SMMU3_CMD_WORDS] = {
        oracle_is_el2 ? CMD_TLBI_EL2_ALL : CMD_TLBI_NSNH_ALL,
    };
    uint64_t cd[SMMU3_CD_WORDS] = { 0 };

    if (oracle_nested) {
        set_stage2(c);
    }
    make_cd(&c->regime, cd);
    smmu_command(tlbi);
    stream_set_cd(&stream, PASID, cd);
}

/* ---- GATOS -------------------------------------------------------------- */

enum { TYPE_STAGE_1 = 1, TYPE_STAGE_2 = 2, SIZE_4K = 12 };
enum { REASON_ON_WALK = 2, REASON_STAGE_2 = 3 };    /* GATOS_PAR.REASON */

static OracleAnswer ask_gatos(const OracleCase *c, unsigned access)
{
    uint64_t addr = 0, sid = 0, par;
    unsigned size_log2 = SIZE_4K;

    smmu3_set(&sid, GATOS_SID_STREAMID, stream.sid);
    smmu3_set(&sid, GATOS_SID_SUBSTREAMID, c->stage1 ? PASID : 0);
    smmu3_set(&sid, GATOS_SID_SSID_VALID, c->stage1);
    smmu3_set_addr(&addr, GATOS_ADDR_ADDR, c->va);
    smmu3_set(&addr, GATOS_ADDR_TYPE,
              (c->stage1 ? TYPE_STAGE_1 : 0) |
              (oracle_nested ? TYPE_STAGE_2 : 0));
    smmu3_set(&addr, GATOS_ADDR_PNU, oracle_is_priv(access));
    smmu3_set(&addr, GATOS_ADDR_RNW, !oracle_is_write(access));
    smmu_write64(SMMU3_GATOS_SID, sid);
    smmu_write64(SMMU3_GATOS_ADDR, addr);
    smmu_write32(SMMU3_GATOS_CTRL, 1);
    while (smmu_read32(SMMU3_GATOS_CTRL) & 1) {
        continue;
    }
    par = smmu_read64(SMMU3_GATOS_PAR);
    if (smmu3_get(&par, GATOS_PAR_FAULT)) {
        unsigned reason = smmu3_get(&par, GATOS_PAR_REASON);

        return (OracleAnswer) {
            .fault = smmu3_get(&par, GATOS_PAR_FAULTCODE), .raw = par,
            .stage2 = reason == REASON_ON_WALK || reason == REASON_STAGE_2,
            .on_walk = reason == REASON_ON_WALK,
        };
    }
    addr = smmu3_get_addr(&par, GATOS_PAR_ADDR);
    if (smmu3_get(&par, GATOS_PAR_SIZE)) {
        /* The lowest bit that is set says the size (9.1.4). */
        size_log2 = __builtin_ctzll(addr) + 1;
        addr &= addr - 1;
    }
    return (OracleAnswer) {
        .pa = addr | (c->va & smmu3_mask(size_log2) & ~smmu3_mask(SIZE_4K)),
        .device = smmu3_get(&par, GATOS_PAR_ATTR) >> 4 == 0, .raw = par,
    };
}

/* ---- sva-testdev -------------------------------------------------------- */

static OracleAnswer ask_access(const OracleCase *c, unsigned access)
{
    uint64_t flags = (oracle_is_priv(access) ? SVA_TESTDEV_REQ_PRIV : 0) |
                     (oracle_is_write(access) ? SVA_TESTDEV_REQ_WRITE
                                              : SVA_TESTDEV_REQ_READ);
    unsigned outcome = testdev_submit(flags, pasid_of(c), c->va);
    uint64_t event[SMMU3_EVENT_WORDS];

    if (outcome == SVA_TESTDEV_OK) {
        return (OracleAnswer) { .pa = testdev_pa(), .raw = outcome };
    }
    if (!smmu_take_event(event)) {
        return (OracleAnswer) { .fault = F_UUT, .raw = outcome };
    }
    return (OracleAnswer) {
        .fault = smmu3_get(event, EVENT_TYPE), .raw = event[1],
        .stage2 = smmu3_get(event, EVENT_S2),
        .on_walk = smmu3_get(event, EVENT_S2) &&
                   smmu3_get(event, EVENT_CLASS) == CLASS_TT,
    };
}

static OracleGrant ask_ats(const OracleCase *c, bool priv)
{
    OracleGrant grant = { .flags = ~UINT64_C(0) };

    if (testdev_submit(SVA_TESTDEV_REQ_ATS | SVA_TESTDEV_REQ_READ |
                       SVA_TESTDEV_REQ_WRITE |
                       (priv ? SVA_TESTDEV_REQ_PRIV : 0), pasid_of(c), c->va) ==
        SVA_TESTDEV_OK) {
        grant.flags = testdev_read(SVA_TESTDEV_ANS_FLAGS) &
                      (SVA_TESTDEV_ANS_READ | SVA_TESTDEV_ANS_WRITE);
        grant.pa = testdev_pa();
        grant.len = testdev_read(SVA_TESTDEV_ANS_LEN);
    }
    return grant;
}

/* ATS first: the TLB is empty. Then what is asked meets what it left there. */
void oracle_ask_smmu(const OracleCase *c, OracleSmmu *answers)
{
    if (c->stage1) {
        answers->ats[0] = ask_ats(c, true);
    }
    answers->ats[1] = ask_ats(c, false);
    for (unsigned i = oracle_first_access(c); i < ORACLE_ACCESSES; i++) {
        answers->gatos[i] = ask_gatos(c, i);
        answers->access[i] = ask_access(c, i);
    }
}
