/*
 * What differs between the QEMU releases that this project builds on. Not a
 * place for logic. Included by our devices, the SMMU and the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_COMPAT_H
#define HW_PCI_SVA_COMPAT_H

#include "hw/pci/sva/sva-pci-config.h"

/* The memory API's headers moved from exec/ to system/ after 10.0. */
#if __has_include("system/memory.h")
#include "system/memory.h"
#else
#include "exec/memory.h"
#endif
#if __has_include("system/address-spaces.h")
#include "system/address-spaces.h"
#else
#include "exec/address-spaces.h"
#endif

/* Device headers move from hw/ to hw/core/ in 11.x. */
#if __has_include("hw/core/sysbus.h")
#include "hw/core/sysbus.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#else
#include "hw/sysbus.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#endif

/* What PCIIOMMUOps' ATS and PRI members say it with. */
#ifndef SVA_HAVE_PCI_ATS_OPS
#define PCI_NO_PASID UINT32_MAX

typedef enum {
    IOMMU_PRI_RESP_SUCCESS,
    IOMMU_PRI_RESP_INVALID_REQUEST,
    IOMMU_PRI_RESP_FAILURE,
} IOMMUPRIResponseCode;

typedef struct IOMMUPRIResponse {
    IOMMUPRIResponseCode response_code;
    uint16_t prgi;
} IOMMUPRIResponse;
#endif

#ifdef SVA_HAVE_CONST_CLASS_DATA
typedef const void SvaClassData;
#else
typedef void SvaClassData;
#endif

#endif
