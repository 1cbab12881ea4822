/*
 * See smmu3.h. The core's lock is taken here and in service.c and nowhere
 * below: the functions there run under it, or are free of locks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "smmu3.h"
#include <inttypes.h>
#include "commands/command.h"
#include "queues/queue.h"
#include "queues/stall.h"
#include "regs.h"
#include "signal/signal.h"
#include "traffic/ats.h"
#include "traffic/explain.h"
#include "traffic/page_request.h"
#include "traffic/stages.h"
#include "traffic/translate.h"

enum {
    DEFAULT_TLB_ENTRIES = 65536,
    DEFAULT_CONFIG_ENTRIES = 4096,
    TLB_ENTRIES_PER_TABLE = 16,
};
#define DEFAULT_ATC_TIMEOUT_NS  UINT64_C(1000000000)

/* ---- Life cycle ------------------------------------------------------- */

Smmu3 *smmu3_new(const Smmu3Features *features, const Smmu3Options *options,
                 const Smmu3HostOps *ops, void *host)
{
    Smmu3 *s = g_new0(Smmu3, 1);

    s->features = *features;
    if (options) {
        s->options = *options;
    }
    if (!s->options.tlb_entries) {
        s->options.tlb_entries = DEFAULT_TLB_ENTRIES;
    }
    if (!s->options.config_entries) {
        s->options.config_entries = DEFAULT_CONFIG_ENTRIES;
    }
    if (!s->options.atc_timeout_ns) {
        s->options.atc_timeout_ns = DEFAULT_ATC_TIMEOUT_NS;
    }
    s->ops = ops;
    s->host = host;
    g_mutex_init(&s->lock);
    g_cond_init(&s->resolved);
    s->tlb = smmu3_tlb_new(s->options.tlb_entries);
    s->tables = smmu3_walk_cache_new(s->options.tlb_entries /
                                     TLB_ENTRIES_PER_TABLE, s->tlb);
    s->configs = smmu3_config_cache_new(s->options.config_entries);
    smmu3_config_cache_leads(s->configs, s->tables);
    smmu3_tlb_moves(s->tlb, &s->ended);
    smmu3_config_cache_moves(s->configs, &s->ended);
    s->stalls = smmu3_stall_table_new(features->stall_max);
    if (s->options.audit.on) {
        s->audit = smmu3_audit_new(&s->options.audit, ops, host,
                                   &s->features, s->tlb,
                                   &s->counters, smmu3_ats_look, s);
    }
    smmu3_inject_init(&s->inject, &s->options.inject);
    smmu3_outbox_init(&s->outbox);
    smmu3_regs_reset(s);
    return s;
}

void smmu3_free(Smmu3 *s)
{
    smmu3_outbox_clear(&s->outbox);
    smmu3_stall_table_free(s->stalls);
    smmu3_config_cache_free(s->configs);
    smmu3_audit_free(s->audit);
    smmu3_tlb_free(s->tlb);
    smmu3_walk_cache_free(s->tables);
    g_cond_clear(&s->resolved);
    g_mutex_clear(&s->lock);
    g_free(s);
}

static void forget_caches(Smmu3 *s, bool reset)
{
    smmu3_tlb_invalidate_all(s->tlb);
    smmu3_config_invalidate_all(s->configs);
    if (s->audit) {
        smmu3_audit_forget(s->audit, reset);
    }
}

void smmu3_reset(Smmu3 *s)
{
    smmu3_lock(s);
    s->generation++;
    smmu3_outbox_forget_signals(&s->outbox);
    smmu3_command_reset(s);
    smmu3_regs_reset(s);
    smmu3_stall_terminate_all(s);
    forget_caches(s, true);
    smmu3_kick(s);
    smmu3_unlock(s);
}

/* ---- Registers -------------------------------------------------------- */

