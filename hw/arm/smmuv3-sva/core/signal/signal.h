/*
 * What the SMMU raises: words for the log, mail for the host, GERROR and
 * interrupts. Not why: that is the caller's. Called by all floors above, under
 * the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_SIGNAL_H
#define SMMU3_SIGNAL_H

#include "state.h"

/* Put @mail into the outbox, and have it delivered. */
void smmu3_post(Smmu3 *s, const Smmu3Mail *mail);

/* A guest's mistake worth a line in the log. */
void smmu3_guest_error(Smmu3 *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/*
 * Activate errors that are not active yet, a mask of GERROR bits, and
 * arrange for the interrupt (IHI 0070 6.3.19).
 */
void smmu3_gerror_raise(Smmu3 *s, uint32_t errors);
/* The errors that are active: GERROR differs from GERRORN. */
uint32_t smmu3_gerror_active(const Smmu3 *s);

/*
 * Put an interrupt's wire and MSI in the outbox, if IRQ_CTRL lets it happen
 * now (IHI 0070 3.18).
 */
void smmu3_interrupt(Smmu3 *s, Smmu3Irq line);

/*
 * IRQ_CTRL disables them, a mask of its bits: one that is delayed must not come any
 * more, by an address, say, that is another's by now.
 */
void smmu3_interrupts_disabled(Smmu3 *s, uint64_t cleared);

/*
 * For an interrupt that is about to be put into the outbox: inject= has it not
 * come, or not now.
 */
bool smmu3_interrupt_goes_wrong(Smmu3 *s, Smmu3InjectWhat what,
                                const Smmu3Mail *mail);
/* One that was delayed comes. */
void smmu3_interrupt_late(Smmu3 *s, const Smmu3Late *late);

#endif
