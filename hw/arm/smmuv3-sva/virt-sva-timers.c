/*
 * The timers of EL2 when the machine goes on after it was loaded: see
 * virt-sva-timers.h.
 *
 * A CPU's state has the registers of all its timers, but of what makes them
 * expire only EL1's (vmstate_arm_cpu in target/arm/machine.c, QEMU 10.0). A
 * kernel that runs at EL2, as one with KVM does, has its clock events from
 * CNTHV or CNTHP: after a load it would wait for ever for the next one.
 * Writing a timer's compare value starts it anew, whatever the value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/core/cpu.h"
#include "system/runstate.h"
#include "system/tcg.h"
#include "target/arm/cpu.h"
#include "target/arm/cpregs.h"
#include "virt-sva-timers.h"

static bool is_el2_compare_value(const ARMCPRegInfo *reg)
{
    return reg && reg->writefn && (!strcmp(reg->name, "CNTHP_CVAL_EL2") ||
                                   !strcmp(reg->name, "CNTHV_CVAL_EL2"));
}

/* Under the big lock, with no CPU running. */
static void start_el2_timers(void *opaque, bool running, RunState state)
{
    CPUState *cs;

    if (!running || !tcg_enabled()) {
        return;
    }
    CPU_FOREACH(cs) {
        ARMCPU *cpu = ARM_CPU(cs);

        for (int i = 0; i < cpu->cpreg_array_len; i++) {
            const ARMCPRegInfo *reg = get_arm_cp_reginfo(
                cpu->cp_regs, kvm_to_cpreg_id(cpu->cpreg_indexes[i]));

            if (is_el2_compare_value(reg)) {
                reg->writefn(&cpu->env, reg, CPREG_FIELD64(&cpu->env, reg));
            }
        }
    }
}

void virt_sva_keep_el2_timers(void)
{
    qemu_add_vm_change_state_handler(start_el2_timers, NULL);
}
