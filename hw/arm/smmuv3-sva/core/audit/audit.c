/*
 * See audit.h. What is heard goes to who keeps it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit.h"
#include "../spec/field.h"
#include "drops.h"
#include "entries.h"
#include "grants.h"
#include "reports.h"
#include "waste.h"

enum { LOOK_WORK = 64 };            /* in units of about 10 ns */

struct Smmu3Audit {
    Smmu3Grace grace;
    Smmu3Counters *counters;

    Smmu3EntriesHost entries_host;
    Smmu3Entries *entries;
    Smmu3Structures *structures;
    Smmu3Orders *orders;
    Smmu3Waste *waste;
    Smmu3GrantsHost grants_host;
    Smmu3Grants *grants;
    Smmu3Drops *drops;
    Smmu3Reports reports;
};

static void report_entry(void *opaque, const Smmu3Entry *entry,
                         Smmu3AuditReport *r);
static void report_grant(void *opaque, const Smmu3Grant *grant,
                         Smmu3AuditReport *r);

/* ---- Life -------------------------------------------------------------- */

Smmu3Audit *smmu3_audit_new(const Smmu3AuditOptions *options,
                            const Smmu3HostOps *ops, void *host,
                            const Smmu3Features *features, Smmu3Tlb *tlb,
                            Smmu3Counters *counters, Smmu3AuditLook *look,
                            void *look_opaque)
{
    Smmu3Audit *a = g_new0(Smmu3Audit, 1);

    a->grace = (Smmu3Grace) { .options = *options, .ops = ops, .host = host };
    a->counters = counters;
    a->structures = smmu3_structures_new();
    smmu3_tlb_be_precise(tlb);
    a->drops = smmu3_drops_new(&a->grace);
    a->grants_host = (Smmu3GrantsHost) {
        .look = look, .look_opaque = look_opaque,
        .report = report_grant, .report_opaque = a,
    };
    a->orders = smmu3_orders_new(&a->grace, features->stall_max);
    a->waste = smmu3_waste_new();
    a->entries_host = (Smmu3EntriesHost) {
        .report = report_entry, .opaque = a,
    };
    a->entries = smmu3_entries_new(&a->entries_host, &a->grace, features, tlb,
                                   counters, a->drops, a->waste);
    a->grants = smmu3_grants_new(&a->grants_host, &a->grace, counters,
                                 a->drops);
    return a;
}

void smmu3_audit_free(Smmu3Audit *a)
{
    if (a) {
        smmu3_grants_free(a->grants);
        smmu3_entries_free(a->entries);
        smmu3_drops_free(a->drops);
        smmu3_orders_free(a->orders);
        smmu3_waste_free(a->waste);
        smmu3_structures_free(a->structures);
        g_free(a);
    }
}

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void smmu3_audit_forget(Smmu3Audit *a, bool reset)
{
    smmu3_entries_forget(a->entries);
    smmu3_grants_forget(a->grants);
    smmu3_orders_forget(a->orders, reset);
    smmu3_structures_forget(a->structures);
}

/* ---- Reports ----------------------------------------------------------- */

/* Its copy if it is a new one. */
static Smmu3AuditReport *keep(Smmu3Audit *a, const Smmu3AuditReport *r)
{
    count(&a->counters->audit_reports);
    return smmu3_reports_add(&a->reports, r);
}

static void tell(const Smmu3Audit *a, const Smmu3AuditReport *kept)
{
    if (a->grace.ops->audit_report) {
        a->grace.ops->audit_report(a->grace.host, kept);
    }
}

static void report_entry(void *opaque, const Smmu3Entry *entry,
                         Smmu3AuditReport *r)
{
    Smmu3Audit *a = opaque;
    Smmu3AuditReport *kept = keep(a, r);

    if (kept) {
        smmu3_entries_explain(a->entries, entry, kept);
        tell(a, kept);
    }
}

static void report_grant(void *opaque, const Smmu3Grant *grant,
                         Smmu3AuditReport *r)
{
    Smmu3Audit *a = opaque;
    Smmu3AuditReport *kept = keep(a, r);

    if (kept) {
        smmu3_grants_explain(a->grants, grant, kept);
        tell(a, kept);
    }
}

