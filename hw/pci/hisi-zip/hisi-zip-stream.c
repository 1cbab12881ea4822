/*
 * Stateful streams of the ZIP engine, see hisi-zip-stream.h.
 *
 * Compression flushes every 16 KiB, so that what remains between requests is
 * the window and some output. Decompression can stop anywhere: in a block's
 * header, in a stored block, in the middle of a code. zlib's inflateMark()
 * tells where the code in work began; to go on, a new stream is given the
 * block's header again and then the bits from that place on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hisi-zip-stream.h"
#include "hisi-zip-check.h"
#include "hisi-zip-deflate.h"

enum {
    SLICE_BYTES = 16 * KiB,         /* of input, between two flushes */
    PENDING_BYTES = 20 * KiB,       /* a slice that does not compress */
    WINDOW_BYTES = 32 * KiB,
    /* A dynamic block's header has 4498 bits at most (RFC 1951 3.2.7). */
    HEADER_BYTES = 640,
    TAIL_BYTES = 16,                /* a code has 48 bits at most */
};

/* Where decompression stopped. */
enum { AT_HEADER, AT_STORED, AT_CODE };

struct HisiZipStream {
    z_stream zs;
    HisiZipCheck check;
    bool decompress;
    bool body_is_done;
    /* Output that had no room */
    uint32_t pending_pos, pending_bytes;
    uint8_t pending[PENDING_BYTES];

    /* Compression */
    int level;
    bool owes_flush;                /* of the slice */
    int flush;
    uint32_t slice_pos, slice_bytes;    /* zlib has had so much of it */
    uint8_t slice[SLICE_BYTES];

    /* Decompression: the header of the block in work, as far as it was read */
    bool in_header;
    uint8_t header_bit;             /* where in header[0] it begins */
    uint32_t header_bytes;
    uint8_t header[HEADER_BYTES];
    uint8_t tail[TAIL_BYTES];       /* the last bytes of input */
};

/* The context's fields, by their offset; little-endian. */
enum {
    CTX_MAGIC           = 0,
    CTX_CRC             = 4,        /* of all that follows */
    CTX_DECOMPRESS      = 8,        /* bytes from here to 13 */
    CTX_FORMAT          = 9,
    CTX_BODY_IS_DONE    = 10,
    CTX_PLACE           = 11,       /* AT_* */
    CTX_HEADER_BIT      = 12,
    CTX_IS_LAST_BLOCK   = 13,
    CTX_CHECKSUM        = 16,
    CTX_PLAIN_BYTES     = 24,       /* 64 bits */
    CTX_TRAILER_POS     = 32,       /* a byte */
    CTX_PENDING_BYTES   = 36,
    CTX_WINDOW_BYTES    = 40,
    CTX_HEADER_BYTES    = 44,
    CTX_CODE_BITS       = 48,       /* from the code's beginning on */
    CTX_STORED_LEFT     = 52,       /* bytes of a stored block */
    CTX_TRAILER         = 56,
    CTX_TAIL            = 64,
    CTX_HEADER          = 128,
    CTX_PENDING         = 1024,
    CTX_WINDOW          = CTX_PENDING + PENDING_BYTES,
    CTX_END             = CTX_WINDOW + WINDOW_BYTES,

    MAGIC_VALUE         = 0x315a4848,   /* "HHZ1" */
};
QEMU_BUILD_BUG_ON(CTX_END > HISI_ZIP_STREAM_CONTEXT_BYTES);
QEMU_BUILD_BUG_ON(CTX_HEADER + HEADER_BYTES > CTX_PENDING);

static uint32_t get32(const uint8_t *context, unsigned offset)
{
    return ldl_le_p(context + offset);
}

static void put32(uint8_t *context, unsigned offset, uint32_t value)
{
    stl_le_p(context + offset, value);
}

static uint32_t context_crc(const uint8_t *context)
{
    return crc32(0, context + CTX_CRC + 4, CTX_END - CTX_CRC - 4);
}

HisiZipStream *hisi_zip_stream_new(bool decompress, unsigned format,
                                   unsigned window, int level)
{
    int bits = hisi_zip_window_bits(window);
    HisiZipStream *stream;
    int ret;

    if (!bits || format < HISI_ZIP_FORMAT_RAW ||
        format > HISI_ZIP_FORMAT_GZIP) {
        return NULL;
    }
    stream = g_new0(HisiZipStream, 1);
    stream->decompress = decompress;
    stream->in_header = true;
    stream->level = level;
    hisi_zip_check_init(&stream->check, format);
    ret = decompress ? inflateInit2(&stream->zs, -MAX_WBITS)
                     : hisi_zip_deflate_init(&stream->zs, level, bits);
    if (ret != Z_OK) {
        g_free(stream);
        return NULL;
    }
    return stream;
}

