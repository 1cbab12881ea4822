/*
 * pasid-dev by vfio-pci and iommufd: see libiommufd.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "libiommufd.h"

enum {
    CALL_BIND               = _IO(VFIO_TYPE, VFIO_BASE + 18),
    CALL_ATTACH             = _IO(VFIO_TYPE, VFIO_BASE + 19),
    CALL_DETACH             = _IO(VFIO_TYPE, VFIO_BASE + 20),
};

enum { MAP_FIXED_IOVA = 1, MAP_WRITE = 2 };
enum { FAULT_PASID_VALID = 1, FAULT_LAST_PAGE = 2 };

typedef struct Fault {
    uint32_t flags, dev_id, pasid, group, perm, reserved;
    uint64_t addr;
    uint32_t length, cookie;
} Fault;

typedef struct Answer {
    uint32_t cookie, code;
} Answer;

PasidDev dev;
int iommufd = -1;
uint32_t dev_id;


/* 0 or -errno. */
int call(int fd, unsigned long number, void *argument)
{
    return ioctl(fd, number, argument) < 0 ? -errno : 0;
}

void must_call(int fd, unsigned long number, void *argument,
                      const char *what)
{
    int ret = call(fd, number, argument);

    if (ret) {
        test_give_up("%s: %s", what, strerror(-ret));
    }
}

