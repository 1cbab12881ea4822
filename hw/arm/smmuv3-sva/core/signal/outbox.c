/*
 * The outbox: what the core has to tell its host once the lock is dropped, in
 * order. Not the decision to tell it. Filled by the other parts, emptied by
 * smmu3_service().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../commands/command.h"
#include "state.h"

/* Delivered mails are dropped from the array when so many have gathered. */
enum { COMPACT_MAILS = 256 };

void smmu3_outbox_init(Smmu3Outbox *box)
{
    box->mails = g_array_new(FALSE, FALSE, sizeof(Smmu3Mail));
    box->next = 0;
}

void smmu3_outbox_clear(Smmu3Outbox *box)
{
    g_array_free(box->mails, TRUE);
    box->mails = NULL;
    box->next = 0;
}

bool smmu3_outbox_empty(const Smmu3Outbox *box)
{
    return box->next == box->mails->len;
}

void smmu3_outbox_put(Smmu3 *s, const Smmu3Mail *mail)
{
    g_array_append_val(s->outbox.mails, *mail);
    smmu3_kick(s);
}

static void keep_if(Smmu3Outbox *box,
                    bool (*keep)(const Smmu3Mail *mail, void *opaque),
                    void *opaque)
{
    guint to = box->next;

    for (guint from = box->next; from < box->mails->len; from++) {
        Smmu3Mail *mail = &g_array_index(box->mails, Smmu3Mail, from);

        if (keep(mail, opaque)) {
            g_array_index(box->mails, Smmu3Mail, to++) = *mail;
        }
    }
    g_array_set_size(box->mails, to);
}

static bool not_for_cookie(const Smmu3Mail *mail, void *cookie)
{
    return mail->kind != SMMU3_MAIL_STALL_RESOLVED ||
           mail->stall.cookie != cookie;
}

void smmu3_outbox_forget(Smmu3 *s, void *cookie)
{
    keep_if(&s->outbox, not_for_cookie, cookie);
}

static bool not_a_signal(const Smmu3Mail *mail, void *opaque)
{
    (void)opaque;
    return mail->kind > SMMU3_MAIL_SEND_EVENT;
}

void smmu3_outbox_forget_signals(Smmu3 *s)
{
    keep_if(&s->outbox, not_a_signal, NULL);
}

static bool take(Smmu3 *s, Smmu3Mail *mail)
{
    Smmu3Outbox *box = &s->outbox;

    if (smmu3_outbox_empty(box)) {
        g_array_set_size(box->mails, 0);
        box->next = 0;
        return false;
    }
    *mail = g_array_index(box->mails, Smmu3Mail, box->next++);
    if (box->next == COMPACT_MAILS) {
        g_array_remove_range(box->mails, 0, box->next);
        box->next = 0;
    }
    return true;
}

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
        g_mutex_lock(&s->lock);
        if (mail->irq.life == s->life) {
            smmu3_guest_error(s, "an MSI to 0x%" PRIx64 " was aborted",
                              mail->irq.msi_addr);
            smmu3_gerror_raise(s, msi_abort_error(mail->irq.line));
        }
        g_mutex_unlock(&s->lock);
    }
    s->ops->irq(s->host, mail->irq.line);
}

static void deliver(Smmu3 *s, const Smmu3Mail *mail)
{
    switch (mail->kind) {
    case SMMU3_MAIL_IRQ:
        signal_interrupt(s, mail);
        break;
    case SMMU3_MAIL_SYNC_MSI:
        signal_interrupt(s, mail);
        smmu3_command_signalled(s, mail->irq.life);
        break;
    case SMMU3_MAIL_SYNC_EVENT:
        s->ops->send_event(s->host);
        smmu3_command_signalled(s, mail->irq.life);
        break;
    case SMMU3_MAIL_SEND_EVENT:
        s->ops->send_event(s->host);
        break;
    case SMMU3_MAIL_STALL_RESOLVED:
        s->ops->stall_resolved(s->host, mail->stall.cookie, mail->stall.how);
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
    }
}

unsigned smmu3_outbox_deliver(Smmu3 *s, unsigned max)
{
    unsigned done = 0;

    while (done < max) {
        Smmu3Mail mail;
        bool more;

        g_mutex_lock(&s->lock);
        more = take(s, &mail);
        g_mutex_unlock(&s->lock);
        if (!more) {
            break;
        }
        deliver(s, &mail);
        done++;
    }
    return done;
}
