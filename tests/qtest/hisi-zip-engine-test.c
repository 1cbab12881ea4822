/*
 * hisi-zip's engine: formats, windows, statuses, scatter/gather lists, stateful
 * streams. On virt without IOMMU; zlib on the host judges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "qemu/bswap.h"
#include "hisi-zip-rig.h"

/* ---- Requests ---------------------------------------------------------- */

typedef struct Buffers {
    uint64_t src, dst;
} Buffers;

static void compress_case(Queue *q, Buffers b, unsigned format, unsigned window,
                          size_t bytes)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    g_autofree uint8_t *data = sample(bytes, bytes + window);
    g_autofree uint8_t *packed = NULL;
    uint32_t room = bytes + bytes / 8 + 256, produced;
    unsigned status;

    sva_bufwrite(q->d->t, b.src, data, bytes + !bytes);
    status = run(q, (Request) { HISI_ZIP_REQUEST(format, 0, window), b.src,
                                bytes, b.dst, room }, sqe);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    g_assert_cmphex(status, ==, produced >= bytes ? HISI_ZIP_NOT_SMALLER
                                                  : HISI_ZIP_OK);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, bytes);
    g_assert_cmpuint(produced, <=, room);
    packed = g_malloc(produced);
    sva_bufread(q->d->t, b.dst, packed, produced);
    assert_unpacks(format, packed, produced, data, bytes);
}

static void decompress_case(Queue *q, Buffers b, unsigned format, size_t bytes)
{
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    g_autofree uint8_t *data = sample(bytes, bytes);
    g_autofree uint8_t *plain = g_malloc(bytes + 1);
    size_t packed_bytes;
    g_autofree uint8_t *packed = host_pack(format, data, bytes, &packed_bytes);

    /* Something follows: the device must stop before it. */
    sva_bufwrite(q->d->t, b.src, packed, packed_bytes);
    g_assert_cmphex(run(q, (Request) { HISI_ZIP_REQUEST(format, 0, 0), b.src,
                                       packed_bytes + 5, b.dst, bytes }, sqe),
                    ==, HISI_ZIP_OK);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, packed_bytes);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, bytes);
    g_assert_cmphex(sqe[HISI_ZIP_SQE_STATUS] & HISI_ZIP_STATUS_LAST_BLOCK, !=,
                    0);
    sva_bufread(q->d->t, b.dst, plain, bytes + !bytes);
    g_assert_cmpmem(plain, bytes, data, bytes);
}

static void test_formats(void)
{
    static const size_t bytes[] = { 0, 1, 2, 300, 65535, 65536, 65537, 400000 };
    Dev *d = plain_start();
    Buffers b = { sva_alloc(d->t, MiB, PAGE), sva_alloc(d->t, MiB, PAGE) };
    Queue comp, decomp;

    bring_up(d, 64);
    comp = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    decomp = queue_open(d, 1, 16, HISI_ZIP_DECOMPRESS, 0);
    for (unsigned format = 1; format <= 3; format++) {
        for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
            compress_case(&comp, b, format, i % 5, bytes[i]);
            /* Not aligned */
            decompress_case(&decomp, (Buffers) { b.src + 3, b.dst + 5 },
                            format, bytes[i]);
        }
    }
    dev_stop(d);
}

