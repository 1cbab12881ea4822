/*
 * See audit.h. A witness goes with its entry.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"
#include <string.h>
#include "../spec/field.h"
#include "drops.h"
#include "grants.h"
#include "heard.h"
#include "look.h"
#include "reports.h"
#include "waste.h"
#include "witness.h"

enum {
    LOOK_WORK = 64,                 /* in units of about 10 ns */
    CONTEXTS = 256,                 /* remembered, by a hash */
    BLOCK_PROBES = 512,             /* for pages in a block that is new */
    NAMED_PROBES = 1024,            /* for what an invalidation names */
    NAMED_MAX = 64,                 /* of these, found */
    PROBE_WORK = 4,
};

/* What is known of the entry at one place of the TLB. */
typedef struct Witness {
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
} Witness;

/* When a context was last in use. */
typedef struct Context {
    bool used;
    Smmu3TlbTag tag;
    uint64_t ns;
} Context;

struct Smmu3Audit {
    Smmu3Grace grace;
    const Smmu3Features *features;
    Smmu3Tlb *tlb;
    Smmu3Counters *counters;

    Witness *witnesses;             /* by place in the TLB */
    Smmu3Witnesses lists;
    Context contexts[CONTEXTS];
    Smmu3HeardLog heard;
    Smmu3Structures *structures;
    Smmu3Orders *orders;
    Smmu3Waste *waste;
    Smmu3GrantsHost grants_host;
    Smmu3Grants *grants;
    Smmu3Drops *drops;
    Smmu3Reports reports;
};

static void report_grant(void *opaque, const Smmu3Grant *grant,
                         Smmu3AuditReport *r);

/* ---- Life -------------------------------------------------------------- */

Smmu3Audit *smmu3_audit_new(const Smmu3AuditOptions *options,
                            const Smmu3HostOps *ops, void *host,
                            const Smmu3Features *features, Smmu3Tlb *tlb,
                            Smmu3Counters *counters, Smmu3AuditLook *look,
                            void *look_opaque)
{
    Smmu3Audit *a = g_new0(Smmu3Audit, 1);

    a->grace = (Smmu3Grace) { .options = *options, .ops = ops, .host = host };
    a->features = features;
    a->tlb = tlb;
    a->counters = counters;
    a->witnesses = g_new0(Witness, smmu3_tlb_places(tlb));
    a->structures = smmu3_structures_new();
    smmu3_tlb_be_precise(tlb);
    a->drops = smmu3_drops_new(&a->grace);
    smmu3_witnesses_init(&a->lists, &a->grace, counters, a->drops);
    a->grants_host = (Smmu3GrantsHost) {
        .look = look, .look_opaque = look_opaque,
        .report = report_grant, .report_opaque = a,
    };
    a->orders = smmu3_orders_new(&a->grace, features->stall_max);
    a->waste = smmu3_waste_new();
    a->grants = smmu3_grants_new(&a->grants_host, &a->grace, counters,
                                 a->drops);
    return a;
}

