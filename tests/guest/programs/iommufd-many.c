/*
 * iommufd, a part: many address spaces in one device at once, by PASID, while
 * it works in all of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>
#include "libiommufd.h"

/*
 * A PASID, and what belongs to it alone. All have their data and a list at the
 * same IOVAs; each has its own page at one where the others have nothing.
 */
typedef struct Space {
    int pasid;
    uint32_t ioas, hwpt;
    PasidQueue queue;
    int ticket;
    uint8_t *data, *own;
    ListNode *list;             /* of one node: without an end, at first */
} Space;

/* The first, the last, and those at the edges of tables of descriptors. */
static Space spaces[] = {
    { .pasid = 1 }, { .pasid = 2 }, { .pasid = 3 }, { .pasid = 1023 },
    { .pasid = 1024 }, { .pasid = 4097 }, { .pasid = 0x80000 },
    { .pasid = 0xfffff },
};

#define SPACES (sizeof(spaces) / sizeof(*spaces))
#define DATA_PAGES 16
#define DATA_BYTES (DATA_PAGES * page_bytes())
#define LIST_IOVA (IOVA + 64 * MIB)

static uint64_t own_iova(unsigned n)
{
    return IOVA + (128 + n) * MIB;
}

static void make(Space *s, unsigned n)
{
    const size_t page = page_bytes();

    s->ioas = ioas_new();
    s->data = pages_new(DATA_PAGES, n);
    s->own = pages_new(1, 100 + n);
    s->list = (ListNode *)(void *)pages_new(1, 0);
    s->list->next = iova_pointer(LIST_IOVA);
    s->list->value = 1;
    queue_for(&s->queue, n, s->pasid);
    map(s->ioas, s->data, DATA_BYTES, IOVA);
    map(s->ioas, s->list, page, LIST_IOVA);
    map(s->ioas, s->own, page, own_iova(n));
    map_queue(s->ioas, &s->queue);
    s->hwpt = hwpt_new(s->ioas, HWPT_PASID, 0);
    attach(s->hwpt, s->pasid);
}

/* Each writes its data, all at the same addresses, several jobs at a time. */
static void fill_all(void)
{
    for (unsigned page = 0; page < DATA_PAGES; page++) {
        for (unsigned n = 0; n < SPACES; n++) {
            Space *s = &spaces[n];

            s->ticket = submit(&s->queue, PASID_DEV_OP_FILL,
                               IOVA + page * page_bytes(), page_bytes(),
                               (uint8_t)(0x10 * n + page));
            CHECK(s->ticket >= 0, "PASID %#x: no room", s->pasid);
        }
        /* Half as many jobs as there is room for are under way. */
        for (unsigned n = 0; page % 8 == 7 && n < SPACES; n++) {
            for (int left = 7; left >= 0; left--) {
                PasidDevCompletion done = { 0 };
                int ret = pasid_queue_wait(&spaces[n].queue,
                                           spaces[n].ticket - left, 60000, &done);

                check_status(ret, &done, PASID_DEV_DONE_OK, "fill");
            }
        }
    }
    for (unsigned n = 0; n < SPACES; n++) {
        for (unsigned page = 0; page < DATA_PAGES; page++) {
            check_filled(spaces[n].data + page * page_bytes(),
                         (uint8_t)(0x10 * n + page), page_bytes(), "its data");
        }
    }
}

/* Each reaches what is its own, and nobody else's, to read or to write. */
static void keep_apart(void)
{
    for (unsigned n = 0; n < SPACES; n++) {
        PasidQueue *q = &spaces[n].queue;
        PasidDevCompletion done = { 0 };
        int ret = pasid_sum(q, iova_pointer(own_iova(n)), page_bytes(), &done);

        check_status(ret, &done, PASID_DEV_DONE_OK, "own page");
        CHECK(done.result == reference_sum(spaces[n].own, page_bytes()),
              "PASID %#x read something else", spaces[n].pasid);
    }
    for (unsigned n = 0; n < SPACES; n++) {
        unsigned other = (n + 1 + n % 3) % SPACES;
        void *p = iova_pointer(own_iova(other));
        PasidQueue *q = &spaces[n].queue;
        uint64_t sum = reference_sum(spaces[other].own, page_bytes());
        PasidDevCompletion done = { 0 };
        int ret = pasid_sum(q, p, page_bytes(), &done);

        check_refused(ret, &done, false, p, 0, "read of another's page");
        ret = pasid_fill(q, p, 0, page_bytes(), &done);
        check_refused(ret, &done, true, p, 0, "write of another's page");
        CHECK(reference_sum(spaces[other].own, page_bytes()) == sum,
              "PASID %#x wrote another's page", spaces[n].pasid);
    }
}

