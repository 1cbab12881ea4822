/*
 * The HiSilicon ZIP accelerator as a PCI function: its state, and the engine
 * that works on its queues. Not jobs. Private to hisi-zip.c and -engine.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_ZIP_H
#define HW_PCI_HISI_ZIP_H

#include "qemu/bitmap.h"
#include "qemu/queue.h"
#include "qemu/typedefs.h"
#include "qom/object.h"
#include "hisi-qm.h"
#include "hw/pci/sva/requester.h"
#include "hw/pci/sva/worker.h"

#define TYPE_HISI_ZIP "hisi-zip"
OBJECT_DECLARE_SIMPLE_TYPE(HisiZip, HISI_ZIP)

struct HisiZipJob;

/*
 * Jobs that may be in work, stalled ones too. Each has up to 440 KiB of host
 * memory, so that a guest has 28 MiB at most.
 */
enum { HISI_ZIP_MAX_JOBS = 64 };

struct HisiZip {
    PCIDevice parent_obj;

    HisiQm qm;
    SvaRequester requester;

    /* Properties */
    uint32_t version;           /* 2 or 3 */
    uint32_t queues;            /* 0: the version's default */
    uint32_t pasid_bits;
    uint32_t level;             /* zlib's */
    bool kernel_crypto;
    bool stop_queue;
    bool flush;
    SvaAtsOptions ats;
    IOThread *iothread;         /* NULL: jobs are the main loop's */

    /* The engine. Nothing of it migrates: jobs start again. */
    SvaWorker worker;
    struct HisiZipJob *jobs[HISI_QM_MAX_QUEUES];    /* NULL: none in work */
    unsigned jobs_in_work;      /* at most HISI_ZIP_MAX_JOBS */
    QSLIST_HEAD(, HisiZipJob) abandoned;    /* to be freed in a turn */
    struct HisiZipJob *in_step; /* the one that is executing now */
    DECLARE_BITMAP(runnable, HISI_QM_MAX_QUEUES);
    DECLARE_BITMAP(waiting, HISI_QM_MAX_QUEUES);    /* until a job is over */
    /* For the main loop's next turn: entries to take or give back, registers */
    DECLARE_BITMAP(elsewhere, HISI_QM_MAX_QUEUES);
    unsigned next_queue;        /* round robin */
};

/* Registers of the engine that its requests look at. */
#define ZIP_SGL_RUSER       0x30111c
#define ZIP_DATA_RUSER      0x301128
#define ZIP_DATA_WUSER      0x301134
#define ZIP_USER_SSV        (1u << 0)   /* V2: with the queue's PASID */

/* hisi-zip-engine.c */
void hisi_zip_engine_init(HisiZip *zip);
void hisi_zip_engine_fini(HisiZip *zip);
/* @qn has entries: work on them, later. */
void hisi_zip_engine_kick(HisiZip *zip, unsigned qn);
/* Drop what @qn has in work. */
void hisi_zip_engine_abandon(HisiZip *zip, unsigned qn);

#endif
