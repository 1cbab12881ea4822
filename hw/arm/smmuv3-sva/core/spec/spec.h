/*
 * The layouts of the SMMUv3 programming interface, Non-secure, v3.0 to v3.3:
 * registers, stream table entries, context descriptors, commands, events,
 * page requests and VMSAv8-64 descriptors. Each is written down here and
 * nowhere else; what the fields mean is in the file that obeys them.
 * Section numbers are those of IHI 0070 (issue G.b).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_SPEC_H
#define SMMU3_SPEC_H

#include "field.h"

/* ---- Registers, page 0 (IHI 0070 6.3) -------------------------------- */

#define SMMU3_PAGE_BYTES        0x10000
#define SMMU3_MMIO_BYTES        0x20000     /* pages 0 and 1 */

enum {
    SMMU3_IDR0                  = 0x0000,
    SMMU3_IDR1                  = 0x0004,
    SMMU3_IDR2                  = 0x0008,
    SMMU3_IDR3                  = 0x000c,
    SMMU3_IDR4                  = 0x0010,
    SMMU3_IDR5                  = 0x0014,
    SMMU3_IIDR                  = 0x0018,
    SMMU3_AIDR                  = 0x001c,
    SMMU3_CR0                   = 0x0020,
    SMMU3_CR0ACK                = 0x0024,
    SMMU3_CR1                   = 0x0028,
    SMMU3_CR2                   = 0x002c,
    SMMU3_STATUSR               = 0x0040,
    SMMU3_GBPA                  = 0x0044,
    SMMU3_AGBPA                 = 0x0048,
    SMMU3_IRQ_CTRL              = 0x0050,
    SMMU3_IRQ_CTRLACK           = 0x0054,
    SMMU3_GERROR                = 0x0060,
    SMMU3_GERRORN               = 0x0064,
    SMMU3_GERROR_IRQ_CFG0       = 0x0068,   /* 64 bits */
    SMMU3_GERROR_IRQ_CFG1       = 0x0070,
    SMMU3_GERROR_IRQ_CFG2       = 0x0074,
    SMMU3_STRTAB_BASE           = 0x0080,   /* 64 bits */
    SMMU3_STRTAB_BASE_CFG       = 0x0088,
    SMMU3_CMDQ_BASE             = 0x0090,   /* 64 bits */
    SMMU3_CMDQ_PROD             = 0x0098,
    SMMU3_CMDQ_CONS             = 0x009c,
    SMMU3_EVENTQ_BASE           = 0x00a0,   /* 64 bits */
    SMMU3_EVENTQ_PROD_ALIAS     = 0x00a8,
    SMMU3_EVENTQ_CONS_ALIAS     = 0x00ac,
    SMMU3_EVENTQ_IRQ_CFG0       = 0x00b0,   /* 64 bits */
    SMMU3_EVENTQ_IRQ_CFG1       = 0x00b8,
    SMMU3_EVENTQ_IRQ_CFG2       = 0x00bc,
    SMMU3_PRIQ_BASE             = 0x00c0,   /* 64 bits */
    SMMU3_PRIQ_PROD_ALIAS       = 0x00c8,
    SMMU3_PRIQ_CONS_ALIAS       = 0x00cc,
    SMMU3_PRIQ_IRQ_CFG0         = 0x00d0,   /* 64 bits */
    SMMU3_PRIQ_IRQ_CFG1         = 0x00d8,
    SMMU3_PRIQ_IRQ_CFG2         = 0x00dc,
    SMMU3_GATOS_CTRL            = 0x0100,
    SMMU3_GATOS_SID             = 0x0108,   /* 64 bits */
    SMMU3_GATOS_ADDR            = 0x0110,   /* 64 bits */
    SMMU3_GATOS_PAR             = 0x0118,   /* 64 bits */
    SMMU3_PIDR4                 = 0x0fd0,
    SMMU3_PIDR0                 = 0x0fe0,
    SMMU3_PIDR1                 = 0x0fe4,
    SMMU3_PIDR2                 = 0x0fe8,
    SMMU3_PIDR3                 = 0x0fec,
    SMMU3_CIDR0                 = 0x0ff0,
    SMMU3_CIDR1                 = 0x0ff4,
    SMMU3_CIDR2                 = 0x0ff8,
    SMMU3_CIDR3                 = 0x0ffc,
    /* page 1 */
    SMMU3_EVENTQ_PROD           = 0x100a8,
    SMMU3_EVENTQ_CONS           = 0x100ac,
    SMMU3_PRIQ_PROD             = 0x100c8,
    SMMU3_PRIQ_CONS             = 0x100cc,
};

