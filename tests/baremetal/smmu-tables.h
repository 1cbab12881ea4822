/*
 * The stream table, between the two files of the SMMU's driver: smmu.c has it,
 * smmu-streams.c writes it. Nobody else includes this.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_SMMU_TABLES_H
#define BAREMETAL_SMMU_TABLES_H

#include <stdint.h>

enum { SMMU_SID_LOG2 = 8 };     /* bus 0 */

uint64_t *smmu_ste(uint32_t sid);

#endif
