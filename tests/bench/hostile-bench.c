/*
 * What a guest can make the core cost that tries to: the longest that one
 * register write or one bottom half takes, and all of it together, for floods
 * of commands, of stalls that end and of page requests. In processor time of
 * the thread, so that what else the machine does is left out. Not a test: it
 * asserts no time. Called by tests/bench/run, or by hand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "bench-rig.h"
#include "rows.h"

enum { FLOOD_LOG2 = 19, STALLS = 65535 + 65536, CACHED = 65536 };

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* What a case took. */
typedef struct Cost {
    uint64_t worst, total, calls;
} Cost;

static void add_call(Cost *cost, uint64_t ns)
{
    cost->worst = MAX(cost->worst, ns);
    cost->total += ns;
    cost->calls++;
}

static void write_register(Bench *b, Cost *cost, uint64_t offset,
                           uint32_t value)
{
    uint64_t start = cpu_ns();

    smmu3_mmio_write(b->smmu, offset, value, 4);
    add_call(cost, cpu_ns() - start);
}

static void serve(Bench *b, Cost *cost)
{
    uint64_t start = cpu_ns();

    smmu3_service(b->smmu);
    add_call(cost, cpu_ns() - start);
}

/* ---- Floods of commands ------------------------------------------------- */

static bool queue_done(Bench *b)
{
    uint32_t mask = smmu3_mask(b->cmdq_log2 + 1);

    return ((smmu3_regs(b->smmu)->cmdq.cons ^ b->prod) & mask) == 0;
}

static void access_page(Bench *b, uint32_t sid, uint32_t ssid, uint64_t va)
{
    Smmu3Transaction t = {
        .sid = sid, .ssv = ssid != 0, .ssid = ssid, .addr = va,
        .access = SMMU3_READ,
    };
    Smmu3Translation result;

    if (smmu3_translate(b->smmu, &t, &result) != SMMU3_OK) {
        g_error("0x%" G_GINT64_MODIFIER "x does not translate", va);
    }
}

/* All places taken, by both stages' entries. */
static void fill(Bench *b)
{
    for (uint64_t i = 0; i < b->unrelated; i++) {
        access_page(b, SID, UNRELATED_SSID, UNRELATED_VA + (i << PAGE_LOG2));
    }
    for (uint64_t i = 0; i < MEASURED_PAGES; i++) {
        access_page(b, SID, MEASURED_SSID, MEASURED_VA + (i << PAGE_LOG2));
        access_page(b, S2_SID, 0, MEASURED_VA + (i << PAGE_LOG2));
    }
}

typedef struct Flood {
    const char *name;
    Smmu3Opcode opcode, then;   /* @then: of every other command; or 0 */
    unsigned num, scale;        /* a range of (num + 1) << scale pages */
    uint64_t word1;             /* further bits */
} Flood;

static const Flood floods[] = {
    { "TLBI_NH_VA, 1 page", CMD_TLBI_NH_VA },
    { "TLBI_NH_VA, 64 pages", CMD_TLBI_NH_VA, .num = 1, .scale = 5 },
    { "TLBI_NH_VA, 128 pages", CMD_TLBI_NH_VA, .num = 3, .scale = 5 },
    { "TLBI_NH_VA, 256 pages", CMD_TLBI_NH_VA, .num = 7, .scale = 5 },
    { "TLBI_NH_VA, 16 MiB", CMD_TLBI_NH_VA, .num = 15, .scale = 8 },
    { "TLBI_NH_VAA, 1 page", CMD_TLBI_NH_VAA },
    { "TLBI_NH_VAA, 480 MiB", CMD_TLBI_NH_VAA, .num = 29, .scale = 12 },
    { "TLBI_S2_IPA, 128 pages", CMD_TLBI_S2_IPA, .num = 3, .scale = 5 },
    { "TLBI_S2_IPA, 480 MiB", CMD_TLBI_S2_IPA, .num = 29, .scale = 12 },
    { "TLBI_NSNH_ALL and SYNC", CMD_TLBI_NSNH_ALL, CMD_SYNC },
    { "CFGI_STE_RANGE, 32 streams", CMD_CFGI_STE_RANGE, .word1 = 4 },
    { "CFGI_STE_RANGE, 2048 streams", CMD_CFGI_STE_RANGE, .word1 = 10 },
    { "ATC_INV", CMD_ATC_INV },
    { "ATC_INV and SYNC", CMD_ATC_INV, CMD_SYNC },
    { "PRI_RESP", CMD_PRI_RESPONSE, .word1 = 2 << 12 },
    { "SYNC with MSI", CMD_SYNC, .word1 = 0x1000 },
    { "RESUME of nothing", CMD_RESUME },
};

