/*
 * The device follows the pointers of a linked list of 100,000 nodes: what
 * shared virtual addresses are for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

#define NODES 100000

static PasidDev dev;
static PasidQueue queue;

static void walk(ListNode *first, uint64_t sum)
{
    uint64_t start = now_us();
    PasidDevCompletion done;

    if (check_status(pasid_list(&queue, first, 2 * NODES,
                                offsetof(ListNode, next), offsetof(ListNode, value),
                                &done), &done, PASID_DEV_DONE_OK, "walk")) {
        CHECK(done.progress == NODES, "%llu nodes",
              (unsigned long long)done.progress);
        CHECK(done.result == sum, "sum %#llx instead of %#llx",
              (unsigned long long)done.result, (unsigned long long)sum);
        say("list: %d nodes in %llu us", NODES,
            (unsigned long long)(now_us() - start));
    }
}

int main(void)
{
    ListNode **nodes = malloc(NODES * sizeof(*nodes));
    ListNode *first, *memory;
    uint64_t state = 6, sum;
    PasidDevCompletion done;
    Counts before;
    int fd;

    test_begin("list");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);

    test_case("heap");
    for (size_t i = 0; nodes && i < NODES; i++) {
        /* Of different sizes, so that they lie anywhere in a page. */
        nodes[i] = malloc(sizeof(ListNode) + random_next(&state) % 512);
        if (!nodes[i]) {
            test_give_up("no memory");
        }
    }
    sum = list_shuffle(nodes, NODES, 5);
    first = nodes[0];
    walk(first, sum);

    test_case("broken");
    nodes[NODES / 2]->next = (ListNode *)0xdead0000;
    if (check_status(pasid_list(&queue, first, NODES, offsetof(ListNode, next),
                                offsetof(ListNode, value), &done), &done,
                     PASID_DEV_DONE_FAULT_READ, "broken list")) {
        CHECK(done.progress == NODES / 2 + 1, "%llu nodes",
              (unsigned long long)done.progress);
        CHECK(done.fault_addr >= 0xdead0000 &&
              done.fault_addr < 0xdead0000 + sizeof(ListNode), "at %#llx",
              (unsigned long long)done.fault_addr);
    }

    test_case("endless");
    nodes[NODES - 1]->next = first;
    nodes[NODES / 2]->next = nodes[NODES / 2 + 1];
    if (check_status(pasid_list(&queue, first, 3 * NODES,
                                offsetof(ListNode, next), offsetof(ListNode, value),
                                &done), &done, PASID_DEV_DONE_OK, "ring")) {
        CHECK(done.progress == 3 * NODES && done.result == 3 * sum,
              "%llu nodes", (unsigned long long)done.progress);
    }

    /* Pages that are in the page cache but not in the page table. */
    test_case("file");
    fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    if (fd < 0 || ftruncate(fd, NODES * 64)) {
        test_give_up("a file in /tmp: %s", strerror(errno));
    }
    memory = mmap(NULL, NODES * 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        test_give_up("mmap: %s", strerror(errno));
    }
    for (size_t i = 0; i < NODES; i++) {
        nodes[i] = (ListNode *)((char *)memory + 64 * i);
    }
    sum = list_shuffle(nodes, NODES, 5);
    first = nodes[0];
    if (madvise(memory, NODES * 64, MADV_DONTNEED)) {
        test_give_up("MADV_DONTNEED: %s", strerror(errno));
    }
    before = counts_now(&dev);
    walk(first, sum);
    check_stalled_and_resumed(&dev, &before);

    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
