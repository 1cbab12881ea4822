/*
 * When an endpoint works: its turns in the main loop. Not what it does in them,
 * and no way to memory, which is requester.h's. Used by the endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_WORKER_H
#define HW_PCI_SVA_WORKER_H

#include "hw/pci/pci_device.h"

/*
 * A worker gives its device turns, one after the other, in a bottom half of
 * the main loop:
 *
 * - none while the machine stands still; those that were due come when it runs;
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
 */
typedef struct SvaWorker {
    /* private */
    PCIDevice *pdev;
    bool (*work)(PCIDevice *pdev);
    QEMUBH *bh;
    VMChangeStateEntry *run_state;
    bool is_working;        /* work() is on the stack */
    bool was_wanted;        /* ... and another turn is due after it */
    bool is_over;           /* ... and it is to be the last one */
} SvaWorker;

/*
 * What one turn may cost, as SvaRequester.cost counts: so much that no turn
 * keeps the big lock for a millisecond, whatever it is made of.
 */
#define SVA_WORKER_TURN_COST    (1024 * 1024)

/*
 * @work is one turn of @pdev, which ends once it has cost SVA_WORKER_TURN_COST:
 * it returns true if there is more to do at once. In realize; fini in exit.
 */
void sva_worker_init(SvaWorker *w, PCIDevice *pdev,
                     bool (*work)(PCIDevice *pdev));
void sva_worker_fini(SvaWorker *w);

/* There is something to do. From any thread, at any moment until fini. */
void sva_worker_schedule(SvaWorker *w);

#endif
