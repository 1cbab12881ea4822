/*
 * Golden registers: literal offsets, literal masks, literal values (IHI 0070
 * chapter 6). Not what the registers are for beyond what shows their bits:
 * that is in test-registers.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "golden.h"
#include <stddef.h>

/* ---- ID registers (6.3.1 to 6.3.8) ------------------------------------- */

#define F(name) offsetof(Smmu3Features, name)

/* One feature alone, at its greatest value, and the word that names it. */
static const struct {
    size_t member;
    uint16_t value;
    uint32_t offset, word;
} id_fields[] = {
    /* IDR0.TTF=2: VMSAv8-64 only */
    { F(s2p), 1, 0x00, 0x00000009 },
    { F(s1p), 1, 0x00, 0x0000000a },
    { F(cohacc), 1, 0x00, 0x00000018 },
    { F(httu), 1, 0x00, 0x00000048 },
    { F(httu), 2, 0x00, 0x00000088 },
    { F(hyp), 1, 0x00, 0x00000208 },
    { F(ats), 1, 0x00, 0x00000408 },
    { F(ns1ats), 1, 0x00, 0x00000808 },
    { F(asid16), 1, 0x00, 0x00001008 },
    { F(msi), 1, 0x00, 0x00002008 },
    { F(sev), 1, 0x00, 0x00004008 },
    { F(atos), 1, 0x00, 0x00008008 },
    { F(pri), 1, 0x00, 0x00010008 },
    { F(vmw), 1, 0x00, 0x00020008 },
    { F(vmid16), 1, 0x00, 0x00040008 },
    { F(cd2l), 1, 0x00, 0x00080008 },
    { F(ttendian), 2, 0x00, 0x00400008 },
    { F(ttendian), 3, 0x00, 0x00600008 },
    { F(atsrecerr), 1, 0x00, 0x00800008 },
    { F(stall_model), 1, 0x00, 0x01000008 },
    { F(stall_model), 2, 0x00, 0x02000008 },
    { F(term_model), 1, 0x00, 0x04000008 },
    { F(st_level), 1, 0x00, 0x08000008 },
    { F(sidsize), 32, 0x04, 0x00000020 },
    { F(sidsize), 31, 0x04, 0x0000001f },
    { F(ssidsize), 20, 0x04, 0x00000500 },
    { F(ssidsize), 11, 0x04, 0x000002c0 },
    { F(priqs), 19, 0x04, 0x00009800 },
    { F(priqs), 12, 0x04, 0x00006000 },
    { F(eventqs), 19, 0x04, 0x00130000 },
    { F(eventqs), 12, 0x04, 0x000c0000 },
    { F(cmdqs), 19, 0x04, 0x02600000 },
    { F(cmdqs), 12, 0x04, 0x01800000 },
    { F(attr_perms_ovr), 1, 0x04, 0x04000000 },
    { F(attr_types_ovr), 1, 0x04, 0x08000000 },
    { F(had), 1, 0x0c, 0x00000004 },
    { F(xnx), 1, 0x0c, 0x00000010 },
    { F(pps), 1, 0x0c, 0x00000020 },
    { F(fwb), 1, 0x0c, 0x00000100 },
    { F(stt), 1, 0x0c, 0x00000200 },
    { F(ril), 1, 0x0c, 0x00000400 },
    { F(bbml), 1, 0x0c, 0x00000800 },
    { F(bbml), 2, 0x0c, 0x00001000 },
    { F(e0pd), 1, 0x0c, 0x00002000 },
    { F(ptwnnc), 1, 0x0c, 0x00004000 },
    { F(oas), 6, 0x14, 0x00000006 },
    { F(oas), 1, 0x14, 0x00000001 },
    { F(gran4k), 1, 0x14, 0x00000010 },
    { F(gran16k), 1, 0x14, 0x00000020 },
    { F(gran64k), 1, 0x14, 0x00000040 },
    { F(ds), 1, 0x14, 0x00000080 },
    { F(vax), 1, 0x14, 0x00000400 },
    { F(stall_max), 0xffff, 0x14, 0xffff0000 },
    { F(stall_max), 1, 0x14, 0x00010000 },
    { F(implementer), 0xfff, 0x18, 0x00000fff },
    { F(implementer), 1, 0x18, 0x00000001 },
    { F(revision), 0xf, 0x18, 0x0000f000 },
    { F(revision), 1, 0x18, 0x00001000 },
    { F(variant), 0xf, 0x18, 0x000f0000 },
    { F(variant), 1, 0x18, 0x00010000 },
    { F(productid), 0xfff, 0x18, 0xfff00000 },
    { F(productid), 1, 0x18, 0x00100000 },
    { F(aidr_minor), 3, 0x1c, 0x00000003 },
    { F(aidr_minor), 1, 0x1c, 0x00000001 },
};

