/*
 * See stall.h. Each stall is in up to three lists and two tables at once, so
 * that whatever names it - a STAG, a StreamID, a cookie - finds it without a
 * search.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stall.h"
#include <string.h>
#include "../signal/signal.h"
#include "event.h"

/*
 * How many may wait for a STAG or for room in the queue. Requesters bound what
 * they have in flight; this is for one that does not.
 */
enum { WAITING_MAX = 65536 };

/*
 * Places in the table by cookie, with two stalls each when there are most. Not a
 * GHashTable: one that grows or shrinks moves all that it has in one call, which
 * takes milliseconds with so many.
 */
enum { COOKIE_PLACES_LOG2 = 16 };

typedef struct Stall {
    uint64_t serial;        /* in the order of arrival, from 1 */
    uint32_t sid;
    bool recorded;          /* has a STAG, and its record is in the queue */
    uint16_t stag;
    bool has_requester;     /* false: cancelled, or from a saved state */
    void *cookie;
    struct Stall *next_alike;   /* at the same place of by_cookie */
    uint64_t event[SMMU3_EVENT_WORDS];
    GList in_all, in_stream, in_waiting;    /* links, this as data */
} Stall;

struct Smmu3StallTable {
    size_t max;             /* IDR5.STALL_MAX */
    Stall **by_stag;        /* max of them */
    size_t recorded;        /* taken places in by_stag */
    uint16_t *free_stags;   /* a ring of max places; those not recorded */
    size_t first_free;      /* in it: the one that is free for longest */
    uint64_t serial;        /* the last one given out */
    uint64_t doomed;        /* serials up to this one are to be terminated */
    GQueue all;             /* in the order of arrival */
    GQueue waiting;         /* not recorded, in the order of arrival */
    GQueue spare;           /* memory of those that are over */
    GHashTable *by_sid;     /* GUINT: GQueue of Stall */
    Stall **by_cookie;      /* those that have a requester; lists at places */
};

/* Make the ring of free STAGs anew. */
static void collect_free_stags(Smmu3StallTable *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->max; i++) {
        if (!table->by_stag[i]) {
            table->free_stags[count++] = i;
        }
    }
    table->first_free = 0;
}

Smmu3StallTable *smmu3_stall_table_new(size_t stall_max)
{
    Smmu3StallTable *table = g_new0(Smmu3StallTable, 1);

    table->max = stall_max;
    table->by_stag = g_new0(Stall *, stall_max);
    table->free_stags = g_new0(uint16_t, stall_max);
    collect_free_stags(table);
    g_queue_init(&table->all);
    g_queue_init(&table->waiting);
    g_queue_init(&table->spare);
    table->by_sid = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                          g_free);
    table->by_cookie = g_new0(Stall *, 1u << COOKIE_PLACES_LOG2);
    return table;
}

/* ---- The table -------------------------------------------------------- */

/*
 * Kept for the next stall and not freed: after a flood of them the allocator
 * would give all of it back to the host at once, in one call that it chooses.
 */
static void keep_memory(Smmu3StallTable *table, Stall *stall)
{
    g_queue_push_head_link(&table->spare, &stall->in_all);
}

static Stall *take_memory(Smmu3StallTable *table)
{
    GList *link = g_queue_pop_head_link(&table->spare);

    if (!link) {
        return g_new0(Stall, 1);
    }
    return memset(link->data, 0, sizeof(Stall));
}

static Stall *add(Smmu3StallTable *table, uint32_t sid,
                  const uint64_t event[SMMU3_EVENT_WORDS])
{
    Stall *stall = take_memory(table);
    GQueue *stream = g_hash_table_lookup(table->by_sid, GUINT_TO_POINTER(sid));

    stall->serial = ++table->serial;
    stall->sid = sid;
    memcpy(stall->event, event, sizeof(stall->event));
    stall->in_all.data = stall->in_stream.data = stall->in_waiting.data = stall;
    if (!stream) {
        stream = g_new0(GQueue, 1);
        g_hash_table_insert(table->by_sid, GUINT_TO_POINTER(sid), stream);
    }
    g_queue_push_tail_link(&table->all, &stall->in_all);
    g_queue_push_tail_link(stream, &stall->in_stream);
    return stall;
}

/* The first of the list that a stall of @cookie is in. */
static Stall **cookie_place(Smmu3StallTable *table, const void *cookie)
{
    uint64_t hash = (uintptr_t)cookie * UINT64_C(0x9e3779b97f4a7c15);

    return &table->by_cookie[hash >> (64 - COOKIE_PLACES_LOG2)];
}

static Stall *find_requester(Smmu3StallTable *table, const void *cookie)
{
    Stall *stall = *cookie_place(table, cookie);

    while (stall && stall->cookie != cookie) {
        stall = stall->next_alike;
    }
    return stall;
}

static void set_requester(Smmu3StallTable *table, Stall *stall, void *cookie)
{
    Stall **first = cookie_place(table, cookie);

    stall->has_requester = true;
    stall->cookie = cookie;
    stall->next_alike = *first;
    *first = stall;
}

