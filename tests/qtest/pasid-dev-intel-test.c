/*
 * Tests of pasid-dev behind QEMU's own intel-iommu (x86, QEMU 10.2 and later),
 * which it asks by PCIIOMMUOps: hw/pci/sva/sva-port-pci.c. The IOMMU is set up
 * by the tests, for there is no software.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "standard-headers/linux/pci_regs.h"
#include "intel-rig.h"

#define OTHER_PASID     9u
#define SRC             UINT64_C(0x10000000)    /* of a copy, in its process */
#define DST             UINT64_C(0x20000000)
#define BYTES           (3 * PAGE)
#define FAULT_NO_PAGE   0x71    /* SFS.2: entry not present */
#define FAULT_READ_ONLY 0x85    /* SGN.5: no right to write */

/* A process with a copy to be made: pages, and where they are physically */
typedef struct Process {
    Intel *i;
    uint32_t pasid;
    uint64_t root, src, dst;
    Queue q;
} Process;

static Process process_make(Intel *i, unsigned n, uint32_t pasid)
{
    SvaQtest *t = i->d->t;
    Process p = { .i = i, .pasid = pasid, .root = intel_process(i, pasid) };

    p.src = sva_alloc(t, BYTES, PAGE);
    p.dst = sva_alloc(t, BYTES, PAGE);
    intel_map(i, p.root, SRC, p.src, BYTES, 0);
    intel_map(i, p.root, DST, p.dst, BYTES, 0);
    fill_pattern(i->d, p.src, BYTES);
    p.q = intel_queue(i, n, pasid, p.root);
    return p;
}

static PasidDevDescriptor the_copy(void)
{
    return (PasidDevDescriptor) {
        .op = PASID_DEV_OP_COPY, .src = SRC, .dst = DST, .len = BYTES,
    };
}

static void assert_copies(Process *p)
{
    assert_completion(run(&p->q, the_copy()), PASID_DEV_DONE_OK, 0, BYTES, 0);
    assert_bytes(p->i->d, p->dst, BYTES, pattern_byte);
}

/* With ATS off the device asks the IOMMU about each access. */
static Intel *untranslated_start(void)
{
    return intel_start(INTEL_PASID, "id=accel");
}

static Intel *ats_start_intel(void)
{
    Intel *i = intel_start(INTEL_ATS, "id=accel");

    ats_control(i->d, true);
    return i;
}

/* ---- Untranslated ------------------------------------------------------- */

/* The pass-through entry of the function itself */
static void test_no_pasid(void)
{
    Intel *i = untranslated_start();
    Queue q = queue_open(i->d, 0, 4, NO_PASID);
    uint64_t src = process_alloc(i->d, BYTES), dst = process_alloc(i->d, BYTES);
    PasidDevDescriptor copy = the_copy();

    fill_pattern(i->d, src, BYTES);
    copy.src = src;
    copy.dst = dst;
    assert_completion(run(&q, copy), PASID_DEV_DONE_OK, 0, BYTES, 0);
    assert_bytes(i->d, dst, BYTES, pattern_byte);
    intel_stop(i);
}

/* The same addresses in two processes are different memory. */
static void test_two_processes(void)
{
    Intel *i = untranslated_start();
    Process a = process_make(i, 0, THE_PASID);
    Process b = process_make(i, 1, OTHER_PASID);

    assert_copies(&a);
    assert_bytes(i->d, b.dst, BYTES, zero_byte);
    assert_copies(&b);
    intel_stop(i);
}

/* Nothing waits for the page: there are no stalls on this IOMMU. */
static void test_missing(void)
{
    Intel *i = untranslated_start();
    Process p = process_make(i, 0, THE_PASID);

    intel_unmap(i, p.root, DST + PAGE, PAGE);
    assert_completion(run(&p.q, the_copy()), PASID_DEV_DONE_FAULT_WRITE, 0,
                      PAGE, DST + PAGE);
    g_assert_cmphex(intel_take_fault(i), ==, FAULT_NO_PAGE);
    assert_bytes(i->d, p.dst + PAGE, BYTES - PAGE, zero_byte);
    intel_map(i, p.root, DST + PAGE, p.dst + PAGE, PAGE, 0);
    assert_copies(&p);
    intel_stop(i);
}

