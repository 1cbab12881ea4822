/*
 * Everything at random: structures, tables, commands and registers that are
 * nearly right, traffic of all kinds. The only rules are those that hold
 * whatever a guest does: no crash, bounded work, answers and event records
 * that make sense, and each stall resolved once. The same seed each time, so
 * that a failure comes again; SMMU3_FUZZ_SEED and SMMU3_FUZZ_STEPS change it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum {
    MEMORY_PAGES = 64, PAGE = 4096, SIDS = 16, STALLS = 32, ROUNDS = 24, STEPS = 4000,
    /* Two walks of 5 levels, each of whose reads may need another... */
    MAX_READS = 256,
    /* ... and a register write may run a whole queue of commands. */
    MAX_SERVICE_READS = 8192,
};

typedef struct Fuzz {
    Rig *rig;
    GRand *rand;
    uint64_t memory;            /* where structures and tables are */
    uint64_t stes[SIDS];        /* and the STEs; L1STDs may get damaged */
    bool stalled[STALLS];       /* by cookie */
} Fuzz;

/* ---- Random things ----------------------------------------------------- */

static uint32_t below(Fuzz *z, uint32_t n)
{
    return g_rand_int_range(z->rand, 0, n);
}

static bool one_in(Fuzz *z, uint32_t n)
{
    return below(z, n) == 0;
}

static uint64_t any64(Fuzz *z)
{
    return (uint64_t)g_rand_int(z->rand) << 32 | g_rand_int(z->rand);
}

/* A page of structures, or somewhere else. */
static uint64_t any_page(Fuzz *z)
{
    return one_in(z, 16) ? any64(z) & ~UINT64_C(0xfff)
                         : z->memory + (uint64_t)below(z, MEMORY_PAGES) * PAGE;
}

static uint64_t any_addr(Fuzz *z)
{
    switch (below(z, 6)) {
    case 0:
        return any64(z);
    case 1:
        return any64(z) >> below(z, 64);
    case 2:
        return UINT64_MAX << below(z, 64);
    case 3:
        return any_page(z) + below(z, PAGE);
    default:
        return below(z, 64) * (uint64_t)PAGE;
    }
}

static uint32_t any_sid(Fuzz *z)
{
    return one_in(z, 16) ? g_rand_int(z->rand) : below(z, SIDS);
}

static uint32_t any_ssid(Fuzz *z)
{
    return one_in(z, 16) ? g_rand_int(z->rand) & 0xfffff : below(z, 8);
}

static void flip_some(Fuzz *z, uint64_t *words, unsigned count)
{
    while (one_in(z, 3)) {
        words[below(z, count)] ^= UINT64_C(1) << below(z, 64);
    }
}

/* ---- Structures that are nearly right ---------------------------------- */

static PageTable any_table(Fuzz *z)
{
    static const unsigned pages[] = { 12, 14, 16 };
    PageTable pt = {
        .page_log2 = pages[below(z, 3)], .in_bits = 16 + below(z, 37),
        .start_level = (int)below(z, 4), .root = any_page(z),
        .ds = one_in(z, 3), .big_endian = one_in(z, 8),
    };

    return pt;
}

static void put_ste(Fuzz *z)
{
    uint64_t ste[SMMU3_STE_WORDS];
    PageTable pt = any_table(z);

    switch (below(z, 6)) {
    case 0:
        ste_abort(ste);
        break;
    case 1:
        ste_bypass(ste);
        break;
    case 2:
        pt.page_log2 = 12;
        ste_stage2(ste, &pt, below(z, 4));
        break;
    case 3:
        pt.page_log2 = 12;
        pt.in_bits = 40;
        pt.start_level = 1;
        ste_nested(ste, any_page(z), below(z, 12), &pt, below(z, 4));
        break;
    default:
        ste_stage1(ste, any_page(z), below(z, 12));
        break;
    }
    smmu3_set(ste, STE_S1FMT, below(z, 4));
    smmu3_set(ste, STE_S1DSS, below(z, 4));
    smmu3_set(ste, STE_EATS, below(z, 4));
    smmu3_set(ste, STE_S2HA, below(z, 2));
    smmu3_set(ste, STE_S2HD, below(z, 2));
    flip_some(z, ste, SMMU3_STE_WORDS);
    fake_write_words(z->rig->host, z->stes[below(z, SIDS)], ste,
                     SMMU3_STE_WORDS);
}

