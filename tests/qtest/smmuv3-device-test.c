/*
 * The SMMU in QEMU, without guest software: its registers, wired interrupts
 * and MSIs, the DMA of an ordinary PCI device (edu), properties, reset. What
 * the architecture asks for in detail is tested in tests/unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "sva-qtest.h"

#define EDU_VENDOR      0x1234
#define EDU_DEVICE      0x11e8
#define EDU_RAISE       0x60
#define EDU_DMA_SRC     0x80
#define EDU_DMA_DST     0x88
#define EDU_DMA_COUNT   0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_BUFFER      0x40000
enum { EDU_RUN = 1, EDU_TO_MEMORY = 2 };

/* An edu device: an ordinary PCI function that does DMA. */
typedef struct Edu {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar;
} Edu;

#define EDU_ARGS "-device edu,addr=1,dma_mask=0xffffffffffffffff"

static Edu edu_find(SvaQtest *t, unsigned bus)
{
    Edu edu = { .t = t, .bus = bus };
    int devfn = sva_find(t, bus, EDU_VENDOR, EDU_DEVICE);

    g_assert_cmpint(devfn, >=, 0);
    edu.devfn = devfn;
    edu.bar = sva_enable_bar(t, bus, devfn, 0);
    return edu;
}

static uint32_t edu_sid(const Edu *edu)
{
    return edu->bus << 8 | edu->devfn;
}

static void edu_dma(const Edu *edu, uint64_t src, uint64_t dst,
                    uint64_t count, uint32_t direction)
{
    QTestState *qts = edu->t->qts;

    qtest_writeq(qts, edu->bar + EDU_DMA_SRC, src);
    qtest_writeq(qts, edu->bar + EDU_DMA_DST, dst);
    qtest_writeq(qts, edu->bar + EDU_DMA_COUNT, count);
    qtest_writel(qts, edu->bar + EDU_DMA_COMMAND, EDU_RUN | direction);
    qtest_clock_step(qts, 200 * 1000 * 1000);
    g_assert_cmphex(qtest_readl(qts, edu->bar + EDU_DMA_COMMAND) & EDU_RUN,
                    ==, 0);
}

/* The device reads from @src and writes what it got to @dst. */
static void edu_copy(const Edu *edu, uint64_t src, uint64_t dst,
                     uint64_t count)
{
    edu_dma(edu, src, EDU_BUFFER, count, 0);
    edu_dma(edu, EDU_BUFFER, dst, count, EDU_TO_MEMORY);
}

static void fill(SvaQtest *t, uint64_t addr, uint64_t bytes, uint64_t seed)
{
    for (uint64_t i = 0; i < bytes; i += 8) {
        qtest_writeq(t->qts, addr + i, (seed + i) * 0x9e3779b97f4a7c15);
    }
}

static void assert_same(SvaQtest *t, uint64_t a, uint64_t b, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 8) {
        g_assert_cmphex(qtest_readq(t->qts, a + i), ==,
                        qtest_readq(t->qts, b + i));
    }
}

static void assert_zero(SvaQtest *t, uint64_t addr, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 8) {
        g_assert_cmphex(qtest_readq(t->qts, addr + i), ==, 0);
    }
}

/* ---- Registers -------------------------------------------------------- */

