/*
 * The register file (core/regs.c): reset values, which bits exist, handshakes,
 * guards, access sizes, aliases, saving and loading. Not what commands and
 * transactions do with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)
#define ONES        UINT64_MAX

/* An SMMU in reset, with features changed by @change. */
static Rig *rig_with(void (*change)(Smmu3Features *f))
{
    Rig *r = rig_new();

    r->features.cmdqs = r->features.eventqs = r->features.priqs = 19;
    if (change) {
        change(&r->features);
    }
    rig_create(r);
    return r;
}

static void without_msi(Smmu3Features *f)   { f->msi = 0; }
static void without_pri(Smmu3Features *f)   { f->pri = 0; }

static void bare(Smmu3Features *f)
{
    f->pri = f->ats = f->atsrecerr = f->vmw = f->hyp = f->msi = 0;
    f->attr_perms_ovr = f->attr_types_ovr = 0;
    f->sidsize = 6;
    f->st_level = 0;
    f->aidr_minor = 1;
}

static uint64_t read_reg(Rig *r, uint64_t offset, unsigned bytes)
{
    return smmu3_mmio_read(r->smmu, offset, bytes);
}

static void write_reg(Rig *r, uint64_t offset, uint64_t value, unsigned bytes)
{
    smmu3_mmio_write(r->smmu, offset, value, bytes);
}

/* ---- All registers ---------------------------------------------------- */

typedef struct RegCase {
    const char *name;
    uint32_t offset;
    uint8_t bytes;
    uint64_t all;       /* bits that exist with features_all() */
    uint64_t bare;      /* and with bare() */
} RegCase;

/* Each register that software can write, with its bits as numbers (6.3). */
static const RegCase writable[] = {
    { "CR0", 0x20, 4, 0x1df, 0x00d },
    { "CR1", 0x28, 4, 0xfff, 0xfff },
    { "CR2", 0x2c, 4, 0xb, 0x2 },
    { "IRQ_CTRL", 0x50, 4, 0x7, 0x5 },
    { "GERRORN", 0x64, 4, 0x1fd, 0x105 },
    { "GERROR_IRQ_CFG0", 0x68, 8, 0x000ffffffffffffc, 0 },
    { "GERROR_IRQ_CFG1", 0x70, 4, 0xffffffff, 0 },
    { "GERROR_IRQ_CFG2", 0x74, 4, 0x3f, 0 },
    { "STRTAB_BASE", 0x80, 8, 0x400fffffffffffc0, 0x400fffffffffffc0 },
    { "STRTAB_BASE_CFG", 0x88, 4, 0x307ff, 0x3f },
    { "CMDQ_BASE", 0x90, 8, 0x400fffffffffffff, 0x400fffffffffffff },
    { "CMDQ_PROD", 0x98, 4, 0xfffff, 0xfffff },
    { "CMDQ_CONS", 0x9c, 4, 0x7f0fffff, 0x7f0fffff },
    { "EVENTQ_BASE", 0xa0, 8, 0x400fffffffffffff, 0x400fffffffffffff },
    { "EVENTQ_IRQ_CFG0", 0xb0, 8, 0x000ffffffffffffc, 0 },
    { "EVENTQ_IRQ_CFG1", 0xb8, 4, 0xffffffff, 0 },
    { "EVENTQ_IRQ_CFG2", 0xbc, 4, 0x3f, 0 },
    { "PRIQ_BASE", 0xc0, 8, 0x400fffffffffffff, 0 },
    { "PRIQ_IRQ_CFG0", 0xd0, 8, 0x000ffffffffffffc, 0 },
    { "PRIQ_IRQ_CFG1", 0xd8, 4, 0xffffffff, 0 },
    { "PRIQ_IRQ_CFG2", 0xdc, 4, 0x8000003f, 0 },
    { "EVENTQ_PROD", 0x100a8, 4, 0x800fffff, 0x800fffff },
    { "EVENTQ_CONS", 0x100ac, 4, 0x800fffff, 0x800fffff },
    { "PRIQ_PROD", 0x100c8, 4, 0x800fffff, 0 },
    { "PRIQ_CONS", 0x100cc, 4, 0x800fffff, 0 },
};

/* Index bits above a queue's size read as zero: give them all a meaning. */
static void make_queues_large(Rig *r)
{
    write_reg(r, SMMU3_CMDQ_BASE, 19, 8);
    write_reg(r, SMMU3_EVENTQ_BASE, 19, 8);
    write_reg(r, SMMU3_PRIQ_BASE, 19, 8);
}

/* Each in an SMMU of its own, for one may guard another. */
static void test_bits(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++) {
        const RegCase *c = &writable[i];
        uint64_t expect[] = { c->all, c->bare };

        for (unsigned kind = 0; kind < 2; kind++) {
            g_autoptr(Rig) r = rig_with(kind ? bare : NULL);

            g_test_message("%s%s", c->name, kind ? ", bare" : "");
            g_assert_cmphex(read_reg(r, c->offset, c->bytes), ==, 0);
            make_queues_large(r);
            write_reg(r, c->offset, ONES, c->bytes);
            g_assert_cmphex(read_reg(r, c->offset, c->bytes), ==,
                            expect[kind]);
            write_reg(r, c->offset, 0, c->bytes);
            g_assert_cmphex(read_reg(r, c->offset, c->bytes), ==, 0);
        }
    }
}

