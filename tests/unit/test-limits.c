/*
 * What is not modelled, and how it is refused: ID bits that read 0, registers
 * that keep nothing, commands that are illegal, fields that are ignored. Each
 * limit of docs/limits.rst names a test of this file or of a qtest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { SID = 5, ASID = 7 };
#define VA UINT64_C(0x123456000)

/* A stream that stage 1 maps one page for; @ste and @cd may be changed. */
typedef struct Setup {
    Rig *rig;
    PageTable pt;
    uint64_t pa, cd_pa;
    uint64_t ste[SMMU3_STE_WORDS], cd[SMMU3_CD_WORDS];
} Setup;

static Setup *setup_new(void)
{
    Setup *s = g_new0(Setup, 1);

    s->rig = rig_new();
    rig_start(s->rig);
    s->pa = fake_alloc(s->rig->host, 4096, 4096);
    s->cd_pa = fake_alloc(s->rig->host, SMMU3_CD_BYTES, 64);
    pt_init(&s->pt, s->rig->host, 12, 48, false);
    pt_map(&s->pt, VA, s->pa, 3, PT_USER_RW);
    cd_for(s->cd, &s->pt, ASID);
    ste_stage1(s->ste, s->cd_pa, 0);
    return s;
}

static void setup_free(Setup *s)
{
    rig_free(s->rig);
    g_free(s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Setup, setup_free)

/* Install the structures as they are now. */
static void setup_apply(Setup *s)
{
    fake_write_words(s->rig->host, s->cd_pa, s->cd, SMMU3_CD_WORDS);
    rig_set_ste(s->rig, SID, s->ste);
    rig_invalidate_all(s->rig);
}

static void expect_translated(Setup *s)
{
    Smmu3Transaction t = dma_read(SID, VA + 0x10);
    Smmu3Translation result;

    g_assert_cmpint(smmu3_translate(s->rig->smmu, &t, &result), ==, SMMU3_OK);
    g_assert_cmphex(result.pa, ==, s->pa + 0x10);
    rig_expect_no_event(s->rig);
}

static void expect_abort(Setup *s, Smmu3EventType type)
{
    Smmu3Transaction t = dma_read(SID, VA);
    Smmu3Translation result;
    uint64_t event[SMMU3_EVENT_WORDS];

    g_assert_cmpint(smmu3_translate(s->rig->smmu, &t, &result), ==,
                    SMMU3_ABORT);
    rig_expect_event(s->rig, type, event);
}

/* The command is refused where it stands; the queue goes on once it is mended. */
static void expect_illegal(Rig *r, uint64_t word0, uint64_t word1)
{
    uint32_t at = rig_read32(r, SMMU3_CMDQ_CONS) & smmu3_mask(r->cmdq_log2);
    uint64_t cons, nop[SMMU3_CMD_WORDS] = { CMD_SYNC };

    rig_command2(r, word0, word1);
    cons = rig_read32(r, SMMU3_CMDQ_CONS);
    g_assert_cmphex(smmu3_get(&cons, CMDQ_CONS_ERR), ==, CERROR_ILL);
    g_assert_cmphex(cons & smmu3_mask(r->cmdq_log2), ==, at);
    fake_write_words(r->host, r->cmdq + at * SMMU3_CMD_BYTES, nop,
                     SMMU3_CMD_WORDS);
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
    smmu3_service(r->smmu);
    g_assert_cmphex(rig_read32(r, SMMU3_CMDQ_CONS) &
                    smmu3_mask(r->cmdq_log2 + 1), ==,
                    rig_read32(r, SMMU3_CMDQ_PROD));
}

/* ---- ID registers ------------------------------------------------------ */

/* Bits that no instance may have, by register. */
static const struct {
    unsigned reg;
    uint32_t absent;
    const char *what;
} absent_bits[] = {
    { SMMU3_IDR0, 1u << 2, "TTF: AArch32 tables" },
    { SMMU3_IDR0, 1u << 5, "BTM: broadcast TLB maintenance" },
    { SMMU3_IDR0, 1u << 8, "DORMHINT" },
    { SMMU3_IDR0, 1u << 20, "VATOS" },
    { SMMU3_IDR0, 1u << 30, "RME_IMPL" },
    { SMMU3_IDR1, 1u << 28, "REL" },
    { SMMU3_IDR1, 1u << 29, "QUEUES_PRESET" },
    { SMMU3_IDR1, 1u << 30, "TABLES_PRESET" },
    { SMMU3_IDR1, 1u << 31, "ECMDQ" },
    { SMMU3_IDR2, 0xffffffff, "BA_VATOS" },
    { SMMU3_IDR3, 1u << 3, "PBHA" },
    { SMMU3_IDR3, 1u << 7, "MPAM" },
    { SMMU3_IDR3, 1u << 15, "DPT" },
    { SMMU3_IDR3, 0xffff0000, "PASIDTT and what v3.4 adds" },
    { SMMU3_IDR4, 0xffffffff, "implementation defined" },
    { SMMU3_IDR5, 1u << 8, "D128" },
};

static void test_absent_id_bits(void)
{
    for (size_t p = 0; p <= smmu3_profile_count; p++) {
        Smmu3Features f;

        features_all(&f);
        if (p < smmu3_profile_count) {
            smmu3_features_init(&f);
            smmu3_profiles[p].apply(&f);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(absent_bits); i++) {
            g_test_message("%s", absent_bits[i].what);
            g_assert_cmphex(smmu3_features_reg(&f, absent_bits[i].reg) &
                            absent_bits[i].absent, ==, 0);
        }
        /* and HTTU=3, the access flag in table descriptors */
        g_assert_cmphex(smmu3_features_reg(&f, SMMU3_IDR0) >> 6 & 3, !=, 3);
    }
}

static void expect_refused(uint16_t *member, uint16_t value,
                           const Smmu3Features *f)
{
    g_autofree char *message = NULL;

    *member = value;
    message = smmu3_features_check(f);
    g_assert_nonnull(message);
}

static void test_absent_id_values(void)
{
    Smmu3Features f, all;

    features_all(&all);
    g_assert_null(smmu3_features_check(&all));
#define REFUSED(member, value)                  \
    f = all;                                    \
    expect_refused(&f.member, value, &f)
    REFUSED(httu, 3);
    REFUSED(st_level, 2);
    REFUSED(stall_model, 3);
    REFUSED(ttendian, 1);
    REFUSED(oas, 7);
    REFUSED(vax, 2);
    REFUSED(ssidsize, 21);
    REFUSED(sidsize, 33);
    REFUSED(cmdqs, 20);
    REFUSED(aidr_minor, 4);
#undef REFUSED
}

/* ---- Registers --------------------------------------------------------- */

static void test_absent_registers(void)
{
    /* First and last word of each block that reads 0 and keeps nothing. */
    static const struct {
        uint32_t first, last;
        const char *what;
    } blocks[] = {
        { 0x30, 0x34, "S2PII (v3.4)" },
        { SMMU3_STATUSR, SMMU3_STATUSR, "STATUSR without DORMHINT" },
        { SMMU3_AGBPA, SMMU3_AGBPA, "AGBPA" },
        { 0x130, 0x13c, "MPAM" },
        { 0x180, 0x180, "VATOS_SEL" },
        { 0x190, 0x190, "IDR6" },
        { 0x200, 0x214, "DPT" },
        { 0xe00, 0xefc, "implementation defined" },
        { 0x1000, 0x3ffc, "implementation defined" },
        { 0x4000, 0x5ffc, "ECMDQ" },
        { 0x8000, 0xfffc, "Secure" },
    };
    g_autoptr(Rig) r = rig_new();

    rig_start(r);
    for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++) {
        g_test_message("%s", blocks[i].what);
        for (uint32_t at = blocks[i].first; at <= blocks[i].last; at += 4) {
            rig_write32(r, at, 0xffffffff);
            g_assert_cmphex(rig_read32(r, at), ==, 0);
        }
    }
    /* The SMMU still runs. */
    g_assert_cmphex(rig_read32(r, SMMU3_GERROR), ==, 0);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0) & 1, ==, 1);
    rig_sync(r);
}

