/*
 * Atomic operations on the bytes behind a span, see requester.h: one step with
 * respect to the guest's CPUs, which run on threads of this process. Where a
 * span goes is known by now. Called by the endpoints' operations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/atomic128.h"
#include "qemu/bswap.h"
#include "qemu/rcu.h"
#include "hw/pci/sva-guest-ram.h"
#include "requester.h"

/* ---- On host memory ----------------------------------------------------- */

static uint32_t next32(const SvaAtomic *a, uint32_t was)
{
    return a->kind == SVA_ATOMIC_ADD ? was + (uint32_t)a->operand[0]
                                     : (uint32_t)a->operand[0];
}

static void atomic32(uint32_t *word, SvaAtomic *a)
{
    uint32_t seen = qatomic_read(word), was;

    do {
        was = seen;
        if (a->kind == SVA_ATOMIC_CAS) {
            was = cpu_to_le32(a->compare[0]);
        }
        seen = qatomic_cmpxchg(word, was,
                               cpu_to_le32(next32(a, le32_to_cpu(was))));
    } while (seen != was && a->kind != SVA_ATOMIC_CAS);
    a->old[0] = le32_to_cpu(seen);
}

static uint64_t next64(const SvaAtomic *a, uint64_t was)
{
    return a->kind == SVA_ATOMIC_ADD ? was + a->operand[0] : a->operand[0];
}

static void atomic64(uint64_t *word, SvaAtomic *a)
{
    uint64_t seen = qatomic_read(word), was;

    do {
        was = seen;
        if (a->kind == SVA_ATOMIC_CAS) {
            was = cpu_to_le64(a->compare[0]);
        }
        seen = qatomic_cmpxchg(word, was,
                               cpu_to_le64(next64(a, le64_to_cpu(was))));
    } while (seen != was && a->kind != SVA_ATOMIC_CAS);
    a->old[0] = le64_to_cpu(seen);
}

/* As it lies in memory, the low half first, from numbers and back */
static Int128 int128_of(const uint64_t half[2])
{
    return HOST_BIG_ENDIAN ?
           int128_make128(bswap64(half[1]), bswap64(half[0])) :
           int128_make128(half[0], half[1]);
}

static void cas128(void *word, SvaAtomic *a)
{
    Int128 seen = atomic16_cmpxchg(word, int128_of(a->compare),
                                   int128_of(a->operand));
    uint64_t half[2] = { int128_getlo(seen), int128_gethi(seen) };

    a->old[0] = HOST_BIG_ENDIAN ? bswap64(half[1]) : half[0];
    a->old[1] = HOST_BIG_ENDIAN ? bswap64(half[0]) : half[1];
}

bool sva_has_cas16(void)
{
    return HAVE_CMPXCHG128;
}

static void atomic_do(void *word, SvaAtomic *a)
{
    if (a->bytes == 4) {
        atomic32(word, a);
    } else if (a->bytes == 8) {
        atomic64(word, a);
    } else if (HAVE_CMPXCHG128) {
        cas128(word, a);
    }
}

/* ---- On a span ---------------------------------------------------------- */

SvaDma sva_span_atomic(SvaSpan *span, SvaAtomic *a)
{
    uint64_t len = MIN(span->len, a->bytes);
    MemoryRegion *mr;
    void *word;

    a->old[0] = a->old[1] = 0;
    if (span->ignore) {
        return SVA_DMA_DONE;
    }

    RCU_READ_LOCK_GUARD();
    word = sva_span_ram(span, true, &len, &mr);
    if (!word || len < a->bytes || !QEMU_PTR_IS_ALIGNED(word, a->bytes)) {
        return sva_channel_refuse(span->ch, span->addr, SVA_WRITE);
    }
    atomic_do(word, a);
    sva_guest_ram_written(mr, word, a->bytes);
    sva_channel_count_bytes(span->ch, 2 * a->bytes, false);
    return SVA_DMA_DONE;
}
