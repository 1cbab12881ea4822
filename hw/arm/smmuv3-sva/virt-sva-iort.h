/*
 * What QEMU's IORT leaves out about an SMMU. Used by virt-sva-acpi.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_SVA_IORT_H
#define HW_ARM_VIRT_SVA_IORT_H

#include "core/spec/id.h"

/*
 * Find the IORT among the ACPI tables that @tables is a concatenation of, and
 * make the node of the SMMU at @smmu and the root complex nodes say what @f
 * has: coherency, HTTU, ATS. Doing it again changes nothing. The checksum is
 * the firmware's to compute. False if no IORT has that SMMU.
 */
bool virt_sva_iort_amend(uint8_t *tables, size_t bytes, uint64_t smmu,
                         const Smmu3Features *f);

#endif
