/*
 * What the qtests share; see sva-qtest.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "sva-qtest.h"

#define GICD                UINT64_C(0x08000000)
#define GICD_CTLR           0x000
#define GICD_IGROUPR        0x080
#define GICD_ISENABLER      0x100
#define GICD_ISPENDR        0x200
#define GICD_ICPENDR        0x280
#define GICD_ICFGR          0xc00

#define ECAM                UINT64_C(0x4010000000)
#define PCI_MMIO            UINT64_C(0x10000000)
#define BRIDGE_WINDOW       UINT64_C(0x01000000)

/* ---- The machine ------------------------------------------------------ */

unsigned sva_slowness(void)
{
    const char *factor = g_getenv("SVA_QTEST_SLOWNESS");

    return factor ? MAX(atoi(factor), 1) : 1;
}

SvaQtest *sva_start(const char *args)
{
    return sva_start_machine("virt-sva", args);
}

/* The tests of the endpoints are run twice, see meson.build. */
bool sva_is_in_thread(void)
{
    return g_getenv("SVA_QTEST_THREAD");
}

/* "/pasid-dev/x" is "/pasid-dev/thread/x" there. */
static char *test_path(const char *path)
{
    const char *rest = strchr(path + 1, '/');

    return sva_is_in_thread() ?
           g_strdup_printf("%.*s/thread%s", (int)(rest - path), path, rest) :
           g_strdup(path);
}

void sva_add_test(const char *path, GTestFunc test)
{
    g_autofree char *whole = test_path(path);

    g_test_add_func(whole, test);
}

void sva_add_data_test(const char *path, gconstpointer data, GTestDataFunc test)
{
    g_autofree char *whole = test_path(path);

    g_test_add_data_func(whole, data, test);
}

SvaQtest *sva_start_machine(const char *machine, const char *args)
{
    SvaQtest *t = g_new0(SvaQtest, 1);
    const char *thread = sva_is_in_thread() ?
        "-object iothread,id=thread -global pasid-dev.iothread=thread "
        "-global hisi-zip.iothread=thread" : "";

    t->qts = qtest_initf("-M %s -nodefaults -m 128M %s %s", machine, thread,
                         args);
    t->next = SVA_RAM + 0x100000;
    t->ram_end = SVA_RAM + 0x08000000;
    t->ecam = ECAM;
    t->mmio_next = PCI_MMIO;
    return t;
}

void sva_stop(SvaQtest *t)
{
    qtest_quit(t->qts);
    g_free(t);
}

enum { PIECE_BYTES = 64 * 1024 };

void sva_bufread(SvaQtest *t, uint64_t addr, void *data, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PIECE_BYTES) {
        qtest_bufread(t->qts, addr + at, data + at,
                      MIN(bytes - at, PIECE_BYTES));
    }
}

void sva_bufwrite(SvaQtest *t, uint64_t addr, const void *data, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += PIECE_BYTES) {
        qtest_bufwrite(t->qts, addr + at, data + at,
                       MIN(bytes - at, PIECE_BYTES));
    }
}

uint64_t sva_alloc(SvaQtest *t, uint64_t bytes, uint64_t align)
{
    uint64_t addr = QEMU_ALIGN_UP(t->next, align);

    t->next = addr + bytes;
    g_assert_cmphex(t->next, <=, t->ram_end);
    return addr;
}

static QDict *get_counters(SvaQtest *t)
{
    return qtest_qmp_assert_success_ref(t->qts,
        "{'execute': 'qom-get', 'arguments': "
        "{'path': '" SVA_SMMU_PATH "', 'property': 'counters'}}");
}

void sva_counters_reset(SvaQtest *t)
{
    qtest_qmp_assert_success(t->qts,
        "{'execute': 'qom-set', 'arguments': {'path': '" SVA_SMMU_PATH "', "
        "'property': 'counters-reset', 'value': true}}");
}

uint64_t sva_counter(SvaQtest *t, const char *name)
{
    QDict *counters = get_counters(t);
    uint64_t value;

    g_assert_true(qdict_haskey(counters, name));
    value = qdict_get_int(counters, name);
    qobject_unref(counters);
    return value;
}

