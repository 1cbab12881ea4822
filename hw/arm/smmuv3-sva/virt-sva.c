/*
 * The machine virt-sva: QEMU's virt with this project's SMMU in front of its
 * PCI bus, described in the device tree and, through virt's own code, in the
 * IORT. Not the SMMU. Says at start whether Linux will share process address
 * spaces on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "qapi/qapi-visit-common.h"
#include "hw/arm/virt.h"
#include "hw/arm/fdt.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/sva-port.h"
#include "migration/vmstate.h"
#include "system/device_tree.h"
#include "system/qtest.h"
#include "system/system.h"
#include "target/arm/cpu.h"
#include "target/arm/cpu-features.h"
#include "target/arm/internals.h"
#include "hw/arm/smmuv3-sva/sva-config.h"
#include "questions/question.h"
#include "virt-sva-acpi.h"
#include "virt-sva-timers.h"
#include "virt-sva-verdict.h"

#define TYPE_VIRT_SVA_MACHINE MACHINE_TYPE_NAME("virt-sva")
typedef struct VirtSvaState VirtSvaState;
typedef struct VirtSvaClass VirtSvaClass;
DECLARE_OBJ_CHECKERS(VirtSvaState, VirtSvaClass, VIRT_SVA_MACHINE,
                     TYPE_VIRT_SVA_MACHINE)

struct VirtSvaState {
    VirtMachineState parent_obj;

    Smmuv3SvaState *smmu;
    Notifier done;
    char *smmu_profile;
    OnOffAuto verdict;
};

struct VirtSvaClass {
    VirtMachineClass parent_class;

    void (*parent_init)(MachineState *machine);
    HotplugHandler *(*parent_handler)(MachineState *machine, DeviceState *dev);
};

/* ---- Device tree ------------------------------------------------------ */

static void describe_smmu(VirtSvaState *m)
{
    VirtMachineState *vms = VIRT_MACHINE(m);
    void *fdt = MACHINE(m)->fdt;
    hwaddr base = vms->memmap[VIRT_SMMU].base;
    int irq = vms->irqmap[VIRT_SMMU];
    const Smmu3Features *features = smmu3_features(m->smmu->core);
    g_autofree char *node = g_strdup_printf("/smmuv3@%" PRIx64, base);
    static const char irq_names[] = "eventq\0priq\0cmdq-sync\0gerror";

    vms->iommu_phandle = qemu_fdt_alloc_phandle(fdt);
    qemu_fdt_add_subnode(fdt, node);
    qemu_fdt_setprop_string(fdt, node, "compatible", "arm,smmu-v3");
    qemu_fdt_setprop_sized_cells(fdt, node, "reg", 2, base,
                                 2, (hwaddr)SMMU3_MMIO_BYTES);
    qemu_fdt_setprop_cells(fdt, node, "interrupts",
        GIC_FDT_IRQ_TYPE_SPI, irq + 0, GIC_FDT_IRQ_FLAGS_EDGE_LO_HI,
        GIC_FDT_IRQ_TYPE_SPI, irq + 1, GIC_FDT_IRQ_FLAGS_EDGE_LO_HI,
        GIC_FDT_IRQ_TYPE_SPI, irq + 2, GIC_FDT_IRQ_FLAGS_EDGE_LO_HI,
        GIC_FDT_IRQ_TYPE_SPI, irq + 3, GIC_FDT_IRQ_FLAGS_EDGE_LO_HI);
    qemu_fdt_setprop(fdt, node, "interrupt-names", irq_names,
                     sizeof(irq_names));
    if (features->cohacc) {
        qemu_fdt_setprop(fdt, node, "dma-coherent", NULL, 0);
    }
    qemu_fdt_setprop_cell(fdt, node, "#iommu-cells", 1);
    qemu_fdt_setprop_cell(fdt, node, "phandle", vms->iommu_phandle);

    if (!vms->default_bus_bypass_iommu) {
        qemu_fdt_setprop_cells(fdt, vms->pciehb_nodename, "iommu-map",
                               0x0, vms->iommu_phandle, 0x0, 0x10000);
        if (features->ats) {
            qemu_fdt_setprop(fdt, vms->pciehb_nodename, "ats-supported",
                             NULL, 0);
        }
    }
}

/* One bus that is being described: its node and the tree it belongs to. */
typedef struct BusNode {
    void *fdt;
    const char *path;
} BusNode;

static void describe_function(PCIBus *bus, PCIDevice *dev, void *opaque);

