/*
 * The checksum and the trailer of each format (RFC 1950, RFC 1952), and what a
 * step takes and gives, for both halves of the ZIP engine (hisi-zip-codec.c,
 * hisi-zip-stream.c). No zlib stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_CHECK_H
#define HW_PCI_HISI_ZIP_CHECK_H

/* What a step of either half says, see hisi_zip_codec_run(). */
typedef enum HisiZipCodecResult {
    HISI_ZIP_CODEC_MORE,        /* wants more input or more room */
    HISI_ZIP_CODEC_GOES_ON,     /* that was much: call again */
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
    uint32_t cost;              /* goes up by what it took, as SvaRequester.cost */
} HisiZipCodecIo;

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
