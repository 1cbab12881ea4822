/*
 * Asks the CPU how it translates an address under another translation regime.
 * void oracle_probe(OracleProbe *); see oracle-cpu.c. Meanwhile there is no
 * memory but this code, so all is in registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
    .arch   armv8.2-a

    .macro  ask operation, result
    at      \operation, x4
    isb
    mrs     \result, par_el1
    .endm

    .text
    .globl  oracle_probe
oracle_probe:
    mrs     x9, daif
    msr     daifset, #0xf
    ldp     x1, x2, [x0]                /* TCR, TTBR0 */
    ldp     x3, x4, [x0, #16]           /* TTBR1, address */
    ldp     x5, x6, [x0, #32]           /* PAN, distance to where to run */
    mrs     x10, tcr_el1
    mrs     x11, ttbr0_el1
    mrs     x12, ttbr1_el1
    adr     x13, back
    adr     x14, there
    sub     x14, x14, x6
    br      x14

there:
    msr     ttbr0_el1, x2
    msr     ttbr1_el1, x3
    isb
    msr     tcr_el1, x1
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    cbnz    x5, 1f
    ask     s1e1r, x2
    ask     s1e1w, x3
    b       2f
1:  msr     pan, x5
    at      s1e1rp, x4
    isb
    mrs     x2, par_el1
    at      s1e1wp, x4
    isb
    mrs     x3, par_el1
    msr     pan, xzr
2:  ask     s1e0r, x7
    ask     s1e0w, x8
    msr     tcr_el1, x10
    isb
    msr     ttbr0_el1, x11
    msr     ttbr1_el1, x12
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    br      x13

back:
    stp     x2, x3, [x0, #48]
    stp     x7, x8, [x0, #64]
    msr     daif, x9
    ret
