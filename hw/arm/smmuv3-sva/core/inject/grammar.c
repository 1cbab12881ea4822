/*
 * See grammar.h. A table says which action goes with what; a plan is read, and
 * said again, word by word.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "grammar.h"
#include <inttypes.h>
#include <string.h>
#include "../spec/names.h"
#include "../spec/spec.h"

static const char *const actions[] = {
    [SMMU3_INJECT_DROP] = "drop", [SMMU3_INJECT_DELAY] = "delay",
    [SMMU3_INJECT_WIDEN] = "widen", [SMMU3_INJECT_SPURIOUS] = "spurious",
    [SMMU3_INJECT_ABORT] = "abort",
};

#define MAY(action)     (1u << SMMU3_INJECT_##action)
static const struct {
    const char *word;
    unsigned may;           /* what can be done to it */
} whats[] = {
    [SMMU3_INJECT_TLBI] = { "tlbi", MAY(DROP) | MAY(DELAY) | MAY(WIDEN) },
    [SMMU3_INJECT_CFGI] = { "cfgi", MAY(DROP) | MAY(DELAY) | MAY(WIDEN) },
    [SMMU3_INJECT_ATC_INV] = { "atc_inv",
                               MAY(DROP) | MAY(DELAY) | MAY(WIDEN) },
    [SMMU3_INJECT_RESUME] = { "resume", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_PRI_RESP] = { "pri_resp", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_EVENT] = { "event", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_BESIDE_EVENT] = { "event", MAY(SPURIOUS) },
    [SMMU3_INJECT_EVENTQ_IRQ] = { "evtq", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_PRIQ_IRQ] = { "priq", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_GERROR_IRQ] = { "gerror", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_SYNC_IRQ] = { "sync", MAY(DROP) | MAY(DELAY) },
    [SMMU3_INJECT_WALK] = { "walk", MAY(ABORT) },
};
#undef MAY

const char *smmu3_inject_help(void)
{
    return
        "Plans, with commas between them:\n"
        "  drop:WHAT:WHICH         it does nothing\n"
        "  delay:WHAT:WHICH:SYNCS  it comes after so many more CMD_SYNCs\n"
        "  widen:WHAT:WHICH        it removes more: an ASID for an address, a\n"
        "                          VMID for an ASID, a stream for a CD\n"
        "  spurious:event:WHICH:TYPE:SID\n"
        "                          beside an event, another one of a TYPE (its\n"
        "                          name or number) for a StreamID\n"
        "  abort:walk:WHICH[:ADDRESS[/SIZE]]\n"
        "                          a walk for a VA or an IPA meets an external\n"
        "                          abort; SIZE is 4096 unless given\n"
        "with WHAT one of\n"
        "  tlbi, cfgi, atc_inv     invalidations\n"
        "  resume, pri_resp        answers to a stall, to a page request (these\n"
        "                          and what follows cannot be widened)\n"
        "  event                   a record of the event queue\n"
        "  evtq, priq, gerror      interrupts, wired or MSI\n"
        "  sync                    a CMD_SYNC's interrupt, MSI or event\n"
        "and WHICH one of\n"
        "  N         the N-th, from 1 on\n"
        "  /N        every N-th\n"
        "  P/Q:SEED  about P of Q, at random; the same ones for the same SEED\n";
}

/* ---- Reading ------------------------------------------------------------ */

static bool take_number(char ***words, uint64_t min, uint64_t max,
                        uint64_t *value)
{
    return **words && g_ascii_string_to_unsigned(*(*words)++, 10, min, max,
                                                 value, NULL);
}

static bool take_action(char ***words, Smmu3InjectAction *action)
{
    for (unsigned i = 0; **words && i < G_N_ELEMENTS(actions); i++) {
        if (!strcmp(**words, actions[i])) {
            *action = i;
            (*words)++;
            return true;
        }
    }
    return false;
}

static bool take_what(char ***words, Smmu3InjectAction action,
                      Smmu3InjectWhat *what)
{
    for (unsigned i = 0; **words && i < G_N_ELEMENTS(whats); i++) {
        if (!strcmp(**words, whats[i].word) && whats[i].may >> action & 1) {
            *what = i;
            (*words)++;
            return true;
        }
    }
    return false;
}

/* "P/Q" and "SEED", with 0 < P <= Q. */
static bool take_chance(char ***words, Smmu3InjectPlan *plan)
{
    g_auto(GStrv) parts = g_strsplit(*(*words)++, "/", 2);
    uint64_t hits, of;

    if (!g_ascii_string_to_unsigned(parts[0], 10, 1, UINT32_MAX, &hits,
                                    NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, hits, UINT32_MAX, &of,
                                    NULL)) {
        return false;
    }
    plan->hits = hits;
    plan->of = of;
    return take_number(words, 0, UINT64_MAX, &plan->seed);
}

