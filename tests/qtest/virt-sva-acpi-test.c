/*
 * The ACPI tables of virt-sva, read as firmware reads them: those of virt with
 * QEMU's own SMMUv3, but for what they say about the SMMU's features, at
 * whatever moment they are read. Not what Linux makes of them (tests/guest).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "standard-headers/linux/qemu_fw_cfg.h"
#include "sva-qtest-state.h"

#define SVA         "virt-sva"
#define STOCK       "virt,iommu=smmuv3,gic-version=3"

/* ---- fw_cfg ----------------------------------------------------------- */

#define FW_CFG_DATA         UINT64_C(0x09020000)
#define FW_CFG_SELECTOR     UINT64_C(0x09020008)
#define FW_CFG_DMA          UINT64_C(0x09020010)

typedef struct Blob {
    uint16_t key;
    uint32_t bytes;
    uint8_t *data;
} Blob;

/* The selector is big-endian, the data are bytes. */
static void fw_cfg_select(SvaQtest *t, uint16_t key)
{
    qtest_writew(t->qts, FW_CFG_SELECTOR, bswap16(key));
}

static void fw_cfg_read(SvaQtest *t, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = qtest_readb(t->qts, FW_CFG_DATA);
    }
}

/* One request that selects the file and reads it. */
static void fw_cfg_read_by_dma(SvaQtest *t, Blob *b)
{
    uint64_t request = sva_alloc(t, 16, 16);
    uint64_t buffer = sva_alloc(t, b->bytes, 4096);
    uint32_t control = b->key << 16 | FW_CFG_DMA_CTL_SELECT |
                       FW_CFG_DMA_CTL_READ;
    uint8_t words[16];

    stl_be_p(words, control);
    stl_be_p(words + 4, b->bytes);
    stq_be_p(words + 8, buffer);
    qtest_memwrite(t->qts, request, words, sizeof(words));
    qtest_writeq(t->qts, FW_CFG_DMA, bswap64(request));
    qtest_memread(t->qts, request, words, 4);
    g_assert_cmphex(ldl_be_p(words), ==, 0);
    b->data = g_malloc(b->bytes);
    qtest_memread(t->qts, buffer, b->data, b->bytes);
}

/* Where the file is. Asking does not select it. */
static Blob fw_cfg_find(SvaQtest *t, const char *name)
{
    uint8_t count[4], entry[64];

    fw_cfg_select(t, FW_CFG_FILE_DIR);
    fw_cfg_read(t, count, sizeof(count));
    for (int i = 0; i < ldl_be_p(count); i++) {
        fw_cfg_read(t, entry, sizeof(entry));
        if (!strcmp((char *)entry + 8, name)) {
            return (Blob) {
                .key = lduw_be_p(entry + 4), .bytes = ldl_be_p(entry),
            };
        }
    }
    g_assert_not_reached();
}

static Blob fw_cfg_file(SvaQtest *t, const char *name)
{
    Blob b = fw_cfg_find(t, name);

    fw_cfg_read_by_dma(t, &b);
    return b;
}

/* ---- The tables ------------------------------------------------------- */

typedef struct Tables {
    Blob loader, tables, rsdp;
} Tables;

/* As firmware does: the loader's script first. */
static Tables read_tables(SvaQtest *t)
{
    Tables all;

    all.loader = fw_cfg_file(t, "etc/table-loader");
    all.tables = fw_cfg_file(t, "etc/acpi/tables");
    all.rsdp = fw_cfg_file(t, "etc/acpi/rsdp");
    return all;
}

static void free_tables(Tables *all)
{
    g_free(all->loader.data);
    g_free(all->tables.data);
    g_free(all->rsdp.data);
}

static uint8_t *find_iort(const Blob *tables)
{
    uint32_t at = 0;

    while (at + 36 <= tables->bytes) {
        if (!memcmp(tables->data + at, "IORT", 4)) {
            return tables->data + at;
        }
        g_assert_cmpuint(ldl_le_p(tables->data + at + 4), >=, 36);
        at += ldl_le_p(tables->data + at + 4);
    }
    g_assert_not_reached();
}

