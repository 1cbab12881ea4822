/*
 * The SMMU as a whole: life cycle, the bounded work loop, interrupts, GERROR,
 * saving and counters. Not the registers (regs.c) and not translations
 * (translate.c). Called by whoever embeds the core, through smmu3.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "signal/state.h"

/*
 * Bounds of one smmu3_service() call: what is left is done after a kick. The
 * lock is held for at most COMMANDS_AT_ONCE commands.
 */
enum {
    COMMANDS_AT_ONCE = 256,
    COMMANDS_PER_SERVICE = 4096,
    MAILS_PER_SERVICE = 4096,
    ROUNDS_PER_SERVICE = 8192,
};

enum {
    DEFAULT_TLB_ENTRIES = 65536,
    DEFAULT_CONFIG_ENTRIES = 4096,
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
    s->tlb = smmu3_tlb_new(s->options.tlb_entries);
    s->configs = smmu3_config_cache_new(s->options.config_entries);
    s->stalls = smmu3_stall_table_new(features->stall_max);
    smmu3_outbox_init(&s->outbox);
    smmu3_regs_reset(s);
    return s;
}

void smmu3_free(Smmu3 *s)
{
    smmu3_outbox_clear(&s->outbox);
    smmu3_stall_table_free(s->stalls);
    smmu3_config_cache_free(s->configs);
    smmu3_tlb_free(s->tlb);
    g_mutex_clear(&s->lock);
    g_free(s);
}

static void forget_caches(Smmu3 *s)
{
    smmu3_tlb_invalidate_all(s->tlb);
    smmu3_config_invalidate_all(s->configs);
}

void smmu3_reset(Smmu3 *s)
{
    g_mutex_lock(&s->lock);
    s->life++;
    smmu3_outbox_forget_signals(s);
    smmu3_command_reset(s);
    smmu3_regs_reset(s);
    smmu3_stall_terminate_all(s);
    forget_caches(s);
    smmu3_kick(s);
    g_mutex_unlock(&s->lock);
}

/* ---- Interrupts and errors -------------------------------------------- */

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
                       .irq = { .line = line, .life = s->life } };
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
    smmu3_outbox_put(s, &mail);
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
    /* An interrupt that could not be sent cannot be announced by itself */
    if (raised & ~smmu3_field_mask(GERROR_MSI_GERROR_ABT)) {
        smmu3_interrupt(s, SMMU3_IRQ_GERROR);
    }
}

/* ---- Registers -------------------------------------------------------- */

static bool access_is_valid(Smmu3 *s, uint64_t offset, unsigned size)
{
    if ((size != 4 && size != 8) || offset % size ||
        offset > SMMU3_MMIO_BYTES - size) {
        g_mutex_lock(&s->lock);
        smmu3_guest_error(s, "access of %u bytes at 0x%" PRIx64
                          " is not supported", size, offset);
        g_mutex_unlock(&s->lock);
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
    g_mutex_lock(&s->lock);
    value = smmu3_regs_read(s, offset, size);
    g_mutex_unlock(&s->lock);
    return value;
}

void smmu3_mmio_write(Smmu3 *s, uint64_t offset, uint64_t value,
                      unsigned size)
{
    if (!access_is_valid(s, offset, size)) {
        return;
    }
    g_mutex_lock(&s->lock);
    smmu3_regs_write(s, offset, value, size);
    g_mutex_unlock(&s->lock);
    smmu3_service(s);
}

/* ---- Work ------------------------------------------------------------- */

/*
 * Begin, unless a caller further up is at it: a host function may write a
 * register. That one goes on with whatever this call was for.
 */
static bool enter_service(Smmu3 *s)
{
    bool entered;

    g_mutex_lock(&s->lock);
    entered = !s->in_service;
    s->in_service = true;
    g_mutex_unlock(&s->lock);
    return entered;
}

/* End if there is nothing left; in one piece, so that no kick is missed. */
static bool leave_if_idle(Smmu3 *s)
{
    bool idle;

    g_mutex_lock(&s->lock);
    idle = smmu3_outbox_empty(&s->outbox) && !smmu3_command_runnable(s);
    if (idle) {
        s->in_service = false;
    }
    g_mutex_unlock(&s->lock);
    return idle;
}

static void leave_for_later(Smmu3 *s)
{
    g_mutex_lock(&s->lock);
    s->in_service = false;
    smmu3_kick(s);
    g_mutex_unlock(&s->lock);
}

static unsigned run_commands(Smmu3 *s, unsigned max)
{
    unsigned consumed;

    g_mutex_lock(&s->lock);
    consumed = smmu3_command_run(s, MIN(max, COMMANDS_AT_ONCE));
    /* Software made room in the queue, or a CMD_RESUME freed a STAG */
    smmu3_stall_flush(s);
    g_mutex_unlock(&s->lock);
    return consumed;
}

void smmu3_service(Smmu3 *s)
{
    unsigned commands = COMMANDS_PER_SERVICE;
    unsigned mails = MAILS_PER_SERVICE;

    if (!enter_service(s)) {
        return;
    }
    for (unsigned round = 0; round < ROUNDS_PER_SERVICE; round++) {
        mails -= smmu3_outbox_deliver(s, mails);
        commands -= run_commands(s, commands);
        if (!mails || !commands) {
            break;
        }
        if (!smmu3_command_ask_host(s) && leave_if_idle(s)) {
            return;
        }
    }
    leave_for_later(s);
}

void smmu3_flush(Smmu3 *s)
{
    if (enter_service(s)) {
        smmu3_outbox_deliver(s, MAILS_PER_SERVICE);
        leave_for_later(s);
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

/* Move what the stripes have counted to where it is read. */
static void collect_hot_counters(Smmu3 *s)
{
    for (unsigned i = 0; i < SMMU3_HOT_STRIPES; i++) {
        Smmu3HotCounters *hot = &s->hot[i];

        atomic_fetch_add(&s->counters.translations,
                         atomic_exchange(&hot->translations, 0));
        atomic_fetch_add(&s->counters.tlb_hits,
                         atomic_exchange(&hot->tlb_hits, 0));
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
}

/*
 * Under the lock: an interrupt may have been on its way when the state was
 * saved. One too many does no harm.
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

    g_mutex_lock(&s->lock);
    s->life++;
    /* Whoever had something stalled here is being replaced, too */
    smmu3_stall_forget_all(s);
    smmu3_outbox_clear(&s->outbox);
    smmu3_outbox_init(&s->outbox);
    smmu3_command_reset(s);
    smmu3_regs_reset(s);
    forget_caches(s);
    for (size_t i = 0; i < stall_count && ok; i++) {
        ok = smmu3_stall_restore(s, &stalls[i]);
    }
    if (ok) {
        s->regs = *regs;
        smmu3_regs_publish(s);
        interrupt_again(s);
    } else {
        smmu3_stall_forget_all(s);
    }
    smmu3_kick(s);
    g_mutex_unlock(&s->lock);
    return ok;
}
