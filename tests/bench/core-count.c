/*
 * Operations of the core for callgrind to count: everything that is counted is
 * within counted(). Neither a measurement nor a test by itself. Called by
 * counts-bench, which runs it under valgrind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include "traffic.h"

enum { COUNT = 4096 };

typedef struct Case {
    const char *name;
    Traffic traffic;            /* of no pages: commands */
    Smmu3Opcode opcode;
    unsigned pages;
    bool misses;                /* nothing of it is cached */
    bool by_tlb;                /* it is, but not in the front */
} Case;

static const Case cases[] = {
    { "hit", { .pages = HIT_PAGES } },
    { "hit, by the TLB", { .pages = MEASURED_PAGES }, .by_tlb = true },
    { "miss", { .pages = MEASURED_PAGES }, .misses = true },
    { "TLBI_NH_VA", .opcode = CMD_TLBI_NH_VA, .pages = 1 },
    { "TLBI_NH_VA, 32 pages", .opcode = CMD_TLBI_NH_VA, .pages = RANGE_PAGES },
    { "TLBI_NH_VAA", .opcode = CMD_TLBI_NH_VAA, .pages = 1 },
    { "TLBI_NH_ASID", .opcode = CMD_TLBI_NH_ASID },
    { "CFGI_CD", .opcode = CMD_CFGI_CD },
};

/* The name is what valgrind is told. */
void counted(Bench *b, const Traffic *traffic);

__attribute__((noinline)) void counted(Bench *b, const Traffic *traffic)
{
    if (traffic->pages) {
        translate_all(traffic);
    } else {
        bench_run_queue(b);
    }
}

static void put(Bench *b, const Case *one, unsigned i)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { one->opcode };

    if (one->opcode == CMD_CFGI_CD) {
        smmu3_set(cmd, CMD_STREAMID, SID);
        smmu3_set(cmd, CMD_SUBSTREAMID, MEASURED_SSID);
    } else if (one->opcode != CMD_TLBI_NH_VAA) {
        smmu3_set(cmd, CMD_ASID, MEASURED_SSID);
    }
    if (one->pages) {
        smmu3_set_addr(cmd, CMD_ADDR, MEASURED_VA +
                       ((uint64_t)i * one->pages % MEASURED_PAGES << PAGE_LOG2));
    }
    if (one->pages > 1) {
        smmu3_set(cmd, CMD_TLBI_TG, 1);
        smmu3_set(cmd, CMD_TLBI_NUM, one->pages - 1);
    }
    bench_put_command(b, cmd);
}

int main(int argc, char **argv)
{
    unsigned chosen = argc == 2 ? (unsigned)atoi(argv[1])
                                : G_N_ELEMENTS(cases);
    Bench b = { .cmdq_log2 = 13 };
    Traffic traffic;

    if (chosen >= G_N_ELEMENTS(cases)) {
        /* Which there are, and how many operations each is */
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_print("%u %s\n", COUNT, cases[i].name);
        }
        return 0;
    }
    bench_bring_up(&b, 1);
    traffic = cases[chosen].traffic;
    traffic.smmu = b.smmu;
    traffic.va = MEASURED_VA;
    traffic.ssid = MEASURED_SSID;
    traffic.count = COUNT;
    /* What comes a third time is as it will stay. */
    for (int i = 0; i < 3; i++) {
        touch(&b, MEASURED_VA, MEASURED_SSID,
              traffic.pages ? traffic.pages : MEASURED_PAGES);
    }
    if (cases[chosen].by_tlb) {
        /* Nothing there has its world, but it ends the front. */
        put(&b, &(Case) { .opcode = CMD_TLBI_EL2_ALL }, 0);
        bench_run_queue(&b);
    }
    if (cases[chosen].misses) {
        put(&b, &(Case) { .opcode = CMD_TLBI_NH_ASID }, 0);
        bench_run_queue(&b);
    }
    for (unsigned i = 0; !traffic.pages && i < COUNT; i++) {
        put(&b, &cases[chosen], i);
    }
    counted(&b, &traffic);
    bench_tear_down(&b);
    return 0;
}
