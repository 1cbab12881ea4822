/*
 * See oracle.h: stage 2 of a case. Made from the places that stage 1 has in
 * it: its tables, the CDs, its output. All else is invalid.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "console.h"
#include "oracle.h"

/* The start table may be 16 joined tables of 64 KiB. */
enum { TABLES = 32, PLACES = 8 };
#define CHUNK           UINT64_C(0x10000)
#define START_BYTES     (16 * CHUNK)

static char *start, *tables;
static unsigned used;
static uint64_t cds_pa;         /* the CDs, which stage 2 has to map */

/* 64 KiB of IPAs for 64 KiB of RAM, each */
static struct {
    uint64_t ipa, pa;
} places[PLACES];
static unsigned place_count;

void oracle_stage2_init(uint64_t cds)
{
    cds_pa = cds;
    start = arena_alloc(START_BYTES, START_BYTES);
    tables = arena_alloc(TABLES * CHUNK, CHUNK);
}

/* ---- The regime --------------------------------------------------------- */

static unsigned oa_bits(const OracleStage2 *s2)
{
    unsigned bits = oracle_ps_bits(s2->ps);

    return bits > 48 && s2->page_log2 != 16 && !s2->ds ? 48 : bits;
}

static unsigned start_bits(const OracleStage2 *s2, int level)
{
    return 64 - s2->tsz - oracle_level_log2(s2->page_log2, level);
}

/* The level that a table of one page would do for, or one further down with
   up to 16 tables side by side (DDI 0487 D8.2). */
static int pick_start_level(const OracleStage2 *s2)
{
    unsigned per_level = s2->page_log2 - 3, in_bits = 64 - s2->tsz;
    int level = 4 - (int)((in_bits - s2->page_log2 + per_level - 1) /
                          per_level);

    if (level < 3 && start_bits(s2, level + 1) <= per_level + 4 &&
        (oracle_one_in(2) ||
         (level == 0 && s2->page_log2 == 14 && !s2->ds))) {
        level++;
    }
    return level;
}

/* SL0 with SL2 above it: each granule numbers the levels in its own way. */
static unsigned sl0_of(const OracleStage2 *s2)
{
    static const uint8_t of_4k[] = { 4, 2, 1, 0, 3 };   /* level -1 ... 3 */

    return s2->page_log2 == 12 ? of_4k[s2->start_level + 1]
                               : 3 - s2->start_level;
}

static void make_regime(OracleStage2 *s2)
{
    static const uint8_t pages[] = { 12, 14, 16 };
    unsigned min_tsz;

    s2->page_log2 = pages[oracle_pick(3)];
    s2->ds = s2->page_log2 != 16 && oracle_one_in(2);
    s2->ha = oracle_one_in(3);
    s2->hd = s2->ha && oracle_one_in(2);
    s2->ps = oracle_one_in(2) ? 5 + oracle_pick(2) : oracle_pick(7);
    min_tsz = s2->page_log2 == 16 || s2->ds ? 12 : 16;
    /* At least 4 MiB, so that there is room for what has to be there. */
    s2->tsz = min_tsz + oracle_pick(42 - min_tsz + 1);
    s2->start_level = pick_start_level(s2);
    s2->sl0 = sl0_of(s2);
}

/* ---- Tables ------------------------------------------------------------- */

/* Each thing that may be wrong with it is so once in @rare. */
static uint64_t random_leaf(const OracleStage2 *s2, int level, unsigned rare)
{
    /* MemAttr, SH; DBM, XN, software's, PBHA */
    uint64_t descriptor = oracle_random() & UINT64_C(0x7fe800000000033c);

    smmu3_set(&descriptor, TTD_VALID, !oracle_one_in(rare));
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, level == 3);
    smmu3_set(&descriptor, TTD_AF, !oracle_one_in(rare));
    smmu3_set(&descriptor, TTD_S2AP_READ, !oracle_one_in(rare));
    smmu3_set(&descriptor, TTD_S2AP_WRITE, !oracle_one_in(4));
    return oracle_put_address(s2->page_log2, s2->ds, descriptor, 0);
}

