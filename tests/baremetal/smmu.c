/*
 * See smmu.h: registers, queues and interrupts. Streams and answers are
 * smmu-streams.c's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "console.h"
#include "irq.h"
#include "arena.h"
#include "smmu.h"
#include "smmu-tables.h"

enum { CMDQ_LOG2 = 7, DEFAULT_LOG2 = 6 };
/* The DeviceID of the SMMU's own messages: docs/limits.rst */
#define MESSAGES_FROM   0
enum { MESSAGE_EVENTS, MESSAGE_PRI, MESSAGE_GERROR, MESSAGE_SYNC };

typedef struct OutputQueue {
    uint64_t *entries;
    unsigned log2, words;
    uint32_t prod, cons;        /* offsets of registers */
} OutputQueue;

static OutputQueue eventq, priq;
static uint64_t *cmdq;
static uint32_t cmdq_prod;
static SmmuSetup how;
static uint64_t *strtab;
volatile SmmuIrqs smmu_irqs;

/* ---- Registers ---------------------------------------------------------- */

uint32_t smmu_read32(uint32_t reg)
{
    return read32(SMMU_PA + reg);
}

void smmu_write32(uint32_t reg, uint32_t value)
{
    write32(SMMU_PA + reg, value);
}

uint64_t smmu_read64(uint32_t reg)
{
    return read64(SMMU_PA + reg);
}

void smmu_write64(uint32_t reg, uint64_t value)
{
    write64(SMMU_PA + reg, value);
}

static void write_acked(uint32_t reg, uint32_t ack, uint32_t value)
{
    smmu_write32(reg, value);
    while (smmu_read32(ack) != value) {
        continue;
    }
}

void smmu_cr0(uint32_t set, uint32_t clear)
{
    uint32_t cr0 = smmu_read32(SMMU3_CR0);

    write_acked(SMMU3_CR0, SMMU3_CR0ACK, (cr0 & ~clear) | set);
}

/* ---- Commands ----------------------------------------------------------- */

static uint32_t index_mask(unsigned log2)
{
    return (1u << log2) - 1;
}

/* With the wrap bit */
static uint32_t wrap_mask(unsigned log2)
{
    return (2u << log2) - 1;
}

static uint32_t cmdq_cons(void)
{
    uint64_t cons = smmu_read32(SMMU3_CMDQ_CONS);

    if (smmu3_get(&cons, CMDQ_CONS_ERR)) {
        uint64_t gerror = smmu_read32(SMMU3_GERROR) ^
                          smmu_read32(SMMU3_GERRORN);

        if (smmu3_get(&gerror, GERROR_CMDQ)) {
            print("\nBail out! command error %lu at %lu\n",
                  smmu3_get(&cons, CMDQ_CONS_ERR),
                  smmu3_get(&cons, QUEUE_INDEX));
            guest_exit(1);
        }
    }
    return cons & wrap_mask(CMDQ_LOG2);
}

/* Interrupts are masked: a handler's command must not come in between. */
static void put_command(const uint64_t command[SMMU3_CMD_WORDS])
{
    while ((cmdq_prod ^ cmdq_cons()) == 1u << CMDQ_LOG2) {
        continue;
    }
    memcpy(&cmdq[(cmdq_prod & index_mask(CMDQ_LOG2)) * SMMU3_CMD_WORDS],
           command, SMMU3_CMD_BYTES);
    cmdq_prod = (cmdq_prod + 1) & wrap_mask(CMDQ_LOG2);
    smmu_write32(SMMU3_CMDQ_PROD, cmdq_prod);
}

void smmu_command(const uint64_t command[SMMU3_CMD_WORDS])
{
    uint64_t daif = sysreg_read("daif");

    irq_mask();
    put_command(command);
    sysreg_write("daif", daif);
}

void smmu_sync(void)
{
    const uint64_t command[SMMU3_CMD_WORDS] = { CMD_SYNC };

    smmu_command(command);
    while (cmdq_cons() != cmdq_prod) {
        continue;
    }
}

void smmu_sync_by_interrupt(void)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_SYNC };
    unsigned before = smmu_irqs.syncs;

    smmu3_set(command, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
    if (how.messages) {
        smmu3_set(command, CMD_SYNC_MSIDATA, MESSAGE_SYNC);
        smmu3_set_addr(command, CMD_SYNC_MSIADDR, irq_doorbell());
    }
    smmu_command(command);
    while (smmu_irqs.syncs == before) {
        continue;
    }
}

