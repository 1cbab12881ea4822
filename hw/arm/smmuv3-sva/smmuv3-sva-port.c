/*
 * The SMMU's side of hw/pci/sva-port.h: requests of PASID-capable endpoints, and
 * what the SMMU tells a function (ATC invalidations, PRG responses). Not
 * ordinary accesses, which are smmuv3-sva-pci.c's. Called by endpoints through
 * the port, and by smmuv3-sva-host.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "smmuv3-sva-pci.h"
#include "trace.h"

/* ---- ATS and PRI ------------------------------------------------------ */

/* The oldest invalidation that @fn owes an answer to is carried out. */
static void answer_oldest(Smmuv3SvaFunction *fn)
{
    Smmuv3SvaOwed *owed = g_queue_peek_head(&fn->owed);
    uint32_t batch;

    if (!owed) {
        return;
    }
    batch = owed->batch;
    if (!--owed->count) {
        g_free(g_queue_pop_head(&fn->owed));
    }
    smmu3_atc_invalidated(fn->smmu->core, batch);
}

static void owe(Smmuv3SvaFunction *fn, uint32_t batch)
{
    Smmuv3SvaOwed *newest = g_queue_peek_tail(&fn->owed);

    if (!newest || newest->batch != batch) {
        newest = g_new0(Smmuv3SvaOwed, 1);
        newest->batch = batch;
        g_queue_push_tail(&fn->owed, newest);
    }
    newest->count++;
}

static bool has_ats(PCIDevice *dev)
{
    return pci_is_express(dev) &&
           pcie_find_capability(dev, PCI_EXT_CAP_ID_ATS);
}

/*
 * A function that is not there, or knows no ATS, does not answer, and the
 * CMD_SYNC that waits for it times out. A function without a client caches
 * nothing, or does so behind a notifier, and is done at once.
 */
void smmuv3_sva_port_atc_invalidate(Smmuv3SvaState *s,
                                    const Smmu3AtcInvalidate *inv)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_find_function(s, inv->sid);
    SvaInvalidate message = {
        .pasid = inv->has_ssid ? inv->ssid : SVA_NO_PASID,
        .global = inv->global,
        .addr = inv->addr,
        .size_log2 = inv->size_log2,
    };

    if (!fn || (!fn->client && !has_ats(smmuv3_sva_function_device(fn)))) {
        return;
    }
    owe(fn, inv->batch);
    if (fn->client) {
        fn->client->invalidate(fn->client, &message);
        return;
    }
    if (!inv->has_ssid) {
        smmuv3_sva_notify_unmap(fn, IOMMU_NOTIFIER_DEVIOTLB_UNMAP, inv->addr,
                                inv->addr | smmu3_mask(inv->size_log2));
    }
    smmuv3_sva_ats_notify(fn, inv);
    answer_oldest(fn);
}

void smmuv3_sva_port_prg_response(Smmuv3SvaState *s,
                                  const Smmu3PrgResponse *response)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_find_function(s, response->sid);
    SvaPageResponse message = {
        .pasid = response->has_ssid ? response->ssid : SVA_NO_PASID,
        .prg_index = response->prg_index,
        .code = response->code,
    };

    if (fn && fn->client) {
        fn->client->page_response(fn->client, &message);
    } else if (fn) {
        smmuv3_sva_pri_notify(fn, response);
    }
}

/* ---- The port of PASID-capable endpoints ------------------------------ */

static const char *sva_outcome_name(SvaOutcome outcome)
{
    static const char *const names[] = {
        [SVA_OK] = "ok", [SVA_ABORT] = "abort", [SVA_RAZWI] = "raz/wi",
        [SVA_STALLED] = "stalled", [SVA_ATS_UR] = "ats-ur",
        [SVA_ATS_CA] = "ats-ca",
    };

    return names[outcome];
}

/* The bytes from req->addr to the end of the answer's block. */
static uint64_t bytes_left(uint64_t addr, unsigned size_log2)
{
    uint64_t mask = smmu3_mask(size_log2);
    uint64_t last = addr | mask;

    return last - addr == UINT64_MAX ? UINT64_MAX : last - addr + 1;
}

