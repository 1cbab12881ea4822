/*
 * Shared addresses without page faults: the device's accesses cannot wait, so
 * the process sees to it that the pages are there. What is locked or touched
 * works like anything else; what is not is refused at once, with its address.
 *
 *   pinned [clean]    clean: the SMMU updates descriptors, so a page that can
 *                     be written need not have been written before
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (64 * page_bytes())

static PasidDev dev;
static PasidQueue queue;
static bool clean_will_do;

static void must_lock(const void *p, size_t bytes)
{
    if (mlock(p, bytes)) {
        test_give_up("mlock: %s", strerror(errno));
    }
}

/*
 * Locking brings pages in as a read would where others may share them. Such a
 * page is clean, and to dirty it takes the SMMU or the processor.
 */
static void make_writable(uint8_t *p, size_t bytes)
{
    for (size_t at = 0; !clean_will_do && at < bytes; at += page_bytes()) {
        *(volatile uint8_t *)(p + at) = 0;
    }
}

static void copy_ok(uint8_t *to, const uint8_t *from, size_t bytes,
                    const char *what)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_copy(&queue, to, from, bytes, &done);

    check_status(ret, &done, PASID_DEV_DONE_OK, what);
    CHECK(!memcmp(to, from, bytes), "%s: the copy differs", what);
}

static void every_kind_locked(void)
{
    uint8_t *text = map_anon(BYTES);

    random_fill(text, BYTES, 1);
    for (MemoryKind kind = 0; kind < MEM_KINDS; kind++) {
        Buffer b;

        if (kind == MEM_HUGETLB || !memory_exists(kind)) {
            continue;       /* these are not locked: they cannot be swapped */
        }
        test_case("locked-%s", memory_name(kind));
        b = buffer_new(kind, BYTES);
        must_lock(b.p, BYTES);
        make_writable(b.p, BYTES);
        copy_ok(b.p, text, BYTES, memory_name(kind));
        munlock(b.p, BYTES);
        buffer_free(&b);
    }
    munmap(text, BYTES);
}

static void every_operation(void)
{
    enum { NODES = 1000 };
    ListNode *memory = mmap(NULL, NODES * sizeof(*memory), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    uint8_t *a = mmap(NULL, 2 * BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    uint8_t *b = a + BYTES;
    ListNode *nodes[NODES];
    PasidDevCompletion done = { 0 };
    uint64_t sum;
    int ret;

    if (a == MAP_FAILED || memory == MAP_FAILED) {
        test_give_up("no memory");
    }
    test_case("populated");
    random_fill(a, BYTES, 2);
    copy_ok(b, a, BYTES, "copy");
    ret = pasid_compare(&queue, a, b, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "compare");
    ret = pasid_crc32c(&queue, a, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "crc");
    CHECK(done.result == reference_crc32c(a, BYTES), "wrong CRC");
    ret = pasid_sum(&queue, a, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "sum");
    CHECK(done.result == reference_sum(a, BYTES), "wrong sum");
    ret = pasid_fill(&queue, b, 0x4242424242424242, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "fill");
    CHECK(first_other(b, 0x42, BYTES) == BYTES, "not filled");
    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = &memory[i];
    }
    sum = list_shuffle(nodes, NODES, 3);
    ret = pasid_list(&queue, nodes[0], NODES, offsetof(ListNode, next),
                     offsetof(ListNode, value), &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "list");
    CHECK(done.progress == NODES && done.result == sum, "wrong list");
    munmap(a, 2 * BYTES);
    munmap(memory, NODES * sizeof(*memory));
}

/* Once all is locked, and all that is to come, the heap needs nothing more. */
static void all_locked(void)
{
    uint8_t *a, *b;

    test_case("all-locked");
    if (mlockall(MCL_CURRENT | MCL_FUTURE)) {
        test_give_up("mlockall: %s", strerror(errno));
    }
    a = malloc(BYTES);
    b = malloc(4 * MIB);
    if (!a || !b) {
        test_give_up("no memory");
    }
    random_fill(a, BYTES, 4);
    copy_ok(b, a, BYTES, "to the heap");
    copy_ok(b + 4 * MIB - BYTES, a, BYTES, "to its end");
    free(a);
    free(b);
    munlockall();
}

static void refused_and_tried_again(void)
{
    const size_t page = page_bytes();
    uint8_t *p = map_anon(4 * page);
    PasidDevCompletion done = { 0 };
    int ret;

    madvise(p, 4 * page, MADV_NOHUGEPAGE);

    test_case("untouched");
    ret = pasid_sum(&queue, p, page, &done);
    check_refused(ret, &done, false, p, 0, "read of untouched memory");
    ret = pasid_fill(&queue, p, 0, page, &done);
    check_refused(ret, &done, true, p, 0, "write of untouched memory");
    memset(p, 1, 2 * page);
    ret = pasid_fill(&queue, p, 0, 4 * page, &done);
    check_refused(ret, &done, true, p + 2 * page, 2 * page, "half is there");
    memset(p, 1, 4 * page);
    ret = pasid_fill(&queue, p, 0, 4 * page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "once it was touched");

    test_case("given-back");
    madvise(p + page, page, MADV_DONTNEED);
    ret = pasid_fill(&queue, p, 0, 4 * page, &done);
    check_refused(ret, &done, true, p + page, page, "a page given back");
    munmap(p + page, 3 * page);
    ret = pasid_fill(&queue, p, 0, 4 * page, &done);
    check_refused(ret, &done, true, p + page, page, "unmapped");
    munmap(p, page);
}

/* A fork takes the right to write from both, until the processor wants it. */
static void forked(void)
{
    const size_t page = page_bytes();
    uint8_t *p = map_anon(2 * page), *kept = map_anon(page);
    PasidDevCompletion done = { 0 };
    int go[2], ret, status = -1;
    pid_t pid;

    test_case("forked");
    madvise(p, 2 * page, MADV_NOHUGEPAGE);
    must_lock(p, 2 * page);
    must_lock(kept, page);
    madvise(kept, page, MADV_DONTFORK);
    if (pipe(go)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        char c;

        close(go[1]);
        _exit(read(go[0], &c, 1) == 0 ? 0 : 1);
    }
    ret = pasid_fill(&queue, p, 0x61, 2 * page, &done);
    check_refused(ret, &done, true, p, 0, "write after a fork");
    ret = pasid_fill(&queue, kept, 0x6161616161616161, page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "what the child did not get");
    memset(p, 0, 2 * page);
    ret = pasid_fill(&queue, p, 0x61, 2 * page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "once the processor wrote it");
    close(go[1]);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child failed");
    close(go[0]);
    munmap(p, 2 * page);
    munmap(kept, page);
}

int main(int argc, char **argv)
{
    Counts before, c;

    clean_will_do = argc > 1 && !strcmp(argv[1], "clean");
    test_begin("pinned");
    /* A page that Linux moves is not there meanwhile. */
    write_file("/proc/sys/vm/compact_unevictable_allowed", "0");
    write_file("/proc/sys/vm/compaction_proactiveness", "0");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    before = counts_now(&dev);
    every_kind_locked();
    every_operation();
    all_locked();
    refused_and_tried_again();
    forked();
    c = counts_since(&dev, &before);
    CHECK(c.stalls == 0, "%llu stalls", (unsigned long long)c.stalls);
    CHECK(c.aborts == 6, "%llu refused", (unsigned long long)c.aborts);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
