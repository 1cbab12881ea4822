/*
 * The operations of pasid-dev, docs/specs/pasid-dev.rst "Operations": which
 * there are, what makes a descriptor legal, how a job starts and migrates. Each
 * is a loop over small steps that end with one access, in engine-*.c; a step
 * whose access stalls leaves the job as it was before it. Called by
 * pasid-dev-job.c and engine-batch.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "engine-operations.h"

static bool legal_always(const PasidDevDescriptor *d)
{
    return true;
}

static bool legal_batch(const PasidDevDescriptor *d)
{
    return d->len <= PASID_DEV_MAX_BATCH &&
           d->src % sizeof(PasidDevDescriptor) == 0 &&
           d->dst % sizeof(PasidDevCompletion) == 0 &&
           !engine_wraps(d->src, d->len * sizeof(PasidDevDescriptor)) &&
           !engine_wraps(d->dst, d->len * sizeof(PasidDevCompletion));
}

static EngineVerdict run_nop(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    return engine_finish(job, PASID_DEV_DONE_OK);
}

/* One within another: those that are not go through engine-batch.c. */
static EngineVerdict run_nested_batch(EngineJob *job, SvaChannel *ch,
                                      uint64_t limit)
{
    return engine_finish(job, PASID_DEV_DONE_BAD_DESC);
}

/* ---- The table ---------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*legal)(const PasidDevDescriptor *d);
    EngineVerdict (*run)(EngineJob *job, SvaChannel *ch, uint64_t limit);
} operations[PASID_DEV_OP_COUNT] = {
    [PASID_DEV_OP_NOP] = { "no-op", legal_always, run_nop },
    [PASID_DEV_OP_COPY] = { "copy", engine_legal_copy, engine_run_copy },
    [PASID_DEV_OP_FILL] = { "fill", engine_legal_dst, engine_run_fill },
    [PASID_DEV_OP_COMPARE] = { "compare",
        engine_legal_src_dst, engine_run_compare },
    [PASID_DEV_OP_CRC32C] = { "CRC-32C",
        engine_legal_crc32c, engine_run_crc32c },
    [PASID_DEV_OP_SUM] = { "sum", engine_legal_src, engine_run_sum },
    [PASID_DEV_OP_LIST] = { "list", engine_legal_list, engine_run_list },
    [PASID_DEV_OP_PROBE] = { "probe", engine_legal_probe, engine_run_probe },
    [PASID_DEV_OP_GATHER] = { "gather",
        engine_legal_gather, engine_run_gather },
    [PASID_DEV_OP_ATOMIC_ADD] = { "atomic add",
        engine_legal_atomic_add, engine_run_atomic_add },
    [PASID_DEV_OP_SCATTER] = { "scatter",
        engine_legal_scatter, engine_run_scatter },
    [PASID_DEV_OP_FETCH_ADD] = { "fetch and add",
        engine_legal_atomic, engine_run_atomic },
    [PASID_DEV_OP_SWAP] = { "swap", engine_legal_atomic, engine_run_atomic },
    [PASID_DEV_OP_CAS] = { "compare and swap",
        engine_legal_atomic, engine_run_atomic },
    [PASID_DEV_OP_CAS16] = { "compare and swap of 16 bytes",
        engine_legal_cas16, engine_run_atomic },
    [PASID_DEV_OP_BATCH] = { "batch", legal_batch, run_nested_batch },
    [PASID_DEV_OP_PROBE2] = { "probe for rights",
        engine_legal_probe2, engine_run_probe2 },
};

const char *engine_op_name(uint8_t op)
{
    return op < ARRAY_SIZE(operations) ? operations[op].name : "unknown";
}

const char *engine_status_name(uint32_t status)
{
    static const char *const names[] = {
        [PASID_DEV_DONE_PENDING] = "pending",
        [PASID_DEV_DONE_OK] = "ok",
        [PASID_DEV_DONE_MISMATCH] = "mismatch",
        [PASID_DEV_DONE_FAULT_READ] = "read refused",
        [PASID_DEV_DONE_FAULT_WRITE] = "write refused",
        [PASID_DEV_DONE_BAD_OP] = "unknown operation",
        [PASID_DEV_DONE_BAD_DESC] = "illegal descriptor",
        [PASID_DEV_DONE_SOME_FAILED] = "some failed",
    };

    return status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

uint64_t engine_operations(void)
{
    uint64_t all = (UINT64_C(1) << ARRAY_SIZE(operations)) - 1;

    return sva_has_cas16() ? all : all & ~(UINT64_C(1) << PASID_DEV_OP_CAS16);
}

static void descriptor_to_host(PasidDevDescriptor *d)
{
    le16_to_cpus(&d->reserved);
    le32_to_cpus(&d->tag);
    le64_to_cpus(&d->src);
    le64_to_cpus(&d->dst);
    le64_to_cpus(&d->len);
    le64_to_cpus(&d->arg);
    le64_to_cpus(&d->arg2);
    le64_to_cpus(&d->arg3);
    le64_to_cpus(&d->arg4);
}

static bool descriptor_is_legal(const PasidDevDescriptor *d)
{
    const uint8_t flags = PASID_DEV_DESC_IRQ | PASID_DEV_DESC_FENCE;

    return !(d->flags & ~flags) && !d->reserved &&
           (d->op == PASID_DEV_OP_CAS16 || (!d->arg3 && !d->arg4)) &&
           operations[d->op].legal(d);
}

static uint32_t descriptor_check(const PasidDevDescriptor *d)
{
    if (d->op >= ARRAY_SIZE(operations) ||
        (d->op == PASID_DEV_OP_CAS16 && !sva_has_cas16())) {
        return PASID_DEV_DONE_BAD_OP;
    }
    return descriptor_is_legal(d) ? PASID_DEV_DONE_PENDING
                                  : PASID_DEV_DONE_BAD_DESC;
}

void engine_job_start(EngineJob *job, const PasidDevDescriptor *raw)
{
    *job = (EngineJob) { .desc = *raw };
    descriptor_to_host(&job->desc);
    job->node = job->desc.src;
    job->status = descriptor_check(&job->desc);
}

EngineVerdict engine_job_run(EngineJob *job, SvaChannel *ch, uint64_t limit)
{
    if (job->status != PASID_DEV_DONE_PENDING) {
        return ENGINE_DONE;
    }
    return operations[job->desc.op].run(job, ch, limit);
}

/* ---- Migration ---------------------------------------------------------- */

