/*
 * Copy, compare, CRC and fill between every two kinds of memory a process
 * has. The processor writes the source; nobody touches the destination, so
 * that the device's writes fault through the SMMU: mincore() sees no page of
 * it before and all of them after, and the device counts stalls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <malloc.h>
#include <string.h>
#include "libtest.h"

#define BYTES (160 * KIB + 123)
#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

static PasidDev dev;
static PasidQueue queue;

static void one_pair(MemoryKind from, MemoryKind to)
{
    Buffer a = buffer_new(from, BYTES), b = buffer_new(to, BYTES);
    /* Odd offsets: first and last pages are partial. */
    uint8_t *src = a.p + 5, *dst = b.p + 11;
    size_t n = BYTES - 16, huge, present;
    PasidDevCompletion done;
    Counts before;

    test_case("%s-to-%s", memory_name(from), memory_name(to));
    random_fill(a.p, BYTES, from * MEM_KINDS + to);

    present = pages_present(b.p, BYTES);
    if (to == MEM_MALLOC) {
        /* The allocator keeps its own words in the first page. */
        CHECK(present <= 1, "%zu pages of the destination present", present);
    } else {
        CHECK(present == 0, "%zu pages of the destination present", present);
    }

    before = counts_now(&dev);
    if (!check_status(pasid_copy(&queue, dst, src, n, &done), &done,
                      PASID_DEV_DONE_OK, "copy")) {
        goto out;
    }
    check_stalled_and_resumed(&dev, &before);
    CHECK(pages_present(b.p, BYTES) == BYTES / page_bytes() + 1 +
          ((uintptr_t)b.p % page_bytes() + BYTES % page_bytes() >
           page_bytes()), "pages of the destination are missing");
    CHECK(!memcmp(src, dst, n), "differs at %zu",
          first_difference(src, dst, n));
    CHECK(first_other(b.p, 0, 11) == 11 || to == MEM_MALLOC,
          "bytes before the copy changed");

    if (check_status(pasid_compare(&queue, src, dst, n, &done), &done,
                     PASID_DEV_DONE_OK, "compare")) {
        CHECK(done.result == n, "only %llu bytes are equal",
              (unsigned long long)done.result);
    }
    if (check_status(pasid_crc32c(&queue, dst, n, &done), &done,
                     PASID_DEV_DONE_OK, "crc")) {
        CHECK(done.result == reference_crc32c(src, n), "CRC %#llx",
              (unsigned long long)done.result);
    }
    if (check_status(pasid_fill(&queue, dst + 1, 0x5a5a5a5a5a5a5a5aull, n - 2,
                                &done), &done, PASID_DEV_DONE_OK, "fill")) {
        CHECK(first_other(dst + 1, 0x5a, n - 2) == n - 2,
              "the fill is wrong");
        CHECK(dst[0] == src[0] && dst[n - 1] == src[n - 1],
              "the fill went too far");
    }
    if (to == MEM_THP || to == MEM_HUGETLB) {
        huge = huge_bytes(b.base, b.base_bytes);
        CHECK(huge >= (to == MEM_THP ? huge_page_bytes() : 2 * MIB), "no huge page: %zu", huge);
    }
out:
    buffer_free(&a);
    buffer_free(&b);
}

int main(void)
{
    test_begin("buffers");
    /* What is freed goes back to the kernel, so that it comes back untouched. */
    mallopt(M_MMAP_THRESHOLD, 128 * KIB);
    mallopt(M_TOP_PAD, 0);
    if (!write_file(HUGE_PAGES, "8")) {
        test_give_up("no huge pages");
    }
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    for (int from = 0; from < MEM_KINDS; from++) {
        for (int to = 0; to < MEM_KINDS; to++) {
            if (memory_exists((MemoryKind)from) &&
                memory_exists((MemoryKind)to)) {
                one_pair((MemoryKind)from, (MemoryKind)to);
            }
        }
    }
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    write_file(HUGE_PAGES, "0");
    return test_end();
}
