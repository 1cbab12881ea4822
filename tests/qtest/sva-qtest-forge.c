/*
 * Forged migration streams, see sva-qtest-forge.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "sva-qtest-forge.h"

/* QEMU's marks: migration/savevm.h */
enum { SECTION_FULL = 4, DESCRIPTION = 6 };
/* Of a subsection, before and after its name */
enum { SUBSECTION_HEAD = 2, SUBSECTION_VERSION = 4 };

/* ---- A stream in memory ------------------------------------------------- */

static char *migration_status(QTestState *qts)
{
    QDict *info = qtest_qmp_assert_success_ref(qts,
                                               "{'execute': 'query-migrate'}");
    char *status = g_strdup(qdict_haskey(info, "status") ?
                            qdict_get_str(info, "status") : "none");

    qobject_unref(info);
    return status;
}

/* Its last status: "completed" or "failed". */
static bool migration_succeeds(QTestState *qts)
{
    gint64 end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;

    while (true) {
        g_autofree char *status = migration_status(qts);

        if (g_str_equal(status, "completed") || g_str_equal(status, "failed")) {
            return g_str_equal(status, "completed");
        }
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

static QDict *description_of(const uint8_t *bytes, size_t len)
{
    for (size_t at = 5; at < len; at++) {
        if (bytes[at] == '{' && bytes[at - 5] == DESCRIPTION &&
            (uint32_t)ldl_be_p(bytes + at - 4) == len - at) {
            g_autofree char *json = g_strndup((char *)bytes + at, len - at);

            return qobject_to(QDict, qobject_from_json(json, &error_abort));
        }
    }
    g_assert_not_reached();
}

/* Behind the head of the section of @name. */
static size_t section_of(const uint8_t *bytes, size_t len, const char *name)
{
    size_t n = strlen(name);

    for (size_t at = 0; at + 6 + n + 8 < len; at++) {
        if (bytes[at] == SECTION_FULL && bytes[at + 5] == n &&
            !memcmp(bytes + at + 6, name, n)) {
            return at + 6 + n + 8;
        }
    }
    g_assert_not_reached();
}

SvaStream *sva_stream_take(SvaQtest *t, const char *device)
{
    SvaStream *s = g_new0(SvaStream, 1);
    g_autofree char *dir = g_dir_make_tmp("sva-qtest-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    QListEntry *entry;
    QDict *all;

    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", uri);
    g_assert_true(migration_succeeds(t->qts));
    g_assert_true(g_file_get_contents(file, (char **)&s->bytes, &s->len, NULL));
    unlink(file);
    rmdir(dir);
    all = description_of(s->bytes, s->len);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(all, "devices"), entry) {
        QDict *each = qobject_to(QDict, qlist_entry_obj(entry));

        if (g_str_equal(qdict_get_str(each, "vmsd_name"), device)) {
            s->fields = qobject_ref(each);
        }
    }
    g_assert_nonnull(s->fields);
    s->state = section_of(s->bytes, s->len, qdict_get_str(s->fields, "name"));
    qobject_unref(all);
    return s;
}

void sva_stream_free(SvaStream *s)
{
    qobject_unref(s->fields);
    g_free(s->bytes);
    g_free(s);
}

/* ---- Fields ------------------------------------------------------------- */

/*
 * @name of @d, which is a structure at @at: its description, and where it is.
 * A field's size is that of one element; "array_len" says how many there are.
 */
static const QDict *field_of(const QDict *d, const char *name, size_t *at)
{
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qobject_to(QList, qdict_get(d, "fields")), entry) {
        const QDict *each = qobject_to(QDict, qlist_entry_obj(entry));

        if (g_str_equal(qdict_get_str(each, "name"), name)) {
            return each;
        }
        *at += qdict_get_int(each, "size") *
               qdict_get_try_int(each, "array_len", 1);
    }
    return NULL;
}

/* A structure's own fields: beside its name or, by VMSTATE_WITH_TMP, in it. */
static const QDict *inside(const QDict *field)
{
    return qdict_haskey(field, "struct") ? qdict_get_qdict(field, "struct")
                                         : field;
}

static uint8_t *find(const SvaStream *s, const char *path, size_t *bytes)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    const QDict *d = s->fields;
    size_t at = s->state;

    for (unsigned i = 0; names[i]; i++) {
        char *index = strchr(names[i], '[');
        const QDict *field;

        if (index) {
            *index++ = '\0';
        }
        field = field_of(i ? inside(d) : d, names[i], &at);
        if (!field) {
            g_error("the stream has no %s", path);
        }
        *bytes = qdict_get_int(field, "size");
        at += *bytes * (index ? strtoul(index, NULL, 10) : 0);
        d = field;
    }
    return s->bytes + at;
}

