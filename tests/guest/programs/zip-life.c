/*
 * hisi-zip among processes that come and go, and drivers that do.
 *
 *   zip-life processes [N ROUNDS]    N processes with two queues each, at once
 *   zip-life queues N                N queues of one process, at once
 *   zip-life fork                    a fork while the queue is open
 *   zip-life kill working TIMES      killed while the device works
 *   zip-life kill stalled TIMES DISK ... while it waits for a page of a slow
 *                                    disk
 *   zip-life reload TIMES            the module goes and comes back
 *   zip-life rebind TIMES            the driver leaves the device and returns
 *   zip-life load SECONDS            jobs that fault, checked, from processes;
 *                                    says when it has begun
 *   zip-life move SECONDS            the same, and asks three times to be moved
 *                                    to another QEMU
 *   zip-life crypto                  the kernel's own use, without PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"
#include "libzip.h"

/* ---- A checked round trip ------------------------------------------------ */

typedef struct Pair {
    ZipQueue comp, decomp;
} Pair;

static int pair_open(Pair *pair)
{
    int ret = zip_open(&pair->comp, 0, HISI_ZIP_COMPRESS);

    if (!ret) {
        ret = zip_open(&pair->decomp, 0, HISI_ZIP_DECOMPRESS);
        if (ret) {
            zip_close(&pair->comp);
        }
    }
    return ret;
}

static void pair_close(Pair *pair)
{
    zip_close(&pair->comp);
    zip_close(&pair->decomp);
}

/* Into memory nobody has touched, and back; NULL, or what is wrong. */
static const char *round_trip(Pair *pair, const uint8_t *src, size_t bytes,
                              unsigned format)
{
    size_t bound = zip_bound(bytes);
    uint8_t *packed = map_anon(bound), *plain = map_anon(bytes);
    ZipRequest req = {
        .format = (uint8_t)format, .window = HISI_ZIP_WINDOW_32K, .src = src,
        .src_bytes = (uint32_t)bytes, .dst = packed, .room = (uint32_t)bound,
    };
    const char *why = NULL;
    ZipResult done;

    if (zip_run(&pair->comp, &req, &done)) {
        why = "compression does not end";
    } else if (done.status != HISI_ZIP_OK &&
               done.status != HISI_ZIP_NOT_SMALLER) {
        why = "compression failed";
    } else {
        req.src = packed;
        req.src_bytes = done.produced;
        req.dst = plain;
        req.room = (uint32_t)bytes;
        if (zip_run(&pair->decomp, &req, &done)) {
            why = "decompression does not end";
        } else if (done.status != HISI_ZIP_OK || done.produced != bytes) {
            why = "decompression failed";
        } else if (memcmp(src, plain, bytes)) {
            why = "other bytes came back";
        }
    }
    munmap(packed, bound);
    munmap(plain, bytes);
    return why;
}

static const char *random_trip(Pair *pair, uint64_t *state, size_t most)
{
    size_t bytes = 1 + (random_next(state) >> 20) % most;
    unsigned kind = (random_next(state) >> 30) % ZIP_DATA_KINDS;
    unsigned format = 1 + (random_next(state) >> 30) % 3;
    uint8_t *src = map_anon(bytes);
    const char *why;

    zip_fill(src, bytes, kind, *state);
    why = round_trip(pair, src, bytes, format);
    munmap(src, bytes);
    return why;
}

static bool usable(void)
{
    uint64_t state = 12345;
    Pair pair;
    int ret = pair_open(&pair);
    const char *why;

    if (!CHECK(!ret, "no queue: %s", strerror(-ret))) {
        return false;
    }
    why = random_trip(&pair, &state, 100000);
    CHECK(!why, "%s", why);
    pair_close(&pair);
    return !why;
}

/* ---- processes ---------------------------------------------------------- */

