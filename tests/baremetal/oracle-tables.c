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

static char *pool;              /* TABLES tables of the greatest size */

void oracle_tables_init(uint64_t cds)
{
    pool = arena_alloc((uint64_t)TABLES * TABLE_BYTES, TABLE_BYTES);
    oracle_stage2_init(cds);
}

/* ---- The regime --------------------------------------------------------- */

static void make_regime(OracleCase *c)
{
    static const uint8_t pages[] = { 12, 14, 16 };
    OracleHalf *h = &c->regime.half[c->tested];
    OracleHalf *other = &c->regime.half[!c->tested];
    unsigned min_tsz, max_tsz;

    c->regime.ips = oracle_one_in(2) ? 5 + oracle_pick(2) : oracle_pick(7);
    c->regime.ds = oracle_one_in(2);
    c->regime.pan = !oracle_nested && oracle_one_in(3);
    c->regime.big_endian = oracle_nested && oracle_one_in(4);
    c->regime.ha = oracle_one_in(3);
    c->regime.hd = c->regime.ha && oracle_one_in(2);
    h->page_log2 = pages[oracle_pick(3)];
    min_tsz = h->page_log2 == 16 || c->regime.ds ? 12 : 16;
    max_tsz = h->page_log2 == 16 ? 47 : 48;
    h->tsz = min_tsz + oracle_pick(max_tsz - min_tsz + 1);
    if (oracle_one_in(3)) {
        h->tsz = oracle_one_in(2) ? 16 : min_tsz;
    }
    h->epd = oracle_one_in(32);
    h->tbi = oracle_one_in(2);
    h->hpd = oracle_one_in(3);
    h->e0pd = oracle_one_in(8);
    *other = (OracleHalf) {
        .page_log2 = 12, .tsz = 25, .tbi = oracle_one_in(2),
        .hpd = oracle_one_in(2), .e0pd = oracle_one_in(2),
        .root = oracle_own_map(),
        .epd = !oracle_own_map(),
    };
}

static void make_address(OracleCase *c)
{
    const OracleHalf *h = &c->regime.half[c->tested];
    uint64_t high = ~smmu3_mask(64 - h->tsz);

    c->va = oracle_random() & ~high;
    c->va |= c->tested ? high : 0;
    if (h->tbi && oracle_one_in(2)) {
        c->va ^= oracle_random() << 56;         /* a tag */
    }
    if (oracle_one_in(16)) {
        c->va ^= oracle_random() & high;        /* in neither half, or so */
    }
}

/* ---- Descriptors -------------------------------------------------------- */

static uint64_t with_address(const OracleCase *c, uint64_t descriptor,
                             uint64_t address)
{
    return oracle_put_address(c->regime.half[c->tested].page_log2,
                              oracle_lpa2(c), descriptor, address);
}

static uint64_t random_table(const OracleCase *c, uint64_t table_pa)
{
    unsigned oa_bits = oracle_oa_bits(c);
    /* Bits that are ignored: all but the limits and NSTable, which is 0. */
    uint64_t descriptor = oracle_random() & UINT64_C(0x07f8000000000ffc);

    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
    smmu3_set(&descriptor, TTD_PXNTABLE, oracle_one_in(4));
    smmu3_set(&descriptor, TTD_UXNTABLE, oracle_one_in(4));
    smmu3_set(&descriptor, TTD_APTABLE_NO_UNPRIV, oracle_one_in(6));
    smmu3_set(&descriptor, TTD_APTABLE_NO_WRITE, oracle_one_in(6));
    if (oracle_one_in(24) && oa_bits < 52) {
        /* Beyond the output size; nothing is read there. */
        table_pa |= UINT64_C(1) << (oa_bits + oracle_pick(52 - oa_bits));
    }
    return with_address(c, descriptor, table_pa);
}

static uint64_t random_leaf(const OracleCase *c, int level, unsigned size_log2)
{
    unsigned bits = oracle_oa_bits(c), ipa_bits = 64 - c->stage2.tsz;
    uint64_t address;
    /* AttrIndx, AP, SH, nG; GP, DBM, PXN, UXN, software's, PBHA */
    uint64_t descriptor = oracle_random() & UINT64_C(0x7fec000000000bdc);

    if (oracle_nested && ipa_bits < bits && !oracle_one_in(8)) {
        bits = ipa_bits;
    }
    address = oracle_random() & smmu3_mask(bits) & ~smmu3_mask(size_log2);
    if (oracle_one_in(12)) {
        address |= oracle_random() & smmu3_mask(52) & ~smmu3_mask(size_log2);
    }
    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, level == 3);
    smmu3_set(&descriptor, TTD_AF, !oracle_one_in(10));
    return with_address(c, descriptor, address);
}

/* ---- The way to the address --------------------------------------------- */

static bool may_be_block(const OracleCase *c, int level)
{
    return oracle_may_be_block(c->regime.half[c->tested].page_log2,
                               oracle_lpa2(c), level);
}

