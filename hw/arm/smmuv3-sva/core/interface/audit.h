/*
 * What the auditor tells: a report of what software forgot, with the proof. Not
 * how it comes about: that is the floor of audit. Read by the host, the tests and
 * whoever asks smmu3_audit_reports().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_INTERFACE_AUDIT_H
#define SMMU3_INTERFACE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

enum { SMMU3_WRITER_CALLERS = 10 };

/* Who in the guest wrote CMDQ_PROD, as far as the host knows. */
typedef struct Smmu3Writer {
    bool known;             /* else nobody of the guest's: a debugger, a test */
    uint32_t cpu;
    uint64_t pc;            /* of the store */
    uint64_t ns;            /* host time op `now` */
    /* Where it returns to, the innermost function first */
    uint64_t caller[SMMU3_WRITER_CALLERS];
    unsigned callers;
} Smmu3Writer;

/* What is wrong: mostly, how memory disagrees with what is cached. */
typedef enum {
    SMMU3_STALE_GONE,       /* they have nothing there */
    SMMU3_STALE_MOVED,      /* another output */
    SMMU3_STALE_RIGHTS,     /* fewer rights */
    SMMU3_STALE_CLEAN,      /* writable-clean: writes set no dirty state */
    /* No translation: a structure differs from what was fetched of it */
    SMMU3_STALE_STE, SMMU3_STALE_CD,
    /* Changed without a break, and seen at once: the block has another size */
    SMMU3_STALE_SIZE,
    /* No translation and no structure: a command is wrong by itself */
    SMMU3_WRONG_RESUME, SMMU3_WRONG_RESPONSE, SMMU3_WRONG_STREAM,
    SMMU3_WRONG_COMMAND, SMMU3_WRONG_NO_SYNC,
} Smmu3Mistake;

/* What more there is to say of a command. */
typedef enum {
    SMMU3_BLAME_NONE,
    SMMU3_BLAME_NEVER,          /* an answer to what was never asked, */
    SMMU3_BLAME_TWICE,          /* or was answered before, */
    SMMU3_BLAME_OTHER_STREAM,   /* or is another stream's */
    SMMU3_BLAME_UNWRITTEN,      /* all zero: the queue was not written there */
    SMMU3_BLAME_POISON,         /* what freed memory is filled with */
} Smmu3Blame;

/* Why an invalidation did not remove a translation. */
typedef enum {
    SMMU3_MISS_NONE,        /* it does cover it: then the cache is at fault */
    SMMU3_MISS_DROPPED,     /* it would have, but inject= dropped it... */
    SMMU3_MISS_DELAYED,     /* ...or put it off */
    SMMU3_MISS_WORLD,       /* of another regime, or of the other stage */
    SMMU3_MISS_VMID,
    SMMU3_MISS_ASID,
    SMMU3_MISS_GLOBAL,      /* by ASID, which global entries do not have */
    SMMU3_MISS_RANGE,
    SMMU3_MISS_STREAM, SMMU3_MISS_SUBSTREAM,    /* of CMD_ATC_INV */
} Smmu3Miss;

/* An invalidation that was heard. */
typedef struct Smmu3Heard {
    uint64_t ns;
    uint64_t number;        /* of all that were heard, from 1 on */
    uint64_t first, last;   /* addresses */
    uint16_t asid, vmid;    /* CMD_TLBI */
    uint16_t vmid_ignore;   /* bits of vmid that were no matter: CR0.VMW */
    uint32_t sid, ssid;     /* CMD_ATC_INV; ssid: if ssv */
    bool ssv, global;
    uint8_t opcode;
    bool dropped, delayed;
    bool widened;           /* not software's: inject= made it wider */
    Smmu3Miss miss;         /* in a report: of the translation reported */
} Smmu3Heard;

/* A descriptor of a walk: where, and what was there. */
typedef struct Smmu3Read {
    uint64_t pa, descriptor;
    int8_t level;
} Smmu3Read;