static void put_cds(Fuzz *z)
{
    uint64_t page = z->memory + (uint64_t)below(z, MEMORY_PAGES) * PAGE;

    for (unsigned i = 0; i < 8; i++) {
        PageTable pt = any_table(z);
        uint64_t cd[SMMU3_CD_WORDS];

        cd_for(cd, &pt, below(z, 4));
        if (one_in(z, 2)) {
            cd_second_half(cd, &pt);
        }
        smmu3_set(cd, CD_S, below(z, 2));
        smmu3_set(cd, CD_HA, below(z, 2));
        smmu3_set(cd, CD_HD, below(z, 2));
        smmu3_set(cd, CD_TBI0, below(z, 2));
        flip_some(z, cd, SMMU3_CD_WORDS);
        fake_write_words(z->rig->host, page + i * SMMU3_CD_BYTES, cd,
                         SMMU3_CD_WORDS);
    }
}

/* Descriptors that point into the same memory, or L1CDs and L1STDs. */
static void put_descriptors(Fuzz *z)
{
    uint64_t page = z->memory + (uint64_t)below(z, MEMORY_PAGES) * PAGE;

    for (unsigned i = 0; i < 64; i++) {
        uint64_t desc = any_page(z) | (one_in(z, 8) ? 1 : 3);
        uint64_t index = one_in(z, 4) ? below(z, 512) : i;

        if (one_in(z, 2)) {
            desc |= PT_USER_RW;
        }
        if (one_in(z, 4)) {
            desc |= PT_DBM | PT_RO;
        }
        flip_some(z, &desc, 1);
        if (one_in(z, 8)) {
            desc = GUINT64_SWAP_LE_BE(desc);
        }
        fake_write64(z->rig->host, page + 8 * index, desc);
    }
}

/* ---- Software ---------------------------------------------------------- */

static void submit_command(Fuzz *z)
{
    static const uint8_t opcodes[] = {
        CMD_PREFETCH_CONFIG, CMD_PREFETCH_ADDR, CMD_CFGI_STE,
        CMD_CFGI_STE_RANGE, CMD_CFGI_CD, CMD_CFGI_CD_ALL, CMD_TLBI_NH_ALL,
        CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA, CMD_TLBI_NH_VAA, CMD_TLBI_EL2_ALL,
        CMD_TLBI_EL2_ASID, CMD_TLBI_EL2_VA, CMD_TLBI_EL2_VAA,
        CMD_TLBI_S12_VMALL, CMD_TLBI_S2_IPA, CMD_TLBI_NSNH_ALL, CMD_ATC_INV,
        CMD_PRI_RESPONSE, CMD_RESUME, CMD_STALL_TERM, CMD_SYNC, CMD_SYNC,
    };
    uint64_t cmd[SMMU3_CMD_WORDS] = { any64(z), any_addr(z) };
    const Smmu3Regs *regs = smmu3_regs(z->rig->smmu);

    smmu3_set(cmd, CMD_OPCODE, one_in(z, 32) ? below(z, 256)
              : opcodes[below(z, G_N_ELEMENTS(opcodes))]);
    smmu3_set(cmd, CMD_SSEC, one_in(z, 32));
    if (one_in(z, 2)) {
        smmu3_set(cmd, CMD_STREAMID, any_sid(z));
        smmu3_set(cmd, CMD_RESUME_STAG, below(z, STALLS));
    }
    rig_command(z->rig, cmd);
    /* A command that was ILL is stepped over, as a driver does it. */
    if ((regs->gerror ^ regs->gerrorn) & smmu3_field_mask(GERROR_CMDQ)) {
        uint32_t index = regs->cmdq.cons & smmu3_mask(z->rig->cmdq_log2);

        fake_write_words(z->rig->host,
                         z->rig->cmdq + index * SMMU3_CMD_BYTES,
                         (uint64_t[]) { CMD_SYNC, 0 }, SMMU3_CMD_WORDS);
        rig_write32(z->rig, SMMU3_GERRORN, regs->gerror);
    }
}

