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

