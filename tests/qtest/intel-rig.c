/*
 * What the tests of pasid-dev behind intel-iommu share; see intel-rig.h.
 * The layouts are those of Intel's Virtualization Technology for Directed I/O,
 * chapters 9 (tables), 6.5.2 (invalidation), 7.4 (page requests) and 11.4
 * (registers).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "standard-headers/linux/pci_regs.h"
#include "intel-rig.h"

#define RAM_BYTES       (128 * MiB)
#define ECAM            UINT64_C(0xb0000000)
#define PCI_MMIO        UINT64_C(0xc0000000)
#define VTD             UINT64_C(0xfed90000)

/* q35's host bridge: where the ECAM is (PCIEXBAR) */
#define CONFIG_ADDRESS  0xcf8
#define CONFIG_DATA     0xcfc
#define PCIEXBAR        0x60

enum {
    GCMD = 0x18, GSTS = 0x1c, RTADDR = 0x20, FSTS = 0x34,
    IQT = 0x88, IQA = 0x90, PQH = 0xc0, PQT = 0xc8, PQA = 0xd0, PRS = 0xdc,
    FAULT = 0x220,
};
#define GCMD_TE         (1u << 31)
#define GCMD_SRTP       (1u << 30)
#define GCMD_QIE        (1u << 26)
#define RTADDR_SCALABLE (1u << 10)
#define IQA_WIDE        (1u << 11)  /* descriptors of 32 bytes */
#define IQ_ENTRIES      128u
#define PRS_OVERFLOW    2u

#define PRESENT         UINT64_C(1)
#define CONTEXT_DTE     UINT64_C(0x4)
#define CONTEXT_PASIDE  UINT64_C(0x8)
#define CONTEXT_PRE     UINT64_C(0x10)
#define CONTEXT_BYTES   32
#define PASID_FIRST     UINT64_C(0x40)  /* first-stage translation */
#define PASID_THROUGH   UINT64_C(0x100)
#define PASID_48_BITS   UINT64_C(0x8)
#define PASID_BYTES     64
#define PTE_WRITE       UINT64_C(0x2)
#define PTE_USER        UINT64_C(0x4)
#define PTE_LARGE       UINT64_C(0x80)
#define PTE_ADDRESS     UINT64_C(0x000ffffffffff000)

/* Of each PASID its own domain: the number is any but 0. */
#define DOMAIN(pasid)   ((uint64_t)(pasid) + 16)

/* ---- The machine -------------------------------------------------------- */

/* 64 KiB of nothing in the firmware's place: no virtual CPU runs. */
static char *no_firmware(void)
{
    g_autofree char *zeros = g_malloc0(64 * KiB);
    char *name = NULL;
    int fd = g_file_open_tmp("intel-rig-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(name, zeros, 64 * KiB, NULL));
    return name;
}

static QTestState *start_pc(const char *args)
{
    g_autofree char *firmware = no_firmware();
    QTestState *qts = qtest_initf(
        "-M q35 -nodefaults -m 128M -bios %s "
        /* Slots as PCI Express has them, not as ACPI does */
        "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off %s",
        firmware, args);

    unlink(firmware);
    return qts;
}


bool intel_has_svm(void)
{
    QTestState *qts = start_pc("");
    QDict *answer = qtest_qmp(qts,
        "{'execute': 'device-list-properties', "
        "'arguments': {'typename': 'intel-iommu'}}");
    const QListEntry *entry;
    bool found = false;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(answer, "return"), entry) {
        QDict *property = qobject_to(QDict, qlist_entry_obj(entry));

        found |= !strcmp(qdict_get_str(property, "name"), "svm");
    }
    qobject_unref(answer);
    qtest_quit(qts);
    return found;
}

static void vtd_command(Intel *i, uint32_t bit)
{
    QTestState *qts = i->d->t->qts;
    uint32_t enabled = qtest_readl(qts, VTD + GSTS) & (GCMD_TE | GCMD_QIE);

    qtest_writel(qts, VTD + GCMD, enabled | bit);
    g_assert_true(qtest_readl(qts, VTD + GSTS) & bit);
}

/* What software does before it turns translation on. */
static void enable_translation(Intel *i)
{
    QTestState *qts = i->d->t->qts;
    SvaQtest *t = i->d->t;
    uint64_t root = sva_alloc(t, PAGE, PAGE), contexts;
    uint64_t context;

    i->pasid_dir = sva_alloc(t, PAGE, PAGE);
    i->queue = sva_alloc(t, PAGE, PAGE);
    i->status = sva_alloc(t, PAGE, PAGE);
    contexts = sva_alloc(t, PAGE, PAGE);
    g_assert_cmpuint(i->d->devfn, <, 128);
    context = contexts + i->d->devfn * CONTEXT_BYTES;

    qtest_writeq(qts, context, i->pasid_dir | CONTEXT_PRE | CONTEXT_PASIDE |
                               CONTEXT_DTE | PRESENT);
    qtest_writeq(qts, root + i->d->bus * 16, contexts | PRESENT);
    qtest_writeq(qts, VTD + RTADDR, root | RTADDR_SCALABLE);
    vtd_command(i, GCMD_SRTP);
    qtest_writeq(qts, VTD + IQT, 0);
    qtest_writeq(qts, VTD + IQA, i->queue | IQA_WIDE);
    vtd_command(i, GCMD_QIE);
    vtd_command(i, GCMD_TE);
}

