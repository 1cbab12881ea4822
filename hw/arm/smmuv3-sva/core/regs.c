/*
 * See regs.h. One table has a line for each register; the rest is what its
 * columns point at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regs.h"
#include <inttypes.h>
#include "commands/command.h"
#include "queues/queue.h"
#include "queues/stall.h"
#include "signal/signal.h"
#include "traffic/gatos.h"

#define MASK(...)       smmu3_field_mask(__VA_ARGS__)
#define OFFSET(member)  offsetof(Smmu3Regs, member)

/* A register that keeps a value in Smmu3Regs. */
typedef struct Reg {
    uint32_t offset;
    uint8_t bytes;              /* 4 or 8 */
    uint16_t member;            /* in Smmu3Regs */
    /* The bits that are implemented; NULL: software cannot write it. */
    uint64_t (*bits)(const Smmu3Features *f);
    /* The bits that an enable guards now; NULL: none, ever (6.2). */
    uint64_t (*locked)(const Smmu3 *s);
    /* After a write; the member still holds the old value. NULL: store it. */
    void (*write)(Smmu3 *s, uint64_t value);
    /* The bits that are not 0 when read; NULL: all. */
    uint64_t (*visible)(const Smmu3 *s);
} Reg;

/* ---- Implemented bits ------------------------------------------------- */

static uint64_t cr0_bits(const Smmu3Features *f)
{
    return MASK(CR0_SMMUEN) | MASK(CR0_EVENTQEN) | MASK(CR0_CMDQEN) |
           (f->pri ? MASK(CR0_PRIQEN) : 0) |
           (f->ats ? MASK(CR0_ATSCHK) : 0) |
           (f->vmw ? MASK(CR0_VMW) : 0);
}

static uint64_t cr1_bits(const Smmu3Features *f)
{
    (void)f;
    return MASK(CR1_QUEUE_ATTRS) | MASK(CR1_TABLE_ATTRS);
}

static uint64_t cr2_bits(const Smmu3Features *f)
{
    return MASK(CR2_RECINVSID) |
           (f->hyp ? MASK(CR2_E2H) : 0) |
           (f->atsrecerr ? MASK(CR2_REC_CFG_ATS) : 0);
}

static uint64_t gbpa_bits(const Smmu3Features *f)
{
    uint64_t types = MASK(GBPA_MEMATTR) | MASK(GBPA_MTCFG) |
                     MASK(GBPA_ALLOCCFG) | MASK(GBPA_SHCFG);
    uint64_t perms = MASK(GBPA_PRIVCFG) | MASK(GBPA_INSTCFG);

    return MASK(GBPA_ABORT) | (f->attr_types_ovr ? types : 0) |
           (f->attr_perms_ovr ? perms : 0);
}

static uint64_t irq_ctrl_bits(const Smmu3Features *f)
{
    return MASK(IRQ_CTRL_GERROR) | MASK(IRQ_CTRL_EVENTQ) |
           (f->pri ? MASK(IRQ_CTRL_PRIQ) : 0);
}

static uint64_t gerror_bits(const Smmu3Features *f)
{
    uint64_t msi = MASK(GERROR_MSI_CMDQ_ABT) | MASK(GERROR_MSI_EVENTQ_ABT) |
                   MASK(GERROR_MSI_GERROR_ABT) |
                   (f->pri ? MASK(GERROR_MSI_PRIQ_ABT) : 0);

    return MASK(GERROR_CMDQ) | MASK(GERROR_EVENTQ_ABT) |
           (f->pri ? MASK(GERROR_PRIQ_ABT) : 0) |
           (f->msi ? msi : 0) | MASK(GERROR_SFM);
}

static uint64_t irq_cfg0_bits(const Smmu3Features *f)
{
    return f->msi ? MASK(IRQ_CFG0_ADDR) : 0;
}

static uint64_t irq_cfg1_bits(const Smmu3Features *f)
{
    return f->msi ? UINT32_MAX : 0;
}

static uint64_t irq_cfg2_bits(const Smmu3Features *f)
{
    return f->msi ? MASK(IRQ_CFG2_MEMATTR) | MASK(IRQ_CFG2_SH) : 0;
}

static uint64_t priq_irq_cfg0_bits(const Smmu3Features *f)
{
    return f->pri ? irq_cfg0_bits(f) : 0;
}

