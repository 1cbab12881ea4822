/*
 * When an endpoint works: its turns, in the main loop or in an IOThread, and who
 * is kept out meanwhile. Not what it does in them, and no way to memory, which
 * is requester.h's. Used by the endpoints and by requester.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_WORKER_H
#define HW_PCI_SVA_WORKER_H

#include "hw/pci/pci_device.h"
#include "qemu/thread.h"
#include "system/iothread.h"

/*
 * A worker gives its device turns, one after the other, in a bottom half of the
 * main loop, or of an IOThread:
 *
 * - none while the machine stands still; those that were due come when it runs,
 *   and none is under way once it has been stopped;
 * - none within another. What a device writes may be a register whose handler
 *   waits in a main loop of its own, as a block device's reset does; a bottom
 *   half that comes up there is run, guarded or not (qemu_bh_new_guarded()
 *   only traces it). The worker then notes that it was wanted, and the next
 *   turn comes when this one is over;
 * - the device outlives its turn. What it writes may be the register that
 *   unplugs it: sva_worker_fini() then comes from within a turn, and the
 *   device's memory stays until the main loop is done with the bottom half.
 *   What work() needs after an access it must not free in exit either, but in
 *   instance_finalize;
 * - an access of the device to its own BARs is refused, as QEMU does with all
 *   devices.
 *
 * In a thread
 *
 * A turn there never takes the big lock, and so never touches what needs it:
 * registers, its own or others', the configuration of the machine, interrupts,
 * sva_port_cancel(). It holds the worker's lock from its beginning to its end,
 * takes no other but the IOMMU's within, and waits for nothing; so whoever waits
 * for it waits for one turn at most.
 *
 * Something that does need the big lock goes elsewhere: the step is undone, or
 * not begun, sva_worker_go_elsewhere() says so, and the turn ends. The next one
 * is in the main loop, under the big lock, where the same step is made again;
 * then turns are the thread's again.
 *
 * Everybody else has the big lock: register handlers, configuration writes,
 * reset, exit, VMState's hooks, what the port calls. They come in by
 * sva_worker_enter(), which asks the thread to end its turn, waits for that, and
 * lets none begin until sva_worker_leave(). In between the device is the
 * caller's, as the big lock alone makes it without a thread: no lock of the
 * worker is held, for a handler may do what waits with the big lock released
 * (a DMA into a register that stops the virtual CPUs), and a virtual CPU that
 * takes it then has to be able to enter as well.
 *
 * So the order is: big lock, worker's lock, IOMMU's lock.
 */
typedef struct SvaWorker {
    /* private */
    PCIDevice *pdev;
    bool (*work)(PCIDevice *pdev);
    AioContext *ctx;        /* the thread's; NULL: there is none */
    QEMUBH *main_bh;        /* a turn in the main loop */
    QEMUTimer *rest;        /* ... which begins after one */
    QEMUBH *thread_bh;      /* a turn in the thread */
    QEMUBH *msix_bh;
    VMChangeStateEntry *run_state;

    /* Interrupts that a turn in the thread raised, to be sent */
    unsigned long msix[BITS_TO_LONGS(PCI_MSIX_FLAGS_QSIZE + 1)];
    bool any_msix;          /* atomic, as they are */

    /* How many have entered or wait to; atomic, goes down under the lock */
    unsigned visitors;

    QemuMutex lock;         /* a thread's turn holds it; it protects: */
    bool is_running;        /* the machine */
    bool is_working;        /* work() is on the stack */
    bool was_wanted;        /* ... or somebody is inside, and a turn is due */
    bool is_over;           /* there will be no turn any more */
    bool goes_elsewhere;    /* the next turn has to be in the main loop */
} SvaWorker;

/*
 * What one turn may cost, as SvaRequester.cost counts: so much that no turn
 * keeps the big lock for a millisecond, whatever it is made of.
 */
#define SVA_WORKER_TURN_COST    (1024 * 1024)

/*
 * @work is one turn of @pdev, which ends once it has cost SVA_WORKER_TURN_COST,
 * or sva_worker_must_yield(): it returns true if there is more to do at once.
 * @iothread: where, NULL for the main loop; the caller has a reference as long
 * as @pdev lives. In realize; fini in exit, when all is given up.
 */
void sva_worker_init(SvaWorker *w, PCIDevice *pdev, IOThread *iothread,
                     bool (*work)(PCIDevice *pdev));
void sva_worker_fini(SvaWorker *w);

/* There is something to do. From any thread, at any moment until fini. */
void sva_worker_schedule(SvaWorker *w);

/*
 * The device is the caller's until leave: no turn of a thread is under way. Under
 * the big lock; calls nest. Without a thread they do nothing; @w may be NULL.
 */
void sva_worker_enter(SvaWorker *w);
void sva_worker_leave(SvaWorker *w);

/* ---- Within a turn ------------------------------------------------------ */

/*
 * What comes next needs the big lock: end this turn of the thread. Whoever gave
 * way is to be first in the next one.
 */
void sva_worker_go_elsewhere(SvaWorker *w);

/*
 * The turn is to end, whatever it has cost: somebody with the big lock waits, or
 * what comes next has to be done there. Not in the middle of a step.
 */
bool sva_worker_must_yield(const SvaWorker *w);

/*
 * msix_notify(), for the device in a turn or entered. Who sees the interrupt sees
 * what was written to memory before. The message is on its way before anybody
 * who enters later gets to see the device.
 */
void sva_worker_msix(SvaWorker *w, unsigned vector);
/* Reset: what was raised and not sent does not come. Entered. */
void sva_worker_drop_msix(SvaWorker *w);

#endif