void smmu3_audit_free(Smmu3Audit *a)
{
    if (a) {
        smmu3_grants_free(a->grants);
        smmu3_drops_free(a->drops);
        smmu3_orders_free(a->orders);
        smmu3_waste_free(a->waste);
        smmu3_structures_free(a->structures);
        g_free(a->witnesses);
        g_free(a);
    }
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void smmu3_audit_forget(Smmu3Audit *a, bool reset)
{
    smmu3_witnesses_forget(&a->lists);
    smmu3_grants_forget(a->grants);
    smmu3_orders_forget(a->orders, reset);
    smmu3_structures_forget(a->structures);
    memset(a->contexts, 0, sizeof(a->contexts));
}

/* ---- Contexts ---------------------------------------------------------- */

static bool same_context(const Smmu3TlbTag *a, const Smmu3TlbTag *b)
{
    return a->world == b->world && a->vmid == b->vmid && a->asid == b->asid;
}

static Context *context_of(Smmu3Audit *a, const Smmu3TlbTag *tag)
{
    uint32_t hash = (tag->asid | (uint32_t)tag->vmid << 16) * 0x9e3779b1u;

    return &a->contexts[((hash >> 20) + tag->world) % CONTEXTS];
}

static void context_used(Smmu3Audit *a, const Smmu3TlbTag *tag, uint64_t ns)
{
    *context_of(a, tag) = (Context) { true, *tag, ns };
}

/* Not known where another one has taken its place: then no. */
static bool context_was_used_since(Smmu3Audit *a, const Smmu3TlbTag *tag,
                                   uint64_t ns)
{
    const Context *c = context_of(a, tag);

    return c->used && same_context(&c->tag, tag) && c->ns >= ns;
}

/* ---- Reports ----------------------------------------------------------- */

static Smmu3Block block_of(const Witness *w)
{
    uint64_t mask = smmu3_mask(w->leaf.size_log2);
    uint64_t addr = smmu3_heard_address(w->addr);

    return (Smmu3Block) {
        .tag = w->tag, .global = w->leaf.global,
        .first = addr & ~mask, .last = addr | mask,
    };
}

/* Its copy if it is a new one. */
static Smmu3AuditReport *keep(Smmu3Audit *a, const Smmu3AuditReport *r)
{
    count(&a->counters->audit_reports);
    return smmu3_reports_add(&a->reports, r);
}

static void tell(const Smmu3Audit *a, const Smmu3AuditReport *kept)
{
    if (a->grace.ops->audit_report) {
        a->grace.ops->audit_report(a->grace.host, kept);
    }
}

/* What is wrong at @at of @w, since @suspicion. */
static void report(Smmu3Audit *a, const Witness *w, Smmu3Stale stale,
                   const Smmu3Found *found, uint64_t at,
                   const Smmu3Suspicion *suspicion, uint64_t ns)
{
    Smmu3Block block = block_of(w);
    Smmu3World world = w->tag.world;
    Smmu3AuditReport r = {
        .stale = stale, .stage2 = world == SMMU3_WORLD_STAGE2,
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
    Smmu3AuditReport *kept;

    smmu3_report_suspicion(&a->grace, suspicion, ns, &r);
    kept = keep(a, &r);
    if (kept) {
        smmu3_witness_explain(&a->lists, &w->w, &a->heard, &block, kept);
        tell(a, kept);
    }
}

static void report_grant(void *opaque, const Smmu3Grant *grant,
                         Smmu3AuditReport *r)
{
    Smmu3Audit *a = opaque;
    Smmu3AuditReport *kept = keep(a, r);

    if (kept) {
        smmu3_grants_explain(a->grants, grant, kept);
        tell(a, kept);
    }
}

GArray *smmu3_audit_kept(const Smmu3Audit *a)
{
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(Smmu3AuditReport));

    g_array_append_vals(copy, a->reports.kept, a->reports.count);
    return copy;
}

void smmu3_audit_drop_reports(Smmu3Audit *a)
{
    a->reports.count = 0;
    smmu3_waste_reset(a->waste);
}

void smmu3_audit_summary(const Smmu3Audit *a, Smmu3AuditSummary *summary)
{
    smmu3_waste_summary(a->waste, summary);
}

/* A command that is wrong, now or since a while. */
static void report_command(Smmu3Audit *a, Smmu3AuditReport *r)
{
    uint64_t ns = smmu3_grace_now(&a->grace);
    Smmu3AuditReport *kept;
    Smmu3Suspicion now;

    if (smmu3_report_is_at_once(r)) {
        smmu3_suspect(&a->grace, &now, ns);
        smmu3_report_suspicion(&a->grace, &now, ns, r);
    }
    kept = keep(a, r);
    if (kept) {
        tell(a, kept);
    }
}

static void report_lack_of_sync(Smmu3Audit *a, uint64_t ns)
{
    Smmu3AuditReport r;

    if (smmu3_orders_lack_sync(a->orders, ns, &r)) {
        report_command(a, &r);
    }
}

/* ---- Looking ----------------------------------------------------------- */

/* At once: see look.h. Once for an entry. */
static void report_unbroken(Smmu3Audit *a, Witness *w, const Smmu3Found *found,
                            uint64_t at, uint64_t ns)
{
    Smmu3Suspicion since;

    if (!w->unbroken && smmu3_is_unbroken(&w->leaf, &w->trail, found, at,
                                          a->features->bbml)) {
        w->unbroken = true;
        smmu3_suspect(&a->grace, &since, ns);
        report(a, w, SMMU3_STALE_SIZE, found, at, &since, ns);
    }
}

static Smmu3Look look_of(const Smmu3Audit *a, const Witness *w)
{
    return (Smmu3Look) {
        .ops = a->grace.ops, .host = a->grace.host,
        .oas_bits = smmu3_oas_bits(a->features), .tables = &w->tables,
        .stage2 = w->has_stage2 ? &w->stage2 : NULL,
    };
}

/* Look at @w: for an access to @at, or in a sweep. */
static void examine(Smmu3Audit *a, Witness *w, uint64_t at, bool used,
                    uint64_t ns)
{
    Smmu3Look look = look_of(a, w);
    Smmu3Found found;
    Smmu3Stale stale;
    bool disagrees;

    if (w->w.state == SMMU3_WITNESS_SUSPECT) {
        at = w->w.at;
    }
    count(&a->counters->audit_looks);
    smmu3_look(&look, at, &found);
    report_unbroken(a, w, &found, at, ns);
    disagrees = smmu3_is_stale(&w->leaf, &found, at, &stale);
    if (disagrees && stale == SMMU3_STALE_MOVED &&
        w->w.state == SMMU3_WITNESS_FRESH) {
        smmu3_waste_moved(a->waste);
    }
    if (smmu3_witness_saw(&a->lists, &w->w, disagrees, at, used, ns) &&
        (used || context_was_used_since(a, &w->tag, w->w.suspicion.since.ns +
                                        a->grace.options.grace_ns))) {
        report(a, w, stale, &found, w->w.at, &w->w.suspicion, ns);
        smmu3_witness_enter(&a->lists, &w->w, SMMU3_WITNESS_REPORTED);
    }
}

/* In a block any page may have changed: another one each time. */
static uint64_t address_to_sweep(const Smmu3Audit *a, const Witness *w)
{
    uint64_t page = a->grace.syncs * UINT64_C(0x9e3779b97f4a7c15) >> 12 << 12;
    uint64_t mask = smmu3_mask(w->leaf.size_log2);

    return w->leaf.size_log2 > 12 ? (w->addr & ~mask) | (page & mask) : w->addr;
}

/* Suspects whose invalidation has come: some that were longest not looked at. */
static void settle_the_dead(Smmu3Audit *a, uint64_t ns)
{
    GQueue *suspects = &a->lists.suspects;
    unsigned length = MIN(suspects->length, SMMU3_SWEPT);

    for (unsigned i = 0; i < length; i++) {
        Witness *w = suspects->head->data;

        if (smmu3_tlb_lives(a->tlb, w - a->witnesses)) {
            smmu3_witness_enter(&a->lists, &w->w, SMMU3_WITNESS_SUSPECT);
        } else {
            smmu3_witness_settle(&a->lists, &w->w, SMMU3_WITNESS_NONE, ns);
        }
    }
}

static void sweep(Smmu3Audit *a, GQueue *queue, uint64_t ns)
{
    unsigned length = MIN(queue->length, SMMU3_SWEPT);

    for (unsigned i = 0; i < length && queue->head; i++) {
        Witness *w = queue->head->data;

        smmu3_witness_enter(&a->lists, &w->w, w->w.state);
        if (smmu3_tlb_lives(a->tlb, w - a->witnesses)) {
            examine(a, w, address_to_sweep(a, w), false, ns);
        } else {
            smmu3_witness_enter(&a->lists, &w->w, SMMU3_WITNESS_NONE);
        }
    }
}

/* ---- What it hears ----------------------------------------------------- */

static void remember_use(Smmu3Audit *a, Witness *w, const Smmu3Asked *asked,
                         uint64_t ns)
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
        context_used(a, asked->tag, ns);
    }
}

