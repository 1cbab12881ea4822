/*
 * See ats.h. Requests first, then translated transactions, then the auditor's
 * questions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ats.h"
#include "config-fetch.h"
#include "stages.h"

/* Once for each pass: all of it goes by the same value. */
static void read_atschk(Smmu3Pass *p)
{
    p->atschk = atomic_load_explicit(&p->s->atschk, memory_order_relaxed);
}

/* Split-stage ATS needs its Translated traffic checked (5.2, EATS). */
static unsigned effective_eats(const Smmu3Pass *p)
{
    unsigned eats = p->config.stream.eats;

    return eats == STE_EATS_SPLIT && !p->atschk ? STE_EATS_NONE : eats;
}

static bool refuse(Smmu3Pass *p, Smmu3Outcome refusal, Smmu3EventType type)
{
    p->refusal = refusal;
    return smmu3_pass_fail(p, type);
}

/* ---- Translation requests ---------------------------------------------- */

/* log2 of the STU: the smallest granule. */
static unsigned stu_log2(const Smmu3Features *f)
{
    return f->gran4k ? 12 : f->gran16k ? 14 : 16;
}

/*
 * What the tables grant the request. A request without a PASID has neither
 * Execute nor Privileged Mode; INSTCFG decides which right a read needs.
 */
static uint8_t granted(const Smmu3Pass *p, uint8_t rights)
{
    Smmu3Override inst = p->config.stream.inst;
    bool exec_wanted = p->t->ssv && p->t->ind, r, w, x;
    uint8_t access = 0;

    if (p->priv) {
        rights /= SMMU3_PRIV_R / SMMU3_UNPRIV_R;
    }
    r = rights & SMMU3_UNPRIV_R;
    w = rights & SMMU3_UNPRIV_W;
    x = rights & SMMU3_UNPRIV_X;
    if (inst == SMMU3_OVERRIDE_SET) {
        r = x;
    } else if (inst == SMMU3_OVERRIDE_CLEAR) {
        x = r;
    }
    access |= r ? SMMU3_READ : 0;
    access |= w ? SMMU3_WRITE : 0;
    access |= r && x && exec_wanted ? SMMU3_EXEC : 0;
    return access;
}

/* Both stages' answers to a request. */
typedef struct AtsAnswer {
    uint64_t ipa, pa;
    unsigned size_log2;
    uint8_t rights;
    bool clean;             /* a write has to set some dirty state first */
} AtsAnswer;

/*
 * Both stages, with @need for smmu3_walk(): nothing, so that the tables say
 * what they grant, or a write, to set the dirty state. Stage 2 is not asked
 * when stage 1 grants nothing.
 */
static bool ask_stages(Smmu3Pass *p, uint8_t need, AtsAnswer *answer)
{
    uint64_t addr = p->t->addr;
    Smmu3Leaf leaf;

    *answer = (AtsAnswer) {
        .ipa = addr, .pa = addr, .rights = UINT8_MAX,
        .size_log2 = smmu3_oas_bits(&p->s->features),
    };
    if (p->stage1) {
        if (!smmu3_pass_stage1(p, addr, need, &leaf)) {
            return false;
        }
        addr = smmu3_leaf_output(&leaf, addr);
        *answer = (AtsAnswer) {
            .ipa = addr, .pa = addr, .size_log2 = leaf.size_log2,
            .rights = leaf.rights, .clean = leaf.clean,
        };
        if (!granted(p, answer->rights)) {
            return true;
        }
    } else if (addr >> smmu3_ias_bits(&p->s->features)) {
        return smmu3_pass_fail(p, F_ADDR_SIZE);
    }
    if (p->config.stream.s2) {
        if (!smmu3_pass_stage2(p, addr, need, CLASS_IN, &leaf)) {
            return false;
        }
        answer->pa = smmu3_leaf_output(&leaf, addr);
        answer->size_log2 = MIN(answer->size_log2, leaf.size_log2);
        answer->rights &= leaf.rights;
        answer->clean |= leaf.clean;
    }
    return true;
}

