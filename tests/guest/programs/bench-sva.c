/*
 * bench, a part: a process whose memory pasid-dev works on. U says which
 * /dev/uioU.
 *
 *   copy U BYTES            from and to memory of malloc(), present
 *   touch U PAGES Q JOBS    one word of each new page, by Q queues with JOBS
 *                           jobs in work each: every one is a page fault
 *   bind U N                the device is opened and closed
 *   compute N BYTES U       N steps by the processor while the device copies
 *                           BYTES again and again; 0 BYTES: while it does not
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bench.h"
#include "libtest.h"

#define UIOS 2
#define QUEUES 8
#define RING_LOG2 12
#define BUSY_LOG2 15            /* the most there may be */

/* What is open stays so, but while "bind" is ordered. */
static PasidDev devs[UIOS];
static bool is_open[UIOS];

static PasidDev *device(unsigned long uio)
{
    if (uio >= UIOS) {
        test_give_up("no device %lu", uio);
    }
    if (!is_open[uio]) {
        open_device(&devs[uio], (unsigned)uio);
        is_open[uio] = true;
    }
    return &devs[uio];
}

/* Two buffers that stay the same from sample to sample: warm, and present. */
static void buffers(size_t bytes, uint8_t **src, uint8_t **dst)
{
    static uint8_t *from, *to;
    static size_t size;

    if (bytes > size) {
        free(from);
        free(to);
        from = malloc(bytes);
        to = malloc(bytes);
        size = bytes;
        if (!from || !to) {
            test_give_up("no memory");
        }
        random_fill(from, bytes, 1);
        memset(to, 0, bytes);
    }
    *src = from;
    *dst = to;
}

void bench_copy(const unsigned long *words)
{
    PasidQueue queue;
    PasidDevCompletion done;
    uint8_t *src, *dst;
    uint64_t start, ns;
    int ret;

    buffers(words[1], &src, &dst);
    open_queue(&queue, device(words[0]), 0, 4);
    /* So that neither this copy nor its check is the last sample's. */
    memset(dst, 0, words[1]);
    ret = pasid_copy(&queue, dst, src, 4096, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "first copy");
    start = bench_now_ns();
    ret = pasid_copy(&queue, dst, src, words[1], &done);
    ns = bench_now_ns() - start;
    if (!check_status(ret, &done, PASID_DEV_DONE_OK, "copy") ||
        memcmp(src, dst, words[1])) {
        test_give_up("the copy differs");
    }
    pasid_queue_close(&queue);
    bench_answer(ns, words[1]);
}

/* Queue @index of @n gets jobs for each n-th of the pages, by one doorbell. */
static void touch_submit(PasidQueue *q, unsigned index, unsigned n,
                         uint8_t *pages, size_t count)
{
    static PasidDevDescriptor jobs[1 << RING_LOG2];
    unsigned many = 0;

    for (size_t i = index; i < count; i += n) {
        jobs[many++] = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .arg = i + 1, .len = sizeof(uint64_t),
            .dst = (uintptr_t)pages + i * page_bytes(),
        };
    }
    if (pasid_queue_submit_many(q, jobs, many) < 0) {
        test_give_up("no room for %u jobs", many);
    }
}

static void touch_wait(PasidQueue *q, unsigned index, unsigned n,
                       const uint8_t *pages, size_t count)
{
    for (size_t i = index; i < count; i += n) {
        while (!pasid_queue_done(q, q->oldest)) {
            usleep(100);
        }
        if (pasid_queue_wait(q, q->oldest, 0, NULL) ||
            *(const uint64_t *)(const void *)(pages + i * page_bytes()) != i + 1) {
            test_give_up("page %zu was not written", i);
        }
    }
}

