/*
 * Registers of sva-testdev, a PCI function for tests of IOMMUs: it sends what
 * it is told and keeps what it gets. docs/specs/sva-testdev.rst explains them.
 * Included by the device and by qtests; needs <stdint.h> only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SVA_TESTDEV_ABI_H
#define SVA_TESTDEV_ABI_H

#include <stdint.h>

#define SVA_TESTDEV_VENDOR_ID   0x1234  /* QEMU's unregistered one, as edu */
#define SVA_TESTDEV_DEVICE_ID   0x5afe
#define SVA_TESTDEV_BAR         0
#define SVA_TESTDEV_BAR_BYTES   4096

/* Entries that a FIFO keeps; the next ones are lost, and counted. */
#define SVA_TESTDEV_FIFO_ENTRIES 64

/* BAR0: registers of 64 bits, little-endian, for accesses of 64 bits. */
enum {
    SVA_TESTDEV_MAGIC       = 0x00, /* RO: SVA_TESTDEV_MAGIC_VALUE */
    /* The request */
    SVA_TESTDEV_REQ_ADDR    = 0x08, /* RW */
    SVA_TESTDEV_REQ_PASID   = 0x10, /* RW: [19:0] PASID, [31] it has one */
    SVA_TESTDEV_REQ_FLAGS   = 0x18, /* RW: SVA_TESTDEV_REQ_* */
    SVA_TESTDEV_REQ_CTRL    = 0x20, /* WO: SVA_TESTDEV_CTRL_* */
    /* Its answer */
    SVA_TESTDEV_ANS_STATE   = 0x28, /* RO: SVA_TESTDEV_STATE_* */
    SVA_TESTDEV_ANS_PA      = 0x30, /* RO */
    SVA_TESTDEV_ANS_LEN     = 0x38, /* RO: bytes for which it holds */
    SVA_TESTDEV_ANS_FLAGS   = 0x40, /* RO: SVA_TESTDEV_ANS_* */
    /* Page requests */
    SVA_TESTDEV_PRG_ADDR    = 0x48, /* RW */
    SVA_TESTDEV_PRG_PASID   = 0x50, /* RW: as REQ_PASID */
    SVA_TESTDEV_PRG_SEND    = 0x58, /* WO: SVA_TESTDEV_PRG_*; sends it */
    /* ATC invalidations */
    SVA_TESTDEV_INV_HOLD    = 0x60, /* RW: [0] 1: answer only when told */
    SVA_TESTDEV_INV_ANSWER  = 0x68, /* read: answers owed; write: [31:0] answer
                                       so many of them, the oldest first, or
                                       SVA_TESTDEV_ANSWER_* */
    /* Listen by QEMU's own functions (10.1 and later) to what concerns this
       PASID, or accesses without one: what comes goes to the FIFOs. */
    SVA_TESTDEV_WATCH       = 0x70, /* RW: as REQ_PASID, SVA_TESTDEV_WATCH_ON;
                                       reads off if it was refused */
    /* Wait as a block device does that is reset with requests in flight: in a
       main loop of its own */
    SVA_TESTDEV_POLL        = 0x78, /* WO: so many turns of it, at most 1000 */
};

/*
 * BAR2: a page of registers, and behind it a page that leads to guest RAM until
 * it has been looked up so many times, and to nowhere after that.
 */
#define SVA_TESTDEV_MOVING_BAR  2
enum {
    SVA_TESTDEV_MOVING_RAM      = 0x00, /* RW: where it leads to, a page */
    SVA_TESTDEV_MOVING_LEFT     = 0x08, /* RW: look-ups until it moves */
    SVA_TESTDEV_MOVING_STRAYS   = 0x10, /* RO: accesses that came when it had
                                           moved, since LEFT was written */
    SVA_TESTDEV_MOVING_PAGE     = 0x1000,
};

/* A FIFO of messages: SVA_TESTDEV_FIFO(n) + ... */
enum {
    SVA_TESTDEV_RESPONSES,      /* page request group responses */
    SVA_TESTDEV_INVALIDATIONS,  /* ATC invalidations */
    SVA_TESTDEV_NOTIFICATIONS,  /* of the IOMMU notifier */
    SVA_TESTDEV_FIFOS
};
#define SVA_TESTDEV_FIFO(n)     (0x100 + (n) * 0x20)
enum {
    SVA_TESTDEV_FIFO_COUNT  = 0x00, /* RO: [31:0] entries, [63:32] lost */
    SVA_TESTDEV_FIFO_FIRST  = 0x08, /* RO: the oldest entry's first byte */
    SVA_TESTDEV_FIFO_LAST   = 0x10, /* RO: and its last byte */
    SVA_TESTDEV_FIFO_TAKE   = 0x18, /* RO: SVA_TESTDEV_INFO_* of the oldest
                                       entry, which is removed; 0: none */
};

#define SVA_TESTDEV_MAGIC_VALUE     UINT64_C(0x7473657461766173)
#define SVA_TESTDEV_PASID_VALID     (UINT64_C(1) << 31)
#define SVA_TESTDEV_WATCH_ON        (UINT64_C(1) << 32)

