/*
 * The device, given to vfio-pci by init (sva.driver=), with one address space
 * and no PASID, as kernels before 7 have it:
 *
 *   vfio type1 [no-msi]   by a container and a group (Linux 6.1 and later); with
 *                         no-msi it must not get MSI-X (docs/sva-in-a-vm.rst)
 *   vfio cdev             by the device's own file and iommufd (6.6 and later)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libiommufd.h"

static int container = -1, group = -1;
static uint32_t ioas;

static void open_type1(void)
{
    struct vfio_group_status status = { .argsz = sizeof(status) };
    char path[300], target[300];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group",
             device_find());
    n = readlink(path, target, sizeof(target) - 1);
    if (n < 0) {
        test_give_up("no IOMMU group: %s", strerror(errno));
    }
    target[n] = 0;
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(target, '/'));
    container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    group = open(path, O_RDWR | O_CLOEXEC);
    if (container < 0 || group < 0) {
        test_give_up("no container, or no group: %s", strerror(errno));
    }
    must_call(group, VFIO_GROUP_GET_STATUS, &status, "group");
    CHECK(status.flags & VFIO_GROUP_FLAGS_VIABLE, "the group is not viable");
    must_call(group, VFIO_GROUP_SET_CONTAINER, &container, "container");
    must_call(container, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU, "type1");
    fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, dev.bdf);
    if (fd < 0) {
        test_give_up("no device: %s", strerror(errno));
    }
    device_take(fd);
}

static void open_cdev(void)
{
    iommufd_open();
    ioas = ioas_new();
    attach(ioas, NO_PASID);
}

static void make_known(void *p, size_t bytes, uint64_t iova, bool write)
{
    struct vfio_iommu_type1_dma_map c = {
        .argsz = sizeof(c), .vaddr = (uintptr_t)p, .iova = iova, .size = bytes,
        .flags = VFIO_DMA_MAP_FLAG_READ | (write ? VFIO_DMA_MAP_FLAG_WRITE : 0),
    };

    if (container >= 0) {
        must_call(container, VFIO_IOMMU_MAP_DMA, &c, "map");
    } else if (write) {
        map(ioas, p, bytes, iova);
    } else {
        map_with(ioas, p, bytes, iova, MAP_READ);
    }
}

static void take_back(uint64_t iova, size_t bytes)
{
    struct vfio_iommu_type1_dma_unmap c = {
        .argsz = sizeof(c), .iova = iova, .size = bytes,
    };

    if (container >= 0) {
        must_call(container, VFIO_IOMMU_UNMAP_DMA, &c, "unmap");
        CHECK(c.size == bytes, "%llu bytes unmapped", (unsigned long long)c.size);
    } else {
        unmap(ioas, iova, bytes);
    }
}

static void open_mapped_queue(PasidQueue *q, unsigned index, int pasid)
{
    queue_for(q, index, pasid);
    make_known(q->ring, page_bytes(), (uintptr_t)q->ring, true);
    make_known(q->completions, page_bytes(), (uintptr_t)q->completions, true);
}

static void close_mapped_queue(PasidQueue *q)
{
    take_back((uintptr_t)q->ring, page_bytes());
    take_back((uintptr_t)q->completions, page_bytes());
    pasid_queue_close(q);
}

static void check_reach(PasidQueue *q)
{
    const size_t page = page_bytes();
    uint8_t *memory = pages_new(3, 1);
    PasidDevCompletion done = { 0 };
    int ret;

    test_case("mapped");
    make_known(memory, 2 * page, IOVA, true);
    fill_ok(q, IOVA, 0x21, 2 * page, "both pages");
    check_filled(memory, 0x21, 2 * page, "both pages");

    test_case("not-mapped");
    ret = pasid_fill(q, iova_pointer(IOVA + page), 0, 2 * page, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + 2 * page), page, "write");
    ret = pasid_sum(q, iova_pointer(IOVA - 64), 128, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA - 64), 0, "read");

    test_case("read-only");
    make_known(memory + 2 * page, page, IOVA + 2 * page, false);
    ret = pasid_sum(q, iova_pointer(IOVA), 3 * page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "read");
    ret = pasid_fill(q, iova_pointer(IOVA + 2 * page), 0, 8, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + 2 * page), 0, "write");

    test_case("unmapped");
    take_back(IOVA, 2 * page);
    ret = pasid_fill(q, iova_pointer(IOVA), 0, 8, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA), 0, "write");
    ret = pasid_sum(q, iova_pointer(IOVA + 2 * page), page, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "the page behind");
    take_back(IOVA + 2 * page, page);
}

/* What was at an IOVA before is not reached by it any more; also in one block. */
static void check_again_and_again(PasidQueue *q)
{
    const size_t bytes = 4 * MIB;
    /* In a VM each page is told to two kernels and a VMM, one by one. */
    const unsigned rounds = is_in_vm() ? 25 : 100;
    Buffer one = buffer_new(MEM_THP, bytes), two = buffer_new(MEM_THP, bytes);
    ListNode *node = (ListNode *)(void *)pages_new(1, 0);
    PasidDevDescriptor job = endless_job();
    PasidDevCompletion done = { 0 };
    int ticket, ret;

    test_case("mapped-again-and-again");
    memset(one.p, 1, bytes);
    memset(two.p, 2, bytes);
    for (unsigned i = 0; i < rounds; i++) {
        uint8_t *now = i % 2 ? one.p : two.p, *then = i % 2 ? two.p : one.p;
        size_t at = i * 37 % 64 * page_bytes();

        then[at] = 0xff;
        make_known(now, bytes, IOVA, true);
        fill_ok(q, IOVA + at, (uint8_t)i, 16, "write");
        CHECK(now[at] == (uint8_t)i && then[at] == 0xff,
              "round %u went to the wrong memory", i);
        take_back(IOVA, bytes);
    }
    buffer_free(&one);
    buffer_free(&two);

    test_case("unmapped-while-busy");
    node->next = iova_pointer(IOVA);
    make_known(node, page_bytes(), IOVA, true);
    job.src = IOVA;
    ticket = pasid_queue_submit(q, &job);
    CHECK(!pasid_queue_done(q, ticket), "the job has an end");
    take_back(IOVA, page_bytes());
    ret = pasid_queue_wait(q, ticket, 60000, &done);
    check_status(ret, &done, PASID_DEV_DONE_FAULT_READ, "list");
}

