/*
 * The function is reset (FLR) while its job waits for a page fault, and while
 * it works. The job is gone, the kernel's late answer hurts nobody, and the
 * function works again once it is set up anew.
 *
 *   flr TIMES [SLOW-DISK]    without one only while it works
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (64 * KIB)

static PasidDev dev;
static PasidQueue queue;
static char reset_file[128];

static void check_works(const char *when)
{
    uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
    PasidDevCompletion done;
    int ret;

    random_fill(src, BYTES, 1);
    ret = pasid_copy(&queue, dst, src, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, when);
    CHECK(!memcmp(src, dst, BYTES), "%s: the copy differs", when);
    munmap(src, BYTES);
    munmap(dst, BYTES);
}

/*
 * One reset, while the queue copies or is at the endless job behind the copy.
 * Neither is ever done. Whether the copy was not done before it.
 */
static bool reset_during(unsigned i, const void *from, size_t bytes,
                         uint32_t at_it)
{
    bool copying;
    uint8_t *to = map_anon(bytes);
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_COPY, .src = (uintptr_t)from,
        .dst = (uintptr_t)to, .len = bytes,
    };
    PasidDevDescriptor last = endless_job();
    uint64_t start = now_us();
    PasidQueue cut_off;
    int copy, endless;

    open_queue(&queue, &dev, 0, 4);
    check_works("before the reset");
    copy = pasid_queue_submit(&queue, &job);
    endless = pasid_queue_submit(&queue, &last);
    while (!(pasid_queue_read32(&queue, PASID_DEV_Q_STATUS) & at_it)) {
        if (now_us() - start > 5000000) {
            test_give_up("reset %u: status %#x", i,
                         pasid_queue_read32(&queue, PASID_DEV_Q_STATUS));
        }
    }
    if (!write_file(reset_file, "1")) {
        test_give_up("%s: %s", reset_file, strerror(errno));
    }
    CHECK(pasid_queue_read32(&queue, PASID_DEV_Q_STATUS) == 0,
          "reset %u: status %#x", i,
          pasid_queue_read32(&queue, PASID_DEV_Q_STATUS));
    copying = !pasid_queue_done(&queue, copy);
    cut_off = queue;

    /* At once, while the kernel may still be serving the fault. */
    open_queue(&queue, &dev, 0, 4);
    check_works("after the reset");
    pasid_queue_close(&queue);
    CHECK(!pasid_queue_done(&cut_off, endless) &&
          copying == !pasid_queue_done(&cut_off, copy),
          "reset %u: a job that was cut off is done", i);
    pasid_queue_close(&cut_off);
    munmap(to, bytes);
    munmap((void *)(uintptr_t)last.src, page_bytes());
    return copying;
}

static void while_it_works(unsigned times)
{
    uint8_t *work = map_anon(16 * MIB);
    unsigned copies = 0;

    test_case("working");
    for (unsigned i = 0; i < times; i++) {
        copies += reset_during(i, work, 16 * MIB, PASID_DEV_Q_STATUS_BUSY);
    }
    say("flr: %u of %u resets during a copy", copies, times);
    munmap(work, 16 * MIB);
}

static void while_it_is_stalled(unsigned times, const char *disk)
{
    int fd = open(disk, O_RDONLY | O_CLOEXEC);
    unsigned copies = 0;
    uint8_t *slow;

    if (fd < 0) {
        test_give_up("no slow disk");
    }
    test_case("stalled");
    for (unsigned i = 0; i < times; i++) {
        slow = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, i * (off_t)MIB);
        madvise(slow, MIB, MADV_RANDOM);
        copies += reset_during(i, slow, MIB, PASID_DEV_Q_STATUS_STALLED);
        /* Waits until the kernel is done with the fault. */
        munmap(slow, MIB);
    }
    say("flr: %u of %u resets during a copy", copies, times);
    close(fd);
}

int main(int argc, char **argv)
{
    unsigned times = argc > 1 ? (unsigned)atoi(argv[1]) : 20;

    test_begin("flr");
    open_device(&dev, 0);
    snprintf(reset_file, sizeof(reset_file),
             "/sys/bus/pci/devices/%s/reset", dev.bdf);
    while_it_works(times);
    if (argc > 2) {
        while_it_is_stalled(times, argv[2]);
    }
    /* See pasid_dev_close(). */
    usleep(20000);
    pasid_dev_close(&dev);
    return test_end();
}
