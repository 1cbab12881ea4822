/*
 * See reports.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "reports.h"
#include <inttypes.h>
#include "../spec/names.h"
#include "../spec/spec.h"

enum { REGION_LOG2 = 21 };

static bool same_mistake(const Smmu3AuditReport *a, const Smmu3AuditReport *b)
{
    if (smmu3_report_is_command(a)) {
        return a->kind == b->kind && a->sid == b->sid && a->blame == b->blame;
    }
    return a->kind == b->kind && a->atc == b->atc &&
           a->stage2 == b->stage2 && a->el2 == b->el2 &&
           a->vmid == b->vmid && a->asid == b->asid &&
           (!(smmu3_report_is_structure(a) || a->atc) ||
            (a->sid == b->sid && a->ssid == b->ssid)) &&
           a->addr >> REGION_LOG2 == b->addr >> REGION_LOG2;
}

Smmu3AuditReport *smmu3_reports_add(Smmu3Reports *reports,
                                    const Smmu3AuditReport *report)
{
    for (unsigned i = 0; i < reports->count; i++) {
        if (same_mistake(&reports->kept[i], report)) {
            reports->kept[i].count++;
            return NULL;
        }
    }
    if (reports->count == SMMU3_REPORTS_MAX) {
        return NULL;
    }
    reports->kept[reports->count] = *report;
    return &reports->kept[reports->count++];
}

/* ---- Words ------------------------------------------------------------- */

void smmu3_rights_words(uint8_t rights, GString *out)
{
    static const char letters[] = "rwx";

    for (unsigned bit = 0; bit < 6; bit++) {
        if (bit == 3) {
            g_string_append_c(out, '/');
        }
        g_string_append_c(out, rights >> bit & 1 ? letters[bit % 3] : '-');
    }
}

const char *smmu3_mistake_words(Smmu3Mistake kind)
{
    static const char *const words[] = {
        [SMMU3_STALE_GONE] = "gone", [SMMU3_STALE_MOVED] = "moved",
        [SMMU3_STALE_RIGHTS] = "fewer rights", [SMMU3_STALE_CLEAN] = "clean",
        [SMMU3_STALE_STE] = "STE", [SMMU3_STALE_CD] = "CD",
        [SMMU3_STALE_SIZE] = "break-before-make",
        [SMMU3_WRONG_RESUME] = "RESUME",
        [SMMU3_WRONG_RESPONSE] = "page response",
        [SMMU3_WRONG_STREAM] = "no such stream",
        [SMMU3_WRONG_COMMAND] = "illegal command",
        [SMMU3_WRONG_NO_SYNC] = "no SYNC",
    };

    return words[kind];
}

const char *smmu3_kind_words(const Smmu3AuditReport *report)
{
    return report->atc ? "stale ATC" : smmu3_mistake_words(report->kind);
}

const char *smmu3_miss_words(Smmu3Miss miss)
{
    static const char *const words[] = {
        [SMMU3_MISS_NONE] = "covers it", [SMMU3_MISS_DROPPED] = "dropped",
        [SMMU3_MISS_DELAYED] = "delayed",
        [SMMU3_MISS_WORLD] = "other regime", [SMMU3_MISS_VMID] = "other VMID",
        [SMMU3_MISS_ASID] = "other ASID", [SMMU3_MISS_GLOBAL] = "global entry",
        [SMMU3_MISS_RANGE] = "other range",
        [SMMU3_MISS_STREAM] = "other StreamID",
        [SMMU3_MISS_SUBSTREAM] = "other SubstreamID",
    };

    return words[miss];
}

static void context_words(const Smmu3AuditReport *r, GString *out)
{
    if (r->has_asid) {
        g_string_append_printf(out, " ASID 0x%x", r->asid);
    }
    if (r->has_vmid) {
        g_string_append_printf(out, " VMID 0x%x", r->vmid);
    }
    g_string_append_printf(out, " (sid 0x%x", r->sid);
    if (r->ssv) {
        g_string_append_printf(out, " ssid 0x%x", r->ssid);
    }
    g_string_append_c(out, ')');
}

static void tables_words(const Smmu3AuditReport *r, GString *out)
{
    switch (r->kind) {
    case SMMU3_STALE_GONE:
        g_string_append(out, "the tables have nothing there");
        break;
    case SMMU3_STALE_MOVED:
        g_string_append_printf(out, "the tables say 0x%" PRIx64 " ",
                               r->tables_output);
        smmu3_rights_words(r->tables_rights, out);
        break;
    case SMMU3_STALE_RIGHTS:
        g_string_append(out, "the tables grant only ");
        smmu3_rights_words(r->tables_rights, out);
        break;
    case SMMU3_STALE_CLEAN:
        g_string_append(out, "the tables say writable-clean");
        break;
    case SMMU3_STALE_SIZE:
        g_string_append_printf(out, "and in a block of %" PRIu64 " KiB, the "
                               "tables have one of %" PRIu64 " KiB there",
                               r->bytes >> 10, r->tables_bytes >> 10);
        break;
    default:
        break;
    }
}

