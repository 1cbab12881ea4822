/*
 * The virtual functions of a pasid-dev that vfio-pci has (sva.driver=), which
 * may enable them (vfio_pci.enable_sriov=1): each in address spaces of its own,
 * by iommufd, with work in all of them; reset and taken away while they work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libiommufd.h"

#define VFS             8
#define BYTES           (64 * KIB)
/* Memory that one function has, and no other; and what each has its own of. */
#define OWN_IOVA(n)     (IOVA + ((n) + 1) * MIB)
#define A_PASID         3

/* A function, with its own address space for accesses with and without PASID. */
typedef struct Function {
    PasidDev dev;
    PasidQueue plain, tagged;   /* without, with A_PASID */
    uint8_t *memory, *own, *by_pasid;
    int please_leave;           /* an eventfd: the kernel wants the device */
} Function;

/* What vfio asks of those who share a physical function. */
static const uint8_t token[16] = "a token of ours";
static PasidDev pf;
static Function functions[VFS];

/* ---- Their life --------------------------------------------------------- */

static void set_vfs(unsigned number)
{
    char path[128], text[16];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", pf.bdf);
    snprintf(text, sizeof(text), "%u", number);
    if (!write_file(path, text)) {
        test_give_up("%u virtual functions: %s", number, strerror(errno));
    }
}

static void vf_address(unsigned n, char *bdf, size_t bytes)
{
    char path[128], target[128] = "";

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u", pf.bdf, n);
    if (readlink(path, target, sizeof(target) - 1) < 0) {
        test_give_up("virtual function %u: %s", n, strerror(errno));
    }
    snprintf(bdf, bytes, "%.12s", strrchr(target, '/') + 1);
}

/* For when the kernel wants a function back that a job is in work in. */
static int ask_for_requests(int file)
{
    struct {
        struct vfio_irq_set set;
        int32_t fd;
    } irq = {
        .set = {
            .argsz = sizeof(irq), .index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
            .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
        },
        .fd = eventfd(0, EFD_CLOEXEC),
    };

    must_call(file, VFIO_DEVICE_SET_IRQS, &irq, "requests");
    return irq.fd;
}

static void open_function(Function *f, unsigned n)
{
    uint32_t id, ioas = ioas_new(), by_pasid = ioas_new();
    char bdf[sizeof(f->dev.bdf)];

    vf_address(n, bdf, sizeof(bdf));
    id = vfio_bind(&f->dev, bdf, token);
    f->please_leave = ask_for_requests(f->dev.fd);
    f->memory = pages_new(BYTES / page_bytes(), 2 * n);
    f->own = pages_new(BYTES / page_bytes(), 2 * n + 1);
    f->by_pasid = pages_new(BYTES / page_bytes(), 3 * n);
    queue_of(&f->plain, &f->dev, 0, NO_PASID);
    queue_of(&f->tagged, &f->dev, 1, A_PASID);
    map_queue(ioas, &f->plain);
    map(ioas, f->memory, BYTES, IOVA);
    map(ioas, f->own, BYTES, OWN_IOVA(n));
    map_queue(by_pasid, &f->tagged);
    map(by_pasid, f->by_pasid, BYTES, IOVA);
    if (try_attach_to(&f->dev, hwpt_new_for(id, ioas, HWPT_PASID, 0),
                      NO_PASID) ||
        try_attach_to(&f->dev, hwpt_new_for(id, by_pasid, HWPT_PASID, 0),
                      A_PASID)) {
        test_give_up("virtual function %u: not attached", n);
    }
}

static void open_functions(void)
{
    set_vfs(VFS);
    for (unsigned n = 0; n < VFS; n++) {
        open_function(&functions[n], n);
    }
}

static void close_function(Function *f)
{
    close(f->please_leave);
    pasid_dev_close(&f->dev);
}

/* Two jobs that do not end, in each. */
static void work_everywhere(void)
{
    for (unsigned n = 0; n < VFS; n++) {
        Function *f = &functions[n];
        ListNode *node = (ListNode *)f->memory;
        PasidDevDescriptor job = {
            .op = PASID_DEV_OP_LIST, .src = IOVA,
            .len = PASID_DEV_MAX_LEN_VALUE,
            .arg = offsetof(ListNode, next), .arg2 = offsetof(ListNode, value),
        };

        node->next = iova_pointer(IOVA);
        CHECK(pasid_queue_submit(&f->plain, &job) >= 0, "job of %u", n);
        *(ListNode *)f->by_pasid = *node;
        CHECK(pasid_queue_submit(&f->tagged, &job) >= 0, "job of %u", n);
    }
}

static void check_all(unsigned reg, uint32_t value, const char *what)
{
    for (unsigned n = 0; n < VFS; n++) {
        uint32_t is = pasid_dev_read32(&functions[n].dev, reg);

        CHECK(is == value, "%s: %#x in virtual function %u", what, is, n);
    }
}

/* ---- Cases -------------------------------------------------------------- */