/* IDR0 (6.3.1) */
#define IDR0_S2P                0, 0, 1
#define IDR0_S1P                0, 1, 1
#define IDR0_TTF                0, 2, 2
#define IDR0_COHACC             0, 4, 1
#define IDR0_BTM                0, 5, 1
#define IDR0_HTTU               0, 6, 2
#define IDR0_DORMHINT           0, 8, 1
#define IDR0_HYP                0, 9, 1
#define IDR0_ATS                0, 10, 1
#define IDR0_NS1ATS             0, 11, 1
#define IDR0_ASID16             0, 12, 1
#define IDR0_MSI                0, 13, 1
#define IDR0_SEV                0, 14, 1
#define IDR0_ATOS               0, 15, 1
#define IDR0_PRI                0, 16, 1
#define IDR0_VMW                0, 17, 1
#define IDR0_VMID16             0, 18, 1
#define IDR0_CD2L               0, 19, 1
#define IDR0_VATOS              0, 20, 1
#define IDR0_TTENDIAN           0, 21, 2
#define IDR0_ATSRECERR          0, 23, 1
#define IDR0_STALL_MODEL        0, 24, 2
#define IDR0_TERM_MODEL         0, 26, 1
#define IDR0_ST_LEVEL           0, 27, 2

enum { IDR0_TTF_AARCH64 = 2 };
enum { IDR0_TTENDIAN_MIXED = 0, IDR0_TTENDIAN_LE = 2, IDR0_TTENDIAN_BE = 3 };

/* IDR1 (6.3.2) */
#define IDR1_SIDSIZE            0, 0, 6
#define IDR1_SSIDSIZE           0, 6, 5
#define IDR1_PRIQS              0, 11, 5
#define IDR1_EVENTQS            0, 16, 5
#define IDR1_CMDQS              0, 21, 5
#define IDR1_ATTR_PERMS_OVR     0, 26, 1
#define IDR1_ATTR_TYPES_OVR     0, 27, 1
#define IDR1_REL                0, 28, 1
#define IDR1_QUEUES_PRESET      0, 29, 1
#define IDR1_TABLES_PRESET      0, 30, 1
#define IDR1_ECMDQ              0, 31, 1

/* IDR3 (6.3.4) */
#define IDR3_HAD                0, 2, 1
#define IDR3_PBHA               0, 3, 1
#define IDR3_XNX                0, 4, 1
#define IDR3_PPS                0, 5, 1
#define IDR3_MPAM               0, 7, 1
#define IDR3_FWB                0, 8, 1
#define IDR3_STT                0, 9, 1
#define IDR3_RIL                0, 10, 1
#define IDR3_BBML               0, 11, 2
#define IDR3_E0PD               0, 13, 1
#define IDR3_PTWNNC             0, 14, 1
#define IDR3_DPT                0, 15, 1

/* IDR5 (6.3.6) */
#define IDR5_OAS                0, 0, 3
#define IDR5_GRAN4K             0, 4, 1
#define IDR5_GRAN16K            0, 5, 1
#define IDR5_GRAN64K            0, 6, 1
#define IDR5_DS                 0, 7, 1
#define IDR5_VAX                0, 10, 2
#define IDR5_STALL_MAX          0, 16, 16

