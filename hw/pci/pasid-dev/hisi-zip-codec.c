/*
 * The computing half of the ZIP engine: see hisi-zip-codec.h. The formats are
 * RFC 1950 (zlib), RFC 1951 (deflate) and RFC 1952 (gzip), the former two
 * without their headers: software writes and skips those.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/bswap.h"
#include "hisi-zip-abi.h"
#include "hisi-zip-codec.h"

enum { TRAILER_MAX_BYTES = 8 };

struct HisiZipCodec {
    z_stream zs;
    bool decompress;
    uint8_t format;
    bool body_is_done;
    uint32_t checksum;
    uint64_t plain_bytes;
    uint8_t trailer[TRAILER_MAX_BYTES];
    uint8_t trailer_pos;
};

static unsigned trailer_bytes(const HisiZipCodec *codec)
{
    switch (codec->format) {
    case HISI_ZIP_FORMAT_ZLIB:
        return 4;
    case HISI_ZIP_FORMAT_GZIP:
        return 8;
    default:
        return 0;
    }
}

static int window_bits(unsigned window)
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

HisiZipCodec *hisi_zip_codec_new(bool decompress, unsigned format,
                                 unsigned window, int level)
{
    int bits = window_bits(window);
    HisiZipCodec *codec;
    int ret;

    if (!bits || format < HISI_ZIP_FORMAT_RAW ||
        format > HISI_ZIP_FORMAT_GZIP) {
        return NULL;
    }
    codec = g_new0(HisiZipCodec, 1);
    codec->decompress = decompress;
    codec->format = format;
    codec->checksum = format == HISI_ZIP_FORMAT_ZLIB ? 1 : 0;
    ret = decompress ? inflateInit2(&codec->zs, -MAX_WBITS)
                     : deflateInit2(&codec->zs, level, Z_DEFLATED, -bits, 8,
                                    Z_DEFAULT_STRATEGY);
    if (ret != Z_OK) {
        g_free(codec);
        return NULL;
    }
    return codec;
}

void hisi_zip_codec_free(HisiZipCodec *codec)
{
    if (!codec) {
        return;
    }
    if (codec->decompress) {
        inflateEnd(&codec->zs);
    } else {
        deflateEnd(&codec->zs);
    }
    g_free(codec);
}

static void add_plain(HisiZipCodec *codec, const uint8_t *data, size_t bytes)
{
    codec->plain_bytes += bytes;
    if (codec->format == HISI_ZIP_FORMAT_ZLIB) {
        codec->checksum = adler32(codec->checksum, data, bytes);
    } else if (codec->format == HISI_ZIP_FORMAT_GZIP) {
        codec->checksum = crc32(codec->checksum, data, bytes);
    }
}

/* What the trailer has to say of the bytes seen so far. */
static void build_trailer(const HisiZipCodec *codec, uint8_t *trailer)
{
    if (codec->format == HISI_ZIP_FORMAT_ZLIB) {
        stl_be_p(trailer, codec->checksum);
    } else if (codec->format == HISI_ZIP_FORMAT_GZIP) {
        stl_le_p(trailer, codec->checksum);
        stl_le_p(trailer + 4, codec->plain_bytes);
    }
}

static HisiZipCodecResult put_trailer(HisiZipCodec *codec, HisiZipCodecIo *io)
{
    size_t bytes = MIN(trailer_bytes(codec) - codec->trailer_pos,
                       io->out_bytes);

    build_trailer(codec, codec->trailer);
    memcpy(io->out, codec->trailer + codec->trailer_pos, bytes);
    codec->trailer_pos += bytes;
    io->out += bytes;
    io->out_bytes -= bytes;
    return codec->trailer_pos == trailer_bytes(codec) ? HISI_ZIP_CODEC_END
                                                      : HISI_ZIP_CODEC_MORE;
}

static HisiZipCodecResult check_trailer(HisiZipCodec *codec,
                                        HisiZipCodecIo *io)
{
    uint8_t expected[TRAILER_MAX_BYTES] = { 0 };
    size_t bytes = MIN(trailer_bytes(codec) - codec->trailer_pos,
                       io->in_bytes);

    memcpy(codec->trailer + codec->trailer_pos, io->in, bytes);
    codec->trailer_pos += bytes;
    io->in += bytes;
    io->in_bytes -= bytes;
    if (codec->trailer_pos < trailer_bytes(codec)) {
        return HISI_ZIP_CODEC_MORE;
    }
    build_trailer(codec, expected);
    return memcmp(expected, codec->trailer, trailer_bytes(codec))
           ? HISI_ZIP_CODEC_BAD_CHECK : HISI_ZIP_CODEC_END;
}

HisiZipCodecResult hisi_zip_codec_run(HisiZipCodec *codec,
                                      HisiZipCodecIo *io)
{
    z_stream *zs = &codec->zs;

    if (!codec->body_is_done) {
        uint8_t *out = io->out;
        const uint8_t *in = io->in;
        int ret;

        zs->next_in = (Bytef *)io->in;
        zs->avail_in = io->in_bytes;
        zs->next_out = io->out;
        zs->avail_out = io->out_bytes;
        ret = codec->decompress
              ? inflate(zs, Z_NO_FLUSH)
              : deflate(zs, io->in_is_last ? Z_FINISH : Z_NO_FLUSH);
        io->in = zs->next_in;
        io->in_bytes = zs->avail_in;
        io->out = zs->next_out;
        io->out_bytes = zs->avail_out;
        if (codec->decompress) {
            add_plain(codec, out, io->out - out);
        } else {
            add_plain(codec, in, io->in - in);
        }

        if (ret == Z_OK || ret == Z_BUF_ERROR) {
            return HISI_ZIP_CODEC_MORE;
        }
        if (ret != Z_STREAM_END) {
            return HISI_ZIP_CODEC_BAD_DATA;
        }
        codec->body_is_done = true;
    }
    return codec->decompress ? check_trailer(codec, io)
                             : put_trailer(codec, io);
}

uint32_t hisi_zip_codec_checksum(const HisiZipCodec *codec)
{
    return codec->format == HISI_ZIP_FORMAT_RAW ? 0 : codec->checksum;
}

uint64_t hisi_zip_codec_plain_bytes(const HisiZipCodec *codec)
{
    return codec->plain_bytes;
}