static void drop_requester(Smmu3StallTable *table, Stall *stall)
{
    Stall **link;

    if (!stall->has_requester) {
        return;
    }
    for (link = cookie_place(table, stall->cookie); *link != stall;
         link = &(*link)->next_alike) {
        /* it is there */
    }
    *link = stall->next_alike;
    stall->has_requester = false;
}

static void remove_stall(Smmu3StallTable *table, Stall *stall)
{
    GQueue *stream = g_hash_table_lookup(table->by_sid,
                                         GUINT_TO_POINTER(stall->sid));

    drop_requester(table, stall);
    if (stall->recorded) {
        size_t free_count = table->max - table->recorded;

        table->by_stag[stall->stag] = NULL;
        table->free_stags[(table->first_free + free_count) % table->max] =
            stall->stag;
        table->recorded--;
    } else {
        g_queue_unlink(&table->waiting, &stall->in_waiting);
    }
    g_queue_unlink(&table->all, &stall->in_all);
    g_queue_unlink(stream, &stall->in_stream);
    if (g_queue_is_empty(stream)) {
        g_hash_table_remove(table->by_sid, GUINT_TO_POINTER(stall->sid));
    }
    keep_memory(table, stall);
}

static void remove_all(Smmu3StallTable *table)
{
    while (!g_queue_is_empty(&table->all)) {
        remove_stall(table, g_queue_peek_head(&table->all));
    }
}

void smmu3_stall_table_free(Smmu3StallTable *table)
{
    GList *link;

    remove_all(table);
    while ((link = g_queue_pop_head_link(&table->spare))) {
        g_free(link->data);
    }
    g_free(table->by_cookie);
    g_hash_table_destroy(table->by_sid);
    g_free(table->by_stag);
    g_free(table->free_stags);
    g_free(table);
}

/* Only smmu3_stall_drain() has still to do with it. */
static bool is_doomed(const Smmu3StallTable *table, const Stall *stall)
{
    return stall->serial <= table->doomed;
}

/* ---- Stalling --------------------------------------------------------- */

/* Give @stall a STAG and write its record. False: not now. */
static bool record(Smmu3 *s, Stall *stall)
{
    Smmu3StallTable *table = s->stalls;
    uint64_t event[SMMU3_EVENT_WORDS];
    uint16_t stag;

    if (table->recorded >= table->max) {
        return false;
    }
    stag = table->free_stags[table->first_free];
    memcpy(event, stall->event, sizeof(event));
    smmu3_set(event, EVENT_STALL, 1);
    smmu3_set(event, EVENT_STAG, stag);
    if (smmu3_event_write(s, event) != SMMU3_EVENT_WRITTEN) {
        return false;
    }
    memcpy(stall->event, event, sizeof(event));
    stall->stag = stag;
    stall->recorded = true;
    table->by_stag[stag] = stall;
    table->first_free = (table->first_free + 1) % table->max;
    table->recorded++;
    if (s->audit) {
        smmu3_audit_stall(s->audit, stall->sid, stag, SMMU3_ANSWER_DUE);
    }
    smmu3_trace(s, SMMU3_TRACE_STALL, stall->sid,
                smmu3_get(event, EVENT_SUBSTREAMID), stag,
                smmu3_get(event, EVENT_INPUT_ADDR));
    return true;
}

bool smmu3_stall(Smmu3 *s, const Smmu3Transaction *t,
                 const uint64_t event[SMMU3_EVENT_WORDS], uint16_t *stag)
{
    Smmu3StallTable *table = s->stalls;
    Stall *stall;

    if (g_queue_get_length(&table->waiting) >= WAITING_MAX) {
        return false;
    }
    smmu3_count(&s->counters.stalls);
    stall = add(table, t->sid, event);
    set_requester(table, stall, t->cookie);
    /* Records are in the order of the faults: behind those that wait */
    if (g_queue_is_empty(&table->waiting) && record(s, stall)) {
        *stag = stall->stag;
    } else {
        g_queue_push_tail_link(&table->waiting, &stall->in_waiting);
    }
    return true;
}

unsigned smmu3_stall_flush(Smmu3 *s, unsigned max)
{
    GQueue *waiting = &s->stalls->waiting;
    unsigned done = 0;

    while (done < max && !g_queue_is_empty(waiting)) {
        Stall *stall = g_queue_peek_head(waiting);

        if (is_doomed(s->stalls, stall) || !record(s, stall)) {
            break;
        }
        g_queue_unlink(waiting, &stall->in_waiting);
        done++;
    }
    return done;
}

/* ---- Resolving -------------------------------------------------------- */

