/*
 * Checksums and trailers of the ZIP engine, see hisi-zip-check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/bswap.h"
#include "hisi-zip-abi.h"
#include "hisi-zip-check.h"

static unsigned trailer_bytes(const HisiZipCheck *check)
{
    switch (check->format) {
    case HISI_ZIP_FORMAT_ZLIB:
        return 4;
    case HISI_ZIP_FORMAT_GZIP:
        return 8;
    default:
        return 0;
    }
}

void hisi_zip_check_init(HisiZipCheck *check, unsigned format)
{
    *check = (HisiZipCheck) {
        .format = format,
        .checksum = format == HISI_ZIP_FORMAT_ZLIB ? 1 : 0,
    };
}

bool hisi_zip_check_is_valid(const HisiZipCheck *check)
{
    return check->trailer_pos <= trailer_bytes(check);
}

void hisi_zip_check_add(HisiZipCheck *check, const uint8_t *data, size_t bytes)
{
    check->plain_bytes += bytes;
    if (check->format == HISI_ZIP_FORMAT_ZLIB) {
        check->checksum = adler32(check->checksum, data, bytes);
    } else if (check->format == HISI_ZIP_FORMAT_GZIP) {
        check->checksum = crc32(check->checksum, data, bytes);
    }
}

/* What the trailer has to say of the bytes seen so far. */
static void build_trailer(const HisiZipCheck *check, uint8_t *trailer)
{
    if (check->format == HISI_ZIP_FORMAT_ZLIB) {
        stl_be_p(trailer, check->checksum);
    } else if (check->format == HISI_ZIP_FORMAT_GZIP) {
        stl_le_p(trailer, check->checksum);
        stl_le_p(trailer + 4, check->plain_bytes);
    }
}

HisiZipCodecResult hisi_zip_check_put(HisiZipCheck *check, HisiZipCodecIo *io)
{
    size_t bytes = MIN(trailer_bytes(check) - check->trailer_pos,
                       io->out_bytes);

    build_trailer(check, check->trailer);
    memcpy(io->out, check->trailer + check->trailer_pos, bytes);
    check->trailer_pos += bytes;
    io->out += bytes;
    io->out_bytes -= bytes;
    return check->trailer_pos == trailer_bytes(check) ? HISI_ZIP_CODEC_END
                                                      : HISI_ZIP_CODEC_MORE;
}

HisiZipCodecResult hisi_zip_check_take(HisiZipCheck *check, HisiZipCodecIo *io)
{
    uint8_t expected[HISI_ZIP_TRAILER_MAX_BYTES] = { 0 };
    size_t bytes = MIN(trailer_bytes(check) - check->trailer_pos,
                       io->in_bytes);

    memcpy(check->trailer + check->trailer_pos, io->in, bytes);
    check->trailer_pos += bytes;
    io->in += bytes;
    io->in_bytes -= bytes;
    if (check->trailer_pos < trailer_bytes(check)) {
        return HISI_ZIP_CODEC_MORE;
    }
    build_trailer(check, expected);
    return memcmp(expected, check->trailer, trailer_bytes(check))
           ? HISI_ZIP_CODEC_BAD_CHECK : HISI_ZIP_CODEC_END;
}

int hisi_zip_window_bits(unsigned window)
{
    switch (window) {
    case HISI_ZIP_WINDOW_4K:
        return 12;
    case HISI_ZIP_WINDOW_8K:
        return 13;
    case HISI_ZIP_WINDOW_16K:
    case HISI_ZIP_WINDOW_24K:   /* zlib has powers of two: stay below */
        return 14;
    case HISI_ZIP_WINDOW_32K:
        return 15;
    default:
        return 0;
    }
}
