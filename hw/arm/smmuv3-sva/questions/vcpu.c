/*
 * See vcpu.h. The walker is target/arm's get_phys_addr(). It updates
 * access flags and dirty state where TCR says so, hence TCR does not while it is
 * asked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "qapi/error.h"
#include "hw/core/cpu.h"
#include "system/tcg.h"
#include "target/arm/cpu.h"
#include "target/arm/internals.h"
#include "vcpu.h"

/* ---- In the vCPU's thread ---------------------------------------------- */

typedef struct Visit {
    void (*work)(Smmuv3SvaCpu *cpu, void *opaque);
    void *opaque;
    const char *why;            /* NULL: the work was done */
} Visit;

/* What the vCPU translates user addresses with; NULL, or why it cannot be. */
static const char *read_registers(CPUARMState *env, Smmuv3SvaCpu *cpu)
{
    uint64_t hcr = arm_hcr_el2_eff(env);
    bool host = (hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);

    cpu->env = env;
    cpu->el = host ? 2 : 1;
    cpu->tcr = env->cp15.tcr_el[cpu->el];
    cpu->sctlr = env->cp15.sctlr_el[cpu->el];
    cpu->mair = env->cp15.mair_el[cpu->el];
    cpu->ttbr[0] = env->cp15.ttbr0_el[cpu->el];
    cpu->ttbr[1] = env->cp15.ttbr1_el[cpu->el];
    cpu->pan = env->pstate & PSTATE_PAN;
    cpu->pa_bits = arm_pamax(env_archcpu(env));
    if (!arm_el_is_aa64(env, cpu->el)) {
        return "is in AArch32";
    }
    if (!host && (hcr & (HCR_VM | HCR_DC))) {
        return "runs a virtual machine: its addresses have two stages";
    }
    if (!(cpu->sctlr & SCTLR_M)) {
        return "has its MMU off";
    }
    return NULL;
}

static void visit_cpu(CPUState *cs, run_on_cpu_data data)
{
    Visit *visit = data.host_ptr;
    CPUARMState *env = cpu_env(cs);
    Smmuv3SvaCpu cpu = { .index = cs->cpu_index };
    uint64_t *tcr, *ttbr0;

    RCU_READ_LOCK_GUARD();
    visit->why = read_registers(env, &cpu);
    if (visit->why) {
        return;
    }
    tcr = &env->cp15.tcr_el[cpu.el];
    ttbr0 = &env->cp15.ttbr0_el[cpu.el];
    smmu3_set(tcr, TCR_HA_, 0);
    smmu3_set(tcr, TCR_HD_, 0);
    visit->work(&cpu, visit->opaque);
    *tcr = cpu.tcr;
    *ttbr0 = cpu.ttbr[0];
}

unsigned smmuv3_sva_cpu_count(void)
{
    CPUState *cs;
    unsigned count = 0;

    CPU_FOREACH(cs) {
        count++;
    }
    return count;
}

bool smmuv3_sva_on_cpu(unsigned index,
                       void (*work)(Smmuv3SvaCpu *cpu, void *opaque),
                       void *opaque, Error **errp)
{
    Visit visit = { .work = work, .opaque = opaque };
    CPUState *cs = qemu_get_cpu(index);

    if (!tcg_enabled()) {
        error_setg(errp, "no vCPU's tables can be looked at without TCG");
        return false;
    }
    if (!cs) {
        error_setg(errp, "there is no vCPU %u", index);
        return false;
    }
    run_on_cpu(cs, visit_cpu, RUN_ON_CPU_HOST_PTR(&visit));
    if (visit.why) {
        error_setg(errp, "vCPU %u %s", index, visit.why);
        return false;
    }
    return true;
}

void smmuv3_sva_cpu_set_ttbr0(Smmuv3SvaCpu *cpu, uint64_t ttbr)
{
    CPUARMState *env = cpu->env;

    env->cp15.ttbr0_el[cpu->el] = ttbr;
}

