/*
 * Streams of pasid-dev that break off or say what cannot be: QEMU goes on, and
 * so does the device. Not which values are refused, of which there are examples
 * in pasid-dev-jobs-state-test.c. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"
#include "sva-qtest-forge.h"
#include "sva-qtest-state.h"

#define DEVICE  "-device pasid-dev,queues=1,jobs=2,vfs=1,vf-queues=1"

/* ---- A snapshot with jobs in work --------------------------------------- */

typedef struct Rig {
    Dev *pf;
    Dev vf;
    unsigned sriov;
    char *dir, *disk;
    SvaStream *stream;
    Queue queue[2];             /* the physical function's, the virtual one's */
} Rig;

static void pf_write(Rig *r, unsigned reg, unsigned size, uint32_t value)
{
    sva_config_write(r->pf->t, 0, r->pf->devfn, r->sriov + reg, size, value);
}

/* What software does after a reset, whatever became of the configuration. */
static void enable_functions(Rig *r)
{
    restore_function(r->pf);
    pf_write(r, PCI_SRIOV_CTRL, 2, 0);
    pf_write(r, PCI_SRIOV_BAR, 4, r->vf.bar);
    pf_write(r, PCI_SRIOV_NUM_VF, 2, 1);
    pf_write(r, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
    sva_config_write(r->pf->t, 0, r->vf.devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MASTER);
}

/* One job in work that never ends, and one behind it that waits for that. */
static Queue queue_with_jobs(Dev *d)
{
    Queue q = queue_open_jobs(d, 0, 2, NO_PASID, 2);

    submit_endless(&q);
    submit(&q, (PasidDevDescriptor) { .flags = PASID_DEV_DESC_FENCE });
    WAIT_FOR(q32(&q, PASID_DEV_Q_IN_WORK) == 2);
    return q;
}

static void take_snapshot(Rig *r)
{
    QTestState *qts = r->pf->t->qts;

    r->stream = sva_stream_take(r->pf->t, "pasid-dev");
    qtest_qmp_assert_success(qts, "{'execute': 'cont'}");
    r->dir = g_dir_make_tmp("pasid-dev-test-XXXXXX", NULL);
    r->disk = g_strdup_printf("%s/disk", r->dir);
    sva_make_disk(qts, r->disk);
    sva_snapshot_save(qts);
    sva_stream_be_snapshot(r->stream, r->disk);
}

static Rig *rig_start(void)
{
    Rig *r = g_new0(Rig, 1);
    SvaQtest *t;

    r->pf = dev_start(PLAIN_MACHINE, DEVICE);
    t = r->pf->t;

    r->sriov = sva_find_ecap(t, 0, r->pf->devfn, PCI_EXT_CAP_ID_SRIOV);
    t->mmio_next = QEMU_ALIGN_UP(t->mmio_next, 0x10000);
    r->vf = (Dev) { .t = t, .devfn = r->pf->devfn + 0x80, .bar = t->mmio_next };
    t->mmio_next += 0x10000;
    enable_functions(r);
    r->queue[0] = queue_with_jobs(r->pf);
    r->queue[1] = queue_with_jobs(&r->vf);
    take_snapshot(r);
    return r;
}

static void rig_stop(Rig *r)
{
    sva_stream_free(r->stream);
    dev_stop(r->pf);
    unlink(r->disk);
    rmdir(r->dir);
    g_free(r->disk);
    g_free(r->dir);
    g_free(r);
}

/*
 * Without a reset of the function: what a stream left behind would still be
 * there. What it said of configuration space is made good, as software does.
 */
static void assert_functions_work(Rig *r)
{
    for (unsigned i = 0; i < 2; i++) {
        Queue *q = &r->queue[i];

        if (i == 0) {
            restore_function(r->pf);
        } else {
            enable_functions(r);
        }
        q_write32(q, PASID_DEV_Q_CTRL, 0);
        g_assert_cmpuint(q32(q, PASID_DEV_Q_IN_WORK), ==, 0);
        queue_program(q, NO_PASID);
        q_write32(q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE |
                  PASID_DEV_Q_CTRL_JOBS(2));
        q->tail = 0;
        for (unsigned k = 0; k < 3; k++) {
            g_assert_cmpuint(run(q, (PasidDevDescriptor) { 0 }).status, ==,
                             PASID_DEV_DONE_OK);
        }
    }
}

/* With @bytes of the stream at @at changed to @with */
static bool is_taken(Rig *r, size_t at, const uint8_t *with, size_t bytes)
{
    g_autofree uint8_t *kept = g_memdup2(r->stream->bytes + at, bytes);
    bool taken;

    memcpy(r->stream->bytes + at, with, bytes);
    sva_stream_store(r->stream, r->disk, at, bytes);
    taken = sva_snapshot_try(r->pf->t->qts);
    memcpy(r->stream->bytes + at, kept, bytes);
    sva_stream_store(r->stream, r->disk, at, bytes);
    return taken;
}

/* ---- Fields ------------------------------------------------------------- */

typedef struct Field {
    char *path;
    size_t at, bytes;
} Field;

static void field_clear(void *opaque)
{
    g_free(((Field *)opaque)->path);
}

/* Of an array of bytes or of groups, the ends are enough. */
static bool is_inner_element(const char *path)
{
    const char *window = strstr(path, "window["), *group = strstr(path, "groups[");
    unsigned i = window ? atoi(window + strlen("window[")) :
                 group ? atoi(group + strlen("groups[")) : 0;

    return i && i != (window ? 63 : 511);
}

static void note_field(void *opaque, const char *path, size_t at, size_t bytes)
{
    Field f = { .path = g_strdup(path), .at = at, .bytes = bytes };

    if (is_inner_element(path)) {
        g_free(f.path);
    } else {
        g_array_append_val((GArray *)opaque, f);
    }
}

static GArray *fields_of(const SvaStream *s)
{
    GArray *fields = g_array_new(false, false, sizeof(Field));

    g_array_set_clear_func(fields, field_clear);
    sva_stream_each(s, note_field, fields);
    return fields;
}

/* That they are where the description says */
static void assert_places(const Rig *r, const GArray *fields)
{
    const Field *last = &g_array_index(fields, Field, fields->len - 1);
    unsigned rings = 0;

    for (unsigned i = 0; i < fields->len; i++) {
        const Field *f = &g_array_index(fields, Field, i);

        if (g_str_has_suffix(f->path, "queues[0]/ring[0]")) {
            g_assert_cmphex(ldq_be_p(r->stream->bytes + f->at), ==,
                            r->queue[rings++].ring);
        }
    }
    g_assert_cmpuint(rings, ==, 2);
    g_assert_cmpuint(last->at + last->bytes, <, r->stream->len);
}

/*
 * Each field by itself is as large as can be, or half of that. Whether that is
 * refused or not: nothing is used before it was judged.
 */
static void test_extremes(void)
{
    static const uint8_t first[] = { 0xff, 0x7f };
    Rig *r = rig_start();
    g_autoptr(GArray) fields = fields_of(r->stream);
    unsigned taken = 0, refused = 0;

    assert_places(r, fields);
    for (unsigned i = 0; i < fields->len; i++) {
        const Field *f = &g_array_index(fields, Field, i);
        g_autofree uint8_t *value = g_malloc(f->bytes);

        for (unsigned k = 0; k < ARRAY_SIZE(first); k++) {
            memset(value, 0xff, f->bytes);
            value[0] = first[k];
            g_test_message("%s %s", f->path, k ? "half" : "all");
            if (is_taken(r, f->at, value, f->bytes)) {
                taken++;
            } else {
                refused++;
            }
            assert_functions_work(r);
        }
    }
    g_test_message("%u taken, %u refused", taken, refused);
    g_assert_cmpuint(taken, >, 0);
    g_assert_cmpuint(refused, >, 0);
    rig_stop(r);
}

/*
 * From a place on the stream is no more what was sent. What came before it was
 * good by itself, as is that of a stream that breaks off there.
 */
static void test_torn(void)
{
    static const uint8_t rest[] = { 0xff, 0x01, 0x00 };
    unsigned values = 2;
    Rig *r = rig_start();
    g_autoptr(GArray) fields = fields_of(r->stream);
    const Field *last = &g_array_index(fields, Field, fields->len - 1);
    size_t end = last->at + last->bytes;

    assert_places(r, fields);
    for (unsigned i = 0; i < fields->len; i++) {
        const Field *f = &g_array_index(fields, Field, i);
        g_autofree uint8_t *value = g_malloc(end - f->at);

        memset(value, rest[i % values], end - f->at);
        g_test_message("%s", f->path);
        /* QEMU takes a PCIDevice's version 0, and then no higher one again. */
        if (i >= fields->len / 2 && strstr(f->path, "/pasid_target")) {
            values = ARRAY_SIZE(rest);
        }
        is_taken(r, f->at, value, end - f->at);
        assert_functions_work(r);
    }
    /* And as it was it is taken, jobs in work and all. */
    g_assert_true(sva_snapshot_try(r->pf->t->qts));
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(q32(&r->queue[i], PASID_DEV_Q_IN_WORK), ==, 2);
        g_assert_cmphex(q64(&r->queue[i], PASID_DEV_Q_RING), ==,
                        r->queue[i].ring);
    }
    assert_functions_work(r);
    rig_stop(r);
}

/* A stream that ends there leaves the queues as a reset does. */
static void test_cut_short(void)
{
    static const char *const places[] = {
        "tmp/pasid_target", "tmp/queues", "tmp/queues[0]/ctrl",
        "tmp/queues[0]/taken", "tmp/queues[0]/jobs[0]/phase",
        "tmp/queues[0]/jobs[1]/phase", "tmp/queues[1]/pasid",
        "tmp/queues[1]/jobs[1]/member/status",
    };
    Dev *d = dev_start(PLAIN_MACHINE, "-device pasid-dev,queues=2,jobs=2");
    Queue q[2] = { queue_with_jobs(d) };
    SvaStream *s;
    size_t whole;

    q[1] = queue_open(d, 1, 2, NO_PASID);
    s = sva_stream_take(d->t, "pasid-dev");
    whole = s->len;
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        Dev after = *d;

        g_test_message("%s", places[i]);
        sva_stream_cut(s, places[i]);
        after.t = sva_stream_go_on(s, d->t, PLAIN_MACHINE,
                                   "-device pasid-dev,queues=2,jobs=2", true);
        for (unsigned n = 0; n < 2; n++) {
            Queue left = q[n];

            left.d = &after;
            g_assert_cmphex(q64(&left, PASID_DEV_Q_RING), ==, 0);
            g_assert_cmphex(q32(&left, PASID_DEV_Q_CTRL), ==, 0);
            g_assert_cmphex(q32(&left, PASID_DEV_Q_TAIL), ==, 0);
            g_assert_cmpuint(q32(&left, PASID_DEV_Q_IN_WORK), ==, 0);
        }
        g_assert_cmpuint(admin64(&after, PASID_DEV_COUNT_BYTES), ==, 0);
        sva_stop(after.t);
        s->len = whole;
    }
    sva_stream_free(s);
    dev_stop(d);
}

/*
 * More virtual functions than there are: QEMU, which enables them while it loads,
 * trusts the number. It is refused before, and not left in configuration space.
 */
static void test_too_many_vfs(void)
{
    static const uint16_t counts[] = { 2, 0x100, 0xffff };
    Rig *r = rig_start();
    g_autoptr(GArray) fields = fields_of(r->stream);
    const Field *config = NULL;

    for (unsigned i = 0; i < fields->len && !config; i++) {
        const Field *f = &g_array_index(fields, Field, i);

        config = strstr(f->path, "/config") ? f : NULL;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
        uint8_t count[2];

        stw_le_p(count, counts[i]);
        g_assert_false(is_taken(r, config->at + r->sriov + PCI_SRIOV_NUM_VF,
                                count, sizeof(count)));
        /* A write of the capability has QEMU look at it again. */
        pf_write(r, PCI_SRIOV_SYS_PGSIZE, 4, 1);
        assert_functions_work(r);
    }
    rig_stop(r);
}

/*
 * Page requests likewise: what a stream said of them before it was refused is
 * not there when the next one is sent.
 */
static void test_page_requests(void)
{
    static const uint8_t too_high[2] = { 0xff, 0xff };
    Rig *r = g_new0(Rig, 1);
    g_autoptr(GArray) fields = NULL;
    uint64_t missing;
    SvaQtest at_save;
    uint16_t group;
    unsigned index;
    Dev *d;
    Queue q;

    r->pf = d = pri_start("");
    q = queue_open(d, 0, 2, PASID(THE_PASID));
    missing = process_alloc(d, PAGE);
    ats_unmap(d, missing, PAGE);
    take_snapshot(r);
    at_save = *d->t;
    fields = fields_of(r->stream);
    for (unsigned i = 0; i < fields->len; i++) {
        const Field *f = &g_array_index(fields, Field, i);

        if (strstr(f->path, "/next_index[")) {
            g_assert_false(is_taken(r, f->at, too_high, f->bytes));
        }
    }
    *d->t = at_save;
    restore_function(d);
    enable_pasids(d);
    ats_control(d, true);
    pri_enable(d, 4);
    queue_program(&q, PASID(THE_PASID));
    q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    index = submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(d, missing), .len = PAGE });
    group = expect_page_request(d, va(d, missing), false, true);
    map(d, missing, PAGE);
    pri_respond(d, THE_PASID, group, CMD_PRI_RESP_SUCCESS);
    g_assert_cmpuint(wait_for(&q, index).status, ==, PASID_DEV_DONE_OK);
    rig_stop(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/stream/cut-short", test_cut_short);
    g_test_add_func("/pasid-dev/stream/extremes", test_extremes);
    g_test_add_func("/pasid-dev/stream/page-requests", test_page_requests);
    g_test_add_func("/pasid-dev/stream/too-many-vfs", test_too_many_vfs);
    g_test_add_func("/pasid-dev/stream/torn", test_torn);

    return g_test_run();
}
