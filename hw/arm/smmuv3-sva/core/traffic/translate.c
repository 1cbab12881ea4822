/*
 * One transaction, from its StreamID to a physical address or a fault, in the
 * order of IHI 0070 3.3 and 7.3.22. Not the tables (walk.c), the structures
 * (config.c), nor ATS (ats.c). Called by everyone who submits traffic.
 *
 * A transaction passes twice at most: first without the lock, by the caches and the
 * tables; then, if that does not end well, under the lock and with all that
 * structures and faults need. Both times it takes the same steps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "translate.h"
#include "../queues/event.h"
#include "../queues/stall.h"
#include "ats.h"
#include "config-fetch.h"
#include "stages.h"

/* ---- Steps ------------------------------------------------------------- */

/* SMMUEN=0 (IHI 0070 3.11): no table is looked at, nothing recorded. */
static bool pass_globally_bypassed(Smmu3Pass *p, Smmu3Translation *result)
{
    uint64_t gbpa = atomic_load_explicit(&p->s->gbpa, memory_order_relaxed);
    unsigned oas_bits = smmu3_oas_bits(&p->s->features);

    if (smmu3_get(&gbpa, GBPA_ABORT) || p->t->addr >> oas_bits) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    *result = (Smmu3Translation) {
        .pa = p->t->addr, .size_log2 = oas_bits,
        .access = SMMU3_READ | SMMU3_WRITE | SMMU3_EXEC,
    };
    return true;
}

/* No stage is left: the output is the input, if it is one (3.4). */
static bool pass_identity(Smmu3Pass *p, Smmu3Translation *result)
{
    unsigned oas_bits = smmu3_oas_bits(&p->s->features);

    if (p->t->addr >> oas_bits) {
        p->terminal = true;
        return smmu3_pass_fail(p, F_ADDR_SIZE);
    }
    *result = (Smmu3Translation) {
        .pa = p->t->addr, .size_log2 = oas_bits,
        .access = SMMU3_READ | SMMU3_WRITE | SMMU3_EXEC,
    };
    return true;
}

/* Stage 1, stage 2, or both; permissions and sizes are the lesser of both. */
static bool pass_stages(Smmu3Pass *p, Smmu3Translation *result)
{
    uint8_t need = smmu3_rights_needed(p->t->access, p->priv, p->ind);
    bool stage2 = p->config.stream.s2;
    uint64_t addr = p->t->addr;
    unsigned size_log2 = 64;
    uint8_t rights = UINT8_MAX;
    bool clean = false;
    Smmu3Leaf leaf;

    if (p->stage1) {
        if (!smmu3_pass_stage1(p, addr, need, &leaf)) {
            return false;
        }
        addr = smmu3_leaf_output(&leaf, addr);
        size_log2 = leaf.size_log2;
        rights = leaf.rights;
        clean = leaf.clean;
    } else if (addr >> smmu3_ias_bits(&p->s->features)) {
        p->terminal = true;
        return smmu3_pass_fail(p, F_ADDR_SIZE);
    }
    if (stage2) {
        if (!smmu3_pass_stage2(p, addr, need, CLASS_IN, &leaf)) {
            return false;
        }
        addr = smmu3_leaf_output(&leaf, addr);
        size_log2 = MIN(size_log2, leaf.size_log2);
        rights &= leaf.rights;
        clean |= leaf.clean;
    }
    *result = (Smmu3Translation) {
        .pa = addr, .size_log2 = size_log2,
        .access = smmu3_pass_access(p, rights, clean),
    };
    return true;
}

static bool pass_untranslated(Smmu3Pass *p, Smmu3Translation *result)
{
    if (!smmu3_pass_enabled(p)) {
        return pass_globally_bypassed(p, result);
    }
    if (p->t->speculative && (p->t->access & SMMU3_WRITE)) {
        /* 3.14: software can see a write, so none is speculative */
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    if (!smmu3_pass_find_stream(p)) {
        return false;
    }
    if (p->config.stream.config == STE_CONFIG_ABORT) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    smmu3_pass_apply_overrides(p, p->t->priv, p->t->ind);
    if (!smmu3_pass_find_substream(p)) {
        return false;
    }
    if (!p->stage1 && !p->config.stream.s2) {
        return pass_identity(p, result);
    }
    if (p->stage1 && !smmu3_pass_find_context(p)) {
        return false;
    }
    return pass_stages(p, result);
}

/* ---- What becomes of a fault ------------------------------------------- */

static void build_event(Smmu3Pass *p, uint64_t event[SMMU3_EVENT_WORDS])
{
    Smmu3Transaction t = *p->t;

    t.ssv = t.ssv && t.type != SMMU3_ATS_TRANSLATED;
    p->fault.priv = p->priv;
    p->fault.ind = p->ind;
    p->fault.write = p->t->access & SMMU3_WRITE;
    smmu3_event_build(&t, &p->fault, event);
}

static void record(Smmu3Pass *p)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    if (!p->t->continued) {
        build_event(p, event);
        smmu3_event_record(p->s, event);
    }
}

