/*
 * Jobs on memory that nobody has touched, where the SMMU loses something on purpose
 * (inject=): what is stuck or refused is done when it is made again. Not a test of
 * page faults that are served: quick, stress.
 *
 *   lost stuck     jobs hang, whose stall nobody heard of or answered
 *   lost refused   accesses fail, whose tables could not be read
 *   lost deaf      from some moment on Linux hears of no stall
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "libtest.h"

enum { JOBS = 60, TRIES = 8, STUCK_MS = 1500, SLOW_MS = 60000 };
#define JOB_BYTES   (4 * page_bytes())

static PasidDev dev;
static PasidQueue queue;
static unsigned stuck, refused;

/* Whether it was done; a queue that is in trouble is taken anew. */
static bool try_job(uint8_t *p, uint8_t value, unsigned timeout_ms)
{
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_FILL, .dst = (uintptr_t)p,
        .arg = 0x0101010101010101ull * value, .len = JOB_BYTES,
    };
    PasidDevCompletion done = { 0 };
    int ret = pasid_queue_submit(&queue, &job);

    if (ret >= 0) {
        ret = pasid_queue_wait(&queue, ret, timeout_ms, &done);
    }
    if (!ret && done.status == PASID_DEV_DONE_OK) {
        return true;
    }
    if (ret == -ETIMEDOUT) {
        stuck++;
    } else {
        refused++;
    }
    pasid_queue_close(&queue);
    open_queue(&queue, &dev, 0, 4);
    return false;
}

static void do_job(uint8_t *p, uint8_t value, unsigned timeout_ms)
{
    size_t at;

    for (unsigned i = 0; i < TRIES; i++) {
        if (try_job(p, value, timeout_ms)) {
            at = first_other(p, value, JOB_BYTES);
            CHECK(at == JOB_BYTES, "byte %zu is not what was written", at);
            return;
        }
    }
    CHECK(false, "a job was made %u times, in vain", TRIES);
}

/* The first that is stuck stays so, and so does the next; what is present works. */
static void go_deaf(uint8_t *memory)
{
    unsigned i = 0;

    while (i < JOBS && try_job(memory + i * JOB_BYTES, 1, STUCK_MS)) {
        i++;
    }
    CHECK(i < JOBS && !refused, "no job was stuck");
    CHECK(!try_job(memory + i * JOB_BYTES, 1, STUCK_MS), "it was heard of");
    memset(memory + i * JOB_BYTES, 0, JOB_BYTES);
    CHECK(try_job(memory + i * JOB_BYTES, 1, SLOW_MS), "no fault, and refused");
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "stuck";
    bool may_hang = !strcmp(mode, "stuck");
    uint8_t *memory = map_anon(JOBS * JOB_BYTES);

    test_begin("lost");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    madvise(memory, JOBS * JOB_BYTES, MADV_NOHUGEPAGE);
    if (!strcmp(mode, "deaf")) {
        go_deaf(memory);
    } else {
        for (unsigned i = 0; i < JOBS; i++) {
            do_job(memory + i * JOB_BYTES, i + 1,
                   may_hang ? STUCK_MS : SLOW_MS);
        }
        CHECK(may_hang ? stuck : refused, "nothing was lost");
        CHECK(!(may_hang ? refused : stuck), "%u were stuck, %u refused",
              stuck, refused);
    }
    say("lost: %u jobs were stuck, %u were refused", stuck, refused);
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
