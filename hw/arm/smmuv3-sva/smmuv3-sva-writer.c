/*
 * Who in the guest writes CMDQ_PROD: the virtual CPU, the PC of its store and who
 * called that. For the auditor's reports; called by the core when it is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "hw/core/cpu.h"
#include "system/tcg.h"
#include "target/arm/cpu.h"
#include "target/arm/internals.h"
#include "smmuv3-sva.h"

/* Bits 63 to 48 or so of a return address may be a signature (FEAT_PAuth). */
static uint64_t without_signature(CPUARMState *env, uint64_t pc)
{
    uint64_t tcr = env->cp15.tcr_el[arm_current_el(env)];
    bool upper = extract64(pc, 55, 1);
    unsigned bits = 64 - extract64(tcr, upper ? 16 : 0, 6);

    return upper ? pc | ~MAKE_64BIT_MASK(0, bits) : extract64(pc, 0, bits);
}

/* Two words of the stack, if it is in memory: a register has side effects. */
static bool read_frame(CPUState *cpu, uint64_t fp, uint64_t frame[2])
{
    uint64_t page = fp & -(uint64_t)qemu_target_page_size();
    MemTxAttrs attrs;
    hwaddr pa = cpu_get_phys_page_attrs_debug(cpu, page, &attrs);

    attrs.memory = true;
    if (fp & 15 || pa == (hwaddr)-1 ||
        address_space_read(cpu_get_address_space(cpu,
                                                 cpu_asidx_from_attrs(cpu, attrs)),
                           pa + (fp - page), attrs, frame,
                           2 * sizeof(*frame)) != MEMTX_OK) {
        return false;
    }
    frame[0] = le64_to_cpu(frame[0]);
    frame[1] = le64_to_cpu(frame[1]);
    return true;
}

/* By the frame records of the procedure call standard, from x29 on. */
static void find_callers(CPUState *cpu, Smmu3Writer *writer)
{
    CPUARMState *env = cpu_env(cpu);
    uint64_t frame[2];
    uint64_t fp;

    if (!is_a64(env) || arm_current_el(env) == 0) {
        return;
    }
    for (fp = env->xregs[29]; fp && writer->callers < SMMU3_WRITER_CALLERS;
         fp = frame[0]) {
        if (!read_frame(cpu, fp, frame) || !frame[1]) {
            return;
        }
        writer->caller[writer->callers++] = without_signature(env, frame[1]);
    }
}

/*
 * The PC of the store that is being executed. In the middle of a translation
 * block a vCPU's own PC is that of an earlier instruction, and must stay so; what
 * it would be restored to is read instead: the PC, or its offset in the page. Where
 * TCG does not execute it, what QEMU has of its registers is old: nobody is named.
 */
void smmuv3_sva_audit_writer(void *host, Smmu3Writer *writer)
{
    CPUState *cpu = current_cpu;
    uint64_t unwound[8];        /* of which Arm has three */
    uint64_t pc;

    if (!tcg_enabled() || !cpu || !cpu->cc->get_pc) {
        return;
    }
    pc = cpu->cc->get_pc(cpu);
    if (cpu->mem_io_pc &&
        cpu_unwind_state_data(cpu, cpu->mem_io_pc, unwound)) {
        uint64_t in_page = qemu_target_page_size() - 1;

        pc = unwound[0] > in_page ? unwound[0] : (pc & ~in_page) | unwound[0];
    }
    *writer = (Smmu3Writer) { .known = true, .cpu = cpu->cpu_index, .pc = pc };
    find_callers(cpu, writer);
}
