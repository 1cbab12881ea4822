/*
 * A PCI function's DMA port: reads and writes of any length and alignment,
 * with or without a PASID, that may stall and go on later. Not a device, and
 * no queue: pasid-dev-queue.c and others bring those.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_REQUESTER_H
#define HW_PCI_SVA_REQUESTER_H

#include "hw/pci/pci_device.h"
#include "hw/pci/sva-port.h"
#include "atc.h"
#include "misbehave.h"
#include "page-request.h"
#include "worker.h"

/*
 * How it works. A function has one SvaRequester. Whatever in it works
 * independently of the rest (a work queue, a decompression) has an SvaChannel;
 * a channel has at most one access outstanding, so that one that waits holds
 * up nothing else.
 *
 * A transfer is a call with a cursor, made again until it is through:
 *
 *     SVA_DMA_DONE     all of it happened, as far as memory is concerned
 *     SVA_DMA_STALLED  the IOMMU waits for software; the channel's wake() will
 *                      be called once, then make the same call again
 *     SVA_DMA_REFUSED  an access got an error response, and the cursor stands
 *                      before it: SvaChannel.refused_addr and refused_write
 *     SVA_DMA_GONE     the channel was cancelled from within the call: the
 *                      function wrote to something that reset it. The caller
 *                      leaves everything alone, it is no longer its own.
 *     SVA_DMA_ELSEWHERE in a thread: what comes next needs the big lock. The
 *                      cursor stands before it, and the worker knows: make the
 *                      same call again in the next turn, before others' calls
 *
 * Nothing here blocks. A cursor is plain data and so can migrate; a stalled
 * access migrates by being made again.
 *
 * Bus Master Enable and the PASID capability's enable bits are obeyed for each
 * access. Without an SvaPort (no IOMMU, or one that does not speak it) accesses
 * without PASID take QEMU's ordinary way and never stall; those with a PASID
 * are refused. An IOMMU of that kind records faults and raises interrupts where
 * it is asked, so in a thread such accesses go elsewhere.
 *
 * The way to memory follows what the operating system has enabled:
 *
 *   ATS            the function's cache, or a Translation Request, and then a
 *                  translated access
 *   ... without    with Page Requests, these: the access waits as if it were
 *   the right      stalled. Without, an untranslated access, which the IOMMU
 *                  may stall
 *   no ATS         untranslated accesses
 *
 * Nobody but channel.c sees an address that the IOMMU gave.
 *
 * Everything runs in turns of the function's worker, or between
 * sva_worker_enter() and leave (worker.h); without a worker, under the big QEMU
 * lock. In a thread, a span and what is done with it are in one RCU section.
 */

typedef enum SvaDma {
    SVA_DMA_DONE,
    SVA_DMA_STALLED,
    SVA_DMA_REFUSED,
    SVA_DMA_GONE,
    SVA_DMA_ELSEWHERE,
} SvaDma;

/* An access that is not to memory never crosses a multiple of this. */
#define SVA_DMA_PAGE_BYTES 4096

/*
 * Copying so many bytes takes about as long as asking where an access goes, at
 * the worst: a walk of two stages and a record of what came of it.
 */
#define SVA_ACCESS_COST 1024
/* Of a look at what comes next. */
#define SVA_PEEK_COST 256
/* What a byte costs that a register gives or takes. */
#define SVA_REGISTER_COST 64

typedef struct SvaCounters {
    uint64_t bytes;     /* read and written */
    uint64_t stalls;    /* accesses that stalled */
    uint64_t retries;   /* ... that software let go on */
    uint64_t aborts;    /* accesses refused, stalled before or not */
    uint64_t bounced;   /* bytes that passed a buffer: device registers */
    uint64_t atc_hits;  /* accesses whose translation was in the ATC */
    uint64_t ats_requests;      /* ... was asked for */
    uint64_t page_requests;     /* groups */
    uint64_t invalidations;     /* of the ATC; by function alone */
} SvaCounters;

/* An endpoint's properties about ATS; see DEFINE_SVA_ATS_PROPERTIES(). */
typedef struct SvaAtsOptions {
    bool ats;
    OnOffAuto pri;          /* auto: as ats */
    bool response_pasid;
    uint32_t atc_entries, atc_ways;
    uint32_t group_pages;
} SvaAtsOptions;