void hisi_zip_stream_free(HisiZipStream *stream)
{
    if (!stream) {
        return;
    }
    if (stream->decompress) {
        inflateEnd(&stream->zs);
    } else {
        deflateEnd(&stream->zs);
    }
    g_free(stream);
}

const HisiZipCheck *hisi_zip_stream_check(const HisiZipStream *stream)
{
    return &stream->check;
}

/* False when output is left that has no room. */
static bool give_pending(HisiZipStream *stream, HisiZipCodecIo *io)
{
    size_t bytes = MIN(stream->pending_bytes - stream->pending_pos,
                       io->out_bytes);

    if (bytes) {
        memcpy(io->out, stream->pending + stream->pending_pos, bytes);
        io->out += bytes;
        io->out_bytes -= bytes;
        stream->pending_pos += bytes;
    }
    return stream->pending_pos == stream->pending_bytes;
}

/* ---- Compression ------------------------------------------------------ */

/*
 * Goes on with the slice and its flush: END, it is through; MORE, there is no
 * room left.
 */
static HisiZipCodecResult run_slice(HisiZipStream *stream, HisiZipCodecIo *io)
{
    z_stream *zs = &stream->zs;
    bool is_last;
    int ret;

    if (!io->out_bytes) {
        return HISI_ZIP_CODEC_MORE;
    }
    if (!zs->avail_in) {
        zs->next_in = stream->slice + stream->slice_pos;
        zs->avail_in = MIN(stream->slice_bytes - stream->slice_pos,
                           hisi_zip_deflate_bytes(stream->level,
                                                  HISI_ZIP_CODEC_COST));
        stream->slice_pos += zs->avail_in;
    }
    is_last = stream->slice_pos == stream->slice_bytes;
    io->cost += hisi_zip_deflate_cost(stream->level, zs->avail_in, is_last);
    zs->next_out = io->out;
    zs->avail_out = io->out_bytes;
    ret = deflate(zs, is_last ? stream->flush : Z_NO_FLUSH);
    io->out = zs->next_out;
    io->out_bytes = zs->avail_out;
    if (ret == Z_STREAM_END) {
        stream->body_is_done = true;
    } else if (!zs->avail_out) {
        return HISI_ZIP_CODEC_MORE;
    } else if (!is_last) {
        return HISI_ZIP_CODEC_GOES_ON;
    }
    stream->owes_flush = false;
    return HISI_ZIP_CODEC_END;
}

static void take_slice(HisiZipStream *stream, HisiZipCodecIo *io, bool finish)
{
    size_t bytes = MIN(io->in_bytes, SLICE_BYTES);

    memcpy(stream->slice, io->in, bytes);
    hisi_zip_check_add(&stream->check, io->in, bytes);
    io->in += bytes;
    io->in_bytes -= bytes;
    stream->slice_pos = 0;
    stream->slice_bytes = bytes;
    stream->flush = finish && io->in_is_last && !io->in_bytes ? Z_FINISH
                                                              : Z_SYNC_FLUSH;
    stream->owes_flush = true;
}

static HisiZipCodecResult run_compression(HisiZipStream *stream,
                                          HisiZipCodecIo *io, bool finish)
{
    if (!give_pending(stream, io)) {
        return HISI_ZIP_CODEC_MORE;
    }
    while (!stream->body_is_done) {
        HisiZipCodecResult result;

        if (io->cost >= HISI_ZIP_CODEC_COST) {
            return HISI_ZIP_CODEC_GOES_ON;
        }
        if (!stream->owes_flush) {
            if (!io->in_bytes && !(finish && io->in_is_last)) {
                return HISI_ZIP_CODEC_MORE;
            }
            take_slice(stream, io, finish);
        }
        result = run_slice(stream, io);
        if (result == HISI_ZIP_CODEC_MORE) {
            return result;
        }
    }
    return hisi_zip_check_put(&stream->check, io);
}

static uint32_t save_compression(HisiZipStream *stream, uint8_t *window)
{
    uInt bytes = 0;

    if (!stream->body_is_done) {
        deflateGetDictionary(&stream->zs, window, &bytes);
    }
    return bytes;
}

/* ---- Decompression ---------------------------------------------------- */

/* Bits that zlib has read and not used. */
static unsigned unused_bits(const z_stream *zs)
{
    return zs->data_type & 63;
}

static bool at_end_of_header(const z_stream *zs)
{
    return zs->data_type & 256;
}

