/*
 * SVA jobs in the background, checked, until a file appears.
 *
 *   load STOP-FILE [moved]
 *
 * "moved": the machine is saved and loaded meanwhile. A stall of that moment
 * has no answer in the new machine; the device makes the access again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (512 * KIB)

int main(int argc, char **argv)
{
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDev dev;
    PasidQueue queue;
    PasidDevCompletion done = { 0 };
    unsigned jobs = 0;
    Counts before, c;

    test_begin("load");
    if (argc < 2) {
        test_give_up("usage: load STOP-FILE");
    }
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    before = counts_now(&dev);
    random_fill(src, BYTES, 1);
    madvise(dst, BYTES, MADV_NOHUGEPAGE);
    do {
        int ret;

        if (memory_is_populated()) {
            memset(dst, 0, BYTES);
        } else {
            madvise(dst, BYTES, MADV_DONTNEED);
        }
        ret = pasid_copy(&queue, dst, src, BYTES, &done);
        if (!check_status(ret, &done, PASID_DEV_DONE_OK, "copy") ||
            !CHECK(!memcmp(src, dst, BYTES), "job %u differs at %zu", jobs,
                   first_difference(src, dst, BYTES))) {
            break;
        }
        jobs++;
    } while (access(argv[1], F_OK) || jobs < 10);
    c = counts_since(&dev, &before);
    if (memory_is_populated()) {
        CHECK(!c.aborts, "%llu refused", (unsigned long long)c.aborts);
    } else if (argc > 2 && !strcmp(argv[2], "moved")) {
        CHECK(c.stalls > 0 && c.retries <= c.stalls &&
              c.retries + 1 >= c.stalls && !c.aborts,
              "%llu stalls, %llu retries, %llu refused",
              (unsigned long long)c.stalls, (unsigned long long)c.retries,
              (unsigned long long)c.aborts);
    } else {
        check_stalled_and_resumed(&dev, &before);
    }
    say("load: %u jobs, %llu stalls", jobs, (unsigned long long)c.stalls);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
