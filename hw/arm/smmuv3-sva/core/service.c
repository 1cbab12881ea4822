/*
 * See service.h. Rounds of three steps: deliver, work under the lock, ask the
 * host; until nothing is left, or so much was done. Only one caller is in the
 * loop at a time; who comes meanwhile leaves it the work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "service.h"
#include <inttypes.h>
#include "commands/command.h"
#include "commands/sync.h"
#include "queues/stall.h"
#include "signal/signal.h"
#include "signal/work.h"

/*
 * smmu3_flush() sends all that is due, for what is left is lost with the state
 * that is saved; but not what a host's function makes due for ever.
 */
enum { MAILS_PER_FLUSH = 1 << 20 };

/* ---- Delivery ---------------------------------------------------------- */

/* The GERROR that an aborted MSI of @line activates (IHI 0070 6.3.19). */
static uint32_t msi_abort_error(Smmu3Irq line)
{
    switch (line) {
    case SMMU3_IRQ_EVENTQ:
        return smmu3_field_mask(GERROR_MSI_EVENTQ_ABT);
    case SMMU3_IRQ_PRIQ:
        return smmu3_field_mask(GERROR_MSI_PRIQ_ABT);
    case SMMU3_IRQ_CMD_SYNC:
        return smmu3_field_mask(GERROR_MSI_CMDQ_ABT);
    default:
        return smmu3_field_mask(GERROR_MSI_GERROR_ABT);
    }
}

static void signal_interrupt(Smmu3 *s, const Smmu3Mail *mail)
{
    if (mail->irq.msi &&
        !s->ops->msi(s->host, mail->irq.msi_addr, mail->irq.msi_data)) {
        smmu3_lock(s);
        if (mail->irq.generation == s->generation) {
            smmu3_guest_error(s, "an MSI to 0x%" PRIx64 " was aborted",
                              mail->irq.msi_addr);
            smmu3_gerror_raise(s, msi_abort_error(mail->irq.line));
        }
        smmu3_unlock(s);
    }
    s->ops->irq(s->host, mail->irq.line);
}

static void signalled(Smmu3 *s, uint32_t generation)
{
    smmu3_lock(s);
    smmu3_sync_signalled(s, generation);
    smmu3_unlock(s);
}

/* smmu3_cancel() in another thread waits until this is over. */
static void tell_resolved(Smmu3 *s, const Smmu3Mail *mail)
{
    s->ops->stall_resolved(s->host, mail->stall.cookie, mail->stall.how);
    smmu3_lock(s);
    s->resolver = NULL;
    if (s->waiting_for_it) {
        g_cond_broadcast(&s->resolved);
    }
    smmu3_unlock(s);
}

/*
 * The oldest mail; false: there is none. From the outbox to the endpoint in one
 * piece, as smmu3_cancel() sees it: it finds an answer in one place or the other.
 */
static bool take(Smmu3 *s, Smmu3Mail *mail)
{
    bool any;

    smmu3_lock(s);
    any = smmu3_outbox_take(&s->outbox, mail);
    if (any && mail->kind == SMMU3_MAIL_STALL_RESOLVED) {
        s->resolving = mail->stall.cookie;
        s->resolver = g_thread_self();
    }
    smmu3_unlock(s);
    return any;
}

static void deliver(Smmu3 *s, const Smmu3Mail *mail)
{
    switch (mail->kind) {
    case SMMU3_MAIL_IRQ:
        signal_interrupt(s, mail);
        break;
    case SMMU3_MAIL_SYNC_MSI:
        signal_interrupt(s, mail);
        signalled(s, mail->irq.generation);
        break;
    case SMMU3_MAIL_SYNC_EVENT:
        s->ops->send_event(s->host);
        signalled(s, mail->irq.generation);
        break;
    case SMMU3_MAIL_SEND_EVENT:
        s->ops->send_event(s->host);
        break;
    case SMMU3_MAIL_STALL_RESOLVED:
        tell_resolved(s, mail);
        break;
    case SMMU3_MAIL_ATC_INVALIDATE:
        s->ops->atc_invalidate(s->host, &mail->atc);
        break;
    case SMMU3_MAIL_PRG_RESPONSE:
        s->ops->prg_response(s->host, &mail->prg);
        break;
    case SMMU3_MAIL_TLB_INVALIDATED:
        s->ops->tlb_invalidated(s->host, &mail->tlb);
        break;
    case SMMU3_MAIL_CONFIG_INVALIDATED:
        s->ops->config_invalidated(s->host);
        break;
    }
}

/* Deliver what is there and what comes meanwhile; how many there were. */
static unsigned deliver_all(Smmu3 *s, unsigned max)
{
    unsigned done = 0;

    Smmu3Mail mail;

    while (done < max && take(s, &mail)) {
        deliver(s, &mail);
        done++;
    }
    return done;
}

