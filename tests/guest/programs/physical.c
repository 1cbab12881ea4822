/*
 * The device by physical addresses, as a guest without an IOMMU has it: its own
 * memory is reached, what is none of it is refused, and nothing in it is
 * another guest's.
 *
 *   physical [ME OTHER]     two letters: whose marks are looked for, while both
 *                           guests have theirs
 *
 * There is no driver: registers and configuration space by sysfs, a huge page
 * for what the device reads and writes, /proc/self/pagemap for where that is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include "libtest.h"

#define HUGE_BYTES (2 * MIB)
/* Of a huge page: a ring, its records, and the rest in two halves. */
#define COMPLETIONS (4 * KIB)
#define SOURCE (64 * KIB)
#define DESTINATION (1 * MIB)
#define MARKS 64

static PasidDev dev;
static PasidQueue queue;
static uint8_t *memory;
static uint64_t memory_pa;

static void *pa_pointer(uint64_t pa)
{
    return (void *)(uintptr_t)pa;
}

static void find_device(char *dir, size_t bytes)
{
    DIR *all = opendir("/sys/bus/pci/devices");
    struct dirent *entry;
    char path[400];

    while (all && (entry = readdir(all))) {
        snprintf(dir, bytes, "/sys/bus/pci/devices/%.12s", entry->d_name);
        snprintf(path, sizeof(path), "%s/device", dir);
        if (read_number(path) == PASID_DEV_DEVICE_ID) {
            closedir(all);
            return;
        }
    }
    test_give_up("no pasid-dev");
}

/* Registers, and the right to be a bus master. */
static void open_registers(void)
{
    char dir[300], path[400];
    uint16_t command = 0;
    int fd;

    find_device(dir, sizeof(dir));
    snprintf(path, sizeof(path), "%s/config", dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || pread(fd, &command, 2, 4) != 2) {
        test_give_up("%s: %s", path, strerror(errno));
    }
    command |= 6;
    if (pwrite(fd, &command, 2, 4) != 2) {
        test_give_up("%s: %s", path, strerror(errno));
    }
    close(fd);
    snprintf(path, sizeof(path), "%s/resource0", dir);
    dev.fd = open(path, O_RDWR | O_CLOEXEC);
    dev.bar_bytes = 2 * PASID_DEV_PAGE_BYTES;
    dev.bar = mmap(NULL, dev.bar_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                   dev.fd, 0);
    if (dev.fd < 0 || dev.bar == MAP_FAILED) {
        test_give_up("%s: %s", path, strerror(errno));
    }
    if (pasid_dev_read32(&dev, PASID_DEV_MAGIC) != PASID_DEV_MAGIC_VALUE) {
        test_give_up("not a pasid-dev");
    }
}

/* A piece of memory whose physical addresses follow each other. */
static void take_memory(void)
{
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t entry = 0;
    Buffer b;

    write_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "1");
    b = buffer_new(MEM_HUGETLB, HUGE_BYTES);
    memory = b.p;
    memset(memory, 0, HUGE_BYTES);
    if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)memory /
                        page_bytes() * 8)) != 8 || !(entry >> 63)) {
        test_give_up("no pagemap entry");
    }
    memory_pa = (entry & ((1ull << 55) - 1)) * page_bytes();
    close(fd);
}