static void store(const OracleCase *c, uint64_t *entry, uint64_t descriptor)
{
    *entry = c->regime.big_endian ? __builtin_bswap64(descriptor) : descriptor;
}

static uint64_t load(const OracleCase *c, const uint64_t *entry)
{
    return c->regime.big_endian ? __builtin_bswap64(*entry) : *entry;
}

/* A leaf, or all of a contiguous range of which it is one. */
static uint64_t put_leaf(OracleCase *c, uint64_t *table, unsigned index,
                         unsigned entries, int level)
{
    unsigned page_log2 = c->regime.half[c->tested].page_log2;
    unsigned size_log2 = oracle_level_log2(page_log2, level);
    unsigned joined = oracle_contiguous_log2(page_log2, level), first;
    uint64_t descriptor = random_leaf(c, level, size_log2);
    uint64_t address = oracle_descriptor_address(c, descriptor);

    c->leaf = true;
    c->leaf_log2 = c->joined_log2 = size_log2;
    if (!joined || oracle_one_in(2) || (1u << joined) > entries ||
        size_log2 + joined > oracle_oa_bits(c)) {
        store(c, &table[index], descriptor);
        oracle_written(&table[index]);
        return descriptor;
    }
    c->joined_log2 += joined;
    smmu3_set(&descriptor, TTD_CONTIG, 1);
    address &= ~smmu3_mask(size_log2 + joined);
    first = index & ~smmu3_mask(joined);
    for (unsigned i = 0; i < 1u << joined; i++) {
        store(c, &table[first + i],
              with_address(c, descriptor, address | (uint64_t)i << size_log2));
    }
    oracle_written_range(&table[first], 1u << joined, &table[index]);
    return descriptor;
}

static uint64_t put_descriptor(OracleCase *c, uint64_t *table, unsigned index,
                               unsigned entries, int level, uint64_t next)
{
    uint64_t descriptor;

    if (oracle_one_in(40)) {
        descriptor = oracle_random() & ~(uint64_t)1;
    } else if (level == 3 || (may_be_block(c, level) && oracle_one_in(4))) {
        return put_leaf(c, table, index, entries, level);
    } else if (!may_be_block(c, level) && oracle_one_in(60)) {
        /* A block where there can be none */
        descriptor = (oracle_random() & ~(uint64_t)3) | 1;
    } else {
        descriptor = random_table(c, next);
    }
    store(c, &table[index], descriptor);
    oracle_written(&table[index]);
    return descriptor;
}

/* The address by which stage 1 knows a table, or a descriptor in it. */
static uint64_t place(OracleCase *c, const uint64_t *table)
{
    return oracle_nested ? oracle_stage2_place(c, pa_of(table))
                         : pa_of(table);
}

static void make_way(OracleCase *c)
{
    OracleHalf *h = &c->regime.half[c->tested];
    unsigned per_level = h->page_log2 - 3, in_bits = 64 - h->tsz;
    int start = 4 - (int)((in_bits - h->page_log2 + per_level - 1) / per_level);
    unsigned bits = in_bits - oracle_level_log2(h->page_log2, start);
    uint64_t bytes = UINT64_C(8) << bits;
    /* The start table is where its size lets it be. */
    uint64_t align = bytes < 64 ? 64 : bytes;
    uint64_t *table = (uint64_t *)(pool + oracle_pick(TABLE_BYTES / align) *
                                          align);

    h->root = place(c, table);
    for (int level = start; level <= 3; level++) {
        unsigned index = c->va >> oracle_level_log2(h->page_log2, level) &
                         smmu3_mask(bits);
        uint64_t *next = (uint64_t *)(pool + (level - start + 1) *
                                             TABLE_BYTES);
        uint64_t descriptor;

        next += oracle_pick(TABLE_BYTES >> h->page_log2) << (h->page_log2 - 3);
        descriptor = put_descriptor(c, table, index, 1u << bits, level,
                                    place(c, next));
        c->step[c->steps++] = (OracleStep) {
            .level = level, .pa = pa_of(&table[index]),
            .ipa = place(c, &table[index]),
            .descriptor = load(c, &table[index]),
        };
        if ((descriptor & 3) != 3) {
            break;
        }
        table = next;
        bits = per_level;
    }
}

void oracle_make(OracleCase *c, uint64_t seed, uint64_t number)
{
    oracle_begin(seed * UINT64_C(0xd1342543de82ef95) + number);
    *c = (OracleCase) { .seed = seed, .number = number };
    c->stage1 = !oracle_nested || !oracle_one_in(8);
    c->tested = c->stage1 && oracle_one_in(2);
    if (c->stage1) {
        make_regime(c);
        make_address(c);
    }
    if (oracle_nested) {
        oracle_stage2_begin(c);
    }
    if (c->stage1) {
        make_way(c);
    } else {
        /* Of any size, but mostly one that stage 2 takes */
        c->va = oracle_random() >> (oracle_one_in(6) ? oracle_pick(13)
                                                     : c->stage2.tsz);
    }
    if (oracle_nested) {
        oracle_stage2_end(c);
    }
    dsb();
}
