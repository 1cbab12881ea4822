/*
 * pasid-dev's virtual functions (SR-IOV): what software finds and enables, what
 * belongs to each function alone, what ends them. No guest software runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"
#include "sva-qtest-state.h"

#define VFS             8
#define VF_QUEUES       2
#define VF_DEVICE       "-device pasid-dev,vfs=8,vf-queues=2,id=accel"
#define FIRST_OFFSET    0x80
#define NOWHERE         0xffffffffu

/* ---- The physical function and its own ---------------------------------- */

typedef struct Family {
    Dev *pf;
    unsigned cap;               /* SR-IOV */
    uint64_t bar, msix;         /* where the VFs' begin, and what each has */
    uint64_t bar_bytes, msix_bytes;
    Dev vf[VFS];
} Family;

static unsigned sriov_cap(Dev *pf)
{
    return sva_find_ecap(pf->t, pf->bus, pf->devfn, PCI_EXT_CAP_ID_SRIOV);
}

static uint32_t cap_read(Family *f, unsigned reg, unsigned size)
{
    return sva_config_read(f->pf->t, f->pf->bus, f->pf->devfn, f->cap + reg,
                           size);
}

static void cap_write(Family *f, unsigned reg, unsigned size, uint32_t value)
{
    sva_config_write(f->pf->t, f->pf->bus, f->pf->devfn, f->cap + reg, size,
                     value);
}

/* Find its size, place it for all VFs. */
static uint64_t place_vf_bar(Family *f, unsigned bar, uint64_t *bytes)
{
    unsigned reg = PCI_SRIOV_BAR + 4 * bar;
    uint64_t at;

    cap_write(f, reg, 4, UINT32_MAX);
    *bytes = (uint32_t)-(cap_read(f, reg, 4) & PCI_BASE_ADDRESS_MEM_MASK);
    g_assert_true(is_power_of_2(*bytes));
    at = QEMU_ALIGN_UP(f->pf->t->mmio_next, *bytes);
    f->pf->t->mmio_next = at + VFS * *bytes;
    cap_write(f, reg, 4, at);
    return at;
}

static unsigned vf_devfn(Family *f, unsigned n)
{
    return f->pf->devfn + FIRST_OFFSET + n;
}

static void vfs_enable(Family *f)
{
    cap_write(f, PCI_SRIOV_NUM_VF, 2, VFS);
    cap_write(f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
    for (unsigned n = 0; n < VFS; n++) {
        f->vf[n] = (Dev) {
            .t = f->pf->t, .bus = f->pf->bus, .devfn = vf_devfn(f, n),
            .bar = f->bar + n * f->bar_bytes,
            .msix = f->msix + n * f->msix_bytes,
        };
        sva_config_write(f->pf->t, f->pf->bus, vf_devfn(f, n), PCI_COMMAND, 2,
                         PCI_COMMAND_MASTER);
    }
}

static void vfs_disable(Family *f)
{
    cap_write(f, PCI_SRIOV_CTRL, 2, 0);
}

static Family family_of(Dev *pf)
{
    Family f = { .pf = pf, .cap = sriov_cap(pf) };

    g_assert_cmphex(f.cap, !=, 0);
    f.bar = place_vf_bar(&f, PASID_DEV_BAR, &f.bar_bytes);
    f.msix = place_vf_bar(&f, PASID_DEV_MSIX_BAR, &f.msix_bytes);
    return f;
}

static Family family_start(const char *machine)
{
    return family_of(dev_start(machine, VF_DEVICE));
}

static void family_stop(Family *f)
{
    dev_stop(f->pf);
}

/* Like process_start(), for each VF: the PASIDs are the PF's to allow. */
static Family families_start_with(const char *device)
{
    Family f = family_of(dev_start("virt-sva", device));
    uint64_t cd[SMMU3_CD_WORDS];

    sva_smmu_enable(f.pf->t);
    vfs_enable(&f);
    enable_pasids(f.pf);
    for (unsigned n = 0; n < VFS; n++) {
        Dev *vf = &f.vf[n];

        vf->cds = sva_alloc(vf->t, SMMU3_CD_BYTES << CD_LOG2, PAGE);
        vf->root = sva_table(vf->t);
        vf->offset = VA_OFFSET;
        sva_ste_stage1(vf->t, vf->devfn, vf->cds, CD_LOG2);
        sva_cd_for(cd, vf->root, n + 1, true);
        sva_set_cd(vf->t, vf->devfn, vf->cds, THE_PASID, cd);
    }
    return f;
}

static uint32_t vf_id(Family *f, unsigned n)
{
    return sva_config_read(f->pf->t, f->pf->bus, vf_devfn(f, n), PCI_VENDOR_ID,
                           4);
}

static Family families_start(void)
{
    return families_start_with(VF_DEVICE);
}

static void assert_is_gone(Family *f, unsigned n)
{
    g_assert_cmphex(sva_config_read(f->pf->t, f->pf->bus, vf_devfn(f, n),
                                    PCI_COMMAND, 2), ==, 0xffff);
    g_assert_cmphex(qtest_readl(f->pf->t->qts, f->vf[n].bar), !=,
                    PASID_DEV_MAGIC_VALUE);
}

static bool is_busy(Queue *q)
{
    return q32(q, PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_BUSY;
}

/* ---- What software finds ------------------------------------------------ */

static unsigned first_ecap(Dev *d)
{
    return PCI_EXT_CAP_ID(sva_config_read(d->t, d->bus, d->devfn,
                                          PCI_CFG_SPACE_SIZE, 4));
}

static void test_capability(void)
{
    Family f = family_start(PLAIN_MACHINE);

    g_assert_cmphex(cap_read(&f, PCI_SRIOV_INITIAL_VF, 2), ==, VFS);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_TOTAL_VF, 2), ==, VFS);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_NUM_VF, 2), ==, 0);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_VF_OFFSET, 2), ==, FIRST_OFFSET);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_VF_STRIDE, 2), ==, 1);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_VF_DID, 2), ==,
                    PASID_DEV_VF_DEVICE_ID);
    /* Each a multiple of every page size that can be chosen. */
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_SUP_PGSIZE, 4), ==, 0x13);
    g_assert_cmphex(f.bar_bytes, ==, 0x10000);
    g_assert_cmphex(f.msix_bytes, ==, 0x10000);
    cap_write(&f, PCI_SRIOV_SYS_PGSIZE, 4, 0x10);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_SYS_PGSIZE, 4), ==, 0x10);
    family_stop(&f);
}

