/*
 * See command.h. A function for each command that does something, but for
 * CMD_SYNC, which is sync.c's; a table says which of them there are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include <inttypes.h>
#include "../queues/event.h"
#include "../queues/queue.h"
#include "../queues/stall.h"
#include "../signal/signal.h"
#include "../signal/work.h"
#include "../traffic/page_request.h"
#include "operands.h"
#include "sync.h"
#include "tell.h"
#include "verdict.h"
#include "wider.h"

/*
 * ATC invalidations in flight. PCIe gives each endpoint 32 tags (10.3), so
 * this many keep eight of them busy.
 */
enum { ATC_PENDING_MAX = 256 };

static unsigned queue_log2(const Smmu3 *s)
{
    return smmu3_queue_log2(&s->regs.cmdq, s->features.cmdqs);
}

/* ---- Prefetch (IHI 0070 4.2): hints ----------------------------------- */

static Smmu3Verdict run_nothing(Smmu3 *s, const uint64_t *cmd)
{
    (void)s;
    (void)cmd;
    return SMMU3_CMD_CONSUMED;
}

/* ---- CFGI (4.3) ------------------------------------------------------- */

static void config_invalidated(Smmu3 *s)
{
    smmu3_count(&s->counters.config_invalidations);
    s->command.invalidated = true;
    s->command.quiesced = false;
    if (s->ops->config_invalidated) {
        Smmu3Mail mail = { .kind = SMMU3_MAIL_CONFIG_INVALIDATED };

        smmu3_post(s, &mail);
    }
}

/* STE and CDs; level 1 descriptors are not cached, so Leaf is no matter. */
static Smmu3Verdict run_cfgi_ste(Smmu3 *s, const uint64_t *cmd)
{
    smmu3_config_invalidate_streams(s->configs,
                                    smmu3_get(cmd, CMD_STREAMID), 0);
    config_invalidated(s);
    return SMMU3_CMD_CONSUMED;
}

