/*
 * See oracle.h: a regime, an address, and the tables on its way. Every bit is
 * random that may be set without making the outcome the implementation's
 * choice; what is mapped nowhere is invalid.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "oracle.h"

enum { TABLES = 5, TABLE_BYTES = 0x10000 };

static uint64_t state;          /* of the random numbers: splitmix64 */
static char *pool;              /* TABLES tables of the greatest size */

/* Descriptors that the case has written: cleared before the next one */
enum { MAX_RANGES = 8 };
static struct {
    uint64_t *first;
    unsigned count;
} written[MAX_RANGES];
static unsigned ranges;

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

static bool one_in(unsigned n)
{
    return oracle_pick(n) == 0;
}

void oracle_tables_init(void)
{
    pool = arena_alloc((uint64_t)TABLES * TABLE_BYTES, TABLE_BYTES);
}

/* ---- The regime --------------------------------------------------------- */

static const uint8_t ips_bits[] = { 32, 36, 40, 42, 44, 48, 52 };

unsigned oracle_oa_bits(const OracleCase *c)
{
    const OracleHalf *h = &c->regime.half[c->tested];
    unsigned bits = ips_bits[c->regime.ips];
    bool wide = h->page_log2 == 16 || c->regime.ds;

    return bits > 48 && !wide ? 48 : bits;
}

/* Is the 52-bit descriptor of LPA2 in use? */
static bool lpa2(const OracleCase *c)
{
    return c->regime.ds && c->regime.half[c->tested].page_log2 != 16;
}

static void make_regime(OracleCase *c)
{
    static const uint8_t pages[] = { 12, 14, 16 };
    OracleHalf *h = &c->regime.half[c->tested];
    OracleHalf *other = &c->regime.half[!c->tested];
    unsigned min_tsz, max_tsz;

    c->regime.ips = one_in(2) ? 5 + oracle_pick(2) : oracle_pick(7);
    c->regime.ds = one_in(2);
    c->regime.pan = one_in(3);
    c->regime.ha = one_in(3);
    c->regime.hd = c->regime.ha && one_in(2);
    h->page_log2 = pages[oracle_pick(3)];
    min_tsz = h->page_log2 == 16 || c->regime.ds ? 12 : 16;
    max_tsz = h->page_log2 == 16 ? 47 : 48;
    h->tsz = min_tsz + oracle_pick(max_tsz - min_tsz + 1);
    if (one_in(3)) {
        h->tsz = one_in(2) ? 16 : min_tsz;
    }
    h->epd = one_in(32);
    h->tbi = one_in(2);
    h->hpd = one_in(3);
    h->e0pd = one_in(8);
    *other = (OracleHalf) {
        .page_log2 = 12, .tsz = 25, .tbi = one_in(2), .hpd = one_in(2),
        .e0pd = one_in(2), .root = oracle_own_map(),
    };
}

static void make_address(OracleCase *c)
{
    const OracleHalf *h = &c->regime.half[c->tested];
    uint64_t high = ~smmu3_mask(64 - h->tsz);

    c->va = oracle_random() & ~high;
    c->va |= c->tested ? high : 0;
    if (h->tbi && one_in(2)) {
        c->va ^= oracle_random() << 56;         /* a tag */
    }
    if (one_in(16)) {
        c->va ^= oracle_random() & high;        /* in neither half, or so */
    }
}

/* ---- Descriptors -------------------------------------------------------- */

uint64_t oracle_descriptor_address(const OracleCase *c, uint64_t descriptor)
{
    unsigned page_log2 = c->regime.half[c->tested].page_log2;
    uint64_t low = ~smmu3_mask(page_log2);

    if (page_log2 == 16) {
        return (descriptor & smmu3_mask(48) & low) |
               smmu3_get(&descriptor, TTD_OA_51_48) << 48;
    }
    if (lpa2(c)) {
        return (descriptor & smmu3_mask(50) & low) |
               smmu3_get(&descriptor, TTD_OA_51_50) << 50;
    }
    return descriptor & smmu3_mask(48) & low;
}

