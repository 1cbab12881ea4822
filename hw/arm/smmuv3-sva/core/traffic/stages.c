/*
 * See stages.h. The TLB first, else a walk whose answer goes into it; and how
 * stage 1 reaches its tables through stage 2 (IHI 0070 3.3.4, 3.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stages.h"
#include "../audit/look.h"

/* A walk of one stage: on the way there, a pass may make others of stage 2. */
typedef struct Walk {
    Smmu3Pass *p;
    const Smmu3Tables *tables;
    Smmu3Trail trail;               /* for the auditor */
} Walk;

/* The walker tells of each descriptor. */
static void saw_descriptor(void *opaque, bool stage2, int level, uint64_t pa,
                           uint64_t descriptor, bool updated)
{
    Walk *walk = opaque;
    Smmu3Pass *p = walk->p;

    if (p->s->audit) {
        smmu3_trail_saw(&walk->trail, walk->tables->start_level, level, pa,
                        descriptor, updated);
    }
    if (!updated) {
        p->counts[SMMU3_HOT(descriptor_reads)]++;
    } else if (p->mode != SMMU3_PASS_DRY) {
        smmu3_count(&p->s->counters.httu_updates);
    }
    if (p->watch) {
        smmu3_pass_watch(p, &(Smmu3Step) {
            .kind = updated ? SMMU3_STEP_UPDATE : SMMU3_STEP_DESCRIPTOR,
            .stage2 = stage2, .level = level, .addr = pa,
            .words = &descriptor,
        });
    }
}

/* Stage 1's descriptors are at IPAs: the walker asks where (CLASS=TT). */
static bool locate_descriptor(void *opaque, uint64_t ipa, bool write,
                              uint64_t *pa, Smmu3Fault *fault)
{
    Smmu3Pass *p = ((Walk *)opaque)->p;
    Smmu3Leaf leaf;

    if (!smmu3_pass_stage2(p, ipa, write ? SMMU3_UNPRIV_W : SMMU3_UNPRIV_R,
                           CLASS_TT, &leaf)) {
        *fault = p->fault;
        fault->tt_write = write;
        return false;
    }
    *pa = smmu3_leaf_output(&leaf, ipa);
    return true;
}

static Smmu3Walker walker(Walk *walk)
{
    Smmu3Pass *p = walk->p;
    Smmu3 *s = p->s;

    return (Smmu3Walker) {
        .ops = s->ops,
        .host = s->host,
        .oas_bits = smmu3_oas_bits(&s->features),
        .update = p->mode == SMMU3_PASS_FULL,
        .refuse_updates = p->mode == SMMU3_PASS_FREE,
        .locate = p->config.stream.s2 ? locate_descriptor : NULL,
        .saw = saw_descriptor,
        .opaque = walk,
    };
}

/*
 * The auditor hears of an answer by the tables; @trail: from a walk, NULL: from
 * the TLB.
 */
static void tell_audit(Smmu3Pass *p, const Smmu3Tables *tables,
                       const Smmu3TlbTag *tag, uint64_t in,
                       const Smmu3Leaf *leaf, const Smmu3Trail *trail)
{
    const Smmu3Stream *stream = &p->config.stream;
    Smmu3Tables stage2;
    Smmu3Asked asked = {
        .tag = tag, .tables = tables, .addr = in,
        .sid = p->t->sid, .ssid = p->t->ssid, .ssv = p->t->ssv,
        .peek = p->t->peek,
    };

    if (!tables->stage2 && stream->s2) {
        smmu3_tables_stage2(&stage2, &stream->stage2, &p->s->features);
        asked.stage2 = &stage2;
    }
    if (trail) {
        smmu3_audit_walked(p->s->audit, &asked, leaf, trail);
    } else {
        smmu3_audit_used(p->s->audit, &asked, leaf);
    }
}

static void count_walk(Smmu3Pass *p, const Smmu3Tables *tables)
{
    p->counts[SMMU3_HOT(walks)]++;
    if (tables->stage2) {
        p->counts[SMMU3_HOT(stage2_walks)]++;
    } else if (p->config.stream.s2) {
        p->counts[SMMU3_HOT(nested_walks)]++;
    }
}

/* inject= has a walk for @in meet an external abort, if software can see that. */
static bool is_aborted(Smmu3Pass *p, uint64_t in)
{
    Smmu3Inject *inject = &p->s->inject;
    Smmu3Injecting *injecting =
        smmu3_injects(inject) && p->mode == SMMU3_PASS_FULL &&
        !p->t->speculative
        ? smmu3_inject_next_at(inject, SMMU3_INJECT_WALK, in) : NULL;

    if (injecting) {
        injecting->count.done++;
    }
    return injecting;
}

/* Somebody wants to see a walk, or to disturb it, and does so under the lock. */
static bool is_watched(const Smmu3 *s)
{
    return smmu3_injects(&s->inject) || smmu3_is_traced(s);
}

/* Both as of when the walk began. */
typedef struct Epochs {
    uint64_t tlb, tables;
} Epochs;