uint64_t sva_stream_get(const SvaStream *s, const char *path)
{
    size_t bytes;
    const uint8_t *at = find(s, path, &bytes);

    return ldn_be_p(at, bytes);
}

void sva_stream_set(SvaStream *s, const char *path, uint64_t value)
{
    size_t bytes;
    uint8_t *at = find(s, path, &bytes);

    stn_be_p(at, bytes, value);
}

void sva_stream_cut(SvaStream *s, const char *path)
{
    size_t bytes;

    s->len = find(s, path, &bytes) - s->bytes;
}

/* ---- All of them -------------------------------------------------------- */

typedef struct Walk {
    SvaFieldVisit *visit;
    void *opaque;
    size_t at;
} Walk;

static void walk_structure(Walk *w, const QDict *d, const char *path);

static void walk_field(Walk *w, const QDict *field, const char *path)
{
    size_t bytes = qdict_get_int(field, "size");
    const QDict *d = inside(field);

    if (qdict_haskey(d, "fields")) {
        walk_structure(w, d, path);
    } else {
        w->visit(w->opaque, path, w->at, bytes);
        w->at += bytes;
    }
}

static void walk_structure(Walk *w, const QDict *d, const char *path)
{
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qobject_to(QList, qdict_get(d, "fields")), entry) {
        const QDict *each = qobject_to(QDict, qlist_entry_obj(entry));
        int count = qdict_get_try_int(each, "array_len", 1);

        for (int i = 0; i < count; i++) {
            g_autofree char *name = g_strdup_printf(
                "%s/%s[%d]", path, qdict_get_str(each, "name"), i);

            walk_field(w, each, name);
        }
    }
    if (!qdict_haskey(d, "subsections")) {
        return;
    }
    QLIST_FOREACH_ENTRY(qobject_to(QList, qdict_get(d, "subsections")), entry) {
        const QDict *each = qobject_to(QDict, qlist_entry_obj(entry));
        const char *name = qdict_get_str(each, "vmsd_name");

        w->at += SUBSECTION_HEAD + strlen(name) + SUBSECTION_VERSION;
        walk_structure(w, each, name);
    }
}

void sva_stream_each(const SvaStream *s, SvaFieldVisit *visit, void *opaque)
{
    Walk w = { .visit = visit, .opaque = opaque, .at = s->state };

    walk_structure(&w, s->fields, "");
}

/* ---- In a snapshot ------------------------------------------------------- */

void sva_stream_be_snapshot(SvaStream *s, const char *file)
{
    g_free(s->bytes);
    g_assert_true(g_file_get_contents(file, (char **)&s->bytes, &s->len, NULL));
    s->state = section_of(s->bytes, s->len, qdict_get_str(s->fields, "name"));
}

/* Not g_file_set_contents(), which makes another file. */
void sva_stream_store(const SvaStream *s, const char *file, size_t at,
                      size_t bytes)
{
    int fd = open(file, O_WRONLY);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, s->bytes + at, bytes, at), ==, bytes);
    close(fd);
}

/* ---- The other side ------------------------------------------------------ */

/* @said: where QEMU's messages go. */
static SvaQtest *give(const SvaStream *s, const char *machine,
                      const char *args, const char *said, bool *succeeds)
{
    g_autofree char *dir = g_dir_make_tmp("sva-qtest-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *incoming = g_strdup_printf("%s -incoming defer 2>%s", args,
                                                said);
    SvaQtest *to = sva_start_machine(machine, incoming);

    g_assert_true(g_file_set_contents(file, (char *)s->bytes, s->len, NULL));
    qtest_qmp_assert_success(to->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s, 'exit-on-error': false}}",
                             uri);
    *succeeds = migration_succeeds(to->qts);
    unlink(file);
    rmdir(dir);
    return to;
}

SvaQtest *sva_stream_go_on(const SvaStream *s, const SvaQtest *t,
                           const char *machine, const char *args,
                           bool is_refused)
{
    bool succeeds;
    SvaQtest *to = give(s, machine, args, "/dev/stderr", &succeeds);
    QTestState *qts = to->qts;

    g_assert_cmpint(succeeds, !=, is_refused);
    *to = *t;
    to->qts = qts;
    return to;
}

char *sva_stream_give(const SvaStream *s, const char *machine, const char *args)
{
    g_autofree char *said = NULL;
    int fd = g_file_open_tmp("sva-qtest-XXXXXX", &said, NULL);
    char *text = NULL;
    bool succeeds;

    close(fd);
    sva_stop(give(s, machine, args, said, &succeeds));
    if (!succeeds) {
        g_assert_true(g_file_get_contents(said, &text, NULL, NULL));
    }
    unlink(said);
    return text;
}
