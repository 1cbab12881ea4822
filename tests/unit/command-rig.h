/*
 * Commands as software writes them, and an SMMU whose command queue begins at
 * slot 0. Not the other queues: rig.h. Used by the tests of the command queue,
 * of invalidations and of CMD_SYNC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_COMMAND_RIG_H
#define TEST_COMMAND_RIG_H

#include "builders.h"
#include "rig.h"

#define MASK(...)   smmu3_field_mask(__VA_ARGS__)

/* A StreamID, in word 0. */
#define SID(n)          ((uint64_t)(n) << 32)
/* Fields of CMD_TLBI_*: NUM and SCALE in word 0, TTL and TG in word 1. */
#define NUM(n)          ((uint64_t)(n) << 12)
#define SCALE(n)        ((uint64_t)(n) << 20)
#define TTL(n)          ((uint64_t)(n) << 8)
#define TG(n)           ((uint64_t)(n) << 10)

typedef struct Cmd {
    uint64_t words[SMMU3_CMD_WORDS];
} Cmd;

Cmd command(unsigned opcode);
Cmd sync_with(unsigned cs, uint64_t msi_addr, uint32_t msi_data);

/* Write a command into slot @index of the queue, without a word to anyone. */
void put(Rig *r, unsigned index, const Cmd *c);
/* Write it behind the others, and let the queue run. */
void submit(Rig *r, Cmd c);

/* CMDQ_PROD, and the index and the error in CMDQ_CONS. */
uint32_t prod(Rig *r);
uint32_t cons(Rig *r);
unsigned error_code(Rig *r);

/* GERROR differs from GERRORN; and GERRORN made equal to it. */
uint32_t active_errors(Rig *r);
void acknowledge(Rig *r);

/* All commands were consumed, none of them with an error. */
void assert_idle(Rig *r);
/* The queue stands at @index with @error, and said so once. */
void assert_failed(Rig *r, unsigned index, Smmu3CmdError error);

/* For started(): without stage 2, and without what needs it. */
void no_s2(Smmu3Features *f);

/* A started SMMU whose queue begins at slot 0; either may be NULL. */
Rig *started(void (*change)(Smmu3Features *f), const Smmu3HostOps *ops);

#endif