/* "Success", with neither R nor W; never a record (13.7). */
static bool grant_nothing(Smmu3Pass *p, Smmu3Translation *result)
{
    if (p->fault.type != EVENT_NONE && p->mode != SMMU3_PASS_DRY) {
        smmu3_count(&p->s->counters.faults[p->fault.type]);
    }
    *result = (Smmu3Translation) {
        .size_log2 = stu_log2(&p->s->features), .fault = p->fault.type,
    };
    return true;
}

/*
 * Write permission on a clean page is given only along with the dirty state,
 * because the endpoint will not come back for it; and not unless it was asked
 * for (3.13). Returns false if the pass cannot tell, for it needs the lock.
 */
static bool settle_write(Smmu3Pass *p, AtsAnswer *answer, uint8_t *access)
{
    uint8_t need = p->priv ? SMMU3_PRIV_W : SMMU3_UNPRIV_W;
    AtsAnswer dirty;

    if (!(*access & SMMU3_WRITE) || !answer->clean) {
        return true;
    }
    if (!(p->t->access & SMMU3_WRITE)) {
        *access &= ~SMMU3_WRITE;
        return true;
    }
    if (!ask_stages(p, need, &dirty)) {
        *access &= ~SMMU3_WRITE;
        return p->fault.type != EVENT_NONE;
    }
    *answer = dirty;
    *access = granted(p, dirty.rights);
    return true;
}

static bool answer_request(Smmu3Pass *p, Smmu3Translation *result)
{
    AtsAnswer answer;
    uint8_t access;

    if (!ask_stages(p, 0, &answer)) {
        return false;
    }
    access = granted(p, answer.rights);
    if (!access) {
        return grant_nothing(p, result);
    }
    if (!settle_write(p, &answer, &access)) {
        return false;
    }
    *result = (Smmu3Translation) {
        .pa = effective_eats(p) == STE_EATS_SPLIT ? answer.ipa : answer.pa,
        .size_log2 = answer.size_log2,
        .access = access,
        .ats_priv = p->t->ssv && p->t->priv,
    };
    return true;
}