static bool access_is_valid(Smmu3 *s, uint64_t offset, unsigned size)
{
    if ((size != 4 && size != 8) || offset % size ||
        offset > SMMU3_MMIO_BYTES - size) {
        smmu3_lock(s);
        smmu3_guest_error(s, "access of %u bytes at 0x%" PRIx64
                          " is not supported", size, offset);
        smmu3_unlock(s);
        return false;
    }
    return true;
}

uint64_t smmu3_mmio_read(Smmu3 *s, uint64_t offset, unsigned size)
{
    uint64_t value;

    if (!access_is_valid(s, offset, size)) {
        return 0;
    }
    smmu3_lock(s);
    value = smmu3_regs_read(s, offset, size);
    smmu3_unlock(s);
    return value;
}

void smmu3_mmio_write(Smmu3 *s, uint64_t offset, uint64_t value,
                      unsigned size)
{
    if (!access_is_valid(s, offset, size)) {
        return;
    }
    smmu3_lock(s);
    smmu3_regs_write(s, offset, value, size);
    smmu3_unlock(s);
    smmu3_service(s);
}

/* ---- Traffic ---------------------------------------------------------- */

/* The number of this thread's stripe; 0: it has not been given one. */
static _Thread_local unsigned hot_stripe;
/* A bit for each but the last; of all SMMUs, which have the same */
static _Atomic unsigned hot_stripes_taken;

static void give_hot_stripe_back(gpointer stripe)
{
    hot_stripe = 0;
    atomic_fetch_and_explicit(&hot_stripes_taken,
                              ~(1u << (GPOINTER_TO_UINT(stripe) - 1)),
                              memory_order_release);
}

static unsigned G_GNUC_NO_INLINE take_hot_stripe(void)
{
    static GPrivate until_thread_ends = G_PRIVATE_INIT(give_hot_stripe_back);
    unsigned taken = atomic_load(&hot_stripes_taken);
    unsigned first;

    do {
        first = __builtin_ctz(~taken);
        if (first == SMMU3_HOT_STRIPES - 1) {
            hot_stripe = SMMU3_HOT_STRIPES;
            return hot_stripe;
        }
        /* What the last one who had it counted there is seen with it. */
    } while (!atomic_compare_exchange_weak(&hot_stripes_taken, &taken,
                                           taken | 1u << first));
    hot_stripe = first + 1;
    g_private_set(&until_thread_ends, GUINT_TO_POINTER(hot_stripe));
    return hot_stripe;
}

/* The last stripe is shared. */
static inline void count_hot(_Atomic uint64_t *counter, unsigned stripe,
                             unsigned n)
{
    if (stripe == SMMU3_HOT_STRIPES) {
        smmu3_count_many(counter, n);
        return;
    }
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) +
                          n, memory_order_relaxed);
}

static void count_ats(Smmu3 *s, const Smmu3Transaction *t)
{
    smmu3_count(t->type == SMMU3_ATS_REQUEST ? &s->counters.ats_requests
                                             : &s->counters.ats_translated);
}

static inline void count_translation(Smmu3 *s, const Smmu3Transaction *t,
                                     unsigned stripe)
{
    count_hot(&s->hot[stripe - 1].counts[SMMU3_HOT(translations)], stripe, 1);
    if (t->type != SMMU3_UNTRANSLATED) {
        count_ats(s, t);
    }
}

static inline void count_hit(Smmu3 *s, bool hit, unsigned stripe)
{
    if (hit) {
        count_hot(&s->hot[stripe - 1].counts[SMMU3_HOT(tlb_hits)], stripe, 1);
    }
}

/*
 * What others do under the lock is mostly shorter than going to sleep and being
 * woken, so wait awake for a while. False: it takes them longer.
 */
static bool try_lock(Smmu3 *s)
{
    for (unsigned i = 0; i < 64; i++) {
        if (g_mutex_trylock(&s->lock)) {
            return true;
        }
    }
    return false;
}

