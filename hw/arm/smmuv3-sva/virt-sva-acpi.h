/*
 * virt's ACPI tables with an IORT that says all about the SMMU. Not the
 * tables, which virt builds. Used by virt-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_SVA_ACPI_H
#define HW_ARM_VIRT_SVA_ACPI_H

#include "core/spec/id.h"

/*
 * From now on each set of ACPI tables that virt builds is amended with what
 * the SMMU at @smmu has: @features, which stay the machine's. Call it once,
 * before virt's machine-done notifier.
 */
void virt_sva_acpi_amend(const Smmu3Features *features, uint64_t smmu);

#endif
