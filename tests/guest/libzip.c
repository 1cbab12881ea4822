/*
 * User-space driver for hisi-zip, see libzip.h. The order of things, ioctl
 * numbers and layouts: Linux include/uapi/misc/uacce/{uacce,hisi_qm}.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "libtest.h"
#include "libzip.h"

struct qp_context {
    uint16_t id;
    uint16_t type;
};

struct qp_info {
    uint32_t sqe_size;
    uint16_t sq_depth;
    uint16_t cq_depth;
    uint64_t reserved;
};

#define UACCE_START_QUEUE   _IO('W', 0)
#define QM_SET_QP_CONTEXT   _IOWR('H', 10, struct qp_context)
#define QM_SET_QP_INFO      _IOWR('H', 11, struct qp_info)

enum { DOORBELL = 0x1000, DB_SQ = 0, DB_CQ = 1 };

static int sysfs_string(unsigned node, const char *name, char *text,
                        size_t bytes)
{
    char path[96];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "/sys/class/uacce/hisi_zip-%u/%s", node,
             name);
    f = fopen(path, "r");
    if (!f) {
        return -errno;
    }
    n = fread(text, 1, bytes - 1, f);
    fclose(f);
    text[n] = 0;
    return 0;
}

static size_t sysfs_size(unsigned node, const char *name)
{
    char text[32];

    return sysfs_string(node, name, text, sizeof(text)) ? 0 : (size_t)atol(text);
}

int zip_open(ZipQueue *q, unsigned node, unsigned direction)
{
    struct qp_context context = { .type = (uint16_t)direction };
    struct qp_info info = { 0 };
    char text[64];
    int ret;

    *q = (ZipQueue) { .fd = -1, .phase = true };
    ret = sysfs_string(node, "api", text, sizeof(text));
    if (ret) {
        return ret;
    }
    q->is_v3 = !strncmp(text, "hisi_qm_v3", 10);
    q->memory_bytes = sysfs_size(node, "region_dus_size");
    q->doorbells_bytes = sysfs_size(node, "region_mmio_size");

    snprintf(text, sizeof(text), "/dev/hisi_zip-%u", node);
    q->fd = open(text, O_RDWR | O_CLOEXEC);
    if (q->fd < 0) {
        return -errno;
    }
    q->memory = mmap(NULL, q->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                     q->fd, (off_t)page_bytes());
    if (q->memory == MAP_FAILED) {
        q->memory = NULL;
        goto fail;
    }
    q->doorbells = mmap(NULL, q->doorbells_bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED, q->fd, 0);
    if (q->doorbells == MAP_FAILED) {
        q->doorbells = NULL;
        goto fail;
    }
    if (ioctl(q->fd, QM_SET_QP_CONTEXT, &context) ||
        ioctl(q->fd, QM_SET_QP_INFO, &info) ||
        ioctl(q->fd, UACCE_START_QUEUE)) {
        goto fail;
    }
    if (info.sqe_size != HISI_ZIP_SQE_BYTES || info.sq_depth < 2 ||
        info.cq_depth < 2) {
        errno = EPROTO;
        goto fail;
    }
    q->number = context.id;
    q->sq_depth = info.sq_depth;
    q->cq_depth = info.cq_depth;
    q->is_started = true;
    return 0;

fail:
    ret = -errno;
    zip_close(q);
    return ret;
}

void zip_close(ZipQueue *q)
{
    if (q->doorbells) {
        munmap(q->doorbells, q->doorbells_bytes);
    }
    if (q->memory) {
        munmap(q->memory, q->memory_bytes);
    }
    if (q->fd >= 0) {
        close(q->fd);
    }
    *q = (ZipQueue) { .fd = -1 };
}

/* ---- Rings -------------------------------------------------------------- */

