/*
 * All queues at once; and a queue that stalls holds up no other. The stall is
 * a page of a slow disk: the kernel's fault handler waits for it.
 *
 *   queues SLOW-DISK
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

#define MOST 8
#define SLOW_PAGES 24
#define BYTES (32 * KIB)

static PasidDev dev;
static PasidQueue queues[MOST];

static void test_together(unsigned n)
{
    uint8_t *src = map_anon(n * BYTES), *dst = map_anon(n * BYTES);
    PasidDevCompletion done;

    test_case("together");
    random_fill(src, n * BYTES, 1);
    for (unsigned round = 0; round < 50; round++) {
        int tickets[MOST];

        madvise(dst, n * BYTES, MADV_DONTNEED);
        for (unsigned i = 0; i < n; i++) {
            PasidDevDescriptor job = {
                .op = PASID_DEV_OP_COPY, .tag = i,
                .src = (uintptr_t)src + i * BYTES,
                .dst = (uintptr_t)dst + i * BYTES, .len = BYTES,
            };

            tickets[i] = pasid_queue_submit(&queues[i], &job);
        }
        for (unsigned i = 0; i < n; i++) {
            int ret = pasid_queue_wait(&queues[i], tickets[i], 20000, &done);

            if (!check_status(ret, &done, PASID_DEV_DONE_OK, "copy")) {
                test_give_up("queue %u, round %u", i, round);
            }
            CHECK(done.tag == i, "queue %u: tag %u", i, done.tag);
        }
        CHECK(!memcmp(src, dst, n * BYTES), "round %u: differs at %zu", round,
              first_difference(src, dst, n * BYTES));
    }
}

static void test_one_stalled(unsigned n, const char *disk)
{
    int fd = open(disk, O_RDONLY | O_CLOEXEC);
    uint8_t *slow = fd < 0 ? MAP_FAILED
        : mmap(NULL, SLOW_PAGES * page_bytes(), PROT_READ, MAP_SHARED, fd,
               64 * (off_t)MIB);
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_SUM, .src = (uintptr_t)slow,
        .len = SLOW_PAGES * page_bytes(),
    };
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    unsigned others = 0;
    PasidDevCompletion done;
    uint64_t start;
    int ticket, ret;

    test_case("one-stalled");
    if (slow == MAP_FAILED) {
        test_give_up("%s: %s", disk, strerror(errno));
    }
    madvise(slow, SLOW_PAGES * page_bytes(), MADV_RANDOM);
    random_fill(src, BYTES, 2);

    ticket = pasid_queue_submit(&queues[0], &job);
    start = now_us();
    while (!(pasid_queue_read32(&queues[0], PASID_DEV_Q_STATUS) &
             PASID_DEV_Q_STATUS_STALLED)) {
        if (now_us() - start > 5000000) {
            test_give_up("the job does not stall");
        }
    }
    for (unsigned i = 1; i < n; i++) {
        madvise(dst, BYTES, MADV_DONTNEED);
        ret = pasid_copy(&queues[i], dst, src, BYTES, &done);
        check_status(ret, &done, PASID_DEV_DONE_OK, "another queue's copy");
        CHECK(!memcmp(src, dst, BYTES), "another queue's copy differs");
        others += !pasid_queue_done(&queues[0], ticket);
    }
    CHECK(others > 0, "no copy was done while queue 0 was stalled");
    say("queues: %u copies by other queues, faults and all, while one was "
        "stalled", others);
    ret = pasid_queue_wait(&queues[0], ticket, 30000, &done);
    if (check_status(ret, &done, PASID_DEV_DONE_OK, "the stalled job")) {
        CHECK(done.result == 0 && done.progress == job.len,
              "sum of a disk of zeroes is %llu",
              (unsigned long long)done.result);
    }

    /* Disabling a queue with a stalled job abandons it at once. */
    test_case("disable-stalled");
    job.src = (uintptr_t)mmap(NULL, page_bytes(), PROT_READ, MAP_SHARED, fd,
                              128 * (off_t)MIB);
    job.len = page_bytes();
    ticket = pasid_queue_submit(&queues[0], &job);
    start = now_us();
    while (!(pasid_queue_read32(&queues[0], PASID_DEV_Q_STATUS) &
             PASID_DEV_Q_STATUS_STALLED)) {
        if (now_us() - start > 5000000) {
            test_give_up("the job does not stall");
        }
    }
    pasid_queue_write32(&queues[0], PASID_DEV_Q_CTRL, 0);
    CHECK(!(pasid_queue_read32(&queues[0], PASID_DEV_Q_STATUS) &
            (PASID_DEV_Q_STATUS_STALLED | PASID_DEV_Q_STATUS_ENABLED)),
          "still stalled or enabled");
    CHECK(!pasid_queue_done(&queues[0], ticket), "it completed");
    pasid_queue_close(&queues[0]);
    open_queue(&queues[0], &dev, 0, 4);
    madvise(dst, BYTES, MADV_DONTNEED);
    ret = pasid_copy(&queues[0], dst, src, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "the queue again");
    CHECK(!memcmp(src, dst, BYTES), "the queue's next copy differs");
    /* The kernel is done with the fault: see pasid_dev_close(). */
    CHECK(*(volatile uint8_t *)job.src == 0, "a disk of zeroes");
    usleep(20000);
}