/* Bits 51:48 are elsewhere in a TTBR (DDI 0487 D8.2). */
uint64_t smmuv3_sva_cpu_table(const Smmuv3SvaCpu *cpu, unsigned half)
{
    uint64_t ttbr = cpu->ttbr[half], tcr = cpu->tcr;
    bool wide = smmu3_get(&tcr, TCR_IPS_) == 6 &&
                (smmu3_get(&tcr, TCR_DS_) ||
                 (half ? smmu3_get(&tcr, TCR_TG1_) == CD_TG1_64K
                       : smmu3_get(&tcr, TCR_TG0_) == CD_TG0_64K));

    return wide ? (extract64(ttbr, 6, 42) << 6) | extract64(ttbr, 2, 4) << 48
                : extract64(ttbr, 4, 44) << 4;
}

/* ---- One address ------------------------------------------------------- */

/* The walk of an access; false: *@fi says why not. */
static bool walk(Smmuv3SvaCpu *cpu, uint64_t in, bool priv,
                 MMUAccessType access, GetPhysAddrResult *result,
                 ARMMMUFaultInfo *fi)
{
    ARMMMUIdx idx = cpu->el == 2 ? (priv ? ARMMMUIdx_E20_2 : ARMMMUIdx_E20_0)
                                 : (priv ? ARMMMUIdx_E10_1 : ARMMMUIdx_E10_0);

    *result = (GetPhysAddrResult) { };
    *fi = (ARMMMUFaultInfo) { };
    return !get_phys_addr(cpu->env, in, access, 0, idx, result, fi);
}

/*
 * What may be done by a walk that went well. With permission indirection the
 * walker calls a page writable that is clean, and refuses the store: it is one
 * that cannot be written yet.
 */
static uint8_t rights_of(Smmuv3SvaCpu *cpu, uint64_t in, bool priv,
                         const GetPhysAddrResult *walked)
{
    uint8_t rights = walked->f.prot & (PAGE_READ | PAGE_WRITE | PAGE_EXEC);
    GetPhysAddrResult result;
    ARMMMUFaultInfo fi;

    if ((rights & PAGE_WRITE) &&
        !walk(cpu, in, priv, MMU_DATA_STORE, &result, &fi)) {
        rights &= ~PAGE_WRITE;
    }
    return rights;
}

/* All that EL0 may: the walker says it once one of them is allowed. */
static uint8_t unprivileged(Smmuv3SvaCpu *cpu, uint64_t in)
{
    static const MMUAccessType accesses[] = {
        MMU_DATA_LOAD, MMU_DATA_STORE, MMU_INST_FETCH,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
        GetPhysAddrResult result;
        ARMMMUFaultInfo fi;

        if (walk(cpu, in, false, accesses[i], &result, &fi)) {
            return rights_of(cpu, in, false, &result);
        }
    }
    return 0;
}

/*
 * Where an entry leads whose access flag is not set: QEMU's debugger does not
 * mind it. It asks as the exception level that the vCPU is in.
 */
static uint64_t output_for_debugger(Smmuv3SvaCpu *cpu, uint64_t in)
{
    CPUARMState *env = cpu->env;
    uint32_t pstate = env->pstate;
    bool aarch64 = env->aarch64;
    MemTxAttrs attrs;
    hwaddr output;

    env->aarch64 = true;
    env->pstate = cpu->el == 2 ? PSTATE_MODE_EL2h : PSTATE_MODE_EL1h;
    output = arm_cpu_get_phys_page_attrs_debug(env_cpu(env), in, &attrs);
    env->pstate = pstate;
    env->aarch64 = aarch64;
    return output;
}

static unsigned page_log2(const Smmuv3SvaCpu *cpu, bool high)
{
    static const uint8_t of_tg0[] = { 12, 16, 14, 12 };
    static const uint8_t of_tg1[] = { 12, 14, 12, 16 };

    return high ? of_tg1[smmu3_get(&cpu->tcr, TCR_TG1_)]
                : of_tg0[smmu3_get(&cpu->tcr, TCR_TG0_)];
}

