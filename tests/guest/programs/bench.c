/*
 * Times what the host orders, a line at a time on the console, and answers by
 * a line. Not a test: tests/bench/guests.py gives the orders.
 *
 *   bench DISK...
 *
 *   reads D N           N reads of 4 KiB from the D-th of the disks
 *   frames N BYTES      N frames from the first card to the second
 *   maps SECONDS        Linux maps a page for a device and unmaps it, all the time:
 *                       NS for each, and DONE as often as that would be
 *   copy, touch, bind, compute          see bench-sva.c
 *   end
 *
 * The answer is "guest: bench: NS DONE": so many nanoseconds of the guest's
 * clock, which stands still while the machine is stopped, for what was done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"
#include "libcard.h"
#include "libtest.h"

#define BLOCK_BYTES 4096
#define BLOCKS 1024             /* of a disk, read one after the other */
#define WINDOW 16               /* frames on their way: less than rings hold */
#define PATIENCE_MS 30000
#define WORDS 6

static char **disks;
static int disk_count;

uint64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench_answer(uint64_t ns, uint64_t done)
{
    say("bench: %llu %llu", (unsigned long long)ns, (unsigned long long)done);
}

/* Disks are all zeroes, so that what was read is known from what was there. */
static void reads(const unsigned long *words)
{
    static uint8_t *block;
    unsigned long n = words[1];
    uint64_t start;
    int fd;

    if (words[0] >= (unsigned long)disk_count) {
        test_give_up("no disk %lu", words[0]);
    }
    fd = open(disks[words[0]], O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (fd < 0) {
        test_give_up("%s: %s", disks[words[0]], strerror(errno));
    }
    block = block ? block : map_anon(BLOCK_BYTES);
    start = bench_now_ns();
    for (unsigned long i = 0; i < n; i++) {
        block[0] = block[BLOCK_BYTES - 1] = 1;
        if (pread(fd, block, BLOCK_BYTES, (off_t)(i % BLOCKS) * BLOCK_BYTES) !=
            BLOCK_BYTES) {
            test_give_up("read %lu: %s", i, strerror(errno));
        }
        if (block[0] || block[BLOCK_BYTES - 1]) {
            test_give_up("read %lu did not come to memory", i);
        }
    }
    bench_answer(bench_now_ns() - start, n);
    close(fd);
}

static void send_frame(const Card *from, uint8_t *frame, size_t bytes,
                       uint32_t number)
{
    memcpy(frame + 14, &number, sizeof(number));
    if (write(from->fd, frame, bytes) != (ssize_t)bytes) {
        test_give_up("send: %s", strerror(errno));
    }
}

static void frames(const unsigned long *words)
{
    static Card cards[2];
    static uint8_t sent[2048], got[2048];
    uint32_t n = (uint32_t)words[0], seq = 0;
    size_t bytes = words[1];
    uint64_t start;

    if (!cards[0].fd) {
        cards[0] = card_open("eth0");
        cards[1] = card_open("eth1");
    }
    if (bytes < 64 || bytes > 1514) {
        test_give_up("frames of %zu bytes", bytes);
    }
    card_address(sent, &cards[0], &cards[1]);
    start = bench_now_ns();
    for (uint32_t next = 0; next < n; next++) {
        struct pollfd fd = { .fd = cards[1].fd, .events = POLLIN };
        uint32_t number;

        while (seq < n && seq - next < WINDOW) {
            send_frame(&cards[0], sent, bytes, seq++);
        }
        if (poll(&fd, 1, PATIENCE_MS) != 1 ||
            read(fd.fd, got, sizeof(got)) != (ssize_t)bytes) {
            test_give_up("frame %u does not arrive", next);
        }
        memcpy(&number, got + 14, sizeof(number));
        if (number != next) {
            test_give_up("frame %u is number %u", next, number);
        }
    }
    bench_answer(bench_now_ns() - start, n);
}

/* Linux's include/uapi/linux/map_benchmark.h */
typedef struct MapBenchmark {
    uint64_t map_100ns, map_deviation, unmap_100ns, unmap_deviation;
    uint32_t threads, seconds;
    int32_t node;
    uint32_t address_bits, direction, transfer_ns, pages;
    uint8_t mode, reserved[75];
} MapBenchmark;

#define MAP_BENCHMARK _IOWR('d', 1, MapBenchmark)

static void maps(const unsigned long *words)
{
    static const char path[] = "/sys/kernel/debug/dma_map_benchmark";
    MapBenchmark m = {
        .threads = 1, .seconds = (uint32_t)words[0], .node = -1,
        .address_bits = 64, .pages = 1,
    };
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint64_t each;

    if (fd < 0 || ioctl(fd, MAP_BENCHMARK, &m)) {
        test_give_up("%s: %s", path, strerror(errno));
    }
    close(fd);
    each = 100 * (m.map_100ns + m.unmap_100ns);
    bench_answer(each, each ? m.seconds * UINT64_C(1000000000) / each : 0);
}

static const struct {
    const char *name;
    unsigned words;
    BenchOrder *order;
} orders[] = {
    { "reads", 2, reads },
    { "frames", 2, frames },
    { "maps", 1, maps },
    { "copy", 2, bench_copy },
    { "touch", 4, bench_touch },
    { "bind", 2, bench_bind },
    { "compute", 3, bench_compute },
};

static void obey(char *line)
{
    const char *name = strtok(line, " ");
    unsigned long words[WORDS] = { 0 };
    unsigned n = 0;

    for (char *word; n < WORDS && (word = strtok(NULL, " ")); n++) {
        words[n] = strtoul(word, NULL, 0);
    }
    for (size_t i = 0; name && i < sizeof(orders) / sizeof(*orders); i++) {
        if (!strcmp(name, orders[i].name) && n == orders[i].words) {
            orders[i].order(words);
            return;
        }
    }
    test_give_up("no such order: %s with %u words", name ? name : "", n);
}

int main(int argc, char **argv)
{
    struct termios console;
    char line[256];

    test_begin("bench");
    disks = argv + 1;
    disk_count = argc - 1;
    /* Orders are not to come back as what the guest says. */
    if (!tcgetattr(STDIN_FILENO, &console)) {
        console.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &console);
    }
    say("bench: ready");
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!strcmp(line, "end")) {
            return test_end();
        }
        obey(line);
    }
    test_give_up("the console has ended");
}