static bool pass_request(Smmu3Pass *p, Smmu3Translation *result)
{
    const Smmu3Stream *stream = &p->config.stream;

    if (!smmu3_pass_enabled(p)) {
        return refuse(p, SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    }
    read_atschk(p);
    p->refusal = SMMU3_ATS_CA;
    if (!smmu3_pass_find_stream(p)) {
        return false;
    }
    if (stream->config == STE_CONFIG_ABORT) {
        return refuse(p, SMMU3_ATS_UR, EVENT_NONE);
    }
    if (effective_eats(p) == STE_EATS_NONE) {
        return refuse(p, SMMU3_ATS_UR, F_BAD_ATS_TREQ);
    }
    /* Without a PASID there is neither Privileged Mode nor Execute. */
    smmu3_pass_apply_overrides(p, p->t->ssv && p->t->priv,
                               p->t->ssv && p->t->ind);
    if (!smmu3_pass_find_substream(p)) {
        return false;
    }
    if ((!p->stage1 || smmu3_pass_find_context(p)) &&
        answer_request(p, result)) {
        return true;
    }
    return smmu3_is_translation_related(p->fault.type) &&
           grant_nothing(p, result);
}

bool smmu3_pass_ats_request(Smmu3Pass *p, Smmu3Translation *result)
{
    if (!pass_request(p, result)) {
        return false;
    }
    if (p->s->audit && p->mode == SMMU3_PASS_FULL && result->access) {
        smmu3_audit_granted(p->s->audit, p->t, result);
    }
    return true;
}

/* ---- Translated transactions ------------------------------------------- */

/* The address is a PA already; one that does not exist fails silently. */
static bool pass_physical(Smmu3Pass *p, Smmu3Translation *result)
{
    unsigned oas_bits = smmu3_oas_bits(&p->s->features);

    if (p->t->addr >> oas_bits) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    *result = (Smmu3Translation) {
        .pa = p->t->addr, .size_log2 = oas_bits,
        .access = SMMU3_READ | SMMU3_WRITE,
    };
    return true;
}

/*
 * Split stages: the address is an IPA. What arrives is unprivileged data for
 * no PASID; PRIVCFG and INSTCFG may make it something else for stage 2 (13.7).
 */
static bool pass_intermediate(Smmu3Pass *p, Smmu3Translation *result)
{
    uint64_t ipa = p->t->addr;
    Smmu3Leaf leaf;

    smmu3_pass_apply_overrides(p, false, false);
    if (ipa >> smmu3_ias_bits(&p->s->features)) {
        p->terminal = true;
        return smmu3_pass_fail(p, F_ADDR_SIZE);
    }
    if (!smmu3_pass_stage2(p, ipa,
                           smmu3_rights_needed(p->t->access, p->priv, p->ind),
                           CLASS_IN, &leaf)) {
        return false;
    }
    *result = (Smmu3Translation) {
        .pa = smmu3_leaf_output(&leaf, ipa),
        .size_log2 = leaf.size_log2,
        .access = smmu3_pass_access(p, leaf.rights, leaf.clean) &
                  (SMMU3_READ | SMMU3_WRITE),
    };
    return true;
}

bool smmu3_pass_ats_translated(Smmu3Pass *p, Smmu3Translation *result)
{
    if (!smmu3_pass_enabled(p)) {
        return smmu3_pass_fail(p, F_TRANSL_FORBIDDEN);
    }
    if (p->s->audit && p->mode == SMMU3_PASS_FULL) {
        smmu3_audit_grant_used(p->s->audit, p->t->sid, p->t->addr);
    }
    read_atschk(p);
    if (!p->atschk) {
        return pass_physical(p, result);
    }
    if (!smmu3_pass_find_stream(p)) {
        return false;
    }
    if (p->config.stream.config == STE_CONFIG_ABORT) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    switch (effective_eats(p)) {
    case STE_EATS_FULL:
        return pass_physical(p, result);
    case STE_EATS_SPLIT:
        return pass_intermediate(p, result);
    default:
        return smmu3_pass_fail(p, F_TRANSL_FORBIDDEN);
    }
}

/* ---- The auditor's questions -------------------------------------------- */

/* The descriptors of the first stage that there is, of the walk made last. */
static void note_descriptor(Smmu3Pass *p, const Smmu3Step *step)
{
    Smmu3Trail *trail = p->watch_data;

    if (step->stage2 == p->stage1) {
        return;
    }
    if (step->kind == SMMU3_STEP_STAGE) {
        trail->count = 0;
    } else if (step->kind == SMMU3_STEP_DESCRIPTOR &&
               trail->count < SMMU3_TRAIL_MAX) {
        trail->read[trail->count++] = (Smmu3Read) {
            step->addr, step->words[0], step->level };
    }
}

/* What @request would be granted now. False: there is no ATS. */
static bool look(Smmu3 *s, const Smmu3Transaction *request,
                 Smmu3Translation *result, Smmu3Trail *trail)
{
    Smmu3Pass p;

    *result = (Smmu3Translation) { 0 };

    smmu3_pass_init(&p, s, request, SMMU3_PASS_DRY);
    p.any_age = true;
    p.watch = note_descriptor;
    p.watch_data = trail;
    if (!smmu3_pass_ats_request(&p, result)) {
        result->access = 0;
        return p.refusal != SMMU3_ATS_UR;
    }
    return true;
}

/*
 * Asked as a read first, which sets no dirty state: what it is not granted then,
 * and is as a write, is a page that is clean.
 */
bool smmu3_ats_look(void *opaque, const Smmu3Transaction *request,
                    Smmu3Found *found)
{
    Smmu3 *s = opaque;
    Smmu3Transaction read = *request, write = *request;
    Smmu3Translation by_read, by_write;

    read.access = SMMU3_READ;
    write.access = SMMU3_READ | SMMU3_WRITE;
    found->trail.count = 0;
    if (!look(s, &read, &by_read, &found->trail)) {
        return false;
    }
    found->any = by_read.access;
    found->leaf = (Smmu3Leaf) {
        .base = by_read.pa & ~smmu3_mask(by_read.size_log2),
        .size_log2 = by_read.size_log2, .rights = by_read.access,
    };
    if (found->any && !(by_read.access & SMMU3_WRITE) &&
        (request->access & SMMU3_WRITE) &&
        look(s, &write, &by_write, &found->trail)) {
        found->leaf.rights |= by_write.access;
        found->leaf.clean = by_write.access & SMMU3_WRITE;
    }
    return true;
}