/* What an entry of the level at fault stands for. */
static unsigned fault_log2(const Smmuv3SvaCpu *cpu, uint64_t in,
                           const ARMMMUFaultInfo *fi)
{
    return MIN(smmu3_level_log2(page_log2(cpu, in >> 63), fi->level), 63);
}

static Smmu3EventType fault_type(ARMFaultType type)
{
    switch (type) {
    case ARMFault_Translation:
        return F_TRANSLATION;
    case ARMFault_AddressSize:
        return F_ADDR_SIZE;
    case ARMFault_AccessFlag:
        return F_ACCESS;
    case ARMFault_Permission:
        return F_PERMISSION;
    case ARMFault_SyncExternalOnWalk:
        return F_WALK_EABT;
    default:
        return EVENT_NONE;
    }
}

static void look_up_fault(Smmuv3SvaCpu *cpu, uint64_t in,
                          const ARMMMUFaultInfo *fi, Smmu3Piece *piece)
{
    unsigned size_log2 = fault_log2(cpu, in, fi);
    Smmu3Span span = smmu3_span_around(in, size_log2);
    uint64_t output;

    *piece = (Smmu3Piece) { .in = span, .fault = fault_type(fi->type) };
    if (fi->type != ARMFault_AccessFlag || !smmu3_get(&cpu->tcr, TCR_HA_)) {
        return;
    }
    output = output_for_debugger(cpu, in);
    if (output != UINT64_MAX) {
        *piece = (Smmu3Piece) {
            .in = span, .mapped = true, .entry_log2 = size_log2,
            .output = output - (in - span.first), .known = 0,
        };
    }
}

/* The addresses that a half has; false: none. */
static bool half_span(const Smmuv3SvaCpu *cpu, bool high, Smmu3Span *span)
{
    unsigned tsz = high ? smmu3_get(&cpu->tcr, TCR_T1SZ_)
                        : smmu3_get(&cpu->tcr, TCR_T0SZ_);

    *span = high ? (Smmu3Span) { ~smmu3_mask(64 - tsz), UINT64_MAX }
                 : (Smmu3Span) { 0, smmu3_mask(64 - tsz) };
    return tsz && !(high ? smmu3_get(&cpu->tcr, TCR_EPD1_)
                         : smmu3_get(&cpu->tcr, TCR_EPD0_));
}

/* Whether @in is in no half; then *@gap is what of its own half is in none. */
static bool is_in_gap(const Smmuv3SvaCpu *cpu, uint64_t in, Smmu3Span *gap)
{
    bool high = in >> 63;
    Smmu3Span half;

    *gap = smmu3_span_around(in, 63);
    if (!half_span(cpu, high, &half)) {
        return true;
    }
    if (high) {
        gap->last = half.first - 1;
    } else {
        gap->first = half.last + 1;
    }
    return in < half.first || in > half.last;
}

void smmuv3_sva_cpu_look_up(void *opaque, uint64_t in, Smmu3Piece *piece)
{
    Smmuv3SvaCpu *cpu = opaque;
    GetPhysAddrResult result;
    ARMMMUFaultInfo fi;
    Smmu3Span gap;

    if (is_in_gap(cpu, in, &gap)) {
        *piece = (Smmu3Piece) { .in = gap, .fault = F_TRANSLATION };
        return;
    }
    if (!walk(cpu, in, true, MMU_DATA_LOAD, &result, &fi)) {
        look_up_fault(cpu, in, &fi, piece);
        return;
    }
    *piece = (Smmu3Piece) {
        .in = smmu3_span_around(in, result.f.lg_page_size),
        .mapped = true, .known = UINT8_MAX,
        .entry_log2 = result.f.lg_page_size,
        .rights = unprivileged(cpu, in) |
                  rights_of(cpu, in, true, &result) << 3,
        .has_mair = true, .mair = result.cacheattrs.attrs,
    };
    piece->output = result.f.phys_addr - (in - piece->in.first);
}
