/*
 * A function's DMA port, see requester.h: its properties, what the operating
 * system has enabled, what the IOMMU says to it. Not where an access goes, that
 * is channel.c's. Called by the endpoints, by the IOMMU through the port, and by
 * channel.c and span.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/sva-guest-ram.h"
#include "standard-headers/linux/pci_regs.h"
#include "capability.h"
#include "requester.h"
#include "trace.h"

static const char *requester_name(const SvaRequester *r)
{
    return r->pdev->qdev.id ?: r->pdev->name;
}

/* ---- What the IOMMU says ------------------------------------------------ */

/* More than any queue of commands brings while one access is under way. */
enum { OWED_MOST = 65536 };

static void requester_answer(SvaRequester *r, uint32_t tag)
{
    if (unlikely(r->misbehave.faults)) {
        sva_misbehave_answer(&r->misbehave, r->pdev, r->port, tag);
    } else {
        sva_port_invalidated(r->port, tag);
    }
}

static void requester_answer_owed(void *opaque)
{
    SvaRequester *r = opaque;

    /* In a main loop within an access: its end comes here again. */
    while (r->owed && r->owed->len && !r->accesses) {
        uint32_t tag = g_array_index(r->owed, uint32_t, 0);

        g_array_remove_index(r->owed, 0);
        requester_answer(r, tag);
    }
    object_unref(r->pdev);
}

void sva_channel_begin_access(SvaChannel *ch)
{
    ch->requester->accesses++;
}

void sva_channel_end_access(SvaChannel *ch)
{
    SvaRequester *r = ch->requester;

    if (--r->accesses == 0 && r->owed && r->owed->len) {
        object_ref(r->pdev);
        aio_bh_schedule_oneshot(qemu_get_aio_context(), requester_answer_owed,
                                r);
    }
}

/*
 * Nothing that was translated before is in use when this is answered: a step
 * looks its translations up, uses them, and is over. Only an access of this
 * function to a register may bring it here in the middle of one.
 */
static void port_invalidate(SvaClient *client, const SvaInvalidate *inv)
{
    SvaRequester *r = container_of(client, SvaRequester, client);
    bool every = inv->global || inv->pasid == SVA_NO_PASID;
    unsigned dropped;
    bool later;

    sva_worker_enter(r->worker);
    dropped = sva_misbehaves(&r->misbehave, SVA_FAULT_INV_NOT_DONE) ? 0 :
              sva_atc_invalidate(r->atc, inv->pasid, every, inv->addr,
                                 inv->size_log2);
    later = r->accesses != 0;
    r->count.invalidations++;
    trace_sva_atc_invalidate(requester_name(r), inv->tag, inv->pasid,
                             inv->global, inv->addr, inv->size_log2, dropped,
                             later);
    if (!later) {
        requester_answer(r, inv->tag);
    } else if (r->owed->len < OWED_MOST) {
        g_array_append_val(r->owed, inv->tag);
    }
    sva_worker_leave(r->worker);
}

static void port_page_response(SvaClient *client, uint32_t pasid,
                               const IOMMUPRIResponse *response)
{
    SvaRequester *r = container_of(client, SvaRequester, client);

    sva_worker_enter(r->worker);
    sva_requester_enter_pages(r);
    sva_page_requests_respond(r->pages, pasid, response);
    sva_requester_leave_pages(r);
    sva_worker_leave(r->worker);
}

static void requester_ask_again(void *opaque)
{
    SvaRequester *r = opaque;
    PCIDevice *pdev = r->pdev;

    object_ref(pdev);
    sva_worker_enter(r->worker);
    sva_page_requests_ask_again(&r->pri);
    sva_worker_leave(r->worker);
    object_unref(pdev);
}

/* ---- The function ------------------------------------------------------- */

/*
 * Looked up at the first access: the machine is complete by then, and what
 * address space a function has does not change afterwards.
 */
SvaPort *sva_requester_port(SvaRequester *r)
{
    if (!r->port_known) {
        r->port = sva_port_find(r->pdev);
        r->other_iommu = !r->port && pci_device_iommu_address_space(r->pdev) !=
                                     &address_space_memory;
        r->port_known = true;
        trace_sva_requester_port(requester_name(r), r->port != NULL);
        if (r->port && r->atc) {
            sva_port_set_client(r->port, &r->client);
        }
    }
    return r->port;
}

void sva_requester_init(SvaRequester *r, PCIDevice *pdev, uint16_t pasid_cap,
                        bool may_stall)
{
    sva_guest_ram_init();
    *r = (SvaRequester) {
        .pdev = pdev,
        .pasid_cap = pasid_cap,
        .may_stall = may_stall,
        .client = {
            .invalidate = port_invalidate,
            .page_response = port_page_response,
        },
        .owed = g_array_new(false, false, sizeof(uint32_t)),
    };
    sva_page_requests_init(&r->pri, pdev, 0, &r->misbehave);
    r->pages = &r->pri;
}

void sva_requester_share_pages(SvaRequester *r, SvaRequester *pf)
{
    r->pages = &pf->pri;
}

/* The physical function's worker, if @r's function is not that itself. */
static SvaWorker *owner_of_pages(const SvaRequester *r)
{
    return r->pages == &r->pri ? NULL :
           container_of(r->pages, SvaRequester, pri)->worker;
}

void sva_requester_enter_pages(SvaRequester *r)
{
    sva_worker_enter(owner_of_pages(r));
}

void sva_requester_leave_pages(SvaRequester *r)
{
    sva_worker_leave(owner_of_pages(r));
}

