/*
 * What the words of a command name, as far as that takes more than a field: a VMID,
 * a range, an invalidation as endpoints hear it. Not what is done with it. Called by
 * command.c and tell.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_OPERANDS_H
#define SMMU3_OPERANDS_H

#include "../signal/state.h"

/* What kind of a command it is, by the order of the opcodes (4.1.2). */
static inline bool smmu3_is_tlbi(unsigned opcode)
{
    return opcode >= CMD_TLBI_NH_ALL && opcode <= CMD_TLBI_NSNH_ALL;
}

static inline bool smmu3_is_cfgi(unsigned opcode)
{
    return opcode >= CMD_CFGI_STE && opcode <= CMD_CFGI_CD_ALL;
}

/* A TLBI by address. */
bool smmu3_has_range(unsigned opcode);

uint16_t smmu3_operand_vmid(const Smmu3 *s, const uint64_t *cmd);
/* The bits of it that CR0.VMW has an invalidation ignore. */
uint16_t smmu3_operand_vmid_ignore(const Smmu3 *s);

/* Of a TLBI by address: log2 of what NUM counts, and all of it. */
unsigned smmu3_operand_scale(const Smmu3Features *f, const uint64_t *cmd);
void smmu3_operand_range(const Smmu3 *s, const uint64_t *cmd, uint64_t *first,
                         uint64_t *last);

/* CMD_ATC_INV, of the batch that is under way. */
Smmu3AtcInvalidate smmu3_operand_atc(const Smmu3 *s, const uint64_t *cmd);

#endif