/* IIDR (6.3.7), AIDR (6.3.8) */
#define IIDR_IMPLEMENTER        0, 0, 12
#define IIDR_REVISION           0, 12, 4
#define IIDR_VARIANT            0, 16, 4
#define IIDR_PRODUCTID          0, 20, 12
#define AIDR_MINOR              0, 0, 4
#define AIDR_MAJOR              0, 4, 4

/* CR0 and CR0ACK (6.3.9, 6.3.10) */
#define CR0_SMMUEN              0, 0, 1
#define CR0_PRIQEN              0, 1, 1
#define CR0_EVENTQEN            0, 2, 1
#define CR0_CMDQEN              0, 3, 1
#define CR0_ATSCHK              0, 4, 1
#define CR0_VMW                 0, 6, 3

/* CR1 (6.3.11) */
#define CR1_QUEUE_ATTRS         0, 0, 6     /* IC, OC and SH */
#define CR1_TABLE_ATTRS         0, 6, 6

/* CR2 (6.3.12) */
#define CR2_E2H                 0, 0, 1
#define CR2_RECINVSID           0, 1, 1
#define CR2_PTM                 0, 2, 1
#define CR2_REC_CFG_ATS         0, 3, 1

/* GBPA (6.3.14) */
#define GBPA_MEMATTR            0, 0, 4
#define GBPA_MTCFG              0, 4, 1
#define GBPA_ALLOCCFG           0, 8, 4
#define GBPA_SHCFG              0, 12, 2
#define GBPA_PRIVCFG            0, 16, 2
#define GBPA_INSTCFG            0, 18, 2
#define GBPA_ABORT              0, 20, 1
#define GBPA_UPDATE             0, 31, 1

/* IRQ_CTRL and IRQ_CTRLACK (6.3.16, 6.3.18) */
#define IRQ_CTRL_GERROR         0, 0, 1
#define IRQ_CTRL_PRIQ           0, 1, 1
#define IRQ_CTRL_EVENTQ         0, 2, 1

/* GERROR and GERRORN (6.3.19, 6.3.20) */
#define GERROR_CMDQ             0, 0, 1
#define GERROR_EVENTQ_ABT       0, 2, 1
#define GERROR_PRIQ_ABT         0, 3, 1
#define GERROR_MSI_CMDQ_ABT     0, 4, 1
#define GERROR_MSI_EVENTQ_ABT   0, 5, 1
#define GERROR_MSI_PRIQ_ABT     0, 6, 1
#define GERROR_MSI_GERROR_ABT   0, 7, 1
#define GERROR_SFM              0, 8, 1

/* *_IRQ_CFG0, CFG2 (6.3.21 and following) */
#define IRQ_CFG0_ADDR           0, 2, 50
#define IRQ_CFG2_MEMATTR        0, 0, 4
#define IRQ_CFG2_SH             0, 4, 2
#define PRIQ_IRQ_CFG2_LO        0, 31, 1

/* STRTAB_BASE, STRTAB_BASE_CFG (6.3.24, 6.3.25) */
#define STRTAB_BASE_ADDR        0, 6, 46
#define STRTAB_BASE_RA          0, 62, 1
#define STRTAB_CFG_LOG2SIZE     0, 0, 6
#define STRTAB_CFG_SPLIT        0, 6, 5
#define STRTAB_CFG_FMT          0, 16, 2

/* The queues' *_BASE, *_PROD, *_CONS (6.3.26 and following) */
#define QUEUE_BASE_LOG2SIZE     0, 0, 5
#define QUEUE_BASE_ADDR         0, 5, 47
#define QUEUE_BASE_HINT         0, 62, 1    /* RA or WA */
#define QUEUE_INDEX             0, 0, 20    /* with the wrap bit above it */
#define QUEUE_OVERFLOW          0, 31, 1    /* OVFLG in PROD, OVACKFLG in CONS */
#define CMDQ_CONS_ERR           0, 24, 7

/* CMDQ_CONS.ERR (7.1) */
typedef enum {
    CERROR_NONE = 0,
    CERROR_ILL = 1,
    CERROR_ABT = 2,
    CERROR_ATC_INV_SYNC = 3,
} Smmu3CmdError;

