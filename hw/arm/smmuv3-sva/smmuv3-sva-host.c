/*
 * What the core asks of QEMU: guest memory, interrupts and MSIs, the main
 * loop, diagnostics. Not what endpoints are told, which is smmuv3-sva-pci.c's,
 * and not trace events, which are smmuv3-sva-trace.c's. Called by the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/rcu.h"
#include "system/runstate.h"
#include "hw/pci/sva-guest-ram.h"
#include "smmuv3-sva.h"
#include "trace.h"

/* ---- Guest memory ----------------------------------------------------- */

/*
 * The RAM behind [@pa, @pa + @bytes), or NULL if there is none: tables and
 * queues in a device's registers are an external abort, and so no walk ever
 * dispatches MMIO (which might want the big lock). Inside an RCU section.
 */
static void *guest_ram(uint64_t pa, hwaddr bytes, bool is_write,
                       MemoryRegion **region)
{
    MemTxAttrs attrs = { .memory = 1 };
    hwaddr offset, len = bytes;
    void *ram = sva_guest_ram(pa, is_write, &len, region);
    MemoryRegion *mr;

    if (ram && len == bytes) {
        return ram;
    }
    len = bytes;
    mr = address_space_translate(&address_space_memory, pa, &offset, &len,
                                 is_write, attrs);
    if (len < bytes || !memory_access_is_direct(mr, is_write, attrs)) {
        return NULL;
    }
    *region = mr;
    return (char *)memory_region_get_ram_ptr(mr) + offset;
}

static bool host_read(void *host, uint64_t pa, uint64_t *words, unsigned count)
{
    MemoryRegion *mr;
    uint64_t *ram;

    RCU_READ_LOCK_GUARD();
    ram = guest_ram(pa, count * 8, false, &mr);
    if (!ram) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        words[i] = le64_to_cpu(qatomic_read__nocheck(&ram[i]));
    }
    return true;
}

/*
 * Here and below what is written is found once, and not again by its address.
 * Where a BAR that is RAM moves in between, half a record would be written, and
 * an update would have to be mapped by a bounce buffer, which is written back
 * into another device's registers under the core's lock.
 */
static bool host_write(void *host, uint64_t pa, const uint64_t *words,
                       unsigned count)
{
    MemoryRegion *mr;
    uint64_t *ram;

    RCU_READ_LOCK_GUARD();
    ram = guest_ram(pa, count * 8, true, &mr);
    if (!ram) {
        return false;
    }
    /* Word by word: each is to be single-copy atomic. */
    for (unsigned i = 0; i < count; i++) {
        qatomic_set__nocheck(&ram[i], cpu_to_le64(words[i]));
    }
    sva_guest_ram_written(mr, ram, count * 8);
    smp_wmb();          /* before the index that publishes them */
    return true;
}

static Smmu3Cas host_cas(void *host, uint64_t pa, uint64_t *expected,
                         uint64_t desired)
{
    MemoryRegion *mr;
    uint64_t *ram, old;
    bool done;

    RCU_READ_LOCK_GUARD();
    ram = guest_ram(pa, 8, true, &mr);
    if (!ram) {
        return SMMU3_CAS_ABORT;
    }
    old = le64_to_cpu(qatomic_cmpxchg__nocheck(ram, cpu_to_le64(*expected),
                                               cpu_to_le64(desired)));
    done = old == *expected;
    if (done) {
        sva_guest_ram_written(mr, ram, 8);
    }
    *expected = old;
    return done ? SMMU3_CAS_DONE : SMMU3_CAS_LOST;
}

/* ---- Interrupts and the main loop ------------------------------------- */

static const char *const irq_names[SMMU3_IRQ_COUNT] = {
    [SMMU3_IRQ_EVENTQ] = "eventq",
    [SMMU3_IRQ_PRIQ] = "priq",
    [SMMU3_IRQ_CMD_SYNC] = "cmdq-sync",
    [SMMU3_IRQ_GERROR] = "gerror",
};

static void host_irq(void *host, Smmu3Irq irq)
{
    Smmuv3SvaState *s = host;

    trace_smmuv3_sva_irq(irq_names[irq]);
    qemu_irq_pulse(s->irq[irq]);
}

static bool host_msi(void *host, uint64_t pa, uint32_t data)
{
    MemTxResult result;

    address_space_stl_le(&address_space_memory, pa, data,
                         MEMTXATTRS_UNSPECIFIED, &result);
    trace_smmuv3_sva_msi(pa, data, result == MEMTX_OK);
    return result == MEMTX_OK;
}

static void host_kick(void *host)
{
    Smmuv3SvaState *s = host;

    qemu_bh_schedule(s->service_bh);
}

