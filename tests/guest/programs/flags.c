/*
 * The device's accesses leave the access flag and the dirty state in the page
 * tables as the processor's do; the kernel's accounts show it.
 *
 *   flags hardware    the SMMU sets them (HTTU): no page fault
 *   flags faults      it does not: each access to an old page faults
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

#define BYTES (64 * page_bytes())

static PasidDev dev;
static PasidQueue queue;
static bool hardware;

/* The value of @field, in bytes, of the mapping that begins at @p. */
static size_t smaps_bytes(const void *p, const char *field)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    bool inside = false;
    size_t found = 0;
    char line[256];

    if (!f) {
        test_give_up("no /proc/self/smaps");
    }
    while (fgets(line, sizeof(line), f)) {
        unsigned long from, to, kib;
        char name[64];

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = from == (unsigned long)p;
        } else if (inside && sscanf(line, "%63[^:]: %lu kB", name, &kib) == 2 &&
                   !strcmp(name, field)) {
            found = kib * KIB;
        }
    }
    fclose(f);
    return found;
}

/* A mapping of its own: no neighbour of its kind to be merged with. */
static uint8_t *own_mapping(void)
{
    uint8_t *p = map_anon(BYTES + 2 * page_bytes());

    mprotect(p, page_bytes(), PROT_NONE);
    mprotect(p + page_bytes() + BYTES, page_bytes(), PROT_NONE);
    p += page_bytes();
    madvise(p, BYTES, MADV_NOHUGEPAGE);
    return p;
}

/*
 * Each CPU holds back some pages that are to go on another of the kernel's
 * lists; those are not freed lazily. This has all of them put there.
 */
static void put_on_lists(void)
{
    if (!write_file("/proc/sys/vm/drop_caches", "1")) {
        test_give_up("no drop_caches");
    }
}

static void check_faults(const Counts *before, const char *what)
{
    Counts c = counts_since(&dev, before);

    if (hardware) {
        /* The queue's own memory was used before, and has its flags. */
        CHECK(c.stalls == 0, "%s: %llu page faults", what,
              (unsigned long long)c.stalls);
    } else {
        CHECK(c.stalls > BYTES / page_bytes() / 2, "%s: only %llu page faults",
              what, (unsigned long long)c.stalls);
    }
    CHECK(c.retries == c.stalls, "%s: not all retried", what);
}

int main(int argc, char **argv)
{
    uint8_t *p, *warm = map_anon(page_bytes());
    PasidDevCompletion done;
    Counts before;
    uint64_t sum;
    size_t lazy;
    int ret;

    hardware = argc > 1 && !strcmp(argv[1], "hardware");
    test_begin("flags");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    memset(warm, 1, page_bytes());

    test_case("accessed");
    p = own_mapping();
    random_fill(p, BYTES, 1);
    sum = reference_sum(p, BYTES);
    CHECK(smaps_bytes(p, "Referenced") == BYTES, "not referenced at first");
    /*
     * The device has not used these pages: the kernel does not invalidate
     * what an SMMU has cached when it clears the flag.
     */
    if (!write_file("/proc/self/clear_refs", "1")) {
        test_give_up("no clear_refs");
    }
    CHECK(smaps_bytes(p, "Referenced") == 0, "still referenced");
    /* The queue's own pages become young again. */
    ret = pasid_sum(&queue, warm, page_bytes(), &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "sum");
    before = counts_now(&dev);
    ret = pasid_sum(&queue, p, BYTES, &done);
    if (check_status(ret, &done, PASID_DEV_DONE_OK, "sum of old pages")) {
        CHECK(done.result == sum, "wrong sum");
    }
    CHECK(smaps_bytes(p, "Referenced") == BYTES,
          "%zu bytes referenced after the device read %zu",
          smaps_bytes(p, "Referenced"), BYTES);
    check_faults(&before, "read of old pages");

    /*
     * The kernel may drop a page that was freed lazily as long as it is
     * clean; a write keeps it.
     */
    test_case("dirty");
    put_on_lists();
    madvise(p, BYTES, MADV_FREE);
    put_on_lists();
    lazy = smaps_bytes(p, "LazyFree");
    CHECK(lazy == BYTES, "%zu bytes freed lazily", lazy);
    ret = pasid_sum(&queue, p, BYTES, &done);
    if (check_status(ret, &done, PASID_DEV_DONE_OK, "sum of clean pages")) {
        CHECK(done.result == sum, "wrong sum");
    }
    CHECK(smaps_bytes(p, "LazyFree") == lazy, "a read made pages dirty");
    before = counts_now(&dev);
    ret = pasid_fill(&queue, p, ~0ull, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "fill of clean pages");
    CHECK(smaps_bytes(p, "LazyFree") == 0,
          "%zu bytes still clean after the device wrote them",
          smaps_bytes(p, "LazyFree"));
    CHECK(first_other(p, 0xff, BYTES) == BYTES, "the fill is wrong");
    check_faults(&before, "write of clean pages");

    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
