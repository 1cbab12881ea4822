/*
 * The computing half of the ZIP engine: see hisi-zip-codec.h. The formats are
 * RFC 1951 (deflate), and RFC 1950 (zlib) and RFC 1952 (gzip) without their
 * headers: software writes and skips those. Called by hisi-zip-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "hisi-zip-abi.h"
#include "hisi-zip-codec.h"
#include "hisi-zip-check.h"

struct HisiZipCodec {
    z_stream zs;
    HisiZipCheck check;
    bool decompress;
    bool body_is_done;
    int level;
};

uint32_t hisi_zip_deflate_cost(int level)
{
    static const uint16_t cost[10] = { 0, 64, 64, 128, 96, 128, 256, 512, 2048,
                                       6144 };

    return cost[level];
}

HisiZipCodec *hisi_zip_codec_new(bool decompress, unsigned format,
                                 unsigned window, int level)
{
    int bits = hisi_zip_window_bits(window);
    HisiZipCodec *codec;
    int ret;

    if (!bits || format < HISI_ZIP_FORMAT_RAW ||
        format > HISI_ZIP_FORMAT_GZIP) {
        return NULL;
    }
    codec = g_new0(HisiZipCodec, 1);
    codec->decompress = decompress;
    codec->level = level;
    hisi_zip_check_init(&codec->check, format);
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

/* Some of the input; a result of zlib's. */
static int run_body(HisiZipCodec *codec, HisiZipCodecIo *io)
{
    z_stream *zs = &codec->zs;
    const uint8_t *in = io->in;
    uint8_t *out = io->out;
    uint32_t byte_cost = codec->decompress ? HISI_ZIP_INFLATE_COST(1, 0)
                                           : hisi_zip_deflate_cost(codec->level);
    size_t most = MIN(io->in_bytes, HISI_ZIP_CODEC_COST / byte_cost);
    bool is_last = io->in_is_last && most == io->in_bytes;
    int ret;

    zs->next_in = (Bytef *)in;
    zs->avail_in = most;
    zs->next_out = out;
    zs->avail_out = io->out_bytes;
    ret = codec->decompress ? inflate(zs, Z_NO_FLUSH)
                            : deflate(zs, is_last ? Z_FINISH : Z_NO_FLUSH);
    io->in = zs->next_in;
    io->in_bytes -= io->in - in;
    io->out = zs->next_out;
    io->out_bytes = zs->avail_out;
    if (codec->decompress) {
        hisi_zip_check_add(&codec->check, out, io->out - out);
        io->cost += HISI_ZIP_INFLATE_COST(io->in - in, io->out - out);
    } else {
        hisi_zip_check_add(&codec->check, in, io->in - in);
        io->cost += byte_cost * (io->in - in) + (io->out - out);
    }
    return ret;
}

HisiZipCodecResult hisi_zip_codec_run(HisiZipCodec *codec,
                                      HisiZipCodecIo *io)
{
    if (!codec->body_is_done) {
        int ret = run_body(codec, io);

        if (ret == Z_OK || ret == Z_BUF_ERROR) {
            return io->in_bytes && io->out_bytes ? HISI_ZIP_CODEC_GOES_ON
                                                 : HISI_ZIP_CODEC_MORE;
        }
        if (ret != Z_STREAM_END) {
            return HISI_ZIP_CODEC_BAD_DATA;
        }
        codec->body_is_done = true;
    }
    return codec->decompress ? hisi_zip_check_take(&codec->check, io)
                             : hisi_zip_check_put(&codec->check, io);
}

const HisiZipCheck *hisi_zip_codec_check(const HisiZipCodec *codec)
{
    return &codec->check;
}
