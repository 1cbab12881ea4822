/*
 * The synthetic accelerator as software sees it: registers, descriptors,
 * completion records. docs/specs/pasid-dev.rst explains them. Included by the
 * device, by guest programs and by the tests; needs <stdint.h> only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_ABI_H
#define PASID_DEV_ABI_H

#include <stdint.h>

#define PASID_DEV_VENDOR_ID     0x1234  /* QEMU's unregistered one, as edu */
#define PASID_DEV_DEVICE_ID     0x5afa
#define PASID_DEV_VF_DEVICE_ID  0x5afb  /* of a virtual function (SR-IOV) */
#define PASID_DEV_BAR           0
#define PASID_DEV_MSIX_BAR      2
#define PASID_DEV_PAGE_BYTES    4096
#define PASID_DEV_MAX_QUEUES    256
#define PASID_DEV_MAX_VFS       63
#define PASID_DEV_MAX_VF_QUEUES 16
#define PASID_DEV_MAX_LEN_VALUE (UINT64_C(1) << 32)
#define PASID_DEV_MAX_JOBS      16      /* of a queue in work at once */
#define PASID_DEV_MAX_BATCH     1024    /* descriptors of a BATCH */

/*
 * BAR0 is 32-bit and not prefetchable. Page 0 is the administration page, for
 * the kernel or the owner of the whole device; page 1 + n is the portal of
 * queue n, which may be given to a process alone. All registers are
 * little-endian; 32-bit ones take 32-bit accesses, 64-bit ones take 64-bit
 * accesses or two of 32 bits.
 */

/* ---- Administration page ------------------------------------------------ */
enum {
    PASID_DEV_MAGIC             = 0x000,    /* RO 32: PASID_DEV_MAGIC_VALUE */
    PASID_DEV_VERSION           = 0x004,    /* RO 32: PASID_DEV_VERSION_VALUE */
    PASID_DEV_QUEUES            = 0x008,    /* RO 32: work queues */
    PASID_DEV_PASID_BITS        = 0x00c,    /* RO 32: width of a PASID */
    PASID_DEV_OPS               = 0x010,    /* RO 64: bit n: operation n */
    PASID_DEV_MAX_LEN           = 0x018,    /* RO 64: longest operation */
    PASID_DEV_CTRL              = 0x020,    /* RW 32: PASID_DEV_CTRL_* */
    PASID_DEV_STATUS            = 0x024,    /* RO 32: PASID_DEV_STATUS_* */
    PASID_DEV_JOBS              = 0x028,    /* RO 32: the most that a queue may
                                               have in work at once */
    /* Counters since reset, RO 64 */
    PASID_DEV_COUNT_JOBS        = 0x040,    /* descriptors completed */
    PASID_DEV_COUNT_BYTES       = 0x048,    /* bytes read and written */
    PASID_DEV_COUNT_STALLS      = 0x050,    /* accesses that stalled */
    PASID_DEV_COUNT_RETRIES     = 0x058,    /* ... and were retried */
    PASID_DEV_COUNT_ABORTS      = 0x060,    /* accesses refused */
    PASID_DEV_COUNT_BOUNCED     = 0x068,    /* bytes that took a buffer: other
                                               devices' registers, no memory */
    PASID_DEV_COUNT_ATC_HITS    = 0x070,    /* translated by what it cached */
    PASID_DEV_COUNT_ATS_REQUESTS = 0x078,   /* translations asked for */
    PASID_DEV_COUNT_PAGE_REQUESTS = 0x080,  /* groups of pages asked for */
    PASID_DEV_COUNT_INVALIDATIONS = 0x088,  /* that its cache was told of */
    /* Drain or abort all that works with a PASID */
    PASID_DEV_PASID_TARGET      = 0x0a0,    /* RW 32: as QUEUE_PASID */
    PASID_DEV_PASID_COMMAND     = 0x0a4,    /* WO 32: *_COMMAND_* */
    PASID_DEV_PASID_STATUS      = 0x0a8,    /* RO 32: *_STATUS_* */
    PASID_DEV_MISBEHAVE         = 0x0b0,    /* RW 64: PASID_DEV_MISBEHAVE_*;
                                               with x-misbehave= alone */
    /* One entry for each queue n at PASID_DEV_QUEUE_CONFIG(n) */
    PASID_DEV_QUEUE_CONFIG_BASE = 0x400,
};
#define PASID_DEV_QUEUE_CONFIG(n) (PASID_DEV_QUEUE_CONFIG_BASE + (n) * 8)
/*
 * RW 32, while the queue is disabled, or closed with no job in work: [19:0]
 * PASID, [31] it is used. Writing it opens the queue.
 */
