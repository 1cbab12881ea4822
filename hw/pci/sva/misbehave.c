/*
 * Faults on purpose, see misbehave.h: their names, and those that take more
 * than to leave a check out. Called by requester.c and channel.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "misbehave.h"
#include "trace.h"

static const char *const fault_names[SVA_FAULTS] = {
    [SVA_FAULT_INV_UNANSWERED] = "inv-unanswered",
    [SVA_FAULT_INV_NOT_DONE] = "inv-not-done",
    [SVA_FAULT_INV_LATE] = "inv-late",
    [SVA_FAULT_INV_REVERSED] = "inv-reversed",
    [SVA_FAULT_INV_TWICE] = "inv-twice",
    [SVA_FAULT_ATS_DISABLED] = "ats-disabled",
    [SVA_FAULT_PRI_EXCESS] = "pri-excess",
    [SVA_FAULT_PRI_DISABLED] = "pri-disabled",
    [SVA_FAULT_PASID_WIDE] = "pasid-wide",
    [SVA_FAULT_DMA_AFTER_RESET] = "dma-after-reset",
    [SVA_FAULT_DMA_NO_MASTER] = "dma-no-master",
};

static const char *name_of(const PCIDevice *pdev)
{
    return pdev->qdev.id ?: pdev->name;
}

/* ---- Which ones --------------------------------------------------------- */

static bool add_fault(const char *name, uint64_t *faults)
{
    for (unsigned i = 0; i < SVA_FAULTS; i++) {
        if (!strcmp(name, fault_names[i])) {
            *faults |= UINT64_C(1) << i;
            return true;
        }
    }
    return false;
}

/* To be freed. */
static char *list_names(void)
{
    const char *list[SVA_FAULTS + 1] = { NULL };

    memcpy(list, fault_names, sizeof(fault_names));
    return g_strjoinv(", ", (char **)list);
}

bool sva_misbehave_parse(const char *names, uint64_t *faults, Error **errp)
{
    g_auto(GStrv) list = g_strsplit(names, "+", 0);
    g_autofree char *all = NULL;

    *faults = 0;
    if (!strcmp(names, "none")) {
        return true;
    }
    for (unsigned i = 0; i == 0 || list[i]; i++) {
        const char *name = list[i] ?: "";

        if (!add_fault(name, faults)) {
            all = list_names();
            error_setg(errp, "x-misbehave=%s: '%s' is not one of none, %s",
                       names, name, all);
            error_append_hint(errp, "Several have '+' between them.\n");
            return false;
        }
    }
    return true;
}

/* ---- Answers to invalidations ------------------------------------------- */

/* As many as the port wants answers for. */
enum { HELD_MOST = 65536 };

static void hold(SvaMisbehave *m, uint32_t tag)
{
    if (!m->held) {
        m->held = g_array_new(false, false, sizeof(uint32_t));
    }
    if (m->held->len < HELD_MOST) {
        g_array_append_val(m->held, tag);
    }
}

/* The newest first. An answer may bring more of them. */
static void answer_held(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port)
{
    while (m->held && m->held->len) {
        unsigned last = m->held->len - 1;
        uint32_t tag = g_array_index(m->held, uint32_t, last);

        g_array_set_size(m->held, last);
        trace_sva_misbehave(name_of(pdev), "at last an answer to tag", tag);
        sva_port_invalidated(port, tag);
    }
}

typedef struct Reversal {
    SvaMisbehave *m;
    PCIDevice *pdev;
    SvaPort *port;
} Reversal;

/* All commands of the batch have come by now. */
static void reversal_due(void *opaque)
{
    g_autofree Reversal *r = opaque;

    if (!sva_misbehaves(r->m, SVA_FAULT_INV_LATE)) {
        answer_held(r->m, r->pdev, r->port);
    }
    object_unref(r->pdev);
}

static void reverse(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port,
                    uint32_t tag)
{
    bool is_first = !m->held || !m->held->len;
    Reversal *r;

    hold(m, tag);
    if (is_first) {
        r = g_new(Reversal, 1);
        *r = (Reversal) { .m = m, .pdev = pdev, .port = port };
        object_ref(pdev);
        aio_bh_schedule_oneshot(qemu_get_aio_context(), reversal_due, r);
    }
}

void sva_misbehave_answer(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port,
                          uint32_t tag)
{
    if (sva_misbehaves(m, SVA_FAULT_INV_UNANSWERED)) {
        trace_sva_misbehave(name_of(pdev), "silence about tag", tag);
    } else if (sva_misbehaves(m, SVA_FAULT_INV_LATE)) {
        trace_sva_misbehave(name_of(pdev), "no answer yet to tag", tag);
        hold(m, tag);
    } else if (sva_misbehaves(m, SVA_FAULT_INV_REVERSED)) {
        reverse(m, pdev, port, tag);
    } else {
        sva_port_invalidated(port, tag);
        if (sva_misbehaves(m, SVA_FAULT_INV_TWICE)) {
            trace_sva_misbehave(name_of(pdev), "another answer to tag", tag);
            sva_port_invalidated(port, tag);
        }
    }
}

void sva_misbehave_set(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port,
                       uint64_t faults)
{
    m->faults = faults;
    m->stray.valid &= sva_misbehaves(m, SVA_FAULT_DMA_AFTER_RESET);
    if (!sva_misbehaves(m, SVA_FAULT_INV_LATE)) {
        answer_held(m, pdev, port);
    }
}

void sva_misbehave_free(SvaMisbehave *m)
{
    if (m->held) {
        g_array_free(g_steal_pointer(&m->held), true);
    }
    m->faults = 0;
}

/* ---- A write that a reset should have prevented ------------------------- */

void sva_misbehave_note_write(SvaMisbehave *m, uint32_t pasid, uint64_t addr)
{
    m->stray.valid = true;
    m->stray.pasid = pasid;
    m->stray.addr = addr;
}

/* Once for each write: what it writes to may be what resets it. */
void sva_misbehave_was_reset(SvaMisbehave *m, PCIDevice *pdev, SvaPort *port)
{
    SvaRequest req = {
        .type = SVA_UNTRANSLATED,
        .pasid = m->stray.pasid,
        .addr = m->stray.addr,
        .access = SVA_WRITE,
    };
    uint32_t word = cpu_to_le32(SVA_STRAY_WORD);

    if (!m->stray.valid || !port) {
        return;
    }
    m->stray.valid = false;
    trace_sva_misbehave(name_of(pdev), "a write after a reset, pasid",
                        req.pasid);
    RCU_READ_LOCK_GUARD();
    if (sva_port_submit(port, &req) == SVA_OK && req.len >= sizeof(word)) {
        address_space_write(req.target, req.pa, MEMTXATTRS_UNSPECIFIED, &word,
                            sizeof(word));
    }
}