/* The stage at fault decides (5.5, 3.12). */
static Smmu3Outcome terminate_or_stall(Smmu3Pass *p, Smmu3Translation *result)
{
    const Smmu3Stage1 *s1 = &p->config.stage1;
    const Smmu3Stage2 *s2 = &p->config.stream.stage2;
    bool stall = p->fault.stage2 ? s2->stall : s1->stall;
    bool wants_record = p->fault.stage2 ? s2->record : s1->record;
    bool abort = p->fault.stage2 || s1->abort;
    uint64_t event[SMMU3_EVENT_WORDS];

    if (stall && p->t->may_stall) {
        build_event(p, event);
        if (smmu3_stall(p->s, p->t, event, &result->stag)) {
            return SMMU3_STALLED;
        }
    }
    if (stall) {
        /* It cannot wait: terminated, and recorded whatever R says (5.5) */
        record(p);
        return SMMU3_ABORT;
    }
    if (wants_record) {
        record(p);
    }
    return abort ? SMMU3_ABORT : SMMU3_RAZWI;
}

static Smmu3Outcome conclude_fault(Smmu3Pass *p, Smmu3Translation *result)
{
    Smmu3EventType type = p->fault.type;

    *result = (Smmu3Translation) { .fault = type };
    if (type != EVENT_NONE && !p->t->continued) {
        smmu3_count(&p->s->counters.faults[type]);
    }
    if (p->t->speculative) {
        return p->refusal;
    }
    if (smmu3_pass_is_controlled(p)) {
        return terminate_or_stall(p, result);
    }
    if (smmu3_pass_is_recorded(p)) {
        record(p);
    }
    return p->refusal;
}

/* ---- The way in -------------------------------------------------------- */

static void trace_step(Smmu3Pass *p, const Smmu3Step *step)
{
    Smmu3 *s = p->s;
    const Smmu3Transaction *t = p->t;

    switch (step->kind) {
    case SMMU3_STEP_STE:
        smmu3_trace(s, SMMU3_TRACE_STE, t->sid, step->addr, step->words[0],
                    step->words[1]);
        break;
    case SMMU3_STEP_CD:
        smmu3_trace(s, SMMU3_TRACE_CD, t->sid, p->cd_index, step->addr,
                    step->words[0]);
        break;
    case SMMU3_STEP_DESCRIPTOR:
    case SMMU3_STEP_UPDATE:
        smmu3_trace(s, SMMU3_TRACE_WALK, step->stage2 ? 2 : 1, step->level,
                    step->addr, step->words[0]);
        break;
    default:
        break;
    }
}

bool smmu3_pass_any(Smmu3Pass *p, Smmu3Translation *result)
{
    switch (p->t->type) {
    case SMMU3_ATS_REQUEST:
        return smmu3_pass_ats_request(p, result);
    case SMMU3_ATS_TRANSLATED:
        return smmu3_pass_ats_translated(p, result);
    default:
        return pass_untranslated(p, result);
    }
}

Smmu3Outcome smmu3_translate_locked(Smmu3 *s, const Smmu3Transaction *t,
                                    Smmu3Translation *result)
{
    Smmu3Outcome outcome = SMMU3_OK;
    Smmu3Pass p;

    smmu3_pass_init(&p, s, t, SMMU3_PASS_FULL);
    p.watch = smmu3_is_traced(s) ? trace_step : NULL;
    if (!smmu3_pass_any(&p, result)) {
        outcome = conclude_fault(&p, result);
    }
    if (p.in_tables) {
        p.counts[p.walked ? SMMU3_HOT(tlb_misses) : SMMU3_HOT(tlb_hits)]++;
    }
    smmu3_pass_count(&p);
    smmu3_trace(s, SMMU3_TRACE_TRANSLATE, t->sid | (uint64_t)t->ssid << 32,
                t->addr, result->pa, outcome);
    return outcome;
}