#define PASID_DEV_QUEUE_PASID(n)  (PASID_DEV_QUEUE_CONFIG(n) + 0)
/* RW 32, while the queue is disabled: PASID_DEV_QUEUE_F_* */
#define PASID_DEV_QUEUE_FLAGS(n)  (PASID_DEV_QUEUE_CONFIG(n) + 4)

#define PASID_DEV_MAGIC_VALUE       0x64736170u     /* "pasd" */
#define PASID_DEV_VERSION_VALUE     2
#define PASID_DEV_CTRL_RESET        (1u << 0)   /* resets all queues; reads 0 */
#define PASID_DEV_STATUS_BUSY       (1u << 0)   /* a queue has work or stalls */
#define PASID_DEV_PASID_VALID       (1u << 31)
#define PASID_DEV_QUEUE_F_PRIV      (1u << 0)   /* privileged accesses */
#define PASID_DEV_QUEUE_F_CLOSED    (1u << 1)   /* RO: its PASID was drained or
                                                   aborted, see below */

/* What it does wrong on purpose; a reset does not change it. */
#define PASID_DEV_MISBEHAVE_INV_UNANSWERED  (1u << 0)
#define PASID_DEV_MISBEHAVE_INV_NOT_DONE    (1u << 1)
#define PASID_DEV_MISBEHAVE_INV_LATE        (1u << 2)
#define PASID_DEV_MISBEHAVE_INV_REVERSED    (1u << 3)
#define PASID_DEV_MISBEHAVE_INV_TWICE       (1u << 4)
#define PASID_DEV_MISBEHAVE_ATS_DISABLED    (1u << 5)
#define PASID_DEV_MISBEHAVE_PRI_EXCESS      (1u << 6)
#define PASID_DEV_MISBEHAVE_PRI_DISABLED    (1u << 7)
#define PASID_DEV_MISBEHAVE_PASID_WIDE      (1u << 8)
#define PASID_DEV_MISBEHAVE_DMA_AFTER_RESET (1u << 9)
#define PASID_DEV_MISBEHAVE_DMA_NO_MASTER   (1u << 10)

/*
 * A command is for the queues whose QUEUE_PASID is what PASID_TARGET says. They
 * are closed: they start no job until QUEUE_PASID is written again. Once the
 * status is DONE, none of them has a job in work.
 */
enum {
    PASID_DEV_PASID_COMMAND_DRAIN = 1,  /* what is in work comes to its end */
    PASID_DEV_PASID_COMMAND_ABORT = 2,  /* ... is given up; done at once. While
                                           BUSY: the drain becomes an abort */
    PASID_DEV_PASID_COMMAND_IRQ = 1 << 8,   /* vector 0 when it is DONE */
};
enum {
    PASID_DEV_PASID_STATUS_IDLE = 0,    /* no command since reset */
    PASID_DEV_PASID_STATUS_BUSY = 1,
    PASID_DEV_PASID_STATUS_DONE = 2,
    PASID_DEV_PASID_STATUS_IRQ = 1 << 8,    /* BUSY: with COMMAND_IRQ */
};

/* ---- Portal of one queue ------------------------------------------------ */
enum {
    PASID_DEV_Q_RING            = 0x00,     /* RW 64: descriptors, 64-aligned */
    PASID_DEV_Q_COMPLETIONS     = 0x08,     /* RW 64: records, 32-aligned */
    PASID_DEV_Q_SIZE_LOG2       = 0x10,     /* RW 32: entries, 0 ... 15 */
    PASID_DEV_Q_CTRL            = 0x14,     /* RW 32: PASID_DEV_Q_CTRL_* */
    PASID_DEV_Q_STATUS          = 0x18,     /* RO 32: PASID_DEV_Q_STATUS_* */
    PASID_DEV_Q_ERROR           = 0x1c,     /* RO 32: PASID_DEV_Q_ERROR_* */
    PASID_DEV_Q_TAIL            = 0x20,     /* RW 32: first slot not filled */
    PASID_DEV_Q_HEAD            = 0x24,     /* RO 32: first slot not done */
    PASID_DEV_Q_FAULT_ADDR      = 0x28,     /* RO 64: of the queue error */
    PASID_DEV_Q_COUNT_JOBS      = 0x30,     /* RO 64 */
    PASID_DEV_Q_COUNT_STALLS    = 0x38,     /* RO 64 */
    PASID_DEV_Q_COUNT_ABORTS    = 0x40,     /* RO 64 */
    PASID_DEV_Q_IN_WORK         = 0x48,     /* RO 32: jobs in work */
};
/*
 * RING, COMPLETIONS and SIZE_LOG2 may be written while CTRL.ENABLE is 0.
 * HEAD and TAIL are free-running indices modulo 2^16; the slot is the index
 * modulo the number of entries. Writing TAIL more than that number ahead of
 * HEAD, or moving it back, is an error. Enabling sets HEAD and TAIL to 0 and
 * clears the error.
 */
