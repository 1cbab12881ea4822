/*
 * Invalidations that were asked to remove more than they say, which they always
 * may: what each becomes. Not when: inject.h. Called by command.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_WIDER_H
#define SMMU3_WIDER_H

#include <stdbool.h>
#include "../spec/spec.h"

/*
 * The next wider one: an ASID for an address, a VMID for an ASID or for every
 * ASID's address, a stream for a CD, everything for a stream, all of an endpoint's
 * addresses for some. False: there is none. It need not cover @cmd: entries that
 * are global have an address and no ASID.
 */
bool smmu3_command_wider(const uint64_t cmd[SMMU3_CMD_WORDS],
                         uint64_t wider[SMMU3_CMD_WORDS]);

#endif
