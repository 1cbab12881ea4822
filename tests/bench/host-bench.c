/*
 * What the host itself gives, without QEMU: how long a piece of processor time
 * becomes that nothing of ours makes longer, what two threads do of one's work,
 * when they copy and when they deflate, and how long a cache line takes from one
 * to the other. The limits that devices-bench, threads-bench and invalidations
 * beside a thread are to be read against. Not a test. Called by tests/bench/run,
 * or by hand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zlib.h>
#include "rows.h"

enum {
    /* As the jobs of threads-bench */
    COPY_BYTES = 1 << 20,
    DEFLATE_BYTES = 128 << 10,
    /* As turns of devices-bench */
    PIECE_NS = 400 * 1000,
};

static uint64_t clock_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* ---- Pieces ------------------------------------------------------------- */

static void spin(uint64_t rounds)
{
    for (volatile uint64_t i = 0; i < rounds; i++) {
        /* nothing */
    }
}

/* @count times the same work of some PIECE_NS. */
static void run_pieces(Rows *rows, unsigned count)
{
    g_autofree double *took = g_new(double, count);
    uint64_t rounds = 1 << 16, best = UINT64_MAX;
    double above_1ms = 0;

    for (unsigned i = 0; i < 20; i++) {
        uint64_t start = clock_of(CLOCK_THREAD_CPUTIME_ID);

        spin(rounds);
        best = MIN(best, clock_of(CLOCK_THREAD_CPUTIME_ID) - start);
    }
    rounds = rounds * PIECE_NS / best;
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = clock_of(CLOCK_THREAD_CPUTIME_ID);

        spin(rounds);
        took[i] = clock_of(CLOCK_THREAD_CPUTIME_ID) - start;
        above_1ms += took[i] > 1000 * 1000;
    }
    rows_add(rows, "a loop", "", "ns", took, count);
    rows_add(rows, "a loop, above 1 ms", "", "", &above_1ms, 1);
}

/* ---- Threads ------------------------------------------------------------ */

typedef struct Work {
    void (*job)(void);
    uint64_t until;         /* of CLOCK_MONOTONIC, in ns */
    uint64_t jobs;
} Work;

/* Pages of a thread's own, as each engine has its own jobs. */
typedef struct Buffers {
    uint8_t *source, *target;
} Buffers;

static void free_buffers(gpointer opaque)
{
    Buffers *b = opaque;

    g_free(b->source);
    g_free(b->target);
    g_free(b);
}

static GPrivate buffers = G_PRIVATE_INIT(free_buffers);

static Buffers *my_buffers(void)
{
    Buffers *b = g_private_get(&buffers);

    if (!b) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(1);

        b = g_new(Buffers, 1);
        b->source = g_malloc(COPY_BYTES);
        b->target = g_malloc(COPY_BYTES);
        for (unsigned i = 0; i < COPY_BYTES; i++) {
            b->source[i] = g_rand_int_range(rand, 0, 16);
        }
        g_private_set(&buffers, b);
    }
    return b;
}

static void copy_job(void)
{
    Buffers *b = my_buffers();

    memcpy(b->target, b->source, COPY_BYTES);
}

static void deflate_job(void)
{
    Buffers *b = my_buffers();
    z_stream zs = { .next_in = b->source, .avail_in = DEFLATE_BYTES,
                    .next_out = b->target, .avail_out = COPY_BYTES };

    if (deflateInit2(&zs, 8, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&zs, Z_FINISH) != Z_STREAM_END) {
        g_error("deflate fails");
    }
    deflateEnd(&zs);
}

static gpointer work(gpointer opaque)
{
    Work *w = opaque;

    while (clock_of(CLOCK_MONOTONIC) < w->until) {
        w->job();
        w->jobs++;
    }
    return NULL;
}

/* Jobs in a second, of so many threads. */
static double rate(void (*job)(void), unsigned threads, double seconds)
{
    uint64_t until = clock_of(CLOCK_MONOTONIC) + seconds * 1e9, jobs = 0;
    g_autofree Work *all = g_new0(Work, threads);
    g_autofree GThread **thread = g_new0(GThread *, threads);

    for (unsigned i = 0; i < threads; i++) {
        all[i] = (Work) { .job = job, .until = until };
        thread[i] = g_thread_new("work", work, &all[i]);
    }
    for (unsigned i = 0; i < threads; i++) {
        g_thread_join(thread[i]);
        jobs += all[i].jobs;
    }
    return jobs / seconds;
}

static void measure(Rows *rows, const char *name, void (*job)(void), size_t bytes)
{
    unsigned rounds = rows->quick ? 1 : 5;
    double seconds = rows->quick ? 0.05 : 0.5, mib = bytes / 1048576.0;
    double one[5], two[5];

    for (unsigned i = 0; i < rounds; i++) {
        one[i] = rate(job, 1, seconds) * mib;
        two[i] = rate(job, 2, seconds) * mib;
    }
    rows_add(rows, name, "\"threads\": 1", "MiB/s", one, rounds);
    rows_add(rows, name, "\"threads\": 2", "MiB/s", two, rounds);
}

/* ---- A cache line ------------------------------------------------------- */

enum { PASSES = 2000, LINE_ROUNDS = 51 };
static _Atomic unsigned turn __attribute__((aligned(128)));

/* Answer each odd number with the even one after it. */
static gpointer answer(gpointer opaque)
{
    (void)opaque;
    for (unsigned i = 1; i < 2 * PASSES; i += 2) {
        while (turn != i) {
            /* nothing */
        }
        turn = i + 1;
    }
    return NULL;
}

/* What is written by one thread is seen by the other after so many ns. */
static double pass_line(void)
{
    GThread *other = g_thread_new("answer", answer, NULL);
    uint64_t start = 0;

    for (unsigned i = 0; i < 2 * PASSES; i += 2) {
        turn = i + 1;
        while (turn != i + 2) {
            /* nothing */
        }
        if (!start) {
            start = clock_of(CLOCK_MONOTONIC);  /* now that both run */
        }
    }
    start = clock_of(CLOCK_MONOTONIC) - start;
    g_thread_join(other);
    turn = 0;
    return start / (2.0 * (PASSES - 1));
}

static void measure_line(Rows *rows)
{
    unsigned rounds = rows->quick ? 5 : LINE_ROUNDS;
    double samples[LINE_ROUNDS];

    for (unsigned i = 0; i < rounds; i++) {
        samples[i] = pass_line();
    }
    rows_add(rows, "a cache line to another thread", "", "ns", samples, rounds);
}

int main(int argc, char **argv)
{
    Rows rows = { 0 };

    rows_begin(&rows, "- measure what the host itself gives", &argc, &argv);
    run_pieces(&rows, rows.quick ? 100 : 10000);
    measure(&rows, "copy", copy_job, COPY_BYTES);
    measure(&rows, "deflate", deflate_job, DEFLATE_BYTES);
    measure_line(&rows);
    return rows_end(&rows);
}