/* GATOS_* (6.3.37 and following, chapter 9) */
#define GATOS_CTRL_RUN          0, 0, 1
#define GATOS_SID_STREAMID      0, 0, 32
#define GATOS_SID_SUBSTREAMID   0, 32, 20
#define GATOS_SID_SSID_VALID    0, 52, 1
#define GATOS_ADDR_HTTUI        0, 6, 1
#define GATOS_ADDR_IND          0, 7, 1
#define GATOS_ADDR_RNW          0, 8, 1
#define GATOS_ADDR_PNU          0, 9, 1
#define GATOS_ADDR_TYPE         0, 10, 2
#define GATOS_ADDR_ADDR         0, 12, 52
#define GATOS_PAR_FAULT         0, 0, 1
#define GATOS_PAR_REASON        0, 1, 2
#define GATOS_PAR_FAULTCODE     0, 4, 8
#define GATOS_PAR_SH            0, 8, 2
#define GATOS_PAR_SIZE          0, 11, 1
#define GATOS_PAR_ADDR          0, 12, 40   /* FADDR of a fault */
#define GATOS_PAR_ATTR          0, 56, 8

/* ---- Stream table (IHI 0070 5.1, 5.2) --------------------------------- */

#define SMMU3_L1STD_BYTES       8
#define L1STD_SPAN              0, 0, 5
#define L1STD_L2PTR             0, 6, 46

#define SMMU3_STE_WORDS         8
#define SMMU3_STE_BYTES         64
#define STE_V                   0, 0, 1
#define STE_CONFIG              0, 1, 3
#define STE_S1FMT               0, 4, 2
#define STE_S1CONTEXTPTR        0, 6, 46
#define STE_S1CDMAX             0, 59, 5
#define STE_S1DSS               1, 0, 2
#define STE_S1CIR               1, 2, 2
#define STE_S1COR               1, 4, 2
#define STE_S1CSH               1, 6, 2
#define STE_DRE                 1, 12, 1
#define STE_CONT                1, 13, 4
#define STE_DCP                 1, 17, 1
#define STE_PPAR                1, 18, 1
#define STE_MEV                 1, 19, 1
#define STE_S2FWB               1, 25, 1
#define STE_S1MPAM              1, 26, 1
#define STE_S1STALLD            1, 27, 1
#define STE_EATS                1, 28, 2
#define STE_STRW                1, 30, 2
#define STE_MEMATTR             1, 32, 4
#define STE_MTCFG               1, 36, 1
#define STE_ALLOCCFG            1, 37, 4
#define STE_SHCFG               1, 44, 2
#define STE_PRIVCFG             1, 48, 2
#define STE_INSTCFG             1, 50, 2
#define STE_S2VMID              2, 0, 16
#define STE_S2T0SZ              2, 32, 6
#define STE_S2SL0               2, 38, 2
#define STE_S2IR0               2, 40, 2
#define STE_S2OR0               2, 42, 2
#define STE_S2SH0               2, 44, 2
#define STE_S2TG                2, 46, 2
#define STE_S2PS                2, 48, 3
#define STE_S2AA64              2, 51, 1
#define STE_S2ENDI              2, 52, 1
#define STE_S2AFFD              2, 53, 1
#define STE_S2PTW               2, 54, 1
#define STE_S2HD                2, 55, 1
#define STE_S2HA                2, 56, 1
#define STE_S2S                 2, 57, 1
#define STE_S2R                 2, 58, 1
#define STE_S2SL0_2             3, 2, 1
#define STE_S2DS                3, 3, 1
#define STE_S2TTB               3, 4, 48

