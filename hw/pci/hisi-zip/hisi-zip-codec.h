/*
 * The computing half of the ZIP engine: deflate and inflate by zlib, with the
 * trailers that the hardware appends and verifies. Knows neither queues nor
 * guest memory. Called by hisi-zip-job.c, under the big QEMU lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_CODEC_H
#define HW_PCI_HISI_ZIP_CODEC_H

typedef struct HisiZipCodec HisiZipCodec;

typedef enum HisiZipCodecResult {
    HISI_ZIP_CODEC_MORE,        /* wants more input or more room */
    HISI_ZIP_CODEC_END,         /* everything is out, the trailer too */
    HISI_ZIP_CODEC_BAD_DATA,    /* not a deflate stream */
    HISI_ZIP_CODEC_BAD_CHECK,   /* the trailer does not match */
} HisiZipCodecResult;

/* Where run() may read and write; it advances both. */
typedef struct HisiZipCodecIo {
    const uint8_t *in;
    size_t in_bytes;
    bool in_is_last;            /* no input comes after this */
    uint8_t *out;
    size_t out_bytes;           /* > 0 */
} HisiZipCodecIo;

/*
 * @format: HISI_ZIP_FORMAT_*; @window: HISI_ZIP_WINDOW_*, for compression (a
 * decompression takes every distance that deflate has); @level: zlib's, 1-9.
 * NULL when one of them is none of these, or memory is short.
 */
HisiZipCodec *hisi_zip_codec_new(bool decompress, unsigned format,
                                 unsigned window, int level);
void hisi_zip_codec_free(HisiZipCodec *codec);

/*
 * One step: takes input, gives output, as far as either goes. MORE with
 * output room left and no input left is truncated input when it was the last.
 */
HisiZipCodecResult hisi_zip_codec_run(HisiZipCodec *codec,
                                      HisiZipCodecIo *io);

/* Checksum and length of the uncompressed side so far. */
struct HisiZipCheck;
const struct HisiZipCheck *hisi_zip_codec_check(const HisiZipCodec *codec);

#endif
