/*
 * What the guest programs share: verdicts, kinds of memory, references for
 * the device's operations. Not the driver (libpasid.h).
 *
 * A program's lines go to /dev/kmsg, one write each, so that they come out of
 * the serial console whole and in order with the kernel's own; without
 * /dev/kmsg they go to standard output. The runner on the host reads
 *     guest: verdict: PASS NAME
 *     guest: verdict: FAIL NAME REASON
 * where NAME is the program's, or PROGRAM/CASE for one of its cases.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIBTEST_H
#define LIBTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libpasid.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/*
 * With SVA_POPULATE in the environment nobody serves the device's page faults:
 * populate_memory() then has all memory of this process present, now and later.
 * A child must call it, too; test_begin() does.
 */
bool memory_is_populated(void);
void populate_memory(void);

/*
 * This is a VM (SVA_VM in the environment): what a device says of physical
 * addresses is its hypervisor's.
 */
bool is_in_vm(void);

/* Say one line. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The program starts: @name is what its verdict is about. */
void test_begin(const char *name);

/*
 * A case of the program starts. Its verdict is given when the next one starts
 * or the program ends: PASS unless a check failed.
 */
void test_case(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something is wrong: the case and the program fail; the first few are said. */
void test_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Checks that failed in this case so far. */
unsigned test_failures(void);

/* Give the last verdicts; the program's exit status. */
int test_end(void);

/* Say why and end the program at once: for what the test cannot do without. */
void test_give_up(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* Fail unless @cond; the rest says what it means. Its value is @cond. */
#define CHECK(cond, ...) \
    ((cond) ? true : (test_fail(__VA_ARGS__), false))

/* Open a device (and its queue 0) or give up. */
void open_device(PasidDev *dev, unsigned uio);
void open_queue(PasidQueue *q, PasidDev *dev, unsigned index,
                unsigned entries_log2);

/*
 * Fail unless the job was completed (@ret 0) with @status; says what else it
 * was. @what names the job.
 */
bool check_status(int ret, const PasidDevCompletion *done, uint32_t status,
                  const char *what);
/* As above, refused at @addr after @progress bytes. */
bool check_refused(int ret, const PasidDevCompletion *done, bool write,
                   const void *addr, uint64_t progress, const char *what);

/*
 * A job that is not done within any test's time: it walks a list that is a
 * ring, for as many nodes as there may be. It ends when it is abandoned or
 * refused, so whatever comes while it runs comes in time.
 */
PasidDevDescriptor endless_job(void);

/* The device's counters of the administration page. */
typedef struct Counts {
    uint64_t jobs, bytes, stalls, retries, aborts, bounced;
} Counts;
Counts counts_now(const PasidDev *dev);
/* Differences since @before. */
Counts counts_since(const PasidDev *dev, const Counts *before);
/* Fail unless there were stalls, every one was retried and none refused. */
void check_stalled_and_resumed(const PasidDev *dev, const Counts *before);

/* Pages of [p, p + bytes) that are in memory, by mincore(). */
size_t pages_present(const void *p, size_t bytes);
/* Bytes of [p, p + bytes) backed by huge pages, from /proc/self/smaps. */
size_t huge_bytes(const void *p, size_t bytes);
size_t page_bytes(void);
/* A transparent huge page: what one entry above the pages maps, 2 MiB and up. */
size_t huge_page_bytes(void);

/* Kinds of memory a buffer can be made of. */
typedef enum MemoryKind {
    MEM_MALLOC,         /* the heap */
    MEM_ANON,           /* private anonymous mmap */
    MEM_SHARED,         /* shared anonymous mmap */
    MEM_FILE_SHARED,    /* shared mapping of a file on tmpfs */
    MEM_FILE_PRIVATE,   /* private mapping of one */
    MEM_STACK,          /* a thread-sized piece of the main stack */
    MEM_THP,            /* anonymous, aligned, MADV_HUGEPAGE */
    MEM_HUGETLB,        /* explicit huge pages of 2 MiB */
    MEM_KINDS
} MemoryKind;

typedef struct Buffer {
    MemoryKind kind;
    uint8_t *p;
    size_t bytes;
    void *base;         /* what to release */
    size_t base_bytes;
} Buffer;

const char *memory_name(MemoryKind kind);
/* Whether guests as small as ours have it: not so with huge pages of 512 MiB. */
bool memory_exists(MemoryKind kind);
/*
 * @bytes (up to 1 MiB for the stack) of memory nobody has touched: not one
 * page of it is present, except for the heap's first. Gives up without memory.
 */
Buffer buffer_new(MemoryKind kind, size_t bytes);
void buffer_free(Buffer *b);

/* Anonymous memory, or give up. */
void *map_anon(size_t bytes);
/* The same at @where exactly. */
void *map_anon_at(void *where, size_t bytes);

/* Repeatable pseudo-random bytes and numbers. */
void random_fill(void *p, size_t bytes, uint64_t seed);
uint64_t random_next(uint64_t *state);

/* A node of a list for the device to walk. */
typedef struct ListNode {
    uint64_t filler;
    struct ListNode *next;
    uint64_t value;
} ListNode;
/* Link @nodes in an order by chance, with values; nodes[0] is the first. */
uint64_t list_shuffle(ListNode **nodes, size_t n, uint64_t seed);

/* What the device should answer. CRC-32C as iSCSI and NVMe have it. */
uint32_t reference_crc32c(const void *p, size_t bytes);
uint64_t reference_sum(const void *p, size_t bytes);
/* First difference of two memories, or @bytes. */
size_t first_difference(const void *a, const void *b, size_t bytes);
/* First byte that differs from @value, or @bytes. */
size_t first_other(const void *p, uint8_t value, size_t bytes);

/*
 * Pass a word of state and, unless @fd is -1, an open file to whoever has the
 * other end of a socket pair; false if that fails.
 */
bool send_word(int socket, char word, int fd);
/* The word (0: there is none) and the file (-1: there is none). */
char receive_word(int socket, int *fd);

/*
 * A file that tells when a process's address space is gone, which may be after
 * the process: while a page fault is being served. Each of them has a duplicate.
 */
int space_mark_new(void);
/* The calling process's address space, and it alone, holds a lock of it. */
bool space_mark_hold(int mark);
/* Wait until no address space does. */
void space_mark_wait(int mark);

uint64_t now_us(void);
/* Write @text to a file of sysfs or procfs; false if that fails. */
bool write_file(const char *path, const char *text);
/* Read a number from one; -1 if that fails. */
long long read_number(const char *path);

#endif