static void id_field_alone(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(id_fields); i++) {
        Smmu3Features f = { 0 };

        *(uint16_t *)((char *)&f + id_fields[i].member) = id_fields[i].value;
        g_assert_cmphex(smmu3_features_reg(&f, id_fields[i].offset), ==,
                        id_fields[i].word);
        /* and in no other register */
        for (unsigned offset = 0; offset <= 0x1c; offset += 4) {
            if (offset != id_fields[i].offset) {
                g_assert_cmphex(smmu3_features_reg(&f, offset), ==,
                                offset ? 0 : 0x8);
            }
        }
    }
}

/* All that golden_new() has, and the CoreSight identification behind it. */
static void id_registers(void)
{
    static const struct {
        uint32_t offset, word;
    } expected[] = {
        { 0x000, 0x088ff69b }, { 0x004, 0x0d4a5520 }, { 0x008, 0 },
        { 0x00c, 0x00007714 }, { 0x010, 0 }, { 0x014, 0xffff04f6 },
        { 0x018, 0x4873743b }, { 0x01c, 0x00000003 },
        { 0xfd0, 0x04 }, { 0xfd4, 0 }, { 0xfd8, 0 }, { 0xfdc, 0 },
        { 0xfe0, 0x87 }, { 0xfe4, 0xb4 }, { 0xfe8, 0x3b }, { 0xfec, 0x70 },
        { 0xff0, 0x0d }, { 0xff4, 0xf0 }, { 0xff8, 0x05 }, { 0xffc, 0xb1 },
    };
    g_autoptr(Golden) g = golden_new();

    g->features.revision = 7;
    g->features.variant = 3;
    g->features.productid = 0x487;
    golden_create(g);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmphex(golden_r32(g, expected[i].offset), ==,
                        expected[i].word);
    }
}

/* ---- What can be written ----------------------------------------------- */

typedef struct Register {
    uint32_t offset;
    unsigned bytes;
    uint64_t mask;
} Register;

/*
 * All ones written while nothing is enabled. The indices of queues show as
 * many bits as the queue has: LOG2SIZE is limited to IDR1's 10.
 */
