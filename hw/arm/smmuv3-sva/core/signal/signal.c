/*
 * See signal.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "signal.h"

void smmu3_post(Smmu3 *s, const Smmu3Mail *mail)
{
    smmu3_outbox_put(&s->outbox, mail);
    smmu3_kick(s);
}

void smmu3_guest_error(Smmu3 *s, const char *fmt, ...)
{
    va_list args;
    char *message;

    if (!s->ops->guest_error) {
        return;
    }
    va_start(args, fmt);
    message = g_strdup_vprintf(fmt, args);
    va_end(args);
    s->ops->guest_error(s->host, message);
    g_free(message);
}

/* ---- Interrupts --------------------------------------------------------- */

static bool delay_interrupt(Smmu3 *s, Smmu3InjectWhat what, uint32_t syncs,
                            const Smmu3Mail *mail)
{
    uint64_t words[] = { mail->irq.line, mail->irq.msi, mail->irq.msi_addr,
                         mail->irq.msi_data };

    /* No interrupt, then: SEV */
    if (mail->kind == SMMU3_MAIL_SYNC_EVENT) {
        words[0] = SMMU3_IRQ_COUNT;
    }
    return smmu3_delay(&s->inject.delayed, what, words, G_N_ELEMENTS(words),
                       syncs);
}

bool smmu3_interrupt_goes_wrong(Smmu3 *s, Smmu3InjectWhat what,
                                const Smmu3Mail *mail)
{
    Smmu3Injecting *injecting = smmu3_injects(&s->inject)
                                ? smmu3_inject_next(&s->inject, what) : NULL;

    if (!injecting) {
        return false;
    }
    if (injecting->count.plan.action == SMMU3_INJECT_DROP) {
        smmu3_count(&s->counters.injected_drops);
    } else if (!delay_interrupt(s, what, injecting->count.plan.syncs, mail)) {
        return false;
    }
    injecting->count.done++;
    return true;
}

/* A CMD_SYNC's, too: what that was for is over. */
void smmu3_interrupt_late(Smmu3 *s, const Smmu3Late *late)
{
    bool event = late->words[0] == SMMU3_IRQ_COUNT;
    Smmu3Mail mail = {
        .kind = event ? SMMU3_MAIL_SEND_EVENT : SMMU3_MAIL_IRQ,
        .irq = { .line = event ? 0 : late->words[0], .msi = late->words[1],
                 .msi_addr = late->words[2], .msi_data = late->words[3],
                 .generation = s->generation },
    };

    smmu3_post(s, &mail);
}

void smmu3_interrupts_disabled(Smmu3 *s, uint64_t cleared)
{
    Smmu3Delayed *delayed = &s->inject.delayed;

    if (smmu3_get(&cleared, IRQ_CTRL_EVENTQ)) {
        smmu3_delayed_cancel(delayed, SMMU3_INJECT_EVENTQ_IRQ);
    }
    if (smmu3_get(&cleared, IRQ_CTRL_PRIQ)) {
        smmu3_delayed_cancel(delayed, SMMU3_INJECT_PRIQ_IRQ);
    }
    if (smmu3_get(&cleared, IRQ_CTRL_GERROR)) {
        smmu3_delayed_cancel(delayed, SMMU3_INJECT_GERROR_IRQ);
    }
}

void smmu3_interrupt(Smmu3 *s, Smmu3Irq line)
{
    Smmu3Mail mail = { .kind = SMMU3_MAIL_IRQ,
                       .irq = { .line = line, .generation = s->generation } };
    uint64_t enables = s->regs.irq_ctrlack;
    const Smmu3IrqConfig *config;
    Smmu3InjectWhat what;
    bool on;

    switch (line) {
    case SMMU3_IRQ_EVENTQ:
        what = SMMU3_INJECT_EVENTQ_IRQ;
        on = smmu3_get(&enables, IRQ_CTRL_EVENTQ);
        config = &s->regs.eventq_irq;
        break;
    case SMMU3_IRQ_PRIQ:
        what = SMMU3_INJECT_PRIQ_IRQ;
        on = smmu3_get(&enables, IRQ_CTRL_PRIQ);
        config = &s->regs.priq_irq;
        break;
    default:
        what = SMMU3_INJECT_GERROR_IRQ;
        on = smmu3_get(&enables, IRQ_CTRL_GERROR);
        config = &s->regs.gerror_irq;
        break;
    }
    if (!on) {
        return;     /* what happens while disabled is lost for good */
    }
    mail.irq.msi_addr = smmu3_get_addr(&config->addr, IRQ_CFG0_ADDR) &
                        smmu3_mask(smmu3_oas_bits(&s->features));
    mail.irq.msi = mail.irq.msi_addr != 0;  /* bits above OAS are RES0 */
    mail.irq.msi_data = config->data;
    if (!smmu3_interrupt_goes_wrong(s, what, &mail)) {
        smmu3_post(s, &mail);
    }
}

uint32_t smmu3_gerror_active(const Smmu3 *s)
{
    return s->regs.gerror ^ s->regs.gerrorn;
}

void smmu3_gerror_raise(Smmu3 *s, uint32_t errors)
{
    uint32_t raised = errors & ~smmu3_gerror_active(s);

    if (!raised) {
        return;
    }
    s->regs.gerror ^= raised;
    smmu3_trace(s, SMMU3_TRACE_GERROR, s->regs.gerror, s->regs.gerrorn, 0, 0);
    /* MSI_GERROR_ABT: the interrupt's own MSI just aborted, and would again */
    if (raised & ~smmu3_field_mask(GERROR_MSI_GERROR_ABT)) {
        smmu3_interrupt(s, SMMU3_IRQ_GERROR);
    }
}

