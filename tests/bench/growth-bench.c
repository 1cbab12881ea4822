/*
 * How the core's costs grow: an operation with one translation cached and with a
 * million, with one context and with 65,536, with one stall outstanding and with
 * 10,000, in queues of 128 entries and of 512k; and the memory that each takes.
 * Not a test. Called by tests/bench/run, or by hand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <malloc.h>
#include "rows.h"
#include "traffic.h"

enum {
    REPETITIONS = 7, BATCH = 64,
    /* Of 4M places at any number of entries: their number alone is to differ. */
    TLB_ENTRIES = 4 << 20,
    HITS = 100000,
};

/* One curve's point */
static void add_row(Rows *rows, const char *curve, const char *name, uint64_t n,
                    const double *samples)
{
    g_autofree char *at = g_strdup_printf("\"%s\": %" G_GUINT64_FORMAT, curve, n);

    rows_add(rows, name, at, "ns", samples, rows->repetitions);
}

/* Run the commands that are in the queue; what each took. */
static double time_commands(Bench *b, unsigned count)
{
    uint64_t start = bench_now_ns();

    bench_run_queue(b);
    return (double)(bench_now_ns() - start) / count;
}

static void put_tlbi(Bench *b, Smmu3Opcode opcode, uint32_t asid, uint64_t va)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { opcode };

    smmu3_set(cmd, CMD_ASID, asid);
    if (opcode == CMD_TLBI_NH_VA) {
        smmu3_set_addr(cmd, CMD_ADDR, va);
    }
    bench_put_command(b, cmd);
}

/* Have the commands before run to their end. */
static void sync(Bench *b)
{
    bench_put_opcode(b, CMD_SYNC);
    bench_run_queue(b);
}

/* ---- Cached translations ------------------------------------------------ */

static double time_traffic(Bench *b, uint64_t va, uint32_t ssid, uint64_t pages,
                           uint64_t count)
{
    Traffic job = { .smmu = b->smmu, .va = va, .ssid = ssid, .pages = pages,
                    .count = count, .scattered = true };

    return run_traffic(&job, 1);
}

static double time_misses(Bench *b)
{
    Traffic job = { .smmu = b->smmu, .va = MEASURED_VA, .ssid = MEASURED_SSID,
                    .pages = MEASURED_PAGES, .count = MEASURED_PAGES };

    put_tlbi(b, CMD_TLBI_NH_ASID, MEASURED_SSID, 0);
    sync(b);
    return run_traffic(&job, 1);
}

/* What is removed is cached; as much stays as is said. */
static double time_tlbi(Bench *b, Smmu3Opcode opcode)
{
    fill_measured(b);
    for (unsigned i = 0; i < 1024; i++) {
        put_tlbi(b, opcode, MEASURED_SSID,
                 MEASURED_VA + ((uint64_t)i << PAGE_LOG2));
    }
    return time_commands(b, 1024);
}

static void grow_translations(Rows *rows, uint64_t n)
{
    Bench b = { .tlb_entries = TLB_ENTRIES };
    double hit[REPETITIONS], miss[REPETITIONS], by_va[REPETITIONS],
           by_asid[REPETITIONS];

    bench_bring_up(&b, n);
    fill_unrelated(&b);
    for (int i = 0; i < rows->repetitions; i++) {
        hit[i] = time_traffic(&b, UNRELATED_VA, UNRELATED_SSID, n, HITS);
    }
    for (int i = 0; i < rows->repetitions; i++) {
        miss[i] = time_misses(&b);
        by_va[i] = time_tlbi(&b, CMD_TLBI_NH_VA);
        by_asid[i] = time_tlbi(&b, CMD_TLBI_NH_ASID);
    }
    add_row(rows, "translations", "hit, scattered", n, hit);
    add_row(rows, "translations", "miss", n, miss);
    add_row(rows, "translations", "TLBI_NH_VA", n, by_va);
    add_row(rows, "translations", "TLBI_NH_ASID", n, by_asid);
    bench_tear_down(&b);
}

/* ---- Contexts ----------------------------------------------------------- */

/* One translation for each context, @count times, out of order. */
static double time_contexts(Bench *b, uint64_t n, uint64_t count)
{
    const Traffic order = { .pages = n, .scattered = true };
    uint64_t start = bench_now_ns();

    for (uint64_t i = 0; i < count; i++) {
        Traffic job = {
            .smmu = b->smmu, .va = MEASURED_VA, .sid = CONTEXTS_SID,
            .ssid = 1 + traffic_page(&order, i), .pages = 1, .count = 1,
        };

        translate_all(&job);
    }
    return (double)(bench_now_ns() - start) / count;
}

