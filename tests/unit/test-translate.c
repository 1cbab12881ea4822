/*
 * One transaction through stage 1: permissions, overrides, faults, their
 * records and their order, and the caches (IHI 0070 3.4, 5.5, 7.3). Streams
 * are in test-stream.c, stage 2 in test-stage2.c, ATS in test-ats.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "conformance.h"
#include "one-stream.h"

/* ---- Stage 1 ----------------------------------------------------------- */

static void test_stage1(void)
{
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA + 0x123), PA + 0x123);
    g_assert_cmpint(x.result.size_log2, ==, 12);
    g_assert_cmpint(x.result.access, ==, SMMU3_READ | SMMU3_WRITE |
                                         SMMU3_EXEC);
    expect_pa(&x, dma_write(SID, VA + 0xfff), PA + 0xfff);
    expect_stage1_fault(&x, dma_write(SID, VA + PAGE), F_TRANSLATION);
    expect_stage1_fault(&x, dma_read(SID, VA | UINT64_C(1) << 60),
                        F_TRANSLATION);
    expect_stage1_fault(&x, with_priv(dma_read(SID, VA + 2 * PAGE)),
                        F_TRANSLATION);
    expect_stage1_fault(&x, with_ind(dma_read(SID, VA + 2 * PAGE)),
                        F_TRANSLATION);
    done(&x);
}

static void test_permissions(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO | PT_UXN | PT_PXN);
    pt_map(&x.pt, VA + PAGE, PA, 3, PT_KERNEL_RW);
    for (unsigned again = 0; again < 2; again++) {
        expect_pa(&x, dma_read(SID, VA), PA);
        expect_stage1_fault(&x, dma_write(SID, VA), F_PERMISSION);
        expect_stage1_fault(&x, with_ind(dma_read(SID, VA)), F_PERMISSION);
        expect_stage1_fault(&x, dma_read(SID, VA + PAGE), F_PERMISSION);
        expect_pa(&x, with_priv(dma_write(SID, VA + PAGE)), PA);
    }
    done(&x);
}

/* An atomic needs both rights. */
static void test_atomic(void)
{
    Smmu3Transaction t = dma_write(SID, VA);
    Setup x;

    setup(&x);
    t.access |= SMMU3_READ;
    expect_pa(&x, t, PA);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO);
    rig_invalidate_all(x.rig);
    expect_stage1_fault(&x, t, F_PERMISSION);
    done(&x);
}

/*
 * More rights in the tables need no invalidation: a cached refusal is looked
 * at again.
 */
static void test_permission_upgrade(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RO);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_stage1_fault(&x, dma_write(SID, VA), F_PERMISSION);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RW);
    expect_pa(&x, dma_write(SID, VA), PA);
    done(&x);
}

static void test_overrides(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_KERNEL_RW | PT_PXN);
    smmu3_set(x.ste, STE_PRIVCFG, 2);
    apply(&x);
    expect_fault(&x, with_priv(dma_read(SID, VA)), F_PERMISSION, event);
    g_assert_false(smmu3_get(event, EVENT_PNU));
    smmu3_set(x.ste, STE_PRIVCFG, 3);
    apply(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    smmu3_set(x.ste, STE_INSTCFG, 3);
    apply(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    expect_fault(&x, dma_read(SID, VA), F_PERMISSION, event);
    g_assert_true(smmu3_get(event, EVENT_IND) && smmu3_get(event, EVENT_PNU));
    smmu3_set(x.ste, STE_INSTCFG, 2);
    apply(&x);
    expect_pa(&x, with_ind(dma_read(SID, VA)), PA);
    done(&x);
}

static void test_tbi(void)
{
    Setup x;

    setup(&x);
    expect_stage1_fault(&x, dma_read(SID, VA | UINT64_C(0xab) << 56),
                        F_TRANSLATION);
    smmu3_set(x.cd, CD_TBI0, 1);
    apply(&x);
    expect_pa(&x, dma_read(SID, VA | UINT64_C(0xab) << 56), PA);
    expect_pa(&x, dma_read(SID, VA | UINT64_C(0x1b) << 56), PA);
    /* Faults give the whole address. */
    expect_stage1_fault(&x, dma_read(SID, (VA + PAGE) | UINT64_C(3) << 56),
                        F_TRANSLATION);
    done(&x);
}

static void test_e0pd(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA + PAGE, PA, 3, PT_KERNEL_RW);
    smmu3_set(x.cd, CD_E0PD0, 1);
    apply(&x);
    expect_pa(&x, with_priv(dma_read(SID, VA + PAGE)), PA);
    expect_stage1_fault(&x, dma_read(SID, VA), F_TRANSLATION);
    done(&x);
}

