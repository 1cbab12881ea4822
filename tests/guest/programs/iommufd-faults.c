/*
 * iommufd, a part: page faults that user space answers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <unistd.h>
#include "libiommufd.h"

static void faults_of(int pasid, const char *name)
{
    const size_t page = page_bytes();
    uint8_t *memory = pages_new(3, 4);
    uint32_t ioas = ioas_new(), fault_queue, hwpt, cookie;
    int faults = fault_queue_new(&fault_queue), ticket, ret;
    PasidDevCompletion done = { 0 };
    Counts before;
    PasidQueue q;

    test_case("%s-served", name);
    queue_for(&q, 0, pasid);
    map_queue(ioas, &q);
    hwpt = hwpt_new(ioas, HWPT_FAULTS | (pasid == NO_PASID ? 0 : HWPT_PASID),
                    fault_queue);
    attach(hwpt, pasid);
    before = counts_now(&dev);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA, 2 * page, 0x11);
    for (unsigned i = 0; i < 2; i++) {
        cookie = next_fault(faults, pasid, IOVA + i * page, PERM_WRITE);
        CHECK(!pasid_queue_done(&q, ticket), "done without its page");
        CHECK(pasid_queue_read32(&q, PASID_DEV_Q_STATUS) &
              PASID_DEV_Q_STATUS_STALLED, "the queue does not wait");
        map(ioas, memory + i * page, page, IOVA + i * page);
        answer(faults, cookie, ANSWER_SUCCESS);
    }
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_filled(memory, 0x11, page, "first");
    check_filled(memory + page, 0x11, page, "second");
    check_stalled_and_resumed(&dev, &before);

    test_case("%s-refused", name);
    ticket = submit(&q, PASID_DEV_OP_SUM, IOVA + 64, 2 * page, 0);
    cookie = next_fault(faults, pasid, IOVA + 2 * page, PERM_READ);
    answer(faults, cookie, ANSWER_INVALID);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA + 2 * page),
                  2 * page - 64, "read");

    /* An answer that is not true only brings the next fault. */
    test_case("%s-answered-in-vain", name);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA + 2 * page, page, 0x22);
    for (unsigned i = 0; i < 3; i++) {
        cookie = next_fault(faults, pasid, IOVA + 2 * page, PERM_WRITE);
        answer(faults, cookie, ANSWER_SUCCESS);
    }
    cookie = next_fault(faults, pasid, IOVA + 2 * page, PERM_WRITE);
    answer(faults, cookie, ANSWER_INVALID);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + 2 * page), 0, "write");

    test_case("%s-permission", name);
    map_with(ioas, memory + 2 * page, page, IOVA + 2 * page, MAP_READ);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA + 2 * page, page, 0x33);
    cookie = next_fault(faults, pasid, IOVA + 2 * page, PERM_WRITE);
    unmap(ioas, IOVA + 2 * page, page);
    map(ioas, memory + 2 * page, page, IOVA + 2 * page);
    answer(faults, cookie, ANSWER_SUCCESS);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_filled(memory + 2 * page, 0x33, page, "third");

    /* Linux answers for us. Then nothing of the queue's can be reached. */
    test_case("%s-detached-while-stalled", name);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA + 3 * page, page, 0x44);
    next_fault(faults, pasid, IOVA + 3 * page, PERM_WRITE);
    detach(pasid);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    CHECK(ret == -EIO, "the job ended with %d, %s", ret,
          pasid_status_name(done.status));
    CHECK(pasid_queue_read32(&q, PASID_DEV_Q_ERROR) ==
          PASID_DEV_Q_ERROR_COMPLETION, "queue error %u",
          pasid_queue_read32(&q, PASID_DEV_Q_ERROR));
    pasid_queue_close(&q);
    close(faults);
}

void iommufd_faults(void)
{
    faults_of(NO_PASID, "function");
    faults_of(5, "pasid");
}
