/*
 * The SMMU as a QEMU device: MMIO, interrupt lines, guest memory, properties,
 * reset, migration, and what the monitor can ask. Not the architecture (core/)
 * and not PCI (smmuv3-sva-pci.c). Instantiated by the virt-sva machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "qemu/rcu.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qapi/qapi-builtin-visit.h"
#include "migration/vmstate.h"
#include "system/runstate.h"
#include "smmuv3-sva.h"
#include "trace.h"

/* ---- Guest memory ----------------------------------------------------- */

/*
 * The RAM behind [@pa, @pa + @bytes), or NULL if there is none: tables and
 * queues in a device's registers are an external abort, and so no walk ever
 * dispatches MMIO (which might want the big lock). Inside an RCU section.
 */
static void *guest_ram(uint64_t pa, hwaddr bytes, bool is_write)
{
    MemTxAttrs attrs = { .memory = 1 };
    hwaddr offset, len = bytes;
    MemoryRegion *mr = address_space_translate(&address_space_memory, pa,
                                               &offset, &len, is_write, attrs);

    if (len < bytes || !memory_access_is_direct(mr, is_write, attrs)) {
        return NULL;
    }
    return (char *)memory_region_get_ram_ptr(mr) + offset;
}

static bool host_read(void *host, uint64_t pa, uint64_t *words, unsigned count)
{
    uint64_t *ram;

    RCU_READ_LOCK_GUARD();
    ram = guest_ram(pa, count * 8, false);
    if (!ram) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        words[i] = le64_to_cpu(qatomic_read__nocheck(&ram[i]));
    }
    return true;
}

static bool host_write(void *host, uint64_t pa, const uint64_t *words,
                       unsigned count)
{
    MemTxAttrs attrs = { .memory = 1 };

    RCU_READ_LOCK_GUARD();
    if (!guest_ram(pa, count * 8, true)) {
        return false;
    }
    /* Word by word: each is to be single-copy atomic. */
    for (unsigned i = 0; i < count; i++) {
        uint64_t word = cpu_to_le64(words[i]);

        if (address_space_write(&address_space_memory, pa + i * 8, attrs,
                                &word, 8) != MEMTX_OK) {
            return false;
        }
    }
    smp_wmb();          /* before the index that publishes them */
    return true;
}

static Smmu3Cas host_cas(void *host, uint64_t pa, uint64_t *expected,
                         uint64_t desired)
{
    MemTxAttrs attrs = { .memory = 1 };
    hwaddr len = 8;
    uint64_t *ram, old;
    bool done;

    RCU_READ_LOCK_GUARD();
    if (!guest_ram(pa, 8, true)) {
        return SMMU3_CAS_ABORT;
    }
    /* Mapped, so that unmapping marks the page dirty, for code as well. */
    ram = address_space_map(&address_space_memory, pa, &len, true, attrs);
    if (!ram) {
        return SMMU3_CAS_ABORT;
    }
    old = le64_to_cpu(qatomic_cmpxchg__nocheck(ram, cpu_to_le64(*expected),
                                               cpu_to_le64(desired)));
    done = old == *expected;
    address_space_unmap(&address_space_memory, ram, len, true, done ? 8 : 0);
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

    if (!running) {
        /* What is on its way would not be in the stream of a migration. */
        smmu3_flush(s->core);
        return;
    }
    if (s->quiesced_while_stopped) {
        s->quiesced_while_stopped = false;
        smmu3_quiesced(s->core);
    }
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
    smmuv3_sva_pci_stall_resolved(cookie, how);
}

static void host_atc_invalidate(void *host, const Smmu3AtcInvalidate *inv)
{
    smmuv3_sva_pci_atc_invalidate(host, inv);
}

static void host_prg_response(void *host, const Smmu3PrgResponse *response)
{
    smmuv3_sva_pci_prg_response(host, response);
}

static void host_tlb_invalidated(void *host, const Smmu3TlbInvalidate *inv)
{
    smmuv3_sva_pci_tlb_invalidated(host, inv);
}

/* ---- Diagnostics ------------------------------------------------------ */

