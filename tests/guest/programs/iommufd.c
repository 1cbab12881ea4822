/*
 * The device, given to vfio-pci by init (sva.driver=), in the hands of a
 * user-space driver: Linux makes the tables as iommufd asks for them, we see
 * what the SMMU does with them.
 *
 *   iommufd dirty     an account of the pages that the device wrote
 *   iommufd pasids    address spaces that are not a process's, by PASID
 *   iommufd faults    page faults that user space answers
 *   iommufd nested    two stages, of which the first is ours
 *
 * The structures of iommufd's interface are written down here because the
 * cross compiler's kernel headers are older than it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libtest.h"
#include "spec.h"

/* ---- The kernel's interface ---------------------------------------------- */

#define IOMMUFD_CALL(number) _IO(';', number)

enum {
    CALL_IOAS_ALLOC         = IOMMUFD_CALL(0x81),
    CALL_IOAS_MAP           = IOMMUFD_CALL(0x85),
    CALL_IOAS_UNMAP         = IOMMUFD_CALL(0x86),
    CALL_HWPT_ALLOC         = IOMMUFD_CALL(0x89),
    CALL_HW_INFO            = IOMMUFD_CALL(0x8a),
    CALL_SET_DIRTY          = IOMMUFD_CALL(0x8b),
    CALL_GET_DIRTY          = IOMMUFD_CALL(0x8c),
    CALL_INVALIDATE         = IOMMUFD_CALL(0x8d),
    CALL_FAULT_QUEUE_ALLOC  = IOMMUFD_CALL(0x8e),
    CALL_VIOMMU_ALLOC       = IOMMUFD_CALL(0x90),
    CALL_VDEVICE_ALLOC      = IOMMUFD_CALL(0x91),
    CALL_VEVENTQ_ALLOC      = IOMMUFD_CALL(0x93),
    CALL_BIND               = _IO(VFIO_TYPE, VFIO_BASE + 18),
    CALL_ATTACH             = _IO(VFIO_TYPE, VFIO_BASE + 19),
    CALL_DETACH             = _IO(VFIO_TYPE, VFIO_BASE + 20),
};

enum { MAP_FIXED_IOVA = 1, MAP_WRITE = 2, MAP_READ = 4 };
enum { HWPT_NEST_PARENT = 1, HWPT_DIRTY = 2, HWPT_FAULTS = 4, HWPT_PASID = 8 };
enum { DATA_NONE = 0, DATA_SMMUV3 = 2 };
enum { VIOMMU_SMMUV3 = 1, INVALIDATE_SMMUV3 = 1, VEVENTQ_SMMUV3 = 1 };
enum { CAP_DIRTY_TRACKING = 1 };
enum { DIRTY_NO_CLEAR = 1 };
enum { FAULT_PASID_VALID = 1, FAULT_LAST_PAGE = 2 };
enum { PERM_READ = 1, PERM_WRITE = 2 };
enum { ANSWER_SUCCESS = 0, ANSWER_INVALID = 1 };

typedef struct HwptAlloc {
    uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved;
    uint32_t data_type, data_bytes;
    uint64_t data;
    uint32_t fault_id, reserved2;
} HwptAlloc;

typedef struct Fault {
    uint32_t flags, dev_id, pasid, group, perm, reserved;
    uint64_t addr;
    uint32_t length, cookie;
} Fault;

typedef struct Answer {
    uint32_t cookie, code;
} Answer;

typedef struct VEvent {
    uint32_t flags, sequence;
    uint64_t words[SMMU3_EVENT_WORDS];
} VEvent;

/* ---- The device ------------------------------------------------------------ */

#define PAGE ((size_t)4096)
#define NO_PASID (-1)
/* Above everything that Linux reserves, below every mapping of ours. */
#define IOVA UINT64_C(0x200000000)

static PasidDev dev;
static int iommufd = -1, vfio = -1;
static uint32_t dev_id;

static void *iova_pointer(uint64_t iova)
{
    return (void *)(uintptr_t)iova;
}

/* 0 or -errno. */
static int call(int fd, unsigned long number, void *argument)
{
    return ioctl(fd, number, argument) < 0 ? -errno : 0;
}

static void must_call(int fd, unsigned long number, void *argument,
                      const char *what)
{
    int ret = call(fd, number, argument);

    if (ret) {
        test_give_up("%s: %s", what, strerror(-ret));
    }
}

/* The first pasid-dev's PCI address. */
static void find_device(char *bdf, size_t bytes)
{
    DIR *dir = opendir("/sys/bus/pci/devices");
    struct dirent *entry;
    char path[300];

    while (dir && (entry = readdir(dir))) {
        FILE *f;
        unsigned vendor = 0, device = 0;

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uevent",
                 entry->d_name);
        f = fopen(path, "re");
        if (!f) {
            continue;
        }
        while (fgets(path, sizeof(path), f) &&
               sscanf(path, "PCI_ID=%x:%x", &vendor, &device) != 2) {
        }
        fclose(f);
        if (vendor == PASID_DEV_VENDOR_ID && device == PASID_DEV_DEVICE_ID) {
            snprintf(bdf, bytes, "%.12s", entry->d_name);
            closedir(dir);
            return;
        }
    }
    test_give_up("no pasid-dev");
}