static void ring(ZipQueue *q, unsigned command, uint16_t index, bool priority)
{
    uint64_t value = q->number | (uint64_t)command << 12 |
                     (uint64_t)index << 32 | (uint64_t)priority << 48;

    /* What the device will read is written. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#ifdef __aarch64__
    __asm__ volatile("dsb st" ::: "memory");
#endif
    *(volatile uint64_t *)(q->doorbells + DOORBELL) = value;
}

void zip_ring_sq(ZipQueue *q, uint16_t tail)
{
    ring(q, DB_SQ, tail, false);
}

void zip_ring_cq(ZipQueue *q, uint16_t head, bool arm)
{
    ring(q, DB_CQ, head, arm);
}

static uint32_t *sqe_of(ZipQueue *q, unsigned slot)
{
    return (uint32_t *)(q->memory + (size_t)slot * HISI_ZIP_SQE_BYTES);
}

static uint16_t *cqe_of(ZipQueue *q, unsigned slot)
{
    return (uint16_t *)(q->memory + (size_t)q->sq_depth * HISI_ZIP_SQE_BYTES +
                        (size_t)slot * HISI_ZIP_CQE_BYTES);
}

static void put_address(uint32_t *sqe, unsigned word, uint64_t value)
{
    sqe[word] = (uint32_t)value;
    sqe[word + 1] = (uint32_t)(value >> 32);
}

int zip_submit(ZipQueue *q, const ZipRequest *req)
{
    uint32_t *sqe = sqe_of(q, q->sq_tail);
    uint16_t used = (uint16_t)((q->sq_tail + q->sq_depth - q->cq_head) %
                               q->sq_depth);

    if (used == q->sq_depth - 1) {
        return -EAGAIN;
    }
    memset(sqe, 0, HISI_ZIP_SQE_BYTES);
    sqe[HISI_ZIP_SQE_INPUT_LEN] = req->src_bytes;
    sqe[HISI_ZIP_SQE_MODE] = HISI_ZIP_MODE_TYPE(q->is_v3 ? 3 : 0) |
                             HISI_ZIP_MODE_SRC_OFFSET(req->src_offset) |
                             req->mode;
    if (!(req->mode & HISI_ZIP_MODE_STATEFUL)) {
        sqe[HISI_ZIP_SQE_MODE] |= HISI_ZIP_MODE_FINISH |
                                  HISI_ZIP_MODE_NEW_STREAM;
    }
    sqe[HISI_ZIP_SQE_DST_OFFSET] = req->dst_offset;
    sqe[HISI_ZIP_SQE_REQUEST] =
        HISI_ZIP_REQUEST(req->format, req->lists ? HISI_ZIP_BUFFERS_LIST
                                                 : HISI_ZIP_BUFFERS_FLAT,
                         req->window);
    sqe[HISI_ZIP_SQE_OUTPUT_ROOM] = req->room;
    put_address(sqe, HISI_ZIP_SQE_SRC, (uintptr_t)req->src);
    put_address(sqe, HISI_ZIP_SQE_DST, (uintptr_t)req->dst);
    put_address(sqe, HISI_ZIP_SQE_CTX_ADDR, (uintptr_t)req->context);
    put_address(sqe, HISI_ZIP_SQE_TAG3, req->tag);
    sqe[HISI_ZIP_SQE_CTX0] = req->ctx0;
    sqe[HISI_ZIP_SQE_CTX1] = req->ctx1;
    sqe[HISI_ZIP_SQE_CTX2] = req->ctx2;
    sqe[HISI_ZIP_SQE_ISIZE] = req->isize;
    sqe[HISI_ZIP_SQE_CHECKSUM] = req->checksum;
    q->sq_tail = (uint16_t)((q->sq_tail + 1) % q->sq_depth);
    zip_ring_sq(q, q->sq_tail);
    return 0;
}

bool zip_reap(ZipQueue *q, ZipResult *result)
{
    uint16_t *cqe = cqe_of(q, q->cq_head);
    uint16_t word7 = __atomic_load_n(&cqe[7], __ATOMIC_ACQUIRE);
    const uint32_t *sqe;

    if ((word7 & 1) != q->phase) {
        return false;
    }
    sqe = sqe_of(q, cqe[4] % q->sq_depth);
    *result = (ZipResult) {
        .status = HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]),
        .last_block = sqe[HISI_ZIP_SQE_STATUS] & HISI_ZIP_STATUS_LAST_BLOCK,
        .consumed = sqe[HISI_ZIP_SQE_CONSUMED],
        .produced = sqe[HISI_ZIP_SQE_PRODUCED],
        .tag = sqe[HISI_ZIP_SQE_TAG3] |
               (uint64_t)sqe[HISI_ZIP_SQE_TAG3 + 1] << 32,
        .ctx0 = sqe[HISI_ZIP_SQE_CTX0],
        .ctx1 = sqe[HISI_ZIP_SQE_CTX1],
        .ctx2 = sqe[HISI_ZIP_SQE_CTX2],
        .isize = sqe[HISI_ZIP_SQE_ISIZE],
        .checksum = sqe[HISI_ZIP_SQE_CHECKSUM],
        .slot = cqe[4],
    };
    q->cq_head = (uint16_t)((q->cq_head + 1) % q->cq_depth);
    if (!q->cq_head) {
        q->phase = !q->phase;
    }
    zip_ring_cq(q, q->cq_head, q->wants_interrupt);
    return true;
}

static int poll_queue(ZipQueue *q, unsigned timeout_ms)
{
    struct pollfd pfd = { .fd = q->fd, .events = POLLIN };
    int ret = poll(&pfd, 1, (int)timeout_ms);

    return ret < 0 && errno != EINTR ? -errno : 0;
}

int zip_wait(ZipQueue *q, ZipResult *result, unsigned timeout_ms)
{
    uint64_t end = now_us() + (uint64_t)timeout_ms * 1000;

    /*
     * Linux follows the completions with an index of its own, one step in
     * each poll(), and is lost when it falls behind by a whole ring.
     */
    if (q->wants_interrupt && poll_queue(q, 0)) {
        return -EIO;
    }
    while (!zip_reap(q, result)) {
        if (now_us() > end) {
            return -ETIMEDOUT;
        }
        if (!q->wants_interrupt) {
            sched_yield();
        } else if (poll_queue(q, timeout_ms)) {
            return -EIO;
        }
    }
    return 0;
}