/* Each context once, in turn: of those that are not cached any more. */
static double time_fetches(Bench *b, uint64_t n)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_CFGI_CD_ALL }, start;

    smmu3_set(cmd, CMD_STREAMID, CONTEXTS_SID);
    bench_put_command(b, cmd);
    sync(b);
    start = bench_now_ns();
    for (uint64_t i = 1; i <= n; i++) {
        Traffic job = { .smmu = b->smmu, .va = MEASURED_VA, .sid = CONTEXTS_SID,
                        .ssid = i, .pages = 1, .count = 1 };

        translate_all(&job);
    }
    return (double)(bench_now_ns() - start) / n;
}

static double time_cfgi_cd(Bench *b)
{
    for (unsigned i = 0; i < 1024; i++) {
        uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_CFGI_CD };

        smmu3_set(cmd, CMD_STREAMID, CONTEXTS_SID);
        smmu3_set(cmd, CMD_SUBSTREAMID, 1 + i % b->contexts);
        bench_put_command(b, cmd);
    }
    return time_commands(b, 1024);
}

static void grow_contexts(Rows *rows, uint64_t n)
{
    Bench b = { .contexts = n, .tlb_entries = TLB_ENTRIES };
    double hit[REPETITIONS], fetch[REPETITIONS], cfgi[REPETITIONS];

    bench_bring_up(&b, 1);
    time_fetches(&b, n);
    for (int i = 0; i < rows->repetitions; i++) {
        fetch[i] = time_fetches(&b, n);
        hit[i] = time_contexts(&b, n, HITS);
        cfgi[i] = time_cfgi_cd(&b);
    }
    add_row(rows, "contexts", "hit, any context", n, hit);
    add_row(rows, "contexts", "CD fetched", n, fetch);
    add_row(rows, "contexts", "CFGI_CD", n, cfgi);
    bench_tear_down(&b);
}

/* ---- Stalls ------------------------------------------------------------- */

/* An address of the cookie for each that may be outstanding */
static char cookies[10000 + BATCH];

static void stall(Bench *b, unsigned i)
{
    Smmu3Transaction t = {
        .sid = SID, .ssv = true, .ssid = STALLING_SSID, .addr = UNMAPPED_VA,
        .access = SMMU3_READ, .may_stall = true, .cookie = &cookies[i],
    };
    Smmu3Translation result;

    if (smmu3_translate(b->smmu, &t, &result) != SMMU3_STALLED) {
        g_error("stall %u does not stall", i);
    }
}

static double time_stalls(Bench *b, unsigned first)
{
    uint64_t start = bench_now_ns();

    for (unsigned i = 0; i < BATCH; i++) {
        stall(b, first + i);
    }
    return (double)(bench_now_ns() - start) / BATCH;
}

/* Software has read all records. */
static void consume_events(Bench *b)
{
    smmu3_mmio_write(b->smmu, SMMU3_EVENTQ_CONS,
                     smmu3_regs(b->smmu)->eventq.prod, 4);
}

/* The STAGs are those of the last records. */
static double time_resumes(Bench *b)
{
    uint32_t prod = smmu3_regs(b->smmu)->eventq.prod;
    uint64_t before = b->memory.resolved;

    for (unsigned i = 0; i < BATCH; i++) {
        uint32_t index = (prod - BATCH + i) & smmu3_mask(b->eventq_log2);
        const uint64_t *record =
            &b->memory.words[(b->eventq + index * SMMU3_EVENT_BYTES) / 8];
        uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_RESUME };

        smmu3_set(cmd, CMD_STREAMID, SID);
        smmu3_set(cmd, CMD_RESUME_STAG, smmu3_get(record, EVENT_STAG));
        bench_put_command(b, cmd);
    }
    uint64_t start = bench_now_ns();

    bench_run_queue(b);
    while (b->memory.resolved < before + BATCH) {
        smmu3_service(b->smmu);
    }
    return (double)(bench_now_ns() - start) / BATCH;
}

static double time_cancels(Bench *b, unsigned first)
{
    uint64_t start = bench_now_ns();

    for (unsigned i = 0; i < BATCH; i++) {
        smmu3_cancel(b->smmu, &cookies[first + i]);
    }
    return (double)(bench_now_ns() - start) / BATCH;
}

static void grow_stalls(Rows *rows, uint64_t n)
{
    Bench b = { .eventq_log2 = 17 };
    double come[REPETITIONS], resume[REPETITIONS], cancel[REPETITIONS];

    bench_bring_up(&b, 1);
    for (unsigned i = 0; i < n; i++) {
        stall(&b, i);
    }
    for (int i = 0; i < rows->repetitions; i++) {
        come[i] = time_stalls(&b, n);
        resume[i] = time_resumes(&b);
        time_stalls(&b, n);
        cancel[i] = time_cancels(&b, n);
        consume_events(&b);
    }
    add_row(rows, "stalls", "a stall comes", n, come);
    add_row(rows, "stalls", "RESUME", n, resume);
    add_row(rows, "stalls", "given up by the endpoint", n, cancel);
    bench_tear_down(&b);
}

