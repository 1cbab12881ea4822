/*
 * See entries.h. A witness goes with its entry.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "entries.h"
#include <string.h>
#include "../spec/field.h"
#include "contexts.h"

enum {
    LOOK_WORK = 64,                 /* in units of about 10 ns */
    BLOCK_PROBES = 512,             /* for pages in a block that is new */
    NAMED_PROBES = 1024,            /* for what an invalidation names */
    NAMED_MAX = 64,                 /* of these, found */
    PROBE_WORK = 4,
};

/* What is known of the entry at one place of the TLB. */
struct Smmu3Entry {
    Smmu3Witness w;                 /* first: lists hold it */
    Smmu3TlbTag tag;
    Smmu3Leaf leaf;
    uint64_t addr;                  /* that was walked for */
    Smmu3Trail trail;

    /* How its context reaches the tables; who used it last. */
    Smmu3Tables tables, stage2;
    bool has_stage2;
    uint32_t sid, ssid;
    bool ssv;

    bool unbroken;                  /* was reported so */
};

struct Smmu3Entries {
    const Smmu3EntriesHost *host;
    const Smmu3Grace *grace;
    const Smmu3Features *features;
    Smmu3Tlb *tlb;
    Smmu3Counters *counters;
    Smmu3Drops *drops;
    Smmu3Waste *waste;

    Smmu3Entry *all;                /* by place in the TLB */
    Smmu3Witnesses lists;
    Smmu3Contexts contexts;
    Smmu3HeardLog heard;
};

/* ---- Life -------------------------------------------------------------- */

Smmu3Entries *smmu3_entries_new(const Smmu3EntriesHost *host,
                                const Smmu3Grace *grace,
                                const Smmu3Features *features, Smmu3Tlb *tlb,
                                Smmu3Counters *counters, Smmu3Drops *drops,
                                Smmu3Waste *waste)
{
    Smmu3Entries *e = g_new0(Smmu3Entries, 1);

    e->host = host;
    e->grace = grace;
    e->features = features;
    e->tlb = tlb;
    e->counters = counters;
    e->drops = drops;
    e->waste = waste;
    e->all = g_new0(Smmu3Entry, smmu3_tlb_places(tlb));
    smmu3_witnesses_init(&e->lists, grace, counters, drops);
    return e;
}

void smmu3_entries_free(Smmu3Entries *e)
{
    g_free(e->all);
    g_free(e);
}

void smmu3_entries_forget(Smmu3Entries *e)
{
    smmu3_witnesses_forget(&e->lists);
    e->contexts = (Smmu3Contexts) { 0 };
}

/* ---- Reports ----------------------------------------------------------- */

static Smmu3Block block_of(const Smmu3Entry *w)
{
    uint64_t mask = smmu3_mask(w->leaf.size_log2);
    uint64_t addr = smmu3_heard_address(w->addr);

    return (Smmu3Block) {
        .tag = w->tag, .global = w->leaf.global,
        .first = addr & ~mask, .last = addr | mask,
    };
}

/* What is wrong at @at of @w, since @suspicion. */
static void report(Smmu3Entries *e, const Smmu3Entry *w, Smmu3Mistake stale,
                   const Smmu3Found *found, uint64_t at,
                   const Smmu3Suspicion *suspicion, uint64_t ns)
{
    Smmu3Block block = block_of(w);
    Smmu3World world = w->tag.world;
    Smmu3AuditReport r = {
        .kind = stale, .stage2 = world == SMMU3_WORLD_STAGE2,
        .el2 = world == SMMU3_WORLD_NS_EL2 || world == SMMU3_WORLD_NS_EL2_E2H,
        .has_asid = smmu3_world_has_asids(world) && !w->leaf.global,
        .has_vmid = world == SMMU3_WORLD_STAGE2 || world == SMMU3_WORLD_NS_EL1,
        .global = w->leaf.global, .asid = w->tag.asid, .vmid = w->tag.vmid,
        .sid = w->sid, .ssid = w->ssid, .ssv = w->ssv,
        .addr = block.first, .bytes = block.last - block.first + 1,
        .at = at, .cached_output = smmu3_leaf_output(&w->leaf, at),
        .tables_output = found->any ? smmu3_leaf_output(&found->leaf, at) : 0,
        .tables_bytes = found->any ? UINT64_C(1) << found->leaf.size_log2 : 0,
        .cached_rights = w->leaf.rights, .tables_rights = found->leaf.rights,
        .cached_trail = w->trail, .tables_trail = found->trail,
        .cached_ns = w->w.ns,
    };

    smmu3_report_suspicion(e->grace, suspicion, ns, &r);
    e->host->report(e->host->opaque, w, &r);
}