static void writer_words(const Smmu3Writer *w, const char *when, GString *out)
{
    if (w->known) {
        g_string_append_printf(out, "; CMDQ_PROD %s: CPU %u PC 0x%" PRIx64,
                               when, w->cpu, w->pc);
    }
}

/* The first word that differs, for an example. */
static void structure_words(const Smmu3AuditReport *r, GString *out)
{
    unsigned word = 0;

    g_string_append_printf(out, "stale %s of sid 0x%x",
                           smmu3_mistake_words(r->kind), r->sid);
    if (r->ssv) {
        g_string_append_printf(out, " ssid 0x%x", r->ssid);
    }
    if (r->at != r->addr) {
        g_string_append_printf(out, ": was fetched from 0x%" PRIx64 ", and is "
                               "at 0x%" PRIx64, r->addr, r->at);
        return;
    }
    while (word < 7 && r->cached_words[word] == r->memory_words[word]) {
        word++;
    }
    g_string_append_printf(out, " at 0x%" PRIx64 ": word %u is cached as 0x%016"
                           PRIx64 ", memory has 0x%016" PRIx64, r->addr, word,
                           r->cached_words[word], r->memory_words[word]);
}

static void translation_words(const Smmu3AuditReport *r, GString *out)
{
    if (r->atc) {
        g_string_append(out, "stale ATC");
    } else if (r->kind == SMMU3_STALE_SIZE) {
        g_string_append_printf(out, "no break before make: stage-%d "
                               "translation", r->stage2 ? 2 : 1);
    } else {
        g_string_append_printf(out, "stale stage-%d translation",
                               r->stage2 ? 2 : 1);
    }
    context_words(r, out);
    g_string_append_printf(out, ": 0x%" PRIx64 " %s as 0x%" PRIx64 " ", r->at,
                           r->atc ? "was granted" : "is cached",
                           r->cached_output);
    smmu3_rights_words(r->cached_rights, out);
    g_string_append(out, ", ");
    tables_words(r, out);
}

const char *smmu3_blame_words(Smmu3Blame blame)
{
    static const char *const words[] = {
        [SMMU3_BLAME_NONE] = "",
        [SMMU3_BLAME_NEVER] = "nothing was ever asked by it",
        [SMMU3_BLAME_TWICE] = "it was answered before",
        [SMMU3_BLAME_OTHER_STREAM] = "it is another stream's",
        [SMMU3_BLAME_UNWRITTEN] = "all zero, as memory that was not written",
        [SMMU3_BLAME_POISON] = "as memory that was freed, or never written",
    };

    return words[blame];
}

static const char *name_of(const Smmu3AuditReport *r)
{
    return smmu3_command_name(smmu3_get(r->command, CMD_OPCODE));
}

static void command_words(const Smmu3AuditReport *r, GString *out)
{
    switch (r->kind) {
    case SMMU3_WRONG_RESUME:
        g_string_append_printf(out, "CMD_RESUME of sid 0x%x STAG 0x%x", r->sid,
                               r->number);
        break;
    case SMMU3_WRONG_RESPONSE:
        g_string_append_printf(out, "CMD_PRI_RESP of sid 0x%x PRG index 0x%x",
                               r->sid, r->number);
        break;
    case SMMU3_WRONG_STREAM:
        g_string_append_printf(out, "%s of sid 0x%x, which is beyond the "
                               "stream table", name_of(r), r->sid);
        break;
    case SMMU3_WRONG_COMMAND:
        g_string_append_printf(out, "illegal command 0x%016" PRIx64 " 0x%016"
                               PRIx64 " at index 0x%x of the command queue",
                               r->command[0], r->command[1], r->number);
        break;
    default:
        g_string_append_printf(out, "%s without a CMD_SYNC after it for %"
                               PRIu64 " ms", name_of(r),
                               (r->reported_ns - r->seen_ns) / 1000000);
        break;
    }
    if (r->blame != SMMU3_BLAME_NONE) {
        g_string_append_printf(out, ": %s", smmu3_blame_words(r->blame));
    }
}

static void duration_words(const Smmu3AuditReport *r, GString *out)
{
    g_string_append_printf(out, "; not invalidated for %" PRIu64 " ms and %"
                           PRIu64 " CMD_SYNCs, used %" PRIu64 " times",
                           (r->reported_ns - r->seen_ns) / 1000000,
                           r->reported_syncs - r->seen_syncs, r->uses);
}

void smmu3_report_words(const Smmu3AuditReport *r, GString *out)
{
    if (smmu3_report_is_command(r)) {
        command_words(r, out);
    } else if (smmu3_report_is_structure(r)) {
        structure_words(r, out);
    } else {
        translation_words(r, out);
    }
    if (!smmu3_report_is_at_once(r) && !smmu3_report_is_command(r)) {
        duration_words(r, out);
    }
    if (r->has_early) {
        g_string_append_printf(out, "; invalidated too early, %" PRIu64 " us "
                               "before that", (r->seen_ns - r->early.ns) /
                               1000);
    }
    writer_words(&r->before, "before", out);
    writer_words(&r->after, "after", out);
}