static void test_functions_appear(void)
{
    Family f = family_start(PLAIN_MACHINE);

    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmphex(sva_config_read(f.pf->t, 0, vf_devfn(&f, n),
                                        PCI_COMMAND, 2), ==, 0xffff);
    }
    vfs_enable(&f);
    for (unsigned n = 0; n < VFS; n++) {
        Dev *vf = &f.vf[n];

        /* PCIe 9.3.4.1: its IDs are the physical function's to tell. */
        g_assert_cmphex(vf_id(&f, n), ==, NOWHERE);
        g_assert_cmphex(sva_config_read(vf->t, 0, vf->devfn,
                                        PCI_CLASS_REVISION, 4), ==,
                        0x1200 << 16 | PASID_DEV_VERSION_VALUE);
        g_assert_cmphex(first_ecap(vf), ==, PCI_EXT_CAP_ID_ACS);
        g_assert_cmphex(sva_find_ecap(vf->t, 0, vf->devfn,
                                      PCI_EXT_CAP_ID_PASID), ==, 0);
        g_assert_cmphex(sva_find_ecap(vf->t, 0, vf->devfn, PCI_EXT_CAP_ID_ARI),
                        ==, 0);
        g_assert_cmphex(sva_find_ecap(vf->t, 0, vf->devfn,
                                      PCI_EXT_CAP_ID_SRIOV), ==, 0);
        g_assert_cmphex(sva_find_cap(vf->t, 0, vf->devfn, PCI_CAP_ID_EXP), !=,
                        0);
        g_assert_cmphex(sva_find_cap(vf->t, 0, vf->devfn, PCI_CAP_ID_MSIX), !=,
                        0);
        g_assert_cmphex(admin32(vf, PASID_DEV_MAGIC), ==,
                        PASID_DEV_MAGIC_VALUE);
        g_assert_cmpuint(admin32(vf, PASID_DEV_QUEUES), ==, VF_QUEUES);
        g_assert_cmpuint(admin32(vf, PASID_DEV_PASID_BITS), ==, 20);
    }
    family_stop(&f);
}

/* Behind a port one number counts up to 256 functions, and so it is said. */
static void test_behind_port(void)
{
    Dev *pf = g_new0(Dev, 1);
    Family f;

    pf->t = sva_start("-device pcie-root-port,id=rp,chassis=1,addr=4 "
                      VF_DEVICE ",bus=rp");
    sva_enable_bridge(pf->t, 0, 4 << 3, 1);
    pf->bus = 1;
    find_device(pf);
    f = family_of(pf);
    vfs_enable(&f);
    g_assert_cmphex(sva_find_ecap(pf->t, 1, pf->devfn, PCI_EXT_CAP_ID_ARI), !=,
                    0);
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmphex(sva_find_ecap(pf->t, 1, f.vf[n].devfn,
                                      PCI_EXT_CAP_ID_ARI), !=, 0);
        g_assert_cmphex(admin32(&f.vf[n], PASID_DEV_MAGIC), ==,
                        PASID_DEV_MAGIC_VALUE);
    }
    family_stop(&f);
}

/* Their BARs are where the PF's registers say, when MSE says so. */
static void test_bars(void)
{
    Family f = family_start(PLAIN_MACHINE);
    QTestState *qts = f.pf->t->qts;
    uint64_t elsewhere;

    vfs_enable(&f);
    for (unsigned n = 0; n < VFS; n++) {
        sva_config_write(f.pf->t, 0, vf_devfn(&f, n), PCI_COMMAND, 2,
                         PCI_COMMAND_MEMORY);
        g_assert_cmphex(sva_config_read(f.pf->t, 0, vf_devfn(&f, n),
                                        PCI_COMMAND, 2), ==, 0);
        g_assert_cmphex(admin32(&f.vf[n], PASID_DEV_MAGIC), ==,
                        PASID_DEV_MAGIC_VALUE);
    }
    cap_write(&f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE);
    sva_config_write(f.pf->t, 0, vf_devfn(&f, 1), PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY);
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmphex(admin32(&f.vf[n], PASID_DEV_MAGIC), !=,
                        PASID_DEV_MAGIC_VALUE);
    }
    elsewhere = f.pf->t->mmio_next = QEMU_ALIGN_UP(f.pf->t->mmio_next,
                                                   f.bar_bytes);
    cap_write(&f, PCI_SRIOV_BAR, 4, elsewhere);
    cap_write(&f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmphex(qtest_readl(qts, elsewhere + n * f.bar_bytes), ==,
                        PASID_DEV_MAGIC_VALUE);
        g_assert_cmphex(admin32(&f.vf[n], PASID_DEV_MAGIC), !=,
                        PASID_DEV_MAGIC_VALUE);
    }
    family_stop(&f);
}

/* ---- Each function's own ------------------------------------------------ */

/*
 * All at the same address, each in memory of its own: the StreamID is the VF's,
 * and a queue of a VF has its own PASID.
 */
static void test_address_spaces(void)
{
    Family f = families_start();
    uint64_t pa[VFS], shared = VA_OFFSET * 2;
    Queue q[VFS];
    unsigned index[VFS];

    for (unsigned n = 0; n < VFS; n++) {
        q[n] = queue_open(&f.vf[n], n % VF_QUEUES, 2, PASID(THE_PASID));
        pa[n] = sva_alloc(f.pf->t, 16 * PAGE, PAGE);
        sva_map(f.pf->t, f.vf[n].root, shared, pa[n], 16 * PAGE, 0);
    }
    for (unsigned n = 0; n < VFS; n++) {
        index[n] = submit(&q[n], (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = shared, .len = 16 * PAGE,
            .arg = n + 1 });
    }
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmpuint(wait_for(&q[n], index[n]).status, ==,
                         PASID_DEV_DONE_OK);
        g_assert_cmpuint(admin64(&f.vf[n], PASID_DEV_COUNT_JOBS), ==, 1);
        for (unsigned at = 0; at < 16 * PAGE; at += PAGE - 8) {
            g_assert_cmphex(qtest_readq(f.pf->t->qts, pa[n] + (at & ~7)), ==,
                            n + 1);
        }
    }
    g_assert_cmpuint(admin64(f.pf, PASID_DEV_COUNT_JOBS), ==, 0);
    family_stop(&f);
}

static void test_stall_says_who(void)
{
    Family f = families_start();

    for (unsigned n = 0; n < VFS; n += 3) {
        Queue q = queue_open(&f.vf[n], 0, 2, PASID(THE_PASID));
        uint64_t missing = process_alloc(&f.vf[n], PAGE);
        unsigned index;
        uint16_t stag;

        unmap(&f.vf[n], missing, PAGE);
        index = submit(&q, (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = va(&f.vf[n], missing),
            .len = PAGE });
        stag = expect_stall(&q, va(&f.vf[n], missing), true);
        map(&f.vf[n], missing, PAGE);
        resume(&f.vf[n], stag, RETRY);
        g_assert_cmpuint(wait_for(&q, index).status, ==, PASID_DEV_DONE_OK);
    }
    family_stop(&f);
}

/* PCIe 7.8.8: the PF's capability enables the VFs' PASIDs. */
static void test_pasids_by_pf(void)
{
    Family f = families_start();
    Queue q = queue_open(&f.vf[2], 0, 2, PASID(THE_PASID));

    sva_config_write(f.pf->t, 0, f.pf->devfn, f.pf->pasid_cap + PCI_PASID_CTRL,
                     2, 0);
    submit(&q, (PasidDevDescriptor) { 0 });
    WAIT_FOR(q32(&q, PASID_DEV_Q_ERROR) != PASID_DEV_Q_ERROR_NONE);
    g_assert_cmpuint(q32(&q, PASID_DEV_Q_ERROR), ==, PASID_DEV_Q_ERROR_RING);
    enable_pasids(f.pf);
    assert_queue_works(&q);
    family_stop(&f);
}

/* A cache each, enabled and invalidated by itself; but the PASIDs are the PF's. */
static void test_ats_of_its_own(void)
{
    const PasidDevDescriptor no_op = { 0 };
    Family f = families_start();
    Dev *used = &f.vf[2], *other = &f.vf[5], *without = &f.vf[6];
    Queue q[3];
    unsigned at = ats_cap(used);

    g_assert_cmphex(at, !=, 0);
    g_assert_cmphex(pri_cap(used), ==, 0);
    /* PCIe 10.5.1.3: its smallest translation unit is the PF's. */
    sva_config_write(f.pf->t, 0, used->devfn, at + PCI_ATS_CTRL, 2, 0xffff);
    g_assert_cmphex(sva_config_read(f.pf->t, 0, used->devfn, at + PCI_ATS_CTRL,
                                    2), ==, PCI_ATS_CTRL_ENABLE);
    ats_control(other, true);
    q[0] = queue_open(used, 0, 2, PASID(THE_PASID));
    q[1] = queue_open(other, 0, 2, PASID(THE_PASID));
    q[2] = queue_open(without, 0, 2, PASID(THE_PASID));
    for (unsigned i = 0; i < ARRAY_SIZE(q); i++) {
        g_assert_cmpuint(run(&q[i], no_op).status, ==, PASID_DEV_DONE_OK);
        /* The ring's page and the records' */
        g_assert_cmpuint(ats_counts(q[i].d).requests, ==, i < 2 ? 2 : 0);
    }
    atc_invalidate(used, -1, true, 0, CMD_ATC_SIZE_ALL);
    sva_sync(f.pf->t);
    g_assert_cmpuint(ats_counts(used).invalidations, ==, 1);
    g_assert_cmpuint(ats_counts(other).invalidations, ==, 0);
    run(&q[0], no_op);
    run(&q[1], no_op);
    g_assert_cmpuint(ats_counts(used).requests, ==, 4);
    g_assert_cmpuint(ats_counts(other).requests, ==, 2);

    sva_config_write(f.pf->t, 0, f.pf->devfn, f.pf->pasid_cap + PCI_PASID_CTRL,
                     2, 0);
    enable_pasids(f.pf);
    run(&q[1], no_op);
    g_assert_cmpuint(ats_counts(other).requests, ==, 4);
    family_stop(&f);
}

/* A job that writes a page of @vf that is not there. */
static unsigned fill_missing(Queue *q, uint64_t *missing)
{
    Dev *vf = q->d;

    *missing = process_alloc(vf, PAGE);
    unmap(vf, *missing, PAGE);
    return submit(q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(vf, *missing), .len = PAGE,
        .arg = ~0ull });
}

/*
 * Their page requests are by the PF's capability and count among its own; but
 * whose they are the StreamID says. One that is reset gives up its own alone.
 */
static void test_page_requests_by_pf(void)
{
    Family f = families_start();
    Dev *vf[3] = { &f.vf[1], &f.vf[4], &f.vf[7] };
    Queue q[3];
    uint64_t missing[3];
    unsigned job[3];
    uint16_t prg;

    pri_enable(f.pf, 1);        /* one at a time, of all functions */
    for (unsigned i = 0; i < 3; i++) {
        ats_control(vf[i], true);
        q[i] = queue_open(vf[i], 0, 2, PASID(THE_PASID));
        job[i] = fill_missing(&q[i], &missing[i]);
        WAIT_FOR(q32(&q[i], PASID_DEV_Q_STATUS) & PASID_DEV_Q_STATUS_STALLED);
    }
    prg = expect_page_request(vf[0], va(vf[0], missing[0]), false, true);
    expect_no_page_request(vf[0]);

    trigger_flr(vf[1]);
    map(vf[0], missing[0], PAGE);
    pri_respond(vf[0], THE_PASID, prg, CMD_PRI_RESP_SUCCESS);
    g_assert_cmpuint(wait_for(&q[0], job[0]).status, ==, PASID_DEV_DONE_OK);
    prg = expect_page_request(vf[2], va(vf[2], missing[2]), false, true);
    map(vf[2], missing[2], PAGE);
    pri_respond(vf[2], THE_PASID, prg, CMD_PRI_RESP_SUCCESS);
    g_assert_cmpuint(wait_for(&q[2], job[2]).status, ==, PASID_DEV_DONE_OK);
    expect_no_page_request(vf[1]);

    /* And with the PF all of it ends. */
    job[0] = fill_missing(&q[0], &missing[0]);
    expect_page_request(vf[0], va(vf[0], missing[0]), false, true);
    trigger_flr(f.pf);
    g_assert_cmpuint(record_at(&q[0], job[0]).status, ==,
                     PASID_DEV_DONE_PENDING);
    family_stop(&f);
}

