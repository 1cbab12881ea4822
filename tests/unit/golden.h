/*
 * An SMMU set up by literal words, and small helpers to place and to compare
 * literal words: the layouts here and in test-golden-*.c are written from the
 * specification, so that a wrong bit in spec.h has a judge. Not builders:
 * nothing here may use a field or a number of spec.h. Used by test-golden-*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "fake-host.h"
#include "core/smmu3.h"

/* Where the stream table (256 STEs) and the queues are; bit 51 is set. */
#define G_STRTAB    UINT64_C(0x8765432104000)
#define G_CMDQ      UINT64_C(0x9abcdef012000)   /* 32 commands */
#define G_EVENTQ    UINT64_C(0xa5a5a5a5a6000)   /* 32 records */
#define G_PRIQ      UINT64_C(0xc3c3c3c3c4000)   /* 8 page requests */

/* What most tests use: a CD, and the start tables of both stages. */
#define G_CD        UINT64_C(0x8000000abc040)
#define G_S1        UINT64_C(0x0000901234567000)
#define G_S2        UINT64_C(0x0000a02468ace000)

/*
 * An STE of stage 1 with S1DSS=2, S1CIR=S1COR=1, S1CSH=3 and SHCFG=1; @cd:
 * S1ContextPtr, with the fields of word 0 that are beside it.
 */
#define G_STE1(cd)  UINT64_C(0x000000000000000b) | (cd), \
                    UINT64_C(0x00001000000000d6), 0, 0
/*
 * Stage 2: 4 KiB granule, S2T0SZ=25, so that level 1 with S2SL0=1 is where a
 * walk starts; S2IR0=S2OR0=1, S2SH0=3, S2PS=5, S2AA64, S2R; S2VMID.
 */
#define G_STE2_W2(vmid) (UINT64_C(0x040d355900000000) | (vmid))
#define G_STE2(vmid) UINT64_C(0x000000000000000d), \
                     UINT64_C(0x0000100000000000), G_STE2_W2(vmid), G_S2
#define G_NESTED(cd, vmid) UINT64_C(0x000000000000000f) | (cd), \
                           UINT64_C(0x00001000000000d6), G_STE2_W2(vmid), G_S2
/*
 * A CD: T0SZ=25, TG0=0, IR0=OR0=1, SH0=3, EPD1, V, IPS=5, AA64, R, A; the
 * ASID; G_S1; attributes 0: Normal write-back, 1 to 7: Device.
 */
#define G_CD_W0(asid) (UINT64_C(0x00006205c0003519) | (uint64_t)(asid) << 48)
#define G_CD1(asid) G_CD_W0(asid), G_S1, 0, UINT64_C(0x00000000000000ff)

/*
 * Blocks of 1 GiB, the entries of G_S1 and G_S2: AttrIndx=0 or MemAttr=15,
 * inner shareable, AF. Stage 1: for all or for the privileged only, nG.
 */
#define G_USER_RW   UINT64_C(0x0000000000000f41)
#define G_USER_RO   UINT64_C(0x0000000000000fc1)
#define G_PRIV_RW   UINT64_C(0x0000000000000f01)
#define G_S2_RW     UINT64_C(0x00000000000007fd)
#define G_S2_RO     UINT64_C(0x000000000000077d)
/* The input address of entry @i of such a table */
#define G_VA(i)     ((uint64_t)(i) << 30)

typedef struct Golden {
    FakeHost *host;
    Smmu3 *smmu;
    Smmu3Features features;     /* all; change before golden_start() */
    uint32_t cr2;               /* RECINVSID; likewise */
    unsigned commands, events;  /* so many went through the queues */
} Golden;

Golden *golden_new(void);
/* Make the SMMU and its queues; everything is enabled but SMMUEN. */
void golden_create(Golden *g);
/* All of it, calling golden_create() if need be. */
void golden_start(Golden *g);
void golden_free(Golden *g);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Golden, golden_free)

uint32_t golden_r32(Golden *g, uint64_t offset);
uint64_t golden_r64(Golden *g, uint64_t offset);
void golden_w32(Golden *g, uint64_t offset, uint32_t value);
void golden_w64(Golden *g, uint64_t offset, uint64_t value);

/* Words of memory, which is made where there is none yet. */
void golden_put(Golden *g, uint64_t pa, uint64_t word);
void golden_put4(Golden *g, uint64_t pa, uint64_t w0, uint64_t w1,
                 uint64_t w2, uint64_t w3);
/* The first four words of an STE; the others are zero. */
void golden_ste(Golden *g, uint32_t sid, uint64_t w0, uint64_t w1,
                uint64_t w2, uint64_t w3);

/* Put a command into the queue and let it run. */
void golden_command(Golden *g, uint64_t w0, uint64_t w1);
/* The same; it must be consumed, without an error. */
void golden_accept(Golden *g, uint64_t w0, uint64_t w1);
/* CFGI_ALL, TLBI_EL2_ALL, TLBI_NSNH_ALL, SYNC. */
void golden_forget(Golden *g);

/* The one record that is in the event queue, whole. */
void golden_event(Golden *g, uint64_t w0, uint64_t w1, uint64_t w2,
                  uint64_t w3);
/* A record whose numbers matter only to its first word's low byte. */
void golden_event_type(Golden *g, unsigned type);
void golden_no_event(Golden *g);

/* An ordinary, unprivileged read of data, for tests to change. */
Smmu3Transaction golden_read(uint32_t sid, uint64_t addr);
Smmu3Transaction golden_write(uint32_t sid, uint64_t addr);
Smmu3Transaction golden_ssid(Smmu3Transaction t, uint32_t ssid);

/* It passes, to @pa, and leaves no record. */
void golden_passes(Golden *g, Smmu3Transaction t, uint64_t pa);
/* It aborts; what it records is the caller's to look at. */
void golden_aborts(Golden *g, Smmu3Transaction t);

#endif