enum {
    STE_CONFIG_ABORT = 0,
    STE_CONFIG_BYPASS = 4,
    STE_CONFIG_S1 = 5,
    STE_CONFIG_S2 = 6,
    STE_CONFIG_NESTED = 7,
    /* Config is a bit mask once its top bit is set */
    STE_CONFIG_S1_BIT = 1,
    STE_CONFIG_S2_BIT = 2,
    STE_CONFIG_PASS_BIT = 4,
};
enum { STE_S1FMT_LINEAR = 0, STE_S1FMT_4K_L2 = 1, STE_S1FMT_64K_L2 = 2 };
enum { STE_S1DSS_TERMINATE = 0, STE_S1DSS_BYPASS = 1, STE_S1DSS_CD0 = 2 };
enum { STE_EATS_NONE = 0, STE_EATS_FULL = 1, STE_EATS_SPLIT = 2 };
enum { STE_STRW_NS_EL1 = 0, STE_STRW_NS_EL2 = 2 };

/* ---- Context descriptors (IHI 0070 5.3, 5.4) -------------------------- */

#define SMMU3_L1CD_BYTES        8
#define L1CD_V                  0, 0, 1
#define L1CD_L2PTR              0, 12, 40

#define SMMU3_CD_WORDS          8
#define SMMU3_CD_BYTES          64
#define CD_T0SZ                 0, 0, 6
#define CD_TG0                  0, 6, 2
#define CD_IR0                  0, 8, 2
#define CD_OR0                  0, 10, 2
#define CD_SH0                  0, 12, 2
#define CD_EPD0                 0, 14, 1
#define CD_ENDI                 0, 15, 1
#define CD_T1SZ                 0, 16, 6
#define CD_TG1                  0, 22, 2
#define CD_IR1                  0, 24, 2
#define CD_OR1                  0, 26, 2
#define CD_SH1                  0, 28, 2
#define CD_EPD1                 0, 30, 1
#define CD_V                    0, 31, 1
#define CD_IPS                  0, 32, 3
#define CD_AFFD                 0, 35, 1
#define CD_WXN                  0, 36, 1
#define CD_UWXN                 0, 37, 1
#define CD_TBI0                 0, 38, 1
#define CD_TBI1                 0, 39, 1
#define CD_PAN                  0, 40, 1
#define CD_AA64                 0, 41, 1
#define CD_HD                   0, 42, 1
#define CD_HA                   0, 43, 1
#define CD_S                    0, 44, 1
#define CD_R                    0, 45, 1
#define CD_A                    0, 46, 1
#define CD_ASET                 0, 47, 1
#define CD_ASID                 0, 48, 16
#define CD_HAD0                 1, 1, 1
#define CD_E0PD0                1, 2, 1
#define CD_TTB0                 1, 4, 48
#define CD_HAD1                 2, 1, 1
#define CD_E0PD1                2, 2, 1
#define CD_TTB1                 2, 4, 48
#define CD_DS                   2, 58, 1
#define CD_MAIR                 3, 0, 64

/* The three granule fields number the granules differently (5.2, 5.4). */
enum { CD_TG0_4K = 0, CD_TG0_64K = 1, CD_TG0_16K = 2 };
enum { CD_TG1_16K = 1, CD_TG1_4K = 2, CD_TG1_64K = 3 };
enum { STE_S2TG_4K = 0, STE_S2TG_64K = 1, STE_S2TG_16K = 2 };

/* ---- Commands (IHI 0070 chapter 4) ------------------------------------ */

