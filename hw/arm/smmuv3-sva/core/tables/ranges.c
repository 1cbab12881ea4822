/*
 * See ranges.h. A survey goes from one answer to the end of what it holds for,
 * and so never looks at an address twice, nor into what is not there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ranges.h"

/* ---- Pieces ------------------------------------------------------------ */

/* Leave of @piece what is within @span; they overlap. */
static void cut(Smmu3Piece *piece, Smmu3Span span)
{
    uint64_t first = MAX(piece->in.first, span.first);

    piece->output += first - piece->in.first;
    piece->ipa += first - piece->in.first;
    piece->in = (Smmu3Span) { first, MIN(piece->in.last, span.last) };
}

/* The answer at @in, within @span. */
static Smmu3Piece look_up(Smmu3Survey *survey, Smmu3Space space, uint64_t in,
                          Smmu3Span span)
{
    Smmu3Piece piece = { .in = { in, in } };

    survey->steps++;
    space.look_up(space.opaque, in, &piece);
    cut(&piece, (Smmu3Span) { in, span.last });
    return piece;
}

/* Whether @b goes on where @a ends, with what @a says. */
static bool continues(const Smmu3Piece *a, const Smmu3Piece *b)
{
    uint64_t bytes = a->in.last - a->in.first + 1;

    if (b->in.first != a->in.last + 1 || a->mapped != b->mapped) {
        return false;
    }
    if (!a->mapped) {
        return a->fault == b->fault && a->fault_stage2 == b->fault_stage2;
    }
    return b->output == a->output + bytes && a->nested == b->nested &&
           (!a->nested || b->ipa == a->ipa + bytes) &&
           a->entry_log2 == b->entry_log2 && a->contiguous == b->contiguous &&
           a->rights == b->rights && a->known == b->known &&
           a->clean == b->clean && a->global == b->global &&
           a->has_mair == b->has_mair && a->mair == b->mair &&
           a->has_memattr == b->has_memattr && a->memattr == b->memattr &&
           a->fwb == b->fwb;
}

Smmu3Memory smmu3_mair_memory(uint8_t mair)
{
    return mair >> 4 == 0 ? SMMU3_MEMORY_DEVICE :
           mair >> 4 == 4 ? SMMU3_MEMORY_NON_CACHEABLE :
           SMMU3_MEMORY_CACHEABLE;
}

Smmu3Memory smmu3_memattr_memory(uint8_t memattr, bool fwb)
{
    static const Smmu3Memory outer[] = {
        SMMU3_MEMORY_DEVICE, SMMU3_MEMORY_NON_CACHEABLE,
        SMMU3_MEMORY_CACHEABLE, SMMU3_MEMORY_CACHEABLE,
    };

    if (!fwb) {
        return outer[memattr >> 2 & 3];
    }
    if (!(memattr & 4)) {
        return SMMU3_MEMORY_DEVICE;
    }
    return (memattr & 3) == 3 ? SMMU3_MEMORY_AS_STAGE1 :
           (memattr & 3) == 2 ? SMMU3_MEMORY_CACHEABLE :
           SMMU3_MEMORY_NON_CACHEABLE;
}

/*
 * A stage 2 that only one of them has is no difference in itself: a process on
 * a vCPU has none, and its device one below it.
 */
static bool memory_differs(const Smmu3Piece *a, const Smmu3Piece *b)
{
    return a->has_mair != b->has_mair || a->mair != b->mair ||
           (a->has_memattr && b->has_memattr &&
            (a->memattr != b->memattr || a->fwb != b->fwb));
}

unsigned smmu3_pieces_differ(const Smmu3Piece *a, const Smmu3Piece *b,
                             uint64_t in, unsigned care, uint8_t rights)
{
    unsigned how = 0;

    if (a->mapped != b->mapped) {
        return SMMU3_DIFFERS_MAPPED & care;
    }
    if (!a->mapped) {
        return 0;
    }
    if (smmu3_piece_output(a, in) != smmu3_piece_output(b, in)) {
        how |= SMMU3_DIFFERS_OUTPUT;
    }
    if (a->entry_log2 != b->entry_log2) {
        how |= SMMU3_DIFFERS_SIZE;
    }
    if ((a->rights ^ b->rights) & a->known & b->known & rights) {
        how |= SMMU3_DIFFERS_RIGHTS;
    }
    if (a->known && b->known && memory_differs(a, b)) {
        how |= SMMU3_DIFFERS_MEMORY;
    }
    if (a->clean != b->clean) {
        how |= SMMU3_DIFFERS_CLEAN;
    }
    return how & care;
}

