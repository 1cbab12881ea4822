/*
 * Each operation of pasid-dev once, and what it makes of bad descriptors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <string.h>
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

/*
 * The probe says which physical address the SMMU gave; /proc/self/pagemap
 * says which one the processor uses.
 */
static void test_probe(void)
{
    size_t page = page_bytes();
    uint8_t *a = map_anon(page);
    PasidDevCompletion done;
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY);

    test_case("probe");
    if (check_status(pasid_probe(&queue, a + 0x123, true, &done), &done,
                     PASID_DEV_DONE_OK, "probe")) {
        CHECK(pages_present(a, 1) == 1, "the page was not faulted in");
        CHECK(a[0x123] == 0, "the probe wrote");
        if (CHECK(fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)a / page *
                  8)) == 8 && entry >> 63, "no pagemap entry")) {
            uint64_t pa = (entry & ((1ull << 55) - 1)) * page + 0x123;

            CHECK(done.result == pa, "physical address %#llx, not %#llx",
                  (unsigned long long)done.result, (unsigned long long)pa);
        }
    }
    close(fd);
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
    test_bad();
    test_ring();
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