static void test_no_bus_master(void)
{
    Family f = families_start();
    Queue shut = queue_open(&f.vf[0], 0, 2, PASID(THE_PASID));
    Queue open = queue_open(&f.vf[1], 0, 2, PASID(THE_PASID));

    sva_config_write(f.pf->t, 0, f.vf[0].devfn, PCI_COMMAND, 2, 0);
    sva_config_write(f.pf->t, 0, f.pf->devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY);
    submit(&shut, (PasidDevDescriptor) { 0 });
    WAIT_FOR(q32(&shut, PASID_DEV_Q_ERROR) != PASID_DEV_Q_ERROR_NONE);
    g_assert_cmpuint(run(&open, (PasidDevDescriptor) { 0 }).status, ==,
                     PASID_DEV_DONE_OK);
    family_stop(&f);
}

static void test_msix(void)
{
    Family f = family_start(PLAIN_MACHINE);
    uint64_t word[VFS];

    vfs_enable(&f);
    for (unsigned n = 0; n < VFS; n++) {
        word[n] = arm_vector(&f.vf[n], n % VF_QUEUES, false);
    }
    for (unsigned n = 0; n < VFS; n++) {
        Queue q = queue_open(&f.vf[n], n % VF_QUEUES, 2, NO_PASID);

        run(&q, (PasidDevDescriptor) { .flags = PASID_DEV_DESC_IRQ });
        WAIT_FOR(qtest_readl(f.pf->t->qts, word[n]) ==
                 VECTOR_DATA(n % VF_QUEUES));
        for (unsigned k = n + 1; k < VFS; k++) {
            g_assert_cmphex(qtest_readl(f.pf->t->qts, word[k]), ==, 0);
        }
    }
    family_stop(&f);
}

/* ---- What ends them ----------------------------------------------------- */

/* An endless job in each VF's first queue. */
static void work_everywhere(Family *f, Queue q[VFS])
{
    for (unsigned n = 0; n < VFS; n++) {
        q[n] = queue_open(&f->vf[n], 0, 2, PASID(THE_PASID));
        submit_endless(&q[n]);
    }
}

static void test_flr(void)
{
    Family f = families_start();
    Queue q[VFS];

    work_everywhere(&f, q);
    trigger_flr(&f.vf[3]);
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmpint(is_busy(&q[n]), ==, n != 3);
    }
    /* Its registers are where they were; the rest is as after a reset. */
    g_assert_cmphex(admin32(&f.vf[3], PASID_DEV_MAGIC), ==,
                    PASID_DEV_MAGIC_VALUE);
    g_assert_cmphex(q64(&q[3], PASID_DEV_Q_RING), ==, 0);
    g_assert_cmphex(sva_config_read(f.pf->t, 0, f.vf[3].devfn, PCI_COMMAND, 2),
                    ==, 0);
    sva_config_write(f.pf->t, 0, f.vf[3].devfn, PCI_COMMAND, 2,
                     PCI_COMMAND_MASTER);
    queue_program(&q[3], PASID(THE_PASID));
    assert_queue_works(&q[3]);
    family_stop(&f);
}

/* They are away, and come back as after a reset. */
static void assert_ended(Family *f, Queue q[VFS])
{
    for (unsigned n = 0; n < VFS; n++) {
        assert_is_gone(f, n);
    }
    enable_pasids(f->pf);
    cap_write(f, PCI_SRIOV_BAR, 4, f->bar);
    cap_write(f, PCI_SRIOV_BAR + 4 * PASID_DEV_MSIX_BAR, 4, f->msix);
    cap_write(f, PCI_SRIOV_NUM_VF, 2, VFS);
    cap_write(f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmphex(admin32(&f->vf[n], PASID_DEV_STATUS), ==, 0);
        g_assert_cmphex(q64(&q[n], PASID_DEV_Q_RING), ==, 0);
        g_assert_cmpuint(record_at(&q[n], 0).status, ==,
                         PASID_DEV_DONE_PENDING);
        sva_config_write(f->pf->t, 0, f->vf[n].devfn, PCI_COMMAND, 2,
                         PCI_COMMAND_MASTER);
        queue_program(&q[n], PASID(THE_PASID));
        assert_queue_works(&q[n]);
    }
}

static void test_disable_in_work(void)
{
    Family f = families_start();
    Queue q[VFS];

    work_everywhere(&f, q);
    vfs_disable(&f);
    assert_ended(&f, q);
    family_stop(&f);
}

static void test_pf_flr(void)
{
    Family f = families_start();
    Queue q[VFS];

    work_everywhere(&f, q);
    trigger_flr(f.pf);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_CTRL, 2), ==, 0);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_NUM_VF, 2), ==, 0);
    assert_ended(&f, q);
    family_stop(&f);
}

