/*
 * Two stages, of which the first is ours: see libnested.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include "libnested.h"

enum { DATA_SMMUV3 = 2 };
enum { VIOMMU_SMMUV3 = 1, INVALIDATE_SMMUV3 = 1 };

#define CDS_LOG2 2

static uint8_t *guest;
static uint64_t guest_ipa;
static unsigned tables_used;

void guest_new(uint64_t ipa)
{
    guest = pages_new(GUEST_BYTES / page_bytes(), 5);
    guest_ipa = ipa ? ipa : (uintptr_t)guest;
    memset(guest, 0, GUEST_PAGE);
}

void *guest_memory(void)
{
    return guest;
}

static uint64_t *guest_cd(unsigned ssid)
{
    return (uint64_t *)(void *)(guest + ssid * SMMU3_CD_BYTES);
}

uint8_t *data_page(unsigned n)
{
    return guest + (DATA_PAGE + n) * GUEST_PAGE;
}

uint64_t data_ipa(unsigned n)
{
    return guest_ipa + (DATA_PAGE + n) * GUEST_PAGE;
}

uint64_t table_new(void)
{
    tables_used++;
    if (tables_used >= DATA_PAGE) {
        test_give_up("too many tables");
    }
    memset(guest + tables_used * GUEST_PAGE, 0, GUEST_PAGE);
    return guest_ipa + tables_used * GUEST_PAGE;
}

/* Change a descriptor as the SMMU may see it at any time. */
static void publish(uint64_t *where, uint64_t value)
{
    __atomic_store_n(where, value, __ATOMIC_RELEASE);
}

void stage1_map(uint64_t root, uint64_t va, uint64_t ipa)
{
    uint64_t table = root, page = 0, *entry;

    for (unsigned level = 0; ; level++) {
        entry = (uint64_t *)(void *)(guest + (table - guest_ipa)) +
            (va >> (39 - 9 * level)) % 512;
        if (level == 3) {
            break;
        }
        if (!smmu3_get(entry, TTD_VALID)) {
            uint64_t next = table_new();

            smmu3_set(&next, TTD_VALID, 1);
            smmu3_set(&next, TTD_TABLE_OR_PAGE, 1);
            publish(entry, next);
        }
        table = smmu3_get_addr(entry, 0, 12, 36);
    }
    if (ipa) {
        page = ipa;
        smmu3_set(&page, TTD_VALID, 1);
        smmu3_set(&page, TTD_TABLE_OR_PAGE, 1);
        smmu3_set(&page, TTD_AP_UNPRIV, 1);
        smmu3_set(&page, TTD_SH, 3);
        smmu3_set(&page, TTD_AF, 1);
        smmu3_set(&page, TTD_NG, 1);
    }
    publish(entry, page);
}

void write_cd(unsigned ssid, uint64_t root, uint16_t asid, bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS] = { 0 };

    smmu3_set(cd, CD_T0SZ, 16);
    smmu3_set(cd, CD_TG0, CD_TG0_4K);
    smmu3_set(cd, CD_IR0, 1);
    smmu3_set(cd, CD_OR0, 1);
    smmu3_set(cd, CD_SH0, 3);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_IPS, 5);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_S, stall);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_ASID, asid);
    smmu3_set_addr(cd, CD_TTB0, root);
    smmu3_set(cd, CD_MAIR, 0xff);
    memcpy(guest_cd(ssid) + 1, cd + 1, sizeof(cd) - sizeof(cd[0]));
    smmu3_set(cd, CD_V, 1);
    publish(guest_cd(ssid), cd[0]);
}

void stage1_map_queue(uint64_t root, const PasidQueue *q, uint64_t ipa)
{
    stage1_map(root, (uintptr_t)q->ring, ipa);
    stage1_map(root, (uintptr_t)q->completions, ipa + page_bytes());
}

