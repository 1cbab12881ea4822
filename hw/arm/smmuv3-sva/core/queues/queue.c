/*
 * See queue.h. Index and wrap make one number (IHI 0070 3.5.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "queue.h"

unsigned smmu3_queue_log2(const Smmu3Queue *q, unsigned max)
{
    unsigned log2 = smmu3_get(&q->base, QUEUE_BASE_LOG2SIZE);

    return log2 < max ? log2 : max;
}

/* Index and wrap: one number that counts modulo twice the queue's size. */
static uint32_t position(uint32_t reg, unsigned log2)
{
    return reg & smmu3_mask(log2 + 1);
}

uint32_t smmu3_queue_used(const Smmu3Queue *q, unsigned log2)
{
    return position(q->prod - q->cons, log2);
}

bool smmu3_queue_empty(const Smmu3Queue *q, unsigned log2)
{
    return smmu3_queue_used(q, log2) == 0;
}

bool smmu3_queue_full(const Smmu3Queue *q, unsigned log2)
{
    return smmu3_queue_used(q, log2) >= UINT32_C(1) << log2;
}

bool smmu3_queue_inconsistent(const Smmu3Queue *q, unsigned log2)
{
    return smmu3_queue_used(q, log2) > UINT32_C(1) << log2;
}

/*
 * The base is aligned down to the queue's size (6.3.26), and truncated to the
 * output address size.
 */
static uint64_t entry_addr(const Smmu3Queue *q, uint32_t reg, unsigned log2,
                           unsigned entry_bytes, unsigned oas_bits)
{
    uint64_t bytes = (uint64_t)entry_bytes << log2;
    uint64_t base = smmu3_get_addr(&q->base, QUEUE_BASE_ADDR) & ~(bytes - 1);
    uint64_t index = reg & smmu3_mask(log2);

    return (base + index * entry_bytes) & smmu3_mask(oas_bits);
}

uint64_t smmu3_queue_prod_addr(const Smmu3Queue *q, unsigned log2,
                               unsigned entry_bytes, unsigned oas_bits)
{
    return entry_addr(q, q->prod, log2, entry_bytes, oas_bits);
}

uint64_t smmu3_queue_cons_addr(const Smmu3Queue *q, unsigned log2,
                               unsigned entry_bytes, unsigned oas_bits)
{
    return entry_addr(q, q->cons, log2, entry_bytes, oas_bits);
}

static uint32_t advance(uint32_t reg, unsigned log2)
{
    uint64_t word = reg;

    smmu3_set(&word, QUEUE_INDEX, position(reg + 1, log2));
    return word;
}

void smmu3_queue_advance_prod(Smmu3Queue *q, unsigned log2)
{
    q->prod = advance(q->prod, log2);
}

void smmu3_queue_advance_cons(Smmu3Queue *q, unsigned log2)
{
    q->cons = advance(q->cons, log2);
}

bool smmu3_queue_overflowed(const Smmu3Queue *q)
{
    uint64_t differ = q->prod ^ q->cons;

    return smmu3_get(&differ, QUEUE_OVERFLOW);
}

void smmu3_queue_overflow(Smmu3Queue *q)
{
    if (!smmu3_queue_overflowed(q)) {
        q->prod ^= smmu3_field_mask(QUEUE_OVERFLOW);
    }
}
