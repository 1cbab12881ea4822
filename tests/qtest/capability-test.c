/*
 * The capabilities of each endpoint's functions, as software finds them: the
 * whole chain of extended ones, what is left of it in a virtual machine, serial
 * numbers, and that a snapshot of another layout is refused. Not what the
 * capabilities' registers do. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "sva-qtest.h"
#include "sva-qtest-forge.h"

#define PORT            "-device pcie-root-port,id=rp,chassis=1,addr=4 "
#define PORT_DEVFN      (4 << 3)
#define VFS             8
#define VF_OFFSET       0x80
#define CONFIG_WORDS    (PCI_CFG_SPACE_EXP_SIZE / 4)
#define MAX_CHAIN       16

enum {
    DSN = PCI_EXT_CAP_ID_DSN, ACS = PCI_EXT_CAP_ID_ACS,
    ARI = PCI_EXT_CAP_ID_ARI, ATS = PCI_EXT_CAP_ID_ATS,
    PRI = PCI_EXT_CAP_ID_PRI, PASID = PCI_EXT_CAP_ID_PASID,
    SRIOV = PCI_EXT_CAP_ID_SRIOV,
};

/*
 * Who hides what of it from a virtual machine: Linux's vfio-pci what it gives
 * no length (vfio_pci_config.c, 6.1 to 7.3), QEMU's what it lists
 * (vfio_add_ext_cap()). An ID that is not here fails the test: look there.
 */
static const struct {
    uint16_t id;
    unsigned bytes;
    bool kernel_hides, vmm_hides;
} known[] = {
    { DSN, PCI_EXT_CAP_DSN_SIZEOF, false, false },
    { ACS, 8, false, false },
    { ARI, PCI_EXT_CAP_ARI_SIZEOF, false, true },
    { ATS, PCI_EXT_CAP_ATS_SIZEOF, false, false },
    { PRI, PCI_EXT_CAP_PRI_SIZEOF, false, false },
    { PASID, PCI_EXT_CAP_PASID_SIZEOF, true, false },
    { SRIOV, PCI_EXT_CAP_SRIOV_SIZEOF, false, true },
};

static unsigned known_index(uint16_t id)
{
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].id == id) {
            return i;
        }
    }
    g_error("capability 0x%x: nobody says what vfio does to it", id);
}

/* ---- A function's configuration space ----------------------------------- */

typedef struct Function {
    SvaQtest *t;
    unsigned bus, devfn;
    uint32_t words[CONFIG_WORDS];
} Function;

typedef struct Chain {
    uint16_t id[MAX_CHAIN];
    unsigned length;
} Chain;

static void read_words(Function *f)
{
    for (unsigned i = 0; i < CONFIG_WORDS; i++) {
        f->words[i] = sva_config_read(f->t, f->bus, f->devfn, 4 * i, 4);
    }
}

/* From 100h on to its end: no two in one place, none twice. */
static Chain walk(const Function *f)
{
    unsigned long taken[BITS_TO_LONGS(CONFIG_WORDS)] = { 0 };
    Chain chain = { 0 };

    for (unsigned at = PCI_CFG_SPACE_SIZE; at;
         at = PCI_EXT_CAP_NEXT(f->words[at / 4])) {
        uint16_t id = PCI_EXT_CAP_ID(f->words[at / 4]);
        unsigned words = known[known_index(id)].bytes / 4;

        g_assert_cmphex(at, >=, PCI_CFG_SPACE_SIZE);
        g_assert_cmphex(at % 4, ==, 0);
        g_assert_cmphex(at + 4 * words, <=, PCI_CFG_SPACE_EXP_SIZE);
        g_assert_cmphex(PCI_EXT_CAP_VER(f->words[at / 4]), ==, 1);
        for (unsigned i = 0; i < words; i++) {
            g_assert_false(test_and_set_bit(at / 4 + i, taken));
        }
        for (unsigned i = 0; i < chain.length; i++) {
            g_assert_cmphex(chain.id[i], !=, id);
        }
        g_assert_cmpuint(chain.length, <, MAX_CHAIN);
        chain.id[chain.length++] = id;
    }
    return chain;
}

