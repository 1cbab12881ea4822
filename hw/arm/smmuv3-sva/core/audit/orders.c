/*
 * See orders.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "orders.h"
#include <glib.h>
#include <string.h>
#include "../spec/field.h"

/*
 * What software was asked with a STAG. One whose stall the SMMU has ended is given
 * away again while software's answer to that stall may be on its way.
 */
typedef struct Asked {
    bool ever, open;
    uint8_t late;                   /* stalls that were ended: answers that may
                                       come still */
    uint32_t sid;                   /* of the last one */
} Asked;

/*
 * The page request groups of a stream with one index, in a pointer. A function that
 * was reset uses its indices again while answers to the old groups are on their way.
 */
enum {
    GROUP_KNOWN = 1,
    GROUP_HAS_PART = 2,             /* and its last request is still to come */
    GROUP_ANSWER = 4,               /* one that may come; so many times that */
    GROUP_ANSWERS_MAX = 65535,
};

struct Smmu3Orders {
    const Smmu3Grace *grace;
    unsigned stall_max;
    Asked *stalls;                  /* by STAG */
    GHashTable *groups;             /* of group_key(), its Group */
    bool knows_groups;              /* all that there ever were */

    /* The oldest invalidation without a CMD_SYNC after it. */
    bool lacks_sync, was_told;
    uint64_t cmd[SMMU3_CMD_WORDS];
    Smmu3Suspicion since;
};

Smmu3Orders *smmu3_orders_new(const Smmu3Grace *grace, unsigned stall_max)
{
    Smmu3Orders *orders = g_new0(Smmu3Orders, 1);

    orders->grace = grace;
    orders->stall_max = stall_max;
    orders->stalls = g_new0(Asked, stall_max);
    orders->groups = g_hash_table_new(NULL, NULL);
    orders->knows_groups = true;
    return orders;
}

void smmu3_orders_free(Smmu3Orders *orders)
{
    g_hash_table_unref(orders->groups);
    g_free(orders->stalls);
    g_free(orders);
}

static void forget_groups(Smmu3Orders *orders, bool anew)
{
    g_hash_table_remove_all(orders->groups);
    orders->knows_groups = anew;
}

void smmu3_orders_forget(Smmu3Orders *orders, bool anew)
{
    for (unsigned i = 0; i < orders->stall_max; i++) {
        orders->stalls[i] = (Asked) { .ever = !anew, .late = !anew };
    }
    forget_groups(orders, anew);
    orders->lacks_sync = false;
}

/* ---- Stalls and page requests --------------------------------------------- */

void smmu3_orders_stall(Smmu3Orders *orders, uint32_t sid, uint16_t stag,
                        Smmu3AnswerState state)
{
    Asked *asked = &orders->stalls[stag];

    asked->ever = true;
    asked->open = state == SMMU3_ANSWER_DUE;
    asked->sid = sid;
    if (state == SMMU3_ANSWER_LATE && asked->late < UINT8_MAX) {
        asked->late++;
    }
}

/* Not NULL; a PRG index has 9 bits. */
static gpointer group_key(uint32_t sid, uint16_t index)
{
    return (gpointer)(uintptr_t)((uint64_t)sid << 16 | index | 1 << 15);
}

static unsigned group_asked(unsigned group, Smmu3AnswerState state)
{
    unsigned answers = group / GROUP_ANSWER;
    bool had_part = group & GROUP_HAS_PART;

    if (state == SMMU3_ANSWER_LATE && !had_part) {
        /* Software has seen nothing of it */
        answers = MAX(answers, 1);
    } else if (!had_part) {
        answers = MIN(answers + 1, GROUP_ANSWERS_MAX);
    }
    return GROUP_KNOWN | answers * GROUP_ANSWER |
           (state == SMMU3_ANSWER_EARLY ? GROUP_HAS_PART : 0);
}

void smmu3_orders_group(Smmu3Orders *orders, uint32_t sid, uint16_t index,
                        Smmu3AnswerState state)
{
    gpointer key = group_key(sid, index);
    unsigned group =
        GPOINTER_TO_UINT(g_hash_table_lookup(orders->groups, key));

    if (!group && g_hash_table_size(orders->groups) >= SMMU3_GROUPS_MAX) {
        forget_groups(orders, false);
    }
    g_hash_table_insert(orders->groups, key,
                        GUINT_TO_POINTER(group_asked(group, state)));
}

