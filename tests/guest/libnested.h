/*
 * Two stages of which the first is ours, by iommufd: what a virtual machine
 * monitor hands on for a guest. The guest's memory, its tables and context
 * descriptors, and the calls that make the SMMU see them. Not a library for
 * others: what does not work gives the program up. Used by parts of iommufd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIBNESTED_H
#define LIBNESTED_H

#include "libiommufd.h"
#include "spec.h"

#define GUEST_PAGE      ((size_t)4096)  /* of stage 1, whatever Linux has */
#define GUEST_PAGES     128
#define GUEST_BYTES     (GUEST_PAGES * GUEST_PAGE)
#define DATA_PAGE       64      /* and those after it are for data */
#define VSID            0x42u   /* the StreamID that the guest knows */

/*
 * GUEST_BYTES of memory: context descriptors first, then tables and data.
 * Stage 2 is to have them at @ipa; 0: where this program has them.
 */
void guest_new(uint64_t ipa);
void *guest_memory(void);
uint8_t *data_page(unsigned n);
uint64_t data_ipa(unsigned n);

/* An empty table of stage 1; its IPA. */
uint64_t table_new(void);
/* 4 KiB granule, four levels: @va goes to @ipa, 0: nowhere. */
void stage1_map(uint64_t root, uint64_t va, uint64_t ipa);
/* A queue's memory, of which stage 2 has both pages from @ipa on. */
void stage1_map_queue(uint64_t root, const PasidQueue *q, uint64_t ipa);
/* The context descriptor of @ssid: tables at @root; @stall: its faults do. */
void write_cd(unsigned ssid, uint64_t root, uint16_t asid, bool stall);

/* A vIOMMU on @ioas as its stage 2, with the device in it as VSID. */
uint32_t viommu_new(uint32_t ioas);
/* Stage 1 by the guest's context descriptors, in it; 0: no fault queue. */
uint32_t nested_hwpt_new(uint32_t viommu, uint32_t fault_queue);
/* 0 or -errno; @count becomes the number of commands that were done. */
int invalidate(uint32_t viommu, uint64_t (*commands)[SMMU3_CMD_WORDS],
               uint32_t *count);
/* One command, which must be done. */
void invalidate_one(uint32_t viommu, Smmu3Opcode op, uint16_t asid,
                    uint64_t va);
/* The context descriptor of @ssid has changed, and what @asid means. */
void invalidate_cd(uint32_t viommu, uint32_t ssid, uint16_t asid);

#endif
