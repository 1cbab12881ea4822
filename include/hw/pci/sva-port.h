/*
 * What a PASID-capable PCI endpoint and an IOMMU say to each other. Neither
 * knows the other: the IOMMU implements SvaPort on the memory region that is
 * the root of a function's IOMMU address space, the endpoint finds it there.
 *
 * QEMU's own ways do not serve: MemTxAttrs carries 8 bits of PASID, and both
 * address_space_*() and PCIIOMMUOps are synchronous, while a stalled access
 * waits for guest software.
 *
 * Everything here runs under the big QEMU lock, in the main loop or in a
 * vCPU's MMIO handler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SVA_PORT_H
#define HW_PCI_SVA_PORT_H

#include "hw/pci/pci_device.h"
#include "qom/object.h"

#define SVA_NO_PASID UINT32_MAX

typedef enum SvaOutcome {
    SVA_OK,         /* go ahead: SvaRequest.pa and the rest of the answer */
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

enum {
    SVA_READ = 1,
    SVA_WRITE = 2,
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

    /* The answer, after SVA_OK */
    hwaddr pa;              /* in sva_port_target() */
    uint64_t len;           /* bytes from addr on for which it holds, > 0 */
    uint8_t granted;        /* SVA_READ | SVA_WRITE | SVA_EXEC */
    bool global;            /* ATS completion: G bit */
};

/* An ATS Invalidate Request (PCIe 10.3). */
typedef struct SvaInvalidate {
    uint32_t pasid;         /* or SVA_NO_PASID: every PASID and none */
    bool global;
    uint64_t addr;          /* aligned to the size */
    uint8_t size_log2;      /* 12 ... 64, 64: everything */
} SvaInvalidate;

/* A Page Request Message (PCIe 10.4); a stop marker is last, no r, no w. */
typedef struct SvaPageRequest {
    uint32_t pasid;         /* or SVA_NO_PASID */
    bool read, write, execute, privileged, last;
    uint16_t prg_index;     /* 0 ... 511 */
    uint64_t addr;          /* of the page */
} SvaPageRequest;

typedef struct SvaPageResponse {
    uint32_t pasid;         /* or SVA_NO_PASID */
    uint16_t prg_index;
    uint8_t code;           /* PCIe: 0 success, 1 invalid request, 15 failure */
} SvaPageResponse;

/* What an endpoint takes from the IOMMU. */
typedef struct SvaClient SvaClient;
struct SvaClient {
    /* Carry it out, then call sva_port_invalidated(), at once or later. */
    void (*invalidate)(SvaClient *client, const SvaInvalidate *inv);
    void (*page_response)(SvaClient *client, const SvaPageResponse *rsp);
};

#define TYPE_SVA_PORT "sva-port"
typedef struct SvaPort SvaPort;
typedef struct SvaPortClass SvaPortClass;
DECLARE_CLASS_CHECKERS(SvaPortClass, SVA_PORT, TYPE_SVA_PORT)
#define SVA_PORT(obj) INTERFACE_CHECK(SvaPort, (obj), TYPE_SVA_PORT)

struct SvaPortClass {
    InterfaceClass parent_class;

    SvaOutcome (*submit)(SvaPort *port, SvaRequest *req);
    void (*cancel)(SvaPort *port, SvaRequest *req);
    AddressSpace *(*target)(SvaPort *port);
    /* One client a port; NULL takes it away. */
    void (*set_client)(SvaPort *port, SvaClient *client);
    void (*invalidated)(SvaPort *port);
    void (*page_request)(SvaPort *port, const SvaPageRequest *req);
};

/*
 * The port of @dev's function, or NULL when it has no IOMMU, or one that does
 * not speak this interface. Valid as long as @dev; legal in realize of a
 * device on the command line.
 */
SvaPort *sva_port_find(PCIDevice *dev);

/*
 * Ask for one access at @req->addr; its length is not asked, the answer says
 * how far it holds. On SVA_OK, use req->pa before returning to the main loop:
 * an invalidation may follow. SVA_ABORT and SVA_RAZWI are about req->addr
 * alone, and leave the answer undefined. On SVA_STALLED @req belongs to the
 * port until resolved() or sva_port_cancel(), whichever comes first.
 */
SvaOutcome sva_port_submit(SvaPort *port, SvaRequest *req);

/*
 * Give up a stalled request: resolved() is not called any more. Software may
 * still resume what it was told of; that has no effect then.
 */
void sva_port_cancel(SvaPort *port, SvaRequest *req);

/* Where SvaRequest.pa is an address. */
AddressSpace *sva_port_target(SvaPort *port);

void sva_port_set_client(SvaPort *port, SvaClient *client);
void sva_port_invalidated(SvaPort *port);
void sva_port_page_request(SvaPort *port, const SvaPageRequest *req);

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