static bool is_defined(uint64_t offset)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++) {
        const RegCase *c = &writable[i];

        if (offset >= c->offset && offset < c->offset + c->bytes) {
            return true;
        }
    }
    switch (offset) {
    case 0xa8: case 0xac: case 0xc8: case 0xcc:     /* aliases */
    case SMMU3_GBPA:
        return true;
    default:
        return false;
    }
}

/* What software sees after reset, all 128 KiB of it. */
static void test_reset_values(void)
{
    g_autoptr(Rig) r = rig_with(NULL);

    for (uint64_t offset = 0; offset < SMMU3_MMIO_BYTES; offset += 4) {
        uint32_t expect = 0;

        if (offset <= SMMU3_AIDR) {
            expect = smmu3_features_reg(&r->features, offset);
        } else if (offset == SMMU3_GBPA) {
            expect = 1u << 12;                      /* SHCFG: incoming */
        } else if (offset >= SMMU3_PIDR4 && offset <= SMMU3_CIDR3) {
            continue;                               /* test_id_scheme */
        }
        g_assert_cmphex(rig_read32(r, offset), ==, expect);
    }
    g_assert_cmpuint(r->host->guest_errors, ==, 0);
}

/* Nothing else keeps what is written to it, nor changes anything else. */
static void test_undefined_is_zero_and_ignored(void)
{
    g_autoptr(Rig) r = rig_with(NULL);

    for (uint64_t offset = 0; offset < SMMU3_MMIO_BYTES; offset += 4) {
        uint32_t before = rig_read32(r, offset);

        if (is_defined(offset)) {
            continue;
        }
        rig_write32(r, offset, 0xffffffff);
        g_assert_cmphex(rig_read32(r, offset), ==, before);
        g_assert_cmphex(rig_read32(r, SMMU3_CR0ACK), ==, 0);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++) {
        g_assert_cmphex(read_reg(r, writable[i].offset, writable[i].bytes),
                        ==, 0);
    }
}

static void test_read_only(void)
{
    static const uint64_t offsets[] = {
        SMMU3_IDR0, SMMU3_IDR1, SMMU3_IDR2, SMMU3_IDR3, SMMU3_IDR4,
        SMMU3_IDR5, SMMU3_IIDR, SMMU3_AIDR, SMMU3_CR0ACK, SMMU3_STATUSR,
        SMMU3_AGBPA, SMMU3_IRQ_CTRLACK, SMMU3_GERROR, SMMU3_GATOS_CTRL,
        SMMU3_GATOS_SID, SMMU3_GATOS_ADDR, SMMU3_GATOS_PAR, SMMU3_PIDR0,
        SMMU3_CIDR3, 0x8000, 0x8044,
    };
    g_autoptr(Rig) r = rig_with(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        uint32_t before = rig_read32(r, offsets[i]);

        rig_write32(r, offsets[i], ~before);
        g_assert_cmphex(rig_read32(r, offsets[i]), ==, before);
    }
}

static void test_id_scheme(void)
{
    g_autoptr(Rig) r = rig_new();

    r->features.implementer = 0x43b;        /* Arm: bank 5, code 0x3b */
    r->features.productid = 0x483;
    r->features.variant = 1;
    r->features.revision = 2;
    rig_create(r);
    g_assert_cmphex(rig_read32(r, SMMU3_IIDR), ==, 0x4831243b);
    g_assert_cmphex(rig_read32(r, SMMU3_PIDR4), ==, 0x04);
    g_assert_cmphex(rig_read32(r, SMMU3_PIDR0), ==, 0x83);
    g_assert_cmphex(rig_read32(r, SMMU3_PIDR1), ==, 0xb4);
    g_assert_cmphex(rig_read32(r, SMMU3_PIDR2), ==, 0x1b);
    g_assert_cmphex(rig_read32(r, SMMU3_PIDR3), ==, 0x20);
    g_assert_cmphex(rig_read32(r, SMMU3_CIDR0), ==, 0x0d);
    g_assert_cmphex(rig_read32(r, SMMU3_CIDR1), ==, 0xf0);
    g_assert_cmphex(rig_read32(r, SMMU3_CIDR2), ==, 0x05);
    g_assert_cmphex(rig_read32(r, SMMU3_CIDR3), ==, 0xb1);
}

/* ---- Handshakes ------------------------------------------------------- */

static void test_cr0_handshake(void)
{
    g_autoptr(Rig) r = rig_with(NULL);
    g_autoptr(Rig) small = rig_with(bare);

    rig_write32(r, SMMU3_CR0, 0xd);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0), ==, 0xd);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0ACK), ==, 0xd);
    /* What is reserved or absent never appears in the acknowledge */
    rig_write32(r, SMMU3_CR0, 0xffffffff);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0ACK), ==, 0x1df);
    rig_write32(small, SMMU3_CR0, 0xffffffff);
    g_assert_cmphex(rig_read32(small, SMMU3_CR0ACK), ==, 0xd);
    rig_write32(r, SMMU3_CR0, 0);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0ACK), ==, 0);
}

