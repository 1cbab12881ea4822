/*
 * Each operation of pasid-dev once, and what it makes of bad descriptors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

static PasidDev dev;
static PasidQueue queue;

static void test_nop(void)
{
    PasidDevDescriptor job = { .op = PASID_DEV_OP_NOP, .tag = 0x12345678 };
    PasidDevCompletion done = { 0 };

    test_case("nop");
    if (check_status(pasid_queue_run(&queue, &job, &done), &done,
                     PASID_DEV_DONE_OK, "nop")) {
        CHECK(done.tag == job.tag, "tag %#x came back as %#x", job.tag,
              done.tag);
    }
}

static void test_copy_fill_compare(void)
{
    uint8_t *a = map_anon(64 * KIB), *b = map_anon(64 * KIB);
    PasidDevCompletion done;

    random_fill(a, 64 * KIB, 1);

    test_case("copy");
    if (check_status(pasid_copy(&queue, b + 3, a + 1, 50001, &done), &done,
                     PASID_DEV_DONE_OK, "copy")) {
        CHECK(done.progress == 50001, "progress %llu",
              (unsigned long long)done.progress);
        CHECK(!memcmp(a + 1, b + 3, 50001), "the copy differs");
        CHECK(!b[2] && !b[50004], "bytes beside the copy changed");
    }

    test_case("compare");
    if (check_status(pasid_compare(&queue, a + 1, b + 3, 50001, &done), &done,
                     PASID_DEV_DONE_OK, "compare equal")) {
        CHECK(done.result == 50001, "equal bytes %llu",
              (unsigned long long)done.result);
    }
    b[3 + 40000] ^= 0x80;
    if (check_status(pasid_compare(&queue, a + 1, b + 3, 50001, &done), &done,
                     PASID_DEV_DONE_MISMATCH, "compare different")) {
        CHECK(done.result == 40000, "equal bytes %llu",
              (unsigned long long)done.result);
    }

    test_case("fill");
    memset(b, 0, 64 * KIB);
    if (check_status(pasid_fill(&queue, b + 5, 0x0807060504030201ull, 9001,
                                &done), &done, PASID_DEV_DONE_OK, "fill")) {
        bool good = true;

        for (size_t i = 0; i < 9001; i++) {
            good = good && b[5 + i] == 1 + i % 8;
        }
        CHECK(good, "the pattern is wrong");
        CHECK(!b[4] && !b[5 + 9001], "bytes beside the pattern changed");
    }
}

static void test_crc_sum(void)
{
    uint8_t *a = map_anon(64 * KIB);
    PasidDevCompletion done;

    test_case("crc32c");
    memcpy(a, "123456789", 9);
    if (check_status(pasid_crc32c(&queue, a, 9, &done), &done,
                     PASID_DEV_DONE_OK, "crc")) {
        CHECK(done.result == 0xe3069283, "check value %#llx",
              (unsigned long long)done.result);
    }
    random_fill(a, 64 * KIB, 2);
    if (check_status(pasid_crc32c(&queue, a + 7, 60001, &done), &done,
                     PASID_DEV_DONE_OK, "crc")) {
        CHECK(done.result == reference_crc32c(a + 7, 60001), "%#llx",
              (unsigned long long)done.result);
    }

    test_case("sum");
    if (check_status(pasid_sum(&queue, a + 7, 60001, &done), &done,
                     PASID_DEV_DONE_OK, "sum")) {
        CHECK(done.result == reference_sum(a + 7, 60001), "%llu",
              (unsigned long long)done.result);
    }
}

static void test_list(void)
{
    struct { uint64_t value; void *next; } nodes[3] = {
        { 1, &nodes[2] }, { 20, NULL }, { 300, &nodes[1] },
    };
    PasidDevCompletion done;

    test_case("list");
    if (check_status(pasid_list(&queue, &nodes[0], 10, 8, 0, &done), &done,
                     PASID_DEV_DONE_OK, "list")) {
        CHECK(done.result == 321 && done.progress == 3, "sum %llu of %llu",
              (unsigned long long)done.result,
              (unsigned long long)done.progress);
    }
    if (check_status(pasid_list(&queue, &nodes[0], 2, 8, 0, &done), &done,
                     PASID_DEV_DONE_OK, "list, two nodes at most")) {
        CHECK(done.result == 301 && done.progress == 2, "sum %llu of %llu",
              (unsigned long long)done.result,
              (unsigned long long)done.progress);
    }
    if (check_status(pasid_list(&queue, NULL, 10, 8, 0, &done), &done,
                     PASID_DEV_DONE_OK, "empty list")) {
        CHECK(!done.result && !done.progress, "sum %llu of %llu",
              (unsigned long long)done.result,
              (unsigned long long)done.progress);
    }
}

/* Where the device finds @where, by a probe; 0, and a failed check: nowhere. */
static uint64_t device_address(const uint8_t *where, const char *what)
{
    PasidDevCompletion done;

    return check_status(pasid_probe(&queue, where, true, &done), &done,
                        PASID_DEV_DONE_OK, what) ? done.result : 0;
}

