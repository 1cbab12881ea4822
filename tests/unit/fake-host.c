/*
 * See fake-host.h. Words are kept in memory as the guest's bytes, little-
 * endian, so that the tests also show what a byte-wise observer would. Each is
 * read and written atomically, for tests with threads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fake-host.h"
#include <string.h>
#include "core/smmu3.h"

#define PAGE_BYTES 4096u

typedef struct FakePage {
    bool readonly;
    uint64_t words[PAGE_BYTES / 8];     /* little-endian */
} FakePage;

static FakePage *page_at(FakeHost *host, uint64_t pa)
{
    uint64_t number = pa / PAGE_BYTES;

    return g_hash_table_lookup(host->pages, &number);
}

static uint64_t *word_at(FakeHost *host, uint64_t pa)
{
    FakePage *page = page_at(host, pa);

    g_assert_cmphex(pa % 8, ==, 0);
    return page ? &page->words[pa % PAGE_BYTES / 8] : NULL;
}

static uint64_t load(const uint64_t *word)
{
    return GUINT64_FROM_LE(__atomic_load_n(word, __ATOMIC_RELAXED));
}

static void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, GUINT64_TO_LE(value), __ATOMIC_RELAXED);
}

/* ---- The core's calls -------------------------------------------------- */

static bool host_read(void *opaque, uint64_t pa, uint64_t *words,
                      unsigned count)
{
    FakeHost *host = opaque;

    host->reads++;
    if (host->before_read) {
        host->before_read(host, pa);
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t *word = word_at(host, pa + 8 * i);

        if (!word) {
            return false;
        }
        words[i] = load(word);
    }
    return true;
}

static bool host_write(void *opaque, uint64_t pa, const uint64_t *words,
                       unsigned count)
{
    FakeHost *host = opaque;

    host->writes++;
    for (unsigned i = 0; i < count; i++) {
        uint64_t *word = word_at(host, pa + 8 * i);

        if (!word || page_at(host, pa + 8 * i)->readonly) {
            return false;
        }
        store(word, words[i]);
    }
    return true;
}

static Smmu3Cas host_cas(void *opaque, uint64_t pa, uint64_t *expected,
                         uint64_t desired)
{
    FakeHost *host = opaque;
    uint64_t *word, found;

    host->cases++;
    if (host->before_cas) {
        host->before_cas(host, pa);
    }
    word = word_at(host, pa);
    if (!word || page_at(host, pa)->readonly) {
        return SMMU3_CAS_ABORT;
    }
    found = GUINT64_TO_LE(*expected);
    if (!__atomic_compare_exchange_n(word, &found, GUINT64_TO_LE(desired),
                                     false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED)) {
        *expected = GUINT64_FROM_LE(found);
        return SMMU3_CAS_LOST;
    }
    return SMMU3_CAS_DONE;
}

static void host_kick(void *opaque)
{
    ((FakeHost *)opaque)->kicks++;
}

static void host_irq(void *opaque, Smmu3Irq irq)
{
    ((FakeHost *)opaque)->irqs[irq]++;
}

/* An MSI target in memory is written there; in a hole it aborts. */
static bool host_msi(void *opaque, uint64_t pa, uint32_t data)
{
    FakeHost *host = opaque;
    FakeMsi msi = { pa, data };
    FakePage *page = page_at(host, pa);

    g_array_append_val(host->msis, msi);
    if (!page || page->readonly) {
        return false;
    }
    data = GUINT32_TO_LE(data);
    memcpy((char *)page->words + (pa % PAGE_BYTES & ~UINT64_C(3)), &data, 4);
    return true;
}

static void host_send_event(void *opaque)
{
    ((FakeHost *)opaque)->sent_events++;
}

static bool host_quiesce(void *opaque)
{
    FakeHost *host = opaque;

    host->quiesces++;
    host->told_when_asked = host->tlb_invalidations->len +
                            host->config_invalidations;
    return !host->quiesce_later;
}

