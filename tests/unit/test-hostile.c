/*
 * A guest that does anything at all: registers, queues, tables and traffic at
 * random, and a host that answers when it likes. Nothing may crash or hang,
 * every stalled transaction is answered exactly once, and after a reset the
 * SMMU works. Not what it does meanwhile: the other programs show that.
 *
 * SMMU3_HOSTILE_SEEDS=n runs n seeds instead of a few.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include "builders.h"
#include "conformance.h"
#include "rig.h"

enum { STEPS = 1000, SEEDS = 24, JOBS = 64, SIDS = 8, CDS_LOG2 = 2 };

/* Queues, stream table and flags; CDs and translation tables are above it. */
#define MEMORY          UINT64_C(0x10000000)
#define MEMORY_BYTES    0x10000
#define PAGES           64      /* that requesters go to, from address 0 on */

typedef struct Hostile {
    FakeHost *host;             /* first: the core's host is this */
    Smmu3 *smmu;
    Smmu3Features features;
    GRand *rand;
    bool stalled[JOBS];         /* by cookie */
    unsigned owed_quiesce;      /* quiesce() returned false */
    GArray *owed_atc;           /* batches not answered */
    PageTable stage1, stage2;
    uint64_t cds;               /* a table of 2^CDS_LOG2 */
    /* Where the descriptors are, by stage: all may be spoilt later. */
    uint64_t pages[2][PAGES], block[2];
    unsigned depth;
} Hostile;

static void step(Hostile *h);

static uint32_t below(Hostile *h, uint32_t end)
{
    return g_rand_int(h->rand) % end;
}

static bool chance(Hostile *h, unsigned one_in)
{
    return below(h, one_in) == 0;
}

static uint64_t random64(Hostile *h)
{
    return (uint64_t)g_rand_int(h->rand) << 32 | g_rand_int(h->rand);
}

/* Mostly in memory, sometimes past its end, sometimes anywhere. */
static uint64_t random_address(Hostile *h)
{
    switch (below(h, 8)) {
    case 0:
        return random64(h);
    case 1:
        return MEMORY + MEMORY_BYTES - 64 + below(h, 128);
    default:
        return MEMORY + below(h, MEMORY_BYTES);
    }
}

/* One bit wrong, every now and then. */
static void damage(Hostile *h, uint64_t *words, unsigned count)
{
    if (chance(h, 6)) {
        words[below(h, count)] ^= UINT64_C(1) << below(h, 64);
    }
}

/* ---- The host --------------------------------------------------------- */

/* Now and then a host function is the guest's next move. */
static void re_enter(Hostile *h)
{
    if (h->depth < 3 && chance(h, 4)) {
        h->depth++;
        step(h);
        h->depth--;
    }
}

static bool host_read(void *opaque, uint64_t pa, uint64_t *words,
                      unsigned count)
{
    return fake_host_ops.read(((Hostile *)opaque)->host, pa, words, count);
}

static bool host_write(void *opaque, uint64_t pa, const uint64_t *words,
                       unsigned count)
{
    return fake_host_ops.write(((Hostile *)opaque)->host, pa, words, count);
}

static Smmu3Cas host_cas(void *opaque, uint64_t pa, uint64_t *expected,
                         uint64_t desired)
{
    Hostile *h = opaque;

    if (chance(h, 8)) {
        *expected = random64(h);
        return SMMU3_CAS_LOST;
    }
    return fake_host_ops.cas(h->host, pa, expected, desired);
}

static void host_kick(void *opaque)
{
    (void)opaque;
}

static void host_irq(void *opaque, Smmu3Irq irq)
{
    (void)irq;
    re_enter(opaque);
}

static bool host_msi(void *opaque, uint64_t pa, uint32_t data)
{
    Hostile *h = opaque;

    re_enter(h);
    return fake_host_ops.msi(h->host, pa, data);
}

static void host_send_event(void *opaque)
{
    re_enter(opaque);
}

