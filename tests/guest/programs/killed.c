/*
 * A process is killed while the device works for it. The device is usable
 * again at once, by the next process; the kernel's log stays clean (that is
 * for the host to see).
 *
 *   killed working TIMES
 *   killed stalled TIMES SLOW-DISK
 *
 * "stalled": the device waits for a page of a slow disk when the process
 * dies, and the kernel answers it afterwards.
 *
 * This process keeps a duplicate of each victim's device file until the device
 * has stopped. The kernel first takes the dead process's memory from under the
 * device, which aborts quietly, and then, with the last duplicate, the
 * PASID. Without a duplicate the second step may overtake page faults that are
 * still being served: Linux 7.3 then uses memory that it has freed, whatever
 * the hardware does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (64 * KIB)
/* Of the slow disk, for each victim: a thousand pages, seconds of stalls. */
#define SLOW_BYTES (4 * MIB)
/* Queues that victim i uses. */
#define QUEUES(i) ((i) % 2 + 1)
/* What a victim gives each queue: one copy that ends, COPIES, and an endless job. */
#define COPIES 8

static bool stalled;
static int slow_fd = -1, mark;
static unsigned copying, walking;       /* what the queues were at */

/* The device is usable: a checked copy into untouched memory. */
static bool usable(PasidQueue *q)
{
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDevCompletion done;

    random_fill(src, BYTES, (uint64_t)getpid());
    return pasid_copy(q, dst, src, BYTES, &done) == 0 &&
           done.status == PASID_DEV_DONE_OK && !memcmp(src, dst, BYTES);
}

/* A process to be killed; tells @parent when the device is at it. */
static void victim(unsigned i, int parent)
{
    PasidDev dev;
    PasidQueue queues[2];
    PasidDevDescriptor job = { .op = PASID_DEV_OP_COPY };
    PasidDevDescriptor last = endless_job();
    uint32_t at_it = stalled ? PASID_DEV_Q_STATUS_STALLED
                             : PASID_DEV_Q_STATUS_BUSY;
    char word = 0;
    unsigned n = QUEUES(i);

    populate_memory();
    if (!space_mark_hold(mark)) {
        word = 'm';
    }
    if (!word && pasid_dev_open(&dev, 0)) {
        word = 'o';
    }
    for (unsigned q = 0; q < n && !word; q++) {
        if (pasid_queue_open(&queues[q], &dev, q, 4)) {
            word = 'q';
        } else if (!usable(&queues[q])) {
            word = 'u';
        }
    }
    if (word) {
        send_word(parent, word, -1);
        _exit(7);
    }

    job.len = stalled ? SLOW_BYTES : 16 * MIB;
    job.dst = (uintptr_t)map_anon(job.len);
    if (stalled) {
        void *slow = mmap(NULL, SLOW_BYTES, PROT_READ, MAP_SHARED, slow_fd,
                          i * (off_t)SLOW_BYTES);

        madvise(slow, SLOW_BYTES, MADV_RANDOM);
        job.src = (uintptr_t)slow;
    } else {
        job.src = (uintptr_t)map_anon(job.len);
    }
    for (unsigned q = 0; q < n; q++) {
        for (unsigned j = 0; j < COPIES; j++) {
            pasid_queue_submit(&queues[q], &job);
        }
        pasid_queue_submit(&queues[q], &last);
    }
    while (!(pasid_queue_read32(&queues[0], PASID_DEV_Q_STATUS) & at_it)) {
    }
    if (send_word(parent, 'x', dev.fd)) {
        pause();
    }
    _exit(7);
}

/*
 * The process is dead and its memory gone: its queues stop by themselves, for
 * the device is refused everything. No queue can have come to its end before.
 * By ATS the device may still have where its records go when it is refused
 * what the jobs are about, and come to the queue's end so: Linux takes its
 * translations away only after it has taken the tables.
 */
