/*
 * The sizes of an instance. Not what software can see of it: id.h. Given to
 * smmu3_new() by whoever embeds the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_OPTIONS_H
#define SMMU3_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Sizes of what the architecture leaves to the implementation. */
typedef struct Smmu3Options {
    size_t tlb_entries;             /* 0: 65536 */
    size_t config_entries;          /* STE and CD pairs; 0: 4096 */
    uint64_t atc_timeout_ns;        /* 0: 1 s (PCIe allows up to 90 s) */
} Smmu3Options;

#endif
