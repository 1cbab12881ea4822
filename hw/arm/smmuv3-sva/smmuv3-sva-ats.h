/*
 * ATS and page requests by QEMU's own functions, where it has them (10.1 and
 * later). Not the port's, which smmuv3-sva-port.c has. For the files of the PCI
 * side.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_ATS_H
#define HW_ARM_SMMUV3_SVA_ATS_H

#include "smmuv3-sva-pci.h"

/*
 * Members of PCIIOMMUOps for devices that speak ATS and PRI through PCI's own
 * functions, from QEMU 10.1 on (smmuv3-sva-ats.c). Synchronous: no stalls.
 */
#ifdef SVA_HAVE_PCI_ATS_OPS
void smmuv3_sva_get_iotlb_info(void *opaque, uint8_t *addr_width,
                               uint32_t *min_page_size);
void smmuv3_sva_init_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                    IOMMUNotifier *n, IOMMUNotify notify,
                                    void *user_opaque);
void smmuv3_sva_register_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                        uint32_t pasid, IOMMUNotifier *n);
void smmuv3_sva_unregister_iotlb_notifier(PCIBus *bus, void *opaque,
                                          int devfn, uint32_t pasid,
                                          IOMMUNotifier *n);
ssize_t smmuv3_sva_ats_request_translation(PCIBus *bus, void *opaque,
                                           int devfn, uint32_t pasid,
                                           bool priv, bool exec, hwaddr addr,
                                           size_t length, bool no_write,
                                           IOMMUTLBEntry *result,
                                           size_t result_length,
                                           uint32_t *err_count);
void smmuv3_sva_pri_register_notifier(PCIBus *bus, void *opaque, int devfn,
                                      uint32_t pasid, IOMMUPRINotifier *n);
void smmuv3_sva_pri_unregister_notifier(PCIBus *bus, void *opaque, int devfn,
                                        uint32_t pasid);
int smmuv3_sva_pri_request_page(PCIBus *bus, void *opaque, int devfn,
                                uint32_t pasid, bool priv, bool exec,
                                hwaddr addr, bool last, uint16_t prg_index,
                                bool read, bool write);

#define SMMUV3_SVA_PCI_ATS_OPS                                              \
    .get_iotlb_info = smmuv3_sva_get_iotlb_info,                            \
    .init_iotlb_notifier = smmuv3_sva_init_iotlb_notifier,                  \
    .register_iotlb_notifier = smmuv3_sva_register_iotlb_notifier,          \
    .unregister_iotlb_notifier = smmuv3_sva_unregister_iotlb_notifier,      \
    .ats_request_translation = smmuv3_sva_ats_request_translation,          \
    .pri_register_notifier = smmuv3_sva_pri_register_notifier,              \
    .pri_unregister_notifier = smmuv3_sva_pri_unregister_notifier,          \
    .pri_request_page = smmuv3_sva_pri_request_page,

/* Tell those who watch @fn of an ATC invalidation, or of a PRG response. */
void smmuv3_sva_ats_notify(Smmuv3SvaFunction *fn,
                           const Smmu3AtcInvalidate *inv);
void smmuv3_sva_pri_notify(Smmuv3SvaFunction *fn,
                           const Smmu3PrgResponse *response,
                           const IOMMUPRIResponse *message);
#else
static inline void smmuv3_sva_ats_notify(Smmuv3SvaFunction *fn,
                                         const Smmu3AtcInvalidate *inv)
{
}

static inline void smmuv3_sva_pri_notify(Smmuv3SvaFunction *fn,
                                         const Smmu3PrgResponse *response,
                                         const IOMMUPRIResponse *message)
{
}
#endif

#endif
