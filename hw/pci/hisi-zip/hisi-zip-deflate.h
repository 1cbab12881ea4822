/*
 * How long zlib searches at each level, and what that costs: begins a deflate
 * that is bounded. Not the use of it, nor inflate. Called by hisi-zip-codec.c
 * and hisi-zip-stream.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_DEFLATE_H
#define HW_PCI_HISI_ZIP_DEFLATE_H

#include <zlib.h>

/*
 * As deflateInit2(), raw, and its result. @level: 1 to 9; @window_bits: 9 to 15.
 * The last input of a stream is searched in one call, and cannot be in several.
 * At zlib's level 9 that can take a millisecond; here it searches a quarter as
 * far, as level 8 does.
 */
int hisi_zip_deflate_init(z_stream *zs, int level, unsigned window_bits);

/*
 * What @bytes of input cost at @level, as SvaRequester.cost counts, with those
 * that zlib holds back until a flush if this @is_flush. At the worst: a level
 * searches so much longer than another.
 */
uint32_t hisi_zip_deflate_cost(int level, uint32_t bytes, bool is_flush);

/* How many bytes of input cost no more than @cost. */
uint32_t hisi_zip_deflate_bytes(int level, uint32_t cost);

#endif