void smmu3_entries_explain(const Smmu3Entries *e, const Smmu3Entry *w,
                           Smmu3AuditReport *r)
{
    Smmu3Block block = block_of(w);

    smmu3_witness_explain(&e->lists, &w->w, &e->heard, &block, r);
}

/* ---- Looking ----------------------------------------------------------- */

/* At once: see look.h. Once for an entry. */
static void report_unbroken(Smmu3Entries *e, Smmu3Entry *w,
                            const Smmu3Found *found, uint64_t at, uint64_t ns)
{
    Smmu3Suspicion since;

    if (!w->unbroken && smmu3_is_unbroken(&w->leaf, &w->trail, found, at,
                                          e->features->bbml)) {
        w->unbroken = true;
        smmu3_suspect(e->grace, &since, ns);
        report(e, w, SMMU3_STALE_SIZE, found, at, &since, ns);
    }
}

static Smmu3Look look_of(const Smmu3Entries *e, const Smmu3Entry *w)
{
    return (Smmu3Look) {
        .ops = e->grace->ops, .host = e->grace->host,
        .oas_bits = smmu3_oas_bits(e->features), .tables = &w->tables,
        .stage2 = w->has_stage2 ? &w->stage2 : NULL,
    };
}

/* Look at @w: for an access to @at, or in a sweep. */
static void examine(Smmu3Entries *e, Smmu3Entry *w, uint64_t at, bool used,
                    uint64_t ns)
{
    Smmu3Look look = look_of(e, w);
    Smmu3Found found;
    Smmu3Mistake stale;
    bool disagrees;

    if (w->w.state == SMMU3_WITNESS_SUSPECT) {
        at = w->w.at;
    }
    atomic_fetch_add_explicit(&e->counters->audit_looks, 1,
                              memory_order_relaxed);
    smmu3_look(&look, at, &found);
    report_unbroken(e, w, &found, at, ns);
    disagrees = smmu3_is_stale(&w->leaf, &found, at, &stale);
    if (disagrees && stale == SMMU3_STALE_MOVED &&
        w->w.state == SMMU3_WITNESS_FRESH) {
        smmu3_waste_moved(e->waste);
    }
    if (smmu3_witness_saw(&e->lists, &w->w, disagrees, at, used, ns) &&
        (used || smmu3_context_was_used_since(&e->contexts, &w->tag,
                                              w->w.suspicion.since.ns +
                                              e->grace->options.grace_ns))) {
        report(e, w, stale, &found, w->w.at, &w->w.suspicion, ns);
        smmu3_witness_enter(&e->lists, &w->w, SMMU3_WITNESS_REPORTED);
    }
}

/* Suspects whose invalidation has come: some that were longest not looked at. */
static void settle_the_dead(Smmu3Entries *e, uint64_t ns)
{
    GQueue *suspects = &e->lists.suspects;
    unsigned length = MIN(suspects->length, SMMU3_SWEPT);

    for (unsigned i = 0; i < length; i++) {
        Smmu3Entry *w = suspects->head->data;

        if (smmu3_tlb_lives(e->tlb, w - e->all)) {
            smmu3_witness_enter(&e->lists, &w->w, SMMU3_WITNESS_SUSPECT);
        } else {
            smmu3_witness_settle(&e->lists, &w->w, SMMU3_WITNESS_NONE, ns);
        }
    }
}