static bool host_quiesce(void *opaque)
{
    Hostile *h = opaque;

    re_enter(h);
    if (chance(h, 2)) {
        h->owed_quiesce++;
        return false;
    }
    return true;
}

static void host_stall_resolved(void *opaque, void *cookie,
                                Smmu3Resolution how)
{
    Hostile *h = opaque;
    size_t job = (bool *)cookie - h->stalled;

    (void)how;
    g_assert_cmpuint(job, <, JOBS);
    g_assert_true(h->stalled[job]);
    h->stalled[job] = false;
    re_enter(h);
}

static void host_atc_invalidate(void *opaque, const Smmu3AtcInvalidate *inv)
{
    Hostile *h = opaque;

    g_assert_cmpuint(inv->size_log2, >=, 12);
    g_assert_cmpuint(inv->size_log2, <=, 64);
    g_assert_cmphex(inv->addr & smmu3_mask(inv->size_log2), ==, 0);
    if (chance(h, 2)) {
        smmu3_atc_invalidated(h->smmu, inv->batch);
    } else {
        g_array_append_val(h->owed_atc, inv->batch);
    }
    re_enter(h);
}

static void host_prg_response(void *opaque, const Smmu3PrgResponse *response)
{
    g_assert_cmpuint(response->prg_index, <, 512);
    re_enter(opaque);
}

static void host_tlb_invalidated(void *opaque, const Smmu3TlbInvalidate *inv)
{
    g_assert_cmphex(inv->addr, <=, inv->last);
    re_enter(opaque);
}

static void host_guest_error(void *opaque, const char *message)
{
    (void)opaque;
    g_assert_null(strchr(message, '\n'));
}

static const Smmu3HostOps hostile_ops = {
    .read = host_read,
    .write = host_write,
    .cas = host_cas,
    .kick = host_kick,
    .irq = host_irq,
    .msi = host_msi,
    .send_event = host_send_event,
    .quiesce = host_quiesce,
    .stall_resolved = host_stall_resolved,
    .atc_invalidate = host_atc_invalidate,
    .prg_response = host_prg_response,
    .tlb_invalidated = host_tlb_invalidated,
    .guest_error = host_guest_error,
};

/* ---- The guest's moves ------------------------------------------------ */

static const uint32_t interesting[] = {
    SMMU3_CR0, SMMU3_CR0, SMMU3_CR0, SMMU3_CR1, SMMU3_CR2, SMMU3_GBPA,
    SMMU3_IRQ_CTRL, SMMU3_GERRORN, SMMU3_GERROR_IRQ_CFG0,
    SMMU3_GERROR_IRQ_CFG1, SMMU3_STRTAB_BASE, SMMU3_STRTAB_BASE_CFG,
    SMMU3_CMDQ_BASE, SMMU3_CMDQ_PROD, SMMU3_CMDQ_PROD, SMMU3_CMDQ_PROD,
    SMMU3_CMDQ_CONS, SMMU3_EVENTQ_BASE, SMMU3_EVENTQ_PROD,
    SMMU3_EVENTQ_CONS, SMMU3_EVENTQ_CONS, SMMU3_EVENTQ_IRQ_CFG0,
    SMMU3_PRIQ_BASE, SMMU3_PRIQ_PROD, SMMU3_PRIQ_CONS,
    SMMU3_PRIQ_IRQ_CFG0, SMMU3_PRIQ_IRQ_CFG2, SMMU3_GATOS_CTRL,
    SMMU3_GATOS_SID, SMMU3_GATOS_ADDR,
};