static const Register writable[] = {
    { 0x028, 4, 0x00000fff },                       /* CR1 */
    { 0x02c, 4, 0x0000000b },                       /* CR2, BTM=0 */
    { 0x064, 4, 0x000001fd },                       /* GERRORN */
    { 0x068, 8, UINT64_C(0x000ffffffffffffc) },     /* GERROR_IRQ_CFG0 */
    { 0x070, 4, 0xffffffff },
    { 0x074, 4, 0x0000003f },
    { 0x080, 8, UINT64_C(0x400fffffffffffc0) },     /* STRTAB_BASE */
    { 0x088, 4, 0x000307ff },                       /* STRTAB_BASE_CFG */
    { 0x090, 8, UINT64_C(0x400fffffffffffff) },     /* CMDQ_BASE */
    { 0x098, 4, 0x000fffff },
    { 0x09c, 4, 0x7f0fffff },
    { 0x0a0, 8, UINT64_C(0x400fffffffffffff) },     /* EVENTQ_BASE */
    { 0x100a8, 4, 0x800fffff },
    { 0x100ac, 4, 0x800fffff },
    { 0x0b0, 8, UINT64_C(0x000ffffffffffffc) },     /* EVENTQ_IRQ_CFG0 */
    { 0x0b8, 4, 0xffffffff },
    { 0x0bc, 4, 0x0000003f },
    { 0x0c0, 8, UINT64_C(0x400fffffffffffff) },     /* PRIQ_BASE */
    { 0x100c8, 4, 0x800fffff },
    { 0x100cc, 4, 0x800fffff },
    { 0x0d0, 8, UINT64_C(0x000ffffffffffffc) },     /* PRIQ_IRQ_CFG0 */
    { 0x0d8, 4, 0xffffffff },
    { 0x0dc, 4, 0x8000003f },                       /* with LO */
    { 0x108, 8, UINT64_C(0x001fffffffffffff) },     /* GATOS_SID */
    { 0x110, 8, UINT64_C(0xffffffffffffffc0) },     /* GATOS_ADDR */
};

static uint64_t read_reg(Golden *g, const Register *r)
{
    return r->bytes == 8 ? golden_r64(g, r->offset) : golden_r32(g, r->offset);
}

static void write_reg(Golden *g, const Register *r, uint64_t value)
{
    if (r->bytes == 8) {
        golden_w64(g, r->offset, value);
    } else {
        golden_w32(g, r->offset, value);
    }
}

static void create_disabled(Golden *g)
{
    golden_create(g);
    golden_w32(g, 0x020, 0);
    golden_w32(g, 0x050, 0);
}

/* Each by itself: the others keep what they have. */
static void writable_bits(void)
{
    g_autoptr(Golden) g = golden_new();

    g->features.cmdqs = g->features.eventqs = g->features.priqs = 19;
    create_disabled(g);
    golden_w64(g, 0x090, 0x1f);                     /* all queues at their */
    golden_w64(g, 0x0a0, 0x1f);                     /* largest */
    golden_w64(g, 0x0c0, 0x1f);
    for (size_t i = 0; i < G_N_ELEMENTS(writable); i++) {
        uint64_t before[G_N_ELEMENTS(writable)];

        for (size_t j = 0; j < G_N_ELEMENTS(writable); j++) {
            before[j] = read_reg(g, &writable[j]);
        }
        write_reg(g, &writable[i], UINT64_MAX);
        for (size_t j = 0; j < G_N_ELEMENTS(writable); j++) {
            g_assert_cmphex(read_reg(g, &writable[j]), ==,
                            j == i ? writable[i].mask : before[j]);
        }
        write_reg(g, &writable[i], before[i]);
        g_assert_cmphex(read_reg(g, &writable[i]), ==, before[i]);
    }
}

/* Page 0 has aliases of the indices that are in page 1 (6.2). */
static void aliases(void)
{
    static const uint32_t offsets[] = { 0xa8, 0xac, 0xc8, 0xcc };
    g_autoptr(Golden) g = golden_new();

    create_disabled(g);
    for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++) {
        golden_w32(g, 0x10000 + offsets[i], 0x80000005);
        g_assert_cmphex(golden_r32(g, offsets[i]), ==, 0x80000005);
        golden_w32(g, offsets[i], 0x3);
        g_assert_cmphex(golden_r32(g, 0x10000 + offsets[i]), ==, 0x3);
    }
}

/* CR0 and IRQ_CTRL, each with its acknowledgement; GBPA by its Update. */
static void controls(void)
{
    g_autoptr(Golden) g = golden_new();

    create_disabled(g);
    golden_w32(g, 0x020, 0xffffffff);
    g_assert_cmphex(golden_r32(g, 0x020), ==, 0x000001df);
    g_assert_cmphex(golden_r32(g, 0x024), ==, 0x000001df);
    golden_w32(g, 0x050, 0xffffffff);
    g_assert_cmphex(golden_r32(g, 0x050), ==, 0x00000007);
    g_assert_cmphex(golden_r32(g, 0x054), ==, 0x00000007);
    golden_w32(g, 0x044, 0x7fffffff);
    g_assert_cmphex(golden_r32(g, 0x044), ==, 0x00001000);
    golden_w32(g, 0x044, 0xffffffff);
    g_assert_cmphex(golden_r32(g, 0x044), ==, 0x001f3f1f);
    golden_w32(g, 0x044, 0x80000000);
    g_assert_cmphex(golden_r32(g, 0x044), ==, 0);
}

