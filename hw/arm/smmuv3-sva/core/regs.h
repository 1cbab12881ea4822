/*
 * The register file: where each register is, which of its bits can be written
 * and when, and what a write sets off (IHI 0070 chapter 6). Not the work that
 * follows: smmu3_service() does it. Called by smmu3.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_REGS_H
#define SMMU3_REGS_H

#include "signal/state.h"

/* Under the lock: the values after reset. */
void smmu3_regs_reset(Smmu3 *s);
/* Under the lock: bring the copies that translations read up to date. */
void smmu3_regs_publish(Smmu3 *s);

/* Under the lock. */
uint64_t smmu3_regs_read(Smmu3 *s, uint64_t offset, unsigned size);
void smmu3_regs_write(Smmu3 *s, uint64_t offset, uint64_t value,
                      unsigned size);

/* Whether @regs hold nothing that this SMMU's registers could not. */
bool smmu3_regs_plausible(const Smmu3 *s, const Smmu3Regs *regs);

#endif
