/*
 * Memory that the device has used is given back to the kernel, piece after piece,
 * and never touched again, while the device goes on with other memory. Where an
 * SMMU drops invalidations (inject=) nothing goes wrong by it, and the auditor is to
 * notice. Not a test of what the device sees: that is remap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"

enum { PIECES = 64, LATER = 240, PAUSE_US = 12500 };
#define PIECE_BYTES (16 * page_bytes())

static PasidQueue queue;

static void use(uint8_t *p, uint8_t value)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_fill(&queue, p, 0x0101010101010101ull * value, PIECE_BYTES,
                         &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, "fill")) {
        size_t at = first_other(p, value, PIECE_BYTES);

        CHECK(at == PIECE_BYTES, "byte %zu is not what was written", at);
    }
}

static void give_back(uint8_t *p)
{
    if (madvise(p, PIECE_BYTES, MADV_DONTNEED)) {
        test_give_up("madvise: %s", strerror(errno));
    }
}

int main(void)
{
    PasidDev dev;
    uint8_t *pieces;

    test_begin("forget");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    pieces = map_anon((PIECES + LATER) * PIECE_BYTES);
    madvise(pieces, (PIECES + LATER) * PIECE_BYTES, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < PIECES; i++) {
        use(pieces + i * PIECE_BYTES, i + 1);
    }
    for (unsigned i = 0; i < PIECES; i++) {
        give_back(pieces + i * PIECE_BYTES);
    }
    for (unsigned i = PIECES; i < PIECES + LATER; i++) {
        use(pieces + i * PIECE_BYTES, i + 1);
        give_back(pieces + i * PIECE_BYTES);
        usleep(PAUSE_US);
    }
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
