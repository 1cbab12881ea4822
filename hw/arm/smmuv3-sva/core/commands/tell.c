/*
 * See tell.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tell.h"
#include "../audit/heard.h"
#include "operands.h"

/* ---- What a command names ---------------------------------------------- */

static Smmu3Heard heard_tlbi(const Smmu3 *s, const uint64_t *cmd)
{
    Smmu3Heard heard = {
        .opcode = smmu3_get(cmd, CMD_OPCODE), .first = 0, .last = UINT64_MAX,
        .asid = smmu3_get(cmd, CMD_ASID), .vmid = smmu3_operand_vmid(s, cmd),
        .vmid_ignore = smmu3_operand_vmid_ignore(s),
    };

    if (smmu3_has_range(heard.opcode)) {
        smmu3_operand_range(s, cmd, &heard.first, &heard.last);
        heard.first = smmu3_heard_address(heard.first);
        heard.last = smmu3_heard_address(heard.last);
    }
    /* Round the end, as the TLB has it: everything */
    if (heard.last < heard.first) {
        heard.first = 0;
        heard.last = UINT64_MAX;
    }
    return heard;
}

static Smmu3Heard heard_atc(const Smmu3 *s, const uint64_t *cmd)
{
    Smmu3AtcInvalidate inv = smmu3_operand_atc(s, cmd);

    return (Smmu3Heard) {
        .opcode = CMD_ATC_INV, .sid = inv.sid, .ssid = inv.ssid,
        .ssv = inv.has_ssid, .global = inv.global, .first = inv.addr,
        .last = inv.addr | smmu3_mask(inv.size_log2),
    };
}

/* Streams instead of addresses. */
static Smmu3Heard heard_cfgi(const uint64_t *cmd)
{
    Smmu3Heard heard = {
        .opcode = smmu3_get(cmd, CMD_OPCODE),
        .sid = smmu3_get(cmd, CMD_STREAMID),
    };

    heard.first = heard.last = heard.sid;
    if (heard.opcode == CMD_CFGI_STE_RANGE) {
        uint64_t mask = smmu3_mask(smmu3_get(cmd, CMD_CFGI_RANGE) + 1);

        heard.first &= ~mask;
        heard.last |= mask;
    }
    if (heard.opcode == CMD_CFGI_CD) {
        heard.ssv = true;
        heard.ssid = smmu3_get(cmd, CMD_SUBSTREAMID);
    }
    return heard;
}

/* One of a single stream that the stream table has no room for. */
static bool is_beyond_table(const Smmu3 *s, const uint64_t *cmd)
{
    uint64_t cr0 = s->regs.cr0ack;

    switch (smmu3_get(cmd, CMD_OPCODE)) {
    case CMD_CFGI_STE:
    case CMD_CFGI_CD:
    case CMD_CFGI_CD_ALL:
    case CMD_ATC_INV:
        return smmu3_get(&cr0, CR0_SMMUEN) &&
               smmu3_get(cmd, CMD_STREAMID) >> smmu3_strtab_log2(s);
    default:
        return false;
    }
}

/* ---- What is told ------------------------------------------------------- */

void smmu3_tell_coming(Smmu3 *s, const uint64_t *cmd)
{
    unsigned opcode = smmu3_get(cmd, CMD_OPCODE);
    Smmu3Heard heard;

    if (smmu3_is_tlbi(opcode)) {
        heard = heard_tlbi(s, cmd);
    } else if (smmu3_is_cfgi(opcode)) {
        heard = heard_cfgi(cmd);
    } else if (opcode == CMD_ATC_INV) {
        heard = heard_atc(s, cmd);
    } else {
        return;
    }
    s->command.work += smmu3_audit_coming(s->audit, cmd, &heard);
}

static void set_miss(const Smmu3 *s, Smmu3Heard *heard, Smmu3Miss miss)
{
    heard->widened = s->command.widened;
    heard->dropped = miss == SMMU3_MISS_DROPPED;
    heard->delayed = miss == SMMU3_MISS_DELAYED;
}

void smmu3_tell_tlbi(Smmu3 *s, const uint64_t *cmd, Smmu3Miss miss)
{
    Smmu3Heard heard;

    if (s->audit) {
        heard = heard_tlbi(s, cmd);
        set_miss(s, &heard, miss);
        s->command.work += smmu3_audit_invalidated(s->audit, &heard);
    }
}

void smmu3_tell_atc(Smmu3 *s, const uint64_t *cmd, Smmu3Miss miss)
{
    Smmu3Heard heard;

    if (s->audit) {
        heard = heard_atc(s, cmd);
        set_miss(s, &heard, miss);
        s->command.work += smmu3_audit_atc_invalidated(s->audit, &heard);
    }
}

void smmu3_tell_consumed(Smmu3 *s, const uint64_t *cmd)
{
    unsigned opcode = smmu3_get(cmd, CMD_OPCODE);

    if (!s->audit) {
        return;
    }
    if (smmu3_is_tlbi(opcode) || smmu3_is_cfgi(opcode) ||
        opcode == CMD_ATC_INV) {
        smmu3_audit_commanded(s->audit, cmd);
    }
    if (is_beyond_table(s, cmd)) {
        smmu3_audit_no_stream(s->audit, cmd, smmu3_get(cmd, CMD_STREAMID));
    }
}
