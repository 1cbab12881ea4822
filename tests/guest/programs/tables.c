/*
 * Processes that share their address spaces with a device each, and have the
 * host compare what both see, at a moment when there is something of every kind
 * of memory: touched by the process, by the device, by neither. The comparison is
 * QEMU's (smmuv3-sva-compare); what is asked for here is only that it be made.
 *
 *   tables DEVICES
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

#define BYTES (4 * MIB)

/* Each comparison done, the host plugs a port: how many are there? */
static int ports(void)
{
    DIR *dir = opendir("/sys/class/virtio-ports");
    struct dirent *entry;
    int count = 0;

    while (dir && (entry = readdir(dir))) {
        count += entry->d_name[0] != '.';
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

/* @spins: its process is to be found on a processor, not asleep. */
static void wait_for_ports(int count, bool spins)
{
    while (ports() < count) {
        uint64_t end = now_us() + 100000;

        if (!spins) {
            usleep(100000);
        }
        while (now_us() < end) {
        }
    }
}

/* A third by the device, a third by the process, the rest by nobody. */
static void touch(PasidQueue *q, Buffer *b)
{
    size_t third = b->bytes / 3;
    PasidDevCompletion done = { 0 };
    int ret = pasid_fill(q, b->p, 0x5a, third, &done);

    check_status(ret, &done, PASID_DEV_DONE_OK, memory_name(b->kind));
    memset(b->p + third, 0xa5, third);
}

/* What is not just memory that can be read and written. */
static void make_special(void)
{
    uint8_t *p = map_anon(8 * page_bytes());

    memset(p, 1, 8 * page_bytes());
    mprotect(p, page_bytes(), PROT_READ);
    mprotect(p + page_bytes(), page_bytes(), PROT_NONE);
    mprotect(p + 2 * page_bytes(), page_bytes(), PROT_READ | PROT_EXEC);
    munmap(p + 3 * page_bytes(), page_bytes());
}

/* A child has pages in common with us until either writes them. */
static pid_t share_pages(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

/* Not the first vCPU, which who finds none might take. */
static void run_on_last_cpu(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
    CHECK(!sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity: %s",
          strerror(errno));
}

static int process(unsigned n)
{
    unsigned bus = 0, slot = 0, function = 0;
    Buffer buffers[MEM_KINDS];
    unsigned count = 0;
    PasidQueue q;
    PasidDev dev;
    pid_t child;

    open_device(&dev, n);
    open_queue(&q, &dev, 0, 4);
    for (MemoryKind kind = 0; kind < MEM_KINDS; kind++) {
        if (kind != MEM_STACK && memory_exists(kind)) {
            /* There are so many explicit huge pages as main() asked for */
            buffers[count] = buffer_new(kind, kind == MEM_HUGETLB ? 2 * MIB
                                                                  : BYTES);
            touch(&q, &buffers[count++]);
        }
    }
    make_special();
    child = share_pages();
    memset(buffers[0].p, 2, page_bytes());

    wait_for_ports((int)n, false);      /* one after the other */
    if (n % 2) {
        run_on_last_cpu();
    }
    sscanf(dev.bdf, "%*x:%x:%x.%x", &bus, &slot, &function);
    say("compare %s 0x%x 0x%x", n % 2 ? "runs" : "sleeps",
        bus << 8 | slot << 3 | function, dev.pasid);
    wait_for_ports((int)n + 1, n % 2);

    for (unsigned i = 0; i < count; i++) {
        touch(&q, &buffers[i]);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    pasid_queue_close(&q);
    pasid_dev_close(&dev);
    return test_failures() ? 1 : 0;
}

int main(int argc, char **argv)
{
    unsigned devices = argc > 1 ? (unsigned)atoi(argv[1]) : 1;

    test_begin("tables");
    write_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "4");
    for (unsigned n = 0; n < devices; n++) {
        pid_t pid = fork();

        if (pid < 0) {
            test_give_up("fork: %s", strerror(errno));
        }
        if (pid == 0) {
            _exit(process(n));
        }
    }
    for (unsigned n = 0; n < devices; n++) {
        int status = 0;

        wait(&status);
        CHECK(WIFEXITED(status) && !WEXITSTATUS(status),
              "a process ended with 0x%x", (unsigned)status);
    }
    return test_end();
}
