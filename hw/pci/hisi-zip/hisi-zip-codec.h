/*
 * The computing half of the ZIP engine: deflate and inflate by zlib, with the
 * trailers that the hardware appends and verifies. Knows neither queues nor
 * guest memory. Called by hisi-zip-job.c, under the big QEMU lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_CODEC_H
#define HW_PCI_HISI_ZIP_CODEC_H

#include "hisi-zip-check.h"

typedef struct HisiZipCodec HisiZipCodec;

/*
 * One call costs no more than about HISI_ZIP_CODEC_COST, as SvaRequester.cost
 * counts, but for the end of a stream. Of inflate it is measured with the worst
 * of inputs, some three for a nanosecond; of deflate hisi-zip-deflate.h tells.
 */
#define HISI_ZIP_CODEC_COST         (128u * 1024)
#define HISI_ZIP_INFLATE_COST(in, out)  ((in) * 160 + (out) * 8)

/*
 * @format: HISI_ZIP_FORMAT_*; @window: HISI_ZIP_WINDOW_*, for compression (a
 * decompression takes every distance that deflate has); @level: zlib's, 1-9.
 * NULL when one of them is none of these, or memory is short.
 */
HisiZipCodec *hisi_zip_codec_new(bool decompress, unsigned format,
                                 unsigned window, int level);
void hisi_zip_codec_free(HisiZipCodec *codec);

/*
 * One step: takes input, gives output, as far as either goes, or the cost lets
 * it. MORE with output room left and no input left is truncated input when it
 * was the last. How the input comes in pieces makes no difference to the output.
 */
HisiZipCodecResult hisi_zip_codec_run(HisiZipCodec *codec,
                                      HisiZipCodecIo *io);

/* Checksum and length of the uncompressed side so far. */
const HisiZipCheck *hisi_zip_codec_check(const HisiZipCodec *codec);

#endif