/*
 * What vfio does: one that is hidden is taken out of the chain by the pointer
 * before it, where there is one. The first stays, without its ID.
 */
static void hide(Function *f, bool vmm)
{
    uint32_t *before = NULL;
    unsigned at = PCI_CFG_SPACE_SIZE;

    while (at) {
        uint32_t *header = &f->words[at / 4];
        unsigned i = known_index(PCI_EXT_CAP_ID(*header));

        at = PCI_EXT_CAP_NEXT(*header);
        if (!(vmm ? known[i].vmm_hides : known[i].kernel_hides)) {
            before = header;
        } else if (before) {
            *before = (*before & 0xfffff) | at << 20;
        } else {
            *header &= 0xffc00000;
            before = header;
        }
    }
}

static void assert_chain(const Chain *chain, const uint16_t *expected)
{
    for (unsigned i = 0; i < chain->length; i++) {
        g_assert_cmphex(chain->id[i], ==, expected[i]);
    }
    g_assert_cmphex(expected[chain->length], ==, 0);
}

/* Read by whom nothing is hidden from, by vfio's user, in a virtual machine. */
static void check_function(SvaQtest *t, unsigned bus, unsigned devfn,
                           const uint16_t *expected)
{
    g_autofree Function *f = g_new0(Function, 1);
    uint16_t visible[MAX_CHAIN] = { 0 };
    Chain chain;

    *f = (Function) { .t = t, .bus = bus, .devfn = devfn };
    read_words(f);
    chain = walk(f);
    assert_chain(&chain, expected);
    for (unsigned level = 0; level < 2; level++) {
        unsigned length = 0;

        hide(f, level == 1);
        for (unsigned i = 0; i < chain.length; i++) {
            unsigned k = known_index(chain.id[i]);

            if (!known[k].kernel_hides && !(level && known[k].vmm_hides)) {
                visible[length++] = chain.id[i];
            }
        }
        visible[length] = 0;
        g_assert_cmpuint(length, >, 0);
        chain = walk(f);
        assert_chain(&chain, visible);
    }
}

/* ---- Which there are ---------------------------------------------------- */

typedef struct Row {
    const char *name, *device;
    uint16_t vendor, id;
    uint16_t chain[MAX_CHAIN];
    uint16_t vf_chain[MAX_CHAIN];
    bool is_behind_port;
} Row;

#define PASID_DEV       0x1234, 0x5afa
#define ZIP             0x19e5, 0xa250
#define TESTDEV         0x1234, 0x5afe

static const Row rows[] = {
    { "pasid-dev", "pasid-dev", PASID_DEV, { DSN, PASID, ATS, PRI } },
    { "pasid-dev/no-page-requests", "pasid-dev,pri=off", PASID_DEV,
      { DSN, PASID, ATS } },
    { "pasid-dev/no-ats", "pasid-dev,ats=off", PASID_DEV, { DSN, PASID } },
    { "pasid-dev/siblings", "pasid-dev,multifunction=on", PASID_DEV,
      { DSN, ACS, PASID, ATS, PRI } },
    { "pasid-dev/vfs", "pasid-dev,vfs=8", PASID_DEV,
      { DSN, ACS, PASID, ATS, PRI, SRIOV }, { ACS, ATS } },
    { "pasid-dev/vfs-without-ats", "pasid-dev,vfs=8,ats=off", PASID_DEV,
      { DSN, ACS, PASID, SRIOV }, { ACS } },
    { "pasid-dev/behind-port", "pasid-dev", PASID_DEV,
      { DSN, PASID, ATS, PRI }, { 0 }, true },
    { "pasid-dev/vfs-behind-port", "pasid-dev,vfs=8", PASID_DEV,
      { DSN, ACS, PASID, ATS, PRI, ARI, SRIOV }, { ACS, ARI, ATS }, true },
    { "hisi-zip", "hisi-zip", ZIP, { DSN, PASID } },
    { "hisi-zip/version-2", "hisi-zip,version=2", ZIP, { DSN, PASID } },
    { "hisi-zip/ats", "hisi-zip,ats=on", ZIP, { DSN, PASID, ATS, PRI } },
    { "hisi-zip/siblings", "hisi-zip,multifunction=on", ZIP,
      { DSN, ACS, PASID } },
    { "hisi-zip/behind-port", "hisi-zip", ZIP, { DSN, PASID }, { 0 }, true },
    { "sva-testdev", "sva-testdev", TESTDEV, { DSN, PASID, PRI, ATS } },
    { "sva-testdev/no-ats", "sva-testdev,ats=off", TESTDEV,
      { DSN, PASID, PRI } },
};