static void test_id_registers_follow_properties(void)
{
    SvaQtest *t = sva_start("-global smmuv3-sva.ssidsize=7 "
                            "-global smmuv3-sva.stall-model=2 "
                            "-global smmuv3-sva.oas=4 "
                            "-global smmuv3-sva.implementer=0x43b");
    uint64_t idr0 = sva_read32(t, SMMU3_IDR0);
    uint64_t idr1 = sva_read32(t, SMMU3_IDR1);
    uint64_t idr5 = sva_read32(t, SMMU3_IDR5);
    uint64_t iidr = sva_read32(t, SMMU3_IIDR);

    g_assert_cmpuint(smmu3_get(&idr0, IDR0_S1P), ==, 1);
    g_assert_cmpuint(smmu3_get(&idr0, IDR0_TTF), ==, IDR0_TTF_AARCH64);
    g_assert_cmpuint(smmu3_get(&idr0, IDR0_STALL_MODEL), ==, 2);
    g_assert_cmpuint(smmu3_get(&idr1, IDR1_SSIDSIZE), ==, 7);
    g_assert_cmpuint(smmu3_get(&idr5, IDR5_OAS), ==, 4);
    g_assert_cmphex(smmu3_get(&iidr, IIDR_IMPLEMENTER), ==, 0x43b);
    /* They are read-only */
    sva_write32(t, SMMU3_IDR0, ~idr0);
    g_assert_cmphex(sva_read32(t, SMMU3_IDR0), ==, idr0);
    sva_stop(t);
}

