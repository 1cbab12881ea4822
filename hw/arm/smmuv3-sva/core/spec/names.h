/*
 * Names of numbers, as the specification spells them, for people to read. Not
 * messages: those are their callers'. Used by explain.c, by the auditor
 * and by whoever traces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_NAMES_H
#define SMMU3_NAMES_H

/* "F_TRANSLATION" and so on; NULL for a number that means nothing. */
const char *smmu3_event_name(unsigned type);
/* "CMD_SYNC" and so on; "CMD_?". */
const char *smmu3_command_name(unsigned opcode);

#endif
