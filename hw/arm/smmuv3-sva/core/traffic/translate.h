/*
 * One transaction on its way through the SMMU, and the steps that it takes.
 * Private to the core: others call smmu3_translate(). Called by translate.c,
 * ats.c, explain.c, and for single steps by page_request.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_TRANSLATE_H
#define SMMU3_TRANSLATE_H

#include "../tables/config.h"
#include "../signal/state.h"
#include "../tables/walk.h"

/* What a pass may touch. */
typedef enum {
    SMMU3_PASS_CACHED,      /* caches only, no lock: fails where they do */
    SMMU3_PASS_FULL,        /* memory too; fills the caches; HTTU */
    SMMU3_PASS_DRY,         /* memory only; changes nothing */
} Smmu3PassMode;

/* Something that a pass read or decided, for traces and explanations. */
typedef enum {
    SMMU3_STEP_L1STD,       /* words[0] */
    SMMU3_STEP_STE,         /* all words */
    SMMU3_STEP_L1CD,        /* words[0] */
    SMMU3_STEP_CD,          /* all words */
    SMMU3_STEP_DESCRIPTOR,  /* stage2, level, words[0] */
    SMMU3_STEP_UPDATE,      /* HTTU: stage2, level, words[0] as written */
    SMMU3_STEP_STAGE,       /* a stage begins: stage2, addr is its input */
    SMMU3_STEP_LEAF,        /* a stage's answer: stage2, leaf */
} Smmu3StepKind;

typedef struct Smmu3Step {
    Smmu3StepKind kind;
    bool stage2;
    int level;
    uint64_t addr;          /* of the words, a PA */
    const uint64_t *words;
    Smmu3Class class;       /* of a stage 2: what for */
    const Smmu3Leaf *leaf;
} Smmu3Step;

typedef struct Smmu3Pass Smmu3Pass;

struct Smmu3Pass {
    Smmu3 *s;
    const Smmu3Transaction *t;
    Smmu3PassMode mode;
    /* May be NULL. */
    void (*watch)(Smmu3Pass *p, const Smmu3Step *step);
    void *watch_data;

    /* What is known so far. */
    Smmu3Config config;
    bool stage1;            /* goes through stage 1, with CD cd_index */
    uint32_t cd_index;
    bool priv, ind;         /* PnU and InD after STE overrides */
    bool atschk;            /* ATS: CR0.ATSCHK, as the pass began */
    bool in_tables;         /* some stage translated it */
    bool walked;            /* and not all answers came from the TLB */

    /* If it failed; EVENT_NONE: silently, or for want of a cached answer. */
    Smmu3Fault fault;
    bool terminal;          /* a TRF that neither CD nor STE controls */
    Smmu3Outcome refusal;   /* the answer, if it is not controlled */
};

void smmu3_pass_init(Smmu3Pass *p, Smmu3 *s, const Smmu3Transaction *t,
                     Smmu3PassMode mode);

/*
 * The steps; each returns false with p->fault set. FULL and DRY ones are
 * taken under the core's lock.
 */

/* Stream table lookup (IHI 0070 3.3.1): p->config.stream. */
bool smmu3_pass_find_stream(Smmu3Pass *p);
/* The checks of SubstreamID and S1DSS (3.3.2, 5.2): p->stage1, cd_index. */
bool smmu3_pass_find_substream(Smmu3Pass *p);
/* PRIVCFG and INSTCFG over the incoming PnU and InD: p->priv, p->ind. */
void smmu3_pass_apply_overrides(Smmu3Pass *p, bool priv, bool ind);
/*
 * What the requester may do by a block's @rights, so that it need not ask for
 * each access; not a write if the block is @clean.
 */
uint8_t smmu3_pass_access(const Smmu3Pass *p, uint8_t rights, bool clean);
/* CD lookup (5.3): p->config.stage1. */
bool smmu3_pass_find_context(Smmu3Pass *p);
/* One stage, by the TLB or by a walk; @need as for smmu3_walk(). */
bool smmu3_pass_stage1(Smmu3Pass *p, uint64_t va, uint8_t need,
                       Smmu3Leaf *leaf);
bool smmu3_pass_stage2(Smmu3Pass *p, uint64_t ipa, uint8_t need,
                       Smmu3Class class, Smmu3Leaf *leaf);

/*
 * The whole of a transaction of each type. True: SMMU3_OK, with *@result.
 * False: p->fault and p->refusal say what to record and what to answer.
 */
bool smmu3_pass_untranslated(Smmu3Pass *p, Smmu3Translation *result);
bool smmu3_pass_ats_request(Smmu3Pass *p, Smmu3Translation *result);
bool smmu3_pass_ats_translated(Smmu3Pass *p, Smmu3Translation *result);
/* The one of these that fits p->t. */
bool smmu3_pass_any(Smmu3Pass *p, Smmu3Translation *result);

/* What CD.A, R and S, or STE.S2R and S2S, have a say in (IHI 0070 5.5). */
bool smmu3_is_translation_related(Smmu3EventType type);
bool smmu3_pass_is_controlled(const Smmu3Pass *p);
/* Whether the fault is recorded, if it is not controlled. */
bool smmu3_pass_is_recorded(const Smmu3Pass *p);

/*
 * The STE of @sid, from the cache or from memory, under the lock. EVENT_NONE,
 * C_BAD_STREAMID, C_BAD_STE, or F_STE_FETCH with *@fetch_addr.
 */
Smmu3EventType smmu3_stream_find(Smmu3 *s, uint32_t sid, Smmu3Stream *stream,
                                 uint64_t *fetch_addr);

/* Set p->fault to a stage-1 or configuration fault. Always false. */
static inline bool smmu3_pass_fail(Smmu3Pass *p, Smmu3EventType type)
{
    p->fault.type = type;
    p->fault.class = CLASS_IN;
    p->fault.stage2 = false;
    return false;
}

static inline void smmu3_pass_watch(Smmu3Pass *p, const Smmu3Step *step)
{
    if (p->watch) {
        p->watch(p, step);
    }
}

#endif