static uint64_t priq_irq_cfg1_bits(const Smmu3Features *f)
{
    return f->pri ? irq_cfg1_bits(f) : 0;
}

/* LO is about the wired interrupt as well, so it does not need MSIs. */
static uint64_t priq_irq_cfg2_bits(const Smmu3Features *f)
{
    return f->pri ? irq_cfg2_bits(f) | MASK(PRIQ_IRQ_CFG2_LO) : 0;
}

static uint64_t strtab_base_bits(const Smmu3Features *f)
{
    (void)f;
    return MASK(STRTAB_BASE_ADDR) | MASK(STRTAB_BASE_RA);
}

static uint64_t strtab_base_cfg_bits(const Smmu3Features *f)
{
    return MASK(STRTAB_CFG_LOG2SIZE) |
           (f->st_level ? MASK(STRTAB_CFG_SPLIT) | MASK(STRTAB_CFG_FMT) : 0);
}

static uint64_t queue_base_bits(const Smmu3Features *f)
{
    (void)f;
    return MASK(QUEUE_BASE_LOG2SIZE) | MASK(QUEUE_BASE_ADDR) |
           MASK(QUEUE_BASE_HINT);
}

static uint64_t cmdq_prod_bits(const Smmu3Features *f)
{
    (void)f;
    return MASK(QUEUE_INDEX);
}

static uint64_t cmdq_cons_bits(const Smmu3Features *f)
{
    (void)f;
    return MASK(QUEUE_INDEX) | MASK(CMDQ_CONS_ERR);
}

static uint64_t queue_index_bits(const Smmu3Features *f)
{
    (void)f;
    return MASK(QUEUE_INDEX) | MASK(QUEUE_OVERFLOW);
}

static uint64_t priq_base_bits(const Smmu3Features *f)
{
    return f->pri ? queue_base_bits(f) : 0;
}

static uint64_t priq_index_bits(const Smmu3Features *f)
{
    return f->pri ? queue_index_bits(f) : 0;
}

static uint64_t gatos_ctrl_bits(const Smmu3Features *f)
{
    return f->atos ? MASK(GATOS_CTRL_RUN) : 0;
}

/* IDs that there cannot be are not stored. */
static uint64_t gatos_sid_bits(const Smmu3Features *f)
{
    uint64_t substream = smmu3_mask(f->ssidsize) << 32 |
                         MASK(GATOS_SID_SSID_VALID);

    return f->atos ? smmu3_mask(f->sidsize) | (f->ssidsize ? substream : 0)
                   : 0;
}

static uint64_t gatos_addr_bits(const Smmu3Features *f)
{
    return f->atos ? ~smmu3_mask(6) : 0;
}

/* ---- Guards (6.2): locked while the enable or its ACK is set ----------- */

static bool enabled(const Smmu3 *s, uint64_t enable)
{
    return (s->regs.cr0 | s->regs.cr0ack) & enable;
}

static uint64_t all_if(bool locked)
{
    return locked ? UINT64_MAX : 0;
}

static uint64_t locked_by_smmuen(const Smmu3 *s)
{
    return all_if(enabled(s, MASK(CR0_SMMUEN)));
}

static uint64_t locked_by_cmdqen(const Smmu3 *s)
{
    return all_if(enabled(s, MASK(CR0_CMDQEN)));
}

static uint64_t locked_by_eventqen(const Smmu3 *s)
{
    return all_if(enabled(s, MASK(CR0_EVENTQEN)));
}

static uint64_t locked_by_priqen(const Smmu3 *s)
{
    return all_if(enabled(s, MASK(CR0_PRIQEN)));
}

static uint64_t cr1_locked(const Smmu3 *s)
{
    uint64_t queues = MASK(CR0_CMDQEN) | MASK(CR0_EVENTQEN) | MASK(CR0_PRIQEN);

    return (enabled(s, queues) ? MASK(CR1_QUEUE_ATTRS) : 0) |
           (enabled(s, MASK(CR0_SMMUEN)) ? MASK(CR1_TABLE_ATTRS) : 0);
}

static bool irq_enabled(const Smmu3 *s, uint64_t enable)
{
    return (s->regs.irq_ctrl | s->regs.irq_ctrlack) & enable;
}

