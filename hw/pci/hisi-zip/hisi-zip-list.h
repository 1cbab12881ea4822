/*
 * A request's source or destination as a stream of bytes: a flat buffer or a
 * scatter/gather list, walked as the transfer goes. Any read or write of it
 * may stall; the cursor then stands where the same call goes on.
 * Called by hisi-zip-job.c and hisi-zip-context.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_LIST_H
#define HW_PCI_HISI_ZIP_LIST_H

#include "hisi-zip-abi.h"
#include "hw/pci/sva/requester.h"

typedef enum HisiZipMove {
    HISI_ZIP_MOVED,         /* all of it, or up to the end of the list */
    HISI_ZIP_MOVE_YIELD,    /* that cost enough: go on later */
    HISI_ZIP_MOVE_STALLED,
    HISI_ZIP_MOVE_ELSEWHERE,    /* again, under the big lock */
    HISI_ZIP_MOVE_REFUSED,  /* the data */
    HISI_ZIP_LIST_NOT_READ, /* refused, the list */
    HISI_ZIP_LIST_IS_BAD,
    HISI_ZIP_MOVE_GONE,     /* see SVA_DMA_GONE */
} HisiZipMove;

typedef struct HisiZipCursor {
    bool is_list;
    bool ended;             /* a list: no more of it */
    uint64_t addr;          /* of the piece in work */
    uint64_t left;          /* bytes of it, flat: no limit */
    uint64_t moved;         /* bytes of the current call */
    uint32_t skip;          /* bytes of the list before the data */
    uint64_t memory_page;   /* the page in which the last move was cheap */

    /* A list */
    uint64_t node;          /* address of the header in work */
    uint64_t next;
    bool header_is_read;
    uint32_t entries_here;
    uint32_t entry;
    uint32_t steps_left;    /* a list that is a ring ends here */
    uint8_t raw[HISI_SGL_HEADER_BYTES];
    uint64_t raw_bytes;
} HisiZipCursor;

/* @offset: where in the list the data starts; of no meaning when flat. */
void hisi_zip_cursor_init(HisiZipCursor *cursor, bool is_list, uint64_t addr,
                          uint32_t offset);

/*
 * Moves @len bytes (> 0) between @buf and the cursor's memory. Until it is
 * something else than YIELD, STALLED or ELSEWHERE, call it again with the same arguments.
 * MOVED: *@moved bytes went; fewer than @len at the end of a list.
 * @list_pasid, @data_pasid: of the list itself and of what it points to.
 */
HisiZipMove hisi_zip_cursor_read(HisiZipCursor *cursor, SvaChannel *ch,
                                 uint32_t list_pasid, uint32_t data_pasid,
                                 void *buf, size_t len, size_t *moved);
HisiZipMove hisi_zip_cursor_write(HisiZipCursor *cursor, SvaChannel *ch,
                                  uint32_t list_pasid, uint32_t data_pasid,
                                  const void *buf, size_t len, size_t *moved);

#endif
