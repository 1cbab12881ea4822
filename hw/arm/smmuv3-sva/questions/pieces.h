/*
 * Ranges of address spaces for the monitor: pieces, differences and surveys
 * (core/tables/ranges.h) as QObjects. Not how they come about. Used by the
 * questions that answer with them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_PIECES_H
#define HW_ARM_SMMUV3_SVA_PIECES_H

#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "../core/smmu3.h"

/*
 * How long a list may be, and the way to it, unless the asker says; and what he
 * may say, as the machine stands still meanwhile, and has the list in memory.
 */
enum {
    SMMUV3_SVA_MAX_RANGES = 4096, SMMUV3_SVA_MOST_RANGES = 1 << 14,
    SMMUV3_SVA_MAX_STEPS = 1 << 20, SMMUV3_SVA_MOST_STEPS = 1 << 22,
};

/* What a question may say of how much it wants, as properties. */
typedef struct Smmuv3SvaBounds {
    uint64_t from, to;          /* addresses */
    uint32_t max_ranges, max_steps;
} Smmuv3SvaBounds;

#define SMMUV3_SVA_BOUNDS_PROPERTIES(type, member)                            \
    DEFINE_PROP_UINT64("from", type, member.from, 0),                         \
    DEFINE_PROP_UINT64("to", type, member.to, UINT64_MAX),                    \
    DEFINE_PROP_UINT32("max-ranges", type, member.max_ranges,                 \
                       SMMUV3_SVA_MAX_RANGES),                                \
    DEFINE_PROP_UINT32("max-steps", type, member.max_steps,                   \
                       SMMUV3_SVA_MAX_STEPS)

/* Their descriptions. */
void smmuv3_sva_describe_bounds(ObjectClass *oc);
/* When @question, a type's name, is plugged: whether they can be kept. */
bool smmuv3_sva_check_bounds(const Smmuv3SvaBounds *bounds,
                             const char *question, Error **errp);

/* An empty survey, of pieces or of differences. */
Smmu3Survey smmuv3_sva_survey(const Smmuv3SvaBounds *bounds, size_t item_bytes);
/* What of @span @bounds wants; false: nothing. */
bool smmuv3_sva_bound(const Smmuv3SvaBounds *bounds, Smmu3Span *span);

/* A piece, without its addresses if it is one side of a difference. */
QDict *smmuv3_sva_piece(const Smmu3Piece *piece, bool with_addresses);
/* The difference, with each side under its name. */
QDict *smmuv3_sva_difference(const Smmu3Difference *d, const char *a,
                             const char *b);
/* Put into @answer what is to be known of @survey besides its list. */
void smmuv3_sva_put_survey(QDict *answer, const Smmu3Survey *survey);
/* Whom @view is of, why it has nothing, its structures. */
void smmuv3_sva_put_view(QDict *answer, const Smmu3View *view);

/* A number as the monitor's reader wants it: "0x1000". */
void smmuv3_sva_put_hex(QDict *dict, const char *key, uint64_t value);

#endif