/* Of the device's own directory in sysfs: vfio-dev/vfioN is /dev/.../vfioN. */
static int open_vfio(const char *bdf)
{
    char path[300];
    struct dirent *entry;
    DIR *dir;
    int fd = -1;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        if (!strncmp(entry->d_name, "vfio", 4)) {
            snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
            fd = open(path, O_RDWR | O_CLOEXEC);
            break;
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (fd < 0) {
        test_give_up("no file of the device: %s", strerror(errno));
    }
    return fd;
}

static void open_all(void)
{
    struct {
        uint32_t size, flags;
        int32_t iommufd;
        uint32_t out_id;
    } bind = { .size = sizeof(bind) };
    struct vfio_region_info bar = {
        .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX,
    }, config = {
        .argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
    };
    uint16_t command;

    find_device(dev.bdf, sizeof(dev.bdf));
    iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
    if (iommufd < 0) {
        test_give_up("/dev/iommu: %s", strerror(errno));
    }
    vfio = open_vfio(dev.bdf);
    bind.iommufd = iommufd;
    must_call(vfio, CALL_BIND, &bind, "bind to iommufd");
    dev_id = bind.out_id;
    must_call(vfio, VFIO_DEVICE_GET_REGION_INFO, &bar, "BAR0");
    must_call(vfio, VFIO_DEVICE_GET_REGION_INFO, &config, "configuration space");
    /* Memory space and bus master. */
    if (pread(vfio, &command, 2, (off_t)config.offset + 4) != 2) {
        test_give_up("configuration space: %s", strerror(errno));
    }
    command |= 6;
    if (pwrite(vfio, &command, 2, (off_t)config.offset + 4) != 2) {
        test_give_up("configuration space: %s", strerror(errno));
    }
    dev.fd = vfio;
    dev.bar_bytes = bar.size;
    dev.bar = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio,
                   (off_t)bar.offset);
    if (dev.bar == MAP_FAILED) {
        test_give_up("registers: %s", strerror(errno));
    }
    if (pasid_dev_read32(&dev, PASID_DEV_MAGIC) != PASID_DEV_MAGIC_VALUE) {
        test_give_up("not a pasid-dev");
    }
    dev.queues = pasid_dev_read32(&dev, PASID_DEV_QUEUES);
    dev.ops = pasid_dev_read64(&dev, PASID_DEV_OPS);
}

/* A queue whose accesses have this PASID, or none. */
static void queue_for(PasidQueue *q, unsigned index, int pasid)
{
    int ret = pasid_queue_open_as(q, &dev, index, 4,
                                  pasid == NO_PASID ? 0 : (uint32_t)pasid);

    if (ret) {
        test_give_up("queue %u: %s", index, strerror(-ret));
    }
    if (pasid == NO_PASID) {
        pasid_queue_write32(q, PASID_DEV_Q_CTRL, 0);
        pasid_dev_write32(&dev, PASID_DEV_QUEUE_PASID(index), 0);
        pasid_queue_write32(q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    }
    /* The kernel pins it: it must be there. */
    memset(q->ring, 0, PAGE);
    memset(q->completions, 0, PAGE);
}

/* The job of @q is not even begun: its descriptor cannot be read. */
static void check_shut_out(PasidQueue *q, const char *what)
{
    PasidDevDescriptor job = { .op = PASID_DEV_OP_NOP };
    PasidDevCompletion done = { 0 };
    int ret = pasid_queue_run(q, &job, &done);

    CHECK(ret == -EIO, "%s: the device read its ring (%d)", what, ret);
    CHECK(pasid_queue_read32(q, PASID_DEV_Q_ERROR) == PASID_DEV_Q_ERROR_RING,
          "%s: queue error %u", what,
          pasid_queue_read32(q, PASID_DEV_Q_ERROR));
    CHECK(pasid_queue_read64(q, PASID_DEV_Q_FAULT_ADDR) ==
          (uintptr_t)&q->ring[(uint16_t)(q->tail - 1) % q->entries],
          "%s: at %#llx", what, (unsigned long long)
          pasid_queue_read64(q, PASID_DEV_Q_FAULT_ADDR));
}

/* ---- Objects of iommufd ---------------------------------------------------- */

static uint32_t ioas_new(void)
{
    struct {
        uint32_t size, flags, out_id;
    } c = { .size = sizeof(c) };

    must_call(iommufd, CALL_IOAS_ALLOC, &c, "IOAS");
    return c.out_id;
}

static void map_with(uint32_t ioas, void *p, size_t bytes, uint64_t iova,
                     uint32_t prot)
{
    struct {
        uint32_t size, flags, ioas, reserved;
        uint64_t p, bytes, iova;
    } c = {
        .size = sizeof(c), .flags = MAP_FIXED_IOVA | prot, .ioas = ioas,
        .p = (uintptr_t)p, .bytes = bytes, .iova = iova,
    };

    must_call(iommufd, CALL_IOAS_MAP, &c, "map");
}

static void map(uint32_t ioas, void *p, size_t bytes, uint64_t iova)
{
    map_with(ioas, p, bytes, iova, MAP_READ | MAP_WRITE);
}

static void unmap(uint32_t ioas, uint64_t iova, size_t bytes)
{
    struct {
        uint32_t size, ioas;
        uint64_t iova, bytes;
    } c = { .size = sizeof(c), .ioas = ioas, .iova = iova, .bytes = bytes };

    must_call(iommufd, CALL_IOAS_UNMAP, &c, "unmap");
}

/* Where the program has its queues' memory, the device has it too. */
static void map_queue(uint32_t ioas, const PasidQueue *q)
{
    map(ioas, q->ring, PAGE, (uintptr_t)q->ring);
    map(ioas, q->completions, PAGE, (uintptr_t)q->completions);
}

static uint32_t hwpt_new(uint32_t ioas, uint32_t flags, uint32_t fault_queue)
{
    HwptAlloc c = {
        .size = sizeof(c), .flags = flags, .dev_id = dev_id, .pt_id = ioas,
        .fault_id = fault_queue,
    };

    must_call(iommufd, CALL_HWPT_ALLOC, &c, "page table");
    return c.out_hwpt_id;
}

/* Before PASIDs, the structures of both calls were shorter. */
static void attach(uint32_t hwpt, int pasid)
{
    struct {
        uint32_t size, flags, hwpt, pasid;
    } c = {
        .size = pasid == NO_PASID ? 12 : sizeof(c),
        .flags = pasid != NO_PASID, .hwpt = hwpt, .pasid = (uint32_t)pasid,
    };

    must_call(vfio, CALL_ATTACH, &c, "attach");
}

static void detach(int pasid)
{
    struct {
        uint32_t size, flags, pasid;
    } c = {
        .size = pasid == NO_PASID ? 8 : sizeof(c),
        .flags = pasid != NO_PASID, .pasid = (uint32_t)pasid,
    };

    must_call(vfio, CALL_DETACH, &c, "detach");
}

/* Anonymous memory of small pages, all of them there and different. */
static uint8_t *pages_new(size_t pages, uint64_t seed)
{
    uint8_t *p = map_anon(pages * PAGE);

    madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
    random_fill(p, pages * PAGE, seed);
    return p;
}

/* ---- Dirty tracking -------------------------------------------------------- */

#define DIRTY_PAGES 64      /* as many as a word of the bitmap has bits */

static void set_dirty_tracking(uint32_t hwpt, bool on)
{
    struct {
        uint32_t size, flags, hwpt, reserved;
    } c = { .size = sizeof(c), .flags = on, .hwpt = hwpt };

    must_call(iommufd, CALL_SET_DIRTY, &c, "dirty tracking");
}

/* Bit n: page n from @iova on was written; at most 64. */
static uint64_t dirty_pages(uint32_t hwpt, uint64_t iova, size_t pages,
                            uint32_t flags)
{
    uint64_t bitmap = 0;
    struct {
        uint32_t size, hwpt, flags, reserved;
        uint64_t iova, bytes, page_bytes, bitmap;
    } c = {
        .size = sizeof(c), .hwpt = hwpt, .flags = flags, .iova = iova,
        .bytes = pages * PAGE, .page_bytes = PAGE,
        .bitmap = (uintptr_t)&bitmap,
    };

    must_call(iommufd, CALL_GET_DIRTY, &c, "dirty bitmap");
    return bitmap;
}

static void check_dirty(uint32_t hwpt, uint64_t expected, uint32_t flags,
                        const char *what)
{
    uint64_t found = dirty_pages(hwpt, IOVA, DIRTY_PAGES, flags);

    CHECK(found == expected, "%s: %#llx are dirty, not %#llx", what,
          (unsigned long long)found, (unsigned long long)expected);
}

/* The device writes a few bytes of each page of @set. */
static void write_pages(PasidQueue *q, uint8_t *memory, uint64_t set,
                        uint64_t pattern)
{
    for (unsigned i = 0; i < DIRTY_PAGES; i++) {
        size_t at = i * PAGE + 8 * (i % 500);
        PasidDevCompletion done = { 0 };

        if (set >> i & 1) {
            int ret = pasid_fill(q, iova_pointer(IOVA + at), pattern, 8, &done);

            check_status(ret, &done, PASID_DEV_DONE_OK, "write");
            CHECK(!memcmp(memory + at, &pattern, 8), "page %u not written", i);
        }
    }
}

static void read_pages(PasidQueue *q, const uint8_t *memory)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_sum(q, iova_pointer(IOVA), DIRTY_PAGES * PAGE, &done);

    if (check_status(ret, &done, PASID_DEV_DONE_OK, "read")) {
        CHECK(done.result == reference_sum(memory, DIRTY_PAGES * PAGE),
              "wrong sum");
    }
}