/* ---- Output queues ------------------------------------------------------ */

/* The oldest entry, which then is the SMMU's again; false: there is none. */
static bool take(const OutputQueue *q, uint64_t *entry)
{
    uint64_t prod = smmu_read32(q->prod), cons = smmu_read32(q->cons);
    uint32_t index = cons & index_mask(q->log2);

    if (((prod ^ cons) & wrap_mask(q->log2)) == 0) {
        /* Nothing is left: what was lost meanwhile is known now. */
        if (smmu3_get(&prod, QUEUE_OVERFLOW) !=
            smmu3_get(&cons, QUEUE_OVERFLOW)) {
            smmu3_set(&cons, QUEUE_OVERFLOW,
                      smmu3_get(&prod, QUEUE_OVERFLOW));
            smmu_write32(q->cons, cons);
        }
        return false;
    }
    memcpy(entry, &q->entries[index * q->words], q->words * 8);
    cons = (cons & ~(uint64_t)wrap_mask(q->log2)) |
           ((cons + 1) & wrap_mask(q->log2));
    smmu_write32(q->cons, cons);
    return true;
}

bool smmu_take_event(uint64_t event[SMMU3_EVENT_WORDS])
{
    return take(&eventq, event);
}

static void event_irq(void *opaque)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    (void)opaque;
    smmu_irqs.events++;
    while (how.listener.event && take(&eventq, event)) {
        how.listener.event(how.listener.opaque, event);
    }
}

static void pri_irq(void *opaque)
{
    uint64_t entry[SMMU3_PRI_WORDS];

    (void)opaque;
    smmu_irqs.page_requests++;
    while (how.listener.page_request && take(&priq, entry)) {
        how.listener.page_request(how.listener.opaque, entry);
    }
}

static void sync_irq(void *opaque)
{
    (void)opaque;
    smmu_irqs.syncs++;
}

static void gerror_irq(void *opaque)
{
    uint32_t gerror = smmu_read32(SMMU3_GERROR);

    (void)opaque;
    smmu_irqs.gerror = gerror ^ smmu_read32(SMMU3_GERRORN);
    smmu_irqs.gerrors++;
    smmu_write32(SMMU3_GERRORN, gerror);
}

/* ---- Set-up ------------------------------------------------------------- */

static uint64_t *make_queue(uint32_t base_reg, unsigned log2, unsigned words)
{
    uint64_t bytes = (uint64_t)words * 8 << log2, base = 0;
    uint64_t *queue = arena_alloc(bytes, bytes < 4096 ? 4096 : bytes);

    smmu3_set_addr(&base, QUEUE_BASE_ADDR, pa_of(queue));
    smmu3_set(&base, QUEUE_BASE_LOG2SIZE, log2);
    smmu_write64(base_reg, base);
    return queue;
}

static void make_queues(void)
{
    eventq = (OutputQueue) {
        .log2 = how.eventq_log2 ? how.eventq_log2 : DEFAULT_LOG2,
        .words = SMMU3_EVENT_WORDS,
        .prod = SMMU3_EVENTQ_PROD, .cons = SMMU3_EVENTQ_CONS,
    };
    priq = (OutputQueue) {
        .log2 = how.priq_log2 ? how.priq_log2 : DEFAULT_LOG2,
        .words = SMMU3_PRI_WORDS,
        .prod = SMMU3_PRIQ_PROD, .cons = SMMU3_PRIQ_CONS,
    };
    cmdq = make_queue(SMMU3_CMDQ_BASE, CMDQ_LOG2, SMMU3_CMD_WORDS);
    eventq.entries = make_queue(SMMU3_EVENTQ_BASE, eventq.log2, eventq.words);
    priq.entries = make_queue(SMMU3_PRIQ_BASE, priq.log2, priq.words);
    cmdq_prod = 0;
    smmu_write32(SMMU3_CMDQ_CONS, 0);
    smmu_write32(SMMU3_CMDQ_PROD, 0);
    smmu_write32(eventq.prod, 0);
    smmu_write32(eventq.cons, 0);
    smmu_write32(priq.prod, 0);
    smmu_write32(priq.cons, 0);
}

