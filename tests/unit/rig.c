/*
 * See rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rig.h"
#include "builders.h"

Rig *rig_new(void)
{
    Rig *r = g_new0(Rig, 1);

    r->host = fake_host_new();
    features_all(&r->features);
    r->strtab_log2 = 8;
    r->cmdq_log2 = 5;
    r->eventq_log2 = 5;
    r->priq_log2 = 3;
    r->cr2 = smmu3_field_mask(CR2_RECINVSID);
    r->cr0 = UINT32_MAX;
    return r;
}

void rig_create(Rig *r)
{
    g_assert_null(r->smmu);
    r->smmu = smmu3_new(&r->features, &r->options, &fake_host_ops, r->host);
    r->host->smmu = r->smmu;
}

void rig_free(Rig *r)
{
    if (r->smmu) {
        smmu3_free(r->smmu);
    }
    fake_host_free(r->host);
    g_free(r);
}

static uint64_t new_queue(Rig *r, uint64_t base_reg, unsigned log2,
                          unsigned entry_bytes)
{
    uint64_t bytes = (uint64_t)entry_bytes << log2;
    uint64_t pa = fake_alloc(r->host, bytes, MAX(bytes, 4096));
    uint64_t base = pa;

    smmu3_set(&base, QUEUE_BASE_LOG2SIZE, log2);
    rig_write64(r, base_reg, base);
    return pa;
}

static void make_stream_table(Rig *r)
{
    uint64_t entries = UINT64_C(1) << r->strtab_log2, cfg = 0;
    uint64_t bytes = entries * SMMU3_STE_BYTES;

    if (r->strtab_split) {
        bytes = MAX(entries >> r->strtab_split, 8) * SMMU3_L1STD_BYTES;
        smmu3_set(&cfg, STRTAB_CFG_FMT, 1);
        smmu3_set(&cfg, STRTAB_CFG_SPLIT, r->strtab_split);
    }
    smmu3_set(&cfg, STRTAB_CFG_LOG2SIZE, r->strtab_log2);
    /* Aligned to its size and to no more */
    bytes = MAX(bytes, 4096);
    r->strtab = fake_alloc(r->host, 2 * bytes, 2 * bytes) + bytes;
    rig_write64(r, SMMU3_STRTAB_BASE, r->strtab);
    rig_write32(r, SMMU3_STRTAB_BASE_CFG, cfg);
}

void rig_start(Rig *r)
{
    uint64_t enables = 0, irqs = 0;

    if (!r->smmu) {
        rig_create(r);
    }
    rig_write32(r, SMMU3_CR0, 0);
    rig_write32(r, SMMU3_CR1, 0xd75);
    rig_write32(r, SMMU3_CR2, r->cr2);
    make_stream_table(r);
    r->cmdq = new_queue(r, SMMU3_CMDQ_BASE, r->cmdq_log2, SMMU3_CMD_BYTES);
    rig_write32(r, SMMU3_CMDQ_PROD, 0);
    rig_write32(r, SMMU3_CMDQ_CONS, 0);
    r->eventq = new_queue(r, SMMU3_EVENTQ_BASE, r->eventq_log2,
                          SMMU3_EVENT_BYTES);
    rig_write32(r, SMMU3_EVENTQ_PROD, 0);
    rig_write32(r, SMMU3_EVENTQ_CONS, 0);

    smmu3_set(&enables, CR0_CMDQEN, 1);
    smmu3_set(&enables, CR0_EVENTQEN, 1);
    if (r->features.pri) {
        r->priq = new_queue(r, SMMU3_PRIQ_BASE, r->priq_log2,
                            SMMU3_PRI_BYTES);
        rig_write32(r, SMMU3_PRIQ_PROD, 0);
        rig_write32(r, SMMU3_PRIQ_CONS, 0);
        smmu3_set(&enables, CR0_PRIQEN, 1);
        smmu3_set(&irqs, IRQ_CTRL_PRIQ, 1);
    }
    if (r->features.ats) {
        smmu3_set(&enables, CR0_ATSCHK, 1);
    }
    rig_write32(r, SMMU3_CR0, enables & r->cr0);
    if (enables & r->cr0 & smmu3_field_mask(CR0_CMDQEN)) {
        rig_invalidate_all(r);
    }
    smmu3_set(&irqs, IRQ_CTRL_GERROR, 1);
    smmu3_set(&irqs, IRQ_CTRL_EVENTQ, 1);
    rig_write32(r, SMMU3_IRQ_CTRL, irqs);
    smmu3_set(&enables, CR0_SMMUEN, 1);
    rig_write32(r, SMMU3_CR0, enables & r->cr0);
    fake_clear_records(r->host);
}

