/*
 * Memory of the SMMU's that stops being RAM while it is in use: a table or a
 * queue is in a BAR that is RAM, and software moves that BAR and puts another
 * in its place. By a page of sva-testdev that does so after any number of
 * look-ups. Not what is an external abort otherwise.
 *
 * The SMMU may find RAM or find none, but must not touch what has come there
 * instead: a device's register, under the core's lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "../unit/conformance.h"
#include "sva-testdev-rig.h"

/* More look-ups than anything here makes. */
enum { LOOKUPS = 16 };

typedef struct Moving {
    Rig r;
    uint64_t bar, page;     /* its registers, and the page behind them */
    uint64_t ram;           /* where that leads at first */
} Moving;

static void start(Moving *m)
{
    m->r = rig_start();
    m->bar = sva_enable_bar(m->r.t, 0, m->r.devfn, SVA_TESTDEV_MOVING_BAR);
    m->page = m->bar + SVA_TESTDEV_MOVING_PAGE;
}

static void moves_after(Moving *m, unsigned lookups)
{
    qtest_writeq(m->r.t->qts, m->bar + SVA_TESTDEV_MOVING_RAM, m->ram);
    qtest_writeq(m->r.t->qts, m->bar + SVA_TESTDEV_MOVING_LEFT, lookups);
}

static void expect_no_strays(Moving *m)
{
    g_assert_cmpuint(qtest_readq(m->r.t->qts,
                                 m->bar + SVA_TESTDEV_MOVING_STRAYS), ==, 0);
}

/* ---- Descriptors -------------------------------------------------------- */

/* The last table of VA, which is in m->ram, by way of the page; with HTTU. */
static void use_page_for_the_table(Moving *m)
{
    Rig *r = &m->r;
    uint64_t leaf = sva_leaf_address(r->t, r->root, VA), cd[SMMU3_CD_WORDS];
    uint64_t table = r->root, at;

    m->ram = leaf & ~(PAGE - 1);
    for (int level = 0; ; level++) {
        at = table + (VA >> (39 - 9 * level) & 511) * 8;
        table = qtest_readq(r->t->qts, at) & ~(PAGE - 1);
        if (level == 2) {
            break;
        }
    }
    g_assert_cmphex(table, ==, m->ram);
    qtest_writeq(r->t->qts, at, m->page | 3);
    sva_cd_for(cd, r->root, ASID, false);
    smmu3_set(cd, CD_HA, 1);
    sva_set_cd(r->t, sid(r), r->cds, 0, cd);
}

/* The access flag is set in RAM, or the walk is aborted. */
static void test_descriptor_update(void)
{
    unsigned updates = 0, aborts = 0;
    uint64_t leaf, descriptor;
    Moving m;

    start(&m);
    leaf = sva_leaf_address(m.r.t, m.r.root, VA);
    use_page_for_the_table(&m);
    descriptor = qtest_readq(m.r.t->qts, leaf);
    smmu3_set(&descriptor, TTD_AF, 0);
    for (unsigned lookups = 0; lookups < LOOKUPS; lookups++) {
        uint64_t now;

        qtest_writeq(m.r.t->qts, leaf, descriptor);
        sva_command(m.r.t, CMD_TLBI_NSNH_ALL, 0);
        sva_sync(m.r.t);
        moves_after(&m, lookups);
        if (submit(&m.r, READ, NO_PASID, VA) == SVA_TESTDEV_OK) {
            updates++;
        } else {
            expect_event(&m.r, F_WALK_EABT);
            aborts++;
        }
        expect_no_strays(&m);
        now = qtest_readq(m.r.t->qts, leaf);
        g_assert_cmphex(now, ==, descriptor |
                        (updates ? smmu3_field_mask(TTD_AF) : 0));
    }
    /* To read it, without the lock and then with it, and to set the flag. */
    g_assert_cmpuint(aborts, ==, 3);
    g_assert_cmpuint(updates, ==, LOOKUPS - 3);
    done(&m.r);
}

/* ---- Records ------------------------------------------------------------ */

static void use_page_for_the_event_queue(Moving *m)
{
    Rig *r = &m->r;
    uint64_t base = SVA_QUEUE_LOG2;

    m->ram = sva_alloc(r->t, PAGE, PAGE);
    smmu3_set_addr(&base, QUEUE_BASE_ADDR, m->page);
    set_cr0(r, 0, smmu3_field_mask(CR0_EVENTQEN));
    sva_write64(r->t, SMMU3_EVENTQ_BASE, base);
    set_cr0(r, smmu3_field_mask(CR0_EVENTQEN), 0);
}