/* ---- The loop ---------------------------------------------------------- */

/*
 * Begin, unless a caller further up is at it: a host function may write a
 * register. That one goes on with whatever this call was for.
 */
static bool enter_service(Smmu3 *s)
{
    bool entered;

    smmu3_lock(s);
    entered = !s->in_service;
    s->in_service = true;
    smmu3_unlock(s);
    return entered;
}

/* End if there is nothing left; in one piece, so that no kick is missed. */
static bool leave_if_idle(Smmu3 *s)
{
    bool idle;

    smmu3_lock(s);
    idle = smmu3_outbox_empty(&s->outbox) && !smmu3_command_runnable(s);
    if (idle) {
        s->in_service = false;
    }
    smmu3_unlock(s);
    return idle;
}

static void leave_for_later(Smmu3 *s)
{
    smmu3_lock(s);
    s->in_service = false;
    smmu3_kick(s);
    smmu3_unlock(s);
}

/*
 * One hold of the lock: what ends with a disable, then commands, then records
 * of stalls, for software made room in the queue, or a CMD_RESUME freed a STAG.
 * Returns what it cost; *@more: not all of the stalls were come to.
 */
static unsigned work_once(Smmu3 *s, bool *more)
{
    unsigned work, ended, recorded = 0;

    smmu3_lock(s);
    ended = smmu3_stall_drain(s, SMMU3_STALLS_AT_ONCE);
    work = ended * SMMU3_WORK_STALL;
    if (ended < SMMU3_STALLS_AT_ONCE) {
        work += smmu3_command_run(s, SMMU3_WORK_AT_ONCE);
        recorded = smmu3_stall_flush(s, SMMU3_STALLS_AT_ONCE);
        work += recorded * SMMU3_WORK_RECORD;
    }
    smmu3_unlock(s);
    *more = ended == SMMU3_STALLS_AT_ONCE || recorded == SMMU3_STALLS_AT_ONCE;
    return work;
}

/* What a waiting command needs of the host. True if something was called. */
static bool ask_host(Smmu3 *s)
{
    Smmu3SyncQuestions ask;
    bool any;

    smmu3_lock(s);
    any = smmu3_sync_questions(s, &ask);
    smmu3_unlock(s);
    if (!any) {
        return false;
    }
    if (ask.set_timer) {
        s->ops->atc_timer(s->host, ask.timer_ns);
    }
    if (ask.quiesce && s->ops->quiesce(s->host)) {
        smmu3_lock(s);
        smmu3_sync_quiesced(s);
        smmu3_unlock(s);
    }
    return true;
}

void smmu3_service(Smmu3 *s)
{
    unsigned work = 0;

    if (!enter_service(s)) {
        return;
    }
    while (work < SMMU3_WORK_PER_SERVICE) {
        unsigned left = SMMU3_WORK_PER_SERVICE - work;
        bool more;

        work += deliver_all(s, left / SMMU3_WORK_MAIL + 1) * SMMU3_WORK_MAIL;
        work += work_once(s, &more) + SMMU3_WORK_ROUND;
        if (!ask_host(s) && !more && leave_if_idle(s)) {
            return;
        }
    }
    leave_for_later(s);
}

static void hurry(Smmu3 *s)
{
    smmu3_lock(s);
    smmu3_command_hurry(s);
    smmu3_unlock(s);
}

/* One hold of the lock. Whether there may be more. */
static bool drain_at_once(Smmu3 *s)
{
    bool more;

    smmu3_lock(s);
    more = smmu3_command_run_late(s, SMMU3_WORK_AT_ONCE);
    more |= smmu3_stall_drain(s, SMMU3_STALLS_AT_ONCE) > 0;
    smmu3_unlock(s);
    return more;
}

void smmu3_flush(Smmu3 *s)
{
    unsigned left = MAILS_PER_FLUSH;
    bool more;

    if (!enter_service(s)) {
        return;
    }
    hurry(s);
    do {
        more = drain_at_once(s);
        left -= deliver_all(s, left);
    } while (more && left);
    leave_for_later(s);
}

/* ---- The host's delayed answers ---------------------------------------- */

void smmu3_quiesced(Smmu3 *s)
{
    smmu3_lock(s);
    smmu3_sync_quiesced(s);
    smmu3_unlock(s);
    smmu3_service(s);
}

void smmu3_atc_invalidated(Smmu3 *s, uint32_t batch)
{
    smmu3_lock(s);
    smmu3_sync_atc_answered(s, batch);
    smmu3_unlock(s);
}

void smmu3_atc_timeout(Smmu3 *s)
{
    smmu3_lock(s);
    smmu3_sync_atc_timeout(s);
    smmu3_unlock(s);
    smmu3_service(s);
}
