/*
 * What of pasid-dev is in a migration stream. Judges nothing itself: whether a
 * queue can be as it came is pasid-dev-queue.c's to say, a job engine.c's.
 * Called by QEMU's migration and snapshots.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "migration/vmstate.h"
#include "pasid-dev.h"

/*
 * A stalled access is not in the stream: the job makes it again as soon as the
 * machine runs, as hardware may that never got an answer.
 */
static const VMStateDescription vmstate_pasid_dev_job = {
    .name = "pasid-dev/place",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(channel.count.stalls, PasidDevJob),
        VMSTATE_UINT64(channel.count.aborts, PasidDevJob),
        VMSTATE_UINT16(index, PasidDevJob),
        VMSTATE_UINT8(phase, PasidDevJob),
        VMSTATE_UINT64(fetched, PasidDevJob),
        VMSTATE_BUFFER_UNSAFE(raw, PasidDevJob, 0, sizeof(PasidDevDescriptor)),
        VMSTATE_STRUCT(work, PasidDevJob, 1, vmstate_engine_job, EngineJob),
        VMSTATE_STRUCT(member, PasidDevJob, 1, vmstate_engine_job, EngineJob),
        VMSTATE_END_OF_LIST()
    }
};

static int pasid_dev_queue_post_load(void *opaque, int version_id)
{
    return pasid_dev_queue_loaded(opaque) ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_pasid_dev_queue = {
    .name = "pasid-dev/queue",
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = pasid_dev_queue_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(pasid, PasidDevQueue),
        VMSTATE_UINT32(flags, PasidDevQueue),
        VMSTATE_UINT64(ring, PasidDevQueue),
        VMSTATE_UINT64(completions, PasidDevQueue),
        VMSTATE_UINT32(size_log2, PasidDevQueue),
        VMSTATE_UINT32(ctrl, PasidDevQueue),
        VMSTATE_UINT32(error, PasidDevQueue),
        VMSTATE_UINT64(fault_addr, PasidDevQueue),
        VMSTATE_UINT16(head, PasidDevQueue),
        VMSTATE_UINT16(tail, PasidDevQueue),
        VMSTATE_UINT64(count_jobs, PasidDevQueue),
        VMSTATE_UINT16(taken, PasidDevQueue),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(jobs, PasidDevQueue, num_jobs,
                                             vmstate_pasid_dev_job,
                                             PasidDevJob),
        VMSTATE_END_OF_LIST()
    }
};

static int pasid_dev_pre_load(void *opaque)
{
    PasidDev *s = opaque;

    /* loadvm may come while jobs are in work here. */
    sva_worker_enter(&s->worker);
    pasid_dev_queues_reset(s);
    sva_worker_leave(&s->worker);
    return 0;
}

static int pasid_dev_post_load(void *opaque, int version_id)
{
    PasidDev *s = opaque;

    sva_requester_loaded(&s->requester);
    return pasid_dev_queues_loaded(s) ? 0 : -EINVAL;
}

static bool pasid_dev_has_pri(void *opaque)
{
    PasidDev *s = opaque;

    return sva_requester_has_pri(&s->requester);
}

static const VMStateDescription vmstate_pasid_dev_pri = {
    .name = "pasid-dev/pri",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = pasid_dev_has_pri,
    .fields = (const VMStateField[]) {
        VMSTATE_SVA_REQUESTER_PRI(requester, PasidDev),
        VMSTATE_END_OF_LIST()
    }
};

