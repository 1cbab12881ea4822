/*
 * See names.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "names.h"
#include <stddef.h>
#include "spec.h"

const char *smmu3_event_name(unsigned type)
{
    switch (type) {
    case EVENT_NONE:
        return "none";
    case F_UUT:
        return "F_UUT";
    case C_BAD_STREAMID:
        return "C_BAD_STREAMID";
    case F_STE_FETCH:
        return "F_STE_FETCH";
    case C_BAD_STE:
        return "C_BAD_STE";
    case F_BAD_ATS_TREQ:
        return "F_BAD_ATS_TREQ";
    case F_STREAM_DISABLED:
        return "F_STREAM_DISABLED";
    case F_TRANSL_FORBIDDEN:
        return "F_TRANSL_FORBIDDEN";
    case C_BAD_SUBSTREAMID:
        return "C_BAD_SUBSTREAMID";
    case F_CD_FETCH:
        return "F_CD_FETCH";
    case C_BAD_CD:
        return "C_BAD_CD";
    case F_WALK_EABT:
        return "F_WALK_EABT";
    case F_TRANSLATION:
        return "F_TRANSLATION";
    case F_ADDR_SIZE:
        return "F_ADDR_SIZE";
    case F_ACCESS:
        return "F_ACCESS";
    case F_PERMISSION:
        return "F_PERMISSION";
    case F_TLB_CONFLICT:
        return "F_TLB_CONFLICT";
    case F_CFG_CONFLICT:
        return "F_CFG_CONFLICT";
    case E_PAGE_REQUEST:
        return "E_PAGE_REQUEST";
    case F_VMS_FETCH:
        return "F_VMS_FETCH";
    default:
        return NULL;
    }
}

const char *smmu3_command_name(unsigned opcode)
{
    switch (opcode) {
    case CMD_PREFETCH_CONFIG:   return "CMD_PREFETCH_CONFIG";
    case CMD_PREFETCH_ADDR:     return "CMD_PREFETCH_ADDR";
    case CMD_CFGI_STE:          return "CMD_CFGI_STE";
    case CMD_CFGI_STE_RANGE:    return "CMD_CFGI_STE_RANGE";
    case CMD_CFGI_CD:           return "CMD_CFGI_CD";
    case CMD_CFGI_CD_ALL:       return "CMD_CFGI_CD_ALL";
    case CMD_CFGI_VMS_PIDM:     return "CMD_CFGI_VMS_PIDM";
    case CMD_TLBI_NH_ALL:       return "CMD_TLBI_NH_ALL";
    case CMD_TLBI_NH_ASID:      return "CMD_TLBI_NH_ASID";
    case CMD_TLBI_NH_VA:        return "CMD_TLBI_NH_VA";
    case CMD_TLBI_NH_VAA:       return "CMD_TLBI_NH_VAA";
    case CMD_TLBI_EL3_ALL:      return "CMD_TLBI_EL3_ALL";
    case CMD_TLBI_EL3_VA:       return "CMD_TLBI_EL3_VA";
    case CMD_TLBI_EL2_ALL:      return "CMD_TLBI_EL2_ALL";
    case CMD_TLBI_EL2_ASID:     return "CMD_TLBI_EL2_ASID";
    case CMD_TLBI_EL2_VA:       return "CMD_TLBI_EL2_VA";
    case CMD_TLBI_EL2_VAA:      return "CMD_TLBI_EL2_VAA";
    case CMD_TLBI_S12_VMALL:    return "CMD_TLBI_S12_VMALL";
    case CMD_TLBI_S2_IPA:       return "CMD_TLBI_S2_IPA";
    case CMD_TLBI_NSNH_ALL:     return "CMD_TLBI_NSNH_ALL";
    case CMD_ATC_INV:           return "CMD_ATC_INV";
    case CMD_PRI_RESPONSE:      return "CMD_PRI_RESP";
    case CMD_RESUME:            return "CMD_RESUME";
    case CMD_STALL_TERM:        return "CMD_STALL_TERM";
    case CMD_SYNC:              return "CMD_SYNC";
    default:                    return "CMD_?";
    }
}
