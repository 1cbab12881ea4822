/*
 * hisi-zip does what the driver and a program expect of it: first half, one
 * process. (The second, zip-life.c, is about processes that come and go.)
 *
 *   zip probe [VERSION QUEUES]   what sysfs says
 *   zip sizes [small]            every format, window, kind of data, size
 *   zip errors                   what must fail, and only that
 *   zip lists                    scatter/gather lists
 *   zip faults                   8 MiB whose every page faults
 *   zip unmap                    buffers go away during the job
 *   zip many                     a full queue, wrapping rings, poll(2)
 *   zip stream                   stateful streams: data that comes in pieces
 *   zip demo                     gzip of a large buffer, readably
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"
#include "libzip.h"

static const char *const format_names[] = { "", "raw", "zlib", "gzip" };

static void open_or_give_up(ZipQueue *q, unsigned direction)
{
    int ret = zip_open(q, 0, direction);

    if (ret) {
        test_give_up("/dev/hisi_zip-0: %s", strerror(-ret));
    }
}

static bool run_ok(ZipQueue *q, const ZipRequest *req, ZipResult *result,
                   uint8_t status, const char *what)
{
    int ret = zip_run(q, req, result);

    if (ret) {
        test_fail("%s: %s", what, strerror(-ret));
        return false;
    }
    if (result->status != status) {
        test_fail("%s: status %#x, not %#x (consumed %u, produced %u)", what,
                  result->status, status, result->consumed, result->produced);
        return false;
    }
    return true;
}

/* Compressed output may well be longer than its input: that is no failure. */
static bool compress_ok(ZipQueue *q, const ZipRequest *req, ZipResult *result,
                        const char *what)
{
    int ret = zip_run(q, req, result);
    uint8_t expected;

    if (ret) {
        test_fail("%s: %s", what, strerror(-ret));
        return false;
    }
    expected = result->produced >= req->src_bytes ? HISI_ZIP_NOT_SMALLER
                                                  : HISI_ZIP_OK;
    return CHECK(result->status == expected && result->consumed == req->src_bytes,
                 "%s: status %#x, consumed %u of %u, produced %u", what,
                 result->status, result->consumed, req->src_bytes,
                 result->produced);
}

/* ---- probe --------------------------------------------------------------- */

static void attribute(const char *name, const char *expected)
{
    char path[96], text[64] = "";
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof(path), "/sys/class/uacce/hisi_zip-0/%s", name);
    f = fopen(path, "r");
    if (f) {
        n = fread(text, 1, sizeof(text) - 1, f);
        fclose(f);
    }
    while (n && text[n - 1] == '\n') {
        text[--n] = 0;
    }
    CHECK(!strcmp(text, expected), "%s is \"%s\", not \"%s\"", name, text,
          expected);
}

static int probe(int argc, char **argv)
{
    bool is_v3 = argc < 3 || atoi(argv[2]) == 3;
    size_t page = page_bytes();
    /* Linux qm_alloc_uacce(): the rings in whole pages, and one for the status. */
    size_t rings = (1024 * (128 + 16) + page - 1) / page * page + page;
    size_t doorbells = is_v3 ? 65536 : page + 4096 / page * page;
    char text[32];

    test_begin("zip-probe");
    attribute("api", is_v3 ? "hisi_qm_v3" : "hisi_qm_v2");
    attribute("flags", "1");
    attribute("available_instances", argc > 3 ? argv[3] : "64");
    attribute("algorithms", is_v3 ? "zlib\ngzip\ndeflate" : "zlib\ngzip");
    snprintf(text, sizeof(text), "%zu", doorbells);
    attribute("region_mmio_size", text);
    snprintf(text, sizeof(text), "%zu", rings);
    attribute("region_dus_size", text);
    CHECK(!access("/dev/hisi_zip-0", R_OK | W_OK), "no /dev/hisi_zip-0");
    return test_end();
}

/* ---- sizes ---------------------------------------------------------------- */

