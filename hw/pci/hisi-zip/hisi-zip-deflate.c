/*
 * See hisi-zip-deflate.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-zip-deflate.h"

enum {
    MAX_MATCH = 258,
    /* zlib searches no further than so many before its input's end, unless it
       is to flush: a match, and the beginning of the next */
    HELD_BACK = MAX_MATCH + 3 + 1,
    /* Of level 9: matches compared for one byte; zlib's own are 4096 */
    LONGEST_CHAIN = 1024,
};

int hisi_zip_deflate_init(z_stream *zs, int level, unsigned window_bits)
{
    int ret = deflateInit2(zs, level, Z_DEFLATED, -(int)window_bits, 8,
                           Z_DEFAULT_STRATEGY);

    if (ret == Z_OK && level == 9) {
        ret = deflateTune(zs, MAX_MATCH, MAX_MATCH, MAX_MATCH, LONGEST_CHAIN);
    }
    return ret;
}

/* Measured with the worst of inputs, some three or four for a nanosecond. */
static uint32_t byte_cost(int level)
{
    static const uint16_t cost[10] = { 0, 64, 64, 128, 96, 128, 256, 512, 3072,
                                       3072 };

    return cost[level];
}

uint32_t hisi_zip_deflate_cost(int level, uint32_t bytes, bool is_flush)
{
    return byte_cost(level) * (bytes + (is_flush ? HELD_BACK : 0));
}

uint32_t hisi_zip_deflate_bytes(int level, uint32_t cost)
{
    return cost / byte_cost(level);
}
