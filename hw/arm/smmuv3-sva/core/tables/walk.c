/*
 * See walk.h. A walk is a loop over levels; what a descriptor means is in one
 * function for each thing that it says: an address, a size, rights.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "walk.h"
#include <glib.h>
#include <string.h>

/* How often a walk starts again because a CPU changed the leaf meanwhile. */
enum { MAX_LOST_UPDATES = 64 };

typedef enum { WALK_DONE, WALK_FAULT, WALK_AGAIN } WalkResult;

/* A descriptor, and where it was read: an IPA if stage 1 is over stage 2. */
typedef struct Entry {
    int level;
    uint64_t addr;
    uint64_t desc;
} Entry;

/* ---- Geometry (DDI 0487 D8.2) ------------------------------------------ */

static unsigned level_log2(const Smmu3Tables *t, int level)
{
    return smmu3_level_log2(t->page_log2, level);
}

static unsigned start_index_bits(const Smmu3Tables *t)
{
    return t->in_bits - level_log2(t, t->start_level);
}

/* The start table is aligned to its size; see table_base() for more. */
static uint64_t start_table(const Smmu3Tables *t)
{
    return t->ttb & ~smmu3_mask(start_index_bits(t) + 3);
}

static uint64_t descriptor_offset(const Smmu3Tables *t, uint64_t in, int level)
{
    unsigned bits = level == t->start_level ? start_index_bits(t)
                                            : t->page_log2 - 3u;

    return 8 * ((in >> level_log2(t, level)) & smmu3_mask(bits));
}

/*
 * Never at level 3, where the same bit makes a page. 64 KiB blocks at level 1
 * exist where addresses have 52 bits.
 */
static bool block_allowed(const Smmu3Walker *w, const Smmu3Tables *t,
                          int level)
{
    switch (t->page_log2) {
    case 12:
        return level == 1 || level == 2 || (level == 0 && t->ds);
    case 14:
        return level == 2 || (level == 1 && t->ds);
    default:
        return level == 2 || (level == 1 && w->oas_bits == 52);
    }
}

/* The address in a descriptor, aligned to 2^@align_log2 (DDI 0487 D8.3). */
static uint64_t descriptor_address(const Smmu3Tables *t, uint64_t desc,
                                   unsigned align_log2)
{
    uint64_t keep = ~smmu3_mask(align_log2);

    if (t->page_log2 == 16) {
        return (desc & smmu3_mask(48) & keep) |
               smmu3_get(&desc, TTD_OA_51_48) << 48;
    }
    if (t->ds) {
        return (desc & smmu3_mask(50) & keep) |
               smmu3_get(&desc, TTD_OA_51_50) << 50;
    }
    return desc & smmu3_mask(48) & keep;
}

/*
 * log2 of the number of entries that the contiguous bit joins (D8.6); 0 where
 * the bit is RES0.
 */
static unsigned contiguous_log2(const Smmu3Tables *t, int level)
{
    switch (t->page_log2) {
    case 12:
        return level >= 1 ? 4 : 0;
    case 14:
        return level == 3 ? 7 : level == 2 ? 5 : 0;
    default:
        return level >= 2 ? 5 : 0;
    }
}

/*
 * A block of contiguous entries counts as one, if their addresses agree with
 * that, if no entry has a dirty state of its own, and if all of it can be an
 * output: an entry of the block may be beyond the output size alone.
 */
static void set_extent(const Smmu3Tables *t, const Entry *e, uint64_t in,
                       Smmu3Leaf *leaf)
{
    unsigned size_log2 = level_log2(t, e->level);
    unsigned joined_log2 = size_log2 + contiguous_log2(t, e->level);

    leaf->base = descriptor_address(t, e->desc, size_log2);
    leaf->size_log2 = size_log2;
    if (smmu3_get(&e->desc, TTD_CONTIG) && !t->hd &&
        joined_log2 <= t->in_bits && joined_log2 <= t->oa_bits &&
        ((leaf->base ^ in) & smmu3_mask(joined_log2) &
         ~smmu3_mask(size_log2)) == 0) {
        leaf->base &= ~smmu3_mask(joined_log2);
        leaf->size_log2 = joined_log2;
    }
}

