/*
 * What the core costs: translations that hit, translations that walk, and
 * invalidations, with few and with many unrelated entries in the TLB. Not a
 * test: it asserts that it measures what it says (hits that do not walk, misses
 * that do), never a time. Called by tests/bench/run, or by hand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "invalidations.h"
#include <stdio.h>

/* ---- Hits --------------------------------------------------------------- */

/* The same pages again, each thread its own, one thread and two in turns. */
static void measure_hits(Run *run, uint64_t count)
{
    Bench *b = run->b;
    double one[ROWS_SAMPLES_MAX], two[ROWS_SAMPLES_MAX];
    uint64_t walks;

    touch(b, MEASURED_VA, MEASURED_SSID, HIT_PAGES);
    walks = COUNTED(b, walks);
    for (unsigned r = 0; r < run->repetitions; r++) {
        Traffic jobs[2];

        for (unsigned i = 0; i < 2; i++) {
            jobs[i] = (Traffic) {
                .smmu = b->smmu, .va = MEASURED_VA, .ssid = MEASURED_SSID,
                .first = i * HIT_PAGES / 2, .pages = HIT_PAGES / 2,
                .count = count,
            };
        }
        one[r] = run_traffic(jobs, 1);
        two[r] = run_traffic(jobs, 2);
    }
    if (COUNTED(b, walks) != walks) {
        g_error("hits that walk");
    }
    report(run, "hit", "1", one);
    report(run, "hit", "2", two);
}

/* Page after page, each once after an invalidation of nothing, which ends the front. */
static void measure_hits_of_tlb(Run *run)
{
    Bench *b = run->b;
    double samples[ROWS_SAMPLES_MAX];
    uint64_t walks;

    fill_measured(b);
    walks = COUNTED(b, walks);
    for (unsigned r = 0; r < run->repetitions; r++) {
        Traffic job = {
            .smmu = b->smmu, .va = MEASURED_VA, .ssid = MEASURED_SSID,
            .pages = MEASURED_PAGES, .count = MEASURED_PAGES,
        };

        bench_put_opcode(b, CMD_TLBI_EL2_ALL);
        bench_put_opcode(b, CMD_SYNC);
        bench_run_queue(b);
        samples[r] = run_traffic(&job, 1);
    }
    if (COUNTED(b, walks) != walks) {
        g_error("hits of the TLB that walk");
    }
    report(run, "hit, by the TLB", "1", samples);
}

/* Spread over more pages than the front has places: the TLB answers. */
static void measure_spread_hits(Run *run, const char *name, uint64_t va,
                                uint32_t ssid, uint64_t pages, uint64_t count)
{
    Bench *b = run->b;
    double samples[ROWS_SAMPLES_MAX];
    uint64_t walks;

    touch(b, va, ssid, pages);
    walks = COUNTED(b, walks);
    for (unsigned r = 0; r < run->repetitions; r++) {
        Traffic job = {
            .smmu = b->smmu, .va = va, .ssid = ssid, .pages = pages,
            .count = count, .scattered = true,
        };

        samples[r] = run_traffic(&job, 1);
    }
    /* Four ways cannot hold every choice of pages. */
    if ((COUNTED(b, walks) - walks) * 50 > count * run->repetitions) {
        g_error("%s: more than 2%% walk", name);
    }
    report(run, name, "1", samples);
}

/* ---- Misses ------------------------------------------------------------- */

static void forget(Bench *b, uint32_t asid)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ASID };

    smmu3_set(cmd, CMD_ASID, asid);
    bench_put_command(b, cmd);
    bench_put_opcode(b, CMD_SYNC);
    bench_run_queue(b);
}

/* Page after page, each once; half of them each, of two threads. */
static void measure_misses(Run *run)
{
    Bench *b = run->b;
    double one[ROWS_SAMPLES_MAX], two[ROWS_SAMPLES_MAX];
    uint64_t walks = COUNTED(b, walks);

    for (unsigned r = 0; r < run->repetitions; r++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            Traffic jobs[2];

            forget(b, MEASURED_SSID);
            for (unsigned i = 0; i < threads; i++) {
                jobs[i] = (Traffic) {
                    .smmu = b->smmu, .va = MEASURED_VA, .ssid = MEASURED_SSID,
                    .first = i * MEASURED_PAGES / threads,
                    .pages = MEASURED_PAGES / threads,
                    .count = MEASURED_PAGES / threads,
                };
            }
            *(threads == 1 ? &one[r] : &two[r]) = run_traffic(jobs, threads);
        }
    }
    if (COUNTED(b, walks) - walks !=
        UINT64_C(2) * MEASURED_PAGES * run->repetitions) {
        g_error("misses that do not walk");
    }
    report(run, "miss", "1", one);
    report(run, "miss", "2", two);
}

