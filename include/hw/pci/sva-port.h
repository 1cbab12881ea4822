/*
 * What a PASID-capable PCI endpoint and an IOMMU say to each other. Neither
 * knows the other: the IOMMU gives a port to each function below the bus that it
 * serves, as it gives it an address space (PCIIOMMUOps), and the endpoint asks
 * PCI for it. Not an implementation: those are the IOMMU's and the endpoint's.
 *
 * QEMU's own ways do not serve: MemTxAttrs carries 8 bits of PASID, and both
 * address_space_*() and PCIIOMMUOps are synchronous, while a stalled access
 * waits for guest software. Where PCIIOMMUOps has the types, as for ATS and PRI,
 * they are used here, too.
 *
 * Threads. An endpoint may work in the main loop, or in an AioContext of its
 * own:
 *
 *   sva_port_submit()          in any thread: under the big lock, or in the RCU
 *                              read section in which the answer is used; see
 *                              sva_port_needs_big_lock()
 *   sva_port_cancel()          in any thread, without a lock that resolved()
 *                              takes: it waits for that
 *   sva_port_invalidated(),    in any thread
 *   sva_port_page_request(),
 *   sva_port_flushed()
 *   sva_port_find(),           under the big lock
 *   sva_port_set_client()
 *   SvaRequest.resolved(),     are called under the big lock, in the main loop
 *   SvaClient's functions      or in a vCPU's MMIO handler; who works elsewhere
 *                              sends it on (aio_bh_schedule_oneshot())
 *
 * An IOMMU that says that an invalidation is complete waits for the answers in
 * use before: for those read sections, not for their threads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_PORT_H
#define HW_PCI_SVA_PORT_H

#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/sva-compat.h"
#include "qom/object.h"

/* ---- One access --------------------------------------------------------- */

#define SVA_NO_PASID PCI_NO_PASID

typedef enum SvaOutcome {
    SVA_OK,         /* go ahead: the answer says where */
    SVA_ABORT,      /* the access gets an error response */
    SVA_RAZWI,      /* reads return zero, writes are dropped, no error */
    SVA_STALLED,    /* resolved() will be called; see sva_port_cancel() */
    SVA_ATS_UR,     /* ATS request: Unsupported Request */
    SVA_ATS_CA,     /* ATS request: Completer Abort */
} SvaOutcome;

typedef enum SvaResolution {
    SVA_RETRY,      /* submit the request again */
    SVA_FAIL,       /* as SVA_ABORT */
    SVA_SKIP,       /* as SVA_RAZWI */
} SvaResolution;

/* Rights: IOMMUAccessFlags, and to execute. */
enum {
    SVA_READ = IOMMU_RO,
    SVA_WRITE = IOMMU_WO,
    SVA_EXEC = 4,
};

/* How the address is to be understood (PCIe 10.2, the AT field). */
typedef enum SvaAddressType {
    SVA_UNTRANSLATED,
    SVA_ATS_REQUEST,    /* a Translation Request, not an access */
    SVA_ATS_TRANSLATED,
} SvaAddressType;

typedef struct SvaRequest SvaRequest;

struct SvaRequest {
    SvaAddressType type;
    uint32_t pasid;         /* 20 bits, or SVA_NO_PASID */
    uint64_t addr;
    uint8_t access;         /* SVA_READ, SVA_WRITE, or both for an access that
                               needs both rights; ATS: WRITE = not NW */
    bool privileged;        /* the PASID prefix's PMR */
    bool execute;           /* and its ER */
    bool may_stall;         /* resolved() is set and can be waited for */
    /*
     * Called once after SVA_STALLED, unless cancelled, and never from within
     * sva_port_submit(). It runs in the middle of whatever decided (a command,
     * a register write): it may submit again, but better leaves that to a
     * bottom half.
     */
    void (*resolved)(SvaRequest *req, SvaResolution how);

    /* The answer, after SVA_OK; as in IOMMUTLBEntry */
    AddressSpace *target;   /* where pa is an address */
    hwaddr pa;
    uint64_t len;           /* bytes from addr on for which it holds, > 0 */
    uint8_t size_log2;      /* of the aligned block around addr, for an ATC */
    uint8_t granted;        /* SVA_READ | SVA_WRITE | SVA_EXEC */
    bool global;            /* ATS completion: G bit */
};

/* ---- What the IOMMU tells the endpoint ---------------------------------- */

/* An ATS Invalidate Request (PCIe 10.3). */
typedef struct SvaInvalidate {
    uint32_t tag;           /* for sva_port_invalidated() */
    uint32_t pasid;         /* or SVA_NO_PASID: every PASID and none */
    bool global;
    uint64_t addr;          /* aligned to the size */
    uint8_t size_log2;      /* 12 ... 64, 64: everything */
} SvaInvalidate;

typedef struct SvaClient SvaClient;
struct SvaClient {
    /*
     * Carry it out, then call sva_port_invalidated() with its tag: at once or
     * later, in any order.
     */
    void (*invalidate)(SvaClient *client, const SvaInvalidate *inv);
    /* @pasid: or SVA_NO_PASID */
    void (*page_response)(SvaClient *client, uint32_t pasid,
                          const IOMMUPRIResponse *response);
};

/* ---- What the endpoint tells the IOMMU ---------------------------------- */

