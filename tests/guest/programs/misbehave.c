/*
 * A device that does not answer when the kernel invalidates its translations,
 * as pages are unmapped: the kernel says so (the scenario knows the lines), goes
 * on, and so do the process and the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

#define BYTES (4 * page_bytes())

static PasidDev dev;
static PasidQueue queue;

static void commit(uint32_t faults)
{
    pasid_dev_write32(&dev, PASID_DEV_MISBEHAVE, faults);
    CHECK(pasid_dev_read32(&dev, PASID_DEV_MISBEHAVE) == faults,
          "the device does not misbehave");
}

/*
 * What the device has copied to is unmapped; it must have asked by ATS. Between
 * pieces that stay: a table of the last level that becomes empty would be freed,
 * which is an invalidation more, and the addresses are random.
 */
static void copy_and_unmap(const char *what)
{
    uint8_t *pieces = map_anon(5 * BYTES);
    uint8_t *src = pieces + BYTES, *dst = pieces + 3 * BYTES;
    uint64_t asked = pasid_dev_read64(&dev, PASID_DEV_COUNT_ATS_REQUESTS);
    PasidDevCompletion done = { 0 };
    int ret;

    random_fill(src, BYTES, 1);
    memset(dst, 0, BYTES);
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, what);
    CHECK(!memcmp(src, dst, BYTES), "%s: the copy differs", what);
    CHECK(pasid_dev_read64(&dev, PASID_DEV_COUNT_ATS_REQUESTS) > asked,
          "%s: ATS is not used", what);
    munmap(dst, BYTES);
    munmap(src, BYTES);
}

int main(void)
{
    test_begin("misbehave");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);

    test_case("well-behaved");
    copy_and_unmap("before");

    test_case("inv-unanswered");
    commit(PASID_DEV_MISBEHAVE_INV_UNANSWERED);
    copy_and_unmap("meanwhile");
    copy_and_unmap("again");

    test_case("recovered");
    commit(0);
    copy_and_unmap("after");

    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
