/*
 * A complete user of pasid-dev: a process that has the device work in its own
 * memory, through the kernel's uio_pci_generic_sva. Printed in pasid-dev.rst,
 * and run in guests by tests/guest/programs/example.c. Not a library.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pasid-dev-abi.h"

#define QUEUE       0
#define SIZE_LOG2   4                   /* 16 entries */
#define ENTRIES     (1u << SIZE_LOG2)
#define BYTES       (64 * 1024)

/* ---- Registers ---------------------------------------------------------- */

static volatile uint8_t *bar;           /* BAR0, all of it */

static void write32(unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(bar + offset) = value;
}

static void write64(unsigned offset, uint64_t value)
{
    *(volatile uint64_t *)(bar + offset) = value;
}

static uint32_t read32(unsigned offset)
{
    return *(volatile uint32_t *)(bar + offset);
}

/* A register of our queue's portal */
static unsigned portal(unsigned reg)
{
    return (1 + QUEUE) * PASID_DEV_PAGE_BYTES + reg;
}

static long number_in(const char *path)
{
    FILE *f = fopen(path, "r");
    long n = -1;

    if (f) {
        if (fscanf(f, "%li", &n) != 1) {
            n = -1;
        }
        fclose(f);
    }
    return n;
}

/* ---- The queue ---------------------------------------------------------- */

/* Memory of this process like any other: the device faults it in. */
static PasidDevDescriptor ring[ENTRIES] __attribute__((aligned(64)));
static PasidDevCompletion records[ENTRIES] __attribute__((aligned(32)));
static uint16_t tail;

/* Set-up: whose memory it works in, where the ring is, two jobs at once. */
static int queue_open(uint32_t pasid)
{
    write32(portal(PASID_DEV_Q_CTRL), 0);
    write32(PASID_DEV_QUEUE_PASID(QUEUE), pasid | PASID_DEV_PASID_VALID);
    write64(portal(PASID_DEV_Q_RING), (uintptr_t)ring);
    write64(portal(PASID_DEV_Q_COMPLETIONS), (uintptr_t)records);
    write32(portal(PASID_DEV_Q_SIZE_LOG2), SIZE_LOG2);
    write32(portal(PASID_DEV_Q_CTRL),
            PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_JOBS(2));
    return read32(portal(PASID_DEV_Q_STATUS)) & PASID_DEV_Q_STATUS_ENABLED
           ? 0 : -1;
}

/* Hand a job over; its record will be the one that is returned. */
static const PasidDevCompletion *submit(PasidDevDescriptor job)
{
    PasidDevCompletion *record = &records[tail % ENTRIES];

    record->status = PASID_DEV_DONE_PENDING;
    ring[tail++ % ENTRIES] = job;
    /* Before the device hears of it, it is in memory. */
#ifdef __aarch64__
    __asm__ volatile("dmb oshst" ::: "memory");
#endif
    write32(portal(PASID_DEV_Q_TAIL), tail);
    return record;
}

/* Until the status is there; after it the rest is, and what the job wrote. */
static uint32_t wait_for(const PasidDevCompletion *record)
{
    uint32_t status;

    while (!(status = __atomic_load_n(&record->status, __ATOMIC_ACQUIRE)) &&
           !(read32(portal(PASID_DEV_Q_STATUS)) & PASID_DEV_Q_STATUS_ERROR)) {
        sched_yield();
    }
    return status;
}

/* What is in work comes to its end; nothing is begun. */
static void queue_close(void)
{
    write32(portal(PASID_DEV_Q_CTRL),
            PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_DRAIN);
    while (!(read32(portal(PASID_DEV_Q_STATUS)) &
             (PASID_DEV_Q_STATUS_DRAINED | PASID_DEV_Q_STATUS_ERROR))) {
        sched_yield();
    }
    write32(portal(PASID_DEV_Q_CTRL), 0);
}

/* ---- Work --------------------------------------------------------------- */

static int work(void)
{
    uint8_t *src = malloc(BYTES), *dst = malloc(BYTES);
    static uint64_t done_flag;
    const PasidDevCompletion *copy, *flag, *probe;
    int wrong;

    if (!src || !dst) {
        return 1;
    }
    memset(src, 0x5a, BYTES);
    /* Nobody has touched dst: its pages come while the device waits. */
    copy = submit((PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = (uintptr_t)src,
        .dst = (uintptr_t)dst, .len = BYTES });
    /* This one does not wait for the copy... */
    probe = submit((PasidDevDescriptor) {
        .op = PASID_DEV_OP_PROBE2, .src = (uintptr_t)src,
        .arg = PASID_DEV_PROBE_READ });
    /* ... and this one does, because of the fence. */
    flag = submit((PasidDevDescriptor) {
        .op = PASID_DEV_OP_CAS, .flags = PASID_DEV_DESC_FENCE,
        .dst = (uintptr_t)&done_flag, .len = sizeof(done_flag),
        .arg = 0, .arg2 = 1 });

    wrong = wait_for(flag) != PASID_DEV_DONE_OK ||
            copy->status != PASID_DEV_DONE_OK || copy->progress != BYTES ||
            probe->status != PASID_DEV_DONE_OK ||
            !(probe->progress & PASID_DEV_PROBED_READ) ||
            done_flag != 1 || memcmp(src, dst, BYTES);
    printf("copied %llu bytes, page of 2^%u bytes at %#llx\n",
           (unsigned long long)copy->progress,
           (unsigned)(probe->progress & PASID_DEV_PROBED_SIZE_MASK),
           (unsigned long long)probe->result);
    queue_close();
    free(src);
    free(dst);
    return wrong;
}

int main(void)
{
    long bytes = number_in("/sys/class/uio/uio0/maps/map0/size"), pasid;
    int fd = open("/dev/uio0", O_RDWR);     /* binds our address space */
    int ret = 1;

    if (fd < 0 || bytes <= 0) {
        return 1;
    }
    pasid = number_in("/sys/class/uio/uio0/device/pasid");
    bar = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (pasid > 0 && bar != MAP_FAILED &&
        read32(PASID_DEV_MAGIC) == PASID_DEV_MAGIC_VALUE &&
        read32(PASID_DEV_VERSION) >= 2 && queue_open(pasid) == 0) {
        ret = work();
    }
    if (bar != MAP_FAILED) {
        munmap((void *)bar, bytes);
    }
    close(fd);
    return ret;
}
