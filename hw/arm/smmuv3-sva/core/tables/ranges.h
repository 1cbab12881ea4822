/*
 * An address space as a list of ranges: what it maps, or where two differ. One
 * enumeration for everybody, by a function that looks one address up; not the
 * look-ups, nor words. Called by the QEMU side's questions and by tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_RANGES_H
#define SMMU3_RANGES_H

#include <glib.h>
#include "walk.h"

/* Input addresses, both ends included. */
typedef struct Smmu3Span {
    uint64_t first, last;
} Smmu3Span;

/*
 * Input addresses with one and the same answer. From a look-up: what one entry
 * of the tables says, or as much as one missing entry leaves out. In a list:
 * neighbours of these, joined.
 */
typedef struct Smmu3Piece {
    Smmu3Span in;
    bool mapped;            /* and if not, for this reason: */
    Smmu3EventType fault;
    bool fault_stage2;
    /* if mapped */
    uint64_t output;        /* of the first address */
    bool nested;            /* it went through an IPA: */
    uint64_t ipa;           /* likewise */
    uint8_t entry_log2;     /* bytes that an entry stands for; of both stages,
                               the smaller */
    bool contiguous;        /* the entry has the contiguous bit */
    uint8_t rights;         /* SMMU3_UNPRIV_R ... */
    uint8_t known;          /* those of them that could be found out; if none,
                               neither could the attributes */
    bool clean;             /* its writes set the dirty state first */
    bool global;
    bool has_mair;          /* stage 1 says, or nobody, which memory it is: */
    uint8_t mair;           /* as a byte of MAIR */
    bool has_memattr;       /* stage 2 says, alone or besides: */
    uint8_t memattr;        /* its MemAttr, which is read */
    bool fwb;               /* as STE.S2FWB has it */
} Smmu3Piece;

/* What kind of memory attributes make it. */
typedef enum {
    SMMU3_MEMORY_DEVICE, SMMU3_MEMORY_NON_CACHEABLE, SMMU3_MEMORY_CACHEABLE,
    SMMU3_MEMORY_AS_STAGE1,         /* with FWB: whatever stage 1 says */
} Smmu3Memory;

/* Of a byte of MAIR (DDI 0487 D24.2, MAIR_EL1). */
Smmu3Memory smmu3_mair_memory(uint8_t mair);
/* Of MemAttr of stage 2, without and with FWB (DDI 0487 D8.6). */
Smmu3Memory smmu3_memattr_memory(uint8_t memattr, bool fwb);

/* The answer at @in, and how far it goes: @in is within @piece->in. */
typedef void Smmu3LookUp(void *opaque, uint64_t in, Smmu3Piece *piece);

/* A way to look up, and what it is given. */
typedef struct Smmu3Space {
    Smmu3LookUp *look_up;
    void *opaque;
} Smmu3Space;

/* How two spaces differ at an address. */
enum {
    SMMU3_DIFFERS_MAPPED = 1,       /* one of them refuses */
    SMMU3_DIFFERS_OUTPUT = 2,
    SMMU3_DIFFERS_SIZE = 4,         /* of the entries */
    SMMU3_DIFFERS_RIGHTS = 8,
    SMMU3_DIFFERS_MEMORY = 16,      /* attributes; of stage 2, if both have it */
    SMMU3_DIFFERS_CLEAN = 32,       /* only one sets the dirty state by itself */
};

typedef struct Smmu3Difference {
    Smmu3Piece a, b;                /* of the same addresses */
    unsigned how;
} Smmu3Difference;

/*
 * The guest's tables may refer to themselves and be of any size, so each list
 * and the way to it are bounded.
 */
typedef struct Smmu3Survey {
    unsigned max_ranges;
    uint64_t max_steps;             /* look-ups */

    /* What came of it, of all calls so far. */
    GArray *ranges;                 /* of Smmu3Piece or Smmu3Difference */
    uint64_t steps;
    uint64_t mapped_bytes;          /* listed; of differences: by both spaces */
    uint64_t unknown_bytes;         /* whose rights could not be compared */
    bool truncated;                 /* the rest from here on was not looked at */
    uint64_t at;
} Smmu3Survey;

/* Append what @space maps within @span. Nothing if @survey is truncated. */
void smmu3_survey_map(Smmu3Survey *survey, Smmu3Space space, Smmu3Span span);
/*
 * Append where @a and @b differ within @span, in what of SMMU3_DIFFERS_... is in
 * @care; of the rights, in those of @rights. Each space is asked by itself, so
 * that what one skips is not lost of the other.
 */
void smmu3_survey_compare(Smmu3Survey *survey, Smmu3Space a, Smmu3Space b,
                          Smmu3Span span, unsigned care, uint8_t rights);

/* What of SMMU3_DIFFERS_... two answers to the same address differ in. */
unsigned smmu3_pieces_differ(const Smmu3Piece *a, const Smmu3Piece *b,
                             uint64_t in, unsigned care, uint8_t rights);

/* Where @piece maps @in. */
static inline uint64_t smmu3_piece_output(const Smmu3Piece *piece, uint64_t in)
{
    return piece->output + (in - piece->in.first);
}

/* All of 2^@size_log2 addresses around @in, aligned. */
static inline Smmu3Span smmu3_span_around(uint64_t in, unsigned size_log2)
{
    return (Smmu3Span) { in & ~smmu3_mask(size_log2),
                         in | smmu3_mask(size_log2) };
}

#endif
