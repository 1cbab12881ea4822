/*
 * Random interleavings of map, unmap, invalidate, page request, copy and abort
 * on 16 PASIDs of pasid-dev, against a model of what memory, requests and
 * records have to be. Deterministic by seed:
 *
 *   SVA_MODEL_SEED    the first seed (default: 1)
 *   SVA_MODEL_STEPS   steps of all seeds together (default: 10000)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"

enum {
    PASIDS = 16,
    VPAGES = 8,             /* of each PASID */
    PPAGES = 24,            /* of all; PASIDs may share them */
    ALLOCATION = 5,         /* page requests at once */
    STEPS_A_SEED = 2500,
    COMPARE_EVERY = 250,
    MOST_BYTES = 200,
};

/* At the same address in each address space, apart from rings and records */
#define DATA_VA UINT64_C(0x200000000000)

/* ---- The model ---------------------------------------------------------- */

typedef struct Mapping {
    int ppage;              /* -1: none */
    bool writable;
    bool unsettled;         /* unmapped, and nobody has been told yet */
} Mapping;

/* The job of a PASID: a copy that is within a page at both ends. */
typedef struct Job {
    bool pending;
    unsigned src, dst;      /* vpages */
    unsigned src_at, dst_at, len;
    unsigned index;         /* of its record */
    bool was_in_vain;       /* a "success" without a page, once */
} Job;

/* A page request: of a job or, once that was aborted, of nobody. */
typedef struct Ask {
    unsigned process;
    bool is_stale;
    unsigned vpage;
    bool write;
    uint16_t index;
} Ask;

typedef struct Process {
    uint32_t pasid;
    uint64_t root;
    Queue q;
    Mapping pages[VPAGES];
    Job job;
} Process;

typedef struct Model {
    Dev *d;
    GRand *rand;
    Process processes[PASIDS];
    uint64_t ppages[PPAGES];            /* pa */
    uint8_t memory[PPAGES][PAGE];
    GArray *sent;           /* Ask: outstanding, in order */
    GArray *waiting;        /* Ask: for room */
    unsigned copies, refused, requests;
} Model;

static unsigned below(Model *m, unsigned n)
{
    return g_rand_int_range(m->rand, 0, n);
}

static uint64_t va_of(unsigned vpage)
{
    return DATA_VA + vpage * PAGE;
}

/* ---- What is expected of the device ------------------------------------- */

/* An entry of the PRI queue is @ask's. */
static void expect_sent(Model *m, Ask *ask)
{
    PageRequest r = next_page_request(m->d);

    g_assert_cmpuint(r.pasid, ==, m->processes[ask->process].pasid);
    g_assert_cmphex(r.addr, ==, va_of(ask->vpage));
    g_assert_cmpint(r.write, ==, ask->write);
    g_assert_cmpint(r.read, ==, !ask->write);
    g_assert_true(r.last);
    ask->index = r.index;
    for (unsigned i = 0; i < m->sent->len; i++) {
        g_assert_cmpuint(g_array_index(m->sent, Ask, i).index, !=, r.index);
    }
    g_array_append_val(m->sent, *ask);
    m->requests++;
}

static void fill_room(Model *m)
{
    while (m->sent->len < ALLOCATION && m->waiting->len) {
        Ask ask = g_array_index(m->waiting, Ask, 0);

        g_array_remove_index(m->waiting, 0);
        expect_sent(m, &ask);
    }
}

/* It has asked, or waits for room, before anybody else is made to. */
static void expect_ask(Model *m, unsigned process, unsigned vpage, bool write)
{
    Ask ask = { .process = process, .vpage = vpage, .write = write };

    g_array_append_val(m->waiting, ask);
    fill_room(m);
    WAIT_FOR(q32(&m->processes[process].q, PASID_DEV_Q_STATUS) &
             PASID_DEV_Q_STATUS_STALLED);
}

static void expect_done(Model *m, Process *p, uint32_t status, uint64_t bytes,
                        uint64_t fault_addr)
{
    assert_completion(wait_for(&p->q, p->job.index), status, 0, bytes,
                      fault_addr);
    p->job.pending = false;
}

/* The job of @process is tried: what has to become of it. */
static void settle(Model *m, unsigned process)
{
    Process *p = &m->processes[process];
    const Job *job = &p->job;
    const Mapping *from = &p->pages[job->src], *to = &p->pages[job->dst];

    if (from->ppage < 0) {
        expect_ask(m, process, job->src, false);
    } else if (to->ppage < 0 || !to->writable) {
        expect_ask(m, process, job->dst, true);
    } else {
        expect_done(m, p, PASID_DEV_DONE_OK, job->len, 0);
        memmove(m->memory[to->ppage] + job->dst_at,
                m->memory[from->ppage] + job->src_at, job->len);
        m->copies++;
    }
}

static void compare_memory(Model *m)
{
    g_autofree uint8_t *data = g_malloc(PAGE);

    for (unsigned i = 0; i < PPAGES; i++) {
        qtest_bufread(m->d->t->qts, m->ppages[i], data, PAGE);
        g_assert_cmpmem(data, PAGE, m->memory[i], PAGE);
    }
}