static void find_endpoint(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    bool *found = opaque;

    if (object_dynamic_cast(OBJECT(dev), TYPE_SVA_ENDPOINT)) {
        *found = true;
    } else if (object_dynamic_cast(OBJECT(dev), TYPE_PCI_BRIDGE)) {
        pci_for_each_device_under_bus(pci_bridge_get_sec_bus(PCI_BRIDGE(dev)),
                                      find_endpoint, found);
    }
}

/*
 * Linux finds the node of a function by the devfn in "reg", below the node of
 * its bridge: the bus number in it, which software gives, is not looked at.
 */
static char *add_function_node(const BusNode *parent, const char *kind,
                               PCIDevice *dev)
{
    char *node = g_strdup_printf("%s/%s@%x,%x", parent->path, kind,
                                 PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));

    qemu_fdt_add_subnode(parent->fdt, node);
    qemu_fdt_setprop_cells(parent->fdt, node, "reg",
                           dev->devfn << 8, 0, 0, 0, 0);
    return node;
}

static void describe_endpoint(const BusNode *parent, PCIDevice *dev)
{
    SvaEndpoint *endpoint = SVA_ENDPOINT(dev);
    SvaEndpointClass *sec =
        SVA_ENDPOINT_CLASS(object_get_class(OBJECT(dev)));
    g_autofree char *node = add_function_node(parent, "accel", dev);
    unsigned pasid_bits = sec->pasid_bits(endpoint);

    if (sec->can_stall(endpoint)) {
        qemu_fdt_setprop(parent->fdt, node, "dma-can-stall", NULL, 0);
    }
    if (pasid_bits) {
        qemu_fdt_setprop_cell(parent->fdt, node, "pasid-num-bits",
                              pasid_bits);
    }
}

static void describe_bridge(const BusNode *parent, PCIDevice *dev)
{
    g_autofree char *node = add_function_node(parent, "pci", dev);
    BusNode below = { .fdt = parent->fdt, .path = node };

    qemu_fdt_setprop_string(parent->fdt, node, "device_type", "pci");
    qemu_fdt_setprop_cell(parent->fdt, node, "#address-cells", 3);
    qemu_fdt_setprop_cell(parent->fdt, node, "#size-cells", 2);
    qemu_fdt_setprop(parent->fdt, node, "ranges", NULL, 0);
    pci_for_each_device_under_bus(pci_bridge_get_sec_bus(PCI_BRIDGE(dev)),
                                  describe_function, &below);
}

/* Endpoints and the bridges that lead to one get a node, others do not. */
static void describe_function(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    const BusNode *parent = opaque;
    bool found = false;

    find_endpoint(bus, dev, &found);
    if (!found) {
        return;
    }
    if (object_dynamic_cast(OBJECT(dev), TYPE_SVA_ENDPOINT)) {
        describe_endpoint(parent, dev);
    } else {
        describe_bridge(parent, dev);
    }
}

/* ---- The verdict ------------------------------------------------------ */

static void find_stalling(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    bool *found = opaque;
    SvaEndpoint *endpoint = (SvaEndpoint *)
        object_dynamic_cast(OBJECT(dev), TYPE_SVA_ENDPOINT);

    if (endpoint &&
        SVA_ENDPOINT_CLASS(object_get_class(OBJECT(dev)))->can_stall(endpoint)) {
        *found = true;
    }
}

static void find_stalling_on_bus(PCIBus *bus, void *opaque)
{
    pci_for_each_device_under_bus(bus, find_stalling, opaque);
}

static VirtSvaFacts gather_facts(VirtSvaState *m)
{
    VirtMachineState *vms = VIRT_MACHINE(m);
    ARMCPU *cpu = ARM_CPU(first_cpu);
    VirtSvaFacts facts = {
        .smmu = *smmu3_features(m->smmu->core),
        .cpu_aarch64 = arm_feature(&cpu->env, ARM_FEATURE_AARCH64),
        .bypassed = vms->default_bus_bypass_iommu,
        .acpi = vms->bootinfo.firmware_loaded && virt_is_acpi_enabled(vms),
    };

    pci_for_each_bus(vms->bus, find_stalling_on_bus, &facts.stalls_by_fdt);
    facts.cpu_pa_bits = arm_pamax(cpu);
    if (facts.cpu_aarch64) {
        facts.cpu_va52_4k = cpu_isar_feature(aa64_tgran4_lpa2, cpu);
        facts.cpu_va52_64k = cpu_isar_feature(aa64_lva, cpu);
    }
    return facts;
}

