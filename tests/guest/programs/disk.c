/*
 * Plain DMA of a disk: direct writes of random data, read back and compared.
 * Destroys the disk's contents.
 *
 *   disk NAME BLOCK-DEVICE MIB
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libtest.h"

#define MOST (1 * MIB)

int main(int argc, char **argv)
{
    uint8_t *out = map_anon(MOST + 4096), *in = map_anon(MOST + 4096);
    static const size_t sizes[] = { 512, 4096, 24 * KIB, 128 * KIB, MIB };
    static char name[64];
    size_t total, at = 0;
    uint64_t seed = 1;
    int fd;

    snprintf(name, sizeof(name), "disk-%s", argc > 3 ? argv[1] : "");
    test_begin(name);
    if (argc < 4) {
        test_give_up("usage: disk NAME BLOCK-DEVICE MIB");
    }
    total = (size_t)atoi(argv[3]) * MIB;
    fd = open(argv[2], O_RDWR | O_DIRECT | O_CLOEXEC);
    if (fd < 0) {
        test_give_up("%s: %s", argv[2], strerror(errno));
    }
    while (at < total) {
        size_t n = sizes[seed % 5];
        /* Not every buffer begins with a page. */
        uint8_t *from = out + seed % 8 * 512, *to = in + (seed + 3) % 8 * 512;

        random_fill(from, n, seed);
        memset(to, 0, n);
        if (pwrite(fd, from, n, (off_t)at) != (ssize_t)n) {
            test_give_up("write at %zu: %s", at, strerror(errno));
        }
        if (pread(fd, to, n, (off_t)at) != (ssize_t)n) {
            test_give_up("read at %zu: %s", at, strerror(errno));
        }
        CHECK(!memcmp(from, to, n), "at %zu: differs", at);
        at += n;
        seed++;
    }
    /* Once more from the beginning: what was written is still there. */
    at = 0;
    for (uint64_t s = 1; s < seed; s++) {
        size_t n = sizes[s % 5];

        random_fill(out, n, s);
        if (pread(fd, in, n, (off_t)at) != (ssize_t)n) {
            test_give_up("read at %zu: %s", at, strerror(errno));
        }
        CHECK(!memcmp(out, in, n), "at %zu: lost", at);
        at += n;
    }
    say("%s: %zu KiB written and read twice", name, at / KIB);
    close(fd);
    return test_end();
}
