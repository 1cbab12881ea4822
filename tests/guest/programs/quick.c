/*
 * The shortest proof that SVA works here: the device writes memory nobody has
 * touched, through a page fault, and is refused memory that is gone.
 *
 *   quick [UIO]
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

#define BYTES (256 * KIB)

int main(int argc, char **argv)
{
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDev dev;
    PasidQueue queue;
    PasidDevCompletion done = { 0 };
    Counts before, c;
    int ret;

    test_begin("quick");
    open_device(&dev, argc > 1 ? (unsigned)atoi(argv[1]) : 0);
    open_queue(&queue, &dev, 0, 4);
    random_fill(src, BYTES, 1);
    madvise(dst, BYTES, MADV_NOHUGEPAGE);
    CHECK(!pages_present(dst, BYTES), "touched before");
    before = counts_now(&dev);
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "copy");
    check_stalled_and_resumed(&dev, &before);
    c = counts_since(&dev, &before);
    CHECK(c.stalls >= BYTES / page_bytes(), "only %llu stalls",
          (unsigned long long)c.stalls);
    CHECK(!memcmp(src, dst, BYTES), "the copy differs");
    munmap(dst, BYTES);
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_refused(ret, &done, true, dst, 0, "copy to unmapped memory");
    say("quick: PASID %u on %s, %llu stalls", dev.pasid, dev.bdf,
        (unsigned long long)c.stalls);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