static void host_stall_resolved(void *opaque, void *cookie,
                                Smmu3Resolution how)
{
    FakeResolution resolution = { cookie, how };
    FakeHost *host = opaque;

    if (host->on_resolved) {
        host->on_resolved(host, cookie);
    }
    g_array_append_val(host->resolutions, resolution);
}

static void host_atc_invalidate(void *opaque, const Smmu3AtcInvalidate *inv)
{
    FakeHost *host = opaque;

    g_array_append_vals(host->atc_invalidations, inv, 1);
    if (host->smmu && !host->atc_answers_later) {
        smmu3_atc_invalidated(host->smmu, inv->batch);
    }
}

static void host_prg_response(void *opaque, const Smmu3PrgResponse *response)
{
    g_array_append_vals(((FakeHost *)opaque)->prg_responses, response, 1);
}

static void host_config_invalidated(void *opaque)
{
    ((FakeHost *)opaque)->config_invalidations++;
}

static void host_tlb_invalidated(void *opaque, const Smmu3TlbInvalidate *inv)
{
    g_array_append_vals(((FakeHost *)opaque)->tlb_invalidations, inv, 1);
}

static void host_atc_timer(void *opaque, uint64_t ns)
{
    ((FakeHost *)opaque)->atc_timer_ns = ns;
}

static void host_trace(void *opaque, Smmu3TraceKind kind, uint64_t a,
                       uint64_t b, uint64_t c, uint64_t d)
{
    FakeHost *host = opaque;

    if (host->on_trace) {
        host->on_trace(host, kind, (uint64_t[]) { a, b, c, d });
    }
}

static bool host_traces_walks(void *opaque)
{
    return ((FakeHost *)opaque)->on_trace;
}

static void host_guest_error(void *opaque, const char *message)
{
    g_assert_nonnull(message);
    g_assert_null(strchr(message, '\n'));
    ((FakeHost *)opaque)->guest_errors++;
}

static uint64_t host_now(void *opaque)
{
    return ((FakeHost *)opaque)->now_ns;
}

static uint64_t host_worked(void *opaque)
{
    FakeHost *host = opaque;

    return host->now_ns - host->stolen_ns;
}

static void host_writer(void *opaque, Smmu3Writer *writer)
{
    *writer = ((FakeHost *)opaque)->writer;
}

static void host_audit_report(void *opaque, const Smmu3AuditReport *report)
{
    g_array_append_vals(((FakeHost *)opaque)->audit_reports, report, 1);
}

const Smmu3HostOps fake_host_ops = {
    .read = host_read,
    .write = host_write,
    .cas = host_cas,
    .kick = host_kick,
    .irq = host_irq,
    .msi = host_msi,
    .send_event = host_send_event,
    .quiesce = host_quiesce,
    .stall_resolved = host_stall_resolved,
    .atc_invalidate = host_atc_invalidate,
    .prg_response = host_prg_response,
    .tlb_invalidated = host_tlb_invalidated,
    .config_invalidated = host_config_invalidated,
    .atc_timer = host_atc_timer,
    .trace = host_trace,
    .traces_walks = host_traces_walks,
    .guest_error = host_guest_error,
    .now = host_now,
    .worked = host_worked,
    .writer = host_writer,
    .audit_report = host_audit_report,
};

/* ---- The tests' calls -------------------------------------------------- */

FakeHost *fake_host_new(void)
{
    FakeHost *host = g_new0(FakeHost, 1);

    host->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        g_free);
    host->next = 0x40000000;
    host->msis = g_array_new(FALSE, TRUE, sizeof(FakeMsi));
    host->resolutions = g_array_new(FALSE, TRUE, sizeof(FakeResolution));
    host->atc_invalidations = g_array_new(FALSE, TRUE,
                                          sizeof(Smmu3AtcInvalidate));
    host->prg_responses = g_array_new(FALSE, TRUE, sizeof(Smmu3PrgResponse));
    host->tlb_invalidations = g_array_new(FALSE, TRUE,
                                          sizeof(Smmu3TlbInvalidate));
    host->audit_reports = g_array_new(FALSE, TRUE, sizeof(Smmu3AuditReport));
    return host;
}