/* What maps the CDs, and is on the way to them, is always good. */
static uint64_t next_table(const OracleStage2 *s2, bool good)
{
    uint64_t pa = pa_of(tables + used++ * CHUNK);
    uint64_t descriptor = good ? 0
                               : oracle_random() & UINT64_C(0x07f8000000000ffc);
    unsigned bits = oa_bits(s2);

    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
    if (!good && oracle_one_in(60) && bits < 48) {
        pa |= UINT64_C(1) << (bits + oracle_pick(48 - bits));
    }
    return oracle_put_address(s2->page_log2, s2->ds, descriptor, pa);
}

static uint64_t *entry_at(const OracleStage2 *s2, uint64_t *table,
                          uint64_t ipa, int level)
{
    unsigned bits = level == s2->start_level ? start_bits(s2, level)
                                             : s2->page_log2 - 3;

    return &table[ipa >> oracle_level_log2(s2->page_log2, level) &
                  smmu3_mask(bits)];
}

/*
 * The descriptor for @ipa at @level, with what tables there have to be above
 * it; NULL if something else is in the way.
 */
static uint64_t *reach(const OracleStage2 *s2, uint64_t ipa, int level,
                       bool good)
{
    uint64_t *table = at_pa(s2->root);

    for (int l = s2->start_level; ; l++) {
        uint64_t *entry = entry_at(s2, table, ipa, l), address;

        if (l == level) {
            return *entry ? NULL : entry;
        }
        if (!*entry) {
            if (used == TABLES) {
                return NULL;
            }
            *entry = next_table(s2, good);
            oracle_written(entry);
        }
        address = oracle_get_address(s2->page_log2, s2->ds, *entry);
        if ((*entry & 3) != 3 || address >> oa_bits(s2)) {
            return NULL;
        }
        table = at_pa(address);
    }
}

static void map_page(const OracleStage2 *s2, uint64_t ipa, uint64_t pa,
                     bool good)
{
    uint64_t *entry = reach(s2, ipa, 3, good);
    uint64_t descriptor;

    if (!entry) {
        return;
    }
    descriptor = random_leaf(s2, 3, 50);
    if (good) {
        smmu3_set(&descriptor, TTD_VALID, 1);
        smmu3_set(&descriptor, TTD_AF, 1);
        smmu3_set(&descriptor, TTD_S2AP_READ, 1);
    }
    *entry = oracle_put_address(s2->page_log2, s2->ds, descriptor,
                                pa & ~smmu3_mask(s2->page_log2));
    oracle_written(entry);
}

/* ---- Places ------------------------------------------------------------- */

/* Addresses of tables have to be expressible by stage 1 too. */
static uint64_t random_chunk(const OracleCase *c)
{
    unsigned bits = 64 - c->stage2.tsz, limit = oracle_oa_bits(c);

    return oracle_random() & smmu3_mask(bits < limit ? bits : limit) &
           ~(CHUNK - 1);
}

uint64_t oracle_stage2_place(OracleCase *c, uint64_t pa)
{
    uint64_t chunk = pa & ~(CHUNK - 1), ipa;
    bool taken;

    for (unsigned i = 0; i < place_count; i++) {
        if (places[i].pa == chunk) {
            return places[i].ipa | (pa & (CHUNK - 1));
        }
    }
    do {
        ipa = random_chunk(c);
        taken = false;
        for (unsigned i = 0; i < place_count; i++) {
            taken |= places[i].ipa == ipa;
        }
    } while (taken);
    places[place_count].ipa = ipa;
    places[place_count++].pa = chunk;
    return ipa | (pa & (CHUNK - 1));
}

void oracle_stage2_begin(OracleCase *c)
{
    OracleStage2 *s2 = &c->stage2;
    uint64_t bytes;

    make_regime(s2);
    bytes = UINT64_C(8) << start_bits(s2, s2->start_level);
    bytes = bytes < 64 ? 64 : bytes;
    s2->root = pa_of(start) + oracle_pick(START_BYTES / bytes) * bytes;
    used = place_count = 0;
    if (c->stage1) {
        s2->cd_ipa = oracle_stage2_place(c, cds_pa);
        map_page(s2, s2->cd_ipa, cds_pa, true);
    }
}

/* Can the descriptors from @first on, @count of them, be joined? */
static bool is_free(const uint64_t *first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (first[i]) {
            return false;
        }
    }
    return true;
}

