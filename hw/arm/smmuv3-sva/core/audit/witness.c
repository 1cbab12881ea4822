/*
 * See witness.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "witness.h"

void smmu3_witnesses_init(Smmu3Witnesses *all, const Smmu3Grace *grace,
                          Smmu3Counters *counters, Smmu3Drops *drops)
{
    all->grace = grace;
    all->drops = drops;
    all->counters = counters;
    g_queue_init(&all->fresh);
    g_queue_init(&all->suspects);
}

/* ---- Dropped invalidations ------------------------------------------------ */

void smmu3_witness_left(Smmu3Witnesses *all, Smmu3Witness *w, uint64_t number)
{
    if (!w->drop) {
        w->drop = number;
        smmu3_drops_left(all->drops, number);
    }
}

/* A turn as a fresh one, and for a suspect one for each sighting and the last. */
uint64_t smmu3_witnesses_turns(const Smmu3Witnesses *all)
{
    return all->fresh.length / SMMU3_SWEPT + 1 +
           (SMMU3_SIGHTINGS + 1) * (all->suspects.length / SMMU3_SWEPT + 1);
}

void smmu3_witness_renew(Smmu3Witnesses *all, Smmu3Witness *w)
{
    if (w->drop) {
        smmu3_drops_gone(all->drops, w->drop);
        w->drop = 0;
    }
}

/* Before it gets into @state: what that means for who was left. */
static void note_state(Smmu3Witnesses *all, Smmu3Witness *w,
                       Smmu3WitnessState state)
{
    if (state == SMMU3_WITNESS_REPORTED && w->drop) {
        smmu3_drops_found(all->drops, w->drop);
        w->drop = 0;
    } else if (state == SMMU3_WITNESS_NONE ||
               (state == SMMU3_WITNESS_FRESH &&
                w->state == SMMU3_WITNESS_SUSPECT)) {
        smmu3_witness_renew(all, w);
    }
}

/* ---- Lists ------------------------------------------------------------------ */

void smmu3_witness_enter(Smmu3Witnesses *all, Smmu3Witness *w,
                         Smmu3WitnessState state)
{
    note_state(all, w, state);
    if (w->state == SMMU3_WITNESS_FRESH) {
        g_queue_unlink(&all->fresh, &w->link);
    } else if (w->state == SMMU3_WITNESS_SUSPECT) {
        g_queue_unlink(&all->suspects, &w->link);
    }
    w->state = state;
    w->link.data = w;
    if (state == SMMU3_WITNESS_FRESH) {
        g_queue_push_tail_link(&all->fresh, &w->link);
    } else if (state == SMMU3_WITNESS_SUSPECT) {
        g_queue_push_tail_link(&all->suspects, &w->link);
    }
}

static void forget_all(Smmu3Witnesses *all, GQueue *queue)
{
    while (queue->head) {
        smmu3_witness_enter(all, queue->head->data, SMMU3_WITNESS_NONE);
    }
}

void smmu3_witnesses_forget(Smmu3Witnesses *all)
{
    forget_all(all, &all->fresh);
    forget_all(all, &all->suspects);
}

void smmu3_witness_settle(Smmu3Witnesses *all, Smmu3Witness *w,
                          Smmu3WitnessState state, uint64_t ns)
{
    _Atomic uint64_t *longest = &all->counters->audit_settled_ns_max;
    uint64_t lasted = ns - w->suspicion.since.ns;

    if (w->state == SMMU3_WITNESS_SUSPECT &&
        lasted > atomic_load_explicit(longest, memory_order_relaxed)) {
        atomic_store_explicit(longest, lasted, memory_order_relaxed);
    }
    smmu3_witness_enter(all, w, state);
}

bool smmu3_witness_saw(Smmu3Witnesses *all, Smmu3Witness *w, bool disagrees,
                       uint64_t at, bool used, uint64_t ns)
{
    bool was_suspect = w->state == SMMU3_WITNESS_SUSPECT;

    if (!disagrees) {
        if (was_suspect) {
            smmu3_witness_settle(all, w, SMMU3_WITNESS_FRESH, ns);
        }
        return false;
    }
    if (was_suspect) {
        smmu3_suspect_again(all->grace, &w->suspicion);
    } else {
        w->at = at;
        smmu3_suspect(all->grace, &w->suspicion, ns);
        atomic_fetch_add_explicit(&all->counters->audit_suspicions, 1,
                                  memory_order_relaxed);
        smmu3_witness_enter(all, w, SMMU3_WITNESS_SUSPECT);
    }
    w->suspicion.uses += used;
    return smmu3_outlasted(all->grace, &w->suspicion, ns);
}

/* inject= is to blame. */
static bool one_was_dropped(const Smmu3AuditReport *report)
{
    for (unsigned i = 0; i < report->heard_count; i++) {
        if (report->heard[i].miss == SMMU3_MISS_DROPPED ||
            report->heard[i].miss == SMMU3_MISS_DELAYED) {
            return true;
        }
    }
    return false;
}

/* Looks through all that was heard: not for each of millions. */
void smmu3_witness_explain(const Smmu3Witnesses *all, const Smmu3Witness *w,
                           const Smmu3HeardLog *log, const Smmu3Block *block,
                           Smmu3AuditReport *report)
{
    report->heard_count = smmu3_heard_since(log, w->heard, block,
                                            report->heard, SMMU3_REPORT_HEARD);
    report->has_early =
        !one_was_dropped(report) &&
        smmu3_heard_covering(log, w->heard_before, w->heard, block,
                             &report->early) &&
        report->seen_ns - report->early.ns <= all->grace->options.grace_ns;
}