static void open_physical_queue(void)
{
    queue = (PasidQueue) {
        .dev = &dev, .portal = dev.bar + PASID_DEV_PAGE_BYTES, .entries = 16,
        .ring = (PasidDevDescriptor *)(void *)memory,
        .completions = (PasidDevCompletion *)(void *)(memory + COMPLETIONS),
    };
    pasid_queue_write32(&queue, PASID_DEV_Q_CTRL, 0);
    pasid_dev_write32(&dev, PASID_DEV_QUEUE_PASID(0), 0);
    pasid_queue_write64(&queue, PASID_DEV_Q_RING, memory_pa);
    pasid_queue_write64(&queue, PASID_DEV_Q_COMPLETIONS,
                        memory_pa + COMPLETIONS);
    pasid_queue_write32(&queue, PASID_DEV_Q_SIZE_LOG2, 4);
    pasid_queue_write32(&queue, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
}

/* First and last byte of the machine's memory, of which there is one piece. */
static void memory_range(uint64_t *first, uint64_t *last)
{
    FILE *f = fopen("/proc/iomem", "re");
    unsigned long long from, to;
    char line[200];

    *first = *last = 0;
    while (f && fgets(line, sizeof(line), f)) {
        if (line[0] != ' ' && strstr(line, "System RAM") &&
            sscanf(line, "%llx-%llx", &from, &to) == 2) {
            *first = *first ? *first : from;
            *last = to;
        }
    }
    if (f) {
        fclose(f);
    }
    if (!*last) {
        test_give_up("/proc/iomem names no memory");
    }
}

static int copy(uint64_t to, uint64_t from, size_t bytes,
                PasidDevCompletion *done)
{
    return pasid_copy(&queue, pa_pointer(to), pa_pointer(from), bytes, done);
}

static void check_own(void)
{
    const size_t bytes = HUGE_BYTES - DESTINATION;
    PasidDevCompletion done = { 0 };

    test_case("own-memory");
    random_fill(memory + SOURCE, bytes - SOURCE, 1);
    check_status(copy(memory_pa + DESTINATION, memory_pa + SOURCE,
                      bytes - SOURCE, &done), &done, PASID_DEV_DONE_OK, "copy");
    CHECK(!memcmp(memory + DESTINATION, memory + SOURCE, bytes - SOURCE),
          "the copy differs");
}

static void check_outside(uint64_t last)
{
    const uint64_t outside[] = {
        last + 1, last + 1 + 1024 * MIB, 0x09000000, 1ull << 40,
    };
    PasidDevCompletion done = { 0 };

    test_case("outside");
    for (unsigned i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
        void *there = pa_pointer(outside[i]);
        int ret = pasid_sum(&queue, there, 64, &done);

        check_refused(ret, &done, false, there, 0, "read");
        ret = pasid_fill(&queue, there, 0x5a5a5a5a5a5a5a5a, 64, &done);
        check_refused(ret, &done, true, there, 0, "write");
    }
}

static uint64_t mark_of(char who)
{
    return 0x6b72616d20230000u * 0x9e3779b97f4a7c15ull + (uint8_t)who;
}

/*
 * Both guests come this far before either goes on: whoever started them hears of
 * it and writes a line to the console (tests/guest/vm). For as long as this VM may
 * take at all.
 */
static void meet_other(void)
{
    int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios settings;
    char text[16];

    if (fd < 0 || tcgetattr(fd, &settings) < 0) {
        test_give_up("/dev/console: %s", strerror(errno));
    }
    settings.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSANOW, &settings);
    say("waits for the other VM");
    if (read(fd, text, sizeof(text)) < 1) {
        test_give_up("no word of the other VM");
    }
    close(fd);
}

/* By the device, page by page: my marks are in my memory and nobody else's. */
static void check_marks(uint64_t first, uint64_t last, char me, char other)
{
    unsigned mine = 0, theirs = 0;
    uint8_t *seen = memory + DESTINATION;
    PasidDevCompletion done = { 0 };
    uint8_t *marked = map_anon(MARKS * page_bytes());
    uint64_t mark = mark_of(me);

    test_case("marks");
    for (unsigned i = 0; i < MARKS; i++) {
        memcpy(marked + i * page_bytes(), &mark, sizeof(mark));
    }
    meet_other();
    for (uint64_t pa = first; pa + MIB <= last + 1; pa += MIB) {
        if (pa < memory_pa + HUGE_BYTES && pa + MIB > memory_pa) {
            continue;       /* where they are copied to */
        }
        if (!check_status(copy(memory_pa + DESTINATION, pa, MIB, &done), &done,
                          PASID_DEV_DONE_OK, "copy of all memory")) {
            break;
        }
        for (size_t at = 0; at < MIB; at += page_bytes()) {
            uint64_t word;

            memcpy(&word, seen + at, sizeof(word));
            mine += word == mark;
            theirs += word == mark_of(other);
        }
    }
    CHECK(mine >= MARKS, "only %u of my %u marks", mine, MARKS);
    CHECK(!theirs, "%u marks of another guest", theirs);
    say("physical: %u marks of %c, %u of %c", mine, me, theirs, other);
    meet_other();
    munmap(marked, MARKS * page_bytes());
}

int main(int argc, char **argv)
{
    uint64_t first, last;

    test_begin("physical");
    open_registers();
    take_memory();
    open_physical_queue();
    memory_range(&first, &last);
    check_own();
    check_outside(last);
    if (argc > 2) {
        check_marks((first + MIB - 1) & ~(MIB - 1), last, argv[1][0], argv[2][0]);
    }
    pasid_queue_write32(&queue, PASID_DEV_Q_CTRL, 0);
    return test_end();
}
