/*
 * Message-signalled interrupts by the GIC's ITS. Part of the interrupts of
 * irq.h, which is what drivers call. Called by irq.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_ITS_H
#define BAREMETAL_ITS_H

#include "arch.h"

#define ITS_FIRST_LPI 8192

void its_init(uint8_t priority);
void its_dispatch(unsigned intid);
void its_disconnect_all(void);

#endif
