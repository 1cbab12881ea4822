/*
 * A test of each of pasid-dev's operations, whatever its queue's way to memory
 * is: pasid-dev-test.c and pasid-dev-sva-test.c run them all, several times.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "pasid-dev-rig.h"

static void op_nop(Bench *b)
{
    assert_completion(run(&b->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_NOP }), PASID_DEV_DONE_OK, 0, 0, 0);
}

static void op_copy(Bench *b)
{
    static const struct {
        uint64_t src, dst, len;
    } cases[] = {
        { 0, 0, 0 }, { 0, 0, 1 }, { 1, 3, 7 }, { 4095, 4095, 2 },
        { 5, 0, 4096 }, { 0, 5, 4096 }, { 4095, 1, 4097 }, { 7, 4090, 12345 },
        { 0, 0, 300000 }, { 63, 64, 65536 },
    };
    Dev *d = b->d;
    uint64_t src = process_alloc(d, 320 * 1024);
    uint64_t dst = process_alloc(d, 320 * 1024);

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t from = src + cases[i].src, to = dst + cases[i].dst;

        fill_pattern(d, from, cases[i].len ?: 1);
        qtest_memset(d->t->qts, dst, 0, 320 * 1024);
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_COPY, .src = va(d, from), .dst = va(d, to),
            .len = cases[i].len }),
            PASID_DEV_DONE_OK, 0, cases[i].len, 0);
        assert_bytes(d, dst, cases[i].dst, zero_byte);
        assert_bytes(d, to, cases[i].len, pattern_byte);
        assert_bytes(d, to + cases[i].len, 64, zero_byte);
    }
}

static uint8_t fill_byte(uint64_t i)
{
    return 0x11 * (1 + i % 8);
}

static void op_fill(Bench *b)
{
    static const uint64_t lens[] = { 0, 1, 7, 8, 9, 4096, 4097, 100001 };
    Dev *d = b->d;
    uint64_t page = process_alloc(d, 128 * 1024);
    uint64_t dst = page + 4093;

    for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
        qtest_memset(d->t->qts, page, 0, 128 * 1024);
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = va(d, dst), .len = lens[i],
            .arg = UINT64_C(0x8877665544332211) }),
            PASID_DEV_DONE_OK, 0, lens[i], 0);
        assert_bytes(d, page, 4093, zero_byte);
        assert_bytes(d, dst, lens[i], fill_byte);
        assert_bytes(d, dst + lens[i], 64, zero_byte);
    }
}

static void op_compare(Bench *b)
{
    static const uint64_t differences[] = { 0, 1, 4095, 4096, 8191, 69999 };
    Dev *d = b->d;
    uint64_t left = process_alloc(d, 80 * 1024) + 3;
    uint64_t right = process_alloc(d, 80 * 1024) + 1000;
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_COMPARE, .src = va(d, left), .dst = va(d, right),
        .len = 70000,
    };

    fill_pattern(d, left, 70000);
    fill_pattern(d, right, 70000);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 70000, 70000, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(differences); i++) {
        uint64_t at = differences[i];

        qtest_writeb(d->t->qts, right + at, pattern_byte(at) ^ 0x80);
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_MISMATCH, at, at, 0);
        qtest_writeb(d->t->qts, right + at, pattern_byte(at));
    }
    desc.len = 0;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0, 0, 0);
}

static void op_crc32c(Bench *b)
{
    static const char text[] = "123456789";
    Dev *d = b->d;
    uint64_t page = process_alloc(d, 2 * PAGE);
    uint64_t src = page + PAGE - 4;     /* across pages */
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_CRC32C, .src = va(d, src), .len = 9,
    };
    PasidDevCompletion first;

    qtest_memwrite(d->t->qts, src, text, 9);
    /* The check value of CRC-32C in every catalogue of CRCs */
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0xe3069283, 9, 0);
    /* In two pieces, the second from where the first ended */
    desc.len = 5;
    first = run(&b->q, desc);
    desc.src = va(d, src + 5);
    desc.len = 4;
    desc.arg = first.result;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0xe3069283, 4, 0);
    /* 32 zeros: RFC 3720 B.4 */
    qtest_memset(d->t->qts, page, 0, 32);
    desc = (PasidDevDescriptor) {
        .op = PASID_DEV_OP_CRC32C, .src = va(d, page), .len = 32,
    };
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0x8a9136aa, 32, 0);
}

