/*
 * Address translation operations: software asks by registers how an address
 * would be translated (IHI 0070 chapter 9). Not VATOS. Called by regs.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_GATOS_H
#define SMMU3_GATOS_H

#include "../signal/state.h"

/*
 * Under the lock, with SMMUEN=1: do what GATOS_SID and GATOS_ADDR ask for and
 * return GATOS_PAR. Records no event and stalls nothing; updates flags in
 * descriptors (HTTU) unless HTTUI forbids it.
 */
uint64_t smmu3_gatos_run(Smmu3 *s);

#endif
