/*
 * See grants.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "grants.h"
#include <string.h>
#include "../spec/field.h"

enum {
    CONTEXTS = 256,                 /* remembered, by a hash */
    USES_LOOKED_AT = 64,            /* suspects, for a translated access */
    LEFT_LOOKED_AT = 64,            /* of what a dropped command covers */
    LOOK_WORK = 128,                /* in units of about 10 ns; and to go through
                                       all of them: */
    ALL_WORK = SMMU3_GRANTS_MAX / 4,
};

/* Rights of an answer are those of a leaf that has but one privilege. */
G_STATIC_ASSERT((int)SMMU3_READ == (int)SMMU3_UNPRIV_R &&
                (int)SMMU3_WRITE == (int)SMMU3_UNPRIV_W &&
                (int)SMMU3_EXEC == (int)SMMU3_UNPRIV_X);

struct Smmu3Grant {
    Smmu3Witness w;                 /* first: lists hold it */
    Smmu3Transaction request;       /* addr: as it was asked for */
    uint64_t first;
    Smmu3Leaf leaf;
};

/* When a stream and PASID last asked. */
typedef struct Context {
    bool used, ssv;
    uint32_t sid, ssid;
    uint64_t ns;
} Context;

struct Smmu3Grants {
    const Smmu3GrantsHost *host;
    const Smmu3Grace *grace;
    Smmu3Counters *counters;
    Smmu3Witnesses witnesses;
    GHashTable *by_page;            /* a set of all, those that went too */
    unsigned living;
    Smmu3HeardLog heard;
    Context contexts[CONTEXTS];
    unsigned next;                  /* to be taken, be it free or not */
    Smmu3Grant all[SMMU3_GRANTS_MAX];
};

/* ---- By what they are of ------------------------------------------------- */

