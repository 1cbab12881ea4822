/*
 * What the tests of pasid-dev share: the device found and enabled, queues,
 * jobs, a process's address space, a job that is stalled. Not tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PASID_DEV_RIG_H
#define PASID_DEV_RIG_H

#include "hw/pci/pasid-dev/pasid-dev-abi.h"
#include "sva-qtest.h"

/* Twice, see there. */
#define g_test_add_func         sva_add_test
#define g_test_add_data_func    sva_add_data_test

#define PAGE            UINT64_C(4096)
#define NO_PASID        0
#define PASID(n)        ((n) | PASID_DEV_PASID_VALID)

/* ---- The device --------------------------------------------------------- */

typedef struct Dev {
    SvaQtest *t;
    unsigned bus, devfn;
    uint64_t bar, msix;
    unsigned pasid_cap;
    /* The process's address space: va - pa of all that is mapped */
    uint64_t offset;
    uint64_t root, cds;
} Dev;

uint32_t admin32(Dev *d, uint32_t reg);
uint64_t admin64(Dev *d, uint32_t reg);
void admin_write32(Dev *d, uint32_t reg, uint32_t value);
void find_device(Dev *d);
Dev *dev_start(const char *machine, const char *args);

/* Without any IOMMU: an address is an address. */
Dev *plain_start(void);
void dev_stop(Dev *d);
void enable_pasids(Dev *d);
void trigger_flr(Dev *d);

/* Software's part after an FLR: BARs, bus mastering, PASIDs. */
void restore_function(Dev *d);

#define VECTOR_DATA(n)  (0xc0de0000u + (n))

/* Vector @n writes its data to the word that is returned (pa). */
uint64_t arm_vector(Dev *d, unsigned n, bool masked);

/* ---- Memory ------------------------------------------------------------- */

/* Memory of the process, mapped when it has an address space: pa. */
uint64_t process_alloc(Dev *d, uint64_t bytes);
uint64_t va(Dev *d, uint64_t pa);

/* Something that differs from place to place and from 0. */
uint8_t pattern_byte(uint64_t i);
uint8_t zero_byte(uint64_t i);
void fill_pattern(Dev *d, uint64_t pa, uint64_t bytes);
void assert_bytes(Dev *d, uint64_t pa, uint64_t bytes,
                  uint8_t (*expected)(uint64_t i));

/* ---- Queues and jobs ---------------------------------------------------- */

typedef struct Queue {
    Dev *d;
    unsigned n;
    uint64_t ring, completions;     /* pa */
    unsigned size_log2;
    uint16_t tail;
} Queue;

uint64_t portal(Queue *q, uint32_t reg);
uint32_t q32(Queue *q, uint32_t reg);
uint64_t q64(Queue *q, uint32_t reg);
void q_write32(Queue *q, uint32_t reg, uint32_t value);
void q_write64(Queue *q, uint32_t reg, uint64_t value);
void queue_program(Queue *q, uint32_t pasid);
Queue queue_make(Dev *d, unsigned n, unsigned size_log2);
Queue queue_open(Dev *d, unsigned n, unsigned size_log2, uint32_t pasid);
/* With as many @jobs in work at once */
Queue queue_open_jobs(Dev *d, unsigned n, unsigned size_log2, uint32_t pasid,
                      unsigned jobs);
void queue_reopen(Queue *q);

/* Fill a slot without telling the device. */
unsigned fill_slot(Queue *q, PasidDevDescriptor desc);
unsigned submit(Queue *q, PasidDevDescriptor desc);
PasidDevCompletion record_at(Queue *q, unsigned index);
PasidDevCompletion wait_for(Queue *q, unsigned index);
PasidDevCompletion run(Queue *q, PasidDevDescriptor desc);
PasidDevDescriptor endless_job(Dev *d);
/* One, on @q; on return it is in work, be it in a thread. */
void submit_endless(Queue *q);
void assert_completion(PasidDevCompletion c, uint32_t status,
                       uint64_t result, uint64_t progress,
                       uint64_t fault_addr);
/* Word @i of the memory from @pa on */
uint64_t word_at(Dev *d, uint64_t pa, int i);
void assert_queue_error(Queue *q, uint32_t error, uint64_t fault_addr);
void assert_queue_works(Queue *q);

/* ---- Processes ---------------------------------------------------------- */

#define THE_PASID   5u
#define CD_LOG2     6
#define VA_OFFSET   UINT64_C(0x100000000000)

/*
 * A process whose memory is at VA_OFFSET from where it is physically, known to
 * the SMMU as THE_PASID; its faults stall, if the device lets them.
 */
void give_address_space(Dev *d);
Dev *process_start_with(const char *properties);
Dev *process_start(void);

/* Behind a root port at slot 4, where its requester ID is another one. */
Dev *process_start_behind_port(void);
void map(Dev *d, uint64_t pa, uint64_t bytes);

/* Away from the table, and from what the SMMU remembers of it. */
void unmap(Dev *d, uint64_t pa, uint64_t bytes);

/* ---- Stalls ------------------------------------------------------------- */

typedef enum Decision { RETRY, ABORT, IGNORE } Decision;

void resume(Dev *d, uint16_t stag, Decision decision);

/* The queue stalls for @addr; the event says so: its STAG. */
uint16_t expect_stall(Queue *q, uint64_t addr, bool write);
/* The same of any number of stalled accesses: the next event is for @addr. */
uint16_t next_stall(Dev *d, uint64_t addr);

/* A copy of 4 pages whose third page of the destination is missing. */
typedef struct StalledCopy {
    Dev *d;
    Queue q;
    uint64_t src, dst, missing;     /* pa */
    unsigned index;
    uint16_t stag;
} StalledCopy;

#define COPY_BYTES      (4 * PAGE - 10)

StalledCopy stalled_copy_start(void);

/* Answer every stall, known or new. */
void retry_all(StalledCopy *c);

/* Nothing of a cancelled job happens after what cancelled it. */
void assert_stays_cancelled(StalledCopy *c);

/* ---- Operations --------------------------------------------------------- */

/*
 * What each operation's test gets: a queue that works, be it without IOMMU,
 * behind QEMU's SMMU, or in a process's address space.
 */
typedef struct Bench {
    Dev *d;
    Queue q;
} Bench;

typedef struct OperationTest {
    const char *name;
    void (*run)(Bench *b);
} OperationTest;

extern const OperationTest operation_tests[];

/* /pasid-dev/@where/... for each of them; @test gets its index. */
void add_operations(const char *where, GTestDataFunc test);
void assert_nothing_left(Bench *b);

#endif
