/*
 * See view.h. The steps are the pass's own, as for explain.c; here is only how
 * far each answer goes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "view.h"
#include <string.h>
#include "config-fetch.h"
#include "stages.h"

enum { NO_LEVEL = -2 };         /* no descriptor was read */

/* What a view keeps to itself. */
typedef struct View {
    Smmu3View known;
    Smmu3Transaction t;         /* what pass is about */
    Smmu3Pass pass;
    /* Of the descriptors that the last look-up read last, by stage */
    int level[2];
    uint64_t descriptor[2];
} View;

/* ---- The configuration ------------------------------------------------- */

static void watch(Smmu3Pass *p, const Smmu3Step *step)
{
    View *v = p->watch_data;
    Smmu3View *known = &v->known;

    switch (step->kind) {
    case SMMU3_STEP_STE:
        known->has_ste = true;
        known->ste_at = step->addr;
        memcpy(known->ste, step->words, sizeof(known->ste));
        break;
    case SMMU3_STEP_CD:
        known->has_cd = true;
        known->cd_at = step->addr;
        memcpy(known->cd, step->words, sizeof(known->cd));
        break;
    case SMMU3_STEP_STAGE:
        v->level[step->stage2] = NO_LEVEL;
        break;
    case SMMU3_STEP_DESCRIPTOR:
        v->level[step->stage2] = step->level;
        v->descriptor[step->stage2] = step->words[0];
        break;
    default:
        break;
    }
}

/* False: no address passes, for pass.fault. */
static bool find_configuration(View *v)
{
    Smmu3Pass *p = &v->pass;
    uint64_t gbpa = atomic_load_explicit(&p->s->gbpa, memory_order_relaxed);

    if (!smmu3_pass_enabled(p)) {
        return !smmu3_get(&gbpa, GBPA_ABORT) || smmu3_pass_fail(p, EVENT_NONE);
    }
    if (!smmu3_pass_find_stream(p)) {
        return false;
    }
    if (p->config.stream.config == STE_CONFIG_ABORT) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    if (!smmu3_pass_find_substream(p)) {
        return false;
    }
    v->known.stage1 = p->stage1;
    v->known.stage2 = p->config.stream.s2;
    return !p->stage1 || smmu3_pass_find_context(p);
}

static bool is_identity(const View *v)
{
    return !v->known.stage1 && !v->known.stage2;
}

static void add_span(View *v, uint64_t first, uint64_t last)
{
    v->known.spans[v->known.span_count++] = (Smmu3Span) { first, last };
}

static void find_spans(View *v)
{
    const Smmu3Config *config = &v->pass.config;
    const Smmu3TableBase *half = config->stage1.half;

    if (is_identity(v)) {
        add_span(v, 0, smmu3_mask(smmu3_oas_bits(&v->pass.s->features)));
    } else if (!v->known.stage1) {
        add_span(v, 0, smmu3_mask(64 - config->stream.stage2.t0sz));
    } else {
        if (!half[0].epd) {
            add_span(v, 0, smmu3_mask(64 - half[0].tsz));
        }
        if (!half[1].epd && config->stream.world != SMMU3_WORLD_NS_EL2) {
            add_span(v, ~smmu3_mask(64 - half[1].tsz), UINT64_MAX);
        }
    }
}

Smmu3View *smmu3_view_new_locked(Smmu3 *s, uint32_t sid, bool ssv,
                                 uint32_t ssid)
{
    View *v = g_new0(View, 1);

    v->t = (Smmu3Transaction) { .sid = sid, .ssv = ssv, .ssid = ssid };
    smmu3_pass_init(&v->pass, s, &v->t, SMMU3_PASS_DRY);
    v->pass.watch = watch;
    v->pass.watch_data = v;
    /* E0PD hides addresses from some only: what is there is looked at */
    v->pass.priv = true;
    if (find_configuration(v)) {
        find_spans(v);
    } else {
        v->known.refused = true;
        v->known.why = v->pass.fault.type;
    }
    return &v->known;
}

void smmu3_view_free(Smmu3View *view)
{
    g_free(view);               /* a View begins with it */
}

Smmu3 *smmu3_view_smmu(const Smmu3View *view)
{
    return ((const View *)view)->pass.s;
}