static const char *command_name(uint64_t opcode)
{
    switch (opcode) {
    case CMD_PREFETCH_CONFIG:   return "CMD_PREFETCH_CONFIG";
    case CMD_PREFETCH_ADDR:     return "CMD_PREFETCH_ADDR";
    case CMD_CFGI_STE:          return "CMD_CFGI_STE";
    case CMD_CFGI_STE_RANGE:    return "CMD_CFGI_STE_RANGE";
    case CMD_CFGI_CD:           return "CMD_CFGI_CD";
    case CMD_CFGI_CD_ALL:       return "CMD_CFGI_CD_ALL";
    case CMD_CFGI_VMS_PIDM:     return "CMD_CFGI_VMS_PIDM";
    case CMD_TLBI_NH_ALL:       return "CMD_TLBI_NH_ALL";
    case CMD_TLBI_NH_ASID:      return "CMD_TLBI_NH_ASID";
    case CMD_TLBI_NH_VA:        return "CMD_TLBI_NH_VA";
    case CMD_TLBI_NH_VAA:       return "CMD_TLBI_NH_VAA";
    case CMD_TLBI_EL3_ALL:      return "CMD_TLBI_EL3_ALL";
    case CMD_TLBI_EL3_VA:       return "CMD_TLBI_EL3_VA";
    case CMD_TLBI_EL2_ALL:      return "CMD_TLBI_EL2_ALL";
    case CMD_TLBI_EL2_ASID:     return "CMD_TLBI_EL2_ASID";
    case CMD_TLBI_EL2_VA:       return "CMD_TLBI_EL2_VA";
    case CMD_TLBI_EL2_VAA:      return "CMD_TLBI_EL2_VAA";
    case CMD_TLBI_S12_VMALL:    return "CMD_TLBI_S12_VMALL";
    case CMD_TLBI_S2_IPA:       return "CMD_TLBI_S2_IPA";
    case CMD_TLBI_NSNH_ALL:     return "CMD_TLBI_NSNH_ALL";
    case CMD_ATC_INV:           return "CMD_ATC_INV";
    case CMD_PRI_RESPONSE:      return "CMD_PRI_RESP";
    case CMD_RESUME:            return "CMD_RESUME";
    case CMD_STALL_TERM:        return "CMD_STALL_TERM";
    case CMD_SYNC:              return "CMD_SYNC";
    default:                    return "CMD_?";
    }
}

static const char *outcome_name(uint64_t outcome)
{
    static const char *const names[] = {
        [SMMU3_OK] = "ok", [SMMU3_ABORT] = "abort", [SMMU3_RAZWI] = "raz/wi",
        [SMMU3_STALLED] = "stalled", [SMMU3_ATS_UR] = "ats-ur",
        [SMMU3_ATS_CA] = "ats-ca",
    };

    return outcome < ARRAY_SIZE(names) ? names[outcome] : "?";
}

static const char *resolution_name(uint64_t how)
{
    return how == SMMU3_RESOLVE_RETRY ? "retry" :
           how == SMMU3_RESOLVE_ABORT ? "abort" : "raz/wi";
}