static void test_irq_ctrl_handshake(void)
{
    g_autoptr(Rig) r = rig_with(NULL);
    g_autoptr(Rig) small = rig_with(bare);

    for (uint32_t value = 0; value < 8; value++) {
        rig_write32(r, SMMU3_IRQ_CTRL, value | 0xf8);
        g_assert_cmphex(rig_read32(r, SMMU3_IRQ_CTRL), ==, value);
        g_assert_cmphex(rig_read32(r, SMMU3_IRQ_CTRLACK), ==, value);
    }
    rig_write32(small, SMMU3_IRQ_CTRL, 0x7);
    g_assert_cmphex(rig_read32(small, SMMU3_IRQ_CTRLACK), ==, 0x5);
}

static void test_gbpa_update(void)
{
    g_autoptr(Rig) r = rig_with(NULL);
    g_autoptr(Rig) small = rig_with(bare);

    /* Without Update: nothing, and a word in the log */
    rig_write32(r, SMMU3_GBPA, MASK(GBPA_ABORT));
    g_assert_cmphex(rig_read32(r, SMMU3_GBPA), ==, 1u << 12);
    g_assert_cmpuint(r->host->guest_errors, ==, 1);
    /* With it: all fields, and Update reads 0 at once */
    rig_write32(r, SMMU3_GBPA, 0xffffffff);
    g_assert_cmphex(rig_read32(r, SMMU3_GBPA), ==, 0x001f3f1f);
    rig_write32(r, SMMU3_GBPA, MASK(GBPA_UPDATE) | MASK(GBPA_ABORT));
    g_assert_cmphex(rig_read32(r, SMMU3_GBPA), ==, MASK(GBPA_ABORT));
    rig_write32(r, SMMU3_GBPA, MASK(GBPA_UPDATE));
    g_assert_cmphex(rig_read32(r, SMMU3_GBPA), ==, 0);
    /* Without overrides only ABORT is left */
    g_assert_cmphex(rig_read32(small, SMMU3_GBPA), ==, 0);
    rig_write32(small, SMMU3_GBPA, 0xffffffff);
    g_assert_cmphex(rig_read32(small, SMMU3_GBPA), ==, MASK(GBPA_ABORT));
}

/* ---- Traffic while disabled ------------------------------------------- */

static Smmu3Outcome submit(Rig *r, uint64_t addr, Smmu3Translation *result)
{
    Smmu3Transaction t = dma_read(1, addr);

    return smmu3_translate(r->smmu, &t, result);
}

static void test_disabled_bypasses_or_aborts(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3Translation result;

    r->cr0 &= ~MASK(CR0_SMMUEN);
    rig_start(r);
    g_assert_cmpint(submit(r, 0x123456789, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, 0x123456789);

    rig_write32(r, SMMU3_GBPA, MASK(GBPA_UPDATE) | MASK(GBPA_ABORT));
    g_assert_cmpint(submit(r, 0x123456789, &result), ==, SMMU3_ABORT);

    rig_write32(r, SMMU3_GBPA, MASK(GBPA_UPDATE));
    g_assert_cmpint(submit(r, 0x123456789, &result), ==, SMMU3_OK);
    smmu3_service(r->smmu);
    rig_expect_no_event(r);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_EVENTQ], ==, 0);
}

static void test_disabled_address_above_oas(void)
{
    static const uint16_t oas[] = { 0, 2, 5, 6 };

    for (unsigned i = 0; i < G_N_ELEMENTS(oas); i++) {
        g_autoptr(Rig) r = rig_new();
        uint64_t limit = UINT64_C(1) << smmu3_address_bits(oas[i]);
        Smmu3Translation result;

        r->features.oas = oas[i];
        r->cr0 &= ~MASK(CR0_SMMUEN);
        rig_start(r);
        g_assert_cmpint(submit(r, limit - 8, &result), ==, SMMU3_OK);
        g_assert_cmphex(result.pa, ==, limit - 8);
        g_assert_cmpint(submit(r, limit, &result), ==, SMMU3_ABORT);
        g_assert_cmpint(submit(r, ONES, &result), ==, SMMU3_ABORT);
        rig_expect_no_event(r);
    }
}

/* ATSCHK, and SMMUEN before it, decide about ATS Translated traffic (3.9.1). */
static void test_atschk(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3Transaction t = dma_read(1, 0x5000);       /* its STE has V=0 */
    Smmu3Translation result;
    uint64_t event[SMMU3_EVENT_WORDS];
    uint32_t cr0;

    r->cr0 &= ~MASK(CR0_ATSCHK);
    rig_start(r);
    cr0 = rig_read32(r, SMMU3_CR0);
    t.type = SMMU3_ATS_TRANSLATED;
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, 0x5000);
    rig_write32(r, SMMU3_CR0, cr0 | MASK(CR0_ATSCHK));
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_ABORT);
    rig_expect_no_event(r);
    rig_write32(r, SMMU3_CR0, cr0);
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_OK);
    rig_write32(r, SMMU3_CR0, cr0 & ~MASK(CR0_SMMUEN));
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_ABORT);
    rig_expect_event(r, F_TRANSL_FORBIDDEN, event);
    g_assert_cmphex(event[0], ==, UINT64_C(0x0000000100000007));
    g_assert_cmphex(event[1], ==, UINT64_C(0x0000000800000000));
    g_assert_cmphex(event[2], ==, 0x5000);
    g_assert_cmphex(event[3], ==, 0);
}

/* ---- Guards ----------------------------------------------------------- */

