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
#include "qemu/rcu.h"
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

/* A CMD_SYNC's question whether all is out of use (smmuv3-sva-quiesce.c). */
typedef struct Smmuv3SvaQuiesce {
    QEMUTimer *timer;           /* to look again */
    QEMUTimer *deadline;        /* for mappings; of the virtual clock */
    bool asked;                 /* and not answered yet */
    bool is_late;               /* the deadline has passed */
    bool while_stopped;         /* answered, to be told when the machine runs */
    unsigned looks;             /* at threads, since it was asked */
    struct rcu_head rcu;
    bool in_grace;              /* rcu waits for a grace period */
    uint64_t first, last;       /* what was invalidated; first > last: nothing */
    uint64_t mapped_waits;      /* counters, for the monitor */
    uint64_t mappings_given_up;
} Smmuv3SvaQuiesce;

/* Property "audit"; what "audit-syncs" and "audit-grace-ms" are unless set. */
typedef enum {
    SMMUV3_SVA_AUDIT_OFF, SMMUV3_SVA_AUDIT_ON, SMMUV3_SVA_AUDIT_STOP,
} Smmuv3SvaAudit;
enum { SMMUV3_SVA_AUDIT_SYNCS = 8, SMMUV3_SVA_AUDIT_GRACE_MS = 1000 };

typedef struct Smmuv3SvaFunction Smmuv3SvaFunction;
typedef struct Smmuv3SvaMapping Smmuv3SvaMapping;

/* How far a CMD_SYNC has looked at mappings (smmuv3-sva-access.c). */
typedef struct Smmuv3SvaLook {
    uint64_t first, last;       /* addresses in question */
    Smmuv3SvaMapping *at;       /* the one in work; NULL: all are through */
    uint64_t offset;            /* bytes of it that are */
} Smmuv3SvaLook;

struct Smmuv3SvaState {
    SysBusDevice parent_obj;

    MemoryRegion mmio;
    qemu_irq irq[SMMU3_IRQ_COUNT];

    Smmu3 *core;                /* from realize on */
    QEMUBH *service_bh;
    QEMUTimer *atc_timer;
    VMChangeStateEntry *run_state;
    Smmuv3SvaQuiesce quiesce;

    /* Properties */
    PCIBus *primary_bus;
    char *profile;
    Smmu3Features given;        /* the values of the fields in... */
    uint64_t given_mask;        /* ...bit n: smmu3_id_fields[n] was set */
    uint32_t tlb_entries;
    uint32_t config_entries;
    uint32_t atc_timeout_ms;
    uint32_t mapped_timeout_ms;
    Smmuv3SvaAudit audit;
    uint32_t audit_syncs, audit_grace_ms;
    Smmu3InjectOptions inject;

    /* smmuv3-sva-audit.c's, under the core's lock */
    uint64_t audit_warned;
    bool audit_stopped;

    Smmuv3SvaSaved saved;       /* alive during migration only */
    QemuMutex log_lock;
    Smmuv3SvaLogLimit log_limit;

    /* The PCI side (smmuv3-sva-pci.c); the big lock protects the lists. */
    GHashTable *buses;          /* PCIBus * to Smmuv3SvaBus * */
    QLIST_HEAD(, Smmuv3SvaFunction) listeners;  /* with notifiers */
    MemoryRegion void_region;   /* reads as zero, ignores writes */
    AddressSpace void_as;

    /* smmuv3-sva-access.c's, under its lock */
    QTAILQ_HEAD(, Smmuv3SvaMapping) mappings;   /* oldest first */
    QLIST_HEAD(, Smmuv3SvaMapping) stale;       /* that a CMD_SYNC waits for */
    Smmuv3SvaLook look;
};

/* Whether the user chose the output address size. Before realize. */
bool smmuv3_sva_oas_given(Smmuv3SvaState *s);

/* ---- The device's own parts ------------------------------------------- */

/* smmuv3-sva-host.c: a core that has @s as its host, and what that needs. */
Smmu3 *smmuv3_sva_core_new(Smmuv3SvaState *s, const Smmu3Features *features,
                           const Smmu3Options *options);

/* smmuv3-sva-trace.c: Smmu3HostOps.traces_walks and .trace. */
bool smmuv3_sva_traces_walks(void *host);
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

/*
 * smmuv3-sva-audit.c: its properties, and what they say; and the host's
 * operations for the auditor.
 */
void smmuv3_sva_add_audit_properties(ObjectClass *oc);
bool smmuv3_sva_audit_options(Smmuv3SvaState *s, Smmu3Options *options,
                              Error **errp);
uint64_t smmuv3_sva_audit_now(void *host);
uint64_t smmuv3_sva_audit_worked(void *host);
void smmuv3_sva_audit_writer(void *host, Smmu3Writer *writer);
bool smmuv3_sva_audit_has_function(void *host, uint32_t sid);
void smmuv3_sva_audit_report(void *host, const Smmu3AuditReport *report);

/* smmuv3-sva-reports.c: the properties audit-reports and audit-summary. */
void smmuv3_sva_add_report_properties(ObjectClass *oc);

/* smmuv3-sva-inject.c: faults on request, and what came of them. */
void smmuv3_sva_add_inject_properties(ObjectClass *oc);

/* smmuv3-sva-monitor.c, smmuv3-sva-migration.c */
void smmuv3_sva_add_monitor_properties(ObjectClass *oc);
extern const VMStateDescription vmstate_smmuv3_sva;

/* ---- What is in use (smmuv3-sva-quiesce.c); under the big lock --------- */

void smmuv3_sva_quiesce_init(Smmuv3SvaState *s);

/* Translations of the addresses from @first to @last have changed. */
void smmuv3_sva_invalidated(Smmuv3SvaState *s, uint64_t first, uint64_t last);

/*
 * Whether nothing uses a translation that was handed out before this call and
 * holds no more. If not, smmu3_quiesced() is called once that is so; but what
 * a device has mapped is waited for at most mapped_timeout_ms.
 */
bool smmuv3_sva_quiesce(Smmuv3SvaState *s);
/* The machine runs again: say what came true meanwhile. */
void smmuv3_sva_quiesce_run(Smmuv3SvaState *s);
/* Something that was waited for has ended. Any thread. */
static inline void smmuv3_sva_quiesce_again(Smmuv3SvaState *s)
{
    timer_mod(s->quiesce.timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME));
}

/* ---- What devices have mapped (smmuv3-sva-access.c) -------------------- */

typedef enum {
    SMMUV3_SVA_MAPPINGS_HOLD,   /* the tables still say the same */
    SMMUV3_SVA_MAPPINGS_STALE,  /* not of some: smmuv3_sva_quiesce_again() is
                                   called when the last of these is unmapped */
    SMMUV3_SVA_MAPPINGS_UNSEEN, /* there are more to look at: call again */
} Smmuv3SvaMappings;

void smmuv3_sva_mappings_init(Smmuv3SvaState *s);
/* The mappings of addresses from @first to @last are in question, if any. */
void smmuv3_sva_mappings_ask(Smmuv3SvaState *s, uint64_t first, uint64_t last);
/* Go on looking at them, for some 100 us; also at those found stale before. */
Smmuv3SvaMappings smmuv3_sva_mappings_look(Smmuv3SvaState *s);
/*
 * Wait for so many of these no longer; say so, and count them. False: there
 * are more, call again.
 */
bool smmuv3_sva_mappings_give_up(Smmuv3SvaState *s);

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
void smmuv3_sva_pci_config_invalidated(Smmuv3SvaState *s);

#endif