/* REQ_FLAGS */
#define SVA_TESTDEV_REQ_TYPE        UINT64_C(3)         /* as SvaAddressType */
#define SVA_TESTDEV_REQ_UNTRANSLATED UINT64_C(0)
#define SVA_TESTDEV_REQ_ATS         UINT64_C(1)
#define SVA_TESTDEV_REQ_TRANSLATED  UINT64_C(2)
#define SVA_TESTDEV_REQ_READ        (UINT64_C(1) << 4)
#define SVA_TESTDEV_REQ_WRITE       (UINT64_C(1) << 5)
#define SVA_TESTDEV_REQ_PRIV        (UINT64_C(1) << 6)
#define SVA_TESTDEV_REQ_EXEC        (UINT64_C(1) << 7)
#define SVA_TESTDEV_REQ_MAY_STALL   (UINT64_C(1) << 8)
/* Ask by QEMU's pci_ats_request_translation(); QEMU 10.1 and later */
#define SVA_TESTDEV_REQ_BY_PCI      (UINT64_C(1) << 9)
#define SVA_TESTDEV_REQ_MASK        UINT64_C(0x3f3)

/* REQ_CTRL; one at a time */
#define SVA_TESTDEV_CTRL_SUBMIT     UINT64_C(1) /* not while one is stalled */
#define SVA_TESTDEV_CTRL_CANCEL     UINT64_C(2)

/* ANS_STATE: 0 before the first request */
#define SVA_TESTDEV_STATE_OUTCOME   UINT64_C(0xf)       /* as SvaOutcome: */
enum {
    SVA_TESTDEV_OK, SVA_TESTDEV_ABORT, SVA_TESTDEV_RAZWI, SVA_TESTDEV_STALL,
    SVA_TESTDEV_UR, SVA_TESTDEV_CA,
};
#define SVA_TESTDEV_STATE_RESOLUTION_SHIFT 4            /* 4 bits: */
enum {
    SVA_TESTDEV_UNRESOLVED,
    SVA_TESTDEV_RETRY,
    SVA_TESTDEV_FAIL,
    SVA_TESTDEV_SKIP,
    SVA_TESTDEV_CANCELLED,
};
#define SVA_TESTDEV_STATE_VALID     (UINT64_C(1) << 8)
#define SVA_TESTDEV_STATE_STALLED   (UINT64_C(1) << 9)
#define SVA_TESTDEV_STATE_REFUSED   (UINT64_C(1) << 10) /* nothing was asked:
                                        no port, or an illegal type */

/* ANS_FLAGS; with BY_PCI neither EXEC nor GLOBAL */
#define SVA_TESTDEV_ANS_READ        UINT64_C(1)
#define SVA_TESTDEV_ANS_WRITE       UINT64_C(2)
#define SVA_TESTDEV_ANS_EXEC        UINT64_C(4)
#define SVA_TESTDEV_ANS_GLOBAL      UINT64_C(8)

/* PRG_SEND */
#define SVA_TESTDEV_PRG_INDEX       UINT64_C(0x1ff)
#define SVA_TESTDEV_PRG_READ        (UINT64_C(1) << 16)
#define SVA_TESTDEV_PRG_WRITE       (UINT64_C(1) << 17)
#define SVA_TESTDEV_PRG_EXEC        (UINT64_C(1) << 18)
#define SVA_TESTDEV_PRG_PRIV        (UINT64_C(1) << 19)
#define SVA_TESTDEV_PRG_LAST        (UINT64_C(1) << 20)
#define SVA_TESTDEV_PRG_BY_PCI      (UINT64_C(1) << 21) /* as REQ_BY_PCI */

/* INV_ANSWER */
#define SVA_TESTDEV_ANSWER_NEWEST   (UINT64_C(1) << 32) /* ... the newest first */
#define SVA_TESTDEV_ANSWER_AGAIN    (UINT64_C(1) << 33) /* repeat the last
                                        answer, and give one that nobody waits
                                        for */
#define SVA_TESTDEV_OWED            4096    /* answers that it can hold back; to
                                        more invalidations it gives none */

/* FIFO_TAKE */
#define SVA_TESTDEV_INFO_PASID      UINT64_C(0xfffff)
#define SVA_TESTDEV_INFO_HAS_PASID  (UINT64_C(1) << 31)
#define SVA_TESTDEV_INFO_INDEX_SHIFT 32                 /* response: 9 bits */
#define SVA_TESTDEV_INFO_CODE_SHIFT 48                  /* response: 4 bits */
#define SVA_TESTDEV_INFO_GLOBAL     (UINT64_C(1) << 52) /* invalidation */
#define SVA_TESTDEV_INFO_DEVIOTLB   (UINT64_C(1) << 53) /* notification: of a
                                        device's cache, else of the IOMMU's */
#define SVA_TESTDEV_INFO_VALID      (UINT64_C(1) << 63)

#endif