/*
 * The output address of this access has to be one (D8.7.1.2). A block that is
 * larger than the output size maps the lowest addresses, as far as there are
 * any. False: F_ADDR_SIZE.
 */
static bool limit_extent(const Smmu3Tables *t, uint64_t in, Smmu3Leaf *leaf)
{
    uint64_t out = smmu3_leaf_output(leaf, in);

    leaf->size_log2 = MIN(leaf->size_log2, t->oa_bits);
    return !(out >> t->oa_bits);
}

/* ---- Rights (DDI 0487 D8.4) -------------------------------------------- */

static uint8_t table_limits(const Smmu3Tables *t, uint64_t desc)
{
    uint8_t limits = 0;

    if (t->stage2 || t->had) {
        return 0;
    }
    limits |= smmu3_get(&desc, TTD_APTABLE_NO_UNPRIV) ? SMMU3_NO_UNPRIV : 0;
    limits |= smmu3_get(&desc, TTD_APTABLE_NO_WRITE) ? SMMU3_NO_WRITE : 0;
    limits |= smmu3_get(&desc, TTD_PXNTABLE) ? SMMU3_NO_PRIV_X : 0;
    limits |= smmu3_get(&desc, TTD_UXNTABLE) ? SMMU3_NO_UNPRIV_X : 0;
    return limits;
}

/* NS-EL2 has one privilege: AP[1], APTable[0] and PXNTable mean nothing. */
static uint8_t rights_el2(const Smmu3Tables *t, uint64_t desc, uint8_t limits,
                          bool writable)
{
    bool xn = smmu3_get(&desc, TTD_UXN) || (limits & SMMU3_NO_UNPRIV_X) ||
              (t->wxn && writable);
    uint8_t rights = SMMU3_UNPRIV_R | SMMU3_PRIV_R;

    rights |= writable ? SMMU3_UNPRIV_W | SMMU3_PRIV_W : 0;
    rights |= xn ? 0 : SMMU3_UNPRIV_X | SMMU3_PRIV_X;
    return rights;
}

static uint8_t rights_el1(const Smmu3Tables *t, uint64_t desc, uint8_t limits,
                          bool writable)
{
    bool unpriv = smmu3_get(&desc, TTD_AP_UNPRIV) &&
                  !(limits & SMMU3_NO_UNPRIV);
    bool pxn = smmu3_get(&desc, TTD_PXN) || (limits & SMMU3_NO_PRIV_X);
    bool uxn = smmu3_get(&desc, TTD_UXN) || (limits & SMMU3_NO_UNPRIV_X);
    uint8_t rights = 0;

    if (unpriv) {
        rights |= SMMU3_UNPRIV_R | (writable ? SMMU3_UNPRIV_W : 0);
    }
    if (!(unpriv && t->pan)) {
        rights |= SMMU3_PRIV_R | (writable ? SMMU3_PRIV_W : 0);
    }
    if (!uxn && !(t->wxn && unpriv && writable)) {
        rights |= SMMU3_UNPRIV_X;
    }
    if (!pxn && !(unpriv && writable) && !(t->wxn && writable)) {
        rights |= SMMU3_PRIV_X;
    }
    return rights;
}

static void set_rights_stage1(const Smmu3Tables *t, uint64_t desc,
                              uint8_t limits, Smmu3Leaf *leaf)
{
    bool ro = smmu3_get(&desc, TTD_AP_RO);
    bool no_write = limits & SMMU3_NO_WRITE;
    bool clean = ro && t->hd && smmu3_get(&desc, TTD_DBM) && !no_write;
    bool writable = (!ro || clean) && !no_write;
    unsigned attr = smmu3_get(&desc, TTD_ATTRINDX);

    leaf->clean = clean;
    leaf->rights = t->el2 ? rights_el2(t, desc, limits, writable)
                          : rights_el1(t, desc, limits, writable);
    leaf->global = t->el2 || !smmu3_get(&desc, TTD_NG);
    leaf->device = (t->mair >> (8 * attr) & 0xf0) == 0;
}