static Epochs epochs(const Smmu3 *s)
{
    return (Epochs) { smmu3_tlb_epoch(s->tlb),
                      smmu3_walk_cache_epoch(s->tables) };
}

static void put(Smmu3 *s, const Smmu3Fill *fill, const Epochs *then)
{
    smmu3_tlb_insert(s->tlb, &fill->tag, fill->addr, &fill->leaf, then->tlb);
    if (fill->table_log2) {
        smmu3_walk_cache_insert(s->tables, &fill->tag, fill->addr,
                                &fill->table, fill->table_log2,
                                then->tables);
    }
}

static void keep(Smmu3Pass *p, const Smmu3Fill *fill, const Epochs *then)
{
    if (p->mode == SMMU3_PASS_FULL) {
        put(p->s, fill, then);
    } else if (p->mode == SMMU3_PASS_FREE &&
               p->fill_count < SMMU3_FILLS_MAX) {
        p->fills[p->fill_count++] = *fill;
    }
}

void smmu3_pass_fill(const Smmu3Pass *p)
{
    Epochs now = epochs(p->s);

    for (unsigned i = 0; i < p->fill_count; i++) {
        put(p->s, &p->fills[i], &now);
    }
}

/*
 * Whether a walk may begin below the root: not if somebody is to see each
 * descriptor, nor where walks abort on request, which the second try would hide.
 */
static bool may_skip_tables(const Smmu3Pass *p)
{
    return p->mode != SMMU3_PASS_DRY && !p->s->audit && !p->watch &&
           !smmu3_injects(&p->s->inject);
}

/*
 * From the table that earlier walks of @fill->addr ended in, if it is known and of
 * use: then that of the leaf is new only if it is another.
 */
static bool walk_on(Smmu3Pass *p, const Smmu3Walker *w,
                    const Smmu3Tables *tables, uint8_t need, Smmu3Fill *fill)
{
    Smmu3Fault before = p->fault;
    int level;

    if (!may_skip_tables(p) ||
        !smmu3_walk_cache_lookup(p->s->tables, &fill->tag, tables, fill->addr,
                                 &fill->table)) {
        return false;
    }
    level = fill->table.level;
    if (!smmu3_walk_from(w, tables, &fill->table, fill->addr, need,
                         &fill->leaf, &p->fault)) {
        p->fault = before;
        return false;
    }
    if (fill->table.level > level) {
        fill->table_log2 = smmu3_table_log2(tables, fill->table.level);
    }
    return true;
}

static bool walk_from_root(Smmu3Pass *p, const Smmu3Walker *w,
                           const Smmu3Tables *tables, uint8_t need,
                           Smmu3Fill *fill)
{
    fill->table = smmu3_root(tables);
    if (!smmu3_walk_from(w, tables, &fill->table, fill->addr, need,
                         &fill->leaf, &p->fault)) {
        return false;
    }
    if (may_skip_tables(p) && fill->table.level > tables->start_level) {
        fill->table_log2 = smmu3_table_log2(tables, fill->table.level);
    }
    return true;
}

/* Walk, and remember the answer. */
static bool walk(Smmu3Pass *p, const Smmu3Tables *tables,
                 const Smmu3TlbTag *tag, uint64_t in, uint8_t need,
                 Smmu3Class class, Smmu3Leaf *leaf)
{
    Smmu3 *s = p->s;
    Smmu3Tables ageless = *tables;
    Walk this_walk = { .p = p, .tables = tables };
    Smmu3Walker w = walker(&this_walk);
    Smmu3Fill fill = { .tag = *tag, .addr = in };
    Epochs then = { 0 };

    if (p->mode == SMMU3_PASS_FULL) {
        then = epochs(s);
    } else if (p->mode == SMMU3_PASS_CACHED ||
               (p->mode == SMMU3_PASS_FREE && is_watched(s))) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    p->walked = true;
    ageless.affd |= p->any_age;
    w.abort = is_aborted(p, in);
    smmu3_pass_watch(p, &(Smmu3Step) {
        .kind = SMMU3_STEP_STAGE, .stage2 = tables->stage2, .addr = in,
        .class = class, .tables = tables,
    });
    count_walk(p, tables);
    if (!walk_on(p, &w, &ageless, need, &fill) &&
        !walk_from_root(p, &w, &ageless, need, &fill)) {
        return false;
    }
    *leaf = fill.leaf;
    smmu3_pass_watch(p, &(Smmu3Step) {
        .kind = SMMU3_STEP_LEAF, .stage2 = tables->stage2, .addr = in,
        .class = class, .leaf = leaf,
    });
    keep(p, &fill, &then);
    if (s->audit && p->mode == SMMU3_PASS_FULL) {
        tell_audit(p, tables, tag, in, leaf, &this_walk.trail);
    }
    return true;
}

/*
 * By this pass, the last time: without the lock the TLB does not have it yet. All
 * of one world has one tag, and one answer.
 */
