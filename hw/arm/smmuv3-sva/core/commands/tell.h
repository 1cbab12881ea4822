/*
 * What the auditor hears of commands, if there is one. Not what it makes of that
 * (core/audit/), nor what a command does. Called by command.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_TELL_H
#define SMMU3_TELL_H

#include "../signal/state.h"

/* A legal command comes: before it does anything. */
void smmu3_tell_coming(Smmu3 *s, const uint64_t *cmd);
/* A TLBI, or a CMD_ATC_INV; @miss: or it does nothing, or not yet. */
void smmu3_tell_tlbi(Smmu3 *s, const uint64_t *cmd, Smmu3Miss miss);
void smmu3_tell_atc(Smmu3 *s, const uint64_t *cmd, Smmu3Miss miss);
/* It was consumed. */
void smmu3_tell_consumed(Smmu3 *s, const uint64_t *cmd);

#endif
