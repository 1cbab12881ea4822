/*
 * iommufd, a part: the account of the pages that the device wrote.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include "libiommufd.h"

enum { CAP_DIRTY_TRACKING = 1 };
enum { DIRTY_NO_CLEAR = 1 };

#define DIRTY_PAGES 64      /* as many as a word of the bitmap has bits */
#define DIRTY_BYTES (DIRTY_PAGES * page_bytes())

static void set_dirty_tracking(uint32_t hwpt, bool on)
{
    struct {
        uint32_t size, flags, hwpt, reserved;
    } c = { .size = sizeof(c), .flags = on, .hwpt = hwpt };

    must_call(iommufd, CALL_SET_DIRTY, &c, "dirty tracking");
}

/* Bit n: page n from @iova on was written; at most 64. */
static uint64_t dirty_pages(uint32_t hwpt, uint64_t iova, size_t pages,
                            uint32_t flags)
{
    uint64_t bitmap = 0;
    struct {
        uint32_t size, hwpt, flags, reserved;
        uint64_t iova, bytes, page_bytes, bitmap;
    } c = {
        .size = sizeof(c), .hwpt = hwpt, .flags = flags, .iova = iova,
        .bytes = pages * page_bytes(), .page_bytes = page_bytes(),
        .bitmap = (uintptr_t)&bitmap,
    };

    must_call(iommufd, CALL_GET_DIRTY, &c, "dirty bitmap");
    return bitmap;
}

static void check_dirty(uint32_t hwpt, uint64_t expected, uint32_t flags,
                        const char *what)
{
    uint64_t found = dirty_pages(hwpt, IOVA, DIRTY_PAGES, flags);

    CHECK(found == expected, "%s: %#llx are dirty, not %#llx", what,
          (unsigned long long)found, (unsigned long long)expected);
}

/* The device writes a few bytes of each page of @set. */
static void write_pages(PasidQueue *q, uint8_t *memory, uint64_t set,
                        uint64_t pattern)
{
    for (unsigned i = 0; i < DIRTY_PAGES; i++) {
        size_t at = i * page_bytes() + 8 * (i % 500);
        PasidDevCompletion done = { 0 };

        if (set >> i & 1) {
            int ret = pasid_fill(q, iova_pointer(IOVA + at), pattern, 8, &done);

            check_status(ret, &done, PASID_DEV_DONE_OK, "write");
            CHECK(!memcmp(memory + at, &pattern, 8), "page %u not written", i);
        }
    }
}

static void read_pages(PasidQueue *q, const uint8_t *memory)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_sum(q, iova_pointer(IOVA), DIRTY_BYTES, &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, "read")) {
        CHECK(done.result == reference_sum(memory, DIRTY_BYTES),
              "wrong sum");
    }
}

/*
 * Taking the account makes pages clean in the tables. An SMMU that has them as
 * dirty in its TLB need not see that before an invalidation, and Linux (6.12
 * to 7.3) sends none: iommu_dirty_bitmap_record() leaves the gathered range
 * without a page size, arm_smmu_iotlb_sync() ignores such. So the pages are
 * mapped anew, with all the invalidations of that. A new mapping is dirty;
 * that, too, is for the account to clear.
 */
static void start_clean(uint32_t ioas, uint32_t hwpt, uint8_t *memory,
                        const PasidQueue *q)
{
    const uint64_t records = (uintptr_t)q->completions;

    unmap(ioas, IOVA, DIRTY_BYTES);
    map(ioas, memory, DIRTY_BYTES, IOVA);
    unmap(ioas, records, page_bytes());
    map(ioas, q->completions, page_bytes(), records);
    CHECK(dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0) == UINT64_MAX &&
          dirty_pages(hwpt, records, 1, 0) == 1, "a new mapping is clean");
    CHECK(!dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0) &&
          !dirty_pages(hwpt, records, 1, 0), "nothing becomes clean");
}

