/*
 * See audit-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit-rig.h"
#include <inttypes.h>
#include <limits.h>
#include "core/commands/command.h"
#include "core/inject/grammar.h"
#include "core/signal/state.h"

void audited_rig(Setup *x, const char *inject)
{
    g_autofree char *wrong = NULL;

    *x = (Setup) { .rig = rig_new() };
    x->rig->options.audit = (Smmu3AuditOptions) {
        .on = true, .syncs = SYNCS, .grace_ns = (uint64_t)GRACE_MS * MS,
    };
    wrong = smmu3_inject_parse(inject, &x->rig->options.inject);
    g_assert_null(wrong);
}

void audited(Setup *x)
{
    audited_rig(x, "");
    setup_start(x);
}

unsigned reports(Setup *x)
{
    return x->rig->host->audit_reports->len;
}

const Smmu3AuditReport *report_at(Setup *x, unsigned number)
{
    g_assert_cmpuint(number, <, reports(x));
    return &g_array_index(x->rig->host->audit_reports, Smmu3AuditReport,
                          number);
}

uint64_t counter(Setup *x, size_t offset)
{
    return *(const _Atomic uint64_t *)((const char *)smmu3_counters(
        x->rig->smmu) + offset);
}

void syncs(Setup *x, unsigned count, unsigned ms)
{
    for (unsigned i = 0; i < count; i++) {
        x->rig->host->now_ns += (uint64_t)ms * MS / count;
        rig_sync(x->rig);
    }
}

void tlbi_va(Setup *x, unsigned asid, uint64_t va)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, CMD_TLBI_NH_VA);
    smmu3_set(cmd, CMD_ASID, asid);
    smmu3_set_addr(cmd, CMD_ADDR, va);
    rig_command(x->rig, cmd);
}

unsigned work_of(Setup *x, const uint64_t cmd[SMMU3_CMD_WORDS])
{
    Smmu3 *s = x->rig->smmu;
    unsigned work;

    /* Nobody but us executes it */
    s->in_service = true;
    rig_command(x->rig, cmd);
    g_mutex_lock(&s->lock);
    work = smmu3_command_run(s, UINT_MAX);
    s->in_service = false;
    g_mutex_unlock(&s->lock);
    smmu3_service(s);
    return work;
}

uint64_t leaf_of(Setup *x, uint64_t va)
{
    return pt_entry(&x->pt, va, 3);
}

void expect_drops(const char *plan, unsigned of, unsigned each,
                  unsigned (*drop_and_find)(const char *inject))
{
    int64_t all = 100 * each, drops = 0, off;

    for (uint64_t seed = 1; seed <= 100; seed++) {
        g_autofree char *inject =
            g_strdup_printf("%s:1/%u:%" PRIu64, plan, of, seed);

        drops += drop_and_find(inject);
    }
    /* Give or take 5 standard deviations, the square of which is all (of-1)/of^2 */
    off = drops * of - all;
    g_assert_cmpint(off * off, <, 25 * all * (of - 1));
}