/* Jobs that end when something happens to their address space, in all. */
static void start_endless(void)
{
    for (unsigned n = 0; n < SPACES; n++) {
        PasidDevDescriptor job = endless_job();

        job.src = LIST_IOVA;
        job.arg = offsetof(ListNode, next);
        job.arg2 = offsetof(ListNode, value);
        spaces[n].ticket = pasid_queue_submit(&spaces[n].queue, &job);
    }
}

static void check_busy(unsigned first)
{
    for (unsigned n = first; n < SPACES; n++) {
        CHECK(!pasid_queue_done(&spaces[n].queue, spaces[n].ticket) &&
              (pasid_queue_read32(&spaces[n].queue, PASID_DEV_Q_STATUS) &
               PASID_DEV_Q_STATUS_BUSY), "PASID %#x works no more",
              spaces[n].pasid);
    }
}

static int wait_for(Space *s, PasidDevCompletion *done)
{
    return pasid_queue_wait(&s->queue, s->ticket, 60000, done);
}

static void change_while_busy(void)
{
    Space *unmapped = &spaces[0], *replaced = &spaces[1], *detached = &spaces[2];
    uint32_t ioas = ioas_new();
    ListNode *end = (ListNode *)(void *)pages_new(1, 0);
    PasidDevCompletion done = { 0 };
    int ret;

    start_endless();
    check_busy(0);

    test_case("unmapped-while-all-work");
    unmap(unmapped->ioas, LIST_IOVA, page_bytes());
    ret = wait_for(unmapped, &done);
    check_status(ret, &done, PASID_DEV_DONE_FAULT_READ, "list");
    CHECK(done.fault_addr - LIST_IOVA < sizeof(ListNode), "refused at %#llx",
          (unsigned long long)done.fault_addr);
    check_busy(1);

    /* In the new address space the list has an end: the job comes to it. */
    test_case("replaced-while-all-work");
    end->next = NULL;
    end->value = 1;
    map(ioas, end, page_bytes(), LIST_IOVA);
    map_queue(ioas, &replaced->queue);
    attach(hwpt_new(ioas, HWPT_PASID, 0), replaced->pasid);
    ret = wait_for(replaced, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "list");
    CHECK(done.result == done.progress && done.progress > 1,
          "%llu nodes, sum %llu", (unsigned long long)done.progress,
          (unsigned long long)done.result);
    check_busy(2);

    /* Not even its record can be written now. */
    test_case("detached-while-all-work");
    detach(detached->pasid);
    ret = wait_for(detached, &done);
    CHECK(ret == -EIO, "the job ended with %d, %s", ret,
          pasid_status_name(done.status));
    check_busy(3);

    /* The detached one's PASID for another address space. */
    test_case("attached-while-others-work");
    pasid_queue_close(&detached->queue);
    queue_for(&detached->queue, 2, detached->pasid);
    map_queue(unmapped->ioas, &detached->queue);
    attach(unmapped->hwpt, detached->pasid);
    fill_ok(&detached->queue, IOVA, 0xee, page_bytes(), "the first's data");
    check_filled(unmapped->data, 0xee, page_bytes(), "the first's data");
    check_busy(3);

    test_case("ended-by-memory");
    for (unsigned n = 3; n < SPACES; n++) {
        __atomic_store_n(&spaces[n].list->next, NULL, __ATOMIC_RELEASE);
        ret = wait_for(&spaces[n], &done);
        check_status(ret, &done, PASID_DEV_DONE_OK, "list");
        check_busy(n + 1);
    }
}

/* A number that is no PASID, and tables that are not made for one. */
static void refuse(void)
{
    uint32_t plain = hwpt_new(spaces[0].ioas, 0, 0);

    CHECK(try_attach(plain, 9) == -EINVAL, "tables without HWPT_PASID");
    CHECK(try_attach(spaces[0].hwpt, 0x100000) < 0, "PASID 0x100000");
}

void iommufd_many(void)
{
    test_case("all-at-once");
    for (unsigned n = 0; n < SPACES; n++) {
        make(&spaces[n], n);
    }
    fill_all();

    test_case("kept-apart");
    keep_apart();

    test_case("refused");
    refuse();

    change_while_busy();

    test_case("all-detached");
    for (unsigned n = 0; n < SPACES; n++) {
        detach(spaces[n].pasid);
    }
    for (unsigned n = 0; n < SPACES; n++) {
        check_shut_out(&spaces[n].queue, "after its end");
        pasid_queue_close(&spaces[n].queue);
    }
}
