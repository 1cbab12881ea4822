/*
 * See waste.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "waste.h"
#include <glib.h>
#include <string.h>
#include "../spec/spec.h"

enum { RECENT = 16, IDS = 65536 };

struct Smmu3Waste {
    Smmu3AuditSummary summary;
    uint64_t cached;                /* entries, ever */
    struct {
        uint64_t cmd[SMMU3_CMD_WORDS];
        uint64_t cached;
    } recent[RECENT];
    unsigned next;
    uint8_t asids[IDS / 8], vmids[IDS / 8];     /* bits: that were seen */
};

Smmu3Waste *smmu3_waste_new(void)
{
    return g_new0(Smmu3Waste, 1);
}

void smmu3_waste_free(Smmu3Waste *waste)
{
    g_free(waste);
}

static void mark(uint8_t *ids, uint16_t id)
{
    ids[id / 8] |= 1 << id % 8;
}

static bool is_marked(const uint8_t *ids, uint16_t id)
{
    return ids[id / 8] >> id % 8 & 1;
}

void smmu3_waste_cached(Smmu3Waste *waste, const Smmu3TlbTag *tag)
{
    waste->cached++;
    if (tag) {
        mark(waste->asids, tag->asid);
        mark(waste->vmids, tag->vmid);
    }
}

void smmu3_waste_moved(Smmu3Waste *waste)
{
    waste->summary.outputs_moved++;
}

void smmu3_waste_no_function(Smmu3Waste *waste)
{
    waste->summary.without_function++;
}

/* The same as one of the last, and nothing was cached since. */
static bool is_repeated(Smmu3Waste *waste, const uint64_t *cmd)
{
    bool repeated = false;

    for (unsigned i = 0; i < RECENT; i++) {
        repeated |= waste->recent[i].cached == waste->cached &&
                    !memcmp(waste->recent[i].cmd, cmd, SMMU3_CMD_BYTES);
    }
    memcpy(waste->recent[waste->next].cmd, cmd, SMMU3_CMD_BYTES);
    waste->recent[waste->next].cached = waste->cached;
    waste->next = (waste->next + 1) % RECENT;
    return repeated;
}

/* One VMID of several that are named (CR0.VMW) says nothing. */
static void count_unknown(Smmu3Waste *waste, const Smmu3Heard *heard)
{
    if (heard->vmid_ignore) {
        return;
    }
    switch (heard->opcode) {
    case CMD_TLBI_NH_ASID:
    case CMD_TLBI_NH_VA:
        waste->summary.unknown_asids += !is_marked(waste->asids, heard->asid);
        /* fall through */
    case CMD_TLBI_NH_ALL:
    case CMD_TLBI_NH_VAA:
    case CMD_TLBI_S12_VMALL:
    case CMD_TLBI_S2_IPA:
        waste->summary.unknown_vmids += !is_marked(waste->vmids, heard->vmid);
        break;
    case CMD_TLBI_EL2_ASID:
    case CMD_TLBI_EL2_VA:
        waste->summary.unknown_asids += !is_marked(waste->asids, heard->asid);
        break;
    default:
        break;
    }
}

/* An ASID, a VMID, a stream, or more. */
static bool is_whole(const Smmu3Heard *heard)
{
    switch (heard->opcode) {
    case CMD_CFGI_STE:
    case CMD_CFGI_CD:
        return false;
    case CMD_CFGI_CD_ALL:
        return true;
    case CMD_CFGI_STE_RANGE:
        return heard->first == 0 && heard->last == UINT32_MAX;
    default:
        return heard->first == 0 && heard->last == UINT64_MAX;
    }
}

void smmu3_waste_command(Smmu3Waste *waste, const uint64_t *cmd,
                         const Smmu3Heard *heard, int removes)
{
    Smmu3CommandWaste *of = &waste->summary.commands[heard->opcode];

    of->count++;
    of->repeated += is_repeated(waste, cmd);
    of->nothing += removes == 0;
    of->broad += is_whole(heard) && removes > 0 && removes < SMMU3_WASTE_FEW;
    count_unknown(waste, heard);
}

void smmu3_waste_summary(const Smmu3Waste *waste, Smmu3AuditSummary *summary)
{
    *summary = waste->summary;
}

void smmu3_waste_reset(Smmu3Waste *waste)
{
    memset(&waste->summary, 0, sizeof(waste->summary));
}
