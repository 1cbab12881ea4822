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
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (64 * KIB)
/* Where a victim maps what shows that its address space still exists. */
#define MARK ((void *)0x10000000)

static bool stalled;
static int slow_fd = -1, mark_fd;

/* The device is usable: a checked copy into untouched memory. */
static bool usable(PasidQueue *q)
{
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDevCompletion done;

    random_fill(src, BYTES, (uint64_t)getpid());
    return pasid_copy(q, dst, src, BYTES, &done) == 0 &&
           done.status == PASID_DEV_DONE_OK && !memcmp(src, dst, BYTES);
}

/* A process to be killed; says on @ready when the device is at it. */
static void victim(unsigned i, int ready)
{
    PasidDev dev;
    PasidQueue queues[2];
    PasidDevDescriptor job = { .op = PASID_DEV_OP_COPY };
    char path[64], word = 'x';
    unsigned n = i % 2 + 1;
    int mark, ret;

    /*
     * A lock of an open file that only the address space holds: the kernel
     * gives it up when the memory is gone, which may be after the process.
     */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", mark_fd);
    mark = open(path, O_RDWR | O_CLOEXEC);
    if (mark < 0 || flock(mark, LOCK_EX) ||
        mmap(MARK, 4096, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED_NOREPLACE, mark, 0) != MARK) {
        word = 'm';
        goto out;
    }
    close(mark);

    ret = pasid_dev_open(&dev, 0);
    if (ret) {
        word = 'o';
        goto out;
    }
    for (unsigned q = 0; q < n; q++) {
        if (pasid_queue_open(&queues[q], &dev, q, 4)) {
            word = 'q';
            goto out;
        }
        if (!usable(&queues[q])) {
            word = 'u';
            goto out;
        }
    }

    if (stalled) {
        uint8_t *slow = mmap(NULL, MIB, PROT_READ, MAP_SHARED, slow_fd,
                             i * (off_t)MIB);

        madvise(slow, MIB, MADV_RANDOM);
        job.src = (uintptr_t)slow;
        job.dst = (uintptr_t)map_anon(MIB);
        job.len = MIB;
    } else {
        job.src = (uintptr_t)map_anon(16 * MIB);
        job.dst = (uintptr_t)map_anon(16 * MIB);
        job.len = 16 * MIB;
    }
    for (unsigned q = 0; q < n; q++) {
        for (unsigned j = 0; j < 8; j++) {
            pasid_queue_submit(&queues[q], &job);
        }
    }
    if (stalled) {
        while (!(pasid_queue_read32(&queues[0], PASID_DEV_Q_STATUS) &
                 PASID_DEV_Q_STATUS_STALLED)) {
        }
    } else {
        while (!(pasid_queue_read32(&queues[0], PASID_DEV_Q_STATUS) &
                 PASID_DEV_Q_STATUS_BUSY)) {
        }
    }
out:
    if (write(ready, &word, 1) == 1) {
        pause();
    }
    _exit(7);
}

static bool one_life(unsigned i, uint64_t *gone_us)
{
    int ready[2], status;
    uint64_t start;
    char word = 0;
    pid_t pid;

    if (pipe(ready)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        close(ready[0]);
        victim(i, ready[1]);
    }
    close(ready[1]);
    if (pid < 0 || read(ready[0], &word, 1) != 1 || word != 'x') {
        test_fail("life %u: the victim got as far as '%c'", i,
                  word ? word : '0');
    }
    close(ready[0]);
    /* At different moments of the device's work. */
    if (!stalled) {
        usleep(i * 37 % 1500);
    }
    kill(pid, SIGKILL);
    start = now_us();
    if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) {
        test_fail("life %u: the victim ended with status %#x", i, status);
    }
    /* Its address space may outlive it: a fault is still being answered. */
    if (flock(mark_fd, LOCK_EX) || flock(mark_fd, LOCK_UN)) {
        test_fail("flock: %s", strerror(errno));
    }
    *gone_us = now_us() - start;
    return word == 'x';
}

int main(int argc, char **argv)
{
    unsigned times = argc > 2 ? (unsigned)atoi(argv[2]) : 200;
    uint64_t longest = 0, us, start;
    PasidDev dev;
    PasidQueue queue;

    stalled = argc > 1 && !strcmp(argv[1], "stalled");
    test_begin(stalled ? "kill-stalled" : "kill-working");
    mark_fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (mark_fd < 0 || ftruncate(mark_fd, 4096)) {
        test_give_up("a file in /tmp: %s", strerror(errno));
    }
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
    say("killed: %u processes killed while the device %s in %llu ms, gone after "
        "at most %llu us", times, stalled ? "was stalled" : "worked",
        (unsigned long long)(now_us() - start) / 1000,
        (unsigned long long)longest);

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