/* The record is in RAM, all of it, or GERROR says that it could not be. */
static void test_event_record(void)
{
    unsigned records = 0, aborts = 0;
    Moving m;

    start(&m);
    use_page_for_the_event_queue(&m);
    for (unsigned lookups = 0; lookups < LOOKUPS; lookups++) {
        QTestState *qts = m.r.t->qts;
        uint32_t prod = sva_read32(m.r.t, SMMU3_EVENTQ_PROD);
        uint64_t slot = m.ram + prod * SMMU3_EVENT_BYTES;
        uint32_t gerror;

        moves_after(&m, lookups);
        g_assert_cmpuint(submit(&m.r, READ, NO_PASID, FAR_VA), ==,
                         SVA_TESTDEV_ABORT);
        expect_no_strays(&m);
        gerror = sva_read32(m.r.t, SMMU3_GERROR) ^
                 sva_read32(m.r.t, SMMU3_GERRORN);
        if (gerror) {
            g_assert_cmphex(gerror, ==, smmu3_field_mask(GERROR_EVENTQ_ABT));
            g_assert_cmpuint(sva_read32(m.r.t, SMMU3_EVENTQ_PROD), ==, prod);
            g_assert_cmphex(qtest_readq(qts, slot), ==, 0);
            sva_write32(m.r.t, SMMU3_GERRORN,
                        sva_read32(m.r.t, SMMU3_GERROR));
            aborts++;
        } else {
            g_assert_cmpuint(sva_read32(m.r.t, SMMU3_EVENTQ_PROD), ==,
                             prod + 1);
            g_assert_cmphex(qtest_readq(qts, slot) & 0xff, ==, F_TRANSLATION);
            g_assert_cmphex(qtest_readq(qts, slot + 16), ==, FAR_VA);
            records++;
        }
    }
    /* To write it, in one piece. */
    g_assert_cmpuint(aborts, ==, 1);
    g_assert_cmpuint(records, ==, LOOKUPS - 1);
    sva_stop(m.r.t);
}

/* ---- A ROM, which is memory to read -------------------------------------- */

enum { ROM_BYTES = 65536, MOVES = 8 };
#define ROM_PAGE    (SVA_RAM + UINT64_C(0x03456000))

/* An expansion ROM that is a table: VA's page is ROM_PAGE. Its file's name. */
static char *make_rom(void)
{
    g_autofree uint64_t *words = g_malloc0(ROM_BYTES);
    uint64_t descriptor = ROM_PAGE;
    char *path = NULL;
    int fd = g_file_open_tmp("sva-rom-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    smmu3_set(&descriptor, TTD_VALID, 1);
    smmu3_set(&descriptor, TTD_TABLE_OR_PAGE, 1);
    smmu3_set(&descriptor, TTD_AP_UNPRIV, 1);
    smmu3_set(&descriptor, TTD_AF, 1);
    words[VA >> 12 & 511] = cpu_to_le64(descriptor);
    g_assert_true(g_file_set_contents(path, (char *)words, ROM_BYTES, NULL));
    return path;
}

/* 0: it is nowhere. */
static void place_rom(Rig *r, uint64_t address)
{
    sva_config_write(r->t, r->bus, r->devfn, PCI_ROM_ADDRESS, 4,
                     address ? address | PCI_ROM_ADDRESS_ENABLE : 0);
}

/* VA's last table is at @table from now on. */
static void use_table(Rig *r, uint64_t at, uint64_t table)
{
    qtest_writeq(r->t->qts, at, table | 3);
    sva_command(r->t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(r->t);
}

/*
 * The table is read where it is, and not where it was when it was found last: the
 * map of memory has changed in between, and nothing was told to the SMMU.
 */
static void test_rom(void)
{
    g_autofree char *rom = make_rom();
    g_autofree char *args =
        g_strdup_printf("-device sva-testdev,addr=1,romfile=%s", rom);
    Rig r = rig_start_with(args, 0, false);
    uint64_t first = QEMU_ALIGN_UP(r.t->mmio_next, ROM_BYTES), at = r.root;

    sva_leaf_address(r.t, r.root, VA);
    for (int level = 0; level < 2; level++) {
        at += (VA >> (39 - 9 * level) & 511) * 8;
        at = qtest_readq(r.t->qts, at) & ~(PAGE - 1);
    }
    at += (VA >> 21 & 511) * 8;
    for (unsigned i = 0; i < MOVES; i++) {
        uint64_t here = first + i % 3 * ROM_BYTES;

        place_rom(&r, here);
        use_table(&r, at, here);
        expect_grant(&r, READ, NO_PASID, VA, ROM_PAGE, PAGE, R | W | X);
        use_table(&r, at, here);
        place_rom(&r, i % 2 ? 0 : first + (i + 1) % 3 * ROM_BYTES);
        g_assert_cmpuint(submit(&r, READ, NO_PASID, VA), ==,
                         SVA_TESTDEV_ABORT);
        expect_event(&r, F_WALK_EABT);
    }
    done(&r);
    unlink(rom);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmuv3-sva/moving/descriptor-update",
                     test_descriptor_update, "");
    conformance_test("/smmuv3-sva/moving/event-record", test_event_record, "");
    conformance_test("/smmuv3-sva/moving/rom", test_rom, "");
    return conformance_run();
}