/* Levels -1 to 3; a walk that is made again begins anew. */
enum { SMMU3_TRAIL_MAX = 5 };
typedef struct Smmu3Trail {
    Smmu3Read read[SMMU3_TRAIL_MAX];
    uint8_t count;
} Smmu3Trail;

/*
 * What became of the invalidations of translations that inject= dropped. Each that
 * left something stale mattered, and is one of the other four.
 */
typedef struct Smmu3AuditDrops {
    uint64_t dropped, mattered;
    uint64_t found;             /* reported */
    uint64_t repaired;          /* all went: invalidated later, or given way */
    uint64_t open;              /* not yet a mistake, or nobody uses it */
    uint64_t missed;            /* a mistake that is in use, not reported */
} Smmu3AuditDrops;

enum { SMMU3_REPORT_HEARD = 8, SMMU3_REPORTS_MAX = 64 };

/*
 * One stale translation, in the TLB or an endpoint's cache (atc), or structure.
 * Rights are SMMU3_UNPRIV_R ... of walk.h.
 * Times are the host's `now`; syncs are CMD_SYNCs completed until then.
 */
typedef struct Smmu3AuditReport {
    Smmu3Mistake kind;
    bool atc;               /* of sid and ssid; what follows it has not */
    bool stage2, el2, has_asid, has_vmid, global;
    uint16_t asid, vmid;    /* if it has them */
    uint32_t sid, ssid;     /* who used it last */
    bool ssv;
    uint64_t addr;          /* of the page or block that is cached */
    uint64_t bytes;
    uint64_t tables_bytes;  /* of what the tables have there; 0: nothing */
    uint64_t at;            /* in it: where the tables disagree */
    uint64_t cached_output, tables_output;      /* of `at` */
    uint8_t cached_rights, tables_rights;
    Smmu3Trail cached_trail, tables_trail;      /* descriptors, then and now */
    uint64_t cached_ns, seen_ns, reported_ns;
    uint64_t seen_syncs, reported_syncs;
    uint64_t uses;          /* since it was seen to disagree */
    Smmu3Writer before;     /* the last CMDQ_PROD before that */
    Smmu3Writer after;      /* the first one after, as far as still known */
    Smmu3Heard heard[SMMU3_REPORT_HEARD];
    unsigned heard_count;
    /*
     * Invalidated, cached again from the tables as they still were, and these
     * changed within the grace: by which command.
     */
    bool has_early;
    Smmu3Heard early;
    uint64_t count;         /* such reports, of its kind, context and 2 MiB */
    /*
     * Of an STE or a CD: addr is where it was fetched, at where it would be now,
     * of a CD as an IPA if there is a stage 2; ssid is the CD's index. Outputs,
     * rights, descriptors and invalidations are none.
     */
    uint64_t cached_words[8], memory_words[8];
    /* Of a command: number is the STAG or PRG index, or where the queue has it. */
    Smmu3Blame blame;
    uint64_t command[2];
    uint32_t number;
} Smmu3AuditReport;

/* Invalidations by one command. */
typedef struct Smmu3CommandWaste {
    uint64_t count;
    uint64_t nothing;       /* nothing that it names was cached */
    uint64_t repeated;      /* it came before, and nothing was cached since */
    uint64_t broad;         /* a whole ASID, VMID, stream or more, for the sake
                               of fewer than 16 entries */
} Smmu3CommandWaste;

/* What is no mistake, and worth a look. */
typedef struct Smmu3AuditSummary {
    Smmu3CommandWaste commands[256];            /* by opcode */
    uint64_t unknown_asids, unknown_vmids;      /* TLBIs of these, that nothing
                                                   was ever cached by */
    uint64_t outputs_moved; /* another output before an invalidation: a zap and
                               a new page, or no break before make */
    uint64_t without_function;                  /* commands of such streams */
} Smmu3AuditSummary;

#endif
