/*
 * VMSAv8-64 translation table walks (IHI 0070 3.4, 3.13; DDI 0487 D8): one
 * stage at a time, as a function of memory and of what a CD or an STE says.
 * Not caches, and not what becomes of a fault. Called by stages.c, which
 * joins two stages by giving the stage-1 walk a way to reach its descriptors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_WALK_H
#define SMMU3_WALK_H

#include "../interface/host.h"
#include "config.h"
#include "fault.h"

/* Rights that a stage grants, by the privilege of the access. */
enum {
    SMMU3_UNPRIV_R = 1, SMMU3_UNPRIV_W = 2, SMMU3_UNPRIV_X = 4,
    SMMU3_PRIV_R = 8,   SMMU3_PRIV_W = 16,  SMMU3_PRIV_X = 32,
};

/* What the tables of one stage say about a block of addresses. */
typedef struct Smmu3Leaf {
    uint64_t base;          /* output address of the block's first byte */
    uint8_t size_log2;      /* 12 ... 52; contiguous entries count as one */
    uint8_t rights;         /* SMMU3_UNPRIV_R ..., a writable-clean page counts
                               as writable */
    bool clean;             /* a write must first set the dirty state: walk */
    bool global;            /* nG=0: matches every ASID */
    bool device;            /* Device memory, for STE.S2PTW */
} Smmu3Leaf;

/* The tables of one stage and one half of its input, as a walk needs them. */
typedef struct Smmu3Tables {
    bool stage2;
    uint64_t ttb;
    uint8_t in_bits;        /* size of the input address */
    uint8_t page_log2;
    int8_t start_level;     /* -1 ... 3 */
    uint8_t oa_bits;        /* outputs above: F_ADDR_SIZE */
    bool ds;                /* LPA2 descriptors */
    bool big_endian;
    bool affd, ha, hd;      /* AF and dirty state (3.13) */
    /* stage 1 */
    bool el2;               /* one privilege: NS-EL2 without E2H */
    bool had, wxn, pan;
    uint64_t mair;
    /* stage 2 */
    bool xnx, fwb;
} Smmu3Tables;

/* Half @half (0: TTB0) of a context. */
void smmu3_tables_stage1(Smmu3Tables *tables, const Smmu3Stage1 *stage1,
                         Smmu3World world, unsigned half);
void smmu3_tables_stage2(Smmu3Tables *tables, const Smmu3Stage2 *stage2,
                         const Smmu3Features *f);

/* log2 of the bytes that one descriptor of @level stands for (DDI 0487 D8.2). */
static inline unsigned smmu3_level_log2(unsigned page_log2, int level)
{
    return page_log2 + (3 - level) * (page_log2 - 3);
}

/*
 * Which half of a context translates @va: sets *@half. False: F_TRANSLATION,
 * because @va is in neither, or walks of that half are off for this access
 * (IHI 0070 3.4.1, CD.EPD, CD.E0PD). @priv: effective PnU.
 */
bool smmu3_stage1_select(const Smmu3Stage1 *stage1, Smmu3World world,
                         uint64_t va, bool priv, unsigned *half);

/* The rights that an access needs; @access: SMMU3_READ and SMMU3_WRITE. */
static inline uint8_t smmu3_rights_needed(unsigned access, bool priv, bool ind)
{
    uint8_t need = 0;

    if (access & SMMU3_READ) {
        need |= ind ? SMMU3_UNPRIV_X : SMMU3_UNPRIV_R;
    }
    if (access & SMMU3_WRITE) {
        need |= SMMU3_UNPRIV_W;
    }
    return priv ? need * (SMMU3_PRIV_R / SMMU3_UNPRIV_R) : need;
}

enum { SMMU3_ANY_W = SMMU3_UNPRIV_W | SMMU3_PRIV_W,
       SMMU3_ANY_X = SMMU3_UNPRIV_X | SMMU3_PRIV_X };

/* Where the block maps @in to. */
static inline uint64_t smmu3_leaf_output(const Smmu3Leaf *leaf, uint64_t in)
{
    return leaf->base | (in & smmu3_mask(leaf->size_log2));
}

/* Whether the block lets an access pass without another walk. */
static inline bool smmu3_leaf_permits(const Smmu3Leaf *leaf, uint8_t need)
{
    return (leaf->rights & need) == need &&
           !(leaf->clean && (need & SMMU3_ANY_W));
}

/* What table descriptors take away from everything below them. */
enum { SMMU3_NO_UNPRIV = 1, SMMU3_NO_WRITE = 2, SMMU3_NO_PRIV_X = 4,
       SMMU3_NO_UNPRIV_X = 8 };

/* A table that a walk reads next, and what was met on the way to it. */
typedef struct Smmu3Table {
    uint64_t addr;          /* an IPA if stage 1 is over stage 2 */
    int8_t level;
    uint8_t limits;         /* SMMU3_NO_UNPRIV ... */
} Smmu3Table;

/* How a walk reaches memory, and who watches it. */
typedef struct Smmu3Walker {
    const Smmu3HostOps *ops;
    void *host;
    unsigned oas_bits;
    /* No descriptor can be read: an external abort, on request. */
    bool abort;
    /* Descriptors may be updated (HTTU); else they are taken as if updated... */
    bool update;
    /* ...or, where that is needed, end the walk: EVENT_NONE. */
    bool refuse_updates;
    /*
     * Stage 1 over stage 2: the PA of the descriptor at @ipa, for a read or an
     * update; false with *@fault filled in. NULL: addresses are PAs.
     */
    bool (*locate)(void *opaque, uint64_t ipa, bool write, uint64_t *pa,
                   Smmu3Fault *fault);
    /* A descriptor was read at @pa, or updated there; may be NULL. */
    void (*saw)(void *opaque, bool stage2, int level, uint64_t pa,
                uint64_t descriptor, bool updated);
    void *opaque;
} Smmu3Walker;

/* log2 of what a table of @level maps: as much as one descriptor above it. */
static inline unsigned smmu3_table_log2(const Smmu3Tables *t, int level)
{
    return smmu3_level_log2(t->page_log2, level - 1);
}

/* Where every walk of such tables may begin. */
Smmu3Table smmu3_root(const Smmu3Tables *t);

/*
 * Walk for the block that maps @in; stage 1 ignores the bits above in_bits.
 * @table: where to begin, which is on the way to @in; becomes that of the
 * leaf. @need: SMMU3_UNPRIV_R ..., the rights without which it is F_PERMISSION;
 * if a write is among them, the dirty state is set. Returns true with *@leaf, or
 * false with *@fault: type, stage2, fetch_addr and, for stage 1, class. The
 * class and the IPA of a stage-2 fault are the caller's to set. Bounded work.
 */
bool smmu3_walk_from(const Smmu3Walker *w, const Smmu3Tables *t,
                     Smmu3Table *table, uint64_t in, uint8_t need,
                     Smmu3Leaf *leaf, Smmu3Fault *fault);

/* From the root. */
bool smmu3_walk(const Smmu3Walker *w, const Smmu3Tables *t, uint64_t in,
                uint8_t need, Smmu3Leaf *leaf, Smmu3Fault *fault);

#endif
