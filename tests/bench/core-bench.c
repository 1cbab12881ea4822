/*
 * What the core costs: translations that hit, translations that walk, and
 * invalidations, with few and with many unrelated entries in the TLB. Not a
 * test: it asserts that it measures what it says (so many descriptor reads, so
 * many hits), never a time. Called by tests/bench/run, or by hand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include "bench-rig.h"

/* ---- Traffic ----------------------------------------------------------- */

typedef struct Traffic {
    Smmu3 *smmu;
    uint64_t va;
    uint32_t ssid;
    uint64_t first;             /* page of the region at va */
    uint64_t pages;             /* from there on: a power of two */
    uint64_t count;             /* translations to do */
    bool scattered;             /* visit pages out of order */
    pthread_barrier_t *gate;    /* what the threads wait for; or NULL */
    uint64_t start_ns, end_ns;
} Traffic;

static void translate_all(const Traffic *job)
{
    uint64_t mask = job->pages - 1;

    for (uint64_t i = 0; i < job->count; i++) {
        uint64_t page = (job->scattered ? i * UINT64_C(0x9e3779b97f4a7c15) >> 20
                                        : i) & mask;
        uint64_t va = job->va + ((job->first + page) << PAGE_LOG2);
        Smmu3Transaction t = {
            .sid = SID, .ssv = true, .ssid = job->ssid, .addr = va,
            .access = SMMU3_READ,
        };
        Smmu3Translation result;

        if (smmu3_translate(job->smmu, &t, &result) != SMMU3_OK ||
            result.pa != va) {
            g_error("wrong translation of %" G_GINT64_MODIFIER "x", va);
        }
    }
}

static void *traffic_thread(void *opaque)
{
    Traffic *job = opaque;

    if (job->gate) {
        pthread_barrier_wait(job->gate);
    }
    job->start_ns = bench_now_ns();
    translate_all(job);
    job->end_ns = bench_now_ns();
    return NULL;
}

/* Run @count jobs at once; the mean of what one translation cost each. */
static double run_traffic(Traffic *jobs, unsigned count)
{
    pthread_t threads[2];
    pthread_barrier_t gate;
    double ns = 0;

    if (count == 1) {
        traffic_thread(&jobs[0]);
        return (double)(jobs[0].end_ns - jobs[0].start_ns) / jobs[0].count;
    }
    pthread_barrier_init(&gate, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        int error;

        jobs[i].gate = &gate;
        error = pthread_create(&threads[i], NULL, traffic_thread, &jobs[i]);

        if (error) {
            g_error("no thread: %s", g_strerror(error));
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        ns += (double)(jobs[i].end_ns - jobs[i].start_ns) / jobs[i].count;
    }
    pthread_barrier_destroy(&gate);
    return ns / count;
}

static void touch(Bench *b, uint64_t va, uint32_t ssid, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        Traffic job = { .smmu = b->smmu, .va = va, .ssid = ssid, .first = i,
                        .pages = 1, .count = 1 };

        translate_all(&job);
    }
}

static void fill_unrelated(Bench *b)
{
    touch(b, UNRELATED_VA, UNRELATED_SSID, b->unrelated);
}

static void fill_measured(Bench *b)
{
    touch(b, MEASURED_VA, MEASURED_SSID, MEASURED_PAGES);
}

/* ---- Results ------------------------------------------------------------ */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(Bench *b, const char *name, unsigned threads,
                   double *samples)
{
    unsigned n = b->repetitions;
    double median;

    qsort(samples, n, sizeof(*samples), compare_doubles);
    median = n % 2 ? samples[n / 2]
                   : (samples[n / 2 - 1] + samples[n / 2]) / 2;
    g_string_append_printf(b->json,
        "%s\n    {\"name\": \"%s\", \"unrelated\": %" G_GUINT64_FORMAT
        ", \"threads\": %u, \"unit\": \"ns\", \"median\": %.1f, "
        "\"min\": %.1f, \"max\": %.1f, \"repetitions\": %u}",
        b->first ? "" : ",", name, b->unrelated, threads, median, samples[0],
        samples[n - 1], n);
    b->first = false;
    fprintf(stderr, "  %-34s %8" G_GUINT64_FORMAT " %u %9.1f %9.1f %9.1f\n",
            name, b->unrelated, threads, median, samples[0], samples[n - 1]);
}

