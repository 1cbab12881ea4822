/*
 * See tlb.h. Entries live in sets of four ways; a set is guarded by a sequence
 * count, so that a lookup never waits and never sees half an entry. All shared
 * words are C11 atomics.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tlb.h"
#include <glib.h>
#include <stdatomic.h>
#include "epoch.h"

enum {
    WAYS = 4, WORLDS = 4, MIN_ENTRIES = 64,
    SIZES = 64,                 /* values of a size's log2 */
    /* Above these, a range by address becomes something broader. */
    MAX_PROBES = 256, MAX_REGIONS = 256,
    PRECISE_PROBES = 16384,     /* in place of MAX_PROBES: some 300 us */
    /* In units of about 10 ns. */
    PROBE_WORK = 2, REGION_WORK = 1,
};

/*
 * Four entries, by columns, so that a lookup touches two cache lines: one to
 * find the entry and one to read it.
 *   place:  what it maps: input page, size, world, global, ASET; 0: nothing
 *   owner:  VMID and ASID
 *   output: base address, and in its low 12 bits rights and attributes
 *   epoch:  when its walk began
 */
typedef struct Set {
    _Atomic uint64_t place[WAYS];
    _Atomic uint32_t owner[WAYS];
    Smmu3Seq seq;
    char to_next_cache_line[12];
    _Atomic uint64_t output[WAYS];
    _Atomic uint64_t epoch[WAYS];
} Set;

enum { CACHE_LINE_BYTES = 64 };
G_STATIC_ASSERT(sizeof(Set) == 2 * CACHE_LINE_BYTES);
G_STATIC_ASSERT(offsetof(Set, output) == CACHE_LINE_BYTES);

/* "Word, lsb, width", see field.h. */
#define PLACE_USED          0, 0, 1
#define PLACE_GLOBAL        0, 1, 1
#define PLACE_ASET          0, 2, 1
#define PLACE_WORLD         0, 3, 2
#define PLACE_SIZE_LOG2     0, 5, 6
#define PLACE_SHAPE         0, 1, 10    /* all of the above */
#define PLACE_PAGE          0, 12, 44
#define OWNER_ASID          0, 0, 16
#define OWNER_VMID          0, 16, 16
#define OUTPUT_RIGHTS       0, 0, 6
#define OUTPUT_CLEAN        0, 6, 1
#define OUTPUT_DEVICE       0, 7, 1

/*
 * Input addresses have 56 bits, as PLACE_PAGE says: TBI ignores those above,
 * and bit 55 is the half.
 */
enum { ADDR_BITS = SMMU3_TLB_ADDR_BITS, ASID_SLOTS = 65536, VMIDS = 65536 };

/*
 * Regions: aligned pieces of a regime's input addresses that can be
 * invalidated whatever the ASID. An entry belongs to a region of the first tier
 * that is no smaller than itself.
 */
enum { TIERS = 4, REGION_SLOTS = 16384 };
static const uint8_t tier_log2[TIERS] = { 21, 30, 39, ADDR_BITS };

struct Smmu3Tlb {
    /* What a lookup reads, and what is written when something changes. */
    Set *sets;                      /* aligned, in memory */
    size_t set_mask;
    /*
     * Sizes that live entries may have, by world and global: bit n for 2^n
     * bytes. A lookup probes for each.
     */
    _Atomic uint64_t shapes[WORLDS][2];
    /* When what was last invalidated. */
    Smmu3Epoch wide;                /* the last of the four that follow */
    Smmu3Epoch all, el2, nsnh, any_region;
    Smmu3Epoch *vmid_stage1, *vmid_stage2;          /* [VMIDS] */
    Smmu3Epoch *asid;                               /* [ASID_SLOTS], hashed */
    Smmu3Epoch *region;                             /* [REGION_SLOTS], so */

    /* What each insertion writes, away from the above. */
    char other_cache_lines[CACHE_LINE_BYTES];
    void *memory;
    unsigned max_probes;
    unsigned rotor;                 /* the next victim's way */
    size_t hand;                    /* of the sweep, in places */
    uint64_t now;
    Smmu3Generation *generation;    /* what an invalidation moves */
    Smmu3Generation nobodys;
    Smmu3Tlb *tables;               /* what invalidations end too, or NULL */
    uint64_t last_range;            /* the last one by address */
    /* Places taken by entries of each shape, dead ones too. */
    uint32_t taken[WORLDS][2][SIZES];
};