/* A Page Request Message (PCIe 10.4); a stop marker is last, no r, no w. */
typedef struct SvaPageRequest {
    uint32_t pasid;         /* or SVA_NO_PASID */
    bool read, write, execute, privileged, last;
    uint16_t prg_index;     /* 0 ... 511 */
    uint64_t addr;          /* of the page */
} SvaPageRequest;

/* A function's port: part of what the IOMMU keeps of the function. */
typedef struct SvaPort SvaPort;

typedef struct SvaPortOps {
    bool needs_big_lock;    /* see sva_port_needs_big_lock() */
    SvaOutcome (*submit)(SvaPort *port, SvaRequest *req);
    /* May be NULL */
    bool (*peek)(SvaPort *port, SvaRequest *req, hwaddr pa);
    void (*cancel)(SvaPort *port, SvaRequest *req);
    void (*set_client)(SvaPort *port, SvaClient *client);
    void (*invalidated)(SvaPort *port, uint32_t tag);
    void (*page_request)(SvaPort *port, const SvaPageRequest *req);
    void (*flushed)(SvaPort *port);     /* may be NULL */
} SvaPortOps;

struct SvaPort {
    const SvaPortOps *ops;
};

/*
 * Whether requests other than translated ones are submitted under the big lock
 * only: an IOMMU with functions that take it.
 */
static inline bool sva_port_needs_big_lock(const SvaPort *port)
{
    return port->ops->needs_big_lock;
}

/*
 * Ask for one access at @req->addr; its length is not asked, the answer says
 * how far it holds. SVA_ABORT and SVA_RAZWI are about req->addr alone, and
 * leave the answer undefined. SVA_OK: use the answer before returning to the
 * main loop, or before the RCU section ends; an invalidation may follow. On
 * SVA_STALLED @req belongs to the port until resolved() or sva_port_cancel(),
 * whichever comes first.
 */
static inline SvaOutcome sva_port_submit(SvaPort *port, SvaRequest *req)
{
    return port->ops->submit(port, req);
}

/*
 * In the section of a submission that was answered by SVA_OK: the answer to another
 * that may never be made, if the IOMMU knows already that it is @pa. False: it does not,
 * and nothing has happened, nor been recorded or counted.
 */
static inline bool sva_port_peek(SvaPort *port, SvaRequest *req, hwaddr pa)
{
    return port->ops->peek && port->ops->peek(port, req, pa);
}

/*
 * Give up a stalled request. When this returns, resolved() is not running in
 * another thread and will not be called any more. Software may still resume
 * what it was told of; that has no effect then.
 */
static inline void sva_port_cancel(SvaPort *port, SvaRequest *req)
{
    port->ops->cancel(port, req);
}

/* One client a port; NULL takes it away: what it owes is answered for it. */
static inline void sva_port_set_client(SvaPort *port, SvaClient *client)
{
    port->ops->set_client(port, client);
}

/*
 * The invalidation with this @tag was carried out. A tag that was never given,
 * or answered before, or whose software has given up waiting, does nothing.
 */
static inline void sva_port_invalidated(SvaPort *port, uint32_t tag)
{
    port->ops->invalidated(port, tag);
}

static inline void sva_port_page_request(SvaPort *port,
                                         const SvaPageRequest *req)
{
    port->ops->page_request(port, req);
}

/* The client's cache is empty, and not because it was told to invalidate it. */
static inline void sva_port_flushed(SvaPort *port)
{
    if (port->ops->flushed) {
        port->ops->flushed(port);
    }
}

/* ---- Who has which port ------------------------------------------------- */

/* To become a member of PCIIOMMUOps. */
typedef struct PCISvaOps {
    /*
     * The port of the function @devfn of @bus, which is @opaque's bus or below
     * it. It lives as long as the function, at least.
     */
    SvaPort *(*get_port)(PCIBus *bus, void *opaque, int devfn);
} PCISvaOps;

/* Besides pci_setup_iommu(), for the same @bus: its IOMMU has ports. */
void pci_setup_sva(PCIBus *bus, const PCISvaOps *ops, void *opaque);

/*
 * The port of @dev's function, or NULL when it has no IOMMU, or one that has
 * neither ports nor ATS (PCIIOMMUOps, QEMU 10.1 and later), or is behind a bus
 * that is not PCI Express. Valid as long as @dev; legal in realize of a device
 * on the command line.
 */
SvaPort *sva_port_find(PCIDevice *dev);

/*
 * A PASID-capable endpoint, as firmware has to describe it: what the machine
 * asks of each function when it writes the device tree.
 */
#define TYPE_SVA_ENDPOINT "sva-endpoint"
typedef struct SvaEndpoint SvaEndpoint;
typedef struct SvaEndpointClass SvaEndpointClass;
DECLARE_CLASS_CHECKERS(SvaEndpointClass, SVA_ENDPOINT, TYPE_SVA_ENDPOINT)
#define SVA_ENDPOINT(obj) \
    INTERFACE_CHECK(SvaEndpoint, (obj), TYPE_SVA_ENDPOINT)

struct SvaEndpointClass {
    InterfaceClass parent_class;

    /* Its accesses may be stalled: "dma-can-stall". */
    bool (*can_stall)(SvaEndpoint *ep);
    /* Width of its PASIDs, 1 ... 20: "pasid-num-bits"; 0: leave it out. */
    unsigned (*pasid_bits)(SvaEndpoint *ep);
};

#endif