static void test_el2_world(void)
{
    Setup x;

    setup(&x);
    pt_map(&x.pt, VA, PA, 3, PT_AF);    /* AP[1]=0: for all the same */
    smmu3_set(x.ste, STE_STRW, STE_STRW_NS_EL2);
    apply(&x);
    expect_pa(&x, dma_write(SID, VA), PA);
    expect_pa(&x, with_priv(dma_write(SID, VA)), PA);
    expect_stage1_fault(&x, dma_read(SID, VA | UINT64_C(0xffff) << 48),
                        F_TRANSLATION);
    done(&x);
}

/* With CR2.E2H the same stream has two halves, privileges and ASIDs. */
static void test_el2_e2h_world(void)
{
    uint64_t high = VA | UINT64_C(0xffff) << 48, cmd[SMMU3_CMD_WORDS] = { 0 };
    Setup x = { .rig = rig_new() };

    x.rig->cr2 |= smmu3_field_mask(CR2_E2H);
    setup_start(&x);
    pt_map(&x.pt, VA, PA, 3, PT_KERNEL_RW);
    smmu3_set(x.ste, STE_STRW, STE_STRW_NS_EL2);
    cd_second_half(x.cd, &x.pt);
    apply(&x);
    expect_stage1_fault(&x, dma_read(SID, VA), F_PERMISSION);
    expect_pa(&x, with_priv(dma_read(SID, VA)), PA);
    expect_pa(&x, with_priv(dma_read(SID, high)), PA);
    /* By ASID, and only by commands of its own world */
    pt_map(&x.pt, VA, PA + PAGE, 3, PT_KERNEL_RW);
    smmu3_set(cmd, CMD_OPCODE, CMD_TLBI_NH_ASID);
    smmu3_set(cmd, CMD_ASID, 1);
    rig_command(x.rig, cmd);
    rig_command2(x.rig, CMD_TLBI_NSNH_ALL, 0);
    expect_pa(&x, with_priv(dma_read(SID, VA)), PA);
    smmu3_set(cmd, CMD_OPCODE, CMD_TLBI_EL2_ASID);
    smmu3_set(cmd, CMD_ASID, 2);
    rig_command(x.rig, cmd);
    expect_pa(&x, with_priv(dma_read(SID, VA)), PA);
    smmu3_set(cmd, CMD_ASID, 1);
    rig_command(x.rig, cmd);
    expect_pa(&x, with_priv(dma_read(SID, VA)), PA + PAGE);
    done(&x);
}

/* Streams with one VMID and ASID share entries, others do not. */
static void test_tags(void)
{
    PageTable other;
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    /* The next stream has tables of its own, and the same ASID. */
    pt_init(&other, x.rig->host, 12, 48, false);
    pt_map(&other, VA, PA + PAGE, 3, PT_USER_RW);
    cd_for(x.cd, &other, 1);
    write_cd(&x, 1);
    smmu3_set_addr(x.ste, STE_S1CONTEXTPTR, x.cds + SMMU3_CD_BYTES);
    smmu3_set(x.ste, STE_S2VMID, 1);
    rig_set_ste(x.rig, SID + 1, x.ste);
    expect_pa(&x, dma_read(SID + 1, VA), PA + PAGE);
    expect_pa(&x, dma_read(SID, VA), PA);
    smmu3_set(x.ste, STE_S2VMID, 0);
    rig_set_ste(x.rig, SID + 1, x.ste);
    expect_pa(&x, dma_read(SID + 1, VA), PA);
    smmu3_set(x.cd, CD_ASID, 2);
    write_cd(&x, 1);
    rig_set_ste(x.rig, SID + 1, x.ste);
    expect_pa(&x, dma_read(SID + 1, VA), PA + PAGE);
    done(&x);
}