static bool at_end_of_block(const z_stream *zs)
{
    return zs->data_type & 128;
}

/* Keep what may have to be read again. False: no header is that long. */
static bool note_input(HisiZipStream *stream, const uint8_t *in, size_t bytes)
{
    if (stream->in_header) {
        if (bytes > HEADER_BYTES - stream->header_bytes) {
            return false;
        }
        memcpy(stream->header + stream->header_bytes, in, bytes);
        stream->header_bytes += bytes;
    }
    if (bytes < TAIL_BYTES) {
        memmove(stream->tail, stream->tail + bytes, TAIL_BYTES - bytes);
        memcpy(stream->tail + TAIL_BYTES - bytes, in, bytes);
    } else {
        memcpy(stream->tail, in + bytes - TAIL_BYTES, TAIL_BYTES);
    }
    return true;
}

/* The next block begins with the bits that are not used yet. */
static void begin_header(HisiZipStream *stream)
{
    unsigned bits = unused_bits(&stream->zs);
    unsigned bytes = DIV_ROUND_UP(bits, 8);

    stream->in_header = true;
    stream->header_bit = bytes * 8 - bits;
    stream->header_bytes = bytes;
    memcpy(stream->header, stream->tail + TAIL_BYTES - bytes, bytes);
}

/* To the next end of a header or block; a result of inflate(). */
static int inflate_some(HisiZipStream *stream, HisiZipCodecIo *io)
{
    z_stream *zs = &stream->zs;
    const uint8_t *in = io->in;
    uint8_t *out = io->out;
    bool was_in_header = stream->in_header;
    size_t most = MIN(io->in_bytes,
                      HISI_ZIP_CODEC_COST / HISI_ZIP_INFLATE_COST(1, 0));
    int ret;

    /* So that a header that was too long is noticed before it is noted */
    if (was_in_header) {
        most = MIN(most, HEADER_BYTES);
    }
    zs->next_in = (Bytef *)in;
    zs->avail_in = most;
    zs->next_out = out;
    zs->avail_out = io->out_bytes;
    ret = inflate(zs, Z_TREES);
    io->in = zs->next_in;
    io->in_bytes -= io->in - in;
    io->out = zs->next_out;
    io->out_bytes = zs->avail_out;
    hisi_zip_check_add(&stream->check, out, io->out - out);
    /* An end of a header or block, too, costs something */
    io->cost += HISI_ZIP_INFLATE_COST(io->in - in + 4, io->out - out);
    if (!note_input(stream, in, io->in - in)) {
        return Z_DATA_ERROR;
    }
    if (ret == Z_STREAM_END) {
        stream->body_is_done = true;
    } else if (at_end_of_header(zs)) {
        stream->in_header = false;
    } else if (at_end_of_block(zs)) {
        begin_header(stream);
    }
    /* Such an end is progress, even if it took no byte. */
    if (ret == Z_BUF_ERROR && (at_end_of_header(zs) || at_end_of_block(zs))) {
        return Z_OK;
    }
    return ret;
}

static HisiZipCodecResult run_decompression(HisiZipStream *stream,
                                            HisiZipCodecIo *io)
{
    if (!give_pending(stream, io)) {
        return HISI_ZIP_CODEC_MORE;
    }
    while (!stream->body_is_done) {
        if (io->cost >= HISI_ZIP_CODEC_COST) {
            return HISI_ZIP_CODEC_GOES_ON;
        }
        switch (inflate_some(stream, io)) {
        case Z_OK:
        case Z_STREAM_END:
            break;
        case Z_BUF_ERROR:
            return HISI_ZIP_CODEC_MORE;
        default:
            return HISI_ZIP_CODEC_BAD_DATA;
        }
    }
    return hisi_zip_check_take(&stream->check, io);
}

/*
 * Use up the bits that zlib has, so that it stops for want of input: a copy
 * that had no room is done then. *@io is the room for what comes out.
 */
static bool settle(HisiZipStream *stream, HisiZipCodecIo *io)
{
    while (!stream->body_is_done) {
        switch (inflate_some(stream, io)) {
        case Z_OK:
        case Z_STREAM_END:
            break;
        case Z_BUF_ERROR:
            return io->out_bytes > 0;
        default:
            /* The next request will find it. */
            return true;
        }
    }
    return true;
}