/* No distance of the output is longer than the window. */
static void test_window(void)
{
    static const int bits[] = { 12, 13, 14, 15, 15 };
    Dev *d = plain_start();
    enum { BYTES = 200000 };
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    g_autofree uint8_t *data = g_malloc(BYTES), *packed = g_malloc(MiB);
    g_autofree uint8_t *plain = g_malloc(BYTES);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced[5];
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    /* Noise that comes again after 5000, 10000, 20000, 30000 bytes */
    for (unsigned i = 0; i < BYTES; i++) {
        static const unsigned back[] = { 3000, 6000, 12000, 20000, 30000 };
        unsigned distance = back[i / 40000];

        data[i] = i % 40000 < distance ? (uint8_t)g_random_int()
                                       : data[i - distance];
    }
    sva_bufwrite(d->t, src, data, BYTES);
    for (unsigned window = 0; window < 5; window++) {
        z_stream zs = { 0 };

        run(&q, (Request) { HISI_ZIP_REQUEST(1, 0, window), src, BYTES, dst,
                            MiB }, sqe);
        produced[window] = sqe[HISI_ZIP_SQE_PRODUCED];
        sva_bufread(d->t, dst, packed, produced[window]);
        zs.next_in = packed;
        zs.avail_in = produced[window];
        zs.next_out = plain;
        zs.avail_out = BYTES;
        g_assert_cmpint(inflateInit2(&zs, -bits[window]), ==, Z_OK);
        g_assert_cmpint(inflate(&zs, Z_FINISH), ==, Z_STREAM_END);
        g_assert_cmpmem(plain, BYTES, data, BYTES);
        inflateEnd(&zs);
        if (window && window != HISI_ZIP_WINDOW_24K) {
            g_assert_cmpuint(produced[window], <, produced[window - 1]);
        }
    }
    dev_stop(d);
}

static void test_statuses(void)
{
    Dev *d = plain_start();
    enum { BYTES = 100000 };
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    g_autofree uint8_t *data = sample(BYTES, 1);
    size_t packed_bytes;
    g_autofree uint8_t *packed = host_pack(HISI_ZIP_FORMAT_GZIP, data, BYTES,
                                           &packed_bytes);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    Request comp, decomp, r;
    Queue qc, qd, qx;

    bring_up(d, 64);
    qc = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    qd = queue_open(d, 1, 16, HISI_ZIP_DECOMPRESS, 0);
    qx = queue_open(d, 2, 16, 2, 0);
    sva_bufwrite(d->t, src, data, BYTES);
    comp = (Request) { HISI_ZIP_REQUEST(3, 0, 4), src, BYTES, dst, MiB };

    g_assert_cmphex(run(&qc, comp, sqe), ==, HISI_ZIP_OK);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    g_assert_cmphex(sqe[HISI_ZIP_SQE_ISIZE], ==, BYTES);
    r = comp;
    r.room = produced;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_OK);
    r.room = produced - 1;
    qtest_writeb(d->t->qts, dst + produced - 1, 0x77);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_NO_ROOM);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, produced - 1);
    g_assert_cmphex(qtest_readb(d->t->qts, dst + produced - 1), ==, 0x77);
    r.room = 0;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_NO_ROOM);

    r = comp;
    r.request = HISI_ZIP_REQUEST(0x40, 0, 4);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_UNSUPPORTED);
    r.request = HISI_ZIP_REQUEST(3, 2, 4);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_BAD_REQUEST);
    r.request = HISI_ZIP_REQUEST(3, 0, 5);
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_BAD_REQUEST);
    g_assert_cmphex(run(&qx, comp, sqe), ==, HISI_ZIP_UNSUPPORTED);
    r = comp;
    r.src = UINT64_C(1) << 50;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_READ_REFUSED);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, 0);
    r = comp;
    r.dst = UINT64_C(1) << 50;
    g_assert_cmphex(run(&qc, r, sqe), ==, HISI_ZIP_WRITE_REFUSED);

    sva_bufwrite(d->t, src, packed, packed_bytes);
    decomp = (Request) { HISI_ZIP_REQUEST(3, 0, 0), src, packed_bytes, dst,
                         MiB };
    g_assert_cmphex(run(&qd, decomp, sqe), ==, HISI_ZIP_OK);
    g_assert_cmphex(~sqe[HISI_ZIP_SQE_CHECKSUM], !=, 0);
    r = decomp;
    r.room = BYTES - 1;
    g_assert_cmphex(run(&qd, r, sqe), ==, HISI_ZIP_NO_ROOM);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, BYTES - 1);
    for (size_t cut = 1; cut <= packed_bytes; cut = cut * 2 + 5) {
        r = decomp;
        r.bytes = packed_bytes - cut;
        g_assert_cmphex(run(&qd, r, sqe), ==, HISI_ZIP_TRUNCATED);
        g_assert_cmpuint(sqe[HISI_ZIP_SQE_CONSUMED], ==, r.bytes);
    }
    qtest_writeb(d->t->qts, src + packed_bytes - 5,
                 packed[packed_bytes - 5] ^ 1);
    g_assert_cmphex(run(&qd, decomp, sqe), ==, HISI_ZIP_BAD_CHECKSUM);
    qtest_memset(d->t->qts, src, 0xff, 100);
    g_assert_cmphex(run(&qd, decomp, sqe), ==, HISI_ZIP_BAD_DATA);
    dev_stop(d);
}