static void op_sum(Bench *b)
{
    Dev *d = b->d;
    uint64_t src = process_alloc(d, 96 * 1024) + 17;
    uint64_t sum = 0;

    fill_pattern(d, src, 90000);
    for (uint64_t i = 0; i < 90000; i++) {
        sum += pattern_byte(i);
    }
    assert_completion(run(&b->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_SUM, .src = va(d, src), .len = 90000 }),
        PASID_DEV_DONE_OK, sum, 90000, 0);
}

/*
 * Nodes here and there in @pages, with their fields at these offsets: the sum
 * of all values. Returns the first node's va.
 */
static uint64_t make_list(Dev *d, uint64_t memory, unsigned nodes,
                          uint64_t stride, uint64_t next, uint64_t value,
                          uint64_t *sum)
{
    uint64_t first = 0;

    *sum = 0;
    for (unsigned i = 0; i < nodes; i++) {
        /* Each links to the one made before it, which is elsewhere. */
        uint64_t node = memory + (i * 37 % nodes) * stride;

        qtest_writeq(d->t->qts, node + next, first);
        qtest_writeq(d->t->qts, node + value, UINT64_C(1) << (i % 50));
        *sum += UINT64_C(1) << (i % 50);
        first = va(d, node);
    }
    return first;
}

static void op_list(Bench *b)
{
    static const struct {
        uint64_t stride, next, value;
    } cases[] = {
        { 64, 0, 8 }, { 64, 8, 0 }, { 64, 56, 0 }, { 65, 0, 56 },
        { 4096, 0, 57 }, { 4096, 4000, 0 }, { 4091, 0, 8 }, { 4096, 5, 5 + 64 },
    };
    const unsigned nodes = 50;
    Dev *d = b->d;
    uint64_t memory = process_alloc(d, 52 * PAGE);

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t sum, first;
        PasidDevDescriptor desc;

        first = make_list(d, memory, nodes, cases[i].stride, cases[i].next,
                          cases[i].value, &sum);
        desc = (PasidDevDescriptor) {
            .op = PASID_DEV_OP_LIST, .src = first, .len = 1000,
            .arg = cases[i].next, .arg2 = cases[i].value,
        };
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, sum, nodes, 0);
        desc.len = 1;
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK,
                          UINT64_C(1) << ((nodes - 1) % 50), 1, 0);
        desc.len = 0;
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0, 0, 0);
        desc.src = 0;
        desc.len = 10;
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 0, 0, 0);
    }
}

/* A list that leads back to itself ends with len. */
static void op_list_cycle(Bench *b)
{
    Dev *d = b->d;
    uint64_t node = process_alloc(d, PAGE);

    qtest_writeq(d->t->qts, node, va(d, node));
    qtest_writeq(d->t->qts, node + 8, 3);
    assert_completion(run(&b->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_LIST, .src = va(d, node), .len = 10000, .arg2 = 8 }),
        PASID_DEV_DONE_OK, 30000, 10000, 0);
}

static void op_probe(Bench *b)
{
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 0x123;

    for (unsigned write = 0; write < 2; write++) {
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_PROBE, .src = va(d, pa), .arg = write }),
            PASID_DEV_DONE_OK, pa, 0, 0);
    }
    g_assert_cmphex(qtest_readq(d->t->qts, pa), ==, 0);
}