static void write_register(Hostile *h)
{
    uint32_t offset = interesting[below(h, G_N_ELEMENTS(interesting))];
    unsigned size = chance(h, 2) ? 4 : 8;
    uint64_t value;

    switch (below(h, 6)) {
    case 0:
        value = random64(h);
        break;
    case 1:
        value = random_address(h) | below(h, 32);
        break;
    case 2:
        value = UINT64_MAX >> below(h, 64);
        break;
    case 3:
        value = smmu3_mmio_read(h->smmu, offset, 4) + below(h, 40);
        break;
    default:
        value = below(h, 64);
        break;
    }
    if (chance(h, 16)) {
        offset = below(h, 2 * SMMU3_MMIO_BYTES);
    }
    if (offset == SMMU3_CR0 && !chance(h, 3)) {
        value |= 0x1f;          /* or nothing would ever happen */
    }
    smmu3_mmio_write(h->smmu, offset, value, chance(h, 32) ? below(h, 16)
                                                           : size);
    smmu3_mmio_read(h->smmu, below(h, SMMU3_MMIO_BYTES), size);
}

static uint64_t cmdq_slot(Hostile *h, uint32_t index)
{
    const Smmu3Queue *q = &smmu3_regs(h->smmu)->cmdq;
    uint64_t base = smmu3_get_addr(&q->base, QUEUE_BASE_ADDR);

    return base + 16 * (index & smmu3_mask(smmu3_get(&q->base,
                                                     QUEUE_BASE_LOG2SIZE)));
}

static void write_slot(Hostile *h, uint32_t index,
                       const uint64_t cmd[SMMU3_CMD_WORDS])
{
    uint64_t at = cmdq_slot(h, index);

    if (at >= MEMORY && at < MEMORY + MEMORY_BYTES) {
        fake_write_words(h->host, at, cmd, SMMU3_CMD_WORDS);
    }
}

/* What a driver does about whatever there is. */
static void behave(Hostile *h)
{
    uint32_t cons = smmu3_mmio_read(h->smmu, SMMU3_CMDQ_CONS, 4);

    if (cons >> 24 == CERROR_ILL) {
        write_slot(h, cons, (uint64_t[]) { CMD_SYNC, 0 });
    }
    smmu3_mmio_write(h->smmu, SMMU3_GERRORN,
                     smmu3_mmio_read(h->smmu, SMMU3_GERROR, 4), 4);
    smmu3_mmio_write(h->smmu, SMMU3_EVENTQ_CONS,
                     smmu3_mmio_read(h->smmu, SMMU3_EVENTQ_PROD, 4), 4);
    smmu3_mmio_write(h->smmu, SMMU3_PRIQ_CONS,
                     smmu3_mmio_read(h->smmu, SMMU3_PRIQ_PROD, 4), 4);
}

/* A CMD_RESUME of one that is stalled, if there is any. */
static void aim_resume(Hostile *h, uint64_t cmd[SMMU3_CMD_WORDS])
{
    g_autoptr(GArray) stalls = smmu3_save_stalls(h->smmu);

    if (stalls->len) {
        const Smmu3SavedStall *one = &g_array_index(stalls, Smmu3SavedStall,
                                                    below(h, stalls->len));

        smmu3_set(cmd, CMD_STREAMID, one->sid);
        smmu3_set(cmd, CMD_RESUME_STAG, one->stag);
    }
}

static void write_command(Hostile *h)
{
    static const uint8_t opcodes[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x20,
        0x22, 0x28, 0x2a, 0x30, 0x40, 0x40, 0x41, 0x44, 0x44, 0x44, 0x44,
        0x44, 0x44, 0x45, 0x46, 0x46, 0x46, 0x46,
    };
    uint64_t cmd[SMMU3_CMD_WORDS] = { random64(h), random64(h) };
    uint32_t prod = smmu3_mmio_read(h->smmu, SMMU3_CMDQ_PROD, 4);

    smmu3_set(cmd, CMD_OPCODE, opcodes[below(h, sizeof(opcodes))]);
    if (!chance(h, 12)) {
        smmu3_set(cmd, CMD_SSEC, 0);
        smmu3_set(cmd, CMD_STREAMID, below(h, SIDS));
        /* Small STAGs, sizes, ranges */
        cmd[0] &= ~UINT64_C(0xfff2d000);
        cmd[1] &= ~UINT64_C(0xff0);
        if (smmu3_get(cmd, CMD_OPCODE) == CMD_RESUME) {
            smmu3_set(cmd, CMD_RESUME_AC, chance(h, 2));
            smmu3_set(cmd, CMD_RESUME_AB, chance(h, 2));
            aim_resume(h, cmd);
        }
        if (smmu3_get(cmd, CMD_OPCODE) == CMD_SYNC) {
            smmu3_set(cmd, CMD_SYNC_CS, below(h, 3));
            smmu3_set_addr(cmd, CMD_SYNC_MSIADDR, random_address(h));
        }
    }
    damage(h, cmd, SMMU3_CMD_WORDS);
    write_slot(h, prod, cmd);
    smmu3_mmio_write(h->smmu, SMMU3_CMDQ_PROD, prod + 1, 4);
}

