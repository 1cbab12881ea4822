/*
 * An address translation cache: what a function remembers of the IOMMU's answers
 * to its Translation Requests (PCIe 10.2). A data structure alone: it sends
 * nothing, has no lock and knows no device. Used by requester.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_ATC_H
#define HW_PCI_SVA_ATC_H

#include <stdbool.h>
#include <stdint.h>

/* As SVA_NO_PASID: of a request without one. */
#define SVA_ATC_NO_PASID UINT32_MAX

/* Any one more would make an invalidation of everything take long. */
#define SVA_ATC_MOST_ENTRIES 8192

/* From a page to what a translation is cut down to. */
enum { SVA_ATC_MIN_SIZE_LOG2 = 12, SVA_ATC_MAX_SIZE_LOG2 = 30 };

typedef struct SvaAtcEntry {
    uint64_t addr;          /* aligned to the size */
    uint64_t translated;    /* so is this */
    uint32_t pasid;         /* or SVA_ATC_NO_PASID */
    uint8_t size_log2;
    uint8_t rights;         /* any bits: the caller's */
    bool privileged;
} SvaAtcEntry;

/*
 * An entry serves the PASID alone for which it was asked: a completion's Global
 * bit permits more, but does not ask for it. Entries of all sizes share the
 * sets; of a set the one goes that was not used for longest.
 */
typedef struct SvaAtc SvaAtc;

/*
 * @entries (1 ... SVA_ATC_MOST_ENTRIES) in sets of @ways. What is wrong with
 * them, for a person to read, or NULL.
 */
const char *sva_atc_check(unsigned entries, unsigned ways);
SvaAtc *sva_atc_new(unsigned entries, unsigned ways);
void sva_atc_free(SvaAtc *atc);

/*
 * The entry that translates @addr for @pasid and @privileged, or NULL. Whether
 * its rights do is the caller's to see. Good until the next call.
 */
const SvaAtcEntry *sva_atc_lookup(SvaAtc *atc, uint32_t pasid, bool privileged,
                                  uint64_t addr);

/*
 * Keep @entry, of 2^12 to 2^30 bytes. Whatever overlaps it for the same PASID
 * and privilege goes: two entries must not differ.
 */
void sva_atc_insert(SvaAtc *atc, const SvaAtcEntry *entry);

/*
 * Drop what overlaps 2^@size_log2 bytes at @addr (64: everything) of @pasid.
 * @every_pasid: whatever its PASID is, none included. Returns how many it was.
 */
unsigned sva_atc_invalidate(SvaAtc *atc, uint32_t pasid, bool every_pasid,
                            uint64_t addr, unsigned size_log2);

unsigned sva_atc_count(const SvaAtc *atc);

#endif