static bool blame(Smmu3AuditReport *report, Smmu3Mistake what, Smmu3Blame why,
                  uint32_t sid, uint16_t number)
{
    *report = (Smmu3AuditReport) {
        .kind = what, .blame = why, .sid = sid, .number = number,
    };
    return true;
}

bool smmu3_orders_resume(Smmu3Orders *orders, uint32_t sid, uint16_t stag,
                         Smmu3AuditReport *report)
{
    Asked *asked = stag < orders->stall_max ? &orders->stalls[stag] : NULL;

    if (!asked || !asked->ever) {
        return blame(report, SMMU3_WRONG_RESUME, SMMU3_BLAME_NEVER, sid, stag);
    }
    if (asked->open && asked->sid == sid) {
        asked->open = false;
        return false;
    }
    if (asked->late) {
        asked->late--;
        if (!asked->open) {
            asked->sid = sid;
        }
        return false;
    }
    return blame(report, SMMU3_WRONG_RESUME,
                 asked->sid == sid ? SMMU3_BLAME_TWICE
                                   : SMMU3_BLAME_OTHER_STREAM, sid, stag);
}

bool smmu3_orders_respond(Smmu3Orders *orders, uint32_t sid, uint16_t index,
                          Smmu3AuditReport *report)
{
    gpointer key = group_key(sid, index);
    unsigned group =
        GPOINTER_TO_UINT(g_hash_table_lookup(orders->groups, key));

    if (!group) {
        return orders->knows_groups &&
               blame(report, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_NEVER, sid,
                     index);
    }
    if (group < GROUP_ANSWER) {
        return blame(report, SMMU3_WRONG_RESPONSE, SMMU3_BLAME_TWICE, sid,
                     index);
    }
    group -= GROUP_ANSWER;
    if (group < GROUP_ANSWER) {
        group = GROUP_KNOWN;        /* the part's, which was early */
    }
    g_hash_table_insert(orders->groups, key, GUINT_TO_POINTER(group));
    return false;
}

/* ---- The queue -------------------------------------------------------------- */

void smmu3_orders_invalidated(Smmu3Orders *orders, const uint64_t *cmd,
                              uint64_t ns)
{
    if (!orders->lacks_sync) {
        orders->lacks_sync = true;
        orders->was_told = false;
        memcpy(orders->cmd, cmd, sizeof(orders->cmd));
        smmu3_suspect(orders->grace, &orders->since, ns);
    }
}

void smmu3_orders_synced(Smmu3Orders *orders)
{
    orders->lacks_sync = false;
}

bool smmu3_orders_lack_sync(Smmu3Orders *orders, uint64_t ns,
                            Smmu3AuditReport *report)
{
    if (!orders->lacks_sync || orders->was_told ||
        !smmu3_lasted(orders->grace, &orders->since, ns)) {
        return false;
    }
    orders->was_told = true;
    blame(report, SMMU3_WRONG_NO_SYNC, SMMU3_BLAME_NONE, 0, 0);
    memcpy(report->command, orders->cmd, sizeof(report->command));
    smmu3_report_suspicion(orders->grace, &orders->since, ns, report);
    return true;
}

/* What allocators and sanitizers fill memory with, and what a device that is not
   there returns. */
static bool is_poison(uint8_t byte)
{
    static const uint8_t fills[] = {
        0x6b, 0x5a, 0xa5, 0xaa, 0xcc, 0xcd, 0xdd, 0xff,
    };

    return memchr(fills, byte, sizeof(fills));
}

Smmu3Blame smmu3_orders_illegal(const uint64_t *cmd)
{
    const uint8_t *bytes = (const uint8_t *)cmd;

    for (unsigned i = 1; i < SMMU3_CMD_BYTES - 1; i++) {
        if (bytes[i] != bytes[0]) {
            return SMMU3_BLAME_NONE;
        }
    }
    return bytes[0] == 0 ? SMMU3_BLAME_UNWRITTEN :
           is_poison(bytes[0]) ? SMMU3_BLAME_POISON : SMMU3_BLAME_NONE;
}
