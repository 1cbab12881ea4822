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

void smmu3_interrupt(Smmu3 *s, Smmu3Irq line)
{
    Smmu3Mail mail = { .kind = SMMU3_MAIL_IRQ,
                       .irq = { .line = line, .generation = s->generation } };
    uint64_t enables = s->regs.irq_ctrlack;
    const Smmu3IrqConfig *config;
    bool on;

    switch (line) {
    case SMMU3_IRQ_EVENTQ:
        on = smmu3_get(&enables, IRQ_CTRL_EVENTQ);
        config = &s->regs.eventq_irq;
        break;
    case SMMU3_IRQ_PRIQ:
        on = smmu3_get(&enables, IRQ_CTRL_PRIQ);
        config = &s->regs.priq_irq;
        break;
    default:
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
    smmu3_post(s, &mail);
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