static uint64_t locked_by_gerror_irqen(const Smmu3 *s)
{
    return all_if(irq_enabled(s, MASK(IRQ_CTRL_GERROR)));
}

static uint64_t locked_by_eventq_irqen(const Smmu3 *s)
{
    return all_if(irq_enabled(s, MASK(IRQ_CTRL_EVENTQ)));
}

static uint64_t locked_by_priq_irqen(const Smmu3 *s)
{
    return all_if(irq_enabled(s, MASK(IRQ_CTRL_PRIQ)));
}

/* ---- What a write sets off -------------------------------------------- */

void smmu3_regs_publish(Smmu3 *s)
{
    uint64_t cr0 = s->regs.cr0ack;

    atomic_store(&s->gbpa, s->regs.gbpa);
    atomic_store(&s->atschk, smmu3_get(&cr0, CR0_ATSCHK));
    atomic_store(&s->enabled, smmu3_get(&cr0, CR0_SMMUEN));
    smmu3_generation_move(&s->answers);
}

/* 6.3.9. The update is complete at once, so CR0ACK follows. */
static void write_cr0(Smmu3 *s, uint64_t value)
{
    uint64_t cleared = s->regs.cr0ack & ~value;

    s->regs.cr0 = value;
    s->regs.cr0ack = value;
    smmu3_regs_publish(s);
    if (cleared & MASK(CR0_SMMUEN)) {
        smmu3_stall_terminate_all(s);
    }
    if (cleared & MASK(CR0_CMDQEN)) {
        smmu3_command_stop(s);
    }
}

/* 6.3.14. Only a write with Update=1 counts; it is complete at once. */
static void write_gbpa(Smmu3 *s, uint64_t value)
{
    if (!(value & MASK(GBPA_UPDATE))) {
        smmu3_guest_error(s, "GBPA written without Update");
        return;
    }
    s->regs.gbpa = value & ~MASK(GBPA_UPDATE);
    smmu3_regs_publish(s);
}

static uint64_t gbpa_written_bits(const Smmu3Features *f)
{
    return gbpa_bits(f) | MASK(GBPA_UPDATE);
}

static void write_irq_ctrl(Smmu3 *s, uint64_t value)
{
    smmu3_interrupts_disabled(s, s->regs.irq_ctrlack & ~value);
    s->regs.irq_ctrl = value;
    s->regs.irq_ctrlack = value;
}

/* 6.3.20. To toggle what is not active is CONSTRAINED UNPREDICTABLE. */
static void write_gerrorn(Smmu3 *s, uint64_t value)
{
    uint64_t toggled = s->regs.gerrorn ^ value;

    if (toggled & ~smmu3_gerror_active(s)) {
        smmu3_guest_error(s, "GERRORN acknowledges errors that are not "
                          "active: 0x%" PRIx64,
                          toggled & ~smmu3_gerror_active(s));
    }
    s->regs.gerrorn = value;
    smmu3_trace(s, SMMU3_TRACE_GERROR, s->regs.gerror, s->regs.gerrorn, 0, 0);
}

static void write_cmdq_prod(Smmu3 *s, uint64_t value)
{
    unsigned log2 = smmu3_queue_log2(&s->regs.cmdq, s->features.cmdqs);

    s->regs.cmdq.prod = value;
    if (s->audit) {
        smmu3_audit_prod_written(s->audit);
    }
    if (smmu3_queue_inconsistent(&s->regs.cmdq, log2)) {
        smmu3_guest_error(s, "CMDQ_PROD 0x%x is out of step with CMDQ_CONS "
                          "0x%x", s->regs.cmdq.prod, s->regs.cmdq.cons);
    }
}

/* Software has read what is before CONS: who waits for that is told. */
static void write_cons(Smmu3 *s, Smmu3Queue *q, unsigned max, Smmu3Irq which,
                       uint32_t value)
{
    q->cons = value;
    smmu3_trace(s, SMMU3_TRACE_QUEUE_READ, which,
                smmu3_queue_used(q, smmu3_queue_log2(q, max)), 0, 0);
}

static void write_eventq_cons(Smmu3 *s, uint64_t value)
{
    write_cons(s, &s->regs.eventq, s->features.eventqs, SMMU3_IRQ_EVENTQ,
               value);
}

static void write_priq_cons(Smmu3 *s, uint64_t value)
{
    write_cons(s, &s->regs.priq, s->features.priqs, SMMU3_IRQ_PRIQ, value);
}