/* In the child; says one byte when it is ready, waits for @go to end. */
static int process(unsigned index, unsigned rounds, int ready, int go)
{
    uint64_t state = index * 7919 + 1;
    char byte = 'r';
    Pair pair;
    int ret = pair_open(&pair);

    if (ret) {
        say("zip: process %u: %s", index, strerror(-ret));
        byte = 'x';
    }
    if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 0 || ret) {
        return 1;
    }
    pair.decomp.wants_interrupt = index & 1;
    zip_ring_cq(&pair.decomp, pair.decomp.cq_head, index & 1);
    for (unsigned i = 0; i < rounds; i++) {
        const char *why = random_trip(&pair, &state, 200000);

        if (why) {
            say("zip: process %u, round %u: %s", index, i, why);
            return 1;
        }
    }
    pair_close(&pair);
    return 0;
}

static int processes(unsigned n, unsigned rounds)
{
    unsigned failed = 0, ready_count = 0;
    int ready[2], go[2], status;
    long long before = read_number("/sys/class/uacce/hisi_zip-0/"
                                   "available_instances");
    char byte;

    test_begin("zip-processes");
    if (pipe(ready) || pipe(go)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    for (unsigned i = 0; i < n; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            close(go[1]);
            populate_memory();
            _exit(process(i, rounds, ready[1], go[0]));
        }
        if (pid < 0) {
            test_give_up("fork: %s", strerror(errno));
        }
    }
    while (ready_count < n && read(ready[0], &byte, 1) == 1) {
        CHECK(byte == 'r', "a process has no queues");
        ready_count++;
    }
    CHECK(read_number("/sys/class/uacce/hisi_zip-0/available_instances") ==
          before - 2 * (long long)n, "not %u queues in use", 2 * n);
    close(go[0]);
    close(go[1]);
    while (wait(&status) > 0) {
        failed += status != 0;
    }
    CHECK(!failed, "%u of %u processes failed", failed, n);
    CHECK(read_number("/sys/class/uacce/hisi_zip-0/available_instances") ==
          before, "queues are still in use");
    return test_end();
}

/* ---- queues --------------------------------------------------------------- */

static int queues(unsigned n)
{
    enum { BYTES = 20000 };
    struct rlimit files = { n + 64, n + 64 };
    ZipQueue *q = calloc(n, sizeof(*q));
    uint8_t *src = map_anon(BYTES);
    unsigned open_count = 0;

    test_begin("zip-queues");
    setrlimit(RLIMIT_NOFILE, &files);
    zip_fill(src, BYTES, 1, n);
    for (; open_count < n; open_count++) {
        int ret = zip_open(&q[open_count], 0, HISI_ZIP_COMPRESS);

        if (ret) {
            test_fail("queue %u: %s", open_count, strerror(-ret));
            break;
        }
    }
    CHECK(read_number("/sys/class/uacce/hisi_zip-0/available_instances") == 0,
          "there are more than %u queues", n);
    for (unsigned i = 0; i < open_count; i++) {
        ZipRequest req = {
            .format = HISI_ZIP_FORMAT_RAW, .window = HISI_ZIP_WINDOW_32K,
            .src = src, .src_bytes = BYTES, .dst = map_anon(BYTES),
            .room = BYTES, .tag = i,
        };

        zip_submit(&q[i], &req);
    }
    for (unsigned i = 0; i < open_count; i++) {
        ZipResult done;

        if (zip_wait(&q[i], &done, 60000) || done.status != HISI_ZIP_OK ||
            done.tag != i || done.consumed != BYTES) {
            test_fail("queue %u did not do its job", i);
        }
        zip_close(&q[i]);
    }
    free(q);
    return test_end();
}

/* ---- fork ------------------------------------------------------------------ */