/* ---- How far an answer goes -------------------------------------------- */

/* The addresses around @in that are in no span. */
static Smmu3Span gap_around(const View *v, uint64_t in)
{
    Smmu3Span gap = { 0, UINT64_MAX };

    for (unsigned i = 0; i < v->known.span_count; i++) {
        if (v->known.spans[i].last < in) {
            gap.first = v->known.spans[i].last + 1;
        } else if (v->known.spans[i].first > in) {
            gap.last = MIN(gap.last, v->known.spans[i].first - 1);
        }
    }
    return gap;
}

static bool is_in_span(const View *v, uint64_t in)
{
    for (unsigned i = 0; i < v->known.span_count; i++) {
        if (v->known.spans[i].first <= in && in <= v->known.spans[i].last) {
            return true;
        }
    }
    return false;
}

/* What an entry of the level stands for that was read last; @t: of its stage. */
static unsigned entry_log2(const View *v, const Smmu3Tables *t)
{
    int level = v->level[t->stage2];

    return level == NO_LEVEL ? t->in_bits
                                   : smmu3_level_log2(t->page_log2, level);
}

/* The same of the level after it, whose descriptor could not be read. */
static unsigned next_entry_log2(const View *v, const Smmu3Tables *t)
{
    int level = v->level[t->stage2];

    return smmu3_level_log2(t->page_log2, level == NO_LEVEL ?
                                          t->start_level : level + 1);
}

/*
 * How much the fault of a walk of @t is about, beginning with this address: what
 * the entry stands for that was read last. Of one that is partly beyond the
 * output size each part has a fault of its own.
 */
static unsigned fault_log2(const View *v, const Smmu3Tables *t)
{
    switch (v->pass.fault.type) {
    case F_WALK_EABT:
        return next_entry_log2(v, t);
    case F_ADDR_SIZE:
        return MIN(entry_log2(v, t), t->oa_bits);
    default:
        return entry_log2(v, t);
    }
}

static void refuse(View *v, uint64_t in, unsigned size_log2,
                   Smmu3Piece *piece)
{
    *piece = (Smmu3Piece) {
        .in = smmu3_span_around(in, size_log2),
        .fault = v->pass.fault.type, .fault_stage2 = v->pass.fault.stage2,
    };
}

/* ---- One address ------------------------------------------------------- */

/* Stage 1 at @in; false: @piece says why, and how far. */
static bool look_up_stage1(View *v, uint64_t in, Smmu3Piece *piece)
{
    const Smmu3Stage1 *stage1 = &v->pass.config.stage1;
    Smmu3World world = v->pass.config.stream.world;
    unsigned half = world == SMMU3_WORLD_NS_EL2 ? 0 : in >> 63;
    Smmu3Tables tables;
    Smmu3Leaf leaf;
    uint64_t descriptor;

    smmu3_tables_stage1(&tables, stage1, world, half);
    v->level[0] = NO_LEVEL;
    if (!smmu3_pass_stage1(&v->pass, in, 0, &leaf)) {
        /* By stage 2, if it has a table where stage 1's should be */
        refuse(v, in, v->pass.fault.stage2 ? next_entry_log2(v, &tables)
                                           : fault_log2(v, &tables), piece);
        return false;
    }
    descriptor = v->descriptor[0];
    if (stage1->half[half].e0pd) {
        leaf.rights &= ~(SMMU3_UNPRIV_R | SMMU3_UNPRIV_W | SMMU3_UNPRIV_X);
    }
    *piece = (Smmu3Piece) {
        .mapped = true, .known = UINT8_MAX,
        .entry_log2 = MIN(leaf.size_log2, entry_log2(v, &tables)),
        .output = smmu3_leaf_output(&leaf, in),
        .contiguous = smmu3_get(&descriptor, TTD_CONTIG),
        .rights = leaf.rights, .clean = leaf.clean, .global = leaf.global,
        .has_mair = true,
        .mair = stage1->mair >> 8 * smmu3_get(&descriptor, TTD_ATTRINDX),
    };
    return true;
}

