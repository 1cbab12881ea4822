/*
 * HiSilicon queue manager (QM), as far as Linux's hisi_qm driver goes: the
 * registers, mailbox, doorbells and rings that the ZIP engine stands behind.
 * Knows nothing of what a queue entry asks for; the front end tells it through
 * HisiQmOps. Physical function only. Everything runs under the big QEMU lock,
 * and but for hisi_qm_queue_*() with the worker entered.
 *
 * All rings and contexts are reached by StreamID alone, never by a PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HISI_QM_H
#define HW_PCI_HISI_QM_H

#include "hw/pci/pci_device.h"
#include "hw/pci/sva/worker.h"

#define HISI_QM_MAX_QUEUES  1024
#define HISI_QM_REG_WORDS   (0x13000 / 4)

typedef struct HisiQm HisiQm;

/* The hooks of the engine behind the queues. */
typedef struct HisiQmOps {
    unsigned sqe_bytes;
    /* @qn has entries that hisi_qm_peek() gives. */
    void (*kick)(HisiQm *qm, unsigned qn);
    /* @qn loses its context: forget its entry, complete nothing. */
    void (*abandon)(HisiQm *qm, unsigned qn);
    /* hisi_qm_has_events_to_post(): give it a turn of the main loop. */
    void (*call_for_events)(HisiQm *qm);
    /* Software cannot write the engine's register at @offset. */
    bool (*reg_is_read_only)(HisiQm *qm, hwaddr offset);
} HisiQmOps;

/* Indices run on without end; the slot is the index modulo the depth. */
typedef struct HisiQmSq {
    bool valid;
    bool dead;              /* had an error: entries are dropped */
    uint32_t context[8];    /* as loaded */
    uint64_t submitted;     /* by doorbell */
    uint64_t completed;
} HisiQmSq;

typedef struct HisiQmCq {
    bool valid;
    bool armed;             /* the next entry, or one waiting, is an event */
    bool event_is_posted;   /* its EQ entry is not yet consumed */
    uint32_t context[8];
    uint64_t head;          /* by doorbell */
    uint64_t tail;
} HisiQmCq;

/* The event queue and the asynchronous event queue */
typedef struct HisiQmEq {
    bool valid;
    bool armed;             /* may interrupt */
    uint32_t context[8];    /* the last word is not used */
    uint64_t head;
    uint64_t tail;
} HisiQmEq;

struct HisiQm {
    PCIDevice *pdev;
    SvaWorker *worker;          /* the engine's: registers enter it */
    const HisiQmOps *ops;
    unsigned version;           /* 2 or 3 */
    uint32_t queues;            /* 2 ... HISI_QM_MAX_QUEUES */
    unsigned pasid_bits;        /* 1 ... 16 */
    MemoryRegion bar2;
    MemoryRegion bar4;
    uint32_t resets;            /* goes up with each, and when it is over */
    unsigned next_event;        /* round robin over completion queues */

    /* State, to the end: see hisi-qm-migration.c */
    uint32_t regs[HISI_QM_REG_WORDS];
    uint32_t db_low;            /* first half of a doorbell in two halves */
    bool vft_is_valid;
    uint32_t vft_base;
    uint32_t vft_queues;
    uint64_t sqc_table;         /* where cache write-back goes; 0: nowhere */
    uint64_t cqc_table;
    uint32_t mb_waits_for;      /* QM_MB_STOP_QP, QM_MB_FLUSH_QM or 0 */
    HisiQmEq eq;
    HisiQmEq aeq;
    bool events_wait;           /* for room in eq, or for a turn */
    HisiQmSq sq[HISI_QM_MAX_QUEUES];
    HisiQmCq cq[HISI_QM_MAX_QUEUES];
    /* Whose event is the EQ entry with this index, modulo the size */
    uint16_t eq_cqn[HISI_QM_MAX_QUEUES];
};

/*
 * From the ground up: a file calls those above it in this list, and the engine
 * by HisiQmOps.
 */

/* hisi-qm-registers.c */

/* @offset: in BAR2, 4-aligned; what lies in no window reads 0. */
uint32_t hisi_qm_reg(HisiQm *qm, hwaddr offset);
void hisi_qm_set_reg(HisiQm *qm, hwaddr offset, uint32_t value);

/* hisi-qm-memory.c */

/*
 * What became of an access to memory. GONE: the function was reset from within
 * it, or is over. What was going on has no state any more: leave all alone.
 */