static void test_gatos_registers(void)
{
    g_autoptr(Rig) r = rig_new();

    g_assert_cmpint(r->features.atos, ==, 0);
    rig_start(r);
    for (uint32_t at = SMMU3_GATOS_CTRL; at <= SMMU3_GATOS_PAR + 4; at += 4) {
        rig_write32(r, at, 0xffffffff);
        g_assert_cmphex(rig_read32(r, at), ==, 0);
    }
}

static void test_odd_accesses(void)
{
    g_autoptr(Rig) r = rig_new();
    uint64_t before;

    rig_start(r);
    before = rig_read32(r, SMMU3_CR0);
    for (unsigned size = 1; size <= 2; size++) {
        smmu3_mmio_write(r->smmu, SMMU3_CR0, 0, size);
        g_assert_cmphex(smmu3_mmio_read(r->smmu, SMMU3_CR0, size), ==, 0);
    }
    smmu3_mmio_write(r->smmu, SMMU3_CR0 + 2, 0, 4);
    g_assert_cmphex(smmu3_mmio_read(r->smmu, SMMU3_CR0 + 2, 4), ==, 0);
    g_assert_cmphex(rig_read32(r, SMMU3_CR0), ==, before);
    g_assert_cmpuint(r->host->guest_errors, >, 0);
}

