/*
 * The second part of what `make demo` shows: one device works in the address
 * spaces of four processes at once. Every statement printed was checked.
 *
 * Linux's generic SVA driver has one process for each device; vfio-pci and
 * iommufd have as many as there are PASIDs, of memory that each process names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libiommufd.h"

#define PROCESSES 4u
#define BYTES (4 * MIB)
#define GONE 2u             /* the process whose address space is taken away */

typedef unsigned long long ull;

/* At the same address in each process, and different in each. */
typedef struct Area {
    uint8_t text[BYTES], copy[BYTES];
    ListNode node;
} Area;

typedef struct Process {
    pid_t pid;
    int socket;             /* to it */
    uint32_t ioas, hwpt;
} Process;

static Area *area;
static Process processes[PROCESSES];

static int pasid_of(unsigned n)
{
    return (int)n + 1;
}

static void expect(int socket, char word, const char *what)
{
    int none;
    char found = receive_word(socket, &none);

    if (found != word) {
        test_give_up("%s: '%c' instead of '%c'", what, found ? found : '0', word);
    }
}

static void tell(int socket, char word)
{
    if (!send_word(socket, word, -1)) {
        test_give_up("a process is gone");
    }
}

/* Walks a list that is a ring, until the program gives it an end. */
static void walk(PasidQueue *q, unsigned n, int parent)
{
    PasidDevDescriptor job = endless_job();
    PasidDevCompletion done = { 0 };
    int ticket, ret;

    job.src = (uintptr_t)&area->node;
    ticket = pasid_queue_submit(q, &job);
    tell(parent, 's');
    expect(parent, 'e', "order");
    CHECK(!pasid_queue_done(q, ticket), "the list had an end");
    __atomic_store_n(&area->node.next, NULL, __ATOMIC_RELEASE);
    ret = pasid_queue_wait(q, ticket, 60000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "list");
    CHECK(done.result == done.progress * (n + 1), "another process's list");
}

static int process(unsigned n, int parent)
{
    uint32_t ioas = processes[n].ioas;
    PasidDevCompletion done = { 0 };
    PasidQueue q;
    int ret;

    munmap(area, sizeof(*area));
    map_anon_at(area, sizeof(*area));
    random_fill(area->text, BYTES, n);
    area->node.next = &area->node;
    area->node.value = n + 1;
    queue_for(&q, n, pasid_of(n));
    map_queue(ioas, &q);
    map(ioas, area, (sizeof(*area) + page_bytes() - 1) & -page_bytes(),
        (uintptr_t)area);
    tell(parent, 'r');
    expect(parent, 'g', "order");
    walk(&q, n, parent);
    ret = pasid_copy(&q, area->copy, area->text, BYTES, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "copy");
    CHECK(!memcmp(area->copy, area->text, BYTES), "another process's text");
    tell(parent, test_failures() ? 'x' : 'd');

    expect(parent, 'j', "order");
    if (n == GONE) {
        check_shut_out(&q, "without its address space");
    } else {
        fill_ok(&q, (uintptr_t)area->copy, 0x77, BYTES, "fill");
        check_filled(area->copy, 0x77, BYTES, "fill");
    }
    tell(parent, test_failures() ? 'x' : 'd');
    expect(parent, 'q', "order");
    pasid_queue_close(&q);
    return 0;
}

static void start(unsigned n)
{
    Process *p = &processes[n];
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends)) {
        test_give_up("socketpair: %s", strerror(errno));
    }
    p->ioas = ioas_new();
    p->pid = fork();
    if (p->pid == 0) {
        _exit(process(n, ends[1]));
    }
    close(ends[1]);
    p->socket = ends[0];
    expect(p->socket, 'r', "a process's start");
    p->hwpt = hwpt_new(p->ioas, HWPT_PASID, 0);
    attach(p->hwpt, pasid_of(n));
}

static void all(char word)
{
    for (unsigned n = 0; n < PROCESSES; n++) {
        tell(processes[n].socket, word);
    }
}

static void all_are(char word, const char *what)
{
    for (unsigned n = 0; n < PROCESSES; n++) {
        expect(processes[n].socket, word, what);
    }
}

/* Each process's queue has a job, and the device is at it. */
static unsigned busy(void)
{
    unsigned count = 0;

    for (unsigned n = 0; n < PROCESSES; n++) {
        volatile uint8_t *portal = dev.bar + (1 + n) * PASID_DEV_PAGE_BYTES;

        count += !!(*(volatile uint32_t *)(portal + PASID_DEV_Q_STATUS) &
                    PASID_DEV_Q_STATUS_BUSY);
    }
    return count;
}

int main(void)
{
    unsigned count;
    int status;

    test_begin("demo-spaces");
    iommufd_open();
    area = map_anon(sizeof(*area));
    for (unsigned n = 0; n < PROCESSES; n++) {
        start(n);
    }
    say("demo: Four processes share pasid-dev at %s, each with %zu MiB of its own "
        "at the same", dev.bdf, 2 * BYTES / MIB);
    say("demo: address, %p: PASIDs %d to %d, by vfio-pci and iommufd.",
        (void *)area, pasid_of(0), pasid_of(PROCESSES - 1));

    all('g');
    all_are('s', "a list");
    count = busy();
    CHECK(count == PROCESSES, "%u work at once", count);
    all('e');
    all_are('d', "list and copy");
    say("demo: 6. The device worked in %u address spaces at once, with the same "
        "pointers: each list", count);
    say("demo:    it walked and each copy it made was of the process that asked.");

    detach(pasid_of(GONE));
    all('j');
    all_are('d', "the last job");
    say("demo: 7. The third one was taken from the device: its next job was "
        "refused, those of the");
    say("demo:    other three were done.");

    all('q');
    for (unsigned n = 0; n < PROCESSES; n++) {
        CHECK(waitpid(processes[n].pid, &status, 0) == processes[n].pid &&
              status == 0, "process %u", n);
        if (n != GONE) {
            detach(pasid_of(n));
        }
    }
    iommufd_close();
    return test_end();
}
