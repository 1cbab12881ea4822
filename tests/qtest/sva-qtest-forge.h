/*
 * Migration streams that tests change before they let them in: QEMU's own
 * description at the end of a stream says where each field is. Not migration
 * as users have it, which is sva-qtest-state.h's. Used by the tests of devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SVA_QTEST_FORGE_H
#define SVA_QTEST_FORGE_H

#include "sva-qtest.h"

typedef struct SvaStream {
    uint8_t *bytes;
    size_t len;
    size_t state;               /* the device's, in bytes[] */
    QDict *fields;              /* description of it */
} SvaStream;

/* What @t would send; its machine stands still then. @device: a vmstate name. */
SvaStream *sva_stream_take(SvaQtest *t, const char *device);
void sva_stream_free(SvaStream *s);

/*
 * A field by its path, as "qm/sq[3]/submitted"; it must be there. Values are
 * numbers of 1, 2, 4 or 8 bytes.
 */
uint64_t sva_stream_get(const SvaStream *s, const char *path);
void sva_stream_set(SvaStream *s, const char *path, uint64_t value);
/*
 * Calls @visit for each field, in the order of the stream, that is a number or
 * some other row of bytes at bytes[@at]; of an array, for each element.
 */
typedef void SvaFieldVisit(void *opaque, const char *path, size_t at,
                           size_t bytes);
void sva_stream_each(const SvaStream *s, SvaFieldVisit *visit, void *opaque);
/* Leaves out all from @path on. */
void sva_stream_cut(SvaStream *s, const char *path);

/*
 * From now on @s is the same of the snapshot in the disk image @file, as
 * sva_make_disk() makes one; the second puts bytes[] into the image again, for
 * the QEMU that has it open.
 */
void sva_stream_be_snapshot(SvaStream *s, const char *file);
void sva_stream_store(const SvaStream *s, const char *file, size_t at,
                      size_t bytes);

/*
 * A machine that goes on from the stream, or that has to refuse it. What the
 * test knows of guest memory is as in @t, whose machine the stream is from.
 */
SvaQtest *sva_stream_go_on(const SvaStream *s, const SvaQtest *t,
                           const char *machine, const char *args,
                           bool is_refused);

/*
 * A new QEMU is given the stream. NULL: it is accepted; otherwise what QEMU
 * said, and it is alive all the same.
 */
char *sva_stream_give(const SvaStream *s, const char *machine,
                      const char *args);

#endif