static void op_gather_scatter(Bench *b)
{
    static const struct {
        uint64_t addr, len;
    } pieces[] = {
        { 4000, 200 }, { 0, 1 }, { 9000, 0 }, { 12288, 8192 }, { 4200, 5 },
    };
    const uint64_t total = 200 + 1 + 8192 + 5;
    Dev *d = b->d;
    uint64_t far = process_alloc(d, 8 * PAGE);
    uint64_t flat = process_alloc(d, 4 * PAGE) + 11;
    /* The third entry lies across two pages. */
    uint64_t list = process_alloc(d, 2 * PAGE) + PAGE - 40;
    PasidDevDescriptor desc = { .arg = ARRAY_SIZE(pieces), .len = 1 << 20 };

    for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++) {
        qtest_writeq(d->t->qts, list + i * 16, va(d, far + pieces[i].addr));
        qtest_writeq(d->t->qts, list + i * 16 + 8, pieces[i].len);
    }
    fill_pattern(d, flat, total);

    desc.op = PASID_DEV_OP_SCATTER;
    desc.src = va(d, flat);
    desc.dst = va(d, list);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, total, total, 0);
    g_assert_cmphex(qtest_readb(d->t->qts, far + 4000), ==, pattern_byte(0));
    g_assert_cmphex(qtest_readb(d->t->qts, far), ==, pattern_byte(200));
    g_assert_cmphex(qtest_readb(d->t->qts, far + 12288 + 8191), ==,
                    pattern_byte(201 + 8191));

    qtest_memset(d->t->qts, flat, 0, total);
    desc.op = PASID_DEV_OP_GATHER;
    desc.src = va(d, list);
    desc.dst = va(d, flat);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, total, total, 0);
    assert_bytes(d, flat, total, pattern_byte);

    /* No more than len bytes */
    qtest_memset(d->t->qts, flat, 0, total);
    desc.len = 203;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, 203, 203, 0);
    assert_bytes(d, flat, 203, pattern_byte);
    assert_bytes(d, flat + 203, 100, zero_byte);

    /* A segment that goes beyond the end of all addresses */
    desc.len = 1 << 20;
    qtest_writeq(d->t->qts, list + 16, UINT64_MAX);
    qtest_writeq(d->t->qts, list + 24, 2);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_BAD_DESC, 200, 200, 0);
}

static void op_atomic_add(Bench *b)
{
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 16;
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_ATOMIC_ADD, .dst = va(d, pa), .arg = 5,
    };

    qtest_writeq(d->t->qts, pa, UINT64_MAX - 1);
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, UINT64_MAX - 1, 8,
                      0);
    g_assert_cmphex(qtest_readq(d->t->qts, pa), ==, 3);
    g_assert_cmphex(qtest_readq(d->t->qts, pa + 8), ==, 0);
    g_assert_cmphex(qtest_readq(d->t->qts, pa - 8), ==, 0);
    desc.dst++;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_BAD_DESC, 0, 0, 0);
}

#define ALL_ONES    UINT64_MAX

static void op_atomics(Bench *b)
{
    static const struct {
        uint8_t op, len;
        uint64_t before, arg, arg2, after;
        uint32_t status;
    } cases[] = {
        { PASID_DEV_OP_FETCH_ADD, 8, ALL_ONES - 1, 5, 0, 3, 1 },
        { PASID_DEV_OP_FETCH_ADD, 4, 0xfffffffe, 5, 0, 3, 1 },
        { PASID_DEV_OP_FETCH_ADD, 4, 7, 0xffffffff, 0, 6, 1 },
        { PASID_DEV_OP_SWAP, 8, 77, ALL_ONES, 0, ALL_ONES, 1 },
        { PASID_DEV_OP_SWAP, 4, 77, 0xfedcba98, 0, 0xfedcba98, 1 },
        { PASID_DEV_OP_CAS, 8, 77, 77, ALL_ONES, ALL_ONES, 1 },
        { PASID_DEV_OP_CAS, 8, 77, 77 | 1ull << 32, 5, 77, 2 },
        { PASID_DEV_OP_CAS, 4, 0xf0000077, 0xf0000077, 5, 5, 1 },
        { PASID_DEV_OP_CAS, 4, 77, 78, 5, 77, 2 },
    };
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 64;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t at = pa + (cases[i].len == 4 ? 4 : 0);
        bool done = cases[i].status == PASID_DEV_DONE_OK;
        uint64_t bytes = cases[i].len, seen = 0;

        qtest_memset(d->t->qts, pa - 16, 0x55, 48);
        qtest_memwrite(d->t->qts, at, &cases[i].before, bytes);
        assert_completion(run(&b->q, (PasidDevDescriptor) {
            .op = cases[i].op, .dst = va(d, at), .len = bytes,
            .arg = cases[i].arg, .arg2 = cases[i].arg2 }),
            cases[i].status, cases[i].before, done ? bytes : 0, 0);
        qtest_memread(d->t->qts, at, &seen, bytes);
        g_assert_cmphex(seen, ==, cases[i].after);
        g_assert_cmphex(qtest_readb(d->t->qts, at - 1), ==, 0x55);
        g_assert_cmphex(qtest_readb(d->t->qts, at + bytes), ==, 0x55);
    }
}