typedef struct SvaRequester {
    PCIDevice *pdev;
    uint16_t pasid_cap;     /* offset in configuration space, 0: none */
    uint16_t ats_cap;       /* so is this */
    bool may_stall;
    SvaWorker *worker;      /* in whose turns accesses are made, or NULL */
    SvaCounters count;
    /*
     * What everything so far has cost the host: bytes moved, with so many more
     * for each access and for each byte that is not memory's. It only goes up.
     * A turn of work is bounded by it, whatever it is made of: see worker.h.
     */
    uint64_t cost;

    /* private */
    bool port_known;
    SvaPort *port;
    bool other_iommu;       /* no port, and an IOMMU all the same */
    SvaClient client;
    SvaAtc *atc;            /* NULL: no ATS capability */
    unsigned group_pages;
    SvaPageRequests pri;
    SvaPageRequests *pages; /* the interface it uses: its own, or its PF's */
    SvaMisbehave misbehave;
    /* What they were when configuration space was written last */
    bool had_ats;
    uint16_t had_pasid;
    /* Accesses to registers that are under way, one within another */
    unsigned accesses;
    GArray *owed;           /* tags of invalidations to be answered after them */
} SvaRequester;

typedef struct SvaChannel SvaChannel;
struct SvaChannel {
    SvaRequester *requester;
    uint32_t number;        /* of all channels, for traces */
    uint32_t pasid;         /* or SVA_NO_PASID; change it only when idle */
    bool privileged;        /* as far as the PASID capability lets it */
    bool execute;           /* its reads fetch instructions; so does this */
    /* The stall is over. Runs inside the IOMMU: note it, and schedule. */
    void (*wake)(SvaChannel *ch);
    SvaCounters count;

    /* After SVA_DMA_REFUSED */
    uint64_t refused_addr;
    bool refused_write;

    /* private */
    SvaRequest req;
    SvaPageWaiter page;
    bool stalled;           /* by the IOMMU, or it waits for a page */
    bool was_waiting;       /* it did: the next access is the same once more */
    bool failed;            /* the stalled access was terminated */
    bool one_page;          /* the last group was denied: ask for less */
    bool page_given;        /* "success": its page should be there now */
    uint32_t epoch;         /* goes up with each cancellation */
    uint64_t counted;       /* bytes since the last sva_channel_span() */
    struct {                /* stalled accesses to be ignored, not retried */
        bool valid;
        uint64_t addr;
        uint8_t access;
    } skip[2];
    /*
     * For sva_span_peek(), which needs one for each piece of memory that a step
     * looks at. Last, for they need no initial value.
     */
    uint8_t bounce[2][SVA_DMA_PAGE_BYTES];
};

/*
 * The whole of one access, or as much of it as one answer covers: where it
 * goes. Good until control returns to the main loop.
 */
typedef struct SvaSpan {
    SvaChannel *ch;
    uint64_t addr;          /* as the function knows it */
    AddressSpace *as;
    hwaddr pa;              /* in as */
    uint64_t len;           /* bytes, > 0 */
    bool ignore;            /* read zero, drop writes */
    /* How the IOMMU was asked, if what comes next may be asked alike; or NULL */
    SvaPort *port;
    uint32_t pasid;
    bool privileged, execute;
    bool ats;               /* translated by the ATC */
    bool extended;          /* and so it is memory */
} SvaSpan;

/*
 * @pdev's requester. @pasid_cap: where its PASID capability is, 0 for none. Its
 * accesses stall only if @may_stall; otherwise the IOMMU answers at once. Call
 * it in realize; there is nothing to undo.
 */
void sva_requester_init(SvaRequester *r, PCIDevice *pdev, uint16_t pasid_cap,
                        bool may_stall);

/*
 * The properties of an endpoint that can have ATS, and Page Requests; @_on: by
 * default. Whether they are used is the operating system's decision.
 */
#define DEFINE_SVA_ATS_PROPERTIES(_state, _field, _on)                       \
    DEFINE_PROP_BOOL("ats", _state, _field.ats, _on),                        \
    DEFINE_PROP_UINT32("atc-entries", _state, _field.atc_entries, 256),      \
    DEFINE_PROP_UINT32("atc-ways", _state, _field.atc_ways, 4),              \
    DEFINE_PROP_ON_OFF_AUTO("pri", _state, _field.pri, ON_OFF_AUTO_AUTO),    \
    DEFINE_PROP_UINT32("pri-group-pages", _state, _field.group_pages, 1),    \
    DEFINE_PROP_BOOL("pri-response-pasid", _state, _field.response_pasid, true)

void sva_requester_describe_properties(ObjectClass *oc);
bool sva_requester_check_options(const SvaAtsOptions *o, Error **errp);

/*
 * Give @r's function the ATS and Page Request capabilities that @o asks for,
 * behind its other ones, and a cache. After init, in realize;
 * sva_requester_fini() in exit, once no channel is in use any more.
 */
void sva_requester_add_ats(SvaRequester *r, const SvaAtsOptions *o);
void sva_requester_fini(SvaRequester *r);