/* Put @address in; what the format cannot express is dropped. */
static uint64_t with_address(const OracleCase *c, uint64_t descriptor,
                             uint64_t address)
{
    unsigned page_log2 = c->regime.half[c->tested].page_log2;

    if (page_log2 == 16) {
        descriptor &= ~(smmu3_mask(48) & ~smmu3_mask(12));
        descriptor |= address & smmu3_mask(48);
        smmu3_set(&descriptor, TTD_OA_51_48, address >> 48);
    } else if (lpa2(c)) {
        descriptor &= ~(smmu3_mask(50) & ~smmu3_mask(12));
        descriptor |= address & smmu3_mask(50);
        smmu3_set(&descriptor, TTD_OA_51_50, address >> 50);
    } else {
        descriptor &= ~(smmu3_mask(50) & ~smmu3_mask(12));
        descriptor |= address & smmu3_mask(48);
    }
    return descriptor;
}

static uint64_t random_table(const OracleCase *c, uint64_t table_pa)
{
    unsigned oa_bits = oracle_oa_bits(c);
    /* Bits that are ignored: all but the limits and NSTable, which is 0. */
    uint64_t descriptor = oracle_random() & UINT64_C(0x07f8000000000ffc);

    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
    smmu3_set(&descriptor, TTD_PXNTABLE, one_in(4));
    smmu3_set(&descriptor, TTD_UXNTABLE, one_in(4));
    smmu3_set(&descriptor, TTD_APTABLE_NO_UNPRIV, one_in(6));
    smmu3_set(&descriptor, TTD_APTABLE_NO_WRITE, one_in(6));
    if (one_in(24) && oa_bits < 52) {
        /* Beyond the output size; nothing is read there. */
        table_pa |= UINT64_C(1) << (oa_bits + oracle_pick(52 - oa_bits));
    }
    return with_address(c, descriptor, table_pa);
}

static uint64_t random_leaf(const OracleCase *c, int level, unsigned size_log2)
{
    uint64_t address = oracle_random() & smmu3_mask(oracle_oa_bits(c)) &
                       ~smmu3_mask(size_log2);
    /* AttrIndx, AP, SH, nG; GP, DBM, PXN, UXN, software's, PBHA */
    uint64_t descriptor = oracle_random() & UINT64_C(0x7fec000000000bdc);

    if (one_in(12)) {
        address |= oracle_random() & smmu3_mask(52) & ~smmu3_mask(size_log2);
    }
    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, level == 3);
    smmu3_set(&descriptor, TTD_AF, !one_in(10));
    return with_address(c, descriptor, address);
}

/* ---- The way to the address --------------------------------------------- */

static unsigned level_log2(unsigned page_log2, int level)
{
    return page_log2 + (3 - level) * (page_log2 - 3);
}

static bool may_be_block(const OracleCase *c, int level)
{
    switch (c->regime.half[c->tested].page_log2) {
    case 12:
        return level == 1 || level == 2 || (level == 0 && c->regime.ds);
    case 14:
        return level == 2 || (level == 1 && c->regime.ds);
    default:
        return level == 2 || level == 1;
    }
}

/* DDI 0487 D8.6: entries that the contiguous bit joins; 0: it is RES0. */
static unsigned contiguous_log2(const OracleCase *c, int level)
{
    switch (c->regime.half[c->tested].page_log2) {
    case 12:
        return level >= 1 ? 4 : 0;
    case 14:
        return level == 3 ? 7 : level == 2 ? 5 : 0;
    default:
        return level >= 2 ? 5 : 0;
    }
}

static void put(uint64_t *entries, unsigned count)
{
    written[ranges].first = entries;
    written[ranges++].count = count;
}

