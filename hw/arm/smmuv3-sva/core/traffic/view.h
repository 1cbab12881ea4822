/*
 * What a StreamID and a SubstreamID can reach: the configuration found once,
 * then an answer for each address that is asked. It changes nothing, as explain
 * does not. Not lists of ranges: tables/ranges.h. Called by smmu3.c, under the
 * lock; what it found is for everybody.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_VIEW_H
#define SMMU3_VIEW_H

#include "../tables/ranges.h"

typedef struct Smmu3 Smmu3;

enum { SMMU3_VIEW_SPANS = 2 };

typedef struct Smmu3View {
    bool refused;               /* whatever the address, for this reason;
                                   EVENT_NONE: aborted without a record */
    Smmu3EventType why;
    bool stage1, stage2;        /* neither: what comes in goes out */
    /* Where the structures are that were found, and what they say. */
    bool has_ste, has_cd;
    uint64_t ste_at, cd_at;
    uint64_t ste[SMMU3_STE_WORDS], cd[SMMU3_CD_WORDS];
    /* The inputs that may be mapped, in order. */
    Smmu3Span spans[SMMU3_VIEW_SPANS];
    unsigned span_count;
} Smmu3View;

/* Find the configuration. For smmu3_view_free(); @s must outlive it. */
Smmu3View *smmu3_view_new_locked(Smmu3 *s, uint32_t sid, bool ssv,
                                 uint32_t ssid);
void smmu3_view_free(Smmu3View *view);
Smmu3 *smmu3_view_smmu(const Smmu3View *view);
/* The answer at @in, as Smmu3LookUp. Rights are of both privileges. */
void smmu3_view_look_up_locked(Smmu3View *view, uint64_t in,
                               Smmu3Piece *piece);

#endif
