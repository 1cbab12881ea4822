/*
 * See structures.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "structures.h"
#include <glib.h>
#include <string.h>

/* More are forgotten, all at once: what is used is soon fetched, or known, again. */
enum { KNOWN_MAX = 4096 };

typedef enum { FRESH, SUSPECT, REPORTED } State;

typedef struct Known {
    uint64_t key;                   /* first: the table's key */
    Smmu3Structure cached;
    bool gone;                      /* invalidated since */
    uint64_t ns;
    State state;
    Smmu3Suspicion suspicion;
} Known;

struct Smmu3Structures {
    GHashTable *known;              /* of Known, by its key */
};

static uint64_t key_of(const Smmu3Structure *structure)
{
    return (uint64_t)structure->sid << 32 |
           (structure->is_cd ? 1 | (uint64_t)structure->ssid << 1 : 0);
}

Smmu3Structures *smmu3_structures_new(void)
{
    Smmu3Structures *structures = g_new0(Smmu3Structures, 1);

    structures->known = g_hash_table_new_full(g_int64_hash, g_int64_equal,
                                              NULL, g_free);
    return structures;
}

void smmu3_structures_free(Smmu3Structures *structures)
{
    g_hash_table_unref(structures->known);
    g_free(structures);
}

void smmu3_structures_forget(Smmu3Structures *structures)
{
    g_hash_table_remove_all(structures->known);
}

void smmu3_structures_fetched(Smmu3Structures *structures,
                              const Smmu3Structure *fetched, uint64_t ns)
{
    uint64_t key = key_of(fetched);
    Known *known = g_hash_table_lookup(structures->known, &key);

    if (!known) {
        if (g_hash_table_size(structures->known) >= KNOWN_MAX) {
            smmu3_structures_forget(structures);
        }
        known = g_new0(Known, 1);
        known->key = key;
        g_hash_table_insert(structures->known, &known->key, known);
    }
    known->cached = *fetched;
    known->ns = ns;
    known->state = FRESH;
    known->gone = false;
}

unsigned smmu3_structures_invalidated(Smmu3Structures *structures,
                                      uint32_t first, uint32_t last,
                                      bool cd_only, uint32_t ssid,
                                      unsigned *work)
{
    unsigned count = 0;
    GHashTableIter iter;
    gpointer value;

    *work += g_hash_table_size(structures->known);
    g_hash_table_iter_init(&iter, structures->known);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Known *known = value;
        const Smmu3Structure *cached = &known->cached;

        if (!known->gone && cached->sid >= first && cached->sid <= last &&
            (!cd_only || (cached->is_cd && cached->ssid == ssid))) {
            known->gone = true;
            count++;
        }
    }
    return count;
}

static void describe(const Known *known, const Smmu3Structure *now,
                     Smmu3AuditReport *report)
{
    const Smmu3Structure *cached = &known->cached;

    *report = (Smmu3AuditReport) {
        .kind = cached->is_cd ? SMMU3_STALE_CD : SMMU3_STALE_STE,
        .sid = cached->sid, .ssid = cached->ssid, .ssv = cached->is_cd,
        .addr = cached->addr, .bytes = sizeof(cached->words), .at = now->addr,
        .cached_ns = known->ns,
    };
    memcpy(report->cached_words, cached->words, sizeof(cached->words));
    memcpy(report->memory_words, now->words, sizeof(now->words));
}

Smmu3StructureVerdict smmu3_structures_used(Smmu3Structures *structures,
                                            const Smmu3Grace *grace,
                                            const Smmu3Structure *now,
                                            uint64_t ns,
                                            Smmu3AuditReport *report)
{
    uint64_t key = key_of(now);
    Known *known = g_hash_table_lookup(structures->known, &key);

    if (!known) {
        return SMMU3_STRUCTURE_AGREES;
    }
    known->gone = false;            /* that invalidation was dropped */
    if (known->cached.addr == now->addr &&
        !memcmp(known->cached.words, now->words, sizeof(now->words))) {
        known->state = FRESH;
        return SMMU3_STRUCTURE_AGREES;
    }
    if (known->state == FRESH) {
        known->state = SUSPECT;
        smmu3_suspect(grace, &known->suspicion, ns);
        known->suspicion.uses++;
        return SMMU3_STRUCTURE_SUSPECT;
    }
    smmu3_suspect_again(grace, &known->suspicion);
    known->suspicion.uses++;
    if (known->state == REPORTED ||
        !smmu3_outlasted(grace, &known->suspicion, ns)) {
        return SMMU3_STRUCTURE_WAITS;
    }
    known->state = REPORTED;
    describe(known, now, report);
    smmu3_report_suspicion(grace, &known->suspicion, ns, report);
    return SMMU3_STRUCTURE_STALE;
}