/* Bits that come and go with a feature. */
static void bits_of_features(void)
{
    static const struct {
        size_t without;
        uint32_t offset, mask;
    } cases[] = {
        { F(vmw), 0x020, 0x0000001f },
        { F(pri), 0x020, 0x000001dd },
        { F(pri), 0x050, 0x00000005 },
        { F(pri), 0x064, 0x000001b5 },
        { F(msi), 0x064, 0x0000010d },
        { F(msi), 0x0dc, 0x80000000 },
        { F(hyp), 0x02c, 0x0000000a },
        { F(atsrecerr), 0x02c, 0x00000003 },
        { F(attr_perms_ovr), 0x044, 0x00103f1f },
        { F(attr_types_ovr), 0x044, 0x001f0000 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        *(uint16_t *)((char *)&g->features + cases[i].without) = 0;
        if (cases[i].without == F(hyp)) {
            g->features.aidr_minor = 1;             /* before it had to be */
            g->features.atsrecerr = 0;
            golden_create(g);
            golden_w32(g, 0x02c, 0);
            golden_w32(g, 0x02c, 0xffffffff);
            g_assert_cmphex(golden_r32(g, 0x02c), ==, 0x00000002);
            continue;
        }
        create_disabled(g);
        golden_w32(g, cases[i].offset, 0xffffffff);
        g_assert_cmphex(golden_r32(g, cases[i].offset), ==, cases[i].mask);
    }
}

static void without_two_level_tables(void)
{
    g_autoptr(Golden) g = golden_new();

    g->features.st_level = 0;
    g->features.sidsize = 6;
    create_disabled(g);
    golden_w32(g, 0x088, 0xffffffff);
    g_assert_cmphex(golden_r32(g, 0x088), ==, 0x0000003f);
}

/* ---- What guards what (6.2) -------------------------------------------- */

/* With one bit of CR0 set: what all ones change of CR1, and what else. */
static void cr0_guards(void)
{
    static const struct {
        uint32_t bit, cr1;
    } cases[] = {
        { 0x01, 0x03f }, { 0x02, 0xfc0 }, { 0x04, 0xfc0 }, { 0x08, 0xfc0 },
        { 0x10, 0xfff },
    };
    /* CR2, PRIQ_PROD, EVENTQ_PROD, CMDQ_CONS; and what nothing guards */
    static const struct {
        uint32_t offset, guard;
    } guarded[] = {
        { 0x02c, 0x01 }, { 0x100c8, 0x02 }, { 0x100a8, 0x04 },
        { 0x09c, 0x08 }, { 0x100ac, 0 }, { 0x100cc, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        create_disabled(g);
        golden_w32(g, 0x028, 0);
        golden_w32(g, 0x02c, 0);
        golden_w32(g, 0x020, cases[i].bit);
        golden_w32(g, 0x028, 0xffffffff);
        g_assert_cmphex(golden_r32(g, 0x028), ==, cases[i].cr1);
        for (size_t j = 0; j < G_N_ELEMENTS(guarded); j++) {
            golden_w32(g, guarded[j].offset, 0x1);
            g_assert_cmphex(golden_r32(g, guarded[j].offset), ==,
                            guarded[j].guard != cases[i].bit);
        }
    }
}

static void irq_ctrl_guards(void)
{
    static const struct {
        uint32_t irq_ctrl, locked, open, also_open;
    } cases[] = {
        { 0x1, 0x070, 0x0b8, 0x0d8 },
        { 0x2, 0x0d8, 0x070, 0x0b8 },
        { 0x4, 0x0b8, 0x070, 0x0d8 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        create_disabled(g);
        golden_w32(g, 0x050, cases[i].irq_ctrl);
        golden_w32(g, cases[i].locked, 0x600dda7a);
        golden_w32(g, cases[i].open, 0x600dda7a);
        golden_w32(g, cases[i].also_open, 0x600dda7a);
        g_assert_cmphex(golden_r32(g, cases[i].locked), ==, 0);
        g_assert_cmphex(golden_r32(g, cases[i].open), ==, 0x600dda7a);
        g_assert_cmphex(golden_r32(g, cases[i].also_open), ==, 0x600dda7a);
    }
}

/* ---- What the bits do -------------------------------------------------- */

/* SMMUEN is bit 0; GBPA.ABORT is bit 20. */
static void smmuen_and_gbpa(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_create(g);
    golden_w32(g, 0x044, 0x800fffff);
    golden_passes(g, golden_read(0xdeadbeef, 0x1234), 0x1234);
    golden_w32(g, 0x044, 0x80100000);
    golden_aborts(g, golden_read(0xdeadbeef, 0x1234));
    golden_no_event(g);
    golden_start(g);
    golden_aborts(g, golden_read(0xdeadbeef, 0x1234));
    golden_event(g, UINT64_C(0xdeadbeef00000002), 0, 0, 0);
}

/* CR2.RECINVSID is bit 1, REC_CFG_ATS bit 3. */
static void cr2_records(void)
{
    static const struct {
        uint32_t cr2;
        bool recorded, recorded_for_ats;
    } cases[] = {
        { 0x0, false, false }, { 0x2, true, false }, { 0x8, false, false },
        { 0xa, true, true }, { 0x5, false, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Transaction t = golden_read(0x100, 0x1000);
        g_autoptr(Golden) g = golden_new();
        Smmu3Translation result;

        g->cr2 = cases[i].cr2;
        golden_start(g);
        golden_aborts(g, t);
        if (cases[i].recorded) {
            golden_event(g, UINT64_C(0x0000010000000002), 0, 0, 0);
        }
        golden_no_event(g);
        t.type = SMMU3_ATS_REQUEST;
        g_assert_cmpint(smmu3_translate(g->smmu, &t, &result), ==,
                        SMMU3_ATS_CA);
        if (cases[i].recorded_for_ats) {
            golden_event(g, UINT64_C(0x0000010000000002), 0, 0, 0);
        }
        golden_no_event(g);
    }
}

/* ATSCHK is bit 4: without it translated traffic is not looked at. */
static void atschk(void)
{
    Smmu3Transaction t = golden_read(0x9c, 0x1234);
    g_autoptr(Golden) g = golden_new();

    golden_ste(g, 0x9c, 0, 0, 0, 0);
    golden_start(g);
    t.type = SMMU3_ATS_TRANSLATED;
    golden_aborts(g, t);
    golden_w32(g, 0x020, 0x0f);
    golden_passes(g, t, 0x1234);
}

/*
 * GERROR: each error by what raises it, its bit, and the wired interrupt. A
 * queue in a hole for bits 0, 2 and 3, an MSI into one for 4 to 7.
 */
static void gerror_of_the_queues(void)
{
    static const Smmu3PageRequest request = { .sid = 1, .read = true };
    g_autoptr(Golden) g = golden_new();

    golden_start(g);
    fake_unmap(g->host, G_EVENTQ, 0x1000);
    golden_aborts(g, golden_read(0x100, 0));
    smmu3_service(g->smmu);
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0x004);
    fake_unmap(g->host, G_PRIQ, 0x1000);
    smmu3_page_request(g->smmu, &request);
    smmu3_service(g->smmu);
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0x00c);
    fake_unmap(g->host, G_CMDQ, 0x1000);
    golden_w32(g, 0x098, (g->commands + 1) % 64);
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0x00d);
    /* CERROR_ABT */
    g_assert_cmphex(golden_r32(g, 0x09c), ==, 0x02000000 | g->commands);
    g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_GERROR], ==, 3);
    golden_w32(g, 0x064, 0x00d);
    g_assert_cmphex(golden_r32(g, 0x064), ==, 0x00d);
}