/*
 * What a free pass found goes into the TLB if nothing was invalidated since its
 * caches were asked: invalidations take the lock as well, so that nothing can be
 * while it goes there. Not if the lock is busy: then it is found again.
 */
static void fill(Smmu3 *s, const Smmu3Pass *p, const Smmu3FrontKey *key)
{
    if (try_lock(s)) {
        if (atomic_load_explicit(&s->answers, memory_order_relaxed) ==
            key->generation) {
            smmu3_pass_fill(p);
        }
        smmu3_unlock(s);
    }
}

static void count_walk(const Smmu3Pass *p, unsigned stripe)
{
    Smmu3HotCounters *hot = &p->s->hot[stripe - 1];

    count_hot(&hot->counts[SMMU3_HOT(tlb_misses)], stripe, 1);
    for (unsigned i = 0; i < SMMU3_HOT_COUNTS; i++) {
        if (p->counts[i]) {
            count_hot(&hot->counts[i], stripe, p->counts[i]);
        }
    }
}

/*
 * Sets *@hit if neither a walk nor the lock was needed. Apart, so that what comes
 * again does not pay for the room that this takes.
 */
static Smmu3Outcome G_GNUC_NO_INLINE
translate_behind_front(Smmu3 *s, const Smmu3Transaction *t,
                       const Smmu3FrontKey *key, Smmu3Translation *result,
                       unsigned stripe, bool *hit)
{
    Smmu3Outcome outcome;
    SMMU3_UNSET Smmu3Pass p;

    smmu3_pass_init(&p, s, t, SMMU3_PASS_FREE);
    /* The auditor looks at each use, under the lock */
    if (!s->audit && smmu3_pass_any(&p, result)) {
        if (p.walked) {
            count_walk(&p, stripe);
            fill(s, &p, key);
        } else {
            smmu3_front_keep(key, t, result, p.in_tables);
            *hit = p.in_tables;
        }
        return SMMU3_OK;
    }
    if (!try_lock(s)) {
        smmu3_lock(s);
    }
    outcome = smmu3_translate_locked(s, t, result);
    smmu3_unlock(s);
    return outcome;
}

Smmu3Outcome smmu3_translate(Smmu3 *s, const Smmu3Transaction *t,
                             Smmu3Translation *result)
{
    Smmu3FrontKey key = smmu3_front_key(&s->answers, t);
    unsigned stripe = hot_stripe ? hot_stripe : take_hot_stripe();
    Smmu3Outcome outcome = SMMU3_OK;
    bool hit = false;

    count_translation(s, t, stripe);
    if (!smmu3_front_lookup(&key, t->addr, result, &hit)) {
        outcome = translate_behind_front(s, t, &key, result, stripe, &hit);
    }
    count_hit(s, hit, stripe);
    return outcome;
}

static bool G_GNUC_NO_INLINE
find_behind_front(Smmu3 *s, const Smmu3Transaction *t, uint64_t pa,
                  const Smmu3FrontKey *key, Smmu3Translation *result, bool *hit)
{
    SMMU3_UNSET Smmu3Pass p;

    smmu3_pass_init(&p, s, t, SMMU3_PASS_CACHED);
    if (s->audit || !smmu3_pass_any(&p, result) || result->pa != pa) {
        return false;
    }
    smmu3_front_keep(key, t, result, p.in_tables);
    *hit = p.in_tables;
    return true;
}

bool smmu3_translate_cached(Smmu3 *s, const Smmu3Transaction *t, uint64_t pa,
                            Smmu3Translation *result)
{
    Smmu3FrontKey key = smmu3_front_key(&s->answers, t);
    unsigned stripe = hot_stripe ? hot_stripe : take_hot_stripe();
    bool hit = false;

    if (smmu3_front_lookup(&key, t->addr, result, &hit)
        ? result->pa != pa
        : !find_behind_front(s, t, pa, &key, result, &hit)) {
        return false;
    }
    count_translation(s, t, stripe);
    count_hit(s, hit, stripe);
    return true;
}

