/*
 * What software gives the HiSilicon ZIP accelerator and gets back: the
 * 128-byte submission queue entry (SQE), its status codes, the scatter/gather
 * list. Included by the device, the qtest and the guest programs; needs
 * <stdint.h> only. docs/specs/hisi-zip.rst explains it.
 *
 * There is no public manual: the layout is what the Linux driver and UADK
 * use, and what neither looks at is marked as our own choice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HISI_ZIP_ABI_H
#define HISI_ZIP_ABI_H

#include <stdint.h>

#define HISI_ZIP_SQE_BYTES      128
#define HISI_ZIP_SQE_WORDS      (HISI_ZIP_SQE_BYTES / 4)
#define HISI_ZIP_CQE_BYTES      16
#define HISI_ZIP_STREAM_CONTEXT_BYTES   (64u << 10)

/* Indices of the SQE's 32-bit little-endian words. */
enum {
    HISI_ZIP_SQE_CONSUMED       = 0,    /* out: bytes of input used */
    HISI_ZIP_SQE_PRODUCED       = 1,    /* out: bytes of output written */
    HISI_ZIP_SQE_COMP_LEN       = 2,    /* out, not used here: 0 */
    HISI_ZIP_SQE_STATUS         = 3,    /* out: HISI_ZIP_STATUS_* */
    HISI_ZIP_SQE_INPUT_LEN      = 4,    /* bytes */
    HISI_ZIP_SQE_MODE           = 7,    /* HISI_ZIP_MODE_* */
    HISI_ZIP_SQE_DST_OFFSET     = 8,    /* [23:0] into the destination list */
    HISI_ZIP_SQE_REQUEST        = 9,    /* HISI_ZIP_REQUEST_* */
    HISI_ZIP_SQE_TAG0           = 13,   /* software's, type 0 */
    HISI_ZIP_SQE_OUTPUT_ROOM    = 14,   /* bytes */
    HISI_ZIP_SQE_CTX0           = 15,   /* in/out: HISI_ZIP_CTX_* */
    HISI_ZIP_SQE_SRC            = 18,   /* and 19: address, low word first */
    HISI_ZIP_SQE_DST            = 20,   /* and 21 */
    HISI_ZIP_SQE_CTX_ADDR       = 22,   /* and 23: 64 KiB, stateful only */
    HISI_ZIP_SQE_TAG3           = 26,   /* and 27: software's, type 3 */
    HISI_ZIP_SQE_CTX1           = 28,
    HISI_ZIP_SQE_CTX2           = 29,
    HISI_ZIP_SQE_ISIZE          = 30,   /* in/out: gzip: length modulo 2^32 */
    HISI_ZIP_SQE_CHECKSUM       = 31,   /* in/out: zlib: Adler-32; gzip: v with
                                           bit_reverse(~v) = CRC-32 */
};

/* HISI_ZIP_SQE_MODE */
#define HISI_ZIP_MODE_SRC_OFFSET(w)     ((w) & 0xffffff)
#define HISI_ZIP_MODE_FINISH            (1u << 25)  /* else a sync flush */
#define HISI_ZIP_MODE_STATEFUL          (1u << 26)
#define HISI_ZIP_MODE_NEW_STREAM        (1u << 27)
#define HISI_ZIP_MODE_TYPE(t)           ((uint32_t)(t) << 28)   /* 0 or 3 */

/* HISI_ZIP_SQE_REQUEST: format, buffers, window */
#define HISI_ZIP_REQUEST_FORMAT(w)      ((w) & 0xff)
#define HISI_ZIP_REQUEST_BUFFERS(w)     (((w) >> 8) & 0xf)
#define HISI_ZIP_REQUEST_WINDOW(w)      (((w) >> 12) & 0xf)
#define HISI_ZIP_REQUEST(format, buffers, window) \
    ((format) | (uint32_t)(buffers) << 8 | (uint32_t)(window) << 12)

enum {
    HISI_ZIP_FORMAT_RAW         = 1,    /* deflate, RFC 1951 */
    HISI_ZIP_FORMAT_ZLIB        = 2,    /* less its 2 bytes of header */
    HISI_ZIP_FORMAT_GZIP        = 3,    /* less its header */
};
enum { HISI_ZIP_BUFFERS_FLAT = 0, HISI_ZIP_BUFFERS_LIST = 1 };
enum {
    HISI_ZIP_WINDOW_4K, HISI_ZIP_WINDOW_8K, HISI_ZIP_WINDOW_16K,
    HISI_ZIP_WINDOW_24K, HISI_ZIP_WINDOW_32K,
};

/* A queue's direction is in its context, SQC word 13 bits [11:8]. */
enum { HISI_ZIP_COMPRESS = 0, HISI_ZIP_DECOMPRESS = 1 };

/* HISI_ZIP_SQE_STATUS */
#define HISI_ZIP_STATUS(w)              ((w) & 0xff)
#define HISI_ZIP_STATUS_LAST_BLOCK      (1u << 8)   /* decompression saw it */

enum {
    HISI_ZIP_OK                 = 0x00,
    HISI_ZIP_NOT_SMALLER        = 0x0d, /* done; output not below input */
    HISI_ZIP_NO_ROOM            = 0x0e, /* stateless: destination too small */
    HISI_ZIP_BAD_CHECKSUM       = 0x10, /* trailer does not match */
    HISI_ZIP_STREAM_END         = 0x13, /* stateful: end of the stream */
    /* Ours; software takes each for a failure. */
    HISI_ZIP_BAD_REQUEST        = 0x20, /* an illegal field of the SQE */
    HISI_ZIP_UNSUPPORTED        = 0x21, /* format or mode not implemented */
    HISI_ZIP_BAD_DATA           = 0x22, /* not a deflate stream */
    HISI_ZIP_TRUNCATED          = 0x23, /* the input ends too early */
    HISI_ZIP_READ_REFUSED       = 0x24, /* the IOMMU refused the source */
    HISI_ZIP_WRITE_REFUSED      = 0x25, /* ... the destination */
    HISI_ZIP_LIST_REFUSED       = 0x26, /* ... a scatter/gather list */
    HISI_ZIP_BAD_LIST           = 0x27, /* a list that makes no sense */
    HISI_ZIP_CONTEXT_REFUSED    = 0x28, /* ... the stream's context */
    HISI_ZIP_BAD_CONTEXT        = 0x29, /* not a context that we wrote */
};

/* HISI_ZIP_SQE_CTX0: [3:0] how a stateful request ended */
#define HISI_ZIP_CTX_STATE(w)           ((w) & 0xf)
enum {
    HISI_ZIP_CTX_DONE           = 0,
    HISI_ZIP_CTX_NO_ROOM        = 1,    /* compression: more output waits */
    HISI_ZIP_CTX_OUT_NO_ROOM    = 2,    /* decompression: likewise */
};

/*
 * A scatter/gather list is a chain of nodes: 64 bytes of header, then
 * entries of 32 bytes. Byte offsets:
 */
enum {
    HISI_SGL_NEXT               = 0,    /* 64 bits: next node, 0: none */
    HISI_SGL_ENTRIES_IN_CHAIN   = 8,    /* 16 bits, in the first node */
    HISI_SGL_ENTRIES_HERE       = 10,   /* 16 bits */
    HISI_SGL_ROOM_HERE          = 12,   /* 16 bits, at most 255 */
    HISI_SGL_HEADER_BYTES       = 64,
    HISI_SGE_ADDR               = 0,    /* 64 bits */
    HISI_SGE_LEN                = 16,   /* 32 bits, bytes */
    HISI_SGE_BYTES              = 32,
};

#endif