uint64_t sva_fault_counter(SvaQtest *t, const char *event)
{
    QDict *counters = get_counters(t);
    uint64_t value = qdict_get_try_int(qdict_get_qdict(counters, "faults"),
                                       event, 0);

    qobject_unref(counters);
    return value;
}

void sva_gic_init(SvaQtest *t)
{
    qtest_writel(t->qts, GICD + GICD_CTLR, 0x37);
    for (unsigned id = SVA_SMMU_INTID; id < SVA_SMMU_INTID + 4; id++) {
        uint64_t config = GICD + GICD_ICFGR + id / 16 * 4;
        uint32_t edge = 2u << (id % 16 * 2);

        qtest_writel(t->qts, config, qtest_readl(t->qts, config) | edge);
        qtest_writel(t->qts, GICD + GICD_ISENABLER + id / 32 * 4,
                     1u << (id % 32));
    }
}

bool sva_take_irq(SvaQtest *t, unsigned intid)
{
    uint64_t word = intid / 32 * 4;
    uint32_t bit = 1u << (intid % 32);
    bool pending = qtest_readl(t->qts, GICD + GICD_ISPENDR + word) & bit;

    qtest_writel(t->qts, GICD + GICD_ICPENDR + word, bit);
    return pending;
}

/* ---- The SMMU --------------------------------------------------------- */

uint32_t sva_read32(SvaQtest *t, uint32_t reg)
{
    return qtest_readl(t->qts, SVA_SMMU + reg);
}

uint64_t sva_read64(SvaQtest *t, uint32_t reg)
{
    return qtest_readq(t->qts, SVA_SMMU + reg);
}

void sva_write32(SvaQtest *t, uint32_t reg, uint32_t value)
{
    qtest_writel(t->qts, SVA_SMMU + reg, value);
}

void sva_write64(SvaQtest *t, uint32_t reg, uint64_t value)
{
    qtest_writeq(t->qts, SVA_SMMU + reg, value);
}

static uint64_t make_queue(SvaQtest *t, uint32_t base_reg, unsigned entry)
{
    uint64_t bytes = (uint64_t)entry << SVA_QUEUE_LOG2;
    uint64_t queue = sva_alloc(t, bytes, MAX(bytes, 4096));
    uint64_t base = 0;

    smmu3_set_addr(&base, QUEUE_BASE_ADDR, queue);
    smmu3_set(&base, QUEUE_BASE_LOG2SIZE, SVA_QUEUE_LOG2);
    sva_write64(t, base_reg, base);
    return queue;
}

static void set_cr0(SvaQtest *t, uint32_t cr0)
{
    sva_write32(t, SMMU3_CR0, cr0);
    g_assert_cmphex(sva_read32(t, SMMU3_CR0ACK), ==, cr0);
}

void sva_smmu_enable(SvaQtest *t)
{
    uint64_t bytes = (uint64_t)SMMU3_STE_BYTES << SVA_SID_LOG2;
    uint64_t base = 0, config = 0;
    uint64_t pri_bit = 0;
    uint32_t queues;
    uint64_t idr0 = sva_read32(t, SMMU3_IDR0);

    t->strtab = sva_alloc(t, bytes, bytes);
    smmu3_set_addr(&base, STRTAB_BASE_ADDR, t->strtab);
    smmu3_set(&config, STRTAB_CFG_LOG2SIZE, SVA_SID_LOG2);
    sva_write64(t, SMMU3_STRTAB_BASE, base);
    sva_write32(t, SMMU3_STRTAB_BASE_CFG, config);

    t->cmdq = make_queue(t, SMMU3_CMDQ_BASE, SMMU3_CMD_BYTES);
    t->eventq = make_queue(t, SMMU3_EVENTQ_BASE, SMMU3_EVENT_BYTES);
    if (smmu3_get(&idr0, IDR0_PRI)) {
        t->priq = make_queue(t, SMMU3_PRIQ_BASE, SMMU3_PRI_BYTES);
        pri_bit = smmu3_field_mask(CR0_PRIQEN);
    }
    queues = smmu3_field_mask(CR0_CMDQEN) | smmu3_field_mask(CR0_EVENTQEN) |
             pri_bit;
    set_cr0(t, queues);
    sva_write32(t, SMMU3_IRQ_CTRL,
                smmu3_field_mask(IRQ_CTRL_GERROR) |
                smmu3_field_mask(IRQ_CTRL_EVENTQ) |
                (pri_bit ? smmu3_field_mask(IRQ_CTRL_PRIQ) : 0));
    set_cr0(t, queues | smmu3_field_mask(CR0_SMMUEN));
}

