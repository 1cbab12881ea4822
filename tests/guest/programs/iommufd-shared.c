/*
 * iommufd, a part: the whole device in the address space of this process, and
 * no PASID: each IOVA is the program's address of the same memory.
 *
 * A process cannot give the SMMU its own tables: only the kernel knows where
 * they are, and it gives them to a PASID alone. But it can make tables that say
 * the same, in its own memory, for context descriptor 0, and keep them true.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libnested.h"

enum { ASID = 3 };
#define NODES 2000

static uint32_t ioas, viommu;
static uint64_t root;

/*
 * The device has it where the program has it. Stage 2 gets it by pages: it is
 * to be taken from there by pages, and iommufd divides no mapping.
 */
static void mirror(uintptr_t start, size_t bytes)
{
    for (uintptr_t p = start; p < start + bytes; p += page_bytes()) {
        map(ioas, (void *)p, page_bytes(), p);
    }
    for (uintptr_t p = start; p < start + bytes; p += GUEST_PAGE) {
        stage1_map(root, p, p);
    }
}

/* The device has it no longer, before the program gives it up. */
static void hide(uintptr_t start, size_t bytes)
{
    for (uintptr_t p = start; p < start + bytes; p += GUEST_PAGE) {
        stage1_map(root, p, 0);
        invalidate_one(viommu, CMD_TLBI_NH_VA, ASID, p);
    }
    unmap(ioas, start, bytes);
}

/* All private memory that the program may write: data, heap, stack, the rest. */
static void mirror_process(void)
{
    static struct {
        unsigned long start, end;
    } areas[64];
    char line[256], rights[5];
    size_t n = 0, bytes = 0;
    FILE *f = fopen("/proc/self/maps", "re");

    while (f && fgets(line, sizeof(line), f) && n < 64) {
        if (sscanf(line, "%lx-%lx %4s", &areas[n].start, &areas[n].end,
                   rights) == 3 && !strcmp(rights, "rw-p")) {
            n++;
        }
    }
    if (f) {
        fclose(f);
    }
    for (size_t i = 0; i < n; i++) {
        mirror(areas[i].start, areas[i].end - areas[i].start);
        bytes += areas[i].end - areas[i].start;
    }
    say("iommufd: %zu KiB of the process in %zu areas", bytes / KIB, n);
}

static void check_list(PasidQueue *q, ListNode *first, uint64_t sum,
                       const char *what)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_list(q, first, NODES, offsetof(ListNode, next),
                         offsetof(ListNode, value), &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, what)) {
        CHECK(done.progress == NODES && done.result == sum,
              "%s: %llu nodes", what, (unsigned long long)done.progress);
    }
}

/* A page that is nowhere yet: this process serves the device's page fault. */
static void serve_fault(PasidQueue *q)
{
    const size_t page = page_bytes();
    uint8_t *late = map_anon(page);
    uint32_t fault_queue, cookie;
    int faults = fault_queue_new(&fault_queue), ticket, ret;
    PasidDevCompletion done = { 0 };

    write_cd(0, root, ASID, true);
    attach(nested_hwpt_new(viommu, fault_queue), NO_PASID);
    invalidate_cd(viommu, 0, ASID);
    ticket = submit(q, PASID_DEV_OP_FILL, (uintptr_t)late, page, 0x5a);
    cookie = next_fault(faults, NO_PASID, (uintptr_t)late, PERM_WRITE);
    CHECK(!pasid_queue_done(q, ticket), "done without its page");
    mirror((uintptr_t)late, page);
    answer(faults, cookie, ANSWER_SUCCESS);
    ret = pasid_queue_wait(q, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_filled(late, 0x5a, page, "the late page");
    close(faults);
}

void iommufd_shared(void)
{
    static uint8_t data[1000];      /* of the program, not of the heap */
    uint8_t stack[1000], *area = pages_new(4, 7), *moved;
    const size_t page = page_bytes();
    ListNode **nodes = malloc(NODES * sizeof(*nodes));
    PasidDevCompletion done = { 0 };
    PasidQueue first, second, other;
    uint64_t sum;
    int ret;

    for (size_t i = 0; nodes && i < NODES; i++) {
        nodes[i] = malloc(sizeof(ListNode));
        if (!nodes[i]) {
            test_give_up("no memory");
        }
    }
    if (!nodes) {
        test_give_up("no memory");
    }
    sum = list_shuffle(nodes, NODES, 5);
    random_fill(data, sizeof(data), 1);
    memset(stack, 0, sizeof(stack));

    test_case("whole-process");
    ioas = ioas_new();
    guest_new(0);
    root = table_new();
    queue_for(&first, 0, NO_PASID);
    queue_for(&second, 1, NO_PASID);
    queue_for(&other, 2, 1);
    mirror_process();
    write_cd(0, root, ASID, false);
    viommu = viommu_new(ioas);
    attach(nested_hwpt_new(viommu, 0), NO_PASID);
    check_list(&first, nodes[0], sum, "a list of the heap");
    ret = pasid_copy(&second, stack, data, sizeof(data), &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "from data to the stack");
    CHECK(!memcmp(stack, data, sizeof(data)), "the copy differs");

    /* There is no other address space in this device. */
    test_case("no-pasid-besides");
    check_shut_out(&other, "PASID 1");

    test_case("unmapped");
    hide((uintptr_t)area + page, page);
    munmap(area + page, page);
    ret = pasid_fill(&first, area, 0x1111111111111111, 2 * page, &done);
    check_refused(ret, &done, true, area + page, page, "write");
    check_filled(area, 0x11, page, "the page before");
    fill_ok(&second, (uintptr_t)area + 2 * page, 0x12, page, "the page behind");
    check_filled(area + 2 * page, 0x12, page, "the page behind");

    test_case("moved");
    hide((uintptr_t)area + 2 * page, page);
    moved = mremap(area + 2 * page, page, page, MREMAP_MAYMOVE | MREMAP_FIXED,
                   (uint8_t *)map_anon(page));
    if (moved == MAP_FAILED) {
        test_give_up("mremap: %s", strerror(errno));
    }
    mirror((uintptr_t)moved, page);
    check_filled(moved, 0x12, page, "moved");
    fill_ok(&first, (uintptr_t)moved, 0x13, page, "where it is now");
    check_filled(moved, 0x13, page, "where it is now");
    ret = pasid_sum(&first, area + 2 * page, page, &done);
    check_refused(ret, &done, false, area + 2 * page, 0, "where it was");

    test_case("page-fault");
    serve_fault(&first);
    check_list(&second, nodes[0], sum, "the list, afterwards");

    pasid_queue_close(&first);
    pasid_queue_close(&second);
    pasid_queue_close(&other);
    detach(NO_PASID);
}
