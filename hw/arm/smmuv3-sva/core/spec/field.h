/*
 * Bit fields of the architecture's registers and memory structures.
 * Not the fields themselves: those are in spec.h. Used by the core, by the
 * devices and by the tests alike.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_FIELD_H
#define SMMU3_FIELD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A field is named once, as a triple "word, lsb, width": the index of the
 * 64-bit word that holds it, its lowest bit in that word and its width in
 * bits. The triple is passed as it stands:
 *
 *     #define STE_CONFIG 0, 1, 3
 *     smmu3_get(ste, STE_CONFIG)
 *     smmu3_set(ste, STE_CONFIG, 5)
 *
 * A register is a structure of one word: smmu3_get(&cr0, CR0_SMMUEN).
 */

static inline uint64_t smmu3_mask(unsigned width)
{
    return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

/* The value of a field, shifted down to bit 0. */
static inline uint64_t smmu3_get(const uint64_t *words, unsigned word,
                                 unsigned lsb, unsigned width)
{
    return (words[word] >> lsb) & smmu3_mask(width);
}

/* Replace a field; bits of @value above the field's width are dropped. */
static inline void smmu3_set(uint64_t *words, unsigned word, unsigned lsb,
                             unsigned width, uint64_t value)
{
    uint64_t mask = smmu3_mask(width) << lsb;

    words[word] = (words[word] & ~mask) | ((value << lsb) & mask);
}

/*
 * An address field: the same bits, but left where they are, because the
 * structure holds an aligned address and not a number.
 */
static inline uint64_t smmu3_get_addr(const uint64_t *words, unsigned word,
                                      unsigned lsb, unsigned width)
{
    return words[word] & (smmu3_mask(width) << lsb);
}

static inline void smmu3_set_addr(uint64_t *words, unsigned word, unsigned lsb,
                                  unsigned width, uint64_t addr)
{
    uint64_t mask = smmu3_mask(width) << lsb;

    words[word] = (words[word] & ~mask) | (addr & mask);
}

/* The field's bits in its word, for writable-bit masks of registers. */
static inline uint64_t smmu3_field_mask(unsigned word, unsigned lsb,
                                        unsigned width)
{
    (void)word;
    return smmu3_mask(width) << lsb;
}

#endif
