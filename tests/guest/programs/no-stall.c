/*
 * A device whose accesses the SMMU must not stall: it reaches what is present
 * and is refused the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

#define BYTES (16 * page_bytes())

int main(void)
{
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDev dev;
    PasidQueue queue;
    PasidDevCompletion done = { 0 };
    Counts before, c;
    int ret;

    test_begin("no-stall");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    random_fill(src, BYTES, 1);
    madvise(dst, BYTES, MADV_NOHUGEPAGE);
    before = counts_now(&dev);

    test_case("untouched");
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_refused(ret, &done, true, dst, 0, "copy to untouched memory");

    test_case("half-touched");
    memset(dst, 0, BYTES / 2);
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_refused(ret, &done, true, dst + BYTES / 2, BYTES / 2,
                  "copy to memory half of which was touched");

    test_case("touched");
    memset(dst, 0, BYTES);
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "copy to touched memory");
    CHECK(!memcmp(src, dst, BYTES), "the copy differs");

    c = counts_since(&dev, &before);
    CHECK(c.stalls == 0, "%llu stalls", (unsigned long long)c.stalls);
    CHECK(c.aborts == 2, "%llu refused", (unsigned long long)c.aborts);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
