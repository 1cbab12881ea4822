/*
 * What the core tells of its work, as QEMU's trace events. Not whether they
 * are shown. Called by the core, from any thread that translates.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/core/cpu.h"
#include "smmuv3-sva.h"
#include "trace.h"

static const char *outcome_name(uint64_t outcome)
{
    static const char *const names[] = {
        [SMMU3_OK] = "ok", [SMMU3_ABORT] = "abort", [SMMU3_RAZWI] = "raz/wi",
        [SMMU3_STALLED] = "stalled", [SMMU3_ATS_UR] = "ats-ur",
        [SMMU3_ATS_CA] = "ats-ca",
    };

    return outcome < ARRAY_SIZE(names) ? names[outcome] : "?";
}

static const char *resolution_name(uint64_t how)
{
    return how == SMMU3_RESOLVE_RETRY ? "retry" :
           how == SMMU3_RESOLVE_ABORT ? "abort" : "raz/wi";
}

static const char *prg_code_name(uint64_t code)
{
    return code == PRG_SUCCESS ? "success" :
           code == PRG_INVALID_REQUEST ? "invalid request" :
           "response failure";
}

static const char *wait_name(uint64_t what)
{
    return what == SMMU3_WAIT_SIGNALS ? "the last signal" :
           what == SMMU3_WAIT_ATC ? "ATC invalidations" : "accesses under way";
}

/* The virtual CPU whose register write is served, or -1: the main loop. */
static int this_cpu(void)
{
    return current_cpu ? current_cpu->cpu_index : -1;
}

bool smmuv3_sva_traces_walks(void *host)
{
    return trace_event_get_state_backends(TRACE_SMMUV3_SVA_STE) ||
           trace_event_get_state_backends(TRACE_SMMUV3_SVA_CD) ||
           trace_event_get_state_backends(TRACE_SMMUV3_SVA_WALK) ||
           trace_event_get_state_backends(TRACE_SMMUV3_SVA_TRANSLATE);
}

void smmuv3_sva_trace(void *host, Smmu3TraceKind kind, uint64_t a, uint64_t b,
                      uint64_t c, uint64_t d)
{
    const char *name;
    uint64_t words[SMMU3_PRI_WORDS];

    switch (kind) {
    case SMMU3_TRACE_COMMAND:
        name = smmu3_command_name(smmu3_get(&a, CMD_OPCODE));
        trace_smmuv3_sva_command(name, a, b, c, this_cpu());
        break;
    case SMMU3_TRACE_EVENT:
        name = smmu3_event_name(smmu3_get(&a, EVENT_TYPE));
        trace_smmuv3_sva_event(name ?: "?", smmu3_get(&a, EVENT_STREAMID),
                               a, b, c, d);
        break;
    case SMMU3_TRACE_EVENT_LOST:
        name = smmu3_event_name(smmu3_get(&a, EVENT_TYPE));
        trace_smmuv3_sva_event_lost(name ?: "?", smmu3_get(&a, EVENT_STREAMID),
                                    a, b, c, d);
        break;
    case SMMU3_TRACE_STE:
        trace_smmuv3_sva_ste(a, b, c, d);
        break;
    case SMMU3_TRACE_CD:
        trace_smmuv3_sva_cd(a, b, c, d);
        break;
    case SMMU3_TRACE_WALK:
        trace_smmuv3_sva_walk(a, (int64_t)b, c, d);
        break;
    case SMMU3_TRACE_TRANSLATE:
        trace_smmuv3_sva_translate(a, a >> 32, b, c, outcome_name(d));
        break;
    case SMMU3_TRACE_STALL:
        trace_smmuv3_sva_stall(a, b, c, d);
        break;
    case SMMU3_TRACE_RESOLVE:
        trace_smmuv3_sva_resolve(a, b, d, resolution_name(c));
        break;
    case SMMU3_TRACE_PAGE_REQUEST:
        words[0] = a;
        words[1] = b;
        trace_smmuv3_sva_page_request(smmu3_get(words, PRI_STREAMID),
                                      smmu3_get(words, PRI_SUBSTREAMID),
                                      smmu3_get(words, PRI_PRGINDEX),
                                      smmu3_get_addr(words, PRI_ADDR),
                                      smmu3_get(words, PRI_LAST), c);
        break;
    case SMMU3_TRACE_PRG_RESPONSE:
        trace_smmuv3_sva_prg_response(a, b, prg_code_name(c));
        break;
    case SMMU3_TRACE_ATC_INVALIDATE:
        trace_smmuv3_sva_atc_invalidate(a, b, c, d);
        break;
    case SMMU3_TRACE_TLB_INVALIDATE:
        trace_smmuv3_sva_tlb_invalidate(smmu3_command_name(a), b, b >> 32, c, d);
        break;
    case SMMU3_TRACE_GERROR:
        trace_smmuv3_sva_gerror(a, b);
        break;
    case SMMU3_TRACE_QUEUE_READ:
        trace_smmuv3_sva_queue_read(a == SMMU3_IRQ_PRIQ ? "priq" : "eventq",
                                    b, this_cpu());
        break;
    case SMMU3_TRACE_COMMAND_WAITS:
        trace_smmuv3_sva_command_waits(wait_name(a));
        break;
    }
}