/* The leaf at @entry, or all of a contiguous range of which it is one. */
static void put_leaf(OracleStage2 *s2, uint64_t *entry, int level)
{
    unsigned size_log2 = oracle_level_log2(s2->page_log2, level);
    unsigned joined = oracle_contiguous_log2(s2->page_log2, level);
    unsigned bits = level == s2->start_level ? start_bits(s2, level)
                                             : s2->page_log2 - 3;
    uint64_t descriptor = random_leaf(s2, level, 10);
    uint64_t address = oracle_random() & smmu3_mask(oa_bits(s2));
    /* Tables are aligned to their size. */
    uint64_t *first = (uint64_t *)((uint64_t)entry &
                                   ~smmu3_mask(joined + 3));

    if (oracle_one_in(12) && oa_bits(s2) < 48) {
        address = oracle_random() & smmu3_mask(48);
    }
    if (!joined || oracle_one_in(2) || joined > bits ||
        size_log2 + joined > oa_bits(s2) || !is_free(first, 1u << joined)) {
        *entry = oracle_put_address(s2->page_log2, s2->ds, descriptor,
                                    address & ~smmu3_mask(size_log2));
        oracle_written(entry);
        return;
    }
    smmu3_set(&descriptor, TTD_CONTIG, 1);
    address &= ~smmu3_mask(size_log2 + joined);
    for (unsigned i = 0; i < 1u << joined; i++) {
        first[i] = oracle_put_address(s2->page_log2, s2->ds, descriptor,
                                      address | (uint64_t)i << size_log2);
    }
    oracle_written_range(first, 1u << joined, entry);
}

/* A page or a block of any size, anywhere. */
static void map_output(OracleStage2 *s2, uint64_t ipa)
{
    int level = 3;
    uint64_t *entry;

    while (level > s2->start_level && oracle_one_in(2) &&
           oracle_may_be_block(s2->page_log2, s2->ds, level - 1) &&
           oracle_level_log2(s2->page_log2, level - 1) <= oa_bits(s2)) {
        level--;
    }
    entry = reach(s2, ipa, level, false);
    if (entry) {
        put_leaf(s2, entry, level);
    }
}

typedef void Visit(int level, const uint64_t *entry);

/* The descriptors on the way of @ipa, which is not too large; the last one. */
static const uint64_t *walk(const OracleStage2 *s2, uint64_t ipa, int *level,
                            Visit *visit)
{
    uint64_t *table = at_pa(s2->root);

    for (*level = s2->start_level; ; (*level)++) {
        uint64_t *entry = entry_at(s2, table, ipa, *level), address;

        visit(*level, entry);
        address = oracle_get_address(s2->page_log2, s2->ds, *entry);
        if (*level == 3 || (*entry & 3) != 3 || address >> oa_bits(s2)) {
            return entry;
        }
        table = at_pa(address);
    }
}

static void visit_quietly(int level, const uint64_t *entry)
{
    (void)level;
    (void)entry;
}

static void visit_and_show(int level, const uint64_t *entry)
{
    print("#       level %d: descriptor 0x%016lx at 0x%lx\n", level, *entry,
          pa_of(entry));
}

static void find_size(OracleStage2 *s2, uint64_t ipa)
{
    int level;
    const uint64_t *entry = walk(s2, ipa, &level, visit_quietly);

    s2->leaf_log2 = s2->joined_log2 = oracle_level_log2(s2->page_log2, level);
    if (smmu3_get(entry, TTD_CONTIG)) {
        s2->joined_log2 += oracle_contiguous_log2(s2->page_log2, level);
    }
}

void oracle_stage2_end(OracleCase *c)
{
    for (unsigned i = 0; i < c->steps; i++) {
        map_page(&c->stage2, c->step[i].ipa, c->step[i].pa, false);
    }
    if ((c->leaf || !c->stage1) &&
        !(oracle_output(c) >> (64 - c->stage2.tsz))) {
        map_output(&c->stage2, oracle_output(c));
        find_size(&c->stage2, oracle_output(c));
    }
}

void oracle_stage2_show(const OracleCase *c, uint64_t ipa)
{
    int level;

    print("#     IPA 0x%lx:\n", ipa);
    if (!(ipa >> (64 - c->stage2.tsz))) {
        walk(&c->stage2, ipa, &level, visit_and_show);
    }
}
