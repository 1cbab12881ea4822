/*
 * The CPU and the machine as a guest program sees them: system registers,
 * barriers, device registers, what is where on virt. Not drivers. Included by
 * all of tests/baremetal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_ARCH_H
#define BAREMETAL_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The upper half maps all physical addresses, up to 512 GiB: start.S. */
#define LINEAR_BASE UINT64_C(0xffffff8000000000)

static inline void *at_pa(uint64_t pa)
{
    return (void *)(LINEAR_BASE + pa);
}

static inline uint64_t pa_of(const void *p)
{
    return (uint64_t)p - LINEAR_BASE;
}

/* QEMU's virt (hw/arm/virt.c); a program needs no device tree. */
#define GICD_PA         UINT64_C(0x08000000)
#define GITS_PA         UINT64_C(0x08080000)
#define GICR_PA         UINT64_C(0x080a0000)
#define UART_PA         UINT64_C(0x09000000)
#define SMMU_PA         UINT64_C(0x09050000)
#define PCI_MMIO_PA     UINT64_C(0x10000000)
#define RAM_PA          UINT64_C(0x40000000)
#define RAM_BYTES       UINT64_C(0x20000000)    /* of -m, see run */
#define ECAM_PA         UINT64_C(0x4010000000)
#define SMMU_INTID      106     /* event queue; after it: */
enum { SMMU_INTID_PRIQ = SMMU_INTID + 1, SMMU_INTID_SYNC, SMMU_INTID_GERROR };
/* Nothing answers there. */
#define NOWHERE_PA      UINT64_C(0x3fff0000)

#define sysreg_read(name)                                       \
    ({ uint64_t value_;                                         \
       asm volatile("mrs %0, " name : "=r"(value_) : : "memory"); value_; })
#define sysreg_write(name, value)                               \
    asm volatile("msr " name ", %0" : : "r"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
    asm volatile("isb" : : : "memory");
}

/* What was written before is seen by devices before what comes after. */
static inline void dsb(void)
{
    asm volatile("dsb sy" : : : "memory");
}

static inline void irq_mask(void)
{
    asm volatile("msr daifset, #2" : : : "memory");
}

static inline void irq_unmask(void)
{
    asm volatile("msr daifclr, #2" : : : "memory");
}

static inline uint32_t read32(uint64_t pa)
{
    uint32_t value = *(volatile uint32_t *)at_pa(pa);

    dsb();
    return value;
}

static inline uint64_t read64(uint64_t pa)
{
    uint64_t value = *(volatile uint64_t *)at_pa(pa);

    dsb();
    return value;
}

static inline void write32(uint64_t pa, uint32_t value)
{
    dsb();
    *(volatile uint32_t *)at_pa(pa) = value;
}

static inline void write64(uint64_t pa, uint64_t value)
{
    dsb();
    *(volatile uint64_t *)at_pa(pa) = value;
}

#endif
