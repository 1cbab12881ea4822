/*
 * The kind of e2h-oracle: stage 1 of EL2 and EL0 where EL2 is a host's, with
 * the Virtualization Host Extensions. See oracle.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "oracle.h"

const bool oracle_nested = false;
const bool oracle_is_el2 = true;
const char oracle_path[] = "/baremetal/e2h-oracle/stage-1";

extern const uint8_t guest_at_el2;      /* start.S */
const uint8_t guest_at_el2 = 1;

/* AT S1E1* and S1E0* are then about EL2 and its EL0. */
#define HCR_TGE (UINT64_C(1) << 27)

void oracle_kind_init(void)
{
    sysreg_write("hcr_el2", sysreg_read("hcr_el2") | HCR_TGE);
    isb();
}