/*
 * Taking the account makes pages clean in the tables. An SMMU that has them as
 * dirty in its TLB need not see that before an invalidation, and Linux (6.12
 * to 7.3) sends none: iommu_dirty_bitmap_record() leaves the gathered range
 * without a page size, arm_smmu_iotlb_sync() ignores such. So the pages are
 * mapped anew, with all the invalidations of that. A new mapping is dirty;
 * that, too, is for the account to clear.
 */
static void start_clean(uint32_t ioas, uint32_t hwpt, uint8_t *memory,
                        const PasidQueue *q)
{
    const uint64_t records = (uintptr_t)q->completions;

    unmap(ioas, IOVA, DIRTY_PAGES * PAGE);
    map(ioas, memory, DIRTY_PAGES * PAGE, IOVA);
    unmap(ioas, records, PAGE);
    map(ioas, q->completions, PAGE, records);
    CHECK(dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0) == UINT64_MAX &&
          dirty_pages(hwpt, records, 1, 0) == 1, "a new mapping is clean");
    CHECK(!dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0) &&
          !dirty_pages(hwpt, records, 1, 0), "nothing becomes clean");
}

static void dirty(void)
{
    const uint64_t some = 0x8000000180000086, others = 0x00ff000000000012;
    struct {
        uint32_t size, flags, dev_id, data_bytes;
        uint64_t data;
        uint32_t type, pasid_bits;
        uint64_t capabilities;
    } info = { .size = sizeof(info), .dev_id = dev_id };
    uint8_t *memory = pages_new(DIRTY_PAGES, 1);
    uint32_t ioas = ioas_new(), hwpt;
    unsigned early = 0;
    PasidQueue q;

    test_case("capability");
    must_call(iommufd, CALL_HW_INFO, &info, "hardware information");
    CHECK(info.capabilities & CAP_DIRTY_TRACKING, "no dirty tracking: %#llx",
          (unsigned long long)info.capabilities);

    test_case("written-pages");
    queue_for(&q, 0, NO_PASID);
    map(ioas, memory, DIRTY_PAGES * PAGE, IOVA);
    map_queue(ioas, &q);
    hwpt = hwpt_new(ioas, HWPT_DIRTY, 0);
    attach(hwpt, NO_PASID);
    /* What happened before does not count. */
    write_pages(&q, memory, 0xff, 1);
    set_dirty_tracking(hwpt, true);
    check_dirty(hwpt, 0, 0, "at first");
    start_clean(ioas, hwpt, memory, &q);
    read_pages(&q, memory);
    check_dirty(hwpt, 0, 0, "after reads");
    write_pages(&q, memory, some, 2);
    read_pages(&q, memory);
    check_dirty(hwpt, some, DIRTY_NO_CLEAR, "after writes");
    check_dirty(hwpt, some, 0, "again");
    check_dirty(hwpt, 0, 0, "cleared");

    test_case("queue-pages");
    CHECK(dirty_pages(hwpt, (uintptr_t)q.completions, 1, 0) == 1,
          "the records' page is clean");
    CHECK(dirty_pages(hwpt, (uintptr_t)q.ring, 1, 0) == 0,
          "the descriptors' page is dirty");

    test_case("written-again");
    read_pages(&q, memory);
    check_dirty(hwpt, 0, 0, "after reads of written pages");
    start_clean(ioas, hwpt, memory, &q);
    write_pages(&q, memory, some, 3);
    check_dirty(hwpt, some, 0, "the same pages");
    write_pages(&q, memory, some, 4);
    say("iommufd: pages %#llx written again, %#llx in the account without an "
        "invalidation", (unsigned long long)some,
        (unsigned long long)dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0));
    start_clean(ioas, hwpt, memory, &q);
    write_pages(&q, memory, others, 4);
    check_dirty(hwpt, others, 0, "others");
    for (unsigned i = 0; i < 20; i++) {
        uint64_t set = i % 2 ? some : some | others;

        start_clean(ioas, hwpt, memory, &q);
        write_pages(&q, memory, set, i);
        check_dirty(hwpt, set, 0, "in turn");
    }

    /* Each write is in the account taken meanwhile, or in the one after it. */
    test_case("written-meanwhile");
    for (unsigned i = 0; i < 300; i++) {
        unsigned page = i * 7 % 5 * 11;
        PasidDevDescriptor job = {
            .op = PASID_DEV_OP_FILL, .dst = IOVA + page * PAGE, .len = PAGE,
            .arg = i,
        };
        PasidDevCompletion done = { 0 };
        uint64_t during, after;
        int ticket;

        start_clean(ioas, hwpt, memory, &q);
        ticket = pasid_queue_submit(&q, &job);
        during = dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0);
        early += during != 0;
        check_status(pasid_queue_wait(&q, ticket, 60000, &done), &done,
                     PASID_DEV_DONE_OK, "write");
        after = dirty_pages(hwpt, IOVA, DIRTY_PAGES, 0);
        CHECK((during | after) == UINT64_C(1) << page,
              "round %u: page %u was written, %#llx and %#llx are dirty", i,
              page, (unsigned long long)during, (unsigned long long)after);
    }
    say("iommufd: %u of 300 writes were already in the first account", early);

    test_case("started-anew");
    set_dirty_tracking(hwpt, false);
    write_pages(&q, memory, some, 5);
    set_dirty_tracking(hwpt, true);
    check_dirty(hwpt, 0, 0, "before the start");
    start_clean(ioas, hwpt, memory, &q);
    write_pages(&q, memory, others, 6);
    check_dirty(hwpt, others, 0, "after the start");

    pasid_queue_close(&q);
    detach(NO_PASID);
}

