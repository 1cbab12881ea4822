/*
 * An SMMU as it would be if some fields of a stream's STE and CD, or of the ID
 * registers, had other values: to be looked at, and never run. Not a list of
 * what differs: tables/ranges.h. Called by the questions what-if and compare.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_SHADOW_H
#define SMMU3_SHADOW_H

#include "smmu3.h"

/* Where a field is that may be changed. */
typedef enum {
    SMMU3_FIELD_CD, SMMU3_FIELD_STE, SMMU3_FIELD_ID,
} Smmu3FieldPlace;

typedef struct Smmu3Field {
    const char *name;           /* of the structure's field, "T0SZ" */
    Smmu3FieldPlace place;
    unsigned word, lsb, width;
    bool is_address;            /* the value is one, and stands where it is */
} Smmu3Field;

/* Those of CDs and STEs that decide how tables are read; NULL as a name ends. */
extern const Smmu3Field smmu3_shadow_fields[];

/* One field's value in the shadow. */
typedef struct Smmu3Change {
    Smmu3FieldPlace place;
    const Smmu3Field *field;            /* of a CD or an STE */
    const Smmu3IdField *id;             /* of an ID register */
    uint64_t value;
} Smmu3Change;

/*
 * "CD.T0SZ", "STE.S2T0SZ", "ID.OAS", in letters of any case, to what is to
 * change; false: there is no such field, or @value does not fit.
 */
bool smmu3_change_parse(const char *name, uint64_t value, Smmu3Change *change);
/*
 * Why lists of ranges do not show what @field does, though it makes a CD or an
 * STE legal or not like any other; NULL: they show it.
 */
const char *smmu3_field_unseen(const Smmu3Field *field);
/* Its value in @words, which are of its structure. */
uint64_t smmu3_field_value(const Smmu3Field *field, const uint64_t *words);

typedef struct Smmu3Shadow Smmu3Shadow;

/*
 * Of @s, whose STE and CD are @view's. NULL, with *@why to free, if no SMMU can
 * be so. Memory is read as @s reads it and never written. @s and @view must
 * outlive it.
 */
Smmu3Shadow *smmu3_shadow_new(Smmu3 *s, const Smmu3View *view,
                              const Smmu3Change *changes, unsigned count,
                              char **why);
void smmu3_shadow_free(Smmu3Shadow *shadow);
/* What to look at. Not to be serviced. */
Smmu3 *smmu3_shadow_smmu(Smmu3Shadow *shadow);

#endif