static void gerror_of_msis(void)
{
    static const Smmu3PageRequest request = { .sid = 1, .read = true };
    uint64_t hole = UINT64_C(0x000fffff0000abc4);
    g_autoptr(Golden) g = golden_new();

    golden_create(g);
    golden_w32(g, 0x050, 0);
    golden_w64(g, 0x0b0, hole);             /* EVENTQ_IRQ_CFG0 */
    golden_w64(g, 0x0d0, hole + 4);         /* PRIQ_IRQ_CFG0 */
    golden_w64(g, 0x068, hole + 8);         /* GERROR_IRQ_CFG0 */
    golden_w32(g, 0x0b8, 0x11111111);       /* *_IRQ_CFG1 */
    golden_w32(g, 0x0d8, 0x22222222);
    golden_w32(g, 0x070, 0x33333333);
    golden_w32(g, 0x050, 0x7);
    golden_start(g);
    golden_aborts(g, golden_read(0x100, 0));
    smmu3_service(g->smmu);
    /* MSI_EVENTQ_ABT_ERR; its own MSI aborts too: MSI_GERROR_ABT_ERR */
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0x0a0);
    smmu3_page_request(g->smmu, &request);
    smmu3_service(g->smmu);
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0x0e0);
    golden_command(g, 0x1046, hole + 12);   /* SYNC, CS=1 */
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0x0f0);
    g_assert_cmphex(g_array_index(g->host->msis, FakeMsi, 0).pa, ==, hole);
    g_assert_cmphex(g_array_index(g->host->msis, FakeMsi, 0).data, ==,
                    0x11111111);
    g_assert_cmphex(g_array_index(g->host->msis, FakeMsi, 1).pa, ==,
                    hole + 8);
    g_assert_cmphex(g_array_index(g->host->msis, FakeMsi, 1).data, ==,
                    0x33333333);
    g_assert_cmphex(g_array_index(g->host->msis, FakeMsi, 2).pa, ==,
                    hole + 4);
    g_assert_cmphex(g_array_index(g->host->msis, FakeMsi, 2).data, ==,
                    0x22222222);
}

