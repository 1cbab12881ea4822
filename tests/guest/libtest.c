/*
 * What the guest programs share: see libtest.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libtest.h"

/* There is this size with pages of 4, 16 and 64 KiB. */
#define HUGETLB_BYTES (2 * MIB)
/* Enough to see what is wrong, not enough to drown the log. */
#define FAILURES_SAID 5

static const char *program = "program";
static char this_case[96];
static unsigned case_failures, program_failures, cases_failed;
static char first_reason[256];

static void say_line(const char *text)
{
    static int log_fd = -2;
    char line[600];
    int n;

    if (log_fd == -2) {
        log_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    }
    n = snprintf(line, sizeof(line), "guest: %s\n", text);
    if (n >= (int)sizeof(line)) {
        n = sizeof(line) - 1;
        line[n - 1] = '\n';
    }
    if (write(log_fd >= 0 ? log_fd : STDOUT_FILENO, line, (size_t)n) < 0) {
        /* Nobody left to tell. */
        _exit(99);
    }
}

void say(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say_line(text);
}

static void end_case(void)
{
    if (!this_case[0]) {
        return;
    }
    if (case_failures) {
        say("verdict: FAIL %s/%s %s", program, this_case, first_reason);
        cases_failed++;
    } else {
        say("verdict: PASS %s/%s", program, this_case);
    }
    this_case[0] = 0;
    case_failures = 0;
}

bool memory_is_populated(void)
{
    return getenv("SVA_POPULATE") != NULL;
}

bool is_in_vm(void)
{
    return getenv("SVA_VM") != NULL;
}

void populate_memory(void)
{
    if (memory_is_populated() && mlockall(MCL_CURRENT | MCL_FUTURE)) {
        test_give_up("mlockall: %s", strerror(errno));
    }
}

void test_begin(const char *name)
{
    program = name;
    populate_memory();
}

void test_case(const char *format, ...)
{
    va_list args;

    end_case();
    va_start(args, format);
    vsnprintf(this_case, sizeof(this_case), format, args);
    va_end(args);
}

void test_fail(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!case_failures) {
        memcpy(first_reason, text, sizeof(first_reason));
    }
    case_failures++;
    program_failures++;
    if (case_failures <= FAILURES_SAID) {
        say("check failed: %s%s%s: %s", program, this_case[0] ? "/" : "",
            this_case, text);
    }
}

unsigned test_failures(void)
{
    return case_failures;
}

int test_end(void)
{
    char last[sizeof(first_reason)];

    memcpy(last, first_reason, sizeof(last));
    end_case();
    if (program_failures) {
        say("verdict: FAIL %s %u checks failed in %u cases: %s", program,
            program_failures, cases_failed, last);
        return 1;
    }
    say("verdict: PASS %s", program);
    return 0;
}

void test_give_up(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    test_fail("%s", text);
    exit(test_end());
}

void open_device(PasidDev *dev, unsigned uio)
{
    int ret = pasid_dev_open(dev, uio);

    if (ret) {
        test_give_up("/dev/uio%u: %s", uio, strerror(-ret));
    }
}

void open_queue(PasidQueue *q, PasidDev *dev, unsigned index,
                unsigned entries_log2)
{
    int ret = pasid_queue_open(q, dev, index, entries_log2);

    if (ret) {
        test_give_up("queue %u of %s: %s", index, dev->bdf, strerror(-ret));
    }
}

bool check_status(int ret, const PasidDevCompletion *done, uint32_t status,
                  const char *what)
{
    if (ret) {
        test_fail("%s: %s", what, strerror(-ret));
        return false;
    }
    if (done->status != status) {
        test_fail("%s: %s instead of %s, progress %llu, address %#llx", what,
                  pasid_status_name(done->status), pasid_status_name(status),
                  (unsigned long long)done->progress,
                  (unsigned long long)done->fault_addr);
        return false;
    }
    return true;
}

bool check_refused(int ret, const PasidDevCompletion *done, bool write,
                   const void *addr, uint64_t progress, const char *what)
{
    uint32_t status = write ? PASID_DEV_DONE_FAULT_WRITE
                            : PASID_DEV_DONE_FAULT_READ;

    if (!check_status(ret, done, status, what)) {
        return false;
    }
    if (done->fault_addr != (uintptr_t)addr) {
        test_fail("%s: refused at %#llx instead of %p", what,
                  (unsigned long long)done->fault_addr, addr);
        return false;
    }
    if (done->progress != progress) {
        test_fail("%s: progress %llu instead of %llu", what,
                  (unsigned long long)done->progress,
                  (unsigned long long)progress);
        return false;
    }
    return true;
}