void bench_touch(const unsigned long *words)
{
    PasidDev *dev = device(words[0]);
    size_t count = words[1], bytes = count * page_bytes();
    unsigned n = (unsigned)words[2];
    PasidQueue queues[QUEUES];
    uint8_t *pages = map_anon(bytes);
    uint64_t start, ns;
    Counts c;

    if (!n || n > QUEUES || count > (size_t)n << RING_LOG2) {
        test_give_up("%zu pages by %u queues", count, n);
    }
    madvise(pages, bytes, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < n; i++) {
        if (pasid_queue_open_jobs(&queues[i], dev, i, RING_LOG2,
                                  (unsigned)words[3])) {
            test_give_up("no queue %u with %lu jobs", i, words[3]);
        }
        /* Their memory is not what is to fault. */
        memset(queues[i].ring, 0, sizeof(*queues[i].ring) << RING_LOG2);
        memset(queues[i].completions, 0,
               sizeof(*queues[i].completions) << RING_LOG2);
    }
    c = counts_now(dev);
    start = bench_now_ns();
    for (unsigned i = 0; i < n; i++) {
        touch_submit(&queues[i], i, n, pages, count);
    }
    for (unsigned i = 0; i < n; i++) {
        touch_wait(&queues[i], i, n, pages, count);
    }
    ns = bench_now_ns() - start;
    c = counts_since(dev, &c);
    if (c.stalls < count || c.stalls != c.retries) {
        test_give_up("%llu stalls, %llu retries for %zu pages",
                     (unsigned long long)c.stalls, (unsigned long long)c.retries,
                     count);
    }
    for (unsigned i = 0; i < n; i++) {
        pasid_queue_close(&queues[i]);
    }
    munmap(pages, bytes);
    bench_answer(ns, c.stalls);
}

void bench_bind(const unsigned long *words)
{
    char path[32];
    uint64_t start;

    /* The last one to close it ends the binding. */
    if (words[0] < UIOS && is_open[words[0]]) {
        pasid_dev_close(&devs[words[0]]);
        is_open[words[0]] = false;
    }
    snprintf(path, sizeof(path), "/dev/uio%lu", words[0]);
    start = bench_now_ns();
    for (unsigned long i = 0; i < words[1]; i++) {
        int fd = open(path, O_RDWR | O_CLOEXEC);

        if (fd < 0) {
            test_give_up("%s: %s", path, strerror(errno));
        }
        close(fd);
    }
    bench_answer(bench_now_ns() - start, words[1]);
}

/* Something that the compiler cannot do without its steps. */
static uint64_t steps(unsigned long n)
{
    uint64_t x = n;

    for (unsigned long i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(x));
    }
    return x;
}

/* So many copies that they outlast any computation, and the first is done. */
static void keep_busy(PasidQueue *q, size_t bytes)
{
    static PasidDevDescriptor jobs[1 << BUSY_LOG2];
    uint8_t *src, *dst;

    buffers(bytes, &src, &dst);
    for (unsigned i = 0; i < q->entries; i++) {
        jobs[i] = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COPY, .len = bytes,
            .src = (uintptr_t)src, .dst = (uintptr_t)dst,
        };
    }
    if (pasid_queue_submit_many(q, jobs, q->entries) ||
        pasid_queue_wait(q, 0, 60000, NULL)) {
        test_give_up("the device does not copy");
    }
}

void bench_compute(const unsigned long *words)
{
    PasidDev *dev = device(words[2]);
    PasidQueue queue;
    uint64_t start, ns, bytes;
    Counts c;

    open_queue(&queue, dev, 0, BUSY_LOG2);
    if (words[1]) {
        keep_busy(&queue, words[1]);
    }
    c = counts_now(dev);
    start = bench_now_ns();
    steps(words[0]);
    ns = bench_now_ns() - start;
    bytes = counts_since(dev, &c).bytes;
    if (words[1] && !(pasid_queue_read32(&queue, PASID_DEV_Q_STATUS) &
                      PASID_DEV_Q_STATUS_BUSY)) {
        test_give_up("the device did not work all the time");
    }
    pasid_queue_close(&queue);
    bench_answer(ns, bytes);
}
