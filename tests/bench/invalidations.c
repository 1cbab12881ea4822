/*
 * See invalidations.h. A batch is timed from the doorbell to the last command
 * consumed, with the CMD_SYNC at its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "invalidations.h"
#include <pthread.h>

/* What is gone after a command, and was cached before it */
typedef enum Removes {
    NOTHING_HERE,               /* the rig has nothing of that world */
    STAGE1, STAGE2, CONFIG,
} Removes;

typedef struct Invalidation {
    const char *name;
    Smmu3Opcode opcode;
    Removes removes;
    unsigned pages;             /* by address: covered by one command */
    bool takes_unrelated;       /* all entries of stage 1 */
} Invalidation;

static const Invalidation invalidations[] = {
    { "TLBI_NH_VA", CMD_TLBI_NH_VA, STAGE1, 1 },
    { "TLBI_NH_VA, 32 pages", CMD_TLBI_NH_VA, STAGE1, RANGE_PAGES },
    { "TLBI_NH_VAA", CMD_TLBI_NH_VAA, STAGE1, 1 },
    { "TLBI_NH_VAA, 32 pages", CMD_TLBI_NH_VAA, STAGE1, RANGE_PAGES },
    { "TLBI_NH_ASID", CMD_TLBI_NH_ASID, STAGE1 },
    { "TLBI_S2_IPA", CMD_TLBI_S2_IPA, STAGE2, 1 },
    { "TLBI_S2_IPA, 32 pages", CMD_TLBI_S2_IPA, STAGE2, RANGE_PAGES },
    { "TLBI_EL2_VA", CMD_TLBI_EL2_VA, NOTHING_HERE, 1 },
    { "TLBI_EL2_VAA", CMD_TLBI_EL2_VAA, NOTHING_HERE, 1 },
    { "TLBI_EL2_ASID", CMD_TLBI_EL2_ASID, NOTHING_HERE },
    { "TLBI_EL2_ALL", CMD_TLBI_EL2_ALL, NOTHING_HERE },
    { "CFGI_CD", CMD_CFGI_CD, CONFIG },
    { "CFGI_CD_ALL", CMD_CFGI_CD_ALL, CONFIG },
    { "CFGI_STE", CMD_CFGI_STE, CONFIG },
    { "CFGI_STE_RANGE, 32 streams", CMD_CFGI_STE_RANGE, CONFIG },
    { "CFGI_ALL", CMD_CFGI_STE_RANGE, CONFIG },
    { "TLBI_NH_ALL", CMD_TLBI_NH_ALL, STAGE1, .takes_unrelated = true },
    { "TLBI_S12_VMALL", CMD_TLBI_S12_VMALL, STAGE2 },
    { "TLBI_NSNH_ALL", CMD_TLBI_NSNH_ALL, STAGE1, .takes_unrelated = true },
};

static unsigned commands_of(const Invalidation *inv)
{
    return inv->pages > 1 ? MEASURED_PAGES / inv->pages : 1024;
}

static void set_operands(uint64_t cmd[SMMU3_CMD_WORDS],
                         const Invalidation *inv)
{
    switch (inv->opcode) {
    case CMD_TLBI_NH_VA:
    case CMD_TLBI_NH_ASID:
    case CMD_TLBI_EL2_VA:
    case CMD_TLBI_EL2_ASID:
        smmu3_set(cmd, CMD_ASID, MEASURED_SSID);
        break;
    case CMD_TLBI_S2_IPA:
    case CMD_TLBI_S12_VMALL:
        smmu3_set(cmd, CMD_VMID, S2_VMID);
        break;
    case CMD_CFGI_CD:
        smmu3_set(cmd, CMD_SUBSTREAMID, MEASURED_SSID);
        smmu3_set(cmd, CMD_STREAMID, SID);
        break;
    case CMD_CFGI_CD_ALL:
    case CMD_CFGI_STE:
        smmu3_set(cmd, CMD_STREAMID, SID);
        break;
    case CMD_CFGI_STE_RANGE:
        smmu3_set(cmd, CMD_CFGI_RANGE, g_str_equal(inv->name, "CFGI_ALL")
                                       ? CMD_CFGI_RANGE_ALL : 4);
        break;
    default:
        break;
    }
}