static void test_lists(void)
{
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    uint64_t nodes = sva_alloc(d->t, 4 * PAGE, PAGE);
    uint64_t in[][2] = { { src, 100 }, { src + 500, 0 }, { src + 1000, 1 },
                         { src + 2000, 5000 } };
    uint64_t in2[][2] = { { src + 8000, 3000 } };
    uint64_t out[][2] = { { dst, 10 }, { dst + 100, 3 }, { dst + 200, 9000 } };
    g_autofree uint8_t *data = sample(MiB, 1), *plain = g_malloc(8101);
    g_autofree uint8_t *packed = g_malloc(MiB), *joined = g_malloc(MiB);
    uint32_t sqe[HISI_ZIP_SQE_WORDS], produced;
    Request r;
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 16, HISI_ZIP_COMPRESS, 0);
    sva_bufwrite(d->t, src, data, 20000);
    put_list(d, nodes, nodes + PAGE, in, 4);
    put_list(d, nodes + PAGE, 0, in2, 1);
    put_list(d, nodes + 2 * PAGE, 0, out, 3);
    memcpy(plain, data, 100);
    plain[100] = data[1000];
    memcpy(plain + 101, data + 2000, 5000);
    memcpy(plain + 5101, data + 8000, 3000);
    r = (Request) { HISI_ZIP_REQUEST(2, 1, 4), nodes, 8101, nodes + 2 * PAGE,
                    MiB };
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    produced = sqe[HISI_ZIP_SQE_PRODUCED];
    sva_bufread(d->t, dst, packed, 10000);
    memcpy(joined, packed, 10);
    memcpy(joined + 10, packed + 100, 3);
    memcpy(joined + 13, packed + 200, produced - 13);
    assert_unpacks(2, joined, produced, plain, 8101);
    g_assert_cmphex(packed[10], ==, 0);

    /* Shorter than said; offsets count */
    r.bytes = 8102;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    r.bytes = 8101;
    r.mode = 1;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    r.bytes = 8100;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_OK);
    /* A destination that ends early */
    out[2][1] = 5;
    put_list(d, nodes + 2 * PAGE, 0, out, 3);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_NO_ROOM);
    g_assert_cmpuint(sqe[HISI_ZIP_SQE_PRODUCED], ==, 18);
    /* Rings, of nodes without and with empty entries */
    put_list(d, nodes, nodes, in, 0);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    in[0][1] = 0;
    put_list(d, nodes, nodes, in, 1);
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_BAD_LIST);
    r.src = UINT64_C(1) << 50;
    g_assert_cmphex(run(&q, r, sqe), ==, HISI_ZIP_LIST_REFUSED);
    dev_stop(d);
}

/* ---- Stateful streams -------------------------------------------------- */

typedef struct Pieces {
    Queue *q;
    unsigned format;
    const uint8_t *in;
    size_t in_bytes;
    unsigned most_in, most_out;     /* of a request, at least 1 */
    GRand *rand;
    uint64_t src, dst, context;     /* guest memory */
} Pieces;

/*
 * All of @p.in in requests of random sizes, each with the context of the one
 * before. Returns the output, and in *@status the last request's.
 */