/* ---- Steps: false, nothing was to be done ------------------------------- */

/* Tell everybody that @vpage of @p, at least, is gone. */
static void invalidate(Model *m, const Process *p, unsigned vpage)
{
    Dev *d = m->d;

    sva_command(d->t, CMD_TLBI_NSNH_ALL, 0);
    sva_sync(d->t);
    switch (below(m, 5)) {
    case 0:
        atc_invalidate(d, p->pasid, false, va_of(0), 3);
        break;
    case 1:
        atc_invalidate(d, p->pasid, false, 0, CMD_ATC_SIZE_ALL);
        break;
    case 2:
        atc_invalidate(d, 1 + below(m, PASIDS), true, va_of(vpage), 0);
        break;
    case 3:
        atc_invalidate(d, -1, false, va_of(vpage), 0);
        break;
    default:
        atc_invalidate(d, p->pasid, false, va_of(vpage), 0);
    }
    sva_sync(d->t);
}

static bool step_map(Model *m, unsigned process)
{
    Process *p = &m->processes[process];
    unsigned vpage = below(m, VPAGES);
    Mapping *page = &p->pages[vpage];

    if (page->ppage >= 0 || page->unsettled) {
        return false;
    }
    page->ppage = below(m, PPAGES);
    page->writable = below(m, 4);
    sva_map(m->d->t, p->root, va_of(vpage), m->ppages[page->ppage], PAGE,
            page->writable ? 0 : SVA_MAP_RO);
    return true;
}

/* Whether a job of @p will look at @vpage once more. */
static bool is_in_use(const Process *p, unsigned vpage)
{
    return p->job.pending && (p->job.src == vpage || p->job.dst == vpage);
}

/*
 * Away from the table; the caches are told at once or, if no job is going to
 * look at it, later.
 */
static bool step_unmap(Model *m, unsigned process)
{
    Process *p = &m->processes[process];
    unsigned vpage = below(m, VPAGES);
    Mapping *page = &p->pages[vpage];

    if (page->ppage < 0) {
        return false;
    }
    sva_unmap(m->d->t, p->root, va_of(vpage), PAGE);
    page->ppage = -1;
    if (is_in_use(p, vpage) || below(m, 2)) {
        invalidate(m, p, vpage);
    } else {
        page->unsettled = true;
    }
    return true;
}

/* What is unsettled, and sometimes what has not changed at all. */
static bool step_invalidate(Model *m, unsigned process)
{
    Process *p = &m->processes[process];
    unsigned vpage = below(m, VPAGES);

    invalidate(m, p, vpage);
    p->pages[vpage].unsettled = false;
    return true;
}

static bool step_copy(Model *m, unsigned process)
{
    Process *p = &m->processes[process];
    Job job = {
        .pending = true, .src = below(m, VPAGES), .dst = below(m, VPAGES),
        .len = 1 + below(m, MOST_BYTES),
    };

    if (p->job.pending || job.src == job.dst || p->pages[job.src].unsettled ||
        p->pages[job.dst].unsettled) {
        return false;
    }
    job.src_at = below(m, PAGE - job.len);
    job.dst_at = below(m, PAGE - job.len);
    job.index = submit(&p->q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .len = job.len,
        .src = va_of(job.src) + job.src_at,
        .dst = va_of(job.dst) + job.dst_at });
    p->job = job;
    settle(m, process);
    return true;
}

/* Give @page what @ask wants: a page, or the right to write. */
static void provide(Model *m, Process *p, const Ask *ask)
{
    Mapping *page = &p->pages[ask->vpage];
    bool was_mapped = page->ppage >= 0;

    if (!was_mapped) {
        page->ppage = below(m, PPAGES);
    }
    page->writable = ask->write || (was_mapped && page->writable);
    sva_map(m->d->t, p->root, va_of(ask->vpage), m->ppages[page->ppage], PAGE,
            page->writable ? 0 : SVA_MAP_RO);
    if (was_mapped) {
        sva_command(m->d->t, CMD_TLBI_NSNH_ALL, 0);
        sva_sync(m->d->t);
    }
}

static void answer(Model *m, const Ask *ask, unsigned response)
{
    pri_respond(m->d, m->processes[ask->process].pasid, ask->index, response);
    /* The next one may be sent before the job is tried again. */
    fill_room(m);
}

/* Answer any request that is outstanding. */
static bool step_respond(Model *m, unsigned unused)
{
    unsigned i, what = below(m, 8);
    Process *p;
    Ask ask;

    if (!m->sent->len) {
        return false;
    }
    i = below(m, m->sent->len);
    ask = g_array_index(m->sent, Ask, i);
    g_array_remove_index(m->sent, i);
    p = &m->processes[ask.process];
    if (ask.is_stale) {
        answer(m, &ask, what & 1 ? CMD_PRI_RESP_SUCCESS : CMD_PRI_RESP_INVALID);
    } else if (what == 0) {
        answer(m, &ask, CMD_PRI_RESP_INVALID);
        expect_done(m, p, ask.write ? PASID_DEV_DONE_FAULT_WRITE
                                    : PASID_DEV_DONE_FAULT_READ, 0,
                    va_of(ask.vpage) + (ask.write ? p->job.dst_at
                                                  : p->job.src_at));
        m->refused++;
    } else {
        /* Once in vain: after that it pauses, which others' turns do not. */
        if (what > 1 || p->job.was_in_vain) {
            provide(m, p, &ask);
        }
        p->job.was_in_vain = true;
        answer(m, &ask, CMD_PRI_RESP_SUCCESS);
        settle(m, ask.process);
    }
    return true;
}

