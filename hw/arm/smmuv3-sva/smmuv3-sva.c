/*
 * The SMMU as a QEMU device: registers, reset, its life and its type. The rest
 * of the device is next door: smmuv3-sva-host.c, -properties.c, -monitor.c,
 * -migration.c, -pci.c; the architecture is in core/. Instantiated by the
 * virt-sva machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "smmuv3-sva.h"
#include "trace.h"

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
    if (!smmuv3_sva_wanted_features(s, &features, errp) ||
        !check_capacity("tlb-entries", s->tlb_entries, errp) ||
        !check_capacity("config-entries", s->config_entries, errp) ||
        !smmuv3_sva_audit_options(s, &options, errp)) {
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

    s->core = smmuv3_sva_core_new(s, &features, &options);
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
}

/* ---- Type ------------------------------------------------------------- */

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

    /* Of the questions that are plugged to ask it */
    HOTPLUG_HANDLER_CLASS(oc)->unplug = qdev_simple_device_unplug_cb;

    smmuv3_sva_add_properties(oc);
    smmuv3_sva_add_audit_properties(oc);
    smmuv3_sva_add_inject_properties(oc);
    smmuv3_sva_add_monitor_properties(oc);
}

static const TypeInfo smmuv3_sva_types[] = {
    {
        .name = TYPE_SMMUV3_SVA,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(Smmuv3SvaState),
        .instance_init = smmuv3_sva_init,
        .instance_finalize = smmuv3_sva_finalize,
        .class_init = smmuv3_sva_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_HOTPLUG_HANDLER }, { } },
    },
};

DEFINE_TYPES(smmuv3_sva_types)
