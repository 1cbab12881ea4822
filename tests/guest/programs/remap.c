/*
 * The process changes its address space after the device has used it. The
 * device sees what the processor sees, or its access is refused with the
 * right status and address: nothing stale is left in the SMMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (16 * page_bytes())
#define HUGE_PAGE huge_page_bytes()

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static PasidDev dev;
static PasidQueue queue;

/* The device's view of memory, as it is now. */
static void check_device_sees(const void *p, size_t bytes, const char *when)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_crc32c(&queue, p, bytes, &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, when)) {
        CHECK(done.result == reference_crc32c(p, bytes),
              "%s: the device sees something else", when);
    }
}

static void check_device_writes(void *p, size_t bytes, uint8_t value,
                                const char *when)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_fill(&queue, p, 0x0101010101010101ull * value, bytes,
                         &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, when)) {
        size_t at = first_other(p, value, bytes);

        CHECK(at == bytes, "%s: the processor does not see byte %zu", when,
              at);
    }
}

static void check_read_refused(const void *from, size_t bytes, const void *at,
                               const char *when)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_sum(&queue, from, bytes, &done);

    check_refused(ret, &done, false, at,
                  (uint64_t)((const char *)at - (const char *)from), when);
}

static void check_write_refused(void *from, size_t bytes, const void *at,
                                const char *when)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_fill(&queue, from, ~0ull, bytes, &done);

    check_refused(ret, &done, true, at,
                  (uint64_t)((const char *)at - (const char *)from), when);
}

/* Memory that the device has read and written: its translation is cached. */
static uint8_t *used_memory(uint64_t seed)
{
    uint8_t *p = map_anon(BYTES);

    madvise(p, BYTES, MADV_NOHUGEPAGE);
    random_fill(p, BYTES, seed);
    check_device_sees(p, BYTES, "before");
    check_device_writes(p + 100, 50, 0x11, "before");
    check_device_sees(p, BYTES, "before");
    return p;
}

static void test_munmap(void)
{
    size_t page = page_bytes();
    uint8_t *p;

    test_case("munmap");
    p = used_memory(1);
    /* One page in the middle, then everything. */
    munmap(p + 5 * page, page);
    check_read_refused(p, BYTES, p + 5 * page, "hole");
    check_write_refused(p + page, BYTES - page, p + 5 * page, "hole");
    check_device_sees(p, 5 * page, "before the hole");
    check_device_sees(p + 6 * page, BYTES - 6 * page, "behind the hole");
    munmap(p, BYTES);
    check_read_refused(p, BYTES, p, "unmapped");
    check_write_refused(p + 8, 100, p + 8, "unmapped");
}

static void test_map_fixed(void)
{
    uint8_t *p;

    test_case("replace");
    p = used_memory(2);
    if (mmap(p, BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p) {
        test_give_up("mmap: %s", strerror(errno));
    }
    random_fill(p, BYTES, 3);
    check_device_sees(p, BYTES, "after new memory came");
    check_device_writes(p, BYTES, 0x77, "after new memory came");
    munmap(p, BYTES);
}

static void test_mprotect(void)
{
    uint8_t *p, *saved = map_anon(BYTES);
    size_t page = page_bytes();

    test_case("mprotect-read");
    p = used_memory(4);
    memcpy(saved, p, BYTES);
    mprotect(p + 3 * page, page, PROT_READ);
    check_device_sees(p, BYTES, "read-only");
    check_write_refused(p + 3 * page + 40, 100, p + 3 * page + 40,
                        "read-only");
    CHECK(!memcmp(p + 3 * page, saved + 3 * page, page),
          "a refused write changed memory");
    check_write_refused(p, BYTES, p + 3 * page, "read-only in the middle");
    mprotect(p + 3 * page, page, PROT_READ | PROT_WRITE);
    check_device_writes(p, BYTES, 0x33, "writable again");

    test_case("mprotect-none");
    mprotect(p + page, page, PROT_NONE);
    check_read_refused(p, BYTES, p + page, "no access");
    check_write_refused(p + page, 8, p + page, "no access");
    mprotect(p + page, page, PROT_READ | PROT_WRITE);
    check_device_sees(p, BYTES, "accessible again");
    munmap(p, BYTES);
    munmap(saved, BYTES);
}

static void test_dontneed(void)
{
    uint8_t *p;
    Counts before;

    test_case("dontneed");
    p = used_memory(5);
    for (unsigned i = 0; i < 50; i++) {
        memset(p, 0x40 + i, BYTES);
        check_device_sees(p, BYTES, "filled");
        madvise(p, BYTES, MADV_DONTNEED);
        before = counts_now(&dev);
        if (i % 2) {
            check_device_sees(p, BYTES, "dropped");
            CHECK(first_other(p, 0, BYTES) == BYTES, "not zero");
        } else {
            check_device_writes(p, BYTES, 0x99, "dropped");
            check_stalled_and_resumed(&dev, &before);
        }
    }
    munmap(p, BYTES);
}

static void test_mremap(void)
{
    uint8_t *there = map_anon(BYTES), *p, *q;
    uint32_t crc;

    test_case("mremap");
    p = used_memory(6);
    crc = reference_crc32c(p, BYTES);
    q = mremap(p, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, there);
    if (q != there) {
        test_give_up("mremap: %s", strerror(errno));
    }
    CHECK(reference_crc32c(q, BYTES) == crc, "the move lost data");
    check_device_sees(q, BYTES, "at the new place");
    check_read_refused(p, BYTES, p, "at the old place");
    check_write_refused(p, BYTES, p, "at the old place");
    check_device_writes(q, BYTES, 0x66, "at the new place");
    /* Another one takes the old place. */
    map_anon_at(p, BYTES);
    random_fill(p, BYTES, 7);
    check_device_sees(p, BYTES, "new memory at the old place");
    munmap(p, BYTES);
    munmap(q, BYTES);
}

/* The child's answer: does it see @value in all of [p, p + bytes)? */
static pid_t child_that_checks(const uint8_t *p, size_t bytes, uint8_t value,
                               int go, int ready)
{
    pid_t pid = fork();

    if (pid == 0) {
        char c = 0;

        if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 1) {
            _exit(8);
        }
        _exit(first_other(p, value, bytes) == bytes ? 0 : 1);
    }
    if (pid < 0) {
        test_give_up("fork: %s", strerror(errno));
    }
    return pid;
}