GArray *smmu3_audit_kept(const Smmu3Audit *a)
{
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(Smmu3AuditReport));

    g_array_append_vals(copy, a->reports.kept, a->reports.count);
    return copy;
}

void smmu3_audit_drop_reports(Smmu3Audit *a)
{
    a->reports.count = 0;
    smmu3_waste_reset(a->waste);
}

void smmu3_audit_summary(const Smmu3Audit *a, Smmu3AuditSummary *summary)
{
    smmu3_waste_summary(a->waste, summary);
}

/* A command that is wrong, now or since a while. */
static void report_command(Smmu3Audit *a, Smmu3AuditReport *r)
{
    uint64_t ns = smmu3_grace_now(&a->grace);
    Smmu3AuditReport *kept;
    Smmu3Suspicion now;

    if (smmu3_report_is_at_once(r)) {
        smmu3_suspect(&a->grace, &now, ns);
        smmu3_report_suspicion(&a->grace, &now, ns, r);
    }
    kept = keep(a, r);
    if (kept) {
        tell(a, kept);
    }
}

static void report_lack_of_sync(Smmu3Audit *a, uint64_t ns)
{
    Smmu3AuditReport r;

    if (smmu3_orders_lack_sync(a->orders, ns, &r)) {
        report_command(a, &r);
    }
}

/* ---- Entries of the TLB -------------------------------------------------- */

void smmu3_audit_walked(Smmu3Audit *a, const Smmu3Asked *asked,
                        const Smmu3Leaf *leaf, const Smmu3Trail *trail)
{
    report_lack_of_sync(a, smmu3_grace_now(&a->grace));
    smmu3_entries_walked(a->entries, asked, leaf, trail);
}

void smmu3_audit_used(Smmu3Audit *a, const Smmu3Asked *asked,
                      const Smmu3Leaf *leaf)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    report_lack_of_sync(a, ns);
    smmu3_entries_used(a->entries, asked, leaf, ns);
}

unsigned smmu3_audit_invalidated(Smmu3Audit *a, const Smmu3Heard *heard)
{
    return smmu3_entries_invalidated(a->entries, heard,
                                     smmu3_grace_now(&a->grace));
}

void smmu3_audit_count_drops(Smmu3Audit *a, Smmu3AuditDrops *counts)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    smmu3_entries_judge_left(a->entries, ns);
    smmu3_grants_judge_left(a->grants, ns);
    smmu3_drops_count(a->drops, counts);
}

unsigned smmu3_audit_synced(Smmu3Audit *a)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    a->grace.syncs++;
    return (smmu3_entries_sweep(a->entries, ns) +
            smmu3_grants_sweep(a->grants, ns)) * LOOK_WORK;
}

void smmu3_audit_prod_written(Smmu3Audit *a)
{
    smmu3_grace_note_writer(&a->grace);
}

/* ---- Waste ----------------------------------------------------------------- */

static int count_removed(Smmu3Audit *a, const Smmu3Heard *heard,
                         unsigned *work)
{
    unsigned named;

    switch (heard->opcode) {
    case CMD_ATC_INV:
        named = smmu3_grants_named(a->grants, heard, work);
        return MIN(named, SMMU3_WASTE_FEW);
    case CMD_CFGI_STE:
    case CMD_CFGI_STE_RANGE:
    case CMD_CFGI_CD:
    case CMD_CFGI_CD_ALL:
        named = smmu3_structures_invalidated(a->structures, heard->first,
                                             heard->last, heard->ssv,
                                             heard->ssid, work);
        return MIN(named, SMMU3_WASTE_FEW);
    default:
        return smmu3_entries_count_named(a->entries, heard, work);
    }
}

unsigned smmu3_audit_coming(Smmu3Audit *a, const uint64_t *cmd,
                            const Smmu3Heard *heard)
{
    const Smmu3HostOps *ops = a->grace.ops;
    bool of_stream = heard->opcode == CMD_ATC_INV ||
                     heard->opcode == CMD_CFGI_STE ||
                     heard->opcode == CMD_CFGI_CD ||
                     heard->opcode == CMD_CFGI_CD_ALL;
    unsigned work = 0;

    smmu3_waste_command(a->waste, cmd, heard, count_removed(a, heard, &work));
    if (of_stream && ops->has_function &&
        !ops->has_function(a->grace.host, heard->sid)) {
        smmu3_waste_no_function(a->waste);
    }
    return work;
}