static void put_invalidation(Bench *b, const Invalidation *inv, unsigned i)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { inv->opcode };

    set_operands(cmd, inv);
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

/* Have cached what the commands remove. */
static void prepare(Bench *b, const Invalidation *inv, bool with_unrelated)
{
    fill_measured(b);
    if (inv->removes == STAGE2) {
        fill_stage2(b);
    }
    if (inv->takes_unrelated && with_unrelated) {
        fill_unrelated(b);
        /* The walks left the host's caches without the code of commands. */
        for (unsigned i = 0; i < 64; i++) {
            put_invalidation(b, &(Invalidation) { .opcode = CMD_TLBI_S2_IPA,
                                                  .pages = 1 }, i);
        }
        bench_run_queue(b);
    }
}

/* An error if what was to be removed is still there. */
static void check_removed(Bench *b, const Invalidation *inv)
{
    bool config = inv->removes == CONFIG;
    uint64_t before = config ? COUNTED(b, config_misses)
                             : COUNTED(b, tlb_misses);
    Traffic job = {
        .smmu = b->smmu, .va = MEASURED_VA, .pages = 1, .count = 1,
        .sid = inv->removes == STAGE2 ? S2_SID : SID,
        .ssid = inv->removes == STAGE2 ? 0 : MEASURED_SSID,
    };

    if (inv->removes == NOTHING_HERE) {
        return;
    }
    translate_all(&job);
    if ((config ? COUNTED(b, config_misses) : COUNTED(b, tlb_misses)) ==
        before) {
        g_error("%s: what it names is still there", inv->name);
    }
}

/* Translates until told to stop, while the other thread invalidates. */
typedef struct Noise {
    Traffic job;
    pthread_t thread;
    _Atomic bool is_under_way, stop;
} Noise;

static void *noise_thread(void *opaque)
{
    Noise *noise = opaque;

    while (!atomic_load_explicit(&noise->stop, memory_order_relaxed)) {
        translate_all(&noise->job);
        atomic_store(&noise->is_under_way, true);
    }
    return NULL;
}

static void start_noise(Noise *noise, Bench *b)
{
    int error;

    noise->job = (Traffic) {
        .smmu = b->smmu, .va = UNRELATED_VA, .ssid = UNRELATED_SSID,
        .pages = HIT_PAGES, .count = 1024,
    };
    noise->is_under_way = noise->stop = false;
    error = pthread_create(&noise->thread, NULL, noise_thread, noise);
    if (error) {
        g_error("no thread: %s", g_strerror(error));
    }
    while (!atomic_load(&noise->is_under_way)) {
        /* nothing */
    }
}

static void stop_noise(Noise *noise)
{
    atomic_store(&noise->stop, true);
    pthread_join(noise->thread, NULL);
}

static double time_batch(Bench *b, const Invalidation *inv)
{
    unsigned commands = commands_of(inv);
    uint64_t start;

    for (unsigned i = 0; i < commands; i++) {
        put_invalidation(b, inv, i);
    }
    bench_put_opcode(b, CMD_SYNC);
    start = bench_now_ns();
    bench_run_queue(b);
    return (double)(bench_now_ns() - start) / commands;
}

/*
 * Alone and beside a thread that translates, in turns. That thread is under way
 * when the batch begins, or there would be nothing beside it.
 */
static void measure(Run *run, const Invalidation *inv)
{
    unsigned n = run->repetitions;
    double alone[ROWS_SAMPLES_MAX], beside[ROWS_SAMPLES_MAX];
    Noise noise;

    for (unsigned r = 0; r < n; r++) {
        prepare(run->b, inv, true);
        alone[r] = time_batch(run->b, inv);
        check_removed(run->b, inv);
        prepare(run->b, inv, true);
        start_noise(&noise, run->b);
        beside[r] = time_batch(run->b, inv);
        stop_noise(&noise);
    }
    report(run, inv->name, "1", alone);
    report(run, inv->name, "\"1, one translates\"", beside);
}

void measure_invalidations(Run *run)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(invalidations); i++) {
        Run fewer = *run;

        if (invalidations[i].takes_unrelated) {
            fewer.repetitions = MIN(run->repetitions, 5);
        }
        measure(&fewer, &invalidations[i]);
    }
}