static void write_ste(Hostile *h)
{
    uint64_t ste[SMMU3_STE_WORDS], at;
    uint64_t strtab = smmu3_regs(h->smmu)->strtab_base;
    unsigned vmid = below(h, 3);

    switch (below(h, 6)) {
    case 0:
        ste_bypass(ste);
        break;
    case 1:
        ste_stage2(ste, &h->stage2, vmid);
        break;
    case 2:
        ste_nested(ste, h->cds, CDS_LOG2, &h->stage2, vmid);
        break;
    default:
        ste_stage1(ste, h->cds, CDS_LOG2);
        break;
    }
    smmu3_set(ste, STE_S2S, chance(h, 2));
    smmu3_set(ste, STE_S2HA, chance(h, 2));
    smmu3_set(ste, STE_S2HD, chance(h, 2));
    smmu3_set(ste, STE_EATS, below(h, 3));
    damage(h, ste, SMMU3_STE_WORDS);
    at = smmu3_get_addr(&strtab, STRTAB_BASE_ADDR) + 64 * below(h, SIDS);
    if (at >= MEMORY && at < MEMORY + MEMORY_BYTES) {
        fake_write_words(h->host, at, ste, SMMU3_STE_WORDS);
    }
}

static void write_cd(Hostile *h)
{
    uint64_t cd[SMMU3_CD_WORDS];

    cd_for(cd, &h->stage1, below(h, 3));
    smmu3_set(cd, CD_S, !chance(h, 3));
    smmu3_set(cd, CD_HA, chance(h, 2));
    smmu3_set(cd, CD_HD, chance(h, 2));
    damage(h, cd, SMMU3_CD_WORDS);
    fake_write_words(h->host, h->cds + 64 * below(h, 1 << CDS_LOG2), cd,
                     SMMU3_CD_WORDS);
}

/* Map, unmap or spoil a page, or the table of all, of either stage. */
static void write_descriptor(Hostile *h)
{
    bool second = chance(h, 3);
    unsigned page = below(h, PAGES);
    uint64_t descriptor = second ? PT_S2_RO : PT_USER_RO;

    if (chance(h, 64)) {
        descriptor = fake_read64(h->host, h->block[second]);
        damage(h, &descriptor, 1);
        fake_write64(h->host, h->block[second], descriptor);
        return;
    }
    descriptor |= (MEMORY + 0x1000 * page % MEMORY_BYTES) | 3;
    if (chance(h, 2)) {
        descriptor |= PT_DBM;
    }
    if (chance(h, 4)) {
        descriptor &= ~PT_AF;
    }
    if (chance(h, 4)) {
        descriptor = 0;
    }
    damage(h, &descriptor, 1);
    fake_write64(h->host, h->pages[second][page], descriptor);
}

static void write_structure(Hostile *h)
{
    switch (below(h, 4)) {
    case 0:
        write_ste(h);
        break;
    case 1:
        write_cd(h);
        break;
    default:
        write_descriptor(h);
        break;
    }
}