static uint8_t *in_pieces(Pieces *p, bool finish, size_t *out_bytes,
                          unsigned *status)
{
    QTestState *qts = p->q->d->t->qts;
    uint8_t *out = g_malloc(16 * MiB);
    size_t at = 0;
    bool is_first = true;

    *out_bytes = 0;
    for (unsigned turn = 0;; turn++) {
        uint32_t sqe[HISI_ZIP_SQE_WORDS], produced, consumed, state;
        uint32_t bytes = g_rand_int_range(p->rand, 0, p->most_in + 1);
        uint32_t room = g_rand_int_range(p->rand, 0, p->most_out + 1);
        bool is_last;

        bytes = MIN(bytes, p->in_bytes - at);
        is_last = at + bytes == p->in_bytes;
        qtest_bufwrite(qts, p->src, p->in + at, bytes + !bytes);
        *status = run(p->q, (Request) {
            HISI_ZIP_REQUEST(p->format, 0, 4), p->src, bytes, p->dst, room,
            HISI_ZIP_MODE_STATEFUL | (is_first ? HISI_ZIP_MODE_NEW_STREAM : 0) |
            (finish && is_last ? HISI_ZIP_MODE_FINISH : 0), p->context }, sqe);
        is_first = false;
        produced = sqe[HISI_ZIP_SQE_PRODUCED];
        consumed = sqe[HISI_ZIP_SQE_CONSUMED];
        state = HISI_ZIP_CTX_STATE(sqe[HISI_ZIP_SQE_CTX0]);
        g_assert_cmpuint(produced, <=, room);
        g_assert_cmpuint(consumed, <=, bytes);
        qtest_bufread(qts, p->dst, out + *out_bytes, produced + !produced);
        *out_bytes += produced;
        g_assert_cmpuint(*out_bytes, <, 15 * MiB);
        at += consumed;
        if (*status != HISI_ZIP_OK) {
            return out;
        }
        /* What is not taken says why. */
        g_assert_true(state || consumed == bytes);
        if (at == p->in_bytes && is_last && !state) {
            return out;
        }
        g_assert_cmpuint(turn, <, 200000);
    }
}

static Pieces pieces_of(Queue *q, unsigned format, const uint8_t *in,
                        size_t in_bytes, unsigned most_in, unsigned most_out,
                        GRand *rand)
{
    Dev *d = q->d;

    return (Pieces) {
        .q = q, .format = format, .in = in, .in_bytes = in_bytes,
        .most_in = most_in, .most_out = most_out, .rand = rand,
        .src = sva_alloc(d->t, 256 * KiB, PAGE),
        .dst = sva_alloc(d->t, 256 * KiB, PAGE),
        .context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE),
    };
}

static const unsigned piece_sizes[][2] = {
    { 200000, 200000 }, { 3000, 200000 }, { 200000, 700 }, { 5000, 3000 },
};

static void test_stream_compression(void)
{
    enum { BYTES = 150000 };
    Dev *d = plain_start();
    g_autofree uint8_t *data = sample(BYTES, 7);
    GRand *rand = g_rand_new_with_seed(1);
    unsigned status;
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 64, HISI_ZIP_COMPRESS, 0);
    /* A part that does not compress */
    for (unsigned i = 50000; i < 100000; i++) {
        data[i] = g_rand_int(rand);
    }
    for (unsigned format = 1; format <= 3; format++) {
        for (unsigned i = 0; i < ARRAY_SIZE(piece_sizes); i++) {
            g_autofree uint8_t *packed = NULL;
            size_t bytes;
            Pieces p = pieces_of(&q, format, data, BYTES, piece_sizes[i][0],
                                 piece_sizes[i][1], rand);

            packed = in_pieces(&p, true, &bytes, &status);
            g_assert_cmphex(status, ==, HISI_ZIP_OK);
            assert_unpacks(format, packed, bytes, data, BYTES);
        }
    }
    g_rand_free(rand);
    dev_stop(d);
}

