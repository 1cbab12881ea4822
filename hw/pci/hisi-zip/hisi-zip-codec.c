/*
 * The computing half of the ZIP engine: see hisi-zip-codec.h. The formats are
 * RFC 1951 (deflate), and RFC 1950 (zlib) and RFC 1952 (gzip) without their
 * headers: software writes and skips those. Called by hisi-zip-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-zip-abi.h"
#include "hisi-zip-codec.h"
#include "hisi-zip-check.h"
#include "hisi-zip-deflate.h"

struct HisiZipCodec {
    z_stream zs;
    HisiZipCheck check;
    bool decompress;
    bool body_is_done;
    int level;
};

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
                     : hisi_zip_deflate_init(&codec->zs, level, bits);
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

/* How much of the input one call may take. */
static size_t most_input(const HisiZipCodec *codec)
{
    return codec->decompress
           ? HISI_ZIP_CODEC_COST / HISI_ZIP_INFLATE_COST(1, 0)
           : hisi_zip_deflate_bytes(codec->level, HISI_ZIP_CODEC_COST);
}

/* Some of the input; a result of zlib's. */
static int run_body(HisiZipCodec *codec, HisiZipCodecIo *io)
{
    z_stream *zs = &codec->zs;
    const uint8_t *in = io->in;
    uint8_t *out = io->out;
    size_t most = MIN(io->in_bytes, most_input(codec)), taken, made;
    bool is_last = io->in_is_last && most == io->in_bytes;
    int ret;

    zs->next_in = (Bytef *)in;
    zs->avail_in = most;
    zs->next_out = out;
    zs->avail_out = io->out_bytes;
    ret = codec->decompress ? inflate(zs, Z_NO_FLUSH)
                            : deflate(zs, is_last ? Z_FINISH : Z_NO_FLUSH);
    taken = most - zs->avail_in;
    made = io->out_bytes - zs->avail_out;
    io->in += taken;
    io->in_bytes -= taken;
    io->out += made;
    io->out_bytes -= made;
    if (codec->decompress) {
        hisi_zip_check_add(&codec->check, out, made);
        io->cost += HISI_ZIP_INFLATE_COST(taken, made);
    } else {
        hisi_zip_check_add(&codec->check, in, taken);
        io->cost += hisi_zip_deflate_cost(codec->level, taken, is_last) + made;
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
