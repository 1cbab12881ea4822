/*
 * The auditor's summary: invalidations that are legal, and more than was needed.
 * Not mistakes (test-audit.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "audit-rig.h"

static Smmu3AuditSummary summary(Setup *x)
{
    Smmu3AuditSummary s;

    smmu3_audit_summary_of(x->rig->smmu, &s);
    return s;
}

static void start(Setup *x)
{
    audited(x);
    smmu3_counters_reset(x->rig->smmu);
}

static void expect_waste(Setup *x, unsigned opcode, Smmu3CommandWaste wanted)
{
    Smmu3AuditSummary s = summary(x);
    const Smmu3CommandWaste *c = &s.commands[opcode];

    g_assert_cmpuint(c->count, ==, wanted.count);
    g_assert_cmpuint(c->nothing, ==, wanted.nothing);
    g_assert_cmpuint(c->repeated, ==, wanted.repeated);
    g_assert_cmpuint(c->broad, ==, wanted.broad);
}

static void use_pages(Setup *x, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pt_map(&x->pt, VA + i * PAGE, PA + i * PAGE, 3, PT_USER_RW);
        expect_pa(x, dma_read(SID, VA + i * PAGE), PA + i * PAGE);
    }
}

static void tlbi_asid(Setup *x, unsigned asid)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ASID };

    smmu3_set(cmd, CMD_ASID, asid);
    rig_command(x->rig, cmd);
}

static void test_pages(void)
{
    Setup x;

    start(&x);
    use_pages(&x, 1);
    tlbi_va(&x, ASID, VA);
    expect_waste(&x, CMD_TLBI_NH_VA, (Smmu3CommandWaste) { .count = 1 });
    tlbi_va(&x, ASID, VA);
    expect_waste(&x, CMD_TLBI_NH_VA, (Smmu3CommandWaste) {
        .count = 2, .nothing = 1, .repeated = 1 });
    /* Something was cached since, though not that */
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID, VA);
    tlbi_va(&x, ASID, VA + PAGE);
    expect_waste(&x, CMD_TLBI_NH_VA, (Smmu3CommandWaste) {
        .count = 4, .nothing = 2, .repeated = 1 });
    done(&x);
}

/* A whole ASID for the sake of a few pages; of many it is none. */
static void test_broad(void)
{
    for (unsigned many = 0; many < 2; many++) {
        unsigned opcodes[] = { CMD_TLBI_NH_ASID, CMD_TLBI_NSNH_ALL };

        for (unsigned i = 0; i < G_N_ELEMENTS(opcodes); i++) {
            Setup x;

            start(&x);
            use_pages(&x, many ? 16 : 15);
            if (i) {
                rig_command2(x.rig, opcodes[i], 0);
            } else {
                tlbi_asid(&x, ASID);
            }
            expect_waste(&x, opcodes[i], (Smmu3CommandWaste) {
                .count = 1, .broad = !many });
            tlbi_asid(&x, ASID);
            expect_waste(&x, CMD_TLBI_NH_ASID, (Smmu3CommandWaste) {
                .count = 2 - i, .nothing = 1, .repeated = !i,
                .broad = !i && !many });
            done(&x);
        }
    }
}

/* What TTB1 is for is found, to the last page. */
static void test_second_half(void)
{
    uint64_t last = -(uint64_t)PAGE, cmd[SMMU3_CMD_WORDS] = { 0 };
    Setup x;

    start(&x);
    cd_second_half(x.cd, &x.pt);
    apply(&x);
    smmu3_counters_reset(x.rig->smmu);
    for (unsigned opcode = CMD_TLBI_NH_VA; opcode <= CMD_TLBI_NH_VAA;
         opcode++) {
        pt_map(&x.pt, last, PA, 3, PT_USER_RW);
        expect_pa(&x, dma_read(SID, last), PA);
        smmu3_set(cmd, CMD_OPCODE, opcode);
        smmu3_set(cmd, CMD_ASID, opcode == CMD_TLBI_NH_VA ? ASID : 0);
        smmu3_set_addr(cmd, CMD_ADDR, last);
        rig_command(x.rig, cmd);
        expect_waste(&x, opcode, (Smmu3CommandWaste) { .count = 1 });
    }
    done(&x);
}

