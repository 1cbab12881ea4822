/*
 * See inject.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "inject.h"
#include <glib.h>
#include <string.h>

static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
    return g_ascii_string_to_unsigned(text, 10, 0, max, value, NULL);
}

/* "P/Q" and "SEED", with 0 < P <= Q. */
static bool parse_chance(const char *fraction, const char *seed,
                         Smmu3InjectPlan *plan)
{
    g_auto(GStrv) parts = g_strsplit(fraction, "/", 2);
    uint64_t drop, of;

    if (g_strv_length(parts) != 2 ||
        !parse_number(parts[0], UINT32_MAX, &drop) ||
        !parse_number(parts[1], UINT32_MAX, &of) || !drop || drop > of) {
        return false;
    }
    plan->drop = drop;
    plan->of = of;
    return parse_number(seed, UINT64_MAX, &plan->seed);
}

static bool parse_kind(const char *word, Smmu3InjectKind *kind)
{
    static const char *const kinds[] = {
        [SMMU3_INJECT_TLBI] = "tlbi", [SMMU3_INJECT_CFGI] = "cfgi",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!strcmp(word, kinds[i])) {
            *kind = i;
            return true;
        }
    }
    return false;
}

static bool parse(char **words, Smmu3InjectPlan *plan)
{
    unsigned count = g_strv_length(words);

    if (count < 3 || count > 4 || strcmp(words[0], "drop") ||
        !parse_kind(words[1], &plan->kind)) {
        return false;
    }
    return count == 4 ? parse_chance(words[2], words[3], plan)
                      : parse_number(words[2], UINT64_MAX, &plan->nth) &&
                        plan->nth;
}

char *smmu3_inject_parse(const char *text, Smmu3InjectPlan *plan)
{
    g_auto(GStrv) words = g_strsplit(text, ":", -1);

    *plan = (Smmu3InjectPlan) { 0 };
    if (parse(words, plan)) {
        return NULL;
    }
    *plan = (Smmu3InjectPlan) { 0 };
    return g_strdup("drop:tlbi:N drops the N-th TLB invalidation (from 1 on), "
                    "drop:tlbi:P/Q:SEED about P of Q, at random; drop:cfgi:... "
                    "does that to invalidations of STEs and CDs");
}

void smmu3_inject_init(Smmu3Inject *inject, const Smmu3InjectPlan *plan)
{
    *inject = (Smmu3Inject) { .plan = *plan, .random = plan->seed };
}

/* SplitMix64: every seed is a good one. */
static uint64_t next_random(Smmu3Inject *inject)
{
    uint64_t x = inject->random += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

bool smmu3_inject_drops(Smmu3Inject *inject, Smmu3InjectKind kind)
{
    const Smmu3InjectPlan *plan = &inject->plan;

    if (kind != plan->kind) {
        return false;
    }
    inject->seen++;
    if (plan->nth) {
        return inject->seen == plan->nth;
    }
    return plan->of && next_random(inject) % plan->of < plan->drop;
}
