/*
 * The SMMU's state in a migration stream: its registers and the stalls that
 * await software. Not its caches, which start empty. Used by smmuv3-sva.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"
#include "smmuv3-sva.h"

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

/*
 * Only stalls that software has a record of: there are no more of them than
 * STAGs. The others come again.
 */
static int smmuv3_sva_pre_save(void *opaque)
{
    Smmuv3SvaState *s = opaque;
    g_autoptr(GArray) stalls = smmu3_save_stalls(s->core);

    forget_saved(s);
    read_id_registers(s, s->saved.id);
    s->saved.regs = *smmu3_regs(s->core);
    s->saved.stalls = g_new(Smmu3SavedStall, stalls->len);
    for (unsigned i = 0; i < stalls->len; i++) {
        Smmu3SavedStall *stall = &g_array_index(stalls, Smmu3SavedStall, i);

        if (stall->recorded) {
            s->saved.stalls[s->saved.stall_count++] = *stall;
        }
    }
    return 0;
}

/* So many as there can be: an array of them is allocated next. */
static bool stall_count_is_possible(void *opaque, int version)
{
    Smmuv3SvaState *s = opaque;

    return s->saved.stall_count >= 0 &&
           s->saved.stall_count <= smmu3_features(s->core)->stall_max;
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

const VMStateDescription vmstate_smmuv3_sva = {
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
        VMSTATE_VALIDATE("number of stalls", stall_count_is_possible),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved.stalls, Smmuv3SvaState,
                                    saved.stall_count, 1, vmstate_stall,
                                    Smmu3SavedStall),
        VMSTATE_END_OF_LIST()
    },
};

#undef REG32
#undef REG64
#undef REG_STRUCT
