/*
 * What QEMU's memory code knows of a device's access and does not tell an
 * IOMMU: which translations belong to one access, and which host pointers
 * outlive theirs. Not the waiting for these, which is smmuv3-sva-quiesce.c's.
 * Called by whoever accesses an address space, and by smmuv3-sva-pci.c and
 * -quiesce.c.
 *
 * The linker has the functions __wrap_X() below stand in for QEMU's X(), see
 * meson.build; each calls the X() it stands for, and adds what a hook there
 * would do. docs/design.rst has the hook that would make them superfluous.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/coroutine-tls.h"
#include "qemu/error-report.h"
#include "qemu/rcu.h"
#include "smmuv3-sva-pci.h"
#include "trace.h"

/* An access that is under way in this thread; on its stack. */
typedef struct Access {
    struct Access *outer;       /* whose target makes this one, or NULL */

    /* The last refusal: whose (NULL: none), and the 4 KiB it was in. */
    const Smmuv3SvaFunction *refused;
    uint64_t refused_page;

    /* The first translation that was granted: whose (NULL: none), and what. */
    Smmuv3SvaFunction *fn;
    uint64_t iova, pa;
    int index;
} Access;

QEMU_DEFINE_STATIC_CO_TLS(Access *, current)

static bool there_is_one;       /* an SMMU of ours; atomic */

static void begin(Access *access)
{
    *access = (Access) { .outer = get_current() };
    set_current(access);
}

static void end(Access *access)
{
    set_current(access->outer);
}

/* ---- Pieces of one access --------------------------------------------- */

bool smmuv3_sva_access_was_refused(const Smmuv3SvaFunction *fn, uint64_t iova)
{
    const Access *access = get_current();

    return access && access->refused == fn &&
           access->refused_page == iova >> 12;
}

void smmuv3_sva_access_refused(const Smmuv3SvaFunction *fn, uint64_t iova)
{
    Access *access = get_current();

    if (access) {
        access->refused = fn;
        access->refused_page = iova >> 12;
    }
}

void smmuv3_sva_access_granted(Smmuv3SvaFunction *fn, uint64_t iova,
                               int index, uint64_t pa)
{
    Access *access = get_current();

    if (access && !access->fn) {
        access->fn = fn;
        access->iova = iova;
        access->pa = pa;
        access->index = index;
    }
}

/* ---- Mappings: host pointers that a device has ------------------------- */

struct Smmuv3SvaMapping {
    QTAILQ_ENTRY(Smmuv3SvaMapping) next_made;   /* in Smmuv3SvaState.mappings */
    Smmuv3SvaFunction *fn;
    uint64_t iova;
    const AddressSpace *as;
    void *host;
    hwaddr len;
    uint64_t pa;                /* of the first byte */
    int index;                  /* of the memory region, see INDEX_... */
    bool is_write;
    bool stale;                 /* a CMD_SYNC waits; in Smmuv3SvaState's list */
    bool given_up;              /* one has waited long enough */
    /* Alike, made later; and the last of them, if this is the oldest. */
    Smmuv3SvaMapping *next, *newest;
    QLIST_ENTRY(Smmuv3SvaMapping) next_stale;
};

/*
 * Protects all mappings and their lists. Taken before the core's
 * lock, never while that is held.
 */
static QemuMutex lock;
static GHashTable *mappings;    /* of those that are alike, the oldest */

/* What a device says when it unmaps: who has two alike says it in any order. */
static guint hash_mapping(gconstpointer p)
{
    const Smmuv3SvaMapping *m = p;

    return g_direct_hash(m->host) ^ g_direct_hash(m->as) ^ m->len << 1 ^
           m->is_write;
}

static gboolean are_alike(gconstpointer p, gconstpointer q)
{
    const Smmuv3SvaMapping *a = p, *b = q;

    return a->host == b->host && a->as == b->as && a->len == b->len &&
           a->is_write == b->is_write;
}

static void __attribute__((constructor)) init_mappings(void)
{
    qemu_mutex_init(&lock);
    mappings = g_hash_table_new(hash_mapping, are_alike);
}

static void append_to_those_alike(Smmuv3SvaMapping *m)
{
    Smmuv3SvaMapping *oldest = g_hash_table_lookup(mappings, m);

    if (!oldest) {
        m->newest = m;
        g_hash_table_add(mappings, m);
        return;
    }
    oldest->newest->next = m;
    oldest->newest = m;
}

static Smmuv3SvaMapping *take_oldest_alike(const Smmuv3SvaMapping *key)
{
    Smmuv3SvaMapping *m = g_hash_table_lookup(mappings, key);

    if (m) {
        g_hash_table_remove(mappings, m);
        if (m->next) {
            m->next->newest = m->newest;
            g_hash_table_add(mappings, m->next);
        }
    }
    return m;
}