static void submit(Hostile *h)
{
    unsigned job = below(h, JOBS);
    Smmu3Transaction t = {
        .type = below(h, 3), .sid = below(h, SIDS), .ssid = below(h, 4),
        .ssv = !chance(h, 4), .addr = below(h, 0x1000 * PAGES),
        .access = 1 + below(h, 3), .priv = chance(h, 2), .ind = chance(h, 4),
        .may_stall = !chance(h, 4), .speculative = chance(h, 8),
        .cookie = &h->stalled[job],
    };
    Smmu3Translation result;

    if (chance(h, 2)) {
        t.type = SMMU3_UNTRANSLATED;
    }
    if (chance(h, 8)) {
        t.addr = random64(h);
    }

    if (h->stalled[job]) {
        smmu3_cancel(h->smmu, &h->stalled[job]);
        h->stalled[job] = false;
        return;
    }
    if (smmu3_translate(h->smmu, &t, &result) == SMMU3_STALLED) {
        h->stalled[job] = true;
    }
}

static void request_page(Hostile *h)
{
    Smmu3PageRequest q = {
        .sid = below(h, SIDS), .ssid = below(h, 4), .ssv = chance(h, 2),
        .priv = chance(h, 2), .exec = chance(h, 2), .read = chance(h, 2),
        .write = chance(h, 2), .last = chance(h, 2),
        .prg_index = below(h, 512), .addr = random64(h),
    };

    smmu3_page_request(h->smmu, &q);
}

static void answer(Hostile *h)
{
    if (h->owed_quiesce) {
        h->owed_quiesce--;
        smmu3_quiesced(h->smmu);
    }
    if (h->owed_atc->len) {
        uint32_t batch = g_array_index(h->owed_atc, uint32_t, 0);

        g_array_remove_index(h->owed_atc, 0);
        smmu3_atc_invalidated(h->smmu, batch);
    }
    if (chance(h, 8)) {
        smmu3_atc_timeout(h->smmu);
    }
}

/* Save, and load the same: stalls are given up, as a migration would. */
static void save_and_load(Hostile *h)
{
    Smmu3Regs regs = *smmu3_regs(h->smmu);
    g_autoptr(GArray) stalls = smmu3_save_stalls(h->smmu);

    g_assert_true(smmu3_load(h->smmu, &regs,
                             (const Smmu3SavedStall *)stalls->data,
                             stalls->len));
    memset(h->stalled, 0, sizeof(h->stalled));
}

static void explain(Hostile *h)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Smmu3Transaction t = with_ssid(dma_read(below(h, SIDS),
                                            below(h, 0x1000 * PAGES)),
                                   below(h, 4));

    smmu3_explain(h->smmu, &t, text);
    g_assert_cmpuint(text->len, >, 0);
}

/* All that a context reaches, of tables as they happen to be: it ends. */
static void map(Hostile *h)
{
    Smmu3View *view = smmu3_view_new(h->smmu, below(h, SIDS), true,
                                     below(h, 4));
    Smmu3Survey survey = {
        .max_ranges = 64, .max_steps = 256,
        .ranges = g_array_new(FALSE, FALSE, sizeof(Smmu3Piece)),
    };

    for (unsigned i = 0; i < view->span_count; i++) {
        smmu3_survey_map(&survey, (Smmu3Space) { smmu3_view_look_up, view },
                         view->spans[i]);
    }
    g_assert_cmpuint(survey.ranges->len, <=, 64);
    g_assert_cmpuint(survey.steps, <=, 256);
    g_array_unref(survey.ranges);
    smmu3_view_free(view);
}

/* The same by registers: RUN is never left set. */
static void ask_gatos(Hostile *h)
{
    uint64_t sid = below(h, SIDS), addr = 0;

    smmu3_set(&sid, GATOS_SID_SSID_VALID, !chance(h, 4));
    smmu3_set(&sid, GATOS_SID_SUBSTREAMID, below(h, 4));
    smmu3_set_addr(&addr, GATOS_ADDR_ADDR, below(h, 0x1000 * PAGES));
    addr |= below(h, 0x1000);
    smmu3_mmio_write(h->smmu, SMMU3_GATOS_SID, sid, 8);
    smmu3_mmio_write(h->smmu, SMMU3_GATOS_ADDR, addr, 8);
    smmu3_mmio_write(h->smmu, SMMU3_GATOS_CTRL, 1, 4);
    g_assert_cmphex(smmu3_mmio_read(h->smmu, SMMU3_GATOS_CTRL, 4), ==, 0);
}