static void round_trip(ZipQueue *comp, ZipQueue *decomp, unsigned format,
                       unsigned window, unsigned kind, size_t bytes)
{
    char what[80];
    size_t bound = zip_bound(bytes);
    uint8_t *src = malloc(bytes), *packed = map_anon(bound);
    uint8_t *plain = map_anon(bytes);
    const char *why;
    ZipRequest req;
    ZipResult done;

    snprintf(what, sizeof(what), "%s, window %u, data %u, %zu bytes",
             format_names[format], window, kind, bytes);
    if (!src) {
        test_give_up("no memory");
    }
    zip_fill(src, bytes, kind, bytes + window);
    CHECK(memory_is_populated() || !pages_present(packed, bound),
          "%s: destination touched", what);

    req = (ZipRequest) {
        .format = (uint8_t)format, .window = (uint8_t)window, .src = src,
        .src_bytes = (uint32_t)bytes, .dst = packed, .room = (uint32_t)bound,
        .tag = 0x123456789abcdef0 + bytes,
    };
    if (!compress_ok(comp, &req, &done, what)) {
        goto out;
    }
    CHECK(done.tag == req.tag, "%s: tag not kept", what);
    why = zip_check_packed(format, packed, done.produced, src, bytes);
    if (why) {
        test_fail("%s: %s", what, why);
        goto out;
    }
    if (format == HISI_ZIP_FORMAT_ZLIB) {
        CHECK(done.checksum == zip_adler32(src, bytes), "%s: Adler-32", what);
    } else if (format == HISI_ZIP_FORMAT_GZIP) {
        CHECK(zip_reverse_bits(~done.checksum) == zip_crc32(src, bytes) &&
              done.isize == bytes, "%s: CRC-32 or length", what);
    }

    req.src = packed;
    req.src_bytes = done.produced;
    req.dst = plain;
    req.room = (uint32_t)bytes;
    if (run_ok(decomp, &req, &done, HISI_ZIP_OK, what)) {
        CHECK(done.consumed == req.src_bytes && done.produced == bytes &&
              done.last_block, "%s: consumed %u of %u, produced %u", what,
              done.consumed, req.src_bytes, done.produced);
        CHECK(first_difference(src, plain, bytes) == bytes,
              "%s: decompressed to something else", what);
    }
out:
    free(src);
    munmap(packed, bound);
    munmap(plain, bytes);
}

