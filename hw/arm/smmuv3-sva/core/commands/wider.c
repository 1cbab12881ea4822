/*
 * See wider.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wider.h"
#include <string.h>

/* By opcode; 0: by another field, or there is none. */
static const uint8_t wider_opcode[256] = {
    [CMD_TLBI_NH_VA] = CMD_TLBI_NH_ASID,
    [CMD_TLBI_NH_VAA] = CMD_TLBI_NH_ALL,
    [CMD_TLBI_NH_ASID] = CMD_TLBI_NH_ALL,
    [CMD_TLBI_NH_ALL] = CMD_TLBI_NSNH_ALL,
    [CMD_TLBI_S2_IPA] = CMD_TLBI_S12_VMALL,
    [CMD_TLBI_S12_VMALL] = CMD_TLBI_NSNH_ALL,
    [CMD_TLBI_EL2_VA] = CMD_TLBI_EL2_ALL,
    [CMD_TLBI_EL2_VAA] = CMD_TLBI_EL2_ALL,
    [CMD_TLBI_EL2_ASID] = CMD_TLBI_EL2_ALL,
    [CMD_CFGI_CD] = CMD_CFGI_CD_ALL,
    [CMD_CFGI_CD_ALL] = CMD_CFGI_STE_RANGE,
    [CMD_CFGI_STE] = CMD_CFGI_STE_RANGE,
};

/* What says "all": a command that is as wide already has no wider one. */
static bool set_all(uint64_t *cmd)
{
    switch (smmu3_get(cmd, CMD_OPCODE)) {
    case CMD_CFGI_STE_RANGE:
        if (smmu3_get(cmd, CMD_CFGI_RANGE) == CMD_CFGI_RANGE_ALL) {
            return false;
        }
        smmu3_set(cmd, CMD_CFGI_RANGE, CMD_CFGI_RANGE_ALL);
        return true;
    case CMD_ATC_INV:
        if (smmu3_get(cmd, CMD_ATC_SIZE) == CMD_ATC_SIZE_ALL) {
            return false;
        }
        smmu3_set(cmd, CMD_ATC_SIZE, CMD_ATC_SIZE_ALL);
        return true;
    default:
        return false;
    }
}

bool smmu3_command_wider(const uint64_t cmd[SMMU3_CMD_WORDS],
                         uint64_t wider[SMMU3_CMD_WORDS])
{
    unsigned opcode = wider_opcode[smmu3_get(cmd, CMD_OPCODE)];

    memcpy(wider, cmd, SMMU3_CMD_WORDS * sizeof(*cmd));
    if (opcode == CMD_CFGI_STE_RANGE) {
        smmu3_set(wider, CMD_CFGI_RANGE, CMD_CFGI_RANGE_ALL);
    }
    if (opcode) {
        smmu3_set(wider, CMD_OPCODE, opcode);
        return true;
    }
    return set_all(wider);
}