/* Where the descriptor of a page is, in words. */
static uint64_t find_leaf(const Bench *b, uint64_t va)
{
    uint64_t table = b->root;

    for (int level = 0; level < 3; level++) {
        unsigned shift = PAGE_LOG2 + (3 - level) * LEVEL_BITS;

        table = b->memory.words[table / 8 +
                                ((va >> shift) & smmu3_mask(LEVEL_BITS))] &
                ~smmu3_mask(PAGE_LOG2);
    }
    return table / 8 + ((va >> PAGE_LOG2) & smmu3_mask(LEVEL_BITS));
}

/* An order in which each page comes once, and none beside the one before. */
static uint64_t spread_page(const Bench *b, uint64_t i)
{
    return i * UINT64_C(0x9e3779b97f4a7c15) & (b->unrelated - 1);
}

/* One load of each leaf descriptor, the next only when the last has come. */
static double time_loads(const Bench *b, const uint64_t *leaves, uint64_t count)
{
    uint64_t start = bench_now_ns(), last = 0;

    for (uint64_t i = 0; i < count; i++) {
        /* Bit 63 of them is clear, which the compiler cannot know. */
        last = b->memory.words[leaves[i] + (last >> 63)];
    }
    if (!last) {
        g_error("a page that is not mapped");
    }
    return (double)(bench_now_ns() - start) / count;
}

/*
 * Misses spread over all unrelated pages, and in turns with them the one load
 * of each that no cache of upper levels can save.
 */
static void measure_spread_misses(Run *run)
{
    Bench *b = run->b;
    uint64_t count = MIN(b->unrelated, 1 << 14);
    double misses[ROWS_SAMPLES_MAX], loads[ROWS_SAMPLES_MAX];
    g_autofree uint64_t *leaves = g_new(uint64_t, count);

    for (unsigned r = 0; r < run->repetitions; r++) {
        uint64_t first = r * count, start, walks = COUNTED(b, walks);

        for (uint64_t i = 0; i < count; i++) {
            leaves[i] = find_leaf(b, UNRELATED_VA +
                                  (spread_page(b, first + i) << PAGE_LOG2));
        }
        forget(b, UNRELATED_SSID);
        fill_measured(b);
        start = bench_now_ns();
        for (uint64_t i = 0; i < count; i++) {
            Traffic job = {
                .smmu = b->smmu, .va = UNRELATED_VA, .ssid = UNRELATED_SSID,
                .first = spread_page(b, first + i), .pages = 1, .count = 1,
            };

            translate_all(&job);
        }
        misses[r] = (double)(bench_now_ns() - start) / count;
        if (COUNTED(b, walks) - walks < count) {
            g_error("misses that do not walk");
        }
        fill_measured(b);
        loads[r] = time_loads(b, leaves, count);
    }
    report(run, "miss, scattered over all entries", "1", misses);
    report(run, "the load that such a miss cannot save", "1", loads);
}

/* ---- All ---------------------------------------------------------------- */

static void measure(Run *run, uint64_t unrelated)
{
    Bench *b = run->b;
    uint64_t count = run->rows->quick ? 20000 : 1000000, lost;

    bench_bring_up(b, unrelated);
    fill_measured(b);
    fill_unrelated(b);
    lost = COUNTED(b, tlb_misses);
    fill_unrelated(b);
    lost = COUNTED(b, tlb_misses) - lost;
    fprintf(stderr, "  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
            " unrelated entries are cached\n", unrelated - lost, unrelated);

    measure_hits(run, count);
    measure_hits_of_tlb(run);
    measure_spread_hits(run, "hit, scattered over all entries", UNRELATED_VA,
                        UNRELATED_SSID, unrelated, count / 4);
    measure_misses(run);
    measure_spread_misses(run);
    fill_unrelated(b);
    measure_invalidations(run);
    bench_tear_down(b);
}

int main(int argc, char **argv)
{
    uint64_t sizes[] = { 1 << 10, 64 << 10, 1 << 20 };
    Rows rows = { 0 };
    Bench b = { 0 };
    Run run = { &b, &rows, 0 };

    rows_begin(&rows, "- measure the SMMU's core", &argc, &argv);
    run.repetitions = rows.repetitions ? rows.repetitions : rows.quick ? 1 : 15;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        measure(&run, sizes[i]);
    }
    return rows_end(&rows);
}
