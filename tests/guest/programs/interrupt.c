/*
 * A job that asks for an interrupt gives one: its MSI is a write through the
 * SMMU to the ITS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "libtest.h"

int main(void)
{
    PasidDev dev;
    PasidQueue queue;
    PasidDevDescriptor job = {
        .op = PASID_DEV_OP_NOP, .flags = PASID_DEV_DESC_IRQ,
    };
    PasidDevCompletion done;
    int32_t events, first = 0;
    struct pollfd fd;

    test_begin("interrupt");
    open_device(&dev, 0);
    open_queue(&queue, &dev, 0, 4);
    fd = (struct pollfd) { .fd = dev.fd, .events = POLLIN };
    for (int i = 0; i < 20; i++) {
        int ticket = pasid_queue_submit(&queue, &job);

        if (poll(&fd, 1, 5000) != 1) {
            test_fail("no interrupt for job %d", i);
            break;
        }
        if (read(dev.fd, &events, sizeof(events)) != sizeof(events)) {
            test_fail("read: %s", strerror(errno));
            break;
        }
        if (i == 0) {
            first = events;
        }
        CHECK(events == first + i, "%d interrupts for %d jobs",
              events - first + 1, i + 1);
        CHECK(pasid_queue_done(&queue, ticket),
              "the interrupt came before the record");
        check_status(pasid_queue_wait(&queue, ticket, 5000, &done), &done,
                     PASID_DEV_DONE_OK, "nop");
    }
    job.flags = 0;
    check_status(pasid_queue_run(&queue, &job, &done), &done,
                 PASID_DEV_DONE_OK, "nop");
    CHECK(poll(&fd, 1, 100) == 0, "an interrupt nobody asked for");
    pasid_queue_close(&queue);
    pasid_dev_close(&dev);
    return test_end();
}