PasidDevDescriptor endless_job(void)
{
    ListNode *node = map_anon(sizeof(*node));

    node->next = node;
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_LIST, .src = (uintptr_t)node,
        .len = PASID_DEV_MAX_LEN_VALUE, .arg = offsetof(ListNode, next),
        .arg2 = offsetof(ListNode, value),
    };
}

Counts counts_now(const PasidDev *dev)
{
    return (Counts) {
        .jobs = pasid_dev_read64(dev, PASID_DEV_COUNT_JOBS),
        .bytes = pasid_dev_read64(dev, PASID_DEV_COUNT_BYTES),
        .stalls = pasid_dev_read64(dev, PASID_DEV_COUNT_STALLS),
        .retries = pasid_dev_read64(dev, PASID_DEV_COUNT_RETRIES),
        .aborts = pasid_dev_read64(dev, PASID_DEV_COUNT_ABORTS),
        .bounced = pasid_dev_read64(dev, PASID_DEV_COUNT_BOUNCED),
    };
}

Counts counts_since(const PasidDev *dev, const Counts *before)
{
    Counts c = counts_now(dev);

    c.jobs -= before->jobs;
    c.bytes -= before->bytes;
    c.stalls -= before->stalls;
    c.retries -= before->retries;
    c.aborts -= before->aborts;
    c.bounced -= before->bounced;
    return c;
}

void check_stalled_and_resumed(const PasidDev *dev, const Counts *before)
{
    Counts c = counts_since(dev, before);

    CHECK(c.stalls > 0, "no access stalled");
    CHECK(c.retries == c.stalls, "%llu stalls but %llu retries",
          (unsigned long long)c.stalls, (unsigned long long)c.retries);
    CHECK(c.aborts == 0, "%llu accesses refused",
          (unsigned long long)c.aborts);
    CHECK(c.bounced == 0, "%llu bytes bounced",
          (unsigned long long)c.bounced);
}

size_t page_bytes(void)
{
    static size_t bytes;

    if (!bytes) {
        bytes = (size_t)sysconf(_SC_PAGESIZE);
    }
    return bytes;
}

size_t huge_page_bytes(void)
{
    static size_t bytes;

    if (!bytes) {
        long long n = read_number(
            "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");

        bytes = n > 0 ? (size_t)n : 2 * MIB;
    }
    return bytes;
}

size_t pages_present(const void *p, size_t bytes)
{
    size_t page = page_bytes();
    uintptr_t first = (uintptr_t)p & ~(page - 1);
    uintptr_t end = ((uintptr_t)p + bytes + page - 1) & ~(page - 1);
    size_t n = (end - first) / page, present = 0;
    unsigned char *map = malloc(n);

    if (!map || mincore((void *)first, end - first, map)) {
        test_give_up("mincore: %s", strerror(errno));
    }
    for (size_t i = 0; i < n; i++) {
        present += map[i] & 1;
    }
    free(map);
    return present;
}

size_t huge_bytes(const void *p, size_t bytes)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    uintptr_t first = (uintptr_t)p, end = first + bytes;
    size_t total = 0;
    bool inside = false;
    char line[256];

    if (!f) {
        test_give_up("/proc/self/smaps: %s", strerror(errno));
    }
    while (fgets(line, sizeof(line), f)) {
        unsigned long from, to, kib;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = from < end && to > first;
        } else if (inside &&
                   (sscanf(line, "AnonHugePages: %lu kB", &kib) == 1 ||
                    sscanf(line, "Private_Hugetlb: %lu kB", &kib) == 1)) {
            total += kib * KIB;
        }
    }
    fclose(f);
    return total;
}

const char *memory_name(MemoryKind kind)
{
    static const char *const names[MEM_KINDS] = {
        [MEM_MALLOC] = "malloc",
        [MEM_ANON] = "anonymous",
        [MEM_SHARED] = "shared",
        [MEM_FILE_SHARED] = "shared-file",
        [MEM_FILE_PRIVATE] = "private-file",
        [MEM_STACK] = "stack",
        [MEM_THP] = "thp",
        [MEM_HUGETLB] = "hugetlb",
    };

    return names[kind];
}

