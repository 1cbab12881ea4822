/*
 * Interrupts: a GICv3 with its ITS, one CPU, group 1. Not a driver of what
 * interrupts. Called by drivers and tests; handlers run with interrupts masked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_IRQ_H
#define BAREMETAL_IRQ_H

#include "arch.h"

typedef void IrqHandler(void *opaque);

/* The GIC, and no handler. Called once, before anything else here. */
void irq_init(void);

/* A shared peripheral interrupt, rising edge, from now on handled so. */
void irq_connect_spi(unsigned intid, IrqHandler *handler, void *opaque);

/*
 * A message: @device's (its DeviceID) event @event, below IRQ_DEVICE_EVENTS,
 * handled so. Written where irq_doorbell() says, with @event as data.
 */
void irq_connect_msi(uint32_t device, uint32_t event, IrqHandler *handler,
                     void *opaque);
uint64_t irq_doorbell(void);

/* Handlers are forgotten; what comes for them is taken and dropped. */
void irq_disconnect_all(void);

/* Devices that send messages, and what each can send. */
enum { IRQ_DEVICES = 8, IRQ_DEVICE_EVENTS = 32 };

#endif
