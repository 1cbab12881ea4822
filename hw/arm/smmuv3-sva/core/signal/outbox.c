/*
 * See outbox.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "outbox.h"

/* Delivered mails are dropped from the array when so many have gathered, and
   are half of it: then moving the others costs no more than they did. */
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

void smmu3_outbox_put(Smmu3Outbox *box, const Smmu3Mail *mail)
{
    g_array_append_val(box->mails, *mail);
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

void smmu3_outbox_forget(Smmu3Outbox *box, void *cookie)
{
    keep_if(box, not_for_cookie, cookie);
}

static bool not_a_signal(const Smmu3Mail *mail, void *opaque)
{
    (void)opaque;
    return mail->kind > SMMU3_MAIL_SEND_EVENT;
}

void smmu3_outbox_forget_signals(Smmu3Outbox *box)
{
    keep_if(box, not_a_signal, NULL);
}

bool smmu3_outbox_take(Smmu3Outbox *box, Smmu3Mail *mail)
{
    if (smmu3_outbox_empty(box)) {
        g_array_set_size(box->mails, 0);
        box->next = 0;
        return false;
    }
    *mail = g_array_index(box->mails, Smmu3Mail, box->next++);
    if (box->next >= COMPACT_MAILS && box->next * 2 >= box->mails->len) {
        g_array_remove_range(box->mails, 0, box->next);
        box->next = 0;
    }
    return true;
}