/* A leaf, or all of a contiguous range of which it is one. */
static uint64_t put_leaf(OracleCase *c, uint64_t *table, unsigned index,
                         unsigned entries, int level)
{
    unsigned page_log2 = c->regime.half[c->tested].page_log2;
    unsigned size_log2 = level_log2(page_log2, level);
    unsigned joined = contiguous_log2(c, level);
    uint64_t descriptor = random_leaf(c, level, size_log2);
    uint64_t address = oracle_descriptor_address(c, descriptor);

    c->leaf = true;
    c->leaf_log2 = c->joined_log2 = size_log2;
    if (!joined || one_in(2) || (1u << joined) > entries ||
        size_log2 + joined > oracle_oa_bits(c)) {
        table[index] = descriptor;
        put(&table[index], 1);
        return descriptor;
    }
    c->joined_log2 += joined;
    smmu3_set(&descriptor, TTD_CONTIG, 1);
    address &= ~smmu3_mask(size_log2 + joined);
    index &= ~smmu3_mask(joined);
    for (unsigned i = 0; i < 1u << joined; i++) {
        table[index + i] = with_address(c, descriptor,
                                        address | (uint64_t)i << size_log2);
    }
    put(&table[index], 1u << joined);
    return descriptor;
}

static uint64_t put_descriptor(OracleCase *c, uint64_t *table, unsigned index,
                               unsigned entries, int level, uint64_t next)
{
    uint64_t descriptor;

    if (one_in(40)) {
        descriptor = oracle_random() & ~(uint64_t)1;
    } else if (level == 3 || (may_be_block(c, level) && one_in(4))) {
        return put_leaf(c, table, index, entries, level);
    } else if (!may_be_block(c, level) && one_in(60)) {
        /* A block where there can be none */
        descriptor = (oracle_random() & ~(uint64_t)3) | 1;
    } else {
        descriptor = random_table(c, next);
    }
    table[index] = descriptor;
    put(&table[index], 1);
    return descriptor;
}

static void make_way(OracleCase *c)
{
    OracleHalf *h = &c->regime.half[c->tested];
    unsigned per_level = h->page_log2 - 3, in_bits = 64 - h->tsz;
    int start = 4 - (int)((in_bits - h->page_log2 + per_level - 1) / per_level);
    unsigned bits = in_bits - level_log2(h->page_log2, start);
    uint64_t bytes = UINT64_C(8) << bits;
    /* The start table is where its size lets it be. */
    uint64_t align = bytes < 64 ? 64 : bytes;
    uint64_t *table = (uint64_t *)(pool + oracle_pick(TABLE_BYTES / align) *
                                          align);

    h->root = pa_of(table);
    for (int level = start; level <= 3; level++) {
        unsigned index = c->va >> level_log2(h->page_log2, level) &
                         smmu3_mask(bits);
        uint64_t *next = (uint64_t *)(pool + (level - start + 1) *
                                             TABLE_BYTES);
        uint64_t descriptor;

        next += oracle_pick(TABLE_BYTES >> h->page_log2) << (h->page_log2 - 3);
        descriptor = put_descriptor(c, table, index, 1u << bits, level,
                                    pa_of(next));
        c->step[c->steps++] = (OracleStep) {
            .level = level, .pa = pa_of(&table[index]),
            .descriptor = table[index],
        };
        if ((descriptor & 3) != 3) {
            break;
        }
        table = next;
        bits = per_level;
    }
}

static void clear_last(void)
{
    for (unsigned i = 0; i < ranges; i++) {
        memset(written[i].first, 0, written[i].count * 8);
    }
    ranges = 0;
}

void oracle_restore(const OracleCase *c)
{
    const OracleStep *last = &c->step[c->steps - 1];

    *(uint64_t *)at_pa(last->pa) = last->descriptor;
    dsb();
}

void oracle_make(OracleCase *c, uint64_t seed, uint64_t number)
{
    clear_last();
    state = seed * UINT64_C(0xd1342543de82ef95) + number;
    state = oracle_random();
    *c = (OracleCase) { .seed = seed, .number = number };
    c->tested = oracle_pick(2);
    make_regime(c);
    make_address(c);
    make_way(c);
    dsb();
}
