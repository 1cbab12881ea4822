/*
 * iommufd, a part: two stages, of which the first is ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "libiommufd.h"
#include "spec.h"

enum { DATA_SMMUV3 = 2 };
enum { VIOMMU_SMMUV3 = 1, INVALIDATE_SMMUV3 = 1, VEVENTQ_SMMUV3 = 1 };

typedef struct VEvent {
    uint32_t flags, sequence;
    uint64_t words[SMMU3_EVENT_WORDS];
} VEvent;

/*
 * The memory of a guest of ours, at GUEST_IPA in stage 2. It begins with the
 * context descriptors; tables and data follow.
 */
#define GUEST_IPA       UINT64_C(0x40000000)
#define GUEST_PAGE      ((size_t)4096)  /* of stage 1, whatever Linux has */
#define GUEST_PAGES     128
#define GUEST_BYTES     (GUEST_PAGES * GUEST_PAGE)
#define DATA_PAGE       64      /* and those after it */
#define CDS_LOG2        2
#define VSID            0x42u

static uint8_t *guest;
static unsigned tables_used;

static uint64_t *guest_cd(unsigned ssid)
{
    return (uint64_t *)(void *)(guest + ssid * SMMU3_CD_BYTES);
}

static uint8_t *data_page(unsigned n)
{
    return guest + (DATA_PAGE + n) * GUEST_PAGE;
}

static uint64_t data_ipa(unsigned n)
{
    return GUEST_IPA + (DATA_PAGE + n) * GUEST_PAGE;
}

/* An empty table; its IPA. */
static uint64_t table_new(void)
{
    tables_used++;
    if (tables_used >= DATA_PAGE) {
        test_give_up("too many tables");
    }
    memset(guest + tables_used * GUEST_PAGE, 0, GUEST_PAGE);
    return GUEST_IPA + tables_used * GUEST_PAGE;
}

/* Change a descriptor as the SMMU may see it at any time. */
static void publish(uint64_t *where, uint64_t value)
{
    __atomic_store_n(where, value, __ATOMIC_RELEASE);
}

/* Stage 1, 4 KiB granule, four levels: @va goes to @ipa, 0: nowhere. */
static void stage1_map(uint64_t root, uint64_t va, uint64_t ipa)
{
    uint64_t table = root, page = 0, *entry;

    for (unsigned level = 0; ; level++) {
        entry = (uint64_t *)(void *)(guest + (table - GUEST_IPA)) +
            (va >> (39 - 9 * level)) % 512;
        if (level == 3) {
            break;
        }
        if (!smmu3_get(entry, TTD_VALID)) {
            uint64_t next = table_new();

            smmu3_set(&next, TTD_VALID, 1);
            smmu3_set(&next, TTD_TABLE_OR_PAGE, 1);
            publish(entry, next);
        }
        table = smmu3_get_addr(entry, 0, 12, 36);
    }
    if (ipa) {
        page = ipa;
        smmu3_set(&page, TTD_VALID, 1);
        smmu3_set(&page, TTD_TABLE_OR_PAGE, 1);
        smmu3_set(&page, TTD_AP_UNPRIV, 1);
        smmu3_set(&page, TTD_SH, 3);
        smmu3_set(&page, TTD_AF, 1);
        smmu3_set(&page, TTD_NG, 1);
    }
    publish(entry, page);
}

static void write_cd(unsigned ssid, uint64_t root, uint16_t asid, bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS] = { 0 };

    smmu3_set(cd, CD_T0SZ, 16);
    smmu3_set(cd, CD_TG0, CD_TG0_4K);
    smmu3_set(cd, CD_IR0, 1);
    smmu3_set(cd, CD_OR0, 1);
    smmu3_set(cd, CD_SH0, 3);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_IPS, 5);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_S, stall);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_ASID, asid);
    smmu3_set_addr(cd, CD_TTB0, root);
    smmu3_set(cd, CD_MAIR, 0xff);
    memcpy(guest_cd(ssid) + 1, cd + 1, sizeof(cd) - sizeof(cd[0]));
    smmu3_set(cd, CD_V, 1);
    publish(guest_cd(ssid), cd[0]);
}

static void stage1_map_queue(uint64_t root, const PasidQueue *q, uint64_t ipa)
{
    stage1_map(root, (uintptr_t)q->ring, ipa);
    stage1_map(root, (uintptr_t)q->completions, ipa + page_bytes());
}