static void check_stops(unsigned i, int fd)
{
    size_t bytes = (1 + QUEUES(i)) * PASID_DEV_PAGE_BYTES;
    volatile uint8_t *bar = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED, fd, 0);
    uint64_t start = now_us();

    if (bar == MAP_FAILED) {
        test_fail("life %u: mmap: %s", i, strerror(errno));
        return;
    }
    for (unsigned q = 0; q < QUEUES(i); q++) {
        volatile uint8_t *portal = bar + (1 + q) * PASID_DEV_PAGE_BYTES;
        volatile uint32_t *status =
            (volatile uint32_t *)(portal + PASID_DEV_Q_STATUS);
        uint32_t done;
        bool refused;

        while (*status & PASID_DEV_Q_STATUS_BUSY) {
            if (now_us() - start > 5000000) {
                test_fail("life %u: queue %u goes on, status %#x", i, q,
                          *status);
                break;
            }
            usleep(100);
        }
        CHECK(!(*status & PASID_DEV_Q_STATUS_STALLED),
              "life %u: queue %u is stalled", i, q);
        done = *(volatile uint32_t *)(portal + PASID_DEV_Q_HEAD);
        refused = *(volatile uint64_t *)(portal + PASID_DEV_Q_COUNT_ABORTS);
        CHECK(refused, "life %u: queue %u was refused nothing", i, q);
        CHECK(done <= 2 + COPIES, "life %u: queue %u did %u jobs", i, q, done);
        if (done < 1 + COPIES) {
            copying++;
        } else {
            walking++;
        }
    }
    munmap((void *)bar, bytes);
}

static bool one_life(unsigned i, uint64_t *gone_us)
{
    int ends[2], status, fd;
    uint64_t start;
    char word = 0;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends)) {
        test_give_up("socketpair: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        victim(i, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        test_give_up("fork: %s", strerror(errno));
    }
    word = receive_word(ends[0], &fd);
    close(ends[0]);
    /* At different moments of the device's work. */
    if (!stalled) {
        usleep(i * 37 % 1500);
    }
    kill(pid, SIGKILL);
    start = now_us();
    if (waitpid(pid, &status, 0) != pid || (word == 'x' &&
                                            !WIFSIGNALED(status))) {
        test_fail("life %u: the victim ended with status %#x", i, status);
    }
    if (word != 'x' || fd < 0) {
        test_fail("life %u: the victim got as far as '%c'", i,
                  word ? word : '0');
        return false;
    }
    /* Its address space may outlive it: a fault is still being served. */
    space_mark_wait(mark);
    check_stops(i, fd);
    close(fd);
    *gone_us = now_us() - start;
    return !test_failures();
}

int main(int argc, char **argv)
{
    unsigned times = argc > 2 ? (unsigned)atoi(argv[2]) : 200;
    uint64_t longest = 0, us, start;
    PasidDev dev;
    PasidQueue queue;

    stalled = argc > 1 && !strcmp(argv[1], "stalled");
    test_begin(stalled ? "kill-stalled" : "kill-working");
    mark = space_mark_new();
    if (stalled) {
        slow_fd = argc > 3 ? open(argv[3], O_RDONLY | O_CLOEXEC) : -1;
        if (slow_fd < 0) {
            test_give_up("no slow disk");
        }
    }
    start = now_us();
    for (unsigned i = 0; i < times; i++) {
        if (!one_life(i, &us)) {
            break;
        }
        if (us > longest) {
            longest = us;
        }
    }
    say("killed: %u processes killed while the device %s in %llu ms; the device "
        "free after at most %llu us", times, stalled ? "was stalled" : "worked",
        (unsigned long long)(now_us() - start) / 1000,
        (unsigned long long)longest);
    say("killed: %u queues were at a copy, %u at the endless list", copying,
        walking);

    open_device(&dev, 0);
    for (unsigned q = 0; q < 2; q++) {
        open_queue(&queue, &dev, q, 4);
        CHECK(usable(&queue), "queue %u is not usable afterwards", q);
        pasid_queue_close(&queue);
    }
    CHECK(!(pasid_dev_read32(&dev, PASID_DEV_STATUS) & PASID_DEV_STATUS_BUSY),
          "the device is busy with nothing");
    pasid_dev_close(&dev);
    return test_end();
}