/* Quiet when all is well, unless asked for. */
static void tell_verdict(VirtSvaState *m)
{
    VirtSvaFacts facts = gather_facts(m);
    g_autofree char *refusal = virt_sva_refusal(&facts);
    g_autofree char *loss = virt_sva_loss(&facts);
    g_autofree char *remarks = virt_sva_remarks(&facts);

    if (refusal) {
        warn_report("virt-sva: Linux will not share process address spaces: "
                    "%s", refusal);
        return;
    }
    if (loss) {
        warn_report("virt-sva: %s", loss);
    }
    if (m->verdict == ON_OFF_AUTO_ON) {
        info_report("virt-sva: Linux can share process address spaces with "
                    "devices%s%s", *remarks ? "; " : "", remarks);
    }
}

/* ---- Life ------------------------------------------------------------- */

/*
 * The device tree with every -device present, just before it becomes what the
 * guest gets. One that the user gave says itself what there is.
 */
static void complete_fdt(const struct arm_boot_info *info, void *fdt)
{
    VirtMachineState *vms = container_of(info, VirtMachineState, bootinfo);
    BusNode root = { .fdt = fdt, .path = vms->pciehb_nodename };

    if (!info->dtb_filename && !vms->default_bus_bypass_iommu) {
        pci_for_each_device_under_bus(vms->bus, describe_function, &root);
    }
}

static void machine_done(Notifier *notifier, void *data)
{
    VirtSvaState *m = container_of(notifier, VirtSvaState, done);

    if (m->verdict != ON_OFF_AUTO_OFF && !qtest_enabled()) {
        tell_verdict(m);
    }
}

static void create_smmu(VirtSvaState *m)
{
    VirtMachineState *vms = VIRT_MACHINE(m);
    DeviceState *dev = qdev_new(TYPE_SMMUV3_SVA);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);
    ARMCPU *cpu = ARM_CPU(first_cpu);

    m->smmu = SMMUV3_SVA(dev);
    object_property_add_child(OBJECT(m), "smmu", OBJECT(dev));
    object_property_set_link(OBJECT(dev), "primary-bus", OBJECT(vms->bus),
                             &error_abort);
    if (m->smmu_profile) {
        object_property_set_str(OBJECT(dev), "profile", m->smmu_profile,
                                &error_fatal);
    }
    /* A profile describes a product, with its address size. */
    if (!smmuv3_sva_oas_given(m->smmu) &&
        (!m->smmu->profile || !strcmp(m->smmu->profile, "linux-sva"))) {
        object_property_set_uint(OBJECT(dev), "oas",
                                 virt_sva_oas_for(arm_pamax(cpu)),
                                 &error_abort);
    }
    sysbus_realize_and_unref(sbd, &error_fatal);
    sysbus_mmio_map(sbd, 0, vms->memmap[VIRT_SMMU].base);
    for (unsigned i = 0; i < SMMU3_IRQ_COUNT; i++) {
        sysbus_connect_irq(sbd, i, qdev_get_gpio_in(vms->gic,
                                                    vms->irqmap[VIRT_SMMU] +
                                                    i));
    }
}

static void virt_sva_init(MachineState *machine)
{
    VirtSvaState *m = VIRT_SVA_MACHINE(machine);
    VirtMachineState *vms = VIRT_MACHINE(machine);

    if (vms->iommu != VIRT_IOMMU_NONE) {
        error_report("virt-sva: the machine has its own SMMU");
        error_printf("Leave out iommu=..., or use -M virt for QEMU's own "
                     "IOMMUs.\n");
        exit(1);
    }
    VIRT_SVA_MACHINE_GET_CLASS(m)->parent_init(machine);
    virt_sva_keep_el2_timers();
    create_smmu(m);
    describe_smmu(m);

    vms->bootinfo.modify_dtb = complete_fdt;

    /*
     * virt's init would make QEMU's own SMMU of it. From here on it makes
     * virt's code describe one in the IORT, and refuse a second IOMMU.
     */
    vms->iommu = VIRT_IOMMU_SMMUV3;
#ifdef SVA_HAVE_LEGACY_SMMUV3_PRESENT
    vms->legacy_smmuv3_present = true;
#endif
    virt_sva_acpi_amend(smmu3_features(m->smmu->core),
                        vms->memmap[VIRT_SMMU].base);
    m->done.notify = machine_done;
    qemu_add_machine_init_done_notifier(&m->done);
}

