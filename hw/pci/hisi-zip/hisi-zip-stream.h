/*
 * Stateful streams of the ZIP engine: a stream's data comes in several
 * requests, and between them its state lies in a context in the guest's
 * memory. Like hisi-zip-codec.c it knows neither queues nor guest memory.
 *
 * The context is ours: what a hostile guest makes of it is refused or gives
 * it other data, no more. zlib does not tell its state; what is kept is what
 * another zlib stream can be started from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_STREAM_H
#define HW_PCI_HISI_ZIP_STREAM_H

#include "hisi-zip-abi.h"
#include "hisi-zip-codec.h"

typedef struct HisiZipStream HisiZipStream;

/* A stream from its beginning; arguments and NULL as hisi_zip_codec_new(). */
HisiZipStream *hisi_zip_stream_new(bool decompress, unsigned format,
                                   unsigned window, int level);
/* Goes on with the stream in @context, or NULL: that is not one of these. */
HisiZipStream *hisi_zip_stream_load(bool decompress, unsigned format,
                                    unsigned window, int level,
                                    const uint8_t *context);
void hisi_zip_stream_free(HisiZipStream *stream);

/*
 * As hisi_zip_codec_run(); @finish: the input that is the last ends the
 * stream, otherwise it is flushed so that all of it can be decompressed.
 * MORE without progress: nothing is left to do. @io's output may have no room.
 */
HisiZipCodecResult hisi_zip_stream_run(HisiZipStream *stream,
                                       HisiZipCodecIo *io, bool finish);

/*
 * Ends what zlib has begun and had no room for, before save: GOES_ON, call it
 * again; END. Anything else does not happen. *@cost goes up by what it took.
 */
HisiZipCodecResult hisi_zip_stream_settle(HisiZipStream *stream,
                                          uint32_t *cost);
/*
 * Writes @context (HISI_ZIP_STREAM_CONTEXT_BYTES); the stream can only be freed
 * after this. *@has_output: there is output that had no room. False: it cannot
 * be saved, which does not happen.
 */
bool hisi_zip_stream_save(HisiZipStream *stream, uint8_t *context,
                          bool *has_output);

const HisiZipCheck *hisi_zip_stream_check(const HisiZipStream *stream);

#endif
