/*
 * The timers of EL2 when the machine goes on after it was loaded. Not the
 * timers themselves: those are the CPU's. Used by virt-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_SVA_TIMERS_H
#define HW_ARM_VIRT_SVA_TIMERS_H

/* Once, when the machine is made. */
void virt_sva_keep_el2_timers(void);

#endif
