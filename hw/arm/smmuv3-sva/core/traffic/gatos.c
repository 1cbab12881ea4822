/*
 * See gatos.h. The steps of a pass in the order of 9.1.5, and their answer as
 * GATOS_PAR has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "gatos.h"
#include "config-fetch.h"
#include "stages.h"

/* GATOS_ADDR.TYPE */
enum { TYPE_S1 = 1, TYPE_S2 = 2, TYPE_BOTH = 3 };

/* GATOS_PAR.FAULTCODE, besides the numbers of events (9.1.5). */
enum { INV_REQ = 0xff, INV_STAGE = 0xfe };

/* GATOS_PAR.REASON: 0 is stage 1 or nothing in particular (9.1.4). */
enum { REASON_S1 = 0, REASON_S2_CD = 1, REASON_S2_TT = 2, REASON_S2_IN = 3 };

/*
 * Memory types are modelled as Device or not: as Device-nGnRnE Outer
 * Shareable, or as Normal write-back Inner Shareable, they are reported.
 */
enum { ATTR_DEVICE = 0x00, ATTR_NORMAL = 0xff, SH_OUTER = 2, SH_INNER = 3 };

typedef struct Request {
    Smmu3Transaction t;
    unsigned type;
    bool stage1, stage2;        /* what TYPE asks for */
} Request;

static uint64_t fault_par(unsigned code, unsigned reason, uint64_t faddr)
{
    uint64_t par = 0;

    smmu3_set(&par, GATOS_PAR_FAULT, 1);
    smmu3_set(&par, GATOS_PAR_REASON, reason);
    smmu3_set(&par, GATOS_PAR_FAULTCODE, code);
    smmu3_set_addr(&par, GATOS_PAR_ADDR, faddr);
    return par;
}

/* The size is given by the lowest bit that is set in the address. */
static uint64_t result_par(uint64_t pa, unsigned size_log2, bool device)
{
    uint64_t par = 0;

    pa &= ~smmu3_mask(size_log2);
    if (size_log2 > 12) {
        pa |= UINT64_C(1) << (size_log2 - 1);
        smmu3_set(&par, GATOS_PAR_SIZE, 1);
    }
    smmu3_set_addr(&par, GATOS_PAR_ADDR, pa);
    smmu3_set(&par, GATOS_PAR_SH, device ? SH_OUTER : SH_INNER);
    smmu3_set(&par, GATOS_PAR_ATTR, device ? ATTR_DEVICE : ATTR_NORMAL);
    return par;
}

/* 9.1.4: what a fault looks like depends on what was asked for. */
static uint64_t pass_par(const Request *r, const Smmu3Pass *p)
{
    static const uint8_t reasons[] = {
        [CLASS_CD] = REASON_S2_CD, [CLASS_TT] = REASON_S2_TT,
        [CLASS_IN] = REASON_S2_IN,
    };
    const Smmu3Fault *fault = &p->fault;

    if (!fault->stage2) {
        return fault_par(fault->type, REASON_S1, 0);
    }
    switch (r->type) {
    case TYPE_S1:
        /*
         * 9.1.4: who asks for stage 1 alone is not shown stage 2, so its fault
         * is the external abort that the fetch of stage 1 meets there.
         */
        return fault_par(fault->class == CLASS_CD ? F_CD_FETCH : F_WALK_EABT,
                         REASON_S1, 0);
    case TYPE_S2:
        return fault_par(fault->type, REASON_S2_IN, 0);
    default:
        return fault_par(fault->type, reasons[fault->class],
                         smmu3_is_translation_related(fault->type)
                         ? fault->ipa : 0);
    }
}