/* Somewhere else than where the queues and the stream table are. */
static bool is_base(uint64_t offset)
{
    offset &= ~UINT64_C(7);
    return offset == SMMU3_CMDQ_BASE || offset == SMMU3_EVENTQ_BASE ||
           offset == SMMU3_PRIQ_BASE || offset == SMMU3_STRTAB_BASE;
}

static void write_register(Fuzz *z)
{
    uint64_t offset = one_in(z, 4) ? below(z, SMMU3_MMIO_BYTES)
                                   : below(z, 0x60) * 4;
    unsigned size = one_in(z, 3) ? 8 : 4;

    if (one_in(z, 4)) {
        offset = SMMU3_PAGE_BYTES + below(z, 0x40) * 4;
    }
    if (!one_in(z, 8)) {
        offset &= ~(uint64_t)(size - 1);
    }
    smmu3_mmio_read(z->rig->smmu, offset, size);
    smmu3_mmio_write(z->rig->smmu, offset,
                     is_base(offset) ? any_page(z) | below(z, 8) : any64(z),
                     size);
    /* Mostly on, or nothing happens. */
    rig_write32(z->rig, SMMU3_CR0, one_in(z, 8) ? g_rand_int(z->rand) : 0x1f);
}

static void drain_events(Fuzz *z)
{
    const Smmu3Regs *regs = smmu3_regs(z->rig->smmu);

    rig_write32(z->rig, SMMU3_EVENTQ_CONS, regs->eventq.prod);
    rig_write32(z->rig, SMMU3_PRIQ_CONS, regs->priq.prod);
}

/* ---- Traffic ----------------------------------------------------------- */

static int free_cookie(Fuzz *z)
{
    for (int i = 0; i < STALLS; i++) {
        if (!z->stalled[i]) {
            return i;
        }
    }
    return -1;
}

static void check_answer(Fuzz *z, const Smmu3Transaction *t,
                         const Smmu3Translation *result)
{
    unsigned oas_bits = smmu3_oas_bits(&z->rig->features);

    g_assert_cmpint(result->size_log2, >=, 12);
    g_assert_cmpint(result->size_log2, <=, 64);
    g_assert_cmphex(result->pa >> oas_bits, ==, 0);
    if (t->type != SMMU3_ATS_REQUEST) {
        g_assert_cmphex(result->access & t->access, ==, t->access);
        g_assert_cmphex((result->pa ^ t->addr) & 0xfff, ==, 0);
    }
}

static void translate(Fuzz *z)
{
    int cookie = free_cookie(z);
    Smmu3Transaction t = {
        .type = one_in(z, 4) ? below(z, 3) : SMMU3_UNTRANSLATED,
        .sid = any_sid(z), .ssid = any_ssid(z), .ssv = one_in(z, 2),
        .addr = any_addr(z), .access = 1 + below(z, 3),
        .priv = one_in(z, 2), .ind = one_in(z, 4),
        .may_stall = cookie >= 0, .speculative = one_in(z, 16),
        .cookie = GINT_TO_POINTER(cookie + 1),
    };
    Smmu3Translation result;
    Smmu3Outcome outcome;

    t.access |= t.type == SMMU3_ATS_REQUEST ? SMMU3_READ : 0;
    z->rig->host->reads = 0;
    outcome = smmu3_translate(z->rig->smmu, &t, &result);
    g_assert_cmpuint(z->rig->host->reads, <=, MAX_READS);
    switch (outcome) {
    case SMMU3_OK:
        check_answer(z, &t, &result);
        break;
    case SMMU3_STALLED:
        g_assert_true(t.may_stall && t.type == SMMU3_UNTRANSLATED);
        z->stalled[cookie] = true;
        break;
    case SMMU3_ATS_UR:
    case SMMU3_ATS_CA:
        g_assert_cmpint(t.type, ==, SMMU3_ATS_REQUEST);
        break;
    default:
        g_assert_true(outcome == SMMU3_ABORT || outcome == SMMU3_RAZWI);
        break;
    }
    if (one_in(z, 16)) {
        g_autoptr(GString) text = g_string_new(NULL);

        smmu3_explain(z->rig->smmu, &t, text);
        g_assert_cmpuint(text->len, <, 65536);
    }
}

