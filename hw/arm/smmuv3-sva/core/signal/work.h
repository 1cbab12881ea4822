/*
 * What things cost, so that one call of the core is bounded by its work and
 * not by a count of things that weigh more or less. Not a clock: the same work
 * is the same number in every run. Used by service.c and command.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_WORK_H
#define SMMU3_WORK_H

/*
 * In units of about 10 ns on a host of 2020; those of the caches' invalidations
 * are theirs to tell. What the host does with a mail is not known here: in QEMU
 * an MSI is a microsecond or two.
 */
enum {
    SMMU3_WORK_COMMAND = 8,
    SMMU3_WORK_MAIL = 64,           /* told to the host */
    SMMU3_WORK_STALL = 24,          /* resolved */
    SMMU3_WORK_RECORD = 16,         /* of a stall, written */
    SMMU3_WORK_ROUND = 32,          /* of the service loop, with its question */

    /* Commands in one hold of the lock, but for what the last one exceeds. */
    SMMU3_WORK_AT_ONCE = 1024,
    /* One smmu3_service(), and so one register write. */
    SMMU3_WORK_PER_SERVICE = 16384,
    /* Stalls resolved, or recorded, in one hold of the lock. */
    SMMU3_STALLS_AT_ONCE = 64,
};

#endif