/* 6.3.37. The answer is there at once, so RUN is never seen set. */
static void write_gatos_ctrl(Smmu3 *s, uint64_t value)
{
    if (!(value & MASK(GATOS_CTRL_RUN))) {
        return;
    }
    if (!enabled(s, MASK(CR0_SMMUEN))) {
        smmu3_guest_error(s, "GATOS_CTRL.RUN written with SMMUEN=0");
        return;
    }
    s->regs.gatos_par = smmu3_gatos_run(s);
}

/* ---- What reads as zero: index bits above the queue's size ------------- */

static uint64_t visible_index(const Smmu3Queue *q, unsigned max)
{
    return ~MASK(QUEUE_INDEX) | smmu3_mask(smmu3_queue_log2(q, max) + 1);
}

static uint64_t cmdq_visible(const Smmu3 *s)
{
    return visible_index(&s->regs.cmdq, s->features.cmdqs);
}

static uint64_t eventq_visible(const Smmu3 *s)
{
    return visible_index(&s->regs.eventq, s->features.eventqs);
}

static uint64_t priq_visible(const Smmu3 *s)
{
    return visible_index(&s->regs.priq, s->features.priqs);
}

/* ---- The registers (6.3) ---------------------------------------------- */

static const Reg registers[] = {
    { SMMU3_CR0, 4, OFFSET(cr0),
      .bits = cr0_bits, .write = write_cr0 },
    { SMMU3_CR0ACK, 4, OFFSET(cr0ack),
      .bits = NULL },
    { SMMU3_CR1, 4, OFFSET(cr1),
      .bits = cr1_bits, .locked = cr1_locked },
    { SMMU3_CR2, 4, OFFSET(cr2),
      .bits = cr2_bits, .locked = locked_by_smmuen },
    { SMMU3_GBPA, 4, OFFSET(gbpa),
      .bits = gbpa_written_bits, .write = write_gbpa },
    { SMMU3_IRQ_CTRL, 4, OFFSET(irq_ctrl),
      .bits = irq_ctrl_bits, .write = write_irq_ctrl },
    { SMMU3_IRQ_CTRLACK, 4, OFFSET(irq_ctrlack),
      .bits = NULL },
    { SMMU3_GERROR, 4, OFFSET(gerror),
      .bits = NULL },
    { SMMU3_GERRORN, 4, OFFSET(gerrorn),
      .bits = gerror_bits, .write = write_gerrorn },
    { SMMU3_GERROR_IRQ_CFG0, 8, OFFSET(gerror_irq.addr),
      .bits = irq_cfg0_bits, .locked = locked_by_gerror_irqen },
    { SMMU3_GERROR_IRQ_CFG1, 4, OFFSET(gerror_irq.data),
      .bits = irq_cfg1_bits, .locked = locked_by_gerror_irqen },
    { SMMU3_GERROR_IRQ_CFG2, 4, OFFSET(gerror_irq.attr),
      .bits = irq_cfg2_bits, .locked = locked_by_gerror_irqen },
    { SMMU3_STRTAB_BASE, 8, OFFSET(strtab_base),
      .bits = strtab_base_bits, .locked = locked_by_smmuen },
    { SMMU3_STRTAB_BASE_CFG, 4, OFFSET(strtab_base_cfg),
      .bits = strtab_base_cfg_bits, .locked = locked_by_smmuen },
    { SMMU3_CMDQ_BASE, 8, OFFSET(cmdq.base),
      .bits = queue_base_bits, .locked = locked_by_cmdqen },
    { SMMU3_CMDQ_PROD, 4, OFFSET(cmdq.prod),
      .bits = cmdq_prod_bits, .write = write_cmdq_prod,
      .visible = cmdq_visible },
    { SMMU3_CMDQ_CONS, 4, OFFSET(cmdq.cons),
      .bits = cmdq_cons_bits, .locked = locked_by_cmdqen,
      .visible = cmdq_visible },
    { SMMU3_EVENTQ_BASE, 8, OFFSET(eventq.base),
      .bits = queue_base_bits, .locked = locked_by_eventqen },
    { SMMU3_EVENTQ_PROD, 4, OFFSET(eventq.prod),
      .bits = queue_index_bits, .locked = locked_by_eventqen,
      .visible = eventq_visible },
    { SMMU3_EVENTQ_CONS, 4, OFFSET(eventq.cons),
      .bits = queue_index_bits, .write = write_eventq_cons,
      .visible = eventq_visible },
    { SMMU3_EVENTQ_PROD_ALIAS, 4, OFFSET(eventq.prod),
      .bits = queue_index_bits, .locked = locked_by_eventqen,
      .visible = eventq_visible },
    { SMMU3_EVENTQ_CONS_ALIAS, 4, OFFSET(eventq.cons),
      .bits = queue_index_bits, .write = write_eventq_cons,
      .visible = eventq_visible },
    { SMMU3_EVENTQ_IRQ_CFG0, 8, OFFSET(eventq_irq.addr),
      .bits = irq_cfg0_bits, .locked = locked_by_eventq_irqen },
    { SMMU3_EVENTQ_IRQ_CFG1, 4, OFFSET(eventq_irq.data),
      .bits = irq_cfg1_bits, .locked = locked_by_eventq_irqen },
    { SMMU3_EVENTQ_IRQ_CFG2, 4, OFFSET(eventq_irq.attr),
      .bits = irq_cfg2_bits, .locked = locked_by_eventq_irqen },
    { SMMU3_PRIQ_BASE, 8, OFFSET(priq.base),
      .bits = priq_base_bits, .locked = locked_by_priqen },
    { SMMU3_PRIQ_PROD, 4, OFFSET(priq.prod),
      .bits = priq_index_bits, .locked = locked_by_priqen,
      .visible = priq_visible },
    { SMMU3_PRIQ_CONS, 4, OFFSET(priq.cons),
      .bits = priq_index_bits, .write = write_priq_cons,
      .visible = priq_visible },
    { SMMU3_PRIQ_PROD_ALIAS, 4, OFFSET(priq.prod),
      .bits = priq_index_bits, .locked = locked_by_priqen,
      .visible = priq_visible },
    { SMMU3_PRIQ_CONS_ALIAS, 4, OFFSET(priq.cons),
      .bits = priq_index_bits, .write = write_priq_cons,
      .visible = priq_visible },
    { SMMU3_PRIQ_IRQ_CFG0, 8, OFFSET(priq_irq.addr),
      .bits = priq_irq_cfg0_bits, .locked = locked_by_priq_irqen },
    { SMMU3_PRIQ_IRQ_CFG1, 4, OFFSET(priq_irq.data),
      .bits = priq_irq_cfg1_bits, .locked = locked_by_priq_irqen },
    { SMMU3_PRIQ_IRQ_CFG2, 4, OFFSET(priq_irq.attr),
      .bits = priq_irq_cfg2_bits, .locked = locked_by_priq_irqen },
    { SMMU3_GATOS_CTRL, 4, OFFSET(gatos_ctrl),
      .bits = gatos_ctrl_bits, .write = write_gatos_ctrl },
    { SMMU3_GATOS_SID, 8, OFFSET(gatos_sid),
      .bits = gatos_sid_bits },
    { SMMU3_GATOS_ADDR, 8, OFFSET(gatos_addr),
      .bits = gatos_addr_bits },
    { SMMU3_GATOS_PAR, 8, OFFSET(gatos_par),
      .bits = NULL },
};