#define PASID_DEV_Q_CTRL_ENABLE     (1u << 0)   /* 1 to 0: abandons its jobs */
#define PASID_DEV_Q_CTRL_IRQ        (1u << 1)   /* MSI-X vector n on completion
                                                   that asks for it, on error */
#define PASID_DEV_Q_CTRL_DRAIN      (1u << 2)   /* reads no more descriptors */
#define PASID_DEV_Q_CTRL_DRAIN_IRQ  (1u << 3)   /* with IRQ: on DRAINED */
/*
 * Jobs in work at once, 1 ... PASID_DEV_JOBS; written together with ENABLE.
 * Records are then written in any order.
 */
#define PASID_DEV_Q_CTRL_JOBS_SHIFT 8
#define PASID_DEV_Q_CTRL_JOBS(n)    (((n) - 1u) << PASID_DEV_Q_CTRL_JOBS_SHIFT)
#define PASID_DEV_Q_CTRL_JOBS_MASK  (0xfu << PASID_DEV_Q_CTRL_JOBS_SHIFT)
#define PASID_DEV_Q_STATUS_ENABLED  (1u << 0)   /* takes work: no error */
#define PASID_DEV_Q_STATUS_BUSY     (1u << 1)   /* enabled, HEAD != TAIL */
#define PASID_DEV_Q_STATUS_STALLED  (1u << 2)   /* a job of it waits */
#define PASID_DEV_Q_STATUS_ERROR    (1u << 3)   /* stopped; see Q_ERROR */
#define PASID_DEV_Q_STATUS_DRAINED  (1u << 4)   /* DRAIN, and no job in work */

enum {
    PASID_DEV_Q_ERROR_NONE      = 0,
    PASID_DEV_Q_ERROR_RING      = 1,    /* reading a descriptor was refused */
    PASID_DEV_Q_ERROR_COMPLETION = 2,   /* writing a record was refused */
    PASID_DEV_Q_ERROR_TAIL      = 3,    /* TAIL too far ahead, or moved back */
    PASID_DEV_Q_ERROR_CONFIG    = 4,    /* enabled with an illegal set-up */
    PASID_DEV_Q_ERROR_CLOSED    = 5,    /* its PASID was drained or aborted */
};

/* ---- Descriptors, 64 bytes ---------------------------------------------- */
typedef struct PasidDevDescriptor {
    uint8_t op;             /* PASID_DEV_OP_* */
    uint8_t flags;          /* PASID_DEV_DESC_* */
    uint16_t reserved;      /* 0 */
    uint32_t tag;           /* comes back in the record */
    uint64_t src;           /* address, see the operation */
    uint64_t dst;
    uint64_t len;           /* bytes */
    uint64_t arg;           /* see the operation */
    uint64_t arg2;
    uint64_t arg3;          /* CAS16 only, else 0 */
    uint64_t arg4;
} PasidDevDescriptor;

#define PASID_DEV_DESC_IRQ      (1u << 0)   /* interrupt on completion */
#define PASID_DEV_DESC_FENCE    (1u << 1)   /* it, and those behind it, begin
                                               when all before it are done */

