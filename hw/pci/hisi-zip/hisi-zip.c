/*
 * HiSilicon ZIP: the PCI function that Linux's hisi_zip driver knows, from
 * 6.1 on: a queue manager (hisi-qm*.c) in front of a compression engine
 * (hisi-zip-engine.c). docs/specs/hisi-zip.rst says what is modelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"
#include "hw/pci/sva-compat.h"
#include "hw/pci/sva/capability.h"
#include "hisi-qm-regs.h"
#include "hisi-zip.h"
#include "hisi-zip-abi.h"

#define HISI_ZIP_VENDOR_ID      0x19e5
#define HISI_ZIP_DEVICE_ID      0xa250
#define HISI_ZIP_CLASS          0x1200  /* processing accelerator */
#define HISI_ZIP_PCIE_CAP       0x40
#define HISI_ZIP_MSI_CAP        0x80

/* Engine registers */
#define ZIP_CORE_INT_STATUS     0x3010ac
#define ZIP_CORE_INT_SOURCE     0x3010a0
#define ZIP_ECC_INFO            0x301148
#define ZIP_CORES               0x302000    /* counters, to the end */

enum { DEFAULT_QUEUES_V3 = 64, QUEUES_V2 = 1024 };

/* ---- Capabilities of V3 ------------------------------------------------ */

#define CAP_STOP_QUEUE          (1u << 9)
#define CAP_FLUSH               (1u << 10)
#define CAP_DRV_ALG_DEFLATE     0x30

/*
 * What hardware of this version says, but for the features: those not listed
 * in docs/ are off. The version is not 0, which would turn on them all.
 */
static const struct {
    uint16_t offset;
    uint32_t value;
} v3_caps[] = {
    { 0x3100, 0x00000001 },     /* version 1, no features */
    { 0x3104, 0x04000800 },     /* AEQ, EQ depth */
    { 0x3108, 0x04000400 },     /* CQ, SQ depth */
    { 0x310c, 0x00010000 },     /* EQ: vector 0 */
    { 0x3110, 0x00010001 },     /* AEQ: vector 1 */
    { 0x3114, 0x00010003 },     /* errors: vector 3 */
    { 0x3118, 0x00000000 },     /* PF to VF: none */
    { 0x311c, 0x00040003 },     /* vectors of a PF, a VF */
    { 0x3120, 0x00000014 },
    { 0x3124, 0x00007c77 },     /* QM errors: reset, not fatal, correctable */
    { 0x3128, 0x00006c77 },
    { 0x312c, 0x00000008 },
    { 0x3130, 0x00001ffe },     /* ZIP errors */
    { 0x3134, 0x000007fe },
    { 0x3138, 0x00000001 },
    { 0x313c, 0x12050203 },     /* 5 cores: 2 compress, 3 decompress */
    { 0x3140, 0x001c0003 },     /* which */
    { 0x3144, 0x00000000 },     /* algorithms for the kernel */
    { 0x3148, 0x0000003f },     /* algorithms: zlib, gzip, deflate */
    { 0x314c, 0x000000d5 },     /* of each core */
    { 0x3150, 0x000000d5 },
    { 0x3154, 0x0000002a },
    { 0x3158, 0x0000002a },
    { 0x315c, 0x0000002a },
};

static void set_capabilities(HisiZip *zip)
{
    HisiQm *qm = &zip->qm;

    if (zip->version < 3) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(v3_caps); i++) {
        hisi_qm_set_reg(qm, v3_caps[i].offset, v3_caps[i].value);
    }
    hisi_qm_set_reg(qm, 0x3100, v3_caps[0].value |
                    (zip->stop_queue ? CAP_STOP_QUEUE : 0) |
                    (zip->flush ? CAP_FLUSH : 0));
    hisi_qm_set_reg(qm, 0x3144, zip->kernel_crypto ? CAP_DRV_ALG_DEFLATE : 0);
}

/* ---- Between queue manager and engine ---------------------------------- */

static HisiZip *zip_of(HisiQm *qm)
{
    return container_of(qm, HisiZip, qm);
}

static void zip_kick(HisiQm *qm, unsigned qn)
{
    hisi_zip_engine_kick(zip_of(qm), qn);
}

static void zip_abandon(HisiQm *qm, unsigned qn)
{
    hisi_zip_engine_abandon(zip_of(qm), qn);
}

static void zip_call_for_events(HisiQm *qm)
{
    sva_worker_schedule(&zip_of(qm)->worker);
}