/* Each MSI alone in a hole: its own bit of GERROR, and no other. */
static void gerror_of_one_msi(void)
{
    static const Smmu3PageRequest request = { .sid = 1, .read = true };
    static const struct {
        uint32_t cfg0, gerror;
    } cases[] = {
        { 0, 0x010 }, { 0x0b0, 0x020 }, { 0x0d0, 0x040 }, { 0x068, 0x081 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Golden) g = golden_new();

        golden_create(g);
        golden_w32(g, 0x050, 0);
        if (cases[i].cfg0) {
            golden_w64(g, cases[i].cfg0, UINT64_C(0xfff0000000000));
        }
        golden_w32(g, 0x050, 0x7);
        golden_start(g);
        switch (cases[i].gerror) {
        case 0x010:
            golden_command(g, 0x1046, UINT64_C(0xfff0000000000));
            break;
        case 0x020:
            golden_aborts(g, golden_read(0x100, 0));
            break;
        case 0x040:
            smmu3_page_request(g->smmu, &request);
            break;
        default:
            golden_command(g, 0xff, 0);     /* CMDQ_ERR, and its MSI */
            break;
        }
        smmu3_service(g->smmu);
        g_assert_cmphex(golden_r32(g, 0x060), ==, cases[i].gerror);
    }
}