/*
 * CD.IPS confines each access, in whatever block it is, and also once a
 * neighbour in the same contiguous block is cached.
 */
static void test_addr_size_of_access(void)
{
    uint64_t gib = UINT64_C(1) << 30;
    Setup x;

    setup(&x);
    for (unsigned i = 0; i < 16; i++) {
        pt_map(&x.pt, i * gib, i * gib, 1, PT_USER_RW | PT_CONTIG);
    }
    smmu3_set(x.cd, CD_IPS, 0);         /* 32 bits */
    apply(&x);
    expect_pa(&x, dma_read(SID, 3 * gib + 0x123), 3 * gib + 0x123);
    g_assert_cmpint(x.result.size_log2, ==, 30);
    expect_stage1_fault(&x, dma_read(SID, 4 * gib), F_ADDR_SIZE);
    expect_stage1_fault(&x, dma_read(SID, 5 * gib + 0x123), F_ADDR_SIZE);
    done(&x);
}

static void test_walk_abort(void)
{
    uint64_t event[SMMU3_EVENT_WORDS], pa;
    Setup x;

    setup(&x);
    pa = pt_entry(&x.pt, VA, 2);
    fake_unmap(x.rig->host, pa, 8);
    expect_fault(&x, with_priv(dma_write(SID, VA)), F_WALK_EABT, event);
    g_assert_false(smmu3_get(event, EVENT_S2));
    g_assert_cmpint(smmu3_get(event, EVENT_CLASS), ==, CLASS_TT);
    g_assert_cmphex(smmu3_get_addr(event, EVENT_FETCH_ADDR), ==, pa & ~7ull);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, VA);
    g_assert_false(smmu3_get(event, EVENT_RNW));
    g_assert_true(smmu3_get(event, EVENT_PNU));
    done(&x);
}

/* ---- What becomes of faults -------------------------------------------- */

static void test_fault_model(void)
{
    static const struct {
        unsigned a, r;
        Smmu3Outcome outcome;
        bool recorded;
    } rows[] = {
        { 0, 0, SMMU3_RAZWI, false }, { 0, 1, SMMU3_RAZWI, true },
        { 1, 0, SMMU3_ABORT, false }, { 1, 1, SMMU3_ABORT, true },
    };
    Setup x;

    setup(&x);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t event[SMMU3_EVENT_WORDS];

        smmu3_set(x.cd, CD_A, rows[i].a);
        smmu3_set(x.cd, CD_R, rows[i].r);
        apply(&x);
        g_assert_cmpint(translate(&x, dma_read(SID, 0)), ==, rows[i].outcome);
        g_assert_cmpint(x.result.fault, ==, F_TRANSLATION);
        if (rows[i].recorded) {
            rig_expect_event(x.rig, F_TRANSLATION, event);
        }
        rig_expect_no_event(x.rig);
    }
    done(&x);
}

/* CD.A, R and S have no say in what is not a translation fault. */
static void test_fault_model_is_for_translation_faults(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_A, 0);
    smmu3_set(x.cd, CD_R, 0);
    apply(&x);
    fake_unmap(x.rig->host, x.pt.root, 4096);
    expect_fault(&x, dma_read(SID, VA), F_WALK_EABT, event);
    done(&x);
}

static void test_stall(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Smmu3Transaction t = dma_write(SID, VA + PAGE);
    int job;
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    smmu3_set(x.cd, CD_R, 0);
    apply(&x);
    t.may_stall = true;
    t.cookie = &job;
    g_assert_cmpint(translate(&x, t), ==, SMMU3_STALLED);
    rig_expect_event(x.rig, F_TRANSLATION, event);
    g_assert_true(smmu3_get(event, EVENT_STALL));
    g_assert_cmphex(smmu3_get(event, EVENT_STAG), ==, x.result.stag);
    g_assert_cmphex(smmu3_get(event, EVENT_INPUT_ADDR), ==, t.addr);
    g_assert_cmpuint(smmu3_stalls_outstanding(x.rig->smmu), ==, 1);
    done(&x);
}