static void host_trace(void *host, Smmu3TraceKind kind, uint64_t a, uint64_t b,
                       uint64_t c, uint64_t d)
{
    const char *name;

    switch (kind) {
    case SMMU3_TRACE_COMMAND:
        trace_smmuv3_sva_command(command_name(smmu3_get(&a, CMD_OPCODE)),
                                 a, b, c);
        break;
    case SMMU3_TRACE_EVENT:
        name = smmu3_event_name(smmu3_get(&a, EVENT_TYPE));
        trace_smmuv3_sva_event(name ?: "?", smmu3_get(&a, EVENT_STREAMID),
                               a, b, c, d);
        break;
    case SMMU3_TRACE_EVENT_LOST:
        name = smmu3_event_name(smmu3_get(&a, EVENT_TYPE));
        trace_smmuv3_sva_event_lost(name ?: "?", smmu3_get(&a, EVENT_STREAMID),
                                    a, b, c, d);
        break;
    case SMMU3_TRACE_STE:
        trace_smmuv3_sva_ste(a, b, c, d);
        break;
    case SMMU3_TRACE_CD:
        trace_smmuv3_sva_cd(a, b, c, d);
        break;
    case SMMU3_TRACE_WALK:
        trace_smmuv3_sva_walk(a, (int64_t)b, c, d);
        break;
    case SMMU3_TRACE_TRANSLATE:
        trace_smmuv3_sva_translate(a, a >> 32, b, c, outcome_name(d));
        break;
    case SMMU3_TRACE_STALL:
        trace_smmuv3_sva_stall(a, b, c, d);
        break;
    case SMMU3_TRACE_RESOLVE:
        trace_smmuv3_sva_resolve(a, b, resolution_name(c));
        break;
    case SMMU3_TRACE_PAGE_REQUEST:
        trace_smmuv3_sva_page_request(a, b, c);
        break;
    case SMMU3_TRACE_PRG_RESPONSE:
        trace_smmuv3_sva_prg_response(a, b, c);
        break;
    case SMMU3_TRACE_ATC_INVALIDATE:
        trace_smmuv3_sva_atc_invalidate(a, b, c, d);
        break;
    case SMMU3_TRACE_TLB_INVALIDATE:
        trace_smmuv3_sva_tlb_invalidate(command_name(a), b, b >> 32, c, d);
        break;
    case SMMU3_TRACE_GERROR:
        trace_smmuv3_sva_gerror(a, b);
        break;
    }
}

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
    .atc_timer = host_atc_timer,
    .trace = host_trace,
    .guest_error = host_guest_error,
};

/* ---- Registers -------------------------------------------------------- */

static MemTxResult mmio_read(void *opaque, hwaddr offset, uint64_t *value,
                             unsigned size, MemTxAttrs attrs)
{
    Smmuv3SvaState *s = opaque;

    *value = smmu3_mmio_read(s->core, offset, size);
    trace_smmuv3_sva_mmio_read(offset, *value, size);
    return MEMTX_OK;
}

static MemTxResult mmio_write(void *opaque, hwaddr offset, uint64_t value,
                              unsigned size, MemTxAttrs attrs)
{
    Smmuv3SvaState *s = opaque;

    trace_smmuv3_sva_mmio_write(offset, value, size);
    qatomic_set(&s->register_writes, s->register_writes + 1);
    smmu3_mmio_write(s->core, offset, value, size);
    return MEMTX_OK;
}