static uint64_t counter(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void measure_hits(Bench *b, unsigned threads, uint64_t count)
{
    double samples[b->repetitions];
    const Smmu3Counters *c = smmu3_counters(b->smmu);
    uint64_t walks;

    touch(b, MEASURED_VA, MEASURED_SSID, HIT_PAGES);
    walks = counter(&c->walks);
    for (unsigned r = 0; r < b->repetitions; r++) {
        Traffic jobs[2];

        for (unsigned i = 0; i < threads; i++) {
            jobs[i] = (Traffic) {
                .smmu = b->smmu, .va = MEASURED_VA, .ssid = MEASURED_SSID,
                .first = i * HIT_PAGES / threads,
                .pages = HIT_PAGES / threads, .count = count,
            };
        }
        samples[r] = run_traffic(jobs, threads);
    }
    if (counter(&c->walks) != walks) {
        g_error("hits that walk");
    }
    report(b, "hit", threads, samples);
}

/* Hits spread over all that is cached: the host's own caches miss. */
static void measure_scattered_hits(Bench *b, uint64_t count)
{
    double samples[b->repetitions];
    const Smmu3Counters *c = smmu3_counters(b->smmu);
    uint64_t walks = counter(&c->walks);

    for (unsigned r = 0; r < b->repetitions; r++) {
        Traffic job = {
            .smmu = b->smmu, .va = UNRELATED_VA, .ssid = UNRELATED_SSID,
            .pages = b->unrelated, .count = count, .scattered = true,
        };

        samples[r] = run_traffic(&job, 1);
    }
    if ((counter(&c->walks) - walks) * 50 > count * b->repetitions) {
        g_error("scattered hits of which more than 2%% walk");
    }
    report(b, "hit, scattered over all entries", 1, samples);
}

static void forget_measured(Bench *b)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ASID };

    smmu3_set(cmd, CMD_ASID, MEASURED_SSID);
    bench_put_command(b, cmd);
    bench_put_opcode(b, CMD_SYNC);
    bench_run_queue(b);
}

static void measure_misses(Bench *b, unsigned threads)
{
    double samples[b->repetitions];
    const Smmu3Counters *c = smmu3_counters(b->smmu);
    uint64_t reads = counter(&c->descriptor_reads);

    for (unsigned r = 0; r < b->repetitions; r++) {
        Traffic jobs[2];

        forget_measured(b);
        for (unsigned i = 0; i < threads; i++) {
            jobs[i] = (Traffic) {
                .smmu = b->smmu, .va = MEASURED_VA, .ssid = MEASURED_SSID,
                .first = i * MEASURED_PAGES / threads,
                .pages = MEASURED_PAGES / threads,
                .count = MEASURED_PAGES / threads,
            };
        }
        samples[r] = run_traffic(jobs, threads);
    }
    reads = counter(&c->descriptor_reads) - reads;
    if (reads != UINT64_C(4) * MEASURED_PAGES * b->repetitions) {
        g_error("misses that read %" G_GUINT64_FORMAT " descriptors", reads);
    }
    report(b, "miss, 4 levels", threads, samples);
}

/* Translates until told to stop, while the other thread invalidates. */
typedef struct Noise {
    Traffic job;
    _Atomic bool stop;
} Noise;

static void *noise_thread(void *opaque)
{
    Noise *noise = opaque;

    while (!atomic_load_explicit(&noise->stop, memory_order_relaxed)) {
        translate_all(&noise->job);
    }
    return NULL;
}

typedef struct Invalidation {
    const char *name;
    Smmu3Opcode opcode;
    unsigned pages;             /* covered by one command; 0: all */
    unsigned commands;          /* of one batch */
} Invalidation;

static const Invalidation invalidations[] = {
    { "invalidate, address", CMD_TLBI_NH_VA, 1, 1024 },
    { "invalidate, 32 pages", CMD_TLBI_NH_VA, RANGE_PAGES,
      MEASURED_PAGES / RANGE_PAGES },
    { "invalidate, ASID", CMD_TLBI_NH_ASID, 0, 128 },
    { "invalidate, all", CMD_TLBI_NSNH_ALL, 0, 128 },
};

static void put_invalidation(Bench *b, const Invalidation *inv, unsigned i)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { inv->opcode };

    smmu3_set(cmd, CMD_ASID, inv->opcode == CMD_TLBI_NSNH_ALL ? 0
                                                             : MEASURED_SSID);
    if (inv->pages) {
        smmu3_set_addr(cmd, CMD_ADDR, MEASURED_VA +
                       ((uint64_t)i * inv->pages << PAGE_LOG2));
    }
    if (inv->pages > 1) {
        smmu3_set(cmd, CMD_TLBI_TG, 1);
        smmu3_set(cmd, CMD_TLBI_NUM, inv->pages - 1);
    }
    bench_put_command(b, cmd);
}

/*
 * Time batches of commands, from the write of PROD to the last one consumed;
 * the SYNC that ends a batch is part of it. What the commands remove is
 * cached when each batch begins.
 */
