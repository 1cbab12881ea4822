/*
 * What an SMMU keeps that software can tell: the values of its registers, and
 * the stalls that await an answer. Not what the registers mean: regs.c. Used by
 * the core, and by a device that saves and loads it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_SAVED_H
#define SMMU3_SAVED_H

#include "../spec/spec.h"

/* A circular queue's registers (IHI 0070 3.5.1, 6.3.26 ff). */
typedef struct Smmu3Queue {
    uint64_t base;
    uint32_t prod;          /* as software sees it: index, wrap, OVFLG */
    uint32_t cons;          /* index, wrap, OVACKFLG or CMDQ_CONS.ERR */
} Smmu3Queue;

/* An MSI configuration triple (6.3.21). */
typedef struct Smmu3IrqConfig {
    uint64_t addr;
    uint32_t data;
    uint32_t attr;          /* *_IRQ_CFG2 */
} Smmu3IrqConfig;

/* All registers that keep a value; a device saves and loads these. */
typedef struct Smmu3Regs {
    uint32_t cr0, cr0ack, cr1, cr2;
    uint32_t gbpa;
    uint32_t irq_ctrl, irq_ctrlack;
    uint32_t gerror, gerrorn;
    uint32_t strtab_base_cfg;
    uint64_t strtab_base;
    Smmu3Queue cmdq, eventq, priq;
    Smmu3IrqConfig gerror_irq, eventq_irq, priq_irq;
    uint64_t gatos_sid, gatos_addr, gatos_par;
    uint32_t gatos_ctrl;
} Smmu3Regs;

/* A stall that awaits CMD_RESUME, as saved. */
typedef struct Smmu3SavedStall {
    uint32_t sid;
    uint16_t stag;
    uint8_t recorded;       /* its event is in the queue */
    uint64_t event[SMMU3_EVENT_WORDS];
} Smmu3SavedStall;

#endif