/* ---- Commands ---------------------------------------------------------- */

static void test_absent_commands(void)
{
    static const uint8_t opcodes[] = {
        0x00,                               /* reserved */
        CMD_CFGI_VMS_PIDM,                  /* MPAM */
        CMD_TLBI_EL3_ALL, CMD_TLBI_EL3_VA,  /* Secure */
        0x50, 0x51, 0x52, 0x53, 0x58, 0x5a, 0x60,
        0x70, 0x73,                         /* DPT */
        0x80, 0x8f,                         /* implementation defined */
        0xff,
    };
    g_autoptr(Rig) r = rig_new();

    rig_start(r);
    for (size_t i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        g_test_message("opcode 0x%x", opcodes[i]);
        expect_illegal(r, opcodes[i], 0);
    }
}

static void test_secure_commands(void)
{
    static const uint8_t opcodes[] = {
        CMD_PREFETCH_CONFIG, CMD_PREFETCH_ADDR, CMD_CFGI_STE,
        CMD_CFGI_STE_RANGE, CMD_CFGI_CD, CMD_CFGI_CD_ALL, CMD_RESUME,
        CMD_STALL_TERM,
    };
    g_autoptr(Rig) r = rig_new();

    rig_start(r);
    for (size_t i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        g_test_message("opcode 0x%x", opcodes[i]);
        expect_illegal(r, opcodes[i] | smmu3_field_mask(CMD_SSEC), 0);
    }
}

/* Prefetches are accepted and fetch nothing. */
static void test_prefetch_does_nothing(void)
{
    g_autoptr(Setup) s = setup_new();
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_PREFETCH_ADDR };
    const Smmu3Counters *c;
    uint64_t walks, misses;

    setup_apply(s);
    c = smmu3_counters(s->rig->smmu);
    walks = atomic_load(&c->walks);
    misses = atomic_load(&c->config_misses);
    smmu3_set(cmd, CMD_STREAMID, SID);
    smmu3_set(cmd, CMD_PREFETCH_SIZE, 31);
    smmu3_set_addr(cmd, CMD_ADDR, 0xdead000);
    rig_command(s->rig, cmd);
    rig_command2(s->rig, CMD_PREFETCH_CONFIG | (uint64_t)SID << 32, 0);
    rig_sync(s->rig);
    g_assert_cmphex(rig_read32(s->rig, SMMU3_GERROR), ==,
                    rig_read32(s->rig, SMMU3_GERRORN));
    g_assert_cmphex(rig_read32(s->rig, SMMU3_CMDQ_CONS), ==,
                    rig_read32(s->rig, SMMU3_CMDQ_PROD));
    rig_expect_no_event(s->rig);
    g_assert_cmpuint(atomic_load(&c->walks), ==, walks);
    g_assert_cmpuint(atomic_load(&c->config_misses), ==, misses);
    expect_translated(s);
}

/* ---- Structures -------------------------------------------------------- */

static void test_aarch32_cd(void)
{
    g_autoptr(Setup) s = setup_new();

    setup_apply(s);
    expect_translated(s);
    smmu3_set(s->cd, CD_AA64, 0);
    setup_apply(s);
    expect_abort(s, C_BAD_CD);
}

static void test_aarch32_stage2(void)
{
    g_autoptr(Setup) s = setup_new();
    PageTable pt;

    pt_init_stage2(&pt, s->rig->host, 12, 40, 1, false);
    pt_map(&pt, VA, s->pa, 3, PT_S2_RW);
    ste_stage2(s->ste, &pt, 3);
    setup_apply(s);
    expect_translated(s);
    smmu3_set(s->ste, STE_S2AA64, 0);
    setup_apply(s);
    expect_abort(s, C_BAD_STE);
}

/*
 * Fields of features that are absent may hold anything: MPAM, PBHA,
 * permission indirection, D128, DPT. Translation does not change.
 */
