/*
 * Two processes with a device each use the same virtual addresses for
 * different data, at the same time. Neither sees the other's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

/* One below and one above 4 GiB, and one near the top of 48 bits. */
static uint8_t *const places[] = {
    (uint8_t *)0x40000000, (uint8_t *)0x700000000, (uint8_t *)0xfff000000000,
};
#define PLACES (sizeof(places) / sizeof(*places))
#define BYTES (256 * KIB)
#define ROUNDS 40

/* A barrier between the two processes: a byte each way. */
static void meet(int to, int from)
{
    char c = 0;

    if (write(to, &c, 1) != 1 || read(from, &c, 1) != 1) {
        exit(9);
    }
}

static int process(unsigned uio, unsigned me, int to, int from)
{
    PasidDev dev;
    PasidQueue queue;
    PasidDevCompletion done;

    open_device(&dev, uio);
    open_queue(&queue, &dev, 0, 4);
    for (unsigned place = 0; place < PLACES; place++) {
        uint8_t *src = places[place], *dst = src + BYTES;

        map_anon_at(src, 2 * BYTES);
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint64_t seed = round * 100 + place * 10 + me;

            random_fill(src, BYTES, seed);
            /* Every fourth time the device finds no page of its target. */
            if (round % 4 == 0) {
                madvise(dst, BYTES, MADV_DONTNEED);
            }
            meet(to, from);
            if (pasid_copy(&queue, dst, src, BYTES, &done) ||
                done.status != PASID_DEV_DONE_OK) {
                test_fail("process %u: copy: %s at %#llx", me,
                          pasid_status_name(done.status),
                          (unsigned long long)done.fault_addr);
                return 1;
            }
            meet(to, from);
            if (memcmp(src, dst, BYTES)) {
                test_fail("process %u, round %u, %p: differs at %zu", me,
                          round, (void *)src,
                          first_difference(src, dst, BYTES));
                return 1;
            }
            /* The source is still this process's own, too. */
            if (pasid_crc32c(&queue, src, BYTES, &done) ||
                done.result != reference_crc32c(src, BYTES)) {
                test_fail("process %u, round %u: CRC", me, round);
                return 1;
            }
        }
    }
    say("isolation: process %u: PASID %u on %s, %llu stalls", me, dev.pasid,
        dev.bdf, (unsigned long long)
        pasid_queue_read64(&queue, PASID_DEV_Q_COUNT_STALLS));
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return 0;
}

static void two_processes(unsigned uio_a, unsigned uio_b)
{
    int ab[2], ba[2], status;
    pid_t pid[2];

    if (pipe(ab) || pipe(ba)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    for (unsigned i = 0; i < 2; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            _exit(i ? process(uio_b, 1, ba[1], ab[0])
                    : process(uio_a, 0, ab[1], ba[0]));
        }
        if (pid[i] < 0) {
            test_give_up("fork: %s", strerror(errno));
        }
    }
    close(ab[0]), close(ab[1]), close(ba[0]), close(ba[1]);
    for (unsigned i = 0; i < 2; i++) {
        if (waitpid(pid[i], &status, 0) < 0 || status) {
            test_fail("process %u ended with status %#x", i, status);
        }
    }
}

int main(void)
{
    test_begin("isolation");
    test_case("two-devices");
    two_processes(0, 1);
    return test_end();
}
