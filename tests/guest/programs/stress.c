/*
 * Threads with a queue each copy without end while others change the same
 * address space all the time: page faults, invalidations and jobs overlap.
 *
 *   stress [JOBS]     of each thread
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define WORKERS 4
#define BYTES (128 * KIB)

static PasidDev dev;
static PasidQueue queues[WORKERS];
static unsigned jobs_each;
static atomic_bool stop;
static atomic_uint jobs, changes, working = WORKERS;
static pthread_mutex_t failing = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what, unsigned me, const PasidDevCompletion *done)
{
    pthread_mutex_lock(&failing);
    test_fail("thread %u: %s: %s at %#llx", me, what,
              pasid_status_name(done->status),
              (unsigned long long)done->fault_addr);
    pthread_mutex_unlock(&failing);
    stop = true;
}

static void *worker(void *opaque)
{
    unsigned me = (unsigned)(uintptr_t)opaque;
    PasidQueue *q = &queues[me];
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    uint64_t state = me + 1;
    PasidDevCompletion done = { 0 };

    madvise(dst, BYTES, MADV_NOHUGEPAGE);
    random_fill(src, BYTES, me);
    for (unsigned i = 0; i < jobs_each && !stop; i++) {
        size_t from = random_next(&state) % (BYTES / 2);
        size_t to = random_next(&state) % (BYTES / 2);
        size_t n = 1 + random_next(&state) % (BYTES / 2);

        switch (random_next(&state) % 4) {
        case 0:
            madvise(dst, BYTES, MADV_DONTNEED);
            break;
        case 1:
            munmap(dst, BYTES);
            dst = map_anon(BYTES);
            madvise(dst, BYTES, MADV_NOHUGEPAGE);
            break;
        case 2:
            mprotect(dst, BYTES, PROT_READ);
            mprotect(dst, BYTES, PROT_READ | PROT_WRITE);
            break;
        default:
            break;
        }
        if (pasid_copy(q, dst + to, src + from, n, &done) ||
            done.status != PASID_DEV_DONE_OK) {
            fail("copy", me, &done);
        } else if (memcmp(dst + to, src + from, n)) {
            fail("the copy differs", me, &done);
        }
        jobs++;
    }
    working--;
    return NULL;
}

/* Other parts of the address space change. */
static void *changer(void *opaque)
{
    size_t bytes = 64 * page_bytes();

    (void)opaque;
    while (!stop) {
        uint8_t *p = map_anon(bytes);

        for (size_t i = 0; i < bytes; i += page_bytes()) {
            p[i] = 1;
        }
        mprotect(p, bytes / 2, PROT_READ);
        madvise(p + bytes / 2, bytes / 4, MADV_DONTNEED);
        munmap(p, bytes);
        changes++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t start = now_us();
    pthread_t threads[WORKERS + 1];
    Counts before, c;

    jobs_each = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
    test_begin("stress");
    open_device(&dev, 0);
    before = counts_now(&dev);
    for (unsigned i = 0; i < WORKERS; i++) {
        open_queue(&queues[i], &dev, i, 2);
        pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)i);
    }
    pthread_create(&threads[WORKERS], NULL, changer, NULL);
    while (working && !stop) {
        pid_t pid;
        int status;

        usleep(50000);
        /* All of it becomes copy-on-write for a moment. */
        pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        waitpid(pid, &status, 0);
    }
    stop = true;
    for (unsigned i = 0; i <= WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    c = counts_since(&dev, &before);
    check_stalled_and_resumed(&dev, &before);
    CHECK(changes > 0, "nothing changed meanwhile");
    say("stress: %u jobs, %u changes, %llu stalls in %llu ms", jobs, changes,
        (unsigned long long)c.stalls,
        (unsigned long long)(now_us() - start) / 1000);
    for (unsigned i = 0; i < WORKERS; i++) {
        pasid_queue_close(&queues[i]);
    }
    pasid_dev_close(&dev);
    return test_end();
}