/* A requester that cannot wait is aborted instead, and that is recorded. */
static void test_stall_of_one_that_cannot_wait(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    smmu3_set(x.cd, CD_R, 0);
    apply(&x);
    expect_fault(&x, dma_read(SID, 0), F_TRANSLATION, event);
    g_assert_false(smmu3_get(event, EVENT_STALL));
    g_assert_cmpuint(smmu3_stalls_outstanding(x.rig->smmu), ==, 0);
    done(&x);
}

static void test_speculative(void)
{
    Smmu3Transaction t = dma_read(SID, VA + PAGE);
    Setup x;

    setup(&x);
    smmu3_set(x.cd, CD_S, 1);
    apply(&x);
    t.speculative = t.may_stall = true;
    expect_silent_abort(&x, t);
    t.addr = VA;
    expect_pa(&x, t, PA);
    t.access = SMMU3_WRITE;
    expect_silent_abort(&x, t);         /* a guess must not write */
    done(&x);
}

/* What is wrong first is what is told (7.3.22). */
static void test_priority(void)
{
    uint64_t event[SMMU3_EVENT_WORDS];
    Setup x;

    setup(&x);
    /* Everything is wrong at once; each step puts one thing right. */
    smmu3_set(x.ste, STE_V, 0);
    smmu3_set(x.ste, STE_S1CDMAX, 3);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_TERMINATE);
    smmu3_set(x.cd, CD_V, 0);
    pt_map(&x.pt, VA, PA, 3, PT_RO);    /* no AF, no rights */
    apply(&x);
    fake_unmap(x.rig->host, x.cds, 4096);
    expect_fault(&x, dma_write(1000, VA), C_BAD_STREAMID, event);
    expect_fault(&x, with_ssid(dma_write(SID, VA), 9), C_BAD_STE, event);
    smmu3_set(x.ste, STE_V, 1);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, with_ssid(dma_write(SID, VA), 9), C_BAD_SUBSTREAMID,
                 event);
    expect_fault(&x, dma_write(SID, VA), F_STREAM_DISABLED, event);
    smmu3_set(x.ste, STE_S1DSS, STE_S1DSS_CD0);
    rig_set_ste(x.rig, SID, x.ste);
    expect_fault(&x, dma_write(SID, VA), F_CD_FETCH, event);
    fake_map(x.rig->host, x.cds, 4096);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), C_BAD_CD, event);
    smmu3_set(x.cd, CD_V, 1);
    smmu3_set(x.cd, CD_IPS, 1);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), F_ADDR_SIZE, event);
    smmu3_set(x.cd, CD_IPS, 5);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), F_ACCESS, event);
    smmu3_set(x.cd, CD_AFFD, 1);
    apply(&x);
    expect_fault(&x, dma_write(SID, VA), F_PERMISSION, event);
    pt_map(&x.pt, VA, PA, 3, PT_USER_RW);
    expect_pa(&x, dma_write(SID, VA), PA);
    done(&x);
}

/* ---- Caches ------------------------------------------------------------ */

static void test_ste_change(void)
{
    uint64_t abort[SMMU3_STE_WORDS];
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    ste_abort(abort);
    rig_set_ste(x.rig, SID, abort);     /* with CFGI_STE and SYNC */
    expect_silent_abort(&x, dma_read(SID, VA));
    rig_set_ste(x.rig, SID, x.ste);
    expect_pa(&x, dma_read(SID, VA), PA);
    done(&x);
}

static void test_hits_need_no_memory(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    c = smmu3_counters(x.rig->smmu);
    expect_pa(&x, dma_read(SID, VA), PA);
    fake_clear_records(x.rig->host);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_write(SID, VA), PA);
    g_assert_cmpuint(x.rig->host->reads, ==, 0);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->translations, ==, 1);
    g_assert_cmpuint(c->tlb_hits, ==, 1);
    g_assert_cmpuint(c->tlb_misses, ==, 0);
    done(&x);
}

