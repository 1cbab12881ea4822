/*
 * Whether anything may still use a translation that was invalidated: what a
 * CMD_SYNC has to wait for. Not who uses them, which smmuv3-sva-threads.c and
 * smmuv3-sva-access.c know. Called by smmuv3-sva-host.c and these.
 *
 * Who translates under the big lock has finished by the time that we have it,
 * unless it has mapped what it got. Other threads are looked at until each was
 * seen outside of its section. Then mappings are compared with the tables, and
 * those that software took away are waited for, but not for ever: a device may
 * hold one until its driver does something.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "system/runstate.h"
#include "smmuv3-sva.h"
#include "smmuv3-sva-threads.h"
#include "trace.h"

/*
 * A section lasts some microseconds, unless its thread lost the CPU. If looks meet
 * a thread inside again and again, a grace period has it that its next section
 * can be told from this one.
 */
enum {
    LOOKS_AT_ONCE = 100,
    LOOK_AGAIN_NS = 20 * 1000,
    LOOKS_BEFORE_GRACE_PERIOD = 50,
};

static bool look(void)
{
    for (unsigned i = 0; i < LOOKS_AT_ONCE; i++) {
        if (smmuv3_sva_threads_look()) {
            return true;
        }
        cpu_relax();
    }
    return false;
}

static void grace_period_ends(struct rcu_head *head)
{
    container_of(head, Smmuv3SvaState, quiesce.rcu)->quiesce.in_grace = false;
}

static void look_later(Smmuv3SvaState *s)
{
    if (++s->quiesce.looks >= LOOKS_BEFORE_GRACE_PERIOD &&
        !s->quiesce.in_grace) {
        s->quiesce.in_grace = true;
        call_rcu1(&s->quiesce.rcu, grace_period_ends);
    }
    timer_mod(s->quiesce.timer,
              qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + LOOK_AGAIN_NS);
}

static void wait_for_mappings(Smmuv3SvaState *s)
{
    if (timer_pending(s->quiesce.deadline)) {
        return;
    }
    s->quiesce.mapped_waits++;
    timer_mod(s->quiesce.deadline,
              qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
              s->mapped_timeout_ms * (int64_t)SCALE_MS);
}

static bool is_quiet(Smmuv3SvaState *s)
{
    if (!look()) {
        look_later(s);
        return false;
    }
    switch (smmuv3_sva_mappings_look(s)) {
    case SMMUV3_SVA_MAPPINGS_UNSEEN:
        smmuv3_sva_quiesce_again(s);
        return false;
    case SMMUV3_SVA_MAPPINGS_STALE:
        if (s->mapped_timeout_ms && !s->quiesce.is_late) {
            wait_for_mappings(s);
            return false;
        }
        if (!smmuv3_sva_mappings_give_up(s)) {
            smmuv3_sva_quiesce_again(s);
            return false;
        }
        break;
    case SMMUV3_SVA_MAPPINGS_HOLD:
        break;
    }
    return true;
}

static void deadline_passed(void *opaque)
{
    Smmuv3SvaState *s = opaque;

    s->quiesce.is_late = true;
    smmuv3_sva_quiesce_again(s);
}

static void look_again(void *opaque)
{
    Smmuv3SvaState *s = opaque;

    if (!s->quiesce.asked || !is_quiet(s)) {
        return;
    }
    timer_del(s->quiesce.deadline);
    s->quiesce.asked = false;
    trace_smmuv3_sva_quiesced();
    if (runstate_is_running()) {
        smmu3_quiesced(s->core);
    } else {
        s->quiesce.while_stopped = true;
    }
}

void smmuv3_sva_quiesce_run(Smmuv3SvaState *s)
{
    if (s->quiesce.while_stopped) {
        s->quiesce.while_stopped = false;
        smmu3_quiesced(s->core);
    }
}

void smmuv3_sva_invalidated(Smmuv3SvaState *s, uint64_t first, uint64_t last)
{
    s->quiesce.first = MIN(s->quiesce.first, first);
    s->quiesce.last = MAX(s->quiesce.last, last);
}

bool smmuv3_sva_quiesce(Smmuv3SvaState *s)
{
    bool quiet;

    smmuv3_sva_threads_ask();
    smmuv3_sva_mappings_ask(s, s->quiesce.first, s->quiesce.last);
    s->quiesce.first = UINT64_MAX;
    s->quiesce.last = 0;
    s->quiesce.looks = 0;
    s->quiesce.is_late = false;
    quiet = is_quiet(s);
    s->quiesce.asked = !quiet;
    trace_smmuv3_sva_quiesce(!quiet);
    return quiet;
}

void smmuv3_sva_quiesce_init(Smmuv3SvaState *s)
{
    s->quiesce.timer = timer_new_ns(QEMU_CLOCK_REALTIME, look_again, s);
    s->quiesce.deadline = timer_new_ns(QEMU_CLOCK_VIRTUAL, deadline_passed, s);
    s->quiesce.first = UINT64_MAX;
    smmuv3_sva_mappings_init(s);
}