/*
 * After a fork both have the same pages until one writes. @device_writes:
 * the device does, for the parent; otherwise the parent itself does, and the
 * device must see what it wrote.
 */
static void test_fork(bool device_writes)
{
    uint8_t *p = map_anon(BYTES);
    int go[2], ready[2], status = -1;
    Counts before;
    pid_t pid;
    char c = 0;

    test_case(device_writes ? "fork-device-writes" : "fork-parent-writes");
    madvise(p, BYTES, MADV_NOHUGEPAGE);
    memset(p, 0x21, BYTES);
    check_device_writes(p, BYTES, 0x22, "before");
    if (pipe(go) || pipe(ready)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    pid = child_that_checks(p, BYTES, 0x22, go[0], ready[1]);
    if (read(ready[0], &c, 1) != 1) {
        test_fail("no child");
    }
    before = counts_now(&dev);
    if (device_writes) {
        check_device_writes(p, BYTES, 0x23, "after the fork");
        check_stalled_and_resumed(&dev, &before);
    } else {
        memset(p, 0x24, BYTES);
        check_device_sees(p, BYTES, "after the fork");
    }
    if (write(go[1], &c, 1) != 1 || waitpid(pid, &status, 0) != pid ||
        status) {
        test_fail("the child sees the parent's write, status %#x", status);
    }
    check_device_sees(p, BYTES, "after the child");
    check_device_writes(p, BYTES, 0x25, "after the child");
    close(go[0]), close(go[1]), close(ready[0]), close(ready[1]);
    munmap(p, BYTES);
}

static void test_thp(void)
{
    Buffer b = buffer_new(MEM_THP, HUGE_PAGE);
    size_t page = page_bytes();
    uint8_t *p = b.p;

    test_case("thp-split");
    random_fill(p, HUGE_PAGE, 8);
    CHECK(huge_bytes(p, HUGE_PAGE) == HUGE_PAGE, "not a huge page");
    check_device_sees(p, HUGE_PAGE, "huge");
    check_device_writes(p, HUGE_PAGE, 0x31, "huge");
    /* One small page of it becomes read-only: the mapping is split. */
    mprotect(p + 100 * page, page, PROT_READ);
    CHECK(huge_bytes(p, HUGE_PAGE) == 0, "still a huge page");
    check_device_sees(p, HUGE_PAGE, "split");
    check_write_refused(p, HUGE_PAGE, p + 100 * page, "split, read-only page");
    check_device_writes(p + 101 * page, page, 0x32, "split");
    munmap(p + 200 * page, page);
    check_read_refused(p, HUGE_PAGE, p + 200 * page, "split, hole");
    /* And a page of it comes back empty. */
    madvise(p + 50 * page, page, MADV_DONTNEED);
    check_device_sees(p, 100 * page, "split, dropped page");
    CHECK(first_other(p + 50 * page, 0, page) == page, "not zero");
    buffer_free(&b);

    test_case("thp-collapse");
    b = buffer_new(MEM_THP, HUGE_PAGE);
    p = b.p;
    madvise(p, HUGE_PAGE, MADV_NOHUGEPAGE);
    random_fill(p, HUGE_PAGE, 9);
    check_device_sees(p, HUGE_PAGE, "small pages");
    check_device_writes(p + 7, HUGE_PAGE - 9, 0x35, "small pages");
    madvise(p, HUGE_PAGE, MADV_HUGEPAGE);
    if (CHECK(madvise(p, HUGE_PAGE, MADV_COLLAPSE) == 0, "collapse: %s",
              strerror(errno))) {
        CHECK(huge_bytes(p, HUGE_PAGE) == HUGE_PAGE, "no huge page");
        random_fill(p, HUGE_PAGE, 10);
        check_device_sees(p, HUGE_PAGE, "collapsed");
        check_device_writes(p, HUGE_PAGE, 0x36, "collapsed");
    }
    buffer_free(&b);
}

static void test_ksm(void)
{
    uint8_t *p = map_anon(2 * BYTES), *q = p + BYTES;
    uint64_t start = now_us();
    size_t page = page_bytes();
    uint8_t *expected = map_anon(page);
    Counts before;

    test_case("ksm");
    random_fill(expected, page, 11);
    madvise(p, 2 * BYTES, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < 2 * BYTES; i += page) {
        memcpy(p + i, expected, page);
    }
    check_device_sees(p, 2 * BYTES, "before");
    if (madvise(p, 2 * BYTES, MADV_MERGEABLE) ||
        !write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1") ||
        !write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000") ||
        !write_file("/sys/kernel/mm/ksm/run", "1")) {
        test_fail("ksm cannot be started: %s", strerror(errno));
        return;
    }
    while (read_number("/sys/kernel/mm/ksm/pages_sharing") <
           (long long)(2 * BYTES / page) - 1) {
        if (now_us() - start > 20000000) {
            test_fail("pages were not merged");
            break;
        }
        usleep(10000);
    }
    write_file("/sys/kernel/mm/ksm/run", "0");
    check_device_sees(p, 2 * BYTES, "merged");
    before = counts_now(&dev);
    check_device_writes(p, BYTES, 0x41, "merged");
    check_stalled_and_resumed(&dev, &before);
    for (size_t i = 0; i < BYTES; i += page) {
        CHECK(!memcmp(q + i, expected, page),
              "a write to one page changed the merged one");
    }
    check_device_sees(p, 2 * BYTES, "apart again");
    write_file("/sys/kernel/mm/ksm/run", "2");
    munmap(p, 2 * BYTES);
    munmap(expected, page);
}

/* A mapped file gets shorter: what was there is gone for both. */
static void test_truncate(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    uint8_t *p;

    test_case("truncate");
    if (fd < 0 || ftruncate(fd, BYTES)) {
        test_give_up("a file in /tmp: %s", strerror(errno));
    }
    p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        test_give_up("mmap: %s", strerror(errno));
    }
    random_fill(p, BYTES, 12);
    check_device_sees(p, BYTES, "before");
    if (ftruncate(fd, BYTES / 2)) {
        test_fail("ftruncate: %s", strerror(errno));
    }
    check_device_sees(p, BYTES / 2, "the part that is left");
    check_read_refused(p, BYTES, p + BYTES / 2, "the part that is gone");
    if (ftruncate(fd, BYTES)) {
        test_fail("ftruncate: %s", strerror(errno));
    }
    check_device_sees(p, BYTES, "longer again");
    /* What others write into the file is seen, and the other way round. */
    if (pwrite(fd, "hello", 5, 1000) != 5) {
        test_fail("pwrite: %s", strerror(errno));
    }
    check_device_sees(p, BYTES, "after a write to the file");
    check_device_writes(p + BYTES / 2, 10, 0x51, "to the file");
    munmap(p, BYTES);
    close(fd);
}

/* Nothing is left of the mapping before, nor of the one before that. */
static void test_many(void)
{
    uint8_t *p = map_anon(BYTES);

    test_case("many");
    munmap(p, BYTES);
    for (unsigned i = 0; i < 200; i++) {
        map_anon_at(p, BYTES);
        random_fill(p, BYTES, 100 + i);
        check_device_sees(p, BYTES, "mapped again");
        munmap(p, BYTES);
        check_write_refused(p, BYTES, p, "unmapped again");
    }
}

/* What nobody has touched is present when the device comes to it. */
static void test_page_faults(void)
{
    test_dontneed();
    test_fork(true);
    if (memory_exists(MEM_THP)) {
        test_thp();
    }
    test_ksm();
    test_truncate();
}

int main(void)
{
    test_begin("remap");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    test_munmap();
    test_map_fixed();
    test_many();
    test_mprotect();
    test_mremap();
    test_fork(false);
    if (!memory_is_populated()) {
        test_page_faults();
    }
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
