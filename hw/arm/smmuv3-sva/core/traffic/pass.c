/*
 * See pass.h. The rules of IHI 0070 3.3.2, 5.2 and 5.5 that need nothing but
 * what the pass knows already.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pass.h"

bool smmu3_pass_find_substream(Smmu3Pass *p)
{
    const Smmu3Stream *stream = &p->config.stream;
    const Smmu3Transaction *t = p->t;

    p->cd_index = 0;
    if (!stream->s1 || stream->s1cdmax == 0) {
        p->stage1 = stream->s1;
        return !t->ssv || smmu3_pass_fail(p, C_BAD_SUBSTREAMID);
    }
    p->stage1 = true;
    if (t->ssv) {
        if (t->ssid >> stream->s1cdmax) {
            return smmu3_pass_fail(p, C_BAD_SUBSTREAMID);
        }
        if (t->ssid == 0 && stream->s1dss == STE_S1DSS_CD0) {
            return smmu3_pass_fail(p, F_STREAM_DISABLED);
        }
        p->cd_index = t->ssid;
        return true;
    }
    switch (stream->s1dss) {
    case STE_S1DSS_BYPASS:
        p->stage1 = false;
        return true;
    case STE_S1DSS_CD0:
        return true;
    default:
        return smmu3_pass_fail(p, F_STREAM_DISABLED);
    }
}

void smmu3_pass_count(const Smmu3Pass *p)
{
    _Atomic uint64_t *counters = (_Atomic uint64_t *)&p->s->counters;

    for (unsigned i = 0; i < SMMU3_HOT_COUNTS; i++) {
        if (p->counts[i] && p->mode != SMMU3_PASS_DRY) {
            smmu3_count_many(&counters[i], p->counts[i]);
        }
    }
}

bool smmu3_is_translation_related(Smmu3EventType type)
{
    return type == F_TRANSLATION || type == F_ADDR_SIZE || type == F_ACCESS ||
           type == F_PERMISSION;
}

bool smmu3_pass_is_controlled(const Smmu3Pass *p)
{
    return smmu3_is_translation_related(p->fault.type) && !p->terminal;
}

bool smmu3_pass_is_recorded(const Smmu3Pass *p)
{
    uint64_t cr2 = p->s->regs.cr2;
    bool invalid_sid = p->fault.type == C_BAD_STREAMID;
    bool recinvsid = smmu3_get(&cr2, CR2_RECINVSID);
    bool rec_cfg_ats = smmu3_get(&cr2, CR2_REC_CFG_ATS);

    switch (p->fault.type) {
    case EVENT_NONE:
        return false;
    case F_BAD_ATS_TREQ:
    case F_TRANSL_FORBIDDEN:
        return true;
    default:
        break;
    }
    switch (p->t->type) {
    case SMMU3_ATS_REQUEST:
        return rec_cfg_ats && (recinvsid || !invalid_sid);
    case SMMU3_ATS_TRANSLATED:
        return rec_cfg_ats || p->in_tables || p->terminal;
    default:
        return recinvsid || !invalid_sid;
    }
}

/* Without PASIDTT, Translated transactions have no SubstreamID (3.9.1.3). */