enum {
    PASID_DEV_OP_NOP        = 0,
    PASID_DEV_OP_COPY       = 1,    /* src to dst; must not overlap */
    PASID_DEV_OP_FILL       = 2,    /* dst, with the 8 bytes of arg repeated */
    PASID_DEV_OP_COMPARE    = 3,    /* src with dst; result: equal bytes */
    PASID_DEV_OP_CRC32C     = 4,    /* src; arg: initial value (0 for a whole
                                       buffer); result: CRC-32C */
    PASID_DEV_OP_SUM        = 5,    /* src; result: sum of its bytes mod 2^64 */
    PASID_DEV_OP_LIST       = 6,    /* src: first node or 0; len: most nodes to
                                       visit; arg: offset of the next pointer
                                       in a node, arg2: of a 64-bit value.
                                       result: sum of the values; progress:
                                       nodes visited. Fields within 64 bytes of
                                       each other are read by one access */
    PASID_DEV_OP_PROBE      = 7,    /* src: address; len 0; arg: 0 read,
                                       1 write access. Touches nothing;
                                       result: the physical address */
    PASID_DEV_OP_GATHER     = 8,    /* the arg segments listed at src, one after
                                       the other to dst; at most len bytes */
    PASID_DEV_OP_ATOMIC_ADD = 9,    /* dst += arg, 8 bytes, aligned; result: the
                                       old value */
    PASID_DEV_OP_SCATTER    = 10,   /* src to the arg segments listed at dst; at
                                       most len bytes */
    /*
     * Atomics on the len bytes at dst, which is aligned to them. result: the
     * value before, with zeros above it.
     */
    PASID_DEV_OP_FETCH_ADD  = 11,   /* 4 or 8 bytes: += arg */
    PASID_DEV_OP_SWAP       = 12,   /* 4 or 8 bytes: = arg */
    PASID_DEV_OP_CAS        = 13,   /* 4 or 8 bytes: = arg2 if they are arg;
                                       MISMATCH if not */
    PASID_DEV_OP_CAS16      = 14,   /* 16 bytes: = arg4:arg3 if they are
                                       arg2:arg (high:low); result_high */
    PASID_DEV_OP_BATCH      = 15,   /* the len descriptors at src, one after the
                                       other; their records at dst. result:
                                       those that ended with OK; progress: done;
                                       SOME_FAILED if not all are OK */
    PASID_DEV_OP_PROBE2     = 16,   /* as PROBE, arg: PASID_DEV_PROBE_*;
                                       progress: PASID_DEV_PROBED_* */
    PASID_DEV_OP_COUNT
};

/* What PROBE2 asks for: one of READ and WRITE, or both; or EXEC with READ */
#define PASID_DEV_PROBE_READ        (1u << 0)
#define PASID_DEV_PROBE_WRITE       (1u << 1)
#define PASID_DEV_PROBE_EXEC        (1u << 2)

/* What it is told */
#define PASID_DEV_PROBED_SIZE_MASK  0xffu       /* log2 of the block that src is
                                                   in, 12 ... 64; 0: unknown */
#define PASID_DEV_PROBED_READ       (1u << 8)   /* rights there */
#define PASID_DEV_PROBED_WRITE      (1u << 9)
#define PASID_DEV_PROBED_EXEC       (1u << 10)
#define PASID_DEV_PROBED_PRIV       (1u << 11)  /* it asked as privileged */
#define PASID_DEV_PROBED_ATS        (1u << 12)  /* a Translation Completion of
                                                   ATS said so */
#define PASID_DEV_PROBED_NOWHERE    (1u << 13)  /* nothing is there: the IOMMU
                                                   ignores the access */

/* An entry of the lists of GATHER and SCATTER, 16 bytes */
typedef struct PasidDevSegment {
    uint64_t addr;
    uint64_t len;           /* bytes, 0 is legal */
} PasidDevSegment;

/* ---- Completion records, 32 bytes --------------------------------------- */
typedef struct PasidDevCompletion {
    uint32_t status;        /* PASID_DEV_DONE_*; written last */
    uint32_t tag;
    uint64_t result;        /* see the operation; on a fault, for what progress
                               counts */
    uint64_t progress;      /* bytes (list: nodes) done, also on a fault */
    union {
        uint64_t fault_addr;    /* the first address that was refused */
        uint64_t result_high;   /* CAS16 that was not refused */
    };
} PasidDevCompletion;

enum {
    PASID_DEV_DONE_PENDING  = 0,    /* never written; software clears it */
    PASID_DEV_DONE_OK       = 1,
    PASID_DEV_DONE_MISMATCH = 2,    /* compare, CAS */
    PASID_DEV_DONE_FAULT_READ = 3,  /* the IOMMU refused a read */
    PASID_DEV_DONE_FAULT_WRITE = 4, /* the IOMMU refused a write */
    PASID_DEV_DONE_BAD_OP   = 5,    /* unknown operation; nothing was touched */
    PASID_DEV_DONE_BAD_DESC = 6,    /* illegal field; of a segment: progress
                                       tells how far it came */
    PASID_DEV_DONE_SOME_FAILED = 7, /* a batch, not all of whose are OK */
};

#endif
