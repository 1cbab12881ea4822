/*
 * Where a guest program begins: EL1, the MMU, a stack, the exception vectors.
 * Not an operating system: one CPU, one address space, no return from a fault.
 * Entered by QEMU (-kernel), calls main(). A program that defines guest_at_el2
 * as 1 stays at EL2, with the Virtualization Host Extensions: the registers of
 * EL1 that it names are those of EL2, and so it all looks the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define BLOCK           0x401           /* AF, block, AttrIndx 0 */
#define NORMAL          (3 << 8)        /* inner shareable */
#define DEVICE          (1 << 2)        /* AttrIndx 1 */
#define XN              (3 << 53)       /* UXN and PXN */
#define UXN             (1 << 54)
#define RAM_GIB         1               /* the GiB that holds the RAM */
#define HCR_RW          (1 << 31)
#define HCR_E2H         (1 << 34)
#define HCR_TO_EL2      (7 << 3)        /* AMO, IMO, FMO */

/*
 * TCR_EL1: both halves 39 bits, 4 KiB, cacheable, inner shareable; 40-bit
 * output. One table of 512 blocks of 1 GiB serves both halves.
 */
#define HALF            (25 | 1 << 8 | 1 << 10 | 3 << 12)
#define TG1_4K          (2 << 30)
#define IPS_40          (2 << 32)
#define TCR             (HALF | HALF << 16 | TG1_4K | IPS_40)
#define MAIR            0x04ff          /* 0: Normal write-back, 1: nGnRE */
/* M, C, I, SA, and what is RES1 without later extensions */
#define SCTLR           0x30d0180d

    .section .text.start, "ax"
    .globl  _start
_start:
    msr     daifset, #0xf
    mrs     x0, CurrentEL
    cmp     x0, #(1 << 2)
    b.eq    at_el1

    adrp    x0, guest_at_el2
    ldrb    w0, [x0, :lo12:guest_at_el2]
    cbz     w0, 1f
    ldr     x0, =(HCR_RW | HCR_E2H | HCR_TO_EL2)
    msr     hcr_el2, x0
    isb
    mrs     x0, S3_4_C12_C9_5           /* ICC_SRE_EL2 */
    orr     x0, x0, #8
    orr     x0, x0, #1
    msr     S3_4_C12_C9_5, x0
    msr     cntvoff_el2, xzr
    b       at_el1

    /* To EL1, which has AArch64, the GIC's registers and the counter. */
1:  mov     x0, #HCR_RW
    msr     hcr_el2, x0
    mrs     x0, S3_4_C12_C9_5           /* ICC_SRE_EL2 */
    orr     x0, x0, #8                  /* and SRE */
    orr     x0, x0, #1
    msr     S3_4_C12_C9_5, x0
    mov     x0, #3
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mov     x0, #0x3c5                  /* EL1h, all masked */
    msr     spsr_el2, x0
    adr     x0, at_el1
    msr     elr_el2, x0
    eret

at_el1:
    adrp    x0, __bss_start
    add     x0, x0, :lo12:__bss_start
    adrp    x1, __bss_end
    add     x1, x1, :lo12:__bss_end
1:  cmp     x0, x1
    b.hs    2f
    stp     xzr, xzr, [x0], #16
    b       1b

2:  adrp    x0, linear_map
    mov     x1, #0
    ldr     x2, =(BLOCK | DEVICE | XN)
    ldr     x3, =(BLOCK | NORMAL | UXN)
3:  cmp     x1, #RAM_GIB
    csel    x4, x3, x2, eq
    orr     x4, x4, x1, lsl #30
    str     x4, [x0, x1, lsl #3]
    add     x1, x1, #1
    cmp     x1, #512
    b.ne    3b

    msr     ttbr0_el1, x0
    msr     ttbr1_el1, x0
    ldr     x1, =TCR
    msr     tcr_el1, x1
    ldr     x1, =MAIR
    msr     mair_el1, x1
    bl      flush
    ldr     x1, =SCTLR
    msr     sctlr_el1, x1
    isb
    ldr     x1, =upper_half
    br      x1

upper_half:
    ldr     x1, =(TCR | 1 << 7)         /* EPD0: nothing is at low addresses */
    msr     tcr_el1, x1
    bl      flush
    ldr     x1, =stack_end
    mov     sp, x1
    ldr     x1, =vectors
    msr     vbar_el1, x1
    isb
    bl      console_init
    bl      main
    mov     w0, #1
    b       guest_exit

/* The TLB of this exception level */
flush:
    mrs     x1, CurrentEL
    cmp     x1, #(1 << 2)
    b.eq    1f
    tlbi    alle2
    b       2f
1:  tlbi    vmalle1
2:  dsb     sy
    isb
    ret
    .ltorg

    .section .rodata
    .weak   guest_at_el2
guest_at_el2:
    .byte   0

/* ---- Exceptions --------------------------------------------------------- */

    .text
    .macro  fatal number
    .balign 0x80
    mov     x0, #\number
    b       fatal_entry
    .endm

    .balign 0x800
vectors:
    fatal   0
    fatal   1
    fatal   2
    fatal   3
    fatal   4                           /* synchronous, in a program */
    .balign 0x80
    b       irq_entry
    fatal   6
    fatal   7
    fatal   8
    fatal   9
    fatal   10
    fatal   11
    fatal   12
    fatal   13
    fatal   14
    fatal   15

fatal_entry:
    mrs     x1, esr_el1
    mrs     x2, elr_el1
    mrs     x3, far_el1
    ldr     x4, =stack_end
    mov     sp, x4
    b       guest_fatal

/* What a C function may change, and where to go on. */
irq_entry:
    sub     sp, sp, #192
    stp     x0, x1, [sp]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x29, [sp, #144]
    mrs     x0, elr_el1
    mrs     x1, spsr_el1
    stp     x30, x0, [sp, #160]
    str     x1, [sp, #176]
    bl      irq_dispatch
    ldr     x1, [sp, #176]
    ldp     x30, x0, [sp, #160]
    msr     elr_el1, x0
    msr     spsr_el1, x1
    ldp     x0, x1, [sp]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x29, [sp, #144]
    add     sp, sp, #192
    eret

/* ---- A place to come back to -------------------------------------------- */

/* bool place_save(Place *): false; true when it comes from place_return() */
    .globl  place_save
place_save:
    stp     x19, x20, [x0]
    stp     x21, x22, [x0, #16]
    stp     x23, x24, [x0, #32]
    stp     x25, x26, [x0, #48]
    stp     x27, x28, [x0, #64]
    stp     x29, x30, [x0, #80]
    mov     x1, sp
    str     x1, [x0, #96]
    mov     w0, #0
    ret

/* void place_return(const Place *) */
    .globl  place_return
place_return:
    ldp     x19, x20, [x0]
    ldp     x21, x22, [x0, #16]
    ldp     x23, x24, [x0, #32]
    ldp     x25, x26, [x0, #48]
    ldp     x27, x28, [x0, #64]
    ldp     x29, x30, [x0, #80]
    ldr     x1, [x0, #96]
    mov     sp, x1
    mov     w0, #1
    ret

    .bss
    .balign 0x1000
    .globl  linear_map
linear_map:
    .space  0x1000
    .balign 16
    .space  0x10000
stack_end:
