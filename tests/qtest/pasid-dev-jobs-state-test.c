/*
 * pasid-dev's jobs in work, batches and drains go on in another QEMU, and a state
 * that no queue can have had is refused. One job alone, and snapshots, are in
 * pasid-dev-migration-test.c. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "pasid-dev-rig.h"
#include "sva-qtest-state.h"

/* A job that writes @value to the word at @pa */
static PasidDevDescriptor store(Dev *d, uint64_t pa, uint64_t value)
{
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, pa), .len = 8, .arg = value };
}

/*
 * One job stalled, one done, one behind a fence, one not taken; and the PASID
 * may be drained.
 */
typedef struct ManyJobs {
    Dev *d;
    Queue q;
    uint64_t missing, word;         /* pa */
    uint16_t stag;
} ManyJobs;

static ManyJobs many_jobs_start(bool drain)
{
    ManyJobs m = { .d = process_start() };
    PasidDevDescriptor fenced;
    unsigned done;

    m.q = queue_open_jobs(m.d, 0, 3, PASID(THE_PASID), 3);
    m.missing = process_alloc(m.d, PAGE);
    m.word = process_alloc(m.d, PAGE);
    unmap(m.d, m.missing, PAGE);
    submit(&m.q, store(m.d, m.missing, 1));
    m.stag = next_stall(m.d, va(m.d, m.missing));
    done = submit(&m.q, store(m.d, m.word, 2));
    wait_for(&m.q, done);
    fenced = store(m.d, m.word + 8, 3);
    fenced.flags = PASID_DEV_DESC_FENCE;
    submit(&m.q, fenced);
    WAIT_FOR(q32(&m.q, PASID_DEV_Q_IN_WORK) == 2);
    if (drain) {
        admin_write32(m.d, PASID_DEV_PASID_TARGET, PASID(THE_PASID));
        admin_write32(m.d, PASID_DEV_PASID_COMMAND,
                      PASID_DEV_PASID_COMMAND_DRAIN |
                      PASID_DEV_PASID_COMMAND_IRQ);
    }
    submit(&m.q, store(m.d, m.word + 16, 4));
    return m;
}

static void many_jobs_let_go(ManyJobs *m)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    map(m->d, m->missing, PAGE);
    resume(m->d, m->stag, RETRY);
    while (sva_event(m->d->t, event)) {
        resume(m->d, smmu3_get(event, EVENT_STAG), RETRY);
    }
}

static void test_migrate_jobs(void)
{
    ManyJobs m = many_jobs_start(false);

    m.d->t = sva_migrate(m.d->t, "virt-sva", "-device pasid-dev");
    g_assert_cmpuint(q32(&m.q, PASID_DEV_Q_IN_WORK), ==, 2);
    g_assert_cmpuint(q32(&m.q, PASID_DEV_Q_HEAD), ==, 0);
    g_assert_cmpuint(word_at(m.d, m.word, 1), ==, 0);
    many_jobs_let_go(&m);
    WAIT_FOR(q32(&m.q, PASID_DEV_Q_HEAD) == 4);
    g_assert_cmpuint(word_at(m.d, m.missing, 0), ==, 1);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(word_at(m.d, m.word, i), ==, 2 + i);
    }
    g_assert_cmpuint(q64(&m.q, PASID_DEV_Q_COUNT_JOBS), ==, 4);
    dev_stop(m.d);
}

static void test_migrate_drain(void)
{
    ManyJobs m = many_jobs_start(true);

    m.d->t = sva_migrate(m.d->t, "virt-sva", "-device pasid-dev");
    g_assert_cmphex(admin32(m.d, PASID_DEV_PASID_STATUS), ==,
                    PASID_DEV_PASID_STATUS_BUSY | PASID_DEV_PASID_STATUS_IRQ);
    many_jobs_let_go(&m);
    WAIT_FOR(admin32(m.d, PASID_DEV_PASID_STATUS) ==
             PASID_DEV_PASID_STATUS_DONE);
    g_assert_cmpuint(q32(&m.q, PASID_DEV_Q_ERROR), ==,
                     PASID_DEV_Q_ERROR_CLOSED);
    g_assert_cmpuint(q32(&m.q, PASID_DEV_Q_HEAD), ==, 3);
    g_assert_cmpuint(word_at(m.d, m.word, 1), ==, 3);
    g_assert_cmpuint(word_at(m.d, m.word, 2), ==, 0);
    dev_stop(m.d);
}

/* The batch goes on within its descriptor: none is done twice. */
static void test_migrate_batch(void)
{
    Dev *d = process_start();
    Queue q = queue_open(d, 0, 2, PASID(THE_PASID));
    const unsigned count = 6;
    uint64_t pages = process_alloc(d, count * PAGE);
    uint64_t list = process_alloc(d, PAGE), records = process_alloc(d, PAGE);
    uint64_t event[SMMU3_EVENT_WORDS];
    unsigned index;
    uint16_t stag;

    for (unsigned i = 0; i < count; i++) {
        PasidDevDescriptor desc = {
            .op = PASID_DEV_OP_FETCH_ADD, .len = cpu_to_le64(8),
            .dst = cpu_to_le64(va(d, pages + i * PAGE)),
            .arg = cpu_to_le64(1) };

        qtest_memwrite(d->t->qts, list + i * sizeof(desc), &desc, sizeof(desc));
    }
    unmap(d, pages + 3 * PAGE, PAGE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_BATCH, .src = va(d, list), .dst = va(d, records),
        .len = count });
    stag = next_stall(d, va(d, pages + 3 * PAGE));
    d->t = sva_migrate(d->t, "virt-sva", "-device pasid-dev");
    map(d, pages + 3 * PAGE, PAGE);
    resume(d, stag, RETRY);
    while (sva_event(d->t, event)) {
        resume(d, smmu3_get(event, EVENT_STAG), RETRY);
    }
    assert_completion(wait_for(&q, index), PASID_DEV_DONE_OK, count, count, 0);
    for (unsigned i = 0; i < count; i++) {
        g_assert_cmpuint(word_at(d, pages + i * PAGE, 0), ==, 1);
    }
    dev_stop(d);
}