/* The first node of @type (DEN0049); NULL: none. */
static uint8_t *iort_node(uint8_t *iort, uint8_t type)
{
    uint8_t *node = iort + ldl_le_p(iort + 40);

    for (int i = 0; i < ldl_le_p(iort + 36); i++) {
        if (node[0] == type) {
            return node;
        }
        node += lduw_le_p(node + 1);
    }
    return NULL;
}

#define SMMU_FLAGS(iort)    (iort_node(iort, 4) + 24)
#define ROOT_ATS(iort)      (iort_node(iort, 2) + 24)

/* Does the root complex's node lead from this requester ID to the SMMU? */
static bool leads_to_smmu(uint8_t *iort, uint32_t rid)
{
    uint8_t *root = iort_node(iort, 2);
    uint8_t *map = root + ldl_le_p(root + 12);

    for (int i = 0; i < ldl_le_p(root + 8); i++, map += 20) {
        uint32_t first = ldl_le_p(map), more = ldl_le_p(map + 4);

        if (rid >= first && rid - first <= more) {
            g_assert_cmphex(ldl_le_p(map + 8), ==, first);
            return iort + ldl_le_p(map + 12) == iort_node(iort, 4);
        }
    }
    return false;
}

static bool same(const Blob *a, const Blob *b)
{
    return a->bytes == b->bytes && !memcmp(a->data, b->data, a->bytes);
}

/* All is as with QEMU's own SMMU, but for the features of ours. */
static void assert_as_stock(const Tables *ours, const Tables *stock)
{
    uint8_t *to = find_iort(&stock->tables);
    uint8_t *from = find_iort(&ours->tables);

    g_assert_cmphex(ldl_le_p(SMMU_FLAGS(from)), ==, 1 | 2 << 1);
    g_assert_cmphex(ldl_le_p(ROOT_ATS(from)), ==, 1);
    stl_le_p(SMMU_FLAGS(to), ldl_le_p(SMMU_FLAGS(from)));
    stl_le_p(ROOT_ATS(to), ldl_le_p(ROOT_ATS(from)));
    g_assert_true(same(&ours->tables, &stock->tables));
    g_assert_true(same(&ours->loader, &stock->loader));
    g_assert_true(same(&ours->rsdp, &stock->rsdp));
}

/* ---- Machines with bridges -------------------------------------------- */

/* Two root ports; below the second a switch with two ports. */
static const char bridges[] = "-cpu max "
    "-device pcie-root-port,id=rp0,addr=1,chassis=1 "
    "-device pcie-root-port,id=rp1,addr=2,chassis=2 "
    "-device x3130-upstream,id=up,bus=rp1 "
    "-device xio3130-downstream,id=d0,bus=up,addr=0,chassis=3 "
    "-device xio3130-downstream,id=d1,bus=up,addr=1,chassis=4 "
    "-device edu,bus=rp0 -device edu,bus=d1 ";

/* Firmware's enumeration; @spare: buses kept free behind the first port. */
static void enumerate(SvaQtest *t, unsigned spare)
{
    unsigned bus = 2 + spare;

    sva_enable_bridge(t, 0, 1 << 3, 1);
    sva_config_write(t, 0, 1 << 3, PCI_SUBORDINATE_BUS, 1, 1 + spare);
    sva_enable_bridge(t, 0, 2 << 3, bus);
    sva_config_write(t, 0, 2 << 3, PCI_SUBORDINATE_BUS, 1, bus + 3);
    sva_enable_bridge(t, bus, 0, bus + 1);
    sva_config_write(t, bus, 0, PCI_SUBORDINATE_BUS, 1, bus + 3);
    sva_enable_bridge(t, bus + 1, 0, bus + 2);
    sva_enable_bridge(t, bus + 1, 1 << 3, bus + 3);
}