void smmu3_cancel(Smmu3 *s, void *cookie)
{
    smmu3_lock(s);
    while (s->resolver && s->resolver != g_thread_self() &&
           s->resolving == cookie) {
        s->waiting_for_it++;
        g_cond_wait(&s->resolved, &s->lock);
        s->waiting_for_it--;
    }
    smmu3_stall_cancel(s, cookie);
    smmu3_unlock(s);
}

void smmu3_page_request(Smmu3 *s, const Smmu3PageRequest *request)
{
    smmu3_lock(s);
    smmu3_page_request_locked(s, request);
    smmu3_unlock(s);
}

void smmu3_atc_flushed(Smmu3 *s, uint32_t sid)
{
    if (s->audit) {
        smmu3_lock(s);
        smmu3_audit_atc_flushed(s->audit, sid);
        smmu3_unlock(s);
    }
}

/* ---- Looking in ------------------------------------------------------- */

const Smmu3Features *smmu3_features(const Smmu3 *s)
{
    return &s->features;
}

const Smmu3Regs *smmu3_regs(const Smmu3 *s)
{
    return &s->regs;
}

Smmu3Regs smmu3_regs_now(Smmu3 *s)
{
    Smmu3Regs regs;

    smmu3_lock(s);
    regs = s->regs;
    smmu3_unlock(s);
    return regs;
}

/*
 * Add what @hot has counted since @seen. Who finds that another thread has seen
 * more takes that much off again.
 */
static void collect_hot(_Atomic uint64_t *sum, _Atomic uint64_t *hot,
                        _Atomic uint64_t *seen)
{
    uint64_t now = atomic_load_explicit(hot, memory_order_relaxed);

    atomic_fetch_add(sum, now - atomic_exchange(seen, now));
}

static void collect_hot_counters(Smmu3 *s)
{
    _Atomic uint64_t *counters = (_Atomic uint64_t *)&s->counters;

    for (unsigned i = 0; i < SMMU3_HOT_STRIPES; i++) {
        Smmu3HotCounters *hot = &s->hot[i];

        for (unsigned j = 0; j < SMMU3_HOT_COUNTS; j++) {
            collect_hot(&counters[j], &hot->counts[j], &hot->seen[j]);
        }
    }
}

const Smmu3Counters *smmu3_counters(Smmu3 *s)
{
    collect_hot_counters(s);
    return &s->counters;
}

void smmu3_counters_reset(Smmu3 *s)
{
    _Atomic uint64_t *counter = (_Atomic uint64_t *)&s->counters;

    collect_hot_counters(s);
    for (size_t i = 0; i < sizeof(s->counters) / sizeof(*counter); i++) {
        atomic_store_explicit(&counter[i], 0, memory_order_relaxed);
    }
    if (s->audit) {
        smmu3_lock(s);
        smmu3_audit_drop_reports(s->audit);
        smmu3_unlock(s);
    }
}

GArray *smmu3_audit_reports(Smmu3 *s)
{
    GArray *reports;

    smmu3_lock(s);
    reports = s->audit ? smmu3_audit_kept(s->audit)
                       : g_array_new(FALSE, FALSE, sizeof(Smmu3AuditReport));
    smmu3_unlock(s);
    return reports;
}

bool smmu3_audit_drops(Smmu3 *s, Smmu3AuditDrops *counts)
{
    smmu3_lock(s);
    if (s->audit) {
        smmu3_audit_count_drops(s->audit, counts);
    }
    smmu3_unlock(s);
    return s->audit;
}

GArray *smmu3_inject_counts(Smmu3 *s)
{
    GArray *counts = g_array_new(FALSE, FALSE, sizeof(Smmu3InjectCount));

    smmu3_lock(s);
    for (unsigned i = 0; i < s->inject.plan_count; i++) {
        g_array_append_val(counts, s->inject.plans[i].count);
    }
    smmu3_unlock(s);
    return counts;
}

