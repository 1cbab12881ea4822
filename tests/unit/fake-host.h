/*
 * A host for the core without QEMU: sparse guest memory, and a record of all
 * that the core tells its host. Not an SMMU: that is rig.h. Used by every
 * program in tests/unit that needs memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_FAKE_HOST_H
#define TEST_FAKE_HOST_H

#include <glib.h>
#include <stdatomic.h>
#include "core/interface/host.h"

typedef struct Smmu3 Smmu3;
typedef struct FakeHost FakeHost;

typedef struct FakeMsi {
    uint64_t pa;
    uint32_t data;
} FakeMsi;

typedef struct FakeResolution {
    void *cookie;
    Smmu3Resolution how;
} FakeResolution;

struct FakeHost {
    /* Private: page number to 4 KiB page. What is not there aborts. */
    GHashTable *pages;
    uint64_t next;              /* where fake_alloc() goes on */

    /* What the core told, in order; tests look and clear as they like. */
    unsigned irqs[SMMU3_IRQ_COUNT];
    GArray *msis;               /* of FakeMsi, aborted ones too */
    GArray *resolutions;        /* of FakeResolution */
    GArray *atc_invalidations;  /* of Smmu3AtcInvalidate */
    GArray *prg_responses;      /* of Smmu3PrgResponse */
    GArray *tlb_invalidations;  /* of Smmu3TlbInvalidate */
    unsigned config_invalidations;
    unsigned told_when_asked;   /* of both kinds, at the last quiesce() */
    unsigned kicks, sent_events, quiesces, guest_errors;
    atomic_uint reads, writes, cases;
    uint64_t atc_timer_ns;      /* last value set; 0: cancelled */
    GArray *audit_reports;      /* of Smmu3AuditReport */

    /* How it behaves; set by tests. */
    uint64_t now_ns;            /* the guest's time */
    uint64_t stolen_ns;         /* of it, what its processors did not get */
    Smmu3Writer writer;         /* of CMDQ_PROD */
    bool quiesce_later;         /* quiesce() returns false */
    bool atc_answers_later;     /* else answered in atc_invalidate() itself */
    Smmu3 *smmu;                /* who gets those answers; may be NULL */
    /* Called just before memory is touched, e.g. to lose a race. */
    void (*before_read)(FakeHost *host, uint64_t pa);
    void (*before_cas)(FakeHost *host, uint64_t pa);
    /* Called with each trace; @words are its four values. NULL: nobody listens. */
    void (*on_trace)(FakeHost *host, Smmu3TraceKind kind,
                     const uint64_t words[4]);
    /* Called with each answer to a stall. */
    void (*on_resolved)(FakeHost *host, void *cookie);
    void *hook_data;
};

extern const Smmu3HostOps fake_host_ops;

FakeHost *fake_host_new(void);
void fake_host_free(FakeHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeHost, fake_host_free)

/* Make zeroed memory of the pages that [pa, pa + bytes) touches. */
void fake_map(FakeHost *host, uint64_t pa, uint64_t bytes);
/* Make a hole of them: every access aborts. */
void fake_unmap(FakeHost *host, uint64_t pa, uint64_t bytes);
/* Let writes and compare-and-swaps of these pages abort, or again not. */
void fake_set_readonly(FakeHost *host, uint64_t pa, uint64_t bytes,
                       bool readonly);
/* New zeroed memory, aligned to @align, a power of two. */
uint64_t fake_alloc(FakeHost *host, uint64_t bytes, uint64_t align);

/* The test's own view of memory; a hole is the test's mistake. */
uint64_t fake_read64(FakeHost *host, uint64_t pa);
void fake_write64(FakeHost *host, uint64_t pa, uint64_t value);
void fake_read_words(FakeHost *host, uint64_t pa, uint64_t *words,
                     unsigned count);
void fake_write_words(FakeHost *host, uint64_t pa, const uint64_t *words,
                      unsigned count);
/* A digest of all memory, to show that nothing was written. */
char *fake_digest(FakeHost *host);
/* Forget what was recorded. */
void fake_clear_records(FakeHost *host);

#endif