static void enable_vfs(SvaQtest *t, unsigned bus, unsigned devfn)
{
    unsigned at = sva_find_ecap(t, bus, devfn, SRIOV);

    g_assert_cmphex(at, !=, 0);
    sva_config_write(t, bus, devfn, at + PCI_SRIOV_NUM_VF, 2, VFS);
    sva_config_write(t, bus, devfn, at + PCI_SRIOV_CTRL, 2,
                     PCI_SRIOV_CTRL_VFE);
}

static void test_chain(const void *data)
{
    const Row *row = data;
    unsigned bus = row->is_behind_port;
    g_autofree char *args = g_strdup_printf("%s -device %s%s", bus ? PORT : "",
                                            row->device, bus ? ",bus=rp" : "");
    SvaQtest *t = sva_start(args);
    int devfn;

    if (bus) {
        sva_enable_bridge(t, 0, PORT_DEVFN, bus);
    }
    devfn = sva_find(t, bus, row->vendor, row->id);
    g_assert_cmpint(devfn, >=, 0);
    check_function(t, bus, devfn, row->chain);
    if (row->vf_chain[0]) {
        enable_vfs(t, bus, devfn);
        for (unsigned n = 0; n < VFS; n++) {
            check_function(t, bus, devfn + VF_OFFSET + n, row->vf_chain);
        }
    }
    sva_stop(t);
}

/* ---- Power management --------------------------------------------------- */