static void start(Hostile *h);

static void step(Hostile *h)
{
    unsigned dice = below(h, 256);

    if (dice < 1) {
        smmu3_reset(h->smmu);
        start(h);
    } else if (dice < 2) {
        save_and_load(h);
    } else if (dice < 3) {
        explain(h);
        map(h);
    } else if (dice < 5) {
        ask_gatos(h);
    } else if (dice < 8) {
        write_register(h);
    } else if (dice < 9) {
        start(h);
    } else if (dice < 40) {
        behave(h);
    } else if (dice < 80) {
        write_structure(h);
    } else if (dice < 140) {
        write_command(h);
    } else if (dice < 150) {
        request_page(h);
    } else if (dice < 180) {
        answer(h);
    } else {
        submit(h);
    }
}

/* Tables like those of a driver; stage 2 maps the others, and the pages. */
static void make_tables(Hostile *h)
{
    unsigned page_log2 = 12;

    pt_init(&h->stage1, h->host, page_log2, 39, h->features.ds);
    pt_init_stage2(&h->stage2, h->host, page_log2, 39, 1, h->features.ds);
    h->cds = fake_alloc(h->host, SMMU3_CD_BYTES << CDS_LOG2, 4096);
    for (unsigned i = 0; i < PAGES; i++) {
        h->pages[0][i] = pt_map(&h->stage1, 0x1000 * i, 0x1000 * i, 3,
                                PT_USER_RW);
        h->pages[1][i] = pt_map(&h->stage2, 0x1000 * i, MEMORY, 3, PT_S2_RW);
    }
    h->block[0] = pt_entry(&h->stage1, 0, 2);
    h->block[1] = pt_entry(&h->stage2, 0, 2);
    for (unsigned i = 0; i < 4; i++) {
        pt_map(&h->stage2, 0x40000000 + (i << 21), 0x40000000 + (i << 21), 2,
               PT_S2_RW);
    }
    for (unsigned i = 0; i < 64; i++) {
        write_cd(h);
    }
}

/* Something like a driver's start, so that not all is refused at once. */
static void start(Hostile *h)
{
    smmu3_mmio_write(h->smmu, SMMU3_CR0, 0, 4);
    smmu3_mmio_write(h->smmu, SMMU3_GERRORN,
                     smmu3_mmio_read(h->smmu, SMMU3_GERROR, 4), 4);
    smmu3_mmio_write(h->smmu, SMMU3_CMDQ_PROD, 0, 4);
    smmu3_mmio_write(h->smmu, SMMU3_CMDQ_CONS, 0, 4);
    smmu3_mmio_write(h->smmu, SMMU3_STRTAB_BASE, MEMORY, 8);
    smmu3_mmio_write(h->smmu, SMMU3_STRTAB_BASE_CFG, 4, 4);
    smmu3_mmio_write(h->smmu, SMMU3_CMDQ_BASE, (MEMORY + 0x1000) | 5, 8);
    smmu3_mmio_write(h->smmu, SMMU3_EVENTQ_BASE,
                     (MEMORY + 0x2000) | below(h, 5), 8);
    smmu3_mmio_write(h->smmu, SMMU3_PRIQ_BASE,
                     (MEMORY + 0x3000) | below(h, 3), 8);
    smmu3_mmio_write(h->smmu, SMMU3_IRQ_CTRL, 7, 4);
    smmu3_mmio_write(h->smmu, SMMU3_CR2, below(h, 16), 4);
    smmu3_mmio_write(h->smmu, SMMU3_CR0, 0x1f, 4);
}