static Witness *witness_of(Smmu3Audit *a, const Smmu3Asked *asked,
                           const Smmu3Leaf *leaf)
{
    size_t place = smmu3_tlb_place(a->tlb, asked->tag, asked->addr, leaf);

    return place == SMMU3_TLB_NOWHERE ? NULL : &a->witnesses[place];
}

/* What was at this place said the same of the same block. */
static bool is_again(const Witness *w, const Smmu3Asked *asked,
                     const Smmu3Leaf *leaf)
{
    return same_context(&w->tag, asked->tag) &&
           w->leaf.size_log2 == leaf->size_log2 &&
           w->leaf.global == leaf->global &&
           ((w->addr ^ asked->addr) & ~smmu3_mask(leaf->size_log2)) == 0 &&
           w->leaf.base == leaf->base && w->leaf.rights == leaf->rights;
}

/*
 * A block was walked, and of its pages some may be cached still: it was made of
 * them, and they were not invalidated. The first that is found will do.
 */
static void look_for_pages_in(Smmu3Audit *a, const Smmu3Asked *asked,
                              const Smmu3Leaf *leaf, uint64_t ns)
{
    unsigned step_log2 = leaf->size_log2 > 21 ? leaf->size_log2 - 9 : 12;
    uint64_t mask = smmu3_mask(leaf->size_log2);
    uint64_t first = asked->addr & ~mask;
    Smmu3Asked page = *asked;

    for (unsigned i = 0; i < BLOCK_PROBES && i <= mask >> step_log2; i++) {
        Smmu3Leaf cached;
        Witness *w;

        page.addr = first + ((uint64_t)i << step_log2);
        if (!smmu3_tlb_lookup(a->tlb, page.tag, page.addr, &cached) ||
            cached.size_log2 >= leaf->size_log2) {
            continue;
        }
        w = witness_of(a, &page, &cached);
        if (w && (w->w.state == SMMU3_WITNESS_FRESH ||
                  w->w.state == SMMU3_WITNESS_SUSPECT)) {
            examine(a, w, page.addr, false, ns);
            return;
        }
    }
}

