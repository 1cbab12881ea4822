/*
 * The pass: one transaction on its way through the SMMU, what is known of it so
 * far, and what becomes of its fault. Not the steps that look anything up
 * (config-fetch.c, stages.c), nor their order (translate.c, ats.c, gatos.c).
 * Called by all of those.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_PASS_H
#define SMMU3_PASS_H

#include <string.h>
#include "../signal/state.h"
#include "../tables/fault.h"
#include "../tables/walk.h"

/* What a pass may touch. */
typedef enum {
    SMMU3_PASS_CACHED,      /* without the lock: caches alone */
    SMMU3_PASS_FREE,        /* without the lock: caches, and tables as they are */
    SMMU3_PASS_FULL,        /* structures too; fills the caches; HTTU */
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
    SMMU3_STEP_STAGE,       /* a stage begins: stage2, tables, addr: its input */
    SMMU3_STEP_LEAF,        /* a stage's answer: stage2, leaf */
} Smmu3StepKind;

typedef struct Smmu3Step {
    Smmu3StepKind kind;
    bool stage2;
    int level;
    uint64_t addr;          /* of the words, a PA */
    const uint64_t *words;
    Smmu3Class class;       /* of a stage 2: what for */
    const Smmu3Tables *tables;  /* of a stage that begins */
    const Smmu3Leaf *leaf;
} Smmu3Step;

/* An answer of the tables that the TLB does not have yet. */
typedef struct Smmu3Fill {
    Smmu3TlbTag tag;
    uint64_t addr;
    Smmu3Leaf leaf;
    Smmu3Table table;           /* that it is in, if that is new as well */
    uint8_t table_log2;         /* of what that maps; 0: it is not new */
} Smmu3Fill;

/*
 * More than one transaction finds: at stage 2 five tables, the first and the last
 * address, and again what a write makes dirty.
 */
enum { SMMU3_FILLS_MAX = 16 };

/*
 * Who sets what, and who reads it. "Ways" are the functions that run a whole
 * transaction: translate.c, ats.c and, for its registers, gatos.c.
 *
 *   member          set by                          read by
 *   s, t, mode      smmu3_pass_init()               everyone
 *   watch           translate.c (traces),           smmu3_pass_watch()
 *                   explain.c, view.c
 *   config.stream   smmu3_pass_find_stream()        every later step
 *   config.stage1,  smmu3_pass_find_context();      stage 1; the decision to
 *   .has_cd         find_stream(), if the cache     stall, record or abort
 *                   has the two together
 *   stage1          smmu3_pass_find_substream()     ways
 *   cd_index        the same; find_stream() guesses find_context(), traces
 *                   it, to look up both at once
 *   priv, ind       smmu3_pass_apply_overrides();   stage 1, the rights that
 *                   gatos.c, which has no           are needed, the record
 *                   overrides; view.c, which looks
 *                   for both privileges
 *   atschk          ats.c                           ats.c
 *   any_age         ats.c, for the auditor          walk() of stages.c
 *   in_tables       smmu3_pass_stage1(), _stage2()  counters;
 *                                                   smmu3_pass_is_recorded()
 *   walked          a walk in stages.c              counters, smmu3.c
 *   fills           a free walk in stages.c         stages.c, smmu3_pass_fill()
 *   counts          stages.c, ways                  smmu3_pass_count(), smmu3.c
 *   fault           smmu3_pass_fail(), walks;       once a step was false:
 *                   stage2, ipa and class of a      ways, translate.c,
 *                   stage-2 fault: stages.c;        explain.c, view.c
 *                   fetch_addr: config-fetch.c;
 *                   view.c, for an address in none
 *                   of its spans
 *   terminal        ways, for an address out of     smmu3_pass_is_controlled(),
 *                   range without a stage           smmu3_pass_is_recorded()
 *   refusal         init: abort; ats.c: UR or CA    translate.c, explain.c
 */
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
    bool any_age;           /* an access flag that is clear counts as set */
    bool in_tables;         /* some stage translated it */
    bool walked;            /* and not all answers came from the TLB */
    uint8_t fill_count;
    uint16_t counts[SMMU3_HOT_COUNTS];  /* see SMMU3_HOT() */
    Smmu3Fill fills[SMMU3_FILLS_MAX];   /* the first fill_count */

    /* If it failed; EVENT_NONE: silently, or because it needs the lock. */
    Smmu3Fault fault;
    bool terminal;          /* a TRF that neither CD nor STE controls */
    Smmu3Outcome refusal;   /* the answer, if it is not controlled */
};