int zip_run(ZipQueue *q, const ZipRequest *req, ZipResult *result)
{
    int ret = zip_submit(q, req);

    return ret ? ret : zip_wait(q, result, 30000);
}

/* ---- References --------------------------------------------------------- */

uint32_t zip_reverse_bits(uint32_t value)
{
    uint32_t reversed = 0;

    for (unsigned i = 0; i < 32; i++) {
        reversed |= (value >> i & 1) << (31 - i);
    }
    return reversed;
}

uint32_t zip_crc32(const void *p, size_t bytes)
{
    static uint32_t table[256];
    const uint8_t *data = p;
    uint32_t crc = UINT32_MAX;

    if (!table[1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;

            for (unsigned bit = 0; bit < 8; bit++) {
                c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
            }
            table[i] = c;
        }
    }
    for (size_t i = 0; i < bytes; i++) {
        crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}

uint32_t zip_adler32(const void *p, size_t bytes)
{
    const uint8_t *data = p;
    uint32_t a = 1, b = 0;

    while (bytes) {
        size_t n = bytes < 5000 ? bytes : 5000;

        bytes -= n;
        while (n--) {
            a += *data++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static void put_le32(uint8_t *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

static const char *compare_gunzip(const char *path, const uint8_t *plain,
                                  size_t plain_bytes)
{
    static uint8_t chunk[65536];
    char command[96];
    const char *why = NULL;
    size_t at = 0, n;
    FILE *pipe;

    snprintf(command, sizeof(command), "gunzip -c %s", path);
    pipe = popen(command, "r");
    if (!pipe) {
        return "gunzip cannot be started";
    }
    while ((n = fread(chunk, 1, sizeof(chunk), pipe)) > 0) {
        if (n > plain_bytes - at || memcmp(chunk, plain + at, n)) {
            why = "gunzip finds other bytes";
            break;
        }
        at += n;
    }
    if (pclose(pipe) && !why) {
        why = "gunzip does not like it";
    }
    return why ? why : at == plain_bytes ? NULL : "gunzip finds fewer bytes";
}

const char *zip_check_packed(unsigned format, const void *packed,
                             size_t packed_bytes, const void *plain,
                             size_t plain_bytes)
{
    static const uint8_t header[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
    static const size_t trailer_bytes[] = { 0, 0, 4, 8 };
    const uint8_t *trailer;
    uint8_t own_trailer[8];
    char path[64];
    const char *why;
    FILE *f;

    if (packed_bytes < trailer_bytes[format]) {
        return "shorter than its trailer";
    }
    packed_bytes -= trailer_bytes[format];
    trailer = (const uint8_t *)packed + packed_bytes;
    put_le32(own_trailer, zip_crc32(plain, plain_bytes));
    put_le32(own_trailer + 4, (uint32_t)plain_bytes);
    if (format == HISI_ZIP_FORMAT_ZLIB &&
        __builtin_bswap32(le32(trailer)) != zip_adler32(plain, plain_bytes)) {
        return "wrong Adler-32 in the trailer";
    }
    if (format == HISI_ZIP_FORMAT_GZIP && memcmp(trailer, own_trailer, 8)) {
        return "wrong CRC-32 or length in the trailer";
    }

    snprintf(path, sizeof(path), "/tmp/zip-%d.gz", (int)getpid());
    f = fopen(path, "w");
    if (!f) {
        return "no file in /tmp";
    }
    if (fwrite(header, 1, sizeof(header), f) != sizeof(header) ||
        fwrite(packed, 1, packed_bytes, f) != packed_bytes ||
        fwrite(own_trailer, 1, 8, f) != 8) {
        fclose(f);
        return "/tmp is full";
    }
    fclose(f);
    why = compare_gunzip(path, plain, plain_bytes);
    unlink(path);
    return why;
}

void zip_fill(void *p, size_t bytes, unsigned kind, uint64_t seed)
{
    static const char *const words[] = {
        "address ", "space ", "shared ", "stream ", "page ", "fault ",
        "stall ", "resume ", "of ", "the ", "and ", "a ", "queue ", "table ",
        "walk ", "entry\n",
    };
    uint8_t *to = p;
    uint64_t state = seed * 2 + 1;

    switch (kind) {
    case 0:
        memset(p, 0, bytes);
        break;
    case 1:
        for (size_t at = 0; at < bytes;) {
            const char *word = words[random_next(&state) >> 20 & 15];
            size_t n = strlen(word);

            n = n < bytes - at ? n : bytes - at;
            memcpy(to + at, word, n);
            at += n;
        }
        break;
    case 2:
        random_fill(p, bytes, seed);
        break;
    default:
        for (size_t at = 0, turn = 0; at < bytes; turn++) {
            size_t n = 1 + (random_next(&state) >> 16) % 40000;

            n = n < bytes - at ? n : bytes - at;
            zip_fill(to + at, n, turn % 3, seed + turn);
            at += n;
        }
        break;
    }
}