static void remember(const Access *access, const AddressSpace *as, void *host,
                     hwaddr len, bool is_write)
{
    Smmuv3SvaFunction *fn = access->fn;
    Smmuv3SvaMapping *m = g_new0(Smmuv3SvaMapping, 1);

    m->fn = fn;
    m->iova = access->iova;
    m->as = as;
    m->host = host;
    m->len = len;
    m->pa = access->pa;
    m->index = access->index;
    m->is_write = is_write;

    QEMU_LOCK_GUARD(&lock);
    append_to_those_alike(m);
    QTAILQ_INSERT_TAIL(&fn->smmu->mappings, m, next_made);
}

static void look_at(Smmuv3SvaState *s, Smmuv3SvaMapping *m)
{
    s->look.at = m;
    s->look.offset = 0;
}

static void forget(const AddressSpace *as, void *host, hwaddr len,
                   bool is_write)
{
    const Smmuv3SvaMapping key = {
        .as = as, .host = host, .len = len, .is_write = is_write,
    };
    Smmuv3SvaMapping *m;
    Smmuv3SvaState *s;

    QEMU_LOCK_GUARD(&lock);
    m = take_oldest_alike(&key);
    if (!m) {
        return;
    }
    s = m->fn->smmu;
    if (s->look.at == m) {
        look_at(s, QTAILQ_NEXT(m, next_made));
    }
    QTAILQ_REMOVE(&s->mappings, m, next_made);
    if (m->stale) {
        QLIST_REMOVE(m, next_stale);
        if (QLIST_EMPTY(&s->stale)) {
            smmuv3_sva_quiesce_again(s);
        }
    }
    g_free(m);
}

/*
 * Bounds of one look and of one piece of giving up, some 100 us: mappings
 * passed, translations asked for, mappings given up.
 */
enum {
    MAPPINGS_AT_ONCE = 16384,
    PAGES_AT_ONCE = 512,
    GIVEN_UP_AT_ONCE = 512,
};

/*
 * Whether the tables say of the page at @offset what they said when it was
 * mapped; and how many bytes they say it of. Asked as a read, for that changes
 * nothing: where a write is allowed the answer says so, unless the page is
 * clean and a write would have to make it dirty first.
 */
static bool page_holds(const Smmuv3SvaMapping *m, uint64_t offset,
                       uint64_t *bytes)
{
    Smmu3Translation now;
    uint64_t mask;

    if (!smmuv3_sva_peek(m->fn, m->iova + offset, m->index, &now) ||
        now.pa != m->pa + offset ||
        (m->is_write && !(now.access & SMMU3_WRITE))) {
        return false;
    }
    mask = smmu3_mask(now.size_log2);
    *bytes = MIN(mask - (now.pa & mask), m->len - offset - 1) + 1;
    return true;
}

static void mark_stale(Smmuv3SvaState *s, Smmuv3SvaMapping *m)
{
    m->stale = true;
    QLIST_INSERT_HEAD(&s->stale, m, next_stale);
    trace_smmuv3_sva_mapping_is_stale(m->fn->iommu.parent_obj.name, m->iova,
                                      m->len, m->is_write ? "w" : "r");
}

static bool is_in_question(const Smmuv3SvaState *s, const Smmuv3SvaMapping *m)
{
    return !m->stale && !m->given_up && m->iova <= s->look.last &&
           m->iova + m->len - 1 >= s->look.first;
}

/* Go on with the mapping in work; false: @pages are used up before its end. */
static bool look_at_pages(Smmuv3SvaState *s, unsigned *pages)
{
    Smmuv3SvaMapping *m = s->look.at;

    while (s->look.offset < m->len) {
        uint64_t bytes;

        if (!*pages) {
            return false;
        }
        --*pages;
        if (!page_holds(m, s->look.offset, &bytes)) {
            mark_stale(s, m);
            return true;
        }
        s->look.offset += bytes;
    }
    return true;
}

void smmuv3_sva_mappings_init(Smmuv3SvaState *s)
{
    QTAILQ_INIT(&s->mappings);
    qatomic_set(&there_is_one, true);
}

void smmuv3_sva_mappings_ask(Smmuv3SvaState *s, uint64_t first, uint64_t last)
{
    QEMU_LOCK_GUARD(&lock);
    s->look.first = first;
    s->look.last = last;
    look_at(s, first <= last ? QTAILQ_FIRST(&s->mappings) : NULL);
}

Smmuv3SvaMappings smmuv3_sva_mappings_look(Smmuv3SvaState *s)
{
    unsigned pages = PAGES_AT_ONCE;

    QEMU_LOCK_GUARD(&lock);
    for (unsigned i = 0; s->look.at; i++) {
        Smmuv3SvaMapping *m = s->look.at;

        if (i == MAPPINGS_AT_ONCE ||
            (is_in_question(s, m) && !look_at_pages(s, &pages))) {
            return SMMUV3_SVA_MAPPINGS_UNSEEN;
        }
        look_at(s, QTAILQ_NEXT(m, next_made));
    }
    return QLIST_EMPTY(&s->stale) ? SMMUV3_SVA_MAPPINGS_HOLD
                                  : SMMUV3_SVA_MAPPINGS_STALE;
}