/* After all that: one SYNC with a flag in memory, as ever. */
static void expect_it_works(Hostile *h)
{
    uint64_t sync[SMMU3_CMD_WORDS] = { CMD_SYNC, 0 };
    uint64_t flag = MEMORY + 0x8000;

    smmu3_set(sync, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
    smmu3_set(sync, CMD_SYNC_MSIDATA, 0x600d);
    smmu3_set_addr(sync, CMD_SYNC_MSIADDR, flag);
    h->depth = UINT_MAX;        /* no more surprises */
    smmu3_reset(h->smmu);
    /* What was due is delivered, in bounded pieces */
    for (unsigned i = 0; i < 100; i++) {
        smmu3_service(h->smmu);
    }
    for (unsigned job = 0; job < JOBS; job++) {
        g_assert_false(h->stalled[job]);
    }
    g_assert_cmpuint(smmu3_stalls_outstanding(h->smmu), ==, 0);
    start(h);
    fake_write_words(h->host, MEMORY + 0x1000, (uint64_t[]) {
        CMD_TLBI_NSNH_ALL, 0 }, SMMU3_CMD_WORDS);
    fake_write_words(h->host, MEMORY + 0x1010, sync, SMMU3_CMD_WORDS);
    fake_write64(h->host, flag, 0);
    smmu3_mmio_write(h->smmu, SMMU3_CMDQ_PROD, 2, 4);
    while (h->owed_quiesce) {
        h->owed_quiesce--;
        smmu3_quiesced(h->smmu);
    }
    g_assert_cmphex(fake_read64(h->host, flag), ==, 0x600d);
    g_assert_cmphex(smmu3_mmio_read(h->smmu, SMMU3_CMDQ_CONS, 4), ==, 2);
    g_assert_cmphex(smmu3_mmio_read(h->smmu, SMMU3_GERROR, 4), ==, 0);
}

/* Whether the dice got anywhere. */
static void report(Hostile *h, guint32 seed)
{
    const Smmu3Counters *c = smmu3_counters(h->smmu);

    g_test_message("seed %u: %u commands, %u errors, %u events, %u walks, "
                   "%u stalls, %u resumed, %u updates, %u page requests",
                   seed, (unsigned)c->commands, (unsigned)c->command_errors,
                   (unsigned)c->events, (unsigned)c->walks,
                   (unsigned)c->stalls,
                   (unsigned)(c->resumes_retry + c->resumes_abort),
                   (unsigned)c->httu_updates, (unsigned)c->page_requests);
}

static void run_seed(guint32 seed)
{
    Hostile h = { .rand = g_rand_new_with_seed(seed) };
    g_autofree char *message = NULL;

    features_all(&h.features);
    h.features.atos = 1;
    h.features.pps = chance(&h, 4);
    h.features.ds = h.features.vax = chance(&h, 2);
    h.features.stall_max = 1 + below(&h, 16);
    h.features.oas = h.features.ds ? 6 : 5;
    message = smmu3_features_check(&h.features);
    g_assert_cmpstr(message, ==, NULL);
    h.host = fake_host_new();
    h.owed_atc = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    fake_map(h.host, MEMORY, MEMORY_BYTES);
    make_tables(&h);
    h.smmu = smmu3_new(&h.features, &(Smmu3Options) {
        .tlb_entries = 64, .config_entries = 16 }, &hostile_ops, &h);
    start(&h);
    for (unsigned i = 0; i < 64; i++) {
        write_ste(&h);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        step(&h);
        if (chance(&h, 4)) {
            smmu3_service(h.smmu);
        }
    }
    expect_it_works(&h);
    report(&h, seed);
    smmu3_free(h.smmu);
    fake_host_free(h.host);
    g_array_unref(h.owed_atc);
    g_rand_free(h.rand);
}

static void test_random(void)
{
    const char *more = g_getenv("SMMU3_HOSTILE_SEEDS");
    guint32 seeds = more ? strtoul(more, NULL, 0) : SEEDS;

    for (guint32 seed = 0; seed < seeds; seed++) {
        run_seed(seed);
    }
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/hostile/random", test_random, "");
    return conformance_run();
}