static uint32_t nested_hwpt_new(uint32_t viommu, uint32_t fault_queue)
{
    uint64_t ste[2] = { 0 };
    HwptAlloc c = {
        .size = sizeof(c), .dev_id = dev_id, .pt_id = viommu,
        .flags = fault_queue ? HWPT_FAULTS : 0, .fault_id = fault_queue,
        .data_type = DATA_SMMUV3, .data_bytes = sizeof(ste),
        .data = (uintptr_t)ste,
    };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1FMT, STE_S1FMT_LINEAR);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, GUEST_IPA);
    smmu3_set(ste, STE_S1CDMAX, CDS_LOG2);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_CD0);
    smmu3_set(ste, STE_S1CIR, 1);
    smmu3_set(ste, STE_S1COR, 1);
    smmu3_set(ste, STE_S1CSH, 3);
    must_call(iommufd, CALL_HWPT_ALLOC, &c, "nested page table");
    return c.out_hwpt_id;
}

/* 0 or -errno; @count becomes the number of commands that were done. */
static int invalidate(uint32_t viommu, uint64_t (*commands)[SMMU3_CMD_WORDS],
                      uint32_t *count)
{
    struct {
        uint32_t size, id;
        uint64_t data;
        uint32_t type, entry_bytes, entries, reserved;
    } c = {
        .size = sizeof(c), .id = viommu, .data = (uintptr_t)commands,
        .type = INVALIDATE_SMMUV3, .entry_bytes = SMMU3_CMD_BYTES,
        .entries = *count,
    };
    int ret = call(iommufd, CALL_INVALIDATE, &c);

    *count = c.entries;
    return ret;
}

static void invalidate_one(uint32_t viommu, Smmu3Opcode op, uint16_t asid,
                           uint64_t va)
{
    uint64_t command[1][SMMU3_CMD_WORDS] = { { 0 } };
    uint32_t count = 1;
    int ret;

    smmu3_set(command[0], CMD_OPCODE, op);
    smmu3_set(command[0], CMD_ASID, asid);
    smmu3_set_addr(command[0], CMD_ADDR, va);
    ret = invalidate(viommu, command, &count);
    CHECK(!ret && count == 1, "command %#x: %s", op, strerror(-ret));
}