/* ---- PASIDs ---------------------------------------------------------------- */

static void fill_ok(PasidQueue *q, uint64_t iova, uint8_t byte, size_t bytes,
                    const char *what)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_fill(q, iova_pointer(iova), byte * UINT64_C(0x0101010101010101),
                         bytes, &done);

    check_status(ret, &done, PASID_DEV_DONE_OK, what);
}

static void check_page(const uint8_t *page, uint8_t byte, const char *what)
{
    size_t at = first_other(page, byte, PAGE);

    CHECK(at == PAGE, "%s: byte %zu is %#x, not %#x", what, at, page[at], byte);
}

static void pasids(void)
{
    uint8_t *a = pages_new(1, 2), *b = pages_new(1, 3);
    uint32_t ioas_a = ioas_new(), ioas_b = ioas_new(), hwpt_a, hwpt_b;
    PasidDevCompletion done = { 0 };
    PasidQueue first, second;
    int ret;

    test_case("two-address-spaces");
    queue_for(&first, 0, 1);
    queue_for(&second, 1, 2);
    map(ioas_a, a, PAGE, IOVA);
    map(ioas_b, b, PAGE, IOVA);
    map_queue(ioas_a, &first);
    map_queue(ioas_b, &second);
    hwpt_a = hwpt_new(ioas_a, HWPT_PASID, 0);
    hwpt_b = hwpt_new(ioas_b, HWPT_PASID, 0);
    attach(hwpt_a, 1);
    attach(hwpt_b, 2);
    fill_ok(&first, IOVA, 0xaa, PAGE, "PASID 1");
    fill_ok(&second, IOVA, 0xbb, PAGE, "PASID 2");
    check_page(a, 0xaa, "PASID 1");
    check_page(b, 0xbb, "PASID 2");

    /* Its descriptors' page is in the new address space, too. */
    test_case("replaced");
    map_queue(ioas_b, &first);
    attach(hwpt_b, 1);
    fill_ok(&first, IOVA, 0xcc, PAGE, "PASID 1");
    check_page(a, 0xaa, "before");
    check_page(b, 0xcc, "now");

    test_case("unmapped");
    unmap(ioas_b, IOVA, PAGE);
    ret = pasid_fill(&first, iova_pointer(IOVA), 0, PAGE, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA), 0, "write");
    ret = pasid_sum(&second, iova_pointer(IOVA), PAGE, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA), 0, "read");
    check_page(b, 0xcc, "refused");
    map_with(ioas_b, b, PAGE, IOVA, MAP_READ);
    ret = pasid_sum(&second, iova_pointer(IOVA), PAGE, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "read of a read-only page");
    ret = pasid_fill(&second, iova_pointer(IOVA), 0, PAGE, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA), 0,
                  "write of a read-only page");
    check_page(b, 0xcc, "read-only");

    test_case("detached");
    detach(2);
    check_shut_out(&second, "PASID 2");
    ret = pasid_sum(&first, iova_pointer(IOVA), PAGE, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "PASID 1");
    detach(1);
    check_shut_out(&first, "PASID 1");

    test_case("attached-again");
    pasid_queue_close(&second);
    queue_for(&second, 1, 2);
    map_queue(ioas_a, &second);
    attach(hwpt_a, 2);
    fill_ok(&second, IOVA, 0xdd, PAGE, "PASID 2");
    check_page(a, 0xdd, "PASID 2");
    pasid_queue_close(&first);
    pasid_queue_close(&second);
    detach(2);
}

