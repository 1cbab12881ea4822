/*
 * HiSilicon queue manager: register offsets, contexts, doorbells, queue
 * entries, as the Linux driver and UADK use them; there is no public manual.
 * Only what the model acts on has a name: every other register of the windows
 * below keeps what was written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_QM_REGS_H
#define HW_PCI_HISI_QM_REGS_H

#include "hw/registerfields.h"

#define HISI_QM_BAR2_BYTES          (4 * MiB)

/* ---- Function page ----------------------------------------------------- */
#define QM_AEQ_INT_SOURCE           0x0
#define QM_AEQ_INT_MASK             0x4
#define QM_EQ_INT_SOURCE            0x8
#define QM_EQ_INT_MASK              0xc
#define QM_DB_ISOLATION             0x30    /* V3: bit 0: doorbells in BAR4 */
#define QM_CACHE_WB_START           0x204
#define QM_CACHE_WB_DONE            0x208
#define QM_MAILBOX                  0x300   /* 16 bytes */
#define QM_MAILBOX_LAST             0x30c   /* its last word starts it */
#define QM_DOORBELL_SQ_CQ           0x1000  /* 64 bits */
#define QM_DOORBELL_EQ_AEQ          0x2000  /* 64 bits */
#define QM_V3_CAPS                  0x3100  /* to 0x315c: hisi-zip.c */
#define QM_V3_CAPS_LAST             0x315c

/* ---- PF page ----------------------------------------------------------- */
#define QM_ABNORMAL_INT_SOURCE      0x100000
#define QM_ABNORMAL_INT_STATUS      0x100008
#define QM_MEM_START_INIT           0x100040
#define QM_MEM_INIT_DONE            0x100044
#define QM_VFT_CFG_OP_ENABLE        0x100054
#define QM_VFT_CFG_OP_WR            0x100058    /* 0 write, 1 read */
#define QM_VFT_CFG_TYPE             0x10005c    /* 0 SQC, 1 CQC */
#define QM_VFT_CFG                  0x100060    /* function */
#define QM_VFT_CFG_DATA_L           0x100064
#define QM_VFT_CFG_DATA_H           0x100068
#define QM_VFT_CFG_RDY              0x10006c
#define QM_PEH_DFX_INFO0            0x1000fc
#define QM_PEH_DFX_INFO1            0x100100
#define QM_V3_QUEUES                0x100158    /* [10:0] all, [21:11] a
                                                   function's most */
#define QM_IDLE                     0x1040e4
#define QM_MASTER_TRANS_RETURN      0x300150

/* SQC type of the virtual function table */
#define QM_VFT_SQC_BASE_SHIFT       28
#define QM_VFT_SQC_VALID            (1ull << 44)
#define QM_VFT_SQC_LAST_SHIFT       45      /* number of queues less one */
#define QM_VFT_SQC_LAST_BITS        10

/* ---- Mailbox ----------------------------------------------------------- */
FIELD(QM_MB, CMD, 0, 8)
FIELD(QM_MB, STATUS, 9, 4)
FIELD(QM_MB, BUSY, 13, 1)
FIELD(QM_MB, READ, 14, 1)       /* 0: memory to device */
FIELD(QM_MB, QUEUE, 16, 16)
enum {
    QM_MB_SQC, QM_MB_CQC, QM_MB_EQC, QM_MB_AEQC, QM_MB_SQC_BT, QM_MB_CQC_BT,
    QM_MB_SQC_VFT, QM_MB_STOP_QP = 8, QM_MB_FLUSH_QM,
};
#define QM_MB_STATUS_FAILED         1       /* software: anything but 0 */

/* ---- Contexts, in 32-bit words ----------------------------------------- */
#define QM_SQC_BYTES                32
#define QM_EQC_BYTES                28
/* Common to all */
#define QM_XQC_TAIL_WORD            0       /* [31:16] */
#define QM_XQC_BASE_WORD            1       /* and 2 */
/* SQC and CQC */
FIELD(QM_XQC_W3, LAST, 0, 12)               /* entries less one */
FIELD(QM_XQC_W3, ENTRY_LOG2, 12, 4)
FIELD(QM_XQC_W4, RAND, 0, 16)
FIELD(QM_XQC_W5, PASID, 0, 16)
FIELD(QM_XQC_W5, TAIL_WRAP, 22, 1)          /* bit 6 of half word 11 */
FIELD(QM_SQC_W5, PASID_ENABLE, 23, 1)       /* V3 */
FIELD(QM_SQC_W6, CQN, 0, 16)
FIELD(QM_SQC_W6, DISABLED, 22, 1)           /* bit 6 of half word 13 */
FIELD(QM_SQC_W6, TYPE, 24, 4)
FIELD(QM_CQC_W6, PHASE, 0, 1)
FIELD(QM_CQC_W6, ARMED, 1, 1)
/* EQC and AEQC */
FIELD(QM_EQC_W6, LAST, 0, 16)
FIELD(QM_EQC_W6, PHASE, 16, 1)

/* ---- Doorbells --------------------------------------------------------- */
FIELD(QM_DB, QUEUE, 0, 12)
FIELD(QM_DB, CMD, 12, 4)
FIELD(QM_DB, RAND, 16, 16)
#define QM_DB_INDEX(db)             extract64(db, 32, 16)
#define QM_DB_PRIORITY(db)          extract64(db, 48, 16)
enum { QM_DB_SQ, QM_DB_CQ, QM_DB_EQ, QM_DB_AEQ };

/* ---- Entries ----------------------------------------------------------- */
#define QM_CQE_BYTES                16
FIELD(QM_EQE, QUEUE, 0, 16)
FIELD(QM_EQE, PHASE, 16, 1)
FIELD(QM_AEQE, TYPE, 17, 4)
enum { QM_AEQE_CQ_OVERFLOW, QM_AEQE_EQ_OVERFLOW, QM_AEQE_CQE_ERROR };

enum { QM_VECTOR_EQ, QM_VECTOR_AEQ, QM_VECTOR_MAILBOX, QM_VECTOR_ABNORMAL,
       QM_VECTORS };

#define QM_ISOLATED_DB_BYTES        (64 * KiB)  /* of BAR4, a queue */

#endif
