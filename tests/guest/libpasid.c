/*
 * A small user-space driver for pasid-dev: see libpasid.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libpasid.h"

/* Memory written before is visible to the device before its register is. */
static void before_doorbell(void)
{
#ifdef __aarch64__
    __asm__ volatile("dmb oshst" ::: "memory");
#else
    __sync_synchronize();
#endif
}

uint32_t pasid_dev_read32(const PasidDev *dev, unsigned reg)
{
    return *(volatile uint32_t *)(dev->bar + reg);
}

uint64_t pasid_dev_read64(const PasidDev *dev, unsigned reg)
{
    return *(volatile uint64_t *)(dev->bar + reg);
}

void pasid_dev_write32(const PasidDev *dev, unsigned reg, uint32_t value)
{
    before_doorbell();
    *(volatile uint32_t *)(dev->bar + reg) = value;
}

uint32_t pasid_queue_read32(const PasidQueue *q, unsigned reg)
{
    return *(volatile uint32_t *)(q->portal + reg);
}

uint64_t pasid_queue_read64(const PasidQueue *q, unsigned reg)
{
    return *(volatile uint64_t *)(q->portal + reg);
}

void pasid_queue_write32(const PasidQueue *q, unsigned reg, uint32_t value)
{
    before_doorbell();
    *(volatile uint32_t *)(q->portal + reg) = value;
}

void pasid_queue_write64(const PasidQueue *q, unsigned reg, uint64_t value)
{
    before_doorbell();
    *(volatile uint64_t *)(q->portal + reg) = value;
}

/* One number from a file of sysfs, decimal or 0x...; -errno. */
static long long sysfs_number(const char *path)
{
    char text[64];
    FILE *f = fopen(path, "re");
    long long value = -EIO;

    if (!f) {
        return -errno;
    }
    if (fgets(text, sizeof(text), f)) {
        value = strtoll(text, NULL, 0);
    }
    fclose(f);
    return value;
}

int pasid_dev_open(PasidDev *dev, unsigned uio)
{
    char path[128], target[PATH_MAX];
    long long bytes, pasid;
    ssize_t n;
    int ret;

    memset(dev, 0, sizeof(*dev));
    dev->fd = -1;

    snprintf(path, sizeof(path), "/sys/class/uio/uio%u/device", uio);
    n = readlink(path, target, sizeof(target) - 1);
    if (n < 0) {
        return -ENODEV;
    }
    target[n] = 0;
    snprintf(dev->bdf, sizeof(dev->bdf), "%s", strrchr(target, '/') + 1);

    snprintf(path, sizeof(path), "/sys/class/uio/uio%u/maps/map0/size", uio);
    bytes = sysfs_number(path);
    if (bytes < 2 * PASID_DEV_PAGE_BYTES) {
        return -ENODEV;
    }

    /* The kernel binds our address space here... */
    snprintf(path, sizeof(path), "/dev/uio%u", uio);
    dev->fd = open(path, O_RDWR | O_CLOEXEC);
    if (dev->fd < 0) {
        return -errno;
    }
    /* ... and tells under which PASID. */
    snprintf(path, sizeof(path), "/sys/class/uio/uio%u/device/pasid", uio);
    pasid = sysfs_number(path);
    if (pasid <= 0) {
        ret = pasid < 0 ? (int)pasid : -EINVAL;
        goto fail;
    }
    dev->pasid = (uint32_t)pasid;

    /*
     * Map the registers through the same file: the binding then lives until
     * the mapping is gone, also when the process is killed.
     */
    dev->bar_bytes = (size_t)bytes;
    dev->bar = mmap(NULL, dev->bar_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                    dev->fd, 0);
    if (dev->bar == MAP_FAILED) {
        ret = -errno;
        dev->bar = NULL;
        goto fail;
    }
    if (pasid_dev_read32(dev, PASID_DEV_MAGIC) != PASID_DEV_MAGIC_VALUE) {
        ret = -ENODEV;
        goto fail;
    }
    if (pasid_dev_read32(dev, PASID_DEV_VERSION) < PASID_DEV_VERSION_VALUE) {
        ret = -EPROTO;
        goto fail;
    }
    dev->queues = pasid_dev_read32(dev, PASID_DEV_QUEUES);
    dev->ops = pasid_dev_read64(dev, PASID_DEV_OPS);
    return 0;

fail:
    if (dev->bar) {
        munmap((void *)dev->bar, dev->bar_bytes);
        dev->bar = NULL;
    }
    close(dev->fd);
    dev->fd = -1;
    return ret;
}