bool memory_exists(MemoryKind kind)
{
    return kind != MEM_THP || huge_page_bytes() <= 32 * MIB;
}

static void *map_or_give_up(void *where, size_t bytes, int flags, int fd,
                            const char *what)
{
    void *p = mmap(where, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

    if (p == MAP_FAILED) {
        test_give_up("mmap of %zu bytes (%s): %s", bytes, what,
                     strerror(errno));
    }
    return p;
}

void *map_anon(size_t bytes)
{
    return map_or_give_up(NULL, bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                          "anonymous");
}

void *map_anon_at(void *where, size_t bytes)
{
    return map_or_give_up(where, bytes,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                          -1, "at an address");
}

/*
 * Stack that was never touched. The stack grows only when the processor
 * faults below it, not when a device does; so touch one byte at the far end
 * of a piece far below the stack pointer, and hand out what is above it.
 */
static uint8_t *stack_piece(size_t bytes)
{
    static size_t used;
    uint8_t *here = __builtin_frame_address(0);
    uint8_t *p;

    /* What is above is this function's callers'; below is the touched page. */
    used += bytes + 64 * KIB + 2 * page_bytes();
    if (used > 6 * MIB) {
        test_give_up("the stack is used up");
    }
    p = (uint8_t *)(((uintptr_t)here - used) & ~(page_bytes() - 1));
    *(volatile uint8_t *)(p - 1) = 0;
    return p;
}

Buffer buffer_new(MemoryKind kind, size_t bytes)
{
    Buffer b = { .kind = kind, .bytes = bytes, .base_bytes = bytes };
    size_t huge = huge_page_bytes();
    int fd;

    switch (kind) {
    case MEM_MALLOC:
        b.base = malloc(bytes);
        if (!b.base) {
            test_give_up("malloc of %zu bytes", bytes);
        }
        b.p = b.base;
        break;
    case MEM_ANON:
        b.base = map_anon(bytes);
        b.p = b.base;
        /* Small pages, whatever the system's default. */
        madvise(b.base, bytes, MADV_NOHUGEPAGE);
        break;
    case MEM_SHARED:
        b.base = map_or_give_up(NULL, bytes, MAP_SHARED | MAP_ANONYMOUS, -1,
                                "shared");
        b.p = b.base;
        break;
    case MEM_FILE_SHARED:
    case MEM_FILE_PRIVATE:
        fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, (off_t)bytes)) {
            test_give_up("a file in /tmp: %s", strerror(errno));
        }
        b.base = map_or_give_up(NULL, bytes, kind == MEM_FILE_SHARED
                                ? MAP_SHARED : MAP_PRIVATE, fd, "file");
        b.p = b.base;
        close(fd);
        break;
    case MEM_STACK:
        b.p = stack_piece(bytes);
        break;
    case MEM_THP:
        b.base_bytes = ((bytes + huge - 1) & ~(huge - 1)) + huge;
        b.base = map_anon(b.base_bytes);
        b.p = (uint8_t *)(((uintptr_t)b.base + huge - 1) & ~(huge - 1));
        if (madvise(b.base, b.base_bytes, MADV_HUGEPAGE)) {
            test_give_up("MADV_HUGEPAGE: %s", strerror(errno));
        }
        break;
    case MEM_HUGETLB:
        b.base_bytes = (bytes + HUGETLB_BYTES - 1) & ~(HUGETLB_BYTES - 1);
        b.base = map_or_give_up(NULL, b.base_bytes, MAP_PRIVATE |
                                MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB,
                                -1, "hugetlb");
        b.p = b.base;
        break;
    case MEM_KINDS:
        test_give_up("no such kind of memory");
    }
    return b;
}

void buffer_free(Buffer *b)
{
    if (b->kind == MEM_MALLOC) {
        free(b->base);
    } else if (b->kind != MEM_STACK) {
        munmap(b->base, b->base_bytes);
    }
    memset(b, 0, sizeof(*b));
}

/* xorshift64*: quick, and the same everywhere. */
uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}

