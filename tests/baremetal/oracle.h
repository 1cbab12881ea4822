/*
 * The CPU as oracle: random translation tables, the same for the CPU and for
 * the SMMU, and both asked about the same address. What the files of the
 * programs walk-oracle (stage 1, at EL1), e2h-oracle (the same of EL2) and
 * nested-oracle (both stages, at EL2) say to each other.
 *
 *   oracle-descriptors.c   what tables are made with
 *   oracle-tables.c    makes a case of a seed, and its stage 1
 *   oracle-stage2.c    its stage 2
 *   oracle-own.c       asks the CPU (AT S1E*, PAR_EL1), of the kind that
 *                      oracle-el1.c or oracle-e2h.c says; or else
 *   oracle-el2.c       (AT S12E*); they share oracle-cpu.c
 *   oracle-smmu.c      asks the SMMU (GATOS, requests of sva-testdev)
 *   oracle.c           compares, and prints where they differ
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BAREMETAL_ORACLE_H
#define BAREMETAL_ORACLE_H

#include "arch.h"
#include "core/spec/spec.h"

/* One half of the input addresses */
typedef struct OracleHalf {
    unsigned page_log2, tsz;
    bool epd, tbi, hpd, e0pd;
    uint64_t root;              /* PA of the start table */
} OracleHalf;

/* A translation regime, as TCR_EL1 and as a CD have it */
typedef struct OracleRegime {
    OracleHalf half[2];
    unsigned ips;               /* 0 ... 6: 32 to 52 bits */
    bool ds, pan, ha, hd, big_endian;
} OracleRegime;

/* Stage 2, as VTCR_EL2 and as an STE have it */
typedef struct OracleStage2 {
    unsigned page_log2, tsz, ps;
    int start_level;
    unsigned sl0;               /* what names it; SL2 is above SL0 */
    bool ds, ha, hd;
    uint64_t root;
    uint64_t cd_ipa;            /* where the SMMU finds the CDs */
    unsigned leaf_log2, joined_log2;    /* of what maps the output of stage 1,
                                           if anything does */
} OracleStage2;

/* A descriptor on the way to the address */
typedef struct OracleStep {
    int level;
    uint64_t pa, ipa, descriptor;   /* ipa: the same, without stage 2 */
} OracleStep;

typedef struct OracleCase {
    uint64_t seed, number;
    OracleRegime regime;
    OracleStage2 stage2;
    bool stage1;                /* else the address is an IPA, unprivileged */
    unsigned tested;            /* the half that is random; the other one maps
                                   RAM, for the code that asks the CPU */
    uint64_t va;
    unsigned steps;
    OracleStep step[5];
    /* What the last step stands for, if it is a block or page */
    bool leaf;
    unsigned leaf_log2, joined_log2;    /* joined: with its contiguous ones */
} OracleCase;

/* The accesses that are asked about */
enum { ORACLE_PRIV_READ, ORACLE_PRIV_WRITE, ORACLE_USER_READ,
       ORACLE_USER_WRITE, ORACLE_ACCESSES };

static inline bool oracle_is_write(unsigned access)
{
    return access & 1;
}

/* The first access that counts: without stage 1 there is no privilege. */
static inline unsigned oracle_first_access(const OracleCase *c)
{
    return c->stage1 ? ORACLE_PRIV_READ : ORACLE_USER_READ;
}

static inline bool oracle_is_priv(unsigned access)
{
    return access < ORACLE_USER_READ;
}

/* What one of the two says of one access */
typedef struct OracleAnswer {
    unsigned fault;             /* F_TRANSLATION ..., or EVENT_NONE: */
    bool stage2, on_walk;       /* whose fault, and of a walk of stage 1? */
    uint64_t pa;                /* of the page, or of the byte */
    bool device;
    uint64_t raw;               /* PAR_EL1, GATOS_PAR, or ANS_STATE */
} OracleAnswer;

typedef struct OracleGrant {
    uint64_t flags;             /* SVA_TESTDEV_ANS_READ, _WRITE */
    uint64_t pa, len;
} OracleGrant;