void smmu3_audit_walked(Smmu3Audit *a, const Smmu3Asked *asked,
                        const Smmu3Leaf *leaf, const Smmu3Trail *trail)
{
    Witness *w = witness_of(a, asked, leaf);

    if (!w) {
        return;
    }
    report_lack_of_sync(a, smmu3_grace_now(&a->grace));
    w->w.heard_before = is_again(w, asked, leaf) ? w->w.heard : a->heard.count;
    w->w.heard = a->heard.count;
    w->w.ns = smmu3_grace_now(&a->grace);
    smmu3_witness_renew(&a->lists, &w->w);
    smmu3_witness_enter(&a->lists, &w->w, SMMU3_WITNESS_FRESH);
    w->tag = *asked->tag;
    w->leaf = *leaf;
    w->addr = asked->addr;
    w->trail = *trail;
    w->unbroken = false;
    remember_use(a, w, asked, w->w.ns);
    smmu3_waste_cached(a->waste, asked->tag);
    if (leaf->size_log2 > 12) {
        look_for_pages_in(a, asked, leaf, w->w.ns);
    }
}

void smmu3_audit_used(Smmu3Audit *a, const Smmu3Asked *asked,
                      const Smmu3Leaf *leaf)
{
    Witness *w = witness_of(a, asked, leaf);
    uint64_t ns = smmu3_grace_now(&a->grace);

    report_lack_of_sync(a, ns);
    if (w && !asked->peek &&
        (w->w.state == SMMU3_WITNESS_FRESH ||
         w->w.state == SMMU3_WITNESS_SUSPECT)) {
        remember_use(a, w, asked, ns);
        examine(a, w, asked->addr, true, ns);
    }
}

/* ---- What an invalidation names ------------------------------------------- */

