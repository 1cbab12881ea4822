/*
 * See explain.h. The steps are the pass's own: this only watches.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "explain.h"
#include "../spec/names.h"
#include "translate.h"

/* ---- Words for things -------------------------------------------------- */

#define HEX64 "0x%" G_GINT64_MODIFIER "x"

static const char *type_name(Smmu3TransactionType type)
{
    switch (type) {
    case SMMU3_ATS_REQUEST:
        return "ATS translation request";
    case SMMU3_ATS_TRANSLATED:
        return "ATS translated";
    default:
        return "untranslated";
    }
}

static const char *access_name(unsigned access)
{
    switch (access & (SMMU3_READ | SMMU3_WRITE)) {
    case SMMU3_READ:
        return "read";
    case SMMU3_WRITE:
        return "write";
    case SMMU3_READ | SMMU3_WRITE:
        return "read and write";
    default:
        return "nothing";
    }
}

static const char *config_name(unsigned config)
{
    switch (config) {
    case STE_CONFIG_BYPASS:
        return "bypass";
    case STE_CONFIG_S1:
        return "stage 1";
    case STE_CONFIG_S2:
        return "stage 2";
    case STE_CONFIG_NESTED:
        return "stages 1 and 2";
    default:
        return "abort";
    }
}

static const char *refusal_name(Smmu3Outcome refusal)
{
    switch (refusal) {
    case SMMU3_ATS_UR:
        return "Unsupported Request";
    case SMMU3_ATS_CA:
        return "Completer Abort";
    default:
        return "abort";
    }
}

static const char *class_name(Smmu3Class class)
{
    return class == CLASS_CD ? "CD" : class == CLASS_TT ? "TT" : "IN";
}

static void append_rights(GString *out, const Smmu3Leaf *leaf)
{
    static const char letters[] = "rwxrwx";

    g_string_append(out, "unprivileged ");
    for (unsigned i = 0; i < 6; i++) {
        if (i == 3) {
            g_string_append(out, ", privileged ");
        }
        g_string_append_c(out, leaf->rights >> i & 1 ? letters[i] : '-');
    }
    g_string_append(out, leaf->clean ? ", clean" : "");
    g_string_append(out, leaf->global ? ", global" : "");
}

/* ---- Steps ------------------------------------------------------------- */

/* How deep in stages the pass is: a stage 1 may ask a stage 2 for a table. */
typedef struct Account {
    GString *out;
    unsigned depth;
} Account;

static void append_words(GString *out, const Smmu3Step *step, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(out, "%s%016" G_GINT64_MODIFIER "x",
                               i ? " " : "", step->words[i]);
    }
    g_string_append_c(out, '\n');
}

/*
 * Where the stage's tables are, and whose they are: the SMMU knows who that is
 * by the other stage. A hypervisor has stage 2; stage 1, if there is a stage 2,
 * its virtual machine's operating system.
 */
static void explain_stage(const Smmu3Pass *p, const Smmu3Step *step,
                          GString *out)
{
    const Smmu3Stream *stream = &p->config.stream;
    const char *owner = step->stage2 ? "the hypervisor's " :
                        stream->s2 ? "the guest OS's " : "";

    g_string_append_printf(out, "stage %d of " HEX64 ", %stables at %s" HEX64,
                           step->stage2 ? 2 : 1, step->addr, owner,
                           !step->stage2 && stream->s2 ? "IPA " : "",
                           step->tables->ttb);
    g_string_append_printf(out, ", %s %u%s\n", step->stage2 ? "VMID" : "ASID",
                           step->stage2 ? stream->vmid : p->config.stage1.asid,
                           step->class == CLASS_CD ? ", for a CD" :
                           step->class == CLASS_TT ? ", for a table" : "");
}

static void explain_step(Smmu3Pass *p, const Smmu3Step *step)
{
    Account *account = p->watch_data;
    GString *out = account->out;
    int stage = step->stage2 ? 2 : 1;

    if (step->kind == SMMU3_STEP_LEAF && account->depth) {
        account->depth--;
    }
    g_string_append_printf(out, "%*s", (int)(2 + 2 * account->depth), "");
    switch (step->kind) {
    case SMMU3_STEP_L1STD:
        g_string_append_printf(out, "L1STD at " HEX64 ": ", step->addr);
        append_words(out, step, 1);
        break;
    case SMMU3_STEP_STE:
        g_string_append_printf(out, "STE at " HEX64 " (%s): ", step->addr,
                               config_name(smmu3_get(step->words,
                                                     STE_CONFIG)));
        append_words(out, step, 4);
        break;
    case SMMU3_STEP_L1CD:
        g_string_append_printf(out, "L1CD at " HEX64 ": ", step->addr);
        append_words(out, step, 1);
        break;
    case SMMU3_STEP_CD:
        g_string_append_printf(out, "CD %u at " HEX64 ": ", p->cd_index,
                               step->addr);
        append_words(out, step, 4);
        break;
    case SMMU3_STEP_STAGE:
        explain_stage(p, step, out);
        account->depth++;
        break;
    case SMMU3_STEP_DESCRIPTOR:
    case SMMU3_STEP_UPDATE:
        g_string_append_printf(out, "level %d at " HEX64 ": ", step->level,
                               step->addr);
        append_words(out, step, 1);
        break;
    case SMMU3_STEP_LEAF:
        g_string_append_printf(out, "stage %d gives " HEX64 ", 2^%u bytes: ",
                               stage, step->leaf->base,
                               step->leaf->size_log2);
        append_rights(out, step->leaf);
        g_string_append_c(out, '\n');
        break;
    }
}

