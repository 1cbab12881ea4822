/*
 * What the core asks of its surroundings: memory, interrupts, endpoints and
 * diagnostics. A QEMU device implements this, and so does each unit test. The
 * core knows nothing else of the world.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_HOST_H
#define SMMU3_HOST_H

#include "../spec/spec.h"
#include "audit.h"

/* Wired interrupts; each is an edge (IHI 0070 3.18). */
typedef enum {
    SMMU3_IRQ_EVENTQ,
    SMMU3_IRQ_PRIQ,
    SMMU3_IRQ_CMD_SYNC,
    SMMU3_IRQ_GERROR,
    SMMU3_IRQ_COUNT,
} Smmu3Irq;

/* What became of a compare-and-swap. */
typedef enum {
    SMMU3_CAS_DONE,
    SMMU3_CAS_LOST,         /* *expected now holds what was found */
    SMMU3_CAS_ABORT,        /* external abort */
} Smmu3Cas;

/* What software (or a disable) decided about a stalled transaction. */
typedef enum {
    SMMU3_RESOLVE_RETRY,    /* submit it again, as if newly arrived */
    SMMU3_RESOLVE_ABORT,    /* the access failed */
    SMMU3_RESOLVE_RAZWI,    /* reads return zero, writes are dropped */
} Smmu3Resolution;

/* CMD_ATC_INV as the endpoint sees it (IHI 0070 4.5.1, PCIe 10.3). */
typedef struct Smmu3AtcInvalidate {
    uint32_t sid;
    uint32_t ssid;          /* if has_ssid */
    bool has_ssid;
    bool global;
    uint64_t addr;          /* aligned to the span */
    unsigned size_log2;     /* 12 ... 64; 64: everything */
    uint32_t batch;         /* for smmu3_atc_invalidated() */
} Smmu3AtcInvalidate;

/* A page request group response, from CMD_PRI_RESP or automatic. */
typedef struct Smmu3PrgResponse {
    uint32_t sid;
    uint32_t ssid;          /* if has_ssid */
    bool has_ssid;
    uint16_t prg_index;     /* 0 ... 511 */
    Smmu3PrgCode code;
} Smmu3PrgResponse;

/* What a TLB invalidation command may have removed, for IOMMU notifiers. */
typedef struct Smmu3TlbInvalidate {
    bool by_asid, by_vmid, by_address;
    bool stage2;            /* addr is an IPA */
    uint16_t asid, vmid;
    uint64_t addr;          /* first byte */
    uint64_t last;          /* last byte */
} Smmu3TlbInvalidate;

/* What the command at CONS waits for. */
typedef enum {
    SMMU3_WAIT_SIGNALS,         /* of earlier CMD_SYNCs */
    SMMU3_WAIT_ATC,             /* endpoints' answers */
    SMMU3_WAIT_QUIESCE,         /* accesses that are under way */
} Smmu3CommandWait;

typedef enum {
    SMMU3_TRACE_COMMAND,        /* a, b: the command's words; c: index */
    SMMU3_TRACE_EVENT,          /* a..d: the record's words */
    SMMU3_TRACE_EVENT_LOST,     /* a..d: the record's words */
    SMMU3_TRACE_STE,            /* a: sid, b: address, c: word 0, d: word 1 */
    SMMU3_TRACE_CD,             /* a: sid, b: ssid, c: address, d: word 0 */
    SMMU3_TRACE_WALK,           /* a: stage, b: level, c: address, d: value */
    SMMU3_TRACE_TRANSLATE,      /* a: sid | ssid << 32, b: in, c: out,
                                   d: outcome */
    SMMU3_TRACE_STALL,          /* a: sid, b: ssid, c: stag, d: address */
    SMMU3_TRACE_RESOLVE,        /* a: sid, b: stag, c: Smmu3Resolution,
                                   d: has it a record, and so a STAG? */
    SMMU3_TRACE_PAGE_REQUEST,   /* a, b: the entry's words; c: queued? */
    SMMU3_TRACE_PRG_RESPONSE,   /* a: sid, b: PRG index, c: code */
    SMMU3_TRACE_ATC_INVALIDATE, /* a: sid, b: ssid, c: address, d: log2 */
    SMMU3_TRACE_TLB_INVALIDATE, /* a: opcode, b: asid | vmid << 32, c: address,
                                   d: last */
    SMMU3_TRACE_GERROR,         /* a: GERROR, b: GERRORN */
    SMMU3_TRACE_QUEUE_READ,     /* a: Smmu3Irq of the queue, b: entries left */
    SMMU3_TRACE_COMMAND_WAITS,  /* a: Smmu3CommandWait */
} Smmu3TraceKind;

