/*
 * What the qtests share: a virt-sva machine without software, its SMMU set up
 * by MMIO, stage-1 tables, PCI functions found and enabled. Not tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SVA_QTEST_H
#define SVA_QTEST_H

#include "tests/qtest/libqtest.h"
#include "hw/arm/smmuv3-sva/core/spec/spec.h"

#define SVA_RAM             UINT64_C(0x40000000)    /* 128 MiB */
#define SVA_SMMU            UINT64_C(0x09050000)
#define SVA_SMMU_PATH       "/machine/smmu"
#define SVA_SMMU_INTID      106     /* eventq, and after it: */
enum { SVA_IRQ_PRIQ = 1, SVA_IRQ_SYNC = 2, SVA_IRQ_GERROR = 3 };

#define SVA_QUEUE_LOG2      6       /* entries of each queue */
#define SVA_SID_LOG2        12      /* StreamIDs of the linear table */

typedef struct SvaQtest {
    QTestState *qts;
    uint64_t next;          /* free guest RAM */
    uint64_t ram_end;
    uint64_t ecam;          /* PCI Express configuration space */
    uint64_t mmio_next;     /* free PCI memory space */
    uint64_t strtab, cmdq, eventq, priq;
    uint32_t cmdq_prod, eventq_cons, priq_cons;
} SvaQtest;

/* By SVA_QTEST_SLOWNESS: how much slower than usual QEMU is, 1 otherwise. */
unsigned sva_slowness(void);

/* How long anything may take: generous, the machine may be busy. */
#define WAIT_SECONDS    (30 * sva_slowness())

