/*
 * The CPU as oracle: random stage-1 tables, the same for the CPU and for the
 * SMMU, and both asked about the same address. What the files of the program
 * walk-oracle say to each other.
 *
 *   oracle-tables.c    makes a case of a seed
 *   oracle-cpu.c       asks the CPU (AT, PAR_EL1)
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
    bool ds, pan, ha, hd;
} OracleRegime;

/* A descriptor on the way to the address */
typedef struct OracleStep {
    int level;
    uint64_t pa, descriptor;
} OracleStep;

typedef struct OracleCase {
    uint64_t seed, number;
    OracleRegime regime;
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

static inline bool oracle_is_priv(unsigned access)
{
    return access < ORACLE_USER_READ;
}

/* What one of the two says of one access */
typedef struct OracleAnswer {
    unsigned fault;             /* F_TRANSLATION ..., or EVENT_NONE: */
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

/* ---- oracle-tables.c ---------------------------------------------------- */

uint64_t oracle_random(void);
/* One of @n. */
uint64_t oracle_pick(uint64_t n);
void oracle_tables_init(void);
/* The case of that number; what the last one left in memory is gone. */
void oracle_make(OracleCase *c, uint64_t seed, uint64_t number);
/* The last descriptor is as it was made, whatever the CPU has updated. */
void oracle_restore(const OracleCase *c);
/* Bits of an output address of the half that is tested. */
unsigned oracle_oa_bits(const OracleCase *c);
/* The output address in a descriptor of that half, not aligned. */
uint64_t oracle_descriptor_address(const OracleCase *c, uint64_t descriptor);

/* ---- oracle-cpu.c ------------------------------------------------------- */

/* The half that the code runs in while it asks: RAM only. */
uint64_t oracle_own_map(void);
void oracle_cpu_init(void);
void oracle_ask_cpu(const OracleRegime *regime, unsigned tested, uint64_t va,
                    OracleAnswer answers[ORACLE_ACCESSES]);

/* ---- oracle-smmu.c ------------------------------------------------------ */

void oracle_smmu_init(void);
void oracle_set_smmu(const OracleRegime *regime);
void oracle_ask_smmu(uint64_t va, OracleSmmu *answers);

#endif