/* ---- Keys -------------------------------------------------------------- */

typedef struct Key {
    uint64_t place;
    uint64_t owner;                 /* 32 bits */
} Key;

static inline Key make_key(const Smmu3TlbTag *tag, uint64_t addr,
                           unsigned size_log2, bool global)
{
    Key key = { 0, 0 };

    smmu3_set(&key.place, PLACE_USED, 1);
    smmu3_set(&key.place, PLACE_GLOBAL, global);
    smmu3_set(&key.place, PLACE_ASET, global && tag->aset);
    smmu3_set(&key.place, PLACE_WORLD, tag->world);
    smmu3_set(&key.place, PLACE_SIZE_LOG2, size_log2);
    smmu3_set_addr(&key.place, PLACE_PAGE, addr & ~smmu3_mask(size_log2));
    smmu3_set(&key.owner, OWNER_ASID, global ? 0 : tag->asid);
    smmu3_set(&key.owner, OWNER_VMID, tag->vmid);
    return key;
}

static inline uint64_t mix(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 32;
}

/* Neighbours in one region get sets of their own, side by side. */
static inline Set *set_of(const Smmu3Tlb *tlb, Key key)
{
    uint64_t number = key.place >> smmu3_get(&key.place, PLACE_SIZE_LOG2);
    uint64_t region = number >> 8 ^ key.owner << 24 ^
                      smmu3_get(&key.place, PLACE_SHAPE) << 32;

    return &tlb->sets[(number + mix(region)) & tlb->set_mask];
}

/* Each ASID of a VMID has its own, and neighbours are in lines of their own. */
static inline size_t asid_slot(Smmu3World world, uint16_t vmid, uint16_t asid)
{
    return (asid * UINT64_C(0x2545) ^ mix((uint64_t)vmid << 2 | world)) %
           ASID_SLOTS;
}

/* The slot of tier @tier's region number @number. */
static inline size_t region_slot(Smmu3World world, uint16_t vmid,
                                 unsigned tier, uint64_t number)
{
    return mix((number << 2 | tier) ^ mix((uint64_t)vmid << 2 | world)) %
           REGION_SLOTS;
}

static size_t region_slot_of(Key key)
{
    uint64_t addr = smmu3_get_addr(&key.place, PLACE_PAGE);
    unsigned tier = 0;

    while (tier_log2[tier] < smmu3_get(&key.place, PLACE_SIZE_LOG2)) {
        tier++;
    }
    return region_slot(smmu3_get(&key.place, PLACE_WORLD),
                       smmu3_get(&key.owner, OWNER_VMID), tier,
                       addr >> tier_log2[tier]);
}

/* ---- Life -------------------------------------------------------------- */

/* Nothing that is not of one VMID or ASID was invalidated since @epoch. */
static bool alive_widely(Smmu3Tlb *tlb, Key key, uint64_t epoch)
{
    Smmu3World world = smmu3_get(&key.place, PLACE_WORLD);
    bool el2 = world == SMMU3_WORLD_NS_EL2 || world == SMMU3_WORLD_NS_EL2_E2H;

    if (smmu3_epoch_after(&tlb->all, epoch) ||
        smmu3_epoch_after(el2 ? &tlb->el2 : &tlb->nsnh, epoch)) {
        return false;
    }
    return !smmu3_epoch_after(&tlb->any_region, epoch) ||
           !smmu3_epoch_after(&tlb->region[region_slot_of(key)], epoch);
}

