/*
 * What of pasid-dev is in a migration stream, and that nothing of it is in the
 * device before all of it was judged. Judges nothing itself: whether a queue can
 * be as it came is pasid-dev-queue.c's to say, a job engine.c's. Called by
 * QEMU's migration and snapshots.
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
    return pasid_dev_queue_is_possible(opaque) ? 0 : -EINVAL;
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
    pasid_dev_queues_loaded(s);
    return 0;
}

/*
 * The queues and what they have in common, on their way. A stream comes into
 * queues that are the device's no more than in name, and is taken over once it
 * is whole and was found possible: one that breaks off or is refused leaves the
 * device as a reset does. QEMU fills in the parent.
 */
typedef struct PasidDevInStream {
    PasidDev *parent;
    uint32_t num_queues;
    uint64_t count_jobs;
    uint32_t pasid_target;
    uint32_t pasid_status;
    SvaCounters count;
    PasidDevQueue *queues;
} PasidDevInStream;

static int in_stream_pre_save(void *opaque)
{
    PasidDevInStream *in = opaque;
    PasidDev *s = in->parent;

    *in = (PasidDevInStream) {
        .parent = s,
        .num_queues = s->num_queues,
        .count_jobs = s->count_jobs,
        .pasid_target = s->pasid_target,
        .pasid_status = s->pasid_status,
        .count = s->requester.count,
        .queues = s->queues,
    };
    return 0;
}

static int in_stream_pre_load(void *opaque)
{
    PasidDevInStream *in = opaque;
    PasidDev *s = in->parent;

    /* They may be there since a stream that broke off. */
    pasid_dev_queues_free(&s->loading, s->num_queues);
    s->loading = pasid_dev_queues_new(s);
    *in = (PasidDevInStream) {
        .parent = s,
        .num_queues = s->num_queues,
        .queues = s->loading,
    };
    return 0;
}

static int in_stream_post_load(void *opaque, int version_id)
{
    PasidDevInStream *in = opaque;
    PasidDev *s = in->parent;

    if (!pasid_dev_pasid_command_is_possible(in->pasid_target,
                                             in->pasid_status)) {
        return -EINVAL;
    }
    s->count_jobs = in->count_jobs;
    s->pasid_target = in->pasid_target;
    s->pasid_status = in->pasid_status;
    s->requester.count = in->count;
    for (unsigned i = 0; i < s->num_queues; i++) {
        pasid_dev_queue_take_over(&s->queues[i], &s->loading[i]);
    }
    pasid_dev_queues_free(&s->loading, s->num_queues);
    return 0;
}

/* Without a version, which is its parent's: vmstate_info_tmp wants it so. */
static const VMStateDescription vmstate_in_stream = {
    .name = "pasid-dev/queues",
    .pre_save = in_stream_pre_save,
    .pre_load = in_stream_pre_load,
    .post_load = in_stream_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(count_jobs, PasidDevInStream),
        VMSTATE_UINT32(pasid_target, PasidDevInStream),
        VMSTATE_UINT32(pasid_status, PasidDevInStream),
        VMSTATE_UINT64(count.bytes, PasidDevInStream),
        VMSTATE_UINT64(count.stalls, PasidDevInStream),
        VMSTATE_UINT64(count.retries, PasidDevInStream),
        VMSTATE_UINT64(count.aborts, PasidDevInStream),
        VMSTATE_UINT64(count.bounced, PasidDevInStream),
        VMSTATE_UINT64(count.atc_hits, PasidDevInStream),
        VMSTATE_UINT64(count.ats_requests, PasidDevInStream),
        VMSTATE_UINT64(count.page_requests, PasidDevInStream),
        VMSTATE_UINT64(count.invalidations, PasidDevInStream),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(queues, PasidDevInStream,
                                             num_queues,
                                             vmstate_pasid_dev_queue,
                                             PasidDevQueue),
        VMSTATE_END_OF_LIST()
    }
};

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

/*
 * QEMU's own state of a PCI function, but for what follows its load: there QEMU
 * enables as many virtual functions as configuration space says, and believes
 * that there are so many. It is QEMU's description in all else, which is no
 * constant: hence pasid_dev_migration_init().
 */
static VMStateDescription vmstate_pci_function;

static int pci_function_post_load(void *opaque, int version_id)
{
    bool possible = pasid_dev_vfs_are_possible(opaque);
    int result = vmstate_pci_device.post_load(opaque, version_id);

    return possible ? result : -EINVAL;
}

void pasid_dev_migration_init(void)
{
    vmstate_pci_function = vmstate_pci_device;
    vmstate_pci_function.post_load = pci_function_post_load;
}

/* What either kind of function has. */
static const VMStateField function_fields[] = {
    /* Before what differs with them, which has no words for it. */
    VMSTATE_UINT32_EQUAL(num_queues, PasidDev, "queues differs"),
    VMSTATE_UINT32_EQUAL(pasid_bits, PasidDev, "pasid-bits differs"),
    VMSTATE_UINT32_EQUAL(num_jobs, PasidDev, "jobs differs"),
    VMSTATE_UINT32_EQUAL(num_vfs, PasidDev, "vfs differs"),
    VMSTATE_UINT32_EQUAL(vf_queues, PasidDev, "vf-queues differs"),
    VMSTATE_STRUCT(parent_obj, PasidDev, 0, vmstate_pci_function, PCIDevice),
    VMSTATE_MSIX(parent_obj, PasidDev),
    VMSTATE_WITH_TMP(PasidDev, PasidDevInStream, vmstate_in_stream),
    VMSTATE_END_OF_LIST()
};

static bool pasid_dev_may_misbehave(void *opaque)
{
    PasidDev *s = opaque;

    return s->misbehave;
}

static int pasid_dev_misbehave_post_load(void *opaque, int version_id)
{
    PasidDev *s = opaque;
    uint64_t *faults = &s->requester.misbehave.faults;

    if (s->misbehave && !(*faults & ~pasid_dev_fault_mask(s))) {
        return 0;
    }
    *faults = 0;
    return -EINVAL;
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

static const VMStateDescription vmstate_pasid_dev_vf = {
    .name = TYPE_PASID_DEV,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = pasid_dev_pre_load,
    .post_load = pasid_dev_post_load,
    .fields = function_fields,
    .subsections = (const VMStateDescription *const []) {
        &vmstate_pasid_dev_misbehave,
        NULL
    }
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

/*
 * Version 1 had no power management capability, version 2 neither ATS and Page
 * Requests nor several jobs for a queue, version 4 its PASID capability before
 * all others, version 5 another serial number; QEMU says so and refuses.
 */
const VMStateDescription vmstate_pasid_dev = {
    .name = TYPE_PASID_DEV,
    .version_id = 6,
    .minimum_version_id = 6,
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