static void request_page(Fuzz *z)
{
    Smmu3PageRequest request = {
        .sid = any_sid(z), .ssid = any_ssid(z), .ssv = one_in(z, 2),
        .read = one_in(z, 2), .write = one_in(z, 2), .last = one_in(z, 2),
        .prg_index = below(z, 512), .addr = any_addr(z),
    };

    smmu3_page_request(z->rig->smmu, &request);
}

static void cancel(Fuzz *z)
{
    unsigned i = below(z, STALLS);

    if (z->stalled[i]) {
        smmu3_cancel(z->rig->smmu, GINT_TO_POINTER(i + 1));
        z->stalled[i] = false;
    }
}

/* ---- Rules ------------------------------------------------------------- */

static void check_trace(FakeHost *host, Smmu3TraceKind kind,
                        const uint64_t words[4])
{
    Smmu3EventType type = smmu3_get(words, EVENT_TYPE);
    bool trf = type == F_TRANSLATION || type == F_ADDR_SIZE ||
               type == F_ACCESS || type == F_PERMISSION;

    (void)host;
    if (kind != SMMU3_TRACE_EVENT && kind != SMMU3_TRACE_EVENT_LOST) {
        return;
    }
    g_assert_nonnull(smmu3_event_name(type));
    g_assert_cmpint(type, !=, EVENT_NONE);
    g_assert_cmpint(words[0] >> 8 & 7, ==, 0);
    if (type != F_BAD_ATS_TREQ) {
        g_assert_true(trf || !smmu3_get(words, EVENT_STALL));
    }
    if (trf) {
        g_assert_cmpint(smmu3_get(words, EVENT_CLASS), <=, CLASS_IN);
        g_assert_false(smmu3_get(words, EVENT_IND) &&
                       !smmu3_get(words, EVENT_RNW));
        if (!smmu3_get(words, EVENT_S2)) {
            g_assert_cmpint(smmu3_get(words, EVENT_CLASS), ==, CLASS_IN);
            g_assert_cmphex(words[3], ==, 0);
        }
    }
}

/* Each stall is resolved once, and nothing that did not stall is. */
static void check_resolutions(Fuzz *z)
{
    GArray *all = z->rig->host->resolutions;

    for (guint i = 0; i < all->len; i++) {
        int cookie = GPOINTER_TO_INT(g_array_index(all, FakeResolution,
                                                   i).cookie) - 1;

        g_assert_cmpint(cookie, >=, 0);
        g_assert_true(z->stalled[cookie]);
        z->stalled[cookie] = false;
    }
    fake_clear_records(z->rig->host);
}

/* ---- Steps ------------------------------------------------------------- */

