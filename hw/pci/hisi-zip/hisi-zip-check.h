/*
 * The checksum and the trailer of each format, for both halves of the ZIP
 * engine (hisi-zip-codec.c, hisi-zip-stream.c): RFC 1950, RFC 1952.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_CHECK_H
#define HW_PCI_HISI_ZIP_CHECK_H

enum { HISI_ZIP_TRAILER_MAX_BYTES = 8 };

typedef struct HisiZipCheck {
    uint8_t format;             /* HISI_ZIP_FORMAT_* */
    uint8_t trailer_pos;        /* bytes of it that went out or came in */
    uint8_t trailer[HISI_ZIP_TRAILER_MAX_BYTES];
    uint32_t checksum;          /* Adler-32 or CRC-32 so far; raw: 0 */
    uint64_t plain_bytes;       /* of the uncompressed side */
} HisiZipCheck;

void hisi_zip_check_init(HisiZipCheck *check, unsigned format);
/* False: no trailer is that long. */
bool hisi_zip_check_is_valid(const HisiZipCheck *check);
/* More of the uncompressed side. */
void hisi_zip_check_add(HisiZipCheck *check, const uint8_t *data,
                        size_t bytes);

/*
 * Move bytes of the trailer to @io's output or from its input, see
 * hisi_zip_codec_run(): END when it is through.
 */
HisiZipCodecResult hisi_zip_check_put(HisiZipCheck *check,
                                      HisiZipCodecIo *io);
HisiZipCodecResult hisi_zip_check_take(HisiZipCheck *check,
                                       HisiZipCodecIo *io);

/* zlib's windowBits for HISI_ZIP_WINDOW_*; 0: no such window. */
int hisi_zip_window_bits(unsigned window);

#endif