static void test_oas_follows_the_cpu(void)
{
    static const struct {
        const char *cpu;
        unsigned oas;
    } cases[] = {
        { "max", 6 }, { "neoverse-n1", 5 }, { "cortex-a72", 4 },
        { "cortex-a53", 2 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *args = g_strdup_printf("-accel tcg -S -machine verdict=off -cpu %s", cases[i].cpu);
        SvaQtest *t = sva_start(args);
        uint64_t idr5 = sva_read32(t, SMMU3_IDR5);

        g_assert_cmpuint(smmu3_get(&idr5, IDR5_OAS), ==, cases[i].oas);
        sva_stop(t);
    }
}

static void test_enables_are_acknowledged(void)
{
    SvaQtest *t = sva_start("");
    uint32_t gbpa;

    sva_write32(t, SMMU3_CR0, smmu3_field_mask(CR0_CMDQEN));
    g_assert_cmphex(sva_read32(t, SMMU3_CR0ACK), ==,
                    smmu3_field_mask(CR0_CMDQEN));
    sva_write32(t, SMMU3_CR0, 0);
    g_assert_cmphex(sva_read32(t, SMMU3_CR0ACK), ==, 0);

    sva_write32(t, SMMU3_IRQ_CTRL, smmu3_field_mask(IRQ_CTRL_EVENTQ));
    g_assert_cmphex(sva_read32(t, SMMU3_IRQ_CTRLACK), ==,
                    smmu3_field_mask(IRQ_CTRL_EVENTQ));

    gbpa = smmu3_field_mask(GBPA_ABORT);
    sva_write32(t, SMMU3_GBPA, gbpa | smmu3_field_mask(GBPA_UPDATE));
    g_assert_cmphex(sva_read32(t, SMMU3_GBPA), ==, gbpa);
    sva_stop(t);
}

static void test_wide_registers_take_both_sizes(void)
{
    const uint64_t value = UINT64_C(0x0000004140000010);
    SvaQtest *t = sva_start("");

    sva_write64(t, SMMU3_EVENTQ_BASE, value);
    g_assert_cmphex(sva_read32(t, SMMU3_EVENTQ_BASE), ==, (uint32_t)value);
    g_assert_cmphex(sva_read32(t, SMMU3_EVENTQ_BASE + 4), ==, value >> 32);
    sva_write32(t, SMMU3_EVENTQ_BASE + 4, 0x42);
    g_assert_cmphex(sva_read64(t, SMMU3_EVENTQ_BASE), ==,
                    (value & UINT32_MAX) | UINT64_C(0x42) << 32);
    sva_stop(t);
}

static void test_narrow_accesses_are_ignored(void)
{
    SvaQtest *t = sva_start("");

    g_assert_cmphex(qtest_readb(t->qts, SVA_SMMU + SMMU3_IDR1), ==, 0);
    g_assert_cmphex(qtest_readw(t->qts, SVA_SMMU + SMMU3_IDR1), ==, 0);
    g_assert_cmphex(qtest_readl(t->qts, SVA_SMMU + SMMU3_IDR1 + 2), ==, 0);
    qtest_writew(t->qts, SVA_SMMU + SMMU3_CR1, 0xffff);
    g_assert_cmphex(sva_read32(t, SMMU3_CR1), ==, 0);
    sva_stop(t);
}

static void test_reset_restores_the_registers(void)
{
    SvaQtest *t = sva_start("");
    uint64_t event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    sva_sync(t);
    qtest_system_reset(t->qts);
    g_assert_cmphex(sva_read32(t, SMMU3_CR0), ==, 0);
    g_assert_cmphex(sva_read32(t, SMMU3_CR0ACK), ==, 0);
    g_assert_cmphex(sva_read32(t, SMMU3_IRQ_CTRL), ==, 0);
    g_assert_cmphex(sva_read32(t, SMMU3_CMDQ_CONS), ==, 0);
    /* and it can be used again */
    t->cmdq_prod = t->eventq_cons = t->priq_cons = 0;
    sva_smmu_enable(t);
    sva_sync(t);
    g_assert_false(sva_event(t, event));
    sva_stop(t);
}

/* ---- Interrupts ------------------------------------------------------- */

static void test_event_pulses_its_line(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t event[SMMU3_EVENT_WORDS];

    sva_gic_init(t);
    sva_smmu_enable(t);
    g_assert_false(sva_take_irq(t, SVA_SMMU_INTID));
    edu_dma(&edu, 0x1000, EDU_BUFFER, 8, 0);
    g_assert_true(sva_take_irq(t, SVA_SMMU_INTID));
    g_assert_true(sva_event(t, event));
    /* an edge, not a level */
    g_assert_false(sva_take_irq(t, SVA_SMMU_INTID));
    sva_stop(t);
}

static void test_bad_command_pulses_gerror(void)
{
    SvaQtest *t = sva_start("");

    sva_gic_init(t);
    sva_smmu_enable(t);
    sva_command(t, 0xff, 0);
    g_assert_true(sva_take_irq(t, SVA_SMMU_INTID + SVA_IRQ_GERROR));
    g_assert_cmphex(sva_read32(t, SMMU3_GERROR) & 1, ==, 1);
    sva_stop(t);
}

static void test_sync_writes_its_msi(void)
{
    SvaQtest *t = sva_start("");
    uint64_t at = sva_alloc(t, 8, 8);
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_SYNC, 0 };

    sva_gic_init(t);
    sva_smmu_enable(t);
    smmu3_set(command, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
    smmu3_set(command, CMD_SYNC_MSIDATA, 0x12345678);
    smmu3_set_addr(command, CMD_SYNC_MSIADDR, at);
    sva_command(t, command[0], command[1]);
    g_assert_cmphex(qtest_readq(t->qts, at), ==, 0x12345678);
    sva_stop(t);
}

static void test_event_writes_its_msi(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t at = sva_alloc(t, 8, 8);

    sva_write64(t, SMMU3_EVENTQ_IRQ_CFG0, at);
    sva_write32(t, SMMU3_EVENTQ_IRQ_CFG1, 0xcafe);
    sva_smmu_enable(t);
    edu_dma(&edu, 0x1000, EDU_BUFFER, 8, 0);
    g_assert_cmphex(qtest_readl(t->qts, at), ==, 0xcafe);
    sva_stop(t);
}

static void test_msi_to_nowhere_is_a_gerror(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t gerror;

    /* nothing is there */
    sva_write64(t, SMMU3_EVENTQ_IRQ_CFG0, UINT64_C(0x0f000000));
    sva_write32(t, SMMU3_EVENTQ_IRQ_CFG1, 1);
    sva_smmu_enable(t);
    edu_dma(&edu, 0x1000, EDU_BUFFER, 8, 0);
    gerror = sva_read32(t, SMMU3_GERROR);
    g_assert_cmpuint(smmu3_get(&gerror, GERROR_MSI_EVENTQ_ABT), ==, 1);
    sva_stop(t);
}

/* QEMU lets no device write to its own registers. */
static void test_msi_to_own_registers_is_a_gerror(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t gerror;

    sva_write64(t, SMMU3_EVENTQ_IRQ_CFG0, SVA_SMMU + SMMU3_GERRORN);
    sva_write32(t, SMMU3_EVENTQ_IRQ_CFG1, 1);
    sva_smmu_enable(t);
    edu_dma(&edu, 0x1000, EDU_BUFFER, 8, 0);
    gerror = sva_read32(t, SMMU3_GERROR);
    g_assert_cmpuint(smmu3_get(&gerror, GERROR_MSI_EVENTQ_ABT), ==, 1);
    g_assert_cmphex(sva_read32(t, SMMU3_GERRORN), ==, 0);
    sva_stop(t);
}

/* Tables are read from RAM only: a walk never touches a device. */
static void test_tables_in_a_device_are_an_abort(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    sva_ste_stage1(t, edu_sid(&edu), SVA_SMMU, 0);
    edu_dma(&edu, 0x1000, EDU_BUFFER, 8, 0);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_CD_FETCH);
    sva_stop(t);
}