static bool take_which(char ***words, Smmu3InjectPlan *plan)
{
    const char *slash = **words ? strchr(**words, '/') : NULL;

    if (!slash) {
        return take_number(words, 1, UINT64_MAX, &plan->nth);
    }
    if (slash == **words) {
        return g_ascii_string_to_unsigned(*(*words)++ + 1, 10, 1, UINT64_MAX,
                                          &plan->every, NULL);
    }
    return take_chance(words, plan);
}

static bool take_syncs(char ***words, Smmu3InjectPlan *plan)
{
    uint64_t syncs;

    if (!take_number(words, 1, SMMU3_INJECT_SYNCS_MAX, &syncs)) {
        return false;
    }
    plan->syncs = syncs;
    return true;
}

/* Decimal or 0x..., all of @text. */
static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
    bool hex = g_str_has_prefix(text, "0x");

    return g_ascii_string_to_unsigned(hex ? text + 2 : text, hex ? 16 : 10, 0,
                                      max, value, NULL);
}

static bool parse_event_type(const char *text, uint8_t *type)
{
    uint64_t number;

    for (unsigned i = EVENT_NONE + 1; i <= UINT8_MAX; i++) {
        const char *name = smmu3_event_name(i);

        if (name && (!strcmp(text, name) ||
                     (parse_number(text, UINT8_MAX, &number) &&
                      number == i))) {
            *type = i;
            return true;
        }
    }
    return false;
}

static bool take_event(char ***words, Smmu3InjectPlan *plan)
{
    uint64_t sid;

    if (!**words || !parse_event_type(*(*words)++, &plan->event_type) ||
        !**words || !parse_number(*(*words)++, UINT32_MAX, &sid)) {
        return false;
    }
    plan->sid = sid;
    return true;
}

/* If there is one. */
static bool take_range(char ***words, Smmu3InjectPlan *plan)
{
    g_auto(GStrv) parts = NULL;

    if (!**words) {
        return true;
    }
    parts = g_strsplit(*(*words)++, "/", 2);
    plan->bytes = 4096;
    return *parts && parse_number(parts[0], UINT64_MAX, &plan->addr) &&
           (!parts[1] || parse_number(parts[1], UINT64_MAX, &plan->bytes)) &&
           plan->bytes;
}

static bool take_rest(char ***words, Smmu3InjectPlan *plan)
{
    switch (plan->action) {
    case SMMU3_INJECT_DELAY:
        return take_syncs(words, plan);
    case SMMU3_INJECT_SPURIOUS:
        return take_event(words, plan);
    case SMMU3_INJECT_ABORT:
        return take_range(words, plan);
    default:
        return true;
    }
}

static bool parse_plan(const char *text, Smmu3InjectPlan *plan)
{
    g_auto(GStrv) all = g_strsplit(text, ":", -1);
    char **words = all;

    *plan = (Smmu3InjectPlan) { .nth = 0 };
    return take_action(&words, &plan->action) &&
           take_what(&words, plan->action, &plan->what) &&
           take_which(&words, plan) &&
           take_rest(&words, plan) &&
           !*words;
}

char *smmu3_inject_parse(const char *text, Smmu3InjectOptions *options)
{
    g_auto(GStrv) plans = g_strsplit(text, ",", -1);

    *options = (Smmu3InjectOptions) { .count = 0 };
    for (char **plan = plans; *plan; plan++) {
        if (options->count == SMMU3_INJECT_PLANS_MAX ||
            !parse_plan(*plan, &options->plans[options->count++])) {
            *options = (Smmu3InjectOptions) { .count = 0 };
            return g_strdup(*plan);
        }
    }
    return NULL;
}

/* ---- Saying it ----------------------------------------------------------- */

void smmu3_inject_words(const Smmu3InjectPlan *plan, GString *out)
{
    g_string_append_printf(out, "%s:%s:", actions[plan->action],
                           whats[plan->what].word);
    if (plan->nth) {
        g_string_append_printf(out, "%" PRIu64, plan->nth);
    } else if (plan->every) {
        g_string_append_printf(out, "/%" PRIu64, plan->every);
    } else {
        g_string_append_printf(out, "%u/%u:%" PRIu64, plan->hits, plan->of,
                               plan->seed);
    }
    if (plan->action == SMMU3_INJECT_DELAY) {
        g_string_append_printf(out, ":%u", plan->syncs);
    } else if (plan->action == SMMU3_INJECT_SPURIOUS) {
        g_string_append_printf(out, ":%s:0x%x",
                               smmu3_event_name(plan->event_type), plan->sid);
    } else if (plan->bytes) {
        g_string_append_printf(out, ":0x%" PRIx64 "/%" PRIu64, plan->addr,
                               plan->bytes);
    }
}
