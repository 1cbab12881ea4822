/*
 * See traffic.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "traffic.h"
#include <pthread.h>

void translate_all(const Traffic *job)
{
    for (uint64_t i = 0; i < job->count; i++) {
        uint64_t va = job->va + ((job->first + traffic_page(job, i))
                                 << PAGE_LOG2);
        Smmu3Transaction t = {
            .sid = job->sid ? job->sid : SID, .ssv = job->ssid != 0,
            .ssid = job->ssid, .addr = va, .access = SMMU3_READ,
        };
        Smmu3Translation result;

        if (smmu3_translate(job->smmu, &t, &result) != SMMU3_OK ||
            result.pa != va) {
            g_error("wrong translation of %" G_GINT64_MODIFIER "x", va);
        }
    }
}

/* Threads that are woken begin one after the other; those that spin do not. */
static void wait_for_all(_Atomic unsigned *waiting)
{
    atomic_fetch_sub(waiting, 1);
    while (atomic_load(waiting)) {
        /* nothing */
    }
}

static void *traffic_thread(void *opaque)
{
    Traffic *job = opaque;

    if (job->waiting) {
        wait_for_all(job->waiting);
    }
    job->start_ns = bench_now_ns();
    translate_all(job);
    job->end_ns = bench_now_ns();
    return NULL;
}

double run_traffic(Traffic *jobs, unsigned count)
{
    _Atomic unsigned waiting = count;
    pthread_t threads[2];
    double ns = 0;

    if (count == 1) {
        traffic_thread(&jobs[0]);
        return (double)(jobs[0].end_ns - jobs[0].start_ns) / jobs[0].count;
    }
    for (unsigned i = 0; i < count; i++) {
        int error;

        jobs[i].waiting = &waiting;
        error = pthread_create(&threads[i], NULL, traffic_thread, &jobs[i]);
        if (error) {
            g_error("no thread: %s", g_strerror(error));
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        ns += (double)(jobs[i].end_ns - jobs[i].start_ns) / jobs[i].count;
    }
    return ns / count;
}

void touch(Bench *b, uint64_t va, uint32_t ssid, uint64_t pages)
{
    Traffic job = { .smmu = b->smmu, .va = va, .ssid = ssid, .pages = pages,
                    .count = pages };

    translate_all(&job);
}

void fill_measured(Bench *b)
{
    touch(b, MEASURED_VA, MEASURED_SSID, MEASURED_PAGES);
}

void fill_unrelated(Bench *b)
{
    touch(b, UNRELATED_VA, UNRELATED_SSID, b->unrelated);
}

void fill_stage2(Bench *b)
{
    Traffic job = { .smmu = b->smmu, .va = MEASURED_VA, .sid = S2_SID,
                    .pages = MEASURED_PAGES, .count = MEASURED_PAGES };

    translate_all(&job);
}