/* Nothing that covers such an entry was invalidated since @epoch. */
static inline bool alive(Smmu3Tlb *tlb, Key key, uint64_t epoch)
{
    Smmu3World world = smmu3_get(&key.place, PLACE_WORLD);
    bool global = smmu3_get(&key.place, PLACE_GLOBAL);
    uint16_t vmid = smmu3_get(&key.owner, OWNER_VMID);
    uint16_t asid = smmu3_get(&key.owner, OWNER_ASID);

    if (smmu3_epoch_after(&tlb->wide, epoch) &&
        !alive_widely(tlb, key, epoch)) {
        return false;
    }
    if (world == SMMU3_WORLD_STAGE2) {
        return !smmu3_epoch_after(&tlb->vmid_stage2[vmid], epoch);
    }
    if (world == SMMU3_WORLD_NS_EL1 &&
        smmu3_epoch_after(&tlb->vmid_stage1[vmid], epoch)) {
        return false;
    }
    return global || !smmu3_epoch_after(&tlb->asid[asid_slot(world, vmid,
                                                             asid)], epoch);
}

static inline Key key_at(Set *set, unsigned way)
{
    return (Key) {
        atomic_load_explicit(&set->place[way], memory_order_acquire),
        atomic_load_explicit(&set->owner[way], memory_order_acquire),
    };
}

static inline bool same_key(Key a, Key b)
{
    return a.place == b.place && a.owner == b.owner;
}

/* One place of such a shape more, or less; without any, it is not probed. */
static void count_taken(Smmu3Tlb *tlb, uint64_t place, bool more)
{
    Smmu3World world = smmu3_get(&place, PLACE_WORLD);
    bool global = smmu3_get(&place, PLACE_GLOBAL);
    unsigned size_log2 = smmu3_get(&place, PLACE_SIZE_LOG2);
    uint32_t *taken = &tlb->taken[world][global][size_log2];

    *taken += more ? 1 : -1;
    if (!*taken) {
        atomic_fetch_and_explicit(&tlb->shapes[world][global],
                                  ~(UINT64_C(1) << size_log2),
                                  memory_order_release);
    }
}

static void write_entry(Set *set, unsigned way, Key key, uint64_t output,
                        uint64_t epoch)
{
    uint32_t seq = smmu3_seq_write_begin(&set->seq);

    atomic_store_explicit(&set->place[way], key.place, memory_order_release);
    atomic_store_explicit(&set->owner[way], key.owner, memory_order_release);
    atomic_store_explicit(&set->output[way], output, memory_order_release);
    atomic_store_explicit(&set->epoch[way], epoch, memory_order_release);
    smmu3_seq_write_end(&set->seq, seq);
}

static void clear_entry(Smmu3Tlb *tlb, Set *set, unsigned way, uint64_t place)
{
    write_entry(set, way, (Key) { 0, 0 }, 0, 0);
    count_taken(tlb, place, false);
}

static bool dead(Smmu3Tlb *tlb, Set *set, unsigned way)
{
    Key key = key_at(set, way);

    return !key.place ||
           !alive(tlb, key, atomic_load_explicit(&set->epoch[way],
                                                 memory_order_acquire));
}

/* ---- Lookup ------------------------------------------------------------ */

/* A consistent copy of the entry with this key. */
static inline bool probe(Smmu3Tlb *tlb, Key key, uint64_t *output,
                         uint64_t *epoch)
{
    Set *set = set_of(tlb, key);
    uint32_t seq;

    if (!smmu3_seq_read_begin(&set->seq, &seq)) {
        return false;           /* being written: as good as a miss */
    }
    for (unsigned i = 0; i < WAYS; i++) {
        if (same_key(key_at(set, i), key)) {
            *output = atomic_load_explicit(&set->output[i],
                                           memory_order_acquire);
            *epoch = atomic_load_explicit(&set->epoch[i],
                                          memory_order_acquire);
            return smmu3_seq_read_end(&set->seq, seq);
        }
    }
    return false;
}

static bool lookup_shape(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                         uint64_t addr, unsigned size_log2, bool global,
                         Smmu3Leaf *leaf)
{
    Key key = make_key(tag, addr, size_log2, global);
    uint64_t output, epoch;

    if (!probe(tlb, key, &output, &epoch) || !alive(tlb, key, epoch)) {
        return false;
    }
    *leaf = (Smmu3Leaf) {
        .base = output & ~smmu3_mask(12),
        .size_log2 = size_log2,
        .rights = smmu3_get(&output, OUTPUT_RIGHTS),
        .clean = smmu3_get(&output, OUTPUT_CLEAN),
        .global = global,
        .device = smmu3_get(&output, OUTPUT_DEVICE),
    };
    return true;
}

