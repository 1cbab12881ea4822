/*
 * The arithmetic of circular queues (core/queues/queue.c): index and wrap, full and
 * empty, sizes, addresses, overflow. Not the queues' contents.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "core/queues/queue.h"

static Smmu3Queue queue(uint64_t base, unsigned log2)
{
    Smmu3Queue q = { .base = base };

    smmu3_set(&q.base, QUEUE_BASE_LOG2SIZE, log2);
    return q;
}

static void test_size_is_capped(void)
{
    Smmu3Queue q = queue(0, 7);

    g_assert_cmpuint(smmu3_queue_log2(&q, 19), ==, 7);
    g_assert_cmpuint(smmu3_queue_log2(&q, 7), ==, 7);
    g_assert_cmpuint(smmu3_queue_log2(&q, 3), ==, 3);
    g_assert_cmpuint(smmu3_queue_log2(&q, 0), ==, 0);
    q = queue(0, 31);
    g_assert_cmpuint(smmu3_queue_log2(&q, 19), ==, 19);
}

/* Fill and empty queues of every size twice, through both wraps. */
static void test_every_state(void)
{
    static const unsigned sizes[] = { 0, 1, 2, 5, 10 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        unsigned log2 = sizes[i];
        uint32_t entries = UINT32_C(1) << log2;
        Smmu3Queue q = queue(0, log2);

        for (unsigned pass = 0; pass < 4; pass++) {
            for (uint32_t used = 0; used < entries; used++) {
                g_assert_cmpuint(smmu3_queue_used(&q, log2), ==, used);
                g_assert_cmpint(smmu3_queue_empty(&q, log2), ==, used == 0);
                g_assert_false(smmu3_queue_full(&q, log2));
                smmu3_queue_advance_prod(&q, log2);
            }
            g_assert_true(smmu3_queue_full(&q, log2));
            g_assert_false(smmu3_queue_empty(&q, log2));
            g_assert_false(smmu3_queue_inconsistent(&q, log2));
            for (uint32_t used = entries; used > 0; used--) {
                g_assert_cmpuint(smmu3_queue_used(&q, log2), ==, used);
                smmu3_queue_advance_cons(&q, log2);
            }
            g_assert_true(smmu3_queue_empty(&q, log2));
        }
        /* Four passes are two full turns of index and wrap */
        g_assert_cmphex(q.prod, ==, 0);
        g_assert_cmphex(q.cons, ==, 0);
    }
}

static void test_same_index_and_other_wrap_is_full(void)
{
    Smmu3Queue q = queue(0, 4);

    q.prod = 0x13;
    q.cons = 0x03;
    g_assert_true(smmu3_queue_full(&q, 4));
    q.cons = 0x13;
    g_assert_true(smmu3_queue_empty(&q, 4));
}

static void test_out_of_step(void)
{
    Smmu3Queue q = queue(0, 4);

    /* CONS ahead of PROD, seventeen entries "used" of sixteen */
    q.prod = 0x14;
    q.cons = 0x03;
    g_assert_true(smmu3_queue_inconsistent(&q, 4));
    g_assert_true(smmu3_queue_full(&q, 4));
    q.prod = 0x02;
    q.cons = 0x03;
    g_assert_true(smmu3_queue_inconsistent(&q, 4));
}

static void test_bits_above_the_wrap_have_no_effect(void)
{
    Smmu3Queue q = queue(0x10000, 4);

    q.prod = 0xfffe5;           /* index 5, wrap 0 */
    q.cons = 0x00003;
    g_assert_cmpuint(smmu3_queue_used(&q, 4), ==, 2);
    g_assert_cmphex(smmu3_queue_prod_addr(&q, 4, 16, 48), ==, 0x10050);
    smmu3_queue_advance_prod(&q, 4);
    g_assert_cmphex(q.prod, ==, 0x6);
}

static void test_advance_keeps_flags(void)
{
    Smmu3Queue q = queue(0, 2);

    q.prod = 0x80000003;
    q.cons = 0x81000007;
    smmu3_queue_advance_prod(&q, 2);
    smmu3_queue_advance_cons(&q, 2);
    g_assert_cmphex(q.prod, ==, 0x80000004);    /* the wrap bit */
    g_assert_cmphex(q.cons, ==, 0x81000000);
}

