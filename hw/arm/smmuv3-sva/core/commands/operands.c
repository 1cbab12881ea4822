/*
 * See operands.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "operands.h"

bool smmu3_has_range(unsigned opcode)
{
    return opcode == CMD_TLBI_NH_VA || opcode == CMD_TLBI_NH_VAA ||
           opcode == CMD_TLBI_EL2_VA || opcode == CMD_TLBI_EL2_VAA ||
           opcode == CMD_TLBI_S2_IPA;
}

/* Without stage 2 there is one VMID, 0. */
uint16_t smmu3_operand_vmid(const Smmu3 *s, const uint64_t *cmd)
{
    return s->features.s2p ? smmu3_get(cmd, CMD_VMID) : 0;
}

uint16_t smmu3_operand_vmid_ignore(const Smmu3 *s)
{
    uint64_t cr0 = s->regs.cr0ack;
    unsigned vmw = smmu3_get(&cr0, CR0_VMW);

    return vmw <= 4 ? smmu3_mask(vmw) : 0;
}

/* 4.4.1.1: SCALE has a sixth bit with 52-bit addresses, and ends at 39. */
unsigned smmu3_operand_scale(const Smmu3Features *f, const uint64_t *cmd)
{
    unsigned scale = smmu3_get(cmd, CMD_TLBI_SCALE);

    return f->ds ? MIN(scale, 39) : scale & 31;
}

/*
 * 4.4.1.1: TG=0 is one address; otherwise (NUM+1) * 2^SCALE granules. The
 * hint TTL is not used: more than asked for may go.
 */
void smmu3_operand_range(const Smmu3 *s, const uint64_t *cmd, uint64_t *first,
                         uint64_t *last)
{
    static const uint8_t granule_log2[] = { 12, 12, 14, 16 };
    unsigned tg = s->features.ril ? smmu3_get(cmd, CMD_TLBI_TG) : 0;
    unsigned log2 = granule_log2[tg];
    uint64_t num = smmu3_get(cmd, CMD_TLBI_NUM) + 1;
    uint64_t more = smmu3_mask(log2);       /* bytes after the first */

    *first = smmu3_get_addr(cmd, CMD_ADDR) & ~smmu3_mask(log2);
    if (tg) {
        /* At most 2^(5 + 39 + 16) */
        more = (num << (smmu3_operand_scale(&s->features, cmd) + log2)) - 1;
    }
    *last = more > UINT64_MAX - *first ? UINT64_MAX : *first + more;
}

/* The command's words, as an endpoint is to hear them. */
Smmu3AtcInvalidate smmu3_operand_atc(const Smmu3 *s, const uint64_t *cmd)
{
    unsigned size_log2 = smmu3_get(cmd, CMD_ATC_SIZE) + 12;
    Smmu3AtcInvalidate inv = {
        .sid = smmu3_get(cmd, CMD_STREAMID),
        /* Where there are no SubstreamIDs, SSV acts as 0 */
        .has_ssid = s->features.ssidsize && smmu3_get(cmd, CMD_SSV),
        .size_log2 = size_log2,
        .addr = smmu3_get_addr(cmd, CMD_ADDR) & ~smmu3_mask(size_log2),
        .batch = s->command.atc_batch,
    };

    if (inv.has_ssid) {
        inv.ssid = smmu3_get(cmd, CMD_SUBSTREAMID);
        inv.global = smmu3_get(cmd, CMD_ATC_GLOBAL);
    }
    return inv;
}
