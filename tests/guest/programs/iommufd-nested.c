/*
 * iommufd, a part: two stages, of which the first is ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "libnested.h"

enum { VEVENTQ_SMMUV3 = 1 };

typedef struct VEvent {
    uint32_t flags, sequence;
    uint64_t words[SMMU3_EVENT_WORDS];
} VEvent;

/* Where stage 2 has the memory of a guest of ours. */
#define GUEST_IPA       UINT64_C(0x40000000)

/* The next event that Linux hands to the guest. */
static VEvent next_event(int events)
{
    struct pollfd p = { .fd = events, .events = POLLIN };
    VEvent e = { 0 };

    if (poll(&p, 1, 20000) != 1 || read(events, &e, sizeof(e)) != (ssize_t)sizeof(e)) {
        test_fail("no event");
    }
    CHECK(e.flags == 0, "flags %#x", e.flags);
    CHECK(smmu3_get(e.words, EVENT_STREAMID) == VSID, "StreamID %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_STREAMID));
    return e;
}

void iommufd_nested(void)
{
    enum { ASID0 = 7, ASID1 = 8 };
    struct {
        uint32_t size, flags, viommu, type, depth, out_id, out_fd, reserved;
    } eventq = { .size = sizeof(eventq), .type = VEVENTQ_SMMUV3, .depth = 64 };
    uint64_t commands[2][SMMU3_CMD_WORDS] = { { 0 } };
    uint64_t root0, root1, queue_ipa = GUEST_IPA + GUEST_BYTES;
    const size_t page = page_bytes();
    const uint64_t hole_ipa = queue_ipa + 64 * page;
    uint32_t ioas = ioas_new(), viommu, count, fault_queue, cookie;
    PasidQueue q0, q1, q3;
    PasidDevCompletion done = { 0 };
    int ret, ticket, fault_fd, events;
    VEvent e;

    test_case("two-stages");
    guest_new(GUEST_IPA);
    queue_for(&q0, 0, NO_PASID);
    queue_for(&q1, 1, 1);
    queue_for(&q3, 2, 3);
    map(ioas, guest_memory(), GUEST_BYTES, GUEST_IPA);
    map(ioas, q0.ring, page, queue_ipa);
    map(ioas, q0.completions, page, queue_ipa + page);
    map(ioas, q1.ring, page, queue_ipa + 2 * page);
    map(ioas, q1.completions, page, queue_ipa + 3 * page);
    root0 = table_new();
    root1 = table_new();
    stage1_map_queue(root0, &q0, queue_ipa);
    stage1_map_queue(root0, &q1, queue_ipa + 2 * page);
    stage1_map_queue(root1, &q1, queue_ipa + 2 * page);
    stage1_map(root0, IOVA, data_ipa(0));
    stage1_map(root1, IOVA, data_ipa(1));
    write_cd(0, root0, ASID0, false);
    write_cd(1, root1, ASID1, false);

    viommu = viommu_new(ioas);
    eventq.viommu = viommu;
    must_call(iommufd, CALL_VEVENTQ_ALLOC, &eventq, "vEVENTQ");
    events = (int)eventq.out_fd;
    attach(nested_hwpt_new(viommu, 0), NO_PASID);

    fill_ok(&q0, IOVA, 0x10, GUEST_PAGE, "without a PASID");
    fill_ok(&q1, IOVA, 0x11, GUEST_PAGE, "PASID 1");
    check_filled(data_page(0), 0x10, GUEST_PAGE, "without a PASID");
    check_filled(data_page(1), 0x11, GUEST_PAGE, "PASID 1");

    /* The guest changes its tables and says so. */
    test_case("invalidate-va");
    stage1_map(root0, IOVA, data_ipa(2));
    invalidate_one(viommu, CMD_TLBI_NH_VA, ASID0, IOVA);
    fill_ok(&q0, IOVA, 0x12, GUEST_PAGE, "after NH_VA");
    check_filled(data_page(0), 0x10, GUEST_PAGE, "old page");
    check_filled(data_page(2), 0x12, GUEST_PAGE, "new page");
    check_filled(data_page(1), 0x11, GUEST_PAGE, "PASID 1's");

    test_case("invalidate-asid");
    stage1_map(root1, IOVA, data_ipa(3));
    invalidate_one(viommu, CMD_TLBI_NH_ASID, ASID1, 0);
    fill_ok(&q1, IOVA, 0x13, GUEST_PAGE, "after NH_ASID");
    check_filled(data_page(1), 0x11, GUEST_PAGE, "old page");
    check_filled(data_page(3), 0x13, GUEST_PAGE, "new page");

    test_case("invalidate-all");
    stage1_map(root0, IOVA, data_ipa(4));
    stage1_map(root1, IOVA, data_ipa(5));
    invalidate_one(viommu, CMD_TLBI_NSNH_ALL, 0, 0);
    fill_ok(&q0, IOVA, 0x14, GUEST_PAGE, "after NSNH_ALL");
    fill_ok(&q1, IOVA, 0x15, GUEST_PAGE, "after NSNH_ALL");
    check_filled(data_page(4), 0x14, GUEST_PAGE, "without a PASID");
    check_filled(data_page(5), 0x15, GUEST_PAGE, "PASID 1");
    check_filled(data_page(2), 0x12, GUEST_PAGE, "old page");
    check_filled(data_page(3), 0x13, GUEST_PAGE, "old page of PASID 1");

    test_case("invalidate-cd");
    write_cd(1, root0, ASID1, false);
    invalidate_cd(viommu, 1, ASID1);
    fill_ok(&q1, IOVA, 0x16, GUEST_PAGE, "PASID 1 with the other tables");
    check_filled(data_page(4), 0x16, GUEST_PAGE, "PASID 1's new page");
    check_filled(data_page(5), 0x15, GUEST_PAGE, "PASID 1's old page");

    /* Linux lets no command through that is not the guest's business. */
    test_case("command-refused");
    smmu3_set(commands[0], CMD_OPCODE, CMD_TLBI_NSNH_ALL);
    smmu3_set(commands[1], CMD_OPCODE, CMD_RESUME);
    count = 2;
    ret = invalidate(viommu, commands, &count);
    CHECK(ret == -EIO, "RESUME: %s", strerror(-ret));

    test_case("event-translation");
    ret = pasid_fill(&q0, iova_pointer(IOVA + GUEST_PAGE), 0, GUEST_PAGE, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + GUEST_PAGE), 0, "write");
    e = next_event(events);
    CHECK(smmu3_get(e.words, EVENT_TYPE) == F_TRANSLATION, "event %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_TYPE));
    CHECK(smmu3_get(e.words, EVENT_INPUT_ADDR) == IOVA + GUEST_PAGE, "at %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_INPUT_ADDR));
    CHECK(!smmu3_get(e.words, EVENT_S2) && !smmu3_get(e.words, EVENT_RNW) &&
          !smmu3_get(e.words, EVENT_SSV) && !smmu3_get(e.words, EVENT_STALL) &&
          smmu3_get(e.words, EVENT_CLASS) == CLASS_IN,
          "words %#llx %#llx", (unsigned long long)e.words[0],
          (unsigned long long)e.words[1]);

    test_case("event-cd");
    check_shut_out(&q3, "PASID 3");
    e = next_event(events);
    CHECK(smmu3_get(e.words, EVENT_TYPE) == C_BAD_CD, "event %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_TYPE));
    CHECK(smmu3_get(e.words, EVENT_SSV) &&
          smmu3_get(e.words, EVENT_SUBSTREAMID) == 3, "SubstreamID %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_SUBSTREAMID));

    /* What the guest does not have is the host's business: no event of its. */
    test_case("stage-2-fault");
    stage1_map(root0, IOVA + 2 * GUEST_PAGE, hole_ipa);
    ret = pasid_sum(&q0, iova_pointer(IOVA + 2 * GUEST_PAGE), 64, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA + 2 * GUEST_PAGE), 0, "read");
    CHECK(poll(&(struct pollfd) { .fd = events, .events = POLLIN }, 1, 100) == 0,
          "an event of stage 2 came to the guest");

    /* Nested entries go when stage 2 changes. */
    test_case("stage-2-unmapped");
    uint8_t *late = pages_new(1, 6);
    map(ioas, late, page, hole_ipa);
    fill_ok(&q0, IOVA + 2 * GUEST_PAGE, 0x17, GUEST_PAGE, "a page that came late");
    check_filled(late, 0x17, GUEST_PAGE, "late");
    unmap(ioas, hole_ipa, page);
    ret = pasid_fill(&q0, iova_pointer(IOVA + 2 * GUEST_PAGE), 0, GUEST_PAGE, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + 2 * GUEST_PAGE), 0,
                  "write of the page that went");
    check_filled(late, 0x17, GUEST_PAGE, "after it went");

    /* A page fault of the guest's own: both PASID and tables are its. */
    test_case("guest-page-fault");
    fault_fd = fault_queue_new(&fault_queue);
    write_cd(1, root1, ASID1, true);
    stage1_map(root1, IOVA, 0);
    attach(nested_hwpt_new(viommu, fault_queue), NO_PASID);
    /* Linux sees the same stream table entry, and invalidates nothing. */
    invalidate_cd(viommu, 1, ASID1);
    ticket = submit(&q1, PASID_DEV_OP_FILL, IOVA, GUEST_PAGE, 0x18);
    cookie = next_fault(fault_fd, 1, IOVA, PERM_WRITE);
    stage1_map(root1, IOVA, data_ipa(6));
    answer(fault_fd, cookie, ANSWER_SUCCESS);
    ret = pasid_queue_wait(&q1, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_filled(data_page(6), 0x18, GUEST_PAGE, "PASID 1");

    pasid_queue_close(&q0);
    pasid_queue_close(&q1);
    pasid_queue_close(&q3);
    detach(NO_PASID);
    close(events);
    close(fault_fd);
}
