/*
 * An SMMU with an auditor, one stream and the time that a mistake takes. Used by
 * the tests named test-audit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_AUDIT_RIG_H
#define TEST_AUDIT_RIG_H

#include "one-stream.h"

/* What the rig's auditor waits for; the one stream's ASID. */
enum { SYNCS = 8, MS = 1000000, GRACE_MS = 1000, ASID = 1 };

/* A rig whose auditor is on, with faults as inject=@inject; not started. */
void audited_rig(Setup *x, const char *inject);
/* The same without faults, started. */
void audited(Setup *x);

/* How many were told; the one with @number. */
unsigned reports(Setup *x);
const Smmu3AuditReport *report_at(Setup *x, unsigned number);

uint64_t counter(Setup *x, size_t offset);
#define COUNTER(x, name)    counter(x, offsetof(Smmu3Counters, name))

/* CMD_SYNCs, with as much time as all of them together are to take. */
void syncs(Setup *x, unsigned count, unsigned ms);
/* CMD_TLBI_NH_VA of one page. */
void tlbi_va(Setup *x, unsigned asid, uint64_t va);
/*
 * @plan, as in inject=, by 100 seeds, each of which drops about one @of of @each
 * commands: @drop_and_find says how many it did, having found them all.
 */
void expect_drops(const char *plan, unsigned of, unsigned each,
                  unsigned (*drop_and_find)(const char *inject));
/* One command, and what it cost: see work.h. */
unsigned work_of(Setup *x, const uint64_t cmd[SMMU3_CMD_WORDS]);
/* Where the descriptor of @va's page is. */
uint64_t leaf_of(Setup *x, uint64_t va);

#endif