/* ---- Surveys ----------------------------------------------------------- */

/* Whether the survey may go on at @in; it says where it did not. */
static bool may_go_on(Smmu3Survey *survey, uint64_t in)
{
    if (!survey->truncated && survey->steps < survey->max_steps) {
        return true;
    }
    if (!survey->truncated) {
        survey->truncated = true;
        survey->at = in;
    }
    return false;
}

/* Whether the list has room for one that begins at @in. */
static bool has_room(Smmu3Survey *survey, uint64_t in)
{
    if (survey->ranges->len < survey->max_ranges) {
        return true;
    }
    survey->truncated = true;
    survey->at = in;
    return false;
}

static void add_piece(Smmu3Survey *survey, const Smmu3Piece *piece)
{
    GArray *list = survey->ranges;
    Smmu3Piece *last = list->len ?
        &g_array_index(list, Smmu3Piece, list->len - 1) : NULL;

    if (last && continues(last, piece)) {
        last->in.last = piece->in.last;
    } else if (has_room(survey, piece->in.first)) {
        g_array_append_val(list, *piece);
    } else {
        return;
    }
    survey->mapped_bytes += piece->in.last - piece->in.first + 1;
}

void smmu3_survey_map(Smmu3Survey *survey, Smmu3Space space, Smmu3Span span)
{
    uint64_t in = span.first;

    while (may_go_on(survey, in)) {
        Smmu3Piece piece = look_up(survey, space, in, span);

        if (piece.mapped) {
            add_piece(survey, &piece);
        }
        if (piece.in.last >= span.last) {
            break;
        }
        in = piece.in.last + 1;
    }
}

/* False: there is no room. */
static bool add_difference(Smmu3Survey *survey, const Smmu3Difference *d)
{
    GArray *list = survey->ranges;
    Smmu3Difference *last = list->len ?
        &g_array_index(list, Smmu3Difference, list->len - 1) : NULL;

    if (last && last->how == d->how && continues(&last->a, &d->a) &&
        continues(&last->b, &d->b)) {
        last->a.in.last = last->b.in.last = d->a.in.last;
    } else if (has_room(survey, d->a.in.first)) {
        g_array_append_val(list, *d);
    } else {
        return false;
    }
    return true;
}

/* Both answers to the same addresses: the first ones that they share. */
static void compare_pieces(Smmu3Survey *survey, Smmu3Difference *d,
                           unsigned care, uint8_t rights)
{
    Smmu3Span both = { d->a.in.first, MIN(d->a.in.last, d->b.in.last) };

    cut(&d->a, both);
    cut(&d->b, both);
    d->how = smmu3_pieces_differ(&d->a, &d->b, both.first, care, rights);
    if (d->how && !add_difference(survey, d)) {
        return;         /* who goes on from here counts it */
    }
    if (d->a.mapped && d->b.mapped) {
        uint64_t bytes = both.last - both.first + 1;

        survey->mapped_bytes += bytes;
        if (rights & ~(d->a.known & d->b.known)) {
            survey->unknown_bytes += bytes;
        }
    }
}

void smmu3_survey_compare(Smmu3Survey *survey, Smmu3Space a, Smmu3Space b,
                          Smmu3Span span, unsigned care, uint8_t rights)
{
    Smmu3Piece of_a, of_b;
    bool need_a = true, need_b = true;
    uint64_t in = span.first;

    while (may_go_on(survey, in)) {
        Smmu3Difference d;
        uint64_t last;

        of_a = need_a ? look_up(survey, a, in, span) : of_a;
        of_b = need_b ? look_up(survey, b, in, span) : of_b;
        d = (Smmu3Difference) { of_a, of_b, 0 };
        cut(&d.a, (Smmu3Span) { in, span.last });
        cut(&d.b, (Smmu3Span) { in, span.last });
        compare_pieces(survey, &d, care, rights);
        last = d.a.in.last;
        if (last >= span.last) {
            break;
        }
        need_a = of_a.in.last == last;
        need_b = of_b.in.last == last;
        in = last + 1;
    }
}
