/*
 * See fault.h. The records of IHI 0070 7.3, type by type.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fault.h"

static void put_substream(const Smmu3Transaction *t,
                          uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_set(event, EVENT_SSV, t->ssv);
    smmu3_set(event, EVENT_SUBSTREAMID, t->ssv ? t->ssid : 0);
}

/* PnU, InD and RnW; a write is never an instruction. */
static void put_access(bool priv, bool ind, bool write,
                       uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_set(event, EVENT_PNU, priv);
    smmu3_set(event, EVENT_IND, ind && !write);
    smmu3_set(event, EVENT_RNW, !write);
}

static void put_input(const Smmu3Transaction *t, const Smmu3Fault *fault,
                      uint64_t event[SMMU3_EVENT_WORDS])
{
    put_access(fault->priv, fault->ind, fault->write, event);
    smmu3_set(event, EVENT_INPUT_ADDR, t->addr);
}

/* F_BAD_ATS_TREQ: what the request asked for, one translation unit. */
static void put_ats_request(const Smmu3Transaction *t,
                            uint64_t event[SMMU3_EVENT_WORDS])
{
    smmu3_set(event, EVENT_TREQ_SPAN, 1);
    smmu3_set(event, EVENT_TREQ_R, 1);
    smmu3_set(event, EVENT_TREQ_W, !!(t->access & SMMU3_WRITE));
    smmu3_set(event, EVENT_TREQ_X, t->ind);
    smmu3_set(event, EVENT_TREQ_P, t->priv);
    smmu3_set(event, EVENT_INPUT_ADDR, t->addr & ~UINT64_C(0xfff));
}

static void put_translation_fault(const Smmu3Transaction *t,
                                  const Smmu3Fault *fault,
                                  uint64_t event[SMMU3_EVENT_WORDS])
{
    put_input(t, fault, event);
    smmu3_set(event, EVENT_S2, fault->stage2);
    smmu3_set(event, EVENT_CLASS, fault->class);
    if (fault->stage2) {
        smmu3_set_addr(event, EVENT_IPA, fault->ipa);
    }
    if (fault->type == F_PERMISSION && fault->class == CLASS_TT) {
        smmu3_set(event, EVENT_TTRNW, !fault->tt_write);
    }
}

void smmu3_event_build(const Smmu3Transaction *t, const Smmu3Fault *fault,
                       uint64_t event[SMMU3_EVENT_WORDS])
{
    for (unsigned i = 0; i < SMMU3_EVENT_WORDS; i++) {
        event[i] = 0;
    }
    smmu3_set(event, EVENT_TYPE, fault->type);
    smmu3_set(event, EVENT_STREAMID, t->sid);
    if (fault->type != F_STREAM_DISABLED &&
        fault->type != F_TRANSL_FORBIDDEN) {
        put_substream(t, event);
    }

    switch (fault->type) {
    case F_UUT:
        /* As received, whatever the STE overrides */
        put_access(t->priv, t->ind, !!(t->access & SMMU3_WRITE), event);
        smmu3_set(event, EVENT_INPUT_ADDR, t->addr);
        break;
    case F_STE_FETCH:
    case F_CD_FETCH:
    case F_VMS_FETCH:
        smmu3_set_addr(event, EVENT_FETCH_ADDR, fault->fetch_addr);
        break;
    case F_BAD_ATS_TREQ:
        put_ats_request(t, event);
        break;
    case F_TRANSL_FORBIDDEN:
        smmu3_set(event, EVENT_RNW, !(t->access & SMMU3_WRITE));
        smmu3_set(event, EVENT_INPUT_ADDR, t->addr);
        break;
    case C_BAD_SUBSTREAMID:
        /* The SubstreamID is always valid, so there is no SSV (7.3.9) */
        smmu3_set(event, EVENT_SSV, 0);
        break;
    case F_WALK_EABT:
        put_input(t, fault, event);
        smmu3_set(event, EVENT_S2, fault->stage2);
        smmu3_set(event, EVENT_CLASS, fault->class);
        smmu3_set_addr(event, EVENT_FETCH_ADDR, fault->fetch_addr);
        break;
    case F_TRANSLATION:
    case F_ADDR_SIZE:
    case F_ACCESS:
    case F_PERMISSION:
        put_translation_fault(t, fault, event);
        break;
    case F_TLB_CONFLICT:
        put_input(t, fault, event);
        smmu3_set(event, EVENT_S2, fault->stage2);
        if (fault->stage2) {
            smmu3_set_addr(event, EVENT_IPA, fault->ipa);
        }
        break;
    default:
        break;      /* nothing beyond the stream and the substream */
    }
}