static uint64_t get(const Smmu3Regs *regs, const Reg *reg)
{
    const char *at = (const char *)regs + reg->member;

    return reg->bytes == 8 ? *(const uint64_t *)at : *(const uint32_t *)at;
}

static void store(Smmu3Regs *regs, const Reg *reg, uint64_t value)
{
    char *at = (char *)regs + reg->member;

    if (reg->bytes == 8) {
        *(uint64_t *)at = value;
    } else {
        *(uint32_t *)at = value;
    }
}

/* The register that has the byte at @offset, or NULL. */
static const Reg *find(uint64_t offset)
{
    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        const Reg *reg = &registers[i];

        if (offset >= reg->offset && offset < reg->offset + reg->bytes) {
            return reg;
        }
    }
    return NULL;
}

/* Write the bits of @mask, as far as they exist and are not locked. */
static void write_reg(Smmu3 *s, const Reg *reg, uint64_t value, uint64_t mask)
{
    uint64_t old = get(&s->regs, reg);
    uint64_t bits = reg->bits ? reg->bits(&s->features) : 0;
    uint64_t locked = reg->locked ? reg->locked(s) : 0;
    uint64_t writable = bits & ~locked & mask;

    if ((old ^ value) & bits & locked & mask) {
        smmu3_guest_error(s, "register 0x%x written while it is in use",
                          reg->offset);
    }
    if (!bits) {
        return;
    }
    value = (old & ~writable) | (value & writable);
    if (reg->write) {
        reg->write(s, value);
    } else {
        store(&s->regs, reg, value);
    }
}

