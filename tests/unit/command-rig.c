/*
 * See command-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command-rig.h"

Cmd command(unsigned opcode)
{
    Cmd c = { { opcode } };

    return c;
}

Cmd sync_with(unsigned cs, uint64_t msi_addr, uint32_t msi_data)
{
    Cmd c = command(CMD_SYNC);

    smmu3_set(c.words, CMD_SYNC_CS, cs);
    smmu3_set_addr(c.words, CMD_SYNC_MSIADDR, msi_addr);
    smmu3_set(c.words, CMD_SYNC_MSIDATA, msi_data);
    return c;
}

void put(Rig *r, unsigned index, const Cmd *c)
{
    fake_write_words(r->host, r->cmdq + index * SMMU3_CMD_BYTES, c->words,
                     SMMU3_CMD_WORDS);
}

void submit(Rig *r, Cmd c)
{
    rig_command(r, c.words);
}

uint32_t prod(Rig *r)
{
    return rig_read32(r, SMMU3_CMDQ_PROD);
}

uint32_t cons(Rig *r)
{
    return rig_read32(r, SMMU3_CMDQ_CONS) & MASK(QUEUE_INDEX);
}

unsigned error_code(Rig *r)
{
    uint64_t reg = rig_read32(r, SMMU3_CMDQ_CONS);

    return smmu3_get(&reg, CMDQ_CONS_ERR);
}

uint32_t active_errors(Rig *r)
{
    return rig_read32(r, SMMU3_GERROR) ^ rig_read32(r, SMMU3_GERRORN);
}

void acknowledge(Rig *r)
{
    rig_write32(r, SMMU3_GERRORN, rig_read32(r, SMMU3_GERROR));
}

void assert_idle(Rig *r)
{
    g_assert_cmphex(active_errors(r), ==, 0);
    g_assert_cmphex(cons(r), ==, prod(r));
}

void assert_failed(Rig *r, unsigned index, Smmu3CmdError error)
{
    g_assert_cmphex(cons(r), ==, index);
    g_assert_cmpuint(error_code(r), ==, error);
    g_assert_cmphex(active_errors(r), ==, MASK(GERROR_CMDQ));
    g_assert_cmpuint(r->host->irqs[SMMU3_IRQ_GERROR], ==, 1);
}

void no_s2(Smmu3Features *f)
{
    f->s2p = f->hyp = f->vmw = f->xnx = f->fwb = f->ptwnnc = 0;
}

Rig *started(void (*change)(Smmu3Features *f), const Smmu3HostOps *ops)
{
    Rig *r = rig_new();

    if (change) {
        change(&r->features);
    }
    if (ops) {
        r->smmu = smmu3_new(&r->features, &r->options, ops, r->host);
        r->host->smmu = r->smmu;
    }
    rig_start(r);
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) & ~MASK(CR0_CMDQEN));
    rig_write32(r, SMMU3_CMDQ_PROD, 0);
    rig_write32(r, SMMU3_CMDQ_CONS, 0);
    rig_write32(r, SMMU3_CR0, rig_read32(r, SMMU3_CR0) | MASK(CR0_CMDQEN));
    fake_clear_records(r->host);
    return r;
}
