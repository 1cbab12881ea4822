/*
 * Sizes from one byte to 64 MiB, into memory nobody has touched.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

#define MOST (64 * MIB)

static PasidDev dev;
static PasidQueue queue;
static uint8_t *source;

static void one_size(size_t n)
{
    uint8_t *dst = map_anon(n + 2 * page_bytes());
    uint8_t *to = dst + page_bytes();
    PasidDevCompletion done;
    Counts before = counts_now(&dev);

    madvise(dst, n + 2 * page_bytes(), MADV_NOHUGEPAGE);
    CHECK(!pages_present(dst, n + 2 * page_bytes()), "touched before");
    if (!check_status(pasid_copy(&queue, to, source, n, &done), &done,
                      PASID_DEV_DONE_OK, "copy")) {
        return;
    }
    check_stalled_and_resumed(&dev, &before);
    CHECK(done.progress == n, "%zu bytes: progress %llu", n,
          (unsigned long long)done.progress);
    CHECK(!memcmp(source, to, n), "%zu bytes: differs at %zu", n,
          first_difference(source, to, n));
    CHECK(pages_present(dst, n + 2 * page_bytes()) ==
          (n + page_bytes() - 1) / page_bytes(),
          "%zu bytes: pages beside the destination came in", n);
    if (check_status(pasid_compare(&queue, source, to, n, &done), &done,
                     PASID_DEV_DONE_OK, "compare")) {
        CHECK(done.result == n, "%zu bytes: %llu equal", n,
              (unsigned long long)done.result);
    }
    if (check_status(pasid_crc32c(&queue, to, n, &done), &done,
                     PASID_DEV_DONE_OK, "crc")) {
        CHECK(done.result == reference_crc32c(source, n), "%zu bytes: CRC", n);
    }
    if (check_status(pasid_fill(&queue, to, 0, n, &done), &done,
                     PASID_DEV_DONE_OK, "fill")) {
        CHECK(first_other(to, 0, n < 2 * MIB ? n : 2 * MIB) ==
              (n < 2 * MIB ? n : 2 * MIB), "%zu bytes: fill", n);
        CHECK(to[n - 1] == 0, "%zu bytes: end of the fill", n);
    }
    munmap(dst, n + 2 * page_bytes());
}

int main(void)
{
    test_begin("sizes");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    source = map_anon(MOST);
    random_fill(source, MOST, 3);

    test_case("1-to-300-bytes");
    for (size_t n = 1; n <= 300; n++) {
        one_size(n);
    }
    test_case("around-powers-of-two");
    for (size_t n = 512; n <= MIB; n *= 2) {
        one_size(n - 1);
        one_size(n);
        one_size(n + 1);
    }
    for (size_t n = 4 * MIB; n <= MOST; n *= 4) {
        uint64_t start = now_us();
        Counts before = counts_now(&dev), c;

        test_case("%zu-MiB", n / MIB);
        one_size(n);
        c = counts_since(&dev, &before);
        say("sizes: %zu MiB copied, compared, summed up and filled: "
            "%llu stalls, %llu ms", n / MIB, (unsigned long long)c.stalls,
            (unsigned long long)(now_us() - start) / 1000);
    }
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
