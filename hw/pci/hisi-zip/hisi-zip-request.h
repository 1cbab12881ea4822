/*
 * A queue entry of the ZIP engine (SQE), taken apart and filled in. Knows
 * neither queues nor memory. Called by hisi-zip-job.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_REQUEST_H
#define HW_PCI_HISI_ZIP_REQUEST_H

#include "hisi-zip-abi.h"
#include "hisi-zip-check.h"

typedef struct HisiZipRequest {
    uint32_t sqe[HISI_ZIP_SQE_WORDS];   /* as it came, in the host's order */
    bool decompress;
    bool is_list;               /* source and destination are lists */
    bool is_stateful;
    bool is_new_stream;
    bool finishes;              /* a stateful one: ends the stream */
    uint8_t format;             /* HISI_ZIP_FORMAT_* */
    uint8_t window;             /* HISI_ZIP_WINDOW_* */
    uint64_t src, dst, context; /* addresses */
    uint32_t src_offset, dst_offset;    /* into the lists */
    uint32_t input_bytes;
    uint32_t room;              /* bytes of output */
} HisiZipRequest;

/* What becomes of it. */
typedef struct HisiZipResult {
    uint8_t status;             /* HISI_ZIP_* */
    uint8_t context_state;      /* HISI_ZIP_CTX_* */
    bool last_block_seen;
    uint32_t consumed;
    uint32_t produced;
    const HisiZipCheck *check;  /* or NULL: none was computed */
} HisiZipResult;

/*
 * @sqe: little-endian, as in memory; @type: of its queue, HISI_ZIP_COMPRESS or
 * HISI_ZIP_DECOMPRESS. HISI_ZIP_OK, or what is wrong with it.
 */
uint8_t hisi_zip_request_decode(HisiZipRequest *r, const uint32_t *sqe,
                                unsigned type);
/* The entry that software gets back, little-endian, into @sqe. */
void hisi_zip_request_result(const HisiZipRequest *r,
                             const HisiZipResult *result, uint32_t *sqe);

#endif