static void put_flood(Bench *b, const Flood *flood, unsigned i)
{
    bool second = flood->then && i % 2;
    uint64_t cmd[SMMU3_CMD_WORDS] = { second ? flood->then : flood->opcode };

    if (!second) {
        cmd[1] = flood->word1;
        switch (flood->opcode) {
        case CMD_SYNC:
            smmu3_set(cmd, CMD_SYNC_CS, CMD_SYNC_CS_IRQ);
            break;
        case CMD_TLBI_NH_VA:
        case CMD_TLBI_NH_VAA:
        case CMD_TLBI_S2_IPA:
            smmu3_set(cmd, CMD_VMID, flood->opcode == CMD_TLBI_S2_IPA);
            smmu3_set(cmd, CMD_ASID, flood->opcode == CMD_TLBI_NH_VA
                                     ? MEASURED_SSID : 0);
            smmu3_set_addr(cmd, CMD_ADDR, MEASURED_VA);
            if (flood->scale) {
                smmu3_set(cmd, CMD_TLBI_TG, 1);
                smmu3_set(cmd, CMD_TLBI_NUM, flood->num);
                smmu3_set(cmd, CMD_TLBI_SCALE, flood->scale);
            }
            break;
        default:
            break;
        }
    }
    bench_put_command(b, cmd);
}

static Cost run_flood(Bench *b, const void *opaque)
{
    const Flood *flood = opaque;
    unsigned commands = (1u << b->cmdq_log2) - 1;
    Cost cost = { 0 };

    fill(b);
    for (unsigned i = 0; i < commands; i++) {
        put_flood(b, flood, i);
    }
    write_register(b, &cost, SMMU3_CMDQ_PROD, b->prod);
    while (!queue_done(b)) {
        if (smmu3_regs(b->smmu)->gerror) {
            g_error("%s: the SMMU refuses a command", flood->name);
        }
        serve(b, &cost);
    }
    return cost;
}

/* ---- Stalls and page requests ------------------------------------------- */

static char cookies[STALLS];

static void stall(Bench *b, unsigned i)
{
    Smmu3Transaction t = {
        .sid = SID, .ssv = true, .ssid = STALLING_SSID,
        .addr = UNMAPPED_VA, .access = SMMU3_READ, .may_stall = true,
        .cookie = &cookies[i],
    };
    Smmu3Translation result;

    if (smmu3_translate(b->smmu, &t, &result) != SMMU3_STALLED) {
        g_error("stall %u does not stall", i);
    }
}

static void stall_many(Bench *b)
{
    for (unsigned i = 0; i < STALLS; i++) {
        stall(b, i);
    }
}

/* Each is a call, of the endpoint's. */
static Cost run_stalls(Bench *b, const void *opaque)
{
    Cost cost = { 0 };

    (void)opaque;
    for (unsigned i = 0; i < STALLS; i++) {
        uint64_t start = cpu_ns();

        stall(b, i);
        add_call(&cost, cpu_ns() - start);
    }
    return cost;
}

/* ... and gives each of them up, as endpoints do when they are reset. */
static Cost run_cancel(Bench *b, const void *opaque)
{
    Cost cost = { 0 };

    (void)opaque;
    stall_many(b);
    for (unsigned i = 0; i < STALLS; i++) {
        uint64_t start = cpu_ns();

        smmu3_cancel(b->smmu, &cookies[i]);
        add_call(&cost, cpu_ns() - start);
    }
    return cost;
}

static void serve_until_resolved(Bench *b, Cost *cost, uint64_t count)
{
    while (b->memory.resolved < count) {
        serve(b, cost);
    }
}

/* As many as there may be, half of them recorded; ended by STALL_TERM. */
static Cost run_stall_term(Bench *b, const void *opaque)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_STALL_TERM }, before;
    Cost cost = { 0 };

    (void)opaque;
    stall_many(b);
    before = b->memory.resolved;
    smmu3_set(cmd, CMD_STREAMID, SID);
    bench_put_command(b, cmd);
    write_register(b, &cost, SMMU3_CMDQ_PROD, b->prod);
    serve_until_resolved(b, &cost, before + STALLS);
    return cost;
}

