/*
 * A guest that does wrong whatever it can with its SMMU and its device: random
 * words in stream table entries, context descriptors and commands, and jobs with
 * anybody's PASID at any address. It is for those below it to stay whole; nothing
 * that happens to this guest is a failure.
 *
 *   hostile ROUNDS [SEED]
 *
 * Wants /dev/mem, and /dev/uio0 for the device. The driver of the SMMU goes on
 * meanwhile, and will have its say in the kernel's log.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"
#include "spec.h"

#define REGISTERS 0x10000

static PasidDev dev;
static int mem_fd;
static volatile uint8_t *smmu;
static volatile uint64_t *commands;     /* the command queue's memory */
static uint64_t dice;

static uint32_t read_register(unsigned reg)
{
    return *(volatile uint32_t *)(smmu + reg);
}

static uint64_t read_register64(unsigned reg)
{
    return read_register(reg) | (uint64_t)read_register(reg + 4) << 32;
}

/* The page with @pa, or NULL; unlike a pointer it can be to anywhere. */
static uint64_t *map_page(uint64_t pa)
{
    void *p = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED,
                   mem_fd, (off_t)(pa & ~(uint64_t)(page_bytes() - 1)));

    return p == MAP_FAILED ? NULL : p;
}

static void unmap_page(uint64_t *p)
{
    munmap(p, page_bytes());
}

static uint64_t read_word(uint64_t pa)
{
    uint64_t *page = map_page(pa), word = 0;

    if (page) {
        word = page[pa % page_bytes() / 8];
        unmap_page(page);
    }
    return word;
}

static void write_words(uint64_t pa, const uint64_t *words, unsigned n)
{
    uint64_t *page = map_page(pa);

    for (unsigned i = 0; page && i < n; i++) {
        page[pa % page_bytes() / 8 + i] = words[i];
    }
    if (page) {
        unmap_page(page);
    }
}

static void find_smmu(void)
{
    FILE *f = fopen("/proc/iomem", "re");
    unsigned long long from = 0, to;
    char line[200];
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f)) {
        found = strstr(line, "arm-smmu-v3") &&
                sscanf(line, " %llx-%llx", &from, &to) == 2;
    }
    if (f) {
        fclose(f);
    }
    mem_fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    if (!found || mem_fd < 0) {
        test_give_up("no SMMU in /proc/iomem, or no /dev/mem");
    }
    smmu = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd,
                (off_t)from);
    if (smmu == MAP_FAILED) {
        test_give_up("registers of the SMMU: %s", strerror(errno));
    }
}

/* Once: to unmap something makes the driver use the queue itself. */
static void map_commands(void)
{
    uint64_t base = read_register64(SMMU3_CMDQ_BASE);
    unsigned log2 = (unsigned)smmu3_get(&base, QUEUE_BASE_LOG2SIZE);

    commands = mmap(NULL, (size_t)SMMU3_CMD_BYTES << log2,
                    PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd,
                    (off_t)smmu3_get_addr(&base, QUEUE_BASE_ADDR));
    if (commands == MAP_FAILED) {
        test_give_up("the command queue: %s", strerror(errno));
    }
}

/* Where the device's entry is; an address that is none is good for a try. */
static uint64_t stream_table_entry(unsigned sid)
{
    uint64_t base = read_register64(SMMU3_STRTAB_BASE);
    uint64_t config = read_register(SMMU3_STRTAB_BASE_CFG);
    uint64_t table = smmu3_get_addr(&base, STRTAB_BASE_ADDR);
    unsigned split = (unsigned)smmu3_get(&config, STRTAB_CFG_SPLIT);

    if (smmu3_get(&config, STRTAB_CFG_FMT)) {
        uint64_t l1 = read_word(table + (sid >> split) * SMMU3_L1STD_BYTES);

        table = smmu3_get_addr(&l1, L1STD_L2PTR);
        sid &= (1u << split) - 1;
    }
    return table + sid * SMMU3_STE_BYTES;
}

/* A random word, but more often one with few bits wrong. */
static uint64_t spoil(uint64_t word)
{
    uint64_t r = random_next(&dice);

    return r % 4 ? word ^ 1ull << (r >> 8) % 64 : random_next(&dice);
}

static void write_register(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(smmu + reg) = value;
}

/* Turn the command queue off, or on again, and wait until it is. */
static void enable_queue(bool on)
{
    uint64_t cr0 = read_register(SMMU3_CR0);
    uint64_t start = now_us();

    smmu3_set(&cr0, CR0_CMDQEN, on);
    write_register(SMMU3_CR0, (uint32_t)cr0);
    while (read_register(SMMU3_CR0ACK) != (uint32_t)cr0 &&
           now_us() - start < 10000) {
    }
}

/*
 * One command where the driver would put its next. Then the indices are what
 * they were: the driver has its own idea of them, and an index behind it would
 * have half a million old commands done once more, which only takes its time.
 */