static void test_read_only(void)
{
    Intel *i = untranslated_start();
    Process p = process_make(i, 0, THE_PASID);

    intel_map(i, p.root, DST, p.dst, PAGE, INTEL_READ_ONLY);
    assert_completion(run(&p.q, the_copy()), PASID_DEV_DONE_FAULT_WRITE, 0, 0,
                      DST);
    g_assert_cmphex(intel_take_fault(i), ==, FAULT_READ_ONLY);
    assert_bytes(i->d, p.dst, BYTES, zero_byte);
    intel_stop(i);
}

/* Nothing is kept: what the IOMMU has forgotten the device does not know. */
static void test_not_kept(void)
{
    Intel *i = untranslated_start();
    Process p = process_make(i, 0, THE_PASID);

    assert_copies(&p);
    intel_unmap(i, p.root, SRC, PAGE);
    intel_flush_iotlb(i, THE_PASID);
    assert_completion(run(&p.q, the_copy()), PASID_DEV_DONE_FAULT_READ, 0, 0,
                      SRC);
    intel_stop(i);
}

/* ---- ATS ---------------------------------------------------------------- */

static void test_ats_copy(void)
{
    Intel *i = ats_start_intel();
    Process a = process_make(i, 0, THE_PASID);
    Process b = process_make(i, 1, OTHER_PASID);
    AtsCounts before, after;

    assert_copies(&a);
    assert_bytes(i->d, b.dst, BYTES, zero_byte);
    assert_copies(&b);
    before = ats_counts(i->d);
    g_assert_cmpuint(before.requests, >, 0);
    assert_copies(&a);
    after = ats_counts(i->d);
    g_assert_cmpuint(after.requests, ==, before.requests);
    g_assert_cmpuint(after.hits, >, before.hits);
    g_assert_cmphex(intel_take_fault(i), ==, 0);
    intel_stop(i);
}

/* One question for all of a large page */
static void test_ats_large(void)
{
    Intel *i = ats_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    uint64_t pa = sva_alloc(i->d->t, 2 * MiB, 2 * MiB), va = 4 * GiB;
    PasidDevDescriptor copy = { .op = PASID_DEV_OP_COPY, .src = va,
                                .dst = va + MiB, .len = MiB };
    uint64_t before;

    intel_map(i, p.root, va, pa, 2 * MiB, INTEL_LARGE);
    fill_pattern(i->d, pa, MiB);
    assert_copies(&p);
    before = ats_counts(i->d).requests;
    assert_completion(run(&p.q, copy), PASID_DEV_DONE_OK, 0, MiB, 0);
    assert_bytes(i->d, pa + MiB, MiB, pattern_byte);
    /* To read, and then to write */
    g_assert_cmpuint(ats_counts(i->d).requests, <=, before + 2);
    intel_stop(i);
}

/* A page without rights, and without page requests: refused. */
static void test_ats_missing(void)
{
    Intel *i = ats_start_intel();
    Process p = process_make(i, 0, THE_PASID);

    intel_unmap(i, p.root, SRC + PAGE, PAGE);
    assert_completion(run(&p.q, the_copy()), PASID_DEV_DONE_FAULT_READ, 0,
                      PAGE, SRC + PAGE);
    g_assert_cmphex(intel_take_fault(i), ==, FAULT_NO_PAGE);
    intel_map(i, p.root, SRC + PAGE, p.src + PAGE, PAGE, 0);
    assert_copies(&p);
    intel_stop(i);
}

/*
 * What is in the device's cache survives the table and the IOTLB, and is gone
 * with the device TLB's invalidation, which names its PASID.
 */
static void test_ats_invalidate(void)
{
    Intel *i = ats_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    uint64_t instead = sva_alloc(i->d->t, PAGE, PAGE);

    assert_copies(&p);
    intel_map(i, p.root, DST, instead, PAGE, 0);
    intel_flush_iotlb(i, THE_PASID);
    assert_copies(&p);
    assert_bytes(i->d, instead, PAGE, zero_byte);

    intel_flush_device(i, THE_PASID, DST, false);
    g_assert_cmpuint(ats_counts(i->d).invalidations, ==, 1);
    assert_copies(&p);
    assert_bytes(i->d, instead, PAGE, pattern_byte);
    intel_stop(i);
}

/* ... and of another PASID, or of another page, nothing is dropped. */
static void test_ats_invalidate_other(void)
{
    Intel *i = ats_start_intel();
    Process a = process_make(i, 0, THE_PASID);
    Process b = process_make(i, 1, OTHER_PASID);
    uint64_t requests;

    assert_copies(&a);
    assert_copies(&b);
    requests = ats_counts(i->d).requests;
    intel_flush_device(i, OTHER_PASID, DST, false);
    intel_flush_device(i, THE_PASID, 16 * GiB, false);
    assert_copies(&a);
    g_assert_cmpuint(ats_counts(i->d).requests, ==, requests);
    assert_copies(&b);
    g_assert_cmpuint(ats_counts(i->d).requests, ==, requests + 1);
    intel_stop(i);
}

/* The IOMMU tells a global one to each PASID's listener. */
static void test_ats_invalidate_global(void)
{
    Intel *i = ats_start_intel();
    Process a = process_make(i, 0, THE_PASID);
    Process b = process_make(i, 1, OTHER_PASID);
    uint64_t requests;

    assert_copies(&a);
    assert_copies(&b);
    requests = ats_counts(i->d).requests;
    intel_flush_device(i, THE_PASID, DST, true);
    assert_copies(&a);
    assert_copies(&b);
    g_assert_cmpuint(ats_counts(i->d).requests, ==, requests + 2);
    intel_stop(i);
}

/*
 * Without device-iotlb=on the IOMMU would end QEMU when somebody wants to hear
 * of invalidations. So its ATS is answered with UR, and the device goes on
 * without.
 */
static void test_ats_not_offered(void)
{
    Intel *i = untranslated_start();
    Process p;

    ats_control(i->d, true);
    p = process_make(i, 0, THE_PASID);
    assert_copies(&p);
    assert_copies(&p);
    g_assert_cmpuint(ats_counts(i->d).hits, ==, 0);
    intel_stop(i);
}

/* intel-iommu asserts that such a question has a PASID. */
static void test_ats_interrupts(void)
{
    Intel *i = ats_start_intel();
    Queue q = queue_open(i->d, 0, 4, NO_PASID);
    PasidDevDescriptor probe = { .op = PASID_DEV_OP_PROBE };

    for (uint64_t at = 0xfee00000; at < 0xfef00000; at += 0xff000) {
        probe.src = at;
        run(&q, probe);
    }
    assert_queue_works(&q);
    intel_stop(i);
}

/*
 * The IOMMU keeps an address space of each PASID that it was asked about. There
 * is an end to it, and those from before go on.
 */
static void test_many_pasids(void)
{
    Intel *i = ats_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    Process late;
    Queue q = queue_make(i->d, 1, 4);

    assert_copies(&p);
    for (uint32_t pasid = 100; pasid < 370; pasid++) {
        queue_program(&q, PASID(pasid));
        q.tail = 0;
        q_write32(&q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
        q_write32(&q, PASID_DEV_Q_TAIL, 1);
        assert_queue_error(&q, PASID_DEV_Q_ERROR_RING, va(i->d, q.ring));
        q_write32(&q, PASID_DEV_Q_CTRL, 0);
    }
    assert_copies(&p);
    late = process_make(i, 2, 2000);
    submit(&late.q, the_copy());
    assert_queue_error(&late.q, PASID_DEV_Q_ERROR_RING,
                       va(i->d, late.q.ring));
    intel_stop(i);
}

/* Its requester ID is another one there. */
static void test_behind_port(void)
{
    Intel *i = intel_start_behind_port(INTEL_ATS, "id=accel");
    Process p;

    ats_control(i->d, true);
    p = process_make(i, 0, THE_PASID);
    assert_copies(&p);
    intel_flush_device(i, THE_PASID, DST, false);
    g_assert_cmpuint(ats_counts(i->d).invalidations, ==, 1);
    intel_stop(i);
}

/*
 * It is unplugged, with its PASIDs disabled before: nobody listens any more to
 * what the IOMMU has to tell of them.
 */
static void test_unplugged(void)
{
    Intel *i = intel_start_behind_port(INTEL_ATS, "id=accel");
    SvaQtest *t = i->d->t;
    unsigned express = sva_find_cap(t, 0, INTEL_PORT, PCI_CAP_ID_EXP);
    Process p;

    ats_control(i->d, true);
    p = process_make(i, 0, THE_PASID);
    assert_copies(&p);
    sva_config_write(t, i->d->bus, i->d->devfn,
                     i->d->pasid_cap + PCI_PASID_CTRL, 2, 0);
    sva_config_write(t, 0, INTEL_PORT, express + PCI_EXP_SLTCTL, 2,
                     PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(t->qts, "DEVICE_DELETED");
    intel_flush_device(i, THE_PASID, DST, false);
    intel_flush_device(i, THE_PASID, DST, true);
    intel_stop(i);
}

/* ---- Page requests ------------------------------------------------------ */

static Intel *pri_start_intel(void)
{
    Intel *i = intel_start(INTEL_SVM, "id=accel");

    intel_enable_prq(i, 0);
    ats_control(i->d, true);
    pri_enable(i->d, 32);
    return i;
}

/* QEMU 10.2's intel-iommu takes none: refused, at once, and nothing waits. */
static void test_pri_not_served(void)
{
    Intel *i = ats_start_intel();
    Process p = process_make(i, 0, THE_PASID);

    pri_enable(i->d, 32);
    intel_unmap(i, p.root, SRC + PAGE, PAGE);
    assert_completion(run(&p.q, the_copy()), PASID_DEV_DONE_FAULT_READ, 0,
                      PAGE, SRC + PAGE);
    intel_map(i, p.root, SRC + PAGE, p.src + PAGE, PAGE, 0);
    assert_copies(&p);
    intel_stop(i);
}

static void assert_asks(const PageRequest *r, uint64_t addr, bool write)
{
    g_assert_true(r->ssv && r->last);
    g_assert_cmpuint(r->pasid, ==, THE_PASID);
    g_assert_cmphex(r->addr, ==, addr);
    g_assert_true(r->read == !write && r->write == write);
}

static void test_pri_success(void)
{
    Intel *i = pri_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    PageRequest r;
    unsigned index;

    intel_unmap(i, p.root, DST + PAGE, PAGE);
    index = submit(&p.q, the_copy());
    r = intel_next_page_request(i);
    assert_asks(&r, DST + PAGE, true);
    g_assert_cmpuint(record_at(&p.q, index).status, ==, PASID_DEV_DONE_PENDING);
    intel_map(i, p.root, DST + PAGE, p.dst + PAGE, PAGE, 0);
    intel_respond(i, &r, INTEL_SUCCESS);
    assert_completion(wait_for(&p.q, index), PASID_DEV_DONE_OK, 0, BYTES, 0);
    assert_bytes(i->d, p.dst, BYTES, pattern_byte);
    intel_stop(i);
}

static void test_pri_invalid(void)
{
    Intel *i = pri_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    PageRequest r;
    unsigned index;

    intel_unmap(i, p.root, SRC, PAGE);
    index = submit(&p.q, the_copy());
    r = intel_next_page_request(i);
    assert_asks(&r, SRC, false);
    intel_respond(i, &r, INTEL_INVALID);
    assert_completion(wait_for(&p.q, index), PASID_DEV_DONE_FAULT_READ, 0, 0,
                      SRC);
    g_assert_false(pri_status(i->d) & PCI_PRI_STATUS_RF);
    intel_stop(i);
}

/* PCIe 10.4.2.2: the interface is out of order until it is enabled anew. */
static void test_pri_failure(void)
{
    Intel *i = pri_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    PageRequest r;
    unsigned index;

    intel_unmap(i, p.root, SRC, PAGE);
    index = submit(&p.q, the_copy());
    r = intel_next_page_request(i);
    intel_respond(i, &r, INTEL_FAILURE);
    assert_completion(wait_for(&p.q, index), PASID_DEV_DONE_FAULT_READ, 0, 0,
                      SRC);
    g_assert_true(pri_status(i->d) & PCI_PRI_STATUS_RF);
    intel_stop(i);
}

/* The page of @r comes, and the copy @index goes on to its end. */
static void answer(Process *p, const PageRequest *r, unsigned index)
{
    intel_map(p->i, p->root, DST, p->dst, PAGE, 0);
    intel_respond(p->i, r, INTEL_SUCCESS);
    assert_completion(wait_for(&p->q, index), PASID_DEV_DONE_OK, 0, BYTES, 0);
    assert_bytes(p->i->d, p->dst, BYTES, pattern_byte);
}

/*
 * A full queue is no refusal: the device is told to ask again, until there is
 * room.
 */
static void test_pri_overflow(void)
{
    Intel *i = pri_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    unsigned index;
    PageRequest r;

    intel_prq_fill(i, true);
    intel_unmap(i, p.root, DST, PAGE);
    index = submit(&p.q, the_copy());
    WAIT_FOR(intel_prq_overflowed(i));
    g_assert_cmpuint(record_at(&p.q, index).status, ==, PASID_DEV_DONE_PENDING);
    intel_prq_fill(i, false);
    intel_prq_clear_overflow(i);
    r = intel_next_page_request(i);
    assert_asks(&r, DST, true);
    answer(&p, &r, index);
    intel_stop(i);
}

/* Two processes at once: a response goes to the one whose PASID it names. */
static void test_pri_two_processes(void)
{
    Intel *i = pri_start_intel();
    Process p[2] = {
        process_make(i, 0, THE_PASID), process_make(i, 1, OTHER_PASID),
    };
    PageRequest r[2];
    unsigned index[2];

    for (unsigned k = 0; k < 2; k++) {
        intel_unmap(i, p[k].root, DST, PAGE);
        index[k] = submit(&p[k].q, the_copy());
        r[k] = intel_next_page_request(i);
        g_assert_cmphex(r[k].addr, ==, DST);
        g_assert_cmpuint(r[k].pasid, ==, p[k].pasid);
    }
    answer(&p[1], &r[1], index[1]);
    g_assert_cmpuint(record_at(&p[0].q, index[0]).status, ==,
                     PASID_DEV_DONE_PENDING);
    answer(&p[0], &r[0], index[0]);
    intel_stop(i);
}

/* PRI off again: what is missing is refused. */
static void test_pri_off(void)
{
    Intel *i = pri_start_intel();
    Process p = process_make(i, 0, THE_PASID);
    PageRequest r;

    pri_control(i->d, 0);
    intel_unmap(i, p.root, SRC, PAGE);
    assert_completion(run(&p.q, the_copy()), PASID_DEV_DONE_FAULT_READ, 0, 0,
                      SRC);
    g_assert_false(intel_take_page_request(i, &r));
    intel_stop(i);
}

typedef struct PriTest {
    const char *name;
    bool wants_svm;
    GTestFunc run;
} PriTest;

static const PriTest pri_tests[] = {
    { "not-served", false, test_pri_not_served },
    { "success", true, test_pri_success },
    { "invalid", true, test_pri_invalid },
    { "failure", true, test_pri_failure },
    { "overflow", true, test_pri_overflow },
    { "two-processes", true, test_pri_two_processes },
    { "off", true, test_pri_off },
};

static void run_pri_test(gconstpointer data)
{
    const PriTest *test = data;

    if (intel_has_svm() != test->wants_svm) {
        g_test_skip(test->wants_svm ?
                    "this QEMU's intel-iommu takes no page requests" :
                    "this QEMU's intel-iommu takes page requests");
        return;
    }
    test->run();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pasid-dev/intel/untranslated/no-pasid", test_no_pasid);
    g_test_add_func("/pasid-dev/intel/untranslated/two-processes",
                    test_two_processes);
    g_test_add_func("/pasid-dev/intel/untranslated/missing-page", test_missing);
    g_test_add_func("/pasid-dev/intel/untranslated/read-only", test_read_only);
    g_test_add_func("/pasid-dev/intel/untranslated/not-kept", test_not_kept);
    g_test_add_func("/pasid-dev/intel/ats/copy", test_ats_copy);
    g_test_add_func("/pasid-dev/intel/ats/large-page", test_ats_large);
    g_test_add_func("/pasid-dev/intel/ats/missing-page", test_ats_missing);
    g_test_add_func("/pasid-dev/intel/ats/invalidate", test_ats_invalidate);
    g_test_add_func("/pasid-dev/intel/ats/invalidate-other",
                    test_ats_invalidate_other);
    g_test_add_func("/pasid-dev/intel/ats/invalidate-global",
                    test_ats_invalidate_global);
    g_test_add_func("/pasid-dev/intel/ats/not-offered", test_ats_not_offered);
    g_test_add_func("/pasid-dev/intel/ats/interrupt-addresses",
                    test_ats_interrupts);
    g_test_add_func("/pasid-dev/intel/many-pasids", test_many_pasids);
    g_test_add_func("/pasid-dev/intel/behind-port", test_behind_port);
    g_test_add_func("/pasid-dev/intel/unplugged", test_unplugged);
    for (unsigned i = 0; i < ARRAY_SIZE(pri_tests); i++) {
        g_autofree char *path = g_strconcat("/pasid-dev/intel/pri/",
                                            pri_tests[i].name, NULL);

        g_test_add_data_func(path, &pri_tests[i], run_pri_test);
    }
    return g_test_run();
}