/* ---- Forged streams ----------------------------------------------------- */

/*
 * Where the state of queue 0 has what, from its PASID on; each member of it is
 * big-endian and follows the one before.
 */
enum {
    AT_PASID_STATUS = -76,      /* the device's, before the counters */
    AT_FLAGS = 4,
    AT_RING = 8,
    AT_CTRL = 28,
    AT_ERROR = 32,
    AT_HEAD = 44,
    AT_TAIL = 46,
    AT_TAKEN = 56,
    AT_JOBS = 58,
    /* In a job */
    JOB_INDEX = 16,
    JOB_PHASE = 18,
    JOB_FETCHED = 19,
    JOB_WORK = 91,
    JOB_BYTES = 517,
    /* In its work */
    WORK_OP = 0,
    WORK_PROGRESS = 64,
    WORK_WINDOW_DONE = 129,
};

/* PasidDevPhase in pasid-dev.h */
enum { FREE, FETCH, FENCED, WORK, RECORD, ABANDONED };

static const struct {
    const char *what;
    int at;
    unsigned bytes;
    uint64_t value;
} forgeries[] = {
    { "no such command", AT_PASID_STATUS, 4, 3 },
    { "an interrupt for none", AT_PASID_STATUS, 4, 0x102 },
    { "no such flag", AT_FLAGS, 4, 4 },
    { "more jobs than places", AT_CTRL, 4, 0xf03 },
    { "fewer jobs than in work", AT_CTRL, 4, 3 },
    { "no such control bit", AT_CTRL, 4, 0x10203 },
    { "no such error", AT_ERROR, 4, 6 },
    { "an unaligned ring", AT_RING, 8, 0x10001 },
    { "taken beyond TAIL", AT_TAKEN, 2, 5 },
    { "taken before HEAD", AT_TAKEN, 2, 0xffff },
    { "HEAD beyond a job in work", AT_HEAD, 2, 1 },
    { "TAIL beyond the ring", AT_TAIL, 2, 9 },
    { "a job behind those taken", AT_JOBS + JOB_INDEX, 2, 3 },
    { "two jobs for one descriptor", AT_JOBS + JOB_INDEX, 2, 2 },
    { "no such phase", AT_JOBS + JOB_PHASE, 1, 6 },
    { "HEAD is done", AT_JOBS + JOB_PHASE, 1, FREE },
    { "read, and others behind it", AT_JOBS + JOB_PHASE, 1, FETCH },
    { "fenced, and others behind it", AT_JOBS + JOB_PHASE, 1, FENCED },
    { "more than a descriptor", AT_JOBS + JOB_FETCHED, 8, 65 },
    { "no such operation", AT_JOBS + JOB_WORK + WORK_OP, 1, 0xee },
    { "more than there is", AT_JOBS + JOB_WORK + WORK_PROGRESS, 8, 9 },
    { "more than the window", AT_JOBS + JOB_WORK + WORK_WINDOW_DONE, 8, 65 },
    { "the window of a batch", AT_JOBS + JOB_WORK + 213 + WORK_WINDOW_DONE, 8,
      UINT64_MAX },
};

static void put_be(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = value >> 8 * (bytes - 1 - i);
    }
}

/* Of @stream, the PASID of @q */
static uint8_t *find_queue(char *stream, gsize len, const Queue *q)
{
    uint8_t addresses[16];
    uint8_t *at;

    put_be(addresses, va(q->d, q->ring), 8);
    put_be(addresses + 8, va(q->d, q->completions), 8);
    at = memmem(stream, len, addresses, sizeof(addresses));
    g_assert_nonnull(at);
    return at - AT_RING;
}

static void test_forged(void)
{
    ManyJobs m = many_jobs_start(false);
    g_autofree char *dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *stream = NULL;
    uint8_t *queue;
    gsize len;

    sva_save_state(m.d->t, file);
    g_assert_true(g_file_get_contents(file, &stream, &len, NULL));
    queue = find_queue(stream, len, &m.q);
    /* That this is where they are */
    g_assert_cmphex(ldub_p(queue + AT_JOBS + JOB_PHASE), ==, WORK);
    g_assert_cmphex(ldub_p(queue + AT_JOBS + JOB_BYTES + JOB_PHASE), ==,
                    FENCED);

    for (unsigned i = 0; i < ARRAY_SIZE(forgeries); i++) {
        g_autofree char *said = NULL;
        uint8_t kept[8];
        uint8_t *at = queue + forgeries[i].at;

        memcpy(kept, at, sizeof(kept));
        put_be(at, forgeries[i].value, forgeries[i].bytes);
        g_assert_true(g_file_set_contents(file, stream, len, NULL));
        g_test_message("%s", forgeries[i].what);
        said = sva_refused_state("virt-sva", "-device pasid-dev", file);
        g_assert_nonnull(strstr(said, "pasid-dev"));
        memcpy(at, kept, sizeof(kept));
    }
    unlink(file);
    rmdir(dir);
    dev_stop(m.d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/migration/several-jobs", test_migrate_jobs);
    g_test_add_func("/pasid-dev/migration/drain", test_migrate_drain);
    g_test_add_func("/pasid-dev/migration/batch", test_migrate_batch);
    g_test_add_func("/pasid-dev/migration/forged", test_forged);

    return g_test_run();
}