/* Again and again until @condition, which ends the test if it never comes. */
#define WAIT_FOR(condition)                                                 \
    do {                                                                    \
        gint64 end_ = g_get_monotonic_time() +                              \
                      WAIT_SECONDS * G_USEC_PER_SEC;                        \
        while (!(condition)) {                                              \
            if (g_get_monotonic_time() > end_) {                            \
                g_error("%s:%d: waited in vain for %s", __func__, __LINE__, \
                        #condition);                                        \
            }                                                               \
        }                                                                   \
    } while (0)

/* ---- The machine ------------------------------------------------------ */

/* A machine whose SMMU, if any, is QEMU's; for sva_start_machine(). */
#define PLAIN_MACHINE   "virt,gic-version=3 -cpu max"

/* -M virt-sva with more arguments; see also sva_smmu_enable(). */
SvaQtest *sva_start(const char *args);
/* The same with another machine of the virt family: -M @machine. */
SvaQtest *sva_start_machine(const char *machine, const char *args);
void sva_stop(SvaQtest *t);

/*
 * qtest_bufread() and qtest_bufwrite(), in pieces: who waits for the end of a
 * line looks through all there is of it each time that more comes.
 */
void sva_bufread(SvaQtest *t, uint64_t addr, void *data, uint64_t bytes);
void sva_bufwrite(SvaQtest *t, uint64_t addr, const void *data, uint64_t bytes);

/*
 * For the tests of endpoints, which are run twice: with their work in the main
 * loop, and (/pasid-dev/thread/...) in an IOThread. Their rigs have these stand
 * in for GLib's functions.
 */
bool sva_is_in_thread(void);
void sva_add_test(const char *path, GTestFunc test);
void sva_add_data_test(const char *path, gconstpointer data,
                       GTestDataFunc test);

/* Zeroed guest RAM; @align is a power of two. Never freed. */
uint64_t sva_alloc(SvaQtest *t, uint64_t bytes, uint64_t align);

/* A counter of the SMMU, as in its QOM property "counters". */
uint64_t sva_counter(SvaQtest *t, const char *name);
void sva_counters_reset(SvaQtest *t);
/* A fault counter; 0 if there was none. */
uint64_t sva_fault_counter(SvaQtest *t, const char *event);

/* Has this SPI of the GIC become pending? Takes it back. See sva_gic_init. */
bool sva_take_irq(SvaQtest *t, unsigned intid);
/* Make the SMMU's lines edge-triggered and enabled. */
void sva_gic_init(SvaQtest *t);

/* ---- The SMMU --------------------------------------------------------- */

uint32_t sva_read32(SvaQtest *t, uint32_t reg);
uint64_t sva_read64(SvaQtest *t, uint32_t reg);
void sva_write32(SvaQtest *t, uint32_t reg, uint32_t value);
void sva_write64(SvaQtest *t, uint32_t reg, uint64_t value);

/* Linear stream table, all queues, interrupts; SMMUEN. STEs are invalid. */
void sva_smmu_enable(SvaQtest *t);

void sva_command(SvaQtest *t, uint64_t word0, uint64_t word1);
/* The same, but for the doorbell: write cmdq_prod to CMDQ_PROD. */
void sva_command_prepare(SvaQtest *t, uint64_t word0, uint64_t word1);
/* CMD_RESUME that retries the stall, without the doorbell. */
void sva_resume_prepare(SvaQtest *t, uint32_t sid, uint16_t stag);
/* CMD_TLBI_NH_VA of one page. */
void sva_tlbi_va(SvaQtest *t, unsigned asid, uint64_t va);
/* CMD_SYNC; waits for its consumption. */
void sva_sync(SvaQtest *t);
/* The oldest record of the event queue, consumed; false: it is empty. */
bool sva_event(SvaQtest *t, uint64_t event[SMMU3_EVENT_WORDS]);
bool sva_page_request(SvaQtest *t, uint64_t entry[SMMU3_PRI_WORDS]);

/* Write an STE and invalidate what was cached of it. */
void sva_set_ste(SvaQtest *t, uint32_t sid,
                 const uint64_t ste[SMMU3_STE_WORDS]);
void sva_ste_bypass(SvaQtest *t, uint32_t sid);
/*
 * Stage 1 with a linear table of 2^@cd_log2 CDs at @cds; transactions without
 * PASID use CD 0.
 */
void sva_ste_stage1(SvaQtest *t, uint32_t sid, uint64_t cds,
                    unsigned cd_log2);
/* A CD for 48-bit addresses and 4 KiB pages; faults abort or stall. */
void sva_cd_for(uint64_t cd[SMMU3_CD_WORDS], uint64_t root, uint16_t asid,
                bool stall);
void sva_set_cd(SvaQtest *t, uint32_t sid, uint64_t cds, uint32_t ssid,
                const uint64_t cd[SMMU3_CD_WORDS]);

/* ---- Stage-1 tables, 4 KiB granule, 48 bits --------------------------- */

enum { SVA_MAP_RO = 1, SVA_MAP_PRIV = 2 };

uint64_t sva_table(SvaQtest *t);
/* Map pages; @bytes is rounded up. Nothing is invalidated. */
void sva_map(SvaQtest *t, uint64_t root, uint64_t va, uint64_t pa,
             uint64_t bytes, unsigned flags);
void sva_unmap(SvaQtest *t, uint64_t root, uint64_t va, uint64_t bytes);
/* Where the level-3 descriptor of @va is; makes the tables above it. */
uint64_t sva_leaf_address(SvaQtest *t, uint64_t root, uint64_t va);

/* ---- PCI -------------------------------------------------------------- */

uint32_t sva_config_read(SvaQtest *t, unsigned bus, unsigned devfn,
                         unsigned offset, unsigned size);
void sva_config_write(SvaQtest *t, unsigned bus, unsigned devfn,
                      unsigned offset, unsigned size, uint32_t value);
/* devfn of the first function with these IDs on @bus; -1: none. */
int sva_find(SvaQtest *t, unsigned bus, uint16_t vendor, uint16_t device);
/* Give a bridge its bus number and a window of 16 MiB for each kind. */
void sva_enable_bridge(SvaQtest *t, unsigned bus, unsigned devfn,
                       unsigned secondary);
/* Place memory BAR @bar, enable memory and bus mastering: its address. */
uint64_t sva_enable_bar(SvaQtest *t, unsigned bus, unsigned devfn,
                        unsigned bar);
/* Offset of a capability, 0: none. */
unsigned sva_find_cap(SvaQtest *t, unsigned bus, unsigned devfn, uint8_t id);
unsigned sva_find_ecap(SvaQtest *t, unsigned bus, unsigned devfn,
                       uint16_t id);

#endif