static void set_message(uint32_t cfg0, uint32_t cfg1, unsigned event,
                        IrqHandler *handler)
{
    uint64_t address = 0;

    if (how.messages) {
        smmu3_set_addr(&address, IRQ_CFG0_ADDR, irq_doorbell());
        irq_connect_msi(MESSAGES_FROM, event, handler, NULL);
    }
    smmu_write64(cfg0, address);
    smmu_write32(cfg1, event);
}

static void connect_interrupts(void)
{
    uint64_t cfg2 = 0;

    set_message(SMMU3_EVENTQ_IRQ_CFG0, SMMU3_EVENTQ_IRQ_CFG1, MESSAGE_EVENTS,
                event_irq);
    set_message(SMMU3_PRIQ_IRQ_CFG0, SMMU3_PRIQ_IRQ_CFG1, MESSAGE_PRI,
                pri_irq);
    set_message(SMMU3_GERROR_IRQ_CFG0, SMMU3_GERROR_IRQ_CFG1, MESSAGE_GERROR,
                gerror_irq);
    smmu3_set(&cfg2, PRIQ_IRQ_CFG2_LO, how.irq_by_group);
    smmu_write32(SMMU3_PRIQ_IRQ_CFG2, cfg2);
    if (how.messages) {
        irq_connect_msi(MESSAGES_FROM, MESSAGE_SYNC, sync_irq, NULL);
    } else {
        irq_connect_spi(SMMU_INTID, event_irq, NULL);
        irq_connect_spi(SMMU_INTID_PRIQ, pri_irq, NULL);
        irq_connect_spi(SMMU_INTID_SYNC, sync_irq, NULL);
        irq_connect_spi(SMMU_INTID_GERROR, gerror_irq, NULL);
    }
    write_acked(SMMU3_IRQ_CTRL, SMMU3_IRQ_CTRLACK,
                smmu3_field_mask(IRQ_CTRL_GERROR) |
                smmu3_field_mask(IRQ_CTRL_EVENTQ) |
                smmu3_field_mask(IRQ_CTRL_PRIQ));
}

static void make_stream_table(void)
{
    uint64_t bytes = (uint64_t)SMMU3_STE_BYTES << SMMU_SID_LOG2;
    uint64_t base = 0, config = 0;

    strtab = arena_alloc(bytes, bytes);
    smmu3_set_addr(&base, STRTAB_BASE_ADDR, pa_of(strtab));
    smmu3_set(&config, STRTAB_CFG_LOG2SIZE, SMMU_SID_LOG2);
    smmu_write64(SMMU3_STRTAB_BASE, base);
    smmu_write32(SMMU3_STRTAB_BASE_CFG, config);
}

uint64_t *smmu_ste(uint32_t sid)
{
    return &strtab[sid * SMMU3_STE_WORDS];
}

static void command_all(Smmu3Opcode opcode)
{
    uint64_t command[SMMU3_CMD_WORDS] = { opcode };

    if (opcode == CMD_CFGI_STE_RANGE) {
        smmu3_set(command, CMD_CFGI_RANGE, CMD_CFGI_RANGE_ALL);
    }
    smmu_command(command);
}

void smmu_start(const SmmuSetup *setup)
{
    uint64_t cr2 = 0;

    how = *setup;
    irq_mask();
    irq_disconnect_all();
    write_acked(SMMU3_CR0, SMMU3_CR0ACK, 0);
    write_acked(SMMU3_IRQ_CTRL, SMMU3_IRQ_CTRLACK, 0);
    smmu_write32(SMMU3_GERRORN, smmu_read32(SMMU3_GERROR));
    smmu_irqs = (SmmuIrqs) { 0 };

    smmu3_set(&cr2, CR2_E2H, how.e2h);
    smmu_write32(SMMU3_CR2, cr2);
    make_stream_table();
    make_queues();
    connect_interrupts();
    smmu_cr0(smmu3_field_mask(CR0_CMDQEN), 0);
    command_all(CMD_CFGI_STE_RANGE);
    command_all(CMD_TLBI_NSNH_ALL);
    smmu_sync();
    smmu_cr0(smmu3_field_mask(CR0_EVENTQEN) | smmu3_field_mask(CR0_PRIQEN), 0);
    smmu_cr0(smmu3_field_mask(CR0_SMMUEN), 0);
    irq_unmask();
}