/* ---- The DMA of an ordinary device ------------------------------------ */

static void test_disabled_smmu_passes_or_aborts(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t src = sva_alloc(t, 4096, 4096), dst = sva_alloc(t, 4096, 4096);

    fill(t, src, 64, 1);
    edu_copy(&edu, src, dst, 64);
    assert_same(t, src, dst, 64);

    sva_write32(t, SMMU3_GBPA, smmu3_field_mask(GBPA_ABORT) |
                               smmu3_field_mask(GBPA_UPDATE));
    dst = sva_alloc(t, 4096, 4096);
    edu_copy(&edu, src, dst, 64);
    assert_zero(t, dst, 64);
    sva_stop(t);
}

static void test_bypass_stream_passes(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t src = sva_alloc(t, 4096, 4096), dst = sva_alloc(t, 4096, 4096);

    sva_smmu_enable(t);
    sva_ste_bypass(t, edu_sid(&edu));
    fill(t, src, 4096, 2);
    edu_copy(&edu, src, dst, 4096);
    assert_same(t, src, dst, 4096);
    sva_stop(t);
}

static void stage1_for(SvaQtest *t, const Edu *edu, uint64_t *root)
{
    uint64_t cds = sva_alloc(t, SMMU3_CD_BYTES, SMMU3_CD_BYTES);
    uint64_t cd[SMMU3_CD_WORDS];

    *root = sva_table(t);
    sva_cd_for(cd, *root, 1, false);
    sva_set_cd(t, edu_sid(edu), cds, 0, cd);
    sva_ste_stage1(t, edu_sid(edu), cds, 0);
}

static void test_stage1_translates_page_by_page(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t src = sva_alloc(t, 3 * 4096, 4096);
    uint64_t dst = sva_alloc(t, 4096, 4096);
    uint64_t root, event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    /* two pages, the other way round in memory */
    sva_map(t, root, 0x10000, src + 4096, 4096, SVA_MAP_RO);
    sva_map(t, root, 0x11000, src, 4096, SVA_MAP_RO);
    sva_map(t, root, UINT64_C(0x7fff00000000), dst, 4096, 0);
    fill(t, src, 8192, 3);

    edu_copy(&edu, 0x10800, UINT64_C(0x7fff00000000), 4096);
    assert_same(t, src + 4096 + 0x800, dst, 2048);
    assert_same(t, src, dst + 2048, 2048);
    /* the stream and its context were fetched once */
    g_assert_cmpuint(sva_counter(t, "config_misses"), ==, 2);
    g_assert_false(sva_event(t, event));
    g_assert_cmpuint(sva_counter(t, "walks"), >, 0);
    sva_stop(t);
}

