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
#include "smmuv3-sva-ats.h"
#include "smmuv3-sva-pci.h"
#include "smmuv3-sva-threads.h"
#include "trace.h"

/* ---- ATS and PRI ------------------------------------------------------ */

/*
 * Answers that a function may owe. Those to even more invalidations count as
 * lost, and the CMD_SYNC behind them times out.
 */
enum { OWED_MOST = 65536 };

/*
 * The tag of one more invalidation of @batch. The core begins another batch once
 * it has given up the one before: no answer to that is wanted any more.
 */
static uint32_t owe(Smmuv3SvaFunction *fn, uint32_t batch)
{
    QEMU_LOCK_GUARD(&fn->owed_lock);
    if (fn->owed_batch != batch) {
        g_hash_table_remove_all(fn->owed);
        fn->owed_batch = batch;
    }
    fn->last_tag++;
    if (g_hash_table_size(fn->owed) < OWED_MOST) {
        g_hash_table_add(fn->owed, GUINT_TO_POINTER(fn->last_tag));
    }
    return fn->last_tag;
}

static void answer(Smmuv3SvaFunction *fn, uint32_t tag)
{
    uint32_t batch;
    bool was_owed;

    WITH_QEMU_LOCK_GUARD(&fn->owed_lock) {
        was_owed = g_hash_table_remove(fn->owed, GUINT_TO_POINTER(tag));
        batch = fn->owed_batch;
    }
    if (was_owed) {
        smmu3_atc_invalidated(fn->smmu->core, batch);
    }
}

static void answer_all(Smmuv3SvaFunction *fn)
{
    uint32_t batch;
    unsigned count;

    WITH_QEMU_LOCK_GUARD(&fn->owed_lock) {
        count = g_hash_table_size(fn->owed);
        batch = fn->owed_batch;
        g_hash_table_remove_all(fn->owed);
    }
    while (count--) {
        smmu3_atc_invalidated(fn->smmu->core, batch);
    }
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
    if (fn->client) {
        message.tag = owe(fn, inv->batch);
        fn->client->invalidate(fn->client, &message);
        return;
    }
    if (!inv->has_ssid) {
        smmuv3_sva_notify_unmap(fn, IOMMU_NOTIFIER_DEVIOTLB_UNMAP, inv->addr,
                                inv->addr | smmu3_mask(inv->size_log2));
    }
    smmuv3_sva_ats_notify(fn, inv);
    smmu3_atc_invalidated(s->core, inv->batch);
}

static IOMMUPRIResponse pri_response(const Smmu3PrgResponse *response)
{
    return (IOMMUPRIResponse) {
        .response_code =
            response->code == PRG_SUCCESS ? IOMMU_PRI_RESP_SUCCESS :
            response->code == PRG_INVALID_REQUEST ?
                IOMMU_PRI_RESP_INVALID_REQUEST : IOMMU_PRI_RESP_FAILURE,
        .prgi = response->prg_index,
    };
}

void smmuv3_sva_port_prg_response(Smmuv3SvaState *s,
                                  const Smmu3PrgResponse *response)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_find_function(s, response->sid);
    IOMMUPRIResponse message = pri_response(response);

    if (fn && fn->client) {
        fn->client->page_response(fn->client,
                                  response->has_ssid ? response->ssid
                                                     : SVA_NO_PASID,
                                  &message);
    } else if (fn) {
        smmuv3_sva_pri_notify(fn, response, &message);
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
    req->target = &address_space_memory;
    req->pa = result->pa;
    req->len = bytes_left(req->addr, result->size_log2);
    req->size_log2 = result->size_log2;
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

static Smmuv3SvaFunction *port_function(SvaPort *port)
{
    return container_of(port, Smmuv3SvaFunction, port);
}

static inline Smmu3Transaction transaction(const Smmuv3SvaFunction *fn,
                                           SvaRequest *req)
{
    static const Smmu3TransactionType types[] = {
        [SVA_UNTRANSLATED] = SMMU3_UNTRANSLATED,
        [SVA_ATS_REQUEST] = SMMU3_ATS_REQUEST,
        [SVA_ATS_TRANSLATED] = SMMU3_ATS_TRANSLATED,
    };

    return (Smmu3Transaction) {
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
}

/* Any thread: what uses the answer is in an RCU section, or has the big lock. */
static SvaOutcome port_submit(SvaPort *port, SvaRequest *req)
{
    Smmuv3SvaFunction *fn = port_function(port);
    Smmu3Transaction t = transaction(fn, req);
    Smmu3Translation result;
    SvaOutcome outcome;

    if (!bql_locked()) {
        smmuv3_sva_threads_begin_use();
    }
    outcome = outcome_for_port(smmu3_translate(fn->smmu->core, &t, &result));
    if (outcome == SVA_OK) {
        take_answer(req, &result);
    }
    trace_smmuv3_sva_port_submit(t.sid, req->pasid, req->addr, req->access,
                                 sva_outcome_name(outcome));
    return outcome;
}

/* After a submission in the same section. */
static bool port_peek(SvaPort *port, SvaRequest *req, hwaddr pa)
{
    Smmuv3SvaFunction *fn = port_function(port);
    Smmu3Transaction t = transaction(fn, req);
    Smmu3Translation result;

    if (!smmu3_translate_cached(fn->smmu->core, &t, pa, &result)) {
        return false;
    }
    take_answer(req, &result);
    trace_smmuv3_sva_port_submit(t.sid, req->pasid, req->addr, req->access,
                                 sva_outcome_name(SVA_OK));
    return true;
}

static void port_cancel(SvaPort *port, SvaRequest *req)
{
    smmu3_cancel(port_function(port)->smmu->core, req);
}

void smmuv3_sva_port_stall_resolved(void *cookie, Smmu3Resolution how)
{
    SvaRequest *req = cookie;

    req->resolved(req, how == SMMU3_RESOLVE_RETRY ? SVA_RETRY :
                       how == SMMU3_RESOLVE_RAZWI ? SVA_SKIP : SVA_FAIL);
}

/* What the old client owes is answered for it: it will not any more. */
static void port_set_client(SvaPort *port, SvaClient *client)
{
    Smmuv3SvaFunction *fn = port_function(port);

    fn->client = client;
    if (!client) {
        answer_all(fn);
    }
}

static void port_invalidated(SvaPort *port, uint32_t tag)
{
    answer(port_function(port), tag);
}

static void port_page_request(SvaPort *port, const SvaPageRequest *req)
{
    Smmuv3SvaFunction *fn = port_function(port);
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

static void port_flushed(SvaPort *port)
{
    Smmuv3SvaFunction *fn = port_function(port);

    smmu3_atc_flushed(fn->smmu->core, smmuv3_sva_function_sid(fn));
}

static const SvaPortOps port_ops = {
    .submit = port_submit,
    .peek = port_peek,
    .cancel = port_cancel,
    .set_client = port_set_client,
    .invalidated = port_invalidated,
    .page_request = port_page_request,
    .flushed = port_flushed,
};

/* ---- PCI's question ----------------------------------------------------- */

static SvaPort *get_port(PCIBus *bus, void *opaque, int devfn)
{
    Smmuv3SvaFunction *fn = smmuv3_sva_get_function(opaque, bus, devfn);

    fn->port.ops = &port_ops;
    return &fn->port;
}

static const PCISvaOps pci_sva_ops = {
    .get_port = get_port,
};

void smmuv3_sva_port_realize(Smmuv3SvaState *s)
{
    pci_setup_sva(s->primary_bus, &pci_sva_ops, s);
}
