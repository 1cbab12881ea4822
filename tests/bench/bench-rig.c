/*
 * See bench-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench-rig.h"
#include <string.h>
#include <time.h>

/* ---- The host ---------------------------------------------------------- */

static bool host_read(void *opaque, uint64_t pa, uint64_t *words,
                      unsigned count)
{
    Memory *m = opaque;

    if (pa % 8 || pa > m->bytes || m->bytes - pa < 8 * (uint64_t)count) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        words[i] = __atomic_load_n(&m->words[pa / 8 + i], __ATOMIC_RELAXED);
    }
    return true;
}

static bool host_write(void *opaque, uint64_t pa, const uint64_t *words,
                       unsigned count)
{
    Memory *m = opaque;

    if (pa % 8 || pa > m->bytes || m->bytes - pa < 8 * (uint64_t)count) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        __atomic_store_n(&m->words[pa / 8 + i], words[i], __ATOMIC_RELAXED);
    }
    return true;
}

static Smmu3Cas host_cas(void *opaque, uint64_t pa, uint64_t *expected,
                         uint64_t desired)
{
    Memory *m = opaque;

    if (pa % 8 || pa >= m->bytes) {
        return SMMU3_CAS_ABORT;
    }
    return __atomic_compare_exchange_n(&m->words[pa / 8], expected, desired,
                                       false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST)
           ? SMMU3_CAS_DONE : SMMU3_CAS_LOST;
}

static void host_kick(void *opaque)
{
    (void)opaque;
}

static void host_irq(void *opaque, Smmu3Irq irq)
{
    (void)opaque, (void)irq;
}

static bool host_msi(void *opaque, uint64_t pa, uint32_t data)
{
    (void)opaque, (void)pa, (void)data;
    return true;
}

static bool host_quiesce(void *opaque)
{
    (void)opaque;
    return true;
}

static void host_stall_resolved(void *opaque, void *cookie,
                                Smmu3Resolution how)
{
    Memory *m = opaque;

    (void)cookie, (void)how;
    m->resolved++;
}

static void host_prg_response(void *opaque, const Smmu3PrgResponse *response)
{
    Memory *m = opaque;

    (void)response;
    m->responses++;
}

static void host_atc_invalidate(void *opaque, const Smmu3AtcInvalidate *inv)
{
    Memory *m = opaque;

    smmu3_atc_invalidated(m->smmu, inv->batch);
}

static void host_guest_error(void *opaque, const char *message)
{
    (void)opaque;
    g_error("the benchmark's own mistake: %s", message);
}

const Smmu3HostOps bench_host_ops = {
    .read = host_read,
    .write = host_write,
    .cas = host_cas,
    .kick = host_kick,
    .irq = host_irq,
    .msi = host_msi,
    .quiesce = host_quiesce,
    .stall_resolved = host_stall_resolved,
    .atc_invalidate = host_atc_invalidate,
    .prg_response = host_prg_response,
    .guest_error = host_guest_error,
};

uint64_t bench_alloc(Memory *m, uint64_t bytes, uint64_t align)
{
    uint64_t pa = (m->next + align - 1) & ~(align - 1);

    m->next = pa + bytes;
    if (m->next > m->bytes) {
        g_error("%" G_GUINT64_FORMAT " bytes of memory are not enough",
                m->bytes);
    }
    return pa;
}

/* ---- The SMMU ----------------------------------------------------------- */

uint64_t bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

void bench_map_page(Bench *b, uint64_t root, uint64_t va)
{
    uint64_t table = root;

    for (int level = 0; level < 3; level++) {
        unsigned shift = PAGE_LOG2 + (3 - level) * LEVEL_BITS;
        uint64_t *entry = &b->memory.words[table / 8 +
            ((va >> shift) & smmu3_mask(LEVEL_BITS))];

        if (!*entry) {
            *entry = bench_alloc(&b->memory, 4096, 4096) | 3;
        }
        table = *entry & ~smmu3_mask(PAGE_LOG2);
    }
    b->memory.words[table / 8 + ((va >> PAGE_LOG2) & smmu3_mask(LEVEL_BITS))] =
        (va & ~smmu3_mask(PAGE_LOG2)) | smmu3_field_mask(TTD_AF) |
        smmu3_field_mask(TTD_AP_UNPRIV) | smmu3_field_mask(TTD_NG) | 3;
}