static void reset(SvaQtest *t)
{
    qtest_qmp_assert_success(t->qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(t->qts, "RESET");
}

/* Every bus that was given leads to the SMMU, what comes after does not. */
static void assert_leads(const Tables *all, unsigned last_bus)
{
    uint8_t *iort = find_iort(&all->tables);

    for (unsigned bus = 0; bus <= last_bus; bus++) {
        g_assert_true(leads_to_smmu(iort, bus << 8));
        g_assert_true(leads_to_smmu(iort, bus << 8 | 0xff));
    }
    g_assert_false(leads_to_smmu(iort, (last_bus + 1) << 8));
}

static void test_iort_has_the_features(void)
{
    static const struct {
        const char *args;
        uint32_t flags, ats;        /* COHACC, HTTU in bits 2:1 */
    } cases[] = {
        { "", 1 | 2 << 1, 1 },
        { "-global smmuv3-sva.httu=1 -global smmuv3-sva.ats=0", 1 | 1 << 1, 0 },
        { "-global smmuv3-sva.httu=0 -global smmuv3-sva.cohacc=0", 0, 1 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        SvaQtest *t = sva_start(cases[i].args);
        Tables all = read_tables(t);
        uint8_t *iort = find_iort(&all.tables);
        uint8_t *smmu = iort_node(iort, 4);

        g_assert_nonnull(smmu);
        g_assert_cmphex(ldq_le_p(smmu + 16), ==, SVA_SMMU);
        g_assert_cmphex(ldl_le_p(SMMU_FLAGS(iort)), ==, cases[i].flags);
        g_assert_cmpuint(ldl_le_p(ROOT_ATS(iort)), ==, cases[i].ats);
        g_assert_cmpuint(ldl_le_p(smmu + 44), ==, SVA_SMMU_INTID);
        g_assert_cmpuint(ldl_le_p(smmu + 48), ==,
                         SVA_SMMU_INTID + SVA_IRQ_PRIQ);
        g_assert_cmpuint(ldl_le_p(smmu + 52), ==,
                         SVA_SMMU_INTID + SVA_IRQ_GERROR);
        g_assert_cmpuint(ldl_le_p(smmu + 56), ==,
                         SVA_SMMU_INTID + SVA_IRQ_SYNC);
        free_tables(&all);
        sva_stop(t);
    }
}

/*
 * The tables are built when firmware asks for them, which has numbered the
 * buses by then, and again after a reset, with other numbers.
 */
static void test_iort_follows_the_bus_numbers(void)
{
    SvaQtest *t = sva_start_machine(SVA, bridges);
    SvaQtest *stock = sva_start_machine(STOCK, bridges);

    for (unsigned spare = 0; spare < 64; spare += 32) {
        Tables ours, theirs;

        enumerate(t, spare);
        enumerate(stock, spare);
        ours = read_tables(t);
        theirs = read_tables(stock);
        assert_leads(&ours, 5 + spare);
        assert_as_stock(&ours, &theirs);
        free_tables(&ours);
        free_tables(&theirs);
        reset(t);
        reset(stock);
    }
    sva_stop(t);
    sva_stop(stock);
}

/* Whichever file is selected first, by request or by register. */
static void test_iort_is_amended_for_the_first_reader(void)
{
    SvaQtest *t = sva_start_machine(SVA, bridges);
    Blob tables, rsdp;
    Tables all;

    enumerate(t, 0);
    tables = fw_cfg_file(t, "etc/acpi/tables");
    all = read_tables(t);
    assert_leads(&all, 5);
    g_assert_cmphex(ldl_le_p(ROOT_ATS(find_iort(&tables))), ==, 1);
    g_assert_true(same(&tables, &all.tables));
    g_free(tables.data);
    free_tables(&all);

    reset(t);
    enumerate(t, 1);
    rsdp = fw_cfg_find(t, "etc/acpi/rsdp");
    fw_cfg_select(t, rsdp.key);
    tables = fw_cfg_find(t, "etc/acpi/tables");
    fw_cfg_select(t, tables.key);
    tables.data = g_malloc(tables.bytes);
    fw_cfg_read(t, tables.data, tables.bytes);
    all = (Tables) { .tables = tables };
    assert_leads(&all, 6);
    g_assert_cmphex(ldl_le_p(ROOT_ATS(find_iort(&tables))), ==, 1);
    free_tables(&all);
    sva_stop(t);
}

/*
 * An expander bridge has its resources described, which firmware gives: the
 * tables before the IORT grow.
 */
static void test_tables_that_change_length_are_followed(void)
{
    static const char args[] = "-cpu max "
        "-device pxb-pcie,id=pxb,bus_nr=128,bus=pcie.0,addr=1 "
        "-device pcie-root-port,id=rp0,bus=pxb,chassis=1 "
        "-device edu,bus=rp0";
    SvaQtest *t = sva_start_machine(SVA, args);
    SvaQtest *stock = sva_start_machine(STOCK, args);
    Tables before = read_tables(t), ours, theirs;

    reset(t);
    sva_enable_bridge(t, 128, 0, 129);
    sva_enable_bridge(stock, 128, 0, 129);
    sva_enable_bar(t, 129, 0, 0);
    sva_enable_bar(stock, 129, 0, 0);
    ours = read_tables(t);
    theirs = read_tables(stock);
    g_assert_cmpint(find_iort(&ours.tables) - ours.tables.data, !=,
                    find_iort(&before.tables) - before.tables.data);
    g_assert_true(leads_to_smmu(find_iort(&ours.tables), 128 << 8));
    g_assert_true(leads_to_smmu(find_iort(&ours.tables), 129 << 8));
    assert_as_stock(&ours, &theirs);
    free_tables(&before);
    free_tables(&ours);
    free_tables(&theirs);
    sva_stop(t);
    sva_stop(stock);
}

/* Tables that firmware has seen go with the machine; new ones are amended. */
static void test_tables_migrate(void)
{
    SvaQtest *t = sva_start_machine(SVA, bridges);
    Tables before, after;

    enumerate(t, 0);
    before = read_tables(t);
    t = sva_migrate(t, SVA, bridges);
    after = read_tables(t);
    g_assert_true(same(&before.tables, &after.tables));
    g_assert_true(same(&before.loader, &after.loader));
    free_tables(&before);
    free_tables(&after);

    reset(t);
    enumerate(t, 9);
    after = read_tables(t);
    assert_leads(&after, 14);
    g_assert_cmphex(ldl_le_p(ROOT_ATS(find_iort(&after.tables))), ==, 1);
    free_tables(&after);
    sva_stop(t);
}

static void test_tables_come_back_with_a_snapshot(void)
{
    g_autofree char *file = NULL;
    int fd = g_file_open_tmp("sva-XXXXXX.qcow2", &file, NULL);
    Tables before, after;
    SvaQtest saved, *t;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    t = sva_start_machine(SVA, bridges);
    sva_make_disk(t->qts, file);
    enumerate(t, 0);
    before = read_tables(t);
    saved = *t;
    sva_snapshot_save(t->qts);

    reset(t);
    enumerate(t, 9);
    after = read_tables(t);
    assert_leads(&after, 14);
    free_tables(&after);

    sva_snapshot_load(t->qts);
    *t = saved;
    after = read_tables(t);
    g_assert_true(same(&before.tables, &after.tables));
    free_tables(&before);
    free_tables(&after);
    sva_stop(t);
    unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/virt-sva/acpi/" path, fn)
    TEST("iort-has-the-features", test_iort_has_the_features);
    TEST("iort-follows-the-bus-numbers", test_iort_follows_the_bus_numbers);
    TEST("iort-is-amended-for-the-first-reader",
         test_iort_is_amended_for_the_first_reader);
    TEST("tables-that-change-length-are-followed",
         test_tables_that_change_length_are_followed);
    TEST("tables-migrate", test_tables_migrate);
    TEST("tables-come-back-with-a-snapshot",
         test_tables_come_back_with_a_snapshot);
#undef TEST
    return g_test_run();
}
