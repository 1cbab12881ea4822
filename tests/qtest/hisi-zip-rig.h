/*
 * What the tests of hisi-zip share: the device brought up without software,
 * its mailbox and rings, requests, zlib as the judge; and the same behind the
 * SMMU, with pages that stall. Not tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HISI_ZIP_RIG_H
#define HISI_ZIP_RIG_H

#include "qemu/units.h"
#include "hw/pci/hisi-zip/hisi-qm-regs.h"
#include "hw/pci/hisi-zip/hisi-zip-abi.h"
#include "sva-qtest.h"

/* Twice, see there. */
#define g_test_add_func         sva_add_test
#define g_test_add_data_func    sva_add_data_test

#define PAGE            UINT64_C(4096)
#define PORT            (4 << 3)

/* ---- The device and its queues ----------------------------------------- */

typedef struct Dev {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar2, bar4;
    uint64_t scratch;           /* a page for contexts */
    uint64_t eq, aeq;           /* rings */
    uint32_t eq_depth, eq_head;
    uint64_t msi;               /* a word for each vector, if enabled */
    bool is_v2;
    /* The process's address space: va - pa of all that is mapped */
    uint64_t offset, root, cds;
    uint64_t plain_root;        /* tables of accesses without PASID */
    unsigned slot_control;      /* of the root port, in its configuration */
} Dev;

typedef struct Queue {
    Dev *d;
    unsigned n, depth;
    uint64_t sq, cq;            /* rings */
    uint32_t tail, head;
    unsigned phase;
} Queue;

typedef struct Request {
    uint32_t request;       /* HISI_ZIP_REQUEST() */
    uint64_t src;
    uint32_t bytes;
    uint64_t dst;
    uint32_t room;
    uint32_t mode;
    uint64_t context;
} Request;

/* A function's configuration space in memory. */
#define ECAM(bus, devfn) \
    (UINT64_C(0x4010000000) + ((uint64_t)(bus) << 20 | (devfn) << 12))

/* Registers of BAR2, 32 bits. */
uint32_t reg(Dev *d, uint64_t offset);
void set_reg(Dev *d, uint64_t offset, uint32_t value);
/* Places the BARs of the function, also after a reset. */
void find_device(Dev *d);
/* -M @machine @args; the device is on bus 0. */
Dev *dev_start(const char *machine, const char *args);
/* Without any IOMMU: an address is an address. */
Dev *plain_start(void);
/* The same, on bus 1 behind a root port at PORT on bus 0. */
Dev *behind_port_start(const char *args);
void dev_stop(Dev *d);
/* As the driver does: one store of 16 bytes, here two of 8. */
void mailbox_start(Dev *d, unsigned cmd, bool is_read, unsigned qn,
                   uint64_t addr);
/* Status; the command must be done at once. */
unsigned mailbox(Dev *d, unsigned cmd, bool is_read, unsigned qn,
                 uint64_t addr);
void put_words(Dev *d, uint64_t addr, const uint32_t *words, unsigned n);
void get_words(Dev *d, uint64_t addr, uint32_t *words, unsigned n);
/* By mailbox, through a page of the rig; load: the status. */
unsigned load_context(Dev *d, unsigned cmd, unsigned qn,
                      const uint32_t words[8]);
void dump_context(Dev *d, unsigned cmd, unsigned qn, uint32_t words[8]);
/* The function table's entry for function 0; 0 takes its queues away. */
void write_vft(Dev *d, uint64_t entry);
uint64_t vft_of(unsigned queues);
/* QM_DB_*; where it goes follows from the version. */
void ring_db(Dev *d, unsigned cmd, unsigned qn, uint32_t index,
             unsigned priority);
/* MSI vectors as words in memory, each written with 0x40 + its number. */
void enable_msi(Dev *d);
/* The last MSI since the last look; 0: none. */
uint32_t take_msi(Dev *d);
uint32_t *eq_context(uint64_t ring, uint32_t depth, uint32_t words[8]);
/* Mem init, VFT, EQ, AEQ, as the driver's start does. */
void bring_up(Dev *d, uint32_t eq_depth);
void sq_context(const Queue *q, unsigned direction, uint32_t pasid,
                uint32_t words[8]);
void cq_context(const Queue *q, uint32_t words[8]);
/* @pasid: word 5 of the context, with V3's enable in bit 23. */
Queue queue_open(Dev *d, unsigned n, unsigned depth, unsigned direction,
                 uint32_t pasid);
/* Fill a slot, without and with telling the device. */
void fill_slot(Queue *q, Request r);
void submit(Queue *q, Request r);
/* Has the oldest entry its completion? */
bool is_done(Queue *q);
/* Waits for the oldest entry; its SQE into @sqe. No doorbell. */
void take(Queue *q, uint32_t sqe[HISI_ZIP_SQE_WORDS]);
/* Status of the request; @sqe as it came back. */
unsigned run(Queue *q, Request r, uint32_t sqe[HISI_ZIP_SQE_WORDS]);
/* A compression of 64 zeroes. */
Request small_request(Dev *d);
/* Writes a list of @n entries at @node; returns it. */
uint64_t put_list(Dev *d, uint64_t node, uint64_t next,
                  const uint64_t (*entries)[2], unsigned n);
void assert_is_reset(Dev *d);

/* ---- zlib on the host -------------------------------------------------- */

/* @bytes of noise and text by turns, to be freed. */
uint8_t *sample(size_t bytes, unsigned seed);
/* What the device takes: deflate with a trailer, and no header. */
uint8_t *host_pack(unsigned format, const uint8_t *data, size_t bytes,
                   size_t *packed_bytes);
/* The device's output is @data and a right trailer. */
void assert_unpacks(unsigned format, const uint8_t *packed,
                    size_t packed_bytes, const uint8_t *data,
                    size_t bytes);

/*
 * A decompression whose output is @value at @dst, and zeroes, @n bytes in
 * all: they are still being written when the first have their effect.
 */
Request write_word(Dev *d, uint64_t dst, uint16_t value, unsigned n);

/* ---- By PASID, behind the SMMU ----------------------------------------- */

#define PASID           5
#define PASID_WORD      (PASID | 1 << 23)

enum { STALL_BYTES = 5 * 4096 };

typedef struct StallJob {
    Queue q;
    uint64_t src, dst;          /* pa */
    Request r;
    uint8_t *data;
} StallJob;

/* -M virt-sva: memory as it is without PASID, an empty space for PASID. */
Dev *sva_dev_start(const char *args);
/* The stall event's STAG; asserts where it was. */
unsigned stalled_at(Dev *d, uint64_t va);
/* RESUME, with retry or abort. */
void resume(Dev *d, unsigned stag, bool retry);
/* Retries each stall that there is an event of. */
bool answer_stalls(Dev *d);
void sva_invalidate_all(Dev *d);
/* A compression whose buffers are not mapped. */
StallJob stall_job(Dev *d, unsigned n);
void map_page(Dev *d, uint64_t pa);
void stall_job_ends_well(Dev *d, StallJob *j);

#endif