/* Entries that are alive and would go. */
typedef struct Named {
    Witness *found[NAMED_MAX];
    unsigned count, max;
    bool all;                       /* there are no others */
    unsigned work;                  /* what it cost to find them, see work.h */
} Named;

static bool is_named(const Smmu3Audit *a, const Witness *w,
                     const Smmu3Heard *heard)
{
    Smmu3Block block = block_of(w);

    /* Or it would be if it were carried out */
    return smmu3_heard_miss(heard, &block) <= SMMU3_MISS_DELAYED &&
           smmu3_tlb_lives(a->tlb, w - a->witnesses);
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

static void find_in_range(Smmu3Audit *a, const Smmu3TlbTag *tag,
                          uint64_t first, uint64_t last, Named *named)
{
    uint64_t addr = first, end;

    named->all = true;
    do {
        Smmu3Leaf leaf = { .size_log2 = 12 };

        named->work += PROBE_WORK;
        if (smmu3_tlb_lookup(a->tlb, tag, addr, &leaf)) {
            size_t place = smmu3_tlb_place(a->tlb, tag, addr, &leaf);

            if (place != SMMU3_TLB_NOWHERE) {
                named->found[named->count++] = &a->witnesses[place];
            }
        }
        end = addr | smmu3_mask(leaf.size_log2);
        addr = end + 1;
    } while (end < last && named->count < named->max);
}

/* Among those that are to be looked at next. */
static void find_in_list(Smmu3Audit *a, const GQueue *list,
                         const Smmu3Heard *heard, Named *named)
{
    GList *link = list->head;

    for (unsigned i = 0; link && i < NAMED_PROBES && named->count < named->max;
         i++, link = link->next) {
        named->work += PROBE_WORK;
        if (is_named(a, link->data, heard)) {
            named->found[named->count++] = link->data;
        }
    }
    named->all &= !link;
}

/* @max at most, as far as one can look. */
static void find_named(Smmu3Audit *a, const Smmu3Heard *heard, unsigned max,
                       Named *named)
{
    Smmu3TlbTag tag;

    named->count = named->work = 0;
    named->max = max;
    named->all = true;
    if (has_tag(heard, &tag) &&
        heard->last - heard->first < (uint64_t)NAMED_PROBES << 12) {
        find_in_range(a, &tag, heard->first, heard->last, named);
    } else {
        find_in_list(a, &a->lists.suspects, heard, named);
        find_in_list(a, &a->lists.fresh, heard, named);
    }
}

/* ---- What was dropped ---------------------------------------------------- */

/* Whether @w, which @dropped would have removed, is stale. */
static bool is_left(const Smmu3Audit *a, const Witness *w,
                    const Smmu3Heard *dropped)
{
    Smmu3Block block = block_of(w);
    uint64_t at = dropped->first > block.first && dropped->first <= block.last
                  ? dropped->first : w->addr;
    Smmu3Look look = look_of(a, w);
    Smmu3Found found;
    Smmu3Stale stale;

    smmu3_look(&look, at, &found);
    return smmu3_is_stale(&w->leaf, &found, at, &stale);
}

/* Of one that would have removed many the first NAMED_MAX are looked at. */
static unsigned note_left(Smmu3Audit *a, const Smmu3Heard *dropped,
                          uint64_t number)
{
    Named named;

    find_named(a, dropped, NAMED_MAX, &named);
    for (unsigned i = 0; i < named.count; i++) {
        Witness *w = named.found[i];

        if ((w->w.state == SMMU3_WITNESS_FRESH ||
             w->w.state == SMMU3_WITNESS_SUSPECT) && is_left(a, w, dropped)) {
            smmu3_witness_left(&a->lists, &w->w, number);
        }
    }
    return named.work + named.count * LOOK_WORK;
}

/* Of those that are left: who should have been reported, or is gone. */
static void judge_left(Smmu3Audit *a, GQueue *queue, uint64_t ns)
{
    uint64_t turns = smmu3_witnesses_turns(&a->lists);
    GList *next;

    for (GList *link = queue->head; link; link = next) {
        Witness *w = link->data;

        next = link->next;
        if (!w->w.drop) {
            continue;
        }
        if (!smmu3_tlb_lives(a->tlb, w - a->witnesses)) {
            smmu3_witness_settle(&a->lists, &w->w, SMMU3_WITNESS_NONE, ns);
        } else if (context_was_used_since(
                       a, &w->tag,
                       smmu3_drops_mistake_since(a->drops, w->w.drop, turns,
                                                 ns))) {
            smmu3_drops_missed(a->drops, w->w.drop);
        }
    }
}

void smmu3_audit_count_drops(Smmu3Audit *a, Smmu3AuditDrops *counts)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    judge_left(a, &a->lists.fresh, ns);
    judge_left(a, &a->lists.suspects, ns);
    smmu3_grants_judge_left(a->grants, ns);
    smmu3_drops_count(a->drops, counts);
}