static void test_fault_is_recorded_and_nothing_is_written(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t page = sva_alloc(t, 4096, 4096);
    uint64_t root, event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    sva_map(t, root, 0x10000, page, 4096, SVA_MAP_RO);
    fill(t, page, 64, 4);
    edu_dma(&edu, 0x10000, EDU_BUFFER, 64, 0);

    /* not mapped */
    edu_dma(&edu, EDU_BUFFER, 0x20010, 64, EDU_TO_MEMORY);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
    g_assert_cmphex(smmu3_get(event, EVENT_STREAMID), ==, edu_sid(&edu));
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, 0x20010);
    g_assert_cmphex(smmu3_get(event, EVENT_RNW), ==, 0);
    g_assert_cmphex(smmu3_get(event, EVENT_STALL), ==, 0);
    g_assert_cmphex(smmu3_get(event, EVENT_SSV), ==, 0);

    /* read-only */
    qtest_writeq(t->qts, page, 0x1111);
    edu_dma(&edu, EDU_BUFFER, 0x10000, 64, EDU_TO_MEMORY);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_PERMISSION);
    g_assert_cmphex(qtest_readq(t->qts, page), ==, 0x1111);
    g_assert_false(sva_event(t, event));
    g_assert_cmpuint(sva_fault_counter(t, "F_TRANSLATION"), ==, 1);
    g_assert_cmpuint(sva_fault_counter(t, "F_PERMISSION"), ==, 1);
    sva_stop(t);
}

/* However many pieces QEMU cuts an access into, it is one. */
static void test_one_access_is_one_event(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t root, event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    edu_dma(&edu, EDU_BUFFER, 0x20000, 4096, EDU_TO_MEMORY);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, 0x20000);
    g_assert_false(sva_event(t, event));
    edu_dma(&edu, 0x20000, EDU_BUFFER, 4096, 0);
    g_assert_true(sva_event(t, event));
    g_assert_false(sva_event(t, event));
    g_assert_cmpuint(sva_fault_counter(t, "F_TRANSLATION"), ==, 2);
    sva_stop(t);
}

/* Beyond 4 KiB it would be another transaction on PCIe, too. */
static void test_each_page_of_an_access_is_an_event(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t root, event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    edu_dma(&edu, EDU_BUFFER, 0x20800, 4096, EDU_TO_MEMORY);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, 0x20800);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, 0x21000);
    g_assert_false(sva_event(t, event));
    sva_stop(t);
}

/* Separate accesses have an event each, though one follows on the other. */
static void test_each_access_is_an_event(void)
{
    static const unsigned sizes[] = { 4, 8 };

    for (unsigned s = 0; s < G_N_ELEMENTS(sizes); s++) {
        SvaQtest *t = sva_start(EDU_ARGS);
        Edu edu = edu_find(t, 0);
        uint64_t root, event[SMMU3_EVENT_WORDS];

        sva_smmu_enable(t);
        stage1_for(t, &edu, &root);
        for (unsigned i = 0; i < 8; i++) {
            edu_dma(&edu, EDU_BUFFER, 0x20000 + i * sizes[s], sizes[s],
                    EDU_TO_MEMORY);
        }
        for (unsigned i = 0; i < 8; i++) {
            g_assert_true(sva_event(t, event));
            g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
            g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==,
                            0x20000 + i * sizes[s]);
        }
        g_assert_false(sva_event(t, event));
        sva_stop(t);
    }
}

/*
 * F_TRANSLATION; then software makes the descriptor valid, with AF=0, which
 * needs no invalidation; and the next access to the page has its F_ACCESS.
 */