/* IRQ_CTRL: bit 0 GERROR, 1 PRI queue, 2 event queue. */
static void irq_ctrl(void)
{
    static const Smmu3PageRequest request = { .sid = 1, .read = true };

    for (unsigned enabled = 0; enabled < 8; enabled++) {
        g_autoptr(Golden) g = golden_new();

        golden_start(g);
        golden_w32(g, 0x050, enabled);
        golden_aborts(g, golden_read(0x100, 0));
        smmu3_page_request(g->smmu, &request);
        golden_command(g, 0xff, 0);
        g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_GERROR], ==, enabled & 1);
        g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_PRIQ], ==, enabled >> 1 & 1);
        g_assert_cmpuint(g->host->irqs[SMMU3_IRQ_EVENTQ], ==, enabled >> 2);
    }
}

/* Queues of one, eight and 32 entries: index, wrap, OVFLG. */
static void queue_indices(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_create(g);
    golden_w32(g, 0x020, 0);
    golden_w64(g, 0x0a0, G_EVENTQ | 0);
    golden_w32(g, 0x100a8, 0x80000001);     /* OVFLG, and empty */
    golden_w32(g, 0x100ac, 0x80000001);
    golden_w32(g, 0x020, 0x1e);
    golden_start(g);
    golden_aborts(g, golden_read(0x100, 0));
    g_assert_cmphex(golden_r32(g, 0x100a8), ==, 0x80000000);
    g_assert_cmphex(fake_read64(g->host, G_EVENTQ), ==,
                    UINT64_C(0x0000010000000002));
    golden_aborts(g, golden_read(0x101, 0));
    g_assert_cmphex(golden_r32(g, 0x100a8), ==, 0);     /* overflow */
    golden_w32(g, 0x100ac, 0);                          /* acknowledged */
    golden_aborts(g, golden_read(0x102, 0));
    g_assert_cmphex(golden_r32(g, 0x100a8), ==, 1);
    g_assert_cmphex(fake_read64(g->host, G_EVENTQ), ==,
                    UINT64_C(0x0000010200000002));
}

/* Two commands are 32 bytes: bit 5 of CMDQ_BASE is an address bit. */
static void queue_of_two(void)
{
    g_autoptr(Golden) g = golden_new();

    golden_create(g);
    golden_w32(g, 0x020, 0);
    golden_w64(g, 0x090, (G_CMDQ + 0x20) | 1);
    golden_put(g, G_CMDQ + 0x20, 0x46);
    golden_put(g, G_CMDQ + 0x30, 0x46);
    golden_put(g, G_CMDQ + 0x40, 0xff);
    golden_w32(g, 0x020, 0x08);
    golden_w32(g, 0x098, 0x2);
    g_assert_cmphex(golden_r32(g, 0x09c), ==, 0x2);
    golden_w32(g, 0x098, 0x1);                  /* around, and one more */
    golden_w32(g, 0x098, 0x3);
    g_assert_cmphex(golden_r32(g, 0x09c), ==, 0x3);
    g_assert_cmphex(golden_r32(g, 0x060), ==, 0);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) \
    conformance_test("/smmu3/golden/register/" name, fn, items)
    T("each-id-field-alone", id_field_alone, "");
    T("id-registers", id_registers, "");
    T("writable-bits", writable_bits, "");
    T("aliases-in-page-0", aliases, "");
    T("controls", controls, "2 8");
    T("bits-of-features", bits_of_features, "13");
    T("without-two-level-tables", without_two_level_tables, "");
    T("cr0-guards", cr0_guards, "3 4 5 6");
    T("irq-ctrl-guards", irq_ctrl_guards, "7");
    T("smmuen-and-gbpa", smmuen_and_gbpa, "9 16");
    T("cr2-records", cr2_records, "16 17");
    T("atschk", atschk, "100");
    T("gerror-of-the-queues", gerror_of_the_queues, "77 89 118");
    T("gerror-of-msis", gerror_of_msis, "108");
    T("gerror-of-one-msi", gerror_of_one_msi, "108");
    T("irq-ctrl", irq_ctrl, "");
    T("queue-of-two", queue_of_two, "");
    T("queue-indices", queue_indices, "87");
#undef T
    return conformance_run();
}
