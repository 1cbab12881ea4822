/*
 * Every alignment of source and destination within 64 bytes, and copies that
 * end or begin at every distance from a page's end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

#define RING_LOG2 8
#define RING (1u << RING_LOG2)
#define SLOT 512            /* of the destination, for each job */

static PasidDev dev;
static PasidQueue queue;

/*
 * One batch: for each destination offset, a job with its own slot of @dst,
 * all of the same source offset and length.
 */
static void one_batch(uint8_t *src, uint8_t *dst, unsigned src_offset,
                      size_t len)
{
    PasidDevDescriptor jobs[64] = { 0 };
    PasidDevCompletion done;
    int first;

    memset(dst, 0xcc, 64 * SLOT);
    for (unsigned i = 0; i < 64; i++) {
        jobs[i].op = PASID_DEV_OP_COPY;
        jobs[i].tag = i;
        jobs[i].src = (uintptr_t)src + src_offset;
        jobs[i].dst = (uintptr_t)dst + i * SLOT + 64 + i;
        jobs[i].len = len;
    }
    first = pasid_queue_submit_many(&queue, jobs, 64);
    if (first < 0) {
        test_give_up("submit: %d", first);
    }
    for (unsigned i = 0; i < 64; i++) {
        uint8_t *slot = dst + i * SLOT, *to = slot + 64 + i;

        if (!check_status(pasid_queue_wait(&queue, (uint16_t)(first + i),
                                           10000, &done), &done,
                          PASID_DEV_DONE_OK, "copy")) {
            test_give_up("source +%u, destination +%u, %zu bytes",
                         src_offset, i, len);
        }
        CHECK(!memcmp(to, src + src_offset, len) &&
              first_other(slot, 0xcc, 64 + i) == 64 + i &&
              first_other(to + len, 0xcc, SLOT - 64 - i - len) ==
              SLOT - 64 - i - len,
              "source +%u, destination +%u, %zu bytes: wrong bytes",
              src_offset, i, len);
    }
}

/* @len bytes to where only @before of them fit into the first page. */
static void across_a_page(const uint8_t *src, size_t before, size_t len)
{
    uint8_t *pages = map_anon(3 * page_bytes());
    uint8_t *to = pages + page_bytes() - before;
    PasidDevCompletion done;

    madvise(pages, 3 * page_bytes(), MADV_NOHUGEPAGE);
    if (check_status(pasid_copy(&queue, to, src + before, len, &done), &done,
                     PASID_DEV_DONE_OK, "copy")) {
        CHECK(!memcmp(to, src + before, len) && !to[len] &&
              (before == page_bytes() || !to[-1]),
              "%zu bytes, %zu of them before the page's end", len, before);
    }
    munmap(pages, 3 * page_bytes());
}

int main(void)
{
    static const size_t lengths[] = { 1, 7, 8, 63, 64, 65, 200 };
    size_t bytes = 16 * page_bytes();
    uint8_t *src = map_anon(bytes), *dst = map_anon(64 * SLOT);

    test_begin("alignments");
    random_fill(src, bytes, 4);
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, RING_LOG2);

    test_case("within-64-bytes");
    for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
        for (unsigned offset = 0; offset < 64; offset++) {
            one_batch(src, dst, offset, lengths[l]);
        }
    }
    test_case("across-a-page");
    for (size_t before = 0; before <= 130; before++) {
        across_a_page(src, before, 131);
    }
    for (size_t before = 1; before <= page_bytes();
         before += page_bytes() / 42) {
        across_a_page(src, before, page_bytes());
    }
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