/* With @enable set in @control, writes of @offset are ignored or taken. */
typedef struct GuardCase {
    uint32_t control;
    uint32_t enable;
    uint32_t offset;
    uint8_t bytes;
    uint64_t before, attempt;
    uint64_t expect;
} GuardCase;

#define SMMUEN      1u
#define PRIQEN      2u
#define EVENTQEN    4u
#define CMDQEN      8u
#define GERROR_IRQ  1u
#define PRIQ_IRQ    2u
#define EVENTQ_IRQ  4u

static const GuardCase strtab_guards[] = {
    { SMMU3_CR0, SMMUEN, SMMU3_STRTAB_BASE, 8, 0x1000, 0x2000, 0x1000 },
    { SMMU3_CR0, SMMUEN, SMMU3_STRTAB_BASE_CFG, 4, 5, 6, 5 },
    { SMMU3_CR0, SMMUEN, SMMU3_CR2, 4, 2, 1, 2 },
    { SMMU3_CR0, SMMUEN, SMMU3_CR1, 4, 0x555, 0xaaa, 0x56a },
    { SMMU3_CR0, CMDQEN | EVENTQEN | PRIQEN, SMMU3_STRTAB_BASE, 8, 0x1000,
      0x2000, 0x2000 },
    { SMMU3_CR0, CMDQEN | EVENTQEN | PRIQEN, SMMU3_CR2, 4, 2, 1, 1 },
    { 0 },
};
static const GuardCase cmdq_guards[] = {
    { SMMU3_CR0, CMDQEN, SMMU3_CMDQ_BASE, 8, 0x1001, 0x2002, 0x1001 },
    { SMMU3_CR0, CMDQEN, SMMU3_CMDQ_CONS, 4, 0x40000, 0x50000, 0x40000 },
    { SMMU3_CR0, CMDQEN, SMMU3_CMDQ_PROD, 4, 0x40000, 0x50000, 0x50000 },
    { SMMU3_CR0, SMMUEN | EVENTQEN | PRIQEN, SMMU3_CMDQ_BASE, 8, 0x1001,
      0x2002, 0x2002 },
    { SMMU3_CR0, SMMUEN | EVENTQEN | PRIQEN, SMMU3_CMDQ_CONS, 4, 1, 2, 2 },
    { 0 },
};
static const GuardCase eventq_guards[] = {
    { SMMU3_CR0, EVENTQEN, SMMU3_EVENTQ_BASE, 8, 0x1001, 0x2002, 0x1001 },
    { SMMU3_CR0, EVENTQEN, SMMU3_EVENTQ_PROD, 4, 1, 2, 1 },
    { SMMU3_CR0, EVENTQEN, SMMU3_EVENTQ_PROD_ALIAS, 4, 1, 2, 1 },
    { SMMU3_CR0, EVENTQEN, SMMU3_EVENTQ_CONS, 4, 1, 2, 2 },
    { SMMU3_CR0, EVENTQEN, SMMU3_EVENTQ_CONS_ALIAS, 4, 1, 2, 2 },
    { SMMU3_CR0, SMMUEN | CMDQEN | PRIQEN, SMMU3_EVENTQ_PROD, 4, 1, 2, 2 },
    { 0 },
};
static const GuardCase priq_guards[] = {
    { SMMU3_CR0, PRIQEN, SMMU3_PRIQ_BASE, 8, 0x1001, 0x2002, 0x1001 },
    { SMMU3_CR0, PRIQEN, SMMU3_PRIQ_PROD, 4, 1, 2, 1 },
    { SMMU3_CR0, PRIQEN, SMMU3_PRIQ_PROD_ALIAS, 4, 1, 2, 1 },
    { SMMU3_CR0, PRIQEN, SMMU3_PRIQ_CONS, 4, 1, 2, 2 },
    { SMMU3_CR0, SMMUEN | CMDQEN | EVENTQEN, SMMU3_PRIQ_PROD, 4, 1, 2, 2 },
    { 0 },
};
static const GuardCase cr1_guards[] = {
    { SMMU3_CR0, CMDQEN, SMMU3_CR1, 4, 0x555, 0xaaa, 0xa95 },
    { SMMU3_CR0, EVENTQEN, SMMU3_CR1, 4, 0x555, 0xaaa, 0xa95 },
    { SMMU3_CR0, PRIQEN, SMMU3_CR1, 4, 0x555, 0xaaa, 0xa95 },
    { SMMU3_CR0, SMMUEN | CMDQEN, SMMU3_CR1, 4, 0x555, 0xaaa, 0x555 },
    { 0 },
};
static const GuardCase irq_guards[] = {
    { SMMU3_IRQ_CTRL, EVENTQ_IRQ, SMMU3_EVENTQ_IRQ_CFG0, 8, 0x1000, 0x2000,
      0x1000 },
    { SMMU3_IRQ_CTRL, EVENTQ_IRQ, SMMU3_EVENTQ_IRQ_CFG1, 4, 1, 2, 1 },
    { SMMU3_IRQ_CTRL, EVENTQ_IRQ, SMMU3_EVENTQ_IRQ_CFG2, 4, 1, 2, 1 },
    { SMMU3_IRQ_CTRL, EVENTQ_IRQ, SMMU3_GERROR_IRQ_CFG0, 8, 0x1000, 0x2000,
      0x2000 },
    { SMMU3_IRQ_CTRL, GERROR_IRQ, SMMU3_GERROR_IRQ_CFG0, 8, 0x1000, 0x2000,
      0x1000 },
    { SMMU3_IRQ_CTRL, GERROR_IRQ, SMMU3_GERROR_IRQ_CFG1, 4, 1, 2, 1 },
    { SMMU3_IRQ_CTRL, GERROR_IRQ, SMMU3_GERROR_IRQ_CFG2, 4, 1, 2, 1 },
    { SMMU3_IRQ_CTRL, GERROR_IRQ, SMMU3_PRIQ_IRQ_CFG0, 8, 0x1000, 0x2000,
      0x2000 },
    { SMMU3_IRQ_CTRL, PRIQ_IRQ, SMMU3_PRIQ_IRQ_CFG0, 8, 0x1000, 0x2000,
      0x1000 },
    { SMMU3_IRQ_CTRL, PRIQ_IRQ, SMMU3_PRIQ_IRQ_CFG1, 4, 1, 2, 1 },
    { SMMU3_IRQ_CTRL, PRIQ_IRQ, SMMU3_PRIQ_IRQ_CFG2, 4, 0x80000001, 2,
      0x80000001 },
    { SMMU3_IRQ_CTRL, PRIQ_IRQ, SMMU3_EVENTQ_IRQ_CFG0, 8, 0x1000, 0x2000,
      0x2000 },
    { 0 },
};