/* ---- Page faults answered by user space ------------------------------------ */

static int fault_queue_new(uint32_t *id)
{
    struct {
        uint32_t size, flags, out_id, out_fd;
    } c = { .size = sizeof(c) };

    must_call(iommufd, CALL_FAULT_QUEUE_ALLOC, &c, "fault queue");
    *id = c.out_id;
    return (int)c.out_fd;
}

/* The next one must be this; its cookie. */
static uint32_t next_fault(int faults, int pasid, uint64_t iova, uint32_t perm)
{
    struct pollfd p = { .fd = faults, .events = POLLIN };
    Fault f = { 0 };

    if (poll(&p, 1, 20000) != 1 ||
        read(faults, &f, sizeof(f)) != (ssize_t)sizeof(f)) {
        test_give_up("no page fault was reported at %#llx",
                     (unsigned long long)iova);
    }
    CHECK(f.dev_id == dev_id, "of device %u, not %u", f.dev_id, dev_id);
    CHECK(f.addr == iova, "at %#llx instead of %#llx",
          (unsigned long long)f.addr, (unsigned long long)iova);
    CHECK(f.perm == perm, "permissions %#x instead of %#x", f.perm, perm);
    CHECK(f.flags == (FAULT_LAST_PAGE |
                      (pasid == NO_PASID ? 0 : FAULT_PASID_VALID)),
          "flags %#x", f.flags);
    if (pasid != NO_PASID) {
        CHECK(f.pasid == (uint32_t)pasid, "PASID %u", f.pasid);
    }
    return f.cookie;
}

static void answer(int faults, uint32_t cookie, uint32_t code)
{
    Answer a = { .cookie = cookie, .code = code };

    if (write(faults, &a, sizeof(a)) != (ssize_t)sizeof(a)) {
        test_fail("answer %u: %s", code, strerror(errno));
    }
}

static int submit(PasidQueue *q, uint8_t op, uint64_t iova, size_t bytes,
                  uint8_t byte)
{
    PasidDevDescriptor job = {
        .op = op, .len = bytes,
        .src = op == PASID_DEV_OP_SUM ? iova : 0,
        .dst = op == PASID_DEV_OP_FILL ? iova : 0,
        .arg = op == PASID_DEV_OP_FILL ? byte * UINT64_C(0x0101010101010101) : 0,
    };

    return pasid_queue_submit(q, &job);
}

static void faults_of(int pasid, const char *name)
{
    uint8_t *memory = pages_new(3, 4);
    uint32_t ioas = ioas_new(), fault_queue, hwpt, cookie;
    int faults = fault_queue_new(&fault_queue), ticket, ret;
    PasidDevCompletion done = { 0 };
    Counts before;
    PasidQueue q;

    test_case("%s-served", name);
    queue_for(&q, 0, pasid);
    map_queue(ioas, &q);
    hwpt = hwpt_new(ioas, HWPT_FAULTS | (pasid == NO_PASID ? 0 : HWPT_PASID),
                    fault_queue);
    attach(hwpt, pasid);
    before = counts_now(&dev);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA, 2 * PAGE, 0x11);
    for (unsigned i = 0; i < 2; i++) {
        cookie = next_fault(faults, pasid, IOVA + i * PAGE, PERM_WRITE);
        CHECK(!pasid_queue_done(&q, ticket), "done without its page");
        CHECK(pasid_queue_read32(&q, PASID_DEV_Q_STATUS) &
              PASID_DEV_Q_STATUS_STALLED, "the queue does not wait");
        map(ioas, memory + i * PAGE, PAGE, IOVA + i * PAGE);
        answer(faults, cookie, ANSWER_SUCCESS);
    }
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_page(memory, 0x11, "first");
    check_page(memory + PAGE, 0x11, "second");
    check_stalled_and_resumed(&dev, &before);

    test_case("%s-refused", name);
    ticket = submit(&q, PASID_DEV_OP_SUM, IOVA + 64, 2 * PAGE, 0);
    cookie = next_fault(faults, pasid, IOVA + 2 * PAGE, PERM_READ);
    answer(faults, cookie, ANSWER_INVALID);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA + 2 * PAGE),
                  2 * PAGE - 64, "read");

    /* An answer that is not true only brings the next fault. */
    test_case("%s-answered-in-vain", name);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA + 2 * PAGE, PAGE, 0x22);
    for (unsigned i = 0; i < 3; i++) {
        cookie = next_fault(faults, pasid, IOVA + 2 * PAGE, PERM_WRITE);
        answer(faults, cookie, ANSWER_SUCCESS);
    }
    cookie = next_fault(faults, pasid, IOVA + 2 * PAGE, PERM_WRITE);
    answer(faults, cookie, ANSWER_INVALID);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + 2 * PAGE), 0, "write");

    test_case("%s-permission", name);
    map_with(ioas, memory + 2 * PAGE, PAGE, IOVA + 2 * PAGE, MAP_READ);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA + 2 * PAGE, PAGE, 0x33);
    cookie = next_fault(faults, pasid, IOVA + 2 * PAGE, PERM_WRITE);
    unmap(ioas, IOVA + 2 * PAGE, PAGE);
    map(ioas, memory + 2 * PAGE, PAGE, IOVA + 2 * PAGE);
    answer(faults, cookie, ANSWER_SUCCESS);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_page(memory + 2 * PAGE, 0x33, "third");

    /* Linux answers for us. Then nothing of the queue's can be reached. */
    test_case("%s-detached-while-stalled", name);
    ticket = submit(&q, PASID_DEV_OP_FILL, IOVA + 3 * PAGE, PAGE, 0x44);
    next_fault(faults, pasid, IOVA + 3 * PAGE, PERM_WRITE);
    detach(pasid);
    ret = pasid_queue_wait(&q, ticket, 20000, &done);
    CHECK(ret == -EIO, "the job ended with %d, %s", ret,
          pasid_status_name(done.status));
    CHECK(pasid_queue_read32(&q, PASID_DEV_Q_ERROR) ==
          PASID_DEV_Q_ERROR_COMPLETION, "queue error %u",
          pasid_queue_read32(&q, PASID_DEV_Q_ERROR));
    pasid_queue_close(&q);
    close(faults);
}

