/*
 * What QEMU's IORT leaves out about an SMMU. Used by virt-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_SVA_IORT_H
#define HW_ARM_VIRT_SVA_IORT_H

#include "core/spec/id.h"

/*
 * Find the IORT among the ACPI tables that @tables is a concatenation of, and
 * make its SMMUv3 and root complex nodes say what @f has: coherency, HTTU,
 * ATS. The checksum is the firmware's to compute. False if there is no IORT
 * with an SMMUv3 node: @tables is then not to be used.
 */
bool virt_sva_iort_amend(uint8_t *tables, size_t bytes,
                         const Smmu3Features *f);

#endif