static void write_words(SvaQtest *t, uint64_t addr, const uint64_t *words,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        qtest_writeq(t->qts, addr + i * 8, words[i]);
    }
}

static void read_words(SvaQtest *t, uint64_t addr, uint64_t *words,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        words[i] = qtest_readq(t->qts, addr + i * 8);
    }
}

/* The index's bits in PROD and CONS, without and with the wrap bit. */
#define INDEX_MASK  ((1u << SVA_QUEUE_LOG2) - 1)
#define WRAP_MASK   ((2u << SVA_QUEUE_LOG2) - 1)

void sva_command_prepare(SvaQtest *t, uint64_t word0, uint64_t word1)
{
    const uint64_t words[] = { word0, word1 };

    write_words(t, t->cmdq + (t->cmdq_prod & INDEX_MASK) * SMMU3_CMD_BYTES,
                words, SMMU3_CMD_WORDS);
    t->cmdq_prod = (t->cmdq_prod + 1) & WRAP_MASK;
}

void sva_command(SvaQtest *t, uint64_t word0, uint64_t word1)
{
    sva_command_prepare(t, word0, word1);
    sva_write32(t, SMMU3_CMDQ_PROD, t->cmdq_prod);
}

void sva_resume_prepare(SvaQtest *t, uint32_t sid, uint16_t stag)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME, 0 };

    smmu3_set(command, CMD_STREAMID, sid);
    smmu3_set(command, CMD_RESUME_AC, 1);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    sva_command_prepare(t, command[0], command[1]);
}

void sva_tlbi_va(SvaQtest *t, unsigned asid, uint64_t va)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA };

    smmu3_set(cmd, CMD_ASID, asid);
    smmu3_set_addr(cmd, CMD_ADDR, va);
    sva_command(t, cmd[0], cmd[1]);
}

void sva_sync(SvaQtest *t)
{
    gint64 end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;

    sva_command(t, CMD_SYNC, 0);
    while (g_get_monotonic_time() < end) {
        if ((sva_read32(t, SMMU3_CMDQ_CONS) & WRAP_MASK) == t->cmdq_prod) {
            return;
        }
    }
    g_test_message("CMD_SYNC is not consumed: CMDQ_CONS 0x%x GERROR 0x%x",
                   sva_read32(t, SMMU3_CMDQ_CONS),
                   sva_read32(t, SMMU3_GERROR));
    g_assert_not_reached();
}

/* One entry of an output queue, consumed. */
static bool take_entry(SvaQtest *t, uint64_t queue, uint32_t prod_reg,
                       uint32_t cons_reg, uint32_t *cons, uint64_t *words,
                       unsigned count)
{
    uint32_t prod = sva_read32(t, prod_reg) & WRAP_MASK;

    if (prod == *cons) {
        return false;
    }
    read_words(t, queue + (*cons & INDEX_MASK) * count * 8, words, count);
    *cons = (*cons + 1) & WRAP_MASK;
    sva_write32(t, cons_reg, *cons);
    return true;
}

bool sva_event(SvaQtest *t, uint64_t event[SMMU3_EVENT_WORDS])
{
    return take_entry(t, t->eventq, SMMU3_EVENTQ_PROD, SMMU3_EVENTQ_CONS,
                      &t->eventq_cons, event, SMMU3_EVENT_WORDS);
}

bool sva_page_request(SvaQtest *t, uint64_t entry[SMMU3_PRI_WORDS])
{
    return take_entry(t, t->priq, SMMU3_PRIQ_PROD, SMMU3_PRIQ_CONS,
                      &t->priq_cons, entry, SMMU3_PRI_WORDS);
}

void sva_set_ste(SvaQtest *t, uint32_t sid,
                 const uint64_t ste[SMMU3_STE_WORDS])
{
    uint64_t command = CMD_CFGI_STE;

    g_assert_cmpuint(sid, <, 1u << SVA_SID_LOG2);
    write_words(t, t->strtab + sid * SMMU3_STE_BYTES, ste, SMMU3_STE_WORDS);
    smmu3_set(&command, CMD_STREAMID, sid);
    sva_command(t, command, smmu3_field_mask(CMD_LEAF));
    sva_sync(t);
}