/* Where the processor finds it, as this kernel sees it: /proc/self/pagemap. */
static uint64_t processor_address(const uint8_t *where)
{
    size_t page = page_bytes();
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);

    CHECK(fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)where / page *
          8)) == 8 && entry >> 63, "no pagemap entry");
    close(fd);
    return (entry & ((1ull << 55) - 1)) * page + (uintptr_t)where % page;
}

/*
 * The probe says which address the SMMU gave. That of the processor is this
 * kernel's: the same, unless this is a VM, whose hypervisor's the device's is. What
 * holds all the same: two addresses of one page are one place, neighbours in a
 * page are neighbours, and two pages are two places.
 */
static void test_probe(void)
{
    size_t page = page_bytes();
    int file = memfd_create("probe", 0);
    uint8_t *a = NULL, *again = NULL;
    uint64_t at, cpu, there;

    test_case("probe");
    if (file >= 0 && !ftruncate(file, 2 * page)) {
        a = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        again = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    if (!a || a == MAP_FAILED || again == MAP_FAILED) {
        test_give_up("no memory that is mapped twice: %s", strerror(errno));
    }
    if (memory_is_populated()) {
        /* Shared memory is populated as if to be read. */
        *(volatile uint8_t *)a = *(volatile uint8_t *)(a + page) = 0;
        *(volatile uint8_t *)again = 0;
    }
    at = device_address(a + 0x123, "probe");
    CHECK(pages_present(a, 1) == 1, "the page was not faulted in");
    CHECK(a[0x123] == 0, "the probe wrote");
    cpu = processor_address(a + 0x123);
    CHECK(at % page == 0x123, "address %#llx", (unsigned long long)at);
    CHECK(is_in_vm() || at == cpu, "physical address %#llx, not %#llx",
          (unsigned long long)at, (unsigned long long)cpu);
    there = device_address(again + 0x123, "probe of the other mapping");
    CHECK(there == at, "one page at %#llx and at %#llx",
          (unsigned long long)at, (unsigned long long)there);
    there = device_address(a, "probe of the page's first byte");
    CHECK(there == at - 0x123, "a page's bytes at %#llx and at %#llx",
          (unsigned long long)at, (unsigned long long)there);
    there = device_address(a + page + 0x123, "probe of the next page");
    CHECK(there && there != at, "two pages at %#llx", (unsigned long long)at);
    CHECK(is_in_vm() || there == processor_address(a + page + 0x123),
          "the next page at %#llx", (unsigned long long)there);
    munmap(a, 2 * page);
    munmap(again, page);
    close(file);
}

/* What it says of pages: where they are, and what may be done there. */
static void test_probe2(void)
{
    uint8_t *rw = map_anon(page_bytes());
    const uint8_t *ro = mmap(NULL, page_bytes(), PROT_READ,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_PROBE2, .src = (uintptr_t)rw,
        .arg = PASID_DEV_PROBE_READ | PASID_DEV_PROBE_WRITE };
    const unsigned rights = PASID_DEV_PROBED_READ | PASID_DEV_PROBED_WRITE;
    PasidDevCompletion done;

    test_case("probe-for-rights");
    if (check_status(pasid_queue_run(&queue, &job, &done), &done,
                     PASID_DEV_DONE_OK, "a page to write")) {
        unsigned size_log2 = done.progress & PASID_DEV_PROBED_SIZE_MASK;

        CHECK((done.progress & rights) == rights, "told %#llx",
              (unsigned long long)done.progress);
        CHECK(size_log2 < 64 && 1ull << size_log2 >= page_bytes(),
              "a page of 2^%u bytes", size_log2);
    }
    job.src = (uintptr_t)ro;
    job.arg = PASID_DEV_PROBE_READ;
    if (check_status(pasid_queue_run(&queue, &job, &done), &done,
                     PASID_DEV_DONE_OK, "a page to read")) {
        CHECK((done.progress & rights) == PASID_DEV_PROBED_READ, "told %#llx",
              (unsigned long long)done.progress);
    }
    job.arg = PASID_DEV_PROBE_WRITE;
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_FAULT_WRITE, "to write to it");
}