void random_fill(void *p, size_t bytes, uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
    uint8_t *to = p;

    while (bytes >= 8) {
        uint64_t value = random_next(&state);

        memcpy(to, &value, 8);
        to += 8;
        bytes -= 8;
    }
    while (bytes--) {
        *to++ = (uint8_t)random_next(&state);
    }
}

uint64_t list_shuffle(ListNode **nodes, size_t n, uint64_t seed)
{
    uint64_t sum = 0;

    for (size_t i = n - 1; i > 0; i--) {
        size_t j = random_next(&seed) % (i + 1);
        ListNode *t = nodes[i];

        nodes[i] = nodes[j];
        nodes[j] = t;
    }
    for (size_t i = 0; i < n; i++) {
        nodes[i]->value = random_next(&seed);
        nodes[i]->next = i + 1 < n ? nodes[i + 1] : NULL;
        sum += nodes[i]->value;
    }
    return sum;
}

uint32_t reference_crc32c(const void *p, size_t bytes)
{
    static uint32_t table[8][256];
    const uint8_t *b = p;
    uint32_t crc = ~0u;

    if (!table[0][1]) {
        for (unsigned i = 0; i < 256; i++) {
            uint32_t c = i;

            for (unsigned bit = 0; bit < 8; bit++) {
                c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
            }
            table[0][i] = c;
        }
        for (unsigned t = 1; t < 8; t++) {
            for (unsigned i = 0; i < 256; i++) {
                uint32_t c = table[t - 1][i];

                table[t][i] = c >> 8 ^ table[0][c & 0xff];
            }
        }
    }
    /* Eight bytes a turn, by eight tables. */
    for (; bytes >= 8; bytes -= 8, b += 8) {
        uint32_t low, high;

        memcpy(&low, b, 4);
        memcpy(&high, b + 4, 4);
        low ^= crc;
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
              table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
              table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    while (bytes--) {
        crc = crc >> 8 ^ table[0][(crc ^ *b++) & 0xff];
    }
    return ~crc;
}

uint64_t reference_sum(const void *p, size_t bytes)
{
    const uint8_t *b = p;
    uint64_t sum = 0;

    while (bytes--) {
        sum += *b++;
    }
    return sum;
}

size_t first_difference(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;
    size_t i = 0;

    /* Quickly over what is equal. */
    while (i < bytes) {
        size_t n = bytes - i < 4096 ? bytes - i : 4096;

        if (memcmp(x + i, y + i, n)) {
            break;
        }
        i += n;
    }
    while (i < bytes && x[i] == y[i]) {
        i++;
    }
    return i;
}

size_t first_other(const void *p, uint8_t value, size_t bytes)
{
    const uint8_t *b = p;
    size_t i = 0;

    while (i < bytes && b[i] == value) {
        i++;
    }
    return i;
}

bool send_word(int socket, char word, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec data = { .iov_base = &word, .iov_len = 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

    if (fd >= 0) {
        struct cmsghdr *c;

        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(int));
    }
    return sendmsg(socket, &message, 0) == 1;
}

char receive_word(int socket, int *fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char word = 0;
    struct iovec data = { .iov_base = &word, .iov_len = 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1,
        .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
    };
    struct cmsghdr *c;

    *fd = -1;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) {
        return 0;
    }
    c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(c), sizeof(int));
    }
    return word;
}

int space_mark_new(void)
{
    int mark = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (mark < 0 || ftruncate(mark, 4096)) {
        test_give_up("a file in /tmp: %s", strerror(errno));
    }
    return mark;
}

bool space_mark_hold(int mark)
{
    char path[64];
    int own;
    bool ok;

    /*
     * Opened anew, so that the lock is not shared with who else has @mark; then
     * mapped and closed, so that it goes with the mapping.
     */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", mark);
    own = open(path, O_RDWR | O_CLOEXEC);
    ok = own >= 0 && !flock(own, LOCK_EX) &&
         mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0) !=
         MAP_FAILED;
    close(own);
    return ok;
}

void space_mark_wait(int mark)
{
    if (flock(mark, LOCK_EX) || flock(mark, LOCK_UN)) {
        test_fail("flock: %s", strerror(errno));
    }
}

uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

long long read_number(const char *path)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return n > 0 ? strtoll(text, NULL, 0) : -1;
}
