/*
 * One transaction or page request as it reaches the SMMU, and what becomes of
 * it. Not how: that is the floor of traffic. Used by the core and by everyone
 * who submits traffic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_TRANSACTION_H
#define SMMU3_TRANSACTION_H

#include "../spec/spec.h"

/* Kinds of access; an atomic operation is a read and a write in one. */
enum {
    SMMU3_READ = 1,
    SMMU3_WRITE = 2,
    SMMU3_EXEC = 4,         /* in answers only; see Smmu3Transaction.ind */
};

typedef enum {
    SMMU3_UNTRANSLATED,     /* ordinary */
    SMMU3_ATS_REQUEST,      /* ATS Translation Request */
    SMMU3_ATS_TRANSLATED,   /* ATS Translated: the address came from an ATC */
} Smmu3TransactionType;

typedef struct Smmu3Transaction {
    Smmu3TransactionType type;
    uint32_t sid;           /* StreamID */
    uint32_t ssid;          /* SubstreamID, 20 bits, if ssv */
    bool ssv;
    uint64_t addr;
    uint8_t access;         /* SMMU3_READ and SMMU3_WRITE; an ATS request
                               always has READ, and WRITE unless No Write */
    bool priv;              /* PnU as received */
    bool ind;               /* InD as received (ATS: Execute Requested) */
    bool may_stall;         /* the requester can wait; else a stall becomes
                               a terminated transaction with a Stall=0 event */
    bool speculative;       /* records nothing, sets no dirty state */
    bool peek;              /* and no access follows: no use of the answer */
    bool continued;         /* a further piece of an access that has already
                               had its fault recorded: do not again */
    void *cookie;           /* the requester's name for it; comes back in
                               stall_resolved(). Unique among stalled ones. */
} Smmu3Transaction;

typedef enum {
    SMMU3_OK,               /* go ahead at .pa */
    SMMU3_ABORT,            /* error response */
    SMMU3_RAZWI,            /* reads return zero, writes are dropped */
    SMMU3_STALLED,          /* owned by the core until stall_resolved() */
    SMMU3_ATS_UR,           /* ATS: Unsupported Request */
    SMMU3_ATS_CA,           /* ATS: Completer Abort */
} Smmu3Outcome;

/* The answer to a transaction. Valid members depend on the outcome. */
typedef struct Smmu3Translation {
    uint64_t pa;            /* OK: where .addr is. ATS with split stages: IPA */
    uint8_t size_log2;      /* OK: the aligned block around .addr for which the
                               answer holds, 12 ... 64 */
    uint8_t access;         /* OK: what is granted, SMMU3_READ|WRITE|EXEC. An
                               ATS answer may grant nothing. */
    bool ats_global;        /* ATS: the G bit */
    bool ats_priv;          /* ATS: the Priv bit */
    Smmu3EventType fault;   /* otherwise: what went wrong, also when no event
                               was recorded; EVENT_NONE if it has no name */
    uint16_t stag;          /* STALLED and recorded */
} Smmu3Translation;

/* A PCIe page request or stop marker (IHI 0070 8.1). */
typedef struct Smmu3PageRequest {
    uint32_t sid;
    uint32_t ssid;          /* if ssv */
    bool ssv;
    bool priv, exec, read, write, last;
    uint16_t prg_index;     /* 0 ... 511 */
    uint64_t addr;          /* bits 11:0 ignored */
} Smmu3PageRequest;

#endif