void find_pasid_dev(char *bdf, size_t bytes)
{
    DIR *dir = opendir("/sys/bus/pci/devices");
    struct dirent *entry;
    char path[300];

    bdf[0] = 0;
    while (dir && (entry = readdir(dir))) {
        FILE *f;
        unsigned vendor = 0, device = 0;
        bool ours = false;

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uevent",
                 entry->d_name);
        f = fopen(path, "re");
        if (!f) {
            continue;
        }
        while (fgets(path, sizeof(path), f)) {
            ours |= !strcmp(path, "DRIVER=vfio-pci\n");
            sscanf(path, "PCI_ID=%x:%x", &vendor, &device);
        }
        fclose(f);
        if (ours && vendor == PASID_DEV_VENDOR_ID &&
            device == PASID_DEV_DEVICE_ID &&
            (!bdf[0] || strncmp(entry->d_name, bdf, 12) < 0)) {
            snprintf(bdf, bytes, "%.12s", entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (!bdf[0]) {
        test_give_up("no pasid-dev that vfio-pci has");
    }
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

const char *device_find(void)
{
    find_pasid_dev(dev.bdf, sizeof(dev.bdf));
    return dev.bdf;
}

void vfio_enable(int file)
{
    struct vfio_region_info config = {
        .argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
    };
    uint16_t command;

    must_call(file, VFIO_DEVICE_GET_REGION_INFO, &config, "configuration space");
    if (pread(file, &command, 2, (off_t)config.offset + 4) != 2) {
        test_give_up("configuration space: %s", strerror(errno));
    }
    command |= 6;
    if (pwrite(file, &command, 2, (off_t)config.offset + 4) != 2) {
        test_give_up("configuration space: %s", strerror(errno));
    }
}

/* The function whose file is @fd, enabled. */
static void take(PasidDev *d, int fd)
{
    struct vfio_region_info bar = {
        .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX,
    };

    d->fd = fd;
    must_call(fd, VFIO_DEVICE_GET_REGION_INFO, &bar, "BAR0");
    vfio_enable(fd);
    d->bar_bytes = bar.size;
    d->bar = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                  (off_t)bar.offset);
    if (d->bar == MAP_FAILED) {
        test_give_up("registers: %s", strerror(errno));
    }
    if (pasid_dev_read32(d, PASID_DEV_MAGIC) != PASID_DEV_MAGIC_VALUE) {
        test_give_up("not a pasid-dev");
    }
    d->queues = pasid_dev_read32(d, PASID_DEV_QUEUES);
    d->ops = pasid_dev_read64(d, PASID_DEV_OPS);
}

void device_take(int fd)
{
    take(&dev, fd);
}

uint32_t vfio_bind(PasidDev *d, const char *bdf, const uint8_t *token)
{
    struct {
        uint32_t size, flags;
        int32_t iommufd;
        uint32_t out_id;
        uint64_t token;
    } bind = {
        /* Before tokens, the structure was shorter. */
        .size = token ? sizeof(bind) : 16, .flags = token != NULL,
        .iommufd = iommufd, .token = (uintptr_t)token,
    };
    int fd = open_vfio(bdf);

    snprintf(d->bdf, sizeof(d->bdf), "%.12s", bdf);
    must_call(fd, CALL_BIND, &bind, "bind to iommufd");
    take(d, fd);
    return bind.out_id;
}

void iommufd_new(void)
{
    iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
    if (iommufd < 0) {
        test_give_up("/dev/iommu: %s", strerror(errno));
    }
}

void iommufd_open(void)
{
    char bdf[sizeof(dev.bdf)];

    find_pasid_dev(bdf, sizeof(bdf));
    iommufd_new();
    dev_id = vfio_bind(&dev, bdf, NULL);
}

void queue_for(PasidQueue *q, unsigned index, int pasid)
{
    queue_of(q, &dev, index, pasid);
}

void queue_of(PasidQueue *q, PasidDev *d, unsigned index, int pasid)
{
    int ret = pasid_queue_open_as(q, d, index, 4,
                                  pasid == NO_PASID ? 0 : (uint32_t)pasid);

    if (ret) {
        test_give_up("queue %u: %s", index, strerror(-ret));
    }
    if (pasid == NO_PASID) {
        pasid_queue_write32(q, PASID_DEV_Q_CTRL, 0);
        pasid_dev_write32(d, PASID_DEV_QUEUE_PASID(index), 0);
        pasid_queue_write32(q, PASID_DEV_Q_CTRL, PASID_DEV_Q_CTRL_ENABLE);
    }
    /* The kernel pins it: it must be there. */
    memset(q->ring, 0, page_bytes());
    memset(q->completions, 0, page_bytes());
}

/* The job of @q is not even begun: its descriptor cannot be read. */
void check_shut_out(PasidQueue *q, const char *what)
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

uint32_t ioas_new(void)
{
    struct {
        uint32_t size, flags, out_id;
    } c = { .size = sizeof(c) };

    must_call(iommufd, CALL_IOAS_ALLOC, &c, "IOAS");
    return c.out_id;
}

void map_with(uint32_t ioas, void *p, size_t bytes, uint64_t iova,
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

void map(uint32_t ioas, void *p, size_t bytes, uint64_t iova)
{
    map_with(ioas, p, bytes, iova, MAP_READ | MAP_WRITE);
}

void unmap(uint32_t ioas, uint64_t iova, size_t bytes)
{
    struct {
        uint32_t size, ioas;
        uint64_t iova, bytes;
    } c = { .size = sizeof(c), .ioas = ioas, .iova = iova, .bytes = bytes };

    must_call(iommufd, CALL_IOAS_UNMAP, &c, "unmap");
}

/* Where the program has its queues' memory, the device has it too. */
void map_queue(uint32_t ioas, const PasidQueue *q)
{
    map(ioas, q->ring, page_bytes(), (uintptr_t)q->ring);
    map(ioas, q->completions, page_bytes(), (uintptr_t)q->completions);
}

uint32_t hwpt_new(uint32_t ioas, uint32_t flags, uint32_t fault_queue)
{
    return hwpt_new_for(dev_id, ioas, flags, fault_queue);
}

uint32_t hwpt_new_for(uint32_t device, uint32_t ioas, uint32_t flags,
                      uint32_t fault_queue)
{
    HwptAlloc c = {
        .size = sizeof(c), .flags = flags, .dev_id = device, .pt_id = ioas,
        .fault_id = fault_queue,
    };

    must_call(iommufd, CALL_HWPT_ALLOC, &c, "page table");
    return c.out_hwpt_id;
}

int try_attach(uint32_t hwpt, int pasid)
{
    return try_attach_to(&dev, hwpt, pasid);
}

/* Before PASIDs, the structures of both calls were shorter. */
int try_attach_to(const PasidDev *d, uint32_t hwpt, int pasid)
{
    struct {
        uint32_t size, flags, hwpt, pasid;
    } c = {
        .size = pasid == NO_PASID ? 12 : sizeof(c),
        .flags = pasid != NO_PASID, .hwpt = hwpt, .pasid = (uint32_t)pasid,
    };

    return call(d->fd, CALL_ATTACH, &c);
}

void attach(uint32_t hwpt, int pasid)
{
    int ret = try_attach(hwpt, pasid);

    if (ret) {
        test_give_up("attach: %s", strerror(-ret));
    }
}

void detach(int pasid)
{
    struct {
        uint32_t size, flags, pasid;
    } c = {
        .size = pasid == NO_PASID ? 8 : sizeof(c),
        .flags = pasid != NO_PASID, .pasid = (uint32_t)pasid,
    };

    must_call(dev.fd, CALL_DETACH, &c, "detach");
}

/* Anonymous memory of small pages, all of them there and different. */
uint8_t *pages_new(size_t pages, uint64_t seed)
{
    uint8_t *p = map_anon(pages * page_bytes());

    madvise(p, pages * page_bytes(), MADV_NOHUGEPAGE);
    random_fill(p, pages * page_bytes(), seed);
    return p;
}

void fill_ok(PasidQueue *q, uint64_t iova, uint8_t byte, size_t bytes,
                    const char *what)
{
    PasidDevCompletion done = { 0 };
    int ret = pasid_fill(q, iova_pointer(iova), byte * UINT64_C(0x0101010101010101),
                         bytes, &done);

    check_status(ret, &done, PASID_DEV_DONE_OK, what);
}

void check_filled(const uint8_t *p, uint8_t byte, size_t bytes, const char *what)
{
    size_t at = first_other(p, byte, bytes);

    CHECK(at == bytes, "%s: byte %zu is not %#x", what, at, byte);
}

int fault_queue_new(uint32_t *id)
{
    struct {
        uint32_t size, flags, out_id, out_fd;
    } c = { .size = sizeof(c) };

    must_call(iommufd, CALL_FAULT_QUEUE_ALLOC, &c, "fault queue");
    *id = c.out_id;
    return (int)c.out_fd;
}

/* The next one must be this; its cookie. */
uint32_t next_fault(int faults, int pasid, uint64_t iova, uint32_t perm)
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

void answer(int faults, uint32_t cookie, uint32_t code)
{
    Answer a = { .cookie = cookie, .code = code };

    if (write(faults, &a, sizeof(a)) != (ssize_t)sizeof(a)) {
        test_fail("answer %u: %s", code, strerror(errno));
    }
}

int submit(PasidQueue *q, uint8_t op, uint64_t iova, size_t bytes,
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

void iommufd_close(void)
{
    pasid_dev_close(&dev);
    close(iommufd);
}