static void test_another_fault_is_another_event(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t page = sva_alloc(t, 4096, 4096), leaf, descriptor;
    uint64_t root, event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    edu_dma(&edu, EDU_BUFFER, 0x20000, 4, EDU_TO_MEMORY);
    sva_map(t, root, 0x20000, page, 4096, 0);
    leaf = sva_leaf_address(t, root, 0x20000);
    descriptor = qtest_readq(t->qts, leaf);
    smmu3_set(&descriptor, TTD_AF, 0);
    qtest_writeq(t->qts, leaf, descriptor);
    edu_dma(&edu, EDU_BUFFER, 0x20004, 4, EDU_TO_MEMORY);

    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_ACCESS);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, 0x20004);
    g_assert_false(sva_event(t, event));
    sva_stop(t);
}

/* An ordinary device cannot wait: its access aborts even where CD.S is set. */
static void test_ordinary_device_never_stalls(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t cds = sva_alloc(t, SMMU3_CD_BYTES, SMMU3_CD_BYTES);
    uint64_t cd[SMMU3_CD_WORDS], event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    sva_cd_for(cd, sva_table(t), 1, true);
    sva_set_cd(t, edu_sid(&edu), cds, 0, cd);
    sva_ste_stage1(t, edu_sid(&edu), cds, 0);
    edu_dma(&edu, 0x1000, EDU_BUFFER, 8, 0);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, F_TRANSLATION);
    g_assert_cmphex(smmu3_get(event, EVENT_STALL), ==, 0);
    g_assert_cmpuint(sva_counter(t, "stalls"), ==, 0);
    sva_stop(t);
}

/* CD.A=0: a terminated read returns zero, a write is dropped, no error. */
static void test_razwi_reads_zero(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t dst = sva_alloc(t, 4096, 4096), src = sva_alloc(t, 4096, 4096);
    uint64_t cds = sva_alloc(t, SMMU3_CD_BYTES, SMMU3_CD_BYTES);
    uint64_t cd[SMMU3_CD_WORDS], root = sva_table(t);

    sva_smmu_enable(t);
    sva_cd_for(cd, root, 1, false);
    smmu3_set(cd, CD_A, 0);
    sva_set_cd(t, edu_sid(&edu), cds, 0, cd);
    sva_ste_stage1(t, edu_sid(&edu), cds, 0);
    sva_map(t, root, 0x10000, src, 4096, 0);
    sva_map(t, root, 0x30000, dst, 4096, 0);
    fill(t, src, 64, 5);
    fill(t, dst, 64, 6);
    edu_dma(&edu, 0x10000, EDU_BUFFER, 64, 0);      /* not zero */
    edu_dma(&edu, 0x20000, EDU_BUFFER, 64, 0);      /* not mapped */
    edu_dma(&edu, EDU_BUFFER, 0x30000, 64, EDU_TO_MEMORY);
    assert_zero(t, dst, 64);
    sva_stop(t);
}

static void test_invalidation_takes_effect_at_sync(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t a = sva_alloc(t, 4096, 4096), b = sva_alloc(t, 4096, 4096);
    uint64_t dst = sva_alloc(t, 4096, 4096);
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA, 0 };
    uint64_t root;

    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    sva_map(t, root, 0x10000, a, 4096, 0);
    sva_map(t, root, 0x20000, dst, 4096, 0);
    fill(t, a, 64, 7);
    fill(t, b, 64, 8);
    edu_copy(&edu, 0x10000, 0x20000, 64);
    assert_same(t, a, dst, 64);

    sva_unmap(t, root, 0x10000, 4096);
    sva_map(t, root, 0x10000, b, 4096, 0);
    smmu3_set(command, CMD_ASID, 1);
    smmu3_set_addr(command, CMD_ADDR, 0x10000);
    smmu3_set(command, CMD_LEAF, 1);
    sva_command(t, command[0], command[1]);
    sva_sync(t);
    edu_copy(&edu, 0x10000, 0x20000, 64);
    assert_same(t, b, dst, 64);
    sva_stop(t);
}