static void make_cd(uint64_t cd[SMMU3_CD_WORDS], uint64_t root, uint16_t asid)
{
    memset(cd, 0, SMMU3_CD_BYTES);
    smmu3_set(cd, CD_V, 1);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_T0SZ, 16);
    smmu3_set(cd, CD_TG0, CD_TG0_4K);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_IPS, 5);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_ASID, asid);
    smmu3_set_addr(cd, CD_TTB0, root);
    smmu3_set(cd, CD_MAIR, 0xff);
}

void bench_run_queue(Bench *b)
{
    uint32_t mask = smmu3_mask(b->cmdq_log2 + 1);

    smmu3_mmio_write(b->smmu, SMMU3_CMDQ_PROD, b->prod, 4);
    while (((smmu3_regs(b->smmu)->cmdq.cons ^ b->prod) & mask) != 0) {
        if (smmu3_regs(b->smmu)->gerror) {
            g_error("the SMMU refuses a command");
        }
        smmu3_service(b->smmu);
    }
}

void bench_put_command(Bench *b, const uint64_t cmd[SMMU3_CMD_WORDS])
{
    uint32_t index = b->prod & smmu3_mask(b->cmdq_log2);
    uint64_t *slot = &b->memory.words[(b->cmdq + index * SMMU3_CMD_BYTES) / 8];

    slot[0] = cmd[0];
    slot[1] = cmd[1];
    b->prod = (b->prod + 1) & smmu3_mask(b->cmdq_log2 + 1);
}

void bench_put_opcode(Bench *b, Smmu3Opcode opcode)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { opcode };

    bench_put_command(b, cmd);
}

static void make_tables(Bench *b)
{
    b->root = bench_alloc(&b->memory, 4096, 4096);
    for (uint64_t i = 0; i < MEASURED_PAGES; i++) {
        bench_map_page(b, b->root, MEASURED_VA + (i << PAGE_LOG2));
    }
    for (uint64_t i = 0; i < b->unrelated; i++) {
        bench_map_page(b, b->root, UNRELATED_VA + (i << PAGE_LOG2));
    }
}

/* A table of contexts, one of them for each SSID from 1 on. */
static void make_contexts(Bench *b, uint64_t *ste)
{
    unsigned log2 = 1;
    uint64_t cds_pa;

    while (1u << log2 <= b->contexts) {
        log2++;
    }
    cds_pa = bench_alloc(&b->memory, (uint64_t)SMMU3_CD_BYTES << log2,
                         (uint64_t)SMMU3_CD_BYTES << log2);
    for (unsigned i = 1; i <= b->contexts; i++) {
        make_cd(&b->memory.words[cds_pa / 8 + i * SMMU3_CD_WORDS], b->root, i);
    }
    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1CDMAX, log2);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, cds_pa);
}