/* ---- Queues ------------------------------------------------------------- */

/* A queue full of commands, by one doorbell */
static double time_full_queue(Bench *b)
{
    unsigned count = (1u << b->cmdq_log2) - 1;

    for (unsigned i = 0; i < count; i++) {
        put_tlbi(b, CMD_TLBI_NH_VA, MEASURED_SSID,
                 MEASURED_VA + ((uint64_t)(i % MEASURED_PAGES) << PAGE_LOG2));
    }
    return time_commands(b, count);
}

/* As many faults as there is room for records of */
static double time_events(Bench *b)
{
    unsigned count = (1u << b->eventq_log2) - 1;
    uint64_t start = bench_now_ns();

    for (unsigned i = 0; i < count; i++) {
        Smmu3Transaction t = {
            .sid = SID, .ssv = true, .ssid = MEASURED_SSID,
            .addr = UNMAPPED_VA, .access = SMMU3_READ,
        };
        Smmu3Translation result;

        if (smmu3_translate(b->smmu, &t, &result) == SMMU3_OK) {
            g_error("a fault that is none");
        }
    }
    start = bench_now_ns() - start;
    consume_events(b);
    return (double)start / count;
}

static void grow_queues(Rows *rows, unsigned log2)
{
    Bench b = { .cmdq_log2 = log2, .eventq_log2 = log2 };
    double command[REPETITIONS], event[REPETITIONS];

    bench_bring_up(&b, 1);
    time_full_queue(&b);
    time_events(&b);
    for (int i = 0; i < rows->repetitions; i++) {
        command[i] = time_full_queue(&b);
        event[i] = time_events(&b);
    }
    if (COUNTED(&b, events_lost)) {
        g_error("events that found no room");
    }
    add_row(rows, "queue entries", "a command", 1u << log2, command);
    add_row(rows, "queue entries", "a fault's event", 1u << log2, event);
    bench_tear_down(&b);
}

/* ---- Memory ------------------------------------------------------------- */

static double allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)info.uordblks + info.hblkhd;
}

static double size_of_smmu(size_t tlb_entries, size_t config_entries)
{
    Smmu3Options options = { .tlb_entries = tlb_entries,
                             .config_entries = config_entries };
    Smmu3Features features;
    Memory memory = { 0 };
    double before = allocated(), bytes;
    Smmu3 *s;

    smmu3_features_init(&features);
    s = smmu3_new(&features, &options, &bench_host_ops, &memory);
    bytes = allocated() - before;
    smmu3_free(s);
    return bytes;
}

static double size_of_stalls(unsigned n)
{
    Bench b = { .eventq_log2 = 17 };
    double before, bytes;

    bench_bring_up(&b, 1);
    before = allocated();
    for (unsigned i = 0; i < n; i++) {
        stall(&b, i);
    }
    bytes = allocated() - before;
    bench_tear_down(&b);
    return bytes;
}

static void measure_memory(Rows *rows)
{
    size_t more = 1 << 20;
    double usual = size_of_smmu(0, 0);
    const struct {
        const char *name;
        double bytes;
    } all[] = {
        { "an SMMU, as its properties are by default", usual },
        { "a place for a translation",
          (size_of_smmu(2 * more, 0) - size_of_smmu(more, 0)) / more },
        { "a place for a context",
          (size_of_smmu(0, 2 * more) - size_of_smmu(0, more)) / more },
        { "a stall", size_of_stalls(10000) / 10000 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        rows_add(rows, all[i].name, "", "bytes", &all[i].bytes, 1);
    }
}

int main(int argc, char **argv)
{
    Rows rows = { 0 };

    rows_begin(&rows, "- measure how the core's costs grow", &argc, &argv);
    rows.repetitions = rows.quick ? 1
        : rows.repetitions ? MIN(rows.repetitions, REPETITIONS) : REPETITIONS;
    for (uint64_t n = 1; n <= 1 << 20; n *= 4) {
        grow_translations(&rows, n);
    }
    for (uint64_t n = 1; n <= 1 << 16; n *= 4) {
        grow_contexts(&rows, n);
    }
    for (uint64_t n = 1; n <= 10000; n *= 10) {
        grow_stalls(&rows, n);
    }
    for (unsigned log2 = 7; log2 <= 19; log2 += 2) {
        grow_queues(&rows, log2);
    }
    measure_memory(&rows);
    return rows_end(&rows);
}