/*
 * Work that is left over waits until the machine runs: a stopped machine's
 * memory must stay as it is, or a migration would miss it.
 */
static void service_bh(void *opaque)
{
    Smmuv3SvaState *s = opaque;

    if (runstate_is_running()) {
        smmu3_service(s->core);
    }
}

static void run_state_changed(void *opaque, bool running, RunState state)
{
    Smmuv3SvaState *s = opaque;

    trace_smmuv3_sva_clock(running, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    if (!running) {
        /* What is on its way would not be in the stream of a migration. */
        smmu3_flush(s->core);
        return;
    }
    smmuv3_sva_quiesce_run(s);
    qemu_bh_schedule(s->service_bh);
}

static bool host_quiesce(void *host)
{
    return smmuv3_sva_quiesce(host);
}

static void atc_timer_expired(void *opaque)
{
    Smmuv3SvaState *s = opaque;

    smmu3_atc_timeout(s->core);
}

static void host_atc_timer(void *host, uint64_t ns)
{
    Smmuv3SvaState *s = host;

    if (ns) {
        timer_mod(s->atc_timer,
                  qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
    } else {
        timer_del(s->atc_timer);
    }
}

/* ---- Endpoints -------------------------------------------------------- */

static void host_stall_resolved(void *host, void *cookie, Smmu3Resolution how)
{
    smmuv3_sva_port_stall_resolved(cookie, how);
}

static void host_atc_invalidate(void *host, const Smmu3AtcInvalidate *inv)
{
    smmuv3_sva_port_atc_invalidate(host, inv);
}

static void host_prg_response(void *host, const Smmu3PrgResponse *response)
{
    smmuv3_sva_port_prg_response(host, response);
}

static void host_tlb_invalidated(void *host, const Smmu3TlbInvalidate *inv)
{
    smmuv3_sva_pci_tlb_invalidated(host, inv);
}

static void host_config_invalidated(void *host)
{
    smmuv3_sva_pci_config_invalidated(host);
}

/* ---- Diagnostics ------------------------------------------------------ */

#define GUEST_ERRORS_PER_SECOND 50

/* Any thread, with the core's lock held. */
static void host_guest_error(void *host, const char *message)
{
    Smmuv3SvaState *s = host;
    Smmuv3SvaLogLimit *limit = &s->log_limit;
    int64_t now;
    uint32_t dropped = 0;
    bool show;

    if (!qemu_loglevel_mask(LOG_GUEST_ERROR)) {
        return;
    }
    now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    WITH_QEMU_LOCK_GUARD(&s->log_lock) {
        if (now - limit->since_ns >= NANOSECONDS_PER_SECOND) {
            dropped = limit->dropped;
            *limit = (Smmuv3SvaLogLimit) { .since_ns = now };
        }
        show = limit->lines < GUEST_ERRORS_PER_SECOND;
        limit->lines += show;
        limit->dropped += !show;
    }
    if (dropped) {
        qemu_log("smmuv3-sva: %u more messages not shown\n", dropped);
    }
    if (show) {
        qemu_log("smmuv3-sva: %s\n", message);
    }
}

/* ---- Together --------------------------------------------------------- */

static const Smmu3HostOps host_ops = {
    .read = host_read,
    .write = host_write,
    .cas = host_cas,
    .kick = host_kick,
    .irq = host_irq,
    .msi = host_msi,
    .quiesce = host_quiesce,
    .stall_resolved = host_stall_resolved,
    .atc_invalidate = host_atc_invalidate,
    .prg_response = host_prg_response,
    .tlb_invalidated = host_tlb_invalidated,
    .config_invalidated = host_config_invalidated,
    .atc_timer = host_atc_timer,
    .trace = smmuv3_sva_trace,
    .traces_walks = smmuv3_sva_traces_walks,
    .guest_error = host_guest_error,
    .now = smmuv3_sva_audit_now,
    .worked = smmuv3_sva_audit_worked,
    .writer = smmuv3_sva_audit_writer,
    .has_function = smmuv3_sva_audit_has_function,
    .audit_report = smmuv3_sva_audit_report,
};

Smmu3 *smmuv3_sva_core_new(Smmuv3SvaState *s, const Smmu3Features *features,
                           const Smmu3Options *options)
{
    MemReentrancyGuard *guard = &DEVICE(s)->mem_reentrancy_guard;

    sva_guest_ram_init();
    s->service_bh = qemu_bh_new_guarded(service_bh, s, guard);
    smmuv3_sva_quiesce_init(s);
    s->atc_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, atc_timer_expired, s);
    s->run_state = qemu_add_vm_change_state_handler(run_state_changed, s);
    return smmu3_new(features, options, &host_ops, s);
}