static void sweep(Smmu3Entries *e, GQueue *queue, uint64_t ns)
{
    unsigned length = MIN(queue->length, SMMU3_SWEPT);

    for (unsigned i = 0; i < length && queue->head; i++) {
        Smmu3Entry *w = queue->head->data;

        smmu3_witness_enter(&e->lists, &w->w, w->w.state);
        if (smmu3_tlb_lives(e->tlb, w - e->all)) {
            examine(e, w, smmu3_look_address(w->addr, w->leaf.size_log2,
                                             e->grace->syncs), false, ns);
        } else {
            smmu3_witness_enter(&e->lists, &w->w, SMMU3_WITNESS_NONE);
        }
    }
}

/* ---- What it hears ----------------------------------------------------- */

static void remember_use(Smmu3Entries *e, Smmu3Entry *w,
                         const Smmu3Asked *asked, uint64_t ns)
{
    w->tables = *asked->tables;
    w->has_stage2 = asked->stage2;
    if (asked->stage2) {
        w->stage2 = *asked->stage2;
    }
    w->sid = asked->sid;
    w->ssid = asked->ssid;
    w->ssv = asked->ssv;
    if (!asked->peek) {
        smmu3_context_used(&e->contexts, asked->tag, ns);
    }
}

static Smmu3Entry *witness_of(Smmu3Entries *e, const Smmu3Asked *asked,
                           const Smmu3Leaf *leaf)
{
    size_t place = smmu3_tlb_place(e->tlb, asked->tag, asked->addr, leaf);

    return place == SMMU3_TLB_NOWHERE ? NULL : &e->all[place];
}

/* What was at this place said the same of the same block. */
static bool is_again(const Smmu3Entry *w, const Smmu3Asked *asked,
                     const Smmu3Leaf *leaf)
{
    return smmu3_same_context(&w->tag, asked->tag) &&
           w->leaf.size_log2 == leaf->size_log2 &&
           w->leaf.global == leaf->global &&
           ((w->addr ^ asked->addr) & ~smmu3_mask(leaf->size_log2)) == 0 &&
           w->leaf.base == leaf->base && w->leaf.rights == leaf->rights;
}

/*
 * A block was walked, and of its pages some may be cached still: it was made of
 * them, and they were not invalidated. The first that is found will do.
 */
static void look_for_pages_in(Smmu3Entries *e, const Smmu3Asked *asked,
                              const Smmu3Leaf *leaf, uint64_t ns)
{
    unsigned step_log2 = leaf->size_log2 > 21 ? leaf->size_log2 - 9 : 12;
    uint64_t mask = smmu3_mask(leaf->size_log2);
    uint64_t first = asked->addr & ~mask;
    Smmu3Asked page = *asked;

    for (unsigned i = 0; i < BLOCK_PROBES && i <= mask >> step_log2; i++) {
        Smmu3Leaf cached;
        Smmu3Entry *w;

        page.addr = first + ((uint64_t)i << step_log2);
        if (!smmu3_tlb_lookup(e->tlb, page.tag, page.addr, &cached) ||
            cached.size_log2 >= leaf->size_log2) {
            continue;
        }
        w = witness_of(e, &page, &cached);
        if (w && (w->w.state == SMMU3_WITNESS_FRESH ||
                  w->w.state == SMMU3_WITNESS_SUSPECT)) {
            examine(e, w, page.addr, false, ns);
            return;
        }
    }
}