/* What the SMMU holds of a VF that is gone may be resumed, to no effect. */
static void test_disable_stalled(void)
{
    Family f = families_start();
    Queue q[VFS];
    uint64_t missing[VFS], event[SMMU3_EVENT_WORDS];
    uint16_t stag[VFS];

    for (unsigned n = 0; n < VFS; n++) {
        q[n] = queue_open(&f.vf[n], 0, 2, PASID(THE_PASID));
        missing[n] = process_alloc(&f.vf[n], PAGE);
        unmap(&f.vf[n], missing[n], PAGE);
        submit(&q[n], (PasidDevDescriptor) {
            .op = PASID_DEV_OP_FILL, .dst = va(&f.vf[n], missing[n]),
            .len = PAGE, .arg = ~0ull });
        stag[n] = expect_stall(&q[n], va(&f.vf[n], missing[n]), true);
    }
    vfs_disable(&f);
    for (unsigned n = 0; n < VFS; n++) {
        map(&f.vf[n], missing[n], PAGE);
        resume(&f.vf[n], stag[n], RETRY);
        assert_bytes(&f.vf[n], missing[n], PAGE, zero_byte);
    }
    g_assert_false(sva_event(f.pf->t, event));
    assert_ended(&f, q);
    family_stop(&f);
}

/* The whole family, out of a running machine, with work in all of it. */
static void test_unplug(void)
{
    Dev *pf = g_new0(Dev, 1);
    Family f;
    unsigned slot;

    pf->t = sva_start_machine(PLAIN_MACHINE,
                              "-device pcie-root-port,id=rp,chassis=1,addr=4 "
                              VF_DEVICE ",bus=rp");
    sva_enable_bridge(pf->t, 0, 4 << 3, 1);
    pf->bus = 1;
    find_device(pf);
    f = family_of(pf);
    vfs_enable(&f);
    for (unsigned n = 0; n < VFS; n++) {
        Queue q = queue_open(&f.vf[n], 1, 2, NO_PASID);

        submit_endless(&q);
    }
    slot = sva_find_cap(pf->t, 0, 4 << 3, PCI_CAP_ID_EXP);
    qtest_qmp_assert_success(pf->t->qts, "{'execute': 'device_del', "
                             "'arguments': {'id': 'accel'}}");
    sva_config_write(pf->t, 0, 4 << 3, slot + PCI_EXP_SLTCTL, 2,
                     PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF);
    qtest_qmp_eventwait(pf->t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(pf->t, 1, 0, PCI_VENDOR_ID, 4), ==,
                    NOWHERE);
    g_assert_cmphex(vf_id(&f, 0), ==, NOWHERE);
    dev_stop(pf);
}

/* ---- Against hostile software ------------------------------------------- */

static void test_too_many(void)
{
    Family f = family_start(PLAIN_MACHINE);

    cap_write(&f, PCI_SRIOV_NUM_VF, 2, VFS + 1);
    cap_write(&f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE, ==,
                    0);
    cap_write(&f, PCI_SRIOV_NUM_VF, 2, 0xffff);
    cap_write(&f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE, ==,
                    0);
    vfs_enable(&f);
    /* While they are enabled, their number stays. */
    cap_write(&f, PCI_SRIOV_NUM_VF, 2, 0xffff);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_NUM_VF, 2), ==, VFS);
    cap_write(&f, PCI_SRIOV_NUM_VF, 2, 0);
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_NUM_VF, 2), ==, VFS);
    g_assert_cmphex(admin32(&f.vf[VFS - 1], PASID_DEV_MAGIC), ==,
                    PASID_DEV_MAGIC_VALUE);
    family_stop(&f);
}