static void faults(void)
{
    faults_of(NO_PASID, "function");
    faults_of(5, "pasid");
}

/* ---- Two stages ------------------------------------------------------------ */

/*
 * The memory of a guest of ours, at GUEST_IPA in stage 2. It begins with the
 * context descriptors; tables and data follow.
 */
#define GUEST_IPA       UINT64_C(0x40000000)
#define GUEST_PAGES     128
#define DATA_PAGE       64      /* and those after it */
#define CDS_LOG2        2
#define VSID            0x42u

static uint8_t *guest;
static unsigned tables_used;

static uint64_t *guest_cd(unsigned ssid)
{
    return (uint64_t *)(void *)(guest + ssid * SMMU3_CD_BYTES);
}

static uint8_t *data_page(unsigned n)
{
    return guest + (DATA_PAGE + n) * PAGE;
}

static uint64_t data_ipa(unsigned n)
{
    return GUEST_IPA + (DATA_PAGE + n) * PAGE;
}

/* An empty table; its IPA. */
static uint64_t table_new(void)
{
    tables_used++;
    if (tables_used >= DATA_PAGE) {
        test_give_up("too many tables");
    }
    memset(guest + tables_used * PAGE, 0, PAGE);
    return GUEST_IPA + tables_used * PAGE;
}

/* Change a descriptor as the SMMU may see it at any time. */
static void publish(uint64_t *where, uint64_t value)
{
    __atomic_store_n(where, value, __ATOMIC_RELEASE);
}

/* Stage 1, 4 KiB granule, four levels: @va goes to @ipa, 0: nowhere. */
static void stage1_map(uint64_t root, uint64_t va, uint64_t ipa)
{
    uint64_t table = root, page = 0, *entry;

    for (unsigned level = 0; ; level++) {
        entry = (uint64_t *)(void *)(guest + (table - GUEST_IPA)) +
            (va >> (39 - 9 * level)) % 512;
        if (level == 3) {
            break;
        }
        if (!smmu3_get(entry, TTD_VALID)) {
            uint64_t next = table_new();

            smmu3_set(&next, TTD_VALID, 1);
            smmu3_set(&next, TTD_TABLE_OR_PAGE, 1);
            publish(entry, next);
        }
        table = smmu3_get_addr(entry, 0, 12, 36);
    }
    if (ipa) {
        page = ipa;
        smmu3_set(&page, TTD_VALID, 1);
        smmu3_set(&page, TTD_TABLE_OR_PAGE, 1);
        smmu3_set(&page, TTD_AP_UNPRIV, 1);
        smmu3_set(&page, TTD_SH, 3);
        smmu3_set(&page, TTD_AF, 1);
        smmu3_set(&page, TTD_NG, 1);
    }
    publish(entry, page);
}

static void write_cd(unsigned ssid, uint64_t root, uint16_t asid, bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS] = { 0 };

    smmu3_set(cd, CD_T0SZ, 16);
    smmu3_set(cd, CD_TG0, CD_TG0_4K);
    smmu3_set(cd, CD_IR0, 1);
    smmu3_set(cd, CD_OR0, 1);
    smmu3_set(cd, CD_SH0, 3);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_IPS, 5);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_S, stall);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_ASID, asid);
    smmu3_set_addr(cd, CD_TTB0, root);
    smmu3_set(cd, CD_MAIR, 0xff);
    memcpy(guest_cd(ssid) + 1, cd + 1, sizeof(cd) - sizeof(cd[0]));
    smmu3_set(cd, CD_V, 1);
    publish(guest_cd(ssid), cd[0]);
}

static void stage1_map_queue(uint64_t root, const PasidQueue *q, uint64_t ipa)
{
    stage1_map(root, (uintptr_t)q->ring, ipa);
    stage1_map(root, (uintptr_t)q->completions, ipa + PAGE);
}

static uint32_t nested_hwpt_new(uint32_t viommu, uint32_t fault_queue)
{
    uint64_t ste[2] = { 0 };
    HwptAlloc c = {
        .size = sizeof(c), .dev_id = dev_id, .pt_id = viommu,
        .flags = fault_queue ? HWPT_FAULTS : 0, .fault_id = fault_queue,
        .data_type = DATA_SMMUV3, .data_bytes = sizeof(ste),
        .data = (uintptr_t)ste,
    };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1FMT, STE_S1FMT_LINEAR);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, GUEST_IPA);
    smmu3_set(ste, STE_S1CDMAX, CDS_LOG2);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_CD0);
    smmu3_set(ste, STE_S1CIR, 1);
    smmu3_set(ste, STE_S1COR, 1);
    smmu3_set(ste, STE_S1CSH, 3);
    must_call(iommufd, CALL_HWPT_ALLOC, &c, "nested page table");
    return c.out_hwpt_id;
}

/* 0 or -errno; @count becomes the number of commands that were done. */
static int invalidate(uint32_t viommu, uint64_t (*commands)[SMMU3_CMD_WORDS],
                      uint32_t *count)
{
    struct {
        uint32_t size, id;
        uint64_t data;
        uint32_t type, entry_bytes, entries, reserved;
    } c = {
        .size = sizeof(c), .id = viommu, .data = (uintptr_t)commands,
        .type = INVALIDATE_SMMUV3, .entry_bytes = SMMU3_CMD_BYTES,
        .entries = *count,
    };
    int ret = call(iommufd, CALL_INVALIDATE, &c);

    *count = c.entries;
    return ret;
}