/* @strategy, @level: of zlib; between them all kinds of block. */
static void stream_back(Queue *q, GRand *rand, const uint8_t *data,
                        size_t bytes, int level, int strategy,
                        unsigned most_in, unsigned most_out)
{
    size_t room = bytes + bytes / 4 + 1000, out_bytes;
    g_autofree uint8_t *packed = g_malloc(room), *out = NULL;
    z_stream zs = { .next_in = (Bytef *)data, .avail_in = bytes,
                    .next_out = packed, .avail_out = room };
    unsigned status;
    Pieces p;

    g_assert_cmpint(deflateInit2(&zs, level, Z_DEFLATED, 31, 8, strategy), ==,
                    Z_OK);
    g_assert_cmpint(deflate(&zs, Z_FINISH), ==, Z_STREAM_END);
    p = pieces_of(q, HISI_ZIP_FORMAT_GZIP, packed + 10, zs.total_out - 10,
                  most_in, most_out, rand);
    deflateEnd(&zs);
    out = in_pieces(&p, false, &out_bytes, &status);
    g_assert_cmphex(status, ==, HISI_ZIP_STREAM_END);
    g_assert_cmpmem(out, out_bytes, data, bytes);
}

static void test_stream_decompression(void)
{
    enum { BYTES = 150000 };
    static const struct {
        int level, strategy;
    } kinds[] = {
        { 6, Z_DEFAULT_STRATEGY },      /* dynamic blocks */
        { 6, Z_FIXED },
        { 0, Z_DEFAULT_STRATEGY },      /* stored */
        { 9, Z_RLE }, { 6, Z_HUFFMAN_ONLY },
    };
    Dev *d = plain_start();
    g_autofree uint8_t *data = sample(BYTES, 8);
    GRand *rand = g_rand_new_with_seed(2);
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 0, 64, HISI_ZIP_DECOMPRESS, 0);
    memset(data + 60000, 0, 20000);     /* long matches */
    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (unsigned i = 0; i < ARRAY_SIZE(piece_sizes); i++) {
            stream_back(&q, rand, data, BYTES, kinds[k].level,
                        kinds[k].strategy, piece_sizes[i][0],
                        piece_sizes[i][1]);
        }
        /* A byte at a time, in and out: every place to stop at */
        stream_back(&q, rand, data, 600, kinds[k].level, kinds[k].strategy, 1,
                    3000);
        stream_back(&q, rand, data, 600, kinds[k].level, kinds[k].strategy,
                    3000, 1);
        stream_back(&q, rand, data + 79000, 2000, kinds[k].level,
                    kinds[k].strategy, 2, 5);
    }
    g_rand_free(rand);
    dev_stop(d);
}

static void test_stream_errors(void)
{
    enum { BYTES = 30000 };
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    uint64_t context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE);
    g_autofree uint8_t *data = sample(BYTES, 1), *saved = g_malloc(64 * KiB);
    GRand *rand = g_rand_new_with_seed(3);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Request start, more;
    Queue q, back;

    bring_up(d, 64);
    q = queue_open(d, 0, 64, HISI_ZIP_COMPRESS, 0);
    back = queue_open(d, 1, 64, HISI_ZIP_DECOMPRESS, 0);
    sva_bufwrite(d->t, src, data, BYTES);
    start = (Request) { HISI_ZIP_REQUEST(2, 0, 4), src, BYTES, dst, MiB,
                        HISI_ZIP_MODE_STATEFUL | HISI_ZIP_MODE_NEW_STREAM,
                        context };
    more = start;
    more.mode = HISI_ZIP_MODE_STATEFUL;
    /* No context yet; nowhere to keep one */
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
    more.context = UINT64_C(1) << 50;
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_CONTEXT_REFUSED);
    more.mode |= HISI_ZIP_MODE_NEW_STREAM;
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_CONTEXT_REFUSED);
    more = start;
    more.mode = HISI_ZIP_MODE_STATEFUL;

    g_assert_cmphex(run(&q, start, sqe), ==, HISI_ZIP_OK);
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_OK);
    /* Another format, another direction */
    more.request = HISI_ZIP_REQUEST(3, 0, 4);
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
    more.request = start.request;
    g_assert_cmphex(run(&back, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
    /* A bit wrong anywhere in it */
    sva_bufread(d->t, context, saved, 64 * KiB);
    for (unsigned i = 0; i < 40; i++) {
        unsigned at = i < 20 ? i * 3
                             : (unsigned)g_rand_int_range(rand, 0, 50000);

        qtest_writeb(d->t->qts, context + at, saved[at] ^ 1 << i % 8);
        g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_BAD_CONTEXT);
        qtest_writeb(d->t->qts, context + at, saved[at]);
    }
    g_assert_cmphex(run(&q, more, sqe), ==, HISI_ZIP_OK);
    g_rand_free(rand);
    dev_stop(d);
}