static uint8_t stage2_exec_rights(const Smmu3Tables *t, uint64_t desc)
{
    static const uint8_t by_xn[4] = {
        SMMU3_UNPRIV_X | SMMU3_PRIV_X, SMMU3_UNPRIV_X, 0, SMMU3_PRIV_X,
    };
    unsigned xn = smmu3_get(&desc, TTD_S2XN);

    return by_xn[t->xnx ? xn : xn & 2];
}

static void set_rights_stage2(const Smmu3Tables *t, uint64_t desc,
                              Smmu3Leaf *leaf)
{
    bool dirty = smmu3_get(&desc, TTD_S2AP_WRITE);
    unsigned memattr = smmu3_get(&desc, TTD_S2MEMATTR);

    leaf->clean = !dirty && t->hd && smmu3_get(&desc, TTD_DBM);
    leaf->rights = stage2_exec_rights(t, desc);
    if (smmu3_get(&desc, TTD_S2AP_READ)) {
        leaf->rights |= SMMU3_UNPRIV_R | SMMU3_PRIV_R;
    }
    if (dirty || leaf->clean) {
        leaf->rights |= SMMU3_UNPRIV_W | SMMU3_PRIV_W;
    }
    leaf->global = true;
    leaf->device = t->fwb ? (memattr & 4) == 0 : (memattr & 12) == 0;
}

/* ---- Memory ------------------------------------------------------------ */

static uint64_t in_table_order(const Smmu3Tables *t, uint64_t word)
{
    return t->big_endian ? GUINT64_SWAP_LE_BE(word) : word;
}

static WalkResult fault_at(const Smmu3Tables *t, Smmu3EventType type,
                           uint64_t pa, Smmu3Fault *fault)
{
    *fault = (Smmu3Fault) {
        .type = type, .stage2 = t->stage2, .fetch_addr = pa,
        .class = type == F_WALK_EABT ? CLASS_TT : CLASS_IN,
    };
    return WALK_FAULT;
}

static void saw(const Smmu3Walker *w, const Smmu3Tables *t, const Entry *e,
                uint64_t pa, bool updated)
{
    if (w->saw) {
        w->saw(w->opaque, t->stage2, e->level, pa, e->desc, updated);
    }
}

static bool locate(const Smmu3Walker *w, const Smmu3Tables *t, uint64_t addr,
                   bool write, uint64_t *pa, Smmu3Fault *fault)
{
    *pa = addr;
    return t->stage2 || !w->locate ||
           w->locate(w->opaque, addr, write, pa, fault);
}

static WalkResult read_descriptor(const Smmu3Walker *w, const Smmu3Tables *t,
                                  Entry *e, Smmu3Fault *fault)
{
    uint64_t pa, word;

    if (!locate(w, t, e->addr, false, &pa, fault)) {
        return WALK_FAULT;
    }
    if (w->abort || !w->ops->read(w->host, pa, &word, 1)) {
        return fault_at(t, F_WALK_EABT, pa, fault);
    }
    e->desc = in_table_order(t, word);
    saw(w, t, e, pa, false);
    return WALK_DONE;
}

static WalkResult update_descriptor(const Smmu3Walker *w, const Smmu3Tables *t,
                                    Entry *e, uint64_t desired,
                                    Smmu3Fault *fault)
{
    uint64_t expected = in_table_order(t, e->desc), pa;

    if (e->desc == desired) {
        return WALK_DONE;
    }
    if (w->refuse_updates) {
        return fault_at(t, EVENT_NONE, 0, fault);
    }
    if (!w->update) {
        return WALK_DONE;
    }
    if (!locate(w, t, e->addr, true, &pa, fault)) {
        return WALK_FAULT;
    }
    switch (w->ops->cas(w->host, pa, &expected, in_table_order(t, desired))) {
    case SMMU3_CAS_DONE:
        e->desc = desired;
        saw(w, t, e, pa, true);
        return WALK_DONE;
    case SMMU3_CAS_LOST:
        fault_at(t, F_WALK_EABT, pa, fault);    /* should it be the last */
        return WALK_AGAIN;
    default:
        return fault_at(t, F_WALK_EABT, pa, fault);
    }
}