static char *get_smmu_profile(Object *obj, Error **errp)
{
    return g_strdup(VIRT_SVA_MACHINE(obj)->smmu_profile ?: "");
}

static void set_smmu_profile(Object *obj, const char *value, Error **errp)
{
    VirtSvaState *m = VIRT_SVA_MACHINE(obj);

    g_free(m->smmu_profile);
    m->smmu_profile = g_strdup(value);
}

static void get_verdict(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    visit_type_OnOffAuto(v, name, &VIRT_SVA_MACHINE(obj)->verdict, errp);
}

static void set_verdict(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    visit_type_OnOffAuto(v, name, &VIRT_SVA_MACHINE(obj)->verdict, errp);
}

static void virt_sva_instance_init(Object *obj)
{
    VirtMachineState *vms = VIRT_MACHINE(obj);

    /* Only GICv3 has an ITS under TCG. */
    vms->gic_version = VIRT_GIC_VERSION_3;
    VIRT_SVA_MACHINE(obj)->verdict = ON_OFF_AUTO_AUTO;
}

static void virt_sva_instance_finalize(Object *obj)
{
    g_free(VIRT_SVA_MACHINE(obj)->smmu_profile);
}

/* Questions have no bus that would plug and unplug them. */
static HotplugHandler *virt_sva_hotplug_handler(MachineState *machine,
                                                DeviceState *dev)
{
    VirtSvaState *m = VIRT_SVA_MACHINE(machine);
    HotplugHandler *ours = smmuv3_sva_question_handler(m->smmu, dev);

    return ours ?:
           VIRT_SVA_MACHINE_GET_CLASS(m)->parent_handler(machine, dev);
}

/* Each machine class starts with an empty list: the parent's are lost. */
static void inherit_compat_props(MachineClass *mc, ObjectClass *oc)
{
    MachineClass *parent = MACHINE_CLASS(object_class_get_parent(oc));

    for (guint i = 0; i < parent->compat_props->len; i++) {
        g_ptr_array_add(mc->compat_props, parent->compat_props->pdata[i]);
    }
}

static void virt_sva_class_init(ObjectClass *oc, SvaClassData *data)
{
    /* Distributions keep option ROMs apart; this machine needs none. */
    static GlobalProperty no_roms[] = {
        { TYPE_PCI_DEVICE, "romfile", "" },
    };
    MachineClass *mc = MACHINE_CLASS(oc);
    VirtSvaClass *vsc = VIRT_SVA_MACHINE_CLASS(oc);

    mc->desc = "QEMU Virtual Machine with an SMMUv3 for shared virtual "
               "addressing (based on " SVA_VIRT_LATEST ")";
    mc->alias = NULL;               /* inherited: it is the parent's */
    mc->default_cpu_type = ARM_CPU_TYPE_NAME("max");
#ifdef SVA_HAVE_DEFAULT_CPU_HOOK
    mc->get_default_cpu_type = NULL; /* it would come first */
#endif
    inherit_compat_props(mc, oc);
    compat_props_add(mc->compat_props, no_roms, G_N_ELEMENTS(no_roms));
    vsc->parent_init = mc->init;
    mc->init = virt_sva_init;
    vsc->parent_handler = mc->get_hotplug_handler;
    mc->get_hotplug_handler = virt_sva_hotplug_handler;

    object_class_property_add_str(oc, "smmu-profile", get_smmu_profile,
                                  set_smmu_profile);
    object_class_property_set_description(oc, "smmu-profile",
        "Named set of the SMMU's ID fields (-device smmuv3-sva,help)");
    object_class_property_add(oc, "verdict", "OnOffAuto", get_verdict,
                              set_verdict, NULL, NULL);
    object_class_property_set_description(oc, "verdict",
        "Say at start whether Linux will accept SVA (auto: only if not)");
}

static const TypeInfo virt_sva_types[] = {
    {
        .name = TYPE_VIRT_SVA_MACHINE,
        .parent = MACHINE_TYPE_NAME(SVA_VIRT_LATEST),
        .instance_size = sizeof(VirtSvaState),
        .instance_init = virt_sva_instance_init,
        .instance_finalize = virt_sva_instance_finalize,
        .class_size = sizeof(VirtSvaClass),
        .class_init = virt_sva_class_init,
    },
};

DEFINE_TYPES(virt_sva_types)