static const MemoryRegionOps mmio_ops = {
    .read_with_attrs = mmio_read,
    .write_with_attrs = mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* ---- ID registers as properties --------------------------------------- */

static unsigned field_index(const Smmu3IdField *field)
{
    return field - smmu3_id_fields;
}

/* Properties have dashes where the field's name has underscores. */
static char *property_name(const Smmu3IdField *field)
{
    return g_strdelimit(g_strdup(field->name), "_", '-');
}

bool smmuv3_sva_oas_given(Smmuv3SvaState *s)
{
    for (unsigned i = 0; i < smmu3_id_field_count; i++) {
        if (smmu3_id_fields[i].member == offsetof(Smmu3Features, oas)) {
            return s->given_mask >> i & 1;
        }
    }
    return false;
}

static const Smmu3Profile *find_profile(const char *name)
{
    for (size_t i = 0; i < smmu3_profile_count; i++) {
        if (!strcmp(smmu3_profiles[i].name, name)) {
            return &smmu3_profiles[i];
        }
    }
    return NULL;
}

/*
 * The features that realize would use: the profile's, with the fields that
 * were given put over them. False, with @errp set, if the profile is unknown.
 */
static bool wanted_features(Smmuv3SvaState *s, Smmu3Features *f, Error **errp)
{
    smmu3_features_init(f);
    if (s->profile) {
        const Smmu3Profile *profile = find_profile(s->profile);

        if (!profile) {
            error_setg(errp, "smmuv3-sva: there is no profile '%s'",
                       s->profile);
            for (size_t i = 0; i < smmu3_profile_count; i++) {
                error_append_hint(errp, "%s %s: %s\n",
                                  i ? "           " : "Profiles are:",
                                  smmu3_profiles[i].name,
                                  smmu3_profiles[i].description);
            }
            return false;
        }
        profile->apply(f);
    }
    for (unsigned i = 0; i < smmu3_id_field_count; i++) {
        if (s->given_mask >> i & 1) {
            *smmu3_feature(f, &smmu3_id_fields[i]) =
                *smmu3_feature(&s->given, &smmu3_id_fields[i]);
        }
    }
    smmu3_features_settle(f, s->given_mask);
    return true;
}

static void id_field_get(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    const Smmu3IdField *field = opaque;
    Smmu3Features f;
    uint16_t value;

    if (s->core) {
        f = *smmu3_features(s->core);
    } else if (!wanted_features(s, &f, errp)) {
        return;
    }
    value = *smmu3_feature(&f, field);
    visit_type_uint16(v, name, &value, errp);
}

static void id_field_set(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    const Smmu3IdField *field = opaque;
    uint16_t value;

    if (s->core) {
        error_setg(errp, "smmuv3-sva: '%s' cannot change any more", name);
        return;
    }
    if (!visit_type_uint16(v, name, &value, errp)) {
        return;
    }
    *smmu3_feature(&s->given, field) = value;
    s->given_mask |= UINT64_C(1) << field_index(field);
}

static char *get_profile(Object *obj, Error **errp)
{
    return g_strdup(SMMUV3_SVA(obj)->profile ?: "");
}

static void set_profile(Object *obj, const char *value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    if (s->core) {
        error_setg(errp, "smmuv3-sva: 'profile' cannot change any more");
        return;
    }
    g_free(s->profile);
    s->profile = *value ? g_strdup(value) : NULL;
}

static void add_id_properties(ObjectClass *oc)
{
    /* given_mask has a bit for each */
    g_assert(smmu3_id_field_count <= 64);
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *field = &smmu3_id_fields[i];
        g_autofree char *text =
            g_strdup_printf("%s (default profile: %u)", field->description,
                            field->initial);

        g_autofree char *name = property_name(field);

        object_class_property_add(oc, name, "uint16", id_field_get,
                                  id_field_set, NULL, (void *)field);
        object_class_property_set_description(oc, name, text);
    }
}

/* ---- What the monitor can ask ----------------------------------------- */

#define COUNTER(name) { #name, offsetof(Smmu3Counters, name) }
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
    COUNTER(translations), COUNTER(tlb_hits), COUNTER(tlb_misses),
    COUNTER(config_misses), COUNTER(walks),
    COUNTER(descriptor_reads), COUNTER(httu_updates), COUNTER(events),
    COUNTER(events_lost), COUNTER(stalls), COUNTER(resumes_retry),
    COUNTER(resumes_abort), COUNTER(stalls_terminated),
    COUNTER(stalls_cancelled), COUNTER(commands), COUNTER(command_errors),
    COUNTER(syncs), COUNTER(tlb_invalidations), COUNTER(config_invalidations),
    COUNTER(ats_requests), COUNTER(ats_translated), COUNTER(atc_invalidations),
    COUNTER(page_requests), COUNTER(page_requests_lost),
    COUNTER(prg_responses),
};
#undef COUNTER

static bool visit_counter(Visitor *v, const char *name,
                          const _Atomic uint64_t *counter, Error **errp)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

    return visit_type_uint64(v, name, &value, errp);
}

/* Faults by event, those that were met at least once. */
static bool visit_faults(Visitor *v, const Smmu3Counters *c, Error **errp)
{
    if (!visit_start_struct(v, "faults", NULL, 0, errp)) {
        return false;
    }
    for (unsigned type = 0; type < ARRAY_SIZE(c->faults); type++) {
        const char *name = smmu3_event_name(type);

        if (name && atomic_load_explicit(&c->faults[type],
                                         memory_order_relaxed) &&
            !visit_counter(v, name, &c->faults[type], errp)) {
            return false;
        }
    }
    visit_end_struct(v, NULL);
    return true;
}