/* The context descriptor of @ssid has changed, and what @asid means. */
static void invalidate_cd(uint32_t viommu, uint32_t ssid, uint16_t asid)
{
    uint64_t commands[2][SMMU3_CMD_WORDS] = { { 0 } };
    uint32_t count = 2;
    int ret;

    smmu3_set(commands[0], CMD_OPCODE, CMD_CFGI_CD);
    smmu3_set(commands[0], CMD_STREAMID, VSID);
    smmu3_set(commands[0], CMD_SUBSTREAMID, ssid);
    smmu3_set(commands[0], CMD_LEAF, 1);
    smmu3_set(commands[1], CMD_OPCODE, CMD_TLBI_NH_ASID);
    smmu3_set(commands[1], CMD_ASID, asid);
    ret = invalidate(viommu, commands, &count);
    CHECK(!ret && count == 2, "%u commands done: %s", count, strerror(-ret));
}

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
        uint32_t size, flags, type, dev_id, hwpt, out_id, data_bytes, reserved;
        uint64_t data;
    } viommu = { .size = sizeof(viommu), .type = VIOMMU_SMMUV3, .dev_id = dev_id };
    struct {
        uint32_t size, viommu, dev_id, out_id;
        uint64_t virt_id;
    } vdevice = { .size = sizeof(vdevice), .dev_id = dev_id, .virt_id = VSID };
    struct {
        uint32_t size, flags, viommu, type, depth, out_id, out_fd, reserved;
    } eventq = { .size = sizeof(eventq), .type = VEVENTQ_SMMUV3, .depth = 64 };
    uint64_t commands[2][SMMU3_CMD_WORDS] = { { 0 } };
    uint64_t root0, root1, queue_ipa = GUEST_IPA + GUEST_BYTES;
    const size_t page = page_bytes();
    const uint64_t hole_ipa = queue_ipa + 64 * page;
    uint32_t ioas = ioas_new(), count, fault_queue, cookie;
    PasidQueue q0, q1, q3;
    PasidDevCompletion done = { 0 };
    int ret, ticket, fault_fd, events;
    VEvent e;

    test_case("two-stages");
    guest = pages_new(GUEST_BYTES / page, 5);
    memset(guest, 0, GUEST_PAGE);
    queue_for(&q0, 0, NO_PASID);
    queue_for(&q1, 1, 1);
    queue_for(&q3, 2, 3);
    map(ioas, guest, GUEST_BYTES, GUEST_IPA);
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

    viommu.hwpt = hwpt_new(ioas, HWPT_NEST_PARENT, 0);
    must_call(iommufd, CALL_VIOMMU_ALLOC, &viommu, "vIOMMU");
    vdevice.viommu = viommu.out_id;
    must_call(iommufd, CALL_VDEVICE_ALLOC, &vdevice, "vDEVICE");
    eventq.viommu = viommu.out_id;
    must_call(iommufd, CALL_VEVENTQ_ALLOC, &eventq, "vEVENTQ");
    events = (int)eventq.out_fd;
    attach(nested_hwpt_new(viommu.out_id, 0), NO_PASID);

    fill_ok(&q0, IOVA, 0x10, GUEST_PAGE, "without a PASID");
    fill_ok(&q1, IOVA, 0x11, GUEST_PAGE, "PASID 1");
    check_filled(data_page(0), 0x10, GUEST_PAGE, "without a PASID");
    check_filled(data_page(1), 0x11, GUEST_PAGE, "PASID 1");

    /* The guest changes its tables and says so. */
    test_case("invalidate-va");
    stage1_map(root0, IOVA, data_ipa(2));
    invalidate_one(viommu.out_id, CMD_TLBI_NH_VA, ASID0, IOVA);
    fill_ok(&q0, IOVA, 0x12, GUEST_PAGE, "after NH_VA");
    check_filled(data_page(0), 0x10, GUEST_PAGE, "old page");
    check_filled(data_page(2), 0x12, GUEST_PAGE, "new page");
    check_filled(data_page(1), 0x11, GUEST_PAGE, "PASID 1's");

    test_case("invalidate-asid");
    stage1_map(root1, IOVA, data_ipa(3));
    invalidate_one(viommu.out_id, CMD_TLBI_NH_ASID, ASID1, 0);
    fill_ok(&q1, IOVA, 0x13, GUEST_PAGE, "after NH_ASID");
    check_filled(data_page(1), 0x11, GUEST_PAGE, "old page");
    check_filled(data_page(3), 0x13, GUEST_PAGE, "new page");

    test_case("invalidate-all");
    stage1_map(root0, IOVA, data_ipa(4));
    stage1_map(root1, IOVA, data_ipa(5));
    invalidate_one(viommu.out_id, CMD_TLBI_NSNH_ALL, 0, 0);
    fill_ok(&q0, IOVA, 0x14, GUEST_PAGE, "after NSNH_ALL");
    fill_ok(&q1, IOVA, 0x15, GUEST_PAGE, "after NSNH_ALL");
    check_filled(data_page(4), 0x14, GUEST_PAGE, "without a PASID");
    check_filled(data_page(5), 0x15, GUEST_PAGE, "PASID 1");
    check_filled(data_page(2), 0x12, GUEST_PAGE, "old page");
    check_filled(data_page(3), 0x13, GUEST_PAGE, "old page of PASID 1");

    test_case("invalidate-cd");
    write_cd(1, root0, ASID1, false);
    invalidate_cd(viommu.out_id, 1, ASID1);
    fill_ok(&q1, IOVA, 0x16, GUEST_PAGE, "PASID 1 with the other tables");
    check_filled(data_page(4), 0x16, GUEST_PAGE, "PASID 1's new page");
    check_filled(data_page(5), 0x15, GUEST_PAGE, "PASID 1's old page");

    /* Linux lets no command through that is not the guest's business. */
    test_case("command-refused");
    smmu3_set(commands[0], CMD_OPCODE, CMD_TLBI_NSNH_ALL);
    smmu3_set(commands[1], CMD_OPCODE, CMD_RESUME);
    count = 2;
    ret = invalidate(viommu.out_id, commands, &count);
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
    attach(nested_hwpt_new(viommu.out_id, fault_queue), NO_PASID);
    /* Linux sees the same stream table entry, and invalidates nothing. */
    invalidate_cd(viommu.out_id, 1, ASID1);
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