/* A device's MSI is a write like any other. */
static void test_msi_of_a_device_is_translated(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t page = sva_alloc(t, 4096, 4096);
    unsigned cap = sva_find_cap(t, 0, edu.devfn, PCI_CAP_ID_MSI);
    uint64_t root, event[SMMU3_EVENT_WORDS];

    g_assert_cmpuint(cap, >, 0);
    sva_smmu_enable(t);
    stage1_for(t, &edu, &root);
    sva_map(t, root, 0x50000, page, 4096, 0);
    sva_config_write(t, 0, edu.devfn, cap + PCI_MSI_ADDRESS_LO, 4, 0x50040);
    sva_config_write(t, 0, edu.devfn, cap + PCI_MSI_ADDRESS_HI, 4, 0);
    sva_config_write(t, 0, edu.devfn, cap + PCI_MSI_DATA_64, 2, 0x77);
    sva_config_write(t, 0, edu.devfn, cap + PCI_MSI_FLAGS, 2,
                     PCI_MSI_FLAGS_ENABLE);
    qtest_writel(t->qts, edu.bar + EDU_RAISE, 1);
    g_assert_cmphex(qtest_readl(t->qts, page + 0x40), ==, 0x77);
    /* and its doorbell must be mapped */
    sva_config_write(t, 0, edu.devfn, cap + PCI_MSI_ADDRESS_LO, 4, 0x60040);
    qtest_writel(t->qts, edu.bar + EDU_RAISE, 2);
    g_assert_true(sva_event(t, event));
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, 0x60040);
    sva_stop(t);
}

/* StreamIDs follow the bus numbers that software gives. */
static void test_streams_behind_root_ports(void)
{
    SvaQtest *t = sva_start(
        "-device pcie-root-port,id=rp0,addr=2,chassis=1 "
        "-device pcie-root-port,id=rp1,addr=3,chassis=2 "
        "-device edu,bus=rp0,dma_mask=0xffffffffffffffff "
        "-device edu,bus=rp1,dma_mask=0xffffffffffffffff");
    static const unsigned buses[] = { 1, 5 };
    uint64_t event[SMMU3_EVENT_WORDS];

    sva_smmu_enable(t);
    for (unsigned i = 0; i < 2; i++) {
        Edu edu;

        sva_enable_bridge(t, 0, (2 + i) << 3, buses[i]);
        edu = edu_find(t, buses[i]);
        edu_dma(&edu, 0x1000 * i, EDU_BUFFER, 8, 0);
        g_assert_true(sva_event(t, event));
        g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, C_BAD_STE);
        g_assert_cmphex(smmu3_get(event, EVENT_STREAMID), ==, buses[i] << 8);
    }
    sva_stop(t);
}

/* ---- The monitor ------------------------------------------------------ */

static void test_counters_can_be_reset(void)
{
    SvaQtest *t = sva_start("");

    sva_smmu_enable(t);
    sva_sync(t);
    g_assert_cmpuint(sva_counter(t, "syncs"), ==, 1);
    sva_counters_reset(t);
    g_assert_cmpuint(sva_counter(t, "syncs"), ==, 0);
    sva_stop(t);
}

/* ---- The ATC of a device that has none --------------------------------- */

static uint64_t atc_inv(uint32_t sid)
{
    uint64_t command = CMD_ATC_INV;

    smmu3_set(&command, CMD_STREAMID, sid);
    return command;
}

/* Nobody answers: the CMD_SYNC fails after its time-out. */
static void test_atc_invalidation_times_out(void)
{
    SvaQtest *t = sva_start(EDU_ARGS);
    Edu edu = edu_find(t, 0);
    uint64_t cons;

    sva_smmu_enable(t);
    sva_command(t, atc_inv(edu_sid(&edu)), CMD_ATC_SIZE_ALL);
    sva_command(t, CMD_SYNC, 0);
    cons = sva_read32(t, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==, 0);
    g_assert_cmpuint(smmu3_get(&cons, QUEUE_INDEX), ==, 1);
    qtest_clock_step(t->qts, INT64_C(2000000000));
    cons = sva_read32(t, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==,
                     CERROR_ATC_INV_SYNC);
    sva_stop(t);
}