/* ... by SMMUEN=0, which is set again and cleared as fast as can be. */
static Cost run_disable(Bench *b, const void *opaque)
{
    uint32_t cr0 = smmu3_regs(b->smmu)->cr0;
    Cost cost = { 0 };

    (void)opaque;
    stall_many(b);
    for (uint64_t before = b->memory.resolved;
         b->memory.resolved < before + STALLS; ) {
        write_register(b, &cost, SMMU3_CR0,
                       cr0 & ~smmu3_field_mask(CR0_SMMUEN));
        write_register(b, &cost, SMMU3_CR0, cr0);
    }
    return cost;
}

/* Half of them are retried by a CMD_SYNC, for they have no record. */
static Cost run_sync_retry(Bench *b, const void *opaque)
{
    uint64_t before;
    Cost cost = { 0 };

    (void)opaque;
    stall_many(b);
    before = b->memory.resolved;
    bench_put_opcode(b, CMD_TLBI_NSNH_ALL);
    bench_put_opcode(b, CMD_SYNC);
    write_register(b, &cost, SMMU3_CMDQ_PROD, b->prod);
    serve_until_resolved(b, &cost, before + STALLS - 65535);
    return cost;
}

/* Each RESUME frees a STAG, and the record of the next stall is written. */
static Cost run_resume(Bench *b, const void *opaque)
{
    uint64_t before;
    Cost cost = { 0 };

    (void)opaque;
    stall_many(b);
    before = b->memory.resolved;
    for (unsigned i = 0; i < 65535; i++) {
        uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_RESUME };

        smmu3_set(cmd, CMD_STREAMID, SID);
        smmu3_set(cmd, CMD_RESUME_STAG, i);
        bench_put_command(b, cmd);
    }
    write_register(b, &cost, SMMU3_CMDQ_PROD, b->prod);
    serve_until_resolved(b, &cost, before + 65535);
    return cost;
}

/* Requests that nobody takes, and that are therefore answered at once. */
static Cost run_page_requests(Bench *b, const void *opaque)
{
    uint64_t before = b->memory.responses;
    Cost cost = { 0 };

    (void)opaque;
    for (unsigned i = 0; i < STALLS; i++) {
        smmu3_page_request(b->smmu, &(Smmu3PageRequest) {
            .sid = SID, .read = true, .last = true,
        });
    }
    while (b->memory.responses < before + STALLS) {
        serve(b, &cost);
    }
    return cost;
}

typedef struct Case {
    const char *name;
    Cost (*run)(Bench *b, const void *opaque);
} Case;

static const Case cases[] = {
    { "131071 stalls come", run_stalls },
    { "131071 stalls cancelled", run_cancel },
    { "STALL_TERM, 131071 stalls", run_stall_term },
    { "SMMUEN toggled, 131071 stalls", run_disable },
    { "SYNC retries 65536 stalls", run_sync_retry },
    { "RESUME, 65535 of 131071 stalls", run_resume },
    { "131071 page requests answered", run_page_requests },
};

/* ---- Results ------------------------------------------------------------ */

/* The best of several runs counts; their samples are in the file. */
static void measure(Rows *rows, const char *name,
                    Cost (*run)(Bench *, const void *), const void *opaque)
{
    unsigned n = rows->repetitions;
    g_autofree double *worst = g_new(double, n), *total = g_new(double, n);
    double calls = 0;

    for (unsigned r = 0; r < n; r++) {
        Bench fresh = { .cmdq_log2 = rows->quick ? 16 : FLOOD_LOG2,
                        .eventq_log2 = 17 };
        Cost cost;

        bench_bring_up(&fresh, CACHED);
        cost = run(&fresh, opaque);
        bench_tear_down(&fresh);
        worst[r] = cost.worst;
        total[r] = cost.total;
        calls = cost.calls;
    }
    rows_add(rows, name, "\"figure\": \"longest call\"", "ns", worst, n);
    rows_add(rows, name, "\"figure\": \"all calls\"", "ns", total, n);
    rows_add(rows, name, "\"figure\": \"calls\"", "", &calls, 1);
}

int main(int argc, char **argv)
{
    Rows rows = { 0 };

    rows_begin(&rows, "- measure what a hostile guest costs", &argc, &argv);
    rows.repetitions = rows.repetitions ? rows.repetitions : rows.quick ? 1 : 3;
    for (unsigned i = 0; i < G_N_ELEMENTS(floods); i++) {
        measure(&rows, floods[i].name, run_flood, &floods[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        measure(&rows, cases[i].name, cases[i].run, NULL);
    }
    return rows_end(&rows);
}