typedef struct OracleSmmu {
    OracleAnswer gatos[ORACLE_ACCESSES];
    OracleAnswer access[ORACLE_ACCESSES];
    OracleGrant ats[2];         /* privileged, unprivileged */
} OracleSmmu;

/* ---- oracle-descriptors.c ----------------------------------------------- */

/* What the last case left in memory is gone; random numbers begin anew. */
void oracle_begin(uint64_t number);
uint64_t oracle_random(void);
/* One of @n. */
uint64_t oracle_pick(uint64_t n);
bool oracle_one_in(unsigned n);
/* A descriptor that was made, or a range of them of which @met counts. */
void oracle_written(uint64_t *entry);
void oracle_written_range(uint64_t *first, unsigned count, uint64_t *met);
/* They are as they were made, whatever the CPU has updated. */
void oracle_restore(void);

/* What 3 bits of IPS or PS say. */
unsigned oracle_ps_bits(unsigned ps);
unsigned oracle_level_log2(unsigned page_log2, int level);
/* @ds: the format of LPA2. Not aligned to more than a page. */
uint64_t oracle_get_address(unsigned page_log2, bool ds, uint64_t descriptor);
/* What the format cannot express is dropped. */
uint64_t oracle_put_address(unsigned page_log2, bool ds, uint64_t descriptor,
                            uint64_t address);
/* Entries that the contiguous bit joins; 0: it is RES0. */
unsigned oracle_contiguous_log2(unsigned page_log2, int level);
bool oracle_may_be_block(unsigned page_log2, bool ds, int level);

/* Of the half that is tested: bits of an output address; the format of LPA2;
   the output address in a descriptor; where the leaf leads to. */
unsigned oracle_oa_bits(const OracleCase *c);
bool oracle_lpa2(const OracleCase *c);
uint64_t oracle_descriptor_address(const OracleCase *c, uint64_t descriptor);
uint64_t oracle_output(const OracleCase *c);

/* ---- oracle-stage2.c ---------------------------------------------------- */

void oracle_stage2_init(uint64_t cds);
/* The regime; tables that map the CDs. Before stage 1 is made. */
void oracle_stage2_begin(OracleCase *c);
/* The IPA at which the 64 KiB of RAM at @pa, a table of stage 1, are to be. */
uint64_t oracle_stage2_place(OracleCase *c, uint64_t pa);
/* Map, in some way, what stage 1 needs and where it leads to. */
void oracle_stage2_end(OracleCase *c);
void oracle_stage2_show(const OracleCase *c, uint64_t ipa);

/* ---- oracle-tables.c ---------------------------------------------------- */

/* @cds: where the SMMU's CDs are */
void oracle_tables_init(uint64_t cds);
void oracle_make(OracleCase *c, uint64_t seed, uint64_t number);

/* ---- The kind: oracle-el1.c, oracle-e2h.c or oracle-el2.c --------------- */

extern const bool oracle_nested;        /* are there two stages? */
extern const bool oracle_is_el2;        /* are the contexts those of EL2? */
void oracle_kind_init(void);            /* for oracle-own.c */
extern const char oracle_path[];        /* of the test case */

/* ---- oracle-own.c or oracle-el2.c --------------------------------------- */

/* The half that the code runs in while it asks: RAM only. 0: none. */
uint64_t oracle_own_map(void);
void oracle_cpu_init(void);
void oracle_ask_cpu(const OracleCase *c, uint64_t va,
                    OracleAnswer answers[ORACLE_ACCESSES]);

/* TCR_EL1 of a regime, and an answer from PAR_EL1: oracle-cpu.c */
uint64_t oracle_tcr(const OracleRegime *regime);
OracleAnswer oracle_par(uint64_t par);
/* MAIR_EL1: 0 and 1 as start.S has them, and some of each kind */
#define ORACLE_MAIR UINT64_C(0xf408bb0c440004ff)

/* ---- oracle-smmu.c ------------------------------------------------------ */

void oracle_smmu_init(void);
uint64_t oracle_cds(void);              /* PA of the CDs */
void oracle_set_smmu(const OracleCase *c);
void oracle_ask_smmu(const OracleCase *c, OracleSmmu *answers);

#endif
