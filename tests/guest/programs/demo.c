/*
 * What `make demo` shows: a process gives its own memory to a device. Every
 * statement printed was checked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (16 * MIB)
#define NODES 100000

typedef unsigned long long ull;

static PasidDev dev;
static PasidQueue queue;
static uint8_t *text, *target;

static void tell(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A line of the report. */
static void tell(const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    say("demo: %s", line);
}

static void show_copy(void)
{
    size_t pages = BYTES / page_bytes(), before, after;
    PasidDevCompletion done = { 0 };
    Counts counts = counts_now(&dev), c;
    uint64_t start;
    int ret;

    text = malloc(BYTES);
    target = map_anon(BYTES);
    if (!text) {
        test_give_up("no memory");
    }
    madvise(target, BYTES, MADV_NOHUGEPAGE);
    random_fill(text, BYTES, 1);
    before = pages_present(target, BYTES);
    start = now_us();
    ret = pasid_copy(&queue, target, text, BYTES, &done);
    start = now_us() - start;
    check_status(ret, &done, PASID_DEV_DONE_OK, "copy");
    after = pages_present(target, BYTES);
    CHECK(before == 0 && after == pages, "pages: %zu before, %zu after",
          before, after);
    CHECK(!memcmp(text, target, BYTES), "the copy differs");
    check_stalled_and_resumed(&dev, &counts);
    c = counts_since(&dev, &counts);
    CHECK(c.stalls >= pages, "%llu stalls", (ull)c.stalls);

    tell("1. The device copied %zu MiB from malloc'ed memory to memory that "
         "nobody had touched:", BYTES / MIB);
    tell("   %zu of its %zu pages were present before, %zu after; the contents "
         "are equal.", before, pages, after);
    tell("   It took %llu page faults through the SMMU; each stalled, was "
         "served by Linux and", (ull)c.stalls);
    tell("   resumed. %llu ms.", (ull)start / 1000);

    start = now_us();
    ret = pasid_crc32c(&queue, target, BYTES, &done);
    start = now_us() - start;
    check_status(ret, &done, PASID_DEV_DONE_OK, "crc");
    CHECK(done.result == reference_crc32c(text, BYTES), "CRC");
    tell("   Its CRC-32C of the copy, %#llx, is what the processor computes. "
         "%llu ms.", (ull)done.result, (ull)start / 1000);
}

static void show_list(void)
{
    ListNode **nodes = malloc(NODES * sizeof(*nodes));
    PasidDevCompletion done = { 0 };
    uint64_t state = 2, sum, start;
    int ret;

    for (size_t i = 0; nodes && i < NODES; i++) {
        nodes[i] = malloc(sizeof(ListNode) + random_next(&state) % 256);
        if (!nodes[i]) {
            test_give_up("no memory");
        }
    }
    sum = list_shuffle(nodes, NODES, 2);
    start = now_us();
    ret = pasid_list(&queue, nodes[0], NODES, offsetof(ListNode, next),
                     offsetof(ListNode, value), &done);
    start = now_us() - start;
    check_status(ret, &done, PASID_DEV_DONE_OK, "list");
    CHECK(done.progress == NODES && done.result == sum, "list");
    tell("2. It followed the pointers of a linked list, %llu nodes scattered "
         "over the heap,", (ull)done.progress);
    tell("   and added up their values correctly. %llu ms.",
         (ull)start / 1000);
}

static void show_unmap(void)
{
    PasidDevCompletion done = { 0 };
    int ret;

    munmap(target + BYTES / 2, BYTES / 2);
    ret = pasid_fill(&queue, target, 0, BYTES, &done);
    check_refused(ret, &done, true, target + BYTES / 2, BYTES / 2,
                  "fill of unmapped memory");
    tell("3. The process unmapped the second half of the copy. The device, "
         "asked to clear all of");
    tell("   it, was refused at %#llx, the first byte that is gone, after "
         "%llu MiB.", (ull)done.fault_addr, (ull)done.progress / MIB);
}

static void show_fork(void)
{
    uint8_t *page = map_anon(page_bytes());
    PasidDevCompletion done = { 0 };
    int go[2], status = -1, ret;
    pid_t pid;

    memset(page, 'a', page_bytes());
    if (pipe(go)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        char c;

        _exit(read(go[0], &c, 1) == 1 &&
              first_other(page, 'a', page_bytes()) == page_bytes() ? 0 : 1);
    }
    ret = pasid_fill(&queue, page, 0x6262626262626262ull, page_bytes(), &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "fill after fork");
    if (write(go[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid) {
        test_give_up("fork: %s", strerror(errno));
    }
    CHECK(status == 0, "the child sees the device's write");
    CHECK(first_other(page, 'b', page_bytes()) == page_bytes(),
          "the parent does not");
    tell("4. After a fork the device wrote to a page that parent and child "
         "shared: the parent");
    tell("   sees it, the child still has its own copy.");
}

static void show_kill(void)
{
    PasidDevCompletion done = { 0 };
    int ends[2], status = -1, fd, ret;
    uint64_t start;
    pid_t pid;

    /* The device can belong to one process at a time. */
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) {
        test_give_up("socketpair: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        PasidDevDescriptor job = {
            .op = PASID_DEV_OP_FILL, .dst = (uintptr_t)map_anon(64 * MIB),
            .len = 64 * MIB,
        };

        open_device(&dev, 0);
        open_queue(&queue, &dev, 0, 4);
        for (int i = 0; i < 8; i++) {
            pasid_queue_submit(&queue, &job);
        }
        while (!pasid_queue_read64(&queue, PASID_DEV_Q_COUNT_STALLS)) {
        }
        if (send_word(ends[1], 'x', dev.fd)) {
            pause();
        }
        _exit(1);
    }
    if (receive_word(ends[0], &fd) != 'x' || fd < 0) {
        test_give_up("no child");
    }
    start = now_us();
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    /* Why not without this duplicate: see killed.c. */
    usleep(20000);
    close(fd);
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    ret = pasid_compare(&queue, text, text, MIB, &done);
    start = now_us() - start;
    check_status(ret, &done, PASID_DEV_DONE_OK, "compare");
    CHECK(WIFSIGNALED(status) && done.result == MIB, "after the kill");
    tell("5. Another process was killed while the device wrote its memory. "
         "%llu us later the", (ull)start);
    tell("   device had done a job for this one.");
}

int main(void)
{
    Counts c;

    test_begin("demo");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    tell("A process shares its address space with pasid-dev at %s, by "
         "PASID %u.", dev.bdf, dev.pasid);
    show_copy();
    show_list();
    show_unmap();
    show_fork();
    show_kill();
    c = counts_now(&dev);
    CHECK(c.bounced == 0, "%llu bytes bounced", (ull)c.bounced);
    tell("In all: %llu jobs, %llu MiB read and written, %llu page faults.",
         (ull)c.jobs, (ull)c.bytes / MIB, (ull)c.stalls);
    tell("Bytes copied through bounce buffers: %llu.", (ull)c.bounced);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