static bool save_decompression(HisiZipStream *stream, uint8_t *context,
                               uint32_t *window_bytes)
{
    z_stream *zs = &stream->zs;
    long mark = inflateMark(zs);
    long back = mark >> 16;
    uInt bytes = 0;

    if (stream->body_is_done) {
        return true;
    }
    context[CTX_IS_LAST_BLOCK] = !!(zs->data_type & 64);
    if (stream->in_header) {
        context[CTX_PLACE] = AT_HEADER;
    } else if (back == -1) {
        context[CTX_PLACE] = AT_STORED;
        put32(context, CTX_STORED_LEFT, mark & 0xffff);
    } else {
        unsigned bits = back + unused_bits(zs);

        if (mark & 0xffff || bits > TAIL_BYTES * 8) {
            return false;
        }
        context[CTX_PLACE] = AT_CODE;
        put32(context, CTX_CODE_BITS, bits);
    }
    inflateGetDictionary(zs, context + CTX_WINDOW, &bytes);
    *window_bytes = bytes;
    return true;
}

/* All of @in, which was read before, gives no output; as inflate(). */
static int inflate_again(HisiZipStream *stream, const uint8_t *in,
                         size_t bytes)
{
    z_stream *zs = &stream->zs;
    uint8_t nowhere;

    zs->next_in = (Bytef *)in;
    zs->avail_in = bytes;
    zs->next_out = &nowhere;
    zs->avail_out = 0;
    return inflate(zs, Z_TREES);
}

/* @in from bit @first on */
static int inflate_again_from(HisiZipStream *stream, const uint8_t *in,
                              size_t bytes, unsigned first)
{
    if (first && bytes) {
        if (inflatePrime(&stream->zs, 8 - first, in[0] >> first) != Z_OK) {
            return Z_DATA_ERROR;
        }
        in++;
        bytes--;
    }
    return inflate_again(stream, in, bytes);
}

static bool restore_header(HisiZipStream *stream)
{
    int ret = inflate_again_from(stream, stream->header, stream->header_bytes,
                                 stream->header_bit);

    return (ret == Z_OK || ret == Z_BUF_ERROR) && !stream->zs.avail_in &&
           !at_end_of_header(&stream->zs);
}

/* The header of a stored block that is as long as what is left of this one. */
static bool restore_stored(HisiZipStream *stream, bool is_last, uint32_t left)
{
    uint8_t header[5] = { is_last };
    int ret;

    stw_le_p(header + 1, left);
    stw_le_p(header + 3, ~left);
    ret = inflate_again(stream, header, sizeof(header));
    stream->in_header = false;
    return left && left <= UINT16_MAX && ret == Z_OK &&
           at_end_of_header(&stream->zs);
}

static bool restore_code(HisiZipStream *stream, uint32_t bits)
{
    unsigned bytes = DIV_ROUND_UP(bits, 8);
    int ret = inflate_again_from(stream, stream->header, stream->header_bytes,
                                 stream->header_bit);

    stream->in_header = false;
    /* Z_BUF_ERROR: the header was in bits that zlib had already. */
    if ((ret != Z_OK && ret != Z_BUF_ERROR) ||
        !at_end_of_header(&stream->zs) || bits > TAIL_BYTES * 8) {
        return false;
    }
    /* What it read beyond the header is from another time. */
    inflatePrime(&stream->zs, -1, 0);
    ret = inflate_again_from(stream, stream->tail + TAIL_BYTES - bytes, bytes,
                             bytes * 8 - bits);
    return (ret == Z_OK || ret == Z_BUF_ERROR) && !stream->zs.avail_in;
}

static bool load_decompression(HisiZipStream *stream, const uint8_t *context,
                               uint32_t window_bytes)
{
    stream->header_bit = context[CTX_HEADER_BIT] & 7;
    stream->header_bytes = get32(context, CTX_HEADER_BYTES);
    if (stream->header_bytes > HEADER_BYTES) {
        return false;
    }
    memcpy(stream->header, context + CTX_HEADER, HEADER_BYTES);
    memcpy(stream->tail, context + CTX_TAIL, TAIL_BYTES);
    if (window_bytes &&
        inflateSetDictionary(&stream->zs, context + CTX_WINDOW,
                             window_bytes) != Z_OK) {
        return false;
    }
    switch (context[CTX_PLACE]) {
    case AT_HEADER:
        return restore_header(stream);
    case AT_STORED:
        return restore_stored(stream, context[CTX_IS_LAST_BLOCK] & 1,
                              get32(context, CTX_STORED_LEFT));
    case AT_CODE:
        return restore_code(stream, get32(context, CTX_CODE_BITS));
    default:
        return false;
    }
}

/* ---- Both -------------------------------------------------------------- */

HisiZipCodecResult hisi_zip_stream_run(HisiZipStream *stream,
                                       HisiZipCodecIo *io, bool finish)
{
    return stream->decompress ? run_decompression(stream, io)
                              : run_compression(stream, io, finish);
}