#define SMMU3_CMD_WORDS         2
#define SMMU3_CMD_BYTES         16
#define CMD_OPCODE              0, 0, 8
#define CMD_SSEC                0, 10, 1
#define CMD_SSV                 0, 11, 1
#define CMD_SUBSTREAMID         0, 12, 20
#define CMD_STREAMID            0, 32, 32
#define CMD_VMID                0, 32, 16
#define CMD_ASID                0, 48, 16
#define CMD_LEAF                1, 0, 1
#define CMD_CFGI_RANGE          1, 0, 5
#define CMD_TLBI_NUM            0, 12, 5
#define CMD_TLBI_SCALE          0, 20, 6
#define CMD_TLBI_TTL            1, 8, 2
#define CMD_TLBI_TG             1, 10, 2
#define CMD_ADDR                1, 12, 52
#define CMD_PREFETCH_SIZE       1, 0, 5
#define CMD_PREFETCH_STRIDE     1, 5, 5
#define CMD_ATC_GLOBAL          0, 9, 1
#define CMD_ATC_SIZE            1, 0, 6
#define CMD_PRI_PRGINDEX        1, 0, 9
#define CMD_PRI_RESP            1, 12, 2
#define CMD_RESUME_AC           0, 12, 1
#define CMD_RESUME_AB           0, 13, 1
#define CMD_RESUME_STAG         1, 0, 16
#define CMD_SYNC_CS             0, 12, 2
#define CMD_SYNC_MSH            0, 22, 2
#define CMD_SYNC_MSIATTR        0, 24, 4
#define CMD_SYNC_MSIDATA        0, 32, 32
#define CMD_SYNC_MSIADDR        1, 2, 50

typedef enum {
    CMD_PREFETCH_CONFIG = 0x01,
    CMD_PREFETCH_ADDR   = 0x02,
    CMD_CFGI_STE        = 0x03,
    CMD_CFGI_STE_RANGE  = 0x04,     /* Range = 31: CFGI_ALL */
    CMD_CFGI_CD         = 0x05,
    CMD_CFGI_CD_ALL     = 0x06,
    CMD_CFGI_VMS_PIDM   = 0x07,
    CMD_TLBI_NH_ALL     = 0x10,
    CMD_TLBI_NH_ASID    = 0x11,
    CMD_TLBI_NH_VA      = 0x12,
    CMD_TLBI_NH_VAA     = 0x13,
    CMD_TLBI_EL3_ALL    = 0x18,
    CMD_TLBI_EL3_VA     = 0x1a,
    CMD_TLBI_EL2_ALL    = 0x20,
    CMD_TLBI_EL2_ASID   = 0x21,
    CMD_TLBI_EL2_VA     = 0x22,
    CMD_TLBI_EL2_VAA    = 0x23,
    CMD_TLBI_S12_VMALL  = 0x28,
    CMD_TLBI_S2_IPA     = 0x2a,
    CMD_TLBI_NSNH_ALL   = 0x30,
    CMD_ATC_INV         = 0x40,
    CMD_PRI_RESPONSE    = 0x41,
    CMD_RESUME          = 0x44,
    CMD_STALL_TERM      = 0x45,
    CMD_SYNC            = 0x46,
} Smmu3Opcode;

enum { CMD_CFGI_RANGE_ALL = 31 };
enum { CMD_SYNC_CS_NONE = 0, CMD_SYNC_CS_IRQ = 1, CMD_SYNC_CS_SEV = 2 };
enum { CMD_ATC_SIZE_ALL = 52 };
enum { CMD_PRI_RESP_FAILURE = 0, CMD_PRI_RESP_INVALID = 1,
       CMD_PRI_RESP_SUCCESS = 2 };

/* ---- Event records (IHI 0070 7.3) ------------------------------------- */

#define SMMU3_EVENT_WORDS       4
#define SMMU3_EVENT_BYTES       32
#define EVENT_TYPE              0, 0, 8
#define EVENT_SSV               0, 11, 1
#define EVENT_SUBSTREAMID       0, 12, 20
#define EVENT_STREAMID          0, 32, 32
#define EVENT_STAG              1, 0, 16
#define EVENT_STALL             1, 31, 1
#define EVENT_PNU               1, 33, 1
#define EVENT_IND               1, 34, 1
#define EVENT_RNW               1, 35, 1
#define EVENT_S2                1, 39, 1
#define EVENT_CLASS             1, 40, 2
#define EVENT_TTRNW             1, 44, 1
#define EVENT_INPUT_ADDR        2, 0, 64
#define EVENT_IPA               3, 12, 40
#define EVENT_FETCH_ADDR        3, 3, 49
/* F_BAD_ATS_TREQ (7.3.6) */
#define EVENT_TREQ_SPAN         1, 0, 4
#define EVENT_TREQ_P            1, 28, 1
#define EVENT_TREQ_X            1, 29, 1
#define EVENT_TREQ_W            1, 30, 1
#define EVENT_TREQ_R            1, 31, 1