static void check_interrupt(PasidQueue *q, bool refused)
{
    struct {
        struct vfio_irq_set set;
        int32_t fd;
    } irq = {
        .set = {
            .argsz = sizeof(irq), .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 1,
            .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
        },
        .fd = eventfd(0, EFD_CLOEXEC),
    };
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_NOP, .flags = PASID_DEV_DESC_IRQ,
    };
    struct pollfd p = { .fd = irq.fd, .events = POLLIN };
    PasidDevCompletion done = { 0 };
    int ret;

    if (refused) {
        test_case("interrupt-refused");
        ret = ioctl(dev.fd, VFIO_DEVICE_SET_IRQS, &irq);
        CHECK(ret < 0 && errno == ENOSPC, "MSI-X: %s",
              ret < 0 ? strerror(errno) : "this kernel lets it have some");
        close(irq.fd);
        return;
    }
    test_case("interrupt");
    must_call(dev.fd, VFIO_DEVICE_SET_IRQS, &irq, "MSI-X");
    pasid_queue_write32(q, PASID_DEV_Q_CTRL,
                        PASID_DEV_Q_CTRL_ENABLE | PASID_DEV_Q_CTRL_IRQ);
    ret = pasid_queue_run(q, &job, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "no-op");
    CHECK(poll(&p, 1, 20000) == 1, "no interrupt");
    irq.set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
    irq.set.count = 0;
    irq.set.argsz = sizeof(irq.set);
    must_call(dev.fd, VFIO_DEVICE_SET_IRQS, &irq, "no MSI-X");
    close(irq.fd);
}

/* A queue knows nothing after a reset of the function; then it works again. */
static void check_reset(PasidQueue *q)
{
    test_case("reset");
    if (ioctl(dev.fd, VFIO_DEVICE_RESET)) {
        test_fail("reset: %s", strerror(errno));
        return;
    }
    CHECK(!(pasid_queue_read32(q, PASID_DEV_Q_STATUS) &
            PASID_DEV_Q_STATUS_ENABLED), "the queue is still enabled");
    close_mapped_queue(q);
    open_mapped_queue(q, 0, NO_PASID);
    check_reach(q);
}

int main(int argc, char **argv)
{
    PasidQueue queue, foreign;

    if (argc > 1 && !strcmp(argv[1], "type1")) {
        test_begin("vfio-type1");
        open_type1();
    } else {
        test_begin("vfio-cdev");
        open_cdev();
    }
    open_mapped_queue(&queue, 0, NO_PASID);
    check_reach(&queue);
    check_again_and_again(&queue);
    check_interrupt(&queue, argc > 2 && !strcmp(argv[2], "no-msi"));

    /* It has one address space: a PASID has none. */
    test_case("pasid-refused");
    open_mapped_queue(&foreign, 1, 1);
    check_shut_out(&foreign, "PASID 1");
    close_mapped_queue(&foreign);

    check_reset(&queue);
    close_mapped_queue(&queue);
    return test_end();
}