static uint64_t shapes_in_use(Smmu3Tlb *tlb, Smmu3World world,
                              bool global)
{
    return atomic_load_explicit(&tlb->shapes[world][global],
                                memory_order_acquire);
}

bool smmu3_tlb_lookup(Smmu3Tlb *tlb, const Smmu3TlbTag *tag, uint64_t addr,
                      Smmu3Leaf *leaf)
{
    for (unsigned global = 0; global < 2; global++) {
        uint64_t shapes = shapes_in_use(tlb, tag->world, global);

        for (; shapes; shapes &= shapes - 1) {
            if (lookup_shape(tlb, tag, addr, __builtin_ctzll(shapes), global,
                             leaf)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- Places ------------------------------------------------------------ */

size_t smmu3_tlb_places(const Smmu3Tlb *tlb)
{
    return (tlb->set_mask + 1) * WAYS;
}

size_t smmu3_tlb_place(Smmu3Tlb *tlb, const Smmu3TlbTag *tag, uint64_t addr,
                       const Smmu3Leaf *leaf)
{
    Key key = make_key(tag, addr, leaf->size_log2, leaf->global);
    Set *set = set_of(tlb, key);

    for (unsigned i = 0; i < WAYS; i++) {
        if (same_key(key_at(set, i), key)) {
            return (set - tlb->sets) * WAYS + i;
        }
    }
    return SMMU3_TLB_NOWHERE;
}

bool smmu3_tlb_lives(Smmu3Tlb *tlb, size_t place)
{
    return !dead(tlb, &tlb->sets[place / WAYS], place % WAYS);
}

/* ---- Insertion --------------------------------------------------------- */

uint64_t smmu3_tlb_epoch(Smmu3Tlb *tlb)
{
    return tlb->now;
}

/* The same block's place, else a dead entry's, else the next in turn. */
static unsigned choose_way(Smmu3Tlb *tlb, Set *set, Key key)
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (same_key(key_at(set, i), key)) {
            return i;
        }
    }
    for (unsigned i = 0; i < WAYS; i++) {
        if (dead(tlb, set, i)) {
            return i;
        }
    }
    return tlb->rotor++ % WAYS;
}

/*
 * As many sets as insertions would fill are looked at: what is dead there goes,
 * and what has a shape that next to nothing else has. So a size that was once
 * in use, and is no more, does not burden lookups for longer than one round;
 * one that is in use comes back at the price of a walk.
 */
static void sweep(Smmu3Tlb *tlb)
{
    Set *set = &tlb->sets[tlb->hand / WAYS & tlb->set_mask];
    size_t few = (tlb->set_mask + 1) / 1024;

    if (tlb->hand++ % WAYS) {
        return;
    }
    for (unsigned i = 0; i < WAYS; i++) {
        Key key = key_at(set, i);

        if (key.place &&
            (dead(tlb, set, i) ||
             tlb->taken[smmu3_get(&key.place, PLACE_WORLD)]
                       [smmu3_get(&key.place, PLACE_GLOBAL)]
                       [smmu3_get(&key.place, PLACE_SIZE_LOG2)] <= few)) {
            clear_entry(tlb, set, i, key.place);
        }
    }
}

void smmu3_tlb_insert(Smmu3Tlb *tlb, const Smmu3TlbTag *tag, uint64_t addr,
                      const Smmu3Leaf *leaf, uint64_t epoch)
{
    Key key = make_key(tag, addr, leaf->size_log2, leaf->global);
    Set *set = set_of(tlb, key);
    uint64_t output = leaf->base & ~smmu3_mask(12);
    uint64_t old;
    unsigned way;

    /*
     * A second line: a walk under the core's lock and invalidations take turns,
     * and what was found without it comes here if nothing was invalidated since.
     */
    if (epoch < tlb->last_range || !alive(tlb, key, epoch)) {
        return;
    }
    smmu3_set(&output, OUTPUT_RIGHTS, leaf->rights);
    smmu3_set(&output, OUTPUT_CLEAN, leaf->clean);
    smmu3_set(&output, OUTPUT_DEVICE, leaf->device);
    way = choose_way(tlb, set, key);
    old = key_at(set, way).place;
    write_entry(set, way, key, output, epoch);
    count_taken(tlb, key.place, true);
    if (old) {
        count_taken(tlb, old, false);
    }
    if (!(shapes_in_use(tlb, tag->world, leaf->global) >> leaf->size_log2 & 1)) {
        atomic_fetch_or_explicit(&tlb->shapes[tag->world][leaf->global],
                                 UINT64_C(1) << leaf->size_log2,
                                 memory_order_release);
    }
    sweep(tlb);
}

/* ---- Invalidation ------------------------------------------------------ */

/* Nothing of @world is alive. */
static void forget_shapes(Smmu3Tlb *tlb, Smmu3World world)
{
    for (unsigned global = 0; global < 2; global++) {
        atomic_store_explicit(&tlb->shapes[world][global], 0,
                              memory_order_release);
    }
}

/* One of what Smmu3Tlb.wide stands for; who sees that sees @epoch too. */
static void set_wide(Smmu3Tlb *tlb, Smmu3Epoch *epoch)
{
    smmu3_epoch_set(epoch, ++tlb->now);
    smmu3_epoch_set(&tlb->wide, tlb->now);
}

/* The end of each invalidation: what was stored before is seen with this. */
static void is_over(Smmu3Tlb *tlb)
{
    smmu3_generation_move(tlb->generation);
}

/*
 * The tables' end comes first, so that who sees that of the leaves sees both.
 */
void smmu3_tlb_invalidate_all(Smmu3Tlb *tlb)
{
    if (tlb->tables) {
        smmu3_tlb_invalidate_all(tlb->tables);
    }
    set_wide(tlb, &tlb->all);
    for (unsigned world = 0; world < WORLDS; world++) {
        forget_shapes(tlb, world);
    }
    is_over(tlb);
}

static void invalidate_el2(Smmu3Tlb *tlb)
{
    set_wide(tlb, &tlb->el2);
    forget_shapes(tlb, SMMU3_WORLD_NS_EL2);
    forget_shapes(tlb, SMMU3_WORLD_NS_EL2_E2H);
}

void smmu3_tlb_invalidate_el2(Smmu3Tlb *tlb)
{
    if (tlb->tables) {
        smmu3_tlb_invalidate_el2(tlb->tables);
    }
    invalidate_el2(tlb);
    is_over(tlb);
}

void smmu3_tlb_invalidate_nsnh(Smmu3Tlb *tlb)
{
    if (tlb->tables) {
        smmu3_tlb_invalidate_nsnh(tlb->tables);
    }
    set_wide(tlb, &tlb->nsnh);
    forget_shapes(tlb, SMMU3_WORLD_NS_EL1);
    forget_shapes(tlb, SMMU3_WORLD_STAGE2);
    is_over(tlb);
}

/*
 * For each VMID that differs from @vmid in bits of @ignore only. CR0.VMW
 * ignores at most the low four bits.
 */
#define FOR_EACH_VMID(v, vmid, ignore) \
    for (uint32_t v = (vmid) & ~((ignore) & 15u); \
         v <= ((vmid) | ((ignore) & 15u)); v++)

/* All of a stage: Smmu3Tlb.vmid_stage1 or vmid_stage2. */
static void invalidate_stage(Smmu3Tlb *tlb, Smmu3Epoch *stage, uint16_t vmid,
                             uint16_t vmid_ignore)
{
    tlb->now++;
    FOR_EACH_VMID(v, vmid, vmid_ignore) {
        smmu3_epoch_set(&stage[v], tlb->now);
    }
}

void smmu3_tlb_invalidate_vmid(Smmu3Tlb *tlb, uint16_t vmid,
                               uint16_t vmid_ignore, bool stage2_too)
{
    if (tlb->tables) {
        smmu3_tlb_invalidate_vmid(tlb->tables, vmid, vmid_ignore, stage2_too);
    }
    invalidate_stage(tlb, tlb->vmid_stage1, vmid, vmid_ignore);
    if (stage2_too) {
        invalidate_stage(tlb, tlb->vmid_stage2, vmid, vmid_ignore);
    }
    is_over(tlb);
}

static void invalidate_asid(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                            uint16_t vmid_ignore)
{
    tlb->now++;
    FOR_EACH_VMID(v, tag->vmid, vmid_ignore) {
        smmu3_epoch_set(&tlb->asid[asid_slot(tag->world, v, tag->asid)],
                        tlb->now);
    }
}

void smmu3_tlb_invalidate_asid(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                               uint16_t vmid_ignore)
{
    if (tlb->tables) {
        smmu3_tlb_invalidate_asid(tlb->tables, tag, vmid_ignore);
    }
    invalidate_asid(tlb, tag, vmid_ignore);
    is_over(tlb);
}

/* More than a range: everything that its tag and global entries could hit. */
static void invalidate_whole_tag(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                                 uint16_t vmid_ignore)
{
    switch (tag->world) {
    case SMMU3_WORLD_STAGE2:
        invalidate_stage(tlb, tlb->vmid_stage2, tag->vmid, vmid_ignore);
        break;
    case SMMU3_WORLD_NS_EL1:
        invalidate_stage(tlb, tlb->vmid_stage1, tag->vmid, vmid_ignore);
        break;
    default:
        invalidate_el2(tlb);
        break;
    }
}

static void remove_entry(Smmu3Tlb *tlb, Key key)
{
    Set *set = set_of(tlb, key);

    for (unsigned i = 0; i < WAYS; i++) {
        if (same_key(key_at(set, i), key)) {
            clear_entry(tlb, set, i, key.place);
        }
    }
}

/* Blocks of a shape that overlap the range. */
static uint64_t blocks(uint64_t first, uint64_t last, unsigned size_log2)
{
    return (last >> size_log2) - (first >> size_log2) + 1;
}

static uint64_t probes_for_range(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                                 uint64_t first, uint64_t last)
{
    uint64_t probes = 0;

    for (unsigned global = 0; global < 2; global++) {
        uint64_t shapes = shapes_in_use(tlb, tag->world, global);

        for (; shapes; shapes &= shapes - 1) {
            /* Global entries of either ASET: two probes */
            probes += blocks(first, last, __builtin_ctzll(shapes))
                      << global;
        }
    }
    return probes;
}

static void remove_range(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                         uint64_t first, uint64_t last)
{
    for (unsigned global = 0; global < 2; global++) {
        uint64_t shapes = shapes_in_use(tlb, tag->world, global);

        for (; shapes; shapes &= shapes - 1) {
            unsigned size_log2 = __builtin_ctzll(shapes);
            uint64_t count = blocks(first, last, size_log2);

            for (uint64_t i = 0; i < count; i++) {
                uint64_t addr = first + (i << size_log2);
                Smmu3TlbTag other = *tag;

                /* Global entries of either ASET go. */
                remove_entry(tlb, make_key(tag, addr, size_log2, global));
                if (global) {
                    other.aset = !tag->aset;
                    remove_entry(tlb, make_key(&other, addr, size_log2, true));
                }
            }
        }
    }
}

static uint64_t regions_of_range(uint64_t first, uint64_t last)
{
    uint64_t regions = 0;

    for (unsigned tier = 0; tier < TIERS; tier++) {
        regions += blocks(first, last, tier_log2[tier]);
    }
    return regions;
}

/* Whatever the ASID: the regions that the range touches. */
static void invalidate_regions(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                               uint16_t vmid_ignore, uint64_t first,
                               uint64_t last)
{
    uint64_t now = tlb->now + 1;

    FOR_EACH_VMID(v, tag->vmid, vmid_ignore) {
        for (unsigned tier = 0; tier < TIERS; tier++) {
            uint64_t number = first >> tier_log2[tier];
            uint64_t count = blocks(first, last, tier_log2[tier]);

            for (uint64_t i = 0; i < count; i++) {
                size_t slot = region_slot(tag->world, v, tier, number + i);

                smmu3_epoch_set(&tlb->region[slot], now);
            }
        }
    }
    set_wide(tlb, &tlb->any_region);
}

void smmu3_tlb_be_precise(Smmu3Tlb *tlb)
{
    tlb->max_probes = PRECISE_PROBES;
}

static unsigned invalidate_range(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                                 uint16_t vmid_ignore, bool any_asid,
                                 uint64_t first, uint64_t last)
{
    /* Entries are found by their ASID, so any_asid is no range of them. */
    bool every_asid = any_asid && shapes_in_use(tlb, tag->world, false);
    uint64_t vmids = (vmid_ignore & 15u) + 1, probes, regions;
    Smmu3TlbTag one = *tag;

    first &= smmu3_mask(ADDR_BITS);
    last &= smmu3_mask(ADDR_BITS);
    if (last < first) {
        invalidate_whole_tag(tlb, tag, vmid_ignore);
        return 0;
    }
    probes = probes_for_range(tlb, tag, first, last) * vmids;
    if (!every_asid && probes <= tlb->max_probes) {
        tlb->last_range = ++tlb->now;
        FOR_EACH_VMID(v, tag->vmid, vmid_ignore) {
            one.vmid = v;
            remove_range(tlb, &one, first, last);
        }
        return probes * PROBE_WORK;
    }
    if (!any_asid && smmu3_world_has_asids(tag->world) &&
        !shapes_in_use(tlb, tag->world, true)) {
        invalidate_asid(tlb, tag, vmid_ignore);
        return 0;
    }
    regions = regions_of_range(first, last) * vmids;
    if (regions <= MAX_REGIONS) {
        invalidate_regions(tlb, tag, vmid_ignore, first, last);
        return regions * REGION_WORK;
    }
    invalidate_whole_tag(tlb, tag, vmid_ignore);
    return 0;
}

unsigned smmu3_tlb_invalidate_leaves(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                                     uint16_t vmid_ignore, bool any_asid,
                                     uint64_t first, uint64_t last)
{
    unsigned work = invalidate_range(tlb, tag, vmid_ignore, any_asid, first,
                                     last);

    is_over(tlb);
    return work;
}

unsigned smmu3_tlb_invalidate_range(Smmu3Tlb *tlb, const Smmu3TlbTag *tag,
                                    uint16_t vmid_ignore, bool any_asid,
                                    uint64_t first, uint64_t last)
{
    unsigned work = 0;

    if (tlb->tables) {
        work = invalidate_range(tlb->tables, tag, vmid_ignore, any_asid,
                                first, last);
    }
    return work + smmu3_tlb_invalidate_leaves(tlb, tag, vmid_ignore, any_asid,
                                              first, last);
}

/* ---- Making one -------------------------------------------------------- */

static size_t round_up_to_power_of_two(size_t n)
{
    size_t power = 1;

    while (power < n) {
        power *= 2;
    }
    return power;
}

Smmu3Tlb *smmu3_tlb_new(size_t capacity)
{
    Smmu3Tlb *tlb = g_new0(Smmu3Tlb, 1);
    size_t sets = round_up_to_power_of_two(MAX(capacity, MIN_ENTRIES)) / WAYS;

    tlb->memory = g_malloc0_n(sets + 1, sizeof(Set));
    tlb->sets = (Set *)(((uintptr_t)tlb->memory + CACHE_LINE_BYTES - 1) &
                        ~(uintptr_t)(CACHE_LINE_BYTES - 1));
    tlb->set_mask = sets - 1;
    tlb->max_probes = MAX_PROBES;
    tlb->generation = &tlb->nobodys;
    tlb->vmid_stage1 = g_new0(Smmu3Epoch, VMIDS);
    tlb->vmid_stage2 = g_new0(Smmu3Epoch, VMIDS);
    tlb->asid = g_new0(Smmu3Epoch, ASID_SLOTS);
    tlb->region = g_new0(Smmu3Epoch, REGION_SLOTS);
    return tlb;
}

void smmu3_tlb_moves(Smmu3Tlb *tlb, Smmu3Generation *generation)
{
    tlb->generation = generation;
}

void smmu3_tlb_leads(Smmu3Tlb *tlb, Smmu3Tlb *tables)
{
    tlb->tables = tables;
}

void smmu3_tlb_free(Smmu3Tlb *tlb)
{
    if (tlb) {
        g_free(tlb->memory);
        g_free(tlb->vmid_stage1);
        g_free(tlb->vmid_stage2);
        g_free(tlb->asid);
        g_free(tlb->region);
        g_free(tlb);
    }
}