/* Processor and device add to one word, both by 4 and by 8 bytes. */
static void test_atomics(void)
{
    uint64_t *words = (uint64_t *)map_anon(page_bytes());
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_FETCH_ADD, .len = 8, .dst = (uintptr_t)words,
        .arg = 1 };
    PasidDevCompletion done;
    int tickets[16];

    test_case("atomics");
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 16; i++) {
            job.len = i % 2 ? 4 : 8;
            tickets[i] = pasid_queue_submit(&queue, &job);
        }
        for (unsigned i = 0; i < 1000; i++) {
            __atomic_fetch_add(words, 1, __ATOMIC_RELAXED);
        }
        for (unsigned i = 0; i < 16; i++) {
            check_status(pasid_queue_wait(&queue, tickets[i], 10000, &done),
                         &done, PASID_DEV_DONE_OK, "fetch and add");
        }
    }
    CHECK(words[0] == 50 * 1016, "%llu instead of %u",
          (unsigned long long)words[0], 50 * 1016);
    job = (PasidDevDescriptor) {
        .op = PASID_DEV_OP_CAS, .len = 8, .dst = (uintptr_t)words,
        .arg = words[0], .arg2 = 5 };
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_OK, "compare and swap");
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_MISMATCH, "compare and swap again");
    CHECK(words[0] == 5 && done.result == 5, "%llu",
          (unsigned long long)words[0]);
    if (dev.ops & 1ull << PASID_DEV_OP_CAS16) {
        job = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_CAS16, .len = 16, .dst = (uintptr_t)words,
            .arg = 5, .arg3 = 6, .arg4 = 7 };
        check_status(pasid_queue_run(&queue, &job, &done), &done,
                     PASID_DEV_DONE_OK, "compare and swap of 16 bytes");
        CHECK(words[0] == 6 && words[1] == 7, "%llu, %llu",
              (unsigned long long)words[0], (unsigned long long)words[1]);
    }
}

#define BATCH   100

/* Its descriptors, records and data are all in pages that nobody touched. */
static void test_batch(void)
{
    static PasidDevDescriptor jobs[BATCH] __attribute__((aligned(64)));
    static PasidDevCompletion records[BATCH] __attribute__((aligned(32)));
    uint8_t *a = map_anon(64 * KIB), *b = map_anon(BATCH * page_bytes());
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_BATCH, .src = (uintptr_t)jobs,
        .dst = (uintptr_t)records, .len = BATCH };
    PasidDevCompletion done;

    test_case("batch");
    random_fill(a, 64 * KIB, 3);
    for (unsigned i = 0; i < BATCH; i++) {
        jobs[i] = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COPY, .tag = i, .src = (uintptr_t)a + i,
            .dst = (uintptr_t)b + i * page_bytes(), .len = 1000 };
    }
    if (check_status(pasid_queue_run(&queue, &job, &done), &done,
                     PASID_DEV_DONE_OK, "batch")) {
        CHECK(done.result == BATCH && done.progress == BATCH, "%llu of %llu",
              (unsigned long long)done.result,
              (unsigned long long)done.progress);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        CHECK(records[i].tag == i && records[i].status == PASID_DEV_DONE_OK,
              "record %u: tag %u, %s", i, records[i].tag,
              pasid_status_name(records[i].status));
        CHECK(!memcmp(a + i, b + i * page_bytes(), 1000), "copy %u differs",
              i);
    }
}

static void test_bad(void)
{
    PasidDevDescriptor job = { .op = 0xee, .tag = 5 };
    PasidDevCompletion done;

    test_case("bad-operation");
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_BAD_OP, "operation 0xee");

    test_case("bad-descriptor");
    job = (PasidDevDescriptor) { .op = PASID_DEV_OP_NOP, .reserved = 1 };
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_BAD_DESC, "a reserved field set");
    job = (PasidDevDescriptor) { .op = PASID_DEV_OP_SUM, .src = 4096,
                                 .len = UINT64_MAX };
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_BAD_DESC, "a length beyond the longest");
}

/* Order, wrap and reuse: 1000 jobs through a ring of 16. */
static void test_ring(void)
{
    PasidDevDescriptor job = { .op = PASID_DEV_OP_NOP };
    PasidDevCompletion done;
    int tickets[16], ret;

    test_case("ring");
    for (unsigned i = 0; i < 1000; i += 10) {
        for (unsigned j = 0; j < 10; j++) {
            job.tag = i + j;
            tickets[j] = pasid_queue_submit(&queue, &job);
            if (tickets[j] < 0) {
                test_give_up("submit: %d", tickets[j]);
            }
        }
        for (unsigned j = 0; j < 10; j++) {
            ret = pasid_queue_wait(&queue, tickets[j], 10000, &done);
            if (check_status(ret, &done, PASID_DEV_DONE_OK, "nop")) {
                CHECK(done.tag == i + j, "tag %u instead of %u", done.tag,
                      i + j);
            }
        }
    }
    job.tag = 0;
    for (unsigned j = 0; j < 16; j++) {
        tickets[j] = pasid_queue_submit(&queue, &job);
    }
    CHECK(pasid_queue_submit(&queue, &job) < 0, "a full ring took a job");
    for (unsigned j = 0; j < 16; j++) {
        ret = pasid_queue_wait(&queue, tickets[j], 10000, &done);
        check_status(ret, &done, PASID_DEV_DONE_OK, "nop");
    }
}

int main(void)
{
    test_begin("ops");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    test_nop();
    test_copy_fill_compare();
    test_crc_sum();
    test_list();
    test_probe();
    test_probe2();
    test_atomics();
    test_batch();
    test_bad();
    test_ring();
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
