/*
 * The kind of walk-oracle: stage 1 of EL1. See oracle.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "oracle.h"

const bool oracle_nested = false;
const bool oracle_is_el2 = false;
const char oracle_path[] = "/baremetal/walk-oracle/stage-1";

void oracle_kind_init(void)
{
}