static void test_walk_is_counted(void)
{
    const Smmu3Counters *c;
    Setup x;

    setup(&x);
    smmu3_counters_reset(x.rig->smmu);
    expect_pa(&x, dma_read(SID, VA), PA);
    c = smmu3_counters(x.rig->smmu);
    g_assert_cmpuint(c->tlb_misses, ==, 1);
    g_assert_cmpuint(c->walks, ==, 1);
    g_assert_cmpuint(c->descriptor_reads, ==, 4);
    g_assert_cmpuint(translate(&x, dma_read(SID, 0)), ==, SMMU3_ABORT);
    g_assert_cmpuint(c->faults[F_TRANSLATION], ==, 1);
    rig_expect_event(x.rig, F_TRANSLATION, (uint64_t[4]) { 0 });
    done(&x);
}

/* Each thing that is read from memory is traced, with where it was. */
typedef struct Traced {
    uint64_t ste, cd, walk[4];
    unsigned walks;
} Traced;

static void note_trace(FakeHost *host, Smmu3TraceKind kind,
                       const uint64_t words[4])
{
    Traced *traced = host->hook_data;

    switch (kind) {
    case SMMU3_TRACE_STE:
        g_assert_cmpint(words[0], ==, SID);
        traced->ste = words[1];
        break;
    case SMMU3_TRACE_CD:
        g_assert_cmpint(words[0], ==, SID);
        g_assert_cmpint(words[1], ==, 0);
        traced->cd = words[2];
        break;
    case SMMU3_TRACE_WALK:
        g_assert_cmpint(words[0], ==, 1);
        g_assert_cmpint(words[1], ==, traced->walks);
        g_assert_cmphex(words[3], ==, fake_read64(host, words[2]));
        traced->walk[traced->walks++ % 4] = words[2];
        break;
    default:
        break;
    }
}

static void test_traces(void)
{
    Traced traced = { 0 };
    Setup x;

    setup(&x);
    x.rig->host->on_trace = note_trace;
    x.rig->host->hook_data = &traced;
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmphex(traced.ste, ==, rig_ste_addr(x.rig, SID));
    g_assert_cmphex(traced.cd, ==, x.cds);
    g_assert_cmpuint(traced.walks, ==, 4);
    for (int level = 0; level < 4; level++) {
        g_assert_cmphex(traced.walk[level], ==, pt_entry(&x.pt, VA, level));
    }
    done(&x);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
#define T(name, fn, items) \
    conformance_test("/smmu3/translate/" name, fn, items)
    T("stage-1", test_stage1, "53");
    T("permissions", test_permissions, "60 63");
    T("atomic-needs-read-and-write", test_atomic, "");
    T("more-rights-need-no-invalidation", test_permission_upgrade, "");
    T("privcfg-and-instcfg", test_overrides, "67");
    T("top-byte-ignore", test_tbi, "53");
    T("e0pd", test_e0pd, "74");
    T("el2-world", test_el2_world, "68");
    T("el2-e2h-world", test_el2_e2h_world, "68");
    T("vmid-and-asid-tag-what-is-cached", test_tags, "");
    T("output-of-the-access-beyond-ips", test_addr_size_of_access, "57");
    T("walk-abort", test_walk_abort, "73");
    T("cd-a-and-r", test_fault_model, "91");
    T("cd-a-and-r-only-for-translation-faults",
      test_fault_model_is_for_translation_faults, "91");
    T("cd-s-stalls", test_stall, "92");
    T("cd-s-without-waiting-terminates", test_stall_of_one_that_cannot_wait,
      "");
    T("speculative-is-silent", test_speculative, "114");
    T("order-of-faults", test_priority, "59 119");
    T("ste-change-after-cfgi", test_ste_change, "83");
    T("hits-need-no-memory", test_hits_need_no_memory, "");
    T("walks-are-counted", test_walk_is_counted, "");
    T("traces", test_traces, "");
    return conformance_run();
}
