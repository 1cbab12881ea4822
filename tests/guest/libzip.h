/*
 * A user-space driver for hisi-zip through Linux's /dev/hisi_zip-N: uacce's
 * ioctls, the doorbell page and the queue memory, no other library. And what
 * checks the device's work on the CPU. docs/specs/hisi-zip.rst.
 *
 * A queue belongs to one thread at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIBZIP_H
#define LIBZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hisi-zip-abi.h"

typedef struct ZipQueue {
    int fd;
    uint16_t number;
    bool is_v3;
    bool wants_interrupt;       /* of each completion, for poll(2) */
    bool is_started;
    uint16_t sq_depth, cq_depth;
    uint16_t sq_tail, cq_head;
    bool phase;
    uint8_t *memory;            /* SQ, CQ, ..., status page */
    size_t memory_bytes;
    uint8_t *doorbells;
    size_t doorbells_bytes;
} ZipQueue;

/* What is asked of the device; zeroes are defaults. */
typedef struct ZipRequest {
    uint8_t format;             /* HISI_ZIP_FORMAT_* */
    uint8_t window;             /* HISI_ZIP_WINDOW_* */
    bool lists;                 /* src and dst are scatter/gather lists */
    const void *src;
    uint32_t src_bytes;
    void *dst;
    uint32_t room;
    uint32_t mode;              /* more bits of HISI_ZIP_SQE_MODE */
    uint32_t src_offset, dst_offset;    /* into lists */
    uint64_t tag;
    void *context;              /* of a stateful stream */
    uint32_t ctx0, ctx1, ctx2, isize, checksum;
} ZipRequest;

typedef struct ZipResult {
    uint8_t status;             /* HISI_ZIP_OK ... */
    bool last_block;
    uint32_t consumed, produced;
    uint64_t tag;
    uint32_t ctx0, ctx1, ctx2, isize, checksum;
    uint16_t slot;
} ZipResult;

/*
 * Open a queue of /dev/hisi_zip-@node for HISI_ZIP_COMPRESS or _DECOMPRESS,
 * bound to this process's address space. 0 or -errno.
 */
int zip_open(ZipQueue *q, unsigned node, unsigned direction);
void zip_close(ZipQueue *q);

/* Queue a request without waiting; -EAGAIN: the queue is full. */
int zip_submit(ZipQueue *q, const ZipRequest *req);
/* The oldest completion, if there is one. */
bool zip_reap(ZipQueue *q, ZipResult *result);
/*
 * Wait for the oldest completion, with poll(2) if the queue wants interrupts,
 * otherwise looking. 0 or -ETIMEDOUT.
 */
int zip_wait(ZipQueue *q, ZipResult *result, unsigned timeout_ms);
/* Submit and wait. */
int zip_run(ZipQueue *q, const ZipRequest *req, ZipResult *result);

/* The doorbells themselves, for tests that misuse them. */
void zip_ring_sq(ZipQueue *q, uint16_t tail);
void zip_ring_cq(ZipQueue *q, uint16_t head, bool arm);

/* ---- References on the CPU -------------------------------------------- */

uint32_t zip_crc32(const void *p, size_t bytes);
uint32_t zip_adler32(const void *p, size_t bytes);
uint32_t zip_reverse_bits(uint32_t value);

/*
 * Is @packed, which the device made with @format, a compression of @plain?
 * Asks busybox's gunzip, and checks the trailer. NULL: yes; otherwise why not.
 */
const char *zip_check_packed(unsigned format, const void *packed,
                             size_t packed_bytes, const void *plain,
                             size_t plain_bytes);

/* Bytes that compress: 0 zeroes, 1 words, 2 noise, 3 all of these. */
enum { ZIP_DATA_KINDS = 4 };
void zip_fill(void *p, size_t bytes, unsigned kind, uint64_t seed);

/* Room that any compression of @bytes fits in. */
static inline size_t zip_bound(size_t bytes)
{
    return bytes + bytes / 8 + 4096;
}

#endif