static void test_ignored_fields(void)
{
    g_autoptr(Setup) s = setup_new();

    smmu3_set(s->ste, 1, 24, 1, 1);             /* S1PIE */
    smmu3_set(s->ste, STE_S1MPAM, 1);
    smmu3_set(s->ste, 1, 46, 2, 3);             /* NSCFG */
    for (unsigned word = 4; word < SMMU3_STE_WORDS; word++) {
        s->ste[word] = UINT64_MAX;              /* VMSPtr, PARTID, Secure */
    }
    smmu3_set(s->cd, 1, 0, 1, 1);               /* NSCFG0 */
    smmu3_set(s->cd, 1, 3, 1, 1);               /* HAFT */
    smmu3_set(s->cd, 1, 58, 6, 0x3f);           /* PnCH, EPAN, HWU */
    smmu3_set(s->cd, 2, 3, 1, 1);               /* AIE */
    smmu3_set(s->cd, 2, 59, 5, 0x1f);           /* PIE, HWU */
    for (unsigned word = 4; word < SMMU3_CD_WORDS; word++) {
        s->cd[word] = UINT64_MAX;               /* AMAIR, PARTID, PIIU, PIIP */
    }
    setup_apply(s);
    expect_translated(s);
}

/* EATS=3 asks for a device permission table: as if ATS were off. */
static void test_eats_with_dpt(void)
{
    g_autoptr(Setup) s = setup_new();
    Smmu3Transaction t = dma_read(SID, VA);
    Smmu3Translation result;
    uint64_t event[SMMU3_EVENT_WORDS];

    smmu3_set(s->ste, STE_EATS, 3);
    setup_apply(s);
    t.type = SMMU3_ATS_REQUEST;
    g_assert_cmpint(smmu3_translate(s->rig->smmu, &t, &result), ==,
                    SMMU3_ATS_UR);
    rig_expect_event(s->rig, F_BAD_ATS_TREQ, event);
    expect_translated(s);
}

/* Two equal faults make two records, although MEV allows one. */
static void test_events_are_not_merged(void)
{
    g_autoptr(Setup) s = setup_new();
    uint64_t first[SMMU3_EVENT_WORDS], second[SMMU3_EVENT_WORDS];
    Smmu3Transaction t = dma_read(SID, VA + 0x100000);
    Smmu3Translation result;

    smmu3_set(s->ste, STE_MEV, 1);
    setup_apply(s);
    smmu3_translate(s->rig->smmu, &t, &result);
    smmu3_translate(s->rig->smmu, &t, &result);
    rig_expect_event(s->rig, F_TRANSLATION, first);
    rig_expect_event(s->rig, F_TRANSLATION, second);
    g_assert_cmpmem(first, sizeof(first), second, sizeof(second));
    rig_expect_no_event(s->rig);
}

/*
 * The CONT hint covers streams whose STEs differ, which F_CFG_CONFLICT could
 * report: each stream has its own STE here, and none is reported.
 */
static void test_cont_is_ignored(void)
{
    g_autoptr(Setup) s = setup_new();
    uint64_t neighbour[SMMU3_STE_WORDS];

    smmu3_set(s->ste, STE_CONT, 3);
    setup_apply(s);
    expect_translated(s);
    ste_abort(neighbour);
    rig_set_ste(s->rig, SID ^ 1, neighbour);
    expect_translated(s);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define TEST(name, fn) conformance_test("/smmu3/limits/" name, fn, "")
    TEST("absent-features-have-no-id-bits", test_absent_id_bits);
    TEST("absent-id-values-are-refused", test_absent_id_values);
    TEST("absent-registers-read-zero", test_absent_registers);
    TEST("gatos-registers-read-zero", test_gatos_registers);
    TEST("odd-sizes-are-ignored", test_odd_accesses);
    TEST("absent-commands-are-illegal", test_absent_commands);
    TEST("secure-commands-are-illegal", test_secure_commands);
    TEST("prefetch-does-nothing", test_prefetch_does_nothing);
    TEST("aarch32-cd-is-illegal", test_aarch32_cd);
    TEST("aarch32-stage-2-is-illegal", test_aarch32_stage2);
    TEST("fields-of-absent-features-are-ignored", test_ignored_fields);
    TEST("eats-with-dpt-is-no-ats", test_eats_with_dpt);
    TEST("events-are-not-merged", test_events_are_not_merged);
    TEST("cont-is-ignored", test_cont_is_ignored);
#undef TEST
    return conformance_run();
}
