/*
 * The computing half of the ZIP engine: see hisi-zip-codec.h. The formats are
 * RFC 1950 (zlib), RFC 1951 (deflate) and RFC 1952 (gzip), the former two
 * without their headers: software writes and skips those.
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
            hisi_zip_check_add(&codec->check, out, io->out - out);
        } else {
            hisi_zip_check_add(&codec->check, in, io->in - in);
        }

        if (ret == Z_OK || ret == Z_BUF_ERROR) {
            return HISI_ZIP_CODEC_MORE;
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