void fake_host_free(FakeHost *host)
{
    g_hash_table_unref(host->pages);
    g_array_unref(host->msis);
    g_array_unref(host->resolutions);
    g_array_unref(host->atc_invalidations);
    g_array_unref(host->prg_responses);
    g_array_unref(host->tlb_invalidations);
    g_array_unref(host->audit_reports);
    g_free(host);
}

void fake_map(FakeHost *host, uint64_t pa, uint64_t bytes)
{
    for (uint64_t n = pa / PAGE_BYTES; n <= (pa + bytes - 1) / PAGE_BYTES;
         n++) {
        if (!g_hash_table_contains(host->pages, &n)) {
            uint64_t *key = g_new(uint64_t, 1);

            *key = n;
            g_hash_table_insert(host->pages, key, g_new0(FakePage, 1));
        }
    }
}

void fake_unmap(FakeHost *host, uint64_t pa, uint64_t bytes)
{
    for (uint64_t n = pa / PAGE_BYTES; n <= (pa + bytes - 1) / PAGE_BYTES;
         n++) {
        g_hash_table_remove(host->pages, &n);
    }
}

void fake_set_readonly(FakeHost *host, uint64_t pa, uint64_t bytes,
                       bool readonly)
{
    uint64_t end = pa + bytes;

    for (pa &= ~(uint64_t)(PAGE_BYTES - 1); pa < end; pa += PAGE_BYTES) {
        page_at(host, pa)->readonly = readonly;
    }
}

uint64_t fake_alloc(FakeHost *host, uint64_t bytes, uint64_t align)
{
    uint64_t pa = (host->next + align - 1) & ~(align - 1);

    host->next = pa + bytes;
    fake_map(host, pa, bytes);
    return pa;
}

uint64_t fake_read64(FakeHost *host, uint64_t pa)
{
    uint64_t *word = word_at(host, pa);

    g_assert_nonnull(word);
    return load(word);
}

void fake_write64(FakeHost *host, uint64_t pa, uint64_t value)
{
    uint64_t *word = word_at(host, pa);

    g_assert_nonnull(word);
    store(word, value);
}

void fake_read_words(FakeHost *host, uint64_t pa, uint64_t *words,
                     unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        words[i] = fake_read64(host, pa + 8 * i);
    }
}

void fake_write_words(FakeHost *host, uint64_t pa, const uint64_t *words,
                      unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        fake_write64(host, pa + 8 * i, words[i]);
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = **(uint64_t *const *)a, y = **(uint64_t *const *)b;

    return (x > y) - (x < y);
}

char *fake_digest(FakeHost *host)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    guint count;
    g_autofree void **keys = g_hash_table_get_keys_as_array(host->pages,
                                                            &count);

    qsort(keys, count, sizeof(*keys), compare_numbers);
    for (guint i = 0; i < count; i++) {
        FakePage *page = g_hash_table_lookup(host->pages, keys[i]);

        g_checksum_update(sum, keys[i], sizeof(uint64_t));
        g_checksum_update(sum, (void *)page->words, sizeof(page->words));
    }
    return g_strdup(g_checksum_get_string(sum));
}

void fake_clear_records(FakeHost *host)
{
    memset(host->irqs, 0, sizeof(host->irqs));
    g_array_set_size(host->msis, 0);
    g_array_set_size(host->resolutions, 0);
    g_array_set_size(host->atc_invalidations, 0);
    g_array_set_size(host->prg_responses, 0);
    g_array_set_size(host->tlb_invalidations, 0);
    g_array_set_size(host->audit_reports, 0);
    host->kicks = host->sent_events = host->quiesces = 0;
    host->config_invalidations = host->told_when_asked = 0;
    host->guest_errors = host->reads = host->writes = host->cases = 0;
}