/* A function with ATS that caches nothing is done at once. */
static void test_atc_invalidation_is_answered(void)
{
    SvaQtest *t = sva_start("-device pcie-root-port,id=rp0,addr=2,chassis=1 "
                            "-device virtio-net-pci,bus=rp0,ats=on,"
                            "iommu_platform=on,disable-legacy=on,romfile=");

    sva_smmu_enable(t);
    sva_enable_bridge(t, 0, 2 << 3, 1);
    g_assert_cmpuint(sva_find_ecap(t, 1, 0, PCI_EXT_CAP_ID_ATS), >, 0);
    sva_enable_bar(t, 1, 0, 1);
    sva_command(t, atc_inv(0x100), CMD_ATC_SIZE_ALL);
    sva_sync(t);
    g_assert_cmpuint(sva_counter(t, "atc_invalidations"), ==, 1);
    sva_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/smmuv3-sva/" path, fn)
    TEST("registers/id-follows-properties",
         test_id_registers_follow_properties);
    TEST("registers/oas-follows-the-cpu", test_oas_follows_the_cpu);
    TEST("registers/enables-are-acknowledged", test_enables_are_acknowledged);
    TEST("registers/wide-take-both-sizes",
         test_wide_registers_take_both_sizes);
    TEST("registers/narrow-accesses-are-ignored",
         test_narrow_accesses_are_ignored);
    TEST("registers/reset-restores", test_reset_restores_the_registers);
    TEST("irq/event-pulses-its-line", test_event_pulses_its_line);
    TEST("irq/bad-command-pulses-gerror", test_bad_command_pulses_gerror);
    TEST("msi/sync-writes", test_sync_writes_its_msi);
    TEST("msi/event-writes", test_event_writes_its_msi);
    TEST("msi/to-nowhere-is-a-gerror", test_msi_to_nowhere_is_a_gerror);
    TEST("msi/to-own-registers-is-a-gerror",
         test_msi_to_own_registers_is_a_gerror);
    TEST("dma/disabled-smmu-passes-or-aborts",
         test_disabled_smmu_passes_or_aborts);
    TEST("dma/bypass-passes", test_bypass_stream_passes);
    TEST("dma/stage1-page-by-page", test_stage1_translates_page_by_page);
    TEST("dma/fault-is-recorded",
         test_fault_is_recorded_and_nothing_is_written);
    TEST("dma/one-access-is-one-event", test_one_access_is_one_event);
    TEST("dma/each-page-of-an-access-is-an-event",
         test_each_page_of_an_access_is_an_event);
    TEST("dma/each-access-is-an-event", test_each_access_is_an_event);
    TEST("dma/another-fault-is-another-event",
         test_another_fault_is_another_event);
    TEST("dma/ordinary-device-never-stalls",
         test_ordinary_device_never_stalls);
    TEST("dma/razwi-reads-zero", test_razwi_reads_zero);
    TEST("dma/invalidation-takes-effect-at-sync",
         test_invalidation_takes_effect_at_sync);
    TEST("dma/msi-is-translated", test_msi_of_a_device_is_translated);
    TEST("dma/streams-behind-root-ports", test_streams_behind_root_ports);
    TEST("dma/tables-in-a-device-abort", test_tables_in_a_device_are_an_abort);
    TEST("monitor/counters-can-be-reset", test_counters_can_be_reset);
    TEST("ats/invalidation-times-out", test_atc_invalidation_times_out);
    TEST("ats/invalidation-is-answered", test_atc_invalidation_is_answered);
#undef TEST
    return g_test_run();
}