/* 2^(Range+1) streams; Range=31 is CMD_CFGI_ALL. */
static Smmu3Verdict run_cfgi_ste_range(Smmu3 *s, const uint64_t *cmd)
{
    smmu3_config_invalidate_streams(s->configs,
                                    smmu3_get(cmd, CMD_STREAMID),
                                    smmu3_get(cmd, CMD_CFGI_RANGE) + 1);
    config_invalidated(s);
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_cfgi_cd(Smmu3 *s, const uint64_t *cmd)
{
    smmu3_config_invalidate_cd(s->configs, smmu3_get(cmd, CMD_STREAMID),
                               smmu3_get(cmd, CMD_SUBSTREAMID));
    config_invalidated(s);
    return SMMU3_CMD_CONSUMED;
}

/* ---- TLBI (4.4) ------------------------------------------------------- */

static void tlb_invalidated(Smmu3 *s, const uint64_t *cmd,
                            const Smmu3TlbInvalidate *what)
{
    smmu3_tell_tlbi(s, cmd, SMMU3_MISS_NONE);
    smmu3_count(&s->counters.tlb_invalidations);
    s->command.invalidated = true;
    s->command.quiesced = false;
    smmu3_trace(s, SMMU3_TRACE_TLB_INVALIDATE, smmu3_get(cmd, CMD_OPCODE),
                what->asid | (uint64_t)what->vmid << 32, what->addr,
                what->last);
    if (s->ops->tlb_invalidated) {
        Smmu3Mail mail = { .kind = SMMU3_MAIL_TLB_INVALIDATED, .tlb = *what };

        smmu3_post(s, &mail);
    }
}

/* A command that is not limited to a range of addresses. */
static void all_invalidated(Smmu3 *s, const uint64_t *cmd,
                            Smmu3TlbInvalidate what)
{
    what.addr = 0;
    what.last = UINT64_MAX;
    tlb_invalidated(s, cmd, &what);
}

static Smmu3Verdict run_tlbi_nh_all(Smmu3 *s, const uint64_t *cmd)
{
    uint16_t vmid = smmu3_operand_vmid(s, cmd);

    smmu3_tlb_invalidate_vmid(s->tlb, vmid, smmu3_operand_vmid_ignore(s),
                              false);
    all_invalidated(s, cmd, (Smmu3TlbInvalidate) {
        .by_vmid = true, .vmid = vmid });
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_s12_vmall(Smmu3 *s, const uint64_t *cmd)
{
    uint16_t vmid = smmu3_operand_vmid(s, cmd);

    smmu3_tlb_invalidate_vmid(s->tlb, vmid, smmu3_operand_vmid_ignore(s),
                              true);
    all_invalidated(s, cmd, (Smmu3TlbInvalidate) {
        .by_vmid = true, .vmid = vmid });
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_nh_asid(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = {
        .world = SMMU3_WORLD_NS_EL1,
        .vmid = smmu3_operand_vmid(s, cmd),
        .asid = smmu3_get(cmd, CMD_ASID),
    };

    smmu3_tlb_invalidate_asid(s->tlb, &tag, smmu3_operand_vmid_ignore(s));
    all_invalidated(s, cmd, (Smmu3TlbInvalidate) {
        .by_vmid = true, .vmid = tag.vmid, .by_asid = true,
        .asid = tag.asid });
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_el2_all(Smmu3 *s, const uint64_t *cmd)
{
    smmu3_tlb_invalidate_el2(s->tlb);
    all_invalidated(s, cmd, (Smmu3TlbInvalidate) { 0 });
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_el2_asid(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = {
        .world = SMMU3_WORLD_NS_EL2_E2H,
        .asid = smmu3_get(cmd, CMD_ASID),
    };

    smmu3_tlb_invalidate_asid(s->tlb, &tag, 0);
    all_invalidated(s, cmd, (Smmu3TlbInvalidate) {
        .by_asid = true, .asid = tag.asid });
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_nsnh_all(Smmu3 *s, const uint64_t *cmd)
{
    smmu3_tlb_invalidate_nsnh(s->tlb);
    all_invalidated(s, cmd, (Smmu3TlbInvalidate) { 0 });
    return SMMU3_CMD_CONSUMED;
}

static void invalidate_range(Smmu3 *s, const uint64_t *cmd,
                             const Smmu3TlbTag *tag, bool any_asid)
{
    bool stage2 = tag->world == SMMU3_WORLD_STAGE2;
    bool has_vmid = stage2 || tag->world == SMMU3_WORLD_NS_EL1;
    Smmu3TlbRange *invalidate = smmu3_get(cmd, CMD_LEAF)
                                ? smmu3_tlb_invalidate_leaves
                                : smmu3_tlb_invalidate_range;
    Smmu3TlbInvalidate what = {
        .by_address = true, .stage2 = stage2,
        .by_vmid = has_vmid, .vmid = tag->vmid,
        .by_asid = !any_asid && !stage2 && tag->world != SMMU3_WORLD_NS_EL2,
        .asid = tag->asid,
    };

    smmu3_operand_range(s, cmd, &what.addr, &what.last);
    s->command.work += invalidate(s->tlb, tag,
                                  has_vmid ? smmu3_operand_vmid_ignore(s) : 0,
                                  any_asid, what.addr, what.last);
    tlb_invalidated(s, cmd, &what);
}

static Smmu3Verdict run_tlbi_nh_va(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = {
        .world = SMMU3_WORLD_NS_EL1,
        .vmid = smmu3_operand_vmid(s, cmd),
        .asid = smmu3_get(cmd, CMD_ASID),
    };

    invalidate_range(s, cmd, &tag, false);
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_nh_vaa(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = {
        .world = SMMU3_WORLD_NS_EL1,
        .vmid = smmu3_operand_vmid(s, cmd),
    };

    invalidate_range(s, cmd, &tag, true);
    return SMMU3_CMD_CONSUMED;
}

/* CR2.E2H says which of the two EL2 worlds a command by address is about. */
static Smmu3World el2_world(const Smmu3 *s)
{
    uint64_t cr2 = s->regs.cr2;

    return smmu3_get(&cr2, CR2_E2H) ? SMMU3_WORLD_NS_EL2_E2H
                                    : SMMU3_WORLD_NS_EL2;
}

static Smmu3Verdict run_tlbi_el2_va(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = { .world = el2_world(s) };

    if (tag.world == SMMU3_WORLD_NS_EL2_E2H) {
        tag.asid = smmu3_get(cmd, CMD_ASID);
    }
    invalidate_range(s, cmd, &tag, false);
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_el2_vaa(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = { .world = el2_world(s) };

    invalidate_range(s, cmd, &tag, true);
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_tlbi_s2_ipa(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3TlbTag tag = {
        .world = SMMU3_WORLD_STAGE2,
        .vmid = smmu3_operand_vmid(s, cmd),
    };

    /* These entries have no ASID, so there is but one to name */
    invalidate_range(s, cmd, &tag, false);
    return SMMU3_CMD_CONSUMED;
}

/* ---- Endpoints (4.5) -------------------------------------------------- */

static bool smmu_enabled(const Smmu3 *s)
{
    uint64_t cr0 = s->regs.cr0ack;

    return smmu3_get(&cr0, CR0_SMMUEN);
}

static bool no_atc_size(const uint64_t *cmd)
{
    return smmu3_get(cmd, CMD_ATC_SIZE) > CMD_ATC_SIZE_ALL;
}

/* What is hurried finds room: there are so many of these, and no more. */
static bool atc_is_full(const Smmu3 *s)
{
    return s->command.atc_pending >= ATC_PENDING_MAX &&
           !s->inject.delayed.hurried;
}

static Smmu3Verdict run_atc_inv(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3Mail mail = { .kind = SMMU3_MAIL_ATC_INVALIDATE };
    const Smmu3AtcInvalidate *inv = &mail.atc;

    if (!smmu_enabled(s)) {
        return SMMU3_CMD_CONSUMED;
    }
    if (atc_is_full(s)) {
        smmu3_sync_wait(s, SMMU3_QUEUE_WAITS_ATC);
        return SMMU3_CMD_WAITS;
    }
    mail.atc = smmu3_operand_atc(s, cmd);
    s->command.atc_pending++;
    smmu3_tell_atc(s, cmd, SMMU3_MISS_NONE);
    smmu3_count(&s->counters.atc_invalidations);
    smmu3_trace(s, SMMU3_TRACE_ATC_INVALIDATE, inv->sid, inv->ssid, inv->addr,
                inv->size_log2);
    smmu3_post(s, &mail);
    return SMMU3_CMD_CONSUMED;
}

static bool no_response(const uint64_t *cmd)
{
    return smmu3_get(cmd, CMD_PRI_RESP) > CMD_PRI_RESP_SUCCESS;
}

static Smmu3Verdict run_pri_resp(Smmu3 *s, const uint64_t *cmd)
{
    static const Smmu3PrgCode codes[] = {
        [CMD_PRI_RESP_FAILURE] = PRG_RESPONSE_FAILURE,
        [CMD_PRI_RESP_INVALID] = PRG_INVALID_REQUEST,
        [CMD_PRI_RESP_SUCCESS] = PRG_SUCCESS,
    };
    Smmu3PrgResponse response = {
        .sid = smmu3_get(cmd, CMD_STREAMID),
        /* Where there are no SubstreamIDs, SSV acts as 0 */
        .has_ssid = s->features.ssidsize && smmu3_get(cmd, CMD_SSV),
        .prg_index = smmu3_get(cmd, CMD_PRI_PRGINDEX),
    };

    if (!smmu_enabled(s)) {
        return SMMU3_CMD_CONSUMED;
    }
    if (s->audit) {
        smmu3_audit_respond(s->audit, response.sid, response.prg_index);
    }
    response.code = codes[smmu3_get(cmd, CMD_PRI_RESP)];
    if (response.has_ssid) {
        response.ssid = smmu3_get(cmd, CMD_SUBSTREAMID);
    }
    smmu3_prg_respond(s, &response);
    return SMMU3_CMD_CONSUMED;
}

/* ---- Stalls (4.6) ----------------------------------------------------- */

static Smmu3Verdict run_resume(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3Resolution how = SMMU3_RESOLVE_RAZWI;

    if (smmu3_get(cmd, CMD_RESUME_AC)) {
        how = SMMU3_RESOLVE_RETRY;
    } else if (smmu3_get(cmd, CMD_RESUME_AB) || s->features.term_model) {
        how = SMMU3_RESOLVE_ABORT;
    }
    smmu3_stall_resume(s, smmu3_get(cmd, CMD_STREAMID),
                       smmu3_get(cmd, CMD_RESUME_STAG), how);
    return SMMU3_CMD_CONSUMED;
}

static Smmu3Verdict run_stall_term(Smmu3 *s, const uint64_t *cmd)
{
    uint64_t before = smmu3_command_stalls_before(s);
    unsigned resolved = smmu3_stall_terminate(s, smmu3_get(cmd, CMD_STREAMID),
                                              before, SMMU3_STALLS_AT_ONCE);

    return smmu3_command_stalls_done(s, resolved) ? SMMU3_CMD_CONSUMED
                                                  : SMMU3_CMD_UNFINISHED;
}

/* ---- Legality --------------------------------------------------------- */

static bool always(const Smmu3Features *f)      { (void)f; return true; }
static bool has_s1(const Smmu3Features *f)      { return f->s1p; }
static bool has_s2(const Smmu3Features *f)      { return f->s2p; }
static bool has_hyp(const Smmu3Features *f)     { return f->hyp; }
static bool has_ats(const Smmu3Features *f)     { return f->ats; }
static bool has_pri(const Smmu3Features *f)     { return f->pri; }
static bool can_stall(const Smmu3Features *f)   { return f->stall_model != 1; }

typedef struct Command {
    Smmu3Verdict (*run)(Smmu3 *s, const uint64_t *cmd);  /* NULL: reserved */
    bool (*available)(const Smmu3Features *f);      /* else CERROR_ILL */
    bool has_ssec;          /* SSec=1 is illegal on the Non-secure queue */
    bool (*is_reserved)(const uint64_t *cmd);       /* CERROR_ILL, too */
} Command;

/*
 * All that is not here is CERROR_ILL: reserved, for EL3 and the Secure state,
 * CFGI_VMS_PIDM (no MPAM), DPTI (no DPT), IMPLEMENTATION DEFINED.
 */
static const Command commands[256] = {
    [CMD_PREFETCH_CONFIG] = {
        .run = run_nothing, .available = always, .has_ssec = true,
    },
    [CMD_PREFETCH_ADDR] = {
        .run = run_nothing, .available = always, .has_ssec = true,
    },
    [CMD_CFGI_STE] = {
        .run = run_cfgi_ste, .available = always, .has_ssec = true,
    },
    [CMD_CFGI_STE_RANGE] = {
        .run = run_cfgi_ste_range, .available = always, .has_ssec = true,
    },
    [CMD_CFGI_CD] = {
        .run = run_cfgi_cd, .available = has_s1, .has_ssec = true,
    },
    [CMD_CFGI_CD_ALL] = {
        .run = run_cfgi_ste, .available = has_s1, .has_ssec = true,
    },
    [CMD_TLBI_NH_ALL] = { .run = run_tlbi_nh_all, .available = has_s1 },
    [CMD_TLBI_NH_ASID] = { .run = run_tlbi_nh_asid, .available = has_s1 },
    [CMD_TLBI_NH_VA] = { .run = run_tlbi_nh_va, .available = has_s1 },
    [CMD_TLBI_NH_VAA] = { .run = run_tlbi_nh_vaa, .available = has_s1 },
    [CMD_TLBI_EL2_ALL] = { .run = run_tlbi_el2_all, .available = has_hyp },
    [CMD_TLBI_EL2_ASID] = { .run = run_tlbi_el2_asid, .available = has_hyp },
    [CMD_TLBI_EL2_VA] = { .run = run_tlbi_el2_va, .available = has_hyp },
    [CMD_TLBI_EL2_VAA] = { .run = run_tlbi_el2_vaa, .available = has_hyp },
    [CMD_TLBI_S12_VMALL] = { .run = run_tlbi_s12_vmall, .available = has_s2 },
    [CMD_TLBI_S2_IPA] = { .run = run_tlbi_s2_ipa, .available = has_s2 },
    [CMD_TLBI_NSNH_ALL] = { .run = run_tlbi_nsnh_all, .available = always },
    [CMD_ATC_INV] = {
        .run = run_atc_inv, .available = has_ats, .is_reserved = no_atc_size,
    },
    [CMD_PRI_RESPONSE] = {
        .run = run_pri_resp, .available = has_pri, .is_reserved = no_response,
    },
    [CMD_RESUME] = {
        .run = run_resume, .available = can_stall, .has_ssec = true,
    },
    [CMD_STALL_TERM] = {
        .run = run_stall_term, .available = can_stall, .has_ssec = true,
    },
    [CMD_SYNC] = { .run = smmu3_sync_run, .available = always },
};

/*
 * 4.4.1.1: a range of one granule without a level is reserved. TTL=1 with the
 * 16 KiB granule is no level unless there are 52-bit addresses (DS).
 */
static bool range_is_reserved(const Smmu3Features *f, const uint64_t *cmd)
{
    unsigned tg = smmu3_get(cmd, CMD_TLBI_TG);
    unsigned ttl = smmu3_get(cmd, CMD_TLBI_TTL);

    if (tg == 2 && ttl == 1 && !f->ds) {
        ttl = 0;
    }
    return f->ril && tg && !ttl && !smmu3_get(cmd, CMD_TLBI_NUM) &&
           !smmu3_operand_scale(f, cmd);
}

/* ---- Injected faults --------------------------------------------------- */

/* What of inject= a command is; false: nothing. */
static bool injected_as(const uint64_t *cmd, Smmu3InjectWhat *what)
{
    unsigned opcode = smmu3_get(cmd, CMD_OPCODE);

    if (smmu3_is_tlbi(opcode)) {
        *what = SMMU3_INJECT_TLBI;
    } else if (smmu3_is_cfgi(opcode)) {
        *what = SMMU3_INJECT_CFGI;
    } else if (opcode == CMD_ATC_INV) {
        *what = SMMU3_INJECT_ATC_INV;
    } else if (opcode == CMD_RESUME) {
        *what = SMMU3_INJECT_RESUME;
    } else if (opcode == CMD_PRI_RESPONSE) {
        *what = SMMU3_INJECT_PRI_RESP;
    } else {
        return false;
    }
    return true;
}

/* Of what was dropped, or is delayed, the auditor alone hears now. */
static void tell_audit_missing(Smmu3 *s, const uint64_t *cmd,
                               Smmu3InjectWhat what, Smmu3Miss miss)
{
    if (what == SMMU3_INJECT_TLBI) {
        smmu3_tell_tlbi(s, cmd, miss);
    } else if (what == SMMU3_INJECT_ATC_INV) {
        smmu3_tell_atc(s, cmd, miss);
    }
}

/*
 * The wider one, and what it does not remove; a wider CMD_ATC_INV does, and is
 * sent alone.
 */
static Smmu3Verdict run_widened(Smmu3 *s, const uint64_t *cmd,
                                const uint64_t *wider)
{
    Smmu3Verdict verdict;

    s->command.widened = true;
    verdict = commands[smmu3_get(wider, CMD_OPCODE)].run(s, wider);
    s->command.widened = false;
    if (smmu3_get(cmd, CMD_OPCODE) != CMD_ATC_INV) {
        return commands[smmu3_get(cmd, CMD_OPCODE)].run(s, cmd);
    }
    if (smmu_enabled(s)) {
        smmu3_tell_atc(s, cmd, SMMU3_MISS_NONE);
    }
    return verdict;
}

/* It would do nothing now, and come again. */
static bool must_wait(const Smmu3 *s, const uint64_t *cmd)
{
    return smmu3_get(cmd, CMD_OPCODE) == CMD_ATC_INV && atc_is_full(s);
}

/* A legal command, and there are plans. */
static Smmu3Verdict run_or_inject(Smmu3 *s, const uint64_t *cmd)
{
    Smmu3Verdict (*run)(Smmu3 *s, const uint64_t *cmd) =
        commands[smmu3_get(cmd, CMD_OPCODE)].run;
    uint64_t wider[SMMU3_CMD_WORDS];
    Smmu3Injecting *injecting;
    Smmu3InjectWhat what;

    if (must_wait(s, cmd) || !injected_as(cmd, &what)) {
        return run(s, cmd);
    }
    injecting = smmu3_inject_next(&s->inject, what);
    if (!injecting) {
        return run(s, cmd);
    }
    switch (injecting->count.plan.action) {
    case SMMU3_INJECT_DROP:
        injecting->count.done++;
        smmu3_count(&s->counters.injected_drops);
        tell_audit_missing(s, cmd, what, SMMU3_MISS_DROPPED);
        return SMMU3_CMD_CONSUMED;
    case SMMU3_INJECT_DELAY:
        if (smmu3_delay(&s->inject.delayed, what, cmd, SMMU3_CMD_WORDS,
                        injecting->count.plan.syncs)) {
            injecting->count.done++;
            tell_audit_missing(s, cmd, what, SMMU3_MISS_DELAYED);
            return SMMU3_CMD_CONSUMED;
        }
        return run(s, cmd);
    default:
        if (smmu3_command_wider(cmd, wider)) {
            injecting->count.done++;
            return run_widened(s, cmd, wider);
        }
        return run(s, cmd);
    }
}

/* What was delayed comes now. One that finds no room waits for a CMD_SYNC more. */
static void carry_out(Smmu3 *s, const Smmu3Late *late)
{
    if (late->what == SMMU3_INJECT_EVENT) {
        smmu3_event_late(s, late);
    } else if (late->what > SMMU3_INJECT_EVENT) {
        smmu3_interrupt_late(s, late);
    } else if (must_wait(s, late->words)) {
        smmu3_delay_again(&s->inject.delayed, late);
    } else {
        commands[smmu3_get(late->words, CMD_OPCODE)].run(s, late->words);
    }
}

static bool carry_out_late(Smmu3 *s)
{
    Smmu3Late late;

    if (!smmu3_delayed_take(&s->inject.delayed, &late)) {
        return false;
    }
    carry_out(s, &late);
    s->command.work += SMMU3_WORK_COMMAND;
    return true;
}

void smmu3_command_hurry(Smmu3 *s)
{
    smmu3_delayed_hurry(&s->inject.delayed);
}

bool smmu3_command_run_late(Smmu3 *s, unsigned max)
{
    s->command.work = 0;
    while (s->command.work < max) {
        if (!carry_out_late(s)) {
            return false;
        }
    }
    return true;
}

static Smmu3Verdict execute(Smmu3 *s, const uint64_t *cmd)
{
    unsigned opcode = smmu3_get(cmd, CMD_OPCODE);
    const Command *command = &commands[opcode];

    if (!command->run || !command->available(&s->features)) {
        return SMMU3_CMD_ILLEGAL;
    }
    if (command->has_ssec && smmu3_get(cmd, CMD_SSEC)) {
        return SMMU3_CMD_ILLEGAL;
    }
    if (smmu3_has_range(opcode) && range_is_reserved(&s->features, cmd)) {
        return SMMU3_CMD_ILLEGAL;
    }
    if (command->is_reserved && command->is_reserved(cmd)) {
        return SMMU3_CMD_ILLEGAL;
    }
    if (s->audit && !must_wait(s, cmd)) {
        smmu3_tell_coming(s, cmd);
    }
    return smmu3_injects(&s->inject) ? run_or_inject(s, cmd)
                                     : command->run(s, cmd);
}

/* ---- The queue -------------------------------------------------------- */

/* Step over the command at CONS. */
static void consume(Smmu3 *s)
{
    Smmu3Queue *q = &s->regs.cmdq;
    unsigned log2 = queue_log2(s);
    bool was_full = smmu3_queue_full(q, log2);

    smmu3_queue_advance_cons(q, log2);
    s->command.stalls_before = 0;
    smmu3_count(&s->counters.commands);
    if (was_full && s->features.sev && s->ops->send_event) {
        Smmu3Mail mail = { .kind = SMMU3_MAIL_SEND_EVENT };

        smmu3_post(s, &mail);
    }
}

/* What is in the queue may never be executed. */
static void tell_audit_stops(Smmu3 *s)
{
    if (s->audit) {
        smmu3_audit_queue_stops(s->audit);
    }
}

/* 7.1: CONS stays at the command; its ERR is seen before GERROR is. */
static void fail(Smmu3 *s, Smmu3CmdError error)
{
    uint64_t cons = s->regs.cmdq.cons;

    smmu3_set(&cons, CMDQ_CONS_ERR, error);
    s->regs.cmdq.cons = cons;
    tell_audit_stops(s);
    smmu3_count(&s->counters.command_errors);
    smmu3_gerror_raise(s, smmu3_field_mask(GERROR_CMDQ));
}

static bool queue_is_runnable(const Smmu3 *s)
{
    const Smmu3Queue *q = &s->regs.cmdq;
    unsigned log2 = queue_log2(s);
    uint64_t cr0 = s->regs.cr0ack;

    return smmu3_get(&cr0, CR0_CMDQEN) &&
           !(smmu3_gerror_active(s) & smmu3_field_mask(GERROR_CMDQ)) &&
           !smmu3_queue_empty(q, log2) &&
           !smmu3_queue_inconsistent(q, log2) &&
           smmu3_sync_may_go_on(s);
}

bool smmu3_command_runnable(const Smmu3 *s)
{
    return queue_is_runnable(s) ||
           smmu3_delayed_any_due(&s->inject.delayed);
}

/* Execute the command at CONS. Whether there may be more to do at once. */
static bool step(Smmu3 *s)
{
    const Smmu3Queue *q = &s->regs.cmdq;
    uint64_t cmd[SMMU3_CMD_WORDS];
    uint64_t addr = smmu3_queue_cons_addr(q, queue_log2(s), SMMU3_CMD_BYTES,
                                          smmu3_oas_bits(&s->features));
    Smmu3Verdict verdict;

    s->command.phase = SMMU3_QUEUE_RUNS;
    if (!s->ops->read(s->host, addr, cmd, SMMU3_CMD_WORDS)) {
        smmu3_guest_error(s, "the command queue is not in memory");
        fail(s, CERROR_ABT);
        return false;
    }
    verdict = execute(s, cmd);
    switch (verdict) {
    case SMMU3_CMD_CONSUMED:
        smmu3_trace(s, SMMU3_TRACE_COMMAND, cmd[0], cmd[1],
                    q->cons & smmu3_mask(queue_log2(s)), 0);
        smmu3_tell_consumed(s, cmd);
        consume(s);
        return true;
    case SMMU3_CMD_UNFINISHED:
        return true;
    case SMMU3_CMD_ILLEGAL:
        smmu3_guest_error(s, "illegal command 0x%016" PRIx64 " 0x%016" PRIx64,
                          cmd[0], cmd[1]);
        if (s->audit) {
            smmu3_audit_illegal(s->audit, cmd,
                                q->cons & smmu3_mask(queue_log2(s)));
        }
        fail(s, CERROR_ILL);
        return false;
    case SMMU3_CMD_ATC_FAILED:
        smmu3_guest_error(s, "an ATC invalidation was not answered in time");
        fail(s, CERROR_ATC_INV_SYNC);
        return false;
    default:
        return false;
    }
}

unsigned smmu3_command_run(Smmu3 *s, unsigned max)
{
    bool more = true;

    smmu3_delayed_go_on(&s->inject.delayed);
    s->command.work = 0;
    while (more && s->command.work < max) {
        if (carry_out_late(s)) {
            continue;
        }
        if (!queue_is_runnable(s)) {
            break;
        }
        more = step(s);
        s->command.work += SMMU3_WORK_COMMAND;
    }
    return s->command.work;
}

/* ---- Disable and reset ------------------------------------------------ */

void smmu3_command_stop(Smmu3 *s)
{
    Smmu3CommandState *c = &s->command;

    c->phase = SMMU3_QUEUE_RUNS;
    c->quiesced = false;
    c->stalls_before = 0;
    tell_audit_stops(s);
}

void smmu3_command_reset(Smmu3 *s)
{
    Smmu3CommandState *c = &s->command;

    c->phase = SMMU3_QUEUE_RUNS;
    c->invalidated = c->quiesced = false;
    c->stalls_before = 0;
    c->signals = 0;
    c->atc_batch++;
    c->atc_pending = 0;
    c->atc_lost = false;
    smmu3_delayed_forget(&s->inject.delayed);
}