/* ---- Access (6.2) ----------------------------------------------------- */

/* CoreSight identification (6.2, ID_REGS), from what IIDR says. */
static uint32_t id_scheme(const Smmu3Features *f, uint64_t offset)
{
    unsigned jep106 = f->implementer & 0x7f;
    unsigned continuation = f->implementer >> 8;

    switch (offset) {
    case SMMU3_PIDR0:
        return f->productid & 0xff;
    case SMMU3_PIDR1:
        return (jep106 & 0xf) << 4 | f->productid >> 8;
    case SMMU3_PIDR2:
        return f->variant << 4 | 1 << 3 | jep106 >> 4;
    case SMMU3_PIDR3:
        return f->revision << 4;
    case SMMU3_PIDR4:
        return continuation;
    case SMMU3_CIDR0:
        return 0x0d;
    case SMMU3_CIDR1:
        return 0xf0;
    case SMMU3_CIDR2:
        return 0x05;
    case SMMU3_CIDR3:
        return 0xb1;
    default:
        return 0;
    }
}

static uint32_t read_word(Smmu3 *s, uint64_t offset)
{
    const Reg *reg = find(offset);

    if (reg) {
        uint64_t value = get(&s->regs, reg);

        if (reg->visible) {
            value &= reg->visible(s);
        }
        return value >> (8 * (offset - reg->offset));
    }
    if (offset <= SMMU3_AIDR) {
        return smmu3_features_reg(&s->features, offset);
    }
    return id_scheme(&s->features, offset);
}

uint64_t smmu3_regs_read(Smmu3 *s, uint64_t offset, unsigned size)
{
    uint64_t value = read_word(s, offset);

    if (size == 8) {
        value |= (uint64_t)read_word(s, offset + 4) << 32;
    }
    return value;
}

static void write_word(Smmu3 *s, uint64_t offset, uint32_t value)
{
    const Reg *reg = find(offset);

    if (reg) {
        unsigned shift = 8 * (offset - reg->offset);

        write_reg(s, reg, (uint64_t)value << shift,
                  (uint64_t)UINT32_MAX << shift);
    }
}

void smmu3_regs_write(Smmu3 *s, uint64_t offset, uint64_t value,
                      unsigned size)
{
    const Reg *reg = find(offset);

    if (size == 4) {
        write_word(s, offset, value);
    } else if (reg && reg->bytes == 8) {
        write_reg(s, reg, value, UINT64_MAX);
    } else {
        /* Two registers at once, the lower one first */
        write_word(s, offset, value);
        write_word(s, offset + 4, value >> 32);
    }
}

/* ---- Reset and load --------------------------------------------------- */

void smmu3_regs_reset(Smmu3 *s)
{
    uint64_t gbpa = 0;

    /* What the architecture leaves UNKNOWN is zero here */
    s->regs = (Smmu3Regs) { 0 };
    smmu3_set(&gbpa, GBPA_SHCFG, 1);    /* "use incoming" */
    s->regs.gbpa = gbpa & gbpa_bits(&s->features);
    smmu3_regs_publish(s);
}

bool smmu3_regs_plausible(const Smmu3 *s, const Smmu3Regs *regs)
{
    const Smmu3Features *f = &s->features;

    for (size_t i = 0; i < G_N_ELEMENTS(registers); i++) {
        const Reg *reg = &registers[i];

        if (reg->bits && (get(regs, reg) & ~reg->bits(f))) {
            return false;
        }
    }
    return regs->cr0ack == regs->cr0 && regs->irq_ctrlack == regs->irq_ctrl &&
           !(regs->gbpa & MASK(GBPA_UPDATE)) &&
           !(regs->gerror & ~gerror_bits(f)) &&
           !regs->gatos_ctrl && (f->atos || !regs->gatos_par);
}
