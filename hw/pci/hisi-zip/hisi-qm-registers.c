/*
 * HiSilicon queue manager: what its registers hold. Not what a write does, and
 * no BAR, which is hisi-qm.c's. Called by all of hisi-qm*.c and by the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-qm.h"
#include "hisi-qm-regs.h"

static const struct {
    uint32_t offset, bytes;
} windows[] = {
    { 0x000000, 0x4000 },   /* function */
    { 0x100000, 0x1000 },   /* queue manager */
    { 0x104000, 0x1000 },   /* its counters */
    { 0x300000, 0xd000 },   /* engine: bus, ZIP, its cores */
};

/* NULL outside of the windows. */
static uint32_t *reg_at(HisiQm *qm, hwaddr offset)
{
    unsigned first = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(windows); i++) {
        if (offset >= windows[i].offset &&
            offset - windows[i].offset < windows[i].bytes) {
            return &qm->regs[first + (offset - windows[i].offset) / 4];
        }
        first += windows[i].bytes / 4;
    }
    return NULL;
}

uint32_t hisi_qm_reg(HisiQm *qm, hwaddr offset)
{
    uint32_t *reg = reg_at(qm, offset);

    return reg ? *reg : 0;
}

void hisi_qm_set_reg(HisiQm *qm, hwaddr offset, uint32_t value)
{
    uint32_t *reg = reg_at(qm, offset);

    if (reg) {
        *reg = value;
    }
}
