/*
 * Where pasid-dev's data is: pages that are side by side in memory, and pages that only
 * seem to be; and its own expansion ROM, which is memory to read, comes, goes and moves
 * between jobs. Not memory that is taken away in the middle of one
 * (smmuv3-moving-test.c). No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"

enum { ROM_BYTES = 65536, MOVES = 9 };

/* Its file's name */
static char *make_rom(void)
{
    g_autofree char *bytes = g_malloc(ROM_BYTES);
    char *path = NULL;
    int fd = g_file_open_tmp("sva-rom-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    for (unsigned i = 0; i < ROM_BYTES; i++) {
        bytes[i] = pattern_byte(i);
    }
    g_assert_true(g_file_set_contents(path, bytes, ROM_BYTES, NULL));
    return path;
}

/* 0: it is nowhere. */
static void place_rom(Dev *d, uint64_t address)
{
    sva_config_write(d->t, d->bus, d->devfn, PCI_ROM_ADDRESS, 4,
                     address ? address | PCI_ROM_ADDRESS_ENABLE : 0);
}

static PasidDevCompletion copy(Queue *q, uint64_t from, uint64_t to)
{
    qtest_memset(q->d->t->qts, to, 0, 2 * PAGE);
    return run(q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = from, .dst = to, .len = 2 * PAGE });
}

/* What the host bridge reads where no BAR is */
static uint8_t nobodys_byte(uint64_t i)
{
    return 0xff;
}

/* By an SMMU that is not enabled: an address is an address of the system's. */
static void test_rom(void)
{
    g_autofree char *rom = make_rom();
    g_autofree char *args = g_strdup_printf("-device pasid-dev,romfile=%s",
                                            rom);
    Dev *d = dev_start("virt-sva", args);
    uint64_t first = QEMU_ALIGN_UP(d->t->mmio_next, ROM_BYTES);
    uint64_t dst = process_alloc(d, 2 * PAGE), here = 0;
    PasidDevCompletion c;
    Queue q;

    q = queue_open(d, 0, 4, NO_PASID);
    for (unsigned i = 0; i < MOVES; i++) {
        uint64_t was = here;

        here = i % 4 == 3 ? 0 : first + i % 3 * ROM_BYTES;
        place_rom(d, here);
        for (unsigned again = 0; again < 2; again++) {
            if (here) {
                assert_completion(copy(&q, here, dst), PASID_DEV_DONE_OK, 0,
                                  2 * PAGE, 0);
                assert_bytes(d, dst, 2 * PAGE, pattern_byte);
            }
            if (was && was != here) {
                assert_completion(copy(&q, was, dst), PASID_DEV_DONE_OK, 0,
                                  2 * PAGE, 0);
                assert_bytes(d, dst, 2 * PAGE, nobodys_byte);
            }
        }
    }
    /* Memory to read it is, and no more. */
    here = first;
    place_rom(d, here);
    assert_completion(copy(&q, here, dst), PASID_DEV_DONE_OK, 0, 2 * PAGE, 0);
    c = run(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = here, .len = 64 });
    g_assert_cmpuint(c.status, !=, PASID_DEV_DONE_PENDING);
    assert_completion(copy(&q, here, dst), PASID_DEV_DONE_OK, 0, 2 * PAGE, 0);
    assert_bytes(d, dst, 2 * PAGE, pattern_byte);
    dev_stop(d);
    unlink(rom);
}

enum { PAGES = 48, SHIFT = 100 };

/*
 * The page of memory behind page @i: a run, a run that goes backwards, and one in
 * pairs, where every other page is next to the one before.
 */
static unsigned where(unsigned i)
{
    return i < PAGES / 3 ? i :
           i < 2 * PAGES / 3 ? PAGES - 1 - i : (i ^ 2);
}