static void submit_command(const uint64_t *command)
{
    uint64_t base = read_register64(SMMU3_CMDQ_BASE);
    uint32_t prod = read_register(SMMU3_CMDQ_PROD);
    unsigned log2 = (unsigned)smmu3_get(&base, QUEUE_BASE_LOG2SIZE);
    uint32_t slot = prod & ((1u << log2) - 1);
    uint32_t next = (prod + 1) & ((2u << log2) - 1);
    uint64_t start = now_us();

    for (unsigned i = 0; i < SMMU3_CMD_WORDS; i++) {
        commands[slot * SMMU3_CMD_WORDS + i] = command[i];
    }
    write_register(SMMU3_CMDQ_PROD, next);
    while (read_register(SMMU3_CMDQ_CONS) != next && now_us() - start < 1000) {
    }
    enable_queue(false);
    write_register(SMMU3_CMDQ_CONS, prod);
    write_register(SMMU3_CMDQ_PROD, prod);
    write_register(SMMU3_GERRORN, read_register(SMMU3_GERROR));
    enable_queue(true);
}

/* One word of the device's entry, or of a context descriptor, for a while. */
static void wrong_tables(unsigned sid)
{
    uint64_t ste = stream_table_entry(sid), where = ste;
    bool is_ste = random_next(&dice) % 2;
    uint64_t command[SMMU3_CMD_WORDS] = { 0, 1 };
    uint64_t first = read_word(ste), before, now;

    if (!is_ste) {
        where = smmu3_get_addr(&first, STE_S1CONTEXTPTR);
    }
    where += random_next(&dice) % SMMU3_STE_WORDS * 8;
    before = read_word(where);
    now = spoil(before);
    smmu3_set(command, CMD_OPCODE, is_ste ? CMD_CFGI_STE : CMD_CFGI_CD_ALL);
    smmu3_set(command, CMD_STREAMID, sid);

    write_words(where, &now, 1);
    submit_command(command);
    usleep(500);
    write_words(where, &before, 1);
    submit_command(command);
}

/* Mostly a command that there is, with operands that make no sense. */
static void wrong_command(unsigned sid)
{
    static const uint8_t opcodes[] = {
        CMD_PREFETCH_CONFIG, CMD_CFGI_STE, CMD_CFGI_STE_RANGE, CMD_CFGI_CD,
        CMD_CFGI_CD_ALL, CMD_TLBI_NH_ALL, CMD_TLBI_NH_ASID, CMD_TLBI_NH_VA,
        CMD_TLBI_NH_VAA, CMD_TLBI_NSNH_ALL, CMD_ATC_INV, CMD_SYNC,
    };
    uint64_t command[SMMU3_CMD_WORDS] = {
        random_next(&dice), random_next(&dice) };

    smmu3_set(command, CMD_OPCODE, random_next(&dice) % 4
              ? opcodes[random_next(&dice) % (sizeof(opcodes) / sizeof(*opcodes))]
              : random_next(&dice) % 0x50);
    if (random_next(&dice) % 2) {
        smmu3_set(command, CMD_STREAMID, sid);
    }
    submit_command(command);
}

/* By anybody's PASID to anywhere; nobody waits for it. */
static void wrong_job(void)
{
    unsigned index = (unsigned)(random_next(&dice) % dev.queues);
    PasidQueue q;
    PasidDevDescriptor job = {
        .op = (uint8_t)(random_next(&dice) % 16),
        .src = random_next(&dice) >> random_next(&dice) % 64,
        .dst = random_next(&dice) >> random_next(&dice) % 64,
        .len = random_next(&dice) % (64 * KIB),
    };
    uint32_t pasid = random_next(&dice) % 2
        ? dev.pasid : (uint32_t)(random_next(&dice) % 64);

    if (!pasid_queue_open_as(&q, &dev, index, 2, pasid)) {
        pasid_queue_submit(&q, &job);
        usleep(200);
        pasid_queue_close(&q);
    }
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
    unsigned slot, function, sid;

    dice = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
    test_begin("hostile");
    open_device(&dev, 0);
    find_smmu();
    map_commands();
    if (sscanf(dev.bdf, "%*x:%*x:%x.%x", &slot, &function) != 2) {
        test_give_up("%s has no number", dev.bdf);
    }
    sid = slot << 3 | function;
    say("hostile: stream %u, entry at %#llx", sid,
        (unsigned long long)stream_table_entry(sid));
    for (unsigned i = 0; i < rounds; i++) {
        switch (random_next(&dice) % 4) {
        case 0:
            wrong_tables(sid);
            break;
        case 1:
            wrong_command(sid);
            break;
        default:
            wrong_job();
        }
    }
    say("hostile: %u rounds", rounds);
    return test_end();
}