typedef enum HisiQmDma { HISI_QM_DONE, HISI_QM_FAILED, HISI_QM_GONE } HisiQmDma;

HisiQmDma hisi_qm_read(HisiQm *qm, hwaddr addr, void *buf, size_t bytes);
HisiQmDma hisi_qm_write(HisiQm *qm, hwaddr addr, const void *buf,
                        size_t bytes);

/* hisi-qm-drain.c */

bool hisi_qm_queue_is_idle(const HisiQm *qm, unsigned qn);
bool hisi_qm_is_idle(const HisiQm *qm);
void hisi_qm_mailbox_finish(HisiQm *qm, bool ok);
/* @cmd ends when what it names is idle: QM_MB_STOP_QP or QM_MB_FLUSH_QM. */
void hisi_qm_drain_begin(HisiQm *qm, unsigned cmd);
/* A queue may have become idle: finish a command that waits for it. */
void hisi_qm_drain_check(HisiQm *qm);

/* hisi-qm-events.c */

/* The event of completion queue @cqn, if it is due and there is room. */
void hisi_qm_update_cq_event(HisiQm *qm, unsigned cqn);
void hisi_qm_update_interrupts(HisiQm *qm);
/*
 * Queue events and interrupts that became possible: so many events at a time,
 * for each is an access to memory; the rest in turns that this asks for.
 */
enum { HISI_QM_EVENTS_AT_A_TIME = 64 };
void hisi_qm_update_events(HisiQm *qm);
/* Events wait, and there is room: hisi_qm_update_events() is to be called. */
bool hisi_qm_has_events_to_post(const HisiQm *qm);
/* @type: QM_AEQE_* */
void hisi_qm_queue_error(HisiQm *qm, unsigned qn, unsigned type);
void hisi_qm_eq_doorbell(HisiQm *qm, uint64_t value);
void hisi_qm_aeq_doorbell(HisiQm *qm, uint64_t value);
/* Says in the log why a doorbell was dropped. */
void hisi_qm_bad_doorbell(unsigned qn, uint64_t value, const char *why);

/* hisi-qm-queue.c */

/* All queues lose their contexts, and their work is abandoned. */
void hisi_qm_clear_queues(HisiQm *qm);
bool hisi_qm_sq_context_is_legal(const HisiQm *qm, const uint32_t *context);
bool hisi_qm_cq_context_is_legal(const uint32_t *context);
/*
 * The oldest entry of @qn into @sqe (ops->sqe_bytes). False when there is
 * none. One that cannot be read is completed with an error and skipped.
 */
bool hisi_qm_peek(HisiQm *qm, unsigned qn, void *sqe);
/* The entry of hisi_qm_peek() is done: write it back, tell software. */
void hisi_qm_complete(HisiQm *qm, unsigned qn, const void *sqe);
/*
 * A doorbell. @qn: the queue of an isolated page, or -1: take it from
 * @value. Illegal ones are dropped.
 */
void hisi_qm_doorbell(HisiQm *qm, int qn, uint64_t value);
/* [3:0] of the context: HISI_ZIP_COMPRESS and so on. */
unsigned hisi_qm_queue_type(const HisiQm *qm, unsigned qn);
/* The PASID in @qn's context; *@is_enabled: V3's enable bit. */
uint32_t hisi_qm_queue_pasid(const HisiQm *qm, unsigned qn, bool *is_enabled);
/* After migration: kicks each queue that has entries. */
void hisi_qm_resume(HisiQm *qm);

/* hisi-qm-vft.c */

uint64_t hisi_qm_vft_entry(const HisiQm *qm);
void hisi_qm_vft_operation(HisiQm *qm);

/* hisi-qm-mailbox.c */

void hisi_qm_mailbox_start(HisiQm *qm);
/* Contexts to the tables that software named. False: the function was reset. */
bool hisi_qm_cache_write_back(HisiQm *qm);

/* hisi-qm.c */

/* Sets up the BARs of @pdev; the configuration fields are filled in. */
void hisi_qm_realize(HisiQm *qm, PCIDevice *pdev, const HisiQmOps *ops);
/* The state after power-on; the engine's constants are written by set_reg. */
void hisi_qm_reset(HisiQm *qm);
/* The function is going: what is under way ends at its next access. */
void hisi_qm_exit(HisiQm *qm);

/* hisi-qm-migration.c */

extern const VMStateDescription vmstate_hisi_qm;

#endif