static void invalidate_one(uint32_t viommu, Smmu3Opcode op, uint16_t asid,
                           uint64_t va)
{
    uint64_t command[1][SMMU3_CMD_WORDS] = { { 0 } };
    uint32_t count = 1;
    int ret;

    smmu3_set(command[0], CMD_OPCODE, op);
    smmu3_set(command[0], CMD_ASID, asid);
    smmu3_set_addr(command[0], CMD_ADDR, va);
    ret = invalidate(viommu, command, &count);
    CHECK(!ret && count == 1, "command %#x: %s", op, strerror(-ret));
}

/* The context descriptor of @ssid has changed, and what @asid means. */
static void invalidate_cd(uint32_t viommu, uint32_t ssid, uint16_t asid)
{
    uint64_t commands[2][SMMU3_CMD_WORDS] = { { 0 } };
    uint32_t count = 2;
    int ret;

    smmu3_set(commands[0], CMD_OPCODE, CMD_CFGI_CD);
    smmu3_set(commands[0], CMD_STREAMID, VSID);
    smmu3_set(commands[0], CMD_SUBSTREAMID, ssid);
    smmu3_set(commands[0], CMD_LEAF, 1);
    smmu3_set(commands[1], CMD_OPCODE, CMD_TLBI_NH_ASID);
    smmu3_set(commands[1], CMD_ASID, asid);
    ret = invalidate(viommu, commands, &count);
    CHECK(!ret && count == 2, "%u commands done: %s", count, strerror(-ret));
}