void smmu3_entries_walked(Smmu3Entries *e, const Smmu3Asked *asked,
                          const Smmu3Leaf *leaf, const Smmu3Trail *trail)
{
    Smmu3Entry *w = witness_of(e, asked, leaf);

    if (!w) {
        return;
    }
    w->w.heard_before = is_again(w, asked, leaf) ? w->w.heard : e->heard.count;
    w->w.heard = e->heard.count;
    w->w.ns = smmu3_grace_now(e->grace);
    smmu3_witness_renew(&e->lists, &w->w);
    smmu3_witness_enter(&e->lists, &w->w, SMMU3_WITNESS_FRESH);
    w->tag = *asked->tag;
    w->leaf = *leaf;
    w->addr = asked->addr;
    w->trail = *trail;
    w->unbroken = false;
    remember_use(e, w, asked, w->w.ns);
    smmu3_waste_cached(e->waste, asked->tag);
    if (leaf->size_log2 > 12) {
        look_for_pages_in(e, asked, leaf, w->w.ns);
    }
}

void smmu3_entries_used(Smmu3Entries *e, const Smmu3Asked *asked,
                        const Smmu3Leaf *leaf, uint64_t ns)
{
    Smmu3Entry *w = witness_of(e, asked, leaf);

    if (w && !asked->peek &&
        (w->w.state == SMMU3_WITNESS_FRESH ||
         w->w.state == SMMU3_WITNESS_SUSPECT)) {
        remember_use(e, w, asked, ns);
        examine(e, w, asked->addr, true, ns);
    }
}

/* ---- What an invalidation names ------------------------------------------- */

/* Entries that are alive and would go. */
typedef struct Named {
    Smmu3Entry *found[NAMED_MAX];
    unsigned count, max;
    bool all;                       /* there are no others */
    unsigned work;                  /* what it cost to find them, see work.h */
} Named;

static bool is_named(const Smmu3Entries *e, const Smmu3Entry *w,
                     const Smmu3Heard *heard)
{
    Smmu3Block block = block_of(w);

    /* Or it would be if it were carried out */
    return smmu3_heard_miss(heard, &block) <= SMMU3_MISS_DELAYED &&
           smmu3_tlb_lives(e->tlb, w - e->all);
}

/* Of commands by address that name one context, too. */
static bool has_tag(const Smmu3Heard *heard, Smmu3TlbTag *tag)
{
    if (heard->vmid_ignore) {
        return false;
    }
    switch (heard->opcode) {
    case CMD_TLBI_NH_VA:
        *tag = (Smmu3TlbTag) { .world = SMMU3_WORLD_NS_EL1,
                               .vmid = heard->vmid, .asid = heard->asid };
        return true;
    case CMD_TLBI_S2_IPA:
        *tag = (Smmu3TlbTag) { .world = SMMU3_WORLD_STAGE2,
                               .vmid = heard->vmid };
        return true;
    default:
        return false;
    }
}

static void find_in_range(Smmu3Entries *e, const Smmu3TlbTag *tag,
                          uint64_t first, uint64_t last, Named *named)
{
    uint64_t addr = first, end;

    named->all = true;
    do {
        Smmu3Leaf leaf = { .size_log2 = 12 };

        named->work += PROBE_WORK;
        if (smmu3_tlb_lookup(e->tlb, tag, addr, &leaf)) {
            size_t place = smmu3_tlb_place(e->tlb, tag, addr, &leaf);

            if (place != SMMU3_TLB_NOWHERE) {
                named->found[named->count++] = &e->all[place];
            }
        }
        end = addr | smmu3_mask(leaf.size_log2);
        addr = end + 1;
    } while (end < last && named->count < named->max);
}

/* Among those that are to be looked at next. */
static void find_in_list(Smmu3Entries *e, const GQueue *list,
                         const Smmu3Heard *heard, Named *named)
{
    GList *link = list->head;

    for (unsigned i = 0; link && i < NAMED_PROBES && named->count < named->max;
         i++, link = link->next) {
        named->work += PROBE_WORK;
        if (is_named(e, link->data, heard)) {
            named->found[named->count++] = link->data;
        }
    }
    named->all &= !link;
}

