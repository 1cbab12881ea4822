/*
 * Accesses that must not be: the job ends with the right status, address and
 * progress, and the next one works.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "libtest.h"

static PasidDev dev;
static PasidQueue queue;
static uint8_t *good;
static const char constant[4096] = "read-only data of the program";

static void check_alive(void)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_sum(&queue, good, 4096, &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, "the next job")) {
        CHECK(done.result == reference_sum(good, 4096), "wrong sum");
    }
}

static void read_at(const char *name, const void *p)
{
    PasidDevCompletion done = { 0 };
    int ret;

    test_case("%s", name);
    ret = pasid_copy(&queue, good, p, 64, &done);
    check_refused(ret, &done, false, p, 0, name);
    check_alive();
}

static void write_at(const char *name, void *p)
{
    PasidDevCompletion done = { 0 };
    int ret;

    test_case("%s", name);
    ret = pasid_copy(&queue, p, good, 64, &done);
    check_refused(ret, &done, true, p, 0, name);
    check_alive();
}

/*
 * The region of a userfaultfd: the kernel answers a device's fault there
 * without asking user space, with an error.
 */
static void test_userfaultfd(void)
{
    struct uffdio_api api = { .api = UFFD_API };
    uint8_t *p = map_anon(page_bytes());
    struct uffdio_register reg = {
        .range = { .start = (uintptr_t)p, .len = page_bytes() },
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    /* Not populated: it is to be missing. */
    munlock(p, page_bytes());
    madvise(p, page_bytes(), MADV_DONTNEED);
    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
        ioctl(fd, UFFDIO_REGISTER, &reg)) {
        test_give_up("userfaultfd: %s", strerror(errno));
    }
    read_at("userfaultfd-read", p);
    write_at("userfaultfd-write", p);
    close(fd);
    munmap(p, page_bytes());
}

int main(void)
{
    PasidDevCompletion done = { 0 };
    const size_t page = page_bytes();
    Counts before;
    uint8_t *none;
    uint64_t sum;
    int ret;

    test_begin("refused");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    good = map_anon(16 * page);
    random_fill(good, 16 * page, 1);
    none = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    before = counts_now(&dev);
    read_at("null", NULL);
    read_at("unmapped", (void *)0x123456789000);
    write_at("unmapped-write", (void *)0x123456789000);
    read_at("last-of-48-bits", (void *)0xffffffffffc0);
    read_at("beyond-48-bits", (void *)0x0001000000000000);
    read_at("bit-55", (void *)0x0080000000000000);
    write_at("kernel", (void *)0xffff000000080000);
    read_at("kernel-read", (void *)0xffff800080000000);
    read_at("top", (void *)0xffffffffffffff00);
    /* The SMMU is told not to ignore the top byte. */
    read_at("tagged", (void *)((uintptr_t)good | 0x5a00000000000000));
    read_at("no-access", none);
    write_at("program-text", (void *)(uintptr_t)&main);
    write_at("constant", (void *)(uintptr_t)constant);

    /*
     * Linux maps a file's pages old where the processor may make them young. A
     * device by an SMMU that may not would have to fault, so they are read first.
     */
    test_case("constant-read");
    sum = reference_sum(constant, sizeof(constant));
    ret = pasid_sum(&queue, constant, sizeof(constant), &done);
    if (check_status(ret, &done, PASID_DEV_DONE_OK, "constant")) {
        CHECK(done.result == sum, "wrong sum");
    }

    test_userfaultfd();

    test_case("half-way");
    munmap(good + 8 * page, 8 * page);
    ret = pasid_sum(&queue, good + 10, 16 * page - 10, &done);
    check_refused(ret, &done, false, good + 8 * page, 8 * page - 10, "read");
    ret = pasid_fill(&queue, good + 5 * page, 0x77, 16 * page, &done);
    check_refused(ret, &done, true, good + 8 * page, 3 * page, "write");
    check_alive();

    test_case("counters");
    CHECK(counts_since(&dev, &before).aborts >= 17, "%llu accesses refused",
          (unsigned long long)counts_since(&dev, &before).aborts);

    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