/* The next event that Linux hands to the guest. */
static VEvent next_event(int events)
{
    struct pollfd p = { .fd = events, .events = POLLIN };
    VEvent e = { 0 };

    if (poll(&p, 1, 20000) != 1 || read(events, &e, sizeof(e)) != (ssize_t)sizeof(e)) {
        test_fail("no event");
    }
    CHECK(e.flags == 0, "flags %#x", e.flags);
    CHECK(smmu3_get(e.words, EVENT_STREAMID) == VSID, "StreamID %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_STREAMID));
    return e;
}

static void nested(void)
{
    enum { ASID0 = 7, ASID1 = 8 };
    struct {
        uint32_t size, flags, type, dev_id, hwpt, out_id, data_bytes, reserved;
        uint64_t data;
    } viommu = { .size = sizeof(viommu), .type = VIOMMU_SMMUV3, .dev_id = dev_id };
    struct {
        uint32_t size, viommu, dev_id, out_id;
        uint64_t virt_id;
    } vdevice = { .size = sizeof(vdevice), .dev_id = dev_id, .virt_id = VSID };
    struct {
        uint32_t size, flags, viommu, type, depth, out_id, out_fd, reserved;
    } eventq = { .size = sizeof(eventq), .type = VEVENTQ_SMMUV3, .depth = 64 };
    uint64_t commands[2][SMMU3_CMD_WORDS] = { { 0 } };
    uint64_t root0, root1, queue_ipa = GUEST_IPA + GUEST_PAGES * PAGE;
    const uint64_t hole_ipa = queue_ipa + 64 * PAGE;
    uint32_t ioas = ioas_new(), count, fault_queue, cookie;
    PasidQueue q0, q1, q3;
    PasidDevCompletion done = { 0 };
    int ret, ticket, fault_fd, events;
    VEvent e;

    test_case("two-stages");
    guest = pages_new(GUEST_PAGES, 5);
    memset(guest, 0, PAGE);
    queue_for(&q0, 0, NO_PASID);
    queue_for(&q1, 1, 1);
    queue_for(&q3, 2, 3);
    map(ioas, guest, GUEST_PAGES * PAGE, GUEST_IPA);
    map(ioas, q0.ring, PAGE, queue_ipa);
    map(ioas, q0.completions, PAGE, queue_ipa + PAGE);
    map(ioas, q1.ring, PAGE, queue_ipa + 2 * PAGE);
    map(ioas, q1.completions, PAGE, queue_ipa + 3 * PAGE);
    root0 = table_new();
    root1 = table_new();
    stage1_map_queue(root0, &q0, queue_ipa);
    stage1_map_queue(root0, &q1, queue_ipa + 2 * PAGE);
    stage1_map_queue(root1, &q1, queue_ipa + 2 * PAGE);
    stage1_map(root0, IOVA, data_ipa(0));
    stage1_map(root1, IOVA, data_ipa(1));
    write_cd(0, root0, ASID0, false);
    write_cd(1, root1, ASID1, false);

    viommu.hwpt = hwpt_new(ioas, HWPT_NEST_PARENT, 0);
    must_call(iommufd, CALL_VIOMMU_ALLOC, &viommu, "vIOMMU");
    vdevice.viommu = viommu.out_id;
    must_call(iommufd, CALL_VDEVICE_ALLOC, &vdevice, "vDEVICE");
    eventq.viommu = viommu.out_id;
    must_call(iommufd, CALL_VEVENTQ_ALLOC, &eventq, "vEVENTQ");
    events = (int)eventq.out_fd;
    attach(nested_hwpt_new(viommu.out_id, 0), NO_PASID);

    fill_ok(&q0, IOVA, 0x10, PAGE, "without a PASID");
    fill_ok(&q1, IOVA, 0x11, PAGE, "PASID 1");
    check_page(data_page(0), 0x10, "without a PASID");
    check_page(data_page(1), 0x11, "PASID 1");

    /* The guest changes its tables and says so. */
    test_case("invalidate-va");
    stage1_map(root0, IOVA, data_ipa(2));
    invalidate_one(viommu.out_id, CMD_TLBI_NH_VA, ASID0, IOVA);
    fill_ok(&q0, IOVA, 0x12, PAGE, "after NH_VA");
    check_page(data_page(0), 0x10, "old page");
    check_page(data_page(2), 0x12, "new page");
    check_page(data_page(1), 0x11, "PASID 1's");

    test_case("invalidate-asid");
    stage1_map(root1, IOVA, data_ipa(3));
    invalidate_one(viommu.out_id, CMD_TLBI_NH_ASID, ASID1, 0);
    fill_ok(&q1, IOVA, 0x13, PAGE, "after NH_ASID");
    check_page(data_page(1), 0x11, "old page");
    check_page(data_page(3), 0x13, "new page");

    test_case("invalidate-all");
    stage1_map(root0, IOVA, data_ipa(4));
    stage1_map(root1, IOVA, data_ipa(5));
    invalidate_one(viommu.out_id, CMD_TLBI_NSNH_ALL, 0, 0);
    fill_ok(&q0, IOVA, 0x14, PAGE, "after NSNH_ALL");
    fill_ok(&q1, IOVA, 0x15, PAGE, "after NSNH_ALL");
    check_page(data_page(4), 0x14, "without a PASID");
    check_page(data_page(5), 0x15, "PASID 1");
    check_page(data_page(2), 0x12, "old page");
    check_page(data_page(3), 0x13, "old page of PASID 1");

    test_case("invalidate-cd");
    write_cd(1, root0, ASID1, false);
    invalidate_cd(viommu.out_id, 1, ASID1);
    fill_ok(&q1, IOVA, 0x16, PAGE, "PASID 1 with the other tables");
    check_page(data_page(4), 0x16, "PASID 1's new page");
    check_page(data_page(5), 0x15, "PASID 1's old page");

    /* Linux lets no command through that is not the guest's business. */
    test_case("command-refused");
    smmu3_set(commands[0], CMD_OPCODE, CMD_TLBI_NSNH_ALL);
    smmu3_set(commands[1], CMD_OPCODE, CMD_RESUME);
    count = 2;
    ret = invalidate(viommu.out_id, commands, &count);
    CHECK(ret == -EIO, "RESUME: %s", strerror(-ret));

    test_case("event-translation");
    ret = pasid_fill(&q0, iova_pointer(IOVA + PAGE), 0, PAGE, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + PAGE), 0, "write");
    e = next_event(events);
    CHECK(smmu3_get(e.words, EVENT_TYPE) == F_TRANSLATION, "event %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_TYPE));
    CHECK(smmu3_get(e.words, EVENT_INPUT_ADDR) == IOVA + PAGE, "at %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_INPUT_ADDR));
    CHECK(!smmu3_get(e.words, EVENT_S2) && !smmu3_get(e.words, EVENT_RNW) &&
          !smmu3_get(e.words, EVENT_SSV) && !smmu3_get(e.words, EVENT_STALL) &&
          smmu3_get(e.words, EVENT_CLASS) == CLASS_IN,
          "words %#llx %#llx", (unsigned long long)e.words[0],
          (unsigned long long)e.words[1]);

    test_case("event-cd");
    check_shut_out(&q3, "PASID 3");
    e = next_event(events);
    CHECK(smmu3_get(e.words, EVENT_TYPE) == C_BAD_CD, "event %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_TYPE));
    CHECK(smmu3_get(e.words, EVENT_SSV) &&
          smmu3_get(e.words, EVENT_SUBSTREAMID) == 3, "SubstreamID %#llx",
          (unsigned long long)smmu3_get(e.words, EVENT_SUBSTREAMID));

    /* What the guest does not have is the host's business: no event of its. */
    test_case("stage-2-fault");
    stage1_map(root0, IOVA + 2 * PAGE, hole_ipa);
    ret = pasid_sum(&q0, iova_pointer(IOVA + 2 * PAGE), 64, &done);
    check_refused(ret, &done, false, iova_pointer(IOVA + 2 * PAGE), 0, "read");
    CHECK(poll(&(struct pollfd) { .fd = events, .events = POLLIN }, 1, 100) == 0,
          "an event of stage 2 came to the guest");

    /* Nested entries go when stage 2 changes. */
    test_case("stage-2-unmapped");
    uint8_t *late = pages_new(1, 6);
    map(ioas, late, PAGE, hole_ipa);
    fill_ok(&q0, IOVA + 2 * PAGE, 0x17, PAGE, "a page that came late");
    check_page(late, 0x17, "late");
    unmap(ioas, hole_ipa, PAGE);
    ret = pasid_fill(&q0, iova_pointer(IOVA + 2 * PAGE), 0, PAGE, &done);
    check_refused(ret, &done, true, iova_pointer(IOVA + 2 * PAGE), 0,
                  "write of the page that went");
    check_page(late, 0x17, "after it went");

    /* A page fault of the guest's own: both PASID and tables are its. */
    test_case("guest-page-fault");
    fault_fd = fault_queue_new(&fault_queue);
    write_cd(1, root1, ASID1, true);
    stage1_map(root1, IOVA, 0);
    attach(nested_hwpt_new(viommu.out_id, fault_queue), NO_PASID);
    /* Linux sees the same stream table entry, and invalidates nothing. */
    invalidate_cd(viommu.out_id, 1, ASID1);
    ticket = submit(&q1, PASID_DEV_OP_FILL, IOVA, PAGE, 0x18);
    cookie = next_fault(fault_fd, 1, IOVA, PERM_WRITE);
    stage1_map(root1, IOVA, data_ipa(6));
    answer(fault_fd, cookie, ANSWER_SUCCESS);
    ret = pasid_queue_wait(&q1, ticket, 20000, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "write");
    check_page(data_page(6), 0x18, "PASID 1");

    pasid_queue_close(&q0);
    pasid_queue_close(&q1);
    pasid_queue_close(&q3);
    detach(NO_PASID);
    close(events);
    close(fault_fd);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *verdict;
        void (*run)(void);
    } parts[] = {
        { "dirty", "iommufd-dirty", dirty },
        { "pasids", "iommufd-pasids", pasids },
        { "faults", "iommufd-faults", faults },
        { "nested", "iommufd-nested", nested },
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (argc > 1 && !strcmp(argv[1], parts[i].name)) {
            test_begin(parts[i].verdict);
            open_all();
            parts[i].run();
            munmap((void *)dev.bar, dev.bar_bytes);
            close(vfio);
            close(iommufd);
            return test_end();
        }
    }
    test_begin("iommufd");
    test_give_up("which part?");
}
