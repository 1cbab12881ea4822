/*
 * What an SMMU counts, for whoever watches it. Not architecture: the PMCG is
 * not modelled. Counted by all of the core, read through smmu3_counters().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_COUNTERS_H
#define SMMU3_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct Smmu3Counters {
    /* What translations count, up to descriptor_reads: see SMMU3_HOT() */
    _Atomic uint64_t translations;      /* transactions of every type */
    _Atomic uint64_t tlb_hits;          /* answered without a table walk */
    _Atomic uint64_t tlb_misses;
    _Atomic uint64_t walks;             /* stage walks begun, each stage */
    _Atomic uint64_t nested_walks;      /* ... of stage 1, its tables at IPAs */
    _Atomic uint64_t stage2_walks;      /* ... of stage 2 */
    /*
     * Stage 2 asked for an IPA, cached or not, as an event's CLASS says what for:
     * the transaction, a table of stage 1, a CD. Not by transactions that the
     * caches alone answer.
     */
    _Atomic uint64_t stage2_lookups_in, stage2_lookups_tt, stage2_lookups_cd;
    _Atomic uint64_t descriptor_reads;

    _Atomic uint64_t config_misses;     /* STEs and CDs fetched */
    _Atomic uint64_t httu_updates;
    _Atomic uint64_t faults[256];       /* by Smmu3EventType */
    _Atomic uint64_t events;            /* records written */
    _Atomic uint64_t events_lost;       /* discarded, for any reason */
    _Atomic uint64_t stalls;            /* transactions stalled */
    _Atomic uint64_t resumes_retry, resumes_abort; /* CMD_RESUME that matched */
    _Atomic uint64_t stalls_terminated; /* by STALL_TERM or a disable */
    _Atomic uint64_t stalls_cancelled;  /* given up by the endpoint */
    _Atomic uint64_t commands;          /* consumed */
    _Atomic uint64_t command_errors;
    _Atomic uint64_t syncs;
    _Atomic uint64_t tlb_invalidations, config_invalidations;
    _Atomic uint64_t ats_requests, ats_translated, atc_invalidations;
    _Atomic uint64_t page_requests, page_requests_lost, prg_responses;
    /* Of the auditor: walks, entries that disagreed, of these software's mistakes;
       how long one disagreed at most that was no mistake. */
    _Atomic uint64_t audit_looks, audit_suspicions, audit_reports;
    _Atomic uint64_t audit_settled_ns_max;
    _Atomic uint64_t injected_drops;    /* of all that was dropped on request */
} Smmu3Counters;

#endif
