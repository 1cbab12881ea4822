/*
 * See smmu.h: STEs, CDs, and the commands that answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arena.h"
#include "smmu.h"
#include "smmu-tables.h"

void stream_update(Stream *stream)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_CFGI_STE };
    uint64_t *ste = smmu_ste(stream->sid);

    ste[0] = 0;         /* not valid while it is half written */
    dsb();
    memcpy(ste + 1, stream->ste + 1, SMMU3_STE_BYTES - 8);
    dsb();
    ste[0] = stream->ste[0];
    smmu3_set(command, CMD_STREAMID, stream->sid);
    smmu3_set(command, CMD_LEAF, 1);
    smmu_command(command);
    smmu_sync();
}

void stream_start(Stream *stream, uint32_t sid)
{
    *stream = (Stream) { .sid = sid };
    stream->cds = arena_alloc(SMMU3_CD_BYTES << STREAM_CD_LOG2, PAGE_BYTES);
    smmu3_set(stream->ste, STE_V, 1);
    smmu3_set(stream->ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(stream->ste, STE_S1FMT, STE_S1FMT_LINEAR);
    smmu3_set_addr(stream->ste, STE_S1CONTEXTPTR, pa_of(stream->cds));
    smmu3_set(stream->ste, STE_S1CDMAX, STREAM_CD_LOG2);
    smmu3_set(stream->ste, STE_S1DSS, STE_S1DSS_CD0);
    smmu3_set(stream->ste, STE_EATS, STE_EATS_FULL);
    stream_update(stream);
}

void stream_set_cd(Stream *stream, uint32_t ssid,
                   const uint64_t cd[SMMU3_CD_WORDS])
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_CFGI_CD };
    uint64_t *to = &stream->cds[ssid * SMMU3_CD_WORDS];

    to[0] = 0;          /* not valid while it is half written */
    dsb();
    memcpy(to + 1, cd + 1, SMMU3_CD_BYTES - 8);
    dsb();
    to[0] = cd[0];
    smmu3_set(command, CMD_STREAMID, stream->sid);
    smmu3_set(command, CMD_SUBSTREAMID, ssid);
    smmu3_set(command, CMD_LEAF, 1);
    smmu_command(command);
    smmu_sync();
}

void stream_attach(Stream *stream, uint32_t ssid, const Space *space,
                   bool stall)
{
    uint64_t cd[SMMU3_CD_WORDS] = { 0 };

    smmu3_set(cd, CD_V, 1);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_T0SZ, 64 - 48);
    smmu3_set(cd, CD_TG0, CD_TG0_4K);
    smmu3_set(cd, CD_IR0, 1);
    smmu3_set(cd, CD_OR0, 1);
    smmu3_set(cd, CD_SH0, 3);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_IPS, 5);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_S, stall);
    smmu3_set(cd, CD_ASET, 1);
    smmu3_set(cd, CD_ASID, space->asid);
    smmu3_set_addr(cd, CD_TTB0, pa_of(space->root));
    smmu3_set(cd, CD_MAIR, 0xff);
    stream_set_cd(stream, ssid, cd);
}

void smmu_page_response(const uint64_t entry[SMMU3_PRI_WORDS], unsigned resp)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE };

    smmu3_set(command, CMD_STREAMID, smmu3_get(entry, PRI_STREAMID));
    smmu3_set(command, CMD_SSV, smmu3_get(entry, PRI_SSV));
    smmu3_set(command, CMD_SUBSTREAMID, smmu3_get(entry, PRI_SUBSTREAMID));
    smmu3_set(command, CMD_PRI_PRGINDEX, smmu3_get(entry, PRI_PRGINDEX));
    smmu3_set(command, CMD_PRI_RESP, resp);
    smmu_command(command);
}

void smmu_resume(uint32_t sid, unsigned stag, bool retry, bool abort)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_RESUME };

    smmu3_set(command, CMD_STREAMID, sid);
    smmu3_set(command, CMD_RESUME_AC, retry);
    smmu3_set(command, CMD_RESUME_AB, abort);
    smmu3_set(command, CMD_RESUME_STAG, stag);
    smmu_command(command);
}

void smmu_stall_term(uint32_t sid)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_STALL_TERM };

    smmu3_set(command, CMD_STREAMID, sid);
    smmu_command(command);
}

void smmu_invalidate(const Stream *stream, uint32_t ssid, const Space *space,
                     uint64_t va)
{
    uint64_t tlbi[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA };
    uint64_t atc[SMMU3_CMD_WORDS] = { CMD_ATC_INV };

    smmu3_set(tlbi, CMD_ASID, space->asid);
    smmu3_set(tlbi, CMD_LEAF, 1);
    smmu3_set_addr(tlbi, CMD_ADDR, va);
    smmu_command(tlbi);
    smmu_sync();
    smmu3_set(atc, CMD_STREAMID, stream->sid);
    smmu3_set(atc, CMD_SSV, ssid != 0);
    smmu3_set(atc, CMD_SUBSTREAMID, ssid);
    smmu3_set_addr(atc, CMD_ADDR, va);
    smmu_command(atc);
    smmu_sync();
}