static void test_guards(const void *data)
{
    for (const GuardCase *c = data; c->bytes; c++) {
        g_autoptr(Rig) r = rig_with(NULL);
        uint64_t unguarded;

        make_queues_large(r);
        write_reg(r, c->offset, c->before, c->bytes);
        g_assert_cmphex(read_reg(r, c->offset, c->bytes), ==, c->before);
        rig_write32(r, c->control, c->enable);
        r->host->guest_errors = 0;
        write_reg(r, c->offset, c->attempt, c->bytes);
        g_assert_cmphex(read_reg(r, c->offset, c->bytes), ==, c->expect);
        /* It is worth a line exactly when something was ignored */
        g_assert_cmpuint(r->host->guest_errors, ==, c->expect != c->attempt);
        /* The guard goes with the enable */
        rig_write32(r, c->control, 0);
        write_reg(r, c->offset, c->attempt, c->bytes);
        unguarded = read_reg(r, c->offset, c->bytes);
        g_assert_cmphex(unguarded, ==, c->attempt);
    }
}

/* ---- Accesses --------------------------------------------------------- */

static void test_halves_of_64_bit_registers(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++) {
        const RegCase *c = &writable[i];
        g_autoptr(Rig) r = rig_with(NULL);
        uint32_t low = (uint32_t)c->all, high = c->all >> 32;

        if (c->bytes != 8) {
            continue;
        }
        rig_write32(r, c->offset + 4, 0xffffffff);
        g_assert_cmphex(rig_read32(r, c->offset), ==, 0);
        g_assert_cmphex(rig_read32(r, c->offset + 4), ==, high);
        rig_write32(r, c->offset, 0xffffffff);
        g_assert_cmphex(rig_read32(r, c->offset), ==, low);
        g_assert_cmphex(read_reg(r, c->offset, 8), ==, c->all);
        rig_write32(r, c->offset + 4, 0);
        g_assert_cmphex(read_reg(r, c->offset, 8), ==, low);
    }
}

static void test_64_bits_over_two_registers(void)
{
    g_autoptr(Rig) r = rig_with(NULL);

    make_queues_large(r);
    rig_write64(r, SMMU3_CMDQ_PROD, UINT64_C(0x0000000500000003));
    g_assert_cmphex(rig_read32(r, SMMU3_CMDQ_PROD), ==, 3);
    g_assert_cmphex(rig_read32(r, SMMU3_CMDQ_CONS), ==, 5);
    g_assert_cmphex(read_reg(r, SMMU3_CMDQ_PROD, 8), ==,
                    UINT64_C(0x0000000500000003));
    g_assert_cmphex(read_reg(r, SMMU3_IDR0, 8), ==,
                    smmu3_features_reg(&r->features, SMMU3_IDR0) |
                    (uint64_t)smmu3_features_reg(&r->features, SMMU3_IDR1)
                    << 32);
    rig_write64(r, SMMU3_CR1, UINT64_C(0x0000000200000fff));
    g_assert_cmphex(read_reg(r, SMMU3_CR1, 8), ==,
                    UINT64_C(0x0000000200000fff));
}

static void test_other_accesses_are_reported(void)
{
    static const struct { uint64_t offset; unsigned size; } cases[] = {
        { SMMU3_CR1, 1 }, { SMMU3_CR1, 2 }, { SMMU3_CR1 + 2, 4 },
        { SMMU3_CR1 + 1, 1 }, { SMMU3_STRTAB_BASE + 4, 8 },
        { SMMU3_CR1, 16 }, { SMMU3_CR1, 0 }, { SMMU3_CR1, 3 },
        { SMMU3_MMIO_BYTES, 4 }, { SMMU3_MMIO_BYTES, 8 },
        { UINT64_MAX - 3, 4 }, { UINT64_MAX - 7, 8 },
    };
    g_autoptr(Rig) r = rig_with(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_reg(r, cases[i].offset, ONES, cases[i].size);
        g_assert_cmpuint(r->host->guest_errors, ==, 2 * i + 1);
        g_assert_cmphex(read_reg(r, cases[i].offset, cases[i].size), ==, 0);
        g_assert_cmpuint(r->host->guest_errors, ==, 2 * i + 2);
    }
    g_assert_cmphex(rig_read32(r, SMMU3_CR1), ==, 0);
    g_assert_cmphex(read_reg(r, SMMU3_STRTAB_BASE, 8), ==, 0);
}