static int fork_open(void)
{
    enum { BYTES = 300000 };
    uint8_t *src = map_anon(BYTES);
    Pair pair;
    int ret, status;

    test_begin("zip-fork");
    ret = pair_open(&pair);
    if (ret) {
        test_give_up("no queue: %s", strerror(-ret));
    }
    for (unsigned turn = 0; turn < 10; turn++) {
        const char *why;
        pid_t pid;

        zip_fill(src, BYTES, 1, turn);
        pid = fork();
        if (pid == 0) {
            /* Its own copies; a queue of its own is bound to them. */
            zip_fill(src, BYTES, 2, turn);
            _exit(!usable());
        }
        /* Breaks the sharing of the pages, while the child does, too. */
        zip_fill(src, BYTES, 1, turn + 1000);
        why = round_trip(&pair, src, BYTES, HISI_ZIP_FORMAT_ZLIB);
        CHECK(!why, "turn %u, in the parent: %s", turn, why);
        if (waitpid(pid, &status, 0) != pid || status) {
            test_fail("turn %u: the child ended with status %#x", turn, status);
        }
        why = round_trip(&pair, src, BYTES, HISI_ZIP_FORMAT_ZLIB);
        CHECK(!why, "turn %u, after the child: %s", turn, why);
    }
    pair_close(&pair);
    return test_end();
}

/* ---- kill -------------------------------------------------------------------- */

/* A list of one buffer, over and over. */
static void *endless_list(const void *buffer, uint32_t bytes)
{
    uint8_t *node = map_anon(HISI_SGL_HEADER_BYTES + HISI_SGE_BYTES);
    uint64_t next = (uintptr_t)node, address = (uintptr_t)buffer;
    uint16_t one = 1;

    memcpy(node + HISI_SGL_NEXT, &next, sizeof(next));
    memcpy(node + HISI_SGL_ENTRIES_IN_CHAIN, &one, sizeof(one));
    memcpy(node + HISI_SGL_ENTRIES_HERE, &one, sizeof(one));
    memcpy(node + HISI_SGL_ROOM_HERE, &one, sizeof(one));
    memcpy(node + HISI_SGL_HEADER_BYTES + HISI_SGE_ADDR, &address,
           sizeof(address));
    memcpy(node + HISI_SGL_HEADER_BYTES + HISI_SGE_LEN, &bytes, sizeof(bytes));
    return node;
}

/*
 * After what the queue has to do, 4 GiB of input, which take it a minute: it is
 * at work whenever it is killed. Returns when it is.
 */
static bool keep_working(ZipQueue *queue, ZipRequest *req)
{
    volatile const uint64_t *output = req->dst;
    ZipRequest endless = *req;

    endless.lists = true;
    endless.src = endless_list(req->src, req->src_bytes);
    endless.src_bytes = UINT32_MAX;
    endless.dst = endless_list(req->dst, req->room);
    endless.room = UINT32_MAX;
    if (zip_submit(queue, &endless)) {
        return false;
    }
    while (!*output) {
    }
    return true;
}

static void victim(unsigned turn, int slow_fd, int mark, int ready)
{
    ZipRequest req = {
        .format = HISI_ZIP_FORMAT_RAW, .window = HISI_ZIP_WINDOW_32K,
    };
    char byte = 'x';
    ZipQueue queue;

    if (!space_mark_hold(mark)) {
        byte = 'm';
        goto out;
    }
    if (zip_open(&queue, 0, HISI_ZIP_COMPRESS)) {
        byte = 'o';
        goto out;
    }
    req.room = 2 * MIB;
    req.dst = map_anon(req.room);
    if (slow_fd >= 0) {
        uint8_t *slow = mmap(NULL, MIB, PROT_READ, MAP_SHARED, slow_fd,
                             turn * (off_t)MIB);

        madvise(slow, MIB, MADV_RANDOM);
        req.src = slow;
        req.src_bytes = MIB;
    } else {
        uint8_t *src = map_anon(MIB);

        zip_fill(src, MIB, 3, turn);
        req.src = src;
        req.src_bytes = MIB;
    }
    for (unsigned i = 0; i < 1 + turn % 8; i++) {
        if (zip_submit(&queue, &req)) {
            byte = 's';
        }
    }
    if (slow_fd < 0 && !keep_working(&queue, &req)) {
        byte = 'w';
    }
out:
    if (write(ready, &byte, 1) == 1) {
        pause();
    }
    _exit(7);
}