/*
 * read, write, cas, kick, trace, traces_walks, guest_error, now, worked, writer and
 * audit_report are called from any thread that translates, with the core's lock held,
 * read and traces_walks without it as well, and at once in several:
 * they must not call back into the core; nor must has_function, which is called when a
 * command is carried out. All the others are called
 * from smmu3_service() and the functions that say they do its work, in the caller's
 * thread, without the lock; they may call back.
 */
typedef struct Smmu3HostOps {
    /*
     * Read or write @count consecutive 64-bit little-endian words at @pa, a
     * multiple of 8; each word is single-copy atomic. The words are passed in
     * the host's byte order. Returns false for an external abort.
     */
    bool (*read)(void *host, uint64_t pa, uint64_t *words, unsigned count);
    bool (*write)(void *host, uint64_t pa, const uint64_t *words,
                  unsigned count);
    /* Atomic against the guest's CPUs; used for HTTU only. */
    Smmu3Cas (*cas)(void *host, uint64_t pa, uint64_t *expected,
                    uint64_t desired);
    /* Have smmu3_service() called soon, from the main loop. */
    void (*kick)(void *host);

    /* Pulse a wired interrupt. */
    void (*irq)(void *host, Smmu3Irq irq);
    /* Write a 32-bit MSI or CMD_SYNC completion; false: aborted. */
    bool (*msi)(void *host, uint64_t pa, uint32_t data);
    /* CMD_SYNC with CS=SEV and IDR0.SEV; may be NULL. */
    void (*send_event)(void *host);
    /*
     * All translations handed out before this call are out of use: returns
     * true. Or it returns false, and smmu3_quiesced() is called once they are.
     * tlb_invalidated() and config_invalidated() have told what it is about.
     */
    bool (*quiesce)(void *host);
    /* A stalled transaction's fate; @cookie is the transaction's. */
    void (*stall_resolved)(void *host, void *cookie, Smmu3Resolution how);
    /* To be answered by smmu3_atc_invalidated(), at once or later. */
    void (*atc_invalidate)(void *host, const Smmu3AtcInvalidate *inv);
    void (*prg_response)(void *host, const Smmu3PrgResponse *response);
    /* For IOMMU notifiers; may be NULL. */
    void (*tlb_invalidated)(void *host, const Smmu3TlbInvalidate *inv);
    /* An STE or a CD: streams may be translated otherwise; may be NULL. */
    void (*config_invalidated)(void *host);
    /* Have smmu3_atc_timeout() called after @ns; 0 cancels. May be NULL:
       then a CMD_SYNC waits for as long as the endpoint takes. */
    void (*atc_timer)(void *host, uint64_t ns);

    /* Diagnostics; may be NULL. @message is one line without newline. */
    void (*trace)(void *host, Smmu3TraceKind kind, uint64_t a, uint64_t b,
                  uint64_t c, uint64_t d);
    /*
     * Whether it wants to hear of STEs, CDs and descriptors now, and of translations
     * that walk; NULL: yes. Asked for each walk, as most of the time nobody does.
     */
    bool (*traces_walks)(void *host);
    void (*guest_error)(void *host, const char *message);

    /* For the auditor; each may be NULL. The guest's time, in ns: */
    uint64_t (*now)(void *host);
    /* For how long its processors were at work, all together, in ns. */
    uint64_t (*worked)(void *host);
    /* Who writes CMDQ_PROD in this moment; or nothing. */
    void (*writer)(void *host, Smmu3Writer *writer);
    /* Whether there is a function that has this StreamID. */
    bool (*has_function)(void *host, uint32_t sid);
    /* A mistake that was not reported before. */
    void (*audit_report)(void *host, const Smmu3AuditReport *report);
} Smmu3HostOps;

#endif
