/*
 * Faults that a function commits on purpose, so that the IOMMU's and the
 * kernel's defences can be seen at work. Not what hostile software can bring
 * about, none of which makes a function do any of this. Used by requester.c,
 * channel.c and page-request.c, and by the endpoints that offer it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_MISBEHAVE_H
#define HW_PCI_SVA_MISBEHAVE_H

#include "hw/pci/pci_device.h"
#include "hw/pci/sva-port.h"

/* What sva_misbehave_parse() calls them is in misbehave.c. */
typedef enum SvaFault {
    SVA_FAULT_INV_UNANSWERED,   /* an invalidation is carried out in silence */
    SVA_FAULT_INV_NOT_DONE,     /* ... answered, but nothing is dropped */
    SVA_FAULT_INV_LATE,         /* ... answered when this is turned off */
    SVA_FAULT_INV_REVERSED,     /* ... answered after those behind it */
    SVA_FAULT_INV_TWICE,        /* ... answered twice */
    SVA_FAULT_ATS_DISABLED,     /* ATS, and what is cached, while disabled */
    SVA_FAULT_PRI_EXCESS,       /* page requests beyond the allocation */
    SVA_FAULT_PRI_DISABLED,     /* ... while disabled, Stopped or not */
    SVA_FAULT_PASID_WIDE,       /* bit 19 of each PASID is the wrong one */
    SVA_FAULT_DMA_AFTER_RESET,  /* its last write once more, behind a reset */
    SVA_FAULT_DMA_NO_MASTER,    /* Bus Master Enable and D3 are ignored */
    SVA_FAULTS
} SvaFault;

#define SVA_FAULT_MASK  ((UINT64_C(1) << SVA_FAULTS) - 1)

/* What PASID_WIDE turns over, and DMA_AFTER_RESET writes. */
#define SVA_WRONG_PASID_BIT     (1u << 19)
#define SVA_STRAY_WORD          0x5afabad0u

/*
 * All 0 at first: a function that is as good as it can be. As the rest of a
 * requester it is changed where no turn is under way, but for what a
 * write in a turn leaves for a reset; what is held, under the big lock alone.
 */
typedef struct SvaMisbehave {
    uint64_t faults;        /* bit n: SvaFault n; see sva_misbehave_set() */

    /* private */
    GArray *held;           /* tags of invalidations to be answered */
    struct {                /* the last write */
        bool valid;
        uint32_t pasid;
        uint64_t addr;
    } stray;
} SvaMisbehave;

/* Asked wherever it could do wrong: for nearly all there are, no. */
static inline bool sva_misbehaves(const SvaMisbehave *m, SvaFault fault)
{
    return unlikely(m->faults & (UINT64_C(1) << fault));
}

/*
 * The faults that @names has, separated by '+', or "none". False, with @errp
 * set, if there is no such name.
 */
bool sva_misbehave_parse(const char *names, uint64_t *faults, Error **errp);

/* From now on commit @faults alone. @port: what is held back is answered to. */
void sva_misbehave_set(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port,
                       uint64_t faults);
/* With the function; what is held back is not answered by it. */
void sva_misbehave_free(SvaMisbehave *m);

/* The answer to the invalidation with @tag, as @m has it. */
void sva_misbehave_answer(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port,
                          uint32_t tag);

/* The function writes to @addr; and it was reset. */
void sva_misbehave_note_write(SvaMisbehave *m, uint32_t pasid, uint64_t addr);
void sva_misbehave_was_reset(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port);

#endif