void iommufd_dirty(void)
{
    const uint64_t some = 0x8000000180000086, others = 0x00ff000000000012;
    struct {
        uint32_t size, flags, dev_id, data_bytes;
        uint64_t data;
        uint32_t type, pasid_bits;
        uint64_t capabilities;
    } info = { .size = sizeof(info), .dev_id = dev_id };
    uint8_t *memory = pages_new(DIRTY_PAGES, 1);
    uint32_t ioas = ioas_new(), hwpt;
    unsigned early = 0;
    PasidQueue q;

    test_case("capability");
    must_call(iommufd, CALL_HW_INFO, &info, "hardware information");
    CHECK(info.capabilities & CAP_DIRTY_TRACKING, "no dirty tracking: %#llx",
          (unsigned long long)info.capabilities);

    test_case("written-pages");
    queue_for(&q, 0, NO_PASID);
    map(ioas, memory, DIRTY_BYTES, IOVA);
    map_queue(ioas, &q);
    hwpt = hwpt_new(ioas, HWPT_DIRTY, 0);
    attach(hwpt, NO_PASID);
    /* What happened before does not count. */
    write_pages(&q, memory, 0xff, 1);
    set_dirty_tracking(hwpt, true);
    check_dirty(hwpt, 0, 0, "at first");
    start_clean(ioas, hwpt, memory, &q);
    read_pages(&q, memory);
    check_dirty(hwpt, 0, 0, "after reads");
    write_pages(&q, memory, some, 2);
    read_pages(&q, memory);
    check_dirty(hwpt, some, DIRTY_NO_CLEAR, "after writes");
    check_dirty(hwpt, some, 0, "again");
    check_dirty(hwpt, 0, 0, "cleared");

    test_case("queue-pages");
    CHECK(dirty_pages(hwpt, (uintptr_t)q.completions, 1, 0) == 1,
          "the records' page is clean");
    CHECK(dirty_pages(hwpt, (uintptr_t)q.ring, 1, 0) == 0,
          "the descriptors' page is dirty");

    test_case("written-again");
    read_pages(&q, memory);
    check_dirty(hwpt, 0, 0, "after reads of written pages");
    start_clean(ioas, hwpt, memory, &q);
    write_pages(&q, memory, some, 3);
    check_dirty(hwpt, some, 0, "the same pages");
    write_pages(&q, memory, some, 4);
    say("iommufd: pages %#llx written again, %#llx in the account without an "
        "invalidation", (unsigned long long)some,
        (unsigned long long)dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0));
    start_clean(ioas, hwpt, memory, &q);
    write_pages(&q, memory, others, 4);
    check_dirty(hwpt, others, 0, "others");
    for (unsigned i = 0; i < 20; i++) {
        uint64_t set = i % 2 ? some : some | others;

        start_clean(ioas, hwpt, memory, &q);
        write_pages(&q, memory, set, i);
        check_dirty(hwpt, set, 0, "in turn");
    }

    /* Each write is in the account taken meanwhile, or in the one after it. */
    test_case("written-meanwhile");
    for (unsigned i = 0; i < 300; i++) {
        unsigned page = i * 7 % 5 * 11;
        PasidDevDescriptor job = {
            .op = PASID_DEV_OP_FILL, .dst = IOVA + page * page_bytes(), .len = page_bytes(),
            .arg = i,
        };
        PasidDevCompletion done = { 0 };
        uint64_t during, after;
        int ticket;

        start_clean(ioas, hwpt, memory, &q);
        ticket = pasid_queue_submit(&q, &job);
        during = dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0);
        early += during != 0;
        check_status(pasid_queue_wait(&q, ticket, 60000, &done), &done,
                     PASID_DEV_DONE_OK, "write");
        after = dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0);
        CHECK((during | after) == UINT64_C(1) << page,
              "round %u: page %u was written, %#llx and %#llx are dirty", i,
              page, (unsigned long long)during, (unsigned long long)after);
    }
    say("iommufd: %u of 300 writes were already in the first account", early);

    test_case("started-anew");
    set_dirty_tracking(hwpt, false);
    write_pages(&q, memory, some, 5);
    set_dirty_tracking(hwpt, true);
    check_dirty(hwpt, 0, 0, "before the start");
    start_clean(ioas, hwpt, memory, &q);
    write_pages(&q, memory, others, 6);
    check_dirty(hwpt, others, 0, "after the start");

    pasid_queue_close(&q);
    detach(NO_PASID);
}