static int kill_them(const char *how, unsigned times, const char *disk)
{
    bool is_stalled = !strcmp(how, "stalled");
    int slow_fd = -1, mark;
    uint64_t longest = 0;

    test_begin(is_stalled ? "zip-kill-stalled" : "zip-kill-working");
    mark = space_mark_new();
    if (is_stalled) {
        slow_fd = disk ? open(disk, O_RDONLY | O_CLOEXEC) : -1;
        if (slow_fd < 0) {
            test_give_up("no slow disk");
        }
    }
    for (unsigned turn = 0; turn < times; turn++) {
        int ready[2], status;
        uint64_t start, us;
        char byte = 0;
        pid_t pid;

        if (pipe(ready)) {
            test_give_up("pipe: %s", strerror(errno));
        }
        pid = fork();
        if (pid == 0) {
            close(ready[0]);
            victim(turn, slow_fd, mark, ready[1]);
        }
        close(ready[1]);
        if (pid < 0 || read(ready[0], &byte, 1) != 1 || byte != 'x') {
            test_fail("turn %u: the victim got as far as '%c'", turn,
                      byte ? byte : '0');
        }
        close(ready[0]);
        usleep(is_stalled ? turn % 3 * 1000 : turn * 97 % 9000);
        kill(pid, SIGKILL);
        start = now_us();
        if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) {
            test_fail("turn %u: the victim ended with status %#x", turn,
                      status);
        }
        /* Its address space may outlive it: a fault is being answered. */
        space_mark_wait(mark);
        us = now_us() - start;
        longest = us > longest ? us : longest;
        if (byte != 'x') {
            break;
        }
    }
    say("zip: %u processes killed while the device %s, gone after at most "
        "%llu us", times, is_stalled ? "was stalled" : "worked",
        (unsigned long long)longest);
    usable();
    return test_end();
}

/* ---- reload, rebind ---------------------------------------------------------- */

static bool shell(const char *command)
{
    int status = system(command);

    return CHECK(status == 0, "\"%s\" ended with status %#x", command, status);
}

/*
 * Whatever interrupt the device has raised is taken when this returns. Before
 * the driver goes that has to be so: it masks its event interrupt and destroys
 * the work queue that the handler uses (hisi_qm_stop(), hisi_qm_uninit()) with
 * no synchronize_irq() in between. Where a vCPU waits for a processor of the
 * host, an earlier interrupt comes after that, and __queue_work() warns.
 *
 * An access to its registers comes after the device's turn in QEMU's main loop;
 * who runs on a CPU after that runs after the interrupts that were pending there.
 */
static bool take_interrupts(void)
{
    int fd = open("/sys/class/uacce/hisi_zip-0/device/config", O_RDONLY);
    uint32_t id;
    bool good = CHECK(fd >= 0 && read(fd, &id, sizeof(id)) == sizeof(id),
                      "configuration space: %s", strerror(errno));
    cpu_set_t all;

    close(fd);
    sched_getaffinity(0, sizeof(all), &all);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (CPU_ISSET(cpu, &all) && sched_setaffinity(0, sizeof(one), &one)) {
            good = CHECK(false, "CPU %d: %s", cpu, strerror(errno));
        }
    }
    sched_setaffinity(0, sizeof(all), &all);
    return good;
}

static int reload(unsigned times)
{
    test_begin("zip-reload");
    for (unsigned i = 0; i < times; i++) {
        if (!usable() || !take_interrupts() || !shell("rmmod hisi_zip") ||
            !CHECK(access("/dev/hisi_zip-0", F_OK), "the node is still there") ||
            !shell("modprobe hisi_zip uacce_mode=1")) {
            break;
        }
    }
    usable();
    return test_end();
}