static bool zip_reg_is_read_only(HisiQm *qm, hwaddr offset)
{
    return offset == ZIP_CORE_INT_STATUS || offset == ZIP_CORE_INT_SOURCE ||
           offset == ZIP_ECC_INFO || offset >= ZIP_CORES;
}

static const HisiQmOps zip_ops = {
    .sqe_bytes = HISI_ZIP_SQE_BYTES,
    .kick = zip_kick,
    .abandon = zip_abandon,
    .call_for_events = zip_call_for_events,
    .reg_is_read_only = zip_reg_is_read_only,
};

/* ---- The PCI function -------------------------------------------------- */

static void zip_write_config(PCIDevice *pdev, uint32_t addr, uint32_t value,
                             int len)
{
    SvaWorker *worker = &HISI_ZIP(pdev)->worker;

    sva_worker_enter(worker);
    pci_default_write_config(pdev, addr, value, len);
    sva_requester_config_written(&HISI_ZIP(pdev)->requester);
    pcie_cap_flr_write_config(pdev, addr, value, len);
    sva_worker_leave(worker);
}

static bool check_properties(HisiZip *zip, Error **errp)
{
    if (zip->version != 2 && zip->version != 3) {
        error_setg(errp, "version=%u: the versions are 2 and 3",
                   zip->version);
        return false;
    }
    if (zip->version == 2) {
        if (zip->queues && zip->queues != QUEUES_V2) {
            error_setg(errp, "queues=%u: version 2 always has %u",
                       zip->queues, QUEUES_V2);
            return false;
        }
        if (zip->kernel_crypto || zip->stop_queue || zip->flush) {
            error_setg(errp, "kernel-crypto, stop-queue and flush need "
                       "version=3");
            return false;
        }
        zip->queues = QUEUES_V2;
        return true;
    }
    if (!zip->queues) {
        zip->queues = DEFAULT_QUEUES_V3;
    }
    if (zip->queues < 2 || zip->queues > HISI_QM_MAX_QUEUES) {
        error_setg(errp, "queues=%u: 2 to %u are possible", zip->queues,
                   HISI_QM_MAX_QUEUES);
        return false;
    }
    return true;
}

/* Power management behind the two that have their places. */
static bool zip_add_capabilities(PCIDevice *pdev, Error **errp)
{
    if (pcie_endpoint_cap_init(pdev, HISI_ZIP_PCIE_CAP) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return false;
    }
    sva_link_init(pdev);
    pcie_cap_flr_init(pdev);
    if (msi_init(pdev, HISI_ZIP_MSI_CAP, QM_VECTORS, true, true, errp) < 0) {
        pcie_cap_exit(pdev);
        return false;
    }
    if (!sva_pm_cap_init(pdev, errp)) {
        msi_uninit(pdev);
        pcie_cap_exit(pdev);
        return false;
    }
    return true;
}

/* Not the PASID capability first, which vfio hides from a virtual machine. */
static void zip_add_extended(HisiZip *zip)
{
    PCIDevice *pdev = PCI_DEVICE(zip);
    uint16_t pasid_cap;

    sva_serial_cap_init(pdev, sva_ext_cap_next(pdev));
    if (sva_has_siblings(pdev)) {
        sva_acs_cap_init(pdev, sva_ext_cap_next(pdev));
    }
    pasid_cap = sva_ext_cap_next(pdev);
    sva_pasid_cap_init(pdev, pasid_cap, zip->pasid_bits, false, false);
    sva_requester_init(&zip->requester, pdev, pasid_cap, true);
    sva_requester_add_ats(&zip->requester, &zip->ats);
}

static void zip_realize(PCIDevice *pdev, Error **errp)
{
    HisiZip *zip = HISI_ZIP(pdev);
    HisiQm *qm = &zip->qm;

    if (!check_properties(zip, errp)) {
        return;
    }
    /* A queue's context has 16 bits for it. */
    if (zip->pasid_bits < 1 || zip->pasid_bits > 16) {
        error_setg(errp, "pasid-bits=%u: 1 to 16 are possible",
                   zip->pasid_bits);
        return;
    }
    if (zip->level < 1 || zip->level > 9) {
        error_setg(errp, "level=%u: 1 to 9 are possible", zip->level);
        return;
    }
    if (!sva_requester_check_options(&zip->ats, errp)) {
        return;
    }
    if (!pci_bus_is_express(pci_get_bus(pdev))) {
        error_setg(errp, "a PCI Express bus is needed, for the PASID "
                   "capability");
        return;
    }

    pdev->config[PCI_REVISION_ID] = zip->version == 2 ? 0x21 : 0x30;
    if (!zip_add_capabilities(pdev, errp)) {
        return;
    }
    zip_add_extended(zip);

    qm->version = zip->version;
    qm->queues = zip->queues;
    qm->pasid_bits = zip->pasid_bits;
    hisi_qm_realize(qm, pdev, &zip_ops);
    hisi_zip_engine_init(zip);
}