/* What a function needs for D3hot, and that it comes back as it was. */
static void test_power(const void *data)
{
    const Row *row = data;
    g_autofree char *args = g_strdup_printf("-device %s", row->device);
    SvaQtest *t = sva_start(args);
    int devfn = sva_find(t, 0, row->vendor, row->id);
    unsigned pm = sva_find_cap(t, 0, devfn, PCI_CAP_ID_PM);
    unsigned exp = sva_find_cap(t, 0, devfn, PCI_CAP_ID_EXP);

    g_assert_cmphex(pm, !=, 0);
    g_assert_cmphex(sva_config_read(t, 0, devfn, pm + PCI_PM_PMC, 2), ==, 3);
    g_assert_cmphex(sva_config_read(t, 0, devfn, pm + PCI_PM_CTRL, 2), ==,
                    PCI_PM_CTRL_NO_SOFT_RESET);
    /* An integrated endpoint has no link. */
    g_assert_cmphex(sva_config_read(t, 0, devfn, exp + PCI_EXP_LNKCAP, 4), ==,
                    0);
    sva_config_write(t, 0, devfn, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    sva_config_write(t, 0, devfn, pm + PCI_PM_CTRL, 2, 3);
    g_assert_cmphex(sva_config_read(t, 0, devfn, pm + PCI_PM_CTRL, 2), ==,
                    PCI_PM_CTRL_NO_SOFT_RESET | 3);
    sva_config_write(t, 0, devfn, pm + PCI_PM_CTRL, 2, 0);
    g_assert_cmphex(sva_config_read(t, 0, devfn, PCI_COMMAND, 2), ==,
                    PCI_COMMAND_MASTER);
    sva_stop(t);
}

/* ---- Serial numbers ----------------------------------------------------- */

static uint64_t serial_of(SvaQtest *t, unsigned bus, unsigned devfn)
{
    unsigned at = sva_find_ecap(t, bus, devfn, DSN);

    g_assert_cmphex(at, !=, 0);
    return sva_config_read(t, bus, devfn, at + 4, 4) |
           (uint64_t)sva_config_read(t, bus, devfn, at + 8, 4) << 32;
}

/* A device's functions have one, integrated ones each their own. */
static void test_serial_numbers(void)
{
    static const struct {
        unsigned bus, devfn;
    } each[] = {
        { 0, 1 << 3 }, { 0, 2 << 3 }, { 0, 2 << 3 | 1 },
        { 1, 0 }, { 2, 0 }, { 2, 1 },
    };
    SvaQtest *t = sva_start(
        "-device pasid-dev,addr=1 "
        "-device hisi-zip,addr=2.0,multifunction=on -device pasid-dev,addr=2.1 "
        "-device pcie-root-port,id=a,chassis=1,addr=4 "
        "-device pcie-root-port,id=b,chassis=2,addr=5 "
        "-device pasid-dev,bus=a "
        "-device pasid-dev,bus=b,addr=0.0,multifunction=on "
        "-device hisi-zip,bus=b,addr=0.1");
    uint64_t serial[ARRAY_SIZE(each)];

    sva_enable_bridge(t, 0, 4 << 3, 1);
    sva_enable_bridge(t, 0, 5 << 3, 2);
    for (unsigned i = 0; i < ARRAY_SIZE(each); i++) {
        serial[i] = serial_of(t, each[i].bus, each[i].devfn);
        g_assert_cmphex(serial[i] >> 40, ==, 0x525400);
        for (unsigned k = 0; k < i; k++) {
            g_assert_cmpint(serial[i] == serial[k], ==,
                            each[i].bus && each[i].bus == each[k].bus);
        }
    }
    /* Other bus numbers are no other devices. */
    sva_enable_bridge(t, 0, 4 << 3, 7);
    g_assert_cmphex(serial_of(t, 7, 0), ==, serial[3]);
    sva_stop(t);
}

/* ---- Snapshots of before ------------------------------------------------ */

/* A stream says a device's version in the word before its state. */
static void test_older_layout(const void *data)
{
    const char *device = data;
    g_autofree char *args = g_strdup_printf("-device %s", device);
    g_autofree char *word = g_strdup_printf("%s: incoming version_id", device);
    g_autofree char *said = NULL;
    SvaQtest *t = sva_start_machine(PLAIN_MACHINE, args);
    SvaStream *s = sva_stream_take(t, device);
    uint8_t *version = s->bytes + s->state - 4;

    sva_stop(t);
    g_assert_cmpstr(sva_stream_give(s, PLAIN_MACHINE, args), ==, NULL);
    stl_be_p(version, ldl_be_p(version) - 1);
    said = sva_stream_give(s, PLAIN_MACHINE, args);
    g_assert_nonnull(said);
    if (!strstr(said, word)) {
        g_error("QEMU does not say \"%s\", but: %s", word, said);
    }
    sva_stream_free(s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *path = g_strdup_printf("/capability/chain/%s",
                                                rows[i].name);

        g_test_add_data_func(path, &rows[i], test_chain);
        if (!strcmp(rows[i].name, "pasid-dev") ||
            !strcmp(rows[i].name, "hisi-zip")) {
            g_autofree char *power = g_strdup_printf("/capability/power/%s",
                                                     rows[i].name);

            g_test_add_data_func(power, &rows[i], test_power);
        }
    }
    g_test_add_func("/capability/serial-numbers", test_serial_numbers);
    g_test_add_data_func("/capability/older-layout/pasid-dev", "pasid-dev",
                         test_older_layout);
    g_test_add_data_func("/capability/older-layout/hisi-zip", "hisi-zip",
                         test_older_layout);
    g_test_add_data_func("/capability/older-layout/sva-testdev", "sva-testdev",
                         test_older_layout);

    return g_test_run();
}