static uint64_t pasid_entry(Intel *i, uint32_t pasid)
{
    QTestState *qts = i->d->t->qts;
    uint64_t slot = i->pasid_dir + (pasid >> 6) * 8;
    uint64_t table = qtest_readq(qts, slot) & PTE_ADDRESS;

    if (!table) {
        table = sva_alloc(i->d->t, PAGE, PAGE);
        qtest_writeq(qts, slot, table | PRESENT);
    }
    return table + (pasid & 63) * PASID_BYTES;
}

/* On @bus, behind a root port unless it is 0 */
static Intel *start_on(unsigned bus, const char *iommu, const char *device)
{
    Intel *i = g_new0(Intel, 1);
    Dev *d = g_new0(Dev, 1);
    g_autofree char *args = g_strdup_printf(
        "%s -device intel-iommu,x-scalable-mode=on,x-flts=on,aw-bits=48,%s "
        "-device pcie-root-port,id=rp,chassis=1,slot=1,addr=4 "
        "-device pasid-dev,bus=%s,%s",
        sva_is_in_thread() ? "-object iothread,id=thread "
                             "-global pasid-dev.iothread=thread" : "",
        iommu, bus ? "rp" : "pcie.0", device);

    i->d = d;
    d->bus = bus;
    d->t = g_new0(SvaQtest, 1);
    *d->t = (SvaQtest) {
        .qts = start_pc(args), .next = 4 * MiB, .ram_end = RAM_BYTES,
        .ecam = ECAM, .mmio_next = PCI_MMIO,
    };
    qtest_outl(d->t->qts, CONFIG_ADDRESS, 1u << 31 | PCIEXBAR);
    qtest_outl(d->t->qts, CONFIG_DATA, ECAM | 1);
    if (bus) {
        sva_enable_bridge(d->t, 0, INTEL_PORT, bus);
    }
    find_device(d);
    enable_pasids(d);
    enable_translation(i);
    qtest_writeq(d->t->qts, pasid_entry(i, 0) + 8, DOMAIN(0));
    qtest_writeq(d->t->qts, pasid_entry(i, 0),
                 PASID_THROUGH | PASID_48_BITS | PRESENT);
    return i;
}

Intel *intel_start(const char *iommu, const char *device)
{
    return start_on(0, iommu, device);
}

Intel *intel_start_behind_port(const char *iommu, const char *device)
{
    return start_on(1, iommu, device);
}

void intel_stop(Intel *i)
{
    dev_stop(i->d);
    g_free(i);
}

/* ---- Tables ------------------------------------------------------------- */

uint64_t intel_process(Intel *i, uint32_t pasid)
{
    QTestState *qts = i->d->t->qts;
    uint64_t root = sva_alloc(i->d->t, PAGE, PAGE);
    uint64_t entry = pasid_entry(i, pasid);

    qtest_writeq(qts, entry + 8, DOMAIN(pasid));
    qtest_writeq(qts, entry + 16, root);
    qtest_writeq(qts, entry, PASID_FIRST | PASID_48_BITS | PRESENT);
    return root;
}

/* Where @va's entry of level @last (1: pages) is; makes what is above. */
static uint64_t leaf(Intel *i, uint64_t root, uint64_t va, unsigned last)
{
    QTestState *qts = i->d->t->qts;
    uint64_t table = root, at;

    for (unsigned level = 4; ; level--) {
        at = table + ((va >> (12 + 9 * (level - 1))) & 511) * 8;
        if (level == last) {
            return at;
        }
        table = qtest_readq(qts, at) & PTE_ADDRESS;
        if (!table) {
            table = sva_alloc(i->d->t, PAGE, PAGE);
            qtest_writeq(qts, at, table | PTE_USER | PTE_WRITE | PRESENT);
        }
    }
}

void intel_map(Intel *i, uint64_t root, uint64_t va, uint64_t pa,
               uint64_t bytes, unsigned flags)
{
    bool large = flags & INTEL_LARGE;

    for (uint64_t done = 0; done < bytes; done += large ? 2 * MiB : PAGE) {
        qtest_writeq(i->d->t->qts, leaf(i, root, va + done, large ? 2 : 1),
                     (pa + done) | PTE_USER | PRESENT |
                     (flags & INTEL_READ_ONLY ? 0 : PTE_WRITE) |
                     (large ? PTE_LARGE : 0));
    }
}

void intel_unmap(Intel *i, uint64_t root, uint64_t va, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += PAGE) {
        qtest_writeq(i->d->t->qts, leaf(i, root, va + done, 1), 0);
    }
}