static void measure_invalidation(Bench *b, const Invalidation *inv,
                                 unsigned threads)
{
    double samples[b->repetitions];
    const Smmu3Counters *c = smmu3_counters(b->smmu);
    Noise noise = {
        .job = { .smmu = b->smmu, .va = UNRELATED_VA, .ssid = UNRELATED_SSID,
                 .pages = HIT_PAGES, .count = 1024 },
    };
    pthread_t thread;

    if (threads == 2) {
        int error = pthread_create(&thread, NULL, noise_thread, &noise);

        if (error) {
            g_error("no thread: %s", g_strerror(error));
        }
    }
    for (unsigned r = 0; r < b->repetitions; r++) {
        uint64_t start, walks;

        fill_measured(b);
        for (unsigned i = 0; i < inv->commands; i++) {
            put_invalidation(b, inv, i);
        }
        bench_put_opcode(b, CMD_SYNC);
        start = bench_now_ns();
        bench_run_queue(b);
        samples[r] = (double)(bench_now_ns() - start) / inv->commands;
        if (threads == 1) {
            walks = counter(&c->walks);
            touch(b, MEASURED_VA, MEASURED_SSID, 1);
            if (counter(&c->walks) != walks + 1) {
                g_error("%s: the entry is still there", inv->name);
            }
        }
    }
    if (threads == 2) {
        atomic_store(&noise.stop, true);
        pthread_join(thread, NULL);
    }
    report(b, inv->name, threads, samples);
}

/* One command alone, with every entry alive when it comes. */
static void measure_first_all(Bench *b)
{
    double samples[b->repetitions];

    for (unsigned r = 0; r < b->repetitions; r++) {
        uint64_t start;

        fill_measured(b);
        fill_unrelated(b);
        bench_put_opcode(b, CMD_TLBI_NSNH_ALL);
        bench_put_opcode(b, CMD_SYNC);
        start = bench_now_ns();
        bench_run_queue(b);
        samples[r] = bench_now_ns() - start;
    }
    report(b, "invalidate, all, once after filling", 1, samples);
}

static void measure(Bench *b, uint64_t unrelated, bool quick)
{
    uint64_t count = quick ? 20000 : 1000000, lost;
    const Smmu3Counters *c;

    bench_bring_up(b, unrelated);
    c = smmu3_counters(b->smmu);
    fill_measured(b);
    fill_unrelated(b);
    lost = counter(&c->tlb_misses);
    fill_unrelated(b);
    lost = counter(&c->tlb_misses) - lost;
    fprintf(stderr, "  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
            " unrelated entries are cached\n", unrelated - lost, unrelated);

    measure_hits(b, 1, count);
    measure_hits(b, 2, count);
    measure_scattered_hits(b, count);
    measure_misses(b, 1);
    measure_misses(b, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(invalidations) - 1; i++) {
        measure_invalidation(b, &invalidations[i], 1);
        measure_invalidation(b, &invalidations[i], 2);
    }
    /* Last: it takes the unrelated entries with it. */
    measure_first_all(b);
    measure_invalidation(b, &invalidations[G_N_ELEMENTS(invalidations) - 1],
                         1);
    measure_invalidation(b, &invalidations[G_N_ELEMENTS(invalidations) - 1],
                         2);
    bench_tear_down(b);
}

int main(int argc, char **argv)
{
    g_autofree char *output = NULL;
    gboolean quick = FALSE;
    int repetitions = 0;
    GOptionEntry entries[] = {
        { "quick", 0, 0, G_OPTION_ARG_NONE, &quick,
          "Few repetitions and entries: shows that it runs", NULL },
        { "repetitions", 0, 0, G_OPTION_ARG_INT, &repetitions,
          "Samples of each figure (15; 3 if quick)", "N" },
        { "output", 0, 0, G_OPTION_ARG_FILENAME, &output,
          "Where to write the results", "FILE.json" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- measure the SMMU's core");
    g_autoptr(GError) error = NULL;
    uint64_t sizes[] = { 1 << 10, 64 << 10, 1 << 20 };
    Bench b = { .first = true };

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "core-bench: %s\n", error->message);
        return 1;
    }
    if (repetitions < 0 || repetitions > 1000) {
        fprintf(stderr, "core-bench: 1 to 1000 repetitions, not %d\n",
                repetitions);
        return 1;
    }
    b.repetitions = repetitions ? repetitions : quick ? 3 : 15;
    b.json = g_string_new("{\"results\": [");
    fprintf(stderr, "  %-34s %8s %s %9s %9s %9s (ns)\n", "", "cached", "T",
            "median", "min", "max");
    for (unsigned i = 0; i < (quick ? 2 : G_N_ELEMENTS(sizes)); i++) {
        measure(&b, sizes[i], quick);
    }
    g_string_append(b.json, "\n]}\n");
    if (output && !g_file_set_contents(output, b.json->str, -1, &error)) {
        fprintf(stderr, "core-bench: %s\n", error->message);
        return 1;
    }
    g_string_free(b.json, TRUE);
    return 0;
}
