/*
 * Migration streams of hisi-zip that were tampered with: what cannot be is
 * refused with a word, and what a guest can bring about is accepted. Not what a
 * device does with its state. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hisi-zip-rig.h"
#include "sva-qtest-forge.h"

#define DEVICE      "-device hisi-zip,queues=8"

typedef struct Change {
    const char *path;
    uint64_t value;
} Change;

typedef struct Case {
    const char *what;
    Change change[4];
    const char *word;       /* of QEMU's message; NULL: it is accepted */
} Case;

/*
 * Queue 1 of 8 has a context with rings of 16; the event queue has 64 entries,
 * the asynchronous one, too. QM_MAILBOX is regs[0xc0].
 */
static const Case cases[] = {
    /* Not of this device, or cut short by another one */
    { "other-queues", { { "qm/tmp/qm.queues", 9 } }, "queues differs" },
    { "other-version", { { "version", 2 } }, "version differs" },

    /* The mailbox: STOP_QP waits for a queue, FLUSH for all */
    { "mailbox-waits-for-nothing-known", { { "qm/tmp/qm.mb_waits_for", 7 } },
      "does not wait" },
    { "mailbox-waits-for-no-queue",
      { { "qm/tmp/qm.mb_waits_for", 8 }, { "qm/tmp/qm.regs[192]", 8 << 16 } },
      "waits for no queue" },
    { "mailbox-waits-for-the-last-queue",
      { { "qm/tmp/qm.mb_waits_for", 8 }, { "qm/tmp/qm.regs[192]", 7 << 16 } } },
    { "mailbox-waits-for-all", { { "qm/tmp/qm.mb_waits_for", 9 } } },

    /* Queues that the driver gave the function */
    { "too-many-queues", { { "qm/tmp/qm.vft_queues", 9 } },
      "more queues given" },
    { "very-many-queues", { { "qm/tmp/qm.vft_queues", UINT32_MAX } },
      "more queues given" },
    { "queues-without-a-table", { { "qm/tmp/qm.vft_is_valid", 0 } },
      "without a table" },
    { "table-without-queues", { { "qm/tmp/qm.vft_queues", 0 } },
      "without a table" },
    { "fewer-queues", { { "qm/tmp/qm.vft_queues", 1 } } },

    /* Event queues: one slot stays free, and eq_cqn[] has 1024 places */
    { "events-fill-the-ring",
      { { "qm/tmp/qm.eq/head", 100 }, { "qm/tmp/qm.eq/tail", 164 } },
      "event queue 0: more events than the ring" },
    { "events-as-many-as-can-be",
      { { "qm/tmp/qm.eq/head", 100 }, { "qm/tmp/qm.eq/tail", 163 } } },
    { "events-taken-before-they-came",
      { { "qm/tmp/qm.eq/head", 1 }, { "qm/tmp/qm.eq/tail", 0 } },
      "event queue 0: more events than the ring" },
    { "event-count-wraps",
      { { "qm/tmp/qm.eq/head", UINT64_MAX }, { "qm/tmp/qm.eq/tail", 3 } } },
    { "more-events-than-queues",
      { { "qm/tmp/qm.eq/context[6]", 0xffff }, { "qm/tmp/qm.eq/head", 0 },
        { "qm/tmp/qm.eq/tail", 1025 } },
      "event queue 0: more events than there can be" },
    { "event-of-each-queue",
      { { "qm/tmp/qm.eq/context[6]", 0xffff }, { "qm/tmp/qm.eq/head", 0 },
        { "qm/tmp/qm.eq/tail", 1024 } } },
    { "asynchronous-events-fill-the-ring",
      { { "qm/tmp/qm.aeq/head", 0 }, { "qm/tmp/qm.aeq/tail", 64 } },
      "event queue 1: more events than the ring" },
    { "event-of-no-queue", { { "qm/tmp/qm.eq_cqn[3]", 8 } },
      "event 3: of a queue that is not there" },
    { "last-event-of-no-queue", { { "qm/tmp/qm.eq_cqn[1023]", 0xffff } },
      "event 1023: of a queue that is not there" },
    { "event-of-the-last-queue", { { "qm/tmp/qm.eq_cqn[1023]", 7 } } },

    /* Submission queues */
    { "entries-fill-the-ring",
      { { "qm/tmp/qm.sq[1]/submitted", 116 },
        { "qm/tmp/qm.sq[1]/completed", 100 } },
      "submission queue 1: more entries than the ring" },
    { "entries-as-many-as-can-be",
      { { "qm/tmp/qm.sq[1]/submitted", 115 },
        { "qm/tmp/qm.sq[1]/completed", 100 } } },
    { "entries-done-before-they-came",
      { { "qm/tmp/qm.sq[1]/submitted", 0 },
        { "qm/tmp/qm.sq[1]/completed", 1 } },
      "submission queue 1: more entries than the ring" },
    { "entry-count-wraps",
      { { "qm/tmp/qm.sq[1]/submitted", 4 },
        { "qm/tmp/qm.sq[1]/completed", UINT64_MAX } } },
    { "entries-without-a-context",
      { { "qm/tmp/qm.sq[1]/valid", 0 }, { "qm/tmp/qm.sq[1]/submitted", 1 },
        { "qm/tmp/qm.sq[1]/completed", 0 } },
      "submission queue 1: entries without a context" },
    { "entries-in-a-dead-queue",
      { { "qm/tmp/qm.sq[1]/dead", 1 }, { "qm/tmp/qm.sq[1]/submitted", 1 },
        { "qm/tmp/qm.sq[1]/completed", 0 } },
      "submission queue 1: entries in a queue that drops them" },
    { "dead-queue", { { "qm/tmp/qm.sq[1]/dead", 1 } } },
    { "odd-entries", { { "qm/tmp/qm.sq[1]/context[3]", 15 | 6 << 12 } },
      "submission queue 1: an illegal context" },
    { "deepest-queue",
      { { "qm/tmp/qm.sq[1]/context[3]", 4095 | 7 << 12 },
        { "qm/tmp/qm.sq[1]/submitted", 4095 },
        { "qm/tmp/qm.sq[1]/completed", 0 } } },
    { "queue-of-one",
      { { "qm/tmp/qm.sq[1]/context[3]", 7 << 12 },
        { "qm/tmp/qm.sq[1]/submitted", 1 },
        { "qm/tmp/qm.sq[1]/completed", 0 } },
      "submission queue 1: more entries than the ring" },
    { "completions-to-no-queue", { { "qm/tmp/qm.sq[1]/context[6]", 0xffff } } },
    { "queue-that-is-not-there", { { "qm/tmp/qm.sq[8]/valid", 1 } },
      "queue 8: there is none" },
    { "last-queue-that-is-not-there", { { "qm/tmp/qm.sq[1023]/valid", 1 } },
      "queue 1023: there is none" },

    /* Completion queues */
    { "completions-fill-the-ring",
      { { "qm/tmp/qm.cq[1]/tail", 116 }, { "qm/tmp/qm.cq[1]/head", 100 } },
      "completion queue 1: more completions than the ring" },
    { "completions-as-many-as-can-be",
      { { "qm/tmp/qm.cq[1]/tail", 115 }, { "qm/tmp/qm.cq[1]/head", 100 } } },
    { "completions-read-before-they-came",
      { { "qm/tmp/qm.cq[1]/tail", 0 }, { "qm/tmp/qm.cq[1]/head", 1 } },
      "completion queue 1: more completions than the ring" },
    { "odd-completions", { { "qm/tmp/qm.cq[1]/context[3]", 15 | 5 << 12 } },
      "completion queue 1: an illegal context" },
    { "completion-queue-that-is-not-there", { { "qm/tmp/qm.cq[8]/valid", 1 } },
      "queue 8: there is none" },
};