/* @max at most, as far as one can look. */
static void find_named(Smmu3Entries *e, const Smmu3Heard *heard, unsigned max,
                       Named *named)
{
    Smmu3TlbTag tag;

    named->count = named->work = 0;
    named->max = max;
    named->all = true;
    if (has_tag(heard, &tag) &&
        heard->last - heard->first < (uint64_t)NAMED_PROBES << 12) {
        find_in_range(e, &tag, heard->first, heard->last, named);
    } else {
        find_in_list(e, &e->lists.suspects, heard, named);
        find_in_list(e, &e->lists.fresh, heard, named);
    }
}

/* ---- What was dropped ---------------------------------------------------- */

/* Whether @w, which @dropped would have removed, is stale. */
static bool is_left(const Smmu3Entries *e, const Smmu3Entry *w,
                    const Smmu3Heard *dropped)
{
    Smmu3Block block = block_of(w);
    uint64_t at = dropped->first > block.first && dropped->first <= block.last
                  ? dropped->first : w->addr;
    Smmu3Look look = look_of(e, w);
    Smmu3Found found;
    Smmu3Mistake stale;

    smmu3_look(&look, at, &found);
    return smmu3_is_stale(&w->leaf, &found, at, &stale);
}

/* Of one that would have removed many the first NAMED_MAX are looked at. */
static unsigned note_left(Smmu3Entries *e, const Smmu3Heard *dropped,
                          uint64_t number)
{
    Named named;

    find_named(e, dropped, NAMED_MAX, &named);
    for (unsigned i = 0; i < named.count; i++) {
        Smmu3Entry *w = named.found[i];

        if ((w->w.state == SMMU3_WITNESS_FRESH ||
             w->w.state == SMMU3_WITNESS_SUSPECT) && is_left(e, w, dropped)) {
            smmu3_witness_left(&e->lists, &w->w, number);
        }
    }
    return named.work + named.count * LOOK_WORK;
}

/* Of those that are left: who should have been reported, or is gone. */
static void judge_left(Smmu3Entries *e, GQueue *queue, uint64_t ns)
{
    uint64_t turns = smmu3_witnesses_turns(&e->lists);
    GList *next;

    for (GList *link = queue->head; link; link = next) {
        Smmu3Entry *w = link->data;

        next = link->next;
        if (!w->w.drop) {
            continue;
        }
        if (!smmu3_tlb_lives(e->tlb, w - e->all)) {
            smmu3_witness_settle(&e->lists, &w->w, SMMU3_WITNESS_NONE, ns);
        } else if (smmu3_context_was_used_since(
                       &e->contexts, &w->tag,
                       smmu3_drops_mistake_since(e->drops, w->w.drop, turns,
                                                 ns))) {
            smmu3_drops_missed(e->drops, w->w.drop);
        }
    }
}

void smmu3_entries_judge_left(Smmu3Entries *e, uint64_t ns)
{
    judge_left(e, &e->lists.fresh, ns);
    judge_left(e, &e->lists.suspects, ns);
}

unsigned smmu3_entries_invalidated(Smmu3Entries *e, const Smmu3Heard *heard,
                                   uint64_t ns)
{
    Smmu3Heard timed = *heard;
    unsigned work = SMMU3_SWEPT * PROBE_WORK;

    timed.ns = ns;
    if (!heard->widened) {
        smmu3_heard_add(&e->heard, &timed);
    }
    if (heard->dropped) {
        work += note_left(e, heard, smmu3_drops_begin(e->drops, ns));
    }
    settle_the_dead(e, ns);
    return work;
}

int smmu3_entries_count_named(Smmu3Entries *e, const Smmu3Heard *heard,
                              unsigned *work)
{
    Named named;

    find_named(e, heard, SMMU3_WASTE_FEW, &named);
    *work += named.work;
    return named.all || named.count == SMMU3_WASTE_FEW ? (int)named.count : -1;
}

unsigned smmu3_entries_sweep(Smmu3Entries *e, uint64_t ns)
{
    settle_the_dead(e, ns);
    sweep(e, &e->lists.suspects, ns);
    sweep(e, &e->lists.fresh, ns);
    return 2 * SMMU3_SWEPT;
}
