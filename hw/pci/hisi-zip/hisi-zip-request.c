/*
 * A queue entry of the ZIP engine, see hisi-zip-request.h. Called by
 * hisi-zip-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hisi-zip-request.h"

static uint64_t address(const uint32_t *sqe, unsigned word)
{
    return sqe[word] | (uint64_t)sqe[word + 1] << 32;
}

static uint32_t reverse_bits(uint32_t value)
{
    uint32_t reversed = 0;

    for (unsigned i = 0; i < 32; i++) {
        reversed |= (value >> i & 1) << (31 - i);
    }
    return reversed;
}

uint8_t hisi_zip_request_decode(HisiZipRequest *r, const uint32_t *sqe,
                                unsigned type)
{
    uint32_t *words = r->sqe;
    uint32_t request, mode, buffers;

    for (unsigned i = 0; i < HISI_ZIP_SQE_WORDS; i++) {
        words[i] = le32_to_cpu(sqe[i]);
    }
    request = words[HISI_ZIP_SQE_REQUEST];
    mode = words[HISI_ZIP_SQE_MODE];
    buffers = HISI_ZIP_REQUEST_BUFFERS(request);
    r->decompress = type == HISI_ZIP_DECOMPRESS;
    r->is_list = buffers == HISI_ZIP_BUFFERS_LIST;
    r->is_stateful = mode & HISI_ZIP_MODE_STATEFUL;
    r->is_new_stream = mode & HISI_ZIP_MODE_NEW_STREAM;
    r->finishes = mode & HISI_ZIP_MODE_FINISH;
    r->format = HISI_ZIP_REQUEST_FORMAT(request);
    r->window = HISI_ZIP_REQUEST_WINDOW(request);
    r->src = address(words, HISI_ZIP_SQE_SRC);
    r->dst = address(words, HISI_ZIP_SQE_DST);
    r->context = address(words, HISI_ZIP_SQE_CTX_ADDR);
    r->src_offset = HISI_ZIP_MODE_SRC_OFFSET(mode);
    r->dst_offset = words[HISI_ZIP_SQE_DST_OFFSET] & 0xffffff;
    r->input_bytes = words[HISI_ZIP_SQE_INPUT_LEN];
    r->room = words[HISI_ZIP_SQE_OUTPUT_ROOM];

    if (r->format < HISI_ZIP_FORMAT_RAW || r->format > HISI_ZIP_FORMAT_GZIP ||
        type > HISI_ZIP_DECOMPRESS) {
        return HISI_ZIP_UNSUPPORTED;
    }
    if (buffers > HISI_ZIP_BUFFERS_LIST || r->window > HISI_ZIP_WINDOW_32K) {
        return HISI_ZIP_BAD_REQUEST;
    }
    return HISI_ZIP_OK;
}

void hisi_zip_request_result(const HisiZipRequest *r,
                             const HisiZipResult *result, uint32_t *sqe)
{
    const HisiZipCheck *check = result->check;
    uint8_t status = result->status;

    memcpy(sqe, r->sqe, HISI_ZIP_SQE_BYTES);
    if (status == HISI_ZIP_OK && !r->decompress && !r->is_stateful &&
        result->produced >= r->input_bytes) {
        status = HISI_ZIP_NOT_SMALLER;
    }
    sqe[HISI_ZIP_SQE_CONSUMED] = result->consumed;
    sqe[HISI_ZIP_SQE_PRODUCED] = result->produced;
    sqe[HISI_ZIP_SQE_COMP_LEN] = 0;
    sqe[HISI_ZIP_SQE_STATUS] = status |
        (result->last_block_seen ? HISI_ZIP_STATUS_LAST_BLOCK : 0);
    if (r->is_stateful) {
        sqe[HISI_ZIP_SQE_CTX0] = (sqe[HISI_ZIP_SQE_CTX0] & ~0xfu) |
                                 result->context_state;
    }
    if (check && check->format == HISI_ZIP_FORMAT_ZLIB) {
        sqe[HISI_ZIP_SQE_CHECKSUM] = check->checksum;
    } else if (check && check->format == HISI_ZIP_FORMAT_GZIP) {
        sqe[HISI_ZIP_SQE_CHECKSUM] = ~reverse_bits(check->checksum);
        sqe[HISI_ZIP_SQE_ISIZE] = check->plain_bytes;
    }
    for (unsigned i = 0; i < HISI_ZIP_SQE_WORDS; i++) {
        sqe[i] = cpu_to_le32(sqe[i]);
    }
}