/* A device with a queue that has worked; only its stream is of interest. */
static SvaStream *stream_of_a_device(const char *args)
{
    Dev *d = dev_start(PLAIN_MACHINE, args);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    SvaStream *s;
    Queue q;

    bring_up(d, 64);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    g_assert_cmphex(run(&q, small_request(d), sqe), ==, HISI_ZIP_OK);
    s = sva_stream_take(d->t, "hisi-zip");
    dev_stop(d);
    return s;
}

static void assert_given(const SvaStream *s, const char *args,
                         const char *word)
{
    g_autofree char *said = sva_stream_give(s, PLAIN_MACHINE, args);

    if (word) {
        g_assert_nonnull(said);
        if (!strstr(said, word)) {
            g_error("QEMU does not say \"%s\", but: %s", word, said);
        }
    } else {
        g_assert_cmpstr(said, ==, NULL);
    }
}

static void test_forged(const void *data)
{
    const Case *c = data;
    SvaStream *s = stream_of_a_device(DEVICE);

    for (unsigned i = 0; i < ARRAY_SIZE(c->change) && c->change[i].path; i++) {
        sva_stream_set(s, c->change[i].path, c->change[i].value);
        g_assert_cmphex(sva_stream_get(s, c->change[i].path), ==,
                        c->change[i].value);
    }
    assert_given(s, DEVICE, c->word);
    sva_stream_free(s);
}