static void op_cas16(Bench *b)
{
    static const uint64_t before[2] = { 0x1111, 0x2222 };
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 32;
    PasidDevDescriptor desc = {
        .op = PASID_DEV_OP_CAS16, .dst = va(d, pa), .len = 16,
        .arg = before[0], .arg2 = before[1] + 1,
        .arg3 = 0x3333, .arg4 = 0x4444 };

    qtest_memset(d->t->qts, pa - 16, 0x55, 48);
    qtest_memwrite(d->t->qts, pa, before, 16);
    if (!(admin64(d, PASID_DEV_OPS) & 1ull << PASID_DEV_OP_CAS16)) {
        assert_completion(run(&b->q, desc), PASID_DEV_DONE_BAD_OP, 0, 0, 0);
        return;
    }
    /* What is after the result is its upper half. */
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_MISMATCH, before[0], 0,
                      before[1]);
    g_assert_cmphex(word_at(d, pa, 0), ==, before[0]);
    g_assert_cmphex(word_at(d, pa, 1), ==, before[1]);
    desc.arg2 = before[1];
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_OK, before[0], 16,
                      before[1]);
    g_assert_cmphex(word_at(d, pa, 0), ==, 0x3333);
    g_assert_cmphex(word_at(d, pa, 1), ==, 0x4444);
    g_assert_cmphex(word_at(d, pa, -1), ==, 0x5555555555555555);
    g_assert_cmphex(word_at(d, pa, 2), ==, 0x5555555555555555);
    desc.dst += 8;
    assert_completion(run(&b->q, desc), PASID_DEV_DONE_BAD_DESC, 0, 0, 0);
}

/* Each descriptor has its record, whatever became of those before it. */
static void op_batch(Bench *b)
{
    Dev *d = b->d;
    uint64_t list = process_alloc(d, PAGE), records = process_alloc(d, PAGE);
    uint64_t word = process_alloc(d, PAGE);
    const struct {
        PasidDevDescriptor desc;
        uint32_t status;
        uint64_t result, progress;
    } cases[] = {
        { { .op = PASID_DEV_OP_NOP }, PASID_DEV_DONE_OK },
        { { .op = PASID_DEV_OP_FILL, .dst = va(d, word), .len = 8, .arg = 7 },
          PASID_DEV_DONE_OK, 0, 8 },
        { { .op = 0xee }, PASID_DEV_DONE_BAD_OP },
        { { .op = PASID_DEV_OP_NOP, .flags = PASID_DEV_DESC_IRQ },
          PASID_DEV_DONE_BAD_DESC },
        { { .op = PASID_DEV_OP_NOP, .flags = PASID_DEV_DESC_FENCE },
          PASID_DEV_DONE_BAD_DESC },
        { { .op = PASID_DEV_OP_BATCH, .src = va(d, list),
            .dst = va(d, records), .len = 1 }, PASID_DEV_DONE_BAD_DESC },
        { { .op = PASID_DEV_OP_FETCH_ADD, .dst = va(d, word), .len = 8,
            .arg = 2 }, PASID_DEV_DONE_OK, 7, 8 },
    };
    const unsigned count = ARRAY_SIZE(cases);
    PasidDevDescriptor batch = {
        .op = PASID_DEV_OP_BATCH, .src = va(d, list), .dst = va(d, records),
        .len = count };
    Queue inner = { .d = d, .completions = records, .size_log2 = 15 };

    for (unsigned i = 0; i < count; i++) {
        PasidDevDescriptor desc = cases[i].desc;

        desc.tag = 100 + i;
        qtest_memwrite(d->t->qts, list + i * sizeof(desc), &desc, sizeof(desc));
    }
    assert_completion(run(&b->q, batch), PASID_DEV_DONE_SOME_FAILED, 3, count,
                      0);
    for (unsigned i = 0; i < count; i++) {
        PasidDevCompletion c = record_at(&inner, i);

        assert_completion(c, cases[i].status, cases[i].result,
                          cases[i].progress, 0);
        g_assert_cmpuint(c.tag, ==, 100 + i);
    }
    g_assert_cmphex(word_at(d, word, 0), ==, 9);
    g_assert_cmphex(word_at(d, records, count * 4), ==, 0);

    batch.len = 2;
    assert_completion(run(&b->q, batch), PASID_DEV_DONE_OK, 2, 2, 0);
    batch.len = 0;
    assert_completion(run(&b->q, batch), PASID_DEV_DONE_OK, 0, 0, 0);
}