/* ---- Commands by themselves ---------------------------------------------- */

/* Another one, and no CMD_SYNC before it. */
void smmu3_audit_commanded(Smmu3Audit *a, const uint64_t *cmd)
{
    uint64_t ns = smmu3_grace_now(&a->grace);

    report_lack_of_sync(a, ns);
    smmu3_orders_invalidated(a->orders, cmd, ns);
}

void smmu3_audit_sync_begins(Smmu3Audit *a)
{
    smmu3_orders_synced(a->orders);
}

void smmu3_audit_queue_stops(Smmu3Audit *a)
{
    smmu3_orders_synced(a->orders);
}

void smmu3_audit_illegal(Smmu3Audit *a, const uint64_t *cmd, uint32_t index)
{
    Smmu3AuditReport r = {
        .kind = SMMU3_WRONG_COMMAND, .blame = smmu3_orders_illegal(cmd),
        .command = { cmd[0], cmd[1] }, .number = index,
    };

    report_command(a, &r);
}

void smmu3_audit_no_stream(Smmu3Audit *a, const uint64_t *cmd, uint32_t sid)
{
    Smmu3AuditReport r = {
        .kind = SMMU3_WRONG_STREAM, .sid = sid,
        .command = { cmd[0], cmd[1] },
    };

    report_command(a, &r);
}

void smmu3_audit_stall(Smmu3Audit *a, uint32_t sid, uint16_t stag,
                       Smmu3AnswerState state)
{
    smmu3_orders_stall(a->orders, sid, stag, state);
}

void smmu3_audit_group(Smmu3Audit *a, uint32_t sid, uint16_t index,
                       Smmu3AnswerState state)
{
    smmu3_orders_group(a->orders, sid, index, state);
}

void smmu3_audit_resume(Smmu3Audit *a, uint32_t sid, uint16_t stag)
{
    Smmu3AuditReport r;

    if (smmu3_orders_resume(a->orders, sid, stag, &r)) {
        report_command(a, &r);
    }
}

void smmu3_audit_respond(Smmu3Audit *a, uint32_t sid, uint16_t index)
{
    Smmu3AuditReport r;

    if (smmu3_orders_respond(a->orders, sid, index, &r)) {
        report_command(a, &r);
    }
}

/* ---- Caches of endpoints ------------------------------------------------- */

void smmu3_audit_granted(Smmu3Audit *a, const Smmu3Transaction *request,
                         const Smmu3Translation *answer)
{
    smmu3_waste_cached(a->waste, NULL);
    smmu3_grants_granted(a->grants, request, answer,
                         smmu3_grace_now(&a->grace));
}

void smmu3_audit_grant_used(Smmu3Audit *a, uint32_t sid, uint64_t addr)
{
    smmu3_grants_used(a->grants, sid, addr, smmu3_grace_now(&a->grace));
}

unsigned smmu3_audit_atc_invalidated(Smmu3Audit *a, const Smmu3Heard *heard)
{
    return smmu3_grants_invalidated(a->grants, heard,
                                    smmu3_grace_now(&a->grace));
}

void smmu3_audit_atc_flushed(Smmu3Audit *a, uint32_t sid)
{
    smmu3_grants_flushed(a->grants, sid, smmu3_grace_now(&a->grace));
}

/* ---- Structures --------------------------------------------------------- */

void smmu3_audit_fetched(Smmu3Audit *a, const Smmu3Structure *structure)
{
    smmu3_waste_cached(a->waste, NULL);
    smmu3_structures_fetched(a->structures, structure,
                             smmu3_grace_now(&a->grace));
}

void smmu3_audit_structure_used(Smmu3Audit *a, const Smmu3Structure *now)
{
    uint64_t ns = smmu3_grace_now(&a->grace);
    Smmu3AuditReport r, *kept;

    count(&a->counters->audit_looks);
    switch (smmu3_structures_used(a->structures, &a->grace, now, ns, &r)) {
    case SMMU3_STRUCTURE_SUSPECT:
        count(&a->counters->audit_suspicions);
        break;
    case SMMU3_STRUCTURE_STALE:
        kept = keep(a, &r);
        if (kept) {
            tell(a, kept);
        }
        break;
    default:
        break;
    }
}