/* What a context may ask for depends on the property of who takes it in. */
static void test_pasid_that_is_too_wide(void)
{
    SvaStream *s = stream_of_a_device(DEVICE ",pasid-bits=8");

    sva_stream_set(s, "qm/tmp/qm.sq[1]/context[5]", 0xff | 1 << 23);
    assert_given(s, DEVICE ",pasid-bits=8", NULL);
    sva_stream_set(s, "qm/tmp/qm.sq[1]/context[5]", 0x100 | 1 << 23);
    assert_given(s, DEVICE ",pasid-bits=8",
                 "submission queue 1: an illegal context");
    /* Not enabled, it does not count. */
    sva_stream_set(s, "qm/tmp/qm.sq[1]/context[5]", 0x100);
    assert_given(s, DEVICE ",pasid-bits=8", NULL);
    sva_stream_free(s);
}

/*
 * The event queue holds as many events as the device can tell whose they are,
 * though its ring has room for more: the next one waits until one is taken.
 */
static void test_events_of_all_queues(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, DEVICE);
    SvaStream *s, *after;
    SvaQtest *to;
    Queue q;

    bring_up(d, 4096);
    q = queue_open(d, 1, 16, HISI_ZIP_COMPRESS, 0);
    fill_slot(&q, small_request(d));
    s = sva_stream_take(d->t, "hisi-zip");
    sva_stream_set(s, "qm/tmp/qm.eq/tail", 1024);
    sva_stream_set(s, "qm/tmp/qm.sq[1]/submitted", 1);
    to = sva_stream_go_on(s, d->t, PLAIN_MACHINE, DEVICE, false);
    sva_stop(d->t);
    d->t = to;
    WAIT_FOR(is_done(&q));
    g_assert_cmphex(qtest_readl(to->qts, d->eq + 4 * 1024), ==, 0);
    after = sva_stream_take(to, "hisi-zip");
    g_assert_cmpuint(sva_stream_get(after, "qm/tmp/qm.eq/tail"), ==, 1024);
    sva_stream_free(after);
    sva_stream_free(s);
    dev_stop(d);
}

/* A stream that breaks off leaves nothing of what it said in the device. */
static void test_cut_short(void)
{
    Dev *d = dev_start(PLAIN_MACHINE, DEVICE);
    SvaStream *s;
    SvaQtest *to;

    bring_up(d, 64);
    s = sva_stream_take(d->t, "hisi-zip");
    sva_stream_set(s, "qm/tmp/qm.vft_queues", 1024);
    sva_stream_cut(s, "qm/tmp/qm.eq_cqn");
    to = sva_stream_go_on(s, d->t, PLAIN_MACHINE, DEVICE, true);
    sva_stop(d->t);
    d->t = to;
    assert_is_reset(d);
    sva_stream_free(s);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path = g_strdup_printf("/hisi-zip/stream/%s",
                                                cases[i].what);

        g_test_add_data_func(path, &cases[i], test_forged);
    }
    g_test_add_func("/hisi-zip/stream/pasid-that-is-too-wide",
                    test_pasid_that_is_too_wide);
    g_test_add_func("/hisi-zip/stream/cut-short", test_cut_short);
    g_test_add_func("/hisi-zip/stream/events-of-all-queues",
                    test_events_of_all_queues);
    return g_test_run();
}