/* The stream table; both streams have the same tables under them. */
static uint64_t make_streams(Bench *b)
{
    uint64_t strtab = bench_alloc(&b->memory, 16 * SMMU3_STE_BYTES, 4096);
    uint64_t cds_pa = bench_alloc(&b->memory, 4 * SMMU3_CD_BYTES, 4096);
    uint64_t *cds = &b->memory.words[cds_pa / 8];
    uint64_t *ste = &b->memory.words[(strtab + SID * SMMU3_STE_BYTES) / 8];
    uint64_t *stalling = cds + STALLING_SSID * SMMU3_CD_WORDS;

    make_cd(cds + MEASURED_SSID * SMMU3_CD_WORDS, b->root, MEASURED_SSID);
    make_cd(cds + UNRELATED_SSID * SMMU3_CD_WORDS, b->root, UNRELATED_SSID);
    make_cd(stalling, b->root, STALLING_SSID);
    smmu3_set(stalling, CD_S, 1);
    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1CDMAX, 2);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, cds_pa);

    ste = &b->memory.words[(strtab + S2_SID * SMMU3_STE_BYTES) / 8];
    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S2);
    smmu3_set(ste, STE_S2VMID, S2_VMID);
    smmu3_set(ste, STE_S2T0SZ, 16);
    smmu3_set(ste, STE_S2SL0, 2);
    smmu3_set(ste, STE_S2PS, 5);
    smmu3_set(ste, STE_S2AA64, 1);
    smmu3_set_addr(ste, STE_S2TTB, b->root);
    if (b->contexts) {
        make_contexts(b, &b->memory.words[(strtab + CONTEXTS_SID *
                                           SMMU3_STE_BYTES) / 8]);
    }
    return strtab;
}

static void set_queue(Bench *b, uint64_t base_reg, uint64_t pa, unsigned log2)
{
    uint64_t base = pa;

    smmu3_set(&base, QUEUE_BASE_LOG2SIZE, log2);
    smmu3_mmio_write(b->smmu, base_reg, base, 8);
}

static uint64_t alloc_queue(Bench *b, unsigned entry_bytes, unsigned log2)
{
    uint64_t bytes = (uint64_t)entry_bytes << log2;

    return bench_alloc(&b->memory, bytes, bytes);
}

static void make_smmu(Bench *b)
{
    /* Four times as many places as entries, so that few are evicted. */
    uint64_t entries = 4 * MAX(b->unrelated, b->contexts);
    Smmu3Options options = {
        .tlb_entries = b->tlb_entries ? b->tlb_entries : MAX(65536, entries),
        .config_entries = MAX(4096, 4 * b->contexts),
    };
    Smmu3Features features;
    char *error;

    smmu3_features_init(&features);
    features.stall_max = 65535;
    error = smmu3_features_check(&features);
    if (error) {
        g_error("%s", error);
    }
    b->smmu = smmu3_new(&features, &options, &bench_host_ops, &b->memory);
    b->memory.smmu = b->smmu;
}

void bench_bring_up(Bench *b, uint64_t unrelated)
{
    uint64_t strtab, cr0 = 0;

    b->cmdq_log2 = b->cmdq_log2 ? b->cmdq_log2 : 11;
    b->unrelated = unrelated;
    b->memory = (Memory) { .bytes = (96 << 20) + 10 * unrelated };
    b->memory.words = g_malloc0(b->memory.bytes);
    b->prod = 0;
    b->cmdq = alloc_queue(b, SMMU3_CMD_BYTES, b->cmdq_log2);
    make_tables(b);
    strtab = make_streams(b);
    make_smmu(b);
    smmu3_mmio_write(b->smmu, SMMU3_STRTAB_BASE, strtab, 8);
    smmu3_mmio_write(b->smmu, SMMU3_STRTAB_BASE_CFG, 4, 4);
    set_queue(b, SMMU3_CMDQ_BASE, b->cmdq, b->cmdq_log2);
    smmu3_set(&cr0, CR0_CMDQEN, 1);
    smmu3_set(&cr0, CR0_SMMUEN, 1);
    if (b->eventq_log2) {
        b->eventq = alloc_queue(b, SMMU3_EVENT_BYTES, b->eventq_log2);
        set_queue(b, SMMU3_EVENTQ_BASE, b->eventq, b->eventq_log2);
        smmu3_set(&cr0, CR0_EVENTQEN, 1);
    }
    smmu3_mmio_write(b->smmu, SMMU3_CR0, cr0, 4);
}

void bench_tear_down(Bench *b)
{
    smmu3_free(b->smmu);
    g_free(b->memory.words);
}
