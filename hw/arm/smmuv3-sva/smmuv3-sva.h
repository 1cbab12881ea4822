/*
 * The SMMU as a QEMU device: what the machine and the PCI side know of it.
 * Not the architecture, which is in core/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_SMMUV3_SVA_H
#define HW_ARM_SMMUV3_SVA_H

#include "hw/pci/sva-compat.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"
#include "qom/object.h"
#include "core/smmu3.h"

#define TYPE_SMMUV3_SVA "smmuv3-sva"
OBJECT_DECLARE_SIMPLE_TYPE(Smmuv3SvaState, SMMUV3_SVA)

/* ID registers as migrated, to refuse a state of another configuration. */
#define SMMUV3_SVA_ID_REGS 8

/* The registers and stalls in a form that VMState can describe. */
typedef struct Smmuv3SvaSaved {
    uint32_t id[SMMUV3_SVA_ID_REGS];
    Smmu3Regs regs;
    Smmu3SavedStall *stalls;
    int32_t stall_count;
} Smmuv3SvaSaved;

/* Diagnostics a guest can provoke are limited to so many lines a second. */
typedef struct Smmuv3SvaLogLimit {
    int64_t since_ns;
    uint32_t lines;
    uint32_t dropped;
} Smmuv3SvaLogLimit;

struct Smmuv3SvaState {
    SysBusDevice parent_obj;

    MemoryRegion mmio;
    qemu_irq irq[SMMU3_IRQ_COUNT];

    Smmu3 *core;                /* from realize on */
    QEMUBH *service_bh;
    QEMUTimer *quiesce_timer;
    QEMUTimer *atc_timer;
    VMChangeStateEntry *run_state;
    bool quiesced_while_stopped;

    /* Atomic. Register writes so far: what software may have reacted to. */
    uint32_t register_writes;

    /* Properties */
    PCIBus *primary_bus;
    char *profile;
    Smmu3Features given;        /* the values of the fields in... */
    uint64_t given_mask;        /* ...bit n: smmu3_id_fields[n] was set */
    uint32_t tlb_entries;
    uint32_t config_entries;
    uint32_t atc_timeout_ms;

    char *explain_request;
    Smmuv3SvaSaved saved;       /* alive during migration only */
    QemuMutex log_lock;
    Smmuv3SvaLogLimit log_limit;

    /* The PCI side (smmuv3-sva-pci.c); the big lock protects the lists. */
    GHashTable *buses;          /* PCIBus * to Smmuv3SvaBus * */
    MemoryRegion void_region;   /* reads as zero, ignores writes */
    AddressSpace void_as;
};

/* Whether the user chose the output address size. Before realize. */
bool smmuv3_sva_oas_given(Smmuv3SvaState *s);

/* ---- The device's own parts ------------------------------------------- */

/* smmuv3-sva-host.c: a core that has @s as its host, and what that needs. */
Smmu3 *smmuv3_sva_core_new(Smmuv3SvaState *s, const Smmu3Features *features,
                           const Smmu3Options *options);

/* smmuv3-sva-trace.c: Smmu3HostOps.trace. */
void smmuv3_sva_trace(void *host, Smmu3TraceKind kind, uint64_t a, uint64_t b,
                      uint64_t c, uint64_t d);

/*
 * smmuv3-sva-properties.c: the profile's features, with the fields that were
 * given put over them and those that depend on these in step. False, with
 * @errp set, if there is no such profile.
 */
bool smmuv3_sva_wanted_features(Smmuv3SvaState *s, Smmu3Features *f,
                                Error **errp);
void smmuv3_sva_add_properties(ObjectClass *oc);

/* smmuv3-sva-monitor.c, smmuv3-sva-migration.c */
void smmuv3_sva_add_monitor_properties(ObjectClass *oc);
extern const VMStateDescription vmstate_smmuv3_sva;

/* ---- Threads (smmuv3-sva-quiesce.c) ----------------------------------- */

/* Before a translation in a thread without the big lock, in an RCU section. */
void smmuv3_sva_begin_foreign_use(void);

/*
 * Whether nothing uses a translation that was handed out before this call. If
 * not, smmu3_quiesced() is called from quiesce_timer once that is so. Under
 * the big lock.
 */
bool smmuv3_sva_quiesce(Smmuv3SvaState *s);
void smmuv3_sva_quiesce_timer(void *opaque);

/* ---- The PCI side, for smmuv3-sva.c ----------------------------------- */

/* Claim the primary bus, and everything below it. Once, from realize. */
void smmuv3_sva_pci_realize(Smmuv3SvaState *s);

/* Host operations of the core that concern functions; under the big lock. */
void smmuv3_sva_port_atc_invalidate(Smmuv3SvaState *s,
                                    const Smmu3AtcInvalidate *inv);
void smmuv3_sva_port_prg_response(Smmuv3SvaState *s,
                                  const Smmu3PrgResponse *response);
void smmuv3_sva_pci_tlb_invalidated(Smmuv3SvaState *s,
                                    const Smmu3TlbInvalidate *inv);
void smmuv3_sva_port_stall_resolved(void *cookie, Smmu3Resolution how);

#endif