void pasid_dev_close(PasidDev *dev)
{
    if (dev->fd < 0) {
        return;
    }
    munmap((void *)dev->bar, dev->bar_bytes);
    dev->bar = NULL;
    close(dev->fd);
    dev->fd = -1;
}

/* Anonymous memory; the device faults it in like any other. */
static void *ring_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        return NULL;
    }
    /* A child must not share the ring of a running queue copy-on-write. */
    madvise(p, bytes, MADV_DONTFORK);
    return p;
}

static int queue_open(PasidQueue *q, PasidDev *dev, unsigned index,
                      unsigned entries_log2, uint32_t pasid, unsigned jobs)
{
    memset(q, 0, sizeof(*q));
    if (index >= dev->queues || entries_log2 > 15) {
        return -EINVAL;
    }
    q->dev = dev;
    q->index = index;
    q->entries = 1u << entries_log2;
    q->portal = dev->bar + (1 + index) * PASID_DEV_PAGE_BYTES;
    q->ring = ring_memory(q->entries * sizeof(*q->ring));
    q->completions = ring_memory(q->entries * sizeof(*q->completions));
    if (!q->ring || !q->completions) {
        pasid_queue_close(q);
        return -ENOMEM;
    }

    /* Whoever had it before may have died without stopping it. */
    pasid_queue_write32(q, PASID_DEV_Q_CTRL, 0);

    pasid_dev_write32(dev, PASID_DEV_QUEUE_PASID(index),
                      pasid | PASID_DEV_PASID_VALID);
    pasid_dev_write32(dev, PASID_DEV_QUEUE_FLAGS(index), 0);
    pasid_queue_write64(q, PASID_DEV_Q_RING, (uintptr_t)q->ring);
    pasid_queue_write64(q, PASID_DEV_Q_COMPLETIONS,
                        (uintptr_t)q->completions);
    pasid_queue_write32(q, PASID_DEV_Q_SIZE_LOG2, entries_log2);
    pasid_queue_write32(q, PASID_DEV_Q_CTRL,
                        PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ |
                        PASID_DEV_Q_CTRL_JOBS(jobs));
    if (!(pasid_queue_read32(q, PASID_DEV_Q_STATUS) &
          PASID_DEV_Q_STATUS_ENABLED)) {
        pasid_queue_close(q);
        return -EIO;
    }
    return 0;
}

int pasid_queue_open_as(PasidQueue *q, PasidDev *dev, unsigned index,
                        unsigned entries_log2, uint32_t pasid)
{
    return queue_open(q, dev, index, entries_log2, pasid, 1);
}

int pasid_queue_open_jobs(PasidQueue *q, PasidDev *dev, unsigned index,
                          unsigned entries_log2, unsigned jobs)
{
    return queue_open(q, dev, index, entries_log2, dev->pasid, jobs);
}

int pasid_queue_open(PasidQueue *q, PasidDev *dev, unsigned index,
                     unsigned entries_log2)
{
    return queue_open(q, dev, index, entries_log2, dev->pasid, 1);
}

void pasid_queue_close(PasidQueue *q)
{
    if (q->portal) {
        pasid_queue_write32(q, PASID_DEV_Q_CTRL, 0);
    }
    if (q->ring) {
        munmap(q->ring, q->entries * sizeof(*q->ring));
    }
    if (q->completions) {
        munmap(q->completions, q->entries * sizeof(*q->completions));
    }
    memset(q, 0, sizeof(*q));
}

int pasid_queue_submit_many(PasidQueue *q, const PasidDevDescriptor *jobs,
                            unsigned count)
{
    uint16_t first = q->tail;

    if ((uint16_t)(q->tail - q->oldest) + count > q->entries) {
        return -EAGAIN;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned slot = (uint16_t)(first + i) % q->entries;

        q->ring[slot] = jobs[i];
        q->completions[slot].status = PASID_DEV_DONE_PENDING;
    }
    q->tail = (uint16_t)(first + count);
    pasid_queue_write32(q, PASID_DEV_Q_TAIL, q->tail);
    return first;
}