/* What either kind of function has. */
static const VMStateField function_fields[] = {
    /* Before what differs with them, which has no words for it. */
    VMSTATE_UINT32_EQUAL(num_queues, PasidDev, "queues differs"),
    VMSTATE_UINT32_EQUAL(pasid_bits, PasidDev, "pasid-bits differs"),
    VMSTATE_UINT32_EQUAL(num_jobs, PasidDev, "jobs differs"),
    VMSTATE_UINT32_EQUAL(num_vfs, PasidDev, "vfs differs"),
    VMSTATE_UINT32_EQUAL(vf_queues, PasidDev, "vf-queues differs"),
    VMSTATE_PCI_DEVICE(parent_obj, PasidDev),
    VMSTATE_MSIX(parent_obj, PasidDev),
    VMSTATE_UINT64(count_jobs, PasidDev),
    VMSTATE_UINT32(pasid_target, PasidDev),
    VMSTATE_UINT32(pasid_status, PasidDev),
    VMSTATE_UINT64(requester.count.bytes, PasidDev),
    VMSTATE_UINT64(requester.count.stalls, PasidDev),
    VMSTATE_UINT64(requester.count.retries, PasidDev),
    VMSTATE_UINT64(requester.count.aborts, PasidDev),
    VMSTATE_UINT64(requester.count.bounced, PasidDev),
    VMSTATE_UINT64(requester.count.atc_hits, PasidDev),
    VMSTATE_UINT64(requester.count.ats_requests, PasidDev),
    VMSTATE_UINT64(requester.count.page_requests, PasidDev),
    VMSTATE_UINT64(requester.count.invalidations, PasidDev),
    VMSTATE_STRUCT_VARRAY_POINTER_UINT32(queues, PasidDev, num_queues,
                                         vmstate_pasid_dev_queue,
                                         PasidDevQueue),
    VMSTATE_END_OF_LIST()
};

static const VMStateDescription vmstate_pasid_dev_vf = {
    .name = TYPE_PASID_DEV,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = pasid_dev_pre_load,
    .post_load = pasid_dev_post_load,
    .fields = function_fields,
};

static bool pasid_dev_has_vfs(void *opaque)
{
    return PASID_DEV(opaque)->num_vfs;
}

/*
 * Virtual functions, enabled or not, travel with their physical one: it has to
 * be loaded first, for it is what enables, and so resets, them.
 */
static const VMStateDescription vmstate_pasid_dev_vfs = {
    .name = TYPE_PASID_DEV "/vfs",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = pasid_dev_has_vfs,
    .fields = (const VMStateField[]) {
        {
            .name = "vfs",
            .flags = VMS_STRUCT | VMS_VARRAY_UINT32 | VMS_POINTER |
                     VMS_ARRAY_OF_POINTER,
            .offset = offsetof(PasidDev, parent_obj.exp.sriov_pf.vf),
            .num_offset = vmstate_offset_value(PasidDev, num_vfs, uint32_t),
            .size = sizeof(PCIDevice *),
            .vmsd = &vmstate_pasid_dev_vf,
        },
        VMSTATE_END_OF_LIST()
    }
};

static bool pasid_dev_may_misbehave(void *opaque)
{
    PasidDev *s = opaque;

    return s->misbehave;
}

static int pasid_dev_misbehave_post_load(void *opaque, int version_id)
{
    PasidDev *s = opaque;

    return s->misbehave && !(s->requester.misbehave.faults & ~SVA_FAULT_MASK)
           ? 0 : -EINVAL;
}

/* An answer that it held back is never given. */
static const VMStateDescription vmstate_pasid_dev_misbehave = {
    .name = "pasid-dev/misbehave",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = pasid_dev_may_misbehave,
    .post_load = pasid_dev_misbehave_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(requester.misbehave.faults, PasidDev),
        VMSTATE_END_OF_LIST()
    }
};

/*
 * Version 1 had no power management capability, version 2 neither ATS and Page
 * Requests nor several jobs for a queue, version 4 its PASID capability before
 * all others; QEMU says so and refuses.
 */
const VMStateDescription vmstate_pasid_dev = {
    .name = TYPE_PASID_DEV,
    .version_id = 5,
    .minimum_version_id = 5,
    .pre_load = pasid_dev_pre_load,
    .post_load = pasid_dev_post_load,
    .fields = function_fields,
    .subsections = (const VMStateDescription *const []) {
        &vmstate_pasid_dev_pri,
        &vmstate_pasid_dev_misbehave,
        /* The last: the last virtual function would take what follows. */
        &vmstate_pasid_dev_vfs,
        NULL
    }
};