unsigned smmu3_audit_invalidated(Smmu3Audit *a, const Smmu3Heard *heard)
{
    Smmu3Heard timed = *heard;
    unsigned work = SMMU3_SWEPT * PROBE_WORK;

    timed.ns = smmu3_grace_now(&a->grace);
    if (!heard->widened) {
        smmu3_heard_add(&a->heard, &timed);
    }
    if (heard->dropped) {
        uint64_t number = smmu3_drops_begin(a->drops, timed.ns);

        work += note_left(a, heard, number);
    }
    settle_the_dead(a, timed.ns);
    return work;
}

unsigned smmu3_audit_synced(Smmu3Audit *a)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    a->grace.syncs++;
    settle_the_dead(a, ns);
    sweep(a, &a->lists.suspects, ns);
    sweep(a, &a->lists.fresh, ns);
    return (2 * SMMU3_SWEPT + smmu3_grants_sweep(a->grants, ns)) * LOOK_WORK;
}

void smmu3_audit_asked(Smmu3Audit *a)
{
    smmu3_grace_note_writer(&a->grace);
}

/* ---- Waste ----------------------------------------------------------------- */

/* See smmu3_waste_command(). */
static int count_entries(Smmu3Audit *a, const Smmu3Heard *heard,
                         unsigned *work)
{
    Named named;

    find_named(a, heard, SMMU3_WASTE_FEW, &named);
    *work += named.work;
    return named.all || named.count == SMMU3_WASTE_FEW ? (int)named.count : -1;
}

static int count_removed(Smmu3Audit *a, const Smmu3Heard *heard,
                         unsigned *work)
{
    unsigned named;

    switch (heard->opcode) {
    case CMD_ATC_INV:
        named = smmu3_grants_named(a->grants, heard, work);
        return MIN(named, SMMU3_WASTE_FEW);
    case CMD_CFGI_STE:
    case CMD_CFGI_STE_RANGE:
    case CMD_CFGI_CD:
    case CMD_CFGI_CD_ALL:
        named = smmu3_structures_invalidated(a->structures, heard->first,
                                             heard->last, heard->ssv,
                                             heard->ssid, work);
        return MIN(named, SMMU3_WASTE_FEW);
    default:
        return count_entries(a, heard, work);
    }
}

unsigned smmu3_audit_coming(Smmu3Audit *a, const uint64_t *cmd,
                            const Smmu3Heard *heard)
{
    const Smmu3HostOps *ops = a->grace.ops;
    bool of_stream = heard->opcode == CMD_ATC_INV ||
                     heard->opcode == CMD_CFGI_STE ||
                     heard->opcode == CMD_CFGI_CD ||
                     heard->opcode == CMD_CFGI_CD_ALL;
    unsigned work = 0;

    smmu3_waste_command(a->waste, cmd, heard, count_removed(a, heard, &work));
    if (of_stream && ops->has_function &&
        !ops->has_function(a->grace.host, heard->sid)) {
        smmu3_waste_no_function(a->waste);
    }
    return work;
}

/* ---- Commands by themselves ---------------------------------------------- */