static Request read_request(const Smmu3 *s)
{
    const uint64_t *sid = &s->regs.gatos_sid, *addr = &s->regs.gatos_addr;
    bool read = smmu3_get(addr, GATOS_ADDR_RNW);
    unsigned type = smmu3_get(addr, GATOS_ADDR_TYPE);

    return (Request) {
        .t = {
            .type = SMMU3_UNTRANSLATED,
            .sid = smmu3_get(sid, GATOS_SID_STREAMID),
            .ssid = smmu3_get(sid, GATOS_SID_SUBSTREAMID),
            .ssv = smmu3_get(sid, GATOS_SID_SSID_VALID),
            .addr = smmu3_get_addr(addr, GATOS_ADDR_ADDR),
            .access = read ? SMMU3_READ : SMMU3_WRITE,
            .priv = smmu3_get(addr, GATOS_ADDR_PNU),
            .ind = smmu3_get(addr, GATOS_ADDR_IND),     /* of reads */
        },
        .type = type,
        .stage1 = type == TYPE_S1 || type == TYPE_BOTH,
        .stage2 = type == TYPE_S2 || type == TYPE_BOTH,
    };
}

/* 9.1.3: what can be told without looking at the stream. */
static bool request_is_invalid(const Smmu3Features *f, const Request *r)
{
    return (!r->stage1 && !r->stage2) ||
           (r->stage1 && !f->s1p) ||
           (r->stage2 && !f->s2p) ||
           (!r->stage1 && r->t.ssv);
}

/* The stages asked for; where S1DSS bypasses stage 1, its output is its input.
 */
static bool translate(Smmu3Pass *p, const Request *r, uint64_t *par)
{
    const Smmu3Features *f = &p->s->features;
    uint8_t need = smmu3_rights_needed(r->t.access, p->priv, p->ind);
    unsigned size_log2 = f->gran4k ? 12 : f->gran16k ? 14 : 16;
    uint64_t addr = r->t.addr;
    bool device = false;
    Smmu3Leaf leaf;

    if (r->stage1 && p->stage1) {
        if (!smmu3_pass_find_context(p) ||
            !smmu3_pass_stage1(p, addr, need, &leaf)) {
            return false;
        }
        addr = smmu3_leaf_output(&leaf, addr);
        size_log2 = leaf.size_log2;
        device = leaf.device;
    } else if (addr >> smmu3_ias_bits(f)) {
        return smmu3_pass_fail(p, F_ADDR_SIZE);
    }
    if (r->stage2) {
        if (!smmu3_pass_stage2(p, addr, need, CLASS_IN, &leaf)) {
            return false;
        }
        addr = smmu3_leaf_output(&leaf, addr);
        size_log2 = r->stage1 && p->stage1 ? MIN(size_log2, leaf.size_log2)
                                           : leaf.size_log2;
        device |= leaf.device;
    }
    *par = result_par(addr, size_log2, device);
    return true;
}

static uint64_t run(Smmu3Pass *p, const Request *r)
{
    const Smmu3Stream *stream = &p->config.stream;
    uint64_t par;

    if (!smmu3_pass_find_stream(p)) {
        return pass_par(r, p);
    }
    if ((r->stage1 && !stream->s1) || (r->stage2 && !stream->s2)) {
        return fault_par(INV_STAGE, REASON_S1, 0);
    }
    /* PRIVCFG and INSTCFG do not apply: the request says what it is */
    p->priv = r->t.priv;
    p->ind = r->t.ind;
    if (r->stage1 && !smmu3_pass_find_substream(p)) {
        return pass_par(r, p);
    }
    return translate(p, r, &par) ? par : pass_par(r, p);
}

uint64_t smmu3_gatos_run(Smmu3 *s)
{
    Request r = read_request(s);
    bool inhibit = smmu3_get(&s->regs.gatos_addr, GATOS_ADDR_HTTUI);
    uint64_t par;
    Smmu3Pass p;

    if (request_is_invalid(&s->features, &r)) {
        return fault_par(INV_REQ, REASON_S1, 0);
    }
    smmu3_pass_init(&p, s, &r.t, inhibit ? SMMU3_PASS_DRY : SMMU3_PASS_FULL);
    par = run(&p, &r);
    smmu3_pass_count(&p);
    return par;
}