static void get_counters(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    const Smmu3Counters *c;
    uint64_t outstanding;

    if (!s->core) {
        error_setg(errp, "smmuv3-sva: not realized");
        return;
    }
    c = smmu3_counters(s->core);
    outstanding = smmu3_stalls_outstanding(s->core);
    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        const void *counter = (const char *)c + counters[i].offset;

        if (!visit_counter(v, counters[i].name, counter, errp)) {
            return;
        }
    }
    if (!visit_type_uint64(v, "stalls_outstanding", &outstanding, errp) ||
        !visit_faults(v, c, errp)) {
        return;
    }
    visit_end_struct(v, NULL);
}

static bool get_counters_reset(Object *obj, Error **errp)
{
    return false;
}

static void set_counters_reset(Object *obj, bool value, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    if (value && s->core) {
        smmu3_counters_reset(s->core);
    }
}

/* "0x8" or, as lspci has it, "0:1.0". */
static bool parse_sid(const char *text, uint32_t *sid)
{
    unsigned bus, slot, function;
    uint64_t number;
    char end;

    if (strchr(text, ':')) {
        if (sscanf(text, "%x:%x.%x%c", &bus, &slot, &function, &end) != 3 ||
            bus > 255 || slot > 31 || function > 7) {
            return false;
        }
        *sid = PCI_BUILD_BDF(bus, PCI_DEVFN(slot, function));
        return true;
    }
    if (qemu_strtou64(text, NULL, 0, &number) || number > UINT32_MAX) {
        return false;
    }
    *sid = number;
    return true;
}

static bool parse_access(const char *text, Smmu3Transaction *t)
{
    t->access = 0;
    for (; *text; text++) {
        switch (*text) {
        case 'r':
            t->access |= SMMU3_READ;
            break;
        case 'w':
            t->access |= SMMU3_WRITE;
            break;
        case 'x':
            t->access |= SMMU3_READ;
            t->ind = true;
            break;
        case 'p':
            t->priv = true;
            break;
        default:
            return false;
        }
    }
    return t->access;
}

static bool parse_type(const char *text, Smmu3Transaction *t)
{
    static const char *const names[] = {
        [SMMU3_UNTRANSLATED] = "untranslated", [SMMU3_ATS_REQUEST] = "ats",
        [SMMU3_ATS_TRANSLATED] = "translated",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(text, names[i])) {
            t->type = i;
            return true;
        }
    }
    return false;
}

static bool parse_explain_item(const char *item, Smmu3Transaction *t)
{
    const char *value = strchr(item, '=');
    size_t key_length = value ? value - item : 0;
    uint64_t number;

    if (!value++) {
        return false;
    }
    if (key_length == 3 && !memcmp(item, "sid", 3)) {
        return parse_sid(value, &t->sid);
    }
    if (key_length == 4 && !memcmp(item, "ssid", 4)) {
        t->ssv = true;
        if (qemu_strtou64(value, NULL, 0, &number) || number > 0xfffff) {
            return false;
        }
        t->ssid = number;
        return true;
    }
    if (key_length == 4 && !memcmp(item, "addr", 4)) {
        return !qemu_strtou64(value, NULL, 0, &t->addr);
    }
    if (key_length == 6 && !memcmp(item, "access", 6)) {
        return parse_access(value, t);
    }
    if (key_length == 4 && !memcmp(item, "type", 4)) {
        return parse_type(value, t);
    }
    return false;
}

static bool parse_explain(const char *request, Smmu3Transaction *t,
                          Error **errp)
{
    g_auto(GStrv) items = g_strsplit(request, ",", -1);

    *t = (Smmu3Transaction) { .access = SMMU3_READ, .may_stall = true };
    for (char **item = items; *item; item++) {
        if (!parse_explain_item(*item, t)) {
            error_setg(errp, "cannot explain '%s'", *item);
            error_append_hint(errp, "Set it to: sid=NUMBER or BUS:SLOT.FN, and "
                              "ssid=NUMBER, addr=NUMBER, access=[r][w][x][p], "
                              "type=untranslated|ats|translated, with commas "
                              "between them.\n");
            return false;
        }
    }
    return true;
}

static void set_explain(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    Smmu3Transaction t;
    char *request;

    if (!visit_type_str(v, name, &request, errp)) {
        return;
    }
    if (!parse_explain(request, &t, errp)) {
        g_free(request);
        return;
    }
    g_free(s->explain_request);
    s->explain_request = request;
}

