/*
 * See pieces.h. Addresses are strings in hexadecimal: the monitor has
 * no unsigned numbers of 64 bits that every client can read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "pieces.h"
#include "hw/pci/sva-compat.h"

void smmuv3_sva_put_hex(QDict *dict, const char *key, uint64_t value)
{
    g_autofree char *text = g_strdup_printf("0x%" PRIx64, value);

    qdict_put_str(dict, key, text);
}

/* ---- Bounds ------------------------------------------------------------ */

void smmuv3_sva_describe_bounds(ObjectClass *oc)
{
    object_class_property_set_description(oc, "from",
        "The first address that is looked at");
    object_class_property_set_description(oc, "to", "The last one");
    object_class_property_set_description(oc, "max-ranges",
        "How many ranges there may be in the answer, 1 to 16384");
    object_class_property_set_description(oc, "max-steps",
        "How many entries of the tables are looked at for it, 1 to 4194304; "
        "and as many again for reasons");
}

static bool check_most(uint32_t value, uint32_t most, const char *property,
                       const char *question, Error **errp)
{
    if (!value || value > most) {
        error_setg(errp, "%s: %s=%u: it is 1 to %u", question, property, value,
                   most);
        return false;
    }
    return true;
}

bool smmuv3_sva_check_bounds(const Smmuv3SvaBounds *bounds,
                             const char *question, Error **errp)
{
    if (bounds->from > bounds->to) {
        error_setg(errp, "%s: from=0x%" PRIx64 " is behind to=0x%" PRIx64
                   ", so there is nothing to look at", question, bounds->from,
                   bounds->to);
        return false;
    }
    return check_most(bounds->max_ranges, SMMUV3_SVA_MOST_RANGES,
                      "max-ranges", question, errp) &&
           check_most(bounds->max_steps, SMMUV3_SVA_MOST_STEPS, "max-steps",
                      question, errp);
}

Smmu3Survey smmuv3_sva_survey(const Smmuv3SvaBounds *bounds, size_t item_bytes)
{
    return (Smmu3Survey) {
        .max_ranges = bounds->max_ranges, .max_steps = bounds->max_steps,
        .ranges = g_array_new(FALSE, FALSE, item_bytes),
    };
}

bool smmuv3_sva_bound(const Smmuv3SvaBounds *bounds, Smmu3Span *span)
{
    span->first = MAX(span->first, bounds->from);
    span->last = MIN(span->last, bounds->to);
    return span->first <= span->last;
}

/* ---- Pieces ------------------------------------------------------------ */

/* "rw-" unprivileged, "rw-" privileged; "?" is not known. */
static void put_rights(QDict *dict, const Smmu3Piece *piece)
{
    static const char letters[] = "rwxrwx";
    char text[] = "---/---";

    for (unsigned i = 0; i < 6; i++) {
        text[i < 3 ? i : i + 1] = !(piece->known >> i & 1) ? '?' :
                                  piece->rights >> i & 1 ? letters[i] : '-';
    }
    qdict_put_str(dict, "rights", text);
}

/* "memory" of stage 1, or of stage 2 alone; "memory-stage2" if both are. */
static void put_memory(QDict *dict, const Smmu3Piece *piece)
{
    static const char *const words[] = {
        [SMMU3_MEMORY_DEVICE] = "device",
        [SMMU3_MEMORY_NON_CACHEABLE] = "non-cacheable",
        [SMMU3_MEMORY_CACHEABLE] = "normal",
        [SMMU3_MEMORY_AS_STAGE1] = "as stage 1",
    };

    if (piece->has_mair) {
        qdict_put_str(dict, "memory", words[smmu3_mair_memory(piece->mair)]);
        qdict_put_int(dict, "attributes", piece->mair);
    }
    if (piece->has_memattr) {
        qdict_put_str(dict, piece->has_mair ? "memory-stage2" : "memory",
                      words[smmu3_memattr_memory(piece->memattr, piece->fwb)]);
        qdict_put_int(dict, piece->has_mair ? "attributes-stage2"
                                            : "attributes", piece->memattr);
    }
    if (!piece->has_mair && !piece->has_memattr) {
        qdict_put_str(dict, "memory", "unknown");
        qdict_put_int(dict, "attributes", 0);
    }
}

static void put_mapped(QDict *dict, const Smmu3Piece *piece)
{
    smmuv3_sva_put_hex(dict, "output", piece->output);
    if (piece->nested) {
        smmuv3_sva_put_hex(dict, "ipa", piece->ipa);
    }
    qdict_put_int(dict, "entry", INT64_C(1) << piece->entry_log2);
    put_rights(dict, piece);
    put_memory(dict, piece);
    qdict_put_bool(dict, "clean", piece->clean);
    qdict_put_bool(dict, "global", piece->global);
    qdict_put_bool(dict, "contiguous", piece->contiguous);
}

static void put_span(QDict *dict, Smmu3Span in)
{
    smmuv3_sva_put_hex(dict, "first", in.first);
    smmuv3_sva_put_hex(dict, "last", in.last);
}

QDict *smmuv3_sva_piece(const Smmu3Piece *piece, bool with_addresses)
{
    QDict *dict = qdict_new();

    if (with_addresses) {
        put_span(dict, piece->in);
    }
    if (piece->mapped) {
        put_mapped(dict, piece);
    } else {
        qdict_put_str(dict, "refused",
                      smmu3_event_name(piece->fault) ?: "abort");
        qdict_put_int(dict, "stage", piece->fault_stage2 ? 2 : 1);
    }
    return dict;
}

static QList *ways(unsigned how)
{
    static const char *const words[] = {
        "mapped", "output", "size", "rights", "memory", "clean",
    };
    QList *list = qlist_new();

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        if (how >> i & 1) {
            qlist_append_str(list, words[i]);
        }
    }
    return list;
}

QDict *smmuv3_sva_difference(const Smmu3Difference *d, const char *a,
                             const char *b)
{
    QDict *dict = qdict_new();

    put_span(dict, d->a.in);
    qdict_put(dict, "how", ways(d->how));
    qdict_put(dict, a, smmuv3_sva_piece(&d->a, false));
    qdict_put(dict, b, smmuv3_sva_piece(&d->b, false));
    return dict;
}

/* ---- Around them ------------------------------------------------------- */

void smmuv3_sva_put_survey(QDict *answer, const Smmu3Survey *survey)
{
    qdict_put_int(answer, "steps", survey->steps);
    smmuv3_sva_put_hex(answer, "mapped-bytes", survey->mapped_bytes);
    qdict_put_bool(answer, "truncated", survey->truncated);
    if (survey->truncated) {
        smmuv3_sva_put_hex(answer, "from", survey->at);
    }
}

static QList *words_of(const uint64_t *words, unsigned count)
{
    QList *list = qlist_new();

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *text = g_strdup_printf("0x%016" PRIx64, words[i]);

        qlist_append_str(list, text);
    }
    return list;
}

void smmuv3_sva_put_view(QDict *answer, const Smmu3View *view)
{
    if (view->refused) {
        qdict_put_str(answer, "refused",
                      smmu3_event_name(view->why) ?: "abort");
    }
    qdict_put_bool(answer, "stage1", view->stage1);
    qdict_put_bool(answer, "stage2", view->stage2);
    if (view->has_ste) {
        qdict_put(answer, "ste", words_of(view->ste, SMMU3_STE_WORDS));
    }
    if (view->has_cd) {
        qdict_put(answer, "cd", words_of(view->cd, SMMU3_CD_WORDS));
    }
}
