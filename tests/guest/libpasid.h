/*
 * A small user-space driver for pasid-dev, on top of the kernel's own
 * uio_pci_generic_sva. Not a test: an example of how a program gives its own
 * memory to the device. Used by the guest programs.
 *
 * Opening /dev/uioN binds the calling process's address space to the function
 * and gives it a PASID. From then on every address the process can use, the
 * device can use: nothing is pinned, copied or mapped beforehand.
 *
 * The life of a job:
 *     PasidDev dev;
 *     PasidQueue queue;
 *     PasidDevCompletion done;
 *
 *     pasid_dev_open(&dev, 0);
 *     pasid_queue_open(&queue, &dev, 0, 4);
 *     pasid_copy(&queue, to, from, bytes, &done);
 *     pasid_queue_close(&queue);
 *     pasid_dev_close(&dev);
 *
 * Functions return 0 (or what they say) or a negative errno. One thread at a
 * time may use a queue; different queues are independent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIBPASID_H
#define LIBPASID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pasid-dev-abi.h"

typedef struct PasidDev {
    int fd;                     /* of /dev/uioN: holds the binding */
    volatile uint8_t *bar;      /* BAR0 */
    size_t bar_bytes;
    uint32_t pasid;             /* of this process, from the kernel */
    unsigned queues;
    uint64_t ops;               /* bit n: PASID_DEV_OP_n exists */
    char bdf[32];               /* PCI address, as in sysfs */
} PasidDev;

typedef struct PasidQueue {
    PasidDev *dev;
    unsigned index;
    volatile uint8_t *portal;
    PasidDevDescriptor *ring;           /* ordinary memory of this process */
    PasidDevCompletion *completions;
    unsigned entries;
    uint16_t tail;              /* next slot to fill, free-running */
    uint16_t oldest;            /* oldest job not yet waited for */
} PasidQueue;

/*
 * Bind this process to the device of /dev/uio@uio and map its registers.
 * -ENODEV: no such device or not a pasid-dev; -EINVAL from open(): the kernel
 * refused SVA (see its log); -EPROTO: an unknown version of the device.
 */
int pasid_dev_open(PasidDev *dev, unsigned uio);

/*
 * Give the registers and the binding back. Wait for all jobs before: Linux 7.3
 * takes the binding away without waiting for page faults that it is still
 * serving, and may then use what it has freed. For the same reason a program
 * that may be killed does well to leave a duplicate of @dev->fd with another
 * process, which closes it when the device has stopped.
 */
void pasid_dev_close(PasidDev *dev);

/* Registers of the administration page, and of a queue's portal. */
uint32_t pasid_dev_read32(const PasidDev *dev, unsigned reg);
uint64_t pasid_dev_read64(const PasidDev *dev, unsigned reg);
void pasid_dev_write32(const PasidDev *dev, unsigned reg, uint32_t value);
uint32_t pasid_queue_read32(const PasidQueue *q, unsigned reg);
uint64_t pasid_queue_read64(const PasidQueue *q, unsigned reg);
void pasid_queue_write32(const PasidQueue *q, unsigned reg, uint32_t value);
void pasid_queue_write64(const PasidQueue *q, unsigned reg, uint64_t value);

/*
 * Take queue @index, whatever its last owner left in it, with room for
 * 2^@entries_log2 jobs (0 ... 15), and this process's PASID.
 * -EINVAL: no such queue; -ENOMEM; -EIO: the device refuses the set-up.
 */
int pasid_queue_open(PasidQueue *q, PasidDev *dev, unsigned index,
                     unsigned entries_log2);

/*
 * As above, with up to @jobs in work at once (1 ... PASID_DEV_JOBS): they may be
 * done in any order, and are waited for in the order of their submission.
 */
int pasid_queue_open_jobs(PasidQueue *q, PasidDev *dev, unsigned index,
                          unsigned entries_log2, unsigned jobs);

/* As pasid_queue_open(), with a @pasid that need not be the process's own: for tests. */
int pasid_queue_open_as(PasidQueue *q, PasidDev *dev, unsigned index,
                        unsigned entries_log2, uint32_t pasid);

/* Abandon its jobs and free its memory. */
void pasid_queue_close(PasidQueue *q);

/*
 * Hand a job to the device: returns its ticket (0 ... 65535) for
 * pasid_queue_wait(), or -EAGAIN when the ring is full. Jobs of a queue run
 * one after the other, unless it was opened for several; wait for them in the
 * same order.
 */
int pasid_queue_submit(PasidQueue *q, const PasidDevDescriptor *job);

/* As pasid_queue_submit() for @count jobs with one doorbell; -EAGAIN: none. */
int pasid_queue_submit_many(PasidQueue *q, const PasidDevDescriptor *jobs,
                            unsigned count);

/* Whether the job of @ticket is done; a look at memory only. */
bool pasid_queue_done(const PasidQueue *q, int ticket);

/*
 * Wait for a job, at most @timeout_ms, and copy its record to @done (NULL:
 * not wanted). Its ring slot is free again afterwards. -ETIMEDOUT; -EIO: the
 * queue stopped with an error (see PASID_DEV_Q_ERROR).
 */
int pasid_queue_wait(PasidQueue *q, int ticket, unsigned timeout_ms,
                     PasidDevCompletion *done);

/* Submit and wait (60 s). */
int pasid_queue_run(PasidQueue *q, const PasidDevDescriptor *job,
                    PasidDevCompletion *done);

/*
 * One operation each, submitted and waited for. They return 0 when the device
 * completed the job, with whatever status: look at done->status.
 */
int pasid_copy(PasidQueue *q, void *to, const void *from, size_t bytes,
               PasidDevCompletion *done);
int pasid_fill(PasidQueue *q, void *to, uint64_t pattern, size_t bytes,
               PasidDevCompletion *done);
int pasid_compare(PasidQueue *q, const void *a, const void *b, size_t bytes,
                  PasidDevCompletion *done);
int pasid_crc32c(PasidQueue *q, const void *from, size_t bytes,
                 PasidDevCompletion *done);
int pasid_sum(PasidQueue *q, const void *from, size_t bytes,
              PasidDevCompletion *done);
/* Walk at most @nodes nodes; the offsets are those of the two fields. */
int pasid_list(PasidQueue *q, const void *first, size_t nodes,
               size_t next_offset, size_t value_offset,
               PasidDevCompletion *done);
/* Where an access would go: done->result is a physical address. */
int pasid_probe(PasidQueue *q, const void *where, bool write,
                PasidDevCompletion *done);

/* A name for a PASID_DEV_DONE_* value. */
const char *pasid_status_name(uint32_t status);

#endif
