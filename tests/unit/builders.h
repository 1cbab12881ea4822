/*
 * Small builders of what software would write: stream table entries, context
 * descriptors, translation tables; and of transactions. What they build is
 * legal and ordinary; a test then changes the field that it is about. They
 * know the layouts from spec.h and share no code with the walker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_BUILDERS_H
#define TEST_BUILDERS_H

#include "fake-host.h"
#include "core/spec/id.h"
#include "core/interface/transaction.h"

/* All that the core implements, in the widest form. OAS is 52 bits. */
void features_all(Smmu3Features *f);

/* ---- Translation tables ------------------------------------------------ */

/*
 * Bits of leaf descriptors; those of spec.h, under names for arguments, and
 * as constant expressions, for tables of cases.
 */
#define PT_BITS_(word, lsb, width) (((UINT64_C(1) << (width)) - 1) << (lsb))
#define PT_BITS(field) PT_BITS_(field)

#define PT_AF       PT_BITS(TTD_AF)
#define PT_UNPRIV   PT_BITS(TTD_AP_UNPRIV)     /* AP[1] */
#define PT_RO       PT_BITS(TTD_AP_RO)         /* AP[2] */
#define PT_NG       PT_BITS(TTD_NG)
#define PT_DBM      PT_BITS(TTD_DBM)
#define PT_CONTIG   PT_BITS(TTD_CONTIG)
#define PT_PXN      PT_BITS(TTD_PXN)
#define PT_UXN      PT_BITS(TTD_UXN)
#define PT_DEVICE   (UINT64_C(1) << 2)  /* AttrIndx 1 in cd_for()'s MAIR */
/* Stage 2; MemAttr 0b1111 is Normal write-back, 0 is Device */
#define PT_S2_R     PT_BITS(TTD_S2AP_READ)
#define PT_S2_W     PT_BITS(TTD_S2AP_WRITE)
#define PT_S2_NORMAL PT_BITS(TTD_S2MEMATTR)
/* What most pages are */
#define PT_USER_RW  (PT_AF | PT_UNPRIV | PT_NG)
#define PT_USER_RO  (PT_AF | PT_UNPRIV | PT_RO | PT_NG)
#define PT_KERNEL_RW (PT_AF | PT_NG)
#define PT_S2_RW    (PT_AF | PT_S2_R | PT_S2_W | PT_S2_NORMAL)
#define PT_S2_RO    (PT_AF | PT_S2_R | PT_S2_NORMAL)

typedef struct PageTable {
    FakeHost *host;
    bool stage2;
    bool ds;                /* LPA2, 4K and 16K */
    bool big_endian;        /* set before mapping */
    unsigned page_log2;
    unsigned in_bits;       /* 64 - TxSZ */
    int start_level;
    unsigned start_bits;    /* index bits there; concatenation included */
    uint64_t root;          /* PA of the start table */
    uint64_t ipa_delta;     /* added to the address of a table wherever a TTB
                               or descriptor holds it; see pt_ttb() */
} PageTable;

/* An empty stage-1 table. @page_log2: 12, 14, 16; in_bits = 64 - TxSZ. */
void pt_init(PageTable *pt, FakeHost *host, unsigned page_log2,
             unsigned in_bits, bool ds);
/* An empty stage-2 table that starts at @start_level, -1 ... 3. */
void pt_init_stage2(PageTable *pt, FakeHost *host, unsigned page_log2,
                    unsigned in_bits, int start_level, bool ds);

/* log2 of the bytes that one entry of @level maps. */
unsigned pt_level_log2(const PageTable *pt, int level);
/* The start table's address as a TTB holds it. */
uint64_t pt_ttb(const PageTable *pt);
/* PA of the descriptor for @in at @level; makes the tables above it. */
uint64_t pt_entry(PageTable *pt, uint64_t in, int level);
/* Map the block or page at @level around @in; returns its descriptor's PA. */
uint64_t pt_map(PageTable *pt, uint64_t in, uint64_t out, int level,
                uint64_t attributes);
/* Map @bytes, page by page. */
void pt_map_range(PageTable *pt, uint64_t in, uint64_t out, uint64_t bytes,
                  uint64_t attributes);
/* Descriptors in the table's byte order. */
uint64_t pt_read(const PageTable *pt, uint64_t pa);
void pt_write(const PageTable *pt, uint64_t pa, uint64_t descriptor);
/* Set bits in the descriptor of @in at @level, e.g. hierarchical ones. */
void pt_or(PageTable *pt, uint64_t in, int level, uint64_t bits);

/* ---- Structures -------------------------------------------------------- */

/* A CD for @pt as TTB0; TTB1 is off. R and A are set, S is not. */
void cd_for(uint64_t cd[SMMU3_CD_WORDS], const PageTable *pt, uint16_t asid);
/* Give it a TTB1 too. */
void cd_second_half(uint64_t cd[SMMU3_CD_WORDS], const PageTable *pt);

void ste_abort(uint64_t ste[SMMU3_STE_WORDS]);
void ste_bypass(uint64_t ste[SMMU3_STE_WORDS]);
/* @cdmax: S1CDMax; linear table. Without SubstreamID, CD 0 (S1DSS=2). */
void ste_stage1(uint64_t ste[SMMU3_STE_WORDS], uint64_t cd_table,
                unsigned cdmax);
void ste_stage2(uint64_t ste[SMMU3_STE_WORDS], const PageTable *pt,
                uint16_t vmid);
void ste_nested(uint64_t ste[SMMU3_STE_WORDS], uint64_t cd_table,
                unsigned cdmax, const PageTable *pt, uint16_t vmid);

/* ---- Transactions ------------------------------------------------------ */

/* Unprivileged data accesses without a SubstreamID. */
Smmu3Transaction dma_read(uint32_t sid, uint64_t addr);
Smmu3Transaction dma_write(uint32_t sid, uint64_t addr);
Smmu3Transaction with_ssid(Smmu3Transaction t, uint32_t ssid);
Smmu3Transaction with_priv(Smmu3Transaction t);
Smmu3Transaction with_ind(Smmu3Transaction t);

#endif