static void test_unknown_ids(void)
{
    Setup x;

    start(&x);
    use_pages(&x, 1);
    tlbi_va(&x, ASID, VA);
    g_assert_cmpuint(summary(&x).unknown_asids, ==, 0);
    tlbi_va(&x, ASID + 5, VA);
    tlbi_asid(&x, ASID + 6);
    g_assert_cmpuint(summary(&x).unknown_asids, ==, 2);
    g_assert_cmpuint(summary(&x).unknown_vmids, ==, 0);
    rig_command2(x.rig, CMD_TLBI_S12_VMALL | UINT64_C(7) << 32, 0);
    g_assert_cmpuint(summary(&x).unknown_vmids, ==, 1);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

static void test_structures(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_CFGI_STE };
    Setup x;

    start(&x);
    use_pages(&x, 1);
    smmu3_set(cmd, CMD_STREAMID, SID);
    rig_command(x.rig, cmd);
    expect_waste(&x, CMD_CFGI_STE, (Smmu3CommandWaste) { .count = 1 });
    rig_command(x.rig, cmd);
    expect_waste(&x, CMD_CFGI_STE, (Smmu3CommandWaste) {
        .count = 2, .nothing = 1, .repeated = 1 });
    expect_pa(&x, dma_read(SID, VA), PA);
    rig_command2(x.rig, CMD_CFGI_STE_RANGE, 31);
    expect_waste(&x, CMD_CFGI_STE_RANGE, (Smmu3CommandWaste) {
        .count = 1, .broad = 1 });
    /* A part of the streams; all CDs of one; nothing is broad by itself */
    expect_pa(&x, dma_read(SID, VA), PA);
    rig_command2(x.rig, CMD_CFGI_STE_RANGE, 7);
    smmu3_set(cmd, CMD_OPCODE, CMD_CFGI_CD_ALL);
    rig_command(x.rig, cmd);
    expect_waste(&x, CMD_CFGI_STE_RANGE, (Smmu3CommandWaste) {
        .count = 2, .broad = 1 });
    expect_waste(&x, CMD_CFGI_CD_ALL, (Smmu3CommandWaste) {
        .count = 1, .nothing = 1 });
    expect_pa(&x, dma_read(SID, VA), PA);
    smmu3_set(cmd, CMD_SSV, 1);
    rig_command(x.rig, cmd);
    expect_waste(&x, CMD_CFGI_CD_ALL, (Smmu3CommandWaste) {
        .count = 2, .nothing = 1, .broad = 1 });
    done(&x);
}

static void test_atc(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    uint64_t cmd[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    Setup x;

    start(&x);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    smmu3_counters_reset(x.rig->smmu);
    t.type = SMMU3_ATS_REQUEST;
    g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
    smmu3_set(cmd, CMD_STREAMID, SID);
    smmu3_set(cmd, CMD_ATC_SIZE, CMD_ATC_SIZE_ALL);
    rig_command(x.rig, cmd);
    expect_waste(&x, CMD_ATC_INV, (Smmu3CommandWaste) {
        .count = 1, .broad = 1 });
    rig_command(x.rig, cmd);
    expect_waste(&x, CMD_ATC_INV, (Smmu3CommandWaste) {
        .count = 2, .nothing = 1, .repeated = 1, .broad = 1 });
    done(&x);
}

/* Zap, and a new page, before the invalidation. */
static void test_outputs_moved(void)
{
    Setup x;

    start(&x);
    use_pages(&x, 1);
    pt_map(&x.pt, VA, PA + PAGE, 3, PT_USER_RW);
    expect_pa(&x, dma_read(SID, VA), PA);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(summary(&x).outputs_moved, ==, 1);
    done(&x);
}

/*
 * What the auditor looks at for a command is paid for by the command, so that as many
 * are executed in one go as without it; and it does not look at all there is.
 */
static void test_costs_are_counted(void)
{
    enum { ENTRIES = 2000, LEAST = 2048, MOST = 6000 };
    Smmu3Transaction t = dma_read(SID, VA);
    uint64_t atc_inv[SMMU3_CMD_WORDS] = { CMD_ATC_INV };
    uint64_t by_asid[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_ASID };
    uint64_t by_va[SMMU3_CMD_WORDS] = { CMD_TLBI_NH_VA };
    const uint64_t *cmds[] = { atc_inv, by_asid, by_va };
    Setup x;

    audited_rig(&x, "");
    x.rig->features.ril = true;
    setup_start(&x);
    smmu3_set(x.ste, STE_EATS, STE_EATS_FULL);
    apply(&x);
    use_pages(&x, ENTRIES);
    t.type = SMMU3_ATS_REQUEST;
    g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
    /* None of them names anything, so that all is looked through */
    smmu3_set(atc_inv, CMD_STREAMID, SID + 1);
    smmu3_set(by_asid, CMD_ASID, ASID + 1);
    smmu3_set(by_va, CMD_ASID, ASID + 1);
    smmu3_set(by_va, CMD_TLBI_NUM, 29);
    smmu3_set(by_va, CMD_TLBI_SCALE, 5);
    smmu3_set(by_va, CMD_TLBI_TG, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(cmds); i++) {
        unsigned work = work_of(&x, cmds[i]);

        g_assert_cmpuint(work, >=, LEAST);
        g_assert_cmpuint(work, <=, MOST);
    }
    done(&x);
}

static void test_off(void)
{
    Setup x;

    setup(&x);
    tlbi_va(&x, ASID, VA);
    expect_waste(&x, CMD_TLBI_NH_VA, (Smmu3CommandWaste) { 0 });
    done(&x);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/audit/waste/" name, fn)
    T("pages", test_pages);
    T("broad", test_broad);
    T("second-half", test_second_half);
    T("unknown-ids", test_unknown_ids);
    T("structures", test_structures);
    T("atc", test_atc);
    T("outputs-moved", test_outputs_moved);
    T("costs-are-counted", test_costs_are_counted);
    T("off", test_off);
    return g_test_run();
}