/*
 * A virtual function has no Page Request capability: its requests are its
 * physical function's @pf, and count among those (PCIe 10.5.2). After both have
 * been initialized; @pf outlives it.
 */
void sva_requester_share_pages(SvaRequester *r, SvaRequester *pf);

/* Commit @faults from now on, bits as in SvaMisbehave. No reset changes it. */
void sva_requester_set_faults(SvaRequester *r, uint64_t faults);

/* After each write to configuration space: what the software enabled. */
void sva_requester_config_written(SvaRequester *r);

/*
 * FLR and conventional reset, once all channels are cancelled: PASIDs, ATS and
 * Page Requests are off, and nothing is remembered.
 */
void sva_requester_reset(SvaRequester *r);

/*
 * No channel uses @pasid any more: tells the IOMMU that what it still has of its
 * page requests is void.
 */
void sva_requester_stop_pasid(SvaRequester *r, uint32_t pasid);

/* Page requests without an answer; a subsection of the endpoint's state. */
#define VMSTATE_SVA_REQUESTER_PRI(_field, _state)                            \
    VMSTATE_STRUCT(_field.pri, _state, 1, vmstate_sva_page_requests,         \
                   SvaPageRequests)
static inline bool sva_requester_has_pri(const SvaRequester *r)
{
    return r->pri.cap;
}
/* After the function's configuration space was loaded, too. */
void sva_requester_loaded(SvaRequester *r);

void sva_channel_init(SvaChannel *ch, SvaRequester *r,
                      void (*wake)(SvaChannel *ch));

/*
 * Abandon whatever the channel does, at any moment: queue disable, FLR, reset,
 * unrealize. When it returns, no access is outstanding and wake() will not be
 * called for an earlier one. Under the big lock, if it is stalled: a turn in a
 * thread that has to cancel another channel goes elsewhere first.
 */
void sva_channel_cancel(SvaChannel *ch);

/* What is done with an access's bytes costs so much more than moving them. */
static inline void sva_channel_charge(SvaChannel *ch, uint64_t cost)
{
    ch->requester->cost += cost;
}

static inline bool sva_channel_is_stalled(const SvaChannel *ch)
{
    return ch->stalled;
}

/*
 * Read @len bytes at @addr into @buf, or write them from it. @done is the
 * cursor, 0 at first: bytes that are through.
 */
SvaDma sva_dma_read(SvaChannel *ch, uint64_t addr, void *buf, uint64_t len,
                    uint64_t *done);
SvaDma sva_dma_write(SvaChannel *ch, uint64_t addr, const void *buf,
                     uint64_t len, uint64_t *done);

/* The same between a buffer and a list of pieces of memory. */
typedef struct SvaSegment {
    uint64_t addr;
    uint64_t len;
} SvaSegment;

typedef struct SvaTransfer {
    const SvaSegment *segments;     /* the caller's, as is the buffer */
    unsigned count;
    uint8_t *buf;
    uint64_t len;           /* of the buffer; the shorter of the two ends it */
    bool write;             /* from the buffer to memory */

    /* The cursor, all 0 at first */
    unsigned segment;       /* the piece in work */
    uint64_t segment_done;  /* bytes of it */
    uint64_t done;          /* bytes of the buffer */
} SvaTransfer;

/*
 * Go on with @t for at most @most bytes (0: no limit). SVA_DMA_DONE with the
 * cursor short of the end says that @most was reached.
 */
SvaDma sva_transfer_run(SvaChannel *ch, SvaTransfer *t, uint64_t most);
bool sva_transfer_complete(const SvaTransfer *t);

/*
 * For operations that work on memory in place. A span says where an access of
 * up to @len bytes (> 0) at @addr goes; @access is SVA_READ, SVA_WRITE or both.
 */
SvaDma sva_channel_span(SvaChannel *ch, uint64_t addr, uint64_t len,
                        uint8_t access, SvaSpan *span);

/*
 * Make @span, which is memory, longer by the bytes that come next, if the IOMMU knows
 * already that they are next to it in memory as well. False: it does not, or @span is
 * long enough for one piece of work. In the section in which @span was asked for.
 */
enum { SVA_JOINED_BYTES = 65536 };
bool sva_channel_extend(SvaSpan *span, uint8_t access);

/* The rest of @span after @offset, which is inside it. */
static inline SvaSpan sva_span_after(const SvaSpan *span, uint64_t offset)
{
    SvaSpan rest = *span;

    rest.addr += offset;
    rest.pa += offset;
    rest.len -= offset;
    return rest;
}

