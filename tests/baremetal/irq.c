/*
 * See irq.h. The distributor, the redistributor and the CPU interface; the
 * messages are its.c's. Registers as in Arm IHI 0069, 12.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "console.h"
#include "irq.h"
#include "its.h"

#define GICD_CTLR           0x0000
#define GICD_CTLR_GRP1      (1u << 1)
#define GICD_CTLR_ARE       (1u << 4)
#define GICD_CTLR_RWP       (1u << 31)
#define GICD_IGROUPR        0x0080
#define GICD_ISENABLER      0x0100
#define GICD_ICPENDR        0x0280
#define GICD_IPRIORITYR     0x0400
#define GICD_ICFGR          0x0c00
#define GICD_IROUTER        0x6000

#define GICR_WAKER          0x0014
#define GICR_WAKER_SLEEP    (1u << 1)
#define GICR_WAKER_ASLEEP   (1u << 2)

#define ICC_SRE_EL1         "S3_0_C12_C12_5"
#define ICC_PMR_EL1         "S3_0_C4_C6_0"
#define ICC_IGRPEN1_EL1     "S3_0_C12_C12_7"
#define ICC_IAR1_EL1        "S3_0_C12_C12_0"
#define ICC_EOIR1_EL1       "S3_0_C12_C12_1"
#define INTID_NONE          1020    /* and above, to 1023 */

#define PRIORITY            0xa0
#define MAX_SPI             288

typedef struct Line {
    IrqHandler *handler;
    void *opaque;
} Line;

static Line spis[MAX_SPI];

void irq_dispatch(void);    /* called by start.S */

void irq_init(void)
{
    write32(GICD_PA + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
    while (read32(GICD_PA + GICD_CTLR) & GICD_CTLR_RWP) {
        continue;
    }
    write32(GICR_PA + GICR_WAKER,
            read32(GICR_PA + GICR_WAKER) & ~GICR_WAKER_SLEEP);
    while (read32(GICR_PA + GICR_WAKER) & GICR_WAKER_ASLEEP) {
        continue;
    }
    its_init(PRIORITY);
    sysreg_write(ICC_SRE_EL1, 7);
    isb();
    sysreg_write(ICC_PMR_EL1, 0xff);
    sysreg_write(ICC_IGRPEN1_EL1, 1);
    isb();
}

void irq_connect_spi(unsigned intid, IrqHandler *handler, void *opaque)
{
    uint32_t bit = 1u << (intid % 32);
    uint64_t word = intid / 32 * 4;
    uint64_t config = GICD_PA + GICD_ICFGR + intid / 16 * 4;
    uint64_t priority = GICD_PA + GICD_IPRIORITYR + intid / 4 * 4;

    spis[intid] = (Line) { handler, opaque };
    write32(GICD_PA + GICD_IGROUPR + word,
            read32(GICD_PA + GICD_IGROUPR + word) | bit);
    write32(config, read32(config) | 2u << (intid % 16 * 2));
    write32(priority, read32(priority) | PRIORITY << (intid % 4 * 8));
    write64(GICD_PA + GICD_IROUTER + intid * 8, 0);     /* affinity 0.0.0.0 */
    write32(GICD_PA + GICD_ICPENDR + word, bit);
    write32(GICD_PA + GICD_ISENABLER + word, bit);
}

void irq_disconnect_all(void)
{
    for (unsigned i = 0; i < MAX_SPI; i++) {
        spis[i] = (Line) { NULL, NULL };
    }
    its_disconnect_all();
}

void irq_dispatch(void)
{
    for (;;) {
        unsigned intid = sysreg_read(ICC_IAR1_EL1) & 0xffffff;

        if (intid >= INTID_NONE && intid < ITS_FIRST_LPI) {
            return;
        }
        if (intid >= ITS_FIRST_LPI) {
            its_dispatch(intid);
        } else if (intid < MAX_SPI && spis[intid].handler) {
            spis[intid].handler(spis[intid].opaque);
        }
        sysreg_write(ICC_EOIR1_EL1, intid);
        isb();
    }
}
