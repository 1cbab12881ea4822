/*
 * The outbox: what the core has to tell its host once the lock is dropped -
 * interrupts, MSIs, answers to endpoints - in order. Not the decision to tell
 * it, nor the telling. A queue, no more: the caller holds the core's lock.
 * Filled through smmu3_post(), emptied by service.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_OUTBOX_H
#define SMMU3_OUTBOX_H

#include <glib.h>
#include "../interface/host.h"

typedef enum {
    SMMU3_MAIL_IRQ,             /* the wired interrupt and its MSI */
    SMMU3_MAIL_SYNC_MSI,        /* CMD_SYNC CS=IRQ: write and wired line */
    SMMU3_MAIL_SYNC_EVENT,      /* CMD_SYNC CS=SEV */
    SMMU3_MAIL_SEND_EVENT,      /* the command queue is no longer full */
    SMMU3_MAIL_STALL_RESOLVED,
    SMMU3_MAIL_ATC_INVALIDATE,
    SMMU3_MAIL_PRG_RESPONSE,
    SMMU3_MAIL_TLB_INVALIDATED,
    SMMU3_MAIL_CONFIG_INVALIDATED,
} Smmu3MailKind;

typedef struct Smmu3Mail {
    Smmu3MailKind kind;
    union {
        struct {
            Smmu3Irq line;
            bool msi;                   /* write an MSI as well */
            uint64_t msi_addr;
            uint32_t msi_data;
            uint32_t generation;        /* Smmu3's when it was put in */
        } irq;
        struct {
            void *cookie;
            Smmu3Resolution how;
        } stall;
        Smmu3AtcInvalidate atc;
        Smmu3PrgResponse prg;
        Smmu3TlbInvalidate tlb;
    };
} Smmu3Mail;

typedef struct Smmu3Outbox {
    GArray *mails;              /* of Smmu3Mail */
    guint next;                 /* first not yet delivered */
} Smmu3Outbox;

void smmu3_outbox_init(Smmu3Outbox *box);
void smmu3_outbox_clear(Smmu3Outbox *box);
bool smmu3_outbox_empty(const Smmu3Outbox *box);

void smmu3_outbox_put(Smmu3Outbox *box, const Smmu3Mail *mail);
/* The oldest; false: there is none. */
bool smmu3_outbox_take(Smmu3Outbox *box, Smmu3Mail *mail);

/* Drop undelivered STALL_RESOLVED mail for @cookie. */
void smmu3_outbox_forget(Smmu3Outbox *box, void *cookie);
/* Drop interrupts and completions, which a reset forgets. */
void smmu3_outbox_forget_signals(Smmu3Outbox *box);

#endif