static inline void smmu3_pass_init(Smmu3Pass *p, Smmu3 *s,
                                   const Smmu3Transaction *t,
                                   Smmu3PassMode mode)
{
    p->s = s;
    p->t = t;
    p->mode = mode;
    p->watch = NULL;
    p->watch_data = NULL;
    p->config.has_cd = false;
    p->stage1 = false;
    p->cd_index = 0;
    p->priv = p->ind = false;
    p->atschk = p->any_age = false;
    p->in_tables = p->walked = p->terminal = false;
    p->fill_count = 0;
    memset(p->counts, 0, sizeof(p->counts));
    p->fault = (Smmu3Fault) { .type = EVENT_NONE };
    p->refusal = SMMU3_ABORT;
}

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

/* The lock is not held. */
static inline bool smmu3_pass_is_free(const Smmu3Pass *p)
{
    return p->mode == SMMU3_PASS_FREE || p->mode == SMMU3_PASS_CACHED;
}

/* The pass is over: what it counted, for everyone to see. */
void smmu3_pass_count(const Smmu3Pass *p);

/* SMMUEN, as CR0ACK has it. */
static inline bool smmu3_pass_enabled(const Smmu3Pass *p)
{
    return atomic_load_explicit(&p->s->enabled, memory_order_acquire);
}

/*
 * The checks of SubstreamID and S1DSS (IHI 0070 3.3.2, 5.2): p->stage1,
 * cd_index. False with p->fault set.
 */
bool smmu3_pass_find_substream(Smmu3Pass *p);

static inline bool smmu3_overridden(Smmu3Override how, bool incoming)
{
    return how == SMMU3_OVERRIDE_NONE ? incoming : how == SMMU3_OVERRIDE_SET;
}

/*
 * PRIVCFG and INSTCFG over the incoming PnU and InD: p->priv, p->ind. A write
 * is never an instruction fetch, whatever INSTCFG says (13.1.2).
 */
static inline void smmu3_pass_apply_overrides(Smmu3Pass *p, bool priv,
                                              bool ind)
{
    const Smmu3Stream *stream = &p->config.stream;

    p->priv = smmu3_overridden(stream->priv, priv);
    p->ind = !(p->t->access & SMMU3_WRITE) &&
             smmu3_overridden(stream->inst, ind);
}

/*
 * What the requester may do by a block's @rights, so that it need not ask for
 * each access; not a write if the block is @clean.
 */
static inline uint8_t smmu3_pass_access(const Smmu3Pass *p, uint8_t rights,
                                        bool clean)
{
    uint8_t access = 0;

    if (p->priv) {
        rights /= SMMU3_PRIV_R / SMMU3_UNPRIV_R;
    }
    if (rights & (p->ind ? SMMU3_UNPRIV_X : SMMU3_UNPRIV_R)) {
        access |= SMMU3_READ;
    }
    if ((rights & SMMU3_UNPRIV_W) && !clean) {
        access |= SMMU3_WRITE;
    }
    if (rights & SMMU3_UNPRIV_X) {
        access |= SMMU3_EXEC;
    }
    return access;
}

/* What CD.A, R and S, or STE.S2R and S2S, have a say in (IHI 0070 5.5). */
bool smmu3_is_translation_related(Smmu3EventType type);
bool smmu3_pass_is_controlled(const Smmu3Pass *p);
/* Whether the fault is recorded, if it is not controlled. */
bool smmu3_pass_is_recorded(const Smmu3Pass *p);

#endif