static int sizes(int argc, char **argv)
{
    static const size_t bytes[] = {
        1, 2, 3, 100, 4095, 4096, 4097, 65535, 65536, 65537, 300001,
        MIB - 1, 8 * MIB,
    };
    bool is_small = argc > 2 && !strcmp(argv[2], "small");
    unsigned first = HISI_ZIP_FORMAT_RAW;
    ZipQueue comp, decomp;

    test_begin("zip-sizes");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    /* Polling on one, poll(2) on the other. */
    decomp.wants_interrupt = true;
    for (unsigned format = first; format <= HISI_ZIP_FORMAT_GZIP; format++) {
        test_case("%s", format_names[format]);
        for (unsigned i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
            bool is_long = bytes[i] > 300001;

            if (is_small && bytes[i] > 100000) {
                continue;
            }
            for (unsigned kind = 0; kind < ZIP_DATA_KINDS; kind++) {
                if (is_long) {
                    /* Long ones take a while: one of each format and kind. */
                    if (kind == (format + i) % ZIP_DATA_KINDS || kind == 3) {
                        round_trip(&comp, &decomp, format, HISI_ZIP_WINDOW_32K,
                                   kind, bytes[i]);
                    }
                    continue;
                }
                for (unsigned window = 0; window <= HISI_ZIP_WINDOW_32K;
                     window += is_small ? 4 : 1) {
                    if (bytes[i] < 4000 && window && window < 4) {
                        continue;
                    }
                    round_trip(&comp, &decomp, format, window, kind, bytes[i]);
                }
            }
        }
    }
    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

/* ---- errors ---------------------------------------------------------------- */

static void still_works(ZipQueue *comp, ZipQueue *decomp, const char *after)
{
    unsigned before = test_failures();

    round_trip(comp, decomp, HISI_ZIP_FORMAT_ZLIB, HISI_ZIP_WINDOW_32K, 1,
               20000);
    CHECK(test_failures() == before, "the queues do not work after %s", after);
}

static int errors(int argc, char **argv)
{
    enum { BYTES = 200000 };
    uint8_t *src = malloc(BYTES), *packed = map_anon(zip_bound(BYTES));
    uint8_t *plain = map_anon(BYTES + 4096);
    size_t page = page_bytes();
    uint8_t *gap = map_anon(16 * page);
    ZipQueue comp, decomp;
    ZipRequest pack, unpack, req;
    ZipResult done;
    uint32_t packed_bytes;

    (void)argc;
    (void)argv;
    test_begin("zip-errors");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    zip_fill(src, BYTES, 1, 1);
    pack = (ZipRequest) {
        .format = HISI_ZIP_FORMAT_ZLIB, .window = HISI_ZIP_WINDOW_32K,
        .src = src, .src_bytes = BYTES, .dst = packed,
        .room = (uint32_t)zip_bound(BYTES),
    };
    if (!compress_ok(&comp, &pack, &done, "the sample")) {
        return test_end();
    }
    packed_bytes = done.produced;
    unpack = (ZipRequest) {
        .format = HISI_ZIP_FORMAT_ZLIB, .src = packed,
        .src_bytes = packed_bytes, .dst = plain, .room = BYTES + 4096,
    };

    test_case("no-room");
    req = pack;
    req.dst = plain;
    req.room = packed_bytes - 1;
    run_ok(&comp, &req, &done, HISI_ZIP_NO_ROOM, "compression, one byte short");
    CHECK(done.produced == packed_bytes - 1, "produced %u", done.produced);
    CHECK(!memcmp(plain, packed, packed_bytes - 1) &&
          !plain[packed_bytes - 1], "what fits is written, and no more");
    req.room = 0;
    run_ok(&comp, &req, &done, HISI_ZIP_NO_ROOM, "compression, no room");
    req = unpack;
    req.room = BYTES - 1;
    run_ok(&decomp, &req, &done, HISI_ZIP_NO_ROOM,
           "decompression, one byte short");
    CHECK(done.produced == BYTES - 1 && !memcmp(plain, src, BYTES - 1) &&
          !plain[BYTES - 1], "produced %u", done.produced);
    still_works(&comp, &decomp, "no-room");

    test_case("corrupt");
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned at[] = { 0, 3000, 20 };

        packed[at[i]] ^= 0xff;
        if (zip_run(&decomp, &unpack, &done)) {
            test_fail("no answer");
        } else if (done.status == HISI_ZIP_OK) {
            test_fail("byte %u wrong, and nobody noticed", at[i]);
        }
        packed[at[i]] ^= 0xff;
    }
    packed[packed_bytes - 1] ^= 1;
    run_ok(&decomp, &unpack, &done, HISI_ZIP_BAD_CHECKSUM, "wrong trailer");
    packed[packed_bytes - 1] ^= 1;
    req = unpack;
    req.src_bytes = packed_bytes - 1;
    run_ok(&decomp, &req, &done, HISI_ZIP_TRUNCATED, "trailer cut off");
    req.src_bytes = packed_bytes / 2;
    run_ok(&decomp, &req, &done, HISI_ZIP_TRUNCATED, "half a stream");
    req.src_bytes = 0;
    run_ok(&decomp, &req, &done, HISI_ZIP_TRUNCATED, "no stream");
    memset(plain, 7, 4096);
    req.src = plain;
    req.src_bytes = 4096;
    run_ok(&decomp, &req, &done, HISI_ZIP_BAD_DATA, "not a stream");
    still_works(&comp, &decomp, "corrupt input");

    test_case("illegal");
    req = pack;
    req.format = 0x40;
    run_ok(&comp, &req, &done, HISI_ZIP_UNSUPPORTED, "unknown format");
    req = pack;
    req.window = HISI_ZIP_WINDOW_32K + 1;
    run_ok(&comp, &req, &done, HISI_ZIP_BAD_REQUEST, "unknown window");
    still_works(&comp, &decomp, "illegal requests");

    test_case("not-mapped");
    munmap(gap + 8 * page, page);
    req = pack;
    req.src = gap + 7 * page;
    req.src_bytes = (uint32_t)(2 * page);
    run_ok(&comp, &req, &done, HISI_ZIP_READ_REFUSED, "a hole in the source");
    req.src = NULL;
    run_ok(&comp, &req, &done, HISI_ZIP_READ_REFUSED, "no source");
    req.src = (const void *)UINT64_C(0xffff000000000000);
    run_ok(&comp, &req, &done, HISI_ZIP_READ_REFUSED, "a kernel address");
    req = unpack;
    req.dst = gap + 7 * page + page - 4096;
    run_ok(&decomp, &req, &done, HISI_ZIP_WRITE_REFUSED,
           "a hole in the destination");
    mprotect(plain, page, PROT_READ);
    req.dst = plain;
    run_ok(&decomp, &req, &done, HISI_ZIP_WRITE_REFUSED,
           "a read-only destination");
    mprotect(plain, page, PROT_READ | PROT_WRITE);
    still_works(&comp, &decomp, "unmapped buffers");

    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

/* ---- lists ------------------------------------------------------------------ */

typedef struct Node {
    uint64_t next;
    uint16_t entries_in_chain, entries_here, room_here, pad;
    uint64_t pad2[6];
    struct {
        uint64_t addr, pad;
        uint32_t len, pad2[3];
    } entry[255];
} Node;

/*
 * A list of @p's @bytes in pieces of 1 to @piece bytes, @per_node in a node;
 * the nodes lie in memory not touched before. Returns the first.
 */
static Node *make_list(uint8_t *p, size_t bytes, size_t piece,
                       unsigned per_node, uint64_t seed)
{
    Node *first = map_anon(sizeof(Node)), *node = first;
    uint64_t state = seed * 2 + 1;
    unsigned n = 0;

    for (size_t at = 0; at < bytes;) {
        size_t len = 1 + (random_next(&state) >> 16) % piece;

        len = len < bytes - at ? len : bytes - at;
        if (n == per_node) {
            Node *next = map_anon(sizeof(Node));

            node->next = (uintptr_t)next;
            node = next;
            n = 0;
        }
        /* An entry without bytes now and then */
        if (n % 7 == 3) {
            len = 0;
        }
        node->entry[n].addr = (uintptr_t)(p + at);
        node->entry[n].len = (uint32_t)len;
        n++;
        node->entries_here = (uint16_t)n;
        node->room_here = (uint16_t)per_node;
        first->entries_in_chain++;
        at += len;
    }
    return first;
}

static int lists(int argc, char **argv)
{
    enum { BYTES = 150000, OFFSET = 5000 };
    static const struct {
        size_t piece;
        unsigned per_node;
    } shapes[] = { { 100, 10 }, { 4096, 255 }, { 20000, 1 }, { BYTES, 8 } };
    uint8_t *src = map_anon(BYTES), *packed, *plain;
    ZipQueue comp, decomp;
    ZipRequest req;
    ZipResult done;
    Node *ring;

    (void)argc;
    (void)argv;
    test_begin("zip-lists");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    zip_fill(src, BYTES, 3, 9);
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        size_t room = zip_bound(BYTES);
        uint32_t packed_bytes;
        const char *why;

        packed = map_anon(room + OFFSET);
        plain = map_anon(BYTES);
        req = (ZipRequest) {
            .format = HISI_ZIP_FORMAT_GZIP, .window = HISI_ZIP_WINDOW_32K,
            .lists = true,
            .src = make_list(src, BYTES, shapes[i].piece, shapes[i].per_node, i),
            .src_bytes = BYTES - OFFSET, .src_offset = OFFSET,
            .dst = make_list(packed, room + OFFSET, shapes[i].piece,
                             shapes[i].per_node, i + 100),
            .room = (uint32_t)room, .dst_offset = OFFSET,
        };
        if (!compress_ok(&comp, &req, &done, "lists")) {
            continue;
        }
        packed_bytes = done.produced;
        CHECK(first_other(packed, 0, OFFSET) == OFFSET,
              "the skipped part of the destination is written");
        why = zip_check_packed(HISI_ZIP_FORMAT_GZIP, packed + OFFSET,
                               packed_bytes, src + OFFSET, BYTES - OFFSET);
        CHECK(!why, "shape %u: %s", i, why);

        req.src = make_list(packed + OFFSET, packed_bytes, shapes[i].piece,
                            shapes[i].per_node, i + 200);
        req.src_bytes = packed_bytes;
        req.src_offset = req.dst_offset = 0;
        req.dst = make_list(plain, BYTES, shapes[i].piece, shapes[i].per_node,
                            i + 300);
        req.room = BYTES;
        if (run_ok(&decomp, &req, &done, HISI_ZIP_OK, "lists back")) {
            CHECK(done.produced == BYTES - OFFSET &&
                  !memcmp(plain, src + OFFSET, BYTES - OFFSET),
                  "shape %u: decompressed to something else", i);
        }
    }

    test_case("bad");
    req = (ZipRequest) {
        .format = HISI_ZIP_FORMAT_RAW, .lists = true, .src_bytes = BYTES,
        .src = make_list(src, BYTES / 2, 4096, 16, 1),
        .dst = make_list(src, BYTES, 4096, 16, 1), .room = BYTES,
    };
    run_ok(&comp, &req, &done, HISI_ZIP_BAD_LIST, "source list too short");
    ring = map_anon(sizeof(Node));
    ring->next = (uintptr_t)ring;
    req.src = ring;
    run_ok(&comp, &req, &done, HISI_ZIP_BAD_LIST, "a ring of empty nodes");
    req.src = NULL;
    run_ok(&comp, &req, &done, HISI_ZIP_LIST_REFUSED, "no list");
    still_works(&comp, &decomp, "bad lists");
    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

/* ---- faults ------------------------------------------------------------------ */

static int faults(int argc, char **argv)
{
    enum { BYTES = 8 * MIB };
    unsigned turns = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    uint8_t *packed = map_anon(zip_bound(BYTES));
    ZipQueue comp, decomp;

    test_begin("zip-faults");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    for (unsigned turn = 0; turn < turns; turn++) {
        /* Zeroes that nobody has read, in small pages. */
        uint8_t *zeroes = map_anon(BYTES), *plain = map_anon(BYTES);
        ZipRequest req = {
            .format = HISI_ZIP_FORMAT_RAW, .window = HISI_ZIP_WINDOW_32K,
            .src = zeroes, .src_bytes = BYTES, .dst = packed,
            .room = (uint32_t)zip_bound(BYTES),
        };
        ZipResult done;

        madvise(zeroes, BYTES, MADV_NOHUGEPAGE);
        madvise(plain, BYTES, MADV_NOHUGEPAGE);
        CHECK(!pages_present(plain, BYTES), "destination touched");
        if (compress_ok(&comp, &req, &done, "zeroes")) {
            req.src = packed;
            req.src_bytes = done.produced;
            req.dst = plain;
            req.room = BYTES;
            run_ok(&decomp, &req, &done, HISI_ZIP_OK, "back to zeroes");
            CHECK(done.produced == BYTES &&
                  pages_present(plain, BYTES) == BYTES / page_bytes() &&
                  first_other(plain, 0, BYTES) == BYTES,
                  "produced %u bytes, %zu pages", done.produced,
                  pages_present(plain, BYTES));
        }
        munmap(zeroes, BYTES);
        munmap(plain, BYTES);
    }
    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

/* ---- unmap -------------------------------------------------------------------- */

/* The job ends, one way or the other, and the queue lives. */
static int unmap(int argc, char **argv)
{
    enum { BYTES = 4 * MIB };
    unsigned turns = argc > 2 ? (unsigned)atoi(argv[2]) : 60;
    unsigned refused = 0, done_well = 0;
    uint8_t *sample = map_anon(BYTES), *packed = map_anon(zip_bound(BYTES));
    uint32_t packed_bytes;
    ZipQueue comp, decomp;
    ZipRequest req;
    ZipResult done;

    test_begin("zip-unmap");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    zip_fill(sample, BYTES, 1, 5);
    req = (ZipRequest) {
        .format = HISI_ZIP_FORMAT_RAW, .window = HISI_ZIP_WINDOW_32K,
        .src = sample, .src_bytes = BYTES, .dst = packed,
        .room = (uint32_t)zip_bound(BYTES),
    };
    compress_ok(&comp, &req, &done, "the sample");
    packed_bytes = done.produced;

    for (unsigned turn = 0; turn < turns; turn++) {
        uint8_t *src = map_anon(BYTES), *dst = map_anon(BYTES);
        bool source_goes = turn & 1;
        uint8_t expected = source_goes ? HISI_ZIP_READ_REFUSED
                                       : HISI_ZIP_WRITE_REFUSED;

        memcpy(src, packed, packed_bytes);
        req = (ZipRequest) {
            .format = HISI_ZIP_FORMAT_RAW, .src = src,
            .src_bytes = packed_bytes, .dst = dst, .room = BYTES,
        };
        if (zip_submit(&decomp, &req)) {
            test_fail("submit");
            break;
        }
        usleep(turn * 397 % 20000);
        if (source_goes) {
            munmap(src, BYTES);
        } else {
            munmap(dst, BYTES);
        }
        if (zip_wait(&decomp, &done, 30000)) {
            test_fail("turn %u: the job does not end", turn);
            break;
        }
        if (done.status == HISI_ZIP_OK) {
            done_well++;
            CHECK(!source_goes || !memcmp(dst, sample, BYTES),
                  "turn %u: done, but with other bytes", turn);
        } else {
            refused++;
            CHECK(done.status == expected, "turn %u: status %#x", turn,
                  done.status);
        }
        if (source_goes) {
            munmap(dst, BYTES);
        } else {
            munmap(src, BYTES);
        }
    }
    say("zip: %u jobs lost a buffer, %u were faster", refused, done_well);
    CHECK(refused > 0, "no job lost its buffer");
    still_works(&comp, &decomp, "buffers went away");
    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

/* ---- many ----------------------------------------------------------------------- */

static int many(int argc, char **argv)
{
    enum { BYTES = 3000, SETS = 64 };
    unsigned jobs = argc > 2 ? (unsigned)atoi(argv[2]) : 5000;
    static uint8_t src[SETS][BYTES], dst[SETS][2 * BYTES];
    static uint32_t length[SETS];
    ZipQueue comp;

    test_begin("zip-many");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    for (unsigned i = 0; i < SETS; i++) {
        zip_fill(src[i], BYTES, 1, i);
    }
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned submitted = 0, reaped = 0;

        test_case(turn ? "poll" : "look");
        comp.wants_interrupt = turn;
        zip_ring_cq(&comp, comp.cq_head, turn);
        while (reaped < jobs) {
            ZipResult done;

            while (submitted < jobs && submitted - reaped < SETS) {
                unsigned set = submitted % SETS;
                ZipRequest req = {
                    .format = HISI_ZIP_FORMAT_ZLIB,
                    .src = src[set], .src_bytes = BYTES, .dst = dst[set],
                    .room = sizeof(dst[set]), .tag = submitted,
                };

                if (zip_submit(&comp, &req)) {
                    break;
                }
                submitted++;
            }
            if (zip_wait(&comp, &done, 30000)) {
                test_fail("job %u does not end", reaped);
                break;
            }
            if (!CHECK(done.status == HISI_ZIP_OK && done.tag == reaped &&
                       done.consumed == BYTES,
                       "job %u: status %#x, tag %llu", reaped, done.status,
                       (unsigned long long)done.tag)) {
                break;
            }
            if (reaped >= SETS) {
                CHECK(length[reaped % SETS] == done.produced,
                      "job %u: another length", reaped);
            }
            length[reaped % SETS] = done.produced;
            reaped++;
        }
    }
    for (unsigned i = 0; i < SETS; i += 9) {
        const char *why = zip_check_packed(HISI_ZIP_FORMAT_ZLIB, dst[i],
                                           length[i], src[i], BYTES);

        CHECK(!why, "set %u: %s", i, why);
    }
    zip_close(&comp);
    return test_end();
}

/* ---- stream ---------------------------------------------------------------------- */

/*
 * @bytes at @src in pieces, each with the context of the one before, to @dst;
 * returns the bytes produced, 0 when something is wrong. Each piece has a
 * destination of its own at first, untouched.
 */
static size_t in_pieces(ZipQueue *q, const uint8_t *src, size_t bytes,
                        uint8_t *dst, size_t piece, uint32_t room, bool finish,
                        uint8_t last_status)
{
    uint8_t *context = map_anon(HISI_ZIP_STREAM_CONTEXT_BYTES);
    size_t at = 0, out = 0;
    ZipResult done = { 0 };

    for (unsigned turn = 0; turn < 20000; turn++) {
        size_t n = bytes - at < piece ? bytes - at : piece;
        ZipRequest req = {
            .format = HISI_ZIP_FORMAT_GZIP, .window = HISI_ZIP_WINDOW_32K,
            .src = src + at, .src_bytes = (uint32_t)n, .dst = dst + out,
            .room = room, .context = context,
            .mode = HISI_ZIP_MODE_STATEFUL |
                    (turn ? 0 : HISI_ZIP_MODE_NEW_STREAM) |
                    (finish && at + n == bytes ? HISI_ZIP_MODE_FINISH : 0),
            .ctx0 = done.ctx0, .ctx1 = done.ctx1, .ctx2 = done.ctx2,
            .isize = done.isize, .checksum = done.checksum,
        };

        if (zip_run(q, &req, &done) ||
            (done.status != HISI_ZIP_OK && done.status != last_status)) {
            test_fail("piece %u: status %#x", turn, done.status);
            return 0;
        }
        at += done.consumed;
        out += done.produced;
        if (at == bytes && !HISI_ZIP_CTX_STATE(done.ctx0)) {
            CHECK(done.status == last_status, "the end has status %#x",
                  done.status);
            munmap(context, HISI_ZIP_STREAM_CONTEXT_BYTES);
            return out;
        }
    }
    test_fail("the stream has no end");
    return 0;
}

static int stream(int argc, char **argv)
{
    enum { BYTES = 2 * MIB };
    static const struct {
        size_t piece;
        uint32_t room;
    } shapes[] = { { 100000, 300000 }, { 4096, 2000 }, { 700000, 50000 } };
    uint8_t *src = map_anon(BYTES);
    ZipQueue comp, decomp;

    (void)argc;
    (void)argv;
    test_begin("zip-stream");
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    zip_fill(src, BYTES, 3, 77);
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        uint8_t *packed = map_anon(2 * BYTES), *plain = map_anon(2 * BYTES);
        size_t bytes = in_pieces(&comp, src, BYTES, packed, shapes[i].piece,
                                 shapes[i].room, true, HISI_ZIP_OK);
        const char *why = bytes ? zip_check_packed(HISI_ZIP_FORMAT_GZIP, packed,
                                                   bytes, src, BYTES) : NULL;

        CHECK(!why, "shape %u: %s", i, why);
        if (bytes && !why) {
            bytes = in_pieces(&decomp, packed, bytes, plain, shapes[i].piece,
                              shapes[i].room, false, HISI_ZIP_STREAM_END);
            CHECK(bytes == BYTES && !memcmp(src, plain, BYTES),
                  "shape %u: decompressed to something else", i);
        }
        munmap(packed, 2 * BYTES);
        munmap(plain, 2 * BYTES);
    }
    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

/* ---- demo ------------------------------------------------------------------------ */

static int demo(int argc, char **argv)
{
    enum { BYTES = 8 * MIB };
    size_t room = zip_bound(BYTES), present;
    uint8_t *src = malloc(BYTES), *packed = map_anon(room), *plain;
    ZipQueue comp, decomp;
    ZipRequest req;
    ZipResult done;
    uint64_t start;
    const char *why;

    (void)argc;
    (void)argv;
    test_begin("zip-demo");
    plain = map_anon(BYTES);
    if (!src) {
        test_give_up("no memory");
    }
    open_or_give_up(&comp, HISI_ZIP_COMPRESS);
    open_or_give_up(&decomp, HISI_ZIP_DECOMPRESS);
    comp.wants_interrupt = decomp.wants_interrupt = true;
    say("demo: gzip by hisi-zip, with Linux's own driver: a process opens "
        "/dev/hisi_zip-0");
    zip_fill(src, BYTES, 1, 1);
    present = pages_present(packed, room);
    req = (ZipRequest) {
        .format = HISI_ZIP_FORMAT_GZIP, .window = HISI_ZIP_WINDOW_32K,
        .src = src, .src_bytes = BYTES, .dst = packed, .room = (uint32_t)room,
    };
    start = now_us();
    if (compress_ok(&comp, &req, &done, "compression")) {
        say("demo:   %u bytes of its heap became %u in %llu ms; of the "
            "destination, %zu pages were there before and %zu after",
            BYTES, done.produced,
            (unsigned long long)(now_us() - start) / 1000, present,
            pages_present(packed, room));
        why = zip_check_packed(HISI_ZIP_FORMAT_GZIP, packed, done.produced,
                               src, BYTES);
        if (CHECK(!why, "%s", why)) {
            say("demo:   the CPU's gunzip finds the same bytes again");
        }
        req.src = packed;
        req.src_bytes = done.produced;
        req.dst = plain;
        req.room = BYTES;
        start = now_us();
        if (run_ok(&decomp, &req, &done, HISI_ZIP_OK, "decompression") &&
            CHECK(!memcmp(src, plain, BYTES), "other bytes came back")) {
            say("demo:   and so does the device, in %llu ms",
                (unsigned long long)(now_us() - start) / 1000);
        }
    }
    zip_close(&comp);
    zip_close(&decomp);
    return test_end();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } parts[] = {
        { "probe", probe }, { "sizes", sizes }, { "errors", errors },
        { "lists", lists }, { "faults", faults }, { "unmap", unmap },
        { "many", many }, { "stream", stream },
        { "demo", demo },
    };

    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (argc > 1 && !strcmp(argv[1], parts[i].name)) {
            return parts[i].run(argc, argv);
        }
    }
    fprintf(stderr, "zip: what?\n");
    return 2;
}
