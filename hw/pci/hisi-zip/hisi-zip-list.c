/*
 * Flat buffers and scatter/gather lists of the ZIP engine, see
 * hisi-zip-list.h. A list is read header by header, entry by entry: it is as
 * long as its author likes, and what is kept of it is one entry.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hisi-zip-list.h"

/* Headers and entries of one list. */
enum { MAX_STEPS = 65536 };
/* What one call may cost, as SvaRequester.cost counts, and a step beyond it. */
#define MOVE_COST       (128 * 1024)
/*
 * Between two looks at the cost, which a device's registers drive up: little,
 * until the page has shown by that that it is memory, and then the rest of it.
 */
enum { PROBE_BYTES = 256 };
#define NO_PAGE         UINT64_MAX

void hisi_zip_cursor_init(HisiZipCursor *cursor, bool is_list, uint64_t addr,
                          uint32_t offset)
{
    *cursor = (HisiZipCursor) {
        .is_list = is_list,
        .addr = addr,
        .left = is_list ? 0 : UINT64_MAX,
        .skip = is_list ? offset : 0,
        .node = addr,
        .steps_left = MAX_STEPS,
        .memory_page = NO_PAGE,
    };
}

static HisiZipMove move_of(SvaDma dma, HisiZipMove when_refused)
{
    switch (dma) {
    case SVA_DMA_DONE:
        return HISI_ZIP_MOVED;
    case SVA_DMA_STALLED:
        return HISI_ZIP_MOVE_STALLED;
    case SVA_DMA_ELSEWHERE:
        return HISI_ZIP_MOVE_ELSEWHERE;
    case SVA_DMA_GONE:
        return HISI_ZIP_MOVE_GONE;
    case SVA_DMA_REFUSED:
    default:
        return when_refused;
    }
}

static HisiZipMove fetch(HisiZipCursor *cursor, SvaChannel *ch, uint64_t addr,
                         size_t bytes)
{
    SvaDma dma = sva_dma_read(ch, addr, cursor->raw, bytes,
                              &cursor->raw_bytes);

    if (dma == SVA_DMA_DONE) {
        cursor->raw_bytes = 0;
        cursor->steps_left--;
    }
    return move_of(dma, HISI_ZIP_LIST_NOT_READ);
}

static HisiZipMove fetch_header(HisiZipCursor *cursor, SvaChannel *ch)
{
    HisiZipMove move = fetch(cursor, ch, cursor->node, HISI_SGL_HEADER_BYTES);

    if (move == HISI_ZIP_MOVED) {
        cursor->header_is_read = true;
        cursor->next = ldq_le_p(cursor->raw + HISI_SGL_NEXT);
        cursor->entries_here = lduw_le_p(cursor->raw + HISI_SGL_ENTRIES_HERE);
        cursor->entry = 0;
    }
    return move;
}

static HisiZipMove fetch_entry(HisiZipCursor *cursor, SvaChannel *ch)
{
    uint64_t addr = cursor->node + HISI_SGL_HEADER_BYTES +
                    (uint64_t)cursor->entry * HISI_SGE_BYTES;
    HisiZipMove move = fetch(cursor, ch, addr, HISI_SGE_BYTES);
    uint32_t skip;

    if (move == HISI_ZIP_MOVED) {
        cursor->entry++;
        cursor->addr = ldq_le_p(cursor->raw + HISI_SGE_ADDR);
        cursor->left = (uint32_t)ldl_le_p(cursor->raw + HISI_SGE_LEN);
        skip = MIN(cursor->skip, cursor->left);
        cursor->skip -= skip;
        cursor->addr += skip;
        cursor->left -= skip;
    }
    return move;
}

/* Until there is a piece with bytes left, or the list ends. */
static HisiZipMove next_piece(HisiZipCursor *cursor, SvaChannel *ch,
                              uint64_t cost_end)
{
    while (!cursor->left && !cursor->ended) {
        HisiZipMove move;

        if (!cursor->steps_left) {
            return HISI_ZIP_LIST_IS_BAD;
        }
        if (ch->requester->cost >= cost_end) {
            return HISI_ZIP_MOVE_YIELD;
        }
        if (!cursor->header_is_read) {
            move = fetch_header(cursor, ch);
        } else if (cursor->entry < cursor->entries_here) {
            move = fetch_entry(cursor, ch);
        } else {
            cursor->ended = !cursor->next;
            cursor->node = cursor->next;
            cursor->header_is_read = false;
            continue;
        }
        if (move != HISI_ZIP_MOVED) {
            return move;
        }
    }
    return HISI_ZIP_MOVED;
}

/* Bytes at the cursor that may go before the next look at the cost. */
static uint64_t piece_bytes(const HisiZipCursor *cursor, size_t len)
{
    uint64_t n = MIN(cursor->left, len - cursor->moved);
    uint64_t page_left = SVA_DMA_PAGE_BYTES -
                         cursor->addr % SVA_DMA_PAGE_BYTES;

    n = MIN(n, page_left);
    return cursor->addr / SVA_DMA_PAGE_BYTES == cursor->memory_page
           ? n : MIN(n, PROBE_BYTES);
}

static HisiZipMove cursor_move(HisiZipCursor *cursor, SvaChannel *ch,
                               uint32_t list_pasid, uint32_t data_pasid,
                               uint8_t *to, const uint8_t *from, size_t len,
                               size_t *moved)
{
    uint64_t cost_end = ch->requester->cost + MOVE_COST;

    while (cursor->moved < len) {
        uint64_t n, done = 0, cost = ch->requester->cost;
        HisiZipMove move;
        SvaDma dma;

        if (cost >= cost_end) {
            return HISI_ZIP_MOVE_YIELD;
        }
        if (!cursor->left) {
            ch->pasid = list_pasid;
            move = next_piece(cursor, ch, cost_end);
            if (move != HISI_ZIP_MOVED) {
                return move;
            }
            if (cursor->ended) {
                break;
            }
        }
        ch->pasid = data_pasid;
        n = piece_bytes(cursor, len);
        cost = ch->requester->cost;
        dma = to ? sva_dma_read(ch, cursor->addr, to + cursor->moved, n, &done)
                 : sva_dma_write(ch, cursor->addr, from + cursor->moved, n,
                                 &done);
        if (dma == SVA_DMA_GONE) {
            return HISI_ZIP_MOVE_GONE;
        }
        cost = ch->requester->cost - cost;
        cursor->memory_page = cost <= SVA_ACCESS_COST + done
                              ? cursor->addr / SVA_DMA_PAGE_BYTES : NO_PAGE;
        cursor->addr += done;
        cursor->left -= cursor->is_list ? done : 0;
        cursor->moved += done;
        if (dma != SVA_DMA_DONE) {
            return move_of(dma, HISI_ZIP_MOVE_REFUSED);
        }
    }
    *moved = cursor->moved;
    cursor->moved = 0;
    return HISI_ZIP_MOVED;
}

HisiZipMove hisi_zip_cursor_read(HisiZipCursor *cursor, SvaChannel *ch,
                                 uint32_t list_pasid, uint32_t data_pasid,
                                 void *buf, size_t len, size_t *moved)
{
    return cursor_move(cursor, ch, list_pasid, data_pasid, buf, NULL, len,
                       moved);
}

HisiZipMove hisi_zip_cursor_write(HisiZipCursor *cursor, SvaChannel *ch,
                                  uint32_t list_pasid, uint32_t data_pasid,
                                  const void *buf, size_t len, size_t *moved)
{
    return cursor_move(cursor, ch, list_pasid, data_pasid, NULL, buf, len,
                       moved);
}