static void test_aliases(void)
{
    static const uint32_t pairs[][2] = {
        { SMMU3_EVENTQ_PROD_ALIAS, SMMU3_EVENTQ_PROD },
        { SMMU3_EVENTQ_CONS_ALIAS, SMMU3_EVENTQ_CONS },
        { SMMU3_PRIQ_PROD_ALIAS, SMMU3_PRIQ_PROD },
        { SMMU3_PRIQ_CONS_ALIAS, SMMU3_PRIQ_CONS },
    };
    g_autoptr(Rig) r = rig_with(NULL);

    make_queues_large(r);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        rig_write32(r, pairs[i][0], 0x80000007);
        g_assert_cmphex(rig_read32(r, pairs[i][1]), ==, 0x80000007);
        rig_write32(r, pairs[i][1], 5);
        g_assert_cmphex(rig_read32(r, pairs[i][0]), ==, 5);
    }
}

/* 6.3.28 and its like: only index and wrap bit of the queue's size are read,
   as if the register were truncated when LOG2SIZE shrinks. */
static void test_index_bits_above_the_size(void)
{
    static const uint32_t regs[][2] = {
        { SMMU3_CMDQ_BASE, SMMU3_CMDQ_PROD },
        { SMMU3_CMDQ_BASE, SMMU3_CMDQ_CONS },
        { SMMU3_EVENTQ_BASE, SMMU3_EVENTQ_PROD },
        { SMMU3_EVENTQ_BASE, SMMU3_EVENTQ_CONS },
        { SMMU3_EVENTQ_BASE, SMMU3_EVENTQ_CONS_ALIAS },
        { SMMU3_PRIQ_BASE, SMMU3_PRIQ_PROD },
        { SMMU3_PRIQ_BASE, SMMU3_PRIQ_CONS },
    };
    g_autoptr(Rig) r = rig_with(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(regs); i++) {
        for (unsigned log2 = 0; log2 <= 19; log2++) {
            write_reg(r, regs[i][0], log2, 8);
            rig_write32(r, regs[i][1], 0xffffffff);
            g_assert_cmphex(rig_read32(r, regs[i][1]) & 0xfffff, ==,
                            (2u << log2) - 1);
            rig_write32(r, regs[i][1], 0);
        }
    }
}

static void test_msi_absent(void)
{
    static const uint32_t offsets[] = {
        SMMU3_GERROR_IRQ_CFG0, SMMU3_GERROR_IRQ_CFG0 + 4,
        SMMU3_GERROR_IRQ_CFG1, SMMU3_GERROR_IRQ_CFG2,
        SMMU3_EVENTQ_IRQ_CFG0, SMMU3_EVENTQ_IRQ_CFG0 + 4,
        SMMU3_EVENTQ_IRQ_CFG1, SMMU3_EVENTQ_IRQ_CFG2,
        SMMU3_PRIQ_IRQ_CFG0, SMMU3_PRIQ_IRQ_CFG0 + 4, SMMU3_PRIQ_IRQ_CFG1,
    };
    g_autoptr(Rig) r = rig_with(without_msi);

    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        rig_write32(r, offsets[i], 0xffffffff);
        g_assert_cmphex(rig_read32(r, offsets[i]), ==, 0);
    }
    /* LO is about the wired interrupt too */
    rig_write32(r, SMMU3_PRIQ_IRQ_CFG2, 0xffffffff);
    g_assert_cmphex(rig_read32(r, SMMU3_PRIQ_IRQ_CFG2), ==, 0x80000000);
}

static void test_pri_absent(void)
{
    static const uint32_t offsets[] = {
        SMMU3_PRIQ_BASE, SMMU3_PRIQ_BASE + 4, SMMU3_PRIQ_PROD,
        SMMU3_PRIQ_CONS, SMMU3_PRIQ_PROD_ALIAS, SMMU3_PRIQ_CONS_ALIAS,
        SMMU3_PRIQ_IRQ_CFG0, SMMU3_PRIQ_IRQ_CFG0 + 4, SMMU3_PRIQ_IRQ_CFG1,
        SMMU3_PRIQ_IRQ_CFG2,
    };
    g_autoptr(Rig) r = rig_with(without_pri);

    rig_write32(r, SMMU3_CR0, PRIQEN);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0ACK), ==, 0);
    rig_write32(r, SMMU3_IRQ_CTRL, PRIQ_IRQ);
    g_assert_cmphex(rig_read32(r, SMMU3_IRQ_CTRLACK), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        rig_write32(r, offsets[i], 0xffffffff);
        g_assert_cmphex(rig_read32(r, offsets[i]), ==, 0);
    }
}

/* ---- GERROR ----------------------------------------------------------- */