static void test_addresses(void)
{
    static const struct {
        uint64_t base;
        unsigned log2, entry_bytes, oas_bits;
        uint32_t index;
        uint64_t expect;
    } cases[] = {
        { 0x40000000, 4, 16, 48, 0, 0x40000000 },
        { 0x40000000, 4, 16, 48, 15, 0x400000f0 },
        { 0x40000000, 4, 16, 48, 16, 0x40000000 },      /* wrapped */
        { 0x40000000, 4, 32, 48, 15, 0x400001e0 },
        /* The base is aligned down to the queue's size ... */
        { 0x400000e0, 4, 16, 48, 1, 0x40000010 },
        { 0x400000e0, 3, 16, 48, 1, 0x40000090 },
        /* ... and has 32 bytes at least */
        { 0x4000003f, 0, 16, 48, 0, 0x40000020 },
        { 0x40000020, 0, 16, 48, 1, 0x40000020 },
        /* ... and truncated to the output address size */
        { UINT64_C(0x000f000040000000), 4, 16, 48, 2, 0x40000020 },
        { UINT64_C(0x000f000040000000), 4, 16, 52, 2,
          UINT64_C(0x000f000040000020) },
        { UINT64_C(0x100000000), 4, 16, 32, 2, 0x20 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Smmu3Queue q = queue(cases[i].base, cases[i].log2);

        q.prod = q.cons = cases[i].index;
        g_assert_cmphex(smmu3_queue_prod_addr(&q, cases[i].log2,
                                              cases[i].entry_bytes,
                                              cases[i].oas_bits),
                        ==, cases[i].expect);
        g_assert_cmphex(smmu3_queue_cons_addr(&q, cases[i].log2,
                                              cases[i].entry_bytes,
                                              cases[i].oas_bits),
                        ==, cases[i].expect);
    }
}

/* Hints and attribute bits of *_BASE are no part of the address. */
static void test_base_hints_are_not_address(void)
{
    Smmu3Queue q = queue(0x40000000, 4);

    smmu3_set(&q.base, QUEUE_BASE_HINT, 1);
    g_assert_cmphex(smmu3_queue_prod_addr(&q, 4, 16, 52), ==, 0x40000000);
}

static void test_overflow_toggles_once(void)
{
    Smmu3Queue q = queue(0, 2);

    g_assert_false(smmu3_queue_overflowed(&q));
    smmu3_queue_overflow(&q);
    g_assert_cmphex(q.prod, ==, 0x80000000);
    g_assert_true(smmu3_queue_overflowed(&q));
    smmu3_queue_overflow(&q);
    g_assert_cmphex(q.prod, ==, 0x80000000);

    q.cons = 0x80000000;        /* acknowledged */
    g_assert_false(smmu3_queue_overflowed(&q));
    smmu3_queue_overflow(&q);
    g_assert_cmphex(q.prod, ==, 0);
    g_assert_true(smmu3_queue_overflowed(&q));
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/queue/size-is-capped-by-the-id-register",
                     test_size_is_capped, "");
    conformance_test("/smmu3/queue/every-fill-level-of-every-turn",
                     test_every_state, "");
    conformance_test("/smmu3/queue/same-index-and-other-wrap-is-full",
                     test_same_index_and_other_wrap_is_full, "82");
    conformance_test("/smmu3/queue/prod-and-cons-out-of-step",
                     test_out_of_step, "");
    conformance_test("/smmu3/queue/bits-above-the-wrap-have-no-effect",
                     test_bits_above_the_wrap_have_no_effect, "");
    conformance_test("/smmu3/queue/advance-keeps-the-flags",
                     test_advance_keeps_flags, "");
    conformance_test("/smmu3/queue/addresses", test_addresses, "");
    conformance_test("/smmu3/queue/base-hints-are-not-address",
                     test_base_hints_are_not_address, "");
    conformance_test("/smmu3/queue/overflow-toggles-once",
                     test_overflow_toggles_once, "87");
    return conformance_run();
}