uint64_t rig_ste_addr(Rig *r, uint32_t sid)
{
    uint64_t l1, l1std, index;

    if (!r->strtab_split) {
        return r->strtab + (uint64_t)sid * SMMU3_STE_BYTES;
    }
    l1 = r->strtab + (uint64_t)(sid >> r->strtab_split) * SMMU3_L1STD_BYTES;
    index = sid & smmu3_mask(r->strtab_split);
    l1std = fake_read64(r->host, l1);
    if (!l1std) {
        uint64_t bytes = (uint64_t)SMMU3_STE_BYTES << r->strtab_split;

        l1std = fake_alloc(r->host, bytes, bytes);
        smmu3_set(&l1std, L1STD_SPAN, r->strtab_split + 1);
        fake_write64(r->host, l1, l1std);
    }
    return smmu3_get_addr(&l1std, L1STD_L2PTR) + index * SMMU3_STE_BYTES;
}

void rig_set_ste(Rig *r, uint32_t sid, const uint64_t ste[SMMU3_STE_WORDS])
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };
    uint64_t cr0 = rig_read32(r, SMMU3_CR0ACK);

    fake_write_words(r->host, rig_ste_addr(r, sid), ste, SMMU3_STE_WORDS);
    if (smmu3_get(&cr0, CR0_CMDQEN)) {
        smmu3_set(cmd, CMD_OPCODE, CMD_CFGI_STE);
        smmu3_set(cmd, CMD_STREAMID, sid);
        smmu3_set(cmd, CMD_LEAF, 1);
        rig_command(r, cmd);
        rig_sync(r);
    }
}

void rig_command(Rig *r, const uint64_t cmd[SMMU3_CMD_WORDS])
{
    uint32_t prod = rig_read32(r, SMMU3_CMDQ_PROD);
    uint32_t index = prod & smmu3_mask(r->cmdq_log2);

    fake_write_words(r->host, r->cmdq + index * SMMU3_CMD_BYTES, cmd,
                     SMMU3_CMD_WORDS);
    rig_write32(r, SMMU3_CMDQ_PROD,
                (prod + 1) & smmu3_mask(r->cmdq_log2 + 1));
    smmu3_service(r->smmu);
}

void rig_command2(Rig *r, uint64_t word0, uint64_t word1)
{
    rig_command(r, (uint64_t[]) { word0, word1 });
}

void rig_sync(Rig *r)
{
    rig_command2(r, CMD_SYNC, 0);
}

void rig_pri_resp(Rig *r, uint32_t sid, uint16_t index, unsigned resp)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE };

    smmu3_set(cmd, CMD_STREAMID, sid);
    smmu3_set(cmd, CMD_PRI_PRGINDEX, index);
    smmu3_set(cmd, CMD_PRI_RESP, resp);
    rig_command(r, cmd);
}

void rig_invalidate_all(Rig *r)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };

    smmu3_set(cmd, CMD_OPCODE, CMD_CFGI_STE_RANGE);
    smmu3_set(cmd, CMD_CFGI_RANGE, CMD_CFGI_RANGE_ALL);
    rig_command(r, cmd);
    if (r->features.hyp) {
        rig_command2(r, CMD_TLBI_EL2_ALL, 0);
    }
    rig_command2(r, CMD_TLBI_NSNH_ALL, 0);
    rig_sync(r);
}

bool rig_event(Rig *r, uint64_t event[SMMU3_EVENT_WORDS])
{
    uint64_t prod = rig_read32(r, SMMU3_EVENTQ_PROD);
    uint64_t cons = rig_read32(r, SMMU3_EVENTQ_CONS);
    uint64_t mask = smmu3_mask(r->eventq_log2 + 1);
    uint64_t index = cons & smmu3_mask(r->eventq_log2);

    if (((prod ^ cons) & mask) == 0) {
        return false;
    }
    fake_read_words(r->host, r->eventq + index * SMMU3_EVENT_BYTES, event,
                    SMMU3_EVENT_WORDS);
    rig_write32(r, SMMU3_EVENTQ_CONS, (cons & ~mask) | ((cons + 1) & mask));
    return true;
}

void rig_expect_event(Rig *r, Smmu3EventType type,
                      uint64_t event[SMMU3_EVENT_WORDS])
{
    g_assert_true(rig_event(r, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, type);
}

void rig_expect_no_event(Rig *r)
{
    uint64_t event[SMMU3_EVENT_WORDS];

    if (rig_event(r, event)) {
        g_test_message("unexpected event %016" G_GINT64_MODIFIER "x %016"
                       G_GINT64_MODIFIER "x", event[0], event[1]);
        g_assert_not_reached();
    }
}
