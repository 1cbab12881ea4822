/*
 * What `make demo-vm` shows, from the VM: where an address of a process goes,
 * stage by stage, and work of the device at such addresses. Its memory is
 * populated: nobody serves page faults of a device in a VM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (8 * MIB)
#define NODES 20000

static PasidDev dev;
static PasidQueue queue;

/* Where this VM thinks that the page of @p is. */
static uint64_t vm_address(const void *p)
{
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t entry = 0;

    if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)p / page_bytes() *
                        8)) != 8 || !(entry >> 63)) {
        test_give_up("no pagemap entry");
    }
    close(fd);
    return (entry & ((1ull << 55) - 1)) * page_bytes() +
           (uintptr_t)p % page_bytes();
}

static void show_both_stages(uint8_t *p)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_probe(&queue, p, true, &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, "probe")) {
        say("demo: address     %#14llx  of the process, as the device sends it "
            "with PASID %u", (unsigned long long)(uintptr_t)p, dev.pasid);
        say("demo:   stage 1 > %#14llx  of the VM, by the process's own tables",
            (unsigned long long)vm_address(p));
        say("demo:   stage 2 > %#14llx  of the machine, by the tables of its "
            "guest", (unsigned long long)done.result);
    }
}

static void show_a_copy(uint8_t *to, uint8_t *from)
{
    PasidDevCompletion done = { 0 };
    uint64_t start;

    random_fill(from, BYTES, 1);
    start = now_us();
    if (check_status(pasid_copy(&queue, to, from, BYTES, &done), &done,
                     PASID_DEV_DONE_OK, "copy") &&
        CHECK(!memcmp(to, from, BYTES), "the copy differs")) {
        say("demo: %zu MiB copied by the device and compared, %llu ms",
            BYTES / MIB, (unsigned long long)(now_us() - start) / 1000);
    }
}

static void show_a_list(void)
{
    static ListNode *nodes[NODES];
    ListNode *memory = map_anon(NODES * sizeof(*memory));
    PasidDevCompletion done = { 0 };
    uint64_t sum;
    int ret;

    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = &memory[i];
    }
    sum = list_shuffle(nodes, NODES, 1);
    ret = pasid_list(&queue, nodes[0], NODES, offsetof(ListNode, next),
                     offsetof(ListNode, value), &done);
    if (check_status(ret, &done, PASID_DEV_DONE_OK, "list") &&
        CHECK(done.result == sum, "wrong sum")) {
        say("demo: a list of %u nodes walked by the process's pointers", NODES);
    }
}

static void show_a_refusal(uint8_t *p)
{
    PasidDevCompletion done = { 0 };
    int ret;

    munmap(p, BYTES);
    ret = pasid_fill(&queue, p, 0, 64, &done);
    if (check_refused(ret, &done, true, p, 0, "unmapped memory")) {
        say("demo: unmapped: the device is refused at %p, and the VM's own SMMU "
            "driver hears of it", (void *)p);
    }
}

int main(void)
{
    uint8_t *from, *to;

    test_begin("demo-vm");
    from = map_anon(BYTES);
    to = map_anon(BYTES);
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    say("demo: in the VM: %s is /dev/uio0, and bound to this process", dev.bdf);
    show_both_stages(to + 0x123);
    show_a_copy(to, from);
    show_a_list();
    show_a_refusal(to);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