static void test_none(void)
{
    Family f = family_start(PLAIN_MACHINE);

    cap_write(&f, PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
    for (unsigned n = 0; n < VFS; n++) {
        g_assert_cmphex(sva_config_read(f.pf->t, 0, vf_devfn(&f, n),
                                        PCI_COMMAND, 2), ==, 0xffff);
    }
    cap_write(&f, PCI_SRIOV_CTRL, 2, 0);
    vfs_enable(&f);
    g_assert_cmphex(admin32(&f.vf[0], PASID_DEV_MAGIC), ==,
                    PASID_DEV_MAGIC_VALUE);
    family_stop(&f);
}

/* Anything in any register of the capability and of a VF, by seed. */
static void test_random_writes(void)
{
    static const uint32_t values[] = {
        0, UINT32_MAX, PCI_SRIOV_CTRL_VFE, PCI_SRIOV_CTRL_VFE |
        PCI_SRIOV_CTRL_MSE, VFS, VFS + 1, 0x10000000, PCI_EXP_DEVCTL_BCR_FLR,
        PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY,
    };
    Family f = family_start(PLAIN_MACHINE);
    GRand *r = g_rand_new_with_seed(20260);

    for (unsigned i = 0; i < 4000; i++) {
        bool at_vf = g_rand_boolean(r);
        unsigned size = 1u << g_rand_int_range(r, 0, 3);
        unsigned limit = at_vf ? 0x200 : PCI_EXT_CAP_SRIOV_SIZEOF + 8;
        unsigned reg = QEMU_ALIGN_DOWN(g_rand_int_range(r, 0, limit), size);
        uint32_t value = g_rand_boolean(r) ? g_rand_int(r) :
                         values[g_rand_int_range(r, 0, ARRAY_SIZE(values))];

        if (at_vf) {
            unsigned devfn = vf_devfn(&f, g_rand_int_range(r, 0, VFS));

            sva_config_write(f.pf->t, 0, devfn, reg, size, value);
        } else {
            cap_write(&f, reg, size, value);
        }
    }
    g_rand_free(r);
    trigger_flr(f.pf);
    restore_function(f.pf);
    cap_write(&f, PCI_SRIOV_BAR, 4, f.bar);
    cap_write(&f, PCI_SRIOV_BAR + 4 * PASID_DEV_MSIX_BAR, 4, f.msix);
    vfs_enable(&f);
    for (unsigned n = 0; n < VFS; n++) {
        Queue q = queue_open(&f.vf[n], 0, 2, NO_PASID);

        g_assert_cmpuint(run(&q, (PasidDevDescriptor) { 0 }).status, ==,
                         PASID_DEV_DONE_OK);
    }
    family_stop(&f);
}

/* What a VF writes may be what ends it. */
static void test_disables_itself(void)
{
    Family f = family_start(PLAIN_MACHINE);
    uint64_t control = UINT64_C(0x4010000000) + (f.pf->devfn << 12) + f.cap +
                       PCI_SRIOV_CTRL;
    Queue q;

    vfs_enable(&f);
    q = queue_open(&f.vf[5], 0, 2, NO_PASID);
    submit(&q, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = control, .len = 2 });
    WAIT_FOR(!(cap_read(&f, PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE));
    for (unsigned n = 0; n < VFS; n++) {
        assert_is_gone(&f, n);
    }
    g_assert_cmpuint(record_at(&q, 0).status, ==, PASID_DEV_DONE_PENDING);
    vfs_enable(&f);
    queue_program(&q, NO_PASID);
    assert_queue_works(&q);
    family_stop(&f);
}

/* ---- Misbehaviour ------------------------------------------------------- */

#define FAULTY_DEVICE   VF_DEVICE ",x-misbehave=inv-twice"

static void commit(Dev *d, uint64_t faults)
{
    qtest_writeq(d->t->qts, d->bar + PASID_DEV_MISBEHAVE, faults);
}

/* Each has its own, and it stays; those of page requests are the PF's. */
static void test_misbehave_register(void)
{
    const uint64_t pri = PASID_DEV_MISBEHAVE_PRI_EXCESS |
                         PASID_DEV_MISBEHAVE_PRI_DISABLED;
    Family f = family_of(dev_start("virt-sva", FAULTY_DEVICE));

    vfs_enable(&f);
    g_assert_cmphex(admin64(f.pf, PASID_DEV_MISBEHAVE), ==,
                    PASID_DEV_MISBEHAVE_INV_TWICE);
    g_assert_cmphex(admin64(&f.vf[1], PASID_DEV_MISBEHAVE), ==, 0);
    commit(f.pf, UINT64_MAX);
    commit(&f.vf[1], UINT64_MAX);
    commit(&f.vf[7], PASID_DEV_MISBEHAVE_PASID_WIDE);
    g_assert_cmphex(admin64(&f.vf[1], PASID_DEV_MISBEHAVE), ==,
                    admin64(f.pf, PASID_DEV_MISBEHAVE) & ~pri);
    g_assert_cmphex(admin64(f.pf, PASID_DEV_MISBEHAVE) & pri, ==, pri);
    trigger_flr(&f.vf[7]);
    f.pf->t = sva_migrate(f.pf->t, "virt-sva", FAULTY_DEVICE);
    f.vf[0].t = f.vf[1].t = f.vf[7].t = f.pf->t;
    g_assert_cmphex(admin64(&f.vf[0], PASID_DEV_MISBEHAVE), ==, 0);
    g_assert_cmphex(admin64(&f.vf[1], PASID_DEV_MISBEHAVE), ==,
                    admin64(f.pf, PASID_DEV_MISBEHAVE) & ~pri);
    g_assert_cmphex(admin64(&f.vf[7], PASID_DEV_MISBEHAVE), ==,
                    PASID_DEV_MISBEHAVE_PASID_WIDE);
    family_stop(&f);
}

/* One leaves an invalidation without an answer, the others do not. */
static void test_misbehave_alone(void)
{
    Family f = families_start_with(FAULTY_DEVICE);
    SvaQtest *t = f.pf->t;

    commit(&f.vf[3], PASID_DEV_MISBEHAVE_INV_UNANSWERED);
    ats_control(&f.vf[2], true);
    ats_control(&f.vf[3], true);
    for (unsigned n = 2; n < 4; n++) {
        Queue q = queue_open(&f.vf[n], 0, 2, PASID(THE_PASID));

        run(&q, (PasidDevDescriptor) { 0 });
    }
    atc_invalidate(&f.vf[2], THE_PASID, false, 0, CMD_ATC_SIZE_ALL);
    sva_sync(t);
    atc_invalidate(&f.vf[3], THE_PASID, false, 0, CMD_ATC_SIZE_ALL);
    sva_command(t, CMD_SYNC, 0);
    qtest_clock_step(t->qts, 1100 * 1000 * 1000);
    g_assert_cmphex(sva_read32(t, SMMU3_GERROR) ^
                    sva_read32(t, SMMU3_GERRORN), ==,
                    smmu3_field_mask(GERROR_CMDQ));
    g_assert_cmpuint(ats_counts(&f.vf[3]).invalidations, ==, 1);
    family_stop(&f);
}

/* ---- Migration ---------------------------------------------------------- */

/* Everything goes on in another QEMU: in work, stalled, idle, by interrupt. */
static void test_migrate(void)
{
    Family f = families_start();
    Queue busy = queue_open(&f.vf[7], 1, 2, PASID(THE_PASID));
    Queue stalled = queue_open(&f.vf[0], 0, 2, PASID(THE_PASID));
    PasidDevDescriptor desc = endless_job(&f.vf[7]);
    uint64_t missing = process_alloc(&f.vf[0], PAGE);
    uint64_t event[SMMU3_EVENT_WORDS];
    unsigned index;

    submit(&busy, desc);
    unmap(&f.vf[0], missing, PAGE);
    index = submit(&stalled, (PasidDevDescriptor) {
        .op = PASID_DEV_OP_FILL, .dst = va(&f.vf[0], missing), .len = PAGE });
    expect_stall(&stalled, va(&f.vf[0], missing), true);

    f.pf->t = sva_migrate(f.pf->t, "virt-sva", VF_DEVICE);
    for (unsigned n = 0; n < VFS; n++) {
        f.vf[n].t = f.pf->t;
        g_assert_cmphex(admin32(&f.vf[n], PASID_DEV_MAGIC), ==,
                        PASID_DEV_MAGIC_VALUE);
    }
    g_assert_cmphex(cap_read(&f, PCI_SRIOV_NUM_VF, 2), ==, VFS);
    map(&f.vf[0], missing, PAGE);
    WAIT_FOR(({
        while (sva_event(f.pf->t, event)) {
            resume(&f.vf[0], smmu3_get(event, EVENT_STAG), RETRY);
        }
        record_at(&stalled, index).status == PASID_DEV_DONE_OK;
    }));
    g_assert_true(is_busy(&busy));
    qtest_writeq(f.pf->t->qts, desc.src - VA_OFFSET, 0);    /* the list's end */
    g_assert_cmpuint(wait_for(&busy, 0).status, ==, PASID_DEV_DONE_OK);
    g_assert_cmpuint(admin64(&f.vf[7], PASID_DEV_COUNT_JOBS), ==, 1);
    /* ... and the numbers of what is enabled still end it. */
    vfs_disable(&f);
    assert_is_gone(&f, 7);
    family_stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/pasid-dev/vf/capability", test_capability);
    g_test_add_func("/pasid-dev/vf/functions-appear", test_functions_appear);
    g_test_add_func("/pasid-dev/vf/behind-port", test_behind_port);
    g_test_add_func("/pasid-dev/vf/bars", test_bars);
    g_test_add_func("/pasid-dev/vf/address-spaces", test_address_spaces);
    g_test_add_func("/pasid-dev/vf/stall-says-who", test_stall_says_who);
    g_test_add_func("/pasid-dev/vf/pasids-by-pf", test_pasids_by_pf);
    g_test_add_func("/pasid-dev/vf/ats-of-its-own", test_ats_of_its_own);
    g_test_add_func("/pasid-dev/vf/page-requests-by-pf",
                    test_page_requests_by_pf);
    g_test_add_func("/pasid-dev/vf/no-bus-master", test_no_bus_master);
    g_test_add_func("/pasid-dev/vf/msix", test_msix);
    g_test_add_func("/pasid-dev/vf/flr", test_flr);
    g_test_add_func("/pasid-dev/vf/pf-flr", test_pf_flr);
    g_test_add_func("/pasid-dev/vf/disable-in-work", test_disable_in_work);
    g_test_add_func("/pasid-dev/vf/disable-stalled", test_disable_stalled);
    g_test_add_func("/pasid-dev/vf/disables-itself", test_disables_itself);
    g_test_add_func("/pasid-dev/vf/unplug", test_unplug);
    g_test_add_func("/pasid-dev/vf/too-many", test_too_many);
    g_test_add_func("/pasid-dev/vf/none", test_none);
    g_test_add_func("/pasid-dev/vf/random-writes", test_random_writes);
    g_test_add_func("/pasid-dev/vf/misbehave/register",
                    test_misbehave_register);
    g_test_add_func("/pasid-dev/vf/misbehave/alone", test_misbehave_alone);
    g_test_add_func("/pasid-dev/vf/migrate", test_migrate);

    return g_test_run();
}