typedef enum {
    EVENT_NONE              = 0,
    F_UUT                   = 0x01,
    C_BAD_STREAMID          = 0x02,
    F_STE_FETCH             = 0x03,
    C_BAD_STE               = 0x04,
    F_BAD_ATS_TREQ          = 0x05,
    F_STREAM_DISABLED       = 0x06,
    F_TRANSL_FORBIDDEN      = 0x07,
    C_BAD_SUBSTREAMID       = 0x08,
    F_CD_FETCH              = 0x09,
    C_BAD_CD                = 0x0a,
    F_WALK_EABT             = 0x0b,
    F_TRANSLATION           = 0x10,
    F_ADDR_SIZE             = 0x11,
    F_ACCESS                = 0x12,
    F_PERMISSION            = 0x13,
    F_TLB_CONFLICT          = 0x20,
    F_CFG_CONFLICT          = 0x21,
    E_PAGE_REQUEST          = 0x24,
    F_VMS_FETCH             = 0x25,
} Smmu3EventType;

/* EVENT_CLASS (7.3): what was being translated when the fault was met */
typedef enum { CLASS_CD = 0, CLASS_TT = 1, CLASS_IN = 2 } Smmu3Class;

/* ---- Page requests (IHI 0070 8.1) ------------------------------------- */

#define SMMU3_PRI_WORDS         2
#define SMMU3_PRI_BYTES         16
#define PRI_STREAMID            0, 0, 32
#define PRI_SUBSTREAMID         0, 32, 20
#define PRI_PRIV                0, 58, 1
#define PRI_EXEC                0, 59, 1
#define PRI_READ                0, 60, 1
#define PRI_WRITE               0, 61, 1
#define PRI_LAST                0, 62, 1
#define PRI_SSV                 0, 63, 1
#define PRI_PRGINDEX            1, 0, 9
#define PRI_ADDR                1, 12, 52

/* PCIe page request group response codes (PCIe 10.4.2.1) */
typedef enum {
    PRG_SUCCESS = 0x0,
    PRG_INVALID_REQUEST = 0x1,
    PRG_RESPONSE_FAILURE = 0xf,
} Smmu3PrgCode;

/* ---- VMSAv8-64 descriptors (DDI 0487 D8.3) ---------------------------- */

#define TTD_VALID               0, 0, 1
#define TTD_TABLE_OR_PAGE       0, 1, 1
#define TTD_ATTRINDX            0, 2, 3
#define TTD_AP                  0, 6, 2     /* AP[2:1] */
#define TTD_AP_UNPRIV           0, 6, 1     /* AP[1] */
#define TTD_AP_RO               0, 7, 1     /* AP[2] */
#define TTD_SH                  0, 8, 2
#define TTD_OA_51_50            0, 8, 2     /* 4K and 16K with DS */
#define TTD_AF                  0, 10, 1
#define TTD_NG                  0, 11, 1
#define TTD_OA_51_48            0, 12, 4    /* 64K, 52-bit output */
#define TTD_NT                  0, 16, 1
#define TTD_DBM                 0, 51, 1
#define TTD_CONTIG              0, 52, 1
#define TTD_PXN                 0, 53, 1
#define TTD_UXN                 0, 54, 1
#define TTD_PXNTABLE            0, 59, 1
#define TTD_UXNTABLE            0, 60, 1
#define TTD_APTABLE_NO_UNPRIV   0, 61, 1    /* APTable[0] */
#define TTD_APTABLE_NO_WRITE    0, 62, 1    /* APTable[1] */
#define TTD_S2MEMATTR           0, 2, 4
#define TTD_S2AP_READ           0, 6, 1
#define TTD_S2AP_WRITE          0, 7, 1
#define TTD_S2XN                0, 53, 2

#endif