int pasid_queue_submit(PasidQueue *q, const PasidDevDescriptor *job)
{
    return pasid_queue_submit_many(q, job, 1);
}

bool pasid_queue_done(const PasidQueue *q, int ticket)
{
    const PasidDevCompletion *c =
        &q->completions[(unsigned)ticket % q->entries];

    return __atomic_load_n(&c->status, __ATOMIC_ACQUIRE) !=
           PASID_DEV_DONE_PENDING;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int pasid_queue_wait(PasidQueue *q, int ticket, unsigned timeout_ms,
                     PasidDevCompletion *done)
{
    uint64_t deadline = now_ms() + timeout_ms;
    unsigned turn = 0;

    while (!pasid_queue_done(q, ticket)) {
        turn++;
        if (turn < 64) {
            continue;
        }
        if (turn % 64 == 0) {
            if (pasid_queue_read32(q, PASID_DEV_Q_STATUS) &
                PASID_DEV_Q_STATUS_ERROR) {
                /* The record may have come just before the error. */
                if (pasid_queue_done(q, ticket)) {
                    break;
                }
                return -EIO;
            }
            if (now_ms() > deadline) {
                return -ETIMEDOUT;
            }
        }
        if (turn < 256) {
            sched_yield();
        } else {
            struct timespec nap = { .tv_nsec = 50 * 1000 };

            nanosleep(&nap, NULL);
        }
    }
    if (done) {
        *done = q->completions[(unsigned)ticket % q->entries];
    }
    q->oldest = (uint16_t)(ticket + 1);
    return 0;
}

int pasid_queue_run(PasidQueue *q, const PasidDevDescriptor *job,
                    PasidDevCompletion *done)
{
    int ticket = pasid_queue_submit(q, job);

    return ticket < 0 ? ticket : pasid_queue_wait(q, ticket, 60000, done);
}

int pasid_copy(PasidQueue *q, void *to, const void *from, size_t bytes,
               PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_COPY,
        .src = (uintptr_t)from, .dst = (uintptr_t)to, .len = bytes,
    };

    return pasid_queue_run(q, &job, done);
}

int pasid_fill(PasidQueue *q, void *to, uint64_t pattern, size_t bytes,
               PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_FILL,
        .dst = (uintptr_t)to, .len = bytes, .arg = pattern,
    };

    return pasid_queue_run(q, &job, done);
}

int pasid_compare(PasidQueue *q, const void *a, const void *b, size_t bytes,
                  PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_COMPARE,
        .src = (uintptr_t)a, .dst = (uintptr_t)b, .len = bytes,
    };

    return pasid_queue_run(q, &job, done);
}

int pasid_crc32c(PasidQueue *q, const void *from, size_t bytes,
                 PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_CRC32C, .src = (uintptr_t)from, .len = bytes,
    };

    return pasid_queue_run(q, &job, done);
}

int pasid_sum(PasidQueue *q, const void *from, size_t bytes,
              PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_SUM, .src = (uintptr_t)from, .len = bytes,
    };

    return pasid_queue_run(q, &job, done);
}

int pasid_list(PasidQueue *q, const void *first, size_t nodes,
               size_t next_offset, size_t value_offset,
               PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_LIST, .src = (uintptr_t)first, .len = nodes,
        .arg = next_offset, .arg2 = value_offset,
    };

    return pasid_queue_run(q, &job, done);
}

int pasid_probe(PasidQueue *q, const void *where, bool write,
                PasidDevCompletion *done)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_PROBE, .src = (uintptr_t)where, .arg = write,
    };

    return pasid_queue_run(q, &job, done);
}

const char *pasid_status_name(uint32_t status)
{
    static const char *const names[] = {
        [PASID_DEV_DONE_PENDING] = "pending",
        [PASID_DEV_DONE_OK] = "ok",
        [PASID_DEV_DONE_MISMATCH] = "mismatch",
        [PASID_DEV_DONE_FAULT_READ] = "read refused",
        [PASID_DEV_DONE_FAULT_WRITE] = "write refused",
        [PASID_DEV_DONE_BAD_OP] = "bad operation",
        [PASID_DEV_DONE_BAD_DESC] = "bad descriptor",
    };

    return status < sizeof(names) / sizeof(*names) ? names[status] : "unknown";
}