static void forget_asks(GArray *asks, unsigned process, bool remove)
{
    for (unsigned i = asks->len; i-- > 0;) {
        Ask *ask = &g_array_index(asks, Ask, i);

        if (ask->process == process && remove) {
            g_array_remove_index(asks, i);
        } else if (ask->process == process) {
            ask->is_stale = true;
        }
    }
}

/* Disable and enable the queue: what it waits for is nobody's any more. */
static bool step_abort(Model *m, unsigned process)
{
    Process *p = &m->processes[process];

    if (below(m, 4)) {
        return false;
    }
    queue_reopen(&p->q);
    p->job.pending = false;
    forget_asks(m->waiting, process, true);
    forget_asks(m->sent, process, false);
    return true;
}

/* Seldom, for it empties the cache, and nothing is stale then. */
static bool step_toggle(Model *m, unsigned unused)
{
    if (below(m, 100)) {
        return false;
    }
    ats_control(m->d, false);
    ats_control(m->d, true);
    return true;
}

static bool (*const steps[])(Model *m, unsigned process) = {
    step_map, step_unmap, step_invalidate, step_copy, step_copy, step_copy,
    step_copy, step_copy, step_respond, step_respond, step_respond,
    step_respond, step_abort, step_toggle,
};

/* ---- The machine -------------------------------------------------------- */

static void add_process(Model *m, unsigned i)
{
    Process *p = &m->processes[i];
    Dev *d = m->d;
    uint64_t cd[SMMU3_CD_WORDS];

    p->pasid = 1 + i;
    p->root = d->root = sva_table(d->t);
    sva_cd_for(cd, p->root, 1 + i, true);
    sva_set_cd(d->t, d->devfn, d->cds, p->pasid, cd);
    p->q = queue_open(d, i, 3, PASID(p->pasid));
    for (unsigned k = 0; k < VPAGES; k++) {
        p->pages[k].ppage = -1;
    }
}

static Model *model_new(uint32_t seed)
{
    Model *m = g_new0(Model, 1);

    m->rand = g_rand_new_with_seed(seed);
    /* Whatever was asked for stays; or entries drive each other out. */
    m->d = ats_start(seed % 4 ? ",queues=16,atc-entries=1024"
                              : ",queues=16,atc-entries=32,atc-ways=2");
    pri_enable(m->d, ALLOCATION);
    m->sent = g_array_new(false, false, sizeof(Ask));
    m->waiting = g_array_new(false, false, sizeof(Ask));
    for (unsigned i = 0; i < PPAGES; i++) {
        m->ppages[i] = sva_alloc(m->d->t, PAGE, PAGE);
        for (unsigned k = 0; k < PAGE; k++) {
            m->memory[i][k] = g_rand_int(m->rand);
        }
        qtest_bufwrite(m->d->t->qts, m->ppages[i], m->memory[i], PAGE);
    }
    for (unsigned i = 0; i < PASIDS; i++) {
        add_process(m, i);
    }
    return m;
}

static void model_end(Model *m)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    compare_memory(m);
    expect_no_page_request(m->d);
    g_assert_false(sva_event(m->d->t, event));
    g_assert_cmphex(pri_status(m->d), ==, PCI_PRI_STATUS_PASID);
    g_test_message("%u copies, %u refused, %u page requests, %" PRIu64
                   " hits of %" PRIu64 " accesses", m->copies, m->refused,
                   m->requests, ats_counts(m->d).hits,
                   ats_counts(m->d).hits + ats_counts(m->d).requests);
    g_array_free(m->sent, true);
    g_array_free(m->waiting, true);
    g_rand_free(m->rand);
    dev_stop(m->d);
    g_free(m);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = g_getenv(name);

    return value ? g_ascii_strtoull(value, NULL, 0) : otherwise;
}

static void test_model(void)
{
    uint64_t seed = from_environment("SVA_MODEL_SEED", 1);
    uint64_t left = from_environment("SVA_MODEL_STEPS", 10000);

    for (; left; seed++) {
        unsigned count = MIN(left, STEPS_A_SEED);
        Model *m = model_new(seed);

        g_test_message("seed %" PRIu64 ", %u steps", seed, count);
        for (unsigned i = 1; i <= count; i++) {
            while (!steps[below(m, G_N_ELEMENTS(steps))](m, below(m, PASIDS))) {
                continue;
            }
            if (i % COMPARE_EVERY == 0) {
                compare_memory(m);
            }
        }
        model_end(m);
        left -= count;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pasid-dev/ats/model", test_model);
    return g_test_run();
}
