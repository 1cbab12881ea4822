/*
 * See oracle.h: what both stages of a case are made with - random numbers, and
 * descriptors in memory - and what they have in common.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "oracle.h"

/* ---- Random numbers ----------------------------------------------------- */

static uint64_t state;          /* splitmix64 */

uint64_t oracle_random(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t oracle_pick(uint64_t n)
{
    return oracle_random() % n;
}

bool oracle_one_in(unsigned n)
{
    return oracle_pick(n) == 0;
}

/* ---- What is in memory -------------------------------------------------- */

/* Descriptors that the case has written: cleared before the next one */
enum { MAX_RANGES = 128 };
static struct {
    uint64_t *first;
    unsigned count;
    uint64_t *met, made;        /* the one that is on the way */
} written[MAX_RANGES];
static unsigned ranges;

void oracle_written_range(uint64_t *first, unsigned count, uint64_t *met)
{
    written[ranges].first = first;
    written[ranges].count = count;
    written[ranges].met = met;
    written[ranges++].made = *met;
}

void oracle_written(uint64_t *entry)
{
    oracle_written_range(entry, 1, entry);
}

void oracle_begin(uint64_t number)
{
    for (unsigned i = 0; i < ranges; i++) {
        memset(written[i].first, 0, written[i].count * 8);
    }
    ranges = 0;
    state = number;
    state = oracle_random();
}

/* Of a contiguous range the CPU has met one; the others are as they were. */
void oracle_restore(void)
{
    for (unsigned i = 0; i < ranges; i++) {
        *written[i].met = written[i].made;
    }
    dsb();
}

/* ---- Addresses ---------------------------------------------------------- */

unsigned oracle_ps_bits(unsigned ps)
{
    static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };

    return bits[ps];
}

unsigned oracle_oa_bits(const OracleCase *c)
{
    const OracleHalf *h = &c->regime.half[c->tested];
    unsigned bits = oracle_ps_bits(c->regime.ips);
    bool wide = h->page_log2 == 16 || c->regime.ds;

    return bits > 48 && !wide ? 48 : bits;
}

/* Is the 52-bit descriptor of LPA2 in use? */
bool oracle_lpa2(const OracleCase *c)
{
    return c->regime.ds && c->regime.half[c->tested].page_log2 != 16;
}

uint64_t oracle_get_address(unsigned page_log2, bool ds, uint64_t descriptor)
{
    uint64_t low = ~smmu3_mask(page_log2);

    if (page_log2 == 16) {
        return (descriptor & smmu3_mask(48) & low) |
               smmu3_get(&descriptor, TTD_OA_51_48) << 48;
    }
    if (ds) {
        return (descriptor & smmu3_mask(50) & low) |
               smmu3_get(&descriptor, TTD_OA_51_50) << 50;
    }
    return descriptor & smmu3_mask(48) & low;
}

uint64_t oracle_put_address(unsigned page_log2, bool ds, uint64_t descriptor,
                            uint64_t address)
{
    unsigned bits = page_log2 != 16 && ds ? 50 : 48;

    descriptor &= ~(smmu3_mask(bits) & ~smmu3_mask(12));
    descriptor |= address & smmu3_mask(bits) & ~smmu3_mask(12);
    if (page_log2 == 16) {
        smmu3_set(&descriptor, TTD_OA_51_48, address >> 48);
    } else if (ds) {
        smmu3_set(&descriptor, TTD_OA_51_50, address >> 50);
    } else {
        descriptor &= ~(UINT64_C(3) << 48);     /* RES0 */
    }
    return descriptor;
}

uint64_t oracle_descriptor_address(const OracleCase *c, uint64_t descriptor)
{
    return oracle_get_address(c->regime.half[c->tested].page_log2,
                              oracle_lpa2(c), descriptor);
}

unsigned oracle_level_log2(unsigned page_log2, int level)
{
    return page_log2 + (3 - level) * (page_log2 - 3);
}

bool oracle_may_be_block(unsigned page_log2, bool ds, int level)
{
    switch (page_log2) {
    case 12:
        return level == 1 || level == 2 || (level == 0 && ds);
    case 14:
        return level == 2 || (level == 1 && ds);
    default:
        return level == 2 || level == 1;
    }
}

/* DDI 0487 D8.6 */
unsigned oracle_contiguous_log2(unsigned page_log2, int level)
{
    switch (page_log2) {
    case 12:
        return level >= 1 ? 4 : 0;
    case 14:
        return level == 3 ? 7 : level == 2 ? 5 : 0;
    default:
        return level >= 2 ? 5 : 0;
    }
}

uint64_t oracle_output(const OracleCase *c)
{
    const OracleStep *last = &c->step[c->steps - 1];
    uint64_t offset = smmu3_mask(c->leaf_log2);

    if (!c->stage1) {
        return c->va;
    }
    return (oracle_descriptor_address(c, last->descriptor) & ~offset) |
           (c->va & offset);
}