static void append_line(strList ***tail, const char *line)
{
    strList *item = g_new0(strList, 1);

    item->value = g_strdup(line);
    **tail = item;
    *tail = &item->next;
}

/* A list of lines, so that the monitor shows each on its own. */
static void get_explain(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    strList *list = NULL, **tail = &list;
    Smmu3Transaction t;

    if (!s->core || !s->explain_request) {
        append_line(&tail, "set this property to sid=...,addr=... first");
    } else if (parse_explain(s->explain_request, &t, errp)) {
        smmu3_explain(s->core, &t, text);
        lines = g_strsplit(text->str, "\n", -1);
        for (char **line = lines; *line; line++) {
            if (**line) {
                append_line(&tail, *line);
            }
        }
    } else {
        return;
    }
    visit_type_strList(v, name, &list, errp);
    qapi_free_strList(list);
}

/* ---- Life ------------------------------------------------------------- */

static void smmuv3_sva_reset_exit(Object *obj, ResetType type)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    smmu3_reset(s->core);
    smmu3_service(s->core);
}

static bool check_capacity(const char *name, uint32_t value, Error **errp)
{
    const uint32_t max = 1 << 24;

    if (value > max) {
        error_setg(errp, "smmuv3-sva: %s=%u is too many", name, value);
        error_append_hint(errp, "At most %u entries; 0 means the default.\n",
                          max);
        return false;
    }
    return true;
}

static void smmuv3_sva_realize(DeviceState *dev, Error **errp)
{
    Smmuv3SvaState *s = SMMUV3_SVA(dev);
    Smmu3Features features;
    Smmu3Options options = {
        .tlb_entries = s->tlb_entries,
        .config_entries = s->config_entries,
        .atc_timeout_ns = s->atc_timeout_ms * (uint64_t)SCALE_MS,
    };
    g_autofree char *message = NULL;

    if (!s->primary_bus) {
        error_setg(errp, "smmuv3-sva: no PCI bus to serve");
        error_append_hint(errp, "The machine virt-sva has this device; set "
                          "its properties with -global smmuv3-sva.NAME=VALUE."
                          "\n");
        return;
    }
    if (!wanted_features(s, &features, errp) ||
        !check_capacity("tlb-entries", s->tlb_entries, errp) ||
        !check_capacity("config-entries", s->config_entries, errp)) {
        return;
    }
    message = smmu3_features_check(&features);
    if (message) {
        /* It names the fields, not their properties */
        error_setg(errp, "smmuv3-sva: %s", g_strdelimit(message, "_", '-'));
        error_append_hint(errp, "-device smmuv3-sva,help describes the ID "
                          "fields; -global smmuv3-sva.NAME=VALUE sets them."
                          "\n");
        return;
    }

    s->core = smmu3_new(&features, &options, &host_ops, s);
    s->service_bh = qemu_bh_new_guarded(service_bh, s,
                                        &dev->mem_reentrancy_guard);
    s->quiesce_timer = timer_new_ns(QEMU_CLOCK_REALTIME,
                                    smmuv3_sva_quiesce_timer, s);
    s->atc_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, atc_timer_expired, s);
    s->run_state = qemu_add_vm_change_state_handler(run_state_changed, s);
    smmuv3_sva_pci_realize(s);
}

static void smmuv3_sva_init(Object *obj)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);
    SysBusDevice *sbd = SYS_BUS_DEVICE(obj);

    qemu_mutex_init(&s->log_lock);
    memory_region_init_io(&s->mmio, obj, &mmio_ops, s, TYPE_SMMUV3_SVA,
                          SMMU3_MMIO_BYTES);
    sysbus_init_mmio(sbd, &s->mmio);
    for (unsigned i = 0; i < SMMU3_IRQ_COUNT; i++) {
        sysbus_init_irq(sbd, &s->irq[i]);
    }
}