Queue intel_queue(Intel *i, unsigned n, uint32_t pasid, uint64_t root)
{
    Queue q;

    i->d->offset = INTEL_VA;
    q = queue_open(i->d, n, 4, PASID(pasid));
    intel_map(i, root, va(i->d, q.ring), q.ring, PAGE, 0);
    intel_map(i, root, va(i->d, q.completions), q.completions, PAGE, 0);
    return q;
}

/* ---- The invalidation queue --------------------------------------------- */

static void enqueue(Intel *i, uint64_t low, uint64_t high)
{
    QTestState *qts = i->d->t->qts;
    uint64_t slot = i->queue + i->queue_tail * 32;

    qtest_writeq(qts, slot, low);
    qtest_writeq(qts, slot + 8, high);
    qtest_writeq(qts, slot + 16, 0);
    qtest_writeq(qts, slot + 24, 0);
    i->queue_tail = (i->queue_tail + 1) % IQ_ENTRIES;
    qtest_writeq(qts, VTD + IQT, (uint64_t)i->queue_tail << 5);
}

/* A wait descriptor behind it, which writes its status. */
void intel_command(Intel *i, uint64_t low, uint64_t high)
{
    uint64_t wait = UINT64_C(0x25), status = ++i->statuses;

    enqueue(i, low, high);
    enqueue(i, wait | status << 32, i->status);
    WAIT_FOR(qtest_readl(i->d->t->qts, i->status) == status);
}

void intel_flush_iotlb(Intel *i, uint32_t pasid)
{
    intel_command(i, (uint64_t)pasid << 32 | DOMAIN(pasid) << 16 | 2 << 4 | 6,
                  0);
}

static uint64_t source(Intel *i)
{
    return i->d->bus << 8 | i->d->devfn;
}

void intel_flush_device(Intel *i, uint32_t pasid, uint64_t va, bool global)
{
    intel_command(i, (uint64_t)pasid << 32 | source(i) << 16 | 8, va | global);
}

/* ---- Page requests ------------------------------------------------------ */

void intel_enable_prq(Intel *i, unsigned log2)
{
    i->prq = sva_alloc(i->d->t, PAGE << log2, PAGE << log2);
    qtest_writeq(i->d->t->qts, VTD + PQH, 0);
    qtest_writeq(i->d->t->qts, VTD + PQT, 0);
    qtest_writeq(i->d->t->qts, VTD + PQA, i->prq | log2);
}

bool intel_take_page_request(Intel *i, PageRequest *r)
{
    QTestState *qts = i->d->t->qts;
    uint64_t head = qtest_readq(qts, VTD + PQH), low, high;
    uint64_t size = PAGE << (qtest_readq(qts, VTD + PQA) & 7);

    if (head == qtest_readq(qts, VTD + PQT)) {
        return false;
    }
    low = qtest_readq(qts, i->prq + head);
    high = qtest_readq(qts, i->prq + head + 8);
    g_assert_cmphex(low & 0xff, ==, 1);
    g_assert_cmphex((low >> 16) & 0xffff, ==, source(i));
    *r = (PageRequest) {
        .ssv = low >> 8 & 1,
        .pasid = low >> 32 & 0xfffff,
        .exec = low >> 52 & 1,
        .priv = low >> 53 & 1,
        .read = high & 1,
        .write = high >> 1 & 1,
        .last = high >> 2 & 1,
        .index = high >> 3 & 0x1ff,
        .addr = high & ~UINT64_C(0xfff),
    };
    qtest_writeq(qts, VTD + PQH, (head + 32) % size);
    return true;
}

PageRequest intel_next_page_request(Intel *i)
{
    PageRequest r;

    WAIT_FOR(intel_take_page_request(i, &r));
    return r;
}

void intel_respond(Intel *i, const PageRequest *r, unsigned code)
{
    intel_command(i, (uint64_t)r->pasid << 32 | source(i) << 16 | code << 12 |
                     1 << 4 | 9, (uint64_t)r->index << 3);
}

void intel_prq_fill(Intel *i, bool fill)
{
    QTestState *qts = i->d->t->qts;
    uint64_t size = PAGE << (qtest_readq(qts, VTD + PQA) & 7);
    uint64_t tail = qtest_readq(qts, VTD + PQT);

    qtest_writeq(qts, VTD + PQH, fill ? (tail + 32) % size : tail);
}

bool intel_prq_overflowed(Intel *i)
{
    return qtest_readl(i->d->t->qts, VTD + PRS) & PRS_OVERFLOW;
}

void intel_prq_clear_overflow(Intel *i)
{
    qtest_writel(i->d->t->qts, VTD + PRS, PRS_OVERFLOW);
}

/* 11.4.14: a record of 16 bytes, whose bit 127 is written to take it away. */
unsigned intel_take_fault(Intel *i)
{
    QTestState *qts = i->d->t->qts;
    uint64_t high = qtest_readq(qts, VTD + FAULT + 8);

    if (!(high >> 63)) {
        return 0;
    }
    qtest_writeq(qts, VTD + FAULT + 8, UINT64_C(1) << 63);
    qtest_writel(qts, VTD + FSTS, 1);
    return high >> 32 & 0xff;
}
