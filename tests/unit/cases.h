/*
 * Tables of cases: fields of a structure and of the ID registers to change
 * from an ordinary one. Used by test-ste.c and test-cd.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_CASES_H
#define TEST_CASES_H

#include <stddef.h>
#include "builders.h"

/* SET(STE_V, 0): the field as spec.h names it, and its value. */
typedef struct FieldValue {
    unsigned word, lsb, width;
    uint64_t value;
} FieldValue;

#define SET(field, value) { field, value }

/* ID(httu, 0): a member of Smmu3Features, and its value. */
typedef struct IdValue {
    size_t member;
    unsigned value;
    bool used;
} IdValue;

#define ID(name, value) { offsetof(Smmu3Features, name), value, true }

static inline void set_fields(uint64_t *words, const FieldValue *fields,
                              unsigned count)
{
    for (unsigned i = 0; i < count && fields[i].width; i++) {
        smmu3_set(words, fields[i].word, fields[i].lsb, fields[i].width,
                  fields[i].value);
    }
}

static inline void set_ids(Smmu3Features *f, const IdValue *ids,
                           unsigned count)
{
    for (unsigned i = 0; i < count && ids[i].used; i++) {
        *(uint16_t *)((char *)f + ids[i].member) = ids[i].value;
    }
}

#endif