static void zip_exit(PCIDevice *pdev)
{
    HisiZip *zip = HISI_ZIP(pdev);

    sva_worker_enter(&zip->worker);
    hisi_qm_exit(&zip->qm);
    hisi_zip_engine_fini(zip);
    sva_worker_leave(&zip->worker);
    sva_requester_fini(&zip->requester);
    pcie_cap_exit(pdev);
    msi_uninit(pdev);
}

static void reset_state(HisiZip *zip)
{
    hisi_qm_reset(&zip->qm);
    set_capabilities(zip);
}

static void zip_reset_hold(Object *obj, ResetType type)
{
    HisiZip *zip = HISI_ZIP(obj);

    sva_worker_enter(&zip->worker);
    reset_state(zip);
    sva_requester_reset(&zip->requester);
    sva_worker_leave(&zip->worker);
}

/*
 * A snapshot may come while jobs are in work here. One that is refused then
 * leaves a device after a reset, in a machine that can go on.
 */
static int zip_pre_load(void *opaque)
{
    HisiZip *zip = opaque;

    sva_worker_enter(&zip->worker);
    reset_state(zip);
    sva_worker_leave(&zip->worker);
    return 0;
}

/* What was in work there starts again. */
static int zip_post_load(void *opaque, int version_id)
{
    HisiZip *zip = opaque;

    sva_worker_enter(&zip->worker);
    sva_requester_loaded(&zip->requester);
    hisi_qm_resume(&zip->qm);
    sva_worker_leave(&zip->worker);
    return 0;
}

static bool zip_has_pri(void *opaque)
{
    HisiZip *zip = opaque;

    return sva_requester_has_pri(&zip->requester);
}

static const VMStateDescription vmstate_hisi_zip_pri = {
    .name = "hisi-zip/pri",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = zip_has_pri,
    .fields = (const VMStateField[]) {
        VMSTATE_SVA_REQUESTER_PRI(requester, HisiZip),
        VMSTATE_END_OF_LIST()
    }
};

/*
 * In version 1 the PASID capability was before all others, version 2 had no power
 * management; QEMU says so and refuses.
 */
static const VMStateDescription vmstate_hisi_zip = {
    .name = "hisi-zip",
    .version_id = 3,
    .minimum_version_id = 3,
    .pre_load = zip_pre_load,
    .post_load = zip_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, HisiZip),
        VMSTATE_UINT32_EQUAL(version, HisiZip, "version differs"),
        VMSTATE_STRUCT(qm, HisiZip, 1, vmstate_hisi_qm, HisiQm),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_hisi_zip_pri,
        NULL
    }
};

static const Property zip_properties[] = {
    DEFINE_PROP_UINT32("version", HisiZip, version, 3),
    DEFINE_PROP_UINT32("queues", HisiZip, queues, 0),
    DEFINE_PROP_UINT32("pasid-bits", HisiZip, pasid_bits, 16),
    DEFINE_PROP_UINT32("level", HisiZip, level, 1),
    DEFINE_PROP_BOOL("kernel-crypto", HisiZip, kernel_crypto, false),
    DEFINE_PROP_BOOL("stop-queue", HisiZip, stop_queue, false),
    DEFINE_PROP_BOOL("flush", HisiZip, flush, false),
    DEFINE_SVA_ATS_PROPERTIES(HisiZip, ats, false),
    DEFINE_PROP_LINK("iothread", HisiZip, iothread, TYPE_IOTHREAD, IOThread *),
};

static void zip_class_init(ObjectClass *oc, SvaClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);

    dc->desc = "HiSilicon ZIP accelerator, shares address spaces (SVA)";
    dc->vmsd = &vmstate_hisi_zip;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, zip_properties);
    sva_requester_describe_properties(oc);
    rc->phases.hold = zip_reset_hold;
    pc->realize = zip_realize;
    pc->exit = zip_exit;
    pc->config_write = zip_write_config;
    pc->vendor_id = HISI_ZIP_VENDOR_ID;
    pc->device_id = HISI_ZIP_DEVICE_ID;
    pc->class_id = HISI_ZIP_CLASS;
}

static const TypeInfo zip_types[] = {
    {
        .name = TYPE_HISI_ZIP,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(HisiZip),
        .class_init = zip_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { },
        },
    },
};

DEFINE_TYPES(zip_types)