/* Another one, and no CMD_SYNC before it. */
void smmu3_audit_commanded(Smmu3Audit *a, const uint64_t *cmd)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    report_lack_of_sync(a, ns);
    smmu3_orders_invalidated(a->orders, cmd, ns);
}

void smmu3_audit_sync_begins(Smmu3Audit *a)
{
    smmu3_orders_synced(a->orders);
}

void smmu3_audit_queue_stops(Smmu3Audit *a)
{
    smmu3_orders_synced(a->orders);
}

void smmu3_audit_illegal(Smmu3Audit *a, const uint64_t *cmd, uint32_t index)
{
    Smmu3AuditReport r = {
        .stale = SMMU3_WRONG_COMMAND, .blame = smmu3_orders_illegal(cmd),
        .command = { cmd[0], cmd[1] }, .number = index,
    };

    report_command(a, &r);
}

void smmu3_audit_no_stream(Smmu3Audit *a, const uint64_t *cmd, uint32_t sid)
{
    Smmu3AuditReport r = {
        .stale = SMMU3_WRONG_STREAM, .sid = sid,
        .command = { cmd[0], cmd[1] },
    };

    report_command(a, &r);
}

void smmu3_audit_stall(Smmu3Audit *a, uint32_t sid, uint16_t stag,
                       Smmu3AskedState state)
{
    smmu3_orders_stall(a->orders, sid, stag, state);
}

void smmu3_audit_group(Smmu3Audit *a, uint32_t sid, uint16_t index,
                       Smmu3AskedState state)
{
    smmu3_orders_group(a->orders, sid, index, state);
}

void smmu3_audit_resume(Smmu3Audit *a, uint32_t sid, uint16_t stag)
{
    Smmu3AuditReport r;

    if (smmu3_orders_resume(a->orders, sid, stag, &r)) {
        report_command(a, &r);
    }
}

void smmu3_audit_respond(Smmu3Audit *a, uint32_t sid, uint16_t index)
{
    Smmu3AuditReport r;

    if (smmu3_orders_respond(a->orders, sid, index, &r)) {
        report_command(a, &r);
    }
}

/* ---- Caches of endpoints ------------------------------------------------- */

void smmu3_audit_granted(Smmu3Audit *a, const Smmu3Transaction *request,
                         const Smmu3Translation *answer)
{
    smmu3_waste_cached(a->waste, NULL);
    smmu3_grants_granted(a->grants, request, answer,
                         smmu3_grace_now(&a->grace));
}

void smmu3_audit_grant_used(Smmu3Audit *a, uint32_t sid, uint64_t addr)
{
    smmu3_grants_used(a->grants, sid, addr, smmu3_grace_now(&a->grace));
}

unsigned smmu3_audit_atc_invalidated(Smmu3Audit *a, const Smmu3Heard *heard)
{
    return smmu3_grants_invalidated(a->grants, heard,
                                    smmu3_grace_now(&a->grace));
}

void smmu3_audit_atc_flushed(Smmu3Audit *a, uint32_t sid)
{
    smmu3_grants_flushed(a->grants, sid, smmu3_grace_now(&a->grace));
}

/* ---- Structures --------------------------------------------------------- */

void smmu3_audit_fetched(Smmu3Audit *a, const Smmu3Structure *structure)
{
    smmu3_waste_cached(a->waste, NULL);
    smmu3_structures_fetched(a->structures, structure,
                             smmu3_grace_now(&a->grace));
}

void smmu3_audit_structure_used(Smmu3Audit *a, const Smmu3Structure *now)
{
    uint64_t ns = smmu3_grace_now(&a->grace);
    Smmu3AuditReport r, *kept;

    count(&a->counters->audit_looks);
    switch (smmu3_structures_used(a->structures, &a->grace, now, ns, &r)) {
    case SMMU3_STRUCTURE_SUSPECT:
        count(&a->counters->audit_suspicions);
        break;
    case SMMU3_STRUCTURE_STALE:
        kept = keep(a, &r);
        if (kept) {
            tell(a, kept);
        }
        break;
    default:
        break;
    }
}