static int engine_job_post_load(void *opaque, int version_id)
{
    EngineJob *job = opaque;

    /* The rest of the code relies on it; a stream may say anything. */
    if (job->window_done > sizeof(job->window) ||
        (job->status == PASID_DEV_DONE_PENDING &&
         (descriptor_check(&job->desc) != PASID_DEV_DONE_PENDING ||
          (job->desc.len && job->progress > job->desc.len)))) {
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription vmstate_engine_job = {
    .name = "pasid-dev/job",
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = engine_job_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(desc.op, EngineJob),
        VMSTATE_UINT8(desc.flags, EngineJob),
        VMSTATE_UINT16(desc.reserved, EngineJob),
        VMSTATE_UINT32(desc.tag, EngineJob),
        VMSTATE_UINT64(desc.src, EngineJob),
        VMSTATE_UINT64(desc.dst, EngineJob),
        VMSTATE_UINT64(desc.len, EngineJob),
        VMSTATE_UINT64(desc.arg, EngineJob),
        VMSTATE_UINT64(desc.arg2, EngineJob),
        VMSTATE_UINT64(desc.arg3, EngineJob),
        VMSTATE_UINT64(desc.arg4, EngineJob),
        VMSTATE_UINT64(progress, EngineJob),
        VMSTATE_UINT64(result, EngineJob),
        VMSTATE_UINT64(result_high, EngineJob),
        VMSTATE_UINT64(node, EngineJob),
        VMSTATE_UINT64(value, EngineJob),
        VMSTATE_UINT64(next, EngineJob),
        VMSTATE_UINT64(segments, EngineJob),
        VMSTATE_UINT64(segment_done, EngineJob),
        VMSTATE_UINT8(step, EngineJob),
        VMSTATE_UINT64(window_done, EngineJob),
        VMSTATE_UINT8_ARRAY(window, EngineJob, ENGINE_WINDOW_BYTES),
        VMSTATE_UINT32(status, EngineJob),
        VMSTATE_UINT64(fault_addr, EngineJob),
        VMSTATE_END_OF_LIST()
    }
};