/* ---- The walk ---------------------------------------------------------- */

/* The access flag and the dirty state, in one update (IHI 0070 3.13). */
static WalkResult update_leaf(const Smmu3Walker *w, const Smmu3Tables *t,
                              uint8_t need, Entry *e, Smmu3Leaf *leaf,
                              Smmu3Fault *fault)
{
    uint64_t desired = e->desc;

    if (t->ha) {
        smmu3_set(&desired, TTD_AF, 1);
    }
    if (leaf->clean && (need & SMMU3_ANY_W)) {
        if (t->stage2) {
            smmu3_set(&desired, TTD_S2AP_WRITE, 1);
        } else {
            smmu3_set(&desired, TTD_AP_RO, 0);
        }
        leaf->clean = false;
    }
    return update_descriptor(w, t, e, desired, fault);
}

/* The leaf: F_ADDR_SIZE, F_ACCESS, F_PERMISSION, in this order (7.3.22). */
static WalkResult finish(const Smmu3Walker *w, const Smmu3Tables *t,
                         uint64_t in, uint8_t need, Entry *e,
                         uint8_t limits, Smmu3Leaf *leaf,
                         Smmu3Fault *fault)
{
    set_extent(t, e, in, leaf);
    if (!limit_extent(t, in, leaf)) {
        return fault_at(t, F_ADDR_SIZE, e->addr, fault);
    }
    if (!smmu3_get(&e->desc, TTD_AF) && !t->ha && !t->affd) {
        return fault_at(t, F_ACCESS, e->addr, fault);
    }
    if (t->stage2) {
        set_rights_stage2(t, e->desc, leaf);
    } else {
        set_rights_stage1(t, e->desc, limits, leaf);
    }
    if ((leaf->rights & need) != need) {
        return fault_at(t, F_PERMISSION, e->addr, fault);
    }
    return update_leaf(w, t, need, e, leaf, fault);
}

static WalkResult walk_once(const Smmu3Walker *w, const Smmu3Tables *t,
                            Smmu3Table *table, uint64_t in, uint8_t need,
                            Smmu3Leaf *leaf, Smmu3Fault *fault)
{
    for (;; table->level++) {
        Entry e = { .level = table->level,
                    .addr = table->addr +
                            descriptor_offset(t, in, table->level) };
        bool table_or_page;

        if (read_descriptor(w, t, &e, fault) != WALK_DONE) {
            return WALK_FAULT;
        }
        table_or_page = smmu3_get(&e.desc, TTD_TABLE_OR_PAGE);
        if (!smmu3_get(&e.desc, TTD_VALID)) {
            return fault_at(t, F_TRANSLATION, e.addr, fault);
        }
        if (!table_or_page && !block_allowed(w, t, e.level)) {
            return fault_at(t, F_TRANSLATION, e.addr, fault);
        }
        if (e.level == 3 || !table_or_page) {
            return finish(w, t, in, need, &e, table->limits, leaf, fault);
        }
        table->addr = descriptor_address(t, e.desc, t->page_log2);
        if (table->addr >> t->oa_bits) {
            return fault_at(t, F_ADDR_SIZE, e.addr, fault);
        }
        table->limits |= table_limits(t, e.desc);
    }
}

Smmu3Table smmu3_root(const Smmu3Tables *t)
{
    return (Smmu3Table) { .addr = start_table(t), .level = t->start_level };
}

