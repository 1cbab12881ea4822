/*
 * See pager.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "pager.h"

uint64_t pager_mark(uint64_t va, uint32_t ssid)
{
    return (va & -PAGE_BYTES) * 31 + ssid;
}

/* Is the page there now, with this right? */
static bool map_page(Pager *p, uint32_t ssid, uint64_t va)
{
    Space *space = p->spaces[ssid];

    if (!space || va < p->first || va > p->last) {
        return false;
    }
    if (!space_pa(space, va)) {
        uint64_t *page = arena_page();

        page[0] = pager_mark(va, ssid);
        space_map(space, va, pa_of(page), 0);
        p->mapped++;
    }
    return true;
}

/* ---- Page requests ------------------------------------------------------ */

static PagerGroup *find_group(Pager *p, const uint64_t *entry)
{
    PagerGroup *unused = NULL;

    for (unsigned i = 0; i < PAGER_GROUPS; i++) {
        PagerGroup *g = &p->open[i];

        if (!g->open) {
            unused = g;
        } else if (g->ssv == smmu3_get(entry, PRI_SSV) &&
                   g->ssid == smmu3_get(entry, PRI_SUBSTREAMID) &&
                   g->index == smmu3_get(entry, PRI_PRGINDEX)) {
            return g;
        }
    }
    if (unused) {
        *unused = (PagerGroup) {
            .open = true,
            .ssv = smmu3_get(entry, PRI_SSV),
            .ssid = smmu3_get(entry, PRI_SUBSTREAMID),
            .index = smmu3_get(entry, PRI_PRGINDEX),
        };
    }
    return unused;
}

/* All of its pages, or none that is not allowed: the response. */
static unsigned serve_group(Pager *p, const PagerGroup *g)
{
    if (p->fails) {
        return CMD_PRI_RESP_FAILURE;
    }
    for (unsigned i = 0; i < g->count; i++) {
        uint64_t va = smmu3_get_addr(g->entries[i], PRI_ADDR);

        if (!map_page(p, g->ssid, va)) {
            return CMD_PRI_RESP_INVALID;
        }
    }
    return CMD_PRI_RESP_SUCCESS;
}

static void take_request(void *opaque, const uint64_t entry[SMMU3_PRI_WORDS])
{
    Pager *p = opaque;
    PagerGroup *g;
    unsigned resp;

    p->requests++;
    memcpy(p->last_request, entry, SMMU3_PRI_BYTES);
    if (smmu3_get(entry, PRI_SSV) && smmu3_get(entry, PRI_LAST) &&
        !smmu3_get(entry, PRI_READ) && !smmu3_get(entry, PRI_WRITE)) {
        p->stops++;         /* a PASID has been stopped; nobody waits */
        return;
    }
    g = find_group(p, entry);
    if (!g) {
        return;
    }
    if (g->count < PAGER_GROUP_PAGES) {
        memcpy(g->entries[g->count++], entry, SMMU3_PRI_BYTES);
    }
    if (!smmu3_get(entry, PRI_LAST)) {
        return;
    }
    resp = serve_group(p, g);
    p->groups++;
    p->denied += resp != CMD_PRI_RESP_SUCCESS;
    g->open = false;
    smmu_page_response(entry, resp);
}

/* ---- Stalls ------------------------------------------------------------- */

static void take_event(void *opaque, const uint64_t event[SMMU3_EVENT_WORDS])
{
    Pager *p = opaque;
    uint32_t ssid = smmu3_get(event, EVENT_SUBSTREAMID);
    bool served;

    memcpy(p->last_event, event, SMMU3_EVENT_BYTES);
    if (!smmu3_get(event, EVENT_STALL)) {
        return;
    }
    p->stalls++;
    served = !p->fails && smmu3_get(event, EVENT_TYPE) == F_TRANSLATION &&
             map_page(p, ssid, smmu3_get(event, EVENT_INPUT_ADDR));
    p->denied += !served;
    smmu_resume(smmu3_get(event, EVENT_STREAMID),
                smmu3_get(event, EVENT_STAG), served, !served && !p->ignores);
}

SmmuListener pager_listener(Pager *pager)
{
    return (SmmuListener) {
        .event = take_event,
        .page_request = take_request,
        .opaque = pager,
    };
}