/* Contexts that pass for right and are noise: refused, or other data. */
static void test_stream_hostile(void)
{
    Dev *d = plain_start();
    uint64_t src = sva_alloc(d->t, MiB, PAGE), dst = sva_alloc(d->t, MiB, PAGE);
    uint64_t context = sva_alloc(d->t, HISI_ZIP_STREAM_CONTEXT_BYTES, PAGE);
    g_autofree uint8_t *noise = g_malloc(64 * KiB);
    GRand *rand = g_rand_new_with_seed(5);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    Queue q[2];

    bring_up(d, 64);
    q[0] = queue_open(d, 0, 64, HISI_ZIP_COMPRESS, 0);
    q[1] = queue_open(d, 1, 64, HISI_ZIP_DECOMPRESS, 0);
    for (unsigned turn = 0; turn < 600; turn++) {
        bool decompress = turn % 4 != 0;
        unsigned format = 1 + turn % 3;

        for (unsigned i = 0; i < 64 * KiB; i += 4) {
            stl_le_p(noise + i, g_rand_int(rand));
        }
        sva_bufwrite(d->t, src, noise, 4096);
        /* Fields within their limits, most of the time: see the source */
        stl_le_p(noise, 0x315a4848);
        noise[8] = decompress;
        noise[9] = format;
        noise[10] = g_rand_int_range(rand, 0, 8) == 0;
        noise[11] = g_rand_int_range(rand, 0, 4);
        noise[32] = g_rand_int_range(rand, 0, 10);
        stl_le_p(noise + 36, g_rand_int_range(rand, 0, 20490));
        stl_le_p(noise + 40, g_rand_int_range(rand, 0, 32770));
        stl_le_p(noise + 44, g_rand_int_range(rand, 0, 642));
        stl_le_p(noise + 48, g_rand_int_range(rand, 0, 130));
        stl_le_p(noise + 52, g_rand_int_range(rand, 0, 65540));
        if (turn & 1) {
            noise[128] = (noise[128] & ~6) | 2;     /* a fixed block */
        }
        stl_le_p(noise + 4, crc32(0, noise + 8, 1024 + 20480 + 32768 - 8));
        sva_bufwrite(d->t, context, noise, 64 * KiB);
        run(&q[decompress], (Request) {
            HISI_ZIP_REQUEST(format, 0, 4), src, 4096, dst,
            turn & 8 ? MiB : 100,
            HISI_ZIP_MODE_STATEFUL | (turn & 2 ? HISI_ZIP_MODE_FINISH : 0),
            context }, sqe);
    }
    g_rand_free(rand);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/hisi-zip/engine/formats", test_formats);
    g_test_add_func("/hisi-zip/engine/window", test_window);
    g_test_add_func("/hisi-zip/engine/statuses", test_statuses);
    g_test_add_func("/hisi-zip/engine/lists", test_lists);
    g_test_add_func("/hisi-zip/stream/compression", test_stream_compression);
    g_test_add_func("/hisi-zip/stream/decompression",
                    test_stream_decompression);
    g_test_add_func("/hisi-zip/stream/errors", test_stream_errors);
    g_test_add_func("/hisi-zip/stream/hostile", test_stream_hostile);
    return g_test_run();
}
