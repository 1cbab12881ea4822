/*
 * What the host itself gives, without QEMU: how long a piece of processor time
 * becomes that nothing of ours makes longer, and what two threads do of one's
 * work, when they copy and when they deflate. The limits that devices-bench and
 * threads-bench are to be read against. Not a test. Called by tests/bench/run,
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

typedef struct Pieces {
    double median, max;     /* nanoseconds */
    unsigned above_1ms;
} Pieces;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* @count times the same work of some PIECE_NS. */
static Pieces run_pieces(unsigned count)
{
    g_autofree double *took = g_new(double, count);
    uint64_t rounds = 1 << 16, best = UINT64_MAX;
    Pieces pieces = { 0 };

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
        pieces.max = MAX(pieces.max, took[i]);
        pieces.above_1ms += took[i] > 1000 * 1000;
    }
    qsort(took, count, sizeof(*took), compare);
    pieces.median = took[count / 2];
    return pieces;
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

typedef struct Rates {
    double one, two;
} Rates;

static double median_rate(void (*job)(void), unsigned threads, unsigned rounds,
                          double seconds)
{
    g_autofree double *all = g_new(double, rounds);

    for (unsigned i = 0; i < rounds; i++) {
        all[i] = rate(job, threads, seconds);
    }
    qsort(all, rounds, sizeof(*all), compare);
    return all[rounds / 2];
}

static Rates measure(const char *name, void (*job)(void), size_t bytes,
                     gboolean quick)
{
    unsigned rounds = quick ? 1 : 5;
    double seconds = quick ? 0.1 : 0.5, mib = bytes / 1048576.0;
    Rates r = {
        .one = median_rate(job, 1, rounds, seconds) * mib,
        .two = median_rate(job, 2, rounds, seconds) * mib,
    };

    fprintf(stderr, "  %-24s one thread %8.0f MiB/s, two %8.0f: %.2f times\n",
            name, r.one, r.two, r.two / r.one);
    return r;
}

int main(int argc, char **argv)
{
    g_autofree char *output = NULL, *json = NULL;
    gboolean quick = FALSE;
    GOptionEntry entries[] = {
        { "quick", 0, 0, G_OPTION_ARG_NONE, &quick,
          "Once: shows that it runs", NULL },
        { "output", 0, 0, G_OPTION_ARG_FILENAME, &output,
          "Where to write the results", "FILE.json" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- measure what the host itself gives");
    g_autoptr(GError) error = NULL;
    Pieces pieces;
    Rates copy, deflated;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "host-bench: %s\n", error->message);
        return 1;
    }
    pieces = run_pieces(quick ? 100 : 10000);
    fprintf(stderr, "  a loop, many times: median %.0f us, longest %.0f us, "
            "above 1 ms %u\n", pieces.median / 1e3, pieces.max / 1e3, pieces.above_1ms);
    copy = measure("copy of 1 MiB", copy_job, COPY_BYTES, quick);
    deflated = measure("deflate of 128 KiB", deflate_job, DEFLATE_BYTES, quick);
    json = g_strdup_printf(
        "{\"pieces\": {\"median\": %.0f, \"max\": %.0f, "
        "\"above_1ms\": %u},\n"
        " \"copy\": {\"one\": %.1f, \"two\": %.1f},\n"
        " \"deflate\": {\"one\": %.1f, \"two\": %.1f}}\n",
        pieces.median, pieces.max, pieces.above_1ms, copy.one, copy.two,
        deflated.one, deflated.two);
    if (output && !g_file_set_contents(output, json, -1, &error)) {
        fprintf(stderr, "host-bench: %s\n", error->message);
        return 1;
    }
    return 0;
}
