/*
 * The sizes of an instance, and what it is to watch or to do wrong. Not what
 * software can see of it: id.h. Given to smmu3_new() by whoever embeds the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_OPTIONS_H
#define SMMU3_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "inject.h"

/* When a disagreement of cache and tables is software's mistake: audit.h. */
typedef struct Smmu3AuditOptions {
    bool on;
    uint32_t syncs;                 /* CMD_SYNCs that it outlasts, and... */
    uint64_t grace_ns;              /* ...for how long, also of work; 0 and 0
                                       are allowed */
} Smmu3AuditOptions;

/* Sizes of what the architecture leaves to the implementation. */
typedef struct Smmu3Options {
    size_t tlb_entries;             /* 0: 65536 */
    size_t config_entries;          /* STE and CD pairs; 0: 4096 */
    uint64_t atc_timeout_ns;        /* 0: 1 s (PCIe allows up to 90 s) */
    Smmu3AuditOptions audit;
    Smmu3InjectOptions inject;
} Smmu3Options;

#endif