/* Stage 2 at piece->output, which stage 1 gave for @in, or which is @in. */
static bool look_up_stage2(View *v, uint64_t in, Smmu3Piece *piece)
{
    uint64_t ipa = piece->output, descriptor;
    Smmu3Tables tables;
    Smmu3Leaf leaf;
    unsigned size_log2;

    smmu3_tables_stage2(&tables, &v->pass.config.stream.stage2,
                        &v->pass.s->features);
    v->level[1] = NO_LEVEL;
    if (!smmu3_pass_stage2(&v->pass, ipa, 0, CLASS_IN, &leaf)) {
        size_log2 = fault_log2(v, &tables);
        refuse(v, in, MIN(size_log2, piece->entry_log2), piece);
        return false;
    }
    descriptor = v->descriptor[1];
    size_log2 = MIN(leaf.size_log2, entry_log2(v, &tables));
    piece->entry_log2 = MIN(piece->entry_log2, size_log2);
    piece->output = smmu3_leaf_output(&leaf, ipa);
    piece->rights &= leaf.rights;
    piece->clean |= leaf.clean;
    piece->has_memattr = true;
    piece->memattr = smmu3_get(&descriptor, TTD_S2MEMATTR);
    piece->fwb = tables.fwb;
    if (v->known.stage1) {
        piece->nested = true;
        piece->ipa = ipa;
    } else {
        piece->contiguous = smmu3_get(&descriptor, TTD_CONTIG);
    }
    return true;
}

/*
 * @rights as who accesses has them, data or instructions, unprivileged or
 * privileged: PRIVCFG and INSTCFG make another access of it (5.2), but no write
 * a fetch.
 */
static uint8_t rights_with_overrides(const Smmu3Stream *stream, uint8_t rights)
{
    unsigned to_priv = SMMU3_PRIV_R / SMMU3_UNPRIV_R;
    uint8_t result = 0;

    for (unsigned priv = 0; priv < 2; priv++) {
        uint8_t of = smmu3_overridden(stream->priv, priv) ? rights / to_priv
                                                          : rights;
        uint8_t may = of & SMMU3_UNPRIV_W;

        if (of & (smmu3_overridden(stream->inst, false) ? SMMU3_UNPRIV_X
                                                        : SMMU3_UNPRIV_R)) {
            may |= SMMU3_UNPRIV_R;
        }
        if (of & (smmu3_overridden(stream->inst, true) ? SMMU3_UNPRIV_X
                                                       : SMMU3_UNPRIV_R)) {
            may |= SMMU3_UNPRIV_X;
        }
        result |= priv ? may * to_priv : may;
    }
    return result;
}

static void look_up_stages(View *v, uint64_t in, Smmu3Piece *piece)
{
    if (v->known.stage1) {
        if (!look_up_stage1(v, in, piece)) {
            return;
        }
    } else {
        *piece = (Smmu3Piece) {
            .mapped = true, .known = UINT8_MAX, .rights = UINT8_MAX,
            .entry_log2 = 64, .output = in, .global = true,
        };
    }
    if (v->known.stage2 && !look_up_stage2(v, in, piece)) {
        return;
    }
    piece->rights = rights_with_overrides(&v->pass.config.stream,
                                          piece->rights);
    /* From the address that was asked to the first of the entry */
    piece->in = smmu3_span_around(in, piece->entry_log2);
    piece->output -= in - piece->in.first;
    piece->ipa -= piece->nested ? in - piece->in.first : 0;
}

void smmu3_view_look_up_locked(Smmu3View *view, uint64_t in,
                               Smmu3Piece *piece)
{
    View *v = (View *)view;
    unsigned oas_bits = smmu3_oas_bits(&v->pass.s->features);

    if (view->refused) {
        smmu3_pass_fail(&v->pass, view->why);
        refuse(v, in, 64, piece);
    } else if (!is_in_span(v, in)) {
        smmu3_pass_fail(&v->pass, is_identity(v) ? F_ADDR_SIZE
                                                 : F_TRANSLATION);
        refuse(v, in, 0, piece);
        piece->in = gap_around(v, in);
    } else if (is_identity(v)) {
        *piece = (Smmu3Piece) {
            .in = view->spans[0], .mapped = true, .entry_log2 = oas_bits,
            .rights = UINT8_MAX, .known = UINT8_MAX, .global = true,
            .has_mair = true, .mair = 0xff,
        };
    } else {
        look_up_stages(v, in, piece);
    }
}