static void give_up(Smmuv3SvaState *s, Smmuv3SvaMapping *m)
{
    QLIST_REMOVE(m, next_stale);
    m->stale = false;
    m->given_up = true;
    s->quiesce.mappings_given_up++;
    trace_smmuv3_sva_mapping_given_up(m->fn->iommu.parent_obj.name, m->iova,
                                      m->len, m->is_write ? "w" : "r");
    warn_report_once("smmuv3-sva: %s still %s memory that was mapped at "
                     "0x%" PRIx64 ", after software has invalidated that; "
                     "the CMD_SYNC ends without it (the counter "
                     "mappings_given_up has how often)",
                     m->fn->iommu.parent_obj.name,
                     m->is_write ? "writes" : "reads", m->iova);
}

bool smmuv3_sva_mappings_give_up(Smmuv3SvaState *s)
{
    Smmuv3SvaMapping *m;
    unsigned count = 0;

    QEMU_LOCK_GUARD(&lock);
    while (count < GIVEN_UP_AT_ONCE && (m = QLIST_FIRST(&s->stale))) {
        give_up(s, m);
        count++;
    }
    trace_smmuv3_sva_mappings_give_up(count, !QLIST_EMPTY(&s->stale));
    return QLIST_EMPTY(&s->stale);
}

/* ---- In the place of QEMU's own ---------------------------------------- */

MemTxResult __real_address_space_rw(AddressSpace *as, hwaddr addr,
                                    MemTxAttrs attrs, void *buf, hwaddr len,
                                    bool is_write);
MemTxResult __wrap_address_space_rw(AddressSpace *as, hwaddr addr,
                                    MemTxAttrs attrs, void *buf, hwaddr len,
                                    bool is_write);
MemTxResult __real_address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                                     hwaddr len, MemTxAttrs attrs);
MemTxResult __wrap_address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                                     hwaddr len, MemTxAttrs attrs);
void *__real_address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                               bool is_write, MemTxAttrs attrs);
void *__wrap_address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                               bool is_write, MemTxAttrs attrs);
void __real_address_space_unmap(AddressSpace *as, void *host, hwaddr len,
                                bool is_write, hwaddr access_len);
void __wrap_address_space_unmap(AddressSpace *as, void *host, hwaddr len,
                                bool is_write, hwaddr access_len);

/* Whether @as may lead through an SMMU of ours. If not, all is QEMU's alone. */
static bool may_be_ours(const AddressSpace *as)
{
    return qatomic_read(&there_is_one) && as != &address_space_memory;
}

/* All of a device's pci_dma_read() and pci_dma_write(). */
MemTxResult __wrap_address_space_rw(AddressSpace *as, hwaddr addr,
                                    MemTxAttrs attrs, void *buf, hwaddr len,
                                    bool is_write)
{
    Access access;
    MemTxResult result;

    if (!may_be_ours(as)) {
        return __real_address_space_rw(as, addr, attrs, buf, len, is_write);
    }
    begin(&access);
    result = __real_address_space_rw(as, addr, attrs, buf, len, is_write);
    end(&access);
    return result;
}

MemTxResult __wrap_address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                                     hwaddr len, MemTxAttrs attrs)
{
    Access access;
    MemTxResult result;

    if (!may_be_ours(as)) {
        return __real_address_space_set(as, addr, c, len, attrs);
    }
    begin(&access);
    result = __real_address_space_set(as, addr, c, len, attrs);
    end(&access);
    return result;
}

/*
 * It is remembered in the RCU section in which it was translated: who has seen
 * the thread outside of that finds it. A bounce buffer is not guest memory,
 * and is written back by an access of its own.
 */
void *__wrap_address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                               bool is_write, MemTxAttrs attrs)
{
    Access access;
    ram_addr_t offset;
    void *host;

    if (!may_be_ours(as)) {
        return __real_address_space_map(as, addr, plen, is_write, attrs);
    }
    RCU_READ_LOCK_GUARD();
    begin(&access);
    host = __real_address_space_map(as, addr, plen, is_write, attrs);
    end(&access);
    if (host && access.fn && memory_region_from_host(host, &offset)) {
        remember(&access, as, host, *plen, is_write);
    }
    return host;
}

void __wrap_address_space_unmap(AddressSpace *as, void *host, hwaddr len,
                                bool is_write, hwaddr access_len)
{
    Access access;

    if (!may_be_ours(as)) {
        __real_address_space_unmap(as, host, len, is_write, access_len);
        return;
    }
    begin(&access);
    __real_address_space_unmap(as, host, len, is_write, access_len);
    end(&access);
    forget(as, host, len, is_write);
}