static void resolve(Smmu3 *s, Stall *stall, Smmu3Resolution how)
{
    if (stall->has_requester) {
        Smmu3Mail mail = {
            .kind = SMMU3_MAIL_STALL_RESOLVED,
            .stall = { .cookie = stall->cookie, .how = how },
        };

        smmu3_post(s, &mail);
    }
    smmu3_trace(s, SMMU3_TRACE_RESOLVE, stall->sid, stall->stag, how,
                stall->recorded);
    remove_stall(s->stalls, stall);
}

void smmu3_stall_resume(Smmu3 *s, uint32_t sid, uint16_t stag,
                        Smmu3Resolution how)
{
    Smmu3StallTable *table = s->stalls;
    Stall *stall = stag < table->max ? table->by_stag[stag] : NULL;

    if (s->audit) {
        smmu3_audit_resume(s->audit, sid, stag);
    }
    if (!stall || stall->sid != sid || is_doomed(table, stall)) {
        return;
    }
    smmu3_count(how == SMMU3_RESOLVE_RETRY ? &s->counters.resumes_retry
                                           : &s->counters.resumes_abort);
    resolve(s, stall, how);
}

static void terminate(Smmu3 *s, Stall *stall)
{
    smmu3_count(&s->counters.stalls_terminated);
    if (s->audit && stall->recorded) {
        smmu3_audit_stall(s->audit, stall->sid, stall->stag,
                          SMMU3_ANSWER_LATE);
    }
    resolve(s, stall, SMMU3_RESOLVE_ABORT);
}

uint64_t smmu3_stall_mark(const Smmu3 *s)
{
    return s->stalls->serial + 1;
}

unsigned smmu3_stall_terminate(Smmu3 *s, uint32_t sid, uint64_t before,
                               unsigned max)
{
    unsigned done;

    for (done = 0; done < max; done++) {
        GQueue *stream = g_hash_table_lookup(s->stalls->by_sid,
                                             GUINT_TO_POINTER(sid));
        Stall *stall = stream ? g_queue_peek_head(stream) : NULL;

        if (!stall || stall->serial >= before) {
            break;
        }
        terminate(s, stall);
    }
    return done;
}

unsigned smmu3_stall_retry_unrecorded(Smmu3 *s, uint64_t before, unsigned max)
{
    unsigned done;

    for (done = 0; done < max; done++) {
        Stall *stall = g_queue_peek_head(&s->stalls->waiting);

        if (!stall || stall->serial >= before) {
            break;
        }
        resolve(s, stall, SMMU3_RESOLVE_RETRY);
    }
    return done;
}

void smmu3_stall_terminate_all(Smmu3 *s)
{
    s->stalls->doomed = s->stalls->serial;
}

unsigned smmu3_stall_drain(Smmu3 *s, unsigned max)
{
    unsigned done;

    for (done = 0; done < max; done++) {
        Stall *stall = g_queue_peek_head(&s->stalls->all);

        if (!stall || !is_doomed(s->stalls, stall)) {
            break;
        }
        terminate(s, stall);
    }
    return done;
}

void smmu3_stall_cancel(Smmu3 *s, void *cookie)
{
    Stall *stall = find_requester(s->stalls, cookie);

    if (!stall) {
        smmu3_outbox_forget(&s->outbox, cookie);    /* resolved, perhaps */
    } else {
        smmu3_count(&s->counters.stalls_cancelled);
        if (stall->recorded) {
            /* Software knows its STAG, and still has to answer */
            drop_requester(s->stalls, stall);
        } else {
            remove_stall(s->stalls, stall);
        }
    }
}

unsigned smmu3_stall_count(const Smmu3 *s)
{
    return g_queue_get_length(&s->stalls->all);
}

/* ---- Saving and loading ----------------------------------------------- */

GArray *smmu3_stall_save(Smmu3 *s)
{
    GArray *array = g_array_new(FALSE, TRUE, sizeof(Smmu3SavedStall));

    for (GList *link = s->stalls->all.head; link; link = link->next) {
        const Stall *stall = link->data;
        Smmu3SavedStall saved = {
            .sid = stall->sid,
            .stag = stall->stag,
            .recorded = stall->recorded,
        };

        memcpy(saved.event, stall->event, sizeof(saved.event));
        if (!is_doomed(s->stalls, stall)) {
            g_array_append_val(array, saved);
        }
    }
    return array;
}

void smmu3_stall_forget_all(Smmu3 *s)
{
    remove_all(s->stalls);
    collect_free_stags(s->stalls);
}

bool smmu3_stall_restore(Smmu3 *s, const Smmu3SavedStall *saved)
{
    Smmu3StallTable *table = s->stalls;
    Stall *stall;

    if (!saved->recorded) {
        return true;    /* software never heard of it; it comes again */
    }
    if (saved->stag >= table->max || table->by_stag[saved->stag]) {
        return false;
    }
    stall = add(table, saved->sid, saved->event);
    stall->recorded = true;
    stall->stag = saved->stag;
    table->by_stag[saved->stag] = stall;
    table->recorded++;
    return true;
}

void smmu3_stall_restored(Smmu3 *s)
{
    collect_free_stags(s->stalls);
}
