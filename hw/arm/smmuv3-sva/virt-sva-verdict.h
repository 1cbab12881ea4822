/*
 * Whether Linux will share process address spaces on a machine, and if not,
 * why: a pure function of the SMMU's and the CPUs' features. Linux says
 * nothing when it refuses. Used by virt-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_SVA_VERDICT_H
#define HW_ARM_VIRT_SVA_VERDICT_H

#include "core/spec/id.h"

typedef struct VirtSvaFacts {
    Smmu3Features smmu;
    bool cpu_aarch64;
    unsigned cpu_pa_bits;       /* ID_AA64MMFR0_EL1.PARange, in bits */
    bool cpu_va52_4k;           /* 52-bit VA with 4 KiB and 16 KiB pages */
    bool cpu_va52_64k;          /* and with 64 KiB pages */
    bool bypassed;              /* no PCI function is behind the SMMU */
    bool acpi;                  /* firmware boots the guest, by ACPI */
    bool stalls_by_fdt;         /* an endpoint's node says that it can stall */
} VirtSvaFacts;

/* The smallest IDR5.OAS that @pa_bits fit in. */
unsigned virt_sva_oas_for(unsigned pa_bits);

/*
 * The first reason why every Linux refuses, with what to change; NULL if
 * there is none. Free with g_free().
 */
char *virt_sva_refusal(const VirtSvaFacts *facts);

/*
 * What an endpoint of this machine will lack with every kernel, and what to
 * change; NULL: nothing. Free with g_free().
 */
char *virt_sva_loss(const VirtSvaFacts *facts);

/*
 * What a kernel has to be like, and what will be missing: clauses, with
 * semicolons between them, or an empty string. Free with g_free().
 */
char *virt_sva_remarks(const VirtSvaFacts *facts);

#endif