void smmu3_audit_summary_of(Smmu3 *s, Smmu3AuditSummary *summary)
{
    *summary = (Smmu3AuditSummary) { 0 };
    if (s->audit) {
        smmu3_lock(s);
        smmu3_audit_summary(s->audit, summary);
        smmu3_unlock(s);
    }
}

unsigned smmu3_stalls_outstanding(Smmu3 *s)
{
    unsigned count;

    smmu3_lock(s);
    count = smmu3_stall_count(s);
    smmu3_unlock(s);
    return count;
}

void smmu3_explain(Smmu3 *s, const Smmu3Transaction *t, GString *out)
{
    smmu3_lock(s);
    smmu3_explain_locked(s, t, out);
    smmu3_unlock(s);
}

Smmu3View *smmu3_view_new(Smmu3 *s, uint32_t sid, bool ssv, uint32_t ssid)
{
    Smmu3View *view;

    smmu3_lock(s);
    view = smmu3_view_new_locked(s, sid, ssv, ssid);
    smmu3_unlock(s);
    return view;
}

/* The lock is held for one address, so that traffic does not wait for a list. */
void smmu3_view_look_up(void *view, uint64_t in, Smmu3Piece *piece)
{
    Smmu3 *s = smmu3_view_smmu(view);

    smmu3_lock(s);
    smmu3_view_look_up_locked(view, in, piece);
    smmu3_unlock(s);
}

/* ---- Saving and loading ------------------------------------------------ */

GArray *smmu3_save_stalls(Smmu3 *s)
{
    GArray *stalls;

    smmu3_lock(s);
    stalls = smmu3_stall_save(s);
    smmu3_unlock(s);
    return stalls;
}

/*
 * Under the lock: an interrupt may have been on its way when the state was
 * saved. It is an edge (3.18), and a handler that finds its queue empty
 * returns: one too many costs time, one too few stops a driver.
 */
static void interrupt_again(Smmu3 *s)
{
    const Smmu3Regs *regs = &s->regs;
    const Smmu3Features *f = &s->features;

    if (!smmu3_queue_empty(&regs->eventq,
                           smmu3_queue_log2(&regs->eventq, f->eventqs))) {
        smmu3_interrupt(s, SMMU3_IRQ_EVENTQ);
    }
    if (f->pri &&
        !smmu3_queue_empty(&regs->priq,
                           smmu3_queue_log2(&regs->priq, f->priqs))) {
        smmu3_interrupt(s, SMMU3_IRQ_PRIQ);
    }
    if (smmu3_gerror_active(s)) {
        smmu3_interrupt(s, SMMU3_IRQ_GERROR);
    }
}

bool smmu3_load(Smmu3 *s, const Smmu3Regs *regs,
                const Smmu3SavedStall *stalls, size_t stall_count)
{
    bool ok = smmu3_regs_plausible(s, regs);

    smmu3_lock(s);
    s->generation++;
    /* The endpoints are loaded as well, and submit again what they wait for */
    smmu3_stall_forget_all(s);
    smmu3_outbox_clear(&s->outbox);
    smmu3_outbox_init(&s->outbox);
    smmu3_command_reset(s);
    smmu3_inject_init(&s->inject, &s->options.inject);
    smmu3_regs_reset(s);
    forget_caches(s, false);
    for (size_t i = 0; i < stall_count && ok; i++) {
        ok = smmu3_stall_restore(s, &stalls[i]);
    }
    smmu3_stall_restored(s);
    if (ok) {
        s->regs = *regs;
        smmu3_regs_publish(s);
        interrupt_again(s);
    } else {
        smmu3_stall_forget_all(s);
    }
    smmu3_kick(s);
    smmu3_unlock(s);
    return ok;
}