bool smmu3_walk_from(const Smmu3Walker *w, const Smmu3Tables *t,
                     Smmu3Table *table, uint64_t in, uint8_t need,
                     Smmu3Leaf *leaf, Smmu3Fault *fault)
{
    if (t->stage2 && in >> t->in_bits) {
        fault_at(t, F_TRANSLATION, 0, fault);
        return false;
    }
    for (unsigned lost = 0; lost < MAX_LOST_UPDATES; lost++) {
        Smmu3Table at = *table;
        WalkResult result = walk_once(w, t, &at, in, need, leaf, fault);

        if (result != WALK_AGAIN) {
            *table = at;
            return result == WALK_DONE;
        }
    }
    /* Someone changes the leaf each time that it is read: *fault names it. */
    return false;
}

bool smmu3_walk(const Smmu3Walker *w, const Smmu3Tables *t, uint64_t in,
                uint8_t need, Smmu3Leaf *leaf, Smmu3Fault *fault)
{
    Smmu3Table root = smmu3_root(t);

    return smmu3_walk_from(w, t, &root, in, need, leaf, fault);
}

/* ---- From configuration to tables -------------------------------------- */

/* Small granules without LPA2 cannot express more than 48 bits. */
static unsigned usable_oa_bits(unsigned oa_bits, unsigned page_log2, bool ds)
{
    return page_log2 == 16 || ds ? oa_bits : MIN(oa_bits, 48u);
}

/* With a 52-bit output size, table bases are aligned to 64 bytes (5.2, 5.4). */
static uint64_t table_base(uint64_t ttb, unsigned oa_bits)
{
    return oa_bits == 52 ? ttb & ~smmu3_mask(6) : ttb;
}

void smmu3_tables_stage1(Smmu3Tables *tables, const Smmu3Stage1 *stage1,
                         Smmu3World world, unsigned half)
{
    const Smmu3TableBase *base = &stage1->half[half];
    unsigned in_bits = 64 - base->tsz;
    unsigned per_level = base->page_log2 - 3;
    unsigned levels = (in_bits - base->page_log2 + per_level - 1) / per_level;
    bool ds = stage1->ds && base->page_log2 != 16;

    *tables = (Smmu3Tables) {
        .ttb = table_base(base->ttb, stage1->oa_bits),
        .in_bits = in_bits,
        .page_log2 = base->page_log2,
        .start_level = 4 - (int)levels,
        .oa_bits = usable_oa_bits(stage1->oa_bits, base->page_log2, ds),
        .ds = ds,
        .big_endian = stage1->big_endian,
        .affd = stage1->affd,
        .ha = stage1->ha,
        .hd = stage1->hd,
        .el2 = world == SMMU3_WORLD_NS_EL2,
        .had = base->had,
        .wxn = stage1->wxn,
        .pan = stage1->pan,
        .mair = stage1->mair,
    };
}

void smmu3_tables_stage2(Smmu3Tables *tables, const Smmu3Stage2 *stage2,
                         const Smmu3Features *f)
{
    *tables = (Smmu3Tables) {
        .stage2 = true,
        .ttb = table_base(stage2->ttb, stage2->oa_bits),
        .in_bits = 64 - stage2->t0sz,
        .page_log2 = stage2->page_log2,
        .start_level = stage2->start_level,
        .oa_bits = usable_oa_bits(stage2->oa_bits, stage2->page_log2,
                                  stage2->ds),
        .ds = stage2->ds,
        .big_endian = stage2->big_endian,
        .affd = stage2->affd,
        .ha = stage2->ha,
        .hd = stage2->hd,
        .xnx = f->xnx,
        .fwb = stage2->fwb,
    };
}

bool smmu3_stage1_select(const Smmu3Stage1 *stage1, Smmu3World world,
                         uint64_t va, bool priv, unsigned *half)
{
    const Smmu3TableBase *base;
    unsigned top;

    *half = world == SMMU3_WORLD_NS_EL2 ? 0 : va >> 55 & 1;
    base = &stage1->half[*half];
    if (base->epd || (base->e0pd && !priv)) {
        return false;
    }
    /* Bits top ... 64 - TxSZ must repeat the bit that selects the half. */
    top = base->tbi ? 55 : 63;
    va ^= *half ? UINT64_MAX : 0;
    return (va & smmu3_mask(top + 1)) >> (64 - base->tsz) == 0;
}
