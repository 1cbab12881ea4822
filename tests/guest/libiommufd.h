/*
 * pasid-dev in the hands of a user-space driver: given to vfio-pci by init
 * (sva.driver=), its address spaces made by iommufd. Not a library for others:
 * what does not work gives the program up. Used by the parts of iommufd.
 *
 * The structures of iommufd's interface are written down here and there
 * because the cross compiler's kernel headers are older than it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef LIBIOMMUFD_H
#define LIBIOMMUFD_H

#include <sys/ioctl.h>
#include "libtest.h"

/* ---- The kernel's interface, as far as more than one file needs it --------- */

#define IOMMUFD_CALL(number) _IO(';', number)

enum {
    CALL_IOAS_ALLOC         = IOMMUFD_CALL(0x81),
    CALL_IOAS_MAP           = IOMMUFD_CALL(0x85),
    CALL_IOAS_UNMAP         = IOMMUFD_CALL(0x86),
    CALL_HWPT_ALLOC         = IOMMUFD_CALL(0x89),
    CALL_HW_INFO            = IOMMUFD_CALL(0x8a),
    CALL_SET_DIRTY          = IOMMUFD_CALL(0x8b),
    CALL_GET_DIRTY          = IOMMUFD_CALL(0x8c),
    CALL_INVALIDATE         = IOMMUFD_CALL(0x8d),
    CALL_FAULT_QUEUE_ALLOC  = IOMMUFD_CALL(0x8e),
    CALL_VIOMMU_ALLOC       = IOMMUFD_CALL(0x90),
    CALL_VDEVICE_ALLOC      = IOMMUFD_CALL(0x91),
    CALL_VEVENTQ_ALLOC      = IOMMUFD_CALL(0x93),
};

enum { MAP_READ = 4 };
enum { HWPT_NEST_PARENT = 1, HWPT_DIRTY = 2, HWPT_FAULTS = 4, HWPT_PASID = 8 };
enum { PERM_READ = 1, PERM_WRITE = 2 };
enum { ANSWER_SUCCESS = 0, ANSWER_INVALID = 1 };

typedef struct HwptAlloc {
    uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved;
    uint32_t data_type, data_bytes;
    uint64_t data;
    uint32_t fault_id, reserved2;
} HwptAlloc;

/* ---- The device, and one iommufd ------------------------------------------- */

#define NO_PASID (-1)
/* Above everything that Linux reserves, below every mapping of ours. */
#define IOVA UINT64_C(0x200000000)

extern PasidDev dev;
extern int iommufd;
extern uint32_t dev_id;         /* the device's, in iommufd */

/* Find, bind and enable the first pasid-dev that vfio-pci has. */
void iommufd_open(void);
void iommufd_close(void);
/* For other ways than iommufd: its address, and once its file @fd is open. */
const char *device_find(void);
void device_take(int fd);

/* By itself, for a program with more than one function: an iommufd... */
void iommufd_new(void);
/* ... the PCI address of the first pasid-dev that vfio-pci has... */
void find_pasid_dev(char *bdf, size_t bytes);
/*
 * ... and the function at @bdf, enabled: its number in iommufd. @token, 16
 * bytes, or NULL: what a physical function shares with its virtual ones.
 * pasid_dev_close() closes it.
 */
uint32_t vfio_bind(PasidDev *d, const char *bdf, const uint8_t *token);
/* Memory space and bus master, of a vfio file, which a reset turns off. */
void vfio_enable(int file);

/* 0 or -errno. */
int call(int fd, unsigned long number, void *argument);
/* As above; @what names it if it fails. */
void must_call(int fd, unsigned long number, void *argument, const char *what);

static inline void *iova_pointer(uint64_t iova)
{
    return (void *)(uintptr_t)iova;
}

/* ---- Address spaces and what is attached to the device --------------------- */

/* An empty I/O address space. */
uint32_t ioas_new(void);
/* All of these in whole pages of the kernel's. @prot: MAP_READ, or... */
void map_with(uint32_t ioas, void *p, size_t bytes, uint64_t iova,
              uint32_t prot);
/* ... to be read and written. */
void map(uint32_t ioas, void *p, size_t bytes, uint64_t iova);
void unmap(uint32_t ioas, uint64_t iova, size_t bytes);
/* A page table of @ioas for the device, with HWPT_* and, or 0, a fault queue. */
uint32_t hwpt_new(uint32_t ioas, uint32_t flags, uint32_t fault_queue);
uint32_t hwpt_new_for(uint32_t device, uint32_t ioas, uint32_t flags,
                      uint32_t fault_queue);
/* For accesses with @pasid, or with NO_PASID. */
void attach(uint32_t hwpt, int pasid);
/* 0 or -errno. */
int try_attach(uint32_t hwpt, int pasid);
int try_attach_to(const PasidDev *d, uint32_t hwpt, int pasid);
void detach(int pasid);

/* ---- Jobs ------------------------------------------------------------------ */

/* A queue whose accesses have this PASID, or none. */
void queue_for(PasidQueue *q, unsigned index, int pasid);
void queue_of(PasidQueue *q, PasidDev *d, unsigned index, int pasid);
/* Where the program has its queue's memory, the device has it too. */
void map_queue(uint32_t ioas, const PasidQueue *q);
/* The job of @q is not even begun: its descriptor cannot be read. */
void check_shut_out(PasidQueue *q, const char *what);
/* Submit a SUM or a FILL with @byte; its ticket. */
int submit(PasidQueue *q, uint8_t op, uint64_t iova, size_t bytes, uint8_t byte);
/* Fill, and fail if that is refused. */
void fill_ok(PasidQueue *q, uint64_t iova, uint8_t byte, size_t bytes,
             const char *what);
void check_filled(const uint8_t *p, uint8_t byte, size_t bytes, const char *what);
/* Anonymous memory of small pages, all of them there and different. */
uint8_t *pages_new(size_t pages, uint64_t seed);

/* ---- Page faults that user space answers ----------------------------------- */

/* A fault queue's file; and its number. */
int fault_queue_new(uint32_t *id);
/* The next one must be this; its cookie. */
uint32_t next_fault(int faults, int pasid, uint64_t iova, uint32_t perm);
/* @code: ANSWER_*. */
void answer(int faults, uint32_t cookie, uint32_t code);

/* ---- The parts, each for main() of iommufd.c ------------------------------- */

void iommufd_dirty(void);
void iommufd_pasids(void);
void iommufd_faults(void);
void iommufd_nested(void);
void iommufd_many(void);
void iommufd_shared(void);

#endif