static void smmuv3_sva_finalize(Object *obj)
{
    Smmuv3SvaState *s = SMMUV3_SVA(obj);

    /* Once realized it stays for ever: PCI has no way to undo it. */
    qemu_mutex_destroy(&s->log_lock);
    g_free(s->profile);
    g_free(s->explain_request);
}

/* ---- Migration -------------------------------------------------------- */

static void forget_saved(Smmuv3SvaState *s)
{
    g_clear_pointer(&s->saved.stalls, g_free);
    s->saved.stall_count = 0;
}

static void read_id_registers(Smmuv3SvaState *s, uint32_t *id)
{
    for (unsigned i = 0; i < SMMUV3_SVA_ID_REGS; i++) {
        id[i] = smmu3_features_reg(smmu3_features(s->core),
                                   SMMU3_IDR0 + 4 * i);
    }
}

static int smmuv3_sva_pre_save(void *opaque)
{
    Smmuv3SvaState *s = opaque;
    g_autoptr(GArray) stalls = smmu3_save_stalls(s->core);

    forget_saved(s);
    read_id_registers(s, s->saved.id);
    s->saved.regs = *smmu3_regs(s->core);
    s->saved.stall_count = stalls->len;
    if (stalls->len) {
        s->saved.stalls = g_memdup2(stalls->data,
                                    stalls->len * sizeof(Smmu3SavedStall));
    }
    return 0;
}

static int smmuv3_sva_post_save(void *opaque)
{
    forget_saved(opaque);
    return 0;
}

static int smmuv3_sva_pre_load(void *opaque)
{
    forget_saved(opaque);
    return 0;
}

static int smmuv3_sva_post_load(void *opaque, int version)
{
    Smmuv3SvaState *s = opaque;
    uint32_t id[SMMUV3_SVA_ID_REGS];
    bool ok;

    read_id_registers(s, id);
    for (unsigned i = 0; i < SMMUV3_SVA_ID_REGS; i++) {
        if (id[i] != s->saved.id[i]) {
            error_report("smmuv3-sva: the state is of an SMMU with other "
                         "features: ID register at 0x%x is 0x%x there and "
                         "0x%x here", SMMU3_IDR0 + 4 * i, s->saved.id[i],
                         id[i]);
            return -EINVAL;
        }
    }
    ok = smmu3_load(s->core, &s->saved.regs, s->saved.stalls,
                    s->saved.stall_count);
    forget_saved(s);
    if (!ok) {
        error_report("smmuv3-sva: the state is not one of this SMMU");
        return -EINVAL;
    }
    return 0;
}

static const VMStateDescription vmstate_stall = {
    .name = "smmuv3-sva/stall",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(sid, Smmu3SavedStall),
        VMSTATE_UINT16(stag, Smmu3SavedStall),
        VMSTATE_UINT8(recorded, Smmu3SavedStall),
        VMSTATE_UINT64_ARRAY(event, Smmu3SavedStall, SMMU3_EVENT_WORDS),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_queue = {
    .name = "smmuv3-sva/queue",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(base, Smmu3Queue),
        VMSTATE_UINT32(prod, Smmu3Queue),
        VMSTATE_UINT32(cons, Smmu3Queue),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_irq_config = {
    .name = "smmuv3-sva/irq-config",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(addr, Smmu3IrqConfig),
        VMSTATE_UINT32(data, Smmu3IrqConfig),
        VMSTATE_UINT32(attr, Smmu3IrqConfig),
        VMSTATE_END_OF_LIST()
    },
};

#define REG32(name) VMSTATE_UINT32(saved.regs.name, Smmuv3SvaState)
#define REG64(name) VMSTATE_UINT64(saved.regs.name, Smmuv3SvaState)
#define REG_STRUCT(name, vmsd, type) \
    VMSTATE_STRUCT(saved.regs.name, Smmuv3SvaState, 1, vmsd, type)

static const VMStateDescription vmstate_smmuv3_sva = {
    .name = TYPE_SMMUV3_SVA,
    .version_id = 1,
    .minimum_version_id = 1,
    .priority = MIG_PRI_IOMMU,
    .pre_save = smmuv3_sva_pre_save,
    .post_save = smmuv3_sva_post_save,
    .pre_load = smmuv3_sva_pre_load,
    .post_load = smmuv3_sva_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(saved.id, Smmuv3SvaState, SMMUV3_SVA_ID_REGS),
        REG32(cr0), REG32(cr0ack), REG32(cr1), REG32(cr2), REG32(gbpa),
        REG32(irq_ctrl), REG32(irq_ctrlack), REG32(gerror), REG32(gerrorn),
        REG32(strtab_base_cfg), REG64(strtab_base),
        REG_STRUCT(cmdq, vmstate_queue, Smmu3Queue),
        REG_STRUCT(eventq, vmstate_queue, Smmu3Queue),
        REG_STRUCT(priq, vmstate_queue, Smmu3Queue),
        REG_STRUCT(gerror_irq, vmstate_irq_config, Smmu3IrqConfig),
        REG_STRUCT(eventq_irq, vmstate_irq_config, Smmu3IrqConfig),
        REG_STRUCT(priq_irq, vmstate_irq_config, Smmu3IrqConfig),
        REG64(gatos_sid), REG64(gatos_addr), REG64(gatos_par),
        REG32(gatos_ctrl),
        VMSTATE_INT32(saved.stall_count, Smmuv3SvaState),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved.stalls, Smmuv3SvaState,
                                    saved.stall_count, 1, vmstate_stall,
                                    Smmu3SavedStall),
        VMSTATE_END_OF_LIST()
    },
};