void sva_ste_bypass(SvaQtest *t, uint32_t sid)
{
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_BYPASS);
    smmu3_set(ste, STE_SHCFG, 1);
    sva_set_ste(t, sid, ste);
}

void sva_ste_stage1(SvaQtest *t, uint32_t sid, uint64_t cds,
                    unsigned cd_log2)
{
    uint64_t ste[SMMU3_STE_WORDS] = { 0 };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1FMT, STE_S1FMT_LINEAR);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, cds);
    smmu3_set(ste, STE_S1CDMAX, cd_log2);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_CD0);
    smmu3_set(ste, STE_EATS, STE_EATS_FULL);
    sva_set_ste(t, sid, ste);
}

void sva_cd_for(uint64_t cd[SMMU3_CD_WORDS], uint64_t root, uint16_t asid,
                bool stall)
{
    memset(cd, 0, SMMU3_CD_BYTES);
    smmu3_set(cd, CD_V, 1);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_T0SZ, 64 - 48);
    smmu3_set(cd, CD_TG0, CD_TG0_4K);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_IPS, 5);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_S, stall);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_ASID, asid);
    smmu3_set_addr(cd, CD_TTB0, root);
    smmu3_set(cd, CD_MAIR, 0xff);
}

void sva_set_cd(SvaQtest *t, uint32_t sid, uint64_t cds, uint32_t ssid,
                const uint64_t cd[SMMU3_CD_WORDS])
{
    uint64_t command = CMD_CFGI_CD;

    write_words(t, cds + ssid * SMMU3_CD_BYTES, cd, SMMU3_CD_WORDS);
    smmu3_set(&command, CMD_STREAMID, sid);
    smmu3_set(&command, CMD_SUBSTREAMID, ssid);
    sva_command(t, command, smmu3_field_mask(CMD_LEAF));
    sva_sync(t);
}

/* ---- Stage-1 tables --------------------------------------------------- */

#define PAGE            UINT64_C(4096)
#define OUTPUT_MASK     UINT64_C(0x0000fffffffff000)

uint64_t sva_table(SvaQtest *t)
{
    return sva_alloc(t, PAGE, PAGE);
}

uint64_t sva_leaf_address(SvaQtest *t, uint64_t root, uint64_t va)
{
    uint64_t table = root;

    for (int level = 0; level < 3; level++) {
        uint64_t at = table + (va >> (39 - 9 * level) & 511) * 8;
        uint64_t descriptor = qtest_readq(t->qts, at);

        if (!smmu3_get(&descriptor, TTD_VALID)) {
            descriptor = sva_table(t);
            smmu3_set(&descriptor, TTD_VALID, 1);
            smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
            qtest_writeq(t->qts, at, descriptor);
        }
        table = descriptor & OUTPUT_MASK;
    }
    return table + (va >> 12 & 511) * 8;
}

void sva_map(SvaQtest *t, uint64_t root, uint64_t va, uint64_t pa,
             uint64_t bytes, unsigned flags)
{
    for (uint64_t offset = 0; offset < bytes; offset += PAGE) {
        uint64_t descriptor = (pa + offset) & OUTPUT_MASK;

        smmu3_set(&descriptor, TTD_VALID, 1);
        smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
        smmu3_set(&descriptor, TTD_AP_UNPRIV, !(flags & SVA_MAP_PRIV));
        smmu3_set(&descriptor, TTD_AP_RO, !!(flags & SVA_MAP_RO));
        smmu3_set(&descriptor, TTD_SH, 3);
        smmu3_set(&descriptor, TTD_AF, 1);
        smmu3_set(&descriptor, TTD_NG, 1);
        qtest_writeq(t->qts, sva_leaf_address(t, root, va + offset),
                     descriptor);
    }
}

void sva_unmap(SvaQtest *t, uint64_t root, uint64_t va, uint64_t bytes)
{
    for (uint64_t offset = 0; offset < bytes; offset += PAGE) {
        qtest_writeq(t->qts, sva_leaf_address(t, root, va + offset), 0);
    }
}

/* ---- PCI -------------------------------------------------------------- */

static uint64_t config_address(SvaQtest *t, unsigned bus, unsigned devfn,
                               unsigned offset)
{
    return t->ecam + (bus << 20 | devfn << 12 | offset);
}