/* A command queue in a hole, and a CMD_SYNC that cannot signal before it. */
static void make_two_errors(Rig *r)
{
    uint64_t sync[2] = { CMD_SYNC, 0 };
    uint64_t base = fake_alloc(r->host, 4096, 4096);

    smmu3_set(sync, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
    smmu3_set_addr(sync, CMD_SYNC_MSIADDR, 0x10);       /* a hole */
    fake_write_words(r->host, base, sync, 2);
    fake_write_words(r->host, base + 16, (uint64_t[]) { 0xff, 0 }, 2);
    rig_write64(r, SMMU3_CMDQ_BASE, base | 4);
    rig_write32(r, SMMU3_CMDQ_PROD, 2);
    rig_write32(r, SMMU3_CR0, CMDQEN);
}

static void test_gerrorn_acknowledges(void)
{
    g_autoptr(Rig) r = rig_with(NULL);
    uint32_t errors = MASK(GERROR_CMDQ) | MASK(GERROR_MSI_CMDQ_ABT);

    make_two_errors(r);
    g_assert_cmphex(rig_read32(r, SMMU3_GERROR), ==, errors);
    g_assert_cmphex(rig_read32(r, SMMU3_GERRORN), ==, 0);
    /* One, then all: reading GERROR never changes it */
    rig_write32(r, SMMU3_GERRORN, MASK(GERROR_MSI_CMDQ_ABT));
    g_assert_cmphex(rig_read32(r, SMMU3_GERROR) ^
                    rig_read32(r, SMMU3_GERRORN), ==, MASK(GERROR_CMDQ));
    rig_write32(r, SMMU3_CR0, 0);       /* or it fails again at once */
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
    g_assert_cmphex(rig_read32(r, SMMU3_GERROR), ==, errors);
    g_assert_cmphex(rig_read32(r, SMMU3_GERRORN), ==, errors);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 0);
}

/* 6.3.20: CONSTRAINED UNPREDICTABLE; here stored, reported, no interrupt. */
static void test_gerrorn_junk(void)
{
    g_autoptr(Rig) r = rig_with(NULL);

    rig_write32(r, SMMU3_IRQ_CTRL, GERROR_IRQ);
    rig_write32(r, SMMU3_GERRORN, 0xffffffff);
    g_assert_cmphex(rig_read32(r, SMMU3_GERRORN), ==, 0x1fd);
    g_assert_cmphex(rig_read32(r, SMMU3_GERROR), ==, 0);
    g_assert_cmpuint(r->host->guest_errors, ==, 1);
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 0);
    /* The command queue now holds still; until software takes it back */
    make_two_errors(r);
    g_assert_cmphex(rig_read32(r, SMMU3_CMDQ_CONS), ==, 0);
    rig_write32(r, SMMU3_GERRORN, 0);
    g_assert_cmphex(rig_read32(r, SMMU3_CMDQ_CONS), ==, 1 | 1u << 24);
}

/* ---- Reset, save, load ------------------------------------------------ */

static void scribble(Rig *r)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++) {
        if (writable[i].offset != SMMU3_CR0) {
            write_reg(r, writable[i].offset, UINT64_C(0x5a5a5a5a5a5a5a5a),
                      writable[i].bytes);
        }
    }
    rig_write32(r, SMMU3_GBPA, MASK(GBPA_UPDATE) | MASK(GBPA_ABORT));
}

static void test_reset(void)
{
    g_autoptr(Rig) r = rig_with(NULL);
    Smmu3Regs initial = *smmu3_regs(r->smmu);

    scribble(r);
    rig_write32(r, SMMU3_CR0, 0xffffffff);
    g_assert_cmpint(memcmp(&initial, smmu3_regs(r->smmu), sizeof(initial)),
                    !=, 0);
    smmu3_reset(r->smmu);
    g_assert_cmpint(memcmp(&initial, smmu3_regs(r->smmu), sizeof(initial)),
                    ==, 0);
    /* The guards are down as well */
    rig_write64(r, SMMU3_STRTAB_BASE, 0x1000);
    g_assert_cmphex(read_reg(r, SMMU3_STRTAB_BASE, 8), ==, 0x1000);
}

static void test_load_restores(void)
{
    g_autoptr(Rig) from = rig_with(NULL);
    g_autoptr(Rig) to = rig_with(NULL);
    Smmu3Translation result;

    scribble(from);
    rig_write32(from, SMMU3_GERRORN, 0);
    g_assert_true(smmu3_load(to->smmu, smmu3_regs(from->smmu), NULL, 0));
    for (uint64_t offset = 0; offset < SMMU3_MMIO_BYTES; offset += 4) {
        g_assert_cmphex(rig_read32(from, offset), ==, rig_read32(to, offset));
    }
    /* GBPA.ABORT came along for those who look without the lock */
    g_assert_cmpint(submit(to, 0x1000, &result), ==, SMMU3_ABORT);
}