static guint hash_of(gconstpointer key)
{
    const Smmu3Grant *grant = key;
    uint64_t hash = (grant->first >> 12) + grant->leaf.size_log2 +
                    ((uint64_t)grant->request.ssid << 44) +
                    ((uint64_t)grant->request.sid << 32);

    return hash * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static gboolean is_same(gconstpointer a, gconstpointer b)
{
    const Smmu3Grant *x = a, *y = b;

    return x->first == y->first && x->leaf.size_log2 == y->leaf.size_log2 &&
           x->request.sid == y->request.sid &&
           x->request.ssv == y->request.ssv &&
           x->request.ssid == y->request.ssid &&
           x->request.priv == y->request.priv;
}

static Smmu3Block block_of(const Smmu3Grant *grant)
{
    return (Smmu3Block) {
        .atc = true, .sid = grant->request.sid, .ssid = grant->request.ssid,
        .ssv = grant->request.ssv, .first = grant->first,
        .last = grant->first | smmu3_mask(grant->leaf.size_log2),
    };
}

/* ---- Life ---------------------------------------------------------------- */

Smmu3Grants *smmu3_grants_new(const Smmu3GrantsHost *host,
                              const Smmu3Grace *grace, Smmu3Counters *counters,
                              Smmu3Drops *drops)
{
    Smmu3Grants *grants = g_new0(Smmu3Grants, 1);

    grants->host = host;
    grants->grace = grace;
    grants->counters = counters;
    smmu3_witnesses_init(&grants->witnesses, grace, counters, drops);
    grants->by_page = g_hash_table_new(hash_of, is_same);
    return grants;
}

void smmu3_grants_free(Smmu3Grants *grants)
{
    g_hash_table_unref(grants->by_page);
    g_free(grants);
}

/* It is in no cache any more; what it was is remembered. */
static void drop(Smmu3Grants *grants, Smmu3Grant *grant, uint64_t ns)
{
    if (grant->w.state != SMMU3_WITNESS_NONE) {
        grants->living--;
        smmu3_witness_settle(&grants->witnesses, &grant->w,
                             SMMU3_WITNESS_NONE, ns);
    }
}

void smmu3_grants_forget(Smmu3Grants *grants)
{
    g_hash_table_remove_all(grants->by_page);
    smmu3_witnesses_forget(&grants->witnesses);
    memset(grants->all, 0, sizeof(grants->all));
    memset(grants->contexts, 0, sizeof(grants->contexts));
    grants->living = 0;
}

/* ---- Who asks ------------------------------------------------------------- */

static Context *context_of(Smmu3Grants *grants, const Smmu3Transaction *t)
{
    uint32_t hash = (t->sid ^ t->ssid << 12 ^ t->ssv) * 0x9e3779b1u;

    return &grants->contexts[(hash >> 20) % CONTEXTS];
}

static void context_asks(Smmu3Grants *grants, const Smmu3Transaction *t,
                         uint64_t ns)
{
    *context_of(grants, t) = (Context) {
        .used = true, .sid = t->sid, .ssid = t->ssid, .ssv = t->ssv, .ns = ns,
    };
}

/* Not known where another one has taken its place: then no. */
static bool context_asked_since(Smmu3Grants *grants, const Smmu3Transaction *t,
                                uint64_t ns)
{
    const Context *c = context_of(grants, t);

    return c->used && c->sid == t->sid && c->ssid == t->ssid &&
           c->ssv == t->ssv && c->ns >= ns;
}

/* ---- Looking --------------------------------------------------------------- */

static void report(Smmu3Grants *grants, Smmu3Grant *grant, Smmu3Mistake stale,
                   const Smmu3Found *found, uint64_t ns)
{
    uint64_t at = grant->w.at;
    Smmu3AuditReport r = {
        .kind = stale, .atc = true, .sid = grant->request.sid,
        .ssid = grant->request.ssid, .ssv = grant->request.ssv,
        .addr = grant->first, .at = at,
        .bytes = UINT64_C(1) << MIN(grant->leaf.size_log2, 63),
        .cached_output = smmu3_leaf_output(&grant->leaf, at),
        .tables_output = found->any ? smmu3_leaf_output(&found->leaf, at) : 0,
        .cached_rights = grant->leaf.rights,
        .tables_rights = found->leaf.rights,
        .tables_trail = found->trail, .cached_ns = grant->w.ns,
    };

    smmu3_report_suspicion(grants->grace, &grant->w.suspicion, ns, &r);
    grants->host->report(grants->host->report_opaque, grant, &r);
    smmu3_witness_enter(&grants->witnesses, &grant->w, SMMU3_WITNESS_REPORTED);
}

/* Look at @grant: for an access by it to @at, or in a sweep. */
static void examine(Smmu3Grants *grants, Smmu3Grant *grant, uint64_t at,
                    bool used, uint64_t ns)
{
    Smmu3Transaction request = grant->request;
    Smmu3Mistake stale;
    Smmu3Found found;
    bool disagrees;

    if (grant->w.state == SMMU3_WITNESS_SUSPECT) {
        at = grant->w.at;
    }
    request.addr = at;
    /* A page that was dirty already is granted for writes without being asked */
    request.access = SMMU3_READ | (grant->leaf.rights & SMMU3_WRITE);
    atomic_fetch_add_explicit(&grants->counters->audit_looks, 1,
                              memory_order_relaxed);
    if (!grants->host->look(grants->host->look_opaque, &request, &found)) {
        drop(grants, grant, ns);
        return;
    }
    disagrees = smmu3_is_stale(&grant->leaf, &found, at, &stale);
    if (smmu3_witness_saw(&grants->witnesses, &grant->w, disagrees, at, used,
                          ns) &&
        (used || context_asked_since(grants, &grant->request,
                                     grant->w.suspicion.since.ns +
                                     grants->grace->options.grace_ns))) {
        report(grants, grant, stale, &found, ns);
    }
}

static unsigned sweep(Smmu3Grants *grants, GQueue *queue, uint64_t ns)
{
    unsigned length = MIN(queue->length, SMMU3_SWEPT);

    for (unsigned i = 0; i < length && queue->head; i++) {
        Smmu3Grant *grant = queue->head->data;

        smmu3_witness_enter(&grants->witnesses, &grant->w, grant->w.state);
        examine(grants, grant,
                smmu3_look_address(grant->request.addr, grant->leaf.size_log2,
                                   grants->grace->syncs), false, ns);
    }
    return length;
}

unsigned smmu3_grants_sweep(Smmu3Grants *grants, uint64_t ns)
{
    return sweep(grants, &grants->witnesses.suspects, ns) +
           sweep(grants, &grants->witnesses.fresh, ns);
}

/* ---- What they hear --------------------------------------------------------- */

static Smmu3Grant make_grant(const Smmu3Transaction *request,
                             const Smmu3Translation *answer)
{
    uint64_t mask = smmu3_mask(answer->size_log2);

    return (Smmu3Grant) {
        .request = *request, .first = request->addr & ~mask,
        .leaf = {
            .base = answer->pa & ~mask, .size_log2 = answer->size_log2,
            .rights = answer->access,
        },
    };
}

/*
 * The next place, whatever is there: the oldest, if all are taken. That one is
 * forgotten, and not settled.
 */
static Smmu3Grant *take_place(Smmu3Grants *grants)
{
    Smmu3Grant *place = &grants->all[grants->next++ % SMMU3_GRANTS_MAX];

    if (place->w.state != SMMU3_WITNESS_NONE) {
        smmu3_witness_enter(&grants->witnesses, &place->w,
                            SMMU3_WITNESS_NONE);
        grants->living--;
    }
    if (place->w.ns) {
        g_hash_table_remove(grants->by_page, place);
    }
    return place;
}

static void enter(Smmu3Grants *grants, Smmu3Grant *place,
                  const Smmu3Grant *new, uint64_t ns)
{
    bool again = place->w.ns && place->leaf.base == new->leaf.base &&
                 place->leaf.rights == new->leaf.rights;
    Smmu3Witness w = place->w;

    w.heard_before = again ? w.heard : grants->heard.count;
    w.heard = grants->heard.count;
    w.ns = MAX(ns, 1);              /* 0: there never was one */
    *place = *new;
    place->w = w;
    g_hash_table_add(grants->by_page, place);
    grants->living++;
    smmu3_witness_enter(&grants->witnesses, &place->w, SMMU3_WITNESS_FRESH);
}

void smmu3_grants_granted(Smmu3Grants *grants, const Smmu3Transaction *request,
                          const Smmu3Translation *answer, uint64_t ns)
{
    Smmu3Grant new = make_grant(request, answer);
    Smmu3Grant *place = g_hash_table_lookup(grants->by_page, &new);

    context_asks(grants, request, ns);
    if (place && place->w.state >= SMMU3_WITNESS_SUSPECT &&
        place->leaf.base == new.leaf.base &&
        place->leaf.rights == new.leaf.rights) {
        /* Once more what is stale already */
        if (place->w.state == SMMU3_WITNESS_SUSPECT) {
            examine(grants, place, place->w.at, true, ns);
        }
        return;
    }
    if (place) {
        drop(grants, place, ns);
    } else {
        place = take_place(grants);
    }
    enter(grants, place, &new, ns);
}

void smmu3_grants_used(Smmu3Grants *grants, uint32_t sid, uint64_t addr,
                       uint64_t ns)
{
    GList *link = grants->witnesses.suspects.head, *next;

    for (unsigned i = 0; link && i < USES_LOOKED_AT; i++, link = next) {
        Smmu3Grant *grant = link->data;

        next = link->next;
        if (grant->request.sid == sid &&
            ((grant->leaf.base ^ addr) & ~smmu3_mask(grant->leaf.size_log2))
            == 0) {
            examine(grants, grant, grant->w.at, true, ns);
        }
    }
}

/* @grant, which @dropped covers, may be stale. */
static void note_if_left(Smmu3Grants *grants, Smmu3Grant *grant,
                         const Smmu3Heard *dropped, uint64_t number)
{
    Smmu3Transaction request = grant->request;
    Smmu3Mistake stale;
    Smmu3Found found;

    if (dropped->first > grant->first) {
        request.addr = dropped->first;
    }
    request.access = SMMU3_READ | (grant->leaf.rights & SMMU3_WRITE);
    if (grants->host->look(grants->host->look_opaque, &request, &found) &&
        smmu3_is_stale(&grant->leaf, &found, request.addr, &stale)) {
        smmu3_witness_left(&grants->witnesses, &grant->w, number);
    }
}

void smmu3_grants_judge_left(Smmu3Grants *grants, uint64_t ns)
{
    uint64_t turns = smmu3_witnesses_turns(&grants->witnesses);

    for (unsigned i = 0; i < SMMU3_GRANTS_MAX; i++) {
        Smmu3Grant *grant = &grants->all[i];
        Smmu3Drops *drops = grants->witnesses.drops;
        uint64_t number = grant->w.drop;

        if (number &&
            context_asked_since(grants, &grant->request,
                                smmu3_drops_mistake_since(drops, number,
                                                          turns, ns))) {
            smmu3_drops_missed(drops, number);
        }
    }
}

unsigned smmu3_grants_invalidated(Smmu3Grants *grants, const Smmu3Heard *heard,
                                  uint64_t ns)
{
    Smmu3Heard timed = *heard;
    unsigned looks = 0;
    uint64_t number = heard->dropped
                      ? smmu3_drops_begin(grants->witnesses.drops, ns) : 0;

    timed.ns = ns;
    if (!heard->widened) {
        smmu3_heard_add(&grants->heard, &timed);
    }
    if (!grants->living) {
        return 0;
    }
    for (unsigned i = 0; i < SMMU3_GRANTS_MAX; i++) {
        Smmu3Grant *grant = &grants->all[i];
        Smmu3Block block;
        Smmu3Miss miss;

        if (grant->w.state == SMMU3_WITNESS_NONE) {
            continue;
        }
        block = block_of(grant);
        miss = smmu3_heard_miss(&timed, &block);
        if (miss == SMMU3_MISS_NONE) {
            drop(grants, grant, ns);
        } else if (miss == SMMU3_MISS_DROPPED &&
                   grant->w.state != SMMU3_WITNESS_REPORTED &&
                   looks < LEFT_LOOKED_AT) {
            looks++;
            note_if_left(grants, grant, heard, number);
        }
    }
    return ALL_WORK + looks * LOOK_WORK;
}

unsigned smmu3_grants_named(const Smmu3Grants *grants, const Smmu3Heard *heard,
                            unsigned *work)
{
    unsigned count = 0;

    if (!grants->living) {
        return 0;
    }
    *work += ALL_WORK;
    for (unsigned i = 0; i < SMMU3_GRANTS_MAX; i++) {
        const Smmu3Grant *grant = &grants->all[i];
        Smmu3Block block = block_of(grant);

        count += grant->w.state != SMMU3_WITNESS_NONE &&
                 smmu3_heard_miss(heard, &block) == SMMU3_MISS_NONE;
    }
    return count;
}

void smmu3_grants_flushed(Smmu3Grants *grants, uint32_t sid, uint64_t ns)
{
    for (unsigned i = 0; i < SMMU3_GRANTS_MAX; i++) {
        Smmu3Grant *grant = &grants->all[i];

        if (grant->request.sid == sid) {
            drop(grants, grant, ns);
        }
    }
}

void smmu3_grants_explain(const Smmu3Grants *grants, const Smmu3Grant *grant,
                          Smmu3AuditReport *r)
{
    Smmu3Block block = block_of(grant);

    smmu3_witness_explain(&grants->witnesses, &grant->w, &grants->heard,
                          &block, r);
}