static void step(Fuzz *z)
{
    z->rig->host->reads = 0;
    switch (below(z, 16)) {
    case 0:
        put_ste(z);
        break;
    case 1:
        put_cds(z);
        break;
    case 2:
        put_descriptors(z);
        break;
    case 3:
    case 4:
        submit_command(z);
        break;
    case 5:
        write_register(z);
        break;
    case 6:
        request_page(z);
        break;
    case 7:
        drain_events(z);
        break;
    case 8:
        cancel(z);
        break;
    case 9:
        if (one_in(z, 16)) {
            smmu3_atc_timeout(z->rig->smmu);
        }
        break;
    default:
        translate(z);
        break;
    }
    g_assert_cmpuint(z->rig->host->reads, <=, MAX_SERVICE_READS);
    check_resolutions(z);
}

static void vary_features(Fuzz *z, Smmu3Features *f)
{
    static const unsigned oas[] = { 0, 2, 5, 5, 6 };

    f->oas = oas[below(z, G_N_ELEMENTS(oas))];
    if (f->oas < 6) {
        f->ds = 0;
    }
    f->stall_model = below(z, 2);
    f->stall_max = f->stall_model == 1 ? 0 : 1 + below(z, STALLS);
    f->httu = below(z, 3);
    f->xnx = below(z, 2);
    f->stt = below(z, 2);
    f->atos = below(z, 2);
}

static void fuzz_round(guint32 seed, unsigned steps)
{
    Fuzz z = { .rig = rig_new(), .rand = g_rand_new_with_seed(seed) };

    vary_features(&z, &z.rig->features);
    z.rig->options.tlb_entries = 64;
    z.rig->options.config_entries = 16;
    z.rig->strtab_log2 = 6;
    z.rig->strtab_split = one_in(&z, 2) ? 6 : 0;
    z.rig->host->on_trace = check_trace;
    rig_start(z.rig);
    z.memory = fake_alloc(z.rig->host, (uint64_t)MEMORY_PAGES * PAGE, PAGE);
    for (unsigned i = 0; i < SIDS; i++) {
        z.stes[i] = rig_ste_addr(z.rig, i);
    }
    for (unsigned i = 0; i < 48; i++) {
        put_ste(&z);
        put_cds(&z);
        put_descriptors(&z);
    }
    for (unsigned i = 0; i < steps; i++) {
        step(&z);
    }
    /* A reset leaves nobody waiting. */
    smmu3_reset(z.rig->smmu);
    smmu3_service(z.rig->smmu);
    check_resolutions(&z);
    for (unsigned i = 0; i < STALLS; i++) {
        g_assert_false(z.stalled[i]);
    }
    g_rand_free(z.rand);
    rig_free(z.rig);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *value = g_getenv(name);

    return value ? g_ascii_strtoull(value, NULL, 0) : otherwise;
}

static void test_fuzz(void)
{
    unsigned seed = from_environment("SMMU3_FUZZ_SEED", 1);
    unsigned steps = from_environment("SMMU3_FUZZ_STEPS", STEPS);

    for (unsigned i = 0; i < ROUNDS; i++) {
        g_test_message("seed %u", seed + i);
        fuzz_round(seed + i, steps);
    }
}

/* The walk and the decoders, given nothing but noise. */
static void test_noise(void)
{
    Fuzz z = { .rig = rig_new(), .rand = g_rand_new_with_seed(7) };

    rig_start(z.rig);
    z.memory = fake_alloc(z.rig->host, (uint64_t)MEMORY_PAGES * PAGE, PAGE);
    z.rig->host->on_trace = check_trace;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t ste[SMMU3_STE_WORDS];

        for (unsigned j = 0; j < SMMU3_STE_WORDS; j++) {
            ste[j] = any64(&z);
        }
        smmu3_set(ste, STE_V, 1);
        rig_set_ste(z.rig, i % SIDS, ste);
        fake_write64(z.rig->host, z.memory + below(&z, MEMORY_PAGES * 512) * 8,
                     any64(&z));
        translate(&z);
        drain_events(&z);
        check_resolutions(&z);
    }
    g_rand_free(z.rand);
    rig_free(z.rig);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/fuzz/nearly-right", test_fuzz, "");
    conformance_test("/smmu3/fuzz/noise", test_noise, "");
    return conformance_run();
}