/* A register file that this SMMU cannot have is refused whole. */
static void test_load_refuses(void)
{
    g_autoptr(Rig) r = rig_with(bare);
    Smmu3Regs initial = *smmu3_regs(r->smmu);
    Smmu3Regs cases[] = {
        { .cr0 = 2, .cr0ack = 2 }, { .cr0 = 1 }, { .cr0ack = 1 },
        { .irq_ctrl = 2, .irq_ctrlack = 2 }, { .irq_ctrl = 1 },
        { .cr1 = 0x1000 }, { .cr2 = 1 }, { .gbpa = 1u << 31 },
        { .gbpa = 1u << 12 }, { .gerror = 2 }, { .gerrorn = 2 },
        { .gerror = 1u << 5 }, { .strtab_base = 1 },
        { .strtab_base_cfg = 1u << 16 }, { .cmdq.base = UINT64_C(1) << 63 },
        { .cmdq.prod = 1u << 20 }, { .cmdq.cons = 1u << 31 },
        { .eventq.prod = 1u << 30 }, { .priq.base = 1 }, { .priq.cons = 1 },
        { .gerror_irq.addr = 4 }, { .priq_irq.attr = 1u << 31 },
        { .gatos_ctrl = 1 }, { .gatos_sid = 1 }, { .gatos_addr = 64 },
        { .gatos_par = 1 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        rig_write32(r, SMMU3_CR1, 0x123);
        g_assert_false(smmu3_load(r->smmu, &cases[i], NULL, 0));
        g_assert_cmpint(memcmp(&initial, smmu3_regs(r->smmu),
                               sizeof(initial)), ==, 0);
    }
}

static void test_counters(void)
{
    g_autoptr(Rig) r = rig_new();
    const Smmu3Counters *counters;

    rig_start(r);
    counters = smmu3_counters(r->smmu);
    g_assert_cmpuint(counters->commands, ==, 4);    /* rig_invalidate_all */
    g_assert_cmpuint(counters->syncs, ==, 1);
    g_assert_cmpuint(counters->config_invalidations, ==, 1);
    g_assert_cmpuint(counters->tlb_invalidations, ==, 2);
    smmu3_reset(r->smmu);
    g_assert_cmpuint(counters->commands, ==, 4);
    smmu3_counters_reset(r->smmu);
    g_assert_cmpuint(counters->commands, ==, 0);
    g_assert_cmpuint(counters->tlb_invalidations, ==, 0);
    g_assert_true(smmu3_features(r->smmu)->sidsize == r->features.sidsize);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/registers/reset-values", test_reset_values,
                     "1");
    conformance_test("/smmu3/registers/bits-that-exist", test_bits, "2 12 13");
    conformance_test("/smmu3/registers/undefined-reads-zero",
                     test_undefined_is_zero_and_ignored, "14");
    conformance_test("/smmu3/registers/read-only-ignores-writes",
                     test_read_only, "14");
    conformance_test("/smmu3/registers/identification-follows-iidr",
                     test_id_scheme, "");
    conformance_test("/smmu3/registers/cr0ack-follows-cr0",
                     test_cr0_handshake, "2 13");
    conformance_test("/smmu3/registers/irq-ctrlack-follows-irq-ctrl",
                     test_irq_ctrl_handshake, "");
    conformance_test("/smmu3/registers/gbpa-needs-update", test_gbpa_update,
                     "8");
    conformance_test("/smmu3/registers/disabled-bypasses-or-aborts",
                     test_disabled_bypasses_or_aborts, "9");
    conformance_test("/smmu3/registers/disabled-aborts-above-oas",
                     test_disabled_address_above_oas, "10");
    conformance_test("/smmu3/registers/atschk", test_atschk, "100");
    conformance_test_data("/smmu3/registers/guarded-by-smmuen",
                          strtab_guards, test_guards, "3");
    conformance_test_data("/smmu3/registers/guarded-by-cmdqen", cmdq_guards,
                          test_guards, "4");
    conformance_test_data("/smmu3/registers/guarded-by-eventqen",
                          eventq_guards, test_guards, "5");
    conformance_test_data("/smmu3/registers/guarded-by-priqen", priq_guards,
                          test_guards, "");
    conformance_test_data("/smmu3/registers/guarded-halves-of-cr1",
                          cr1_guards, test_guards, "6");
    conformance_test_data("/smmu3/registers/guarded-by-irq-enables",
                          irq_guards, test_guards, "7");
    conformance_test("/smmu3/registers/halves-of-64-bit-registers",
                     test_halves_of_64_bit_registers, "11");
    conformance_test("/smmu3/registers/64-bits-over-two-registers",
                     test_64_bits_over_two_registers, "");
    conformance_test("/smmu3/registers/other-accesses-are-reported",
                     test_other_accesses_are_reported, "");
    conformance_test("/smmu3/registers/aliases-in-page-0", test_aliases, "");
    conformance_test("/smmu3/registers/index-bits-above-the-size",
                     test_index_bits_above_the_size, "");
    conformance_test("/smmu3/registers/msi-absent", test_msi_absent, "12");
    conformance_test("/smmu3/registers/pri-absent", test_pri_absent, "13");
    conformance_test("/smmu3/registers/gerrorn-acknowledges",
                     test_gerrorn_acknowledges, "15");
    conformance_test("/smmu3/registers/gerrorn-junk-is-survived",
                     test_gerrorn_junk, "");
    conformance_test("/smmu3/registers/reset-undoes-everything", test_reset,
                     "1");
    conformance_test("/smmu3/registers/load-restores", test_load_restores,
                     "");
    conformance_test("/smmu3/registers/load-refuses-the-impossible",
                     test_load_refuses, "");
    conformance_test("/smmu3/registers/counters", test_counters, "");
    return conformance_run();
}