static bool was_found(const Smmu3Pass *p, const Smmu3TlbTag *tag, uint64_t in,
                      Smmu3Leaf *leaf)
{
    for (unsigned i = p->fill_count; i-- > 0; ) {
        const Smmu3Fill *fill = &p->fills[i];

        if (fill->tag.world == tag->world &&
            (fill->addr ^ in) <= smmu3_mask(fill->leaf.size_log2)) {
            *leaf = fill->leaf;
            return true;
        }
    }
    return false;
}

/*
 * A cached answer that refuses is no reason to fault: the tables may have been
 * given more rights since, which needs no invalidation. So walk again.
 */
static bool is_cached(Smmu3Pass *p, const Smmu3TlbTag *tag, uint64_t in,
                      uint8_t need, Smmu3Leaf *leaf)
{
    return p->mode != SMMU3_PASS_DRY &&
           ((p->fill_count && was_found(p, tag, in, leaf)) ||
            smmu3_tlb_lookup(p->s->tlb, tag, in, leaf)) &&
           smmu3_leaf_permits(leaf, need);
}

static void count_stage2_lookup(Smmu3Pass *p, Smmu3Class class)
{
    p->counts[class == CLASS_CD ? SMMU3_HOT(stage2_lookups_cd) :
              class == CLASS_TT ? SMMU3_HOT(stage2_lookups_tt) :
                                  SMMU3_HOT(stage2_lookups_in)]++;
}

/*
 * The TLB's answer was taken. Apart, for a free pass is not to pay for it: with an
 * auditor there is none.
 */
static void G_GNUC_NO_INLINE tell_used_stage1(Smmu3Pass *p, unsigned half,
                                              const Smmu3TlbTag *tag,
                                              uint64_t va,
                                              const Smmu3Leaf *leaf)
{
    Smmu3Tables tables;

    if (p->s->audit) {
        smmu3_tables_stage1(&tables, &p->config.stage1,
                            p->config.stream.world, half);
        tell_audit(p, &tables, tag, va, leaf, NULL);
    }
}

static void G_GNUC_NO_INLINE tell_used_stage2(Smmu3Pass *p,
                                              const Smmu3TlbTag *tag,
                                              uint64_t ipa,
                                              const Smmu3Leaf *leaf)
{
    Smmu3Tables tables;

    if (p->s->audit) {
        smmu3_tables_stage2(&tables, &p->config.stream.stage2,
                            &p->s->features);
        tell_audit(p, &tables, tag, ipa, leaf, NULL);
    }
}

bool smmu3_pass_stage1(Smmu3Pass *p, uint64_t va, uint8_t need,
                       Smmu3Leaf *leaf)
{
    const Smmu3Stream *stream = &p->config.stream;
    const Smmu3Stage1 *stage1 = &p->config.stage1;
    Smmu3TlbTag tag = {
        .world = stream->world, .vmid = stream->vmid, .asid = stage1->asid,
        .aset = stage1->aset,
    };
    Smmu3Tables tables;
    unsigned half;

    p->in_tables = true;
    if (!smmu3_stage1_select(stage1, stream->world, va, p->priv, &half)) {
        return smmu3_pass_fail(p, F_TRANSLATION);
    }
    if (is_cached(p, &tag, va, need, leaf)) {
        if (!smmu3_pass_is_free(p)) {
            tell_used_stage1(p, half, &tag, va, leaf);
        }
        return true;
    }
    smmu3_tables_stage1(&tables, stage1, stream->world, half);
    return walk(p, &tables, &tag, va, need, CLASS_IN, leaf);
}

/* What the record of a stage-2 fault has besides its type (7.3.12 ff). */
static bool fail_stage2(Smmu3Pass *p, uint64_t ipa, Smmu3Class class)
{
    p->fault.stage2 = true;
    p->fault.ipa = ipa;
    p->fault.class = class;
    return false;
}

bool smmu3_pass_stage2(Smmu3Pass *p, uint64_t ipa, uint8_t need,
                       Smmu3Class class, Smmu3Leaf *leaf)
{
    const Smmu3Stream *stream = &p->config.stream;
    /* S2PTW: neither tables nor CDs may be in Device memory (5.2). */
    bool protect = stream->stage2.protect_walks && class != CLASS_IN;
    Smmu3TlbTag tag = { .world = SMMU3_WORLD_STAGE2, .vmid = stream->vmid };
    Smmu3Tables tables;

    p->in_tables = true;
    count_stage2_lookup(p, class);
    if (is_cached(p, &tag, ipa, need, leaf) && !(protect && leaf->device)) {
        if (!smmu3_pass_is_free(p)) {
            tell_used_stage2(p, &tag, ipa, leaf);
        }
        return true;
    }
    smmu3_tables_stage2(&tables, &stream->stage2, &p->s->features);
    if (!walk(p, &tables, &tag, ipa, need, class, leaf)) {
        return fail_stage2(p, ipa, class);
    }
    if (protect && leaf->device) {
        p->fault = (Smmu3Fault) { .type = F_PERMISSION };
        return fail_stage2(p, ipa, class);
    }
    return true;
}