static void take_answer(SvaRequest *req, const Smmu3Translation *result)
{
    req->pa = result->pa;
    req->len = bytes_left(req->addr, result->size_log2);
    req->granted = (result->access & SMMU3_READ ? SVA_READ : 0) |
                   (result->access & SMMU3_WRITE ? SVA_WRITE : 0) |
                   (result->access & SMMU3_EXEC ? SVA_EXEC : 0);
    req->global = result->ats_global;
}

static SvaOutcome outcome_for_port(Smmu3Outcome outcome)
{
    switch (outcome) {
    case SMMU3_OK:
        return SVA_OK;
    case SMMU3_RAZWI:
        return SVA_RAZWI;
    case SMMU3_STALLED:
        return SVA_STALLED;
    case SMMU3_ATS_UR:
        return SVA_ATS_UR;
    case SMMU3_ATS_CA:
        return SVA_ATS_CA;
    case SMMU3_ABORT:
        break;
    }
    return SVA_ABORT;
}

static SvaOutcome port_submit(SvaPort *port, SvaRequest *req)
{
    static const Smmu3TransactionType types[] = {
        [SVA_UNTRANSLATED] = SMMU3_UNTRANSLATED,
        [SVA_ATS_REQUEST] = SMMU3_ATS_REQUEST,
        [SVA_ATS_TRANSLATED] = SMMU3_ATS_TRANSLATED,
    };
    Smmuv3SvaFunction *fn = SMMUV3_SVA_FUNCTION(port);
    Smmu3Transaction t = {
        .type = types[req->type],
        .sid = smmuv3_sva_function_sid(fn),
        .ssid = req->pasid & 0xfffff,
        .ssv = req->pasid != SVA_NO_PASID,
        .addr = req->addr,
        .access = (req->access & SVA_READ ? SMMU3_READ : 0) |
                  (req->access & SVA_WRITE ? SMMU3_WRITE : 0),
        .priv = req->privileged,
        .ind = req->execute,
        .may_stall = req->may_stall,
        .cookie = req,
    };
    Smmu3Translation result;
    SvaOutcome outcome;

    outcome = outcome_for_port(smmu3_translate(fn->smmu->core, &t, &result));
    if (outcome == SVA_OK) {
        take_answer(req, &result);
    }
    trace_smmuv3_sva_port_submit(t.sid, req->pasid, req->addr, req->access,
                                 sva_outcome_name(outcome));
    return outcome;
}

static void port_cancel(SvaPort *port, SvaRequest *req)
{
    smmu3_cancel(SMMUV3_SVA_FUNCTION(port)->smmu->core, req);
}

void smmuv3_sva_port_stall_resolved(void *cookie, Smmu3Resolution how)
{
    SvaRequest *req = cookie;

    req->resolved(req, how == SMMU3_RESOLVE_RETRY ? SVA_RETRY :
                       how == SMMU3_RESOLVE_RAZWI ? SVA_SKIP : SVA_FAIL);
}

static AddressSpace *port_target(SvaPort *port)
{
    return &address_space_memory;
}

/* What the old client owes is answered for it: it will not any more. */
static void port_set_client(SvaPort *port, SvaClient *client)
{
    Smmuv3SvaFunction *fn = SMMUV3_SVA_FUNCTION(port);

    fn->client = client;
    while (!client && !g_queue_is_empty(&fn->owed)) {
        answer_oldest(fn);
    }
}

static void port_invalidated(SvaPort *port)
{
    answer_oldest(SMMUV3_SVA_FUNCTION(port));
}

static void port_page_request(SvaPort *port, const SvaPageRequest *req)
{
    Smmuv3SvaFunction *fn = SMMUV3_SVA_FUNCTION(port);
    Smmu3PageRequest request = {
        .sid = smmuv3_sva_function_sid(fn),
        .ssid = req->pasid & 0xfffff,
        .ssv = req->pasid != SVA_NO_PASID,
        .priv = req->privileged,
        .exec = req->execute,
        .read = req->read,
        .write = req->write,
        .last = req->last,
        .prg_index = req->prg_index & 0x1ff,
        .addr = req->addr,
    };

    smmu3_page_request(fn->smmu->core, &request);
}

void smmuv3_sva_port_class_init(ObjectClass *oc)
{
    SvaPortClass *port = SVA_PORT_CLASS(oc);

    port->submit = port_submit;
    port->cancel = port_cancel;
    port->target = port_target;
    port->set_client = port_set_client;
    port->invalidated = port_invalidated;
    port->page_request = port_page_request;
}