/* In one queue, too, if it has several jobs in work. */
static void test_jobs(const char *disk)
{
    int fd = open(disk, O_RDONLY | O_CLOEXEC);
    const size_t bytes = SLOW_PAGES * page_bytes();
    uint8_t *slow = fd < 0 ? MAP_FAILED
        : mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 192 * (off_t)MIB);
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_SUM, .src = (uintptr_t)slow, .len = bytes };
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDevCompletion done;
    int ticket, behind[3], fenced;
    unsigned before = 0;

    test_case("jobs");
    if (slow == MAP_FAILED) {
        test_give_up("%s: %s", disk, strerror(errno));
    }
    madvise(slow, bytes, MADV_RANDOM);
    random_fill(src, BYTES, 4);
    pasid_queue_close(&queues[0]);
    if (pasid_queue_open_jobs(&queues[0], &dev, 0, 4, 3) != 0) {
        test_give_up("no queue with three jobs in work");
    }
    ticket = pasid_queue_submit(&queues[0], &job);
    job = (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = (uintptr_t)src,
        .dst = (uintptr_t)dst, .len = BYTES };
    for (unsigned i = 0; i < 3; i++) {
        behind[i] = pasid_queue_submit(&queues[0], &job);
    }
    job.op = PASID_DEV_OP_NOP;
    job.flags = PASID_DEV_DESC_FENCE;
    fenced = pasid_queue_submit(&queues[0], &job);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t start = now_us();

        while (!pasid_queue_done(&queues[0], behind[i])) {
            if (now_us() - start > 10000000) {
                test_give_up("copy %u is not done", i);
            }
        }
        before += !pasid_queue_done(&queues[0], ticket);
    }
    CHECK(before > 0, "no copy was done before the job that waits for a disk");
    CHECK(!memcmp(src, dst, BYTES), "the copies differ");
    if (check_status(pasid_queue_wait(&queues[0], ticket, 30000, &done), &done,
                     PASID_DEV_DONE_OK, "the stalled job")) {
        CHECK(done.progress == bytes, "%llu bytes",
              (unsigned long long)done.progress);
    }
    for (unsigned i = 0; i < 3; i++) {
        check_status(pasid_queue_wait(&queues[0], behind[i], 10000, &done),
                     &done, PASID_DEV_DONE_OK, "a copy");
    }
    check_status(pasid_queue_wait(&queues[0], fenced, 10000, &done), &done,
                 PASID_DEV_DONE_OK, "behind the fence");
}

/* As an operating system does before it takes the address space away */
static void test_pasid_abort(void)
{
    PasidDevDescriptor job = endless_job();
    PasidDevCompletion done;

    test_case("pasid-abort");
    for (unsigned i = 0; i < 2; i++) {
        pasid_queue_submit(&queues[i], &job);
    }
    pasid_dev_write32(&dev, PASID_DEV_PASID_TARGET,
                      dev.pasid | PASID_DEV_PASID_VALID);
    pasid_dev_write32(&dev, PASID_DEV_PASID_COMMAND,
                      PASID_DEV_PASID_COMMAND_ABORT);
    CHECK(pasid_dev_read32(&dev, PASID_DEV_PASID_STATUS) ==
          PASID_DEV_PASID_STATUS_DONE, "it is not done");
    for (unsigned i = 0; i < 2; i++) {
        CHECK(pasid_queue_read32(&queues[i], PASID_DEV_Q_ERROR) ==
              PASID_DEV_Q_ERROR_CLOSED, "queue %u is not closed", i);
        pasid_queue_close(&queues[i]);
        open_queue(&queues[i], &dev, i, 4);
        job = (PasidDevDescriptor) { .op = PASID_DEV_OP_NOP };
        check_status(pasid_queue_run(&queues[i], &job, &done), &done,
                     PASID_DEV_DONE_OK, "the queue again");
    }
}

int main(int argc, char **argv)
{
    unsigned n;

    test_begin("queues");
    open_device(&dev, 0);
    n = dev.queues < MOST ? dev.queues : MOST;
    CHECK(n == MOST, "only %u queues", n);
    for (unsigned i = 0; i < n; i++) {
        open_queue(&queues[i], &dev, i, 4);
    }
    test_together(n);
    if (argc > 1) {
        test_one_stalled(n, argv[1]);
        test_jobs(argv[1]);
    }
    test_pasid_abort();
    for (unsigned i = 0; i < n; i++) {
        pasid_queue_close(&queues[i]);
    }
    pasid_dev_close(&dev);
    return test_end();
}