HisiZipCodecResult hisi_zip_stream_settle(HisiZipStream *stream,
                                          uint32_t *cost)
{
    HisiZipCodecIo io = { .in = stream->slice };
    HisiZipCodecResult result = HISI_ZIP_CODEC_END;

    /* Output that had no room to the front, more output behind it */
    stream->pending_bytes -= stream->pending_pos;
    memmove(stream->pending, stream->pending + stream->pending_pos,
            stream->pending_bytes);
    stream->pending_pos = 0;
    io.out = stream->pending + stream->pending_bytes;
    io.out_bytes = PENDING_BYTES - stream->pending_bytes;
    if (stream->decompress) {
        result = settle(stream, &io) ? HISI_ZIP_CODEC_END : HISI_ZIP_CODEC_MORE;
    } else if (stream->owes_flush) {
        result = run_slice(stream, &io);
    }
    stream->pending_bytes = PENDING_BYTES - io.out_bytes;
    *cost += io.cost;
    return result;
}

bool hisi_zip_stream_save(HisiZipStream *stream, uint8_t *context,
                          bool *has_output)
{
    const HisiZipCheck *check = &stream->check;
    uint32_t window_bytes = 0;

    *has_output = stream->pending_bytes > 0;
    memset(context, 0, HISI_ZIP_STREAM_CONTEXT_BYTES);
    if (!stream->decompress) {
        window_bytes = save_compression(stream, context + CTX_WINDOW);
    } else if (!save_decompression(stream, context, &window_bytes)) {
        return false;
    }
    put32(context, CTX_MAGIC, MAGIC_VALUE);
    context[CTX_DECOMPRESS] = stream->decompress;
    context[CTX_FORMAT] = check->format;
    context[CTX_BODY_IS_DONE] = stream->body_is_done;
    context[CTX_HEADER_BIT] = stream->header_bit;
    put32(context, CTX_CHECKSUM, check->checksum);
    stq_le_p(context + CTX_PLAIN_BYTES, check->plain_bytes);
    context[CTX_TRAILER_POS] = check->trailer_pos;
    memcpy(context + CTX_TRAILER, check->trailer, sizeof(check->trailer));
    put32(context, CTX_PENDING_BYTES, stream->pending_bytes);
    put32(context, CTX_WINDOW_BYTES, window_bytes);
    put32(context, CTX_HEADER_BYTES, stream->header_bytes);
    memcpy(context + CTX_TAIL, stream->tail, TAIL_BYTES);
    memcpy(context + CTX_HEADER, stream->header, HEADER_BYTES);
    memcpy(context + CTX_PENDING, stream->pending, stream->pending_bytes);
    put32(context, CTX_CRC, context_crc(context));
    return true;
}

static bool load(HisiZipStream *stream, const uint8_t *context)
{
    uint32_t window_bytes = get32(context, CTX_WINDOW_BYTES);
    HisiZipCheck *check = &stream->check;

    if (get32(context, CTX_MAGIC) != MAGIC_VALUE ||
        get32(context, CTX_CRC) != context_crc(context) ||
        context[CTX_DECOMPRESS] != stream->decompress ||
        context[CTX_FORMAT] != check->format ||
        get32(context, CTX_PENDING_BYTES) > PENDING_BYTES ||
        window_bytes > WINDOW_BYTES) {
        return false;
    }
    check->checksum = get32(context, CTX_CHECKSUM);
    check->plain_bytes = ldq_le_p(context + CTX_PLAIN_BYTES);
    check->trailer_pos = context[CTX_TRAILER_POS];
    if (!hisi_zip_check_is_valid(check)) {
        return false;
    }
    memcpy(check->trailer, context + CTX_TRAILER, sizeof(check->trailer));
    stream->pending_bytes = get32(context, CTX_PENDING_BYTES);
    memcpy(stream->pending, context + CTX_PENDING, stream->pending_bytes);
    stream->body_is_done = context[CTX_BODY_IS_DONE] & 1;
    if (stream->body_is_done) {
        return true;
    }
    if (stream->decompress) {
        return load_decompression(stream, context, window_bytes);
    }
    return !window_bytes ||
           deflateSetDictionary(&stream->zs, context + CTX_WINDOW,
                                window_bytes) == Z_OK;
}

HisiZipStream *hisi_zip_stream_load(bool decompress, unsigned format,
                                    unsigned window, int level,
                                    const uint8_t *context)
{
    HisiZipStream *stream = hisi_zip_stream_new(decompress, format, window,
                                                level);

    if (stream && !load(stream, context)) {
        hisi_zip_stream_free(stream);
        stream = NULL;
    }
    return stream;
}