static int rebind(unsigned times)
{
    char device[512], name[64];
    const char *base;

    test_begin("zip-rebind");
    if (!realpath("/sys/class/uacce/hisi_zip-0/device", device)) {
        test_give_up("no device: %s", strerror(errno));
    }
    base = strrchr(device, '/') + 1;
    snprintf(name, sizeof(name), "%.60s", base);
    for (unsigned i = 0; i < times; i++) {
        if (!usable() || !take_interrupts()) {
            break;
        }
        CHECK(write_file("/sys/bus/pci/drivers/hisi_zip/unbind", name),
              "unbind: %s", strerror(errno));
        CHECK(write_file("/sys/bus/pci/drivers/hisi_zip/bind", name),
              "bind: %s", strerror(errno));
    }
    usable();
    return test_end();
}

/* ---- load ----------------------------------------------------------------------- */

static int worker(unsigned index, uint64_t end)
{
    uint64_t state = index * 104729 + 1;
    unsigned jobs = 0;
    Pair pair;

    if (pair_open(&pair)) {
        return 1;
    }
    pair.comp.wants_interrupt = index & 1;
    while (now_us() < end) {
        const char *why = random_trip(&pair, &state, index < 2 ? 4 * MIB
                                                               : 100000);

        if (why) {
            say("zip: load %u, job %u: %s", index, jobs, why);
            return 1;
        }
        if (index == 0 && jobs == 0) {
            say("zip: load has begun");
        }
        jobs++;
    }
    say("zip: load %u: %u round trips", index, jobs);
    pair_close(&pair);
    return jobs == 0;
}

static int load(unsigned seconds, unsigned moves)
{
    uint64_t end = now_us() + seconds * UINT64_C(1000000);
    int status;

    test_begin("zip-load");
    for (unsigned i = 0; i < 6; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit(worker(i, end));
        }
    }
    for (unsigned i = 0; i < moves; i++) {
        usleep(seconds * 1000000 / (moves + 1));
        say("move me");
    }
    while (wait(&status) > 0) {
        CHECK(!status, "a worker ended with status %#x", status);
    }
    return test_end();
}

/* ---- crypto ---------------------------------------------------------------------- */

/* What /proc/crypto says of our driver: 0 nothing, 1 there, 2 tested. */
static unsigned crypto_state(void)
{
    char line[256];
    bool ours = false;
    unsigned state = 0;
    FILE *f = fopen("/proc/crypto", "r");

    while (f && fgets(line, sizeof(line), f)) {
        if (line[0] == '\n') {
            ours = false;
        } else if (!strncmp(line, "driver", 6) &&
                   strstr(line, "hisi-deflate-acomp")) {
            ours = true;
            state = 1;
        } else if (ours && !strncmp(line, "selftest", 8) &&
                   strstr(line, "passed")) {
            state = 2;
        }
    }
    if (f) {
        fclose(f);
    }
    return state;
}

/* The kernel tests it with queues of its own, after probe. */
static int crypto(void)
{
    unsigned state = 0;

    test_begin("zip-crypto");
    for (unsigned i = 0; i < 100 && state < 2; i++) {
        state = crypto_state();
        usleep(state < 2 ? 100000 : 0);
    }
    CHECK(state > 0, "no hisi-deflate-acomp in /proc/crypto");
    CHECK(state != 1, "its self-test has not passed");
    return test_end();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

    if (!strcmp(what, "processes")) {
        return processes(n ? n : 64, argc > 3 ? (unsigned)atoi(argv[3]) : 10);
    } else if (!strcmp(what, "queues")) {
        return queues(n ? n : 1024);
    } else if (!strcmp(what, "fork")) {
        return fork_open();
    } else if (!strcmp(what, "kill") && argc > 3) {
        return kill_them(argv[2], (unsigned)atoi(argv[3]),
                         argc > 4 ? argv[4] : NULL);
    } else if (!strcmp(what, "reload")) {
        return reload(n ? n : 10);
    } else if (!strcmp(what, "rebind")) {
        return rebind(n ? n : 10);
    } else if (!strcmp(what, "load")) {
        return load(n ? n : 10, 0);
    } else if (!strcmp(what, "move")) {
        return load(n ? n : 10, 3);
    } else if (!strcmp(what, "crypto")) {
        return crypto();
    }
    fprintf(stderr, "zip-life: what?\n");
    return 2;
}