static bool check_range(const char *name, uint32_t value, uint32_t most,
                        Error **errp)
{
    if (value < 1 || value > most) {
        error_setg(errp, "%s=%u is not in the range of 1 to %u", name, value,
                   most);
        return false;
    }
    return true;
}

bool sva_requester_check_options(const SvaAtsOptions *o, Error **errp)
{
    const char *wrong;

    if (!check_range("atc-entries", o->atc_entries, SVA_ATC_MOST_ENTRIES,
                     errp) ||
        !check_range("atc-ways", o->atc_ways, SVA_ATC_MOST_ENTRIES, errp) ||
        !check_range("pri-group-pages", o->group_pages, SVA_PRG_MOST_PAGES,
                     errp)) {
        return false;
    }
    wrong = sva_atc_check(o->atc_entries, o->atc_ways);
    if (wrong) {
        error_setg(errp, "atc-entries=%u, atc-ways=%u: %s", o->atc_entries,
                   o->atc_ways, wrong);
        return false;
    }
    if (o->pri == ON_OFF_AUTO_ON && !o->ats) {
        error_setg(errp, "pri=on needs ats=on");
        error_append_hint(errp, "Who asks for a page asks for its translation "
                          "afterwards.\n");
        return false;
    }
    return true;
}

void sva_requester_describe_properties(ObjectClass *oc)
{
    object_class_property_set_description(oc, "ats",
        "It has an ATS capability and a translation cache");
    object_class_property_set_description(oc, "atc-entries",
        "Entries of its translation cache (1 to 8192)");
    object_class_property_set_description(oc, "atc-ways",
        "... of them in each set; the sets are a power of two");
    object_class_property_set_description(oc, "pri",
        "It has a Page Request capability (auto: if it has ATS)");
    object_class_property_set_description(oc, "pri-group-pages",
        "Pages that it asks for at once, if it needs so many (1 to 16)");
    object_class_property_set_description(oc, "pri-response-pasid",
        "A response to its page requests has to name their PASID");
}

void sva_requester_add_ats(SvaRequester *r, const SvaAtsOptions *o)
{
    if (!o->ats) {
        return;
    }
    r->ats_cap = sva_ext_cap_next(r->pdev);
    sva_ats_cap_init(r->pdev, r->ats_cap);
    r->atc = sva_atc_new(o->atc_entries, o->atc_ways);
    r->group_pages = o->group_pages;
    if (o->pri != ON_OFF_AUTO_OFF) {
        uint16_t at = sva_ext_cap_next(r->pdev);

        sva_pri_cap_init(r->pdev, at, SVA_PRI_CAPACITY, o->response_pasid);
        sva_page_requests_init(&r->pri, r->pdev, at, &r->misbehave);
        r->pri.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, requester_ask_again, r);
    }
}

/* What it owes is answered by the port. */
void sva_requester_fini(SvaRequester *r)
{
    if (r->port && r->atc) {
        sva_port_set_client(r->port, NULL);
    }
    sva_misbehave_free(&r->misbehave);
    g_clear_pointer(&r->pri.timer, timer_free);
    g_clear_pointer(&r->atc, sva_atc_free);
    g_array_free(g_steal_pointer(&r->owed), true);
}

static void requester_flush(SvaRequester *r, const char *why)
{
    if (r->atc) {
        trace_sva_atc_flush(requester_name(r), why,
                            sva_atc_invalidate(r->atc, 0, true, 0, 64));
        if (r->port) {
            sva_port_flushed(r->port);
        }
    }
}

/* PCIe 10.5.1.3, 6.20.2: nothing is kept over a change of what is enabled. */
static void requester_note_enables(SvaRequester *r)
{
    bool has_ats = sva_ats_is_enabled(r->pdev, r->ats_cap);
    uint16_t pasid = sva_pasid_control(r->pdev, r->pasid_cap);

    if (sva_misbehaves(&r->misbehave, SVA_FAULT_ATS_DISABLED)) {
        /* Nothing is disabled for it. */
    } else if (has_ats != r->had_ats) {
        requester_flush(r, has_ats ? "ATS enabled" : "ATS disabled");
    } else if (pasid != r->had_pasid) {
        requester_flush(r, "PASID enables");
    }
    r->had_ats = has_ats;
    r->had_pasid = pasid;
}

void sva_requester_config_written(SvaRequester *r)
{
    requester_note_enables(r);
    sva_page_requests_config_written(&r->pri);
}

void sva_requester_reset(SvaRequester *r)
{
    if (r->pasid_cap) {
        sva_pasid_cap_reset(r->pdev, r->pasid_cap);
    }
    if (r->ats_cap) {
        pci_set_word(r->pdev->config + r->ats_cap + PCI_ATS_CTRL, 0);
    }
    sva_page_requests_reset(&r->pri);
    requester_note_enables(r);
    requester_flush(r, "reset");
    if (sva_misbehaves(&r->misbehave, SVA_FAULT_DMA_AFTER_RESET)) {
        sva_misbehave_was_reset(&r->misbehave, r->pdev, r->port);
    }
}

void sva_requester_set_faults(SvaRequester *r, uint64_t faults)
{
    sva_misbehave_set(&r->misbehave, r->pdev, r->port, faults);
}

void sva_requester_loaded(SvaRequester *r)
{
    requester_flush(r, "load");
    requester_note_enables(r);
}

void sva_requester_stop_pasid(SvaRequester *r, uint32_t pasid)
{
    sva_requester_enter_pages(r);
    sva_page_requests_stop(r->pages, r->port, pasid);
    sva_requester_leave_pages(r);
}
