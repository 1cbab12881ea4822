/*
 * See sync.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sync.h"
#include "../queues/stall.h"
#include "../signal/signal.h"

void smmu3_sync_wait(Smmu3 *s, Smmu3QueuePhase phase)
{
    s->command.phase = phase;
    if (++s->command.ticket == 0) {
        s->command.ticket = 1;      /* 0 is "no timer" */
    }
    smmu3_trace(s, SMMU3_TRACE_COMMAND_WAITS,
                phase == SMMU3_QUEUE_WAITS_SIGNALS ? SMMU3_WAIT_SIGNALS :
                phase == SMMU3_QUEUE_WAITS_ATC ? SMMU3_WAIT_ATC :
                SMMU3_WAIT_QUIESCE, 0, 0, 0);
}

/* ---- CMD_SYNC (4.7) --------------------------------------------------- */

/* Put the completion signal into the outbox, if there is one. */
static void signal_completion(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3Mail mail = { .irq = { .line = SMMU3_IRQ_CMD_SYNC,
                                .generation = s->generation } };

    switch (smmu3_get(cmd, CMD_SYNC_CS)) {
    case CMD_SYNC_CS_IRQ:
        mail.kind = SMMU3_MAIL_SYNC_MSI;
        /* All of the field says whether there is one, not OAS of its bits */
        mail.irq.msi = s->features.msi && smmu3_get(cmd, CMD_SYNC_MSIADDR);
        if (mail.irq.msi) {
            mail.irq.msi_addr = smmu3_get_addr(cmd, CMD_SYNC_MSIADDR) &
                                smmu3_mask(smmu3_oas_bits(&s->features));
            mail.irq.msi_data = smmu3_get(cmd, CMD_SYNC_MSIDATA);
        }
        break;
    case CMD_SYNC_CS_SEV:
        if (!s->features.sev || !s->ops->send_event) {
            return;
        }
        mail.kind = SMMU3_MAIL_SYNC_EVENT;
        break;
    default:
        return;
    }
    if (smmu3_interrupt_goes_wrong(s, SMMU3_INJECT_SYNC_IRQ, &mail)) {
        return;
    }
    s->command.signals++;
    smmu3_post(s, &mail);
}

/*
 * What a CMD_SYNC at CONS waits for: the states of Smmu3QueuePhase. It comes
 * here again after each wait, from the first question on.
 *
 *   RUNS -+- earlier ones' signals are on their way --> WAITS_SIGNALS --+
 *    ^    +- ATC invalidations are unanswered --------> WAITS_ATC ------+
 *    |    +- what was invalidated may be in use ------> ASKS_QUIESCE    |
 *    |    |                          service.c asks the host |          |
 *    |    |                                             WAITS_QUIESCE --+
 *    |    +- stalls without a record are many: retried in parts, RUNS   |
 *    |    +- consumed, its signal in the outbox                         |
 *    |    +- CERROR_ATC_INV_SYNC, if an answer never came               |
 *    +-- delivered; answered or timed out; out of use; CMDQEN=0, reset -+
 *
 * Whoever sees the signal must see that the command is consumed (3.18), so it
 * is sent after that, from the outbox; the next CMD_SYNC waits for its
 * delivery.
 */