static void op_probe2(Bench *b)
{
    Dev *d = b->d;
    uint64_t pa = process_alloc(d, PAGE) + 0x123;
    const uint64_t both = PASID_DEV_PROBED_READ | PASID_DEV_PROBED_WRITE;

    for (unsigned arg = 1; arg <= 3; arg++) {
        PasidDevCompletion c = run(&b->q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_PROBE2, .src = va(d, pa), .arg = arg });

        g_assert_cmpuint(c.status, ==, PASID_DEV_DONE_OK);
        g_assert_cmphex(c.result, ==, pa);
        g_assert_cmphex(c.progress & both, ==, both);
        g_assert_cmpuint(c.progress & PASID_DEV_PROBED_SIZE_MASK, >=, 12);
        g_assert_cmpuint(c.progress & PASID_DEV_PROBED_SIZE_MASK, <=, 64);
    }
    g_assert_cmphex(qtest_readq(d->t->qts, pa), ==, 0);
}

static void op_illegal(Bench *b)
{
    const uint64_t big = PASID_DEV_MAX_LEN_VALUE + 1;
    const PasidDevDescriptor cases[] = {
        { .op = PASID_DEV_OP_NOP, .flags = 4 },
        { .op = PASID_DEV_OP_NOP, .reserved = 1 },
        { .op = PASID_DEV_OP_NOP, .arg3 = 1 },
        { .op = PASID_DEV_OP_NOP, .arg4 = 1 },
        { .op = PASID_DEV_OP_COPY, .len = big, .dst = UINT64_C(1) << 40 },
        { .op = PASID_DEV_OP_COPY, .src = 0x1000, .dst = 0x1fff, .len = PAGE },
        { .op = PASID_DEV_OP_COPY, .src = 0x1fff, .dst = 0x1000, .len = PAGE },
        { .op = PASID_DEV_OP_COPY, .src = -8, .dst = 0x1000, .len = 9 },
        { .op = PASID_DEV_OP_COPY, .dst = -8, .src = 0x1000, .len = 9 },
        { .op = PASID_DEV_OP_FILL, .dst = -8, .len = 9 },
        { .op = PASID_DEV_OP_FILL, .len = UINT64_MAX },
        { .op = PASID_DEV_OP_COMPARE, .dst = -8, .len = 9 },
        { .op = PASID_DEV_OP_CRC32C, .src = -8, .len = 9 },
        { .op = PASID_DEV_OP_CRC32C, .arg = UINT64_C(1) << 32 },
        { .op = PASID_DEV_OP_SUM, .len = big },
        { .op = PASID_DEV_OP_LIST, .len = big },
        { .op = PASID_DEV_OP_PROBE, .len = 1 },
        { .op = PASID_DEV_OP_PROBE, .arg = 2 },
        { .op = PASID_DEV_OP_GATHER, .arg = UINT64_MAX, .len = 8 },
        { .op = PASID_DEV_OP_GATHER, .src = -16, .arg = 2, .len = 8 },
        { .op = PASID_DEV_OP_SCATTER, .dst = -16, .arg = 2, .len = 8 },
        { .op = PASID_DEV_OP_ATOMIC_ADD, .dst = 4 },
        { .op = PASID_DEV_OP_FETCH_ADD, .dst = 4, .len = 8 },
        { .op = PASID_DEV_OP_FETCH_ADD, .dst = 2, .len = 4 },
        { .op = PASID_DEV_OP_FETCH_ADD, .len = 4, .arg = big },
        { .op = PASID_DEV_OP_FETCH_ADD, .len = 16 },
        { .op = PASID_DEV_OP_SWAP },
        { .op = PASID_DEV_OP_SWAP, .len = 2 },
        { .op = PASID_DEV_OP_SWAP, .len = 8, .arg3 = 1 },
        { .op = PASID_DEV_OP_CAS, .len = 12 },
        { .op = PASID_DEV_OP_CAS, .len = 4, .arg2 = big },
        { .op = PASID_DEV_OP_BATCH, .src = 32, .len = 1 },
        { .op = PASID_DEV_OP_BATCH, .dst = 16, .len = 1 },
        { .op = PASID_DEV_OP_BATCH, .len = PASID_DEV_MAX_BATCH + 1 },
        { .op = PASID_DEV_OP_BATCH, .src = -64, .len = 2 },
        { .op = PASID_DEV_OP_BATCH, .dst = -32, .len = 2 },
        { .op = PASID_DEV_OP_PROBE2 },
        { .op = PASID_DEV_OP_PROBE2, .arg = 4 },
        { .op = PASID_DEV_OP_PROBE2, .arg = 6 },
        { .op = PASID_DEV_OP_PROBE2, .arg = 8 },
        { .op = PASID_DEV_OP_PROBE2, .arg = 1, .len = 1 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        PasidDevCompletion c = run(&b->q, cases[i]);

        if (c.status != PASID_DEV_DONE_BAD_DESC) {
            g_error("case %u: status %u", i, c.status);
        }
        g_assert_cmphex(c.progress, ==, 0);
    }
    for (unsigned op = PASID_DEV_OP_COUNT; op < 256; op++) {
        assert_completion(run(&b->q, (PasidDevDescriptor) { .op = op }),
                          PASID_DEV_DONE_BAD_OP, 0, 0, 0);
    }
}

const OperationTest operation_tests[] = {
    { "nop", op_nop },
    { "copy", op_copy },
    { "fill", op_fill },
    { "compare", op_compare },
    { "crc32c", op_crc32c },
    { "sum", op_sum },
    { "list", op_list },
    { "list-cycle-ends-with-len", op_list_cycle },
    { "probe", op_probe },
    { "gather-scatter", op_gather_scatter },
    { "atomic-add", op_atomic_add },
    { "fetch-add-swap-cas", op_atomics },
    { "cas-of-16-bytes", op_cas16 },
    { "batch", op_batch },
    { "probe-for-rights", op_probe2 },
    { "illegal-descriptors", op_illegal },
    { NULL, NULL }
};

void assert_nothing_left(Bench *b)
{
    g_assert_cmphex(q32(&b->q, PASID_DEV_Q_STATUS), ==,
                    PASID_DEV_Q_STATUS_ENABLED);
    g_assert_cmpuint(q32(&b->q, PASID_DEV_Q_HEAD), ==, b->q.tail);
    g_assert_cmphex(admin32(b->d, PASID_DEV_STATUS), ==, 0);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_JOBS), ==, b->q.tail);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_BOUNCED), ==, 0);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_STALLS), ==, 0);
    g_assert_cmphex(admin64(b->d, PASID_DEV_COUNT_ABORTS), ==, 0);
}

void add_operations(const char *where, GTestDataFunc test)
{
    for (unsigned i = 0; operation_tests[i].name; i++) {
        g_autofree char *path = g_strdup_printf("/pasid-dev/%s/%s", where,
                                                operation_tests[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test);
    }
}