#undef REG32
#undef REG64
#undef REG_STRUCT

/* ---- Type ------------------------------------------------------------- */

static const Property smmuv3_sva_properties[] = {
    DEFINE_PROP_LINK("primary-bus", Smmuv3SvaState, primary_bus,
                     TYPE_PCI_BUS, PCIBus *),
    DEFINE_PROP_UINT32("tlb-entries", Smmuv3SvaState, tlb_entries, 0),
    DEFINE_PROP_UINT32("config-entries", Smmuv3SvaState, config_entries, 0),
    DEFINE_PROP_UINT32("atc-timeout-ms", Smmuv3SvaState, atc_timeout_ms, 0),
};

static void smmuv3_sva_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "Arm SMMUv3 with shared virtual addressing";
    dc->realize = smmuv3_sva_realize;
    dc->vmsd = &vmstate_smmuv3_sva;
    dc->user_creatable = false;     /* the machine wires it */
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    rc->phases.exit = smmuv3_sva_reset_exit;

    device_class_set_props(dc, smmuv3_sva_properties);
    object_class_property_set_description(oc, "tlb-entries",
        "Places in the IOTLB (0: 65536)");
    object_class_property_set_description(oc, "config-entries",
        "Places in the cache of STEs and CDs (0: 4096)");
    object_class_property_set_description(oc, "atc-timeout-ms",
        "How long a CMD_SYNC waits for ATC invalidations (0: 1000)");

    add_id_properties(oc);
    object_class_property_add_str(oc, "profile", get_profile, set_profile);
    object_class_property_set_description(oc, "profile",
        "A named set of ID fields; fields given one by one override it");

    object_class_property_add(oc, "counters", "Smmuv3SvaCounters",
                              get_counters, NULL, NULL, NULL);
    object_class_property_set_description(oc, "counters",
        "What the SMMU did so far, for qom-get");
    object_class_property_add_bool(oc, "counters-reset", get_counters_reset,
                                   set_counters_reset);
    object_class_property_set_description(oc, "counters-reset",
        "Setting it to true zeroes the counters");
    object_class_property_add(oc, "explain", "str", get_explain, set_explain,
                              NULL, NULL);
    object_class_property_set_description(oc, "explain",
        "qom-set sid=...,ssid=...,addr=...,access=rwxp, then qom-get: how "
        "that access would be translated, step by step");
}

static const TypeInfo smmuv3_sva_types[] = {
    {
        .name = TYPE_SMMUV3_SVA,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(Smmuv3SvaState),
        .instance_init = smmuv3_sva_init,
        .instance_finalize = smmuv3_sva_finalize,
        .class_init = smmuv3_sva_class_init,
    },
};

DEFINE_TYPES(smmuv3_sva_types)