Smmu3Verdict smmu3_sync_run(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3CommandState *c = &s->command;

    if (smmu3_get(cmd, CMD_SYNC_CS) > CMD_SYNC_CS_SEV) {
        return SMMU3_CMD_ILLEGAL;
    }
    if (s->audit) {
        smmu3_audit_sync_begins(s->audit);
    }
    if (c->signals) {
        smmu3_sync_wait(s, SMMU3_QUEUE_WAITS_SIGNALS);
        return SMMU3_CMD_WAITS;
    }
    if (c->atc_lost) {
        c->atc_lost = false;
        return SMMU3_CMD_ATC_FAILED;
    }
    if (c->atc_pending) {
        smmu3_sync_wait(s, SMMU3_QUEUE_WAITS_ATC);
        return SMMU3_CMD_WAITS;
    }
    if (c->invalidated && !c->quiesced) {
        smmu3_sync_wait(s, SMMU3_QUEUE_ASKS_QUIESCE);
        return SMMU3_CMD_WAITS;
    }
    if (c->invalidated) {
        uint64_t before = smmu3_command_stalls_before(s);
        unsigned resolved =
            smmu3_stall_retry_unrecorded(s, before, SMMU3_STALLS_AT_ONCE);

        if (!smmu3_command_stalls_done(s, resolved)) {
            return SMMU3_CMD_UNFINISHED;
        }
        c->invalidated = c->quiesced = false;
    }
    smmu3_count(&s->counters.syncs);
    smmu3_delayed_synced(&s->inject.delayed);
    if (s->audit) {
        c->work += smmu3_audit_synced(s->audit);
    }
    signal_completion(s, cmd);
    return SMMU3_CMD_CONSUMED;
}

/* ---- Answers ---------------------------------------------------------- */

bool smmu3_sync_may_go_on(const Smmu3 *s)
{
    switch (s->command.phase) {
    case SMMU3_QUEUE_RUNS:
        return true;
    case SMMU3_QUEUE_WAITS_ATC:
        return !s->command.atc_pending;
    case SMMU3_QUEUE_WAITS_SIGNALS:
        return !s->command.signals;
    default:
        return false;
    }
}

void smmu3_sync_signalled(Smmu3 *s, uint32_t generation)
{
    if (generation == s->generation) {
        s->command.signals--;
    }
}

/*
 * There is one question at a time, so if the one that was asked for was given
 * up, no newer one waits for an answer.
 */
void smmu3_sync_quiesced(Smmu3 *s)
{
    Smmu3CommandState *c = &s->command;

    c->quiesce_outstanding = false;
    if (c->phase == SMMU3_QUEUE_WAITS_QUIESCE) {
        c->quiesced = true;
        c->phase = SMMU3_QUEUE_RUNS;
    }
}

void smmu3_sync_atc_answered(Smmu3 *s, uint32_t batch)
{
    Smmu3CommandState *c = &s->command;

    if (batch == c->atc_batch && c->atc_pending) {
        c->atc_pending--;
        if (c->phase == SMMU3_QUEUE_WAITS_ATC && !c->atc_pending) {
            smmu3_kick(s);
        }
    }
}

void smmu3_sync_atc_timeout(Smmu3 *s)
{
    Smmu3CommandState *c = &s->command;

    c->timer_ticket = 0;
    if (c->phase == SMMU3_QUEUE_WAITS_ATC && c->atc_pending) {
        c->atc_lost = true;
        c->atc_batch++;
        c->atc_pending = 0;
    }
}

/* What the ATC timer should run for. */
static uint32_t timer_wanted(const Smmu3CommandState *c)
{
    return c->phase == SMMU3_QUEUE_WAITS_ATC && c->atc_pending ? c->ticket : 0;
}

bool smmu3_sync_questions(Smmu3 *s, Smmu3SyncQuestions *ask)
{
    Smmu3CommandState *c = &s->command;
    uint32_t ticket = timer_wanted(c);

    /*
     * One question at a time: the last answer must not pass for this one's.
     * The host hears first what was invalidated.
     */
    ask->quiesce = c->phase == SMMU3_QUEUE_ASKS_QUIESCE &&
                   !c->quiesce_outstanding && smmu3_outbox_empty(&s->outbox);
    if (ask->quiesce) {
        c->quiesce_outstanding = true;
        c->phase = SMMU3_QUEUE_WAITS_QUIESCE;
    }
    ask->set_timer = s->ops->atc_timer && ticket != c->timer_ticket;
    if (ask->set_timer) {
        c->timer_ticket = ticket;
        ask->timer_ns = ticket ? s->options.atc_timeout_ns : 0;
    }
    return ask->quiesce || ask->set_timer;
}