/*
 * @span's bytes, to read. @len: how many are wanted; on return, how many there
 * are, > 0. The pointer is into guest memory, or to @bounce
 * (SVA_DMA_PAGE_BYTES long, one of the channel's) that they were read into. Hold
 * the RCU read lock for as long as the pointer is used. Guest memory changes
 * under the reader's eyes: what must not differ is read once.
 */
SvaDma sva_span_peek(SvaSpan *span, uint64_t *len, void *bounce,
                     const uint8_t **data);

/* Write to the start of @span; @len as above. */
SvaDma sva_span_poke(SvaSpan *span, const uint8_t *data, uint64_t *len);

/*
 * Write all @len bytes of a record whose first word is its status, and comes
 * last. False: they are not memory in one piece, and nothing is written.
 */
#define SVA_RECORD_STATUS_BYTES 4
bool sva_span_poke_record(SvaSpan *span, const void *record, uint64_t len);

/* An atomic operation of PCIe (6.15) on a little-endian number. */
typedef enum SvaAtomicKind {
    SVA_ATOMIC_ADD,
    SVA_ATOMIC_SWAP,
    SVA_ATOMIC_CAS,
} SvaAtomicKind;

typedef struct SvaAtomic {
    SvaAtomicKind kind;
    unsigned bytes;         /* 4 or 8; CAS: 16 too, if sva_has_cas16() */
    uint64_t operand[2];    /* to add or to store, the low half first */
    uint64_t compare[2];    /* CAS: store if it is this */
    uint64_t old[2];        /* the answer: what was there */
} SvaAtomic;

/*
 * Do @a at the start of @span, which is aligned to @a->bytes, in one step with
 * respect to the guest's CPUs. Only memory can do so; anything else refuses.
 * CAS has stored iff @a->old is @a->compare.
 */
SvaDma sva_span_atomic(SvaSpan *span, SvaAtomic *a);

/* Whether this host compares and swaps 16 bytes in one step. */
bool sva_has_cas16(void);

/* The physical address behind a span: what the IOMMU said. */
SvaDma sva_span_physical(SvaSpan *span, bool write, uint64_t *pa);

/* All that it said. */
typedef struct SvaAnswer {
    uint64_t pa;
    uint8_t size_log2;      /* of the aligned block that it holds for */
    uint8_t granted;        /* SVA_READ | SVA_WRITE | SVA_EXEC */
    bool privileged;        /* the question was */
    bool ats;               /* it was a Translation Completion */
    bool ignored;           /* nothing of the above: RAZ/WI */
} SvaAnswer;

/* For a @span that sva_channel_span() gave for @access, before anything else. */
SvaDma sva_span_answer(SvaSpan *span, uint8_t access, SvaAnswer *a);

/* ---- Between requester.c, channel.c and span.c -------------------------- */

/*
 * Around what @r does with the page requests that it uses: a virtual function's
 * are its physical function's, which may be at them in its thread. It has none
 * itself, so it has the big lock.
 */
void sva_requester_enter_pages(SvaRequester *r);
void sva_requester_leave_pages(SvaRequester *r);

/* @r's port, NULL: there is none. */
SvaPort *sva_requester_port(SvaRequester *r);

/*
 * Around an access to what is not memory. An invalidation that comes of it is
 * answered after it: the access, and the step that it is part of, still use what
 * they had found.
 */
void sva_channel_begin_access(SvaChannel *ch);
void sva_channel_end_access(SvaChannel *ch);

/*
 * @span's bytes in memory, up to *@len of them and *@len on return; NULL: it is
 * not memory. Good within the RCU read section. sva_guest_ram_written() is due
 * after each write there.
 */
void *sva_span_ram(const SvaSpan *span, bool write, uint64_t *len,
                   MemoryRegion **mr);

/* For a @span that the port has answered for. */
void sva_channel_answer(const SvaSpan *span, SvaAnswer *a);

/* The access at @addr gets an error response: SVA_DMA_REFUSED. */
SvaDma sva_channel_refuse(SvaChannel *ch, uint64_t addr, uint8_t access);

/*
 * The access needs the big lock: SVA_DMA_ELSEWHERE. What was counted for it
 * since sva_channel_span() will be counted again.
 */
SvaDma sva_channel_go_elsewhere(SvaChannel *ch);

void sva_channel_count_bytes(SvaChannel *ch, uint64_t bytes, bool bounced);
/* So many were read, and could not be used yet: they will be read again. */
void sva_channel_uncount_bytes(SvaChannel *ch, uint64_t bytes);

/* Bytes from @addr on that an access may have that is not to memory. */
static inline uint64_t sva_until_boundary(uint64_t addr, uint64_t len)
{
    return MIN(len, SVA_DMA_PAGE_BYTES - (addr & (SVA_DMA_PAGE_BYTES - 1)));
}

#endif
