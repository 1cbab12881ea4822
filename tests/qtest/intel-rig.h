/*
 * What the tests of pasid-dev behind QEMU's intel-iommu share: a q35 without
 * software, its IOMMU in scalable mode with first-stage tables, the queues of
 * invalidations and of page requests. Not tests, and nothing of the SMMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef INTEL_RIG_H
#define INTEL_RIG_H

#include "pasid-dev-ats-rig.h"

/* How the IOMMU is to be */
#define INTEL_PASID     "x-pasid-mode=on"
#define INTEL_ATS       "device-iotlb=on"
/* What QEMU 10.2 does not have: see intel_has_svm() */
#define INTEL_SVM       "x-pasid-mode=on,device-iotlb=on,svm=on"

typedef struct Intel {
    Dev *d;
    uint64_t pasid_dir, queue, prq, status;
    unsigned queue_tail;
    uint32_t statuses;
} Intel;

/* Whether its property "svm" makes it take page requests. */
bool intel_has_svm(void);

/*
 * A pasid-dev with @device's properties, its PASIDs enabled, behind an
 * intel-iommu with @iommu's: on, what has no PASID passes through.
 */
Intel *intel_start(const char *iommu, const char *device);
/* The same on bus 1, which is behind the root port @INTEL_PORT. */
Intel *intel_start_behind_port(const char *iommu, const char *device);
void intel_stop(Intel *i);
#define INTEL_PORT      (4 << 3)

/* ---- Tables ------------------------------------------------------------- */

/* What THE_PASID and another process have in common: where they map things */
#define INTEL_VA        UINT64_C(0x7f0000000000)

enum { INTEL_READ_ONLY = 1, INTEL_LARGE = 2 };

/* @pasid's tables, empty: the root (pa). */
uint64_t intel_process(Intel *i, uint32_t pasid);
/* INTEL_LARGE: 2 MiB each */
void intel_map(Intel *i, uint64_t root, uint64_t va, uint64_t pa,
               uint64_t bytes, unsigned flags);
void intel_unmap(Intel *i, uint64_t root, uint64_t va, uint64_t bytes);

/* A queue of @pasid, mapped where INTEL_VA and its physical address say. */
Queue intel_queue(Intel *i, unsigned n, uint32_t pasid, uint64_t root);

/* ---- The invalidation queue --------------------------------------------- */

/* One descriptor; the queue has done it when this returns. */
void intel_command(Intel *i, uint64_t low, uint64_t high);

/* The IOTLB's entries of @pasid; and the device's of one page, or @global */
void intel_flush_iotlb(Intel *i, uint32_t pasid);
void intel_flush_device(Intel *i, uint32_t pasid, uint64_t va, bool global);

/* ---- Page requests ------------------------------------------------------ */

/* The PCIe response codes */
enum { INTEL_SUCCESS = 0, INTEL_INVALID = 1, INTEL_FAILURE = 15 };

/* Let the IOMMU take them; the queue has 2^(@log2 + 7) entries. */
void intel_enable_prq(Intel *i, unsigned log2);
bool intel_take_page_request(Intel *i, PageRequest *r);
PageRequest intel_next_page_request(Intel *i);
void intel_respond(Intel *i, const PageRequest *r, unsigned code);
/* An empty queue becomes a full one, by its head, or that one empty again. */
void intel_prq_fill(Intel *i, bool fill);
/* Page requests came for which there was no room. */
bool intel_prq_overflowed(Intel *i);
void intel_prq_clear_overflow(Intel *i);

/* The reason of the recorded fault, 0 for none; there is none then. */
unsigned intel_take_fault(Intel *i);

#endif