uint32_t viommu_new(uint32_t ioas)
{
    struct {
        uint32_t size, flags, type, dev_id, hwpt, out_id, data_bytes, reserved;
        uint64_t data;
    } viommu = {
        .size = sizeof(viommu), .type = VIOMMU_SMMUV3, .dev_id = dev_id,
        .hwpt = hwpt_new(ioas, HWPT_NEST_PARENT, 0),
    };
    struct {
        uint32_t size, viommu, dev_id, out_id;
        uint64_t virt_id;
    } vdevice = { .size = sizeof(vdevice), .dev_id = dev_id, .virt_id = VSID };

    must_call(iommufd, CALL_VIOMMU_ALLOC, &viommu, "vIOMMU");
    vdevice.viommu = viommu.out_id;
    must_call(iommufd, CALL_VDEVICE_ALLOC, &vdevice, "vDEVICE");
    return viommu.out_id;
}

uint32_t nested_hwpt_new(uint32_t viommu, uint32_t fault_queue)
{
    uint64_t ste[2] = { 0 };
    HwptAlloc c = {
        .size = sizeof(c), .dev_id = dev_id, .pt_id = viommu,
        .flags = fault_queue ? HWPT_FAULTS : 0, .fault_id = fault_queue,
        .data_type = DATA_SMMUV3, .data_bytes = sizeof(ste),
        .data = (uintptr_t)ste,
    };

    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1FMT, STE_S1FMT_LINEAR);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, guest_ipa);
    smmu3_set(ste, STE_S1CDMAX, CDS_LOG2);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_CD0);
    smmu3_set(ste, STE_S1CIR, 1);
    smmu3_set(ste, STE_S1COR, 1);
    smmu3_set(ste, STE_S1CSH, 3);
    must_call(iommufd, CALL_HWPT_ALLOC, &c, "nested page table");
    return c.out_hwpt_id;
}

int invalidate(uint32_t viommu, uint64_t (*commands)[SMMU3_CMD_WORDS],
                      uint32_t *count)
{
    struct {
        uint32_t size, id;
        uint64_t data;
        uint32_t type, entry_bytes, entries, reserved;
    } c = {
        .size = sizeof(c), .id = viommu, .data = (uintptr_t)commands,
        .type = INVALIDATE_SMMUV3, .entry_bytes = SMMU3_CMD_BYTES,
        .entries = *count,
    };
    int ret = call(iommufd, CALL_INVALIDATE, &c);

    *count = c.entries;
    return ret;
}

void invalidate_one(uint32_t viommu, Smmu3Opcode op, uint16_t asid,
                           uint64_t va)
{
    uint64_t command[1][SMMU3_CMD_WORDS] = { { 0 } };
    uint32_t count = 1;
    int ret;

    smmu3_set(command[0], CMD_OPCODE, op);
    smmu3_set(command[0], CMD_ASID, asid);
    smmu3_set_addr(command[0], CMD_ADDR, va);
    ret = invalidate(viommu, command, &count);
    CHECK(!ret && count == 1, "command %#x: %s", op, strerror(-ret));
}

void invalidate_cd(uint32_t viommu, uint32_t ssid, uint16_t asid)
{
    uint64_t commands[2][SMMU3_CMD_WORDS] = { { 0 } };
    uint32_t count = 2;
    int ret;

    smmu3_set(commands[0], CMD_OPCODE, CMD_CFGI_CD);
    smmu3_set(commands[0], CMD_STREAMID, VSID);
    smmu3_set(commands[0], CMD_SUBSTREAMID, ssid);
    smmu3_set(commands[0], CMD_LEAF, 1);
    smmu3_set(commands[1], CMD_OPCODE, CMD_TLBI_NH_ASID);
    smmu3_set(commands[1], CMD_ASID, asid);
    ret = invalidate(viommu, commands, &count);
    CHECK(!ret && count == 2, "%u commands done: %s", count, strerror(-ret));
}