/* From pages in a row to pages in no row, or back: each byte has its place. */
static void copy_by_runs(Queue *q, uint64_t row, uint64_t mixed, bool back)
{
    uint64_t len = PAGES * PAGE - 2 * SHIFT;
    Dev *d = q->d;

    fill_pattern(d, row, PAGES * PAGE);
    for (unsigned i = 0; i < PAGES; i++) {
        g_autofree uint8_t *page = g_malloc(PAGE);

        qtest_memread(d->t->qts, row + i * PAGE, page, PAGE);
        qtest_memwrite(d->t->qts, mixed + where(i) * PAGE, page, PAGE);
    }
    qtest_memset(d->t->qts, back ? row : mixed, 0, PAGES * PAGE);
    assert_completion(run(q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .len = len,
        .src = SHIFT + (back ? va(d, mixed) + PAGES * PAGE : va(d, row)),
        .dst = SHIFT + (back ? va(d, row) : va(d, mixed) + PAGES * PAGE),
    }), PASID_DEV_DONE_OK, 0, len, 0);
    for (uint64_t at = 0; at < PAGES * PAGE; at += PAGE / 2) {
        uint64_t pa = back ? row + at
                           : mixed + where(at / PAGE) * PAGE + at % PAGE;
        bool in = at >= SHIFT && at < SHIFT + len;

        g_assert_cmphex(qtest_readb(d->t->qts, pa), ==,
                        in ? pattern_byte(at) : 0);
    }
}

/*
 * What is not memory takes a page at a time, though its pages are in a row as well:
 * nothing is read, looked ahead for or counted for more than that.
 */
static void test_not_memory(void)
{
    Dev *d = process_start();
    uint64_t nobody = QEMU_ALIGN_UP(d->t->mmio_next, PAGES * PAGE);
    uint64_t row = process_alloc(d, PAGES * PAGE), bytes, translations;
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));

    sva_map(d->t, d->root, va(d, nobody), nobody, PAGES * PAGE, 0);
    for (unsigned again = 0; again < 3; again++) {
        bytes = admin64(d, PASID_DEV_COUNT_BYTES);
        translations = sva_counter(d->t, "translations");
        assert_completion(run(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COPY, .src = va(d, row), .dst = va(d, nobody),
            .len = PAGES * PAGE }), PASID_DEV_DONE_OK, 0, PAGES * PAGE, 0);
        g_assert_cmpuint(admin64(d, PASID_DEV_COUNT_BYTES) - bytes, ==,
                         2 * PAGES * PAGE + sizeof(PasidDevDescriptor) +
                         sizeof(PasidDevCompletion));
        g_assert_cmpuint(sva_counter(d->t, "translations") - translations, <=,
                         4 * PAGES);
    }
    dev_stop(d);
}

/*
 * The first time the tables are walked, then the caches know, then the front. Each
 * page is asked for when it is due and at most once before (by ATS, besides the
 * request), not for each page all those behind it again.
 */
static void test_runs(gconstpointer by_ats)
{
    Dev *d = by_ats ? ats_start("") : process_start();
    uint64_t row = process_alloc(d, PAGES * PAGE);
    uint64_t mixed = process_alloc(d, 2 * PAGES * PAGE), before;
    Queue q = queue_open(d, 0, 4, PASID(THE_PASID));

    for (unsigned i = 0; i < PAGES; i++) {
        sva_map(d->t, d->root, va(d, mixed) + (PAGES + i) * PAGE,
                mixed + where(i) * PAGE, PAGE, 0);
    }
    for (unsigned again = 0; again < 4; again++) {
        before = sva_counter(d->t, "translations");
        copy_by_runs(&q, row, mixed, again & 1);
        g_assert_cmpuint(sva_counter(d->t, "translations"), <=,
                         before + (by_ats ? 6 : 4) * PAGES);
    }
    /* What is behind the run faults where it is, and when it is its turn. */
    before = sva_counter(d->t, "stalls");
    if (by_ats) {
        ats_unmap(d, row + 5 * PAGE, PAGE);
    } else {
        unmap(d, row + 5 * PAGE, PAGE);
    }
    submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = va(d, row), .dst = va(d, mixed),
        .len = PAGES * PAGE });
    expect_stall(&q, va(d, row) + 5 * PAGE, false);
    g_assert_cmpuint(sva_counter(d->t, "stalls"), ==, before + 1);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_data_func("/pasid-dev/map/runs", NULL, test_runs);
    g_test_add_data_func("/pasid-dev/map/runs-by-ats", "ats", test_runs);
    g_test_add_func("/pasid-dev/map/not-memory", test_not_memory);
    g_test_add_func("/pasid-dev/map/rom", test_rom);

    return g_test_run();
}