/* ---- The account ------------------------------------------------------- */

static void explain_question(const Smmu3Transaction *t, GString *out)
{
    g_string_append_printf(out, "StreamID 0x%x, ", t->sid);
    if (t->ssv) {
        g_string_append_printf(out, "SubstreamID 0x%x, ", t->ssid);
    } else {
        g_string_append(out, "no SubstreamID, ");
    }
    g_string_append_printf(out, "%s %sprivileged %s%s of " HEX64 "\n",
                           type_name(t->type), t->priv ? "" : "un",
                           t->ind ? "instruction " : "",
                           access_name(t->access), t->addr);
}

static void explain_answer(const Smmu3Translation *result, GString *out)
{
    if (result->fault != EVENT_NONE) {
        g_string_append_printf(out, "%s, answered as success without rights\n",
                               smmu3_event_name(result->fault));
        return;
    }
    g_string_append_printf(out, "address " HEX64 ", valid for 2^%u bytes, "
                           "access %s%s\n", result->pa, result->size_log2,
                           access_name(result->access),
                           result->access & SMMU3_EXEC ? ", execute" : "");
}

/* What CD.A, R, S or STE.S2R, S2S make of it. */
static void explain_controls(const Smmu3Pass *p, GString *out)
{
    const Smmu3Stage1 *s1 = &p->config.stage1;
    const Smmu3Stage2 *s2 = &p->config.stream.stage2;
    bool stage2 = p->fault.stage2;

    if (stage2 ? s2->stall : s1->stall) {
        g_string_append(out, "; stalls, if the requester can wait");
        return;
    }
    g_string_append(out, (stage2 ? s2->record : s1->record)
                         ? "; recorded" : "; not recorded");
    g_string_append(out, stage2 || s1->abort
                         ? ", abort" : ", reads as zero, writes are ignored");
}

static void explain_fault(const Smmu3Pass *p, GString *out)
{
    const Smmu3Fault *fault = &p->fault;

    if (fault->type == EVENT_NONE) {
        g_string_append_printf(out, "%s, without a record\n",
                               refusal_name(p->refusal));
        return;
    }
    g_string_append(out, smmu3_event_name(fault->type));
    if (smmu3_is_translation_related(fault->type) ||
        fault->type == F_WALK_EABT) {
        g_string_append_printf(out, " at stage %d, CLASS=%s",
                               fault->stage2 ? 2 : 1,
                               class_name(fault->class));
    }
    if (fault->stage2) {
        g_string_append_printf(out, ", IPA " HEX64, fault->ipa);
    }
    if (fault->type == F_WALK_EABT || fault->type == F_STE_FETCH ||
        fault->type == F_CD_FETCH) {
        g_string_append_printf(out, ", no memory at " HEX64,
                               fault->fetch_addr);
    }
    if (smmu3_pass_is_controlled(p)) {
        explain_controls(p, out);
    } else {
        g_string_append_printf(out, "; %srecorded, %s",
                               smmu3_pass_is_recorded(p) ? "" : "not ",
                               refusal_name(p->refusal));
    }
    g_string_append_c(out, '\n');
}

void smmu3_explain_locked(Smmu3 *s, const Smmu3Transaction *t,
                          GString *out)
{
    Account account = { .out = out };
    Smmu3Translation result;
    Smmu3Pass p;

    explain_question(t, out);
    smmu3_pass_init(&p, s, t, SMMU3_PASS_DRY);
    p.watch = explain_step;
    p.watch_data = &account;
    if (!atomic_load_explicit(&s->enabled, memory_order_relaxed)) {
        g_string_append(out, "  SMMUEN is 0\n");
    }
    if (smmu3_pass_any(&p, &result)) {
        explain_answer(&result, out);
    } else {
        explain_fault(&p, out);
    }
}