uint32_t sva_config_read(SvaQtest *t, unsigned bus, unsigned devfn,
                         unsigned offset, unsigned size)
{
    uint64_t address = config_address(t, bus, devfn, offset);

    return size == 1 ? qtest_readb(t->qts, address) :
           size == 2 ? qtest_readw(t->qts, address) :
                       qtest_readl(t->qts, address);
}

void sva_config_write(SvaQtest *t, unsigned bus, unsigned devfn,
                      unsigned offset, unsigned size, uint32_t value)
{
    uint64_t address = config_address(t, bus, devfn, offset);

    if (size == 1) {
        qtest_writeb(t->qts, address, value);
    } else if (size == 2) {
        qtest_writew(t->qts, address, value);
    } else {
        qtest_writel(t->qts, address, value);
    }
}

int sva_find(SvaQtest *t, unsigned bus, uint16_t vendor, uint16_t device)
{
    uint32_t ids = device << 16 | vendor;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (sva_config_read(t, bus, devfn, PCI_VENDOR_ID, 4) == ids) {
            return devfn;
        }
    }
    return -1;
}

void sva_enable_bridge(SvaQtest *t, unsigned bus, unsigned devfn,
                       unsigned secondary)
{
    uint64_t base = QEMU_ALIGN_UP(t->mmio_next, BRIDGE_WINDOW);
    uint64_t limit = base + BRIDGE_WINDOW - 1;

    sva_config_write(t, bus, devfn, PCI_PRIMARY_BUS, 1, bus);
    sva_config_write(t, bus, devfn, PCI_SECONDARY_BUS, 1, secondary);
    sva_config_write(t, bus, devfn, PCI_SUBORDINATE_BUS, 1, secondary);
    sva_config_write(t, bus, devfn, PCI_MEMORY_BASE, 2, base >> 16);
    sva_config_write(t, bus, devfn, PCI_MEMORY_LIMIT, 2, limit >> 16);
    sva_config_write(t, bus, devfn, PCI_PREF_MEMORY_BASE, 2, 0xfff0);
    sva_config_write(t, bus, devfn, PCI_PREF_MEMORY_LIMIT, 2, 0);
    sva_config_write(t, bus, devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    t->mmio_next = base;
}

uint64_t sva_enable_bar(SvaQtest *t, unsigned bus, unsigned devfn,
                        unsigned bar)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + bar * 4;
    uint32_t mask, size, kind;
    uint64_t address;

    sva_config_write(t, bus, devfn, offset, 4, 0xffffffff);
    mask = sva_config_read(t, bus, devfn, offset, 4);
    kind = mask & PCI_BASE_ADDRESS_MEM_TYPE_MASK;
    size = -(mask & PCI_BASE_ADDRESS_MEM_MASK);
    g_assert_cmpuint(size, >, 0);
    address = QEMU_ALIGN_UP(t->mmio_next, size);
    t->mmio_next = address + size;
    sva_config_write(t, bus, devfn, offset, 4, address);
    if (kind == PCI_BASE_ADDRESS_MEM_TYPE_64) {
        sva_config_write(t, bus, devfn, offset + 4, 4, 0);
    }
    sva_config_write(t, bus, devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return address;
}

unsigned sva_find_cap(SvaQtest *t, unsigned bus, unsigned devfn, uint8_t id)
{
    unsigned at = sva_config_read(t, bus, devfn, PCI_CAPABILITY_LIST, 1);

    for (unsigned i = 0; at && i < 48; i++) {
        if (sva_config_read(t, bus, devfn, at + PCI_CAP_LIST_ID, 1) == id) {
            return at;
        }
        at = sva_config_read(t, bus, devfn, at + PCI_CAP_LIST_NEXT, 1);
    }
    return 0;
}

unsigned sva_find_ecap(SvaQtest *t, unsigned bus, unsigned devfn,
                       uint16_t id)
{
    unsigned at = 0x100;

    for (unsigned i = 0; at && i < 960; i++) {
        uint32_t header = sva_config_read(t, bus, devfn, at, 4);

        if (PCI_EXT_CAP_ID(header) == id) {
            return at;
        }
        at = PCI_EXT_CAP_NEXT(header);
    }
    return 0;
}
