/*
 * A queue with a PASID that is not bound to its function gets nothing: one
 * nobody has, the one of another process on another device, and none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libtest.h"

static PasidDev dev;

static void refused_with(uint32_t pasid, const char *name)
{
    PasidDevDescriptor job = { .op = PASID_DEV_OP_NOP };
    PasidDevCompletion done = { 0 };
    PasidQueue queue;
    int ret;

    test_case("%s", name);
    ret = pasid_queue_open_as(&queue, &dev, 0, 4, pasid);
    if (ret) {
        test_fail("queue: %s", strerror(-ret));
        return;
    }
    ret = pasid_queue_run(&queue, &job, &done);
    CHECK(ret == -EIO, "PASID %u: the device read its ring (%d, %s)", pasid,
          ret, pasid_status_name(done.status));
    CHECK(pasid_queue_read32(&queue, PASID_DEV_Q_ERROR) ==
          PASID_DEV_Q_ERROR_RING, "queue error %u",
          pasid_queue_read32(&queue, PASID_DEV_Q_ERROR));
    CHECK(pasid_queue_read64(&queue, PASID_DEV_Q_FAULT_ADDR) ==
          (uintptr_t)queue.ring, "at %#llx", (unsigned long long)
          pasid_queue_read64(&queue, PASID_DEV_Q_FAULT_ADDR));
    pasid_queue_close(&queue);

    /* The queue is as good as before. */
    open_queue(&queue, &dev, 0, 4);
    ret = pasid_queue_run(&queue, &job, &done);
    check_status(ret, &done, PASID_DEV_DONE_OK, "afterwards");
    pasid_queue_close(&queue);
}

int main(void)
{
    int up[2], down[2], status;
    uint32_t other = 0;
    pid_t pid;

    test_begin("foreign");
    if (pipe(up) || pipe(down)) {
        test_give_up("pipe: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        char c;

        close(down[1]);
        open_device(&dev, 1);
        if (write(up[1], &dev.pasid, 4) != 4 || read(down[0], &c, 1)) {
            _exit(1);
        }
        _exit(0);
    }
    close(down[0]);
    if (read(up[0], &other, 4) != 4) {
        test_give_up("the other process has no device");
    }
    open_device(&dev, 0);
    CHECK(other != dev.pasid, "two processes with one PASID");
    refused_with(other, "of-another-device");
    refused_with(900, "of-nobody");
    refused_with(0xfffff, "highest");
    close(down[1]);
    if (waitpid(pid, &status, 0) != pid || status) {
        test_fail("the other process ended with status %#x", status);
    }
    pasid_dev_close(&dev);
    return test_end();
}
