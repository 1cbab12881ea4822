/*
 * A function's Page Request Interface (PCIe 10.4, 10.5.2): its registers, page
 * request groups and their responses. Not when a page is to be asked for, nor
 * what is done with the answer: requester.c does both. Used by that alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_PAGE_REQUEST_H
#define HW_PCI_SVA_PAGE_REQUEST_H

#include "qemu/queue.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/sva-port.h"
#include "misbehave.h"

/* The Page Request Group Index has 9 bits. */
enum { SVA_PRG_INDICES = 512 };
/* "Outstanding Page Request Capacity": of a group each page counts. */
enum { SVA_PRI_CAPACITY = 256 };
/* No group asks for more. */
enum { SVA_PRG_MOST_PAGES = 16 };

/*
 * A queue that is full has the IOMMU answer "success" by itself, so that the
 * function asks again, and finds it full. The first time that a page was not
 * there after that it is asked for at once; from then on after a pause of 100 us
 * of the guest's time, which is doubled each time until it is 12.8 ms. All those
 * of a function together are sent at most 10,000 times a second, however many
 * accesses wait: what a guest that does not empty its queue can cost.
 */
#define SVA_PAGE_PAUSE_NS       INT64_C(100000)
enum { SVA_PAGE_PAUSES = 8, SVA_PAGE_AGAIN_AT_ONCE = 16 };

typedef enum SvaPageAnswer {
    SVA_PAGE_SUCCESS,       /* ask for the translation again */
    SVA_PAGE_INVALID,       /* there is no such page, or not with such rights */
    SVA_PAGE_FAILURE,       /* the interface is out of order (RF) */
    SVA_PAGE_OFF,           /* it was disabled or reset: none will be given */
} SvaPageAnswer;

/* Who waits for pages. At most one group each. */
typedef struct SvaPageWaiter SvaPageWaiter;
struct SvaPageWaiter {
    /*
     * Called once, perhaps from within sva_page_requests_ask(): note it, and
     * schedule.
     */
    void (*answered)(SvaPageWaiter *waiter, SvaPageAnswer answer);

    /* What is asked for; @first.last and @first.prg_index are not looked at */
    SvaPageRequest first;
    unsigned pages;         /* 1 ... SVA_PRG_MOST_PAGES, from first.addr on */
    unsigned vain;          /* answers in a row, "success", without the page */
    SvaPort *port;          /* of the function that asks */
    uint32_t channel;       /* its number, for traces */

    /* private */
    enum {
        SVA_PAGE_IDLE, SVA_PAGE_PAUSED, SVA_PAGE_QUEUED, SVA_PAGE_SENT
    } state;
    unsigned pause;         /* PAUSED: which one */
    int64_t due_ns;         /* ... and until when */
    uint16_t prg_index;     /* SENT */
    QTAILQ_ENTRY(SvaPageWaiter) next;       /* PAUSED, QUEUED */
};

typedef struct SvaPageGroup {
    uint32_t pasid;         /* or SVA_NO_PASID */
    uint8_t pages;          /* 0: the index is free */
    SvaPageWaiter *waiter;  /* NULL: stale, nobody wants the answer any more */
} SvaPageGroup;

typedef struct SvaPageRequests {
    /* private */
    PCIDevice *pdev;
    const SvaMisbehave *misbehave;
    uint16_t cap;               /* 0: it has no such interface */
    bool was_enabled;
    bool has_failed;            /* until it is enabled anew */
    uint16_t next_index;
    uint32_t outstanding;       /* pages of all groups */
    SvaPageGroup groups[SVA_PRG_INDICES];
    QTAILQ_HEAD(, SvaPageWaiter) queue;     /* wait for room to be sent */
    /* Have been answered in vain; one pause each, so the first is due first */
    QTAILQ_HEAD(, SvaPageWaiter) paused[SVA_PAGE_PAUSES];
    QEMUTimer *timer;           /* the owner's; sva_page_requests_ask_again() */
    int64_t not_before_ns;      /* none of them is sent again before */
    bool is_serving;
} SvaPageRequests;

/*
 * @pdev's, whose capability is at @cap; 0: it has none, and is never usable. Who
 * gives it one gives it a timer of the guest's time, too, that calls
 * sva_page_requests_ask_again().
 */
void sva_page_requests_init(SvaPageRequests *p, PCIDevice *pdev, uint16_t cap,
                            const SvaMisbehave *misbehave);

/* Enabled by software, with an allocation, and not failed. */
bool sva_page_requests_usable(const SvaPageRequests *p);

/*
 * Ask for what @w says, now or when there is room among the outstanding
 * requests, in order. sva_page_requests_usable() holds, and @w is idle.
 */
void sva_page_requests_ask(SvaPageRequests *p, SvaPageWaiter *w);

/* The timer's: what paused and is due now. */
void sva_page_requests_ask_again(SvaPageRequests *p);

/*
 * @w does not want its answer any more, at any moment. What was sent counts as
 * outstanding until its response is there.
 */
void sva_page_requests_cancel(SvaPageRequests *p, SvaPageWaiter *w);

/*
 * @pasid is not used any more, and there is nobody who waits for pages of it:
 * what software still has of its requests is stale (PCIe 10.4.1.2.1). Nothing
 * is sent if there is none.
 */
void sva_page_requests_stop(SvaPageRequests *p, SvaPort *port, uint32_t pasid);

/* A PRG Response Message; @pasid: or SVA_NO_PASID. */
void sva_page_requests_respond(SvaPageRequests *p, uint32_t pasid,
                               const IOMMUPRIResponse *response);

/* Configuration space was written: what that does to the interface. */
void sva_page_requests_config_written(SvaPageRequests *p);

/* FLR, conventional reset. No answer is given: the function is reset, too. */
void sva_page_requests_reset(SvaPageRequests *p);

/* Groups without a response; nobody waits for them after a load. */
extern const VMStateDescription vmstate_sva_page_requests;

#endif