static void check_fills(void)
{
    int tickets[VFS][2];
    PasidDevCompletion done = { 0 };

    for (unsigned n = 0; n < VFS; n++) {
        Function *f = &functions[n];

        tickets[n][0] = submit(&f->plain, PASID_DEV_OP_FILL, IOVA, BYTES,
                               (uint8_t)(0x10 + n));
        tickets[n][1] = submit(&f->tagged, PASID_DEV_OP_FILL, IOVA, BYTES,
                               (uint8_t)(0x20 + n));
    }
    for (unsigned n = 0; n < VFS; n++) {
        Function *f = &functions[n];
        int ret = pasid_queue_wait(&f->plain, tickets[n][0], 20000, &done);

        check_status(ret, &done, PASID_DEV_DONE_OK, "without PASID");
        ret = pasid_queue_wait(&f->tagged, tickets[n][1], 20000, &done);
        check_status(ret, &done, PASID_DEV_DONE_OK, "with PASID");
    }
    for (unsigned n = 0; n < VFS; n++) {
        check_filled(functions[n].memory, (uint8_t)(0x10 + n), BYTES,
                     "without PASID");
        check_filled(functions[n].by_pasid, (uint8_t)(0x20 + n), BYTES,
                     "with PASID");
    }
}

/* Each reads what is its own, and nothing of any other's. */
static void check_apart(void)
{
    PasidDevCompletion done = { 0 };

    for (unsigned n = 0; n < VFS; n++) {
        Function *f = &functions[n];

        for (unsigned other = 0; other < VFS; other++) {
            int ret = pasid_sum(&f->plain, iova_pointer(OWN_IOVA(other)), BYTES,
                                &done);

            if (other == n) {
                check_status(ret, &done, PASID_DEV_DONE_OK, "its own");
                CHECK(done.result == reference_sum(f->own, BYTES),
                      "virtual function %u read something else", n);
            } else {
                check_refused(ret, &done, false, iova_pointer(OWN_IOVA(other)), 0,
                              "another's");
            }
            ret = pasid_sum(&f->tagged, iova_pointer(OWN_IOVA(other)), BYTES,
                            &done);
            check_refused(ret, &done, false, iova_pointer(OWN_IOVA(other)), 0,
                          "by PASID");
        }
    }
}

/* Linux enables them again; what they were doing they have forgotten. */
static void reset_pf_in_work(void)
{
    work_everywhere();
    check_all(PASID_DEV_STATUS, PASID_DEV_STATUS_BUSY, "in work");
    must_call(pf.fd, VFIO_DEVICE_RESET, NULL, "reset");
    check_all(PASID_DEV_MAGIC, PASID_DEV_MAGIC_VALUE, "back");
    check_all(PASID_DEV_STATUS, 0, "after the reset");
    for (unsigned n = 0; n < VFS; n++) {
        Function *f = &functions[n];

        CHECK(!pasid_queue_read64(&f->plain, PASID_DEV_Q_RING),
              "virtual function %u was not reset", n);
    }
}

/* By another process: the kernel waits until each is given back. */
static pid_t start_taking_away(void)
{
    char command[160];
    pid_t pid;

    snprintf(command, sizeof(command),
             "echo 0 >/sys/bus/pci/devices/%s/sriov_numvfs", pf.bdf);
    pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(9);
    }
    return pid;
}

static void take_away_in_work(void)
{
    pid_t pid;
    int status = -1;

    work_everywhere();
    pid = start_taking_away();
    for (unsigned left = VFS; left; left--) {
        struct pollfd p[VFS];

        for (unsigned n = 0; n < VFS; n++) {
            p[n] = (struct pollfd) { .events = POLLIN,
                .fd = functions[n].dev.fd < 0 ? -1 : functions[n].please_leave };
        }
        if (poll(p, VFS, 20000) <= 0) {
            test_give_up("%u virtual functions were not asked for", left);
        }
        for (unsigned n = 0; n < VFS; n++) {
            if (p[n].revents) {
                uint32_t busy = pasid_dev_read32(&functions[n].dev,
                                                 PASID_DEV_STATUS);

                CHECK(busy == PASID_DEV_STATUS_BUSY, "%u is not in work", n);
                close_function(&functions[n]);
                break;
            }
        }
    }
    CHECK(waitpid(pid, &status, 0) == pid && !status, "they were not taken away");
    CHECK(pasid_dev_read32(&pf, PASID_DEV_MAGIC) == PASID_DEV_MAGIC_VALUE,
          "the physical function is gone, too");
}

int main(void)
{
    char bdf[sizeof(pf.bdf)];

    test_begin("vfs");
    iommufd_new();
    find_pasid_dev(bdf, sizeof(bdf));
    vfio_bind(&pf, bdf, token);
    open_functions();

    test_case("jobs-in-all");
    check_fills();
    test_case("apart");
    check_apart();
    test_case("pf-reset-in-work");
    reset_pf_in_work();
    for (unsigned n = 0; n < VFS; n++) {
        close_function(&functions[n]);
    }
    set_vfs(0);

    test_case("taken-away-in-work");
    open_functions();
    take_away_in_work();
    test_case("again");
    open_functions();
    check_fills();
    for (unsigned n = 0; n < VFS; n++) {
        close_function(&functions[n]);
    }
    set_vfs(0);
    pasid_dev_close(&pf);
    return test_end();
}
